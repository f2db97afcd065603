"""Saleor's invoices of Amazon orders: made when staff ask for one, read when it goes to
Amazon.

Defining the hook ``invoice_request`` makes Saleor take requests for every order of the
shop. So where nobody else serves them, one for an order that is not Amazon's is refused
here as Saleor would have refused it, and nothing is left of it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Func, JSONField, QuerySet, Value
from requests import RequestException
from saleor.core import JobStatus
from saleor.core.db.connection import allow_writer
from saleor.core.http_client import HTTPClient
from saleor.invoice.error_codes import InvoiceErrorCode
from saleor.invoice.models import Invoice
from saleor.order import OrderOrigin
from saleor.order.models import Order, OrderLine
from saleor.plugins.manager import get_plugins_manager
from saleor.site.models import Site
from saleor.tax.models import TaxClassCountryRate
from saleor.tax.utils import get_charge_taxes_for_order

from .. import clock, failures
from ..invoicing import record
from ..invoicing.issue import REASONS, IssuedBefore, issue
from ..models import AmazonOrder, ChannelSettings
from ..store.contract import ORDER_ID_KEY, ShopInvoice
from .plugin import AmazonChannelPlugin

logger = logging.getLogger(__name__)

#: Saleor's own words (``invoiceRequest``).
NOBODY_SERVES = "No app or plugin is configured to handle invoice requests."

MOST_BYTES = 10 * 1000 * 1000
READ_TIMEOUT_SECONDS = 20


def on_request(
    plugin_id: str,
    order: Order,
    invoice: Invoice,
    number: str | None,
    previous_value: Any,
    actor: str,
) -> Any:
    """Make the invoice of an Amazon order, unless another plugin or app does.

    Answers the invoice, or what the plugins before answered. Raises ValidationError in
    Saleor's form, with nothing left of the request.
    """
    if previous_value is not None or _is_served_by_others(plugin_id, order):
        return previous_value
    with allow_writer():
        if not _is_amazons(order):
            _refuse(invoice, NOBODY_SERVES, InvoiceErrorCode.NO_INVOICE_PLUGIN)
        try:
            with transaction.atomic():
                return _issued(order, invoice, number or "", actor)
        except REASONS as reason:
            _refuse(invoice, str(reason), InvoiceErrorCode.NOT_READY)
        except Exception as error:  # noqa: BLE001  the sweep makes it
            failures.log(logger, f"invoice {invoice.pk}: making it", error)
        return invoice


def make_missed(moment: datetime) -> int:
    """Make what was asked for and not made: the process died, or something failed.

    What cannot be made this time either is marked, for whoever asks again.
    """
    made = 0
    for invoice in Invoice.objects.filter(
        status=JobStatus.PENDING,
        invoice_file="",
        created_at__gte=moment,
        order__origin=OrderOrigin.BULK_CREATE,
        order__metadata__has_key=ORDER_ID_KEY,
    ).select_related("order__channel"):
        if _is_served_by_others(AmazonChannelPlugin.PLUGIN_ID, invoice.order):
            continue
        try:
            with transaction.atomic():
                issued = _issued(invoice.order, invoice, invoice.number or "", "")
            made += issued.status == JobStatus.SUCCESS
        except REASONS as reason:
            _mark_failed(invoice, str(reason))
        except Exception as error:  # noqa: BLE001  it must not keep the others back
            failures.log(logger, f"invoice {invoice.pk}: making it", error)
            _mark_failed(
                invoice, "The invoice could not be made; the server's log says why"
            )
    return made


def _mark_failed(invoice: Invoice, message: str) -> None:
    Invoice.objects.filter(pk=invoice.pk, status=JobStatus.PENDING).update(
        status=JobStatus.FAILED, message=message[:255], updated_at=clock.now()
    )


def _is_served_by_others(plugin_id: str, order: Order) -> bool:
    manager = get_plugins_manager(allow_replica=False)
    return any(
        plugin_id != plugin.PLUGIN_ID and plugin.is_event_active("invoice_request")
        for plugin in manager.get_plugins(
            channel_slug=order.channel.slug, active_only=True
        )
    )


def _is_amazons(order: Order) -> bool:
    return (
        order.origin == OrderOrigin.BULK_CREATE
        and ChannelSettings.load().active
        and AmazonOrder.objects.filter(shop_order_id=str(order.pk)).exists()
    )


def _refuse(invoice: Invoice, message: str, code: InvoiceErrorCode) -> None:
    invoice.delete()
    raise ValidationError({"orderId": ValidationError(message, code=code.value)})


def _issued(order: Order, invoice: Invoice, number: str, actor: str) -> Invoice:
    # The sweep may be making what staff wait for.
    invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
    if invoice.status != JobStatus.PENDING:
        return invoice
    made = issue(str(order.pk), str(invoice.pk), number, actor)
    if isinstance(made, IssuedBefore):
        invoice.delete()
        return Invoice.objects.get(pk=made.shop_invoice_id)
    invoice.number = made.number
    invoice.created = clock.now()
    invoice.status = JobStatus.SUCCESS
    _put_file(invoice, made.number, made.file)
    invoice.save()
    return invoice


def _put_file(invoice: Invoice, number: str, file: bytes) -> None:
    # Whoever has the address has the file, as with all of Saleor's.
    name = f"invoice-{number}-{secrets.token_hex(16)}.pdf".replace("/", "-")
    invoice.invoice_file.save(name, ContentFile(file), save=False)


def add(order_id: str, number: str, file: bytes) -> str:
    invoice = Invoice(
        order_id=order_id, number=number, created=clock.now(), status=JobStatus.SUCCESS
    )
    _put_file(invoice, number, file)
    # bulk_create sends no signal: it is no action of staff.
    Invoice.objects.bulk_create([invoice])
    return str(invoice.pk)


# What the channel asks of them: see ``store.contract.Store``.


def ready(invoices: QuerySet[Invoice]) -> list[ShopInvoice]:
    return [
        ShopInvoice(str(invoice.pk), str(invoice.order_id), invoice.number)
        for invoice in invoices.filter(status=JobStatus.SUCCESS, order__isnull=False)
        .exclude(number=None)
        .order_by("pk")
        if invoice.url
    ]


def by_id(invoice_ids: Sequence[str]) -> list[ShopInvoice]:
    return ready(Invoice.objects.filter(pk__in=invoice_ids))


def changed_since(moment: datetime) -> list[ShopInvoice]:
    return ready(
        Invoice.objects.filter(
            updated_at__gte=moment,
            order__origin=OrderOrigin.BULK_CREATE,
            order__metadata__has_key=ORDER_ID_KEY,
        )
    )


def file(invoice_id: str) -> bytes | None:
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is None:
        return None
    if invoice.invoice_file:
        try:
            with invoice.invoice_file.open("rb") as stored:
                return bytes(stored.read(MOST_BYTES + 1))
        except OSError as error:
            failures.log(logger, f"invoice {invoice_id}: reading its file", error)
            return None
    if not invoice.external_url:
        return None
    try:
        # Saleor's own client keeps it from addresses within the network.
        answer = HTTPClient.send_request(
            "GET",
            invoice.external_url,
            timeout=(5, READ_TIMEOUT_SECONDS),
            allow_redirects=False,
        )
    except (RequestException, ValueError) as error:
        failures.log(logger, f"invoice {invoice_id}: fetching its file", error)
        return None
    return answer.content if answer.status_code == 200 else None


def note(invoice_id: str, metadata: Mapping[str, str]) -> None:
    # By the database, and without a signal: it is no action of staff.
    Invoice.objects.filter(pk=invoice_id).update(
        metadata=Func(
            F("metadata"),
            Value(dict(metadata), output_field=JSONField()),
            template="(%(expressions)s)",
            arg_joiner=" || ",
        )
    )


def contained_tax_rates(order_id: str) -> dict[str, Decimal]:
    order = Order.objects.select_related("shipping_address", "billing_address").get(
        pk=order_id
    )
    address = order.shipping_address or order.billing_address
    if address is None or not get_charge_taxes_for_order(order):
        return {}
    by_class = {
        rate.tax_class_id: rate.rate
        for rate in TaxClassCountryRate.objects.filter(country=address.country.code)
    }
    # Saleor: a product without a tax class has its type's, then the country's own.
    found = {}
    for line_id, of_product, of_type in OrderLine.objects.filter(
        order_id=order_id
    ).values_list(
        "pk",
        "variant__product__tax_class_id",
        "variant__product__product_type__tax_class_id",
    ):
        rate = by_class.get(of_product or of_type, by_class.get(None))
        if rate:
            found[str(line_id)] = Decimal(str(rate)) / 100
    return found


def issuer() -> list[str]:
    site = Site.objects.get_current()
    address = site.settings.company_address
    if address is None:
        return []
    lines = (
        address.company_name or site.name,
        f"{address.first_name} {address.last_name}",
        address.street_address_1,
        address.street_address_2,
        f"{address.postal_code} {address.city}",
        address.country_area,
        str(address.country.name),
    )
    return [line.strip() for line in lines if line.strip()]


def on_saved(instance: Invoice) -> None:
    """Record an invoice that has become ready, whoever made it."""
    if instance.status != JobStatus.SUCCESS or instance.order_id is None:
        return
    try:
        if instance.order.origin != OrderOrigin.BULK_CREATE:
            return
        with allow_writer(), transaction.atomic():
            record.record_invoices(by_id([str(instance.pk)]))
    except Exception as error:  # noqa: BLE001  the sweep finds it
        failures.log(logger, f"invoice {instance.pk}: capture", error)
