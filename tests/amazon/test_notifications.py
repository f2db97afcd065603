from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from saleor_amazon_channel.amazon import notifications
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    InvalidRequest,
    MalformedAnswer,
    MalformedNotification,
)
from saleor_amazon_channel.amazon.notification_messages import parse
from saleor_amazon_channel.amazon.notifications import (
    Destination,
    NotificationType,
    Subscription,
)
from saleor_amazon_channel.amazon.sqs import Queue, is_queue_arn

from .conftest import TOKEN_PATH, Answer, Loopback, errors

DESTINATIONS = "/notifications/v1/destinations"
ORDER_CHANGE = "/notifications/v1/subscriptions/ORDER_CHANGE"
FEEDS = "/notifications/v1/subscriptions/FEED_PROCESSING_FINISHED"
ARN = "arn:aws:sqs:eu-west-1:111122223333:amazon-orders"


def grants(amazon: Loopback) -> list[str]:
    return [
        "client_credentials" if "client_credentials" in call.body else "refresh_token"
        for call in amazon.calls(TOKEN_PATH)
    ]


def test_destinations_take_the_applications_token(
    amazon: Loopback, client: Client
) -> None:
    queue = {
        "destinationId": "d1",
        "name": "orders",
        "resource": {"sqs": {"arn": ARN}},
    }
    bus = {"destinationId": "d2", "name": "bus", "resource": {"eventBridge": {}}}
    amazon.answer(DESTINATIONS, Answer(body={"payload": [queue, bus]}))

    assert notifications.destinations(client) == [
        Destination("d1", ARN),
        Destination("d2", ""),
    ]
    assert grants(amazon) == ["client_credentials"]
    [token] = amazon.calls(TOKEN_PATH)
    assert "scope=sellingpartnerapi%3A%3Anotifications" in token.body
    assert "refresh" not in token.body


def test_there_are_no_destinations(amazon: Loopback, client: Client) -> None:
    amazon.answer(DESTINATIONS, Answer(body={}))
    assert notifications.destinations(client) == []


def test_a_destination_is_made(amazon: Loopback, client: Client) -> None:
    made = {"destinationId": "d1", "name": "x", "resource": {"sqs": {"arn": ARN}}}
    amazon.answer(DESTINATIONS, Answer(body={"payload": made}))

    assert notifications.create_destination(client, "saleor-orders", ARN).id == "d1"

    [call] = amazon.calls(DESTINATIONS)
    assert (call.method, json.loads(call.body)) == (
        "POST",
        {"name": "saleor-orders", "resourceSpecification": {"sqs": {"arn": ARN}}},
    )
    assert grants(amazon) == ["client_credentials"]


@pytest.mark.parametrize(
    ("type_", "path", "body"),
    [
        (
            NotificationType.ORDER_CHANGE,
            ORDER_CHANGE,
            {
                "payloadVersion": "1.0",
                "destinationId": "d1",
                # Without its type Amazon cannot parse it (abuzuhri issue 621).
                "processingDirective": {
                    "eventFilter": {"eventFilterType": "ORDER_CHANGE"}
                },
            },
        ),
        (
            NotificationType.FEED_PROCESSING_FINISHED,
            FEEDS,
            {"payloadVersion": "2020-09-04", "destinationId": "d1"},
        ),
    ],
)
def test_a_subscription_takes_the_sellers_token(
    amazon: Loopback, client: Client, type_: NotificationType, path: str, body: Any
) -> None:
    made = {"subscriptionId": "s1", "payloadVersion": "1.0", "destinationId": "d1"}
    amazon.answer(path, Answer(body={"payload": made}))

    assert notifications.create_subscription(client, type_, "d1") == Subscription(
        "s1", "d1"
    )
    assert notifications.subscription(client, type_) == Subscription("s1", "d1")

    asked, looked = amazon.calls(path)
    assert json.loads(asked.body) == body
    assert looked.query == {"payloadVersion": body["payloadVersion"]}
    assert grants(amazon) == ["refresh_token"]


