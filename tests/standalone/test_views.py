"""``/graphql/`` of the stand-alone shop: who gets in, and in which form it answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from saleor_amazon_channel.models import ChannelSettings
from saleor_amazon_channel.standalone.tokens import PEOPLE, TOKENS, Tokens

pytestmark = pytest.mark.django_db

ORDERS = "{ amazonOrders(first: 1) { totalCount } }"
ACCOUNTS = "{ amazonAccounts { id } }"


def post(query: str, token: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = Client(headers=headers).post(
        "/graphql/", json.dumps({"query": query, **body}), "application/json"
    )
    return answer.status_code, answer.json()


@pytest.mark.parametrize("query", [ORDERS, ACCOUNTS])
@pytest.mark.parametrize(
    "who", ["", "customer", "staff_without_permissions", "app_without_permissions"]
)
def test_who_lacks_the_permission_gets_nothing(who, query):
    token = TOKENS.mint(PEOPLE[who]) if who else ""

    status, answer = post(query, token)

    assert status == 200
    assert not any((answer["data"] or {}).values())
    (error,) = answer["errors"]
    assert error["extensions"]["exception"]["code"] == "PermissionDenied"


@pytest.mark.parametrize("who", ["staff", "app"])
def test_who_has_the_permissions_gets_in(who):
    token = TOKENS.mint(PEOPLE[who])

    assert post(ORDERS, token) == (200, {"data": {"amazonOrders": {"totalCount": 0}}})
    assert post(ACCOUNTS, token) == (200, {"data": {"amazonAccounts": []}})


def test_variables_and_a_choice_of_operations():
    query = f"query A($n: Int) {ORDERS.replace('1', '$n')} query B {ACCOUNTS}"

    assert post(
        query,
        TOKENS.mint(PEOPLE["staff"]),
        variables={"n": 5},
        operationName="A",
    ) == (200, {"data": {"amazonOrders": {"totalCount": 0}}})


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("nonsense", "Invalid token."),
        (Tokens().mint(PEOPLE["staff"]), "Invalid token."),  # of another run
        (
            TOKENS.mint(PEOPLE["staff"], lifetime=timedelta(seconds=-1)),
            "Signature has expired.",
        ),
    ],
)
def test_a_token_that_is_not_good(token, message):
    status, answer = post(ACCOUNTS, token)

    assert status == 400
    assert answer["errors"][0]["message"] == message
    assert "data" not in answer


@pytest.mark.parametrize("body", [b"", b"[]", b'{"query": 1}', b"\xff"])
def test_a_request_that_is_none(body):
    answer = Client().post("/graphql/", body, "application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "Unable to parse query."


def test_a_query_that_cannot_be_executed():
    status, answer = post("{ nothing }")

    assert status == 400
    assert answer["errors"][0]["message"] == (
        'Cannot query field "nothing" on type "Query".'
    )


@pytest.mark.parametrize("path", ["/", "/graphql/"])
def test_it_says_what_it_is(path):
    assert b"It is not Saleor." in Client().get(path).content


def test_files_come_in_the_parts_of_a_form():
    ChannelSettings.objects.create(id=1, active=True)
    query = """mutation ($input: AmazonBuyerMessageInput!) {
        amazonBuyerMessageSend(id: "x", input: $input) { errors { message } } }"""
    variables = {"input": {"action": "LEGAL_DISCLOSURE", "attachments": [None]}}
    parts = {
        "operations": json.dumps({"query": query, "variables": variables}),
        "map": json.dumps({"0": ["variables.input.attachments.0"]}),
        "0": SimpleUploadedFile("law.pdf", b"%PDF"),
    }
    client = Client(headers={"Authorization": f"Bearer {TOKENS.mint(PEOPLE['staff'])}"})

    answer = client.post("/graphql/", parts).json()

    # The variables are whole: without the file its null would be refused.
    [error] = answer["data"]["amazonBuyerMessageSend"]["errors"]
    assert error["message"] == "Invalid ID: x. Expected: AmazonOrder."


@pytest.mark.parametrize(
    "parts", [{}, {"operations": "{}", "map": '{"0": ["a.b"]}'}, {"operations": "{}"}]
)
def test_a_form_that_is_none_is_refused(parts):
    assert Client().post("/graphql/", parts).status_code == 400
