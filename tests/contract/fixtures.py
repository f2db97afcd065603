"""What the contract's tests share: a channel in Germany and goods in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.db import transaction

from contract.drafts import new_order
from contract.driver import StaffDriver
from saleor_amazon_channel.store.contract import (
    BlockedOrder,
    Channel,
    CreatedOrder,
    NewOrder,
    OrderDraft,
    Store,
)

pytestmark = pytest.mark.django_db

Answer = CreatedOrder | BlockedOrder
Import = Callable[..., list[Answer]]


class Goods:
    """A channel with the variants made in it, by SKU."""

    def __init__(self, shop: StaffDriver, channel: Channel) -> None:
        self.shop = shop
        self.channel = channel
        self.variant_ids: dict[str, str] = {}

    @property
    def warehouse_id(self) -> str:
        return self.channel.warehouses[0].id

    def add(self, sku: str, *quantities: int, **options: object) -> str:
        """A variant with these quantities in the channel's warehouses."""
        stock = {
            warehouse.id: quantity
            for warehouse, quantity in zip(
                self.channel.warehouses, quantities, strict=False
            )
        }
        self.variant_ids[sku] = self.shop.create_variant(
            sku, [self.channel.id], stock=stock, **options
        )
        return self.variant_ids[sku]

    def new(self, order: OrderDraft) -> NewOrder:
        return new_order(order, self.channel, self.variant_ids)

    def stock(self, sku: str, warehouse: int = 0) -> tuple[int, int]:
        """(quantity, allocated) in one of the channel's warehouses."""
        figures = self.shop.stock(
            self.variant_ids[sku], self.channel.warehouses[warehouse].id
        )
        return figures.quantity, figures.allocated


@pytest.fixture
def goods(shop: StaffDriver) -> Goods:
    channel = shop.create_channel(
        "amazon-de", "EUR", country="DE", warehouses=("first", "second")
    )
    return Goods(shop, channel)


def create(shop: StaffDriver, store: Store, orders: Sequence[NewOrder]) -> list[Answer]:
    """Create the orders in a transaction of their own, as the importer does."""
    with shop.writer(), transaction.atomic():
        return list(store.create_orders(orders))


def created(answer: Answer) -> CreatedOrder:
    assert isinstance(answer, CreatedOrder), answer
    return answer


def blocked(answer: Answer) -> BlockedOrder:
    assert isinstance(answer, BlockedOrder), answer
    return answer
