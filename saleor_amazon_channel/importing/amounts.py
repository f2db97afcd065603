"""Amazon's proceeds, split between the shop's lines and its shipping, to the cent.

Source: ``ItemProceeds`` and ``OrderProceeds`` of Amazon's Orders model v2026-01-01. The
model leaves open what its numbers include (thread M/5297), so nothing is assumed: an
order is *read* in every way that Amazon's documents allow, and a reading counts only if
it reproduces every item's ``proceedsTotal`` and the order's ``grandTotal`` exactly.

A reading says

- of each item, whether TAX comes on top of the other parts or not. Not on top means
  contained in them (VAT), except where prices exclude tax: there it is no part of the
  seller's proceeds at all, since Amazon collects it (marketplace facilitator), also
  where it does not say so. Amazon may collect the tax of one item and leave that of
  another to the seller;
- of the whole order, whether DISCOUNT is still to be subtracted. It is a magnitude:
  both signs occur. That the parts are already reduced by it is considered only if no
  reading fits that subtracts it and has the tax of all items in one way;
- whether a delivery tip that is still PENDING is in the grand total.

If several readings fit and lead to different amounts in the shop, or none fits, the
order is blocked with the difference. What the order itself breaks down must agree with
its items; a charge that no item has, and a tip, is the order's own: shipping.

TAX and DISCOUNT say in details which part they belong to. Details must add up; where
they are missing

- a discount equal to the shipping charge is free shipping; any other belongs to the
  item as far as its price goes, then to gift wrap, shipping, COD fee, other;
- tax belongs to the item and its gift wrap if they cost anything, else to shipping; tax
  that is contained goes no further than what contains it;
- tax on the discount (detail DISCOUNT of TAX) follows the discount, in proportion.

Only the split between line and shipping depends on these three; every sum is Amazon's.
Parts and details of a kind we do not know are treated as OTHER: the sums prove them.

Amounts are whole minor units (cents) throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

from ..amazon.marketplaces import MARKETPLACES, minor_unit
from ..amazon.orders import (
    AssociationType,
    ItemProceedsBreakdown,
    Money,
    Order,
    OrderItem,
    ProceedsStatus,
    ProceedsType,
    TaxCollectionModel,
)
from ..store.contract import Blocker, BlockerCode, Mismatch

ITEM = ProceedsType.ITEM
GIFT_WRAP = ProceedsType.GIFT_WRAP
SHIPPING = ProceedsType.SHIPPING
COD_FEE = ProceedsType.COD_FEE
OTHER = ProceedsType.OTHER
TAX = ProceedsType.TAX
DISCOUNT = ProceedsType.DISCOUNT
DELIVERY_TIP = ProceedsType.DELIVERY_TIP

#: Where a part goes, in the order in which a discount without details uses them up.
LINE_PARTS = (ITEM, GIFT_WRAP)
SHIPPING_PARTS = (SHIPPING, COD_FEE, OTHER)
PARTS = LINE_PARTS + SHIPPING_PARTS

#: Whose prices exclude tax (v0: ItemPrice net, ItemTax beside it).
PRICES_EXCLUDE_TAX = frozenset({"US", "CA"})

#: So many items without a total of their own are tried each by itself; of more, all
#: have their tax in one way.
_MOST_UNTOLD = 10

#: Far above any order, far below what would cost time to compute with.
_MOST_DIGITS = 12


class BadAmounts(Exception):
    """The amounts do not add up, or are not there."""

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(", ".join(blocker.subject for blocker in blockers))
        self.blockers = blockers


@dataclass(slots=True)
class Side:
    """What falls on one line, or on shipping. ``parts`` are Amazon's, before discount.

    ``gross`` is what is paid, ``net`` the same without tax; ``undiscounted_*`` before
    promotions. ``tax_remitted`` is tax that Amazon collects and remits itself, whether
    it is in ``gross`` or not.
    """

    parts: dict[str, int] = field(default_factory=dict)
    discount: int = 0
    tax: int = 0
    tax_remitted: int = 0
    gross: int = 0
    net: int = 0
    undiscounted_gross: int = 0
    undiscounted_net: int = 0

    def add(self, other: Side) -> None:
        for part, amount in other.parts.items():
            self.parts[part] = self.parts.get(part, 0) + amount
        self.discount += other.discount
        self.tax += other.tax
        self.tax_remitted += other.tax_remitted
        self.gross += other.gross
        self.net += other.net
        self.undiscounted_gross += other.undiscounted_gross
        self.undiscounted_net += other.undiscounted_net

    def charge(self, part: str, amount: int) -> None:
        """Add an amount without tax or discount."""
        self.add(
            Side(
                {part: amount},
                gross=amount,
                net=amount,
                undiscounted_gross=amount,
                undiscounted_net=amount,
            )
        )

    @property
    def is_sound(self) -> bool:
        """Whether the shop can hold it: no part of a price below zero."""
        return self.gross >= self.net >= 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What was charged of a part of an order item, its discount taken off.

    ``tax`` is what Amazon charged apart from the price; tax that is in it is not told
    apart. ``tax_in_total``: as much of it is in what the order costs in the shop.
    """

    part: str
    price: int
    tax: int
    tax_in_total: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """An order's amounts in minor units of ``currency``.

    ``lines`` and ``charges`` go by order item id and leave out the items that were
    cancelled. What no item was charged for is in no charge.
    """

    currency: str
    lines: Mapping[str, Side]
    shipping: Side
    pending_tip: int
    charges: Mapping[str, tuple[Charge, ...]] = field(default_factory=dict)

    def decimal(self, amount: int) -> Decimal:
        return _decimal(amount, self.currency)


