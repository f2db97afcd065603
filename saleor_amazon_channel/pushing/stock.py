"""Tell Amazon how many of a listing there are: a call each or, when many are due, a
feed.

Payload of the entry: ``{"quantity", "revision"}``, the revision being the listing's.
What is sent is absolute, and never older than the last comparison with the shop: see
``stock.compare``. Of one listing only one number is on its way at a time, since Amazon
promises no order between calls and feeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import connection

from .. import clock, outbox
from ..amazon import errors, listings
from ..amazon.client import Client
from ..amazon.listings import Listing, Quantity
from ..models import AmazonListing, Feed, Marketplace, OutboxEntry, SellerAccount
from ..outbox import Outcome, State
from ..stock.listings import AMAZON_FULFILLED

FEED_TYPE = listings.LISTINGS_FEED
CONTENT_TYPE = listings.JSON
#: A quantity is absolute.
IS_REPEATABLE = True

#: From so many on they go by feed: a call takes a fifth of a second, a feed minutes.
MANY = 200
#: Amazon takes 25,000 in a feed, and asks for less than 10 MiB.
MOST_MESSAGES = 5000
#: Amazon takes five such feeds in five minutes, from all who send some for the seller.
MOST_FEEDS, FEEDS_WITHIN = 4, timedelta(minutes=5)

#: What the shop had longer ago is compared again before it is sent.
FRESH_FOR = timedelta(minutes=10)
LOOK_AGAIN_AFTER = timedelta(minutes=1)

_UNKNOWN_TO_AMAZON = ("NotFound", listings.UNKNOWN_SKU_CODE)
#: Codes of failures that are not Amazon's: nothing is wrong with the listing. What
#: staff discarded is not sent again until the stock changes.
_DISCARDED, _DISCONNECTED = "DISCARDED", "DISCONNECTED"


_RECORD = """
    UPDATE saleor_amazon_channel_amazonlisting
    SET sent_quantity = told.quantity, sent_at = %(now)s
    FROM unnest(%(pks)s::bigint[], %(sent)s::int[]) AS told (pk, quantity)
    WHERE id = told.pk
"""


def is_ready(account: SellerAccount) -> bool:
    """Whether Amazon takes another feed of these now."""
    sent = Feed.objects.filter(
        account=account,
        feed_type=FEED_TYPE,
        sent_at__gt=clock.now() - FEEDS_WITHIN,
    )
    return sent.count() < MOST_FEEDS


def prepare(entries: Sequence[OutboxEntry]) -> Mapping[int, Quantity | Outcome]:
    """By entry what is to be sent, or what came of it already, or what it waits for."""
    sending = set(
        Marketplace.objects.filter(
            account__in={entry.account_id for entry in entries}, send_stock=True
        ).values_list("account_id", "marketplace_id")
    )
    return {entry.pk: _prepared(entry, sending) for entry in entries}


def _prepared(entry: OutboxEntry, sending: set[tuple[int, str]]) -> Quantity | Outcome:
    listing = _listing(entry)
    if entry.payload["revision"] != listing.revision:
        return Outcome(State.SUPERSEDED, "The quantity has changed since.")
    if (listing.account_id, listing.marketplace_id) not in sending:
        return Outcome(State.SUPERSEDED, "The marketplace is not told of stock now.")
    if listing.state == AmazonListing.State.AMAZON_FULFILLED:
        return Outcome(State.SUPERSEDED, AMAZON_FULFILLED)
    if listing.state != AmazonListing.State.SENT:
        return Outcome(State.SUPERSEDED, listing.note)
    is_fresh = listing.compared_at and listing.compared_at >= clock.now() - FRESH_FOR
    if not is_fresh:
        return Outcome(
            State.PENDING,
            "It is compared with the shop's stock before it is sent.",
            error_code="NOT_COMPARED",
            next_attempt_at=clock.now() + LOOK_AGAIN_AFTER,
            is_postponed=True,
        )
    return Quantity(
        listing.seller_sku,
        listing.product_type,
        entry.payload["quantity"],
        listing.availability,
    )


def document(account: SellerAccount, messages: Mapping[int, Quantity]) -> bytes:
    return listings.quantities(account.seller_id, messages)


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """What came of telling Amazon; with ``reconcile`` Amazon is read first."""
    if reconcile and (settled := _read(client, entry)):
        return settled
    change = prepare([entry])[entry.pk]
    if isinstance(change, Outcome):
        return change
    try:
        submission = listings.patch_quantity(
            client,
            entry.account.seller_id,
            entry.marketplace_id,
            change,
            max_wait_seconds=max_wait_seconds,
        )
    except errors.NotFound as error:
        return _unknown(error)
    if submission.is_accepted:
        return Outcome(State.SUCCEEDED, _succeeded(entry))
    problems = submission.errors or (listings.Issue("", "without a reason"),)
    return Outcome(
        State.FAILED,
        "Amazon refused it: " + "; ".join(map(str, problems)),
        error_code=problems[0].code[:100] or "REFUSED",
    )


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """What came of it, read from Amazon; None: it is still to be sent."""
    return _read(client, entry)


def reconcile_many(
    client: Client, entries: Sequence[OutboxEntry], max_wait_seconds: float
) -> Mapping[int, Outcome | None]:
    """By entry the same, in one call for up to ``listings.PAGE_SIZE`` of a marketplace.
    Those that the answer does not have are left out."""
    first = entries[0]
    found = listings.find(
        client,
        first.account.seller_id,
        first.marketplace_id,
        [_listing(entry).seller_sku for entry in entries],
        max_wait_seconds=max_wait_seconds,
    )
    return {
        entry.pk: _outcome_of(entry, listing)
        for entry in entries
        if (listing := found.get(_listing(entry).seller_sku))
    }


def _read(client: Client, entry: OutboxEntry) -> Outcome | None:
    try:
        listing = listings.get_listing(
            client,
            entry.account.seller_id,
            entry.marketplace_id,
            _listing(entry).seller_sku,
        )
    except errors.NotFound as error:
        return _unknown(error)
    return _outcome_of(entry, listing)


def _outcome_of(entry: OutboxEntry, listing: Listing) -> Outcome | None:
    if listing.quantity == entry.payload["quantity"]:
        return Outcome(State.SUCCEEDED, _succeeded(entry))
    return None


def _unknown(error: errors.NotFound) -> Outcome:
    return Outcome(
        State.FAILED,
        "Amazon has no listing with this SKU in the marketplace (any more).",
        error_code=type(error).__name__,
        status_code=error.status,
        request_id=error.request_id,
    )


def _succeeded(entry: OutboxEntry) -> str:
    return f"Amazon has taken the quantity {entry.payload['quantity']}."


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    return {entry.pk: _succeeded(entry) for entry in entries}


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Nothing: the next reading of the listings shows it."""


