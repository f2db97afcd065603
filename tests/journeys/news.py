"""What happens on Amazon after the import happens in the shop, once, and stays there.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from contract.driver import OrderView, StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts, clock, lifecycle
from saleor_amazon_channel.importing import news, reconcile
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    ForeignPackage,
    Marketplace,
    OutboxEntry,
    Reconciliation,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import GERMANY, NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
FIRST, SECOND = "10000000000001", "10000000000002"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World, **changes: object) -> str:
    """Two mugs of one kind and one of another; the order's id in the shop."""
    items = [
        wire_item(FIRST, quantity=2, price="20.00"),
        wire_item(SECOND, "MUG-2", price="7.77"),
    ]
    world.sandbox.state.put_orders([wire_order(items=items, **changes)])
    world.work_until_quiet(2)
    return world.ledger_order(ORDER).shop_order_id or ""


def view(world: World) -> OrderView:
    return world.shop.order(world.ledger_order(ORDER).shop_order_id or "")


def told(order_id: str = ORDER) -> list[str]:
    order = AmazonOrder.objects.get(amazon_order_id=order_id)
    return list(order.events.order_by("id").values_list("type", flat=True))


def check_quiet(world: World, before: OrderView) -> None:
    """Hearing of it again changes nothing, and nothing goes back to Amazon."""
    events.touch(world.sandbox.state, ORDER)
    AmazonOrder.objects.update(follow_at=NOW)
    world.work_until_quiet(3)
    assert view(world) == before
    with world.shop.writer():
        assert lifecycle.sweep() == 0
        assert not news.has_work()
    assert OutboxEntry.objects.count() == 0
    assert world.shop.emails() == []
    assert world.sandbox.state.calls("confirmShipment") == []


def stock_of(world: World, order: OrderView, line: int) -> tuple[int, int]:
    variant = order.lines[line].variant_id
    stock = world.shop.stock(variant, world.warehouse_id)
    return stock.quantity, stock.allocated


# --- what cannot be read -------------------------------------------------------------


def test_staff_are_told_of_news_that_cannot_be_read(world: World) -> None:
    imported(world)
    before = view(world)

    def break_it(order: dict) -> None:
        order["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
        order["orderItems"][0]["fulfillment"]["quantityFulfilled"] = -1

    world.sandbox.state.change_order(ORDER, break_it)
    world.work_until_quiet(3)

    new = view(world).notes[len(before.notes) :]
    assert len(new) == 1
    assert "cannot be followed here" in new[0]
    assert "quantityFulfilled" in new[0]
    assert "Compare it with Seller Central" in new[0]
    assert view(world).status == "unfulfilled"
    world.move_clock(timedelta(hours=24))
    for _ in range(3):
        world.work()
        world.move_clock(timedelta(minutes=10))
    row = Reconciliation.objects.latest("pk")
    assert not reconcile.is_clean(row)
    assert row.unread == [ORDER]
    assert reconcile.in_words(row) == (
        "1 there, 1 here, 0 missing, 0 double, 1 could not be read."
    )
    assert view(world).notes[len(before.notes) :] == new


# --- units cancelled -----------------------------------------------------------------


def test_a_line_cancelled_on_amazon_goes_and_its_stock_is_free(world: World) -> None:
    imported(world)
    before = view(world)

    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])
    world.work_until_quiet(2)

    after = view(world)
    assert [(line.sku, line.quantity) for line in after.lines] == [("MUG-1", 2)]
    assert after.total.gross == after.undiscounted_total.gross == Decimal("20.00")
    assert [each.charged for each in after.transactions] == [Decimal("20.00")]
    assert after.status == "unfulfilled"
    assert stock_of(world, before, 0) == (1000, 2)
    assert stock_of(world, before, 1) == (1000, 0)
    assert after.notes == (
        "1 of its units was cancelled on Amazon. Here it is now 20.00 EUR instead of "
        "27.77.",
    )
    assert "revised" in told()
    check_quiet(world, after)


def cancel_units(world: World, count: int) -> None:
    """Amazon cancels some units of an item and lowers what it costs."""

    def change(order: dict) -> None:
        item = order["orderItems"][0]
        item["cancellation"] = {
            "cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "x"}
        }
        item["fulfillment"]["quantityUnfulfilled"] -= count
        for money in (
            item["proceeds"]["proceedsTotal"],
            item["proceeds"]["breakdowns"][0]["subtotal"],
        ):
            money["amount"] = str(Decimal(money["amount"]) - 10 * count)
        for money in (
            order["proceeds"]["grandTotal"],
            order["proceeds"]["breakdowns"][0]["subtotal"],
        ):
            money["amount"] = str(Decimal(money["amount"]) - 10 * count)

    world.sandbox.state.change_order(ORDER, change)


