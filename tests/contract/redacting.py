"""The contract of ``redact_orders``: nothing is left by which a buyer is known."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from contract.drafts import ADDRESS, draft, line
from contract.driver import OrderView, StaffDriver
from contract.fixtures import Goods, create, created
from saleor_amazon_channel import clock
from saleor_amazon_channel.store.contract import CustomerDraft, Store
from wire_orders import NOW

pytestmark = pytest.mark.django_db

ID = "302-7654321-0000001"
NEIGHBOUR = "302-7654321-0000002"
BUYER = CustomerDraft("0123abcd@amazon.invalid", "Jürgen", "Müller")
KEPT = dataclasses.replace(
    ADDRESS,
    first_name="",
    last_name="",
    company_name="",
    street_address_1="",
    street_address_2="",
    postal_code="",
    phone="",
)
REDACTED_AT = {"amazon.redactedAt": "2026-11-20T12:00:00+00:00"}


def new(goods: Goods, amazon_order_id: str, **changes: Any) -> Any:
    order = draft(
        amazon_order_id,
        [line("MUG", 2)],
        customer_note="Alles Gute, Oma!",
        private_metadata={"amazon.buyerCompanyName": "Müller GmbH"},
    )
    return dataclasses.replace(goods.new(order), **changes)


@pytest.fixture
def stocked(goods: Goods) -> Goods:
    goods.add("MUG", 99)
    return goods


def redact(shop: StaffDriver, store: Store, *order_ids: str) -> None:
    with clock.frozen(NOW), shop.writer(), transaction.atomic():
        store.redact_orders(order_ids)


def without_person(view: OrderView) -> OrderView:
    return dataclasses.replace(
        view,
        shipping_address=KEPT,
        billing_address=KEPT,
        customer_note="",
        metadata={**view.metadata, **REDACTED_AT},
        private_metadata={},
    )


def test_only_the_buyer_is_deleted_and_only_from_that_order(
    shop, store, stocked: Goods
):
    first, second = (
        created(each).order_id
        for each in create(shop, store, [new(stocked, ID), new(stocked, NEIGHBOUR)])
    )
    before, neighbour = shop.order(first), shop.order(second)
    assert before.private_metadata == {"amazon.buyerCompanyName": "Müller GmbH"}

    redact(shop, store, first)

    assert shop.order(first) == without_person(before)
    assert shop.order(second) == neighbour
    redact(shop, store, first)
    assert shop.order(first) == without_person(before)
    assert shop.emails() == []


@pytest.mark.parametrize("text", ["Müller", "Bahnhofstraße", "50667", "Oma"])
def test_no_search_finds_it_by_its_buyer(shop, store, stocked: Goods, text: str):
    first, second = (
        created(each).order_id
        for each in create(shop, store, [new(stocked, ID), new(stocked, NEIGHBOUR)])
    )
    assert set(shop.search(text)) == {first, second}

    redact(shop, store, first)

    assert shop.search(text) == [second]
    assert shop.search(ID) == [first]


def test_an_unconfirmed_order_keeps_its_amounts_and_is_confirmed_as_ever(
    shop, store, stocked: Goods
):
    (answer,) = create(shop, store, [new(stocked, ID, is_unconfirmed=True)])
    order_id = created(answer).order_id
    before = shop.order(order_id)

    redact(shop, store, order_id)
    shop.confirm(order_id)

    after = shop.order(order_id)
    assert after == dataclasses.replace(without_person(before), status="unfulfilled")
    assert shop.emails() == []


def test_a_redacted_order_can_still_be_shipped(shop, store, stocked: Goods):
    (answer,) = create(shop, store, [new(stocked, ID)])
    order_id = created(answer).order_id
    redact(shop, store, order_id)

    shop.fulfil(
        order_id,
        {created(answer).line_ids["item-MUG"]: 2},
        warehouse_id=stocked.warehouse_id,
    )

    assert shop.order(order_id).status == "fulfilled"


def test_a_customer_loses_its_name_with_the_last_of_its_orders(
    shop, store, stocked: Goods
):
    first, second = (
        created(each).order_id
        for each in create(
            shop,
            store,
            [
                new(stocked, ID, customer=BUYER),
                new(stocked, NEIGHBOUR, customer=BUYER),
            ],
        )
    )

    redact(shop, store, first)
    customer = shop.order(second).customer
    assert (customer.first_name, customer.last_name) == ("Jürgen", "Müller")

    redact(shop, store, second)
    customer = shop.order(second).customer
    assert (customer.first_name, customer.last_name) == ("", "")
    assert (customer.email, customer.order_count) == (BUYER.email, 2)
    assert shop.search("Müller") == []


def test_an_order_of_the_shops_own_is_left_alone(shop, store, stocked: Goods):
    order_id = shop.sell(stocked.channel.id, stocked.variant_ids["MUG"], 1)
    found = shop.order_count()

    redact(shop, store, order_id, str(uuid4()))

    assert shop.order_count() == found
    assert "amazon.redactedAt" not in shop.order(order_id).metadata


def test_redacting_needs_a_transaction(shop, store, monkeypatch):
    monkeypatch.setattr(transaction.get_connection(), "in_atomic_block", False)
    with pytest.raises(RuntimeError):
        store.redact_orders([])
