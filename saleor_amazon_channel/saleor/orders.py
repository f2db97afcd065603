"""Amazon's orders become Saleor's: many at once, with Amazon's numbers to the cent.

Saleor's own ``orderBulkCreate`` neither allocates stock nor names the owner of a
payment, and writes back stock quantities it read without a lock. This writer makes the
same rows (``tests/in_saleor/test_order_writer.py`` compares the two field by field) in
a number of statements that does not grow with the batch.

The flow: lock the orders' ids, answer those the shop has, find what blocks the others
(``order_plan``), take their stock (``allocation``), write them (``order_rows``).
"""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from saleor.order.models import Order, OrderLine
from saleor.plugins.manager import get_plugins_manager

from ..store import blockers
from ..store.contract import (
    ORDER_ID_KEY,
    PRINTED_NUMBER_KEY,
    BlockedOrder,
    Blocker,
    CreatedOrder,
    LineDraft,
    NewOrder,
)
from . import customers
from .allocation import Demand, NotEnoughStock, Shortage, StockPool, Supply
from .order_plan import Plan, Surroundings
from .order_rows import ORDER_ITEM_ID_KEY, write

logger = logging.getLogger(__name__)

#: The first half of our advisory locks; the second is a hash of Amazon's order id.
_LOCK_SPACE = zlib.crc32(b"saleor_amazon_channel.order") - 2**31


def create_orders(new_orders: Sequence[NewOrder]) -> list[CreatedOrder | BlockedOrder]:
    """Create what can be created; see ``store.contract.Store.create_orders``."""
    if not connection.in_atomic_block:
        raise RuntimeError("create_orders must be called inside a transaction")
    by_id = {new.draft.amazon_order_id: new for new in new_orders}
    _lock(by_id)
    answers = _existing(by_id)
    plans = [Plan(new) for id_, new in by_id.items() if id_ not in answers]
    if plans:
        around, pool = _prepare(plans)
        pool.write()
        plans_to_write = [plan for plan in plans if not plan.blockers]
        # After the stock: whoever waits for a customer waits for nothing else of ours.
        customers.attach(plans_to_write)
        write(plans_to_write, around)
        transaction.on_commit(
            partial(_announce, [plan.order_id for plan in plans_to_write])
        )
        answers |= {plan.amazon_order_id: plan.answer() for plan in plans}
    return [_answer(answers, new.draft.amazon_order_id) for new in new_orders]


def would_block(new_orders: Sequence[NewOrder]) -> list[tuple[Blocker, ...]]:
    """See ``store.contract.Store.would_block``."""
    by_id = {new.draft.amazon_order_id: new for new in new_orders}
    existing = _existing(by_id)
    plans = {id_: Plan(new) for id_, new in by_id.items() if id_ not in existing}
    if plans:
        _prepare(list(plans.values()))
    answers: dict[str, tuple[Blocker, ...]] = {
        id_: answer.blockers if isinstance(answer, BlockedOrder) else ()
        for id_, answer in existing.items()
    }
    answers |= {id_: tuple(plan.blockers) for id_, plan in plans.items()}
    return [answers[new.draft.amazon_order_id] for new in new_orders]


def _prepare(plans: Sequence[Plan]) -> tuple[Surroundings, StockPool]:
    """Find what blocks each order, and the stock of the others; nothing is written."""
    around = Surroundings.of(plans)
    for plan in plans:
        plan.blockers = around.blockers(plan)
    return around, _supply([plan for plan in plans if not plan.blockers], around)


def _answer(
    answers: dict[str, CreatedOrder | BlockedOrder], amazon_order_id: str
) -> CreatedOrder | BlockedOrder:
    """The answer for an order, which is new only the first time it is given."""
    answer = answers[amazon_order_id]
    if isinstance(answer, CreatedOrder):
        answers[amazon_order_id] = replace(answer, is_new=False)
    return answer


