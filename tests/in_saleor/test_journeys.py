"""The main path in real Saleor, its staff acting through Saleor's own mutations."""

from __future__ import annotations

import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.main_path import *  # noqa: F403
from journeys.settings import *  # noqa: F403
from journeys.world import World
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


def test_b1_an_order_that_is_not_imported_is_shown_with_a_link_to_seller_central(
    world: World,
) -> None:
    change(world, import_orders=False)  # noqa: F405
    come_in(world, wire_order())  # noqa: F405

    shown = world.shop.query(
        """query ($id: String!) { amazonOrder(amazonOrderId: $id) {
          amazonOrderId fulfillmentStatus importState note buyerName
          total { amount currency } orderId orderNumber sellerCentralUrl
        } }""",
        id=ORDER,  # noqa: F405
    )["amazonOrder"]

    assert shown == {
        "amazonOrderId": ORDER,  # noqa: F405
        "fulfillmentStatus": "UNSHIPPED",
        "importState": "WAITING",
        "note": "Import Amazon Orders is off for this marketplace.",
        "buyerName": "Änne Müller",
        "total": {"amount": 19.9, "currency": "EUR"},
        "orderId": None,
        "orderNumber": None,
        "sellerCentralUrl": "https://sellercentral.amazon.de/orders-v3/order/" + ORDER,  # noqa: F405
    }
