from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import hours_ago, new_order, order_id, shipped_order
from saleor_amazon_channel.models import AmazonOrder, SellerAccount
from saleor_amazon_channel.models.ledger import LATEST
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db

FRANCE = "A13V1IB3VIYZZH"

Ask = Callable[..., Answer]

PAGE = """
query ($first: Int, $last: Int, $after: String, $before: String,
       $sortBy: AmazonOrderSortingInput, $filter: AmazonOrderFilterInput) {
  amazonOrders(first: $first, last: $last, after: $after, before: $before,
               sortBy: $sortBy, filter: $filter) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { amazonOrderId } }
  }
}
"""


def found(ask: Ask, **variables: Any) -> list[str]:
    page = ask(PAGE, {"first": 100, **variables})["amazonOrders"]
    return [edge["node"]["amazonOrderId"] for edge in page["edges"]]


def found_by(ask: Ask, **filter: Any) -> set[str]:
    return set(found(ask, filter=filter))


# --- one order -----------------------------------------------------------------------

EVERYTHING = """
fragment Everything on AmazonOrder {
  id amazonOrderId accountId marketplaceId marketplaceName fulfillmentStatus
  fulfilledBy programs createdAt updatedAt shipBy total { amount currency } buyerName
  importState blockers { code message subject } note importedAt orderId orderNumber
  sellerCentralUrl
  items {
    orderItemId sellerSku asin title quantityOrdered quantityShipped
    total { amount currency } orderLineId
  }
  packages {
    packageReferenceId fulfillmentId carrierName trackingNumber shipDate isConfirmed
    items { orderItemId quantity }
  }
  events { date type message actor }
  outboxEntries {
    kind state attemptCount nextAttemptAt errorCode errorMessage actor createdAt
    settledAt
  }
}
"""


def test_an_order_says_all_there_is(ask: Ask, account: SellerAccount) -> None:
    order = shipped_order(
        account,
        amazon_order_id=order_id(1),
        ship_by=NOW + timedelta(days=1),
        programs=["PRIME"],
        shop_order_id="0a5c2d1e-0000-4000-8000-000000000001",
    )

    answer = ask(
        "query ($id: ID) { amazonOrder(id: $id) { ...Everything } }" + EVERYTHING,
        {"id": Node.to_global_id("AmazonOrder", order.pk)},
    )

    assert answer["amazonOrder"] == {
        "id": Node.to_global_id("AmazonOrder", order.pk),
        "amazonOrderId": "111-0000001-0000000",
        "accountId": Node.to_global_id("AmazonAccount", account.pk),
        "marketplaceId": GERMANY,
        "marketplaceName": "Germany",
        "fulfillmentStatus": "UNSHIPPED",
        "fulfilledBy": "MERCHANT",
        "programs": ["PRIME"],
        "createdAt": "2026-11-20T12:00:00+00:00",
        "updatedAt": "2026-11-20T12:00:00+00:00",
        "shipBy": "2026-11-21T12:00:00+00:00",
        "total": {"amount": 19.9, "currency": "EUR"},
        "buyerName": "Änne Müller",
        "importState": "IMPORTED",
        "blockers": [],
        "note": "Imported as order 77.",
        "importedAt": "2026-11-20T12:00:00+00:00",
        "orderId": Node.to_global_id("Order", "0a5c2d1e-0000-4000-8000-000000000001"),
        "orderNumber": "77",
        "sellerCentralUrl": (
            "https://sellercentral.amazon.de/orders-v3/order/111-0000001-0000000"
        ),
        "items": [
            {
                "orderItemId": "10000000000001",
                "sellerSku": "MUG-1",
                "asin": "B000000001",
                "title": "A mug",
                "quantityOrdered": 2,
                "quantityShipped": 1,
                "total": {"amount": 19.9, "currency": "EUR"},
                "orderLineId": Node.to_global_id("OrderLine", "line-1"),
            }
        ],
        "packages": [
            {
                "packageReferenceId": 1,
                "fulfillmentId": Node.to_global_id("Fulfillment", "5"),
                "carrierName": "DHL",
                "trackingNumber": "T-1",
                "shipDate": "2026-11-20T12:00:00+00:00",
                "isConfirmed": False,
                "items": [{"orderItemId": "10000000000001", "quantity": 1}],
            }
        ],
        "events": [
            {
                "date": "2026-11-20T12:00:00+00:00",
                "type": "imported",
                "message": "Imported as order 77.",
                "actor": None,
            }
        ],
        "outboxEntries": [
            {
                "kind": "CONFIRM_SHIPMENT",
                "state": "FAILED",
                "attemptCount": 1,
                "nextAttemptAt": None,
                "errorCode": "InvalidInput",
                "errorMessage": "Correct the carrier.",
                "actor": "staff@example.com",
                "createdAt": "2026-11-20T12:00:00+00:00",
                "settledAt": "2026-11-20T12:01:00+00:00",
            }
        ],
    }


