from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

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
    )

    [row] = ask(
        "{ amazonReconciliations { there here missing unread lastError summary } }"
    )["amazonReconciliations"]

    assert row == {
        "there": 1204,
        "here": 1203,
        "missing": ["x"],
        "unread": [],
        "lastError": None,
        "summary": "1,204 there, 1,203 here, 1 missing; 1 of them have been read from "
        "Amazon.",
    }
