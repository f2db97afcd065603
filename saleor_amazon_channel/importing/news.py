"""Later news of imported orders: what happened to them on Amazon happens in the shop.

- The order was cancelled: it is cancelled in the shop. One that has left the warehouse,
  wholly or in part, cannot be; then its note says what staff have to do, and it is not
  tried again.
- It was refunded, wholly or in part: see ``refunds``.
- Anything else (``AmazonOrder.follow_at``): units were cancelled, packages were
  confirmed in Seller Central, the total or the address changed, the buyer asks to
  cancel, another order replaces it.

Nothing here trusts that it is told once, in time or in order: Amazon's latest payload
is compared with the shop's order as it is, under its lock, and what is missing is done,
in one transaction with the ledger, each step in a savepoint of its own. What fails
unexpectedly is said on the order and tried again until it succeeds, ever less often; it
holds up no other step and no other order.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from .. import clock, failures, lock_objects, store
from ..amazon.errors import MalformedOrder
from ..amazon.orders import FulfilledBy, FulfillmentStatus, Order, OrderPackage
from ..ledger import payloads, timeline
from ..models import AmazonOrder, ForeignPackage, Marketplace
from ..store.contract import AddressDraft, OrderDraft, OrderState
from ..store.contract import ForeignPackage as PackageToFulfil
from . import address_edit, mapping, refunds
from .carrying import RETRY_AFTER, one_by_one
from .text import told_once

logger = logging.getLogger(__name__)

#: What failed unexpectedly rests twice as long each time, at most this long.
LONGEST_REST = timedelta(hours=1)

#: What is told: a type of the timeline, and a sentence for staff.
News = tuple[str, str]

FAILED: News = (
    "cannot_follow_yet",
    "Something that changed on Amazon could not be followed here; the log says why. It "
    "is tried again by itself. Until then compare the order with Seller Central.",
)


def has_work() -> bool:
    return _unsettled().exists() or _following().exists() or refunds.has_work()


def settle() -> None:
    """Cancel in the shop what was cancelled on Amazon, follow all other news, and
    record what was refunded."""
    one_by_one(_unsettled, _settle, "cancelling it here", _put_off)
    one_by_one(_following, _follow, "following Amazon", _put_off)
    refunds.settle()


# --- cancelled as a whole ------------------------------------------------------------


def _unsettled() -> QuerySet[AmazonOrder]:
    return AmazonOrder.objects.filter(
        Q(follow_at=None) | Q(follow_at__lte=clock.now()),
        import_state=AmazonOrder.ImportState.IMPORTED,
        fulfillment_status=FulfillmentStatus.CANCELLED,
        cancellation_settled_at=None,
    ).order_by(F("follow_at").asc(nulls_first=True))


def _settle(order: AmazonOrder) -> None:
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    # The shop's rows are locked before ours: see lock_objects.
    problem = shop.cancel_orders(
        [shop_order_id],
        f"Order {order.amazon_order_id} was cancelled on Amazon. It is cancelled here "
        "too: its stock is released, and what was charged for it counts as refunded.",
    )[shop_order_id]
    (order,) = lock_objects.orders_by_id([order.amazon_order_id])
    if order.cancellation_settled_at:
        return  # Another worker was faster.
    if problem:
        message = (
            "The order was cancelled on Amazon, but it cannot be cancelled here: "
            f"{problem} Keep the goods from leaving or get them back, then cancel and "
            "refund the order here by hand."
        )
        shop.add_note(shop_order_id, message)
        timeline.add(order, "cancellation_impossible", message)
    else:
        timeline.add(
            order,
            "cancelled_in_shop",
            "The order was cancelled on Amazon; order "
            f"{order.shop_order_number} is cancelled too.",
        )
    AmazonOrder.objects.filter(pk=order.pk).update(
        cancellation_settled_at=clock.now(),
        follow_at=None,
        follow_failures=0,
        superseded_recipient={},
    )


# --- everything else -----------------------------------------------------------------


def _following() -> QuerySet[AmazonOrder]:
    return (
        AmazonOrder.objects.filter(
            follow_at__lte=clock.now(), import_state=AmazonOrder.ImportState.IMPORTED
        )
        # Cancelled as a whole is for above.
        .exclude(fulfillment_status=FulfillmentStatus.CANCELLED)
        .order_by("follow_at")
    )


def _put_off(orders: QuerySet[AmazonOrder]) -> None:
    """After an unexpected failure of the whole: nothing of it was done."""
    for order in orders:
        if not order.follow_failures:
            timeline.add(order, *FAILED)
        orders.update(**_next_try(order))


def _next_try(order: AmazonOrder) -> dict[str, Any]:
    failures_before = min(order.follow_failures, 10)
    pause = min(RETRY_AFTER * 2**failures_before, LONGEST_REST)
    return {
        "follow_at": clock.now() + pause,
        # A small column's worth is plenty.
        "follow_failures": min(order.follow_failures + 1, 1000),
    }


def _follow(order: AmazonOrder) -> None:
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    # The shop's rows are locked before ours: see lock_objects.
    state = shop.order_state(shop_order_id)
    (order,) = lock_objects.orders_by_id([order.amazon_order_id])
    if order.follow_at is None:
        return  # Another worker was faster.
    is_whole, is_readdressed = _carry(order, state) if state else (True, True)
    changes: dict[str, Any] = {"follow_at": None, "follow_failures": 0}
    if not is_whole:
        if not order.follow_failures:
            _take(order, "telling of a failure", lambda: [FAILED])
        changes = _next_try(order)
    if is_readdressed:
        changes["superseded_recipient"] = {}
    AmazonOrder.objects.filter(pk=order.pk).update(**changes)


def _take(order: AmazonOrder, what: str, step: Callable[[], Iterable[News]]) -> bool:
    """Do one step in the shop and tell staff of it, or undo it alone.

    What always fails must not keep the other steps from being done.
    """
    try:
        with transaction.atomic():
            for type_, message in step():
                store.current().add_note(order.shop_order_id or "", message)
                timeline.add(order, type_, message)
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"order {order.amazon_order_id}: {what}", error)
        return False
    return True


def _carry(order: AmazonOrder, state: OrderState) -> tuple[bool, bool]:
    """Do in the shop what is missing there, step by step: whether each succeeded, and
    whether the one of the address did."""
    done = [
        _take(order, "the buyer's wish to cancel", lambda: _asked_to_cancel(order)),
        _take(order, "what replaces it", lambda: _replaced(order)),
        _take(order, "what cannot be read", lambda: _unreadable(order)),
    ]
    if state.is_cancelled:
        return all(done), True
    try:
        amazon = Order.from_wire(payloads.join(order.payload, order.personal))
        draft = mapping.map_order(
            amazon, address_edit.staff_address(order), needs_address=False
        )
    except (MalformedOrder, mapping.CannotMap) as problem:
        message = (
            "The order changed on Amazon in a way that cannot be followed here: "
            f"{_why(problem)} Compare it with Seller Central."
        )
        told = _once(order, "cannot_follow", message)
        done.append(_take(order, "telling of it", lambda: told))
        return all(done), all(done)
    items = list(order.items.all())
    lines = {item.order_item_id: item.shop_line_id for item in items}
    units = {item.order_item_id: item.units_per_item for item in items}
    draft = mapping.in_shop_units(draft, units)
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    done.append(
        _take(order, "units and amounts", lambda: _revise(order, state, draft, lines))
    )
    # As it is by now, revised or not.
    now = shop.order_state(shop_order_id) or state
    if amazon.fulfilled_by == FulfilledBy.MERCHANT:
        done.append(
            _take(
                order,
                "packages",
                lambda: _ship(order, now, amazon, draft, lines, units),
            )
        )
    is_readdressed = _take(
        order, "the address", lambda: _readdress(order, now, amazon, draft)
    )
    return all(done) and is_readdressed, is_readdressed


def _why(problem: MalformedOrder | mapping.CannotMap) -> str:
    if isinstance(problem, MalformedOrder):
        return f"{problem}."
    return told_once(blocker.message for blocker in problem.blockers)


def _once(order: AmazonOrder, type_: str, message: str) -> Iterator[News]:
    """The same news is told once only, however often it comes."""
    if not order.events.filter(type=type_, message=message).exists():
        yield type_, message


def _asked_to_cancel(order: AmazonOrder) -> Iterator[News]:
    if order.is_cancellation_requested:
        yield from _once(
            order,
            "cancellation_requested_by_buyer",
            "The buyer asked Amazon to cancel the order. Cancel it as the buyer's "
            "wish, or ship it: nothing happens by itself.",
        )


def _replaced(order: AmazonOrder) -> Iterator[News]:
    for replacement in AmazonOrder.objects.filter(
        replacement_of=order.amazon_order_id
    ).order_by("pk"):
        yield from _once(
            order,
            "replaced",
            f"Order {replacement.amazon_order_id} on Amazon replaces this one, or "
            "items of it.",
        )


def _unreadable(order: AmazonOrder) -> Iterator[News]:
    """The ledger has kept what Amazon said before; see ``ledger.recorder``."""
    for event in order.events.filter(type="unreadable").order_by("pk"):
        yield from _once(
            order,
            "cannot_follow",
            "The order changed on Amazon, which cannot be followed here: "
            f"{event.message} Compare it with Seller Central before anything is "
            "shipped or refunded.",
        )


# --- units and amounts ---------------------------------------------------------------


def _revise(
    order: AmazonOrder,
    state: OrderState,
    draft: OrderDraft,
    lines: Mapping[str, str],
) -> Iterator[News]:
    """Lower the shop's order to what Amazon has left of it, amounts included."""
    left = Counter(
        {
            line_id: line.quantity
            for line in draft.lines
            if (line_id := lines.get(line.order_item_id))
        }
    )
    gone = {
        line_id: now.quantity - left[line_id]
        for line_id, now in state.lines.items()
        if line_id in lines.values() and now.quantity > left[line_id]
    }
    if not gone and draft.total.gross == state.total:
        return
    units = sum(gone.values())
    what = (
        f"{units} of its units {'was' if units == 1 else 'were'} cancelled on Amazon"
        if gone
        else "Its total changed on Amazon"
    )
    problem = store.current().revise_order(order.shop_order_id or "", draft, lines)
    if problem:
        message = (
            f"{what}, which cannot be followed here: {problem} Compare the order with "
            "Seller Central and correct it by hand."
        )
        yield from _once(order, "cannot_follow", message)
        return
    yield (
        "revised",
        f"{what}. Here it is now {draft.total.gross} {draft.currency} instead of "
        # The shop may keep more places than the currency has.
        f"{state.total.quantize(draft.total.gross)}.",
    )


