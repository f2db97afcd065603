"""What an attempt came to: a failure in the outbox's terms, and writing it down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from .. import clock, lock_objects, outbox
from ..amazon import errors
from ..ledger import timeline
from ..models import OutboxEntry
from ..outbox import Claim, Outcome, State

logger = logging.getLogger(__name__)

#: An outage is never a reason to give up: the intent goes on, at most this rarely.
MAX_BACK_OFF = timedelta(minutes=15)
RETRY_STOPPED_ACCOUNT = timedelta(minutes=1)
#: Amazon has to be asked again when a person may have given the app its role.
RETRY_FORBIDDEN = timedelta(minutes=1)


def back_off(entry: OutboxEntry) -> timedelta:
    # The exponent is bounded too: an outage of a day must not overflow it.
    return min(timedelta(seconds=2 ** min(entry.attempt_count, 10)), MAX_BACK_OFF)


def failure(claim: Claim, error: errors.AmazonError) -> Outcome:
    """The outcome of an attempt that ended with ``error``."""
    entry = claim.entry
    answer: dict[str, Any] = {
        "message": str(error),
        "error_code": type(error).__name__,
        "status_code": getattr(error, "status", None),
        "request_id": getattr(error, "request_id", ""),
    }
    # What may have been sent before stays so until Amazon was read.
    retry = State.UNKNOWN if claim.must_reconcile else State.PENDING
    if isinstance(error, errors.BudgetExhausted):
        return Outcome(
            retry, next_attempt_at=error.available_at, is_postponed=True, **answer
        )
    if isinstance(error, errors.TryLater):
        retry_at = max(error.available_at, clock.now() + back_off(entry))
        return Outcome(retry, next_attempt_at=retry_at, **answer)
    if isinstance(error, errors.UnknownOutcome | errors.MalformedAnswer):
        return Outcome(
            State.UNKNOWN, next_attempt_at=clock.now() + back_off(entry), **answer
        )
    if isinstance(error, errors.ReauthorizationRequired | errors.AppCredentialsInvalid):
        # The account stops; the entry goes on when it is authorized again.
        return Outcome(
            retry, next_attempt_at=clock.now() + RETRY_STOPPED_ACCOUNT, **answer
        )
    action = getattr(error, "action", "")
    answer["message"] = f"{answer['message']} {action}".strip()
    if isinstance(error, errors.Forbidden) and not isinstance(error, errors.NotOffered):
        # Nothing is wrong with the order: a role is missing, or Amazon refuses one
        # operation to everybody (thread: selling-partner-api-models issue 2892).
        retry_at = clock.now() + max(back_off(entry), RETRY_FORBIDDEN)
        return Outcome(retry, next_attempt_at=retry_at, **answer)
    return Outcome(State.FAILED, **answer)


def unexpected(claim: Claim) -> Outcome:
    """The outcome of an attempt that went wrong in a way that nobody foresaw; it may
    have been sent before it did."""
    return Outcome(
        State.UNKNOWN,
        "Sending failed unexpectedly; the log says why. It is tried again.",
        error_code="INTERNAL",
        next_attempt_at=clock.now() + back_off(claim.entry),
    )


def settle(
    settled: Sequence[tuple[Claim, Outcome]],
    started_at: datetime,
    record_success: Callable[[Sequence[OutboxEntry]], None],
) -> None:
    """Write outcomes of one kind, and what follows from them in the ledger, in one
    transaction and a few queries."""
    if not settled:
        return
    with transaction.atomic():
        # The orders before their packages and entries, as capture locks them.
        lock_objects.hold_orders(Q(pk__in=[c.entry.order_id for c, _ in settled]))
        ours = outbox.settle_all(settled, started_at)
        if lost := len(settled) - len(ours):
            logger.warning("%s claims on outbox entries were lost", lost)
        succeeded = [c.entry for c, outcome in ours if outcome.state == State.SUCCEEDED]
        if succeeded:
            record_success(succeeded)
        timeline.add_all(
            [
                (
                    claim.entry.order,
                    f"{claim.entry.kind}_{outcome.state}",
                    outcome.message,
                    claim.entry.actor,
                )
                for claim, outcome in ours
                if claim.entry.order
                and outcome.message
                and _is_news(claim.entry, outcome)
            ]
        )


def _is_news(entry: OutboxEntry, outcome: Outcome) -> bool:
    """The same trouble again is none, whatever its request id."""
    if not outcome.error_code:
        return True
    return outcome.error_code not in (entry.error_code, "BudgetExhausted")
