"""Refunds on Amazon, as a part of an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene
from django.db.models import Prefetch

from .. import models
from . import host as graphql_host
from .enums import AmazonRefundState, AmazonRefundStatus

host = graphql_host.current()


def load(row: Any, peers: Sequence[Any], info: Any) -> list[models.AmazonRefund]:
    """Those of an order, read for all orders of its page by the first that asks."""
    if not hasattr(row, "refunds"):
        for peer in peers:
            peer.refunds = []
        by_id = {peer.amazon_order_id: peer for peer in peers}
        with host.reading(info.context) as using:
            amounts = models.AmazonRefundAmount.objects.using(using)
            for refund in (
                models.AmazonRefund.objects.using(using)
                .filter(amazon_order_id__in=by_id)
                .defer("payload")
                .prefetch_related(Prefetch("amounts", amounts))
                .order_by("posted_at", "pk")
            ):
                order = by_id[refund.amazon_order_id]
                if order.account_id == refund.account_id:
                    order.refunds.append(refund)
    found: list[models.AmazonRefund] = row.refunds
    return found


class AmazonRefundAmount(graphene.ObjectType):
    order_item_id = graphene.String(
        description=(
            "Amazon's ID of the order item. `null` where Amazon does not tell it: then "
            "the amount is the order's as a whole."
        )
    )
    seller_sku = graphene.String(
        description="The seller's SKU that Amazon names in the refund."
    )
    component = graphene.String(
        required=True,
        description=(
            "What the amount is for, in the names of Amazon's payment adjustments: "
            "`Principal`, `Tax`, `Shipping`, `ShippingTax`, `GiftWrap`, `Goodwill`, "
            "`RestockingFee` and so on. Promotions are taken off."
        ),
    )
    amount = graphene.Field(
        host.Money,
        required=True,
        description="What the buyer got. Negative for fees that the seller keeps.",
    )

    class Meta:
        description = "What a refund gives of one component of an order item."

    @staticmethod
    def resolve_order_item_id(
        root: models.AmazonRefundAmount, _info: Any
    ) -> str | None:
        return root.order_item_id or None

    @staticmethod
    def resolve_seller_sku(root: models.AmazonRefundAmount, _info: Any) -> str | None:
        return root.seller_sku or None

    @staticmethod
    def resolve_amount(root: models.AmazonRefundAmount, _info: Any) -> Any:
        return host.money(root.amount, root.refund.currency)


class AmazonRefund(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the refund.")
    transaction_id = graphene.String(
        required=True,
        description=(
            "Amazon's ID of the transaction that told of it first. The event of the "
            "shop's transaction has it as its `pspReference`."
        ),
    )
    refund_id = graphene.String(description="Amazon's ID of the refund.")
    posted_at = host.DateTime(
        required=True, description="The time Amazon posted the refund."
    )
    status = AmazonRefundStatus(
        required=True, description="Whether Amazon has settled it with the seller."
    )
    state = AmazonRefundState(
        required=True, description="What has become of the refund in the shop."
    )
    amount = graphene.Field(
        host.Money, description="What the buyer got back, all in all."
    )
    amount_in_shop = graphene.Field(
        host.Money, description="What of the amount the shop's order has."
    )
    note = graphene.String(description="What a person should know of it.")
    amounts = graphene.Field(
        graphene.List(graphene.NonNull(AmazonRefundAmount)),
        required=True,
        description="The amount by order item and component.",
    )

    class Meta:
        description = "Money that the buyer of an Amazon order got back."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_refund_id(root: models.AmazonRefund, _info: Any) -> str | None:
        return root.refund_id or None

    @staticmethod
    def resolve_amount(root: models.AmazonRefund, _info: Any) -> Any:
        return host.money(root.amount, root.currency) if root.currency else None

    @staticmethod
    def resolve_amount_in_shop(root: models.AmazonRefund, _info: Any) -> Any:
        return host.money(root.amount_in_shop, root.currency) if root.currency else None

    @staticmethod
    def resolve_note(root: models.AmazonRefund, _info: Any) -> str | None:
        return root.note or None

    @staticmethod
    def resolve_amounts(
        root: models.AmazonRefund, _info: Any
    ) -> Sequence[models.AmazonRefundAmount]:
        return list(root.amounts.all())
