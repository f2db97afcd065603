"""Moments to die at: before and after each commit and each HTTP request."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import botocore.httpsession
import requests
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

WRITES = ("INSERT", "UPDATE", "DELETE")


def die_at_moment(number: int) -> None:
    """Kill this process (SIGKILL: no clean-up runs) at its ``number``-th moment."""
    moments = 0

    def moment() -> None:
        nonlocal moments
        moments += 1
        if moments == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            moment()
            answer = function(*args, **kwargs)
            moment()
            return answer

        return call

    def autocommitted(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        in_transaction = context["connection"].in_atomic_block
        if in_transaction or not sql.lstrip().upper().startswith(WRITES):
            return execute(sql, params, many, context)
        return around(execute)(sql, params, many, context)

    BaseDatabaseWrapper._commit = around(BaseDatabaseWrapper._commit)
    requests.Session.send = around(requests.Session.send)
    sqs = botocore.httpsession.URLLib3Session
    sqs.send = around(sqs.send)
    for connection in connections.all():
        connection.execute_wrappers.append(autocommitted)
