"""Saleor's stock, taken under lock: what imported orders reserve and what has left.

Saleor's own rules (``saleor/warehouse/management.py``): stocks are locked in the order
of their keys, what is free is the quantity less the sum of the allocations (and less
what open checkouts have reserved), and ``Stock.quantity_allocated`` repeats that sum.
Keeping to them, an import can neither oversell against a checkout nor deadlock with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum
from saleor.warehouse.models import Allocation, Reservation, Stock

from .. import clock


@dataclass(slots=True)
class _Stock:
    id: int
    quantity: int
    free: int
    taken: int = 0
    allocated: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """What one order line wants: ``open`` units kept for it, ``shipped`` ones gone."""

    variant_id: int
    open: int
    shipped: int


@dataclass(slots=True)
class Supply:
    """What a line got. Each part is (stock id, units); units that were shipped though
    the shop had none of them have no stock."""

    allocated: list[tuple[int, int]] = field(default_factory=list)
    taken: list[tuple[int | None, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shortage:
    variant_id: int
    needed: int
    free: int


class NotEnoughStock(Exception):
    """What an order is short of."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        super().__init__(*shortages)
        self.shortages = shortages


class StockPool:
    """The locked stocks of some variants in some warehouses.

    Locks are held until the caller's transaction ends; nothing is written before
    ``write``.
    """

    def __init__(
        self, variant_ids: Collection[int], warehouse_ids: Collection[UUID]
    ) -> None:
        self._stocks: dict[tuple[int, UUID], _Stock] = {}
        if not variant_ids or not warehouse_ids:
            return
        rows = list(
            Stock.objects.filter(
                product_variant_id__in=variant_ids, warehouse_id__in=warehouse_ids
            )
            .order_by("pk")
            .select_for_update(of=("self",))
            .values_list("pk", "product_variant_id", "warehouse_id", "quantity")
        )
        # Statements of their own, so that they see what the locks waited for.
        promised = _sums(Allocation.objects, "quantity_allocated", rows)
        reserved = _sums(
            Reservation.objects.filter(reserved_until__gt=clock.now()),
            "quantity_reserved",
            rows,
        )
        for pk, variant_id, warehouse_id, quantity in rows:
            self._stocks[variant_id, warehouse_id] = _Stock(
                pk, quantity, quantity - promised[pk] - reserved[pk]
            )

    def supply(
        self, demands: Sequence[Demand], warehouse_ids: Sequence[UUID]
    ) -> list[Supply]:
        """Serve all of an order's lines, from the warehouses in the given order.

        Raises NotEnoughStock if one of them cannot be served; then none is. Units
        already shipped are never short: they are taken as far as there are any.
        """
        before = {
            key: (stock.quantity, stock.free, stock.taken, stock.allocated)
            for demand in demands
            for warehouse_id in warehouse_ids
            if (stock := self._stocks.get(key := (demand.variant_id, warehouse_id)))
        }
        supplies = [Supply() for _ in demands]
        for demand, supply in zip(demands, supplies, strict=True):
            self._take(demand, supply, self._of(demand, warehouse_ids))
        free = {
            demand.variant_id: sum(
                max(stock.free, 0) for stock in self._of(demand, warehouse_ids)
            )
            for demand in demands
        }
        needed: dict[int, int] = defaultdict(int)
        for demand, supply in zip(demands, supplies, strict=True):
            needed[demand.variant_id] += demand.open
            self._allocate(demand, supply, self._of(demand, warehouse_ids))
        short = [
            Shortage(variant_id, quantity, free[variant_id])
            for variant_id, quantity in needed.items()
            if quantity > free[variant_id]
        ]
        if not short:
            return supplies
        for key, (quantity, was_free, taken, allocated) in before.items():
            stock = self._stocks[key]
            stock.quantity, stock.free = quantity, was_free
            stock.taken, stock.allocated = taken, allocated
        raise NotEnoughStock(short)

    def write(self) -> None:
        """Change the stocks by what was supplied, in one statement."""
        changed = [
            stock for stock in self._stocks.values() if stock.taken or stock.allocated
        ]
        if not changed:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE {Stock._meta.db_table} AS stock
                SET quantity = stock.quantity - change.taken,
                    quantity_allocated = stock.quantity_allocated + change.allocated
                FROM unnest(%s::int[], %s::int[], %s::int[])
                    AS change (id, taken, allocated)
                WHERE stock.id = change.id
                """,  # noqa: S608 - the name is a model's table
                [
                    [stock.id for stock in changed],
                    [stock.taken for stock in changed],
                    [stock.allocated for stock in changed],
                ],
            )

    def _of(self, demand: Demand, warehouse_ids: Iterable[UUID]) -> list[_Stock]:
        found = (self._stocks.get((demand.variant_id, id_)) for id_ in warehouse_ids)
        return [stock for stock in found if stock]

    @staticmethod
    def _take(demand: Demand, supply: Supply, stocks: Sequence[_Stock]) -> None:
        left = demand.shipped
        # Units that nobody was promised first, then any that lie there.
        for limit in ("free", "quantity"):
            for stock in stocks:
                units = min(left, getattr(stock, limit))
                if units <= 0:
                    continue
                stock.quantity -= units
                stock.free -= units
                stock.taken += units
                left -= units
                supply.taken.append((stock.id, units))
        if left:
            supply.taken.append((None, left))

    @staticmethod
    def _allocate(demand: Demand, supply: Supply, stocks: Sequence[_Stock]) -> None:
        left = demand.open
        for stock in stocks:
            units = min(left, stock.free)
            if units <= 0:
                continue
            stock.free -= units
            stock.allocated += units
            left -= units
            supply.allocated.append((stock.id, units))


def _sums(
    queryset: Any, column: str, rows: Sequence[tuple[int, int, UUID, int]]
) -> defaultdict[int, int]:
    sums = (
        queryset.filter(stock_id__in=[row[0] for row in rows])
        .order_by()
        .values_list("stock_id")
        .annotate(Sum(column))
    )
    return defaultdict(int, sums)
