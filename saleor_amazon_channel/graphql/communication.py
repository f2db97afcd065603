"""The log of what failed between Amazon and us; cleared as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import graphene
from django.db.models import F, Q
from django.db.models.fields import BigAutoField
from graphql import GraphQLError

from .. import models
from . import host as graphql_host
from . import ids, pagination
from .ids import to_global
from .orders import MAX_FILTER_VALUES, AmazonDateTimeRangeInput, in_range
from .pagination import SortKey
from .types import list_of, requires

host = graphql_host.current()

#: Keys rise with time, and one index serves both directions.
_NEWEST = (SortKey(F("id"), "pk", BigAutoField()),)


def _values(type_: Any, description: str) -> graphene.InputField:
    return graphene.InputField(
        graphene.List(graphene.NonNull(type_)), description=description
    )


class AmazonCommunicationFailure(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the failure.")
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    account_name = graphene.String(required=True, description="The account's name.")
    operation = graphene.String(
        required=True,
        description="What was done: the operation as Amazon's API names it, or the "
        "kind of what was sent.",
    )
    error_code = graphene.String(
        required=True, description="Amazon's code, or what kind of failure it was."
    )
    message = graphene.String(
        required=True, description="What went wrong, and what to do about it."
    )
    request_id = graphene.String(
        description="Amazon's ID of the request, which its support asks for."
    )
    amazon_order_id = graphene.String(
        description="Amazon's ID of the order, where it was about one."
    )
    created_at = host.DateTime(required=True, description="The time it failed.")

    class Meta:
        description = (
            "Something that failed between Amazon and the shop, and that trying again "
            "did not mend."
        )
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_account_id(root: models.CommunicationLog, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.account_id)

    @staticmethod
    def resolve_account_name(root: models.CommunicationLog, _info: Any) -> str:
        return root.account.name

    @staticmethod
    def resolve_request_id(root: models.CommunicationLog, _info: Any) -> str | None:
        return root.request_id or None

    @staticmethod
    def resolve_amazon_order_id(
        root: models.CommunicationLog, _info: Any
    ) -> str | None:
        return root.amazon_order_id or None


class AmazonCommunicationFailureCountableEdge(graphene.ObjectType):
    node = graphene.Field(
        AmazonCommunicationFailure,
        required=True,
        description="The item at the end of the edge.",
    )
    cursor = graphene.String(
        required=True, description="A cursor for use in pagination."
    )

    class Meta:
        description = "A failure, in a list."


class AmazonCommunicationFailureCountableConnection(graphene.ObjectType):
    page_info = graphene.Field(
        graphene.relay.PageInfo,
        required=True,
        description="Pagination data for this connection.",
    )
    edges = list_of(
        AmazonCommunicationFailureCountableEdge, "The failures of this page."
    )
    total_count = graphene.Int(
        description="A total count of items in the collection, up to "
        f"{pagination.COUNT_LIMIT:,}. `null` when there are more."
    )

    class Meta:
        description = "A list of failures."

    @staticmethod
    def resolve_total_count(root: Any, _info: Any) -> int | None:
        return root.total_count()


class AmazonCommunicationLogFilterInput(graphene.InputObjectType):
    accounts = _values(graphene.ID, "Filter by seller accounts.")
    operations = _values(graphene.String, "Filter by what was done.")
    error_codes = _values(graphene.String, "Filter by the error code.")
    amazon_order_ids = _values(graphene.String, "Filter by Amazon order IDs.")
    created = graphene.InputField(
        AmazonDateTimeRangeInput, description="Filter by the time it failed."
    )

    class Meta:
        description = "Filters of failures; one must pass all that are given."


_FILTERS: Mapping[str, Callable[[Any], Q]] = {
    "accounts": lambda values: Q(
        account__in=[ids.asked_for(each, "AmazonAccount") for each in values]
    ),
    "operations": lambda values: Q(operation__in=values),
    "error_codes": lambda values: Q(error_code__in=values),
    "amazon_order_ids": lambda values: Q(amazon_order_id__in=values),
    "created": lambda value: in_range("created_at", value),
}


class CommunicationQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_communication_log = graphene.Field(
        AmazonCommunicationFailureCountableConnection,
        description=requires(
            "What failed between Amazon and the shop, the latest first. It is cleared "
            "as `amazonSettings` say.",
            host.MANAGE_PLUGINS,
        ),
        filter=AmazonCommunicationLogFilterInput(description="Filtering options."),
        **pagination.arguments(host.pagination_limit),
    )

    @staticmethod
    def resolve_amazon_communication_log(
        _root: Any, info: Any, filter: Mapping[str, Any] | None = None, **page: Any
    ) -> Any:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            return _connection(info, using, filter or {}, page)


def _connection(
    info: Any, using: str, given: Mapping[str, Any], page: Mapping[str, Any]
) -> SimpleNamespace:
    queryset = models.CommunicationLog.objects.using(using).all()
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, list) and len(value) > MAX_FILTER_VALUES:
            raise GraphQLError(
                f"A filter takes at most {MAX_FILTER_VALUES} values, not {len(value)}."
            )
        queryset = queryset.filter(_FILTERS[name](value))
    return pagination.connection(
        info,
        queryset,
        _NEWEST,
        lambda rows: _with_accounts(rows, using),
        is_descending=True,
        **page,
    )


def _with_accounts(
    rows: Sequence[models.CommunicationLog], using: str
) -> Sequence[models.CommunicationLog]:
    """With their accounts, read at once, and without the accounts' secrets."""
    accounts = models.SellerAccount.objects.using(using).only("name")
    found = accounts.in_bulk({row.account_id for row in rows})
    for row in rows:
        row.account = found[row.account_id]
    return rows
