"""Amazon's notifications in real Saleor."""

from __future__ import annotations

import pytest
from saleor.core.db.connection import allow_writer

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.notifications import *  # noqa: F403
from saleor_amazon_channel.saleor.store import SaleorStore


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch):
    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))


# One version is enough for what takes minutes; nothing in it is bound to a version.
test_a_worker_that_dies_at_any_moment_loses_and_doubles_nothing = (
    pytest.mark.saleor_version(">=3.23")(
        test_a_worker_that_dies_at_any_moment_loses_and_doubles_nothing  # noqa: F405
    )
)
