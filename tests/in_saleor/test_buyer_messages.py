"""Rows A8 and A9 in real Saleor: staff act through its GraphQL."""

from __future__ import annotations

import json
from datetime import timedelta

import graphene
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from saleor.core.db.connection import allow_writer

from graphql_api.message_requests import OFFER, REVIEW, SEND
from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.world import running_world
from saleor_amazon_channel.models import OrderEvent, OutboxEntry
from saleor_amazon_channel.saleor.store import SaleorStore
from saleor_amazon_channel.sandbox import events
from wire_orders import wire_order

from .test_end_to_end import do

ORDER = "111-0000001-0000001"
NOTE = """
mutation ($order: ID!, $input: OrderNoteInput!) {
  result: orderNoteAdd(order: $order, input: $input) {
    order { events { type message } } errors { field message }
  }
}
"""


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


@pytest.fixture
def world(shop):
    with running_world(shop, SaleorStore()) as world:
        world.sandbox.state.put_orders([wire_order(ORDER)])
        world.work_until_quiet(2)
        yield world


def amazon_id(world):
    return graphene.Node.to_global_id("AmazonOrder", world.ledger_order(ORDER).pk)


def test_a8_staff_write_to_the_buyer(shop, world):
    offer = do(shop, OFFER, id=amazon_id(world))["offer"]
    assert "CONFIRM_ORDER_DETAILS" in [each["action"] for each in offer["messages"]]
    given = {"action": "CONFIRM_ORDER_DETAILS", "text": "Hausnummer 5?"}

    entry = do(shop, SEND, id=amazon_id(world), input=given)["outboxEntry"]
    world.work_until_quiet(2)

    assert (entry["state"], entry["actor"]) == ("PENDING", "staff@example.com")
    [sent] = world.sandbox.state.messages_of(ORDER)
    assert (sent.action, sent.text) == ("confirmOrderDetails", "Hausnummer 5?")
    order = shop.order(world.ledger_order(ORDER).shop_order_id)
    assert order.notes[-1] == (
        "The message confirmOrderDetails was sent to the buyer on Amazon."
    )
    assert shop.emails() == []


def test_a8_a_file_goes_along(shop, world):
    variables = {
        "id": amazon_id(world),
        "input": {"action": "LEGAL_DISCLOSURE", "attachments": [None]},
    }
    answer = shop._staff.post_multipart(
        {
            "operations": json.dumps({"query": SEND, "variables": variables}),
            "map": json.dumps({"0": ["variables.input.attachments.0"]}),
            "0": SimpleUploadedFile("Maß.pdf", b"%PDF-1.7", "application/pdf"),
        }
    ).json()
    assert answer["data"]["amazonBuyerMessageSend"]["errors"] == []
    world.work_until_quiet(2)

    [sent] = world.sandbox.state.messages_of(ORDER)
    assert sent.attachments == (("Maß.pdf", b"%PDF-1.7"),)


def test_a8_the_buyer_is_asked_for_a_review(shop, world):
    events.ship(world.sandbox.state, ORDER)
    [error] = shop.query(REVIEW, id=amazon_id(world))["amazonReviewRequest"]["errors"]
    assert error["code"] == "NOT_OFFERED"
    world.move_clock(timedelta(days=6))
    world.work_until_quiet(2)

    do(shop, REVIEW, id=amazon_id(world))
    world.work_until_quiet(2)

    assert list(world.sandbox.state.solicited) == [ORDER]


def test_a9_a_note_of_staff_stays_in_saleor(shop, world):
    world.work_until_quiet(2)
    world.sandbox.state.clear_calls()
    told = OrderEvent.objects.count()

    answer = do(
        shop,
        NOTE,
        order=graphene.Node.to_global_id(
            "Order", world.ledger_order(ORDER).shop_order_id
        ),
        input={"message": "Ring the buyer before shipping."},
    )

    # On Saleor's own timeline, beside what the channel noted there ...
    assert answer["order"]["events"][-1] == {
        "type": "NOTE_ADDED",
        "message": "Ring the buyer before shipping.",
    }
    # ... and nowhere else: no intent, no event of the Amazon order, no call.
    assert world.sandbox.state.calls() == []
    world.work_until_quiet(3)
    assert OutboxEntry.objects.count() == 0
    assert OrderEvent.objects.count() == told
    # Whatever is read on schedule meanwhile.
    called = {call.operation for call in world.sandbox.state.calls()}
    assert called <= {"searchOrders", "listTransactions", "lwaToken"}
    assert world.sandbox.state.messages == []
