"""Every root field of ours, and whoever may ask, through Saleor's own view."""

from __future__ import annotations

import logging

import graphene
import pytest
from saleor.account.models import Group
from saleor.graphql import api

from graphql_api.root_fields import REQUESTS
from graphql_api.rows import new_order
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    SellerAccount,
)
from wire_orders import FRANCE, GERMANY


@pytest.fixture
def asking(
    api_client,
    user_api_client,
    staff_api_client,
    app_api_client,
    permission_manage_orders,
    permission_manage_plugins,
    permission_manage_products,
):
    """Who and the permission they have → a client."""
    permissions = {
        "MANAGE_ORDERS": permission_manage_orders,
        "MANAGE_PLUGINS": permission_manage_plugins,
        "MANAGE_PRODUCTS": permission_manage_products,
    }
    clients = {
        "anonymous": api_client,
        "customer": user_api_client,
        "staff": staff_api_client,
        "app": app_api_client,
    }

    # As Saleor gives permissions: by groups, here one for all channels.
    everywhere = Group.objects.create(
        name="everywhere", restricted_access_to_channels=False
    )
    everywhere.user_set.add(staff_api_client.user)

    def get(who, permission=None):
        client = clients[who]
        if permission and who == "app":
            client.app.permissions.add(permissions[permission])
        elif permission:
            client.user.user_permissions.add(permissions[permission])
        return client

    return get


@pytest.mark.parametrize(
    ("who", "permission"),
    [
        ("anonymous", None),
        ("customer", None),
        ("staff", None),
        ("staff", "MANAGE_PRODUCTS"),
        ("staff", "MANAGE_ORDERS"),
        ("staff", "MANAGE_PLUGINS"),
        ("app", None),
        ("app", "MANAGE_PRODUCTS"),
        ("app", "MANAGE_ORDERS"),
        ("app", "MANAGE_PLUGINS"),
    ],
)
def test_only_who_has_the_permission_gets_an_answer(asking, who, permission):
    client = asking(who, permission)

    outcomes = {name: ask(client, name) for name in REQUESTS}

    assert outcomes == {
        name: "answered" if needed == permission else f"refused: {needed}"
        for name, (_, needed) in REQUESTS.items()
    }


def ask(client, name):
    """What became of asking for a root field."""
    query, needed = REQUESTS[name]
    answer = client.post_graphql(query).json()
    if "errors" not in answer:
        return "answered" if name in answer["data"] else "not in the answer"
    (error,) = answer["errors"]
    if (answer["data"] or {}).get(name) is not None:
        return "answered in spite of an error"
    if error["extensions"]["exception"]["code"] != "PermissionDenied":
        return error["message"]
    return f"refused: {needed}" if needed in error["message"] else error["message"]


def test_every_root_field_is_in_the_matrix():
    fields = {
        *api.schema.get_query_type().fields,
        *api.schema.get_mutation_type().fields,
    }
    assert {name for name in fields if name.startswith("amazon")} == set(REQUESTS)


@pytest.mark.parametrize("who", ["staff", "app"])
def test_whoever_is_shown_buyers_is_logged_once_a_request(asking, who, caplog):
    account = SellerAccount.objects.create(name="Mugs", region="EU", seller_id="A1")
    first, second = (new_order(account).amazon_order_id for _ in range(2))
    query = """{ amazonOrders(first: 9, sortBy: {field: NUMBER, direction: ASC}) {
      edges { node { buyerName } }
    } }"""
    client = asking(who, "MANAGE_ORDERS")
    caplog.set_level(logging.INFO)

    refused = asking("customer").post_graphql(query).json()
    answer = client.post_graphql(query).json()
    client.post_graphql("{ amazonOrders(first: 9) { totalCount } }")

    assert "errors" in refused
    names = [
        edge["node"]["buyerName"] for edge in answer["data"]["amazonOrders"]["edges"]
    ]
    assert names == ["Änne Müller"] * 2
    key = client.app.pk if who == "app" else client.user.pk
    asker = f"app {key}" if who == "app" else f"user {key}"
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name == "saleor_amazon_channel.audit"
    ] == [
        f"buyer data shown to {asker}: buyerName of 2 Amazon orders: {first}, {second}"
    ]
    assert "Müller" not in caplog.text


@pytest.mark.parametrize("who", ["staff", "app"])
def test_staff_of_some_channels_get_what_saleor_would_give_them(
    who, asking, channel_USD, channel_PLN
):
    ChannelSettings.objects.create(id=1, active=True)
    account = SellerAccount.objects.create(name="Mugs", region="EU", seller_id="A1")
    for marketplace_id, channel in ((GERMANY, channel_USD), (FRANCE, channel_PLN)):
        Marketplace.objects.create(
            account=account, marketplace_id=marketplace_id, channel_id=str(channel.pk)
        )
        new_order(account, marketplace_id=marketplace_id)
    client = asking(who, "MANAGE_ORDERS")
    Group.objects.update(restricted_access_to_channels=True)
    Group.objects.get(name="everywhere").channels.add(channel_USD)

    listed = client.post_graphql(
        "{ amazonOrders(first: 9) { edges { node { id marketplaceId } } } }"
    ).json()["data"]["amazonOrders"]["edges"]
    of_france = AmazonOrder.objects.get(marketplace_id=FRANCE)
    cancelled = client.post_graphql(
        "mutation ($id: ID!) { amazonOrderCancel(id: $id, reason: NO_INVENTORY) {"
        " errors { code } } }",
        {"id": graphene.Node.to_global_id("AmazonOrder", of_france.pk)},
    ).json()

    found = {edge["node"]["marketplaceId"] for edge in listed}
    if who == "app":
        assert found == {GERMANY, FRANCE}
        assert "errors" not in cancelled
    else:
        assert found == {GERMANY}
        (error,) = cancelled["errors"]
        assert error["message"] == "You don't have access to some objects' channel."
        assert error["extensions"]["exception"]["code"] == "PermissionDenied"
