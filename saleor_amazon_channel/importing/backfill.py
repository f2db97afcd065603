"""An explicit import of the orders that were placed in a range of time.

Nothing here happens by itself: somebody has to ask for it. What is read goes into the
ledger, marked as asked for, and the importer takes it from there as it is on Amazon
now: what has been shipped arrives shipped and touches no stock, what was cancelled is
ignored, and nobody is e-mailed. Orders that are in the shop are left alone.

It lives on what the scans and the comparisons leave of searchOrders' usage plan
(``slow_scan``). The buyer's data is not asked for where it must not be kept any more:
orders that are old enough for that are listed without, and those of them that still
need it are read one by one.

A dry run goes the same way and writes only what it counted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from .. import budget, clock
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.errors import MalformedOrder
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.orders import (
    GET_ORDER,
    INCLUDED_DATA,
    SEARCH_ORDERS,
    Order,
    SearchOrdersPage,
    get_order,
    search_orders,
)
from ..amazon.throttle import USAGE_PLANS
from ..ledger import communication, recorder, retention
from ..models import AmazonOrder, Backfill, SellerAccount
from ..models.accounts import MAX_BUYER_DATA_RETENTION_DAYS
from . import importer, pull, reconcile, rules, slow_scan

logger = logging.getLogger(__name__)

State = Backfill.State

#: What a comparison is to have, and a little more, so that it comes first.
CALLS_LEFT_TO_OTHERS = reconcile.CALLS_LEFT_TO_SCANS + 2
#: Of getOrder's usage plan.
READS_LEFT_TO_OTHERS = 10
READS_AT_ONCE = 20

#: Amazon tells of orders as old as that (searchOrders), of these marketplaces since
#: 2016.
AMAZONS_MEMORY = timedelta(days=730)
_LONG_MEMORY = ("AU", "JP", "SG")
LONG_MEMORY_SINCE = datetime(2016, 1, 1, tzinfo=UTC)
#: Amazon wants the end of a range to lie so far back.
NEWEST = timedelta(minutes=2)

#: A window that begins later than this ago is listed with the buyer's data, since none
#: of its orders was delivered longer ago than that.
_RETENTION = timedelta(days=MAX_BUYER_DATA_RETENTION_DAYS)
#: No window reaches over this before the back-fill began, so that it has the days
#: between for the newer ones.
_LISTED_WITH_BUYER = _RETENTION - timedelta(days=5)

#: Different reasons that a dry run counts; all further ones are one.
MOST_REASONS = 200


#: What the names of what a dry run counts begin with: see ``models.Backfill``.
WOULD = "would "
BECAUSE = "because "
#: In place of a blocker's code: all reasons beyond ``MOST_REASONS``.
OTHERS = "others"


class BackfillRefused(Exception):
    """``message`` says to the one who asked what is wrong, ``field`` with what."""

    def __init__(
        self, message: str, field: str = "", *, is_taken: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        #: Another back-fill of the account is under way.
        self.is_taken = is_taken


def start(
    account: SellerAccount,
    created_after: datetime,
    created_before: datetime,
    *,
    marketplace_ids: Sequence[str] = (),
    is_dry_run: bool = False,
    actor: str = "",
) -> Backfill:
    """Begin a back-fill; the workers do it. Without ``marketplace_ids`` it is of all
    that the account takes part in. Raises BackfillRefused."""
    ids = _check_marketplaces(account, marketplace_ids)
    _check_range(created_after, created_before, ids)
    row = slow_scan.new(
        Backfill,
        account,
        created_after,
        created_before,
        split_at=clock.now() - _LISTED_WITH_BUYER,
        marketplace_ids=ids,
        is_dry_run=is_dry_run,
        actor=actor[:255],
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise BackfillRefused(
            "A back-fill of this account is under way: wait for it, or cancel it.",
            "account_id",
            is_taken=True,
        ) from error
    return row


def _check_marketplaces(
    account: SellerAccount, marketplace_ids: Sequence[str]
) -> list[str]:
    rows = {
        row.marketplace_id: row
        for row in account.marketplaces.filter(is_participating=True)
    }
    wanted = sorted(set(marketplace_ids or rows))
    for marketplace_id in wanted:
        if marketplace_id not in rows:
            raise BackfillRefused(
                f"The account does not sell in the marketplace {marketplace_id[:20]!r}"
                ": give Amazon's ID of one that it takes part in.",
                "marketplaces",
            )
    if not any(rows[each].is_mapped for each in wanted):
        raise BackfillRefused(
            "No order could be imported: none of the marketplaces has a channel, "
            "warehouse and shipping method yet. Choose them in its settings.",
            "marketplaces",
        )
    return wanted


def _check_range(
    created_after: datetime, created_before: datetime, marketplace_ids: Sequence[str]
) -> None:
    now = clock.now()
    if created_before <= created_after:
        raise BackfillRefused("It must be later than createdAfter.", "created_before")
    if created_before > now - NEWEST:
        raise BackfillRefused(
            "It must be at least two minutes ago: Amazon lists no orders that are "
            "newer. Those are imported by themselves.",
            "created_before",
        )
    for marketplace_id in marketplace_ids:
        info = MARKETPLACES[marketplace_id]
        is_long = info.country_code in _LONG_MEMORY
        oldest = LONG_MEMORY_SINCE if is_long else now - AMAZONS_MEMORY
        if created_after < oldest:
            raise BackfillRefused(
                f"Amazon tells of no orders of {info.domain} before "
                f"{oldest:%Y-%m-%d %H:%M} UTC"
                f"{'' if is_long else ' (two years ago)'}: begin later.",
                "created_after",
            )


def cancel(row: Backfill) -> Backfill:
    """End a back-fill that is under way. What it has read stays, and is imported."""
    now = clock.now()
    Backfill.objects.filter(pk=row.pk, state=State.RUNNING).update(
        state=State.CANCELLED, finished_at=now, to_read=[], page_token=""
    )
    row.refresh_from_db()
    return row


def due() -> QuerySet[Backfill]:
    """Those that are to go on now."""
    return slow_scan.due(Backfill.objects.order_by("pk"))


def run(row: Backfill) -> None:
    """Go on as far as the usage plan allows; nothing while another worker is at it."""
    slow_scan.run(row, partial(_step, row))


def _step(row: Backfill, client: Client) -> None:
    if row.to_read:
        _read_some(row, client)
    elif row.is_read:
        with slow_scan.committing(row):
            row.state, row.finished_at = State.FINISHED, clock.now()
    elif row.window_until > clock.now() - slow_scan.MARGIN:
        raise slow_scan.NotBefore(row.window_until + slow_scan.MARGIN)
    else:
        slow_scan.leave_calls(row.account, CALLS_LEFT_TO_OTHERS)
        _page(row, client)


@dataclass
class _Batch:
    """Orders with the payloads they were read from, and what could not be read."""

    orders: list[tuple[Order, dict[str, Any]]] = field(default_factory=list)
    malformed: Sequence[tuple[dict[str, Any], MalformedOrder]] = ()
    #: Amazon order ids of those whose buyer's data must not be kept.
    overdue: set[str] = field(default_factory=set)


def _page(row: Backfill, client: Client) -> None:
    is_with_buyer = row.window_from >= clock.now() - _RETENTION
    is_refused = False
    try:
        page = _search(row, client, INCLUDED_DATA if is_with_buyer else None)
    except errors.Forbidden as failure:
        # The app may lack the roles for buyer data only, as in ``pull``.
        page = _search(row, client, None)
        communication.note_failure(row.account, SEARCH_ORDERS, failure)
        is_with_buyer, is_refused = False, True
    orders = [
        (order, payload)
        for order, payload in zip(page.orders, page.payloads, strict=True)
        if slow_scan.is_of_window(row, order.created_time)
    ]
    with slow_scan.committing(row):
        known = {
            order.amazon_order_id: order
            for order in AmazonOrder.objects.filter(
                amazon_order_id__in=[each.order_id for each, _ in orders]
            )
        }
        before = {
            order_id for order_id, order in known.items() if _was_imported(order, row)
        }
        slow_scan.count(
            row,
            {
                "there": len(orders) + len(page.malformed),
                "here": sum(_was_here(order, row) for order in known.values()),
                "imported": len(before),
            },
        )
        batch = _Batch(malformed=page.malformed)
        kept_for = _kept_for(row)
        for order, payload in orders:
            if order.order_id in before:
                continue
            is_overdue = _is_overdue(order, known.get(order.order_id), kept_for)
            if is_overdue:
                batch.overdue.add(order.order_id)
            if (
                is_overdue
                or is_with_buyer
                or is_refused
                or not _needs_buyer(order, known.get(order.order_id))
            ):
                batch.orders.append((order, payload))
            else:
                row.to_read.append(order.order_id)
        _take(row, batch)
        row.calls += 1
        if row.to_read:
            row.next_page_token = page.next_token or ""
        else:
            _turn(row, page.next_token)


def _was_here(order: AmazonOrder, row: Backfill) -> bool:
    """Before this back-fill read it, which it may do more than once."""
    return order.backfill_id != row.pk or order.recorded_at < row.started_at


def _was_imported(order: AmazonOrder, row: Backfill) -> bool:
    return (
        order.import_state == AmazonOrder.ImportState.IMPORTED
        and order.backfill_id != row.pk
    )


def _kept_for(row: Backfill) -> dict[str, timedelta]:
    """By marketplace id: how long after the delivery the buyer's data is kept."""
    return {
        each.marketplace_id: timedelta(days=each.buyer_data_retention_days)
        for each in row.account.marketplaces.all()
    }


