"""An invoice out of what Amazon says of the order: pure, to the cent.

Tax is Amazon's where Amazon told it. Where it did not, in marketplaces whose prices
include it, the tax that the shop's own rates say is contained is taken out of each line
(half up); shipping has the rate of most of what is shipped. Whoever charges no tax has
no rates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from ..amazon.marketplaces import minor_unit
from ..amazon.orders import Order, OrderTaxRegistration, TaxEntityType
from ..importing.addresses import as_given
from ..importing.text import one_line
from ..store.contract import AddressDraft, LineDraft, OrderDraft, Price
from .document import Amount, Corrected, Invoice, Line, Party


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
        buyer=buyer_of(order, billing),
        delivery=(
            Party(_lines(delivery), delivery.country)
            if delivery and delivery != billing
            else None
        ),
        order_number=frame.order_number,
        amazon_order_id=draft.amazon_order_id,
        purchase_order_number=purchase_order_of(order),
        lines=tuple(lines),
        by_rate=_by_rate(lines),
        total=_sum(line.amount for line in lines),
        is_vat=draft.display_gross_prices,
        tax_collector=draft.metadata.get("amazon.taxCollectedBy", ""),
        tax_collected=Decimal(draft.metadata.get("amazon.taxRemittedByAmazon", 0)),
        note=frame.note,
    )


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a refund gives back of one line of the invoice.

    ``order_item_id`` is empty for shipping, and for what no item could be told of.
    """

    order_item_id: str
    is_shipping: bool
    gross: Decimal
    #: Of ``gross``, where Amazon told it; None: it is the share that the line has.
    tax: Decimal | None
    #: Gross that other credit notes gave back of the line.
    before: Decimal
    #: Units paid back whole.
    units: int


def credit_note(
    original: Invoice,
    number: str,
    issued_on: date,
    given: Iterable[GivenBack],
    before: Sequence[Amount],
) -> Invoice | None:
    """The credit note that takes off ``original`` what a refund gave back.

    ``before`` is what other credit notes took off it. All together never take off more
    than it says, gross or tax. None: nothing is left to be taken off.
    """
    unit = minor_unit(original.currency)
    gross_left = original.total.gross - sum((each.gross for each in before), Decimal(0))
    tax_left = original.total.tax - sum((each.tax for each in before), Decimal(0))
    lines = []
    for each in given:
        gross = min(each.gross, gross_left)
        if gross <= 0:
            continue
        of = _line_of(original, each)
        tax = each.tax
        if tax is None or gross != each.gross:
            # From sums, so that all parts of a line come to exactly its tax.
            tax = _share(of.amount, each.before + gross, unit) - _share(
                of.amount, each.before, unit
            )
        tax = max(Decimal(0), min(tax, tax_left, gross))
        amount = Amount(gross - tax, tax, gross, of.amount.rate)
        gross_left, tax_left = gross_left - gross, tax_left - tax
        lines.append(replace(of, amount=amount, quantity=each.units or None))
    if not lines:
        return None
    return replace(
        original,
        number=number,
        issued_on=issued_on,
        lines=tuple(lines),
        by_rate=_by_rate(lines),
        total=_sum(line.amount for line in lines),
        corrects=Corrected(original.number, original.issued_on),
    )


def _line_of(original: Invoice, given: GivenBack) -> Line:
    """The line it is of; where none can be told, one that is like the whole."""
    for line in original.lines:
        is_shipping = not line.order_item_id
        if is_shipping == given.is_shipping and (
            is_shipping or line.order_item_id == given.order_item_id
        ):
            return replace(line, discount=Decimal(0))
    rates = {amount.rate for amount in original.by_rate}
    total = replace(original.total, rate=rates.pop() if len(rates) == 1 else None)
    return Line(original.amazon_order_id, total)


def _share(line: Amount, gross: Decimal, unit: Decimal) -> Decimal:
    """The tax in so much of a line's gross."""
    if not line.gross:
        return Decimal(0)
    return (line.tax * gross / line.gross).quantize(unit, ROUND_HALF_UP)


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
    return Line(
        line.title, amount, line.quantity, line.sku, discount, line.order_item_id
    )


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


def buyer_of(order: Order, billing: AddressDraft) -> Party:
    return Party(_lines(billing), billing.country, _buyers_tax_number(order))


def purchase_order_of(order: Order) -> str:
    return one_line(order.buyer.buyer_purchase_order_number) if order.buyer else ""


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
