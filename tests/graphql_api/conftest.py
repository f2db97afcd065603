"""Requests to the stand-alone shop's schema. The folder is not called ``graphql``:
with an ``__init__.py`` it would shadow the library of that name."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from saleor_amazon_channel.graphql import audit
from saleor_amazon_channel.standalone import host

BOTH = frozenset({"MANAGE_ORDERS", "MANAGE_PLUGINS"})
#: Made here, since the host must be installed before a test imports the types.
SCHEMA = host.schema()

ADMIN = host.Identity("admin@example.com", BOTH)


class Answer:
    """What a request gave: ``data`` and the top-level ``errors``."""

    def __init__(self, result: Any) -> None:
        self.data = result.data
        self.errors = [str(error) for error in result.errors or ()]

    def __getitem__(self, name: str) -> Any:
        assert not self.errors, self.errors
        return self.data[name]


def execute(
    query: str,
    variables: dict[str, Any] | None = None,
    identity: host.Identity | None = ADMIN,
) -> Answer:
    context = SimpleNamespace(identity=identity)
    with audit.request(context):
        return Answer(
            SCHEMA.execute(query, variable_values=variables, context_value=context)
        )


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """Ask as a staff user with both permissions, unless told otherwise."""
    return execute
