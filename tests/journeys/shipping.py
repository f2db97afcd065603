"""What a package is called on Amazon, and what Amazon never takes from us.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel.models import CarrierMapping, OrderEvent, OutboxEntry
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000003-0000001"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World, **changes: Any) -> dict[str, str]:
    """The lines by order item id."""
    world.sandbox.state.put_orders([wire_order(ORDER, **changes)])
    world.work_until_quiet(2)
    return world.line_ids(ORDER)


def ship(world: World, line_id: str, carrier: str = "", tracking: str = "T-1") -> str:
    return world.shop.fulfil(
        world.ledger_order(ORDER).shop_order_id or "",
        {line_id: 1},
        warehouse_id=world.warehouse_id,
        tracking_number=tracking,
        carrier=carrier,
    )


def packages(world: World) -> list[tuple[str, str]]:
    return [
        (package["carrier"], package["trackingNumber"])
        for package in world.on_amazon(ORDER)["packages"]
    ]


def test_a10_a_mapped_carrier_goes_by_its_name_on_amazon(world: World) -> None:
    lines = imported(world, items=[wire_item(quantity=3)])
    line_id = lines["10000000000001"]
    CarrierMapping.objects.create(
        account=world.account,
        carrier="Versand Paket",
        key="versandpaket",
        carrier_code="DHL-Paket",
    )
    CarrierMapping.objects.create(
        account=world.account,
        carrier="Bob",
        key="bob",
        carrier_code="Other",
        carrier_name="Bob & Sons",
    )

    ship(world, line_id, "versand-paket", "T-1")
    ship(world, line_id, "BOB", "T-2")
    ship(world, line_id, "hermes uk", "T-3")
    world.work_until_quiet(3)

    assert packages(world) == [
        ("DHL-Paket", "T-1"),
        ("Bob & Sons", "T-2"),
        ("Hermes UK", "T-3"),
    ]


@pytest.mark.parametrize("tracking", ["T-1", ""])
def test_a10_a_package_of_ship_plus_is_refused_before_anything_is_sent(
    world: World, tracking: str
) -> None:
    order = wire_order(ORDER)
    order["programs"] = ["FBM_SHIP_PLUS"]
    world.sandbox.state.put_orders([order])
    world.work_until_quiet(2)

    ship(world, world.line_ids(ORDER)["10000000000001"], tracking=tracking)
    world.work_until_quiet(3)

    assert_refused(world, "SHIP_PLUS", "Buy the label in Seller Central")


def test_a10_units_that_need_a_transparency_code_are_refused_and_others_go(
    world: World,
) -> None:
    marked = wire_item("10000000000002", "MUG-2")
    marked["programs"] = ["TRANSPARENCY"]
    lines = imported(world, items=[wire_item(), marked])

    ship(world, lines["10000000000002"], tracking="T-1")
    world.work_until_quiet(3)

    assert_refused(world, "TRANSPARENCY", "with the codes")

    ship(world, lines["10000000000001"], tracking="T-2")
    world.work_until_quiet(3)

    assert packages(world) == [("DHL", "T-2")]


def assert_refused(world: World, code: str, remedy: str) -> None:
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("failed", code)
    assert remedy in entry.error_message
    assert OrderEvent.objects.filter(message=entry.error_message).count() == 1
    operations = {call.operation for call in world.sandbox.state.calls()}
    assert not operations & {"confirmShipment", "createFeed", "createFeedDocument"}
    assert "packages" not in world.on_amazon(ORDER) or packages(world) == []
