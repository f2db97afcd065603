"""Orders API v0: the reads that v2026-01-01 replaced, until 2027-03-27.

The channel does not use them; most integrations that exist do, and are compared with
it here. Source: Amazon's model ``ordersV0.json``. What is served is what such an
integration lives on: orders, their items and addresses. Choices where Amazon is silent:

- Amounts are those of v2026-01-01, under v0's names. v0 has no name for a tip, so a
  tip shows in ``OrderTotal`` alone; gift wrap is buyer information of the item.
- Restricted data tokens are not served: what Amazon withholds without one (the buyer,
  the address beyond its city, gift wrap) is withheld.
- getOrders refuses a filter that nobody here uses like an unknown one; the others pass
  over whatever parameters come along, as Amazon does: the library compared adds some.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput
from .orders import (
    HIDDEN,
    MOST_PER_PAGE,
    TOKEN_LIFETIME,
    check_order_id,
    find_orders,
    marketplaces_of,
)
from .times import format_time
from .usage_plans import UsagePlan

Json = dict[str, Any]

STATUSES = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}
_CHANNELS = {"MERCHANT": "MFN", "AMAZON": "AFN"}
_TIMES = ("CreatedAfter", "CreatedBefore", "LastUpdatedAfter", "LastUpdatedBefore")
_FILTERS = (*_TIMES, "MarketplaceIds", "OrderStatuses", "FulfillmentChannels")

#: v0's name → the breakdown of v2026-01-01.
_CHARGES = {"ItemPrice": "ITEM", "ShippingPrice": "SHIPPING", "CODFee": "COD_FEE"}
_TAXES = {
    "ItemTax": "ITEM",
    "ShippingTax": "SHIPPING",
    "PromotionDiscountTax": "DISCOUNT",
}
_DISCOUNTS = {"PromotionDiscount": "ITEM", "ShippingDiscount": "SHIPPING"}


@dataclass(frozen=True, slots=True)
class _Position:
    seller_id: str
    by_creation: bool
    bound: datetime
    after: tuple[datetime, str]
    issued: datetime


def get_orders(call: Call) -> Answer:
    query = Query(call.pairs, (*_FILTERS, "MaxResultsPerPage", "NextToken"))
    if query.text("MarketplaceIds") is None:
        raise InvalidInput("Missing required parameter 'MarketplaceIds'.")
    marketplace_ids = marketplaces_of(query, "MarketplaceIds", call.seller)
    statuses = query.words("OrderStatuses", allowed=STATUSES.values())
    channels = query.words("FulfillmentChannels", allowed=_CHANNELS.values())
    size = query.integer("MaxResultsPerPage", lowest=1, highest=MOST_PER_PAGE)
    token, after = query.text("NextToken"), None
    if token is None:
        by_creation, start, bound = _time_range(query, call.now)
    else:
        position = _position(call, token)
        by_creation, bound, after = position.by_creation, position.bound, position.after
        start = after[0]
    found = find_orders(
        call,
        by_creation=by_creation,
        start=start,
        bound=bound,
        after=after,
        marketplace_ids=marketplace_ids,
        statuses=tuple(each for each in STATUSES if STATUSES[each] in statuses),
        fulfilled_by=tuple(each for each in _CHANNELS if _CHANNELS[each] in channels),
    )
    page = found[: size or MOST_PER_PAGE]
    payload: Json = {"Orders": [_order(row[2].payload) for row in page]}
    if len(found) > len(page):
        payload["NextToken"] = secrets.token_urlsafe(32)
        call.state.pagination_tokens[payload["NextToken"]] = _Position(
            call.seller.seller_id, by_creation, bound, page[-1][:2], call.now
        )
    bound_name = "CreatedBefore" if by_creation else "LastUpdatedBefore"
    payload[bound_name] = format_time(bound)
    return Answer(200, {"payload": payload})


def get_order_items(call: Call) -> Answer:
    order = _own(call)
    items = [_item(item, _is_priced(order)) for item in order["orderItems"]]
    payload = {"AmazonOrderId": order["orderId"], "OrderItems": items}
    return Answer(200, {"payload": payload})


def get_order_address(call: Call) -> Answer:
    order = _own(call)
    address = order.get("recipient", {}).get("deliveryAddress", {})
    names = {
        "city": "City",
        "stateOrRegion": "StateOrRegion",
        "postalCode": "PostalCode",
        "countryCode": "CountryCode",
    }
    visible = {names[name]: address[name] for name in names if name in address}
    payload = {"AmazonOrderId": order["orderId"], "ShippingAddress": visible}
    return Answer(200, {"payload": payload})


def _own(call: Call) -> Json:
    order_id = check_order_id(call.path["orderId"])
    return call.state.own_order(order_id, call.seller.seller_id).current.payload


def _time_range(query: Query, now: datetime) -> tuple[bool, datetime, datetime]:
    created, updated = query.moment("CreatedAfter"), query.moment("LastUpdatedAfter")
    if (created is None) == (updated is None):
        raise InvalidInput(
            "Either the CreatedAfter or the LastUpdatedAfter parameter is required; "
            "both cannot be given."
        )
    name = "CreatedBefore" if created else "LastUpdatedBefore"
    latest = now - HIDDEN
    end = query.moment(name) or latest
    if end > latest:
        raise InvalidInput(f"{name} must be at least two minutes before now.")
    start = created or updated
    assert start is not None  # noqa: S101 - exactly one is given
    return created is not None, start, end


def _position(call: Call, token: str) -> _Position:
    position = call.state.pagination_tokens.get(token)
    if (
        not isinstance(position, _Position)
        or position.seller_id != call.seller.seller_id
        or call.now - position.issued > TOKEN_LIFETIME
    ):
        raise InvalidInput("NextToken is invalid or has expired.")
    return position


def _is_priced(order: Json) -> bool:
    """Money is told once the payment is through."""
    status = order.get("fulfillment", {}).get("fulfillmentStatus")
    return status not in ("PENDING", "PENDING_AVAILABILITY")


def _order(order: Json) -> Json:
    fulfillment = order.get("fulfillment", {})
    units = [item.get("fulfillment", {}) for item in order["orderItems"]]
    seen: Json = {
        "AmazonOrderId": order["orderId"],
        "PurchaseDate": order["createdTime"],
        "LastUpdateDate": order["lastUpdatedTime"],
        "OrderStatus": STATUSES[fulfillment.get("fulfillmentStatus", "UNSHIPPED")],
        "NumberOfItemsShipped": sum(u.get("quantityFulfilled", 0) for u in units),
        "NumberOfItemsUnshipped": sum(u.get("quantityUnfulfilled", 0) for u in units),
    }
    if "fulfilledBy" in fulfillment:
        seen["FulfillmentChannel"] = _CHANNELS[fulfillment["fulfilledBy"]]
    if "marketplaceId" in order["salesChannel"]:
        seen["MarketplaceId"] = order["salesChannel"]["marketplaceId"]
    total = order.get("proceeds", {}).get("grandTotal")
    if total and _is_priced(order):
        seen["OrderTotal"] = _money(total)
    return seen


def _item(item: Json, is_priced: bool) -> Json:
    product = item["product"]
    seen: Json = {
        # The model requires it.
        "ASIN": product.get("asin", ""),
        "OrderItemId": item["orderItemId"],
        "QuantityOrdered": item["quantityOrdered"],
        "QuantityShipped": item.get("fulfillment", {}).get("quantityFulfilled", 0),
        "ProductInfo": {"NumberOfItems": str(item["quantityOrdered"])},
    }
    for name, ours in (("SellerSKU", "sellerSku"), ("Title", "title")):
        if ours in product:
            seen[name] = product[ours]
    return seen | _amounts(item.get("proceeds", {})) if is_priced else seen


def _amounts(proceeds: Json) -> Json:
    charges: dict[str, Mapping[str, str]] = {}
    details: dict[str, dict[str, Mapping[str, str]]] = {"TAX": {}, "DISCOUNT": {}}
    for breakdown in proceeds.get("breakdowns", ()):
        kind, subtotal = breakdown["type"], breakdown["subtotal"]
        charges[kind] = subtotal
        if kind in details:
            # Without details it is all about the item.
            details[kind] = {
                each["subtype"]: each["value"]
                for each in breakdown.get("detailedBreakdowns", ())
            } or {"ITEM": subtotal}
    seen = {v0: charges[kind] for v0, kind in _CHARGES.items() if kind in charges}
    for kind, names in (("TAX", _TAXES), ("DISCOUNT", _DISCOUNTS)):
        seen |= {
            v0: details[kind][subtype]
            for v0, subtype in names.items()
            if subtype in details[kind]
        }
    return {name: _money(value) for name, value in seen.items()}


def _money(value: Mapping[str, str]) -> Json:
    """v0 writes discounts, and the tax that they save, without a sign."""
    amount = value["amount"].removeprefix("-")
    return {"CurrencyCode": value["currencyCode"], "Amount": amount}


_PATH = "/orders/v0/orders"
_PLAN = UsagePlan(0.5, 30)

OPERATIONS = (
    Operation("getOrders", "GET", _PATH, UsagePlan(0.0167, 20), get_orders),
    Operation(
        "getOrderItems", "GET", _PATH + "/{orderId}/orderItems", _PLAN, get_order_items
    ),
    Operation(
        "getOrderAddress", "GET", _PATH + "/{orderId}/address", _PLAN, get_order_address
    ),
)
