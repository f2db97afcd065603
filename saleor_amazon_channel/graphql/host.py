"""What the GraphQL layer needs from the schema it is put into.

The types, queries and mutations of this package are written once and live in two
schemas: Saleor's own and the stand-alone shop's. What belongs to the schema (scalars,
Money, the base of mutations, who asks and with which permissions) is named here and
supplied by ``saleor/host.py`` or ``standalone/host.py``. Graphene keeps types by name,
so a second DateTime or Money would clash with the host's.

The host must be installed before any other module of this package is imported, since
types are made at import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

#: What ``Host.fulfil`` says then: a package leaves one place.
SEVERAL_WAREHOUSES = (
    "The items lie in several warehouses, and a package leaves one: name the "
    "warehouse, or confirm what leaves each by itself."
)


@dataclass(frozen=True)
class StaffShipment:
    """What staff ship of an order in one package: the shop's line ids → its units.
    They leave ``warehouse_id`` or, where it is empty, the one they were promised in."""

    order_id: str
    lines: Mapping[str, int]
    warehouse_ids: Sequence[str]
    warehouse_id: str = ""
    tracking_number: str = ""
    carrier: str = ""


@dataclass(frozen=True)
class StaffRefund:
    """What staff want given back: an amount, or the shop's lines (line id → units) and
    the shipping costs, by default for all that they cost."""

    order_id: str
    amount: Decimal | None
    lines: Mapping[str, int]
    is_shipping_included: bool
    reason: str


class ActionRefused(Exception):
    """The shop does not do what staff want; the message says why."""


class NoHostError(RuntimeError):
    """The GraphQL types were imported before a host was installed."""


@dataclass(frozen=True)
class Host:
    """A schema's own building blocks; the names are Saleor's."""

    # Scalars and types, by the names they have in the schema.
    Date: Any
    DateTime: Any
    PositiveDecimal: Any
    JSON: Any
    #: Object type with ``currency`` and ``amount``; resolved from what ``money`` makes.
    Money: Any
    #: A file of a multipart request: its key in the context's ``FILES``.
    Upload: Any
    #: Enum whose members' values are "" (ASC) and "-" (DESC), as in Saleor.
    OrderDirection: Any

    #: Object type with ``field`` and ``message``: the base of every error type.
    Error: Any
    #: A ``graphene.Mutation`` that behaves like Saleor's ``BaseMutation``: ``Meta``
    #: takes ``description``, ``permissions`` (a tuple of the two below) and
    #: ``error_type_class``; it adds ``errors``, says the permissions in the
    #: description, checks them, calls ``perform_mutation(cls, root, info, /, **data)``
    #: with the writer open, and turns a Django ValidationError into ``errors``, with
    #: field names in camel case and each error's ``code``.
    BaseMutation: Any

    #: Permissions as the host's ``BaseMutation`` takes them; ``name`` is Saleor's.
    MANAGE_ORDERS: Enum
    MANAGE_PLUGINS: Enum

    #: Context, permission → None. Raises the host's PermissionDenied, as a top-level
    #: error, unless whoever asks (staff or app) has the permission.
    require: Callable[[Any, Enum], None]
    #: Context → the ids of the shop's channels that whoever asks has access to; None if
    #: to all.
    accessible_channels: Callable[[Any], Collection[str] | None]
    #: The host's PermissionDenied of what is of another channel.
    channel_denied: Callable[[], Exception]
    #: Context → who asks, as the shop names them: a staff user's e-mail, an app's name.
    requestor_name: Callable[[Any], str]
    #: Context → who asks, by key: "user 7", "app 3".
    requestor_key: Callable[[Any], str]
    #: Context → context manager around reads, giving the database alias to read from.
    #: Resolvers of a mutation's answer use it too.
    reading: Callable[[Any], AbstractContextManager[str]]
    #: Amount and currency → what ``Money`` resolves from.
    money: Callable[[Decimal, str], Any]
    #: Context, shipment → the fulfillment's id. Does in the shop, as whoever asks, what
    #: staff would do there, and is captured as that. Raises ActionRefused, with nothing
    #: changed, and the host's PermissionDenied.
    fulfil: Callable[[Any, StaffShipment], str]
    #: The same for a refund; the request's id, as ``Store.refund_requests`` has it.
    request_refund: Callable[[Any, StaffRefund], str]
    #: How many nodes of a connection one query may ask for.
    pagination_limit: int


_host: Host | None = None


def install(host: Host) -> None:
    """Make ``host`` the schema this process serves."""
    global _host
    _host = host


def current() -> Host:
    """The installed host. Raises NoHostError where there is none."""
    if _host is None:
        raise NoHostError(
            "Call graphql.host.install() before importing the GraphQL types."
        )
    return _host
