"""Store first, judge second: write what Amazon told us into the ledger.

A payload can come twice, late or out of order: ``lastUpdatedTime`` decides, and an
older one changes nothing. An equal one does while the order is not imported, if it
differs and lacks nothing that is here: Amazon leaves out buyer data while the app lacks
a role, and completes orders without another time. What has been redacted stays
redacted.

What cannot be read, or does not fit our columns, blocks an order that is not imported,
with what is wrong; the rest of what Amazon last said readably stays. It is read again
when the order is to be imported, maybe by another version (``read_again``). An imported
order is only told of it: what staff do with it leans on what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Model, Sum

from .. import clock, lock_objects
from ..amazon.errors import MalformedOrder
from ..amazon.orders import FulfillmentStatus, Order, OrderItem
from ..models import (
    AmazonListing,
    AmazonOrder,
    AmazonOrderItem,
    AmazonRefund,
    CommunicationLog,
    SellerAccount,
)
from ..store.contract import Blocker, BlockerCode
from . import blocking, buyer_search, payloads, retention, sales, timeline

logger = logging.getLogger(__name__)

State = AmazonOrder.ImportState

#: States from which a new payload sends the order to the importer once more.
_OPEN = (State.WAITING, State.READY, State.BLOCKED, State.IGNORED)

_ORDER_FIELDS = (
    "account",
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
    "buyer_search",
    "payload",
    "personal",
    "import_state",
    "blockers",
    "note",
    "follow_at",
    "superseded_recipient",
    "is_cancellation_requested",
    "replacement_of",
    "delivered_by",
)
#: What an order that could not be read has none of, or that of before.
_AS_TOLD = ("fulfillment_status", "fulfilled_by", "currency", "grand_total", "ship_by")
#: What is decided here and not copied from a payload.
_OWN_FIELDS = (
    "import_state",
    "blockers",
    "note",
    "follow_at",
    "superseded_recipient",
)
_ITEM_FIELDS = (
    "seller_sku",
    "asin",
    "title",
    "quantity_ordered",
    "quantity_shipped",
    "proceeds_total",
)


#: Where the values come from whose size our columns limit.
_PATHS = {
    "amazon_order_id": "orderId",
    "marketplace_id": "salesChannel.marketplaceId",
    "fulfillment_status": "fulfillment.fulfillmentStatus",
    "fulfilled_by": "fulfillment.fulfilledBy",
    "programs": "programs",
    "replacement_of": "associatedOrders",
    "currency": "proceeds.grandTotal.currencyCode",
    "grand_total": "proceeds.grandTotal.amount",
}
_ITEM_PATHS = {
    "order_item_id": "orderItemId",
    "seller_sku": "product.sellerSku",
    "asin": "product.asin",
    "quantity_ordered": "quantityOrdered",
    "quantity_shipped": "fulfillment.quantityFulfilled",
    "proceeds_total": "proceeds.proceedsTotal.amount",
}
#: What numeric(20, 3) holds however it is rounded, and PostgreSQL's integer.
_MONEY_LIMIT = Decimal(10) ** 16
_QUANTITY_LIMIT = 2**31


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
    overdue: Collection[str] = (),
) -> Recorded:
    """Write orders, each with the payload it was read from, in a few queries in all.

    An order that could not be read is kept too, blocked with what is wrong with it. Of
    the ``overdue``, Amazon order ids, nothing of the buyer is taken in: it was
    delivered too long ago.
    """
    if not orders and not malformed:
        return Recorded()
    with transaction.atomic():
        return _record(account, orders, malformed, overdue)


def _record(
    account: SellerAccount,
    orders: Sequence[tuple[Order, dict[str, Any]]],
    malformed: Sequence[tuple[dict[str, Any], MalformedOrder]],
    overdue: Collection[str],
) -> Recorded:
    # Two pulls of one account (a scan and named orders) must not both insert.
    lock_objects.serialize_recording(account.pk)
    account.customer_key = account.customer_key or buyer_search.ensure_key(account.pk)
    received: dict[str, AmazonOrder] = {}
    items = {}
    # A page can hold an order twice; sorted, the newest is kept.
    misfits = []
    for order, given in sorted(orders, key=lambda pair: pair[0].last_updated_time):
        raw = payloads.storable(given)
        try:
            readable = order if raw is given else Order.from_wire(raw)
            check_fits(readable)
        except MalformedOrder as misfit:
            misfits.append((raw, misfit))
            continue
        received[readable.order_id] = _row(account, readable, raw)
        items[readable.order_id] = readable.order_items
    unreadable_ids = set()
    for raw, error in (*malformed, *misfits):
        order_id = payloads.storable(error.order_id)
        if (
            order_id
            and order_id not in received
            and _fits(AmazonOrder, "amazon_order_id", order_id)
        ):
            received[order_id] = _unreadable_row(account, order_id, raw, error)
            unreadable_ids.add(order_id)
    _log(account, [error for _, error in (*malformed, *misfits)])

    known = {row.amazon_order_id: row for row in lock_objects.orders_by_id(received)}
    taken_over = _take_over(account, known.values())
    sold_before = {row.pk: sales.of(row) for row in known.values()}
    new, changed, recounted, events = [], [], [], []
    foreign = []
    for order_id, row in received.items():
        old = known.get(order_id)
        if order_id in overdue or (old is not None and old.redacted_at):
            # Amazon goes on telling of the buyer; it stays deleted here.
            _forget_buyer(row)
        if old is None:
            new.append(row)
            events.append((row, "received", f"Received from Amazon: {_status(row)}."))
            if order_id in unreadable_ids:
                row.note = row.blockers[0]["message"]
                events.append((row, "unreadable", row.note))
            else:
                row.note = "Received from Amazon."
                recounted.append(row)
        elif old.account_id != account.pk:
            foreign.append(old)
        elif order_id in unreadable_ids:
            if _apply_unreadable(old, row):
                events.append((old, "unreadable", old.note))
                changed.append(old)
        elif row.last_updated_time > old.last_updated_time:
            if _is_cancelled(row) and not _is_cancelled(old):
                recounted.append(old)
            _apply(old, row, _change(old, row))
            events.append((old, "updated", old.note))
            changed.append(old)
        elif row.last_updated_time == old.last_updated_time and _tells_more(old, row):
            if is_unreadable(old):
                recounted.append(old)
            _apply(
                old,
                row,
                "Amazon now gives the buyer's data too."
                if _has_buyer(row) and not _has_buyer(old)
                else _change(old, row),
            )
            events.append((old, "updated", old.note))
            changed.append(old)

    changed += [row for row in taken_over if row not in changed]
    _log_foreign(account, foreign)
    _write(account, new, changed, items, sold_before, recounted)
    unreadable_now = [
        row for row in (*new, *changed) if row.import_state == State.BLOCKED
    ]
    blocking.replace(
        [
            (row, [Blocker(BlockerCode.UNREADABLE, b["message"], b["subject"])])
            for row in unreadable_now
            for b in row.blockers
        ],
        [row for row in changed if row.import_state == State.READY],
    )
    timeline.add_many(events)
    return Recorded(len(new), len(changed), len(received) - len(new) - len(changed))


def read_again(orders: Sequence[AmazonOrder]) -> list[AmazonOrder]:
    """Take from the payloads of these orders, which the caller has locked, what could
    not be read of them when they came, where it can be by now.

    Gives those that are to be left for the next time: orders of their account are being
    recorded, or its sales counted, at this moment, and whoever does may wait for these.
    """
    left = []
    is_free: dict[int, bool] = {}
    for order in orders:
        if order.account_id not in is_free:
            is_free[order.account_id] = lock_objects.try_recording(order.account_id)
        if not is_free[order.account_id]:
            left.append(order)
            continue
        raw = payloads.join(order.payload, order.personal)
        try:
            readable = Order.from_wire(raw)
            check_fits(readable)
        except MalformedOrder:
            continue
        account = order.account
        account.customer_key = account.customer_key or buyer_search.ensure_key(
            account.pk
        )
        sold_before = {order.pk: sales.of(order)}
        row = _row(account, readable, raw)
        if order.redacted_at:
            _forget_buyer(row)
        _copy(order, row)
        _write(
            account,
            [],
            [order],
            {order.amazon_order_id: readable.order_items},
            sold_before,
            [order],
        )
    return left


def _write(
    account: SellerAccount,
    new: Sequence[AmazonOrder],
    changed: Sequence[AmazonOrder],
    items: Mapping[str, Sequence[OrderItem]],
    sold_before: Mapping[int, sales.Sale | None],
    recounted: Sequence[AmazonOrder],
) -> None:
    """Write the rows of orders, their items, and the sums they count in.

    Of ``recounted`` Amazon has another number left of what they are of than before.
    """
    AmazonOrder.objects.bulk_create(new)
    AmazonOrder.objects.bulk_update(changed, _ORDER_FIELDS, batch_size=100)
    units_before = _units(changed)
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
    units = _units([*new, *changed])
    sales.replace(
        account.pk,
        [(sold_before[row.pk], units_before.get(row.pk, 0)) for row in changed],
        [(sales.of(row), units.get(row.pk, 0)) for row in (*new, *changed)],
    )
    _count_anew(
        account,
        {
            item.product.seller_sku
            for row in recounted
            for item in items.get(row.amazon_order_id, ())
        },
    )
    originals = {row.replacement_of for row in (*new, *recounted) if row.replacement_of}
    if originals:
        AmazonOrder.objects.filter(
            amazon_order_id__in=originals, import_state=State.IMPORTED
        ).update(follow_at=clock.now())


def _take_over(
    account: SellerAccount, orders: Iterable[AmazonOrder]
) -> list[AmazonOrder]:
    """Give the account the orders of one that was disconnected: Amazon shows an order
    to its seller only, who was connected anew under another id."""
    taken = [
        order
        for order in orders
        if order.account_id != account.pk
        and order.account.state == SellerAccount.State.DISCONNECTED
        and order.account.region == account.region
    ]
    units = _units(taken)
    for order in taken:
        before, sale = order.account, [(sales.of(order), units.get(order.pk, 0))]
        sales.replace(before.pk, sale, [])
        sales.replace(account.pk, [], sale)
        known = AmazonRefund.objects.filter(account=account)
        AmazonRefund.objects.filter(
            account=before, amazon_order_id=order.amazon_order_id
        ).exclude(transaction_id__in=known.values("transaction_id")).update(
            account=account
        )
        order.account = account
        order.buyer_search = buyer_search.hashes(account.customer_key, order.buyer_name)
        if order.import_state in _OPEN:
            order.import_state, order.blockers = State.READY, []
    return taken


def _log_foreign(account: SellerAccount, orders: Sequence[AmazonOrder]) -> None:
    since = clock.now() - timedelta(days=1)
    # One of each: what is said is about the account.
    for order in {order.account_id: order for order in reversed(orders)}.values():
        message = (
            f'The order belongs to the account "{order.account}", which is connected '
            "too, so this account leaves it alone. One seller is to be connected once "
            "in a region: disconnect one of the two."
        )
        logger.error("order %s belongs to another account", order.amazon_order_id)
        logged = CommunicationLog.objects.filter(
            created_at__gt=since, account=account, message=message
        )
        # Once a day: it is no other for the next order.
        if not logged.exists():
            CommunicationLog.objects.create(
                account=account,
                operation="searchOrders",
                error_code="OtherAccount",
                message=message,
                amazon_order_id=order.amazon_order_id,
            )


def _log(account: SellerAccount, found: Sequence[MalformedOrder]) -> None:
    """What is read again is in the log already."""
    since = clock.now() - timedelta(days=1)
    rows = [
        CommunicationLog(
            account=account,
            operation="searchOrders",
            error_code="MalformedOrder",
            message=payloads.storable(str(error)),
            amazon_order_id=payloads.storable(error.order_id)[:32],
        )
        for error in found
    ]
    known = rows and set(
        CommunicationLog.objects.filter(
            created_at__gt=since, account=account, error_code="MalformedOrder"
        ).values_list("amazon_order_id", "message")
    )
    CommunicationLog.objects.bulk_create(
        row for row in rows if (row.amazon_order_id, row.message) not in known
    )


def _units(rows: Sequence[AmazonOrder]) -> dict[int, int]:
    """Units ordered, by the rows' keys."""
    items = AmazonOrderItem.objects.filter(order__in=rows)
    return dict(items.values_list("order").annotate(Sum("quantity_ordered")))


