"""The order settings, the table of what is imported, and the schedule.

The letters are rows of what the product must do; ``world`` is ``main_path``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from journeys.main_path import ORDER, OTHER
from journeys.world import World
from saleor_amazon_channel import accounts, clock, lifecycle
from saleor_amazon_channel.accounts import MarketplaceChanges
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    OutboxEntry,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Channel
from wire_orders import FRANCE, GERMANY, NOW, wire_item, wire_order

THIRD = "111-0000001-0000003"


def change(world: World, marketplace_id: str = GERMANY, **changes: Any) -> Marketplace:
    """What a store admin changes in a marketplace's settings."""
    row = Marketplace.objects.get(marketplace_id=marketplace_id)
    with world.shop.writer():
        return accounts.update_marketplace(row, MarketplaceChanges(**changes))


def mapped_to(channel: Channel) -> dict[str, Any]:
    return {
        "channel": channel.slug,
        "warehouse_ids": [channel.warehouses[0].id],
        "shipping_method_id": channel.shipping_methods[0].id,
    }


def shop_order(world: World, amazon_order_id: str = ORDER) -> Any:
    return world.shop.order(world.ledger_order(amazon_order_id).shop_order_id)


def come_in(world: World, *orders: dict[str, Any]) -> None:
    """Amazon has these orders since a moment ago, and workers come round."""
    moment = (clock.now() - timedelta(minutes=3)).isoformat()
    world.sandbox.state.put_orders(
        [{**order, "lastUpdatedTime": moment} for order in orders]
    )
    world.work_until_quiet(2)


# --- A5: the schedule ----------------------------------------------------------------


def test_a5_orders_are_pulled_at_the_interval_that_is_set(world: World) -> None:
    def pulls() -> int:
        return len(world.sandbox.state.calls("searchOrders"))

    ChannelSettings.objects.update(pull_interval_minutes=10)
    world.work()
    assert pulls() == 1

    world.move_clock(timedelta(minutes=9, seconds=59))
    world.work()
    assert pulls() == 1
    world.move_clock(timedelta(seconds=1))
    world.work()
    assert pulls() == 2


