"""Refunds made on Amazon, on Saleor's orders: see ``Store.record_refund``.

A refund is two things in Saleor. The money is an event of the order's transaction. What
it was for is a granted refund with lines: without it Saleor counts the order as partly
paid (``charge_status`` compares what is charged with the total less what is granted),
shows staff a balance that the buyer does not owe, and names no line.

The granted refund is written as settled, and by queries that send no signals. Its lines
count units of which the whole price is paid back, so that staff can still grant a
refund of the others; lines of which a part was paid back are there with no unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection
from django.db.models import F, Q, Sum
from saleor.order import OrderGrantedRefundStatus
from saleor.order.models import (
    OrderGrantedRefund,
    OrderGrantedRefundLine,
    OrderLine,
)
from saleor.payment import TransactionEventType
from saleor.payment.models import TransactionEvent, TransactionItem

from ..store.contract import RecordedRefund, RefundDraft
from . import actions
from .app import ensure_app, get_app

_SIGNS = {
    TransactionEventType.REFUND_SUCCESS: 1,
    TransactionEventType.REFUND_REVERSE: -1,
}


def record_refund(order_id: str, refund: RefundDraft) -> RecordedRefund:
    if not connection.in_atomic_block:
        raise RuntimeError("record_refund must be called inside a transaction")
    nothing = Decimal(0)
    item = TransactionItem.objects.filter(
        order_id=order_id, psp_reference=F("order__external_reference")
    ).first()
    if item is None:
        return RecordedRefund(nothing, "It has no transaction of the import any more.")
    if item.currency != refund.currency:
        return RecordedRefund(
            nothing, f"It was refunded in {refund.currency}, not in {item.currency}."
        )
    events = list(
        TransactionEvent.objects.filter(
            Q(psp_reference=refund.reference)
            | Q(psp_reference__startswith=f"{refund.reference}-"),
            transaction=item,
            type__in=_SIGNS,
        ).order_by("pk")
    )
    recorded = sum(
        (_SIGNS[event.type] * event.amount_value for event in events), nothing
    )
    amount = min(refund.amount, recorded + item.charged_value)
    if amount <= 0:
        return RecordedRefund(nothing, "Nothing is charged for the order any more.")
    granted_id = next(
        (e.related_granted_refund_id for e in events if e.related_granted_refund_id),
        None,
    )
    if amount != recorded:
        granted_id = grant(item, refund, amount, granted_id)
        _report(item, refund, amount - recorded, granted_id, events)
    return RecordedRefund(amount)


def grant(
    item: TransactionItem,
    refund: RefundDraft,
    amount: Decimal,
    granted_id: int | None = None,
) -> int:
    """What the refund was for. Before the money moves: the order's charge status
    follows from both."""
    values = {
        "amount_value": amount,
        "reason": refund.reason,
        "shipping_costs_included": refund.is_shipping_included,
        "status": OrderGrantedRefundStatus.SUCCESS,
    }
    if granted_id is None:
        [granted] = OrderGrantedRefund.objects.bulk_create(
            [
                OrderGrantedRefund(
                    order_id=item.order_id,
                    currency=item.currency,
                    created_at=refund.refunded_at,
                    app=get_app() or ensure_app(),
                    transaction_item=item,
                    **values,
                )
            ]
        )
        granted_id = granted.pk
    else:
        OrderGrantedRefund.objects.filter(pk=granted_id).update(**values)
        OrderGrantedRefundLine.objects.filter(granted_refund_id=granted_id).delete()
    OrderGrantedRefundLine.objects.bulk_create(_lines(item, refund, granted_id))
    return granted_id


def _lines(
    item: TransactionItem, refund: RefundDraft, granted_id: int
) -> list[OrderGrantedRefundLine]:
    """No line with more units than are left of it, whoever granted the others."""
    left = dict(
        OrderLine.objects.filter(
            order_id=item.order_id, pk__in=[each.line_id for each in refund.lines]
        ).values_list("pk", "quantity")
    )
    granted = dict(
        OrderGrantedRefundLine.objects.filter(order_line__in=left)
        .order_by()
        .values_list("order_line")
        .annotate(Sum("quantity"))
    )
    by_id = {str(pk): max(units - granted.get(pk, 0), 0) for pk, units in left.items()}
    return [
        OrderGrantedRefundLine(
            granted_refund_id=granted_id,
            order_line_id=each.line_id,
            quantity=min(each.units, by_id[each.line_id]),
            reason=each.reason,
        )
        for each in refund.lines
        if each.line_id in by_id
    ]


def _report(
    item: TransactionItem,
    refund: RefundDraft,
    difference: Decimal,
    granted_id: int,
    events: Sequence[TransactionEvent],
) -> None:
    psp_reference = refund.reference + (f"-{len(events)}" if events else "")
    actions.report_event(
        item,
        psp_reference,
        TransactionEventType.REFUND_SUCCESS
        if difference > 0
        else TransactionEventType.REFUND_REVERSE,
        abs(difference),
        refund.refunded_at,
        "Refunded on Amazon",
        is_refundable=item.charged_value > difference,
    )
    TransactionEvent.objects.filter(
        transaction=item, psp_reference=psp_reference, type__in=_SIGNS
    ).update(related_granted_refund=granted_id)
