"""The sandbox's month of orders, through rules and mapping."""

from __future__ import annotations

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.importing.rules import READY, decide
from saleor_amazon_channel.sandbox import seeds


@pytest.fixture(scope="module")
def ready() -> list[Order]:
    """What Amazon has released for shipping."""
    orders = map(Order.from_wire, seeds.month(300))
    return [
        order
        for order in orders
        if decide(
            order,
            import_orders=True,
            import_from=min(order.created_time, clock.now()),
            is_mapped=True,
        ).state
        == READY
    ]


def test_every_seed_order_maps_to_its_grand_total(ready):
    blocked = {}
    for order in ready:
        try:
            draft = map_order(order)
        except CannotMap as error:
            blocked[order.order_id] = error.blockers
            continue
        assert order.proceeds is not None
        assert order.proceeds.grand_total is not None
        assert draft.total.gross == order.proceeds.grand_total.amount
        assert draft.total.gross == draft.shipping.gross + sum(
            line.total.gross for line in draft.lines
        )

    # The one item without a SKU is there to be blocked.
    (blockers,) = blocked.values()
    assert ["has no seller SKU" in blocker.message for blocker in blockers] == [True]
    assert len(ready) > 200
