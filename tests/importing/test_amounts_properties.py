"""Amounts by the thousand: what is consistent maps exactly, what is not is blocked."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.store.contract import BlockerCode, OrderDraft

from .wire_amounts import DE, JP, US, breakdown, item_of, money, order_of

LINE = ("ITEM", "GIFT_WRAP")
PARTS = (*LINE, "SHIPPING", "COD_FEE", "OTHER")
MARKETPLACES = {"EUR": DE, "USD": US, "JPY": JP}


@dataclass
class Item:
    """One item in minor units; ``tax`` is after ``tax_on_discount`` is deducted."""

    quantity: int
    parts: dict[str, int]
    discounts: dict[str, int]
    taxes: dict[str, int]
    tax_on_discount: int

    @property
    def charge(self) -> int:
        return sum(self.parts.values())

    @property
    def discount(self) -> int:
        return sum(self.discounts.values())

    @property
    def tax(self) -> int:
        return sum(self.taxes.values()) - self.tax_on_discount


@dataclass
class Case:
    """An order in minor units and how Amazon puts it down."""

    currency: str
    items: list[Item]
    #: Of each item: Amazon may collect the tax of one and not that of another.
    tax_added: list[bool]
    is_discount_subtracted: bool
    has_details: bool
    has_order_breakdowns: bool
    discount_sign: int
    tips: list[int] = field(default_factory=list)
    order_fee: int = 0

    @property
    def step(self) -> Decimal:
        return Decimal(1) if self.currency == "JPY" else Decimal("0.01")

    def is_tax_added(self, item: Item) -> bool:
        return next(
            added
            for one, added in zip(self.items, self.tax_added, strict=True)
            if one is item
        )

    def amount_of(self, item: Item) -> int:
        amount = item.charge
        amount += item.tax if self.is_tax_added(item) else 0
        amount -= item.discount if self.is_discount_subtracted else 0
        return amount

    @property
    def grand_total(self) -> int:
        of_items = sum(self.amount_of(item) for item in self.items)
        return of_items + sum(self.tips) + self.order_fee

    def line_of(self, item: Item) -> tuple[int, int]:
        """Gross and net of the item's line, by invariant 4 of the design."""
        paid = sum(item.parts.get(part, 0) for part in LINE)
        if self.is_discount_subtracted:
            paid -= sum(item.discounts.get(part, 0) for part in LINE)
        tax = sum(item.taxes.get(part, 0) for part in LINE) - item.tax_on_discount
        if self.is_tax_added(item):
            return paid + tax, paid
        # Prices there exclude tax: Amazon keeps what is not in the total.
        return paid, paid - (0 if self.currency == "USD" else tax)

    def wire(self) -> dict[str, Any]:
        def made(
            kind: str, minor: int, details: dict[str, int] | None = None
        ) -> dict[str, Any]:
            values = {
                subtype: value * self.step for subtype, value in (details or {}).items()
            }
            with_details = values if details is not None and self.has_details else None
            return breakdown(kind, minor * self.step, with_details, self.currency)

        sign = self.discount_sign
        items = []
        for number, item in enumerate(self.items):
            found = [made(part, amount) for part, amount in item.parts.items()]
            if item.taxes:
                details = dict(item.taxes)
                if item.tax_on_discount:
                    details["DISCOUNT"] = -item.tax_on_discount
                found.append(made("TAX", item.tax, details))
            if item.discounts:
                details = {part: sign * d for part, d in item.discounts.items()}
                found.append(made("DISCOUNT", sign * item.discount, details))
            items.append(
                item_of(
                    self.amount_of(item) * self.step,
                    *found,
                    item_id=str(number),
                    quantity=item.quantity,
                    currency=self.currency,
                )
            )
        of_order = []
        if self.has_order_breakdowns:
            sums: dict[str, int] = {}
            for item in self.items:
                for part, amount in item.parts.items():
                    sums[part] = sums.get(part, 0) + amount
                if item.taxes:
                    sums["TAX"] = sums.get("TAX", 0) + item.tax
                if item.discounts:
                    sums["DISCOUNT"] = sums.get("DISCOUNT", 0) + sign * item.discount
            of_order = [made(part, amount) for part, amount in sums.items()]
        of_order += [made("DELIVERY_TIP", tip) for tip in self.tips]
        if self.order_fee:
            of_order.append(made("COD_FEE", self.order_fee))
        return order_of(
            self.grand_total * self.step,
            items,
            *of_order,
            currency=self.currency,
            marketplace_id=MARKETPLACES[self.currency],
        )


