"""What became of each Amazon order: a table, a file, and whether all is well."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from .. import store
from ..amazon.marketplaces import minor_unit
from ..models import AmazonOrder
from ..store.contract import BlockerCode, ShopOrderFigures
from .amazon import AmazonSide

State = AmazonOrder.ImportState


@dataclass(frozen=True)
class Row:
    """One order. Amounts are decimal text; None where there is none.

    ``difference`` is between Amazon's total and the shop's, or, where the amounts block
    the order, between Amazon's own figures. ``reason`` says why it is not imported.
    """

    order_id: str
    state: str
    reason: str
    currency: str
    difference: str | None
    amazon_total: str | None
    shop_total: str | None
    lines: int
    allocated: int
    fulfilled: int


#: What of a row is written to the file.
JSON_KEYS = (
    "order_id",
    "state",
    "reason",
    "difference",
    "amazon_total",
    "shop_total",
    "lines",
    "allocated",
    "fulfilled",
)


@dataclass(frozen=True)
class Report:
    rows: Sequence[Row]
    #: What is not as it must be, in words; empty when all is well.
    problems: Sequence[str]
    #: Currency → Amazon's total of the imported orders, and the shop's.
    totals: dict[str, tuple[Decimal, Decimal]]
    #: How many lines were compared with Amazon's items, one by one.
    compared_lines: int


def read(amazon_orders: Sequence[AmazonSide]) -> Report:
    """Compare the ledger and the shop with Amazon, order by order, line by line."""
    with store.writer():
        ledger = {
            order.amazon_order_id: order
            for order in AmazonOrder.objects.prefetch_related("items")
        }
        shop_ids = [o.shop_order_id for o in ledger.values() if o.shop_order_id]
        figures = store.current().figures(shop_ids)
    rows: list[Row] = []
    problems: list[str] = []
    totals: dict[str, tuple[Decimal, Decimal]] = defaultdict(
        lambda: (Decimal(0), Decimal(0))
    )
    compared_lines = 0
    for amazon in amazon_orders:
        entry = ledger.pop(amazon.order_id, None)
        if entry is None:
            problems.append(f"{amazon.order_id} is not in the ledger.")
            rows.append(_unknown(amazon))
            continue
        shop = figures.get(entry.shop_order_id or "")
        rows.append(_row(amazon, entry, shop))
        problems += _problems(amazon, entry, shop, rows[-1])
        if shop is not None:
            theirs, ours = totals[shop.currency]
            totals[shop.currency] = (
                theirs + (amazon.total or Decimal(0)),
                ours + shop.total,
            )
            found, wrong = _compare_lines(amazon, entry, shop)
            compared_lines += found
            problems += wrong
    problems += [f"{order_id} is not Amazon's." for order_id in ledger]
    problems += [
        f"{currency}: {theirs} on Amazon, {ours} in the shop, over all orders."
        for currency, (theirs, ours) in totals.items()
        if theirs != ours
    ]
    return Report(rows, problems, dict(totals), compared_lines)


def _unknown(amazon: AmazonSide) -> Row:
    return Row(
        amazon.order_id,
        State.WAITING.value,
        "Not in the ledger.",
        amazon.currency,
        None,
        _text(amazon.total, amazon.currency),
        None,
        lines=0,
        allocated=0,
        fulfilled=0,
    )


def _row(amazon: AmazonSide, entry: AmazonOrder, shop: ShopOrderFigures | None) -> Row:
    difference = None
    if shop is not None:
        difference = f"{(amazon.total or Decimal(0)) - shop.total:.2f}"
    elif _is_blocked_by_amounts(entry):
        difference = f"{amazon.largest_gap():.2f}"
    return Row(
        order_id=amazon.order_id,
        state=str(entry.import_state),
        reason="" if entry.import_state == State.IMPORTED else entry.note,
        currency=shop.currency if shop else amazon.currency,
        difference=difference,
        amazon_total=_text(amazon.total, amazon.currency),
        shop_total=_text(shop.total, shop.currency) if shop else None,
        lines=len(shop.lines) if shop else 0,
        allocated=shop.allocated if shop else 0,
        fulfilled=shop.fulfilled if shop else 0,
    )


def _is_blocked_by_amounts(entry: AmazonOrder) -> bool:
    return entry.import_state == State.BLOCKED and any(
        blocker["code"] == BlockerCode.AMOUNTS_DIFFER for blocker in entry.blockers
    )


def _text(amount: Decimal | None, currency: str) -> str | None:
    """With the currency's decimals, and with more only where there are more."""
    if amount is None:
        return None
    rounded = amount.quantize(minor_unit(currency))
    return f"{rounded if rounded == amount else amount.normalize():f}"


