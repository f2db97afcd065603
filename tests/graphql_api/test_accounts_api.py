from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel import clock, store
from saleor_amazon_channel.models import (
    ChannelSettings,
    Marketplace,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.standalone import catalogue
from wire_orders import FRANCE, GERMANY, NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

ACCOUNTS = """{ amazonAccounts {
  name region sellerId state stateReason endpoint importFrom
  lastPullAt lastPullError nextPullAt
  marketplaces { marketplaceId name countryCode currency domain isParticipating
    isMapped importOrders customerCreation orderNumberSource initialStatus
    channelId channelSlug warehouseIds shippingMethodId
    shippingMethodName defaultCarrierCode }
} }"""


def test_an_account_with_its_mapping(ask: Ask, account: SellerAccount) -> None:
    Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id="3",
        channel_slug="amazon-de",
        warehouse_ids=["8", "7"],
        shipping_method_id="4",
        shipping_method_name="Standard",
        default_carrier_code="DHL",
    )
    Marketplace.objects.create(
        account=account, marketplace_id="A13V1IB3VIYZZH", is_participating=False
    )

    (answer,) = ask(ACCOUNTS)["amazonAccounts"]

    french, german = answer.pop("marketplaces")
    assert answer == {
        "name": "Mugs and more",
        "region": "EU",
        "sellerId": "A1TESTSELLER",
        "state": "ACTIVE",
        "stateReason": None,
        "endpoint": "https://sellingpartnerapi-eu.amazon.com",
        "importFrom": "2025-11-20T12:00:00+00:00",
        "lastPullAt": None,
        "lastPullError": None,
        # The channel is switched off.
        "nextPullAt": None,
    }
    assert german == {
        "marketplaceId": GERMANY,
        "name": "Germany",
        "countryCode": "DE",
        "currency": "EUR",
        "domain": "amazon.de",
        "isParticipating": True,
        "isMapped": True,
        "importOrders": True,
        "customerCreation": "GUEST",
        "orderNumberSource": "SHOP",
        "initialStatus": "UNFULFILLED",
        "channelId": Node.to_global_id("Channel", "3"),
        "channelSlug": "amazon-de",
        "warehouseIds": [
            Node.to_global_id("Warehouse", "8"),
            Node.to_global_id("Warehouse", "7"),
        ],
        "shippingMethodId": Node.to_global_id("ShippingMethodType", "4"),
        "shippingMethodName": "Standard",
        "defaultCarrierCode": "DHL",
    }
    assert (french["isParticipating"], french["isMapped"]) == (False, False)
    assert (french["channelId"], french["channelSlug"]) == (None, None)
    assert (french["shippingMethodId"], french["warehouseIds"]) == (None, [])


def test_pulls_are_told(ask: Ask, account: SellerAccount) -> None:
    def pulls() -> tuple[Any, ...]:
        (answer,) = ask(ACCOUNTS)["amazonAccounts"]
        return tuple(
            answer[name] for name in ("lastPullAt", "lastPullError", "nextPullAt")
        )

    ChannelSettings.objects.create(id=1, active=True)
    with clock.frozen(NOW):
        assert pulls() == (None, None, "2026-11-20T12:00:00+00:00")
        cursor = SyncCursor.objects.create(
            account=account,
            stream="orders",
            last_run_at=NOW,
            last_error="searchOrders: 503",
            next_run_at=NOW + timedelta(minutes=4),
        )
        assert pulls() == (
            "2026-11-20T12:00:00+00:00",
            "searchOrders: 503",
            "2026-11-20T12:04:00+00:00",
        )
        cursor.last_error, cursor.next_run_at = "", None
        cursor.save()
        assert pulls()[1:] == (None, "2026-11-20T12:00:00+00:00")
        SellerAccount.objects.update(
            state="needs_reauthorization", state_reason="Authorize again."
        )
        assert pulls()[2] is None
    (answer,) = ask(ACCOUNTS)["amazonAccounts"]
    assert (answer["state"], answer["stateReason"]) == (
        "NEEDS_REAUTHORIZATION",
        "Authorize again.",
    )


def test_many_accounts_cost_five_queries(ask: Ask) -> None:
    for number in range(5):
        account = SellerAccount.objects.create(
            name=f"{number}", region="EU", seller_id=f"A{number}"
        )
        Marketplace.objects.create(account=account, marketplace_id=GERMANY)
        SyncCursor.objects.create(account=account, stream="orders")
    with CaptureQueriesContext(database) as queries:
        assert len(ask(ACCOUNTS)["amazonAccounts"]) == 5
    assert len(queries) == 5
    assert not any("refresh_token" in query["sql"] for query in queries)


# --- connect -------------------------------------------------------------------------

