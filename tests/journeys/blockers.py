"""What blocks an order is counted by cause, and goes through when the cause has gone.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts, clock
from saleor_amazon_channel.amazon.errors import MalformedOrder
from saleor_amazon_channel.importing import healing, importer
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonOrderItem,
    Marketplace,
    OrderBlocker,
    OutboxEntry,
    SkuMapping,
)
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000001-0000001"
ITEM = "10000000000001"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store, stock=5) as world:
        yield world


def ids(count: int) -> list[str]:
    return [f"111-0000003-{number:07}" for number in range(count)]


def put(world: World, *orders: dict) -> None:
    world.sandbox.state.put_orders(orders)
    world.move_clock(timedelta(minutes=5))
    world.work()


def half_a_minute(world: World) -> None:
    """Two rounds of work: no scan of Amazon is due in them."""
    scans = len(world.sandbox.state.calls("searchOrders"))
    for _ in range(2):
        world.move_clock(timedelta(seconds=15))
        world.work()
    assert len(world.sandbox.state.calls("searchOrders")) == scans


def causes() -> list[tuple[str, str, int]]:
    rows = OrderBlocker.objects.values_list("code", "subject", "order")
    counted: dict[tuple[str, str], set[int]] = {}
    for code, subject, order in rows:
        counted.setdefault((code, subject), set()).add(order)
    return sorted((*cause, len(orders)) for cause, orders in counted.items())


def states(*order_ids: str) -> list[str]:
    found = dict(
        AmazonOrder.objects.filter(amazon_order_id__in=order_ids).values_list(
            "amazon_order_id", "import_state"
        )
    )
    return [found[each] for each in order_ids]


def test_d1_an_unknown_sku_is_one_cause_of_many_orders(world: World) -> None:
    blocked = ids(3)
    put(
        world,
        *(wire_order(each, items=[wire_item(sku="NEW-1")]) for each in blocked),
        wire_order(),
    )
    assert causes() == [("unknown_sku", "NEW-1", 3)]
    assert states(ORDER, *blocked) == ["imported", *["blocked"] * 3]

    world.shop.create_variant(
        "NEW-1", [world.channel.id], stock={world.warehouse_id: 10}
    )
    half_a_minute(world)

    assert states(*blocked) == ["imported"] * 3
    assert (causes(), world.shop.order_count()) == ([], 4)


def test_d1_a_sku_is_mapped_also_to_several_units(world: World) -> None:
    put(world, wire_order(items=[wire_item(sku="MUG-3PACK", price="10.00")]))
    assert causes() == [("unknown_sku", "MUG-3PACK", 1)]
    variant = world.shop.create_variant(
        "OTHER", [world.channel.id], stock={world.warehouse_id: 10}
    )
    SkuMapping.objects.create(
        account=world.account, seller_sku="MUG-3PACK", variant_id=variant, units=3
    )
    half_a_minute(world)

    order = world.shop.order(world.ledger_order(ORDER).shop_order_id or "")
    [line] = order.lines
    assert (line.variant_id, line.quantity) == (variant, 3)
    # A third of ten euros is no amount: the total counts, and is exact.
    assert line.total.gross == order.total.gross == Decimal("10.00")
    stock = world.shop.stock(variant, world.warehouse_id)
    assert (stock.quantity, stock.allocated) == (10, 3)
    assert AmazonOrderItem.objects.get().units_per_item == 3


def test_a_pack_is_confirmed_when_it_is_whole(world: World) -> None:
    variant = world.shop.create_variant(
        "OTHER", [world.channel.id], stock={world.warehouse_id: 10}
    )
    SkuMapping.objects.create(
        account=world.account, seller_sku="MUG-3PACK", variant_id=variant, units=3
    )
    put(world, wire_order(items=[wire_item(sku="MUG-3PACK", quantity=2)]))
    order_id = world.ledger_order(ORDER).shop_order_id or ""
    line = world.line_ids(ORDER)[ITEM]
    # What is mapped later is another matter.
    SkuMapping.objects.update(units=5)

    def ship(units: int, tracking: str) -> None:
        world.shop.fulfil(
            order_id,
            {line: units},
            warehouse_id=world.warehouse_id,
            tracking_number=tracking,
        )
        world.move_clock(timedelta(minutes=1))
        world.work()

    def on_amazon() -> list[tuple[str, int]]:
        return [
            (p["trackingNumber"], p["packageItems"][0]["quantity"])
            for p in world.on_amazon(ORDER).get("packages", ())
        ]

    ship(2, "T-1")
    assert on_amazon() == []
    assert OutboxEntry.objects.count() == 0
    assert "holds no whole unit" in world.ledger_order(ORDER).note
    ship(2, "T-2")
    assert on_amazon() == [("T-2", 1)]
    ship(2, "T-3")
    assert on_amazon() == [("T-2", 1), ("T-3", 1)]
    world.work_until_quiet(3)
    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert world.shop.order(order_id).status == "fulfilled"


def test_what_came_back_completes_no_pack(world: World) -> None:
    variant = world.shop.create_variant(
        "OTHER", [world.channel.id], stock={world.warehouse_id: 10}
    )
    SkuMapping.objects.create(
        account=world.account, seller_sku="MUG-3PACK", variant_id=variant, units=3
    )
    put(world, wire_order(items=[wire_item(sku="MUG-3PACK", quantity=1)]))
    order_id = world.ledger_order(ORDER).shop_order_id or ""
    line = world.line_ids(ORDER)[ITEM]

    def ship(units: int, tracking: str) -> str:
        fulfillment_id = world.shop.fulfil(
            order_id,
            {line: units},
            warehouse_id=world.warehouse_id,
            tracking_number=tracking,
        )
        world.move_clock(timedelta(minutes=1))
        world.work()
        return fulfillment_id

    world.shop.cancel_fulfillment(ship(2, "T-1"), warehouse_id=world.warehouse_id)
    ship(1, "T-2")
    # One unit is on its way, not a pack.
    assert world.on_amazon(ORDER).get("packages", []) == []

    ship(2, "T-3")
    [package] = world.on_amazon(ORDER)["packages"]
    assert package["trackingNumber"] == "T-3"
    assert package["packageItems"][0]["quantity"] == 1


def test_a_sku_is_found_by_the_accounts_rule(world: World) -> None:
    put(world, wire_order(items=[wire_item(sku="AMZ-MUG-1-DE")]))
    assert causes() == [("unknown_sku", "AMZ-MUG-1-DE", 1)]

    world.account.sku_prefix, world.account.sku_suffix = "AMZ-", "-DE"
    world.account.save()
    half_a_minute(world)

    assert states(ORDER) == ["imported"]


def test_d2_an_unpublished_product(world: World) -> None:
    world.shop.create_variant(
        "HIDDEN",
        [world.channel.id],
        stock={world.warehouse_id: 5},
        is_published=False,
    )
    put(world, wire_order(items=[wire_item(sku="HIDDEN")]))
    assert causes() == [("not_available_in_channel", "HIDDEN", 1)]
    half_a_minute(world)
    assert states(ORDER) == ["blocked"]

    world.shop.publish("HIDDEN", [world.channel.id])
    half_a_minute(world)
    assert (states(ORDER), causes()) == (["imported"], [])


def test_d3_stock_that_arrives_goes_to_the_oldest_and_nobody_else_is_touched(
    world: World,
) -> None:
    waiting = ids(4)
    now = clock.now()
    put(
        world,
        *(
            wire_order(
                each,
                items=[wire_item(quantity=4, price="40.00")],
                created=now - timedelta(hours=9 - number),
            )
            for number, each in enumerate(waiting)
        ),
    )
    assert states(*waiting) == ["imported", *["blocked"] * 3]
    assert causes() == [("out_of_stock", "MUG-1", 3)]
    checked = dict(AmazonOrder.objects.values_list("amazon_order_id", "checked_at"))

    # One unit is free, and enough for none: nobody is looked at.
    half_a_minute(world)
    assert checked == dict(
        AmazonOrder.objects.values_list("amazon_order_id", "checked_at")
    )

    variant = (
        world.shop.order(world.ledger_order(waiting[0]).shop_order_id or "")
        .lines[0]
        .variant_id
    )
    world.shop.set_stock(variant, world.warehouse_id, 9)
    half_a_minute(world)
    assert states(*waiting) == ["imported", "imported", "blocked", "blocked"]
    untouched = world.ledger_order(waiting[3])
    assert untouched.checked_at == checked[waiting[3]]
    assert untouched.events.filter(type="blocked").count() == 1

    world.shop.set_stock(variant, world.warehouse_id, 100)
    half_a_minute(world)
    assert states(*waiting) == ["imported"] * 4


def test_d4_an_address_that_cannot_be_and_is_corrected_by_amazon(world: World) -> None:
    order = wire_order()
    del order["recipient"]["deliveryAddress"]["countryCode"]
    put(world, order, wire_order(ids(1)[0]))
    assert {code for code, _, _ in causes()} == {"bad_address"}
    assert states(ids(1)[0]) == ["imported"]
    half_a_minute(world)
    assert states(ORDER) == ["blocked"]

    put(world, wire_order(updated=clock.now()))
    assert states(ORDER) == ["imported"]


def test_d5_amounts_wait_for_new_figures_and_are_not_judged_again(
    world: World,
) -> None:
    order = wire_order()
    order["proceeds"]["grandTotal"]["amount"] = "99.00"
    put(world, order)
    assert [code for code, _, _ in causes()] == ["amounts_differ"]
    checked = world.ledger_order(ORDER).checked_at
    half_a_minute(world)
    assert world.ledger_order(ORDER).checked_at == checked

    # Another version of the channel may read them.
    OrderBlocker.objects.update(judged_by="0.0.1")
    half_a_minute(world)
    assert world.ledger_order(ORDER).checked_at > checked
    assert states(ORDER) == ["blocked"]
    assert world.ledger_order(ORDER).events.filter(type="blocked").count() == 1

    put(world, wire_order(updated=clock.now()))
    assert states(ORDER) == ["imported"]


def test_an_order_in_another_currency_than_its_marketplaces_is_not_judged_again(
    world: World,
) -> None:
    """No channel could take it: it has the marketplace's currency."""
    put(world, wire_order(currency="GBP", items=[wire_item(currency="GBP")]))
    assert [code for code, _, _ in causes()] == ["amounts_differ"]
    checked = world.ledger_order(ORDER).checked_at
    half_a_minute(world)
    assert world.ledger_order(ORDER).checked_at == checked


