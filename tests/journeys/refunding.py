"""Staff refund in the shop: Amazon does it once, never more than is left, and both say
so.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.driver import OrderView, StaffDriver
from journeys.refunds import put
from journeys.world import World, running_world
from saleor_amazon_channel.importing import refunds as carrying
from saleor_amazon_channel.models import AmazonRefund, Feed, OutboxEntry, ShopRefund
from saleor_amazon_channel.pushing import by_hand, runner
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.store.contract import Store

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
FIRST, SECOND = "10000000000001", "10000000000002"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def shipped(world: World, order_id: str = ORDER) -> str:
    """Two mugs for 20.00 with 4.99 for shipping, and another for 7.77, imported and
    shipped in Seller Central; its id in the shop."""
    put(world, order_id)
    events.ship(world.sandbox.state, order_id)
    world.work_until_quiet(2)
    return world.ledger_order(order_id).shop_order_id or ""


def ask(world: World, *args: Any, order_id: str = ORDER, **options: Any) -> None:
    """Staff ask for a refund of an order."""
    shop_order_id = world.ledger_order(order_id).shop_order_id or ""
    world.shop.request_refund(shop_order_id, *args, **options)
    world.move_clock(timedelta(minutes=1))


def in_seller_central(
    world: World, order_id: str = ORDER, **components: Any
) -> dict[str, Any]:
    """Somebody refunds of the first item there."""
    return on_amazon.refund(
        world.sandbox.state, order_id, items={FIRST: components} if components else None
    )


def rounds(world: World, count: int, minutes: float = 5) -> None:
    for _ in range(count):
        world.work()
        world.move_clock(timedelta(minutes=minutes))


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def refunded_on_amazon(world: World, order_id: str = ORDER) -> dict[str, Any]:
    """Order item id → component → what the buyer got."""
    return {
        item_id: {name: str(amount) for name, amount in components.items()}
        for (of, item_id), components in (
            world.sandbox.state.transactions.refunded.items()
        )
        if of == order_id
    }


def refund_of(order_id: str = ORDER) -> ShopRefund:
    return ShopRefund.objects.select_related("entry").get(
        order__amazon_order_id=order_id
    )


def view(world: World, order_id: str = ORDER) -> OrderView:
    return world.shop.order(world.ledger_order(order_id).shop_order_id or "")


def money(world: World, order_id: str = ORDER) -> tuple[str, str, str]:
    """What is charged, on its way back, and refunded."""
    [item] = view(world, order_id).transactions
    return (
        f"{item.charged:.2f}",
        f"{item.refund_pending:.2f}",
        f"{item.refunded:.2f}",
    )


def failures(world: World, order_id: str = ORDER) -> list[str]:
    shop_order_id = world.ledger_order(order_id).shop_order_id or ""
    return list(world.shop.refund_failures(shop_order_id))


def check_quiet(world: World) -> None:
    """Amazon tells of all of it, and nothing changes: no echo."""
    before, sent = view(world), calls(world, "createFeed")
    # Longer than it takes to read Amazon's refunds once more.
    rounds(world, 8)
    assert view(world) == before
    assert calls(world, "createFeed") == sent
    assert not carrying.has_work()
    assert world.shop.emails() == []


def test_a11_an_amount_of_a_shipped_order_is_refunded_on_amazon(world: World) -> None:
    shipped(world)
    ask(world, "5.00", reason="Customer return")
    # Amazon first: nothing is refunded yet.
    assert money(world) == ("27.76", "5.00", "0.00")
    assert refunded_on_amazon(world) == {}

    rounds(world, 3)

    # In proportion to what each item cost.
    assert refunded_on_amazon(world) == {
        FIRST: {"Principal": "3.60"},
        SECOND: {"Principal": "1.40"},
    }
    assert refund_of().entry.state == "succeeded"
    assert money(world) == ("27.76", "0.00", "5.00")
    [given] = view(world).refunds
    assert given.amount == Decimal("5.00")
    assert given.psp_reference == refund_of().reference
    assert given.lines == dict.fromkeys(world.line_ids(ORDER).values(), 0)
    assert view(world).notes[-1] == (
        "Amazon has refunded 5.00 EUR. A mug (MUG-2): price 1.40. A mug (MUG-1): price "
        "3.60."
    )
    told = world.ledger_order(ORDER).events.order_by("id").values_list("type", "actor")
    assert [each for each in told if "refund" in each[0]] == [
        ("refund_requested", refund_of().entry.actor),
        ("refund_succeeded", refund_of().entry.actor),
    ]
    assert refund_of().entry.actor == "staff@example.com"
    assert calls(world, "createFeed") == 1
    assert Feed.objects.get().note == "1 of 1 messages succeeded."

    check_quiet(world)
    # Amazon has told of it, and it was known for ours.
    row = AmazonRefund.objects.get()
    assert (row.shop_refund, row.state) == (refund_of(), "recorded")
    assert len(view(world).refunds) == 1


def test_a11_the_whole_order(world: World) -> None:
    shipped(world)
    ask(world)
    rounds(world, 3)

    assert refunded_on_amazon(world) == {
        FIRST: {"Principal": "20.00", "Shipping": "4.99"},
        SECOND: {"Principal": "7.77"},
    }
    assert money(world) == ("0.00", "0.00", "32.76")
    lines = world.line_ids(ORDER)
    [given] = view(world).refunds
    assert given.lines == {lines[FIRST]: 2, lines[SECOND]: 1}
    assert given.is_shipping_included
    check_quiet(world)


def fulfil(world: World, order_id: str = ORDER) -> str:
    """Staff ship all of it; the fulfillment's id."""
    lines = {
        line.line_id: line.quantity
        for line in view(world, order_id).lines
        if not line.quantity_fulfilled
    }
    return world.shop.fulfil(
        world.ledger_order(order_id).shop_order_id or "",
        lines,
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )


