"""Saleor's own test settings, on the database the runner made for this run."""

from __future__ import annotations

from saleor.tests.settings import *  # noqa: F403
from saleor.tests.settings import DATABASE_CONNECTION_DEFAULT_NAME, DATABASES

# The runner has already copied the migrated template: the test database is that copy,
# not "test_" and its name. The replica mirrors it.
_database = DATABASES[DATABASE_CONNECTION_DEFAULT_NAME]
_database["TEST"] = {"NAME": _database["NAME"]}
