from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.amazon.errors import (
    MalformedAnswer,
    MalformedOrder,
    NotFound,
)
from saleor_amazon_channel.amazon.orders import (
    INCLUDED_DATA,
    DateTimeRange,
    Money,
    Order,
    get_order,
    search_orders,
    wire_time,
)
from wire.models import examples_as_read
from wire_orders import wire_order

from .conftest import Answer, Loopback, errors

ORDERS_PATH = "/orders/2026-01-01/orders"


@pytest.fixture(scope="session")
def example_orders() -> dict[str, Order]:
    return examples_as_read()


def minimal_order() -> dict[str, Any]:
    """No more than the model requires."""
    return {
        "orderId": "902-1845936-5435065",
        "createdTime": "2026-11-01T08:00:00Z",
        "lastUpdatedTime": "2026-11-01T09:00:00.250Z",
        "salesChannel": {"channelName": "AMAZON"},
        "orderItems": [
            {"orderItemId": "05015851154158", "quantityOrdered": 2, "product": {}}
        ],
    }


def pounds(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)


def test_every_example_order_of_the_model_is_read(
    example_orders: dict[str, Order],
) -> None:
    assert {
        order_id: (
            order.sales_channel.marketplace_name,
            order.fulfilled_by,
            order.fulfillment_status,
            order.recipient.delivery_address.country_code,
            str(order.proceeds.grand_total),
            [item.product.seller_sku for item in order.order_items],
        )
        for order_id, order in example_orders.items()
    } == {
        "123-4567890-1234567": (
            "Amazon.com",
            "MERCHANT",
            "SHIPPED",
            "US",
            "154.99 USD",
            ["ECHO-DOT-4-CHARCOAL", "FIRE-TV-4K-2021"],
        ),
        "250-1234567-8901234": (
            "Amazon.co.jp",
            "AMAZON",
            "SHIPPED",
            "JP",
            "19940 JPY",
            ["ECHO-DOT-4-JP-CHARCOAL", "FIRE-TV-4K-MAX-JP"],
        ),
        "202-7654321-1098765": (
            "Amazon.co.uk",
            "MERCHANT",
            "SHIPPED",
            "GB",
            "34.99 GBP",
            ["ECHO-DOT-4-UK-CHARCOAL-SINGLE"],
        ),
        "171-2345678-9012345": (
            "Amazon.com.br",
            "MERCHANT",
            "UNSHIPPED",
            "BR",
            "1599.90 BRL",
            ["DELL-I15-BR-001"],
        ),
        "202-1234567-8901234": (
            "Amazon.co.uk",
            "MERCHANT",
            "SHIPPED",
            "GB",
            "103.97 GBP",
            ["ECHO-DOT-4-UK-CHARCOAL-3PACK"],
        ),
        "171-9876543-2109876": (
            "Amazon.com.br",
            "MERCHANT",
            "UNSHIPPED",
            "BR",
            "299.90 BRL",
            ["ECHO-DOT-4-BR-PRETO"],
        ),
        "028-1234567-8901234": (
            "Amazon.com.tr",
            "MERCHANT",
            "SHIPPED",
            "TR",
            "125.00 TRY",
            ["FIRE-HD10-TR-BLK"],
        ),
        "114-9876543-1234567": (
            "Amazon.com",
            "MERCHANT",
            "UNSHIPPED",
            "US",
            "49.99 USD",
            ["ECHO-POP-US-BLK"],
        ),
    }


