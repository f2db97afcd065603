"""Saleor as the channel's shop: the port of ``store/contract.py`` on Saleor's tables.

Ids are Saleor's primary keys as text, not its GraphQL ids. Callers surround calls with
``store.writer()``: everything here reads and writes on Saleor's writer connection.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings as django_settings
from django.contrib.sites.models import Site
from django.db import connection
from django.db.models import (
    Exists,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from saleor.channel.models import Channel as ChannelRow
from saleor.order import (
    FulfillmentStatus,
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
from saleor.product.models import (
    ProductChannelListing,
    ProductVariant,
    ProductVariantChannelListing,
)
from saleor.shipping.models import ShippingMethodChannelListing
from saleor.warehouse.models import (
    Allocation,
    ChannelWarehouse,
    Reservation,
    Stock,
)

from .. import clock
from ..store import blockers
from ..store.contract import (
    AddressDraft,
    BlockedOrder,
    Blocker,
    CancelledShipment,
    Channel,
    CreatedOrder,
    ForeignPackage,
    NewOrder,
    OrderDraft,
    OrderState,
    RecordedRefund,
    RefundByHand,
    RefundDraft,
    RefundRequest,
    Shipment,
    ShippedLine,
    ShippingMethod,
    ShopAddress,
    ShopInvoice,
    ShopOrderFigures,
    SkuResolution,
    Warehouse,
)
from . import following, invoices, redacting, refund_requests, refunds
from .actions import cancel_order
from .app import get_app
from .order_rows import CARRIER_KEY, KNOWN_TO_AMAZON_KEY, ORDER_ID_KEY
from .orders import create_orders, would_block
from .plugin import show_settings

#: Saleor has more in them than type checkers know of.
settings: Any = django_settings

#: The keys of a variant and of its product.
_Variant = tuple[int, int]


class SaleorStore:
    """See ``store.contract.Store``."""

    def channels(self) -> Sequence[Channel]:
        warehouses: dict[int, list[Warehouse]] = defaultdict(list)
        for row in ChannelWarehouse.objects.select_related("warehouse"):
            warehouses[row.channel_id].append(
                Warehouse(str(row.warehouse_id), row.warehouse.name)
            )
        methods: dict[int, list[ShippingMethod]] = defaultdict(list)
        for listing in ShippingMethodChannelListing.objects.select_related(
            "shipping_method"
        ).order_by("shipping_method_id"):
            methods[listing.channel_id].append(
                ShippingMethod(
                    str(listing.shipping_method_id), listing.shipping_method.name
                )
            )
        return [
            Channel(
                id=str(channel.pk),
                slug=channel.slug,
                currency=channel.currency_code,
                warehouses=tuple(warehouses[channel.pk]),
                shipping_methods=tuple(methods[channel.pk]),
            )
            for channel in ChannelRow.objects.order_by("slug")
        ]

    def resolve_skus(
        self, skus: Mapping[str, Collection[str]]
    ) -> Mapping[str, Mapping[str, SkuResolution]]:
        named = set().union(*skus.values())
        by_reference: dict[str, _Variant] = {}
        by_sku: dict[str, _Variant] = {}
        for sku, reference, pk, product_id in ProductVariant.objects.filter(
            Q(sku__in=named) | Q(external_reference__in=named)
        ).values_list("sku", "external_reference", "pk", "product_id"):
            if reference:
                by_reference[reference] = (pk, product_id)
            if sku:
                by_sku[sku] = (pk, product_id)
        found = {sku: by_sku.get(sku) or by_reference.get(sku) for sku in named}
        return _resolutions(
            {channel: {sku: found[sku] for sku in of} for channel, of in skus.items()},
            blockers.unknown_sku,
        )

    def resolve_variants(
        self, variant_ids: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, Mapping[str, SkuResolution]]:
        ids = {pk for of in variant_ids.values() for pk in of.values()}
        found: dict[str, _Variant] = {
            str(pk): (pk, product_id)
            for pk, product_id in ProductVariant.objects.filter(
                pk__in=[pk for pk in ids if pk.isdecimal()]
            ).values_list("pk", "product_id")
        }
        return _resolutions(
            {
                channel: {sku: found.get(pk) for sku, pk in of.items()}
                for channel, of in variant_ids.items()
            },
            blockers.variant_gone,
        )

    def variant_skus(self, variant_ids: Sequence[str]) -> Mapping[str, str]:
        ids = [pk for pk in variant_ids if pk.isdecimal()]
        return {
            str(pk): sku or ""
            for pk, sku in ProductVariant.objects.filter(pk__in=ids).values_list(
                "pk", "sku"
            )
        }

    def available_stock(
        self, variant_ids: Sequence[str], warehouse_ids: Sequence[str]
    ) -> Mapping[str, int]:
        counted = ProductVariant.objects.filter(
            pk__in=variant_ids, track_inventory=True
        ).values_list("pk", flat=True)
        free = {str(pk): 0 for pk in counted}
        stocks = (
            Stock.objects.filter(
                product_variant_id__in=list(free), warehouse_id__in=warehouse_ids
            )
            .annotate(
                promised=Subquery(
                    Allocation.objects.filter(stock=OuterRef("pk"))
                    .order_by()
                    .values("stock")
                    .annotate(units=Sum("quantity_allocated"))
                    .values("units")
                ),
                reserved=Subquery(
                    Reservation.objects.filter(
                        stock=OuterRef("pk"), reserved_until__gt=clock.now()
                    )
                    .order_by()
                    .values("stock")
                    .annotate(units=Sum("quantity_reserved"))
                    .values("units")
                ),
            )
            .values_list("product_variant_id", "quantity", "promised", "reserved")
        )
        for variant_id, quantity, promised, reserved in stocks:
            units = quantity - (promised or 0) - (reserved or 0)
            free[str(variant_id)] += max(units, 0)
        return free

    def address_problems(self, address: AddressDraft) -> Mapping[str, str]:
        from . import addresses  # With Saleor's GraphQL, which only this one needs.

        return addresses.problems(address)

    def create_orders(
        self, orders: Sequence[NewOrder]
    ) -> Sequence[CreatedOrder | BlockedOrder]:
        return create_orders(orders)

    def would_block(self, orders: Sequence[NewOrder]) -> Sequence[tuple[Blocker, ...]]:
        return would_block(orders)

    def shipments(self, fulfillment_ids: Sequence[str]) -> Sequence[Shipment]:
        return _shipments(Fulfillment.objects.filter(pk__in=fulfillment_ids))

    def shipments_changed_since(self, moment: datetime) -> Sequence[Shipment]:
        # Saleor writes an event for each; a fulfillment itself has no time of change.
        events = _events_since(
            moment,
            OrderEvents.FULFILLMENT_FULFILLED_ITEMS,
            OrderEvents.TRACKING_UPDATED,
        ).values_list("type", "order_id", "parameters")
        line_ids: set[int] = set()
        positions: set[tuple[UUID, int]] = set()
        for type_, order_id, parameters in events:
            if type_ == OrderEvents.TRACKING_UPDATED:
                positions.add((order_id, position_of(parameters["fulfillment"])))
            else:
                line_ids.update(parameters["fulfilled_items"])
        if not line_ids and not positions:
            return []
        tracked = [
            pk
            for pk, order_id, position in Fulfillment.objects.filter(
                order_id__in={order_id for order_id, _ in positions}
            ).values_list("pk", "order_id", "fulfillment_order")
            if (order_id, position) in positions
        ]
        return _shipments(
            Fulfillment.objects.filter(
                Q(pk__in=tracked)
                | Exists(
                    FulfillmentLine.objects.filter(
                        fulfillment=OuterRef("pk"), pk__in=line_ids
                    )
                )
            )
        )

    def cancelled_fulfillments(self, fulfillment_ids: Sequence[str]) -> set[str]:
        cancelled = Fulfillment.objects.filter(
            pk__in=fulfillment_ids, status=FulfillmentStatus.CANCELED
        )
        return {str(pk) for pk in cancelled.values_list("pk", flat=True)}

    def shipments_cancelled_since(
        self, moment: datetime
    ) -> Sequence[CancelledShipment]:
        events = [
            ((event.order_id, position_of(event.parameters["composed_id"])), event)
            for event in _events_since(moment, OrderEvents.FULFILLMENT_CANCELED)
            .select_related("user", "app")
            .order_by("pk")
            # One that waited for its approval is gone, and the event does not name it.
            if "composed_id" in event.parameters
        ]
        cancelled = {
            (order_id, position): str(pk)
            for pk, order_id, position in Fulfillment.objects.filter(
                order_id__in={order_id for (order_id, _), _ in events},
                status=FulfillmentStatus.CANCELED,
            ).values_list("pk", "order_id", "fulfillment_order")
        }
        return [
            CancelledShipment(
                str(event.order_id),
                cancelled[place],
                _actor(event),
            )
            for place, event in events
            if place in cancelled
        ]

    def note_shipment(self, fulfillment_id: str, metadata: Mapping[str, str]) -> None:
        # Merged by the database: staff may be writing other keys at this moment.
        Fulfillment.objects.filter(pk=fulfillment_id).update(
            metadata=Func(
                F("metadata"),
                Value(dict(metadata), output_field=JSONField()),
                template="(%(expressions)s)",
                arg_joiner=" || ",
            )
        )

    def cancel_orders(self, order_ids: Sequence[str], note: str) -> Mapping[str, str]:
        problems = {}
        for order_id in order_ids:
            problems[order_id], is_news = cancel_order(order_id)
            if is_news:
                self.add_note(order_id, note)
        return problems

    def order_state(self, order_id: str) -> OrderState | None:
        return following.order_state(order_id)

    def revise_order(
        self, order_id: str, draft: OrderDraft, line_ids: Mapping[str, str]
    ) -> str:
        return following.revise_order(order_id, draft, line_ids)

    def fulfil_order(self, order_id: str, package: ForeignPackage) -> Sequence[str]:
        return following.fulfil_order(order_id, package)

    def change_tracking(
        self, fulfillment_id: str, tracking_number: str, carrier: str
    ) -> None:
        following.change_tracking(fulfillment_id, tracking_number, carrier)

    def change_shipping_address(self, order_id: str, address: AddressDraft) -> None:
        following.change_shipping_address(order_id, address)

    def record_refund(self, order_id: str, refund: RefundDraft) -> RecordedRefund:
        return refunds.record_refund(order_id, refund)

    def address(self) -> ShopAddress:
        # Django keeps the site in memory once it has been read.
        return ShopAddress(settings.PUBLIC_URL or "", Site.objects.get_current().domain)

    def show_settings(self, values: Mapping[str, object]) -> None:
        show_settings(values)

    def refund_requests(self, request_ids: Sequence[str]) -> Sequence[RefundRequest]:
        return refund_requests.by_id(request_ids)

    def refund_requests_since(self, moment: datetime) -> Sequence[RefundRequest]:
        return refund_requests.open_since(moment)

    def refunds_by_hand_since(self, moment: datetime) -> Sequence[RefundByHand]:
        return refund_requests.by_hand_since(moment)

    def take_refund(self, request: RefundRequest) -> None:
        refund_requests.take(request)

    def refuse_refund(self, request: RefundRequest, message: str) -> None:
        refund_requests.refuse(request, message)

    def settle_refund(self, refund: RefundDraft, request_id: str) -> str:
        return refund_requests.settle(refund, request_id)

    def fail_refund(self, request_id: str, reference: str, message: str) -> None:
        refund_requests.fail(request_id, reference, message)

    def redact_orders(self, order_ids: Sequence[str]) -> None:
        redacting.redact_orders(order_ids)

    def add_note(self, order_id: str, message: str) -> None:
        # bulk_create sends no signal: a note of ours is not an action of staff.
        OrderEvent.objects.bulk_create(
            [
                OrderEvent(
                    order_id=order_id,
                    type=OrderEvents.NOTE_ADDED,
                    date=clock.now(),
                    app=get_app(),
                    parameters={"message": message},
                )
            ]
        )

    def contained_tax_rates(self, order_id: str) -> Mapping[str, Decimal]:
        return invoices.contained_tax_rates(order_id)

    def issuer(self) -> Sequence[str]:
        return invoices.issuer()

    def invoices(self, invoice_ids: Sequence[str]) -> Sequence[ShopInvoice]:
        return invoices.by_id(invoice_ids)

    def invoices_changed_since(self, moment: datetime) -> Sequence[ShopInvoice]:
        return invoices.changed_since(moment)

    def make_missed_invoices(self, moment: datetime) -> int:
        return invoices.make_missed(moment)

    def add_invoice(self, order_id: str, number: str, file: bytes) -> str:
        return invoices.add(order_id, number, file)

    def invoice_file(self, invoice_id: str) -> bytes | None:
        return invoices.file(invoice_id)

    def note_invoice(self, invoice_id: str, metadata: Mapping[str, str]) -> None:
        invoices.note(invoice_id, metadata)

    def orders_of(self, amazon_order_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        # Both conditions are looked up in indexes of Saleor's.
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT id, external_reference, metadata ->> %s
                FROM {Order._meta.db_table}
                WHERE (
                    external_reference = ANY(%s) OR metadata @> ANY(%s::jsonb[])
                ) AND NOT status = ANY(%s) AND origin <> %s
                """,  # noqa: S608 - the name is a model's table
                [
                    ORDER_ID_KEY,
                    list(amazon_order_ids),
                    [json.dumps({ORDER_ID_KEY: id_}) for id_ in amazon_order_ids],
                    [OrderStatus.DRAFT, OrderStatus.CANCELED, OrderStatus.EXPIRED],
                    OrderOrigin.REISSUE,
                ],
            )
            rows = cursor.fetchall()
        asked, found = set(amazon_order_ids), defaultdict(list)
        for pk, reference, in_metadata in rows:
            for amazon_order_id in {reference, in_metadata} & asked:
                found[amazon_order_id].append(str(pk))
        return found

    def figures(self, order_ids: Sequence[str]) -> Mapping[str, ShopOrderFigures]:
        lines: dict[UUID, list[OrderLine]] = defaultdict(list)
        for line in OrderLine.objects.filter(order_id__in=order_ids):
            lines[line.order_id].append(line)
        allocated: dict[UUID, int] = dict(
            Allocation.objects.filter(order_line__order_id__in=order_ids)
            .order_by()
            .values_list("order_line__order_id")
            .annotate(Sum("quantity_allocated"))
        )
        return {
            str(order.pk): ShopOrderFigures(
                order_id=str(order.pk),
                number=str(order.number),
                status=order.status,
                currency=order.currency,
                total=order.total_gross_amount,
                total_charged=order.total_charged_amount,
                lines=tuple(
                    (
                        line.product_sku or "",
                        line.quantity,
                        line.total_price_gross_amount,
                    )
                    for line in lines[order.pk]
                ),
                shipping=order.shipping_price_gross_amount,
                allocated=allocated.get(order.pk, 0),
                fulfilled=sum(line.quantity_fulfilled for line in lines[order.pk]),
            )
            for order in Order.objects.filter(pk__in=order_ids)
        }


