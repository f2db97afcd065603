from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox.seeds import generate

from .conftest import DE, JP, Caller


@pytest.fixture
def order(caller: Caller) -> dict[str, Any]:
    [order] = generate(1, created_over=timedelta(hours=3))
    assert caller.control("POST", "orders", [order]) == {"orders": 1}
    return order


def test_orders_are_added_replaced_listed_and_read(
    caller: Caller, order: dict[str, Any]
) -> None:
    order_id = order["orderId"]

    assert caller.control("GET", f"orders/{order_id}") == order
    replaced = order | {"lastUpdatedTime": "2026-11-22T11:57:00Z"}
    assert caller.control("POST", "orders", {"orders": [replaced]}) == {"orders": 1}
    assert caller.control("GET", f"orders/{order_id}") == replaced
    assert caller.control("GET", "orders") == [
        {
            "order_id": order_id,
            "seller_id": "A1SANDBOXNA",
            "marketplace_id": "ATVPDKIKX0DER",
            "status": "UNSHIPPED",
            "fulfilled_by": "MERCHANT",
            "last_updated": "2026-11-22T11:57:00Z",
        }
    ]


def test_orders_are_generated(caller: Caller, state: State) -> None:
    answer = caller.control(
        "POST",
        "orders/generate",
        {"count": 7, "seed": 3, "marketplaces": [DE, JP], "created_over_days": 2},
    )

    assert answer == {"orders": 7}
    sellers = [state.stored_order(order_id).seller_id for order_id in state.order_ids()]
    assert sellers == ["A1SANDBOXEU", "A1SANDBOXFE"] * 3 + ["A1SANDBOXEU"]


