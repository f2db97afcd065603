"""The store contract in real Saleor; its fixtures are in ``conftest``."""

from __future__ import annotations

from contract.suite import *  # noqa: F403
