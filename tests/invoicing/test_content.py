"""What is on an invoice: Amazon's numbers, by rate, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import map_order
from saleor_amazon_channel.invoicing.content import CannotInvoice, Frame, invoice
from saleor_amazon_channel.invoicing.document import Amount, Invoice
from wire_orders import wire_item, wire_order

US = "ATVPDKIKX0DER"
FIRST, SECOND = "10000000000001", "10000000000002"


def made(
    wire: dict[str, Any],
    rates: Mapping[str, str] | None = None,
    issuer: tuple[str, ...] = ("Mugs",),
) -> Invoice:
    order = Order.from_wire(wire)
    return invoice(
        order,
        map_order(order),
        Frame(
            number="RE-1",
            issued_on=date(2026, 11, 20),
            issuer=issuer,
            issuer_tax_number="",
            note="",
            order_number="1042",
            rates={item: Decimal(rate) for item, rate in (rates or {}).items()},
        ),
    )


def with_part(item: dict[str, Any], kind: str, amount: str, *, total: str) -> Any:
    currency = item["proceeds"]["proceedsTotal"]["currencyCode"]
    proceeds = item["proceeds"]
    money = {"amount": amount, "currencyCode": currency}
    proceeds["breakdowns"].append({"type": kind, "subtotal": money})
    proceeds["proceedsTotal"] = {"amount": total, "currencyCode": currency}
    return item


def amount(net: str, tax: str, gross: str, rate: str | None) -> Amount:
    return Amount(
        Decimal(net), Decimal(tax), Decimal(gross), Decimal(rate) if rate else None
    )


def test_tax_that_amazon_tells_is_taken_with_its_legal_rate() -> None:
    item = with_part(wire_item(), "TAX", "3.18", total="19.90")

    found = made(wire_order(items=[item]), rates={FIRST: "0.07"})

    assert found.by_rate == (amount("16.72", "3.18", "19.90", "0.19"),)
    assert found.total == amount("16.72", "3.18", "19.90", None)


def test_tax_that_the_shop_knows_is_taken_out_of_the_price() -> None:
    items = [wire_item(), wire_item(SECOND, "BOOK-1", price="10.70")]

    found = made(wire_order(items=items), rates={FIRST: "0.19", SECOND: "0.07"})

    assert found.by_rate == (
        amount("16.72", "3.18", "19.90", "0.19"),
        amount("10.00", "0.70", "10.70", "0.07"),
    )
    assert found.total == amount("26.72", "3.88", "30.60", None)


def test_shipping_has_the_rate_of_most_of_what_is_shipped() -> None:
    wire = wire_order(items=[with_part(wire_item(), "SHIPPING", "5.00", total="24.90")])
    wire["proceeds"]["breakdowns"] = []

    found = made(wire, rates={FIRST: "0.19"})

    assert [line.title for line in found.lines] == ["A mug", ""]
    assert found.lines[1].amount == amount("4.20", "0.80", "5.00", "0.19")


def test_who_charges_no_tax_has_none_on_the_invoice() -> None:
    found = made(wire_order())

    assert found.by_rate == (amount("19.90", "0", "19.90", None),)


def test_american_tax_is_amazons_and_none_is_taken_out_of_prices() -> None:
    item = with_part(wire_item(currency="USD"), "TAX", "1.77", total="21.67")
    item["tax"] = {
        "taxCollections": [
            {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services"}
        ]
    }
    wire = wire_order(items=[item], marketplace_id=US, currency="USD")
    wire["proceeds"]["breakdowns"] = []

    found = made(wire, rates={FIRST: "0.19"})

    assert found.total.gross == Decimal("21.67")
    assert (found.tax_collector, found.tax_collected) == (
        "Amazon Services",
        Decimal("1.77"),
    )
    assert found.is_vat is False


def test_a_business_buyer_and_a_registered_merchant() -> None:
    wire = wire_order()
    address = wire["recipient"]["deliveryAddress"]
    wire["tax"] = {
        "taxRegistrations": [
            {
                "entityType": entity,
                "legalName": name,
                "taxRegistrationType": "VAT",
                "taxRegistrationNumber": number,
                "taxRegistrationAddress": {**address, "name": name},
            }
            for entity, name, number in (
                ("BUYER", "ACME GmbH", "DE1"),
                ("MERCHANT", "Mugs GmbH", "DE2"),
            )
        ]
    }

    found = made(wire, issuer=())

    assert (found.buyer.lines[0], found.buyer.tax_number) == ("ACME GmbH", "DE1")
    assert (found.seller.lines[0], found.seller.tax_number) == ("Mugs GmbH", "DE2")
    assert found.delivery is not None
    assert found.delivery.lines[0] == "Änne Müller"


def test_without_an_issuer_it_says_what_to_set() -> None:
    with pytest.raises(CannotInvoice, match="invoiceIssuer"):
        made(wire_order(), issuer=())
