"""What Amazon's notifications look like: ORDER_CHANGE 1.0 with keys in Pascal case,
FEED_PROCESSING_FINISHED 2020-09-04 in camel case.

Source: the schemas ``OrderChangeNotification`` and
``FeedProcessingFinishedNotification``. Order statuses are spelled as in Orders API v0.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .feed_store import StoredFeed
from .times import format_time

Json = dict[str, Any]

#: By notification type.
PAYLOAD_VERSIONS = {
    "ORDER_CHANGE": "1.0",
    "FEED_PROCESSING_FINISHED": "2020-09-04",
}
ORDER_CHANGE_TYPES = ("BuyerRequestedChange", "DeliveryTipChange", "OrderStatusChange")

_STATUSES = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}
_APPLICATION = "amzn1.sellerapps.app.sandbox"


def change_of(before: Json, after: Json) -> tuple[str, str] | None:
    """The type of the change and its reason; None where Amazon tells nobody."""
    if _is_cancellation_requested(after) and not _is_cancellation_requested(before):
        return "BuyerRequestedChange", "Buyer Requested Cancel"
    if _status(before) != _status(after):
        return "OrderStatusChange", "Order Status Change"
    return None


def order_change(
    seller_id: str,
    order: Json,
    change: tuple[str, str],
    subscription_id: str,
    now: datetime,
) -> Json:
    type_, reason = change
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": PAYLOAD_VERSIONS["ORDER_CHANGE"],
        "EventTime": format_time(now),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": seller_id,
                "AmazonOrderId": order["orderId"],
                "OrderChangeType": type_,
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": order["lastUpdatedTime"],
                    "ChangeReason": reason,
                },
                "Summary": _summary(order),
            }
        },
        "NotificationMetadata": {
            "ApplicationId": _APPLICATION,
            "SubscriptionId": subscription_id,
            "PublishTime": format_time(now),
            "NotificationId": str(uuid.uuid4()),
        },
    }


def feed_processing_finished(
    feed: StoredFeed, subscription_id: str, now: datetime
) -> Json:
    told = {
        "sellerId": feed.seller_id,
        "accountId": f"amzn1.merchant.o.{feed.seller_id}",
        "feedId": feed.id,
        "feedType": feed.type,
        "processingStatus": feed.final_status,
    }
    if feed.result_document_id:
        told["resultFeedDocumentId"] = feed.result_document_id
    return {
        "notificationVersion": "2020-09-04",
        "notificationType": "FEED_PROCESSING_FINISHED",
        "payloadVersion": PAYLOAD_VERSIONS["FEED_PROCESSING_FINISHED"],
        "eventTime": format_time(now),
        "payload": {"feedProcessingFinishedNotification": told},
        "notificationMetadata": {
            "applicationId": _APPLICATION,
            "subscriptionId": subscription_id,
            "publishTime": format_time(now),
            "notificationId": str(uuid.uuid4()),
        },
    }


def _status(order: Json) -> str | None:
    return order.get("fulfillment", {}).get("fulfillmentStatus")


def _is_cancellation_requested(order: Json) -> bool:
    return any(
        "cancellationRequest" in item.get("cancellation", {})
        for item in order["orderItems"]
    )


def _summary(order: Json) -> Json:
    fulfillment = order.get("fulfillment", {})
    address = order.get("recipient", {}).get("deliveryAddress", {})
    shipped = [_shipped(item) for item in order["orderItems"]]
    ordered = [item["quantityOrdered"] for item in order["orderItems"]]
    summary: Json = {
        "MarketplaceId": order["salesChannel"].get("marketplaceId", ""),
        "OrderStatus": _STATUSES[fulfillment.get("fulfillmentStatus", "PENDING")],
        "PurchaseDate": order["createdTime"],
        "DestinationPostalCode": address.get("postalCode"),
        "FulfillmentType": (
            "AFN" if fulfillment.get("fulfilledBy") == "AMAZON" else "MFN"
        ),
        "OrderType": "StandardOrder",
        "NumberOfItemsShipped": sum(shipped),
        "NumberOfItemsUnshipped": sum(ordered) - sum(shipped),
        "OrderPrograms": [],
        "ShippingPrograms": [],
        "OrderItems": [_item(item) for item in order["orderItems"]],
    }
    for name, window in (("Ship", "shipByWindow"), ("Delivery", "deliverByWindow")):
        for bound in ("earliest", "latest"):
            moment = fulfillment.get(window, {}).get(f"{bound}DateTime")
            if moment:
                summary[f"{bound.capitalize()}{name}Date"] = moment
    return summary


def _item(item: Mapping[str, Any]) -> Json:
    shipped = _shipped(item)
    return {
        "OrderItemId": item["orderItemId"],
        "SellerSKU": item["product"].get("sellerSku", ""),
        "SupplySourceId": None,
        "OrderItemStatus": (
            "Shipped" if shipped >= item["quantityOrdered"] else "Unshipped"
        ),
        "Quantity": item["quantityOrdered"],
        "QuantityShipped": shipped,
        "IsBuyerRequestedCancel": "cancellationRequest" in item.get("cancellation", {}),
    }


def _shipped(item: Mapping[str, Any]) -> int:
    return int(item.get("fulfillment", {}).get("quantityFulfilled", 0))
