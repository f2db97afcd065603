"""Stock of the stand-alone shop: rows locked in one order, then changed in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from .models import Allocation, Stock


class NotEnough(Exception):
    """What is available does not cover what is wanted."""

    def __init__(self, wanted: int, available: int) -> None:
        super().__init__(f"{wanted} wanted, {available} available")
        self.wanted = wanted
        self.available = available


@dataclass
class LockedStock:
    """Stock rows that nobody else can change until the transaction ends."""

    rows: dict[tuple[int, int], Stock]
    _changed: set[Stock] = field(default_factory=set)

    def _of(self, variant_id: int, warehouse_ids: Iterable[int]) -> list[Stock]:
        rows = (self.rows.get((variant_id, warehouse)) for warehouse in warehouse_ids)
        return [row for row in rows if row is not None]

    def by_pk(self, pk: int) -> Stock:
        return next(row for row in self.rows.values() if row.pk == pk)

    def available(self, variant_id: int, warehouse_ids: Iterable[int]) -> int:
        return sum(stock.available for stock in self._of(variant_id, warehouse_ids))

    def allocate(
        self, variant_id: int, warehouse_ids: Sequence[int], quantity: int
    ) -> list[tuple[Stock, int]]:
        """Promise units, from the first warehouse that has some on."""
        available = self.available(variant_id, warehouse_ids)
        if available < quantity:
            raise NotEnough(quantity, available)
        taken = []
        for stock in self._of(variant_id, warehouse_ids):
            units = min(stock.available, quantity)
            if units:
                stock.quantity_allocated += units
                quantity -= units
                self._changed.add(stock)
                taken.append((stock, units))
        return taken

    def release(self, stock: Stock, quantity: int) -> None:
        """Take a promise back."""
        stock.quantity_allocated -= quantity
        self._changed.add(stock)

    def remove(
        self, variant_id: int, warehouse_ids: Sequence[int], quantity: int
    ) -> list[tuple[Stock, int]]:
        """Units leave the shop; they must be there and promised to nobody."""
        removed = self.allocate(variant_id, warehouse_ids, quantity)
        for stock, units in removed:
            stock.quantity_allocated -= units
            stock.quantity -= units
        return removed

    def put_back(self, stock: Stock, quantity: int) -> None:
        """Units come back."""
        stock.quantity += quantity
        self._changed.add(stock)

    def save(self) -> None:
        """Write what has changed."""
        Stock.objects.bulk_update(self._changed, ["quantity", "quantity_allocated"])
        self._changed.clear()


def lock(variant_ids: Collection[int]) -> LockedStock:
    """Lock all stock of these variants, by key, so that two never deadlock."""
    rows = Stock.objects.select_for_update().filter(variant_id__in=variant_ids)
    return LockedStock(
        {(row.variant_id, row.warehouse_id): row for row in rows.order_by("pk")}
    )


def allocations_of(line_ids: Collection[UUID]) -> dict[UUID, list[Allocation]]:
    """Line id → its allocations. Lock the stock first."""
    by_line: dict[UUID, list[Allocation]] = {}
    for allocation in Allocation.objects.filter(line_id__in=line_ids).order_by("pk"):
        by_line.setdefault(allocation.line_id, []).append(allocation)
    return by_line
