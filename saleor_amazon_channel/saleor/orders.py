"""Amazon's orders become Saleor's: many at once, with Amazon's numbers to the cent.

Saleor's own ``orderBulkCreate`` neither allocates stock nor names the owner of a
payment, and writes back stock quantities it read without a lock. This writer makes the
same rows (``tests/in_saleor/test_order_writer.py`` compares the two field by field) in
a number of statements that does not grow with the batch.

Everything is written with ``bulk_create``, which sends no signals: nothing of it comes
back to us as if staff had done it.
"""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid4

import graphene
from django.conf import settings
from django.db import connection, transaction
from django_countries import countries
from measurement.measures import Weight
from saleor.account.models import Address
from saleor.app.models import App
from saleor.channel.models import Channel
from saleor.core.prices import quantize_price
from saleor.discount import DiscountType, DiscountValueType
from saleor.discount.models import OrderLineDiscount
from saleor.order import (
    FulfillmentStatus,
    OrderAuthorizeStatus,
    OrderChargeStatus,
    OrderEvents,
    OrderOrigin,
    OrderStatus,
)
from saleor.order.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderEvent,
    OrderLine,
)
from saleor.payment import TransactionAction, TransactionEventType
from saleor.payment.models import TransactionEvent, TransactionItem
from saleor.plugins.manager import get_plugins_manager
from saleor.product import ProductTypeKind
from saleor.product.models import ProductVariant
from saleor.shipping.models import ShippingMethod, ShippingMethodChannelListing
from saleor.tax.models import TaxClass
from saleor.warehouse.models import Allocation, ChannelWarehouse

from ..amazon.marketplaces import MARKETPLACES
from ..store.contract import (
    AddressDraft,
    BlockedOrder,
    Blocker,
    BlockerCode,
    CreatedOrder,
    LineDraft,
    NewOrder,
    Price,
)
from .allocation import Demand, Shortage, StockPool, Supply
from .app import get_app
from .compat import searchable_text

logger = logging.getLogger(__name__)

#: Amazon's order id in the order's public metadata; marks an order as Amazon's.
ORDER_ID_KEY = "amazon.orderId"
#: Amazon's id of an item in the line's private metadata.
ORDER_ITEM_ID_KEY = "amazon.orderItemId"
#: In a fulfillment's private metadata: Amazon told us of it and needs no news of it.
KNOWN_TO_AMAZON_KEY = "amazon.knownToAmazon"

#: The first half of our advisory locks; the second is a hash of Amazon's order id.
_LOCK_SPACE = zlib.crc32(b"saleor_amazon_channel.order") - 2**31

_LANGUAGES = frozenset(code for code, _ in settings.LANGUAGES)
_TAX_RATE_PLACES = Decimal("0.0001")


def create_orders(new_orders: Sequence[NewOrder]) -> list[CreatedOrder | BlockedOrder]:
    """Create what can be created; see ``store.contract.Store.create_orders``."""
    if not connection.in_atomic_block:
        raise RuntimeError("create_orders must be called inside a transaction")
    by_id = {new.draft.amazon_order_id: new for new in new_orders}
    _lock(by_id)
    answers: dict[str, CreatedOrder | BlockedOrder] = dict(_existing(by_id))
    plans = [_Plan(new) for id_, new in by_id.items() if id_ not in answers]
    if plans:
        around = _Surroundings.of(plans)
        for plan in plans:
            plan.blockers = around.blockers(plan)
        _supply([plan for plan in plans if not plan.blockers], around)
        _write([plan for plan in plans if not plan.blockers], around)
        answers |= {plan.amazon_order_id: plan.answer() for plan in plans}
    return [_answer(answers, new.draft.amazon_order_id) for new in new_orders]


def _answer(
    answers: dict[str, CreatedOrder | BlockedOrder], amazon_order_id: str
) -> CreatedOrder | BlockedOrder:
    """The answer for an order, which is new only the first time it is given."""
    answer = answers[amazon_order_id]
    if isinstance(answer, CreatedOrder):
        answers[amazon_order_id] = replace(answer, is_new=False)
    return answer


