"""What is left to refund of an order, and how an amount is distributed over it.

Amazon refunds components of order items, and of none more than was charged for it,
which happens when a unit is shipped (documentation, "Order Feed Type Values"). So what
is left of a component is what was charged for the units that have left, less all that
was given back, whoever gave it.

An amount goes, in proportion to what is left,

1. to what staff chose: the prices of the units of lines, gift wrap included, and the
   shipping costs;
2. then to the rest of the items chosen;
3. then to the prices of all items;
4. then to whatever else was charged.

Where staff chose nothing it begins with 3. Tax that Amazon charged apart goes with its
price, in proportion; where it is in the price it has no component of its own, and one
would be refused.

Amounts are whole minor units (cents) throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..amazon.errors import MalformedOrder
from ..amazon.finances import Component
from ..amazon.marketplaces import minor_unit
from ..amazon.orders import FulfillmentStatus, Order
from ..importing import mapping
from ..importing.amounts import (
    COD_FEE,
    GIFT_WRAP,
    ITEM,
    LINE_PARTS,
    SHIPPING,
    Charge,
    share_out,
)
from ..ledger.refunds import ByItem
from ..ledger.shop_refunds import TAXED
from ..models import AmazonOrder, AmazonOrderItem

#: What a feed can refund: from the part to its price and its tax.
COMPONENTS: Mapping[str, tuple[Component, Component]] = {
    ITEM: (Component.PRINCIPAL, Component.TAX),
    GIFT_WRAP: (Component.GIFT_WRAP, Component.GIFT_WRAP_TAX),
    SHIPPING: (Component.SHIPPING, Component.SHIPPING_TAX),
    COD_FEE: (Component.COD, Component.COD_TAX),
}


class UnreadableError(Exception):
    """Amazon's amounts of the order do not add up; the message says why."""


class TooMuchError(Exception):
    """More than is left. ``left`` is of what the shop's order costs."""

    def __init__(self, left: Decimal) -> None:
        super().__init__(left)
        self.left = left


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line that staff chose, in the shop's units."""

    line_id: str
    units: int


@dataclass(slots=True)
class Share:
    """What is left of a part of an order item.

    ``value`` is of what the shop's order costs: without tax that it lacks.
    """

    order_item_id: str
    part: str
    #: As charged for the whole item.
    charged: int
    price: int
    tax: int
    is_tax_in_value: bool

    @property
    def is_of_line(self) -> bool:
        return self.part in LINE_PARTS

    @property
    def value(self) -> int:
        return self.price + (self.tax if self.is_tax_in_value else 0)

    def components(self, amount: int) -> dict[str, int]:
        """``amount`` of the value, by component."""
        name, tax_name = COMPONENTS[self.part]
        tax = round(Decimal(amount * self.tax) / self.value) if self.value else 0
        tax = min(tax, self.tax)
        price = amount - (tax if self.is_tax_in_value else 0)
        if price > self.price:
            tax, price = tax + price - self.price, self.price
        return {key: each for key, each in ((name, price), (tax_name, tax)) if each}


