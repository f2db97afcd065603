"""Many intents at once cost the fewest calls; ``benchmarks/outbound_calls.py`` has a
thousand of each."""

from __future__ import annotations

import pytest

from hostile import outbound
from saleor_amazon_channel.pushing import feeds
from saleor_amazon_channel.standalone.store import StandaloneStore

from .driver import StandaloneDriver


@pytest.mark.django_db(transaction=True)
def test_many_at_once_cost_the_fewest_calls_and_one_that_is_urgent_waits_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "MANY_SHIPMENTS", 12)
    shop, store = StandaloneDriver(), StandaloneStore()
    with outbound.shop_within_usage_plans(shop, store) as world:
        figures = outbound.measure(world, 14, print, minutes=15)

    assert figures.problems == []
    assert len(figures.costs) == 7
    assert len(figures.urgent) == 5
