"""Amazon's addresses under Saleor's own rules; row A7: the order as staff see it."""

from __future__ import annotations

from typing import Any

import graphene
import pytest
from saleor.order.models import Order as OrderRow

from contract.fixtures import Goods, blocked, create, created, goods  # noqa: F401
from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.addresses import as_given
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import AmazonOrder, SellerAccount
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.store.contract import AddressDraft
from wire_addresses import BY_MARKETPLACE, MENDED, REFUSED
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

EDIT = """
mutation ($id: ID!, $address: AddressInput!) {
  orderUpdate(id: $id, input: {shippingAddress: $address, billingAddress: $address}) {
    errors { field code }
  }
}
"""


def _order(wire_address: dict[str, Any], number: int = 1) -> Order:
    wire = wire_order(f"302-0000000-{number:07}")
    wire["recipient"]["deliveryAddress"] = wire_address
    return Order.from_wire(wire)


def _input(address: AddressDraft) -> dict[str, str]:
    """What the dashboard sends back when staff save the address form."""
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "companyName": address.company_name,
        "streetAddress1": address.street_address_1,
        "streetAddress2": address.street_address_2,
        "city": address.city,
        "cityArea": address.city_area,
        "countryArea": address.country_area,
        "postalCode": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }


def _gid(order_id: str) -> str:
    return graphene.Node.to_global_id("Order", order_id)


