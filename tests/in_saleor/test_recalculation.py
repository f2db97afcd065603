"""Amazon's amounts in Saleor: they agree with each other, and nothing changes them.

A family of orders (Amazon's own examples, the sandbox's month, and the awkward by hand)
goes through the mapping into real Saleor. Then staff and Saleor do to each what they
can, under every way of calculating taxes, and every amount is read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import graphene
import pytest
from django.db.models.signals import post_init, pre_save
from saleor.graphql.tests.fixtures import ApiClient
from saleor.order import OrderStatus
from saleor.order.models import Order as OrderRow
from saleor.order.models import OrderLine
from saleor.order.tasks import recalculate_orders_task
from saleor.payment.models import TransactionItem
from saleor.shipping.tasks import (
    drop_invalid_shipping_methods_relations_for_given_channels,
)
from saleor.tax import TaxCalculationStrategy
from saleor.tax.models import TaxClassCountryRate, TaxConfiguration

from contract.drafts import new_order
from contract.fixtures import create, created
from importing.wire_amounts import JP, US, breakdown, item_of, order_of
from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.marketplaces import minor_unit
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.importing.rules import READY, decide
from saleor_amazon_channel.saleor import amounts
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.sandbox import seeds
from saleor_amazon_channel.store.contract import OrderDraft

pytestmark = pytest.mark.django_db

CONTRACTS = Path(
    os.environ.get("AMAZON_CHANNEL_CONTRACTS")
    or Path(__file__).parents[3] / "shared" / "contracts"
)
MODEL = CONTRACTS / "amazon" / "orders_2026-01-01.json"


# The family.


def _awkward() -> Iterator[dict[str, Any]]:
    """Three units of 10.00, tax of every kind, yen, tips, promotions, fees."""
    tax_on_top = [breakdown("TAX", "0.83", {"ITEM": "0.83"})]
    yield order_of(
        "10.83",
        [item_of("10.83", breakdown("ITEM", "10.00"), *tax_on_top, quantity=3)],
        marketplace_id=US,
    )
    # Collected and remitted by Amazon: outside the proceeds, then inside.
    for total in ("10.00", "10.83"):
        yield order_of(
            total,
            [
                item_of(
                    total,
                    breakdown("ITEM", "10.00"),
                    *tax_on_top,
                    quantity=3,
                    is_facilitated=True,
                )
            ],
            marketplace_id=US,
        )
    # Contained, with wrap, shipping, a fee for cash on delivery, and a promotion.
    yield order_of(
        "36.00",
        [
            item_of(
                "34.00",
                breakdown("ITEM", "25.00"),
                breakdown("GIFT_WRAP", "3.50"),
                breakdown("SHIPPING", "4.99"),
                breakdown("COD_FEE", "3.00"),
                breakdown("OTHER", "0.50"),
                breakdown("DISCOUNT", "-2.99", {"SHIPPING": "-1.99", "ITEM": "-1.00"}),
                breakdown(
                    "TAX",
                    "5.43",
                    {"ITEM": "3.83", "GIFT_WRAP": "0.56", "SHIPPING": "1.04"},
                ),
                quantity=7,
            )
        ],
        {**breakdown("DELIVERY_TIP", "2.00"), "status": "FINALIZED"},
    )
    # A tip that is not final yet, outside the total; a promotion without details.
    yield order_of(
        "15.00",
        [
            item_of(
                "15.00",
                breakdown("ITEM", "20.00"),
                breakdown("DISCOUNT", "5.00"),
                quantity=3,
            )
        ],
        {**breakdown("DELIVERY_TIP", "2.00"), "status": "PENDING"},
    )
    yield order_of(
        "1000",
        [
            item_of(
                "1000",
                breakdown("ITEM", "1000", currency="JPY"),
                breakdown("TAX", "91", {"ITEM": "91"}, currency="JPY"),
                quantity=3,
                currency="JPY",
            )
        ],
        currency="JPY",
        marketplace_id=JP,
    )


def _examples() -> list[dict[str, Any]]:
    """Those in Amazon's model, where it is at hand."""
    if not MODEL.is_file():
        return []
    return list(_inside(json.loads(MODEL.read_text(encoding="utf-8"))["paths"]))


