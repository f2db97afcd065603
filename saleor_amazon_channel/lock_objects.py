"""Every lock of ours in one place, so that the order they are taken in can be seen.

The shop's rows come before ours: staff actions hold an order of the shop when capture
locks the ledger's. Only the importer takes stock after ledger rows, and those are of
orders which no staff action can touch yet. Rows of one table are locked by key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from .models import AmazonOrder, SyncCursor

#: Our key space among PostgreSQL's advisory locks: "AMZ" and what is locked.
_RECORDING = 0x414D5A01


def serialize_recording(account_id: int) -> None:
    """One transaction at a time records orders of an account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)",
            [_RECORDING, account_id % 2**31],
        )


def orders_by_id(amazon_order_ids: Iterable[str]) -> list[AmazonOrder]:
    """Lock the ledger's orders with these Amazon order ids."""
    return list(
        AmazonOrder.objects.select_for_update(of=("self",))
        .filter(amazon_order_id__in=list(amazon_order_ids))
        .order_by("pk")
    )


def orders_by_shop_id(shop_order_ids: Collection[str]) -> list[AmazonOrder]:
    """Lock the ledger's orders that became these orders of the shop."""
    return list(
        AmazonOrder.objects.select_for_update(of=("self",))
        .filter(shop_order_id__in=shop_order_ids)
        .order_by("pk")
    )


def orders_to_import(
    state: str, limit: int, checked_before: datetime | None = None
) -> list[AmazonOrder]:
    """Lock some orders in ``state`` that nobody else is importing, the longest
    unchecked first, with the account."""
    queryset = AmazonOrder.objects.filter(import_state=state)
    if checked_before is not None:
        queryset = queryset.filter(
            Q(checked_at=None) | Q(checked_at__lt=checked_before)
        )
    return list(
        queryset.select_for_update(of=("self",), skip_locked=True)
        .select_related("account")
        .order_by(F("checked_at").asc(nulls_first=True), "pk")[:limit]
    )


def cursor_with_lease(cursor_id: int, token: UUID) -> SyncCursor | None:
    """Lock the cursor if the lease is still ours."""
    return (
        SyncCursor.objects.select_for_update()
        .filter(pk=cursor_id, lease_token=token)
        .first()
    )
