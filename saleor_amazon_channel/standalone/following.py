"""An order of the stand-alone shop follows what happened to it on Amazon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal

from django.db import connection

from .. import clock
from ..store.contract import (
    AddressDraft,
    ForeignPackage,
    LineState,
    OrderDraft,
    OrderState,
)
from . import stock
from .models import Fulfillment, FulfillmentLine, Order, OrderLine, Variant
from .orders import status

CARRIER = "amazon.carrier"


def order_state(order_id: str) -> OrderState | None:
    order = _locked(order_id)
    if order is None:
        return None
    return OrderState(
        is_cancelled=order.status == Order.Status.CANCELED,
        total=order.total_gross,
        lines={
            str(line.pk): LineState(line.quantity, line.quantity_fulfilled)
            for line in order.lines.all()
        },
        shipping_address=(
            AddressDraft(**order.shipping_address) if order.shipping_address else None
        ),
    )


def _locked(order_id: str) -> Order | None:
    if not connection.in_atomic_block:
        raise RuntimeError("what follows Amazon must be inside a transaction")
    return Order.objects.select_for_update().filter(pk=order_id).first()


def revise_order(order_id: str, draft: OrderDraft, line_ids: Mapping[str, str]) -> str:
    order = _locked(order_id)
    if order is None:
        return "The shop has no such order."
    items = {line_id: item_id for item_id, line_id in line_ids.items() if line_id}
    drafts = {line.order_item_id: line for line in draft.lines}
    every = list(order.lines.select_for_update().order_by("pk"))
    lines = [line for line in every if str(line.pk) in items]
    left = {
        line.pk: drafts[item].quantity if (item := items[str(line.pk)]) in drafts else 0
        for line in lines
    }
    too_many = sum(max(line.quantity_fulfilled - left[line.pk], 0) for line in lines)
    if too_many:
        return f"{too_many} of the cancelled units are fulfilled, or wait for approval."
    locked = stock.lock([line.variant_id for line in lines if line.variant_id])
    for line in lines:
        _release(locked, line, line.quantity - left[line.pk])
    locked.save()
    for line in lines:
        if not left[line.pk]:
            line.delete()
            continue
        line_draft = drafts[items[str(line.pk)]]
        line.quantity = line_draft.quantity
        line.total_gross, line.total_net = line_draft.total.gross, line_draft.total.net
        line.undiscounted_total_gross = line_draft.undiscounted_total.gross
        line.undiscounted_total_net = line_draft.undiscounted_total.net
        line.tax_rate = line_draft.tax_rate
        line.save()
    difference = draft.total.gross - order.total_gross
    order.total_gross, order.total_net = draft.total.gross, draft.total.net
    order.undiscounted_total_gross = draft.undiscounted_total.gross
    order.undiscounted_total_net = draft.undiscounted_total.net
    order.shipping_gross, order.shipping_net = draft.shipping.gross, draft.shipping.net
    order.shipping_tax_rate = draft.shipping_tax_rate
    _settle_status(order)
    order.save()
    _charge(order, difference)
    return ""


def _release(locked: stock.LockedStock, line: OrderLine, units: int) -> None:
    for allocation in stock.allocations_of([line.pk]).get(line.pk, []):
        count = min(units, allocation.quantity)
        if not count:
            continue
        units -= count
        locked.release(locked.by_pk(allocation.stock_id), count)
        allocation.quantity -= count
        if allocation.quantity:
            allocation.save(update_fields=["quantity"])
        else:
            allocation.delete()


def _settle_status(order: Order) -> None:
    lines = list(order.lines.all())
    order.status = status(
        sum(line.quantity for line in lines),
        sum(line.quantity_fulfilled for line in lines),
    )


def _charge(order: Order, difference: Decimal) -> None:
    item = order.transactions.filter(psp_reference=order.external_reference).first()
    if item is not None and difference:
        item.charged += difference
        item.save(update_fields=["charged"])


def fulfil_order(order_id: str, package: ForeignPackage) -> list[str]:
    order = _locked(order_id)
    if order is None:
        raise LookupError("the shop has no such order")
    lines = {
        str(line.pk): line
        for line in order.lines.filter(pk__in=package.lines).order_by("pk")
    }
    counted = set(
        Variant.objects.filter(
            pk__in=[line.variant_id for line in lines.values() if line.variant_id],
            tracks_inventory=True,
        ).values_list("pk", flat=True)
    )
    locked = stock.lock(counted)
    warehouses = [int(pk) for pk in package.warehouse_ids]
    fulfillment = Fulfillment.objects.create(
        order=order,
        status=Fulfillment.Status.FULFILLED,
        tracking_number=package.tracking_number,
        shipped_at=clock.now(),
        metadata={CARRIER: package.carrier} if package.carrier else {},
    )
    for line_id, units in package.lines.items():
        line = lines[line_id]
        FulfillmentLine.objects.create(
            fulfillment=fulfillment, line=line, quantity=units
        )
        line.quantity_fulfilled += units
        line.save(update_fields=["quantity_fulfilled"])
        if line.variant_id in counted:
            _release(locked, line, units)
            # They have left, whatever the shop thought that it had.
            there = min(units, locked.available(line.variant_id, warehouses))
            locked.remove(line.variant_id, warehouses, there)
    locked.save()
    _settle_status(order)
    order.save(update_fields=["status"])
    return [str(fulfillment.pk)]


def change_tracking(fulfillment_id: str, tracking_number: str, carrier: str) -> None:
    fulfillment = Fulfillment.objects.select_for_update().get(pk=int(fulfillment_id))
    fulfillment.tracking_number = tracking_number
    if carrier:
        fulfillment.metadata[CARRIER] = carrier
    fulfillment.save(update_fields=["tracking_number", "metadata"])


def change_shipping_address(order_id: str, address: AddressDraft) -> None:
    order = _locked(order_id)
    if order is None:
        return
    if order.billing_address == order.shipping_address:
        order.billing_address = asdict(address)
    order.shipping_address = asdict(address)
    order.save(update_fields=["shipping_address", "billing_address"])
