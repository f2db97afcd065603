"""What is told of back-fills: how far they are, and what became of the orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from .. import clock
from ..amazon.orders import SEARCH_ORDERS
from ..amazon.throttle import USAGE_PLANS, Bucket
from ..models import AmazonOrder, Backfill, ChannelSettings, OrderBlocker, UsageBudget
from .backfill import BECAUSE, CALLS_LEFT_TO_OTHERS, WOULD

MOST_REASONS_IN_LINES = 20


@dataclass(frozen=True)
class Reason:
    """A cause that blocks, or would block, so many of the orders."""

    code: str
    subject: str
    orders: int


@dataclass(frozen=True)
class Progress:
    """How far a back-fill is, and what became of the orders that it found."""

    there: int
    #: In the ledger before it began, and orders of the shop before.
    here: int
    imported_before: int
    #: Of the others, by import state: what they are now, or would be.
    states: Mapping[str, int]
    reasons: Sequence[Reason]
    calls: int
    #: None while nothing can be said.
    expected_at: datetime | None

    @property
    def new(self) -> int:
        return self.there - self.here


def progress(rows: Sequence[Backfill], using: str = "default") -> dict[int, Progress]:
    """By their keys; in a constant number of queries."""
    ids = [row.pk for row in rows if not row.is_dry_run]
    states: dict[int, dict[str, int]] = {row.pk: {} for row in rows}
    for pk, state, count in (
        AmazonOrder.objects.using(using)
        .filter(backfill__in=ids)
        .order_by()
        .values_list("backfill", "import_state")
        .annotate(count=Count("id"))
    ):
        states[pk][state] = count
    reasons: dict[int, list[Reason]] = {row.pk: [] for row in rows}
    for pk, code, subject, count in (
        OrderBlocker.objects.using(using)
        .filter(order__backfill__in=ids)
        .order_by()
        .values_list("order__backfill", "code", "subject")
        .annotate(count=Count("order", distinct=True))
    ):
        reasons[pk].append(Reason(code, subject, count))
    for row in rows:
        if row.is_dry_run:
            states[row.pk], reasons[row.pk] = _foreseen(row)
    interval = ChannelSettings.load(using).pull_interval
    budgets = {
        each.account_id: each
        for each in UsageBudget.objects.using(using).filter(operation=SEARCH_ORDERS)
    }
    return {
        row.pk: Progress(
            there=row.count("there"),
            here=row.count("here"),
            imported_before=row.count("imported"),
            states=states[row.pk],
            reasons=sorted(
                reasons[row.pk],
                key=lambda each: (-each.orders, each.code, each.subject),
            ),
            calls=row.calls + row.reads,
            expected_at=_expected_at(row, budgets.get(row.account_id), interval),
        )
        for row in rows
    }


def _foreseen(row: Backfill) -> tuple[dict[str, int], list[Reason]]:
    states, reasons = {}, []
    for name in {*row.counts, *row.window_counts}:
        _, _, rest = name.partition(" ")
        if name.startswith(WOULD):
            states[rest] = row.count(name)
        elif name.startswith(BECAUSE):
            code, _, subject = rest.partition(" ")
            reasons.append(Reason(code, subject, row.count(name)))
    return states, reasons


def _expected_at(
    row: Backfill, left: UsageBudget | None, pull_interval: timedelta
) -> datetime | None:
    """From how many calls the range took so far, and how many the scans leave."""
    done = row.window_from - row.since
    if row.finished_at or not done:
        return None
    calls = row.calls * (row.until - row.window_from) / done
    bucket = Bucket.full(USAGE_PLANS[SEARCH_ORDERS], clock.now())
    if left:
        bucket = Bucket(left.rate, left.burst, left.tokens, left.refilled_at)
    calls -= max(0.0, bucket.refilled(clock.now()).tokens - CALLS_LEFT_TO_OTHERS)
    spare_rate = bucket.rate - 1 / pull_interval.total_seconds()
    if calls <= 0:
        return clock.now()
    if spare_rate * timedelta(days=365).total_seconds() < calls:
        return None  # The scans leave next to nothing.
    return clock.now() + timedelta(seconds=calls / spare_rate)


_STATES = (
    AmazonOrder.ImportState.IMPORTED,
    AmazonOrder.ImportState.READY,
    AmazonOrder.ImportState.BLOCKED,
    AmazonOrder.ImportState.WAITING,
    AmazonOrder.ImportState.IGNORED,
)


def in_words(row: Backfill, progress: Progress) -> str:
    """``1,204 orders so far (until 2026-03-01 00:00 UTC): 3 imported before; of the
    others 1,190 are imported, 11 blocked.``"""
    text = f"{progress.there:,} orders"
    if row.state == Backfill.State.RUNNING:
        text += f" so far (until {row.window_from:%Y-%m-%d %H:%M} UTC)"
    text += f": {progress.imported_before:,} imported before"
    states = [f"{n:,} {s}" for s in _STATES if (n := progress.states.get(s, 0))]
    if states:
        verb = "would be" if row.is_dry_run else "are"
        text += f"; of the others {verb} {', '.join(states)}"
    if row.unread:
        text += f"; {len(row.unread):,} could not be read"
    return text + "."


def as_lines(row: Backfill, progress: Progress) -> Iterator[str]:
    """All that is to be told, for people."""
    kind = "Dry run of a back-fill" if row.is_dry_run else "Back-fill"
    yield (
        f"{kind} of {row.since:%Y-%m-%d %H:%M} to {row.until:%Y-%m-%d %H:%M} UTC: "
        f"{row.state}"
    )
    yield f"  {in_words(row, progress)} {progress.calls:,} calls to Amazon."
    for reason in progress.reasons[:MOST_REASONS_IN_LINES]:
        yield f"    {reason.orders:,} {reason.code} {reason.subject}".rstrip()
    if len(progress.reasons) > MOST_REASONS_IN_LINES:
        yield f"    and {len(progress.reasons) - MOST_REASONS_IN_LINES:,} more reasons"
    if row.state == Backfill.State.RUNNING:
        expected = progress.expected_at
        yield (
            f"  Goes on at {max(row.next_run_at, clock.now()):%Y-%m-%d %H:%M:%S} UTC; "
            + (
                f"done at about {expected:%Y-%m-%d %H:%M} UTC."
                if expected
                else "when it will be done cannot be told yet."
            )
        )
    if row.last_error:
        yield f"  {row.last_error}"


def as_dict(row: Backfill, progress: Progress) -> dict[str, Any]:
    """The same for programs; times are datetimes."""
    return {
        "id": row.pk,
        "account": row.account_id,
        "state": row.state,
        "dry_run": row.is_dry_run,
        "created_after": row.since,
        "created_before": row.until,
        "marketplaces": row.marketplace_ids,
        "started_at": row.started_at,
        "started_by": row.actor,
        "finished_at": row.finished_at,
        "read_until": row.window_from,
        "seen": progress.there,
        "already_here": progress.here,
        "new": progress.new,
        "already_imported": progress.imported_before,
        **{state: progress.states.get(state, 0) for state in _STATES},
        "unread": row.unread,
        "blockers": [asdict(reason) for reason in progress.reasons],
        "calls_used": progress.calls,
        "expected_at": progress.expected_at,
        "next_run_at": None if row.finished_at else row.next_run_at,
        "last_error": row.last_error,
        "summary": in_words(row, progress),
    }
