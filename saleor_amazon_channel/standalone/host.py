"""The stand-alone shop's side of the GraphQL layer: plain graphene.

It behaves like Saleor where a client can tell, so that what is learned here holds
there: names, error shapes, permission messages, the scalars' forms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any

import graphene
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DEFAULT_DB_ALIAS
from graphene.types.generic import GenericScalar
from graphene.types.mutation import MutationOptions
from graphene.utils.str_converters import to_camel_case
from graphql.language import ast

from ..amazon.marketplaces import minor_unit
from ..graphql import host as graphql_host
from ..graphql.host import (
    SEVERAL_WAREHOUSES,
    ActionRefused,
    StaffRefund,
    StaffShipment,
)


@dataclass(frozen=True)
class Identity:
    """Who asks: a staff user or an app. The view puts it on ``request.identity``."""

    name: str
    permissions: frozenset[str] = frozenset()
    #: The ids of those they have access to; None if to all.
    channels: frozenset[str] | None = None


class Permission(Enum):
    MANAGE_ORDERS = "order.manage_orders"
    MANAGE_PLUGINS = "plugins.manage_plugins"


class PermissionDenied(Exception):
    """Nobody is logged in, or lacks the permission."""

    def __init__(self, permissions: Collection[Enum] = (), message: str = "") -> None:
        names = ", ".join(permission.name for permission in permissions)
        super().__init__(
            message
            or "To access this path, you need one of the following permissions: "
            + names
        )


def require(context: Any, permission: Enum) -> None:
    identity: Identity | None = getattr(context, "identity", None)
    if identity is None or permission.name not in identity.permissions:
        raise PermissionDenied([permission])


def accessible_channels(context: Any) -> Collection[str] | None:
    identity: Identity | None = getattr(context, "identity", None)
    return identity.channels if identity else ()


def channel_denied() -> PermissionDenied:
    return PermissionDenied(message="You don't have access to some objects' channel.")


def requestor_name(context: Any) -> str:
    identity: Identity | None = getattr(context, "identity", None)
    return identity.name if identity else ""


def requestor_key(context: Any) -> str:
    return f"user {requestor_name(context)}"


@contextmanager
def reading(context: Any) -> Iterator[str]:
    yield DEFAULT_DB_ALIAS


class Date(graphene.Date):
    """ISO 8601, as in Saleor."""


class DateTime(graphene.DateTime):
    """ISO 8601, as in Saleor."""


class PositiveDecimal(graphene.Float):
    """A decimal that is 0 or more."""

    @staticmethod
    def parse_value(value: Any) -> Decimal | None:
        try:
            parsed = Decimal(str(value))
        except InvalidOperation:
            return None
        return parsed if parsed.is_finite() and parsed >= 0 else None

    @staticmethod
    def parse_literal(node: Any) -> Decimal | None:
        if isinstance(node, ast.FloatValue | ast.IntValue):
            return PositiveDecimal.parse_value(node.value)
        return None


class JSON(GenericScalar):
    """Any JSON value."""


class Upload(graphene.Scalar):
    """A file of a multipart request, as in Saleor: its key among the parts."""

    @staticmethod
    def parse_value(value: Any) -> Any:
        return value

    parse_literal = serialize = parse_value


class OrderDirection(graphene.Enum):
    ASC = ""
    DESC = "-"


class Money(graphene.ObjectType):
    currency = graphene.String(description="Currency code.", required=True)
    amount = graphene.Float(description="Amount of money.", required=True)

    class Meta:
        description = "Represents amount of money in specific currency."


def money(amount: Decimal, currency: str) -> Money:
    return Money(amount=amount.quantize(minor_unit(currency)), currency=currency)


class Error(graphene.ObjectType):
    field = graphene.String(
        description=(
            "Name of a field that caused the error. A value of `null` indicates that "
            "the error isn't associated with a particular field."
        )
    )
    message = graphene.String(description="The error message.")

    class Meta:
        description = "Represents an error in the input of a mutation."


class BaseMutation(graphene.Mutation):
    """See ``graphql.host.Host.BaseMutation``."""

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(
        cls,
        description: str = "",
        permissions: tuple[Enum, ...] = (),
        error_type_class: Any = None,
        **options: Any,
    ) -> None:
        meta = MutationOptions(cls)
        meta.permissions = permissions
        meta.error_type_class = error_type_class
        names = ", ".join(permission.name for permission in permissions)
        super().__init_subclass_with_meta__(
            description=f"{description}\n\nRequires one of the following permissions: "
            f"{names}.",
            _meta=meta,
            **options,
        )
        cls._meta.fields["errors"] = graphene.Field(
            graphene.List(graphene.NonNull(error_type_class)),
            description="List of errors that occurred executing the mutation.",
            default_value=[],
            required=True,
        )

    @classmethod
    def mutate(cls, root: Any, info: Any, **data: Any) -> Any:
        for permission in cls._meta.permissions:
            require(info.context, permission)
        try:
            return cls.perform_mutation(root, info, **data)
        except ValidationError as error:
            return cls(errors=_typed(error, cls._meta.error_type_class))


def _typed(error: ValidationError, error_type: Any) -> list[Any]:
    by_field = (
        error.error_dict
        if hasattr(error, "error_dict")
        else {NON_FIELD_ERRORS: error.error_list}
    )
    return [
        error_type(
            field=None if field == NON_FIELD_ERRORS else to_camel_case(field),
            message=one.messages[0],
            code=one.code or "invalid",
        )
        for field, errors in by_field.items()
        for one in errors
    ]


def fulfil(context: Any, shipment: StaffShipment) -> str:
    from .. import lifecycle
    from . import models, staff

    promised = models.Allocation.objects.filter(line__in=list(shipment.lines))
    found = {str(pk) for pk in promised.values_list("stock__warehouse", flat=True)}
    warehouses = [shipment.warehouse_id] if shipment.warehouse_id else sorted(found)
    if len(warehouses) > 1:
        raise ActionRefused(SEVERAL_WAREHOUSES)
    try:
        package = staff.fulfil(
            shipment.order_id,
            shipment.lines,
            warehouse_id=(warehouses or list(shipment.warehouse_ids))[0],
            tracking_number=shipment.tracking_number,
            carrier=shipment.carrier,
            actor=requestor_name(context),
        )
    except (staff.Refused, lifecycle.Refused) as refused:
        raise ActionRefused(str(refused)) from refused
    return str(package.pk)


def request_refund(context: Any, refund: StaffRefund) -> str:
    from . import staff

    try:
        request = staff.request_refund(
            refund.order_id,
            refund.amount,
            refund.lines,
            with_shipping=refund.is_shipping_included,
            reason=refund.reason,
            actor=requestor_name(context),
        )
    except staff.Refused as refused:
        raise ActionRefused(str(refused)) from refused
    return str(request.pk)


def host() -> graphql_host.Host:
    return graphql_host.Host(
        Date=Date,
        DateTime=DateTime,
        PositiveDecimal=PositiveDecimal,
        JSON=JSON,
        Money=Money,
        Upload=Upload,
        OrderDirection=OrderDirection,
        Error=Error,
        BaseMutation=BaseMutation,
        MANAGE_ORDERS=Permission.MANAGE_ORDERS,
        MANAGE_PLUGINS=Permission.MANAGE_PLUGINS,
        require=require,
        accessible_channels=accessible_channels,
        channel_denied=channel_denied,
        requestor_name=requestor_name,
        requestor_key=requestor_key,
        reading=reading,
        money=money,
        fulfil=fulfil,
        request_refund=request_refund,
        pagination_limit=100,
    )


@lru_cache(maxsize=1)
def schema() -> graphene.Schema:
    """The stand-alone shop's whole schema."""
    graphql_host.install(host())
    from ..graphql import mutations, queries
    from .shop_schema import ShopMutations, ShopQueries

    query = type("Query", (queries.AmazonQueries, ShopQueries), {})
    mutation = type("Mutation", (mutations.AmazonMutations, ShopMutations), {})
    return graphene.Schema(query=query, mutation=mutation)
