"""The list of what failed between Amazon and the shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import hours_ago
from saleor_amazon_channel.amazon import errors
from saleor_amazon_channel.ledger import communication
from saleor_amazon_channel.models import CommunicationLog, SellerAccount

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

LOG = """
query ($first: Int, $after: String, $filter: AmazonCommunicationLogFilterInput) {
  amazonCommunicationLog(first: $first, after: $after, filter: $filter) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node {
      accountId accountName operation errorCode message requestId amazonOrderId
      createdAt
    } }
  }
}
"""


def failed(account: SellerAccount, message: str = "", **values: Any) -> str:
    CommunicationLog.objects.create(
        account=account,
        **{"operation": "getOrder", "error_code": "NotFound", **values},
        message=message,
    )
    return message


def messages(page: Any) -> list[str]:
    return [edge["node"]["message"] for edge in page["edges"]]


def found(ask: Ask, **filter: Any) -> set[str]:
    page = ask(LOG, {"first": 50, "filter": filter})["amazonCommunicationLog"]
    assert page["totalCount"] == len(page["edges"])
    return set(messages(page))


def test_a_failure_says_what_happened(ask: Ask, account: SellerAccount) -> None:
    error = errors.InvalidRequest("getOrder", request_id="r-1")
    communication.note_failure(account, "getOrder", error, "111-0000001-0000001")
    failed(account, "The queue is gone.", operation="receive", error_code="Queue")

    page = ask(LOG, {"first": 9})["amazonCommunicationLog"]

    queue, order = [edge["node"] for edge in page["edges"]]
    assert queue | {"createdAt": ""} == {
        "accountId": Node.to_global_id("AmazonAccount", account.pk),
        "accountName": "Mugs and more",
        "operation": "receive",
        "errorCode": "Queue",
        "message": "The queue is gone.",
        "requestId": None,
        "amazonOrderId": None,
        "createdAt": "",
    }
    assert order["amazonOrderId"] == "111-0000001-0000001"
    assert order["errorCode"] == "InvalidRequest"


def test_each_filter_finds_its_own(ask: Ask, account: SellerAccount) -> None:
    other = SellerAccount.objects.create(name="Other", region="NA", seller_id="A2")
    of_other = failed(other, "other")
    feed = failed(account, "feed", operation="createFeed")
    refused = failed(account, "refused", error_code="Unauthorized")
    order = failed(account, "order", amazon_order_id="111-0000001-0000001")
    old = failed(account, "old", created_at=hours_ago(48))

    own = [Node.to_global_id("AmazonAccount", other.pk)]
    assert found(ask) == {of_other, feed, refused, order, old}
    assert found(ask, accounts=own) == {of_other}
    assert found(ask, operations=["createFeed", "x"]) == {feed}
    assert found(ask, errorCodes=["Unauthorized"]) == {refused}
    assert found(ask, amazonOrderIds=["111-0000001-0000001"]) == {order}
    assert found(ask, created={"lte": hours_ago(47).isoformat()}) == {old}
    assert found(ask, created={"gte": hours_ago(49).isoformat()}) == found(ask)
    # Without a zone it is UTC's.
    naive = hours_ago(47).replace(tzinfo=None).isoformat()
    assert found(ask, created={"gte": naive}) == found(ask) - {old}
    assert found(ask, operations=["createFeed"], errorCodes=["Queue"]) == set()
    assert found(ask, operations=[]) == set()


def test_pages_follow_each_other_in_a_fixed_number_of_queries(
    ask: Ask, account: SellerAccount
) -> None:
    for number in range(5):
        failed(account, str(number))

    with CaptureQueriesContext(connection) as queries:
        first = ask(LOG, {"first": 3})["amazonCommunicationLog"]
    rest = ask(LOG, {"first": 3, "after": first["pageInfo"]["endCursor"]})

    assert messages(first) == ["4", "3", "2"]
    assert messages(rest["amazonCommunicationLog"]) == ["1", "0"]
    # The page, the accounts' names, and the total.
    assert len(queries) == 3
    assert "secret" not in " ".join(query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("filter", "error"),
    [
        ({"accounts": ["x"]}, "Invalid ID: x. Expected: AmazonAccount."),
        (
            {"operations": ["x"] * 101},
            "A filter takes at most 100 values, not 101.",
        ),
    ],
)
def test_filters_that_cannot_be(ask: Ask, filter: Any, error: str) -> None:
    assert ask(LOG, {"first": 1, "filter": filter}).errors == [error]
