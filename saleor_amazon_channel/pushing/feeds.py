"""Intents that go to Amazon as messages of a feed, many at a time.

    claim → document, upload → (written down) → createFeed → … → report → settle

``createFeed`` has no idempotency key, so that a feed is on its way is written down
before that call. Where its answer got lost, Amazon's list of feeds says when no feed
that could be ours is under way any more; until then no entry is sent again. A feed that
ended without telling what became of its messages leaves them ``unknown``, and each is
settled by reading Amazon. So does one that does not end in time (``give_up_after``),
where sending a message twice does no harm; where it would, a person has to look.

Each step here stands alone: one that fails, or has to wait for Amazon's usage plan,
undoes nothing and keeps no other waiting.

Source of the figures: SP-API "Feeds API FAQ" (patience up to 8 hours is asked for).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet

from .. import budget, clock, failures, lock_objects, outbox
from ..amazon import errors, feed_reports, feeds
from ..amazon.client import Client
from ..amazon.order_feeds import MOST_MESSAGES
from ..amazon.throttle import USAGE_PLANS
from ..ledger import communication
from ..models import Feed, OutboxEntry, SellerAccount
from ..outbox import Claim, Outcome, State
from . import cancellations, credit_notes, invoices, refunds, settling, shipments, stock

logger = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 2.0
#: How long after each look a feed is looked at again; the last one goes on.
POLL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300))
#: A feed whose submission was not answered is looked for from then on, and taken for
#: not arrived after the second: Amazon's list may lag behind.
LOOK_FOR_AFTER = timedelta(minutes=1)
NOT_ARRIVED_AFTER = timedelta(minutes=20)
#: A feed that has not ended by then is not waited for any more: three times what Amazon
#: asks for.
GIVE_UP_AFTER = timedelta(days=1)
#: Entries whose order is read at a time; what was read is settled one by one.
READ_AT_ONCE = 20
#: Of those that one call reads several of, as many are read in a run: 25 calls, five a
#: second. The rest waits for the next one, since a shipment must not wait for it.
READ_IN_A_RUN = 500
#: Clocks differ, and Amazon may have been slow to answer.
SKEW = timedelta(minutes=10)


class Kind(Protocol):
    """What the module of a kind of intent that goes by feed offers."""

    FEED_TYPE: str
    #: Whether a message that takes effect twice does what it does once.
    IS_REPEATABLE: bool

    #: By entry its message, in a form of the kind's own, or what came of it already,
    #: or what it waits for. What is sent is what was looked at here, and only here.
    def prepare(self, entries: Sequence[OutboxEntry]) -> Mapping[int, Any]: ...

    #: The feed's content, of messages by their ids.
    def document(
        self, account: SellerAccount, messages: Mapping[int, Any]
    ) -> bytes: ...
    def reconcile(self, client: Client, entry: OutboxEntry) -> Outcome | None: ...
    #: By entry what is told of it.
    def succeeded(self, entries: Sequence[OutboxEntry]) -> Mapping[int, str]: ...
    def settled(
        self, client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
    ) -> None: ...
    #: What follows in the ledger, in the transaction that settles them.
    def record_success(self, entries: Sequence[OutboxEntry]) -> None: ...
    def report(self, entry: OutboxEntry) -> None: ...


#: By the kind of intent, in the order in which they are sent.
KINDS: Mapping[str, Kind] = {
    str(OutboxEntry.Kind.CONFIRM_SHIPMENT): shipments,
    str(OutboxEntry.Kind.CANCEL): cancellations,
    str(OutboxEntry.Kind.REFUND): refunds,
    str(OutboxEntry.Kind.INVOICE): invoices,
    str(OutboxEntry.Kind.CREDIT_NOTE): credit_notes,
    str(OutboxEntry.Kind.STOCK): stock,
}


def _is_ready(account: SellerAccount) -> bool:
    return True


def _note_sent(messages: Mapping[int, Any], feed: Feed) -> None:
    """Nothing."""


ReconcileMany = Callable[
    [Client, Sequence[OutboxEntry], float], Mapping[int, Outcome | None]
]


@dataclass(frozen=True)
class Form:
    """How the feeds of a kind differ from an XML document of many messages."""

    content_type: str = feeds.XML
    most_messages: int = MOST_MESSAGES
    #: It goes only while so many calls of createFeed are left, to the others.
    calls_left: int = 0
    options: Callable[[Sequence[Any]], Mapping[str, str]] = lambda messages: {}
    refused: Callable[[OutboxEntry, Sequence[feed_reports.Result]], Outcome] | None = (
        None
    )
    #: Its messages are for the one marketplace that it names.
    is_of_one_marketplace: bool = False
    #: Whether all is known of the account that has to be before anything is sent.
    is_ready: Callable[[SellerAccount], bool] = _is_ready
    #: Write down, with the feed, what is about to leave: messages by their entries.
    note_sent: Callable[[Mapping[int, Any], Feed], None] = _note_sent
    not_arrived_after: timedelta = NOT_ARRIVED_AFTER
    give_up_after: timedelta = GIVE_UP_AFTER
    #: What ``Kind.reconcile`` says of up to ``READ_AT_ONCE`` entries of a marketplace,
    #: in one call that may wait so many seconds; those it leaves out are read alone.
    reconcile_many: ReconcileMany | None = None


FORMS: Mapping[str, Form] = {
    str(OutboxEntry.Kind.CONFIRM_SHIPMENT): Form(give_up_after=shipments.GIVE_UP_AFTER),
    str(OutboxEntry.Kind.REFUND): Form(
        is_ready=refunds.is_ready,
        note_sent=refunds.note_sent,
        not_arrived_after=refunds.NOT_ARRIVED_AFTER,
        give_up_after=refunds.GIVE_UP_AFTER,
    ),
    str(OutboxEntry.Kind.INVOICE): Form(
        content_type=invoices.CONTENT_TYPE,
        most_messages=1,
        calls_left=5,
        options=invoices.options,
        refused=invoices.refused,
        not_arrived_after=invoices.NOT_ARRIVED_AFTER,
    ),
    str(OutboxEntry.Kind.CREDIT_NOTE): Form(
        content_type=invoices.CONTENT_TYPE,
        most_messages=1,
        calls_left=5,
        options=invoices.options,
        refused=credit_notes.refused,
        not_arrived_after=invoices.NOT_ARRIVED_AFTER,
    ),
    str(OutboxEntry.Kind.STOCK): Form(
        content_type=stock.CONTENT_TYPE,
        most_messages=stock.MOST_MESSAGES,
        calls_left=5,
        is_ready=stock.is_ready,
        is_of_one_marketplace=True,
        reconcile_many=stock.reconcile_many,
    ),
}

#: Shipments go by calls of their own, two a second, and are confirmed at once. From
#: this many on the last of them would wait longer for its call than for a feed.
MANY_SHIPMENTS = 300
#: A feed may take hours. Of many shipments those are left to the calls that are to be
#: confirmed within that time, the most urgent first, as many as go at once.
PATIENCE = timedelta(hours=8)
URGENT_BY_CALL = 10


class _ClaimsLostError(Exception):
    """Another worker took one of the entries over: nothing was sent."""


def has_work() -> bool:
    """Whether a feed of an active account is to be looked at."""
    return _due().filter(account__state=SellerAccount.State.ACTIVE).exists()


def look_at(account: SellerAccount, feed_ids: Sequence[str]) -> None:
    """Amazon says that these feeds have come to their end: their poll is due."""
    Feed.objects.filter(
        account=account, feed_id__in=feed_ids, state=Feed.State.SUBMITTED
    ).update(next_poll_at=clock.now())


def push(
    client: Client, account: SellerAccount, open_kinds: Collection[str]
) -> Iterator[Outcome]:
    """Follow the account's feeds, then send what is due of these kinds; what was
    settled."""
    steps = [
        _follow(client, account, feed)
        for feed in _due().filter(account=account).order_by("next_poll_at")
    ]
    for kind in KINDS:
        if kind in open_kinds:
            steps += [_read_back(client, account, kind), _submit(client, account, kind)]
    for step in steps:
        if account.state != SellerAccount.State.ACTIVE:
            return
        try:
            yield from step
        except errors.TryLater as error:
            logger.info("account %s: feeds go on later: %s", account.pk, error)
            if isinstance(error, errors.Unavailable):
                return  # The other steps would meet the same.
        except Exception as error:  # noqa: BLE001
            failures.log(logger, f"account {account.pk}: a step of its feeds", error)


def _only_by_feed(account: SellerAccount, kind: str) -> bool | None:
    """Whether a feed is only for those that cannot go by a call; None: for all."""
    if kind in (OutboxEntry.Kind.INVOICE, OutboxEntry.Kind.CREDIT_NOTE):
        return True
    if kind == OutboxEntry.Kind.CANCEL:
        return True if cancellations.goes_by_call(account) else None
    many = {
        OutboxEntry.Kind.CONFIRM_SHIPMENT: MANY_SHIPMENTS,
        OutboxEntry.Kind.STOCK: stock.MANY,
    }.get(OutboxEntry.Kind(kind))
    is_for_calls = many is not None and (
        outbox.due_count(account, kind) < many or _hangs(account, KINDS[kind].FEED_TYPE)
    )
    return True if is_for_calls else None


def _hangs(account: SellerAccount, feed_type: str) -> bool:
    """A feed of the type was given up not long ago: another would wait behind it, since
    Amazon works off those of a type one after the other (thread:
    selling-partner-api-models issue 4354)."""
    given_up = Feed.objects.filter(
        account=account,
        feed_type=feed_type,
        state=Feed.State.SETTLED,
        settled_at__gt=clock.now() - GIVE_UP_AFTER,
        is_missing=False,
    )
    return given_up.exclude(processing_status__in=("", *feeds.FINAL)).exists()


def _are_calls_left(account: SellerAccount, kind: str) -> bool:
    wanted = FORMS.get(kind, Form()).calls_left
    if not wanted:
        return True
    plan = USAGE_PLANS[feeds.CREATE_FEED]
    return budget.SharedBudget(account.pk).left(feeds.CREATE_FEED, plan) > wanted


# --- out -----------------------------------------------------------------------------


def _read_back(client: Client, account: SellerAccount, kind: str) -> Iterator[Outcome]:
    """Settle what may have reached Amazon already by reading it, order by order.

    What Amazon turns out not to have is to be sent like what is new. Each answer is
    written down before the next is asked for, so that running out of budget between
    them loses none.
    """
    if reconcile_many := FORMS.get(kind, Form()).reconcile_many:
        yield from _read_back_together(client, account, kind, reconcile_many)
        return
    module, only_by_feed = KINDS[kind], _only_by_feed(account, kind)
    while claims := outbox.claim(
        account, READ_AT_ONCE, [kind], only_by_feed=only_by_feed, unknown=True
    ):
        try:
            yield from _read_each(client, account, module, claims)
            if account.state != SellerAccount.State.ACTIVE:
                return
        finally:
            outbox.release(claims)  # Those that it did not come to.


def _read_back_together(
    client: Client, account: SellerAccount, kind: str, reconcile_many: ReconcileMany
) -> Iterator[Outcome]:
    """The same for many in a call; also of those that would go by a call."""
    module = KINDS[kind]
    claims = outbox.claim(account, READ_IN_A_RUN, [kind], unknown=True)
    by_marketplace: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_marketplace[claim.entry.marketplace_id].append(claim)
    try:
        for of_one in by_marketplace.values():
            for start in range(0, len(of_one), READ_AT_ONCE):
                part = of_one[start : start + READ_AT_ONCE]
                found = _read_many(client, part, reconcile_many)
                yield from _settle(
                    [
                        (claim, found[claim.entry.pk] or _to_be_sent())
                        for claim in part
                        if claim.entry.pk in found
                    ]
                )
                left_out = [claim for claim in part if claim.entry.pk not in found]
                yield from _read_each(client, account, module, left_out)
                if account.state != SellerAccount.State.ACTIVE:
                    return
    finally:
        outbox.release(claims)  # Those that it did not come to.


def is_being_read(account: SellerAccount, kind: str) -> bool:
    """Whether some of those that one call reads several of are still to be read: until
    then none of the kind is sent, so that what is left goes by one feed."""
    return bool(
        FORMS.get(kind, Form()).reconcile_many
        and outbox.due_count(account, kind, unknown=True)
    )


def _read_many(
    client: Client, claims: Sequence[Claim], reconcile_many: ReconcileMany
) -> Mapping[int, Outcome | None]:
    try:
        return reconcile_many(
            client, [claim.entry for claim in claims], MAX_WAIT_SECONDS
        )
    except errors.TryLater as error:
        _settle([(claim, settling.failure(claim, error)) for claim in claims])
        raise
    except (errors.InvalidRequest, errors.MalformedAnswer) as error:
        # One of them may be at fault: each says for itself.
        logger.info("%s entries are read one by one: %s", len(claims), error)
    except errors.AmazonError as error:
        entry = claims[0].entry
        communication.note_failure(entry.account, entry.kind, error)
        return {claim.entry.pk: settling.failure(claim, error) for claim in claims}
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"{len(claims)} outbox entries: reading Amazon", error)
    return {}


def _read_each(
    client: Client, account: SellerAccount, module: Kind, claims: Sequence[Claim]
) -> Iterator[Outcome]:
    for claim in claims:
        yield _read(client, account, module, claim)
        if account.state != SellerAccount.State.ACTIVE:
            return


def _to_be_sent() -> Outcome:
    return Outcome(State.PENDING, next_attempt_at=clock.now(), is_postponed=True)


def _read(
    client: Client, account: SellerAccount, module: Kind, claim: Claim
) -> Outcome:
    entry, try_later = claim.entry, None
    try:
        outcome = module.reconcile(client, entry) or _to_be_sent()
    except errors.TryLater as error:
        outcome, try_later = settling.failure(claim, error), error
    except errors.AmazonError as error:
        outcome = settling.failure(claim, error)
        communication.note_failure(account, entry.kind, error, entry.amazon_order_id)
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"outbox entry {entry.pk}: reading Amazon", error)
        outcome = settling.unexpected(claim)
    _settle([(claim, outcome)])
    if try_later:
        raise try_later
    return outcome


def _submit(client: Client, account: SellerAccount, kind: str) -> Iterator[Outcome]:
    module, form = KINDS[kind], FORMS.get(kind, Form())
    only_by_feed = _only_by_feed(account, kind)
    if not _are_calls_left(account, kind):
        return
    if not outbox.due_count(account, kind, only_by_feed=only_by_feed, unknown=False):
        return
    if is_being_read(account, kind) or not form.is_ready(account):
        return
    urgent: Sequence[int] = ()
    if kind == OutboxEntry.Kind.CONFIRM_SHIPMENT and only_by_feed is None:
        urgent = outbox.most_urgent(
            account, kind, URGENT_BY_CALL, clock.now() + PATIENCE
        )
    # With what is due goes what would follow soon: Amazon takes a feed in two minutes.
    claims = outbox.claim(
        account,
        form.most_messages,
        [kind],
        ahead=outbox.COMPANY_WAIT,
        only_by_feed=only_by_feed,
        unknown=False,
        besides=urgent,
    )
    mine = claims
    if claims and form.is_of_one_marketplace:
        first = claims[0].entry.marketplace_id
        mine = [claim for claim in claims if claim.entry.marketplace_id == first]
    try:
        prepared = _prepare(module, mine)
        yield from _settle(
            [
                (claim, outcome)
                for claim in mine
                if isinstance(outcome := prepared[claim.entry.pk], Outcome)
            ]
        )
        yield from _send(
            client,
            account,
            module,
            [
                (claim, prepared[claim.entry.pk])
                for claim in mine
                if not isinstance(prepared[claim.entry.pk], Outcome)
            ],
        )
    finally:
        outbox.release(claims)  # What has not been sent, whatever went wrong.


def _prepare(module: Kind, claims: Sequence[Claim]) -> Mapping[int, Any]:
    """All at once, or, where one of them goes wrong unexpectedly, one by one."""
    try:
        return module.prepare([claim.entry for claim in claims])
    except Exception as error:  # noqa: BLE001
        if len(claims) > 1:
            return {
                pk: message
                for claim in claims
                for pk, message in _prepare(module, [claim]).items()
            }
        [claim] = claims
        failures.log(logger, f"outbox entry {claim.entry.pk}: preparing", error)
        # Nothing of it was sent.
        outcome = replace(settling.unexpected(claim), state=State.PENDING)
        return {claim.entry.pk: outcome}


def _send(
    client: Client,
    account: SellerAccount,
    module: Kind,
    to_send: Sequence[tuple[Claim, Any]],
) -> Iterator[Outcome]:
    """Submit a feed of what was claimed; the outcomes of what could not go with it."""
    if not to_send:
        return
    claims = [claim for claim, _ in to_send]
    form = FORMS.get(claims[0].entry.kind, Form())
    plan = USAGE_PLANS[feeds.CREATE_FEED]
    wait = budget.SharedBudget(account.pk).wait_seconds(feeds.CREATE_FEED, plan)
    if wait > MAX_WAIT_SECONDS:
        # A document for a feed that cannot follow it would be a call for nothing.
        available_at = clock.now() + timedelta(seconds=wait)
        error = errors.BudgetExhausted(feeds.CREATE_FEED, available_at)
        yield from _give_back(account, claims, error)
        return
    # From here on a message and its entry are known by this one number.
    by_message_id = dict(enumerate(to_send, 1))
    content = module.document(
        account, {number: message for number, (_, message) in by_message_id.items()}
    )
    marketplace_ids = sorted({claim.entry.marketplace_id for claim in claims})
    try:
        document = feeds.create_document(
            client, form.content_type, max_wait_seconds=MAX_WAIT_SECONDS
        )
        feeds.upload(client, document, content, form.content_type)
    except errors.AmazonError as error:
        yield from _give_back(account, claims, error)
        return
    now = clock.now()
    try:
        with transaction.atomic():
            feed = Feed.objects.create(
                account=account,
                feed_type=module.FEED_TYPE,
                document_id=document.id,
                marketplace_ids=marketplace_ids,
                sent_at=now,
                next_poll_at=now + LOOK_FOR_AFTER,
            )
            if not outbox.submit(
                {number: claim for number, (claim, _) in by_message_id.items()}, feed
            ):
                raise _ClaimsLostError
            form.note_sent(
                {claim.entry.pk: message for claim, message in to_send}, feed
            )
    except _ClaimsLostError:
        logger.warning("a feed was not sent: a claim on its entries was lost")
        return
    try:
        feed_id = feeds.create_feed(
            client,
            module.FEED_TYPE,
            marketplace_ids,
            document.id,
            options=form.options([message for _, message in to_send]),
            max_wait_seconds=MAX_WAIT_SECONDS,
        )
    except (errors.UnknownOutcome, errors.MalformedAnswer) as error:
        communication.note_failure(account, feeds.CREATE_FEED, error)
        return
    except errors.AmazonError as error:
        with transaction.atomic():
            taken_back = outbox.reopen(feed, was_sent=False)
            _close(feed, "Amazon did not take the feed.", is_missing=True)
        messages = {claim.entry.pk: message for claim, message in to_send}
        yield from _refused(
            client,
            account,
            module,
            [(claim, messages[claim.entry.pk]) for claim in taken_back],
            error,
        )
        return
    # Whoever gave it up meanwhile has settled it.
    Feed.objects.filter(pk=feed.pk, state=Feed.State.SENDING).update(
        state=Feed.State.SUBMITTED,
        feed_id=feed_id,
        next_poll_at=clock.now() + POLL_AFTER[0],
    )
    logger.info("feed %s: %s with %s messages", feed_id, feed.feed_type, len(claims))


def _refused(
    client: Client,
    account: SellerAccount,
    module: Kind,
    taken_back: Sequence[tuple[Claim, Any]],
    error: errors.AmazonError,
) -> Iterator[Outcome]:
    """Amazon did not take a feed. Before it has read its content that is for what all
    of its messages share, and for the marketplaces: each of them has its own try."""
    by_marketplace: dict[str, list[tuple[Claim, Any]]] = defaultdict(list)
    for claim, message in taken_back:
        by_marketplace[claim.entry.marketplace_id].append((claim, message))
    claims = [claim for claim, _ in taken_back]
    is_refusal = isinstance(error, errors.InvalidRequest | errors.Forbidden)
    if not is_refusal or len(by_marketplace) == 1:
        yield from _give_back(account, claims, error)
        return
    try:
        for to_send in by_marketplace.values():
            yield from _send(client, account, module, to_send)
    finally:
        outbox.release(claims)  # Those that it did not come to.


def _give_back(
    account: SellerAccount, claims: Sequence[Claim], error: errors.AmazonError
) -> Iterator[Outcome]:
    """Nothing of these has reached Amazon. What is wrong with the document or its type
    fails them."""
    settled = []
    for claim in claims:
        outcome = settling.failure(claim, error)
        if outcome.state == State.PENDING and claim.entry.error_code == outbox.BY_FEED:
            # Else it would have to find out again that it cannot go by a call, while
            # what comes after it takes the next feed.
            outcome = replace(outcome, error_code=outbox.BY_FEED)
        settled.append((claim, outcome))
    yield from _settle(settled)
    if isinstance(error, errors.TryLater):
        raise error
    communication.note_failure(account, feeds.CREATE_FEED, error)


# --- and back ------------------------------------------------------------------------


def _due() -> QuerySet[Feed]:
    return Feed.objects.filter(
        state__in=(Feed.State.SENDING, Feed.State.SUBMITTED),
        next_poll_at__lte=clock.now(),
    )


def _follow(client: Client, account: SellerAccount, feed: Feed) -> Iterator[Outcome]:
    poll_again_at = clock.now() + POLL_AFTER[min(feed.poll_count, len(POLL_AFTER) - 1)]
    taken = Feed.objects.filter(pk=feed.pk, poll_count=feed.poll_count).update(
        poll_count=F("poll_count") + 1, next_poll_at=poll_again_at
    )
    if not taken:
        return  # Another worker is at it.
    try:
        if feed.state == Feed.State.SENDING:
            outcomes = _look_for(client, account, feed)
        else:
            outcomes = _poll(client, account, feed)
    except errors.AmazonError as error:
        if isinstance(error, errors.TryLater):
            Feed.objects.filter(pk=feed.pk).update(next_poll_at=error.available_at)
            raise
        communication.note_failure(account, feeds.GET_FEED, error)
        outcomes = None
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"feed {feed.pk}: following", error)
        outcomes = None
    yield from outcomes or ()
    is_overdue = clock.now() >= feed.sent_at + _form(feed).give_up_after
    if is_overdue and _is_open(feed):
        yield from _give_up(feed)


def _is_open(feed: Feed) -> bool:
    return Feed.objects.filter(pk=feed.pk).exclude(state=Feed.State.SETTLED).exists()


def _look_for(
    client: Client, account: SellerAccount, feed: Feed
) -> list[Outcome] | None:
    """Nobody heard whether Amazon took the feed; wait for all that could be it.

    None: it is not at its end yet."""
    known = set(
        Feed.objects.filter(account=account)
        .exclude(feed_id="")
        .values_list("feed_id", flat=True)
    )
    candidates = [
        found
        for found in feeds.find_feeds(client, feed.feed_type, feed.sent_at - SKEW)
        if found.id not in known and found.created_time <= feed.sent_at + SKEW
    ]
    if not all(found.is_final for found in candidates):
        return None
    if not candidates and clock.now() < feed.sent_at + _form(feed).not_arrived_after:
        return None
    if candidates:
        return _leave_unknown(feed, "Amazon did not answer when the feed was sent.")
    return _leave_unknown(feed, "The feed did not arrive at Amazon.", is_missing=True)


def _form(feed: Feed) -> Form:
    kinds = (k for k, module in KINDS.items() if feed.feed_type == module.FEED_TYPE)
    return FORMS.get(next(kinds, ""), Form())


def _poll(client: Client, account: SellerAccount, feed: Feed) -> list[Outcome] | None:
    """None: it is not at its end yet."""
    now_there = feeds.get_feed(client, feed.feed_id)
    Feed.objects.filter(pk=feed.pk).update(
        processing_status=now_there.processing_status,
        result_document_id=now_there.result_document_id,
    )
    if not now_there.is_final:
        return None
    status = now_there.processing_status
    if status != feeds.ProcessingStatus.DONE or not now_there.result_document_id:
        return _leave_unknown(feed, f"The feed ended as {status} without a report.")
    document = feeds.get_document(client, now_there.result_document_id)
    try:
        report = feed_reports.parse(feeds.download(client, document))
    except errors.MalformedAnswer as error:
        communication.note_failure(account, feeds.GET_FEED_DOCUMENT, error)
        return _leave_unknown(feed, "The feed's report cannot be read.")
    if not report.tells_all(feed.entries.count()):
        return _leave_unknown(feed, "The feed's report is not complete.")
    return _settle_by_report(client, account, feed, report)


def _settle_by_report(
    client: Client, account: SellerAccount, feed: Feed, report: feed_reports.Report
) -> list[Outcome]:
    note = f"{report.successful} of {report.processed} messages succeeded."
    settled = _end(feed, note, lambda claims: _by_report(claims, report))
    for kind, module in KINDS.items():
        done = [
            claim.entry
            for claim, outcome in settled
            if claim.entry.kind == kind and outcome.state == State.SUCCEEDED
        ]
        if done:
            module.settled(client, account, done)
    return [outcome for _, outcome in settled]


def _by_report(
    claims: Sequence[Claim], report: feed_reports.Report
) -> list[tuple[Claim, Outcome]]:
    settled: list[tuple[Claim, Outcome]] = []
    for kind, module in KINDS.items():
        of_kind = [claim for claim in claims if claim.entry.kind == kind]
        refusals = {
            claim.entry.pk: report.errors_of(claim.entry.message_id or 0)
            for claim in of_kind
        }
        told = module.succeeded([c.entry for c in of_kind if not refusals[c.entry.pk]])
        settled += [
            (
                claim,
                _refusal(claim.entry, refusals[claim.entry.pk])
                if refusals[claim.entry.pk]
                else _success(told[claim.entry.pk], claim.entry, report),
            )
            for claim in of_kind
        ]
    return settled


def _success(told: str, entry: OutboxEntry, report: feed_reports.Report) -> Outcome:
    """What Amazon took and does not like: a tracking number of another form, say."""
    warnings = "; ".join(map(str, report.warnings_of(entry.message_id or 0)))
    return Outcome(
        State.SUCCEEDED, f"{told} Amazon warns: {warnings}" if warnings else told
    )


def _refusal(entry: OutboxEntry, refusals: Sequence[feed_reports.Result]) -> Outcome:
    if refused := FORMS.get(entry.kind, Form()).refused:
        return refused(entry, refusals)
    return Outcome(
        State.FAILED,
        "Amazon refused it: " + "; ".join(map(str, refusals)),
        error_code=refusals[0].code[:100] or "REFUSED",
    )


def _leave_unknown(feed: Feed, note: str, *, is_missing: bool = False) -> list[Outcome]:
    """What became of each message is read from Amazon when its turn comes."""
    settled = _end(
        feed,
        note,
        lambda claims: [(claim, _unknown(note)) for claim in claims],
        is_missing=is_missing,
    )
    return [outcome for _, outcome in settled]


def _unknown(note: str) -> Outcome:
    return Outcome(
        State.UNKNOWN,
        f"{note} The order is read from Amazon before anything is sent again.",
        error_code="FEED_WITHOUT_REPORT",
        next_attempt_at=clock.now(),
    )


def _give_up(feed: Feed) -> list[Outcome]:
    """It may still take effect, so that only what may happen twice goes on."""
    hours = _form(feed).give_up_after // timedelta(hours=1)
    note = f"Amazon did not end the feed within {hours} hours."

    def outcome_of(claim: Claim) -> Outcome:
        if KINDS[claim.entry.kind].IS_REPEATABLE:
            return _unknown(note)
        return Outcome(
            State.FAILED,
            f"{note} It may still take effect: look in Seller Central whether it did "
            "before doing it once more.",
            error_code="FEED_NEVER_ENDED",
        )

    settled = _end(feed, note, lambda claims: [(c, outcome_of(c)) for c in claims])
    return [outcome for _, outcome in settled]


def _end(
    feed: Feed,
    note: str,
    judge: Callable[[Sequence[Claim]], Sequence[tuple[Claim, Outcome]]],
    *,
    is_missing: bool = False,
) -> list[tuple[Claim, Outcome]]:
    """Settle what the feed carried, and close it, all or nothing.

    Where that goes wrong unexpectedly, each message is settled by itself, and the feed
    stays open for those that are not: the next look takes them up.
    """
    with transaction.atomic():
        # Nobody locks an entry before its order.
        lock_objects.hold_orders(Q(outbox_entries__feed=feed))
        claims = outbox.reopen(feed)
        settled = _judge(claims, judge)
        if not outbox.is_under_way(feed):
            _close(feed, note, is_missing=is_missing)
    return settled


def _judge(
    claims: Sequence[Claim],
    judge: Callable[[Sequence[Claim]], Sequence[tuple[Claim, Outcome]]],
) -> list[tuple[Claim, Outcome]]:
    if not claims:
        return []
    try:
        with transaction.atomic():
            settled = list(judge(claims))
            _settle(settled)
    except (OperationalError, InterfaceError):
        raise  # The others would meet the same.
    except Exception as error:  # noqa: BLE001
        if len(claims) > 1:
            return [each for claim in claims for each in _judge([claim], judge)]
        [claim] = claims
        failures.log(logger, f"outbox entry {claim.entry.pk}: settling", error)
        outbox.leave(claim)
        return []
    return settled


def _close(feed: Feed, note: str, *, is_missing: bool = False) -> None:
    Feed.objects.filter(pk=feed.pk).update(
        state=Feed.State.SETTLED,
        settled_at=clock.now(),
        note=note,
        is_missing=is_missing,
    )


def _settle(settled: Sequence[tuple[Claim, Outcome]]) -> list[Outcome]:
    """Write outcomes; a few queries for each kind."""
    for kind, module in KINDS.items():
        of_kind = [each for each in settled if each[0].entry.kind == kind]
        settling.settle(of_kind, clock.now(), module.record_success)
    return [outcome for _, outcome in settled]
