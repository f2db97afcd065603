"""An invoice out of what Amazon says of the order: pure, to the cent.

Tax is Amazon's where Amazon told it. Where it did not, in marketplaces whose prices
include it, the tax that the shop's own rates say is contained is taken out of each line
(half up); shipping has the rate of most of what is shipped. Whoever charges no tax has
no rates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from ..amazon.marketplaces import minor_unit
from ..amazon.orders import Order, OrderTaxRegistration, TaxEntityType
from ..importing.addresses import as_given
from ..importing.text import one_line
from ..store.contract import AddressDraft, LineDraft, OrderDraft, Price
from .document import Amount, Invoice, Line, Party


class CannotInvoice(Exception):
    """The order gives no invoice as it is; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is on an invoice besides the order."""

    number: str
    issued_on: date
    #: Lines of name and address as the merchant set them; empty: not set.
    issuer: tuple[str, ...]
    issuer_tax_number: str
    note: str
    #: The number that documents about the order print.
    order_number: str
    #: order item id → the rate of the tax that its price contains.
    rates: Mapping[str, Decimal]


def invoice(order: Order, draft: OrderDraft, frame: Frame) -> Invoice:
    """The invoice of a whole order. Raises CannotInvoice."""
    billing = draft.billing_address
    if billing is None:
        raise CannotInvoice(
            "Amazon gave no address of the buyer, which an invoice needs."
        )
    lines = [_shown_line(draft, line, frame.rates) for line in draft.lines]
    if draft.shipping.gross:
        rate = _main_rate(lines)
        told = draft.shipping_tax_rate
        lines.append(
            Line("", _amount(draft, draft.shipping, told, rate), quantity=None)
        )
    delivery = draft.shipping_address
    return Invoice(
        number=frame.number,
        issued_on=frame.issued_on,
        delivered_on=_delivered_on(order),
        language=draft.language_code,
        currency=draft.currency,
        seller=_seller(order, frame),
        buyer=Party(_lines(billing), billing.country, _buyers_tax_number(order)),
        delivery=(
            Party(_lines(delivery), delivery.country)
            if delivery and delivery != billing
            else None
        ),
        order_number=frame.order_number,
        amazon_order_id=draft.amazon_order_id,
        purchase_order_number=(
            one_line(order.buyer.buyer_purchase_order_number) if order.buyer else ""
        ),
        lines=tuple(lines),
        by_rate=_by_rate(lines),
        total=_sum(line.amount for line in lines),
        is_vat=draft.display_gross_prices,
        tax_collector=draft.metadata.get("amazon.taxCollectedBy", ""),
        tax_collected=Decimal(draft.metadata.get("amazon.taxRemittedByAmazon", 0)),
        note=frame.note,
    )


# Money.


def _shown_line(
    draft: OrderDraft, line: LineDraft, rates: Mapping[str, Decimal]
) -> Line:
    amount = _amount(
        draft,
        line.total,
        line.tax_rate,
        rates.get(line.order_item_id),
    )
    undiscounted = line.undiscounted_total
    discount = (
        undiscounted.gross - line.total.gross
        if draft.display_gross_prices
        else undiscounted.net - line.total.net
    )
    return Line(line.title, amount, line.quantity, line.sku, discount)


def _amount(
    draft: OrderDraft, price: Price, told: Decimal | None, contained: Decimal | None
) -> Amount:
    """``told`` is the rate Amazon's amounts come to, ``contained`` the shop's."""
    if price.tax:
        rate = _plain_rate(price, told, minor_unit(draft.currency))
        return Amount(price.net, price.tax, price.gross, rate)
    if contained and draft.display_gross_prices:
        net = (price.gross / (1 + contained)).quantize(
            minor_unit(draft.currency), ROUND_HALF_UP
        )
        return Amount(net, price.gross - net, price.gross, contained)
    return Amount(price.net, price.tax, price.gross)


def _plain_rate(price: Price, told: Decimal | None, unit: Decimal) -> Decimal | None:
    """The rate as the law has it, not as cents make it: 0.19 for 0.1899."""
    if told is None:
        return None
    for step in (Decimal("0.005"), Decimal("0.001"), Decimal("0.00025")):
        rate = (told / step).quantize(Decimal(1), ROUND_HALF_UP) * step
        if abs(price.net * rate - price.tax) <= unit:
            return rate.normalize()
    return told


def _by_rate(lines: Iterable[Line]) -> tuple[Amount, ...]:
    groups: dict[Decimal | None, list[Amount]] = defaultdict(list)
    for line in lines:
        groups[line.amount.rate].append(line.amount)
    order = sorted(groups, key=lambda rate: (rate is None, -(rate or 0)))
    return tuple(_sum(groups[rate], rate) for rate in order)


def _sum(amounts: Iterable[Amount], rate: Decimal | None = None) -> Amount:
    net = tax = gross = Decimal(0)
    for amount in amounts:
        net, tax, gross = net + amount.net, tax + amount.tax, gross + amount.gross
    return Amount(net, tax, gross, rate)


def _main_rate(lines: Iterable[Line]) -> Decimal | None:
    """The rate of most of the value: what is shipped along shares its tax."""
    values: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    for line in lines:
        values[line.amount.rate] += line.amount.gross
    return max(values, key=lambda rate: values[rate]) if values else None


# People and times.


def _delivered_on(order: Order) -> date | None:
    """When the last package left, in Amazon's own days (UTC)."""
    times = [package.ship_time for package in order.packages if package.ship_time]
    return max(times).date() if times else None


def _seller(order: Order, frame: Frame) -> Party:
    registered = _registration(order, TaxEntityType.MERCHANT)
    number = frame.issuer_tax_number
    if registered and not number:
        number = one_line(registered.tax_registration_number)
    if frame.issuer:
        return Party(frame.issuer, tax_number=number)
    if registered is None or registered.tax_registration_address is None:
        raise CannotInvoice(
            "Who issues the invoice is not known: set the marketplace's invoiceIssuer "
            "with amazonMarketplaceUpdate, or the shop's company address."
        )
    address = as_given(registered.tax_registration_address)
    lines = filter(None, (one_line(registered.legal_name), *_lines(address)))
    return Party(tuple(dict.fromkeys(lines)), address.country, number)


def _buyers_tax_number(order: Order) -> str:
    registered = _registration(order, TaxEntityType.BUYER)
    return one_line(registered.tax_registration_number) if registered else ""


def _registration(order: Order, entity: str) -> OrderTaxRegistration | None:
    return next(
        (each for each in order.tax_registrations if each.entity_type == entity), None
    )


def _lines(address: AddressDraft) -> tuple[str, ...]:
    lines = (
        address.company_name,
        f"{address.first_name} {address.last_name}",
        address.street_address_1,
        address.street_address_2,
        address.city_area,
        f"{address.postal_code} {address.city}",
        address.country_area,
    )
    return tuple(filter(None, map(one_line, lines)))
