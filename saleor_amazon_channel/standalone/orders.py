"""Writes Amazon orders into the stand-alone shop, a batch in a constant number of
queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.db import connection

from .. import clock
from ..store import blockers
from ..store.contract import (
    ORDER_ID_KEY,
    PRINTED_NUMBER_KEY,
    AddressDraft,
    BlockedOrder,
    Blocker,
    CreatedOrder,
    CustomerDraft,
    LineDraft,
    NewOrder,
    OrderDraft,
)
from ..store.contract import (
    Channel as PortChannel,
)
from . import addresses, stock
from .models import (
    Allocation,
    Customer,
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    Stock,
    Transaction,
    Variant,
)


@dataclass
class _Plan:
    """Rows of one order that are to be written."""

    order: Order
    lines: list[OrderLine]
    #: Of what had left before.
    tracking_numbers: str = ""
    allocations: list[Allocation] = field(default_factory=list)
    removed: list[tuple[Stock, int]] = field(default_factory=list)


def next_numbers(count: int) -> Iterator[int]:
    """Order numbers, in ascending order; gaps stay, as in Saleor."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('standalone_shop_order_number') "
            "FROM generate_series(1, %s)",
            [count],
        )
        return iter(sorted(number for (number,) in cursor.fetchall()))


def create_orders(
    new_orders: Sequence[NewOrder], channels: Mapping[str, PortChannel]
) -> list[CreatedOrder | BlockedOrder]:
    """See ``Store.create_orders``."""
    variants = _variants(new_orders)
    # Before looking for orders that exist: whoever imports the same order at the same
    # time has committed it, or has not begun, once the stock is ours.
    locked = stock.lock(list(variants))
    references = [new.draft.amazon_order_id for new in new_orders]
    existing = _existing(references)
    blocked: dict[str, BlockedOrder] = {}
    plans: dict[str, _Plan] = {}
    numbers = next_numbers(len(new_orders))
    for new in new_orders:
        reference = new.draft.amazon_order_id
        if reference in existing or reference in plans:
            continue
        found = _blockers(new, channels, variants, locked)
        if found:
            blocked[reference] = BlockedOrder(reference, tuple(found))
        else:
            channel = channels[new.channel_id]
            plans[reference] = _plan(new, channel, next(numbers), variants, locked)

    _attach_customers(
        [
            (new.customer, plans[new.draft.amazon_order_id].order)
            for new in new_orders
            if new.customer and new.draft.amazon_order_id in plans
        ]
    )
    # Orders without stock are not serialised by the lock: the unique reference is.
    mine = _insert_orders(plans)
    for reference in plans.keys() - mine:
        for allocation in plans[reference].allocations:
            locked.release(allocation.stock, allocation.quantity)
        for shelf, units in plans[reference].removed:
            locked.put_back(shelf, units)
    _insert_the_rest([plans[reference] for reference in plans if reference in mine])
    locked.save()
    existing.update(_existing([r for r in plans if r not in mine]))

    answers: list[CreatedOrder | BlockedOrder] = []
    for reference in references:
        if reference in blocked:
            answers.append(blocked[reference])
        elif reference in existing:
            answers.append(existing[reference])
        else:
            plan = plans[reference]
            answers.append(_created(plan.order, plan.lines, is_new=True))
            existing[reference] = _created(plan.order, plan.lines, is_new=False)
    return answers


def would_block(
    new_orders: Sequence[NewOrder], channels: Mapping[str, PortChannel]
) -> list[tuple[Blocker, ...]]:
    """See ``Store.would_block``."""
    variants = _variants(new_orders)
    locked = stock.lock(list(variants))  # And never saved.
    existing = _existing([new.draft.amazon_order_id for new in new_orders])
    answers: dict[str, tuple[Blocker, ...]] = {
        reference: answer.blockers if isinstance(answer, BlockedOrder) else ()
        for reference, answer in existing.items()
    }
    for new in new_orders:
        reference = new.draft.amazon_order_id
        if reference in answers:
            continue
        answers[reference] = tuple(_blockers(new, channels, variants, locked))
        if not answers[reference]:
            _plan(new, channels[new.channel_id], 0, variants, locked)
    return [answers[new.draft.amazon_order_id] for new in new_orders]


def _variants(new_orders: Sequence[NewOrder]) -> dict[int, Variant]:
    return Variant.objects.in_bulk(
        {int(pk) for new in new_orders for pk in new.variant_ids.values()}
    )


def _blockers(
    new: NewOrder,
    channels: Mapping[str, PortChannel],
    variants: Mapping[int, Variant],
    locked: stock.LockedStock,
) -> list[Blocker]:
    found = _mismatches(new, channels, variants)
    if not found and not new.draft.is_amazon_fulfilled:
        names = {w.id: w.name for w in channels[new.channel_id].warehouses}
        found = _shortages(new, variants, locked, names)
    return found


