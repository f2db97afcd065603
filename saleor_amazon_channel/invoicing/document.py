"""What is on an invoice: the shapes that ``content`` fills and ``pdf`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells, buys or gets the goods: the lines of name and address.

    ``country`` is ISO 3166 alpha-2, printed below them in words; empty where the lines
    say it themselves.
    """

    lines: tuple[str, ...] = field(repr=False)
    country: str = ""
    tax_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Amount:
    """What one line, one rate or the whole invoice comes to.

    ``rate`` is a fraction (0.19), None where nothing is taxed or the rate is unknown.
    """

    net: Decimal
    tax: Decimal
    gross: Decimal
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """``quantity`` is None for what is not counted: shipping. ``discount`` is what
    ``amount`` was reduced by, as it was shown with or without tax."""

    title: str
    amount: Amount
    quantity: int | None = None
    sku: str = ""
    discount: Decimal = Decimal(0)
    #: Amazon's order item; empty: of the order as a whole.
    order_item_id: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The invoice that a credit note corrects."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. ``language`` is Saleor's code of it ("de", "pt-br").

    Or a credit note: then ``corrects`` says of which, and amounts are what is given
    back, positive.
    """

    number: str
    issued_on: date
    #: When the goods left; None where that is not known.
    delivered_on: date | None
    language: str
    currency: str
    seller: Party
    buyer: Party
    #: Where the goods went, unless that is the buyer's address.
    delivery: Party | None
    order_number: str
    amazon_order_id: str
    purchase_order_number: str = field(repr=False)
    lines: tuple[Line, ...]
    #: By rate, the highest first; those that are not taxed last.
    by_rate: tuple[Amount, ...]
    total: Amount
    #: VAT, or a tax on sales.
    is_vat: bool
    #: Who collects tax as a marketplace facilitator, and how much of it; not the
    #: seller's to remit. Empty and 0 where nobody does.
    tax_collector: str = ""
    tax_collected: Decimal = Decimal(0)
    #: What the merchant prints below, in words of its own.
    note: str = ""
    corrects: Corrected | None = None


def of_buyer(
    invoice: Invoice, buyer: Party, purchase_order_number: str, note: str
) -> Invoice:
    """The same for whoever that is."""
    return replace(
        invoice,
        buyer=buyer,
        delivery=None,
        purchase_order_number=purchase_order_number,
        note=note,
    )


# What is kept of an invoice, for the credit notes that may correct it.


def to_json(invoice: Invoice) -> dict[str, Any]:
    """All of it but the buyer: no personal data."""
    return {
        "number": invoice.number,
        "issuedOn": invoice.issued_on.isoformat(),
        "deliveredOn": invoice.delivered_on and invoice.delivered_on.isoformat(),
        "language": invoice.language,
        "currency": invoice.currency,
        "seller": {
            "lines": list(invoice.seller.lines),
            "country": invoice.seller.country,
            "taxNumber": invoice.seller.tax_number,
        },
        "orderNumber": invoice.order_number,
        "amazonOrderId": invoice.amazon_order_id,
        "lines": [
            {
                "title": line.title,
                "quantity": line.quantity,
                "sku": line.sku,
                "orderItemId": line.order_item_id,
                **_amount_to_json(line.amount),
            }
            for line in invoice.lines
        ],
        "byRate": [_amount_to_json(amount) for amount in invoice.by_rate],
        "total": _amount_to_json(invoice.total),
        "isVat": invoice.is_vat,
    }


def from_json(kept: Mapping[str, Any]) -> Invoice:
    """The invoice as it was kept, without its buyer."""
    seller, delivered_on = kept["seller"], kept["deliveredOn"]
    return Invoice(
        number=kept["number"],
        issued_on=date.fromisoformat(kept["issuedOn"]),
        delivered_on=date.fromisoformat(delivered_on) if delivered_on else None,
        language=kept["language"],
        currency=kept["currency"],
        seller=Party(tuple(seller["lines"]), seller["country"], seller["taxNumber"]),
        buyer=Party(()),
        delivery=None,
        order_number=kept["orderNumber"],
        amazon_order_id=kept["amazonOrderId"],
        purchase_order_number="",
        lines=tuple(
            Line(
                line["title"],
                _amount_from_json(line),
                line["quantity"],
                line["sku"],
                order_item_id=line["orderItemId"],
            )
            for line in kept["lines"]
        ),
        by_rate=tuple(map(_amount_from_json, kept["byRate"])),
        total=_amount_from_json(kept["total"]),
        is_vat=kept["isVat"],
    )


def _amount_to_json(amount: Amount) -> dict[str, str | None]:
    return {
        "net": str(amount.net),
        "tax": str(amount.tax),
        "gross": str(amount.gross),
        "rate": None if amount.rate is None else str(amount.rate),
    }


def _amount_from_json(kept: Mapping[str, Any]) -> Amount:
    rate = kept["rate"]
    return Amount(
        Decimal(kept["net"]),
        Decimal(kept["tax"]),
        Decimal(kept["gross"]),
        None if rate is None else Decimal(rate),
    )
