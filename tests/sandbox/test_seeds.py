from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES, minor_unit
from saleor_amazon_channel.sandbox.packages import package_units, unshipped_units
from saleor_amazon_channel.sandbox.seed_month import special_orders
from saleor_amazon_channel.sandbox.seeds import (
    NO_STOCK_SKU,
    UNKNOWN_SKUS,
    generate,
    month,
    seed_catalogue,
)
from saleor_amazon_channel.sandbox.times import parse_time
from saleor_amazon_channel.sandbox.wire import check_order

from .conftest import DE, JP, NOW, US

Order = dict[str, Any]


@pytest.fixture(autouse=True)
def _stopped_clock() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def amount(money: dict[str, str]) -> Decimal:
    return Decimal(money["amount"])


def kinds(order: Order) -> set[str]:
    return {b["type"] for b in order["proceeds"]["breakdowns"]}


def totals_to(breakdowns: list[dict[str, Any]]) -> Decimal:
    """The sum of the breakdowns, discounts taken off whatever their sign."""
    return sum(
        (
            -abs(amount(b["subtotal"]))
            if b["type"] == "DISCOUNT"
            else amount(b["subtotal"])
            for b in breakdowns
        ),
        Decimal(0),
    )


def test_the_same_number_gives_the_same_month() -> None:
    assert month(120, 1) == month(120, 1)
    assert month(90, 1) != month(90, 2)
    ids = [order["orderId"] for seed in (1, 2, 3) for order in month(200, seed)]
    ids += [order["orderId"] for seed in (1, 2) for order in generate(500, seed)]
    assert len(set(ids)) == len(ids)


def test_a_month_is_in_wire_format_and_within_a_month() -> None:
    orders = month(300)
    assert len(orders) == 300

    for position, order in enumerate(orders):
        check_order(order, position)
        created = parse_time(order["createdTime"])
        updated = parse_time(order["lastUpdatedTime"])
        assert NOW - timedelta(days=30) <= created <= updated
        assert updated <= NOW - timedelta(minutes=5)
    assert orders == sorted(orders, key=lambda order: order["createdTime"])


def test_the_money_adds_up() -> None:
    for order in month(300):
        check_money(order)


def check_money(order: Order) -> None:
    currency = MARKETPLACES[order["salesChannel"]["marketplaceId"]].currency
    unit = minor_unit(currency)
    by_kind: dict[str, Decimal] = {}
    for item in order["orderItems"]:
        breakdowns = item["proceeds"]["breakdowns"]
        assert amount(item["proceeds"]["proceedsTotal"]) == totals_to(breakdowns)
        for breakdown in breakdowns:
            kind, subtotal = breakdown["type"], amount(breakdown["subtotal"])
            by_kind[kind] = by_kind.get(kind, Decimal(0)) + subtotal
            details = breakdown.get("detailedBreakdowns")
            if details:
                assert breakdown["type"] in ("TAX", "DISCOUNT")
                assert subtotal == sum(amount(detail["value"]) for detail in details)
    whole = order["proceeds"]
    tip = [b for b in whole["breakdowns"] if b["type"] == "DELIVERY_TIP"]
    assert {
        b["type"]: amount(b["subtotal"]) for b in whole["breakdowns"] if b not in tip
    } == by_kind
    assert amount(whole["grandTotal"]) == totals_to(whole["breakdowns"])
    assert amount(whole["grandTotal"]) == sum(
        amount(item["proceeds"]["proceedsTotal"]) for item in order["orderItems"]
    ) + sum(amount(b["subtotal"]) for b in tip)

    for money in all_money(order):
        assert money["currencyCode"] == currency
        assert amount(money).as_tuple().exponent == unit.as_tuple().exponent


def proceeds_of(sku: str, promotion: str) -> list[tuple[str, str, dict[str, str]]]:
    """Type, subtotal and details of the item in the month with this promotion."""
    [item] = [
        item
        for order in month()
        for item in order["orderItems"]
        if item["product"].get("sellerSku") == sku
        and item.get("promotion") == {"breakdowns": [{"promotionId": promotion}]}
    ]
    return [
        (
            breakdown["type"],
            breakdown["subtotal"]["amount"],
            {
                detail["subtype"]: detail["value"]["amount"]
                for detail in breakdown.get("detailedBreakdowns", ())
            },
        )
        for breakdown in item["proceeds"]["breakdowns"]
    ]


def test_tax_is_on_what_is_left_after_the_discount() -> None:
    assert proceeds_of("BLANKET-ALPACA", "FALL-10") == [
        ("ITEM", "129.00", {}),
        ("DISCOUNT", "-12.90", {"ITEM": "-12.90"}),
        ("TAX", "9.58", {"ITEM": "9.58"}),
    ]


def test_tax_saved_by_a_discount_may_be_shown_apart() -> None:
    assert proceeds_of("KETTLE-GOOSE-1L", "KETTLE-10") == [
        ("ITEM", "108.00", {}),
        ("SHIPPING", "7.49", {}),
        ("DISCOUNT", "-18.29", {"ITEM": "-10.80", "SHIPPING": "-7.49"}),
        ("TAX", "8.02", {"ITEM": "8.91", "SHIPPING": "0.62", "DISCOUNT": "-1.51"}),
    ]


def test_a_discount_may_be_positive_and_without_details() -> None:
    assert proceeds_of("SOCKS-WOOL-4346", "3 for less") == [
        ("ITEM", "40.05", {}),
        ("DISCOUNT", "5.00", {}),
    ]


