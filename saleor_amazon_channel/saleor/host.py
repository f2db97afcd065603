"""What our GraphQL layer takes from Saleor's schema: Saleor's own types and rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings as django_settings
from prices import Money as Price
from saleor.core.db.connection import allow_writer_in_context
from saleor.core.exceptions import PermissionDenied
from saleor.graphql.account.dataloaders import (
    AccessibleChannelsByUserIdLoader,
    RestrictedChannelAccessByUserIdLoader,
)
from saleor.graphql.core.context import get_database_connection_name
from saleor.graphql.core.enums import OrderDirection
from saleor.graphql.core.mutations import BaseMutation
from saleor.graphql.core.scalars import JSON, Date, DateTime, PositiveDecimal
from saleor.graphql.core.types import Money
from saleor.graphql.core.types.common import Error
from saleor.graphql.core.types.upload import Upload
from saleor.permission.enums import OrderPermissions, PluginsPermissions
from saleor.permission.utils import one_of_permissions_or_auth_filter_required

from ..graphql.host import Host, StaffRefund, StaffShipment

#: Saleor has more in them than type checkers know of.
settings: Any = django_settings


def _require(context: Any, permission: Any) -> None:
    if not one_of_permissions_or_auth_filter_required(context, [permission]):
        raise PermissionDenied(permissions=[permission])


def _accessible_channels(context: Any) -> Collection[str] | None:
    if context.app:
        return None
    if not context.user:
        return ()
    pk = context.user.pk
    if not RestrictedChannelAccessByUserIdLoader(context).load(pk).get():
        return None
    channels = AccessibleChannelsByUserIdLoader(context).load(pk).get()
    return {str(channel.pk) for channel in channels}


def _channel_denied() -> Exception:
    return PermissionDenied(message="You don't have access to some objects' channel.")


def _requestor_name(context: Any) -> str:
    if context.app:
        return str(context.app.name)
    return str(context.user.email) if context.user else ""


def _requestor_key(context: Any) -> str:
    return f"app {context.app.pk}" if context.app else f"user {context.user.pk}"


@contextmanager
def _reading(context: Any) -> Iterator[str]:
    with allow_writer_in_context(context):
        yield get_database_connection_name(context)


def _fulfil(context: Any, shipment: StaffShipment) -> str:
    from . import staff_actions  # With what few processes need.

    return staff_actions.fulfil(context, shipment)


def _request_refund(context: Any, refund: StaffRefund) -> str:
    from . import staff_actions

    return staff_actions.request_refund(context, refund)


def host() -> Host:
    return Host(
        Date=Date,
        DateTime=DateTime,
        PositiveDecimal=PositiveDecimal,
        JSON=JSON,
        Money=Money,
        Upload=Upload,
        OrderDirection=OrderDirection,
        Error=Error,
        BaseMutation=BaseMutation,
        MANAGE_ORDERS=OrderPermissions.MANAGE_ORDERS,
        MANAGE_PLUGINS=PluginsPermissions.MANAGE_PLUGINS,
        require=_require,
        accessible_channels=_accessible_channels,
        channel_denied=_channel_denied,
        requestor_name=_requestor_name,
        requestor_key=_requestor_key,
        reading=_reading,
        money=Price,
        fulfil=_fulfil,
        request_refund=_request_refund,
        pagination_limit=settings.GRAPHQL_PAGINATION_LIMIT,
    )
