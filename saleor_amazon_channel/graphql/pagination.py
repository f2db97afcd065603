"""Keyset pagination: a cursor is the sort key of a row, never a count of rows.

Arguments, error texts and page info are as in Saleor's connections. The rows after a
cursor are found by one row comparison, ``ROW(key, id) > ROW(…)``, which PostgreSQL
answers from an index on the same columns however far down the list the cursor is.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import SimpleNamespace
from typing import Any

import graphene
from django.db.models import Field, Func, Model, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, LessThan
from graphql import GraphQLError

from . import host as graphql_host
from . import selection

host = graphql_host.current()

#: Up to this many, a total is counted exactly; counting more costs too much.
COUNT_LIMIT = 10_000


class _Row(Func):
    function = "ROW"
    output_field = Field()


@dataclass(frozen=True)
class SortKey:
    """A column of the order, or an expression, and the attribute that has its value.

    The last key of an order must be unique. All keys go in one direction, so that one
    index serves both.
    """

    expression: Any
    attribute: str
    field: Field[Any, Any]
    #: What the expression is where the attribute is None.
    none_value: Any = None

    def of(self, row: Model) -> Any:
        value = getattr(row, self.attribute)
        return self.none_value if value is None else value


@dataclass(frozen=True)
class Slice:
    """A page of rows, each with its cursor."""

    rows: Sequence[Any]
    cursors: Sequence[str]
    has_next_page: bool = False
    has_previous_page: bool = False

    @property
    def page_info(self) -> graphene.relay.PageInfo:
        return graphene.relay.PageInfo(
            has_next_page=self.has_next_page,
            has_previous_page=self.has_previous_page,
            start_cursor=self.cursors[0] if self.cursors else None,
            end_cursor=self.cursors[-1] if self.cursors else None,
        )


def arguments(limit: int) -> dict[str, graphene.Argument]:
    """The arguments of a connection, as Saleor describes them."""
    most = (
        "Note that the system only allows fetching a maximum of "
        f"{limit} objects in a single query."
    )
    return {
        "before": graphene.Argument(
            graphene.String,
            description=(
                "Return the elements in the list that come before the specified cursor."
            ),
        ),
        "after": graphene.Argument(
            graphene.String,
            description=(
                "Return the elements in the list that come after the specified cursor."
            ),
        ),
        "first": graphene.Argument(
            graphene.Int,
            description=f"Retrieve the first n elements from the list. {most}",
        ),
        "last": graphene.Argument(
            graphene.Int,
            description=f"Retrieve the last n elements from the list. {most}",
        ),
    }


def slice_rows(
    info: Any,
    queryset: QuerySet[Any],
    keys: Sequence[SortKey],
    *,
    is_descending: bool,
    limit: int,
    is_few: bool = False,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Slice:
    """The page a client asked for; one query, or none where no rows are selected.

    With ``is_few``, all rows of the queryset are found first and then sorted. Else
    PostgreSQL may go through the index of the order until it has met enough of them,
    which takes the longer the fewer there are, and it counts on their being spread
    evenly, which orders of one time, or those that are still open, are not.
    """
    _check_arguments(info, first, last, after, before, limit)
    size = first or last
    if not size:
        return Slice((), ())
    # Backwards from a cursor is forwards in the opposite order.
    reads_down = is_descending != bool(last)
    cursor = after or before
    if cursor:
        values = _read_cursor(cursor, keys)
        lookup = LessThan if reads_down else GreaterThan
        queryset = queryset.filter(
            lookup(
                _Row(*(key.expression for key in keys)),
                _Row(
                    *(
                        Value(value, output_field=key.field)
                        for key, value in zip(keys, values, strict=True)
                    )
                ),
            )
        )
    # No index is on the second of these, so none is gone through.
    sorted_by = [
        Coalesce(key.expression, key.expression) if is_few else key.expression
        for key in keys
    ]
    ordering = [each.desc() if reads_down else each.asc() for each in sorted_by]
    rows = list(queryset.order_by(*ordering)[: size + 1])
    is_more = len(rows) > size
    rows = rows[:size]
    if last:
        rows.reverse()
    return Slice(
        rows,
        [_write_cursor(row, keys) for row in rows],
        has_next_page=bool(cursor) if last else is_more,
        has_previous_page=is_more if last else bool(cursor),
    )


def connection(
    info: Any,
    queryset: QuerySet[Any],
    keys: Sequence[SortKey],
    together: Callable[[Sequence[Any]], Sequence[Any]],
    *,
    is_descending: bool,
    is_few: bool = False,
    count_rows: Callable[[], int | None] | None = None,
    **page: Any,
) -> SimpleNamespace:
    """The root of a connection's type. ``together`` prepares the rows of the page;
    ``count_rows`` gives the total where it is known. For ``is_few``: ``slice_rows``.
    """
    found = slice_rows(
        info,
        queryset,
        keys,
        is_descending=is_descending,
        is_few=is_few,
        limit=host.pagination_limit,
        **page,
    )

    def total_count() -> int | None:
        if count_rows is not None:
            return count_rows()
        with host.reading(info.context):
            return count(queryset)

    return SimpleNamespace(
        page_info=found.page_info,
        edges=[
            SimpleNamespace(node=row, cursor=cursor)
            for row, cursor in zip(together(found.rows), found.cursors, strict=True)
        ],
        total_count=total_count,
    )


def count(queryset: QuerySet[Any]) -> int | None:
    """How many rows there are; None when there are more than is counted."""
    counted = queryset.order_by()[: COUNT_LIMIT + 1].count()
    return counted if counted <= COUNT_LIMIT else None


def _check_arguments(
    info: Any,
    first: int | None,
    last: int | None,
    after: str | None,
    before: str | None,
    limit: int,
) -> None:
    for name, value in (("first", first), ("last", last)):
        if value is not None and value < 0:
            raise GraphQLError(f"Argument `{name}` must be a non-negative integer.")
        if value is not None and value > limit:
            raise GraphQLError(
                f"Requesting {value} records on the `{info.field_name}` connection "
                f"exceeds the `{name}` limit of {limit} records."
            )
    if first and last:
        raise GraphQLError("Argument `last` cannot be combined with `first`.")
    if first and before:
        raise GraphQLError("Argument `first` cannot be combined with `before`.")
    if last and after:
        raise GraphQLError("Argument `last` cannot be combined with `after`.")
    if not first and not last and selection.has(info, "edges"):
        raise GraphQLError(
            "You must provide a `first` or `last` value to properly paginate "
            f"the `{info.field_name}` connection."
        )


def _write_cursor(row: Model, keys: Sequence[SortKey]) -> str:
    values = [key.of(row) for key in keys]
    texts = [
        value.isoformat() if isinstance(value, datetime) else str(value)
        for value in values
    ]
    return b64encode(json.dumps(texts).encode()).decode()


def _read_cursor(cursor: str, keys: Sequence[SortKey]) -> list[Any]:
    try:
        texts = json.loads(b64decode(cursor, validate=True))
        if not isinstance(texts, list) or len(texts) != len(keys):
            raise ValueError("another sort order's")
        return [_parse(key, text) for key, text in zip(keys, texts, strict=True)]
    except (ValueError, TypeError, InvalidOperation) as error:
        raise GraphQLError("Received cursor is invalid.") from error


def _parse(key: SortKey, text: object) -> Any:
    if not isinstance(text, str):
        raise TypeError("not a text")
    kind = key.field.get_internal_type()
    if kind == "DateTimeField":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("without a time zone")
        return moment
    if kind == "BigAutoField":
        number = int(text)
        if not -(2**63) <= number < 2**63:
            raise ValueError("not an id")
        return number
    if kind == "DecimalField":
        amount = Decimal(text)
        if not amount.is_finite():
            raise ValueError("not an amount")
        return amount
    if "\0" in text:
        raise ValueError("not a text of the database")
    return text
