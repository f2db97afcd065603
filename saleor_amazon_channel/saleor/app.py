"""Our row among Saleor's apps: the identity the channel acts under, and its pages.

It owns the transactions of imported orders, and staff see it where Saleor names who
did something. Its extensions are what the Dashboard shows of the channel. It needs no
token, since the channel works inside the process.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import connection, transaction
from django.urls import reverse
from saleor import schema_version
from saleor.app.models import App, AppExtension
from saleor.app.types import AppType
from saleor.core.db.connection import allow_writer
from saleor.core.utils import build_absolute_uri
from saleor.permission.enums import get_permissions, get_permissions_enum_dict

from .. import __version__
from ..dashboard import manifest
from ..models import ChannelSettings

logger = logging.getLogger(__name__)

IDENTIFIER = manifest.IDENTIFIER
PLUGIN_ID = "amazon.sales.channel"
#: Where the pages are below the plugin's address. The address alone will not do: the
#: Dashboard asks for it without a slash at its end, which Saleor does not route.
PAGES = "/dashboard"


def release() -> manifest.Release:
    major, minor = schema_version.split(".")
    return int(major), int(minor)


def base_url() -> str:
    """The plugin's own address, as browsers see Saleor, without a slash at its end."""
    path = reverse("plugins-global", kwargs={"plugin_id": PLUGIN_ID})
    return build_absolute_uri(path).rstrip("/")


def get_manifest() -> dict[str, Any]:
    return manifest.manifest(release(), base_url() + PAGES, base_url())


def get_app() -> App | None:
    """The channel's app, or None before the plugin was ever switched on."""
    return (
        App.objects.filter(identifier=IDENTIFIER, removed_at__isnull=True)
        .order_by("pk")
        .first()
    )


@transaction.atomic
def ensure_app() -> App:
    """Create the channel's app, or bring it up to date; may be repeated.

    Whether it is active is left alone once it exists: an operator may have switched it
    off.
    """
    with connection.cursor() as cursor:
        # The database allows the identifier twice: two activations take turns.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [IDENTIFIER]
        )
    app_url = base_url() + PAGES
    wanted = {
        "name": manifest.NAME,
        # Local apps get no access token for their pages in the dashboard.
        "type": AppType.THIRDPARTY,
        "version": __version__,
        "author": manifest.AUTHOR,
        "about_app": manifest.ABOUT,
        "app_url": app_url,
        "manifest_url": f"{base_url()}/manifest",
        "is_installed": True,
    }
    app = get_app()
    if app is None:
        app = App.objects.create(identifier=IDENTIFIER, **wanted)
    else:
        _update(app, wanted)
    app.permissions.set(_permissions(manifest.PERMISSIONS))
    _ensure_extensions(app, manifest.extensions(release(), app_url))
    return app


def register_pages() -> str:
    """See ``store.register_pages``."""
    ensure_app()
    return base_url() + PAGES


def on_migrated(sender: Any, **kwargs: Any) -> None:
    """After an upgrade the app has the new version's extensions. Ours is the last of
    the apps, so permissions are there already."""
    if sender.name != "saleor_amazon_channel":
        return
    try:
        with allow_writer():
            tables = connection.introspection.table_names()
            if (
                ChannelSettings._meta.db_table in tables
                and ChannelSettings.load().active
            ):
                ensure_app()
    except Exception:
        logger.exception(
            "The channel's app was not brought up to date; see "
            "'manage.py amazon_channel register'."
        )


def set_active(is_active: bool) -> None:
    """Switch the app with the plugin: without it there are no pages to open."""
    App.objects.filter(identifier=IDENTIFIER, removed_at__isnull=True).exclude(
        is_active=is_active
    ).update(is_active=is_active)


def _update(row: Any, wanted: dict[str, Any]) -> None:
    changed = {name for name, value in wanted.items() if getattr(row, name) != value}
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        row.save(update_fields=changed)


def _permissions(names: tuple[str, ...]) -> Any:
    enums = get_permissions_enum_dict()
    return get_permissions([enums[name].value for name in names])


def _ensure_extensions(app: App, declared: list[manifest.Extension]) -> None:
    """The app's rows become those that are declared, each kept if it is there.

    There is one for a mount, and its address changes with Saleor's.
    """
    columns = {column.name for column in AppExtension._meta.get_fields()}
    mounts = {each.mount.lower() for each in declared}
    old: dict[str, AppExtension] = {}
    for row in app.extensions.order_by("pk"):
        if row.mount in mounts and row.mount not in old:
            old[row.mount] = row
        else:
            row.delete()
    for each in declared:
        wanted = {
            "label": each.label,
            # Saleor keeps both in small letters, and shows them in capitals.
            "mount": each.mount.lower(),
            "target": each.target.lower(),
            "url": each.url,
            "settings": each.options,
            "http_target_method": each.options.get("widgetTarget", {}).get("method"),
            "identifier": each.identifier,
        }
        wanted = {name: value for name, value in wanted.items() if name in columns}
        row = old.get(each.mount.lower())
        if row is None:
            row = AppExtension.objects.create(app=app, **wanted)
        else:
            _update(row, wanted)
        row.permissions.set(_permissions(each.permissions))
