"""Our orders beside those of ``orderBulkCreate``, and Saleor's work on ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import graphene
import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from saleor.account.models import Address
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.discount.models import OrderLineDiscount
from saleor.graphql.tests.fixtures import ApiClient
from saleor.order.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderEvent,
    OrderLine,
)
from saleor.payment.models import TransactionEvent, TransactionItem
from saleor.plugins.manager import PluginsManager
from saleor.tax.models import TaxClass
from saleor.warehouse.models import Allocation, Reservation, Stock
from saleor.warehouse.tasks import update_stocks_quantity_allocated_task

from contract.drafts import BILLING_ADDRESS, draft, line, price
from contract.fixtures import Goods, blocked, create, created, goods  # noqa: F401
from in_saleor.bulk_create import BulkCreate
from saleor_amazon_channel import clock
from saleor_amazon_channel.saleor import bulk_insert
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.store.contract import BlockerCode

ID = "302-2222222-0000001"
ORACLE_ID = "302-2222222-0000002"

# What is each row's own: keys, numbers, times of writing.
OWN = {
    Order: {
        "id",
        "number",
        "external_reference",
        "updated_at",
        "billing_address_id",
        "shipping_address_id",
        # Compared by what it finds, below.
        "search_vector",
    },
    Address: {"id"},
    OrderLine: {"id", "order_id", "created_at"},
    OrderLineDiscount: {"id", "line_id", "created_at"},
    TransactionItem: {"id", "token", "order_id", "created_at", "modified_at"},
    TransactionEvent: {"id", "transaction_id", "created_at"},
    Fulfillment: {"id", "order_id", "created_at"},
    FulfillmentLine: {"id", "fulfillment_id", "order_line_id"},
}

# Where ours is another than orderBulkCreate's on purpose: why.
DIFFERENT = {
    Order: {
        "user_email": "Saleor would write there; Amazon writes to its buyers",
        "metadata": "Amazon's order id, by which the channel knows its orders",
        "shipping_method_name": "the shop's method as well, and Amazon's order id",
        "shipping_tax_rate": "as Amazon says, not a quotient of rounded amounts",
        "shipping_tax_class_id": "the shipping method's",
        "base_shipping_price_amount": "with tax, where the channel's prices have it",
        "undiscounted_base_shipping_price_amount": "the same",
        "weight": "what the goods weigh",
    },
    Address: {
        "validation_skipped": "Amazon's address, not checked by Saleor's rules",
        "city": "as Amazon has it; Saleor's rules put some countries' in capitals",
    },
    OrderLine: {
        "tax_class_id": "the product's",
        "private_metadata": "Amazon's order item id",
    },
    OrderLineDiscount: {},
    TransactionItem: {
        "message": "says whom the buyer paid",
        "external_url": "the order's page in Seller Central",
        "use_old_id": "new transactions are known by their token alone",
        "app_id": "our app: it answers for refunds",
        "app_identifier": "the same",
    },
    TransactionEvent: {
        "psp_reference": "Amazon's order id",
        "message": "says whom the buyer paid",
        "app_id": "our app",
        "app_identifier": "the same",
    },
    Fulfillment: {
        "private_metadata": "marks what Amazon knows already",
    },
    FulfillmentLine: {"stock_id": "where the units came from, so that they can return"},
}
# And further where the buyer got a discount.
DIFFERENT_WITH_DISCOUNT = {
    OrderLine: {
        "unit_discount_amount": "of the price as entered, as Saleor's checkout has it",
        "unit_discount_value": "the same: it is a fixed amount",
        "unit_discount_type": "a fixed amount; orderBulkCreate leaves it empty",
        "unit_discount_reason": "says whose promotion it is",
        "base_unit_price_amount": "Saleor takes a net discount off a gross price",
    },
    OrderLineDiscount: {
        "value": "the fixed amount, which orderBulkCreate leaves 0",
        "value_type": "Saleor's 'fixed'; orderBulkCreate writes 'FIXED'",
        "amount_value": "of the price as entered",
        "reason": "says whose promotion it is",
    },
}


def _orders_of_both(shop, store, goods, lines, **changes):  # noqa: F811
    """The same order written by us and by orderBulkCreate: (ours, Saleor's)."""
    ensure_app()
    ours = draft(ID, lines, **changes)
    (answer,) = create(shop, store, [goods.new(ours)])
    oracle = BulkCreate()
    # Our stock is allocated by now, which orderBulkCreate would count.
    for sku in goods.variant_ids:
        shop.set_stock(goods.variant_ids[sku], goods.warehouse_id, 99)
    theirs = dataclasses.replace(ours, amazon_order_id=ORACLE_ID)
    (oracle_id,) = oracle([goods.new(theirs)], goods.channel)
    return (
        Order.objects.get(pk=created(answer).order_id),
        Order.objects.get(pk=oracle_id),
    )


def _differences(ours: Iterable[Model], theirs: Iterable[Model]) -> set[str]:
    """The columns in which rows of both orders, taken in pairs, are not equal."""
    different = set()
    for mine, other in zip(ours, theirs, strict=True):
        for field in type(mine)._meta.concrete_fields:
            name = field.attname
            if name in OWN[type(mine)]:
                continue
            if _plain(getattr(mine, name)) != _plain(getattr(other, name)):
                different.add(name)
    return different


def _plain(value: object) -> object:
    # Amazon's order id is in several texts; the two orders have one each.
    if isinstance(value, str):
        return value.replace(ORACLE_ID, ID)
    return value


def _compare(ours: Order, theirs: Order) -> set[str]:
    """The columns that differ, as "Order.weight"."""
    pairs = {
        Order: ([ours], [theirs]),
        Address: tuple(
            [order.billing_address, order.shipping_address] for order in (ours, theirs)
        ),
    }
    for model, by, order_by in (
        (OrderLine, "order", "product_sku"),
        (OrderLineDiscount, "line__order", "pk"),
        (TransactionItem, "order", "pk"),
        (TransactionEvent, "transaction__order", "pk"),
        (Fulfillment, "order", "pk"),
        (FulfillmentLine, "fulfillment__order", "quantity"),
    ):
        pairs[model] = tuple(
            model.objects.filter(**{by: order}).order_by(order_by)
            for order in (ours, theirs)
        )
    return {
        f"{model.__name__}.{column}"
        for model, (mine, others) in pairs.items()
        for column in _differences(mine, others)
    }


def _named(*tables: dict[type[Model], dict[str, str]]) -> set[str]:
    return {
        f"{model.__name__}.{column}"
        for table in tables
        for model, reasons in table.items()
        for column in reasons
    }


def test_an_order_equals_one_of_order_bulk_create(shop, store, goods: Goods):  # noqa: F811
    goods.add("MUG", 9)
    goods.add("CUP", 9)

    ours, theirs = _orders_of_both(
        shop, store, goods, [line("CUP", 3, price("20.00", "16.81")), line("MUG")]
    )

    assert _compare(ours, theirs) == {
        column for column in _named(DIFFERENT) if not column.startswith("Fulfillment")
    }


def test_a_partly_shipped_order_with_a_discount_equals_one_of_order_bulk_create(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    goods.add("MUG", 9)
    goods.add("CUP", 9)

    ours, theirs = _orders_of_both(
        shop,
        store,
        goods,
        [
            line("CUP", 3, shipped=2),
            line("MUG", 1, undiscounted_total=price("14.28", "12.00")),
        ],
    )

    assert _compare(ours, theirs) == _named(DIFFERENT, DIFFERENT_WITH_DISCOUNT)


def test_the_named_differences_are_of_columns_that_exist():
    for table in (OWN, DIFFERENT, DIFFERENT_WITH_DISCOUNT):
        for model, columns in table.items():
            for column in columns:
                try:
                    model._meta.get_field(column)
                except FieldDoesNotExist as error:
                    raise AssertionError(error) from error


def test_ours_is_allocated_and_that_of_order_bulk_create_is_not(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    goods.add("MUG", 9)

    ours, theirs = _orders_of_both(shop, store, goods, [line("MUG", 2)])

    assert [
        (row.stock.product_variant.sku, row.quantity_allocated)
        for row in Allocation.objects.filter(order_line__order=ours)
    ] == [("MUG", 2)]
    assert not Allocation.objects.filter(order_line__order=theirs).exists()


@pytest.fixture
def order(shop, store, goods: Goods):  # noqa: F811
    """An imported order of two mugs and a cup, owned by our app."""
    ensure_app()
    goods.add("MUG", 9)
    goods.add("CUP", 9)
    new = goods.new(draft(ID, [line("MUG", 2), line("CUP")]))
    (answer,) = create(shop, store, [new])
    return created(answer)


@pytest.mark.parametrize(
    "text",
    [ID, f'"{ID}"', "Jürgen Müller", "Köln", "Holding", "50667", "MUG", "Germany"],
)
def test_the_order_is_found_as_saleor_finds_orders(shop, order, text):
    assert _found(shop, text) == [order.number]


def test_the_order_is_found_by_its_number_and_nobody_elses(shop, order):
    assert _found(shop, order.number) == [order.number]
    assert _found(shop, "302-2222222-0000009") == []


def test_the_order_is_still_found_after_saleor_made_the_index_anew(shop, order):
    before = Order.objects.get(pk=order.order_id).search_vector
    _mutate(
        shop,
        """mutation ($id: ID!) {
            result: orderNoteAdd(order: $id, input: {message: "fragile"}) {
                errors { message } } }""",
        id=_order_gid(order),
    )

    assert Order.objects.get(pk=order.order_id).search_vector != before
    assert _found(shop, ID) == [order.number]
    assert _found(shop, "fragile") == [order.number]


def test_saleor_changes_no_amount_when_staff_change_the_order(shop, order):
    before = shop.order(order.order_id)

    _mutate(
        shop,
        """mutation ($id: ID!, $address: AddressInput!) {
            result: orderUpdate(id: $id, input: {
                shippingAddress: $address, externalReference: "changed"
            }) { errors { field message } } }""",
        id=_order_gid(order),
        address={
            "firstName": "Anna",
            "lastName": "Neu",
            "streetAddress1": "Neue Straße 1",
            "city": "Wien",
            "postalCode": "1010",
            "country": "AT",
        },
    )

    after = shop.order(order.order_id)
    assert after.shipping_address.city == "WIEN"
    assert (
        dataclasses.replace(
            after,
            shipping_address=before.shipping_address,
            external_reference=before.external_reference,
        )
        == before
    )
    assert after.billing_address == BILLING_ADDRESS


def test_saleor_finds_its_stocks_in_agreement(order, goods: Goods):  # noqa: F811
    before = list(Stock.objects.order_by("pk").values())

    update_stocks_quantity_allocated_task()

    assert list(Stock.objects.order_by("pk").values()) == before
    assert goods.stock("MUG") == (9, 2)


def test_the_order_is_paid_and_our_app_owns_the_payment(shop, order):
    app = ensure_app()
    row = Order.objects.get(pk=order.order_id)

    answer = shop.query(
        """query ($id: ID!) { order(id: $id) {
            isPaid chargeStatus authorizeStatus canFinalize
            transactions { name pspReference externalUrl actions
                events { type pspReference amount { amount } } } } }""",
        id=_order_gid(order),
    )["order"]

    assert (answer["isPaid"], answer["chargeStatus"]) == (True, "FULL")
    assert answer["authorizeStatus"] == "FULL"
    assert answer["transactions"] == [
        {
            "name": "Amazon.de",
            "pspReference": ID,
            "externalUrl": f"https://sellercentral.amazon.de/orders-v3/order/{ID}",
            "actions": ["REFUND"],
            "events": [
                {
                    "type": "CHARGE_SUCCESS",
                    "pspReference": ID,
                    "amount": {"amount": 40.69},
                }
            ],
        }
    ]
    assert TransactionItem.objects.get(order=row).app == app


def test_a_refund_can_be_granted_and_settled(shop, order):
    _mutate(
        shop,
        """mutation ($id: ID!, $line: ID!, $transaction: ID!) {
            result: orderGrantRefundCreate(id: $id, input: {
                lines: [{id: $line, quantity: 1}], grantRefundForShipping: true,
                transactionId: $transaction
            }) { errors { field message } } }""",
        id=_order_gid(order),
        line=graphene.Node.to_global_id("OrderLine", order.line_ids["item-MUG"]),
        transaction=_transaction_gid(order),
    )
    reported = ApiClient(app=ensure_app()).post_graphql(
        """mutation ($id: ID!) {
            result: transactionEventReport(
                id: $id, type: REFUND_SUCCESS, amount: 16.89, pspReference: "refund-1"
            ) { errors { field message } } }""",
        {"id": _transaction_gid(order)},
    )
    assert reported.json()["data"]["result"] == {"errors": []}

    answer = shop.query(
        """query ($id: ID!) { order(id: $id) {
            chargeStatus totalGrantedRefund { amount } totalRefunded { amount }
            total { gross { amount } } } }""",
        id=_order_gid(order),
    )["order"]
    assert answer == {
        "chargeStatus": "FULL",
        "totalGrantedRefund": {"amount": 16.89},
        "totalRefunded": {"amount": 16.89},
        "total": {"gross": {"amount": 40.69}},
    }


def test_a_partly_shipped_order_can_be_shipped_and_its_package_cancelled(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    goods.add("MUG", 9)
    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 3, shipped=1)]))])
    line_id = created(answer).line_ids["item-MUG"]

    shop.fulfil(answer.order_id, {line_id: 2}, warehouse_id=goods.warehouse_id)
    assert shop.order(answer.order_id).status == "fulfilled"
    assert goods.stock("MUG") == (6, 0)
    for fulfillment in shop.order(answer.order_id).fulfillments:
        shop.cancel_fulfillment(
            fulfillment.fulfillment_id, warehouse_id=goods.warehouse_id
        )

    assert goods.stock("MUG") == (9, 3)
    assert list(
        Fulfillment.objects.filter(order_id=answer.order_id).values_list(
            "fulfillment_order", flat=True
        )
    ) == [1, 2]


