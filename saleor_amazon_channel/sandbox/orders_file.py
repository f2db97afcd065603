"""Orders from a file, in Amazon's own wire format (Orders API v2026-01-01).

The file holds a list of ``Order`` objects, a searchOrders response, or a getOrder
response. Fields that the model does not know are kept; ``null`` is as good as absent,
as for Amazon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from .times import parse_time
from .wire import WireError, check_order

Json = dict[str, Any]

#: What an order id may be, since it is a part of addresses.
_ORDER_ID = re.compile(r"[A-Za-z0-9-]{1,32}")
#: Far beyond what is sold, and not beyond what a database holds.
_MOST_DIGITS = 12
_LARGEST = 10**15
_LONGEST_SKU = 255
_YEARS = range(1995, 2200)
#: Of so many bad orders each is named.
_MOST_TOLD = 20


class OrdersFileError(ValueError):
    """The file cannot be read as orders; the message names file, order and field, in a
    line for each bad order."""


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
    except (RecursionError, ValueError) as error:
        raise OrdersFileError(
            f"{path}: is nested too deeply, or has a number of too many digits"
        ) from error
    try:
        orders = _without_nulls(orders_of(data))
    except OrdersFileError as error:
        raise OrdersFileError(f"{path}: {error}") from error
    if not orders:
        raise OrdersFileError(f"{path}: holds no orders")
    problems = [f"{path}: {problem}" for problem in _problems(orders)]
    if problems:
        more = len(problems) - _MOST_TOLD
        told = [*problems[:_MOST_TOLD], *([f"{path}: {more} more"] if more > 0 else [])]
        raise OrdersFileError("\n".join(told))
    return orders


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_nulls(below)
            for key, below in value.items()
            if below is not None
        }
    return list(map(_without_nulls, value)) if isinstance(value, list) else value


def _problems(orders: Iterable[Any]) -> Iterator[WireError]:
    """The first problem of each bad order."""
    seen: set[str] = set()
    for position, order in enumerate(orders):
        try:
            check_order(order, position)
            name = f"order {position + 1} ({order['orderId']})"
            for path, problem in _unusable(order):
                raise WireError(name, path, problem)
            if order["orderId"] in seen:
                raise WireError(name, "orderId", "is in the file twice")
            seen.add(order["orderId"])
        except WireError as problem:
            yield problem


def _unusable(order: Json) -> Iterator[tuple[str, str]]:
    """Where an order of Amazon's format is none that Amazon could have."""
    if not _ORDER_ID.fullmatch(order["orderId"]):
        yield "orderId", "must be up to 32 letters, digits and hyphens"
    for name in ("createdTime", "lastUpdatedTime"):
        if parse_time(order[name]).year not in _YEARS:
            yield name, f"must be in a year from {_YEARS[0]} to {_YEARS[-1]}"
    for position, item in enumerate(order["orderItems"]):
        if len(item["product"].get("sellerSku", "")) > _LONGEST_SKU:
            path = f"orderItems[{position}].product.sellerSku"
            yield path, f"is longer than {_LONGEST_SKU} characters"
    yield from _out_of_bounds(order, "")


def _out_of_bounds(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _out_of_bounds(below, f"{path}.{key}" if path else key)
            if key == "amount" and "currencyCode" in value and not _is_amount(below):
                yield f"{path}.amount", "is no amount that an order can have"
    elif isinstance(value, list):
        for position, below in enumerate(value):
            yield from _out_of_bounds(below, f"{path}[{position}]")
    elif isinstance(value, str):
        if "\0" in value or (not value.isprintable() and _has_surrogates(value)):
            yield path, "must be Unicode text without NUL"
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST:
        yield path, "is too large a number"


def _is_amount(text: object) -> bool:
    """Whether it is one that can be computed with; anything in fields of nobody's."""
    try:
        exponents = (
            Decimal(str(text)).adjusted(),
            Decimal(str(text)).as_tuple().exponent,
        )
    except InvalidOperation:
        return True
    return all(-_MOST_DIGITS <= int(each) <= _MOST_DIGITS for each in exponents)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in text)


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
