"""Lists of Amazon orders: what can be filtered and sorted, and the page asked for.

Every sort order and filter has its index in ``models.ledger``; a filter that could
match few of very many rows must have one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from types import SimpleNamespace
from typing import Any

import graphene
from django.db.models import F, Max, Min, Q, QuerySet
from django.db.models.fields import (
    BigAutoField,
    CharField,
    DateTimeField,
    DecimalField,
)
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLError

from .. import clock, models
from ..amazon.orders import FulfilledBy, FulfillmentStatus
from ..ledger import buyer_search, groups
from ..models.ledger import (
    LATEST,
    SHIP_BY_OR_LATEST,
    TIME_TO_SHIP,
    TOTAL_OR_NOTHING,
)
from . import channels, ids, pagination
from . import host as graphql_host
from .enums import AmazonBlockerCode, AmazonImportState, AmazonOrderSortField
from .pagination import Part, SortKey
from .types import orders, together

host = graphql_host.current()

#: As many values as a filter may name; Saleor's limit for its own.
MAX_FILTER_VALUES = 100

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)

_CREATED = SortKey(F("created_time"), "created_time", DateTimeField())
_ID = SortKey(F("id"), "pk", BigAutoField())
SORT_KEYS: Mapping[str, Sequence[SortKey]] = {
    "created_at": (_CREATED, _ID),
    "number": (SortKey(F("amazon_order_id"), "amazon_order_id", CharField()),),
    "ship_by": (SortKey(SHIP_BY_OR_LATEST, "ship_by", DateTimeField(), LATEST), _ID),
    "status": (
        SortKey(F("fulfillment_status"), "fulfillment_status", CharField()),
        _CREATED,
        _ID,
    ),
    "total": (
        SortKey(F("currency"), "currency", CharField()),
        SortKey(
            TOTAL_OR_NOTHING,
            "grand_total",
            DecimalField(max_digits=20, decimal_places=3),
            Decimal(0),
        ),
        _ID,
    ),
}

#: The filter of a range of what orders are sorted by.
_RANGE_OF = {"created_at": "created", "ship_by": "ship_by", "total": "total"}

#: What is to be shipped within that, or should have been, may be late.
AT_RISK_BEFORE = timedelta(hours=24)


class AmazonTotalRangeInput(graphene.InputObjectType):
    currency = graphene.String(
        required=True, description="Of totals in this currency, for example `EUR`."
    )
    gte = host.PositiveDecimal(description="As much or more.")
    lte = host.PositiveDecimal(description="As much or less.")

    class Meta:
        description = "A range of amounts of a currency."


class AmazonDateTimeRangeInput(graphene.InputObjectType):
    gte = host.DateTime(description="At this time or after it.")
    lte = host.DateTime(description="At this time or before it.")

    class Meta:
        description = "A range of time."


def _values(type_: Any, description: str) -> graphene.InputField:
    return graphene.InputField(
        graphene.List(graphene.NonNull(type_)), description=description
    )


class AmazonOrderFilterInput(graphene.InputObjectType):
    created = graphene.InputField(
        AmazonDateTimeRangeInput,
        description="Filter by the time the buyer ordered on Amazon.",
    )
    ship_by = graphene.InputField(
        AmazonDateTimeRangeInput,
        description="Filter by the time by which the order must be shipped.",
    )
    is_at_risk = graphene.Boolean(
        description="Filter by whether the merchant has to ship something of it within "
        "24 hours, or should have."
    )
    total = graphene.InputField(
        AmazonTotalRangeInput, description="Filter by the grand total."
    )
    buyer = graphene.String(
        description="Filter by the buyer's name: by the beginnings of its words, of "
        "three letters or more, in any order."
    )
    amazon_order_ids = _values(graphene.String, "Filter by Amazon order IDs.")
    order_numbers = _values(
        graphene.String, "Filter by the numbers of the shop's orders."
    )
    accounts = _values(graphene.ID, "Filter by seller accounts.")
    marketplace_ids = _values(
        graphene.String, "Filter by Amazon's IDs of marketplaces."
    )
    fulfillment_status = _values(
        graphene.String, "Filter by Amazon's status, for example `UNSHIPPED`."
    )
    fulfilled_by = graphene.String(
        description="Filter by who ships the order: `MERCHANT` or `AMAZON`."
    )
    import_state = _values(
        AmazonImportState, "Filter by what has become of the order in the shop."
    )
    blocker_code = _values(
        AmazonBlockerCode, "Filter by what keeps the order out of the shop."
    )
    blocker_subject = _values(
        graphene.String, "Filter by what blocks it: seller SKUs, fields, amounts."
    )
    is_cancellation_requested = graphene.Boolean(
        description="Filter by whether the buyer asked Amazon to cancel the order."
    )
    replacement_of = _values(
        graphene.String,
        "Filter by the Amazon IDs of the orders that were replaced or exchanged.",
    )

    class Meta:
        description = "Filters of Amazon orders; an order must pass all that are given."


class AmazonOrderSortingInput(graphene.InputObjectType):
    direction = graphene.Argument(
        host.OrderDirection,
        required=True,
        description="Specifies the direction in which to sort Amazon orders.",
    )
    field = graphene.Argument(
        AmazonOrderSortField,
        required=True,
        description="Sort Amazon orders by the selected field.",
    )

    class Meta:
        description = "Specifies how to sort Amazon orders."


def _ship_by(value: Mapping[str, datetime | None]) -> Q:
    # As it is indexed.
    return in_range("ship_by_or_latest", value) & Q(ship_by__isnull=False)


def _is_at_risk(value: bool) -> Q:
    at_risk = Q(
        fulfilled_by=FulfilledBy.MERCHANT,
        fulfillment_status__in=(
            FulfillmentStatus.UNSHIPPED,
            FulfillmentStatus.PARTIALLY_SHIPPED,
        ),
        ship_by__lt=clock.now() + AT_RISK_BEFORE,
    )
    return at_risk if value else ~at_risk


def _total(value: Mapping[str, Any]) -> Q:
    q = Q(currency=value["currency"].strip().upper(), grand_total__isnull=False)
    return q & in_range("total_or_nothing", value)


def in_range(column: str, value: Mapping[str, Any]) -> Q:
    """From ``gte`` to ``lte``, where given; a time without a zone is UTC's."""
    q = Q()
    for bound in ("gte", "lte"):
        limit = _aware(value.get(bound))
        if limit is not None:
            q &= Q(**{f"{column}__{bound}": limit})
    return q


