"""Store first, judge second: write what Amazon told us into the ledger.

A payload can come twice, late or out of order: ``lastUpdatedTime`` decides, and an
older or equal one changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from .. import clock, lock_objects
from ..amazon.errors import MalformedOrder
from ..amazon.orders import Order
from ..models import AmazonOrder, AmazonOrderItem, CommunicationLog, SellerAccount
from ..store.contract import Blocker, BlockerCode
from . import payloads, timeline

logger = logging.getLogger(__name__)

State = AmazonOrder.ImportState

#: States from which a new payload sends the order to the importer once more.
_OPEN = (State.WAITING, State.READY, State.BLOCKED, State.IGNORED)

_ORDER_FIELDS = (
    "marketplace_id",
    "fulfillment_status",
    "fulfilled_by",
    "created_time",
    "last_updated_time",
    "ship_by",
    "programs",
    "currency",
    "grand_total",
    "buyer_name",
    "payload",
    "personal",
    "import_state",
    "blockers",
    "note",
)
_ITEM_FIELDS = (
    "seller_sku",
    "asin",
    "title",
    "quantity_ordered",
    "quantity_shipped",
    "proceeds_total",
)


@dataclass(frozen=True)
class Recorded:
    """How many orders of a page were new, changed, or known already."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
        )


def record(
    account: SellerAccount,
    orders: Sequence[tuple[Order, dict[str, Any]]],
    malformed: Sequence[tuple[dict[str, Any], MalformedOrder]] = (),
) -> Recorded:
    """Write orders, each with the payload it was read from, in a few queries in all.

    An order that could not be read is kept too, blocked with what is wrong with it.
    """
    with transaction.atomic():
        return _record(account, orders, malformed)


def _record(
    account: SellerAccount,
    orders: Sequence[tuple[Order, dict[str, Any]]],
    malformed: Sequence[tuple[dict[str, Any], MalformedOrder]],
) -> Recorded:
    # Two pulls of one account (a scan and named orders) must not both insert.
    lock_objects.serialize_recording(account.pk)
    received: dict[str, AmazonOrder] = {}
    items = {}
    # A page can hold an order twice; sorted, the newest is kept.
    for order, raw in sorted(orders, key=lambda pair: pair[0].last_updated_time):
        received[order.order_id] = _row(account, order, raw)
        items[order.order_id] = order.order_items
    for raw, error in malformed:
        if error.order_id:
            received.setdefault(error.order_id, _malformed_row(account, raw, error))
        CommunicationLog.objects.create(
            account=account,
            operation="searchOrders",
            error_code="MalformedOrder",
            message=str(error),
        )

    known = {row.amazon_order_id: row for row in lock_objects.orders_by_id(received)}
    new, changed, events = [], [], []
    for order_id, row in received.items():
        old = known.get(order_id)
        if old is None:
            row.note = "Received from Amazon."
            new.append(row)
            events.append((row, "received", f"Received from Amazon: {_status(row)}."))
        elif old.account_id != account.pk:
            logger.error("order %s belongs to another account", order_id)
        elif row.last_updated_time > old.last_updated_time:
            events.append((old, "updated", _change(old, row)))
            _apply(old, row)
            changed.append(old)

    AmazonOrder.objects.bulk_create(new)
    AmazonOrder.objects.bulk_update(changed, _ORDER_FIELDS, batch_size=100)
    AmazonOrderItem.objects.bulk_create(
        [
            AmazonOrderItem(order=row, **_item_values(item))
            for row in (*new, *changed)
            for item in items.get(row.amazon_order_id, ())
        ],
        update_conflicts=True,
        unique_fields=["order", "order_item_id"],
        update_fields=_ITEM_FIELDS,
    )
    timeline.add_many(events)
    return Recorded(len(new), len(changed), len(received) - len(new) - len(changed))


def _row(account: SellerAccount, order: Order, raw: dict[str, Any]) -> AmazonOrder:
    public, personal = payloads.split(raw)
    total = order.proceeds.grand_total if order.proceeds else None
    window = order.fulfillment.ship_by_window if order.fulfillment else None
    return AmazonOrder(
        account=account,
        amazon_order_id=order.order_id,
        marketplace_id=order.sales_channel.marketplace_id,
        fulfillment_status=order.fulfillment_status,
        fulfilled_by=order.fulfilled_by,
        created_time=order.created_time,
        last_updated_time=order.last_updated_time,
        ship_by=window.latest_date_time if window else None,
        programs=list(order.programs),
        currency=total.currency if total else "",
        grand_total=total.amount if total else None,
        buyer_name=order.buyer.buyer_name if order.buyer else "",
        payload=public,
        personal=personal,
        # The importer decides: it knows the marketplace's settings of that moment.
        import_state=State.READY,
    )


def _malformed_row(
    account: SellerAccount, raw: dict[str, Any], error: MalformedOrder
) -> AmazonOrder:
    public, personal = payloads.split(raw)
    channel = raw.get("salesChannel")
    blocker = Blocker(
        BlockerCode.UNREADABLE,
        f"Amazon's data of this order cannot be read: {error.path} {error.problem}.",
        error.path,
    )
    return AmazonOrder(
        account=account,
        amazon_order_id=error.order_id,
        marketplace_id=_text(channel, "marketplaceId"),
        created_time=_time(raw.get("createdTime")) or clock.now(),
        # So that whatever comes later wins.
        last_updated_time=_time(raw.get("lastUpdatedTime"))
        or datetime(1970, 1, 1, tzinfo=UTC),
        payload=public,
        personal=personal,
        import_state=State.BLOCKED,
        blockers=[blocker_as_json(blocker)],
    )


def _apply(old: AmazonOrder, row: AmazonOrder) -> None:
    note = _change(old, row)
    for name in _ORDER_FIELDS:
        if name not in ("import_state", "blockers", "note"):
            setattr(old, name, getattr(row, name))
    old.note = note
    if old.import_state in _OPEN:
        old.import_state, old.blockers = row.import_state, row.blockers


def _status(row: AmazonOrder) -> str:
    return (row.fulfillment_status or "without status").lower().replace("_", " ")


def _change(old: AmazonOrder, row: AmazonOrder) -> str:
    if old.fulfillment_status == row.fulfillment_status:
        return "Changed on Amazon."
    return f"On Amazon the order is now {_status(row)}; it was {_status(old)}."


def _item_values(item: Any) -> dict[str, Any]:
    total = item.proceeds.proceeds_total if item.proceeds else None
    return {
        "order_item_id": item.order_item_id,
        "seller_sku": item.product.seller_sku,
        "asin": item.product.asin,
        "title": item.product.title,
        "quantity_ordered": item.quantity_ordered,
        "quantity_shipped": (
            item.fulfillment.quantity_fulfilled if item.fulfillment else 0
        ),
        "proceeds_total": total.amount if total else None,
    }


def blocker_as_json(blocker: Blocker) -> dict[str, str]:
    """The form blockers have in ``AmazonOrder.blockers``."""
    return {
        "code": blocker.code.value,
        "message": blocker.message,
        "subject": blocker.subject,
    }


def _text(value: object, key: str) -> str:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, str) else ""


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
