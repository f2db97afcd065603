"""The contract under concurrency: several connections, real commits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection, connections, transaction

from contract.drafts import draft, line
from contract.fixtures import Answer, Goods, create, created
from saleor_amazon_channel.store.contract import (
    BlockedOrder,
    BlockerCode,
    CreatedOrder,
)

pytestmark = pytest.mark.django_db

ID = "302-1111111-0000001"
DEADLINE_SECONDS = 60
T = TypeVar("T")


def in_own_connection(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()


def _together(*calls: Callable[[], object]) -> list[object]:
    """Start all calls at one moment, each in a thread and connection of its own."""
    barrier = Barrier(len(calls), timeout=DEADLINE_SECONDS)

    def run(call: Callable[[], object]) -> object:
        barrier.wait()
        return in_own_connection(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
        return [future.result(DEADLINE_SECONDS) for future in futures]


def wait_until_blocked(future: Future[object]) -> None:
    """Return when somebody waits for a lock that this connection holds."""
    for _ in range(DEADLINE_SECONDS * 50):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted "
                "AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            (waiting,) = cursor.fetchone()
        if waiting:
            return
        with suppress(TimeoutError):
            future.result(timeout=0.02)
            break
    raise AssertionError("nobody came to wait for the lock")


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_order_create_it_once(shop, store, goods: Goods):
    goods.add("MUG", 9)
    new = goods.new(draft(ID, [line("MUG", 2)]))
    before = shop.order_count()

    answers = _together(
        *(lambda: create(shop, store, [new])[0] for _ in range(3)),
    )

    assert len({created(answer).order_id for answer in answers}) == 1
    assert sorted(answer.is_new for answer in answers) == [False, False, True]
    assert shop.order_count() == before + 1
    assert goods.stock("MUG") == (9, 2)


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_for_another_of_the_same_order(shop, store, goods: Goods):
    goods.add("MUG", 9)
    new = goods.new(draft(ID, [line("MUG", 2)]))

    with ThreadPoolExecutor(1) as pool:
        with shop.writer(), transaction.atomic():
            (first,) = store.create_orders([new])
            other = pool.submit(
                in_own_connection, lambda: create(shop, store, [new])[0]
            )
            wait_until_blocked(other)
        second = other.result(DEADLINE_SECONDS)

    assert created(first).is_new
    assert not created(second).is_new
    assert second.order_id == first.order_id
    assert goods.stock("MUG") == (9, 2)


@pytest.mark.django_db(transaction=True)
def test_batches_in_opposite_orders_do_not_deadlock(shop, store, goods: Goods):
    goods.add("MUG", 50)
    goods.add("CUP", 50)
    batch = [
        goods.new(draft(f"{ID}-{number}", [line(sku) for sku in skus]))
        for number, skus in enumerate([("MUG", "CUP"), ("CUP", "MUG")] * 5)
    ]
    before = shop.order_count()

    answers = _together(
        lambda: create(shop, store, batch), lambda: create(shop, store, batch[::-1])
    )

    assert {type(answer) for both in answers for answer in both} == {CreatedOrder}
    assert shop.order_count() == before + 10
    assert goods.stock("MUG") == (50, 10)
    assert goods.stock("CUP") == (50, 10)


@pytest.mark.django_db(transaction=True)
def test_two_imports_for_the_last_unit(shop, store, goods: Goods):
    goods.add("MUG", 1)

    def importing(amazon_order_id: str) -> Callable[[], Answer]:
        new = goods.new(draft(amazon_order_id, [line("MUG")]))
        return lambda: create(shop, store, [new])[0]

    answers = _together(importing(f"{ID}-a"), importing(f"{ID}-b"))

    assert sorted(type(answer).__name__ for answer in answers) == [
        "BlockedOrder",
        "CreatedOrder",
    ]
    (loser,) = (answer for answer in answers if isinstance(answer, BlockedOrder))
    assert [each.code for each in loser.blockers] == [BlockerCode.OUT_OF_STOCK]
    assert goods.stock("MUG") == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_sale_waits_for_an_import_that_has_the_last_unit(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 1)

    with ThreadPoolExecutor(1) as pool:
        with shop.writer(), transaction.atomic():
            (answer,) = store.create_orders([goods.new(draft(ID, [line("MUG")]))])
            sale = pool.submit(
                in_own_connection,
                lambda: shop.sell(goods.channel.id, variant_id, 1),
            )
            wait_until_blocked(sale)
        assert sale.result(DEADLINE_SECONDS) is None

    assert created(answer).is_new
    assert goods.stock("MUG") == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_an_import_races_a_sale_for_the_last_unit(shop, store, goods: Goods, attempt):
    variant_id = goods.add("MUG", 1)
    new = goods.new(draft(ID, [line("MUG")]))

    imported, sold = _together(
        lambda: create(shop, store, [new])[0],
        lambda: shop.sell(goods.channel.id, variant_id, 1),
    )

    assert isinstance(imported, CreatedOrder) is (sold is None)
    assert goods.stock("MUG") == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_imports_and_sales_never_oversell(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 7)

    def importing(number: int) -> Callable[[], object]:
        new = goods.new(draft(f"{ID}-{number}", [line("MUG", 2)]))
        return lambda: create(shop, store, [new])[0]

    outcomes = _together(
        *(importing(number) for number in range(4)),
        *(lambda: shop.sell(goods.channel.id, variant_id, 1) for _ in range(3)),
    )

    imported = sum(isinstance(outcome, CreatedOrder) for outcome in outcomes[:4])
    sold = sum(outcome is not None for outcome in outcomes[4:])
    assert goods.stock("MUG") == (7, 2 * imported + sold)
    assert 6 <= 2 * imported + sold <= 7
