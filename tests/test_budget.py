from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.auth import InMemoryTokenCache, Token
from saleor_amazon_channel.amazon.orders import get_order
from saleor_amazon_channel.amazon.throttle import InMemoryBudget, UsagePlan
from saleor_amazon_channel.budget import SharedBudget, SharedTokenCache, client_for
from saleor_amazon_channel.models import AccessToken, SellerAccount, UsageBudget
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.sandbox.seeds import generate

T = TypeVar("T")

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PLAN = UsagePlan(rate=2, burst=10)
HOUR = timedelta(hours=1)


def new_account(**fields: str) -> SellerAccount:
    return SellerAccount(
        name="Beste Ware",
        region="EU",
        seller_id="A1",
        lwa_client_id="amzn1.client",
        lwa_client_secret="the-client-secret",
        refresh_token="Atzr|the-refresh-token",
        **fields,
    )


@pytest.fixture
def account(transactional_db: None) -> SellerAccount:
    account = new_account()
    account.save()
    return account


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """Run ``work`` at the same time in threads with a database connection each."""
    together = threading.Barrier(count)

    def run(number: int) -> T:
        try:
            together.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_workers_together_never_exceed_the_plan(account: SellerAccount) -> None:
    with clock.frozen(NOON) as move:

        def take_what_there_is(_: int) -> int:
            budget = SharedBudget(account.pk)
            calls = 0
            while budget.reserve("confirmShipment", PLAN) == 0:
                calls += 1
            return calls

        first = sum(in_threads(6, take_what_there_is))
        move(timedelta(seconds=3.5))
        second = sum(in_threads(6, take_what_there_is))

    assert first == 10
    # Half a second of the three and a half is for the way the calls travel.
    assert second == 6


def test_a_rate_that_is_known_costs_no_query(
    account: SellerAccount, django_assert_num_queries: Any
) -> None:
    with clock.frozen(NOON):
        budget = SharedBudget(account.pk)
        budget.reserve("getOrder", PLAN)
        with django_assert_num_queries(0):
            budget.learn("getOrder", PLAN, PLAN.rate)
        budget.learn("getOrder", PLAN, 0.3)

        other = SharedBudget(account.pk)
        other.reserve("getOrder", PLAN)
        with django_assert_num_queries(0):
            other.learn("getOrder", PLAN, 0.3)
    assert UsageBudget.objects.get().rate == 0.3


def test_the_shared_budget_counts_as_the_one_in_memory(
    account: SellerAccount,
) -> None:
    shared, in_memory = SharedBudget(account.pk), InMemoryBudget()
    answers: list[list[float]] = []
    for budget in (shared, in_memory):
        with clock.frozen(NOON) as move:
            waits = [budget.reserve("getOrder", PLAN) for _ in range(11)]
            move(timedelta(seconds=1.25))
            waits += [budget.reserve("getOrder", PLAN) for _ in range(2)]
            budget.learn("getOrder", PLAN, 0.3)
            waits.append(budget.reserve("getOrder", PLAN))
            waits.append(budget.penalize("getOrder", PLAN, 0.1))
            waits.append(budget.penalize("getOrder", PLAN, 7))
            move(timedelta(seconds=5))
            waits.append(budget.reserve("getOrder", PLAN))
            answers.append(waits)

    assert answers[0] == answers[1]
    assert answers[0][9:11] == [0, 1]


def test_accounts_and_operations_have_budgets_of_their_own(
    account: SellerAccount,
) -> None:
    other = new_account()
    other.seller_id = "A2"
    other.save()
    with clock.frozen(NOON):
        for _ in range(10):
            assert SharedBudget(account.pk).reserve("getOrder", PLAN) == 0

        assert SharedBudget(account.pk).reserve("getOrder", PLAN) > 0
        assert SharedBudget(account.pk).reserve("searchOrders", PLAN) == 0
        assert SharedBudget(other.pk).reserve("getOrder", PLAN) == 0


def test_an_empty_budget_is_asked_with_one_query(
    account: SellerAccount, django_assert_num_queries: Callable[..., object]
) -> None:
    budget = SharedBudget(account.pk)
    with clock.frozen(NOON):
        for _ in range(10):
            budget.reserve("getOrder", PLAN)
        with django_assert_num_queries(1):
            budget.reserve("getOrder", PLAN)


def test_a_call_costs_two_queries(
    account: SellerAccount, django_assert_num_queries: Callable[..., object]
) -> None:
    budget = SharedBudget(account.pk)
    budget.reserve("getOrder", PLAN)
    with django_assert_num_queries(2):
        budget.reserve("getOrder", PLAN)


def test_a_callers_transaction_neither_locks_nor_undoes_a_reservation(
    account: SellerAccount,
) -> None:
    budget = SharedBudget(account.pk)

    def calls_left(_: int) -> float:
        with transaction.atomic():
            return UsageBudget.objects.select_for_update(nowait=True).get().tokens

    with clock.frozen(NOON):
        budget.reserve("getOrder", PLAN)
        with transaction.atomic():
            assert budget.reserve("getOrder", PLAN) == 0
            assert in_threads(1, calls_left) == [8]
            transaction.set_rollback(True)

    assert UsageBudget.objects.get().tokens == 8


