"""Refunds made on Amazon appear on the shop's orders.

A refund is carried once its order is in the shop, and again where Amazon corrects its
amounts. The shop gets what the buyer got, on the lines that it is for; what Amazon does
not tell the items of is on the order as a whole.

``_carry`` is the only way by which a refund on Amazon gets into the shop. The port
knows each by Amazon's transaction id, so carrying it twice is carrying it once. One
that the shop asked for is there from its own outcome (``pushing.refunds``); only what
Amazon made of it otherwise than asked is carried (``_correct``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.db.models import F, Q, QuerySet

from .. import clock, lock_objects, outbox, store
from ..amazon.marketplaces import minor_unit
from ..ledger import refunds as ledger
from ..ledger import shop_refunds, timeline
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonRefund,
    ShopRefund,
)
from ..store.contract import RefundDraft
from .carrying import RETRY_AFTER, one_by_one
from .refund_content import RefundContent

State = AmazonRefund.State

#: What may be a refund of the shop's is looked at again this often, unless what became
#: of that one is known before.
LOOK_AGAIN_AFTER = timedelta(minutes=15)


def has_work() -> bool:
    return _due().exists()


def settle() -> None:
    """Bring onto the shop's orders what was refunded of them on Amazon."""
    one_by_one(_due, _settle, "recording a refund here", _put_off)


def _due() -> QuerySet[AmazonRefund]:
    return AmazonRefund.objects.filter(carry_at__lte=clock.now()).order_by(
        "carry_at", "posted_at", "pk"
    )


def _put_off(refunds: QuerySet[AmazonRefund]) -> None:
    refunds.update(carry_at=clock.now() + RETRY_AFTER)


def _settle(refund: AmazonRefund) -> None:
    order = AmazonOrder.objects.filter(
        account_id=refund.account_id,
        amazon_order_id=refund.amazon_order_id,
        import_state=AmazonOrder.ImportState.IMPORTED,
    ).first()
    # The shop's rows are locked before ours: see lock_objects.
    is_in_shop = order is not None and (
        store.current().order_state(order.shop_order_id or "") is not None
    )
    if order is not None:
        lock_objects.orders_by_id([order.amazon_order_id])
        shop_refunds.link([order])
    refund = lock_objects.refund(refund.pk)
    if refund.carry_at is None:
        return  # Another worker was faster.
    refund.carry_at = None
    if order is not None and is_in_shop:
        own = refund.shop_refund
        if own is not None and not own.entry.reported_at:
            refund.carry_at = clock.now() + LOOK_AGAIN_AFTER
        elif own is not None:
            _correct(order, refund, own)
        elif refund.state == State.WAITING and (own := shop_refunds.may_be_own(refund)):
            # It says what became of the shop's, where nobody knows.
            outbox.look_soon(own.entry)
            refund.carry_at = clock.now() + LOOK_AGAIN_AFTER
        else:
            _carry(order, refund)
    elif order is not None:
        refund.state = State.NOT_RECORDED
        refund.note = "The order is not in the shop any more."
        timeline.add(order, "refund_not_recorded", _told(refund, refund.note))
    refund.save()


def carry_again(order: AmazonOrder) -> None:
    """What became of a refund of the shop's is known there now: look again at what
    waited for that, and at what there was nothing charged for."""
    AmazonRefund.objects.filter(
        Q(state=State.WAITING)
        | Q(amount_in_shop__lt=F("amount"))
        | Q(shop_refund__isnull=False),
        account_id=order.account_id,
        amazon_order_id=order.amazon_order_id,
    ).update(carry_at=clock.now())


def _carry(order: AmazonOrder, refund: AmazonRefund) -> None:
    items = ledger.items_of([order])[order.amazon_order_id]
    ledger.match_again(refund, items)
    content = content_of(order, items, refund)
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    before, problem, amount = refund.amount_in_shop, "", Decimal(0)
    if content.amount > 0:
        recorded = shop.record_refund(
            shop_order_id, draft_of(refund.transaction_id, content, refund)
        )
        amount, problem = recorded.amount, recorded.problem
        if not problem and amount < content.amount:
            problem = (
                f"Only {_money(amount, refund.currency)} of it is recorded here, since "
                "no more was charged."
            )
    else:
        problem = "It gives the buyer nothing that could be recorded here."
    if refund.unknown:
        problem += (
            f" Amazon names in it what the channel does not know ({refund.unknown}): "
            "that is not counted. Compare it with Seller Central."
        )
    problem = problem.strip()
    is_news = amount != before or problem != refund.note
    refund.state = State.RECORDED if amount else State.NOT_RECORDED
    refund.amount_in_shop, refund.note = amount, problem
    if not is_news:
        return
    type_ = "refunded_on_amazon" if amount else "refund_not_recorded"
    message = _told(refund, content.in_words(), refund.note)
    shop.add_note(shop_order_id, message)
    timeline.add(order, type_, message)


def _correct(order: AmazonOrder, refund: AmazonRefund, own: ShopRefund) -> None:
    """The shop has it already, as it asked for it: record what Amazon made of it."""
    items = ledger.items_of([order])[order.amazon_order_id]
    parts = list(own.on_amazon.prefetch_related("amounts"))
    amounts = [content_of(order, items, part).amount for part in parts]
    refund.state = State.RECORDED
    refund.amount_in_shop = content_of(order, items, refund).amount
    given = sum(amounts, Decimal(0))
    if not shop_refunds.is_whole(own, parts) or given in (own.amount, Decimal(0)):
        return
    draft = draft_of(own.reference, content_of(order, items, refund), refund)
    shop, shop_order_id = store.current(), order.shop_order_id or ""
    recorded = shop.record_refund(shop_order_id, replace(draft, amount=given))
    note = (
        f"Amazon refunded {_money(given, refund.currency)} instead of the "
        f"{_money(own.amount, own.currency)} that were asked for; here it is "
        f"{_money(recorded.amount, refund.currency)}."
    )
    if note != refund.note:
        refund.note = note
        shop.add_note(shop_order_id, note)
        timeline.add(order, "refunded_otherwise", note)


def content_of(
    order: AmazonOrder, items: Sequence[AmazonOrderItem], refund: AmazonRefund
) -> RefundContent:
    amounts = shop_refunds.by_item(refund)
    earlier = in_shop(order, Q(state=State.RECORDED) & ~Q(pk=refund.pk))
    return RefundContent(order, items, refund.currency, amounts, earlier)


def in_shop(order: AmazonOrder, refunds: Q) -> ledger.ByItem:
    """What these refunds paid back, and what the shop's own did that Amazon does not
    tell of yet."""
    order_id = order.amazon_order_id
    found = ledger.refunded_by_item([order_id], refunds)[order_id]
    for item_id, components in shop_refunds.untold([order])[order_id].items():
        for name, amount in components.items():
            found[item_id][name] = found[item_id].get(name, Decimal(0)) + amount
    return found


def draft_of(
    reference: str, content: RefundContent, refund: AmazonRefund
) -> RefundDraft:
    return RefundDraft(
        reference=reference,
        amount=content.amount,
        currency=refund.currency,
        refunded_at=refund.posted_at,
        reason=f"Refunded on Amazon. {content.in_words()}",
        lines=content.lines(),
        is_shipping_included=content.is_shipping_complete(),
    )


def _told(refund: AmazonRefund, *more: str) -> str:
    who = f"{_money(refund.amount, refund.currency)} were refunded on Amazon"
    return " ".join([f"{who} on {refund.posted_at:%Y-%m-%d}.", *filter(None, more)])


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount.quantize(minor_unit(currency))} {currency}"
