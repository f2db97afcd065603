"""What goes to Amazon by feed: many at once, and all that can become of it.

Run in both shops: see ``world``. Cancellations, which always go by feed, have more of
it in ``cancelling``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import budget, clock
from saleor_amazon_channel.amazon.feeds import CREATE_FEED
from saleor_amazon_channel.amazon.order_feeds import CancelReason, Fulfillment
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import (
    AmazonOrder,
    CommunicationLog,
    Feed,
    OutboxEntry,
    SellerAccount,
)
from saleor_amazon_channel.pushing import cancellations, feeds, shipments
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World, count: int) -> list[str]:
    orders = [f"111-0000002-{number:07}" for number in range(count)]
    world.sandbox.state.put_orders([wire_order(each) for each in orders])
    world.work_until_quiet(2)
    return orders


def ship(world: World, order_id: str, tracking_number: str = "") -> str:
    """Staff ship the one mug of an order; the fulfillment's id."""
    return world.shop.fulfil(
        world.ledger_order(order_id).shop_order_id or "",
        {world.line_ids(order_id)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number=tracking_number,
    )


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def entry_of(order_id: str) -> OutboxEntry:
    return OutboxEntry.objects.get(order__amazon_order_id=order_id)


def test_what_staff_do_while_a_feed_is_made_changes_nobody_elses_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MANY_SHIPMENTS", 3)
    first, second, third = imported(world, 3)
    fulfillment, *_ = [
        ship(world, each, f"T-{each}") for each in (first, second, third)
    ]
    # Amazon will not take the second: it was shipped in Seller Central meanwhile.
    events.ship(world.sandbox.state, second)
    document = shipments.document

    def and_staff_cancel_the_first(
        account: SellerAccount, messages: Mapping[int, Fulfillment]
    ) -> bytes:
        world.shop.cancel_fulfillment(fulfillment, warehouse_id=world.warehouse_id)
        return document(account, messages)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shipments, "document", and_staff_cancel_the_first)
        world.work()
    world.move_clock(timedelta(minutes=5))
    world.work_until_quiet(2)

    assert calls(world, "createFeed") == 1
    states = [entry_of(each).state for each in (first, second, third)]
    assert states == ["succeeded", "failed", "succeeded"]
    for order_id in (first, third):
        [package] = world.on_amazon(order_id)["packages"]
        assert package["trackingNumber"] == f"T-{order_id}"


def cancel(world: World, *order_ids: str) -> None:
    with world.shop.writer():
        for order_id in order_ids:
            request_cancellation(order_id, CancelReason.NO_INVENTORY)
    world.move_clock(timedelta(minutes=1))


def rounds(world: World, count: int, step: timedelta = timedelta(minutes=5)) -> None:
    for _ in range(count):
        world.work()
        world.move_clock(step)


def states(*order_ids: str) -> list[str]:
    return [entry_of(each).state for each in order_ids]


def statuses_on_amazon(world: World, *order_ids: str) -> list[str]:
    found = [world.on_amazon(each)["fulfillment"] for each in order_ids]
    return [fulfillment["fulfillmentStatus"] for fulfillment in found]


# --- after a feed was lost -----------------------------------------------------------


def test_what_was_read_stays_read_when_the_budget_runs_out(world: World) -> None:
    orders = imported(world, 6)
    cancel(world, *orders)
    world.sandbox.state.feeds.determine(Fate("fatal"))
    rounds(world, 1)

    for _ in range(8):
        # Two orders can be read each time, no more.
        world.sandbox.state.inject_fault("getOrder", "throttled", skip=2)
        rounds(world, 1)

    assert "unknown" not in states(*orders)
    world.sandbox.state.clear_faults()
    rounds(world, 4)
    assert set(statuses_on_amazon(world, *orders)) == {"CANCELLED"}
    assert set(states(*orders)) == {"succeeded"}


def test_a_package_without_tracking_is_read_before_it_is_sent_again(
    world: World,
) -> None:
    [order_id] = imported(world, 1)
    ship(world, order_id)
    world.move_clock(timedelta(hours=45))
    # It is applied; only nobody can read so from the report.
    world.sandbox.state.feeds.determine(Fate("garbled"))

    rounds(world, 6)

    assert states(order_id) == ["succeeded"]
    assert calls(world, "createFeed") == 1


def test_a_package_is_known_though_amazon_gave_it_another_id(world: World) -> None:
    [order_id] = imported(world, 1)
    ship(world, order_id)
    world.move_clock(timedelta(hours=45))
    world.sandbox.state.feeds.determine(Fate("renumbered"))

    rounds(world, 6)

    assert states(order_id) == ["succeeded"]
    assert calls(world, "createFeed") == 1
    [package] = world.on_amazon(order_id)["packages"]
    assert package["packageReferenceId"] != "1001"


def test_a_package_just_like_one_that_amazon_has_is_not_taken_for_it(
    world: World,
) -> None:
    order_id = "111-0000002-0000001"
    world.sandbox.state.put_orders(
        [wire_order(order_id, items=[wire_item(quantity=2)])]
    )
    world.work_until_quiet(2)
    ship(world, order_id)
    ship(world, order_id)
    world.move_clock(timedelta(hours=45))
    # The first arrives under another id, the second not at all.
    world.sandbox.state.feeds.determine(Fate("renumbered"))
    world.sandbox.state.feeds.determine(Fate("fatal"))

    rounds(world, 12)

    entries = OutboxEntry.objects.filter(order__amazon_order_id=order_id)
    assert {entry.state for entry in entries} == {"succeeded"}
    assert len(world.on_amazon(order_id)["packages"]) == 2
    assert calls(world, "createFeed") == 3


