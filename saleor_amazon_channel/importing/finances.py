"""Read from Amazon which refunds were made, page by page, into the ledger.

One list covers all marketplaces and all orders of an account, whoever refunded: the
seller in Seller Central, Amazon for orders that it fulfils, and this channel. Amazon
may show what was posted two days late (``listTransactions``), so each scan goes back
three days behind the last one. It goes on in a later run where the usage plan stopped
it.

The first scan goes back as far as Amazon gives at once, so that orders which are
imported later bring along what was refunded of them before.

An app without the role for it is refused; that is said where the streams are shown, and
keeps nothing else from working.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from .. import budget, clock
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.finances import (
    LIST_TRANSACTIONS,
    ROLE,
    TransactionsPage,
    list_transactions,
)
from ..ledger import communication, refunds
from ..models import SellerAccount, SyncCursor
from . import leases

logger = logging.getLogger(__name__)

STREAM = "finances"
INTERVAL = timedelta(minutes=30)
OVERLAP = timedelta(days=3)
#: Amazon answers ranges of more than 180 days with nothing.
LONGEST_RANGE = timedelta(days=179)
#: Amazon shows nothing younger than two minutes, by its own clock.
HIDDEN = timedelta(minutes=2)

REFUSED = (
    "Amazon does not let the app read refunds, so those made on Amazon are not shown. "
    f"Give the app the role {ROLE} in Seller Central and authorize it again. Orders "
    "are not affected."
)


@dataclass(frozen=True)
class ScanResult:
    """What a run did. ``error`` says in words why it did not reach the end."""

    pages: int = 0
    #: Refunds that are new, or of which something is.
    news: int = 0
    is_complete: bool = False
    error: str = ""


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose next scan is due."""
    return leases.due_accounts(STREAM)


def scan_if_due(account: SellerAccount) -> ScanResult:
    """The same as ``scan`` if the scan is due and nobody is at it: a task may have
    waited while another read the refunds."""
    lease = leases.take(account, STREAM, only_if_due=True)
    return _scan(account, lease) if lease else ScanResult()


def scan(account: SellerAccount) -> ScanResult:
    """Scan what was posted since the last scan; nothing if another worker is at it."""
    lease = leases.take(account, STREAM)
    if lease is None:
        return ScanResult(error="Another worker is reading this account's refunds.")
    return _scan(account, lease)


def _scan(account: SellerAccount, lease: leases.Lease) -> ScanResult:
    pages, news, error, retry_at = 0, 0, "", None
    is_complete = False
    try:
        with budget.client_for(account) as client:
            while not is_complete:
                page_filter, page = _fetch(client, lease.cursor_id)
                found, is_complete = _commit(account, lease, page_filter, page)
                pages, news = pages + 1, news + found
    except errors.TryLater as failure:
        error, retry_at = str(failure), failure.available_at
    except errors.InvalidRequest as failure:
        # Most likely the page's token is refused: start the list over.
        error = str(failure)
        leases.forget_page(lease)
    except errors.Forbidden as failure:
        error = REFUSED
        if not SyncCursor.objects.filter(pk=lease.cursor_id, last_error=error).exists():
            communication.note_failure(account, LIST_TRANSACTIONS, failure)
    except errors.AmazonError as failure:
        error = str(failure)
        communication.note_failure(account, LIST_TRANSACTIONS, failure)
    except leases.LeaseLostError:
        logger.warning("account %s: the lease on the refunds was lost", account.pk)
        return ScanResult(pages, news, error="The lease was lost.")
    except Exception as failure:
        error = (
            f"Reading refunds failed unexpectedly ({type(failure).__name__}); the "
            "server's log says why. It is tried again by itself."
        )
        raise
    finally:
        due = clock.now() + INTERVAL
        leases.release(lease, error, min(due, retry_at) if retry_at else due)
    return ScanResult(pages, news, is_complete, error)


def _fetch(client: Client, cursor_id: int) -> tuple[dict[str, Any], TransactionsPage]:
    """The next page: the first one, or where the cursor says to go on."""
    cursor = SyncCursor.objects.get(pk=cursor_id)
    page_filter = cursor.page_filter if cursor.page_token else _filter(cursor)
    until = page_filter["posted_before"]
    page = list_transactions(
        client,
        posted_after=datetime.fromisoformat(page_filter["posted_after"]),
        posted_before=datetime.fromisoformat(until) if until else None,
        next_token=cursor.page_token or None,
    )
    return page_filter, page


def _filter(cursor: SyncCursor) -> dict[str, Any]:
    now = clock.now()
    since = now - LONGEST_RANGE
    until = None
    if cursor.watermark:
        since = cursor.watermark - OVERLAP
        if now - since > LONGEST_RANGE:
            # The channel was off for long: what is left is for the next run.
            until = since + LONGEST_RANGE
    return {
        "posted_after": since.isoformat(),
        # Left out where it would be now: Amazon's clock may be behind ours.
        "posted_before": until.isoformat() if until else "",
        "watermark": (until or now - HIDDEN).isoformat(),
    }


def _commit(
    account: SellerAccount,
    lease: leases.Lease,
    page_filter: dict[str, Any],
    page: TransactionsPage,
) -> tuple[int, bool]:
    """Record a page and move the cursor, in one transaction, if the lease is ours."""
    with transaction.atomic():
        cursor = leases.locked_cursor(lease)
        news = refunds.record(account, page.transactions)
        refunds.note_malformed(account, page.malformed)
        # Pages may be empty: only the token says that there are no more.
        is_complete = page.next_token is None
        cursor.page_token = page.next_token or ""
        cursor.page_filter = {} if is_complete else page_filter
        if is_complete:
            watermark = datetime.fromisoformat(page_filter["watermark"])
            cursor.watermark = max(cursor.watermark or watermark, watermark)
            if page_filter["posted_before"]:
                cursor.next_run_at = None
        cursor.save()
    return news, is_complete
