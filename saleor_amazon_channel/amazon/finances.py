"""Finances API 2024-06-19: ``listTransactions``, and what a refund in it comes to.

Source: Amazon's model ``finances_2024-06-19.json`` and its "Use Case Guide" (500
transactions a page). Amounts are the seller's: what the buyer gets back is negative.
They come as JSON numbers and are read as the decimals that were written.

The model says nothing of which breakdowns there are. ``_COMPONENTS`` has those that
real refunds show, as sellers have published them; they lie at any depth, most in groups
(``ProductCharges``, ``Tax``, ``Shipping``, ``PromoRebates``). What Amazon settles with
the seller (``AmazonFees``, tax that it withholds as marketplace facilitator) is no part
of what the buyer gets. What is neither is named in ``Refunded.unknown``, never guessed.

A transaction that Amazon defers keeps its id and gets another status later. The one
that releases it has an id of its own, and the two name each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from . import reading as read
from .errors import MalformedAnswer
from .orders import Money, wire_time
from .reading import Wire

if TYPE_CHECKING:
    from .client import Client

LIST_TRANSACTIONS = "listTransactions"

#: The role that the app needs, in Amazon's words.
ROLE = "Finance and Accounting"


class TransactionType:
    """An open set; these are what the connector tells apart."""

    REFUND = "Refund"


class TransactionStatus:
    DEFERRED = "DEFERRED"
    RELEASED = "RELEASED"
    DEFERRED_RELEASED = "DEFERRED_RELEASED"


class Component(StrEnum):
    """What an amount refunded is for, in the names of Amazon's payment adjustments.

    Promotions are taken off the component they were on. Fees that the seller keeps are
    negative.
    """

    PRINCIPAL = "Principal"
    TAX = "Tax"
    SHIPPING = "Shipping"
    SHIPPING_TAX = "ShippingTax"
    GIFT_WRAP = "GiftWrap"
    GIFT_WRAP_TAX = "GiftWrapTax"
    COD = "COD"
    COD_TAX = "CODTax"
    EXPORT_CHARGE = "ExportCharge"
    GOODWILL = "Goodwill"
    RESTOCKING_FEE = "RestockingFee"
    RESTOCKING_FEE_TAX = "RestockingFeeTax"
    RETURN_SHIPPING = "ReturnShipping"


#: By the stem of a breakdown's type: what its price and its tax are.
_STEMS: Mapping[str, tuple[Component, Component]] = {
    "OurPrice": (Component.PRINCIPAL, Component.TAX),
    "Shipping": (Component.SHIPPING, Component.SHIPPING_TAX),
    "Giftwrap": (Component.GIFT_WRAP, Component.GIFT_WRAP_TAX),
    "COD": (Component.COD, Component.COD_TAX),
    "ExportCharge": (Component.EXPORT_CHARGE, Component.EXPORT_CHARGE),
    "Goodwill": (Component.GOODWILL, Component.GOODWILL),
    "RestockingDeduction": (Component.RESTOCKING_FEE, Component.RESTOCKING_FEE_TAX),
    "ReturnShipping": (Component.RETURN_SHIPPING, Component.RETURN_SHIPPING),
    "ReturnShippingDeduction": (Component.RETURN_SHIPPING, Component.RETURN_SHIPPING),
}
_COMPONENTS: Mapping[str, Component] = {
    stem + suffix: components[is_tax]
    for stem, components in _STEMS.items()
    for suffix, is_tax in (
        ("Principal", False),
        ("Discount", False),
        ("Tax", True),
        ("TaxDiscount", True),
    )
}
#: What groups stand for where Amazon does not split them, at the top or in a summary.
_WHOLE_GROUPS: Mapping[str, Component] = {
    "ProductCharges": Component.PRINCIPAL,
    "PromoRebates": Component.PRINCIPAL,
    "Tax": Component.TAX,
    "Shipping": Component.SHIPPING,
    "Giftwrap": Component.GIFT_WRAP,
}
#: Of a transaction as a whole.
_SUMMARIES = frozenset({"Sales", "Expenses", "Refunded Sales", "Refunded Expenses"})
#: Between Amazon and the seller.
_NOT_THE_BUYERS = re.compile(
    r"AmazonFees|FBAFees|.*Fees?|.*Commission|.*Chargeback"
    r"|Marketplace(Facilitator|Withheld).*|LowValueGoods.*|Points\w*"
)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """``amount`` is None where Amazon gives none."""

    type: str
    amount: Money | None
    breakdowns: tuple[Breakdown, ...]


@dataclass(frozen=True, slots=True)
class TransactionItem:
    """``identifiers`` are the values of its related identifiers, of any kind."""

    description: str
    seller_sku: str
    asin: str
    identifiers: tuple[str, ...]
    breakdowns: tuple[Breakdown, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money. ``payload`` is the JSON it was read from, with amounts as
    decimals."""

    transaction_id: str
    type: str
    status: str
    description: str
    posted_date: datetime
    marketplace_id: str
    #: By name: ``ORDER_ID``, ``REFUND_ID``, ``DEFERRED_TRANSACTION_ID`` …
    related_identifiers: Mapping[str, str]
    items: tuple[TransactionItem, ...]
    breakdowns: tuple[Breakdown, ...]
    payload: dict[str, Any] = field(repr=False, compare=False)

    @property
    def is_refund(self) -> bool:
        return self.type.casefold() == TransactionType.REFUND.casefold()

    @property
    def order_id(self) -> str:
        return self.related_identifiers.get("ORDER_ID", "")

    @property
    def refund_id(self) -> str:
        return self.related_identifiers.get("REFUND_ID", "")

    @property
    def deferred_transaction_id(self) -> str:
        """Of the transaction that this one releases."""
        return self.related_identifiers.get("DEFERRED_TRANSACTION_ID", "")

    @property
    def release_transaction_id(self) -> str:
        """Of the transaction that released this one."""
        return self.related_identifiers.get("RELEASE_TRANSACTION_ID", "")


