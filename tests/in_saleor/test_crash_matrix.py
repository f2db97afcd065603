"""A part of the crash matrix in real Saleor; see ``benchmarks/crash_matrix.py``."""

from __future__ import annotations

from datetime import timedelta

import pytest
from saleor.core.db.connection import allow_writer
from saleor.plugins.models import PluginConfiguration

from hostile import crash_matrix
from in_saleor.drivers import SaleorDriver, record_notifications
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"

# One version is enough for what takes minutes; nothing here is bound to a version.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.saleor_version(">=3.23"),
]


def test_a_part_of_the_matrix(transactional_db, monkeypatch, settings):
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    # Refunds and invoices are asked for through the plugins.
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        shop = SaleorDriver(record_notifications(monkeypatch))
        with crash_matrix.shop_with_queue(shop, SaleorStore()) as (world, sqs):
            matrix = crash_matrix.Matrix(world, print)
            matrix.run(
                *crash_matrix.chosen(
                    sqs,
                    "shipment, tracking change, cancel, refund, invoice, "
                    "invoice by message, credit note, message",
                    "killed after sending, killed while parsing",
                )
            )

    assert matrix.wrong == []
    verdicts = [cell.verdict for cell in matrix.cells]
    assert (verdicts.count("ok"), verdicts.count("asks")) == (9, 3)