def _lock(amazon_order_ids: Iterable[str]) -> None:
    """Let only one transaction at a time create these orders; always in one order."""
    keys = sorted({zlib.crc32(id_.encode()) - 2**31 for id_ in amazon_order_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key",
            [_LOCK_SPACE, keys],
        )


def _existing(amazon_order_ids: Iterable[str]) -> dict[str, CreatedOrder]:
    orders = Order.objects.filter(external_reference__in=list(amazon_order_ids)).only(
        "pk", "number", "external_reference"
    )
    lines: dict[UUID, dict[str, str]] = defaultdict(dict)
    if orders:
        for line_id, order_id, item_id in OrderLine.objects.filter(
            order__in=orders, private_metadata__has_key=ORDER_ITEM_ID_KEY
        ).values_list("pk", "order_id", f"private_metadata__{ORDER_ITEM_ID_KEY}"):
            lines[order_id][item_id] = str(line_id)
    return {
        order.external_reference: CreatedOrder(
            order.external_reference,
            str(order.pk),
            str(order.number),
            lines[order.pk],
            is_new=False,
        )
        for order in orders
    }


# --- one order on its way ------------------------------------------------------------


class _Plan:
    """A new order: what it needs, then what blocks it or the rows that it becomes."""

    def __init__(self, new: NewOrder) -> None:
        self.new = new
        self.draft = new.draft
        self.amazon_order_id = new.draft.amazon_order_id
        self.channel_id = _integer(new.channel_id)
        self.shipping_method_id = _integer(new.shipping_method_id)
        self.warehouse_ids = [_uuid(text) for text in new.warehouse_ids]
        self.blockers: list[Blocker] = []
        self.supplies: list[Supply] = []
        self.order: Order
        self.lines: list[OrderLine] = []

    def variant_id(self, line: LineDraft) -> int | None:
        return _integer(self.new.variant_ids.get(line.sku, ""))

    def shipped(self, line: LineDraft) -> int:
        """All of what Amazon fulfils counts as shipped: the shop never ships it."""
        if self.draft.is_amazon_fulfilled:
            return line.quantity
        return line.quantity_shipped

    def answer(self) -> CreatedOrder | BlockedOrder:
        if self.blockers:
            return BlockedOrder(self.amazon_order_id, tuple(self.blockers))
        return CreatedOrder(
            self.amazon_order_id,
            str(self.order.pk),
            str(self.order.number),
            {
                draft.order_item_id: str(line.pk)
                for draft, line in zip(self.draft.lines, self.lines, strict=True)
            },
        )


@dataclass(frozen=True, slots=True)
class _Variant:
    """What an order line copies from its variant."""

    id: int
    name: str
    sku: str | None
    tracks_inventory: bool
    product_name: str
    product_type_id: int
    tax_class_id: int | None
    grams: float
    is_shipping_required: bool
    is_gift_card: bool

    @classmethod
    def load(cls, ids: Iterable[int]) -> dict[int, _Variant]:
        rows = ProductVariant.objects.filter(pk__in=ids).values_list(
            "pk",
            "name",
            "sku",
            "track_inventory",
            "weight",
            "product__name",
            "product__weight",
            "product__tax_class_id",
            "product__product_type_id",
            "product__product_type__weight",
            "product__product_type__tax_class_id",
            "product__product_type__is_shipping_required",
            "product__product_type__kind",
        )
        return {
            pk: cls(
                id=pk,
                name=name,
                sku=sku,
                tracks_inventory=tracks_inventory,
                product_name=product_name,
                product_type_id=type_id,
                tax_class_id=tax_class_id or type_tax_class_id,
                grams=(weight or product_weight or type_weight).g,
                is_shipping_required=is_shipping_required,
                is_gift_card=kind == ProductTypeKind.GIFT_CARD,
            )
            for (
                pk,
                name,
                sku,
                tracks_inventory,
                weight,
                product_name,
                product_weight,
                tax_class_id,
                type_id,
                type_weight,
                type_tax_class_id,
                is_shipping_required,
                kind,
            ) in rows
        }


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the shop has around a batch, read once."""

    channels: Mapping[int, Channel]
    #: (channel, warehouse) → the warehouse's name.
    warehouses: Mapping[tuple[int, UUID], str]
    #: (channel, shipping method) → the method.
    shipping_methods: Mapping[tuple[int, int], ShippingMethod]
    variants: Mapping[int, _Variant]
    tax_classes: Mapping[int, TaxClass]
    app: App | None

    @classmethod
    def of(cls, plans: Sequence[_Plan]) -> _Surroundings:
        channel_ids = {plan.channel_id for plan in plans} - {None}
        listings = ShippingMethodChannelListing.objects.filter(
            channel_id__in=channel_ids,
            shipping_method_id__in={plan.shipping_method_id for plan in plans} - {None},
        ).select_related("shipping_method")
        variants = _Variant.load(
            {
                variant_id
                for plan in plans
                for line in plan.draft.lines
                if (variant_id := plan.variant_id(line)) is not None
            }
        )
        methods = {
            (row.channel_id, row.shipping_method_id): row.shipping_method
            for row in listings
        }
        return cls(
            channels=Channel.objects.select_related("tax_configuration").in_bulk(
                channel_ids
            ),
            warehouses={
                (channel_id, warehouse_id): name
                for channel_id, warehouse_id, name in ChannelWarehouse.objects.filter(
                    channel_id__in=channel_ids
                ).values_list("channel_id", "warehouse_id", "warehouse__name")
            },
            shipping_methods=methods,
            variants=variants,
            tax_classes=TaxClass.objects.in_bulk(
                {variant.tax_class_id for variant in variants.values()}
                | {method.tax_class_id for method in methods.values()} - {None}
            ),
            app=get_app(),
        )

    def blockers(self, plan: _Plan) -> list[Blocker]:
        """Why the shop cannot hold the order; stock is not looked at here."""
        return [
            *self._channel_blockers(plan),
            *self._variant_blockers(plan),
            *_address_blockers(plan.draft.shipping_address, "shipping address"),
            *_address_blockers(plan.draft.billing_address, "billing address"),
        ]

    def _channel_blockers(self, plan: _Plan) -> Iterable[Blocker]:
        channel = self.channels.get(plan.channel_id or 0)
        if channel is None:
            yield _mismatch(
                "The marketplace is mapped to a channel that is gone. "
                "Choose another one.",
                plan.new.channel_id,
            )
            return
        if channel.currency_code != plan.draft.currency:
            yield _mismatch(
                f"The order is in {plan.draft.currency}, but channel {channel.slug} "
                f"sells in {channel.currency_code}. Map the marketplace to a channel "
                f"in {plan.draft.currency}.",
                channel.slug,
            )
        if (channel.pk, plan.shipping_method_id) not in self.shipping_methods:
            yield _mismatch(
                f"The mapped shipping method is not available in channel "
                f"{channel.slug}. Add it there, or choose another one.",
                plan.new.shipping_method_id,
            )
        for text, id_ in zip(plan.new.warehouse_ids, plan.warehouse_ids, strict=True):
            if (channel.pk, id_) not in self.warehouses:
                yield _mismatch(
                    f"A mapped warehouse does not belong to channel {channel.slug}. "
                    "Add it there, or choose another one.",
                    text,
                )

    def _variant_blockers(self, plan: _Plan) -> Iterable[Blocker]:
        for sku in dict.fromkeys(
            line.sku
            for line in plan.draft.lines
            if plan.variant_id(line) not in self.variants
        ):
            yield unknown_sku(sku)


def unknown_sku(sku: str) -> Blocker:
    return Blocker(
        BlockerCode.UNKNOWN_SKU,
        f"No product variant has the SKU {sku}. Create one, or give the SKU to one; "
        "the order is then imported by itself.",
        sku,
    )


def _mismatch(message: str, subject: str) -> Blocker:
    return Blocker(BlockerCode.CHANNEL_MISMATCH, message, subject)


_ADDRESS_FIELDS = (
    "first_name",
    "last_name",
    "company_name",
    "street_address_1",
    "street_address_2",
    "city",
    "city_area",
    "country_area",
    "postal_code",
)
_ADDRESS_LIMITS = {
    name: Address._meta.get_field(name).max_length for name in _ADDRESS_FIELDS
}


def _address_blockers(address: AddressDraft | None, name: str) -> Iterable[Blocker]:
    if address is None:
        return
    for column, limit in _ADDRESS_LIMITS.items():
        if len(getattr(address, column)) > limit:
            yield Blocker(
                BlockerCode.BAD_ADDRESS,
                f"The {name}'s {column.replace('_', ' ')} is longer than the {limit} "
                "characters that Saleor holds.",
                column,
            )
    if address.country not in countries:
        yield Blocker(
            BlockerCode.BAD_ADDRESS,
            f"The {name} is in a country that Saleor does not know: "
            f"{address.country!r}.",
            "country",
        )


# --- stock ---------------------------------------------------------------------------


def _supply(plans: Sequence[_Plan], around: _Surroundings) -> None:
    """Give each order its stock, or the blocker that says what is short."""
    with_stock = [plan for plan in plans if not plan.draft.is_amazon_fulfilled]
    pool = StockPool(
        {
            variant_id
            for plan in with_stock
            for line in plan.draft.lines
            if around.variants[variant_id := plan.variant_id(line)].tracks_inventory
        },
        {id_ for plan in with_stock for id_ in plan.warehouse_ids},
    )
    for plan in plans:
        demands = [_demand(plan, line, around) for line in plan.draft.lines]
        answer = pool.supply(
            [demand for demand in demands if demand], plan.warehouse_ids
        )
        if answer and isinstance(answer[0], Shortage):
            plan.blockers = [_short(plan, shortage, around) for shortage in answer]
            continue
        supplies = iter(answer)
        plan.supplies = [
            next(supplies) if demand else Supply(taken=[(None, plan.shipped(line))])
            for demand, line in zip(demands, plan.draft.lines, strict=True)
        ]
    pool.write()


def _demand(plan: _Plan, line: LineDraft, around: _Surroundings) -> Demand | None:
    """None where no stock is kept: Amazon's own, and variants without inventory."""
    variant = around.variants[plan.variant_id(line)]
    if plan.draft.is_amazon_fulfilled or not variant.tracks_inventory:
        return None
    shipped = plan.shipped(line)
    return Demand(variant.id, line.quantity - shipped, shipped)


def _short(plan: _Plan, shortage: Shortage, around: _Surroundings) -> Blocker:
    sku = next(
        line.sku
        for line in plan.draft.lines
        if plan.variant_id(line) == shortage.variant_id
    )
    names = ", ".join(
        around.warehouses[plan.channel_id, id_] for id_ in plan.warehouse_ids
    )
    return Blocker(
        BlockerCode.OUT_OF_STOCK,
        f"{shortage.needed} of {sku} are needed and {shortage.free} are free in the "
        f"mapped warehouses ({names}). The order is imported as soon as there is "
        "stock.",
        sku,
    )


# --- the rows ------------------------------------------------------------------------


@dataclass(slots=True)
class _Rows:
    """All rows of a batch, table by table."""

    addresses: list[Address] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    discounts: list[OrderLineDiscount] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    fulfillment_lines: list[FulfillmentLine] = field(default_factory=list)
    transactions: list[TransactionItem] = field(default_factory=list)
    transaction_events: list[TransactionEvent] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)

    def insert(self) -> None:
        # In the order of their foreign keys: a parent's key is known once it is in.
        for rows in (
            self.addresses,
            self.orders,
            self.lines,
            self.discounts,
            self.allocations,
            self.fulfillments,
            self.fulfillment_lines,
            self.transactions,
            self.transaction_events,
            self.events,
        ):
            if rows:
                type(rows[0]).objects.bulk_create(rows)


