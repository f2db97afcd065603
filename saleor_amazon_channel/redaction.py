"""What is known of a buyer is deleted some time after the delivery, here and there.

Amazon's Data Protection Policy asks for it, at most 30 days after the delivery
(``ledger.retention`` says when that was; the number of days is the marketplace's
setting), and for it at once when Amazon says so. It holds for orders that never became
orders of the shop, too, and while the channel or the account is switched off.

Deleted is deleted: what Amazon tells of the buyer later is not taken in again
(``ledger.recorder``). City, region and country stay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from . import clock, failures, lock_objects, outbox, store
from .amazon.orders import FulfilledBy
from .ledger import payloads, retention, timeline
from .models import AmazonOrder, Marketplace, OutboxEntry, SellerAccount
from .models.accounts import MAX_BUYER_DATA_RETENTION_DAYS

logger = logging.getLogger(__name__)

BATCH_SIZE = 100

_TO_BE_SHIPPED = Q(fulfillment_status__in=retention.TO_BE_SHIPPED) & ~Q(
    fulfilled_by=FulfilledBy.AMAZON
)
_NOT_SENT = (
    "It was not sent: what is known of the buyer, the message among it, was deleted."
)
_PERHAPS_SENT = (
    "What is known of the buyer, the message among it, was deleted before Amazon "
    "answered. Look in Seller Central whether it was sent."
)


class StillToBeShippedError(Exception):
    """Without its address the order cannot be shipped any more."""


def redact_due() -> int:
    """Delete what has been kept long enough; of how many orders."""
    _work_out_deliveries()
    redacted = last = 0
    while batch := list(
        AmazonOrder.objects.filter(_due(), redacted_at=None, pk__gt=last)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH_SIZE]
    ):
        redacted += _redact_safely(batch)
        last = batch[-1]
    return redacted


def redact_named(
    amazon_order_ids: Iterable[str], *, force: bool = False, actor: str = ""
) -> int:
    """Delete what is known of the buyers of these orders now; of how many orders.

    ``force``: also of what is still to be shipped, which else is StillToBeShippedError,
    and then nothing was deleted. One that the ledger does not have is passed over.
    ``actor``: who asked for it.
    """
    orders = AmazonOrder.objects.filter(amazon_order_id__in=list(amazon_order_ids))
    to_be_shipped = orders.filter(_TO_BE_SHIPPED, redacted_at=None).values_list(
        "amazon_order_id", flat=True
    )
    if to_be_shipped and not force:
        raise StillToBeShippedError(", ".join(sorted(to_be_shipped)))
    return _redact(list(orders.order_by("pk").values_list("pk", flat=True)), actor)


def _due() -> Q:
    now = clock.now()
    longest = timedelta(days=MAX_BUYER_DATA_RETENTION_DAYS)
    due = Q(delivered_by__lte=now - longest)
    for row in Marketplace.objects.filter(
        buyer_data_retention_days__lt=MAX_BUYER_DATA_RETENTION_DAYS
    ):
        due |= Q(
            account_id=row.account_id,
            marketplace_id=row.marketplace_id,
            delivered_by__lte=now - timedelta(days=row.buyer_data_retention_days),
        )
    is_awaited = _TO_BE_SHIPPED & ~Q(account__state=SellerAccount.State.DISCONNECTED)
    return due & (~is_awaited | Q(delivered_by__lte=now - retention.LONGEST_LATE))


def _work_out_deliveries() -> None:
    """Of orders recorded before this was kept, and of those that cannot be read."""
    unknown = AmazonOrder.objects.filter(delivered_by=None, redacted_at=None)
    columns = ("payload", "created_time")
    while rows := list(unknown.only(*columns).order_by("pk")[:BATCH_SIZE]):
        for row in rows:
            row.delivered_by = retention.delivered_by_of_row(row)
        AmazonOrder.objects.bulk_update(rows, ["delivered_by"])


def _redact_safely(keys: Sequence[int]) -> int:
    """A batch; if that fails, each order on its own: one must not keep the others."""
    try:
        return _redact(keys)
    except Exception as error:  # noqa: BLE001
        if len(keys) > 1:
            return sum(_redact_safely([key]) for key in keys)
        failures.log(logger, f"order {keys[0]} of the ledger: redacting", error)
        return 0


def _redact(keys: Sequence[int], actor: str = "") -> int:
    with transaction.atomic():
        found = dict(
            AmazonOrder.objects.filter(pk__in=keys).values_list(
                "amazon_order_id", "shop_order_id"
            )
        )
        # The shop's rows are locked before ours: see lock_objects.
        store.current().redact_orders([each for each in found.values() if each])
        orders = [
            order
            for order in lock_objects.orders_by_id(found)
            # One that was imported meanwhile is found again the next time.
            if order.shop_order_id == found[order.amazon_order_id]
        ]
        outbox.abandon(
            Q(order__in=orders, kind=OutboxEntry.Kind.BUYER_MESSAGE),
            "REDACTED",
            _NOT_SENT,
            _PERHAPS_SENT,
        )
        outbox.redact(orders)
        AmazonOrder.objects.filter(pk__in=[order.pk for order in orders]).update(
            personal="",
            buyer_name="",
            buyer_search=[],
            staff_address="",
            superseded_recipient="",
            redacted_at=clock.now(),
        )
        # What another version knew to be harmless may be more.
        for order in orders:
            order.payload, _ = payloads.split(order.payload)
        AmazonOrder.objects.bulk_update(orders, ["payload"])
        timeline.add_many(
            (
                (order, "redacted", "What was known of the buyer was deleted.")
                for order in orders
                if order.redacted_at is None
            ),
            actor,
        )
    return len(orders)