def _aware(limit: Any) -> Any:
    is_naive = isinstance(limit, datetime) and limit.tzinfo is None
    return limit.replace(tzinfo=UTC) if is_naive else limit


def _accounts(values: Sequence[str]) -> Q:
    try:
        return Q(account__in=[ids.own(value, "AmazonAccount") for value in values])
    except ids.InvalidIdError as error:
        raise GraphQLError(str(error)) from error


def _blocker_code(values: Sequence[str]) -> Q:
    # The state first: it has an index, and few orders are blocked.
    blocked = Q(import_state=models.AmazonOrder.ImportState.BLOCKED)
    codes = [Q(blockers__contains=[{"code": value}]) for value in values]
    return blocked & reduce(or_, codes) if codes else Q(pk__in=())


def _blocker_subject(values: Sequence[str]) -> Q:
    rows = models.OrderBlocker.objects.filter(subject__in=values)
    return Q(
        import_state=models.AmazonOrder.ImportState.BLOCKED, pk__in=rows.values("order")
    )


def _one_of(column: str) -> Callable[[Sequence[str]], Q]:
    return lambda values: Q(**{f"{column}__in": values})


_FILTERS: Mapping[str, Callable[[Any], Q]] = {
    "created": lambda value: in_range("created_time", value),
    "ship_by": _ship_by,
    "is_at_risk": _is_at_risk,
    "total": _total,
    # As people paste them.
    "amazon_order_ids": lambda values: Q(
        amazon_order_id__in=[value.strip() for value in values]
    ),
    "order_numbers": _one_of("shop_order_number"),
    "accounts": _accounts,
    "marketplace_ids": _one_of("marketplace_id"),
    "fulfillment_status": _one_of("fulfillment_status"),
    "fulfilled_by": lambda value: Q(fulfilled_by=value),
    "import_state": _one_of("import_state"),
    "blocker_code": _blocker_code,
    "blocker_subject": _blocker_subject,
    "is_cancellation_requested": lambda value: Q(is_cancellation_requested=value),
    "replacement_of": _one_of("replacement_of"),
}


