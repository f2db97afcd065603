"""Kill the worker at every commit and every send: nothing is lost, nothing doubled.

The parent has Django loaded and forks the worker, whose database writes and HTTP sends
are counted: before and after each one is a moment to die at. In round n the worker is
killed (SIGKILL: no clean-up runs) at its n-th moment, restarted once its leases and
claims are over, and must finish. Rounds go on until a worker finishes undisturbed, so
every moment has had its kill. Nothing in the product knows of this.

Imported by ``standalone/test_killing.py`` and ``in_saleor/test_killing.py``.
"""

from __future__ import annotations

import logging
import os
import signal
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from contract.driver import StaffDriver
from journeys.moments import die_at_moment
from journeys.world import World, running_world
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import AmazonOrder, OutboxEntry
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.django_db(transaction=True)


def run_worker(work: Callable[[], None], die_at: int) -> bool:
    """Fork a worker that does ``work``; whether it finished before its death."""
    return forked(work, lambda: die_at_moment(die_at))


def forked(work: Callable[[], None], arm: Callable[[], None]) -> bool:
    """The same, of one that ``arm`` has prepared to die."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            arm()
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - the parent is told by the exit status
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the worker failed; see its traceback above"
    return True


def settle(world: World) -> None:
    """Restart until nothing is left to do, past the lifetime of leases and claims."""
    for _ in range(12):
        world.move_clock(timedelta(minutes=6))
        world.work()
        if not is_open():
            return


def is_open() -> bool:
    """Whether something is neither imported nor sent nor reported."""
    return (
        AmazonOrder.objects.exclude(import_state="imported").exists()
        or OutboxEntry.objects.filter(reported_at=None).exists()
    )


def put_orders(world: World, round_number: int, count: int) -> list[str]:
    wires = [
        wire_order(
            f"{round_number:03}-0000000-{n:07}",
            items=[
                wire_item("10000000000001", "MUG-1", quantity=2, price="10.01"),
                wire_item("10000000000002", "MUG-2", quantity=1, price="7.77"),
            ],
            updated=clock.now() - timedelta(minutes=3),
        )
        for n in range(count)
    ]
    world.sandbox.state.put_orders(wires)
    return [wire["orderId"] for wire in wires]


def check_imported(world: World, order_ids: list[str]) -> None:
    rows = AmazonOrder.objects.filter(amazon_order_id__in=order_ids)
    assert sorted(row.amazon_order_id for row in rows) == order_ids
    assert {row.import_state for row in rows} == {"imported"}
    figures = world.store.figures([row.shop_order_id for row in rows])
    for row in rows:
        assert figures[row.shop_order_id].total == row.grand_total
        assert figures[row.shop_order_id].total_charged == row.grand_total
        assert figures[row.shop_order_id].allocated == 3


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Any:
    with running_world(shop, store, stock=100_000) as world:
        yield world


def test_kill_at_every_moment_of_the_import(world: World) -> None:
    orders_per_round, finished, round_number = 6, False, 0
    imported: list[str] = []
    while not finished:
        round_number += 1
        assert round_number < 200, "the worker never finishes"
        order_ids = put_orders(world, round_number, orders_per_round)
        world.move_clock(timedelta(minutes=6))
        finished = run_worker(world.work, die_at=round_number)
        settle(world)
        check_imported(world, order_ids)
        imported += order_ids

    logger.info("killed at %s moments, %s orders", round_number - 1, len(imported))
    assert round_number > 10, "too few moments: the counting does not see the commits"
    assert world.shop.order_count() == AmazonOrder.objects.count() == len(imported)
    stock = world.shop.stock(variant(world, "MUG-1"), world.warehouse_id)
    assert stock.allocated == 2 * len(imported)


def test_kill_at_every_moment_of_the_push(world: World) -> None:
    orders_per_round, finished, round_number = 2, False, 0
    shipped: list[str] = []
    while not finished:
        round_number += 1
        assert round_number < 200, "the worker never finishes"
        order_ids = put_orders(world, round_number, orders_per_round)
        world.work_until_quiet(2)
        for order_id in order_ids:
            ship_in_two_packages(world, order_id)
        finished = run_worker(world.work, die_at=round_number)
        settle(world)
        for order_id in order_ids:
            check_shipped(world, order_id)
        shipped += order_ids

    logger.info("killed at %s moments, %s orders", round_number - 1, len(shipped))
    assert round_number > 10, "too few moments: the counting does not see the commits"
    states = set(OutboxEntry.objects.values_list("state", flat=True))
    assert states == {"succeeded"}
    assert OutboxEntry.objects.count() == 2 * len(shipped)


def ship_in_two_packages(world: World, order_id: str) -> None:
    order, lines = world.ledger_order(order_id), world.line_ids(order_id)
    for tracking, package in (
        ("T-1", {lines["10000000000001"]: 1}),
        ("T-2", {lines["10000000000001"]: 1, lines["10000000000002"]: 1}),
    ):
        world.shop.fulfil(
            order.shop_order_id,
            package,
            warehouse_id=world.warehouse_id,
            tracking_number=f"{tracking}-{order_id}",
        )


def check_shipped(world: World, order_id: str) -> None:
    on_amazon = world.on_amazon(order_id)
    assert on_amazon["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert [
        (p["packageReferenceId"], p["trackingNumber"]) for p in on_amazon["packages"]
    ] == [("1001", f"T-1-{order_id}"), ("1002", f"T-2-{order_id}")]
    view = world.shop.order(world.ledger_order(order_id).shop_order_id)
    confirmed = [note for note in view.notes if "is confirmed to Amazon" in note]
    assert confirmed == [
        "Package 1001 is confirmed to Amazon.",
        "Package 1002 is confirmed to Amazon.",
    ]


def variant(world: World, sku: str) -> str:
    resolution = world.store.resolve_skus({world.channel.id: [sku]})
    variant_id = resolution[world.channel.id][sku].variant_id
    assert variant_id
    return variant_id
