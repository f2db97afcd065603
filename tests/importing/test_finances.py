"""The scan of the refunds: its range, its pages, its refusals."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from saleor_amazon_channel import clock, status
from saleor_amazon_channel.importing import finances, leases
from saleor_amazon_channel.models import (
    AmazonRefund,
    ChannelSettings,
    CommunicationLog,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    refunds,
    running_sandbox,
)
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

ORDER = "111-0000001-0000001"
ITEM = "10000000000001"


@pytest.fixture
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def sandbox(now: Any, account: SellerAccount) -> Iterator[Any]:
    """With one shipped order of 19.90."""
    with running_sandbox(usage_plans=False) as sandbox:
        account.endpoint_override = sandbox.url
        account.lwa_endpoint_override = sandbox.lwa_url
        account.lwa_client_id = CLIENT_ID
        account.lwa_client_secret = CLIENT_SECRET
        account.refresh_token = "Atzr|sandbox-EU"
        account.save()
        items = [wire_item(ITEM, shipped=1)]
        sandbox.state.put_orders([wire_order(ORDER, status="SHIPPED", items=items)])
        yield sandbox


def refund(sandbox: Any, amount: str = "1.00") -> str:
    """Of the price; the transaction's id."""
    posted = refunds.refund(sandbox.state, ORDER, items={ITEM: {"Principal": amount}})
    return str(posted["transactionId"])


def cursor() -> SyncCursor:
    return SyncCursor.objects.get(stream="finances")


