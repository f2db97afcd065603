"""The cache folder, file locks and the one error of the harness."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class CannotRunError(Exception):
    """Ring 2 cannot run here; the message says what was looked for and where."""


def cache_folder() -> Path:
    """Everything expensive lives here and is shared by all clones of one user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "saleor-amazon-channel"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def exclusive_lock(name: str) -> Iterator[None]:
    """Hold `<cache>/locks/<name>.lock`; the system frees it if we are killed."""
    folder = cache_folder() / "locks"
    folder.mkdir(exist_ok=True)
    with open(folder / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
