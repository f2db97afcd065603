"""What the channel declares as a Saleor app, by the version of Saleor it runs in.

One function serves the rows that the plugin registers by itself and the manifest for
those who install apps by address. Saleor 3.21 refuses a manifest with a mount or a
target that it does not know, and so does 3.22; from 3.23 on only the Dashboard checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import __version__

IDENTIFIER = "saleor-amazon-channel"
NAME = "Amazon sales channel"
AUTHOR = "saleor-amazon-channel"
ABOUT = (
    "Amazon orders, what keeps them out of the shop, what was told to Amazon, and the "
    "settings of seller accounts and marketplaces."
)
#: As in Saleor's API. A page gets those of them that the user has as well.
PERMISSIONS = ("MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_PLUGINS")

#: Saleor's release, such as (3, 23).
Release = tuple[int, int]

_WITH_WIDGETS: Release = (3, 22)
_WITH_IDENTIFIERS: Release = (3, 23)
#: Before, an app had to take a token; from then on it may do without.
_WITHOUT_TOKENS: Release = (3, 23)


@dataclass(frozen=True)
class Extension:
    """A place in the Dashboard; mount and target as in a manifest, in capitals."""

    identifier: str
    label: str
    mount: str
    target: str
    url: str
    options: dict[str, Any] = field(default_factory=dict)
    since: Release = (3, 21)
    #: Never empty, and all of them must be the user's: else there is no token.
    permissions: tuple[str, ...] = ("MANAGE_ORDERS",)


def extensions(release: Release, app_url: str) -> list[Extension]:
    """The places that this release of Saleor knows.

    ``app_url`` is where the pages are, without a slash at its end.
    """
    all_of_them = (
        Extension(
            "orders-navigation",
            "Amazon orders",
            "NAVIGATION_ORDERS",
            "APP_PAGE",
            "/orders",
        ),
        Extension(
            "order-action",
            "View or cancel Amazon order",
            "ORDER_DETAILS_MORE_ACTIONS",
            "APP_PAGE",
            "/order",
        ),
        Extension(
            "orders-action",
            "All Amazon orders",
            "ORDER_OVERVIEW_MORE_ACTIONS",
            "APP_PAGE",
            "/orders",
        ),
        Extension(
            "order-widget",
            "Amazon order",
            "ORDER_DETAILS_WIDGETS",
            "WIDGET",
            # The Dashboard joins what is relative in its own way.
            f"{app_url}/widget",
            {"widgetTarget": {"method": "GET"}},
            since=_WITH_WIDGETS,
        ),
        Extension(
            "orders-search",
            "Amazon orders",
            "SEARCH_ACTION",
            "APP_PAGE",
            "/orders",
            {"aliases": ["amazon"]},
            since=_WITH_IDENTIFIERS,
        ),
    )
    return [each for each in all_of_them if each.since <= release]


def manifest(release: Release, app_url: str, base_url: str) -> dict[str, Any]:
    """The manifest; ``base_url`` is the plugin's own address, without a slash."""
    declared: dict[str, Any] = {
        "id": IDENTIFIER,
        "name": NAME,
        "version": __version__,
        "about": ABOUT,
        "author": AUTHOR,
        "permissions": list(PERMISSIONS),
        "appUrl": app_url,
        "requiredSaleorVersion": ">=3.21 <4",
        "brand": {"logo": {"default": f"{app_url}/logo.png"}},
        "extensions": _in_manifest(release, extensions(release, app_url)),
    }
    if release < _WITHOUT_TOKENS:
        declared["tokenTargetUrl"] = f"{base_url}/register"
    return declared


def _in_manifest(
    release: Release, declared: Sequence[Extension]
) -> list[dict[str, Any]]:
    entries = []
    for each in declared:
        entry: dict[str, Any] = {
            "label": each.label,
            "mount": each.mount,
            "target": each.target,
            "url": each.url,
            "permissions": list(each.permissions),
        }
        if each.options:
            entry["options"] = each.options
        if release >= _WITH_IDENTIFIERS:
            entry["identifier"] = each.identifier
        entries.append(entry)
    return entries
