"""Staff ship and refund by the channel's own API: the shop does it, and Amazon hears.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.refunds import put
from journeys.world import World, running_world
from saleor_amazon_channel.graphql.ids import to_global
from saleor_amazon_channel.models import AmazonPackage, OutboxEntry, ShopRefund
from saleor_amazon_channel.store.contract import Store

ORDER = "111-0000001-0000001"
FIRST, SECOND = "10000000000001", "10000000000002"

SHIP = """
mutation ($id: ID!, $input: AmazonShipmentConfirmInput!) {
  amazonShipmentConfirm(id: $id, input: $input) {
    amazonOrder { amazonOrderId }
    fulfillmentId
    outboxEntries { kind state actor }
    errors { field code message }
  }
}
"""
REFUND = """
mutation ($id: ID!, $input: AmazonRefundCreateInput!) {
  amazonRefundCreate(id: $id, input: $input) {
    amazonOrder { amazonOrderId }
    outboxEntry { kind state description }
    errors { field code message }
  }
}
"""


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        put(world)
        world.work_until_quiet(2)
        yield world


def send(world: World, document: str, **input: Any) -> Any:
    order = world.ledger_order(ORDER)
    data = world.shop.ask(document, id=to_global("AmazonOrder", order.pk), input=input)
    [answer] = data.values()
    return answer


def ship(world: World, **input: Any) -> Any:
    return send(world, SHIP, **input)


def refund(world: World, **input: Any) -> Any:
    answer = send(world, REFUND, **input)
    world.move_clock(timedelta(minutes=1))
    return answer


def view(world: World) -> Any:
    return world.shop.order(world.ledger_order(ORDER).shop_order_id or "")


def rounds(world: World, count: int = 3) -> None:
    for _ in range(count):
        world.work()
        world.move_clock(timedelta(minutes=5))


def packages_on_amazon(world: World) -> list[dict[str, Any]]:
    return list(world.on_amazon(ORDER).get("packages", ()))


def test_a_package_is_a_fulfillment_in_the_shop_and_confirmed_to_amazon(
    world: World,
) -> None:
    answer = ship(
        world,
        items=[{"orderItemId": FIRST, "quantity": 1}],
        trackingNumber=" T-1 ",
        carrier="UPS",
    )

    assert answer["errors"] == []
    assert answer["amazonOrder"] == {"amazonOrderId": ORDER}
    [entry] = answer["outboxEntries"]
    assert entry["kind"] == "CONFIRM_SHIPMENT"
    assert entry["actor"] == "staff@example.com"
    [fulfillment] = view(world).fulfillments
    assert answer["fulfillmentId"] == to_global(
        "Fulfillment", fulfillment.fulfillment_id
    )
    assert (fulfillment.status, fulfillment.tracking_number) == ("fulfilled", "T-1")
    assert fulfillment.lines == {world.line_ids(ORDER)[FIRST]: 1}

    rounds(world)
    [package] = packages_on_amazon(world)
    assert (package["trackingNumber"], package["carrier"]) == ("T-1", "UPS")
    assert package["packageItems"] == [{"orderItemId": FIRST, "quantity": 1}]
    # The carrier was known before anything could leave without it.
    assert len(world.sandbox.state.calls("confirmShipment")) == 1
    assert view(world).status == "partially fulfilled"


def test_without_items_all_that_is_left_is_shipped(world: World) -> None:
    assert ship(world, trackingNumber="T-1")["errors"] == []
    rounds(world)

    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert view(world).status == "fulfilled"
    [error] = ship(world, trackingNumber="T-2")["errors"]
    assert (error["field"], error["code"]) == ("items", "INVALID")


def test_without_items_the_rest_is_shipped_before_amazon_has_heard_of_the_first(
    world: World,
) -> None:
    ship(world, items=[{"orderItemId": FIRST, "quantity": 1}], trackingNumber="T-1")

    assert ship(world, trackingNumber="T-2")["errors"] == []

    lines = world.line_ids(ORDER)
    assert [each.lines for each in view(world).fulfillments] == [
        {lines[FIRST]: 1},
        {lines[FIRST]: 1, lines[SECOND]: 1},
    ]
    rounds(world)
    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"


def test_items_that_cannot_be_shipped_ship_nothing(world: World) -> None:
    def errors(*items: tuple[str, int], **more: Any) -> list[tuple[str, str]]:
        given = [{"orderItemId": i, "quantity": q} for i, q in items]
        found = ship(world, items=given, **more)["errors"]
        return [(each["field"], each["code"]) for each in found]

    assert errors(("999", 1)) == [("items", "NOT_FOUND")]
    assert errors((FIRST, 1), (FIRST, 1)) == [("items", "NOT_FOUND")]
    assert errors((FIRST, 3)) == [("items", "INVALID")]
    assert errors((FIRST, 0)) == [("items", "INVALID")]
    assert errors((FIRST, 1), trackingNumber="x" * 256) == [
        ("trackingNumber", "INVALID")
    ]
    assert ship(world, items=[{"orderItemId": FIRST, "quantity": 2}])["errors"] == []
    # They have left: the shop says so.
    assert errors((FIRST, 1), trackingNumber="T-9") == [("id", "INVALID")]
    assert AmazonPackage.objects.count() == 1


def test_an_amount_is_refunded_through_the_shops_transaction(world: World) -> None:
    ship(world, trackingNumber="T-1")
    rounds(world)

    answer = refund(world, amount="5.00", reason="CUSTOMER_RETURN")

    assert answer["errors"] == []
    assert answer["outboxEntry"] == {
        "kind": "REFUND",
        "state": "PENDING",
        "description": "Refund 5.00 EUR.",
    }
    assert ShopRefund.objects.get().reason == "CustomerReturn"
    [paid] = view(world).transactions
    assert paid.refund_pending == 5
    rounds(world, 4)
    [paid] = view(world).transactions
    assert (paid.refunded, paid.refund_pending) == (5, 0)
    refunded = world.sandbox.state.transactions.refunded
    assert sum(sum(parts.values()) for parts in refunded.values()) == 5


def test_items_and_shipping_are_refunded_as_a_granted_refund(world: World) -> None:
    ship(world, trackingNumber="T-1")
    rounds(world)

    answer = refund(
        world,
        items=[{"orderItemId": FIRST, "quantity": 1}],
        isShippingIncluded=True,
        reason="DIFFERENT_ITEM",
    )

    assert answer["errors"] == []
    assert answer["outboxEntry"]["description"] == "Refund 14.99 EUR."
    rounds(world, 4)
    [given] = view(world).refunds
    assert given.lines == {world.line_ids(ORDER)[FIRST]: 1}
    assert given.is_shipping_included
    assert view(world).transactions[0].refunded == given.amount
    assert OutboxEntry.objects.get(kind="refund").state == "succeeded"


def test_what_amazon_would_not_refund_leaves_nothing_in_the_shop(world: World) -> None:
    for input in (
        {"amount": "5.00"},
        {"items": [{"orderItemId": FIRST, "quantity": 1}]},
    ):
        [error] = refund(world, **input)["errors"]
        assert (error["field"], error["code"]) == ("id", "INVALID")
        assert "Cancel it there instead" in error["message"]

    ship(world, trackingNumber="T-1")
    rounds(world)
    [error] = refund(world, items=[{"orderItemId": "999", "quantity": 1}])["errors"]
    assert error["code"] == "NOT_FOUND"
    [error] = refund(world, amount="99.00")["errors"]
    assert error["code"] == "INVALID"
    assert ShopRefund.objects.count() == 0
    assert not view(world).refunds
    assert view(world).transactions[0].refund_pending == 0
    # So that the same can be asked for once it can be made.
    answer = refund(world, items=[{"orderItemId": FIRST, "quantity": 1}])
    assert answer["errors"] == []
