"""Each request that shows buyers' data leaves one line, which has none of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from graphql_api.conftest import ADMIN, SCHEMA, Answer
from graphql_api.test_permissions import CUSTOMER, PLUGINS
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import AmazonOrder, OutboxEntry, SellerAccount
from wire_orders import NOW, wire_order

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

FIRST, SECOND, THIRD = (f"111-0000001-000000{number}" for number in (1, 2, 3))

PEOPLE = """
fragment People on AmazonOrder {
  buyerName buyer { name } shippingAddress { city } deliveryInstructions
}
"""
LIST = f"""
query ($first: Int = 9, $filter: AmazonOrderFilterInput) {{
  amazonOrders(
    first: $first, filter: $filter, sortBy: {{ field: NUMBER, direction: ASC }}
  ) {{ edges {{ node {{ ...People }} }} }}
}}
{PEOPLE}
"""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)

    def read() -> list[str]:
        found = [
            record.getMessage()
            for record in caplog.records
            if record.name == "saleor_amazon_channel.audit"
        ]
        # Nowhere in the log, of whatever logger.
        for personal in ("Müller", "Hauptstr", "Berlin", "10115"):
            assert personal not in caplog.text
        caplog.clear()
        return found

    return read


@pytest.fixture
def told(account: SellerAccount) -> SellerAccount:
    orders = [wire_order(each) for each in (FIRST, SECOND, THIRD)]
    recorder.record(account, [(Order.from_wire(wire), wire) for wire in orders])
    AmazonOrder.objects.filter(amazon_order_id=THIRD).update(
        redacted_at=NOW, buyer_name="", personal={}
    )
    return account


def test_one_line_for_a_list(ask: Ask, told: Any, lines: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = ask(LIST)["amazonOrders"]

    assert page["edges"][0]["node"]["buyerName"] == "Änne Müller"
    assert page["edges"][2]["node"]["buyerName"] is None
    # Of the third nothing is known any more.
    assert lines() == [
        "buyer data shown to user admin@example.com: buyer, buyerName, shippingAddress "
        f"of 2 Amazon orders: {FIRST}, {SECOND}"
    ]
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_one_line_for_several_fields_of_a_request(
    ask: Ask, told: Any, lines: Any
) -> None:
    answer = ask(
        f"""{{
          a: amazonOrder(amazonOrderId: "{SECOND}") {{ buyerName }}
          b: amazonOrder(amazonOrderId: "{FIRST}") {{
            ...People items {{ giftMessage }}
          }}
          c: amazonOrder(amazonOrderId: "{FIRST}") {{ buyerName }}
        }}
        {PEOPLE}"""
    )
    assert answer.errors == []
    assert lines() == [
        "buyer data shown to user admin@example.com: buyer, buyerName, shippingAddress "
        f"of 2 Amazon orders: {SECOND}, {FIRST}"
    ]


def test_what_was_written_to_the_buyer(ask: Ask, told: Any, lines: Any) -> None:
    OutboxEntry.objects.create(
        account=told,
        order=AmazonOrder.objects.get(amazon_order_id=FIRST),
        kind="buyer_message",
        idempotency_key="m",
        payload={"action": "warranty"},
        personal={"text": "Frau Müller, Hauptstr. 5?", "files": ["Müller.pdf"]},
    )
    query = """{ amazonOutbox(first: 5) { edges { node {
      description buyerMessage { action %s }
    } } } }"""

    assert ask(query % "").errors == []
    assert lines() == []
    assert ask(query % "text fileNames").errors == []
    assert lines() == [
        "buyer data shown to user admin@example.com: buyerMessage.fileNames, "
        f"buyerMessage.text of 1 Amazon orders: {FIRST}"
    ]


def test_no_line_where_nothing_is_shown(ask: Ask, told: Any, lines: Any) -> None:
    # Not selected, nobody there, already deleted, not allowed.
    assert ask("{ amazonOrders(first: 9) { edges { node { id note } } } }").errors == []
    assert ask(LIST, {"first": 9, "filter": {"buyer": "nobody"}}).errors == []
    assert ask(LIST, {"filter": {"amazonOrderIds": [THIRD]}}).errors == []
    for identity in (None, CUSTOMER, PLUGINS):
        assert ask(LIST, identity=identity).errors != []
    assert lines() == []


def test_a_request_that_fails_afterwards_has_its_line(
    ask: Ask, told: Any, lines: Any
) -> None:
    answer = ask(
        f"""{{
          amazonOrder(amazonOrderId: "{FIRST}") {{ buyerName }}
          amazonOrders(first: 1000) {{ edges {{ node {{ id }} }} }}
        }}"""
    )
    assert answer.data["amazonOrder"] == {"buyerName": "Änne Müller"}
    assert len(answer.errors) == 1
    assert len(lines()) == 1


def test_where_nobody_waits_for_the_end_it_is_logged_at_once(
    told: Any, lines: Any
) -> None:
    context = SimpleNamespace(identity=ADMIN)
    result = SCHEMA.execute(LIST, context_value=context)
    assert not result.errors
    assert len(lines()) == 6
