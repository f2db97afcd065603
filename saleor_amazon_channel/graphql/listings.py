"""What the seller lists on Amazon, and how many of it Amazon was told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphene
from django.db.models import F
from django.db.models.fields import BigAutoField, CharField
from graphql import GraphQLError

from .. import models
from . import channels, ids, pagination
from . import host as graphql_host
from .enums import AmazonListingState
from .orders import MAX_FILTER_VALUES
from .pagination import SortKey
from .types import AmazonListing, list_of, requires

host = graphql_host.current()

_BY_SKU = (
    SortKey(F("seller_sku"), "seller_sku", CharField()),
    SortKey(F("id"), "pk", BigAutoField()),
)


def _values(type_: Any, description: str) -> graphene.InputField:
    return graphene.InputField(
        graphene.List(graphene.NonNull(type_)), description=description
    )


class AmazonListingFilterInput(graphene.InputObjectType):
    states = _values(AmazonListingState, "Filter by what becomes of their stock.")
    accounts = _values(graphene.ID, "Filter by seller accounts.")
    marketplace_ids = _values(
        graphene.String, "Filter by Amazon's IDs of marketplaces."
    )
    seller_skus = _values(graphene.String, "Filter by SKUs on Amazon.")

    class Meta:
        description = "Filters of what the seller lists; all that are given must fit."


class AmazonListingCountableEdge(graphene.ObjectType):
    node = graphene.Field(
        AmazonListing, required=True, description="The item at the end of the edge."
    )
    cursor = graphene.String(
        required=True, description="A cursor for use in pagination."
    )

    class Meta:
        description = "A listing, in a list."


class AmazonListingCountableConnection(graphene.ObjectType):
    page_info = graphene.Field(
        graphene.relay.PageInfo,
        required=True,
        description="Pagination data for this connection.",
    )
    edges = list_of(AmazonListingCountableEdge, "The listings of this page.")
    total_count = graphene.Int(
        description="A total count of items in the collection, up to "
        f"{pagination.COUNT_LIMIT:,}. `null` when there are more."
    )

    class Meta:
        description = "A list of what the seller lists on Amazon."

    @staticmethod
    def resolve_total_count(root: Any, _info: Any) -> int | None:
        return root.total_count()


class ListingQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_listings = graphene.Field(
        AmazonListingCountableConnection,
        description=requires(
            "What the seller lists in marketplaces that are told of the shop's stock, "
            "by SKU. Read from Amazon every few minutes.",
            host.MANAGE_ORDERS,
        ),
        filter=AmazonListingFilterInput(description="Filtering options."),
        **pagination.arguments(host.pagination_limit),
    )

    @staticmethod
    def resolve_amazon_listings(
        _root: Any, info: Any, filter: Mapping[str, Any] | None = None, **page: Any
    ) -> Any:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            queryset = models.AmazonListing.objects.using(using).filter(
                channels.visible(info, using)
            )
            for name, values in (filter or {}).items():
                if values is not None:
                    queryset = queryset.filter(**{_COLUMNS[name]: _own(name, values)})
            return pagination.connection(
                info,
                queryset,
                _BY_SKU,
                lambda rows: rows,
                is_descending=False,
                **page,
            )


_COLUMNS = {
    "states": "state__in",
    "accounts": "account__in",
    "marketplace_ids": "marketplace_id__in",
    "seller_skus": "seller_sku__in",
}


def _own(name: str, values: list[Any]) -> list[Any]:
    if len(values) > MAX_FILTER_VALUES:
        raise GraphQLError(
            f"A filter takes at most {MAX_FILTER_VALUES} values, not {len(values)}."
        )
    if name != "accounts":
        return values
    return [ids.asked_for(each, "AmazonAccount") for each in values]
