"""The state behind ``amazon``'s protocols, in PostgreSQL: one for all workers.

A call to Amazon takes seconds and a row lock lasts until its transaction ends, so
nothing here is left to the caller's transaction: it commits on its own, also where the
caller has one open. Time is ``clock.now()``, never the database's.

An account that is not active has no budget and no tokens: whoever calls for it, and
whenever it was stopped, no call leaves any more. In the same way no call that changes
something has a budget in read-only mode, or while the channel is off.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Exists, F, Q

from . import clock
from .amazon import feeds, listings, messaging, orders, orders_v0, solicitations
from .amazon.auth import (
    GET_ACCESS_TOKEN,
    Credentials,
    InMemoryTokenCache,
    Token,
    TokenCache,
)
from .amazon.client import Client
from .amazon.errors import BudgetExhausted
from .amazon.throttle import Bucket, Budget, InMemoryBudget, UsagePlan
from .models import AccessToken, ChannelSettings, SellerAccount, UsageBudget

T = TypeVar("T")

#: Longer than a token request can take, so it only ever ends a deadlock.
LOCK_TIMEOUT_SECONDS = 240
#: When to look again whether an account that was stopped is active.
STOPPED_SECONDS = 60.0

#: Calls that change something of the seller's on Amazon.
CHANGES = frozenset(
    {
        orders_v0.CONFIRM_SHIPMENT,
        orders.CANCEL_ORDER,
        feeds.CREATE_FEED,
        listings.PATCH_LISTINGS_ITEM,
        solicitations.CREATE,
        *(form.operation for form in messaging.FORMS.values()),
    }
)


def client_for(account: SellerAccount, **options: Any) -> Client:
    """A client for ``account``, sharing its usage budget and tokens with all workers.

    Of an account that is not saved yet nobody else knows, so its state is in memory.
    ``options`` are those of ``Client``: time-outs and tries.
    """
    budget: Budget = InMemoryBudget()
    token_cache: TokenCache = InMemoryTokenCache()
    if account.pk is not None:
        budget = SharedBudget(account.pk)
        token_cache = SharedTokenCache(account.pk)
    credentials = Credentials(
        account.lwa_client_id, account.lwa_client_secret, account.refresh_token
    )
    return Client(
        account.endpoint,
        account.lwa_endpoint,
        credentials,
        budget,
        token_cache,
        **options,
    )


class SharedBudget:
    """``amazon.throttle.Budget`` on the rows of ``UsageBudget``.

    A change is made only if the row still is what it was computed from, else computed
    again: no lock is held, and asking an empty bucket writes nothing.
    """

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        #: As last read: Amazon repeats the rate with nearly every answer.
        self._rates: dict[str, float] = {}

    def reserve(self, operation: str, plan: UsagePlan) -> float:
        def take(bucket: Bucket) -> tuple[Bucket, float]:
            return bucket.take(clock.now())

        return self._change(operation, plan, take, if_stopped=STOPPED_SECONDS)

    def penalize(self, operation: str, plan: UsagePlan, seconds: float) -> float:
        def empty(bucket: Bucket) -> tuple[Bucket, float]:
            now = clock.now()
            penalized = bucket.penalized(now, seconds)
            return penalized, penalized.wait_seconds(now)

        return self._change(operation, plan, empty)

    def left(self, operation: str, plan: UsagePlan) -> float:
        """How many calls could be made at once now; takes none."""

        def look(bucket: Bucket) -> tuple[Bucket, float]:
            is_free = bucket.wait_seconds(clock.now()) == 0
            return bucket, bucket.refilled(clock.now()).tokens if is_free else 0.0

        return self._change(operation, plan, look)

    def wait_seconds(self, operation: str, plan: UsagePlan) -> float:
        """How long until a call could be made; takes none."""

        def look(bucket: Bucket) -> tuple[Bucket, float]:
            return bucket, bucket.wait_seconds(clock.now())

        return self._change(operation, plan, look)

    def learn(self, operation: str, plan: UsagePlan, rate: float) -> None:
        if self._rates.get(operation) == rate:
            return

        def correct(bucket: Bucket) -> tuple[Bucket, None]:
            if bucket.rate == rate:
                return bucket, None
            return bucket.at_rate(clock.now(), rate), None

        self._change(operation, plan, correct)

    def _change(
        self,
        operation: str,
        plan: UsagePlan,
        change: Callable[[Bucket], tuple[Bucket, T]],
        if_stopped: T | None = None,
    ) -> T:
        def attempt() -> T:
            while True:
                row, is_stopped = self._row(operation, plan)
                if if_stopped is not None and is_stopped:
                    return if_stopped
                before = Bucket(
                    row.rate,
                    plan.burst,
                    row.tokens,
                    row.refilled_at,
                    row.blocked_until,
                )
                after, result = change(before)
                self._rates[operation] = after.rate
                if after == before or _swap(row, after):
                    return result

        return _apart(self._account_id, attempt)

    def _row(self, operation: str, plan: UsagePlan) -> tuple[UsageBudget, bool]:
        """The row, and whether no such call may leave now."""
        key = {"account_id": self._account_id, "operation": operation}
        is_silent = ChannelSettings.objects.filter(Q(read_only=True) | Q(active=False))
        rows = UsageBudget.objects.filter(**key).annotate(
            state=F("account__state"), is_silent=Exists(is_silent)
        )
        row = rows.first()
        if row is None:
            full = Bucket.full(plan, clock.now())
            UsageBudget.objects.bulk_create(
                [UsageBudget(**key, **_columns(full))], ignore_conflicts=True
            )
            row = rows.get()
        is_active = row.state == SellerAccount.State.ACTIVE
        return row, not is_active or (operation in CHANGES and row.is_silent)


class SharedTokenCache:
    """``amazon.auth.TokenCache`` on the rows of ``AccessToken``.

    The row's lock is what makes a renewal single: it is held, in a transaction of its
    own that touches nothing else, while one worker asks Amazon.
    """

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id

    def get(self, scope: str, fingerprint: str) -> Token | None:
        row = AccessToken.objects.filter(
            account_id=self._account_id, scope=scope
        ).first()
        return _token(row, fingerprint) if row else None

    def renew(
        self,
        scope: str,
        fingerprint: str,
        stale: Token | None,
        fetch: Callable[[], Token],
    ) -> Token:
        key = {"account_id": self._account_id, "scope": scope}

        def renew_locked() -> Token:
            if not SellerAccount.objects.filter(
                pk=self._account_id, state=SellerAccount.State.ACTIVE
            ).exists():
                available_at = clock.now() + timedelta(seconds=STOPPED_SECONDS)
                raise BudgetExhausted(GET_ACCESS_TOKEN, available_at)
            AccessToken.objects.bulk_create(
                [AccessToken(**key, credentials_fingerprint="")], ignore_conflicts=True
            )
            with transaction.atomic():
                row = AccessToken.objects.select_for_update().get(**key)
                token = _token(row, fingerprint)
                if token is None or token == stale:
                    token = fetch()
                    row.credentials_fingerprint = fingerprint
                    row.token = token.value
                    row.expires_at = token.expires_at
                    row.save()
            return token

        return _apart(self._account_id, renew_locked)


def _token(row: AccessToken, fingerprint: str) -> Token | None:
    if row.credentials_fingerprint != fingerprint or row.expires_at is None:
        return None
    token = Token(row.token, row.expires_at)
    return token if token.is_fresh else None


def _columns(bucket: Bucket) -> dict[str, float | datetime | None]:
    return {
        "rate": bucket.rate,
        "burst": bucket.burst,
        "tokens": bucket.tokens,
        "refilled_at": bucket.refilled_at,
        "blocked_until": bucket.blocked_until,
    }


def _swap(row: UsageBudget, after: Bucket) -> bool:
    """Write ``after`` unless the row changed since it was read."""
    unchanged = UsageBudget.objects.filter(
        pk=row.pk,
        rate=row.rate,
        tokens=row.tokens,
        refilled_at=row.refilled_at,
        blocked_until=row.blocked_until,
    )
    return bool(unchanged.update(**_columns(after)))


def _apart(account_id: int, work: Callable[[], T]) -> T:
    """Run ``work`` so that its changes are committed when this returns.

    A thread has its own database connection, so inside a caller's transaction it runs
    in one. Unless the account was created in that very transaction: then no other
    worker can see the account, and nothing is there to be shared.
    """
    if not connection.in_atomic_block:
        return work()

    def in_thread() -> tuple[bool, T | None]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, false)",
                    [f"{LOCK_TIMEOUT_SECONDS}s"],
                )
            if not SellerAccount.objects.filter(pk=account_id).exists():
                return False, None
            return True, work()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        is_done, result = thread.submit(in_thread).result()
    return result if is_done else work()  # type: ignore[return-value]
