"""Small orders in Amazon's wire format (Orders API v2026-01-01), for any test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GERMANY = "A1PA6795UKMFR9"
FRANCE = "A13V1IB3VIYZZH"


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def wire_item(
    item_id: str = "10000000000001",
    sku: str = "MUG-1",
    quantity: int = 1,
    price: str = "19.90",
    shipped: int = 0,
    currency: str = "EUR",
) -> dict[str, Any]:
    """An item with tax inside; ``price`` is of all units."""
    money = {"amount": price, "currencyCode": currency}
    return {
        "orderItemId": item_id,
        "quantityOrdered": quantity,
        "product": {"asin": "B000000001", "title": "A mug", "sellerSku": sku},
        "proceeds": {
            "proceedsTotal": money,
            "breakdowns": [{"type": "ITEM", "subtotal": money}],
        },
        "fulfillment": {
            "quantityFulfilled": shipped,
            "quantityUnfulfilled": quantity - shipped,
        },
    }


def wire_order(
    order_id: str = "111-0000001-0000001",
    *,
    status: str = "UNSHIPPED",
    fulfilled_by: str = "MERCHANT",
    items: list[dict[str, Any]] | None = None,
    created: datetime = NOW - timedelta(hours=2),
    updated: datetime = NOW - timedelta(hours=1),
    marketplace_id: str = GERMANY,
    currency: str = "EUR",
) -> dict[str, Any]:
    """A German order whose grand total is the sum of its items."""
    items = items or [wire_item()]
    total = sum(
        (Decimal(i["proceeds"]["proceedsTotal"]["amount"]) for i in items), Decimal(0)
    )
    return {
        "orderId": order_id,
        "createdTime": _time(created),
        "lastUpdatedTime": _time(updated),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace_id},
        "buyer": {"buyerName": "Änne Müller", "buyerEmail": "x1@marketplace.amazon.de"},
        "recipient": {
            "deliveryAddress": {
                "name": "Änne Müller",
                "addressLine1": "Hauptstr. 5",
                "city": "Berlin",
                "postalCode": "10115",
                "countryCode": "DE",
            }
        },
        "proceeds": {
            "grandTotal": {"amount": str(total), "currencyCode": currency},
            "breakdowns": [
                {
                    "type": "ITEM",
                    "subtotal": {"amount": str(total), "currencyCode": currency},
                }
            ],
        },
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": fulfilled_by,
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {
                "earliestDateTime": _time(created),
                "latestDateTime": _time(created + timedelta(days=2)),
            },
        },
        "orderItems": items,
    }
