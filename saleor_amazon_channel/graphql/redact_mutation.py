"""``amazonOrderRedact``: a buyer who asks to be forgotten is, at once."""

from __future__ import annotations

from typing import Any

import graphene

from .. import redaction
from . import host as graphql_host
from .arguments import find_order
from .enums import ErrorCode
from .errors import AmazonChannelError, refusal
from .types import AmazonOrder
from .types import orders as orders_of

host = graphql_host.current()


class AmazonOrderRedact(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        force = graphene.Boolean(
            description=(
                "Also of an order that is still to be shipped, and then cannot be."
            )
        )

    class Meta:
        description = (
            "Deletes at once what is known of the buyer of an Amazon order, here and "
            "in the shop's order, as it is in time by itself; also while the Amazon "
            "sales channel is switched off. It does not come back."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, id: str, force: bool | None = None
    ) -> Any:
        known = find_order(info, id)
        try:
            count = redaction.redact_named(
                [known.amazon_order_id],
                force=bool(force),
                actor=host.requestor_name(info.context),
            )
        except redaction.StillToBeShippedError as error:
            raise refusal(
                ErrorCode.NOT_SHIPPED,
                "The order is still to be shipped, which needs the buyer's address. "
                "Say force to delete it all the same.",
            ) from error
        if not count:
            raise refusal(
                ErrorCode.UNAVAILABLE,
                "The order was imported at this moment; nothing was deleted. Try "
                "again.",
            )
        with host.reading(info.context) as using:
            return cls(amazon_order=orders_of(using).get(pk=known.pk))
