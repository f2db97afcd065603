"""Cancels orders of the stand-alone shop: for its staff, and for Amazon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import F

from . import stock
from .models import Note, Order, OrderLine


def cancel(order: Order, lines: Iterable[OrderLine]) -> None:
    """Nothing of the locked order has left, and nothing will."""
    lines = list(lines)
    locked = stock.lock([line.variant_id for line in lines if line.variant_id])
    for allocations in stock.allocations_of([line.pk for line in lines]).values():
        for allocation in allocations:
            locked.release(locked.by_pk(allocation.stock_id), allocation.quantity)
            allocation.delete()
    locked.save()
    order.status = Order.Status.CANCELED
    order.save(update_fields=["status"])


def cancel_orders(order_ids: Sequence[str], note: str) -> dict[str, str]:
    """See ``Store.cancel_orders``."""
    found = Order.objects.select_for_update().filter(pk__in=order_ids).order_by("pk")
    problems = {str(order.pk): _cancel_for_amazon(order, note) for order in found}
    return {
        order_id: problems.get(order_id, "The shop has no such order.")
        for order_id in order_ids
    }


def _cancel_for_amazon(order: Order, note: str) -> str:
    is_news = order.status != Order.Status.CANCELED
    if is_news:
        lines = list(order.lines.select_for_update().order_by("pk"))
        units = sum(line.quantity_fulfilled for line in lines)
        if units:
            return f"{units} of its units are fulfilled, or wait for an approval."
        cancel(order, lines)
    refunded = order.transactions.filter(
        psp_reference=order.external_reference, charged__gt=0
    ).update(refunded=F("refunded") + F("charged"), charged=0)
    if is_news or refunded:
        Note.objects.create(order=order, message=note)
    return ""
