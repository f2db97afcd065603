"""How much was sold on which day, in sums that are kept with each order recorded.

A day is one of the marketplace's. An order counts with its grand total, as Amazon last
told it, on the day it was placed; not if it was cancelled or cannot be fulfilled, and
not before Amazon tells its total, which it does not while the payment is pending. What
was refunded is not taken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from .. import clock, lock_objects
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.orders import FulfillmentStatus
from ..models import AmazonOrder, DailySales, SellerAccount

#: Every day so many are counted anew, should the sums have come apart.
RECOUNTED = timedelta(days=35)

NOT_SOLD = (FulfillmentStatus.CANCELLED, FulfillmentStatus.UNFULFILLABLE)


@dataclass(frozen=True)
class Sale:
    """What an order adds to the sums, but for its units."""

    marketplace_id: str
    currency: str
    day: date
    total: Decimal


def of(order: AmazonOrder) -> Sale | None:
    if (
        order.grand_total is None
        or not order.currency
        or order.fulfillment_status in NOT_SOLD
    ):
        return None
    return Sale(
        order.marketplace_id,
        order.currency,
        day_of(order.created_time, order.marketplace_id),
        order.grand_total,
    )


def day_of(moment: datetime, marketplace_id: str) -> date:
    """The day it is in the marketplace."""
    info = MARKETPLACES.get(marketplace_id)
    try:
        return moment.astimezone(ZoneInfo(info.time_zone) if info else UTC).date()
    except OverflowError:
        # At the calendar's end it may be no day there. No order is of then.
        return moment.date()


_ADD = """
    INSERT INTO saleor_amazon_channel_dailysales AS known
        (account_id, marketplace_id, currency, day, order_count, unit_count, total)
    SELECT %s, * FROM unnest(
        %s::text[], %s::text[], %s::date[], %s::bigint[], %s::bigint[], %s::numeric[]
    )
    ON CONFLICT (account_id, marketplace_id, currency, day) DO UPDATE SET
        order_count = known.order_count + excluded.order_count,
        unit_count = known.unit_count + excluded.unit_count,
        total = known.total + excluded.total
"""


def replace(
    account_id: int,
    before: Iterable[tuple[Sale | None, int]],
    after: Iterable[tuple[Sale | None, int]],
) -> None:
    """Take sales, each with its units, from the sums, and add others.

    To be called in the transaction that changes the orders, with the account's
    recording lock held.
    """
    sums: dict[tuple[str, str, date], list[Decimal]] = defaultdict(
        lambda: [Decimal(0)] * 3
    )
    for sign, sales in ((-1, before), (1, after)):
        for sale, units in sales:
            if sale is not None:
                key = (sale.marketplace_id, sale.currency, sale.day)
                added = (Decimal(1), Decimal(units), sale.total)
                sums[key] = [
                    known + sign * more
                    for known, more in zip(sums[key], added, strict=True)
                ]
    changed = sorted((key, values) for key, values in sums.items() if any(values))
    if changed:
        columns = zip(*((*key, *values) for key, values in changed), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [account_id, *map(list, columns)])


_COUNT = """
    INSERT INTO saleor_amazon_channel_dailysales
        (account_id, marketplace_id, currency, day, order_count, unit_count, total)
    SELECT %(account)s, sold.marketplace_id, sold.currency, sold.day,
        count(*), sum(sold.units), sum(sold.grand_total)
    FROM (
        SELECT o.marketplace_id, o.currency, o.grand_total,
            (
                o.created_time AT TIME ZONE COALESCE(zone.name, 'UTC')
            )::date AS day,
            COALESCE(
                (
                    SELECT sum(item.quantity_ordered)
                    FROM saleor_amazon_channel_amazonorderitem AS item
                    WHERE item.order_id = o.id
                ),
                0
            ) AS units
        FROM saleor_amazon_channel_amazonorder AS o
        LEFT JOIN unnest(%(marketplaces)s::text[], %(zones)s::text[])
            AS zone (marketplace_id, name) USING (marketplace_id)
        WHERE o.account_id = %(account)s
            AND o.created_time >= %(since)s
            AND o.grand_total IS NOT NULL
            AND o.currency <> ''
            AND o.fulfillment_status <> ALL (%(not_sold)s)
    ) AS sold
    WHERE sold.day >= %(first_day)s
    GROUP BY sold.marketplace_id, sold.currency, sold.day
"""


def recount() -> None:
    """Count the last days of every account anew."""
    first_day = (clock.now() - RECOUNTED).date()
    for account_id in SellerAccount.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            lock_objects.serialize_recording(account_id)
            DailySales.objects.filter(account=account_id, day__gte=first_day).delete()
            with connection.cursor() as cursor:
                cursor.execute(
                    _COUNT,
                    {
                        "account": account_id,
                        "marketplaces": list(MARKETPLACES),
                        "zones": [info.time_zone for info in MARKETPLACES.values()],
                        "not_sold": list(NOT_SOLD),
                        "first_day": first_day,
                        # A day begins nowhere earlier than 14 hours before UTC's.
                        "since": datetime(
                            first_day.year, first_day.month, first_day.day, tzinfo=UTC
                        )
                        - timedelta(hours=14),
                    },
                )