def record_success(entries: Sequence[OutboxEntry]) -> None:
    now = clock.now()
    pks = [_listing(entry).pk for entry in entries]
    held = AmazonListing.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    list(held.values_list("pk"))
    with connection.cursor() as cursor:
        sent = [entry.payload["quantity"] for entry in entries]
        cursor.execute(_RECORD, {"pks": pks, "sent": sent, "now": now})
    outbox.mark_told(entries)


def report(entry: OutboxEntry) -> None:
    """The shop has no place for it: what went wrong is on the listing."""
    if entry.state != State.FAILED:
        return
    latest = AmazonListing.objects.filter(
        pk=_listing(entry).pk, revision=entry.payload["revision"]
    )
    if entry.error_code in (_DISCARDED, _DISCONNECTED):
        latest.update(is_stale=entry.error_code == _DISCONNECTED)
        return
    is_unknown = entry.error_code in _UNKNOWN_TO_AMAZON
    latest.filter(state=AmazonListing.State.SENT).update(
        state=(
            AmazonListing.State.NOT_LISTED
            if is_unknown
            else AmazonListing.State.REFUSED
        ),
        note=entry.error_message,
    )


def retry(entries: Sequence[OutboxEntry]) -> None:
    """Staff want these tried again, in the caller's transaction: what the shop has now
    is sent instead."""
    AmazonListing.objects.filter(
        pk__in=[entry.listing_id for entry in entries],
        state__in=(AmazonListing.State.REFUSED, AmazonListing.State.NOT_LISTED),
    ).update(state=AmazonListing.State.NEW, is_stale=True)


def describe(entries: Sequence[OutboxEntry], using: str) -> Mapping[int, str]:
    rows = AmazonListing.objects.using(using)
    skus = dict(
        rows.filter(pk__in={entry.listing_id for entry in entries}).values_list(
            "pk", "seller_sku"
        )
    )
    return {
        entry.pk: f"{skus[entry.listing_id]}: {entry.payload['quantity']} available."
        for entry in entries
        if entry.listing_id
    }


def _listing(entry: OutboxEntry) -> AmazonListing:
    if entry.listing is None:
        raise ValueError(f"outbox entry {entry.pk} is about no listing")
    return entry.listing
