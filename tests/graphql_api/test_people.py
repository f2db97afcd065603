"""Who bought and where it goes, read from what Amazon told; staff's address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import AmazonOrder, SellerAccount
from wire_orders import NOW, wire_order

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

PEOPLE = """
{
  amazonOrders(first: 10) { edges { node {
    isShippingAddressEdited deliveryInstructions
    buyer {
      name companyName purchaseOrderNumber invoicePreference
      taxRegistrations { type number legalName taxOffice address { city country } }
    }
    shippingAddress {
      firstName lastName companyName streetAddress1 streetAddress2
      city cityArea countryArea postalCode country phone
    }
    items { giftMessage giftWrapLevel customizedUrl iossNumber taxReportingSchemes }
  } } }
}
"""

UPDATE = """
mutation ($id: ID!, $address: AmazonAddressInput) {
  amazonOrderAddressUpdate(id: $id, address: $address) {
    amazonOrder { importState isShippingAddressEdited note events { type actor } }
    errors { field code message }
  }
}
"""

ADDRESS = {
    "firstName": "Änne",
    "lastName": "Müller",
    "streetAddress1": "Lindenstr. 7",
    "city": "Köln",
    "postalCode": "50674",
    "country": "de",
    "phone": "0221 123456",
}


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def business_order(order_id: str = "111-0000001-0000001") -> dict[str, Any]:
    wire = wire_order(order_id)
    wire["buyer"] |= {
        "buyerCompanyName": "Tassen & mehr GmbH",
        "buyerPurchaseOrderNumber": "PO-7",
    }
    wire["recipient"]["deliveryPreference"] = {
        "dropOffLocation": "Garage",
        "addressInstruction": "Ring twice",
    }
    item = wire["orderItems"][0]
    item["fulfillment"] |= {
        "packing": {
            "giftOption": {"giftMessage": "Alles Gute!", "giftWrapLevel": "PREMIUM"}
        },
        "shipping": {"internationalShipping": {"iossNumber": "IM4420001201"}},
    }
    item["product"]["customization"] = {"customizedUrl": "https://zme.example/1"}
    item["tax"] = {"taxCalculationBreakdowns": [{"reportingScheme": "IOSS"}]}
    wire["tax"] = {
        "taxInvoicing": {"buyerInvoicePreference": "BUSINESS"},
        "taxRegistrations": [
            {
                "entityType": "BUYER",
                "legalName": "Tassen & mehr GmbH",
                "taxRegistrationType": "VAT",
                "taxRegistrationNumber": "DE123456789",
                "taxRegistrationAddress": {
                    "addressLine1": "Domplatz 1",
                    "city": "Köln",
                    "countryCode": "DE",
                },
                "taxRegistrationAttributes": [{"key": "TAX_OFFICE", "value": "Mitte"}],
            },
            {"entityType": "MERCHANT", "taxRegistrationNumber": "DE987654321"},
        ],
    }
    return wire


def record(account: SellerAccount, wire: dict[str, Any]) -> AmazonOrder:
    recorder.record(account, [(Order.from_wire(wire), wire)])
    return AmazonOrder.objects.get(amazon_order_id=wire["orderId"])


def update(ask: Ask, order: AmazonOrder, **variables: Any) -> Any:
    given = {"id": Node.to_global_id("AmazonOrder", order.pk), **variables}
    return ask(UPDATE, given)["amazonOrderAddressUpdate"]


def test_everything_of_a_business_buyer_can_be_read(
    ask: Ask, account: SellerAccount
) -> None:
    record(account, business_order())

    (edge,) = ask(PEOPLE)["amazonOrders"]["edges"]

    assert edge["node"] == {
        "isShippingAddressEdited": False,
        "deliveryInstructions": "Garage\nRing twice",
        "buyer": {
            "name": "Änne Müller",
            "companyName": "Tassen & mehr GmbH",
            "purchaseOrderNumber": "PO-7",
            "invoicePreference": "BUSINESS",
            "taxRegistrations": [
                {
                    "type": "VAT",
                    "number": "DE123456789",
                    "legalName": "Tassen & mehr GmbH",
                    "taxOffice": "Mitte",
                    "address": {"city": "Köln", "country": "DE"},
                }
            ],
        },
        "shippingAddress": {
            "firstName": "Änne",
            "lastName": "Müller",
            "companyName": "",
            "streetAddress1": "Hauptstr. 5",
            "streetAddress2": "",
            "city": "Berlin",
            "cityArea": "",
            "countryArea": "",
            "postalCode": "10115",
            "country": "DE",
            "phone": "",
        },
        "items": [
            {
                "giftMessage": "Alles Gute!",
                "giftWrapLevel": "PREMIUM",
                "customizedUrl": "https://zme.example/1",
                "iossNumber": "IM4420001201",
                "taxReportingSchemes": ["IOSS"],
            }
        ],
    }


def test_the_people_of_a_page_are_read_at_once(
    ask: Ask, account: SellerAccount
) -> None:
    counts = []
    for number in range(1, 7):
        record(account, business_order(f"111-0000001-{number:07}"))
        if number in (1, 6):
            with CaptureQueriesContext(connection) as queries:
                assert len(ask(PEOPLE)["amazonOrders"]["edges"]) == number
            counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_was_redacted_is_null(ask: Ask, account: SellerAccount) -> None:
    order = record(account, business_order())
    order.personal, order.buyer_name = {}, ""
    order.save()

    (edge,) = ask(PEOPLE)["amazonOrders"]["edges"]

    assert edge["node"]["shippingAddress"] is None
    assert edge["node"]["deliveryInstructions"] is None
    assert edge["node"]["buyer"]["name"] is None
    assert edge["node"]["buyer"]["taxRegistrations"] == []
    assert edge["node"]["items"][0]["giftMessage"] is None


def test_an_order_that_cannot_be_read_has_no_people(
    ask: Ask, account: SellerAccount
) -> None:
    order = record(account, business_order())
    del order.payload["createdTime"]
    order.save()

    (edge,) = ask(PEOPLE)["amazonOrders"]["edges"]

    assert (edge["node"]["buyer"], edge["node"]["shippingAddress"]) == (None, None)


def test_staffs_address_is_used_and_its_actor_is_known(
    ask: Ask, account: SellerAccount
) -> None:
    order = record(account, business_order())
    AmazonOrder.objects.update(import_state="blocked")

    answer = update(ask, order, address=ADDRESS)

    assert answer["errors"] == []
    assert answer["amazonOrder"]["importState"] == "READY"
    assert answer["amazonOrder"]["isShippingAddressEdited"] is True
    assert answer["amazonOrder"]["events"][-1] == {
        "type": "address",
        "actor": "admin@example.com",
    }
    (edge,) = ask(PEOPLE)["amazonOrders"]["edges"]
    assert edge["node"]["shippingAddress"] == {
        **ADDRESS,
        "companyName": "",
        "streetAddress2": "",
        "cityArea": "",
        "countryArea": "",
        "country": "DE",
        "phone": "+49221123456",
    }


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        (
            {"city": None, "postalCode": "1"},
            {("city", "REQUIRED"), ("postalCode", "INVALID")},
        ),
        ({"country": "XX"}, {("country", "INVALID")}),
        ({"phone": "12"}, {("phone", "INVALID")}),
        ({"streetAddress1": "  "}, {("streetAddress1", "REQUIRED")}),
    ],
)
def test_an_address_that_the_shop_refuses_is_refused_by_field(
    ask: Ask,
    account: SellerAccount,
    changes: dict[str, str],
    errors: set[tuple[str, str]],
) -> None:
    order = record(account, business_order())

    answer = update(ask, order, address=ADDRESS | changes)

    assert {(each["field"], each["code"]) for each in answer["errors"]} == errors
    assert not AmazonOrder.objects.get().staff_address


def test_an_imported_or_unknown_order_is_refused(
    ask: Ask, account: SellerAccount
) -> None:
    order = record(account, business_order())
    AmazonOrder.objects.update(import_state="imported", shop_order_number="77")

    (imported,) = update(ask, order, address=ADDRESS)["errors"]
    order.pk += 1
    (unknown,) = update(ask, order, address=ADDRESS)["errors"]

    assert (imported["field"], imported["code"]) == ("id", "INVALID")
    assert imported["message"] == (
        "The order is imported as order 77: edit its address there."
    )
    assert (unknown["field"], unknown["code"]) == ("id", "NOT_FOUND")


def test_amounts_that_differ_are_told_in_figures(
    ask: Ask, account: SellerAccount
) -> None:
    order = record(account, business_order())
    order.blockers = [
        {
            "code": "amounts_differ",
            "message": "…",
            "subject": "grandTotal",
            "calculated": "24.90",
            "stated": "24.92",
            "currency": "EUR",
        },
        {"code": "unknown_sku", "message": "…", "subject": "MUG-1"},
    ]
    order.save()

    (edge,) = ask(
        """{ amazonOrders(first: 1) { edges { node { blockers {
            subject
            calculated { amount } stated { amount } difference { amount currency }
        } } } } }"""
    )["amazonOrders"]["edges"]

    assert edge["node"]["blockers"] == [
        {
            "subject": "grandTotal",
            "calculated": {"amount": 24.9},
            "stated": {"amount": 24.92},
            "difference": {"amount": 0.02, "currency": "EUR"},
        },
        {"subject": "MUG-1", "calculated": None, "stated": None, "difference": None},
    ]
