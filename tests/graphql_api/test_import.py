from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer
from journeys.world import World, running_world
from saleor_amazon_channel import budget
from saleor_amazon_channel.graphql import import_mutation
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.standalone.store import StandaloneStore
from standalone.driver import StandaloneDriver
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., Answer]

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"

IMPORT = """
mutation ($account: ID, $ids: [String!]) {
  amazonOrdersImport(accountId: $account, amazonOrderIds: $ids) {
    queued
    results {
      amazonOrderId state note blockers { code subject } orderId
      order { amazonOrderId orderNumber items { orderItemId } }
      errors { field message code }
    }
    errors { field message code }
  }
}
"""


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    with running_world(StandaloneDriver(), StandaloneStore()) as world:
        yield world


def import_orders(ask: Ask, *ids: str, account: SellerAccount | None = None) -> Any:
    pk = Node.to_global_id("AmazonAccount", account.pk) if account else None
    given = {"account": pk, "ids": list(ids) or None}
    return ask(IMPORT, given)["amazonOrdersImport"]


def the_error(answer: Any) -> tuple[str | None, str]:
    (error,) = answer["errors"]
    assert (answer["queued"], answer["results"]) == (None, [])
    return error["field"], error["code"]


def calls(world: World) -> int:
    return len(world.sandbox.state.calls())


# --- without names -------------------------------------------------------------------


def test_without_names_the_next_pull_is_due_and_amazon_is_not_called(
    ask: Ask, world: World
) -> None:
    SyncCursor.objects.update(next_run_at=NOW + timedelta(minutes=4))
    before = calls(world)

    answer = import_orders(ask)

    assert answer == {"queued": True, "results": [], "errors": []}
    assert calls(world) == before
    assert SyncCursor.objects.get(stream="orders").next_run_at is None
    world.sandbox.state.put_orders([wire_order()])
    world.work()
    world.work()
    assert world.ledger_order(ORDER).import_state == "imported"


def test_only_the_named_account_is_pulled(ask: Ask, world: World) -> None:
    other = SellerAccount.objects.create(name="Other", region="NA", seller_id="A2")
    later = NOW + timedelta(minutes=4)
    SyncCursor.objects.create(account=other, stream="orders")
    SyncCursor.objects.update(next_run_at=later)

    assert import_orders(ask, account=world.account)["queued"] is True

    assert (
        SyncCursor.objects.get(account=world.account, stream="orders").next_run_at
        is None
    )
    assert SyncCursor.objects.get(account=other).next_run_at == later


def test_switched_off_nothing_is_imported(ask: Ask, world: World) -> None:
    ChannelSettings.objects.update(active=False)
    before = calls(world)
    assert the_error(import_orders(ask)) == (None, "CHANNEL_INACTIVE")
    assert the_error(import_orders(ask, ORDER)) == (None, "CHANNEL_INACTIVE")
    assert calls(world) == before


def test_without_an_active_account_nothing_is_imported(ask: Ask, world: World) -> None:
    SellerAccount.objects.update(state="paused")
    assert the_error(import_orders(ask)) == (None, "NOT_FOUND")
    assert the_error(import_orders(ask, ORDER)) == (None, "NOT_FOUND")
    assert the_error(import_orders(ask, ORDER, account=world.account)) == (
        "accountId",
        "INVALID",
    )


@pytest.mark.parametrize(
    ("pk", "code"),
    [
        (Node.to_global_id("AmazonAccount", 10**6), "NOT_FOUND"),
        (Node.to_global_id("Order", 1), "GRAPHQL_ERROR"),
    ],
)
def test_an_account_that_is_not_there(
    ask: Ask, world: World, pk: str, code: str
) -> None:
    answer = ask(IMPORT, {"account": pk})["amazonOrdersImport"]
    assert the_error(answer) == ("accountId", code)


# --- by name -------------------------------------------------------------------------


def test_named_orders_are_imported_right_away(ask: Ask, world: World) -> None:
    world.sandbox.state.put_orders(
        [wire_order(), wire_order(OTHER, items=[wire_item(sku="NEW-1")])]
    )

    answer = import_orders(ask, OTHER, ORDER, ORDER)

    imported = world.ledger_order(ORDER)
    assert answer["queued"] is False
    assert answer["errors"] == []
    assert answer["results"] == [
        {
            "amazonOrderId": OTHER,
            "state": "BLOCKED",
            "note": world.ledger_order(OTHER).note,
            "blockers": [{"code": "UNKNOWN_SKU", "subject": "NEW-1"}],
            "orderId": None,
            "order": {
                "amazonOrderId": OTHER,
                "orderNumber": None,
                "items": [{"orderItemId": "10000000000001"}],
            },
            "errors": [],
        },
        {
            "amazonOrderId": ORDER,
            "state": "IMPORTED",
            "note": f"Imported as order {imported.shop_order_number}.",
            "blockers": [],
            "orderId": Node.to_global_id("Order", imported.shop_order_id),
            "order": {
                "amazonOrderId": ORDER,
                "orderNumber": imported.shop_order_number,
                "items": [{"orderItemId": "10000000000001"}],
            },
            "errors": [],
        },
    ]
    assert world.sandbox.state.counters()["getOrder"] == {"200": 2}


