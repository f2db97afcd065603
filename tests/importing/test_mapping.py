"""What a draft says beyond its amounts and its address."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.store.contract import (
    AddressDraft,
    Blocker,
    BlockerCode,
    LineDraft,
    OrderDraft,
    Price,
)
from wire_orders import wire_item, wire_order

PERSONAL = (
    "Müller",
    "Hauptstr",
    "marketplace.amazon",
    "Tassen",
    "PO-77",
    "DE123456789",
    "Happy birthday",
    "Ring twice",
    "30 555",
    "custom/view",
)


def draft(wire: dict[str, Any]) -> OrderDraft:
    return map_order(Order.from_wire(wire))


def blockers(wire: dict[str, Any]) -> list[tuple[BlockerCode, str]]:
    with pytest.raises(CannotMap) as caught:
        draft(wire)
    return [(blocker.code, blocker.subject) for blocker in caught.value.blockers]


def business_order() -> dict[str, Any]:
    """An order with everything in it that is somebody's."""
    item = wire_item(quantity=2, shipped=1)
    item["product"]["customization"] = {"customizedUrl": "https://a/custom/view/1"}
    item["fulfillment"]["packing"] = {
        "giftOption": {
            "giftMessage": "Happy birthday\nAnna\x00",
            "giftWrapLevel": "PREMIUM",
        }
    }
    item["programs"] = ["TRANSPARENCY"]
    order = wire_order(
        items=[item],
        status="PARTIALLY_SHIPPED",
        created=datetime(2026, 11, 18, 9, 30, tzinfo=UTC),
    )
    order["programs"] = ["PRIME", "AMAZON_BUSINESS"]
    order["orderAliases"] = [{"aliasId": "S-1", "aliasType": "SELLER_ORDER_ID"}]
    order["salesChannel"]["marketplaceName"] = "Amazon.de"
    order["payment"] = {"paymentExecutions": [{"paymentMethod": "Invoice"}]}
    order["buyer"]["buyerCompanyName"] = "Tassen & mehr GmbH"
    order["buyer"]["buyerPurchaseOrderNumber"] = "PO-77"
    order["recipient"]["deliveryAddress"] |= {
        "phone": "030 555 123 ext. 9",
        "addressType": "PICKUP_POINT",
    }
    order["recipient"]["deliveryPreference"] = {
        "addressInstruction": "Ring twice",
        "dropOffLocation": "Garage",
        "deliveryCapabilities": ["HAS_ACCESS_POINT"],
    }
    order["tax"] = {
        "taxRegistrations": [
            {
                "entityType": "BUYER",
                "taxRegistrationType": "VAT",
                "taxRegistrationNumber": "DE123456789",
                "legalName": "Tassen & mehr GmbH",
                "taxRegistrationAddress": {
                    "companyName": "Tassen & mehr GmbH",
                    "addressLine1": "Industriestr. 1",
                    "city": "Köln",
                    "postalCode": "50667",
                    "countryCode": "DE",
                },
            },
            {"entityType": "MARKETPLACE", "taxRegistrationNumber": "LU1"},
        ]
    }
    return order


