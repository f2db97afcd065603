"""What is wrong with the channel, and what to do about each: for operators.

Looks at all that otherwise has to be looked for in several places, and sweeps: a staff
action that capture missed is taken up, and said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.core import checks
from django.db.models import Count, Min

from . import clock, lifecycle, status, tasks
from .importing import reconcile, unmapped
from .models import (
    AmazonOrder,
    ChannelSettings,
    OrderBlocker,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
)
from .pushing import invoice_reports

#: A tick every 15 seconds has the sweep run every minute.
SWEEP_IS_LATE_AFTER = timedelta(minutes=10)
#: What was due that long ago is not just waiting for its turn.
DUE_TOO_LONG = timedelta(hours=1)
#: So many tries take a quarter of an hour at least.
MANY_TRIES = 10
#: Failures are told of that long.
RECENT = timedelta(days=7)


#: What a comparison with Amazon may find that it does not heal by itself.
_WRONG = ("unread", "gone_from_shop", "wrong_total", "double", "not_followed")


@dataclass(frozen=True)
class Finding:
    """Something that somebody has to look at: what about, and what is to be done."""

    subject: str
    message: str


def examine() -> list[Finding]:
    """All findings; none where the channel is well. Takes up missed staff actions."""
    return [*_installation(), *_workers(), *_missed(), *_accounts(), *_work()]


def _installation() -> Iterator[Finding]:
    for message in checks.run_checks():
        if (message.id or "").startswith("amazon_channel."):
            yield Finding(str(message.id), message.msg)
    settings = ChannelSettings.load()
    if not settings.active:
        yield Finding("plugin", "The channel is switched off: nothing comes or goes.")
    if settings.read_only:
        yield Finding(
            "read-only mode",
            settings.read_only_reason or "It is on: nothing is sent to Amazon.",
        )


def _workers() -> Iterator[Finding]:
    if not ChannelSettings.load().active:
        return
    cursor = SyncCursor.objects.filter(account=None, stream=lifecycle.STREAM).first()
    last = cursor.last_run_at if cursor else None
    if last is None or last < clock.now() - SWEEP_IS_LATE_AFTER:
        yield Finding(
            "workers",
            f"Celery's worker has not swept since {last or 'ever'}, which it does "
            "every minute: see that beat and a worker run, with the channel's queue.",
        )


def _missed() -> Iterator[Finding]:
    for what, count in tasks.sweep_all().items():
        if count:
            yield Finding(
                "sweep",
                f"{count} {what} of staff had not been noticed. They are on their way "
                "to Amazon now; the log of the time says why they were missed.",
            )


def _accounts() -> Iterator[Finding]:
    for account in status.read().accounts:
        if account.state != SellerAccount.State.ACTIVE:
            yield Finding(account.name, account.state_reason or account.state)
            continue
        if account.secret_warning:
            yield Finding(account.name, account.secret_warning)
        for stream in account.streams:
            if stream.last_error and stream.name not in status.WITHOUT_RUNS:
                yield Finding(account.name, f"{stream.name}: {stream.last_error}")
    for account_row in SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE):
        latest = (
            Reconciliation.objects.filter(account=account_row)
            .exclude(finished_at=None)
            .order_by("-finished_at")
            .first()
        )
        if latest and any(getattr(latest, name) for name in _WRONG):
            yield Finding(account_row.name, reconcile.in_words(latest))
    for waiting in unmapped.read():
        yield Finding(
            waiting.account_name,
            f"{waiting.order_count} orders to be shipped wait. {waiting.message}",
        )
    for account_row in invoice_reports.failing_accounts():
        yield Finding(
            account_row.name,
            f"Credit notes wait: {account_row.invoice_report.problem} Each order says "
            "until when, and what to do then.",
        )


def _work() -> Iterator[Finding]:
    now = clock.now()
    late = OutboxEntry.objects.filter(
        state__in=(OutboxEntry.State.PENDING, OutboxEntry.State.UNKNOWN),
        next_attempt_at__lte=now - DUE_TOO_LONG,
        account__state=SellerAccount.State.ACTIVE,
    ).aggregate(count=Count("id"), oldest=Min("next_attempt_at"))
    if late["count"]:
        yield Finding(
            "outbox",
            f"{late['count']} entries have been due for more than an hour, the oldest "
            f"since {late['oldest']:%Y-%m-%d %H:%M} UTC; amazonOutbox has the errors.",
        )
    tried = (
        OutboxEntry.objects.filter(
            state__in=(OutboxEntry.State.PENDING, OutboxEntry.State.UNKNOWN),
            attempt_count__gte=MANY_TRIES,
            account__state=SellerAccount.State.ACTIVE,
        )
        .values_list("kind", "error_code")
        .annotate(count=Count("id"))
        .order_by("-count", "kind", "error_code")
    )
    for kind, code, count in tried:
        yield Finding(
            "outbox",
            f"{count} {kind} were tried {MANY_TRIES} times or more and failed each "
            f"time, the last time with {code or 'no code'}; amazonOutbox has the "
            "messages.",
        )
    failed = (
        OutboxEntry.objects.filter(
            state=OutboxEntry.State.FAILED, settled_at__gte=now - RECENT
        )
        .values_list("kind", "error_code")
        .annotate(count=Count("id"))
        .order_by("-count", "kind", "error_code")
    )
    for kind, code, count in failed:
        yield Finding(
            "outbox",
            f"{count} {kind} failed in the last 7 days with {code or 'no code'}; each "
            "order says what to do.",
        )
    blocked = AmazonOrder.objects.filter(
        import_state=AmazonOrder.ImportState.BLOCKED
    ).count()
    if blocked:
        causes = OrderBlocker.objects.values("code", "subject").distinct().count()
        yield Finding(
            "import",
            f"{blocked} orders are blocked, for {causes} causes: see amazonBlockers.",
        )