def test_a_named_order_may_be_older_than_imported_by_itself(
    ask: Ask, world: World
) -> None:
    long_ago = NOW - timedelta(days=60)
    world.sandbox.state.put_orders([wire_order(created=long_ago, updated=long_ago)])

    (result,) = import_orders(ask, ORDER)["results"]

    assert result["state"] == "IMPORTED"


def test_importing_a_named_order_again_doubles_nothing(ask: Ask, world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    (first,) = import_orders(ask, ORDER)["results"]
    (again,) = import_orders(ask, ORDER)["results"]
    assert again["orderId"] == first["orderId"]
    assert world.shop.order_count() == AmazonOrder.objects.count() == 1


def test_an_order_amazon_does_not_have(ask: Ask, world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])

    missing, there = import_orders(ask, OTHER, ORDER)["results"]

    assert (missing["state"], missing["order"]) == (None, None)
    assert missing["errors"] == [
        {
            "field": "amazonOrderIds",
            "message": "Amazon has no such order for this seller account.",
            "code": "NOT_FOUND",
        }
    ]
    assert there["state"] == "IMPORTED"


def test_an_order_known_already_is_told_also_when_amazon_fails(
    ask: Ask, world: World
) -> None:
    world.sandbox.state.put_orders([wire_order(status="PENDING")])
    import_orders(ask, ORDER)
    world.sandbox.state.inject_fault("getOrder", "unavailable", count=9)

    (result,) = import_orders(ask, ORDER)["results"]

    assert result["state"] == "WAITING"
    assert [error["code"] for error in result["errors"]] == ["UNAVAILABLE"]


@pytest.mark.parametrize(
    ("fault", "code"), [("unauthorized", "FORBIDDEN"), ("html_400", "INVALID")]
)
def test_what_amazon_refuses_is_said(
    ask: Ask, world: World, fault: str, code: str
) -> None:
    world.sandbox.state.inject_fault("getOrder", fault, count=9)
    (result,) = import_orders(ask, ORDER)["results"]
    assert [error["code"] for error in result["errors"]] == [code]


def test_a_revoked_grant_stops_the_account_after_one_call(
    ask: Ask, world: World
) -> None:
    world.sandbox.state.revoke_grant("A1SANDBOXEU")
    before = calls(world)

    first, second = import_orders(ask, ORDER, OTHER)["results"]

    assert [error["code"] for error in first["errors"]] == ["INVALID_CREDENTIALS"]
    assert [error["code"] for error in second["errors"]] == ["INVALID"]
    assert "Authorize the app again" in second["errors"][0]["message"]
    world.account.refresh_from_db()
    assert world.account.state == "needs_reauthorization"
    assert calls(world) == before + 1


def test_time_that_runs_out_is_said(
    ask: Ask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_mutation, "LAST_CALL_SECONDS", -1)
    before = calls(world)

    (result,) = import_orders(ask, ORDER)["results"]

    assert [error["code"] for error in result["errors"]] == ["UNAVAILABLE"]
    assert "ask for it again" in result["errors"][0]["message"]
    assert calls(world) == before


def test_the_calls_of_a_request_are_impatient(
    ask: Ask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 s in all: 5 s in which calls start, and 5 s for the last of them."""
    given: list[dict[str, Any]] = []

    def client_for(account: SellerAccount, **options: Any) -> Any:
        given.append(options)
        return original(account, **options)

    original = budget.client_for
    monkeypatch.setattr(budget, "client_for", client_for)
    world.sandbox.state.put_orders([wire_order()])
    import_orders(ask, ORDER)

    (options,) = given
    per_call = (options["connect_timeout"] + options["read_timeout"]) * options["tries"]
    assert import_mutation.LAST_CALL_SECONDS + per_call <= 10


@pytest.mark.parametrize("wrong", ["", "111-0000001", "111-0000001-0000001/..", "x'--"])
def test_what_is_no_order_id_is_refused_before_any_call(
    ask: Ask, world: World, wrong: str
) -> None:
    before = calls(world)
    answer = import_orders(ask, ORDER, wrong)
    assert the_error(answer) == ("amazonOrderIds", "INVALID")
    assert calls(world) == before


def test_twenty_orders_at_a_time(ask: Ask, world: World) -> None:
    ids = [f"111-0000001-{number:07}" for number in range(21)]
    assert the_error(import_orders(ask, *ids)) == ("amazonOrderIds", "INVALID")
    assert len(import_orders(ask, *ids[:20], ids[0])["results"]) == 20


def test_with_several_accounts_it_must_be_said_whose_a_new_order_is(
    ask: Ask, world: World
) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    import_orders(ask, ORDER)
    SellerAccount.objects.create(name="Other", region="NA", seller_id="A2")

    assert the_error(import_orders(ask, OTHER)) == ("accountId", "REQUIRED")

    known = import_orders(ask, ORDER)
    assert [result["state"] for result in known["results"]] == ["IMPORTED"]
    new = import_orders(ask, OTHER, account=world.account)
    assert [result["state"] for result in new["results"]] == ["IMPORTED"]
