"""What people do in the stand-alone shop: sell, fulfil, track, cancel, refund.

Each action is one transaction, and what concerns Amazon is told to ``lifecycle`` in it,
as Saleor's adapter does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from .. import clock, lifecycle
from ..amazon.marketplaces import minor_unit
from ..invoicing import record
from ..invoicing.issue import REASONS, IssuedBefore, issue
from ..refunding import record as refunding
from . import cancelling, stock
from .models import (
    Allocation,
    Channel,
    Fulfillment,
    FulfillmentLine,
    Invoice,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    Transaction,
    Variant,
)
from .orders import next_numbers, status
from .store import CARRIER, StandaloneStore

STAFF = "staff@stand-alone-shop.invalid"


class Refused(Exception):
    """The shop cannot do that; the message says why."""


@transaction.atomic
def sell(
    channel_id: str, variant_id: str, quantity: int, price: Decimal = Decimal(10)
) -> Order:
    """An ordinary, paid sale. Raises ``stock.NotEnough``."""
    channel = Channel.objects.get(pk=channel_id)
    variant = Variant.objects.get(pk=variant_id)
    warehouses = list(channel.warehouses.order_by("pk").values_list("pk", flat=True))
    locked = stock.lock([variant.pk] if variant.tracks_inventory else [])
    total = price * quantity
    amounts = {
        "total_gross": total,
        "total_net": total,
        "undiscounted_total_gross": total,
        "undiscounted_total_net": total,
    }
    order = Order(
        number=next(next_numbers(1)),
        channel=channel,
        status=Order.Status.UNFULFILLED,
        currency=channel.currency,
        **amounts,
    )
    line = OrderLine(
        order=order,
        position=0,
        variant=variant,
        sku=variant.sku,
        name=variant.name,
        quantity=quantity,
        **amounts,
    )
    promised = (
        locked.allocate(variant.pk, warehouses, quantity)
        if variant.tracks_inventory
        else []
    )
    order.save(force_insert=True)
    line.save(force_insert=True)
    Allocation.objects.bulk_create(
        [Allocation(line=line, stock=row, quantity=units) for row, units in promised]
    )
    locked.save()
    Transaction.objects.create(
        order=order,
        psp_reference=f"sale-{order.number}",
        currency=order.currency,
        charged=total,
    )
    return order


@transaction.atomic
def confirm(order_id: str) -> None:
    """Let an unconfirmed order be worked."""
    order, _ = _lock(order_id)
    if order.status != Order.Status.UNCONFIRMED:
        raise Refused("The order is confirmed already.")
    order.status = Order.Status.UNFULFILLED
    order.save(update_fields=["status"])


@transaction.atomic
def fulfil(
    order_id: str,
    lines: Mapping[str, int],
    *,
    warehouse_id: str,
    tracking_number: str = "",
    carrier: str = "",
    needs_approval: bool = False,
    actor: str = STAFF,
) -> Fulfillment:
    """Ship ``lines`` (line id → units) in one package from the warehouse."""
    order, order_lines = _lock(order_id)
    package = Fulfillment.objects.create(
        order=order,
        status=Fulfillment.Status.WAITING_FOR_APPROVAL,
        warehouse_id=int(warehouse_id),
        tracking_number=tracking_number,
        metadata={CARRIER: carrier} if carrier else {},
        actor=actor,
    )
    for line_id, quantity in lines.items():
        line = order_lines[line_id]
        if not 0 < quantity <= line.quantity_unfulfilled:
            raise Refused(
                f"{quantity} of {line.sku} cannot be fulfilled: "
                f"{line.quantity_unfulfilled} are left."
            )
        line.quantity_fulfilled += quantity
    FulfillmentLine.objects.bulk_create(
        [
            FulfillmentLine(
                fulfillment=package, line=order_lines[line_id], quantity=quantity
            )
            for line_id, quantity in lines.items()
        ]
    )
    _save(order, order_lines.values())
    if not needs_approval:
        _ship(package)
    return package


@transaction.atomic
def approve(fulfillment_id: str, actor: str = STAFF) -> None:
    """A package that waited leaves."""
    package = _lock_package(fulfillment_id)
    if package.status != Fulfillment.Status.WAITING_FOR_APPROVAL:
        raise Refused("This fulfillment does not wait for an approval.")
    package.actor = actor
    _ship(package)


@transaction.atomic
def update_tracking(
    fulfillment_id: str,
    tracking_number: str,
    carrier: str = "",
    actor: str = STAFF,
) -> None:
    """Say, or correct, how a package travels."""
    package = _lock_package(fulfillment_id)
    package.tracking_number = tracking_number
    package.actor = actor
    if carrier:
        package.metadata[CARRIER] = carrier
    if package.status == Fulfillment.Status.FULFILLED:
        _tell(package)
    else:
        package.save()


@transaction.atomic
def cancel_fulfillment(
    fulfillment_id: str, *, warehouse_id: str, actor: str = STAFF
) -> None:
    """A package comes back into the warehouse, promised to its lines again."""
    package = _lock_package(fulfillment_id)
    if package.status != Fulfillment.Status.FULFILLED:
        raise Refused("Only what has been fulfilled can come back.")
    order, order_lines = _lock(str(package.order_id))
    package.status = Fulfillment.Status.CANCELED
    package.changed_by_staff_at = clock.now()
    package.actor = actor
    package.save()
    returned = list(package.lines.select_related("line__variant"))
    locked = stock.lock(_stocked(item.line for item in returned))
    for item in returned:
        order_lines[str(item.line_id)].quantity_fulfilled -= item.quantity
        shelf = locked.rows.get((item.line.variant_id or 0, int(warehouse_id)))
        if shelf is not None:
            locked.put_back(shelf, item.quantity)
            locked.allocate(shelf.variant_id, [shelf.warehouse_id], item.quantity)
            _add_allocation(item.line, shelf, item.quantity)
    locked.save()
    _save(order, order_lines.values())


@transaction.atomic
def cancel_order(order_id: str) -> None:
    """Nothing of the order has left, and nothing will."""
    order, order_lines = _lock(order_id)
    if any(line.quantity_fulfilled for line in order_lines.values()):
        raise Refused("What has been fulfilled cannot be cancelled.")
    lifecycle.check_cancellation(order_id)
    cancelling.cancel(order, order_lines.values())


@transaction.atomic
def request_invoice(order_id: str, number: str = "", actor: str = STAFF) -> Invoice:
    """Have the channel make the invoice of an Amazon order, as it does in Saleor."""
    invoice = Invoice.objects.create(order_id=order_id)
    try:
        made = issue(order_id, str(invoice.pk), number, actor)
    except REASONS as reason:
        raise Refused(str(reason)) from reason
    if isinstance(made, IssuedBefore):
        invoice.delete()
        return Invoice.objects.get(pk=int(made.shop_invoice_id))
    invoice.number, invoice.file = made.number, made.file
    invoice.changed_at = clock.now()
    invoice.save()
    record.record_invoices(StandaloneStore().invoices([str(invoice.pk)]))
    return invoice


@transaction.atomic
def request_refund(
    order_id: str,
    amount: Decimal | None = None,
    lines: Mapping[str, int] | None = None,
    *,
    with_shipping: bool = False,
    reason: str = "",
    actor: str = STAFF,
) -> Refund:
    """Give money back: ``amount``, by default what ``lines`` (line id → units) and the
    shipping cost, or all that is charged."""
    order, order_lines = _lock(order_id)
    item = order.transactions.get(psp_reference=order.external_reference)
    if amount is None and not lines and not with_shipping:
        amount = item.charged
    if amount is None:
        amount = sum(
            (
                order_lines[line_id].total_gross * units / order_lines[line_id].quantity
                for line_id, units in (lines or {}).items()
            ),
            order.shipping_gross if with_shipping else Decimal(0),
        ).quantize(minor_unit(order.currency), ROUND_HALF_UP)
    if not 0 < amount <= item.charged:
        raise Refused(f"{amount} cannot be refunded: {item.charged} are charged.")
    refund = Refund.objects.create(
        order=order,
        amount=amount,
        reason=reason,
        is_shipping_included=with_shipping,
        status=Refund.Status.REQUESTED,
        actor=actor,
    )
    RefundLine.objects.bulk_create(
        RefundLine(refund=refund, line_id=line_id, quantity=units)
        for line_id, units in (lines or {}).items()
    )
    [request] = StandaloneStore().refund_requests([str(refund.pk)])
    try:
        refunding.take(request)
    except refunding.Refused as refusal:
        raise Refused(str(refusal)) from refusal
    return refund


def _lock(order_id: str) -> tuple[Order, dict[str, OrderLine]]:
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.status == Order.Status.CANCELED:
        raise Refused("The order is cancelled.")
    lines = order.lines.select_for_update().select_related(None).order_by("pk")
    return order, {str(line.pk): line for line in lines}


def _lock_package(fulfillment_id: str) -> Fulfillment:
    """Lock the order and then its package, as everybody does."""
    order = Order.objects.select_for_update().get(fulfillments=int(fulfillment_id))
    return Fulfillment.objects.select_for_update().get(
        pk=int(fulfillment_id), order=order
    )


def _save(order: Order, lines: Iterable[OrderLine]) -> None:
    lines = list(lines)
    OrderLine.objects.bulk_update(lines, ["quantity_fulfilled"])
    order.status = status(
        sum(line.quantity for line in lines),
        sum(line.quantity_fulfilled for line in lines),
    )
    order.save(update_fields=["status"])


def _stocked(lines: Iterable[OrderLine]) -> list[int]:
    """The variants of the lines that the shop counts."""
    ids = [line.variant_id for line in lines if line.variant_id]
    counted = Variant.objects.filter(pk__in=ids, tracks_inventory=True)
    return list(counted.values_list("pk", flat=True))


def _ship(package: Fulfillment) -> None:
    """The units leave the warehouse, and Amazon is to know."""
    items = list(package.lines.select_related("line"))
    counted = _stocked(item.line for item in items)
    locked = stock.lock(counted)
    allocations = stock.allocations_of([item.line_id for item in items])
    warehouse = package.warehouse_id or 0
    for item in items:
        if item.line.variant_id not in counted:
            continue
        # What was promised elsewhere is free again: these units come from here.
        promised = sorted(
            allocations.get(item.line_id, []),
            key=lambda a: locked.by_pk(a.stock_id).warehouse_id != warehouse,
        )
        to_release = item.quantity
        for allocation in promised:
            units = min(allocation.quantity, to_release)
            to_release -= units
            locked.release(locked.by_pk(allocation.stock_id), units)
            allocation.quantity -= units
            if allocation.quantity:
                allocation.save(update_fields=["quantity"])
            else:
                allocation.delete()
        try:
            locked.remove(item.line.variant_id, [warehouse], item.quantity)
        except stock.NotEnough as shortage:
            raise Refused(
                f"{shortage.wanted} of {item.line.sku} cannot leave this warehouse: "
                f"{shortage.available} are available."
            ) from shortage
    locked.save()
    package.status = Fulfillment.Status.FULFILLED
    package.shipped_at = clock.now()
    _tell(package)


def _tell(package: Fulfillment) -> None:
    package.changed_by_staff_at = clock.now()
    package.save()
    lifecycle.record_shipments(StandaloneStore().shipments([str(package.pk)]))


def _add_allocation(line: OrderLine, shelf: stock.Stock, quantity: int) -> None:
    allocation, _ = Allocation.objects.get_or_create(
        line=line, stock=shelf, defaults={"quantity": 0}
    )
    allocation.quantity += quantity
    allocation.save(update_fields=["quantity"])
