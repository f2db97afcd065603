"""What a refund on Amazon is for, in the shop's terms: lines, whole units, words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..amazon.errors import MalformedOrder
from ..amazon.finances import Component
from ..amazon.marketplaces import MARKETPLACES, minor_unit
from ..amazon.orders import Order
from ..ledger.refunds import ByItem
from ..models import AmazonOrder, AmazonOrderItem
from ..store.contract import RefundedLine
from . import mapping
from .amounts import GIFT_WRAP, PRICES_EXCLUDE_TAX

TAXES = (Component.TAX, Component.SHIPPING_TAX, Component.GIFT_WRAP_TAX)
#: What the shop's order has as its shipping.
OF_SHIPPING = (
    Component.SHIPPING,
    Component.SHIPPING_TAX,
    Component.COD,
    Component.COD_TAX,
)
#: How components are called to staff.
_NAMES: Mapping[str, str] = {
    Component.PRINCIPAL: "price",
    Component.TAX: "tax",
    Component.SHIPPING: "shipping",
    Component.SHIPPING_TAX: "tax on shipping",
    Component.GIFT_WRAP: "gift wrap",
    Component.GIFT_WRAP_TAX: "tax on gift wrap",
    Component.COD: "COD fee",
    Component.COD_TAX: "tax on the COD fee",
    Component.EXPORT_CHARGE: "export charge",
    Component.GOODWILL: "goodwill",
    Component.RESTOCKING_FEE: "restocking fee",
    Component.RESTOCKING_FEE_TAX: "tax on the restocking fee",
    Component.RETURN_SHIPPING: "return shipping",
}


@dataclass(frozen=True)
class _Charged:
    """What was charged for the units of an item, without gift wrap and shipping.

    Tax that is in it is refunded as a part of the price, or beside it: Amazon does both
    (the latter for sellers whose VAT it calculates).
    """

    units: int
    price: Decimal
    is_tax_in_price: bool


@dataclass
class RefundContent:
    """What ``amounts`` give back of the order; ``earlier`` did before them."""

    order: AmazonOrder
    items: Sequence[AmazonOrderItem]
    currency: str
    amounts: ByItem
    earlier: ByItem
    charged: dict[str, _Charged] = field(default_factory=dict)
    shipping_charged: Decimal | None = None
    #: Amazon has collected the tax apart from what the seller's order costs.
    is_tax_apart: bool = False

    def __post_init__(self) -> None:
        self._read_charged()

    def _read_charged(self) -> None:
        try:
            units, amounts = mapping.units_and_amounts(
                Order.from_wire(self.order.payload)
            )
        except (MalformedOrder, mapping.CannotMap):
            return  # Then no unit is counted as paid back whole.
        marketplace = MARKETPLACES.get(self.order.marketplace_id)
        is_outside = marketplace and marketplace.country_code in PRICES_EXCLUDE_TAX
        sides = [*amounts.lines.values(), amounts.shipping]
        self.is_tax_apart = any(s.tax_remitted and not s.tax for s in sides)
        for item_id, side in amounts.lines.items():
            price = side.gross - side.parts.get(GIFT_WRAP, 0)
            if is_outside:
                price -= side.tax
            if price > 0 and units[item_id]:
                self.charged[item_id] = _Charged(
                    units[item_id], amounts.decimal(price), not is_outside
                )
        self.shipping_charged = amounts.decimal(amounts.shipping.gross)

    @property
    def amount(self) -> Decimal:
        """Of what the shop's order costs: without tax that is no part of it."""
        return self._sum(self.amounts, _NAMES)

    def _sum(self, amounts: ByItem, components: Collection[str]) -> Decimal:
        return sum(
            (
                amount
                for of_item in amounts.values()
                for component, amount in of_item.items()
                if component in components and self.counts(component)
            ),
            Decimal(0),
        )

    def counts(self, component: str) -> bool:
        """Whether it is a part of what the shop's order costs."""
        is_apart = self.is_tax_apart and component in TAXES
        return component in _NAMES and not is_apart

    def lines(self) -> tuple[RefundedLine, ...]:
        """The shop's lines, and how many units are paid back whole."""
        return tuple(
            RefundedLine(
                item.shop_line_id,
                self.units(item) * item.units_per_item,
                f"Refunded on Amazon: {self._parts(item.order_item_id)}",
            )
            for item in self.items
            if item.shop_line_id and self._is_of_line(item.order_item_id)
        )

    def _is_of_line(self, item_id: str) -> bool:
        """Something else than the shipping of the item was paid back."""
        return any(c not in OF_SHIPPING for c in self.amounts.get(item_id, ()))

    def units(self, item: AmazonOrderItem) -> int:
        """Units whose price is paid back whole by this refund and those before it."""
        charged = self.charged.get(item.order_item_id)
        if charged is None:
            return 0
        before = _price(self.earlier.get(item.order_item_id, {}), charged)
        now = _price(self.amounts.get(item.order_item_id, {}), charged)
        return _whole(before + now, charged) - _whole(before, charged)

    def is_shipping_complete(self) -> bool:
        """All that was left of the shipping costs is in it."""
        if not self.shipping_charged:
            return False
        now = self._sum(self.amounts, OF_SHIPPING)
        so_far = self._sum(self.earlier, OF_SHIPPING)
        return now > 0 and so_far + now >= self.shipping_charged

    def in_words(self) -> str:
        """``Mug (MUG-1): price 10.00, tax 1.90. The order: goodwill 5.00.``"""
        titles = {
            item.order_item_id: f"{item.title or 'Item'} ({item.seller_sku})"
            for item in self.items
        }
        return " ".join(
            f"{titles.get(item_id, 'The order')}: {self._parts(item_id)}."
            for item_id in sorted(self.amounts, reverse=True)
        )

    def _parts(self, item_id: str) -> str:
        unit = minor_unit(self.currency)
        return ", ".join(
            f"{_NAMES.get(component, component)} {amount.quantize(unit)}"
            for component, amount in self.amounts[item_id].items()
        )


def _price(amounts: Mapping[str, Decimal], charged: _Charged) -> Decimal:
    price = amounts.get(Component.PRINCIPAL, Decimal(0))
    if charged.is_tax_in_price:
        price += amounts.get(Component.TAX, Decimal(0))
    return price


def _whole(price: Decimal, charged: _Charged) -> int:
    units = int(price * charged.units / charged.price)
    return max(0, min(units, charged.units))
