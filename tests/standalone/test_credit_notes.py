"""Credit notes in the stand-alone shop."""

from __future__ import annotations

import pytest

from journeys.credit_notes import *  # noqa: F403
from saleor_amazon_channel.standalone.store import StandaloneStore

from .driver import StandaloneDriver


@pytest.fixture
def store() -> StandaloneStore:
    return StandaloneStore()


@pytest.fixture
def shop(transactional_db: None) -> StandaloneDriver:
    return StandaloneDriver()