def _inside(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict) and "orderItems" in node and "orderId" in node:
        yield node
        return
    children = node.values() if isinstance(node, dict) else node
    for child in children if isinstance(node, dict | list) else ():
        yield from _inside(child)


def _seeded() -> Iterator[dict[str, Any]]:
    """The specials of the sandbox's month come first."""
    for wire in seeds.month(60):
        order = Order.from_wire(wire)
        decision = decide(
            order,
            import_orders=True,
            import_from=min(order.created_time, clock.now()),
            is_mapped=True,
        )
        if decision.state == READY:
            yield wire


def _family() -> list[tuple[OrderDraft, Decimal]]:
    """Each with the total that Amazon states; what is there to be blocked left out."""
    family = {}
    awkward = [
        {**wire, "orderId": f"111-0000000-{number:07}"}
        for number, wire in enumerate(_awkward())
    ]
    for wire in (*awkward, *_examples(), *_seeded()):
        order = Order.from_wire(wire)
        try:
            draft = map_order(order)
        except CannotMap:
            assert wire not in awkward
            continue
        assert order.proceeds is not None
        assert order.proceeds.grand_total is not None
        family[order.order_id] = (draft, order.proceeds.grand_total.amount)
    return list(family.values())


@pytest.fixture
def some_orders(orders) -> list[str]:
    """The awkward, and some of Amazon's examples and of the month."""
    ids = list(orders)
    return [*ids[:6], *ids[6::8]]


@pytest.fixture
def orders(shop, store) -> dict[str, OrderDraft]:
    """The family in Saleor, by Saleor's id of the order."""
    ensure_app()
    family = _family()
    channels = {
        currency: shop.create_channel(
            f"amazon-{currency.lower()}",
            currency,
            country="DE",
            shipping_methods=("Standard", "Express"),
        )
        for currency in {draft.currency for draft, _ in family}
    }
    stock = {channel.warehouses[0].id: 1000 for channel in channels.values()}
    variants = {
        sku: shop.create_variant(
            sku, [channel.id for channel in channels.values()], stock=stock, name=sku
        )
        for sku in {line.sku for draft, _ in family for line in draft.lines}
    }
    answers = create(
        shop,
        store,
        [new_order(draft, channels[draft.currency], variants) for draft, _ in family],
    )
    return {
        created(answer).order_id: draft
        for answer, (draft, _) in zip(answers, family, strict=True)
    }


# Reading them.

AMOUNTS = """
fragment Taxed on TaxedMoney { gross { amount } net { amount } tax { amount } }
query ($id: ID!) { order(id: $id) {
    subtotal { ...Taxed } total { ...Taxed } undiscountedTotal { ...Taxed }
    shippingPrice { ...Taxed } undiscountedShippingPrice { amount } shippingTaxRate
    totalCharged { amount } totalBalance { amount } discounts { amount { amount } }
    lines {
        quantity taxRate unitDiscount { amount } unitDiscountType
        unitPrice { ...Taxed } undiscountedUnitPrice { ...Taxed }
        totalPrice { ...Taxed } undiscountedTotalPrice { ...Taxed }
    }
} }
"""


def _amounts(shop, order_id: str) -> dict[str, Any]:
    return shop.query(AMOUNTS, id=_order_gid(order_id))["order"]


def _stored(order_id: str) -> list[dict[str, Any]]:
    """Every amount and rate of the order and its lines, as the tables have them."""
    rows = [
        *OrderRow.objects.filter(pk=order_id).values(),
        *OrderLine.objects.filter(order_id=order_id).order_by("pk").values(),
    ]
    return [
        {
            name: value
            for name, value in row.items()
            if name.endswith(("_amount", "tax_rate", "discount_value", "quantity"))
            or name == "should_refresh_prices"
        }
        for row in rows
    ]


