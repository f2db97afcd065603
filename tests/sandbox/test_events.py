from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel.sandbox import State, events
from saleor_amazon_channel.sandbox.events import EventError
from saleor_amazon_channel.sandbox.seeds import generate
from saleor_amazon_channel.sandbox.state import UnknownName

from .conftest import Move


@pytest.fixture
def state(move: Move) -> State:
    return State()


@pytest.fixture
def order(state: State) -> dict[str, Any]:
    """Two items: one unit of the first, two of the second."""
    [order] = generate(1, created_over=timedelta(hours=3))
    assert [item["quantityOrdered"] for item in order["orderItems"]] == [1, 2]
    state.put_orders([order])
    return order


def status(order: dict[str, Any]) -> str:
    return str(order["fulfillment"]["fulfillmentStatus"])


def quantities(order: dict[str, Any]) -> list[tuple[int, int]]:
    return [
        (
            item["fulfillment"]["quantityFulfilled"],
            item["fulfillment"]["quantityUnfulfilled"],
        )
        for item in order["orderItems"]
    ]


def test_every_change_moves_the_time_by_a_millisecond_at_least(
    state: State, order: dict[str, Any], move: Move
) -> None:
    first = events.touch(state, order["orderId"])
    second = events.touch(state, order["orderId"])
    move(timedelta(seconds=1))
    third = events.touch(state, order["orderId"])

    assert [o["lastUpdatedTime"] for o in (first, second, third)] == [
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T12:00:00.001Z",
        "2026-11-22T12:00:01.000Z",
    ]
    assert third | {"lastUpdatedTime": order["lastUpdatedTime"]} == order


def test_a_cancelled_order_is_dead(state: State, order: dict[str, Any]) -> None:
    order_id = order["orderId"]

    cancelled = events.cancel(state, order_id, cancelled_by="AMAZON", reason="Fraud")

    assert status(cancelled) == "CANCELLED"
    assert quantities(cancelled) == [(0, 0), (0, 0)]
    assert [item["cancellation"] for item in cancelled["orderItems"]] == [
        {"cancellationExecution": {"cancelledBy": "AMAZON", "cancelReason": "Fraud"}}
    ] * 2
    assert cancelled["proceeds"] == order["proceeds"]
    for event in (events.cancel, events.ship, events.request_cancellation):
        with pytest.raises(EventError, match=f"{order_id} is CANCELLED"):
            event(state, order_id)
    assert state.order(order_id) == cancelled


def test_a_cancelled_item_leaves_the_others(
    state: State, order: dict[str, Any]
) -> None:
    first, second = order["orderItems"]

    then = events.cancel(state, order["orderId"], order_item_ids=[first["orderItemId"]])

    assert status(then) == "UNSHIPPED"
    assert quantities(then) == [(0, 0), (0, 2)]
    assert then["orderItems"][0]["proceeds"]["proceedsTotal"]["amount"] == "0.00"
    assert then["orderItems"][1] == second
    assert then["proceeds"]["grandTotal"] == second["proceeds"]["proceedsTotal"]

    then = events.ship(state, order["orderId"])
    assert (status(then), quantities(then)) == ("SHIPPED", [(0, 0), (2, 0)])


def test_the_last_item_cancelled_cancels_the_order(
    state: State, order: dict[str, Any]
) -> None:
    for item in order["orderItems"]:
        then = events.cancel(
            state, order["orderId"], order_item_ids=[item["orderItemId"]]
        )

    assert status(then) == "CANCELLED"


def test_a_buyer_may_ask_to_cancel(state: State, order: dict[str, Any]) -> None:
    second = order["orderItems"][1]["orderItemId"]

    then = events.request_cancellation(
        state, order["orderId"], reason="Too slow", order_item_ids=[second]
    )

    assert status(then) == "UNSHIPPED"
    assert "cancellation" not in then["orderItems"][0]
    assert then["orderItems"][1]["cancellation"] == {
        "cancellationRequest": {"requester": "BUYER", "cancelReason": "Too slow"}
    }


def test_shipping_in_seller_central(state: State, order: dict[str, Any]) -> None:
    first, second = (item["orderItemId"] for item in order["orderItems"])

    then = events.ship(state, order["orderId"], quantities={second: 1})
    assert (status(then), quantities(then)) == (
        "PARTIALLY_SHIPPED",
        [(0, 1), (1, 1)],
    )
    then = events.ship(state, order["orderId"])
    assert (status(then), quantities(then)) == ("SHIPPED", [(1, 0), (2, 0)])

    assert [
        (package["packageReferenceId"], package["packageItems"])
        for package in then["packages"]
    ] == [
        ("7000000000001", [{"orderItemId": second, "quantity": 1}]),
        (
            "7000000000002",
            [
                {"orderItemId": first, "quantity": 1},
                {"orderItemId": second, "quantity": 1},
            ],
        ),
    ]


def test_shipping_more_than_there_is(state: State, order: dict[str, Any]) -> None:
    first = order["orderItems"][0]["orderItemId"]

    with pytest.raises(EventError, match=r"2 of \d+ cannot be shipped, 1 are left"):
        events.ship(state, order["orderId"], quantities={first: 2})
    with pytest.raises(UnknownName, match="no order item 'X'"):
        events.ship(state, order["orderId"], quantities={"X": 1})

    events.ship(
        state, order["orderId"], package_reference_id="1", quantities={first: 1}
    )
    with pytest.raises(EventError, match="has package 1 already"):
        events.ship(state, order["orderId"], package_reference_id="1")


def test_news_of_a_package(state: State, order: dict[str, Any]) -> None:
    events.ship(state, order["orderId"], package_reference_id="1")

    then = events.set_package_status(
        state,
        order["orderId"],
        package_reference_id="1",
        status="UNDELIVERABLE",
        detailed_status="RETURNING_TO_SELLER",
    )

    assert then["packages"][0]["packageStatus"] == {
        "status": "UNDELIVERABLE",
        "detailedStatus": "RETURNING_TO_SELLER",
    }
    with pytest.raises(UnknownName, match="no package '2'"):
        events.set_package_status(state, order["orderId"], package_reference_id="2")


def test_a_paid_order_is_released(state: State, order: dict[str, Any]) -> None:
    events.set_status(state, order["orderId"], status="PENDING")

    assert status(events.release(state, order["orderId"])) == "UNSHIPPED"
    with pytest.raises(EventError, match="is UNSHIPPED, not PENDING"):
        events.release(state, order["orderId"])
    with pytest.raises(UnknownName, match="unknown fulfillment status 'LOST'"):
        events.set_status(state, order["orderId"], status="LOST")


def test_a_corrected_address(state: State, order: dict[str, Any]) -> None:
    before = order["recipient"]["deliveryAddress"]

    then = events.change_address(
        state, order["orderId"], fields={"addressLine1": "2 New Street"}
    )

    assert then["recipient"]["deliveryAddress"] == (
        before | {"addressLine1": "2 New Street"}
    )


def test_events_of_unknown_orders(state: State) -> None:
    with pytest.raises(UnknownName, match="unknown order '1-2-3'"):
        events.touch(state, "1-2-3")
