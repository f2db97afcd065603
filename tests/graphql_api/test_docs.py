"""The requests of ``docs/api.md`` give the answers that stand below them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import transaction

from graphql_api.conftest import Answer
from graphql_api.root_fields import REQUESTS
from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.amazon.errors import ErrorDetail, InvalidRequest
from saleor_amazon_channel.invoicing import record
from saleor_amazon_channel.ledger import communication
from saleor_amazon_channel.models import AmazonOrder, ChannelSettings, SellerAccount
from saleor_amazon_channel.sandbox import Sandbox, running_sandbox
from saleor_amazon_channel.sandbox.orders_file import load_orders
from saleor_amazon_channel.store.contract import ShopInvoice
from sqs import Sqs, running_sqs
from standalone.driver import StandaloneDriver
from wire_orders import NOW

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = DOCS / "api.md"
ADDRESS = "http://127.0.0.1:8765"
SQS = "http://127.0.0.1:5000"
COMMAND = "--orders docs/orders.json --accounts docs/accounts.json --port 8765"

_EVENT = re.compile(rf"curl -d '(.*?)' \\\n +{re.escape(ADDRESS)}(\S+)")
_EXAMPLE = re.compile(r"```graphql\n(.*?)```\n```json\n(.*?)```", re.DOTALL)


@pytest.fixture
def sandbox(transactional_db: None) -> Iterator[Sandbox]:
    """A shop with goods, and the document's sandbox: nothing connects them yet."""
    shop = StandaloneDriver()
    with clock.frozen(NOW), running_sandbox() as sandbox:
        ChannelSettings.objects.create(id=1, active=True)
        channel = shop.create_channel("amazon-de", "EUR", country="DE")
        warehouse = channel.warehouses[0].id
        shop.create_variant("MUG-1", [channel.id], stock={warehouse: 10})
        for account in json.loads((DOCS / "accounts.json").read_text()):
            sandbox.state.add_account(**account)
        sandbox.state.put_orders(load_orders(DOCS / "orders.json"))
        with clock.frozen(NOW - timedelta(hours=1)):
            cause_events(sandbox)
        yield sandbox


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        running.create_queue("amazon-orders")
        yield running


def cause_events(sandbox: Sandbox) -> None:
    """What the document has happen in the sandbox."""
    events = _EVENT.findall(DOCUMENT.read_text())
    assert len(events) == 2
    for data, path in events:
        answer = requests.post(sandbox.url + path, data, timeout=10)
        assert answer.status_code == 200, answer.text


def fail() -> None:
    """What the document says that Amazon refused."""
    error = InvalidRequest(
        "confirmShipment",
        status=400,
        errors=(ErrorDetail("InvalidInput", "Invalid carrierCode"),),
        request_id="1cf0-4d02",
    )
    account = SellerAccount.objects.earliest("pk")
    communication.note_failure(account, error.operation, error, "111-0000001-0000001")


def invoice() -> None:
    """The invoice that the document says is on its way."""
    order = AmazonOrder.objects.get(amazon_order_id="111-0000001-0000001")
    assert order.shop_order_id
    made = ShopInvoice("7", order.shop_order_id, "RE-1", "admin@example.com")
    with transaction.atomic():
        record.record_invoices([made])


#: What happens before a request of the document that has a word in it.
BEFORE = {"amazonCommunicationLog": fail, "amazonInvoicePush": invoice}


def matches(told: Any, given: Any) -> bool:
    """Whether an answer is as told; ``…`` at the end of a text stands for anything."""
    if isinstance(told, str) and isinstance(given, str) and told.endswith("…"):
        return given.startswith(told.removesuffix("…"))
    if isinstance(told, dict) and isinstance(given, dict):
        return told.keys() == given.keys() and all(
            matches(value, given[name]) for name, value in told.items()
        )
    if isinstance(told, list) and isinstance(given, list):
        return len(told) == len(given) and all(map(matches, told, given))
    return bool(told == given)


def test_the_ellipsis_matches_only_where_it_stands() -> None:
    assert matches({"a": ["T3J…"]}, {"a": ["T3JkZXI6"]})
    assert not matches({"a": ["T3J…"]}, {"a": ["X3JkZXI6"]})
    assert not matches({"a": 1}, {"a": 1, "b": 2})
    assert not matches([1], [1, 2])


def test_every_root_field_has_a_request() -> None:
    requests = "".join(request for request, _ in _EXAMPLE.findall(DOCUMENT.read_text()))
    asked_for = set(re.findall(r"\bamazon\w+", requests))
    assert set(REQUESTS) - asked_for == set()


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_every_request_gives_the_answer_below_it(
    ask: Callable[..., Answer], sandbox: Sandbox, sqs: Sqs
) -> None:
    text = DOCUMENT.read_text()
    assert COMMAND in text
    examples = _EXAMPLE.findall(text)
    assert len(examples) == text.count("```graphql") > 20
    for request, told in examples:
        for word, happens in BEFORE.items():
            if word in request:
                happens()
        request = request.replace(ADDRESS, sandbox.url).replace(SQS, sqs.url)
        answer = ask(request)
        assert answer.errors == []
        given = json.loads(json.dumps({"data": answer.data}))
        assert matches(json.loads(told), given), (
            f"{request}\n{json.dumps(given, indent=2, ensure_ascii=False)}"
        )
        if re.search(
            "amazonOrdersImport|amazonBackfillStart|amazonReconcile\\(|sendStock: true",
            request,
        ):
            # A worker comes round.
            for _ in range(2):
                for task, arguments in tasks.due():
                    task(*arguments)
