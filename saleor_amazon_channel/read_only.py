"""Read-only mode by itself: a copy of the shop must not act on Amazon.

A copy of the database brings all that is to be sent with it, and the secrets to send
it. It is told by the address of the shop, which differs from the one under which the
channel was last at work.
"""

from __future__ import annotations

import logging

from django.db import transaction

from . import store
from .models import ChannelSettings
from .store.contract import ShopAddress

logger = logging.getLogger(__name__)


def guard(settings: ChannelSettings) -> ChannelSettings:
    """The settings, in read-only mode if the shop is found under another address.

    Called before anything is sent. Switching read-only mode off again says that the
    new address is right.
    """
    if not settings.active or settings.read_only:
        return settings
    now = store.current().address()
    if now == _known(settings):
        return settings
    with transaction.atomic():
        row = ChannelSettings.objects.select_for_update().get(id=1)
        known = _known(row)
        if row.read_only:
            return row
        if _has_moved(known, now):
            row.read_only = True
            row.read_only_reason = (
                f"The shop was at {known.public_url or known.domain} and is now at "
                f"{now.public_url or now.domain}: a copy must not act on Amazon. If it "
                "is no copy, switch read-only mode off."
            )
            store.current().show_settings({"read_only": True})
            logger.warning("read-only mode: %s", row.read_only_reason)
        else:
            row.public_url, row.domain = now.public_url, now.domain
        row.save()
    return row


def _known(settings: ChannelSettings) -> ShopAddress:
    return ShopAddress(settings.public_url, settings.domain)


def _has_moved(known: ShopAddress, now: ShopAddress) -> bool:
    """By the public URL; by the domain where a process was not told of that one."""
    if known.public_url and now.public_url:
        return known.public_url != now.public_url
    return bool(known.domain and now.domain and known.domain != now.domain)
