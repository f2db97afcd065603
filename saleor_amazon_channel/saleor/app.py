"""Our row among Saleor's apps: the identity the channel acts under.

It owns the transactions of imported orders, and staff see it where Saleor names who did
something. It needs no token, since the channel works inside the process.
"""

from __future__ import annotations

from django.db import connection, transaction
from saleor.app.models import App
from saleor.app.types import AppType
from saleor.permission.enums import (
    OrderPermissions,
    PaymentPermissions,
    get_permissions,
)

from .. import __version__

IDENTIFIER = "saleor-amazon-channel"
PERMISSIONS = (OrderPermissions.MANAGE_ORDERS, PaymentPermissions.HANDLE_PAYMENTS)


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
    wanted = {
        "name": "Amazon sales channel",
        # Local apps get no access token for their pages in the dashboard.
        "type": AppType.THIRDPARTY,
        "version": __version__,
        "author": "saleor-amazon-channel",
    }
    app = get_app()
    if app is None:
        app = App.objects.create(identifier=IDENTIFIER, **wanted)
    elif any(getattr(app, name) != value for name, value in wanted.items()):
        App.objects.filter(pk=app.pk).update(**wanted)
        app.refresh_from_db()
    app.permissions.set(get_permissions([item.value for item in PERMISSIONS]))
    return app
