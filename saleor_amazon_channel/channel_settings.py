"""What a store admin sets for the whole channel, here or on the shop's own page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from . import store
from .models import ChannelSettings

#: With read-only mode off, where the shop is now is where it is to be; the worker
#: remembers it (``read_only``).
ANY_ADDRESS: Mapping[str, Any] = {
    "read_only_reason": "",
    "public_url": "",
    "domain": "",
}


def change(changes: Mapping[str, Any]) -> ChannelSettings:
    """Set fields of ``ChannelSettings``, and show them where the shop does."""
    with transaction.atomic():
        # The shop's row comes before ours, as where staff save it on the shop's page.
        store.current().show_settings(changes)
        values = dict(changes)
        if values.get("read_only") is False:
            values |= ANY_ADDRESS
        row, _ = ChannelSettings.objects.update_or_create(id=1, defaults=values)
    return row