def _count_anew(account: SellerAccount, skus: Collection[str]) -> None:
    """Amazon has another number of these than it was told: orders took some, or gave
    some back."""
    if skus:
        rows = lock_objects.listings(account.pk, skus, marketplace_ids=None)
        AmazonListing.objects.filter(pk__in=[row.pk for row in rows]).update(
            is_stale=True
        )


def _is_cancelled(row: AmazonOrder) -> bool:
    return row.fulfillment_status == FulfillmentStatus.CANCELLED


def check_fits(order: Order) -> None:
    """Raise MalformedOrder if a value of the order does not fit its column here."""

    def check(model: type[Model], name: str, value: object, path: str) -> None:
        if not _fits(model, name, value):
            limit = _max_length(model, name)
            problem = f"is longer than {limit} characters" if limit else "is too large"
            raise MalformedOrder(order.order_id, path, problem)

    values = _order_values(order)
    for name, path in _PATHS.items():
        check(AmazonOrder, name, values[name], path)
    for index, item in enumerate(order.order_items):
        values = _item_values(item)
        for name, path in _ITEM_PATHS.items():
            check(AmazonOrderItem, name, values[name], f"orderItems[{index}].{path}")


def _fits(model: type[Model], name: str, value: object) -> bool:
    if isinstance(value, str):
        limit = _max_length(model, name)
        return limit is None or len(value) <= limit
    if isinstance(value, list):
        return all(_fits(model, name, each) for each in value)
    if isinstance(value, Decimal):
        return abs(value) < _MONEY_LIMIT
    if isinstance(value, int):
        return value < _QUANTITY_LIMIT
    return True


