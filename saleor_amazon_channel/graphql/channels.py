"""Whose orders somebody may see: those of the shop's channels they have access to.

As Saleor has it for its own orders: staff whose groups are restricted to channels find
only those in lists, and are refused what is about others; apps are not restricted. An
Amazon order is of the channel that its marketplace is mapped to. While there is none,
and of whole seller accounts, it is for those who have access to all channels.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import Q, QuerySet

from .. import models
from . import host as graphql_host

host = graphql_host.current()

_NOTHING = Q(pk__in=())


def visible(info: Any, using: str, *paths: str) -> Q:
    """Of rows with an account and Amazon's id of a marketplace, or which ``paths``
    (``order__``) lead to. Empty where all are."""
    channel_ids = host.accessible_channels(info.context)
    if channel_ids is None:
        return Q()
    by_account: dict[int, list[str]] = defaultdict(list)
    for account_id, marketplace_id in (
        models.Marketplace.objects.using(using)
        .filter(channel_id__in=channel_ids)
        .values_list("account_id", "marketplace_id")
    ):
        by_account[account_id].append(marketplace_id)
    found = _NOTHING
    for path in paths or ("",):
        for account_id, marketplace_ids in by_account.items():
            found |= Q(
                **{
                    f"{path}account": account_id,
                    f"{path}marketplace_id__in": marketplace_ids,
                }
            )
    return found


def require(info: Any, rows: QuerySet[Any], *paths: str) -> None:
    """Raises the host's PermissionDenied unless all of the rows are ``visible``."""
    condition = visible(info, rows.db, *paths)
    if condition and rows.filter(condition).count() < rows.count():
        raise host.channel_denied()


def has_all(info: Any) -> bool:
    """Whether whoever asks has access to all channels."""
    return host.accessible_channels(info.context) is None


def require_all(info: Any) -> None:
    """Raises the host's PermissionDenied unless they have: what is asked for is about
    a whole seller account."""
    if not has_all(info):
        raise host.channel_denied()
