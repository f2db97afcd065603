"""Credit notes: a refund of an order whose invoice Amazon has corrects that invoice.

Who made the refund does not matter: Amazon's list of refunds tells of each once, and
each gets one credit note at most. All together never give back more than the invoice
says. The document is made and numbered at once, is an invoice of the shop's order, and
waits in the outbox for the name that the refund has in Amazon's Invoice Data Report
(``pushing.credit_notes``).

Only invoices that were made here and went to Amazon by its VAT invoice feed are
corrected. One that another app made is the app's to correct; one that went by message
cannot be corrected by a program: the order says so. One that stayed in the shop, or
that Amazon issued, is nobody's business here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.timezone import localtime

from .. import clock, lock_objects, store
from ..amazon.errors import MalformedOrder
from ..amazon.marketplaces import minor_unit
from ..amazon.orders import Order
from ..importing import mapping
from ..importing.address_edit import staff_address
from ..importing.carrying import one_by_one
from ..importing.refund_content import OF_SHIPPING, RefundContent
from ..ledger import payloads, shop_refunds, timeline
from ..ledger import refunds as ledger
from ..models import AmazonOrder, AmazonRefund, Marketplace, OrderInvoice, OutboxEntry
from ..pushing import credit_notes as pushing
from . import content, document, issue, pdf
from .content import GivenBack
from .document import Invoice, Party

#: How long one rests that cannot be made as things are.
RETRY_AFTER = timedelta(hours=1)
_TAXES = frozenset(shop_refunds.TAXED)


def has_work() -> bool:
    return _due().exists()


def settle() -> None:
    """Make the credit notes that are due, and the intents that bring them to Amazon."""
    one_by_one(_due, _settle, "making a credit note", _put_off)


def _due() -> QuerySet[AmazonRefund]:
    return AmazonRefund.objects.filter(credit_note_at__lte=clock.now()).order_by(
        "posted_at", "pk"
    )


def _put_off(refunds: QuerySet[AmazonRefund]) -> None:
    refunds.update(credit_note_at=clock.now() + RETRY_AFTER)


def _settle(refund: AmazonRefund) -> None:
    order = AmazonOrder.objects.filter(
        account_id=refund.account_id,
        amazon_order_id=refund.amazon_order_id,
        import_state=AmazonOrder.ImportState.IMPORTED,
    ).first()
    # The shop's rows are locked before ours: see lock_objects.
    is_in_shop = order is not None and (
        store.current().order_state(order.shop_order_id or "") is not None
    )
    if order is not None:
        [order] = lock_objects.orders_by_id([order.amazon_order_id])
    refund = lock_objects.refund(refund.pk)
    if refund.credit_note_at is None:
        return  # Another worker was faster.
    refund.credit_note_at = None
    if order is not None and is_in_shop:
        try:
            _correct(order, refund)
        except issue.REASONS as reason:
            refund.credit_note_at = clock.now() + RETRY_AFTER
            message = (
                f"No credit note could be made for the {_money(refund.amount, refund)} "
                f"that were refunded on {refund.posted_at:%Y-%m-%d}: {reason} It is "
                "tried again by itself."
            )
            _tell_once(order, "credit_note_impossible", message)
    refund.save(update_fields=["credit_note_at"])


def _correct(order: AmazonOrder, refund: AmazonRefund) -> None:
    if refund.amount <= 0:
        return
    if made := OrderInvoice.objects.filter(refund=refund).first():
        _tell_of_change(order, refund, made)
        return
    invoice = _invoice_on_amazon(order)
    if invoice is None:
        return
    money = _money(refund.amount, refund)
    if reason := _reason_for_none(order, invoice):
        _tell_once(
            order,
            "credit_note_kept",
            f"{money} of invoice {invoice.number} were refunded on "
            f"{refund.posted_at:%Y-%m-%d}, and no credit note is made here: {reason}",
        )
        return
    _make(order, refund, invoice)


def _invoice_on_amazon(order: AmazonOrder) -> OrderInvoice | None:
    """The invoice that the buyer got through Amazon."""
    succeeded = order.outbox_entries.filter(
        kind=OutboxEntry.Kind.INVOICE, state=OutboxEntry.State.SUCCEEDED
    )
    sent = [entry.payload["shop_invoice_id"] for entry in succeeded]
    invoices = OrderInvoice.objects.filter(
        order=order, corrects=None, shop_invoice_id__in=sent
    )
    return invoices.order_by("-is_issued_here", "pk").first()


def _reason_for_none(order: AmazonOrder, invoice: OrderInvoice) -> str:
    if not invoice.is_issued_here:
        return (
            "another app made the invoice, and is to correct it. Upload its credit "
            "note in Seller Central."
        )
    by_feed = order.outbox_entries.filter(
        kind=OutboxEntry.Kind.INVOICE,
        state=OutboxEntry.State.SUCCEEDED,
        payload__shop_invoice_id=invoice.shop_invoice_id,
        feed__isnull=False,
    )
    if not by_feed.exists():
        return (
            "the invoice went to the buyer by message, and Amazon offers none for a "
            "credit note. Give it to the buyer in Seller Central."
        )
    return pushing.reason_to_keep(order)


def _make(order: AmazonOrder, refund: AmazonRefund, invoice: OrderInvoice) -> None:
    marketplace = Marketplace.objects.select_for_update(no_key=True).get(
        account_id=order.account_id, marketplace_id=order.marketplace_id
    )
    number = f"{marketplace.credit_note_series}{marketplace.next_credit_note_number}"
    parts = list(_parts(_content(order, refund)))
    shown = content.credit_note(
        _original(order, marketplace, invoice),
        number,
        localtime(clock.now()).date(),
        parts,
        _amounts(invoice.credit_notes.all()),
    )
    if shown is None:
        _tell_once(
            order,
            "credit_note_kept",
            f"The {_money(refund.amount, refund)} that were refunded on "
            f"{refund.posted_at:%Y-%m-%d} are more than invoice {invoice.number} has "
            "left to be corrected, so no credit note is made of them.",
        )
        return
    file = pdf.render(shown)
    marketplace.next_credit_note_number += 1
    marketplace.save(update_fields=["next_credit_note_number"])
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    is_tax_told = invoice.tax is not None or all(p.tax is not None for p in parts)
    made = OrderInvoice.objects.create(
        order=order,
        shop_invoice_id=shop.add_invoice(shop_order_id, number, file),
        number=number,
        is_issued_here=True,
        is_of_series=True,
        total=shown.total.gross,
        tax=shown.total.tax if is_tax_told else None,
        content=document.to_json(shown),
        corrects=invoice,
        refund=refund,
    )
    pushing.enqueue(order, made)
    message = (
        f"Credit note {number} over {_money(shown.total.gross, refund)} was made: it "
        f"corrects invoice {invoice.number}. It goes to Amazon once Amazon's Invoice "
        "Data Report has the refund."
    )
    timeline.add(order, "credit_note_issued", message)
    shop.add_note(shop_order_id, message)


def _original(
    order: AmazonOrder, marketplace: Marketplace, invoice: OrderInvoice
) -> Invoice:
    """The invoice as it was made, with its buyer as far as known still."""
    if invoice.content:
        original = document.from_json(invoice.content)
    else:  # Made before its content was kept.
        original, _ = issue.content_of(order, marketplace, invoice.number)
    buyer, purchase_order_number = Party(()), ""
    try:
        amazon = Order.from_wire(payloads.join(order.payload, order.personal or {}))
        draft = mapping.map_order(amazon, staff_address(order))
    except (MalformedOrder, mapping.CannotMap):
        pass  # Deleted: the invoice that is named says who it is.
    else:
        if draft.billing_address:
            buyer = content.buyer_of(amazon, draft.billing_address)
            purchase_order_number = content.purchase_order_of(amazon)
    return document.of_buyer(
        original, buyer, purchase_order_number, marketplace.invoice_note.strip()
    )


def _content(order: AmazonOrder, refund: AmazonRefund) -> RefundContent:
    """What the refund gives back, after those that have a credit note."""
    items = ledger.items_of([order])[order.amazon_order_id]
    ledger.match_again(refund, items)
    earlier = ledger.refunded_by_item(
        [order.amazon_order_id], Q(credit_note__isnull=False) & ~Q(pk=refund.pk)
    )
    amounts = shop_refunds.by_item(refund)
    return RefundContent(
        order, items, refund.currency, amounts, earlier[order.amazon_order_id]
    )


def _parts(refunded: RefundContent) -> Iterable[GivenBack]:
    """By the lines of the invoice: each item, then the shipping."""
    now, before = (
        _by_line(refunded, refunded.amounts),
        _by_line(refunded, refunded.earlier),
    )
    units = {item.order_item_id: refunded.units(item) for item in refunded.items}
    for key in sorted(now, key=lambda line: (line is None, line)):
        gross, tax = now[key]
        yield GivenBack(
            order_item_id=key or "",
            is_shipping=key is None,
            gross=gross,
            tax=tax,
            before=before[key][0] if key in before else Decimal(0),
            units=units.get(key or "", 0),
        )


#: Order item id, None for the shipping → what was given back, and the tax told of it.
_ByLine = dict[str | None, tuple[Decimal, Decimal | None]]


def _by_line(refunded: RefundContent, amounts: ledger.ByItem) -> _ByLine:
    gross: dict[str | None, Decimal] = defaultdict(Decimal)
    told: dict[str | None, Decimal] = defaultdict(Decimal)
    for item_id, components in amounts.items():
        for component, amount in components.items():
            if refunded.counts(component):
                line = None if component in OF_SHIPPING else item_id
                gross[line] += amount
                if component in _TAXES:
                    told[line] += amount
    return {line: (gross[line], told.get(line)) for line in gross}


def _amounts(notes: Iterable[OrderInvoice]) -> list[document.Amount]:
    return [document.from_json(note.content).total for note in notes]


def _tell_of_change(
    order: AmazonOrder, refund: AmazonRefund, made: OrderInvoice
) -> None:
    """Amazon corrects what a refund gives, after the document has left the house."""
    amount = _content(order, refund).amount
    if made.total is None or amount == made.total:
        return
    if made.total < amount and pushing.takes_the_rest(made):
        return
    _tell_once(
        order,
        "credit_note_differs",
        f"Credit note {made.number} is over {_money(made.total, refund)}, and Amazon "
        f"now says that {_money(amount, refund)} were refunded. Correct it in your "
        "books and in Seller Central.",
    )


def _tell_once(order: AmazonOrder, type_: str, message: str) -> None:
    if not order.events.filter(type=type_, message=message).exists():
        timeline.add(order, type_, message)
        store.current().add_note(order.shop_order_id or "", message)


def _money(amount: Decimal, refund: AmazonRefund) -> str:
    return f"{amount.quantize(minor_unit(refund.currency))} {refund.currency}"
