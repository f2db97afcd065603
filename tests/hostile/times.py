"""One simulated time for several processes, some of which have a clock that is wrong.

The time is a number in shared memory. Nobody holds a lock when killed for longer than
the kernel lets go of it, so a killed worker stops nobody.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import RawValue

from saleor_amazon_channel import clock

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedTime:
    """Amazon's time, which is the true one, and the shop's, which drifts from it.

    The shop's clock is ``skew`` fast at ``start`` and as slow ``length`` later.
    """

    def __init__(self, start: datetime, length: timedelta, skew: timedelta) -> None:
        self.start, self._length, self._skew = start, length, skew
        self._now = RawValue("q", (start - _EPOCH) // _MICROSECOND)
        # Open as long as we live.
        self._guard = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def true(self) -> datetime:
        return _EPOCH + self._now.value * _MICROSECOND

    def at_the_shop(self) -> datetime:
        now = self.true()
        return now + self.skew_at(now)

    def skew_at(self, moment: datetime) -> timedelta:
        """How much the shop's clock is fast at the true ``moment``."""
        passed = min(max((moment - self.start) / self._length, 0.0), 1.0)
        return self._skew * (1 - 2 * passed)

    def true_of(self, moment_at_the_shop: datetime) -> datetime:
        return moment_at_the_shop - self.skew_at(moment_at_the_shop)

    def move_to(self, moment: datetime) -> None:
        """Never backwards, whoever else moves it."""
        wanted = (moment - _EPOCH) // _MICROSECOND
        # Of this process alone, and gone with it: not inherited by a fork.
        fcntl.lockf(self._guard, fcntl.LOCK_EX)
        self._now.value = max(self._now.value, wanted)
        fcntl.lockf(self._guard, fcntl.LOCK_UN)

    def close(self) -> None:
        self._guard.close()

    @contextmanager
    def on_amazon(self) -> Iterator[None]:
        with clock.driven(self.true, self._wait):
            yield

    @contextmanager
    def in_the_shop(self) -> Iterator[None]:
        with clock.driven(self.at_the_shop, self._wait):
            yield

    def _wait(self, step: timedelta) -> None:
        self.move_to(self.true() + step)
