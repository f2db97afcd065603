"""The contract of ``channels`` and ``resolve_skus``."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contract.fixtures import Goods
from saleor_amazon_channel.store.contract import BlockerCode, Channel, SkuResolution

pytestmark = pytest.mark.django_db


def test_channels_are_told_with_warehouses_in_their_order_and_shipping_methods(
    shop, store
):
    made = [
        shop.create_channel(
            "amazon-de",
            "EUR",
            country="DE",
            warehouses=("zulu", "alpha"),
            shipping_methods=("Standard", "Express"),
        ),
        shop.create_channel("amazon-jp", "JPY", country="JP"),
    ]

    told = {channel.id: channel for channel in store.channels()}

    assert [told[channel.id] for channel in made] == made
    assert [warehouse.name for warehouse in made[0].warehouses] == ["zulu", "alpha"]
    assert isinstance(told[made[0].id], Channel)


def test_channels_cost_the_same_however_many_there_are(shop, store):
    shop.create_channel("one", "EUR", country="DE")
    few = _queries(store.channels)
    for number in range(5):
        shop.create_channel(
            f"more-{number}",
            "EUR",
            country="DE",
            warehouses=("a", "b", "c"),
            shipping_methods=("x", "y"),
        )

    assert _queries(store.channels) == few


def test_a_sku_that_can_be_sold_is_resolved_to_its_variant(store, goods: Goods):
    variant_id = goods.add("MUG", 5)

    assert store.resolve_skus({goods.channel.id: ["MUG"]}) == {
        goods.channel.id: {"MUG": SkuResolution("MUG", variant_id)}
    }


def test_an_unknown_sku_is_blocked_and_named(store, goods: Goods):
    goods.add("MUG", 5)

    answer = _resolved(store, goods.channel.id, "mug", "CUP")

    assert {sku: each.variant_id for sku, each in answer.items()} == {
        "mug": None,
        "CUP": None,
    }
    assert answer["CUP"].blocker.code == BlockerCode.UNKNOWN_SKU
    assert answer["CUP"].blocker.subject == "CUP"
    assert "CUP" in answer["CUP"].blocker.message


@pytest.mark.parametrize("what", ["is_published", "is_listed"])
def test_a_variant_that_the_channel_does_not_sell_is_blocked_but_known(
    store,
    goods: Goods,
    what,
):
    variant_id = goods.add("MUG", 5, **{what: False})

    resolution = _resolved(store, goods.channel.id, "MUG")["MUG"]

    assert resolution.variant_id == variant_id
    assert resolution.blocker.code == BlockerCode.NOT_AVAILABLE_IN_CHANNEL
    assert resolution.blocker.subject == "MUG"


def test_a_variant_of_another_channel_is_not_available_in_this_one(
    shop,
    store,
    goods: Goods,
):
    goods.add("MUG", 5)
    other = shop.create_channel("other", "EUR", country="DE")

    resolution = _resolved(store, other.id, "MUG")["MUG"]

    assert resolution.blocker.code == BlockerCode.NOT_AVAILABLE_IN_CHANNEL


def test_a_sku_is_resolved_for_each_channel_apart(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 5)
    goods.add("CUP", 5)
    other = shop.create_channel("other", "EUR", country="DE")

    answer = store.resolve_skus({goods.channel.id: ["MUG"], other.id: ["MUG", "CUP"]})

    assert {key: sorted(of) for key, of in answer.items()} == {
        goods.channel.id: ["MUG"],
        other.id: ["CUP", "MUG"],
    }
    assert answer[goods.channel.id]["MUG"] == SkuResolution("MUG", variant_id)
    assert {each.blocker.code for each in answer[other.id].values()} == {
        BlockerCode.NOT_AVAILABLE_IN_CHANNEL
    }
    assert "in other" in answer[other.id]["MUG"].blocker.message


def test_resolving_costs_the_same_for_one_sku_and_for_many_in_many_channels(
    shop, store, goods: Goods
):
    skus = [f"MUG-{number}" for number in range(12)]
    for sku in skus:
        goods.add(sku, 1)
    others = [shop.create_channel(f"o-{n}", "EUR", country="DE").id for n in range(4)]

    assert _queries(store.resolve_skus, {goods.channel.id: skus[:1]}) == _queries(
        store.resolve_skus,
        {key: [*skus, "UNKNOWN"] for key in (goods.channel.id, *others)},
    )


def test_no_skus_are_no_resolutions(store, goods: Goods):
    assert store.resolve_skus({}) == {}
    assert store.resolve_skus({goods.channel.id: []}) == {goods.channel.id: {}}


def _resolved(store, channel_id: str, *skus: str):
    return store.resolve_skus({channel_id: skus})[channel_id]


def _queries(call, *arguments) -> int:
    with CaptureQueriesContext(connection) as queries:
        call(*arguments)
    return len(queries)
