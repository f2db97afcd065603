"""How many calls to Amazon a pull of many orders takes: one per 100, at best.

The sandbox serves them with Amazon's usage plans enforced; the channel's own tasks,
handed out as its tick would, pull and import them until nothing is left to do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver
from saleor_amazon_channel import accounts, clock, tasks
from saleor_amazon_channel.models import AmazonOrder, Marketplace
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.sandbox.seeds import generate, seed_catalogue
from wire_orders import GERMANY

MAX_ROUNDS = 10


@dataclass(frozen=True)
class Pull:
    """What it took; ``states`` counts the orders in the ledger by their fate."""

    orders: int
    search_orders_calls: int
    other_calls: int
    states: dict[str, int]


def measure(shop: SaleorDriver, orders: int = 1000) -> Pull:
    assert not settings.CELERY_BROKER_URL
    seeds = generate(orders, marketplaces=[GERMANY])
    with running_sandbox(seeds) as sandbox:
        _connect(shop, sandbox.url, sandbox.lwa_url)
        sandbox.state.clear_calls()
        for _ in range(MAX_ROUNDS):
            with allow_writer():
                due = tasks.due()
            # The sweep comes back every minute whether there is anything or not.
            if not [task for task, _ in due if task.name != tasks.sweep.name]:
                break
            for task, arguments in due:
                task(*arguments)
        calls = Counter(call.operation for call in sandbox.state.calls())
    with allow_writer():
        states = Counter(AmazonOrder.objects.values_list("import_state", flat=True))
    searches = calls.pop("searchOrders")
    return Pull(orders, searches, calls.total(), dict(states))


def _connect(shop: SaleorDriver, endpoint: str, lwa_endpoint: str) -> None:
    with allow_writer():
        channel = shop.create_channel("bench", "EUR", country="DE")
        (warehouse,), (method,) = channel.warehouses, channel.shipping_methods
        for item in seed_catalogue():
            shop.create_variant(item.sku, [channel.id], stock={warehouse.id: 10**6})
        account = accounts.connect(
            accounts.Connection(
                name="Bench",
                region="EU",
                seller_id="A1SANDBOXEU",
                lwa_client_id=CLIENT_ID,
                lwa_client_secret=CLIENT_SECRET,
                refresh_token="Atzr|sandbox-EU",
                import_from=clock.now() - timedelta(days=31),
                endpoint=endpoint,
                lwa_endpoint=lwa_endpoint,
            )
        )
        accounts.update_marketplace(
            Marketplace.objects.get(account=account, marketplace_id=GERMANY),
            accounts.MarketplaceChanges(
                channel=channel.slug,
                warehouse_ids=[warehouse.id],
                shipping_method_id=method.id,
                default_carrier_code="DHL",
            ),
        )
