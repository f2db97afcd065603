"""What staff did in the shop, turned into intents for Amazon, or refused.

Called by the shop's capture inside the transaction of the staff action, and by the
sweep for what capture missed; the same action told twice changes nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from . import clock, failures, lock_objects, outbox, store
from .amazon import order_feeds
from .amazon.marketplaces import MARKETPLACES
from .amazon.order_feeds import CancelReason
from .ledger import timeline
from .lock_objects import ShopOrder
from .models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonPackage,
    ChannelSettings,
    Marketplace,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from .store.contract import CancelledShipment, Shipment, ShippedLine

logger = logging.getLogger(__name__)

AMAZON_FULFILLED = "AMAZON"
CANCELLED = "CANCELLED"
UNSHIPPED = "UNSHIPPED"

#: Seller Central numbers packages from 1, and a confirmation with the id of a package
#: replaces it. Ours begin where its never reach, so that a package which was shipped
#: there, and which we may not have heard of yet, is never overwritten.
FIRST_PACKAGE_REFERENCE_ID = 1001

#: Amazon's limit for CarrierName (order fulfillment feed).
MAX_CARRIER_NAME_LENGTH = 50

#: The type of the event of a package whose fulfillment is cancelled too late.
CANCELLED_TOO_LATE = "shipment_cancelled_too_late"

STREAM = "staff_actions"
#: Rows of the shop become visible when their transaction commits, not when they were
#: written: look back this far behind the last sweep.
SWEEP_OVERLAP = timedelta(minutes=15)
#: What the shop does not date (a carrier given later), and what Amazon confirmed only
#: after it was cancelled here, is found by looking back further, now and then.
LONG_SWEEP_OVERLAP = timedelta(days=2)
LONG_SWEEP_INTERVAL = timedelta(hours=1)


class Refused(Exception):
    """Amazon cannot do what staff asked for; the message says why and what to do."""


def record_shipments(shipments: Sequence[Shipment]) -> int:
    """Write an intent for each new or changed package; answer how many were written.

    Shipments of orders that are not Amazon's are passed over. Must be called inside a
    transaction: the one of the staff action.
    Raises Refused for an order that Amazon fulfils, and for news of a package of one
    that was cancelled on Amazon.
    """
    by_order: dict[str, list[Shipment]] = defaultdict(list)
    for shipment in shipments:
        by_order[shipment.order_id].append(shipment)
    written = 0
    for locked in lock_objects.orders_by_shop_id(by_order):
        order = locked.order
        if order.fulfilled_by == AMAZON_FULFILLED:
            raise Refused(
                f"Amazon fulfils order {order.amazon_order_id} itself; "
                "it cannot be shipped from here."
            )
        for shipment in by_order[order.shop_order_id or ""]:
            written += _record_package(locked, shipment)
    return written


def check_cancellation(shop_order_id: str) -> None:
    """Raise Refused for an Amazon order that is not cancelled on Amazon.

    Amazon first, always: cancelled only in the shop it would still be expected, shipped
    late, and its stock sold twice. The way round works by itself (``importing.news``).
    Orders of a disconnected account are the shop's alone.
    """
    for refusal in cancellation_refusals([shop_order_id]).values():
        raise refusal


def cancellation_refusals(shop_order_ids: Sequence[str]) -> dict[str, Refused]:
    """Which of these may not be cancelled in the shop, by its id, and why: see
    ``check_cancellation``."""
    orders = list(
        AmazonOrder.objects.filter(shop_order_id__in=shop_order_ids)
        .exclude(fulfillment_status=CANCELLED)
        .exclude(account__state=SellerAccount.State.DISCONNECTED)
        .only("amazon_order_id", "marketplace_id", "shop_order_id")
    )
    if not orders or not ChannelSettings.load().active:
        return {}
    return {
        order.shop_order_id or "": Refused(_amazon_first(order)) for order in orders
    }


def _amazon_first(order: AmazonOrder) -> str:
    info = MARKETPLACES.get(order.marketplace_id)
    address = f": {info.order_url(order.amazon_order_id)}" if info else "."
    return (
        f"Order {order.amazon_order_id} must be cancelled on Amazon first; it is then "
        "cancelled here by itself. Cancel it with amazonOrderCancel, or in Seller "
        f"Central{address}"
    )


def request_cancellation(
    amazon_order_id: str, reason: CancelReason, actor: str = ""
) -> OutboxEntry:
    """Write the intent to cancel an order on Amazon; an open one is answered as it is.

    Amazon cancels whole orders only, merchant-fulfilled and with nothing shipped
    ("Order Feed Type Values"); the shop's order follows when Amazon has done it.
    Raises Refused with what to do instead.
    """
    with transaction.atomic():
        order = lock_objects.orders_by_id([amazon_order_id])[0]
        cancels = list(
            order.outbox_entries.filter(kind=OutboxEntry.Kind.CANCEL).order_by("pk")
        )
        if cancels and _is_under_way(cancels[-1], order):
            return cancels[-1]
        items = list(order.items.order_by("pk"))
        _check_cancellable(order, items, reason)
        outbox.enqueue(
            order,
            OutboxEntry.Kind.CANCEL,
            subject="order",
            revision=len(cancels) + 1,
            payload={
                "reason": reason.value,
                "order_item_ids": [item.order_item_id for item in items],
            },
            actor=actor,
            wait=outbox.COMPANY_WAIT,
        )
        timeline.add(
            order,
            "cancellation_requested",
            "Amazon is to be told to cancel the order.",
            actor=actor,
        )
        return order.outbox_entries.filter(kind=OutboxEntry.Kind.CANCEL).latest("pk")


def _is_under_way(cancel: OutboxEntry, order: AmazonOrder) -> bool:
    """It is to be sent, or was, and the ledger has not heard how it ended."""
    if cancel.settled_at is None:
        return True
    heard_of_by = cancel.settled_at + lock_objects.CANCELLATION_SETTLES_WITHIN
    return (
        cancel.state == OutboxEntry.State.SUCCEEDED
        and order.fulfillment_status == UNSHIPPED
        and clock.now() < heard_of_by
    )


def _check_cancellable(
    order: AmazonOrder, items: Sequence[AmazonOrderItem], reason: CancelReason
) -> None:
    def refuse(why: str) -> Refused:
        return Refused(f"Order {order.amazon_order_id} {why}")

    if order.account.state == SellerAccount.State.DISCONNECTED:
        raise refuse(
            f"is of the seller account {order.account.name}, which is disconnected. "
            "Cancel it in Seller Central."
        )
    if order.shop_order_id is None and _is_import_off(order):
        info = MARKETPLACES.get(order.marketplace_id)
        address = f": {info.order_url(order.amazon_order_id)}" if info else "."
        raise refuse(
            "is of a marketplace whose orders are not imported; work it in Seller "
            f"Central{address}"
        )
    if order.fulfilled_by == AMAZON_FULFILLED:
        raise refuse("is fulfilled by Amazon; only the buyer or Amazon can cancel it.")
    if order.fulfillment_status == CANCELLED:
        raise refuse("is cancelled on Amazon already.")
    if order.fulfillment_status != UNSHIPPED or any(i.quantity_shipped for i in items):
        status = order.fulfillment_status.lower().replace("_", " ") or "without status"
        raise refuse(
            f"is {status} on Amazon; only a wholly unshipped one can be cancelled. "
            "What was shipped can be refunded."
        )
    packages = list(order.packages.all())
    cancelled = _cancelled(package.fulfillment_id for package in packages)
    if any(
        package.confirmed_revision or package.fulfillment_id not in cancelled
        for package in packages
    ):
        raise refuse(
            "has a package that is being confirmed to Amazon. Cancel its fulfillment "
            "first, or refund the order."
        )
    if not all(order_feeds.is_order_item_code(item.order_item_id) for item in items):
        raise refuse(
            "has an order item id that Amazon's feed does not take. Cancel it in "
            "Seller Central."
        )
    if reason == CancelReason.BUYER_CANCELED and not _buyer_asked(order):
        raise refuse(
            "cannot be cancelled as the buyer's wish: the buyer has not asked Amazon "
            "for it. Choose another reason."
        )


def _is_import_off(order: AmazonOrder) -> bool:
    return Marketplace.objects.filter(
        account_id=order.account_id,
        marketplace_id=order.marketplace_id,
        import_orders=False,
    ).exists()


def _buyer_asked(order: AmazonOrder) -> bool:
    return any(
        (item.get("cancellation") or {}).get("cancellationRequest") is not None
        for item in order.payload.get("orderItems", ())
    )


def _record_package(locked: ShopOrder, shipment: Shipment) -> int:
    order, package = locked.order, locked.packages.get(shipment.fulfillment_id)
    tracking = _tracking(shipment)
    if package is not None and tracking == _tracking_of(package):
        return 0
    # What has left in it stays what has left: the shop takes out what is returned.
    items = package.items if package else _package_items(locked, shipment)
    if not items:
        return 0
    if order.fulfillment_status == CANCELLED:
        raise Refused(
            f"Order {order.amazon_order_id} was cancelled on Amazon; "
            "it must not be shipped any more."
        )
    if package is None and locked.is_being_cancelled:
        raise Refused(
            f"Order {order.amazon_order_id} is being cancelled on Amazon; it must not "
            "be shipped."
        )
    package = package or _cancelled_package(locked, shipment, items)
    if package is None:
        package = AmazonPackage(
            order=order,
            fulfillment_id=shipment.fulfillment_id,
            package_reference_id=_next_reference_id(locked),
            ship_date=shipment.shipped_at,
            items=items,
            **tracking,
        )
        package.save()
    else:
        for name, value in tracking.items():
            setattr(package, name, value)
        package.fulfillment_id = shipment.fulfillment_id
        package.revision += 1
        package.save(
            update_fields=[
                *tracking,
                "items",
                "fulfillment_id",
                "ship_date",
                "revision",
            ]
        )
    locked.packages[shipment.fulfillment_id] = package
    reference = package.package_reference_id
    if not any(item["quantity"] for item in items):
        timeline.add(
            order,
            "shipment_recorded",
            f"Package {reference} holds no whole unit of what Amazon sells as a pack: "
            "it is confirmed to Amazon with the package that completes the pack.",
            actor=shipment.actor,
        )
        return 1
    outbox.enqueue(
        order,
        OutboxEntry.Kind.CONFIRM_SHIPMENT,
        subject=str(reference),
        revision=package.revision,
        payload={"package_reference_id": reference, "revision": package.revision},
        actor=shipment.actor,
    )
    timeline.add(
        order,
        "shipment_recorded",
        f"Package {reference} is to be confirmed to Amazon"
        + (
            f", tracking {package.tracking_number}."
            if package.tracking_number
            else ", without a tracking number."
        ),
        actor=shipment.actor,
    )
    return 1


def _package_items(locked: ShopOrder, shipment: Shipment) -> list[dict[str, Any]]:
    return [
        _package_item(locked, shipment, line)
        for line in shipment.lines
        # A line that staff added in the shop is not Amazon's.
        if line.line_id in locked.items
    ]


def _package_item(
    locked: ShopOrder, shipment: Shipment, line: ShippedLine
) -> dict[str, Any]:
    """What a line of the package is to Amazon.

    Where Amazon sells the shop's units in packs, a package counts the packs that it
    completes, together with what was in others before it and has not come back.
    """
    order_item_id, units = locked.items[line.line_id]
    item: dict[str, Any] = {
        "order_item_id": order_item_id,
        "quantity": line.quantity,
    }
    if units == 1:
        return item
    before = locked.packages.keys() - {shipment.fulfillment_id}
    others = [
        other
        for fulfillment_id in before - _cancelled(before)
        for other in locked.packages[fulfillment_id].items
        if other["order_item_id"] == order_item_id
    ]
    shipped = line.quantity + sum(other["shop_quantity"] for other in others)
    packs = shipped // units - sum(other["quantity"] for other in others)
    return {**item, "quantity": max(packs, 0), "shop_quantity": line.quantity}


def _cancelled_package(
    locked: ShopOrder, shipment: Shipment, items: list[dict[str, Any]]
) -> AmazonPackage | None:
    """The package that staff cancelled after Amazon had confirmed it, and now ship
    again, with the same units if there is such a one: to Amazon it is the same package,
    since its units cannot be shipped twice."""
    ids = {item["order_item_id"] for item in items}
    alike = [
        package
        for package in locked.packages.values()
        if package.confirmed_revision
        and ids & {item["order_item_id"] for item in package.items}
    ]
    cancelled = _cancelled(package.fulfillment_id for package in alike)
    alike = [package for package in alike if package.fulfillment_id in cancelled]
    if not alike:
        return None
    package = min(alike, key=lambda p: (p.items != items, p.package_reference_id))
    package.items = items
    del locked.packages[package.fulfillment_id]
    package.ship_date = shipment.shipped_at
    return package


def _cancelled(fulfillment_ids: Iterable[str]) -> set[str]:
    ids = sorted(fulfillment_ids)
    return set(store.current().cancelled_fulfillments(ids)) if ids else set()


def _tracking(shipment: Shipment) -> dict[str, str]:
    """What staff wrote of how it goes, as far as Amazon takes it: what is copied often
    has spaces or a line break around it."""
    carrier = " ".join(shipment.carrier.split())
    return {
        "tracking_number": " ".join(shipment.tracking_number.split()),
        "carrier_name": carrier[:MAX_CARRIER_NAME_LENGTH].strip(),
    }


def _tracking_of(package: AmazonPackage) -> dict[str, str]:
    return {
        "tracking_number": package.tracking_number,
        "carrier_name": package.carrier_name,
    }


def _next_reference_id(locked: ShopOrder) -> int:
    ours = [package.package_reference_id for package in locked.packages.values()]
    on_amazon = [
        int(reference)
        for package in locked.packages_on_amazon
        if (reference := str(package.get("packageReferenceId", ""))).isdecimal()
        # Amazon sets no bound; ours stay clear of what a column holds.
        and len(reference) < 10
    ]
    return max([FIRST_PACKAGE_REFERENCE_ID - 1, *ours, *on_amazon]) + 1


def sweep() -> int:
    """Find the staff actions that capture missed; answer how many intents it wrote.

    The guarantee behind capture: what a crash between the shop's commits, a failing
    receiver or a switched-off channel swallowed is found here. Nothing while the
    channel is off. What cannot be recorded is tried again at the next sweep.
    """
    if not ChannelSettings.load().active:
        return 0
    cursor, _ = SyncCursor.objects.get_or_create(account=None, stream=STREAM)
    started_at = clock.now()
    since = cursor.watermark or _first_import()
    if since is None:
        return 0
    is_long = cursor.next_run_at is None or cursor.next_run_at <= started_at
    since -= LONG_SWEEP_OVERLAP if is_long else SWEEP_OVERLAP
    written, is_complete = 0, True
    for shipment in _unrecorded(store.current().shipments_changed_since(since)):
        try:
            with transaction.atomic():
                # Read again under the lock: staff may have changed it meanwhile.
                lock_objects.orders_by_shop_id([shipment.order_id])
                current = store.current().shipments([shipment.fulfillment_id])
                written += record_shipments(current)
        except Refused as refusal:
            logger.warning("a shipment cannot be confirmed: %s", refusal)
        except Exception as error:  # noqa: BLE001  it must not keep the others back
            is_complete = False
            what = f"fulfillment {shipment.fulfillment_id}: recording its shipment"
            failures.log(logger, what, error)
    try:
        _tell_of_cancelled(store.current().shipments_cancelled_since(since))
    except Exception as error:  # noqa: BLE001  as above
        is_complete = False
        failures.log(logger, "telling of cancelled fulfillments", error)
    if is_complete:
        done: dict[str, Any] = {"watermark": started_at, "last_run_at": started_at}
        if is_long:
            done["next_run_at"] = started_at + LONG_SWEEP_INTERVAL
        SyncCursor.objects.filter(pk=cursor.pk).update(**done)
    return written


def _tell_of_cancelled(cancelled: Sequence[CancelledShipment]) -> None:
    """Amazon cannot take back that a package is shipped: staff who cancelled its
    fulfillment are told so, once for each package."""
    confirmed = {
        package.fulfillment_id: package
        for package in AmazonPackage.objects.filter(
            fulfillment_id__in=[each.fulfillment_id for each in cancelled],
            order__shop_order_id__in=[each.order_id for each in cancelled],
            confirmed_revision__gt=0,
        ).select_related("order")
    }
    for shipment in cancelled:
        package = confirmed.get(shipment.fulfillment_id)
        if package is None or package.order.shop_order_id != shipment.order_id:
            continue
        message = (
            f"The fulfillment of package {package.package_reference_id} was cancelled "
            "here, but Amazon has it as shipped and cannot take that back. If it goes "
            "out after all, fulfil the same units again: Amazon then gets the new "
            "tracking number. If it does not, refund them."
        )
        with transaction.atomic():
            store.current().order_state(shipment.order_id)
            [order] = lock_objects.orders_by_id([package.order.amazon_order_id])
            if order.events.filter(type=CANCELLED_TOO_LATE, message=message).exists():
                continue
            store.current().add_note(shipment.order_id, message)
            timeline.add(order, CANCELLED_TOO_LATE, message, shipment.actor)


def _unrecorded(shipments: Sequence[Shipment]) -> list[Shipment]:
    """Those whose package is missing here or looks different; nearly always none."""
    packages = AmazonPackage.objects.filter(
        order__shop_order_id__in={shipment.order_id for shipment in shipments}
    ).select_related("order")
    recorded = {
        (package.order.shop_order_id, package.fulfillment_id): _tracking_of(package)
        for package in packages.only(
            "fulfillment_id", "tracking_number", "carrier_name", "order__shop_order_id"
        )
    }
    return [
        shipment
        for shipment in shipments
        if recorded.get((shipment.order_id, shipment.fulfillment_id))
        != _tracking(shipment)
    ]


def _first_import() -> datetime | None:
    return AmazonOrder.objects.aggregate(first=Min("imported_at"))["first"]
