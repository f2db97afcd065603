"""Subscribing to Amazon's notifications, and how they are doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import (
    ChannelSettings,
    Notification,
    NotificationQueue,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from sqs import Sqs, running_sqs
from wire_orders import NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

SUBSCRIBE = """
mutation ($account: ID!, $arn: String!, $endpoint: String, $replace: Boolean) {
  amazonNotificationsSubscribe(
    accountId: $account, queueArn: $arn, queueEndpoint: $endpoint, replace: $replace
  ) {
    account { notifications {
      queueArn queueEndpoint isSubscribed nextCheckAt lastMessageAt messagesLastHour
      messages { state count } lastError
    } }
    errors { field code message }
  }
}
"""
UNSUBSCRIBE = """
mutation ($account: ID!) {
  amazonNotificationsUnsubscribe(accountId: $account) {
    account { name notifications { queueArn } }
    errors { field code message }
  }
}
"""
STATE = """{ amazonAccounts { notifications {
  queueArn queueEndpoint isSubscribed nextCheckAt lastMessageAt messagesLastHour
  messages { state count } lastError
} } }"""


@pytest.fixture(scope="module")
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        yield running


@pytest.fixture
def amazon() -> Iterator[Any]:
    with clock.frozen(NOW), running_sandbox(usage_plans=False) as sandbox:
        yield sandbox


@pytest.fixture
def account(amazon: Any) -> SellerAccount:
    ChannelSettings.objects.create(id=1, active=True)
    return SellerAccount.objects.create(
        name="Mugs and more",
        region="EU",
        seller_id="A1SANDBOXEU",
        lwa_client_id=CLIENT_ID,
        lwa_client_secret=CLIENT_SECRET,
        refresh_token="Atzr|sandbox-EU",
        endpoint_override=amazon.url,
        lwa_endpoint_override=amazon.lwa_url,
    )


def of(account: SellerAccount) -> str:
    return Node.to_global_id("AmazonAccount", account.pk)


def test_subscribing_and_unsubscribing(
    ask: Ask, amazon: Any, account: SellerAccount, sqs: Sqs
) -> None:
    arn = sqs.create_queue()
    given = {"account": of(account), "arn": arn, "endpoint": sqs.url}

    answer = ask(SUBSCRIBE, given)["amazonNotificationsSubscribe"]

    assert answer == {
        "account": {
            "notifications": {
                "queueArn": arn,
                "queueEndpoint": sqs.url,
                "isSubscribed": True,
                "nextCheckAt": "2026-11-21T12:00:00+00:00",
                "lastMessageAt": None,
                "messagesLastHour": 0,
                "messages": [],
                "lastError": None,
            }
        },
        "errors": [],
    }
    assert len(amazon.state.notifications.subscriptions) == 2

    for _ in range(2):  # the second time there is nothing left to end
        answer = ask(UNSUBSCRIBE, given)["amazonNotificationsUnsubscribe"]
        assert answer == {
            "account": {"name": "Mugs and more", "notifications": None},
            "errors": [],
        }
    assert amazon.state.notifications.subscriptions == {}


def test_refusals_name_the_argument(
    ask: Ask, amazon: Any, account: SellerAccount, sqs: Sqs
) -> None:
    arn = sqs.create_queue()

    def refused(**given: Any) -> tuple[str, str]:
        given = {"account": of(account), "arn": arn, "endpoint": sqs.url, **given}
        answer = ask(SUBSCRIBE, given)["amazonNotificationsSubscribe"]
        assert answer["account"] is None
        [error] = answer["errors"]
        return error["field"], error["code"]

    assert refused(account="x") == ("accountId", "GRAPHQL_ERROR")
    assert refused(arn=arn + ".fifo") == ("queueArn", "INVALID")
    assert refused(arn=arn + "-none") == ("queueArn", "INVALID")
    assert refused(endpoint="http://example.com") == ("queueEndpoint", "INVALID")
    amazon.state.inject_fault("getDestinations", "unauthorized")
    assert refused() == (None, "FORBIDDEN")
    SellerAccount.objects.update(state="paused")
    assert refused() == ("accountId", "INACTIVE")
    assert not NotificationQueue.objects.exists()


def test_how_they_are_doing(ask: Ask, account: SellerAccount) -> None:
    assert ask(STATE)["amazonAccounts"] == [{"notifications": None}]
    queue = NotificationQueue.objects.create(
        account=account,
        arn="arn:aws:sqs:eu-west-1:111122223333:orders",
        subscription_ids={"ORDER_CHANGE": "s1"},
        next_check_at=NOW,
    )
    SyncCursor.objects.create(
        account=account, stream="notifications", last_error="There is no such queue."
    )
    for number, (state, minutes) in enumerate(
        (("settled", 1), ("settled", 59), ("malformed", 61), ("settled", 25 * 60))
    ):
        Notification.objects.create(
            account=account,
            notification_id=str(number),
            state=state,
            received_at=NOW - timedelta(minutes=minutes),
        )

    [answer] = ask(STATE)["amazonAccounts"]

    assert answer["notifications"] == {
        "queueArn": "arn:aws:sqs:eu-west-1:111122223333:orders",
        "queueEndpoint": None,
        "isSubscribed": False,
        "nextCheckAt": "2026-11-20T12:00:00+00:00",
        "lastMessageAt": "2026-11-20T11:59:00+00:00",
        "messagesLastHour": 2,
        "messages": [
            {"state": "MALFORMED", "count": 1},
            {"state": "SETTLED", "count": 2},
        ],
        "lastError": "There is no such queue.",
    }
    queue.check_error = "Amazon sends ORDER_CHANGE to another queue."
    queue.save()
    [answer] = ask(STATE)["amazonAccounts"]
    assert answer["notifications"]["lastError"] == queue.check_error


def test_many_queues_cost_two_queries_more(ask: Ask, account: SellerAccount) -> None:
    with CaptureQueriesContext(database) as without:
        ask(STATE)
    for number in range(3):
        each = SellerAccount.objects.create(
            name=f"{number}", region="EU", seller_id=f"A{number}"
        )
        NotificationQueue.objects.create(account=each, arn=f"arn:{number}")
        Notification.objects.create(account=each, notification_id="1", state="settled")

    with CaptureQueriesContext(database) as queries:
        assert len(ask(STATE)["amazonAccounts"]) == 4

    assert len(queries) == len(without) + 2