def test_an_order_that_could_not_be_read_says_so(
    ask: Ask, account: SellerAccount
) -> None:
    blocker = {
        "code": "unreadable",
        "message": "Amazon's data of this order cannot be read.",
        "subject": "orderItems",
    }
    new_order(
        account,
        amazon_order_id=order_id(1),
        marketplace_id="",
        fulfillment_status="",
        fulfilled_by="",
        currency="",
        grand_total=None,
        buyer_name="",
        import_state="blocked",
        blockers=[blocker],
    )

    order = ask(
        'query { amazonOrder(amazonOrderId: "111-0000001-0000000") {...Everything} }'
        + EVERYTHING
    )["amazonOrder"]

    assert order["blockers"] == [{**blocker, "code": "UNREADABLE"}]
    empty = (
        "marketplaceName",
        "total",
        "buyerName",
        "note",
        "orderId",
        "orderNumber",
        "sellerCentralUrl",
        "shipBy",
        "importedAt",
    )
    assert {name: order[name] for name in empty} == dict.fromkeys(empty)


@pytest.mark.parametrize("is_global", [True, False])
def test_an_order_is_found_by_the_shops_order(
    ask: Ask, account: SellerAccount, is_global: bool
) -> None:
    pk = "0a5c2d1e-0000-4000-8000-000000000001"
    order = new_order(account, shop_order_id=pk)
    new_order(account, shop_order_id="0a5c2d1e-0000-4000-8000-000000000002")

    answer = ask(
        "query ($id: ID) { amazonOrder(orderId: $id) { amazonOrderId } }",
        {"id": Node.to_global_id("Order", pk) if is_global else pk},
    )

    assert answer["amazonOrder"] == {"amazonOrderId": order.amazon_order_id}


@pytest.mark.parametrize(
    "by",
    [
        'amazonOrderId: "999-0000000-0000000"',
        'orderId: "T3JkZXI6MQ=="',
        f'id: "{Node.to_global_id("AmazonOrder", 10**30)}"',
    ],
)
def test_an_order_that_is_not_there_is_null(ask: Ask, by: str) -> None:
    assert ask(f"{{ amazonOrder({by}) {{ id }} }}")["amazonOrder"] is None


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ('id: "T3JkZXI6MQ=="', "Expected: AmazonOrder, received: Order."),
        ('id: "nonsense"', "Invalid ID: nonsense. Expected: AmazonOrder."),
        ("", "Exactly one of the arguments is required"),
        ('id: "x", orderId: "y"', "Exactly one of the arguments is required"),
    ],
)
def test_an_order_is_asked_for_in_one_way(ask: Ask, by: str, message: str) -> None:
    query = f"{{ amazonOrder({by}) {{ id }} }}".replace("()", "")
    (error,) = ask(query).errors
    assert message in error


# --- pages ---------------------------------------------------------------------------


