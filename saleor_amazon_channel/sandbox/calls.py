"""A call of one operation: what the handlers of the API modules take and give."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .errors import InvalidInput, UnsupportedMediaType
from .faults import Fault
from .times import parse_time
from .usage_plans import UsagePlan

if TYPE_CHECKING:
    from .state import Account, State


class Query:
    """The query parameters of a call, read by the rules of the operation's model.

    Stricter than Amazon where Amazon says nothing: a parameter the model does not
    know, or one given twice, is refused, so that a misspelt filter is found.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
        self.values: dict[str, str] = {}
        known = frozenset(known)
        for name, value in pairs:
            if name not in known:
                raise InvalidInput(f"Unknown query parameter '{name}'.")
            if name in self.values:
                raise InvalidInput(f"Parameter '{name}' was given more than once.")
            self.values[name] = value

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not value.strip():
            raise InvalidInput(f"Value for parameter '{name}' is empty.")
        return value

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_time(value)
        except ValueError:
            raise InvalidInput(
                f"Invalid value for parameter '{name}'.",
                "It must be an ISO 8601 date-time with a time zone.",
            ) from None

    def integer(self, name: str, *, lowest: int, highest: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", value) or not (
            lowest <= int(value) <= highest
        ):
            raise InvalidInput(
                f"Invalid value for parameter '{name}'.",
                f"It must be an integer between {lowest} and {highest}.",
            )
        return int(value)

    def words(
        self,
        name: str,
        *,
        allowed: Iterable[str] | None = None,
        most: int | None = None,
    ) -> tuple[str, ...]:
        """A comma-separated list; empty when the parameter is absent."""
        value = self.text(name)
        if value is None:
            return ()
        words = tuple(value.split(","))
        if most is not None and len(words) > most:
            raise InvalidInput(f"Parameter '{name}' has more than {most} values.")
        for word in words:
            if not word or (allowed is not None and word not in allowed):
                raise InvalidInput(
                    f"Invalid value for parameter '{name}'.",
                    f"'{word[:100]}' is not allowed.",
                )
        return words


@dataclass(slots=True)
class Answer:
    """``body`` is JSON data, or bytes already encoded, or nothing."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Call:
    """One authenticated call. ``account`` is None for grantless operations."""

    state: State
    now: datetime
    path: Mapping[str, str]
    pairs: list[tuple[str, str]]
    content_type: str
    body: bytes = field(repr=False)
    account: Account | None = None
    fault: Fault | None = None
    #: The application that calls.
    client_id: str = ""

    @property
    def seller(self) -> Account:
        if self.account is None:
            raise TypeError("a grantless call has no seller")
        return self.account

    def is_struck_by(self, kind: str) -> bool:
        return self.fault is not None and self.fault.kind == kind

    def json(self) -> Any:
        if self.content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType(details="Content-Type must be application/json.")
        try:
            return json.loads(self.body)
        except ValueError:
            raise InvalidInput("Request body is not valid JSON.") from None


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the route table; ``template`` is the path in the model's notation, but
    for ``{+name}``, which may hold slashes."""

    name: str
    method: str
    template: str
    plan: UsagePlan
    handler: Handler
    grantless_scope: str | None = None
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        pattern = re.sub(r"\{\+(\w+)\}", r"(?P<\1>.+)", pattern)
        object.__setattr__(self, "pattern", re.compile(pattern))
