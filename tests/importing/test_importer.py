"""The importer over time: what it remembers of an order, and what heals by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.main_path import ORDER, world  # noqa: F401  a fixture
from journeys.world import World
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