def test_other_apps_are_told_once_the_orders_are_committed(
    shop,
    store,
    goods: Goods,  # noqa: F811
    monkeypatch,
    django_capture_on_commit_callbacks,
):
    told = []
    monkeypatch.setattr(
        PluginsManager, "order_bulk_created", lambda self, orders: told.append(orders)
    )
    goods.add("MUG", 9)
    batch = [goods.new(draft(f"{ID}{n}", [line("MUG")])) for n in range(2)]

    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        answers = create(shop, store, batch)
        assert told == []

    assert len(callbacks) == 1
    assert {str(order.pk) for order in told[0]} == {
        created(answer).order_id for answer in answers
    }


def test_another_app_that_fails_does_not_fail_the_import(
    shop,
    store,
    goods: Goods,  # noqa: F811
    monkeypatch,
    caplog,
    django_capture_on_commit_callbacks,
):
    def fail(self, orders):
        raise ValueError("Jürgen Müller")

    monkeypatch.setattr(PluginsManager, "order_bulk_created", fail)
    goods.add("MUG", 9)

    with django_capture_on_commit_callbacks(execute=True):
        create(shop, store, [goods.new(draft(ID, [line("MUG")]))])

    assert [
        record.getMessage() for record in caplog.records if record.levelname == "ERROR"
    ] == ["Other apps were not told of 1 imported orders: ValueError"]
    assert "Müller" not in caplog.text


