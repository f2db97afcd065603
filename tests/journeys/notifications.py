"""Amazon says what changed: orders are here within seconds, and never only so.

Run in both shops: see ``world``. The queue is a real server that speaks SQS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from contract.driver import StaffDriver
from journeys.killing import run_worker
from journeys.world import World, running_world
from saleor_amazon_channel import account_changes, accounts, clock, tasks
from saleor_amazon_channel.amazon import sqs as sqs_module
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    CommunicationLog,
    Feed,
    Notification,
    NotificationQueue,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
    UsageBudget,
)
from saleor_amazon_channel.notifications import receiving, subscribing
from saleor_amazon_channel.sandbox import events, feeds, notification_messages
from saleor_amazon_channel.store.contract import Store
from sqs import OWNER, REGION, Sqs, running_sqs
from wire_orders import wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
FRANCE = "A13V1IB3VIYZZH"
TICK = timedelta(seconds=tasks.TICK_SECONDS)


@pytest.fixture(scope="session")
def sqs() -> Iterator[Sqs]:
    with running_sqs() as running:
        yield running


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


@pytest.fixture
def queue(world: World, sqs: Sqs, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ARN of the queue that the account's notifications go to."""
    # What lies there is found at once: no second is waited for more.
    monkeypatch.setattr(sqs_module, "WAIT_SECONDS", 0)
    arn = sqs.create_queue()
    world.sandbox.state.notifications.deliver(endpoint_url=sqs.url)
    with world.shop.writer():
        subscribing.subscribe(world.account, arn, sqs.url)
    # So that no scan is due for the next 4 minutes.
    world.work()
    return arn


