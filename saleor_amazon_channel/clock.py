"""The one source of "now" in the package, the sandbox and the runners.

Real time, unless the environment variable ``AMAZON_CHANNEL_CLOCK`` gives a simulated
one: ``start=2026-11-01T00:00:00Z;anchor=1763800000;factor=60`` means that at the Unix
time ``anchor`` it was ``start``, and that simulated time has run ``factor`` times as
fast since. All processes given the same value agree on the time. Socket time-outs are
never simulated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

ENVIRONMENT_VARIABLE = "AMAZON_CHANNEL_CLOCK"


class ClockError(ValueError):
    """The simulated clock's description is not of the form this module documents."""


def _parse(description: str) -> tuple[datetime, float, float]:
    try:
        parts = dict(part.split("=", 1) for part in description.split(";"))
        start = datetime.fromisoformat(parts["start"])
        anchor, factor = float(parts["anchor"]), float(parts["factor"])
    except (KeyError, ValueError) as error:
        raise ClockError(
            f"{ENVIRONMENT_VARIABLE} must look like "
            f"'start=2026-11-01T00:00:00Z;anchor=1763800000;factor=60', "
            f"not {description!r}"
        ) from error
    if start.tzinfo is None or factor <= 0:
        raise ClockError(
            f"{ENVIRONMENT_VARIABLE}: start needs a time zone and factor must be > 0"
        )
    return start.astimezone(UTC), anchor, factor


def describe(start: datetime, factor: float = 1.0) -> str:
    """The environment value for a clock that reads ``start`` from this moment on."""
    return f"start={start.isoformat()};anchor={time.time()};factor={factor}"


_override: Callable[[], datetime] | None = None
_move: Callable[[timedelta], None] | None = None


def factor() -> float:
    """Simulated seconds per real second."""
    description = os.environ.get(ENVIRONMENT_VARIABLE)
    return _parse(description)[2] if description else 1.0


def now() -> datetime:
    """The current moment: an aware datetime in UTC."""
    if _override is not None:
        return _override()
    description = os.environ.get(ENVIRONMENT_VARIABLE)
    if not description:
        return datetime.now(UTC)
    start, anchor, speed = _parse(description)
    return start + timedelta(seconds=(time.time() - anchor) * speed)


def sleep(seconds: float) -> None:
    """Wait ``seconds`` of this clock's time; a frozen clock just moves on."""
    if seconds <= 0:
        return
    if _move is not None:
        _move(timedelta(seconds=seconds))
    else:
        time.sleep(seconds / factor())


@contextmanager
def driven(
    read: Callable[[], datetime], move: Callable[[timedelta], None]
) -> Iterator[None]:
    """For tests: ``now()`` is what ``read`` says, and ``sleep()`` calls ``move``."""
    global _override, _move
    previous, (_override, _move) = (_override, _move), (read, move)
    try:
        yield
    finally:
        _override, _move = previous


@contextmanager
def frozen(moment: datetime) -> Iterator[Callable[[timedelta], None]]:
    """For tests: ``now()`` is ``moment``; the yielded function moves it on."""
    current = moment

    def read() -> datetime:
        return current

    def move(step: timedelta) -> None:
        nonlocal current
        current += step

    with driven(read, move):
        yield move