def test_no_signal_is_sent(shop, store, goods: Goods):  # noqa: F811
    saved = []
    goods.add("MUG", 9)
    new = goods.new(draft(ID, [line("MUG", 2, shipped=1)]))

    def receiver(sender, **kwargs):
        saved.append(sender)

    post_save.connect(receiver)
    try:
        (answer,) = create(shop, store, [new])
        store.note_shipment(
            str(Fulfillment.objects.get(order_id=created(answer).order_id).pk),
            {"amazon.state": "confirmed"},
        )
        store.add_note(answer.order_id, "Amazon has it.")
    finally:
        post_save.disconnect(receiver)

    assert saved == []


def test_saleor_mails_its_own_customers_so_our_silence_means_something(
    shop,
    goods: Goods,  # noqa: F811
):
    assert shop.sell(goods.channel.id, goods.add("MUG", 9), 1)

    assert list(shop.emails()) != []


def test_what_open_checkouts_have_reserved_is_not_free(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    variant_id = goods.add("MUG", 3)
    checkout = Checkout.objects.create(
        channel_id=goods.channel.id, currency="EUR", country="DE"
    )
    reserved = CheckoutLine.objects.create(
        checkout=checkout, variant_id=variant_id, quantity=2, currency="EUR"
    )
    reservation = Reservation.objects.create(
        checkout_line=reserved,
        stock=Stock.objects.get(product_variant_id=variant_id),
        quantity_reserved=2,
        reserved_until=clock.now() + timedelta(minutes=5),
    )
    new = goods.new(draft(ID, [line("MUG", 2)]))

    (answer,) = create(shop, store, [new])
    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.OUT_OF_STOCK
    ]
    reservation.reserved_until = clock.now() - timedelta(seconds=1)
    reservation.save()

    assert created(create(shop, store, [new])[0]).is_new


