"""The Notifications API, as strict as Amazon's model and what its users ran into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel.sandbox import State, events
from saleor_amazon_channel.sandbox.notification_store import DeliveryError
from sqs import Sqs, running_sqs
from wire_orders import wire_order

from .conftest import Caller, Move, errors

DESTINATIONS = "/notifications/v1/destinations"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
ARN = "arn:aws:sqs:us-east-1:111122223333:orders"
US, CA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
ORDER = "111-0000001-0000001"


@pytest.fixture(scope="module")
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        yield running


Post = Callable[[str, Any], requests.Response]


@pytest.fixture
def grantless(caller: Caller) -> Post:
    answer = caller.token_request(
        grant_type="client_credentials",
        scope="sellingpartnerapi::notifications",
        refresh_token="-",
    )
    headers = {"x-amz-access-token": answer.json()["access_token"]}
    return lambda path, body: caller.call("POST", path, json=body, headers=headers)


def of_queue(arn: str = ARN) -> dict[str, Any]:
    return {"name": "orders", "resourceSpecification": {"sqs": {"arn": arn}}}


@pytest.fixture
def destination(grantless: Post) -> str:
    return str(grantless(DESTINATIONS, of_queue()).json()["payload"]["destinationId"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Request must be an object."),
        ({}, "name is required."),
        ({"name": "orders"}, "resourceSpecification is required."),
        ({**of_queue(), "sqs": {}}, "Request has unknown fields [sqs]"),
        ({**of_queue(), "name": "x" * 257}, "name is longer than 256."),
        (
            {"name": "orders", "resourceSpecification": {"sqs": {}}},
            "sqs is required.",
        ),
        (
            {"name": "orders", "resourceSpecification": {"sqs": {"arn": 1}}},
            "sqs has fields with invalid type [arn]",
        ),
        (of_queue("https://sqs/orders"), "Invalid SQS ARN."),
        (of_queue(ARN + ".fifo"), "FIFO queues are not supported."),
    ],
)
def test_a_destination_that_cannot_be(grantless: Post, body: Any, message: str) -> None:
    answer = grantless(DESTINATIONS, body)
    assert answer.status_code == 400
    assert errors(answer) == [("InvalidInput", message)]


def test_a_seller_token_makes_no_destination(caller: Caller) -> None:
    assert caller.call("POST", DESTINATIONS, json=of_queue()).status_code == 403


def directive(**event_filter: Any) -> dict[str, Any]:
    return {"processingDirective": {"eventFilter": event_filter}}


@pytest.mark.parametrize(
    ("type_", "changes", "message"),
    [
        ("ORDERS", {}, "Invalid notificationType."),
        ("ORDER_CHANGE", {"payloadVersion": "2.0"}, "Invalid payloadVersion for"),
        ("ORDER_CHANGE", {"payloadVersion": None}, "Request has fields with"),
        ("ORDER_CHANGE", {"destinationId": ""}, "destinationId is required."),
        ("ORDER_CHANGE", {"destinationId": "x"}, "Invalid destinationId."),
        # abuzuhri issue 621
        ("ORDER_CHANGE", directive(marketplaceIds=[US]), "Cannot parse processing"),
        ("ORDER_CHANGE", directive(eventFilterType="X"), "Cannot parse processing"),
        (
            "ORDER_CHANGE",
            directive(eventFilterType="ORDER_CHANGE", marketplaceIds=["US"]),
            "Invalid value in marketplaceIds.",
        ),
        (
            "ORDER_CHANGE",
            directive(eventFilterType="ORDER_CHANGE", orderChangeTypes=["Status"]),
            "Invalid value in orderChangeTypes.",
        ),
        (
            "ORDER_CHANGE",
            directive(eventFilterType="ORDER_CHANGE", orderStatuses=["Shipped"]),
            "eventFilter has unknown fields [orderStatuses]",
        ),
        (
            "ORDER_CHANGE",
            {
                "processingDirective": {
                    "eventFilter": {"eventFilterType": "ORDER_CHANGE"},
                    "filterExpression": "x",
                }
            },
            "eventFilter and filterExpression exclude each other.",
        ),
        (
            "ORDER_CHANGE",
            {"processingDirective": {"filterExpression": "x" * 257}},
            "filterExpression must have 1 to 256 characters.",
        ),
        (
            "FEED_PROCESSING_FINISHED",
            {
                "payloadVersion": "2020-09-04",
                **directive(eventFilterType="ORDER_CHANGE"),
            },
            "FEED_PROCESSING_FINISHED supports no processingDirective.",
        ),
    ],
)
def test_a_subscription_that_cannot_be(
    caller: Caller, destination: str, type_: str, changes: Any, message: str
) -> None:
    body = {"payloadVersion": "1.0", "destinationId": destination, **changes}
    answer = caller.call("POST", f"{SUBSCRIPTIONS}/{type_}", json=body)
    assert answer.status_code == 400
    assert errors(answer)[0][1].startswith(message)


@pytest.fixture
def subscribe(
    caller: Caller, state: State, grantless: Post, sqs: Sqs
) -> Callable[..., str]:
    """Subscribe to ORDER_CHANGE with a filter; the queue's ARN."""

    def make(**event_filter: Any) -> str:
        arn = sqs.create_queue()
        made = grantless(DESTINATIONS, of_queue(arn)).json()["payload"]
        body = {"payloadVersion": "1.0", "destinationId": made["destinationId"]}
        if event_filter:
            body |= directive(eventFilterType="ORDER_CHANGE", **event_filter)
        answer = caller.call("POST", f"{SUBSCRIPTIONS}/ORDER_CHANGE", json=body)
        assert answer.status_code == 200
        caller.control("PUT", "notifications/delivery", {"endpoint_url": sqs.url})
        return arn

    return make


