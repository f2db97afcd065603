"""``manage.py amazon_channel``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from graphql_api.rows import new_order
from saleor_amazon_channel import clock, lifecycle, store, tasks
from saleor_amazon_channel.importing import finances, pull
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    NotificationQueue,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from sqs import running_sqs
from standalone.driver import StandaloneDriver
from wire_orders import GERMANY, NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[Callable[[timedelta], None]]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def active(account: SellerAccount) -> SellerAccount:
    ChannelSettings.objects.create(id=1, active=True)
    return account


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("amazon_channel", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("command", ["pull", "push", "work", "reconcile", "backfill x"])
def test_nothing_is_done_while_the_channel_is_off(
    account: SellerAccount, command: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run(*command.split())
    assert str(caught.value) == "The channel is switched off in Saleor's plugins."
    assert caught.value.returncode == 1
    assert not SyncCursor.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_does_not_end_the_work(
    active: SellerAccount,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    buyer = "Änne Müller"

    def fail(_: SellerAccount) -> None:
        raise ValueError(buyer)

    swept = []
    monkeypatch.setattr(pull, "pull_if_due", fail)
    monkeypatch.setattr(finances, "scan_if_due", lambda _: finances.ScanResult())
    monkeypatch.setattr(lifecycle, "sweep", lambda: swept.append(clock.now()) or 0)
    SyncCursor.objects.create(
        account=active, stream="marketplaces", next_run_at=NOW + timedelta(days=1)
    )
    SyncCursor.objects.create(
        stream="housekeeping", next_run_at=NOW + timedelta(days=1)
    )
    assert [task.name for task, _ in tasks.due()] == [
        "saleor_amazon_channel.pull_orders",
        "saleor_amazon_channel.pull_refunds",
        "saleor_amazon_channel.sweep",
    ]

    with caplog.at_level(logging.ERROR):
        run("work", "--once")

    (record,) = caplog.records
    assert record.getMessage().startswith(
        "saleor_amazon_channel.pull_orders failed with ValueError\n"
    )
    assert "in fail" in record.getMessage()
    assert buyer not in caplog.text
    assert swept == [NOW]


def test_pull_also_cancels_what_was_cancelled_on_amazon(
    active: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = new_order(
        active,
        import_state="imported",
        shop_order_id="1",
        fulfillment_status="CANCELLED",
    )
    monkeypatch.setattr(pull, "pull", lambda _: pull.PullResult(pages=1))
    monkeypatch.setattr(
        finances, "scan", lambda _: finances.ScanResult(pages=2, news=1)
    )
    monkeypatch.setattr(
        store.current(), "cancel_orders", lambda ids, note: dict.fromkeys(ids, "")
    )

    assert run("pull") == (
        "Mugs and more (EU): 1 pages, 0 new, 0 changed, 0 known. \n"
        "Mugs and more (EU): 2 pages of transactions, 1 refunds new or changed.\n"
        "0 imported, 0 blocked\n"
    )
    order = AmazonOrder.objects.get(pk=order.pk)
    assert order.cancellation_settled_at == NOW


def test_buyers_are_deleted_on_demand_also_while_the_channel_is_off(
    account: SellerAccount,
) -> None:
    shipped = new_order(account, fulfillment_status="SHIPPED")
    unshipped = new_order(account, fulfillment_status="UNSHIPPED")

    assert run("redact") == "The buyers of 0 orders are deleted.\n"
    assert run("redact", "--order", shipped.amazon_order_id, "--order", "x") == (
        "1 orders are not known here.\nThe buyers of 1 orders are deleted.\n"
    )
    shipped.refresh_from_db()
    assert (shipped.redacted_at, shipped.buyer_name) == (NOW, "")
    with pytest.raises(CommandError) as caught:
        run("redact", "--order", unshipped.amazon_order_id)
    assert str(caught.value) == (
        "Still to be shipped, which needs the address: "
        f"{unshipped.amazon_order_id}. With --force it is deleted all the same."
    )
    run("redact", "--order", unshipped.amazon_order_id, "--force")
    unshipped.refresh_from_db()
    assert unshipped.buyer_name == ""


def test_status_needs_no_encryption_key(active: SellerAccount, settings: Any) -> None:
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = ""
    assert not django_settings.AMAZON_CHANNEL_ENCRYPTION_KEYS

    assert run("status") == (
        "Channel on, pull every 4 minutes\n"
        "Mugs and more (EU): active\n"
        "  orders: last never; now\n"
        "  finances: last never; now\n"
        "  import: No marketplace is mapped to a channel: orders are read, and wait. "
        "Choose a channel, a warehouse and a shipping method in a marketplace's "
        "settings.\n"
        "  reconciliation: last never; It runs next at 2026-11-21 12:00:00 UTC.\n"
        "orders: none\n"
        "outbox: none\n"
    )
    assert json.loads(run("status", "--json"))["accounts"][0]["region"] == "EU"


def test_status_says_what_the_next_pull_waits_for(account: SellerAccount) -> None:
    line = "orders: last never; {}\n"
    assert line.format("The channel is switched off.") in run("status")

    ChannelSettings.objects.create(id=1, active=True)
    SellerAccount.objects.update(state="paused")
    assert line.format("The account is not active.") in run("status")

    SellerAccount.objects.update(state="active")
    SyncCursor.objects.create(
        account=account, stream="orders", next_run_at=NOW + timedelta(minutes=4)
    )
    assert line.format("It runs next at 2026-11-20 12:04:00 UTC.") in run("status")


def test_status_says_what_is_left_of_amazons_usage_plans(
    account: SellerAccount,
) -> None:
    UsageBudget.objects.create(
        account=account,
        operation="searchOrders",
        rate=0.0056,
        burst=20,
        tokens=3,
        refilled_at=NOW,
    )
    UsageBudget.objects.create(
        account=account,
        operation="getOrder",
        rate=0.5,
        burst=30,
        tokens=3,
        refilled_at=NOW,
        blocked_until=NOW + timedelta(seconds=9),
    )

    told = run("status")

    assert "searchOrders: 3 of 20 calls left, one more every 179 s\n" in told
    assert (
        "getOrder: 0 of 30 calls left, one more every 2 s, none before "
        "2026-11-20 12:00:09+00:00\n"
    ) in told
    [listed] = json.loads(run("status", "--json"))["accounts"]
    assert [each["calls_left"] for each in listed["budgets"]] == [0.0, 3.0]


# --- back-fills ----------------------------------------------------------------------

RANGE = ("--from", "2026-11-01", "--to", "2026-11-02T00:00:00+01:00")


@pytest.fixture
def mapped(active: SellerAccount) -> Iterator[SellerAccount]:
    """With three orders on Amazon in the range, of which one cannot be imported."""
    with running_sandbox(usage_plans=False) as sandbox:
        SellerAccount.objects.update(
            endpoint_override=sandbox.url,
            lwa_endpoint_override=sandbox.lwa_url,
            lwa_client_id=CLIENT_ID,
            import_from=NOW,
        )
        active.refresh_from_db()
        active.lwa_client_secret = CLIENT_SECRET
        active.refresh_token = "Atzr|sandbox-EU"
        active.save()
        shop = StandaloneDriver()
        channel = shop.create_channel("amazon-de", "EUR", country="DE")
        warehouse = channel.warehouses[0].id
        shop.create_variant("MUG-1", [channel.id], stock={warehouse: 10})
        Marketplace.objects.create(
            account=active,
            marketplace_id=GERMANY,
            channel_id=channel.id,
            warehouse_ids=[warehouse],
            shipping_method_id=channel.shipping_methods[0].id,
        )
        created = NOW.replace(day=1)
        sandbox.state.put_orders(
            [
                wire_order("111-0000001-0000001", created=created),
                wire_order("111-0000001-0000002", created=created, status="CANCELLED"),
                wire_order(
                    "111-0000001-0000003",
                    created=created,
                    items=[wire_item(sku="CUP-9")],
                ),
            ]
        )
        yield active


def test_a_back_fill_is_run_as_far_as_it_goes(mapped: SellerAccount) -> None:
    told = run("backfill", "Mugs and more", *RANGE, "--dry-run")
    assert told == (
        "Dry run of a back-fill of 2026-11-01 00:00 to 2026-11-01 23:00 UTC: finished\n"
        "  3 orders: 0 imported before; of the others would be 1 imported, 1 blocked, "
        "1 ignored. 1 calls to Amazon.\n"
        "    1 unknown_sku CUP-9\n"
    )
    assert not AmazonOrder.objects.exists()

    told = run("backfill", "A1TESTSELLER", *RANGE, "--json")
    answer = json.loads(told)
    assert {name: answer[name] for name in ("state", "dry_run", "seen", "new")} == {
        "state": "finished",
        "dry_run": False,
        "seen": 3,
        "new": 3,
    }
    assert [answer[name] for name in ("imported", "blocked", "ignored")] == [1, 1, 1]
    assert answer["blockers"] == [
        {"code": "unknown_sku", "subject": "CUP-9", "orders": 1}
    ]
    assert answer["started_by"] == "amazon_channel backfill"
    order = AmazonOrder.objects.get(amazon_order_id="111-0000001-0000001")
    assert order.import_state == "imported"


def test_a_back_fill_under_way_goes_on_or_is_cancelled(mapped: SellerAccount) -> None:
    UsageBudget.objects.create(
        account=mapped,
        operation="searchOrders",
        rate=0.0056,
        burst=20,
        tokens=7,
        refilled_at=NOW,
    )
    account = ("Mugs and more",)
    told = run("backfill", *account, *RANGE)
    assert told.splitlines()[-1] == (
        "  Goes on at 2026-11-20 12:02:58 UTC; when it will be done cannot be told yet."
    )

    UsageBudget.objects.update(tokens=20)
    assert ": finished\n" in run("backfill", *account)
    with pytest.raises(CommandError, match="No back-fill of this account is under way"):
        run("backfill", *account)
    UsageBudget.objects.update(tokens=0)
    run("backfill", *account, *RANGE)
    assert ": cancelled\n" in run("backfill", *account, "--cancel")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("Mugs", "No account is called 'Mugs'. There are: Mugs and more"),
        ("A1TESTSELLER --from 2026-11-01", "Give both --from and --to"),
        (
            "A1TESTSELLER --from 2026-11-01 --to 2026-12-01",
            "created_before: It must be at least two minutes ago",
        ),
        (
            "A1TESTSELLER --from yesterday --to 2026-12-01",
            "'yesterday' is no date or time like 2026-01-31",
        ),
    ],
)
def test_what_a_back_fill_refuses(
    mapped: SellerAccount, arguments: str, message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run("backfill", *arguments.split())
    assert message in str(caught.value)


def test_a_comparison_now(mapped: SellerAccount) -> None:
    run("backfill", "A1TESTSELLER", *RANGE)
    summary = "3 there, 3 here, 0 missing, 0 double, 1 blocked (1 unknown_sku)."
    assert run("reconcile", "--days", "30") == f"Mugs and more (EU): {summary}\n"

    [told] = json.loads(run("reconcile", "A1TESTSELLER", "--json"))
    assert {
        name: told[name] for name in ("is_clean", "there", "double", "blocked_by")
    } == {
        "is_clean": True,
        "there": 3,
        "double": [],
        "blocked_by": {"unknown_sku": 1},
    }
    with pytest.raises(CommandError, match="invalid choice: 31"):
        run("reconcile", "--days", "31")


def test_status_says_what_came_of_comparisons_and_back_fills(
    mapped: SellerAccount,
) -> None:
    run("backfill", "A1TESTSELLER", *RANGE, "--dry-run")
    run("backfill", "A1TESTSELLER", *RANGE)
    run("reconcile")

    told = run("status")

    assert (
        "  compared with Amazon at 2026-11-20 12:00:00 UTC: 3 there, 3 here, 0 "
        "missing, 0 double, 1 blocked (1 unknown_sku).\n"
        "  back-fill, finished: 3 orders: 0 imported before; of the others are 1 "
        "imported, 1 blocked, 1 ignored.\n"
    ) in told
    [listed] = json.loads(run("status", "--json"))["accounts"]
    assert listed["reconciliation"]["there"] == 3
    assert listed["reconciliation"]["blocked_by"] == {"unknown_sku": 1}
    assert listed["backfill"]["seen"] == 3
    assert listed["backfill"]["dry_run"] is False


# --- notifications -------------------------------------------------------------------


@pytest.fixture
def connected(sandbox: Any) -> SellerAccount:
    ChannelSettings.objects.create(id=1, active=True)
    return SellerAccount.objects.create(
        name="Mugs and more",
        region="EU",
        seller_id="A1SANDBOXEU",
        lwa_client_id=CLIENT_ID,
        lwa_client_secret=CLIENT_SECRET,
        refresh_token="Atzr|sandbox-EU",
        endpoint_override=sandbox.url,
        lwa_endpoint_override=sandbox.lwa_url,
    )


@pytest.fixture
def sandbox(now: object) -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        yield sandbox


def test_notifications_from_subscribing_to_unsubscribing(
    connected: SellerAccount, sandbox: Any
) -> None:
    with running_sqs() as sqs:
        arn = sqs.create_queue()
        assert run("subscribe", "A1SANDBOXEU", arn, "--endpoint", sqs.url) == (
            f"Mugs and more (EU): notifications go to {arn}\n"
        )
        sqs.send(arn, "not JSON")

        assert run("receive") == "1 queues, 0 orders read\n"

        assert (
            f"  notifications of {arn}: subscribed, 1 in the last hour; of a day "
            "1 malformed; last 2026-11-20 12:00:00+00:00\n"
        ) in run("status")
        [listed] = json.loads(run("status", "--json"))["accounts"]
        assert listed["notifications"]["messages"] == {"malformed": 1}
        assert run("unsubscribe", "A1SANDBOXEU", "--region", "EU") == (
            "Mugs and more (EU): unsubscribed\n"
        )
    assert run("receive") == "0 queues, 0 orders read\n"
    assert "notifications" not in run("status")


def test_refusals_of_subscribing_end_with_an_error(connected: SellerAccount) -> None:
    def refused(*arguments: str) -> str:
        with pytest.raises(CommandError) as caught:
            run(*arguments)
        return str(caught.value)

    assert refused("subscribe", "A1SANDBOXEU", "orders").startswith(
        "The ARN of a standard SQS queue"
    )
    assert refused("unsubscribe", "A9") == (
        "No account is called 'A9'. There are: Mugs and more (A1SANDBOXEU)."
    )
    connected.pk, connected.region = None, "NA"
    connected.save()
    assert refused("unsubscribe", "A1SANDBOXEU") == (
        "Several accounts are called 'A1SANDBOXEU': give --region."
    )


def test_status_says_that_a_copy_of_the_shop_reads_no_messages(
    active: SellerAccount,
) -> None:
    NotificationQueue.objects.create(account=active, arn="arn:1")
    SyncCursor.objects.create(account=active, stream="notifications", last_run_at=NOW)
    ChannelSettings.objects.update(read_only=True)
    assert "Read-only mode: messages stay in their queue." in run("status")
