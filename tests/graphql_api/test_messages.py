"""Writing to buyers in GraphQL: what is asked at once, and what waits for a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from graphene.relay import Node

from graphql_api.conftest import ADMIN, SCHEMA, Answer
from graphql_api.message_requests import OFFER, REVIEW, SEND
from graphql_api.rows import new_order
from saleor_amazon_channel import clock
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    OutboxAttachment,
    OutboxEntry,
    SellerAccount,
)
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    events,
    running_sandbox,
)
from wire_orders import NOW, wire_order

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with clock.frozen(NOW), running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def order(account: SellerAccount, sandbox: Sandbox) -> AmazonOrder:
    """An unshipped order, here and on Amazon, which is not imported."""
    ChannelSettings.objects.create(id=1, active=True)
    account.seller_id = "A1SANDBOXEU"
    account.lwa_client_id, account.lwa_client_secret = CLIENT_ID, CLIENT_SECRET
    account.refresh_token = "Atzr|sandbox-EU"
    account.endpoint_override = sandbox.url
    account.lwa_endpoint_override = sandbox.lwa_url
    account.save()
    order = new_order(account)
    sandbox.state.put_orders([wire_order(order.amazon_order_id)])
    return order


def do(query: str, order: AmazonOrder, files: dict[str, Any] | None = None, **by: Any):
    """The mutation's answer to a staff user who may do all."""
    result = SCHEMA.execute(
        query,
        variable_values={"id": Node.to_global_id("AmazonOrder", order.pk), **by},
        context_value=SimpleNamespace(identity=ADMIN, FILES=files or {}),
    )
    assert not result.errors
    (answer,) = result.data.values()
    return answer


def message(action: str = "CONFIRM_ORDER_DETAILS", **more: Any) -> dict[str, Any]:
    return {"action": action, **more}


def test_what_amazon_offers_is_asked_for(order: AmazonOrder, sandbox: Sandbox) -> None:
    answer = do(OFFER, order)

    text = {"maxTextLength": 2000, "takesAttachments": False, "needsAttachment": False}
    assert answer == {
        "offer": {
            "messages": [
                {"action": "CONFIRM_ORDER_DETAILS", **text},
                {"action": "CONFIRM_DELIVERY_DETAILS", **text},
                {"action": "UNEXPECTED_PROBLEM", **text},
                {
                    "action": "LEGAL_DISCLOSURE",
                    "maxTextLength": None,
                    "takesAttachments": True,
                    "needsAttachment": True,
                },
            ],
            "buyerLocale": "de-DE",
            "isReviewRequestOffered": False,
        },
        "errors": [],
    }


def test_what_is_not_known_in_time_is_not_told(
    order: AmazonOrder, sandbox: Sandbox
) -> None:
    sandbox.state.inject_fault("GetAttributes", "unavailable")
    sandbox.state.inject_fault("getSolicitationActionsForOrder", "unauthorized")

    offer = do(OFFER, order)["offer"]

    assert len(offer["messages"]) == 4
    assert (offer["buyerLocale"], offer["isReviewRequestOffered"]) == (None, None)


def test_no_call_begins_after_five_seconds(
    order: AmazonOrder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([NOW, NOW + timedelta(seconds=6)])
    monkeypatch.setattr(
        "saleor_amazon_channel.graphql.message_mutations.clock",
        SimpleNamespace(
            now=lambda: next(times, NOW + timedelta(seconds=6)), factor=lambda: 1
        ),
    )

    offer = do(OFFER, order)["offer"]

    assert (offer["buyerLocale"], offer["isReviewRequestOffered"]) == (None, None)
    assert sandbox.state.calls("GetAttributes") == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [("unavailable", "UNAVAILABLE"), ("unauthorized", "FORBIDDEN")],
)
def test_an_amazon_that_does_not_answer_is_said(
    order: AmazonOrder, sandbox: Sandbox, fault: str, code: str
) -> None:
    sandbox.state.inject_fault("getMessagingActionsForOrder", fault)

    answer = do(OFFER, order)

    assert answer["offer"] is None
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == ("id", code)


def test_a_message_is_written_for_the_workers(
    order: AmazonOrder, sandbox: Sandbox
) -> None:
    answer = do(SEND, order, input=message(text=" Hausnummer 5? "))

    assert answer == {
        "amazonOrder": {
            "note": "The message confirmOrderDetails is to be sent to the buyer."
        },
        "outboxEntry": {
            "kind": "BUYER_MESSAGE",
            "state": "PENDING",
            "actor": "admin@example.com",
            "buyerMessage": {
                "action": "CONFIRM_ORDER_DETAILS",
                "text": "Hausnummer 5?",
                "fileNames": [],
            },
        },
        "errors": [],
    }
    assert OutboxEntry.objects.get().payload == {"action": "confirmOrderDetails"}
    assert sandbox.state.messages == []


def test_files_come_in_the_parts_of_the_request(order: AmazonOrder) -> None:
    files = {"0": SimpleUploadedFile("Maß.pdf", b"%PDF")}

    answer = do(
        SEND, order, files, input=message("LEGAL_DISCLOSURE", attachments=["0"])
    )

    assert answer["outboxEntry"]["buyerMessage"]["fileNames"] == ["Maß.pdf"]
    assert OutboxAttachment.objects.get().content == b"%PDF"