def test_one_of_two_units_cancelled_lowers_the_line(world: World) -> None:
    imported(world)

    cancel_units(world, 1)
    world.work_until_quiet(2)

    after = view(world)
    assert [(line.sku, line.quantity) for line in after.lines] == [
        ("MUG-1", 1),
        ("MUG-2", 1),
    ]
    assert after.total.gross == Decimal("17.77")
    assert after.lines[0].total.gross == Decimal("10.00")
    assert stock_of(world, after, 0) == (1000, 1)
    check_quiet(world, after)


def test_what_is_left_after_a_cancellation_can_be_shipped(world: World) -> None:
    order_id = imported(world)
    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])
    world.work_until_quiet(2)

    world.shop.fulfil(
        order_id,
        {world.line_ids(ORDER)[FIRST]: 2},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(2)

    assert view(world).status == "fulfilled"
    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"


def test_a_cancelled_unit_that_staff_have_shipped_is_theirs_to_get_back(
    world: World,
) -> None:
    order_id = imported(world)
    world.shop.fulfil(
        order_id,
        {world.line_ids(ORDER)[SECOND]: 1},
        warehouse_id=world.warehouse_id,
    )
    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])
    for _ in range(3):
        world.work()
        world.move_clock(timedelta(minutes=5))

    after = view(world)
    assert [line.quantity for line in after.lines] == [2, 1]
    assert after.total.gross == Decimal("27.77")
    assert [note for note in after.notes if "cannot be followed" in note] == [
        "1 of its units was cancelled on Amazon, which cannot be followed here: 1 of "
        "the cancelled units are fulfilled, or wait for approval. Compare the order "
        "with Seller Central and correct it by hand."
    ]
    assert told().count("cannot_follow") == 1


def test_figures_that_do_not_add_up_change_nothing_and_are_said_once(
    world: World,
) -> None:
    imported(world)
    before = view(world)

    def change(order: dict) -> None:
        order["proceeds"]["grandTotal"]["amount"] = "1.00"

    world.sandbox.state.change_order(ORDER, change)
    world.work_until_quiet(2)
    events.touch(world.sandbox.state, ORDER)
    AmazonOrder.objects.update(follow_at=NOW)
    world.work_until_quiet(2)

    after = view(world)
    assert (after.total, after.lines) == (before.total, before.lines)
    assert told().count("cannot_follow") == 1
    assert len(after.notes) == 1


# --- shipped in Seller Central -------------------------------------------------------


def test_shipped_in_seller_central_is_fulfilled_here_with_its_tracking(
    world: World,
) -> None:
    imported(world)
    events.ship(
        world.sandbox.state, ORDER, quantities={FIRST: 1}, tracking_number="SC-1"
    )
    world.work_until_quiet(2)

    partly = view(world)
    assert partly.status == "partially fulfilled"
    lines = world.line_ids(ORDER)
    [package] = partly.fulfillments
    assert (package.status, package.tracking_number) == ("fulfilled", "SC-1")
    assert package.lines == {lines[FIRST]: 1}
    assert package.metadata["amazon.carrier"] == "UPS"
    assert stock_of(world, partly, 0) == (999, 1)

    events.ship(world.sandbox.state, ORDER, tracking_number="SC-2")
    world.work_until_quiet(2)

    after = view(world)
    assert after.status == "fulfilled"
    assert [p.tracking_number for p in after.fulfillments] == ["SC-1", "SC-2"]
    assert stock_of(world, after, 0) == (998, 0)
    assert stock_of(world, after, 1) == (999, 0)
    assert ForeignPackage.objects.count() == 2
    check_quiet(world, after)


def test_with_approval_it_is_fulfilled_all_the_same(world: World) -> None:
    imported(world)
    world.shop.require_approval()
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    after = view(world)
    assert (after.status, after.fulfillments[0].status) == ("fulfilled", "fulfilled")
    check_quiet(world, after)


def test_without_stock_in_the_shop_the_units_have_left_all_the_same(
    world: World,
) -> None:
    imported(world)
    variant = view(world).lines[0].variant_id
    world.shop.set_stock(variant, world.warehouse_id, 1)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    assert view(world).status == "fulfilled"


def test_a_tracking_corrected_in_seller_central_follows(world: World) -> None:
    imported(world)
    events.ship(
        world.sandbox.state, ORDER, package_reference_id="77", tracking_number="SC-1"
    )
    world.work_until_quiet(2)

    def change(order: dict) -> None:
        order["packages"][0]["trackingNumber"] = "SC-9"

    world.sandbox.state.change_order(ORDER, change)
    world.work_until_quiet(2)

    after = view(world)
    assert [p.tracking_number for p in after.fulfillments] == ["SC-9"]
    check_quiet(world, after)