# --- shipped by others ---------------------------------------------------------------


def _ship(
    order: AmazonOrder,
    state: OrderState,
    amazon: Order,
    draft: OrderDraft,
    lines: Mapping[str, str],
    units_per_item: Mapping[str, int],
) -> Iterator[News]:
    """Fulfil what Amazon has as shipped and the shop has not.

    Counted in Amazon's units: the shop's of a pack that it has not shipped whole are
    left to its staff.
    """
    known = list(order.foreign_packages.order_by("pk"))
    ours = list(order.packages.all())
    accounted: Counter[str] = Counter()
    confirmed = [package.items for package in ours if package.confirmed_revision]
    for items in (*confirmed, *(package.items for package in known)):
        for item in items:
            accounted[item["order_item_id"]] += item["quantity"]
    missing: Counter[str] = Counter()
    for line in draft.lines:
        now = state.lines.get(lines.get(line.order_item_id, ""))
        if now:
            # What staff fulfilled, whether Amazon knows of it yet or not, and what they
            # cancelled after Amazon was told, is not fulfilled again.
            pack = units_per_item[line.order_item_id]
            missing[line.order_item_id] = min(
                (line.quantity_shipped - now.fulfilled) // pack,
                line.quantity_shipped // pack - accounted[line.order_item_id],
            )
    missing = +missing
    references = {str(package.package_reference_id) for package in ours}
    foreign = [p for p in amazon.packages if p.package_reference_id not in references]
    yield from _track(known, foreign)
    if not missing:
        return
    carried_before = {package.package_reference_id for package in known}
    # The latest first: what the import found shipped was in the earlier ones.
    new = sorted(
        (p for p in foreign if p.package_reference_id not in carried_before),
        key=lambda package: package.ship_time or datetime.min.replace(tzinfo=UTC),
        reverse=True,
    )
    warehouse_ids = _warehouse_ids(order)
    for there in new:
        units = Counter({i.order_item_id: i.quantity for i in there.package_items})
        carried = units & missing
        if carried:
            missing -= carried
            yield _fulfil(order, lines, carried, units_per_item, there, warehouse_ids)
    if missing:
        # Amazon counts them as shipped and tells of no package.
        yield _fulfil(order, lines, missing, units_per_item, None, warehouse_ids)