def refused(world: World, *args: Any, why: str, **options: Any) -> None:
    """Staff are told at once, and nothing is left of it."""
    before = money(world)
    with pytest.raises(Exception, match=why):
        ask(world, *args, **options)
    assert money(world) == before
    assert not ShopRefund.objects.exists()


# --- what Amazon cannot do -----------------------------------------------------------


def test_a11_an_unshipped_order_is_to_be_cancelled_instead(world: World) -> None:
    put(world)
    world.work_until_quiet(2)

    refused(
        world,
        "5.00",
        why="is not shipped yet, so nothing was charged for it on Amazon and nothing "
        "can be refunded. Cancel it there instead, with amazonOrderCancel",
    )
    rounds(world, 3)
    assert calls(world, "createFeed") == 0


def test_a11_a_refund_never_overtakes_its_shipment(world: World) -> None:
    put(world)
    world.work_until_quiet(2)
    fulfil(world)
    world.sandbox.state.inject_fault("confirmShipment", "throttled", count=2)
    ask(world, "5.00")
    for _ in range(2):
        world.work()
        assert calls(world, "createFeed") == 0

    rounds(world, 6)

    statuses = list(OutboxEntry.objects.order_by("settled_at").values_list("kind"))
    assert statuses == [("confirm_shipment",), ("refund",)]
    assert refunded_on_amazon(world)[FIRST] == {"Principal": "3.60"}
    check_quiet(world)


def test_a_shipment_waits_for_no_refund(world: World) -> None:
    put(world)
    world.work_until_quiet(2)
    lines = world.line_ids(ORDER)
    shop_order_id = world.ledger_order(ORDER).shop_order_id or ""
    for number, item_id in enumerate((SECOND, FIRST)):
        if number:
            ask(world, "7.77")
            world.sandbox.state.feeds.determine(Fate("stuck", seconds=7 * 24 * 3600))
            rounds(world, 3)
            assert refund_of().entry.state == "submitted"
        world.shop.fulfil(
            shop_order_id,
            {lines[item_id]: 2 if item_id == FIRST else 1},
            warehouse_id=world.warehouse_id,
            tracking_number=f"T-{number}",
        )
        rounds(world, 2)

    status = world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"]
    assert status == "SHIPPED"
    assert refund_of().entry.state == "submitted"


