"""Credit notes in real Saleor."""

from __future__ import annotations

import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.credit_notes import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_invoicing import switch
from .test_plugin import PLUGIN


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings, tmp_path, site_settings):
    settings.PLUGINS = [PLUGIN]
    settings.MEDIA_ROOT = str(tmp_path)
    with allow_writer():
        switch(True)
        yield SaleorDriver(record_notifications(monkeypatch))
