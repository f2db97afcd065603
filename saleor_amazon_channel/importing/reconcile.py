"""The proof that no order is lost: once a day Amazon's orders are compared with ours.

Amazon's list is read once more, for the last three days, without buyer data; what it
has and the ledger has not, or has as it was before, is read order by order, recorded.
Then the shop is asked for the orders that were made of them. Orders do go missing from
a scan now and then and turn up later (selling-partner-api-models issues 3945, 5048).

It lives on what the scans leave of searchOrders' usage plan: no call is made unless
several are left, so it may take a while, and goes on page by page where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import Q

from .. import budget, clock, store
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.orders import SEARCH_ORDERS, FulfillmentStatus, Order, search_orders
from ..amazon.throttle import USAGE_PLANS
from ..ledger import communication
from ..models import AmazonOrder, Reconciliation, SellerAccount, SyncCursor
from . import pull

logger = logging.getLogger(__name__)

INTERVAL = timedelta(days=1)
#: How far back Amazon's changes are compared, so that each is twice, and the shop's
#: orders.
WINDOW = timedelta(days=3)
SHOP_WINDOW = timedelta(days=30)
#: Calls that are left to the scans, of the 20 that the usage plan saves up.
CALLS_LEFT_TO_SCANS = 6
GO_ON_AFTER = timedelta(minutes=10)
#: Longer than a page takes, with a hundred orders to read.
CLAIM_LIFETIME = timedelta(minutes=15)
MAX_WAIT_SECONDS = 5.0


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose daily comparison is due, or under way and to go on."""
    now = clock.now()
    under_way = Reconciliation.objects.filter(finished_at=None)
    begun = Reconciliation.objects.filter(started_at__gt=now - INTERVAL)
    to_go_on = under_way.filter(_is_free(), next_run_at__lte=now)
    return list(
        SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE)
        .filter(
            Q(pk__in=to_go_on.values("account_id"))
            | Q(created_at__lte=now - INTERVAL)
            & ~Q(pk__in=begun.values("account_id"))
            & ~Q(pk__in=under_way.values("account_id"))
        )
        .order_by("pk")
    )


def _is_free() -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=clock.now())


def start(account: SellerAccount) -> Reconciliation:
    """Begin a comparison, or answer the one that is under way."""
    under_way = account.reconciliations.filter(finished_at=None).last()
    return under_way or Reconciliation.objects.create(
        account=account, since=clock.now() - WINDOW
    )


def run(account: SellerAccount) -> Reconciliation:
    """Go on with the account's comparison as far as the usage plan allows; nothing
    while another worker is at it."""
    row = start(account)
    claim = {"claimed_until": clock.now() + CLAIM_LIFETIME}
    if not Reconciliation.objects.filter(_is_free(), pk=row.pk).update(**claim):
        return row
    row.refresh_from_db()
    row.last_error = ""
    try:
        with budget.client_for(account) as client:
            while (
                row.finished_at is None and _calls_left(account) >= CALLS_LEFT_TO_SCANS
            ):
                _page(row, account, client)
    except errors.TryLater as failure:
        row.last_error = str(failure)
    except errors.AmazonError as failure:
        row.last_error = str(failure)
        communication.note_failure(account, SEARCH_ORDERS, failure)
        if isinstance(failure, errors.InvalidRequest):
            # Most likely the page's token has expired (24 h): over again.
            row.page_token = ""
            row.there = row.here = row.unsettled = 0
    finally:
        row.next_run_at = clock.now() + GO_ON_AFTER
        row.claimed_until = None
        row.save()
    return row


def _calls_left(account: SellerAccount) -> float:
    return budget.SharedBudget(account.pk).left(
        SEARCH_ORDERS, USAGE_PLANS[SEARCH_ORDERS]
    )


