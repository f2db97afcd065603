"""Wiring: the Django app that Saleor's entry point or the stand-alone shop installs."""

from __future__ import annotations

import importlib
import importlib.util

from django.apps import AppConfig


class AmazonChannelConfig(AppConfig):
    name = "saleor_amazon_channel"
    verbose_name = "Amazon sales channel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401

        if importlib.util.find_spec("saleor") and self._runs_in_saleor():
            importlib.import_module("saleor_amazon_channel.saleor.install").install()

    @staticmethod
    def _runs_in_saleor() -> bool:
        from django.apps import apps

        return apps.is_installed("saleor.order")
