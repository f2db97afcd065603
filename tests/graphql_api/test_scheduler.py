from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import (
    ChannelSettings,
    Reconciliation,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from wire_orders import NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]


def test_what_runs_when_and_why_it_waits(ask: Ask, account: SellerAccount) -> None:
    ChannelSettings.objects.create(id=1, active=True)
    SellerAccount.objects.update(created_at=NOW)
    new_order(account, import_state="blocked")
    SyncCursor.objects.create(
        account=account,
        stream="orders",
        last_run_at=NOW,
        next_run_at=NOW + timedelta(minutes=4),
    )
    SyncCursor.objects.create(
        account=account, stream="finances", last_error="Amazon says no."
    )
    UsageBudget.objects.create(
        account=account,
        operation="getOrder",
        rate=0.5,
        burst=30,
        tokens=3,
        refilled_at=NOW,
    )
    with clock.frozen(NOW):
        answer = ask(
            """{ amazonScheduler {
              isActive isReadOnly pullIntervalMinutes
              orders { state count } outbox { state count }
              accounts {
                name state
                streams { name waitsFor lastError }
                budgets { operation callsLeft rate burst blockedUntil }
              }
            } }"""
        )["amazonScheduler"]

    assert answer == {
        "isActive": True,
        "isReadOnly": False,
        "pullIntervalMinutes": 4,
        "orders": [{"state": "blocked", "count": 1}],
        "outbox": [],
        "accounts": [
            {
                "name": account.name,
                "state": "ACTIVE",
                "streams": [
                    {
                        "name": "orders",
                        "waitsFor": "It runs next at 2026-11-20 12:04:00 UTC.",
                        "lastError": None,
                    },
                    {
                        "name": "finances",
                        "waitsFor": None,
                        "lastError": "Amazon says no.",
                    },
                    {
                        "name": "import",
                        "waitsFor": "No marketplace is mapped to a channel: orders are "
                        "read, and wait. Choose a channel, a warehouse and a shipping "
                        "method in a marketplace's settings.",
                        "lastError": None,
                    },
                    {
                        "name": "reconciliation",
                        "waitsFor": "It runs next at 2026-11-21 12:00:00 UTC.",
                        "lastError": None,
                    },
                ],
                "budgets": [
                    {
                        "operation": "getOrder",
                        "callsLeft": 3.0,
                        "rate": 0.5,
                        "burst": 30,
                        "blockedUntil": None,
                    }
                ],
            }
        ],
    }


def test_the_daily_comparisons(ask: Ask, account: SellerAccount) -> None:
    Reconciliation.objects.create(
        account=account,
        since=NOW,
        finished_at=NOW,
        counts={"there": 1204, "here": 1203},
        missing=["x"],
        double=["y"],
        not_followed=["z"],
        blocked=3,
        blocked_by={"unknown_sku": 2, "": 1},
        calls=4,
    )

    [row] = ask(
        """{ amazonReconciliations {
          there here missing unread double notFollowed isClean callsUsed comparedSince
          blocked blockedBy { code orderCount } nextRunAt lastError summary
        } }"""
    )["amazonReconciliations"]

    assert row == {
        "there": 1204,
        "here": 1203,
        "missing": ["x"],
        "unread": [],
        "double": ["y"],
        "notFollowed": ["z"],
        "isClean": False,
        "callsUsed": 4,
        "comparedSince": NOW.isoformat(),
        "blocked": 3,
        "blockedBy": [
            {"code": "UNKNOWN_SKU", "orderCount": 2},
            {"code": None, "orderCount": 1},
        ],
        "nextRunAt": None,
        "lastError": None,
        "summary": "1,204 there, 1,203 here, 1 missing, 1 double, 1 not followed for "
        "an hour, 3 blocked (2 unknown_sku, 1 without a reason); 1 of them have been "
        "read from Amazon.",
    }


RECONCILE = """
mutation ($account: ID!, $days: Int) {
  amazonReconcile(accountId: $account, days: $days) {
    reconciliation { id comparedSince nextRunAt finishedAt summary }
    errors { field code }
  }
}
"""


def test_one_is_begun_or_the_one_under_way_goes_on(
    ask: Ask, account: SellerAccount
) -> None:
    ChannelSettings.objects.create(id=1, active=True)
    given = {"account": Node.to_global_id("AmazonAccount", account.pk), "days": 30}
    with clock.frozen(NOW) as move:
        first = ask(RECONCILE, given)["amazonReconcile"]
        assert first["errors"] == []
        assert (
            first["reconciliation"]["comparedSince"]
            == (NOW - timedelta(days=30)).isoformat()
        )
        assert first["reconciliation"]["nextRunAt"] == NOW.isoformat()

        Reconciliation.objects.update(next_run_at=NOW + timedelta(hours=1))
        move(timedelta(minutes=1))
        again = ask(RECONCILE, {**given, "days": None})["amazonReconcile"]
    assert again["reconciliation"]["id"] == first["reconciliation"]["id"]
    assert (
        again["reconciliation"]["nextRunAt"] == (NOW + timedelta(minutes=1)).isoformat()
    )
    assert Reconciliation.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"days": 0}, "days", "INVALID"),
        ({"days": 31}, "days", "INVALID"),
        ({"account": "x"}, "accountId", "GRAPHQL_ERROR"),
        ({"account": Node.to_global_id("AmazonAccount", 0)}, "accountId", "NOT_FOUND"),
    ],
)
def test_what_cannot_be_compared(
    ask: Ask, account: SellerAccount, changes: dict, field: str, code: str
) -> None:
    ChannelSettings.objects.create(id=1, active=True)
    given = {"account": Node.to_global_id("AmazonAccount", account.pk), **changes}

    assert ask(RECONCILE, given)["amazonReconcile"] == {
        "reconciliation": None,
        "errors": [{"field": field, "code": code}],
    }
    assert not Reconciliation.objects.exists()
