"""From the ledger into the shop: what is ready becomes an order, or says why not.

A batch is one transaction: the shop's orders and the ledger's links to them commit
together, so a crash leaves either both or neither. One order's failure does not touch
its neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet

from .. import clock, failures, lock_objects, store
from ..amazon.errors import MalformedOrder
from ..amazon.orders import Order
from ..ledger import blocking, payloads, recorder, timeline
from ..ledger.recorder import blocker_as_json
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonRefund,
    Backfill,
    Marketplace,
    SellerAccount,
)
from ..store.contract import (
    BlockedOrder,
    Blocker,
    BlockerCode,
    CreatedOrder,
    CustomerDraft,
    NewOrder,
    OrderDraft,
)
from . import address_edit, customers, healing, mapping, rules, skus
from .text import told_once

logger = logging.getLogger(__name__)

State = AmazonOrder.ImportState

BATCH_SIZE = 50

_DISCONNECTED = (
    "The seller account is disconnected; the order is imported once it is connected "
    "again."
)

_OUTCOME_FIELDS = (
    "import_state",
    "blockers",
    "note",
    "shop_order_id",
    "shop_order_number",
    "printed_number",
    "imported_at",
    "checked_at",
    "follow_at",
)


@dataclass
class Imported:
    """How many orders were looked at, and what became of them."""

    imported: int = 0
    blocked: int = 0
    #: Waiting or ignored.
    other: int = 0

    def add(self, other: Imported) -> None:
        self.imported += other.imported
        self.blocked += other.blocked
        self.other += other.other

    @property
    def total(self) -> int:
        return self.imported + self.blocked + self.other


def import_open() -> Imported:
    """Import all that is ready, and what was blocked by something that has gone."""
    healing.heal()
    return import_ready()


def import_ready() -> Imported:
    """Import all that is ready."""
    result = Imported()
    while True:
        batch = _import_batch()
        result.add(batch)
        if not batch.total:
            return result


def reconsider_waiting(account_id: int, marketplace_id: str | None = None) -> int:
    """Send what waits or is blocked to the importer again, after a change of
    settings, in the caller's transaction (``lock_objects.begin_settings``)."""
    open_orders = Q(
        account_id=account_id, import_state__in=(State.WAITING, State.BLOCKED)
    )
    if marketplace_id:
        open_orders &= Q(marketplace_id=marketplace_id)
    # An update takes its rows in no order, and others hold several of them.
    lock_objects.hold_orders(open_orders)
    return AmazonOrder.objects.filter(open_orders).update(import_state=State.READY)


def retry(amazon_order_ids: Iterable[str]) -> int:
    """Let the next worker look at these blocked orders again, whatever blocks them."""
    blocked = Q(amazon_order_id__in=list(amazon_order_ids), import_state=State.BLOCKED)
    with transaction.atomic():
        lock_objects.hold_orders(blocked)
        return AmazonOrder.objects.filter(blocked).update(import_state=State.READY)


def import_named(amazon_order_ids: Iterable[str]) -> None:
    """Import these orders now, also those from before ``import_from``.

    That they were named is remembered: what blocks one now may be gone later.
    """
    with transaction.atomic():
        lock_objects.begin_judging()
        orders = [
            order
            for order in lock_objects.orders_by_id(amazon_order_ids)
            if order.import_state != State.IMPORTED
        ]
        for order in orders:
            order.is_import_requested = True
        AmazonOrder.objects.bulk_update(orders, ["is_import_requested"])
        _import_safely(orders)


def ask_for(orders: QuerySet[AmazonOrder], backfill: Backfill) -> None:
    """Have these orders imported, also those from before ``import_from``, or looked at
    again. The caller has locked them."""
    orders.exclude(import_state=State.IMPORTED).update(
        is_import_requested=True, import_state=State.READY
    )
    orders.update(backfill=backfill)


def _import_batch() -> Imported:
    with transaction.atomic():
        lock_objects.begin_judging()
        return _import_safely(lock_objects.orders_to_import(BATCH_SIZE))


def _import_safely(orders: Sequence[AmazonOrder]) -> Imported:
    """Import a batch; if that fails unexpectedly, each order on its own."""
    if not orders:
        return Imported()
    try:
        with transaction.atomic():
            return _import(orders)
    except Exception as error:  # noqa: BLE001
        # Whatever it is, it must not keep the neighbours out.
        if len(orders) > 1:
            result = Imported()
            for order in orders:
                order.refresh_from_db()
                result.add(_import_safely([order]))
            return result
        order = orders[0]
        failures.log(logger, f"order {order.amazon_order_id}: import", error)
        order.refresh_from_db()
        blocker = Blocker(
            BlockerCode.INTERNAL,
            "The import failed unexpectedly; the server's log says why. "
            "It is tried again by itself.",
        )
        _write([(order, [blocker])], [])
        return Imported(blocked=1)


