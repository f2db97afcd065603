"""People and places, and amounts that do not add up: rows A1, D4 and D5.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel.importing import address_edit
from saleor_amazon_channel.store.contract import AddressDraft, Store
from wire_addresses import MENDED, REFUSED
from wire_orders import NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
ADDRESS = AddressDraft(
    first_name="Änne",
    last_name="Müller",
    company_name="",
    street_address_1="Lindenstr. 7",
    street_address_2="",
    city="Köln",
    city_area="",
    country_area="",
    postal_code="50674",
    country="DE",
    phone="+49221123456",
)


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def addressed(
    wire: dict[str, Any], updated: timedelta = timedelta(hours=1)
) -> dict[str, Any]:
    order = wire_order(updated=NOW - updated)
    order["recipient"]["deliveryAddress"] = wire
    return order


def enter(world: World, address: AddressDraft | None) -> None:
    with world.shop.writer():
        address_edit.replace_address(ORDER, address, "staff@example.com")


def shop_address(world: World) -> AddressDraft | None:
    order = world.ledger_order(ORDER)
    assert order.shop_order_id, order.blockers
    return world.shop.order(order.shop_order_id).shipping_address


def test_a1_an_amazon_order_becomes_an_order_of_the_mapped_channel(
    world: World,
) -> None:
    world.sandbox.state.put_orders([wire_order(items=[wire_item(quantity=2)])])

    world.work()

    order = world.ledger_order(ORDER)
    view = world.shop.order(order.shop_order_id)
    assert (view.channel_id, view.external_reference) == (world.channel.id, ORDER)
    assert (view.status, view.lines[0].quantity) == ("unfulfilled", 2)
    assert view.lines[0].allocations == {world.warehouse_id: 2}
    # It is worked like any other order.
    world.shop.fulfil(
        order.shop_order_id,
        {view.lines[0].line_id: 2},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    assert world.shop.order(order.shop_order_id).status == "fulfilled"
    assert world.shop.order_count() == 1


@pytest.mark.parametrize("name", MENDED)
def test_d4_an_odd_address_is_mended_where_that_is_safe(
    world: World, name: str
) -> None:
    world.sandbox.state.put_orders([addressed(MENDED[name])])

    world.work()

    assert world.ledger_order(ORDER).blockers == []
    assert shop_address(world) is not None


@pytest.mark.parametrize("name", REFUSED)
def test_d4_an_address_that_the_shop_refuses_blocks_until_staff_correct_it(
    world: World, name: str
) -> None:
    field, wire = REFUSED[name]
    world.sandbox.state.put_orders([addressed(wire)])
    world.work()
    order = world.ledger_order(ORDER)
    assert [(b["code"], b["subject"]) for b in order.blockers] == [
        ("bad_address", field)
    ]
    assert wire["addressLine1"] not in order.note
    assert world.shop.order_count() == 0

    enter(world, ADDRESS)
    world.work()

    assert shop_address(world) == ADDRESS
    world.work_until_quiet(3)
    assert world.shop.order_count() == 1


def test_an_address_is_entered_by_the_shops_own_rules(world: World) -> None:
    world.sandbox.state.put_orders([addressed(REFUSED["no city"][1])])
    world.work()

    for changes in (
        {"postal_code": "1", "city": ""},
        {"phone": "12"},
        {"city": "x" * 257},
        {"country": "US"},
    ):
        with pytest.raises(address_edit.AddressRefused) as refused:
            enter(world, replace(ADDRESS, **changes))
        wrong = set(refused.value.problems)
        assert wrong == (
            # Köln is in none of the United States.
            {"country_area"} if "country" in changes else set(changes)
        )
    assert world.ledger_order(ORDER).import_state == "blocked"
    assert not world.ledger_order(ORDER).staff_address


def test_staffs_address_stays_whatever_amazon_sends_until_it_is_taken_back(
    world: World,
) -> None:
    # Not importable for another reason too, so that the address is all that changes.
    wire = addressed(REFUSED["no city"][1])
    wire["orderItems"] = [wire_item(sku="UNKNOWN")]
    world.sandbox.state.put_orders([wire])
    world.work()
    enter(world, ADDRESS)
    world.work()
    assert [b["code"] for b in world.ledger_order(ORDER).blockers] == ["unknown_sku"]

    corrected = addressed(MENDED["austria"], updated=timedelta(0))
    corrected["orderItems"] = wire["orderItems"]
    world.sandbox.state.put_orders([corrected])
    world.move_clock(timedelta(minutes=5))
    world.work()

    order = world.ledger_order(ORDER)
    assert address_edit.staff_address(order) == ADDRESS
    assert any(
        "Amazon gives another delivery address" in event.message
        for event in order.events.all()
    )
    enter(world, None)
    assert address_edit.staff_address(world.ledger_order(ORDER)) is None
    with world.shop.writer():
        world.shop.create_variant(
            "UNKNOWN", [world.channel.id], stock={world.warehouse_id: 5}
        )
    for _ in range(2):
        world.move_clock(timedelta(minutes=1))
        world.work()
    address = shop_address(world)
    assert address is not None
    assert (address.city, address.country) == ("Wien", "AT")


def test_staffs_address_stays_on_the_imported_order_when_amazon_corrects_its_own(
    world: World,
) -> None:
    world.sandbox.state.put_orders([addressed(REFUSED["no city"][1])])
    world.work()
    enter(world, ADDRESS)
    world.work()

    world.sandbox.state.put_orders([addressed(MENDED["austria"], updated=timedelta(0))])
    world.work_until_quiet(3)

    assert shop_address(world) == ADDRESS
    order = world.ledger_order(ORDER)
    (told,) = order.events.filter(type="address_differs")
    assert "staff had changed it here before" in told.message


def test_staffs_address_is_encrypted_and_on_no_timeline(world: World) -> None:
    world.sandbox.state.put_orders([addressed(REFUSED["no city"][1])])
    world.work()
    enter(world, ADDRESS)

    with world.shop.writer(), connection.cursor() as cursor:
        cursor.execute("SELECT staff_address FROM saleor_amazon_channel_amazonorder")
        (stored,) = cursor.fetchone()
    messages = [event.message for event in world.ledger_order(ORDER).events.all()]

    assert stored
    for secret in ("Müller", "M\\u00fcller", "Lindenstr", "50674"):
        assert secret not in stored
        assert all(secret not in message for message in messages)


def test_an_imported_order_is_edited_in_the_shop(world: World) -> None:
    world.sandbox.state.put_orders([addressed(MENDED["austria"])])
    world.work()

    with pytest.raises(address_edit.OrderImported) as refused:
        enter(world, ADDRESS)

    assert refused.value.number == world.ledger_order(ORDER).shop_order_number


def test_d5_amounts_that_do_not_add_up_block_with_the_difference(
    world: World,
) -> None:
    wire = wire_order(items=[wire_item(price="19.90"), wire_item("2", price="5.00")])
    wire["orderItems"][1]["proceeds"]["proceedsTotal"]["amount"] = "5.01"
    wire["orderItems"][1]["proceeds"]["breakdowns"][0]["subtotal"] = {
        "amount": "5.00",
        "currencyCode": "EUR",
    }
    wire["proceeds"] = {"grandTotal": {"amount": "24.92", "currencyCode": "EUR"}}
    world.sandbox.state.put_orders([wire])

    world.work()

    order = world.ledger_order(ORDER)
    assert [
        (b["code"], b["subject"], b["calculated"], b["stated"], b["currency"])
        for b in order.blockers
    ] == [
        ("amounts_differ", "2", "5.00", "5.01", "EUR"),
        ("amounts_differ", "grandTotal", "24.90", "24.92", "EUR"),
    ]
    assert "a difference of 0.02 EUR" in order.note
    assert world.shop.order_count() == 0

    mended = wire_order(
        items=[wire_item(price="19.90"), wire_item("2", price="5.00")],
        updated=NOW,
    )
    world.sandbox.state.put_orders([mended])
    world.move_clock(timedelta(minutes=5))
    world.work()

    order = world.ledger_order(ORDER)
    assert order.import_state == "imported"
    assert world.shop.order(order.shop_order_id).total.gross == Decimal("24.90")
