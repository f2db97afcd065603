from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox.events import set_status
from saleor_amazon_channel.sandbox.seeds import generate

from .conftest import JP, Caller, Move, errors


@pytest.fixture
def order(state: State) -> dict[str, Any]:
    """Three units of one product and two of another."""
    [order] = generate(1, created_over=timedelta(hours=3))
    for item, quantity in zip(order["orderItems"], (3, 2), strict=True):
        item["quantityOrdered"] = quantity
        item["fulfillment"]["quantityUnfulfilled"] = quantity
    state.put_orders([order])
    return order


def package(order: dict[str, Any], *units: int, **detail: Any) -> dict[str, Any]:
    """A request to confirm ``units`` of each item; ``detail`` replaces fields."""
    body = {
        "marketplaceId": order["salesChannel"]["marketplaceId"],
        "packageDetail": {
            "packageReferenceId": "1",
            "carrierCode": "UPS",
            "trackingNumber": "1Z999AA10123456784",
            "shipDate": "2026-11-22T11:59:00Z",
            "orderItems": [
                {"orderItemId": item["orderItemId"], "quantity": quantity}
                for item, quantity in zip(order["orderItems"], units, strict=False)
                if quantity
            ],
            **detail,
        },
    }
    for name in [name for name, value in detail.items() if value is ...]:
        del body["packageDetail"][name]
    return body


def quantities(order: dict[str, Any]) -> list[tuple[int, int]]:
    return [
        (
            item["fulfillment"]["quantityFulfilled"],
            item["fulfillment"]["quantityUnfulfilled"],
        )
        for item in order["orderItems"]
    ]


def status(order: dict[str, Any]) -> str:
    return str(order["fulfillment"]["fulfillmentStatus"])


def test_two_packages_ship_an_order_in_part_and_then_whole(
    caller: Caller, state: State, order: dict[str, Any], move: Move
) -> None:
    order_id = order["orderId"]

    first = caller.confirm(order_id, package(order, 3, 1))

    assert (first.status_code, first.content) == (204, b"")
    then = state.order(order_id)
    assert status(then) == "PARTIALLY_SHIPPED"
    assert quantities(then) == [(3, 0), (1, 1)]
    assert then["lastUpdatedTime"] == "2026-11-22T12:00:00.000Z"
    assert then["packages"] == [
        {
            "packageReferenceId": "1",
            "createdTime": "2026-11-22T12:00:00.000Z",
            "packageStatus": {"status": "SHIPPED"},
            "carrier": "UPS",
            "shipTime": "2026-11-22T11:59:00.000Z",
            "trackingNumber": "1Z999AA10123456784",
            "packageItems": [
                {"orderItemId": order["orderItems"][0]["orderItemId"], "quantity": 3},
                {"orderItemId": order["orderItems"][1]["orderItemId"], "quantity": 1},
            ],
        }
    ]

    move(timedelta(minutes=5))
    second = caller.confirm(order_id, package(order, 0, 1, packageReferenceId="2"))

    assert second.status_code == 204
    then = state.order(order_id)
    assert status(then) == "SHIPPED"
    assert quantities(then) == [(3, 0), (2, 0)]
    assert then["lastUpdatedTime"] == "2026-11-22T12:05:00.000Z"
    assert [p["packageReferenceId"] for p in then["packages"]] == ["1", "2"]
    shown = caller.get(order_id, "PACKAGES").json()["order"]["packages"]
    assert shown == then["packages"]


def test_the_same_call_again_changes_nothing(
    caller: Caller, state: State, order: dict[str, Any], move: Move
) -> None:
    body = package(order, 3, 2)
    caller.confirm(order["orderId"], body)
    before = state.order(order["orderId"])

    move(timedelta(minutes=5))

    assert caller.confirm(order["orderId"], body).status_code == 204
    assert state.order(order["orderId"]) == before


