"""Refunds made on Amazon are on the shop's orders, once, on the right lines.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.driver import OrderView, RefundView, StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import clock, lifecycle, status
from saleor_amazon_channel.importing import finances, refunds
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonRefund,
    ChannelSettings,
    OutboxEntry,
    SkuMapping,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
FIRST, SECOND = "10000000000001", "10000000000002"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def with_parts(item: dict[str, Any], **parts: str) -> dict[str, Any]:
    """Parts of its proceeds besides the price, such as ``SHIPPING``."""
    proceeds = item["proceeds"]
    total = Decimal(proceeds["proceedsTotal"]["amount"])
    for kind, amount in parts.items():
        money = {"amount": amount, "currencyCode": "EUR"}
        proceeds["breakdowns"].append({"type": kind, "subtotal": money})
        total += Decimal(amount)
    proceeds["proceedsTotal"] = {"amount": str(total), "currencyCode": "EUR"}
    return item


def put(world: World, order_id: str = ORDER, **changes: Any) -> None:
    """On Amazon: two mugs for 20.00 with 4.99 for shipping, and another for 7.77."""
    items = [
        with_parts(wire_item(FIRST, quantity=2, price="20.00"), SHIPPING="4.99"),
        wire_item(SECOND, "MUG-2", price="7.77"),
    ]
    order = wire_order(order_id, items=items, **changes)
    shipping = {"amount": "4.99", "currencyCode": "EUR"}
    order["proceeds"]["breakdowns"] = [
        {"type": "ITEM", "subtotal": {"amount": "27.77", "currencyCode": "EUR"}},
        {"type": "SHIPPING", "subtotal": shipping},
    ]
    world.sandbox.state.put_orders([order])


def shipped(world: World, **changes: Any) -> str:
    """The order of ``put``, imported and shipped; its id in the shop."""
    put(world, **changes)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    return world.ledger_order(ORDER).shop_order_id or ""


def refund(world: World, order_id: str = ORDER, **options: Any) -> dict[str, Any]:
    """In Seller Central."""
    return on_amazon.refund(world.sandbox.state, order_id, **options)


def hear(world: World) -> None:
    """The next scan of the refunds, and what comes of it."""
    for _ in range(7):
        world.move_clock(timedelta(minutes=5))
        world.work()


def view(world: World, order_id: str = ORDER) -> OrderView:
    return world.shop.order(world.ledger_order(order_id).shop_order_id or "")


def money(world: World, order_id: str = ORDER) -> tuple[str, str]:
    """What is charged and refunded."""
    [item] = view(world, order_id).transactions
    return f"{item.charged:.2f}", f"{item.refunded:.2f}"


def shown(world: World) -> list[RefundView]:
    return list(view(world).refunds)


def told(world: World, order_id: str = ORDER) -> list[str]:
    order = AmazonOrder.objects.get(amazon_order_id=order_id)
    types = order.events.order_by("id").values_list("type", flat=True)
    return [each for each in types if "refund" in each]


def check_quiet(world: World) -> None:
    """Hearing of it again changes nothing, and nothing goes to Amazon."""
    before = view(world)
    AmazonRefund.objects.exclude(state="waiting").update(carry_at=clock.now())
    hear(world)
    assert view(world) == before
    with world.shop.writer():
        assert lifecycle.sweep() == 0
        assert not refunds.has_work()
    assert OutboxEntry.objects.count() == 0
    assert world.shop.emails() == []
    for operation in ("createFeed", "confirmShipment"):
        assert world.sandbox.state.calls(operation) == []


def test_f4_an_order_refunded_on_amazon_is_refunded_here(world: World) -> None:
    shipped(world)
    before = view(world)
    posted = refund(world)
    hear(world)

    after = view(world)
    lines = world.line_ids(ORDER)
    assert money(world) == ("0.00", "32.76")
    assert (after.total, after.status) == (before.total, "fulfilled")
    assert after.lines == before.lines
    [given] = after.refunds
    assert given.psp_reference == posted["transactionId"]
    assert given.amount == Decimal("32.76")
    assert given.lines == {lines[FIRST]: 2, lines[SECOND]: 1}
    assert given.is_shipping_included
    words = "A mug (MUG-2): price 7.77. A mug (MUG-1): price 20.00, shipping 4.99."
    assert given.reason == f"Refunded on Amazon. {words}"
    assert given.line_reasons[lines[FIRST]] == (
        "Refunded on Amazon: price 20.00, shipping 4.99"
    )
    message = f"32.76 EUR were refunded on Amazon on 2026-11-20. {words}"
    assert message in after.notes
    assert told(world) == ["refunded_on_amazon"]
    order = world.ledger_order(ORDER)
    assert order.note == message
    row = AmazonRefund.objects.get()
    assert (row.state, row.amount_in_shop, row.carry_at) == (
        "recorded",
        Decimal("32.76"),
        None,
    )
    check_quiet(world)


def test_a_part_is_on_its_line_and_counts_whole_units_only(world: World) -> None:
    shipped(world)
    line = world.line_ids(ORDER)[FIRST]
    for amount in ("10.00", "4.00", "6.00"):
        refund(world, items={FIRST: {"Principal": amount}})
        hear(world)

    given = shown(world)
    assert [each.amount for each in given] == [Decimal(10), Decimal(4), Decimal(6)]
    # One whole mug, a part of the other, and the rest of it.
    assert [each.lines for each in given] == [{line: 1}, {line: 0}, {line: 1}]
    assert money(world) == ("12.76", "20.00")
    check_quiet(world)


def test_only_the_shipping(world: World) -> None:
    shipped(world)
    refund(world, items={FIRST: {"Shipping": "2.00"}})
    hear(world)
    refund(world, items={FIRST: {"Shipping": "2.99"}})
    hear(world)

    given = shown(world)
    assert [each.lines for each in given] == [{}, {}]
    assert [each.is_shipping_included for each in given] == [False, True]
    assert given[1].reason == "Refunded on Amazon. A mug (MUG-1): shipping 2.99."
    assert money(world) == ("27.77", "4.99")
    check_quiet(world)


def test_tax_that_amazon_posts_beside_the_price_is_of_the_same_line(
    world: World,
) -> None:
    shipped(world)
    refund(world, items={FIRST: {"Principal": "10.00"}}, vat_rate="0.19")
    hear(world)

    [given] = shown(world)
    assert given.amount == Decimal("10.00")
    assert given.lines == {world.line_ids(ORDER)[FIRST]: 1}
    assert "tax 1.60, price 8.40" in given.reason


def test_two_refunds_of_the_same_item_amount_and_day_are_two(world: World) -> None:
    shipped(world)
    for _ in range(2):
        refund(world, items={FIRST: {"Principal": "3.00"}})
    hear(world)

    assert [each.amount for each in shown(world)] == [Decimal(3), Decimal(3)]
    assert money(world) == ("26.76", "6.00")
    assert told(world) == ["refunded_on_amazon"] * 2
    check_quiet(world)


def test_delivered_twice_it_is_one(world: World) -> None:
    shipped(world)
    refund(world)
    world.sandbox.state.inject_fault("listTransactions", "repeated_page", count=2)
    for _ in range(3):
        hear(world)

    assert len(shown(world)) == 1
    assert AmazonRefund.objects.count() == 1
    check_quiet(world)


def test_deferred_and_released_it_is_one(world: World) -> None:
    shipped(world)
    posted = refund(world, is_deferred=True)
    hear(world)
    # The buyer has the money.
    assert money(world) == ("0.00", "32.76")
    assert AmazonRefund.objects.get().status == "deferred"

    world.move_clock(timedelta(days=7))
    on_amazon.release_refund(world.sandbox.state, ORDER)
    hear(world)

    assert AmazonRefund.objects.get().status == "released"
    assert [each.psp_reference for each in shown(world)] == [posted["transactionId"]]
    assert told(world) == ["refunded_on_amazon"]
    check_quiet(world)


def test_released_before_anybody_heard_of_it(world: World) -> None:
    shipped(world)
    refund(world, is_deferred=True)
    on_amazon.release_refund(world.sandbox.state, ORDER)
    hear(world)

    assert len(shown(world)) == 1
    assert AmazonRefund.objects.count() == 1


def test_what_amazon_corrects_is_corrected_here(world: World) -> None:
    shipped(world)
    refund(world, items={FIRST: {"Principal": "10.00"}}, is_deferred=True)
    hear(world)
    release = on_amazon.release_refund(world.sandbox.state, ORDER)
    [part] = release["items"][0]["breakdowns"][0]["breakdowns"]
    part["breakdownAmount"]["currencyAmount"] = -9.5
    hear(world)

    [given] = shown(world)
    assert (given.amount, money(world)) == (Decimal("9.50"), ("23.26", "9.50"))
    assert given.lines == {world.line_ids(ORDER)[FIRST]: 0}
    check_quiet(world)


def test_an_order_that_comes_after_its_refund_brings_it_along(world: World) -> None:
    put(world, status="PENDING")
    world.work_until_quiet(1)
    events.release(world.sandbox.state, ORDER)
    events.ship(world.sandbox.state, ORDER)
    refund(world, items={FIRST: {"Principal": "10.00"}})
    world.move_clock(timedelta(minutes=3))
    with world.shop.writer():
        # Amazon's list of orders is behind.
        assert finances.scan(world.account).news == 1
        assert not refunds.has_work()
    assert AmazonRefund.objects.get().state == "waiting"
    assert world.shop.order_count() == 0

    hear(world)

    [given] = shown(world)
    assert given.lines == {world.line_ids(ORDER)[FIRST]: 1}
    assert money(world) == ("22.76", "10.00")
    check_quiet(world)


def test_an_order_that_was_not_known_at_all_brings_it_along(world: World) -> None:
    with world.shop.writer():
        world.sandbox.state.put_orders(
            [wire_order(OTHER, status="SHIPPED", items=[wire_item(FIRST, shipped=1)])]
        )
        refund(world, OTHER)
        world.move_clock(timedelta(minutes=3))
        finances.scan(world.account)
    assert not AmazonOrder.objects.exists()

    world.work_until_quiet(2)

    assert money(world, OTHER) == ("0.00", "19.90")
    [given] = view(world, OTHER).refunds
    assert given.lines == {world.line_ids(OTHER)[FIRST]: 1}


def test_what_was_refunded_while_the_channel_was_off_is_found(world: World) -> None:
    shipped(world)
    ChannelSettings.objects.update(active=False)
    refund(world, items={FIRST: {"Principal": "10.00"}})
    hear(world)
    world.move_clock(timedelta(days=200))
    refund(world, items={FIRST: {"Principal": "4.00"}})
    hear(world)
    assert shown(world) == []

    ChannelSettings.objects.update(active=True)
    hear(world)

    assert money(world) == ("18.76", "14.00")
    check_quiet(world)


def test_amazon_refunds_what_it_fulfils(world: World) -> None:
    put(world, fulfilled_by="AMAZON")
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    refund(world)
    hear(world)

    assert (view(world).status, money(world)) == ("fulfilled", ("0.00", "32.76"))
    stock = world.shop.stock(view(world).lines[0].variant_id, world.warehouse_id)
    assert (stock.quantity, stock.allocated) == (1000, 0)
    check_quiet(world)


def test_where_the_items_cannot_be_told_it_is_the_orders(world: World) -> None:
    shipped(world)
    refund(world, items={FIRST: {"Principal": "10.00"}}, identified_by="nothing")
    hear(world)

    [given] = shown(world)
    assert (given.amount, given.lines) == (Decimal(10), {})
    assert given.reason == "Refunded on Amazon. The order: price 10.00."
    check_quiet(world)


def test_items_are_told_by_their_ids_too(world: World) -> None:
    shipped(world)
    refund(world, items={SECOND: {"Principal": "7.77"}}, identified_by="order_item_id")
    hear(world)

    [given] = shown(world)
    assert given.lines == {world.line_ids(ORDER)[SECOND]: 1}


def test_goodwill_above_what_was_charged_is_said(world: World) -> None:
    shipped(world)
    refund(world)
    world.move_clock(timedelta(minutes=1))
    refund(world, items={FIRST: {"Goodwill": "5.00"}})
    hear(world)

    # Nothing is charged any more.
    assert money(world) == ("0.00", "32.76")
    assert told(world) == ["refunded_on_amazon", "refund_not_recorded"]
    row = AmazonRefund.objects.get(amount=5)
    assert (row.state, row.note) == (
        "not_recorded",
        "Nothing is charged for the order any more.",
    )
    assert view(world).notes[-1] == (
        "5.00 EUR were refunded on Amazon on 2026-11-20. A mug (MUG-1): goodwill 5.00. "
        "Nothing is charged for the order any more."
    )
    check_quiet(world)


def test_what_is_more_than_was_charged_is_recorded_as_far_as_it_was(
    world: World,
) -> None:
    shipped(world)
    refund(world, items={FIRST: {"Principal": "20.00", "Goodwill": "15.00"}})
    hear(world)

    assert money(world) == ("0.00", "32.76")
    row = AmazonRefund.objects.get()
    assert (row.state, row.amount, row.amount_in_shop) == (
        "recorded",
        Decimal("35.00"),
        Decimal("32.76"),
    )
    assert row.note == (
        "Only 32.76 EUR of it is recorded here, since no more was charged."
    )
    check_quiet(world)


def test_a_cancelled_order_is_not_refunded_twice(world: World) -> None:
    put(world)
    world.work_until_quiet(2)
    events.cancel(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    assert (view(world).status, money(world)) == ("canceled", ("0.00", "32.76"))

    # Amazon had charged it all the same, and tells of the refund.
    events.set_status(world.sandbox.state, ORDER, status="SHIPPED")
    refund(world)
    events.set_status(world.sandbox.state, ORDER, status="CANCELLED")
    hear(world)

    assert money(world) == ("0.00", "32.76")
    assert shown(world) == []
    assert AmazonRefund.objects.get().state == "not_recorded"
    check_quiet(world)


def test_a_multipack_counts_the_shops_units(world: World) -> None:
    with world.shop.writer():
        variant_id = world.shop.create_variant(
            "MUG-3", [world.channel.id], stock={world.warehouse_id: 9}
        )
        SkuMapping.objects.create(
            account=world.account,
            seller_sku="MUG-3-PACK",
            variant_id=variant_id,
            variant_sku="MUG-3",
            units=3,
        )
    item = wire_item(FIRST, "MUG-3-PACK", quantity=2, price="20.00", shipped=2)
    world.sandbox.state.put_orders([wire_order(status="SHIPPED", items=[item])])
    world.work_until_quiet(1)
    assert view(world).lines[0].quantity == 6
    refund(world, items={FIRST: {"Principal": "10.00"}})
    hear(world)

    [given] = shown(world)
    assert given.lines == {world.line_ids(ORDER)[FIRST]: 3}


def test_a_breakdown_that_nobody_knows_is_named(world: World) -> None:
    shipped(world)
    posted = refund(world, items={FIRST: {"Principal": "1.00"}})
    posted["items"][0]["breakdowns"].append(
        {
            "breakdownType": "BottleDeposit",
            "breakdownAmount": {"currencyAmount": -0.25, "currencyCode": "EUR"},
            "breakdowns": [],
        }
    )
    hear(world)

    assert money(world) == ("31.76", "1.00")
    assert "(BottleDeposit -0.25 EUR): that is not counted" in view(world).notes[-1]


def test_what_fails_is_tried_again_and_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped(world)
    put(world, OTHER, updated=clock.now())
    events.ship(world.sandbox.state, OTHER)
    world.work_until_quiet(2)
    refund(world)
    refund(world, OTHER)
    original = type(world.store).record_refund

    def failing(self: Store, order_id: str, draft: object) -> object:
        if order_id == world.ledger_order(ORDER).shop_order_id:
            raise RuntimeError("no")
        return original(self, order_id, draft)

    monkeypatch.setattr(type(world.store), "record_refund", failing)
    hear(world)
    assert money(world) == ("32.76", "0.00")
    assert money(world, OTHER) == ("0.00", "32.76")

    monkeypatch.undo()
    hear(world)
    assert money(world) == ("0.00", "32.76")
    check_quiet(world)


def test_no_call_is_made_for_an_order(world: World) -> None:
    for number in range(30):
        order_id = f"111-0000002-{number:07}"
        put(world, order_id)
        events.ship(world.sandbox.state, order_id)
    world.work_until_quiet(2)
    for number in range(30):
        refund(world, f"111-0000002-{number:07}")
    calls = len(world.sandbox.state.calls("listTransactions"))

    hear(world)

    assert len(world.sandbox.state.calls("listTransactions")) == calls + 1
    assert AmazonRefund.objects.filter(state="recorded").count() == 30


def test_without_the_role_orders_go_on_and_it_is_said(world: World) -> None:
    world.sandbox.state.account("A1SANDBOXEU").may_read_finances = False
    shipped(world)
    refund(world)
    hear(world)

    assert (view(world).status, money(world)) == ("fulfilled", ("32.76", "0.00"))
    [account] = status.read().accounts
    assert account.state == "active"
    assert [s.name for s in account.streams if s.last_error] == ["finances"]

    world.sandbox.state.account("A1SANDBOXEU").may_read_finances = True
    hear(world)
    assert money(world) == ("0.00", "32.76")