def _money(taxed: dict[str, Any], part: str = "gross") -> Decimal:
    return Decimal(str(taxed[part]["amount"]))


def _order_gid(order_id: str) -> str:
    return graphene.Node.to_global_id("Order", order_id)


def test_the_family_has_every_kind(orders):
    drafts = list(orders.values())

    assert len(drafts) >= 40
    assert {draft.currency for draft in drafts} >= {"EUR", "USD", "GBP", "JPY", "PLN"}
    split = {key for draft in drafts for key in draft.metadata} | {
        key for draft in drafts for line in draft.lines for key in line.metadata
    }
    assert split >= {
        "amazon.item",
        "amazon.giftWrap",
        "amazon.shipping",
        "amazon.codFee",
        "amazon.other",
        "amazon.deliveryTip",
        "amazon.pendingDeliveryTip",
        "amazon.discount",
        "amazon.shippingDiscount",
        "amazon.tax",
        "amazon.shippingTax",
        "amazon.taxRemittedByAmazon",
    }


def test_saleors_totals_are_amazons_and_agree_with_each_other(shop, orders):
    totals = {draft.amazon_order_id: total for draft, total in _family()}
    for order_id, draft in orders.items():
        unit = minor_unit(draft.currency)
        order = _amounts(shop, order_id)

        assert _money(order["total"]) == totals[draft.amazon_order_id]
        assert Decimal(str(order["totalCharged"]["amount"])) == _money(order["total"])
        assert order["totalBalance"]["amount"] == 0
        assert order["discounts"] == []
        for part in ("gross", "net", "tax"):
            lines = [_money(line["totalPrice"], part) for line in order["lines"]]
            assert _money(order["subtotal"], part) == sum(lines)
            assert _money(order["total"], part) == (
                _money(order["subtotal"], part) + _money(order["shippingPrice"], part)
            )
        assert _money(order["undiscountedTotal"]) >= _money(order["total"])
        priced = [
            *((line["totalPrice"], line["taxRate"]) for line in order["lines"]),
            (order["shippingPrice"], order["shippingTaxRate"]),
        ]
        for price, rate in priced:
            assert _money(price) == _money(price, "net") + _money(price, "tax")
            made = _money(price, "net") * (1 + Decimal(str(rate or 0)))
            # A rate has four digits.
            assert abs(made - _money(price)) <= unit + _money(price) / 10_000
        for line in order["lines"]:
            off = line["quantity"] * unit / 2
            for unit_price, total in (
                ("unitPrice", "totalPrice"),
                ("undiscountedUnitPrice", "undiscountedTotalPrice"),
            ):
                made = line["quantity"] * _money(line[unit_price])
                assert abs(made - _money(line[total])) <= off
            assert _money(line["undiscountedTotalPrice"]) >= _money(line["totalPrice"])
            is_discounted = line["undiscountedTotalPrice"] != line["totalPrice"]
            assert is_discounted == bool(line["unitDiscountType"])


# Changing them.


def _configure(strategy: str, *, is_with_tax: bool) -> None:
    """Saleor's taxes are other than Amazon's: 33 % everywhere."""
    TaxConfiguration.objects.update(
        charge_taxes=True,
        tax_calculation_strategy=strategy,
        prices_entered_with_tax=is_with_tax,
    )
    for country in ("DE", "US", "JP", "GB", "FR", "PL", "CA", "AU", "BR", "TR"):
        TaxClassCountryRate.objects.create(country=country, rate=33)


def _ask(shop, document: str, **variables: Any) -> list[str]:
    """Staff's request; the codes of its errors."""
    answer = shop.query(document, **variables)["result"]
    return [error["code"] for error in answer["errors"]]


ADDRESS = {
    "firstName": "Anna",
    "lastName": "Neu",
    "streetAddress1": "Neue Straße 1",
    "city": "Berlin",
    "postalCode": "10115",
    "country": "DE",
}