CONNECT = """
mutation ($input: AmazonAccountConnectInput!) {
  amazonAccountConnect(input: $input) {
    account { id name region sellerId state importFrom nextPullAt
              marketplaces { id marketplaceId isMapped } }
    errors { field message code }
  }
}
"""


@pytest.fixture
def amazon() -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        yield sandbox


def credentials(amazon: Any, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Mugs and more",
        "region": "EU",
        "sellerId": "A1SANDBOXEU",
        "lwaClientId": CLIENT_ID,
        "lwaClientSecret": CLIENT_SECRET,
        "refreshToken": "Atzr|sandbox-EU",
        "endpoint": amazon.url,
        "lwaEndpoint": amazon.lwa_url,
        **changes,
    }


def test_connecting_answers_with_the_account(ask: Ask, amazon: Any) -> None:
    ChannelSettings.objects.create(id=1, active=True)
    given = credentials(amazon, importFrom="2026-11-01T00:00:00Z")

    answer = ask(CONNECT, {"input": given})["amazonAccountConnect"]

    row = SellerAccount.objects.get()
    assert answer["errors"] == []
    account = answer["account"]
    assert account["id"] == Node.to_global_id("AmazonAccount", row.pk)
    assert (account["name"], account["region"]) == ("Mugs and more", "EU")
    assert (account["state"], account["sellerId"]) == ("ACTIVE", "A1SANDBOXEU")
    assert account["importFrom"] == "2026-11-01T00:00:00+00:00"
    assert account["nextPullAt"] is not None
    germany = [m for m in account["marketplaces"] if m["marketplaceId"] == GERMANY]
    assert [m["isMapped"] for m in germany] == [False]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"refreshToken": "Atzr|wrong"}, "refreshToken", "INVALID_CREDENTIALS"),
        ({"lwaClientSecret": "wrong"}, "lwaClientSecret", "INVALID_CREDENTIALS"),
        ({"name": ""}, "name", "REQUIRED"),
        ({"endpoint": "http://example.com"}, "endpoint", "INVALID"),
    ],
)
def test_a_refusal_is_a_typed_error(
    ask: Ask, amazon: Any, changes: dict[str, str], field: str, code: str
) -> None:
    answer = ask(CONNECT, {"input": credentials(amazon, **changes)})
    (error,) = answer["amazonAccountConnect"]["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert error["message"]
    assert answer["amazonAccountConnect"]["account"] is None
    assert not SellerAccount.objects.exists()


def test_amazon_out_of_reach_is_a_typed_error(ask: Ask, amazon: Any) -> None:
    amazon.state.inject_fault("getMarketplaceParticipations", "unavailable", count=9)
    answer = ask(CONNECT, {"input": credentials(amazon)})["amazonAccountConnect"]
    assert answer["errors"] == [
        {
            "field": None,
            "message": "Amazon did not answer in time; try again in a minute.",
            "code": "UNAVAILABLE",
        }
    ]


REFRESH = """
mutation ($id: ID!) {
  amazonMarketplacesRefresh(accountId: $id) {
    account { name marketplaces { marketplaceId isParticipating } }
    errors { field message code }
  }
}
"""


def test_marketplaces_are_asked_for_at_once(ask: Ask, amazon: Any) -> None:
    amazon.state.add_account("EU", marketplace_ids=[GERMANY])
    account_id = ask(CONNECT, {"input": credentials(amazon)})["amazonAccountConnect"][
        "account"
    ]["id"]
    amazon.state.add_account("EU", marketplace_ids=[FRANCE])

    answer = ask(REFRESH, {"id": account_id})["amazonMarketplacesRefresh"]

    assert answer == {
        "account": {
            "name": "Mugs and more",
            "marketplaces": [
                {"marketplaceId": FRANCE, "isParticipating": True},
                {"marketplaceId": GERMANY, "isParticipating": False},
            ],
        },
        "errors": [],
    }
    amazon.state.inject_fault("getMarketplaceParticipations", "throttled", count=1)
    answer = ask(REFRESH, {"id": account_id})["amazonMarketplacesRefresh"]
    assert [each["code"] for each in answer["errors"]] == ["UNAVAILABLE"]
    SellerAccount.objects.update(state="paused")
    answer = ask(REFRESH, {"id": account_id})["amazonMarketplacesRefresh"]
    assert answer == {
        "account": None,
        "errors": [
            {
                "field": None,
                "message": "The account Mugs and more is not active.",
                "code": "INACTIVE",
            }
        ],
    }


# --- change, disconnect --------------------------------------------------------------

CHANGE = """
mutation ($id: ID!, $input: AmazonAccountUpdateInput!) {
  amazonAccountUpdate(id: $id, input: $input) {
    account { name state stateReason importFrom nextPullAt }
    errors { field code }
  }
}
"""
DISCONNECT = """
mutation ($id: ID!, $force: Boolean) {
  amazonAccountDisconnect(id: $id, force: $force) {
    account { state nextPullAt marketplaces { marketplaceId } }
    errors { field code }
  }
}
"""


def connected(ask: Ask, amazon: Any) -> str:
    answer = ask(CONNECT, {"input": credentials(amazon)})
    account_id: str = answer["amazonAccountConnect"]["account"]["id"]
    return account_id


def test_a_changed_account_is_answered(ask: Ask, amazon: Any) -> None:
    given = {"name": "Cups", "isPaused": True, "importFrom": "2026-10-01T00:00:00Z"}

    answer = ask(CHANGE, {"id": connected(ask, amazon), "input": given})

    assert answer["amazonAccountUpdate"] == {
        "account": {
            "name": "Cups",
            "state": "PAUSED",
            "stateReason": (
                "Paused: nothing is exchanged with Amazon until the account is resumed."
            ),
            "importFrom": "2026-10-01T00:00:00+00:00",
            "nextPullAt": None,
        },
        "errors": [],
    }


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"lwaClientSecret": "wrong"}, "lwaClientSecret", "INVALID_CREDENTIALS"),
        ({"refreshToken": "Atzr|wrong"}, "refreshToken", "INVALID_CREDENTIALS"),
        ({"refreshToken": "Atzr|a\nb"}, "refreshToken", "INVALID"),
        ({"name": " "}, "name", "REQUIRED"),
        ({"lwaClientId": "x" * 256}, "lwaClientId", "INVALID"),
    ],
)
def test_what_cannot_be_changed_is_a_typed_error(
    ask: Ask, amazon: Any, given: dict[str, str], field: str, code: str
) -> None:
    account_id = connected(ask, amazon)
    before = SellerAccount.objects.values().get()

    answer = ask(CHANGE, {"id": account_id, "input": given})["amazonAccountUpdate"]

    assert answer == {"account": None, "errors": [{"field": field, "code": code}]}
    assert SellerAccount.objects.values().get() == before


