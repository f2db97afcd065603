from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest

from saleor_amazon_channel.amazon import messaging, solicitations, uploads
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    Forbidden,
    InvalidRequest,
    MalformedAnswer,
    NotOffered,
    Throttled,
    UnknownOutcome,
)
from saleor_amazon_channel.amazon.messaging import (
    FORMS,
    Attachment,
    File,
    Message,
    MessageAction,
)
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS

from .conftest import Answer, Loopback, StillClock, errors

ORDER = "111-0000001-0000001"
GERMANY = "A1PA6795UKMFR9"
ACTIONS = f"/messaging/v1/orders/{ORDER}"
SOLICITATIONS = f"/solicitations/v1/orders/{ORDER}"
REVIEW = f"{SOLICITATIONS}/solicitations/productReviewAndSellerFeedback"
PROBLEM = Message(MessageAction.UNEXPECTED_PROBLEM, " Der Becher ist zerbrochen. ")


def links(*names: str) -> Answer:
    return Answer(
        body={
            "_links": {
                "actions": [{"href": f"/x/{name}", "name": name} for name in names],
                "self": {"href": "/x"},
            }
        },
        content_type="application/hal+json",
    )


def path_of(message: Message) -> str:
    return f"{ACTIONS}/messages/{FORMS[message.action].resource}"


def test_the_offered_kinds_are_those_that_are_known(
    amazon: Loopback, client: Client
) -> None:
    amazon.answer(
        ACTIONS, links("warranty", "amazonMotors", "sendInvoice", "attributes")
    )

    offered = messaging.get_actions(client, ORDER, GERMANY)

    assert offered == {MessageAction.WARRANTY, MessageAction.SEND_INVOICE}
    [asked] = amazon.calls(ACTIONS)
    assert asked.query == {"marketplaceIds": GERMANY}
    assert "application/hal+json" in asked.headers["accept"]


@pytest.mark.parametrize("body", [{}, [], {"_links": {}}, {"_links": {"actions": {}}}])
def test_an_answer_without_actions_is_no_answer(
    amazon: Loopback, client: Client, body: object
) -> None:
    amazon.answer(ACTIONS, Answer(body=body))

    with pytest.raises(MalformedAnswer):
        messaging.get_actions(client, ORDER, GERMANY)


@pytest.mark.parametrize(
    ("body", "locale"),
    [({"buyer": {"locale": "de-DE"}}, "de-DE"), ({"buyer": {}}, ""), ({}, "")],
)
def test_the_buyers_language(
    amazon: Loopback, client: Client, body: object, locale: str
) -> None:
    amazon.answer(f"{ACTIONS}/attributes", Answer(body=body))

    assert messaging.get_locale(client, ORDER, GERMANY) == locale


def test_a_text_is_sent_as_the_model_says(amazon: Loopback, client: Client) -> None:
    amazon.answer(path_of(PROBLEM), Answer(201, {}))

    messaging.send(client, ORDER, GERMANY, PROBLEM)

    [sent] = amazon.calls(path_of(PROBLEM))
    assert (sent.method, sent.query) == ("POST", {"marketplaceIds": GERMANY})
    assert json.loads(sent.body) == {"text": "Der Becher ist zerbrochen."}


def test_a_warranty_has_files_and_times(amazon: Loopback, client: Client) -> None:
    warranty = Message(
        MessageAction.WARRANTY,
        coverage_start=datetime(2026, 11, 1, tzinfo=UTC),
        coverage_end=datetime(2028, 11, 1, tzinfo=UTC),
    )
    amazon.answer(path_of(warranty), Answer(201, {}))

    messaging.send(client, ORDER, GERMANY, warranty, [Attachment("up-1", "w.pdf")])

    [sent] = amazon.calls(path_of(warranty))
    assert json.loads(sent.body) == {
        "attachments": [{"uploadDestinationId": "up-1", "fileName": "w.pdf"}],
        "coverageStartDate": "2026-11-01T00:00:00Z",
        "coverageEndDate": "2028-11-01T00:00:00Z",
    }


def test_the_path_of_an_invoice_is_not_its_name() -> None:
    path = messaging.resource_of(ORDER, MessageAction.SEND_INVOICE)
    assert path == f"{ACTIONS}/messages/invoice"


def test_a_success_with_errors_in_it_is_none(amazon: Loopback, client: Client) -> None:
    amazon.answer(path_of(PROBLEM), Answer(201, errors("InvalidInput", "Not so.")))

    with pytest.raises(InvalidRequest, match="InvalidInput: Not so"):
        messaging.send(client, ORDER, GERMANY, PROBLEM)


