"""Claim what is due, send it, settle it, and put the outcome onto the shop's order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from .. import budget, clock, outbox
from ..amazon import errors
from ..amazon.client import Client
from ..ledger import communication, timeline
from ..models import ChannelSettings, OutboxEntry, SellerAccount
from ..outbox import Claim, Outcome, State
from . import shipments

logger = logging.getLogger(__name__)

BATCH_SIZE = 20
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

    Nothing leaves in read-only mode: entries stay pending.
    """
    result = Pushed()
    if not ChannelSettings.load().read_only:
        with_work = OutboxEntry.objects.filter(settled_at=None).values("account_id")
        for account in SellerAccount.objects.filter(
            state=SellerAccount.State.ACTIVE, pk__in=with_work
        ):
            _push_account(account, result)
    while report():
        pass
    return result


def _push_account(account: SellerAccount, result: Pushed) -> None:
    with budget.client_for(account) as client:
        while account.state == SellerAccount.State.ACTIVE:
            claims = outbox.claim(account, BATCH_SIZE)
            outcomes = [_attempt(client, account, claim) for claim in claims]
            for outcome in outcomes:
                result.add(outcome)
            if not claims or any(o.error_code == "BudgetExhausted" for o in outcomes):
                return


def _attempt(client: Client, account: SellerAccount, claim: Claim) -> Outcome:
    entry, started_at = claim.entry, clock.now()
    try:
        outcome = shipments.send(
            client, entry, MAX_WAIT_SECONDS, reconcile=claim.must_reconcile
        )
    except errors.AmazonError as error:
        outcome = _failure(entry, error, claim)
        if not isinstance(error, errors.TryLater):
            communication.note_failure(account, entry.kind, error)
    _settle(claim, outcome, started_at)
    return outcome


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
        back_off = min(timedelta(seconds=2**entry.attempt_count), MAX_BACK_OFF)
        retry_at = max(error.available_at, clock.now() + back_off)
        return Outcome(retry, next_attempt_at=retry_at, **answer)
    if isinstance(error, errors.UnknownOutcome | errors.MalformedAnswer):
        return Outcome(
            State.UNKNOWN, next_attempt_at=clock.now() + timedelta(seconds=30), **answer
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
        if not outbox.settle(claim, outcome, started_at):
            logger.warning("outbox entry %s: the claim was lost", entry.pk)
            return
        if outcome.state == State.SUCCEEDED:
            shipments.record_success(entry)
        is_news = outcome.message != entry.error_message
        if outcome.message and is_news and outcome.error_code != "BudgetExhausted":
            timeline.add(
                entry.order, f"shipment_{outcome.state}", outcome.message, entry.actor
            )


def report(limit: int = 50) -> int:
    """Put settled outcomes onto the shop's orders; answer how many.

    In a transaction of its own, which takes the shop's rows before ours.
    """
    with transaction.atomic():
        entries = outbox.unreported(limit)
        for entry in entries:
            shipments.report(entry)
        outbox.mark_reported(entries)
    return len(entries)