def test_disconnecting_answers_with_what_is_left(ask: Ask, amazon: Any) -> None:
    amazon.state.add_account("EU", marketplace_ids=[GERMANY])
    account_id = connected(ask, amazon)
    order = new_order(SellerAccount.objects.get(), import_state="imported")
    OutboxEntry.objects.create(
        account_id=order.account_id,
        order=order,
        kind="cancel",
        idempotency_key="k",
        payload={},
    )

    answer = ask(DISCONNECT, {"id": account_id})["amazonAccountDisconnect"]
    assert answer == {"account": None, "errors": [{"field": None, "code": "UNSENT"}]}

    for _ in range(2):  # Twice is as good as once.
        given = {"id": account_id, "force": True}
        assert ask(DISCONNECT, given)["amazonAccountDisconnect"] == {
            "account": {
                "state": "DISCONNECTED",
                "nextPullAt": None,
                "marketplaces": [{"marketplaceId": GERMANY}],
            },
            "errors": [],
        }
    answer = ask(CHANGE, {"id": account_id, "input": {"isPaused": False}})
    assert answer["amazonAccountUpdate"]["errors"] == [
        {"field": None, "code": "INACTIVE"}
    ]


# --- the rule of the account's SKUs --------------------------------------------------

SET_RULE = """
mutation ($id: ID!, $prefix: String, $suffix: String) {
  amazonSkuRuleSet(accountId: $id, prefix: $prefix, suffix: $suffix) {
    prefix suffix errors { field code }
  }
}
"""


def test_the_rule_of_the_skus_is_set_and_read(ask: Ask, amazon: Any) -> None:
    account_id = connected(ask, amazon)

    def rule() -> Any:
        return ask("{ amazonAccounts { skuPrefix skuSuffix } }")["amazonAccounts"]

    assert rule() == [{"skuPrefix": "", "skuSuffix": ""}]

    ask(SET_RULE, {"id": account_id, "prefix": "AMZ-", "suffix": "-DE"})
    assert rule() == [{"skuPrefix": "AMZ-", "skuSuffix": "-DE"}]

    answer = ask(SET_RULE, {"id": account_id, "prefix": "x" * 51})
    assert answer["amazonSkuRuleSet"]["errors"] == [
        {"field": "prefix", "code": "INVALID"}
    ]
    assert rule() == [{"skuPrefix": "AMZ-", "skuSuffix": "-DE"}]


# --- marketplaces --------------------------------------------------------------------

UPDATE = """
mutation ($id: ID!, $input: AmazonMarketplaceUpdateInput!) {
  amazonMarketplaceUpdate(id: $id, input: $input) {
    marketplace { isMapped channelSlug channelId warehouseIds shippingMethodId
                  shippingMethodName importOrders defaultCarrierCode
                  customerCreation orderNumberSource initialStatus }
    errors { field message code }
  }
}
"""


