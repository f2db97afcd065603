"""The contract of ``create_orders`` for the settings: whose the order is, which number
is printed, whether it waits to be confirmed."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contract.drafts import draft, line
from contract.fixtures import Goods, create, created
from saleor_amazon_channel.store.contract import CustomerDraft, NewOrder

pytestmark = pytest.mark.django_db

ID = "302-7654321-0000001"
BUYER = CustomerDraft("0123abcd@amazon.invalid", "Jürgen", "Müller")
OTHER_BUYER = CustomerDraft("4567cdef@amazon.invalid", "Anna", "Maier")


def new(goods: Goods, number: int, quantity: int = 1, **changes: Any) -> NewOrder:
    order = goods.new(draft(f"{ID}-{number}", [line("MUG", quantity)]))
    return dataclasses.replace(order, **changes)


def test_without_a_customer_the_order_is_a_guests(shop, store, goods: Goods):
    goods.add("MUG", 5)
    before = shop.customer_count()

    (answer,) = create(shop, store, [new(goods, 1)])

    assert shop.order(created(answer).order_id).customer is None
    assert shop.customer_count() == before


def test_orders_of_one_buyer_are_one_customers(shop, store, goods: Goods):
    goods.add("MUG", 5)
    before = shop.customer_count()

    first, second, third = create(
        shop,
        store,
        [
            new(goods, 1, customer=BUYER),
            new(goods, 2, customer=OTHER_BUYER),
            new(goods, 3, customer=BUYER),
        ],
    )
    renamed = dataclasses.replace(BUYER, first_name="J.")
    (later,) = create(shop, store, [new(goods, 4, customer=renamed)])

    customers = [
        shop.order(created(answer).order_id).customer
        for answer in (first, second, third, later)
    ]
    assert shop.customer_count() == before + 2
    assert customers[0] == customers[2] == customers[3] != customers[1]
    assert (customers[0].email, customers[0].order_count) == (BUYER.email, 3)
    # The names of the first order stay.
    assert (customers[0].first_name, customers[0].last_name) == ("Jürgen", "Müller")
    assert shop.order(first.order_id).customer_email == ""


def test_creating_again_counts_no_order_twice(shop, store, goods: Goods):
    goods.add("MUG", 5)
    order = new(goods, 1, customer=BUYER)

    (first,) = create(shop, store, [order])
    create(shop, store, [order])

    assert shop.order(created(first).order_id).customer.order_count == 1


def test_a_blocked_order_makes_no_customer(shop, store, goods: Goods):
    goods.add("MUG", 1)
    before = shop.customer_count()

    create(shop, store, [new(goods, 1, quantity=2, customer=BUYER)])

    assert shop.customer_count() == before


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_a_new_buyer_make_one_customer(shop, store, goods: Goods):
    goods.add("MUG", 50)
    goods.add("CUP", 50)
    before = shop.customer_count()
    customers = [
        CustomerDraft(f"{number:08}@amazon.invalid", "A", "B") for number in range(8)
    ]
    batches = [
        [
            dataclasses.replace(
                goods.new(draft(f"{ID}-{name}-{number}", [line(sku)])),
                customer=customer,
            )
            for number, customer in enumerate(wanted)
        ]
        # Different goods: nothing but the customers makes one wait for the other.
        for name, sku, wanted in (
            ("a", "MUG", customers),
            ("b", "CUP", customers[::-1]),
        )
    ]
    start, failures = threading.Barrier(2), []

    def run(batch: list[NewOrder]) -> None:
        try:
            start.wait(10)
            for answer in create(shop, store, batch):
                created(answer)
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    assert shop.customer_count() == before + len(customers)


def test_customers_cost_a_batch_a_constant_number_of_queries(shop, store, goods: Goods):
    goods.add("MUG", 99)

    def statements(first: int, orders: int) -> int:
        batch = [
            new(
                goods,
                number,
                customer=CustomerDraft(f"{number:08}@amazon.invalid", "A", "B"),
            )
            for number in range(first, first + orders)
        ]
        with CaptureQueriesContext(connection) as queries:
            create(shop, store, batch)
        return len([q for q in queries if "SAVEPOINT" not in q["sql"]])

    assert statements(1, 1) == statements(100, 10)


# --- the number that is printed ------------------------------------------------------


def test_the_setting_says_which_number_is_printed(shop, store, goods: Goods):
    goods.add("MUG", 5)

    ours, amazons = create(
        shop,
        store,
        [new(goods, 1), new(goods, 2, is_amazon_number_printed=True)],
    )

    assert created(ours).printed_number == ours.number
    assert created(amazons).printed_number == f"{ID}-2" != amazons.number
    for answer in (ours, amazons):
        seen = shop.order(answer.order_id)
        assert seen.metadata["amazon.printedNumber"] == answer.printed_number
    (again,) = create(shop, store, [new(goods, 2)])
    assert created(again).printed_number == f"{ID}-2"


# --- unconfirmed ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_confirming_changes_nothing_but_the_status(shop, store, goods: Goods):
    goods.add("MUG", 5)
    with shop.writer(), transaction.atomic():
        (answer,) = store.create_orders(
            [new(goods, 1, quantity=3, is_unconfirmed=True)]
        )
    before = shop.order(created(answer).order_id)
    assert before.status == "unconfirmed"
    assert goods.stock("MUG") == (5, 3)
    mails = len(shop.emails())

    shop.confirm(answer.order_id)

    after = shop.order(answer.order_id)
    assert after == dataclasses.replace(before, status="unfulfilled")
    assert goods.stock("MUG") == (5, 3)
    assert len(shop.emails()) == mails


def test_what_has_been_shipped_is_never_unconfirmed(shop, store, goods: Goods):
    goods.add("MUG", 5)
    shipped = draft(f"{ID}-1", [line("MUG", 2, shipped=1)])

    (answer,) = create(
        shop,
        store,
        [dataclasses.replace(goods.new(shipped), is_unconfirmed=True)],
    )

    assert shop.order(created(answer).order_id).status == "partially fulfilled"