def test_the_same_reference_edits_the_package_also_when_all_is_shipped(
    caller: Caller, state: State, order: dict[str, Any], move: Move
) -> None:
    order_id = order["orderId"]
    caller.confirm(order_id, package(order, 3, 2))
    move(timedelta(minutes=5))

    edited = caller.confirm(
        order_id,
        package(order, 3, 2, trackingNumber="1Z-CORRECTED", shippingMethod="Ground"),
    )

    assert edited.status_code == 204
    then = state.order(order_id)
    [known] = then["packages"]
    assert known["trackingNumber"] == "1Z-CORRECTED"
    assert known["shippingService"] == "Ground"
    assert known["createdTime"] == "2026-11-22T12:00:00.000Z"
    assert (status(then), quantities(then)) == ("SHIPPED", [(3, 0), (2, 0)])
    assert then["lastUpdatedTime"] == "2026-11-22T12:05:00.000Z"


def test_an_edit_may_move_units(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    order_id = order["orderId"]
    caller.confirm(order_id, package(order, 3))

    assert caller.confirm(order_id, package(order, 1, 2)).status_code == 204

    then = state.order(order_id)
    assert (status(then), quantities(then)) == (
        "PARTIALLY_SHIPPED",
        [(1, 2), (2, 0)],
    )


def test_another_reference_on_a_shipped_order_finds_no_package(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    order_id = order["orderId"]
    caller.confirm(order_id, package(order, 3, 2))
    before = state.order(order_id)

    refused = caller.confirm(order_id, package(order, 1, packageReferenceId="2"))

    assert refused.status_code == 400
    assert errors(refused) == [("InvalidInput", "Unable to find package to update.")]
    assert state.order(order_id) == before


def test_no_more_than_what_is_left_can_be_shipped(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    order_id = order["orderId"]
    caller.confirm(order_id, package(order, 2))
    before = state.order(order_id)
    twice = package(order, 1, packageReferenceId="2")
    twice["packageDetail"]["orderItems"] *= 2

    for body in (package(order, 2, packageReferenceId="2"), twice, package(order, 4)):
        refused = caller.confirm(order_id, body)
        assert refused.status_code == 400
        assert errors(refused) == [
            ("InvalidInput", "Quantity is invalid, is more than what is left to ship.")
        ]
    assert state.order(order_id) == before


_REFERENCE = "PackageReferenceId: is invalid, must be a positive numeric value"


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"packageReferenceId": ...}, _REFERENCE),
        ({"packageReferenceId": None}, _REFERENCE),
        (
            {"packageReferenceId": 1},
            "Request has fields with invalid type [packageDetail.packageReferenceId]",
        ),
        ({"packageReferenceId": "0"}, _REFERENCE),
        ({"packageReferenceId": "-1"}, _REFERENCE),
        ({"packageReferenceId": "1.0"}, _REFERENCE),
        ({"packageReferenceId": "PKG-1"}, _REFERENCE),
        ({"packageReferenceId": ""}, _REFERENCE),
        ({"packageReferenceId": "٣"}, _REFERENCE),
        ({"carrierCode": ...}, "CarrierCode is invalid, must be provided."),
        ({"carrierCode": "ups"}, "CarrierCode is invalid."),
        (
            {"carrierCode": "Other"},
            "CarrierName is required when CarrierCode is Other.",
        ),
        (
            {"carrierCode": "Other", "carrierName": " "},
            "CarrierName is required when CarrierCode is Other.",
        ),
        ({"trackingNumber": ...}, "TrackingNumber is invalid, must be provided."),
        ({"trackingNumber": ""}, "TrackingNumber is invalid, must be provided."),
        ({"shipDate": ...}, "ShipDate is invalid, must be provided."),
        (
            {"shipDate": "02/21/2022"},
            "ShipDate is invalid, must be an ISO 8601 date-time.",
        ),
        (
            {"shipDate": "2026-11-22"},
            "ShipDate is invalid, must be an ISO 8601 date-time.",
        ),
        (
            {"shipDate": "2026-11-22T12:00:01Z"},
            "ShipDate is invalid, must not be in the future.",
        ),
        (
            {"shipDate": "2026-11-22T08:59:59Z"},
            "ShipDate is invalid, must not be before the order.",
        ),
        ({"orderItems": ...}, "OrderItems is invalid, must be provided."),
        ({"orderItems": []}, "OrderItems is invalid, must not be empty."),
        (
            {"orderItems": {"orderItemId": "1", "quantity": 1}},
            "OrderItemId is invalid, must be provided.",
        ),
        (
            {"orderItems": ["1"]},
            "Request has fields with invalid type [packageDetail.orderItems]",
        ),
        (
            {"orderItems": [{"quantity": 1}]},
            "OrderItemId is invalid, must be provided.",
        ),
        (
            {"orderItems": [{"orderItemId": "1", "quantity": 1}]},
            "OrderItemId is invalid, is not of the order.",
        ),
        (
            {"orderItems": [{"orderItemId": "1", "quantity": "1"}]},
            "Request has fields with invalid type [packageDetail.orderItems.quantity]",
        ),
        (
            {"orderItems": [{"orderItemId": "1", "quantity": True}]},
            "Request has fields with invalid type [packageDetail.orderItems.quantity]",
        ),
        (
            {"trackingUrl": "https://example.com"},
            "Request has unknown fields [packageDetail.trackingUrl]",
        ),
    ],
)
def test_invalid_input(
    caller: Caller,
    state: State,
    order: dict[str, Any],
    detail: dict[str, Any],
    message: str,
) -> None:
    refused = caller.confirm(order["orderId"], package(order, 1, **detail))

    assert refused.status_code == 400
    assert errors(refused) == [("InvalidInput", message)]
    assert state.order(order["orderId"]) == order


