"""Amazon's usage plans, and waiting for them without asking again and again.

Every operation has a token bucket per application and seller: it holds ``burst`` calls
and refills at ``rate`` calls a second (SP-API documentation, "Usage Plans and Rate
Limits"). We keep the same bucket on our side and ask it before each call, so that 429
is an exception. Where the bucket lives is the ``Budget``'s business: all workers of an
account must share it.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from saleor_amazon_channel import clock

from .errors import BudgetExhausted


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """``rate`` in calls per second, ``burst`` in calls."""

    rate: float
    burst: int


#: Amazon's defaults, by the model's operation id. The rate is corrected by what Amazon
#: says in its answers (``Budget.learn``).
USAGE_PLANS: Mapping[str, UsagePlan] = {
    "searchOrders": UsagePlan(0.0056, 20),
    "getOrder": UsagePlan(0.5, 30),
    "cancelOrder": UsagePlan(1, 5),
    "confirmShipment": UsagePlan(2, 10),
    "getMarketplaceParticipations": UsagePlan(0.016, 15),
    "createFeedDocument": UsagePlan(0.5, 15),
    "createFeed": UsagePlan(0.0083, 15),
    "getFeed": UsagePlan(2, 15),
    "getFeeds": UsagePlan(0.0222, 10),
    "getFeedDocument": UsagePlan(0.0222, 10),
    "createReport": UsagePlan(0.0167, 15),
    "getReport": UsagePlan(2, 15),
    "getReportDocument": UsagePlan(0.0167, 15),
    "listTransactions": UsagePlan(0.5, 10),
    "createUploadDestinationForResource": UsagePlan(10, 10),
    # Messaging and Solicitations: one plan for each of their operations. The models
    # print none for sendInvoice; it is taken for the same.
    **dict.fromkeys(
        (
            "getMessagingActionsForOrder",
            "GetAttributes",
            "createConfirmOrderDetails",
            "createConfirmDeliveryDetails",
            "confirmCustomizationDetails",
            "createConfirmServiceDetails",
            "createUnexpectedProblem",
            "createLegalDisclosure",
            "CreateWarranty",
            "createDigitalAccessKey",
            "sendInvoice",
            "getSolicitationActionsForOrder",
            "createProductReviewAndSellerFeedbackSolicitation",
        ),
        UsagePlan(1, 5),
    ),
    "searchListingsItems": UsagePlan(5, 5),
    "getListingsItem": UsagePlan(5, 10),
    "patchListingsItem": UsagePlan(5, 5),
    "createDestination": UsagePlan(1, 5),
    "getDestinations": UsagePlan(1, 5),
    "createSubscription": UsagePlan(1, 5),
    "getSubscription": UsagePlan(1, 5),
    "deleteSubscriptionById": UsagePlan(1, 5),
}

#: The longest step of a back-off.
MAX_BACK_OFF_SECONDS = 64.0

#: The longest a call is taken to travel, connecting included, in real seconds. Amazon's
#: bucket refills from when a call arrives, ours from when it leaves. While Amazon's is
#: full that would put ours ahead, so ours then starts to refill this much later.
TRAVEL_SECONDS = 0.5

# Less than one microsecond's refill of any plan: rounding, not a call.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Bucket:
    """The state of one token bucket; every method gives the state that follows."""

    rate: float
    burst: float
    tokens: float
    #: When ``tokens`` was true; in the future by ``TRAVEL_SECONDS`` at most.
    refilled_at: datetime
    #: Amazon answered 429: no call before this moment.
    blocked_until: datetime | None = None

    @classmethod
    def full(cls, plan: UsagePlan, now: datetime) -> Bucket:
        return cls(plan.rate, plan.burst, plan.burst, now)

    def refilled(self, now: datetime) -> Bucket:
        elapsed = (now - self.refilled_at).total_seconds()
        if elapsed <= 0:
            return self
        tokens = min(self.burst, self.tokens + elapsed * self.rate)
        return replace(self, tokens=tokens, refilled_at=now)

    def wait_seconds(self, now: datetime) -> float:
        """How long until a call is permitted; 0 is now. Rounded up to microseconds."""
        bucket = self.refilled(now)
        wait = 0.0
        if bucket.tokens < 1 - _ROUNDING:
            refilling_since = (bucket.refilled_at - now).total_seconds()
            wait = refilling_since + (1 - bucket.tokens) / bucket.rate
        if bucket.blocked_until:
            wait = max(wait, (bucket.blocked_until - now).total_seconds())
        return math.ceil(wait * 1e6) / 1e6

    def take(self, now: datetime) -> tuple[Bucket, float]:
        """Take one call: the next state and 0, or the same state and the wait."""
        wait = self.wait_seconds(now)
        if wait > 0:
            return self, wait
        bucket = self.refilled(now)
        refilled_at = bucket.refilled_at
        travel_seconds = TRAVEL_SECONDS * clock.factor()
        # Amazon's bucket may be full: it is ahead of ours by a call still under way and
        # by what it refilled while others were.
        if bucket.tokens + 1 + travel_seconds * self.rate >= self.burst:
            refilled_at = max(refilled_at, now + timedelta(seconds=travel_seconds))
        tokens = max(0.0, bucket.tokens - 1)
        return replace(bucket, tokens=tokens, refilled_at=refilled_at), 0.0

    def penalized(self, now: datetime, seconds: float) -> Bucket:
        """Amazon refused: its bucket is empty, whatever we thought."""
        until = now + timedelta(seconds=seconds)
        if self.blocked_until:
            until = max(until, self.blocked_until)
        return replace(self, tokens=0.0, refilled_at=now, blocked_until=until)

    def at_rate(self, now: datetime, rate: float) -> Bucket:
        return replace(self.refilled(now), rate=rate)


class Budget(Protocol):
    """The buckets of one account, shared by everybody who calls for it.

    Nothing here waits, and nothing stays locked after the method returned.
    """

    def reserve(self, operation: str, plan: UsagePlan) -> float:
        """Take one call if there is one: 0. Else take none: seconds until there is."""
        ...

    def penalize(self, operation: str, plan: UsagePlan, seconds: float) -> float:
        """Amazon answered 429: no call for ``seconds`` or until the empty bucket has
        one again, whichever is later. Returns that wait."""
        ...

    def learn(self, operation: str, plan: UsagePlan, rate: float) -> None:
        """Amazon stated the rate of this operation for this seller."""
        ...


class InMemoryBudget:
    """The budget of a single process: for tests, and for an account not yet saved."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def reserve(self, operation: str, plan: UsagePlan) -> float:
        with self._lock:
            now = clock.now()
            bucket, wait = self._bucket(operation, plan, now).take(now)
            self._buckets[operation] = bucket
        return wait

    def penalize(self, operation: str, plan: UsagePlan, seconds: float) -> float:
        with self._lock:
            now = clock.now()
            bucket = self._bucket(operation, plan, now).penalized(now, seconds)
            self._buckets[operation] = bucket
        return bucket.wait_seconds(now)

    def learn(self, operation: str, plan: UsagePlan, rate: float) -> None:
        with self._lock:
            now = clock.now()
            bucket = self._bucket(operation, plan, now).at_rate(now, rate)
            self._buckets[operation] = bucket

    def _bucket(self, operation: str, plan: UsagePlan, now: datetime) -> Bucket:
        return self._buckets.get(operation) or Bucket.full(plan, now)


class Patience:
    """How long one request may still wait, in the clock's seconds, for all reasons."""

    def __init__(self, seconds: float) -> None:
        self._until = clock.now() + timedelta(seconds=seconds)

    def allows(self, seconds: float) -> bool:
        return clock.now() + timedelta(seconds=seconds) <= self._until


def acquire(
    budget: Budget, operation: str, plan: UsagePlan, patience: Patience
) -> None:
    """Take one call from ``budget``, sleeping until there is one.

    Wakes when the call is due, and again only if another worker was quicker. Raises
    ``BudgetExhausted`` at once if the wait is longer than ``patience`` allows.
    """
    while wait := budget.reserve(operation, plan):
        if not patience.allows(wait):
            available_at = clock.now() + timedelta(seconds=wait)
            raise BudgetExhausted(operation, available_at)
        clock.sleep(wait)


def back_off_seconds(attempt: int, base: float) -> float:
    """Exponential back-off with full jitter; ``attempt`` counts from 0."""
    return random.uniform(0, min(MAX_BACK_OFF_SECONDS, base * 2**attempt))
