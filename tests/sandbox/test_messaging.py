"""What an order offers to say to its buyer, and what is refused in Amazon's words."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel.sandbox import State, events
from wire_orders import wire_order

from .conftest import DE, NOW, US, Caller, Move, errors

ORDER = "111-0000001-0000001"
ACTIONS = f"/messaging/v1/orders/{ORDER}"
SOLICITATIONS = f"/solicitations/v1/orders/{ORDER}"
REVIEW = f"{SOLICITATIONS}/solicitations/productReviewAndSellerFeedback"
NOT_OFFERED = [("Unauthorized", "Invalid amazonOrderId and template combination.")]


def put(state: State, **changes: Any) -> None:
    changes = {"created": NOW - timedelta(days=1), **changes}
    state.put_orders([wire_order(ORDER, **changes)])


def ask(
    caller: Caller, method: str, path: str, marketplace_id: str = DE, **options: Any
) -> requests.Response:
    return caller.call(
        method,
        path,
        region="NA" if marketplace_id == US else "EU",
        params={"marketplaceIds": marketplace_id},
        **options,
    )


def offered(caller: Caller, path: str = ACTIONS, marketplace_id: str = DE) -> list[str]:
    answer = ask(caller, "GET", path, marketplace_id)
    assert answer.headers["content-type"] == "application/hal+json"
    names = [link["name"] for link in answer.json()["_links"]["actions"]]
    return [name for name in names if name != "attributes"]


def say(caller: Caller, kind: str, body: Any) -> requests.Response:
    return ask(caller, "POST", f"{ACTIONS}/messages/{kind}", json=body)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"status": "PENDING"}, []),
        ({"status": "CANCELLED"}, []),
        (
            {"status": "UNSHIPPED"},
            [
                "confirmOrderDetails",
                "confirmDeliveryDetails",
                "unexpectedProblem",
                "legalDisclosure",
            ],
        ),
        (
            {"status": "SHIPPED"},
            [
                "confirmDeliveryDetails",
                "unexpectedProblem",
                "legalDisclosure",
                "warranty",
                "digitalAccessKey",
            ],
        ),
        (
            {"status": "SHIPPED", "fulfilled_by": "AMAZON"},
            ["legalDisclosure", "warranty", "digitalAccessKey"],
        ),
        ({"status": "SHIPPED", "created": NOW - timedelta(days=40)}, []),
    ],
)
def test_what_is_offered_follows_from_the_order(
    state: State, caller: Caller, changes: dict[str, Any], names: list[str]
) -> None:
    put(state, **changes)

    assert offered(caller) == names


def test_an_invoice_goes_by_message_where_there_is_no_feed(
    state: State, caller: Caller
) -> None:
    put(state, status="SHIPPED", marketplace_id=US)

    assert "sendInvoice" in offered(caller, marketplace_id=US)


def test_customization_only_where_there_is_one(state: State, caller: Caller) -> None:
    order = wire_order(ORDER, created=NOW - timedelta(days=1))
    order["orderItems"][0]["product"]["customization"] = {"customizedUrl": "https://x"}
    state.put_orders([order])

    assert "confirmCustomizationDetails" in offered(caller)


def test_the_buyer_gets_the_message(state: State, caller: Caller) -> None:
    put(state)

    answer = say(caller, "confirmOrderDetails", {"text": "Nummer 5?"})

    assert (answer.status_code, answer.json()) == (201, {})
    [sent] = state.messages_of(ORDER)
    assert (sent.action, sent.text) == ("confirmOrderDetails", "Nummer 5?")
    assert caller.control("GET", f"orders/{ORDER}/messages") == [
        {
            "action": "confirmOrderDetails",
            "sent": "2026-11-22T12:00:00.000Z",
            "text": "Nummer 5?",
            "attachments": [],
        }
    ]
    assert "Nummer" not in repr(state.messages)


def test_some_kinds_go_once(state: State, caller: Caller) -> None:
    put(state)
    for _ in range(2):
        assert say(caller, "unexpectedProblem", {"text": "a"}).status_code == 201
    assert say(caller, "confirmOrderDetails", {"text": "a"}).status_code == 201

    again = say(caller, "confirmOrderDetails", {"text": "b"})

    assert (again.status_code, errors(again)) == (403, NOT_OFFERED)
    assert "confirmOrderDetails" not in offered(caller)


def test_what_is_not_offered_is_refused(state: State, caller: Caller) -> None:
    put(state)

    answer = say(caller, "confirmServiceDetails", {"text": "a"})

    assert (answer.status_code, errors(answer)) == (403, NOT_OFFERED)
    assert state.messages_of(ORDER) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("confirmOrderDetails", []),
        ("confirmOrderDetails", {}),
        ("confirmOrderDetails", {"text": ""}),
        ("confirmOrderDetails", {"text": 5}),
        ("confirmOrderDetails", {"text": "x" * 2001}),
        ("confirmOrderDetails", {"text": "<b>x</b>"}),
        ("confirmOrderDetails", {"text": "mail me@shop.example"}),
        ("confirmOrderDetails", {"text": "x", "rawMessageBody": "x"}),
        ("confirmOrderDetails", {"text": "x", "attachments": []}),
        ("legalDisclosure", {}),
        ("legalDisclosure", {"attachments": []}),
        ("legalDisclosure", {"attachments": "a"}),
        ("legalDisclosure", {"attachments": [{"fileName": "a.pdf"}]}),
        (
            "legalDisclosure",
            {"attachments": [{"fileName": "a.pdf", "uploadDestinationId": "1"}]},
        ),
    ],
)
def test_a_body_that_is_not_the_models_is_refused(
    state: State, caller: Caller, kind: str, body: Any
) -> None:
    put(state)

    answer = say(caller, kind, body)

    assert (answer.status_code, errors(answer)[0][0]) == (400, "InvalidInput")
    assert state.messages_of(ORDER) == []


@pytest.mark.parametrize(
    "parameters",
    [{}, {"marketplaceIds": US}, {"marketplaceIds": f"{DE},{US}"}],
)
def test_exactly_the_orders_marketplace_is_named(
    state: State, caller: Caller, parameters: dict[str, str]
) -> None:
    put(state)

    answer = caller.call("GET", ACTIONS, region="EU", params=parameters)

    assert answer.status_code == 400


def test_to_a_seller_others_orders_do_not_exist(state: State, caller: Caller) -> None:
    put(state)

    assert ask(caller, "GET", ACTIONS, US).status_code == 404


def test_the_buyers_language_is_the_marketplaces(state: State, caller: Caller) -> None:
    put(state)

    answer = ask(caller, "GET", f"{ACTIONS}/attributes")

    assert answer.json() == {"buyer": {"locale": "de-DE"}}


# --- attachments ---------------------------------------------------------------------

CONTENT = b"%PDF-1.7 the law"
RESOURCE = f"messaging/v1/orders/{ORDER}/messages/legalDisclosure"


def md5(content: bytes) -> str:
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def destination(caller: Caller, resource: str = RESOURCE) -> dict[str, Any]:
    answer = caller.call(
        "POST",
        f"/uploads/2020-11-01/uploadDestinations/{resource}",
        region="EU",
        params={"marketplaceIds": DE, "contentMD5": md5(CONTENT)},
    )
    assert answer.status_code == 201
    return dict(answer.json()["payload"])


def attach(caller: Caller, upload_id: str) -> requests.Response:
    attachment = {"uploadDestinationId": upload_id, "fileName": "law.pdf"}
    return say(caller, "legalDisclosure", {"attachments": [attachment]})


def test_a_file_is_attached(state: State, caller: Caller) -> None:
    put(state)
    place = destination(caller)
    assert attach(caller, place["uploadDestinationId"]).status_code == 400

    stored = caller.session.put(place["url"], CONTENT, headers=place["headers"])

    assert stored.status_code == 200
    assert attach(caller, place["uploadDestinationId"]).status_code == 201
    [sent] = state.messages_of(ORDER)
    assert sent.attachments == (("law.pdf", CONTENT),)


@pytest.mark.parametrize(
    ("changes", "content", "status"),
    [
        ({"Content-MD5": None}, CONTENT, 403),
        ({"Content-MD5": hashlib.md5(CONTENT).hexdigest()}, CONTENT, 403),  # noqa: S324
        ({"x-amz-server-side-encryption": None}, CONTENT, 403),
        ({"x-amz-access-token": "Atza|token"}, CONTENT, 403),
        ({}, b"something else", 400),
    ],
)
def test_the_store_takes_what_the_link_was_signed_for(
    caller: Caller, changes: dict[str, str | None], content: bytes, status: int
) -> None:
    place = destination(caller)
    headers = {**place["headers"], **changes}

    answer = caller.session.put(place["url"], content, headers=headers)

    assert answer.status_code == status


def test_a_link_lives_fifteen_minutes(caller: Caller, move: Move) -> None:
    place = destination(caller)
    move(timedelta(minutes=15))

    answer = caller.session.put(place["url"], CONTENT, headers=place["headers"])

    assert answer.status_code == 403


def test_a_file_serves_the_message_it_was_uploaded_for(
    state: State, caller: Caller
) -> None:
    put(state)
    other = RESOURCE.replace("legalDisclosure", "warranty")
    place = destination(caller, other)
    caller.session.put(place["url"], CONTENT, headers=place["headers"])

    assert attach(caller, place["uploadDestinationId"]).status_code == 400


@pytest.mark.parametrize(
    "parameters",
    [
        {"contentMD5": md5(CONTENT)},
        {"marketplaceIds": DE},
        {"marketplaceIds": US, "contentMD5": md5(CONTENT)},
    ],
)
def test_a_destination_needs_marketplace_and_md5(
    caller: Caller, parameters: dict[str, str]
) -> None:
    answer = caller.call(
        "POST",
        f"/uploads/2020-11-01/uploadDestinations/{RESOURCE}",
        region="EU",
        params=parameters,
    )

    assert answer.status_code == 400


# --- reviews -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "is_offered"), [(4, False), (5, True), (30, True), (31, False)]
)
def test_a_review_is_asked_for_from_5_to_30_days_after_delivery(
    state: State, caller: Caller, move: Move, days: int, is_offered: bool
) -> None:
    put(state)
    events.ship(state, ORDER)
    move(timedelta(days=days))

    names = offered(caller, SOLICITATIONS)
    answer = ask(caller, "POST", REVIEW)

    assert names == (["productReviewAndSellerFeedback"] if is_offered else [])
    assert (answer.status_code == 201) is is_offered
    if not is_offered:
        [(code, message)] = errors(answer)
        assert code == "Unauthorized"
        assert "outside the 5-30 day range" in message


def test_the_delivery_is_when_amazon_said_it_would_be(
    state: State, caller: Caller, move: Move
) -> None:
    order = wire_order(ORDER, status="SHIPPED", created=NOW - timedelta(days=1))
    order["fulfillment"]["deliverByWindow"] = {
        "earliestDateTime": "2026-11-24T00:00:00Z",
        "latestDateTime": "2026-11-26T00:00:00Z",
    }
    state.put_orders([order])

    move(timedelta(days=6))
    assert offered(caller, SOLICITATIONS) == []
    move(timedelta(days=1))
    caller.token("EU", is_new=True)
    assert offered(caller, SOLICITATIONS) == ["productReviewAndSellerFeedback"]


def test_a_review_is_asked_for_once(state: State, caller: Caller, move: Move) -> None:
    put(state)
    events.ship(state, ORDER)
    move(timedelta(days=6))
    assert ask(caller, "POST", REVIEW).status_code == 201

    again = ask(caller, "POST", REVIEW)

    assert (again.status_code, errors(again)) == (
        403,
        [
            (
                "Unauthorized",
                "The requested solicitation is not available for this amazonOrderId.",
            )
        ],
    )
    assert offered(caller, SOLICITATIONS) == []
    told = caller.control("GET", f"orders/{ORDER}/messages")
    assert [each["action"] for each in told] == ["reviewRequest"]