def _lock(amazon_order_ids: Iterable[str]) -> None:
    """Let only one transaction at a time create these orders; always in one order."""
    keys = sorted({zlib.crc32(id_.encode()) - 2**31 for id_ in amazon_order_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key",
            [_LOCK_SPACE, keys],
        )


def _existing(
    amazon_order_ids: Iterable[str],
) -> dict[str, CreatedOrder | BlockedOrder]:
    """By Amazon order id: what we made before, or what another's order blocks."""
    orders = Order.objects.filter(external_reference__in=list(amazon_order_ids)).only(
        "pk", "number", "external_reference", "metadata", "status"
    )
    lines: dict[UUID, dict[str, str]] = defaultdict(dict)
    if orders:
        for line_id, order_id, item_id in OrderLine.objects.filter(
            order__in=orders, private_metadata__has_key=ORDER_ITEM_ID_KEY
        ).values_list("pk", "order_id", f"private_metadata__{ORDER_ITEM_ID_KEY}"):
            lines[order_id][item_id] = str(line_id)
    return {
        order.external_reference: CreatedOrder(
            order.external_reference,
            str(order.pk),
            str(order.number),
            lines[order.pk],
            order.metadata.get(PRINTED_NUMBER_KEY, str(order.number)),
            is_new=False,
        )
        # Staff may have deleted the one or the other of our marks.
        if ORDER_ID_KEY in order.metadata or lines[order.pk]
        else BlockedOrder(
            order.external_reference,
            (blockers.reference_taken(str(order.number), order.status),),
        )
        for order in orders
    }


def _supply(plans: Sequence[Plan], around: Surroundings) -> StockPool:
    """Give each order its stock, or the blocker that says what is short; the locked
    stocks, still to be written."""
    with_stock = [plan for plan in plans if not plan.draft.is_amazon_fulfilled]
    pool = StockPool(
        {
            variant_id
            for plan in with_stock
            for line in plan.draft.lines
            if around.variants[variant_id := plan.variant_id(line)].tracks_inventory
        },
        {id_ for plan in with_stock for id_ in plan.warehouse_ids},
    )
    for plan in plans:
        demands = [_demand(plan, line, around) for line in plan.draft.lines]
        try:
            supplies = iter(
                pool.supply([each for each in demands if each], plan.warehouse_ids)
            )
        except NotEnoughStock as error:
            plan.blockers = [_short(plan, each, around) for each in error.shortages]
            continue
        plan.supplies = [next(supplies) if demand else Supply() for demand in demands]
        for demand, line, supply in zip(
            demands, plan.draft.lines, plan.supplies, strict=True
        ):
            # What has left and was never in this stock.
            elsewhere = plan.shipped(line) - (demand.shipped if demand else 0)
            supply.taken.append((None, elsewhere))
    return pool


def _demand(plan: Plan, line: LineDraft, around: Surroundings) -> Demand | None:
    """None where no stock is kept: Amazon's own, and variants without inventory."""
    variant = around.variants[plan.variant_id(line)]
    if plan.draft.is_amazon_fulfilled or not variant.tracks_inventory:
        return None
    shipped = plan.shipped(line)
    return Demand(
        variant.id,
        line.quantity - shipped,
        shipped if plan.new.takes_shipped_units else 0,
    )


def _short(plan: Plan, shortage: Shortage, around: Surroundings) -> Blocker:
    sku = next(
        line.sku
        for line in plan.draft.lines
        if plan.variant_id(line) == shortage.variant_id
    )
    return blockers.out_of_stock(
        sku,
        shortage.needed,
        shortage.free,
        [around.warehouses[plan.channel_id, id_] for id_ in plan.warehouse_ids],
    )


def _announce(order_ids: Sequence[UUID]) -> None:
    """Tell other plugins and apps, as Saleor does after a bulk import."""
    if not order_ids:
        return
    try:
        get_plugins_manager(allow_replica=False).order_bulk_created(
            list(Order.objects.filter(pk__in=order_ids))
        )
    except Exception as error:  # noqa: BLE001 - the orders are saved all the same
        logger.error(
            "Other apps were not told of %d imported orders: %s",
            len(order_ids),
            type(error).__name__,
        )
