"""What blocks orders, counted by cause; looking again; which SKU is which variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene
from django.db import transaction
from django.db.models import Count, Min

from .. import models, store
from ..importing import importer, unmapped
from ..store.contract import BlockerCode
from . import channels, ids
from . import host as graphql_host
from .arguments import find_account, key_of, not_found
from .enums import AmazonBlockerCode, ErrorCode
from .errors import AmazonChannelError, refusal
from .ids import to_global
from .types import AmazonOrder, list_of, requires, together
from .types import orders as orders_of

host = graphql_host.current()

MAX_CAUSES = 200
MAX_AT_ONCE = 1000


class AmazonBlockerCause(graphene.ObjectType):
    code = AmazonBlockerCode(required=True, description="What kind of thing it is.")
    subject = graphene.String(
        required=True,
        description="What it is about: a seller SKU, a field of an address, an amount.",
    )
    message = graphene.String(
        required=True, description="What is wrong, and what to do about it."
    )
    order_count = graphene.Int(
        required=True, description="How many orders it keeps out of the shop."
    )
    account_id = graphene.ID(
        required=True, description="The ID of the orders' seller account."
    )
    marketplace_id = graphene.String(
        required=True, description="Amazon's ID of the orders' marketplace."
    )

    class Meta:
        description = (
            "A cause that keeps orders out of the shop. When it goes, they are "
            "imported by themselves within half a minute."
        )


class AmazonSkuMapping(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the mapping.")
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    seller_sku = graphene.String(required=True, description="The SKU on Amazon.")
    variant_id = graphene.ID(
        required=True, description="The ID of the shop's product variant."
    )
    variant_sku = graphene.String(description="The variant's SKU when it was mapped.")
    units = graphene.Int(
        required=True,
        description="How many units of the variant one unit on Amazon is.",
    )

    class Meta:
        description = "What a seller SKU is in the shop, where the SKUs differ."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_account_id(root: models.SkuMapping, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.account_id)

    @staticmethod
    def resolve_variant_id(root: models.SkuMapping, _info: Any) -> str | None:
        return to_global("ProductVariant", root.variant_id)

    @staticmethod
    def resolve_variant_sku(root: models.SkuMapping, _info: Any) -> str | None:
        return root.variant_sku or None


class BlockedQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_blockers = list_of(
        AmazonBlockerCause,
        requires(
            f"What keeps orders out of the shop, the {MAX_CAUSES} causes with the most "
            "orders first. Orders that are to be shipped and wait for a channel for "
            "their marketplace are among them (`NOT_MAPPED`).",
            host.MANAGE_ORDERS,
        ),
    )
    amazon_sku_mappings = list_of(
        AmazonSkuMapping,
        requires("What seller SKUs are in the shop, by SKU.", host.MANAGE_PLUGINS),
        account_id=graphene.Argument(
            graphene.ID, description="Only of this seller account."
        ),
        seller_skus=graphene.Argument(
            graphene.List(graphene.NonNull(graphene.String)),
            description="Only of these SKUs.",
        ),
    )

    @staticmethod
    def resolve_amazon_blockers(_root: Any, info: Any) -> list[Any]:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            mine = channels.visible(info, using)
            rows: list[Any] = list(
                models.OrderBlocker.objects.using(using)
                .filter(mine)
                .values("account_id", "marketplace_id", "code", "subject")
                .annotate(order_count=Count("order", distinct=True))
                .annotate(message=Min("message"))
                .order_by("-order_count", "code", "subject")[:MAX_CAUSES]
            )
            rows += [_not_mapped(each) for each in unmapped.read(using, mine)]
            rows.sort(key=lambda row: -row["order_count"])
            return [
                AmazonBlockerCause(
                    **{
                        **row,
                        "account_id": to_global("AmazonAccount", row["account_id"]),
                    }
                )
                for row in rows[:MAX_CAUSES]
            ]

    @staticmethod
    def resolve_amazon_sku_mappings(
        _root: Any,
        info: Any,
        account_id: str | None = None,
        seller_skus: Sequence[str] | None = None,
    ) -> list[models.SkuMapping]:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            rows = models.SkuMapping.objects.using(using).order_by("seller_sku", "pk")
            if account_id is not None:
                rows = rows.filter(
                    account_id=key_of(account_id, "AmazonAccount", "account_id")
                )
            if seller_skus is not None:
                rows = rows.filter(seller_sku__in=seller_skus)
            return list(rows[:MAX_AT_ONCE])


def _not_mapped(found: unmapped.Unmapped) -> dict[str, Any]:
    return {
        "account_id": found.account_id,
        "marketplace_id": found.marketplace_id,
        "code": BlockerCode.NOT_MAPPED,
        "subject": "",
        "order_count": found.order_count,
        "message": found.message,
    }


class AmazonOrderRetryImport(host.BaseMutation):  # type: ignore[name-defined]
    count = graphene.Int(description="How many of them are looked at again.")
    orders = list_of(AmazonOrder, "The named orders.", default_value=())

    class Arguments:
        ids = graphene.List(
            graphene.NonNull(graphene.ID),
            required=True,
            description=f"The IDs of up to {MAX_AT_ONCE} Amazon orders.",
        )

    class Meta:
        description = (
            "Lets the workers look again at blocked orders within seconds. They do so "
            "by themselves when what blocks an order has gone."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, ids: Sequence[str]) -> Any:
        if len(ids) > MAX_AT_ONCE:
            raise refusal(
                ErrorCode.INVALID,
                f"At most {MAX_AT_ONCE} orders at a time, not {len(ids)}.",
                "ids",
            )
        keys = [key_of(each, "AmazonOrder", "ids") for each in ids]
        rows = models.AmazonOrder.objects.filter(pk__in=keys)
        channels.require(info, rows)
        count = importer.retry(rows.values_list("amazon_order_id", flat=True))
        with host.reading(info.context) as using:
            return cls(
                count=count, orders=together(list(orders_of(using).filter(pk__in=keys)))
            )


class AmazonSkuMappingInput(graphene.InputObjectType):
    seller_sku = graphene.String(required=True, description="The SKU on Amazon.")
    variant_id = graphene.ID(
        required=True, description="The ID of the shop's product variant."
    )
    units = graphene.Int(
        default_value=1,
        description=(
            "How many units of the variant one unit on Amazon is: 3 for a pack of "
            "three."
        ),
    )

    class Meta:
        description = "What one seller SKU is in the shop."


class AmazonSkuMappingSet(host.BaseMutation):  # type: ignore[name-defined]
    mappings = list_of(AmazonSkuMapping, "The mappings.", default_value=())

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )
        input = graphene.List(
            graphene.NonNull(AmazonSkuMappingInput),
            required=True,
            description=f"Up to {MAX_AT_ONCE} mappings; those of a SKU are replaced.",
        )

    class Meta:
        description = (
            "Says which product variants seller SKUs are, and how many units of them. "
            "Orders that were blocked for it are imported next; imported ones stay as "
            "they are."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, _info: Any, /, *, account_id: str, input: Sequence[Any]
    ) -> Any:
        account = find_account(account_id)
        rows = _mappings(account, input)
        with transaction.atomic():
            models.SkuMapping.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["account", "seller_sku"],
                update_fields=["variant_id", "variant_sku", "units"],
            )
        skus = [row.seller_sku for row in rows]
        return cls(
            mappings=list(
                account.sku_mappings.filter(seller_sku__in=skus).order_by("seller_sku")
            )
        )


def _mappings(
    account: models.SellerAccount, given: Sequence[Any]
) -> list[models.SkuMapping]:
    if len(given) > MAX_AT_ONCE:
        raise refusal(
            ErrorCode.INVALID,
            f"At most {MAX_AT_ONCE} mappings at a time, not {len(given)}.",
            "input",
        )
    rows: dict[str, models.SkuMapping] = {}
    for each in given:
        sku = each["seller_sku"].strip()
        units = each.get("units") or 0
        if not sku or len(sku) > 255:
            raise refusal(
                ErrorCode.INVALID, "A SKU has 1 to 255 characters.", "seller_sku"
            )
        if not 1 <= units <= 10_000:
            raise refusal(
                ErrorCode.INVALID, f"{sku}: units must be from 1 to 10000.", "units"
            )
        rows[sku] = models.SkuMapping(
            account=account,
            seller_sku=sku,
            variant_id=ids.of_shop(each["variant_id"], "ProductVariant"),
            units=units,
        )
    names = store.current().variant_skus([row.variant_id for row in rows.values()])
    for row in rows.values():
        if row.variant_id not in names:
            raise refusal(
                ErrorCode.NOT_FOUND,
                f"{row.seller_sku}: the shop has no such product variant.",
                "variant_id",
            )
        row.variant_sku = names[row.variant_id]
    return list(rows.values())


class AmazonSkuMappingDelete(host.BaseMutation):  # type: ignore[name-defined]
    count = graphene.Int(description="How many were deleted.")

    class Arguments:
        ids = graphene.List(
            graphene.NonNull(graphene.ID),
            required=True,
            description="The IDs of the mappings.",
        )

    class Meta:
        description = "Deletes mappings of seller SKUs; imported orders stay."
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, _info: Any, /, *, ids: Sequence[str]) -> Any:
        keys = [key_of(each, "AmazonSkuMapping", "ids") for each in ids]
        count, _ = models.SkuMapping.objects.filter(pk__in=keys).delete()
        return cls(count=count)


class AmazonSkuRuleSet(host.BaseMutation):  # type: ignore[name-defined]
    prefix = graphene.String(description="The prefix that is left out.")
    suffix = graphene.String(description="The suffix that is left out.")

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )
        prefix = graphene.String(
            description="Left out of the beginning of a seller SKU; empty: nothing."
        )
        suffix = graphene.String(
            description="Left out of the end of a seller SKU; empty: nothing."
        )

    class Meta:
        description = (
            "Says what to leave out of a seller SKU that is neither mapped nor known "
            "to the shop, to find its variant."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls,
        _root: Any,
        _info: Any,
        /,
        *,
        account_id: str,
        prefix: str = "",
        suffix: str = "",
    ) -> Any:
        for name, value in (("prefix", prefix), ("suffix", suffix)):
            if len(value or "") > 50:
                raise refusal(
                    ErrorCode.INVALID, "At most 50 characters can be left out.", name
                )
        found = models.SellerAccount.objects.filter(
            pk=key_of(account_id, "AmazonAccount", "account_id")
        ).update(sku_prefix=prefix or "", sku_suffix=suffix or "")
        if not found:
            raise not_found(account_id, "account_id")
        return cls(prefix=prefix or "", suffix=suffix or "")


class BlockedMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_order_retry_import = AmazonOrderRetryImport.Field()
    amazon_sku_mapping_delete = AmazonSkuMappingDelete.Field()
    amazon_sku_mapping_set = AmazonSkuMappingSet.Field()
    amazon_sku_rule_set = AmazonSkuRuleSet.Field()