def test_of_two_that_wait_for_the_shipment_the_second_knows_of_the_first(
    world: World,
) -> None:
    put(world)
    world.work_until_quiet(2)
    fulfil(world)
    lines = world.line_ids(ORDER)
    ask(world, lines={lines[SECOND]: 1})
    # In proportion to what all items cost, and so above what is left of the second.
    ask(world, "20.00")
    # The ledger has not heard yet that it is shipped.
    with world.shop.writer():
        for _ in range(4):
            runner.push()
            world.move_clock(timedelta(seconds=1))
    codes = OutboxEntry.objects.filter(kind="refund").values_list("error_code")
    assert list(codes) == [("WAITING",)] * 2
    world.move_clock(timedelta(minutes=6))

    rounds(world, 8)

    assert refunded_on_amazon(world) == {
        FIRST: {"Principal": "20.00"},
        SECOND: {"Principal": "7.77"},
    }
    assert money(world) == ("4.99", "0.00", "27.77")
    assert calls(world, "createFeed") == 2
    check_quiet(world)


def test_a11_never_more_than_is_left(world: World) -> None:
    shipped(world)
    in_seller_central(world, Principal="20.00", Shipping="4.99")
    rounds(world, 8)
    assert money(world) == ("7.77", "0.00", "24.99")

    ask(world)
    rounds(world, 3)

    assert refunded_on_amazon(world)[SECOND] == {"Principal": "7.77"}
    assert money(world) == ("0.00", "0.00", "32.76")
    check_quiet(world)


def test_amazon_fulfils_it_and_refunds_it(world: World) -> None:
    put(world, fulfilled_by="AMAZON")
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    refused(world, "5.00", why="Amazon fulfils order .* so it refunds it as well")


# --- Seller Central meanwhile --------------------------------------------------------


def test_a11_the_same_refund_in_seller_central_before_ours_leaves(world: World) -> None:
    shipped(world)
    # Nobody here knows of it when staff ask.
    in_seller_central(world, Principal="5.00")
    world.move_clock(timedelta(minutes=3))
    ask(world, "5.00")
    rounds(world, 4)

    assert refunded_on_amazon(world) == {FIRST: {"Principal": "5.00"}}
    assert calls(world, "createFeed") == 0
    entry = refund_of().entry
    assert (entry.state, entry.error_code) == ("failed", "NOT_REFUNDABLE")
    assert entry.error_message == (
        f"5.00 EUR of order {ORDER} were refunded on Amazon on 2026-11-20, by somebody "
        "else, which was not known here when as much was asked for. If it is to be "
        "refunded once more, ask for it again."
    )
    assert failures(world) == [f"Not refunded on Amazon: {entry.error_message}"]
    # That one is here, once.
    assert money(world) == ("27.76", "0.00", "5.00")
    check_quiet(world)

    # Now staff know of it.
    ask(world, "5.00")
    rounds(world, 4)
    assert money(world) == ("22.76", "0.00", "10.00")
    check_quiet(world)


def test_a11_the_whole_order_in_seller_central_after_ours_left(world: World) -> None:
    shipped(world)
    ask(world)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=3600))
    rounds(world, 1)
    assert refund_of().entry.state == "submitted"
    in_seller_central(world)
    # Amazon tells of it before it says what became of ours.
    rounds(world, 10)
    assert money(world) == ("0.00", "32.76", "0.00")
    assert AmazonRefund.objects.get().state == "waiting"

    rounds(world, 8)

    # Amazon has refused ours: so the other is somebody else's, and is here.
    assert refund_of().entry.state == "failed"
    assert "Amazon refused it" in refund_of().entry.error_message
    assert len(failures(world)) == 1
    assert money(world) == ("0.00", "0.00", "32.76")
    assert len(view(world).refunds) == 1
    check_quiet(world)