@pytest.mark.django_db
def test_an_account_that_is_not_committed_is_nobody_elses() -> None:
    account = new_account()
    account.save()
    budget, cache = SharedBudget(account.pk), SharedTokenCache(account.pk)
    token = Token("Atza|1", clock.now() + HOUR)

    assert budget.reserve("getOrder", PLAN) == 0
    assert cache.renew("", "f", None, lambda: token) == token
    assert cache.get("", "f") == token
    assert UsageBudget.objects.get().tokens == 9


def test_of_many_workers_one_fetches_the_token(account: SellerAccount) -> None:
    fetched: list[int] = []

    def renew(number: int) -> Token:
        def fetch() -> Token:
            fetched.append(number)
            return Token(f"Atza|{number}", NOON + HOUR)

        return SharedTokenCache(account.pk).renew("", "fingerprint", None, fetch)

    with clock.frozen(NOON):
        tokens = in_threads(6, renew)

    (winner,) = fetched
    assert tokens == [Token(f"Atza|{winner}", NOON + HOUR)] * 6


def test_a_failed_renewal_is_left_to_the_next(account: SellerAccount) -> None:
    cache = SharedTokenCache(account.pk)
    token = Token("Atza|1", NOON + HOUR)

    def refused() -> Token:
        raise ConnectionError

    with clock.frozen(NOON):
        with pytest.raises(ConnectionError):
            cache.renew("", "fingerprint", None, refused)

        assert cache.get("", "fingerprint") is None
        assert cache.renew("", "fingerprint", None, lambda: token) == token


def test_a_token_is_for_its_scope_its_credentials_and_its_time(
    account: SellerAccount,
) -> None:
    cache = SharedTokenCache(account.pk)
    token = Token("Atza|1", NOON + HOUR)
    with clock.frozen(NOON) as move:
        cache.renew("", "fingerprint", None, lambda: token)

        assert cache.get("", "fingerprint") == token
        assert cache.get("", "another") is None
        assert cache.get("sellingpartnerapi::notifications", "fingerprint") is None
        move(timedelta(seconds=3540))
        assert cache.get("", "fingerprint") is None


def test_a_refused_token_is_renewed_unless_another_worker_did(
    account: SellerAccount,
) -> None:
    cache = SharedTokenCache(account.pk)
    old, new = Token("Atza|old", NOON + HOUR), Token("Atza|new", NOON + HOUR)
    with clock.frozen(NOON):
        cache.renew("", "f", None, lambda: old)
        assert cache.renew("", "f", old, lambda: new) == new
        assert cache.renew("", "f", old, lambda: pytest.fail("fetched again")) == new


def test_a_token_renewed_in_a_callers_transaction_outlives_it(
    account: SellerAccount,
) -> None:
    cache = SharedTokenCache(account.pk)
    token = Token("Atza|1", NOON + HOUR)
    with clock.frozen(NOON):
        with transaction.atomic():
            cache.renew("", "f", None, lambda: token)
            transaction.set_rollback(True)

        assert cache.get("", "f") == token


def test_tokens_are_encrypted_in_the_database(account: SellerAccount) -> None:
    token = Token("Atza|clear", clock.now() + HOUR)
    SharedTokenCache(account.pk).renew("", "f", None, lambda: token)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT token FROM {AccessToken._meta.db_table}")  # noqa: S608
        ((stored,),) = cursor.fetchall()
    assert "clear" not in stored
    assert AccessToken.objects.get().token == "Atza|clear"


def test_workers_of_an_account_are_never_throttled(
    account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order,) = generate(1, marketplaces=["A1PA6795UKMFR9"])
    with running_sandbox([order]) as sandbox:
        description = clock.describe(clock.now(), factor=60)
        monkeypatch.setenv(clock.ENVIRONMENT_VARIABLE, description)
        account.endpoint_override = sandbox.url
        account.lwa_endpoint_override = sandbox.lwa_url
        account.lwa_client_id = CLIENT_ID
        account.lwa_client_secret = CLIENT_SECRET
        account.refresh_token = "Atzr|sandbox-EU"

        def read(_: int) -> None:
            with client_for(account) as client:
                for _ in range(12):
                    get_order(client, order["orderId"], max_wait_seconds=600)

        in_threads(4, read)

        # 30 at once, 18 more at one in two seconds of a clock 60 times as fast.
        calls = sandbox.state.calls("getOrder")
        assert [call.status for call in calls] == [200] * 48
        assert len(sandbox.state.calls("lwaToken")) == 1


def test_a_client_goes_where_the_account_says(account: SellerAccount) -> None:
    with client_for(account) as client:
        assert repr(client) == "<Client sellingpartnerapi-eu.amazon.com>"


def test_an_account_not_yet_saved_keeps_its_state_in_memory() -> None:
    account = new_account(endpoint_override="http://127.0.0.1:8642")
    with client_for(account, read_timeout=8, tries=1) as client:
        assert repr(client) == "<Client 127.0.0.1:8642>"
        assert isinstance(client._budget, InMemoryBudget)
        assert isinstance(client._token_cache, InMemoryTokenCache)
