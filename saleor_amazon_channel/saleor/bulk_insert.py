"""Rows into Saleor's tables, many per statement, without a model instance for each.

Making and adapting Django instances of Saleor's wide models costs several times what
PostgreSQL needs to store them, and is most of what ``bulk_create`` spends. Here the
rows travel as one JSON document, which PostgreSQL takes apart by the types of the
table's columns. What a row leaves out gets the default of the model's field, so that a
column that another Saleor version adds is filled as Saleor would fill it.

No signals are sent, as with ``bulk_create``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Field, Model

from .. import clock

Row = Mapping[str, Any]


def insert(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert ``rows``, each from columns to values; all with their key, or none.

    Values are what JSON has, or Decimal, UUID or aware datetime. Raises KeyError for a
    column that the table does not have.
    """
    if not rows:
        return
    fields = {
        field.column: field
        for field in model._meta.concrete_fields
        if not field.primary_key or field.column in rows[0]
    }
    if unknown := set().union(*rows) - fields.keys():
        raise KeyError(f"{model._meta.db_table} has no {sorted(unknown)}")
    given = set(rows[0]).intersection(*rows)
    left_out = {name: field for name, field in fields.items() if name not in given}
    defaults = {
        name: clock.now() if _is_moment(field) else _default(field)
        for name, field in left_out.items()
    }
    # Tokens and the like: each row needs its own.
    computed = [field for field in left_out.values() if _is_computed(field)]
    documents = [
        {**defaults, **{field.column: _default(field) for field in computed}, **row}
        for row in rows
    ]
    table = f'"{model._meta.db_table}"'
    columns = ", ".join(f'"{name}"' for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} "  # noqa: S608 - names of a model
            f"FROM jsonb_populate_recordset(NULL::{table}, %s)",
            [json.dumps(documents, default=_as_json)],
        )


def draw_keys(model: type[Model], count: int) -> list[int]:
    """Take ``count`` primary keys from the table's sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) "
            "FROM generate_series(1, %s)",
            [f'"{model._meta.db_table}"', model._meta.pk.column, count],
        )
        return [key for (key,) in cursor.fetchall()]


def _is_moment(field: Field[Any, Any]) -> bool:
    """Whether Django fills the column with the time of writing."""
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", 0))


def _is_computed(field: Field[Any, Any]) -> bool:
    default = field.default if field.has_default() else None
    return callable(default) and default not in (dict, list)


def _default(field: Field[Any, Any]) -> Any:
    value = field.get_default()
    if isinstance(value, dict | list):
        return value
    return field.get_db_prep_save(value, connection)


def _as_json(value: object) -> str:
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be stored")