def test_a_feed_that_does_not_end_holds_its_orders_for_a_day(world: World) -> None:
    [order_id] = imported(world, 1)
    cancel(world, order_id)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=30 * 3600))

    rounds(world, 23, timedelta(hours=1))
    assert states(order_id) == ["submitted"]
    rounds(world, 4, timedelta(hours=1))
    assert Feed.objects.earliest("pk").note == (
        "Amazon did not end the feed within 24 hours."
    )
    assert calls(world, "createFeed") == 2

    rounds(world, 8, timedelta(hours=1))
    assert states(order_id) == ["succeeded"]
    assert statuses_on_amazon(world, order_id) == ["CANCELLED"]


def test_packages_whose_feed_hangs_go_by_calls(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MANY_SHIPMENTS", 2)
    orders = imported(world, 2)
    for order_id in orders:
        ship(world, order_id, f"T-{order_id}")
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=30 * 3600))

    rounds(world, 4, timedelta(minutes=25))
    assert states(*orders) == ["submitted", "submitted"]
    rounds(world, 4, timedelta(minutes=25))

    assert states(*orders) == ["succeeded", "succeeded"]
    assert Feed.objects.get().note == "Amazon did not end the feed within 2 hours."
    # The feed takes effect after all.
    rounds(world, 2, timedelta(days=1))
    for order_id in orders:
        [package] = world.on_amazon(order_id)["packages"]
        assert package["trackingNumber"] == f"T-{order_id}"


def test_what_must_not_happen_twice_asks_for_a_person_instead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellations, "IS_REPEATABLE", False)
    [order_id] = imported(world, 1)
    cancel(world, order_id)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=30 * 3600))

    rounds(world, 36, timedelta(hours=1))

    entry = entry_of(order_id)
    assert (entry.state, entry.error_code) == ("failed", "FEED_NEVER_ENDED")
    assert "look in Seller Central" in entry.error_message
    notes = world.shop.order(world.ledger_order(order_id).shop_order_id or "").notes
    assert any("look in Seller Central" in note for note in notes)
    assert calls(world, "createFeed") == 1


def test_what_goes_by_feed_only_keeps_its_place_when_the_feeds_are_used_up(
    world: World,
) -> None:
    shipped, *others = imported(world, 12)
    AmazonOrder.objects.filter(amazon_order_id=shipped).update(ship_by=clock.now())
    plan = USAGE_PLANS[CREATE_FEED]
    budget.SharedBudget(world.account.pk).penalize(CREATE_FEED, plan, 1)
    ship(world, shipped)

    # A cancellation is due whenever there is a feed again.
    rounds(world, 2, timedelta(seconds=5))
    for cancelled in others:
        cancel(world, cancelled)
        rounds(world, 1, timedelta(seconds=30))

    first = Feed.objects.earliest("pk")
    assert first.feed_type == "POST_ORDER_FULFILLMENT_DATA"
    assert entry_of(shipped).state in ("submitted", "succeeded")


# --- refused -------------------------------------------------------------------------


def test_a_role_that_the_app_lacks_is_waited_for(world: World) -> None:
    orders = imported(world, 2)
    cancel(world, *orders)
    world.sandbox.state.inject_fault("createFeed", "unauthorized", count=1)
    rounds(world, 1, timedelta(0))

    for order_id in orders:
        entry = entry_of(order_id)
        assert (entry.state, entry.error_code) == ("pending", "Forbidden")
        assert "has the role for this operation" in entry.error_message
        assert "has the role" in world.ledger_order(order_id).note
    assert CommunicationLog.objects.get().operation == "createFeed"

    world.move_clock(timedelta(minutes=20))
    rounds(world, 3)
    assert states(*orders) == ["succeeded", "succeeded"]


def test_a_marketplace_that_amazon_does_not_take_fails_only_its_own(
    world: World,
) -> None:
    first, second, third = imported(world, 3)
    cancel(world, first, second, third)
    AmazonOrder.objects.filter(amazon_order_id=second).update(
        marketplace_id="ATVPDKIKX0DER"
    )

    rounds(world, 4)

    assert states(first, second, third) == ["succeeded", "failed", "succeeded"]
    assert "not one of the seller's" in entry_of(second).error_message
    assert [call.status for call in world.sandbox.state.calls("createFeed")] == [
        400,
        202,
        400,
    ]


# --- unexpected ----------------------------------------------------------------------


def test_one_entry_that_goes_wrong_keeps_no_other_from_its_feed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = imported(world, 2)
    cancel(world, first, second)
    prepare = cancellations.prepare

    def but_not_the_first(entries: list[OutboxEntry]) -> object:
        if any(entry.order.amazon_order_id == first for entry in entries):
            raise RuntimeError("unexpected")
        return prepare(entries)

    with monkeypatch.context() as broken:
        broken.setattr(cancellations, "prepare", but_not_the_first)
        rounds(world, 3)
    assert states(first, second) == ["pending", "succeeded"]
    assert entry_of(first).error_code == "INTERNAL"

    rounds(world, 3)
    assert states(first) == ["succeeded"]


def test_feeds_that_go_wrong_keep_no_call_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, shipped = imported(world, 2)
    cancel(world, cancelled)
    ship(world, shipped, "T-1")

    def fails(*_: object) -> bytes:
        raise RuntimeError("unexpected")

    with monkeypatch.context() as broken:
        broken.setattr(cancellations, "document", fails)
        rounds(world, 1)
    assert states(cancelled, shipped) == ["pending", "succeeded"]

    rounds(world, 3)
    assert states(cancelled) == ["succeeded"]