@pytest.fixture
def germany(account: SellerAccount) -> Marketplace:
    return Marketplace.objects.create(account=account, marketplace_id=GERMANY)


def update(ask: Ask, marketplace: Marketplace, **given: Any) -> Any:
    pk = Node.to_global_id("AmazonMarketplace", marketplace.pk)
    return ask(UPDATE, {"id": pk, "input": given})["amazonMarketplaceUpdate"]


@pytest.mark.parametrize("is_global", [True, False])
def test_a_mapping_by_global_ids_or_keys(
    ask: Ask, germany: Marketplace, is_global: bool
) -> None:
    channel = catalogue.create_channel("amazon-de", "EUR", warehouses=("a", "b"))
    (shop,) = store.current().channels()

    def identify(type_name: str, pk: str) -> str:
        return Node.to_global_id(type_name, pk) if is_global else pk

    answer = update(
        ask,
        germany,
        channel=identify("Channel", shop.id) if is_global else "amazon-de",
        warehouseIds=[identify("Warehouse", each.id) for each in shop.warehouses],
        shippingMethodId=identify("ShippingMethod", shop.shipping_methods[0].id),
        defaultCarrierCode="DHL",
        importOrders=False,
        customerCreation="ACCOUNT",
        orderNumberSource="AMAZON",
        initialStatus="UNCONFIRMED",
    )

    assert answer == {
        "marketplace": {
            "isMapped": True,
            "channelSlug": "amazon-de",
            "channelId": Node.to_global_id("Channel", channel.pk),
            "warehouseIds": [
                Node.to_global_id("Warehouse", each.id) for each in shop.warehouses
            ],
            "shippingMethodId": Node.to_global_id(
                "ShippingMethodType", shop.shipping_methods[0].id
            ),
            "shippingMethodName": shop.shipping_methods[0].name,
            "importOrders": False,
            "defaultCarrierCode": "DHL",
            "customerCreation": "ACCOUNT",
            "orderNumberSource": "AMAZON",
            "initialStatus": "UNCONFIRMED",
        },
        "errors": [],
    }


def test_buyers_data_are_kept_for_thirty_days_at_most(
    ask: Ask, germany: Marketplace
) -> None:
    query = "{ amazonAccounts { marketplaces { buyerDataRetentionDays } } }"

    def days() -> list[int]:
        (account,) = ask(query)["amazonAccounts"]
        return [each["buyerDataRetentionDays"] for each in account["marketplaces"]]

    assert days() == [30]
    assert update(ask, germany, buyerDataRetentionDays=7)["errors"] == []
    assert days() == [7]
    for refused in (31, -1):
        assert update(ask, germany, buyerDataRetentionDays=refused)["errors"] == [
            {
                "field": "buyerDataRetentionDays",
                "message": "From 0 to 30 days: Amazon allows no more.",
                "code": "INVALID",
            }
        ]
    assert days() == [7]


def test_a_redacted_order_says_so(ask: Ask, account: SellerAccount) -> None:
    order = new_order(account, redacted_at=NOW, buyer_name="")
    answer = ask(
        f'{{ amazonOrder(amazonOrderId: "{order.amazon_order_id}") '
        "{ isRedacted buyerName } }"
    )
    assert answer["amazonOrder"] == {"isRedacted": True, "buyerName": None}
    order = new_order(account)
    answer = ask(
        f'{{ amazonOrder(amazonOrderId: "{order.amazon_order_id}") {{ isRedacted }} }}'
    )
    assert answer["amazonOrder"] == {"isRedacted": False}


def test_a_channel_in_another_currency_is_a_typed_error(
    ask: Ask, germany: Marketplace
) -> None:
    catalogue.create_channel("amazon-uk", "GBP")
    assert update(ask, germany, channel="amazon-uk") == {
        "marketplace": None,
        "errors": [
            {
                "field": "channel",
                "message": ("The channel sells in GBP, but amazon.de sells in EUR."),
                "code": "INVALID",
            }
        ],
    }


@pytest.mark.parametrize(
    ("pk", "code"),
    [
        (Node.to_global_id("AmazonMarketplace", 10**6), "NOT_FOUND"),
        (Node.to_global_id("AmazonAccount", 1), "GRAPHQL_ERROR"),
        ("nonsense", "GRAPHQL_ERROR"),
    ],
)
def test_a_marketplace_that_is_not_there(ask: Ask, pk: str, code: str) -> None:
    answer = ask(UPDATE, {"id": pk, "input": {}})["amazonMarketplaceUpdate"]
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [("id", code)]
    assert answer["marketplace"] is None
