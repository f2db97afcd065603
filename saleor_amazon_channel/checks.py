"""System checks: what is wrong with the installation, found at start."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register
from django.core.exceptions import ImproperlyConfigured

from . import conf, fields


@register()
def encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """amazon_channel.W001: no usable key to encrypt secrets and buyer data with.

    A warning and not an error, since Celery's worker runs the checks at start and an
    error would keep the whole shop's worker from booting. Switching the channel on is
    refused instead.
    """
    try:
        fields.encrypt("check")
    except ImproperlyConfigured as error:
        return [Warning(str(error), id="amazon_channel.W001")]
    return []


@register()
def guard_checkouts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """amazon_channel.W003: AMAZON_CHANNEL_GUARD_CHECKOUTS is neither yes nor no."""
    value = conf.app_settings.raw("GUARD_CHECKOUTS")
    if value is None or str(value).strip().lower() in (*conf.YES, *conf.NO):
        return []
    return [
        Warning(
            f"AMAZON_CHANNEL_GUARD_CHECKOUTS is {str(value)[:40]!r}, which is neither "
            "yes nor no, and taken for yes. Set it to true or false.",
            id="amazon_channel.W003",
        )
    ]
