"""Put the database back as it was after each test that commits.

Django truncates every table and makes content types and permissions anew: most of a
second for Saleor's two hundred tables, while a test leaves rows in a few. Here rows are
deleted, and what migrations had put into tables is put back, which Django leaves out.
So every test finds the same rows, whichever ran before it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker


class Restorer:
    """What one database held before the first test, by table, in COPY's format."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._alias = connection.alias
        tables = sorted(
            connection.introspection.django_table_names(
                only_existing=True, include_views=False
            )
        )
        quote = connection.ops.quote_name
        # Foreign keys are deferred, so the order does not matter.
        self._delete = "; ".join(f"DELETE FROM {quote(table)}" for table in tables)  # noqa: S608
        self._rows: dict[str, bytes] = {}
        with connection.cursor() as cursor:
            for table in map(quote, tables):
                with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                    if rows := b"".join(copy):
                        self._rows[table] = rows

    def restore(self) -> None:
        with (
            transaction.atomic(using=self._alias),
            connections[self._alias].cursor() as cursor,
        ):
            cursor.execute(self._delete)
            for table, rows in self._rows.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(rows)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with django_db_blocker.unblock():
        restorers = {
            alias: Restorer(connections[alias])
            for alias in connections
            if not connections[alias].settings_dict["TEST"]["MIRROR"]
        }

    def restore(test_case: TransactionTestCase) -> None:
        for alias in test_case._databases_names(include_mirrors=False):
            restorers[alias].restore()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
        yield
