from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonOrderItem,
    ChannelSettings,
    OutboxEntry,
    SellerAccount,
)

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

CANCEL = """
mutation ($id: ID!) {
  amazonOrderCancel(id: $id, reason: NO_INVENTORY) {
    amazonOrder { amazonOrderId note }
    outboxEntry { kind state actor }
    errors { field code message }
  }
}
"""


@pytest.fixture
def order(account: SellerAccount) -> AmazonOrder:
    ChannelSettings.objects.create(id=1, active=True)
    order = new_order(account)
    AmazonOrderItem.objects.create(
        order=order, order_item_id="10000000000001", quantity_ordered=1
    )
    return order


def cancel(ask: Ask, pk: object) -> Any:
    given = {"id": Node.to_global_id("AmazonOrder", pk)}
    return ask(CANCEL, given)["amazonOrderCancel"]


def test_a_cancellation_is_written_for_the_workers(
    ask: Ask, order: AmazonOrder
) -> None:
    answer = cancel(ask, order.pk)

    assert answer == {
        "amazonOrder": {
            "amazonOrderId": order.amazon_order_id,
            "note": "Amazon is to be told to cancel the order.",
        },
        "outboxEntry": {
            "kind": "CANCEL",
            "state": "PENDING",
            "actor": "admin@example.com",
        },
        "errors": [],
    }
    entry = OutboxEntry.objects.get()
    assert entry.payload == {
        "reason": "NoInventory",
        "order_item_ids": ["10000000000001"],
    }


def test_what_amazon_does_not_cancel_is_said_with_what_to_do(
    ask: Ask, order: AmazonOrder
) -> None:
    AmazonOrder.objects.update(fulfillment_status="SHIPPED")

    [error] = cancel(ask, order.pk)["errors"]

    assert (error["field"], error["code"]) == ("id", "CANNOT_CANCEL_ORDER")
    assert error["message"] == (
        f"Order {order.amazon_order_id} is shipped on Amazon; only a wholly unshipped "
        "one can be cancelled. What was shipped can be refunded."
    )
    assert OutboxEntry.objects.count() == 0


def test_an_order_that_is_not_there(ask: Ask, order: AmazonOrder) -> None:
    [error] = cancel(ask, order.pk + 1)["errors"]

    assert (error["field"], error["code"]) == ("id", "NOT_FOUND")


def test_an_id_of_something_else(ask: Ask, order: AmazonOrder) -> None:
    given = {"id": Node.to_global_id("Order", order.pk)}

    [error] = ask(CANCEL, given)["amazonOrderCancel"]["errors"]

    assert (error["field"], error["code"]) == ("id", "GRAPHQL_ERROR")


def test_nothing_is_cancelled_while_the_channel_is_off(
    ask: Ask, order: AmazonOrder
) -> None:
    ChannelSettings.objects.update(active=False)

    [error] = cancel(ask, order.pk)["errors"]

    assert error["code"] == "CHANNEL_INACTIVE"