def _write(plans: Sequence[_Plan], around: _Surroundings) -> None:
    if not plans:
        return
    rows = _Rows()
    for plan in plans:
        _add_order(plan, around, rows)
        _add_lines(plan, around, rows)
        _add_fulfillment(plan, rows)
        _add_transaction(plan, around, rows)
        _add_event(plan, around, rows)
    _number_and_index(plans, rows)
    rows.insert()
    transaction.on_commit(partial(_announce, rows.orders))


def _add_order(plan: _Plan, around: _Surroundings, rows: _Rows) -> None:
    draft = plan.draft
    channel = around.channels[plan.channel_id]
    method = around.shipping_methods[plan.channel_id, plan.shipping_method_id]
    tax_class = around.tax_classes.get(method.tax_class_id)
    subtotal = _sum(line.total for line in draft.lines)
    undiscounted_lines = _sum(line.undiscounted_total for line in draft.lines)
    undiscounted_shipping = Price(
        draft.undiscounted_total.gross - undiscounted_lines.gross,
        draft.undiscounted_total.net - undiscounted_lines.net,
    )
    plan.order = order = Order(
        number=0,  # drawn for all at once; the field's default is a query each
        external_reference=plan.amazon_order_id,
        created_at=draft.created_at,
        status=_status(plan),
        origin=OrderOrigin.BULK_CREATE,
        channel=channel,
        currency=draft.currency,
        # No customer, no e-mail address: Saleor would write there, and Amazon does.
        user=None,
        user_email="",
        billing_address=_address(draft.billing_address, rows),
        shipping_address=_address(draft.shipping_address, rows),
        language_code=_language(draft.language_code),
        display_gross_prices=draft.display_gross_prices,
        customer_note=draft.customer_note,
        metadata={ORDER_ID_KEY: plan.amazon_order_id, **draft.metadata},
        private_metadata=dict(draft.private_metadata),
        lines_count=len(draft.lines),
        weight=Weight(
            g=sum(
                around.variants[plan.variant_id(line)].grams * line.quantity
                for line in draft.lines
            )
        ),
        shipping_method=method,
        shipping_method_name=(
            f"{method.name} ({draft.shipping_name}, {plan.amazon_order_id})"
        ),
        shipping_method_metadata=method.metadata,
        shipping_method_private_metadata=method.private_metadata,
        shipping_tax_rate=_tax_rate(draft.shipping_tax_rate),
        shipping_tax_class=tax_class,
        shipping_tax_class_name=tax_class.name if tax_class else None,
        shipping_tax_class_metadata=tax_class.metadata if tax_class else {},
        shipping_tax_class_private_metadata=(
            tax_class.private_metadata if tax_class else {}
        ),
        shipping_price_net_amount=draft.shipping.net,
        shipping_price_gross_amount=draft.shipping.gross,
        base_shipping_price_amount=_as_entered(draft.shipping, channel),
        undiscounted_base_shipping_price_amount=_as_entered(
            undiscounted_shipping, channel
        ),
        subtotal_net_amount=subtotal.net,
        subtotal_gross_amount=subtotal.gross,
        total_net_amount=draft.total.net,
        total_gross_amount=draft.total.gross,
        undiscounted_total_net_amount=draft.undiscounted_total.net,
        undiscounted_total_gross_amount=draft.undiscounted_total.gross,
        # The buyer has paid Amazon.
        total_charged_amount=draft.total.gross,
        charge_status=OrderChargeStatus.FULL,
        authorize_status=OrderAuthorizeStatus.FULL,
        should_refresh_prices=False,
    )
    rows.orders.append(order)


