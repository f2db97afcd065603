"""Refund a buyer: a message of a payment adjustment feed.

Payload of the entry: ``{"reference": str, "amount": str}``, the latter for people; the
rest is its ``ShopRefund``. What it gives of each component is decided here, at the last
moment, by what Amazon tells of refunds until then: its list of them is read before a
feed of refunds leaves. Amazon's own look at what is left catches what it tells too
late.

There is no taking back, and no asking for a refund by our reference. So one that may
have arrived is settled by what Amazon's list of refunds says, up to days later, and
never sent again; only where Amazon's list of *feeds* shows for an hour that it never
got the feed that it was in, it is.

Source: SP-API "Order Feed Type Values", Finances "Use Case Guide" (48 hours).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from .. import clock, store
from ..amazon import order_feeds
from ..amazon.client import Client
from ..amazon.order_feeds import AdjustedItem, Adjustment, AdjustmentReason
from ..amazon.orders import FulfillmentStatus
from ..importing import finances
from ..importing import refunds as carrying
from ..importing.refund_content import RefundContent
from ..ledger import shop_refunds
from ..ledger.refunds import ByItem, items_of
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonRefund,
    Feed,
    OutboxEntry,
    SellerAccount,
    ShopRefund,
    SyncCursor,
)
from ..outbox import HELD, Outcome, State
from ..refunding import record
from ..refunding.shares import Chosen, UnreadableError, left_of
from ..store.contract import RefundDraft

logger = logging.getLogger(__name__)

FEED_TYPE = order_feeds.PAYMENT_ADJUSTMENT
#: Money given back twice is gone.
IS_REPEATABLE = False

#: Amazon's list of feeds is believed after that long, and not before.
NOT_ARRIVED_AFTER = timedelta(hours=1)
#: A feed that has not ended may still take effect: it is followed that long, and no
#: other refund of its orders leaves meanwhile.
GIVE_UP_AFTER = timedelta(days=30)
#: Amazon's list of refunds may lack the last 48 hours.
TOLD_WITHIN = timedelta(days=3)
LOOK_AGAIN_AFTER = timedelta(minutes=30)
#: How often it is looked whether the order is shipped; the ledger knows.
HELD_RETRY = timedelta(minutes=5)
#: What Amazon told until that long ago counts as all it tells before a feed leaves.
FRESH = timedelta(minutes=5)


def is_ready(account: SellerAccount) -> bool:
    """All refunds that Amazon tells of are here; it is asked if need be.

    Not without an answer, but where the app lacks the role: then Amazon's own look at
    what is left must do.
    """
    if not _is_fresh(account):
        finances.scan(account)
        # Those of the shop's that it tells of are known as such, and others are there.
        carrying.settle()
    if _is_fresh(account):
        return True
    cursor = SyncCursor.objects.filter(account=account, stream=finances.STREAM).first()
    if cursor and cursor.last_error == finances.REFUSED:
        return True
    logger.info("account %s: refunds wait until Amazon's are read", account.pk)
    return False


def _is_fresh(account: SellerAccount) -> bool:
    return SyncCursor.objects.filter(
        account=account,
        stream=finances.STREAM,
        watermark__gt=clock.now() - FRESH,
        page_token="",
    ).exists()


def prepare(entries: Sequence[OutboxEntry]) -> Mapping[int, Adjustment | Outcome]:
    """By entry what is to be sent, or what it waits for, or why it does not go."""
    orders = {entry.order_id: entry.order for entry in entries}
    refunds = {
        refund.entry_id: refund
        for refund in ShopRefund.objects.filter(entry__in=entries)
    }
    given = shop_refunds.given_by_item(list(orders.values()), besides=refunds.values())
    items = items_of(orders.values())
    heard = _heard_since(list(orders.values()))
    found: dict[int, Adjustment | Outcome] = {}
    leaving = set()
    for entry in sorted(entries, key=lambda entry: entry.pk):
        order_id = entry.order.amazon_order_id
        if order_id in leaving:
            # What is left for it depends on what becomes of the one before.
            found[entry.pk] = Outcome(
                State.PENDING, next_attempt_at=clock.now(), is_postponed=True
            )
            continue
        try:
            found[entry.pk] = _message(
                entry,
                refunds[entry.pk],
                items[order_id],
                given[order_id],
                heard.get(order_id, []),
            )
        except record.Refused as refusal:
            found[entry.pk] = Outcome(
                State.FAILED, str(refusal), error_code="NOT_REFUNDABLE"
            )
        if isinstance(found[entry.pk], Adjustment):
            leaving.add(order_id)
    return found


def _message(
    entry: OutboxEntry,
    refund: ShopRefund,
    items: list[AmazonOrderItem],
    given: ByItem,
    heard: Sequence[AmazonRefund],
) -> Adjustment | Outcome:
    order = entry.order
    status = order.fulfillment_status
    if status == FulfillmentStatus.CANCELLED:
        raise record.Refused(
            f"Order {order.amazon_order_id} was cancelled on Amazon: nothing was "
            "charged, so nothing is refunded."
        )
    if status not in record.CHARGED:
        return _wait(refund)
    record.check_ids(order, items)
    try:
        left = left_of(order, items, given)
        if refund.amount > left.amount and status != FulfillmentStatus.SHIPPED:
            after = left_of(order, items, given, once_shipped=True)
            if refund.amount <= after.amount and order.packages.exists():
                return _wait(refund)
    except UnreadableError as error:
        raise record.Refused(record.unreadable(order)) from error
    chosen = [Chosen(each["line_id"], each["units"]) for each in refund.lines]
    amounts = record.distribute(
        left, (chosen, refund.is_shipping_included), refund.amount, order
    )
    _check_not_made(order, refund, amounts, heard)
    return Adjustment(
        order.amazon_order_id,
        refund.currency,
        tuple(
            AdjustedItem(
                item_id,
                f"{refund.reference}-{number}"[:50],
                _reason(refund, item_id, items),
                components,
            )
            for number, (item_id, components) in enumerate(amounts.items(), 1)
        ),
    )


def _wait(refund: ShopRefund) -> Outcome:
    return Outcome(
        State.PENDING,
        f"The refund of {record.money(refund.amount, refund.currency)} waits until "
        "Amazon has the order as shipped: nothing was charged before.",
        error_code=HELD,
        next_attempt_at=clock.now() + HELD_RETRY,
        is_postponed=True,
    )


def _heard_since(orders: Sequence[AmazonOrder]) -> dict[str, list[AmazonRefund]]:
    """Refunds of somebody else's, by Amazon order id."""
    found: dict[str, list[AmazonRefund]] = {}
    for row in AmazonRefund.objects.filter(
        amazon_order_id__in=[order.amazon_order_id for order in orders],
        shop_refund=None,
    ).prefetch_related("amounts"):
        found.setdefault(row.amazon_order_id, []).append(row)
    return found


