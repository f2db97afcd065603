"""Claim what is due, send it, settle it, and put the outcome onto the shop's order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from .. import budget, clock, failures, lock_objects, outbox, read_only
from ..amazon import errors
from ..amazon.client import Client
from ..ledger import communication
from ..models import ChannelSettings, OutboxEntry, SellerAccount
from ..outbox import Claim, Outcome, State
from . import (
    cancellations,
    credit_notes,
    feeds,
    invoices,
    messages,
    review_requests,
    settling,
    shipments,
    stock,
)

logger = logging.getLogger(__name__)

#: How each kind of intent that takes a call of its own is sent, remembered and
#: reported. A kind's module has ``send(client, entry, max_wait_seconds, *,
#: reconcile)``, ``record_success(entries)`` and ``report(entry)``. Those that go by
#: feed are in ``feeds.KINDS``.
KINDS: dict[str, Any] = {
    str(OutboxEntry.Kind.CONFIRM_SHIPMENT): shipments,
    str(OutboxEntry.Kind.CANCEL): cancellations,
    str(OutboxEntry.Kind.INVOICE): invoices,
    str(OutboxEntry.Kind.CREDIT_NOTE): credit_notes,
    str(OutboxEntry.Kind.BUYER_MESSAGE): messages,
    str(OutboxEntry.Kind.REVIEW_REQUEST): review_requests,
    str(OutboxEntry.Kind.STOCK): stock,
}

#: Few, so that their claims outlive the slowest answers.
BATCH_SIZE = 5
REPORTS_PER_RUN = 500
#: A run waits this long for budget; beyond it the entry waits in the outbox.
MAX_WAIT_SECONDS = 2.0


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
    settings = read_only.guard(ChannelSettings.load())
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
    open_kinds = outbox.open_kinds(account)
    with budget.client_for(account) as client:
        # Feeds first: when many shipments are due they take them off the calls.
        for outcome in feeds.push(client, account, open_kinds):
            result.add(outcome)
        # Goods that staff ship while this worker is busy are looked for all the time.
        kinds = [
            kind
            for kind in KINDS
            if kind in {*open_kinds, OutboxEntry.Kind.CONFIRM_SHIPMENT}
            and _may_be_called(account, kind)
        ]
        _push_calls(client, account, kinds, result)


def _may_be_called(account: SellerAccount, kind: str) -> bool:
    if kind == OutboxEntry.Kind.CANCEL:
        return cancellations.goes_by_call(account)
    return not feeds.is_being_read(account, kind)


def _push_calls(
    client: Client, account: SellerAccount, kinds: list[str], result: Pushed
) -> None:
    """A few at a time, and each time of the first kind that has some: what is urgent
    does not wait for a backlog of what is not. Each kind has the usage plan of its own
    call."""
    while account.state == SellerAccount.State.ACTIVE and (
        claims := _claim_first(account, kinds)
    ):
        for number, claim in enumerate(claims, 1):
            outcome, is_reachable = _attempt(client, account, claim)
            result.add(outcome)
            if not is_reachable:
                # The others would meet the same; their claims must not run out
                # while this worker waits for an Amazon that does not answer.
                outbox.release(claims[number:])
                kinds.remove(claim.entry.kind)
                break


def _claim_first(account: SellerAccount, kinds: Sequence[str]) -> Sequence[Claim]:
    for kind in kinds:
        if claims := outbox.claim(account, BATCH_SIZE, [kind], only_by_feed=False):
            return claims
    return ()


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
        outcome = settling.failure(claim, error)
        if isinstance(error, errors.TryLater):
            is_reachable = False
        else:
            communication.note_failure(
                account, entry.kind, error, entry.amazon_order_id
            )
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"outbox entry {entry.pk}: sending", error)
        outcome = settling.unexpected(claim)
    record_success = KINDS[entry.kind].record_success
    settling.settle([(claim, outcome)], started_at, record_success)
    return outcome, is_reachable


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
                    module = KINDS.get(entry.kind) or feeds.KINDS[entry.kind]
                    module.report(entry)
                    outbox.mark_reported(entry)
                    reported += 1
        except Exception as error:  # noqa: BLE001
            failures.log(logger, f"outbox entry {pk}: reporting", error)
    return reported
