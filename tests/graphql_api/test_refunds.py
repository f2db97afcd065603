"""Refunds on Amazon in GraphQL."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonRefund,
    AmazonRefundAmount,
    SellerAccount,
)
from wire_orders import NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

QUERY = """{ amazonOrders(first: 20) { edges { node {
  amazonOrderId
  refunds {
    transactionId refundId postedAt status state note
    amount { amount currency } amountInShop { amount }
    amounts { orderItemId sellerSku component amount { amount currency } }
  }
} } } }"""


def refund(order: AmazonOrder, number: int, **values: Any) -> AmazonRefund:
    row = AmazonRefund.objects.create(
        **{
            "account": order.account,
            "amazon_order_id": order.amazon_order_id,
            "transaction_id": f"T-{number}",
            "status": "released",
            "posted_at": NOW,
            "currency": "EUR",
            "amount": Decimal("11.90"),
            "payload": {},
            **values,
        }
    )
    for component, amount in (("Principal", "10.00"), ("Tax", "1.90")):
        AmazonRefundAmount.objects.create(
            refund=row,
            order_item_id="10000000000001",
            seller_sku="MUG-1",
            component=component,
            amount=Decimal(amount),
        )
    return row


def nodes(ask: Ask) -> list[dict[str, Any]]:
    return [edge["node"] for edge in ask(QUERY)["amazonOrders"]["edges"]]


def test_a_refund_and_its_amounts(ask: Ask, account: SellerAccount) -> None:
    order = new_order(account)
    refund(
        order,
        1,
        refund_id="7",
        state="recorded",
        amount_in_shop=Decimal("10.00"),
        note="Only 10.00 EUR of it is recorded here, since no more was charged.",
    )

    [node] = nodes(ask)

    assert node["refunds"] == [
        {
            "transactionId": "T-1",
            "refundId": "7",
            "postedAt": NOW.isoformat(),
            "status": "RELEASED",
            "state": "RECORDED",
            "note": "Only 10.00 EUR of it is recorded here, since no more was charged.",
            "amount": {"amount": 11.9, "currency": "EUR"},
            "amountInShop": {"amount": 10.0},
            "amounts": [
                {
                    "orderItemId": "10000000000001",
                    "sellerSku": "MUG-1",
                    "component": "Principal",
                    "amount": {"amount": 10.0, "currency": "EUR"},
                },
                {
                    "orderItemId": "10000000000001",
                    "sellerSku": "MUG-1",
                    "component": "Tax",
                    "amount": {"amount": 1.9, "currency": "EUR"},
                },
            ],
        }
    ]


def test_what_cannot_be_told_is_null(ask: Ask, account: SellerAccount) -> None:
    row = refund(new_order(account), 1, currency="", amount=0, status="deferred")
    row.amounts.all().delete()

    [[told]] = [node["refunds"] for node in nodes(ask)]

    assert (told["amount"], told["amountInShop"], told["refundId"]) == (None,) * 3
    assert (told["status"], told["state"], told["note"]) == (
        "DEFERRED",
        "WAITING",
        None,
    )
    assert told["amounts"] == []

    AmazonRefund.objects.update(currency="EUR")
    AmazonRefundAmount.objects.create(refund=row, component="Goodwill", amount=5)
    [[told]] = [node["refunds"] for node in nodes(ask)]
    assert told["amounts"] == [
        {
            "orderItemId": None,
            "sellerSku": None,
            "component": "Goodwill",
            "amount": {"amount": 5.0, "currency": "EUR"},
        }
    ]


def test_all_refunds_of_a_page_are_one_query_and_their_amounts_another(
    ask: Ask, account: SellerAccount
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            nodes(ask)
        return len(captured)

    new_order(account)
    without = queries()
    for number in range(10):
        order = new_order(account)
        refund(order, 2 * number)
        refund(order, 2 * number + 1)

    # The amounts of what there is.
    assert queries() == without + 1
    assert sum(len(node["refunds"]) for node in nodes(ask)) == 20


def test_another_accounts_refund_of_the_same_id_is_not_shown(
    ask: Ask, account: SellerAccount
) -> None:
    other = SellerAccount.objects.create(
        name="Other", region="NA", seller_id="A2", import_from=NOW
    )
    order = new_order(account)
    refund(order, 1, account=other)

    assert [node["refunds"] for node in nodes(ask)] == [[]]
