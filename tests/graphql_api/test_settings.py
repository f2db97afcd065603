"""The channel's global settings, read and changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.conftest import Answer
from saleor_amazon_channel.models import ChannelSettings

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

FIELDS = """
isActive pullIntervalMinutes isReadOnly readOnlyReason isDebugLogging clearLogHistory
"""
UPDATE = f"""
mutation ($input: AmazonSettingsUpdateInput!) {{
  amazonSettingsUpdate(input: $input) {{
    settings {{ {FIELDS} }}
    errors {{ field message code }}
  }}
}}
"""
DEFAULTS = {
    "isActive": False,
    "pullIntervalMinutes": 4,
    "isReadOnly": False,
    "readOnlyReason": None,
    "isDebugLogging": False,
    "clearLogHistory": "MONTHLY",
}


def read(ask: Ask) -> Any:
    return ask(f"{{ amazonSettings {{ {FIELDS} }} }}")["amazonSettings"]


def update(ask: Ask, **input: Any) -> Any:
    return ask(UPDATE, {"input": input})["amazonSettingsUpdate"]


def test_the_defaults_stand_until_something_is_saved(ask: Ask) -> None:
    assert read(ask) == DEFAULTS
    assert update(ask) == {"settings": DEFAULTS, "errors": []}
    assert not ChannelSettings.objects.exists()


def test_what_is_given_is_changed_and_the_rest_stays(ask: Ask) -> None:
    ChannelSettings.objects.create(id=1, active=True)

    first = update(ask, pullIntervalMinutes=10, clearLogHistory="WEEKLY")
    second = update(ask, isDebugLogging=True, isReadOnly=True, clearLogHistory=None)

    changed = DEFAULTS | {
        "isActive": True,
        "pullIntervalMinutes": 10,
        "clearLogHistory": "WEEKLY",
    }
    assert first == {"settings": changed, "errors": []}
    changed |= {"isDebugLogging": True, "isReadOnly": True}
    assert second == {"settings": changed, "errors": []}
    assert read(ask) == changed


def test_e4_switching_read_only_mode_off_accepts_the_shops_address(ask: Ask) -> None:
    moved = {
        "read_only": True,
        "read_only_reason": "The shop was elsewhere.",
        "public_url": "https://shop.example",
    }
    ChannelSettings.objects.create(id=1, active=True, **moved)

    # Another change leaves it on, with its reason.
    answer = update(ask, pullIntervalMinutes=5)["settings"]
    assert (answer["isReadOnly"], answer["readOnlyReason"]) == (
        True,
        "The shop was elsewhere.",
    )
    answer = update(ask, isReadOnly=False)["settings"]

    assert (answer["isReadOnly"], answer["readOnlyReason"]) == (False, None)
    assert ChannelSettings.objects.get().public_url == ""


@pytest.mark.parametrize("minutes", [2, -1, 0, 1441])
def test_intervals_that_cannot_be(ask: Ask, minutes: int) -> None:
    assert update(ask, pullIntervalMinutes=minutes, isReadOnly=True) == {
        "settings": None,
        "errors": [
            {
                "field": "pullIntervalMinutes",
                "message": "Give a whole number of minutes from 3 to 1440.",
                "code": "INVALID",
            }
        ],
    }
    assert not ChannelSettings.objects.exists()
