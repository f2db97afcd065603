"""What is on an invoice: the shapes that ``content`` fills and ``pdf`` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


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


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. ``language`` is Saleor's code of it ("de", "pt-br")."""

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
