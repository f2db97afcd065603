"""What the environment may say."""

from __future__ import annotations

from typing import Any

import pytest

from saleor_amazon_channel import checks
from saleor_amazon_channel.conf import app_settings


@pytest.mark.parametrize(
    ("value", "is_on", "warnings"),
    [
        (None, True, 0),
        ("on", True, 0),
        ("true", True, 0),
        (True, True, 0),
        ("off", False, 0),
        ("False", False, 0),
        (False, False, 0),
        ("0", False, 0),
        ("maybe", True, 1),
    ],
)
def test_checkouts_are_guarded_unless_it_says_no(
    settings: Any, value: object, is_on: bool, warnings: int
) -> None:
    settings.AMAZON_CHANNEL_GUARD_CHECKOUTS = value

    assert app_settings.GUARD_CHECKOUTS is is_on
    assert len(checks.guard_checkouts(None)) == warnings