@dataclass(slots=True)
class Left:
    """What is left of an order; ``shares`` in the order of its items."""

    currency: str
    items: Sequence[AmazonOrderItem]
    units: Mapping[str, int]
    shares: list[Share] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return sum(share.value for share in self.shares) * minor_unit(self.currency)

    def distribute(
        self,
        amount: Decimal,
        chosen: Sequence[Chosen] = (),
        *,
        is_shipping_chosen: bool = False,
    ) -> dict[str, dict[str, Decimal]]:
        """``amount`` by order item and component. Raises TooMuchError."""
        unit = minor_unit(self.currency)
        wanted = int(amount / unit)
        if wanted * unit != amount or wanted > sum(s.value for s in self.shares):
            raise TooMuchError(self.amount)
        taken = [0] * len(self.shares)
        for tier in self._tiers(chosen, is_shipping_chosen=is_shipping_chosen):
            room = {
                n: min(most, self.shares[n].value) - taken[n]
                for n, most in tier.items()
                if min(most, self.shares[n].value) > taken[n]
            }
            given = min(wanted, sum(room.values()))
            for n, part in share_out(given, room).items() if given else ():
                taken[n] += part
            wanted -= given
        found: dict[str, dict[str, Decimal]] = {}
        for share, part in zip(self.shares, taken, strict=True):
            if part:
                of_item = found.setdefault(share.order_item_id, {})
                for name, minor in share.components(part).items():
                    of_item[name] = minor * unit
        return found

    def _tiers(
        self, chosen: Sequence[Chosen], *, is_shipping_chosen: bool
    ) -> list[dict[int, int]]:
        """What may be taken of each share, by its place: one step after the other."""
        everything = {n: share.value for n, share in enumerate(self.shares)}
        of_lines = {n: v for n, v in everything.items() if self.shares[n].is_of_line}
        first: dict[int, int] = {}
        rest: dict[int, int] = {}
        by_line = {item.shop_line_id: item for item in self.items}
        for each in chosen:
            item = by_line.get(each.line_id)
            if item is None:
                continue
            whole = self.units.get(item.order_item_id, 0) * item.units_per_item
            for n in of_lines:
                share = self.shares[n]
                if share.order_item_id == item.order_item_id and whole:
                    part = round(Decimal(share.charged * each.units) / whole)
                    first[n] = first.get(n, 0) + part
                    rest[n] = share.value
        if is_shipping_chosen:
            shipping = {n: v for n, v in everything.items() if n not in of_lines}
            first.update(shipping)
        return [first, {**first, **rest}, {**first, **of_lines}, everything]


def left_of(
    order: AmazonOrder,
    items: Sequence[AmazonOrderItem],
    given: ByItem,
    *,
    once_shipped: bool = False,
) -> Left:
    """What is left to refund of ``order`` after ``given``.

    ``once_shipped``: as if all of its units had left. Raises UnreadableError.
    """
    try:
        amazon = Order.from_wire(order.payload)
        units, amounts = mapping.units_and_amounts(amazon)
    except (MalformedOrder, mapping.CannotMap) as error:
        raise UnreadableError(str(error)) from error
    left = Left(amounts.currency, items, units)
    is_all_shipped = once_shipped or (
        order.fulfillment_status == FulfillmentStatus.SHIPPED
    )
    for item in items:
        whole = units.get(item.order_item_id, 0)
        shipped = whole if is_all_shipped else min(item.quantity_shipped, whole)
        for charge in amounts.charges.get(item.order_item_id, ()):
            if charge.part in COMPONENTS and whole:
                left.shares.append(_share(item, charge, shipped, whole))
    minor = minor_unit(amounts.currency)
    for item_id, components in given.items():
        for name, amount in components.items():
            _take_off(left.shares, item_id, name, int(amount / minor))
    return left


def _share(item: AmazonOrderItem, charge: Charge, shipped: int, whole: int) -> Share:
    return Share(
        item.order_item_id,
        charge.part,
        charge.price + charge.tax_in_total,
        charge.price * shipped // whole,
        charge.tax * shipped // whole,
        is_tax_in_value=bool(charge.tax_in_total),
    )


def _take_off(shares: Sequence[Share], item_id: str, name: str, amount: int) -> None:
    """Of the item, or, where it is not told, of those that have most left."""
    base = TAXED.get(name, name)
    of_part = [
        share
        for share in shares
        if item_id in ("", share.order_item_id) and COMPONENTS[share.part][0] == base
    ]
    is_tax = name in TAXED and any(share.tax for share in of_part)
    amount = max(amount, 0)
    for share in sorted(of_part, key=lambda s: s.value, reverse=True):
        if is_tax:
            taken = min(amount, share.tax)
            share.tax -= taken
        else:
            taken = min(amount, share.price)
            share.price -= taken
        amount -= taken
