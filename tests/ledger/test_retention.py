"""When a buyer has an order at the latest: a row of the table each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import retention
from wire_orders import NOW, wire_order

CREATED, UPDATED = NOW - timedelta(days=10), NOW - timedelta(days=1)
SHIP_BY, DELIVER_BY = NOW - timedelta(days=8), NOW - timedelta(days=4)


def time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def order(status: str, **changes: Any) -> Order:
    wire = wire_order(status=status, created=CREATED, updated=UPDATED)
    wire["fulfillment"].pop("shipByWindow", None)
    for name in ("shipByWindow", "deliverByWindow"):
        if name in changes:
            latest = time(changes[name])
            wire["fulfillment"][name] = {"latestDateTime": latest}
    wire["packages"] = [
        {
            "packageReferenceId": f"{number}",
            "packageStatus": {"status": each[0]},
            "shipTime": time(each[1]),
        }
        for number, each in enumerate(changes.get("packages", ()))
    ]
    return Order.from_wire(wire)


EARLIER, LATER = NOW - timedelta(days=7), NOW - timedelta(days=6)
THIRTY = timedelta(days=30)


@pytest.mark.parametrize(
    ("status", "given", "expected"),
    [
        ("CANCELLED", {"deliverByWindow": DELIVER_BY}, UPDATED),
        ("UNFULFILLABLE", {}, UPDATED),
        ("SHIPPED", {"deliverByWindow": DELIVER_BY}, DELIVER_BY),
        ("UNSHIPPED", {"deliverByWindow": DELIVER_BY}, DELIVER_BY),
        (
            "SHIPPED",
            {"packages": [("SHIPPED", LATER), ("DELIVERED", EARLIER)]},
            LATER + THIRTY,
        ),
        ("SHIPPED", {"packages": [("DELIVERED", EARLIER)]}, UPDATED),
        (
            "SHIPPED",
            {"packages": [("DELIVERED", EARLIER)], "deliverByWindow": DELIVER_BY},
            DELIVER_BY,
        ),
        # What is delivered of an order that is not shipped whole does not count.
        (
            "PARTIALLY_SHIPPED",
            {"packages": [("DELIVERED", EARLIER)]},
            EARLIER + THIRTY,
        ),
        ("UNSHIPPED", {"shipByWindow": SHIP_BY}, SHIP_BY + THIRTY),
        # Dates of before it was ordered are none.
        (
            "UNSHIPPED",
            {"deliverByWindow": datetime(1970, 1, 1, tzinfo=UTC)},
            CREATED + 2 * THIRTY,
        ),
        (
            "SHIPPED",
            {
                "deliverByWindow": CREATED - timedelta(days=1),
                "packages": [("SHIPPED", datetime(1970, 1, 1, tzinfo=UTC))],
                "shipByWindow": SHIP_BY,
            },
            SHIP_BY + THIRTY,
        ),
        ("SHIPPED", {}, CREATED + 2 * THIRTY),
        ("PENDING", {}, CREATED + 2 * THIRTY),
        (
            "UNSHIPPED",
            {"shipByWindow": datetime(9999, 12, 31, tzinfo=UTC)},
            datetime(9999, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_when_the_buyer_has_it(
    status: str, given: dict[str, Any], expected: datetime
) -> None:
    assert retention.delivered_by(order(status, **given)) == expected
