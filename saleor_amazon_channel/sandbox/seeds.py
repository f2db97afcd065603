"""Invented orders: a realistic month, and any number of simple ones.

Deterministic by seed number and relative to the clock: the same number at the same
time gives the same orders. ``proceeds.py`` says how their money adds up and why.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain, islice
from typing import Any

from .. import clock
from .catalogue import (
    NO_STOCK_SKU,
    SKUS,
    UNKNOWN_SKUS,
    CatalogueItem,
    seed_catalogue,
)
from .order_builder import YOUNGEST, Line, OrderBuilder, SeedOrder
from .places import PLACES, place
from .seed_month import ordinary_orders, special_orders

__all__ = [
    "NO_STOCK_SKU",
    "UNKNOWN_SKUS",
    "CatalogueItem",
    "generate",
    "month",
    "seed_catalogue",
]

Json = dict[str, Any]


def generate(
    count: int,
    seed: int = 1,
    *,
    marketplaces: Iterable[str] | None = None,
    created_over: timedelta = timedelta(days=30),
    lines: int = 2,
    skus: Sequence[str] = SKUS,
) -> list[Json]:
    """``count`` simple orders: UNSHIPPED, merchant-fulfilled, all importable.

    Spread evenly over ``created_over`` up to now, oldest first, in turn over
    ``marketplaces`` (ids; default United States), each with ``lines`` different SKUs
    in quantities of 1 to 3.
    """
    chosen = tuple(marketplaces or (place("US").info.id,))
    for marketplace_id in chosen:
        if marketplace_id not in PLACES:
            raise ValueError(f"no seeds for marketplace {marketplace_id!r}")
    if not 1 <= lines <= len(skus):
        raise ValueError(f"lines must be between 1 and {len(skus)}")
    builder = OrderBuilder(seed, 5_000_000, clock.now())
    span = max(created_over - YOUNGEST, timedelta(0))
    orders = []
    for number in range(count):
        first = number * lines
        orders.append(
            builder.build(
                SeedOrder(
                    country=PLACES[chosen[number % len(chosen)]].country,
                    age=YOUNGEST + span * (count - number) / count,
                    lines=[
                        Line(skus[(first + k) % len(skus)], 1 + (number + k) % 3)
                        for k in range(lines)
                    ],
                )
            )
        )
    return orders


def month(count: int = 120, seed: int = 1) -> list[Json]:
    """A month of ``count`` orders, oldest first: the special ones, then ordinary ones.

    Fewer than there are special ones: the first of those. The special ones are the
    same for every ``seed`` but for their ids.
    """
    builder = OrderBuilder(seed, 0, clock.now())
    wanted = chain(special_orders(), ordinary_orders(random.Random(seed)))
    orders = [builder.build(seed_order) for seed_order in islice(wanted, count)]
    return sorted(orders, key=lambda order: str(order["createdTime"]))
