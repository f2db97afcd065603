"""Have Amazon ask the buyer for a review, once an order.

The payload of the entry is empty. Amazon offers it until it was asked, and takes it
once: where the outcome of a request is not known, that it is still offered says that it
did not arrive.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import outbox, store
from ..amazon import errors, solicitations
from ..amazon.client import Client
from ..models import OutboxEntry
from ..outbox import Outcome, State
from .messages import NOT_OFFERED

WINDOW = (
    "Amazon takes one request an order, from 5 days after the earliest to 30 days "
    "after the latest delivery date."
)


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """Ask for the review, if Amazon offers it.

    Raises what ``amazon.errors`` names when the call failed.
    """
    where = (entry.order.amazon_order_id, entry.order.marketplace_id)
    if not solicitations.is_review_offered(
        client, *where, max_wait_seconds=max_wait_seconds
    ):
        if entry.departed_at is not None:
            return Outcome(
                State.SUCCEEDED,
                "The buyer was asked for a review: Amazon does not offer it any more.",
            )
        return Outcome(
            State.FAILED,
            f"Amazon offers no review request for the order now. {WINDOW}",
            error_code=NOT_OFFERED,
        )
    if entry.departed_at is None and not outbox.depart(entry):
        return Outcome(State.UNKNOWN, error_code="CLAIM_LOST")
    try:
        solicitations.request_review(client, *where, max_wait_seconds=max_wait_seconds)
    except (errors.UnknownOutcome, errors.MalformedAnswer):
        raise
    except errors.CallFailed:
        outbox.come_back(entry)
        raise
    return Outcome(State.SUCCEEDED, "The buyer was asked for a review.")


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """Nothing: the entry says it."""


def report(entry: OutboxEntry) -> None:
    """Tell staff on the shop's order what came of it."""
    if entry.order.shop_order_id:
        store.current().add_note(
            entry.order.shop_order_id,
            "Amazon has asked the buyer for a review."
            if entry.state == State.SUCCEEDED
            else f"The buyer was not asked for a review: {entry.error_message}",
        )