def tick(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.move_clock(TICK)
        world.work()


def known_as_pending(world: World, *order_ids: str) -> None:
    """Orders whose payment is pending still, which a scan has seen."""
    # A scan shows what is older than two minutes.
    updated = clock.now() - timedelta(minutes=3)
    world.sandbox.state.put_orders(
        [wire_order(each, status="PENDING", updated=updated) for each in order_ids]
    )
    with world.shop.writer():
        SyncCursor.objects.filter(stream="orders").update(next_run_at=None)
        # A scan out of turn, which is to cost nothing.
        UsageBudget.objects.filter(operation="searchOrders").delete()
    world.work()
    rows = AmazonOrder.objects.filter(amazon_order_id__in=order_ids)
    assert [row.import_state for row in rows] == ["waiting"] * len(order_ids)


def reads(world: World) -> list[str]:
    """The orders that were read by themselves, each time."""
    return [call.order_id for call in world.sandbox.state.calls("getOrder")]


def states() -> list[str]:
    return sorted(Notification.objects.values_list("state", flat=True))


def message(world: World, order_id: str, **changes: Any) -> dict[str, Any]:
    """What Amazon would say of an order now."""
    order = world.on_amazon(order_id)
    told = notification_messages.order_change(
        changes.pop("seller_id", "A1SANDBOXEU"),
        order,
        ("OrderStatusChange", "Order Status Change"),
        "subscription",
        clock.now(),
    )
    return {**told, **changes}


# --- the promise ---------------------------------------------------------------------


def test_an_order_is_in_the_shop_within_20_seconds_of_becoming_unshipped(
    world: World, queue: str, sqs: Sqs
) -> None:
    order_ids = [f"111-0000001-{number:07}" for number in range(12)]
    known_as_pending(world, *order_ids)
    scans = len(world.sandbox.state.calls("searchOrders"))

    # Buyers pay at any moment between the ticks.
    released = {}
    for second, order_id in enumerate(order_ids):
        released[order_id] = clock.now()
        events.release(world.sandbox.state, order_id)
        world.move_clock(timedelta(seconds=5))
        if second % 3 == 2:
            world.work()

    rows = AmazonOrder.objects.filter(amazon_order_id__in=order_ids)
    assert {row.import_state for row in rows} == {"imported"}
    lags = [row.imported_at - released[row.amazon_order_id] for row in rows]
    assert max(lags) <= timedelta(seconds=20)
    assert world.shop.order_count() == len(order_ids)
    # No scan brought them, and none was made for them.
    assert len(world.sandbox.state.calls("searchOrders")) == scans
    assert sorted(reads(world)) == order_ids
    assert sqs.count(queue) == 0


def test_polling_alone_takes_minutes(world: World, queue: str) -> None:
    """What the test above is measured against, and what is left without a queue."""
    with world.shop.writer():
        assert subscribing.unsubscribe(world.account)
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    released = clock.now()

    tick(world, 40)

    order = world.ledger_order(ORDER)
    assert order.imported_at - released > timedelta(minutes=3)
    assert reads(world) == []


# --- at least once, in no order ------------------------------------------------------


def test_duplicates_change_nothing(world: World, queue: str, sqs: Sqs) -> None:
    known_as_pending(world, ORDER)
    world.sandbox.state.notifications.deliver(copies=10)
    events.release(world.sandbox.state, ORDER)
    assert sqs.count(queue) == 10

    tick(world, 3)

    assert reads(world) == [ORDER]
    assert (states(), sqs.count(queue)) == (["settled"], 0)
    assert world.shop.order_count() == 1
    # And one that comes an hour late.
    told = json.dumps(message(world, ORDER))
    sqs.send(queue, told, told)
    tick(world)
    assert reads(world) == [ORDER]


def test_an_older_notification_after_a_newer_one(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    deliver = world.sandbox.state.notifications.deliver
    deliver(held=True)
    events.release(world.sandbox.state, ORDER)
    older = message(world, ORDER)
    world.move_clock(timedelta(seconds=1))
    events.cancel(world.sandbox.state, ORDER)
    # The newest goes first.
    deliver(held=False)
    tick(world)
    assert world.ledger_order(ORDER).import_state == "ignored"
    assert reads(world) == [ORDER]

    sqs.send(queue, json.dumps(older))
    tick(world, 3)

    order = world.ledger_order(ORDER)
    assert (order.import_state, order.fulfillment_status) == ("ignored", "CANCELLED")
    assert reads(world) == [ORDER]
    assert world.shop.order_count() == 0


def test_a_cancelled_order_is_cancelled_in_the_shop_at_once(
    world: World, queue: str
) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    tick(world)
    shop_order_id = world.ledger_order(ORDER).shop_order_id

    events.cancel(world.sandbox.state, ORDER)
    tick(world)

    assert world.shop.order(shop_order_id).status == "canceled"


def test_a_burst_of_200_messages_for_50_orders_costs_50_calls(
    world: World, queue: str, sqs: Sqs
) -> None:
    order_ids = [f"111-0000001-{number:07}" for number in range(50)]
    known_as_pending(world, *order_ids)
    for order_id in order_ids:
        events.release(world.sandbox.state, order_id)
        for _ in range(3):
            events.notify(world.sandbox.state, order_id)
    assert sqs.count(queue) == 200
    scans = len(world.sandbox.state.calls("searchOrders"))

    tick(world)

    # All are out of the queue; as many are read as leaves calls for others.
    assert sqs.count(queue) == 0
    assert Notification.objects.count() == 200
    read_at_once = 30 - receiving.CALLS_LEFT_TO_OTHERS
    assert len(reads(world)) == world.shop.order_count() == read_at_once
    tick(world, 5)
    assert sorted(reads(world)) == order_ids
    assert world.shop.order_count() == 50
    assert set(states()) == {"settled"}
    assert len(world.sandbox.state.calls("searchOrders")) == scans


# --- what is not for us --------------------------------------------------------------


def test_what_cannot_be_read_keeps_nothing_waiting(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    world.sandbox.state.notifications.deliver(held=True)
    events.release(world.sandbox.state, ORDER)
    good = message(world, ORDER)
    without_seller = json.loads(json.dumps(good))
    del without_seller["Payload"]["OrderChangeNotification"]["SellerId"]
    odd_id = json.loads(json.dumps(good))
    odd_id["NotificationMetadata"]["NotificationId"] = "\0"
    odd_order = json.loads(json.dumps(good))
    odd_order["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = "Änne Müller"
    odd_time = json.loads(json.dumps(good))
    odd_time["Payload"]["OrderChangeNotification"]["OrderChangeTrigger"] = {
        "TimeOfOrderChange": "0001-01-01T00:00:00+14:00"
    }
    bodies = [
        "Änne Müller, 10115 Berlin",
        "[" * 100_000,
        "1" * 10_000,
        "[]",
        *map(json.dumps, (without_seller, odd_id, odd_order, odd_time)),
    ]
    sqs.send(queue, *bodies, json.dumps({**good, "SomethingNew": {"a": [1]}}))

    tick(world)

    assert world.ledger_order(ORDER).import_state == "imported"
    assert sqs.count(queue) == 0
    assert states() == ["malformed"] * len(bodies) + ["settled"]
    logged = list(CommunicationLog.objects.order_by("message"))
    assert {row.error_code for row in logged} == {"MalformedNotification"}
    assert [row.message.removeprefix("notification: ") for row in logged] == [
        "NotificationMetadata.NotificationId is not an id",
        "Payload.OrderChangeNotification.AmazonOrderId is not an order id",
        "Payload.OrderChangeNotification.OrderChangeTrigger.TimeOfOrderChange must be "
        "a date and time after the year 1",
        "Payload.OrderChangeNotification.SellerId is missing",
        "it is not JSON",
        "it is not JSON",
        "it is not JSON",
        "must be an object",
    ]


def test_other_sellers_marketplaces_and_types_are_removed_and_counted(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    french = wire_order(OTHER, marketplace_id=FRANCE)
    world.sandbox.state.put_orders([french])
    world.sandbox.state.notifications.deliver(held=True)
    events.release(world.sandbox.state, ORDER)
    sqs.send(
        queue,
        json.dumps(message(world, ORDER, seller_id="A1SOMEBODYELSE")),
        json.dumps(message(world, OTHER)),
        json.dumps(message(world, ORDER, NotificationType="ANY_OFFER_CHANGED")),
    )

    tick(world, 2)

    assert sqs.count(queue) == 0
    assert states() == ["not_mapped", "other_seller", "other_type"]
    assert reads(world) == []
    assert world.shop.order_count() == 0


def test_an_order_that_cannot_be_worked_yet_is_left_to_the_scan(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    events.notify(world.sandbox.state, ORDER)

    tick(world)

    assert (reads(world), states()) == ([], ["left_to_scan"])
    assert sqs.count(queue) == 0


# --- polling stays the truth ---------------------------------------------------------


def test_without_calls_left_the_scan_brings_the_order(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    UsageBudget.objects.create(
        account=world.account,
        operation="getOrder",
        rate=0.000001,
        burst=30,
        tokens=receiving.CALLS_LEFT_TO_OTHERS + 0.9,
        refilled_at=clock.now(),
    )
    events.release(world.sandbox.state, ORDER)
    tick(world, 2)
    assert (states(), sqs.count(queue)) == (["to_read"], 0)

    tick(world, 40)

    assert world.ledger_order(ORDER).import_state == "imported"
    assert world.shop.order_count() == 1
    assert (reads(world), states()) == ([], ["settled"])


def test_orders_that_no_calls_were_left_for_are_read_later(
    world: World, queue: str
) -> None:
    known_as_pending(world, ORDER)
    UsageBudget.objects.create(
        account=world.account,
        operation="getOrder",
        rate=0.5,
        burst=30,
        tokens=0,
        refilled_at=clock.now(),
    )
    events.release(world.sandbox.state, ORDER)

    tick(world)
    assert reads(world) == []
    tick(world)

    assert reads(world) == [ORDER]
    assert world.shop.order_count() == 1


def test_amazon_gives_the_order_as_it_was_before(world: World, queue: str) -> None:
    known_as_pending(world, ORDER)
    world.sandbox.state.inject_fault("getOrder", "stale")
    events.release(world.sandbox.state, ORDER)

    tick(world)
    assert states() == ["to_read"]
    tick(world, 2)

    assert reads(world) == [ORDER, ORDER]
    assert states() == ["settled"]
    assert world.ledger_order(ORDER).import_state == "imported"


def test_an_order_that_amazon_does_not_give_is_left_to_the_scan(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    told = message(world, ORDER)
    told["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = OTHER
    sqs.send(queue, json.dumps(told))

    tick(world, 10)

    assert reads(world) == [ORDER, OTHER, OTHER]
    assert states() == ["left_to_scan", "settled"]


def test_what_could_not_be_read_for_an_hour_is_left_to_the_scans(
    world: World, queue: str
) -> None:
    Notification.objects.create(
        account=world.account,
        notification_id="old",
        amazon_order_id=ORDER,
        state="to_read",
        received_at=clock.now() - receiving.GIVE_UP_AFTER,
    )

    tick(world)

    assert (reads(world), states()) == ([], ["left_to_scan"])


def test_an_unexpected_failure_is_shown_and_nothing_is_lost(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)

    def fail(*_: object) -> int:
        raise ValueError("Änne Müller")

    monkeypatch.setattr(receiving, "_read_orders", fail)
    with pytest.raises(tasks.TaskFailed, match="ValueError"):
        tick(world)
    monkeypatch.undo()

    cursor = SyncCursor.objects.get(stream="notifications")
    assert cursor.lease_until is None
    assert cursor.last_error == "It failed unexpectedly; the server's log says why."
    tick(world, 2)
    assert world.ledger_order(ORDER).import_state == "imported"


def test_amazon_is_down_while_orders_are_read(world: World, queue: str) -> None:
    known_as_pending(world, ORDER, OTHER)
    world.sandbox.state.inject_fault("getOrder", "unavailable", count=2)
    for order_id in (ORDER, OTHER):
        events.release(world.sandbox.state, order_id)

    tick(world)
    # The first one's failure is the second's too.
    assert reads(world) == [ORDER, ORDER]
    assert world.shop.order_count() == 0
    tick(world, 3)

    assert sorted(reads(world)) == [ORDER, ORDER, ORDER, OTHER]
    assert world.shop.order_count() == 2
    assert states() == ["settled", "settled"]


def test_a_queue_that_fails_is_shown_rests_and_disturbs_nothing(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    NotificationQueue.objects.update(arn=queue + "-gone")
    events.release(world.sandbox.state, ORDER)
    runs = []
    for _ in range(40):
        tick(world)
        cursor = SyncCursor.objects.get(stream="notifications")
        if cursor.last_run_at == clock.now():  # it was tried
            runs.append(clock.now())

    # The scans are as they are without one.
    assert world.ledger_order(ORDER).import_state == "imported"
    assert cursor.last_error == "There is no such queue."
    # It rests longer each time.
    rests = [(b - a).total_seconds() for a, b in pairwise(runs)]
    assert rests == [15, 30, 60, 120, 240]
    assert CommunicationLog.objects.get().message == "There is no such queue."

    NotificationQueue.objects.update(arn=queue)
    tick(world, 60)

    cursor.refresh_from_db()
    assert cursor.last_error == ""
    assert NotificationQueue.objects.get().failure_count == 0
    assert sqs.count(queue) == 0


def test_a_queue_that_is_not_reached_disturbs_nothing(world: World, queue: str) -> None:
    NotificationQueue.objects.update(endpoint_override="http://127.0.0.1:9")
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)

    tick(world, 40)

    assert world.ledger_order(ORDER).import_state == "imported"
    assert SyncCursor.objects.get(stream="notifications").last_error == (
        "SQS is not reached (EndpointConnectionError)."
    )


def test_a_copy_of_the_shop_leaves_the_shops_messages_alone(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    ChannelSettings.objects.update(read_only=True)
    events.release(world.sandbox.state, ORDER)

    tick(world, 3)

    assert sqs.count(queue) == 1
    assert reads(world) == []
    for act in (
        lambda: subscribing.subscribe(world.account, queue, sqs.url),
        lambda: subscribing.unsubscribe(world.account),
    ):
        with pytest.raises(accounts.AccountError, match="read-only"):
            act()
    assert len(world.sandbox.state.notifications.subscriptions) == 2


# --- feeds ---------------------------------------------------------------------------


def test_a_finished_feed_is_settled_without_waiting_for_its_poll(
    world: World, queue: str
) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    tick(world)
    with world.shop.writer():
        request_cancellation(
            ORDER, CancelReason.NO_INVENTORY, actor="staff@example.com"
        )
    tick(world, 2)  # it waits for company
    feed = Feed.objects.get()
    assert feed.state == "submitted"
    # As if it had been looked at often already.
    Feed.objects.update(poll_count=9, next_poll_at=clock.now() + timedelta(minutes=5))
    world.move_clock(timedelta(minutes=1))
    feeds.advance(world.sandbox.state, clock.now())

    tick(world, 2)

    assert Feed.objects.get().state == "settled"
    assert OutboxEntry.objects.get().state == "succeeded"
    shop_order_id = world.ledger_order(ORDER).shop_order_id
    assert world.shop.order(shop_order_id).status == "canceled"


def test_a_finished_feed_of_somebody_else_is_nothing_to_us(
    world: World, queue: str, sqs: Sqs
) -> None:
    due = clock.now() + timedelta(minutes=5)
    Feed.objects.create(
        account=world.account,
        feed_type="POST_ORDER_ACKNOWLEDGEMENT_DATA",
        document_id="d",
        marketplace_ids=[],
        sent_at=clock.now(),
        feed_id="50001",
        state="submitted",
        next_poll_at=due,
    )

    def told(feed_id: str, **seller: str) -> str:
        return json.dumps(
            {
                "notificationType": "FEED_PROCESSING_FINISHED",
                "payload": {
                    "feedProcessingFinishedNotification": {
                        "feedId": feed_id,
                        "accountId": "amzn1.merchant.o.X",
                        **seller,
                    }
                },
                "notificationMetadata": {"notificationId": f"{feed_id}{seller}"[:36]},
            }
        ).replace(" ", "")

    sqs.send(queue, told("50001", sellerId="A1SOMEBODYELSE"), told("50002"))
    tick(world)
    assert Feed.objects.get().next_poll_at == due
    assert states() == ["other_seller", "settled"]

    # A vendor's does not name the seller; the feed's id is ours all the same.
    sqs.send(queue, told("50001"))
    tick(world)
    assert Feed.objects.get().next_poll_at < due


# --- killed --------------------------------------------------------------------------


def test_a_worker_that_dies_at_any_moment_loses_and_doubles_nothing(
    world: World, queue: str, sqs: Sqs
) -> None:
    """Among the moments: between writing a notification down and deleting it."""
    finished, round_number, order_ids = False, 0, []
    while not finished:
        round_number += 1
        assert round_number < 100, "the worker never finishes"
        some = [f"{round_number:03}-0000002-{number:07}" for number in range(2)]
        known_as_pending(world, *some)
        for order_id in some:
            events.release(world.sandbox.state, order_id)
        finished = run_worker(
            lambda: tasks.receive_notifications(world.account.pk), die_at=round_number
        )
        # The worker's lease is over after a minute; no scan is due before 4.
        tick(world, 5)
        rows = AmazonOrder.objects.filter(amazon_order_id__in=some)
        assert [row.import_state for row in rows] == ["imported", "imported"]
        assert sqs.count(queue) == 0
        order_ids += some

    assert round_number > 15, "too few moments: the counting does not see them"
    assert world.shop.order_count() == len(order_ids)
    assert set(states()) == {"settled"}


# --- subscribing ---------------------------------------------------------------------


def subscriptions(world: World) -> dict[str, str]:
    """Type → the queue it goes to."""
    store = world.sandbox.state.notifications
    return {
        each.type: store.destinations[each.destination_id].arn
        for each in store.subscriptions.values()
    }


def calls(world: World) -> dict[str, int]:
    return {
        name: sum(statuses.values())
        for name, statuses in world.sandbox.state.counters().items()
        if "estination" in name or "ubscription" in name
    }


def test_subscribing_again_changes_nothing(world: World, queue: str, sqs: Sqs) -> None:
    both = {"ORDER_CHANGE": queue, "FEED_PROCESSING_FINISHED": queue}
    assert subscriptions(world) == both
    [order_change] = [
        each
        for each in world.sandbox.state.notifications.subscriptions.values()
        if each.type == "ORDER_CHANGE"
    ]
    assert order_change.directive == {
        "eventFilter": {"eventFilterType": "ORDER_CHANGE"}
    }
    world.sandbox.state.clear_calls()

    with world.shop.writer():
        row = subscribing.subscribe(world.account, f" {queue} ", sqs.url)

    assert (row.is_subscribed, subscriptions(world)) == (True, both)
    assert calls(world) == {"getDestinations": 1, "getSubscription": 2}
    assert NotificationQueue.objects.count() == 1


def test_another_queue_takes_the_subscriptions_over(
    world: World, queue: str, sqs: Sqs
) -> None:
    other = sqs.create_queue()
    with world.shop.writer():
        subscribing.subscribe(world.account, other, sqs.url)

    assert set(subscriptions(world).values()) == {other}
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    tick(world)
    assert world.shop.order_count() == 1


def test_somebody_elses_subscription_is_not_taken_without_a_word(
    world: World, queue: str, sqs: Sqs
) -> None:
    with world.shop.writer():
        subscribing.unsubscribe(world.account)
    assert subscriptions(world) == {}
    theirs = f"arn:aws:sqs:{REGION}:{OWNER}:theirs"
    store = world.sandbox.state.notifications
    destination = store.add_destination(
        world.account.lwa_client_id, "other software", theirs
    )
    store.add_subscription(
        client_id=world.account.lwa_client_id,
        seller_id=world.account.seller_id,
        type="ORDER_CHANGE",
        payload_version="1.0",
        destination_id=destination.id,
    )

    with world.shop.writer(), pytest.raises(accounts.AccountError) as refused:
        subscribing.subscribe(world.account, queue, sqs.url)

    assert (refused.value.code, refused.value.field) == ("unique", "replace")
    assert subscriptions(world) == {"ORDER_CHANGE": theirs}
    assert not NotificationQueue.objects.exists()

    with world.shop.writer():
        subscribing.subscribe(world.account, queue, sqs.url, replace=True)
    assert set(subscriptions(world).values()) == {queue}


def test_what_amazon_lost_is_subscribed_to_again_the_next_day(
    world: World, queue: str
) -> None:
    world.sandbox.state.notifications.subscriptions.clear()
    world.sandbox.state.clear_calls()
    tick(world, 2)
    assert (subscriptions(world), calls(world)) == ({}, {})

    world.move_clock(timedelta(days=1))
    tick(world)

    assert set(subscriptions(world).values()) == {queue}
    row = NotificationQueue.objects.get()
    assert set(row.subscription_ids.values()) == set(
        world.sandbox.state.notifications.subscriptions
    )
    tick(world, 2)
    assert calls(world) == {
        "getDestinations": 1,
        "getSubscription": 2,
        "createSubscription": 2,
    }


def test_a_check_that_fails_is_shown_and_made_again(world: World, queue: str) -> None:
    state = world.sandbox.state
    state.notifications.subscriptions.clear()
    state.inject_fault("createSubscription", "html_400")
    world.move_clock(timedelta(days=1))
    tick(world)
    row = NotificationQueue.objects.get()
    assert row.check_error.startswith("createSubscription: 400")
    assert not row.is_subscribed

    world.move_clock(timedelta(hours=1))
    tick(world)

    row = NotificationQueue.objects.get()
    assert (row.check_error, row.is_subscribed) == ("", True)


def test_notifications_are_forgotten_after_a_day(world: World, queue: str) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    tick(world)
    assert states() == ["settled"]

    world.move_clock(timedelta(days=1, minutes=1))
    tick(world)

    assert states() == []


def test_unsubscribing_ends_it_here_and_at_amazon(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    # One of them is not there any more.
    store = world.sandbox.state.notifications
    store.subscriptions.pop(next(iter(store.subscriptions)))

    with world.shop.writer():
        assert subscribing.unsubscribe(world.account)
        assert not subscribing.unsubscribe(world.account)

    assert subscriptions(world) == {}
    assert not SyncCursor.objects.filter(stream="notifications").exists()
    assert not [task for task, _ in tasks.due() if "notif" in task.name]


def test_disconnecting_the_account_ends_it_too(
    world: World, queue: str, sqs: Sqs
) -> None:
    with world.shop.writer():
        account = account_changes.disconnect(world.account)

    assert account.state_reason == account_changes.DISCONNECTED
    assert subscriptions(world) == {}
    assert not NotificationQueue.objects.exists()
    assert not SyncCursor.objects.filter(stream="notifications").exists()


def test_what_amazon_cannot_be_told_keeps_nobody_from_disconnecting(
    world: World, queue: str, sqs: Sqs
) -> None:
    world.sandbox.state.inject_fault("deleteSubscriptionById", "unavailable", count=9)
    with world.shop.writer():
        account = account_changes.disconnect(world.account)

    assert (account.state, account.refresh_token) == ("disconnected", "")
    assert account.state_reason == (
        f"{account_changes.DISCONNECTED} Amazon was not told to end the notifications, "
        f"and may go on writing to {queue}: Amazon did not answer in time; try again "
        "in a minute."
    )
    assert not NotificationQueue.objects.exists()


def test_what_is_unsent_refuses_it_before_anything_ends(
    world: World, queue: str, sqs: Sqs
) -> None:
    known_as_pending(world, ORDER)
    events.release(world.sandbox.state, ORDER)
    tick(world)
    before = subscriptions(world)
    with world.shop.writer():
        request_cancellation(ORDER, CancelReason.NO_INVENTORY)
        with pytest.raises(accounts.AccountError, match="still to be sent"):
            account_changes.disconnect(world.account)

    assert subscriptions(world) == before
    assert NotificationQueue.objects.exists()


@pytest.mark.parametrize(
    ("arn", "endpoint", "code", "field"),
    [
        ("amazon-orders", "", "invalid", "queue_arn"),
        (f"arn:aws:sqs:{REGION}:{OWNER}:orders.fifo", "", "invalid", "queue_arn"),
        (f"arn:aws:sns:{REGION}:{OWNER}:orders", "", "invalid", "queue_arn"),
        (None, "http://sqs.example.com", "invalid", "queue_endpoint"),
        (f"arn:aws:sqs:{REGION}:{OWNER}:not-there", None, "invalid", "queue_arn"),
        (f"arn:aws:sqs:{REGION}:999999999999:", None, "invalid", "queue_arn"),
    ],
)
def test_a_queue_that_cannot_be(
    world: World,
    queue: str,
    sqs: Sqs,
    arn: str | None,
    endpoint: str | None,
    code: str,
    field: str,
) -> None:
    with world.shop.writer():
        subscribing.unsubscribe(world.account)
    arn = queue if arn is None else arn
    if arn.endswith(":"):
        arn += queue.rpartition(":")[2]  # another owner's, of the same name

    with world.shop.writer(), pytest.raises(accounts.AccountError) as refused:
        subscribing.subscribe(
            world.account, arn, sqs.url if endpoint is None else endpoint
        )

    assert (refused.value.code, refused.value.field) == (code, field)
    assert not NotificationQueue.objects.exists()
    assert subscriptions(world) == {}


def test_each_account_has_a_queue_of_its_own(
    world: World, queue: str, sqs: Sqs
) -> None:
    account = SellerAccount.objects.get()
    account.pk, account.seller_id = None, "A1OTHER"
    account.save()

    with world.shop.writer(), pytest.raises(accounts.AccountError) as refused:
        subscribing.subscribe(account, queue, sqs.url)

    assert (refused.value.code, refused.value.field) == ("unique", "queue_arn")


def test_amazon_refuses_or_fails(world: World, queue: str, sqs: Sqs) -> None:
    with world.shop.writer():
        subscribing.unsubscribe(world.account)
    for operation, kind, code in (
        ("getDestinations", "unavailable", "unavailable"),
        ("createSubscription", "unauthorized", "forbidden"),
        ("createSubscription", "html_400", "invalid"),
    ):
        world.sandbox.state.inject_fault(operation, kind)
        with world.shop.writer(), pytest.raises(accounts.AccountError) as refused:
            subscribing.subscribe(world.account, queue, sqs.url)
        assert refused.value.code == code
        assert not NotificationQueue.objects.exists()


def test_amazon_answers_that_it_is_there_already(
    world: World, queue: str, sqs: Sqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose answer got lost is made again, and refused: then it is read back."""
    with world.shop.writer():
        subscribing.unsubscribe(world.account)
    for operation in ("createDestination", "createSubscription"):
        world.sandbox.state.notifications.destinations.clear()
        world.sandbox.state.inject_fault(operation, "close_after_effect")
    monkeypatch.setattr(
        subscribing, "WHILE_SOMEBODY_WAITS", {"read_timeout": 3.0, "tries": 2}
    )

    with world.shop.writer():
        row = subscribing.subscribe(world.account, queue, sqs.url)

    assert row.is_subscribed
    assert len(world.sandbox.state.notifications.destinations) == 1
    assert world.sandbox.state.counters()["createDestination"]["409"] == 1
    assert set(subscriptions(world).values()) == {queue}


def test_a_process_without_aws_credentials_says_so(
    world: World, queue: str, sqs: Sqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    # The process has found some before, for other tests.
    monkeypatch.setattr(sqs_module, "_session", sqs_module._session.__wrapped__)

    with world.shop.writer(), pytest.raises(accounts.AccountError) as refused:
        subscribing.subscribe(world.account, queue, sqs.url)

    assert refused.value.code == "not_configured"
    assert "AWS_ACCESS_KEY_ID" in refused.value.message
