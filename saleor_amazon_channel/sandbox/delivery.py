"""When an order is, or was, to be delivered: what Amazon counts its windows from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .times import parse_time


def delivery_dates(order: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """The earliest and the latest; of an order without them, when it was shipped, or
    was to be, or was made."""
    fulfillment = order.get("fulfillment", {})
    window = fulfillment.get("deliverByWindow", {})
    if "earliestDateTime" in window and "latestDateTime" in window:
        return (
            parse_time(window["earliestDateTime"]),
            parse_time(window["latestDateTime"]),
        )
    shipped = [
        parse_time(package["shipTime"])
        for package in order.get("packages", ())
        if "shipTime" in package
    ]
    if shipped:
        return min(shipped), max(shipped)
    latest = fulfillment.get("shipByWindow", {}).get("latestDateTime")
    moment = parse_time(latest or order["createdTime"])
    return moment, moment