def _check_not_made(
    order: AmazonOrder,
    refund: ShopRefund,
    amounts: ByItem,
    heard: Sequence[AmazonRefund],
) -> None:
    """What staff did not know of when they asked may be what they asked for."""
    wanted = {_total(amounts), _total(amounts, with_tax=False)}
    for row in heard:
        there = shop_refunds.by_item(row)
        totals = {_total(there), _total(there, with_tax=False)}
        if row.recorded_at >= refund.requested_at and totals & wanted:
            raise record.Refused(
                f"{record.money(row.amount, row.currency)} of order "
                f"{order.amazon_order_id} were refunded on Amazon on "
                f"{row.posted_at:%Y-%m-%d}, by somebody else, which was not known here "
                "when as much was asked for. If it is to be refunded once more, ask "
                "for it again."
            )


def _total(amounts: ByItem, *, with_tax: bool = True) -> Decimal:
    return sum(
        (
            amount
            for components in amounts.values()
            for name, amount in components.items()
            if with_tax or name not in shop_refunds.TAXED
        ),
        Decimal(0),
    )


def _reason(
    refund: ShopRefund, item_id: str, items: Sequence[AmazonOrderItem]
) -> AdjustmentReason:
    lines = {each["line_id"]: each["reason"] for each in refund.lines}
    line_id = next(i.shop_line_id for i in items if i.order_item_id == item_id)
    return AdjustmentReason(lines.get(line_id, refund.reason))