def test_an_american_business_order_with_a_tip(
    example_orders: dict[str, Order],
) -> None:
    order = example_orders["123-4567890-1234567"]
    first, second = order.order_items

    assert order.created_time == at(2024, 12, 25, 10, 30)
    assert order.last_updated_time == at(2024, 12, 25, 14, 45)
    assert order.seller_order_id == "SELLER-ORDER-2024-001"
    assert order.programs == ("PRIME", "AMAZON_BUSINESS")
    assert [
        (other.order_id, other.association_type) for other in order.associated_orders
    ] == [("123-4567890-1234566", "REPLACEMENT_ORIGINAL_ID")]
    assert order.buyer.buyer_purchase_order_number == "PO-2024-12345"
    assert order.recipient.delivery_address.address_line_3 == ""
    assert order.recipient.delivery_preference["dropOffLocation"] == (
        "Front desk reception"
    )
    assert [
        (part.type, str(part.subtotal), part.status)
        for part in order.proceeds.breakdowns
    ] == [
        ("ITEM", "149.97 USD", ""),
        ("TAX", "0.02 USD", ""),
        ("DELIVERY_TIP", "5.00 USD", "FINALIZED"),
    ]
    assert order.fulfillment.ship_by_window == DateTimeRange(
        at(2024, 12, 26), at(2024, 12, 27, 23, 59, 59)
    )
    assert (first.quantity_ordered, second.quantity_ordered) == (2, 1)
    assert first.programs == ("TRANSPARENCY", "SUBSCRIBE_AND_SAVE")
    assert first.product.unit_price == Money(Decimal("49.99"), "USD")
    assert first.product.price_designation == "BUSINESS_PRICE"
    assert first.product.condition.condition_note == "Brand new in original packaging"
    assert first.promotion_ids == ("PROMO-HOLIDAY-2024",)
    assert first.cancellation_request.requester == "BUYER"
    assert first.cancellation_execution.cancelled_by == "MERCHANT"
    assert second.cancellation_request is None
    assert first.fulfillment.gift_option.gift_wrap_level == "PREMIUM"
    assert second.fulfillment.shipping_constraints == ("signatureConfirmation",)
    assert order.packages[0].detailed_status == "DELIVERED"
    assert order.packages[0].ship_from_address.city == "Bellevue"
    assert [
        (item.order_item_id, item.quantity) for item in order.packages[0].package_items
    ] == [("12345678901234", 2), ("12345678901235", 1)]


def test_a_japanese_order_has_amounts_without_decimals(
    example_orders: dict[str, Order],
) -> None:
    order = example_orders["250-1234567-8901234"]

    assert order.proceeds.breakdowns == ()
    assert [str(item.proceeds.proceeds_total) for item in order.order_items] == [
        "5980 JPY",
        "13960 JPY",
    ]
    assert order.order_items[0].product.title.endswith("with Alexa チャコール")
    assert len(order.order_items[1].product.serial_numbers) == 2
    assert order.fulfillment.deliver_by_window is None
    assert order.packages == ()


def test_a_british_order_has_its_tax_by_component(
    example_orders: dict[str, Order],
) -> None:
    (item,) = example_orders["202-1234567-8901234"].order_items

    assert item.proceeds.proceeds_total == pounds("103.97")
    assert [
        (
            part.type,
            part.subtotal,
            [(detail.subtype, detail.value) for detail in part.detailed_breakdowns],
        )
        for part in item.proceeds.breakdowns
    ] == [
        ("ITEM", pounds("89.97"), []),
        ("SHIPPING", pounds("10.00"), []),
        (
            "TAX",
            pounds("4.00"),
            [("ITEM", pounds("3.00")), ("SHIPPING", pounds("1.00"))],
        ),
    ]
    assert item.fulfillment.ioss_number == "IM1234567890"
    assert item.fulfillment.shipping_constraints == (
        "signatureConfirmation",
        "recipientIdentityVerification",
    )


def test_a_british_order_sold_by_measure_may_be_substituted(
    example_orders: dict[str, Order],
) -> None:
    (item,) = example_orders["202-7654321-1098765"].order_items

    assert (item.measurement.unit, item.measurement.value) == ("COUNT", Decimal(1))
    assert item.fulfillment.substitution_preference["substitutionType"] == (
        "CUSTOMER_PREFERENCE"
    )


def test_a_brazilian_order_has_tax_registrations_and_card_data(
    example_orders: dict[str, Order],
) -> None:
    order = example_orders["171-2345678-9012345"]

    assert order.recipient.delivery_address.extended_fields.neighborhood == "Bela Vista"
    assert [
        (one.entity_type, one.tax_registration_type, one.tax_registration_number)
        for one in order.tax_registrations
    ] == [
        ("BUYER", "VAT", "1234567890"),
        ("MARKETPLACE", "CNPJ", "15436940"),
        ("MERCHANT", "", ""),
    ]
    assert order.tax_invoicing.invoice_status == "PROCESSING"
    (payment,) = order.payment_executions
    assert (payment.payment_method, str(payment.payment_amount)) == (
        "CreditCard",
        "1599.90 BRL",
    )
    assert (payment.acquirer_id, payment.card_brand, payment.authorization_code) == (
        "01.027.058/0001-91",
        "Visa",
        "123456",
    )


