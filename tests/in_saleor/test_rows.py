"""Rows A10, A13 and E4 in real Saleor: what staff do in the dashboard, by API alone,
and what Amazon and Saleor then have. The other rows are in the journeys."""

from __future__ import annotations

from datetime import timedelta

import graphene
import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.world import running_world
from saleor_amazon_channel.saleor.store import SaleorStore
from wire_orders import wire_order

from .test_end_to_end import do
from .test_plugin import PLUGIN, UPDATE

FIRST, SECOND, THIRD = (f"111-0000001-{number:07}" for number in range(1, 4))

CANCEL = """
mutation ($id: ID!) {
  amazonOrderCancel(id: $id, reason: NO_INVENTORY) {
    outboxEntry { kind state actor }
    errors { field code message }
  }
}
"""
CANCEL_IN_SALEOR = """
mutation ($id: ID!) { orderCancel(id: $id) { errors { field code message } } }
"""
SETTINGS = """
mutation ($isReadOnly: Boolean!) {
  amazonSettingsUpdate(input: { isReadOnly: $isReadOnly }) {
    settings { isReadOnly } errors { field code message }
  }
}
"""
OUTBOX = """
{
  amazonOutbox(first: 10) { edges { node {
    id kind state description amazonOrder { amazonOrderId }
  } } }
}
"""
DISCARD = """
mutation ($ids: [ID!]!) {
  amazonOutboxDiscard(ids: $ids) { errors { field code message } }
}
"""


@pytest.fixture
def world(transactional_db, monkeypatch, settings):
    settings.PLUGINS = [PLUGIN]
    with allow_writer():
        shop = SaleorDriver(record_notifications(monkeypatch))
        with running_world(shop, SaleorStore()) as world:
            do(shop, UPDATE, input={"active": True})
            world.sandbox.state.put_orders(
                [wire_order(each) for each in (FIRST, SECOND, THIRD)]
            )
            world.work_until_quiet(2)
            yield world


def order_of(world, amazon_order_id):
    return world.ledger_order(amazon_order_id).shop_order_id


def ask(world, document, amazon_order_id):
    """One of ours about an Amazon order."""
    pk = world.ledger_order(amazon_order_id).pk
    [answer] = world.shop.query(
        document, id=graphene.Node.to_global_id("AmazonOrder", pk)
    ).values()
    return answer


def fulfil(world, amazon_order_id):
    return world.shop.fulfil(
        order_of(world, amazon_order_id),
        {world.line_ids(amazon_order_id)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )


def on_amazon(world, amazon_order_id):
    return world.on_amazon(amazon_order_id)["fulfillment"]["fulfillmentStatus"]


def in_saleor(world, amazon_order_id):
    return world.shop.order(order_of(world, amazon_order_id)).status


def test_a10_a_fulfillment_reaches_amazon_once_it_is_approved(world):
    world.shop.require_approval()
    package = fulfil(world, FIRST)
    world.shop.update_tracking(package, "T-2")
    world.work_until_quiet(2)
    assert on_amazon(world, FIRST) == "UNSHIPPED"
    assert world.shop.query(OUTBOX)["amazonOutbox"]["edges"] == []

    world.shop.approve(package)
    world.work_until_quiet(2)

    assert on_amazon(world, FIRST) == "SHIPPED"
    [sent] = world.on_amazon(FIRST)["packages"]
    assert (sent["packageReferenceId"], sent["trackingNumber"]) == ("1001", "T-2")
    assert in_saleor(world, FIRST) == "fulfilled"
    notes = world.shop.order(order_of(world, FIRST)).notes
    assert notes[-1] == "Package 1001 is confirmed to Amazon."


def test_a13_an_order_is_cancelled_on_amazon_first_and_a_shipped_one_is_not(world):
    saleors = graphene.Node.to_global_id("Order", order_of(world, FIRST))
    refused = world.shop.query(CANCEL_IN_SALEOR, id=saleors)["orderCancel"]["errors"]
    assert [(error["field"], error["code"]) for error in refused] == [
        ("order", "CANNOT_CANCEL_ORDER")
    ]
    assert in_saleor(world, FIRST) == "unfulfilled"

    answer = ask(world, CANCEL, FIRST)

    assert answer == {
        "outboxEntry": {
            "kind": "CANCEL",
            "state": "PENDING",
            "actor": "staff@example.com",
        },
        "errors": [],
    }
    assert in_saleor(world, FIRST) == "unfulfilled"
    world.work_until_quiet(4)
    assert (on_amazon(world, FIRST), in_saleor(world, FIRST)) == (
        "CANCELLED",
        "canceled",
    )

    fulfil(world, SECOND)
    world.work_until_quiet(2)
    [error] = ask(world, CANCEL, SECOND)["errors"]
    assert "is shipped on Amazon; only a wholly unshipped one" in error["message"]
    assert (on_amazon(world, SECOND), in_saleor(world, SECOND)) == (
        "SHIPPED",
        "fulfilled",
    )


def test_e4_in_read_only_mode_work_waits_until_it_is_sent_or_discarded(world):
    do(world.shop, SETTINGS, isReadOnly=True)
    fulfil(world, FIRST)
    fulfil(world, SECOND)
    assert ask(world, CANCEL, THIRD)["errors"] == []
    world.work_until_quiet(2)

    for each in (FIRST, SECOND, THIRD):
        assert on_amazon(world, each) == "UNSHIPPED"
    waiting = {
        edge["node"]["amazonOrder"]["amazonOrderId"]: edge["node"]
        for edge in world.shop.query(OUTBOX)["amazonOutbox"]["edges"]
    }
    assert {
        number: (node["state"], node["description"]) for number, node in waiting.items()
    } == {
        FIRST: (
            "PENDING",
            "Package 1001: 1 unit, DHL, T-1, shipped 2026-11-20.",
        ),
        SECOND: (
            "PENDING",
            "Package 1001: 1 unit, DHL, T-1, shipped 2026-11-20.",
        ),
        THIRD: ("PENDING", "Cancel the order: NoInventory."),
    }

    do(world.shop, DISCARD, ids=[waiting[SECOND]["id"]])
    do(world.shop, SETTINGS, isReadOnly=False)
    world.work_until_quiet(4)

    assert [on_amazon(world, each) for each in (FIRST, SECOND, THIRD)] == [
        "SHIPPED",
        "UNSHIPPED",
        "CANCELLED",
    ]
    assert [in_saleor(world, each) for each in (FIRST, SECOND, THIRD)] == [
        "fulfilled",
        "fulfilled",
        "canceled",
    ]
    # Later too.
    world.move_clock(timedelta(hours=2))
    world.work_until_quiet(2)
    assert on_amazon(world, SECOND) == "UNSHIPPED"
