"""A stateful Selling Partner API on loopback: Amazon's side, for trying and testing.

    python -m saleor_amazon_channel.sandbox --port 8765

Amazon's own sandbox only matches patterns and remembers nothing; this one has orders
that change, usage plans, pagination tokens that expire, strict validation, and faults
on demand. It shares no code with the client it is there to test, and persists nothing.
"""

from __future__ import annotations

from .server import Sandbox, running_sandbox
from .state import CLIENT_ID, CLIENT_SECRET, State

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Sandbox", "State", "running_sandbox"]
