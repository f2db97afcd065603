"""The importer over time: what it remembers of an order, and what heals by itself."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from journeys.main_path import ORDER, world  # noqa: F401  a fixture
from journeys.world import World
from saleor_amazon_channel import lock_objects
from saleor_amazon_channel.importing import importer
from saleor_amazon_channel.standalone.store import StandaloneStore
from standalone.driver import StandaloneDriver
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> StandaloneStore:
    return StandaloneStore()


@pytest.fixture
def shop(transactional_db: None) -> StandaloneDriver:
    return StandaloneDriver()


def test_a_named_older_order_is_imported_once_what_blocked_it_is_gone(
    world: World,  # noqa: F811
) -> None:
    world.sandbox.state.put_orders(
        [wire_order(created=NOW - timedelta(days=31), items=[wire_item(sku="NEW-1")])]
    )
    world.work()
    importer.import_named([ORDER])
    world.move_clock(timedelta(seconds=20))
    world.work()
    assert world.ledger_order(ORDER).blockers[0]["subject"] == "NEW-1"

    world.shop.create_variant(
        "NEW-1", [world.channel.id], stock={world.warehouse_id: 5}
    )
    world.move_clock(timedelta(seconds=20))
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"


def test_an_order_that_does_not_fit_stays_blocked_and_says_so_once(
    world: World,  # noqa: F811
) -> None:
    # All else of it could be imported, but its shipments could not be told.
    item = wire_item()
    item["product"]["asin"] = "B" * 17
    world.sandbox.state.put_orders([wire_order(items=[item])])

    for _ in range(3):
        world.work()
        world.move_clock(timedelta(seconds=20))

    order = world.ledger_order(ORDER)
    assert order.import_state == "blocked"
    assert [blocker["subject"] for blocker in order.blockers] == [
        "orderItems[0].product.asin"
    ]
    told = order.events.order_by("id").values_list("type", flat=True)
    assert list(told) == ["received", "unreadable"]


def test_what_can_be_read_by_now_is_not_read_while_orders_are_being_recorded(
    world: World,  # noqa: F811
) -> None:
    item = wire_item()
    item["product"]["asin"] = "B" * 17
    world.sandbox.state.put_orders([wire_order(items=[item])])
    world.work()
    order = world.ledger_order(ORDER)
    item["product"]["asin"] = "B000000001"
    order.payload["orderItems"][0]["product"]["asin"] = "B000000001"
    order.save(update_fields=["payload"])
    importer.retry([ORDER])

    # Who records holds this, and then waits for the rows of the orders.
    recording = (lock_objects._RECORDING, order.account_id)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", recording)
        assert importer.import_ready().total == 0
    assert world.ledger_order(ORDER).import_state == "ready"

    assert importer.import_ready().imported == 1
    order = world.ledger_order(ORDER)
    assert [item.asin for item in order.items.all()] == ["B000000001"]


def test_what_to_do_about_several_blockers_is_said_once(
    world: World,  # noqa: F811
) -> None:
    items = [wire_item(item_id=str(n), sku=f"NEW-{n}") for n in (1, 2)]
    world.sandbox.state.put_orders([wire_order(items=items)])

    world.work()

    order = world.ledger_order(ORDER)
    assert [blocker["subject"] for blocker in order.blockers] == ["NEW-1", "NEW-2"]
    assert order.note == (
        "No product variant has the SKU NEW-1. No product variant has the SKU NEW-2. "
        "Create a variant with this SKU, or map the SKU to one; the order is then "
        "imported by itself."
    )
