"""Orders per second into real Saleor: our writer against Saleor's ``orderBulkCreate``.

    python3 scripts/ring2.py --exec python benchmarks/import_orders.py

Both write the same orders (two lines, two addresses, charged) in batches, in turn, in
this process, each batch in a transaction that is committed. Ours allocates stock as
well; ``orderBulkCreate`` does not. Prints the rates and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

django.setup()
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402
from saleor.core.db.connection import allow_writer  # noqa: E402

from contract.drafts import draft, line, new_order  # noqa: E402
from in_saleor.bulk_create import BulkCreate  # noqa: E402
from in_saleor.drivers import SaleorDriver  # noqa: E402
from saleor_amazon_channel.saleor.app import ensure_app  # noqa: E402
from saleor_amazon_channel.saleor.store import SaleorStore  # noqa: E402
from saleor_amazon_channel.store.contract import (  # noqa: E402
    Channel,
    CreatedOrder,
    NewOrder,
)

#: Enough for a batch to have various goods, as real ones do.
VARIANTS = 40


@dataclass(frozen=True)
class Rates:
    """Orders per second, each the median of the rounds; what a round did, in both."""

    ours: float
    saleors: float

    @property
    def ratio(self) -> float:
        return self.ours / self.saleors


def measure(shop: SaleorDriver, rounds: int = 8, batch_size: int = 50) -> Rates:
    settings.DEBUG = False  # it keeps every query in memory
    with allow_writer():
        ensure_app()
        channel = shop.create_channel("amazon-de", "EUR", country="DE")
        variants = {
            f"MUG-{number}": shop.create_variant(
                f"MUG-{number}",
                [channel.id],
                stock={channel.warehouses[0].id: 10**6},
            )
            for number in range(VARIANTS)
        }
        store, bulk_create = SaleorStore(), BulkCreate()

        def ours(orders: list[NewOrder]) -> None:
            with transaction.atomic():
                answers = store.create_orders(orders)
            assert {type(answer) for answer in answers} == {CreatedOrder}

        def saleors(orders: list[NewOrder]) -> None:
            assert len(bulk_create(orders, channel)) == len(orders)

        seconds: dict[Any, list[float]] = {ours: [], saleors: []}
        for number in range(-1, rounds):
            for write in (ours, saleors):
                orders = _batch(
                    f"{write.__name__}-{number}", batch_size, channel, variants
                )
                took = _timed(write, orders)
                if number >= 0:  # the first round warms both up
                    seconds[write].append(took)
    return Rates(
        *(batch_size / statistics.median(seconds[write]) for write in (ours, saleors))
    )


def _timed(write: Callable[[list[NewOrder]], None], orders: list[NewOrder]) -> float:
    begun = time.perf_counter()
    write(orders)
    return time.perf_counter() - begun


def _batch(
    name: str, size: int, channel: Channel, variants: dict[str, str]
) -> list[NewOrder]:
    skus = list(variants)
    return [
        new_order(
            draft(
                f"302-{name}-{number}",
                [
                    line(skus[number % VARIANTS], 2),
                    line(skus[(7 * number + 1) % VARIANTS], tax_rate=Decimal("0.19")),
                ],
            ),
            channel,
            variants,
        )
        for number in range(size)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=50)
    options = parser.parse_args()
    with allow_writer():
        shop = SaleorDriver(notifications=[])
    rates = measure(shop, options.rounds, options.batch_size)
    print(f"our writer:      {rates.ours:7.1f} orders/s")
    print(f"orderBulkCreate: {rates.saleors:7.1f} orders/s")
    print(f"ratio:           {rates.ratio:7.1f}")


if __name__ == "__main__":
    main()
