"""The plugin Saleor's entry point names: thin, and light to import.

Saleor imports this module while it boots, and an ImportError here would stop the whole
shop: so what is ours is imported where it is used.

Defining a hook means subscribing to it, for every order of the shop; what staff do is
noticed by ``capture`` instead. The hooks here are for the one change that Saleor makes
without a signal, and for the two requests that only a plugin can answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from saleor.core.db.connection import allow_writer
from saleor.plugins.base_plugin import BasePlugin, ConfigurationTypeField
from saleor.plugins.error_codes import PluginErrorCode
from saleor.plugins.models import PluginConfiguration

from ..conf import MAX_PULL_MINUTES, MIN_PULL_MINUTES

PULL_INTERVAL = "pull_interval_minutes"
READ_ONLY = "read_only"
DEBUG_LOGGING = "debug_logging"
CLEAR_LOG_HISTORY = "clear_log_history"


class AmazonChannelPlugin(BasePlugin):
    """Dashboard → Plugins: the switch, and what a store admin sets for all accounts."""

    PLUGIN_ID = "amazon.sales.channel"
    PLUGIN_NAME = "Amazon sales channel"
    PLUGIN_DESCRIPTION = (
        "Sell on Amazon from this shop: Amazon orders become orders here, and shipping "
        "them here tells Amazon. Seller accounts are connected, and marketplaces "
        "mapped to channels, under Orders, Amazon orders. Nothing happens until the "
        "plugin is active."
    )
    DEFAULT_ACTIVE = False
    CONFIGURATION_PER_CHANNEL = False
    DEFAULT_CONFIGURATION = [
        {"name": PULL_INTERVAL, "value": "4"},
        {"name": READ_ONLY, "value": False},
        {"name": DEBUG_LOGGING, "value": False},
        {"name": CLEAR_LOG_HISTORY, "value": "monthly"},
    ]
    CONFIG_STRUCTURE = {
        PULL_INTERVAL: {
            "type": ConfigurationTypeField.STRING,
            "label": "Minutes between two pulls",
            "help_text": (
                "How often Amazon is asked for new and changed orders: "
                f"{MIN_PULL_MINUTES} to {MAX_PULL_MINUTES}. Amazon allows one "
                "question per 3 minutes in the long run; 4 leaves some for the rest."
            ),
        },
        READ_ONLY: {
            "type": ConfigurationTypeField.BOOLEAN,
            "label": "Read-only mode",
            "help_text": (
                "For copies of the shop: orders come in, nothing is sent to Amazon. "
                "What would be sent is kept, and goes out once this is off. Switched "
                "on by itself when the shop is found under another address."
            ),
        },
        DEBUG_LOGGING: {
            "type": ConfigurationTypeField.BOOLEAN,
            "label": "Debug logging",
            "help_text": (
                "Log every call to Amazon with its duration and request id. Never "
                "logs secrets or buyer data."
            ),
        },
        CLEAR_LOG_HISTORY: {
            "type": ConfigurationTypeField.STRING,
            "label": "Clear log history",
            "help_text": (
                "daily, weekly or monthly: what failed between Amazon and the shop, "
                "what was tried, and timelines of orders long done are deleted when "
                "they are older than that."
            ),
        },
    }

    @classmethod
    def validate_plugin_configuration(
        cls, plugin_configuration: Any, **kwargs: Any
    ) -> None:
        values = _values(plugin_configuration)
        _pull_interval(values)
        _clear_log_history(values)
        if plugin_configuration.active:
            _require_encryption_keys()

    @classmethod
    def save_plugin_configuration(
        cls, plugin_configuration: Any, cleaned_data: dict[str, Any]
    ) -> Any:
        """Save Saleor's row and, in the same transaction, ours, which the rest reads"""
        from ..channel_settings import ANY_ADDRESS
        from ..models import ChannelSettings
        from . import app

        with allow_writer(), transaction.atomic():
            was_active = ChannelSettings.load().active
            saved = super().save_plugin_configuration(
                plugin_configuration, cleaned_data
            )
            values = _values(saved)
            ChannelSettings.objects.update_or_create(
                id=1,
                defaults={
                    "active": saved.active,
                    "pull_interval_minutes": _pull_interval(values),
                    "read_only": bool(values[READ_ONLY]),
                    **({} if values[READ_ONLY] else ANY_ADDRESS),
                    "debug_logging": bool(values[DEBUG_LOGGING]),
                    "clear_log_history": _clear_log_history(values),
                },
            )
            if saved.active:
                app.ensure_app()
            if saved.active != was_active:
                app.set_active(saved.active)
        return saved

    def webhook(
        self, request: HttpRequest, path: str, previous_value: HttpResponse
    ) -> HttpResponse:
        """The channel's pages, below ``/plugins/global/amazon.sales.channel/``."""
        from . import pages

        # Saleor calls this by its old address even while the plugin is off.
        return pages.respond(request, path) if self.active else previous_value

    def fulfillment_metadata_updated(
        self, fulfillment: Any, *args: Any, previous_value: Any = None, **kwargs: Any
    ) -> Any:
        """Staff told the carrier after shipping: Saleor updates metadata in bulk SQL,
        which sends no signal."""
        from . import capture

        capture.on_fulfillment_metadata(fulfillment, self.requestor)
        return previous_value

    def invoice_request(
        self, order: Any, invoice: Any, number: str | None, previous_value: Any = None
    ) -> Any:
        """Staff want an invoice. Saleor now takes requests for all orders: those that
        are not Amazon's are answered as if this were not here."""
        from . import capture, invoices

        actor = capture.actor_of(self.requestor)
        return invoices.on_request(
            self.PLUGIN_ID, order, invoice, number, previous_value, actor
        )

    def transaction_refund_requested(
        self, transaction_data: Any, previous_value: Any = None
    ) -> Any:
        """Staff want money given back. As above: those of transactions that are not
        Amazon's are answered as if this were not here."""
        from . import refund_requests

        refund_requests.on_request(self.PLUGIN_ID, transaction_data)
        return previous_value


