"""What the seller lists on Amazon, read from Amazon: which SKUs, and who ships them.

A quantity is only ever sent for a listing that Amazon itself told of, and that it says
the seller ships: to write one where Amazon ships would make the offer the seller's.
Read before each comparison, so that what is known of it is minutes old: first
all listings, by and by, later those that have changed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from .. import clock, lock_objects
from ..amazon import listings
from ..amazon.client import Client
from ..amazon.listings import Listing, Page
from ..importing import leases
from ..importing.leases import Lease
from ..models import AmazonListing, SellerAccount
from .quantities import MOST

logger = logging.getLogger(__name__)

State = AmazonListing.State

#: Calls of one run: at five a second, well within its lease.
MOST_CALLS = 200
MAX_WAIT_SECONDS = 2.0
#: Amazon's list may be behind its listings.
OVERLAP = timedelta(minutes=2)

AMAZON_FULFILLED = (
    "Amazon ships it and counts its stock: the shop's stock does not matter."
)
NOT_FULFILLED = (
    "Amazon does not say that the seller ships it: it is a parent of variations, or "
    "nobody has given it a quantity yet. Give it one in Seller Central once."
)


def read(
    client: Client, account: SellerAccount, lease: Lease, marketplace_ids: Sequence[str]
) -> bool:
    """Go on reading the listings of these marketplaces; whether all are known now.

    Each page is written with the place it goes on at. Raises AmazonError, and
    LeaseLostError.
    """
    calls = MOST_CALLS
    for marketplace_id in marketplace_ids:
        calls = _read(client, account, lease, marketplace_id, calls)
    return calls > 0


def _read(
    client: Client,
    account: SellerAccount,
    lease: Lease,
    marketplace_id: str,
    calls: int,
) -> int:
    """Calls that are left; none where it did not come to the end."""
    since = _begin(lease, marketplace_id)
    token = ""
    while calls > 0:
        page = listings.search(
            client,
            account.seller_id,
            marketplace_id,
            since,
            page_token=token,
            max_wait_seconds=MAX_WAIT_SECONDS,
        )
        calls -= 1
        for problem in page.unreadable:
            logger.warning("account %s: a listing: %s", account.pk, problem)
        last = page.last_updated_at
        has_moved = last is not None and (since is None or last > since)
        # From the last one on, and not from the next page on: what changes meanwhile
        # goes to the end of the list, and would shift the pages.
        since, token = (last, "") if has_moved else (since, page.next_token)
        is_end = not page.next_token
        _write(account, lease, marketplace_id, page, since, is_end)
        if is_end:
            return calls
    return 0


def _begin(lease: Lease, marketplace_id: str) -> datetime | None:
    with transaction.atomic():
        cursor = leases.locked_cursor(lease)
    place = cursor.page_filter.get(marketplace_id)
    if not place or not place["since"]:
        return None
    since = datetime.fromisoformat(place["since"])
    return since - OVERLAP if place["is_end"] else since


def _write(
    account: SellerAccount,
    lease: Lease,
    marketplace_id: str,
    page: Page,
    since: datetime | None,
    is_end: bool,
) -> None:
    with transaction.atomic():
        cursor = leases.locked_cursor(lease)
        record(account, marketplace_id, page.listings)
        cursor.page_filter[marketplace_id] = {
            "since": since.isoformat() if since else "",
            "is_end": is_end,
        }
        cursor.save(update_fields=["page_filter", "lease_until"])


def record(
    account: SellerAccount, marketplace_id: str, found: Sequence[Listing]
) -> None:
    """Write down what Amazon told, in the caller's transaction, in a few queries."""
    found = [each for each in found if _fits(each)]
    now = clock.now()
    skus = [each.sku for each in found]
    before = {
        row.seller_sku: row
        for row in lock_objects.listings(
            account.pk, skus, marketplace_ids=[marketplace_id]
        )
    }
    changed = []
    for each in found:
        row = before.get(each.sku)
        if row is not None and (state := _state_after(row, each)) != row.state:
            row.state, row.note, row.is_stale = state, _NOTES.get(state, ""), True
            changed.append(row)
    AmazonListing.objects.bulk_update(changed, ["state", "note", "is_stale"])
    AmazonListing.objects.bulk_create(
        [
            AmazonListing(
                account=account,
                marketplace_id=marketplace_id,
                seller_sku=each.sku,
                product_type=each.product_type,
                asin=each.asin,
                title=each.title,
                availability=dict(each.availability),
                amazon_quantity=(
                    None if each.quantity is None else min(each.quantity, MOST)
                ),
                updated_on_amazon_at=each.updated_at,
                read_at=now,
                state=(state := _shipped_by(each) or State.NEW),
                note=_NOTES.get(state, ""),
            )
            for each in found
        ],
        update_conflicts=True,
        unique_fields=["account", "seller_sku", "marketplace_id"],
        update_fields=[
            "product_type",
            "asin",
            "title",
            "availability",
            "amazon_quantity",
            "updated_on_amazon_at",
            "read_at",
        ],
    )


_NOTES: Mapping[str, str] = {
    State.AMAZON_FULFILLED: AMAZON_FULFILLED,
    State.NOT_FULFILLED: NOT_FULFILLED,
}
#: What may be otherwise once Amazon tells of the listing again.
_ENDED: Collection[str] = (
    State.AMAZON_FULFILLED,
    State.NOT_FULFILLED,
    State.NOT_LISTED,
)


def _shipped_by(listing: Listing) -> AmazonListing.State | None:
    """The state of what the seller does not ship."""
    if listing.is_seller_fulfilled:
        return None
    return (
        State.AMAZON_FULFILLED if listing.is_amazon_fulfilled else State.NOT_FULFILLED
    )


def _state_after(row: AmazonListing, listing: Listing) -> str:
    if state := _shipped_by(listing):
        return state
    was_changed = (
        row.updated_on_amazon_at is None
        or listing.updated_at > row.updated_on_amazon_at
    )
    if row.state in _ENDED or (row.state == State.REFUSED and was_changed):
        return State.NEW
    return row.state


def _fits(listing: Listing) -> bool:
    """Whether our columns hold it; Amazon's SKUs have 40 characters at most."""
    return (
        len(listing.sku) <= 255
        and len(listing.product_type) <= 255
        and len(listing.asin) <= 16
    )
