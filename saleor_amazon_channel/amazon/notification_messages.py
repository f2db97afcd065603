"""What Amazon's notifications say, out of the messages of a queue.

They come at least once and in no order (selling-partner-api-models issue 2616: up to
ten times), so each is a hint: what it is about is read from Amazon then. Only what that
takes is kept; the rest holds a part of the buyer's address.

Sources: the schemas ``OrderChangeNotification`` (keys in Pascal case) and
``FeedProcessingFinishedNotification`` (in camel case).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from . import reading as read
from .errors import MalformedNotification
from .notifications import NotificationType
from .orders import FulfillmentStatus
from .reading import Problem, Wire

#: The order statuses of Orders API v0, in which notifications are written still. It has
#: one that the API of 2026 does not know, InvoiceUnconfirmed.
_STATUSES: Mapping[str, str] = {
    "PendingAvailability": FulfillmentStatus.PENDING_AVAILABILITY,
    "Pending": FulfillmentStatus.PENDING,
    "Unshipped": FulfillmentStatus.UNSHIPPED,
    "PartiallyShipped": FulfillmentStatus.PARTIALLY_SHIPPED,
    "Shipped": FulfillmentStatus.SHIPPED,
    "Canceled": FulfillmentStatus.CANCELLED,
    "Unfulfillable": FulfillmentStatus.UNFULFILLABLE,
}

#: Ids go into the database and into requests as they are.
_ID = re.compile(r"[!-~]{1,100}")
_ORDER_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}")


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order changed: its status, or the buyer asks for something."""

    notification_id: str
    seller_id: str
    amazon_order_id: str
    marketplace_id: str
    #: As Orders API v2026-01-01 spells it; empty for one that it does not know.
    status: str
    #: None where Amazon does not tell.
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FeedProcessingFinished:
    """A feed has come to its end, whichever."""

    notification_id: str
    #: Empty where Amazon does not tell; a feed's id is unique only together with it.
    seller_id: str
    feed_id: str


@dataclass(frozen=True, slots=True)
class OtherNotification:
    """Of a type that nobody here subscribed to."""

    notification_id: str


Notification = OrderChange | FeedProcessingFinished | OtherNotification


def parse(body: str) -> Notification:
    """Read a message. Raises ``MalformedNotification``, and nothing else."""
    try:
        wire = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedNotification("it is not JSON") from None
    try:
        return _notification(read.obj(wire))
    except Problem as problem:
        raise MalformedNotification(f"{problem.path} {problem.text}".strip()) from None


def _notification(wire: Wire) -> Notification:
    if "NotificationType" in wire:
        type_ = read.required_text(wire, "NotificationType")
        id_ = read.required_below(
            wire, "NotificationMetadata", lambda below: _id(below, "NotificationId")
        )
    else:
        type_ = read.required_text(wire, "notificationType")
        id_ = read.required_below(
            wire, "notificationMetadata", lambda below: _id(below, "notificationId")
        )
    if type_ == NotificationType.ORDER_CHANGE:
        return read.required_below(
            wire,
            "Payload",
            lambda payload: read.required_below(
                payload,
                "OrderChangeNotification",
                lambda change: _order_change(id_, change),
            ),
        )
    if type_ == NotificationType.FEED_PROCESSING_FINISHED:
        return read.required_below(
            wire,
            "payload",
            lambda payload: read.required_below(
                payload,
                "feedProcessingFinishedNotification",
                lambda feed: FeedProcessingFinished(
                    id_, read.text(feed, "sellerId"), _id(feed, "feedId")
                ),
            ),
        )
    return OtherNotification(id_)


def _order_change(notification_id: str, wire: Wire) -> OrderChange:
    order_id = read.required_text(wire, "AmazonOrderId")
    if not _ORDER_ID.fullmatch(order_id):
        raise Problem("AmazonOrderId", "is not an order id")
    summary = read.required_below(wire, "Summary", lambda below: below)
    try:
        marketplace_id = read.required_text(summary, "MarketplaceId")
        status = read.required_text(summary, "OrderStatus")
    except Problem as problem:
        raise problem.below("Summary") from None
    return OrderChange(
        notification_id,
        read.required_text(wire, "SellerId"),
        order_id,
        marketplace_id,
        _STATUSES.get(status, ""),
        read.below(
            wire,
            "OrderChangeTrigger",
            lambda below: read.optional_time(below, "TimeOfOrderChange"),
        ),
    )


def _id(wire: Wire, key: str) -> str:
    value = read.required_text(wire, key)
    if not _ID.fullmatch(value):
        raise Problem(key, "is not an id")
    return value