def _decimal(amount: int, currency: str) -> Decimal:
    return Decimal(amount) * minor_unit(currency)


def read_amounts(order: Order, cancelled: Collection[str] = ()) -> Amounts:
    """The amounts of ``order``, or ``BadAmounts`` with all that is wrong in them.

    ``cancelled`` are the ids of the items of which no unit is left.
    """
    return _Reader(order, cancelled).read()


@dataclass(frozen=True, slots=True)
class _Reading:
    #: Ids of the items whose tax comes on top.
    tax_added: frozenset[str]
    is_discount_subtracted: bool
    is_pending_tip_counted: bool = True

    def adds_tax(self, item: _Item) -> bool:
        return item.order_item_id in self.tax_added


@dataclass(slots=True)
class _Item:
    """One item's proceeds in minor units. ``total`` is None where Amazon gave none.

    ``tax_by_part`` and ``discount_by_part`` hold what details say; what has no details
    is in ``tax_at_large`` and ``discount_at_large``. ``tax_on_discount`` is negative.
    """

    order_item_id: str
    total: int | None
    is_tax_remitted: bool
    parts: dict[str, int] = field(default_factory=dict)
    tax_by_part: dict[str, int] = field(default_factory=dict)
    tax_at_large: int = 0
    tax_on_discount: int = 0
    discount_by_part: dict[str, int] = field(default_factory=dict)
    discount_at_large: int = 0

    @property
    def charges(self) -> int:
        return sum(self.parts.values())

    @property
    def tax(self) -> int:
        return sum(self.tax_by_part.values()) + self.tax_at_large + self.tax_on_discount

    @property
    def is_taxed(self) -> bool:
        taxes = (*self.tax_by_part.values(), self.tax_at_large, self.tax_on_discount)
        return any(taxes)

    @property
    def discount(self) -> int:
        return sum(self.discount_by_part.values()) + self.discount_at_large

    def sum(self, reading: _Reading) -> int:
        amount = self.charges
        if reading.adds_tax(self):
            amount += self.tax
        if reading.is_discount_subtracted:
            amount -= self.discount
        return amount


