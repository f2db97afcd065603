"""Staff cancel on Amazon from the shop: by feed, exactly once, and the shop follows.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from contract.driver import OrderView, StaffDriver
from contract.racing import DEADLINE_SECONDS, in_own_connection, wait_until_blocked
from journeys.world import World, running_world
from saleor_amazon_channel import lifecycle
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.lifecycle import Refused, request_cancellation
from saleor_amazon_channel.models import (
    ChannelSettings,
    CommunicationLog,
    Feed,
    OutboxEntry,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
NO_INVENTORY = CancelReason.NO_INVENTORY


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World, *order_ids: str) -> None:
    world.sandbox.state.put_orders([wire_order(each) for each in order_ids])
    world.work_until_quiet(2)


def cancel(world: World, *order_ids: str, reason: CancelReason = NO_INVENTORY) -> None:
    with world.shop.writer():
        for order_id in order_ids:
            request_cancellation(order_id, reason, actor="staff@example.com")


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def entry_of(order_id: str) -> OutboxEntry:
    return OutboxEntry.objects.get(order__amazon_order_id=order_id)


def shop_view(world: World, order_id: str) -> OrderView:
    return world.shop.order(world.ledger_order(order_id).shop_order_id or "")


def shop_status(world: World, order_id: str) -> str:
    return shop_view(world, order_id).status


def status_on_amazon(world: World, order_id: str) -> str:
    return str(world.on_amazon(order_id)["fulfillment"]["fulfillmentStatus"])


def check_cancelled(world: World, order_id: str) -> None:
    """On Amazon, in the ledger and in the shop, with its stock free again."""
    assert status_on_amazon(world, order_id) == "CANCELLED"
    assert entry_of(order_id).state == "succeeded"
    assert shop_status(world, order_id) == "canceled"
    order_pk = world.ledger_order(order_id).shop_order_id or ""
    figures = world.store.figures([order_pk])[order_pk]
    assert (figures.allocated, figures.total_charged) == (0, Decimal(0))
    assert world.shop.emails() == []


def test_a13_an_unshipped_order_is_cancelled_on_amazon_and_then_here(
    world: World,
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    # Amazon first: here nothing has happened yet.
    assert shop_status(world, ORDER) == "unfulfilled"

    world.work_until_quiet(4)

    check_cancelled(world, ORDER)
    item = world.on_amazon(ORDER)["orderItems"][0]
    assert item["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "MERCHANT",
        "cancelReason": "NoInventory",
    }
    feed = Feed.objects.get()
    assert (feed.state, feed.processing_status) == ("settled", "DONE")
    assert feed.note == "1 of 1 messages succeeded."
    told = world.ledger_order(ORDER).events.order_by("id").values_list("type", "actor")
    assert ("cancellation_requested", "staff@example.com") in list(told)
    # Nothing of it comes back as an action of staff.
    with world.shop.writer():
        assert lifecycle.sweep() == 0
    assert OutboxEntry.objects.count() == 1


def test_f3_cancelled_on_either_side_ends_cancelled_on_both(world: World) -> None:
    imported(world, ORDER, OTHER)
    cancel(world, ORDER)
    events.cancel(world.sandbox.state, OTHER)

    world.work_until_quiet(4)

    for order_id in (ORDER, OTHER):
        assert status_on_amazon(world, order_id) == "CANCELLED"
        assert world.ledger_order(order_id).fulfillment_status == "CANCELLED"
        assert shop_status(world, order_id) == "canceled"
    variant_id = shop_view(world, ORDER).lines[0].variant_id
    shelf = world.shop.stock(variant_id, world.warehouse_id)
    assert (shelf.quantity, shelf.allocated) == (1000, 0)
    # What was cancelled on Amazon is not cancelled there once more.
    assert [entry.order.amazon_order_id for entry in OutboxEntry.objects.all()] == [
        ORDER
    ]
    assert world.shop.emails() == []


def test_many_cancellations_are_one_feed(world: World) -> None:
    orders = [f"111-0000002-{number:07}" for number in range(40)]
    imported(world, *orders)
    cancel(world, *orders)

    world.work_until_quiet(6)

    for order_id in orders:
        check_cancelled(world, order_id)
    assert calls(world, "createFeed") == 1
    assert calls(world, "createFeedDocument") == 1
    assert calls(world, "getFeedDocument") == 1


def test_asking_twice_is_asking_once(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER, ORDER)
    world.work_until_quiet(4)

    check_cancelled(world, ORDER)
    with pytest.raises(Refused, match="cancelled on Amazon already"):
        cancel(world, ORDER)


def test_what_is_being_cancelled_is_not_shipped(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)

    with pytest.raises((AssertionError, Refused), match="being cancelled on Amazon"):
        world.shop.fulfil(
            world.ledger_order(ORDER).shop_order_id or "",
            dict.fromkeys(world.line_ids(ORDER).values(), 1),
            warehouse_id=world.warehouse_id,
            tracking_number="T-1",
        )

    world.work_until_quiet(4)
    check_cancelled(world, ORDER)
    assert calls(world, "confirmShipment") == 0


def fulfil(world: World, order_id: str, tracking_number: str = "T-1") -> str:
    return world.shop.fulfil(
        world.ledger_order(order_id).shop_order_id or "",
        dict.fromkeys(world.line_ids(order_id).values(), 1),
        warehouse_id=world.warehouse_id,
        tracking_number=tracking_number,
    )


def cancelled_and_not_heard_of(world: World, order_id: str) -> None:
    """Amazon's report has said so, the order itself has not been read since."""
    cancel(world, order_id)
    world.move_clock(timedelta(minutes=1))
    _push(world)
    world.move_clock(timedelta(minutes=2))
    world.sandbox.state.inject_fault("getOrder", "throttled")
    _push(world)
    assert entry_of(order_id).state == "succeeded"
    assert status_on_amazon(world, order_id) == "CANCELLED"
    assert world.ledger_order(order_id).fulfillment_status == "UNSHIPPED"


