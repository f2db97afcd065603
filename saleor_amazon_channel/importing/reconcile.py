"""The proof that no order is lost: once a day Amazon's orders are compared with ours.

Amazon's list is read once more, for the last two days, without buyer data; what it has
and the ledger has not, or has as it was before, is read order by order and recorded.
Then the shop is asked for the orders that were made of them. Orders do go missing from
a scan now and then and turn up later (selling-partner-api-models issues 3945, 5048).

It lives on what the scans leave of searchOrders' usage plan: no call is made unless
several are left, so it may take a while, and goes on page by page where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
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
#: How far back Amazon's changes are compared.
WINDOW = timedelta(days=2)
#: Calls that are left to the scans, of the 20 that the usage plan saves up.
CALLS_LEFT_TO_SCANS = 6
GO_ON_AFTER = timedelta(minutes=10)
#: Another worker is not at it, unless it died, for longer than this.
CLAIM_LIFETIME = timedelta(minutes=5)
#: Orders read anew in one go; the others are when it goes on.
MOST_READ = 25
MOST_NAMED = 100
MAX_WAIT_SECONDS = 2.0


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose daily comparison is due, or under way and to go on."""
    now = clock.now()
    under_way = Reconciliation.objects.filter(finished_at=None)
    begun = Reconciliation.objects.filter(started_at__gt=now - INTERVAL)
    return list(
        SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE)
        .filter(
            Q(pk__in=under_way.filter(next_run_at__lte=now).values("account_id"))
            | Q(created_at__lte=now - INTERVAL)
            & ~Q(pk__in=begun.values("account_id"))
            & ~Q(pk__in=under_way.values("account_id"))
        )
        .order_by("pk")
    )


def start(account: SellerAccount) -> Reconciliation:
    """Begin a comparison, or answer the one that is under way."""
    under_way = account.reconciliations.filter(finished_at=None).last()
    return under_way or Reconciliation.objects.create(
        account=account, since=clock.now() - WINDOW
    )


def run(account: SellerAccount) -> Reconciliation:
    """Go on with the account's comparison as far as the usage plan allows."""
    row = start(account)
    now = clock.now()
    taken = Reconciliation.objects.filter(pk=row.pk, next_run_at__lte=now).update(
        next_run_at=now + CLAIM_LIFETIME
    )
    if not taken or row.finished_at:
        return row
    row.refresh_from_db()
    row.last_error = ""
    try:
        with budget.client_for(account) as client:
            while row.finished_at is None:
                if _calls_left(account) < CALLS_LEFT_TO_SCANS:
                    break
                _page(row, account, client)
                # Counted page by page: what is not saved is compared again.
                row.next_run_at = clock.now() + CLAIM_LIFETIME
                row.save()
    except errors.TryLater as failure:
        row.last_error = str(failure)
    except errors.InvalidRequest:
        # Most likely the page's token has expired (24 h): over again.
        row.page_token, row.there = "", 0
    except errors.AmazonError as failure:
        row.last_error = str(failure)
        communication.note_failure(account, SEARCH_ORDERS, failure)
    row.next_run_at = clock.now() + GO_ON_AFTER
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
    different = _compare(row, account, page.orders)
    if different:
        pull.pull_named(account, different[:MOST_READ], client, MAX_WAIT_SECONDS)
    if len(different) > MOST_READ:
        # The others of this page when it is read once more.
        return
    row.there += len(page.orders)
    row.page_token = page.next_token or ""
    if not row.page_token:
        _compare_with_shop(row, account)
        row.finished_at = clock.now()
        if row.missing or row.outdated or row.gone_from_shop or row.wrong_total:
            logger.warning("account %s: %s", account.pk, in_words(row))


def _compare(
    row: Reconciliation, account: SellerAccount, orders: Sequence[Order]
) -> list[str]:
    """Amazon order ids that the ledger does not have, or has as they were before."""
    watermark = (
        SyncCursor.objects.filter(account=account, stream=pull.STREAM)
        .values_list("watermark", flat=True)
        .first()
    )
    if watermark is None:
        return []
    # What changed since then the next scan brings.
    settled = {
        order.order_id: order.last_updated_time
        for order in orders
        if order.last_updated_time <= watermark - pull.OVERLAP
    }
    here = dict(
        AmazonOrder.objects.filter(amazon_order_id__in=settled).values_list(
            "amazon_order_id", "last_updated_time"
        )
    )
    missing = [order_id for order_id in settled if order_id not in here]
    outdated = [
        order_id
        for order_id, updated in settled.items()
        if order_id in here and here[order_id] < updated
    ]
    row.missing += len(missing[:MOST_READ])
    row.outdated += len(outdated[: MOST_READ - len(missing[:MOST_READ])])
    _name(row, [*missing, *outdated])
    return [*missing, *outdated]


def _compare_with_shop(row: Reconciliation, account: SellerAccount) -> None:
    """Whether the shop still has what was made of these orders, at Amazon's total."""
    orders = (
        AmazonOrder.objects.filter(
            account=account,
            import_state=AmazonOrder.ImportState.IMPORTED,
            last_updated_time__gte=row.since,
            follow_at=None,
        )
        .exclude(fulfillment_status=FulfillmentStatus.CANCELLED)
        .order_by("pk")
    )
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:500]):
        last = batch[-1].pk
        figures = store.current().figures([o.shop_order_id or "" for o in batch])
        gone = [o.amazon_order_id for o in batch if o.shop_order_id not in figures]
        wrong = [
            order.amazon_order_id
            for order in batch
            if (there := figures.get(order.shop_order_id or ""))
            and order.grand_total is not None
            and there.total != order.grand_total
        ]
        row.gone_from_shop += len(gone)
        row.wrong_total += len(wrong)
        _name(row, [*gone, *wrong])


def _name(row: Reconciliation, order_ids: Sequence[str]) -> None:
    known = dict.fromkeys([*row.order_ids, *order_ids])
    row.order_ids = list(known)[:MOST_NAMED]


def in_words(row: Reconciliation) -> str:
    """``1,204 there, 1,204 here, 0 missing, 0 double``: two orders of the shop never
    have the same Amazon order id, the database sees to that."""
    here = row.there - row.missing
    text = f"{row.there:,} there, {here:,} here, {row.missing:,} missing, 0 double"
    more = {
        "outdated here": row.outdated,
        "gone from the shop": row.gone_from_shop,
        "with another total in the shop": row.wrong_total,
    }
    text += "".join(f", {count:,} {name}" for name, count in more.items() if count)
    if row.missing or row.outdated:
        text += "; what was missing or outdated has been read from Amazon"
    if row.finished_at is None:
        text += " so far"
    return text + "."