def _created(order: Order, lines: Iterable[OrderLine], *, is_new: bool) -> CreatedOrder:
    return CreatedOrder(
        amazon_order_id=order.external_reference or "",
        order_id=str(order.pk),
        number=str(order.number),
        line_ids={line.external_reference: str(line.pk) for line in lines},
        printed_number=order.metadata.get(PRINTED_NUMBER_KEY, str(order.number)),
        is_new=is_new,
    )


def _existing(references: Sequence[str]) -> dict[str, CreatedOrder | BlockedOrder]:
    """By Amazon order id: what we made before, or what another's order blocks."""
    if not references:
        return {}
    orders = Order.objects.filter(external_reference__in=references)
    return {
        order.external_reference or "": _created(order, order.lines.all(), is_new=False)
        if ORDER_ID_KEY in order.metadata
        else BlockedOrder(
            order.external_reference or "",
            (blockers.reference_taken(str(order.number), order.status),),
        )
        for order in orders.prefetch_related("lines")
    }


def _mismatches(
    new: NewOrder, channels: Mapping[str, PortChannel], variants: Mapping[int, Variant]
) -> list[Blocker]:
    channel = channels.get(new.channel_id)
    if channel is None:
        return [blockers.channel_gone(new.channel_id)]
    found = []
    if channel.currency != new.draft.currency:
        found.append(
            blockers.other_currency(channel.slug, channel.currency, new.draft.currency)
        )
    if new.shipping_method_id not in {m.id for m in channel.shipping_methods}:
        found.append(
            blockers.shipping_method_gone(channel.slug, new.shipping_method_id)
        )
    warehouses = {warehouse.id for warehouse in channel.warehouses}
    found += [
        blockers.warehouse_gone(channel.slug, warehouse_id)
        for warehouse_id in new.warehouse_ids
        if warehouse_id not in warehouses
    ]
    unknown = [
        line.sku
        for line in new.draft.lines
        if int(new.variant_ids.get(line.sku, 0)) not in variants
    ]
    found += map(blockers.unknown_sku, dict.fromkeys(unknown))
    found += _too_long(new.draft.shipping_address, "shipping address")
    found += _too_long(new.draft.billing_address, "billing address")
    return found


def _too_long(address: AddressDraft | None, name: str) -> Iterator[Blocker]:
    for column, limit in addresses.LIMITS.items():
        if address is not None and len(getattr(address, column)) > limit:
            yield blockers.too_long(name, column, limit)


def _stocked_lines(
    new: NewOrder, variants: Mapping[int, Variant]
) -> Iterator[tuple[LineDraft, Variant]]:
    for line in new.draft.lines:
        variant = variants[int(new.variant_ids[line.sku])]
        if variant.tracks_inventory:
            yield line, variant


def _shortages(
    new: NewOrder,
    variants: Mapping[int, Variant],
    locked: stock.LockedStock,
    warehouse_names: Mapping[str, str],
) -> list[Blocker]:
    shipped: dict[Variant, int] = defaultdict(int)
    wanted: dict[Variant, int] = defaultdict(int)
    for line, variant in _stocked_lines(new, variants):
        if new.takes_shipped_units:
            shipped[variant] += line.quantity_shipped
        wanted[variant] += line.quantity - line.quantity_shipped
    names = [warehouse_names[id_] for id_ in new.warehouse_ids]
    found = []
    for variant, units in wanted.items():
        available = locked.available(variant.pk, map(int, new.warehouse_ids))
        left = max(available - shipped[variant], 0)
        if left < units:
            found.append(blockers.out_of_stock(variant.sku, units, left, names))
    return found


def _plan(
    new: NewOrder,
    channel: PortChannel,
    number: int,
    variants: Mapping[int, Variant],
    locked: stock.LockedStock,
) -> _Plan:
    draft = new.draft
    plan = _Plan(_order_row(new, channel, number), [], draft.tracking_numbers)
    for position, line in enumerate(draft.lines):
        variant = variants[int(new.variant_ids[line.sku])]
        plan.lines.append(
            OrderLine(
                order=plan.order,
                position=position,
                external_reference=line.order_item_id,
                variant=variant,
                sku=variant.sku,
                name=variant.name,
                quantity=line.quantity,
                quantity_fulfilled=_units_gone(draft, line),
                total_gross=line.total.gross,
                total_net=line.total.net,
                undiscounted_total_gross=line.undiscounted_total.gross,
                undiscounted_total_net=line.undiscounted_total.net,
                tax_rate=line.tax_rate,
                metadata=dict(line.metadata),
            )
        )
    if not draft.is_amazon_fulfilled:
        warehouses = [int(pk) for pk in new.warehouse_ids]
        for line, variant in _stocked_lines(new, variants):
            # They have left, whatever the shop thought it had.
            left = line.quantity_shipped if new.takes_shipped_units else 0
            units = min(left, locked.available(variant.pk, warehouses))
            plan.removed += locked.remove(variant.pk, warehouses, units)
        rows = {row.external_reference: row for row in plan.lines}
        for line, variant in _stocked_lines(new, variants):
            units = line.quantity - line.quantity_shipped
            plan.allocations += [
                Allocation(
                    line=rows[line.order_item_id], stock=taken_from, quantity=taken
                )
                for taken_from, taken in locked.allocate(variant.pk, warehouses, units)
            ]
    return plan


