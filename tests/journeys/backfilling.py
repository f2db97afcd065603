"""Orders from before, brought in because somebody asked for a range of time.

Run in both shops: see ``world``. How a range is read is in ``importing/test_backfill``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.driver import OrderView, StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import clock, redaction
from saleor_amazon_channel.importing import address_edit, backfill, slow_scan
from saleor_amazon_channel.importing.backfill_progress import (
    Progress,
    Reason,
    in_words,
    progress,
)
from saleor_amazon_channel.models import (
    AmazonOrder,
    Backfill,
    Marketplace,
    OrderEvent,
    OutboxEntry,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import GERMANY, NOW, wire_item, wire_order

UNSHIPPED = "111-0000001-0000001"
SHIPPED = "111-0000001-0000002"
CANCELLED = "111-0000001-0000003"
PARTLY = "111-0000001-0000004"
BY_AMAZON = "111-0000001-0000005"
UNKNOWN = "111-0000001-0000006"
PENDING = "111-0000001-0000007"

LAST_YEAR = NOW - timedelta(days=365)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def of_last_year(
    order_id: str, status: str, days: float = 0, **options: Any
) -> dict[str, Any]:
    """An order of two units, placed ``days`` after a year ago. What is not shipped of
    it was ordered long beforehand, and is to be delivered next week."""
    shipped = {"SHIPPED": 2, "PARTIALLY_SHIPPED": 1}.get(status, 0)
    created = LAST_YEAR + timedelta(days=days)
    order = wire_order(
        order_id,
        status=status,
        created=created,
        updated=created + timedelta(days=2),
        **{"items": [wire_item(quantity=2, shipped=shipped)], **options},
    )
    if status != "SHIPPED":
        deliver_by(order, NOW + timedelta(days=7))
    return order


def deliver_by(order: dict[str, Any], moment: datetime) -> None:
    order["fulfillment"]["deliverByWindow"] = {"latestDateTime": moment.isoformat()}


def trade_of_last_year(world: World) -> None:
    world.sandbox.state.put_orders(
        [
            of_last_year(UNSHIPPED, "UNSHIPPED"),
            of_last_year(SHIPPED, "SHIPPED", 1),
            of_last_year(CANCELLED, "CANCELLED", 2),
            of_last_year(PARTLY, "PARTIALLY_SHIPPED", 3),
            of_last_year(BY_AMAZON, "SHIPPED", 4, fulfilled_by="AMAZON"),
            of_last_year(
                UNKNOWN, "SHIPPED", 5, items=[wire_item(sku="CUP-9", shipped=1)]
            ),
            of_last_year(PENDING, "PENDING", 6),
        ]
    )


def begin(world: World, **options: Any) -> Backfill:
    with world.shop.writer():
        return backfill.start(
            world.account,
            options.pop("since", LAST_YEAR - timedelta(days=1)),
            options.pop("until", LAST_YEAR + timedelta(days=30)),
            **options,
        )


def told(row: Backfill) -> Progress:
    row.refresh_from_db()
    return progress([row])[row.pk]


def shop_order(world: World, amazon_order_id: str) -> OrderView:
    return world.shop.order(world.ledger_order(amazon_order_id).shop_order_id or "")


def test_b6_what_is_older_comes_only_when_somebody_asks_for_it(world: World) -> None:
    trade_of_last_year(world)
    world.work_until_quiet(3)
    assert world.shop.order_count() == 0

    row = begin(world)
    world.work_until_quiet(3)

    states = dict(AmazonOrder.objects.values_list("amazon_order_id", "import_state"))
    assert states == {
        UNSHIPPED: "imported",
        SHIPPED: "imported",
        CANCELLED: "ignored",
        PARTLY: "imported",
        BY_AMAZON: "imported",
        UNKNOWN: "blocked",
        PENDING: "waiting",
    }
    statuses = {
        order_id: shop_order(world, order_id).status
        for order_id, state in states.items()
        if state == "imported"
    }
    assert statuses == {
        UNSHIPPED: "unfulfilled",
        SHIPPED: "fulfilled",
        PARTLY: "partially fulfilled",
        BY_AMAZON: "fulfilled",
    }
    assert shop_order(world, SHIPPED).total.gross == Decimal("19.90")
    assert shop_order(world, SHIPPED).created_at == LAST_YEAR + timedelta(days=1)
    # What had left then is not taken from what lies there now.
    variant_id = shop_order(world, SHIPPED).lines[0].variant_id
    shelf = world.shop.stock(variant_id, world.warehouse_id)
    assert (shelf.quantity, shelf.allocated) == (1000, 2 + 1)
    assert world.shop.emails() == []
    assert OutboxEntry.objects.count() == 0

    now = told(row)
    assert (row.state, row.last_error) == ("finished", "")
    assert (now.there, now.here, now.new, now.imported_before) == (7, 0, 7, 0)
    assert now.states == {"imported": 4, "blocked": 1, "ignored": 1, "waiting": 1}
    assert now.reasons == [Reason("unknown_sku", "CUP-9", 1)]
    assert in_words(row, now) == (
        "7 orders: 0 imported before; of the others are 4 imported, 1 blocked, "
        "1 waiting, 1 ignored."
    )


def test_b6_what_was_asked_for_comes_in_when_its_cause_has_gone(world: World) -> None:
    trade_of_last_year(world)
    row = begin(world)
    world.work_until_quiet(3)

    with world.shop.writer():
        world.shop.create_variant(
            "CUP-9", [world.channel.id], stock={world.warehouse_id: 0}
        )
    events.release(world.sandbox.state, PENDING)
    world.work_until_quiet(3)

    assert world.ledger_order(UNKNOWN).import_state == "imported"
    assert shop_order(world, PENDING).status == "unfulfilled"
    assert told(row).states == {"imported": 6, "ignored": 1}


def test_a_dry_run_counts_and_writes_nothing(world: World) -> None:
    trade_of_last_year(world)
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    before = shop_order(world, UNSHIPPED)
    world.sandbox.state.put_orders([of_last_year(UNSHIPPED, "UNSHIPPED")])
    world.sandbox.state.put_orders(
        [
            of_last_year(
                "111-0000001-0000008", "UNSHIPPED", items=[wire_item(quantity=9999)]
            )
        ]
    )
    ledger = list(AmazonOrder.objects.values())
    timeline = OrderEvent.objects.count()

    row = begin(world, is_dry_run=True)
    world.work_until_quiet(2)

    now = told(row)
    assert row.state == "finished"
    assert (now.there, now.here, now.imported_before) == (8, 1, 1)
    assert now.states == {"imported": 3, "blocked": 2, "ignored": 1, "waiting": 1}
    assert now.reasons == [
        Reason("out_of_stock", "MUG-1", 1),
        Reason("unknown_sku", "CUP-9", 1),
    ]
    assert in_words(row, now) == (
        "8 orders: 1 imported before; of the others would be 3 imported, 2 blocked, "
        "1 waiting, 1 ignored."
    )
    assert list(AmazonOrder.objects.values()) == ledger
    assert OrderEvent.objects.count() == timeline
    assert shop_order(world, UNSHIPPED) == before
    assert world.shop.order_count() == 1
    shelf = world.shop.stock(before.lines[0].variant_id, world.warehouse_id)
    assert (shelf.quantity, shelf.allocated) == (1000, 1)

    # What it foretold is what then happens.
    real = begin(world)
    world.work_until_quiet(2)
    assert told(real).states == now.states
    assert told(real).reasons == now.reasons


def test_what_is_here_already_is_left_alone(world: World) -> None:
    in_shop, waiting = (
        wire_order(),
        wire_order(SHIPPED, created=NOW - timedelta(days=31)),
    )
    world.sandbox.state.put_orders([in_shop, waiting])
    world.work_until_quiet(2)
    assert world.ledger_order(SHIPPED).import_state == "waiting"
    before = shop_order(world, UNSHIPPED)
    world.move_clock(timedelta(hours=1))

    row = begin(world, since=NOW - timedelta(days=60), until=NOW - timedelta(hours=1))
    world.work_until_quiet(2)

    now = told(row)
    assert (now.there, now.here, now.new, now.imported_before) == (2, 2, 0, 1)
    assert now.states == {"imported": 1}
    assert world.shop.order_count() == 2
    assert shop_order(world, UNSHIPPED) == before


def test_the_buyers_data_is_not_asked_for_where_it_must_not_be_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def spy(name: str) -> None:
        original = getattr(backfill, name)

        def call(client: Any, *args: Any, **options: Any) -> Any:
            data = options.get("included_data") or (args[1:] or [("RECIPIENT",)])[0]
            asked.append((args[0] if args else "list", "RECIPIENT" in data))
            return original(client, *args, **options)

        monkeypatch.setattr(backfill, name, call)

    spy("search_orders")
    spy("get_order")
    delivered = of_last_year(SHIPPED, "SHIPPED")
    delivered["tax"] = {
        "taxRegistrations": [{"entityType": "BUYER", "legalName": "Änne Müller GmbH"}]
    }
    late = of_last_year(PARTLY, "SHIPPED", 1)
    deliver_by(late, NOW - timedelta(days=29))
    unshipped = of_last_year(UNSHIPPED, "UNSHIPPED", 2)
    of_this_month = wire_order(BY_AMAZON, created=NOW - timedelta(days=20))
    world.sandbox.state.put_orders([delivered, late, unshipped, of_this_month])
    with world.shop.writer():
        type(world.account).objects.update(import_from=NOW)
    world.account.refresh_from_db()

    begin(world, until=NOW - timedelta(days=1))
    world.work_until_quiet(2)

    lists = [is_with for what, is_with in asked if what == "list"]
    assert lists == sorted(lists)  # First all without.
    assert (lists[0], lists[-1]) == (False, True)
    reads = [each for each in asked if each[0] != "list"]
    assert reads == [(PARTLY, True), (UNSHIPPED, True)]
    for order_id in (PARTLY, UNSHIPPED, BY_AMAZON):
        address = shop_order(world, order_id).shipping_address
        assert address is not None
        assert address.street_address_1 == "Hauptstr. 5"
    order = world.ledger_order(SHIPPED)
    assert (order.personal, order.buyer_name) == ({}, "")
    assert order.redacted_at is not None
    assert "taxRegistrations" not in order.payload["tax"]
    view = shop_order(world, SHIPPED)
    assert (view.shipping_address, view.billing_address) == (None, None)
    assert order.note == (
        f"Imported as order {view.number}. Without the buyer's data, which must not be "
        "kept for so long after the delivery."
    )
    assert not [key for key in view.private_metadata if key != "amazon.proceeds"]

    # Nor does it come with later news.
    events.touch(world.sandbox.state, SHIPPED)
    world.work_until_quiet(3)
    order = world.ledger_order(SHIPPED)
    assert (order.personal, order.buyer_name) == ({}, "")
    assert order.last_updated_time > LAST_YEAR + timedelta(days=2)


def test_what_was_deleted_of_a_buyer_does_not_come_back_with_a_back_fill(
    world: World,
) -> None:
    """Neither in the ledger nor in the shop, whatever became of the order."""
    in_shop = wire_order(SHIPPED, status="SHIPPED", items=[wire_item(shipped=1)])
    blocked = wire_order(UNKNOWN, items=[wire_item(sku="CUP-9")])
    world.sandbox.state.put_orders([in_shop, blocked])
    world.work_until_quiet(2)
    with world.shop.writer():
        redaction.redact_named([SHIPPED, UNKNOWN], force=True)
    deleted = shop_order(world, SHIPPED)
    # Amazon goes on telling of them.
    for order_id in (SHIPPED, UNKNOWN):
        events.touch(world.sandbox.state, order_id)
    world.move_clock(timedelta(hours=1))
    world.shop.create_variant(
        "CUP-9", [world.channel.id], stock={world.warehouse_id: 9}
    )

    rehearsed = begin(world, since=NOW - timedelta(days=60), until=NOW, is_dry_run=True)
    world.work_until_quiet(3)
    row = begin(world, since=NOW - timedelta(days=60), until=NOW)
    world.work_until_quiet(3)

    for order_id in (SHIPPED, UNKNOWN):
        order = world.ledger_order(order_id)
        assert (order.personal, order.buyer_name) == ({}, "")
        assert (order.staff_address, order.superseded_recipient) == ({}, {})
        assert order.redacted_at == NOW + timedelta(minutes=10)
    assert shop_order(world, SHIPPED) == deleted
    order = world.ledger_order(UNKNOWN)
    assert (order.import_state, order.note) == ("waiting", address_edit.REDACTED)
    assert told(row).states == told(rehearsed).states == {"waiting": 1}
    assert (told(row).there, told(row).here, told(row).imported_before) == (2, 2, 1)


def test_what_is_overdue_by_far_comes_without_its_buyer_and_is_not_shipped_here(
    world: World,
) -> None:
    """As the daily deletion has it; a marketplace may keep them for a shorter time."""
    Marketplace.objects.filter(account=world.account, marketplace_id=GERMANY).update(
        buyer_data_retention_days=3
    )
    overdue = of_last_year(UNSHIPPED, "UNSHIPPED")
    deliver_by(overdue, LAST_YEAR + timedelta(days=20))
    shortly = wire_order(
        SHIPPED,
        status="SHIPPED",
        created=NOW - timedelta(days=20),
        items=[wire_item(shipped=1)],
    )
    deliver_by(shortly, NOW - timedelta(days=4))
    wrong = of_last_year(PARTLY, "SHIPPED", 1)
    wrong["proceeds"]["grandTotal"]["amount"] = "1.00"
    world.sandbox.state.put_orders([overdue, shortly, wrong])
    with world.shop.writer():
        type(world.account).objects.update(import_from=NOW)

    rehearsed = begin(world, until=NOW - timedelta(days=1), is_dry_run=True)
    world.work_until_quiet(2)
    # Until there are calls again.
    world.move_clock(timedelta(hours=1))
    row = begin(world, until=NOW - timedelta(days=1))
    world.work_until_quiet(2)

    assert told(row).there == told(rehearsed).there == 3
    for order_id in (UNSHIPPED, SHIPPED, PARTLY):
        order = world.ledger_order(order_id)
        assert (order.personal, order.buyer_name) == ({}, "")
        assert order.redacted_at is not None
    order = world.ledger_order(UNSHIPPED)
    assert (order.import_state, order.note) == ("waiting", address_edit.REDACTED)
    assert shop_order(world, SHIPPED).shipping_address is None
    # What blocks it is said all the same.
    [blocker] = world.ledger_order(PARTLY).blockers
    assert (blocker["code"], blocker["stated"]) == ("amounts_differ", "1.00")
    assert told(row).states == {"imported": 1, "waiting": 1, "blocked": 1}
    assert told(row).states == told(rehearsed).states
    assert [each.code for each in told(row).reasons] == ["amounts_differ"]
    assert told(row).reasons == told(rehearsed).reasons


def test_a_worker_that_died_is_made_up_for_and_nothing_is_double(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [f"111-0000003-{number:07}" for number in range(250)]
    world.sandbox.state.put_orders(
        [of_last_year(each, "SHIPPED", 0.1 + n / 500) for n, each in enumerate(orders)]
    )
    row = begin(world)

    class _Killed(BaseException):
        pass

    taken = backfill._take
    pages = []

    def dies_on_the_third(*args: Any) -> None:
        pages.append(args)
        taken(*args)
        if len(pages) == 3:
            raise _Killed

    with monkeypatch.context() as dying, world.shop.writer():
        dying.setattr(backfill, "_take", dies_on_the_third)
        # It has no last words either.
        dying.setattr(slow_scan, "_release", lambda *args: None)
        with pytest.raises(_Killed):
            backfill.run(row)
    assert told(row).there == 100
    assert AmazonOrder.objects.count() == 100

    # Nobody goes on with it before its lease is over.
    world.work()
    assert told(row).there == 100
    world.move_clock(slow_scan.LEASE_LIFETIME)
    world.work_until_quiet(3)

    now = told(row)
    assert (row.state, now.there, now.states) == ("finished", 250, {"imported": 250})
    assert world.shop.order_count() == AmazonOrder.objects.count() == 250


def test_a_window_whose_token_expired_starts_over_and_counts_once(
    world: World,
) -> None:
    orders = [f"111-0000003-{number:07}" for number in range(250)]
    world.sandbox.state.put_orders(
        [of_last_year(each, "SHIPPED", 0.1 + n / 500) for n, each in enumerate(orders)]
    )
    row = begin(world)
    world.sandbox.state.inject_fault("searchOrders", "expired_token", count=1)

    world.work()
    first = told(row)
    assert (first.there, row.page_token) == (0, "")
    assert "expired" in row.last_error
    assert row.window_length == timedelta(days=1)
    assert AmazonOrder.objects.count() == 100

    world.move_clock(slow_scan.GO_ON_AFTER)
    world.work_until_quiet(2)
    now = told(row)
    assert (row.state, now.there, now.here, now.new) == ("finished", 250, 0, 250)
    assert world.shop.order_count() == 250


def test_one_at_a_time_and_cancelled_while_it_runs(world: World) -> None:
    trade_of_last_year(world)
    row = begin(world)
    with pytest.raises(backfill.BackfillRefused, match="is under way"):
        begin(world, is_dry_run=True)

    with world.shop.writer():
        backfill.cancel(row)
    world.work_until_quiet(2)

    assert (row.state, row.finished_at) == (
        "cancelled",
        clock.now() - 2 * timedelta(minutes=5),
    )
    assert AmazonOrder.objects.count() == 0
    begin(world)


def test_cancelled_while_a_page_is_on_its_way_nothing_of_it_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_of_last_year(world)
    row = begin(world)
    search = backfill.search_orders

    def meanwhile(*args: Any, **options: Any) -> Any:
        backfill.cancel(Backfill.objects.get())
        return search(*args, **options)

    monkeypatch.setattr(backfill, "search_orders", meanwhile)
    world.work_until_quiet(2)

    row.refresh_from_db()
    assert (row.state, row.calls) == ("cancelled", 0)
    assert AmazonOrder.objects.count() == 0
