from __future__ import annotations

import json

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import payloads
from wire_orders import wire_item, wire_order


def order_with_everything_personal():
    item = wire_item()
    item["fulfillment"]["packing"] = {
        "giftOption": {"giftMessage": "For grandma", "giftWrapLevel": "Red"}
    }
    item["product"]["customization"] = {"customizedUrl": "https://secret.example/1"}
    order = wire_order(items=[wire_item("10000000000002"), item])
    order["tax"] = {
        "taxRegistrations": [{"legalName": "Müller GmbH"}],
        "taxInvoicing": {"invoiceStatus": "NOT_REQUIRED"},
    }
    return order


def test_join_gives_back_what_split_took_apart():
    order = order_with_everything_personal()
    before = json.dumps(order, sort_keys=True)

    public, personal = payloads.split(order)

    assert payloads.join(public, personal) == order
    assert json.dumps(order, sort_keys=True) == before


def test_the_public_half_holds_nothing_personal():
    public, _ = payloads.split(order_with_everything_personal())

    text = json.dumps(public, ensure_ascii=False)
    for personal in ("Müller", "Hauptstr", "10115", "grandma", "secret.example"):
        assert personal not in text
    assert public["tax"] == {"taxInvoicing": {"invoiceStatus": "NOT_REQUIRED"}}


def test_a_redacted_order_can_still_be_joined():
    public, _ = payloads.split(order_with_everything_personal())

    assert payloads.join(public, {}) == public


def order_with_what_nobody_knows():
    order = order_with_everything_personal()
    order["unknownNewField"] = {"buyerNote": "Klingeln bei Secret"}
    order["orderItems"][0]["unknown"] = [{"recipientNote": "Secret"}]
    order["orderItems"][1]["product"]["title"] = {"de": "for Mr Secret"}
    order["orderItems"].append("Secret")
    order["programs"] = ["PRIME", {"of": "Secret"}]
    order["packages"] = None
    order["payment"] = {
        "paymentExecutions": [{"paymentMethod": "CARD", "authorizationCode": "Secret"}]
    }
    order["salesChannel"] = "Secret"
    order["tax"]["taxInvoicing"] = ["Secret"]
    return order


def test_what_is_not_known_to_be_harmless_is_personal():
    order = order_with_what_nobody_knows()

    public, personal = payloads.split(order)

    assert "Secret" not in json.dumps(public)
    assert payloads.join(public, json.loads(json.dumps(personal))) == order
    assert public["payment"] == {"paymentExecutions": [{"paymentMethod": "CARD"}]}
    assert payloads.join(public, {}) == public


def test_what_the_channel_works_with_is_known_to_be_harmless():
    """So it is still there when the buyer's data was deleted."""
    order = Order.from_wire(order_with_everything_personal())

    public, _ = payloads.split(order_with_everything_personal())

    left = Order.from_wire(public)
    assert (left.proceeds, left.fulfillment) == (order.proceeds, order.fulfillment)
    assert [each.proceeds for each in left.order_items] == [
        each.proceeds for each in order.order_items
    ]
