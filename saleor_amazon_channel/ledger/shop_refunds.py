"""The shop's own refunds among those that Amazon tells of.

Amazon does not say who refunded: a refund that left here comes back as a transaction
like any other, up to two days later. It is told by what it gives of each item, and by
its time. Two refunds that give the same are the same to everybody; what counts is that
of n refunds on Amazon the shop takes as many for its own as it made. So a refund on
Amazon that may be one of the shop's waits until it is known whether that one took
effect; each that did stands for one on Amazon, and all others are somebody else's.

Amounts are compared with their tax, or without it: Amazon posts tax that is in a price
apart from it for some sellers, and may correct what it collects itself. A refund of
several items may be posted item by item.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q

from .. import clock
from ..amazon.finances import Component
from ..models import AmazonOrder, AmazonRefund, OutboxEntry, ShopRefund
from .refunds import ByItem, refunded_by_item

State = OutboxEntry.State

#: Amazon may have it, and has not said what became of it.
IN_FLIGHT = Q(
    entry__state__in=(State.SENDING, State.SUBMITTED, State.UNKNOWN),
    entry__feed__isnull=False,
    sent_at__isnull=False,
)
MADE = Q(entry__state=State.SUCCEEDED)

#: Amazon's clock and ours differ.
SKEW = timedelta(minutes=10)

#: What each tax is of.
TAXED: dict[str, str] = {
    Component.TAX: Component.PRINCIPAL,
    Component.SHIPPING_TAX: Component.SHIPPING,
    Component.GIFT_WRAP_TAX: Component.GIFT_WRAP,
    Component.COD_TAX: Component.COD,
    Component.RESTOCKING_FEE_TAX: Component.RESTOCKING_FEE,
}


def amounts_of(refund: ShopRefund) -> dict[str, dict[str, Decimal]]:
    """What went to Amazon, by order item and component."""
    return {
        item_id: {name: Decimal(amount) for name, amount in components.items()}
        for item_id, components in refund.amounts.items()
    }


def given_by_item(
    orders: Collection[AmazonOrder], besides: Iterable[ShopRefund] = ()
) -> dict[str, dict[str, dict[str, Decimal]]]:
    """What buyers were given back of each order, or are about to be: Amazon order id →
    order item id → component → amount.

    Everything on Amazon, and what left here and is not told of there yet. ``besides``
    are refunds that do not count, being those that are about to be made.
    """
    besides = list(besides)
    given = refunded_by_item(
        [order.amazon_order_id for order in orders], ~Q(shop_refund__in=besides)
    )
    for order_id, amounts in untold(orders, besides).items():
        for item_id, components in amounts.items():
            of_item = given[order_id].setdefault(item_id, {})
            for name, amount in components.items():
                of_item[name] = of_item.get(name, Decimal(0)) + amount
    return given


def untold(
    orders: Collection[AmazonOrder], besides: Iterable[ShopRefund] = ()
) -> dict[str, dict[str, dict[str, Decimal]]]:
    """What left here for Amazon, took effect or may have, and is not among the refunds
    that Amazon tells of: by order, item and component."""
    found: dict[str, dict[str, dict[str, Decimal]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(Decimal))
    )
    own = (
        ShopRefund.objects.filter(IN_FLIGHT | MADE, order__in=orders)
        .exclude(pk__in=[each.pk for each in besides])
        .select_related("order")
        .prefetch_related("on_amazon__amounts")
    )
    for refund in own:
        told = {
            each.order_item_id
            for row in refund.on_amazon.all()
            for each in row.amounts.all()
        }
        for item_id, components in amounts_of(refund).items():
            if item_id not in told and "" not in told:
                for name, amount in components.items():
                    found[refund.order.amazon_order_id][item_id][name] += amount
    return found


def link(orders: Collection[AmazonOrder]) -> None:
    """Take for the shop's own what Amazon tells of refunds that the shop made, in the
    caller's transaction, which holds the orders. They are to be looked at again then.
    """
    made = list(
        ShopRefund.objects.filter(MADE, order__in=orders)
        .select_related("order")
        .prefetch_related("on_amazon__amounts")
        .order_by("sent_at", "pk")
    )
    if not made:
        return
    free = _unclaimed(orders)
    taken: list[AmazonRefund] = []
    not_parts: list[ShopRefund] = []
    for refund in made:
        rows = free[refund.order.account_id, refund.order.amazon_order_id]
        parts = list(refund.on_amazon.all())
        if parts and is_whole(refund, parts):
            continue
        whole = next((row for row in rows if is_same(row, refund)), None)
        if whole is not None:
            # What was taken for parts of it is something else.
            not_parts.append(refund)
            _take(whole, refund, rows, taken)
            continue
        for row in [row for row in rows if _is_part(row, refund, parts)]:
            if _is_part(row, refund, parts):
                parts.append(row)
                _take(row, refund, rows, taken)
    if not_parts:
        AmazonRefund.objects.filter(shop_refund__in=not_parts).update(
            shop_refund=None, carry_at=clock.now()
        )
    AmazonRefund.objects.bulk_update(taken, ["shop_refund", "carry_at"])


def _take(
    row: AmazonRefund,
    refund: ShopRefund,
    free: list[AmazonRefund],
    taken: list[AmazonRefund],
) -> None:
    free.remove(row)
    row.shop_refund, row.carry_at = refund, clock.now()
    taken.append(row)


def may_be_own(row: AmazonRefund) -> ShopRefund | None:
    """A refund of the shop of which it is not known yet whether it took effect, and
    which may be what Amazon tells of here."""
    in_flight = ShopRefund.objects.filter(
        IN_FLIGHT, order__amazon_order_id=row.amazon_order_id
    ).select_related("entry")
    return next(
        (
            refund
            for refund in in_flight
            if is_same(row, refund) or _is_part(row, refund, ())
        ),
        None,
    )


def has_arrived(refund: ShopRefund) -> bool:
    """Amazon tells of a refund that can be this one and is nobody else's: whole, or in
    as many parts as it has items."""
    parts: list[AmazonRefund] = []
    order = refund.order
    for row in _unclaimed([order])[order.account_id, order.amazon_order_id]:
        if is_same(row, refund):
            return True
        if _is_part(row, refund, parts):
            parts.append(row)
    return bool(parts) and is_whole(refund, parts)


def _unclaimed(
    orders: Collection[AmazonOrder],
) -> dict[tuple[int, str], list[AmazonRefund]]:
    """By account and Amazon order id what nobody has put onto the shop's orders."""
    found: dict[tuple[int, str], list[AmazonRefund]] = defaultdict(list)
    rows = (
        AmazonRefund.objects.filter(
            account__in={order.account_id for order in orders},
            amazon_order_id__in=[order.amazon_order_id for order in orders],
            shop_refund=None,
            state=AmazonRefund.State.WAITING,
        )
        .prefetch_related("amounts")
        .order_by("posted_at", "pk")
    )
    for row in rows:
        found[row.account_id, row.amazon_order_id].append(row)
    return found