def test_there_is_no_subscription(amazon: Loopback, client: Client) -> None:
    amazon.answer(ORDER_CHANGE, Answer(404, errors("NotFound", "none")))
    type_ = NotificationType.ORDER_CHANGE
    assert notifications.subscription(client, type_) is None

    amazon.answer(ORDER_CHANGE, Answer(409, errors("Conflict", "it is there")))
    with pytest.raises(InvalidRequest):
        notifications.create_subscription(client, type_, "d1")

    amazon.answer(ORDER_CHANGE, Answer(body={"payload": {"subscriptionId": "s1"}}))
    with pytest.raises(MalformedAnswer) as malformed:
        notifications.subscription(client, type_)
    assert str(malformed.value) == ("getSubscription: payload.destinationId is missing")


# --- messages ------------------------------------------------------------------------


def order_change() -> dict[str, Any]:
    return {
        "NotificationType": "ORDER_CHANGE",
        "Payload": {
            "OrderChangeNotification": {
                "SellerId": "A1",
                "AmazonOrderId": "111-0000001-0000001",
                "OrderChangeTrigger": {"TimeOfOrderChange": None},
                "Summary": {"MarketplaceId": "M", "OrderStatus": "Canceled"},
            }
        },
        "NotificationMetadata": {"NotificationId": "n1"},
    }


def change(wire: dict[str, Any]) -> dict[str, Any]:
    return wire["Payload"]["OrderChangeNotification"]


def test_only_what_is_needed_must_be_there() -> None:
    told: Any = parse(json.dumps(order_change()))
    assert (told.status, told.changed_at) == ("CANCELLED", None)

    wire = order_change()
    del change(wire)["OrderChangeTrigger"]
    change(wire)["Summary"]["OrderStatus"] = "SomethingNew"
    told = parse(json.dumps(wire))
    assert (told.status, told.changed_at) == ("", None)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda w: w.pop("NotificationType"), "notificationType is missing"),
        (lambda w: w.update(NotificationType=7), "NotificationType must be a string"),
        (lambda w: w.pop("NotificationMetadata"), "NotificationMetadata is missing"),
        (lambda w: w.update(Payload=[]), "Payload must be an object"),
        (
            lambda w: change(w).update(AmazonOrderId="../orders"),
            "Payload.OrderChangeNotification.AmazonOrderId is not an order id",
        ),
        (
            lambda w: change(w)["Summary"].pop("MarketplaceId"),
            "Payload.OrderChangeNotification.Summary.MarketplaceId is missing",
        ),
        (
            lambda w: change(w).update(OrderChangeTrigger={"TimeOfOrderChange": "now"}),
            "Payload.OrderChangeNotification.OrderChangeTrigger.TimeOfOrderChange must "
            "be a date and time in ISO 8601",
        ),
        (
            lambda w: w["NotificationMetadata"].update(NotificationId="n" * 101),
            "NotificationMetadata.NotificationId is not an id",
        ),
    ],
)
def test_what_is_wrong_is_said_without_a_value(
    spoil: Callable[[Any], object], problem: str
) -> None:
    wire = order_change()
    spoil(wire)
    with pytest.raises(MalformedNotification) as malformed:
        parse(json.dumps(wire))
    assert str(malformed.value) == f"notification: {problem}"


@pytest.mark.parametrize(
    ("arn", "is_one"),
    [
        (ARN, True),
        (ARN + ".fifo", False),
        (ARN.replace("sqs", "sns"), False),
        (ARN.replace("111122223333", "1111"), False),
        (ARN + "/../x", False),
        ("", False),
    ],
)
def test_arns(arn: str, is_one: bool) -> None:
    assert is_queue_arn(arn) is is_one
    if not is_one:
        with pytest.raises(ValueError, match="not the ARN of a standard queue"):
            Queue(arn)
