"""Saleor never prices an unconfirmed Amazon order anew."""

from __future__ import annotations

import dataclasses
from typing import Any

import graphene
import pytest
from django.db import transaction
from saleor.core.db.connection import allow_writer
from saleor.order.models import Order

from contract.drafts import draft, line, price
from contract.fixtures import Goods
from saleor_amazon_channel.saleor.store import SaleorStore

pytestmark = pytest.mark.django_db(transaction=True)

EDIT = """
mutation ($id: ID!, $input: OrderUpdateInput!) {
  result: orderUpdate(id: $id, input: $input) { errors { field code message } }
}
"""
CONFIRM = "mutation ($id: ID!) { result: orderConfirm(id: $id) { errors { code } } }"
ADDRESS = {
    "firstName": "Anna",
    "lastName": "Maier",
    "streetAddress1": "Hauptstr. 1",
    "city": "Berlin",
    "postalCode": "10115",
    "country": "DE",
}


@pytest.fixture
def order(shop: Any) -> Order:
    """Three mugs whose unit price is no whole number of cents, with a promotion."""
    goods = Goods(shop, shop.create_channel("amazon-de", "EUR", country="DE"))
    goods.add("MUG", 50)
    mugs = line(
        "MUG",
        3,
        price("10.00", "8.40"),
        undiscounted_total=price("11.00", "9.24"),
    )
    new = goods.new(draft("302-0000000-0000001", [mugs]))
    with allow_writer(), transaction.atomic():
        (answer,) = SaleorStore().create_orders(
            [dataclasses.replace(new, is_unconfirmed=True)]
        )
    return Order.objects.get(pk=answer.order_id)


def amounts(shop: Any, order: Order) -> Any:
    seen = shop.order(str(order.pk))
    return seen.total, seen.undiscounted_total, seen.shipping, seen.lines


def test_editing_the_address_and_confirming_change_no_amount(shop, order):
    before = amounts(shop, order)
    order_id = graphene.Node.to_global_id("Order", order.pk)

    shop._mutate(EDIT, id=order_id, input={"shippingAddress": ADDRESS})
    assert shop.order(str(order.pk)).shipping_address.last_name == "Maier"
    assert amounts(shop, order) == before
    shop._mutate(CONFIRM, id=order_id)
    assert amounts(shop, order) == before


def test_what_saleor_marks_in_bulk_changes_no_amount(shop, order):
    before = amounts(shop, order)
    Order.objects.update(should_refresh_prices=True)
    assert amounts(shop, order) == before


def test_other_orders_are_priced_anew(shop, order):
    before = amounts(shop, order)
    Order.objects.update(should_refresh_prices=True, metadata={})
    assert amounts(shop, order) != before
    assert Order.objects.get().should_refresh_prices is False
    assert Order.objects.only("pk").get().should_refresh_prices is False