@dataclass(frozen=True, slots=True)
class TransactionsPage:
    """One page of ``listTransactions``; it may be empty although more follow.

    A transaction that cannot be read is in ``malformed``, as what is wrong with it, and
    does not cost the others.
    """

    transactions: tuple[Transaction, ...]
    malformed: tuple[str, ...]
    next_token: str | None = field(repr=False)


def list_transactions(
    client: Client,
    *,
    posted_after: datetime,
    posted_before: datetime | None = None,
    next_token: str | None = None,
    max_wait_seconds: float = 0,
) -> TransactionsPage:
    """One page of the account's transactions, of all its marketplaces.

    ``posted_before`` must lie two minutes in the past by Amazon's clock, and that is
    where the list ends without it. Ranges of more than 180 days are answered with
    nothing. The next page wants the same times along with its token.
    """
    params = {"postedAfter": wire_time(posted_after)}
    if posted_before:
        params["postedBefore"] = wire_time(posted_before)
    if next_token:
        params["nextToken"] = next_token
    answer = client.request(
        LIST_TRANSACTIONS,
        "GET",
        "/finances/2024-06-19/transactions",
        params=params,
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
        parse_float=Decimal,
    )
    return _page(answer)


# --- what the buyer gets --------------------------------------------------------------


@dataclass(slots=True)
class Refunded:
    """What a refund gives the buyer of one item, or of the order as a whole.

    Amounts are positive, except fees that the seller keeps. ``unknown`` names the
    breakdowns that are neither the buyer's nor Amazon's as far as anybody here knows.
    """

    amounts: dict[Component, Money] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def refunded(breakdowns: Iterable[Breakdown]) -> Refunded:
    """What ``breakdowns`` of a refund give the buyer."""
    found = Refunded()
    _collect(breakdowns, found, _WHOLE_GROUPS)
    found.amounts = {
        component: money for component, money in found.amounts.items() if money.amount
    }
    return found


