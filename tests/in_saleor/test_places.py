"""Places and people in real Saleor, its staff acting through Saleor's own mutations."""

from __future__ import annotations

import pytest
from saleor.core.db.connection import allow_writer
from saleor.plugins.manager import PluginsManager

from in_saleor.drivers import SaleorDriver
from journeys.places import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    notifications = []

    def notify(self, event, payload_func, channel_slug=None, plugin_id=None):
        notifications.append(event)

    monkeypatch.setattr(PluginsManager, "notify", notify)
    with allow_writer():
        yield SaleorDriver(notifications)
