"""The plugin in Saleor: found, listed, configured, switched on and off."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import entry_points

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from saleor.app.models import App
from saleor.celeryconf import app as celery_app
from saleor.plugins.base_plugin import BasePlugin
from saleor.plugins.manager import get_plugins_manager
from saleor.plugins.models import PluginConfiguration

from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.models import (
    ChannelSettings,
    CommunicationLog,
    SellerAccount,
)
from saleor_amazon_channel.saleor.app import ensure_app, get_app
from saleor_amazon_channel.saleor.plugin import AmazonChannelPlugin

PLUGIN = "saleor_amazon_channel.saleor.plugin.AmazonChannelPlugin"

UPDATE = """
mutation Update($input: PluginUpdateInput!) {
  pluginUpdate(id: "amazon.sales.channel", input: $input) {
    plugin { globalConfiguration { active configuration { name value } } }
    errors { field message code }
  }
}
"""


@pytest.fixture(autouse=True)
def plugin(settings):
    settings.PLUGINS = [PLUGIN]
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = Fernet.generate_key().decode()


@pytest.fixture
def update(staff_api_client, permission_manage_plugins):
    staff_api_client.user.user_permissions.add(permission_manage_plugins)

    def send(active=None, **configuration):
        variables = {
            "configuration": [
                {"name": name, "value": value} for name, value in configuration.items()
            ]
        }
        if active is not None:
            variables["active"] = active
        answer = staff_api_client.post_graphql(UPDATE, {"input": variables}).json()
        return answer["data"]["pluginUpdate"]

    return send


def test_saleor_finds_us_without_an_edit_of_its_settings():
    (entry,) = entry_points(group="saleor.plugins", name="saleor_amazon_channel")

    assert entry.load() is AmazonChannelPlugin
    assert django_settings.INSTALLED_APPS.count("saleor_amazon_channel") == 1


def test_beat_has_our_tick_without_an_edit_of_saleors_settings():
    entry = django_settings.CELERY_BEAT_SCHEDULE["amazon-channel-tick"]

    assert entry["task"] in celery_app.tasks
    assert entry["schedule"] == timedelta(seconds=15)


def test_listed_inactive_with_its_fields(staff_api_client, permission_manage_plugins):
    staff_api_client.user.user_permissions.add(permission_manage_plugins)

    answer = staff_api_client.post_graphql(
        """{ plugins(first: 10) { edges { node { id name
          channelConfigurations { active }
          globalConfiguration { active configuration { name value label helpText } }
        } } } }"""
    ).json()

    (plugin,) = [edge["node"] for edge in answer["data"]["plugins"]["edges"]]
    assert plugin["id"] == "amazon.sales.channel"
    assert plugin["name"] == "Amazon sales channel"
    assert plugin["channelConfigurations"] == []
    assert plugin["globalConfiguration"]["active"] is False
    fields = plugin["globalConfiguration"]["configuration"]
    assert [(field["name"], field["value"]) for field in fields] == [
        ("pull_interval_minutes", "4"),
        ("read_only", "false"),
        ("debug_logging", "false"),
        ("clear_log_history", "monthly"),
    ]
    assert all(field["label"] and field["helpText"] for field in fields)
    assert ChannelSettings.load().active is False


def test_switching_on_and_off_reaches_our_settings(update):
    answer = update(active=True, pull_interval_minutes="7", read_only="true")

    assert answer["errors"] == []
    assert answer["plugin"]["globalConfiguration"]["active"] is True
    saved = ChannelSettings.objects.get()
    assert (saved.active, saved.pull_interval_minutes) == (True, 7)
    assert (saved.read_only, saved.debug_logging) == (True, False)

    assert update(active=False)["errors"] == []
    saved = ChannelSettings.objects.get()
    assert (saved.active, saved.pull_interval_minutes) == (False, 7)


@pytest.mark.parametrize("interval", ["2", "0", "-4", "1441", "four", "4.5", ""])
def test_interval_is_validated(update, interval):
    answer = update(active=True, pull_interval_minutes=interval)

    assert answer["errors"] == [
        {
            "field": "pullIntervalMinutes",
            "message": "Give a whole number of minutes from 3 to 1440.",
            "code": "INVALID",
        }
    ]
    assert not PluginConfiguration.objects.filter(active=True).exists()
    assert not ChannelSettings.objects.exists()


@pytest.mark.parametrize("keys", [None, "", "not a key"])
def test_activation_without_a_usable_key_is_refused(
    update, settings, monkeypatch, keys
):
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = keys
    monkeypatch.delenv("AMAZON_CHANNEL_ENCRYPTION_KEYS", raising=False)

    (error,) = update(active=True)["errors"]

    assert (error["field"], error["code"]) == ("active", "PLUGIN_MISCONFIGURED")
    assert "AMAZON_CHANNEL_ENCRYPTION_KEYS" in error["message"]
    assert not ChannelSettings.objects.filter(active=True).exists()
    # The page can be filled in before the key is there.
    assert update(active=False, pull_interval_minutes="9")["errors"] == []


def test_a_failing_save_leaves_both_rows_as_they_were(update, monkeypatch):
    update(active=False, pull_interval_minutes="9")

    def fail():
        raise RuntimeError

    monkeypatch.setattr("saleor_amazon_channel.saleor.app.ensure_app", fail)
    manager = get_plugins_manager(allow_replica=False)
    with pytest.raises(RuntimeError):
        manager.save_plugin_configuration(
            "amazon.sales.channel", None, {"active": True}
        )

    assert PluginConfiguration.objects.get().active is False
    assert ChannelSettings.objects.get().active is False


def test_our_app_is_made_once_and_kept_up_to_date(update):
    assert get_app() is None
    update(active=True)
    app = get_app()
    assert (app.name, app.type, app.is_active) == (
        "Amazon sales channel",
        "thirdparty",
        True,
    )
    assert {permission.codename for permission in app.permissions.all()} == {
        "manage_orders",
        "handle_payments",
        "manage_plugins",
    }
    # An operator's choice stays, our own fields are put right.
    App.objects.filter(pk=app.pk).update(is_active=False, version="0")

    assert ensure_app() == app

    app.refresh_from_db()
    assert (app.is_active, app.version) == (False, "0.1.0")
    assert App.objects.filter(identifier=app.identifier).count() == 1


def test_a_removed_app_is_replaced(update, app):
    update(active=True)
    removed = get_app()
    App.objects.filter(pk=removed.pk).update(removed_at="2026-01-01T00:00:00Z")
    assert get_app() is None

    assert ensure_app().pk != removed.pk


def test_only_the_hooks_that_nothing_else_can_be_are_defined():
    # A hook costs every order of the shop, and some change what Saleor does.
    hooks = {
        name
        for name in vars(AmazonChannelPlugin)
        if not name.startswith("_")
        and not name.isupper()
        and not hasattr(BasePlugin, name)
    }
    assert hooks == {
        "fulfillment_metadata_updated",
        "invoice_request",
        "transaction_refund_requested",
        "webhook",
    }


@pytest.mark.parametrize(("setting", "days"), [("Daily", 1), ("weekly", 7)])
def test_e1_logs_are_cleared_as_the_plugin_page_says(update, setting, days):
    assert update(active=True, clear_log_history=setting)["errors"] == []
    account = SellerAccount.objects.create(name="Mugs", region="EU", seller_id="A1")
    now = clock.now()
    for age in (timedelta(days=days, minutes=5), timedelta(days=days, minutes=-5)):
        CommunicationLog.objects.create(
            account=account,
            operation="searchOrders",
            error_code="x",
            message="x",
            created_at=now - age,
        )

    tasks.keep_house()

    (left,) = CommunicationLog.objects.all()
    assert left.created_at > now - timedelta(days=days)


SETTINGS = """
mutation Update($input: AmazonSettingsUpdateInput!) {
  amazonSettingsUpdate(input: $input) {
    settings { isActive pullIntervalMinutes isReadOnly isDebugLogging clearLogHistory }
    errors { field message code }
  }
}
"""


@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "never saved"])
def test_what_is_set_by_graphql_is_on_the_plugins_page(
    update, staff_api_client, is_saved
):
    if is_saved:
        update(active=True, clear_log_history="daily")
    else:
        update()  # Asks for the permission, and saves nothing.
        PluginConfiguration.objects.all().delete()
        ChannelSettings.objects.all().delete()
    settings = {
        "pullIntervalMinutes": 9,
        "isReadOnly": True,
        "isDebugLogging": True,
        "clearLogHistory": "WEEKLY",
    }

    answer = staff_api_client.post_graphql(SETTINGS, {"input": settings}).json()

    assert answer["data"]["amazonSettingsUpdate"] == {
        "settings": {"isActive": is_saved, **settings},
        "errors": [],
    }
    shown = update()["plugin"]["globalConfiguration"]
    assert shown["active"] is is_saved
    assert {field["name"]: field["value"] for field in shown["configuration"]} == {
        "pull_interval_minutes": "9",
        "read_only": "true",
        "debug_logging": "true",
        "clear_log_history": "weekly",
    }
    # Saved there once more, it is the same.
    saved = ChannelSettings.objects.get()
    assert (saved.active, saved.pull_interval_minutes) == (is_saved, 9)
    assert (saved.read_only, saved.debug_logging) == (True, True)
    assert saved.clear_log_history == "weekly"


def test_e1_another_word_is_refused(update):
    assert update(clear_log_history="yearly")["errors"] == [
        {
            "field": "clearLogHistory",
            "message": "One of daily, weekly, monthly.",
            "code": "INVALID",
        }
    ]


def test_e4_a_copy_of_the_shop_shows_read_only_on_the_plugins_page(update, settings):
    settings.PUBLIC_URL = "https://shop.example"
    update(active=True)
    tasks.tick()
    settings.PUBLIC_URL = "https://staging.shop.example"

    tasks.tick()

    assert ChannelSettings.objects.get().read_only
    shown = update(debug_logging="true")["plugin"]["globalConfiguration"]
    assert {"name": "read_only", "value": "true"} in shown["configuration"]
    # What else is saved changes nothing of it.
    saved = ChannelSettings.objects.get()
    assert saved.read_only
    assert saved.read_only_reason.startswith("The shop was at https://shop.example")

    update(read_only="false")
    tasks.tick()

    saved = ChannelSettings.objects.get()
    assert (saved.read_only, saved.read_only_reason, saved.public_url) == (
        False,
        "",
        "https://staging.shop.example",
    )
