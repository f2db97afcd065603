"""An imported order follows what happened to it on Amazon: see ``importing.news``.

Where Saleor has a mutation for it, that is run in process (``actions``). It has none to
lower a line of an order that is not a draft, so that is written here, by queries that
send no signals, with the columns the import writes (``order_rows``).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Func, JSONField, Value
from saleor.account.models import Address
from saleor.discount.models import OrderLineDiscount
from saleor.order import OrderStatus
from saleor.order.models import Fulfillment, Order, OrderLine
from saleor.order.utils import updates_amounts_for_order
from saleor.plugins.manager import get_plugins_manager
from saleor.warehouse.models import Allocation, Stock

from .. import clock
from ..store.contract import (
    AddressDraft,
    ForeignPackage,
    LineState,
    OrderDraft,
    OrderState,
)
from . import actions, bulk_insert
from .order_plan import ADDRESS_FIELDS
from .order_rows import (
    CARRIER_KEY,
    KNOWN_TO_AMAZON_KEY,
    address_columns,
    line_amounts,
    line_discounts,
    order_amounts,
)

logger = logging.getLogger(__name__)

#: What an order's status follows from: the units in its fulfillments.
_BY_UNITS = (
    OrderStatus.UNCONFIRMED,
    OrderStatus.UNFULFILLED,
    OrderStatus.PARTIALLY_FULFILLED,
    OrderStatus.FULFILLED,
)


def order_state(order_id: str) -> OrderState | None:
    order = _locked(order_id)
    if order is None:
        return None
    return OrderState(
        is_cancelled=order.status == OrderStatus.CANCELED,
        total=order.total_gross_amount,
        lines={
            str(line.pk): LineState(line.quantity, line.quantity_fulfilled)
            for line in OrderLine.objects.filter(order=order)
        },
        shipping_address=_as_draft(order.shipping_address),
    )


def _locked(order_id: str) -> Order | None:
    """Staff who change the order hold this lock until their change can be seen."""
    if not connection.in_atomic_block:
        raise RuntimeError("what follows Amazon must be inside a transaction")
    return (
        Order.objects.select_for_update(of=("self",))
        .select_related("shipping_address", "channel__tax_configuration")
        .filter(pk=order_id)
        .first()
    )


def _as_draft(address: Address | None) -> AddressDraft | None:
    if address is None:
        return None
    return AddressDraft(
        **{column: getattr(address, column) for column in ADDRESS_FIELDS},
        country=str(address.country),
        phone=str(address.phone or ""),
    )


# --- fewer units, other amounts ------------------------------------------------------


def revise_order(order_id: str, draft: OrderDraft, line_ids: Mapping[str, str]) -> str:
    order = _locked(order_id)
    if order is None:
        return "The shop has no such order."
    items = {line_id: item_id for item_id, line_id in line_ids.items() if line_id}
    drafts = {line.order_item_id: line for line in draft.lines}
    lines = [
        line
        for line in OrderLine.objects.filter(order=order)
        .select_for_update(of=("self",))
        .order_by("pk")
        if str(line.pk) in items
    ]
    left = {
        line.pk: drafts[item].quantity if (item := items[str(line.pk)]) in drafts else 0
        for line in lines
    }
    too_many = sum(max(line.quantity_fulfilled - left[line.pk], 0) for line in lines)
    if too_many:
        return f"{too_many} of the cancelled units are fulfilled, or wait for approval."
    _release({line.pk: line.quantity - left[line.pk] for line in lines})
    OrderLineDiscount.objects.filter(line__in=lines).delete()
    discounts = []
    for line in lines:
        if not left[line.pk]:
            continue
        line_draft = drafts[items[str(line.pk)]]
        amounts = line_amounts(draft, line_draft, order.channel)
        OrderLine.objects.filter(pk=line.pk).update(**amounts)
        discounts += line_discounts(
            draft, line_draft, order.channel, line.pk, amounts["unit_discount_amount"]
        )
    bulk_insert.insert(OrderLineDiscount, discounts)
    gone = [line.pk for line in lines if not left[line.pk]]
    OrderLine.objects.filter(pk__in=gone).delete()
    difference = draft.total.gross - order.total_gross_amount
    Order.objects.filter(pk=order.pk).update(
        **order_amounts(draft, order.channel),
        status=_status(order),
        updated_at=clock.now(),
    )
    _follow_the_total(order, difference)
    transaction.on_commit(partial(_announce, order.pk))
    return ""


def _release(units: Mapping[UUID, int]) -> None:
    """Stock that was promised to units which nobody wants any more is free again."""
    allocations = list(
        Allocation.objects.filter(order_line_id__in=[pk for pk in units if units[pk]])
    )
    # Saleor's own order of locks: stocks by key, then what refers to them.
    stocks = Stock.objects.filter(pk__in={each.stock_id for each in allocations})
    list(stocks.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    allocations = list(
        Allocation.objects.filter(pk__in=[each.pk for each in allocations])
        .order_by("-stock_id")
        .select_for_update(of=("self",))
    )
    to_release = dict(units)
    for allocation in allocations:
        count = min(allocation.quantity_allocated, to_release[allocation.order_line_id])
        if not count:
            continue
        to_release[allocation.order_line_id] -= count
        Stock.objects.filter(pk=allocation.stock_id).update(
            quantity_allocated=F("quantity_allocated") - count
        )
        if count == allocation.quantity_allocated:
            allocation.delete()
        else:
            Allocation.objects.filter(pk=allocation.pk).update(
                quantity_allocated=F("quantity_allocated") - count
            )


def _status(order: Order) -> str:
    if order.status not in _BY_UNITS:
        return str(order.status)  # Returned, in whole or in part: staff's business.
    lines = OrderLine.objects.filter(order=order).values_list(
        "quantity", "quantity_fulfilled"
    )
    fulfilled = sum(line[1] for line in lines)
    if not fulfilled:
        return (
            OrderStatus.UNCONFIRMED
            if order.status == OrderStatus.UNCONFIRMED
            else OrderStatus.UNFULFILLED
        )
    if fulfilled < sum(line[0] for line in lines):
        return OrderStatus.PARTIALLY_FULFILLED
    return OrderStatus.FULFILLED


def _follow_the_total(order: Order, difference: Decimal) -> None:
    """Amazon charges the buyer what the order comes to now, no more and no less."""
    if difference:
        actions.report_change_of_charge(order, difference)
    fresh = Order.objects.get(pk=order.pk)
    updates_amounts_for_order(fresh, save=False)
    # By a query: a save would tell receivers that staff had changed the order.
    Order.objects.filter(pk=order.pk).update(
        total_charged_amount=fresh.total_charged_amount,
        charge_status=fresh.charge_status,
        authorize_status=fresh.authorize_status,
    )


def _announce(order_id: UUID) -> None:
    """Tell other plugins and apps, as Saleor does when an order changes."""
    try:
        get_plugins_manager(allow_replica=False).order_updated(
            Order.objects.get(pk=order_id)
        )
    except Exception as error:  # noqa: BLE001 - the order is saved all the same
        logger.error(
            "Other apps were not told of a changed order: %s", type(error).__name__
        )


# --- shipped in Seller Central -------------------------------------------------------


def fulfil_order(order_id: str, package: ForeignPackage) -> list[str]:
    order = _locked(order_id)
    if order is None:
        raise actions.ActionFailedError("the shop has no such order")
    lines = {
        str(line.pk): line
        for line in OrderLine.objects.filter(order=order, pk__in=package.lines)
    }
    ids = actions.fulfil(
        order,
        {
            line_id: sources(lines[line_id], units, package.warehouse_ids)
            for line_id, units in package.lines.items()
        },
        package.tracking_number[:255],
    )
    Fulfillment.objects.filter(pk__in=ids).update(
        private_metadata=_merged("private_metadata", {KNOWN_TO_AMAZON_KEY: "true"}),
        metadata=_merged(
            "metadata", {CARRIER_KEY: package.carrier} if package.carrier else {}
        ),
    )
    return [str(pk) for pk in ids]


def sources(
    line: OrderLine, units: int, warehouse_ids: Sequence[str]
) -> dict[str, int]:
    """Warehouse id → units: where they were promised, the rest from where there is
    stock of it at all."""
    sources: dict[str, int] = defaultdict(int)
    for allocation in (
        Allocation.objects.filter(order_line=line, quantity_allocated__gt=0)
        .select_related("stock")
        .order_by("stock_id")
    ):
        count = min(units, allocation.quantity_allocated)
        if count:
            sources[str(allocation.stock.warehouse_id)] += count
            units -= count
    if units:
        with_stock = {
            str(warehouse_id)
            for warehouse_id in Stock.objects.filter(
                product_variant_id=line.variant_id, warehouse_id__in=warehouse_ids
            ).values_list("warehouse_id", flat=True)
        }
        candidates = [id_ for id_ in warehouse_ids if id_ in with_stock]
        sources[(candidates or list(sources) or list(warehouse_ids))[0]] += units
    return dict(sources)


def change_tracking(fulfillment_id: str, tracking_number: str, carrier: str) -> None:
    Fulfillment.objects.filter(pk=fulfillment_id).update(
        tracking_number=tracking_number,
        metadata=_merged("metadata", {CARRIER_KEY: carrier} if carrier else {}),
    )


def _merged(column: str, values: Mapping[str, str]) -> Func:
    """Merged by the database: staff may be writing other keys at this moment."""
    return Func(
        F(column),
        Value(dict(values), output_field=JSONField()),
        template="(%(expressions)s)",
        arg_joiner=" || ",
    )


# --- another address -----------------------------------------------------------------


def change_shipping_address(order_id: str, address: AddressDraft) -> None:
    order = _locked(order_id)
    if order is None or order.shipping_address_id is None:
        return
    before = _as_draft(order.shipping_address)
    ids = [order.shipping_address_id]
    # The billing address is the delivery address where Amazon names no other.
    if order.billing_address_id and _as_draft(order.billing_address) == before:
        ids.append(order.billing_address_id)
    Address.objects.filter(pk__in=ids).update(**address_columns(address))
    Order.objects.filter(pk=order.pk).update(updated_at=clock.now())
    transaction.on_commit(partial(_announce, order.pk))
