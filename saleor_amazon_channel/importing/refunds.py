"""Refunds made on Amazon appear on the shop's orders.

A refund is carried once its order is in the shop, and again where Amazon corrects its
amounts. The shop gets what the buyer got, on the lines that it is for; what Amazon does
not tell the items of is on the order as a whole.

``_carry`` is the only way by which a refund on Amazon gets into the shop. The port
knows each by Amazon's transaction id, so carrying it twice is carrying it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db.models import Q, QuerySet

from .. import clock, lock_objects, store
from ..amazon.errors import MalformedOrder
from ..amazon.finances import Component
from ..amazon.marketplaces import MARKETPLACES, minor_unit
from ..amazon.orders import Order
from ..ledger import refunds as ledger
from ..ledger import timeline
from ..models import AmazonOrder, AmazonOrderItem, AmazonRefund
from ..store.contract import RefundDraft, RefundedLine
from . import mapping
from .amounts import GIFT_WRAP, PRICES_EXCLUDE_TAX
from .carrying import RETRY_AFTER, one_by_one

State = AmazonRefund.State

_TAXES = (Component.TAX, Component.SHIPPING_TAX, Component.GIFT_WRAP_TAX)
#: What the shop's order has as its shipping.
_OF_SHIPPING = (
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


def has_work() -> bool:
    return _due().exists()


def settle() -> None:
    """Bring onto the shop's orders what was refunded of them on Amazon."""
    one_by_one(_due, _settle, "recording a refund here", _put_off)


def _due() -> QuerySet[AmazonRefund]:
    return AmazonRefund.objects.filter(carry_at__lte=clock.now()).order_by(
        "carry_at", "posted_at", "pk"
    )


def _put_off(refunds: QuerySet[AmazonRefund]) -> None:
    refunds.update(carry_at=clock.now() + RETRY_AFTER)


def _settle(refund: AmazonRefund) -> None:
    order = AmazonOrder.objects.filter(
        account_id=refund.account_id,
        amazon_order_id=refund.amazon_order_id,
        import_state=AmazonOrder.ImportState.IMPORTED,
    ).first()
    # The shop's rows are locked before ours: see lock_objects.
    is_in_shop = order is not None and (
        store.current().order_state(order.shop_order_id or "") is not None
    )
    refund = lock_objects.refund(refund.pk)
    if refund.carry_at is None:
        return  # Another worker was faster.
    if order is not None and is_in_shop:
        _carry(order, refund)
    elif order is not None:
        refund.state = State.NOT_RECORDED
        refund.note = "The order is not in the shop any more."
        timeline.add(order, "refund_not_recorded", _told(refund, refund.note))
    refund.carry_at = None
    refund.save()


def _carry(order: AmazonOrder, refund: AmazonRefund) -> None:
    items = ledger.items_of([order])[order.amazon_order_id]
    ledger.match_again(refund, items)
    content = _Content(order, refund, items)
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    before, problem, amount = refund.amount_in_shop, "", Decimal(0)
    if content.amount > 0:
        recorded = shop.record_refund(shop_order_id, content.draft())
        amount, problem = recorded.amount, recorded.problem
        if not problem and amount < content.amount:
            problem = (
                f"Only {_money(amount, refund.currency)} of it is recorded here, since "
                "no more was charged."
            )
    else:
        problem = "It gives the buyer nothing that could be recorded here."
    if refund.unknown:
        problem += (
            f" Amazon names in it what the channel does not know ({refund.unknown}): "
            "that is not counted. Compare it with Seller Central."
        )
    problem = problem.strip()
    is_news = amount != before or problem != refund.note
    refund.state = State.RECORDED if amount else State.NOT_RECORDED
    refund.amount_in_shop, refund.note = amount, problem
    if not is_news:
        return
    type_ = "refunded_on_amazon" if amount else "refund_not_recorded"
    message = _told(refund, content.in_words(), refund.note)
    shop.add_note(shop_order_id, message)
    timeline.add(order, type_, message)


def _told(refund: AmazonRefund, *more: str) -> str:
    who = f"{_money(refund.amount, refund.currency)} were refunded on Amazon"
    return " ".join([f"{who} on {refund.posted_at:%Y-%m-%d}.", *filter(None, more)])


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(minor_unit(currency))} {currency}"


# --- what it is for ------------------------------------------------------------------


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
class _Content:
    """A refund in the shop's terms."""

    order: AmazonOrder
    refund: AmazonRefund
    items: list[AmazonOrderItem]
    #: order item id → component → amount.
    amounts: dict[str, dict[str, Decimal]] = field(init=False)
    charged: dict[str, _Charged] = field(default_factory=dict)
    shipping_charged: Decimal | None = None
    #: Amazon has collected the tax apart from what the seller's order costs.
    is_tax_apart: bool = False

    def __post_init__(self) -> None:
        self.amounts = defaultdict(dict)
        for each in self.refund.amounts.all():
            of_item = self.amounts[each.order_item_id]
            of_item[each.component] = of_item.get(each.component, 0) + each.amount
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

    @cached_property
    def earlier(self) -> Mapping[str, Mapping[str, Decimal]]:
        """What other refunds have paid back of the order, as far as it is recorded."""
        return ledger.refunded_by_item(
            self.order.amazon_order_id,
            Q(state=State.RECORDED) & ~Q(pk=self.refund.pk),
        )

    @property
    def amount(self) -> Decimal:
        """Of what the shop's order costs: without tax that is no part of it."""
        return self._sum(self.amounts, _NAMES)

    def _sum(
        self,
        amounts: Mapping[str, Mapping[str, Decimal]],
        components: Collection[str],
    ) -> Decimal:
        return sum(
            (
                amount
                for of_item in amounts.values()
                for component, amount in of_item.items()
                if component in components
                and not (self.is_tax_apart and component in _TAXES)
            ),
            Decimal(0),
        )

    def draft(self) -> RefundDraft:
        return RefundDraft(
            reference=self.refund.transaction_id,
            amount=self.amount,
            currency=self.refund.currency,
            refunded_at=self.refund.posted_at,
            reason=f"Refunded on Amazon. {self.in_words()}",
            lines=tuple(
                RefundedLine(
                    item.shop_line_id,
                    self._units(item) * item.units_per_item,
                    f"Refunded on Amazon: {self._parts(item.order_item_id)}",
                )
                for item in self.items
                if item.shop_line_id and self._is_of_line(item.order_item_id)
            ),
            is_shipping_included=self._is_shipping_complete(),
        )

    def _is_of_line(self, item_id: str) -> bool:
        """Something else than the shipping of the item was paid back."""
        return any(c not in _OF_SHIPPING for c in self.amounts.get(item_id, ()))

    def _units(self, item: AmazonOrderItem) -> int:
        """Units whose price is paid back whole by this refund and those before it."""
        charged = self.charged.get(item.order_item_id)
        if charged is None:
            return 0
        before = _price(self.earlier.get(item.order_item_id, {}), charged)
        now = _price(self.amounts.get(item.order_item_id, {}), charged)
        return _whole(before + now, charged) - _whole(before, charged)

    def _is_shipping_complete(self) -> bool:
        if not self.shipping_charged:
            return False
        now = self._sum(self.amounts, _OF_SHIPPING)
        so_far = self._sum(self.earlier, _OF_SHIPPING)
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
        unit = minor_unit(self.refund.currency)
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
