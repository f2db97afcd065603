"""The staff of the stand-alone shop, as the contract suite wants them to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.core import mail
from django.db.models import Sum

from contract.driver import (
    CustomerView,
    FulfillmentView,
    InvoiceView,
    LineView,
    OrderView,
    RefundView,
    StockFigures,
    TransactionView,
)
from saleor_amazon_channel.amazon.marketplaces import minor_unit
from saleor_amazon_channel.standalone import catalogue, staff, stock
from saleor_amazon_channel.standalone.models import (
    Customer,
    Fulfillment,
    Invoice,
    Listing,
    Order,
    OrderLine,
    Refund,
    Stock,
)
from saleor_amazon_channel.standalone.store import StandaloneStore
from saleor_amazon_channel.store.contract import (
    ORDER_ID_KEY,
    AddressDraft,
    Channel,
    Price,
)

ACTOR = "staff@example.com"


class StandaloneDriver:
    """Implements ``contract.driver.StaffDriver``."""

    def __init__(self) -> None:
        self._needs_approval = False

    def writer(self) -> AbstractContextManager[object]:
        return nullcontext()

    def create_channel(
        self,
        slug: str,
        currency: str,
        *,
        country: str,
        warehouses: Sequence[str] = ("main",),
        shipping_methods: Sequence[str] = ("Standard",),
    ) -> Channel:
        channel = catalogue.create_channel(
            slug, currency, warehouses=warehouses, shipping_methods=shipping_methods
        )
        return next(c for c in StandaloneStore().channels() if c.id == str(channel.pk))

    def create_variant(
        self,
        sku: str,
        channel_ids: Sequence[str],
        *,
        stock: Mapping[str, int],
        name: str = "Mug",
        is_listed: bool = True,
        is_published: bool = True,
        tracks_inventory: bool = True,
    ) -> str:
        product = catalogue.Product(
            sku,
            name,
            channel_ids,
            stock,
            is_listed=is_listed,
            is_published=is_published,
            tracks_inventory=tracks_inventory,
        )
        return catalogue.create_products([product])[sku]

    def publish(self, sku: str, channel_ids: Sequence[str]) -> None:
        Listing.objects.filter(variant__sku=sku, channel__in=channel_ids).update(
            is_published=True
        )

    def stock(self, variant_id: str, warehouse_id: str) -> StockFigures:
        row = Stock.objects.get(variant=int(variant_id), warehouse=int(warehouse_id))
        return StockFigures(row.quantity, row.quantity_allocated)

    def set_stock(self, variant_id: str, warehouse_id: str, quantity: int) -> None:
        Stock.objects.update_or_create(
            variant_id=int(variant_id),
            warehouse_id=int(warehouse_id),
            defaults={"quantity": quantity},
        )

    def require_approval(self) -> None:
        self._needs_approval = True

    def require_payment(self) -> None:
        """Nothing to do: the shop has no orders that are not paid."""

    def sell(self, channel_id: str, variant_id: str, quantity: int) -> str | None:
        try:
            return str(staff.sell(channel_id, variant_id, quantity).pk)
        except stock.NotEnough:
            return None

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        *,
        warehouse_id: str,
        tracking_number: str = "",
        carrier: str = "",
    ) -> str:
        package = staff.fulfil(
            order_id,
            lines,
            warehouse_id=warehouse_id,
            tracking_number=tracking_number,
            carrier=carrier,
            needs_approval=self._needs_approval,
            actor=ACTOR,
        )
        return str(package.pk)

    def approve(self, fulfillment_id: str) -> None:
        staff.approve(fulfillment_id)

    def update_tracking(self, fulfillment_id: str, tracking_number: str) -> None:
        staff.update_tracking(fulfillment_id, tracking_number)

    def cancel_fulfillment(self, fulfillment_id: str, *, warehouse_id: str) -> None:
        staff.cancel_fulfillment(fulfillment_id, warehouse_id=warehouse_id, actor=ACTOR)

    def confirm(self, order_id: str) -> None:
        staff.confirm(order_id)

    def cancel_order(self, order_id: str) -> None:
        staff.cancel_order(order_id)

    def request_invoice(self, order_id: str, number: str = "") -> InvoiceView:
        return self.invoice(str(staff.request_invoice(order_id, number).pk))

    def request_refund(
        self,
        order_id: str,
        amount: str | None = None,
        lines: Mapping[str, int] | None = None,
        *,
        with_shipping: bool = False,
        reason: str = "",
    ) -> None:
        staff.request_refund(
            order_id,
            None if amount is None else Decimal(amount),
            lines,
            with_shipping=with_shipping,
            reason=reason,
            actor=ACTOR,
        )

    def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        from saleor_amazon_channel.standalone import host

        identity = host.Identity(ACTOR, frozenset({"MANAGE_ORDERS", "MANAGE_PLUGINS"}))
        answer = host.schema().execute(
            document,
            variable_values=variables,
            context_value=SimpleNamespace(identity=identity),
        )
        assert not answer.errors, answer.errors
        data: dict[str, Any] = answer.data
        return data

    def refund_failures(self, order_id: str) -> Sequence[str]:
        failed = Refund.objects.filter(order=order_id, status=Refund.Status.FAILURE)
        return list(failed.order_by("pk").values_list("message", flat=True))

    def invoice(self, invoice_id: str) -> InvoiceView:
        invoice = Invoice.objects.get(pk=invoice_id)
        return InvoiceView(
            str(invoice.pk), invoice.number, invoice.file, invoice.metadata
        )

    def disown(self, order_id: str) -> None:
        Order.objects.filter(pk=order_id).update(metadata={})

    def make_again(self, order_id: str) -> str:
        order = self.order(order_id)
        again = self.sell(order.channel_id, order.lines[0].variant_id, 1)
        assert again
        Order.objects.filter(pk=again).update(
            metadata={ORDER_ID_KEY: order.metadata[ORDER_ID_KEY]}
        )
        return again

    def order(self, order_id: str) -> OrderView:
        order = Order.objects.get(pk=order_id)
        pending = order.refunds.filter(status=Refund.Status.PENDING).aggregate(
            sum=Sum("amount", default=Decimal(0))
        )["sum"]
        return OrderView(
            order_id=str(order.pk),
            number=str(order.number),
            external_reference=order.external_reference or "",
            status=order.status,
            channel_id=str(order.channel_id),
            currency=order.currency,
            created_at=order.created_at,
            customer_email="",  # the shop has no place for one
            customer=_customer(order.customer),
            customer_note=order.customer_note,
            language_code=order.language_code,
            display_gross_prices=order.display_gross_prices,
            shipping_method_id=str(order.shipping_method_id or ""),
            shipping_method_name=order.shipping_method_name,
            shipping=Price(order.shipping_gross, order.shipping_net),
            shipping_tax_rate=order.shipping_tax_rate,
            total=Price(order.total_gross, order.total_net),
            undiscounted_total=Price(
                order.undiscounted_total_gross, order.undiscounted_total_net
            ),
            shipping_address=_address(order.shipping_address),
            billing_address=_address(order.billing_address),
            metadata=order.metadata,
            private_metadata=order.private_metadata,
            lines=tuple(_line(line, order.currency) for line in order.lines.all()),
            fulfillments=tuple(
                _fulfillment(package) for package in order.fulfillments.order_by("pk")
            ),
            transactions=tuple(
                TransactionView(
                    t.psp_reference, t.currency, t.charged, t.refunded, pending
                )
                for t in order.transactions.order_by("pk")
            ),
            refunds=tuple(
                _refund(row)
                for row in order.refunds.filter(status=Refund.Status.SUCCESS).order_by(
                    "pk"
                )
            ),
            notes=tuple(order.notes.order_by("pk").values_list("message", flat=True)),
        )

    def search(self, text: str) -> Sequence[str]:
        """The shop itself has no search: what one could find is looked through."""
        return [
            str(order.pk)
            for order in Order.objects.select_related("customer")
            if text
            in " ".join(
                map(
                    str,
                    (
                        order.external_reference,
                        order.customer_note,
                        order.shipping_address,
                        order.billing_address,
                        order.customer and order.customer.last_name,
                    ),
                )
            )
        ]

    def customer_count(self) -> int:
        return Customer.objects.count()

    def order_count(self) -> int:
        return Order.objects.count()

    def emails(self) -> Sequence[str]:
        return [message.subject for message in getattr(mail, "outbox", [])]


def _customer(customer: Customer | None) -> CustomerView | None:
    if customer is None:
        return None
    return CustomerView(
        str(customer.pk),
        customer.email,
        customer.first_name,
        customer.last_name,
        customer.order_set.count(),
    )


def _address(fields: Mapping[str, str]) -> AddressDraft | None:
    return AddressDraft(**fields) if fields else None


def _line(line: OrderLine, currency: str) -> LineView:
    def per_unit(amount: Decimal) -> Decimal:
        return (amount / line.quantity).quantize(minor_unit(currency))

    return LineView(
        line_id=str(line.pk),
        sku=line.sku,
        name=line.name,
        variant_id=str(line.variant_id),
        quantity=line.quantity,
        quantity_fulfilled=line.quantity_fulfilled,
        allocations={
            str(allocation.stock.warehouse_id): allocation.quantity
            for allocation in line.allocations.select_related("stock")
        },
        total=Price(line.total_gross, line.total_net),
        undiscounted_total=Price(
            line.undiscounted_total_gross, line.undiscounted_total_net
        ),
        unit_price=Price(per_unit(line.total_gross), per_unit(line.total_net)),
        tax_rate=line.tax_rate,
        metadata=line.metadata,
    )


def _refund(refund: Refund) -> RefundView:
    lines = list(refund.lines.order_by("pk"))
    return RefundView(
        psp_reference=refund.psp_reference,
        amount=refund.amount,
        reason=refund.reason,
        is_shipping_included=refund.is_shipping_included,
        lines={str(line.line_id): line.quantity for line in lines},
        line_reasons={str(line.line_id): line.reason for line in lines},
    )


def _fulfillment(package: Fulfillment) -> FulfillmentView:
    return FulfillmentView(
        fulfillment_id=str(package.pk),
        status=package.status,
        tracking_number=package.tracking_number,
        lines={str(item.line_id): item.quantity for item in package.lines.all()},
        metadata=package.metadata,
    )
