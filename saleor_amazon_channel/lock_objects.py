"""Every lock of ours in one place, so that the order they are taken in can be seen.

The shop's rows come before ours: staff actions hold an order of the shop when capture
locks the ledger's. Only the importer takes stock after ledger rows, and those are of
orders which no staff action can touch yet. Rows of one table are locked by key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from . import clock
from .models import (
    AmazonListing,
    AmazonOrder,
    AmazonPackage,
    AmazonRefund,
    OutboxEntry,
    SyncCursor,
)

#: Amazon says that it has cancelled an order before the order itself says so. What is
#: not cancelled by then never will be, and is to be shipped.
CANCELLATION_SETTLES_WITHIN = timedelta(days=1)

#: Our key space among PostgreSQL's advisory locks: "AMZ" and what is locked.
_RECORDING = 0x414D5A01
_JUDGING = 0x414D5A02


def serialize_recording(account_id: int) -> None:
    """One transaction at a time records orders of an account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)",
            [_RECORDING, account_id % 2**31],
        )


def try_recording(account_id: int) -> bool:
    """``serialize_recording`` for who holds orders already: whether nobody else records
    orders of the account at this moment, who would then wait for these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, %s)",
            [_RECORDING, account_id % 2**31],
        )
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


def begin_judging() -> None:
    """Until the transaction ends, nobody changes the settings that orders are judged
    by. Before any other lock of ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", [_JUDGING])


def begin_settings() -> None:
    """Wait until no order is being judged by settings that are to be changed, and let
    none be until the transaction ends: it would keep what the old ones say, unseen by
    whoever looks for orders that the change is for. Before any other lock of ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_JUDGING])


def orders_by_id(amazon_order_ids: Iterable[str]) -> list[AmazonOrder]:
    """Lock the ledger's orders with these Amazon order ids."""
    return list(
        AmazonOrder.objects.select_for_update(of=("self",))
        .filter(amazon_order_id__in=list(amazon_order_ids))
        .order_by("pk")
    )


def hold_orders(orders: Q) -> None:
    """Lock these orders of the ledger without reading them."""
    rows = AmazonOrder.objects.select_for_update(of=("self",)).filter(orders)
    # Some are long.
    list(rows.order_by("pk").values_list("pk"))


@dataclass
class ShopOrder:
    """A locked order of the ledger, and what shipping it takes."""

    #: Its other fields are loaded when used: some are long, some encrypted.
    order: AmazonOrder
    #: Order item id and the shop's units of one, by the ids of the lines they became.
    items: dict[str, tuple[str, int]]
    #: As Amazon told of them.
    packages_on_amazon: list[dict[str, Any]]
    #: Amazon is to be told to cancel it, or was, and the ledger has not heard the end.
    is_being_cancelled: bool = False
    #: Ours, by the ids of the fulfillments they are.
    packages: dict[str, AmazonPackage] = field(default_factory=dict)


#: In the order of the model's own, which ``from_db`` goes by.
_FIELDS = (
    "id",
    "account_id",
    "amazon_order_id",
    "fulfillment_status",
    "fulfilled_by",
    "shop_order_id",
)
#: In SQL, since staff wait for it, and composing it takes longer than running it.
_BY_SHOP_ID = f"""
    SELECT COALESCE(payload -> 'packages', '[]'),
        (
            SELECT COALESCE(
                jsonb_object_agg(
                    shop_line_id, jsonb_build_array(order_item_id, units_per_item)
                ),
                '{{}}'
            )
            FROM saleor_amazon_channel_amazonorderitem AS item
            WHERE item.order_id = locked.id AND shop_line_id <> ''
        ),
        {", ".join(_FIELDS)}
    FROM saleor_amazon_channel_amazonorder AS locked
    WHERE shop_order_id = ANY(%s)
        AND EXISTS (SELECT FROM saleor_amazon_channel_channelsettings WHERE active)
    ORDER BY id
    FOR UPDATE OF locked
"""  # noqa: S608  nothing in it comes from outside
#: One row at least for each order: one without packages has a row without a package.
_PACKAGES = """
    SELECT package.*, locked.id AS locked_id,
        EXISTS (
            SELECT FROM saleor_amazon_channel_outboxentry AS entry
            WHERE entry.order_id = locked.id AND kind = 'cancel'
                AND (settled_at IS NULL OR (state = 'succeeded' AND settled_at > %s))
        ) AS is_being_cancelled
    FROM unnest(%s::bigint[]) AS locked (id)
    LEFT JOIN saleor_amazon_channel_amazonpackage AS package
        ON package.order_id = locked.id
"""


def orders_by_shop_id(shop_order_ids: Iterable[str]) -> list[ShopOrder]:
    """Lock the ledger's orders that became these of the shop; none while the channel
    is off."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_SHOP_ID, [list(shop_order_ids)])
        locked = {
            values[0]: ShopOrder(
                AmazonOrder.from_db(connection.alias, _FIELDS, values),
                items=json.loads(items),
                packages_on_amazon=json.loads(packages),
            )
            for packages, items, *values in cursor.fetchall()
        }
    # A statement of its own: the one that waits for a lock does not see what the
    # transaction it waited for wrote into other tables.
    cancelled_since = clock.now() - CANCELLATION_SETTLES_WITHIN
    row: Any  # with what the statement adds to the model's fields
    for row in AmazonPackage.objects.raw(_PACKAGES, [cancelled_since, list(locked)]):
        order = locked[row.locked_id]
        order.is_being_cancelled = row.is_being_cancelled
        if row.pk:
            order.packages[row.fulfillment_id] = row
    return list(locked.values())


def orders_to_import(limit: int) -> list[AmazonOrder]:
    """Lock some orders that are ready and that nobody else is importing, the longest
    unchecked first, with the account."""
    return list(
        AmazonOrder.objects.filter(import_state=AmazonOrder.ImportState.READY)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("account")
        .order_by(F("checked_at").asc(nulls_first=True), "pk")[:limit]
    )


def unreported_entry(pk: int) -> OutboxEntry | None:
    """Lock an outbox entry that nobody else is reporting, with its order."""
    return (
        OutboxEntry.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=pk, reported_at=None)
        .select_related("order", "listing")
        .first()
    )


def listings(
    account_id: int, skus: Iterable[str], *, marketplace_ids: Iterable[str] | None
) -> list[AmazonListing]:
    """Lock what an account lists under these SKUs, in these marketplaces or in all."""
    rows = AmazonListing.objects.select_for_update(of=("self",)).filter(
        account_id=account_id, seller_sku__in=list(skus)
    )
    if marketplace_ids is not None:
        rows = rows.filter(marketplace_id__in=list(marketplace_ids))
    return list(rows.order_by("pk"))


def refund(pk: int) -> AmazonRefund:
    """Lock a refund of the ledger."""
    return AmazonRefund.objects.select_for_update(of=("self",)).get(pk=pk)


def cursor_with_lease(cursor_id: int, token: UUID) -> SyncCursor | None:
    """Lock the cursor if the lease is still ours."""
    return (
        SyncCursor.objects.select_for_update()
        .filter(pk=cursor_id, lease_token=token)
        .first()
    )
