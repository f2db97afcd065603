"""A small hostile month in the stand-alone shop; the whole one needs Saleor.

``HOSTILE_ORDERS`` and ``HOSTILE_SEED`` make it another one.
"""

from __future__ import annotations

import os

import pytest

from hostile import mails
from hostile.month import Shop, Size, report, run

from .books import StandaloneBooks
from .driver import StandaloneDriver


@pytest.mark.django_db(transaction=True)
def test_a_small_hostile_month() -> None:
    orders = int(os.environ.get("HOSTILE_ORDERS", "100"))
    seed = int(os.environ.get("HOSTILE_SEED", "1"))
    with mails.counted() as sent:
        shop = Shop(StandaloneDriver(), StandaloneBooks(), sent)
        score = run(shop, Size(orders, days=max(1.0, orders / 170), seed=seed))
    report(score)
    assert score.is_right
    # It was hostile.
    assert score.deaths > 0
    assert score.before.blocked
    assert score.staff["shipped in 1"]
    assert score.staff["shipped in 2"]
    assert score.after.refunds
    assert score.notifications["sent"]
