from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox.events import set_status
from saleor_amazon_channel.sandbox.faults import FaultError
from saleor_amazon_channel.sandbox.seeds import generate
from saleor_amazon_channel.sandbox.state import UnknownName

from .conftest import Caller, Move, errors


@pytest.fixture
def order(state: State) -> dict[str, Any]:
    [order] = generate(1, lines=1, created_over=timedelta(hours=3))
    state.put_orders([order])
    return order


def whole(order: dict[str, Any]) -> dict[str, Any]:
    """A request to confirm everything in one package."""
    return {
        "marketplaceId": order["salesChannel"]["marketplaceId"],
        "packageDetail": {
            "packageReferenceId": "1",
            "carrierCode": "UPS",
            "trackingNumber": "1Z999AA10123456784",
            "shipDate": order["createdTime"],
            "orderItems": [
                {
                    "orderItemId": item["orderItemId"],
                    "quantity": item["quantityOrdered"],
                }
                for item in order["orderItems"]
            ],
        },
    }


def is_shipped(state: State, order: dict[str, Any]) -> bool:
    current = state.order(order["orderId"])
    return bool(current["fulfillment"]["fulfillmentStatus"] == "SHIPPED")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttled", 429, "QuotaExceeded"),
        ("internal_failure", 500, "InternalFailure"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("unauthorized", 403, "Unauthorized"),
    ],
)
def test_refusals_before_anything_happens(
    caller: Caller,
    state: State,
    order: dict[str, Any],
    kind: str,
    status: int,
    code: str,
) -> None:
    state.inject_fault("confirmShipment", kind, count=2)

    for _ in range(2):
        answer = caller.confirm(order["orderId"], whole(order))
        assert answer.status_code == status
        assert errors(answer)[0][0] == code
        assert not is_shipped(state, order)
    assert caller.confirm(order["orderId"], whole(order)).status_code == 204


def test_html_where_json_is_expected(caller: Caller, state: State) -> None:
    for operation in ("searchOrders", "lwaToken"):
        state.inject_fault(operation, "html_400")

    for answer in (caller.token_request(), caller.search()):
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.text.startswith("<html>")


