"""Ring 1: a real PostgreSQL for the whole run, and the rows most tests need."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings

from restoring import django_db_setup  # noqa: F401
from saleor_amazon_channel.standalone import postgres, settings

if TYPE_CHECKING:
    from saleor_amazon_channel.models import SellerAccount

_servers = ExitStack()

# At import, before Django connects; by now pytest-django has read the settings.
_url = os.environ[postgres.DATABASE_URL] = _servers.enter_context(postgres.embedded())
django_settings.DATABASES["default"].update(settings.database(_url))


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture
def account(db: None) -> SellerAccount:
    """A German seller's account whose orders are all importable by date."""
    from saleor_amazon_channel.models import SellerAccount
    from wire_orders import NOW

    return SellerAccount.objects.create(
        name="Mugs and more",
        region="EU",
        seller_id="A1TESTSELLER",
        lwa_client_id="client",
        lwa_client_secret="client-secret",
        refresh_token="Atzr|refresh",
        import_from=NOW.replace(year=2025),
    )
