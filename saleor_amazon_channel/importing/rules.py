"""Whether an Amazon order becomes a shop order now, later or never, and why.

Amazon's states (Orders API v2026-01-01, ``fulfillment.fulfillmentStatus`` and
``fulfilledBy``) against ours:

    channel     fulfilledBy   fulfillmentStatus      ours
    ----------  ------------  ---------------------  -------
    NON_AMAZON  any           any                    ignored
    AMAZON      any           CANCELLED              ignored
    AMAZON      any           UNFULFILLABLE          ignored
    AMAZON      any           PENDING_AVAILABILITY   waiting
    AMAZON      any           PENDING                waiting
    AMAZON      AMAZON        UNSHIPPED              waiting
    AMAZON      AMAZON        PARTIALLY_SHIPPED      waiting
    AMAZON      AMAZON        SHIPPED                ready *
    AMAZON      MERCHANT      UNSHIPPED              ready *
    AMAZON      MERCHANT      PARTIALLY_SHIPPED      ready *
    AMAZON      MERCHANT      SHIPPED                ready *
    AMAZON      anything else, or not given          waiting

    * waiting while the marketplace is not mapped or Import Amazon Orders is off, and
      when the order was created before the day from which orders are imported.

Whether the items are in stock is not asked here: an order that is ready and finds no
stock is blocked by the shop.

Units that have been shipped are taken from the shop's stock, unless they are history:
see ``is_shipping_history``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from ..amazon.orders import ChannelName, FulfilledBy, FulfillmentStatus, Order
from .text import one_line

State = Literal["waiting", "ready", "ignored"]

WAITING: Final = "waiting"
READY: Final = "ready"
IGNORED: Final = "ignored"


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a sentence for staff; empty when the order is ready."""

    state: State
    reason: str = ""


_READY = Decision(READY)

_BY_STATUS = {
    FulfillmentStatus.CANCELLED: Decision(
        IGNORED, "The order was cancelled before it was imported."
    ),
    FulfillmentStatus.UNFULFILLABLE: Decision(
        IGNORED, "Amazon cannot fulfil this order."
    ),
    FulfillmentStatus.PENDING_AVAILABILITY: Decision(
        WAITING, "A pre-order: Amazon has not released it yet."
    ),
    FulfillmentStatus.PENDING: Decision(
        WAITING, "Amazon has not authorized the buyer's payment yet."
    ),
}

_SHIPPABLE = frozenset(
    {
        FulfillmentStatus.UNSHIPPED,
        FulfillmentStatus.PARTIALLY_SHIPPED,
        FulfillmentStatus.SHIPPED,
    }
)


def decide(
    order: Order, *, import_orders: bool, import_from: datetime, is_mapped: bool
) -> Decision:
    """What becomes of ``order`` by the table above.

    ``import_orders`` and ``is_mapped`` are its marketplace's, ``import_from`` its
    account's.
    """
    by_amazon = _by_amazon(order)
    if by_amazon is not _READY:
        return by_amazon
    if not order.sales_channel.marketplace_id:
        return Decision(
            WAITING,
            "Amazon does not say in which marketplace the order was placed: it is "
            "imported once Amazon does.",
        )
    if not is_mapped:
        return Decision(
            WAITING,
            "The marketplace has no channel, warehouse or shipping method yet: "
            "choose them in its settings.",
        )
    if not import_orders:
        return Decision(WAITING, "Import Amazon Orders is off for this marketplace.")
    if order.created_time < import_from:
        return Decision(
            WAITING,
            "The order was created before orders are imported from "
            f"({import_from.astimezone(UTC):%Y-%m-%d %H:%M} UTC).",
        )
    return _READY


def is_ripe(order: Order) -> bool:
    """Whether nothing on Amazon's side keeps the order from being imported."""
    return _by_amazon(order) is _READY


def _by_amazon(order: Order) -> Decision:
    if order.sales_channel.channel_name == ChannelName.NON_AMAZON:
        return Decision(IGNORED, "The order was not placed on Amazon.")
    if order.fulfillment is None:
        return Decision(WAITING, "Amazon has not said how the order is fulfilled.")
    status = order.fulfillment_status
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status not in _SHIPPABLE:
        return Decision(
            WAITING, f"Amazon's status {_named(status)} is not known to the channel."
        )
    if order.fulfilled_by == FulfilledBy.MERCHANT:
        return _READY
    if order.fulfilled_by == FulfilledBy.AMAZON:
        if status == FulfillmentStatus.SHIPPED:
            return _READY
        return Decision(WAITING, "Amazon fulfils this order and has not shipped it.")
    return Decision(WAITING, "Amazon has not said who fulfils the order.")


def is_shipping_history(
    order: Order, *, import_from: datetime, connected_at: datetime
) -> bool:
    """Whether what was shipped of ``order`` had left before this was the channel's
    business: the shop's stock is taken to be counted without it.

    So it is for orders older than what is imported by itself, and for those that were
    shipped before the account was connected. Where Amazon does not say when, an order
    placed before is taken for shipped before.
    """
    if order.created_time < import_from:
        return True
    if order.created_time >= connected_at:
        return False
    times = [package.ship_time or package.created_time for package in order.packages]
    return not any(time >= connected_at for time in times if time)


def _named(status: str) -> str:
    return one_line(status)[:40]