class _Reader:
    def __init__(self, order: Order, cancelled: Collection[str]) -> None:
        self.order = order
        self.cancelled = cancelled
        self.blockers: list[Blocker] = []
        self.currency = self._currency()
        self._unit = minor_unit(self.currency)
        marketplace = MARKETPLACES.get(order.sales_channel.marketplace_id)
        self._is_tax_outside_price = (
            marketplace is not None and marketplace.country_code in PRICES_EXCLUDE_TAX
        )
        #: Charges that only the order has, by part.
        self._order_charges: dict[str, int] = {}
        self._tip = self._pending_tip = 0

    def read(self) -> Amounts:
        self._raise_if_blocked()
        items = [self._item(item) for item in self.order.order_items]
        grand_total = self._grand_total(items)
        self._compare_order_with(items)
        self._refuse_amounts_of_cancelled(items)
        self._raise_if_blocked()
        fitting = self._fitting(items, grand_total)
        if not fitting:
            self._block_by_difference(items, grand_total)
        read = [self._split(items, reading) for reading in fitting]
        if len({_outcome(amounts) for amounts in read}) > 1:
            self._differ(
                "grandTotal",
                "Amazon's amounts can be read in more than one way, with different "
                "results. Compare the order with Seller Central and work it there.",
            )
        elif read:
            self._check_soundness(read[0])
        self._raise_if_blocked()
        return read[0]

    # What Amazon says, in minor units.

    def _currency(self) -> str:
        currencies = sorted({money.currency for money in _moneys(self.order)})
        if len(currencies) > 1:
            self._differ(
                "currencyCode",
                f"Amazon gives amounts in {' and '.join(currencies)} in one order: "
                "work it in Seller Central.",
            )
        if currencies:
            return currencies[0]
        marketplace = MARKETPLACES.get(self.order.sales_channel.marketplace_id)
        return marketplace.currency if marketplace else ""

    def _minor(self, money: Money, subject: str) -> int:
        amount = money.amount
        if amount and amount.adjusted() > _MOST_DIGITS:
            self._differ(subject, "The amount is too large to be one of an order.")
            return 0
        if amount % self._unit:
            self._differ(
                subject,
                f"{money} is not a whole multiple of {self._unit} {self.currency}, the "
                "smallest amount of the currency: work the order in Seller Central.",
            )
        return int(amount / self._unit)

    def _item(self, item: OrderItem) -> _Item:
        item_id, proceeds = item.order_item_id, item.proceeds
        total = proceeds.proceeds_total if proceeds else None
        read = _Item(
            item_id,
            None if total is None else self._minor(total, item_id),
            any(
                collection.model == TaxCollectionModel.MARKETPLACE_FACILITATOR
                for collection in item.tax_collections
            ),
        )
        for breakdown in proceeds.breakdowns if proceeds else ():
            subtotal = self._minor(breakdown.subtotal, item_id)
            if breakdown.type == TAX:
                self._read_tax(read, breakdown, subtotal)
            elif breakdown.type == DISCOUNT:
                self._read_discount(read, breakdown, abs(subtotal))
            else:
                _put(read.parts, _part(breakdown.type), subtotal)
        return read

    def _read_tax(
        self, item: _Item, breakdown: ItemProceedsBreakdown, subtotal: int
    ) -> None:
        details = self._details(item, breakdown)
        if not details:
            item.tax_at_large += subtotal
            return
        on_parts = sum(value for subtype, value in details if subtype != DISCOUNT)
        on_discount = sum(value for subtype, value in details if subtype == DISCOUNT)
        if on_parts + on_discount != subtotal:
            # Amazon may mean the tax on the discount as a magnitude, too.
            on_discount = -on_discount
        if on_parts + on_discount != subtotal:
            self._block_details(item, TAX, on_parts - abs(on_discount), subtotal)
        item.tax_on_discount += on_discount
        for subtype, value in details:
            if subtype != DISCOUNT:
                _put(item.tax_by_part, _part(subtype), value)

    def _read_discount(
        self, item: _Item, breakdown: ItemProceedsBreakdown, subtotal: int
    ) -> None:
        details = self._details(item, breakdown)
        total = sum(value for _, value in details)
        if details and abs(total) != subtotal:
            self._block_details(item, DISCOUNT, abs(total), subtotal)
        sign = -1 if total < 0 else 1
        for subtype, value in details:
            if subtype == DISCOUNT:
                item.discount_at_large += sign * value
            else:
                _put(item.discount_by_part, _part(subtype), sign * value)
        if not details:
            item.discount_at_large += subtotal

    def _details(
        self, item: _Item, breakdown: ItemProceedsBreakdown
    ) -> list[tuple[str, int]]:
        return [
            (detail.subtype, self._minor(detail.value, item.order_item_id))
            for detail in breakdown.detailed_breakdowns
            if detail.value is not None
        ]

    def _grand_total(self, items: list[_Item]) -> int:
        proceeds = self.order.proceeds
        if proceeds and proceeds.grand_total:
            return self._minor(proceeds.grand_total, "grandTotal")
        if self._is_free_replacement(items):
            return 0
        self.blockers.append(
            Blocker(
                BlockerCode.UNREADABLE,
                "Amazon gave no total for the order. It is imported once Amazon does; "
                "until then work it in Seller Central.",
                "grandTotal",
            )
        )
        return 0

    def _is_free_replacement(self, items: list[_Item]) -> bool:
        """Replacements cost nothing, so Amazon may leave out their amounts."""
        is_replacement = any(
            associated.association_type == AssociationType.REPLACEMENT_ORIGINAL_ID
            for associated in self.order.associated_orders
        )
        return is_replacement and not any(_is_charged(item) for item in items)

    # What must agree, however the amounts are read.

    def _compare_order_with(self, items: list[_Item]) -> None:
        """Compare the order's own breakdowns with its items', part by part."""
        given: dict[str, int] = {}
        for breakdown in self.order.proceeds.breakdowns if self.order.proceeds else ():
            amount = self._minor(breakdown.subtotal, breakdown.type)
            if breakdown.type != DELIVERY_TIP:
                is_known = breakdown.type in (TAX, DISCOUNT)
                _put(
                    given, breakdown.type if is_known else _part(breakdown.type), amount
                )
            elif breakdown.status == ProceedsStatus.PENDING:
                self._pending_tip += amount
            else:
                self._tip += amount
        for part, amount in given.items():
            if part == DISCOUNT:
                amount = abs(amount)
            of_items = sum(_of_part(item, part) for item in items)
            if amount == of_items:
                continue
            if part in SHIPPING_PARTS and not any(part in item.parts for item in items):
                _put(self._order_charges, part, amount)
            else:
                self._differ(
                    part,
                    f"Amazon's {part} is {self._text(amount)} for the order and "
                    f"{self._text(of_items)} over its items, a difference of "
                    f"{self._text(abs(amount - of_items))}. Compare the order with "
                    "Seller Central; until it changes, work it there.",
                    of_items,
                    amount,
                )

    def _refuse_amounts_of_cancelled(self, items: list[_Item]) -> None:
        for item in items:
            if item.order_item_id in self.cancelled and _is_charged(item):
                self._differ(
                    item.order_item_id,
                    f"No unit of item {item.order_item_id} is left, but Amazon still "
                    "has amounts for it. Compare the order with Seller Central.",
                )

    # The readings.

    def _fitting(self, items: list[_Item], grand_total: int) -> list[_Reading]:
        """The readings that reproduce every total, of the most plausible kind."""
        subtracting, reduced = (
            [
                reading
                for reading in self._readings(items, is_discount_subtracted)
                if not self._differences(items, grand_total, reading)
            ]
            for is_discount_subtracted in (True, False)
        )
        taxed = {item.order_item_id for item in items if item.is_taxed}
        if any(reading.tax_added in (taxed, frozenset()) for reading in subtracting):
            return subtracting
        # An item whose discount equals its tax fits either way.
        return subtracting + reduced

    def _readings(
        self, items: list[_Item], is_discount_subtracted: bool
    ) -> Iterator[_Reading]:
        """Those that reproduce the total of each item that Amazon gave one of."""
        choices: list[tuple[frozenset[str], ...]] = []
        untold = []
        for item in items:
            if not item.is_taxed:
                continue
            ways = tuple(
                added
                for added in (frozenset({item.order_item_id}), frozenset[str]())
                if item.total
                in (None, item.sum(_Reading(added, is_discount_subtracted)))
            )
            if len(ways) > 1:
                untold.append(item.order_item_id)
            choices.append(ways)
        if len(untold) > _MOST_UNTOLD:
            known = [ways for ways in choices if len(ways) < 2]
            choices = [*known, (frozenset(untold), frozenset())]
        for chosen in product(*choices):
            for is_tip_counted in self._tips:
                yield _Reading(
                    frozenset().union(*chosen), is_discount_subtracted, is_tip_counted
                )

    @property
    def _tips(self) -> tuple[bool, ...]:
        """Whether the tip that is pending may be counted."""
        return (True, False) if self._pending_tip else (True,)

    def _differences(
        self, items: list[_Item], grand_total: int, reading: _Reading
    ) -> list[tuple[_Item | None, int, int]]:
        """(item or None for the order, what the parts make, what Amazon says)."""
        found: list[tuple[_Item | None, int, int]] = []
        total = sum(self._order_charges.values()) + self._tip
        if reading.is_pending_tip_counted:
            total += self._pending_tip
        for item in items:
            amount = item.sum(reading)
            total += amount
            if item.total is not None and amount != item.total:
                found.append((item, amount, item.total))
        if total != grand_total:
            found.append((None, total, grand_total))
        return found

    def _block_by_difference(self, items: list[_Item], grand_total: int) -> None:
        """Say what is wrong by the reading that comes closest."""
        all_added = frozenset(item.order_item_id for item in items)
        closest = min(
            (
                self._differences(items, grand_total, reading)
                for is_subtracted, is_tip_counted in product((True, False), self._tips)
                for reading in (
                    _Reading(added, is_subtracted, is_tip_counted)
                    for added in (
                        all_added,
                        frozenset[str](),
                        _closest(items, is_subtracted),
                    )
                )
            ),
            key=lambda found: (
                sum(abs(made - said) for _, made, said in found),
                len(found),
            ),
        )
        without = [
            item.order_item_id
            for item, wire in zip(items, self.order.order_items, strict=True)
            if not (wire.proceeds and wire.proceeds.breakdowns)
            and item.order_item_id not in self.cancelled
        ]
        for item, made, said in closest:
            name = f"item {item.order_item_id}" if item else "the order"
            total = "proceedsTotal" if item else "grandTotal"
            self._differ(
                item.order_item_id if item else "grandTotal",
                f"The amounts of {name} make {self._text(made)}, Amazon's {total} is "
                f"{self._text(said)}, a difference of {self._text(abs(made - said))}. "
                "Compare the order with Seller Central; until it changes, work it "
                "there.",
                made,
                said,
            )
        for item_id in without:
            self.blockers.append(
                Blocker(
                    BlockerCode.UNREADABLE,
                    f"Amazon gave no amounts for item {item_id}. The order is imported "
                    "once Amazon does; until then work it in Seller Central.",
                    item_id,
                )
            )

    def _split(self, items: list[_Item], reading: _Reading) -> Amounts:
        lines: dict[str, Side] = {}
        charges: dict[str, tuple[Charge, ...]] = {}
        shipping = Side()
        for item in items:
            line, its_shipping = self._sides(item, reading)
            shipping.add(its_shipping)
            if item.order_item_id not in self.cancelled:
                lines[item.order_item_id] = line
                charges[item.order_item_id] = (
                    *self._charges(item, LINE_PARTS, line, reading),
                    *self._charges(item, SHIPPING_PARTS, its_shipping, reading),
                )
        for part, amount in self._order_charges.items():
            shipping.charge(part, amount)
        if self._tip:
            shipping.charge(DELIVERY_TIP, self._tip)
        is_tip_counted = reading.is_pending_tip_counted
        if self._pending_tip and is_tip_counted:
            shipping.charge(DELIVERY_TIP, self._pending_tip)
        return Amounts(
            self.currency,
            lines,
            shipping,
            0 if is_tip_counted else self._pending_tip,
            charges,
        )

    def _charges(
        self,
        item: _Item,
        of_side: tuple[str, ...],
        side: Side,
        reading: _Reading,
    ) -> list[Charge]:
        is_outside = self._is_tax_outside_price and not reading.adds_tax(item)
        in_total = side.tax if reading.adds_tax(item) else 0
        tax = side.tax_remitted if is_outside and not side.tax else in_total
        discounts = _discounts(item, reading) if reading.is_discount_subtracted else {}
        prices = {
            part: amount - discounts.get(part, 0)
            for part in of_side
            if (amount := item.parts.get(part, 0)) or discounts.get(part)
        }
        if any(price < 0 for price in prices.values()):
            # A discount on another part than it is of.
            prices = {of_side[0]: sum(prices.values())}
        taxed = {part: max(item.tax_by_part.get(part, 0), 0) for part in prices}
        taxes = share_out(tax, taxed if any(taxed.values()) else prices)
        return [
            Charge(part, price, taxes[part], taxes[part] if in_total else 0)
            for part, price in prices.items()
            if price > 0 or taxes[part]
        ]

    def _sides(self, item: _Item, reading: _Reading) -> tuple[Side, Side]:
        discounts = _discounts(item, reading)
        line = _side(item, LINE_PARTS, discounts, reading)
        shipping = _side(item, SHIPPING_PARTS, discounts, reading)
        _share_tax(item, line, shipping, reading)
        is_added = reading.adds_tax(item)
        is_remitted_apart = not is_added and self._is_tax_outside_price
        line_tax_on_discount = _share_tax_on_discount(item, line, shipping)
        for side, tax_on_discount in (
            (line, line_tax_on_discount),
            (shipping, item.tax_on_discount - line_tax_on_discount),
        ):
            if item.is_tax_remitted or is_remitted_apart:
                side.tax_remitted = side.tax + tax_on_discount
            if is_remitted_apart:
                side.tax = 0
            else:
                _apply_tax(side, tax_on_discount, is_added)
        return line, shipping

    def _check_soundness(self, amounts: Amounts) -> None:
        for subject, side in (*amounts.lines.items(), (SHIPPING, amounts.shipping)):
            if not side.is_sound:
                name = "Shipping" if subject == SHIPPING else f"Item {subject}"
                self._differ(
                    subject,
                    f"{name} would cost {self._text(side.gross)} of which "
                    f"{self._text(side.gross - side.net)} are tax, which the shop "
                    "cannot hold. Work the order in Seller Central.",
                )

    # Saying what is wrong.

    def _text(self, amount: int) -> str:
        return f"{_decimal(amount, self.currency)} {self.currency}"

    def _differ(self, subject: str, message: str, made: int = 0, said: int = 0) -> None:
        """Parts make ``made`` where Amazon states ``said``, if that is what differs."""
        mismatch = None
        if made != said:
            mismatch = Mismatch(
                _decimal(made, self.currency),
                _decimal(said, self.currency),
                self.currency,
            )
        self.blockers.append(
            Blocker(BlockerCode.AMOUNTS_DIFFER, message, subject, mismatch)
        )

    def _block_details(self, item: _Item, kind: str, made: int, said: int) -> None:
        self._differ(
            item.order_item_id,
            f"The details of {kind} of item {item.order_item_id} make "
            f"{self._text(made)}, Amazon's subtotal is {self._text(said)}. Compare the "
            "order with Seller Central; until it changes, work it there.",
            made,
            said,
        )

    def _raise_if_blocked(self) -> None:
        if self.blockers:
            raise BadAmounts(tuple(self.blockers))


