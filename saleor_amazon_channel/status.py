"""How the channel is, in a few queries whatever it holds: what runs when, what is left
of Amazon's usage plans, and why something waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from . import clock
from .amazon.finances import LIST_TRANSACTIONS
from .amazon.listings import SEARCH_LISTINGS_ITEMS
from .amazon.orders import SEARCH_ORDERS
from .amazon.sellers import GET_MARKETPLACE_PARTICIPATIONS
from .amazon.throttle import Bucket
from .importing import (
    backfill,
    backfill_progress,
    finances,
    participations,
    pull,
    reconcile,
)
from .importing.backfill_progress import Progress
from .ledger import notifications
from .ledger.notifications import NotificationStatus
from .models import (
    AmazonOrder,
    Backfill,
    ChannelSettings,
    Marketplace,
    NotificationQueue,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from .stock import compare as stock

#: What each stream asks Amazon for.
_OPERATIONS = {
    pull.STREAM: SEARCH_ORDERS,
    finances.STREAM: LIST_TRANSACTIONS,
    participations.STREAM: GET_MARKETPLACE_PARTICIPATIONS,
    stock.STREAM: SEARCH_LISTINGS_ITEMS,
}
#: Streams that there are also before their first run.
_ALWAYS = (pull.STREAM, finances.STREAM)
#: Streams that are done as there is something to do.
WITHOUT_RUNS = ("import", "outbox")
_IN_READ_ONLY = {
    NotificationQueue.STREAM: "Read-only mode: messages stay in their queue."
}
_TO_BE_SENT = (
    OutboxEntry.State.PENDING,
    OutboxEntry.State.SENDING,
    OutboxEntry.State.UNKNOWN,
)


@dataclass(frozen=True)
class Stream:
    """Something that is done again and again, or goes on until it is done."""

    name: str
    last_run_at: datetime | None
    next_run_at: datetime | None
    last_error: str
    #: Why it does not run now, in words; empty when it is due.
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
    #: The last ones: see ``reconcile.as_dict`` and ``backfill_progress.as_dict``.
    reconciliation: dict[str, Any] | None = None
    backfill: dict[str, Any] | None = None
    #: None where it is not subscribed to them.
    notifications: NotificationStatus | None = None


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


@dataclass(frozen=True)
class _Facts:
    """What there is of one account."""

    settings: ChannelSettings
    account: SellerAccount
    now: datetime
    cursors: list[SyncCursor]
    budgets: list[UsageBudget]
    marketplaces: list[Marketplace]
    reconciliation: Reconciliation | None
    backfill: Backfill | None
    progress: Progress | None
    #: The first that is to be sent.
    entry: OutboxEntry | None
    notifications: NotificationStatus | None


def read(using: str = "default") -> ChannelStatus:
    settings = ChannelSettings.load(using)
    return ChannelStatus(
        settings.active,
        settings.read_only,
        settings.read_only_reason,
        settings.pull_interval_minutes,
        [_account_status(facts) for facts in _facts(settings, using)],
        _counts(AmazonOrder.objects.using(using).values_list("import_state")),
        _counts(OutboxEntry.objects.using(using).values_list("state")),
    )


def _facts(settings: ChannelSettings, using: str) -> Iterator[_Facts]:
    cursors = defaultdict(list)
    for cursor in SyncCursor.objects.using(using).exclude(account=None):
        cursors[cursor.account_id].append(cursor)
    budgets = defaultdict(list)
    for row in UsageBudget.objects.using(using).order_by("operation"):
        budgets[row.account_id].append(row)
    marketplaces = defaultdict(list)
    for marketplace in Marketplace.objects.using(using).filter(is_participating=True):
        marketplaces[marketplace.account_id].append(marketplace)
    reconciliations = _last(Reconciliation.objects.using(using), "-started_at", "-pk")
    backfills = _last(Backfill.objects.using(using), "-started_at", "-pk")
    progress = backfill_progress.progress(list(backfills.values()), using)
    entries = _last(
        OutboxEntry.objects.using(using).filter(state__in=_TO_BE_SENT),
        "next_attempt_at",
        "pk",
    )
    notified = notifications.read(using)
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
        last = backfills.get(account.pk)
        yield _Facts(
            settings,
            account,
            clock.now(),
            cursors[account.pk],
            budgets[account.pk],
            marketplaces[account.pk],
            reconciliations.get(account.pk),
            last,
            progress[last.pk] if last else None,
            entries.get(account.pk),
            notified.get(account.pk),
        )


def _last(rows: Any, *ordering: str) -> dict[int, Any]:
    """By account the first of its rows in this order."""
    found = rows.order_by("account_id", *ordering).distinct("account_id")
    return {row.account_id: row for row in found}


def _account_status(facts: _Facts) -> AccountStatus:
    account, row, last = facts.account, facts.backfill, facts.reconciliation
    return AccountStatus(
        account.pk,
        account.name,
        account.region,
        account.state,
        account.state_reason,
        account.secret_expires_at,
        account.secret_warning,
        list(_streams(facts)),
        [_left(row, facts.now) for row in facts.budgets],
        reconcile.as_dict(last) if last else None,
        backfill_progress.as_dict(row, facts.progress)
        if row and facts.progress
        else None,
        facts.notifications,
    )


def _streams(facts: _Facts) -> Iterator[Stream]:
    always = {name: SyncCursor(stream=name) for name in _ALWAYS}
    by_stream = {**always, **{cursor.stream: cursor for cursor in facts.cursors}}
    for cursor in by_stream.values():
        calls = {_OPERATIONS[cursor.stream]: 1} if cursor.stream in _OPERATIONS else {}
        yield Stream(
            cursor.stream,
            cursor.last_run_at,
            cursor.next_run_at,
            cursor.last_error,
            _waits_for(
                facts,
                cursor.next_run_at,
                cursor.lease_until,
                calls,
                _IN_READ_ONLY.get(cursor.stream, ""),
            ),
        )
    yield Stream("import", None, None, "", _import_waits_for(facts))
    last = facts.reconciliation
    if last is None:
        due = facts.account.created_at + reconcile.INTERVAL
    elif last.finished_at:
        due = last.started_at + reconcile.INTERVAL
    else:
        due = last.next_run_at
    yield Stream(
        "reconciliation",
        last.started_at if last else None,
        due,
        last.last_error if last else "",
        _waits_for(
            facts,
            due,
            last.lease_until if last else None,
            {SEARCH_ORDERS: reconcile.CALLS_LEFT_TO_SCANS},
        ),
    )
    row = facts.backfill
    if row and row.finished_at is None:
        calls = {} if row.to_read else {SEARCH_ORDERS: backfill.CALLS_LEFT_TO_OTHERS}
        yield Stream(
            "backfill",
            row.started_at,
            row.next_run_at,
            row.last_error,
            _waits_for(facts, row.next_run_at, row.lease_until, calls),
        )
    if facts.entry:
        yield Stream(
            "outbox",
            None,
            facts.entry.next_attempt_at,
            facts.entry.error_message,
            _waits_for(
                facts,
                facts.entry.next_attempt_at,
                facts.entry.claimed_until
                if facts.entry.state == OutboxEntry.State.SENDING
                else None,
                {},
                "Read-only mode: nothing is sent to Amazon.",
            ),
        )


def _waits_for(
    facts: _Facts,
    due: datetime | None,
    lease_until: datetime | None,
    calls: Mapping[str, int],
    in_read_only: str = "",
) -> str:
    """``calls``: operation → how many calls must be left of its usage plan.
    ``in_read_only``: why it waits in read-only mode, if it does."""
    if not facts.settings.active:
        return "The channel is switched off."
    if facts.account.state != SellerAccount.State.ACTIVE:
        return facts.account.state_reason or "The account is not active."
    if facts.settings.read_only and in_read_only:
        return in_read_only
    if lease_until and lease_until > facts.now:
        return f"A worker is at it, whose lease holds until {_time(lease_until)}."
    due = max(due or facts.now, facts.now)
    for operation, count in calls.items():
        available = _available_at(facts, operation, count)
        if available and available > due:
            more = f": {count - 1} are left to others" if count > 1 else ""
            return (
                f"Amazon's usage plan of {operation} allows no call before "
                f"{_time(available)}{more}."
            )
    if due > facts.now:
        return f"It runs next at {_time(due)}."
    return ""


def _import_waits_for(facts: _Facts) -> str:
    if not facts.settings.active:
        return "The channel is switched off."
    mapped = [each for each in facts.marketplaces if each.is_mapped]
    if not mapped:
        return (
            "No marketplace is mapped to a channel: orders are read, and wait. Choose "
            "a channel, a warehouse and a shipping method in a marketplace's settings."
        )
    if not any(each.import_orders for each in mapped):
        return "Import Amazon Orders is off for every marketplace that has a channel."
    return ""


def _available_at(facts: _Facts, operation: str, calls: int) -> datetime | None:
    """When so many calls of the operation are left; None if nothing is known of it."""
    for row in facts.budgets:
        if row.operation == operation:
            bucket = _bucket(row).refilled(facts.now)
            missing = max(calls - bucket.tokens, 0.0)
            available = facts.now + timedelta(seconds=missing / bucket.rate)
            return max(available, row.blocked_until or available)
    return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _bucket(row: UsageBudget) -> Bucket:
    return Bucket(row.rate, row.burst, row.tokens, row.refilled_at, row.blocked_until)


def _left(row: UsageBudget, now: datetime) -> BudgetLeft:
    bucket = _bucket(row).refilled(now)
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
            last = f"last {stream.last_run_at or 'never'}; "
            if stream.name in WITHOUT_RUNS:
                last = ""
            yield f"  {stream.name}: {last}{stream.waits_for or 'now'}"
            if stream.last_error:
                yield f"    {stream.last_error}"
        if account.reconciliation:
            at, summary = (account.reconciliation[k] for k in ("started_at", "summary"))
            yield f"  compared with Amazon at {_time(at)}: {summary}"
        if account.backfill:
            row = account.backfill
            kind = "dry run of a back-fill" if row["dry_run"] else "back-fill"
            yield f"  {kind}, {row['state']}: {row['summary']}"
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


def _of_notifications(told: NotificationStatus) -> Iterator[str]:
    counts = ", ".join(f"{count} {key}" for key, count in told.messages.items())
    yield (
        f"  notifications of {told.queue_arn}: "
        f"{'subscribed' if told.is_subscribed else 'not subscribed'}, "
        f"{told.messages_last_hour} in the last hour; of a day {counts or 'none'}; "
        f"last {told.last_message_at or 'never'}"
    )
    if told.last_error:
        yield f"    {told.last_error}"
