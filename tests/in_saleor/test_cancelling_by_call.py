"""Cancelling by Amazon's call."""

from __future__ import annotations

import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.cancelling_by_call import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))