def scattered(account: SellerAccount) -> list[AmazonOrder]:
    """Orders with many equal sort keys, and ship-by times that are missing."""
    numbers = random.Random(7)
    return [
        new_order(
            account,
            created_time=hours_ago(numbers.randrange(4)),
            ship_by=numbers.choice([None, NOW, NOW + timedelta(hours=1)]),
            fulfillment_status=numbers.choice(["PENDING", "SHIPPED", "UNSHIPPED"]),
            currency=numbers.choice(["EUR", "JPY"]),
            grand_total=numbers.choice([None, Decimal(5), Decimal("19.9")]),
        )
        for _ in range(25)
    ]


def sorted_as(orders: list[AmazonOrder], field: str, direction: str) -> list[str]:
    keys: dict[str, Callable[[AmazonOrder], Any]] = {
        "CREATED_AT": lambda o: (o.created_time, o.pk),
        "NUMBER": lambda o: o.amazon_order_id,
        "SHIP_BY": lambda o: (o.ship_by or LATEST, o.pk),
        "STATUS": lambda o: (o.fulfillment_status, o.created_time, o.pk),
        "TOTAL": lambda o: (o.currency, o.grand_total or 0, o.pk),
    }
    ordered = sorted(orders, key=keys[field], reverse=direction == "DESC")
    return [order.amazon_order_id for order in ordered]


SORTS = [
    (field, direction)
    for field in ("CREATED_AT", "NUMBER", "SHIP_BY", "STATUS", "TOTAL")
    for direction in ("ASC", "DESC")
]