def test_what_amazon_has_cancelled_is_not_shipped_before_the_scan_says_so(
    world: World,
) -> None:
    imported(world, ORDER)
    cancelled_and_not_heard_of(world, ORDER)

    with pytest.raises((AssertionError, Refused), match="being cancelled on Amazon"):
        fulfil(world, ORDER)
    # Nor is it cancelled once more.
    cancel(world, ORDER)

    world.work_until_quiet(4)
    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1
    assert calls(world, "confirmShipment") == 0


def test_what_amazon_said_it_cancelled_and_did_not_can_be_shipped_a_day_later(
    world: World,
) -> None:
    imported(world, ORDER)
    cancelled_and_not_heard_of(world, ORDER)
    world.sandbox.state.put_orders([wire_order(ORDER)])

    world.move_clock(timedelta(days=1))
    fulfil(world, ORDER)
    world.work_until_quiet(2)

    assert status_on_amazon(world, ORDER) == "SHIPPED"


def test_a_cancellation_that_shipping_waited_for_is_seen(world: World) -> None:
    imported(world, ORDER)

    with ThreadPoolExecutor(1) as pool:
        with world.shop.writer(), transaction.atomic():
            request_cancellation(ORDER, NO_INVENTORY)
            shipping = pool.submit(in_own_connection, lambda: fulfil(world, ORDER))
            wait_until_blocked(shipping)
        with pytest.raises((AssertionError, Refused), match="being cancelled"):
            shipping.result(DEADLINE_SECONDS)

    world.work_until_quiet(4)
    check_cancelled(world, ORDER)


def test_what_is_being_shipped_is_not_cancelled(world: World) -> None:
    imported(world, ORDER)
    fulfillment = world.shop.fulfil(
        world.ledger_order(ORDER).shop_order_id or "",
        dict.fromkeys(world.line_ids(ORDER).values(), 1),
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )

    with pytest.raises(Refused, match="being confirmed to Amazon"):
        cancel(world, ORDER)

    world.shop.cancel_fulfillment(fulfillment, warehouse_id=world.warehouse_id)
    world.work_until_quiet(1)
    cancel(world, ORDER)
    world.work_until_quiet(4)
    assert status_on_amazon(world, ORDER) == "CANCELLED"
    assert shop_status(world, ORDER) == "canceled"


@pytest.mark.parametrize(
    ("fulfilled_by", "status", "why"),
    [
        ("AMAZON", "SHIPPED", "fulfilled by Amazon"),
        ("MERCHANT", "PENDING", "is pending on Amazon"),
        ("MERCHANT", "SHIPPED", "is shipped on Amazon"),
        ("MERCHANT", "PARTIALLY_SHIPPED", "is partially shipped on Amazon"),
        ("MERCHANT", "CANCELLED", "is cancelled on Amazon already"),
    ],
)
def test_what_amazon_does_not_cancel_is_refused_at_once(
    world: World, fulfilled_by: str, status: str, why: str
) -> None:
    imported(world, ORDER)
    order = world.ledger_order(ORDER)
    order.fulfilled_by, order.fulfillment_status = fulfilled_by, status
    order.save()

    with pytest.raises(Refused, match=why):
        cancel(world, ORDER)
    assert OutboxEntry.objects.count() == 0