#: Filters by what orders are grouped by, and its column.
_GROUP_COLUMNS = {
    "accounts": "account_id",
    "marketplace_ids": "marketplace_id",
    "fulfilled_by": "fulfilled_by",
    "fulfillment_status": "fulfillment_status",
    "import_state": "import_state",
}

#: Expressions that filters go by, as they are indexed.
_ALIASES: Mapping[str, Mapping[str, Any]] = {
    "ship_by": {"ship_by_or_latest": SHIP_BY_OR_LATEST},
    "total": {"total_or_nothing": TOTAL_OR_NOTHING},
}


def apply_filter(
    queryset: QuerySet[models.AmazonOrder], given: Mapping[str, Any]
) -> QuerySet[models.AmazonOrder]:
    """Filter by what is given; ``null`` is as good as not given."""
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, list) and len(value) > MAX_FILTER_VALUES:
            raise GraphQLError(
                f"A filter takes at most {MAX_FILTER_VALUES} values, not {len(value)}."
            )
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise GraphQLError(f"Filter `{to_camel_case(name)}` has a NUL character.")
        if name in _ALIASES:
            queryset = queryset.alias(**_ALIASES[name])
        if name == "buyer":
            condition = buyer_search.having(value, queryset.db)
        else:
            condition = _FILTERS[name](value)
        queryset = queryset.filter(condition)
    return queryset


def _time_to_ship(using: str) -> tuple[timedelta, timedelta] | None:
    """The shortest and the longest that any order has; None where none says."""
    found = models.AmazonOrder.objects.using(using).aggregate(
        shortest=Min(TIME_TO_SHIP), longest=Max(TIME_TO_SHIP)
    )
    shortest, longest = found["shortest"], found["longest"]
    return None if shortest is None else (shortest, longest)


def _narrowed(
    queryset: QuerySet[models.AmazonOrder], given: Mapping[str, Any]
) -> QuerySet[models.AmazonOrder]:
    """With what a range of ship-by times means for the time an order was placed, since
    orders are shipped soon after that.

    PostgreSQL takes the two for independent: it would look for the orders to be shipped
    in a month of last year among all that were placed since, the newest first.
    """
    ship_by = given.get("ship_by")
    known = _time_to_ship(queryset.db) if ship_by else None
    if not ship_by or known is None:
        return queryset
    shortest, longest = known
    placed = {"gte": ship_by.get("gte"), "lte": ship_by.get("lte")}
    try:
        if placed["gte"]:
            placed["gte"] -= longest
        if placed["lte"]:
            placed["lte"] -= shortest
    except OverflowError:
        # Amazon writes year 9999 for what never ends.
        return queryset
    return queryset.filter(in_range("created_time", placed))


def _parts(
    using: str, given: Mapping[str, Any], sorted_by: str
) -> Sequence[Part] | None:
    """For ``pagination.slice_rows``: where in the order many orders found are."""
    if sorted_by == "total" and given and "total" not in given:
        return _parts_by(using, "currency", given)
    if sorted_by == "status" and given.keys() & {"created", "ship_by"}:
        return _parts_by(using, "fulfillment_status", given)
    if sorted_by == "ship_by" and "created" in given and "ship_by" not in given:
        return _parts_by_ship_by(using, given["created"])
    return None


