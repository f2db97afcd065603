"""Things that happen on Amazon's side: to be caused from tests and the control API.

Each takes the state and an order id, changes the order as Amazon would, moves its
``lastUpdatedTime`` and gives the whole order back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import clock
from .errors import EventError, UnknownName
from .packages import Json, find_package, put_package, settle_status, unshipped_units
from .proceeds import add_up, clear_proceeds
from .state import State
from .times import format_time
from .wire import FULFILLMENT_STATUSES


def _items(order: Json, order_item_ids: Iterable[str] | None) -> list[Json]:
    """The named items, or all of them."""
    items = {item["orderItemId"]: item for item in order["orderItems"]}
    if order_item_ids is None:
        return list(items.values())
    for order_item_id in order_item_ids:
        if order_item_id not in items:
            raise UnknownName(f"no order item {order_item_id!r} in {order['orderId']}")
    return [items[order_item_id] for order_item_id in order_item_ids]


def _status(order: Mapping[str, Any]) -> str:
    return str(order["fulfillment"]["fulfillmentStatus"])


def cancel(
    state: State,
    order_id: str,
    *,
    cancelled_by: str = "BUYER",
    reason: str = "Order created by mistake",
    order_item_ids: Iterable[str] | None = None,
) -> Json:
    """Cancel the order, or some of its items whole; nothing may be shipped yet.

    What becomes of the money of a cancelled item is not documented. Here a cancelled
    order keeps its amounts; where only some items are cancelled, their amounts become
    zero and the order's total is that of the others.
    """

    def change(order: Json) -> None:
        if _status(order) not in ("PENDING_AVAILABILITY", "PENDING", "UNSHIPPED"):
            raise EventError(f"{order_id} is {_status(order)}: it cannot be cancelled")
        for item in _items(order, order_item_ids):
            item.setdefault("cancellation", {})["cancellationExecution"] = {
                "cancelledBy": cancelled_by,
                "cancelReason": reason,
            }
            fulfillment = item.setdefault("fulfillment", {})
            fulfillment["quantityUnfulfilled"] = 0
            fulfillment.setdefault("quantityFulfilled", 0)
        if not unshipped_units(order).total():
            order["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
        else:
            cancelled = _items(order, order_item_ids)
            for item in cancelled:
                clear_proceeds(item)
            add_up(order)

    return state.change_order(order_id, change)


def request_cancellation(
    state: State,
    order_id: str,
    *,
    reason: str = "Changed mind about purchase",
    order_item_ids: Iterable[str] | None = None,
) -> Json:
    """The buyer asks the seller to cancel."""

    def change(order: Json) -> None:
        if _status(order) != "UNSHIPPED":
            raise EventError(f"{order_id} is {_status(order)}, not UNSHIPPED")
        for item in _items(order, order_item_ids):
            item.setdefault("cancellation", {})["cancellationRequest"] = {
                "requester": "BUYER",
                "cancelReason": reason,
            }

    return state.change_order(order_id, change)


def ship(
    state: State,
    order_id: str,
    *,
    quantities: Mapping[str, int] | None = None,
    package_reference_id: str | None = None,
    carrier: str = "UPS",
    tracking_number: str = "1Z999AA10123456784",
) -> Json:
    """Ship in Seller Central (or Amazon ships): one package, by default with the rest.

    ``quantities`` maps order item ids to units.
    """

    def change(order: Json) -> None:
        if _status(order) not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
            raise EventError(f"{order_id} is {_status(order)}: it cannot be shipped")
        remaining = unshipped_units(order)
        _items(order, quantities)
        chosen = {k: v for k, v in (quantities or remaining).items() if v}
        for order_item_id, quantity in chosen.items():
            if not 0 < quantity <= remaining[order_item_id]:
                raise EventError(
                    f"{order_id}: {quantity} of {order_item_id} cannot be shipped, "
                    f"{remaining[order_item_id]} are left"
                )
        # Amazon numbers packages it is told of in Seller Central by itself.
        reference = package_reference_id or str(
            7_000_000_000_001 + len(order.get("packages", ()))
        )
        if find_package(order, reference):
            raise EventError(f"{order_id} has package {reference} already")
        now = format_time(clock.now())
        put_package(
            order,
            {
                "packageReferenceId": reference,
                "createdTime": now,
                "packageStatus": {"status": "SHIPPED"},
                "carrier": carrier,
                "shipTime": now,
                "trackingNumber": tracking_number,
                "packageItems": [
                    {"orderItemId": order_item_id, "quantity": quantity}
                    for order_item_id, quantity in chosen.items()
                ],
            },
        )

    return state.change_order(order_id, change)


def set_package_status(
    state: State,
    order_id: str,
    *,
    package_reference_id: str,
    status: str = "DELIVERED",
    detailed_status: str | None = None,
) -> Json:
    """The carrier has news of a package."""

    def change(order: Json) -> None:
        for package in order.get("packages", ()):
            if package["packageReferenceId"] == package_reference_id:
                package["packageStatus"] = {"status": status} | (
                    {"detailedStatus": detailed_status} if detailed_status else {}
                )
                return
        raise UnknownName(f"no package {package_reference_id!r} in {order_id}")

    return state.change_order(order_id, change)


def release(state: State, order_id: str) -> Json:
    """The payment is settled: PENDING becomes UNSHIPPED."""

    def change(order: Json) -> None:
        if _status(order) not in ("PENDING", "PENDING_AVAILABILITY"):
            raise EventError(f"{order_id} is {_status(order)}, not PENDING")
        settle_status(order)

    return state.change_order(order_id, change)


def set_status(state: State, order_id: str, *, status: str) -> Json:
    """Set the status as it is, without consequences."""
    if status not in FULFILLMENT_STATUSES:
        raise UnknownName(f"unknown fulfillment status {status!r}")

    def change(order: Json) -> None:
        order["fulfillment"]["fulfillmentStatus"] = status

    return state.change_order(order_id, change)


def change_address(state: State, order_id: str, *, fields: Mapping[str, Any]) -> Json:
    """The buyer corrects the address: ``fields`` replace those of the old one."""

    def change(order: Json) -> None:
        recipient = order.setdefault("recipient", {})
        recipient["deliveryAddress"] = {
            **recipient.get("deliveryAddress", {}),
            **fields,
        }

    return state.change_order(order_id, change)


def touch(state: State, order_id: str) -> Json:
    """Amazon changes something that we do not see: only lastUpdatedTime moves."""
    return state.touch_order(order_id)


def notify(state: State, order_id: str) -> Json:
    """Amazon says once more that the order's status changed; nothing did."""
    with state.lock:
        stored = state.stored_order(order_id)
        state.notifications.tell_of_order(stored.seller_id, stored.current.payload)
        return state.order(order_id)


EVENTS: Mapping[str, Callable[..., Json]] = {
    "cancel": cancel,
    "request_cancellation": request_cancellation,
    "ship": ship,
    "set_package_status": set_package_status,
    "release": release,
    "set_status": set_status,
    "change_address": change_address,
    "touch": touch,
    "notify": notify,
}
