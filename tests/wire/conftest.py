"""Our client, at the sandbox that a test module has as its fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saleor_amazon_channel.amazon.auth import Credentials, InMemoryTokenCache
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.throttle import InMemoryBudget
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(
        sandbox.url,
        sandbox.lwa_url,
        Credentials(CLIENT_ID, CLIENT_SECRET, "Atzr|sandbox-EU"),
        InMemoryBudget(),
        InMemoryTokenCache(),
    ) as client:
        yield client
