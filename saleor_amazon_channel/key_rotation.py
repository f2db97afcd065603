"""After a new encryption key was put first: everything stored gets it, too.

Reading works with any of the keys, so a shop runs on meanwhile. Only when nothing is
left that an old key encrypted can that key go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from . import fields

BATCH_SIZE = 500


@dataclass
class Column:
    """Values of one encrypted column, counted."""

    name: str
    current: int = 0
    #: Encrypted with an old key; by ``rotate`` with the first one now.
    old: int = 0
    #: None of the keys fits.
    unreadable: int = 0


def rotate(*, is_dry_run: bool = False) -> Iterator[Column]:
    """Encrypt with the first key what an old one encrypted, column by column.

    A batch is one statement, and one that was interrupted begins anew and passes over
    what is done. A value that somebody changes at the same moment is left to them: it
    gets the key of their process. ``is_dry_run`` only counts.
    """
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, fields.ENCRYPTED):
                yield _rotate(model, field, is_dry_run)


def _rotate(
    model: type[models.Model], field: models.Field[Any, Any], is_dry_run: bool
) -> Column:
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(field.column or "")
    key = model._meta.pk
    key_name, key_type = quote(key.column or ""), key.rel_db_type(connection)
    is_binary = isinstance(field, fields.EncryptedBinaryField)
    type_ = "bytea" if is_binary else "text"
    read = f"""
        SELECT {key_name}, {column} FROM {table}
        WHERE {column} <> '' AND (%s::{key_type} IS NULL OR {key_name} > %s)
        ORDER BY {key_name} LIMIT {BATCH_SIZE}
    """  # noqa: S608  names of our own columns
    write = f"""
        UPDATE {table} SET {column} = fresh.new_value
        FROM unnest(%s::{key_type}[], %s::{type_}[], %s::{type_}[])
            AS fresh (key, old_value, new_value)
        WHERE {table}.{key_name} = fresh.key AND {column} = fresh.old_value
    """  # noqa: S608
    counted, last = Column(f"{model._meta.db_table}.{field.column}"), None
    with connection.cursor() as cursor:
        while True:
            cursor.execute(read, [last, last])
            rows = cursor.fetchall()
            if not rows:
                return counted
            last = rows[-1][0]
            changes = []
            for pk, value in rows:
                token = bytes(value) if is_binary else value.encode()
                if fields.is_current(token):
                    counted.current += 1
                elif (fresh := fields.rotated(token)) is None:
                    counted.unreadable += 1
                else:
                    counted.old += 1
                    changes.append((pk, value, fresh if is_binary else fresh.decode()))
            if changes and not is_dry_run:
                cursor.execute(
                    write, [list(each) for each in zip(*changes, strict=True)]
                )
