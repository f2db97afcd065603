"""The plugin Saleor's entry point names: thin, and light to import.

Saleor imports this module while it boots; an ImportError here would stop the whole
shop, so it imports nothing of ours beyond what Django's app registry needs.
"""

from __future__ import annotations

from saleor.plugins.base_plugin import BasePlugin


class AmazonChannelPlugin(BasePlugin):
    PLUGIN_ID = "amazon.sales.channel"
    PLUGIN_NAME = "Amazon sales channel"
    PLUGIN_DESCRIPTION = "Sell on Amazon: orders come in, shipments go back."
    DEFAULT_ACTIVE = False
    CONFIGURATION_PER_CHANNEL = False
