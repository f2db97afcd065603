"""The port to the stand-alone shop: see ``store/contract.py`` for what is promised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, Q, QuerySet, Sum

from ..store import blockers
from ..store.contract import (
    ORDER_ID_KEY,
    AddressDraft,
    BlockedOrder,
    Blocker,
    CancelledShipment,
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
    ShopAddress,
    ShopInvoice,
    ShopOrderFigures,
    SkuResolution,
)
from ..store.contract import (
    Channel as PortChannel,
)
from ..store.contract import (
    ShippingMethod as PortShippingMethod,
)
from ..store.contract import (
    Warehouse as PortWarehouse,
)
from . import (
    addresses,
    cancelling,
    following,
    orders,
    redacting,
    refund_requests,
    refunds,
)
from .following import CARRIER
from .models import (
    Allocation,
    Channel,
    Fulfillment,
    Invoice,
    Listing,
    Note,
    Order,
    ShippingMethod,
    Stock,
    Variant,
    Warehouse,
)


class StandaloneStore:
    """Implements ``store.contract.Store``."""

    def channels(self) -> list[PortChannel]:
        channels = Channel.objects.order_by("pk").prefetch_related(
            Prefetch("warehouses", Warehouse.objects.order_by("pk")),
            Prefetch("shipping_methods", ShippingMethod.objects.order_by("pk")),
        )
        return [
            PortChannel(
                id=str(channel.pk),
                slug=channel.slug,
                currency=channel.currency,
                warehouses=tuple(
                    PortWarehouse(str(warehouse.pk), warehouse.name)
                    for warehouse in channel.warehouses.all()
                ),
                shipping_methods=tuple(
                    PortShippingMethod(str(method.pk), method.name)
                    for method in channel.shipping_methods.all()
                ),
            )
            for channel in channels
        ]

    def resolve_skus(
        self, skus: Mapping[str, Collection[str]]
    ) -> dict[str, dict[str, SkuResolution]]:
        named = set().union(*skus.values())
        by_sku: dict[str, Variant] = {}
        by_reference: dict[str, Variant] = {}
        for variant in _with_listings(skus).filter(
            Q(sku__in=named) | Q(external_reference__in=named)
        ):
            by_sku[variant.sku] = variant
            if variant.external_reference:
                by_reference[variant.external_reference] = variant
        found = {sku: by_sku.get(sku) or by_reference.get(sku) for sku in named}
        return _resolutions(
            {channel: {sku: found[sku] for sku in of} for channel, of in skus.items()},
            blockers.unknown_sku,
        )

    def resolve_variants(
        self, variant_ids: Mapping[str, Mapping[str, str]]
    ) -> dict[str, dict[str, SkuResolution]]:
        ids = {pk for of in variant_ids.values() for pk in of.values()}
        found = {
            str(variant.pk): variant
            for variant in _with_listings(variant_ids).filter(
                pk__in=[pk for pk in ids if pk.isdecimal()]
            )
        }
        return _resolutions(
            {
                channel: {sku: found.get(pk) for sku, pk in of.items()}
                for channel, of in variant_ids.items()
            },
            blockers.variant_gone,
        )

    def variant_skus(self, variant_ids: Sequence[str]) -> dict[str, str]:
        ids = [pk for pk in variant_ids if pk.isdecimal()]
        rows = Variant.objects.filter(pk__in=ids).values_list("pk", "sku")
        return {str(pk): sku for pk, sku in rows}

    def available_stock(
        self, variant_ids: Sequence[str], warehouse_ids: Sequence[str]
    ) -> dict[str, int]:
        counted = Variant.objects.filter(pk__in=variant_ids, tracks_inventory=True)
        free = {str(pk): 0 for pk in counted.values_list("pk", flat=True)}
        for row in Stock.objects.filter(
            variant_id__in=list(free), warehouse_id__in=warehouse_ids
        ):
            free[str(row.variant_id)] += row.available
        return free

    def address_problems(self, address: AddressDraft) -> Mapping[str, str]:
        return addresses.problems(address)

    def create_orders(
        self, new_orders: Sequence[NewOrder]
    ) -> list[CreatedOrder | BlockedOrder]:
        if not connection.in_atomic_block:
            raise RuntimeError("create_orders must be called inside a transaction")
        channels = {channel.id: channel for channel in self.channels()}
        return orders.create_orders(new_orders, channels)

    def would_block(self, new_orders: Sequence[NewOrder]) -> list[tuple[Blocker, ...]]:
        channels = {channel.id: channel for channel in self.channels()}
        return orders.would_block(new_orders, channels)

    def shipments(self, fulfillment_ids: Sequence[str]) -> list[Shipment]:
        ids = [int(pk) for pk in fulfillment_ids]
        return _shipments(Fulfillment.objects.filter(pk__in=ids))

    def shipments_changed_since(self, moment: datetime) -> list[Shipment]:
        return _shipments(Fulfillment.objects.filter(changed_by_staff_at__gte=moment))

    def cancelled_fulfillments(self, fulfillment_ids: Sequence[str]) -> set[str]:
        cancelled = Fulfillment.objects.filter(
            pk__in=[int(pk) for pk in fulfillment_ids],
            status=Fulfillment.Status.CANCELED,
        )
        return {str(pk) for pk in cancelled.values_list("pk", flat=True)}

    def shipments_cancelled_since(self, moment: datetime) -> list[CancelledShipment]:
        cancelled = Fulfillment.objects.filter(
            status=Fulfillment.Status.CANCELED, changed_by_staff_at__gte=moment
        ).exclude(order__external_reference=None)
        return [
            CancelledShipment(str(row.order_id), str(row.pk), row.actor)
            for row in cancelled.order_by("pk")
        ]

    def note_shipment(self, fulfillment_id: str, metadata: Mapping[str, str]) -> None:
        fulfillment = (
            Fulfillment.objects.select_for_update()
            .filter(pk=int(fulfillment_id))
            .first()
        )
        if fulfillment is not None:
            fulfillment.metadata.update(metadata)
            fulfillment.save(update_fields=["metadata"])

    def cancel_orders(self, order_ids: Sequence[str], note: str) -> dict[str, str]:
        if not connection.in_atomic_block:
            raise RuntimeError("cancel_orders must be called inside a transaction")
        return cancelling.cancel_orders(order_ids, note)

    def order_state(self, order_id: str) -> OrderState | None:
        return following.order_state(order_id)

    def revise_order(
        self, order_id: str, draft: OrderDraft, line_ids: Mapping[str, str]
    ) -> str:
        return following.revise_order(order_id, draft, line_ids)

    def fulfil_order(self, order_id: str, package: ForeignPackage) -> list[str]:
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
        return ShopAddress(getattr(settings, "PUBLIC_URL", None) or "", "")

    def show_settings(self, values: Mapping[str, object]) -> None:
        pass  # This shop has no page for it.

    def refund_requests(self, request_ids: Sequence[str]) -> list[RefundRequest]:
        return refund_requests.by_id(request_ids)

    def refund_requests_since(self, moment: datetime) -> list[RefundRequest]:
        return refund_requests.open_since(moment)

    def refunds_by_hand_since(self, moment: datetime) -> list[RefundByHand]:
        return []  # In this shop there is no other way to refund.

    def take_refund(self, request: RefundRequest) -> None:
        refund_requests.take(request)

    def refuse_refund(self, request: RefundRequest, message: str) -> None:
        refund_requests.refuse(request, message)

    def settle_refund(self, refund: RefundDraft, request_id: str) -> str:
        return refund_requests.settle(refund, request_id)

    def fail_refund(self, request_id: str, reference: str, message: str) -> None:
        refund_requests.fail(request_id, message)

    def redact_orders(self, order_ids: Sequence[str]) -> None:
        redacting.redact_orders(order_ids)

    def add_note(self, order_id: str, message: str) -> None:
        Note.objects.create(order_id=order_id, message=message)

    def contained_tax_rates(self, order_id: str) -> dict[str, Decimal]:
        return {}  # This shop knows no taxes but those Amazon tells.

    def issuer(self) -> list[str]:
        return ["The stand-alone shop", "Example Street 1", "12345 Town"]

    def invoices(self, invoice_ids: Sequence[str]) -> list[ShopInvoice]:
        return _invoices(Invoice.objects.filter(pk__in=invoice_ids))

    def invoices_changed_since(self, moment: datetime) -> list[ShopInvoice]:
        return _invoices(
            Invoice.objects.filter(changed_at__gte=moment).exclude(
                order__external_reference=None
            )
        )

    def make_missed_invoices(self, moment: datetime) -> int:
        return 0  # Here a request and its invoice are one transaction.

    def add_invoice(self, order_id: str, number: str, file: bytes) -> str:
        invoice = Invoice.objects.create(order_id=order_id, number=number, file=file)
        return str(invoice.pk)

    def invoice_file(self, invoice_id: str) -> bytes | None:
        invoice = Invoice.objects.filter(pk=int(invoice_id)).first()
        return bytes(invoice.file) if invoice and invoice.file else None

    def note_invoice(self, invoice_id: str, metadata: Mapping[str, str]) -> None:
        invoice = Invoice.objects.select_for_update().filter(pk=int(invoice_id)).first()
        if invoice is not None:
            invoice.metadata.update(metadata)
            invoice.save(update_fields=["metadata"])

    def orders_of(self, amazon_order_ids: Sequence[str]) -> dict[str, list[str]]:
        asked, found = set(amazon_order_ids), defaultdict(list)
        rows = Order.objects.filter(
            Q(external_reference__in=asked)
            | Q(**{f"metadata__{ORDER_ID_KEY}__in": list(asked)})
        ).exclude(status=Order.Status.CANCELED)
        for pk, reference, metadata in rows.values_list(
            "pk", "external_reference", "metadata"
        ):
            for amazon_order_id in {reference, metadata.get(ORDER_ID_KEY)} & asked:
                found[amazon_order_id].append(str(pk))
        return dict(found)

    def figures(self, order_ids: Sequence[str]) -> dict[str, ShopOrderFigures]:
        found = Order.objects.filter(pk__in=order_ids).prefetch_related(
            "lines", "transactions"
        )
        allocated = {
            row["line__order"]: row["units"]
            for row in Allocation.objects.filter(line__order_id__in=order_ids)
            .values("line__order")
            .annotate(units=Sum("quantity"))
        }
        return {
            str(order.pk): ShopOrderFigures(
                order_id=str(order.pk),
                number=str(order.number),
                status=order.status,
                currency=order.currency,
                total=order.total_gross,
                total_charged=sum(
                    (t.charged for t in order.transactions.all()), Decimal(0)
                ),
                lines=tuple(
                    (line.sku, line.quantity, line.total_gross)
                    for line in order.lines.all()
                ),
                shipping=order.shipping_gross,
                allocated=allocated.get(order.pk, 0),
                fulfilled=sum(line.quantity_fulfilled for line in order.lines.all()),
            )
            for order in found
        }


def _with_listings(channel_ids: Iterable[str]) -> QuerySet[Variant]:
    """Variants whose ``listings`` are those in these channels."""
    return Variant.objects.prefetch_related(
        Prefetch("listings", Listing.objects.filter(channel_id__in=channel_ids))
    )


def _resolutions(
    found: Mapping[str, Mapping[str, Variant | None]],
    unknown: Callable[[str], Blocker],
) -> dict[str, dict[str, SkuResolution]]:
    """By channel id and SKU the variant, where there is one."""
    slugs = {
        str(pk): slug
        for pk, slug in Channel.objects.filter(pk__in=found).values_list("pk", "slug")
    }

    def resolution(channel_id: str, sku: str, variant: Variant | None) -> SkuResolution:
        if variant is None:
            return SkuResolution(sku, None, unknown(sku))
        blocker, slug = None, slugs.get(channel_id, channel_id)
        of_channel = (
            each
            for each in variant.listings.all()
            if str(each.channel_id) == channel_id
        )
        listing = next(of_channel, None)
        if listing is None or not listing.has_price:
            blocker = blockers.no_price(sku, slug)
        elif not listing.is_published:
            blocker = blockers.not_published(sku, slug)
        return SkuResolution(sku, str(variant.pk), blocker)

    return {
        channel_id: {
            sku: resolution(channel_id, sku, variant) for sku, variant in of.items()
        }
        for channel_id, of in found.items()
    }


def _shipments(fulfillments: QuerySet[Fulfillment]) -> list[Shipment]:
    """As shipments what staff of the shop fulfilled of Amazon orders."""
    staff_made = fulfillments.filter(
        status=Fulfillment.Status.FULFILLED,
        changed_by_staff_at__isnull=False,
        order__external_reference__isnull=False,
    )
    return [
        Shipment(
            order_id=str(fulfillment.order_id),
            fulfillment_id=str(fulfillment.pk),
            tracking_number=fulfillment.tracking_number,
            carrier=fulfillment.metadata.get(CARRIER, ""),
            shipped_at=fulfillment.shipped_at,
            lines=tuple(
                ShippedLine(str(line.line_id), line.quantity)
                for line in fulfillment.lines.all()
            ),
            actor=fulfillment.actor,
        )
        for fulfillment in staff_made.order_by("pk").prefetch_related("lines")
        if fulfillment.shipped_at is not None
    ]


def _invoices(rows: QuerySet[Invoice]) -> list[ShopInvoice]:
    return [
        ShopInvoice(str(row.pk), str(row.order_id), row.number)
        for row in rows.exclude(number="").order_by("pk")
    ]