def _resolutions(
    found: Mapping[str, Mapping[str, _Variant | None]],
    unknown: Callable[[str], Blocker],
) -> dict[str, dict[str, SkuResolution]]:
    """By channel id and SKU the variant, where there is one."""
    variants = {each for of in found.values() for each in of.values() if each}
    published, listed, slugs = set(), set(), {}
    if variants:
        published = {
            (str(listing.channel_id), listing.product_id)
            for listing in ProductChannelListing.objects.filter(
                channel_id__in=found, product_id__in={each[1] for each in variants}
            )
            if listing.is_visible
        }
        listed = {
            (str(channel_id), variant_id)
            for channel_id, variant_id in ProductVariantChannelListing.objects.filter(
                channel_id__in=found,
                variant_id__in={each[0] for each in variants},
                price_amount__isnull=False,
            ).values_list("channel_id", "variant_id")
        }
        slugs = {
            str(pk): slug
            for pk, slug in ChannelRow.objects.filter(pk__in=found).values_list(
                "pk", "slug"
            )
        }

    def resolution(
        channel_id: str, sku: str, variant: _Variant | None
    ) -> SkuResolution:
        if variant is None:
            return SkuResolution(sku, None, unknown(sku))
        blocker, slug = None, slugs.get(channel_id, channel_id)
        if (channel_id, variant[1]) not in published:
            blocker = blockers.not_published(sku, slug)
        elif (channel_id, variant[0]) not in listed:
            blocker = blockers.no_price(sku, slug)
        return SkuResolution(sku, str(variant[0]), blocker)

    return {
        channel_id: {
            sku: resolution(channel_id, sku, variant) for sku, variant in of.items()
        }
        for channel_id, of in found.items()
    }


