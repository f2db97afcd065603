"""What a query selects below a field."""

from __future__ import annotations

from typing import Any

from graphql.language import ast


def has(info: Any, name: str) -> bool:
    """Whether the field being resolved selects ``name``, also through fragments."""
    return any(_has(node.selection_set, name, info) for node in info.field_asts)


def _has(selection_set: Any, name: str, info: Any) -> bool:
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, ast.Field):
            if node.name.value == name:
                return True
        elif isinstance(node, ast.FragmentSpread):
            if _has(info.fragments[node.name.value].selection_set, name, info):
                return True
        elif _has(node.selection_set, name, info):
            return True
    return False
