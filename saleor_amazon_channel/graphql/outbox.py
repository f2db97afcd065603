"""What is to be told to Amazon: the list of it, and what staff can do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import graphene
from django.db.models import F
from django.db.models.fields import BigAutoField
from graphql import GraphQLError

from .. import models
from ..pushing import by_hand
from . import channels, ids, pagination
from . import host as graphql_host
from .arguments import key_of, not_found
from .enums import AmazonOutboxKind, AmazonOutboxState, ErrorCode
from .errors import AmazonChannelError, refusal
from .orders import MAX_FILTER_VALUES
from .pagination import SortKey
from .types import AmazonOutboxEntry, entries_together, list_of, requires
from .types import orders as orders_of

host = graphql_host.current()

MAX_AT_ONCE = 100
#: Keys rise with time, and one index serves both directions.
_NEWEST = (SortKey(F("id"), "pk", BigAutoField()),)


def _values(type_: Any, description: str) -> graphene.InputField:
    return graphene.InputField(
        graphene.List(graphene.NonNull(type_)), description=description
    )


class AmazonOutboxFilterInput(graphene.InputObjectType):
    states = _values(AmazonOutboxState, "Filter by how far they have come.")
    kinds = _values(AmazonOutboxKind, "Filter by what is told.")
    accounts = _values(graphene.ID, "Filter by seller accounts.")
    amazon_order_ids = _values(graphene.String, "Filter by Amazon order IDs.")

    class Meta:
        description = "Filters of what is told to Amazon; all that are given must fit."


class AmazonOutboxEntryCountableEdge(graphene.ObjectType):
    node = graphene.Field(
        AmazonOutboxEntry, required=True, description="The item at the end of the edge."
    )
    cursor = graphene.String(
        required=True, description="A cursor for use in pagination."
    )

    class Meta:
        description = "Something that is told to Amazon, in a list."


class AmazonOutboxEntryCountableConnection(graphene.ObjectType):
    page_info = graphene.Field(
        graphene.relay.PageInfo,
        required=True,
        description="Pagination data for this connection.",
    )
    edges = list_of(AmazonOutboxEntryCountableEdge, "The entries of this page.")
    total_count = graphene.Int(
        description="A total count of items in the collection, up to "
        f"{pagination.COUNT_LIMIT:,}. `null` when there are more."
    )

    class Meta:
        description = "A list of what is told to Amazon."

    @staticmethod
    def resolve_total_count(root: Any, _info: Any) -> int | None:
        return root.total_count()


class OutboxQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_outbox = graphene.Field(
        AmazonOutboxEntryCountableConnection,
        description=requires(
            "What is told to Amazon, was, or could not be; the newest first.",
            host.MANAGE_ORDERS,
        ),
        filter=AmazonOutboxFilterInput(description="Filtering options."),
        **pagination.arguments(host.pagination_limit),
    )

    @staticmethod
    def resolve_amazon_outbox(
        _root: Any, info: Any, filter: Mapping[str, Any] | None = None, **page: Any
    ) -> Any:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            return _connection(info, using, filter or {}, page)


#: To what an entry is about.
_PATHS = ("order__", "listing__")

_COLUMNS = {
    "states": "state__in",
    "kinds": "kind__in",
    "accounts": "account__in",
    "amazon_order_ids": "order__amazon_order_id__in",
}


def _connection(
    info: Any, using: str, given: Mapping[str, Any], page: Mapping[str, Any]
) -> SimpleNamespace:
    queryset = models.OutboxEntry.objects.using(using).filter(
        channels.visible(info, using, *_PATHS)
    )
    for name, values in given.items():
        if values is None:
            continue
        if len(values) > MAX_FILTER_VALUES:
            raise GraphQLError(
                f"A filter takes at most {MAX_FILTER_VALUES} values, not {len(values)}."
            )
        if name == "accounts":
            values = [_own(each, "AmazonAccount") for each in values]
        queryset = queryset.filter(**{_COLUMNS[name]: values})
    return pagination.connection(
        info,
        queryset,
        _NEWEST,
        lambda rows: _with_orders(rows, using),
        is_descending=True,
        **page,
    )


def _with_orders(
    rows: Sequence[models.OutboxEntry], using: str
) -> Sequence[models.OutboxEntry]:
    """With their orders and listings, read at once, as the types need them."""
    found = {
        order.pk: order
        for order in orders_of(using).filter(pk__in={row.order_id for row in rows})
    }
    listings = models.AmazonListing.objects.using(using).in_bulk(
        {row.listing_id for row in rows if row.listing_id}
    )
    for row in rows:
        if row.order_id:
            row.order = found[row.order_id]
        if row.listing_id:
            row.listing = listings[row.listing_id]
    return entries_together(rows)


def _own(global_id: str, type_name: str) -> int:
    try:
        return ids.own(global_id, type_name)
    except ids.InvalidIdError as error:
        raise GraphQLError(str(error)) from error


def _by_hand(
    info: Any, given: Sequence[str], what: Callable[[Sequence[int], str], None]
) -> Sequence[models.OutboxEntry]:
    """Do ``what`` with the named entries; the entries afterwards."""
    if len(given) > MAX_AT_ONCE:
        raise refusal(
            ErrorCode.INVALID,
            f"At most {MAX_AT_ONCE} entries at a time, not {len(given)}.",
            "ids",
        )
    pks = [key_of(each, "AmazonOutboxEntry", "ids") for each in given]
    known = set(
        models.OutboxEntry.objects.filter(pk__in=pks).values_list("pk", flat=True)
    )
    for global_id, pk in zip(given, pks, strict=True):
        if pk not in known:
            raise not_found(global_id, "ids")
    channels.require(info, models.OutboxEntry.objects.filter(pk__in=pks), *_PATHS)
    try:
        what(pks, host.requestor_name(info.context))
    except by_hand.NotPossible as error:
        raise refusal(ErrorCode.INVALID, str(error), "ids") from error
    with host.reading(info.context) as using:
        rows = models.OutboxEntry.objects.using(using).filter(pk__in=pks)
        return _with_orders(list(rows.order_by("pk")), using)


_IDS = graphene.List(
    graphene.NonNull(graphene.ID),
    required=True,
    description=f"The IDs of up to {MAX_AT_ONCE} entries.",
)


class AmazonOutboxRetry(host.BaseMutation):  # type: ignore[name-defined]
    entries = list_of(AmazonOutboxEntry, "The entries.", default_value=())

    class Arguments:
        ids = _IDS

    class Meta:
        description = (
            "Tries again at once what failed or waits. What may have arrived is looked "
            "for on Amazon first. A cancellation is asked for anew instead."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, ids: Sequence[str]) -> Any:
        return cls(entries=_by_hand(info, ids, by_hand.retry))


class AmazonOutboxDiscard(host.BaseMutation):  # type: ignore[name-defined]
    entries = list_of(AmazonOutboxEntry, "The entries.", default_value=())

    class Arguments:
        ids = _IDS

    class Meta:
        description = (
            "Gives up what was not sent yet; the orders say so. Amazon never hears of "
            "it: what it was about is to be done in Seller Central, if at all."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, ids: Sequence[str]) -> Any:
        return cls(entries=_by_hand(info, ids, by_hand.discard))


class OutboxMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_outbox_discard = AmazonOutboxDiscard.Field()
    amazon_outbox_retry = AmazonOutboxRetry.Field()