def test_points_that_the_seller_pays_are_read():
    wire = wire_order()
    points = {
        "pointsNumber": 60,
        "pointsMonetaryValue": {"amount": "60", "currencyCode": "JPY"},
    }
    wire["orderItems"][0]["expense"] = {"pointsCost": {"pointsGranted": points}}

    granted = Order.from_wire(wire).order_items[0].points_granted

    assert granted is not None
    assert (granted.points_number, str(granted.monetary_value)) == (60, "60 JPY")
    wire["orderItems"][0]["expense"] = {"pointsCost": {}}
    assert Order.from_wire(wire).order_items[0].points_granted is None


def test_a_turkish_order_has_the_buyers_tax_office(
    example_orders: dict[str, Order],
) -> None:
    order = example_orders["028-1234567-8901234"]
    (registration,) = order.tax_registrations
    (item,) = order.order_items

    assert registration.legal_name == "Test company name"
    assert registration.tax_registration_address.city == "Istanbul"
    assert [
        (attribute.key, attribute.value)
        for attribute in registration.tax_registration_attributes
    ] == [("TAX_OFFICE", "tax office")]
    assert order.tax_invoicing.buyer_invoice_preference == "BUSINESS"
    assert order.recipient.delivery_address.district_or_county == "Beyoglu"
    assert item.tax_reporting_schemes == ("IOSS",)
    assert [(tax.model, tax.responsible_party) for tax in item.tax_collections] == [
        ("MARKETPLACE_FACILITATOR", "Amazon Services Europe S.a.r.L.")
    ]


def test_an_american_order_to_be_picked_up_in_a_store(
    example_orders: dict[str, Order],
) -> None:
    order = example_orders["114-9876543-1234567"]
    (item,) = order.order_items
    (associated,) = item.associated_order_items

    assert order.buyer is None
    assert order.programs == ("IN_STORE_PICK_UP",)
    assert associated.association_type == "VALUE_ADD_SERVICE"
    assert [(part.type, str(part.subtotal)) for part in item.proceeds.breakdowns] == [
        ("ITEM", "39.99 USD"),
        ("TAX", "10.00 USD"),
    ]


def test_what_the_model_requires_is_enough() -> None:
    order = Order.from_wire(minimal_order())

    assert order.last_updated_time == at(2026, 11, 1, 9, 0, 0, 250_000)
    assert (order.buyer, order.recipient, order.proceeds) == (None, None, None)
    assert (order.fulfillment_status, order.fulfilled_by) == ("", "")
    assert order.seller_order_id == ""
    assert order.order_items[0].product.seller_sku == ""
    assert order.order_items[0].proceeds is None


def test_unknown_fields_and_values_pass() -> None:
    wire = minimal_order()
    wire["newField"] = {"deep": [1]}
    wire["programs"] = ["SOMETHING_NEW"]
    wire["fulfillment"] = {
        "fulfillmentStatus": "INVOICE_UNCONFIRMED",
        "promiseCalculationInputs": {"transitTime": {}},
    }

    order = Order.from_wire(wire)

    assert order.programs == ("SOMETHING_NEW",)
    assert order.fulfillment_status == "INVOICE_UNCONFIRMED"


def test_null_is_as_good_as_absent() -> None:
    wire = minimal_order()
    wire |= {"buyer": None, "programs": None, "packages": None, "tax": None}
    wire["orderItems"][0] |= {"proceeds": None, "cancellation": None}

    assert Order.from_wire(wire) == Order.from_wire(minimal_order())


def test_times_with_an_offset_are_turned_to_utc() -> None:
    wire = minimal_order() | {"createdTime": "2026-11-01T09:30:00+01:00"}

    created = Order.from_wire(wire).created_time

    assert created == at(2026, 11, 1, 8, 30)
    assert created.tzinfo is UTC


def without(key: str) -> Any:
    def change(wire: dict[str, Any]) -> None:
        del wire[key]

    return change


def with_item(**fields: Any) -> Any:
    def change(wire: dict[str, Any]) -> None:
        wire["orderItems"][0] |= fields

    return change


def with_order(**fields: Any) -> Any:
    def change(wire: dict[str, Any]) -> None:
        wire |= fields

    return change


