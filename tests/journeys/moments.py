"""Moments to die at: before and after each commit and each HTTP request."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import botocore.httpsession
import requests
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

WRITES = ("INSERT", "UPDATE", "DELETE")


def die_at_moment(number: int) -> None:
    """Kill this process (SIGKILL: no clean-up runs) at its ``number``-th moment."""

    def reach(count: int, name: str) -> None:
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(reach)


def write_down_moments(path: Path) -> None:
    """The name of each moment of this process, in its order, a line each."""

    def reach(count: int, name: str) -> None:
        with path.open("a") as file:
            file.write(f"{name}\n")

    _watch(reach)


def beside_requests(names: Sequence[str]) -> list[int]:
    """The numbers of the moments at which Amazon and we may know different things:
    before and after each request, and on both sides of the commits next to it."""
    chosen = {
        near
        for number, name in enumerate(names)
        if not name.endswith(COMMIT)
        for near in range(number - 2, number + 3)
        if 0 <= near < len(names)
    }
    return [number + 1 for number in sorted(chosen)]


COMMIT = "commit"


def _watch(reach: Callable[[int, str], None]) -> None:
    """``reach`` is told of each moment, how many there were and what it is."""
    moments = 0

    def moment(name: str) -> None:
        nonlocal moments
        moments += 1
        reach(moments, name)

    def around(
        function: Callable[..., Any], name: Callable[..., str]
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            moment(f"before {name(*args)}")
            answer = function(*args, **kwargs)
            moment(f"after {name(*args)}")
            return answer

        return call

    def autocommitted(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        in_transaction = context["connection"].in_atomic_block
        if in_transaction or not sql.lstrip().upper().startswith(WRITES):
            return execute(sql, params, many, context)
        return around(execute, _commit)(sql, params, many, context)

    BaseDatabaseWrapper._commit = around(BaseDatabaseWrapper._commit, _commit)
    requests.Session.send = around(requests.Session.send, _request)
    sqs = botocore.httpsession.URLLib3Session
    sqs.send = around(sqs.send, _request_to_sqs)
    for connection in connections.all():
        connection.execute_wrappers.append(autocommitted)


def _commit(*_: Any) -> str:
    return COMMIT


def _request(_: Any, request: Any, *__: Any) -> str:
    return f"{request.method} {request.path_url.partition('?')[0]}"


def _request_to_sqs(*_: Any) -> str:
    return "request to SQS"
