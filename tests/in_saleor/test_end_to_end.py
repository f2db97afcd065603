"""Everything a store does with the channel, through ``POST /graphql/`` alone.

The sandbox plays Amazon, on loopback; Celery's tick is run as beat and a worker would.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import graphene
import pytest
from cryptography.fernet import Fernet
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.sandbox.seeds import generate

from .test_plugin import PLUGIN, UPDATE

GERMANY = "A1PA6795UKMFR9"

CONNECT = """
mutation Connect($input: AmazonAccountConnectInput!) {
  amazonAccountConnect(input: $input) {
    account { id state marketplaces { id marketplaceId isMapped } }
    errors { field message code }
  }
}
"""
MAP = """
mutation Map($id: ID!, $input: AmazonMarketplaceUpdateInput!) {
  amazonMarketplaceUpdate(id: $id, input: $input) {
    marketplace { isMapped channelSlug shippingMethodName }
    errors { field message code }
  }
}
"""
PULL = "mutation { amazonOrdersImport { queued errors { field message code } } }"
PLACES = """
{
  channels { slug currencyCode warehouses { id } }
  shippingZones(first: 10) { edges { node { shippingMethods { id } } } }
}
"""
LEDGER = """
query Ledger($after: String) {
  amazonOrders(first: 100, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node {
      amazonOrderId importState orderId orderNumber fulfillmentStatus
      total { amount currency }
      packages { packageReferenceId trackingNumber isConfirmed }
      outboxEntries { kind state }
    } }
  }
}
"""
ORDERS = """
{
  orders(first: 100) {
    totalCount
    edges { node {
      id number status externalReference chargeStatus userEmail
      total { gross { amount currency } }
      lines { id quantity quantityToFulfill allocations { quantity } }
    } }
  }
}
"""
ORDER = """
query Order($reference: String!) {
  order(externalReference: $reference) {
    id status
    fulfillments { trackingNumber metadata { key value } }
    events { type message }
    lines { id quantity quantityFulfilled }
  }
}
"""
FULFILL = """
mutation Fulfill($order: ID!, $input: OrderFulfillInput!) {
  orderFulfill(order: $order, input: $input) {
    order { status }
    fulfillments { id }
    errors { field message code }
  }
}
"""


@pytest.fixture
def shop(transactional_db, settings, monkeypatch):
    """A shop with a channel, and its staff; ``shop.query`` posts to /graphql/."""
    settings.PLUGINS = [PLUGIN]
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = Fernet.generate_key().decode()
    with allow_writer():
        shop = SaleorDriver(record_notifications(monkeypatch))
        channel = shop.create_channel("amazon-de", "EUR", country="DE")
    shop.channel = channel
    return shop


def do(shop, mutation, **variables):
    """A mutation without errors: its answer."""
    (answer,) = shop.query(mutation, **variables).values()
    assert answer.pop("errors") == []
    return answer


def ledger(shop):
    rows, after = [], None
    while True:
        page = shop.query(LEDGER, after=after)["amazonOrders"]
        rows += [edge["node"] for edge in page["edges"]]
        assert page["totalCount"] is not None
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


def test_a_store_sells_on_amazon(shop):
    start = clock.now()
    orders = generate(12, seed=5, marketplaces=[GERMANY])
    skus = Counter()
    for order in orders:
        for item in order["orderItems"]:
            skus[item["product"]["sellerSku"]] += item["quantityOrdered"]
    with allow_writer():
        warehouse = shop.channel.warehouses[0]
        for sku, units in skus.items():
            shop.create_variant(sku, [shop.channel.id], stock={warehouse.id: units})

    with clock.frozen(start) as move, running_sandbox(orders) as sandbox:

        def work():
            move(timedelta(minutes=6))
            tasks.tick.apply(throw=True)

        # Switch the plugin on, connect the account, map its marketplace to a channel.
        do(shop, UPDATE, input={"active": True})
        account = do(
            shop,
            CONNECT,
            input={
                "name": "Mugs and more",
                "region": "EU",
                "sellerId": "A1SANDBOXEU",
                "lwaClientId": CLIENT_ID,
                "lwaClientSecret": CLIENT_SECRET,
                "refreshToken": "Atzr|sandbox-EU",
                "importFrom": (start - timedelta(days=60)).isoformat(),
                "endpoint": sandbox.url,
                "lwaEndpoint": sandbox.lwa_url,
            },
        )["account"]
        assert account["state"] == "ACTIVE"
        (germany,) = [
            marketplace
            for marketplace in account["marketplaces"]
            if marketplace["marketplaceId"] == GERMANY
        ]
        places = shop.query(PLACES)
        (channel,) = places["channels"]
        (zone,) = places["shippingZones"]["edges"]
        mapped = do(
            shop,
            MAP,
            id=germany["id"],
            input={
                "channel": channel["slug"],
                "warehouseIds": [each["id"] for each in channel["warehouses"]],
                "shippingMethodId": zone["node"]["shippingMethods"][0]["id"],
                "defaultCarrierCode": "DHL",
            },
        )
        assert mapped["marketplace"] == {
            "isMapped": True,
            "channelSlug": "amazon-de",
            "shippingMethodName": "Standard",
        }

        # Pull. Without a broker nothing is asked of Amazon in the request itself.
        assert do(shop, PULL) == {"queued": True}
        assert sandbox.state.calls("searchOrders") == []
        work()
        work()

        # Every order is there, with Amazon's total, charged, in stock, without e-mail.
        rows = ledger(shop)
        assert Counter(row["importState"] for row in rows) == {"IMPORTED": 12}
        found = shop.query(ORDERS)["orders"]
        assert found["totalCount"] == 12
        by_reference = {
            edge["node"]["externalReference"]: edge["node"] for edge in found["edges"]
        }
        for order in orders:
            node = by_reference[order["orderId"]]
            total = order["proceeds"]["grandTotal"]
            gross = node["total"]["gross"]
            assert Decimal(str(gross["amount"])) == Decimal(total["amount"])
            assert gross["currency"] == total["currencyCode"]
            assert node["chargeStatus"] == "FULL"
            assert not node["userEmail"]
            units = sum(item["quantityOrdered"] for item in order["orderItems"])
            assert units == sum(line["quantity"] for line in node["lines"])
            assert units == sum(
                allocation["quantity"]
                for line in node["lines"]
                for allocation in line["allocations"]
            )

        # Ship one order in two packages.
        amazon_order_id, node = next(
            (reference, node)
            for reference, node in by_reference.items()
            if sum(line["quantity"] for line in node["lines"]) > 1
        )
        units = {line["id"]: line["quantity"] for line in node["lines"]}
        first_line = next(iter(units))
        packages = [{first_line: 1}, {**units, first_line: units[first_line] - 1}]
        seen = []
        for number, package in enumerate(packages, 1):
            do(
                shop,
                FULFILL,
                order=node["id"],
                input={
                    "notifyCustomer": False,
                    "trackingNumber": f"JJD0009{number}",
                    "lines": [
                        {
                            "orderLineId": line,
                            "stocks": [
                                {
                                    "quantity": quantity,
                                    "warehouse": graphene.Node.to_global_id(
                                        "Warehouse", warehouse.id
                                    ),
                                }
                            ],
                        }
                        for line, quantity in package.items()
                        if quantity
                    ],
                },
            )
            before = sandbox.state.order(amazon_order_id)["fulfillment"]
            work()
            after = sandbox.state.order(amazon_order_id)["fulfillment"]
            seen.append((before["fulfillmentStatus"], after["fulfillmentStatus"]))
        assert seen == [
            ("UNSHIPPED", "PARTIALLY_SHIPPED"),
            ("PARTIALLY_SHIPPED", "SHIPPED"),
        ]
        on_amazon = sandbox.state.order(amazon_order_id)["packages"]
        assert [
            (
                package["packageReferenceId"],
                package["carrier"],
                package["trackingNumber"],
            )
            for package in on_amazon
        ] == [("1001", "DHL", "JJD00091"), ("1002", "DHL", "JJD00092")]

        # Staff see in Saleor what became of it.
        order = shop.query(ORDER, reference=amazon_order_id)["order"]
        assert order["status"] == "FULFILLED"
        for fulfillment in order["fulfillments"]:
            metadata = {item["key"]: item["value"] for item in fulfillment["metadata"]}
            assert metadata["amazon.confirmation"] == "succeeded"
        notes = [event["message"] for event in order["events"] if event["message"]]
        assert [note for note in notes if note.startswith("Package")] == [
            "Package 1001 is confirmed to Amazon.",
            "Package 1002 is confirmed to Amazon.",
        ]

        # Pull twice more: nothing doubles, nothing comes back as an intent.
        scans = len(sandbox.state.calls("searchOrders"))
        for _ in range(2):
            assert do(shop, PULL) == {"queued": True}
            work()
        assert len(sandbox.state.calls("searchOrders")) == scans + 2
        rows = ledger(shop)
        assert Counter(row["importState"] for row in rows) == {"IMPORTED": 12}
        shipped = next(row for row in rows if row["amazonOrderId"] == amazon_order_id)
        assert shipped["fulfillmentStatus"] == "SHIPPED"
        assert shipped["packages"] == [
            {
                "packageReferenceId": 1000 + number,
                "trackingNumber": f"JJD0009{number}",
                "isConfirmed": True,
            }
            for number in (1, 2)
        ]
        entries = [entry for row in rows for entry in row["outboxEntries"]]
        assert [entry["state"] for entry in entries] == ["SUCCEEDED", "SUCCEEDED"]
        assert len(sandbox.state.calls("confirmShipment")) == 2
        assert shop.query(ORDERS)["orders"]["totalCount"] == 12
        assert shop.query(ORDER, reference=amazon_order_id)["order"] == order
        assert shop.emails() == []
