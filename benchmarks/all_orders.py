"""``make bench-orders``: what the pages' lists cost with a million orders.

    .venv/bin/python benchmarks/all_orders.py [--orders 1000000] [--only text]

One PostgreSQL and one ledger of two years, in the stand-alone shop: three accounts, six
marketplaces, five currencies, most of it shipped long ago, a few hundred each of what
staff look for (blocked, about to be late, to be cancelled). Each request below goes
through the GraphQL schema as the pages send it, with ``totalCount``; its database time
is the sum of its statements', the median of the runs. Then PostgreSQL explains each
statement (EXPLAIN ANALYZE). The exit code is 1 when a request takes more than 50 ms of
database time, or has a sequential scan of the orders in one of its plans.

``--everything`` also crosses each filter with each way to sort: first, second and last
page. ``--plans`` prints all plans and not only those of what fails.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import ledger_growth

from saleor_amazon_channel.standalone import postgres

DEFAULT_OUTPUT = Path(__file__).with_name("all_orders.json")
TARGET_MS = 50
#: Of what pages show at once.
PAGE = 50
ORDERS = "saleor_amazon_channel_amazonorder"

SORT_FIELDS = ("CREATED_AT", "NUMBER", "SHIP_BY", "STATUS", "TOTAL")

LIST = """
query (
  $filter: AmazonOrderFilterInput, $sortBy: AmazonOrderSortingInput,
  $first: Int, $last: Int, $after: String, $before: String
) {
  amazonOrders(
    filter: $filter, sortBy: $sortBy,
    first: $first, last: $last, after: $after, before: $before
  ) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id amazonOrderId marketplaceName fulfillmentStatus fulfilledBy createdAt
      updatedAt shipBy importState isCancellationRequested note orderId orderNumber
      total { amount currency } blockers { code subject message } buyerName
    } }
  }
}
"""
SALES = """
query ($days: Int, $accounts: [ID!], $marketplaceIds: [String!]) {
  amazonSalesSummary(
    days: $days, accounts: $accounts, marketplaceIds: $marketplaceIds
  ) {
    currencies {
      currency
      days { date total { amount } orderCount unitCount }
      lifetime { total { amount } orderCount }
    }
  }
}
"""


@dataclass
class Request:
    name: str
    query: str = LIST
    variables: dict[str, Any] = field(default_factory=dict)
    #: A filter crossed with a way to sort.
    is_cross: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="requests with this in their name")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--everything", action="store_true")
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = (
            "saleor_amazon_channel.standalone.settings"
        )
        django.setup()
        from django.db import connection

        try:
            fill(options.orders)
            figures = measure(options)
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    told = figures["requests"]
    failed = [each["name"] for each in told if each["is_wrong"]]
    slowest = max(told, key=lambda each: each["ms"])
    print(
        f"{len(told)} requests, the slowest {slowest['ms']:.1f} ms "
        f"({slowest['name']}); {len(failed)} over {TARGET_MS} ms or with a sequential "
        f"scan of orders{': ' if failed else ''}{', '.join(failed)}"
    )
    return 1 if failed else 0


# --- a large ledger ------------------------------------------------------------------

#: Regions of the accounts, and their marketplaces with the currencies.
ACCOUNTS = (
    ("EU", (("A1PA6795UKMFR9", "EUR"), ("A13V1IB3VIYZZH", "EUR"))),
    ("EU", (("A2NODRKZP88ZB9", "SEK"), ("A1F83G8C2ARO7P", "GBP"))),
    ("NA", (("ATVPDKIKX0DER", "USD"), ("A2EUQ1WTGCTBG2", "CAD"))),
)
SURNAMES = ("Müller", "Schmidt", "Andersson", "Nguyen", "Weiß", "Dupont", "Smith")
GIVEN = ("Anna", "Bo", "Chloé", "David", "Emma", "Friedrich", "Greta", "Hugo")


def fill(size: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from saleor_amazon_channel.models import AmazonOrder

    begun = time.perf_counter()
    call_command("migrate", verbosity=0)
    if AmazonOrder.objects.exists():
        # DATABASE_URL names one that was filled before.
        return
    populate(size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("SELECT pg_total_relation_size(%s)", [ORDERS])
        (occupied,) = cursor.fetchone()
    count = importlib.import_module(
        "saleor_amazon_channel.migrations.0029_count_daily_sales"
    ).count
    began_counting = time.perf_counter()
    count(None, SimpleNamespace(connection=connection))
    print(
        f"{size:,} orders: {occupied / 2**20:,.0f} MB with their indexes, filled in "
        f"{time.perf_counter() - begun:.0f} s; their sales were added up in "
        f"{time.perf_counter() - began_counting:.1f} s",
        flush=True,
    )


def populate(size: int) -> None:
    """The shop, its accounts, and ``size`` orders; also for the test of the plans."""
    ledger_growth.open_shop()
    _open_accounts()
    _multiply(size)
    _block()


def _open_accounts() -> None:
    from saleor_amazon_channel.ledger import buyer_search
    from saleor_amazon_channel.models import Marketplace, SellerAccount

    for number, (region, _) in enumerate(ACCOUNTS[1:], 2):
        SellerAccount.objects.create(
            name=f"Account {number}", region=region, seller_id=f"A{number}"
        )
    for account, (_, marketplaces) in zip(
        SellerAccount.objects.order_by("pk"), ACCOUNTS, strict=True
    ):
        buyer_search.ensure_key(account.pk)
        for marketplace_id, _ in marketplaces:
            Marketplace.objects.get_or_create(
                account=account, marketplace_id=marketplace_id
            )


def _multiply(size: int) -> None:
    """Copies of the one order: the oldest two years old, those of two months with
    their buyers."""
    from django.db import connection

    from saleor_amazon_channel.ledger import buyer_search
    from saleor_amazon_channel.models import AmazonOrder, SellerAccount

    places, names = [], []
    for account, (_, marketplaces) in zip(
        SellerAccount.objects.order_by("pk"), ACCOUNTS, strict=True
    ):
        places += [(account.pk, *each) for each in marketplaces]
        names += [
            # Rare ones end in a number.
            (account.pk, buyer_search.hashes(account.customer_key, name))
            for number in range(300)
            for name in (
                f"{GIVEN[number % len(GIVEN)]} {SURNAMES[number % len(SURNAMES)]}"
                + (f"sen{number}" if number % 3 else ""),
            )
        ]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE place AS SELECT row_number() OVER () - 1 AS number, * "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[]) "
            "AS p (account_id, marketplace_id, currency)",
            [list(column) for column in zip(*places, strict=True)],
        )
        cursor.execute(
            "CREATE TEMP TABLE name (account_id bigint, number int, hashes bigint[])"
        )
        for number, (account_id, hashes) in enumerate(names):
            cursor.execute(
                "INSERT INTO name VALUES (%s, %s, %s)",
                [account_id, number % 300, hashes],
            )
    step = f"interval '{ledger_growth.YEARS.total_seconds() / size} seconds'"
    # Amazon's numbers do not rise with time.
    mixed = "hashint8(n)::bigint & 2147483647"
    created = f"now() - interval '1 hour' - ({size} - n) * {step}"
    is_open = f"({created} > now() - interval '3 days' AND ({mixed}) % 10 < 4)"
    is_old = f"{created} < now() - interval '{ledger_growth.KEPT.days} days'"
    is_cancelled = f"({mixed}) % 100 < 3"
    is_waiting = f"(({mixed}) % 2000 = 7)"
    ledger_growth.copy(
        AmazonOrder,
        f"generate_series(1, {size}) AS n JOIN place ON place.number = "
        f"CASE WHEN ({mixed}) % 100 < 50 THEN 0 ELSE ({mixed}) % 6 END "
        f"JOIN name ON name.account_id = place.account_id AND name.number = n % 300",
        # As they come in.
        "ORDER BY n",
        {
            "account_id": "place.account_id",
            "marketplace_id": "place.marketplace_id",
            "currency": "place.currency",
            "amazon_order_id": "'3' || lpad((n / 10000000)::text, 2, '0') || '-' || "
            f"lpad((({mixed}) % 10000000)::text, 7, '0') || '-' || "
            "lpad((n % 10000000)::text, 7, '0')",
            "created_time": created,
            "last_updated_time": f"{created} + interval '1 day'",
            "recorded_at": created,
            "ship_by": f"CASE WHEN ({mixed}) % 50 > 0 THEN {created} + interval "
            f"'1 day' * (1 + ({mixed}) % 3) END",
            "delivered_by": f"{created} + interval '5 days'",
            "grand_total": f"(500 + ({mixed}) % 30000) / 100.0",
            "fulfilled_by": f"CASE WHEN ({mixed}) % 4 = 0 THEN 'AMAZON' "
            "ELSE 'MERCHANT' END",
            "fulfillment_status": f"CASE WHEN {is_cancelled} THEN 'CANCELLED' "
            f"WHEN {is_open} AND ({mixed}) % 20 = 3 THEN 'PARTIALLY_SHIPPED' "
            f"WHEN {is_open} THEN 'UNSHIPPED' ELSE 'SHIPPED' END",
            "import_state": f"CASE WHEN {is_cancelled} THEN 'ignored' "
            f"WHEN {is_waiting} THEN 'waiting' ELSE 'imported' END",
            "imported_at": f"CASE WHEN NOT {is_waiting} THEN {created} END",
            "redacted_at": f"CASE WHEN {is_old} THEN now() END",
            "personal": f"CASE WHEN {is_old} THEN '' ELSE sample.personal END",
            "buyer_name": f"CASE WHEN {is_old} THEN '' ELSE sample.buyer_name END",
            "buyer_search": f"CASE WHEN {is_old} THEN '{{}}' ELSE name.hashes END",
            "shop_order_id": "gen_random_uuid()::text",
            "shop_order_number": f"CASE WHEN {is_cancelled} OR {is_waiting} THEN '' "
            "ELSE n::text END",
            "is_cancellation_requested": f"{is_open} AND ({mixed}) % 5 = 1",
            "replacement_of": f"CASE WHEN ({mixed}) % 5000 = 9 "
            "THEN '301-0000000-0000000' ELSE '' END",
        },
    )


def _block() -> None:
    """The last of those that are not imported are blocked, by two causes each."""
    from saleor_amazon_channel.models import AmazonOrder, OrderBlocker

    waiting = AmazonOrder.objects.filter(import_state="waiting")
    rows = []
    for order in waiting.order_by("-created_time").only("account", "marketplace_id"):
        blockers = [
            {"code": "unknown_sku", "subject": f"CUP-{order.pk % 40}", "message": "…"},
            {"code": "bad_address", "subject": "addressLine1", "message": "…"},
        ]
        rows += [
            OrderBlocker(
                order=order,
                account_id=order.account_id,
                marketplace_id=order.marketplace_id,
                judged_by="x",
                **each,
            )
            for each in blockers
        ]
        AmazonOrder.objects.filter(pk=order.pk).update(
            import_state="blocked", blockers=blockers
        )
    OrderBlocker.objects.bulk_create(rows, batch_size=1000)


# --- requests ------------------------------------------------------------------------


def requests() -> Iterator[Request]:
    from graphene.relay import Node

    from saleor_amazon_channel.models import AmazonOrder, SellerAccount

    now = datetime.now(UTC)
    some = AmazonOrder.objects.filter(import_state="imported").order_by("pk")
    middle = some[some.count() // 2]
    accounts = [
        Node.to_global_id("AmazonAccount", pk)
        for pk in SellerAccount.objects.order_by("pk").values_list("pk", flat=True)
    ]

    def days(first: int, last: int) -> dict[str, str]:
        return {
            "gte": (now - timedelta(days=first)).isoformat(),
            "lte": (now - timedelta(days=last)).isoformat(),
        }

    filters: dict[str, Any] = {
        "none": {},
        "created: last week": {"created": days(7, 0)},
        "created: a month of last year": {"created": days(430, 400)},
        "shipBy: next days": {"shipBy": days(0, -3)},
        "shipBy: a month of last year": {"shipBy": days(430, 400)},
        "isAtRisk": {"isAtRisk": True},
        "not isAtRisk": {"isAtRisk": False},
        "total: few": {"total": {"currency": "SEK", "gte": 17.5, "lte": 17.55}},
        "total: many": {"total": {"currency": "EUR", "gte": 20, "lte": 200}},
        "total: none": {"total": {"currency": "EUR", "gte": 100000}},
        "buyer: common": {"buyer": "müller"},
        "buyer: a beginning": {"buyer": "mül"},
        "buyer: rare": {"buyer": "smithsen1"},
        "buyer: two words": {"buyer": "anna mül"},
        "buyer: nobody": {"buyer": "zzzzz"},
        "amazonOrderIds": {"amazonOrderIds": [middle.amazon_order_id]},
        "orderNumbers": {"orderNumbers": [middle.shop_order_number, "nope"]},
        "accounts: large": {"accounts": accounts[:1]},
        "accounts: small": {"accounts": accounts[2:]},
        "marketplaceIds: large": {"marketplaceIds": ["A1PA6795UKMFR9"]},
        "marketplaceIds: small": {"marketplaceIds": ["A2EUQ1WTGCTBG2"]},
        "marketplaceIds: two": {"marketplaceIds": ["A2EUQ1WTGCTBG2", "A2NODRKZP88ZB9"]},
        "marketplaceIds: none": {"marketplaceIds": ["A1VC38T7YXB528"]},
        "fulfillmentStatus: unshipped": {"fulfillmentStatus": ["UNSHIPPED"]},
        "fulfillmentStatus: open": {
            "fulfillmentStatus": ["UNSHIPPED", "PARTIALLY_SHIPPED"]
        },
        "fulfillmentStatus: shipped": {"fulfillmentStatus": ["SHIPPED"]},
        "fulfillmentStatus: cancelled": {"fulfillmentStatus": ["CANCELLED"]},
        "fulfillmentStatus: none": {"fulfillmentStatus": ["PENDING"]},
        "fulfilledBy": {"fulfilledBy": "AMAZON"},
        "importState: imported": {"importState": ["IMPORTED"]},
        "importState: blocked": {"importState": ["BLOCKED"]},
        "importState: two": {"importState": ["BLOCKED", "WAITING"]},
        "blockerCode": {"blockerCode": ["UNKNOWN_SKU"]},
        "blockerCode: none": {"blockerCode": ["OUT_OF_STOCK"]},
        "blockerSubject": {"blockerSubject": ["CUP-7"]},
        "isCancellationRequested": {"isCancellationRequested": True},
        "not isCancellationRequested": {"isCancellationRequested": False},
        "replacementOf": {"replacementOf": ["301-0000000-0000000"]},
        # As people put them together.
        "account, to be shipped": {
            "accounts": accounts[1:2],
            "fulfillmentStatus": ["UNSHIPPED"],
            "fulfilledBy": "MERCHANT",
        },
        "marketplace, a month of last year": {
            "marketplaceIds": ["A2EUQ1WTGCTBG2"],
            "created": days(430, 400),
        },
        "marketplace, cancelled, last week": {
            "marketplaceIds": ["A2EUQ1WTGCTBG2"],
            "fulfillmentStatus": ["CANCELLED"],
            "created": days(7, 0),
        },
        "account, blocked": {"accounts": accounts[2:], "importState": ["BLOCKED"]},
    }
    for name, given in filters.items():
        yield Request(f"filter: {name}", variables={"filter": given, "first": PAGE})
    for field_name in SORT_FIELDS:
        for direction in ("ASC", "DESC"):
            sort = {"field": field_name, "direction": direction}
            name = f"sort: {field_name} {direction}"
            yield Request(name, variables={"sortBy": sort, "first": PAGE})
            yield Request(
                f"{name}, next page",
                variables={"sortBy": sort, "first": PAGE, "after": _deep(sort)},
            )
            yield Request(
                f"{name}, previous page",
                variables={"sortBy": sort, "last": PAGE, "before": _deep(sort)},
            )
    yield Request("the page of an export", variables={"first": 100})
    yield Request("sales: 30 days", SALES, {"days": 30})
    yield Request(
        "sales: 7 days of an account", SALES, {"days": 7, "accounts": accounts[:1]}
    )
    yield Request("sales: a year", SALES, {"days": 366})
    for name, given in filters.items():
        for field_name in SORT_FIELDS:
            for direction in ("ASC", "DESC"):
                sort = {"field": field_name, "direction": direction}
                page = {"filter": given, "sortBy": sort, "first": PAGE}
                cross = f"all: {name}, by {field_name} {direction}"
                yield Request(cross, variables=page, is_cross=True)


def _deep(sort: Mapping[str, str]) -> str:
    """The cursor of an order in the middle of the list."""
    from saleor_amazon_channel.graphql import orders, pagination
    from saleor_amazon_channel.models import AmazonOrder

    keys = orders.SORT_KEYS[sort["field"].lower()]
    middle = AmazonOrder.objects.count() // 2
    return pagination._write_cursor(AmazonOrder.objects.order_by("pk")[middle], keys)


def further(schema: Any, context: Any, cross: Request) -> Iterator[Request]:
    """The second page of what a filter finds, and the last."""
    for name, bounds, cursor in (
        ("next page", {"first": PAGE}, "endCursor"),
        ("last page", {"last": PAGE, "first": None}, "startCursor"),
    ):
        result = schema.execute(
            LIST,
            variable_values={**cross.variables, **bounds},
            context_value=context,
        )
        assert not result.errors, result.errors
        after = result.data["amazonOrders"]["pageInfo"][cursor]
        if after:
            variables = {**cross.variables, "after": after}
            yield Request(f"{cross.name}, {name}", variables=variables, is_cross=True)


# --- measuring -----------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict[str, Any]:
    from saleor_amazon_channel.standalone import host

    schema = host.schema()
    context = SimpleNamespace(
        identity=host.Identity(
            "staff@example.com", frozenset({"MANAGE_ORDERS", "MANAGE_PLUGINS"})
        )
    )

    def chosen() -> Iterator[Request]:
        for request in requests():
            if options.only in request.name:
                if not request.is_cross:
                    yield request
                elif options.everything:
                    yield request
                    yield from further(schema, context, request)

    told = []
    for request in chosen():
        runs, statements = [], []
        for _ in range(options.runs + 1):
            statements = run(schema, context, request)
            runs.append(sum(ms for _, _, ms in statements))
        ms = statistics.median(runs[1:])
        plans = [explain(sql, params) for sql, params, _ in statements]
        read = max(rows_read(plan) for plan in plans)
        scanned = max(rows_read(plan, "Seq Scan") for plan in plans)
        is_wrong = ms > TARGET_MS or scanned > 0
        told.append(
            {
                "name": request.name,
                "ms": round(ms, 2),
                "is_wrong": is_wrong,
                "statements": len(statements),
                "rows_read": read,
                "scanned": scanned,
            }
        )
        print(
            f"{ms:8.1f} ms, {read:>7,} rows{' SCANNED' if scanned else ''}"
            f"{' TOO SLOW' if ms > TARGET_MS else ''}  {request.name}",
            flush=True,
        )
        if options.plans or is_wrong:
            for (sql, _, _), plan in zip(statements, plans, strict=True):
                print(f"    {' '.join(sql.split())[:400]}")
                for line in plan["lines"]:
                    print(f"      {line[:200]}")
    return {
        "orders": options.orders,
        "requests": told,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
    }


def run(schema: Any, context: Any, request: Request) -> list[tuple[str, Any, float]]:
    from django.db import connection

    statements: list[tuple[str, Any, float]] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, about: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, about)
        finally:
            statements.append((sql, params, (time.perf_counter() - begun) * 1000))

    with connection.execute_wrapper(wrapper):
        result = schema.execute(
            request.query, variable_values=request.variables, context_value=context
        )
    assert not result.errors, result.errors
    return statements


def explain(sql: str, params: Any) -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
        lines = [line for (line,) in cursor.fetchall()]
    plan = found if isinstance(found, list) else json.loads(found)
    return {"root": plan[0]["Plan"], "lines": lines}


def scans(sql: str, params: Any) -> bool:
    """Whether PostgreSQL knows no other way than to read the orders one by one."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        lines = [line for (line,) in cursor.fetchall()]
        cursor.execute("RESET enable_seqscan")
    return any(f"Seq Scan on {ORDERS} " in line for line in lines)


def rows_read(plan: Mapping[str, Any], node_type: str = "") -> int:
    """The most rows of orders that a node of the plan looked at."""
    return max(
        (
            round(
                node["Actual Loops"]
                * sum(
                    node.get(name, 0)
                    for name in (
                        "Actual Rows",
                        "Rows Removed by Filter",
                        "Rows Removed by Index Recheck",
                    )
                )
            )
            for node in _nodes(plan["root"])
            if node.get("Relation Name") == ORDERS
            and (not node_type or node["Node Type"] == node_type)
        ),
        default=0,
    )


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    parts: Sequence[Mapping[str, Any]] = node.get("Plans", ())
    for part in parts:
        yield from _nodes(part)


if __name__ == "__main__":
    sys.exit(main())
