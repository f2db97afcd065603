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
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)
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

    def within(self, part: Part) -> Sequence[Any]:
        lowest = Value(part.lowest, output_field=self.field)
        highest = Value(part.highest, output_field=self.field)
        if part.lowest == part.highest:
            return (Exact(self.expression, lowest),)
        return (
            GreaterThanOrEqual(self.expression, lowest),
            LessThanOrEqual(self.expression, highest),
        )


@dataclass(frozen=True)
class Part:
    """Rows of which the first key is within these bounds."""

    lowest: Any
    highest: Any

    def is_before(self, value: Any, reads_down: bool) -> bool:
        return self.lowest > value if reads_down else self.highest < value

    def is_after(self, value: Any, reads_down: bool) -> bool:
        return self.is_before(value, not reads_down)


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
    whole: QuerySet[Any] | None = None,
    is_few: bool = False,
    parts: Sequence[Part] | None = None,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Slice:
    """The page a client asked for; one query, or none where no rows are selected.

    ``whole`` is the queryset without its filters, where it has any: the rows of the
    page are then found by their keys alone, since sorting all columns takes as long
    again, and read after that.

    With ``is_few``, all rows of the queryset are found first and then sorted. Else
    PostgreSQL may go through the index of the order until it has met enough of them,
    which takes the longer the fewer there are, and it counts on their being spread
    evenly, which orders of one time, or those that are still open, are not.

    ``parts``, ascending, are then read by themselves, one query each until the page is
    full, so that PostgreSQL does not go through what lies between them.
    """
    _check_arguments(info, first, last, after, before, limit)
    size = first or last
    if not size:
        return Slice((), ())
    # Backwards from a cursor is forwards in the opposite order.
    reads_down = is_descending != bool(last)
    cursor = after or before
    values = _read_cursor(cursor, keys) if cursor else None

    def read(found: QuerySet[Any], count: int) -> QuerySet[Any]:
        if whole is None:
            return found[:count]
        return whole.filter(pk__in=found.values("pk")[:count]).order_by(
            *_ordering([key.expression for key in keys], reads_down)
        )

    rows: list[Any] = []
    if is_few or parts is None:
        found = _following(queryset, keys, values, reads_down, is_few)
        rows += read(found, size + 1)
    else:
        for part in reversed(parts) if reads_down else parts:
            if values and part.is_before(values[0], reads_down):
                continue
            is_whole = not values or part.is_after(values[0], reads_down)
            # Of one value only the others are compared: PostgreSQL would begin where
            # the value does, and not at the cursor.
            first_key = 1 if part.lowest == part.highest else 0
            found = _following(
                queryset.filter(*keys[0].within(part)),
                keys[first_key:],
                None if is_whole or not values else values[first_key:],
                reads_down,
            )
            rows += read(found, size + 1 - len(rows))
            if len(rows) > size:
                break
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


def _following(
    queryset: QuerySet[Any],
    keys: Sequence[SortKey],
    values: Sequence[Any] | None,
    reads_down: bool,
    is_few: bool = False,
) -> QuerySet[Any]:
    """Sorted, and only what comes after ``values`` of the keys."""
    # No index is on the second of these, so none is gone through.
    sorted_by = [
        Coalesce(key.expression, key.expression) if is_few else key.expression
        for key in keys
    ]
    if values is not None:
        lookup = LessThan if reads_down else GreaterThan
        reached = (
            Value(value, output_field=key.field)
            for key, value in zip(keys, values, strict=True)
        )
        queryset = queryset.filter(lookup(_Row(*sorted_by), _Row(*reached)))
    return queryset.order_by(*_ordering(sorted_by, reads_down))


def _ordering(sorted_by: Sequence[Any], reads_down: bool) -> list[Any]:
    return [each.desc() if reads_down else each.asc() for each in sorted_by]


def connection(
    info: Any,
    queryset: QuerySet[Any],
    keys: Sequence[SortKey],
    together: Callable[[Sequence[Any]], Sequence[Any]],
    *,
    is_descending: bool,
    whole: QuerySet[Any] | None = None,
    is_few: bool = False,
    parts: Sequence[Part] | None = None,
    count_rows: Callable[[], int | None] | None = None,
    **page: Any,
) -> SimpleNamespace:
    """The root of a connection's type. ``together`` prepares the rows of the page;
    ``count_rows`` gives the total where it is not simply ``count``. For ``whole``,
    ``is_few`` and ``parts``: ``slice_rows``.
    """
    found = slice_rows(
        info,
        queryset,
        keys,
        is_descending=is_descending,
        whole=whole,
        is_few=is_few,
        parts=parts,
        limit=host.pagination_limit,
        **page,
    )

    def total_count() -> int | None:
        with host.reading(info.context):
            return count(queryset) if count_rows is None else count_rows()

    return SimpleNamespace(
        page_info=found.page_info,
        edges=[
            SimpleNamespace(node=row, cursor=cursor)
            for row, cursor in zip(together(found.rows), found.cursors, strict=True)
        ],
        total_count=total_count,
    )


def count(queryset: QuerySet[Any], order_by: Sequence[Any] = ()) -> int | None:
    """How many rows there are; None when there are more than is counted.

    ``order_by`` names the columns of an index to read them from, where PostgreSQL would
    else read the table, since it meets enough of them at its beginning.
    """
    counted = queryset.order_by(*order_by)[: COUNT_LIMIT + 1].count()
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