def _status(plan: _Plan) -> str:
    shipped = sum(plan.shipped(line) for line in plan.draft.lines)
    if not shipped:
        return OrderStatus.UNFULFILLED
    if shipped < sum(line.quantity for line in plan.draft.lines):
        return OrderStatus.PARTIALLY_FULFILLED
    return OrderStatus.FULFILLED


def _add_lines(plan: _Plan, around: _Surroundings, rows: _Rows) -> None:
    channel = around.channels[plan.channel_id]
    # Saleor orders lines by creation, then key: sorted keys keep Amazon's order.
    keys = sorted(uuid4() for _ in plan.draft.lines)
    for key, draft, supply in zip(keys, plan.draft.lines, plan.supplies, strict=True):
        variant = around.variants[plan.variant_id(draft)]
        tax_class = around.tax_classes.get(variant.tax_class_id)
        unit = _unit(draft.total, draft.quantity, plan.draft.currency)
        undiscounted_unit = _unit(
            draft.undiscounted_total, draft.quantity, plan.draft.currency
        )
        base_unit = _as_entered(unit, channel)
        undiscounted_base_unit = _as_entered(undiscounted_unit, channel)
        unit_discount = undiscounted_base_unit - base_unit
        line = OrderLine(
            id=key,
            order=plan.order,
            variant_id=variant.id,
            product_variant_id=graphene.Node.to_global_id("ProductVariant", variant.id),
            product_type_id=variant.product_type_id,
            product_name=variant.product_name,
            variant_name=variant.name,
            product_sku=variant.sku,
            is_shipping_required=variant.is_shipping_required,
            is_gift_card=variant.is_gift_card,
            quantity=draft.quantity,
            quantity_fulfilled=plan.shipped(draft),
            currency=plan.draft.currency,
            unit_price_net_amount=unit.net,
            unit_price_gross_amount=unit.gross,
            total_price_net_amount=draft.total.net,
            total_price_gross_amount=draft.total.gross,
            undiscounted_unit_price_net_amount=undiscounted_unit.net,
            undiscounted_unit_price_gross_amount=undiscounted_unit.gross,
            undiscounted_total_price_net_amount=draft.undiscounted_total.net,
            undiscounted_total_price_gross_amount=draft.undiscounted_total.gross,
            base_unit_price_amount=base_unit,
            undiscounted_base_unit_price_amount=undiscounted_base_unit,
            unit_discount_amount=unit_discount,
            unit_discount_value=unit_discount,
            tax_rate=_tax_rate(draft.tax_rate),
            tax_class=tax_class,
            tax_class_name=tax_class.name if tax_class else None,
            tax_class_metadata=tax_class.metadata if tax_class else {},
            tax_class_private_metadata=tax_class.private_metadata if tax_class else {},
            metadata=dict(draft.metadata),
            private_metadata={ORDER_ITEM_ID_KEY: draft.order_item_id},
        )
        if unit_discount > 0:
            line.unit_discount_type = DiscountValueType.FIXED
            line.unit_discount_reason = f"{plan.draft.marketplace_name} promotion"
            rows.discounts.append(
                OrderLineDiscount(
                    line=line,
                    type=DiscountType.MANUAL,
                    unique_type=DiscountType.MANUAL,
                    value_type=DiscountValueType.FIXED,
                    value=unit_discount,
                    amount_value=_as_entered(draft.undiscounted_total, channel)
                    - _as_entered(draft.total, channel),
                    currency=plan.draft.currency,
                    reason=line.unit_discount_reason,
                )
            )
        plan.lines.append(line)
        rows.lines.append(line)
        rows.allocations += [
            Allocation(order_line=line, stock_id=stock_id, quantity_allocated=units)
            for stock_id, units in supply.allocated
        ]


