"""The outbox: the only writer of an entry's state.

    pending ──claim──► sending ──settle──► succeeded | failed | pending (try later)
       │                  │ │└───────────► unknown ──claim──► (reconciled) …
       └─► superseded     │ └─► submitted ──the feed's report──► any of these
                          └─ worker lost: claimed again, as unknown

Entries of one Amazon order are sent in the order they were written; one that is held,
waiting for what staff can still add, is overtaken, and shipments wait for no refund.
What is said to the buyer has an order of its own. What failed is tried again when staff
say so.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from . import clock
from .models import (
    AmazonListing,
    AmazonOrder,
    Feed,
    Marketplace,
    OutboxAttachment,
    OutboxAttempt,
    OutboxEntry,
    SellerAccount,
)

State = OutboxEntry.State

#: A worker that has not settled a claim by then is taken for dead. Half of it is for
#: the work, half for clocks: one worker's may be five minutes ahead of another's.
CLAIM_LIFETIME = timedelta(minutes=10)

#: The error code of an entry that waits for something staff can still add. It holds up
#: nothing: the next package of the order goes before it.
HELD = "WAITING"

#: The error code of an entry that cannot go by a call of its own.
BY_FEED = "BY_FEED"

_UNREPORTED = Q(state__in=(State.SUCCEEDED, State.FAILED), reported_at=None)
#: Kinds that tell Amazon nothing about the order itself: neither do they wait for what
#: else is to be told of it, nor does that wait for them.
_APART = (
    OutboxEntry.Kind.BUYER_MESSAGE,
    OutboxEntry.Kind.REVIEW_REQUEST,
    OutboxEntry.Kind.INVOICE,
    OutboxEntry.Kind.CREDIT_NOTE,
)

_OPEN = (State.PENDING, State.SENDING, State.SUBMITTED, State.UNKNOWN)

#: A message for a feed waits this long for others to go with it: Amazon takes a feed in
#: two minutes.
COMPANY_WAIT = timedelta(seconds=30)


def enqueue(
    order: AmazonOrder,
    kind: OutboxEntry.Kind,
    *,
    subject: str,
    revision: int,
    payload: dict[str, Any],
    personal: dict[str, Any] | None = None,
    actor: str = "",
    wait: timedelta = timedelta(0),
) -> None:
    """Write an intent in the caller's transaction, to be sent after ``wait``.

    ``subject`` is what the intent is about within the order and ``revision`` its
    version, from 1: the same twice is written once, and a newer one takes the place of
    an older one that was not sent yet.
    """
    prefix = f"{kind}:{order.amazon_order_id}:{subject}:"
    if revision > 1:
        OutboxEntry.objects.filter(
            order=order,
            kind=kind,
            idempotency_key__startswith=prefix,
            state=State.PENDING,
        ).exclude(idempotency_key=f"{prefix}{revision}").update(
            state=State.SUPERSEDED, settled_at=clock.now()
        )
    OutboxEntry.objects.bulk_create(
        [
            OutboxEntry(
                account_id=order.account_id,
                order=order,
                kind=kind,
                idempotency_key=f"{prefix}{revision}",
                payload=payload,
                personal=personal or "",
                actor=actor,
                next_attempt_at=clock.now() + wait,
            )
        ],
        ignore_conflicts=True,
    )


def enqueue_stock(listings: Sequence[AmazonListing]) -> None:
    """Write that these have their quantity, in the caller's transaction, which holds
    them; what was not sent before of the same is superseded."""
    now = clock.now()
    OutboxEntry.objects.filter(listing__in=listings, state=State.PENDING).update(
        state=State.SUPERSEDED, settled_at=now
    )
    OutboxEntry.objects.bulk_create(
        OutboxEntry(
            account_id=listing.account_id,
            listing=listing,
            kind=OutboxEntry.Kind.STOCK,
            idempotency_key=f"{OutboxEntry.Kind.STOCK}:{listing.pk}:{listing.revision}",
            payload={"quantity": listing.quantity, "revision": listing.revision},
            next_attempt_at=now,
        )
        for listing in listings
    )


def supersede_stock(marketplace: Marketplace) -> None:
    """What was not sent of a marketplace's stock is not to be sent any more."""
    OutboxEntry.objects.filter(
        listing__account=marketplace.account_id,
        listing__marketplace_id=marketplace.marketplace_id,
        state=State.PENDING,
    ).update(state=State.SUPERSEDED, settled_at=clock.now())


