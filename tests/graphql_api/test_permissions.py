"""Who may ask what, and that no answer can hold a secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer, execute
from graphql_api.root_fields import CONNECT, REQUESTS
from graphql_api.rows import new_order
from saleor_amazon_channel.models import Marketplace, SellerAccount, SyncCursor
from saleor_amazon_channel.standalone import host
from saleor_amazon_channel.standalone.host import Identity

pytestmark = pytest.mark.django_db

NOBODY = None
CUSTOMER = Identity("customer@example.com")
STAFF = Identity("staff@example.com")
ORDERS = Identity("orders@example.com", frozenset({"MANAGE_ORDERS"}))
PLUGINS = Identity("plugins@example.com", frozenset({"MANAGE_PLUGINS"}))
APP = Identity("Some app")
ORDERS_APP = Identity("An orders app", frozenset({"MANAGE_ORDERS"}))


@pytest.mark.parametrize(
    "identity", [NOBODY, CUSTOMER, STAFF, ORDERS, PLUGINS, APP, ORDERS_APP]
)
@pytest.mark.parametrize("name", REQUESTS)
def test_only_who_has_the_permission_gets_an_answer(
    name: str, identity: Identity | None
) -> None:
    query, permission = REQUESTS[name]

    answer = execute(query, identity=identity)

    if identity is not None and permission in identity.permissions:
        assert answer.errors == []
    else:
        assert (answer.data or {}).get(name) is None
        assert answer.errors == [
            "To access this path, you need one of the following permissions: "
            + permission
        ]


def test_every_root_field_is_in_the_matrix() -> None:
    schema = host.schema()
    fields = {
        *schema.get_query_type().fields,
        *schema.get_mutation_type().fields,
    }
    ours = {field for field in fields if field.startswith("amazon")}
    assert ours == set(REQUESTS)


def _types() -> list[dict[str, Any]]:
    query = """{ __schema { types {
      kind name description
      fields { name description args { name description } }
      inputFields { name description }
      enumValues { name description }
    } } }"""
    types = execute(query)["__schema"]["types"]
    return [each for each in types if each["name"].startswith("Amazon")]


def test_no_answer_has_a_field_for_a_secret() -> None:
    names = [
        f"{each['name']}.{field['name']}"
        for each in _types()
        for field in each["fields"] or ()
    ]
    assert names
    # When it expires, and what to do about it, is no secret.
    names.remove("AmazonAccount.secretExpiresAt")
    names.remove("AmazonAccount.secretWarning")
    assert not [n for n in names if re.search("secret|token|password|lwa", n, re.I)]


def test_secrets_are_in_no_answer_whatever_is_asked(account: SellerAccount) -> None:
    Marketplace.objects.create(account=account, marketplace_id="A1PA6795UKMFR9")
    SyncCursor.objects.create(
        account=account, stream="orders", last_error="searchOrders: 403"
    )
    new_order(account)
    answers = [
        execute(
            f"{{ amazonAccounts {{ {leaves('AmazonAccount')} "
            f"marketplaces {{ {leaves('AmazonMarketplace')} }} }} }}"
        ),
        execute(
            "{ amazonOrders(first: 9) { edges { node { "
            f"{leaves('AmazonOrder')} }} }} }} }}"
        ),
        execute(CONNECT),
    ]
    for answer in answers:
        assert answer.errors == []
        text = repr(answer.data)
        for secret in ("client-secret", "Atzr|", "the-secret"):
            assert secret not in text


def leaves(type_name: str) -> str:
    """The names of the fields of a type that need no selection below them."""
    query = """query ($name: String!) { __type(name: $name) {
      fields { name type { kind ofType { kind ofType { kind ofType { kind } } } } }
    } }"""
    fields = execute(query, {"name": type_name})["__type"]["fields"]

    def is_leaf(type_: dict[str, Any]) -> bool:
        while type_.get("ofType"):
            type_ = type_["ofType"]
        return type_["kind"] in ("SCALAR", "ENUM")

    return " ".join(field["name"] for field in fields if is_leaf(field["type"]))


def test_everything_is_described() -> None:
    missing = []
    for each in _types():
        parts = [("", each)]
        for group in ("fields", "inputFields", "enumValues"):
            parts += [(f".{part['name']}", part) for part in each[group] or ()]
        for field in each["fields"] or ():
            parts += [(f".{field['name']}.{a['name']}", a) for a in field["args"]]
        missing += [
            each["name"] + path for path, part in parts if not part["description"]
        ]
    assert missing == []


def test_root_fields_say_their_permission() -> None:
    query = """{ __schema {
      queryType { fields { name description args { name description } } }
      mutationType { fields { name description args { name description } } }
    } }"""
    schema = execute(query)["__schema"]
    for field in schema["queryType"]["fields"] + schema["mutationType"]["fields"]:
        if not field["name"].startswith("amazon"):
            continue
        permission = REQUESTS[field["name"]][1]
        assert field["description"].endswith(
            f"Requires one of the following permissions: {permission}."
        )
        assert all(argument["description"] for argument in field["args"])


def test_ids_are_global(account: SellerAccount) -> None:
    answer: Answer = execute("{ amazonAccounts { id } }")
    assert answer["amazonAccounts"] == [
        {"id": Node.to_global_id("AmazonAccount", account.pk)}
    ]