def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What listTransactions is asked for, from now on."""
    calls: list[dict[str, Any]] = []
    original = finances.list_transactions

    def recording(client: Any, **options: Any) -> Any:
        calls.append(options)
        return original(client, **options)

    monkeypatch.setattr(finances, "list_transactions", recording)
    return calls


def test_the_first_scan_goes_back_as_far_as_amazon_gives(
    sandbox: Any, account: SellerAccount, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.frozen(NOW - timedelta(days=170)):
        first = refund(sandbox)
    calls = asked(monkeypatch)

    result = finances.scan(account)

    assert result == finances.ScanResult(pages=1, news=1, is_complete=True)
    assert [row.transaction_id for row in AmazonRefund.objects.all()] == [first]
    assert [(call["posted_after"], call["posted_before"]) for call in calls] == [
        (NOW - timedelta(days=179), None)
    ]
    assert cursor().watermark == NOW - timedelta(minutes=2)
    assert cursor().next_run_at == NOW + timedelta(minutes=30)
    assert (cursor().page_token, cursor().page_filter) == ("", {})


def test_what_amazon_shows_days_late_is_found(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    finances.scan(account)
    sandbox.state.transactions.posting_delay = timedelta(hours=48)
    refund(sandbox)
    for _ in range(96):
        now(timedelta(minutes=30))
        assert not AmazonRefund.objects.exists()
        assert finances.due_accounts() == [account]
        finances.scan(account)

    assert AmazonRefund.objects.get().posted_at == NOW


def test_one_list_covers_all_orders_and_marketplaces(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    for number, marketplace in enumerate(("A1PA6795UKMFR9", "A13V1IB3VIYZZH")):
        for count in range(40):
            order_id = f"111-000000{number}-{count:07}"
            order = wire_order(
                order_id,
                status="SHIPPED",
                marketplace_id=marketplace,
                items=[wire_item(shipped=1)],
            )
            sandbox.state.put_orders([order])
            refunds.refund(sandbox.state, order_id)
    now(timedelta(minutes=3))

    assert finances.scan(account).news == 80
    assert len(sandbox.state.calls("listTransactions")) == 1
    # Told once more, nothing is new.
    assert finances.scan(account).news == 0
    assert AmazonRefund.objects.count() == 80


def test_an_empty_page_is_no_end_and_a_repeated_one_no_news(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    sandbox.state.transactions.page_size = 2
    for _ in range(5):
        refund(sandbox)
    now(timedelta(minutes=3))
    sandbox.state.inject_fault("listTransactions", "empty_page")
    sandbox.state.inject_fault("listTransactions", "repeated_page", skip=1)

    result = finances.scan(account)

    assert (result.pages, result.news, result.is_complete) == (5, 5, True)
    assert AmazonRefund.objects.count() == 5


def test_a_scan_goes_on_where_the_usage_plan_stopped_it(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    sandbox.state.transactions.page_size = 1
    for _ in range(14):
        refund(sandbox)
    now(timedelta(minutes=3))

    first = finances.scan(account)

    # Ten calls are saved up, then there is one in two seconds.
    assert (first.pages, first.is_complete) == (10, False)
    assert "listTransactions" in first.error
    assert cursor().page_token
    assert cursor().watermark is None
    assert cursor().next_run_at <= clock.now() + timedelta(seconds=3)

    now(timedelta(seconds=15))
    second = finances.scan(account)
    assert (second.pages, second.news, second.is_complete) == (4, 4, True)
    assert AmazonRefund.objects.count() == 14


def test_a_refused_token_starts_the_list_over(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    sandbox.state.transactions.page_size = 1
    for _ in range(3):
        refund(sandbox)
    now(timedelta(minutes=3))
    sandbox.state.inject_fault("listTransactions", "expired_token")

    assert "Invalid nextToken" in finances.scan(account).error
    assert (cursor().page_token, cursor().watermark) == ("", None)

    now(timedelta(minutes=30))
    assert finances.scan(account).is_complete
    assert AmazonRefund.objects.count() == 3


def test_what_was_posted_while_the_channel_was_off_is_read_in_parts(
    sandbox: Any, account: SellerAccount, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finances.scan(account)
    watermark = cursor().watermark
    refund(sandbox)
    now(timedelta(days=300))
    refund(sandbox)
    now(timedelta(minutes=3))
    calls = asked(monkeypatch)

    assert finances.scan(account).news == 1
    # Amazon would answer a longer range with nothing.
    assert cursor().watermark == watermark - timedelta(days=3) + timedelta(days=179)
    assert cursor().next_run_at is None
    assert finances.scan(account).news == 1

    assert [call["posted_before"] is None for call in calls] == [False, True]
    assert all(
        (call["posted_before"] or clock.now()) - call["posted_after"]
        < timedelta(days=180)
        for call in calls
    )


def test_one_scan_at_a_time(sandbox: Any, account: SellerAccount, now: Any) -> None:
    SyncCursor.objects.create(
        account=account,
        stream="finances",
        lease_token=uuid.uuid4(),
        lease_until=NOW + leases.LIFETIME,
    )

    assert finances.due_accounts() == []
    assert finances.scan(account).error == (
        "Another worker is reading this account's refunds."
    )
    assert sandbox.state.calls("listTransactions") == []


def test_without_the_role_it_is_said_once_and_orders_go_on(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    ChannelSettings.objects.create(id=1, active=True)
    sandbox.state.account("A1SANDBOXEU").may_read_finances = False
    for _ in range(3):
        assert finances.scan(account).error == finances.REFUSED
        now(timedelta(minutes=30))

    assert "Finance and Accounting" in finances.REFUSED
    [logged] = CommunicationLog.objects.all()
    assert (logged.operation, logged.error_code) == ("listTransactions", "Unauthorized")
    account.refresh_from_db()
    assert account.state == SellerAccount.State.ACTIVE
    [told] = status.read().accounts
    assert [(each.name, each.last_error) for each in told.streams[:2]] == [
        ("orders", ""),
        ("finances", finances.REFUSED),
    ]
    assert finances.REFUSED in "\n".join(status.as_lines(status.read()))

    # Once it has the role, nothing is missing.
    refund(sandbox)
    now(timedelta(minutes=3))
    sandbox.state.account("A1SANDBOXEU").may_read_finances = True
    assert finances.scan(account).news == 1
    assert cursor().last_error == ""


def test_a_revoked_grant_stops_the_account(
    sandbox: Any, account: SellerAccount
) -> None:
    sandbox.state.revoke_grant("A1SANDBOXEU")

    finances.scan(account)

    account.refresh_from_db()
    assert account.state == SellerAccount.State.NEEDS_REAUTHORIZATION


def test_a_failing_amazon_is_tried_again_soon(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    sandbox.state.inject_fault("listTransactions", "unavailable", count=5)

    assert "503" in finances.scan(account).error

    due = cursor().next_run_at
    assert isinstance(due, datetime)
    assert due <= clock.now() + timedelta(minutes=1)
    assert not CommunicationLog.objects.exists()
