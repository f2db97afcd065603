"""The month's orders: each special one is there for what its comment says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from .catalogue import NO_STOCK_SKU, SKUS, UNKNOWN_SKUS
from .seeds import Line, SeedOrder

_COUNTRIES = (
    "US",
    "US",
    "US",
    "CA",
    "GB",
    "GB",
    "DE",
    "DE",
    "DE",
    "FR",
    "PL",
    "JP",
    "AU",
)


def _ago(days: float) -> timedelta:
    return timedelta(days=days)


def special_orders() -> list[SeedOrder]:
    return [
        # One unit, tax on top.
        SeedOrder("US", _ago(0.4), [Line("MUG-BLUE-350")]),
        # Several lines and units: to be shipped in two packages.
        SeedOrder(
            "DE",
            _ago(0.6),
            [Line("MUG-SAND-350", 3), Line("BOARD-OAK-L", 2), Line("CANDLE-CEDAR")],
        ),
        # Amounts without decimals.
        SeedOrder("JP", _ago(0.8), [Line("KETTLE-GOOSE-1L"), Line("PEN-GEL-10", 2)]),
        SeedOrder("GB", _ago(0.9), [Line("TEA-TOWEL-3PK", 2, shipping="3.99")]),
        # A SKU that the shop does not have.
        SeedOrder("GB", _ago(1.0), [Line("MUG-BLUE-350"), Line(UNKNOWN_SKUS[0])]),
        # A product without stock.
        SeedOrder("DE", _ago(1.1), [Line(NO_STOCK_SKU)]),
    ]


def ordinary_orders(rng: random.Random) -> Iterator[SeedOrder]:
    """Without end: one to three lines, the status by age."""
    while True:
        age = _ago(rng.uniform(0.05, 29.9))
        country = rng.choice(_COUNTRIES)
        chosen = rng.sample(SKUS, rng.choice((1, 1, 1, 2, 2, 3)))
        lines = [Line(sku, rng.choice((1, 1, 1, 2, 3))) for sku in chosen]
        by_amazon = rng.random() < 0.25
        if age < _ago(3):
            status = rng.choice(("UNSHIPPED",) * 5 + ("PENDING", "SHIPPED"))
        else:
            status = rng.choice(("SHIPPED",) * 9 + ("CANCELLED",))
        shipped = (
            [{n: line.quantity for n, line in enumerate(lines)}]
            if status == "SHIPPED" and not by_amazon
            else []
        )
        yield SeedOrder(
            country, age, lines, status=status, by_amazon=by_amazon, shipped=shipped
        )
