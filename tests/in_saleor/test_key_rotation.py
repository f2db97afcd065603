"""Keys are rotated inside Saleor as they are outside."""

from __future__ import annotations

from test_key_rotation import *  # noqa: F403
