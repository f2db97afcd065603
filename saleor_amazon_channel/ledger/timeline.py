"""The timeline of an order: what happened to it, in words, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from .. import clock
from ..models import AmazonOrder, OrderEvent

#: Types of which the same message is never told a second time: the timeline is what
#: says so, so these are never pruned.
TOLD_ONCE = (
    "cancellation_requested_by_buyer",
    "cannot_follow",
    "credit_note_differs",
    "credit_note_impossible",
    "credit_note_kept",
    "invoice_kept",
    "refunded_by_hand",
    "replaced",
    "unreadable",
    "shipment_cancelled_too_late",
)

#: One statement, since staff wait for it.
_ADD = """
    WITH event AS (
        INSERT INTO saleor_amazon_channel_orderevent
            (order_id, type, message, actor, created_at)
        VALUES (%(order_id)s, %(type)s, %(message)s, %(actor)s, %(created_at)s)
    )
    UPDATE saleor_amazon_channel_amazonorder SET note = %(message)s
    WHERE id = %(order_id)s
"""


def add(order: AmazonOrder, type: str, message: str, actor: str = "") -> None:
    """Put an event on the timeline and make it the order's note."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "order_id": order.pk,
                "type": type,
                "message": message,
                "actor": actor,
                "created_at": clock.now(),
            },
        )
    order.note = message


_ADD_ALL = """
    WITH told AS (
        SELECT * FROM unnest(
            %(order_ids)s::bigint[], %(types)s::text[], %(messages)s::text[],
            %(actors)s::text[]
        ) WITH ORDINALITY AS told (order_id, type, message, actor, position)
    ), event AS (
        INSERT INTO saleor_amazon_channel_orderevent
            (order_id, type, message, actor, created_at)
        SELECT order_id, type, message, actor, %(created_at)s
        FROM told ORDER BY position
    ), note AS (
        SELECT DISTINCT ON (order_id) order_id, message
        FROM told ORDER BY order_id, position DESC
    )
    UPDATE saleor_amazon_channel_amazonorder SET note = note.message
    FROM note WHERE id = note.order_id
"""


def add_all(events: Sequence[tuple[AmazonOrder, str, str, str]]) -> None:
    """Put (order, type, message, actor) on the timelines of orders, and make the last
    of each its note, in one query."""
    if not events:
        return
    orders, types, messages, actors = zip(*events, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_ALL,
            {
                "order_ids": [order.pk for order in orders],
                "types": list(types),
                "messages": list(messages),
                "actors": list(actors),
                "created_at": clock.now(),
            },
        )
    for order, message in zip(orders, messages, strict=True):
        order.note = message


def add_many(events: Iterable[tuple[AmazonOrder, str, str]], actor: str = "") -> None:
    """One query for many (order, type, message). The caller writes the notes."""
    OrderEvent.objects.bulk_create(
        [
            OrderEvent(order=order, type=type, message=message, actor=actor)
            for order, type, message in events
        ]
    )
