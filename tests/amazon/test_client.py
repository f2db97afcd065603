from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.client import Client, user_agent
from saleor_amazon_channel.amazon.errors import (
    BudgetExhausted,
    InvalidRequest,
    MalformedAnswer,
    NotFound,
    Throttled,
    Unavailable,
    UnexpectedStatus,
    UnknownOutcome,
)
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS, InMemoryBudget

from .conftest import CREDENTIALS, NOON, Answer, Loopback, StillClock, errors

PATH = "/orders/2026-01-01/orders/902-1"
WRITE_PATH = "/orders/v0/orders/902-1/shipmentConfirmation"
QUOTA = Answer(429, errors("QuotaExceeded", "You exceeded your quota"))


def read(client: Client, **options: Any) -> Any:
    return client.request("getOrder", "GET", PATH, idempotent=True, **options)


def write(client: Client, *, idempotent: bool = False) -> Any:
    return client.request(
        "confirmShipment", "POST", WRITE_PATH, json={"a": 1}, idempotent=idempotent
    )


def test_a_call_has_the_headers_amazon_asks_for(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(PATH, Answer(body={"order": {}}))

    assert read(client, params={"includedData": "BUYER,TAX"}) == {"order": {}}

    (call,) = amazon.calls(PATH)
    assert call.headers["x-amz-access-token"] == "Atza|token-1"
    assert call.headers["x-amz-date"] == "20261122T120000Z"
    assert call.headers["user-agent"] == user_agent()
    assert call.headers["host"] == amazon.url.removeprefix("http://")
    assert "content-type" not in call.headers
    assert call.query == {"includedData": "BUYER,TAX"}


def test_a_write_is_json_and_may_be_answered_with_nothing(
    amazon: Loopback, client: Client
) -> None:
    amazon.answer(WRITE_PATH, Answer(204))

    assert write(client) is None

    (call,) = amazon.calls(WRITE_PATH)
    assert call.headers["content-type"] == "application/json"
    assert call.body == '{"a": 1}'


def test_the_user_agent_has_amazons_form() -> None:
    assert re.fullmatch(
        r"saleor-amazon-channel/\S+ \(Language=Python/[\d.]+\S*; Platform=\S+\)",
        user_agent(),
    )
    assert len(user_agent("x" * 600)) == 500


def test_waiting_for_the_plan_is_up_to_the_caller(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(PATH, Answer(body={}))
    for _ in range(30):
        read(client)

    with pytest.raises(BudgetExhausted) as caught:
        read(client)
    read(client, max_wait_seconds=3)

    assert caught.value.available_at == NOON + timedelta(seconds=2.5)
    assert still_clock.sleeps == [2.5]
    assert len(amazon.calls(PATH)) == 31


def test_the_rate_amazon_states_is_learned(
    amazon: Loopback, new_client: Callable[..., Client], still_clock: StillClock
) -> None:
    budget = InMemoryBudget()
    client = new_client(budget=budget)
    amazon.answer(
        PATH,
        Answer(body={}, headers={"x-amzn-RateLimit-Limit": "0.1"}),
        Answer(body={}),
        Answer(body={}, headers={"x-amzn-RateLimit-Limit": "not a number"}),
    )
    for _ in range(30):
        read(client)

    assert budget.reserve("getOrder", USAGE_PLANS["getOrder"]) == 10.5


def test_the_rate_is_learned_from_a_404_too(
    amazon: Loopback, new_client: Callable[..., Client], still_clock: StillClock
) -> None:
    budget = InMemoryBudget()
    client = new_client(budget=budget)
    headers = {"x-amzn-RateLimit-Limit": "0.1"}
    amazon.answer(PATH, Answer(404, errors("NotFound", ""), headers))
    for _ in range(30):
        with pytest.raises(NotFound):
            read(client)

    assert budget.reserve("getOrder", USAGE_PLANS["getOrder"]) == 10.5


def test_a_refusal_for_quota_empties_the_budget_of_all(
    amazon: Loopback, new_client: Callable[..., Client], still_clock: StillClock
) -> None:
    budget = InMemoryBudget()
    first, second = new_client(budget=budget), new_client(budget=budget)
    amazon.answer(PATH, QUOTA)

    with pytest.raises(Throttled) as caught:
        read(first)
    with pytest.raises(BudgetExhausted) as refused:
        read(second)

    assert caught.value.codes == ("QuotaExceeded",)
    assert caught.value.available_at >= NOON + timedelta(seconds=2)
    assert refused.value.available_at == caught.value.available_at
    assert len(amazon.calls(PATH)) == 1
    assert still_clock.sleeps == []


def test_a_refusal_for_quota_is_waited_for_within_limits(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(PATH, QUOTA, QUOTA, Answer(body={"order": {}}))

    assert read(client, max_wait_seconds=60) == {"order": {}}

    assert len(still_clock.sleeps) == 2
    assert all(2 <= wait <= 4 for wait in still_clock.sleeps)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(500, errors("InternalFailure", "sorry")),
        Answer(503, b"<html><body>Busy</body></html>", content_type="text/html"),
        Answer(instead="drop"),
    ],
)
def test_an_idempotent_call_is_tried_again(
    amazon: Loopback, client: Client, still_clock: StillClock, trouble: Answer
) -> None:
    amazon.answer(WRITE_PATH, trouble, trouble, Answer(204))

    write(client, idempotent=True)

    assert len(amazon.calls(WRITE_PATH)) == 3
    assert len(still_clock.sleeps) == 2
    assert still_clock.sleeps[0] <= 0.5
    assert still_clock.sleeps[1] <= 1


def test_the_tries_have_an_end(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(PATH, Answer(503, errors("ServiceUnavailable", "busy")))

    with pytest.raises(Unavailable) as caught:
        read(client)

    assert len(amazon.calls(PATH)) == 5
    assert caught.value.available_at == clock.now() + timedelta(seconds=30)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(500, errors("InternalFailure", "sorry")),
        Answer(503, b"busy", content_type="text/plain"),
        Answer(instead="drop"),
        Answer(instead="hang"),
    ],
)
def test_a_write_that_may_have_arrived_is_not_repeated(
    amazon: Loopback, new_client: Callable[..., Client], trouble: Answer
) -> None:
    client = new_client(read_timeout=0.2)
    amazon.answer(WRITE_PATH, trouble)

    with pytest.raises(UnknownOutcome):
        write(client)

    assert len(amazon.calls(WRITE_PATH)) == 1