def _collect(
    breakdowns: Iterable[Breakdown],
    found: Refunded,
    groups: Mapping[str, Component],
) -> None:
    for breakdown in breakdowns:
        component = _COMPONENTS.get(breakdown.type)
        if component is None and not breakdown.breakdowns:
            component = groups.get(breakdown.type)
        if component is not None:
            _add(found, component, breakdown.amount)
        elif _NOT_THE_BUYERS.fullmatch(breakdown.type):
            continue
        elif breakdown.breakdowns:
            is_summary = breakdown.type in _SUMMARIES
            _collect(breakdown.breakdowns, found, groups if is_summary else {})
        elif breakdown.amount and breakdown.amount.amount:
            found.unknown.append(f"{breakdown.type} {breakdown.amount}")


def _add(found: Refunded, component: Component, money: Money | None) -> None:
    if money is None:
        return
    before = found.amounts.get(component)
    if before is not None and before.currency != money.currency:
        found.unknown.append(f"{component} {money}")
        return
    amount = -money.amount + (before.amount if before else 0)
    found.amounts[component] = Money(amount, money.currency)


# --- reading --------------------------------------------------------------------------


def _page(answer: object) -> TransactionsPage:
    payload = answer.get("payload") if isinstance(answer, dict) else None
    if not isinstance(payload, dict):
        raise MalformedAnswer(LIST_TRANSACTIONS, "the answer has no payload")
    transactions: list[Transaction] = []
    malformed: list[str] = []
    try:
        wires = read.list_(payload, "transactions")
        next_token = read.text(payload, "nextToken") or None
    except read.Problem as problem:
        raise MalformedAnswer(
            LIST_TRANSACTIONS, f"{problem.path}: {problem.text}"
        ) from None
    for wire in wires:
        try:
            transactions.append(transaction_from_wire(wire))
        except read.Problem as problem:
            transaction_id = wire.get("transactionId") if isinstance(wire, dict) else ""
            malformed.append(
                f"transaction {transaction_id or 'without an id'}: "
                f"{problem.path} {problem.text}"
            )
    return TransactionsPage(tuple(transactions), tuple(malformed), next_token)


def transaction_from_wire(wire: object) -> Transaction:
    """Raises ``reading.Problem``."""
    transaction = read.obj(wire)
    return Transaction(
        read.required_text(transaction, "transactionId"),
        read.text(transaction, "transactionType"),
        # Also seen as "Released".
        read.text(transaction, "transactionStatus").upper(),
        read.text(transaction, "description"),
        read.time(transaction, "postedDate"),
        read.text(read.inner(transaction, "marketplaceDetails"), "marketplaceId"),
        dict(
            read.each(
                transaction,
                "relatedIdentifiers",
                _identifier("relatedIdentifierName", "relatedIdentifierValue"),
            )
        ),
        read.each(transaction, "items", _item),
        _breakdowns_of(transaction),
        transaction,
    )


def _identifier(name: str, value: str) -> Any:
    def identifier(wire: Wire) -> tuple[str, str]:
        return read.text(wire, name), read.text(wire, value)

    return identifier


def _item(wire: Wire) -> TransactionItem:
    product = _product(read.each(wire, "contexts", dict))
    identifiers = read.each(
        wire,
        "relatedIdentifiers",
        _identifier("itemRelatedIdentifierName", "itemRelatedIdentifierValue"),
    )
    return TransactionItem(
        read.text(wire, "description"),
        read.text(product, "sku"),
        read.text(product, "asin"),
        tuple(value for _, value in identifiers if value),
        read.each(wire, "breakdowns", _breakdown),
    )


def _product(contexts: Sequence[Wire]) -> Wire:
    for context in contexts:
        if context.get("contextType") == "ProductContext":
            return context
    return {}


def _breakdowns_of(transaction: Wire) -> tuple[Breakdown, ...]:
    """A list, or, in the model's own example, an object that has the list."""
    if isinstance(transaction.get("breakdowns"), dict):
        transaction = transaction["breakdowns"]
    return read.each(transaction, "breakdowns", _breakdown)


def _breakdown(wire: Wire) -> Breakdown:
    return Breakdown(
        read.text(wire, "breakdownType"),
        read.below(wire, "breakdownAmount", _money),
        read.each(wire, "breakdowns", _breakdown),
    )


def _money(wire: Wire) -> Money:
    amount = wire.get("currencyAmount")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise read.Problem("currencyAmount", "must be a number")
    return Money(Decimal(amount), read.required_text(wire, "currencyCode"))