def test_the_buyers_wish_becomes_a_cancellation_only_if_there_is_one(
    world: World,
) -> None:
    imported(world, ORDER)
    with pytest.raises(Refused, match="the buyer has not asked"):
        cancel(world, ORDER, reason=CancelReason.BUYER_CANCELED)

    events.request_cancellation(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    assert shop_status(world, ORDER) == "unfulfilled"
    cancel(world, ORDER, reason=CancelReason.BUYER_CANCELED)
    world.work_until_quiet(4)
    check_cancelled(world, ORDER)


def test_an_order_item_id_that_the_feed_does_not_take_is_never_padded(
    world: World,
) -> None:
    world.sandbox.state.put_orders([wire_order(items=[wire_item("12345")])])
    world.work_until_quiet(2)

    with pytest.raises(Refused, match="Cancel it in Seller Central"):
        cancel(world, ORDER)


def test_shipped_on_amazon_meanwhile_it_fails_and_says_so(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.move_clock(timedelta(minutes=1))
    world.work()
    assert entry_of(ORDER).state == "submitted"
    events.ship(world.sandbox.state, ORDER)

    world.work_until_quiet(4)

    entry = entry_of(ORDER)
    assert (entry.state, entry.error_code) == ("failed", "90002")
    assert entry.error_message == ("Amazon refused it: 90002: The order is SHIPPED.")
    order_id = world.ledger_order(ORDER).shop_order_id or ""
    assert any(
        "is not cancelled on Amazon" in n for n in world.shop.order(order_id).notes
    )


def test_one_refused_message_does_not_touch_its_neighbours(world: World) -> None:
    imported(world, ORDER, OTHER)
    cancel(world, ORDER, OTHER)
    world.move_clock(timedelta(minutes=1))
    world.work()
    events.ship(world.sandbox.state, OTHER)

    world.work_until_quiet(4)

    check_cancelled(world, ORDER)
    assert entry_of(OTHER).state == "failed"
    assert Feed.objects.get().note == "1 of 2 messages succeeded."


def test_a_lost_answer_to_create_feed_never_doubles_it(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.inject_fault("createFeed", "close_after_effect")

    world.work_until_quiet(10)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1


def test_a_feed_that_did_not_arrive_is_sent_again(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    # The connection breaks before Amazon had it, which nobody here can know.
    world.sandbox.state.inject_fault("createFeed", "reset_before_effect")

    world.work_until_quiet(12)

    check_cancelled(world, ORDER)
    assert [call.status for call in world.sandbox.state.calls("createFeed")] == [0, 202]
    assert Feed.objects.filter(note="The feed did not arrive at Amazon.").count() == 1


def test_a_lost_answer_and_a_list_that_lags(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.feeds.determine(Fate("not_listed", seconds=600))
    world.sandbox.state.inject_fault("createFeed", "close_after_effect")

    world.work_until_quiet(12)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1


@pytest.mark.parametrize("fate", ["fatal", "cancelled"])
def test_a_feed_that_ended_without_effect_is_sent_again_after_reading(
    world: World, fate: str
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.feeds.determine(Fate(fate))

    world.work_until_quiet(8)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 2


def test_fatal_with_a_part_applied_sends_only_the_rest_again(world: World) -> None:
    orders = [f"111-0000002-{number:07}" for number in range(6)]
    imported(world, *orders)
    cancel(world, *orders)
    world.sandbox.state.feeds.determine(Fate("fatal_partly"))

    world.work_until_quiet(8)

    for order_id in orders:
        check_cancelled(world, order_id)
    first, second = Feed.objects.order_by("pk")
    assert first.note == "The feed ended as FATAL without a report."
    assert second.note == "3 of 3 messages succeeded."


@pytest.mark.parametrize("fate", ["processing", "unprocessed", "unnamed"])
def test_silence_of_a_report_that_is_not_whole_is_no_success(
    world: World, fate: str
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.feeds.determine(Fate(fate))
    for _ in range(3):
        world.work()
        world.move_clock(timedelta(minutes=5))
    assert status_on_amazon(world, ORDER) == "UNSHIPPED"
    assert Feed.objects.earliest("pk").note == "The feed's report is not complete."

    world.work_until_quiet(6)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 2


def test_a_report_that_cannot_be_read_is_made_up_for_by_reading_the_order(
    world: World,
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.feeds.determine(Fate("garbled"))

    world.work_until_quiet(6)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1
    assert Feed.objects.get().note == "The feed's report cannot be read."


def test_an_error_of_the_whole_document_is_one_of_each_message(world: World) -> None:
    imported(world, ORDER, OTHER)
    cancel(world, ORDER, OTHER)
    world.sandbox.state.feeds.determine(Fate("rejected"))

    world.work_until_quiet(6)

    for order_id in (ORDER, OTHER):
        assert status_on_amazon(world, order_id) == "UNSHIPPED"
        assert shop_status(world, order_id) == "unfulfilled"
        entry = entry_of(order_id)
        assert (entry.state, entry.error_code) == ("failed", "5000")
        assert entry.error_message == (
            "Amazon refused it: 5000: XML Parsing Fatal Error."
        )
    assert calls(world, "createFeed") == 1


def test_a_report_as_tab_text_is_understood(world: World) -> None:
    imported(world, ORDER, OTHER)
    cancel(world, ORDER, OTHER)
    world.sandbox.state.feeds.determine(Fate("text_report"))
    world.move_clock(timedelta(minutes=1))
    world.work()
    events.ship(world.sandbox.state, OTHER)

    world.work_until_quiet(4)

    check_cancelled(world, ORDER)
    entry = entry_of(OTHER)
    assert (entry.state, entry.error_code) == ("failed", "90002")
    assert calls(world, "createFeed") == 1


def test_a_feed_that_hangs_for_eight_hours_is_waited_for(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=8 * 3600))

    for _ in range(110):
        world.work()
        world.move_clock(timedelta(minutes=5))

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1
    assert calls(world, "getFeed") < 8 * 12 + 10


@pytest.mark.parametrize(
    "operation",
    ["createFeedDocument", "createFeed", "getFeed", "getFeedDocument"],
)
@pytest.mark.parametrize(
    "kind", ["throttled", "internal_failure", "close_after_effect"]
)
def test_a_failing_step_delays_and_never_doubles(
    world: World, operation: str, kind: str
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.inject_fault(operation, kind)

    world.work_until_quiet(12)

    check_cancelled(world, ORDER)
    effects = [c for c in world.sandbox.state.calls("createFeed") if c.status == 202]
    assert len(effects) == 1


def test_a_worker_that_died_with_a_feed_under_way_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.move_clock(timedelta(minutes=1))
    monkeypatch.setattr(Feed.objects, "filter", _dies)
    with pytest.raises(_Killed):
        _push(world)
    monkeypatch.undo()
    assert Feed.objects.get().state == "sending"
    assert entry_of(ORDER).state == "submitted"

    world.work_until_quiet(10)

    check_cancelled(world, ORDER)
    assert calls(world, "createFeed") == 1


class _Killed(BaseException):
    """What no handler catches: the process is gone."""


def _dies(*args: object, **kwargs: object) -> None:
    if "pk" in kwargs:
        raise _Killed
    return Feed.objects.all().filter(*args, **kwargs)


def _push(world: World) -> None:
    from saleor_amazon_channel.pushing import runner

    with world.shop.writer():
        runner.push()


def test_e4_a_cancellation_waits_in_read_only_mode(world: World) -> None:
    imported(world, ORDER)
    ChannelSettings.objects.update(read_only=True)
    cancel(world, ORDER)
    world.move_clock(timedelta(minutes=5))
    world.work()
    assert calls(world, "createFeedDocument") == 0
    assert entry_of(ORDER).state == "pending"

    ChannelSettings.objects.update(read_only=False)
    world.work_until_quiet(4)
    check_cancelled(world, ORDER)


def test_a_feed_that_amazon_refuses_is_said_and_not_repeated(world: World) -> None:
    imported(world, ORDER)
    cancel(world, ORDER)
    world.sandbox.state.inject_fault("createFeed", "html_400")
    world.work_until_quiet(3)

    entry = entry_of(ORDER)
    assert entry.state == "failed"
    log = CommunicationLog.objects.get()
    assert (log.operation, log.error_code) == ("createFeed", "InvalidRequest")
