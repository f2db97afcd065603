"""A short day of normal trade; ``benchmarks/trading_day.py`` has the whole one."""

from __future__ import annotations

import pytest

from hostile.trading_day import Size, run

from .driver import StandaloneDriver


@pytest.mark.django_db(transaction=True)
def test_polling_alone_every_order_is_here_within_8_minutes() -> None:
    day = run(StandaloneDriver(), Size(orders=20, hours=0.5))

    assert day.is_right, day.as_json()
    assert len(day.delays) == 20
    assert day.updates == 3 * 20
    # Amazon hides the last two minutes.
    assert min(day.delays) > 120
    # Beside them: the daily comparison, and older orders that somebody wants.
    assert len(day.reconciliations) == len(day.backfills) == 3
    assert day.older == 3