def item_price(amount: object) -> Any:
    money = {"amount": amount, "currencyCode": "EUR"}
    breakdown = {"type": "ITEM", "subtotal": money}
    return with_item(proceeds={"breakdowns": [breakdown]})


SUBTOTAL = "orderItems[0].proceeds.breakdowns[0].subtotal"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without("createdTime"), "createdTime is missing"),
        (without("salesChannel"), "salesChannel is missing"),
        (without("orderItems"), "orderItems is missing"),
        (with_order(salesChannel={}), "salesChannel.channelName is missing"),
        (with_order(orderItems={}), "orderItems must be a list"),
        (with_order(orderItems=["x"]), "orderItems[0] must be an object"),
        (
            with_order(createdTime="01/11/2026"),
            "createdTime must be a date and time in ISO 8601",
        ),
        (
            with_order(createdTime="2026-11-01T08:00:00"),
            "createdTime must be a date and time with a time zone",
        ),
        (with_order(programs="PRIME"), "programs must be a list"),
        (with_order(programs=[1]), "programs[0] must be a string"),
        (
            with_order(fulfillment={"fulfilledBy": "AMAZON"}),
            "fulfillment.fulfillmentStatus is missing",
        ),
        (
            with_order(recipient={"deliveryAddress": {"city": 7}}),
            "recipient.deliveryAddress.city must be a string",
        ),
        (with_item(product=None), "orderItems[0].product is missing"),
        (with_item(quantityOrdered=None), "orderItems[0].quantityOrdered is missing"),
        (
            with_item(quantityOrdered=1.5),
            "orderItems[0].quantityOrdered must be a whole number, 0 or more",
        ),
        (
            with_item(quantityOrdered=-1),
            "orderItems[0].quantityOrdered must be a whole number, 0 or more",
        ),
        (item_price(None), f"{SUBTOTAL}.amount is missing"),
        (
            item_price("19,99"),
            f"{SUBTOTAL}.amount must be a decimal number in a string",
        ),
        (item_price(19.99), f"{SUBTOTAL}.amount must be a decimal number in a string"),
        (item_price("NaN"), f"{SUBTOTAL}.amount must be a decimal number in a string"),
        (
            with_order(packages=[{"packageItems": []}]),
            "packages[0].packageReferenceId is missing",
        ),
        (
            lambda wire: wire["orderItems"].append(copy.copy(wire["orderItems"][0])),
            "orderItems[1].orderItemId is there twice",
        ),
    ],
)
def test_a_malformed_order_says_where_and_what(change: Any, problem: str) -> None:
    wire = minimal_order()
    change(wire)

    with pytest.raises(MalformedOrder) as caught:
        Order.from_wire(wire)

    assert str(caught.value) == f"order 902-1845936-5435065: {problem}"
    assert caught.value.order_id == "902-1845936-5435065"


@pytest.mark.parametrize("wire", [None, [], "order", {}, {"orderId": 7}])
def test_what_is_not_an_order_at_all_is_malformed(wire: object) -> None:
    with pytest.raises(MalformedOrder) as caught:
        Order.from_wire(wire)

    assert caught.value.order_id == ""


def test_neither_repr_nor_error_shows_personal_data() -> None:
    wire = minimal_order()
    private = {
        "buyerName": "Zoë Private",
        "buyerEmail": "private@marketplace.amazon.de",
        "buyerCompanyName": "Private GmbH",
    }
    address = {
        "name": "Zoë Private",
        "companyName": "Private GmbH",
        "addressLine1": "1 Private Street",
        "addressLine2": "Private Yard",
        "addressLine3": "Private Door",
        "postalCode": "PR1 VAT",
        "phone": "+49 30 PRIVATE",
        "extendedFields": {"streetName": "Private Street"},
        "city": "Berlin",
    }
    wire["buyer"] = private
    wire["recipient"] = {
        "deliveryAddress": address,
        "deliveryPreference": {"addressInstruction": "Private instruction"},
    }
    wire["tax"] = {
        "taxRegistrations": [
            {"legalName": "Private GmbH", "taxRegistrationNumber": "PRIVATE1"}
        ]
    }
    wire["orderItems"][0]["product"] = {
        "customization": {"customizedUrl": "https://private"}
    }
    wire["orderItems"][0]["fulfillment"] = {
        "packing": {"giftOption": {"giftMessage": "A private message"}}
    }

    shown = repr(Order.from_wire(wire))
    wire["buyer"]["buyerName"] = ["Zoë Private"]
    with pytest.raises(MalformedOrder) as caught:
        Order.from_wire(wire)

    assert "private" not in shown.lower()
    assert "Berlin" in shown
    assert "private" not in repr(caught.value).lower()


