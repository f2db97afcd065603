"""Orders from a file, in Amazon's own wire format (Orders API v2026-01-01).

The file holds a list of ``Order`` objects, a searchOrders response, or a getOrder
response. Fields that the model does not know are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .times import parse_time
from .wire import WireError, check_order

Json = dict[str, Any]


class OrdersFileError(ValueError):
    """The file cannot be read as orders; the message names file, order and field."""


@dataclass(frozen=True, slots=True)
class SkuSummary:
    """What the file says about a seller SKU: enough to create it in a shop.

    ``unit_prices`` maps currency to the highest unit price seen, ``units`` are the
    units ordered in merchant-fulfilled orders that are not cancelled.
    """

    sku: str
    title: str
    unit_prices: Mapping[str, Decimal]
    units: int


@dataclass(frozen=True, slots=True)
class OrdersSummary:
    """The extent of a set of orders; items without a seller SKU are left out."""

    count: int
    first_created: datetime
    last_updated: datetime
    marketplace_ids: tuple[str, ...]
    skus: tuple[SkuSummary, ...]


def orders_of(data: Any) -> list[Json]:
    """The orders in parsed JSON of one of the three accepted forms."""
    if isinstance(data, dict):
        data = [data["order"]] if "order" in data else data.get("orders")
    if not isinstance(data, list):
        raise OrdersFileError(
            "expected a list of orders, or an object with 'orders' or 'order'"
        )
    return data


def load_orders(path: Path | str) -> list[Json]:
    """The orders in the file, each checked against Amazon's format."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise OrdersFileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise OrdersFileError(f"{path}: is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise OrdersFileError(
            f"{path}: is not JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}"
        ) from error
    try:
        orders = orders_of(data)
        seen = set()
        for position, order in enumerate(orders):
            check_order(order, position)
            if order["orderId"] in seen:
                raise WireError(
                    f"order {position + 1} ({order['orderId']})",
                    "orderId",
                    "is in the file twice",
                )
            seen.add(order["orderId"])
    except (OrdersFileError, WireError) as error:
        raise OrdersFileError(f"{path}: {error}") from error
    if not orders:
        raise OrdersFileError(f"{path}: holds no orders")
    return orders


def summarize(orders: Iterable[Json]) -> OrdersSummary:
    """Date range, marketplaces and SKUs of checked orders; there must be one."""
    orders = list(orders)
    marketplace_ids: dict[str, None] = {}
    skus: dict[str, SkuSummary] = {}
    for order in orders:
        marketplace_id = order["salesChannel"].get("marketplaceId")
        if marketplace_id:
            marketplace_ids[marketplace_id] = None
        for item in order["orderItems"]:
            sku = item["product"].get("sellerSku")
            if sku:
                skus[sku] = _merge(skus.get(sku), sku, order, item)
    return OrdersSummary(
        count=len(orders),
        first_created=min(parse_time(order["createdTime"]) for order in orders),
        last_updated=max(parse_time(order["lastUpdatedTime"]) for order in orders),
        marketplace_ids=tuple(marketplace_ids),
        skus=tuple(skus.values()),
    )


def _merge(known: SkuSummary | None, sku: str, order: Json, item: Json) -> SkuSummary:
    prices = dict(known.unit_prices) if known else {}
    price = item["product"].get("price", {}).get("unitPrice")
    if price:
        amount = Decimal(price["amount"])
        currency = price["currencyCode"]
        prices[currency] = max(prices.get(currency, amount), amount)
    fulfillment = order.get("fulfillment", {})
    takes_stock = (
        fulfillment.get("fulfilledBy", "MERCHANT") == "MERCHANT"
        and fulfillment.get("fulfillmentStatus") != "CANCELLED"
    )
    return SkuSummary(
        sku=sku,
        title=(known.title if known else "") or item["product"].get("title", sku),
        unit_prices=prices,
        units=(known.units if known else 0)
        + (item["quantityOrdered"] if takes_stock else 0),
    )