def test_a5_work_on_an_order_reaches_amazon_by_the_scheduled_tasks(
    world: World,
) -> None:
    come_in(world, wire_order())
    order, lines = world.ledger_order(ORDER), world.line_ids(ORDER)
    world.shop.fulfil(
        order.shop_order_id,
        {lines["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    assert world.sandbox.state.calls("confirmShipment") == []

    world.work()

    [package] = world.on_amazon(ORDER)["packages"]
    assert package["trackingNumber"] == "T-1"
    assert OutboxEntry.objects.get().state == "succeeded"


# --- B1: import or not ---------------------------------------------------------------


def test_b1_orders_wait_while_the_import_is_off_and_come_when_it_is_on(
    world: World,
) -> None:
    change(world, import_orders=False)
    # The other settings may be chosen meanwhile.
    change(world, order_number_source="amazon")
    come_in(world, wire_order())
    order = world.ledger_order(ORDER)
    assert (order.import_state, order.note) == (
        "waiting",
        "Import Amazon Orders is off for this marketplace.",
    )
    assert world.shop.order_count() == 0

    change(world, import_orders=True)
    world.work()

    order = world.ledger_order(ORDER)
    assert (order.import_state, order.printed_number) == ("imported", ORDER)
    change(world, import_orders=False)
    world.work()
    assert world.ledger_order(ORDER).import_state == "imported"


def test_b1_while_the_import_is_off_orders_are_shown_and_worked_in_seller_central(
    world: World,
) -> None:
    change(world, import_orders=False)
    come_in(world, wire_order())
    url = f"https://sellercentral.amazon.de/orders-v3/order/{ORDER}"
    with pytest.raises(lifecycle.Refused) as refused, world.shop.writer():
        lifecycle.request_cancellation(ORDER, CancelReason.NO_INVENTORY)
    assert str(refused.value) == (
        f"Order {ORDER} is of a marketplace whose orders are not imported; work it in "
        f"Seller Central: {url}"
    )
    assert OutboxEntry.objects.count() == 0

    # What is done there is shown here.
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    order = world.ledger_order(ORDER)
    assert (order.import_state, order.fulfillment_status) == ("waiting", "SHIPPED")
    assert order.shop_order_id is None
    assert world.shop.order_count() == 0

    # An order that was imported before is worked here as ever.
    change(world, import_orders=True)
    come_in(world, wire_order(OTHER))
    change(world, import_orders=False)
    with world.shop.writer():
        lifecycle.request_cancellation(OTHER, CancelReason.NO_INVENTORY)
    world.work_until_quiet(4)
    assert shop_order(world, OTHER).status == "canceled"


# --- B2: into which channel ----------------------------------------------------------


def test_b2_a_change_of_channel_holds_for_what_comes_next(world: World) -> None:
    come_in(world, wire_order())
    with world.shop.writer():
        other = world.shop.create_channel("amazon-new", "EUR", country="DE")
        world.shop.create_variant(
            "MUG-9", [other.id], stock={other.warehouses[0].id: 5}
        )
    change(world, **mapped_to(other))
    come_in(world, wire_order(OTHER, items=[wire_item(sku="MUG-9")]))

    assert shop_order(world).channel_id == world.channel.id
    assert shop_order(world, OTHER).channel_id == other.id


def test_b2_a_change_of_warehouse_lets_a_blocked_order_in(world: World) -> None:
    with world.shop.writer():
        channel = world.shop.create_channel(
            "two", "EUR", country="DE", warehouses=("empty", "full")
        )
        empty, full = (warehouse.id for warehouse in channel.warehouses)
        world.shop.create_variant("MUG-9", [channel.id], stock={empty: 0, full: 5})
    change(world, **mapped_to(channel))
    world.sandbox.state.put_orders([wire_order(items=[wire_item(sku="MUG-9")])])
    world.work()
    assert [b["code"] for b in world.ledger_order(ORDER).blockers] == ["out_of_stock"]

    change(world, warehouse_ids=[empty, full])
    # Not when its turn comes again, but at once.
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"


def test_b2_two_marketplaces_may_share_a_channel(world: World) -> None:
    change(world, FRANCE, **mapped_to(world.channel))
    come_in(world, wire_order(), wire_order(OTHER, marketplace_id=FRANCE))

    assert len(world.sandbox.state.calls("searchOrders")) == 2  # One scan a round.
    for amazon_order_id in (ORDER, OTHER):
        assert shop_order(world, amazon_order_id).channel_id == world.channel.id


# --- B3: guest or customer account ---------------------------------------------------


def test_b3_by_default_orders_are_guests(world: World) -> None:
    before = world.shop.customer_count()
    come_in(world, wire_order())

    assert shop_order(world).customer is None
    assert world.shop.customer_count() == before


def test_b3_a_buyer_gets_one_account_that_nobody_can_write_to(world: World) -> None:
    before = world.shop.customer_count()
    change(world, customer_creation="account")
    another = wire_order(THIRD)
    another["buyer"]["buyerEmail"] = "x2@marketplace.amazon.de"
    again = wire_order(OTHER)
    again["buyer"]["buyerEmail"] = "X1@marketplace.amazon.de"
    come_in(world, wire_order(), again, another)

    first, second, third = (
        shop_order(world, amazon_order_id) for amazon_order_id in (ORDER, OTHER, THIRD)
    )
    assert world.shop.customer_count() == before + 2
    assert first.customer == second.customer
    assert first.customer.customer_id != third.customer.customer_id
    name, _, domain = first.customer.email.partition("@")
    assert (len(name), domain) == (32, "amazon.invalid")
    assert (first.customer.first_name, first.customer.last_name) == ("Änne", "Müller")
    assert (first.customer.order_count, third.customer.order_count) == (2, 1)
    assert {order.customer_email for order in (first, second, third)} == {""}
    assert world.shop.emails() == []


def test_b3_an_fba_buyer_is_known_by_name_and_address_or_a_guest(
    world: World,
) -> None:
    change(world, customer_creation="account")
    orders = [
        wire_order(
            amazon_order_id,
            status="SHIPPED",
            fulfilled_by="AMAZON",
            items=[wire_item(shipped=1)],
        )
        for amazon_order_id in (ORDER, OTHER, THIRD)
    ]
    for order in orders:
        del order["buyer"]["buyerEmail"]
    orders[1]["recipient"]["deliveryAddress"]["name"] = "ÄNNE  MÜLLER"
    del orders[2]["recipient"]
    come_in(world, *orders)

    first, second, third = (
        shop_order(world, amazon_order_id).customer
        for amazon_order_id in (ORDER, OTHER, THIRD)
    )
    assert first == second is not None
    assert third is None


# --- B4: the number that is printed --------------------------------------------------


def test_b4_documents_print_the_shops_number_or_amazons(world: World) -> None:
    come_in(world, wire_order())
    change(world, order_number_source="amazon")
    come_in(world, wire_order(OTHER))

    ours, amazons = shop_order(world), shop_order(world, OTHER)
    assert ours.metadata["amazon.printedNumber"] == ours.number
    assert world.ledger_order(ORDER).printed_number == ours.number
    assert amazons.metadata["amazon.printedNumber"] == OTHER
    assert world.ledger_order(OTHER).printed_number == OTHER
    # The other number is there too.
    assert ours.external_reference == ORDER
    assert world.ledger_order(OTHER).shop_order_number == amazons.number


# --- B5: the status of imported orders -----------------------------------------------


def test_b5_orders_arrive_unfulfilled_or_wait_to_be_confirmed(world: World) -> None:
    come_in(world, wire_order())
    assert shop_order(world).status == "unfulfilled"

    change(world, initial_status="unconfirmed")
    come_in(
        world,
        wire_order(OTHER, items=[wire_item(quantity=3)]),
        wire_order(
            THIRD,
            status="SHIPPED",
            fulfilled_by="AMAZON",
            items=[wire_item(shipped=1)],
        ),
    )

    before = shop_order(world, OTHER)
    assert before.status == "unconfirmed"
    assert before.lines[0].allocations == {world.warehouse_id: 3}
    assert shop_order(world, THIRD).status == "fulfilled"

    world.shop.confirm(before.order_id)

    assert shop_order(world, OTHER) == replace(before, status="unfulfilled")
    assert world.shop.emails() == []
    lines = world.line_ids(OTHER)
    world.shop.fulfil(
        before.order_id,
        {lines["10000000000001"]: 3},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(2)
    assert [p["trackingNumber"] for p in world.on_amazon(OTHER)["packages"]] == ["T-1"]


def test_b5_an_unconfirmed_order_that_amazon_cancels_is_cancelled(
    world: World,
) -> None:
    change(world, initial_status="unconfirmed")
    come_in(world, wire_order())

    events.cancel(world.sandbox.state, ORDER)
    world.work_until_quiet(2)

    assert shop_order(world).status == "canceled"
    variant_id = shop_order(world).lines[0].variant_id
    assert world.shop.stock(variant_id, world.warehouse_id).allocated == 0
    assert world.shop.emails() == []


# --- B6, B7: which orders, and when --------------------------------------------------


def test_b6_no_setting_brings_in_what_is_older_than_the_connection(
    world: World,
) -> None:
    come_in(world, wire_order(created=NOW - timedelta(days=31)))

    change(world, import_orders=False)
    change(world, import_orders=True, customer_creation="account")
    world.work_until_quiet(2)

    order = world.ledger_order(ORDER)
    assert order.import_state == "waiting"
    assert order.note.startswith("The order was created before orders are imported")
    assert world.shop.order_count() == 0


def test_b6_what_was_shipped_before_connecting_takes_nothing_from_stock(
    world: World,
) -> None:
    before = wire_order(status="SHIPPED", items=[wire_item(quantity=3, shipped=3)])
    partly = wire_order(
        OTHER,
        status="PARTIALLY_SHIPPED",
        items=[wire_item(quantity=3, shipped=1)],
    )
    after = wire_order(
        THIRD,
        status="SHIPPED",
        created=NOW + timedelta(minutes=1),
        items=[wire_item(quantity=5, shipped=5)],
    )
    world.move_clock(timedelta(minutes=10))
    come_in(world, before, partly, after)

    statuses = [shop_order(world, each).status for each in (ORDER, OTHER, THIRD)]
    assert statuses == ["fulfilled", "partially fulfilled", "fulfilled"]
    variant_id = shop_order(world).lines[0].variant_id
    shelf = world.shop.stock(variant_id, world.warehouse_id)
    assert (shelf.quantity, shelf.allocated) == (1000 - 5, 2)


def test_b7_an_order_comes_when_its_status_turns(world: World) -> None:
    come_in(
        world,
        wire_order(status="PENDING"),
        wire_order(OTHER, status="PENDING", fulfilled_by="AMAZON"),
    )
    assert world.shop.order_count() == 0

    for amazon_order_id in (ORDER, OTHER):
        events.release(world.sandbox.state, amazon_order_id)
    world.work_until_quiet(2)
    assert world.ledger_order(ORDER).import_state == "imported"
    assert world.ledger_order(OTHER).import_state == "waiting"

    events.ship(world.sandbox.state, OTHER)
    world.work_until_quiet(2)
    assert shop_order(world, OTHER).status == "fulfilled"


# --- The table: which orders become shop orders, and which reserve stock -------------

_NEVER = ("PENDING", "PENDING_AVAILABILITY", "CANCELLED", "UNFULFILLABLE")
#: Of the three units that are ordered.
_SHIPPED = {"PARTIALLY_SHIPPED": 1, "SHIPPED": 3}


def table() -> Iterator[tuple[str, str, str, str, int]]:
    """(fulfilled by, Amazon's status, stock, the order's status or why there is none,
    units reserved), as Adobe's table has it but for its two flaws: Amazon-fulfilled
    orders need no stock, and units that have been shipped are not reserved."""
    for stock in ("in stock", "not tracked", "out of stock"):
        for status in (*_NEVER, "UNSHIPPED", "PARTIALLY_SHIPPED"):
            yield "AMAZON", status, stock, "", 0
        yield "AMAZON", "SHIPPED", stock, "fulfilled", 0
        for status in _NEVER:
            yield "MERCHANT", status, stock, "", 0
    for stock in ("in stock", "not tracked"):
        is_tracked = stock == "in stock"
        yield "MERCHANT", "UNSHIPPED", stock, "unfulfilled", 3 * is_tracked
        yield (
            "MERCHANT",
            "PARTIALLY_SHIPPED",
            stock,
            "partially fulfilled",
            (2 * is_tracked),
        )
        yield "MERCHANT", "SHIPPED", stock, "fulfilled", 0
    for status in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
        yield "MERCHANT", status, "out of stock", "out_of_stock", 0
    # All of it has left: nothing is to be reserved, so nothing is lacking.
    yield "MERCHANT", "SHIPPED", "out of stock", "fulfilled", 0


@pytest.mark.parametrize(
    ("fulfilled_by", "status", "stock", "becomes", "reserved"), list(table())
)
def test_b7_which_orders_become_shop_orders_and_reserve_stock(
    world: World,
    fulfilled_by: str,
    status: str,
    stock: str,
    becomes: str,
    reserved: int,
) -> None:
    with world.shop.writer():
        variant_id = world.shop.create_variant(
            "CUP",
            [world.channel.id],
            stock={world.warehouse_id: 0 if stock == "out of stock" else 10},
            tracks_inventory=stock != "not tracked",
        )
    item = wire_item(sku="CUP", quantity=3, shipped=_SHIPPED.get(status, 0))
    come_in(world, wire_order(status=status, fulfilled_by=fulfilled_by, items=[item]))

    order = AmazonOrder.objects.get()
    if becomes in ("", "out_of_stock"):
        assert world.shop.order_count() == 0
        assert [blocker["code"] for blocker in order.blockers] == [
            code for code in [becomes] if code
        ]
    else:
        assert order.import_state == "imported", order.note
        assert shop_order(world).status == becomes
    shelf = world.shop.stock(variant_id, world.warehouse_id)
    assert shelf.allocated == reserved
    if becomes == "out_of_stock":
        # It is tried again, until stock has arrived.
        world.shop.set_stock(variant_id, world.warehouse_id, 10)
        world.work_until_quiet(2)
        assert shop_order(world).lines[0].allocations == {
            world.warehouse_id: 3 - _SHIPPED.get(status, 0)
        }
    if fulfilled_by == "AMAZON":
        assert shelf.quantity == (0 if stock == "out of stock" else 10)
