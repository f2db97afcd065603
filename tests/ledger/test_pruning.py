from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from graphql_api.rows import new_order
from saleor_amazon_channel import clock
from saleor_amazon_channel.ledger import pruning
from saleor_amazon_channel.models import (
    AccessToken,
    ChannelSettings,
    CommunicationLog,
    OrderEvent,
    OutboxAttempt,
    OutboxEntry,
    SellerAccount,
)
from wire_orders import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(NOW) as move:
        yield move


def ago(**time: Any) -> datetime:
    return NOW - timedelta(**time)


def log(account: SellerAccount, age: timedelta) -> None:
    CommunicationLog.objects.create(
        account=account,
        operation="searchOrders",
        error_code="x",
        message="x",
        created_at=NOW - age,
    )


@pytest.mark.parametrize(
    ("setting", "days"), [("daily", 1), ("weekly", 7), ("monthly", 30)]
)
def test_e1_logs_are_kept_as_long_as_the_setting_says(
    account: SellerAccount, setting: str, days: int
) -> None:
    ChannelSettings.objects.create(id=1, clear_log_history=setting)
    limit = timedelta(days=days)
    log(account, limit + timedelta(seconds=1))
    log(account, limit - timedelta(seconds=1))

    assert pruning.prune() == 1

    assert [each.created_at for each in CommunicationLog.objects.all()] == [
        NOW - limit + timedelta(seconds=1)
    ]


def test_e1_by_default_logs_are_cleared_monthly(account: SellerAccount) -> None:
    log(account, timedelta(days=29))
    log(account, timedelta(days=31))
    assert pruning.prune() == 1


def test_more_than_a_batch_is_deleted(
    account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH_SIZE", 2)
    for _ in range(5):
        log(account, timedelta(days=31))
    log(account, timedelta(days=1))

    assert pruning.prune() == 5
    assert CommunicationLog.objects.count() == 1


def test_attempts_go_once_their_entry_has_been_settled_as_long(
    account: SellerAccount,
) -> None:
    def attempted(key: str, settled_at: datetime | None) -> None:
        entry = OutboxEntry.objects.create(
            account=account,
            order=new_order(account),
            kind="cancel",
            idempotency_key=key,
            payload={},
            settled_at=settled_at,
        )
        OutboxAttempt.objects.create(
            entry=entry, started_at=ago(days=40), duration_ms=1, outcome="pending"
        )

    attempted("old", ago(days=31))
    attempted("settled lately", ago(days=29))
    attempted("open", None)

    assert pruning.prune() == 1

    left = OutboxAttempt.objects.values_list("entry__idempotency_key", flat=True)
    assert set(left) == {"settled lately", "open"}
    assert OutboxEntry.objects.count() == 3


def test_the_timeline_of_an_order_goes_after_its_buyer_has(
    account: SellerAccount,
) -> None:
    for redacted_at in (ago(days=31), ago(days=29), None):
        order = new_order(account, redacted_at=redacted_at, note="Shipped.")
        for type_, created_at in (
            ("imported", ago(days=60)),
            # What is told only once would be told again.
            ("replaced", ago(days=60)),
            ("updated", ago(days=1)),
        ):
            OrderEvent.objects.create(
                order=order, type=type_, message="x", created_at=created_at
            )

    assert pruning.prune() == 1

    gone = OrderEvent.objects.filter(order__redacted_at=ago(days=31))
    assert set(gone.values_list("type", flat=True)) == {"replaced", "updated"}
    assert OrderEvent.objects.count() == 8


def test_expired_access_tokens_are_deleted(account: SellerAccount) -> None:
    for scope, expires_at in (("a", ago(seconds=1)), ("b", NOW + timedelta(hours=1))):
        AccessToken.objects.create(
            account=account, scope=scope, token="Atza|x", expires_at=expires_at
        )
    pruning.prune()
    assert [each.scope for each in AccessToken.objects.all()] == ["b"]
