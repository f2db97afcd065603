"""Our part of Saleor's schema at work: what ``tests/graphql_api`` proves with a plain
host, where Saleor's own host could make it differ (writer and replica, ids, threads).
"""

from __future__ import annotations

from datetime import timedelta

import graphene
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from graphql_api.rows import shipped_order
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import ChannelSettings, SellerAccount
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from wire_orders import GERMANY, NOW, wire_item, wire_order

from .test_end_to_end import CONNECT, MAP, PLACES, do, shop

__all__ = ["shop"]

ORDER = "111-0000001-0000001"
MISSING = "111-0000001-0000009"

IMPORT = """
mutation Import($ids: [String!]) {
  amazonOrdersImport(amazonOrderIds: $ids) {
    queued
    results {
      amazonOrderId state orderId blockers { code subject } errors { code }
      order { buyerName items { sellerSku orderLineId } events { message } }
    }
    errors { field message code }
  }
}
"""
PAGE = """
{
  amazonOrders(first: 50, sortBy: {field: SHIP_BY, direction: DESC}) {
    totalCount
    edges { node {
      total { amount currency }
      buyerName
      items { total { amount } } packages { id } events { id } outboxEntries { id }
    } }
  }
}
"""


@pytest.fixture
def amazon(shop):
    """The sandbox, with an account connected and mapped over GraphQL."""
    ChannelSettings.objects.create(id=1, active=True)
    with clock.frozen(NOW), running_sandbox(usage_plans=False) as sandbox:
        connected = do(
            shop,
            CONNECT,
            input={
                "name": "Mugs and more",
                "region": "EU",
                "sellerId": "A1SANDBOXEU",
                "lwaClientId": CLIENT_ID,
                "lwaClientSecret": CLIENT_SECRET,
                "refreshToken": "Atzr|sandbox-EU",
                "endpoint": sandbox.url,
                "lwaEndpoint": sandbox.lwa_url,
            },
        )
        places = shop.query(PLACES)
        (zone,) = places["shippingZones"]["edges"]
        do(
            shop,
            MAP,
            id=next(
                marketplace["id"]
                for marketplace in connected["account"]["marketplaces"]
                if marketplace["marketplaceId"] == GERMANY
            ),
            input={
                # By its global id, as clients that know only ids would.
                "channel": graphene.Node.to_global_id("Channel", shop.channel.id),
                "warehouseIds": [w["id"] for w in places["channels"][0]["warehouses"]],
                "shippingMethodId": zone["node"]["shippingMethods"][0]["id"],
            },
        )
        yield sandbox


def test_named_orders_are_imported_in_the_request(shop, amazon):
    shop.create_variant(
        "MUG-1", [shop.channel.id], stock={shop.channel.warehouses[0].id: 5}
    )
    blocked = "111-0000001-0000002"
    amazon.state.put_orders(
        [
            wire_order(created=NOW - timedelta(days=60)),
            wire_order(blocked, items=[wire_item(sku="NEW-1")]),
        ]
    )

    answer = do(shop, IMPORT, ids=[ORDER, blocked, MISSING])

    assert answer["queued"] is False
    imported, stopped, missing = answer["results"]
    assert (imported["state"], imported["errors"]) == ("IMPORTED", [])
    assert imported["order"]["buyerName"] == "Änne Müller"
    (item,) = imported["order"]["items"]
    order = shop.query(
        "query Order($id: ID!) { order(id: $id) { externalReference lines { id } } }",
        id=imported["orderId"],
    )["order"]
    assert order == {"externalReference": ORDER, "lines": [{"id": item["orderLineId"]}]}
    assert (stopped["state"], stopped["orderId"]) == ("BLOCKED", None)
    assert stopped["blockers"] == [{"code": "UNKNOWN_SKU", "subject": "NEW-1"}]
    assert (missing["state"], missing["errors"]) == (None, [{"code": "NOT_FOUND"}])


def test_refusals_have_saleors_shape(shop, amazon):
    pounds = shop.create_channel("amazon-uk", "GBP", country="GB")
    marketplace = SellerAccount.objects.get().marketplaces.get(marketplace_id=GERMANY)

    answer = shop.query(
        MAP,
        id=graphene.Node.to_global_id("AmazonMarketplace", marketplace.pk),
        input={"channel": pounds.slug},
    )["amazonMarketplaceUpdate"]

    assert answer == {
        "marketplace": None,
        "errors": [
            {
                "field": "channel",
                "message": "The channel sells in GBP, but amazon.de sells in EUR.",
                "code": "INVALID",
            }
        ],
    }


def test_a_page_costs_seven_queries(shop):
    account = SellerAccount.objects.create(name="a", region="EU", seller_id="A1")
    for _ in range(7):
        shipped_order(account)

    # Saleor's test settings refuse unguarded queries on the writer, so these are reads
    # from the replica (which in tests is the same connection).
    with CaptureQueriesContext(connection) as queries:
        page = shop.query(PAGE)["amazonOrders"]

    assert page["totalCount"] == 7
    assert page["edges"][0]["node"]["total"] == {"amount": 19.9, "currency": "EUR"}
    ours = [q["sql"] for q in queries if "saleor_amazon_channel" in q["sql"]]
    # The page, its total, the buyers' names, and one for each relation.
    assert len(ours) == 7


def test_many_orders_are_listed_by_total_currency_by_currency(shop, monkeypatch):
    """What finds the currencies is read from the replica, too."""
    monkeypatch.setattr("saleor_amazon_channel.graphql.pagination.COUNT_LIMIT", 0)
    account = SellerAccount.objects.create(name="a", region="EU", seller_id="A1")
    for _ in range(3):
        shipped_order(account)

    page = shop.query(
        """{ amazonOrders(
          first: 2, filter: {fulfilledBy: "MERCHANT"},
          sortBy: {field: TOTAL, direction: ASC}
        ) { totalCount pageInfo { hasNextPage } edges { node { amazonOrderId } } } }"""
    )["amazonOrders"]

    assert page["totalCount"] is None
    assert page["pageInfo"] == {"hasNextPage": True}
    assert len(page["edges"]) == 2