def _parts_by(using: str, column: str, given: Mapping[str, Any]) -> Sequence[Part]:
    """What orders found are sorted by first, and perhaps more."""
    wanted = {
        name: {value} if isinstance(value := given[filter_], str) else set(value)
        for filter_, name in _GROUP_COLUMNS.items()
        if filter_ in given
    }
    if "accounts" in given:
        wanted["account_id"] = {
            ids.own(value, "AmazonAccount") for value in given["accounts"]
        }
    return [Part(each, each) for each in groups.values(using, column, wanted)]


def _parts_by_ship_by(
    using: str, created: Mapping[str, datetime | None]
) -> Sequence[Part] | None:
    """What orders placed within a range are sorted by: its time and a little later, or
    none."""
    known = _time_to_ship(using)
    if known is None:
        return None
    lowest, highest = _FIRST, LATEST - timedelta.resolution
    try:
        if gte := _aware(created.get("gte")):
            lowest = gte + known[0]
        if lte := _aware(created.get("lte")):
            highest = min(highest, lte + known[1])
    except OverflowError:
        return None
    return [Part(lowest, highest), Part(LATEST, _LAST)]


def _are_few(
    total: Callable[[], int | None],
    given: Set[str],
    sorted_by: str,
    is_newest_page: bool,
) -> bool:
    """Whether to find all before sorting them: ``pagination.slice_rows``."""
    if not given or given == {_RANGE_OF.get(sorted_by)}:
        # The index that has them sorted has them together.
        return False
    # Buyers are known of late orders only.
    return ("buyer" in given and not is_newest_page) or total() is not None


#: Filters that nearly all orders pass; no index has them.
_COMMON = {"is_at_risk", "is_cancellation_requested"}


def _counted_by(given: Mapping[str, Any]) -> Sequence[Any]:
    """For ``pagination.count``: the columns of an index to count from; none where
    PostgreSQL finds one by what is given."""
    if "total" in given:
        return [key.expression for key in SORT_KEYS["total"]]
    if given and not any(given.get(name) is False for name in _COMMON):
        return ()
    if given.keys() & {"channels", *_GROUP_COLUMNS}:
        return groups.GROUPED_BY
    if "created" in given:
        return [key.expression for key in SORT_KEYS["created_at"]]
    return ("pk",) if given.keys() <= _COMMON else ()


def connection(
    info: Any,
    using: str,
    *,
    filter: Mapping[str, Any] | None = None,
    sort_by: Mapping[str, Any] | None = None,
    **page: Any,
) -> SimpleNamespace:
    """The root of ``AmazonOrderCountableConnection``; newest first if not sorted."""
    sort_by = sort_by or {"field": "created_at", "direction": "-"}
    mine = channels.visible(info, using)
    sorted_by, is_descending = sort_by["field"], sort_by["direction"] == "-"
    given = {name: value for name, value in (filter or {}).items() if value is not None}
    queryset = _narrowed(apply_filter(orders(using).filter(mine), given), given)
    if mine:
        given["channels"] = mine

    # Only where it is asked for, or decides how the orders are read.
    @cache
    def total() -> int | None:
        return pagination.count(queryset, _counted_by(given))

    is_newest_page = (
        sorted_by == "created_at"
        and is_descending
        and not any(page.get(name) for name in ("after", "before", "last"))
    )
    is_few = _are_few(total, given.keys(), sorted_by, is_newest_page)
    return pagination.connection(
        info,
        queryset,
        SORT_KEYS[sorted_by],
        together,
        is_descending=is_descending,
        whole=orders(using) if given else None,
        is_few=is_few,
        parts=None if is_few else _parts(using, given, sorted_by),
        count_rows=total,
        **page,
    )
