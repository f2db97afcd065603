"""What we send is judged by a schema written from Amazon's, release 4.1."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from saleor_amazon_channel.amazon.order_feeds import (
    ADJUSTMENT_CURRENCIES,
    AdjustedItem,
    Adjustment,
    AdjustmentReason,
    Cancellation,
    CancelReason,
    Fulfillment,
    adjustments,
    cancellations,
    fulfillments,
    is_order_item_code,
    takes,
)
from saleor_amazon_channel.amazon.orders_v0 import Package, PackageItem

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "order_feeds.xsd"))


def test_a_cancellation_names_every_item() -> None:
    content = cancellations(
        "A1SELLER",
        {
            1: Cancellation(
                "303-0000000-1234567",
                ("20212345678901", "20212345678902"),
                CancelReason.NO_INVENTORY,
            ),
            7: Cancellation(
                "303-0000000-1234568", ("20212345678903",), CancelReason.BUYER_CANCELED
            ),
        },
    )

    SCHEMA.assertValid(etree.fromstring(content))
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<Amazon")
    assert content.endswith(b"</AmazonEnvelope>")
    assert b"xsi:noNamespaceSchemaLocation" in content
    root = etree.fromstring(content)
    assert root.xpath("Message/MessageID/text()") == ["1", "7"]
    assert root.xpath("//AmazonOrderID/text()") == [
        "303-0000000-1234567",
        "303-0000000-1234568",
    ]
    assert root.xpath("//StatusCode/text()") == ["Failure", "Failure"]
    assert root.xpath("Message[1]//AmazonOrderItemCode/text()") == [
        "20212345678901",
        "20212345678902",
    ]
    assert root.xpath("Message[1]//CancelReason/text()") == ["NoInventory"] * 2
    assert root.xpath("Message[2]//CancelReason/text()") == ["BuyerCanceled"]


@pytest.mark.parametrize("reason", CancelReason)
def test_every_reason_is_one_of_the_schemas(reason: CancelReason) -> None:
    order = Cancellation("303-0000000-1234567", ("20212345678901",), reason)

    SCHEMA.assertValid(etree.fromstring(cancellations("A1SELLER", {1: order})))


def test_a_thousand_orders_stay_far_below_ten_mebibytes() -> None:
    order = Cancellation(
        "303-0000000-1234567", ("20212345678901",) * 5, CancelReason.GENERAL_ADJUSTMENT
    )

    orders = dict.fromkeys(range(1, 1001), order)
    assert len(cancellations("A1SELLER", orders)) < 1024 * 1024


PACKAGE = Package(
    package_reference_id="1001",
    carrier_code="Other",
    carrier_name="Cycle Courier",
    tracking_number="C-1",
    ship_date=datetime(2026, 11, 20, 15, 5, 30, 123456, tzinfo=UTC),
    items=(PackageItem("20212345678901", 2), PackageItem("20212345678902", 1)),
)


def test_a_package_with_all_it_can_have_and_one_without_tracking() -> None:
    content = fulfillments(
        "A1SELLER",
        {
            1: Fulfillment("303-0000000-1234567", PACKAGE),
            2: Fulfillment(
                "303-0000000-1234568",
                replace(
                    PACKAGE, carrier_code="DHL", carrier_name="", tracking_number=""
                ),
            ),
        },
    )

    root = etree.fromstring(content)
    SCHEMA.assertValid(root)
    assert root.findtext("MessageType") == "OrderFulfillment"
    first, second = root.findall(".//OrderFulfillment")
    assert first.findtext("MerchantFulfillmentID") == "1001"
    assert first.findtext("FulfillmentDate") == "2026-11-20T15:05:30Z"
    assert [(e.tag, e.text) for e in first.find("FulfillmentData")] == [
        ("CarrierCode", "Other"),
        ("CarrierName", "Cycle Courier"),
        ("ShipperTrackingNumber", "C-1"),
    ]
    assert [[e.text for e in item] for item in first.findall("Item")] == [
        ["20212345678901", "2"],
        ["20212345678902", "1"],
    ]
    assert [(e.tag, e.text) for e in second.find("FulfillmentData")] == [
        ("CarrierCode", "DHL")
    ]


def test_a_carrier_code_that_the_schema_does_not_know_spoils_no_feed() -> None:
    package = replace(PACKAGE, carrier_code="Brand New Post", carrier_name="")

    content = fulfillments("A1SELLER", {1: Fulfillment("303-0000000-1234567", package)})

    data = etree.fromstring(content).find(".//FulfillmentData")
    assert [(e.tag, e.text) for e in data][:2] == [
        ("CarrierCode", "Other"),
        ("CarrierName", "Brand New Post"),
    ]


def test_what_a_feed_takes_is_narrower_than_what_the_call_does() -> None:
    assert takes(PACKAGE)
    assert not takes(replace(PACKAGE, tracking_number="1" * 51))
    assert not takes(replace(PACKAGE, items=(PackageItem("123", 1),)))


def test_what_the_schema_takes_for_ids() -> None:
    assert is_order_item_code("20212345678901")
    assert not is_order_item_code("2021234567890")
    assert not is_order_item_code("2021234567890A")


@pytest.mark.parametrize("text", ["T\x0b1", "T\x001", "T\ud8001", "T\uffff1"])
def test_what_no_xml_can_hold_spoils_no_feed(text: str) -> None:
    assert takes(replace(PACKAGE, tracking_number="T 1 \u00e9 \U0001f4e6"))
    assert not takes(replace(PACKAGE, tracking_number=text))
    assert not takes(replace(PACKAGE, carrier_name=text))


def adjustment(
    currency: str = "EUR",
    reason: AdjustmentReason = AdjustmentReason.CUSTOMER_RETURN,
    **amounts: str,
) -> Adjustment:
    return Adjustment(
        "303-0000000-1234567",
        currency,
        (
            AdjustedItem(
                "20212345678901",
                "303-0000000-1234567-refund-77-1",
                reason,
                {name: Decimal(amount) for name, amount in amounts.items()},
            ),
            AdjustedItem(
                "20212345678902",
                "RF-2",
                AdjustmentReason.OTHER,
                {"Principal": Decimal(1)},
            ),
        ),
    )


def test_a_refund_says_what_of_each_item_and_never_how_many() -> None:
    content = adjustments(
        "A1SELLER", {3: adjustment(Principal="19.9", Shipping="3.990", Tax="0.1")}
    )

    root = etree.fromstring(content)
    SCHEMA.assertValid(root)
    assert root.findtext("MessageType") == "OrderAdjustment"
    assert root.findtext("Message/MessageID") == "3"
    body = root.find(".//OrderAdjustment")
    assert [(e.tag, e.text) for e in body][:2] == [
        ("AmazonOrderID", "303-0000000-1234567"),
        ("ActionType", "Refund"),
    ]
    first, second = body.findall("AdjustedItem")
    assert [(e.tag, e.text) for e in first][:3] == [
        ("AmazonOrderItemCode", "20212345678901"),
        ("MerchantAdjustmentItemID", "303-0000000-1234567-refund-77-1"),
        ("AdjustmentReason", "CustomerReturn"),
    ]
    assert [
        (c.findtext("Type"), c.findtext("Amount"), c.find("Amount").get("currency"))
        for c in first.iter("Component")
    ] == [
        ("Principal", "19.90", "EUR"),
        ("Shipping", "3.99", "EUR"),
        ("Tax", "0.10", "EUR"),
    ]
    assert second.findtext("AdjustmentReason") == "Other"
    assert root.xpath("//Quantity") == []


@pytest.mark.parametrize("reason", AdjustmentReason)
def test_every_reason_of_a_refund_is_one_of_the_schemas(
    reason: AdjustmentReason,
) -> None:
    content = adjustments("A1SELLER", {1: adjustment(reason=reason, Principal="1")})

    SCHEMA.assertValid(etree.fromstring(content))


@pytest.mark.parametrize("currency", sorted(ADJUSTMENT_CURRENCIES))
def test_every_currency_of_a_refund_is_one_of_the_schemas(currency: str) -> None:
    content = adjustments("A1SELLER", {1: adjustment(currency, Principal="1234")})

    SCHEMA.assertValid(etree.fromstring(content))
    amount = etree.fromstring(content).findtext(".//Amount")
    assert amount == ("1234" if currency == "JPY" else "1234.00")