def pending() -> dict[str, Any]:
    return wire_order(ORDER, status="PENDING", marketplace_id=US, currency="USD")


@pytest.fixture
def order_id(state: State) -> str:
    state.put_orders([pending()])
    return ORDER


def told(sqs: Sqs, arn: str) -> list[tuple[str, str]]:
    """The type of each change, and the status the order had then."""
    changes = [
        json.loads(body)["Payload"]["OrderChangeNotification"] for body in sqs.take(arn)
    ]
    return [(c["OrderChangeType"], c["Summary"]["OrderStatus"]) for c in changes]


def test_amazon_tells_of_statuses_and_of_what_the_buyer_asks_for(
    state: State, subscribe: Callable[..., str], sqs: Sqs
) -> None:
    arn = subscribe()
    order_id = ORDER

    state.put_orders([pending()])
    assert told(sqs, arn) == []  # it may say nothing of a new one
    events.release(state, order_id)
    assert told(sqs, arn) == [("OrderStatusChange", "Unshipped")]
    events.request_cancellation(state, order_id)
    assert told(sqs, arn) == [("BuyerRequestedChange", "Unshipped")]
    events.touch(state, order_id)
    events.change_address(state, order_id, fields={"city": "Reno"})
    assert told(sqs, arn) == []
    events.cancel(state, order_id)
    assert told(sqs, arn) == [("OrderStatusChange", "Canceled")]
    events.notify(state, order_id)
    assert told(sqs, arn) == [("OrderStatusChange", "Canceled")]


@pytest.mark.parametrize(
    ("event_filter", "expected"),
    [
        ({"marketplaceIds": [US, CA]}, ["OrderStatusChange", "BuyerRequestedChange"]),
        ({"marketplaceIds": [CA]}, []),
        ({"orderChangeTypes": ["BuyerRequestedChange"]}, ["BuyerRequestedChange"]),
    ],
)
def test_filters(
    state: State,
    subscribe: Callable[..., str],
    sqs: Sqs,
    order_id: str,
    event_filter: Any,
    expected: list[str],
) -> None:
    arn = subscribe(**event_filter)

    events.release(state, order_id)
    events.request_cancellation(state, order_id)

    assert [type_ for type_, _ in told(sqs, arn)] == expected


def test_at_least_once_and_in_no_order(
    caller: Caller,
    state: State,
    subscribe: Callable[..., str],
    sqs: Sqs,
    order_id: str,
    move: Move,
) -> None:
    arn = subscribe()
    caller.control("PUT", "notifications/delivery", {"copies": 3, "held": True})
    events.release(state, order_id)
    move(timedelta(seconds=1))
    events.cancel(state, order_id)
    assert sqs.count(arn) == 0

    caller.control("PUT", "notifications/delivery", {"held": False})

    statuses = [status for _, status in told(sqs, arn)]
    assert statuses == ["Canceled"] * 3 + ["Unshipped"] * 3


def test_subscriptions_are_lost_and_messages_too(
    caller: Caller, state: State, subscribe: Callable[..., str], sqs: Sqs, order_id: str
) -> None:
    arn = subscribe()
    seen = caller.control("GET", "notifications")
    assert [each["arn"] for each in seen["destinations"]] == [arn]
    assert [each["type"] for each in seen["subscriptions"]] == ["ORDER_CHANGE"]

    state.notifications.deliver(endpoint_url="http://127.0.0.1:9")
    events.release(state, order_id)
    assert caller.control("GET", "notifications")["lost"] == 1

    state.notifications.deliver(endpoint_url=sqs.url)
    caller.control("DELETE", "notifications/subscriptions")
    events.cancel(state, order_id)
    assert told(sqs, arn) == []
    assert caller.control("GET", "notifications")["lost"] == 1


def test_nothing_leaves_the_machine(state: State) -> None:
    for wrong in (
        {"endpoint_url": "https://sqs.us-east-1.amazonaws.com"},
        {"copies": 0},
    ):
        with pytest.raises(DeliveryError):
            state.notifications.deliver(**wrong)


def test_another_applications_destination_is_not_there(
    caller: Caller, state: State, destination: str
) -> None:
    state.add_application("other", "secret")
    state.add_account("NA", seller_id="A2", refresh_token="Atzr|2", client_id="other")
    answer = caller.token_request(
        client_id="other", client_secret="secret", refresh_token="Atzr|2"
    )

    refused = caller.call(
        "POST",
        f"{SUBSCRIPTIONS}/ORDER_CHANGE",
        json={"payloadVersion": "1.0", "destinationId": destination},
        headers={"x-amz-access-token": answer.json()["access_token"]},
    )

    assert errors(refused) == [("InvalidInput", "Invalid destinationId.")]
