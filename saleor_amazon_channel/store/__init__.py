"""The port to the shop."""

from .registry import NoStoreError, current, install, writer

__all__ = ["NoStoreError", "current", "install", "writer"]
