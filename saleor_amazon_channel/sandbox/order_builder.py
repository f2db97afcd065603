"""Builds orders in wire format from a few words; ``proceeds.py`` has the arithmetic."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..amazon.marketplaces import minor_unit
from .catalogue import asin, title, unit_price
from .packages import put_package
from .places import Place, place
from .proceeds import add_up, money, total_of
from .times import format_time

Json = dict[str, Any]

#: No seeded order is younger: Amazon hides the last two minutes.
YOUNGEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Line:
    """An order item. Amounts are for all units, and None where there is no charge.

    ``item`` defaults to the catalogue's price times quantity. Discounts are magnitudes;
    ``discount_sign`` is how they are written, ``has_discount_details`` whether they are
    broken down. ``more`` is merged into the item as it is.
    """

    sku: str | None
    quantity: int = 1
    item: str | None = None
    shipping: str | None = None
    gift_wrap: str | None = None
    cod_fee: str | None = None
    item_discount: str | None = None
    shipping_discount: str | None = None
    discount_sign: int = -1
    has_discount_details: bool = True
    shows_tax_on_discount: bool = False
    gift_message: str | None = None
    promotion: str | None = None
    programs: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeedOrder:
    """An order to build; ``age`` is how long ago it was placed.

    ``shipped`` gives the packages: per package, units by line number. ``address`` is
    merged over one of the place's addresses, None removes a field. ``more`` is merged
    into the order, object by object.
    """

    country: str
    age: timedelta
    lines: Sequence[Line]
    status: str = "UNSHIPPED"
    by_amazon: bool = False
    shipped: Sequence[Mapping[int, int]] = ()
    address: Mapping[str, Any] = field(default_factory=dict)
    buyer: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    service_level: str = "STANDARD"
    tip: str | None = None
    payment_method: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


class OrderBuilder:
    """Turns SeedOrders into wire format, numbering them."""

    def __init__(self, seed: int, first_number: int, now: datetime) -> None:
        self._seed = seed
        self._number = first_number
        self._now = now

    def build(self, seed_order: SeedOrder) -> Json:
        self._number += 1
        rng = random.Random(f"{self._seed}:{self._number}")
        spot = place(seed_order.country)
        created = self._now - max(seed_order.age, YOUNGEST)
        order_id = (
            f"{spot.order_id_prefix}-{self._seed % 10_000:04d}{rng.randrange(1000):03d}"
            f"-{self._number:07d}"
        )
        fulfilled_by = "AMAZON" if seed_order.by_amazon else "MERCHANT"
        order: Json = {
            "orderId": order_id,
            "createdTime": format_time(created),
            "lastUpdatedTime": format_time(self._updated(seed_order, created)),
            "programs": list(seed_order.programs),
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": spot.info.id,
                "marketplaceName": spot.channel_name,
            },
            "fulfillment": {
                "fulfillmentStatus": seed_order.status,
                "fulfilledBy": fulfilled_by,
                "fulfillmentServiceLevel": seed_order.service_level,
                "shipByWindow": _window(created, 1, 2),
                "deliverByWindow": _window(created, 4, 7),
            },
            "orderItems": [
                self._item(line, position, spot, seed_order, rng)
                for position, line in enumerate(seed_order.lines)
            ],
        }
        self._add_people(order, seed_order, spot, rng)
        self._add_money(order, seed_order, spot)
        self._add_packages(order, seed_order, spot, created)
        _merge(order, seed_order.more)
        return order

    def _updated(self, seed_order: SeedOrder, created: datetime) -> datetime:
        lived = {"UNSHIPPED": 0.5, "PENDING": 0.0, "PENDING_AVAILABILITY": 0.0}
        hours = lived.get(seed_order.status, 20.0)
        return min(created + timedelta(hours=hours), self._now - YOUNGEST)

    def _item(
        self,
        line: Line,
        position: int,
        spot: Place,
        seed_order: SeedOrder,
        rng: random.Random,
    ) -> Json:
        currency = spot.info.currency
        sku = line.sku or "no sku"
        product: Json = {
            "asin": asin(sku),
            "title": title(sku),
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
        }
        if line.sku is not None:
            product["sellerSku"] = line.sku
        amount = (
            unit_price(sku, currency) * line.quantity
            if line.item is None
            else Decimal(line.item)
        )
        product["price"] = {
            "unitPrice": money(_rounded(amount / line.quantity, currency), currency)
        }
        is_done = seed_order.status in ("SHIPPED", "CANCELLED")
        is_shipped = seed_order.by_amazon and seed_order.status == "SHIPPED"
        if is_shipped:
            product["serialNumbers"] = [
                f"SN{rng.randrange(10**10):010d}" for _ in range(line.quantity)
            ]
        item: Json = {
            "orderItemId": (
                f"{rng.randrange(10**5):05d}{self._number:07d}{position:02d}"
            ),
            "quantityOrdered": line.quantity,
            "programs": list(line.programs),
            "product": product,
            "proceeds": _item_proceeds(line, amount, spot),
            "fulfillment": {
                "quantityFulfilled": line.quantity if is_shipped else 0,
                "quantityUnfulfilled": (
                    0 if is_done and not seed_order.shipped else line.quantity
                ),
            },
        }
        if line.gift_message is not None or line.gift_wrap is not None:
            item["fulfillment"]["packing"] = {
                "giftOption": {
                    "giftMessage": line.gift_message or "",
                    "giftWrapLevel": "PREMIUM",
                }
            }
        if line.promotion:
            item["promotion"] = {"breakdowns": [{"promotionId": line.promotion}]}
        if spot.tax_rate is not None:
            item["tax"] = {
                "taxCollections": [
                    {
                        "model": "MARKETPLACE_FACILITATOR",
                        "responsibleParty": "Amazon Services, Inc.",
                    }
                ]
            }
        if seed_order.status == "CANCELLED":
            item["cancellation"] = {
                "cancellationExecution": {
                    "cancelledBy": "BUYER",
                    "cancelReason": "Order created by mistake",
                }
            }
        _merge(item, line.more)
        return item

    def _add_people(
        self, order: Json, seed_order: SeedOrder, spot: Place, rng: random.Random
    ) -> None:
        address = {**rng.choice(spot.addresses), **seed_order.address}
        address = {name: value for name, value in address.items() if value is not None}
        relay = f"{rng.getrandbits(60):012x}@marketplace.{spot.info.domain}"
        order["buyer"] = {
            "buyerName": address.get("name", "Buyer"),
            "buyerEmail": relay,
            **seed_order.buyer,
        }
        order["recipient"] = {"deliveryAddress": address}

    def _add_money(self, order: Json, seed_order: SeedOrder, spot: Place) -> None:
        currency = spot.info.currency
        zero = Decimal(0).quantize(minor_unit(currency))
        order["proceeds"] = {"grandTotal": money(zero, currency)}
        if seed_order.tip:
            order["proceeds"]["breakdowns"] = [
                {
                    "type": "DELIVERY_TIP",
                    "status": "FINALIZED",
                    "subtotal": money(Decimal(seed_order.tip), currency),
                }
            ]
        add_up(order)
        order["payment"] = {
            "paymentExecutions": [
                {
                    "paymentMethod": seed_order.payment_method or spot.payment_method,
                    "paymentAmount": order["proceeds"]["grandTotal"],
                }
            ]
        }

    def _add_packages(
        self, order: Json, seed_order: SeedOrder, spot: Place, created: datetime
    ) -> None:
        for number, units in enumerate(seed_order.shipped, start=1):
            sent = format_time(min(created + timedelta(hours=20), self._now - YOUNGEST))
            put_package(
                order,
                {
                    "packageReferenceId": str(number),
                    "createdTime": sent,
                    "packageStatus": {"status": "IN_TRANSIT"},
                    "carrier": spot.carrier,
                    "shipTime": sent,
                    "trackingNumber": f"SB{self._number:07d}{number:03d}",
                    "packageItems": [
                        {
                            "orderItemId": order["orderItems"][line]["orderItemId"],
                            "quantity": quantity,
                        }
                        for line, quantity in units.items()
                    ],
                },
            )


def _merge(target: Json, more: Mapping[str, Any]) -> None:
    """Put ``more`` into ``target``, object by object."""
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value


def _window(created: datetime, first_day: int, last_day: int) -> Json:
    return {
        "earliestDateTime": format_time(created + timedelta(days=first_day)),
        "latestDateTime": format_time(created + timedelta(days=last_day)),
    }


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP)


def _item_proceeds(line: Line, amount: Decimal, spot: Place) -> Json:
    currency = spot.info.currency

    def charge(kind: str, subtotal: Decimal, details: Mapping[str, Decimal]) -> Json:
        breakdown: Json = {"type": kind, "subtotal": money(subtotal, currency)}
        if details:
            breakdown["detailedBreakdowns"] = [
                {"subtype": subtype, "value": money(value, currency)}
                for subtype, value in details.items()
            ]
        return breakdown

    charges = {"ITEM": _rounded(amount, currency)}
    for kind, text in (
        ("SHIPPING", line.shipping),
        ("GIFT_WRAP", line.gift_wrap),
        ("COD_FEE", line.cod_fee),
    ):
        if text is not None:
            charges[kind] = _rounded(Decimal(text), currency)
    breakdowns = [charge(kind, subtotal, {}) for kind, subtotal in charges.items()]

    discounts = {
        kind: _rounded(Decimal(text), currency)
        for kind, text in (
            ("ITEM", line.item_discount),
            ("SHIPPING", line.shipping_discount),
        )
        if text is not None
    }
    if discounts:
        signed = {kind: line.discount_sign * value for kind, value in discounts.items()}
        total = sum(signed.values(), Decimal(0))
        breakdowns.append(
            charge("DISCOUNT", total, signed if line.has_discount_details else {})
        )
    if spot.tax_rate is not None:
        taxes = _taxes(line, charges, discounts, spot.tax_rate, currency)
        breakdowns.append(charge("TAX", sum(taxes.values(), Decimal(0)), taxes))
    zero = charges["ITEM"] * 0
    return {
        "proceedsTotal": money(total_of(breakdowns, zero), currency),
        "breakdowns": breakdowns,
    }


def _taxes(
    line: Line,
    charges: Mapping[str, Decimal],
    discounts: Mapping[str, Decimal],
    rate: Decimal,
    currency: str,
) -> dict[str, Decimal]:
    """Tax per component; the tax saved by discounts inside them or shown apart."""
    taxes = {}
    for kind, charged in charges.items():
        taxed = charged
        if not line.shows_tax_on_discount:
            taxed -= discounts.get(kind, Decimal(0))
        taxes[kind] = _rounded(taxed * rate, currency)
    if line.shows_tax_on_discount:
        saved = sum(discounts.values(), Decimal(0)) * rate
        taxes["DISCOUNT"] = -_rounded(saved, currency)
    return taxes
