"""getOrders, getOrderItems and getOrderAddress of v0, for those who still read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox.order_builder import Line, OrderBuilder, SeedOrder
from saleor_amazon_channel.sandbox.seeds import generate

from .conftest import CA, DE, NOW, US, Caller, errors

ORDERS = "/orders/v0/orders"
LONG_AGO = (NOW - timedelta(days=40)).isoformat()


def build(country: str, *lines: Line, **more: Any) -> dict[str, Any]:
    builder = OrderBuilder(1, 1, NOW)
    return builder.build(SeedOrder(country, timedelta(days=1), lines, **more))


def get_orders(caller: Caller, **parameters: Any) -> requests.Response:
    given = {"LastUpdatedAfter": LONG_AGO, "MarketplaceIds": US, **parameters}
    return caller.call("GET", ORDERS, params=given)


def test_orders_are_read_in_pages(caller: Caller, state: State) -> None:
    state.put_orders(generate(5, marketplaces=[US, CA]))

    first = get_orders(caller, MarketplaceIds=f"{US},{CA}", MaxResultsPerPage=3)
    payload = first.json()["payload"]
    rest = get_orders(
        caller, MarketplaceIds=f"{US},{CA}", NextToken=payload["NextToken"]
    ).json()["payload"]

    pages = [[o["AmazonOrderId"] for o in page["Orders"]] for page in (payload, rest)]
    assert [len(page) for page in pages] == [3, 2]
    assert sorted([*pages[0], *pages[1]]) == sorted(state.order_ids())
    assert "NextToken" not in rest
    assert payload["LastUpdatedBefore"] == "2026-11-22T11:58:00.000Z"


def test_an_order_has_its_total_and_its_items_their_amounts(
    caller: Caller, state: State
) -> None:
    line = Line("MUG-BLUE-350", 3, item="10.00", shipping="4.00", item_discount="1.00")
    order = build("US", line, Line("PEN-GEL-10", gift_wrap="2.00"))
    state.put_orders([order])

    [seen] = get_orders(caller).json()["payload"]["Orders"]
    answer = caller.call("GET", f"{ORDERS}/{order['orderId']}/orderItems")

    assert seen["OrderTotal"] == {
        "CurrencyCode": "USD",
        "Amount": order["proceeds"]["grandTotal"]["amount"],
    }
    assert (seen["OrderStatus"], seen["NumberOfItemsUnshipped"]) == ("Unshipped", 4)
    items = answer.json()["payload"]["OrderItems"]
    assert {
        name: value["Amount"]
        for name, value in items[0].items()
        if isinstance(value, dict) and "Amount" in value
    } == {
        "ItemPrice": "10.00",
        "ShippingPrice": "4.00",
        "ItemTax": "0.74",
        "ShippingTax": "0.33",
        "PromotionDiscount": "1.00",
    }
    # Gift wrap is information about the buyer.
    assert items[1]["ItemPrice"]["Amount"] == "11.49"
    assert "GiftWrapPrice" not in items[1]


def test_a_pending_order_has_no_amounts(caller: Caller, state: State) -> None:
    order = build("US", Line("MUG-BLUE-350"), status="PENDING")
    state.put_orders([order])

    [seen] = get_orders(caller).json()["payload"]["Orders"]
    answer = caller.call("GET", f"{ORDERS}/{order['orderId']}/orderItems")

    assert "OrderTotal" not in seen
    [item] = answer.json()["payload"]["OrderItems"]
    assert "ItemPrice" not in item


def test_an_address_without_restricted_data_is_a_town(
    caller: Caller, state: State
) -> None:
    address = {"city": "Cupertino", "stateOrRegion": "CA", "postalCode": "95014"}
    order = build("US", Line("MUG-BLUE-350"), address=address)
    state.put_orders([order])

    answer = caller.call("GET", f"{ORDERS}/{order['orderId']}/address")

    assert answer.json()["payload"]["ShippingAddress"] == {
        "City": "Cupertino",
        "StateOrRegion": "CA",
        "PostalCode": "95014",
        "CountryCode": "US",
    }


def test_what_the_model_requires_is_required(caller: Caller, state: State) -> None:
    [order] = generate(1, marketplaces=[DE])
    state.put_orders([order])

    without_time = caller.call("GET", ORDERS, params={"MarketplaceIds": US})
    both = get_orders(caller, CreatedAfter=LONG_AGO)
    nowhere = caller.call("GET", ORDERS, params={"LastUpdatedAfter": LONG_AGO})
    of_others = caller.call("GET", f"{ORDERS}/{order['orderId']}/orderItems")

    assert [a.status_code for a in (without_time, both, nowhere)] == [400, 400, 400]
    assert errors(nowhere) == [
        ("InvalidInput", "Missing required parameter 'MarketplaceIds'.")
    ]
    assert of_others.status_code == 404
