"""Reading Amazon's JSON field by field.

Absent and null are one thing to Amazon, so what is optional is empty then. What is of
the wrong type, or missing though the model requires it, is a ``Problem`` that knows
where. Its path is put together only while it travels up, so that good data pay nothing
for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
Wire = dict[str, Any]


class Problem(Exception):
    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text

    def below(self, parent: str) -> Problem:
        if not self.path:
            self.path = parent
        elif self.path.startswith("["):
            self.path = parent + self.path
        else:
            self.path = f"{parent}.{self.path}"
        return self


def obj(value: object) -> Wire:
    if isinstance(value, dict):
        return value
    raise Problem("", "must be an object")


def text(wire: Wire, key: str) -> str:
    value = wire.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Problem(key, "must be a string")
    return value


def required_text(wire: Wire, key: str) -> str:
    value = wire.get(key)
    if not value:
        raise Problem(key, "is missing")
    if not isinstance(value, str):
        raise Problem(key, "must be a string")
    return value


def quantity(wire: Wire, key: str) -> int:
    value = wire.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise Problem(key, "must be a whole number, 0 or more")
    return value


def required_quantity(wire: Wire, key: str) -> int:
    if wire.get(key) is None:
        raise Problem(key, "is missing")
    return quantity(wire, key)


def optional_time(wire: Wire, key: str) -> datetime | None:
    value = wire.get(key)
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Problem(key, "must be a date and time in ISO 8601") from None
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise Problem(key, "must be a date and time with a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Problem(key, "must be a date and time after the year 1") from None


def time(wire: Wire, key: str) -> datetime:
    moment = optional_time(wire, key)
    if moment is None:
        raise Problem(key, "is missing")
    return moment


def below(wire: Wire, key: str, parse: Callable[[Wire], T]) -> T | None:
    """What ``parse`` makes of the object under ``key``; None where there is none."""
    value = wire.get(key)
    if value is None:
        return None
    try:
        return parse(obj(value))
    except Problem as problem:
        raise problem.below(key) from None


def required_below(wire: Wire, key: str, parse: Callable[[Wire], T]) -> T:
    found = below(wire, key, parse)
    if found is None:
        raise Problem(key, "is missing")
    return found


def list_(wire: Wire, key: str) -> Sequence[Any]:
    value = wire.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Problem(key, "must be a list")
    return value


def each(wire: Wire, key: str, parse: Callable[[Wire], T]) -> tuple[T, ...]:
    found = []
    for value in list_(wire, key):
        try:
            found.append(parse(obj(value)))
        except Problem as problem:
            raise problem.below(f"{key}[{len(found)}]") from None
    return tuple(found)


def texts(wire: Wire, key: str) -> tuple[str, ...]:
    values = tuple(list_(wire, key))
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise Problem(f"{key}[{index}]", "must be a string")
    return values


def inner(wire: Wire, key: str) -> Wire:
    """The object under ``key``; an empty one where it is absent.

    It is a wrapper we leave out, and so is its name in the path of a problem below it.
    """
    value = wire.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Problem(key, "must be an object")
    return value
