"""Finds out which causes of blocked orders have gone, and lets those orders go on.

Causes are looked at, not orders: "SKU X is unknown" is one question however many orders
wait for it, and those whose cause is still there are not touched. Asked by every round
of work, so that staff see an order within seconds of mending what blocked it; nothing
the shop announces is needed for that (bulk updates of Saleor's announce nothing).

    unknown SKU, not available    resolve the SKUs again, all in one go
    out of stock                  what is free now, given to the oldest orders first
    channel mismatch              compare with the shop's channels
    internal                      again, a minute later
    address, amounts, unreadable  only what changes the order itself helps: Amazon's or
                                  staff's new data, or another version of the channel
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max, QuerySet

from .. import __version__, clock, store
from ..models import AmazonOrder, Marketplace, OrderBlocker
from ..store.contract import BlockerCode, Channel
from . import skus
from .skus import Found, Wanted

State = AmazonOrder.ImportState

#: How long an import that failed unexpectedly rests.
RETRY_INTERNAL_AFTER = timedelta(minutes=1)
#: Orders that go on for one reason in one round; the next round comes in seconds.
MOST_AT_ONCE = 1000

_OF_SKUS = (BlockerCode.UNKNOWN_SKU, BlockerCode.NOT_AVAILABLE_IN_CHANNEL)
_OF_CHANNELS = (BlockerCode.CHANNEL_MISMATCH, BlockerCode.NOT_MAPPED)
_OF_THE_ORDER = (
    BlockerCode.BAD_ADDRESS,
    BlockerCode.AMOUNTS_DIFFER,
    BlockerCode.UNREADABLE,
)


@dataclass(frozen=True, slots=True)
class _Cause:
    account_id: int
    marketplace_id: str
    code: str
    subject: str
    units_needed: int


def heal() -> int:
    """Make blocked orders ready whose cause has gone; how many."""
    causes = [
        _Cause(**row)
        for row in OrderBlocker.objects.values(
            "account_id", "marketplace_id", "code", "subject"
        ).annotate(units_needed=Max("units_needed"))
    ]
    if not causes:
        return 0
    marketplaces = {
        (row.account_id, row.marketplace_id): row
        for row in Marketplace.objects.filter(
            account_id__in={cause.account_id for cause in causes}
        )
    }
    gone = [
        *_resolved([c for c in causes if c.code in _OF_SKUS], marketplaces),
        *_fitting([c for c in causes if c.code in _OF_CHANNELS], marketplaces),
    ]
    released = sum(_release(rows) for _, rows in _rows_of(gone))
    out_of_stock = [c for c in causes if c.code == BlockerCode.OUT_OF_STOCK]
    released += _restocked(out_of_stock, marketplaces)
    if any(cause.code == BlockerCode.INTERNAL for cause in causes):
        released += _release(
            OrderBlocker.objects.filter(
                code=BlockerCode.INTERNAL,
                order__checked_at__lte=clock.now() - RETRY_INTERNAL_AFTER,
            )
        )
    if any(cause.code in _OF_THE_ORDER for cause in causes):
        released += _release(
            OrderBlocker.objects.filter(code__in=_OF_THE_ORDER).exclude(
                judged_by=__version__
            )
        )
    return released


def _rows_of(
    causes: Iterable[_Cause],
) -> Iterator[tuple[tuple[int, str, str], QuerySet[OrderBlocker]]]:
    """The rows of the causes, a query for each (account, marketplace, code)."""
    subjects: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for cause in causes:
        key = (cause.account_id, cause.marketplace_id, cause.code)
        subjects[key].append(cause.subject)
    for key, of_key in subjects.items():
        account_id, marketplace_id, code = key
        yield (
            key,
            OrderBlocker.objects.filter(
                account_id=account_id,
                marketplace_id=marketplace_id,
                code=code,
                subject__in=of_key,
            ),
        )


def _release(rows: QuerySet[OrderBlocker]) -> int:
    ids = rows.order_by("order_id").values_list("order_id", flat=True)[:MOST_AT_ONCE]
    return _make_ready(ids)


def _make_ready(ids: Iterable[int]) -> int:
    return AmazonOrder.objects.filter(
        pk__in=list(ids), import_state=State.BLOCKED
    ).update(import_state=State.READY)


_Marketplaces = dict[tuple[int, str], Marketplace]


def _found(
    causes: Sequence[_Cause], marketplaces: _Marketplaces
) -> dict[_Cause, Found]:
    """What the SKUs of the causes are now."""
    wanted = {}
    for cause in causes:
        marketplace = marketplaces.get((cause.account_id, cause.marketplace_id))
        if marketplace and marketplace.is_mapped:
            wanted[cause] = Wanted(
                cause.account_id, marketplace.channel_id, cause.subject
            )
    found = skus.resolve(wanted.values())
    return {cause: found[each] for cause, each in wanted.items()}


def _resolved(causes: Sequence[_Cause], marketplaces: _Marketplaces) -> list[_Cause]:
    if not causes:
        return []
    found = _found(causes, marketplaces)
    return [cause for cause, each in found.items() if each.blocker is None]


def _fitting(causes: Sequence[_Cause], marketplaces: _Marketplaces) -> list[_Cause]:
    if not causes:
        return []
    channels = {channel.id: channel for channel in store.current().channels()}
    return [
        cause
        for cause in causes
        if _fits(marketplaces.get((cause.account_id, cause.marketplace_id)), channels)
    ]


def _fits(marketplace: Marketplace | None, channels: dict[str, Channel]) -> bool:
    if marketplace is None or not marketplace.is_mapped:
        return False
    channel = channels.get(marketplace.channel_id)
    return (
        channel is not None
        and channel.currency == marketplace.info.currency
        and marketplace.shipping_method_id in {m.id for m in channel.shipping_methods}
        and set(marketplace.warehouse_ids) <= {w.id for w in channel.warehouses}
    )


def _restocked(causes: Sequence[_Cause], marketplaces: _Marketplaces) -> int:
    """Give what is free now to the oldest of the orders that wait for it."""
    if not causes:
        return 0
    found = _found(causes, marketplaces)
    # No longer a question of stock: let the importer say what it is now.
    changed = [c for c, each in found.items() if each.blocker or not each.variant_id]
    released = sum(_release(rows) for _, rows in _rows_of(changed))
    variants: dict[tuple[str, ...], dict[_Cause, str]] = defaultdict(dict)
    for cause, each in found.items():
        if each.variant_id and not each.blocker:
            marketplace = marketplaces[cause.account_id, cause.marketplace_id]
            variants[tuple(marketplace.warehouse_ids)][cause] = each.variant_id
    for warehouse_ids, by_cause in variants.items():
        free = dict(
            store.current().available_stock(
                sorted(set(by_cause.values())), warehouse_ids
            )
        )
        # A variant that is not in it is not counted any more.
        for cause, variant_id in by_cause.items():
            free.setdefault(variant_id, cause.units_needed * MOST_AT_ONCE)
        waited_for = {c: v for c, v in by_cause.items() if free[v] > 0}
        for key, rows in _rows_of(waited_for):
            by_subject = {
                cause.subject: variant_id
                for cause, variant_id in waited_for.items()
                if (cause.account_id, cause.marketplace_id, cause.code) == key
            }
            released += _make_ready(_served(rows, by_subject, free))
    return released


def _served(
    rows: QuerySet[OrderBlocker], variants: Mapping[str, str], free: dict[str, int]
) -> list[int]:
    """The orders, the oldest first, that what is free is enough for; lowers it."""
    served = []
    waiting = rows.order_by("order__created_time", "order_id").values_list(
        "order_id", "subject", "units_needed"
    )
    for order_id, subject, needed in waiting[: 10 * MOST_AT_ONCE]:
        if needed <= free[variants[subject]]:
            free[variants[subject]] -= needed
            served.append(order_id)
    return served[:MOST_AT_ONCE]
