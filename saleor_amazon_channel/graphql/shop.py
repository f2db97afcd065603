"""What a marketplace can be mapped to: the shop's channels with what they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene

from .. import store
from ..store import contract
from . import host as graphql_host
from .ids import to_global
from .types import list_of, requires

host = graphql_host.current()


class AmazonShopWarehouse(graphene.ObjectType):
    id = graphene.ID(required=True, description="The ID of the shop's warehouse.")
    name = graphene.String(required=True, description="The name of the warehouse.")

    class Meta:
        description = "A warehouse of the shop."

    @staticmethod
    def resolve_id(root: contract.Warehouse, _info: Any) -> str | None:
        return to_global("Warehouse", root.id)


class AmazonShopShippingMethod(graphene.ObjectType):
    id = graphene.ID(required=True, description="The ID of the shop's shipping method.")
    name = graphene.String(required=True, description="The name of the method.")

    class Meta:
        description = "A shipping method of the shop."

    @staticmethod
    def resolve_id(root: contract.ShippingMethod, _info: Any) -> str | None:
        return to_global("ShippingMethodType", root.id)


class AmazonShopChannel(graphene.ObjectType):
    id = graphene.ID(required=True, description="The ID of the shop's channel.")
    slug = graphene.String(required=True, description="The slug of the channel.")
    currency = graphene.String(
        required=True, description="The currency of the channel."
    )
    warehouses = list_of(
        AmazonShopWarehouse, "The warehouses that are assigned to the channel."
    )
    shipping_methods = list_of(
        AmazonShopShippingMethod, "The shipping methods that the channel has."
    )

    class Meta:
        description = (
            "A channel of the shop, which the orders of a marketplace of the same "
            "currency can be created in."
        )

    @staticmethod
    def resolve_id(root: contract.Channel, _info: Any) -> str | None:
        return to_global("Channel", root.id)


class ShopQueries(graphene.ObjectType):
    amazon_shop_channels = list_of(
        AmazonShopChannel,
        requires(
            "The shop's channels, with what a marketplace can be mapped to.",
            host.MANAGE_PLUGINS,
        ),
    )

    @staticmethod
    def resolve_amazon_shop_channels(
        _root: Any, info: Any
    ) -> Sequence[contract.Channel]:
        host.require(info.context, host.MANAGE_PLUGINS)
        # The store reads where it writes, also what a query asks for.
        with store.writer():
            return store.current().channels()
