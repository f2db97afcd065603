"""Wires the adapter into Saleor; called once from ``AppConfig.ready``."""

from __future__ import annotations


def install() -> None:
    """Nothing here may raise: it would keep the whole shop from booting."""
