"""The route table: every SP-API operation known, from one module per API."""

from __future__ import annotations

from . import (
    feeds,
    finances,
    listings,
    messaging,
    notifications,
    orders,
    orders_v0,
    orders_v0_reads,
    reports,
    sellers,
    solicitations,
    uploads,
)
from .calls import Operation

OPERATIONS: tuple[Operation, ...] = (
    *sellers.OPERATIONS,
    *orders.OPERATIONS,
    *orders_v0.OPERATIONS,
    *orders_v0_reads.OPERATIONS,
    *feeds.OPERATIONS,
    *reports.OPERATIONS,
    *finances.OPERATIONS,
    *listings.OPERATIONS,
    *messaging.OPERATIONS,
    *solicitations.OPERATIONS,
    *uploads.OPERATIONS,
    *notifications.OPERATIONS,
)


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation at ``path`` and the values in the path."""
    for operation in OPERATIONS:
        if operation.method == method:
            match = operation.pattern.fullmatch(path)
            if match:
                return operation, match.groupdict()
    return None
