"""What becomes of a ready invoice of the shop: the intent that brings it to Amazon."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Min

from .. import clock, failures, lock_objects, outbox, store
from ..amazon.orders import Program
from ..ledger import timeline
from ..models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    SyncCursor,
)
from ..pushing import credit_notes
from ..store.contract import ShopInvoice

logger = logging.getLogger(__name__)

STREAM = "staff_invoices"
#: As for shipments: rows are seen when they are committed, not when they were written.
SWEEP_OVERLAP = timedelta(minutes=15)

KIND = OutboxEntry.Kind.INVOICE


class PushRefused(Exception):
    """The invoice does not go to Amazon (again); the message says why."""


def record_invoices(invoices: Sequence[ShopInvoice]) -> int:
    """Write an intent for each invoice that is new here; answer how many were written.

    Invoices of orders that are not Amazon's are passed over. Must be called inside a
    transaction: the one of whoever made the invoice, or one of the sweep.
    """
    if not invoices or not ChannelSettings.load().active:
        return 0
    by_order = {invoice.order_id: invoice for invoice in invoices}
    known = AmazonOrder.objects.filter(shop_order_id__in=by_order).values_list(
        "amazon_order_id", flat=True
    )
    orders = {
        order.shop_order_id: order for order in lock_objects.orders_by_id(list(known))
    }
    written = 0
    for invoice in invoices:
        if order := orders.get(invoice.order_id):
            written += _record(order, invoice)
    return written


def _record(order: AmazonOrder, invoice: ShopInvoice) -> int:
    kept, _ = OrderInvoice.objects.get_or_create(
        order=order,
        shop_invoice_id=invoice.invoice_id,
        defaults={"number": invoice.number},
    )
    if kept.corrects_id or _entries(order, kept):
        return 0
    reason = _reason_to_keep(order)
    if reason:
        if order.events.filter(type="invoice_kept", message__contains=kept.number):
            return 0
        timeline.add(
            order, "invoice_kept", f"Invoice {kept.number}: {reason}", invoice.actor
        )
        return 0
    _enqueue(order, kept, 1, invoice.actor)
    return 1


def push_again(invoice: OrderInvoice, actor: str = "") -> OutboxEntry:
    """Send an invoice that did not get there, or never was to; an open intent is
    answered as it is. Raises PushRefused, also for one that Amazon has: it is never
    uploaded twice."""
    with transaction.atomic():
        [order] = lock_objects.orders_by_id([invoice.order.amazon_order_id])
        entries = _entries(order, invoice)
        if entries and not entries[-1].settled_at:
            return entries[-1]
        if any(entry.state == OutboxEntry.State.SUCCEEDED for entry in entries):
            what = "credit note" if invoice.corrects_id else "invoice"
            raise PushRefused(f"Amazon has the {what} {invoice.number} already.")
        if reason := _reason_to_keep(order):
            raise PushRefused(reason)
        if invoice.corrects_id:
            credit_notes.enqueue(order, invoice, len(entries) + 1, actor)
        else:
            _enqueue(order, invoice, len(entries) + 1, actor)
        return _entries(order, invoice)[-1]


def _reason_to_keep(order: AmazonOrder) -> str:
    """Why nothing is sent, in words; empty: it is."""
    if Program.INVOICE_BY_AMAZON in order.programs:
        return (
            "Amazon invoices this order itself (INVOICE_BY_AMAZON), so nothing is sent "
            "to it."
        )
    mechanism = (
        Marketplace.objects.filter(
            account_id=order.account_id, marketplace_id=order.marketplace_id
        )
        .values_list("invoice_mechanism", flat=True)
        .first()
    )
    if mechanism == Marketplace.InvoiceMechanism.OFF:
        return "it stays in the shop, as the marketplace's invoiceMechanism says."
    return ""


def _entries(order: AmazonOrder, invoice: OrderInvoice) -> list[OutboxEntry]:
    return [
        entry
        for entry in order.outbox_entries.filter(
            kind=credit_notes.KIND if invoice.corrects_id else KIND
        ).order_by("pk")
        if entry.payload["shop_invoice_id"] == invoice.shop_invoice_id
    ]


def _enqueue(
    order: AmazonOrder, invoice: OrderInvoice, revision: int, actor: str
) -> None:
    outbox.enqueue(
        order,
        KIND,
        subject=invoice.shop_invoice_id,
        revision=revision,
        payload={"shop_invoice_id": invoice.shop_invoice_id, "number": invoice.number},
        actor=actor,
    )
    timeline.add(
        order,
        "invoice_recorded",
        f"Invoice {invoice.number} is to be sent to Amazon once the order is shipped.",
        actor,
    )


def sweep() -> int:
    """Find ready invoices that capture missed; answer how many intents were written.

    Nothing while the channel is off. What cannot be recorded is tried again.
    """
    if not ChannelSettings.load().active:
        return 0
    cursor, _ = SyncCursor.objects.get_or_create(account=None, stream=STREAM)
    started_at = clock.now()
    first = AmazonOrder.objects.aggregate(first=Min("imported_at"))["first"]
    since = cursor.watermark or first
    if since is None:
        return 0
    written, is_complete = (
        store.current().make_missed_invoices(since - SWEEP_OVERLAP),
        True,
    )
    changed = store.current().invoices_changed_since(since - SWEEP_OVERLAP)
    known = set(
        OrderInvoice.objects.filter(
            shop_invoice_id__in=[invoice.invoice_id for invoice in changed]
        ).values_list("shop_invoice_id", flat=True)
    )
    for invoice in changed:
        if invoice.invoice_id in known:
            continue
        try:
            with transaction.atomic():
                written += record_invoices([invoice])
        except Exception as error:  # noqa: BLE001  it must not keep the others back
            is_complete = False
            failures.log(logger, f"invoice {invoice.invoice_id}: recording", error)
    if is_complete:
        SyncCursor.objects.filter(pk=cursor.pk).update(
            watermark=started_at, last_run_at=started_at
        )
    return written
