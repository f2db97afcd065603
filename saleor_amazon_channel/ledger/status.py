"""How the channel is, in a few counting queries whatever it holds: what runs when, what
is left of Amazon's usage plans, and why something waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from .. import clock
from ..amazon.throttle import Bucket
from ..models import (
    AmazonOrder,
    ChannelSettings,
    NotificationQueue,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from . import notifications

#: The streams that there always are.
ORDERS, FINANCES = "orders", "finances"


@dataclass(frozen=True)
class Stream:
    """Something that is read from Amazon again and again."""

    name: str
    last_run_at: datetime | None
    next_run_at: datetime | None
    last_error: str
    #: Why it does not run now, in words; empty when it is due or is running.
    waits_for: str


@dataclass(frozen=True)
class BudgetLeft:
    """What is left of a usage plan: see ``amazon.throttle``."""

    operation: str
    calls_left: float
    rate: float
    burst: int
    #: Amazon said 429: no call before then.
    blocked_until: datetime | None


@dataclass(frozen=True)
class AccountStatus:
    id: int
    name: str
    region: str
    state: str
    state_reason: str
    #: When the app's client secret expires at the latest, and what to do if it is soon.
    secret_expires_at: datetime
    secret_warning: str
    streams: list[Stream] = field(default_factory=list)
    budgets: list[BudgetLeft] = field(default_factory=list)
    #: None where it is not subscribed to them.
    notifications: notifications.NotificationStatus | None = None


@dataclass(frozen=True)
class ChannelStatus:
    active: bool
    read_only: bool
    #: Why it was switched on by itself; empty where staff did, or it is off.
    read_only_reason: str
    pull_interval_minutes: int
    accounts: list[AccountStatus]
    #: By import state and by outbox state.
    orders: dict[str, int]
    outbox: dict[str, int]


def read(using: str = "default") -> ChannelStatus:
    settings = ChannelSettings.load(using)
    now = clock.now()
    cursors: dict[int, list[SyncCursor]] = {}
    for cursor in SyncCursor.objects.using(using).exclude(account=None):
        cursors.setdefault(cursor.account_id or 0, []).append(cursor)
    budgets: dict[int, list[UsageBudget]] = {}
    for row in UsageBudget.objects.using(using).order_by("operation"):
        budgets.setdefault(row.account_id, []).append(row)
    notified = notifications.read(using)
    accounts = []
    # Without the secrets: the operator may look before there is a key to decrypt them.
    columns = (
        "name",
        "region",
        "state",
        "state_reason",
        "secret_set_at",
        "created_at",
    )
    for account in SellerAccount.objects.using(using).only(*columns).order_by("pk"):
        accounts.append(
            AccountStatus(
                account.pk,
                account.name,
                account.region,
                account.state,
                account.state_reason,
                account.secret_expires_at,
                account.secret_warning,
                [
                    Stream(
                        cursor.stream,
                        cursor.last_run_at,
                        cursor.next_run_at,
                        cursor.last_error,
                        _waits_for(settings, account, cursor, now),
                    )
                    for cursor in _streams(cursors.get(account.pk, []))
                ],
                [_left(row, now) for row in budgets.get(account.pk, ())],
                notified.get(account.pk),
            )
        )
    return ChannelStatus(
        settings.active,
        settings.read_only,
        settings.read_only_reason,
        settings.pull_interval_minutes,
        accounts,
        _counts(AmazonOrder.objects.using(using).values_list("import_state")),
        _counts(OutboxEntry.objects.using(using).values_list("state")),
    )


def _streams(cursors: list[SyncCursor]) -> list[SyncCursor]:
    """With those there always are, also before their first run."""
    known = {cursor.stream: cursor for cursor in cursors}
    always = {name: known.pop(name, None) for name in (ORDERS, FINANCES)}
    return [
        *(cursor or SyncCursor(stream=name) for name, cursor in always.items()),
        *known.values(),
    ]


def _waits_for(
    settings: ChannelSettings,
    account: SellerAccount,
    cursor: SyncCursor,
    now: datetime,
) -> str:
    if not settings.active:
        return "The channel is switched off."
    if account.state != SellerAccount.State.ACTIVE:
        return account.state_reason or "The account is not active."
    if settings.read_only and cursor.stream == NotificationQueue.STREAM:
        return "Read-only mode: messages stay in their queue."
    if cursor.lease_until and cursor.lease_until > now:
        return ""
    if cursor.next_run_at and cursor.next_run_at > now:
        return f"It runs next at {cursor.next_run_at:%Y-%m-%d %H:%M:%S} UTC."
    return ""


def _left(row: UsageBudget, now: datetime) -> BudgetLeft:
    bucket = Bucket(
        row.rate, row.burst, row.tokens, row.refilled_at, row.blocked_until
    ).refilled(now)
    is_blocked = bool(row.blocked_until and row.blocked_until > now)
    return BudgetLeft(
        row.operation,
        0.0 if is_blocked else round(bucket.tokens, 1),
        row.rate,
        int(row.burst),
        row.blocked_until if is_blocked else None,
    )


def _counts(states: Any) -> dict[str, int]:
    return dict(states.annotate(count=Count("id")).order_by())


def as_lines(state: ChannelStatus) -> Iterator[str]:
    """The same for people."""
    yield (
        f"Channel {'on' if state.active else 'off'}"
        f"{', read-only' if state.read_only else ''}, "
        f"pull every {state.pull_interval_minutes} minutes"
    )
    if state.read_only_reason:
        yield f"  {state.read_only_reason}"
    for account in state.accounts:
        yield f"{account.name} ({account.region}): {account.state}"
        if account.state_reason:
            yield f"  {account.state_reason}"
        if account.secret_warning:
            yield f"  {account.secret_warning}"
        for stream in account.streams:
            yield (
                f"  {stream.name}: last {stream.last_run_at or 'never'}; "
                f"{stream.waits_for or 'now'}"
            )
            if stream.last_error:
                yield f"    {stream.last_error}"
        if account.notifications:
            yield from _of_notifications(account.notifications)
        for left in account.budgets:
            until = f", none before {left.blocked_until}" if left.blocked_until else ""
            yield (
                f"  {left.operation}: {left.calls_left:g} of {left.burst} calls left, "
                f"one more every {1 / left.rate:.0f} s{until}"
            )
    for name, states in (("orders", state.orders), ("outbox", state.outbox)):
        counts = ", ".join(f"{count} {key}" for key, count in states.items())
        yield f"{name}: {counts or 'none'}"


def _of_notifications(told: notifications.NotificationStatus) -> Iterator[str]:
    counts = ", ".join(f"{count} {key}" for key, count in told.messages.items())
    yield (
        f"  notifications of {told.queue_arn}: "
        f"{'subscribed' if told.is_subscribed else 'not subscribed'}, "
        f"{told.messages_last_hour} in the last hour; of a day {counts or 'none'}; "
        f"last {told.last_message_at or 'never'}"
    )
    if told.last_error:
        yield f"    {told.last_error}"