def _moneys(order: Order) -> Iterator[Money]:
    """Every amount that is used."""
    if order.proceeds:
        if order.proceeds.grand_total:
            yield order.proceeds.grand_total
        for of_order in order.proceeds.breakdowns:
            yield of_order.subtotal
    for item in order.order_items:
        if item.proceeds is None:
            continue
        if item.proceeds.proceeds_total:
            yield item.proceeds.proceeds_total
        for breakdown in item.proceeds.breakdowns:
            yield breakdown.subtotal
            for detail in breakdown.detailed_breakdowns:
                if detail.value:
                    yield detail.value


def _part(kind: str) -> str:
    return kind if kind in PARTS else OTHER


def _put(amounts: dict[str, int], part: str, amount: int) -> None:
    amounts[part] = amounts.get(part, 0) + amount


def _of_part(item: _Item, part: str) -> int:
    if part == TAX:
        return item.tax
    return item.discount if part == DISCOUNT else item.parts.get(part, 0)


def _closest(items: list[_Item], is_discount_subtracted: bool) -> frozenset[str]:
    """The items that come closer to their total with their tax on top."""

    def off(item: _Item, total: int, *added: str) -> int:
        reading = _Reading(frozenset(added), is_discount_subtracted)
        return abs(item.sum(reading) - total)

    return frozenset(
        item.order_item_id
        for item in items
        if item.total is not None
        and off(item, item.total, item.order_item_id) < off(item, item.total)
    )


