"""What we mend in Saleor, and that it is needed no longer than Saleor needs it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.warehouse import management
from saleor.warehouse.models import Reservation, Stock

from contract.fixtures import Goods, goods  # noqa: F401
from saleor_amazon_channel import clock
from saleor_amazon_channel.saleor import compat


@pytest.fixture
def stock(shop, goods: Goods):  # noqa: F811
    """Nine mugs, of which two are sold and three are in an open checkout."""
    variant_id = goods.add("MUG", 9)
    assert shop.sell(goods.channel.id, variant_id, 2)
    stock = Stock.objects.get(product_variant_id=variant_id)
    checkout = Checkout.objects.create(
        channel_id=goods.channel.id, currency="EUR", country="DE"
    )
    Reservation.objects.create(
        checkout_line=CheckoutLine.objects.create(
            checkout=checkout, variant_id=variant_id, quantity=3, currency="EUR"
        ),
        stock=stock,
        quantity_reserved=3,
        reserved_until=clock.now() + timedelta(minutes=5),
    )
    return stock


def _unavailable(stocks_id, *, check_reservations=True):
    return dict(
        management._prepare_stock_to_reserved_quantity_map(
            [], check_reservations, stocks_id
        )
    )


def test_a_checkout_counts_what_is_allocated_and_what_is_reserved(stock):
    assert _unavailable(each for each in [stock.pk]) == {stock.pk: 5}


def test_where_saleor_counts_allocations_itself_nothing_is_changed(stock):
    with CaptureQueriesContext(connection) as queries:
        assert _unavailable([stock.pk]) == {stock.pk: 3}

    assert len(queries) == 1


def test_staff_orders_are_left_as_they_are(stock):
    ids = (each for each in [stock.pk])

    with CaptureQueriesContext(connection) as queries:
        assert _unavailable(ids, check_reservations=False) == {}

    assert len(queries) == 0
    assert list(ids) == [stock.pk]


def test_it_is_mended_once():
    mended = management._prepare_stock_to_reserved_quantity_map

    compat.make_checkouts_see_allocations()

    assert management._prepare_stock_to_reserved_quantity_map is mended


@pytest.mark.django_db(transaction=True)
def test_two_checkouts_for_the_last_unit(shop, goods: Goods):  # noqa: F811
    variant_id = goods.add("MUG", 1)
    barrier = Barrier(2, timeout=60)

    def sell():
        barrier.wait()
        try:
            return shop.sell(goods.channel.id, variant_id, 1)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        sales = [future.result(60) for future in [pool.submit(sell) for _ in range(2)]]

    assert sorted(sale is None for sale in sales) == [False, True]
    assert goods.stock("MUG") == (1, 1)
