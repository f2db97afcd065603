"""Shipping, in real Saleor, its staff acting through its own mutations."""

from __future__ import annotations

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.order.models import Fulfillment

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.shipping import *  # noqa: F403
from journeys.shipping import ORDER, imported, packages, ship
from saleor_amazon_channel import lifecycle
from saleor_amazon_channel.saleor.store import SaleorStore
from wire_orders import wire_item

RETURN = """
mutation ($order: ID!, $line: ID!) {
  result: orderFulfillmentReturnProducts(
    order: $order
    input: { fulfillmentLines: [{ fulfillmentLineId: $line, quantity: 1 }] }
  ) { errors { field message } }
}
"""


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


def take_back_one(world, fulfillment_id: str) -> None:
    """Staff record that a unit of the fulfillment came back. Saleor takes it out of
    the fulfillment, which is gone when nothing is left in it."""
    fulfillment = Fulfillment.objects.get(pk=fulfillment_id)
    line = fulfillment.lines.get()
    world.shop._mutate(
        RETURN,
        order=graphene.Node.to_global_id("Order", fulfillment.order_id),
        line=graphene.Node.to_global_id("FulfillmentLine", line.pk),
    )


def units(world) -> list[int]:
    return [
        item["quantity"]
        for package in world.on_amazon(ORDER)["packages"]
        for item in package["packageItems"]
    ]


def ship_two(world, line_id: str) -> str:
    return world.shop.fulfil(
        world.ledger_order(ORDER).shop_order_id,
        {line_id: 2},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )


def test_what_is_returned_has_left_all_the_same(world):
    line_id = imported(world, items=[wire_item(quantity=2)])["10000000000001"]
    fulfillment_id = ship_two(world, line_id)
    world.work_until_quiet(2)

    take_back_one(world, fulfillment_id)
    assert lifecycle.sweep() == 0
    world.shop.update_tracking(fulfillment_id, "T-2")
    world.work_until_quiet(2)

    assert packages(world) == [("DHL", "T-2")]
    assert units(world) == [2]
    status = world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"]
    assert status == "SHIPPED"


def test_what_is_returned_before_amazon_heard_of_it_is_confirmed(world):
    line_id = imported(world)["10000000000001"]
    take_back_one(world, ship(world, line_id))
    assert not Fulfillment.objects.filter(status="fulfilled").exists()

    world.work_until_quiet(2)

    assert packages(world) == [("DHL", "T-1")]


def test_what_ships_after_a_return_is_another_package(world):
    line_id = imported(world, items=[wire_item(quantity=2)])["10000000000001"]
    first = ship(world, line_id, tracking="T-1")
    world.work_until_quiet(2)
    take_back_one(world, first)

    ship(world, line_id, tracking="T-2")
    world.work_until_quiet(2)

    assert packages(world) == [("DHL", "T-1"), ("DHL", "T-2")]
    assert units(world) == [1, 1]
