"""The contract of ``available_stock``."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contract.driver import StaffDriver
from contract.fixtures import Goods
from saleor_amazon_channel.store.contract import Store

pytestmark = pytest.mark.django_db


def test_what_is_free_is_what_lies_there_less_what_is_promised(
    shop: StaffDriver, store: Store, goods: Goods
) -> None:
    variant_id = goods.add("MUG", 10)
    other_id = goods.add("CUP", 3)
    shop.sell(goods.channel.id, variant_id, 4)

    free = store.available_stock([variant_id, other_id], [goods.warehouse_id])

    assert free == {variant_id: 6, other_id: 3}


def test_warehouses_are_added_up_and_others_do_not_count(
    shop: StaffDriver, store: Store
) -> None:
    channel = shop.create_channel(
        "amazon-de", "EUR", country="DE", warehouses=("a", "b", "c")
    )
    first, second, third = (warehouse.id for warehouse in channel.warehouses)
    variant_id = shop.create_variant(
        "MUG", [channel.id], stock={first: 1, second: 2, third: 4}
    )

    assert store.available_stock([variant_id], [first, third]) == {variant_id: 5}
    assert store.available_stock([variant_id], [second]) == {variant_id: 2}
    assert store.available_stock([variant_id], []) == {variant_id: 0}


def test_a_variant_without_stock_has_none_and_one_not_counted_is_left_out(
    store: Store, goods: Goods
) -> None:
    nowhere = goods.add("NOWHERE")
    endless = goods.add("ENDLESS", 5, tracks_inventory=False)

    free = store.available_stock([nowhere, endless], [goods.warehouse_id])

    assert free == {nowhere: 0}


def test_many_variants_cost_as_many_queries_as_one(store: Store, goods: Goods) -> None:
    ids = [goods.add(f"MUG-{number}", 2) for number in range(12)]

    with CaptureQueriesContext(connection) as one:
        store.available_stock(ids[:1], [goods.warehouse_id])
    with CaptureQueriesContext(connection) as many:
        free = store.available_stock(ids, [goods.warehouse_id])

    assert len(many) == len(one)
    assert free == dict.fromkeys(ids, 2)