def _max_length(model: type[Model], name: str) -> int | None:
    field = model._meta.get_field(name)
    column = getattr(field, "base_field", field)  # of an array: its elements'
    return getattr(column, "max_length", None)


def _order_values(order: Order) -> dict[str, Any]:
    total = order.proceeds.grand_total if order.proceeds else None
    window = order.fulfillment.ship_by_window if order.fulfillment else None
    return {
        "amazon_order_id": order.order_id,
        "marketplace_id": order.sales_channel.marketplace_id,
        "fulfillment_status": order.fulfillment_status,
        "fulfilled_by": order.fulfilled_by,
        "created_time": order.created_time,
        "last_updated_time": order.last_updated_time,
        "ship_by": window.latest_date_time if window else None,
        "programs": list(order.programs),
        "currency": total.currency if total else "",
        "grand_total": total.amount if total else None,
        "buyer_name": order.buyer.buyer_name if order.buyer else "",
        "is_cancellation_requested": _is_cancellation_requested(order),
        "delivered_by": retention.delivered_by(order),
        "replacement_of": next(
            (each.order_id for each in order.associated_orders if each.order_id), ""
        ),
    }


def _is_cancellation_requested(order: Order) -> bool:
    """The buyer asked for it, and it is still the seller's to answer."""
    return order.fulfillment_status == FulfillmentStatus.UNSHIPPED and any(
        item.cancellation_request and not item.cancellation_execution
        for item in order.order_items
    )


