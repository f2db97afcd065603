"""Items and orders in Amazon's wire format, made of their amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from wire_orders import wire_item, wire_order

US = "ATVPDKIKX0DER"
UK = "A1F83G8C2ARO7P"
JP = "A1VC38T7YXB528"
DE = "A1PA6795UKMFR9"


def money(amount: str | Decimal, currency: str = "EUR") -> dict[str, str]:
    return {"amount": str(amount), "currencyCode": currency}


def breakdown(
    kind: str,
    subtotal: str | Decimal,
    details: Mapping[str, str | Decimal] | None = None,
    currency: str = "EUR",
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "subtotal": money(subtotal, currency)}
    if details is not None:
        found["detailedBreakdowns"] = [
            {"subtype": subtype, "value": money(value, currency)}
            for subtype, value in details.items()
        ]
    return found


def item_of(
    total: str | Decimal | None,
    *breakdowns: dict[str, Any],
    item_id: str = "1",
    quantity: int = 1,
    currency: str = "EUR",
    is_facilitated: bool = False,
) -> dict[str, Any]:
    """An item whose proceeds are ``breakdowns`` and whose total Amazon gives so."""
    item = wire_item(item_id=item_id, sku=f"SKU-{item_id}", quantity=quantity)
    item["proceeds"] = {"breakdowns": list(breakdowns)}
    if total is not None:
        item["proceeds"]["proceedsTotal"] = money(total, currency)
    if is_facilitated:
        item["tax"] = {
            "taxCollections": [
                {
                    "model": "MARKETPLACE_FACILITATOR",
                    "responsibleParty": "Amazon Services, Inc.",
                }
            ]
        }
    return item


def order_of(
    grand_total: str | Decimal | None,
    items: Sequence[dict[str, Any]],
    *breakdowns: dict[str, Any],
    currency: str = "EUR",
    marketplace_id: str = DE,
) -> dict[str, Any]:
    """An order with these items and, if given, breakdowns of its own."""
    placeholder = [wire_item()]
    order = wire_order(items=placeholder, marketplace_id=marketplace_id)
    order["orderItems"] = list(items)
    order["proceeds"] = {}
    if grand_total is not None:
        order["proceeds"]["grandTotal"] = money(grand_total, currency)
    if breakdowns:
        order["proceeds"]["breakdowns"] = list(breakdowns)
    return order