def test_d4_staff_can_save_the_address_of_every_marketplace(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    goods.add("MUG-1", 99)
    addresses = {**BY_MARKETPLACE, **MENDED}
    assert len(BY_MARKETPLACE) == 23
    drafts = [
        map_order(_order(wire, number))
        for number, wire in enumerate(addresses.values())
    ]
    answers = create(shop, store, [goods.new(draft) for draft in drafts])

    for name, answer in zip(addresses, answers, strict=True):
        order_id = created(answer).order_id
        before = shop.order(order_id).shipping_address
        result = shop.query(EDIT, id=_gid(order_id), address=_input(before))
        assert result["orderUpdate"]["errors"] == [], name
        after = shop.order(order_id).shipping_address
        # Nothing that a parcel needs is lost.
        for field in ("first_name", "last_name", "company_name", "phone"):
            assert getattr(after, field) == getattr(before, field), (name, field)
        street = f"{after.street_address_1}\n{after.street_address_2}"
        assert before.street_address_1 in street, name
        assert before.street_address_2 in street, name
        assert after.city.lower() == before.city.lower() or (
            not after.city
            and (
                before.city in street
                or before.city in (before.country_area, "Singapore")
            )
        ), name
        if after.country != "AE":
            assert after.postal_code == before.postal_code, name


@pytest.mark.parametrize("name", REFUSED)
def test_d4_what_blocks_an_order_saleor_would_refuse(
    shop,
    store,
    goods: Goods,  # noqa: F811
    name,
):
    goods.add("MUG-1", 9)
    _, wire = REFUSED[name]
    order = _order(wire)
    with pytest.raises(CannotMap):
        map_order(order)
    good = _order(BY_MARKETPLACE["DE"])
    (answer,) = create(shop, store, [goods.new(map_order(good))])
    assert order.recipient is not None
    assert order.recipient.delivery_address is not None

    result = shop.query(
        EDIT,
        id=_gid(created(answer).order_id),
        address=_input(as_given(order.recipient.delivery_address)),
    )

    assert result["orderUpdate"]["errors"] != []


def test_the_address_of_a_waiting_order_is_corrected_over_graphql(shop):
    account = SellerAccount.objects.create(name="a", region="EU", seller_id="A1")
    wire = wire_order()
    wire["recipient"]["deliveryAddress"] = REFUSED["no city"][1]
    recorder.record(account, [(Order.from_wire(wire), wire)])
    row = AmazonOrder.objects.get()
    update = """
    mutation ($id: ID!, $address: AmazonAddressInput) {
      amazonOrderAddressUpdate(id: $id, address: $address) {
        amazonOrder {
          importState isShippingAddressEdited
          shippingAddress { city country streetAddress1 }
        }
        errors { field code }
      }
    }
    """
    gid = graphene.Node.to_global_id("AmazonOrder", row.pk)
    good = {"streetAddress1": "1 High St", "city": "Leeds", "postalCode": "LS1 4DY"}

    def answer(**address: str) -> Any:
        given = {**good, **address, "country": "gb"}
        return shop.query(update, id=gid, address=given)["amazonOrderAddressUpdate"]

    with clock.frozen(NOW):
        assert answer(city="", postalCode="1")["errors"] == [
            {"field": "city", "code": "REQUIRED"},
            {"field": "postalCode", "code": "INVALID"},
        ]
        assert answer() == {
            "amazonOrder": {
                "importState": "READY",
                "isShippingAddressEdited": True,
                "shippingAddress": {
                    "city": "Leeds",
                    "country": "GB",
                    "streetAddress1": "1 High St",
                },
            },
            "errors": [],
        }
        taken_back = shop.query(update, id=gid)["amazonOrderAddressUpdate"]
    assert taken_back["amazonOrder"]["isShippingAddressEdited"] is False
    assert taken_back["amazonOrder"]["shippingAddress"]["city"] == ""
    AmazonOrder.objects.update(import_state="imported", shop_order_number="7")
    refused = shop.query(update, id=gid, address={**good, "country": "GB"})
    assert refused["amazonOrderAddressUpdate"]["errors"] == [
        {"field": "id", "code": "INVALID"}
    ]


# What the dashboard's order page asks for.
PAGE = """
fragment Where on Address {
  firstName lastName companyName streetAddress1 city postalCode country { code } phone
}
query ($id: ID!) {
  order(id: $id) {
    number created status paymentStatus chargeStatus isPaid origin externalReference
    channel { name currencyCode }
    user { email } userEmail customerNote
    shippingAddress { ...Where } billingAddress { ...Where }
    shippingMethodName
    deliveryMethod { __typename ... on ShippingMethod { name } }
    transactions { name pspReference externalUrl message chargedAmount { amount } }
    lines {
      productName productSku quantity quantityToFulfill
      unitPrice { gross { amount } } totalPrice { gross { amount } }
      metadata { key value }
    }
    subtotal { gross { amount } } shippingPrice { gross { amount } }
    total { gross { amount currency } tax { amount } }
    metadata { key value } privateMetadata { key value }
    events { type }
  }
}
"""


def test_a7_the_order_page_shows_order_account_addresses_payment_and_items(
    shop,
    store,
    goods: Goods,  # noqa: F811
):
    ensure_app()
    goods.add("MUG-1", 9)
    wire = wire_order("302-7777777-0000001", items=[wire_item(quantity=2)])
    wire["buyer"] |= {
        "buyerCompanyName": "Tassen & mehr GmbH",
        "buyerPurchaseOrderNumber": "PO-7",
    }
    wire["recipient"]["deliveryAddress"]["phone"] = "030 1234567"
    wire["recipient"]["deliveryPreference"] = {"addressInstruction": "Ring twice"}
    wire["orderItems"][0]["fulfillment"]["packing"] = {
        "giftOption": {"giftMessage": "Alles Gute!", "giftWrapLevel": "PREMIUM"}
    }
    wire["orderItems"][0]["tax"] = {
        "taxCalculationBreakdowns": [{"reportingScheme": "UOSS"}]
    }
    wire["tax"] = {
        "taxRegistrations": [
            {
                "entityType": "BUYER",
                "legalName": "Tassen & mehr GmbH",
                "taxRegistrationType": "VAT",
                "taxRegistrationNumber": "DE123456789",
                "taxRegistrationAttributes": [{"key": "TAX_OFFICE", "value": "Mitte"}],
                "taxRegistrationAddress": {
                    "addressLine1": "Domplatz 1",
                    "city": "Köln",
                    "postalCode": "50667",
                    "countryCode": "DE",
                },
            }
        ]
    }
    order = Order.from_wire(wire)
    (answer,) = create(shop, store, [goods.new(map_order(order))])

    page = shop.query(PAGE, id=_gid(created(answer).order_id))["order"]

    assert page["number"] == created(answer).number
    assert page["externalReference"] == order.order_id
    assert (page["status"], page["chargeStatus"]) == ("UNFULFILLED", "FULL")
    assert page["isPaid"] is True
    assert page["channel"] == {"name": goods.channel.slug, "currencyCode": "EUR"}
    # A guest, and nobody whom Saleor would write to.
    assert (page["user"], page["userEmail"]) == (None, None)
    assert page["shippingAddress"] == {
        "firstName": "Änne",
        "lastName": "Müller",
        "companyName": "",
        "streetAddress1": "Hauptstr. 5",
        "city": "Berlin",
        "postalCode": "10115",
        "country": {"code": "DE"},
        "phone": "+49301234567",
    }
    assert page["billingAddress"]["companyName"] == "Tassen & mehr GmbH"
    assert page["billingAddress"]["streetAddress1"] == "Domplatz 1"
    assert page["shippingMethodName"] == (
        "Standard (Amazon standard, 302-7777777-0000001)"
    )
    assert page["deliveryMethod"]["__typename"] == "ShippingMethod"
    (transaction,) = page["transactions"]
    assert transaction["pspReference"] == order.order_id
    assert transaction["externalUrl"].endswith(order.order_id)
    (line,) = page["lines"]
    assert (line["productSku"], line["quantity"]) == ("MUG-1", 2)
    assert line["quantityToFulfill"] == 2
    assert line["totalPrice"]["gross"]["amount"] == 19.9
    assert page["total"]["gross"] == {"amount": 19.9, "currency": "EUR"}
    public = {each["key"]: each["value"] for each in page["metadata"]}
    private = {each["key"]: each["value"] for each in page["privateMetadata"]}
    on_line = {each["key"]: each["value"] for each in line["metadata"]}
    assert on_line["amazon.giftWrapLevel"] == "PREMIUM"
    assert on_line["amazon.taxReportingSchemes"] == "UOSS"
    assert private["amazon.buyerCompanyName"] == "Tassen & mehr GmbH"
    assert private["amazon.buyerPurchaseOrderNumber"] == "PO-7"
    assert private["amazon.deliveryInstructions"] == "Ring twice"
    assert private["amazon.giftMessage.10000000000001"] == "Alles Gute!"
    for said in ("DE123456789", "Mitte", "Domplatz 1"):
        assert said in private["amazon.taxRegistrations"]
    for secret in ("Tassen", "PO-7", "DE123456789", "Alles Gute", "Müller", "Ring"):
        assert secret not in str(public) + str(on_line) + page["customerNote"]
    assert [event["type"] for event in page["events"]] == ["PLACED"]
    assert OrderRow.objects.get(pk=created(answer).order_id).user is None
