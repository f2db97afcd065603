"""Read from Amazon what changed, page by page, into the ledger.

One scan of an account covers all its marketplaces (``searchOrders`` refills one call
in 179 s). It is single-flight by a lease that every page renews. Each page is committed
with the proof that the lease was still ours, and the watermark moves only after the
last page, to the upper bound that Amazon named on the first (SP-API, "Get orders with
filtering criteria"). Pages overlap the last scan, since late writes do appear on
Amazon's side behind the watermark.

Where Amazon refuses buyer data (a role that the app lacks), the orders are read without
it. That moves the watermark too, or each scan would begin at the same place for ever;
the cursor keeps from where on data is missing, and once a scan comes to its end with
buyer data the next one begins there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from .. import budget, clock
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.orders import (
    GET_ORDER,
    INCLUDED_DATA,
    SEARCH_ORDERS,
    Order,
    SearchOrdersPage,
    get_order,
    search_orders,
)
from ..ledger import communication, recorder
from ..ledger.recorder import Recorded
from ..models import ChannelSettings, SellerAccount, SyncCursor
from . import leases

logger = logging.getLogger(__name__)

STREAM = "orders"
#: At least and at most; see ``_since``.
OVERLAP = timedelta(minutes=5)
LONGEST_OVERLAP = timedelta(hours=1)
#: See ``_start_over_in_parts``. The upper bound of a part lies so far back, since
#: Amazon wants two minutes, by its own clock.
SHORTEST_PART = timedelta(hours=1)
MARGIN = timedelta(minutes=10)
WITHOUT_BUYER = tuple(
    data for data in INCLUDED_DATA if data not in ("BUYER", "RECIPIENT")
)
#: What may go wrong with an order, and not with the next.
_OF_ONE_ORDER = (errors.InvalidRequest, errors.MalformedAnswer)
#: A run waits this long for budget; beyond it the scan goes on in a later run.
MAX_WAIT_SECONDS = 2.0


#: Of a cursor whose next scan is to begin anew, at once.
_FROM_THE_FIRST_PAGE: dict[str, Any] = {
    "page_token": "",
    "page_filter": {},
    "page_watermark": None,
    "lease_token": None,
    "lease_until": None,
    "next_run_at": None,
}


@dataclass(frozen=True)
class PullResult:
    """What a run did. ``error`` says in words why it did not reach the end."""

    pages: int = 0
    recorded: Recorded = Recorded()  # noqa: RUF009 - frozen
    is_complete: bool = False
    error: str = ""
    #: Amazon refused; a marketplace that the seller has left would be a reason.
    is_forbidden: bool = False


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose next scan is due."""
    return leases.due_accounts(STREAM)


def pull_now(account: SellerAccount) -> None:
    """Make the account's next scan due at once, for the next worker that looks."""
    leases.make_due(account, STREAM)


def start_over(account: SellerAccount) -> None:
    """Let the next scan begin at the account's ``import_from``.

    A scan that is under way loses its lease: its end would set the watermark again.
    """
    SyncCursor.objects.filter(account=account, stream=STREAM).update(
        watermark=None, without_buyer_since=None, **_FROM_THE_FIRST_PAGE
    )


def rewind(account: SellerAccount, to: datetime | None = None) -> None:
    """Let the next scan begin anew, with the marketplaces of now, and ``to`` that time
    if it would begin later.

    A scan that is under way loses its lease: it is of the marketplaces of before.
    """
    cursors = SyncCursor.objects.filter(account=account, stream=STREAM)
    if to:
        # Without a watermark it begins at ``import_from``, which is as early as can be.
        cursors.filter(watermark__gt=to).update(watermark=to)
    cursors.update(**_FROM_THE_FIRST_PAGE)


def pull_if_due(account: SellerAccount) -> PullResult:
    """The same as ``pull`` if the scan is due and nobody is at it.

    A task that waited for a busy worker must not cost Amazon's usage plan a call for
    what another has read meanwhile.
    """
    lease = leases.take(account, STREAM, only_if_due=True)
    return _scan(account, lease) if lease else PullResult()


