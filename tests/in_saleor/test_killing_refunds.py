"""The worker is killed in the midst of a refund, in real Saleor.

At the moments beside a request only: there Amazon and the shop may know different
things, and how Saleor takes it is to be seen. Those between two commits of ours differ
by nothing that is Saleor's; ``standalone/test_killing_refunds.py`` has all of them.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

import pytest
from saleor.core.db.connection import allow_writer
from saleor.plugins.models import PluginConfiguration

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.killing_refunds import check_all, refund_and_die
from journeys.killing_refunds import world as world  # a fixture
from journeys.moments import beside_requests, die_at_moment, write_down_moments
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings):
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        yield SaleorDriver(record_notifications(monkeypatch))


def test_a11_killed_beside_every_request_of_a_refund(world, tmp_path):
    path = tmp_path / "moments"
    assert refund_and_die(world, 1, partial(write_down_moments, path))
    names = path.read_text().splitlines()
    chosen = beside_requests(names)
    requests = {name.partition(" ")[2] for name in names} - {"commit"}
    # The document, its upload, the feed, a look at it. (Amazon's clock stands still
    # meanwhile: while a report is read, workers die in the crash matrix.)
    assert len(requests) == 4, requests

    for number, moment in enumerate(chosen, 2):
        lived = refund_and_die(world, number, partial(die_at_moment, moment))
        assert not lived, names[moment - 1]

    logger.info("killed at %s of %s moments", len(chosen), len(names))
    check_all(world)