def test_a_small_order_in_full():
    assert draft(wire_order()) == OrderDraft(
        amazon_order_id="111-0000001-0000001",
        marketplace_id="A1PA6795UKMFR9",
        marketplace_name="Amazon.de",
        currency="EUR",
        created_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        lines=(
            LineDraft(
                order_item_id="10000000000001",
                sku="MUG-1",
                title="A mug",
                quantity=1,
                quantity_shipped=0,
                total=Price(Decimal("19.90"), Decimal("19.90")),
                undiscounted_total=Price(Decimal("19.90"), Decimal("19.90")),
                tax_rate=None,
                metadata={
                    "amazon.orderItemId": "10000000000001",
                    "amazon.asin": "B000000001",
                    "amazon.item": "19.90",
                },
            ),
        ),
        shipping=Price(Decimal("0.00"), Decimal("0.00")),
        shipping_tax_rate=None,
        shipping_name="Amazon standard",
        total=Price(Decimal("19.90"), Decimal("19.90")),
        undiscounted_total=Price(Decimal("19.90"), Decimal("19.90")),
        shipping_address=AddressDraft(
            first_name="Änne",
            last_name="Müller",
            company_name="",
            street_address_1="Hauptstr. 5",
            street_address_2="",
            city="Berlin",
            city_area="",
            country_area="",
            postal_code="10115",
            country="DE",
            phone="",
        ),
        billing_address=draft(wire_order()).shipping_address,
        is_amazon_fulfilled=False,
        display_gross_prices=True,
        language_code="de",
        metadata={
            "amazon.orderId": "111-0000001-0000001",
            "amazon.marketplaceId": "A1PA6795UKMFR9",
            "amazon.fulfilledBy": "MERCHANT",
            "amazon.serviceLevel": "STANDARD",
            "amazon.shipBy": "2026-11-22T10:00:00Z",
            "amazon.grandTotal": "19.90",
        },
        private_metadata={},
    )


# Metadata.


def test_what_is_not_personal_is_public():
    found = draft(business_order()).metadata

    assert found == {
        "amazon.orderId": "111-0000001-0000001",
        "amazon.sellerOrderId": "S-1",
        "amazon.marketplaceId": "A1PA6795UKMFR9",
        "amazon.salesChannel": "Amazon.de",
        "amazon.fulfilledBy": "MERCHANT",
        "amazon.serviceLevel": "STANDARD",
        "amazon.shipBy": "2026-11-20T09:30:00Z",
        "amazon.programs": "PRIME,AMAZON_BUSINESS",
        "amazon.paymentMethods": "Invoice",
        "amazon.grandTotal": "19.90",
        "amazon.addressType": "PICKUP_POINT",
    }


def test_what_is_the_buyers_is_for_staff():
    found = dict(draft(business_order()).private_metadata)

    assert json.loads(found.pop("amazon.taxRegistrations")) == [
        {
            "type": "VAT",
            "number": "DE123456789",
            "legalName": "Tassen & mehr GmbH",
            "address": "Industriestr. 1, 50667 Köln, DE",
        }
    ]
    assert found == {
        "amazon.buyerCompanyName": "Tassen & mehr GmbH",
        "amazon.buyerPurchaseOrderNumber": "PO-77",
        "amazon.phone": "030 555 123 ext. 9",
        "amazon.deliveryInstructions": "Garage\nRing twice",
        "amazon.deliveryPreference": '{"deliveryCapabilities": ["HAS_ACCESS_POINT"]}',
        "amazon.giftMessage.10000000000001": "Happy birthday\nAnna",
        "amazon.customizedUrl.10000000000001": "https://a/custom/view/1",
    }


def test_public_metadata_and_reprs_hold_nothing_personal():
    found = draft(business_order())
    (line,) = found.lines
    public = json.dumps(
        [dict(found.metadata), dict(line.metadata), found.customer_note]
    )

    assert not [text for text in PERSONAL if text in public]
    assert line.metadata["amazon.giftWrapLevel"] == "PREMIUM"
    assert line.metadata["amazon.programs"] == "TRANSPARENCY"


def test_text_for_the_database_has_no_control_characters():
    order = wire_order()
    order["orderItems"][0]["product"]["title"] = "A\x00 mug\ud800"
    order["recipient"]["deliveryPreference"] = {
        "addressInstruction": "\x00Ring\ud800 twice",
        "deliveryTime": {"note": "\x00\ud800"},
    }

    found = draft(order)

    assert found.lines[0].title == "A mug"
    assert found.private_metadata["amazon.deliveryInstructions"] == "Ring twice"
    for value in found.private_metadata.values():
        assert "\x00" not in value.encode().decode()


def test_exchanges_name_the_original_order():
    order = wire_order()
    order["associatedOrders"] = [
        {"orderId": "111-0000001-0000009", "associationType": "EXCHANGE_ORIGINAL_ID"}
    ]

    assert draft(order).metadata["amazon.exchangeOf"] == "111-0000001-0000009"