def _is_charged(item: _Item) -> bool:
    amounts = (item.total, item.tax, item.discount, *item.parts.values())
    return any(amounts)


def _discounts(item: _Item, reading: _Reading) -> dict[str, int]:
    """The discount of each part."""
    discounts = dict(item.discount_by_part)
    rest = item.discount_at_large
    if not rest:
        return discounts
    if not reading.is_discount_subtracted:
        # The parts are what is left after it, so they do not say how far it goes.
        _put(discounts, ITEM, rest)
        return discounts
    left: dict[str, int] = {}
    for part, amount in item.parts.items():
        left[part] = amount - discounts.get(part, 0)
        if not reading.adds_tax(item):
            # A part cannot be discounted to less than the tax it contains.
            left[part] -= item.tax_by_part.get(part, 0)
    if rest == left.get(SHIPPING):
        _put(discounts, SHIPPING, rest)
        return discounts
    for part in PARTS:
        taken = min(rest, max(left.get(part, 0), 0))
        if taken:
            _put(discounts, part, taken)
            rest -= taken
    if rest:
        _put(discounts, ITEM, rest)
    return discounts


def _side(
    item: _Item,
    of_side: tuple[str, ...],
    discounts: Mapping[str, int],
    reading: _Reading,
) -> Side:
    """The side before tax, with the tax that details give to it."""
    parts = {part: item.parts[part] for part in of_side if item.parts.get(part)}
    charged = sum(parts.values())
    discount = sum(discounts.get(part, 0) for part in of_side)
    paid = charged - discount if reading.is_discount_subtracted else charged
    before = paid + max(discount, 0)
    return Side(
        parts,
        discount,
        sum(item.tax_by_part.get(part, 0) for part in of_side),
        gross=paid,
        net=paid,
        undiscounted_gross=before,
        undiscounted_net=before,
    )