@pytest.mark.parametrize("attachments", [["1"], ['"0"'], ["0", "1"]])
def test_a_file_that_is_not_there(order: AmazonOrder, attachments: list[str]) -> None:
    files = {"0": SimpleUploadedFile("a.pdf", b"%PDF")}

    answer = do(
        SEND, order, files, input=message("LEGAL_DISCLOSURE", attachments=attachments)
    )

    [error] = answer["errors"]
    assert (error["field"], error["code"]) == ("attachments", "REQUIRED")


def test_a_file_that_is_too_large_is_not_read(order: AmazonOrder) -> None:
    file = SimpleUploadedFile("a.pdf", b"%PDF")
    file.size = 10_000_001
    file.file = None

    answer = do(
        SEND, order, {"0": file}, input=message("LEGAL_DISCLOSURE", attachments=["0"])
    )

    [error] = answer["errors"]
    assert error["message"] == "The file is larger than 10 MB."


def test_what_amazon_would_refuse_is_said_field_by_field(order: AmazonOrder) -> None:
    given = message(
        "CONFIRM_ORDER_DETAILS",
        text="<b>x</b> me@shop.example",
        coverageEndDate="2026-12-01T00:00:00Z",
    )

    errors = do(SEND, order, input=given)["errors"]

    assert [(each["field"], each["code"], each["message"]) for each in errors] == [
        ("text", "INVALID", "Amazon allows no HTML in messages."),
        ("text", "INVALID", "Amazon allows no e-mail address in messages."),
        (
            "coverageStartDate",
            "INVALID",
            "Only a warranty has a time that it covers.",
        ),
    ]
    assert OutboxEntry.objects.count() == 0


def test_what_amazon_does_not_offer_is_refused_at_once(order: AmazonOrder) -> None:
    [error] = do(SEND, order, input=message("DIGITAL_ACCESS_KEY", text="x"))["errors"]

    assert (error["field"], error["code"]) == ("action", "NOT_OFFERED")
    assert "It offers: confirmDeliveryDetails" in error["message"]
    assert OutboxEntry.objects.count() == 0


@pytest.mark.parametrize("fault", ["throttled", "unavailable", "close_after_effect"])
def test_while_amazon_does_not_answer_the_worker_will_ask(
    order: AmazonOrder, sandbox: Sandbox, fault: str
) -> None:
    sandbox.state.inject_fault("getMessagingActionsForOrder", fault)

    answer = do(SEND, order, input=message(text="Hausnummer 5?"))

    assert answer["errors"] == []
    assert answer["outboxEntry"]["state"] == "PENDING"


def test_the_same_message_again_is_the_same_entry_and_then_refused(
    order: AmazonOrder,
) -> None:
    given = message("UNEXPECTED_PROBLEM", text="Zerbrochen.")
    do(SEND, order, input=given)
    assert do(SEND, order, input=given)["errors"] == []
    assert OutboxEntry.objects.count() == 1

    OutboxEntry.objects.update(state="succeeded", settled_at=NOW)
    [error] = do(SEND, order, input=given)["errors"]

    assert (error["code"], error["message"]) == (
        "UNIQUE",
        "The message unexpectedProblem with this text was sent to the buyer on "
        "2026-11-20.",
    )


def test_a_review_is_asked_for(order: AmazonOrder, sandbox: Sandbox) -> None:
    sandbox.state.put_orders(
        [wire_order(order.amazon_order_id, created=NOW - timedelta(days=9))]
    )
    with clock.frozen(NOW - timedelta(days=8)):
        events.ship(sandbox.state, order.amazon_order_id)

    answer = do(REVIEW, order)

    assert answer == {
        "amazonOrder": {"note": "The buyer is to be asked for a review."},
        "outboxEntry": {
            "kind": "REVIEW_REQUEST",
            "state": "PENDING",
            "actor": "admin@example.com",
            "buyerMessage": None,
        },
        "errors": [],
    }


def test_a_review_that_amazon_does_not_offer(order: AmazonOrder) -> None:
    [error] = do(REVIEW, order)["errors"]

    assert (error["field"], error["code"]) == ("id", "NOT_OFFERED")
    assert "from 5 days after the earliest" in error["message"]
    assert OutboxEntry.objects.count() == 0


@pytest.mark.parametrize("query", [OFFER, SEND, REVIEW])
def test_an_account_that_is_not_active_is_not_asked(
    order: AmazonOrder, sandbox: Sandbox, query: str
) -> None:
    SellerAccount.objects.update(state="paused", state_reason="Paused by Ann.")

    by = {"input": message(text="x")} if query == SEND else {}
    [error] = do(query, order, **by)["errors"]

    assert error["message"] == "The account Mugs and more is not active. Paused by Ann."
    assert sandbox.state.calls() == []


@pytest.mark.parametrize("query", [OFFER, SEND, REVIEW])
def test_nothing_is_said_while_the_channel_is_off(
    order: AmazonOrder, query: str
) -> None:
    ChannelSettings.objects.update(active=False)

    by = {"input": message(text="x")} if query == SEND else {}
    [error] = do(query, order, **by)["errors"]

    assert error["code"] == "CHANNEL_INACTIVE"


def test_an_order_that_is_not_there(ask: Ask, order: AmazonOrder) -> None:
    missing = {"id": Node.to_global_id("AmazonOrder", order.pk + 1)}

    [error] = ask(REVIEW, missing)["amazonReviewRequest"]["errors"]

    assert (error["field"], error["code"]) == ("id", "NOT_FOUND")
