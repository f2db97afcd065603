"""Cancel an order on Amazon: a message of an order acknowledgement feed or, where its
marketplace has that switched on, a call.

Payload of the entry: ``{"reason": CancelReason, "order_item_ids": [...]}``. Only whole
orders that Amazon has as UNSHIPPED are cancelled (SP-API "Order Feed Type Values").
The shop's order follows when Amazon says that it is cancelled: ``importing.news``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from .. import clock, outbox, store
from ..amazon import errors, order_feeds, orders
from ..amazon.client import Client
from ..amazon.order_feeds import Cancellation, CancelReason
from ..amazon.orders import FulfillmentStatus
from ..ledger import communication, recorder
from ..models import Marketplace, OutboxEntry, SellerAccount
from ..outbox import Outcome, State

logger = logging.getLogger(__name__)

FEED_TYPE = order_feeds.ORDER_ACKNOWLEDGEMENT
#: What is cancelled cannot be cancelled again.
IS_REPEATABLE = True

#: Cancelled orders are read again at once, one call each, where they are so few. More
#: are left to the next scan, which needs no more calls for them.
MOST_READ_AGAIN = 10

Mechanism = Marketplace.CancellationMechanism

#: The reasons that the call knows, in its own spelling.
REASON_CODES: Mapping[CancelReason, str] = {
    CancelReason.NO_INVENTORY: "NO_INVENTORY",
    CancelReason.BUYER_CANCELED: "BUYER_CANCELLED",
    CancelReason.SHIPPING_ADDRESS_UNDELIVERABLE: "SHIPPING_ADDRESS_UNDELIVERABLE",
    CancelReason.CUSTOMER_EXCHANGE: "CUSTOMER_EXCHANGE",
    CancelReason.PRICING_ERROR: "PRICING_ERROR",
}


def goes_by_call(account: SellerAccount) -> bool:
    """Whether a marketplace of the account has its orders cancelled by call."""
    return account.marketplaces.filter(cancellation_mechanism=Mechanism.CALL).exists()


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """What came of the call, or that it goes by feed; with ``reconcile`` Amazon is read
    first."""
    order = entry.order
    done = _read(client, entry) if reconcile else _outcome_of(order.fulfillment_status)
    if done:
        return done
    reason = REASON_CODES.get(CancelReason(entry.payload["reason"]))
    by_call = Marketplace.objects.filter(
        account=entry.account_id,
        marketplace_id=order.marketplace_id,
        cancellation_mechanism=Mechanism.CALL,
    )
    if reason is None or not by_call.exists():
        return _by_feed()
    try:
        orders.cancel_order(
            client, order.amazon_order_id, reason, max_wait_seconds=max_wait_seconds
        )
    except (errors.NotFound, errors.Forbidden, errors.UnexpectedStatus) as error:
        # Not offered to this app, or not at all. Nothing was done.
        communication.note_failure(entry.account, orders.CANCEL_ORDER, error)
        return _by_feed()
    except errors.InvalidRequest:
        # Not as the ledger has it: cancelled by the buyer meanwhile, or shipped.
        if done := _read(client, entry):
            return done
        raise
    settled(client, entry.account, [entry])
    return Outcome(State.SUCCEEDED, "Amazon cancels the order.")


def _by_feed() -> Outcome:
    return Outcome(
        State.PENDING,
        error_code=outbox.BY_FEED,
        next_attempt_at=clock.now(),
        is_postponed=True,
    )


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
    return _read(client, entry)


def _read(client: Client, entry: OutboxEntry) -> Outcome | None:
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
