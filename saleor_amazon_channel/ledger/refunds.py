"""Refunds on Amazon, recorded as it tells of them: each once, whatever comes twice,
late or in another order.

A refund is told by one transaction, or by two where Amazon defers it: the deferred one
and the one that releases it name each other, in either, or share Amazon's refund id
(threads of 2025 tell of pairs without links). What both say of the amounts is kept as
the releasing one says it.

Amounts go to the order item that Amazon names, by its id or by a SKU or ASIN that only
one item of the order has. Where none can be told, they are the order's as a whole.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q, Sum

from .. import clock, lock_objects
from ..amazon.finances import (
    LIST_TRANSACTIONS,
    Transaction,
    TransactionItem,
    TransactionStatus,
    refunded,
    transaction_from_wire,
)
from ..amazon.orders import Money
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonRefund,
    AmazonRefundAmount,
    CommunicationLog,
    OrderInvoice,
    SellerAccount,
)

#: Which of two transactions of a refund says it better.
_RANKS = {TransactionStatus.DEFERRED: 0, TransactionStatus.DEFERRED_RELEASED: 1}
_RELEASED = 2

#: Order item id, seller SKU and component.
_Key = tuple[str, str, str]

#: Order item id → component → amount; under "" is what no item could be told of.
ByItem = Mapping[str, Mapping[str, Decimal]]


def record(account: SellerAccount, transactions: Iterable[Transaction]) -> int:
    """Write the refunds among ``transactions``; how many of them were news.

    Those of orders that are in the shop are to be carried there.
    """
    found = [each for each in transactions if each.is_refund]
    if not found:
        return 0
    with transaction.atomic():
        return _record(account, found)


def note_malformed(account: SellerAccount, problems: Iterable[str]) -> None:
    """Log what could not be read, once each: scans overlap by days."""
    for problem in problems:
        message = f"{LIST_TRANSACTIONS}: {problem}"
        logged = CommunicationLog.objects.filter(account=account, message=message)
        if not logged.exists():
            CommunicationLog.objects.create(
                account=account,
                operation=LIST_TRANSACTIONS,
                error_code="MalformedTransaction",
                message=message,
            )


def _record(account: SellerAccount, transactions: Sequence[Transaction]) -> int:
    # An order that is being recorded, or imported, must not miss its refund.
    lock_objects.serialize_recording(account.pk)
    order_ids = {each.order_id for each in transactions if each.order_id}
    orders = {
        order.amazon_order_id: order
        for order in lock_objects.orders_by_id(order_ids)
        if order.account_id == account.pk
    }
    items = items_of(orders.values())
    known = list(
        AmazonRefund.objects.select_for_update()
        .filter(account=account)
        .filter(
            Q(amazon_order_id__in=order_ids)
            | Q(transaction_id__in=[each.transaction_id for each in transactions])
        )
        .order_by("pk")
    )
    # One that gets its invoice later is looked at then.
    invoiced = set(
        OrderInvoice.objects.filter(order__in=orders.values()).values_list(
            "order_id", flat=True
        )
    )
    news = 0
    for each in sorted(transactions, key=lambda one: one.posted_date):
        told = _read(each, items.get(each.order_id, ()))
        if told.problem:
            note_malformed(account, [f"{each.transaction_id}: {told.problem}"])
            continue
        row = next((row for row in known if _tells_of(each, row, told)), None)
        if row is None:
            row = _new(account, each)
            known.append(row)
        elif not _is_news(each, row):
            continue
        order = orders.get(each.order_id)
        is_invoiced = order is not None and order.pk in invoiced
        _apply(each, row, told, order, is_invoiced=is_invoiced)
        news += 1
    return news


# --- which refund it is --------------------------------------------------------------


def _tells_of(each: Transaction, row: AmazonRefund, told: _Told) -> bool:
    ids = {
        each.transaction_id,
        each.deferred_transaction_id,
        each.release_transaction_id,
    }
    if (ids - {""}) & {row.transaction_id, row.linked_transaction_id}:
        return True
    # A pair without links.
    return (
        bool(each.refund_id)
        and not (each.deferred_transaction_id or each.release_transaction_id)
        and each.refund_id == row.refund_id
        and each.order_id == row.amazon_order_id
        and told.amount == row.amount
        and not row.linked_transaction_id
        and _is_release(each.status) != _is_release(_status_in(row))
    )


def _is_release(status: str) -> bool:
    return status not in _RANKS


def _status_in(row: AmazonRefund) -> str:
    return str(row.payload.get("transactionStatus") or "").upper()


def _new(account: SellerAccount, each: Transaction) -> AmazonRefund:
    return AmazonRefund(
        account=account,
        amazon_order_id=each.order_id,
        # The deferred one is the first of the two, also where it comes second.
        transaction_id=each.deferred_transaction_id or each.transaction_id,
        posted_at=each.posted_date,
        payload={},
        recorded_at=clock.now(),
    )


def _is_news(each: Transaction, row: AmazonRefund) -> bool:
    if _other_id(each, row) and not row.linked_transaction_id:
        return True
    if each.posted_date < row.posted_at:
        return True
    rank = _RANKS.get(each.status, _RELEASED)
    rank_in_row = _RANKS.get(_status_in(row), _RELEASED)
    return rank > rank_in_row or (
        rank == rank_in_row and _as_stored(each.payload) != row.payload
    )


def _other_id(each: Transaction, row: AmazonRefund) -> str:
    ids = (
        each.transaction_id,
        each.deferred_transaction_id,
        each.release_transaction_id,
    )
    return next((one for one in ids if one and one != row.transaction_id), "")


def _apply(
    each: Transaction,
    row: AmazonRefund,
    told: _Told,
    order: AmazonOrder | None,
    *,
    is_invoiced: bool,
) -> None:
    is_new = row.pk is None
    row.linked_transaction_id = row.linked_transaction_id or _other_id(each, row)
    row.refund_id = row.refund_id or each.refund_id
    row.posted_at = min(row.posted_at, each.posted_date)
    rank = _RANKS.get(each.status, _RELEASED)
    if is_new or rank:
        row.status = (
            AmazonRefund.Status.RELEASED if rank else AmazonRefund.Status.DEFERRED
        )
    if not is_new and rank < _RANKS.get(_status_in(row), _RELEASED):
        row.save()
        return
    before = None if is_new else amounts_by_key(row)
    row.payload = _as_stored(each.payload)
    row.currency, row.amount = told.currency, told.amount
    row.unknown = ", ".join(told.unknown)
    if told.amounts != before and order is not None and _is_imported(order):
        row.carry_at = clock.now()
    if told.amounts != before and is_invoiced and (is_new or _is_corrected(row)):
        row.credit_note_at = clock.now()
    row.save()
    if told.amounts != before:
        _write_amounts(row, told.amounts)


def _is_corrected(row: AmazonRefund) -> bool:
    """There is a credit note for it."""
    return OrderInvoice.objects.filter(refund=row).exists()


def _is_imported(order: AmazonOrder) -> bool:
    return order.import_state == AmazonOrder.ImportState.IMPORTED


def _as_stored(payload: Mapping[str, Any]) -> dict[str, Any]:
    stored = json.loads(json.dumps(payload, cls=DjangoJSONEncoder))
    return dict(stored)


# --- what it gives, and of which item ------------------------------------------------


@dataclass(slots=True)
class _Told:
    """What a transaction says; ``problem`` if it cannot be kept."""

    currency: str = ""
    amounts: dict[_Key, Decimal] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def amount(self) -> Decimal:
        return sum(self.amounts.values(), Decimal(0))


#: What our columns hold.
_LONGEST = {"transaction_id": 128, "order_id": 32, "refund_id": 64}
_MONEY_LIMIT = Decimal(10) ** 16


def _read(each: Transaction, items: Sequence[AmazonOrderItem]) -> _Told:
    told = _Told()
    for name, limit in _LONGEST.items():
        if len(getattr(each, name)) > limit:
            told.problem = f"{name} is longer than {limit} characters"
            return told
    parts: list[tuple[str, str, Any]] = [
        (_match(item, items), item.seller_sku[:255], item.breakdowns)
        for item in each.items
        if item.breakdowns
    ]
    if not parts:
        # Amazon breaks down the transaction only.
        item_id = items[0].order_item_id if len(items) == 1 else ""
        parts = [(item_id, "", each.breakdowns)]
    for item_id, seller_sku, breakdowns in parts:
        given = refunded(breakdowns)
        told.unknown += given.unknown
        for component, money in given.amounts.items():
            told.currency = told.currency or money.currency
            if not _fits(money):
                told.problem = f"{component} {money} cannot be an amount of an order"
                return told
            if money.currency != told.currency:
                told.unknown.append(f"{component} {money}")
                continue
            key = (item_id, seller_sku, component.value)
            told.amounts[key] = told.amounts.get(key, Decimal(0)) + money.amount
    return told


def _fits(money: Money) -> bool:
    return abs(money.amount) < _MONEY_LIMIT and len(money.currency) == 3


def _match(item: TransactionItem, items: Sequence[AmazonOrderItem]) -> str:
    """The id of the order item that is meant; empty where none can be told."""
    for each in items:
        if each.order_item_id in item.identifiers:
            return each.order_item_id
    for name, value in (("seller_sku", item.seller_sku), ("asin", item.asin)):
        same = [each for each in items if value and getattr(each, name) == value]
        if len(same) == 1:
            return same[0].order_item_id
        if same:
            return ""
    is_named = bool(item.seller_sku or item.asin)
    return items[0].order_item_id if len(items) == 1 and not is_named else ""


def items_of(orders: Collection[AmazonOrder]) -> dict[str, list[AmazonOrderItem]]:
    """By Amazon order id."""
    ids = {order.pk: order.amazon_order_id for order in orders}
    items: dict[str, list[AmazonOrderItem]] = defaultdict(list)
    for item in AmazonOrderItem.objects.filter(order__in=ids).order_by("pk"):
        items[ids[item.order_id]].append(item)
    return items


def match_again(row: AmazonRefund, items: Sequence[AmazonOrderItem]) -> None:
    """Find the items of a refund that was recorded before its order was."""
    told = _read(transaction_from_wire(_with_numbers(row.payload)), items)
    if told.amounts != amounts_by_key(row):
        _write_amounts(row, told.amounts)


def _with_numbers(value: Any) -> Any:
    """A stored payload with its amounts as numbers again."""
    if isinstance(value, list):
        return [_with_numbers(one) for one in value]
    if isinstance(value, dict):
        return {
            name: Decimal(one)
            if name == "currencyAmount" and isinstance(one, str)
            else _with_numbers(one)
            for name, one in value.items()
        }
    return value


def _write_amounts(row: AmazonRefund, amounts: Mapping[_Key, Decimal]) -> None:
    row.amounts.all().delete()
    AmazonRefundAmount.objects.bulk_create(
        AmazonRefundAmount(
            refund=row,
            order_item_id=order_item_id,
            seller_sku=seller_sku,
            component=component,
            amount=amount,
        )
        for (order_item_id, seller_sku, component), amount in amounts.items()
    )


def amounts_by_key(row: AmazonRefund) -> dict[_Key, Decimal]:
    return {
        (each.order_item_id, each.seller_sku, each.component): each.amount
        for each in row.amounts.all()
    }


def refunded_by_item(
    amazon_order_ids: Collection[str], refunds: Q | None = None
) -> dict[str, dict[str, dict[str, Decimal]]]:
    """What was refunded on Amazon of orders, deferred or not: Amazon order id → order
    item id → component → amount. Under "" is what no item could be told of.

    ``refunds`` leaves out others. What is left to refund of a component is what was
    charged of it less this, and less what is on its way (``ledger.shop_refunds``).
    """
    found: dict[str, dict[str, dict[str, Decimal]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for order_id, item_id, component, amount in (
        AmazonRefundAmount.objects.filter(
            refund__in=AmazonRefund.objects.filter(
                refunds or Q(), amazon_order_id__in=amazon_order_ids
            )
        )
        .order_by()
        .values_list("refund__amazon_order_id", "order_item_id", "component")
        .annotate(total=Sum("amount"))
    ):
        found[order_id][item_id][component] = amount
    return found
