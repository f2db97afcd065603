"""What we send is judged by a schema written from Amazon's, release 4.1."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from saleor_amazon_channel.amazon.order_feeds import (
    Cancellation,
    CancelReason,
    cancellations,
    is_order_id,
    is_order_item_code,
)

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "order_feeds.xsd"))


def test_a_cancellation_names_every_item() -> None:
    content = cancellations(
        "A1SELLER",
        [
            Cancellation(
                "303-0000000-1234567",
                ("20212345678901", "20212345678902"),
                CancelReason.NO_INVENTORY,
            ),
            Cancellation(
                "303-0000000-1234568", ("20212345678903",), CancelReason.BUYER_CANCELED
            ),
        ],
    )

    SCHEMA.assertValid(etree.fromstring(content))
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<Amazon")
    assert content.endswith(b"</AmazonEnvelope>")
    assert b"xsi:noNamespaceSchemaLocation" in content
    root = etree.fromstring(content)
    assert root.xpath("Message/MessageID/text()") == ["1", "2"]
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

    SCHEMA.assertValid(etree.fromstring(cancellations("A1SELLER", [order])))


def test_a_thousand_orders_stay_far_below_ten_mebibytes() -> None:
    order = Cancellation(
        "303-0000000-1234567", ("20212345678901",) * 5, CancelReason.GENERAL_ADJUSTMENT
    )

    assert len(cancellations("A1SELLER", [order] * 1000)) < 1024 * 1024


def test_what_the_schema_takes_for_ids() -> None:
    assert is_order_id("303-0000000-1234567")
    assert not is_order_id("303-0000000-12345678")
    assert is_order_item_code("20212345678901")
    assert not is_order_item_code("2021234567890")
    assert not is_order_item_code("2021234567890A")
