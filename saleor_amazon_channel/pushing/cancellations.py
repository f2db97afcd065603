"""Cancel an order on Amazon: a message of an order acknowledgement feed.

Payload of the entry: ``{"reason": CancelReason, "order_item_ids": [...]}``. Only whole
orders that Amazon has as UNSHIPPED are cancelled (SP-API "Order Feed Type Values").
The shop's order follows when Amazon says that it is cancelled: ``importing.news``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from .. import store
from ..amazon import errors, order_feeds, orders
from ..amazon.client import Client
from ..amazon.order_feeds import Cancellation, CancelReason
from ..amazon.orders import FulfillmentStatus
from ..ledger import recorder
from ..models import OutboxEntry, SellerAccount
from ..outbox import Outcome, State

logger = logging.getLogger(__name__)

FEED_TYPE = order_feeds.ORDER_ACKNOWLEDGEMENT
#: What is cancelled cannot be cancelled again.
IS_REPEATABLE = True

#: Cancelled orders are read again at once, one call each, where they are so few. More
#: are left to the next scan, which needs no more calls for them.
MOST_READ_AGAIN = 10


def prepare(
    entries: Sequence[OutboxEntry],
) -> Mapping[int, Cancellation | Outcome]:
    """By entry what is to be sent, or what came of it already, by the ledger."""
    return {
        entry.pk: _outcome_of(entry.order.fulfillment_status)
        or Cancellation(
            entry.order.amazon_order_id,
            tuple(entry.payload["order_item_ids"]),
            CancelReason(entry.payload["reason"]),
        )
        for entry in entries
    }


def document(account: SellerAccount, messages: Mapping[int, Cancellation]) -> bytes:
    return order_feeds.cancellations(account.seller_id, messages)


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """What came of it, read from Amazon; None: it is still to be cancelled."""
    order, _ = orders.get_order(client, entry.order.amazon_order_id)
    return _outcome_of(order.fulfillment_status)


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    return dict.fromkeys([e.pk for e in entries], "Amazon has cancelled the order.")


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Read cancelled orders again: the shop follows before the next scan."""
    if len(entries) > MOST_READ_AGAIN:
        return
    found = []
    try:
        for entry in entries:
            found.append(orders.get_order(client, entry.order.amazon_order_id))
    except errors.AmazonError as error:
        logger.info("cancelled orders are left to the next scan: %s", error)
    recorder.record(account, found)


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """Nothing: that an order is cancelled is Amazon's to say."""


def report(entry: OutboxEntry) -> None:
    """Tell staff on the shop's order what came of it."""
    if entry.order.shop_order_id and entry.state == State.FAILED:
        store.current().add_note(
            entry.order.shop_order_id,
            f"The order is not cancelled on Amazon: {entry.error_message}",
        )


def _outcome_of(status: str) -> Outcome | None:
    if status == FulfillmentStatus.CANCELLED:
        return Outcome(State.SUCCEEDED, "The order is cancelled on Amazon.")
    if status == FulfillmentStatus.UNSHIPPED:
        return None
    return Outcome(
        State.FAILED,
        f"On Amazon the order is {status.lower().replace('_', ' ')} by now, and only "
        "an unshipped order can be cancelled. Refund it instead.",
        error_code="NOT_UNSHIPPED",
    )
