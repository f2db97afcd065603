"""What staff do with intents themselves: see what each says, try it again, drop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from .. import lock_objects, outbox
from ..ledger import timeline
from ..models import AmazonOrder, OutboxEntry
from ..outbox import State
from . import credit_notes, shipments, stock

Kind = OutboxEntry.Kind

DISCARDED = "DISCARDED"

#: What may be tried again as it was, and for the others what to do instead: the shop
#: has gone on since it was told that they failed.
_INSTEAD: Mapping[str, str] = {
    str(Kind.CANCEL): "Cancel the order again, with amazonOrderCancel.",
    str(Kind.REFUND): "Ask for the refund again on the shop's order.",
}

#: What an intent says, by kind; each gets all entries of its kind at once.
DESCRIBE: Mapping[str, Callable[[Sequence[OutboxEntry], str], Mapping[int, str]]] = {
    str(Kind.CONFIRM_SHIPMENT): shipments.describe,
    str(Kind.CANCEL): lambda entries, _using: {
        entry.pk: f"Cancel the order: {entry.payload['reason']}." for entry in entries
    },
    str(Kind.REFUND): lambda entries, _using: {
        entry.pk: f"Refund {entry.payload['amount']}." for entry in entries
    },
    str(Kind.INVOICE): lambda entries, _using: {
        entry.pk: f"Invoice {entry.payload['number']}." for entry in entries
    },
    str(Kind.CREDIT_NOTE): lambda entries, _using: {
        entry.pk: f"Credit note {entry.payload['number']}." for entry in entries
    },
    str(Kind.BUYER_MESSAGE): lambda entries, _using: {
        entry.pk: f"Message to the buyer: {entry.payload['action']}."
        for entry in entries
    },
    str(Kind.REVIEW_REQUEST): lambda entries, _using: {
        entry.pk: "Ask the buyer for a review." for entry in entries
    },
    str(Kind.STOCK): stock.describe,
}


class NotPossible(Exception):
    """The message says to staff why, and what to do instead."""


def describe(entries: Sequence[OutboxEntry], using: str) -> Mapping[int, str]:
    """By entry what it tells Amazon, in words, without personal data; a few queries,
    however many there are."""
    told: dict[int, str] = {}
    for kind, what in DESCRIBE.items():
        if those := [entry for entry in entries if entry.kind == kind]:
            told |= what(those, using)
    return told


def retry(pks: Sequence[int], actor: str) -> None:
    """Let the workers try these again at once; what failed as what may have arrived.

    Raises NotPossible, and then nothing was changed.
    """
    with transaction.atomic():
        entries = _locked(pks)
        for entry in entries:
            name = _name(entry)
            if entry.state in (State.SENDING, State.SUBMITTED):
                raise NotPossible(f"{name} is on its way; wait for Amazon's answer.")
            if entry.state in (State.SUCCEEDED, State.SUPERSEDED):
                raise NotPossible(f"{name} needs no further try: it is settled.")
            if entry.state == State.FAILED and entry.kind in _INSTEAD:
                raise NotPossible(f"{name} failed. {_INSTEAD[entry.kind]}")
        outbox.retry(pks)
        stock.retry([entry for entry in entries if entry.kind == Kind.STOCK])
        credit_notes.retry([e for e in entries if e.kind == Kind.CREDIT_NOTE])
        for entry in entries:
            if entry.order:
                timeline.add(
                    entry.order, f"{entry.kind}_retried", "It is tried again.", actor
                )


def discard(pks: Sequence[int], actor: str) -> None:
    """Fail intents that were not sent; the shop's orders are told as of any failure.

    Raises NotPossible, and then nothing was changed.
    """
    with transaction.atomic():
        for entry in _locked(pks):
            if entry.state != State.PENDING:
                raise NotPossible(
                    f"{_name(entry)} is not waiting to be sent any more; only what was "
                    "not sent can be discarded."
                )
        message = (
            f"Not sent to Amazon: discarded by {actor or 'staff'}. What it was about "
            "is to be done in Seller Central, if at all."
        )
        failed = outbox.abandon(Q(pk__in=pks), DISCARDED, message, message)
        for entry, _ in failed:
            if entry.order:
                timeline.add(entry.order, f"{entry.kind}_failed", message, actor)


def _locked(pks: Sequence[int]) -> list[OutboxEntry]:
    """The orders before their entries, as capture locks them."""
    lock_objects.orders_by_id(
        AmazonOrder.objects.filter(outbox_entries__in=pks).values_list(
            "amazon_order_id", flat=True
        )
    )
    return list(
        OutboxEntry.objects.select_for_update(of=("self",))
        .filter(pk__in=pks)
        .select_related("order", "listing")
        .order_by("pk")
    )


def _name(entry: OutboxEntry) -> str:
    what = entry.get_kind_display()
    if entry.listing:
        return f"{what} of {entry.listing.seller_sku}"
    return f"{what} of order {entry.order.amazon_order_id if entry.order else ''}"