def _page(row: Reconciliation, account: SellerAccount, client: Client) -> None:
    page = search_orders(
        client,
        last_updated_after=row.since,
        marketplace_ids=list(
            account.marketplaces.filter(is_participating=True)
            .order_by("marketplace_id")
            .values_list("marketplace_id", flat=True)
        ),
        included_data=("FULFILLMENT",),
        pagination_token=row.page_token or None,
        max_wait_seconds=MAX_WAIT_SECONDS,
    )
    different, here, unsettled = _compare(row, account, page.orders)
    if different:
        # What was found is kept, whatever happens to us while it is read.
        row.save(update_fields=["missing", "outdated"])
        failed = pull.pull_named(account, different, client, MAX_WAIT_SECONDS)
        _name(row.unread, failed)
    row.there += len(page.orders)
    row.here += here
    row.unsettled += unsettled
    row.page_token = page.next_token or ""
    row.claimed_until = clock.now() + CLAIM_LIFETIME
    if not row.page_token:
        _compare_with_shop(row, account)
        row.finished_at = clock.now()
        if not is_clean(row):
            logger.warning("account %s: %s", account.pk, in_words(row))
    row.save()


def _compare(
    row: Reconciliation, account: SellerAccount, orders: Sequence[Order]
) -> tuple[list[str], int, int]:
    """The orders to be read anew, how many are here, and how many the next scan is to
    bring."""
    watermark = (
        SyncCursor.objects.filter(account=account, stream=pull.STREAM)
        .values_list("watermark", flat=True)
        .first()
    )
    known = dict(
        AmazonOrder.objects.filter(
            amazon_order_id__in=[order.order_id for order in orders]
        ).values_list("amazon_order_id", "last_updated_time")
    )
    missing, outdated, unsettled = [], [], 0
    for order in orders:
        order_id, updated = order.order_id, order.last_updated_time
        if order_id in known and known[order_id] >= updated:
            continue
        if watermark is None or updated > watermark - pull.OVERLAP:
            unsettled += 1
        elif order_id in known:
            outdated.append(order_id)
        else:
            missing.append(order_id)
    _name(row.missing, missing)
    _name(row.outdated, outdated)
    return [*missing, *outdated], len(known), unsettled


def _compare_with_shop(row: Reconciliation, account: SellerAccount) -> None:
    """Whether the shop still has what was made of Amazon's orders, at their totals."""
    orders = (
        AmazonOrder.objects.filter(
            account=account,
            import_state=AmazonOrder.ImportState.IMPORTED,
            last_updated_time__gte=row.started_at - SHOP_WINDOW,
            follow_at=None,
        )
        .exclude(fulfillment_status=FulfillmentStatus.CANCELLED)
        .order_by("pk")
    )
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:500]):
        last = batch[-1].pk
        figures = store.current().figures([o.shop_order_id or "" for o in batch])
        for order in batch:
            there = figures.get(order.shop_order_id or "")
            if there is None:
                _name(row.gone_from_shop, [order.amazon_order_id])
            elif order.grand_total not in (None, there.total):
                _name(row.wrong_total, [order.amazon_order_id])


def _name(known: list[str], order_ids: Iterable[str]) -> None:
    """A page that is read once more names nobody twice."""
    known += [each for each in order_ids if each not in known]


def is_clean(row: Reconciliation) -> bool:
    """Finished, and nothing found that was not as it should be."""
    return row.finished_at is not None and not (
        row.missing or row.outdated or row.gone_from_shop or row.wrong_total
    )


def in_words(row: Reconciliation) -> str:
    """``1,204 there, 1,204 here, 0 missing.``

    Of doubles there are none: the shop's external references and the ledger's links to
    the shop are unique in the database.
    """
    text = f"{row.there:,} there, {row.here:,} here, {len(row.missing):,} missing"
    more = {
        "outdated here": len(row.outdated),
        "gone from the shop": len(row.gone_from_shop),
        "with another total in the shop": len(row.wrong_total),
        "newer than the last scan, and not compared": row.unsettled,
    }
    text += "".join(f", {count:,} {name}" for name, count in more.items() if count)
    found = len({*row.missing, *row.outdated})
    if found:
        text += f"; {found - len(row.unread):,} of them have been read from Amazon"
    if row.unread:
        text += f", {len(row.unread):,} could not be read"
    if row.finished_at is None:
        text += ", so far"
    return text + "."