def _row(account: SellerAccount, order: Order, raw: dict[str, Any]) -> AmazonOrder:
    public, personal = payloads.split(raw)
    values = _order_values(order)
    return AmazonOrder(
        account=account,
        **values,
        buyer_search=buyer_search.hashes(account.customer_key, values["buyer_name"]),
        payload=public,
        personal=personal,
        # The importer decides: it knows the marketplace's settings of that moment.
        import_state=State.READY,
    )


def unsaved(
    account: SellerAccount, order: Order, raw: dict[str, Any], *, is_overdue: bool
) -> AmazonOrder:
    """The ledger's row, as ``record`` has it, of an order that is only looked at."""
    row = _row(account, order, raw)
    if is_overdue:
        _forget_buyer(row)
    return row


def _forget_buyer(row: AmazonOrder) -> None:
    row.personal, row.buyer_name, row.buyer_search = {}, "", []
    row.redacted_at = clock.now()


def unreadable(error: MalformedOrder) -> Blocker:
    return Blocker(
        BlockerCode.UNREADABLE,
        f"Amazon's data of this order cannot be read: {error.path} {error.problem}.",
        error.path,
    )


def _unreadable_row(
    account: SellerAccount, order_id: str, raw: dict[str, Any], error: MalformedOrder
) -> AmazonOrder:
    raw = payloads.storable(raw)
    public, personal = payloads.split(raw)
    marketplace_id = _text(raw.get("salesChannel"), "marketplaceId")
    if not _fits(AmazonOrder, "marketplace_id", marketplace_id):
        marketplace_id = ""
    return AmazonOrder(
        account=account,
        amazon_order_id=order_id,
        marketplace_id=marketplace_id,
        created_time=_time(raw.get("createdTime")) or clock.now(),
        # So that whatever comes later wins.
        last_updated_time=_time(raw.get("lastUpdatedTime"))
        or datetime(1970, 1, 1, tzinfo=UTC),
        payload=public,
        personal=personal,
        import_state=State.BLOCKED,
        blockers=[blocker_as_json(unreadable(error))],
    )


