"""Refunds that staff ask for become intents, or are refused with what to do instead.

Called by the shop's capture inside the transaction of the request, and by the sweep for
what capture missed; the same request told twice changes nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Min

from .. import clock, failures, lock_objects, outbox, store
from ..amazon import order_feeds
from ..amazon.marketplaces import MARKETPLACES, minor_unit
from ..amazon.orders import FulfilledBy, FulfillmentStatus
from ..ledger import shop_refunds, timeline
from ..ledger.refunds import items_of
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    ChannelSettings,
    OutboxEntry,
    SellerAccount,
    ShopRefund,
    SyncCursor,
)
from ..store.contract import RefundByHand, RefundRequest
from . import reasons
from .shares import Chosen, Left, TooMuchError, UnreadableError, left_of

logger = logging.getLogger(__name__)

KIND = OutboxEntry.Kind.REFUND
STREAM = "staff_refunds"
#: As for shipments: rows are seen when they are committed, not when they were written.
SWEEP_OVERLAP = timedelta(minutes=15)

_OPEN = (
    OutboxEntry.State.PENDING,
    OutboxEntry.State.SENDING,
    OutboxEntry.State.SUBMITTED,
    OutboxEntry.State.UNKNOWN,
)
#: In which something of an order was charged.
CHARGED = (FulfillmentStatus.SHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED)


class Refused(Exception):
    """Amazon cannot refund what staff asked for; the message says what to do."""


def take(request: RefundRequest) -> bool:
    """Write the intent, and mark the request as on its way in the shop; whether it was
    new. Must be called inside a transaction, with the shop's order locked.

    Raises Refused, with nothing written.
    """
    order = _locked(request)
    if ShopRefund.objects.filter(order=order, request_id=request.request_id).exists():
        return False
    items = items_of([order])[order.amazon_order_id]
    _check(order, items, request)
    key = f"refund:{order.amazon_order_id}:{request.request_id}:1"
    outbox.enqueue(
        order,
        KIND,
        subject=request.request_id,
        revision=1,
        payload={
            "reference": request.reference,
            "amount": money(request.amount, request.currency),
        },
        actor=request.actor,
        wait=outbox.COMPANY_WAIT,
    )
    ShopRefund.objects.create(
        order=order,
        entry=OutboxEntry.objects.get(idempotency_key=key),
        request_id=request.request_id,
        reference=request.reference,
        amount=request.amount,
        currency=request.currency,
        reason=reasons.adjustment_reason(request.reasons).value,
        lines=[
            {
                "line_id": line.line_id,
                "units": line.units,
                "reason": reasons.adjustment_reason(
                    (*line.reasons, *request.reasons)
                ).value,
            }
            for line in request.lines
        ],
        is_shipping_included=request.is_shipping_included,
    )
    store.current().take_refund(request)
    timeline.add(
        order,
        "refund_requested",
        f"Amazon is to be told to refund {money(request.amount, request.currency)}.",
        actor=request.actor,
    )
    return True


def check(request: RefundRequest) -> None:
    """Raises Refused if ``take`` would. Must be called inside a transaction, with the
    shop's order locked."""
    order = _locked(request)
    _check(order, items_of([order])[order.amazon_order_id], request)


def _locked(request: RefundRequest) -> AmazonOrder:
    known = AmazonOrder.objects.filter(shop_order_id=request.order_id)
    ids = list(known.values_list("amazon_order_id", flat=True))
    orders = lock_objects.orders_by_id(ids)
    if not orders:
        raise Refused("Amazon has no such order, as far as the channel knows.")
    return orders[0]


def _check(
    order: AmazonOrder, items: list[AmazonOrderItem], request: RefundRequest
) -> None:
    number, status = order.amazon_order_id, order.fulfillment_status
    if order.account.state == SellerAccount.State.DISCONNECTED:
        raise Refused(
            f"Order {number} is of the seller account {order.account.name}, which is "
            f"disconnected. {in_seller_central(order)}"
        )
    if order.fulfilled_by == FulfilledBy.AMAZON:
        raise Refused(
            f"Amazon fulfils order {number}, so it refunds it as well: the buyer asks "
            "Amazon for it."
        )
    if status == FulfillmentStatus.CANCELLED:
        raise Refused(f"Order {number} is cancelled on Amazon: nothing was charged.")
    is_to_be_shipped = order.packages.exists()
    if status not in CHARGED and not is_to_be_shipped:
        raise Refused(
            f"Order {number} is not shipped yet, so nothing was charged for it on "
            "Amazon and nothing can be refunded. Cancel it there instead, with "
            "amazonOrderCancel; or ship it first."
        )
    if request.currency != order.currency:
        raise Refused(f"Order {number} is in {order.currency}.")
    if request.amount <= 0:
        raise Refused("The amount must be more than nothing.")
    check_ids(order, items)
    # The others that are asked for and have not left will be gone by then.
    waiting = ShopRefund.objects.filter(order=order, entry__state__in=_OPEN).exclude(
        shop_refunds.IN_FLIGHT
    )
    before = sum(waiting.values_list("amount", flat=True), Decimal(0))
    left = left_to_refund(order, items, once_shipped=is_to_be_shipped)
    if request.amount > left.amount - before:
        raise Refused(too_much(order, max(left.amount - before, Decimal(0))))
    distribute(left, request_chosen(request), request.amount, order)