# Addresses.


def test_the_tax_registrations_address_is_billed():
    found = draft(business_order())

    assert found.billing_address is not None
    assert found.billing_address.city == "Köln"
    assert found.shipping_address is not None
    assert found.shipping_address.city == "Berlin"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("VAT", "Tassen & mehr GmbH", ("", "", "Tassen & mehr GmbH")),
        ("VAT", "", ("", "", "Tassen & mehr GmbH")),
        ("VAT", "Änne Müller", ("Änne", "Müller", "")),
        ("CPF", "", ("Tassen & mehr", "GmbH", "")),
    ],
)
def test_a_legal_name_is_a_companys_or_a_persons(kind, name, expected):
    order = business_order()
    registration = order["tax"]["taxRegistrations"][0]
    registration["taxRegistrationType"] = kind
    registration["taxRegistrationAddress"] |= {"companyName": "", "name": name}

    found = draft(order).billing_address

    assert found is not None
    assert (found.first_name, found.last_name, found.company_name) == expected


def test_a_bad_tax_registration_address_does_not_matter():
    order = business_order()
    registration = order["tax"]["taxRegistrations"][0]
    registration["taxRegistrationAddress"]["countryCode"] = "XX"

    found = draft(order)

    assert found.billing_address == found.shipping_address


def test_an_order_to_be_shipped_needs_an_address():
    order = wire_order()
    del order["recipient"]

    assert blockers(order) == [(BlockerCode.BAD_ADDRESS, "deliveryAddress")]


def test_an_order_to_be_shipped_needs_a_street():
    order = wire_order()
    del order["recipient"]["deliveryAddress"]["addressLine1"]

    assert blockers(order) == [(BlockerCode.BAD_ADDRESS, "addressLine1")]


@pytest.mark.parametrize("fulfilled_by", ["AMAZON", "MERCHANT"])
def test_an_order_already_shipped_needs_none(fulfilled_by):
    order = wire_order(
        status="SHIPPED", fulfilled_by=fulfilled_by, items=[wire_item(shipped=1)]
    )
    del order["recipient"]

    found = draft(order)

    assert found.shipping_address is None
    assert found.billing_address is None


def test_amazon_fulfilled_orders_keep_the_place_that_amazon_gives():
    order = wire_order(
        status="SHIPPED", fulfilled_by="AMAZON", items=[wire_item(shipped=1)]
    )
    del order["buyer"]
    order["recipient"] = {
        "deliveryAddress": {
            "city": "Berlin",
            "postalCode": "10115",
            "countryCode": "DE",
        }
    }

    found = draft(order)

    assert found.is_amazon_fulfilled
    assert found.shipping_address == AddressDraft(
        "", "", "", "", "", "Berlin", "", "", "10115", "DE", ""
    )


def test_a_bad_address_does_not_block_what_amazon_has_shipped():
    order = wire_order(
        status="SHIPPED", fulfilled_by="AMAZON", items=[wire_item(shipped=1)]
    )
    order["recipient"]["deliveryAddress"]["countryCode"] = ""

    assert draft(order).shipping_address is None


# Units.


