"""What mutations are given by id: looked up, or refused in Saleor's words."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from .. import models
from . import channels, ids
from .enums import ErrorCode
from .errors import refusal

Row = TypeVar("Row", bound=Model)


def require_active_channel() -> None:
    """Raises a refusal while the channel is switched off."""
    if not models.ChannelSettings.load().active:
        raise refusal(
            ErrorCode.CHANNEL_INACTIVE,
            "The Amazon sales channel is switched off; switch the plugin on first.",
        )


def key_of(global_id: str, type_name: str, field: str = "id") -> int:
    """The primary key in an id of one of our types. Raises a refusal of ``field``."""
    try:
        return ids.own(global_id, type_name)
    except ids.InvalidIdError as error:
        raise refusal(ErrorCode.GRAPHQL_ERROR, str(error), field) from error


def find(rows: QuerySet[Row], global_id: str, type_name: str, field: str = "id") -> Row:
    """The one of ``rows`` with this id. Raises a refusal of ``field``."""
    row = rows.filter(pk=key_of(global_id, type_name, field)).first()
    if row is None:
        raise not_found(global_id, field)
    return row


def find_order(
    info: Any, global_id: str, rows: QuerySet[models.AmazonOrder] | None = None
) -> models.AmazonOrder:
    """The Amazon order with this id; just its Amazon order id is loaded, unless
    ``rows`` say otherwise. Raises a refusal, and the host's PermissionDenied."""
    if rows is None:
        rows = models.AmazonOrder.objects.only("amazon_order_id")
    order = find(rows, global_id, "AmazonOrder")
    channels.require(info, models.AmazonOrder.objects.filter(pk=order.pk))
    return order


def find_account(global_id: str, field: str = "account_id") -> models.SellerAccount:
    """Raises a refusal of ``field``."""
    return find(models.SellerAccount.objects.all(), global_id, "AmazonAccount", field)


def active_account(account_id: str) -> models.SellerAccount:
    """An account that works now. Raises a refusal."""
    account = find_account(account_id)
    if account.state != models.SellerAccount.State.ACTIVE:
        raise refusal(
            ErrorCode.INVALID,
            f"The account {account.name} is not active. {account.state_reason}".strip(),
            "account_id",
        )
    return account


def not_found(global_id: str, field: str) -> Exception:
    return refusal(
        ErrorCode.NOT_FOUND, f"Couldn't resolve to a node: {global_id}", field
    )
