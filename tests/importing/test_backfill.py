"""How a range of time is read: its windows, its calls, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.importing import backfill, reconcile, slow_scan
from saleor_amazon_channel.importing.backfill_progress import as_lines, progress
from saleor_amazon_channel.models import (
    AmazonOrder,
    Backfill,
    ChannelSettings,
    CommunicationLog,
    Marketplace,
    SellerAccount,
    UsageBudget,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from wire_orders import FRANCE, GERMANY, NOW, wire_item, wire_order

JAPAN = "A1VC38T7YXB528"
MONTHS_AGO = NOW - timedelta(days=100)

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def mapped(account: SellerAccount) -> SellerAccount:
    """Mapped to a channel that there is not: nothing of it is imported here."""
    Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id="1",
        warehouse_ids=["1"],
        shipping_method_id="1",
    )
    Marketplace.objects.create(account=account, marketplace_id=FRANCE)
    return account


@pytest.fixture
def sandbox(now: Any, mapped: SellerAccount) -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        mapped.endpoint_override = sandbox.url
        mapped.lwa_endpoint_override = sandbox.lwa_url
        mapped.lwa_client_id = CLIENT_ID
        mapped.lwa_client_secret = CLIENT_SECRET
        mapped.refresh_token = "Atzr|sandbox-EU"
        mapped.save()
        yield sandbox


def put(
    sandbox: Any, count: int, first: datetime = MONTHS_AGO, status: str = "SHIPPED"
) -> None:
    """Orders, one a minute, to be delivered next week if they are not shipped."""
    orders = [
        wire_order(
            f"111-0000001-{n:07}",
            status=status,
            items=[wire_item(shipped=int(status == "SHIPPED"))],
            created=first + timedelta(minutes=n),
        )
        for n in range(count)
    ]
    if status != "SHIPPED":
        latest = (NOW + timedelta(days=7)).isoformat()
        for order in orders:
            order["fulfillment"]["deliverByWindow"] = {"latestDateTime": latest}
    sandbox.state.put_orders(orders)


def leave(account: SellerAccount, tokens: float) -> None:
    """So many calls of searchOrders are left."""
    UsageBudget.objects.update_or_create(
        account=account,
        operation="searchOrders",
        defaults={
            "tokens": tokens,
            "rate": 0.0056,
            "burst": 20,
            "refilled_at": clock.now(),
        },
    )


# --- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "marketplaces", "field", "message"),
    [
        (2, 2, [], "created_before", "It must be later than createdAfter."),
        (
            2,
            timedelta(minutes=1),
            [],
            "created_before",
            "It must be at least two minutes ago: Amazon lists no orders that are "
            "newer. Those are imported by themselves.",
        ),
        (
            731,
            2,
            [],
            "created_after",
            "Amazon tells of no orders of amazon.fr before 2024-11-20 12:00 UTC (two "
            "years ago): begin later.",
        ),
        (
            2,
            1,
            [GERMANY, JAPAN],
            "marketplaces",
            f"The account does not sell in the marketplace '{JAPAN}': give Amazon's ID "
            "of one that it takes part in.",
        ),
        (
            2,
            1,
            [FRANCE],
            "marketplaces",
            "No order could be imported: none of the marketplaces has a channel, "
            "warehouse and shipping method yet. Choose them in its settings.",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    mapped: SellerAccount,
    now: Any,
    since: int,
    until: Any,
    marketplaces: list[str],
    field: str,
    message: str,
) -> None:
    until = until if isinstance(until, timedelta) else timedelta(days=until)
    with pytest.raises(backfill.BackfillRefused) as refused:
        backfill.start(
            mapped,
            NOW - timedelta(days=since),
            NOW - until,
            marketplace_ids=marketplaces,
        )
    assert (refused.value.field, refused.value.message) == (field, message)
    assert not refused.value.is_taken
    assert not Backfill.objects.exists()


def test_amazon_remembers_longer_in_japan(mapped: SellerAccount, now: Any) -> None:
    mapped.marketplaces.update(is_participating=False)
    Marketplace.objects.create(
        account=mapped,
        marketplace_id=JAPAN,
        channel_id="1",
        warehouse_ids=["1"],
        shipping_method_id="1",
    )
    begin = datetime(2016, 1, 1, tzinfo=UTC)
    with pytest.raises(backfill.BackfillRefused, match="2016-01-01 00:00 UTC: begin"):
        backfill.start(mapped, begin - timedelta(seconds=1), NOW - timedelta(days=1))

    row = backfill.start(mapped, begin, NOW - timedelta(days=1))
    assert row.marketplace_ids == [JAPAN]


def test_one_at_a_time_for_an_account(mapped: SellerAccount, now: Any) -> None:
    row = backfill.start(mapped, MONTHS_AGO, NOW - timedelta(days=1))
    with pytest.raises(backfill.BackfillRefused, match="is under way") as refused:
        backfill.start(mapped, MONTHS_AGO, NOW - timedelta(days=1), is_dry_run=True)
    assert refused.value.is_taken

    backfill.cancel(row)
    backfill.start(mapped, MONTHS_AGO, NOW - timedelta(days=1))


# --- windows -------------------------------------------------------------------------


def test_windows_grow_while_there_is_little_and_end_where_the_range_does(
    sandbox: Any, mapped: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = []
    search = backfill.search_orders

    def spy(*args: Any, **options: Any) -> Any:
        since, until = options["created_after"], options["created_before"]
        windows.append(((until - since) / timedelta(days=1), until))
        return search(*args, **options)

    monkeypatch.setattr(backfill, "search_orders", spy)
    row = backfill.start(mapped, MONTHS_AGO, NOW - timedelta(days=1))
    backfill.run(row)

    assert row.state == "finished"
    # Days; none reaches over the time from which the buyer's data is listed too.
    assert [days for days, _ in windows] == [1, 2, 4, 8, 16, 32, 12, 24]
    assert windows[-2][1] == NOW - timedelta(days=25)
    assert windows[-1][1] == NOW - timedelta(days=1)
    assert row.calls == len(sandbox.state.calls("searchOrders")) == 8


def test_an_order_where_two_windows_meet_is_counted_once(
    sandbox: Any, mapped: SellerAccount
) -> None:
    since = MONTHS_AGO
    sandbox.state.put_orders(
        [
            wire_order("111-0000001-0000001", created=since),
            wire_order("111-0000001-0000002", created=since + timedelta(days=1)),
            wire_order("111-0000001-0000003", created=since + timedelta(days=3)),
        ]
    )

    row = backfill.start(mapped, since, since + timedelta(days=3))
    backfill.run(row)

    assert progress([row])[row.pk].there == AmazonOrder.objects.count() == 3


def test_a_dense_window_makes_the_next_ones_shorter(
    sandbox: Any, mapped: SellerAccount
) -> None:
    put(sandbox, 1100)
    # 1,100 orders are 11 pages, after which nothing is left over.
    leave(mapped, backfill.CALLS_LEFT_TO_OTHERS + 10.5)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=2))
    backfill.run(row)

    assert (row.calls, row.state) == (11, "running")
    assert row.window_length == timedelta(hours=12)
    assert (row.window_from, row.window_until) == (
        MONTHS_AGO + timedelta(days=1),
        MONTHS_AGO + timedelta(days=1.5),
    )


def test_a_range_that_ends_just_now_waits_until_amazon_surely_lists_it(
    sandbox: Any, mapped: SellerAccount, now: Any
) -> None:
    until = NOW - timedelta(minutes=3)
    row = backfill.start(mapped, NOW - timedelta(hours=2), until)

    backfill.run(row)
    assert (row.calls, row.last_error) == (0, "")
    assert row.next_run_at == until + timedelta(minutes=10)
    assert list(backfill.due()) == []

    now(timedelta(minutes=7))
    assert list(backfill.due()) == [row]
    backfill.run(row)
    assert row.state == "finished"


def test_a_marketplace_that_the_seller_left_is_left_out(
    sandbox: Any, mapped: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    search = backfill.search_orders

    def spy(*args: Any, **options: Any) -> Any:
        asked.append(options["marketplace_ids"])
        return search(*args, **options)

    monkeypatch.setattr(backfill, "search_orders", spy)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))
    mapped.marketplaces.filter(marketplace_id=FRANCE).update(is_participating=False)
    backfill.run(row)
    assert asked == [[GERMANY]]

    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))
    mapped.marketplaces.update(is_participating=False)
    backfill.run(row)
    assert row.last_error == (
        "The seller takes part in none of the marketplaces any more."
    )
    assert row.state == "running"


# --- calls ---------------------------------------------------------------------------


def test_the_scans_and_the_comparisons_keep_their_calls(
    sandbox: Any, mapped: SellerAccount, now: Any
) -> None:
    put(sandbox, 350)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))
    leave(mapped, backfill.CALLS_LEFT_TO_OTHERS + 1.5)

    backfill.run(row)
    assert (row.calls, row.state, row.last_error) == (2, "running", "")
    # When half a call more has come back.
    assert NOW + timedelta(seconds=89) < row.next_run_at < NOW + timedelta(seconds=90)
    [left] = UsageBudget.objects.filter(operation="searchOrders")
    assert left.tokens >= reconcile.CALLS_LEFT_TO_SCANS + 1

    now(timedelta(minutes=10))
    leave(mapped, 20)
    backfill.run(row)
    assert (row.calls, row.state) == (4, "finished")


def test_named_orders_keep_their_calls_of_get_order(
    sandbox: Any, mapped: SellerAccount, now: Any
) -> None:
    put(sandbox, 30, status="UNSHIPPED")
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))

    backfill.run(row)
    assert (row.reads, len(row.to_read), row.state) == (20, 10, "running")
    assert row.next_run_at == NOW + timedelta(minutes=1)
    assert AmazonOrder.objects.filter(backfill=row).count() == 20
    told = progress([row])[row.pk]
    assert (told.there, told.new) == (30, 30)

    now(timedelta(minutes=1))
    backfill.run(row)
    assert (row.reads, row.to_read, row.state) == (30, [], "finished")
    assert AmazonOrder.objects.filter(backfill=row).count() == 30
    # Of these the buyer's data is here.
    assert {bool(o.personal) for o in AmazonOrder.objects.all()} == {True}


def test_what_cannot_be_read_is_named(sandbox: Any, mapped: SellerAccount) -> None:
    put(sandbox, 2, status="UNSHIPPED")
    sandbox.state.inject_fault("getOrder", "html_400", count=1)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))

    backfill.run(row)

    assert (row.state, row.unread) == ("finished", ["111-0000001-0000000"])
    assert CommunicationLog.objects.get().operation == "getOrder"
    [line] = [line for line in as_lines(row, progress([row])[row.pk]) if "read" in line]
    assert "1 could not be read" in line


def test_without_the_roles_for_buyer_data_the_orders_are_here_without(
    sandbox: Any, mapped: SellerAccount
) -> None:
    put(sandbox, 1, first=NOW - timedelta(days=3), status="UNSHIPPED")
    sandbox.state.inject_fault("searchOrders", "unauthorized", count=1)
    row = backfill.start(mapped, NOW - timedelta(days=4), NOW - timedelta(days=3))
    backfill.run(row)

    order = AmazonOrder.objects.get()
    assert (row.state, row.reads) == ("finished", 0)
    assert (order.personal, order.redacted_at) == ({}, None)
    assert order.is_import_requested
    assert CommunicationLog.objects.get().operation == "searchOrders"


def test_an_outage_is_outlived(sandbox: Any, mapped: SellerAccount, now: Any) -> None:
    put(sandbox, 3)
    sandbox.state.inject_fault("searchOrders", "unavailable", count=20)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))
    backfill.run(row)
    assert (row.state, row.calls) == ("running", 0)
    assert "searchOrders: 503" in row.last_error

    sandbox.state.clear_faults()
    now(timedelta(minutes=10))
    backfill.run(row)
    assert (row.state, row.last_error) == ("finished", "")
    assert AmazonOrder.objects.count() == 3


def test_another_worker_is_let_be(
    sandbox: Any, mapped: SellerAccount, now: Any
) -> None:
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=1))
    assert slow_scan._take_lease(row)
    other = Backfill.objects.get()

    assert list(backfill.due()) == []
    backfill.run(other)
    assert other.calls == 0

    now(slow_scan.LEASE_LIFETIME)
    backfill.run(other)
    assert other.state == "finished"
    # The first one comes back, too late.
    with pytest.raises(slow_scan.LeaseLostError), slow_scan.committing(row):
        pass


def test_when_it_will_be_done(sandbox: Any, mapped: SellerAccount) -> None:
    ChannelSettings.objects.create(id=1, active=True, pull_interval_minutes=4)
    row = backfill.start(mapped, MONTHS_AGO, MONTHS_AGO + timedelta(days=10))
    assert progress([row])[row.pk].expected_at is None
    # In a tenth of it 20 calls, so 180 more; the scans leave 0.0056/s - 1/240 s.
    Backfill.objects.update(calls=20, window_from=MONTHS_AGO + timedelta(days=1))
    leave(mapped, backfill.CALLS_LEFT_TO_OTHERS)
    row.refresh_from_db()

    expected = progress([row])[row.pk].expected_at

    assert expected is not None
    seconds = 180 / (0.0056 - 1 / 240)
    assert abs((expected - NOW).total_seconds() - seconds) < 1
    assert "done at about 2026-11-21 22:" in "\n".join(
        as_lines(row, progress([row])[row.pk])
    )
    ChannelSettings.objects.update(pull_interval_minutes=3)
    UsageBudget.objects.update(rate=1 / 180)
    assert progress([row])[row.pk].expected_at is None