def test_the_products_tax_class_is_the_lines(shop, store, goods: Goods):  # noqa: F811
    variant_id = goods.add("MUG", 9)
    tax_class = TaxClass.objects.create(name="Books", metadata={"vat": "reduced"})
    variant = Stock.objects.get(product_variant_id=variant_id).product_variant
    type(variant.product).objects.update(tax_class=tax_class)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG")]))])

    (row,) = OrderLine.objects.filter(order_id=created(answer).order_id)
    assert row.tax_class == tax_class
    assert (row.tax_class_name, row.tax_class_metadata) == (
        "Books",
        {"vat": "reduced"},
    )


def test_the_order_weighs_what_its_goods_weigh(order):
    assert Order.objects.get(pk=order.order_id).weight.g == 750


@pytest.mark.parametrize(
    ("given", "stored"),
    [("de", "de"), ("de-AT", "de-at"), ("pt_BR", "pt-br"), ("xx-YY", "en"), ("", "en")],
)
def test_languages_are_saleors(shop, store, goods: Goods, given, stored):  # noqa: F811
    goods.add("MUG", 9)

    (answer,) = create(
        shop, store, [goods.new(draft(ID, [line("MUG")], language_code=given))]
    )

    assert Order.objects.get(pk=created(answer).order_id).language_code == stored