def _fulfil(
    order: AmazonOrder,
    lines: Mapping[str, str],
    units: Counter[str],
    units_per_item: Mapping[str, int],
    package: OrderPackage | None,
    warehouse_ids: tuple[str, ...],
) -> News:
    carrier = package.carrier if package else ""
    tracking = package.tracking_number if package else ""
    fulfillment_ids = store.current().fulfil_order(
        order.shop_order_id or "",
        PackageToFulfil(
            lines={
                lines[item_id]: count * units_per_item[item_id]
                for item_id, count in units.items()
            },
            tracking_number=tracking,
            carrier=carrier,
            warehouse_ids=warehouse_ids,
        ),
    )
    ForeignPackage.objects.bulk_create(
        ForeignPackage(
            order=order,
            package_reference_id=package.package_reference_id[:64] if package else "",
            fulfillment_id=fulfillment_id,
            carrier=carrier[:255],
            tracking_number=tracking[:255],
            # Counted once, in however many parts the shop has it.
            items=[
                {"order_item_id": item_id, "quantity": count}
                for item_id, count in units.items()
            ]
            if fulfillment_id == fulfillment_ids[0]
            else [],
        )
        for fulfillment_id in fulfillment_ids
    )
    count = units.total()
    return (
        "shipped_on_amazon",
        f"{count} {'unit was' if count == 1 else 'units were'} shipped in Seller "
        f"Central{f' with {carrier}' if carrier else ''}"
        f"{f', tracking {tracking}' if tracking else ''}: fulfilled here too.",
    )


