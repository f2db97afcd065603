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
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import Count, F, Q

from .. import clock, store
from ..amazon.client import Client
from ..amazon.errors import MalformedOrder
from ..amazon.orders import FulfillmentStatus, Order, search_orders
from ..ledger import recorder
from ..models import AmazonOrder, Reconciliation, SellerAccount, SyncCursor
from . import pull, slow_scan

logger = logging.getLogger(__name__)

INTERVAL = timedelta(days=1)
#: As far back as somebody may ask for.
MOST_DAYS = 30
#: How far back Amazon's changes are compared, so that each is twice, and the shop's
#: orders.
WINDOW = timedelta(days=3)
SHOP_WINDOW = timedelta(days=30)
#: Calls that are left to the scans, of the 20 that the usage plan saves up.
CALLS_LEFT_TO_SCANS = 6
#: How an order is named that Amazon gives no id of.
WITHOUT_ID = "an order without orderId"
#: The shop's status of a cancelled order.
CANCELED = "canceled"
#: The shop follows Amazon's news within a minute.
FOLLOWS_WITHIN = timedelta(hours=1)


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose daily comparison is due, or under way and to go on."""
    under_way = Reconciliation.objects.filter(finished_at=None)
    begun = Reconciliation.objects.filter(
        started_at__gt=clock.now() - INTERVAL, since__lte=F("started_at") - WINDOW
    )
    return list(
        SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE)
        .filter(
            Q(pk__in=slow_scan.due(under_way).values("account_id"))
            | Q(created_at__lte=clock.now() - INTERVAL)
            & ~Q(pk__in=begun.values("account_id"))
            & ~Q(pk__in=under_way.values("account_id"))
        )
        .order_by("pk")
    )


def start(account: SellerAccount, days: int | None = None) -> Reconciliation:
    """Begin a comparison of what changed in these days, or answer the one that is under
    way.

    It ends a little before it begins: what changes while it is under way is the scans'
    business.
    """
    under_way = account.reconciliations.filter(finished_at=None).last()
    if under_way:
        return under_way
    now = clock.now()
    row = slow_scan.new(
        Reconciliation,
        account,
        now - (timedelta(days=days) if days else WINDOW),
        now - slow_scan.MARGIN,
        window_length=WINDOW,
    )
    row.save()
    return row


def start_now(account: SellerAccount, days: int | None = None) -> Reconciliation:
    """``start`` one; one that is under way goes on at once."""
    row = start(account, days)
    Reconciliation.objects.filter(pk=row.pk).update(next_run_at=clock.now())
    row.refresh_from_db()
    return row


def run(account: SellerAccount) -> Reconciliation:
    """Go on with the account's comparison as far as the usage plan allows; nothing
    while another worker is at it."""
    row = start(account)
    slow_scan.run(row, partial(_step, row))
    return row


def _step(row: Reconciliation, client: Client) -> None:
    if row.is_read:
        with slow_scan.committing(row):
            _compare_with_shop(row)
            _count_what_waits(row)
            row.finished_at = clock.now()
        if not is_clean(row):
            logger.warning("account %s: %s", row.account_id, in_words(row))
        return
    slow_scan.leave_calls(row.account, CALLS_LEFT_TO_SCANS)
    page = search_orders(
        client,
        last_updated_after=row.window_from,
        last_updated_before=row.window_until,
        marketplace_ids=list(
            row.account.marketplaces.filter(is_participating=True)
            .order_by("marketplace_id")
            .values_list("marketplace_id", flat=True)
        ),
        included_data=("FULFILLMENT",),
        pagination_token=row.page_token or None,
        max_wait_seconds=slow_scan.MAX_WAIT_SECONDS,
    )
    orders = [
        order
        for order in page.orders
        if slow_scan.is_of_window(row, order.last_updated_time)
    ]
    with slow_scan.committing(row):
        different, counts = _compare(row, orders)
        _name_unreadable(row, page.malformed, counts)
    failed: dict[str, object] = {}
    if different:
        # What was found is kept by now, whatever happens to us while it is read.
        failed = dict(
            pull.pull_named(row.account, different, client, slow_scan.MAX_WAIT_SECONDS)
        )
    with slow_scan.committing(row):
        slow_scan.name(row.unread, failed)
        slow_scan.count(row, counts)
        row.calls += 1
        slow_scan.turn(row, page.next_token)


def _compare(
    row: Reconciliation, orders: Sequence[Order]
) -> tuple[list[str], dict[str, int]]:
    """The orders to be read anew, and how many are there, are here, and are the next
    scan's to bring."""
    watermark = (
        SyncCursor.objects.filter(account=row.account, stream=pull.STREAM)
        .values_list("watermark", flat=True)
        .first()
    )
    # Not the instance's: it may have been lowered since that was loaded.
    import_from = SellerAccount.objects.values_list("import_from", flat=True).get(
        pk=row.account_id
    )
    known = dict(
        AmazonOrder.objects.filter(
            amazon_order_id__in=[order.order_id for order in orders]
        ).values_list("amazon_order_id", "last_updated_time")
    )
    missing, outdated, unsettled, there = [], [], 0, 0
    for order in orders:
        order_id, updated = order.order_id, order.last_updated_time
        # No scan was to show it.
        if order_id not in known and updated < import_from:
            continue
        there += 1
        if order_id in known and known[order_id] >= updated:
            continue
        if watermark is None or updated > watermark - pull.OVERLAP:
            unsettled += 1
        elif order_id in known:
            outdated.append(order_id)
        else:
            missing.append(order_id)
    slow_scan.name(row.missing, missing)
    slow_scan.name(row.outdated, outdated)
    counts = {"there": there, "here": len(known), "unsettled": unsettled}
    return [*missing, *outdated], counts


