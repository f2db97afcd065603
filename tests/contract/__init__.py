"""One suite for every shop behind the port; see ``suite``."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in ("creating", "racing", "refunding", "resolving", "shipping")
    )
)