def _track(
    known: Sequence[ForeignPackage], foreign: Sequence[OrderPackage]
) -> Iterator[News]:
    now = {package.package_reference_id: package for package in foreign}
    for package in known:
        there = now.get(package.package_reference_id)
        if there is None or (there.carrier[:255], there.tracking_number[:255]) == (
            package.carrier,
            package.tracking_number,
        ):
            continue
        package.carrier = there.carrier[:255]
        package.tracking_number = there.tracking_number[:255]
        package.save(update_fields=["carrier", "tracking_number"])
        store.current().change_tracking(
            package.fulfillment_id, package.tracking_number, package.carrier
        )
        yield (
            "tracking_changed_on_amazon",
            f"The tracking of a package changed in Seller Central: {package.carrier} "
            f"{package.tracking_number}".strip()
            + ".",
        )


def _warehouse_ids(order: AmazonOrder) -> tuple[str, ...]:
    marketplace = Marketplace.objects.filter(
        account_id=order.account_id, marketplace_id=order.marketplace_id
    ).first()
    return tuple(marketplace.warehouse_ids) if marketplace else ()


# --- where it goes -------------------------------------------------------------------


def _readdress(
    order: AmazonOrder, state: OrderState, amazon: Order, draft: OrderDraft
) -> Iterator[News]:
    if not order.superseded_recipient or amazon.recipient is None:
        return
    if draft.shipping_address is None:
        yield (
            "address_differs",
            "The delivery address was changed on Amazon to one that the shop does not "
            "take, so it stays as it is here. Compare it with Seller Central before "
            "shipping.",
        )
        return
    before = _address_before(order)
    after = draft.shipping_address
    if not order.staff_address and (before is None or _same_place(before, after)):
        return
    if amazon.fulfillment_status != FulfillmentStatus.UNSHIPPED:
        yield (
            "address_changed_too_late",
            "The delivery address was changed on Amazon after the order, or a part of "
            "it, was shipped; here it stays as it was.",
        )
    elif order.staff_address or state.shipping_address != before:
        yield (
            "address_differs",
            "The delivery address was changed on Amazon, but staff had changed it here "
            "before, so it stays as it is here. Compare it with Seller Central before "
            "shipping.",
        )
    else:
        store.current().change_shipping_address(order.shop_order_id or "", after)
        yield (
            "address_changed",
            "The delivery address was changed on Amazon, and with it here.",
        )


def _address_before(order: AmazonOrder) -> AddressDraft | None:
    personal = {**order.personal, "recipient": order.superseded_recipient}
    try:
        amazon = Order.from_wire(payloads.join(order.payload, personal))
        return mapping.map_order(amazon).shipping_address
    except (MalformedOrder, mapping.CannotMap):
        return None


def _same_place(before: AddressDraft, after: AddressDraft) -> bool:
    """Amazon withholds the phone later on: that is no change of the address."""
    phone = after.phone or before.phone
    return before == replace(after, phone=phone)
