"""The timeline of an order: what happened to it, in words, without personal data."""

from __future__ import annotations

from collections.abc import Iterable

from ..models import AmazonOrder, OrderEvent


def add(order: AmazonOrder, type: str, message: str, actor: str = "") -> None:
    """Put an event on the timeline and make it the order's note."""
    OrderEvent.objects.create(order=order, type=type, message=message, actor=actor)
    order.note = message
    AmazonOrder.objects.filter(pk=order.pk).update(note=message)


def add_many(events: Iterable[tuple[AmazonOrder, str, str]]) -> None:
    """One query for many (order, type, message). The caller writes the notes."""
    OrderEvent.objects.bulk_create(
        [
            OrderEvent(order=order, type=type, message=message)
            for order, type, message in events
        ]
    )