def _name_unreadable(
    row: Reconciliation,
    malformed: Sequence[tuple[dict[str, Any], MalformedOrder]],
    counts: dict[str, int],
) -> None:
    ids = [error.order_id for _, error in malformed]
    known = dict(
        AmazonOrder.objects.filter(amazon_order_id__in=ids).values_list(
            "amazon_order_id", "import_state"
        )
    )
    counts["there"] += len(ids)
    counts["here"] += len(known)
    slow_scan.name(row.unread, [order_id or WITHOUT_ID for order_id in ids])
    # Of others the ledger has more than this list, which is without the buyer's data.
    imported = AmazonOrder.ImportState.IMPORTED
    recorder.record(
        row.account,
        [],
        [
            (raw, error)
            for raw, error in malformed
            if known.get(error.order_id, imported) == imported
        ],
    )


def _compare_with_shop(row: Reconciliation) -> None:
    """Whether the shop still has what was made of Amazon's orders, once and at their
    totals."""
    orders = AmazonOrder.objects.filter(
        account=row.account, last_updated_time__gte=row.started_at - SHOP_WINDOW
    ).order_by("pk")
    last = 0
    while batch := list(
        orders.filter(pk__gt=last).only(
            "amazon_order_id",
            "import_state",
            "fulfillment_status",
            "grand_total",
            "shop_order_id",
            "follow_at",
        )[:500]
    ):
        last = batch[-1].pk
        in_shop = store.current().orders_of([o.amazon_order_id for o in batch])
        figures = store.current().figures(
            [order.shop_order_id for order in batch if order.shop_order_id]
        )
        for order in batch:
            there = figures.get(order.shop_order_id or "")
            alive = {*in_shop.get(order.amazon_order_id, ())}
            if there and there.status != CANCELED:
                alive.add(there.order_id)
            if len(alive) > 1:
                slow_scan.name(row.double, [order.amazon_order_id])
            if order.import_state != AmazonOrder.ImportState.IMPORTED:
                continue
            if there is None:
                slow_scan.name(row.gone_from_shop, [order.amazon_order_id])
            elif not _is_behind(order) and order.grand_total not in (None, there.total):
                slow_scan.name(row.wrong_total, [order.amazon_order_id])