def test_search_asks_as_amazon_wants_to_be_asked(amazon: Loopback, client: Any) -> None:
    amazon.answer(ORDERS_PATH, Answer(body={"orders": []}))

    page = search_orders(
        client,
        last_updated_after=at(2026, 11, 22, 11, 55),
        marketplace_ids=["A1PA6795UKMFR9", "A13V1IB3VIYZZH"],
        fulfillment_statuses=["UNSHIPPED"],
        fulfilled_by=["MERCHANT"],
        pagination_token="next please",
    )

    (call,) = amazon.calls(ORDERS_PATH)
    assert (call.method, call.body) == ("GET", "")
    assert call.query == {
        "lastUpdatedAfter": "2026-11-22T11:55:00.000Z",
        "marketplaceIds": "A1PA6795UKMFR9,A13V1IB3VIYZZH",
        "fulfillmentStatuses": "UNSHIPPED",
        "fulfilledBy": "MERCHANT",
        "includedData": ",".join(INCLUDED_DATA),
        "maxResultsPerPage": "100",
        "paginationToken": "next please",
    }
    assert (page.orders, page.payloads, page.malformed) == ([], [], [])
    assert page.next_token is None
    assert page.last_updated_before is None


def test_one_malformed_order_does_not_cost_the_page(
    amazon: Loopback, client: Any
) -> None:
    good, bad = minimal_order(), minimal_order()
    bad["orderId"] = "902-0000000-0000000"
    del bad["orderItems"]
    amazon.answer(
        ORDERS_PATH,
        Answer(
            body={
                "orders": [bad, good],
                "pagination": {"nextToken": "more"},
                "lastUpdatedBefore": "2026-11-22T11:58:00Z",
            }
        ),
    )

    page = search_orders(client, last_updated_after=at(2026, 11, 1))

    assert [order.order_id for order in page.orders] == ["902-1845936-5435065"]
    assert page.payloads == [good]
    ((payload, error),) = page.malformed
    assert payload == bad
    assert str(error) == "order 902-0000000-0000000: orderItems is missing"
    assert page.next_token == "more"
    assert page.last_updated_before == at(2026, 11, 22, 11, 58)
    assert page.created_before is None
    assert "902-0000000-0000000" not in repr(page)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "searchOrders: the answer has no list of orders"),
        ([], "searchOrders: the answer has no list of orders"),
        (
            {"orders": [], "lastUpdatedBefore": "yesterday"},
            "searchOrders: lastUpdatedBefore: must be a date and time in ISO 8601",
        ),
    ],
)
def test_a_page_that_is_none(
    amazon: Loopback, client: Any, body: Any, problem: str
) -> None:
    amazon.answer(ORDERS_PATH, Answer(body=body))

    with pytest.raises(MalformedAnswer) as caught:
        search_orders(client, last_updated_after=at(2026, 11, 1))

    assert str(caught.value) == problem


def test_a_search_needs_one_beginning(client: Any) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        search_orders(client)
    with pytest.raises(ValueError, match="exactly one"):
        search_orders(
            client, created_after=at(2026, 1, 1), last_updated_after=at(2026, 1, 1)
        )


def test_a_time_without_zone_is_not_sent() -> None:
    with pytest.raises(ValueError, match="time zone"):
        wire_time(datetime(2026, 11, 1))  # noqa: DTZ001


def test_one_order_comes_with_its_payload(amazon: Loopback, client: Any) -> None:
    path = f"{ORDERS_PATH}/902-1845936-5435065"
    amazon.answer(path, Answer(body={"order": minimal_order()}))

    order, payload = get_order(client, "902-1845936-5435065")

    assert order.order_id == "902-1845936-5435065"
    assert payload == minimal_order()
    assert amazon.calls(path)[0].query == {"includedData": ",".join(INCLUDED_DATA)}


def test_an_order_amazon_does_not_have(amazon: Loopback, client: Any) -> None:
    amazon.answer(
        f"{ORDERS_PATH}/902-0", Answer(404, errors("NotFound", "no such order"))
    )

    with pytest.raises(NotFound):
        get_order(client, "902-0")
