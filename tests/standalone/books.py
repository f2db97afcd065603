"""The stand-alone shop's tables, as the hostile month's judge reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hostile.books import (
    BookedLine,
    BookedOrder,
    BookedPackage,
    BookedRefund,
    BookedStock,
)
from saleor_amazon_channel.standalone.models import Order, Stock


class StandaloneBooks:
    """Implements ``hostile.books.Books``."""

    def orders(self) -> Sequence[BookedOrder]:
        rows = Order.objects.select_related("channel").prefetch_related(
            "lines__allocations",
            "fulfillments__lines__line",
            "transactions",
            "refunds__lines__line",
            "notes",
        )
        return [_order(row) for row in rows]

    def stock(self) -> Mapping[tuple[str, str], BookedStock]:
        rows = Stock.objects.values_list(
            "warehouse__channels__slug",
            "variant__sku",
            "quantity",
            "quantity_allocated",
        )
        return {(slug, sku): BookedStock(*figures) for slug, sku, *figures in rows}


def _order(row: Order) -> BookedOrder:
    names = {row.external_reference, row.metadata.get("amazon.orderId")} - {None}
    return BookedOrder(
        amazon_order_ids=frozenset(names),
        channel_slug=row.channel.slug,
        status=row.status,
        currency=row.currency,
        total=row.total_gross,
        shipping=row.shipping_gross,
        charged=sum((each.charged for each in row.transactions.all()), Decimal(0)),
        lines=tuple(
            BookedLine(
                order_item_id=line.external_reference,
                sku=line.sku,
                quantity=line.quantity,
                quantity_fulfilled=line.quantity_fulfilled,
                quantity_allocated=sum(a.quantity for a in line.allocations.all()),
                total=line.total_gross,
            )
            for line in row.lines.all()
        ),
        packages=tuple(
            BookedPackage(
                package.tracking_number,
                {
                    each.line.external_reference: each.quantity
                    for each in package.lines.all()
                },
            )
            for package in row.fulfillments.all()
            if package.status == "fulfilled"
        ),
        refunds=tuple(
            BookedRefund(
                refund.psp_reference,
                refund.amount,
                {
                    each.line.external_reference: each.quantity
                    for each in refund.lines.all()
                },
                refund.is_shipping_included,
            )
            for refund in row.refunds.all()
        ),
        notes=tuple(note.message for note in row.notes.all()),
    )