def _tells_more(old: AmazonOrder, row: AmazonOrder) -> bool:
    """Whether what Amazon says of the same moment is to replace what is here."""
    if old.import_state not in _OPEN:
        return False
    before = payloads.join(old.payload, old.personal)
    after = payloads.join(row.payload, row.personal)
    if before == after:
        # It could not be read when it came, and now it can.
        return any(getattr(old, name) != getattr(row, name) for name in _AS_TOLD)
    return is_unreadable(old) or not _lacks(after, before)


def _lacks(after: Any, before: Any) -> bool:
    """Whether ``before`` has something where ``after`` has nothing."""
    if isinstance(before, dict):
        return not isinstance(after, dict) or any(
            _lacks(after.get(name), value) for name, value in before.items() if value
        )
    if isinstance(before, list):
        return not isinstance(after, list) or any(map(_lacks, after, before))
    return after is None and before is not None


def _has_buyer(row: AmazonOrder) -> bool:
    return bool(row.personal.get("buyer") or row.personal.get("recipient"))


def is_unreadable(row: AmazonOrder) -> bool:
    """Whether the order's data could not be read when it last came or was judged."""
    return any(each["code"] == BlockerCode.UNREADABLE.value for each in row.blockers)


def _apply_unreadable(old: AmazonOrder, row: AmazonOrder) -> bool:
    """Whether that changed anything."""
    if row.last_updated_time <= old.last_updated_time:
        return False
    note = row.blockers[0]["message"]
    if old.import_state in _OPEN:
        for name in ("payload", "personal", "last_updated_time"):
            setattr(old, name, getattr(row, name))
        old.import_state, old.blockers = row.import_state, row.blockers
    else:
        note += f" It is of {row.last_updated_time:%Y-%m-%d %H:%M:%S} UTC."
        if old.events.filter(type="unreadable", message=note).exists():
            return False  # Told already: scans overlap.
        # So that staff read it where they work.
        old.follow_at = clock.now()
    old.note = note
    return True


def _apply(old: AmazonOrder, row: AmazonOrder, note: str) -> None:
    if old.import_state == State.IMPORTED:
        _let_follow(old, row)
    _copy(old, row)
    old.note = note
    if old.import_state in _OPEN:
        old.import_state, old.blockers = row.import_state, row.blockers


def _copy(old: AmazonOrder, row: AmazonOrder) -> None:
    for name in _ORDER_FIELDS:
        if name not in _OWN_FIELDS:
            setattr(old, name, getattr(row, name))


def _let_follow(old: AmazonOrder, row: AmazonOrder) -> None:
    """Have the shop's order follow, unless nothing has changed that it could show."""
    before, after = old.personal.get("recipient"), row.personal.get("recipient")
    if after and before and before != after and not old.superseded_recipient:
        old.superseded_recipient = before
    unchanged = {"lastUpdatedTime": ""}
    if {**old.payload, **unchanged} != {**row.payload, **unchanged} or (
        old.personal != row.personal
    ):
        old.follow_at = clock.now()


def _status(row: AmazonOrder) -> str:
    return (row.fulfillment_status or "without status").lower().replace("_", " ")


def _change(old: AmazonOrder, row: AmazonOrder) -> str:
    change = (
        "Changed on Amazon."
        if old.fulfillment_status == row.fulfillment_status
        else f"On Amazon the order is now {_status(row)}; it was {_status(old)}."
    )
    if (
        old.staff_address
        and old.import_state in _OPEN
        and _delivery_address(old) != _delivery_address(row)
    ):
        change += (
            " Amazon gives another delivery address; the one entered here is used "
            "until it is taken back."
        )
    return change


def _delivery_address(row: AmazonOrder) -> object:
    return (row.personal.get("recipient") or {}).get("deliveryAddress")


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
    as_json = {
        "code": blocker.code.value,
        "message": blocker.message,
        "subject": blocker.subject,
    }
    if blocker.mismatch:
        as_json |= {
            "calculated": str(blocker.mismatch.calculated),
            "stated": str(blocker.mismatch.stated),
            "currency": blocker.mismatch.currency,
        }
    return as_json


def _text(value: object, key: str) -> str:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, str) else ""


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
