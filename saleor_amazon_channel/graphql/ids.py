"""Global ids, ours and the shop's: base64 of ``Type:primary key``, as in Saleor."""

from __future__ import annotations

from graphene.relay import Node
from graphql import GraphQLError


class InvalidIdError(ValueError):
    """The message says it to the client, in Saleor's words."""


def to_global(type_name: str, pk: object) -> str | None:
    """None for an empty key."""
    return Node.to_global_id(type_name, pk) if pk else None


def own(global_id: str, type_name: str) -> int:
    """The primary key in an id of one of our types. Raises InvalidIdError."""
    decoded = _decode(global_id)
    if decoded is None or not decoded[1].isascii() or not decoded[1].isdigit():
        raise InvalidIdError(f"Invalid ID: {global_id}. Expected: {type_name}.")
    if decoded[0] != type_name:
        raise InvalidIdError(
            f"Invalid ID: {global_id}. Expected: {type_name}, received: {decoded[0]}."
        )
    return min(int(decoded[1]), 2**63 - 1)


def asked_for(global_id: str, type_name: str) -> int:
    """``own`` of a query's argument: what is wrong is an error of the query."""
    try:
        return own(global_id, type_name)
    except InvalidIdError as error:
        raise GraphQLError(str(error)) from error


def of_shop(identifier: str, *type_names: str) -> str:
    """The shop's primary key: from a global id of one of these types, or the key
    itself."""
    decoded = _decode(identifier)
    return decoded[1] if decoded and decoded[0] in type_names else identifier


def _decode(global_id: str) -> tuple[str, str] | None:
    try:
        type_name, pk = Node.from_global_id(global_id)
    except ValueError:  # not base64, not UTF-8, or without a colon
        return None
    is_exact = Node.to_global_id(type_name, pk).rstrip("=") == global_id.rstrip("=")
    return (type_name, pk) if is_exact else None
