"""Rows of the ledger, as the tests of lists need them: many and cheap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonPackage,
    OrderEvent,
    OutboxEntry,
    SellerAccount,
)
from wire_orders import GERMANY, NOW

_numbers: Iterator[int] = count(1)


def order_id(number: int) -> str:
    return f"111-{number:07}-0000000"


def new_order(account: SellerAccount, **values: Any) -> AmazonOrder:
    """An order of which only what matters is given."""
    fields: dict[str, Any] = {
        "amazon_order_id": order_id(next(_numbers)),
        "marketplace_id": GERMANY,
        "fulfillment_status": "UNSHIPPED",
        "fulfilled_by": "MERCHANT",
        "created_time": NOW,
        "last_updated_time": NOW,
        "currency": "EUR",
        "grand_total": Decimal("19.9"),
        "buyer_name": "Änne Müller",
        **values,
    }
    return AmazonOrder.objects.create(account=account, **fields)


def shipped_order(account: SellerAccount, **values: Any) -> AmazonOrder:
    """An imported order with one of everything below it."""
    order = new_order(
        account,
        import_state="imported",
        shop_order_number="77",
        note="Imported as order 77.",
        imported_at=NOW,
        **values,
    )
    AmazonOrderItem.objects.create(
        order=order,
        order_item_id="10000000000001",
        seller_sku="MUG-1",
        asin="B000000001",
        title="A mug",
        quantity_ordered=2,
        quantity_shipped=1,
        proceeds_total=Decimal("19.9"),
        shop_line_id="line-1",
    )
    AmazonPackage.objects.create(
        order=order,
        package_reference_id=1,
        fulfillment_id="5",
        carrier_name="DHL",
        tracking_number="T-1",
        ship_date=NOW,
        items=[{"order_item_id": "10000000000001", "quantity": 1}],
        revision=2,
        confirmed_revision=1,
    )
    OrderEvent.objects.create(
        order=order, type="imported", message="Imported as order 77.", created_at=NOW
    )
    OutboxEntry.objects.create(
        account=account,
        order=order,
        kind="confirm_shipment",
        idempotency_key=f"confirm_shipment:{order.amazon_order_id}:1:2",
        payload={"package_reference_id": 1, "revision": 2},
        state="failed",
        attempt_count=1,
        error_code="InvalidInput",
        error_message="Correct the carrier.",
        actor="staff@example.com",
        next_attempt_at=NOW,
        created_at=NOW,
        settled_at=NOW + timedelta(minutes=1),
    )
    return order


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)
