"""Notifications over the wire: Amazon's models and its SDK as the judges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon import notification_messages, notifications
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import InvalidRequest
from saleor_amazon_channel.amazon.notifications import NotificationType
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    events,
    feeds,
    running_sandbox,
)
from saleor_amazon_channel.sandbox.feed_store import Fate
from sqs import Sqs, running_sqs
from wire_orders import GERMANY, wire_order

from .models import load_model, needs_models, violations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDER = "111-0000001-0000001"
SELLER = "A1SANDBOXEU"


@pytest.fixture(scope="module")
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        yield running


@pytest.fixture
def sandbox(sqs: Sqs) -> Iterator[Sandbox]:
    orders = [wire_order(status="PENDING")]
    with clock.frozen(NOW), running_sandbox(orders, usage_plans=False) as sandbox:
        sandbox.state.notifications.deliver(endpoint_url=sqs.url)
        yield sandbox


def subscribe(client: Client, queue: str) -> None:
    destination = notifications.create_destination(client, "orders", queue)
    for type_ in NotificationType:
        notifications.create_subscription(client, type_, destination.id)


def test_our_client_and_the_sandbox_agree(client: Client, sqs: Sqs) -> None:
    queue = sqs.create_queue()
    order_change = NotificationType.ORDER_CHANGE
    assert notifications.destinations(client) == []
    destination = notifications.create_destination(client, "orders", queue)
    assert destination.queue_arn == queue
    assert notifications.destinations(client) == [destination]
    with pytest.raises(InvalidRequest) as refused:
        notifications.create_destination(client, "again", queue)
    assert refused.value.status == 409

    assert notifications.subscription(client, order_change) is None
    made = notifications.create_subscription(client, order_change, destination.id)
    assert notifications.subscription(client, order_change) == made
    with pytest.raises(InvalidRequest) as refused:
        notifications.create_subscription(client, order_change, destination.id)
    assert refused.value.status == 409

    for _ in range(2):  # the second time it is gone already
        notifications.delete_subscription(client, order_change, made.id)
        assert notifications.subscription(client, order_change) is None


def test_what_the_sandbox_says_is_understood(
    client: Client, sandbox: Sandbox, sqs: Sqs
) -> None:
    queue = sqs.create_queue()
    subscribe(client, queue)
    changed = events.release(sandbox.state, ORDER)

    [told] = [notification_messages.parse(body) for body in sqs.take(queue)]

    assert isinstance(told, notification_messages.OrderChange)
    assert (told.seller_id, told.amazon_order_id) == (SELLER, ORDER)
    assert (told.marketplace_id, told.status) == (GERMANY, "UNSHIPPED")
    assert told.changed_at == datetime.fromisoformat(changed["lastUpdatedTime"])


@needs_models
def test_what_the_sandbox_says_is_of_amazons_schemas(
    client: Client, sandbox: Sandbox, sqs: Sqs
) -> None:
    queue = sqs.create_queue()
    subscribe(client, queue)
    state = sandbox.state
    events.release(state, ORDER)
    events.request_cancellation(state, ORDER)
    events.ship(state, ORDER)
    for number, fate in enumerate((None, "fatal", "cancelled")):
        document = state.feeds.add_document(SELLER, "text/xml", NOW, b"<a/>")
        feed = state.feeds.add_feed(
            SELLER, "POST_ORDER_ACKNOWLEDGEMENT_DATA", [GERMANY], document, {}, NOW
        )
        if fate:
            feed.fate = Fate(fate)
        feeds.advance(state, NOW + timedelta(minutes=1 + number))

    bodies = [json.loads(body) for body in sqs.take(queue)]

    kinds = []
    for body in bodies:
        is_order = "NotificationType" in body
        schema = load_model(
            "OrderChangeNotification"
            if is_order
            else "FeedProcessingFinishedNotification"
        )
        assert list(violations(body, schema, schema)) == []
        kinds.append(
            body["Payload"]["OrderChangeNotification"]["OrderChangeType"]
            if is_order
            else body["payload"]["feedProcessingFinishedNotification"][
                "processingStatus"
            ]
        )
    assert sorted(kinds) == [
        "BuyerRequestedChange",
        "CANCELLED",
        "DONE",
        "FATAL",
        "OrderStatusChange",
        "OrderStatusChange",
    ]


@needs_models
def test_amazons_own_examples_are_understood() -> None:
    [order_change] = load_model("OrderChangeNotification")["examples"]
    assert notification_messages.parse(json.dumps(order_change)) == (
        notification_messages.OrderChange(
            "d0e9e693-c3ad-4373-979f-ed4ec98dd746",
            "A3TH9S8BH6GOGM",
            "903-8868176-2219830",
            "ATVPDKIKX0DER",
            "UNSHIPPED",
            datetime(2022, 11, 29, 19, 42, 4, 284000, tzinfo=UTC),
        )
    )
    sellers, vendors = load_model("FeedProcessingFinishedNotification")["examples"]
    for example, seller_id in ((sellers, "A3TH9S8BH6GOGM"), (vendors, "")):
        assert notification_messages.parse(json.dumps(example)) == (
            notification_messages.FeedProcessingFinished(
                "d0e9e693-c3ad-4373-979f-ed4ec98dd746", seller_id, "53347018456"
            )
        )


@needs_models
def test_every_status_of_the_schema_is_known() -> None:
    schema = load_model("OrderChangeNotification")
    change = schema["properties"]["Payload"]["properties"]["OrderChangeNotification"]
    statuses = change["properties"]["Summary"]["properties"]["OrderStatus"]["enum"]
    unknown = [s for s in statuses if s not in notification_messages._STATUSES]
    # Orders API v2026-01-01 has no such status: such an order is read.
    assert unknown == ["InvoiceUnconfirmed"]


@needs_models
def test_what_is_asked_and_answered_is_the_models(sandbox: Sandbox, sqs: Sqs) -> None:
    model = load_model("notifications")
    session = requests.Session()
    session.trust_env = False
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    def token(**grant: str) -> str:
        answer = session.post(sandbox.lwa_url, data={**credentials, **grant})
        return str(answer.json()["access_token"])

    sellers = token(grant_type="refresh_token", refresh_token="Atzr|sandbox-EU")
    grantless = token(
        grant_type="client_credentials", scope="sellingpartnerapi::notifications"
    )
    statuses = []

    def judged(
        method: str, template: str, token: str, body: Any = None, **path: str
    ) -> Any:
        rule = model["paths"][template][method.lower()]
        if body is not None:
            [parameter] = [p for p in rule["parameters"] if p["in"] == "body"]
            assert list(violations(body, parameter["schema"], model)) == []
        answer = session.request(
            method,
            sandbox.url + template.format(**path),
            headers={"x-amz-access-token": token},
            json=body,
        )
        statuses.append(answer.status_code)
        schema = rule["responses"][str(answer.status_code)]["schema"]
        assert list(violations(answer.json(), schema, model)) == []
        return answer.json().get("payload")

    to = "/notifications/v1/destinations"
    of = "/notifications/v1/subscriptions/{notificationType}"
    order_change = {"notificationType": "ORDER_CHANGE"}
    resource = {"sqs": {"arn": sqs.create_queue()}}
    body = {"name": "orders", "resourceSpecification": resource}
    destination = judged("POST", to, grantless, body)["destinationId"]
    judged("POST", to, grantless, body)
    assert len(judged("GET", to, grantless)) == 1
    judged("GET", f"{to}/{{destinationId}}", grantless, destinationId=destination)
    judged("GET", f"{to}/{{destinationId}}", grantless, destinationId="x")
    judged("GET", of, sellers, **order_change)
    directive = {
        "eventFilter": {
            "eventFilterType": "ORDER_CHANGE",
            "marketplaceIds": [GERMANY],
            "orderChangeTypes": ["OrderStatusChange"],
        }
    }
    asked = {
        "payloadVersion": "1.0",
        "destinationId": destination,
        "processingDirective": directive,
    }
    made = judged("POST", of, sellers, asked, **order_change)
    assert made["processingDirective"] == directive
    judged("POST", of, sellers, asked, **order_change)
    judged("GET", of, sellers, **order_change)
    one = {"subscriptionId": made["subscriptionId"], **order_change}
    judged("GET", f"{of}/{{subscriptionId}}", grantless, **one)
    judged("DELETE", f"{to}/{{destinationId}}", grantless, destinationId=destination)
    judged("DELETE", f"{of}/{{subscriptionId}}", grantless, **one)
    judged("DELETE", f"{of}/{{subscriptionId}}", grantless, **one)
    judged("DELETE", f"{to}/{{destinationId}}", grantless, destinationId=destination)
    # Each with the other's token.
    judged("GET", to, sellers)
    judged("GET", of, grantless, **order_change)
    session.close()
    assert statuses == [
        200, 409, 200, 200, 404, 404, 200, 409, 200, 200, 409, 200, 404, 200, 403, 403,
    ]  # fmt: skip


@needs_models
def test_what_our_client_sends_is_the_models() -> None:
    model = load_model("notifications")
    for type_ in NotificationType:
        body = {
            "payloadVersion": notifications.PAYLOAD_VERSIONS[type_],
            "destinationId": "d",
        }
        directive = notifications._DIRECTIVES.get(type_)
        if directive:
            body["processingDirective"] = directive
        schema = {"$ref": "#/definitions/CreateSubscriptionRequest"}
        assert list(violations(body, schema, model)) == []


def test_amazons_sdk_subscribes(
    sandbox: Sandbox, sqs: Sqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is absent")
    from spapi.api.notifications_v1.notifications_api import NotificationsApi
    from spapi.models.notifications_v1 import (
        CreateDestinationRequest,
        CreateSubscriptionRequest,
        DestinationResourceSpecification,
        EventFilter,
        ProcessingDirective,
        SqsResource,
    )

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    queue = sqs.create_queue()

    def api(**grant: str) -> Any:
        config = spapi.SPAPIConfig(
            client_id=CLIENT_ID, client_secret=CLIENT_SECRET, region="EU", **grant
        )
        return spapi.SPAPIClient(
            config, oauth_endpoint=sandbox.lwa_url, endpoint=sandbox.url + "/eu"
        ).api_client

    grantless = api(scope="sellingpartnerapi::notifications")
    seller = api(refresh_token="Atzr|sandbox-EU")
    destination = (
        NotificationsApi(grantless)
        .create_destination(
            CreateDestinationRequest(
                name="orders",
                resource_specification=DestinationResourceSpecification(
                    sqs=SqsResource(arn=queue)
                ),
            )
        )
        .payload
    )
    NotificationsApi(seller).create_subscription(
        "ORDER_CHANGE",
        CreateSubscriptionRequest(
            payload_version="1.0",
            destination_id=destination.destination_id,
            processing_directive=ProcessingDirective(
                event_filter=EventFilter(event_filter_type="ORDER_CHANGE")
            ),
        ),
    )
    found = NotificationsApi(seller).get_subscription("ORDER_CHANGE").payload
    for each in (grantless, seller):
        each.rest_client.pool_manager.clear()

    events.release(sandbox.state, ORDER)
    [body] = map(json.loads, sqs.take(queue))
    assert body["NotificationMetadata"]["SubscriptionId"] == found.subscription_id
