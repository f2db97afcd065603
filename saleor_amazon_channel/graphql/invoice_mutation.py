"""``amazonInvoicePush``: an invoice that did not get to Amazon goes again."""

from __future__ import annotations

from typing import Any

import graphene

from .. import models
from ..invoicing import record
from . import channels
from . import host as graphql_host
from .arguments import find, require_active_channel
from .enums import ErrorCode
from .errors import AmazonChannelError, refusal
from .types import AmazonOrder, AmazonOutboxEntry
from .types import orders as orders_of

host = graphql_host.current()


class AmazonInvoicePush(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")
    outbox_entry = graphene.Field(
        AmazonOutboxEntry, description="The invoice on its way, and how far it is."
    )

    class Arguments:
        id = graphene.ID(
            required=True, description="The ID of the invoice (`AmazonInvoice`)."
        )

    class Meta:
        description = (
            "Sends an invoice, or a credit note, to Amazon that did not get there. "
            "Invoices go by themselves once the order is shipped, credit notes once "
            "Amazon's Invoice Data Report has the refund; what Amazon has is never "
            "sent again."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str) -> Any:
        require_active_channel()
        invoice = find(
            models.OrderInvoice.objects.select_related("order"), id, "AmazonInvoice"
        )
        channels.require(info, models.AmazonOrder.objects.filter(pk=invoice.order_id))
        try:
            entry = record.push_again(invoice, host.requestor_name(info.context))
        except record.PushRefused as refused:
            raise refusal(ErrorCode.INVALID, str(refused), "id") from refused
        with host.reading(info.context) as using:
            order = orders_of(using).get(pk=invoice.order_id)
            return cls(amazon_order=order, outbox_entry=entry)
