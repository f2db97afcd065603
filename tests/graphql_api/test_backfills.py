from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import (
    Backfill,
    ChannelSettings,
    Marketplace,
    OrderBlocker,
    SellerAccount,
)
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

START = """
mutation ($input: AmazonBackfillStartInput!) {
  amazonBackfillStart(input: $input) {
    backfill {
      id accountId state isDryRun createdAfter createdBefore marketplaces startedBy
      seen imported nextRunAt summary
    }
    errors { field code message }
  }
}
"""
CANCEL = """
mutation ($id: ID!) {
  amazonBackfillCancel(id: $id) {
    backfill { state finishedAt nextRunAt } errors { field code }
  }
}
"""


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def mapped(account: SellerAccount) -> SellerAccount:
    ChannelSettings.objects.create(id=1, active=True)
    Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id="1",
        warehouse_ids=["1"],
        shipping_method_id="1",
    )
    return account


def global_id(account: SellerAccount) -> str:
    return Node.to_global_id("AmazonAccount", account.pk)


def start(ask: Ask, account: SellerAccount, **changes: Any) -> Any:
    given = {
        "accountId": global_id(account),
        "createdAfter": "2026-01-01T00:00:00Z",
        "createdBefore": "2026-02-01T00:00:00Z",
        **changes,
    }
    return ask(START, {"input": given})["amazonBackfillStart"]


