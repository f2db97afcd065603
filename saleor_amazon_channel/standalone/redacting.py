"""Deletes what orders hold of their buyers: see ``redaction``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from .. import clock
from ..store.contract import (
    ORDER_ID_KEY,
    PERSONAL_KEY_PREFIX,
    REDACTED_AT_KEY,
    UNDELIVERABLE_DOMAIN,
)
from .models import Customer, Order

_KEPT = ("city", "city_area", "country_area", "country")


def redact_orders(order_ids: Sequence[str]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("redact_orders must be called inside a transaction")
    orders = list(
        Order.objects.select_for_update(of=("self",))
        .filter(pk__in=list(order_ids), metadata__has_key=ORDER_ID_KEY)
        .order_by("pk")
    )
    now = clock.now().isoformat(timespec="seconds")
    for order in orders:
        order.shipping_address = _without_person(order.shipping_address)
        order.billing_address = _without_person(order.billing_address)
        order.customer_note = ""
        order.metadata[REDACTED_AT_KEY] = now
        order.private_metadata = {
            name: value
            for name, value in order.private_metadata.items()
            if not name.startswith(PERSONAL_KEY_PREFIX)
        }
    Order.objects.bulk_update(
        orders,
        [
            "shipping_address",
            "billing_address",
            "customer_note",
            "metadata",
            "private_metadata",
        ],
    )
    others = Order.objects.filter(customer=OuterRef("pk")).exclude(
        metadata__has_key=REDACTED_AT_KEY
    )
    Customer.objects.filter(
        ~Exists(others),
        pk__in={order.customer_id for order in orders if order.customer_id},
        email__endswith=f"@{UNDELIVERABLE_DOMAIN}",
    ).update(first_name="", last_name="")


def _without_person(address: dict[str, Any]) -> dict[str, Any]:
    return {name: text if name in _KEPT else "" for name, text in address.items()}
