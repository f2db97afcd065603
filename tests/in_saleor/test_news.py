"""The main path in real Saleor, its staff acting through Saleor's own mutations."""

from __future__ import annotations

from decimal import Decimal

import pytest
from saleor.core.db.connection import allow_writer
from saleor.payment.models import TransactionItem

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.failing_news import *  # noqa: F403
from journeys.news import *  # noqa: F403
from journeys.world import World
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


def test_what_is_left_of_a_revised_order_can_still_be_refunded(world: World) -> None:
    imported(world)  # noqa: F405
    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])  # noqa: F405
    world.work_until_quiet(2)

    item = TransactionItem.objects.get()
    assert item.available_actions == ["refund"]
    assert (item.charged_value, item.refunded_value) == (Decimal("20"), Decimal("7.77"))
