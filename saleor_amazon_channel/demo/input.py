"""What the demo works on: invented orders, or those of a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from .. import clock
from ..amazon.marketplaces import MARKETPLACES
from ..sandbox.orders_file import OrdersFileError, load_orders, summarize
from ..sandbox.seeds import seed_catalogue

#: How many orders are invented when no file is given.
SEED_ORDERS = 120
#: Amazon hides what changed in the last two minutes.
AFTER_THE_NEWEST = timedelta(minutes=3)
#: Amazon grants 20 calls of 100 orders at once and then one in 3 minutes: with more
#: orders than this in the file, time runs faster.
MANY_ORDERS = 1_500
SPEED_FOR_MANY = 20
#: Of so many bad orders each is named.
MOST_TOLD = 20
#: Units in stock of whatever a file names.
AMPLE = 1_000


@dataclass(frozen=True)
class Goods:
    """A product of one variant to create in the shop."""

    sku: str
    name: str
    price: Decimal
    stock: int


@dataclass(frozen=True)
class Input:
    """What the demo works on."""

    orders_file: Path | None
    goods: Sequence[Goods]
    #: For AMAZON_CHANNEL_CLOCK; empty is the real time.
    clock: str
    json_file: Path | None
    #: Whether everything goes on running after the job, for its pages to be seen.
    serves: bool
    #: Whether no account is connected: the pages' reader does the job.
    is_empty: bool = False

    @property
    def sandbox_arguments(self) -> list[str]:
        if self.orders_file:
            return ["--orders", str(self.orders_file)]
        return ["--seed-orders", str(SEED_ORDERS)]


class BadInput(Exception):
    """The input cannot be used; the message says why."""


def parse(arguments: Sequence[str] | None = None) -> Input:
    """Read the command line and the file it names. Raises BadInput."""
    parser = argparse.ArgumentParser(
        description="An Amazon order becomes a shop order, is shipped there, and "
        "Amazon knows: the main job, on invented orders or on a file's."
    )
    parser.add_argument(
        "--orders",
        type=Path,
        metavar="FILE",
        help="orders in Amazon's wire format (Orders API v2026-01-01): a list of Order "
        "objects, or a searchOrders response",
    )
    parser.add_argument(
        "--unknown-skus",
        default="",
        metavar="A,B",
        help="SKUs of the file that the shop shall not have",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the resulting table here"
    )
    parser.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty(),
        help="go on running after the job, and show the channel's pages; the default "
        "where there is a terminal",
    )
    parser.add_argument(
        "--empty",
        action="store_true",
        help="connect nothing, and leave it to whoever opens the pages; serves",
    )
    options = parser.parse_args(arguments)
    unknown = {sku.strip() for sku in options.unknown_skus.split(",")} - {""}
    if options.json and not options.json.absolute().parent.is_dir():
        raise BadInput(f"{options.json}: the folder does not exist")
    if options.orders is None:
        return Input(
            None,
            _seeded_goods(unknown),
            "",
            options.json,
            serves=options.serve or options.empty,
            is_empty=options.empty,
        )
    try:
        orders = load_orders(options.orders)
    except OrdersFileError as error:
        raise BadInput(str(error)) from error
    _check_marketplaces(options.orders, orders)
    summary = summarize(orders)
    start = max(summary.last_updated, summary.first_created) + AFTER_THE_NEWEST
    return Input(
        options.orders.absolute(),
        [
            Goods(
                sku.sku,
                sku.title or sku.sku,
                max(sku.unit_prices.values(), default=Decimal(10)),
                max(AMPLE, 10 * sku.units),
            )
            for sku in summary.skus
            if sku.sku not in unknown
        ],
        clock.describe(start, SPEED_FOR_MANY if len(orders) > MANY_ORDERS else 1),
        options.json,
        serves=options.serve or options.empty,
        is_empty=options.empty,
    )


def _check_marketplaces(file: Path, orders: Iterable[Mapping[str, Any]]) -> None:
    problems = []
    for order in orders:
        marketplace_id = order["salesChannel"].get("marketplaceId")
        if marketplace_id not in MARKETPLACES:
            problem = (
                f"{marketplace_id!r} is none of Amazon's retail marketplaces"
                if marketplace_id
                else "is missing, so no account and no channel can be chosen"
            )
            name = f"order {order['orderId']}: salesChannel.marketplaceId"
            problems.append(f"{file}: {name} {problem}")
    if problems:
        raise BadInput("\n".join(problems[:MOST_TOLD]))


def _seeded_goods(unknown: Collection[str]) -> list[Goods]:
    return [
        Goods(item.sku, item.name, item.prices["USD"], item.stock)
        for item in seed_catalogue()
        if item.sku not in unknown
    ]
