"""Which shop this process works for; set once by whoever installs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from .contract import Store

_store: Store | None = None
_writer: Callable[[], AbstractContextManager[object]] = nullcontext
_register_pages: Callable[[], str] | None = None


class NoDashboardError(RuntimeError):
    """The installed shop has no dashboard that the channel's pages could be in."""


class NoStoreError(RuntimeError):
    """No shop was installed: neither Saleor's adapter nor the stand-alone shop."""


def install(
    store: Store,
    writer: Callable[[], AbstractContextManager[object]] = nullcontext,
    register_pages: Callable[[], str] | None = None,
) -> None:
    """Make ``store`` the shop. ``writer`` opens what the shop demands around database
    writes (Saleor's ``allow_writer``). ``register_pages`` makes the channel's pages
    known to the shop's dashboard, and answers their address."""
    global _store, _writer, _register_pages
    _store, _writer, _register_pages = store, writer, register_pages


def current() -> Store:
    """The shop. Raises NoStoreError where none was installed."""
    if _store is None:
        raise NoStoreError("No shop is installed; see docs/architecture.md.")
    return _store


def writer() -> AbstractContextManager[object]:
    """Surrounds everything of ours that writes outside the shop's own mutations."""
    return _writer()


def register_pages() -> str:
    """Make the channel's pages known to the shop's dashboard; may be repeated.

    Answers their address. Raises NoDashboardError.
    """
    if _register_pages is None:
        raise NoDashboardError("This shop has no dashboard.")
    return _register_pages()