@dataclass
class _Candidate:
    order: AmazonOrder
    draft: OrderDraft
    marketplace: Marketplace
    is_shipping_history: bool
    customer: CustomerDraft | None = None
    blockers: list[Blocker] = field(default_factory=list)
    variant_ids: dict[str, str] = field(default_factory=dict)
    #: Of seller SKUs of which one unit is several of the shop's.
    units: dict[str, int] = field(default_factory=dict)


@dataclass
class _Judged:
    """What is to become of a batch, as far as the shop is not asked to create it."""

    blocked: list[tuple[AmazonOrder, list[Blocker]]] = field(default_factory=list)
    #: Order, state, reason.
    decided: list[tuple[AmazonOrder, str, str]] = field(default_factory=list)
    to_create: list[_Candidate] = field(default_factory=list)


def foresee(
    orders: Sequence[AmazonOrder],
) -> list[tuple[AmazonOrder, str, list[Blocker]]]:
    """What the import would make of each of these orders now: its state, and what would
    block it. Nothing is written, and they need not be in the ledger."""
    with transaction.atomic():
        judged = _judge(orders)
        new_orders = [_new_order(candidate) for candidate in judged.to_create]
        problems = store.current().would_block(new_orders)
    foreseen: list[tuple[AmazonOrder, str, list[Blocker]]] = [
        (order, state, []) for order, state, _ in judged.decided
    ]
    foreseen += [(order, State.BLOCKED, found) for order, found in judged.blocked]
    foreseen += [
        (candidate.order, State.BLOCKED if found else State.IMPORTED, list(found))
        for candidate, found in zip(judged.to_create, problems, strict=True)
    ]
    return foreseen


def _import(orders: Sequence[AmazonOrder]) -> Imported:
    unreadable = [order for order in orders if recorder.is_unreadable(order)]
    left = recorder.read_again(unreadable)
    orders = [order for order in orders if order not in left]
    judged = _judge(orders)
    blocked, clean = judged.blocked, judged.to_create
    answers = store.current().create_orders([_new_order(c) for c in clean])
    created: list[tuple[AmazonOrder, CreatedOrder]] = []
    for candidate, answer in zip(clean, answers, strict=True):
        if isinstance(answer, BlockedOrder):
            blocked.append((candidate.order, list(answer.blockers)))
        else:
            created.append((candidate.order, answer))
    units = {c.order.pk: c.units for c in clean if c.units}
    _write(blocked, created, judged.decided, units)
    return Imported(len(created), len(blocked), len(judged.decided))


def _judge(orders: Sequence[AmazonOrder]) -> _Judged:
    judged = _Judged()
    marketplaces = {
        (row.account_id, row.marketplace_id): row
        for row in Marketplace.objects.filter(
            account_id__in={order.account_id for order in orders}
        )
    }
    candidates: list[_Candidate] = []
    for order in orders:
        if order.account.state == SellerAccount.State.DISCONNECTED:
            judged.decided.append((order, State.WAITING, _DISCONNECTED))
            continue
        marketplace = marketplaces.get((order.account_id, order.marketplace_id))
        try:
            amazon_order = Order.from_wire(payloads.join(order.payload, order.personal))
            recorder.check_fits(amazon_order)
        except MalformedOrder as error:
            judged.blocked.append((order, [recorder.unreadable(error)]))
            continue
        decision = rules.decide(
            amazon_order,
            import_orders=bool(marketplace and marketplace.import_orders),
            import_from=(
                amazon_order.created_time
                if order.is_import_requested
                else order.account.import_from
            ),
            is_mapped=bool(marketplace and marketplace.is_mapped),
        )
        if decision.state != State.READY:
            judged.decided.append((order, decision.state, decision.reason))
            continue
        assert marketplace is not None  # noqa: S101 - an unmapped one is never ready
        try:
            draft = mapping.map_order(amazon_order, address_edit.staff_address(order))
        except mapping.CannotMap as error:
            if order.redacted_at and _is_address_all(error.blockers):
                judged.decided.append((order, State.WAITING, address_edit.REDACTED))
            else:
                judged.blocked.append((order, list(error.blockers)))
            continue
        sells_in = marketplace.info.currency
        if draft.currency != sells_in:
            # No channel would do: it has the marketplace's currency.
            judged.blocked.append((order, [_other_currency(draft.currency, sells_in)]))
            continue
        customer = None
        if marketplace.customer_creation == Marketplace.CustomerCreation.ACCOUNT:
            customer = customers.draft_of(amazon_order, draft, order.account)
        is_history = rules.is_shipping_history(
            amazon_order,
            import_from=order.account.import_from,
            connected_at=order.account.created_at,
        )
        candidates.append(_Candidate(order, draft, marketplace, is_history, customer))

    _resolve(candidates)
    judged.blocked += [(c.order, c.blockers) for c in candidates if c.blockers]
    judged.to_create = [c for c in candidates if not c.blockers]
    return judged


def _other_currency(currency: str, sells_in: str) -> Blocker:
    return Blocker(
        BlockerCode.AMOUNTS_DIFFER,
        f"Amazon gives amounts in {currency} where it sells in {sells_in}: work the "
        "order in Seller Central.",
        "currencyCode",
    )


