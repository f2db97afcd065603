"""Amazon's side of the demo: what the sandbox holds, read apart from the channel.

The figures here are computed from the raw payload on their own, so that comparing the
shop with them means something: nothing is shared with the channel's mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

Json = Mapping[str, Any]

_TIMEOUT_SECONDS = 10
#: Charges of an item that the shop shows as shipping and not on the line.
_SHIPPED_APART = frozenset({"SHIPPING", "COD_FEE", "OTHER"})


class Sandbox:
    """The control side of a running sandbox."""

    def __init__(self, url: str, lwa_url: str) -> None:
        self.url = url
        self.lwa_url = lwa_url
        self._session = requests.Session()

    def _get(self, path: str) -> Any:
        answer = self._session.get(
            f"{self.url}/_sandbox/{path}", timeout=_TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return answer.json()

    def orders(self) -> list[AmazonSide]:
        """All orders, oldest first."""
        found = [self.order(row["order_id"]) for row in self._get("orders")]
        return sorted(found, key=lambda order: order.created)

    def order(self, order_id: str) -> AmazonSide:
        return AmazonSide(self._get(f"orders/{order_id}"))

    def calls(self) -> dict[str, int]:
        """Operation → how often it was called."""
        counters = self._get("counters")
        return {name: sum(by_status.values()) for name, by_status in counters.items()}


@dataclass(frozen=True)
class AmazonSide:
    """An order as Amazon has it."""

    payload: Json

    @property
    def order_id(self) -> str:
        return str(self.payload["orderId"])

    @property
    def marketplace_id(self) -> str:
        return str(self.payload["salesChannel"].get("marketplaceId", ""))

    @property
    def created(self) -> datetime:
        return datetime.fromisoformat(self.payload["createdTime"])

    @property
    def last_updated(self) -> datetime:
        return datetime.fromisoformat(self.payload["lastUpdatedTime"])

    @property
    def status(self) -> str:
        return str(self.payload.get("fulfillment", {}).get("fulfillmentStatus", ""))

    @property
    def items(self) -> list[Json]:
        return list(self.payload["orderItems"])

    @property
    def packages(self) -> list[Json]:
        return list(self.payload.get("packages") or ())

    @property
    def has_special_rules(self) -> bool:
        """Amazon takes no plain shipment confirmation for it (Ship+, Transparency)."""
        programs = set(self.payload.get("programs") or ())
        for item in self.items:
            programs.update(item.get("programs") or ())
        return bool(programs & {"FBM_SHIP_PLUS", "TRANSPARENCY", "IN_STORE_PICK_UP"})

    @property
    def total(self) -> Decimal | None:
        """What the buyer pays; None where Amazon does not say."""
        return _amount((self.payload.get("proceeds") or {}).get("grandTotal"))

    @property
    def currency(self) -> str:
        grand_total = (self.payload.get("proceeds") or {}).get("grandTotal") or {}
        return str(grand_total.get("currencyCode", ""))

    def line_totals(self) -> dict[str, Decimal]:
        """Order item id → what a shop's line must total, where the payload settles it.

        That is the item's ``proceedsTotal`` less what is charged for its shipping.
        """
        totals = {}
        for item in self.items:
            total = _amount((item.get("proceeds") or {}).get("proceedsTotal"))
            shipping = _shipping_of(item)
            if total is not None and shipping is not None:
                totals[str(item["orderItemId"])] = total - shipping
        return totals

    def largest_gap(self) -> Decimal:
        """By how much Amazon's own figures for the order disagree, at the most.

        Each is read in the way that fits best: Amazon leaves open whether tax is
        contained, and whether a tip that is not settled yet counts.
        """
        gaps = [Decimal(0)]
        of_items: dict[str, Decimal] = {}
        sum_of_items = Decimal(0)
        for item in self.items:
            total = _amount((item.get("proceeds") or {}).get("proceedsTotal"))
            readings = list(_readings(item))
            if total is not None:
                gaps.append(min(abs(total - reading) for reading in readings))
            sum_of_items += readings[0] if total is None else total
            for kind, subtotal in _by_type(item).items():
                of_items[kind] = of_items.get(kind, Decimal(0)) + subtotal
        tips = Decimal(0)
        own_charges = Decimal(0)
        for kind, subtotal in _by_type(self.payload).items():
            if kind == "DELIVERY_TIP":
                tips += subtotal
            elif kind in _SHIPPED_APART and kind not in of_items:
                own_charges += subtotal
            else:
                gaps.append(abs(abs(subtotal) - abs(of_items.get(kind, Decimal(0)))))
        if self.total is not None:
            short = self.total - sum_of_items - own_charges
            gaps.append(min(abs(short - tips), abs(short)))
        return max(gaps)


def _by_type(of: Json) -> dict[str, Decimal]:
    """The proceeds of an order or an item, added up by type."""
    sums: dict[str, Decimal] = {}
    for breakdown in (of.get("proceeds") or {}).get("breakdowns") or ():
        kind = str(breakdown["type"])
        sums[kind] = sums.get(kind, Decimal(0)) + _subtotal(breakdown)
    return sums


def _amount(money: Json | None) -> Decimal | None:
    return Decimal(money["amount"]) if money else None


def _subtotal(breakdown: Json) -> Decimal:
    return Decimal(breakdown["subtotal"]["amount"])


def _readings(item: Json) -> list[Decimal]:
    """What the item costs, with its tax added and with its tax contained."""
    sums = _by_type(item)
    tax = sums.pop("TAX", Decimal(0))
    discount = abs(sums.pop("DISCOUNT", Decimal(0)))
    contained = sum(sums.values(), Decimal(0)) - discount
    return [contained + tax, contained]


def _shipping_of(item: Json) -> Decimal | None:
    """What of the item's proceeds is for shipping; None where that is not said."""
    proceeds = item.get("proceeds") or {}
    sums = _by_type(item)
    shipping = sum((sums.get(kind, Decimal(0)) for kind in _SHIPPED_APART), Decimal(0))
    if not shipping:
        return Decimal(0)
    is_tax_added = _readings(item)[0] == _amount(proceeds.get("proceedsTotal"))
    for breakdown in proceeds.get("breakdowns") or ():
        is_tax = breakdown["type"] == "TAX"
        if not (is_tax and is_tax_added) and breakdown["type"] != "DISCOUNT":
            continue
        parts = {
            detail.get("subtype"): Decimal(detail["value"]["amount"])
            for detail in breakdown.get("detailedBreakdowns") or ()
            if detail.get("value")
        }
        if _subtotal(breakdown) and (not parts or "DISCOUNT" in parts):
            return None
        of_shipping = [parts.get(kind, Decimal(0)) for kind in _SHIPPED_APART]
        if is_tax:
            shipping += sum(of_shipping, Decimal(0))
        else:
            shipping -= sum(map(abs, of_shipping), Decimal(0))
    return shipping