def test_events_happen(caller: Caller, order: dict[str, Any]) -> None:
    path = f"orders/{order['orderId']}/events"

    shipped = caller.control(
        "POST", path, {"event": "ship", "carrier": "DHL", "tracking_number": "D1"}
    )

    assert shipped["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert shipped["packages"][0]["carrier"] == "DHL"
    assert caller.control("GET", f"orders/{order['orderId']}") == shipped


def test_faults_are_injected_listed_and_cleared(caller: Caller) -> None:
    fault = {"operation": "searchOrders", "kind": "throttled", "count": 3}

    [waiting] = caller.control("POST", "faults", fault)

    assert waiting.items() >= fault.items()
    assert caller.search().status_code == 429
    [waiting] = caller.control("GET", "faults")
    assert waiting["count"] == 2
    assert caller.control("DELETE", "faults") == []
    assert caller.search().status_code == 200


def test_accounts_and_applications(caller: Caller) -> None:
    caller.control(
        "POST", "applications", {"client_id": "amzn1.mine", "client_secret": "secret"}
    )
    added = caller.control(
        "POST",
        "accounts",
        {
            "region": "EU",
            "seller_id": "A1MINE",
            "refresh_token": "Atzr|mine",
            "store_name": "Mine",
            "marketplace_ids": [DE],
            "client_id": "amzn1.mine",
        },
    )

    assert added == {
        "seller_id": "A1MINE",
        "region": "EU",
        "store_name": "Mine",
        "marketplace_ids": [DE],
        "client_id": "amzn1.mine",
        "is_granted": True,
        "restricted_data": "granted",
        "may_read_finances": True,
        "may_invoice": True,
    }
    listed = caller.control("GET", "accounts")
    assert [account["seller_id"] for account in listed] == [
        "A1SANDBOXNA",
        "A1SANDBOXEU",
        "A1SANDBOXFE",
        "A1MINE",
    ]
    assert "Atzr" not in str(listed)

    def token_status() -> int:
        return caller.token_request(
            refresh_token="Atzr|mine", client_id="amzn1.mine", client_secret="secret"
        ).status_code

    assert token_status() == 200
    assert caller.control("POST", "accounts/A1MINE/revoke")["is_granted"] is False
    assert token_status() == 400
    assert caller.control("POST", "accounts/A1MINE/restore")["is_granted"] is True
    assert token_status() == 200


def test_tokens_expire(caller: Caller) -> None:
    assert caller.search().status_code == 200
    caller.control("POST", "tokens/expire")
    assert caller.search().status_code == 403


def test_calls_are_logged_and_counted_without_personal_data(
    caller: Caller, order: dict[str, Any]
) -> None:
    caller.get(order["orderId"], "BUYER,RECIPIENT")
    caller.search(maxResultsPerPage="0")

    calls = caller.control("GET", "calls")
    assert [
        (call["operation"], call["seller_id"], call["status"], call["order_id"])
        for call in calls
    ] == [
        ("lwaToken", "A1SANDBOXNA", 200, None),
        ("getOrder", "A1SANDBOXNA", 200, order["orderId"]),
        ("searchOrders", "A1SANDBOXNA", 400, None),
    ]
    assert set(calls[0]) == {
        "number",
        "time",
        "operation",
        "seller_id",
        "status",
        "order_id",
        "request_id",
        "fault",
    }
    assert [call["number"] for call in calls] == [1, 2, 3]
    assert caller.control("GET", "calls?operation=getOrder") == [calls[1]]
    assert caller.control("GET", "counters") == {
        "getOrder": {"200": 1},
        "lwaToken": {"200": 1},
        "searchOrders": {"400": 1},
    }
    caller.control("DELETE", "calls")
    assert caller.control("GET", "calls") == []
    assert caller.control("GET", "counters") == {}


def test_usage_plans_can_be_set(caller: Caller, state: State) -> None:
    caller.control("PUT", "usage-plans", {"enforced": True})
    caller.control(
        "PUT", "usage-plans", {"operation": "searchOrders", "rate": 1, "burst": 1}
    )

    assert [caller.search().status_code for _ in range(2)] == [200, 429]
    caller.control("POST", "usage-plans/refill")
    assert caller.search().status_code == 200


def test_health_tells_the_sandboxs_time(caller: Caller) -> None:
    assert caller.control("GET", "health") == {
        "status": "ok",
        "now": "2026-11-22T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "message"),
    [
        ("GET", "nothing", None, 404, "there is no GET /_sandbox/nothing"),
        ("PUT", "faults", {}, 404, "there is no PUT /_sandbox/faults"),
        ("GET", "orders/1-2-3", None, 404, "unknown order '1-2-3'"),
        ("POST", "accounts/A1X/revoke", None, 404, "unknown seller 'A1X'"),
        ("POST", "accounts", {"region": "XX"}, 404, "unknown region 'XX'"),
        ("POST", "accounts", [], 400, "the body must be a JSON object"),
        ("POST", "accounts", {"region": "NA", "name": "x"}, 400, "'name'"),
        ("POST", "orders", {}, 400, "expected a list of orders"),
        ("POST", "orders", [{"orderId": "1"}], 400, "order 1 (1): createdTime"),
        ("POST", "orders/generate", {"count": 1, "lines": 0}, 400, "lines must be"),
        ("POST", "faults", {"operation": "searchOrders"}, 400, "'kind'"),
        (
            "POST",
            "orders/1-2-3/events",
            {"event": "explode"},
            400,
            "unknown event 'explode'",
        ),
    ],
)
def test_mistakes_are_explained(
    caller: Caller, method: str, path: str, data: Any, status: int, message: str
) -> None:
    answer = caller.session.request(
        method, f"{caller.sandbox.url}/_sandbox/{path}", json=data
    )

    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_bodies_that_are_not_json_are_explained(caller: Caller) -> None:
    answer = caller.session.post(caller.sandbox.url + "/_sandbox/orders", data=b"{")

    assert answer.status_code == 400


def test_pages_in_a_browser_have_no_business_here(caller: Caller, state: State) -> None:
    answer = caller.session.post(
        caller.sandbox.url + "/_sandbox/accounts/A1SANDBOXNA/revoke",
        headers={"Origin": "https://example.com"},
    )

    assert answer.status_code == 403
    assert state.account("A1SANDBOXNA").is_granted


def test_malformed_orders_leave_nothing_behind(caller: Caller, state: State) -> None:
    good, bad = generate(2, lines=1)
    del bad["salesChannel"]

    answer = caller.session.post(
        caller.sandbox.url + "/_sandbox/orders", json=[good, bad]
    )

    assert answer.status_code == 400
    assert answer.json() == {
        "error": f"order 2 ({bad['orderId']}): salesChannel: is required"
    }
    assert state.order_ids() == []