@st.composite
def items(draw: st.DrawFn) -> Item:
    amounts = st.integers(0, 200_000)
    parts = {"ITEM": draw(amounts)}
    for part in PARTS[1:]:
        if draw(st.booleans()):
            parts[part] = draw(st.integers(0, 3_000))
    discounts = {}
    if draw(st.booleans()):
        for part, amount in parts.items():
            if draw(st.booleans()):
                discounts[part] = draw(st.integers(0, amount))
    taxes = {}
    if draw(st.booleans()):
        for part, amount in parts.items():
            rate = draw(st.sampled_from([0, 5, 19, 25]))
            taxes[part] = (amount - discounts.get(part, 0)) * rate // (100 + rate)
    # On the line only, so that there is no question to which side it belongs.
    on_line = sum(taxes.get(part, 0) for part in LINE)
    is_plain = not any(discounts.get(part) for part in PARTS if part not in LINE)
    tax_on_discount = 0
    if taxes and any(discounts.values()) and is_plain:
        tax_on_discount = draw(st.integers(0, on_line))
    return Item(draw(st.integers(1, 7)), parts, discounts, taxes, tax_on_discount)


@st.composite
def cases(draw: st.DrawFn, **fixed: Any) -> Case:
    of_order = draw(st.lists(items(), min_size=1, max_size=4))
    in_one_way = st.booleans().map(lambda added: [added] * len(of_order))
    each_its_own = st.lists(
        st.booleans(), min_size=len(of_order), max_size=len(of_order)
    )
    made = Case(
        currency=draw(st.sampled_from(sorted(MARKETPLACES))),
        items=of_order,
        tax_added=draw(in_one_way | each_its_own),
        is_discount_subtracted=True,
        has_details=draw(st.booleans()),
        has_order_breakdowns=draw(st.booleans()),
        discount_sign=draw(st.sampled_from([1, -1])),
        tips=draw(st.lists(st.integers(0, 2_000), max_size=2)),
    )
    if draw(st.booleans()) and not any("COD_FEE" in item.parts for item in made.items):
        made.order_fee = draw(st.integers(0, 1_000))
    for name, value in fixed.items():
        setattr(made, name, value)
    return made


def draft(wire: dict[str, Any]) -> OrderDraft:
    return map_order(Order.from_wire(wire))


def assert_amounts_add_up(mapped: OrderDraft, grand_total: Decimal) -> None:
    sides = [*(line.total for line in mapped.lines), mapped.shipping]
    assert mapped.total.gross == grand_total
    assert sum(side.gross for side in sides) == mapped.total.gross
    assert sum(side.net for side in sides) == mapped.total.net
    for side in sides:
        assert side.gross >= side.net >= 0
    for line in mapped.lines:
        assert line.undiscounted_total.gross >= line.total.gross
        assert line.undiscounted_total.net >= line.total.net
    assert mapped.undiscounted_total.gross >= mapped.total.gross


@given(cases())
@settings(max_examples=150, deadline=None)
def test_what_is_consistent_maps_to_amazons_total(case):
    assert_amounts_add_up(draft(case.wire()), case.grand_total * case.step)


@given(cases(has_details=True))
@settings(max_examples=50, deadline=None)
def test_with_details_every_line_has_the_amounts_of_the_design(case):
    mapped = draft(case.wire())

    for line, item in zip(mapped.lines, case.items, strict=True):
        gross, net = case.line_of(item)
        assert line.total.gross == gross * case.step
        assert line.total.net == net * case.step
        assert line.quantity == item.quantity


@given(cases(is_discount_subtracted=False))
@settings(max_examples=75, deadline=None)
def test_discounts_already_taken_off_map_too(case):
    # Where tax and discount are equal, the order cannot tell which it is.
    assume(not any(item.tax == item.discount > 0 for item in case.items))

    assert_amounts_add_up(draft(case.wire()), case.grand_total * case.step)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the order's amounts are."""
    if isinstance(node, dict):
        if "amount" in node:
            yield path
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))