def test_the_order_may_ship_at_any_time_from_its_creation_to_now(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    order["createdTime"] = "2026-11-22T09:00:00Z"
    state.put_orders([order])

    for moment in ("2026-11-22T12:00:00Z", "2026-11-22T10:00:00+01:00"):
        body = package(order, 1, shipDate=moment)
        assert caller.confirm(order["orderId"], body).status_code == 204


def test_a_quantity_must_be_positive(caller: Caller, order: dict[str, Any]) -> None:
    body = package(order, 1)
    body["packageDetail"]["orderItems"][0]["quantity"] = 0

    refused = caller.confirm(order["orderId"], body)

    assert errors(refused) == [
        ("InvalidInput", "Quantity is invalid, must be positive.")
    ]


def test_the_marketplace_must_be_the_orders(
    caller: Caller, order: dict[str, Any]
) -> None:
    body = package(order, 1)

    refused = caller.confirm(order["orderId"], body | {"marketplaceId": JP})
    assert errors(refused) == [
        ("InvalidInput", "MarketplaceId is not the marketplace of the order.")
    ]
    del body["marketplaceId"]
    refused = caller.confirm(order["orderId"], body)
    assert errors(refused) == [
        ("InvalidInput", "MarketplaceId is invalid, must be provided.")
    ]


@pytest.mark.parametrize(
    "fulfillment_status", ["PENDING", "CANCELLED", "UNFULFILLABLE"]
)
def test_only_orders_ready_to_ship_can_be_shipped(
    caller: Caller, state: State, order: dict[str, Any], fulfillment_status: str
) -> None:
    set_status(state, order["orderId"], status=fulfillment_status)
    before = state.order(order["orderId"])

    refused = caller.confirm(order["orderId"], package(order, 1))

    assert refused.status_code == 400
    assert errors(refused) == [
        (
            "InvalidInput",
            f"An order in status {fulfillment_status} cannot be shipped.",
        )
    ]
    assert state.order(order["orderId"]) == before


def test_amazons_own_shipments_and_ship_plus_are_refused(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    ship_plus = order | {"programs": ["FBM_SHIP_PLUS"]}
    state.put_orders([ship_plus])
    refused = caller.confirm(order["orderId"], package(order, 1))
    assert (refused.status_code, errors(refused)) == (
        400,
        [("InvalidInput", "Shipments of Ship+ orders cannot be confirmed.")],
    )

    order["fulfillment"]["fulfilledBy"] = "AMAZON"
    state.put_orders([order])
    refused = caller.confirm(order["orderId"], package(order, 1))
    assert (refused.status_code, errors(refused)) == (
        400,
        [("InvalidInput", "The order is fulfilled by Amazon.")],
    )


def test_transparency_needs_a_code_per_unit(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    order["orderItems"][0]["programs"] = ["TRANSPARENCY"]
    state.put_orders([order])
    body = package(order, 2)
    [entry] = body["packageDetail"]["orderItems"]

    for codes in ([], ["AZ:1"], ["AZ:1", 2]):
        entry["transparencyCodes"] = codes
        assert caller.confirm(order["orderId"], body).status_code == 400

    entry["transparencyCodes"] = ["AZ:1", "AZ:2"]
    assert caller.confirm(order["orderId"], body).status_code == 204
    [known] = state.order(order["orderId"])["packages"]
    assert known["packageItems"][0]["transparencyCodes"] == ["AZ:1", "AZ:2"]


def test_cash_on_delivery_is_collected_in_japan_alone(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    body = package(order, 1) | {"codCollectionMethod": "DirectPayment"}
    refused = caller.confirm(order["orderId"], body)
    assert errors(refused) == [
        ("InvalidInput", "CodCollectionMethod is only supported in Japan.")
    ]

    [japanese] = generate(1, 2, marketplaces=[JP], created_over=timedelta(hours=3))
    state.put_orders([japanese])
    body = package(japanese, 1, carrierCode="YAMATO")
    body["codCollectionMethod"] = "DirectPayment"
    answer = caller.confirm(japanese["orderId"], body, region="FE")
    assert answer.status_code == 204


def test_orders_that_are_not_the_sellers_are_not_found(
    caller: Caller, order: dict[str, Any]
) -> None:
    body = package(order, 1)

    assert caller.confirm("113-9999999-9999999", body).status_code == 404
    assert caller.confirm(order["orderId"], body, region="EU").status_code == 404
    assert caller.confirm("not-an-id", body).status_code == 400


def test_bodies_that_are_not_json_objects(
    caller: Caller, order: dict[str, Any]
) -> None:
    path = f"/orders/v0/orders/{order['orderId']}/shipmentConfirmation"
    as_json = {"Content-Type": "application/json; charset=utf-8"}

    answer = caller.call("POST", path, data=b"{", headers=as_json)
    assert (answer.status_code, errors(answer)) == (
        400,
        [("InvalidInput", "Request body is not valid JSON.")],
    )
    answer = caller.call("POST", path, data=b"[]", headers=as_json)
    assert (answer.status_code, errors(answer)) == (
        400,
        [("InvalidInput", "Request body must be an object.")],
    )
    answer = caller.call("POST", path, data=b"{}", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


def test_an_order_shipped_elsewhere_before_keeps_its_count(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    """Packages may be missing from an order's data; its quantities then count."""
    order["orderItems"][0]["fulfillment"] = {
        "quantityFulfilled": 2,
        "quantityUnfulfilled": 1,
    }
    order["fulfillment"]["fulfillmentStatus"] = "PARTIALLY_SHIPPED"
    state.put_orders([order])

    assert caller.confirm(order["orderId"], package(order, 2)).status_code == 400
    assert caller.confirm(order["orderId"], package(order, 1, 2)).status_code == 204

    then = state.order(order["orderId"])
    assert (status(then), quantities(then)) == ("SHIPPED", [(3, 0), (2, 0)])


def test_two_calls_at_once_never_ship_more_than_there_is(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    caller.token()

    def confirm(number: int) -> int:
        body = package(order, 1, packageReferenceId=str(number))
        return caller.confirm(order["orderId"], body).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(confirm, range(1, 13)))

    assert sorted(statuses) == [204] * 3 + [400] * 9
    assert quantities(state.order(order["orderId"]))[0] == (3, 0)