def _is_behind(order: AmazonOrder) -> bool:
    """The shop's total may be another."""
    return (
        order.follow_at is not None
        or order.fulfillment_status == FulfillmentStatus.CANCELLED
    )


def _count_what_waits(row: Reconciliation) -> None:
    overdue = row.started_at - FOLLOWS_WITHIN
    slow_scan.name(
        row.not_followed,
        AmazonOrder.objects.filter(
            # What has failed is put off, again and again.
            (
                Q(follow_at__lte=overdue)
                | Q(
                    follow_at__isnull=False,
                    follow_failures__gt=0,
                    last_updated_time__lte=overdue,
                )
            )
            & ~Q(fulfillment_status=FulfillmentStatus.CANCELLED)
            | Q(
                fulfillment_status=FulfillmentStatus.CANCELLED,
                cancellation_settled_at=None,
                last_updated_time__lte=overdue,
            ),
            account=row.account,
            import_state=AmazonOrder.ImportState.IMPORTED,
        )
        .order_by("pk")
        .values_list("amazon_order_id", flat=True),
    )
    blocked = AmazonOrder.objects.filter(
        account=row.account, import_state=AmazonOrder.ImportState.BLOCKED
    ).order_by()
    row.blocked = blocked.count()
    codes = blocked.values_list("blocker_rows__code").annotate(
        orders=Count("pk", distinct=True)
    )
    row.blocked_by = {code or "": orders for code, orders in codes}


def is_clean(row: Reconciliation) -> bool:
    """Finished, and nothing found that was not as it should be."""
    return row.finished_at is not None and not (
        row.missing
        or row.outdated
        or row.unread
        or row.gone_from_shop
        or row.wrong_total
        or row.double
        or row.not_followed
        or row.blocked_by.get("")
    )


def in_words(row: Reconciliation) -> str:
    """``1,204 there, 1,204 here, 0 missing, 0 double.``"""
    text = (
        f"{row.count('there'):,} there, {row.count('here'):,} here, "
        f"{len(row.missing):,} missing"
    )
    if row.finished_at:
        text += f", {len(row.double):,} double"
    more = {
        "outdated here": len(row.outdated),
        "gone from the shop": len(row.gone_from_shop),
        "with another total in the shop": len(row.wrong_total),
        "not followed for an hour": len(row.not_followed),
        "newer than the last scan, and not compared": row.count("unsettled"),
    }
    text += "".join(f", {count:,} {name}" for name, count in more.items() if count)
    if row.blocked:
        reasons = sorted(row.blocked_by.items(), key=lambda each: (-each[1], each[0]))
        by = ", ".join(f"{n:,} {code or 'without a reason'}" for code, n in reasons)
        text += f", {row.blocked:,} blocked ({by})"
    found = {*row.missing, *row.outdated}
    if found:
        read = len(found.difference(row.unread))
        text += f"; {read:,} of them have been read from Amazon"
    if row.unread:
        text += f", {len(row.unread):,} could not be read"
    if row.finished_at is None:
        text += ", so far"
    return text + "."


def as_dict(row: Reconciliation) -> dict[str, Any]:
    """All that is to be told, for programs; times are datetimes."""
    return {
        "id": row.pk,
        "account": row.account_id,
        "since": row.since,
        "until": row.until,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "is_clean": is_clean(row),
        "there": row.count("there"),
        "here": row.count("here"),
        "unsettled": row.count("unsettled"),
        "missing": row.missing,
        "outdated": row.outdated,
        "unread": row.unread,
        "double": row.double,
        "gone_from_shop": row.gone_from_shop,
        "wrong_total": row.wrong_total,
        "not_followed": row.not_followed,
        "blocked": row.blocked,
        "blocked_by": row.blocked_by,
        "calls_used": row.calls,
        "next_run_at": None if row.finished_at else row.next_run_at,
        "last_error": row.last_error,
        "summary": in_words(row),
    }
