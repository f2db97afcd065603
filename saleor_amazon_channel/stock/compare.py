"""Compares the stock of the shop with what Amazon was last told, and writes intents.

Every run looks at all listings, in batches of a few queries each: the shop announces no
change of stock that could be relied on. So a change waits a run at most, and of several
within one the last is sent. Amazon's own number goes down with every order and up with
most cancellations, so after either it is told again, also where nothing changed here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from .. import budget, clock, lock_objects, outbox, store
from ..amazon import errors
from ..amazon.listings import SEARCH_LISTINGS_ITEMS
from ..amazon.orders import FulfilledBy, FulfillmentStatus
from ..importing import leases, skus
from ..importing.skus import Found, Wanted
from ..ledger import communication
from ..models import (
    AmazonListing,
    AmazonOrder,
    AmazonOrderItem,
    Marketplace,
    SellerAccount,
)
from . import listings, quantities

logger = logging.getLogger(__name__)

State = AmazonListing.State

STREAM = "stock"
INTERVAL = timedelta(minutes=2)
#: After a failure that Amazon gives no time for.
RETRY_AFTER = timedelta(minutes=15)
#: SKUs that are compared at a time.
BATCH_SIZE = 1000

_COMPARED = (
    State.NEW,
    State.SENT,
    State.UNKNOWN_SKU,
    State.NOT_COUNTED,
    State.REFUSED,
)
#: Of these the number is sent only when it is another: what was refused is not sent
#: again and again, but a number that goes down must not be kept from Amazon.
_TOLD = (State.SENT, State.REFUSED)
#: Of orders that the shop does not have, those whose units are still to leave.
_OPEN = (
    FulfillmentStatus.PENDING_AVAILABILITY,
    FulfillmentStatus.PENDING,
    FulfillmentStatus.UNSHIPPED,
    FulfillmentStatus.PARTIALLY_SHIPPED,
)

NOT_COUNTED = (
    "The shop does not count the variant's stock, so that there is no number to send."
)


def due_accounts() -> list[SellerAccount]:
    """Active accounts with a marketplace that is told of stock, whose run is due."""
    sending = set(_sending().values_list("account_id", flat=True))
    if not sending:
        return []
    due = leases.due_accounts(STREAM)
    return [account for account in due if account.pk in sending]


def _sending() -> QuerySet[Marketplace]:
    return Marketplace.objects.filter(send_stock=True, is_participating=True)


def run(account: SellerAccount) -> int:
    """Read what Amazon lists, compare it and write intents; how many. Nothing while
    another worker is at it. What fails is in the cursor and the log of communication.
    """
    lease = leases.take(account, STREAM)
    if lease is None:
        return 0
    written, error, due = 0, "", clock.now() + RETRY_AFTER
    try:
        marketplaces = [
            row
            for row in _sending().filter(account=account).order_by("pk")
            if row.is_mapped
        ]
        ids = [row.marketplace_id for row in marketplaces]
        with budget.client_for(account) as client:
            is_through = listings.read(client, account, lease, ids)
        written = compare(account, marketplaces)
        due = clock.now() + (INTERVAL if is_through else timedelta(0))
    except leases.LeaseLostError:
        logger.info("account %s: another worker compares its stock", account.pk)
    except errors.TryLater as failure:
        error, due = str(failure), failure.available_at
    except errors.AmazonError as failure:
        error = str(failure)
        communication.note_failure(account, SEARCH_LISTINGS_ITEMS, failure)
    finally:
        leases.release(lease, error, due)
    return written


def compare(account: SellerAccount, marketplaces: Sequence[Marketplace]) -> int:
    """Write an intent for every listing whose quantity is not what Amazon was told;
    how many."""
    written = 0
    for batch in _batches(account, marketplaces):
        with transaction.atomic():
            written += _compare(account, marketplaces, batch)
    return written


def _batches(
    account: SellerAccount, marketplaces: Sequence[Marketplace]
) -> Iterator[list[str]]:
    """All SKUs that are listed, those of one SKU together."""
    rows = AmazonListing.objects.filter(
        account=account, marketplace_id__in=[row.marketplace_id for row in marketplaces]
    ).order_by("seller_sku")
    last = ""
    while batch := list(
        rows.filter(seller_sku__gt=last)
        .values_list("seller_sku", flat=True)
        .distinct()[:BATCH_SIZE]
    ):
        yield batch
        last = batch[-1]


def _compare(
    account: SellerAccount, marketplaces: Sequence[Marketplace], batch: Sequence[str]
) -> int:
    by_id = {row.marketplace_id: row for row in marketplaces}
    rows = [
        row
        for row in lock_objects.listings(account.pk, batch, marketplace_ids=list(by_id))
        if row.state in _COMPARED
    ]
    # Before the stock is read: what is imported in between counts twice, not never.
    ordered = _ordered()
    wanted = {row.pk: _wanted(row, by_id[row.marketplace_id]) for row in rows}
    found = skus.resolve([*wanted.values(), *(each for each, _, _ in ordered)])
    free = _free(rows, by_id, {pk: found[each] for pk, each in wanted.items()})
    pending = [
        (frozenset(warehouse_ids), variant_id, units * found[each].units)
        for each, warehouse_ids, units in ordered
        if (variant_id := found[each].variant_id)
    ]
    computed: dict[tuple[str, str], int] = {}
    for row in rows:
        marketplace, is_found = by_id[row.marketplace_id], found[wanted[row.pk]]
        row.variant_id = is_found.variant_id or ""
        number = free.get((tuple(marketplace.warehouse_ids), row.variant_id))
        if number is None:
            _leave_out(row, is_found)
            continue
        taken = quantities.pending_for(marketplace.warehouse_ids, pending)
        computed[row.seller_sku, row.marketplace_id] = quantities.to_offer(
            number,
            taken.get(row.variant_id, 0),
            marketplace.stock_safety_quantity,
            is_found.units,
            marketplace.stock_floor,
        )
    if account.region == quantities.SHARED_IN:
        computed = quantities.shared(computed)
    return _write(rows, computed)


def _wanted(row: AmazonListing, marketplace: Marketplace) -> Wanted:
    return Wanted(row.account_id, marketplace.channel_id, row.seller_sku)


def _leave_out(row: AmazonListing, found: Found) -> None:
    """There is no number for it."""
    if found.variant_id:
        row.state, row.note = State.NOT_COUNTED, NOT_COUNTED
    else:
        row.state = State.UNKNOWN_SKU
        row.note = found.blocker.message if found.blocker else ""


def _free(
    rows: Sequence[AmazonListing],
    marketplaces: Mapping[str, Marketplace],
    found: Mapping[int, Found],
) -> dict[tuple[tuple[str, ...], str], int]:
    """(Warehouses, variant) → units that are free there, for those that are counted."""
    variants: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        if variant_id := found[row.pk].variant_id:
            warehouse_ids = marketplaces[row.marketplace_id].warehouse_ids
            variants[tuple(warehouse_ids)].add(variant_id)
    return {
        (warehouse_ids, variant_id): units
        for warehouse_ids, of_them in variants.items()
        for variant_id, units in store.current()
        .available_stock(sorted(of_them), warehouse_ids)
        .items()
    }


def _ordered() -> list[tuple[Wanted, tuple[str, ...], int]]:
    """What was ordered on Amazon and the shop has no order for yet: which SKU, where it
    will be taken from, and how many. Of all accounts: they may share warehouses."""
    marketplaces = {
        (row.account_id, row.marketplace_id): row
        for row in Marketplace.objects.all()
        if row.is_mapped
    }
    units = (
        AmazonOrderItem.objects.filter(
            order__fulfillment_status__in=_OPEN,
            order__fulfilled_by=FulfilledBy.MERCHANT,
        )
        .exclude(
            order__import_state__in=(
                AmazonOrder.ImportState.IMPORTED,
                AmazonOrder.ImportState.IGNORED,
            )
        )
        .order_by()
        .values_list("order__account_id", "order__marketplace_id", "seller_sku")
        .annotate(units=Sum(F("quantity_ordered") - F("quantity_shipped")))
    )
    return [
        (
            Wanted(account_id, row.channel_id, sku),
            tuple(row.warehouse_ids),
            max(number, 0),
        )
        for account_id, marketplace_id, sku, number in units
        if (row := marketplaces.get((account_id, marketplace_id)))
    ]


def _write(
    rows: Sequence[AmazonListing], computed: Mapping[tuple[str, str], int]
) -> int:
    to_send, left_out = [], []
    for row in rows:
        quantity = computed.get((row.seller_sku, row.marketplace_id))
        if quantity is None:
            left_out.append(row)
        elif quantity != row.quantity or row.is_stale or row.state not in _TOLD:
            row.quantity, row.is_stale = quantity, False
            row.state, row.note = State.SENT, ""
            row.revision += 1
            to_send.append(row)
    _save(left_out, ["variant_id", "state", "note"])
    _save(to_send, ["variant_id", "state", "note", "quantity", "is_stale", "revision"])
    AmazonListing.objects.filter(pk__in=[row.pk for row in rows]).update(
        compared_at=clock.now()
    )
    outbox.enqueue_stock(to_send)
    return len(to_send)


def _save(rows: Sequence[AmazonListing], fields: Sequence[str]) -> None:
    # An UPDATE of many rows, each to values of its own, takes Django seconds to write.
    AmazonListing.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=fields
    )