def open_kinds(account: SellerAccount) -> set[str]:
    """The kinds of which the account has something that is not settled."""
    open_entries = OutboxEntry.objects.filter(account=account, settled_at=None)
    return set(open_entries.order_by().values_list("kind", flat=True).distinct())


@dataclass(frozen=True)
class Claim:
    """An entry that is ours to send until the claim's lifetime is over.

    ``must_reconcile``: it may have reached Amazon already, so read before sending.
    """

    entry: OutboxEntry
    token: uuid.UUID
    must_reconcile: bool


def claim(
    account: SellerAccount,
    limit: int,
    kinds: Sequence[str],
    *,
    ahead: timedelta = timedelta(0),
    only_by_feed: bool | None = None,
    unknown: bool | None = None,
    besides: Sequence[int] = (),
) -> Sequence[Claim]:
    """Take up to ``limit`` entries of an account that are due, or will be after
    ``ahead``, of these kinds and at most one of each order.

    ``only_by_feed``: only those that cannot go by a call, or only the others.
    ``unknown``: only those that may have reached Amazon already, or only the others.
    ``besides``: none of these.
    """
    now, token = clock.now(), uuid.uuid4()
    with transaction.atomic():
        entries = list(
            OutboxEntry.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(account=account, kind__in=kinds)
            .filter(_due(now, ahead, unknown), _is_its_turn(), _way(only_by_feed))
            .exclude(pk__in=besides)
            .select_related("order", "listing")
            # The earliest deadline first, whatever came before it.
            .order_by(
                F("order__ship_by").asc(nulls_last=True), "next_attempt_at", "id"
            )[:limit]
        )
        claims = [
            Claim(entry, token, entry.state != State.PENDING) for entry in entries
        ]
        OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(
            state=State.SENDING,
            claim_token=token,
            claimed_until=now + CLAIM_LIFETIME,
            attempt_count=F("attempt_count") + 1,
        )
    for entry in entries:
        entry.attempt_count += 1
        entry.claim_token = token
        entry.account = account
    return claims


def _is_its_turn() -> Q:
    older = OutboxEntry.objects.filter(
        order=OuterRef("order"), id__lt=OuterRef("id"), state__in=_OPEN
    ).exclude(state=State.PENDING, error_code=HELD)
    is_apart = Q(kind__in=_APART)
    # What became of a refund may not be known for days, and goods are to leave.
    is_shipment = Q(kind=OutboxEntry.Kind.CONFIRM_SHIPMENT)
    before_shipment = older.exclude(kind__in=(*_APART, OutboxEntry.Kind.REFUND))
    apart = is_apart & ~Exists(older.filter(kind=OuterRef("kind")))
    shipment = is_shipment & ~Exists(before_shipment)
    # Of a listing, Amazon keeps what it gets last: one number at a time.
    is_stock = Q(kind=OutboxEntry.Kind.STOCK)
    of_listing = OutboxEntry.objects.filter(
        listing=OuterRef("listing"), id__lt=OuterRef("id"), state__in=_OPEN
    )
    stock = is_stock & ~Exists(of_listing)
    other = (
        ~is_apart & ~is_shipment & ~is_stock & ~Exists(older.exclude(kind__in=_APART))
    )
    return Q(apart | shipment | stock | other)


def depart(entry: OutboxEntry) -> bool:
    """Note, before it happens, that a claimed entry leaves which must not be sent
    twice; False where it must not leave: the claim was lost, or it left before."""
    now = clock.now()
    has_left = OutboxEntry.objects.filter(
        pk=entry.pk,
        claim_token=entry.claim_token,
        state=State.SENDING,
        departed_at=None,
    ).update(departed_at=now)
    return bool(has_left)


