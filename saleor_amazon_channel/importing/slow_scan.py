"""Reads a range of time from Amazon beside the scans: see ``models.SlowScan``.

A worker takes step after step under a lease: it asks Amazon, and commits what came of
it together with how far that is. No page is asked for unless more of searchOrders'
usage plan is left than what others are to have.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet

from .. import budget, clock
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.orders import SEARCH_ORDERS
from ..amazon.throttle import USAGE_PLANS
from ..ledger import communication
from ..models import SellerAccount
from ..models.scans import SlowScan

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=SlowScan)

#: Longer than a step takes, with a hundred orders to read.
LEASE_LIFETIME = timedelta(minutes=15)
GO_ON_AFTER = timedelta(minutes=10)
SHORTEST_WAIT = timedelta(minutes=1)
#: A run ends after the step that goes beyond it: workers have other things to do.
RUN_FOR = timedelta(minutes=1)
MAX_WAIT_SECONDS = 5.0

#: A window is asked for when it lies so far back: Amazon wants two minutes, by its own
#: clock.
MARGIN = timedelta(minutes=10)
SHORTEST_WINDOW, LONGEST_WINDOW = timedelta(hours=1), timedelta(days=90)
#: Orders in a window after which the next one is longer, or shorter.
FEW, MANY = 300, 1000


class LeaseLostError(Exception):
    """Another worker took it over, or it was ended; what is not committed is void."""


class NotBefore(Exception):
    """The next step is to be taken then; ``problem`` says what is wrong, if anything
    is."""

    def __init__(self, moment: datetime, problem: str = "") -> None:
        super().__init__(moment, problem)
        self.moment = moment
        self.problem = problem


def due(rows: QuerySet[S]) -> QuerySet[S]:
    """Those of ``rows`` that are to go on now."""
    return rows.filter(
        _is_free(),
        finished_at=None,
        next_run_at__lte=clock.now(),
        account__state=SellerAccount.State.ACTIVE,
    )


def _is_free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=clock.now())


def new(
    model: type[S],
    account: SellerAccount,
    since: datetime,
    until: datetime,
    *,
    split_at: datetime | None = None,
    **values: object,
) -> S:
    """One that is not saved yet; no window reaches over ``split_at``."""
    # As exact as the times that Amazon is asked with.
    row = model(account=account, since=_exact(since), until=_exact(until), **values)
    _open_window(row, row.since, split_at)
    return row


def _exact(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def run(row: SlowScan, step: Callable[[Client], None]) -> None:
    """Take steps until one says to wait, for a minute; nothing while another worker is
    at it. ``row`` is what it has come to then."""
    if not _take_lease(row):
        row.refresh_from_db()
        return
    error, go_on_at = "", None
    stop_at = clock.now() + RUN_FOR
    try:
        with budget.client_for(row.account) as client:
            while row.finished_at is None and clock.now() <= stop_at:
                step(client)
    except LeaseLostError:
        logger.warning("account %s: %s was taken over", row.account_id, row)
    except NotBefore as failure:
        error, go_on_at = failure.problem, failure.moment
    except errors.TryLater as failure:
        error = str(failure)
    except errors.AmazonError as failure:
        error = str(failure)
        communication.note_failure(row.account, SEARCH_ORDERS, failure)
        if isinstance(failure, errors.InvalidRequest) and row.page_token:
            # Most likely the page's token has expired.
            _start_window_over(row)
    except Exception as failure:
        # Only its type: the exception's own text may quote the buyer's data.
        error = (
            f"It failed unexpectedly ({type(failure).__name__}); the server's log says "
            "why. It is tried again by itself."
        )
        raise
    finally:
        _release(row, error, go_on_at or clock.now() + GO_ON_AFTER)
    row.refresh_from_db()


def leave_calls(account: SellerAccount, calls: int) -> None:
    """Raise NotBefore unless so many calls of searchOrders could be made at once."""
    plan = USAGE_PLANS[SEARCH_ORDERS]
    left = budget.SharedBudget(account.pk).left(SEARCH_ORDERS, plan)
    if left < calls:
        wait = timedelta(seconds=(calls - left) / plan.rate)
        raise NotBefore(clock.now() + min(max(wait, SHORTEST_WAIT), GO_ON_AFTER))


@contextmanager
def committing(row: SlowScan) -> Iterator[None]:
    """A transaction that ends with ``row`` saved; it is void if the lease is lost."""
    with transaction.atomic():
        mine = type(row)._default_manager.filter(
            pk=row.pk, lease_token=row.lease_token, finished_at=None
        )
        if mine.select_for_update().first() is None:
            raise LeaseLostError
        yield
        row.lease_until = clock.now() + LEASE_LIFETIME
        row.save()


def count(row: SlowScan, found: Mapping[str, int]) -> None:
    """Count orders of the current window."""
    row.window_counts = dict(Counter(row.window_counts) + Counter(found))


def is_of_window(row: SlowScan, moment: datetime) -> bool:
    """Both ends of Amazon's range are in it: an order at the end of a window was in
    that one."""
    return moment > row.window_from or row.window_from == row.since


def turn(
    row: SlowScan, next_token: str | None, *, split_at: datetime | None = None
) -> None:
    """After a page: to the next one, or to the next window."""
    row.page_token = next_token or ""
    if row.page_token:
        return
    orders = row.window_counts.get("there", 0)
    row.counts = dict(Counter(row.counts) + Counter(row.window_counts))
    row.window_counts = {}
    if orders <= FEW:
        row.window_length = min(row.window_length * 2, LONGEST_WINDOW)
    elif orders > MANY:
        row.window_length = max(row.window_length / 2, SHORTEST_WINDOW)
    _open_window(row, row.window_until, split_at)


def _open_window(row: SlowScan, start: datetime, split_at: datetime | None) -> None:
    ends = [_exact(start + row.window_length), row.until]
    if split_at and start < _exact(split_at):
        ends.append(_exact(split_at))
    row.window_from, row.window_until = start, min(ends)


def _start_window_over(row: SlowScan) -> None:
    length = max(row.window_length / 2, SHORTEST_WINDOW)
    type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token).update(
        page_token="",
        window_counts={},
        window_length=length,
        window_until=min(_exact(row.window_from + length), row.window_until),
    )


def _take_lease(row: SlowScan) -> bool:
    token = uuid.uuid4()
    until = clock.now() + LEASE_LIFETIME
    taken = (
        type(row)
        ._default_manager.filter(_is_free(), pk=row.pk, finished_at=None)
        .update(lease_token=token, lease_until=until)
    )
    row.refresh_from_db()
    return bool(taken)


def _release(row: SlowScan, error: str, go_on_at: datetime) -> None:
    type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token).update(
        lease_token=None,
        lease_until=None,
        last_error=error,
        next_run_at=go_on_at,
    )


def name(known: list[str], order_ids: Iterable[str]) -> None:
    """A page that is read once more names nobody twice."""
    known += [each for each in order_ids if each not in known]
