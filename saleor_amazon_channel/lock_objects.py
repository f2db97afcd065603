"""Every row lock of ours in one place, ordered by key so that two never deadlock."""

from __future__ import annotations

from collections.abc import Collection

from .models import AmazonOrder


def orders_by_shop_id(shop_order_ids: Collection[str]) -> list[AmazonOrder]:
    """Lock the ledger's orders that became these orders of the shop."""
    return list(
        AmazonOrder.objects.select_for_update(of=("self",))
        .filter(shop_order_id__in=shop_order_ids)
        .order_by("pk")
    )
