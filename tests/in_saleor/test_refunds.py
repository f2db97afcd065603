"""Refunds made on Amazon, in real Saleor, as its staff and other apps see them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.order.models import Order, OrderEvent, OrderGrantedRefund
from saleor.payment.models import TransactionItem
from saleor.plugins.manager import PluginsManager

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.refunds import *  # noqa: F403
from journeys.world import World
from saleor_amazon_channel.saleor.app import get_app
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


MONEY = """
query ($id: ID!) { order(id: $id) {
  status chargeStatus
  totalBalance { amount } totalRemainingGrant { amount }
  totalCharged { amount } totalRefunded { amount }
} }
"""


def in_dashboard(world: World, order_id: str) -> dict[str, Any]:
    order = world.shop.query(MONEY, id=graphene.Node.to_global_id("Order", order_id))
    return {
        name: value["amount"] if isinstance(value, dict) else value
        for name, value in order["order"].items()
    }


def test_staff_see_an_order_that_owes_nothing_and_is_owed_nothing(
    world: World,
) -> None:
    order_id = shipped(world)  # noqa: F405
    refund(world, items={FIRST: {"Principal": "10.00"}})  # noqa: F405
    hear(world)  # noqa: F405

    assert in_dashboard(world, order_id) == {
        "status": "FULFILLED",
        "chargeStatus": "FULL",
        "totalBalance": 0.0,
        "totalRemainingGrant": 0.0,
        "totalCharged": 22.76,
        "totalRefunded": 10.0,
    }
    item = TransactionItem.objects.get()
    assert item.available_actions == ["refund"]
    granted = OrderGrantedRefund.objects.get()
    assert (granted.app, granted.user, granted.transaction_item) == (
        get_app(),
        None,
        item,
    )

    refund(world)  # noqa: F405
    hear(world)  # noqa: F405
    assert in_dashboard(world, order_id) == {
        "status": "FULFILLED",
        "chargeStatus": "FULL",
        "totalBalance": 0.0,
        "totalRemainingGrant": 0.0,
        "totalCharged": 0.0,
        "totalRefunded": 32.76,
    }
    item.refresh_from_db()
    assert item.available_actions == []


def test_other_apps_hear_of_a_refund_and_nobody_of_a_staff_action(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(world)  # noqa: F405
    heard = []
    for name in ("order_refunded", "order_fully_refunded", "order_updated"):

        def hook(self: Any, order: Order, *args: Any, _name: str = name, **kw: Any):
            heard.append(_name)

        monkeypatch.setattr(PluginsManager, name, hook)
    events_before = set(OrderEvent.objects.values_list("pk", flat=True))

    refund(world)  # noqa: F405
    hear(world)  # noqa: F405

    assert sorted(heard) == ["order_fully_refunded", "order_refunded", "order_updated"]
    # All that is on the timeline is the channel's note.
    new = OrderEvent.objects.exclude(pk__in=events_before)
    assert [event.type for event in new] == ["note_added"]


def test_staff_can_still_grant_what_amazon_has_not_refunded(world: World) -> None:
    order_id = shipped(world)  # noqa: F405
    line_id = world.line_ids(ORDER)[FIRST]  # noqa: F405
    refund(world, items={FIRST: {"Principal": "13.00"}})  # noqa: F405
    hear(world)  # noqa: F405

    answer = world.shop._mutate(
        """mutation ($id: ID!, $input: OrderGrantRefundCreateInput!) {
            result: orderGrantRefundCreate(id: $id, input: $input) {
                grantedRefund { amount { amount } }
                errors { field message lines { message } } } }""",
        id=graphene.Node.to_global_id("Order", order_id),
        input={
            "amount": "7.00",
            "transactionId": graphene.Node.to_global_id(
                "TransactionItem", TransactionItem.objects.get().token
            ),
            "lines": [
                {
                    "id": graphene.Node.to_global_id("OrderLine", line_id),
                    "quantity": 1,
                }
            ],
        },
    )

    assert answer["grantedRefund"]["amount"]["amount"] == 7.0


def test_another_order_of_the_shop_is_unpaid_as_ever(world: World) -> None:
    channel_id = world.channel.id
    mug = world.store.resolve_skus({channel_id: ["MUG-1"]})[channel_id]["MUG-1"]
    assert mug.variant_id
    order_id = world.shop.sell(channel_id, mug.variant_id, 1)
    order = Order.objects.get(pk=order_id)
    assert order.is_fully_paid()

    order.total_charged_amount -= Decimal("0.01")
    assert order.charge_status == "full"
    assert not order.is_fully_paid()
