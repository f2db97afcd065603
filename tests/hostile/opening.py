"""A shop before the first order: its goods, three accounts and nine marketplaces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from contract.driver import StaffDriver
from saleor_amazon_channel import accounts
from saleor_amazon_channel.models import ChannelSettings, Marketplace, SkuMapping
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET
from saleor_amazon_channel.sandbox.catalogue import NO_STOCK_SKU, SKUS
from saleor_amazon_channel.sandbox.places import PLACES
from saleor_amazon_channel.store.contract import Channel

from .plan import PACKS

STOCK = 100_000


class Opened(NamedTuple):
    #: By marketplace id.
    channels: dict[str, Channel]
    #: SKU → variant id.
    variants: dict[str, str]


def open_shop(
    staff: StaffDriver,
    sandbox: Any,
    *,
    import_from: datetime,
    pull_interval_minutes: int | None = None,
) -> Opened:
    """Connect each account of the sandbox, and map those marketplaces that have seeds.

    Without ``pull_interval_minutes`` it is the default.
    """
    given = {"pull_interval_minutes": pull_interval_minutes}
    ChannelSettings.objects.update_or_create(
        id=1,
        defaults={"active": True, **(given if pull_interval_minutes else {})},
    )
    channels = {
        place.info.id: staff.create_channel(
            f"amazon-{place.country.lower()}",
            place.info.currency,
            country=place.country,
        )
        for place in PLACES.values()
    }
    variants = {sku: create_variant(staff, sku, channels, STOCK) for sku in SKUS}
    variants[NO_STOCK_SKU] = create_variant(staff, NO_STOCK_SKU, channels, 0)
    for account in sandbox.state.accounts.values():
        connected = accounts.connect(
            accounts.Connection(
                name=account.store_name,
                region=account.region,
                seller_id=account.seller_id,
                lwa_client_id=CLIENT_ID,
                lwa_client_secret=CLIENT_SECRET,
                refresh_token=account.refresh_token,
                import_from=import_from,
                endpoint=sandbox.url,
                lwa_endpoint=sandbox.lwa_url,
            )
        )
        SkuMapping.objects.bulk_create(
            SkuMapping(
                account=connected,
                seller_sku=pack,
                variant_id=variants[sku],
                variant_sku=sku,
                units=units,
            )
            for pack, (sku, units) in PACKS.items()
        )
        for row in Marketplace.objects.filter(account=connected):
            if row.marketplace_id in channels:
                _map(row, channels[row.marketplace_id])
    return Opened(channels, variants)


def create_variant(
    staff: StaffDriver, sku: str, channels: Mapping[str, Channel], units: int
) -> str:
    return staff.create_variant(
        sku,
        [channel.id for channel in channels.values()],
        stock={channel.warehouses[0].id: units for channel in channels.values()},
        name=sku,
    )


def _map(row: Marketplace, channel: Channel) -> None:
    accounts.update_marketplace(
        row,
        accounts.MarketplaceChanges(
            channel=channel.slug,
            warehouse_ids=[channel.warehouses[0].id],
            shipping_method_id=channel.shipping_methods[0].id,
            default_carrier_code="DHL",
        ),
    )
