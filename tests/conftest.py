"""Ring 1: a real PostgreSQL for the whole run."""

from __future__ import annotations

import os
from contextlib import ExitStack

from saleor_amazon_channel.standalone import postgres

_servers = ExitStack()


# At import, which is before Django reads its settings.
os.environ[postgres.DATABASE_URL] = _servers.enter_context(postgres.embedded())


def pytest_unconfigure() -> None:
    _servers.close()
