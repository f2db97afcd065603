"""Mutations of Amazon orders whose effect is Amazon's: they write intents."""

from __future__ import annotations

from typing import Any

import graphene

from .. import lifecycle
from ..amazon.order_feeds import CancelReason
from . import host as graphql_host
from .arguments import find_order, require_active_channel
from .enums import AmazonCancelReason, ErrorCode
from .errors import AmazonChannelError, refusal
from .types import AmazonOrder, AmazonOutboxEntry
from .types import orders as orders_of

host = graphql_host.current()


class AmazonOrderCancel(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    outbox_entry = graphene.Field(
        AmazonOutboxEntry, description="What Amazon is told, and how far that has come."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        reason = AmazonCancelReason(
            required=True, description="Why the order is cancelled."
        )

    class Meta:
        description = (
            "Cancels an unshipped, merchant-fulfilled order on Amazon. The workers "
            "tell Amazon within minutes; once Amazon has cancelled it, the shop's "
            "order is cancelled too and its stock is released. Until then it cannot "
            "be shipped."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str, reason: str) -> Any:
        require_active_channel()
        known = find_order(info, id)
        try:
            entry = lifecycle.request_cancellation(
                known.amazon_order_id,
                CancelReason(reason),
                host.requestor_name(info.context),
            )
        except lifecycle.Refused as refused:
            raise refusal(
                ErrorCode.CANNOT_CANCEL_ORDER, str(refused), "id"
            ) from refused
        with host.reading(info.context) as using:
            return cls(
                amazon_order=orders_of(using).get(pk=known.pk), outbox_entry=entry
            )