def _events_since(moment: datetime, *types: str) -> QuerySet[OrderEvent]:
    """What staff did with Amazon orders."""
    return OrderEvent.objects.filter(
        type__in=types,
        date__gte=moment,
        order__origin=OrderOrigin.BULK_CREATE,
        order__metadata__has_key=ORDER_ID_KEY,
    )


def _actor(event: OrderEvent) -> str:
    if event.user:
        return str(event.user.email)
    return (event.app.name or "") if event.app else ""


def position_of(composed_id: str) -> int:
    """Which fulfillment of its order: Saleor's events say "<order number>-<which>"."""
    return int(composed_id.rpartition("-")[2])


def _shipments(fulfillments: QuerySet[Fulfillment]) -> list[Shipment]:
    """What staff shipped, among these; not what Amazon told us it had shipped."""
    found = list(
        fulfillments.filter(status=FulfillmentStatus.FULFILLED)
        .exclude(private_metadata__has_key=KNOWN_TO_AMAZON_KEY)
        .prefetch_related("lines")
        .order_by("pk")
    )
    shipped_by_line = {
        line_id: event
        for event in OrderEvent.objects.filter(
            order_id__in={row.order_id for row in found},
            type=OrderEvents.FULFILLMENT_FULFILLED_ITEMS,
        ).select_related("user", "app")
        for line_id in event.parameters["fulfilled_items"]
    }
    return [
        _shipment(
            row,
            next(
                (
                    shipped_by_line[line.pk]
                    for line in row.lines.all()
                    if line.pk in shipped_by_line
                ),
                None,
            ),
        )
        for row in found
    ]


def _shipment(fulfillment: Fulfillment, event: OrderEvent | None) -> Shipment:
    units: dict[str, int] = defaultdict(int)
    for line in fulfillment.lines.all():
        units[str(line.order_line_id)] += line.quantity
    return Shipment(
        order_id=str(fulfillment.order_id),
        fulfillment_id=str(fulfillment.pk),
        tracking_number=fulfillment.tracking_number,
        carrier=fulfillment.metadata.get(CARRIER_KEY, ""),
        # With approval it leaves later than it was made: the event knows when.
        shipped_at=event.date if event else fulfillment.created_at,
        lines=tuple(ShippedLine(line_id, count) for line_id, count in units.items()),
        actor=_actor(event) if event else "",
    )