@pytest.mark.parametrize("comes_first", ["ours", "theirs"])
def test_a11_two_that_are_the_same_are_two(world: World, comes_first: str) -> None:
    """Ours is in Amazon's hands when somebody makes the same in Seller Central."""
    shipped(world)
    ask(world, "10.00", lines={world.line_ids(ORDER)[FIRST]: 1})
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=3600))
    rounds(world, 1)
    if comes_first == "theirs":
        in_seller_central(world, Principal="10.00")
        rounds(world, 20)
    else:
        rounds(world, 20)
        in_seller_central(world, Principal="10.00")
        rounds(world, 8)

    assert refunded_on_amazon(world) == {FIRST: {"Principal": "20.00"}}
    assert AmazonRefund.objects.count() == 2
    assert AmazonRefund.objects.filter(shop_refund=None).count() == 1
    assert money(world) == ("12.76", "0.00", "20.00")
    assert [each.amount for each in view(world).refunds] == [Decimal(10)] * 2
    check_quiet(world)


def test_another_refund_in_seller_central_waits_for_nothing(world: World) -> None:
    shipped(world)
    ask(world, "5.00")
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=3 * 3600))
    rounds(world, 1)
    in_seller_central(world, Shipping="4.99")

    rounds(world, 10)

    assert refund_of().entry.state == "submitted"
    assert money(world) == ("22.77", "5.00", "4.99")
    rounds(world, 40)
    assert money(world) == ("22.77", "0.00", "9.99")
    check_quiet(world)


def test_what_was_not_charged_any_more_is_looked_at_again(world: World) -> None:
    """Ours took all that was charged, until Amazon refused it."""
    shipped(world)
    ask(world)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=3600))
    rounds(world, 1)
    in_seller_central(world, Principal="15.00")
    rounds(world, 10)
    assert AmazonRefund.objects.get().state == "not_recorded"

    rounds(world, 10)

    assert refund_of().entry.state == "failed"
    assert money(world) == ("17.76", "0.00", "15.00")
    check_quiet(world)


# --- granted refunds, with lines and shipping ----------------------------------------


def test_a11_a_granted_refund_of_a_line_and_the_shipping(world: World) -> None:
    shipped(world)
    lines = world.line_ids(ORDER)
    ask(world, lines={lines[FIRST]: 1}, with_shipping=True, reason="Wrong item")
    assert money(world) == ("17.77", "14.99", "0.00")

    rounds(world, 3)

    assert refunded_on_amazon(world) == {
        FIRST: {"Principal": "10.00", "Shipping": "4.99"}
    }
    assert refund_of().reason == "DifferentItem"
    assert money(world) == ("17.77", "0.00", "14.99")
    [given] = view(world).refunds
    # As staff have granted it.
    assert (given.amount, given.reason) == (Decimal("14.99"), "Wrong item")
    assert (given.lines, given.is_shipping_included) == ({lines[FIRST]: 1}, True)
    check_quiet(world)

    ask(world, "5.00", lines={lines[FIRST]: 1})
    rounds(world, 3)
    assert refunded_on_amazon(world)[FIRST]["Principal"] == "15.00"
    assert money(world) == ("12.77", "0.00", "19.99")
    check_quiet(world)


# --- what may have arrived -----------------------------------------------------------


def settle(world: World) -> None:
    """Until Amazon has told all that it tells."""
    rounds(world, 14, minutes=15)


