"""``make bench-compare``: ours beside a plain loop over python-amazon-sp-api.

    .venv/bin/python benchmarks/compare.py [--orders 1000]

One sandbox, Amazon's default usage plans, the same orders for all: three accounts, nine
marketplaces, everything of the last day waiting to be read. Each in turn reads and
books them, from full usage plans on. Time is simulated: who waits moves the clock, the
library's own ``time.sleep`` included, and computing costs nothing.

- ``v0``: getOrders, and for each order getOrderItems and getOrderAddress, as the
  library's README pages (``load_all_pages``) and retries (``throttle_retry``).
- ``2026-01-01``: searchOrders with the library's client of that version.
- ``ours``: the channel's own tasks, in the stand-alone shop.

Both loops book a line at unit price x quantity, the way shops store lines, and add
shipping, tax and discounts. An order is right when what is booked adds up to Amazon's
total to the cent.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from saleor_amazon_channel.standalone import postgres

DEFAULT_OUTPUT = Path(__file__).with_name("compare.json")
START = datetime(2026, 11, 23, tzinfo=UTC)
BACKLOG = timedelta(days=1)

Json = Mapping[str, Any]
#: Amazon order id → what was booked comes to.
Books = dict[str, Decimal]


@dataclass
class Result:
    name: str
    #: Of each account alone, in simulated minutes.
    minutes: list[float] = field(default_factory=list)
    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    books: Books = field(default_factory=dict)

    def as_json(self, totals: Mapping[str, Decimal]) -> dict[str, Any]:
        wrong = [key for key in totals if self.books.get(key) != totals[key]]
        return {
            "calls": sum(sum(each.values()) for each in self.calls.values()),
            "throttled": sum(each.get("429", 0) for each in self.calls.values()),
            "minutes": round(sum(self.minutes), 1),
            "minutes_of_the_slowest_account": round(max(self.minutes), 1),
            "orders": len(self.books),
            "right_to_the_cent": len(totals) - len(wrong),
            "wrong_or_missing": len(wrong),
            "calls_by_operation": self.calls,
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()
    os.environ.pop(postgres.DATABASE_URL, None)
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = (
            "saleor_amazon_channel.standalone.settings"
        )
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            figures = compare(options.orders, options.seed)
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    for name, each in figures["results"].items():
        print(
            f"{name:>10}: {each['calls']:5} calls, {each['throttled']:4} of them 429, "
            f"{each['minutes']:6} minutes, {each['right_to_the_cent']} of "
            f"{figures['orders']} orders right to the cent"
        )
    return 0 if not figures["results"]["ours"]["wrong_or_missing"] else 1


def compare(count: int, seed: int) -> dict[str, Any]:
    from hostile import plan
    from saleor_amazon_channel import clock
    from saleor_amazon_channel.sandbox import running_sandbox

    results = []
    # As the hostile month draws them: quantities above one in 10 %, discounts,
    # shipping, gift wrap, prices that the units do not divide. None in the last
    # minutes, which Amazon hides.
    orders = plan.ordinary_orders(
        count, START - BACKLOG, BACKLOG - timedelta(minutes=10), seed
    )
    with clock.frozen(START) as move, running_sandbox(orders) as sandbox:
        for reader in (_V0, _V20260101, _Ours):
            sandbox.state.plans.refill()
            sandbox.state.clear_calls()
            result = Result(reader.name)
            with reader(sandbox, move) as ready:
                for account in sandbox.state.accounts.values():
                    begun = clock.now()
                    ready.read(account, result.books)
                    result.minutes.append((clock.now() - begun) / timedelta(minutes=1))
            result.calls = sandbox.state.counters()
            results.append(result)
            print(f"{result.name}: done", flush=True)
    totals = {
        order["orderId"]: Decimal(order["proceeds"]["grandTotal"]["amount"])
        for order in orders
    }
    return {
        "orders": count,
        "seed": seed,
        "results": {each.name: each.as_json(totals) for each in results},
    }


class _Loop:
    """A plain loop over python-amazon-sp-api, for one account after another."""

    name = ""

    def __init__(self, sandbox: Any, move: Callable[[timedelta], None]) -> None:
        self._sandbox, self._move = sandbox, move

    def __enter__(self) -> _Loop:
        from cachetools import TTLCache
        from sp_api.auth import access_token_client
        from sp_api.util import load_all_pages, retry

        from saleor_amazon_channel import clock

        waits = SimpleNamespace(sleep=lambda s: self._move(timedelta(seconds=s)))
        # Tokens end by the simulated clock, too.
        cache = TTLCache(10, 3200, timer=lambda: clock.now().timestamp())
        self._patches = [
            patch.object(sys.modules[retry.__module__], "time", waits),
            patch.object(sys.modules[load_all_pages.__module__], "time", waits),
            patch.object(access_token_client, "cache", cache),
        ]
        for each in self._patches:
            each.start()
        return self

    def __exit__(self, *failure: object) -> None:
        for each in self._patches:
            each.stop()

    def _client(self, account: Any, version: str) -> Any:
        from sp_api.api import Orders
        from sp_api.auth import AccessTokenClient

        from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET

        host = self._sandbox.url.removeprefix("http://")

        class TokenClient(AccessTokenClient):  # type: ignore[misc]
            scheme, host = "http://", self._sandbox.url.removeprefix("http://")

        client = Orders(
            version=version,
            refresh_token=account.refresh_token,
            credentials={
                "lwa_app_id": CLIENT_ID,
                "lwa_client_secret": CLIENT_SECRET,
            },
            auth_token_client_class=TokenClient,
        )
        client.endpoint = f"http://{host}"
        return client


class _V0(_Loop):
    name = "v0"

    def read(self, account: Any, books: Books) -> None:
        from sp_api.util import load_all_pages, throttle_retry

        client = self._client(account, "v0")

        @throttle_retry()
        @load_all_pages()
        def all_orders(**filters: Any) -> Any:
            return client.get_orders(**filters)

        @throttle_retry()
        def items(order_id: str) -> Any:
            return client.get_order_items(order_id)

        @throttle_retry()
        def address(order_id: str) -> Any:
            return client.get_order_address(order_id)

        for page in all_orders(
            LastUpdatedAfter=(START - BACKLOG - timedelta(hours=1)).isoformat(),
            MarketplaceIds=list(account.marketplace_ids),
        ):
            for order in page.payload["Orders"]:
                order_id = order["AmazonOrderId"]
                found = items(order_id).payload["OrderItems"]
                address(order_id)
                books[order_id] = sum(map(self._total, found), Decimal(0))

    def _total(self, item: Json) -> Decimal:
        def amount(name: str) -> Decimal:
            return Decimal(item.get(name, {}).get("Amount", "0"))

        return (
            line_total(item["ItemPrice"]["Amount"], item["QuantityOrdered"])
            + amount("ItemTax")
            + amount("ShippingPrice")
            + amount("ShippingTax")
            - amount("PromotionDiscount")
            - amount("ShippingDiscount")
        )


class _V20260101(_Loop):
    name = "2026-01-01"

    def read(self, account: Any, books: Books) -> None:
        from sp_api.util import load_all_pages, throttle_retry

        client = self._client(account, "2026-01-01")

        @throttle_retry()
        @load_all_pages(next_token_param="paginationToken")
        def all_orders(**filters: Any) -> Any:
            return client.search_orders(**filters)

        for page in all_orders(
            lastUpdatedAfter=(START - BACKLOG - timedelta(hours=1)).isoformat(),
            marketplaceIds=list(account.marketplace_ids),
            includedData=["BUYER", "RECIPIENT", "PROCEEDS", "FULFILLMENT"],
        ):
            for order in page.payload["orders"]:
                books[order["orderId"]] = sum(
                    map(self._total, order["orderItems"]), Decimal(0)
                )

    def _total(self, item: Json) -> Decimal:
        amounts = {
            each["type"]: Decimal(each["subtotal"]["amount"])
            for each in item["proceeds"]["breakdowns"]
        }
        price = Decimal(item["product"]["price"]["unitPrice"]["amount"])
        return (
            price * item["quantityOrdered"]
            + amounts.get("SHIPPING", 0)
            + amounts.get("TAX", 0)
            - abs(amounts.get("DISCOUNT", Decimal(0)))
        )


def line_total(price_of_all: str, quantity: int) -> Decimal:
    """What a shop's line comes to, that keeps a unit price of as many places."""
    price = Decimal(price_of_all)
    unit = (price / quantity).quantize(price, ROUND_HALF_UP)
    return unit * quantity


