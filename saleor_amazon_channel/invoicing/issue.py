"""Make the invoice of an Amazon order: its number, its file, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection
from django.utils.timezone import localtime

from .. import clock, lock_objects, store
from ..amazon.orders import Order
from ..importing import mapping
from ..importing.address_edit import staff_address
from ..ledger import payloads, timeline
from ..models import AmazonOrder, Marketplace, OrderInvoice
from . import content, document, pdf
from .content import CannotInvoice
from .document import Invoice
from .pdf import CannotPrint

#: What keeps an invoice from being made, with words for whoever asked for it.
REASONS = (CannotInvoice, CannotPrint)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice to be kept in the shop."""

    number: str
    file: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedBefore:
    """The order has an invoice, and the shop has it still."""

    shop_invoice_id: str


def issue(
    shop_order_id: str, shop_invoice_id: str, number: str = "", actor: str = ""
) -> Issued | IssuedBefore:
    """Make the order's invoice, to be kept in the shop in the caller's transaction.

    An order has one: asked for again it is the one there is, or, where the shop has
    deleted that, the same number anew. ``number`` is the shop's choice; without it the
    next of the marketplace's own series, in which none is ever missing: the number
    stands or falls with the transaction. Raises CannotInvoice and CannotPrint.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("issue must be called inside a transaction")
    order = AmazonOrder.objects.get(shop_order_id=shop_order_id)
    [order] = lock_objects.orders_by_id([order.amazon_order_id])
    before = OrderInvoice.objects.filter(
        order=order, is_issued_here=True, corrects=None
    ).first()
    if before and store.current().invoices([before.shop_invoice_id]):
        return IssuedBefore(before.shop_invoice_id)
    marketplace = Marketplace.objects.select_for_update(no_key=True).get(
        account_id=order.account_id, marketplace_id=order.marketplace_id
    )
    kept = before or OrderInvoice(order=order, is_issued_here=True)
    is_of_series = kept.is_of_series if before else not number
    if before:
        number = before.number
    elif is_of_series:
        number = f"{marketplace.invoice_series}{marketplace.next_invoice_number}"
    shown, is_tax_told = content_of(order, marketplace, number)
    file = pdf.render(shown)
    if is_of_series and not before:
        marketplace.next_invoice_number += 1
        marketplace.save(update_fields=["next_invoice_number"])
    kept.shop_invoice_id, kept.number = shop_invoice_id, number
    kept.is_of_series = is_of_series
    kept.total = shown.total.gross
    kept.tax = shown.total.tax if is_tax_told else None
    kept.content = document.to_json(shown)
    kept.save()
    timeline.add(order, "invoice_issued", f"Invoice {number} was made.", actor)
    return Issued(number, file)


def content_of(
    order: AmazonOrder, marketplace: Marketplace, number: str
) -> tuple[Invoice, bool]:
    """What is on it, and whether its tax is what Amazon told. Raises CannotInvoice."""
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    amazon = Order.from_wire(payloads.join(order.payload, order.personal))
    try:
        draft = mapping.map_order(amazon, staff_address(order))
    except mapping.CannotMap as error:
        raise CannotInvoice(
            "The order is not as Amazon's numbers have to be any more: "
            + " ".join(blocker.message for blocker in error.blockers)
        ) from error
    of_lines = shop.contained_tax_rates(shop_order_id)
    rates: dict[str, Decimal] = {
        item_id: of_lines[line_id]
        for item_id, line_id in order.items.values_list("order_item_id", "shop_line_id")
        if line_id in of_lines
    }
    is_tax_told = draft.total.tax != 0 or not rates
    frame = content.Frame(
        number=number,
        issued_on=localtime(clock.now()).date(),
        issuer=_lines(marketplace.invoice_issuer) or tuple(shop.issuer()),
        issuer_tax_number=marketplace.invoice_tax_number,
        note=marketplace.invoice_note.strip(),
        order_number=order.printed_number or order.shop_order_number,
        rates=rates,
    )
    return content.invoice(amazon, draft, frame), is_tax_told


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