def test_a_lost_answer_to_create_feed_is_settled_by_reading_amazon(
    world: World,
) -> None:
    shipped(world)
    ask(world, "5.00")
    world.sandbox.state.inject_fault("createFeed", "close_after_effect")
    world.sandbox.state.transactions.posting_delay = timedelta(hours=2)
    rounds(world, 6)
    assert refund_of().entry.state == "unknown"
    assert money(world) == ("27.76", "5.00", "0.00")

    settle(world)

    assert refund_of().entry.state == "succeeded"
    assert money(world) == ("27.76", "0.00", "5.00")
    assert calls(world, "createFeed") == 1
    assert AmazonRefund.objects.get().shop_refund == refund_of()
    check_quiet(world)


def test_a_feed_that_amazon_never_got_is_sent_after_an_hour(world: World) -> None:
    shipped(world)
    ask(world, "5.00")
    world.sandbox.state.inject_fault("createFeed", "reset_before_effect")
    rounds(world, 12)
    # Its list may lag behind.
    assert [call.status for call in world.sandbox.state.calls("createFeed")] == [0]

    rounds(world, 12)

    assert [call.status for call in world.sandbox.state.calls("createFeed")] == [0, 202]
    assert money(world) == ("27.76", "0.00", "5.00")
    check_quiet(world)


@pytest.mark.parametrize("fate", ["fatal", "cancelled", "unnamed", "processing"])
def test_what_had_no_effect_is_never_sent_again_by_itself(
    world: World, fate: str
) -> None:
    shipped(world)
    ask(world, "5.00")
    world.sandbox.state.feeds.determine(Fate(fate))
    rounds(world, 4)
    assert refund_of().entry.state == "unknown"

    rounds(world, 20, minutes=4 * 60)

    entry = refund_of().entry
    assert (entry.state, entry.error_code) == ("failed", "OUTCOME_UNKNOWN")
    assert calls(world, "createFeed") == 1
    assert refunded_on_amazon(world) == {}
    assert money(world) == ("32.76", "0.00", "0.00")
    [failure] = failures(world)
    assert "Look at the order in Seller Central before asking for it again" in failure
    assert view(world).notes[-1] == failure


def test_fatal_with_a_part_applied_is_told_apart_by_reading(world: World) -> None:
    orders = [f"111-0000002-{number:07}" for number in range(4)]
    for order_id in orders:
        shipped(world, order_id)
    for order_id in orders:
        ask(world, "5.00", order_id=order_id)
    world.sandbox.state.feeds.determine(Fate("fatal_partly"))

    rounds(world, 20, minutes=4 * 60)

    for order_id in orders:
        there = refunded_on_amazon(world, order_id)
        here = money(world, order_id)
        assert here == (
            ("27.76", "0.00", "5.00") if there else ("32.76", "0.00", "0.00")
        )
    states = sorted(ShopRefund.objects.values_list("entry__state", flat=True))
    assert states == ["failed", "failed", "succeeded", "succeeded"]
    assert calls(world, "createFeed") == 1


def test_a_report_that_cannot_be_read_is_made_up_for(world: World) -> None:
    shipped(world)
    ask(world)
    world.sandbox.state.feeds.determine(Fate("garbled"))
    settle(world)

    assert refund_of().entry.state == "succeeded"
    assert money(world) == ("0.00", "0.00", "32.76")
    assert calls(world, "createFeed") == 1
    check_quiet(world)


def test_a_feed_that_hangs_for_two_days_is_waited_for(world: World) -> None:
    shipped(world)
    ask(world, "5.00")
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=2 * 24 * 3600))
    rounds(world, 47, minutes=60)
    assert refund_of().entry.state == "submitted"

    rounds(world, 4, minutes=60)

    assert refund_of().entry.state == "succeeded"
    assert calls(world, "createFeed") == 1
    check_quiet(world)


def test_one_that_amazon_refuses_does_not_touch_its_neighbours(world: World) -> None:
    shipped(world)
    shipped(world, OTHER)
    ask(world)
    ask(world, "5.00", order_id=OTHER)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=600))
    rounds(world, 1)
    in_seller_central(world, Principal="0.01")
    settle(world)

    assert refund_of(ORDER).entry.state == "failed"
    assert refund_of(OTHER).entry.state == "succeeded"
    assert money(world) == ("32.75", "0.00", "0.01")
    assert money(world, OTHER) == ("27.76", "0.00", "5.00")
    [failure] = failures(world)
    assert failure == (
        f"Not refunded on Amazon: Amazon refused it: 90012: {ORDER}: 20.00 of "
        f"Principal of {FIRST} cannot be refunded, 19.99 are left"
    )


