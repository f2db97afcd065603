"""Who may ask what, and that no answer can hold a secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer, execute
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

CONNECT = """
mutation { amazonAccountConnect(input: {
  name: "", region: EU, sellerId: "A1", lwaClientId: "client",
  lwaClientSecret: "the-secret", refreshToken: "Atzr|the-token"
}) { account { id } errors { field code message } } }
"""

REQUESTS = {
    "amazonOrders": ("{ amazonOrders(first: 1) { totalCount } }", "MANAGE_ORDERS"),
    "amazonOrder": ('{ amazonOrder(amazonOrderId: "x") { id } }', "MANAGE_ORDERS"),
    "amazonOrdersImport": (
        "mutation { amazonOrdersImport { queued errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonOrderCancel": (
        'mutation { amazonOrderCancel(id: "x", reason: NO_INVENTORY) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonMessagingOfferFetch": (
        'mutation { amazonMessagingOfferFetch(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonBuyerMessageSend": (
        'mutation { amazonBuyerMessageSend(id: "x", input: {action: WARRANTY}) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonInvoicePush": (
        'mutation { amazonInvoicePush(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReviewRequest": (
        'mutation { amazonReviewRequest(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonOrderAddressUpdate": (
        'mutation { amazonOrderAddressUpdate(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonBlockers": ("{ amazonBlockers { code } }", "MANAGE_ORDERS"),
    "amazonOrderRetryImport": (
        "mutation { amazonOrderRetryImport(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonOutbox": ("{ amazonOutbox(first: 1) { totalCount } }", "MANAGE_ORDERS"),
    "amazonOutboxRetry": (
        "mutation { amazonOutboxRetry(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonOutboxDiscard": (
        "mutation { amazonOutboxDiscard(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonBackfills": ("{ amazonBackfills { id } }", "MANAGE_ORDERS"),
    "amazonBackfillStart": (
        'mutation { amazonBackfillStart(input: { accountId: "x", createdAfter: '
        '"2026-01-01T00:00:00Z", createdBefore: "2026-01-02T00:00:00Z" }) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonBackfillCancel": (
        'mutation { amazonBackfillCancel(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReconcile": (
        'mutation { amazonReconcile(accountId: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReconciliations": ("{ amazonReconciliations { id } }", "MANAGE_ORDERS"),
    "amazonCommunicationLog": (
        "{ amazonCommunicationLog(first: 1) { totalCount } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSalesSummary": ("{ amazonSalesSummary { endDate } }", "MANAGE_ORDERS"),
    "amazonSettings": ("{ amazonSettings { isActive } }", "MANAGE_PLUGINS"),
    "amazonSettingsUpdate": (
        "mutation { amazonSettingsUpdate(input: {}) { errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonScheduler": ("{ amazonScheduler { isActive } }", "MANAGE_PLUGINS"),
    "amazonShopChannels": ("{ amazonShopChannels { id } }", "MANAGE_PLUGINS"),
    "amazonSkuMappings": ("{ amazonSkuMappings { id } }", "MANAGE_PLUGINS"),
    "amazonSkuMappingSet": (
        'mutation { amazonSkuMappingSet(accountId: "x", input: []) '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSkuMappingDelete": (
        "mutation { amazonSkuMappingDelete(ids: []) { errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonCarriers": ("{ amazonCarriers { carrier } }", "MANAGE_PLUGINS"),
    "amazonCarrierMappingSet": (
        'mutation { amazonCarrierMappingSet(accountId: "x", input: []) '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSkuRuleSet": (
        'mutation { amazonSkuRuleSet(accountId: "x") { errors { code } } }',
        "MANAGE_PLUGINS",
    ),
    "amazonAccounts": ("{ amazonAccounts { id } }", "MANAGE_PLUGINS"),
    "amazonAccountConnect": (CONNECT, "MANAGE_PLUGINS"),
    "amazonAccountUpdate": (
        'mutation { amazonAccountUpdate(id: "x", input: {}) {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonAccountDisconnect": (
        'mutation { amazonAccountDisconnect(id: "x") {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonMarketplacesRefresh": (
        'mutation { amazonMarketplacesRefresh(accountId: "x") {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonNotificationsSubscribe": (
        'mutation { amazonNotificationsSubscribe(accountId: "x", queueArn: "x") '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonNotificationsUnsubscribe": (
        'mutation { amazonNotificationsUnsubscribe(accountId: "x") '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonMarketplaceUpdate": (
        'mutation { amazonMarketplaceUpdate(id: "x", input: {}) {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
}


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