@pytest.mark.parametrize("answer", [Answer(500), Answer(instead="drop")])
def test_a_message_is_sent_once_only(
    amazon: Loopback, client: Client, answer: Answer
) -> None:
    amazon.answer(path_of(PROBLEM), answer)

    with pytest.raises(UnknownOutcome):
        messaging.send(client, ORDER, GERMANY, PROBLEM)
    assert len(amazon.calls(path_of(PROBLEM))) == 1


def test_what_is_not_offered_is_told_apart_from_what_is_forbidden(
    amazon: Loopback, client: Client
) -> None:
    refusal = errors("Unauthorized", "Invalid amazonOrderId and template combination.")
    denied = errors("Unauthorized", "Access to requested resource is denied.")
    amazon.answer(path_of(PROBLEM), Answer(403, refusal), Answer(403, denied))

    with pytest.raises(NotOffered):
        messaging.send(client, ORDER, GERMANY, PROBLEM)
    with pytest.raises(Forbidden) as caught:
        messaging.send(client, ORDER, GERMANY, PROBLEM)
    assert not isinstance(caught.value, NotOffered)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("text is too long", "text is too long"),
        (
            "text 'Becher ist zerbro' has HTML",
            "Amazon's reason quotes the message; it is not kept",
        ),
    ],
)
def test_an_error_never_quotes_the_message(
    amazon: Loopback, client: Client, said: str, kept: str
) -> None:
    amazon.answer(path_of(PROBLEM), Answer(400, errors("InvalidInput", said)))

    with pytest.raises(InvalidRequest) as caught:
        messaging.send(client, ORDER, GERMANY, PROBLEM)
    assert str(caught.value.errors[0]) == f"InvalidInput: {kept}"


def test_throttling_is_told_with_the_time(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(path_of(PROBLEM), Answer(429, errors("QuotaExceeded", "Wait.")))

    with pytest.raises(Throttled):
        messaging.send(client, ORDER, GERMANY, PROBLEM)


PDF = File("a.pdf", b"%PDF")


@pytest.mark.parametrize(
    ("message", "files", "fields"),
    [
        (Message(MessageAction.CONFIRM_ORDER_DETAILS, "x" * 2000), [], []),
        (Message(MessageAction.CONFIRM_ORDER_DETAILS, "x" * 2001), [], ["text"]),
        (Message(MessageAction.CONFIRM_CUSTOMIZATION_DETAILS, "x" * 801), [], ["text"]),
        (Message(MessageAction.DIGITAL_ACCESS_KEY, "x" * 400), [PDF], []),
        (Message(MessageAction.DIGITAL_ACCESS_KEY, "x" * 401), [PDF], ["text"]),
        (Message(MessageAction.CONFIRM_ORDER_DETAILS, " \n "), [], ["text"]),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "a < b, 3 > 2"), [], []),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "a <b>bold</b>"), [], ["text"]),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "a <br/>"), [], ["text"]),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "me@shop.example"), [], ["text"]),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "2 @ 5 euro"), [], []),
        (Message(MessageAction.UNEXPECTED_PROBLEM, "a"), [PDF], ["attachments"]),
        (Message(MessageAction.LEGAL_DISCLOSURE), [PDF], []),
        (Message(MessageAction.LEGAL_DISCLOSURE, "a"), [PDF], ["text"]),
        (Message(MessageAction.LEGAL_DISCLOSURE), [], ["attachments"]),
        (Message(MessageAction.LEGAL_DISCLOSURE), [PDF] * 5, []),
        (Message(MessageAction.LEGAL_DISCLOSURE), [PDF] * 6, ["attachments"]),
        (Message(MessageAction.SEND_INVOICE), [File("a.exe", b"x")], ["attachments"]),
        (Message(MessageAction.SEND_INVOICE), [File("a.PDF", b"x")], []),
        (Message(MessageAction.SEND_INVOICE), [File("a.pdf", b"")], ["attachments"]),
        (
            Message(MessageAction.SEND_INVOICE),
            [File("a.pdf", b"x" * 5_000_001)] * 2,
            ["attachments"],
        ),
        (
            Message(
                MessageAction.WARRANTY,
                coverage_start=datetime(2026, 2, 1, tzinfo=UTC),
                coverage_end=datetime(2026, 1, 1, tzinfo=UTC),
            ),
            [PDF],
            ["coverage_end"],
        ),
        (
            Message(
                MessageAction.UNEXPECTED_PROBLEM,
                "a",
                coverage_end=datetime(2026, 1, 1, tzinfo=UTC),
            ),
            [],
            ["coverage_start"],
        ),
    ],
)
def test_what_amazon_would_refuse_is_found_before(
    message: Message, files: list[File], fields: list[str]
) -> None:
    assert [field for field, _ in messaging.problems(message, files)] == fields


