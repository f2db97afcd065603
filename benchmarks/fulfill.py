"""What the plugin costs staff: the time of ``orderFulfill`` with and without it.

Each pair is two requests for two fresh orders of one kind through Saleor's own view and
middleware, one with the plugin and one without, in random order; all in one process,
whose garbage collector rests meanwhile. Transactions really commit. Nothing of the
answer is asked for but ids and errors, so that what is compared is the action itself.

Amazon orders are those ``pull_orders`` imported. Ordinary ones are written by the same
writer, since 2,000 checkouts would take an hour, and then given the origin of a
checkout, without Amazon's numbers and metadata.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

import graphene
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from plugin_switch import PluginSwitch
from saleor.account.models import User
from saleor.core.db.connection import allow_writer
from saleor.graphql.tests.fixtures import ApiClient
from saleor.order import OrderOrigin
from saleor.order.models import Order
from saleor.warehouse.models import Allocation

from contract.drafts import draft, line, new_order
from in_saleor.drivers import SaleorDriver
from saleor_amazon_channel.models import AmazonOrder, OutboxEntry
from saleor_amazon_channel.saleor.store import SaleorStore
from saleor_amazon_channel.store.contract import CreatedOrder

MUTATION = """
mutation ($order: ID!, $input: OrderFulfillInput!) {
  orderFulfill(order: $order, input: $input) {
    fulfillments { id } errors { field message }
  }
}
"""
WARM_UP_PAIRS = 15
RESAMPLES = 4000


@dataclass(frozen=True)
class Sample:
    wall_seconds: float
    cpu_seconds: float


@dataclass
class Comparison:
    """Pairs of (with, without); queries of one action each way, counted apart."""

    pairs: list[tuple[Sample, Sample]] = field(default_factory=list)
    queries_with: int = 0
    queries_without: int = 0

    def ratios(self, measure: Callable[[Sample], float]) -> list[float]:
        return [measure(on) / measure(off) for on, off in self.pairs]

    def summary(self) -> dict[str, Any]:
        wall, cpu = (
            _median_and_interval(self.ratios(measure))
            for measure in (lambda s: s.wall_seconds, lambda s: s.cpu_seconds)
        )
        return {
            "pairs": len(self.pairs),
            "ratio": wall[0],
            "interval_95": wall[1:],
            "cpu_ratio": cpu[0],
            "cpu_interval_95": cpu[1:],
            "median_ms_with": _median_ms(on for on, _ in self.pairs),
            "median_ms_without": _median_ms(off for _, off in self.pairs),
            "queries_with": self.queries_with,
            "queries_without": self.queries_without,
        }


def _median_ms(samples: Any) -> float:
    return round(1000 * statistics.median(s.wall_seconds for s in samples), 2)


def _median_and_interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The median, and the bounds that 95 % of its bootstrap lies within."""
    chance = random.Random(1)
    medians = sorted(
        statistics.median(chance.choices(ratios, k=len(ratios)))
        for _ in range(RESAMPLES)
    )
    low, high = medians[RESAMPLES // 40], medians[-RESAMPLES // 40]
    return round(statistics.median(ratios), 4), round(low, 4), round(high, 4)


def measure(switch: PluginSwitch, shop: SaleorDriver, pairs: int) -> dict[str, Any]:
    """A summary for ``ordinary`` and one for ``amazon``.

    Of Amazon orders at most as many pairs as there are orders for.
    """
    staff = Staff()
    with allow_writer():
        bodies = {
            "ordinary": staff.bodies(_ordinary_orders(shop, 2 * pairs + 40)),
            "amazon": staff.bodies(
                AmazonOrder.objects.filter(import_state="imported").values_list(
                    "shop_order_id", flat=True
                )
            ),
        }
    comparisons = {kind: Comparison() for kind in bodies}
    _count_queries(switch, staff, bodies, comparisons)
    for kind in bodies:
        _run_pairs(switch, staff, bodies[kind], WARM_UP_PAIRS)
    # What exists by now is never looked at again: a collection is then quick.
    gc.collect()
    gc.freeze()
    for kind, comparison in comparisons.items():
        comparison.pairs = _run_pairs(switch, staff, bodies[kind], pairs)
    gc.unfreeze()
    switch.turn(True)
    _check_captured(comparisons["amazon"])
    return {kind: comparison.summary() for kind, comparison in comparisons.items()}


class Staff:
    def __init__(self) -> None:
        with allow_writer():
            self._client = ApiClient(user=User.objects.get(email="staff@example.com"))

    def fulfill(self, body: dict[str, Any]) -> Sample:
        # A token lives for 5 minutes, a run for longer.
        self._client.token = None
        self._client.ensure_access_token()
        gc.collect()
        gc.disable()
        try:
            wall, cpu = time.perf_counter(), time.process_time()
            answer = self._client.post(body)
            sample = Sample(time.perf_counter() - wall, time.process_time() - cpu)
        finally:
            gc.enable()
        result = answer.json()["data"]["orderFulfill"]
        assert len(result["fulfillments"]) == 1, result
        assert not result["errors"], result
        return sample

    @staticmethod
    def bodies(order_ids: Any) -> list[dict[str, Any]]:
        """Requests that fulfil each order whole, with a tracking number."""
        lines: dict[Any, list[dict[str, Any]]] = {}
        for order_id, line_id, warehouse_id, quantity in Allocation.objects.filter(
            order_line__order_id__in=list(order_ids)
        ).values_list(
            "order_line__order_id",
            "order_line_id",
            "stock__warehouse_id",
            "quantity_allocated",
        ):
            stock = {
                "quantity": quantity,
                "warehouse": _global_id("Warehouse", warehouse_id),
            }
            lines.setdefault(order_id, []).append(
                {"orderLineId": _global_id("OrderLine", line_id), "stocks": [stock]}
            )
        return [
            {
                "query": MUTATION,
                "variables": {
                    "order": _global_id("Order", order_id),
                    "input": {
                        "notifyCustomer": False,
                        "trackingNumber": f"1Z{number:08}",
                        "lines": of_order,
                    },
                },
            }
            for number, (order_id, of_order) in enumerate(lines.items())
        ]


def _run_pairs(
    switch: PluginSwitch, staff: Staff, bodies: list[dict[str, Any]], count: int
) -> list[tuple[Sample, Sample]]:
    """Use up two of ``bodies`` for each pair."""
    pairs = []
    for _ in range(min(count, len(bodies) // 2)):
        samples = {}
        for is_on in random.sample((True, False), 2):
            switch.turn(is_on)
            samples[is_on] = staff.fulfill(bodies.pop())
        pairs.append((samples[True], samples[False]))
    return pairs


def _count_queries(
    switch: PluginSwitch,
    staff: Staff,
    bodies: dict[str, list[dict[str, Any]]],
    comparisons: dict[str, Comparison],
) -> None:
    for kind, comparison in comparisons.items():
        for is_on in (True, False):
            switch.turn(is_on)
            staff.fulfill(bodies[kind].pop())  # whatever Saleor does only once
            with (
                CaptureQueriesContext(connections["default"]) as writer,
                CaptureQueriesContext(connections["replica"]) as reader,
            ):
                staff.fulfill(bodies[kind].pop())
            count = len(writer) + len(reader)
            if is_on:
                comparison.queries_with = count
            else:
                comparison.queries_without = count


def _check_captured(amazon: Comparison) -> None:
    """All shipments with the plugin were captured, and no others."""
    with allow_writer():
        captured = OutboxEntry.objects.count()
    assert captured == len(amazon.pairs) + WARM_UP_PAIRS + 2, captured


def _ordinary_orders(shop: SaleorDriver, count: int) -> list[str]:
    channel = shop.create_channel("shop", "EUR", country="DE")
    stock = {channel.warehouses[0].id: 10**7}
    variants = {
        sku: shop.create_variant(sku, [channel.id], stock=stock)
        for sku in ("SHOP-1", "SHOP-2", "SHOP-3", "SHOP-4")
    }
    skus, store, ids = list(variants), SaleorStore(), []
    for numbers in batched(range(count), 50):
        with transaction.atomic():
            answers = store.create_orders(
                [
                    new_order(
                        draft(
                            f"shop-{number}",
                            [
                                line(skus[number % 4], 1 + number % 3),
                                line(skus[(number + 1) % 4], 1 + (number + 1) % 3),
                            ],
                        ),
                        channel,
                        variants,
                    )
                    for number in numbers
                ]
            )
            for answer in answers:
                assert isinstance(answer, CreatedOrder), answer
                ids.append(answer.order_id)
    Order.objects.filter(pk__in=ids).update(
        origin=OrderOrigin.CHECKOUT,
        external_reference=None,
        metadata={},
        private_metadata={},
    )
    return ids


def _global_id(type_name: str, primary_key: object) -> str:
    return str(graphene.Node.to_global_id(type_name, primary_key))