def disturbed(wire: dict[str, Any], path: tuple[Any, ...], by: Decimal) -> Any:
    changed = copy.deepcopy(wire)
    node = changed
    for key in path:
        node = node[key]
    node["amount"] = str(Decimal(node["amount"]) + by)
    return changed


@given(cases(has_details=True, has_order_breakdowns=True), st.data())
@settings(max_examples=150, deadline=None)
def test_one_minor_unit_anywhere_blocks_the_order(case, data):
    wire = case.wire()
    path = data.draw(st.sampled_from(sorted(leaves(wire), key=str)))
    by = data.draw(st.sampled_from([case.step, -case.step]))

    with pytest.raises(CannotMap) as caught:
        draft(disturbed(wire, path, by))

    codes = {blocker.code for blocker in caught.value.blockers}
    assert codes == {BlockerCode.AMOUNTS_DIFFER}


def is_consistent(wire: dict[str, Any]) -> bool:
    """Whether some reading reproduces all totals: written apart from the product."""

    def amount(node: dict[str, Any]) -> Decimal:
        return Decimal(node["amount"])

    proceeds = wire["proceeds"]
    extra = sum(
        amount(found["subtotal"])
        for found in proceeds.get("breakdowns", [])
        if found["type"] in ("DELIVERY_TIP", "COD_FEE")
    )
    for subtracted in (1, 0):
        total, fits = Decimal(extra), True
        for item in wire["orderItems"]:
            stated = amount(item["proceeds"]["proceedsTotal"])
            made = {0: Decimal(0), 1: Decimal(0)}
            for added, found in product(made, item["proceeds"]["breakdowns"]):
                value = amount(found["subtotal"])
                if found["type"] == "TAX":
                    made[added] += added * value
                elif found["type"] == "DISCOUNT":
                    made[added] -= subtracted * abs(value)
                else:
                    made[added] += value
            fits = fits and stated in made.values()
            total += stated
        if fits and total == amount(proceeds["grandTotal"]):
            return True
    return False


@given(cases(has_details=False, has_order_breakdowns=False), st.data())
@settings(max_examples=150, deadline=None)
def test_with_the_fewest_numbers_an_order_maps_only_if_some_reading_is_exact(
    case, data
):
    wire = case.wire()
    path = data.draw(st.sampled_from(sorted(leaves(wire), key=str)))
    by = data.draw(st.integers(-3, 3)) * case.step
    changed = disturbed(wire, path, by)

    if is_consistent(changed):
        # Exact after all. A disturbed price may be below zero, which no shop holds.
        with suppress(CannotMap):
            grand_total = Decimal(changed["proceeds"]["grandTotal"]["amount"])
            assert_amounts_add_up(draft(changed), grand_total)
        return
    with pytest.raises(CannotMap) as caught:
        draft(changed)
    codes = {blocker.code for blocker in caught.value.blockers}
    assert codes == {BlockerCode.AMOUNTS_DIFFER}


@given(cases(), st.sampled_from(["0.001", "0.5"]), st.data())
@settings(max_examples=50, deadline=None)
def test_a_fraction_of_a_minor_unit_anywhere_blocks_the_order(case, fraction, data):
    wire = case.wire()
    path = data.draw(st.sampled_from(sorted(leaves(wire), key=str)))

    with pytest.raises(CannotMap):
        draft(disturbed(wire, path, Decimal(fraction) * case.step))


@given(cases(), st.data())
@settings(max_examples=50, deadline=None)
def test_another_currency_anywhere_blocks_the_order(case, data):
    wire = case.wire()
    paths = sorted(leaves(wire), key=str)
    assume(len(paths) > 1)
    node = wire
    for key in data.draw(st.sampled_from(paths)):
        node = node[key]
    node["currencyCode"] = "SEK"

    with pytest.raises(CannotMap) as caught:
        draft(wire)

    assert [blocker.subject for blocker in caught.value.blockers] == ["currencyCode"]


def test_the_cases_are_what_they_claim_to_be():
    item = Item(1, {"ITEM": 1000}, {}, {}, 0)
    case = Case("EUR", [item], [True], True, True, True, 1)

    assert case.wire()["proceeds"]["grandTotal"] == money("10.00")
    assert is_consistent(case.wire())