def test_a_channel_that_does_not_fit_any_more(world: World) -> None:
    row = Marketplace.objects.get(
        account=world.account, import_orders=True, channel_slug=world.channel.slug
    )
    method = row.shipping_method_id
    Marketplace.objects.filter(pk=row.pk).update(shipping_method_id="987654")
    put(world, wire_order())
    assert [code for code, _, _ in causes()] == ["channel_mismatch"]
    half_a_minute(world)
    assert states(ORDER) == ["blocked"]

    # Not by our own settings, which would send it to the importer themselves.
    Marketplace.objects.filter(pk=row.pk).update(shipping_method_id=method)
    half_a_minute(world)
    assert states(ORDER) == ["imported"]


def test_what_failed_unexpectedly_is_tried_again_and_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(world.store).create_orders

    def failing(self: Store, orders: list) -> object:
        if any(new.draft.amazon_order_id == ORDER for new in orders):
            raise RuntimeError("no")
        return original(self, orders)

    monkeypatch.setattr(type(world.store), "create_orders", failing)
    put(world, wire_order(), *(wire_order(each) for each in ids(2)))
    assert states(ORDER, *ids(2)) == ["blocked", "imported", "imported"]
    monkeypatch.undo()
    half_a_minute(world)
    assert states(ORDER) == ["blocked"]

    world.move_clock(timedelta(minutes=1))
    world.work()
    assert (states(ORDER), causes()) == (["imported"], [])


