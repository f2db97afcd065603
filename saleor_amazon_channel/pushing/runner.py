"""Claim what is due, send it, settle it, and put the outcome onto the shop's order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from .. import budget, clock, failures, lock_objects, outbox
from ..amazon import errors
from ..amazon.client import Client
from ..ledger import communication, timeline
from ..models import ChannelSettings, OutboxEntry, SellerAccount
from ..outbox import Claim, Outcome, State
from . import shipments

logger = logging.getLogger(__name__)

#: How each kind of intent is sent, remembered and reported. A kind's module has
#: ``send(client, entry, max_wait_seconds, *, reconcile)``, ``record_success(entry)``
#: and ``report(entry)``.
KINDS = {str(OutboxEntry.Kind.CONFIRM_SHIPMENT): shipments}

#: Few, so that their claims outlive the slowest answers.
BATCH_SIZE = 5
REPORTS_PER_RUN = 500
#: A run waits this long for budget; beyond it the entry waits in the outbox.
MAX_WAIT_SECONDS = 2.0
#: An outage is never a reason to give up: the intent goes on, at most this rarely.
MAX_BACK_OFF = timedelta(minutes=15)
RETRY_STOPPED_ACCOUNT = timedelta(minutes=1)


@dataclass
class Pushed:
    """How many entries were settled for good, and how many were put back."""

    succeeded: int = 0
    failed: int = 0
    postponed: int = 0

    def add(self, outcome: Outcome) -> None:
        if outcome.state == State.SUCCEEDED:
            self.succeeded += 1
        elif outcome.state == State.FAILED:
            self.failed += 1
        else:
            self.postponed += 1


def push() -> Pushed:
    """Send all that is due and report what was settled.

    Nothing leaves in read-only mode, or while the channel is off: entries stay pending.
    What goes wrong unexpectedly with one entry, or one account, keeps no other waiting.
    """
    result = Pushed()
    settings = ChannelSettings.load()
    if settings.active and not settings.read_only:
        with_work = OutboxEntry.objects.filter(settled_at=None).values("account_id")
        for account in SellerAccount.objects.filter(
            state=SellerAccount.State.ACTIVE, pk__in=with_work
        ):
            try:
                _push_account(account, result)
            except Exception as error:  # noqa: BLE001
                failures.log(logger, f"account {account.pk}: pushing", error)
    report()
    return result


def _push_account(account: SellerAccount, result: Pushed) -> None:
    with budget.client_for(account) as client:
        while account.state == SellerAccount.State.ACTIVE:
            claims = outbox.claim(account, BATCH_SIZE)
            if not claims:
                return
            for number, claim in enumerate(claims, 1):
                outcome, is_reachable = _attempt(client, account, claim)
                result.add(outcome)
                if not is_reachable:
                    # The others would meet the same; their claims must not run out
                    # while this worker waits for an Amazon that does not answer.
                    outbox.release(claims[number:])
                    return


def _attempt(
    client: Client, account: SellerAccount, claim: Claim
) -> tuple[Outcome, bool]:
    """What came of it, and whether Amazon can be asked for more now."""
    entry, started_at, is_reachable = claim.entry, clock.now(), True
    try:
        outcome = KINDS[entry.kind].send(
            client, entry, MAX_WAIT_SECONDS, reconcile=claim.must_reconcile
        )
    except errors.AmazonError as error:
        outcome = _failure(entry, error, claim)
        if isinstance(error, errors.TryLater):
            is_reachable = False
        else:
            communication.note_failure(account, entry.kind, error)
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"outbox entry {entry.pk}: sending", error)
        outcome = Outcome(
            # It may have been sent before it went wrong.
            State.UNKNOWN,
            "Sending failed unexpectedly; the log says why. It is tried again.",
            error_code="INTERNAL",
            next_attempt_at=clock.now() + _back_off(entry),
        )
    _settle(claim, outcome, started_at)
    return outcome, is_reachable


def _back_off(entry: OutboxEntry) -> timedelta:
    # The exponent is bounded too: an outage of a day must not overflow it.
    return min(timedelta(seconds=2 ** min(entry.attempt_count, 10)), MAX_BACK_OFF)


def _failure(entry: OutboxEntry, error: errors.AmazonError, claim: Claim) -> Outcome:
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
        retry_at = max(error.available_at, clock.now() + _back_off(entry))
        return Outcome(retry, next_attempt_at=retry_at, **answer)
    if isinstance(error, errors.UnknownOutcome | errors.MalformedAnswer):
        return Outcome(
            State.UNKNOWN, next_attempt_at=clock.now() + _back_off(entry), **answer
        )
    if isinstance(error, errors.ReauthorizationRequired | errors.AppCredentialsInvalid):
        # The account stops; the entry goes on when it is authorized again.
        return Outcome(
            retry, next_attempt_at=clock.now() + RETRY_STOPPED_ACCOUNT, **answer
        )
    action = getattr(error, "action", "")
    answer["message"] = f"{answer['message']} {action}".strip()
    return Outcome(State.FAILED, **answer)


def _settle(claim: Claim, outcome: Outcome, started_at: datetime) -> None:
    entry = claim.entry
    with transaction.atomic():
        # The order before its packages and entries, as capture locks them.
        lock_objects.orders_by_id([entry.order.amazon_order_id])
        if not outbox.settle(claim, outcome, started_at):
            logger.warning("outbox entry %s: the claim was lost", entry.pk)
            return
        if outcome.state == State.SUCCEEDED:
            KINDS[entry.kind].record_success(entry)
        # The same trouble again is no news, whatever its request id.
        is_news = outcome.error_code != entry.error_code or not outcome.error_code
        if outcome.message and is_news and outcome.error_code != "BudgetExhausted":
            timeline.add(
                entry.order,
                f"{entry.kind}_{outcome.state}",
                outcome.message,
                entry.actor,
            )


def report() -> int:
    """Put settled outcomes onto the shop's orders; answer how many.

    Each in a transaction of its own: an order that cannot take its note keeps no other
    from it, and is tried again.
    """
    reported = 0
    for pk in outbox.unreported(REPORTS_PER_RUN):
        try:
            with transaction.atomic():
                entry = lock_objects.unreported_entry(pk)
                if entry is not None:
                    KINDS[entry.kind].report(entry)
                    outbox.mark_reported(entry)
                    reported += 1
        except Exception as error:  # noqa: BLE001
            failures.log(logger, f"outbox entry {pk}: reporting", error)
    return reported
