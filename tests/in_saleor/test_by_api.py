"""Staff ship and refund by the channel's own API, in real Saleor."""

from __future__ import annotations

import pytest
from saleor.account.models import Group
from saleor.core.db.connection import allow_writer
from saleor.order.models import OrderEvent
from saleor.permission.enums import get_permissions
from saleor.plugins.models import PluginConfiguration

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.by_api import *  # noqa: F403
from journeys.by_api import (
    ORDER,
    REFUND,
    packages_on_amazon,
    rounds,
    ship,
    to_global,
    view,
)
from saleor_amazon_channel.models import OutboxEntry
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_plugin import PLUGIN
from .test_refunding import WEBHOOKS


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings):
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        yield SaleorDriver(record_notifications(monkeypatch))


def test_where_fulfillments_are_approved_amazon_hears_of_it_then(world):
    world.shop.require_approval()

    answer = ship(world, trackingNumber="T-1", carrier="UPS")

    assert answer["outboxEntries"] == []
    [fulfillment] = view(world).fulfillments
    assert fulfillment.status == "waiting_for_approval"
    world.shop.approve(fulfillment.fulfillment_id)
    rounds(world)
    [package] = packages_on_amazon(world)
    assert package["carrier"] == "UPS"


def test_saleors_history_names_who_shipped(world):
    ship(world, trackingNumber="T-1", carrier="UPS")

    events = OrderEvent.objects.filter(type="fulfillment_fulfilled_items")
    assert [event.user.email for event in events] == ["staff@example.com"]


def test_who_may_not_handle_payments_in_saleor_may_not_here(world):
    ship(world, trackingNumber="T-1")
    rounds(world)
    group = Group.objects.get()
    group.permissions.set(get_permissions(["order.manage_orders"]))
    order = world.ledger_order(ORDER)

    answer = world.shop._staff.post_graphql(
        REFUND,
        {"id": to_global("AmazonOrder", order.pk), "input": {"amount": "5.00"}},
    ).json()

    assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    assert not OutboxEntry.objects.filter(kind="refund").exists()