def test_one_is_begun_and_cancelled(ask: Ask, mapped: SellerAccount) -> None:
    answer = start(ask, mapped, dryRun=True)

    row = Backfill.objects.get()
    pk = Node.to_global_id("AmazonBackfill", row.pk)
    assert answer == {
        "backfill": {
            "id": pk,
            "accountId": global_id(mapped),
            "state": "RUNNING",
            "isDryRun": True,
            "createdAfter": "2026-01-01T00:00:00+00:00",
            "createdBefore": "2026-02-01T00:00:00+00:00",
            "marketplaces": [GERMANY],
            "startedBy": "admin@example.com",
            "seen": 0,
            "imported": 0,
            "nextRunAt": NOW.isoformat(),
            "summary": "0 orders so far (until 2026-01-01 00:00 UTC): 0 imported "
            "before.",
        },
        "errors": [],
    }

    for _ in range(2):
        assert ask(CANCEL, {"id": pk})["amazonBackfillCancel"] == {
            "backfill": {
                "state": "CANCELLED",
                "finishedAt": NOW.isoformat(),
                "nextRunAt": None,
            },
            "errors": [],
        }


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"createdBefore": "2025-12-01T00:00:00Z"}, "createdBefore", "INVALID"),
        ({"createdAfter": "2024-11-20T11:59:00Z"}, "createdAfter", "INVALID"),
        ({"marketplaces": ["X"]}, "marketplaces", "INVALID"),
        ({"accountId": "x"}, "accountId", "GRAPHQL_ERROR"),
        (
            {"accountId": Node.to_global_id("AmazonAccount", 0)},
            "accountId",
            "NOT_FOUND",
        ),
    ],
)
def test_what_is_refused(
    ask: Ask, mapped: SellerAccount, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = start(ask, mapped, **changes)

    assert answer["backfill"] is None
    assert [(each["field"], each["code"]) for each in answer["errors"]] == [
        (field, code)
    ]
    assert not Backfill.objects.exists()


def test_one_at_a_time_and_only_while_all_is_on(
    ask: Ask, mapped: SellerAccount
) -> None:
    start(ask, mapped)
    [error] = start(ask, mapped)["errors"]
    assert (error["field"], error["code"]) == ("accountId", "UNIQUE")

    SellerAccount.objects.update(state="paused")
    [error] = start(ask, mapped)["errors"]
    assert (error["field"], error["code"]) == ("accountId", "INVALID")
    ChannelSettings.objects.update(active=False)
    [error] = start(ask, mapped)["errors"]
    assert (error["field"], error["code"]) == (None, "CHANNEL_INACTIVE")


def test_what_there_is_not_cannot_be_cancelled(ask: Ask, mapped: SellerAccount) -> None:
    for given, code in (
        ("x", "GRAPHQL_ERROR"),
        (Node.to_global_id("AmazonBackfill", 0), "NOT_FOUND"),
    ):
        answer = ask(CANCEL, {"id": given})["amazonBackfillCancel"]
        assert answer == {
            "backfill": None,
            "errors": [{"field": "id", "code": code}],
        }


def a_backfill(account: SellerAccount, **values: Any) -> Backfill:
    return Backfill.objects.create(
        account=account,
        since=NOW - timedelta(days=100),
        until=NOW - timedelta(days=90),
        window_from=NOW - timedelta(days=95),
        marketplace_ids=[GERMANY],
        **values,
    )


LIST = """query ($account: ID) { amazonBackfills(accountId: $account) {
  isDryRun readUntil seen alreadyHere new alreadyImported imported ready blocked waiting
  ignored unread blockers { code subject orderCount } callsUsed lastError
} }"""


def test_how_far_they_are(ask: Ask, account: SellerAccount) -> None:
    real = a_backfill(
        account,
        counts={"there": 8, "here": 2, "imported": 1},
        window_counts={"there": 2},
        calls=4,
        reads=3,
        unread=["111-0000001-0000001"],
        last_error="searchOrders: 503",
    )
    for state in ("imported", "imported", "ready", "waiting", "ignored", "blocked"):
        order = new_order(account, import_state=state, backfill=real)
    OrderBlocker.objects.create(
        order=order,
        account=account,
        marketplace_id=GERMANY,
        code="unknown_sku",
        subject="CUP-9",
        message="…",
        judged_by="1",
    )
    new_order(account, import_state="imported")
    a_backfill(
        account,
        state="finished",
        finished_at=NOW,
        is_dry_run=True,
        counts={
            "there": 9,
            "would imported": 3,
            "would blocked": 5,
            "because unknown_sku CUP 9": 2,
            "because out_of_stock MUG-1": 3,
            "because others ": 4,
        },
    )
    someone = SellerAccount.objects.create(
        name="Other", region="NA", seller_id="A2", import_from=NOW
    )

    answer = ask(LIST, {"account": global_id(account)})["amazonBackfills"]

    assert answer == [
        {
            "isDryRun": True,
            "readUntil": (NOW - timedelta(days=95)).isoformat(),
            "seen": 9,
            "alreadyHere": 0,
            "new": 9,
            "alreadyImported": 0,
            "imported": 3,
            "ready": 0,
            "blocked": 5,
            "waiting": 0,
            "ignored": 0,
            "unread": [],
            "blockers": [
                {"code": None, "subject": "", "orderCount": 4},
                {"code": "OUT_OF_STOCK", "subject": "MUG-1", "orderCount": 3},
                {"code": "UNKNOWN_SKU", "subject": "CUP 9", "orderCount": 2},
            ],
            "callsUsed": 0,
            "lastError": None,
        },
        {
            "isDryRun": False,
            "readUntil": (NOW - timedelta(days=95)).isoformat(),
            "seen": 10,
            "alreadyHere": 2,
            "new": 8,
            "alreadyImported": 1,
            "imported": 2,
            "ready": 1,
            "blocked": 1,
            "waiting": 1,
            "ignored": 1,
            "unread": ["111-0000001-0000001"],
            "blockers": [{"code": "UNKNOWN_SKU", "subject": "CUP-9", "orderCount": 1}],
            "callsUsed": 7,
            "lastError": "searchOrders: 503",
        },
    ]
    assert ask(LIST, {"account": global_id(someone)})["amazonBackfills"] == []
    assert ask(LIST, {"account": "x"}).errors == [
        "Invalid ID: x. Expected: AmazonAccount."
    ]


def test_a_list_costs_the_same_for_one_and_for_many(
    ask: Ask, account: SellerAccount
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(LIST)["amazonBackfills"]
        return len(captured)

    a_backfill(account)
    one = queries()
    for _ in range(5):
        a_backfill(account, state="finished")
    assert queries() == one
