"""Amazon orders in the shop's terms, as the mapping would hand them to the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from saleor_amazon_channel.store.contract import (
    AddressDraft,
    Channel,
    LineDraft,
    NewOrder,
    OrderDraft,
    Price,
)

ADDRESS = AddressDraft(
    first_name="Jürgen",
    last_name="Müller",
    company_name="Müller GmbH",
    street_address_1="Bahnhofstraße 12",
    street_address_2="Hinterhaus",
    city="Köln",
    city_area="",
    country_area="",
    postal_code="50667",
    country="DE",
    phone="+4922112345678",
)
BILLING_ADDRESS = dataclasses.replace(
    ADDRESS, company_name="Müller Holding AG", street_address_1="Domplatz 1"
)
NO_MONEY = Price(Decimal(0), Decimal(0))


def price(gross: str, net: str | None = None) -> Price:
    return Price(Decimal(gross), Decimal(net if net is not None else gross))


def line(
    sku: str,
    quantity: int = 1,
    total: Price | None = None,
    *,
    shipped: int = 0,
    item: str = "",
    **changes: Any,
) -> LineDraft:
    """An item of ``quantity`` units, at 11.90 with 19 % tax inside unless told."""
    total = total or Price(Decimal("11.90") * quantity, Decimal("10.00") * quantity)
    values: dict[str, Any] = {
        "order_item_id": item or f"item-{sku}",
        "sku": sku,
        "title": f"Amazon's title of {sku}",
        "quantity": quantity,
        "quantity_shipped": shipped,
        "total": total,
        "undiscounted_total": total,
        "tax_rate": Decimal("0.19"),
        "metadata": {"amazon.asin": "B000TEST00"},
    }
    return LineDraft(**values | changes)


def draft(
    amazon_order_id: str, lines: Sequence[LineDraft], **changes: Any
) -> OrderDraft:
    """A German order to Cologne; its totals are the sum of the lines and shipping."""
    shipping = changes.get("shipping", price("4.99", "4.19"))
    paid = [each.total for each in lines] + [shipping]
    before = [each.undiscounted_total for each in lines] + [shipping]
    values: dict[str, Any] = {
        "amazon_order_id": amazon_order_id,
        "marketplace_id": "A1PA6795UKMFR9",
        "marketplace_name": "Amazon.de",
        "currency": "EUR",
        "created_at": datetime(2026, 11, 1, 12, 30, 15, tzinfo=UTC),
        "lines": tuple(lines),
        "shipping": shipping,
        "shipping_tax_rate": Decimal("0.19"),
        "shipping_name": "Amazon standard",
        "total": _sum(paid),
        "undiscounted_total": _sum(before),
        "shipping_address": ADDRESS,
        "billing_address": BILLING_ADDRESS,
        "is_amazon_fulfilled": False,
        "display_gross_prices": True,
        "language_code": "de",
        "customer_note": "Please leave it with the neighbour.",
        "metadata": {"amazon.programs": "PRIME"},
        "private_metadata": {"amazon.proceeds": "7.00"},
    }
    return OrderDraft(**values | changes)


def new_order(
    order: OrderDraft, channel: Channel, variant_ids: dict[str, str]
) -> NewOrder:
    """The order for the channel, with all of its warehouses in their order."""
    return NewOrder(
        draft=order,
        channel_id=channel.id,
        warehouse_ids=tuple(warehouse.id for warehouse in channel.warehouses),
        shipping_method_id=channel.shipping_methods[0].id,
        variant_ids={each.sku: variant_ids[each.sku] for each in order.lines},
    )


def _sum(prices: Sequence[Price]) -> Price:
    return Price(sum(p.gross for p in prices), sum(p.net for p in prices))