@pytest.mark.parametrize(
    ("status", "fulfilled_by", "ordered", "counts", "quantity", "shipped"),
    [
        ("UNSHIPPED", "MERCHANT", 3, {"quantityUnfulfilled": 3}, 3, 0),
        (
            "PARTIALLY_SHIPPED",
            "MERCHANT",
            3,
            {"quantityFulfilled": 1, "quantityUnfulfilled": 2},
            3,
            1,
        ),
        ("PARTIALLY_SHIPPED", "MERCHANT", 3, {"quantityFulfilled": 1}, 3, 1),
        ("SHIPPED", "MERCHANT", 3, {"quantityFulfilled": 3}, 3, 3),
        ("UNSHIPPED", "MERCHANT", 3, {}, 3, 0),
        ("UNSHIPPED", "MERCHANT", 3, None, 3, 0),
        ("SHIPPED", "MERCHANT", 3, None, 3, 3),
        ("SHIPPED", "AMAZON", 3, {}, 3, 3),
        ("SHIPPED", "AMAZON", 3, {"quantityUnfulfilled": 3}, 3, 3),
        # The others were cancelled, though nobody says so.
        ("UNSHIPPED", "MERCHANT", 3, {"quantityUnfulfilled": 2}, 2, 0),
        ("SHIPPED", "MERCHANT", 3, {"quantityFulfilled": 1}, 1, 1),
    ],
)
def test_units_are_what_amazon_counts(
    status, fulfilled_by, ordered, counts, quantity, shipped
):
    item = wire_item(quantity=ordered)
    if counts is None:
        del item["fulfillment"]
    else:
        item["fulfillment"] = counts
    (line,) = draft(
        wire_order(status=status, fulfilled_by=fulfilled_by, items=[item])
    ).lines

    assert (line.quantity, line.quantity_shipped) == (quantity, shipped)


