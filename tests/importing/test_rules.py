"""Which orders are imported: the table of ``rules``, row by row."""

from __future__ import annotations

import copy
from datetime import timedelta
from itertools import product

import pytest

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.rules import (
    Decision,
    decide,
    is_shipping_history,
)
from wire_orders import NOW, wire_order

OFF = "Import Amazon Orders is off for this marketplace."
UNMAPPED = (
    "The marketplace has no channel, warehouse or shipping method yet: choose them in "
    "its settings."
)


def decided(
    wire, *, import_orders=True, import_from=NOW - timedelta(days=1), is_mapped=True
) -> Decision:
    return decide(
        Order.from_wire(wire),
        import_orders=import_orders,
        import_from=import_from,
        is_mapped=is_mapped,
    )


@pytest.mark.parametrize(
    ("fulfilled_by", "status", "state", "reason"),
    [
        ("MERCHANT", "UNSHIPPED", "ready", ""),
        ("MERCHANT", "PARTIALLY_SHIPPED", "ready", ""),
        ("MERCHANT", "SHIPPED", "ready", ""),
        ("AMAZON", "SHIPPED", "ready", ""),
        (
            "AMAZON",
            "UNSHIPPED",
            "waiting",
            "Amazon fulfils this order and has not shipped it.",
        ),
        (
            "AMAZON",
            "PARTIALLY_SHIPPED",
            "waiting",
            "Amazon fulfils this order and has not shipped it.",
        ),
        (
            "MERCHANT",
            "PENDING",
            "waiting",
            "Amazon has not authorized the buyer's payment yet.",
        ),
        (
            "AMAZON",
            "PENDING",
            "waiting",
            "Amazon has not authorized the buyer's payment yet.",
        ),
        (
            "MERCHANT",
            "PENDING_AVAILABILITY",
            "waiting",
            "A pre-order: Amazon has not released it yet.",
        ),
        (
            "MERCHANT",
            "CANCELLED",
            "ignored",
            "The order was cancelled before it was imported.",
        ),
        (
            "AMAZON",
            "CANCELLED",
            "ignored",
            "The order was cancelled before it was imported.",
        ),
        ("AMAZON", "UNFULFILLABLE", "ignored", "Amazon cannot fulfil this order."),
        (
            "MERCHANT",
            "INVOICE_UNCONFIRMED",
            "waiting",
            "Amazon's status INVOICE_UNCONFIRMED is not known to the channel.",
        ),
        (
            "MERCHANT",
            "unshipped",
            "waiting",
            "Amazon's status unshipped is not known to the channel.",
        ),
        ("", "UNSHIPPED", "waiting", "Amazon has not said who fulfils the order."),
        ("ROBOT", "SHIPPED", "waiting", "Amazon has not said who fulfils the order."),
    ],
)
def test_what_amazon_says_decides_first(fulfilled_by, status, state, reason):
    wire = wire_order(status=status, fulfilled_by=fulfilled_by)

    assert decided(wire) == Decision(state, reason)


def test_an_order_without_fulfillment_waits():
    wire = wire_order()
    del wire["fulfillment"]

    assert decided(wire) == Decision(
        "waiting", "Amazon has not said how the order is fulfilled."
    )


@pytest.mark.parametrize("status", ["SHIPPED", "UNSHIPPED", "PENDING"])
def test_orders_from_elsewhere_are_ignored(status):
    wire = wire_order(status=status, fulfilled_by="AMAZON")
    wire["salesChannel"]["channelName"] = "NON_AMAZON"

    assert decided(wire) == Decision("ignored", "The order was not placed on Amazon.")


def test_orders_wait_while_import_is_off():
    assert decided(wire_order(), import_orders=False) == Decision("waiting", OFF)


def test_orders_wait_while_the_marketplace_is_not_mapped():
    found = decided(wire_order(), is_mapped=False, import_orders=False)

    assert found == Decision("waiting", UNMAPPED)


def test_orders_created_before_the_import_began_wait():
    found = decided(wire_order(created=NOW - timedelta(seconds=1)), import_from=NOW)

    assert found == Decision(
        "waiting",
        "The order was created before orders are imported from (2026-11-20 12:00 UTC).",
    )


def test_an_order_created_at_the_very_moment_is_imported():
    assert decided(wire_order(created=NOW), import_from=NOW) == Decision("ready")


@pytest.mark.parametrize("status", ["CANCELLED", "UNFULFILLABLE"])
def test_what_is_dead_is_ignored_whatever_the_settings(status):
    found = decided(
        wire_order(status=status), import_orders=False, import_from=NOW, is_mapped=False
    )

    assert found.state == "ignored"


def test_only_a_ready_order_needs_no_reason():
    statuses = ("UNSHIPPED", "SHIPPED", "PENDING", "CANCELLED", "", "X" * 500)
    for status, by, is_on, is_mapped in product(
        statuses, ("MERCHANT", "AMAZON", ""), (True, False), (True, False)
    ):
        wire = copy.deepcopy(wire_order(fulfilled_by=by))
        if status:
            wire["fulfillment"]["fulfillmentStatus"] = status
        else:
            del wire["fulfillment"]
        found = decided(wire, import_orders=is_on, is_mapped=is_mapped)

        assert (found.state == "ready") == (found.reason == "")
        assert len(found.reason) < 120


@pytest.mark.parametrize(
    ("created", "packages", "import_from", "expected"),
    [
        # Older than what is imported by itself, whenever it was shipped.
        (-3, [{"shipTime": 1}], -2, True),
        # Placed after connecting.
        (1, [], 0, False),
        (1, [{"shipTime": 2}], 0, False),
        # Placed before connecting, and imported by itself all the same.
        (-1, [{"shipTime": -0.5}], -2, True),
        (-1, [{"shipTime": 0.5}], -2, False),
        (-1, [{"createdTime": 0.5}], -2, False),
        (-1, [{"shipTime": -0.5}, {"shipTime": 0.5}], -2, False),
        # Amazon does not say when.
        (-1, [{}], -2, True),
        (-1, [], -2, True),
    ],
)
def test_what_was_shipped_before_the_channel_looked_after_it(
    created: float, packages: list[dict], import_from: float, expected: bool
) -> None:
    """All in days from the moment of connecting."""

    def day(number: float) -> str:
        return (NOW + timedelta(days=number)).isoformat()

    wire = wire_order(status="SHIPPED", created=NOW + timedelta(days=created))
    wire["packages"] = [
        {"packageReferenceId": "1", "packageItems": []}
        | {name: day(number) for name, number in package.items()}
        for package in packages
    ]

    assert (
        is_shipping_history(
            Order.from_wire(wire),
            import_from=NOW + timedelta(days=import_from),
            connected_at=NOW,
        )
        is expected
    )


def test_an_order_of_no_marketplace_waits_for_amazon_and_not_for_settings():
    wire = wire_order()
    del wire["salesChannel"]["marketplaceId"]

    found = decided(wire, is_mapped=False)

    assert found.state == "waiting"
    assert found.reason.startswith("Amazon does not say in which marketplace")