def share_out(amount: int, weights: Mapping[Any, int]) -> dict[Any, int]:
    """``amount`` in shares as large in proportion as ``weights``, to the last unit; to
    the first where all of them are nothing. No share of an amount that is no more than
    all weights is more than its own."""
    if not any(weights.values()):
        return {key: 0 if n else amount for n, key in enumerate(weights)}
    total, running, given = sum(weights.values()), 0, 0
    shares = {}
    for key, weight in weights.items():
        running += weight
        up_to = round(Decimal(amount * running) / total)
        shares[key], given = up_to - given, up_to
    return shares


def _share_tax(item: _Item, line: Side, shipping: Side, reading: _Reading) -> None:
    """Give the tax without details to the line, or to shipping."""
    tax = item.tax_at_large
    if reading.adds_tax(item):
        taxed = line if line.gross > 0 or shipping.gross <= 0 else shipping
        taxed.tax += tax
        return
    on_line = min(tax, max(line.gross - line.tax, 0))
    line.tax += on_line
    shipping.tax += tax - on_line


def _share_tax_on_discount(item: _Item, line: Side, shipping: Side) -> int:
    """The line's share; never more than the tax that is there to be reduced."""
    tax = item.tax_on_discount
    discount = line.discount + shipping.discount
    share = round(Decimal(tax * line.discount) / discount) if discount else tax
    share = max(share, -line.tax)
    if tax - share < -shipping.tax:
        share = tax + shipping.tax
    return share


def _apply_tax(side: Side, tax_on_discount: int, is_added: bool) -> None:
    side.tax += tax_on_discount
    before = side.tax - min(tax_on_discount, 0)
    if is_added:
        side.gross += side.tax
        side.undiscounted_gross += before
    else:
        side.net -= side.tax
        side.undiscounted_net = max(side.undiscounted_net - before, side.net)


def _outcome(amounts: Amounts) -> tuple[object, ...]:
    return (
        amounts.shipping.gross,
        amounts.shipping.net,
        *((line.gross, line.net) for line in amounts.lines.values()),
    )
