"""The pages' lists read few orders however many there are: the requests of
``make bench-orders``, on a ledger large enough for PostgreSQL to want indexes."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from graphql_api.conftest import ADMIN, SCHEMA
from saleor_amazon_channel.graphql import pagination

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import all_orders

ORDERS = 20_000
#: No statement looks at more than a fifth of them.
MOST_READ = 4_000


@pytest.mark.django_db(transaction=True)
def test_no_list_reads_a_large_part_of_the_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As the limit is to a million orders, so is this to these.
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 200)
    all_orders.populate(ORDERS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    context = SimpleNamespace(identity=ADMIN)

    statements = {
        request.name: all_orders.run(SCHEMA, context, request)
        for request in all_orders.requests()
        # Of the filters crossed with sorts, by total: PostgreSQL reads the others
        # otherwise where there are as few orders as here.
        if not request.is_cross or request.name.endswith(("TOTAL ASC", "TOTAL DESC"))
    }
    read = {
        name: max(
            all_orders.rows_read(all_orders.explain(sql, params))
            for sql, params, _ in sent
        )
        for name, sent in statements.items()
    }

    assert len(read) > 150
    assert {name: rows for name, rows in read.items() if rows > MOST_READ} == {}
    # So few are at times read one after the other all the same. With more there must
    # be another way.
    assert [
        name
        for name, sent in statements.items()
        if any(all_orders.scans(sql, params) for sql, params, _ in sent)
    ] == []
