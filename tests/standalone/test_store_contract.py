"""The stand-alone shop keeps the port's promises: the suite that Saleor's passes."""

from __future__ import annotations

import pytest

from contract.suite import *  # noqa: F403
from saleor_amazon_channel.standalone.store import StandaloneStore

from .driver import StandaloneDriver


@pytest.fixture
def store() -> StandaloneStore:
    return StandaloneStore()


@pytest.fixture
def shop(db: None) -> StandaloneDriver:
    return StandaloneDriver()
