"""Migrations that rewrite rows, on rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

APP = "saleor_amazon_channel"
STARTED = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Any]:
    """Bring the database to a migration of ours; the models as they are there."""

    def to(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([(APP, name)])
        return MigrationExecutor(connection).loader.project_state((APP, name)).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_0023_keeps_what_was_compared(migrate: Any) -> None:
    before = migrate("0022_read_only_by_itself")
    account = before.get_model(APP, "SellerAccount").objects.create(
        name="Mugs", region="EU", seller_id="A1"
    )
    for finished_at in (STARTED + timedelta(hours=1), None):
        before.get_model(APP, "Reconciliation").objects.create(
            account=account,
            since=STARTED - timedelta(days=7),
            started_at=STARTED,
            finished_at=finished_at,
            there=1204,
            here=1203,
            unsettled=1,
            page_token="next",
        )

    after = migrate("0023_slow_scans")

    finished, under_way = after.get_model(APP, "Reconciliation").objects.order_by("pk")
    assert finished.counts == {"there": 1204, "here": 1203, "unsettled": 1}
    assert finished.window_from == finished.window_until == finished.until == STARTED
    # It starts over.
    assert (under_way.counts, under_way.page_token) == ({}, "")
    assert under_way.window_from == STARTED - timedelta(days=7)
    assert under_way.window_until == under_way.until == STARTED
