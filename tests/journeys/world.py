"""A shop, the sandbox and a connected account between them, for whole journeys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from contract.driver import StaffDriver
from saleor_amazon_channel import accounts, clock, tasks
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    SellerAccount,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.store.contract import Channel, Store
from wire_orders import GERMANY, NOW


@dataclass
class World:
    shop: StaffDriver
    store: Store
    sandbox: Any
    account: SellerAccount
    channel: Channel
    move_clock: Any

    @property
    def warehouse_id(self) -> str:
        return self.channel.warehouses[0].id

    def work(self) -> None:
        """One round of what is due, as a worker does it."""
        with self.shop.writer():
            due = tasks.due()
        for task, arguments in due:
            task(*arguments)

    def work_until_quiet(self, rounds: int = 20) -> None:
        """Rounds, with the clock moving on, until nothing is left to do."""
        for _ in range(rounds):
            self.work()
            self.move_clock(timedelta(minutes=5))
        with self.shop.writer():
            left = [task.name for task, _ in tasks.due()]
        assert "saleor_amazon_channel.push" not in left

    def ledger_order(self, amazon_order_id: str) -> AmazonOrder:
        return AmazonOrder.objects.get(amazon_order_id=amazon_order_id)

    def line_ids(self, amazon_order_id: str) -> dict[str, str]:
        """Amazon's order item id → the shop's line id."""
        items = self.ledger_order(amazon_order_id).items.all()
        return {item.order_item_id: item.shop_line_id for item in items}

    def on_amazon(self, amazon_order_id: str) -> dict[str, Any]:
        return self.sandbox.state.order(amazon_order_id)


@contextmanager
def running_world(
    shop: StaffDriver,
    store: Store,
    stock: int = 1000,
    marketplace_ids: Sequence[str] | None = None,
    *,
    usage_plans: bool = False,
) -> Iterator[World]:
    """Time stands still at ``wire_orders.NOW`` unless the world moves it.

    The seller takes part in ``marketplace_ids``; in all of Europe's if not given.
    """
    with clock.frozen(NOW) as move, running_sandbox(usage_plans=usage_plans) as sandbox:
        sandbox.state.add_account("EU", marketplace_ids=marketplace_ids)
        with shop.writer():
            ChannelSettings.objects.create(id=1, active=True)
            channel = shop.create_channel("amazon-de", "EUR", country="DE")
            for sku in ("MUG-1", "MUG-2"):
                shop.create_variant(
                    sku, [channel.id], stock={channel.warehouses[0].id: stock}
                )
            account = accounts.connect(
                accounts.Connection(
                    name="Mugs and more",
                    region="EU",
                    seller_id="A1SANDBOXEU",
                    lwa_client_id=CLIENT_ID,
                    lwa_client_secret=CLIENT_SECRET,
                    refresh_token="Atzr|sandbox-EU",
                    import_from=NOW - timedelta(days=30),
                    endpoint=sandbox.url,
                    lwa_endpoint=sandbox.lwa_url,
                )
            )
            accounts.update_marketplace(
                Marketplace.objects.get(account=account, marketplace_id=GERMANY),
                accounts.MarketplaceChanges(
                    channel=channel.slug,
                    warehouse_ids=[channel.warehouses[0].id],
                    shipping_method_id=channel.shipping_methods[0].id,
                    default_carrier_code="DHL",
                ),
            )
        yield World(shop, store, sandbox, account, channel, move)