def test_reset_before_effect(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    caller.token()
    state.inject_fault("confirmShipment", "reset_before_effect")

    with pytest.raises(requests.ConnectionError):
        caller.confirm(order["orderId"], whole(order))

    assert not is_shipped(state, order)
    assert state.calls("confirmShipment")[0].status == 0


def test_close_after_effect(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    caller.token()
    state.inject_fault("confirmShipment", "close_after_effect")

    with pytest.raises(requests.ConnectionError):
        caller.confirm(order["orderId"], whole(order))

    assert is_shipped(state, order)
    [call] = state.calls("confirmShipment")
    assert (call.status, call.fault) == (204, "close_after_effect")


def test_hold_after_effect_outlasts_the_clients_patience(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    caller.token()
    state.inject_fault("confirmShipment", "hold_after_effect", seconds=60)

    with pytest.raises(requests.ReadTimeout):
        caller.confirm(order["orderId"], whole(order), timeout=0.2)

    assert is_shipped(state, order)


def test_a_held_call_ends_when_its_time_is_over(caller: Caller, state: State) -> None:
    caller.token()
    state.inject_fault("searchOrders", "hold_after_effect", seconds=0.05)

    with pytest.raises(requests.ConnectionError):
        caller.search()


def test_failure_after_effect(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    state.inject_fault("confirmShipment", "failure_after_effect")

    answer = caller.confirm(order["orderId"], whole(order))

    assert answer.status_code == 500
    assert errors(answer)[0][0] == "InternalFailure"
    assert is_shipped(state, order)


def test_a_slow_answer_is_an_answer(caller: Caller, state: State) -> None:
    caller.token()
    state.inject_fault("searchOrders", "slow", seconds=0.1)

    answer = caller.search()

    assert answer.status_code == 200
    assert answer.elapsed >= timedelta(seconds=0.1)


def test_a_repeated_page_comes_again_and_then_the_rest(
    caller: Caller, state: State
) -> None:
    orders = generate(5, lines=1)
    state.put_orders(orders)
    state.inject_fault("searchOrders", "repeated_page", skip=1)
    pages: list[list[str]] = []
    parameters: dict[str, Any] = {"maxResultsPerPage": 2}

    while True:
        page = caller.search(**parameters).json()
        pages.append([order["orderId"] for order in page["orders"]])
        if "pagination" not in page:
            break
        parameters["paginationToken"] = page["pagination"]["nextToken"]

    ids = [order["orderId"] for order in orders]
    assert pages == [ids[:2], ids[2:4], ids[2:4], ids[4:]]


def test_stale_orders_are_those_before_the_last_change(
    caller: Caller, state: State, order: dict[str, Any], move: Move
) -> None:
    order_id = order["orderId"]
    set_status(state, order_id, status="CANCELLED")
    move(timedelta(minutes=3))
    state.inject_fault("searchOrders", "stale")
    state.inject_fault("getOrder", "stale")

    def seen() -> list[tuple[str, str]]:
        [listed] = caller.search(includedData="FULFILLMENT").json()["orders"]
        got = caller.get(order_id, "FULFILLMENT").json()["order"]
        return [
            (o["lastUpdatedTime"], o["fulfillment"]["fulfillmentStatus"])
            for o in (listed, got)
        ]

    assert seen() == [(order["lastUpdatedTime"], "UNSHIPPED")] * 2
    assert seen() == [("2026-11-22T12:00:00.000Z", "CANCELLED")] * 2

    move(timedelta(minutes=30))
    state.inject_fault("searchOrders", "stale")
    state.inject_fault("getOrder", "stale")
    assert seen() == [("2026-11-22T12:00:00.000Z", "CANCELLED")] * 2


def test_an_expired_pagination_token_strikes_the_next_page(
    caller: Caller, state: State
) -> None:
    state.put_orders(generate(3, lines=1))
    state.inject_fault("searchOrders", "expired_token")

    first = caller.search(maxResultsPerPage=1)
    assert first.status_code == 200
    token = first.json()["pagination"]["nextToken"]
    refused = caller.search(maxResultsPerPage=1, paginationToken=token)

    assert refused.status_code == 400
    assert errors(refused) == [("InvalidInput", "The pagination token has expired.")]
    again = caller.search(maxResultsPerPage=1, paginationToken=token)
    assert again.status_code == 200


def test_a_fault_may_wait_and_choose(
    caller: Caller, state: State, order: dict[str, Any]
) -> None:
    state.inject_fault("getOrder", "throttled", order_id="113-1111111-1111111")
    state.inject_fault("getOrder", "unavailable", seller_id="A1SANDBOXEU")
    state.inject_fault("getOrder", "internal_failure", skip=1, count=1)

    statuses = [caller.get(order["orderId"]).status_code for _ in range(3)]
    assert statuses == [200, 500, 200]
    assert caller.get("113-1111111-1111111").status_code == 429
    assert caller.get("113-1111111-1111111", region="EU").status_code == 503
    assert caller.get("113-1111111-1111111", region="EU").status_code == 404
    assert state.faults.waiting() == []


def test_faults_can_be_taken_back(caller: Caller, state: State) -> None:
    state.inject_fault("searchOrders", "throttled", count=1000)
    assert caller.search().status_code == 429

    state.clear_faults()

    assert caller.search().status_code == 200


@pytest.mark.parametrize(
    ("operation", "kind", "options", "message"),
    [
        ("searchOrders", "explosion", {}, "unknown fault 'explosion'"),
        ("searchOrders", "throttled", {"count": 0}, "count must be >= 1"),
        ("searchOrders", "throttled", {"skip": -1}, "count must be >= 1"),
        ("getOrder", "repeated_page", {}, "repeated_page cannot strike getOrder"),
        ("confirmShipment", "stale", {}, "stale cannot strike confirmShipment"),
        ("lwaToken", "throttled", {}, "throttled cannot strike lwaToken"),
        ("lwaToken", "lwa_error", {}, "`error` belongs to lwa_error"),
        ("getOrder", "slow", {"error": "x"}, "`error` belongs to lwa_error"),
    ],
)
def test_faults_that_make_no_sense(
    state: State, operation: str, kind: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(FaultError, match=message):
        state.inject_fault(operation, kind, **options)


def test_faults_of_unknown_operations(state: State) -> None:
    with pytest.raises(UnknownName, match="unknown operation 'searchOrder'"):
        state.inject_fault("searchOrder", "throttled")