def _edit(shop, order_id: str) -> None:
    """What staff may do to an order in any status."""
    gid = _order_gid(order_id)
    for document, variables in (
        (
            """mutation ($id: ID!, $address: AddressInput!) {
                result: orderUpdate(id: $id, input: {
                    shippingAddress: $address, billingAddress: $address,
                    languageCode: DE, metadata: [{key: "a", value: "b"}]
                }) { errors { code } } }""",
            {"id": gid, "address": ADDRESS},
        ),
        (
            """mutation ($id: ID!) {
                result: orderNoteAdd(order: $id, input: {message: "fragile"}) {
                    errors { code } } }""",
            {"id": gid},
        ),
        (
            """mutation ($id: ID!) {
                result: updateMetadata(id: $id, input: [{key: "c", value: "d"}]) {
                    errors { code } } }""",
            {"id": gid},
        ),
    ):
        assert _ask(shop, document, **variables) == []


def _refused(shop, order_id: str) -> Iterator[list[str]]:
    """What would change what the buyer paid."""
    row = OrderRow.objects.get(pk=order_id)
    line = row.lines.order_by("pk").first()
    assert line is not None
    listing = row.channel.shipping_method_listings.exclude(
        shipping_method_id=row.shipping_method_id
    ).first()
    method = graphene.Node.to_global_id("ShippingMethod", listing.shipping_method_id)
    variables = {
        "id": _order_gid(order_id),
        "line": graphene.Node.to_global_id("OrderLine", line.pk),
        "variant": graphene.Node.to_global_id("ProductVariant", line.variant_id),
        "method": method,
    }
    for mutation, used in (
        (
            "orderUpdateShipping(order: $id, input: {shippingMethod: $method})",
            "id method",
        ),
        ("orderLineUpdate(id: $line, input: {quantity: 9})", "line"),
        ("orderLineDelete(id: $line)", "line"),
        (
            "orderLinesCreate(id: $id, input: [{variantId: $variant, quantity: 2}])",
            "id variant",
        ),
        (
            "orderDiscountAdd(orderId: $id, input: {valueType: FIXED, value: 1})",
            "id",
        ),
        (
            "orderLineDiscountUpdate(orderLineId: $line, "
            "input: {valueType: PERCENTAGE, value: 7})",
            "line",
        ),
    ):
        names = used.split()
        declared = ", ".join(f"${name}: ID!" for name in names)
        yield _ask(
            shop,
            f"mutation ({declared}) {{ result: {mutation} {{ errors {{ code }} }} }}",
            **{name: variables[name] for name in names},
        )


def _exempt(shop, order_id: str) -> None:
    assert (
        _ask(
            shop,
            """mutation ($id: ID!) {
                result: taxExemptionManage(id: $id, taxExemption: true) {
                    errors { code } } }""",
            id=_order_gid(order_id),
        )
        == []
    )


def _in_bulk(order_ids: list[str]) -> None:
    """What Saleor does by itself when products or shipping methods go."""
    recalculate_orders_task(order_ids)
    rows = OrderRow.objects.filter(pk__in=order_ids)
    drop_invalid_shipping_methods_relations_for_given_channels(
        list(rows.values_list("shipping_method_id", flat=True).distinct()),
        list(rows.values_list("channel_id", flat=True).distinct()),
    )


def _work(shop, order_id: str) -> None:
    """Ship all that is left, and refund a cent."""
    row = OrderRow.objects.get(pk=order_id)
    left = {
        str(line.pk): line.quantity - line.quantity_fulfilled
        for line in row.lines.all()
        if line.quantity > line.quantity_fulfilled
    }
    if left:
        shop.fulfil(
            order_id,
            left,
            warehouse_id=str(row.channel.warehouses.get().pk),
            tracking_number="T1",
        )
    transaction = TransactionItem.objects.get(order_id=order_id)
    reported = ApiClient(app=ensure_app()).post_graphql(
        """mutation ($id: ID!, $amount: PositiveDecimal!) {
            result: transactionEventReport(
                id: $id, type: REFUND_SUCCESS, amount: $amount, pspReference: "refund-1"
            ) { errors { field message } } }""",
        {
            "id": graphene.Node.to_global_id("TransactionItem", transaction.token),
            "amount": str(minor_unit(row.currency)),
        },
    )
    assert reported.json()["data"]["result"] == {"errors": []}


