"""Refunds made on Amazon, on orders of the stand-alone shop."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection
from django.db.models import F, Sum

from ..store.contract import RecordedRefund, RefundDraft
from .models import OrderLine, Refund, RefundLine, Transaction


def record_refund(order_id: str, refund: RefundDraft) -> RecordedRefund:
    """See ``Store.record_refund``."""
    if not connection.in_atomic_block:
        raise RuntimeError("record_refund must be called inside a transaction")
    nothing = Decimal(0)
    item = (
        Transaction.objects.select_for_update()
        .filter(order_id=order_id, psp_reference=F("order__external_reference"))
        .first()
    )
    if item is None:
        return RecordedRefund(nothing, "It has no transaction of the import any more.")
    if item.currency != refund.currency:
        return RecordedRefund(
            nothing, f"It was refunded in {refund.currency}, not in {item.currency}."
        )
    row = Refund.objects.filter(
        order_id=order_id, psp_reference=refund.reference
    ).first() or Refund(
        order_id=order_id,
        psp_reference=refund.reference,
        amount=nothing,
        created_at=refund.refunded_at,
    )
    amount = min(refund.amount, row.amount + item.charged)
    if amount <= 0:
        return RecordedRefund(nothing, "Nothing is charged for the order any more.")
    difference = amount - row.amount
    if difference:
        item.charged -= difference
        item.refunded += difference
        item.save(update_fields=["charged", "refunded"])
        row.amount, row.reason = amount, refund.reason
        row.is_shipping_included = refund.is_shipping_included
        row.save()
        write_lines(row, refund)
    return RecordedRefund(amount)


def write_lines(row: Refund, refund: RefundDraft) -> None:
    """The lines it is for, with no more units than are left of each."""
    row.lines.all().delete()
    lines = {
        str(line.pk): line.quantity - line.refunded
        for line in OrderLine.objects.filter(order=row.order_id)
        .annotate(refunded=Sum("refund_lines__quantity", default=0))
        .order_by("pk")
    }
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=row,
            line_id=each.line_id,
            quantity=min(each.units, max(lines[each.line_id], 0)),
            reason=each.reason,
        )
        for each in refund.lines
        if each.line_id in lines
    )
