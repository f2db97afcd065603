"""How an order's money adds up in Orders v2026-01-01.

Conventions, read from the examples in Amazon's model ``orders_2026-01-01.json`` (the
documentation of proceeds is missing, as Amazon acknowledged in its issue 5297):

- ``proceedsTotal`` of an item is the sum of its breakdowns; their ``subtotal`` is for
  the whole line, ``detailedBreakdowns`` only explain a subtotal.
- The breakdowns of the order repeat those of the items, added up by type, without
  details, plus charges that belong to no item (``DELIVERY_TIP``).
- ``grandTotal`` is the sum of the order's breakdowns.
- Tax on top (US, CA, BR) is a ``TAX`` breakdown and part of the sum. Tax inside (EU,
  UK, JP) is part of ``ITEM`` and not shown.
- The sign of ``DISCOUNT`` is unconfirmed: no example has one. Whatever its sign, a
  discount lowers the total; the seeds hold both signs so that neither is relied upon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

#: Charges of the order as a whole: kept when the items are added up again.
_ORDER_LEVEL = ("DELIVERY_TIP",)


def money(amount: Decimal, currency: str) -> Json:
    return {"amount": str(amount), "currencyCode": currency}


def amount_of(value: Mapping[str, str]) -> Decimal:
    return Decimal(value["amount"])


def effect(breakdown: Mapping[str, Any]) -> Decimal:
    """What the breakdown adds to the total."""
    subtotal = amount_of(breakdown["subtotal"])
    return -abs(subtotal) if breakdown["type"] == "DISCOUNT" else subtotal


def total_of(breakdowns: Iterable[Mapping[str, Any]], start: Decimal) -> Decimal:
    return sum((effect(breakdown) for breakdown in breakdowns), start)


def clear_proceeds(item: Json) -> None:
    """Set the item's amounts to zero, keeping currency and decimals."""
    total = item.get("proceeds", {}).get("proceedsTotal")
    if total is not None:
        nothing = money(amount_of(total) * 0, total["currencyCode"])
        item["proceeds"] = {
            "proceedsTotal": nothing,
            "breakdowns": [{"type": "ITEM", "subtotal": nothing}],
        }


def add_up(order: Json) -> None:
    """Set the order's breakdowns and grand total from its items.

    An order whose items say nothing of money is left as it is.
    """
    items = [item for item in order["orderItems"] if "proceeds" in item]
    if not items or "grandTotal" not in order.get("proceeds", {}):
        return
    currency = order["proceeds"]["grandTotal"]["currencyCode"]
    sums: dict[str, Decimal] = {}
    discount_sign = -1
    for item in items:
        for breakdown in item["proceeds"].get("breakdowns", ()):
            kind = breakdown["type"]
            if kind == "DISCOUNT" and amount_of(breakdown["subtotal"]) > 0:
                discount_sign = 1
            # Not sum(): a zero of another precision would change the decimals.
            known = sums.get(kind)
            added = effect(breakdown)
            sums[kind] = added if known is None else known + added
    if "DISCOUNT" in sums:
        # Written at the order as at its items.
        sums["DISCOUNT"] = discount_sign * abs(sums["DISCOUNT"])
    own = [
        breakdown
        for breakdown in order["proceeds"].get("breakdowns", ())
        if breakdown["type"] in _ORDER_LEVEL
    ]
    breakdowns = [
        {"type": kind, "subtotal": money(subtotal, currency)}
        for kind, subtotal in sums.items()
    ] + own
    zero = amount_of(order["proceeds"]["grandTotal"]) * 0
    order["proceeds"] = {
        "grandTotal": money(total_of(breakdowns, zero), currency),
        "breakdowns": breakdowns,
    }