@pytest.mark.parametrize(("field", "direction"), SORTS)
@pytest.mark.parametrize("size", [1, 4, 25])
def test_pages_forward_give_every_order_once_in_order(
    ask: Ask, account: SellerAccount, field: str, direction: str, size: int
) -> None:
    expected = sorted_as(scattered(account), field, direction)
    sort_by = {"field": field, "direction": direction}
    seen: list[str] = []
    after = None
    while True:
        page = ask(PAGE, {"first": size, "after": after, "sortBy": sort_by})[
            "amazonOrders"
        ]
        seen += [edge["node"]["amazonOrderId"] for edge in page["edges"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == expected


@pytest.mark.parametrize(("field", "direction"), SORTS)
def test_pages_backward_give_every_order_once_in_order(
    ask: Ask, account: SellerAccount, field: str, direction: str
) -> None:
    expected = sorted_as(scattered(account), field, direction)
    sort_by = {"field": field, "direction": direction}
    seen: list[str] = []
    before = None
    while True:
        page = ask(PAGE, {"last": 4, "before": before, "sortBy": sort_by})[
            "amazonOrders"
        ]
        seen = [edge["node"]["amazonOrderId"] for edge in page["edges"]] + seen
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert seen == expected


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("counted", [0, 10_000])
@pytest.mark.parametrize("status", [["SHIPPED"], ["SHIPPED", "PENDING"], ["NONE"]])
def test_pages_by_total_of_what_a_filter_finds(
    ask: Ask,
    account: SellerAccount,
    monkeypatch: pytest.MonkeyPatch,
    direction: str,
    backward: bool,
    counted: int,
    status: list[str],
) -> None:
    """Few are sorted; of many, each currency is read by itself."""
    monkeypatch.setattr("saleor_amazon_channel.graphql.pagination.COUNT_LIMIT", counted)
    numbers = random.Random(8)
    found = [
        order
        for currency in ("EUR", "", "USD", "JPY", "EUR", "CAD", "JPY", "", "EUR")
        if (
            order := new_order(
                account,
                currency=currency,
                grand_total=numbers.choice([None, Decimal(5), Decimal("19.9")]),
                # No dollars, so that they are passed over.
                fulfillment_status="UNSHIPPED"
                if currency == "USD"
                else numbers.choice(["PENDING", "SHIPPED"]),
            )
        ).fulfillment_status
        in status
    ]
    seen = pages_of(ask, "TOTAL", direction, backward, {"fulfillmentStatus": status})
    assert seen == sorted_as(found, "TOTAL", direction)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("counted", [0, 10_000])
@pytest.mark.parametrize("bounds", [(3, 1), (3, None), (None, 2)])
@pytest.mark.parametrize("field", ["SHIP_BY", "STATUS"])
def test_pages_of_what_was_placed_within_a_range(
    ask: Ask,
    account: SellerAccount,
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    direction: str,
    backward: bool,
    counted: int,
    bounds: tuple[int | None, int | None],
) -> None:
    monkeypatch.setattr("saleor_amazon_channel.graphql.pagination.COUNT_LIMIT", counted)
    numbers = random.Random(9)
    never = datetime(9999, 12, 31, tzinfo=UTC)
    orders = []
    for _ in range(20):
        placed = hours_ago(numbers.randrange(5))
        ship_by = numbers.choice(
            [None, never, *(placed + timedelta(hours=n) for n in (1, 2, 30))]
        )
        orders.append(
            new_order(
                account,
                created_time=placed,
                ship_by=ship_by,
                fulfillment_status=numbers.choice(["SHIPPED", "PENDING"]),
            )
        )
    since, until = (None if each is None else hours_ago(each) for each in bounds)
    found = [
        order
        for order in orders
        if (since is None or order.created_time >= since)
        and (until is None or order.created_time <= until)
    ]
    created = {
        name: each.isoformat()
        for name, each in (("gte", since), ("lte", until))
        if each is not None
    }
    seen = pages_of(ask, field, direction, backward, {"created": created})
    assert seen == sorted_as(found, field, direction)


def pages_of(
    ask: Ask, field: str, direction: str, backward: bool, filter: dict[str, Any]
) -> list[str]:
    """All orders found, two a page."""
    variables: dict[str, Any] = {
        "sortBy": {"field": field, "direction": direction},
        "filter": filter,
        "last" if backward else "first": 2,
    }
    seen: list[str] = []
    while True:
        page = ask(PAGE, variables)["amazonOrders"]
        ids = [edge["node"]["amazonOrderId"] for edge in page["edges"]]
        seen = ids + seen if backward else seen + ids
        info = page["pageInfo"]
        variables["before" if backward else "after"] = info[
            "startCursor" if backward else "endCursor"
        ]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen


def test_orders_that_arrive_meanwhile_move_nothing(
    ask: Ask, account: SellerAccount
) -> None:
    orders = [new_order(account, created_time=hours_ago(n)) for n in range(4)]
    first = ask(PAGE, {"first": 2})["amazonOrders"]
    new_order(account, created_time=hours_ago(-1))
    orders[1].delete()

    after = first["pageInfo"]["endCursor"]

    assert found(ask, after=after) == [order.amazon_order_id for order in orders[2:]]


def test_the_newest_come_first_by_default(ask: Ask, account: SellerAccount) -> None:
    orders = scattered(account)
    assert found(ask) == sorted_as(orders, "CREATED_AT", "DESC")


def test_an_empty_page(ask: Ask) -> None:
    assert ask(PAGE, {"first": 5})["amazonOrders"] == {
        "totalCount": 0,
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
        "edges": [],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "You must provide a `first` or `last` value"),
        ("first: 0", "You must provide a `first` or `last` value"),
        ("first: -1", "Argument `first` must be a non-negative integer."),
        ("first: 101", "exceeds the `first` limit of 100 records"),
        ("last: 101", "exceeds the `last` limit of 100 records"),
        ("first: 1, last: 1", "Argument `last` cannot be combined with `first`."),
        ('first: 1, before: "x"', "Argument `first` cannot be combined with `before`."),
        ('last: 1, after: "x"', "Argument `last` cannot be combined with `after`."),
        ('first: 1, after: "x"', "Received cursor is invalid."),
        ('first: 1, after: "W10="', "Received cursor is invalid."),
    ],
)
def test_arguments_are_refused_as_saleor_refuses_them(
    ask: Ask, arguments: str, message: str
) -> None:
    query = f"{{ amazonOrders({arguments}) {{ edges {{ cursor }} }} }}"
    (error,) = ask(query.replace("()", "")).errors
    assert message in error


