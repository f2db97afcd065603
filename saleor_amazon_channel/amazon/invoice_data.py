"""Amazon's Invoice Data Report: which shipments and refunds lack a document of the
seller's, and what Amazon calls them.

Source: SP-API "Invoice Data Reports", "Invoice Data reports attributes" (the columns)
and the VAT Calculation Service's "Best Practices" (asked for without options it is of
what is pending, of orders of 90 days). It is tab text, a row for each order item of a
transaction. Most columns are about the buyer: nothing is read of a row but what is in
``Transaction``.

What Amazon does not say: the sign of a refund's amounts. So they are summed up as they
are and taken without it (sellers' code shows both, promotions of the other sign).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from .errors import MalformedAnswer

REPORT_TYPE = "GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT"

#: ``transaction-type`` of what gets a credit note.
_OF_REFUNDS = ("REFUND", "RETURN")
_NEEDED = ("order-id", "transaction-id", "transaction-type")
#: With tax, promotions among them; together what a row comes to.
_AMOUNTS = tuple(
    f"{part}-vat-incl-amount"
    for part in (
        "item",
        "item-promo",
        "gift-wrap",
        "gift-promo",
        "shipping",
        "shipping-promo",
    )
)
_LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Transaction:
    """A refund that waits for its credit note. ``total`` is None where an amount cannot
    be read."""

    order_id: str
    transaction_id: str
    currency: str
    total: Decimal | None
    skus: frozenset[str]


def parse(content: bytes) -> list[Transaction]:
    """The refunds in the report, each once. Raises MalformedAnswer, which names no
    value of it."""
    # What is read of it is ASCII; names in it come in more than one encoding.
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")
    header = lines[0].rstrip("\r").split("\t")
    if not any(line.strip() for line in lines):
        return []
    places = {name.strip().strip('"').lower(): n for n, name in enumerate(header)}
    for name in _NEEDED:
        if name not in places:
            raise MalformedAnswer(REPORT_TYPE, f"it has no column {name}")
    found: dict[tuple[str, str], Transaction] = {}
    seen = {""}
    for number, line in enumerate(lines[1:], 2):
        # A row is of one order item: what comes twice is the same.
        if line.strip() in seen:
            continue
        seen.add(line.strip())
        row = _Row(places, line.rstrip("\r").split("\t"))
        if row.text("transaction-type").upper() not in _OF_REFUNDS:
            continue
        order_id, transaction_id = row.text("order-id"), row.text("transaction-id")
        if not order_id or not 0 < len(transaction_id) <= _LONGEST_ID:
            raise MalformedAnswer(REPORT_TYPE, f"line {number} names no refund")
        key, sku = (order_id, transaction_id), row.text("sku")
        before = found.get(key)
        total = row.total()
        found[key] = Transaction(
            order_id,
            transaction_id,
            row.text("currency").upper(),
            total if before is None else _added(before.total, total),
            (before.skus if before else frozenset()) | ({sku} if sku else frozenset()),
        )
    return [_without_sign(each) for each in found.values()]


@dataclass(frozen=True, slots=True)
class _Row:
    places: dict[str, int]
    cells: list[str]

    def text(self, name: str) -> str:
        place = self.places.get(name, len(self.cells))
        return self.cells[place].strip().strip('"') if place < len(self.cells) else ""

    def total(self) -> Decimal | None:
        try:
            amounts = [Decimal(self.text(name) or 0) for name in _AMOUNTS]
        except InvalidOperation:
            return None
        if not all(amount.is_finite() for amount in amounts):
            return None
        return sum(amounts, Decimal(0))


def _added(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    return None if a is None or b is None else a + b


def _without_sign(each: Transaction) -> Transaction:
    total = None if each.total is None else abs(each.total)
    return Transaction(
        each.order_id, each.transaction_id, each.currency, total, each.skus
    )
