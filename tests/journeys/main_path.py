"""The main path, both ways, in whichever shop the fixtures ``shop`` and ``store`` are.

Imported by ``standalone/test_journeys.py`` and ``in_saleor/test_journeys.py``. The
letters are rows of what the product must do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import budget, lifecycle, outbox, tasks
from saleor_amazon_channel.importing import news, pull
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonPackage,
    ChannelSettings,
    CommunicationLog,
    Marketplace,
    OutboxEntry,
    SellerAccount,
)
from saleor_amazon_channel.pushing import feeds, shipments
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Shipment, Store
from wire_orders import NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
KIND = OutboxEntry.Kind.CONFIRM_SHIPMENT
OTHER = "111-0000001-0000002"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def two_lines() -> dict[str, object]:
    return wire_order(
        items=[
            wire_item("10000000000001", "MUG-1", quantity=3, price="10.00"),
            wire_item("10000000000002", "MUG-2", quantity=1, price="7.77"),
        ]
    )


def test_a1_an_amazon_order_becomes_a_shop_order_to_the_cent(world: World) -> None:
    world.sandbox.state.put_orders([two_lines()])

    world.work()
    world.work()

    order = world.ledger_order(ORDER)
    assert (order.import_state, order.blockers) == ("imported", [])
    figures = world.store.figures([order.shop_order_id])[order.shop_order_id]
    assert figures.total == figures.total_charged == order.grand_total
    assert order.grand_total == Decimal("17.77")
    assert [(sku, quantity) for sku, quantity, _ in figures.lines] == [
        ("MUG-1", 3),
        ("MUG-2", 1),
    ]
    assert (figures.allocated, figures.fulfilled) == (4, 0)
    assert world.shop.order(order.shop_order_id).external_reference == ORDER
    assert world.shop.emails() == []


def test_a10_two_packages_reach_amazon_and_nothing_comes_back(world: World) -> None:
    world.sandbox.state.put_orders([two_lines()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)

    first = world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 2},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
        carrier="UPS",
    )
    assert OutboxEntry.objects.filter(state="pending").count() == 1
    world.work_until_quiet(2)
    on_amazon = world.on_amazon(ORDER)
    assert on_amazon["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"

    second = world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1, lines["10000000000002"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-2",
    )
    world.work_until_quiet(4)

    on_amazon = world.on_amazon(ORDER)
    assert on_amazon["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert [
        (package["packageReferenceId"], package["carrier"], package["trackingNumber"])
        for package in on_amazon["packages"]
    ] == [("1001", "UPS", "T-1"), ("1002", "DHL", "T-2")]
    # In Saleor the carrier comes after the fulfillment, as a second version of it.
    states = Counter(OutboxEntry.objects.values_list("state", flat=True))
    assert states["succeeded"] == 2
    assert states.keys() <= {"succeeded", "superseded"}
    assert world.shop.order_count() == 1
    # The outcome is on the order of the shop.
    view = world.shop.order(order.shop_order_id)
    assert [package.fulfillment_id for package in view.fulfillments] == [first, second]
    assert [p.metadata["amazon.confirmation"] for p in view.fulfillments] == [
        "succeeded",
        "succeeded",
    ]
    assert [note for note in view.notes if "confirmed" in note] == [
        "Package 1001 is confirmed to Amazon.",
        "Package 1002 is confirmed to Amazon.",
    ]
    assert world.shop.emails() == []


def test_pulling_again_doubles_nothing(world: World) -> None:
    world.sandbox.state.put_orders([two_lines()])
    world.work_until_quiet(6)

    assert world.shop.order_count() == AmazonOrder.objects.count() == 1
    assert OutboxEntry.objects.count() == 0
    assert len(world.sandbox.state.calls("searchOrders")) >= 3


def test_tracking_given_later_replaces_the_package(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    fulfillment = world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
    )
    world.work()
    entry = OutboxEntry.objects.get()
    assert entry.state == "pending"
    assert entry.error_message == (
        "Package 1001 waits for a tracking number. Add it to the fulfillment."
    )
    assert world.sandbox.state.calls("confirmShipment") == []

    world.shop.update_tracking(fulfillment, "T-9")
    world.work()
    world.shop.update_tracking(fulfillment, "T-10")
    world.work_until_quiet(2)

    packages = world.on_amazon(ORDER)["packages"]
    assert [(p["packageReferenceId"], p["trackingNumber"]) for p in packages] == [
        ("1001", "T-10")
    ]
    assert [e.state for e in OutboxEntry.objects.order_by("id")] == [
        "superseded",
        "succeeded",
        "succeeded",
    ]
    # The same number again is no news.
    world.shop.update_tracking(fulfillment, "T-10")
    assert OutboxEntry.objects.count() == 3


def test_without_tracking_a_package_goes_by_feed_before_the_deadline(
    world: World,
) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    fulfillment = world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
    )
    world.move_clock(timedelta(hours=43))
    world.work()
    assert OutboxEntry.objects.get().error_code == "WAITING"
    assert world.sandbox.state.calls("createFeed") == []

    world.move_clock(timedelta(hours=1))
    for _ in range(4):
        world.work()
        world.move_clock(timedelta(minutes=1))

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("succeeded", "")
    [package] = world.on_amazon(ORDER)["packages"]
    assert package["packageReferenceId"] == "1001"
    assert package["carrier"] == "DHL"
    assert "trackingNumber" not in package
    notes = world.shop.order(order.shop_order_id).notes
    assert any(
        "Package 1001 is confirmed to Amazon, without a tracking number." in note
        for note in notes
    )

    # Tracking given afterwards replaces the package.
    world.shop.update_tracking(fulfillment, "T-9")
    world.work_until_quiet(2)
    [package] = world.on_amazon(ORDER)["packages"]
    assert (package["packageReferenceId"], package["trackingNumber"]) == ("1001", "T-9")


def test_many_shipments_are_one_feed_and_an_urgent_one_goes_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MANY_SHIPMENTS", 20)
    orders = [f"111-0000002-{number:07}" for number in range(25)]
    world.sandbox.state.put_orders([wire_order(each) for each in (*orders, ORDER)])
    world.work_until_quiet(2)
    for order_id in orders:
        world.shop.fulfil(
            world.ledger_order(order_id).shop_order_id,
            {world.line_ids(order_id)["10000000000001"]: 1},
            warehouse_id=world.warehouse_id,
            tracking_number=f"T-{order_id}",
        )

    world.work()
    # While the feed is under way another one is due at once, and not delayed by it.
    world.shop.fulfil(
        world.ledger_order(ORDER).shop_order_id,
        {world.line_ids(ORDER)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        **TRACKED,
    )
    world.work()
    assert world.on_amazon(ORDER)["packages"][0]["trackingNumber"] == "T-2"
    world.work_until_quiet(3)

    for order_id in orders:
        [package] = world.on_amazon(order_id)["packages"]
        assert package["trackingNumber"] == f"T-{order_id}"
    assert len(world.sandbox.state.calls("createFeed")) == 1
    assert len(world.sandbox.state.calls("confirmShipment")) == 1
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"succeeded"}


def test_d1_an_unknown_sku_blocks_and_goes_through_once_it_exists(world: World) -> None:
    world.sandbox.state.put_orders(
        [wire_order(items=[wire_item(sku="NEW-1")]), wire_order(OTHER)]
    )
    world.work()
    blocked = world.ledger_order(ORDER)
    assert blocked.import_state == "blocked"
    assert [b["code"] for b in blocked.blockers] == ["unknown_sku"]
    assert blocked.blockers[0]["subject"] == "NEW-1"
    assert world.ledger_order(OTHER).import_state == "imported"

    with world.shop.writer():
        world.shop.create_variant(
            "NEW-1", [world.channel.id], stock={world.warehouse_id: 5}
        )
    world.move_clock(timedelta(seconds=20))
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"
    assert world.shop.order_count() == 2


def test_d3_out_of_stock_blocks_until_stock_arrives(world: World) -> None:
    with world.shop.writer():
        variant = world.shop.create_variant(
            "LAST", [world.channel.id], stock={world.warehouse_id: 1}
        )
    world.sandbox.state.put_orders(
        [wire_order(items=[wire_item(sku="LAST", quantity=2)])]
    )
    world.work()
    assert [b["code"] for b in world.ledger_order(ORDER).blockers] == ["out_of_stock"]
    assert world.shop.stock(variant, world.warehouse_id).allocated == 0

    with world.shop.writer():
        world.shop.set_stock(variant, world.warehouse_id, 2)
    world.move_clock(timedelta(seconds=20))
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"
    assert world.shop.stock(variant, world.warehouse_id).allocated == 2


def test_d5_amounts_that_do_not_add_up_are_never_rounded(world: World) -> None:
    wire = wire_order()
    wire["proceeds"]["grandTotal"]["amount"] = "19.91"
    world.sandbox.state.put_orders([wire])

    world.work()

    order = world.ledger_order(ORDER)
    assert [b["code"] for b in order.blockers] == ["amounts_differ"]
    assert "0.01" in order.blockers[0]["message"]
    assert world.shop.order_count() == 0


def test_b7_a_pending_order_waits_and_f2_fba_arrives_shipped(world: World) -> None:
    world.sandbox.state.put_orders(
        [
            wire_order(status="PENDING"),
            wire_order(
                OTHER,
                status="SHIPPED",
                fulfilled_by="AMAZON",
                items=[wire_item(quantity=2, shipped=2)],
            ),
        ]
    )
    world.work()

    assert world.ledger_order(ORDER).import_state == "waiting"
    by_amazon = world.ledger_order(OTHER)
    figures = world.store.figures([by_amazon.shop_order_id])
    assert figures[by_amazon.shop_order_id].status == "fulfilled"
    assert (
        figures[by_amazon.shop_order_id].allocated,
        figures[by_amazon.shop_order_id].fulfilled,
    ) == (0, 2)
    assert OutboxEntry.objects.count() == 0


def test_b1_import_off_keeps_orders_waiting_until_it_is_on(world: World) -> None:
    Marketplace.objects.update(import_orders=False)
    world.sandbox.state.put_orders([wire_order()])
    world.work()
    assert world.ledger_order(ORDER).import_state == "waiting"
    assert world.ledger_order(ORDER).note == (
        "Import Amazon Orders is off for this marketplace."
    )


def test_b6_older_orders_are_never_imported_by_themselves(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(created=NOW - timedelta(days=31))])
    world.work()
    world.work()
    assert world.ledger_order(ORDER).import_state == "waiting"
    assert world.shop.order_count() == 0


def test_capture_lost_the_sweep_finds_it(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    ChannelSettings.objects.update(active=False)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    # What capture wrote, a crash took away.
    AmazonPackage.objects.all().delete()
    OutboxEntry.objects.all().delete()
    ChannelSettings.objects.update(active=True)

    world.work_until_quiet(4)

    assert [p["trackingNumber"] for p in world.on_amazon(ORDER)["packages"]] == ["T-1"]
    assert OutboxEntry.objects.count() == 1


def test_the_sweep_repeats_nothing(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )

    with world.shop.writer():
        assert lifecycle.sweep() == 0
        assert lifecycle.sweep() == 0

    assert OutboxEntry.objects.count() == 1


def test_e4_nothing_leaves_in_read_only_mode(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    ChannelSettings.objects.update(read_only=True)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    for _ in range(3):
        world.work()
        world.move_clock(timedelta(minutes=5))

    assert OutboxEntry.objects.get().state == "pending"
    assert world.sandbox.state.calls("confirmShipment") == []


@pytest.mark.parametrize(
    "fault", ["throttled", "internal_failure", "unavailable", "failure_after_effect"]
)
def test_faults_delay_a_confirmation_and_never_double_it(
    world: World, fault: str
) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    world.sandbox.state.inject_fault("confirmShipment", fault, count=2)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )

    world.work_until_quiet(6)

    assert [p["trackingNumber"] for p in world.on_amazon(ORDER)["packages"]] == ["T-1"]
    assert OutboxEntry.objects.get().state == "succeeded"


def test_a_claim_that_died_is_settled_by_reading_amazon(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    with world.shop.writer():
        [claim] = outbox.claim(world.account, 10, [KIND])
        assert outbox.claim(world.account, 10, [KIND]) == []
        shipments.send(
            budget.client_for(world.account), claim.entry, 0, reconcile=False
        )
    before = len(world.sandbox.state.calls("confirmShipment"))
    world.move_clock(outbox.CLAIM_LIFETIME + timedelta(seconds=1))
    world.work()

    assert OutboxEntry.objects.get().state == "succeeded"
    assert len(world.sandbox.state.calls("confirmShipment")) == before


def test_a_revoked_grant_stops_the_account_and_says_how_to_go_on(world: World) -> None:
    world.sandbox.state.revoke_grant("A1SANDBOXEU")
    world.sandbox.state.expire_access_tokens()
    world.move_clock(timedelta(hours=2))

    world.work()

    account = SellerAccount.objects.get()
    assert account.state == "needs_reauthorization"
    assert "refresh token" in account.state_reason
    assert CommunicationLog.objects.get().operation == "searchOrders"
    calls = len(world.sandbox.state.calls("lwaToken"))
    world.move_clock(timedelta(hours=1))
    world.work()
    assert len(world.sandbox.state.calls("lwaToken")) == calls


def test_a_scan_that_ran_out_of_budget_goes_on_where_it_stopped(world: World) -> None:
    world.sandbox.state.put_orders(
        [wire_order(f"111-0000002-{n:07}") for n in range(250)]
    )
    world.sandbox.state.inject_fault("searchOrders", "throttled", skip=1, count=1)

    world.work()
    assert AmazonOrder.objects.count() == 100
    for _ in range(3):
        world.move_clock(timedelta(minutes=5))
        world.work()

    assert AmazonOrder.objects.filter(import_state="imported").count() == 250
    assert world.shop.order_count() == 250
    # One throttled call, three pages, then one call a round that finds nothing new.
    assert len(world.sandbox.state.calls("searchOrders")) <= 7


def test_an_expired_page_token_starts_the_scan_over(world: World) -> None:
    world.sandbox.state.put_orders(
        [wire_order(f"111-0000002-{n:07}") for n in range(150)]
    )
    world.sandbox.state.inject_fault("searchOrders", "expired_token", skip=1, count=1)

    for _ in range(4):
        world.work()
        world.move_clock(timedelta(minutes=5))

    assert AmazonOrder.objects.filter(import_state="imported").count() == 150


def test_without_the_roles_for_buyer_data_orders_are_here_and_say_so(
    world: World,
) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.sandbox.state.inject_fault("searchOrders", "unauthorized", count=1)

    world.work()

    order = world.ledger_order(ORDER)
    assert [b["code"] for b in order.blockers] == ["bad_address"]
    assert CommunicationLog.objects.get().operation == "searchOrders"


def test_a_package_of_seller_central_is_never_overwritten(world: World) -> None:
    world.sandbox.state.put_orders([wire_order(items=[wire_item(quantity=2)])])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    # Shipped in Seller Central a moment ago; the ledger has not heard of it.
    events.ship(world.sandbox.state, ORDER, quantities={"10000000000001": 1})

    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-2",
    )
    world.work_until_quiet(3)

    packages = world.on_amazon(ORDER)["packages"]
    assert len(packages) == 2
    assert packages[1]["packageReferenceId"] == "1001"
    assert packages[1]["trackingNumber"] == "T-2"
    assert packages[0]["packageItems"][0]["quantity"] == 1


def _cancelled_on_amazon(world: World, *order_ids: str) -> None:
    """The ledger has heard of it, the shop has not: a worker died in between."""
    for order_id in order_ids:
        events.cancel(world.sandbox.state, order_id)
    world.move_clock(timedelta(minutes=5))
    with world.shop.writer():
        assert pull.pull(world.account).is_complete


def test_f3_cancelled_on_amazon_is_cancelled_in_the_shop(world: World) -> None:
    world.sandbox.state.put_orders([two_lines(), wire_order(OTHER)])
    world.work_until_quiet(2)
    order, other = world.ledger_order(ORDER), world.ledger_order(OTHER)
    neighbour = world.shop.order(other.shop_order_id)

    events.cancel(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    view = world.shop.order(order.shop_order_id)
    assert view.status == "canceled"
    assert [each.charged for each in view.transactions] == [Decimal(0)]
    figures = world.store.figures([order.shop_order_id])[order.shop_order_id]
    assert (figures.total_charged, figures.allocated) == (Decimal(0), 0)
    assert figures.total == Decimal("17.77")
    # Only the neighbour's mug is still promised.
    stock = world.shop.stock(view.lines[0].variant_id, world.warehouse_id)
    assert (stock.quantity, stock.allocated) == (1000, 1)
    assert view.notes == (
        f"Order {ORDER} was cancelled on Amazon. It is cancelled here too: its stock "
        "is released, and what was charged for it counts as refunded.",
    )
    cancelled = world.ledger_order(ORDER)
    assert cancelled.note == (
        "The order was cancelled on Amazon; order "
        f"{cancelled.shop_order_number} is cancelled too."
    )
    assert cancelled.import_state == "imported"
    told = list(cancelled.events.order_by("id").values_list("type", flat=True))
    assert told == ["received", "imported", "updated", "cancelled_in_shop"]

    # Nothing of it comes back, and hearing of it again changes nothing.
    events.touch(world.sandbox.state, ORDER)
    world.work_until_quiet(3)
    assert world.shop.order(order.shop_order_id) == view
    assert world.shop.order(other.shop_order_id) == neighbour
    assert cancelled.events.filter(type="cancelled_in_shop").count() == 1
    assert OutboxEntry.objects.count() == 0
    assert world.shop.order_count() == 2
    assert world.shop.emails() == []


def test_f3_a_worker_that_died_before_cancelling_is_made_up_for(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    _cancelled_on_amazon(world, ORDER)
    shop_order_id = world.ledger_order(ORDER).shop_order_id
    assert world.shop.order(shop_order_id).status == "unfulfilled"

    with world.shop.writer():
        assert tasks.import_orders in [task for task, _ in tasks.due()]
    world.work()

    assert world.shop.order(shop_order_id).status == "canceled"
    with world.shop.writer():
        assert tasks.import_orders not in [task for task, _ in tasks.due()]


def test_f3_a_cancelled_order_cannot_be_shipped(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    _cancelled_on_amazon(world, ORDER)
    before = world.shop.order(order.shop_order_id)

    # The stand-alone shop raises what Saleor answers as an error of the mutation.
    with pytest.raises(
        (lifecycle.Refused, AssertionError),
        match=f"Order {ORDER} was cancelled on Amazon; it must not be shipped",
    ):
        world.shop.fulfil(
            order.shop_order_id,
            {lines["10000000000001"]: 1},
            warehouse_id=world.warehouse_id,
            tracking_number="T-1",
        )

    assert world.shop.order(order.shop_order_id) == before
    assert AmazonPackage.objects.count() == OutboxEntry.objects.count() == 0
    world.work()
    assert world.shop.order(order.shop_order_id).status == "canceled"


def test_f3_partly_shipped_here_and_cancelled_there_asks_for_staff(
    world: World,
) -> None:
    world.sandbox.state.put_orders([two_lines()])
    world.work_until_quiet(2)
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    # Without tracking: Amazon has not heard of it.
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 2},
        warehouse_id=world.warehouse_id,
    )

    events.cancel(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    message = (
        "The order was cancelled on Amazon, but it cannot be cancelled here: 2 of its "
        "units are fulfilled, or wait for an approval. Keep the goods from leaving or "
        "get them back, then cancel and refund the order here by hand."
    )
    view = world.shop.order(order.shop_order_id)
    assert view.status == "partially fulfilled"
    assert [each.charged for each in view.transactions] == [Decimal("17.77")]
    assert [note for note in view.notes if note == message] == [message]
    events_of = world.ledger_order(ORDER).events
    assert events_of.get(type="cancellation_impossible").message == message
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("failed", "ORDER_CANCELLED")
    assert world.sandbox.state.calls("confirmShipment") == []
    with world.shop.writer():
        assert not news.has_work()
        # The package was recorded before: the sweep finds nothing to refuse.
        assert lifecycle.sweep() == 0

    world.work_until_quiet(3)
    assert world.shop.order(order.shop_order_id).status == "partially fulfilled"
    assert events_of.filter(type="cancellation_impossible").count() == 1


def test_f3_a_cancellation_that_fails_is_tried_again_and_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)
    failing = world.ledger_order(ORDER).shop_order_id
    other = world.ledger_order(OTHER).shop_order_id
    original = type(world.store).cancel_orders

    def cancel_orders(self: Store, order_ids: list[str], note: str) -> object:
        answer = original(self, order_ids, note)
        if failing in order_ids:
            raise OSError("the shop is in trouble")
        return answer

    _cancelled_on_amazon(world, ORDER, OTHER)
    with monkeypatch.context() as patched:
        patched.setattr(type(world.store), "cancel_orders", cancel_orders)
        world.work()
    assert world.shop.order(failing).status == "unfulfilled"
    assert world.shop.order(other).status == "canceled"

    world.move_clock(news.RETRY_AFTER)
    world.work()

    assert world.shop.order(failing).status == "canceled"
    assert world.store.figures([failing])[failing].allocated == 0


def test_a13_the_shops_own_cancel_waits_for_amazon(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    world.work_until_quiet(2)
    order = world.ledger_order(ORDER)

    # Each shop has its own way to say no; Saleor's is in in_saleor/test_capture.py.
    with pytest.raises((AssertionError, lifecycle.Refused), match="Seller Central"):
        world.shop.cancel_order(order.shop_order_id)

    assert world.shop.order(order.shop_order_id).status == "unfulfilled"


def imported(world: World, *items: dict[str, object]) -> tuple[str, dict[str, str]]:
    """An imported order: its id in the shop, and its lines by order item id."""
    world.sandbox.state.put_orders([wire_order(items=list(items) or None)])
    world.work_until_quiet(2)
    return world.ledger_order(ORDER).shop_order_id, world.line_ids(ORDER)


def test_without_a_carrier_a_person_is_asked_before_the_deadline(world: World) -> None:
    Marketplace.objects.update(default_carrier_code="")
    order_id, lines = imported(world)
    world.shop.fulfil(
        order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **TRACKED
    )
    world.work()
    assert OutboxEntry.objects.get().error_message.startswith(
        "Package 1001 waits for a carrier."
    )

    world.move_clock(timedelta(hours=45))
    world.work()

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("failed", "MISSING_CARRIER")


TRACKED = {"tracking_number": "T-2"}


def lines_of(lines: dict[str, str], quantity: int) -> dict[str, int]:
    return {lines["10000000000001"]: quantity}


def test_a_package_that_waits_for_tracking_holds_up_no_other(world: World) -> None:
    order_id, lines = imported(world, wire_item(quantity=2))
    for tracking in ({}, TRACKED):
        world.shop.fulfil(
            order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **tracking
        )

    world.work()
    world.work()

    assert [p["trackingNumber"] for p in world.on_amazon(ORDER)["packages"]] == ["T-2"]
    states = OutboxEntry.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["pending", "succeeded"]


def test_a_fulfillment_cancelled_before_it_was_sent_is_not_sent(world: World) -> None:
    order_id, lines = imported(world)
    fulfillment = world.shop.fulfil(
        order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **TRACKED
    )
    world.shop.cancel_fulfillment(fulfillment, warehouse_id=world.warehouse_id)

    world.work_until_quiet(2)

    assert OutboxEntry.objects.get().state == "superseded"
    assert world.sandbox.state.calls("confirmShipment") == []

    world.shop.fulfil(
        order_id,
        lines_of(lines, 1),
        warehouse_id=world.warehouse_id,
        tracking_number="T-3",
    )
    world.work_until_quiet(2)
    assert [p["trackingNumber"] for p in world.on_amazon(ORDER)["packages"]] == ["T-3"]


def test_a_long_outage_is_outlived(world: World) -> None:
    order_id, lines = imported(world)
    world.shop.fulfil(
        order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **TRACKED
    )
    OutboxEntry.objects.update(attempt_count=2000)
    world.sandbox.state.inject_fault("confirmShipment", "unavailable", count=6)

    world.work()
    entry = OutboxEntry.objects.get()
    assert entry.state == "pending"
    assert entry.next_attempt_at - NOW < timedelta(hours=1)
    events = world.ledger_order(ORDER).events.count()

    world.move_clock(timedelta(minutes=20))
    world.work()
    assert OutboxEntry.objects.get().state == "succeeded"
    assert world.ledger_order(ORDER).events.count() == events + 1


def test_a_carriers_name_that_is_too_long_is_cut(world: World) -> None:
    order_id, lines = imported(world)
    world.shop.fulfil(
        order_id,
        lines_of(lines, 1),
        warehouse_id=world.warehouse_id,
        carrier="A carrier whose name goes on " * 4,
        **TRACKED,
    )
    world.work_until_quiet(3)

    [package] = world.on_amazon(ORDER)["packages"]
    assert package["carrier"] == ("A carrier whose name goes on " * 4)[:50].strip()
    with world.shop.writer():
        assert lifecycle.sweep() == 0


def test_one_entry_that_goes_wrong_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sandbox.state.put_orders([wire_order(), wire_order(OTHER)])
    world.work_until_quiet(2)
    for amazon_order_id in (ORDER, OTHER):
        world.shop.fulfil(
            world.ledger_order(amazon_order_id).shop_order_id,
            lines_of(world.line_ids(amazon_order_id), 1),
            warehouse_id=world.warehouse_id,
            **TRACKED,
        )
    send, report = shipments.send, shipments.report

    def but_not_the_first(function: object, *args: object, **kwargs: object) -> object:
        [entry] = [a for a in args if isinstance(a, OutboxEntry)]
        if entry.order.amazon_order_id == ORDER:
            raise RuntimeError("unexpected")
        return function(*args, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(shipments, "send", partial(but_not_the_first, send))
        world.work()
    states = dict(OutboxEntry.objects.values_list("order__amazon_order_id", "state"))
    assert states == {ORDER: "unknown", OTHER: "succeeded"}

    world.move_clock(timedelta(minutes=1))
    with monkeypatch.context() as broken:
        broken.setattr(shipments, "report", partial(but_not_the_first, report))
        world.work()
    assert OutboxEntry.objects.filter(state="succeeded").count() == 2
    assert OutboxEntry.objects.get(reported_at=None).order.amazon_order_id == ORDER

    world.work()
    assert not OutboxEntry.objects.filter(reported_at=None).exists()


def test_one_shipment_that_cannot_be_recorded_keeps_no_other_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, lines = imported(world, wire_item(quantity=2))
    ChannelSettings.objects.update(active=False)
    first = world.shop.fulfil(
        order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **TRACKED
    )
    world.shop.fulfil(
        order_id, lines_of(lines, 1), warehouse_id=world.warehouse_id, **TRACKED
    )
    with world.shop.writer():
        # Nothing is swept, and nothing is lost, while the channel is off.
        assert lifecycle.sweep() == 0
    world.move_clock(timedelta(hours=2))
    ChannelSettings.objects.update(active=True)
    record = lifecycle.record_shipments

    def but_not_the_first(shipments: list[Shipment]) -> int:
        if shipments[0].fulfillment_id == first:
            raise RuntimeError("unexpected")
        return record(shipments)

    with monkeypatch.context() as broken, world.shop.writer():
        broken.setattr(lifecycle, "record_shipments", but_not_the_first)
        assert lifecycle.sweep() == 1
    world.move_clock(timedelta(hours=2))
    with world.shop.writer():
        assert lifecycle.sweep() == 1
    assert AmazonPackage.objects.count() == 2
