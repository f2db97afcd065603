"""The main path in real Saleor, its staff acting through Saleor's own mutations."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.reconciling import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


def test_doubles_are_looked_up_in_saleors_indexes(shop, store) -> None:
    """However many orders there are: with a table as small as a test's the planner
    would rather read all of it."""
    with CaptureQueriesContext(connection) as captured:
        store.orders_of([ORDER, OTHER])  # noqa: F405
    [query] = captured.captured_queries
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Bitmap Index Scan on order_meta_idx" in plan
    assert "external_reference" in plan
    assert "Seq Scan" not in plan
