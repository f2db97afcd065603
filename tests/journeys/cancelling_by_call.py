"""Staff cancel on Amazon by its call, where the marketplace has that switched on.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import CommunicationLog, Marketplace, OutboxEntry
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import GERMANY, wire_order

ORDER = "111-0000001-0000001"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        set_mechanism(world, "call")
        world.sandbox.state.put_orders([wire_order(ORDER)])
        world.work_until_quiet(2)
        yield world


def set_mechanism(world: World, mechanism: str) -> None:
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(account=world.account, marketplace_id=GERMANY),
            accounts.MarketplaceChanges(cancellation_mechanism=mechanism),
        )


def cancel(world: World, reason: CancelReason = CancelReason.NO_INVENTORY) -> None:
    with world.shop.writer():
        request_cancellation(ORDER, reason, actor="staff@example.com")
    world.move_clock(timedelta(minutes=1))


def rounds(world: World, count: int = 5) -> None:
    for _ in range(count):
        world.work()
        world.move_clock(timedelta(minutes=5))


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def state() -> str:
    return OutboxEntry.objects.get().state


def check_cancelled(world: World) -> None:
    fulfillment = world.on_amazon(ORDER)["fulfillment"]
    assert fulfillment["fulfillmentStatus"] == "CANCELLED"
    assert state() == "succeeded"
    shop_order = world.shop.order(world.ledger_order(ORDER).shop_order_id or "")
    assert shop_order.status == "canceled"


def test_one_call_and_no_feed(world: World) -> None:
    cancel(world)
    rounds(world, 2)

    check_cancelled(world)
    assert (calls(world, "cancelOrder"), calls(world, "createFeed")) == (1, 0)


def test_the_feed_stays_the_default(world: World) -> None:
    set_mechanism(world, "feed")
    cancel(world)
    rounds(world)

    check_cancelled(world)
    assert (calls(world, "cancelOrder"), calls(world, "createFeed")) == (0, 1)


def test_a_reason_that_the_call_does_not_know_goes_by_feed(world: World) -> None:
    cancel(world, CancelReason.GENERAL_ADJUSTMENT)
    rounds(world)

    check_cancelled(world)
    assert (calls(world, "cancelOrder"), calls(world, "createFeed")) == (0, 1)


def test_where_amazon_does_not_offer_the_call_it_goes_by_feed(world: World) -> None:
    world.sandbox.state.inject_fault("cancelOrder", "unauthorized", count=99)
    cancel(world)
    rounds(world)

    check_cancelled(world)
    assert (calls(world, "cancelOrder"), calls(world, "createFeed")) == (1, 1)
    assert CommunicationLog.objects.get().operation == "cancelOrder"


def test_an_answer_that_got_lost_is_found_out_by_reading(world: World) -> None:
    world.sandbox.state.inject_fault("cancelOrder", "close_after_effect", count=1)
    cancel(world)
    rounds(world, 4)

    check_cancelled(world)
    assert (calls(world, "cancelOrder"), calls(world, "createFeed")) == (1, 0)


def test_a_call_that_never_arrived_is_sent_again(world: World) -> None:
    world.sandbox.state.inject_fault("cancelOrder", "reset_before_effect", count=1)
    cancel(world)
    rounds(world, 4)

    check_cancelled(world)
    assert calls(world, "cancelOrder") == 2


@pytest.mark.parametrize("by", ["buyer", "shipped"])
def test_an_order_that_is_not_as_it_was_is_read(world: World, by: str) -> None:
    cancel(world)
    if by == "buyer":
        events.cancel(world.sandbox.state, ORDER)
    else:
        events.ship(world.sandbox.state, ORDER)
    world.sandbox.state.inject_fault("searchOrders", "unavailable", count=99)
    rounds(world, 3)

    entry = OutboxEntry.objects.get()
    if by == "buyer":
        assert entry.state == "succeeded"
    else:
        assert (entry.state, entry.error_code) == ("failed", "NOT_UNSHIPPED")
    assert calls(world, "createFeed") == 0