def come_back(entry: OutboxEntry) -> None:
    """Amazon did not take what has departed: it may leave once more."""
    OutboxEntry.objects.filter(pk=entry.pk, claim_token=entry.claim_token).update(
        departed_at=None
    )


def release(claims: Sequence[Claim]) -> None:
    """Put back what was claimed and not attempted, as it was."""
    for must_reconcile in (True, False):
        ours = [claim for claim in claims if claim.must_reconcile == must_reconcile]
        OutboxEntry.objects.filter(
            pk__in=[claim.entry.pk for claim in ours],
            claim_token__in={claim.token for claim in ours},
            state=State.SENDING,
        ).update(
            state=State.UNKNOWN if must_reconcile else State.PENDING,
            claim_token=None,
            claimed_until=None,
            attempt_count=F("attempt_count") - 1,
        )


def _due(
    now: datetime, ahead: timedelta = timedelta(0), unknown: bool | None = None
) -> Q:
    """To be sent now; a claim that outlived its worker is due again, as unknown."""
    new = Q(state=State.PENDING, next_attempt_at__lte=now + ahead)
    perhaps_sent = Q(state=State.UNKNOWN, next_attempt_at__lte=now + ahead) | Q(
        state=State.SENDING, claimed_until__lte=now
    )
    if unknown is None:
        return new | perhaps_sent
    return perhaps_sent if unknown else new


def _way(only_by_feed: bool | None) -> Q:
    if only_by_feed is None:
        return Q()
    return Q(error_code=BY_FEED) if only_by_feed else ~Q(error_code=BY_FEED)


def due_count(
    account: SellerAccount,
    kind: str,
    *,
    only_by_feed: bool | None = None,
    unknown: bool | None = None,
) -> int:
    """How many entries of the kind are to be sent now; see ``claim``."""
    return OutboxEntry.objects.filter(
        _due(clock.now(), unknown=unknown),
        _way(only_by_feed),
        account=account,
        kind=kind,
    ).count()


def most_urgent(
    account: SellerAccount, kind: str, limit: int, ship_by: datetime
) -> Sequence[int]:
    """Keys of entries that are to be sent now, can go by a call, and are of orders to
    be shipped until ``ship_by``, the earliest first."""
    return list(
        OutboxEntry.objects.filter(
            _due(clock.now(), unknown=False),
            _is_its_turn(),
            _way(only_by_feed=False),
            account=account,
            kind=kind,
            order__ship_by__lte=ship_by,
        )
        .order_by("order__ship_by", "next_attempt_at", "id")
        .values_list("pk", flat=True)[:limit]
    )


_NUMBER = """
    UPDATE saleor_amazon_channel_outboxentry SET message_id = given.message_id
    FROM unnest(%(pks)s::bigint[], %(message_ids)s::int[]) AS given (pk, message_id)
    WHERE id = given.pk
"""


def submit(claims: Mapping[int, Claim], feed: Feed) -> bool:
    """Make what was claimed the messages of ``feed``, by their ids, in the caller's
    transaction; False, and nothing changed, if one of the claims was lost."""
    pks = [claim.entry.pk for claim in claims.values()]
    tokens = {claim.token for claim in claims.values()}
    ours = OutboxEntry.objects.filter(
        pk__in=pks, claim_token__in=tokens, state=State.SENDING
    )
    if len(ours.select_for_update().order_by("pk").values_list("pk")) != len(claims):
        return False
    with connection.cursor() as cursor:
        # In SQL: it takes Django seconds to write it for some thousands.
        cursor.execute(_NUMBER, {"pks": pks, "message_ids": list(claims)})
    OutboxEntry.objects.filter(pk__in=pks).update(
        state=State.SUBMITTED, feed=feed, claim_token=None, claimed_until=None
    )
    return True