def all_money(value: Any) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        if "currencyCode" in value:
            yield value
        for below in value.values():
            yield from all_money(below)
    elif isinstance(value, list):
        for below in value:
            yield from all_money(below)


def test_quantities_packages_and_status_agree() -> None:
    for order in month(300):
        check_quantities(order)


def check_quantities(order: Order) -> None:
    status = order["fulfillment"]["fulfillmentStatus"]
    by_amazon = order["fulfillment"]["fulfilledBy"] == "AMAZON"
    packed: Counter[str] = Counter()
    for package in order.get("packages", ()):
        packed += package_units(package)
    remaining = unshipped_units(order)
    for item in order["orderItems"]:
        item_id, ordered = item["orderItemId"], item["quantityOrdered"]
        shipped = item["fulfillment"]["quantityFulfilled"]
        assert shipped == (
            ordered if by_amazon and status == "SHIPPED" else packed[item_id]
        )
        if status != "CANCELLED":
            assert shipped + remaining[item_id] == ordered
    assert bool(remaining.total()) == (status not in ("SHIPPED", "CANCELLED"))
    assert bool(packed) == (
        status in ("SHIPPED", "PARTIALLY_SHIPPED") and not by_amazon
    )


def test_the_month_holds_what_it_promises() -> None:
    orders = month()
    statuses = Counter(order["fulfillment"]["fulfillmentStatus"] for order in orders)
    assert set(statuses) == {
        "PENDING_AVAILABILITY",
        "PENDING",
        "UNSHIPPED",
        "PARTIALLY_SHIPPED",
        "SHIPPED",
        "CANCELLED",
        "UNFULFILLABLE",
    }
    currencies = {o["proceeds"]["grandTotal"]["currencyCode"] for o in orders}
    assert currencies == {"USD", "CAD", "BRL", "GBP", "EUR", "PLN", "JPY", "AUD"}
    assert {o["fulfillment"]["fulfilledBy"] for o in orders} == {"MERCHANT", "AMAZON"}
    assert set().union(*map(kinds, orders)) == {
        "ITEM",
        "SHIPPING",
        "GIFT_WRAP",
        "COD_FEE",
        "TAX",
        "DISCOUNT",
        "DELIVERY_TIP",
    }
    # Tax is shown on top in some marketplaces and never where it is inside.
    shows_tax = {
        order["proceeds"]["grandTotal"]["currencyCode"]
        for order in orders
        if "TAX" in kinds(order)
    }
    assert shows_tax == {"USD", "CAD"}
    discounts = [
        breakdown
        for order in orders
        for item in order["orderItems"]
        for breakdown in item["proceeds"]["breakdowns"]
        if breakdown["type"] == "DISCOUNT"
    ]
    assert {amount(d["subtotal"]) > 0 for d in discounts} == {True, False}
    assert {"detailedBreakdowns" in d for d in discounts} == {True, False}
    skus = {
        item["product"].get("sellerSku")
        for order in orders
        for item in order["orderItems"]
    }
    assert skus >= {None, NO_STOCK_SKU, *UNKNOWN_SKUS}
    assert any(order["proceeds"]["grandTotal"]["amount"] == "0.00" for order in orders)
    assert len(special_orders()) == 56


def test_fewer_orders_are_the_first_special_ones() -> None:
    few = {order["orderId"] for order in month(10)}
    assert len(few) == 10
    assert few < {order["orderId"] for order in month(56)}
    assert month(0) == []


def test_the_catalogue_serves_every_order_but_the_unknown() -> None:
    catalogue = {item.sku: item for item in seed_catalogue()}
    assert len(catalogue) == len(seed_catalogue()) == 21
    assert not catalogue.keys() & set(UNKNOWN_SKUS)
    assert [sku for sku, item in catalogue.items() if item.stock == 0] == [NO_STOCK_SKU]

    used: Counter[str] = Counter()
    for order in month(1000):
        currency = order["proceeds"]["grandTotal"]["currencyCode"]
        for item in order["orderItems"]:
            sku = item["product"].get("sellerSku")
            if sku in catalogue:
                used[sku] += item["quantityOrdered"]
                assert catalogue[sku].prices[currency] > 0
            else:
                assert sku is None or sku in UNKNOWN_SKUS
    for sku, units in used.items():
        assert sku == NO_STOCK_SKU or units < catalogue[sku].stock
    for item in catalogue.values():
        for currency, price in item.prices.items():
            assert price.as_tuple().exponent == minor_unit(currency).as_tuple().exponent


def test_any_number_of_simple_orders() -> None:
    orders = generate(
        6, marketplaces=[DE, JP, US], created_over=timedelta(days=6), lines=3
    )

    assert [order["salesChannel"]["marketplaceId"] for order in orders] == [
        DE,
        JP,
        US,
    ] * 2
    assert {order["fulfillment"]["fulfillmentStatus"] for order in orders} == {
        "UNSHIPPED"
    }
    created = [parse_time(order["createdTime"]) for order in orders]
    assert created == sorted(created)
    assert created[0] == NOW - timedelta(days=6)
    for order in orders:
        skus = [item["product"]["sellerSku"] for item in order["orderItems"]]
        assert len(set(skus)) == 3
        check_order(order)


def test_simple_orders_that_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no seeds for marketplace 'XX'"):
        generate(1, marketplaces=["XX"])
    with pytest.raises(ValueError, match="lines must be between 1 and 20"):
        generate(1, lines=21)