def document(account: SellerAccount, messages: Mapping[int, Adjustment]) -> bytes:
    return order_feeds.adjustments(account.seller_id, messages)


def note_sent(messages: Mapping[int, Adjustment], feed: Feed) -> None:
    """Write down what leaves, with the feed that it leaves in."""
    refunds = list(ShopRefund.objects.filter(entry__in=messages).order_by("pk"))
    for refund in refunds:
        refund.sent_at = feed.sent_at
        refund.amounts = {
            item.order_item_id: {
                str(name): str(amount) for name, amount in item.amounts.items()
            }
            for item in messages[refund.entry_id].items
        }
    ShopRefund.objects.bulk_update(refunds, ["sent_at", "amounts"])


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """What came of it, by what Amazon tells of refunds; None: it never left.

    It is not asked for each: its list of refunds is read for all, every half hour.
    """
    feed = entry.feed
    if feed is None:
        return None
    refund = ShopRefund.objects.select_related("order").get(entry=entry)
    if shop_refunds.has_arrived(refund):
        return Outcome(State.SUCCEEDED, _made(refund))
    if feed.is_missing:
        return None
    if feed.settled_at and clock.now() >= feed.settled_at + TOLD_WITHIN:
        return Outcome(
            State.FAILED,
            f"Whether {record.money(refund.amount, refund.currency)} were refunded is "
            "not known: Amazon did not say, and does not tell of it three days later. "
            "Look at the order in Seller Central before asking for it again.",
            error_code="OUTCOME_UNKNOWN",
        )
    return Outcome(
        State.UNKNOWN,
        f"Amazon did not say whether {record.money(refund.amount, refund.currency)} "
        "were refunded. Its list of refunds will, within two days; until then nothing "
        "is sent again.",
        error_code="AWAITING_FINANCES",
        next_attempt_at=clock.now() + LOOK_AGAIN_AFTER,
        is_postponed=True,
    )


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    refunds = ShopRefund.objects.filter(entry__in=entries)
    return {refund.entry_id: _made(refund) for refund in refunds}


def _made(refund: ShopRefund) -> str:
    return f"Amazon has refunded {record.money(refund.amount, refund.currency)}."


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Nothing to be read again: Amazon tells of it later."""


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """What Amazon tells of them already is the shop's own."""
    shop_refunds.link([entry.order for entry in entries])


def report(entry: OutboxEntry) -> None:
    """Put the outcome onto the shop's order, and then what waited for it."""
    refund = ShopRefund.objects.select_related("order").get(entry=entry)
    order, shop = entry.order, store.current()
    shop_order_id = order.shop_order_id or ""
    if shop.order_state(shop_order_id) is not None:
        if entry.state == State.SUCCEEDED:
            _report_success(order, refund, entry)
        else:
            message = f"Not refunded on Amazon: {entry.error_message}"
            shop.fail_refund(refund.request_id, refund.reference, message)
            shop.add_note(shop_order_id, message)
    carrying.carry_again(order)


def _report_success(order: AmazonOrder, refund: ShopRefund, entry: OutboxEntry) -> None:
    items = items_of([order])[order.amazon_order_id]
    amounts = shop_refunds.amounts_of(refund)
    earlier = shop_refunds.given_by_item([order], besides=[refund])
    content = RefundContent(
        order, items, refund.currency, amounts, earlier[order.amazon_order_id]
    )
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    problem = shop.settle_refund(
        RefundDraft(
            reference=refund.reference,
            amount=refund.amount,
            currency=refund.currency,
            refunded_at=entry.settled_at or clock.now(),
            reason=f"Refunded on Amazon. {content.in_words()}",
            lines=content.lines(),
            is_shipping_included=content.is_shipping_complete(),
        ),
        refund.request_id,
    )
    shop.add_note(
        shop_order_id, f"{_made(refund)} {content.in_words()} {problem}".strip()
    )
