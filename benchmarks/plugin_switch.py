"""Takes the plugin out of a running Saleor and puts it back, to compare the two.

Taken out and put back:
- our receiver of Saleor's order events;
- our plugin in ``settings.PLUGINS``, which Saleor loads for each request;
- our switch, ``ChannelSettings.active``;
- our fields in the schema that Saleor's view validates, costs and executes with, and
  their costs: without the plugin it is the schema Saleor itself built.

Left in place: our app's modules and tables, the row of our app among Saleor's apps and
that of the plugin's configuration, the beat schedule (which no request reads), and the
guard of checkouts in ``saleor/compat.py`` (which fulfilling does not call).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django.conf import settings
from django.db.models.signals import post_save
from django.urls import resolve
from saleor.core.db.connection import allow_writer
from saleor.graphql.query_cost_map import COST_MAP
from saleor.order.models import OrderEvent
from saleor.plugins.manager import get_plugins_manager

from saleor_amazon_channel.models import ChannelSettings
from saleor_amazon_channel.saleor import capture, schema
from saleor_amazon_channel.saleor.plugin import AmazonChannelPlugin

PLUGIN = f"{AmazonChannelPlugin.__module__}.{AmazonChannelPlugin.__qualname__}"


class PluginSwitch:
    """Make it before anything imports Saleor's API: that is when ours joins it."""

    def __init__(self) -> None:
        saleors: dict[str, Any] = {}
        compose = schema.compose

        def remember_and_compose(api: Any) -> None:
            saleors["schema"], saleors["costs"] = api.schema, deepcopy(COST_MAP)
            compose(api)

        schema.compose = remember_and_compose
        self._view = resolve("/graphql/").func.view_initkwargs
        schema.compose = compose
        self._schemas = {False: saleors["schema"], True: self._view["schema"]}
        self._costs = {False: saleors["costs"], True: deepcopy(COST_MAP)}
        assert "amazonOrders" in self._schemas[True].get_query_type().fields
        assert "amazonOrders" not in self._schemas[False].get_query_type().fields
        self._plugins = {True: settings.PLUGINS}
        self._plugins[False] = [path for path in settings.PLUGINS if path != PLUGIN]
        assert len(self._plugins[False]) == len(self._plugins[True]) - 1
        with allow_writer():
            get_plugins_manager(allow_replica=False).save_plugin_configuration(
                AmazonChannelPlugin.PLUGIN_ID, None, {"active": True}
            )
        self._is_on = True

    def turn(self, is_on: bool) -> None:
        if is_on == self._is_on:
            return
        self._is_on = is_on
        if is_on:
            capture.connect()
        else:
            assert post_save.disconnect(
                sender=OrderEvent, dispatch_uid="saleor_amazon_channel.order_event"
            )
        settings.PLUGINS = self._plugins[is_on]
        self._set_schema(self._schemas[is_on], self._costs[is_on])
        with allow_writer():
            ChannelSettings.objects.update(active=is_on)

    def _set_schema(self, composed: Any, costs: Mapping[str, Any]) -> None:
        from saleor.graphql import views

        self._view["schema"] = views.schema = composed
        COST_MAP.clear()
        COST_MAP.update(costs)