def test_shipped_on_both_sides_is_one_shipment(world: World) -> None:
    order_id = imported(world)
    lines = world.line_ids(ORDER)
    events.ship(world.sandbox.state, ORDER, tracking_number="SC-1")
    # Staff have not heard of it and ship the same units.
    world.shop.fulfil(
        order_id,
        {lines[FIRST]: 2, lines[SECOND]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(4)

    after = view(world)
    assert after.status == "fulfilled"
    assert [p.tracking_number for p in after.fulfillments] == ["T-1"]
    assert stock_of(world, after, 0) == (998, 0)
    assert [p["trackingNumber"] for p in world.on_amazon(ORDER)["packages"]] == ["SC-1"]


def test_what_was_shipped_in_part_on_both_sides_is_said_in_words(world: World) -> None:
    """Found by the hostile month: Amazon only says that the quantity is invalid."""
    order_id = imported(world)
    events.ship(world.sandbox.state, ORDER, quantities={FIRST: 1})
    lines = world.line_ids(ORDER)
    world.shop.fulfil(
        order_id,
        {lines[FIRST]: 2, lines[SECOND]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="TR-1",
    )
    world.work_until_quiet()

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("failed", "SHIPPED_ALREADY")
    message = (
        "Package 1001 is not confirmed: Amazon has units of it in another package "
        "already. Compare the packages with Seller Central: the units may have been "
        "sent twice."
    )
    assert entry.error_message == message
    assert message in view(world).notes


def test_our_own_confirmation_is_no_news(world: World) -> None:
    order_id = imported(world)
    lines = world.line_ids(ORDER)
    fulfillment = world.shop.fulfil(
        order_id,
        {lines[FIRST]: 2, lines[SECOND]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(3)
    assert len(view(world).fulfillments) == 1

    # Nor is it made up for when staff take it back afterwards.
    world.shop.cancel_fulfillment(fulfillment, warehouse_id=world.warehouse_id)
    events.touch(world.sandbox.state, ORDER)
    AmazonOrder.objects.update(follow_at=NOW)
    world.work_until_quiet(2)
    assert [p.status for p in view(world).fulfillments] == ["canceled"]
    assert ForeignPackage.objects.count() == 0


def test_units_shipped_before_the_import_are_not_fulfilled_again(world: World) -> None:
    items = [wire_item(FIRST, quantity=3, price="30.00")]
    world.sandbox.state.put_orders([wire_order(items=items)])
    events.ship(
        world.sandbox.state, ORDER, quantities={FIRST: 1}, tracking_number="SC-1"
    )
    world.work_until_quiet(2)
    [before] = view(world).fulfillments
    assert before.tracking_number == "SC-1"

    world.move_clock(timedelta(minutes=5))
    events.ship(
        world.sandbox.state, ORDER, quantities={FIRST: 1}, tracking_number="SC-2"
    )
    world.work_until_quiet(2)

    after = view(world)
    assert [sum(p.lines.values()) for p in after.fulfillments] == [1, 1]
    assert after.fulfillments[1].tracking_number == "SC-2"
    check_quiet(world, after)


# --- the address ---------------------------------------------------------------------


def test_an_address_corrected_on_amazon_follows(world: World) -> None:
    imported(world)
    events.change_address(
        world.sandbox.state, ORDER, fields={"addressLine1": "Neue Str. 7"}
    )
    world.work_until_quiet(2)

    after = view(world)
    assert after.shipping_address is not None
    assert after.shipping_address.street_address_1 == "Neue Str. 7"
    assert after.billing_address is not None
    assert after.billing_address.street_address_1 == "Neue Str. 7"
    assert world.ledger_order(ORDER).superseded_recipient == {}
    check_quiet(world, after)


def test_an_address_changed_after_shipping_is_only_said(world: World) -> None:
    imported(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    before = view(world)
    events.change_address(
        world.sandbox.state, ORDER, fields={"addressLine1": "Neue Str. 7"}
    )
    world.work_until_quiet(2)

    assert view(world).shipping_address == before.shipping_address
    assert "address_changed_too_late" in told()


# --- the buyer's wish, replacements --------------------------------------------------


def test_the_buyers_wish_to_cancel_is_said_once_and_nothing_happens(
    world: World,
) -> None:
    imported(world)
    events.request_cancellation(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    after = view(world)
    assert after.status == "unfulfilled"
    assert world.ledger_order(ORDER).is_cancellation_requested
    assert len(after.notes) == 1
    assert "nothing happens by itself" in after.notes[0]
    check_quiet(world, after)

    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    assert not world.ledger_order(ORDER).is_cancellation_requested


def test_the_buyers_wish_before_the_import_is_said_on_the_order(world: World) -> None:
    world.sandbox.state.put_orders([wire_order()])
    events.request_cancellation(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    assert any("nothing happens by itself" in note for note in view(world).notes)


def test_a_replacement_is_linked_to_its_original(world: World) -> None:
    imported(world)
    replacement = wire_order(OTHER, updated=clock.now())
    replacement["associatedOrders"] = [
        {"orderId": ORDER, "associationType": "REPLACEMENT_ORIGINAL_ID"}
    ]
    world.sandbox.state.put_orders([replacement])
    world.work_until_quiet(3)

    assert world.ledger_order(OTHER).replacement_of == ORDER
    assert view(world).notes == (
        f"Order {OTHER} on Amazon replaces this one, or items of it.",
    )
    other = world.shop.order(world.ledger_order(OTHER).shop_order_id or "")
    assert other.metadata["amazon.replacementOf"] == ORDER


# --- late, repeated, failing ---------------------------------------------------------


def test_older_news_that_comes_late_changes_nothing(world: World) -> None:
    imported(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    after = view(world)

    world.sandbox.state.inject_fault("searchOrders", "stale", count=2)
    events.touch(world.sandbox.state, ORDER)
    world.work_until_quiet(3)

    assert view(world) == after
    assert world.ledger_order(ORDER).fulfillment_status == "SHIPPED"


@pytest.mark.parametrize(("before", "after"), [(1, 15), (15, 25)])
def test_a_change_that_a_scan_showed_as_it_was_before_is_seen_by_the_next(
    world: World, before: int, after: int
) -> None:
    """Also where that scan came late: workers were busy, or Amazon throttled it."""
    ChannelSettings.objects.update(pull_interval_minutes=15)
    world.sandbox.state.put_orders([wire_order(status="PENDING")])
    world.work()
    world.move_clock(timedelta(minutes=before))
    events.release(world.sandbox.state, ORDER)
    world.sandbox.state.inject_fault("searchOrders", "stale")

    world.move_clock(timedelta(minutes=after))
    world.work()
    assert world.ledger_order(ORDER).fulfillment_status == "PENDING"
    world.move_clock(timedelta(minutes=15))
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"


def test_news_that_fails_is_tried_again_and_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world)
    world.sandbox.state.put_orders([wire_order(OTHER, updated=clock.now())])
    world.work_until_quiet(2)
    events.ship(world.sandbox.state, ORDER)
    events.ship(world.sandbox.state, OTHER)
    original = type(world.store).fulfil_order

    def failing(self: Store, order_id: str, package: object) -> object:
        if order_id == world.ledger_order(ORDER).shop_order_id:
            raise RuntimeError("no")
        return original(self, order_id, package)

    monkeypatch.setattr(type(world.store), "fulfil_order", failing)
    world.work_until_quiet(2)
    other = world.shop.order(world.ledger_order(OTHER).shop_order_id or "")
    assert other.status == "fulfilled"
    assert view(world).status == "unfulfilled"
    assert ForeignPackage.objects.count() == 1

    monkeypatch.undo()
    world.work_until_quiet(2)
    assert view(world).status == "fulfilled"


def test_f1_from_the_purchase_to_the_end(world: World) -> None:
    marketplace = Marketplace.objects.get(marketplace_id=GERMANY)
    with world.shop.writer():
        accounts.update_marketplace(
            marketplace, accounts.MarketplaceChanges(customer_creation="account")
        )
    world.sandbox.state.put_orders([wire_order(status="PENDING")])
    world.work_until_quiet(2)
    assert world.ledger_order(ORDER).import_state == "waiting"
    assert world.shop.order_count() == 0

    events.release(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    order = view(world)
    assert (order.status, world.shop.order_count()) == ("unfulfilled", 1)
    assert order.customer is not None
    assert (order.customer.first_name, order.customer.order_count) == ("Änne", 1)
    assert stock_of(world, order, 0) == (1000, 1)

    world.shop.fulfil(
        order.order_id,
        {world.line_ids(ORDER)[FIRST]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(3)

    on_amazon = world.on_amazon(ORDER)
    assert on_amazon["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert [p["trackingNumber"] for p in on_amazon["packages"]] == ["T-1"]
    assert view(world).status == "fulfilled"
    assert stock_of(world, order, 0) == (999, 0)
    assert world.ledger_order(ORDER).fulfillment_status == "SHIPPED"
    # Amazon mails the buyer; the shop does not.
    assert world.shop.emails() == []


def test_f2_an_order_that_amazon_fulfils_touches_no_stock_ever(world: World) -> None:
    items = [wire_item(FIRST, quantity=2, price="20.00")]
    order = wire_order(status="UNSHIPPED", fulfilled_by="AMAZON", items=items)
    world.sandbox.state.put_orders([order])
    world.work_until_quiet(2)
    assert world.shop.order_count() == 0

    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    after = view(world)
    assert after.status == "fulfilled"
    assert stock_of(world, after, 0) == (1000, 0)
    check_quiet(world, after)
    assert stock_of(world, after, 0) == (1000, 0)