def test_retry_looks_at_once_whatever_blocks(world: World) -> None:
    order = wire_order()
    order["proceeds"]["grandTotal"]["amount"] = "99.00"
    put(world, order)
    checked = world.ledger_order(ORDER).checked_at
    world.move_clock(timedelta(seconds=15))
    with world.shop.writer():
        assert importer.retry([ORDER]) == 1
    world.work()

    again = world.ledger_order(ORDER)
    assert (again.import_state, again.checked_at > checked) == ("blocked", True)
    assert causes() == [("amounts_differ", again.blockers[0]["subject"], 1)]


def test_settings_changed_reach_what_is_blocked(world: World) -> None:
    put(world, wire_order(items=[wire_item(sku="NEW-1")]))
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(
                account=world.account, channel_slug=world.channel.slug
            ),
            accounts.MarketplaceChanges(import_orders=False),
        )
    world.work()

    order = world.ledger_order(ORDER)
    assert (order.import_state, order.note) == (
        "waiting",
        "Import Amazon Orders is off for this marketplace.",
    )
    assert causes() == []


def test_five_thousand_blocked_orders_cost_a_round_of_work_a_few_queries(
    world: World,
) -> None:
    rows = AmazonOrder.objects.bulk_create(
        AmazonOrder(
            account=world.account,
            amazon_order_id=f"222-0000001-{number:07}",
            marketplace_id="A1PA6795UKMFR9",
            created_time=clock.now(),
            last_updated_time=clock.now(),
            import_state="blocked",
            blockers=[{"code": "unknown_sku", "message": "m", "subject": "s"}],
        )
        for number in range(5000)
    )
    OrderBlocker.objects.bulk_create(
        OrderBlocker(
            order=row,
            account=world.account,
            marketplace_id=row.marketplace_id,
            code="unknown_sku" if number % 2 else "out_of_stock",
            subject=f"SKU-{number % 100}",
            message="m",
            units_needed=2,
            judged_by="x",
        )
        for number, row in enumerate(rows)
    )
    with (
        world.shop.writer(),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        healing.heal()

    assert len(queries) <= 12
    # What cannot be resolved is no question of stock any more: the importer's to say.
    assert AmazonOrder.objects.filter(import_state="ready").count() == 1000


def test_an_order_that_another_version_can_read_is_whole_and_shipped(
    world: World,
) -> None:
    wire = wire_order()
    world.sandbox.state.put_orders([wire])
    problem = MalformedOrder(ORDER, "orderItems", "is of a new kind")
    with world.shop.writer():
        recorder.record(world.account, [], [(wire, problem)])
        OrderBlocker.objects.update(judged_by="0.0.1")

    world.work()

    order = world.ledger_order(ORDER)
    assert (order.import_state, order.fulfillment_status) == ("imported", "UNSHIPPED")
    assert world.line_ids(ORDER)[ITEM]
    world.shop.fulfil(
        order.shop_order_id or "",
        {world.line_ids(ORDER)[ITEM]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work_until_quiet(3)
    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
