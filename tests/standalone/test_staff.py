"""What the stand-alone shop refuses its staff, and that a refusal changes nothing."""

from __future__ import annotations

import pytest

from saleor_amazon_channel.standalone import staff
from saleor_amazon_channel.standalone.models import Fulfillment, Order
from saleor_amazon_channel.store.contract import Channel

from .driver import StandaloneDriver

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> StandaloneDriver:
    return StandaloneDriver()


@pytest.fixture
def channel(shop) -> Channel:
    return shop.create_channel(
        "de", "EUR", country="DE", warehouses=("near", "far"), shipping_methods=("P",)
    )


@pytest.fixture
def order(shop, channel) -> Order:
    """Three mugs, promised from the near warehouse; the far one has one more."""
    near, far = (warehouse.id for warehouse in channel.warehouses)
    variant_id = shop.create_variant("MUG", [channel.id], stock={near: 3, far: 1})
    return Order.objects.get(pk=shop.sell(channel.id, variant_id, 3))


def lines(order: Order, quantity: int) -> dict[str, int]:
    return {str(order.lines.get().pk): quantity}


def stock(shop, channel, order) -> list[tuple[int, int]]:
    variant_id = str(order.lines.get().variant_id)
    figures = [shop.stock(variant_id, w.id) for w in channel.warehouses]
    return [(each.quantity, each.allocated) for each in figures]


@pytest.mark.parametrize("quantity", [0, 4])
def test_no_more_and_no_less_than_is_left(shop, channel, order, quantity):
    near = channel.warehouses[0].id
    with pytest.raises(staff.Refused, match=f"{quantity} of MUG cannot be fulfilled"):
        staff.fulfil(str(order.pk), lines(order, quantity), warehouse_id=near)

    assert Fulfillment.objects.count() == 0
    assert stock(shop, channel, order) == [(3, 3), (1, 0)]


def test_what_a_warehouse_does_not_have(shop, channel, order):
    far = channel.warehouses[1].id
    with pytest.raises(staff.Refused, match="2 of MUG cannot leave"):
        staff.fulfil(str(order.pk), lines(order, 2), warehouse_id=far)

    assert Fulfillment.objects.count() == 0
    assert stock(shop, channel, order) == [(3, 3), (1, 0)]


def test_what_is_shipped_from_elsewhere_frees_what_was_promised(shop, channel, order):
    far = channel.warehouses[1].id
    staff.fulfil(str(order.pk), lines(order, 1), warehouse_id=far)

    assert stock(shop, channel, order) == [(3, 2), (0, 0)]


def test_a_package_waits_for_approval_with_its_tracking(shop, channel, order):
    near = channel.warehouses[0].id
    package = staff.fulfil(
        str(order.pk), lines(order, 3), warehouse_id=near, needs_approval=True
    )
    staff.update_tracking(str(package.pk), "T-1", carrier="DHL")
    assert stock(shop, channel, order) == [(3, 3), (1, 0)]

    staff.approve(str(package.pk))

    package.refresh_from_db()
    assert (package.status, package.tracking_number) == ("fulfilled", "T-1")
    assert stock(shop, channel, order) == [(0, 0), (1, 0)]
    with pytest.raises(staff.Refused, match="does not wait"):
        staff.approve(str(package.pk))


def test_only_what_was_fulfilled_comes_back(channel, order):
    near = channel.warehouses[0].id
    package = staff.fulfil(
        str(order.pk), lines(order, 3), warehouse_id=near, needs_approval=True
    )

    with pytest.raises(staff.Refused, match="Only what has been fulfilled"):
        staff.cancel_fulfillment(str(package.pk), warehouse_id=near)


def test_what_has_left_is_not_cancelled(channel, order):
    near = channel.warehouses[0].id
    staff.fulfil(str(order.pk), lines(order, 1), warehouse_id=near)

    with pytest.raises(staff.Refused, match="cannot be cancelled"):
        staff.cancel_order(str(order.pk))


def test_nothing_is_shipped_of_a_cancelled_order(shop, channel, order):
    staff.cancel_order(str(order.pk))

    assert stock(shop, channel, order) == [(3, 0), (1, 0)]
    with pytest.raises(staff.Refused, match="is cancelled"):
        staff.fulfil(
            str(order.pk),
            lines(order, 1),
            warehouse_id=channel.warehouses[0].id,
        )
