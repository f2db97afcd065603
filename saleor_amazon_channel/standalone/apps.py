"""Wiring of the stand-alone shop: it is the shop of every process that installs it."""

from __future__ import annotations

from django.apps import AppConfig


class StandaloneShopConfig(AppConfig):
    name = "saleor_amazon_channel.standalone"
    label = "standalone_shop"
    verbose_name = "Stand-alone shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .. import store
        from .store import StandaloneStore

        store.install(StandaloneStore())
