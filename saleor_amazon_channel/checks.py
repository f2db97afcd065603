"""System checks: what is wrong with the installation, found at start."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register
from django.core.exceptions import ImproperlyConfigured

from . import fields


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