def test_a_batch_of_fifty_is_made_in_few_statements(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    goods.add("MUG", 999)
    batch = [
        goods.new(draft(f"{ID}{number}", [line("MUG", 2)])) for number in range(50)
    ]

    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        store.create_orders(batch)

    assert len(queries) == 21


def test_rows_name_only_columns_of_their_table():
    with pytest.raises(KeyError, match="order_orderevent has no"):
        bulk_insert.insert(OrderEvent, [{"typo": 1}])


def test_an_unexpected_kind_of_value_is_not_stored():
    with pytest.raises(TypeError, match="set cannot be stored"):
        bulk_insert.insert(OrderEvent, [{"parameters": {"a": {1}}}])


def test_decimals_are_stored_exactly(shop, store, goods: Goods):  # noqa: F811
    goods.add("MUG", 9)
    total = price("123456789.12", "103745200.94")

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 1, total)]))])

    row = Order.objects.get(pk=created(answer).order_id)
    assert row.total_gross_amount == Decimal("123456794.11")
    assert row.lines.get().total_price_net_amount == Decimal("103745200.94")


def _found(shop, text: str) -> list[str]:
    answer = shop.query(
        """query ($text: String!) { orders(first: 10, filter: {search: $text}) {
            edges { node { number } } } }""",
        text=text,
    )
    return [edge["node"]["number"] for edge in answer["orders"]["edges"]]


def _mutate(shop, text: str, **variables: object) -> None:
    assert shop.query(text, **variables)["result"]["errors"] == []


def _order_gid(order) -> str:
    return graphene.Node.to_global_id("Order", order.order_id)


def _transaction_gid(order) -> str:
    token = TransactionItem.objects.get(order_id=order.order_id).token
    return graphene.Node.to_global_id("TransactionItem", token)
