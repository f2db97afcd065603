"""Kill the worker at every commit and every send of a refund: it is made once.

See ``killing``. Each round is an order of its own, so that one is judged by itself.

Imported by ``standalone/test_killing_refunds.py``.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.killing import run_worker
from journeys.refunding import money, refunded_on_amazon
from journeys.refunds import put
from journeys.world import World, running_world
from saleor_amazon_channel.models import AmazonRefund, ShopRefund
from saleor_amazon_channel.pushing import runner
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Any:
    with running_world(shop, store, stock=100_000) as world:
        yield world


def push_and_follow(world: World) -> None:
    """What a worker does from the request to its outcome in the shop."""
    for _ in range(2):
        with world.shop.writer():
            runner.push()
        world.move_clock(timedelta(minutes=2))


def settle(world: World) -> None:
    """Restart until Amazon has told of it and the shop has it, past the lifetime of
    claims and until Amazon's list of feeds is believed."""
    for _ in range(14):
        world.move_clock(timedelta(minutes=11))
        world.work()
        is_open = ShopRefund.objects.filter(entry__reported_at=None).exists()
        if not is_open and not AmazonRefund.objects.filter(state="waiting").exists():
            told = AmazonRefund.objects.filter(shop_refund__isnull=False).count()
            if told == ShopRefund.objects.count():
                return


def test_a11_kill_at_every_moment_of_a_refund(world: World) -> None:
    finished, round_number = False, 0
    while not finished:
        round_number += 1
        assert round_number < 200, "the worker never finishes"
        order_id = f"{round_number:03}-0000000-0000001"
        put(world, order_id)
        events.ship(world.sandbox.state, order_id)
        world.move_clock(timedelta(minutes=6))
        world.work()
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_refund(shop_order_id, "5.00")
        world.move_clock(timedelta(minutes=1))

        finished = run_worker(lambda: push_and_follow(world), die_at=round_number)
        settle(world)

        given = refunded_on_amazon(world, order_id)
        assert {i: c["Principal"] for i, c in given.items()} == {
            "10000000000001": "3.60",
            "10000000000002": "1.40",
        }, f"killed at moment {round_number}"
        assert money(world, order_id) == ("27.76", "0.00", "5.00")
        assert len(world.shop.order(shop_order_id).refunds) == 1

    logger.info("killed at %s moments", round_number - 1)
    assert round_number > 20, "too few moments: the counting does not see the commits"
    assert set(ShopRefund.objects.values_list("entry__state")) == {("succeeded",)}
    assert AmazonRefund.objects.count() == ShopRefund.objects.count()