def pull(account: SellerAccount) -> PullResult:
    """Scan what changed since the last scan; nothing if another worker is at it."""
    lease = leases.take(account, STREAM)
    if lease is None:
        return PullResult(error="Another worker is pulling this account.")
    return _scan(account, lease)


def _scan(account: SellerAccount, lease: leases.Lease) -> PullResult:
    interval = ChannelSettings.load().pull_interval
    pages, recorded, error, retry_at = 0, Recorded(), "", None
    is_complete = is_forbidden = False
    try:
        with budget.client_for(account) as client:
            while not is_complete:
                page = _fetch(client, account, lease.cursor_id, interval)
                result, is_complete = _commit(account, lease, page)
                pages, recorded = pages + 1, recorded + result
    except errors.TryLater as failure:
        error, retry_at = str(failure), failure.available_at
    except errors.InvalidRequest as failure:
        # Most likely the page's token has expired (24 h): start the scan over.
        error = str(failure)
        _start_over_in_parts(lease)
    except errors.AmazonError as failure:
        error = str(failure)
        is_forbidden = isinstance(failure, errors.Forbidden)
        communication.note_failure(account, SEARCH_ORDERS, failure)
    except leases.LeaseLostError:
        logger.warning("account %s: the lease on the scan was lost", account.pk)
        return PullResult(pages, recorded, error="The lease was lost.")
    except Exception as failure:
        # Only its type: the exception's own text may quote the buyer's data.
        error = (
            f"The scan failed unexpectedly ({type(failure).__name__}); the server's "
            "log says why. It is tried again by itself."
        )
        raise
    finally:
        due = clock.now() + interval
        leases.release(lease, error, min(due, retry_at) if retry_at else due)
    return PullResult(pages, recorded, is_complete, error, is_forbidden)


def pull_named(
    account: SellerAccount,
    amazon_order_ids: Sequence[str],
    client: Client,
    max_wait_seconds: float = MAX_WAIT_SECONDS,
    *,
    stops_at_failure: bool = False,
) -> dict[str, errors.AmazonError]:
    """Read these orders with ``getOrder``; answers those it failed for, with why.

    The watermark stays where it is: this only hastens what a scan would find. With
    ``stops_at_failure`` one that the others would meet too counts for all that are
    left.
    """
    found: list[tuple[Order, dict[str, object]]] = []
    failed: dict[str, errors.AmazonError] = {}
    for position, order_id in enumerate(amazon_order_ids):
        try:
            found.append(get_order(client, order_id, max_wait_seconds=max_wait_seconds))
        except errors.NotFound as failure:
            failed[order_id] = failure
        except errors.AmazonError as failure:
            failed[order_id] = failure
            communication.note_failure(account, GET_ORDER, failure, order_id)
            if stops_at_failure and not isinstance(failure, _OF_ONE_ORDER):
                failed |= dict.fromkeys(amazon_order_ids[position + 1 :], failure)
                break
    recorder.record(account, found)
    return failed


@dataclass(frozen=True)
class _Page:
    content: SearchOrdersPage
    filter: dict[str, Any]
    is_with_buyer: bool


def _fetch(
    client: Client, account: SellerAccount, cursor_id: int, interval: timedelta
) -> _Page:
    """The next page of the scan: the first one, or where the cursor says to go on."""
    cursor = SyncCursor.objects.get(pk=cursor_id)
    if cursor.page_token:
        page_filter = cursor.page_filter
    else:
        since = _since(account, cursor, interval)
        page_filter = {
            "last_updated_after": since.isoformat(),
            "marketplace_ids": list(
                account.marketplaces.filter(is_participating=True)
                .order_by("marketplace_id")
                .values_list("marketplace_id", flat=True)
            ),
        }
        part = timedelta(seconds=cursor.page_filter.get("part_seconds", 0))
        until = max(since, cursor.watermark or since) + part
        if part and until < clock.now() - MARGIN:
            page_filter["last_updated_before"] = until.isoformat()
            page_filter["part_seconds"] = part.total_seconds()
    try:
        page = _search(client, cursor.page_token, page_filter, INCLUDED_DATA)
        return _Page(page, page_filter, is_with_buyer=True)
    except errors.Forbidden as failure:
        # The app may lack the roles for buyer data only ("Access Orders PII"): go on
        # without it, so that the orders are at least here, blocked for their address.
        page = _search(client, cursor.page_token, page_filter, WITHOUT_BUYER)
        communication.note_failure(account, SEARCH_ORDERS, failure)
    return _Page(page, page_filter, is_with_buyer=False)


