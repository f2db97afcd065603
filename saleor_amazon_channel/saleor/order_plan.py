"""An Amazon order on its way into Saleor: what it needs there, and what blocks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django_countries import countries
from saleor.account.models import Address
from saleor.app.models import App
from saleor.channel.models import Channel
from saleor.product import ProductTypeKind
from saleor.product.models import ProductVariant
from saleor.shipping.models import ShippingMethod, ShippingMethodChannelListing
from saleor.tax.models import TaxClass
from saleor.warehouse.models import ChannelWarehouse

from ..store import blockers
from ..store.contract import (
    AddressDraft,
    BlockedOrder,
    Blocker,
    CreatedOrder,
    LineDraft,
    NewOrder,
)
from .allocation import Supply
from .app import get_app


class Plan:
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
        self.order_id = uuid4()
        self.number = 0
        #: Saleor's user that the order belongs to; None for a guest.
        self.user_id: int | None = None
        # Saleor orders lines by creation, then key: sorted keys keep Amazon's order.
        self.line_ids = sorted(uuid4() for _ in new.draft.lines)

    def variant_id(self, line: LineDraft) -> int:
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
            str(self.order_id),
            str(self.number),
            {
                line.order_item_id: str(line_id)
                for line, line_id in zip(self.draft.lines, self.line_ids, strict=True)
            },
            self.printed_number,
        )

    @property
    def printed_number(self) -> str:
        """Known once the order is numbered."""
        if self.new.is_amazon_number_printed:
            return self.amazon_order_id
        return str(self.number)


@dataclass(frozen=True, slots=True)
class Variant:
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
    def load(cls, ids: Iterable[int]) -> dict[int, Variant]:
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
class Surroundings:
    """What the shop has around a batch, read once."""

    channels: Mapping[int, Channel]
    #: (channel, warehouse) → the warehouse's name.
    warehouses: Mapping[tuple[int, UUID], str]
    #: (channel, shipping method) → the method.
    shipping_methods: Mapping[tuple[int, int], ShippingMethod]
    variants: Mapping[int, Variant]
    tax_classes: Mapping[int, TaxClass]
    app: App | None

    @classmethod
    def of(cls, plans: Sequence[Plan]) -> Surroundings:
        channel_ids = {plan.channel_id for plan in plans}
        listings = ShippingMethodChannelListing.objects.filter(
            channel_id__in=channel_ids,
            shipping_method_id__in={plan.shipping_method_id for plan in plans},
        ).select_related("shipping_method")
        variants = Variant.load(
            {plan.variant_id(line) for plan in plans for line in plan.draft.lines}
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
                | {method.tax_class_id for method in methods.values()}
            ),
            app=get_app(),
        )

    def tax_class(self, id_: int | None) -> TaxClass | None:
        return None if id_ is None else self.tax_classes.get(id_)

    def blockers(self, plan: Plan) -> list[Blocker]:
        """Why the shop cannot hold the order; stock is not looked at here."""
        return [
            *self._channel_blockers(plan),
            *self._variant_blockers(plan),
            *_address_blockers(plan.draft.shipping_address, "shipping address"),
            *_address_blockers(plan.draft.billing_address, "billing address"),
        ]

    def _channel_blockers(self, plan: Plan) -> Iterable[Blocker]:
        channel = self.channels.get(plan.channel_id)
        if channel is None:
            yield blockers.channel_gone(plan.new.channel_id)
            return
        if channel.currency_code != plan.draft.currency:
            yield blockers.other_currency(
                channel.slug, channel.currency_code, plan.draft.currency
            )
        if (channel.pk, plan.shipping_method_id) not in self.shipping_methods:
            yield blockers.shipping_method_gone(
                channel.slug, plan.new.shipping_method_id
            )
        for text, id_ in zip(plan.new.warehouse_ids, plan.warehouse_ids, strict=True):
            if (channel.pk, id_) not in self.warehouses:
                yield blockers.warehouse_gone(channel.slug, text)

    def _variant_blockers(self, plan: Plan) -> Iterable[Blocker]:
        for sku in dict.fromkeys(
            line.sku
            for line in plan.draft.lines
            if plan.variant_id(line) not in self.variants
        ):
            yield blockers.unknown_sku(sku)


ADDRESS_FIELDS = (
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
    name: Address._meta.get_field(name).max_length for name in ADDRESS_FIELDS
}


def _address_blockers(address: AddressDraft | None, name: str) -> Iterable[Blocker]:
    if address is None:
        return
    for column, limit in _ADDRESS_LIMITS.items():
        if len(getattr(address, column)) > limit:
            yield blockers.too_long(name, column, limit)
    if address.country not in countries:
        yield blockers.unknown_country(name, address.country)


def _integer(text: str) -> int:
    """A primary key; 0, which is nobody's, where the text is none."""
    return int(text) if text.isdecimal() else 0


def _uuid(text: str) -> UUID:
    """A primary key; the nil UUID, which is nobody's, where the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