@pytest.mark.parametrize(
    "selection", ["...Page", "... on AmazonOrderCountableConnection { ...Page }"]
)
def test_edges_in_a_fragment_need_a_page_size_too(ask: Ask, selection: str) -> None:
    fragment = "fragment Page on AmazonOrderCountableConnection { edges { cursor } }"
    (error,) = ask(f"{{ amazonOrders {{ totalCount {selection} }} }} {fragment}").errors
    assert "You must provide a `first` or `last` value" in error


@pytest.mark.parametrize(
    "values",
    [
        '["2026-11-20T12:00:00+00:00"]',
        '["2026-11-20T12:00:00+00:00", "x"]',
        '["2026-11-20T12:00:00", "1"]',
        '["2026-11-20T12:00:00+00:00", "99999999999999999999"]',
        '["2026-11-20T12:00:00+00:00", 1]',
        '{"a": 1}',
        '"a"',
    ],
)
def test_a_made_up_cursor_is_refused(ask: Ask, values: str) -> None:
    cursor = b64encode(values.encode()).decode()
    assert ask(PAGE, {"first": 1, "after": cursor}).errors == [
        "Received cursor is invalid."
    ]


def test_a_cursor_of_another_sort_order_is_refused(
    ask: Ask, account: SellerAccount
) -> None:
    new_order(account)
    cursor = ask(PAGE, {"first": 1})["amazonOrders"]["pageInfo"]["endCursor"]
    by_status = {"field": "STATUS", "direction": "ASC"}
    assert ask(PAGE, {"first": 1, "after": cursor, "sortBy": by_status}).errors == [
        "Received cursor is invalid."
    ]


def test_a_count_alone_needs_no_page(ask: Ask, account: SellerAccount) -> None:
    new_order(account)
    new_order(account, fulfilled_by="AMAZON")
    answer = ask('{ amazonOrders(filter: {fulfilledBy: "AMAZON"}) { totalCount } }')
    assert answer["amazonOrders"] == {"totalCount": 1}


