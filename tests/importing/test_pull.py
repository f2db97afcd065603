"""The scan: its lease, its watermark, its pages. What is recorded is in ``ledger``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.importing import leases, pull
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import AmazonOrder, SellerAccount, SyncCursor
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from wire_orders import NOW, wire_order

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def sandbox(now: Any, account: SellerAccount) -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        account.endpoint_override = sandbox.url
        account.lwa_endpoint_override = sandbox.lwa_url
        account.lwa_client_id = CLIENT_ID
        account.lwa_client_secret = CLIENT_SECRET
        account.refresh_token = "Atzr|sandbox-EU"
        account.save()
        yield sandbox


def put(sandbox: Any, count: int) -> None:
    sandbox.state.put_orders([wire_order(f"111-0000001-{n:07}") for n in range(count)])


def test_the_watermark_is_amazons_bound_and_the_next_scan_overlaps(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    put(sandbox, 3)

    result = pull.pull(account)

    assert (result.pages, result.recorded.new, result.is_complete) == (1, 3, True)
    cursor = SyncCursor.objects.get(account=account)
    # Amazon hides the last two minutes.
    assert cursor.watermark == NOW - timedelta(minutes=2)
    assert cursor.next_run_at == NOW + timedelta(minutes=4)
    assert (cursor.lease_token, cursor.page_token, cursor.last_error) == (None, "", "")

    now(timedelta(minutes=4))
    sandbox.state.put_orders(
        # Changed before the watermark, but seen only now.
        [wire_order("111-0000001-9999999", updated=NOW - timedelta(minutes=6))]
    )
    assert pull.pull(account).recorded.new == 1


def test_a_scan_that_somebody_has_done_meanwhile_costs_no_call(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    assert pull.pull_if_due(account).is_complete
    assert pull.pull_if_due(account) == pull.PullResult()
    assert len(sandbox.state.calls("searchOrders")) == 1

    pull.pull_now(account)
    assert pull.pull_if_due(account).is_complete
    now(timedelta(minutes=4))
    assert pull.pull_if_due(account).is_complete
    assert len(sandbox.state.calls("searchOrders")) == 3


def test_one_scan_at_a_time(sandbox: Any, account: SellerAccount, now: Any) -> None:
    SyncCursor.objects.create(
        account=account,
        stream=pull.STREAM,
        lease_token=uuid.uuid4(),
        lease_until=NOW + leases.LIFETIME,
    )
    assert pull.due_accounts() == []
    assert pull.pull(account).error == "Another worker is pulling this account."
    assert sandbox.state.calls("searchOrders") == []

    now(leases.LIFETIME)
    assert pull.due_accounts() == [account]
    assert pull.pull(account).is_complete


def test_who_lost_the_lease_commits_nothing_more(
    sandbox: Any, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sandbox, 150)
    other = uuid.uuid4()
    fetch = pull._fetch

    def steal_before_the_second_page(*args: Any) -> Any:
        page = fetch(*args)
        if AmazonOrder.objects.exists():
            SyncCursor.objects.update(lease_token=other)
        return page

    monkeypatch.setattr(pull, "_fetch", steal_before_the_second_page)

    result = pull.pull(account)

    assert (result.pages, result.error) == (1, "The lease was lost.")
    assert AmazonOrder.objects.count() == 100
    cursor = SyncCursor.objects.get()
    # The other one's lease, and its watermark, are untouched.
    assert (cursor.lease_token, cursor.watermark) == (other, None)


def test_the_watermark_stays_until_the_last_page(
    sandbox: Any, account: SellerAccount
) -> None:
    put(sandbox, 150)
    sandbox.state.inject_fault("searchOrders", "throttled", skip=1, count=1)

    result = pull.pull(account)

    assert (result.pages, result.is_complete) == (1, False)
    cursor = SyncCursor.objects.get()
    assert cursor.watermark is None
    assert cursor.page_token
    assert "429" in cursor.last_error
    assert NOW < cursor.next_run_at <= NOW + timedelta(minutes=4)


def test_a_page_that_comes_twice_changes_nothing(
    sandbox: Any, account: SellerAccount
) -> None:
    put(sandbox, 150)
    sandbox.state.inject_fault("searchOrders", "repeated_page", skip=1, count=1)

    pull.pull(account)
    pull.pull(account)

    assert AmazonOrder.objects.count() == 150


def test_calls_are_pages_of_a_hundred_for_all_marketplaces(
    sandbox: Any, account: SellerAccount
) -> None:
    for marketplace_id in ("A1PA6795UKMFR9", "A13V1IB3VIYZZH"):
        account.marketplaces.create(marketplace_id=marketplace_id)
    orders = [wire_order(f"111-0000001-{n:07}") for n in range(250)]
    for wire in orders[::2]:
        wire["salesChannel"]["marketplaceId"] = "A13V1IB3VIYZZH"
    sandbox.state.put_orders(orders)

    assert pull.pull(account).pages == 3

    assert len(sandbox.state.calls("searchOrders")) == 3
    assert AmazonOrder.objects.count() == 250


def test_a_pull_asked_for_during_a_scan_is_due_after_it(
    sandbox: Any, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = pull._fetch

    def asked_for_meanwhile(*args: Any) -> Any:
        pull.pull_now(account)
        return fetch(*args)

    with monkeypatch.context() as patch:
        patch.setattr(pull, "_fetch", asked_for_meanwhile)
        pull.pull(account)

    assert pull.due_accounts() == [account]
    pull.pull(account)
    assert pull.due_accounts() == []


def test_a_scan_that_fails_unexpectedly_says_so_without_the_exceptions_text(
    sandbox: Any, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sandbox, 1)

    def fail(*args: Any) -> None:
        raise ValueError("Änne Müller")

    monkeypatch.setattr(recorder, "record", fail)

    with pytest.raises(ValueError, match="Änne"):
        pull.pull(account)

    cursor = SyncCursor.objects.get()
    assert "(ValueError)" in cursor.last_error
    assert "Änne" not in cursor.last_error
    assert (cursor.lease_token, cursor.watermark) == (None, None)
    assert cursor.next_run_at == NOW + timedelta(minutes=4)


def test_a_scan_under_way_cannot_undo_that_scans_start_over(
    sandbox: Any, account: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = pull._fetch

    def started_over_meanwhile(*args: Any) -> Any:
        page = fetch(*args)
        pull.start_over(account)
        return page

    monkeypatch.setattr(pull, "_fetch", started_over_meanwhile)

    assert pull.pull(account).error == "The lease was lost."
    assert SyncCursor.objects.get().watermark is None
    assert pull.due_accounts() == [account]


def test_orders_read_without_buyer_data_are_read_again_once_it_is_given(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    put(sandbox, 3)
    sandbox.state.inject_fault("searchOrders", "unauthorized", count=1)
    assert pull.pull(account).recorded.new == 3
    cursor = SyncCursor.objects.get()
    assert cursor.watermark == NOW - timedelta(minutes=2)
    assert AmazonOrder.objects.filter(buyer_name="").count() == 3

    now(timedelta(minutes=4))
    assert pull.pull(account).recorded == recorder.Recorded()
    assert pull.due_accounts() == [account]
    assert pull.pull(account).recorded.changed == 3

    assert AmazonOrder.objects.filter(buyer_name="").count() == 0
    cursor.refresh_from_db()
    assert cursor.without_buyer_since is None
    assert cursor.watermark == NOW + timedelta(minutes=2)
    assert pull.due_accounts() == []


def test_while_buyer_data_is_refused_scans_go_on_from_the_watermark(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    put(sandbox, 3)
    # Of each scan only the first of its two calls.
    for skip in (0, 1):
        sandbox.state.inject_fault("searchOrders", "unauthorized", skip=skip, count=1)
    pull.pull(account)
    now(timedelta(minutes=4))
    pull.pull(account)

    cursor = SyncCursor.objects.get()
    assert cursor.watermark == NOW + timedelta(minutes=2)
    assert cursor.without_buyer_since == account.import_from - pull.OVERLAP
    assert pull.due_accounts() == []


def test_a_backlog_longer_than_the_life_of_a_token_is_read_in_parts(
    sandbox: Any, account: SellerAccount, now: Any
) -> None:
    """Every token is refused, as if a page took a day; none of the parts needs one."""
    begin = NOW - timedelta(days=30)
    SellerAccount.objects.update(import_from=begin)
    sandbox.state.put_orders(
        [
            wire_order(f"111-0000001-{n:07}", created=begin, updated=begin + n * HOUR)
            for n in range(24 * 30)
        ]
    )
    sandbox.state.inject_fault("searchOrders", "expired_token", count=1000)

    results = []
    while not (results and results[-1].is_complete):
        results.append(pull.pull(account))
        assert len(results) < 6
        now(timedelta(minutes=5))

    assert AmazonOrder.objects.count() == 24 * 30
    cursor = SyncCursor.objects.get(account=account)
    assert cursor.watermark >= NOW
    assert cursor.page_filter == {}
    calls = len(sandbox.state.calls("searchOrders"))
    assert pull.pull(account).is_complete
    assert len(sandbox.state.calls("searchOrders")) == calls + 1


def test_an_order_of_an_impossible_time_keeps_no_other(
    sandbox: Any, account: SellerAccount
) -> None:
    put(sandbox, 1)
    sandbox.state.put_orders(
        [{**wire_order("111-0000001-0000001"), "createdTime": "9999-12-31T23:59:59Z"}]
    )

    assert pull.pull(account).is_complete
    assert AmazonOrder.objects.count() == 2
