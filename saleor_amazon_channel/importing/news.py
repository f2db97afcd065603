"""Later news of imported orders: what was cancelled on Amazon is cancelled in the shop.

A shop's order that has left the warehouse, wholly or in part, cannot be cancelled: then
its note says what staff have to do, and it is not tried again. What fails unexpectedly
is tried again until it succeeds.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from .. import clock, failures, lock_objects, store
from ..amazon.orders import FulfillmentStatus
from ..ledger import timeline
from ..models import AmazonOrder

logger = logging.getLogger(__name__)

BATCH_SIZE = 50
#: How long a cancellation that failed unexpectedly rests.
RETRY_AFTER = timedelta(seconds=15)


def has_work() -> bool:
    return _unsettled().exists()


def settle_cancellations() -> None:
    """Cancel in the shop what was imported and has been cancelled on Amazon since."""
    while True:
        ids = _unsettled().values_list("amazon_order_id", flat=True)[:BATCH_SIZE]
        batch = list(ids)
        for amazon_order_id in batch:
            _settle_safely(amazon_order_id)
        if not batch:
            return


def _unsettled() -> QuerySet[AmazonOrder]:
    return AmazonOrder.objects.filter(
        Q(checked_at=None) | Q(checked_at__lte=clock.now() - RETRY_AFTER),
        import_state=AmazonOrder.ImportState.IMPORTED,
        fulfillment_status=FulfillmentStatus.CANCELLED,
        cancellation_settled_at=None,
    ).order_by(F("checked_at").asc(nulls_first=True))


def _settle_safely(amazon_order_id: str) -> None:
    try:
        with transaction.atomic():
            _settle(AmazonOrder.objects.get(amazon_order_id=amazon_order_id))
    except Exception as error:  # noqa: BLE001
        # Whatever it is, it must not keep the neighbours from being cancelled.
        failures.log(logger, f"order {amazon_order_id}: cancelling it here", error)
        AmazonOrder.objects.filter(amazon_order_id=amazon_order_id).update(
            checked_at=clock.now()
        )


def _settle(order: AmazonOrder) -> None:
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    # The shop's rows are locked before ours: see lock_objects.
    problem = shop.cancel_orders(
        [shop_order_id],
        f"Order {order.amazon_order_id} was cancelled on Amazon. It is cancelled here "
        "too: its stock is released, and what was charged for it counts as refunded.",
    )[shop_order_id]
    (order,) = lock_objects.orders_by_id([order.amazon_order_id])
    if order.cancellation_settled_at:
        return  # Another worker was faster.
    if problem:
        message = (
            "The order was cancelled on Amazon, but it cannot be cancelled here: "
            f"{problem} Keep the goods from leaving or get them back, then cancel and "
            "refund the order here by hand."
        )
        shop.add_note(shop_order_id, message)
        timeline.add(order, "cancellation_impossible", message)
    else:
        timeline.add(
            order,
            "cancelled_in_shop",
            "The order was cancelled on Amazon; order "
            f"{order.shop_order_number} is cancelled too.",
        )
    AmazonOrder.objects.filter(pk=order.pk).update(cancellation_settled_at=clock.now())
