"""The Invoice Data Report: what lacks a document of the seller's.

Source: SP-API "Invoice Data Reports" and "Invoice Data reports attributes". Amounts of
refunds are negative and their promotions positive, as sellers' code reads them; what
Amazon calls a refund here (``amzn:crow:``) is nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .times import format_time

if TYPE_CHECKING:
    from .state import State, StoredOrder

REPORT_TYPE = "GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT"

#: A part of Amazon's columns, those of the buyer among them.
_COLUMNS = (
    "marketplace-id",
    "order-id",
    "order-item-id",
    "shipping-id",
    "transaction-id",
    "transaction-type",
    "invoice-number",
    "invoice-status",
    "invoice-status-description",
    "is-amazon-invoiced",
    "order-date",
    "asin",
    "sku",
    "product-name",
    "quantity-purchased",
    "currency",
    "item-vat-incl-amount",
    "item-promo-vat-incl-amount",
    "gift-wrap-vat-incl-amount",
    "gift-promo-vat-incl-amount",
    "shipping-vat-incl-amount",
    "shipping-promo-vat-incl-amount",
    "recipient-name",
    "ship-address-1",
    "ship-city",
    "buyer-name",
)
_LEAVES: Mapping[str, str] = {
    "OurPricePrincipal": "item",
    "OurPriceTax": "item",
    "OurPriceDiscount": "item-promo",
    "GiftwrapPrincipal": "gift-wrap",
    "GiftwrapTax": "gift-wrap",
    "GiftwrapDiscount": "gift-promo",
    "ShippingPrincipal": "shipping",
    "ShippingTax": "shipping",
    "ShippingDiscount": "shipping-promo",
}


@dataclass(frozen=True, slots=True)
class InvoicedRefund:
    """A refund that is to get a credit note. ``rows`` are its amounts by SKU."""

    transaction_id: str
    order_id: str
    rows: Mapping[str, Mapping[str, Decimal]]

    @property
    def total(self) -> Decimal:
        """What the buyer got, of what the report has columns for."""
        amounts = (each for row in self.rows.values() for each in row.values())
        return -sum(amounts, Decimal(0))


def refunds(state: State, seller_id: str, until: datetime) -> Iterator[InvoicedRefund]:
    """Those of a seller that the report knew then, each once."""
    seen = set()
    for transaction in state.transactions.all_of(seller_id):
        refund_id = transaction.related("REFUND_ID")
        if refund_id is None or refund_id in seen:
            continue
        if transaction.posted + state.reports.refund_delay > until:
            continue
        seen.add(refund_id)
        yield InvoicedRefund(
            f"amzn:crow:{refund_id}",
            transaction.related("ORDER_ID") or "",
            {
                _sku(item, number): _parts(item)
                for number, item in enumerate(transaction.payload["items"])
            },
        )


def _sku(item: Mapping[str, Any], number: int) -> str:
    contexts = item.get("contexts") or [{}]
    return str(contexts[0].get("sku") or f"unknown-{number}")


def _parts(item: Mapping[str, Any]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for group in item["breakdowns"]:
        for leaf in group["breakdowns"]:
            part = _LEAVES.get(leaf["breakdownType"])
            if part:
                amount = Decimal(str(leaf["breakdownAmount"]["currencyAmount"]))
                found[part] = found.get(part, Decimal(0)) + amount
    return found


def content(
    state: State, seller_id: str, marketplace_ids: Collection[str], until: datetime
) -> bytes:
    """What is pending at that moment."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    has_invoice = {each.order_id for each in state.invoices}
    for stored in state.orders_of(seller_id):
        order = stored.current.payload
        is_shipped = stored.current.status in ("SHIPPED", "PARTIALLY_SHIPPED")
        if is_shipped and order["orderId"] not in has_invoice:
            rows += _shipment(stored, marketplace_ids)
    has_note = {each.transaction_id for each in state.invoices}
    for refund in refunds(state, seller_id, until):
        if refund.transaction_id not in has_note:
            stored = state.stored_order(refund.order_id)
            rows += _refund(stored, refund, marketplace_ids)
    return "\n".join("\t".join(row) for row in rows).encode() + b"\n"


def _shipment(
    stored: StoredOrder, marketplace_ids: Collection[str]
) -> Iterator[tuple[str, ...]]:
    order = stored.current.payload
    for item in order["orderItems"]:
        yield from _row(
            stored,
            marketplace_ids,
            {
                "transaction-id": f"amzn:crow:{order['orderId']}",
                "transaction-type": "SHIPMENT",
                "order-item-id": item["orderItemId"],
                "sku": item["product"].get("sellerSku", ""),
                "quantity-purchased": str(item["quantityOrdered"]),
                "item-vat-incl-amount": item["proceeds"]["proceedsTotal"]["amount"],
            },
        )


def _refund(
    stored: StoredOrder, refund: InvoicedRefund, marketplace_ids: Collection[str]
) -> Iterator[tuple[str, ...]]:
    for sku, parts in refund.rows.items():
        yield from _row(
            stored,
            marketplace_ids,
            {
                "transaction-id": refund.transaction_id,
                "transaction-type": "REFUND",
                "sku": "" if sku.startswith("unknown-") else sku,
                "quantity-purchased": "1",
                **{
                    f"{part}-vat-incl-amount": f"{amount:.2f}"
                    for part, amount in parts.items()
                },
            },
        )


def _row(
    stored: StoredOrder, marketplace_ids: Collection[str], values: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    order = stored.current.payload
    marketplace_id = order["salesChannel"].get("marketplaceId", "")
    if marketplace_id not in marketplace_ids:
        return
    address = order.get("recipient", {}).get("deliveryAddress", {})
    row = {
        "marketplace-id": marketplace_id,
        "order-id": order["orderId"],
        "invoice-status": "PendingInvoice",
        "is-amazon-invoiced": "false",
        "order-date": format_time(stored.current.created),
        "currency": order["proceeds"]["grandTotal"]["currencyCode"],
        "recipient-name": address.get("name", ""),
        "ship-address-1": address.get("addressLine1", ""),
        "ship-city": address.get("city", ""),
        "buyer-name": order.get("buyer", {}).get("buyerName", ""),
        **values,
    }
    yield tuple(row.get(name, "") for name in _COLUMNS)
