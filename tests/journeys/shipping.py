"""What a package is called on Amazon, and what Amazon never takes from us.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import clock, lifecycle, store
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonPackage,
    CarrierMapping,
    CommunicationLog,
    OrderEvent,
    OutboxEntry,
)
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


def test_what_was_copied_with_spaces_goes_without_them(world: World) -> None:
    line_id = imported(world, items=[wire_item(quantity=2)])["10000000000001"]

    ship(world, line_id, " Hermes  UK\n", "\tT-1 \n")
    blank = ship(world, line_id, " ", " ")
    world.work()

    assert packages(world) == [("Hermes UK", "T-1")]
    assert OutboxEntry.objects.get(state="pending").error_code == "WAITING"

    world.shop.update_tracking(blank, "T-2")
    world.work_until_quiet(2)

    assert packages(world) == [("Hermes UK", "T-1"), ("DHL", "T-2")]
    with world.shop.writer():
        assert lifecycle.sweep() == 0


def test_a_package_waits_for_nothing_where_amazon_names_no_ship_by_date(
    world: World,
) -> None:
    line_id = imported(world)["10000000000001"]
    AmazonOrder.objects.update(ship_by=None)

    ship(world, line_id, tracking="")
    world.work_until_quiet(3)

    [package] = world.on_amazon(ORDER)["packages"]
    assert (package["carrier"], package.get("trackingNumber")) == ("DHL", None)


def test_a_role_that_the_app_lacks_is_waited_for(world: World) -> None:
    line_id = imported(world)["10000000000001"]
    ship(world, line_id)
    world.sandbox.state.inject_fault("confirmShipment", "unauthorized", count=2)
    world.work()

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("pending", "Forbidden")
    assert "has the role for this operation" in entry.error_message
    assert OrderEvent.objects.filter(message=entry.error_message).count() == 1
    assert CommunicationLog.objects.get().operation == "confirm_shipment"

    world.work_until_quiet(3)
    assert packages(world) == [("DHL", "T-1")]
    # The same refusal again is no news of the order's.
    assert OrderEvent.objects.filter(type="confirm_shipment_pending").count() == 1


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


def test_a10_what_is_cancelled_after_amazon_knows_is_told_and_shipped_again(
    world: World,
) -> None:
    line_id = imported(world)["10000000000001"]
    first = ship(world, line_id)
    world.work_until_quiet(2)
    world.shop.cancel_fulfillment(first, warehouse_id=world.warehouse_id)

    world.work_until_quiet(3)

    order_id = world.ledger_order(ORDER).shop_order_id or ""
    [note] = [n for n in world.shop.order(order_id).notes if "was cancelled here" in n]
    assert note == (
        "The fulfillment of package 1001 was cancelled here, but Amazon has it as "
        "shipped and cannot take that back. If it goes out after all, fulfil the same "
        "units again: Amazon then gets the new tracking number. If it does not, "
        "refund them."
    )
    event = OrderEvent.objects.get(type="shipment_cancelled_too_late")
    assert (event.message, event.actor) == (note, "staff@example.com")
    assert packages(world) == [("DHL", "T-1")]
    assert OutboxEntry.objects.count() == 1

    ship(world, line_id, tracking="T-2")
    world.work_until_quiet(3)

    assert packages(world) == [("DHL", "T-2")]
    [package] = world.on_amazon(ORDER)["packages"]
    assert package["packageReferenceId"] == "1001"
    assert AmazonPackage.objects.count() == 1
    with world.shop.writer():
        assert lifecycle.sweep() == 0
    notes = world.shop.order(order_id).notes
    assert len([each for each in notes if "was cancelled here" in each]) == 1


@pytest.mark.parametrize(
    ("first", "then"), [(1, [2]), (2, [1, 1])], ids=["more", "in parts"]
)
def test_what_was_cancelled_is_shipped_again_in_other_numbers(
    world: World, first: int, then: list[int]
) -> None:
    """Why staff cancel a fulfillment, most of all: it had the wrong number."""
    line_id = imported(world, items=[wire_item(quantity=2)])["10000000000001"]
    order_id = world.ledger_order(ORDER).shop_order_id or ""

    def fulfil(units: int, tracking: str) -> str:
        return world.shop.fulfil(
            order_id,
            {line_id: units},
            warehouse_id=world.warehouse_id,
            tracking_number=tracking,
        )

    wrong = fulfil(first, "T-0")
    world.work_until_quiet(2)
    world.shop.cancel_fulfillment(wrong, warehouse_id=world.warehouse_id)
    for number, units in enumerate(then, 1):
        fulfil(units, f"T-{number}")
    world.work_until_quiet(3)

    assert [
        (package["trackingNumber"], package["packageItems"][0]["quantity"])
        for package in world.on_amazon(ORDER)["packages"]
    ] == [(f"T-{number}", units) for number, units in enumerate(then, 1)]
    status = world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"]
    assert status == "SHIPPED"
    assert not OutboxEntry.objects.filter(state="failed").exists()


def test_a_package_of_other_units_is_another_one(world: World) -> None:
    line_id = imported(world, items=[wire_item(quantity=3)])["10000000000001"]
    first = ship(world, line_id)
    ship(world, line_id, tracking="T-2")
    world.work_until_quiet(2)
    ship(world, line_id, tracking="T-3")
    world.work_until_quiet(2)

    # Alike, but none of them was cancelled.
    references = AmazonPackage.objects.values_list("package_reference_id", flat=True)
    assert sorted(references) == [1001, 1002, 1003]
    assert AmazonPackage.objects.get(package_reference_id=1001).fulfillment_id == first


def test_once_an_hour_the_sweep_looks_back_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world)
    world.move_clock(timedelta(hours=2))
    asked = []

    def record(moment: datetime) -> list[Any]:
        asked.append(clock.now() - moment)
        return []

    monkeypatch.setattr(world.store, "shipments_changed_since", record)
    monkeypatch.setattr(store, "current", lambda: world.store)
    for minutes in (0, 1, 58, 1, 1):
        world.move_clock(timedelta(minutes=minutes))
        with world.shop.writer():
            lifecycle.sweep()

    assert [each > timedelta(days=2) for each in asked] == [
        True,
        False,
        False,
        True,
        False,
    ]
