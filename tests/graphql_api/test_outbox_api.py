"""The list of what is told to Amazon, and what staff do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.conftest import Answer
from graphql_api.rows import shipped_order
from saleor_amazon_channel.models import OutboxEntry, SellerAccount
from saleor_amazon_channel.pushing import by_hand

OUTBOX = """
query ($filter: AmazonOutboxFilterInput, $first: Int, $after: String) {
  amazonOutbox(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node {
      id kind state description errorCode amazonOrder { amazonOrderId }
    } }
  }
}
"""
CHANGE = """
mutation ($ids: [ID!]!) { %s(ids: $ids) {
  entries { id state errorCode errorMessage } errors { field code message }
} }
"""

Ask = Callable[..., Answer]


def listed(ask: Ask, **variables: Any) -> Any:
    return ask(OUTBOX, {"first": 10, **variables})["amazonOutbox"]


def ids_of(answer: Any) -> list[str]:
    return [edge["node"]["id"] for edge in answer["edges"]]


def test_the_newest_first_each_in_words_with_its_order(
    ask: Ask, account: SellerAccount
) -> None:
    orders = [shipped_order(account) for _ in range(3)]

    answer = listed(ask, first=2)

    assert answer["totalCount"] == 3
    assert answer["pageInfo"]["hasNextPage"]
    assert answer["edges"][0]["node"] | {"id": ""} == {
        "id": "",
        "kind": "CONFIRM_SHIPMENT",
        "state": "FAILED",
        "description": "Package 1: 1 unit, DHL, T-1, shipped 2026-11-20.",
        "errorCode": "InvalidInput",
        "amazonOrder": {"amazonOrderId": orders[2].amazon_order_id},
    }
    rest = listed(ask, first=2, after=answer["pageInfo"]["endCursor"])
    assert [edge["node"]["amazonOrder"] for edge in rest["edges"]] == [
        {"amazonOrderId": orders[0].amazon_order_id}
    ]


def test_there_are_words_for_every_kind() -> None:
    assert set(by_hand.DESCRIBE) == set(OutboxEntry.Kind.values)


def test_filters(ask: Ask, account: SellerAccount) -> None:
    first, second = (shipped_order(account) for _ in range(2))
    OutboxEntry.objects.filter(order=second).update(state="pending")
    everything = ids_of(listed(ask))

    def found(**given: Any) -> list[str]:
        return ids_of(listed(ask, filter=given))

    assert found() == everything
    assert found(states=["PENDING"]) == everything[:1]
    assert found(states=["FAILED", "PENDING"], kinds=["CANCEL"]) == []
    assert found(amazonOrderIds=[first.amazon_order_id]) == everything[1:]
    assert ask(OUTBOX, {"first": 1, "filter": {"accounts": ["x"]}}).errors == [
        "Invalid ID: x. Expected: AmazonAccount."
    ]


def test_a_page_costs_the_same_however_long_it_is(
    ask: Ask, account: SellerAccount, django_assert_num_queries: Any
) -> None:
    for _ in range(10):
        shipped_order(account)

    # Entries, orders, packages, the two of carriers; and the count.
    with django_assert_num_queries(6):
        assert len(listed(ask, first=10)["edges"]) == 10
    nested = """{ amazonOrders(first: 10) { edges { node {
      outboxEntries { description }
    } } } }"""
    with django_assert_num_queries(5):
        edges = ask(nested)["amazonOrders"]["edges"]
    assert len(edges) == 10
    assert {
        entry["description"]
        for edge in edges
        for entry in edge["node"]["outboxEntries"]
    } == {"Package 1: 1 unit, DHL, T-1, shipped 2026-11-20."}


def test_discarded_and_tried_again(ask: Ask, account: SellerAccount) -> None:
    shipped_order(account)
    OutboxEntry.objects.update(state="pending", attempt_count=0, settled_at=None)
    ids = ids_of(listed(ask))

    dropped = ask(CHANGE % "amazonOutboxDiscard", {"ids": ids})["amazonOutboxDiscard"]

    [entry] = dropped["entries"]
    assert (entry["state"], entry["errorCode"]) == ("FAILED", "DISCARDED")
    assert "discarded by admin@example.com" in entry["errorMessage"]

    retried = ask(CHANGE % "amazonOutboxRetry", {"ids": ids})["amazonOutboxRetry"]

    assert retried["entries"] == [
        {"id": ids[0], "state": "PENDING", "errorCode": None, "errorMessage": None}
    ]


def test_what_was_tried_may_have_arrived(ask: Ask, account: SellerAccount) -> None:
    shipped_order(account)  # its entry failed, having been tried
    ids = ids_of(listed(ask))

    retried = ask(CHANGE % "amazonOutboxRetry", {"ids": ids})["amazonOutboxRetry"]

    assert [entry["state"] for entry in retried["entries"]] == ["UNKNOWN"]


@pytest.mark.parametrize("mutation", ["amazonOutboxRetry", "amazonOutboxDiscard"])
def test_what_cannot_be_done_changes_nothing(
    ask: Ask, account: SellerAccount, mutation: str
) -> None:
    shipped_order(account)
    shipped_order(account)
    OutboxEntry.objects.order_by("pk").update(state="pending", settled_at=None)
    last = OutboxEntry.objects.latest("pk")
    OutboxEntry.objects.filter(pk=last.pk).update(state="succeeded")
    before = list(OutboxEntry.objects.order_by("pk").values())

    def error_of(ids: list[str]) -> tuple[str, str, str]:
        [error] = ask(CHANGE % mutation, {"ids": ids})[mutation]["errors"]
        return error["field"], error["code"], error["message"]

    ids = ids_of(listed(ask))
    field, code, message = error_of(ids)
    assert (field, code) == ("ids", "INVALID")
    assert last.order.amazon_order_id in message
    assert error_of(["x"])[1] == "GRAPHQL_ERROR"
    assert error_of(["QW1hem9uT3V0Ym94RW50cnk6OTk5OTk="])[1] == "NOT_FOUND"
    assert error_of(ids * 51)[1] == "INVALID"
    assert list(OutboxEntry.objects.order_by("pk").values()) == before
