"""The root queries."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import GraphQLError

from .. import models
from . import channels, ids, orders, pagination
from . import host as graphql_host
from .backfills import BackfillQueries
from .blocked import BlockedQueries
from .carriers import CarrierQueries
from .communication import CommunicationQueries
from .listings import ListingQueries
from .outbox import OutboxQueries
from .sales import SalesQueries
from .scheduler import SchedulerQueries
from .settings import SettingsQueries
from .shop import ShopQueries
from .types import (
    AmazonAccount,
    AmazonOrder,
    AmazonOrderCountableConnection,
    list_of,
    load_accounts,
    requires,
)
from .types import orders as orders_of

host = graphql_host.current()

#: For Saleor's cost limit: type → field → cost, as in its ``query_cost_map``.
COST_MAP: dict[str, dict[str, dict[str, Any]]] = {
    "Query": {
        "amazonAccounts": {"complexity": 1},
        "amazonListings": {"complexity": 1, "multipliers": ["first", "last"]},
        "amazonBackfills": {"complexity": 1},
        "amazonBlockers": {"complexity": 1},
        "amazonCarriers": {"complexity": 1},
        "amazonCommunicationLog": {
            "complexity": 1,
            "multipliers": ["first", "last"],
        },
        "amazonReconciliations": {"complexity": 1},
        "amazonSalesSummary": {"complexity": 1},
        "amazonScheduler": {"complexity": 1},
        "amazonSettings": {"complexity": 1},
        "amazonShopChannels": {"complexity": 1},
        "amazonSkuMappings": {"complexity": 1},
        "amazonOrder": {"complexity": 1},
        "amazonOutbox": {"complexity": 1, "multipliers": ["first", "last"]},
        "amazonOrders": {"complexity": 1, "multipliers": ["first", "last"]},
    },
    "AmazonOrder": {
        "items": {"complexity": 1},
        "packages": {"complexity": 1},
        "events": {"complexity": 1},
        "outboxEntries": {"complexity": 1},
        "invoices": {"complexity": 1},
    },
}


class AmazonQueries(
    BackfillQueries,
    BlockedQueries,
    CarrierQueries,
    CommunicationQueries,
    ListingQueries,
    OutboxQueries,
    SalesQueries,
    SchedulerQueries,
    SettingsQueries,
    ShopQueries,
    graphene.ObjectType,
):
    """Mixed into the host's Query."""

    amazon_accounts = list_of(
        AmazonAccount,
        requires("List of the connected seller accounts.", host.MANAGE_PLUGINS),
    )
    amazon_order = graphene.Field(
        AmazonOrder,
        description=requires(
            "Look up an Amazon order by its ID, Amazon's order ID or the ID of the "
            "shop's order.",
            host.MANAGE_ORDERS,
        ),
        id=graphene.Argument(graphene.ID, description="ID of an Amazon order."),
        amazon_order_id=graphene.Argument(
            graphene.String, description="Amazon's ID of the order."
        ),
        order_id=graphene.Argument(graphene.ID, description="ID of the shop's order."),
    )
    amazon_orders = graphene.Field(
        AmazonOrderCountableConnection,
        description=requires("List of Amazon orders.", host.MANAGE_ORDERS),
        filter=orders.AmazonOrderFilterInput(
            description="Filtering options for Amazon orders."
        ),
        sort_by=orders.AmazonOrderSortingInput(
            description="Sort Amazon orders. The newest come first if not given."
        ),
        **pagination.arguments(host.pagination_limit),
    )

    @staticmethod
    def resolve_amazon_accounts(_root: Any, info: Any) -> list[models.SellerAccount]:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            return load_accounts(using)

    @staticmethod
    def resolve_amazon_order(
        _root: Any, info: Any, **by: str | None
    ) -> models.AmazonOrder | None:
        host.require(info.context, host.MANAGE_ORDERS)
        given = {name: value for name, value in by.items() if value is not None}
        if len(given) != 1:
            raise GraphQLError(
                "Exactly one of the arguments is required: "
                "'id', 'amazonOrderId', 'orderId'."
            )
        ((name, value),) = given.items()
        with host.reading(info.context) as using:
            mine = channels.visible(info, using)
            return orders_of(using).filter(mine, **_lookup(name, value)).first()

    @staticmethod
    def resolve_amazon_orders(_root: Any, info: Any, **arguments: Any) -> Any:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            return orders.connection(info, using, **arguments)


def _lookup(name: str, value: str) -> dict[str, Any]:
    if name == "amazon_order_id":
        return {"amazon_order_id": value.strip()}
    if name == "order_id":
        return {"shop_order_id": ids.of_shop(value, "Order")}
    return {"pk": ids.asked_for(value, "AmazonOrder")}