@pytest.mark.parametrize(
    ("is_unconfirmed", "strategy", "is_with_tax"),
    [
        # Saleor calculates nothing in this status, whatever the taxes.
        (False, TaxCalculationStrategy.FLAT_RATES, True),
        (True, TaxCalculationStrategy.FLAT_RATES, True),
        (True, TaxCalculationStrategy.FLAT_RATES, False),
        (True, TaxCalculationStrategy.TAX_APP, True),
    ],
)
def test_no_amount_changes_whatever_is_done_to_the_order(
    shop, some_orders, strategy, is_with_tax, is_unconfirmed
):
    _configure(strategy, is_with_tax=is_with_tax)
    if is_unconfirmed:
        OrderRow.objects.filter(status=OrderStatus.UNFULFILLED).update(
            status=OrderStatus.UNCONFIRMED
        )
    before = {order_id: _amounts(shop, order_id) for order_id in some_orders}
    stored = {order_id: _stored(order_id) for order_id in some_orders}
    shown = ("total", "subtotal", "shippingPrice", "undiscountedTotal", "lines")

    for order_id in some_orders:
        _edit(shop, order_id)
        assert _amounts(shop, order_id) == before[order_id]
        for codes in _refused(shop, order_id):
            assert codes == ["NOT_EDITABLE"] or codes == ["CANNOT_DISCOUNT"], codes
        assert _amounts(shop, order_id) == before[order_id]
        assert _stored(order_id) == stored[order_id]
        if OrderRow.objects.get(pk=order_id).status == OrderStatus.UNCONFIRMED:
            _exempt(shop, order_id)
            assert _amounts(shop, order_id) == before[order_id]
    _in_bulk(some_orders)
    for order_id in some_orders:
        assert _amounts(shop, order_id) == before[order_id]
        if OrderRow.objects.get(pk=order_id).status == OrderStatus.UNCONFIRMED:
            confirm = """mutation ($id: ID!) {
                result: orderConfirm(id: $id) { errors { code } } }"""
            assert _ask(shop, confirm, id=_order_gid(order_id)) == []
            assert _amounts(shop, order_id) == before[order_id]
        _work(shop, order_id)
        after = _amounts(shop, order_id)
        assert {name: after[name] for name in shown} == {
            name: before[order_id][name] for name in shown
        }


_UIDS = {
    post_init: "saleor_amazon_channel.amounts._on_order_loaded",
    pre_save: "saleor_amazon_channel.amounts._on_order_saved",
}


@pytest.mark.parametrize("is_with_tax", [True, False])
def test_without_the_guard_saleor_would_make_amounts_of_its_own(
    shop, orders, is_with_tax
):
    """So that the test above proves something."""
    _configure(TaxCalculationStrategy.FLAT_RATES, is_with_tax=is_with_tax)
    OrderRow.objects.filter(pk__in=orders).update(
        status=OrderStatus.UNCONFIRMED, should_refresh_prices=True
    )
    kept = {order_id: _amounts(shop, order_id)["total"] for order_id in orders}
    for signal in (post_init, pre_save):
        signal.disconnect(sender=OrderRow, dispatch_uid=_UIDS[signal])
    try:
        changed = [
            order_id
            for order_id in orders
            if _amounts(shop, order_id)["total"] != kept[order_id]
        ]
    finally:
        amounts.connect()

    assert len(changed) > len(orders) / 2


def test_other_orders_of_the_shop_are_calculated_as_ever(order_with_lines):
    order_with_lines.status = OrderStatus.UNCONFIRMED
    order_with_lines.should_refresh_prices = True
    order_with_lines.save()

    assert OrderRow.objects.get(pk=order_with_lines.pk).should_refresh_prices
    order_with_lines.save(update_fields=["base_shipping_price_amount"])