def _problems(
    amazon: AmazonSide, entry: AmazonOrder, shop: ShopOrderFigures | None, row: Row
) -> list[str]:
    if entry.import_state == State.IMPORTED:
        if shop is None:
            return [f"{row.order_id}: the shop does not have its order."]
        found = []
        if Decimal(row.difference or 0) or shop.total != (amazon.total or 0):
            found.append(
                f"{row.order_id}: {row.shop_total} in the shop, "
                f"{row.amazon_total} on Amazon."
            )
        if shop.total_charged != shop.total:
            found.append(
                f"{row.order_id}: {shop.total_charged} charged of {shop.total}."
            )
        if amazon.currency and shop.currency != amazon.currency:
            found.append(f"{row.order_id}: the currency is {shop.currency}.")
        return found
    if entry.import_state == State.READY:
        return [f"{row.order_id} is ready and was not imported."]
    if not row.reason:
        return [f"{row.order_id} is {row.state} and nobody says why."]
    return []


def _compare_lines(
    amazon: AmazonSide, entry: AmazonOrder, shop: ShopOrderFigures
) -> tuple[int, list[str]]:
    """The lines' totals and quantities against the items'; as many as can be compared.

    The shop lists an order's lines in Amazon's order, without cancelled items.
    """
    totals = amazon.line_totals()
    kept = {item.order_item_id for item in entry.items.all() if item.shop_line_id}
    items = [item for item in amazon.items if item["orderItemId"] in kept]
    if len(items) != len(shop.lines):
        return 0, [f"{amazon.order_id}: {len(shop.lines)} lines, {len(items)} items."]
    compared, problems = 0, []
    lines_total = Decimal(0)
    for item, (sku, quantity, line_total) in zip(items, shop.lines, strict=True):
        lines_total += line_total
        what = f"{amazon.order_id}, item {item['orderItemId']}"
        if quantity != _units(item):
            problems.append(f"{what}: {quantity} units in the shop.")
        if sku != item["product"].get("sellerSku", "").strip():
            problems.append(f"{what}: {sku} in the shop.")
        expected = totals.get(item["orderItemId"])
        if expected is not None:
            compared += 1
            if expected != line_total:
                problems.append(f"{what}: {line_total} in the shop, not {expected}.")
    if lines_total + shop.shipping != shop.total:
        problems.append(f"{amazon.order_id}: lines and shipping are not the total.")
    return compared, problems


def _units(item: Mapping[str, Any]) -> int:
    """Ordered and not cancelled since."""
    counts = item.get("fulfillment") or {}
    if (item.get("cancellation") or {}).get("cancellationExecution") and counts:
        return int(counts.get("quantityFulfilled", 0)) + int(
            counts.get("quantityUnfulfilled", 0)
        )
    return int(item["quantityOrdered"])


def write_json(report: Report, path: Path) -> None:
    rows = [{key: getattr(row, key) for key in JSON_KEYS} for row in report.rows]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


_COLUMNS = (
    # title, attribute, is right-aligned
    ("Amazon order", "order_id", False),
    ("state", "state", False),
    ("Amazon", "amazon_total", True),
    ("shop", "shop_total", True),
    ("", "currency", False),
    ("difference", "difference", True),
    ("lines", "lines", True),
    ("allocated", "allocated", True),
    ("fulfilled", "fulfilled", True),
    ("reason", "reason", False),
)


def as_table(rows: Iterable[Row]) -> list[str]:
    """The rows under their titles, one line each."""
    cells = [[title for title, _, _ in _COLUMNS]]
    for row in rows:
        values = (getattr(row, attribute) for _, attribute, _ in _COLUMNS)
        cells.append(["-" if value in (None, "") else str(value) for value in values])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, (_, _, is_right) in zip(
                line, widths, _COLUMNS, strict=True
            )
        ).rstrip()
        for line in cells
    ]
