"""Which shop this process works for; set once by whoever installs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from .contract import Store

_store: Store | None = None
_writer: Callable[[], AbstractContextManager[object]] = nullcontext


class NoStoreError(RuntimeError):
    """No shop was installed: neither Saleor's adapter nor the stand-alone shop."""


def install(
    store: Store, writer: Callable[[], AbstractContextManager[object]] = nullcontext
) -> None:
    """Make ``store`` the shop. ``writer`` opens what the shop demands around database
    writes (Saleor's ``allow_writer``)."""
    global _store, _writer
    _store, _writer = store, writer


def current() -> Store:
    """The shop. Raises NoStoreError where none was installed."""
    if _store is None:
        raise NoStoreError("No shop is installed; see docs/architecture.md.")
    return _store


def writer() -> AbstractContextManager[object]:
    """Surrounds everything of ours that writes outside the shop's own mutations."""
    return _writer()
