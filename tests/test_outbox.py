"""The outbox by itself: order, claims, settling. Sending is in ``journeys``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saleor_amazon_channel import clock, outbox
from saleor_amazon_channel.models import AmazonOrder, OutboxEntry, SellerAccount
from saleor_amazon_channel.outbox import Outcome, State
from wire_orders import NOW

pytestmark = pytest.mark.django_db

KIND = OutboxEntry.Kind.CONFIRM_SHIPMENT


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def order(account: SellerAccount) -> AmazonOrder:
    return make_order(account, 1)


def make_order(account: SellerAccount, number: int) -> AmazonOrder:
    return AmazonOrder.objects.create(
        account=account,
        amazon_order_id=f"111-0000001-{number:07}",
        created_time=NOW,
        last_updated_time=NOW,
    )


def enqueue(order: AmazonOrder, subject: str = "1", revision: int = 1) -> None:
    outbox.enqueue(
        order, KIND, subject=subject, revision=revision, payload={"n": revision}
    )


def states() -> list[str]:
    return list(OutboxEntry.objects.order_by("id").values_list("state", flat=True))


def test_the_same_intent_twice_is_written_once(order: AmazonOrder) -> None:
    enqueue(order)
    enqueue(order)
    assert states() == ["pending"]


def test_a_newer_revision_takes_the_place_of_an_unsent_one(order: AmazonOrder) -> None:
    enqueue(order, revision=1)
    enqueue(order, subject="2")
    enqueue(order, revision=2)
    assert states() == ["superseded", "pending", "pending"]


def test_what_is_being_sent_is_not_superseded(order: AmazonOrder) -> None:
    enqueue(order, revision=1)
    outbox.claim(order.account, 10, [KIND])
    enqueue(order, revision=2)
    assert states() == ["sending", "pending"]


def test_subjects_that_begin_alike_are_not_mixed_up(order: AmazonOrder) -> None:
    enqueue(order, subject="10")
    enqueue(order, subject="1")
    assert states() == ["pending", "pending"]


def test_one_order_is_sent_in_order_and_orders_do_not_wait_for_each_other(
    account: SellerAccount, order: AmazonOrder
) -> None:
    other = make_order(account, 2)
    enqueue(order, "1")
    enqueue(order, "2")
    enqueue(other, "1")

    claims = outbox.claim(account, 10, [KIND])

    assert [claim.entry.idempotency_key for claim in claims] == [
        "confirm_shipment:111-0000001-0000001:1:1",
        "confirm_shipment:111-0000001-0000002:1:1",
    ]
    assert outbox.claim(account, 10, [KIND]) == []
    outbox.settle(claims[0], Outcome(State.SUCCEEDED), NOW)
    [second] = outbox.claim(account, 10, [KIND])
    assert second.entry.idempotency_key.endswith("0000001:2:1")


def test_an_entry_that_needs_a_human_does_not_hold_up_the_next(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order, "1")
    enqueue(order, "2")
    [first] = outbox.claim(account, 10, [KIND])
    outbox.settle(first, Outcome(State.FAILED, "no", "X"), NOW)
    assert len(outbox.claim(account, 10, [KIND])) == 1


def test_nothing_is_claimed_before_its_time(
    account: SellerAccount, order: AmazonOrder, now
) -> None:
    enqueue(order)
    [claim] = outbox.claim(account, 10, [KIND])
    later = NOW + timedelta(seconds=30)
    outbox.settle(claim, Outcome(State.PENDING, next_attempt_at=later), NOW)

    assert outbox.claim(account, 10, [KIND]) == []
    now(timedelta(seconds=30))
    [again] = outbox.claim(account, 10, [KIND])
    assert (again.must_reconcile, again.entry.attempt_count) == (False, 2)


def test_a_lost_claim_is_taken_over_and_must_be_reconciled(
    account: SellerAccount, order: AmazonOrder, now
) -> None:
    enqueue(order)
    [lost] = outbox.claim(account, 10, [KIND])
    now(outbox.CLAIM_LIFETIME)

    [taken] = outbox.claim(account, 10, [KIND])

    assert taken.must_reconcile
    assert not outbox.settle(lost, Outcome(State.FAILED, "late", "X"), NOW)
    assert states() == ["sending"]
    assert outbox.settle(taken, Outcome(State.SUCCEEDED, "done"), NOW)
    assert states() == ["succeeded"]


def test_a_worker_whose_clock_is_ahead_takes_no_live_claim(
    account: SellerAccount, order: AmazonOrder, now
) -> None:
    enqueue(order)
    outbox.claim(account, 10, [KIND])
    # A minute after the claim, by a clock that is five minutes ahead.
    now(timedelta(minutes=6))

    assert outbox.claim(account, 10, [KIND]) == []


def test_an_unknown_outcome_stays_one_until_amazon_was_read(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    [claim] = outbox.claim(account, 10, [KIND])
    outbox.settle(claim, Outcome(State.UNKNOWN, "?", next_attempt_at=NOW), NOW)
    [again] = outbox.claim(account, 10, [KIND])
    assert again.must_reconcile


def test_each_attempt_leaves_a_row_and_a_postponed_one_none(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    [claim] = outbox.claim(account, 10, [KIND])
    outbox.settle(
        claim, Outcome(State.PENDING, next_attempt_at=NOW, is_postponed=True), NOW
    )
    entry = OutboxEntry.objects.get()
    assert (entry.attempt_count, entry.attempts.count()) == (0, 0)

    [claim] = outbox.claim(account, 10, [KIND])
    outbox.settle(
        claim,
        Outcome(
            State.FAILED, "Bad.", "InvalidRequest", status_code=400, request_id="r"
        ),
        NOW - timedelta(milliseconds=250),
    )
    entry.refresh_from_db()
    attempt = entry.attempts.get()
    assert (entry.attempt_count, entry.error_message, entry.settled_at) == (
        1,
        "Bad.",
        NOW,
    )
    assert (attempt.outcome, attempt.status_code, attempt.request_id) == (
        "failed",
        400,
        "r",
    )
    assert attempt.duration_ms == 250


def test_outcomes_are_reported_once_and_in_order(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    [claim] = outbox.claim(account, 10, [KIND])
    assert outbox.unreported(10) == []
    outbox.settle(claim, Outcome(State.SUCCEEDED, "done"), NOW)

    assert outbox.unreported(10) == [claim.entry.pk]
    assert outbox.has_work(may_send=False)
    outbox.mark_reported(claim.entry)
    assert outbox.unreported(10) == []
    assert not outbox.has_work(may_send=True)


def test_what_was_claimed_and_not_tried_goes_back_as_it_was(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    outbox.release(outbox.claim(account, 10, [KIND]))

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.attempt_count, entry.claim_token) == ("pending", 0, None)

    OutboxEntry.objects.update(state="unknown")
    outbox.release(outbox.claim(account, 10, [KIND]))
    assert states() == ["unknown"]


def test_a_live_claim_is_no_work(
    account: SellerAccount, order: AmazonOrder, now
) -> None:
    enqueue(order)
    assert outbox.has_work(may_send=True)
    assert not outbox.has_work(may_send=False)
    outbox.claim(account, 10, [KIND])
    assert not outbox.has_work(may_send=True)
    now(outbox.CLAIM_LIFETIME)
    assert outbox.has_work(may_send=True)


def test_what_is_held_is_overtaken(account: SellerAccount, order: AmazonOrder) -> None:
    enqueue(order, "1")
    enqueue(order, "2")
    [held] = outbox.claim(account, 10, [KIND])
    outbox.settle(
        held,
        Outcome(
            State.PENDING,
            error_code=outbox.HELD,
            next_attempt_at=NOW + timedelta(minutes=1),
            is_postponed=True,
        ),
        NOW,
    )
    [second] = outbox.claim(account, 10, [KIND])
    assert second.entry.idempotency_key.endswith(":2:1")


def test_the_earliest_deadline_goes_first(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    urgent = make_order(account, 2)
    urgent.ship_by = NOW + timedelta(hours=1)
    urgent.save()
    enqueue(urgent)

    [claim] = outbox.claim(account, 1, [KIND])

    assert claim.entry.order == urgent


def test_what_cannot_go_by_a_call_is_left_to_the_feed(
    account: SellerAccount, order: AmazonOrder
) -> None:
    enqueue(order)
    OutboxEntry.objects.update(error_code=outbox.BY_FEED)

    assert outbox.due_count(account, KIND, only_by_feed=False) == 0
    assert outbox.claim(account, 10, [KIND], only_by_feed=False) == []
    assert len(outbox.claim(account, 10, [KIND], only_by_feed=True)) == 1
