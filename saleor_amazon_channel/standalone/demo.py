"""``make demo``: the main job in the stand-alone shop, which is not Saleor.

Starts an embedded PostgreSQL, Amazon's sandbox, the stand-alone shop and a worker, and
stops them again; ``demo/command.py`` says what the exit codes mean.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from ..demo import command
from ..demo.input import Goods
from ..demo.processes import running
from ..demo.progress import Progress
from ..store.contract import Channel
from . import postgres

if TYPE_CHECKING:
    from ..demo.job import Shop

#: By name: it reads the environment when imported.
SETTINGS = "saleor_amazon_channel.standalone.settings"

_TIMEOUT_SECONDS = 30


class StandaloneShop:
    """Implements ``demo.job.Shop``."""

    def __init__(self, url: str, token: str, pages_url: str) -> None:
        self.pages_url = pages_url
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        from ..demo.job import CannotContinue

        answer = self._session.post(
            self._url,
            json={"query": query, "variables": variables},
            timeout=_TIMEOUT_SECONDS,
        ).json()
        if "errors" in answer:
            messages = "; ".join(error["message"] for error in answer["errors"])
            raise CannotContinue(f"/graphql/ answers: {messages}")
        return dict(answer["data"])

    def create_channels(self, currencies: Collection[str]) -> dict[str, Channel]:
        from . import catalogue
        from .store import StandaloneStore

        for currency in currencies:
            catalogue.create_channel(f"amazon-{currency.lower()}", currency)
        return {channel.currency: channel for channel in StandaloneStore().channels()}

    def create_goods(
        self, goods: Sequence[Goods], channels: Collection[Channel]
    ) -> int:
        from . import catalogue

        warehouses = [w.id for channel in channels for w in channel.warehouses]
        return len(
            catalogue.create_products(
                catalogue.Product(
                    sku=each.sku,
                    name=each.name[:255],
                    channel_ids=[channel.id for channel in channels],
                    stock=dict.fromkeys(warehouses, each.stock),
                )
                for each in goods
            )
        )

    def switch_on(self) -> None:
        from ..models import ChannelSettings

        ChannelSettings.objects.update_or_create(id=1, defaults={"active": True})

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        tracking_number: str,
        carrier: str,
    ) -> None:
        from . import staff
        from .models import Allocation

        allocation = Allocation.objects.filter(line__in=list(lines)).first()
        assert allocation is not None  # noqa: S101 - an unshipped order has its stock
        staff.fulfil(
            order_id,
            lines,
            warehouse_id=str(allocation.stock.warehouse_id),
            tracking_number=tracking_number,
            carrier=carrier,
        )


@contextmanager
def open_shop(folder: Path, progress: Progress) -> Iterator[Shop]:
    progress.say("Starting an embedded PostgreSQL.")
    # Whatever database the environment names, the demo stays out of it.
    os.environ.pop(postgres.DATABASE_URL, None)
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        progress.say("Starting the stand-alone shop (this is not Saleor).")
        serve = ["saleor_amazon_channel.standalone.serve", "--port", "0"]
        try:
            with running("stand-alone shop", serve, folder) as process:
                ready = process.ready_line()
                progress.count(ready["url"])
                token = ready["tokens"]["staff"]
                yield StandaloneShop(ready["url"], token, ready["dashboard"])
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()


if __name__ == "__main__":
    sys.exit(command.main("the stand-alone shop (this is not Saleor)", open_shop, None))
