"""The list of what the seller lists, and the settings of its stock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from graphql_api.conftest import Answer
from graphql_api.rows import shipped_order
from saleor_amazon_channel import outbox
from saleor_amazon_channel.graphql.ids import to_global
from saleor_amazon_channel.models import (
    AmazonListing,
    Marketplace,
    OutboxEntry,
    SellerAccount,
)
from wire_orders import FRANCE, GERMANY, NOW

LISTINGS = """
query ($filter: AmazonListingFilterInput, $first: Int, $after: String) {
  amazonListings(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node {
      id accountId marketplaceId sellerSku asin title variantId state note
      quantity sentQuantity sentAt amazonQuantity readAt
    } }
  }
}
"""
UPDATE = """
mutation ($id: ID!, $input: AmazonMarketplaceUpdateInput!) {
  amazonMarketplaceUpdate(id: $id, input: $input) {
    marketplace { sendStock stockSafetyQuantity stockFloor }
    errors { field code message }
  }
}
"""
OUTBOX = """
{ amazonOutbox(first: 10) { edges { node {
  kind state description amazonOrder { amazonOrderId }
  amazonListing { sellerSku quantity }
} } } }
"""
RETRY = """
mutation ($ids: [ID!]!) { amazonOutboxRetry(ids: $ids) {
  entries { state } errors { code message }
} }
"""

Ask = Callable[..., Answer]


def listing(account: SellerAccount, sku: str, **values: Any) -> AmazonListing:
    fields: dict[str, Any] = {"marketplace_id": GERMANY, "state": "sent", **values}
    return AmazonListing.objects.create(account=account, seller_sku=sku, **fields)


def skus(answer: Answer) -> list[str]:
    edges = answer["amazonListings"]["edges"]
    return [edge["node"]["sellerSku"] for edge in edges]


def test_listings_by_sku_with_what_amazon_was_told(
    ask: Ask, account: SellerAccount
) -> None:
    listing(account, "B", marketplace_id=FRANCE)
    listing(account, "B")
    row = listing(
        account,
        "A",
        asin="B000000001",
        title="A mug",
        variant_id="7",
        quantity=4,
        sent_quantity=5,
        sent_at=NOW,
        amazon_quantity=6,
        read_at=NOW,
    )

    answer = ask(LISTINGS, {"first": 2})["amazonListings"]

    assert answer["totalCount"] == 3
    assert answer["edges"][0]["node"] == {
        "id": to_global("AmazonListing", row.pk),
        "accountId": to_global("AmazonAccount", account.pk),
        "marketplaceId": GERMANY,
        "sellerSku": "A",
        "asin": "B000000001",
        "title": "A mug",
        "variantId": to_global("ProductVariant", 7),
        "state": "SENT",
        "note": None,
        "quantity": 4,
        "sentQuantity": 5,
        "sentAt": NOW.isoformat(),
        "amazonQuantity": 6,
        "readAt": NOW.isoformat(),
    }
    after = answer["pageInfo"]["endCursor"]
    rest = ask(LISTINGS, {"first": 2, "after": after})["amazonListings"]
    assert rest["edges"][0]["node"]["marketplaceId"] == GERMANY
    assert not rest["pageInfo"]["hasNextPage"]


def test_filters(ask: Ask, account: SellerAccount) -> None:
    listing(account, "A")
    listing(account, "B", state="refused", note="The brand is gated.")
    listing(account, "C", marketplace_id=FRANCE)
    own = to_global("AmazonAccount", account.pk)

    def found(**filter: Any) -> list[str]:
        return skus(ask(LISTINGS, {"first": 9, "filter": filter}))

    assert found(states=["REFUSED"]) == ["B"]
    assert found(marketplaceIds=[FRANCE]) == ["C"]
    assert found(sellerSkus=["A", "C"], accounts=[own]) == ["A", "C"]
    assert found(states=None) == ["A", "B", "C"]
    bad = ask(LISTINGS, {"first": 9, "filter": {"accounts": ["nonsense"]}})
    assert "Invalid ID" in bad.errors[0]


def test_stock_in_the_outbox_is_about_a_listing(
    ask: Ask, account: SellerAccount
) -> None:
    shipped_order(account)
    rows = [listing(account, sku, quantity=3, revision=1) for sku in ("A", "B")]
    outbox.enqueue_stock(rows[:1])
    with CaptureQueriesContext(connection) as one:
        ask(OUTBOX)["amazonOutbox"]
    outbox.enqueue_stock(rows[1:])

    with CaptureQueriesContext(connection) as two:
        stock, _, shipment = [e["node"] for e in ask(OUTBOX)["amazonOutbox"]["edges"]]

    assert stock == {
        "kind": "STOCK",
        "state": "PENDING",
        "description": "B: 3 available.",
        "amazonOrder": None,
        "amazonListing": {"sellerSku": "B", "quantity": 3},
    }
    assert shipment["amazonListing"] is None
    assert shipment["amazonOrder"]
    assert len(two) == len(one)


def test_a_refused_one_that_is_tried_again_is_compared_again(
    ask: Ask, account: SellerAccount
) -> None:
    row = listing(account, "A", quantity=3, revision=1)
    outbox.enqueue_stock([row])
    entry = OutboxEntry.objects.get()
    OutboxEntry.objects.update(state="failed", attempt_count=1, settled_at=NOW)
    AmazonListing.objects.update(state="refused", note="No.")

    answer = ask(RETRY, {"ids": [to_global("AmazonOutboxEntry", entry.pk)]})

    assert answer["amazonOutboxRetry"]["errors"] == []
    assert answer["amazonOutboxRetry"]["entries"] == [{"state": "UNKNOWN"}]
    row.refresh_from_db()
    assert (row.state, row.is_stale) == ("new", True)


@pytest.fixture
def marketplace(account: SellerAccount) -> Marketplace:
    return Marketplace.objects.create(account=account, marketplace_id=GERMANY)


def update(ask: Ask, marketplace: Marketplace, **input: Any) -> Any:
    variables = {"id": to_global("AmazonMarketplace", marketplace.pk), "input": input}
    return ask(UPDATE, variables)["amazonMarketplaceUpdate"]


def test_stock_is_off_and_needs_a_mapping(ask: Ask, marketplace: Marketplace) -> None:
    answer = update(ask, marketplace, stockSafetyQuantity=2, stockFloor=3)
    assert answer == {
        "marketplace": {
            "sendStock": False,
            "stockSafetyQuantity": 2,
            "stockFloor": 3,
        },
        "errors": [],
    }

    [error] = update(ask, marketplace, sendStock=True)["errors"]
    assert (error["field"], error["code"]) == ("sendStock", "INVALID")
    assert "warehouses" in error["message"]
    Marketplace.objects.update(
        channel_id="1", warehouse_ids=["1"], shipping_method_id="1"
    )
    answer = update(ask, marketplace, sendStock=True)
    assert (answer["errors"], answer["marketplace"]["sendStock"]) == ([], True)


@pytest.mark.parametrize("field", ["stockSafetyQuantity", "stockFloor"])
@pytest.mark.parametrize("value", [-1, 1_000_001])
def test_units_that_cannot_be(
    ask: Ask, marketplace: Marketplace, field: str, value: int
) -> None:
    [error] = update(ask, marketplace, **{field: value})["errors"]

    assert (error["field"], error["code"]) == (field, "INVALID")