def left_to_refund(
    order: AmazonOrder, items: list[AmazonOrderItem], *, once_shipped: bool
) -> Left:
    """Raises Refused where Amazon's amounts cannot be read."""
    given = shop_refunds.given_by_item([order])[order.amazon_order_id]
    try:
        return left_of(order, items, given, once_shipped=once_shipped)
    except UnreadableError as error:
        raise Refused(unreadable(order)) from error


def distribute(
    left: Left,
    chosen: tuple[list[Chosen], bool],
    amount: Decimal,
    order: AmazonOrder,
) -> dict[str, dict[str, Decimal]]:
    """Raises Refused."""
    lines, is_shipping_chosen = chosen
    try:
        return left.distribute(amount, lines, is_shipping_chosen=is_shipping_chosen)
    except TooMuchError as error:
        raise Refused(too_much(order, error.left)) from error


def request_chosen(request: RefundRequest) -> tuple[list[Chosen], bool]:
    lines = [Chosen(line.line_id, line.units) for line in request.lines]
    return lines, request.is_shipping_included


def check_ids(order: AmazonOrder, items: list[AmazonOrderItem]) -> None:
    """Raises Refused where Amazon's feed does not take the order."""
    if not all(order_feeds.is_order_item_code(item.order_item_id) for item in items):
        raise Refused(
            f"Order {order.amazon_order_id} has an order item id that Amazon's feed "
            f"does not take. {in_seller_central(order)}"
        )
    if order.currency not in order_feeds.ADJUSTMENT_CURRENCIES:
        raise Refused(
            f"Amazon's feed takes no refunds in {order.currency}. "
            f"{in_seller_central(order)}"
        )


def too_much(order: AmazonOrder, left: Decimal) -> str:
    return (
        f"Of order {order.amazon_order_id} {money(left, order.currency)} are left to "
        "refund on Amazon: no more was charged there for what is shipped, or was not "
        "refunded before. Nothing was refunded now."
    )


def unreadable(order: AmazonOrder) -> str:
    return (
        f"The amounts of order {order.amazon_order_id} cannot be read, so nothing is "
        f"refunded. {in_seller_central(order)}"
    )


def in_seller_central(order: AmazonOrder) -> str:
    info = MARKETPLACES.get(order.marketplace_id)
    address = f": {info.order_url(order.amazon_order_id)}" if info else "."
    return f"Refund it in Seller Central{address}"


def money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(minor_unit(currency))} {currency}"


def sweep() -> int:
    """Take the requests that capture missed; answer how many intents it wrote.

    What cannot be taken is refused, as capture would have; what fails unexpectedly is
    tried again at the next sweep.
    """
    if not ChannelSettings.load().active:
        return 0
    cursor, _ = SyncCursor.objects.get_or_create(account=None, stream=STREAM)
    started_at = clock.now()
    first = AmazonOrder.objects.aggregate(first=Min("imported_at"))["first"]
    since = cursor.watermark or first
    if since is None:
        return 0
    written, is_complete = 0, True
    shop = store.current()
    for request in shop.refund_requests_since(since - SWEEP_OVERLAP):
        try:
            written += take_or_refuse(request)
        except Exception as error:  # noqa: BLE001  it must not keep the others back
            is_complete = False
            failures.log(logger, f"refund request {request.request_id}", error)
    for refund in shop.refunds_by_hand_since(since - SWEEP_OVERLAP):
        with transaction.atomic():
            _tell_by_hand(refund)
    if is_complete:
        SyncCursor.objects.filter(pk=cursor.pk).update(
            watermark=started_at, last_run_at=started_at
        )
    return written


def _tell_by_hand(refund: RefundByHand) -> None:
    """Who records a refund by hand has made it by other means, in Seller Central most
    likely: to make it on Amazon because of that would make it twice. Staff are told."""
    shop = store.current()
    if shop.order_state(refund.order_id) is None:
        return
    known = AmazonOrder.objects.filter(shop_order_id=refund.order_id)
    ids = list(known.values_list("amazon_order_id", flat=True))
    for order in lock_objects.orders_by_id(ids):
        message = (
            f"{money(refund.amount, refund.currency)} were recorded as refunded by "
            f"hand ({refund.reference}). Amazon is not told of that. If the buyer has "
            "not got it there, refund it with the order's Amazon transaction; if it "
            "was made in Seller Central, it comes here by itself, a second time."
        )
        if order.events.filter(type="refunded_by_hand", message=message).exists():
            continue
        shop.add_note(refund.order_id, message)
        timeline.add(order, "refunded_by_hand", message, refund.actor)


def take_or_refuse(request: RefundRequest) -> bool:
    """Take a request, in a transaction of its own; whether it was taken just now."""
    shop = store.current()
    try:
        with transaction.atomic():
            shop.order_state(request.order_id)
            return take(request)
    except Refused as refusal:
        with transaction.atomic():
            shop.refuse_refund(request, str(refusal))
        return False
