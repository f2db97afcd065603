"""What the stand-alone shop has to sell, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from .models import Channel, Listing, ShippingMethod, Stock, Variant, Warehouse


@dataclass(frozen=True)
class Product:
    """A product of one variant, sold in ``channel_ids``; ``stock`` goes from warehouse
    id to units."""

    sku: str
    name: str
    channel_ids: Sequence[str]
    stock: Mapping[str, int]
    is_listed: bool = True
    is_published: bool = True
    tracks_inventory: bool = True


@transaction.atomic
def create_channel(
    slug: str,
    currency: str,
    *,
    warehouses: Sequence[str] = ("main",),
    shipping_methods: Sequence[str] = ("Standard",),
) -> Channel:
    """A channel with warehouses and shipping methods of these names, in this order."""
    channel = Channel.objects.create(slug=slug, currency=currency)
    for name in warehouses:
        channel.warehouses.add(Warehouse.objects.create(name=name))
    for name in shipping_methods:
        ShippingMethod.objects.create(name=name, channel=channel)
    return channel


@transaction.atomic
def create_products(products: Iterable[Product]) -> dict[str, str]:
    """Create them all; answer SKU → variant id."""
    products = list(products)
    variants = Variant.objects.bulk_create(
        Variant(sku=p.sku, name=p.name, tracks_inventory=p.tracks_inventory)
        for p in products
    )
    created = list(zip(products, variants, strict=True))
    Listing.objects.bulk_create(
        Listing(
            variant=variant,
            channel_id=int(channel_id),
            is_published=product.is_published,
            has_price=product.is_listed,
        )
        for product, variant in created
        for channel_id in product.channel_ids
    )
    Stock.objects.bulk_create(
        Stock(variant=variant, warehouse_id=int(warehouse_id), quantity=units)
        for product, variant in created
        for warehouse_id, units in product.stock.items()
    )
    return {variant.sku: str(variant.pk) for variant in variants}
