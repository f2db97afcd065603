"""Orders to be shipped that wait for nothing but a channel for their marketplace.

Amazon makes sellers take part in new marketplaces by itself, and a seller who maps one
may forget another: such orders are not blocked, and must not wait unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q

from ..amazon.orders import FulfilledBy, FulfillmentStatus
from ..models import AmazonOrder, Marketplace, SellerAccount

MESSAGE = (
    "The marketplace ({name}) has no channel, warehouse or shipping method. Choose "
    "them in its settings; the orders are then imported by themselves. If they are not "
    "to be, switch Import Amazon Orders off there."
)


@dataclass(frozen=True)
class Unmapped:
    """A marketplace, and how many orders wait for a channel for it."""

    account_id: int
    account_name: str
    marketplace_id: str
    message: str
    order_count: int


def read(using: str = "default", of: Q | None = None) -> Sequence[Unmapped]:
    """Where orders wait, by the account and marketplace; ``of`` narrows down which of
    the marketplaces are looked at."""
    marketplaces = {
        (row.account_id, row.marketplace_id): row
        for row in Marketplace.objects.using(using)
        .filter(of or Q(), import_orders=True)
        .exclude(account__state=SellerAccount.State.DISCONNECTED)
        .select_related("account")
        .defer(
            "account__lwa_client_id",
            "account__lwa_client_secret",
            "account__refresh_token",
        )
        if not row.is_mapped
    }
    if not marketplaces:
        return []
    waiting = (
        AmazonOrder.objects.using(using)
        .filter(
            Q(created_time__gte=F("account__import_from"))
            | Q(is_import_requested=True),
            marketplace_id__in={marketplace_id for _, marketplace_id in marketplaces},
            import_state=AmazonOrder.ImportState.WAITING,
            fulfilled_by=FulfilledBy.MERCHANT,
            fulfillment_status__in=(
                FulfillmentStatus.UNSHIPPED,
                FulfillmentStatus.PARTIALLY_SHIPPED,
            ),
        )
        .values_list("account_id", "marketplace_id")
        .annotate(Count("id"))
        .order_by("account_id", "marketplace_id")
    )
    return [
        Unmapped(
            account_id,
            found.account.name,
            marketplace_id,
            MESSAGE.format(name=found.info.name),
            count,
        )
        for account_id, marketplace_id, count in waiting
        if (found := marketplaces.get((account_id, marketplace_id)))
    ]
