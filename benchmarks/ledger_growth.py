"""``make bench-growth``: what an import costs when the ledger is large.

    .venv/bin/python benchmarks/ledger_growth.py [--sizes 1000,100000,1000000]

One PostgreSQL, and for each size a database whose ledger has so many orders of two
years. Rows are copies of one that the channel made itself, with what makes them many:
ids, times, states; every order has its items and events, most an intent, few a refund;
what is older than two months has no buyer any more. Then, in turn and in an order
drawn anew for each round, the same number of new orders is recorded and imported in
each of them by the channel's own code, in the stand-alone shop; and what is due is
looked up, as every tick does. No call to Amazon is in it.

Prints the medians and the ratios to the smallest ledger, each the median of the rounds'
own, and writes them to ``ledger_growth.json``. The exit code is 1 when an order costs
more than 1.2 times as much. ``--statements`` also prints which SQL statements grow.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from saleor_amazon_channel.standalone import postgres

DEFAULT_OUTPUT = Path(__file__).with_name("ledger_growth.json")
TARGET = 1.2
YEARS = timedelta(days=730)
#: What is older has been redacted.
KEPT = timedelta(days=60)
SAMPLE = "300-0000000-0000000"
PAGE = 100
TICKS = 20
#: A statement is told of that grows by more than this, in ms an order.
WORTH_TELLING = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--orders", type=int, default=400, help="in a round, each")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--statements", action="store_true")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    os.environ.pop(postgres.DATABASE_URL, None)
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = (
            "saleor_amazon_channel.standalone.settings"
        )
        django.setup()
        from django.db import connection

        try:
            _Ledgers(sizes).fill()
            figures = measure(sizes, options)
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    worst = max(figures["import_ratio"].values())
    print(f"an order costs at most {worst:.2f} times what it costs in the smallest")
    return 0 if worst <= TARGET else 1


# --- large ledgers -------------------------------------------------------------------


def use(database: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = database


def _name(size: int) -> str:
    return f"ledger_{size}"


class _Ledgers:
    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes

    def fill(self) -> None:
        from django.core.management import call_command
        from django.db import connection

        template = connection.settings_dict["NAME"]
        call_command("migrate", verbosity=0)
        open_shop()
        for size in self._sizes:
            use("template1")
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE {_name(size)} TEMPLATE "{template}"')
            use(_name(size))
            begun = time.perf_counter()
            _multiply(size)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")
                cursor.execute("SELECT pg_database_size(current_database())")
                (occupied,) = cursor.fetchone()
            print(
                f"{size:>9,} orders: {occupied / 2**20:,.0f} MB, filled in "
                f"{time.perf_counter() - begun:.0f} s",
                flush=True,
            )


def open_shop() -> None:
    """A shop with a mapped account, and one order that has been through everything."""
    from saleor_amazon_channel.models import (
        AmazonOrder,
        AmazonRefund,
        ChannelSettings,
        Marketplace,
        OutboxEntry,
        SellerAccount,
    )
    from standalone.driver import StandaloneDriver
    from wire_orders import GERMANY

    now = datetime.now(UTC)
    shop = StandaloneDriver()
    ChannelSettings.objects.create(id=1, active=True)
    channel = shop.create_channel("amazon-de", "EUR", country="DE")
    warehouse_id = channel.warehouses[0].id
    for sku in ("MUG-1", "MUG-2"):
        shop.create_variant(sku, [channel.id], stock={warehouse_id: 10**8})
    account = SellerAccount.objects.create(
        name="Mugs and more",
        region="EU",
        seller_id="A1SELLER",
        lwa_client_id="client",
        lwa_client_secret="client-secret",
        refresh_token="Atzr|refresh",
        import_from=now - 2 * YEARS,
    )
    Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id=channel.id,
        warehouse_ids=[warehouse_id],
        shipping_method_id=channel.shipping_methods[0].id,
    )
    _bring_in([_wire(SAMPLE, now - timedelta(days=3), shipped=1)])
    order = AmazonOrder.objects.get()
    assert order.import_state == "imported", order.note
    OutboxEntry.objects.create(
        account=account,
        order=order,
        kind=OutboxEntry.Kind.CONFIRM_SHIPMENT,
        idempotency_key="sample",
        payload={"package_reference_id": 1, "revision": 1},
        state=OutboxEntry.State.SUCCEEDED,
        actor="staff@example.com",
        settled_at=now,
        reported_at=now,
    )
    AmazonRefund.objects.create(
        account=account,
        amazon_order_id=SAMPLE,
        transaction_id="sample",
        status="released",
        posted_at=now,
        amount=5,
        currency="EUR",
        payload={"transactionType": "Refund"},
        state="recorded",
    )


def _multiply(size: int) -> None:
    """Make the one order ``size`` orders, the oldest two years old."""
    from saleor_amazon_channel.models import (
        AmazonOrder,
        AmazonOrderItem,
        AmazonRefund,
        OrderEvent,
        OutboxEntry,
    )

    order_id = "'301-' || lpad((n / 10000000)::text, 7, '0') || '-' || "
    order_id += "lpad((n % 10000000)::text, 7, '0')"
    step = f"interval '{YEARS.total_seconds() / size} seconds'"
    created = f"now() - interval '1 hour' - ({size} - n) * {step}"
    is_redacted = f"{created} < now() - interval '{KEPT.days} days'"
    # Of a hundred: one waits, for a marketplace that is not mapped say, two were
    # cancelled before they came in, all others are orders of the shop.
    state = (
        "CASE n % 100 WHEN 0 THEN 'waiting' WHEN 1 THEN 'ignored' "
        "WHEN 2 THEN 'ignored' ELSE 'imported' END"
    )
    is_imported = "n % 100 > 2"
    copy(
        AmazonOrder,
        f"generate_series(1, {size}) AS n",
        "",
        {
            "amazon_order_id": order_id,
            "created_time": created,
            "last_updated_time": f"{created} + interval '1 day'",
            "recorded_at": created,
            "delivered_by": f"{created} + interval '5 days'",
            "imported_at": f"CASE WHEN {is_imported} THEN {created} END",
            "redacted_at": f"CASE WHEN {is_redacted} THEN now() END",
            "personal": f"CASE WHEN {is_redacted} THEN '' ELSE sample.personal END",
            "buyer_name": f"CASE WHEN {is_redacted} THEN '' ELSE sample.buyer_name END",
            "payload": "jsonb_set(sample.payload, '{orderId}', "
            f"to_jsonb({order_id}))",
            "import_state": state,
            "fulfillment_status": "CASE WHEN n % 100 IN (1, 2) THEN 'CANCELLED' "
            "WHEN n % 100 = 0 THEN 'UNSHIPPED' ELSE 'SHIPPED' END",
            "shop_order_id": f"CASE WHEN {is_imported} "
            "THEN gen_random_uuid()::text END",
            "shop_order_number": f"CASE WHEN {is_imported} THEN n::text ELSE '' END",
        },
    )
    orders = f"{AmazonOrder._meta.db_table} AS o"
    of_orders = {"order_id": "o.id"}
    copied = f"AND o.amazon_order_id <> '{SAMPLE}'"
    copy(AmazonOrderItem, orders, copied, of_orders)
    copy(OrderEvent, orders, copied, {**of_orders, "created_at": "o.recorded_at"})
    copy(
        OutboxEntry,
        orders,
        f"{copied} AND o.import_state = 'imported'",
        {
            **of_orders,
            "idempotency_key": "'confirm_shipment:' || o.amazon_order_id || ':1:1'",
            **dict.fromkeys(
                ("created_at", "next_attempt_at", "settled_at", "reported_at"),
                "o.recorded_at",
            ),
        },
    )
    copy(
        AmazonRefund,
        orders,
        f"{copied} AND o.import_state = 'imported' AND o.id % 50 = 0",
        {
            "amazon_order_id": "o.amazon_order_id",
            "transaction_id": "o.amazon_order_id",
            "posted_at": "o.recorded_at",
        },
    )


def copy(model: Any, source: str, condition: str, values: Mapping[str, str]) -> None:
    """Insert copies of the sample's rows, one for each row of ``source``; ``values``
    are SQL expressions by column."""
    from django.db import connection

    table = model._meta.db_table
    columns = [
        field.column for field in model._meta.concrete_fields if not field.primary_key
    ]
    assert set(values) <= set(columns)
    taken = ", ".join(values.get(column, f"sample.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table}")  # noqa: S608
        (last,) = cursor.fetchone()
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} "  # noqa: S608
            f"FROM {table} AS sample CROSS JOIN {source} "
            f"WHERE sample.id <= {last} {condition}"
        )


# --- importing -----------------------------------------------------------------------


def _wire(order_id: str, created: datetime, shipped: int = 0) -> dict[str, Any]:
    from wire_orders import wire_item, wire_order

    return wire_order(
        order_id,
        status="SHIPPED" if shipped else "UNSHIPPED",
        created=created,
        updated=created,
        items=[
            wire_item(item_id, sku=sku, shipped=shipped)
            for item_id, sku in (
                ("10000000000001", "MUG-1"),
                ("10000000000002", "MUG-2"),
            )
        ],
    )


def _bring_in(wire: Sequence[dict[str, Any]]) -> float:
    """What a scan does once it has the pages, and what follows; in seconds."""
    from saleor_amazon_channel.amazon.orders import Order
    from saleor_amazon_channel.importing import importer, news
    from saleor_amazon_channel.ledger import recorder
    from saleor_amazon_channel.models import AmazonOrder, SellerAccount

    account = SellerAccount.objects.get()
    read = [(Order.from_wire(payload), payload) for payload in wire]
    begun = time.perf_counter()
    for start in range(0, len(read), PAGE):
        recorder.record(account, read[start : start + PAGE])
    importer.import_open()
    news.settle()
    took = time.perf_counter() - begun
    ids = [order.order_id for order, _ in read]
    states = AmazonOrder.objects.filter(amazon_order_id__in=ids)
    assert {row.import_state for row in states.only("import_state")} == {"imported"}
    return took


def measure(sizes: Sequence[int], options: argparse.Namespace) -> dict[str, Any]:
    rng = random.Random(options.seed)
    per_order: dict[int, list[float]] = {size: [] for size in sizes}
    per_tick: dict[int, list[float]] = {size: [] for size in sizes}
    statements: dict[int, dict[str, float]] = {s: defaultdict(float) for s in sizes}
    for number in range(-1, options.rounds):  # the first round warms up
        for size in rng.sample(list(sizes), len(sizes)):
            use(_name(size))
            now = datetime.now(UTC)
            wire = [
                _wire(f"302-{number + 1:07}-{each:07}", now - timedelta(minutes=5))
                for each in range(options.orders)
            ]
            timed = statements[size] if number >= 0 else defaultdict(float)
            took, tick = _timed(lambda: _bring_in(wire), timed), _tick()  # noqa: B023
            if number >= 0:
                per_order[size].append(took / options.orders * 1000)
                per_tick[size].append(tick * 1000)
        print(f"round {number + 1} of {options.rounds}", flush=True)
    smallest = sizes[0]

    def ratios(values: Mapping[int, list[float]]) -> dict[str, float]:
        return {
            str(size): round(
                statistics.median(
                    a / b for a, b in zip(values[size], values[smallest], strict=True)
                ),
                3,
            )
            for size in sizes
        }

    figures = {
        "orders": options.orders,
        "rounds": options.rounds,
        "ms_per_order": {
            str(size): round(statistics.median(each), 3)
            for size, each in per_order.items()
        },
        "import_ratio": ratios(per_order),
        "ms_per_tick": {
            str(size): round(statistics.median(each), 3)
            for size, each in per_tick.items()
        },
        "tick_ratio": ratios(per_tick),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
    }
    for size in sizes:
        key = str(size)
        print(
            f"{size:>9,} orders: {figures['ms_per_order'][key]:6.2f} ms an order "
            f"({figures['import_ratio'][key]:.2f} times), "
            f"{figures['ms_per_tick'][key]:6.2f} ms a tick "
            f"({figures['tick_ratio'][key]:.2f} times)"
        )
    if options.statements:
        _tell(statements, sizes, options.orders * options.rounds)
    return figures


def _tick() -> float:
    """Seconds of looking up what is due."""
    from saleor_amazon_channel import tasks

    begun = time.perf_counter()
    for _ in range(TICKS):
        tasks.due()
    return (time.perf_counter() - begun) / TICKS


def _timed(work: Callable[[], float], statements: dict[str, float]) -> float:
    """Do it, and add to ``statements`` how long each took, in seconds."""
    from django.db import connection

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            name = "savepoints" if "SAVEPOINT" in sql else sql
            statements[name] += time.perf_counter() - begun

    with connection.execute_wrapper(wrapper):
        return work()


def _tell(
    statements: Mapping[int, Mapping[str, float]], sizes: Sequence[int], orders: int
) -> None:
    small, large = statements[sizes[0]], statements[sizes[-1]]
    grown = {sql: (large[sql] - small.get(sql, 0)) / orders * 1000 for sql in large}
    for sql in sorted(grown, key=grown.__getitem__, reverse=True):
        if grown[sql] < WORTH_TELLING:
            break
        print(
            f"+{grown[sql]:.3f} ms an order ({small.get(sql, 0) / orders * 1000:.3f} → "
            f"{large[sql] / orders * 1000:.3f}): {' '.join(sql.split())[:300]}"
        )


if __name__ == "__main__":
    sys.exit(main())