def test_a_write_that_never_left_may_be_sent_later(
    amazon: Loopback, new_client: Callable[..., Client]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    client = new_client(endpoint=f"http://127.0.0.1:{port}")

    with pytest.raises(Unavailable) as caught:
        write(client)

    assert str(caught.value).startswith(
        "confirmShipment: no answer (ConnectionError) not before"
    )


def test_a_server_that_does_not_answer_is_given_up(
    amazon: Loopback, new_client: Callable[..., Client]
) -> None:
    client = new_client(read_timeout=0.1, tries=2)
    amazon.answer(PATH, Answer(instead="hang"))

    with pytest.raises(Unavailable) as caught:
        read(client)

    assert "no answer (ReadTimeout)" in str(caught.value)
    assert len(amazon.calls(PATH)) == 2


def test_html_is_no_reason_to_fail_otherwise(amazon: Loopback, client: Client) -> None:
    page = b"<html><head><title>400</title></head><body>Bad Request</body></html>"
    headers = {"x-amzn-RequestId": "request-7"}
    amazon.answer(PATH, Answer(400, page, headers, content_type="text/html"))

    with pytest.raises(InvalidRequest) as caught:
        read(client)

    assert str(caught.value) == "getOrder: 400 Bad Request (request request-7)"


def test_a_redirect_is_not_followed(amazon: Loopback, client: Client) -> None:
    amazon.answer(PATH, Answer(302, headers={"location": f"{amazon.url}/elsewhere"}))

    with pytest.raises(UnexpectedStatus):
        read(client)

    assert amazon.calls("/elsewhere") == []


def test_a_success_that_is_not_json(amazon: Loopback, client: Client) -> None:
    amazon.answer(PATH, Answer(200, b"<html></html>", content_type="text/html"))

    with pytest.raises(MalformedAnswer, match="the answer is not JSON"):
        read(client)


def test_text_that_no_database_keeps_is_mended(
    amazon: Loopback, client: Client
) -> None:
    body = rb'{"order":{"names":["Zo\u00eb\u0000","\ud83d\ude00","half \ud83d"]}}'
    amazon.answer(PATH, Answer(body=body))

    assert read(client) == {"order": {"names": ["Zoë", "😀", "half ?"]}}


def test_a_token_that_no_header_can_carry_stays_secret(
    amazon: Loopback, client: Client
) -> None:
    bad = {"access_token": "Atza|two\nlines", "expires_in": 3600}
    amazon.answer("/auth/o2/token", Answer(body=bad))

    with pytest.raises(InvalidRequest) as caught:
        read(client)

    assert str(caught.value) == "getOrder: cannot be sent (InvalidHeader)"


def test_every_call_is_logged_with_its_request_id_and_nothing_private(
    amazon: Loopback, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"x-amzn-RequestId": "request-8"}
    private = {"order": {"buyer": {"buyerName": "Zoë Private"}}}
    amazon.answer(PATH, Answer(body=private, headers=headers))

    read(client)

    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name == "saleor_amazon_channel.amazon"
    ]
    assert [re.sub(r"\d+ ms", "… ms", line) for line in ours] == [
        "getAccessToken: 200 in … ms, request without id",
        "getOrder: 200 in … ms, request request-8",
    ]
    for secret in ("Atz", CREDENTIALS.client_secret, "Private"):
        assert secret not in caplog.text


def test_a_client_shows_where_it_goes_and_no_more(amazon: Loopback) -> None:
    client = Client(
        "https://sellingpartnerapi-eu.amazon.com",
        amazon.url,
        CREDENTIALS,
        InMemoryBudget(),
        None,
    )

    assert repr(client) == "<Client sellingpartnerapi-eu.amazon.com>"
