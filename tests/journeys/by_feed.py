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
from saleor_amazon_channel.amazon.order_feeds import Fulfillment
from saleor_amazon_channel.models import OutboxEntry, SellerAccount
from saleor_amazon_channel.pushing import feeds, shipments
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_order


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
