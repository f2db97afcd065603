"""The contract of ``shipments``, ``shipments_changed_since`` and what is noted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contract.drafts import draft, line
from contract.driver import StaffDriver
from contract.fixtures import Goods, create, created
from saleor_amazon_channel import clock
from saleor_amazon_channel.store.contract import (
    CancelledShipment,
    CreatedOrder,
    ShippedLine,
    Store,
)

pytestmark = pytest.mark.django_db

ID = "302-7654321-0000001"
LONG_AGO = timedelta(days=1)


@pytest.fixture
def order(shop: StaffDriver, store: Store, goods: Goods) -> CreatedOrder:
    """An imported order of three mugs and a cup, not shipped."""
    goods.add("MUG", 9)
    goods.add("CUP", 9)
    (answer,) = create(
        shop, store, [goods.new(draft(ID, [line("MUG", 3), line("CUP")]))]
    )
    return created(answer)


def _mugs(order: CreatedOrder) -> str:
    return order.line_ids["item-MUG"]


def _changed(store: Store, since: timedelta = LONG_AGO):
    return store.shipments_changed_since(clock.now() - since)


def test_what_staff_ship_is_a_shipment(shop, store, goods: Goods, order):
    begun = clock.now()
    fulfillment_id = shop.fulfil(
        order.order_id,
        {_mugs(order): 3, order.line_ids["item-CUP"]: 1},
        warehouse_id=goods.warehouse_id,
        tracking_number="00340434",
        carrier="DHL",
    )

    (shipment,) = store.shipments([fulfillment_id])

    assert shipment.order_id == order.order_id
    assert shipment.fulfillment_id == fulfillment_id
    assert shipment.tracking_number == "00340434"
    assert shipment.carrier == "DHL"
    assert begun <= shipment.shipped_at <= clock.now()
    assert set(shipment.lines) == {
        ShippedLine(_mugs(order), 3),
        ShippedLine(order.line_ids["item-CUP"], 1),
    }
    assert shop.order(order.order_id).status == "fulfilled"
    assert goods.stock("MUG") == (6, 0)
    assert list(_changed(store)) == [shipment]


def test_parts_in_several_packages_are_several_shipments(
    shop, store, goods: Goods, order
):
    ids = [
        shop.fulfil(
            order.order_id,
            {_mugs(order): quantity},
            warehouse_id=goods.warehouse_id,
            tracking_number=tracking_number,
        )
        for quantity, tracking_number in ((1, "first"), (2, ""))
    ]

    shipments = {each.fulfillment_id: each for each in store.shipments(ids)}

    assert [
        (shipments[id_].tracking_number, shipments[id_].carrier, shipments[id_].lines)
        for id_ in ids
    ] == [
        ("first", "", (ShippedLine(_mugs(order), 1),)),
        ("", "", (ShippedLine(_mugs(order), 2),)),
    ]
    assert shop.order(order.order_id).status == "partially fulfilled"
    assert {each.fulfillment_id for each in _changed(store)} == set(ids)
    assert goods.stock("MUG") == (6, 0)


def test_a_tracking_number_given_later_is_a_change(shop, store, goods: Goods, order):
    fulfillment_id = shop.fulfil(
        order.order_id, {_mugs(order): 3}, warehouse_id=goods.warehouse_id
    )
    shipped = clock.now()

    shop.update_tracking(fulfillment_id, "00340434")

    (shipment,) = store.shipments_changed_since(shipped)
    assert shipment.tracking_number == "00340434"
    assert shipment.shipped_at < shipped
    assert list(store.shipments([fulfillment_id])) == [shipment]


def test_what_changed_before_the_moment_is_not_told(shop, store, goods: Goods, order):
    shop.fulfil(order.order_id, {_mugs(order): 3}, warehouse_id=goods.warehouse_id)

    assert list(store.shipments_changed_since(clock.now())) == []


def test_who_shipped_is_told(shop, store, goods: Goods, order):
    shop.fulfil(order.order_id, {_mugs(order): 3}, warehouse_id=goods.warehouse_id)

    (shipment,) = _changed(store)

    assert shipment.actor == "staff@example.com"


def test_a_fulfillment_counts_once_it_is_approved(shop, store, goods: Goods, order):
    shop.require_approval()
    fulfillment_id = shop.fulfil(
        order.order_id,
        {_mugs(order): 3},
        warehouse_id=goods.warehouse_id,
        tracking_number="00340434",
    )
    assert list(store.shipments([fulfillment_id])) == []
    assert list(_changed(store)) == []
    waited = clock.now()

    shop.approve(fulfillment_id)

    (shipment,) = store.shipments_changed_since(waited)
    assert shipment.fulfillment_id == fulfillment_id
    assert shipment.shipped_at >= waited


def test_a_cancelled_fulfillment_is_no_shipment(shop, store, goods: Goods, order):
    fulfillment_id = shop.fulfil(
        order.order_id, {_mugs(order): 3}, warehouse_id=goods.warehouse_id
    )
    assert set(store.cancelled_fulfillments([fulfillment_id])) == set()
    shop.cancel_fulfillment(fulfillment_id, warehouse_id=goods.warehouse_id)

    assert list(store.shipments([fulfillment_id])) == []
    assert set(store.cancelled_fulfillments([fulfillment_id])) == {fulfillment_id}
    assert list(_changed(store)) == []
    assert goods.stock("MUG") == (9, 3)


def test_an_order_of_the_shop_itself_is_not_told(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 9)
    order_id = shop.sell(goods.channel.id, variant_id, 2)
    (sold,) = shop.order(order_id).lines
    shop.fulfil(order_id, {sold.line_id: 2}, warehouse_id=goods.warehouse_id)

    assert list(_changed(store)) == []


@pytest.mark.parametrize("is_amazon_fulfilled", [True, False])
def test_what_had_left_before_the_import_is_not_told(
    shop, store, goods: Goods, is_amazon_fulfilled
):
    goods.add("MUG", 9)
    order = draft(
        ID, [line("MUG", 2, shipped=2)], is_amazon_fulfilled=is_amazon_fulfilled
    )

    (answer,) = create(shop, store, [goods.new(order)])

    (package,) = shop.order(created(answer).order_id).fulfillments
    assert list(store.shipments([package.fulfillment_id])) == []
    assert list(_changed(store)) == []


def test_unknown_fulfillments_are_passed_over(store):
    assert list(store.shipments([])) == []
    assert list(store.shipments(["999999"])) == []
    # Not cancelled: what is returned whole is gone.
    assert set(store.cancelled_fulfillments(["999999"])) == set()


def test_shipments_cost_the_same_for_one_and_for_many(shop, store, goods: Goods, order):
    ids = [
        shop.fulfil(order.order_id, {_mugs(order): 1}, warehouse_id=goods.warehouse_id)
        for _ in range(3)
    ]

    with CaptureQueriesContext(connection) as one:
        store.shipments(ids[:1])
    with CaptureQueriesContext(connection) as many:
        assert len(store.shipments(ids)) == 3

    assert len(many) == len(one)


def test_what_is_noted_on_a_shipment_is_merged_and_no_action_of_staff(
    shop, store, goods: Goods, order
):
    fulfillment_id = shop.fulfil(
        order.order_id,
        {_mugs(order): 3},
        warehouse_id=goods.warehouse_id,
        carrier="DHL",
    )
    moment = clock.now()

    with shop.writer():
        store.note_shipment(fulfillment_id, {"amazon.state": "sent", "amazon.n": "1"})
        store.note_shipment(fulfillment_id, {"amazon.state": "confirmed"})
        store.note_shipment("999999", {"amazon.state": "confirmed"})

    (package,) = shop.order(order.order_id).fulfillments
    assert package.metadata == {
        "amazon.carrier": "DHL",
        "amazon.state": "confirmed",
        "amazon.n": "1",
    }
    assert list(store.shipments_changed_since(moment)) == []


def test_a_note_is_on_the_orders_timeline_and_no_action_of_staff(shop, store, order):
    moment = clock.now()

    with shop.writer():
        store.add_note(order.order_id, "Amazon has it.")
        store.add_note(order.order_id, "Amazon's buyer has it.")

    assert shop.order(order.order_id).notes == (
        "Amazon has it.",
        "Amazon's buyer has it.",
    )
    assert list(store.shipments_changed_since(moment)) == []


def test_a_cancelled_order_gives_its_stock_back(shop, store, goods: Goods, order):
    shop.cancel_order(order.order_id)

    assert shop.order(order.order_id).status == "canceled"
    assert goods.stock("MUG") == (9, 0)
    assert goods.stock("CUP") == (9, 0)


def test_what_staff_cancel_is_told_with_who_did_it(shop, store, goods: Goods, order):
    fulfillment_id = shop.fulfil(
        order.order_id, {_mugs(order): 3}, warehouse_id=goods.warehouse_id
    )
    shipped = clock.now()
    assert list(store.shipments_cancelled_since(shipped - LONG_AGO)) == []

    shop.cancel_fulfillment(fulfillment_id, warehouse_id=goods.warehouse_id)

    assert list(store.shipments_cancelled_since(shipped)) == [
        CancelledShipment(order.order_id, fulfillment_id, "staff@example.com")
    ]
    assert list(store.shipments_cancelled_since(clock.now())) == []
    assert list(_changed(store)) == []