def test_problems_do_not_quote_the_message() -> None:
    found = messaging.problems(
        Message(MessageAction.DIGITAL_ACCESS_KEY, "<b>secret@shop.example</b>" * 40),
        [File("secret.exe", b"")],
    )
    assert len(found) == 5
    assert "secret" not in repr(found)


def test_nothing_that_was_written_is_in_a_repr() -> None:
    shown = repr((PROBLEM, File("Müller.pdf", b"x"), Attachment("1", "Müller.pdf")))
    assert "Becher" not in shown
    assert "Müller" not in shown


def test_every_operation_has_a_usage_plan() -> None:
    operations = {
        messaging.GET_ACTIONS,
        messaging.GET_ATTRIBUTES,
        solicitations.GET_ACTIONS,
        solicitations.CREATE,
        uploads.CREATE_DESTINATION,
        *(form.operation for form in FORMS.values()),
    }
    assert set(FORMS) == set(MessageAction)
    assert operations <= set(USAGE_PLANS)


# --- reviews -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "is_offered"),
    [(links("productReviewAndSellerFeedback"), True), (links(), False)],
)
def test_whether_a_review_can_be_asked_for(
    amazon: Loopback, client: Client, answer: Answer, is_offered: bool
) -> None:
    amazon.answer(SOLICITATIONS, answer)

    assert solicitations.is_review_offered(client, ORDER, GERMANY) is is_offered


def test_a_review_is_asked_for_without_a_body(amazon: Loopback, client: Client) -> None:
    amazon.answer(REVIEW, Answer(201, {}))

    solicitations.request_review(client, ORDER, GERMANY)

    [sent] = amazon.calls(REVIEW)
    assert (sent.method, sent.query, sent.body) == (
        "POST",
        {"marketplaceIds": GERMANY},
        "",
    )


@pytest.mark.parametrize(
    "said",
    [
        "The requested solicitation is not available for this amazonOrderId.",
        "You can't use this feature to request a review outside the 5-30 day range "
        "after the order delivery date.",
    ],
)
def test_a_review_that_is_not_offered(
    amazon: Loopback, client: Client, said: str
) -> None:
    amazon.answer(REVIEW, Answer(403, errors("Unauthorized", said)))

    with pytest.raises(NotOffered):
        solicitations.request_review(client, ORDER, GERMANY)


# --- uploads -------------------------------------------------------------------------

RESOURCE = f"{ACTIONS}/messages/legalDisclosure"
DESTINATIONS = f"/uploads/2020-11-01/uploadDestinations{RESOURCE}"
LINK = "/the-link"
CONTENT = b"%PDF-1.7 the law"
MD5 = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()


def upload(client: Client) -> str:
    return uploads.attach(client, RESOURCE, GERMANY, CONTENT, "application/pdf")


def destination(url: str, **more: object) -> Answer:
    return Answer(201, {"payload": {"uploadDestinationId": "up-1", "url": url, **more}})


def test_a_file_goes_up_with_the_headers_that_the_link_is_signed_with(
    amazon: Loopback, client: Client
) -> None:
    amazon.answer(
        DESTINATIONS,
        destination(
            amazon.url + LINK,
            headers={"Content-MD5": MD5, "x-amz-server-side-encryption": "aws:kms"},
        ),
    )
    amazon.answer(LINK, Answer(200))

    assert upload(client) == "up-1"
    [asked] = amazon.calls(DESTINATIONS)
    assert (asked.method, asked.query) == (
        "POST",
        {
            "marketplaceIds": GERMANY,
            "contentMD5": MD5,
            "contentType": "application/pdf",
        },
    )
    [put] = amazon.calls(LINK)
    assert (put.method, put.body.encode()) == ("PUT", CONTENT)
    assert put.headers["content-md5"] == MD5
    assert put.headers["x-amz-server-side-encryption"] == "aws:kms"
    assert put.headers["content-type"] == "application/pdf"
    assert "x-amz-access-token" not in put.headers


@pytest.mark.parametrize("more", [{}, {"headers": None}])
def test_a_link_without_headers_gets_ours(
    amazon: Loopback, client: Client, more: dict[str, None]
) -> None:
    amazon.answer(DESTINATIONS, destination(amazon.url + LINK, **more))
    amazon.answer(LINK, Answer(200))

    assert upload(client) == "up-1"
    [put] = amazon.calls(LINK)
    assert put.headers["content-md5"] == MD5


@pytest.mark.parametrize(
    "body", [{}, {"payload": {"url": "u"}}, {"payload": {"uploadDestinationId": "1"}}]
)
def test_a_destination_that_is_none(
    amazon: Loopback, client: Client, body: object
) -> None:
    amazon.answer(DESTINATIONS, Answer(201, body))

    with pytest.raises(MalformedAnswer):
        upload(client)
