"""Kill the worker at every commit and every send of a refund: it is made once.

See ``killing``. Each round is an order of its own, so that one is judged by itself.

Imported by ``standalone/test_killing_refunds.py``; in real Saleor a part of the
moments, in ``in_saleor/test_killing_refunds.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.killing import forked
from journeys.moments import die_at_moment
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


def refund_and_die(world: World, number: int, arm: Callable[[], None]) -> bool:
    """A refund of an order of its own, whose worker ``arm`` prepares to die; whether it
    lived. It is made once all the same."""
    order_id = f"{number:03}-0000000-0000001"
    put(world, order_id)
    events.ship(world.sandbox.state, order_id)
    world.move_clock(timedelta(minutes=6))
    world.work()
    shop_order_id = world.ledger_order(order_id).shop_order_id or ""
    world.shop.request_refund(shop_order_id, "5.00")
    world.move_clock(timedelta(minutes=1))

    finished = forked(lambda: push_and_follow(world), arm)
    settle(world)

    given = refunded_on_amazon(world, order_id)
    assert {i: c["Principal"] for i, c in given.items()} == {
        "10000000000001": "3.60",
        "10000000000002": "1.40",
    }, f"killed at moment {number}"
    assert money(world, order_id) == ("27.76", "0.00", "5.00")
    assert len(world.shop.order(shop_order_id).refunds) == 1
    return finished


def check_all(world: World) -> None:
    assert set(ShopRefund.objects.values_list("entry__state")) == {("succeeded",)}
    assert AmazonRefund.objects.count() == ShopRefund.objects.count()


def test_a11_kill_at_every_moment_of_a_refund(world: World) -> None:
    finished, round_number = False, 0
    while not finished:
        round_number += 1
        assert round_number < 200, "the worker never finishes"
        finished = refund_and_die(
            world, round_number, partial(die_at_moment, round_number)
        )

    logger.info("killed at %s moments", round_number - 1)
    assert round_number > 20, "too few moments: the counting does not see the commits"
    check_all(world)