def test_units_in_neither_count_are_cancelled_where_amazon_says_so():
    item = wire_item(quantity=3)
    item["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 1}
    item["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}

    (line,) = draft(wire_order(status="PARTIALLY_SHIPPED", items=[item])).lines

    assert (line.quantity, line.quantity_shipped) == (2, 1)


@pytest.mark.parametrize("counts", [None, {}])
def test_a_cancelled_item_without_counts_is_left_out(counts):
    item = wire_item("2", price="0.00")
    item["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}
    item["fulfillment"] = counts

    found = draft(wire_order(items=[wire_item("1"), item]))

    assert [line.order_item_id for line in found.lines] == ["1"]


def test_a_cancelled_item_that_still_costs_something_is_refused():
    item = wire_item("2")
    item["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}
    del item["fulfillment"]

    assert blockers(wire_order(items=[wire_item("1"), item])) == [
        (BlockerCode.AMOUNTS_DIFFER, "2")
    ]


def test_a_cancellation_that_was_carried_out_on_no_unit_changes_nothing():
    item = wire_item(quantity=2, shipped=2)
    item["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}

    (line,) = draft(wire_order(status="SHIPPED", items=[item])).lines

    assert (line.quantity, line.quantity_shipped) == (2, 2)


def test_a_buyers_wish_to_cancel_changes_nothing_yet():
    item = wire_item(quantity=2)
    item["cancellation"] = {"cancellationRequest": {"requester": "BUYER"}}

    assert draft(wire_order(items=[item])).lines[0].quantity == 2


def test_more_units_than_ordered_are_refused():
    item = wire_item(quantity=2)
    item["fulfillment"] = {"quantityFulfilled": 2, "quantityUnfulfilled": 1}

    assert blockers(wire_order(items=[item])) == [
        (BlockerCode.UNREADABLE, "10000000000001")
    ]


def test_a_partial_shipment_of_unknown_units_is_refused():
    item = wire_item()
    del item["fulfillment"]

    assert blockers(wire_order(status="PARTIALLY_SHIPPED", items=[item])) == [
        (BlockerCode.UNREADABLE, "10000000000001")
    ]


def test_an_order_without_units_is_refused():
    item = wire_item(quantity=0, price="0.00")

    assert blockers(wire_order(items=[item])) == [
        (BlockerCode.UNREADABLE, "orderItems")
    ]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "Amazon names no item of the order."),
        ([wire_item(quantity=0, price="0.00")], "it was cancelled item by item."),
    ],
)
def test_an_order_without_items_is_not_one_that_was_cancelled(items, said):
    wire = wire_order(items=[wire_item(quantity=0, price="0.00")])
    wire["orderItems"] = items

    with pytest.raises(CannotMap) as caught:
        map_order(Order.from_wire(wire))

    assert said in caught.value.blockers[0].message


# The rest.


def test_an_item_without_a_sku_is_refused():
    item = wire_item()
    del item["product"]["sellerSku"]

    with pytest.raises(CannotMap) as caught:
        draft(wire_order(items=[item]))

    assert caught.value.blockers == (
        Blocker(
            BlockerCode.UNREADABLE,
            "Item 10000000000001 (ASIN B000000001) has no seller SKU, by which the "
            "shop knows its products. Give the listing one in Seller Central, or work "
            "the order there.",
            "10000000000001",
        ),
    )


def test_a_missing_title_is_replaced_by_the_sku():
    item = wire_item()
    del item["product"]["title"]

    assert draft(wire_order(items=[item])).lines[0].title == "MUG-1"


def test_two_items_of_one_sku_stay_two_lines():
    found = draft(wire_order(items=[wire_item("1"), wire_item("2")]))

    assert [line.order_item_id for line in found.lines] == ["1", "2"]
    assert found.total.gross == Decimal("39.80")


def test_all_blockers_are_found_at_once():
    item = wire_item(price="5.00")
    del item["product"]["sellerSku"]
    item["fulfillment"] = {"quantityFulfilled": 9}
    order = wire_order(items=[item])
    order["proceeds"]["grandTotal"]["amount"] = "5.01"
    order["recipient"]["deliveryAddress"]["countryCode"] = "XX"

    assert blockers(order) == [
        (BlockerCode.UNREADABLE, "10000000000001"),
        (BlockerCode.UNREADABLE, "10000000000001"),
        (BlockerCode.AMOUNTS_DIFFER, "grandTotal"),
        (BlockerCode.BAD_ADDRESS, "countryCode"),
    ]


def test_blockers_hold_no_personal_data():
    order = business_order()
    order["recipient"]["deliveryAddress"] |= {
        "name": "Müller" * 100,
        "addressLine1": "Hauptstr" * 100,
        "countryCode": "",
    }
    order["proceeds"]["grandTotal"]["amount"] = "5.01"

    with pytest.raises(CannotMap) as caught:
        draft(order)

    said = str(caught.value) + repr(caught.value.blockers)
    assert not [text for text in PERSONAL if text in said]


@pytest.mark.parametrize(
    ("level", "name"),
    [
        ("STANDARD", "Amazon standard"),
        ("SECOND_DAY", "Amazon second day"),
        ("", "Amazon"),
    ],
)
def test_the_shipping_method_is_amazons_service_level(level, name):
    order = wire_order()
    order["fulfillment"]["fulfillmentServiceLevel"] = level

    assert draft(order).shipping_name == name


@pytest.mark.parametrize(
    ("country", "language_code", "is_gross"),
    [
        ("US", "en", False),
        ("CA", "en", False),
        ("MX", "es", True),
        ("BR", "pt-br", True),
        ("GB", "en", True),
        ("DE", "de", True),
        ("FR", "fr", True),
        ("BE", "en", True),
        ("SE", "sv", True),
        ("AE", "en", True),
        ("SA", "ar", True),
        ("IN", "en", True),
        ("JP", "ja", True),
    ],
)
def test_the_marketplace_gives_language_and_tax_display(
    country, language_code, is_gross
):
    (marketplace_id,) = (
        info.id for info in MARKETPLACES.values() if info.country_code == country
    )

    found = draft(wire_order(marketplace_id=marketplace_id))

    assert found.language_code == language_code
    assert found.display_gross_prices is is_gross


def test_a_marketplace_without_a_name_is_called_by_its_domain():
    order = wire_order(marketplace_id="A1F83G8C2ARO7P")

    assert draft(order).marketplace_name == "Amazon.co.uk"


def test_the_cost_of_points_is_no_part_of_the_order_and_for_bookkeeping():
    order = wire_order()
    cents = {"amount": "0.06", "currencyCode": "EUR"}
    points = {"pointsNumber": 6, "pointsMonetaryValue": cents}
    order["orderItems"][0]["expense"] = {"pointsCost": {"pointsGranted": points}}

    found = draft(order)

    assert found.private_metadata["amazon.pointsCost.10000000000001"] == "0.06 EUR"
    assert found.total.gross == Decimal("19.90")
    assert "points" not in json.dumps(dict(found.metadata))