def _add_fulfillment(plan: _Plan, rows: _Rows) -> None:
    """What has left already is one package that nobody needs to hear of."""
    taken = [
        (line, stock_id, units)
        for line, supply in zip(plan.lines, plan.supplies, strict=True)
        for stock_id, units in supply.taken
        if units
    ]
    if not taken:
        return
    fulfillment = Fulfillment(
        order=plan.order,
        fulfillment_order=1,  # Saleor counts them in save(), which is not called.
        status=FulfillmentStatus.FULFILLED,
        private_metadata={KNOWN_TO_AMAZON_KEY: "true"},
    )
    rows.fulfillments.append(fulfillment)
    rows.fulfillment_lines += [
        FulfillmentLine(
            fulfillment=fulfillment, order_line=line, stock_id=stock_id, quantity=units
        )
        for line, stock_id, units in taken
    ]


def _add_transaction(plan: _Plan, around: _Surroundings, rows: _Rows) -> None:
    marketplace = MARKETPLACES.get(plan.draft.marketplace_id)
    owner = {
        "app": around.app,
        "app_identifier": around.app.identifier if around.app else None,
    }
    item = TransactionItem(
        order=plan.order,
        name=plan.draft.marketplace_name,
        message=f"Paid to {plan.draft.marketplace_name}",
        psp_reference=plan.amazon_order_id,
        available_actions=[TransactionAction.REFUND],
        currency=plan.draft.currency,
        charged_value=plan.draft.total.gross,
        external_url=(
            marketplace.order_url(plan.amazon_order_id) if marketplace else None
        ),
        **owner,
    )
    rows.transactions.append(item)
    rows.transaction_events.append(
        TransactionEvent(
            transaction=item,
            type=TransactionEventType.CHARGE_SUCCESS,
            created_at=plan.draft.created_at,
            psp_reference=plan.amazon_order_id,
            message=item.message,
            amount_value=plan.draft.total.gross,
            currency=plan.draft.currency,
            include_in_calculations=True,
            **owner,
        )
    )


