"""Amazon's own API models (Swagger 2) as judges of what goes over the wire.

The files are data to test against and stay outside the repository: the folder is
``AMAZON_CHANNEL_CONTRACTS``, by default ``../shared/contracts`` beside the clone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from saleor_amazon_channel.amazon.orders import Order

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "contracts"
FOLDER = Path(os.environ.get("AMAZON_CHANNEL_CONTRACTS", _DEFAULT)) / "amazon"

ABSENT = f"Amazon's models are not at {FOLDER} (AMAZON_CHANNEL_CONTRACTS)"

needs_models = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@cache
def load_model(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


def violations(
    value: Any, schema: Mapping[str, Any], model: Mapping[str, Any], path: str = "$"
) -> Iterator[str]:
    """Where ``value`` departs from ``schema``; a field it does not name is one, too."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        schema = model["definitions"][name]
    if "allOf" in schema:
        schema = _united(schema["allOf"], model)
    kind = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(kind, list):  # one of them
        kind = next((each for each in kind if isinstance(value, _TYPES[each])), kind[0])
    if kind and (
        not isinstance(value, _TYPES[kind])
        or (isinstance(value, bool) and kind != "boolean")
    ):
        yield f"{path}: {type(value).__name__} is not {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    if kind == "object":
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}.{name}: is required"
        for name, below in value.items():
            if name in properties:
                yield from violations(below, properties[name], model, f"{path}.{name}")
            elif "properties" in schema:
                yield f"{path}.{name}: is unknown"
    elif kind == "array":
        for position, entry in enumerate(value):
            yield from violations(entry, schema["items"], model, f"{path}[{position}]")
    elif schema.get("format") == "date-time":
        if datetime.fromisoformat(value).tzinfo is None:
            yield f"{path}: has no time zone"
    elif schema.get("format") == "date":
        date.fromisoformat(value)


def _united(
    schemas: Sequence[Mapping[str, Any]], model: Mapping[str, Any]
) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for schema in schemas:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/definitions/")
            schema = model["definitions"][name]
        properties |= schema.get("properties", {})
        required += schema.get("required", ())
    return {"type": "object", "properties": properties, "required": required}


def example_orders() -> list[dict[str, Any]]:
    """Every complete order in the examples of the Orders model, by position."""
    orders: list[dict[str, Any]] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if "orderItems" in value and "salesChannel" in value:
                orders.append(value)
            else:
                for below in value.values():
                    collect(below)
        elif isinstance(value, list):
            for below in value:
                collect(below)

    if FOLDER.is_dir():
        for operations in load_model("orders_2026-01-01")["paths"].values():
            collect(operations["get"]["responses"])
    return orders


@cache
def examples_as_read() -> dict[str, Order]:
    """The same as our client reads them, by their ids. Skips the test where the models
    are not there, so it is for fixtures."""
    if not FOLDER.is_dir():
        pytest.skip(ABSENT)
    orders = map(Order.from_wire, example_orders())
    return {order.order_id: order for order in orders}