def reopen(feed: Feed, *, was_sent: bool = True) -> list[Claim]:
    """Claim the entries of a feed that has ended, in the caller's transaction, so that
    they are settled like others. ``was_sent``: Amazon had it, or may have.

    Who settles them in the same transaction holds their orders: ``lock_objects``.
    """
    token, now = uuid.uuid4(), clock.now()
    # Also those of a worker that died when it had begun to settle them.
    open_ = Q(state__in=(State.SUBMITTED, State.UNKNOWN)) | Q(
        state=State.SENDING, claimed_until__lte=now
    )
    entries = list(
        OutboxEntry.objects.select_for_update(of=("self",))
        .filter(open_, feed=feed)
        .select_related("order", "listing")
        .order_by("pk")
    )
    OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(
        state=State.SENDING,
        claim_token=token,
        claimed_until=now + CLAIM_LIFETIME,
        **({} if was_sent else {"feed": None, "message_id": None}),
    )
    return [Claim(entry, token, must_reconcile=was_sent) for entry in entries]


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. ``next_attempt_at`` for pending and unknown only."""

    state: OutboxEntry.State
    message: str = ""
    error_code: str = ""
    next_attempt_at: datetime | None = None
    status_code: int | None = None
    request_id: str = ""
    #: Nothing was sent, so it does not count as an attempt.
    is_postponed: bool = False


def settle(claim: Claim, outcome: Outcome, started_at: datetime) -> bool:
    """Write the outcome in the caller's transaction; False if the claim was lost."""
    return bool(settle_all([(claim, outcome)], started_at))


def settle_all(
    settled: Sequence[tuple[Claim, Outcome]], started_at: datetime
) -> list[tuple[Claim, Outcome]]:
    """Write outcomes in the caller's transaction, in a few queries however many there
    are; those of them whose claim was still ours. The others are left alone."""
    now = clock.now()
    tokens = dict(
        OutboxEntry.objects.select_for_update()
        .filter(pk__in=[claim.entry.pk for claim, _ in settled], state=State.SENDING)
        .order_by("pk")
        .values_list("pk", "claim_token")
    )
    ours = [each for each in settled if tokens.get(each[0].entry.pk) == each[0].token]
    pks: dict[tuple[State, bool], list[int]] = {}
    for claim, outcome in ours:
        alike = pks.setdefault((outcome.state, outcome.is_postponed), [])
        alike.append(claim.entry.pk)
    for (state, is_postponed), alike in pks.items():
        OutboxEntry.objects.filter(pk__in=alike).update(
            state=state,
            claim_token=None,
            claimed_until=None,
            next_attempt_at=now,
            settled_at=None if state in _OPEN else now,
            error_code="",
            error_message="",
            attempt_count=F("attempt_count") - (1 if is_postponed else 0),
        )
    OutboxEntry.objects.bulk_update(
        [
            OutboxEntry(
                pk=claim.entry.pk,
                next_attempt_at=outcome.next_attempt_at or now,
                error_code=outcome.error_code,
                error_message=outcome.message,
            )
            for claim, outcome in ours
            if outcome.state != State.SUCCEEDED
        ],
        ["next_attempt_at", "error_code", "error_message"],
    )
    OutboxAttempt.objects.bulk_create(
        OutboxAttempt(
            entry=claim.entry,
            started_at=started_at,
            duration_ms=max(0, int((now - started_at).total_seconds() * 1000)),
            outcome=outcome.state,
            status_code=outcome.status_code,
            request_id=outcome.request_id,
            message=outcome.message,
        )
        for claim, outcome in ours
        if not outcome.is_postponed
    )
    return ours


def leave(claim: Claim) -> None:
    """Give back, in the caller's transaction, what was reopened in it: the feed has it
    still."""
    OutboxEntry.objects.filter(pk=claim.entry.pk, claim_token=claim.token).update(
        state=State.SUBMITTED, claim_token=None, claimed_until=None
    )


def is_under_way(feed: Feed) -> bool:
    """Whether an entry of the feed waits for what the feed has to tell."""
    return OutboxEntry.objects.filter(feed=feed, state=State.SUBMITTED).exists()