# --- what is the same ----------------------------------------------------------------


def is_same(row: AmazonRefund, refund: ShopRefund) -> bool:
    """Amazon tells of what the shop asked for, and not before it did."""
    there, ours = by_item(row), amounts_of(refund)
    return _is_after(row, refund) and any(
        _equal(there, ours, with_tax=with_tax) for with_tax in (True, False)
    )


def is_whole(refund: ShopRefund, parts: Sequence[AmazonRefund]) -> bool:
    told = {item_id for row in parts for item_id in by_item(row)}
    return "" in told or told >= refund.amounts.keys()


def _is_part(
    row: AmazonRefund, refund: ShopRefund, parts: Sequence[AmazonRefund]
) -> bool:
    """It gives what the shop asked for of some of the items, which others did not."""
    there, ours = by_item(row), amounts_of(refund)
    told = {item_id for part in parts for item_id in by_item(part)}
    named = {item_id: ours[item_id] for item_id in there if item_id in ours}
    return (
        _is_after(row, refund)
        and len(named) == len(there)
        and not told & named.keys()
        and any(_equal(there, named, with_tax=with_tax) for with_tax in (True, False))
    )


def _is_after(row: AmazonRefund, refund: ShopRefund) -> bool:
    return refund.sent_at is not None and row.posted_at >= refund.sent_at - SKEW


def by_item(row: AmazonRefund) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for each in row.amounts.all():
        of_item = found[each.order_item_id]
        of_item[each.component] = of_item.get(each.component, Decimal(0)) + each.amount
    return dict(found)


def _equal(there: ByItem, ours: ByItem, *, with_tax: bool) -> bool:
    if not there:
        return False
    a, b = _folded(there, with_tax=with_tax), _folded(ours, with_tax=with_tax)
    if "" in there:
        # Amazon does not tell the items apart.
        return _total(a) == _total(b)
    return a == b


def _folded(amounts: ByItem, *, with_tax: bool) -> dict[str, dict[str, Decimal]]:
    folded: dict[str, dict[str, Decimal]] = {}
    for item_id, components in amounts.items():
        of_item: dict[str, Decimal] = {}
        for name, amount in components.items():
            if name in TAXED and not with_tax:
                continue
            base = TAXED.get(name, name)
            of_item[base] = of_item.get(base, Decimal(0)) + amount
        folded[item_id] = {name: amount for name, amount in of_item.items() if amount}
    return folded


def _total(amounts: ByItem) -> dict[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for components in amounts.values():
        for name, amount in components.items():
            total[name] += amount
    return total
