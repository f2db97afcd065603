"""Wires the adapter into Saleor; called once from ``AppConfig.ready``.

Each part stands alone: what fails is logged and becomes a system check, and neither
keeps the shop from booting nor touches what Saleor has.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Tags, Warning, register

from .. import __version__

logger = logging.getLogger(__name__)

#: Saleor has more in them than type checkers know of.
settings: Any = django_settings

CHECK_ID = "amazon_channel.W002"

#: What could not be wired in: (what is missing because of it, the error).
problems: list[tuple[str, Exception]] = []


def install() -> None:
    _try("Amazon orders cannot be imported.", _install_store)
    _try("A checkout may sell what an import was just allocated.", _guard_stock)
    _try(
        "Buyers may get mail from Saleor, and orders have no customer accounts.",
        _keep_mail_from_buyers,
    )
    _try("Saleor may change amounts of unconfirmed orders.", _keep_amounts)
    _try("Partly refunded orders may not be fulfilled further.", _let_fulfil)
    _try("Shipments are noticed only by the sweep.", _connect_capture)
    _try("Celery beat does not run the Amazon channel.", _schedule)
    _try("Saleor's API has no Amazon fields.", _extend_schema)
    _try("An upgrade does not bring the Dashboard new pages.", _keep_app)
    # With Saleor's URLs, whose import is what composes the schema.
    register(check_installation, Tags.urls)


def check_installation(
    app_configs: Iterable[Any] | None, **kwargs: Any
) -> list[CheckMessage]:
    """A part of the channel does not fit this Saleor."""
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    return [
        Warning(
            f"{consequence} {type(error).__name__}: {error}", id="amazon_channel.W002"
        )
        for consequence, error in problems
    ]


def _try(consequence: str, part: Callable[..., None], *args: Any) -> None:
    try:
        part(*args)
    except Exception as error:
        problems.append((consequence, error))
        logger.exception(
            "A part of the Amazon channel could not start. %s", consequence
        )


def _install_store() -> None:
    from saleor.core.db.connection import allow_writer

    from .. import store
    from .app import register_pages
    from .store import SaleorStore

    store.install(SaleorStore(), allow_writer, register_pages)


def _guard_stock() -> None:
    from ..conf import app_settings
    from . import compat

    if app_settings.GUARD_CHECKOUTS:
        compat.make_checkouts_see_allocations()


def _keep_mail_from_buyers() -> None:
    from . import compat

    compat.never_mail_amazons_buyers()


def _connect_capture() -> None:
    from . import capture

    capture.connect()


def _keep_amounts() -> None:
    from . import amounts

    amounts.connect()


def _let_fulfil() -> None:
    from . import compat

    compat.let_refunded_orders_be_fulfilled()


def _schedule() -> None:
    from ..tasks import beat_schedule

    settings.CELERY_BEAT_SCHEDULE.update(beat_schedule())


def _extend_schema() -> None:
    from . import schema

    def compose(api: ModuleType) -> None:
        _try("Saleor's API has no Amazon fields.", schema.compose, api)
        _try(
            "Amazon orders among others keep all of them from being cancelled at once.",
            schema.let_bulk_cancel_explain,
        )

    def audit(views: ModuleType) -> None:
        _try(
            "The log has several lines for a request that shows buyers' data.",
            schema.log_what_is_shown,
            views,
        )

    schema.after_import(schema.API, compose)
    schema.after_import(schema.VIEWS, audit)
    # Saleor keeps answers to introspection for days, under a key with this in it.
    settings.GRAPHQL_CACHE_SUFFIX += f"-amazon-{__version__}"


def _keep_app() -> None:
    from django.db.models.signals import post_migrate

    from . import app

    post_migrate.connect(app.on_migrated, dispatch_uid="saleor_amazon_channel.app")
