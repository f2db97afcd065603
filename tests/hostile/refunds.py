"""Refunds that the seller makes in Seller Central, and whether the shop has them.

What is expected follows from what was refunded, not from the transactions by which
Amazon tells of it: to read those is the product's business.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from saleor_amazon_channel.sandbox import State, events
from saleor_amazon_channel.sandbox import refunds as on_amazon

from .books import BookedOrder

Json = Mapping[str, Any]
#: Order item id → component → what the buyer gets of it.
Amounts = Mapping[str, Mapping[str, Decimal]]

#: How much of an order is refunded at once.
KINDS = ("all", "all", "an item", "a part", "the shipping")
_IDENTIFIED_BY = ("sku",) * 7 + ("order_item_id",) * 2 + ("nothing",)
#: Amazon's transactions may come late.
SHOWN_WITHIN = timedelta(days=2)
_OF_SHIPPING = ("Shipping", "ShippingTax")


@dataclass(frozen=True)
class Refund:
    """One that was made; ``reference`` is the id of the first transaction of it."""

    reference: str
    order_id: str
    amounts: Amounts
    #: Amazon's transaction says of which item an amount is.
    is_itemized: bool

    @property
    def amount(self) -> Decimal:
        return sum(
            (sum(parts.values(), Decimal(0)) for parts in self.amounts.values()),
            Decimal(0),
        )


def draw(
    rng: random.Random, order_id: str, kind: str, latest: timedelta, made: list[Refund]
) -> tuple[bool, Callable[[State], bool]]:
    """Whether Amazon defers it, and what makes the refund, if the order's state allows
    it then. Amazon shows it up to ``latest`` later."""
    drawn = random.Random(rng.random())
    is_deferred = drawn.random() < 0.3
    shown_after = latest * drawn.random() if drawn.random() < 0.5 else timedelta(0)
    options: dict[str, Any] = {
        "identified_by": drawn.choice(_IDENTIFIED_BY),
        "is_deferred": is_deferred,
        "vat_rate": drawn.choice((None, None, "0.19")),
    }

    def cause(state: State) -> bool:
        with state.lock:
            stored = state.stored_order(order_id)
            order = stored.current.payload
            left = on_amazon.left_to_refund(state, order)
            amounts = _chosen(drawn, kind, left) if left else {}
            transactions = state.transactions
            transactions.posting_delay = shown_after
            try:
                posted = on_amazon.post_refund(
                    state, stored.seller_id, order, amounts, **options
                )
            except events.EventError:
                return False
            finally:
                transactions.posting_delay = timedelta(0)
        is_itemized = options["identified_by"] != "nothing" or (
            len(order["orderItems"]) == 1
        )
        made.append(Refund(posted.id, order_id, amounts, is_itemized))
        return True

    return is_deferred, cause


def _chosen(rng: random.Random, kind: str, left: Amounts) -> Amounts:
    item_id = rng.choice(list(left))
    parts = left[item_id]
    if kind == "an item":
        return {item_id: parts}
    if kind == "a part":
        price = parts.get("Principal", Decimal(0))
        # Of the currency's least unit, and never all of it if that is not one unit.
        part = (price * Decimal("0.4")).quantize(price, ROUND_UP)
        return {item_id: {"Principal": part}} if part else left
    if kind == "the shipping":
        shipping = {
            item_id: {name: parts[name] for name in _OF_SHIPPING if name in parts}
            for item_id, parts in left.items()
        }
        return {key: parts for key, parts in shipping.items() if parts} or left
    return left


def release(state: State, order_id: str) -> bool:
    """Amazon releases a deferred refund of the order; no news for the buyer."""
    with state.lock:
        try:
            on_amazon.release_refund(state, order_id)
        except KeyError:
            return False
    return True


def wrong(
    payload: Json,
    order: BookedOrder,
    made: Sequence[Refund],
    units_of_one: Mapping[str, int],
) -> Iterator[str]:
    """What is wrong about the refunds on the shop's order. ``units_of_one``: order item
    id → the shop's units of one on Amazon."""
    count = Counter(each.reference for each in order.refunds)
    by_reference = {each.reference: each for each in order.refunds}
    for reference in count.keys() - {each.reference for each in made}:
        yield f"refund {reference} is not on Amazon"
    charged = {
        item["orderItemId"]: on_amazon.charged(item) for item in payload["orderItems"]
    }
    so_far: Counter[tuple[str, str]] = Counter()
    for each in made:
        if count[each.reference] != 1:
            yield f"refund {each.reference} is here {count[each.reference]} times"
            continue
        here = by_reference[each.reference]
        if here.amount != each.amount:
            yield f"refund of {here.amount}, on Amazon {each.amount}"
        lines = {
            item_id
            for item_id, parts in each.amounts.items()
            if each.is_itemized and parts.keys() - set(_OF_SHIPPING)
        }
        if here.units.keys() != lines:
            yield f"refund of {sorted(here.units)}, on Amazon {sorted(lines)}"
        for item_id, parts in each.amounts.items():
            for name, amount in parts.items():
                if each.is_itemized:
                    so_far[item_id, name] += amount
                if name in _OF_SHIPPING:
                    so_far["", "shipping"] += amount
    shipping = sum(
        parts.get(name, 0) for parts in charged.values() for name in _OF_SHIPPING
    )
    is_shipping_back = bool(shipping) and so_far["", "shipping"] >= shipping
    if any(each.is_shipping_included for each in order.refunds) != is_shipping_back:
        yield f"the shipping is {'' if is_shipping_back else 'not '}all refunded"
    for item in payload["orderItems"]:
        item_id = item["orderItemId"]
        price = charged[item_id].get("Principal")
        fulfillment = item["fulfillment"]
        units = fulfillment["quantityFulfilled"] + fulfillment["quantityUnfulfilled"]
        # In which refund a unit is paid back whole depends on which is heard of first.
        back = sum(each.units.get(item_id, 0) for each in order.refunds)
        wanted = int(so_far[item_id, "Principal"] * units / price) if price else 0
        if back != wanted * units_of_one[item_id]:
            yield f"{back} units of {item_id} are paid back whole, on Amazon {wanted}"
