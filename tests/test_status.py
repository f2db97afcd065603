"""Why something waits, in words; how it looks is in ``test_command``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from graphql_api.rows import new_order
from saleor_amazon_channel import clock, status
from saleor_amazon_channel.models import (
    Backfill,
    ChannelSettings,
    Marketplace,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from wire_orders import FRANCE, GERMANY, NOW

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
DUE = ""


@pytest.fixture(autouse=True)
def now() -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def active(account: SellerAccount) -> SellerAccount:
    """On, and mapped."""
    ChannelSettings.objects.create(id=1, active=True)
    Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id="1",
        warehouse_ids=["1"],
        shipping_method_id="1",
    )
    Marketplace.objects.create(account=account, marketplace_id=FRANCE)
    return account


def waits() -> dict[str, str]:
    """Stream → why it waits."""
    [account] = status.read().accounts
    return {stream.name: stream.waits_for for stream in account.streams}


def scan(account: SellerAccount, stream: str = "orders", **values: Any) -> None:
    SyncCursor.objects.update_or_create(account=account, stream=stream, defaults=values)


def left(
    account: SellerAccount, operation: str, tokens: float, rate: float = 0.0056
) -> None:
    UsageBudget.objects.update_or_create(
        account=account,
        operation=operation,
        defaults={"tokens": tokens, "rate": rate, "burst": 20, "refilled_at": NOW},
    )


def entry(account: SellerAccount, **values: Any) -> OutboxEntry:
    return OutboxEntry.objects.create(
        account=account,
        order=new_order(account),
        kind="confirm_shipment",
        idempotency_key=str(uuid4()),
        payload={},
        **{"next_attempt_at": NOW, **values},
    )


def backfill(account: SellerAccount, **values: Any) -> Backfill:
    return Backfill.objects.create(
        account=account,
        since=NOW - timedelta(days=100),
        until=NOW - timedelta(days=90),
        window_from=NOW - timedelta(days=95),
        marketplace_ids=[GERMANY],
        **values,
    )


def test_nothing_waits_that_is_due(active: SellerAccount) -> None:
    SellerAccount.objects.update(created_at=NOW - timedelta(days=1))
    backfill(active)
    entry(active)

    assert waits() == {
        "orders": DUE,
        "finances": DUE,
        "import": DUE,
        "reconciliation": DUE,
        "backfill": DUE,
        "outbox": DUE,
    }


def test_what_is_not_there_does_not_wait(active: SellerAccount) -> None:
    backfill(active, state="finished", finished_at=NOW)
    entry(active, state="succeeded", settled_at=NOW)
    assert waits().keys() == {"orders", "finances", "import", "reconciliation"}


def test_the_channel_is_off(active: SellerAccount) -> None:
    ChannelSettings.objects.update(active=False)
    backfill(active)
    entry(active)
    assert set(waits().values()) == {"The channel is switched off."}


def test_the_account_is_paused(active: SellerAccount) -> None:
    SellerAccount.objects.update(state="paused", state_reason="Paused by staff.")
    backfill(active)
    entry(active)
    assert waits() == {
        "orders": "Paused by staff.",
        "finances": "Paused by staff.",
        # What has been read is imported.
        "import": DUE,
        "reconciliation": "Paused by staff.",
        "backfill": "Paused by staff.",
        "outbox": "Paused by staff.",
    }


def test_its_time_has_not_come(active: SellerAccount) -> None:
    scan(active, next_run_at=NOW + 4 * MINUTE)
    Reconciliation.objects.create(
        account=active, since=NOW, started_at=NOW - 10 * MINUTE, finished_at=NOW
    )
    backfill(active, next_run_at=NOW + 2 * MINUTE)
    entry(active, next_attempt_at=NOW + 7 * MINUTE, error_message="No tracking number.")
    entry(active, next_attempt_at=NOW + 9 * MINUTE)

    assert waits() == {
        "orders": "It runs next at 2026-11-20 12:04:00 UTC.",
        "finances": DUE,
        "import": DUE,
        "reconciliation": "It runs next at 2026-11-21 11:50:00 UTC.",
        "backfill": "It runs next at 2026-11-20 12:02:00 UTC.",
        "outbox": "It runs next at 2026-11-20 12:07:00 UTC.",
    }
    [account] = status.read().accounts
    [outbox] = [each for each in account.streams if each.name == "outbox"]
    assert outbox.last_error == "No tracking number."


def test_another_worker_is_at_it(active: SellerAccount) -> None:
    until = NOW + 5 * MINUTE
    lease = {"lease_token": uuid4(), "lease_until": until}
    scan(active, **lease, next_run_at=until)
    scan(active, "finances", **lease)
    Reconciliation.objects.create(account=active, since=NOW, **lease)
    backfill(active, **lease)
    entry(active, state="sending", claimed_until=until)

    told = waits()
    assert told.pop("import") == DUE
    assert set(told.values()) == {
        "A worker is at it, whose lease holds until 2026-11-20 12:05:00 UTC."
    }


def test_amazons_usage_plan_allows_no_call(active: SellerAccount) -> None:
    scan(active, "marketplaces")
    left(active, "searchOrders", 0)
    left(active, "listTransactions", 0, rate=0.5)
    left(active, "getMarketplaceParticipations", 0.5, rate=0.016)
    Reconciliation.objects.create(account=active, since=NOW)
    row = backfill(active)

    assert waits() == {
        "orders": "Amazon's usage plan of searchOrders allows no call before "
        "2026-11-20 12:02:58 UTC.",
        "finances": "Amazon's usage plan of listTransactions allows no call before "
        "2026-11-20 12:00:02 UTC.",
        "marketplaces": "Amazon's usage plan of getMarketplaceParticipations allows no "
        "call before 2026-11-20 12:00:31 UTC.",
        "import": DUE,
        "reconciliation": "Amazon's usage plan of searchOrders allows no call before "
        "2026-11-20 12:17:51 UTC: 5 are left to others.",
        "backfill": "Amazon's usage plan of searchOrders allows no call before "
        "2026-11-20 12:23:48 UTC: 7 are left to others.",
    }
    # What it reads order by order has a plan of its own.
    row.to_read = ["111-0000001-0000001"]
    row.save()
    assert waits()["backfill"] == DUE

    # Throttled, with calls left by our own count.
    left(active, "searchOrders", 20)
    UsageBudget.objects.update(blocked_until=NOW + MINUTE)
    assert waits()["orders"] == (
        "Amazon's usage plan of searchOrders allows no call before "
        "2026-11-20 12:01:00 UTC."
    )
    # The later of both is told.
    scan(active, next_run_at=NOW + 4 * MINUTE)
    assert waits()["orders"] == "It runs next at 2026-11-20 12:04:00 UTC."


def test_nothing_is_sent_in_read_only_mode(active: SellerAccount) -> None:
    ChannelSettings.objects.update(read_only=True)
    scan(active, "notifications")
    entry(active)
    assert waits() == {
        "orders": DUE,
        "finances": DUE,
        "notifications": "Read-only mode: messages stay in their queue.",
        "import": DUE,
        "reconciliation": "It runs next at 2026-11-21 12:00:00 UTC.",
        "outbox": "Read-only mode: nothing is sent to Amazon.",
    }


def test_no_order_is_imported(active: SellerAccount) -> None:
    Marketplace.objects.update(import_orders=False)
    assert waits()["import"] == (
        "Import Amazon Orders is off for every marketplace that has a channel."
    )

    Marketplace.objects.update(import_orders=True, channel_id="")
    assert waits()["import"] == (
        "No marketplace is mapped to a channel: orders are read, and wait. Choose a "
        "channel, a warehouse and a shipping method in a marketplace's settings."
    )
    assert waits()["orders"] == DUE


def test_the_last_comparison_and_back_fill_are_told(active: SellerAccount) -> None:
    Reconciliation.objects.create(
        account=active, since=NOW, started_at=NOW - timedelta(days=2), finished_at=NOW
    )
    Reconciliation.objects.create(
        account=active, since=NOW, counts={"there": 5}, finished_at=NOW
    )
    backfill(active, state="finished", started_at=NOW - timedelta(days=2))
    backfill(active, counts={"there": 7})

    [account] = status.read().accounts

    assert account.reconciliation is not None
    assert account.backfill is not None
    assert account.reconciliation["there"] == 5
    assert account.backfill["seen"] == 7


def test_it_costs_the_same_for_one_account_and_for_many(active: SellerAccount) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            status.read()
        return len(captured)

    backfill(active)
    one = queries()
    for number in range(3):
        other = SellerAccount.objects.create(
            name="Other", region="NA", seller_id=f"A{number}", import_from=NOW
        )
        backfill(other)
        entry(other)
    assert queries() == one