def test_totals_are_exact_up_to_the_limit_then_null(
    ask: Ask, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saleor_amazon_channel.graphql.pagination.COUNT_LIMIT", 3)
    counts = []
    for _ in range(4):
        new_order(account)
        page = ask("{ amazonOrders(first: 1) { totalCount edges { cursor } } }")
        counts.append(page["amazonOrders"]["totalCount"])
    assert counts == [1, 2, 3, None]


@pytest.mark.parametrize(("field", "direction"), SORTS)
def test_a_page_far_down_is_read_from_an_index(
    ask: Ask, account: SellerAccount, field: str, direction: str
) -> None:
    """The plan may not sort, nor filter rows away to get to the cursor."""
    scattered(account)
    sort_by = {"field": field, "direction": direction}
    page = ask(PAGE, {"first": 10, "sortBy": sort_by})["amazonOrders"]
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    after = page["pageInfo"]["endCursor"]
    with_queries = _queries(
        lambda: ask(PAGE, {"first": 10, "after": after, "sortBy": sort_by})
    )
    (query,) = (sql for sql in with_queries if "LIMIT 11" in sql)
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "Index Cond: (ROW(" in plan or "Index Cond: ((amazon_order_id)" in plan, plan
    assert "Sort" not in plan, plan
    assert "Filter" not in plan, plan


# --- filters -------------------------------------------------------------------------


def test_filters_find_what_they_say(ask: Ask, account: SellerAccount) -> None:
    other = SellerAccount.objects.create(
        name="Other", region="NA", seller_id="A2", import_from=NOW
    )
    plain = new_order(account, created_time=hours_ago(5)).amazon_order_id
    french = new_order(account, marketplace_id=FRANCE).amazon_order_id
    by_amazon = new_order(
        other, fulfilled_by="AMAZON", fulfillment_status="SHIPPED"
    ).amazon_order_id
    imported = new_order(
        account, import_state="imported", shop_order_number="77"
    ).amazon_order_id

    def ids(*accounts: SellerAccount) -> list[str]:
        return [Node.to_global_id("AmazonAccount", each.pk) for each in accounts]

    everything = {plain, french, by_amazon, imported}
    assert found_by(ask) == everything
    assert found_by(ask, amazonOrderIds=[plain, french, "nope"]) == {plain, french}
    assert found_by(ask, orderNumbers=["77", "78"]) == {imported}
    assert found_by(ask, accounts=ids(other)) == {by_amazon}
    assert found_by(ask, accounts=ids(account, other)) == everything
    assert found_by(ask, marketplaceIds=[FRANCE]) == {french}
    assert found_by(ask, fulfilledBy="AMAZON") == {by_amazon}
    assert found_by(ask, fulfillmentStatus=["SHIPPED", "PENDING"]) == {by_amazon}
    assert found_by(ask, importState=["IMPORTED", "IGNORED"]) == {imported}
    assert found_by(ask, importState=["WAITING"], fulfilledBy="MERCHANT") == {
        plain,
        french,
    }
    assert found_by(ask, importState=None, accounts=None) == everything
    assert found_by(ask, importState=[]) == set()
    assert found_by(ask, blockerCode=[]) == set()


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ({"gte": "2026-11-20T11:00:00Z"}, {0, 1}),
        ({"lte": "2026-11-20T11:00:00+00:00"}, {1, 2}),
        ({"gte": "2026-11-20T12:00:00+01:00", "lte": "2026-11-20T11:30:00Z"}, {1}),
        ({"gte": "2026-11-20T11:00:00"}, {0, 1}),
        ({"gte": None, "lte": None}, {0, 1, 2}),
        ({}, {0, 1, 2}),
    ],
)
def test_the_created_range_includes_its_bounds(
    ask: Ask, account: SellerAccount, created: dict[str, str], expected: set[int]
) -> None:
    orders = [new_order(account, created_time=hours_ago(n)) for n in range(3)]
    wanted = {orders[index].amazon_order_id for index in expected}
    assert found_by(ask, created=created) == wanted


def test_blockers_are_found_among_several(ask: Ask, account: SellerAccount) -> None:
    def blocked(*codes: str) -> str:
        blockers = [{"code": code, "message": "…", "subject": ""} for code in codes]
        return new_order(
            account, import_state="blocked", blockers=blockers
        ).amazon_order_id

    both = blocked("unknown_sku", "bad_address")
    stock = blocked("out_of_stock")
    new_order(account)

    assert found_by(ask, blockerCode=["BAD_ADDRESS"]) == {both}
    assert found_by(ask, blockerCode=["UNKNOWN_SKU", "OUT_OF_STOCK"]) == {both, stock}
    assert found_by(ask, blockerCode=["INTERNAL"]) == set()


def test_a_filter_by_something_that_is_no_account_is_refused(ask: Ask) -> None:
    answer = ask(PAGE, {"first": 1, "filter": {"accounts": ["T3JkZXI6MQ=="]}})
    assert answer.errors == [
        "Invalid ID: T3JkZXI6MQ==. Expected: AmazonAccount, received: Order."
    ]


def test_a_filter_takes_a_hundred_values(ask: Ask) -> None:
    answer = ask(PAGE, {"first": 1, "filter": {"amazonOrderIds": ["x"] * 101}})
    assert answer.errors == ["A filter takes at most 100 values, not 101."]


# --- queries -------------------------------------------------------------------------