def show_settings(values: Mapping[str, Any]) -> None:
    """Show on the plugin's page what was set elsewhere; names are the same there."""
    row, _ = PluginConfiguration.objects.select_for_update().get_or_create(
        identifier=AmazonChannelPlugin.PLUGIN_ID,
        channel=None,
        defaults={
            "name": AmazonChannelPlugin.PLUGIN_NAME,
            "description": AmazonChannelPlugin.PLUGIN_DESCRIPTION,
            "active": AmazonChannelPlugin.DEFAULT_ACTIVE,
            "configuration": AmazonChannelPlugin.DEFAULT_CONFIGURATION,
        },
    )
    others = [field for field in row.configuration or [] if field["name"] not in values]
    shown = [
        {"name": name, "value": str(value) if name == PULL_INTERVAL else value}
        for name, value in values.items()
    ]
    row.configuration = [*others, *shown]
    row.save(update_fields=["configuration"])


def _values(plugin_configuration: Any) -> dict[str, Any]:
    defaults = AmazonChannelPlugin.DEFAULT_CONFIGURATION
    return {
        field["name"]: field["value"]
        for field in [*defaults, *(plugin_configuration.configuration or [])]
    }


def _pull_interval(values: dict[str, Any]) -> int:
    try:
        minutes = int(values[PULL_INTERVAL])
    except (TypeError, ValueError):
        minutes = 0
    if not MIN_PULL_MINUTES <= minutes <= MAX_PULL_MINUTES:
        raise ValidationError(
            {
                PULL_INTERVAL: ValidationError(
                    f"Give a whole number of minutes from {MIN_PULL_MINUTES} to "
                    f"{MAX_PULL_MINUTES}.",
                    code=PluginErrorCode.INVALID.value,
                )
            }
        )
    return minutes


def _clear_log_history(values: dict[str, Any]) -> str:
    from ..models import ChannelSettings

    chosen = str(values[CLEAR_LOG_HISTORY]).strip().lower()
    if chosen not in ChannelSettings.LogHistory.values:
        raise ValidationError(
            {
                CLEAR_LOG_HISTORY: ValidationError(
                    f"One of {', '.join(ChannelSettings.LogHistory.values)}.",
                    code=PluginErrorCode.INVALID.value,
                )
            }
        )
    return chosen


def _require_encryption_keys() -> None:
    from .. import fields

    try:
        fields.encrypt("check")
    except ImproperlyConfigured as error:
        raise ValidationError(
            {
                "active": ValidationError(
                    f"The channel cannot be switched on. {error}",
                    code=PluginErrorCode.PLUGIN_MISCONFIGURED.value,
                )
            }
        ) from error