def _is_address_all(blockers: Iterable[Blocker]) -> bool:
    return all(each.code == BlockerCode.BAD_ADDRESS for each in blockers)


def _resolve(candidates: Sequence[_Candidate]) -> None:
    """Find the variant of every SKU: one look-up per channel for the whole batch."""

    def wanted(candidate: _Candidate, sku: str) -> skus.Wanted:
        settings = candidate.marketplace
        return skus.Wanted(candidate.order.account_id, settings.channel_id, sku)

    found = skus.resolve(
        wanted(candidate, line.sku)
        for candidate in candidates
        for line in candidate.draft.lines
    )
    for candidate in candidates:
        for sku in dict.fromkeys(line.sku for line in candidate.draft.lines):
            each = found[wanted(candidate, sku)]
            if each.blocker:
                candidate.blockers.append(each.blocker)
            elif each.variant_id:
                candidate.variant_ids[sku] = each.variant_id
                if each.units > 1:
                    candidate.units[sku] = each.units
        if candidate.units:
            candidate.draft = mapping.in_shop_units(
                candidate.draft,
                {
                    line.order_item_id: candidate.units.get(line.sku, 1)
                    for line in candidate.draft.lines
                },
            )


def _new_order(candidate: _Candidate) -> NewOrder:
    draft, settings = candidate.draft, candidate.marketplace
    is_untouched = not draft.is_amazon_fulfilled and not any(
        line.quantity_shipped for line in draft.lines
    )
    return NewOrder(
        draft=draft,
        channel_id=settings.channel_id,
        warehouse_ids=tuple(settings.warehouse_ids),
        shipping_method_id=settings.shipping_method_id,
        variant_ids=candidate.variant_ids,
        customer=candidate.customer,
        # What has been shipped cannot wait for a confirmation any more.
        is_unconfirmed=is_untouched
        and settings.initial_status == Marketplace.InitialStatus.UNCONFIRMED,
        is_amazon_number_printed=(
            settings.order_number_source == Marketplace.OrderNumberSource.AMAZON
        ),
        takes_shipped_units=not candidate.is_shipping_history,
    )


def _write(
    blocked: Sequence[tuple[AmazonOrder, list[Blocker]]],
    created: Sequence[tuple[AmazonOrder, CreatedOrder]],
    decided: Sequence[tuple[AmazonOrder, str, str]] = (),
    units: Mapping[int, Mapping[str, int]] | None = None,
) -> None:
    """Put the outcomes into the ledger, in a constant number of queries.

    ``units`` has those of multipacks: order → seller SKU → the shop's units of one.
    """
    now = clock.now()
    events: list[tuple[AmazonOrder, str, str]] = []
    changed: list[AmazonOrder] = []

    for order, blockers in blocked:
        as_json = [blocker_as_json(blocker) for blocker in blockers]
        if order.blockers != as_json:
            # Else it was looked at again for nothing: no news, no event.
            order.note = told_once(blocker.message for blocker in blockers)
            events.append((order, "blocked", order.note))
        order.import_state, order.blockers = State.BLOCKED, as_json
        changed.append(order)
    for order, state, reason in decided:
        order.import_state, order.blockers, order.note = state, [], reason
        changed.append(order)
    lines: dict[tuple[int, str], str] = {}
    for order, answer in created:
        order.import_state, order.blockers = State.IMPORTED, []
        order.shop_order_id, order.shop_order_number = answer.order_id, answer.number
        order.printed_number = answer.printed_number
        order.imported_at = now
        # What is to be said on the shop's order, which there was not before.
        order.follow_at = now if order.is_cancellation_requested else None
        order.note = f"Imported as order {answer.number}."
        if order.redacted_at:
            order.note += (
                " Without the buyer's data, which must not be kept for so long after "
                "the delivery."
            )
        events.append((order, "imported", order.note))
        changed.append(order)
        lines.update({(order.pk, item): line for item, line in answer.line_ids.items()})

    for order in changed:
        order.checked_at = now
    AmazonOrder.objects.bulk_update(changed, _OUTCOME_FIELDS)
    blocking.replace(blocked, [order for order in changed if not order.blockers])
    if lines:
        items = AmazonOrderItem.objects.filter(
            order__in=[order for order, _ in created]
        )
        for item in items:
            item.shop_line_id = lines.get((item.order_id, item.order_item_id), "")
            of_order = (units or {}).get(item.order_id, {})
            item.units_per_item = of_order.get(item.seller_sku, 1)
        AmazonOrderItem.objects.bulk_update(items, ["shop_line_id", "units_per_item"])
        # Some may have been refunded on Amazon before they came here.
        AmazonRefund.objects.filter(
            amazon_order_id__in=[order.amazon_order_id for order, _ in created],
            state=AmazonRefund.State.WAITING,
        ).update(carry_at=now)
    timeline.add_many(events)