def _is_overdue(
    order: Order, known: AmazonOrder | None, kept_for: Mapping[str, timedelta]
) -> bool:
    """Whether the buyer's data was deleted, or would be at once: see ``redaction``."""
    if known and known.redacted_at:
        return True
    longest = kept_for.get(order.sales_channel.marketplace_id, _RETENTION)
    return retention.is_over(order, longest)


def _needs_buyer(order: Order, known: AmazonOrder | None) -> bool:
    """Whether the buyer's data is to be read, for the import or to replace what is
    here by what is newer."""
    if known and known.last_updated_time >= order.last_updated_time:
        return rules.is_ripe(order) and not known.personal.get("recipient")
    return rules.is_ripe(order)


def _search(
    row: Backfill, client: Client, included_data: Sequence[str] | None
) -> SearchOrdersPage:
    # Amazon refuses all if the seller has left one of them.
    marketplace_ids = list(
        row.account.marketplaces.filter(
            is_participating=True, marketplace_id__in=row.marketplace_ids
        )
        .order_by("marketplace_id")
        .values_list("marketplace_id", flat=True)
    )
    if not marketplace_ids:
        raise slow_scan.NotBefore(
            clock.now() + slow_scan.GO_ON_AFTER,
            "The seller takes part in none of the marketplaces any more.",
        )
    return search_orders(
        client,
        created_after=row.window_from,
        created_before=row.window_until,
        marketplace_ids=marketplace_ids,
        included_data=included_data or pull.WITHOUT_BUYER,
        pagination_token=row.page_token or None,
        max_wait_seconds=slow_scan.MAX_WAIT_SECONDS,
    )