def _queries(action: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(database) as context:
        action()
    return [query["sql"] for query in context.captured_queries]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("amazonOrderId note blockers { code } total { amount }", 1),
        ("buyerName", 2),
        ("items { sellerSku total { amount } }", 2),
        ("items { asin } packages { id } events { id } outboxEntries { id }", 5),
    ],
)
def test_a_list_costs_the_same_however_long(
    ask: Ask, account: SellerAccount, fields: str, expected: int
) -> None:
    query = f"{{ amazonOrders(first: 50) {{ edges {{ node {{ {fields} }} }} }} }}"
    counts = []
    for _ in range(3):
        for _ in range(4):
            shipped_order(account)
        counts.append(len(_queries(lambda: ask(query)["amazonOrders"])))
    assert counts == [expected] * 3


def test_a_count_is_one_query_more_and_no_page_is_none(
    ask: Ask, account: SellerAccount
) -> None:
    new_order(account)
    both = "{ amazonOrders(first: 1) { totalCount edges { node { id } } } }"
    assert len(_queries(lambda: ask(both))) == 2
    assert len(_queries(lambda: ask("{ amazonOrders { totalCount } }"))) == 1


def test_what_a_filter_finds_is_counted_at_most_once(
    ask: Ask, account: SellerAccount
) -> None:
    new_order(account)
    created = f'filter: {{created: {{gte: "{hours_ago(9).isoformat()}"}}}}'
    page = f"amazonOrders({created}, first: 1) {{ %s edges {{ node {{ id }} }} }}"
    assert len(_queries(lambda: ask(f"{{ {page % ''} }}"))) == 1
    assert len(_queries(lambda: ask(f"{{ {page % 'totalCount'} }}"))) == 2
    # Where it decides how the orders are read.
    page = page.replace("first", "sortBy: {field: NUMBER, direction: ASC}, first")
    assert len(_queries(lambda: ask(f"{{ {page % ''} }}"))) == 2
    assert len(_queries(lambda: ask(f"{{ {page % 'totalCount'} }}"))) == 2


def test_what_is_not_asked_for_is_not_decrypted(
    ask: Ask, account: SellerAccount
) -> None:
    new_order(account, personal={"buyer": {"buyerName": "Änne Müller"}})
    (sql,) = _queries(lambda: ask(PAGE.replace("totalCount", ""), {"first": 1}))
    for column in ("personal", "payload", "buyer_name", "refresh_token"):
        assert f'"{column}"' not in sql


def test_sort_orders_differ_at_all(ask: Ask, account: SellerAccount) -> None:
    """Guards the tests above against data that any order would satisfy."""
    orders = scattered(account)
    orders_by = [sorted_as(orders, field, "ASC") for field, _ in SORTS[::2]]
    assert all(one != other for one, other in pairwise(orders_by))


def test_the_buyers_wish_and_replacements_can_be_seen_and_filtered(
    ask: Ask, account: SellerAccount
) -> None:
    asked = new_order(account, is_cancellation_requested=True)
    replacement = new_order(account, replacement_of=asked.amazon_order_id)
    query = """
      query ($filter: AmazonOrderFilterInput) {
        amazonOrders(first: 9, filter: $filter) {
          edges { node { amazonOrderId isCancellationRequested replacementOf } }
        }
      }
    """

    def found(**given: Any) -> list[Any]:
        edges = ask(query, {"filter": given})["amazonOrders"]["edges"]
        return [list(edge["node"].values()) for edge in edges]

    assert found(isCancellationRequested=True) == [[asked.amazon_order_id, True, None]]
    assert found(replacementOf=[asked.amazon_order_id]) == [
        [replacement.amazon_order_id, False, asked.amazon_order_id]
    ]


def test_orders_that_are_tried_again_are_read_together(
    ask: Ask, account: SellerAccount
) -> None:
    query = """mutation ($ids: [ID!]!) { amazonOrderRetryImport(ids: $ids) {
      orders { items { id } events { id } } } }"""

    def queries(count: int) -> int:
        orders = [shipped_order(account) for _ in range(count)]
        ids = [Node.to_global_id("AmazonOrder", order.pk) for order in orders]
        return len(_queries(lambda: ask(query, {"ids": ids})["amazonOrderRetryImport"]))

    assert queries(1) == queries(5)
