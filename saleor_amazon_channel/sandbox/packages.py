"""Packages of an order and what follows from them: quantities and status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def find_package(order: Mapping[str, Any], package_reference_id: str) -> Json | None:
    for package in order.get("packages", ()):
        if package["packageReferenceId"] == package_reference_id:
            return dict(package)
    return None


def package_units(package: Mapping[str, Any] | None) -> Counter[str]:
    """order item id -> units in the package."""
    units: Counter[str] = Counter()
    for entry in package.get("packageItems", ()) if package else ():
        units[entry["orderItemId"]] += entry["quantity"]
    return units


def unshipped_units(order: Mapping[str, Any]) -> Counter[str]:
    """order item id -> units that are neither shipped nor cancelled."""
    return Counter(
        {item["orderItemId"]: _unfulfilled(item) for item in order["orderItems"]}
    )


def _unfulfilled(item: Mapping[str, Any]) -> int:
    fulfillment = item.get("fulfillment", {})
    fulfilled = fulfillment.get("quantityFulfilled", 0)
    return int(
        fulfillment.get("quantityUnfulfilled", item["quantityOrdered"] - fulfilled)
    )


def put_package(order: Json, package: Json) -> None:
    """Add ``package`` to ``order`` or replace the one with its id."""
    reference = package["packageReferenceId"]
    before = package_units(find_package(order, reference))
    after = package_units(package)
    packages = order.setdefault("packages", [])
    for position, known in enumerate(packages):
        if known["packageReferenceId"] == reference:
            packages[position] = package
            break
    else:
        packages.append(package)
    for item in order["orderItems"]:
        moved = after[item["orderItemId"]] - before[item["orderItemId"]]
        unfulfilled = _unfulfilled(item)
        fulfillment = item.setdefault("fulfillment", {})
        fulfillment["quantityUnfulfilled"] = unfulfilled - moved
        fulfillment["quantityFulfilled"] = (
            fulfillment.get("quantityFulfilled", 0) + moved
        )
    settle_status(order)


def settle_status(order: Json) -> None:
    """Derive the status of a shippable order from its items."""
    remaining = shipped = 0
    for item in order["orderItems"]:
        remaining += _unfulfilled(item)
        shipped += item.get("fulfillment", {}).get("quantityFulfilled", 0)
    if shipped:
        status = "PARTIALLY_SHIPPED" if remaining else "SHIPPED"
    else:
        status = "UNSHIPPED" if remaining else "CANCELLED"
    order["fulfillment"]["fulfillmentStatus"] = status