def _turn(row: Backfill, next_token: str | None) -> None:
    slow_scan.turn(row, next_token, split_at=row.started_at - _LISTED_WITH_BUYER)


def _read_some(row: Backfill, client: Client) -> None:
    """Read orders that need the buyer's data, as many as getOrder's plan allows."""
    left = budget.SharedBudget(row.account_id).left(GET_ORDER, USAGE_PLANS[GET_ORDER])
    most = min(READS_AT_ONCE, int(left) - READS_LEFT_TO_OTHERS)
    order_ids = row.to_read[: max(most, 0)]
    if not order_ids:
        raise slow_scan.NotBefore(clock.now() + slow_scan.SHORTEST_WAIT)
    batch, failed = _Batch(), {}
    for order_id in order_ids:
        try:
            batch.orders.append(_get(client, row, order_id))
        except errors.TryLater:
            raise
        except errors.AmazonError as failure:
            failed[order_id] = failure
            communication.note_failure(row.account, GET_ORDER, failure, order_id)
    with slow_scan.committing(row):
        _take(row, batch)
        slow_scan.name(row.unread, failed)
        row.reads += len(order_ids)
        row.to_read = row.to_read[len(order_ids) :]
        if not row.to_read:
            next_token, row.next_page_token = row.next_page_token, ""
            _turn(row, next_token)


def _get(client: Client, row: Backfill, order_id: str) -> tuple[Order, dict[str, Any]]:
    wait = slow_scan.MAX_WAIT_SECONDS
    try:
        return get_order(client, order_id, max_wait_seconds=wait)
    except (errors.Forbidden, MalformedOrder) as failure:
        # So that it is here at least, and says what it lacks.
        communication.note_failure(row.account, GET_ORDER, failure, order_id)
        return get_order(client, order_id, pull.WITHOUT_BUYER, max_wait_seconds=wait)


def _take(row: Backfill, batch: _Batch) -> None:
    """Into the ledger with the orders and have them imported; or count what would
    become of them."""
    if row.is_dry_run:
        _foresee(row, batch)
        return
    recorder.record(row.account, batch.orders, batch.malformed, batch.overdue)
    ids = [order.order_id for order, _ in batch.orders]
    ids += [error.order_id for _, error in batch.malformed if error.order_id]
    taken = AmazonOrder.objects.filter(account=row.account, amazon_order_id__in=ids)
    importer.ask_for(taken, row)


def _foresee(row: Backfill, batch: _Batch) -> None:
    found: Counter[str] = Counter()
    for _, error in batch.malformed:
        found[f"{WOULD}{AmazonOrder.ImportState.BLOCKED}"] += 1
        found[_because("unreadable", error.path)] += 1
    looked_at = []
    staff = dict(
        AmazonOrder.objects.filter(
            amazon_order_id__in=[order.order_id for order, _ in batch.orders]
        ).values_list("amazon_order_id", "staff_address")
    )
    for order, payload in batch.orders:
        is_overdue = order.order_id in batch.overdue
        unsaved = recorder.unsaved(row.account, order, payload, is_overdue=is_overdue)
        unsaved.is_import_requested = True
        unsaved.staff_address = staff.get(order.order_id, "")
        looked_at.append(unsaved)
    for _, state, blockers in importer.foresee(looked_at):
        found[f"{WOULD}{state}"] += 1
        found.update({_because(each.code, each.subject) for each in blockers})
    known = {*row.counts, *row.window_counts}
    for reason in [each for each in found if each not in known]:
        if reason.startswith(BECAUSE) and len(known) >= MOST_REASONS:
            found[_because(OTHERS, "")] += found.pop(reason)
        known.add(reason)
    slow_scan.count(row, found)


def _because(code: str, subject: str) -> str:
    return f"{BECAUSE}{code} {subject}"