def has_work(*, may_send: bool) -> bool:
    """Whether an entry of an active account is due and may be sent, or one of any
    account is settled and not yet reported to the shop."""
    wanted = _UNREPORTED
    if may_send:
        wanted |= _due(clock.now()) & Q(account__state=SellerAccount.State.ACTIVE)
    return OutboxEntry.objects.filter(wanted).exists()


def look_soon(entry: OutboxEntry) -> None:
    """Amazon has told something that may say what became of it."""
    OutboxEntry.objects.filter(pk=entry.pk, state=State.UNKNOWN).update(
        next_attempt_at=clock.now()
    )


def look_again(entries: Iterable[OutboxEntry]) -> None:
    """What these are held for has come, or has changed."""
    OutboxEntry.objects.filter(
        pk__in=[entry.pk for entry in entries], state=State.PENDING, error_code=HELD
    ).update(next_attempt_at=clock.now())


def unsent(account: SellerAccount) -> dict[str, int]:
    """By kind how many entries of the account Amazon has not answered for good. Stock
    is not among them: it is counted anew whenever it is to be sent."""
    open_entries = OutboxEntry.objects.filter(account=account, state__in=_OPEN).exclude(
        kind=OutboxEntry.Kind.STOCK
    )
    counted = open_entries.order_by("kind").values_list("kind")
    return dict(counted.annotate(count=Count("id")))


def abandon(
    which: Q, error_code: str, not_sent: str, perhaps_sent: str
) -> list[tuple[OutboxEntry, str]]:
    """Fail those entries that Amazon has not answered, in the caller's transaction,
    which holds their orders; the entries, each with the message it got.
    ``perhaps_sent`` is for what may have reached Amazon."""
    entries = list(
        OutboxEntry.objects.select_for_update(of=("self",))
        .filter(which, state__in=_OPEN)
        .select_related("order", "listing")
        .order_by("pk")
    )
    failed = []
    for message, is_pending in ((not_sent, True), (perhaps_sent, False)):
        those = [e for e in entries if (e.state == State.PENDING) == is_pending]
        OutboxEntry.objects.filter(pk__in=[entry.pk for entry in those]).update(
            state=State.FAILED,
            claim_token=None,
            claimed_until=None,
            settled_at=clock.now(),
            error_code=error_code,
            error_message=message,
        )
        failed += [(entry, message) for entry in those]
    return failed


def retry(pks: Sequence[int]) -> None:
    """Make entries due now, in the caller's transaction, which has locked them. What
    failed may have arrived: unless it never left, Amazon is asked first."""
    now = clock.now()
    failed = OutboxEntry.objects.filter(pk__in=pks, state=State.FAILED)
    never_left = Q(attempt_count=0, departed_at=None)
    for which, state in ((never_left, State.PENDING), (~never_left, State.UNKNOWN)):
        failed.filter(which).update(
            state=state,
            settled_at=None,
            reported_at=None,
            feed=None,
            message_id=None,
            error_code="",
            error_message="",
        )
    OutboxEntry.objects.filter(
        pk__in=pks, state__in=(State.PENDING, State.UNKNOWN)
    ).update(next_attempt_at=now)


def redact(orders: Sequence[AmazonOrder]) -> None:
    """Delete what entries of these orders hold of their buyers; they are settled."""
    entries = OutboxEntry.objects.filter(order__in=orders)
    OutboxAttachment.objects.filter(entry__in=entries).update(content=b"")
    entries.exclude(personal="").update(personal="")


def unreported(limit: int) -> Sequence[int]:
    """Keys of settled entries whose outcome is not on the shop's order yet."""
    return list(
        OutboxEntry.objects.filter(_UNREPORTED)
        .order_by("settled_at", "id")
        .values_list("pk", flat=True)[:limit]
    )


def mark_told(entries: Sequence[OutboxEntry]) -> None:
    """The shop has nothing to hear of these."""
    OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(
        reported_at=clock.now()
    )


def mark_reported(entry: OutboxEntry) -> None:
    OutboxEntry.objects.filter(pk=entry.pk).update(reported_at=clock.now())
