"""Once a day Amazon's orders are compared with ours, and what is missing is read.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import clock, redaction
from saleor_amazon_channel.importing import reconcile, slow_scan
from saleor_amazon_channel.models import (
    AmazonOrder,
    Reconciliation,
    SellerAccount,
    UsageBudget,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def counted(row: Reconciliation) -> tuple[int, int]:
    return row.count("there"), row.count("here")


def lengths() -> list[int]:
    """Of all comparisons, in whole days."""
    rows = Reconciliation.objects.order_by("pk")
    return [(row.until - row.since).days for row in rows]


def a_day_later(world: World) -> Reconciliation:
    world.move_clock(timedelta(hours=24))
    for _ in range(3):
        world.work()
        world.move_clock(timedelta(minutes=10))
    return Reconciliation.objects.latest("pk")


def test_a_day_on_which_all_is_well(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)
    assert Reconciliation.objects.count() == 0

    row = a_day_later(world)

    assert row.finished_at is not None
    assert reconcile.in_words(row) == "2 there, 2 here, 0 missing, 0 double."
    # The next one is tomorrow's.
    world.work_until_quiet(3)
    assert Reconciliation.objects.count() == 1
    assert world.shop.order_count() == 2


def test_what_changed_before_the_account_was_connected_is_not_missing(
    world: World,
) -> None:
    """The first comparison reaches back behind that."""
    with world.shop.writer():
        SellerAccount.objects.update(import_from=NOW - timedelta(days=1))
    earlier = NOW - timedelta(days=1, minutes=30)
    world.sandbox.state.put_orders(
        [wire_order(), wire_order(OTHER, created=earlier, updated=earlier)]
    )
    world.work_until_quiet(2)

    row = a_day_later(world)

    assert reconcile.in_words(row) == "1 there, 1 here, 0 missing, 0 double."
    assert not AmazonOrder.objects.filter(amazon_order_id=OTHER).exists()


def test_an_order_that_no_scan_showed_is_found_and_imported(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(4)
    # It appears in Amazon's list behind where the scans have read to.
    world.sandbox.state.put_orders([wire_order(OTHER)])
    world.work_until_quiet(3)
    assert not AmazonOrder.objects.filter(amazon_order_id=OTHER).exists()

    row = a_day_later(world)

    assert (*counted(row), row.missing) == (2, 1, [OTHER])
    assert reconcile.in_words(row) == (
        "2 there, 1 here, 1 missing, 0 double; 1 of them have been read from Amazon."
    )
    assert world.ledger_order(OTHER).import_state == "imported"
    assert world.shop.order_count() == 2


def test_an_order_that_is_here_as_it_was_before_is_read_anew(world: World) -> None:
    pending = wire_order(status="PENDING")
    world.sandbox.state.put_orders([pending])
    world.work_until_quiet(4)
    updated = clock.now() - timedelta(minutes=15)
    world.sandbox.state.put_orders([wire_order(updated=updated)])
    world.work_until_quiet(3)
    assert world.ledger_order(ORDER).import_state == "waiting"

    row = a_day_later(world)

    assert (row.missing, row.outdated) == ([], [ORDER])
    assert world.ledger_order(ORDER).import_state == "imported"


def test_a_buyer_who_was_deleted_does_not_come_back(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(4)
    with world.shop.writer():
        redaction.redact_named([ORDER], force=True)
    order_id = world.ledger_order(ORDER).shop_order_id or ""
    deleted = world.shop.order(order_id).shipping_address
    updated = clock.now() - timedelta(minutes=15)
    world.sandbox.state.put_orders([wire_order(updated=updated)])
    world.work_until_quiet(3)

    row = a_day_later(world)
    world.work_until_quiet(2)

    assert row.outdated == [ORDER]
    order = world.ledger_order(ORDER)
    assert order.last_updated_time == updated
    assert (order.personal, order.buyer_name) == ({}, "")
    assert order.superseded_recipient == {}
    assert world.shop.order(order_id).shipping_address == deleted


def test_what_the_shop_lost_or_changed_is_said_and_not_made_anew(
    world: World,
) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)
    AmazonOrder.objects.filter(amazon_order_id=ORDER).update(
        shop_order_id="00000000-0000-0000-0000-000000000000"
    )
    AmazonOrder.objects.filter(amazon_order_id=OTHER).update(
        grand_total=Decimal("1.00")
    )

    row = a_day_later(world)

    assert (row.gone_from_shop, row.wrong_total) == ([ORDER], [OTHER])
    assert "1 gone from the shop, 1 with another total in the shop" in (
        reconcile.in_words(row)
    )
    assert world.shop.order_count() == 2


def test_an_order_that_the_shop_has_twice_is_double(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)
    order_id = world.ledger_order(ORDER).shop_order_id or ""
    again = world.shop.make_again(order_id)

    row = a_day_later(world)

    assert row.double == [ORDER]
    assert not reconcile.is_clean(row)
    assert reconcile.in_words(row) == "2 there, 2 here, 0 missing, 1 double."

    # Until staff cancel one of them.
    world.shop.cancel_order(again)
    row = a_day_later(world)
    assert row.double == []
    assert reconcile.is_clean(row)


def test_what_the_shop_does_not_follow_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)

    def failing(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(type(world.store), "order_state", failing)
        broken.setattr(type(world.store), "cancel_orders", failing)
        events.ship(world.sandbox.state, ORDER)
        events.cancel(world.sandbox.state, OTHER)
        # However often it is tried meanwhile.
        for _ in range(4):
            world.work()
            world.move_clock(timedelta(minutes=20))
        with world.shop.writer():
            row = reconcile.run(world.account)
    assert row.not_followed == [ORDER, OTHER]
    assert not reconcile.is_clean(row)
    assert "2 not followed for an hour" in reconcile.in_words(row)

    world.work_until_quiet(2)
    with world.shop.writer():
        row = reconcile.run(world.account)
    assert row.not_followed == []


def test_what_is_blocked_is_counted_with_its_reasons(world: World) -> None:
    wire = wire_order("111-0000001-0000003", items=[wire_item(sku="CUP-9")])
    wire["proceeds"]["grandTotal"]["amount"] = "1.00"
    world.sandbox.state.put_orders(
        [wire_order(OTHER, items=[wire_item(sku="CUP-9")]), wire_order(), wire]
    )
    world.work_until_quiet(2)

    row = a_day_later(world)

    assert (row.blocked, row.blocked_by) == (
        2,
        {"unknown_sku": 1, "amounts_differ": 1},
    )
    assert reconcile.is_clean(row)
    assert reconcile.in_words(row) == (
        "3 there, 3 here, 0 missing, 0 double, 2 blocked (1 amounts_differ, 1 "
        "unknown_sku)."
    )


def test_one_that_is_asked_for_goes_further_back_and_is_not_the_daily_one(
    world: World,
) -> None:
    old = NOW - timedelta(days=20)
    world.sandbox.state.put_orders([wire_order(created=old, updated=old)])
    world.work_until_quiet(4)
    # Lost, and too old for the daily comparison.
    world.sandbox.state.put_orders([wire_order(OTHER, created=old, updated=old)])
    assert a_day_later(world).missing == []

    with world.shop.writer():
        row = reconcile.start_now(world.account, days=30)
        assert reconcile.start_now(world.account, days=5) == row
    for _ in range(2):
        world.work()
    row.refresh_from_db()
    assert (*counted(row), row.missing) == (2, 1, [OTHER])
    assert world.ledger_order(OTHER).import_state == "imported"

    # One of less than the daily one's days does not stand in for it.
    with world.shop.writer():
        reconcile.start_now(world.account, days=1)
    days = [
        (row.until - row.since).days for row in Reconciliation.objects.order_by("pk")
    ]
    assert days == [2, 29, 0]
    a_day_later(world)
    days = [
        (row.until - row.since).days for row in Reconciliation.objects.order_by("pk")
    ]
    assert days == [2, 29, 0, 2]


def test_the_scans_keep_their_calls_and_it_goes_on_where_it_stopped(
    world: World,
) -> None:
    orders = [wire_order(f"111-0000004-{number:07}") for number in range(250)]
    world.sandbox.state.put_orders(orders)
    world.work_until_quiet(2)
    UsageBudget.objects.filter(operation="searchOrders").update(
        tokens=reconcile.CALLS_LEFT_TO_SCANS + 1.5, rate=0.0001
    )
    with world.shop.writer():
        row = reconcile.run(world.account)
    assert (row.count("there"), row.finished_at) == (200, None)
    assert reconcile.in_words(row).endswith("so far.")
    UsageBudget.objects.filter(operation="searchOrders").update(tokens=20)
    world.move_clock(timedelta(minutes=10))
    world.work()

    row.refresh_from_db()
    assert (*counted(row), row.missing) == (250, 250, [])
    assert row.finished_at is not None


def test_many_missing_orders_are_all_read(world: World) -> None:
    world.work_until_quiet(4)
    world.sandbox.state.put_orders(
        [wire_order(f"111-0000004-{number:07}") for number in range(40)]
    )

    row = a_day_later(world)

    assert (*counted(row), len(row.missing), row.unread) == (40, 0, 40, [])
    assert world.shop.order_count() == 40


def test_what_cannot_be_read_is_said_and_found_again_tomorrow(world: World) -> None:
    world.work_until_quiet(4)
    world.sandbox.state.put_orders([wire_order()])
    world.sandbox.state.inject_fault("getOrder", "html_400")

    row = a_day_later(world)

    assert (row.missing, row.unread) == ([ORDER], [ORDER])
    assert row.finished_at is not None
    assert reconcile.in_words(row) == (
        "1 there, 0 here, 1 missing, 0 double; 0 of them have been read from Amazon, 1 "
        "could not be read."
    )
    row = a_day_later(world)
    assert (row.missing, row.unread) == ([ORDER], [])
    assert world.shop.order_count() == 1


def test_while_the_scans_are_behind_nothing_is_called_well(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    with world.shop.writer():
        row = reconcile.run(world.account)

    assert (*counted(row), row.count("unsettled")) == (2, 0, 2)
    assert reconcile.in_words(row) == (
        "2 there, 0 here, 0 missing, 0 double, 2 newer than the last scan, and not "
        "compared."
    )


def test_a_worker_that_died_while_reading_leaves_what_it_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work_until_quiet(4)
    world.sandbox.state.put_orders([wire_order()])

    class _Killed(BaseException):
        pass

    def killed(*args: object) -> None:
        raise _Killed

    world.move_clock(timedelta(minutes=10))
    monkeypatch.setattr(reconcile.pull, "pull_named", killed)
    # It has no last words either.
    monkeypatch.setattr(slow_scan, "_release", lambda *args: None)
    with pytest.raises(_Killed), world.shop.writer():
        reconcile.run(world.account)
    monkeypatch.undo()
    found = Reconciliation.objects.get()
    assert (found.missing, found.count("there"), found.finished_at) == (
        [ORDER],
        0,
        None,
    )

    # Nobody else goes on with it before its claim is over.
    with world.shop.writer():
        assert reconcile.run(world.account).count("there") == 0
    world.move_clock(slow_scan.LEASE_LIFETIME)
    with world.shop.writer():
        row = reconcile.run(world.account)
    assert (row.count("there"), row.missing, row.unread) == (1, [ORDER], [])