def _start_over_in_parts(lease: leases.Lease) -> None:
    """Let the next run begin anew, and go on to the present in parts of a quarter of
    what this one was to scan: with a month to catch up, the usage plan may not allow
    all of its pages within the life of a token."""
    cursor = SyncCursor.objects.get(pk=lease.cursor_id)
    begun = cursor.page_filter if cursor.page_token else {}
    leases.forget_page(lease)
    until = begun.get("last_updated_before") or cursor.page_watermark
    if not begun or not until:
        return
    if isinstance(until, str):
        until = datetime.fromisoformat(until)
    part = (until - datetime.fromisoformat(begun["last_updated_after"])) / 4
    SyncCursor.objects.filter(pk=lease.cursor_id, lease_token=lease.token).update(
        page_filter={"part_seconds": max(part, SHORTEST_PART).total_seconds()}
    )


def _since(account: SellerAccount, cursor: SyncCursor, interval: timedelta) -> datetime:
    """Every change is seen by two scans at least, also by two that came late (but not
    what was an hour old by then): Amazon's list may be behind its own orders, and show
    one of them as it was before (docs issue 688)."""
    watermark = cursor.watermark
    if watermark is None:
        # Not the instance's: it may have been lowered since that was loaded.
        watermark = SellerAccount.objects.values_list("import_from", flat=True).get(
            pk=account.pk
        )
    since = watermark - max(OVERLAP, interval + timedelta(minutes=1))
    before = cursor.previous_watermark
    return min(since, max(before, watermark - LONGEST_OVERLAP)) if before else since


def _search(
    client: Client,
    page_token: str,
    page_filter: dict[str, Any],
    included_data: Sequence[str],
) -> SearchOrdersPage:
    until = page_filter.get("last_updated_before")
    return search_orders(
        client,
        last_updated_after=datetime.fromisoformat(page_filter["last_updated_after"]),
        last_updated_before=datetime.fromisoformat(until) if until else None,
        marketplace_ids=page_filter["marketplace_ids"],
        included_data=included_data,
        pagination_token=page_token or None,
        max_wait_seconds=MAX_WAIT_SECONDS,
    )


def _commit(
    account: SellerAccount, lease: leases.Lease, page: _Page
) -> tuple[Recorded, bool]:
    """Record a page and move the cursor, in one transaction, if the lease is ours; what
    was recorded, and whether the scan has come to the present."""
    with transaction.atomic():
        cursor = leases.locked_cursor(lease)
        content = page.content
        orders = zip(content.orders, content.payloads, strict=True)
        recorded = recorder.record(account, list(orders), content.malformed)
        if not cursor.page_token:
            cursor.page_watermark = content.last_updated_before
        cursor.page_token = content.next_token or ""
        is_complete = content.next_token is None
        part = page.filter.get("part_seconds")
        if not is_complete:
            cursor.page_filter = page.filter
        else:
            cursor.page_filter = {"part_seconds": part} if part else {}
        if not page.is_with_buyer and cursor.without_buyer_since is None:
            cursor.without_buyer_since = datetime.fromisoformat(
                page.filter["last_updated_after"]
            )
        if is_complete:
            if page.is_with_buyer and cursor.without_buyer_since:
                cursor.watermark = cursor.without_buyer_since
                cursor.without_buyer_since = cursor.next_run_at = None
            # Never backwards: Amazon's clock and ours may differ.
            elif cursor.page_watermark and (
                cursor.watermark is None or cursor.page_watermark > cursor.watermark
            ):
                cursor.previous_watermark = cursor.watermark
                cursor.watermark = cursor.page_watermark
            cursor.page_watermark = None
        cursor.save()
    return recorded, is_complete and not part