class _Ours:
    """The channel's own tasks, in the stand-alone shop."""

    name = "ours"

    def __init__(self, sandbox: Any, move: Callable[[timedelta], None]) -> None:
        self._sandbox, self._move = sandbox, move

    def __enter__(self) -> _Ours:
        from hostile.opening import open_shop
        from saleor_amazon_channel.models import SellerAccount
        from standalone.driver import StandaloneDriver

        open_shop(StandaloneDriver(), self._sandbox, import_from=START - 2 * BACKLOG)
        SellerAccount.objects.update(state=SellerAccount.State.PAUSED)
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def read(self, account: Any, books: Books) -> None:
        from saleor_amazon_channel import clock, store, tasks
        from saleor_amazon_channel.models import AmazonOrder, SellerAccount, SyncCursor

        row = SellerAccount.objects.get(seller_id=account.seller_id)
        SellerAccount.objects.filter(pk=row.pk).update(state=SellerAccount.State.ACTIVE)
        cursors = SyncCursor.objects.filter(account=row, stream="orders")
        while True:
            for task, arguments in tasks.due():
                task(*arguments)
            cursor = cursors.get()
            if cursor.watermark and not cursor.page_token:
                break
            # A page did not fit into the usage plan: the scan goes on then.
            self._move(max(cursor.next_run_at - clock.now(), timedelta(seconds=15)))
        SellerAccount.objects.filter(pk=row.pk).update(state=SellerAccount.State.PAUSED)
        links = dict(
            AmazonOrder.objects.filter(
                account=row, import_state="imported"
            ).values_list("shop_order_id", "amazon_order_id")
        )
        for figures in store.current().figures(list(links)).values():
            parts = figures.shipping + sum(total for _, _, total in figures.lines)
            assert parts == figures.total, links[figures.order_id]
            books[links[figures.order_id]] = figures.total


if __name__ == "__main__":
    sys.exit(main())
