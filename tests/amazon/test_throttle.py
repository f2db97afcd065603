from __future__ import annotations

import random
from datetime import timedelta

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.errors import BudgetExhausted
from saleor_amazon_channel.amazon.throttle import (
    TRAVEL_SECONDS,
    USAGE_PLANS,
    Bucket,
    InMemoryBudget,
    Patience,
    UsagePlan,
    acquire,
    back_off_seconds,
)

from .conftest import NOON, StillClock

SEARCH = USAGE_PLANS["searchOrders"]
TWO_A_SECOND = UsagePlan(rate=2, burst=3)


def taken(bucket: Bucket, calls: int) -> Bucket:
    for _ in range(calls):
        bucket, wait = bucket.take(NOON)
        assert wait == 0
    return bucket


def test_the_plans_are_amazons() -> None:
    assert {name: (plan.rate, plan.burst) for name, plan in USAGE_PLANS.items()} == {
        "searchOrders": (0.0056, 20),
        "getOrder": (0.5, 30),
        "cancelOrder": (1, 5),
        "confirmShipment": (2, 10),
        "getMarketplaceParticipations": (0.016, 15),
        "createFeedDocument": (0.5, 15),
        "createFeed": (0.0083, 15),
        "getFeed": (2, 15),
        "getFeeds": (0.0222, 10),
        "getFeedDocument": (0.0222, 10),
        "createReport": (0.0167, 15),
        "getReport": (2, 15),
        "getReportDocument": (0.0167, 15),
        "listTransactions": (0.5, 10),
        "createUploadDestinationForResource": (10, 10),
        "getMessagingActionsForOrder": (1, 5),
        "GetAttributes": (1, 5),
        "createConfirmOrderDetails": (1, 5),
        "createConfirmDeliveryDetails": (1, 5),
        "confirmCustomizationDetails": (1, 5),
        "createConfirmServiceDetails": (1, 5),
        "createUnexpectedProblem": (1, 5),
        "createLegalDisclosure": (1, 5),
        "CreateWarranty": (1, 5),
        "createDigitalAccessKey": (1, 5),
        "sendInvoice": (1, 5),
        "getSolicitationActionsForOrder": (1, 5),
        "createProductReviewAndSellerFeedbackSolicitation": (1, 5),
        "createDestination": (1, 5),
        "getDestinations": (1, 5),
        "searchListingsItems": (5, 5),
        "getListingsItem": (5, 10),
        "patchListingsItem": (5, 5),
        "createSubscription": (1, 5),
        "getSubscription": (1, 5),
        "deleteSubscriptionById": (1, 5),
    }


def test_a_full_bucket_gives_its_burst_and_then_says_when() -> None:
    empty = taken(Bucket.full(TWO_A_SECOND, NOON), 3)

    same, wait = empty.take(NOON)

    assert same == empty
    assert wait == TRAVEL_SECONDS + 0.5
    due = NOON + timedelta(seconds=wait)
    assert empty.take(due - timedelta(microseconds=1))[1] == pytest.approx(1e-6)
    assert empty.take(due)[1] == 0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = taken(Bucket.full(TWO_A_SECOND, NOON), 3)

    later = bucket.refilled(NOON + timedelta(days=1))

    assert later.tokens == 3


def test_a_clock_that_goes_back_refills_nothing() -> None:
    bucket = Bucket(2, 3, 0, NOON)

    assert bucket.refilled(NOON - timedelta(hours=1)) == bucket
    assert bucket.wait_seconds(NOON - timedelta(seconds=10)) == 10.5


def test_after_a_refusal_the_bucket_is_empty_and_blocked() -> None:
    bucket = Bucket.full(TWO_A_SECOND, NOON)

    assert bucket.penalized(NOON, 3).wait_seconds(NOON) == 3
    assert bucket.penalized(NOON, 0.1).wait_seconds(NOON) == 0.5
    twice = bucket.penalized(NOON, 8).penalized(NOON + timedelta(seconds=1), 2)
    assert twice.wait_seconds(NOON + timedelta(seconds=1)) == 7


def test_a_learned_rate_counts_from_now_on() -> None:
    empty = Bucket(2, 3, 0, NOON)

    slower = empty.at_rate(NOON + timedelta(seconds=0.25), 0.5)

    assert slower.tokens == 0.5
    assert slower.wait_seconds(NOON + timedelta(seconds=0.25)) == 1


def test_calls_follow_the_plan_and_each_wakes_once(still_clock: StillClock) -> None:
    budget, patience = InMemoryBudget(), Patience(3600)
    sent_at = []

    for _ in range(24):
        acquire(budget, "searchOrders", SEARCH, patience)
        sent_at.append((clock.now() - NOON).total_seconds())

    step = 1 / 0.0056
    assert sent_at[:20] == [0] * 20
    assert sent_at[20:] == pytest.approx(
        [TRAVEL_SECONDS + n * step for n in (1, 2, 3, 4)], abs=1e-5
    )
    assert len(still_clock.sleeps) == 4


def test_operations_have_budgets_of_their_own(still_clock: StillClock) -> None:
    budget = InMemoryBudget()
    for _ in range(20):
        assert budget.reserve("searchOrders", SEARCH) == 0

    assert budget.reserve("searchOrders", SEARCH) > 0
    assert budget.reserve("getOrder", USAGE_PLANS["getOrder"]) == 0


def test_too_long_a_wait_is_refused_at_once(still_clock: StillClock) -> None:
    budget = InMemoryBudget()
    for _ in range(3):
        acquire(budget, "confirmShipment", TWO_A_SECOND, Patience(0))

    with pytest.raises(BudgetExhausted) as caught:
        acquire(budget, "confirmShipment", TWO_A_SECOND, Patience(0.9))

    assert caught.value.operation == "confirmShipment"
    assert caught.value.available_at == NOON + timedelta(seconds=1)
    assert still_clock.sleeps == []


def test_patience_is_for_all_waits_together(still_clock: StillClock) -> None:
    patience = Patience(2)

    assert patience.allows(2)
    clock.sleep(1.5)
    assert patience.allows(0.5)
    assert not patience.allows(0.6)


@pytest.mark.parametrize("seed", range(30))
def test_amazon_never_sees_more_than_the_plan_however_long_calls_travel(
    still_clock: StillClock, seed: int
) -> None:
    """Several workers at once, quick and slow ways, busy times and idle ones."""
    chance = random.Random(seed)
    plan = UsagePlan(rate=chance.choice([0.5, 2, 10]), burst=chance.choice([5, 10]))
    budget, patience = InMemoryBudget(), Patience(36_000)
    arrivals = []
    for _ in range(300):
        acquire(budget, "any", plan, patience)
        travel = chance.uniform(0.01, TRAVEL_SECONDS)
        arrivals.append((clock.now() - NOON).total_seconds() + travel)
        if chance.random() < 0.1:
            idle = chance.uniform(0, 1.5 * plan.burst / plan.rate)
            still_clock.move(timedelta(seconds=idle))

    tokens, last = float(plan.burst), 0.0
    for arrival in sorted(arrivals):
        tokens = min(plan.burst, tokens + (arrival - last) * plan.rate) - 1
        last = arrival
        assert tokens > -1e-6


def test_back_off_grows_and_stays_bounded() -> None:
    steps = [max(back_off_seconds(n, 1) for _ in range(200)) for n in range(10)]

    for n, longest in enumerate(steps):
        assert longest <= min(64, 2**n)
    assert steps[6] > steps[0]
