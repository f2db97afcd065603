"""The port to the shop."""

from .registry import (
    NoDashboardError,
    NoStoreError,
    current,
    install,
    register_pages,
    writer,
)

__all__ = [
    "NoDashboardError",
    "NoStoreError",
    "current",
    "install",
    "register_pages",
    "writer",
]