def test_nothing_leaves_while_amazons_refunds_cannot_be_read(world: World) -> None:
    shipped(world)
    ask(world, "5.00")
    rounds(world, 1, minutes=1)
    world.sandbox.state.inject_fault("listTransactions", "throttled", count=50)
    world.move_clock(timedelta(minutes=6))
    ask(world, "4.00")
    rounds(world, 2, minutes=1)
    assert calls(world, "createFeed") <= 1

    world.sandbox.state.clear_faults()
    settle(world)

    assert calls(world, "createFeed") == 2
    assert money(world) == ("23.76", "0.00", "9.00")
    check_quiet(world)


def test_deferred_and_released_ours_is_one(world: World) -> None:
    shipped(world)
    world.sandbox.state.transactions.are_refunds_deferred = True
    ask(world, "5.00")
    settle(world)
    assert AmazonRefund.objects.get().status == "deferred"

    on_amazon.release_refund(world.sandbox.state, ORDER)
    settle(world)

    assert AmazonRefund.objects.get().status == "released"
    assert money(world) == ("27.76", "0.00", "5.00")
    check_quiet(world)


def test_what_amazon_made_of_it_otherwise_is_corrected_here(world: World) -> None:
    shipped(world)
    world.sandbox.state.transactions.are_refunds_deferred = True
    ask(world, "10.00", lines={world.line_ids(ORDER)[FIRST]: 1})
    settle(world)
    release = on_amazon.release_refund(world.sandbox.state, ORDER)
    [part] = release["items"][0]["breakdowns"][0]["breakdowns"]
    part["breakdownAmount"]["currencyAmount"] = -9.5
    settle(world)

    assert money(world) == ("23.26", "0.00", "9.50")
    assert view(world).notes[-1] == (
        "Amazon refunded 9.50 EUR instead of the 10.00 EUR that were asked for; here "
        "it is 9.50 EUR."
    )
    check_quiet(world)


# --- by hand -------------------------------------------------------------------------


def test_what_failed_is_asked_for_again_and_not_tried_again(world: World) -> None:
    shipped(world)
    ask(world, "5.00")
    pk = refund_of().entry_id
    with world.shop.writer():
        by_hand.discard([pk], "staff@example.com")
        assert by_hand.describe([refund_of().entry], "default") == {
            pk: "Refund 5.00 EUR."
        }
    rounds(world, 2)
    assert money(world) == ("32.76", "0.00", "0.00")
    assert "discarded by staff@example.com" in failures(world)[0]

    with (
        world.shop.writer(),
        pytest.raises(by_hand.NotPossible, match="Ask for the refund again"),
    ):
        by_hand.retry([pk], "staff@example.com")
    assert calls(world, "createFeed") == 0


# --- many ----------------------------------------------------------------------------


def test_a11_many_refunds_are_one_feed(world: World) -> None:
    orders = [f"111-0000003-{number:07}" for number in range(20)]
    for order_id in orders:
        put(world, order_id)
        events.ship(world.sandbox.state, order_id)
    world.work_until_quiet(2)
    before = calls(world, "listTransactions")
    for order_id in orders:
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_refund(shop_order_id, "5.00")
    world.move_clock(timedelta(minutes=1))

    rounds(world, 3)

    for order_id in orders:
        assert money(world, order_id) == ("27.76", "0.00", "5.00")
    operations = ("createFeedDocument", "createFeed", "getFeedDocument")
    assert [calls(world, each) for each in operations] == [1, 1, 1]
    # Whatever the number of orders.
    assert calls(world, "listTransactions") - before <= 2