def _units_gone(draft: OrderDraft, line: LineDraft) -> int:
    return line.quantity if draft.is_amazon_fulfilled else line.quantity_shipped


def _order_row(new: NewOrder, channel: PortChannel, number: int) -> Order:
    draft = new.draft
    method = next(
        method
        for method in channel.shipping_methods
        if method.id == new.shipping_method_id
    )
    gone = sum(_units_gone(draft, line) for line in draft.lines)
    return Order(
        number=number,
        external_reference=draft.amazon_order_id,
        channel_id=int(new.channel_id),
        status=(
            Order.Status.UNCONFIRMED
            if new.is_unconfirmed and not gone
            else status(sum(line.quantity for line in draft.lines), gone)
        ),
        created_at=draft.created_at,
        currency=draft.currency,
        total_gross=draft.total.gross,
        total_net=draft.total.net,
        undiscounted_total_gross=draft.undiscounted_total.gross,
        undiscounted_total_net=draft.undiscounted_total.net,
        shipping_method_id=int(method.id),
        shipping_method_name=(
            f"{method.name} ({draft.shipping_name}, {draft.amazon_order_id})"
        ),
        shipping_gross=draft.shipping.gross,
        shipping_net=draft.shipping.net,
        shipping_tax_rate=draft.shipping_tax_rate,
        shipping_address=_as_json(draft.shipping_address),
        billing_address=_as_json(draft.billing_address),
        customer_note=draft.customer_note,
        language_code=draft.language_code,
        display_gross_prices=draft.display_gross_prices,
        metadata={
            **draft.metadata,
            ORDER_ID_KEY: draft.amazon_order_id,
            PRINTED_NUMBER_KEY: (
                draft.amazon_order_id if new.is_amazon_number_printed else str(number)
            ),
        },
        private_metadata=dict(draft.private_metadata),
    )


def _attach_customers(pairs: Sequence[tuple[CustomerDraft, Order]]) -> None:
    """Sorted, so that two batches with the same customers never wait for each other."""
    drafts = {draft.email: draft for draft, _ in pairs}
    Customer.objects.bulk_create(
        [
            Customer(
                email=email,
                first_name=drafts[email].first_name,
                last_name=drafts[email].last_name,
            )
            for email in sorted(drafts)
        ],
        ignore_conflicts=True,
    )
    ids = dict(Customer.objects.filter(email__in=drafts).values_list("email", "pk"))
    for draft, order in pairs:
        order.customer_id = ids[draft.email]


def _as_json(address: AddressDraft | None) -> dict[str, str]:
    return asdict(address) if address else {}


def status(quantity: int, fulfilled: int) -> str:
    """The status of an order of which so many units are fulfilled."""
    if fulfilled >= quantity:
        return Order.Status.FULFILLED
    return Order.Status.PARTIALLY_FULFILLED if fulfilled else Order.Status.UNFULFILLED


def _insert_orders(plans: Mapping[str, _Plan]) -> set[str]:
    """Insert the orders; answer the references of those that nobody else inserted.

    Sorted, so that two batches with the same orders never wait for each other.
    """
    rows = [plans[reference].order for reference in sorted(plans)]
    Order.objects.bulk_create(rows, ignore_conflicts=True)
    written = set(
        Order.objects.filter(pk__in=[row.pk for row in rows]).values_list(
            "pk", flat=True
        )
    )
    return {ref for ref, plan in plans.items() if plan.order.pk in written}


def _insert_the_rest(plans: Sequence[_Plan]) -> None:
    OrderLine.objects.bulk_create([line for plan in plans for line in plan.lines])
    Allocation.objects.bulk_create([a for plan in plans for a in plan.allocations])
    Transaction.objects.bulk_create(
        [
            Transaction(
                order=plan.order,
                psp_reference=plan.order.external_reference or "",
                currency=plan.order.currency,
                charged=plan.order.total_gross,
            )
            for plan in plans
        ]
    )
    now = clock.now()
    packages = [
        (
            Fulfillment(
                order=plan.order,
                status=Fulfillment.Status.FULFILLED,
                tracking_number=plan.tracking_numbers,
                shipped_at=now,
            ),
            [line for line in plan.lines if line.quantity_fulfilled],
        )
        for plan in plans
    ]
    packages = [(package, lines) for package, lines in packages if lines]
    Fulfillment.objects.bulk_create([package for package, _ in packages])
    FulfillmentLine.objects.bulk_create(
        [
            FulfillmentLine(
                fulfillment=package, line=line, quantity=line.quantity_fulfilled
            )
            for package, lines in packages
            for line in lines
        ]
    )
