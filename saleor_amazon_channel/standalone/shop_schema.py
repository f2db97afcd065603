"""What the pages use of Saleor's own schema, in the stand-alone shop's.

Names, shapes and permissions are Saleor's; there is no more than the pages ask for.
"""

from __future__ import annotations

from typing import Any

import graphene
from graphene.relay import Node

from . import host
from .models import Variant

#: What a staff user keeps about themselves: name → key → value. The shop knows people
#: for one run only, and so it does their metadata.
_METADATA: dict[str, dict[str, str]] = {}


class User(graphene.ObjectType):
    id = graphene.ID(required=True)
    metafield = graphene.String(key=graphene.String(required=True))

    @staticmethod
    def resolve_id(root: host.Identity, _info: Any) -> str:
        return str(Node.to_global_id("User", root.name))

    @staticmethod
    def resolve_metafield(root: host.Identity, _info: Any, key: str) -> str | None:
        return _METADATA.get(root.name, {}).get(key)


class ProductVariant(graphene.ObjectType):
    id = graphene.ID(required=True)
    sku = graphene.String()
    name = graphene.String(required=True)

    @staticmethod
    def resolve_id(root: Variant, _info: Any) -> str:
        return str(Node.to_global_id("ProductVariant", root.pk))


class ShopQueries:
    me = graphene.Field(User)
    product_variant = graphene.Field(ProductVariant, sku=graphene.String())

    @staticmethod
    def resolve_me(_root: Any, info: Any) -> host.Identity | None:
        return getattr(info.context, "identity", None)

    @staticmethod
    def resolve_product_variant(_root: Any, info: Any, sku: str) -> Variant | None:
        host.require(info.context, host.Permission.MANAGE_ORDERS)
        return Variant.objects.filter(sku=sku).first()


class MetadataInput(graphene.InputObjectType):
    key = graphene.String(required=True)
    value = graphene.String(required=True)


class AccountInput(graphene.InputObjectType):
    metadata = graphene.List(graphene.NonNull(MetadataInput))


class AccountUpdate(graphene.Mutation):
    class Arguments:
        input = AccountInput(required=True)

    user = graphene.Field(User)
    errors = graphene.List(graphene.NonNull(host.Error), required=True)

    @staticmethod
    def mutate(_root: Any, info: Any, input: Any) -> AccountUpdate:
        identity: host.Identity | None = getattr(info.context, "identity", None)
        if identity is None:
            raise host.PermissionDenied(())
        for entry in input.get("metadata") or ():
            _METADATA.setdefault(identity.name, {})[entry.key] = entry.value
        return AccountUpdate(user=identity, errors=[])


class ShopMutations:
    account_update = AccountUpdate.Field()
