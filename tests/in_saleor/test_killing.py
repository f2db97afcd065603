"""The worker is killed everywhere, in real Saleor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.killing import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore

# One version is enough for what takes minutes; nothing here is bound to a version.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.saleor_version(">=3.23"),
]


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings):
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))
