"""Reading a stream of an account, one worker at a time.

A transaction's lock would end with the first page that is committed, so it is a lease
on the stream's cursor, which every page renews; one that is not is lost to whoever
comes next.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, Q, Value, When

from .. import clock, lock_objects
from ..models import SellerAccount, SyncCursor

#: Longer than a page can take: time-outs and retries of one call included.
LIFETIME = timedelta(minutes=5)


class LeaseLostError(Exception):
    """Another worker took the stream over; what this one has not committed is void."""


@dataclass(frozen=True)
class Lease:
    cursor_id: int
    token: uuid.UUID


def due_accounts(stream: str) -> list[SellerAccount]:
    """Active accounts whose stream is due to be read."""
    waiting = SyncCursor.objects.filter(
        Q(next_run_at__gt=clock.now()) | Q(lease_until__gt=clock.now()), stream=stream
    )
    return list(
        SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE)
        .exclude(pk__in=waiting.values("account_id"))
        .order_by("pk")
    )


def make_due(account: SellerAccount, stream: str) -> None:
    """Let the next worker that looks read the stream at once."""
    cursor, _ = SyncCursor.objects.get_or_create(account=account, stream=stream)
    SyncCursor.objects.filter(pk=cursor.pk).update(next_run_at=None)


def take(
    account: SellerAccount,
    stream: str,
    *,
    only_if_due: bool = False,
    lifetime: timedelta = LIFETIME,
) -> Lease | None:
    """The lease on the stream; None while another worker has it.

    ``only_if_due``: none either if somebody has read the stream since it was due.
    """
    cursor, _ = SyncCursor.objects.get_or_create(account=account, stream=stream)
    now, token = clock.now(), uuid.uuid4()
    until = now + lifetime
    is_wanted = Q(lease_until=None) | Q(lease_until__lte=now)
    if only_if_due:
        is_wanted &= Q(next_run_at=None) | Q(next_run_at__lte=now)
    taken = (
        SyncCursor.objects.filter(is_wanted, pk=cursor.pk)
        # So that ``release`` can tell a ``make_due`` of meanwhile, which writes null.
        .update(lease_token=token, lease_until=until, next_run_at=until)
    )
    return Lease(cursor.pk, token) if taken else None


def locked_cursor(lease: Lease) -> SyncCursor:
    """Lock the cursor and renew the lease in memory. Raises LeaseLostError."""
    cursor = lock_objects.cursor_with_lease(lease.cursor_id, lease.token)
    if cursor is None:
        raise LeaseLostError
    cursor.lease_until = clock.now() + LIFETIME
    return cursor


def forget_page(lease: Lease) -> None:
    """Let the next run start the list over: Amazon's token for its page is refused."""
    SyncCursor.objects.filter(pk=lease.cursor_id, lease_token=lease.token).update(
        page_token="", page_filter={}, page_watermark=None
    )


def release(lease: Lease, error: str, due: datetime) -> None:
    """End the run; the next is ``due``, or at once if that was asked for meanwhile."""
    SyncCursor.objects.filter(pk=lease.cursor_id, lease_token=lease.token).update(
        lease_token=None,
        lease_until=None,
        last_run_at=clock.now(),
        next_run_at=Case(
            When(next_run_at=None, then=None), default=Value(due, DateTimeField())
        ),
        last_error=error,
    )
