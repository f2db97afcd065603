"""Ring 2: our tests inside a real Saleor, with Saleor's own fixtures.

Run by `scripts/ring2.py`, which brings the environment and the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import django.test
import pytest
from django.conf import settings
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from saleor import __version__ as saleor_version
from saleor.tests.utils import prepare_test_db_connections

from restoring import django_db_setup  # noqa: F401

# The list of Saleor's own root conftest, the same in all versions we support.
pytest_plugins = [
    "saleor.tests.fixtures",
    "saleor.app.tests.fixtures",
    "saleor.plugins.tests.fixtures",
    "saleor.graphql.tests.fixtures",
    "saleor.webhook.tests.fixtures",
    "saleor.tax.tests.fixtures",
    "saleor.channel.tests.fixtures",
    "saleor.page.tests.fixtures",
    "saleor.menu.tests.fixtures",
    "saleor.warehouse.tests.fixtures",
    "saleor.thumbnail.tests.fixtures",
    "saleor.order.tests.fixtures",
    "saleor.product.tests.fixtures",
    "saleor.site.tests.fixtures",
    "saleor.shipping.tests.fixtures",
    "saleor.permission.tests.fixtures",
    "saleor.giftcard.tests.fixtures",
    "saleor.discount.tests.fixtures",
    "saleor.checkout.tests.fixtures",
    "saleor.attribute.tests.fixtures",
    "saleor.account.tests.fixtures",
    "saleor.graphql.account.tests.fixtures",
    "saleor.payment.tests.fixtures",
    "saleor.webhook.tests.circuit_breaker.fixtures",
]

DESELECTED = pytest.StashKey[int]()
DATABASES_SCRIPT = Path(__file__).parents[2] / "scripts" / "saleor_env" / "databases.py"

# What Saleor's root conftest does outside fixtures: tests may use both connections, and
# the replica is the writer under another name.
django.test.TransactionTestCase.databases = django.test.TestCase.databases = {
    settings.DATABASE_CONNECTION_DEFAULT_NAME,
    settings.DATABASE_CONNECTION_REPLICA_NAME,
}
prepare_test_db_connections()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is bound to another Saleor version, before it can be skipped."""
    selected, deselected = [], []
    for item in items:
        specifiers = [mark.args[0] for mark in item.iter_markers("saleor_version")]
        fits = all(
            SpecifierSet(specifier).contains(Version(saleor_version), prereleases=True)
            for specifier in specifiers
        )
        (selected if fits else deselected).append(item)
    if deselected:
        items[:] = selected
        config.hook.pytest_deselected(items=deselected)
        config.stash[DESELECTED] = len(deselected)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    count = config.stash.get(DESELECTED, 0)
    return [f"tests left out on Saleor {saleor_version}: {count}"] if count else []


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Give each worker of pytest-xdist its own copy of the template."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    database = settings.DATABASES[settings.DATABASE_CONNECTION_DEFAULT_NAME]
    template, name = os.environ["RING2_TEMPLATE"], database["TEST"]["NAME"]
    copy = [sys.executable, DATABASES_SCRIPT, "copy", template, name]
    subprocess.run(copy, check=True)
    # The replica is the same one; threads of a test open it by its name in here.
    settings.DATABASES[settings.DATABASE_CONNECTION_REPLICA_NAME]["NAME"] = name


@pytest.fixture
def store():
    """Saleor as the channel's shop."""
    from saleor_amazon_channel.saleor.store import SaleorStore

    return SaleorStore()


@pytest.fixture
def shop(db, monkeypatch):
    """Saleor's staff and goods; what Saleor would mail is noted, not sent."""
    from saleor.core.db.connection import allow_writer

    from in_saleor.drivers import SaleorDriver, record_notifications

    with allow_writer():
        yield SaleorDriver(record_notifications(monkeypatch))
