"""The contract of ``cancel_orders``: cancelled on Amazon is cancelled in the shop."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction

from contract.drafts import draft, line
from contract.driver import StaffDriver
from contract.fixtures import Goods, create, created
from saleor_amazon_channel import clock
from saleor_amazon_channel.store.contract import CreatedOrder, Store

pytestmark = pytest.mark.django_db

ID = "302-7654321-0000001"
NEIGHBOUR = "302-7654321-0000002"
NOTE = "Cancelled on Amazon."


@pytest.fixture
def orders(
    shop: StaffDriver, store: Store, goods: Goods
) -> tuple[CreatedOrder, CreatedOrder]:
    """Two imported orders: three mugs and a cup, and one mug; nothing is shipped."""
    goods.add("MUG", 9)
    goods.add("CUP", 9)
    first, second = create(
        shop,
        store,
        [
            goods.new(draft(ID, [line("MUG", 3), line("CUP")])),
            goods.new(draft(NEIGHBOUR, [line("MUG")])),
        ],
    )
    return created(first), created(second)


def _cancel(shop: StaffDriver, store: Store, *order_ids: str) -> dict[str, str]:
    with shop.writer(), transaction.atomic():
        return dict(store.cancel_orders(order_ids, NOTE))


def _charged(shop: StaffDriver, order_id: str) -> list[Decimal]:
    return [each.charged for each in shop.order(order_id).transactions]


def test_a_cancelled_order_holds_neither_stock_nor_money(
    shop, store, goods: Goods, orders
):
    order, neighbour = orders
    before = shop.order(neighbour.order_id)
    total = shop.order(order.order_id).total

    answer = _cancel(shop, store, order.order_id)

    assert answer == {order.order_id: ""}
    view = shop.order(order.order_id)
    assert view.status == "canceled"
    assert view.total == total
    assert [sum(each.allocations.values()) for each in view.lines] == [0, 0]
    assert (goods.stock("MUG"), goods.stock("CUP")) == ((9, 1), (9, 0))
    assert _charged(shop, order.order_id) == [Decimal(0)]
    figures = store.figures([order.order_id])[order.order_id]
    assert (figures.total_charged, figures.allocated) == (Decimal(0), 0)
    assert view.notes == (NOTE,)
    assert shop.order(neighbour.order_id) == before
    assert shop.emails() == []


def test_cancelling_again_changes_nothing(shop, store, goods: Goods, orders):
    order, _ = orders
    _cancel(shop, store, order.order_id)
    before = shop.order(order.order_id)

    assert _cancel(shop, store, order.order_id) == {order.order_id: ""}

    assert shop.order(order.order_id) == before
    assert goods.stock("MUG") == (9, 1)


def test_what_staff_had_cancelled_is_refunded_and_says_so(
    shop, store, goods: Goods, orders
):
    order, _ = orders
    shop.cancel_order(order.order_id)
    assert _charged(shop, order.order_id) != [Decimal(0)]

    assert _cancel(shop, store, order.order_id) == {order.order_id: ""}

    assert _charged(shop, order.order_id) == [Decimal(0)]
    assert shop.order(order.order_id).notes == (NOTE,)
    assert goods.stock("MUG") == (9, 1)


def test_what_has_left_is_not_cancelled_and_the_others_are(
    shop, store, goods: Goods, orders
):
    order, neighbour = orders
    shop.fulfil(
        order.order_id,
        {order.line_ids["item-MUG"]: 2},
        warehouse_id=goods.warehouse_id,
    )
    before = shop.order(order.order_id)

    answer = _cancel(shop, store, order.order_id, neighbour.order_id)

    assert answer == {
        order.order_id: "2 of its units are fulfilled, or wait for an approval.",
        neighbour.order_id: "",
    }
    assert shop.order(order.order_id) == before
    assert shop.order(neighbour.order_id).status == "canceled"
    assert goods.stock("MUG") == (7, 1)


def test_what_waits_for_an_approval_is_not_cancelled(shop, store, goods: Goods, orders):
    order, _ = orders
    shop.require_approval()
    shop.fulfil(
        order.order_id,
        {order.line_ids["item-CUP"]: 1},
        warehouse_id=goods.warehouse_id,
    )
    before = shop.order(order.order_id)

    assert _cancel(shop, store, order.order_id) == {
        order.order_id: "1 of its units are fulfilled, or wait for an approval."
    }
    assert shop.order(order.order_id) == before


def test_what_came_back_into_the_warehouse_is_cancelled(
    shop, store, goods: Goods, orders
):
    order, _ = orders
    fulfillment_id = shop.fulfil(
        order.order_id,
        {order.line_ids["item-MUG"]: 3},
        warehouse_id=goods.warehouse_id,
    )
    shop.cancel_fulfillment(fulfillment_id, warehouse_id=goods.warehouse_id)

    assert _cancel(shop, store, order.order_id) == {order.order_id: ""}

    assert shop.order(order.order_id).status == "canceled"
    assert goods.stock("MUG") == (9, 1)


def test_an_order_that_is_gone_says_so(shop, store):
    gone = str(uuid4())
    assert _cancel(shop, store, gone) == {gone: "The shop has no such order."}


def test_a_rolled_back_cancellation_leaves_nothing(shop, store, goods: Goods, orders):
    order, _ = orders
    before = shop.order(order.order_id)

    with shop.writer(), transaction.atomic():
        store.cancel_orders([order.order_id], NOTE)
        transaction.set_rollback(True)

    assert shop.order(order.order_id) == before
    assert goods.stock("MUG") == (9, 4)


@pytest.mark.django_db(transaction=True)
def test_cancelling_outside_a_transaction_is_refused(shop, store):
    with shop.writer(), pytest.raises(RuntimeError, match="inside a transaction"):
        store.cancel_orders([str(uuid4())], NOTE)


def test_cancelling_is_no_shipment(shop, store, orders):
    order, _ = orders
    _cancel(shop, store, order.order_id)

    day_ago = clock.now() - timedelta(days=1)
    assert list(store.shipments_changed_since(day_ago)) == []