def _add_event(plan: _Plan, around: _Surroundings, rows: _Rows) -> None:
    rows.events.append(
        OrderEvent(
            order=plan.order,
            type=OrderEvents.PLACED,
            date=plan.draft.created_at,
            app=around.app,
        )
    )


def _number_and_index(plans: Sequence[_Plan], rows: _Rows) -> None:
    """Draw the orders' numbers and make their search vectors, in one statement.

    The texts and their weights are those of ``saleor/order/search.py``, which would
    cost two queries per order.
    """
    tokens = {item.order_id: item.token for item in rows.transactions}
    texts = [_search_texts(plan, tokens[plan.order.pk]) for plan in plans]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number, (
                setweight(to_tsvector('simple', number || ' ' || a), 'A')
                || setweight(to_tsvector('simple', b), 'B')
                || setweight(to_tsvector('simple', c), 'C')
                || setweight(to_tsvector('simple', d), 'D')
            )::text
            FROM (
                SELECT nextval('order_order_number_seq') AS number, a, b, c, d, position
                FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                    WITH ORDINALITY AS texts (a, b, c, d, position)
            ) AS numbered
            ORDER BY position
            """,
            [list(column) for column in zip(*texts, strict=True)],
        )
        for plan, (number, vector) in zip(plans, cursor.fetchall(), strict=True):
            plan.order.number, plan.order.search_vector = number, vector


def _search_texts(plan: _Plan, token: UUID) -> tuple[str, str, str, str]:
    order = plan.order
    lines = plan.lines[: settings.SEARCH_ORDERS_MAX_INDEXED_LINES]
    weighted = (
        [graphene.Node.to_global_id("Order", order.pk)],
        [
            order.customer_note,
            *_address_texts(plan.draft.billing_address),
            *_address_texts(plan.draft.shipping_address),
            plan.amazon_order_id,
        ],
        [
            text
            for line in lines
            for text in (line.product_sku or "", line.product_name, line.variant_name)
        ],
        [
            graphene.Node.to_global_id("TransactionItem", token),
            plan.amazon_order_id,
        ],
    )
    a, b, c, d = (searchable_text("\n".join(texts)) for texts in weighted)
    return a, b, c, d


def _address_texts(address: AddressDraft | None) -> list[str]:
    if address is None:
        return []
    return [
        *(getattr(address, column) for column in _ADDRESS_FIELDS),
        str(countries.name(address.country)),
        address.country,
        address.phone,
    ]


def _address(draft: AddressDraft | None, rows: _Rows) -> Address | None:
    if draft is None:
        return None
    address = Address(
        **{column: getattr(draft, column) for column in _ADDRESS_FIELDS},
        country=draft.country,
        phone=draft.phone,
        # It is the address Amazon gave; Saleor's rules per country were not applied.
        validation_skipped=True,
    )
    rows.addresses.append(address)
    return address


def _announce(orders: Sequence[Order]) -> None:
    """Tell other plugins and apps, as Saleor does after a bulk import."""
    try:
        get_plugins_manager(allow_replica=False).order_bulk_created(list(orders))
    except Exception as error:  # noqa: BLE001 - the orders are saved all the same
        logger.error(
            "Other apps were not told of %d imported orders: %s",
            len(orders),
            type(error).__name__,
        )


# --- small things --------------------------------------------------------------------


def _sum(prices: Iterable[Price]) -> Price:
    gross = net = Decimal(0)
    for price in prices:
        gross, net = gross + price.gross, net + price.net
    return Price(gross, net)


def _unit(total: Price, quantity: int, currency: str) -> Price:
    """The price of one unit, rounded: what counts, and is exact, is the total."""
    return Price(
        quantize_price(total.gross / quantity, currency),
        quantize_price(total.net / quantity, currency),
    )


def _as_entered(price: Price, channel: Channel) -> Decimal:
    """A base price as the channel's own prices are given: with tax or without."""
    if channel.tax_configuration.prices_entered_with_tax:
        return price.gross
    return price.net


def _tax_rate(rate: Decimal | None) -> Decimal | None:
    return rate if rate is None else rate.quantize(_TAX_RATE_PLACES)


def _language(code: str) -> str:
    """Saleor's code for a language; its default where it has none like it."""
    code = code.lower().replace("_", "-")
    for candidate in (code, code.partition("-")[0]):
        if candidate in _LANGUAGES:
            return candidate
    return settings.LANGUAGE_CODE


def _integer(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
