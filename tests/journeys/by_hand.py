"""What staff do with what is to be told to Amazon: see it, drop it, try it again; and
the copy of a shop that must not tell anything.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import lifecycle, outbox
from saleor_amazon_channel.amazon import feeds
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.models import (
    ChannelSettings,
    Marketplace,
    OrderEvent,
    OutboxEntry,
)
from saleor_amazon_channel.pushing import by_hand, runner, shipments
from saleor_amazon_channel.pushing.by_hand import NotPossible
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_order

ORDERS = [f"111-0000004-{number:07}" for number in range(1, 4)]
STAFF = "staff@example.com"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(each) for each in ORDERS])
    world.work_until_quiet(2)


def ship(world: World, order_id: str) -> None:
    world.shop.fulfil(
        world.ledger_order(order_id).shop_order_id or "",
        {world.line_ids(order_id)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number=f"T-{order_id[-1]}",
    )


def entry_of(order_id: str) -> OutboxEntry:
    return OutboxEntry.objects.select_related("order").get(
        order__amazon_order_id=order_id
    )


def confirmed(world: World) -> list[str]:
    return [each for each in ORDERS if world.on_amazon(each).get("packages")]


def by_staff(world: World, what: Any, *order_ids: str) -> None:
    with world.shop.writer():
        what([entry_of(each).pk for each in order_ids], STAFF)


def test_e4_what_waits_is_shown_as_it_would_be_sent_and_dropped_or_sent(
    world: World,
) -> None:
    imported(world)
    ChannelSettings.objects.update(read_only=True)
    first, second, third = ORDERS
    ship(world, first)
    ship(world, second)
    with world.shop.writer():
        lifecycle.request_cancellation(third, CancelReason.NO_INVENTORY, STAFF)
    world.work()

    told = by_hand.describe([entry_of(each) for each in ORDERS], "default")
    assert list(told.values()) == [
        "Package 1001: 1 unit, DHL, T-1, shipped 2026-11-20.",
        "Package 1001: 1 unit, DHL, T-2, shipped 2026-11-20.",
        "Cancel the order: NoInventory.",
    ]

    by_staff(world, by_hand.discard, first)
    ChannelSettings.objects.update(read_only=False)
    world.work_until_quiet(4)

    assert confirmed(world) == [second]
    assert world.on_amazon(third)["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    dropped = entry_of(first)
    assert (dropped.state, dropped.error_code) == ("failed", "DISCARDED")
    assert "discarded by staff@example.com" in dropped.error_message
    assert dropped.reported_at is not None
    event = OrderEvent.objects.get(order=dropped.order, type="confirm_shipment_failed")
    assert (event.message, event.actor) == (dropped.error_message, STAFF)
    # The sweep does not bring it back.
    with world.shop.writer():
        assert lifecycle.sweep() == 0


@pytest.mark.parametrize("switch", [{"read_only": True}, {"active": False}])
def test_e4_what_is_switched_off_stops_at_once_and_not_after_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch, switch: dict[str, bool]
) -> None:
    imported(world)
    first, second, third = ORDERS
    ship(world, first)
    ship(world, second)
    with world.shop.writer():
        lifecycle.request_cancellation(third, CancelReason.NO_INVENTORY, STAFF)
    world.move_clock(outbox.COMPANY_WAIT)
    confirm, create = shipments.confirm_shipment, feeds.create_feed

    def and_then_off(*args: Any, **options: Any) -> None:
        confirm(*args, **options)
        ChannelSettings.objects.update(**switch)

    def off_meanwhile(*args: Any, **options: Any) -> str:
        ChannelSettings.objects.update(**switch)
        try:
            return create(*args, **options)
        finally:
            ChannelSettings.objects.update(active=True, read_only=False)

    monkeypatch.setattr(shipments, "confirm_shipment", and_then_off)
    monkeypatch.setattr(feeds, "create_feed", off_meanwhile)
    with world.shop.writer():
        runner.push()

    assert confirmed(world) == [first]
    assert [entry_of(each).state for each in ORDERS] == [
        "succeeded",
        "pending",
        "pending",
    ]
    assert not world.sandbox.state.calls("createFeed")

    monkeypatch.undo()
    ChannelSettings.objects.update(active=True, read_only=False)
    world.work_until_quiet(4)
    assert confirmed(world) == [first, second]
    assert world.on_amazon(third)["fulfillment"]["fulfillmentStatus"] == "CANCELLED"


def test_only_what_was_not_sent_is_dropped(world: World) -> None:
    imported(world)
    ship(world, ORDERS[0])
    world.work_until_quiet(2)
    ship(world, ORDERS[1])

    with pytest.raises(NotPossible, match=r"Confirm Shipment of order 111-.* any more"):
        by_staff(world, by_hand.discard, ORDERS[0], ORDERS[1])

    world.work_until_quiet(2)
    assert confirmed(world) == ORDERS[:2]


def test_what_failed_is_tried_again_once_its_cause_is_gone(world: World) -> None:
    imported(world)
    Marketplace.objects.update(default_carrier_code="No carrier of Amazon's")
    ship(world, ORDERS[0])
    world.work_until_quiet(2)
    assert entry_of(ORDERS[0]).state == "failed"

    Marketplace.objects.update(default_carrier_code="DHL")
    by_staff(world, by_hand.retry, ORDERS[0])
    world.work_until_quiet(2)

    entry = entry_of(ORDERS[0])
    assert (entry.state, entry.error_message) == ("succeeded", "")
    assert confirmed(world) == [ORDERS[0]]
    assert OrderEvent.objects.get(type="confirm_shipment_retried").actor == STAFF
    with pytest.raises(NotPossible, match="it is settled"):
        by_staff(world, by_hand.retry, ORDERS[0])


def test_a_cancellation_that_failed_is_asked_for_anew(world: World) -> None:
    imported(world)
    with world.shop.writer():
        lifecycle.request_cancellation(ORDERS[0], CancelReason.NO_INVENTORY, STAFF)
    OutboxEntry.objects.update(state=outbox.State.FAILED, reported_at=None)

    with pytest.raises(NotPossible, match="with amazonOrderCancel"):
        by_staff(world, by_hand.retry, ORDERS[0])

    assert entry_of(ORDERS[0]).state == "failed"


def test_e4_a_copy_of_the_shop_sends_nothing_until_it_is_said_to_be_none(
    world: World, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://shop.example"
    imported(world)
    assert ChannelSettings.objects.get().public_url == "https://shop.example"

    settings.PUBLIC_URL = "https://staging.shop.example"
    ship(world, ORDERS[0])
    world.work()

    row = ChannelSettings.objects.get()
    assert row.read_only
    assert row.read_only_reason.startswith(
        "The shop was at https://shop.example and is now at "
        "https://staging.shop.example: a copy must not act on Amazon."
    )
    assert entry_of(ORDERS[0]).state == "pending"
    assert confirmed(world) == []

    # Where the address is not known, nothing is concluded from it.
    ChannelSettings.objects.update(read_only=False)
    settings.PUBLIC_URL = None
    world.work_until_quiet(2)
    assert not ChannelSettings.objects.get().read_only
    assert confirmed(world) == [ORDERS[0]]
