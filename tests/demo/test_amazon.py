"""The demo's own figures of Amazon's side, computed apart from the mapping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.demo.amazon import AmazonSide


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


def part(kind: str, amount: str, **details: str) -> dict[str, Any]:
    breakdown: dict[str, Any] = {"type": kind, "subtotal": money(amount)}
    if details:
        breakdown["detailedBreakdowns"] = [
            {"subtype": subtype, "value": money(value)}
            for subtype, value in details.items()
        ]
    return breakdown


def order(grand_total: str, *items: tuple[str, list[dict[str, Any]]], **more: Any):
    return AmazonSide(
        {
            "orderId": "113-1111111-1111111",
            "orderItems": [
                {
                    "orderItemId": str(number),
                    "proceeds": {
                        "proceedsTotal": money(total),
                        "breakdowns": breakdowns,
                    },
                }
                for number, (total, breakdowns) in enumerate(items, start=1)
            ],
            "proceeds": {"grandTotal": money(grand_total), **more},
        }
    )


ON_TOP = [
    part("ITEM", "20.00"),
    part("SHIPPING", "5.00"),
    part("DISCOUNT", "-6.00", ITEM="-4.00", SHIPPING="-2.00"),
    part("TAX", "1.90", ITEM="1.60", SHIPPING="0.30"),
]


def test_a_line_is_the_items_proceeds_less_its_shipping():
    assert order("20.90", ("20.90", ON_TOP)).line_totals() == {"1": Decimal("17.60")}


def test_contained_tax_is_no_part_of_the_shipping():
    parts = [part("ITEM", "20.00"), part("SHIPPING", "5.00"), part("TAX", "4.00")]

    assert order("25.00", ("25.00", parts)).line_totals() == {"1": Decimal("20.00")}


def test_a_line_is_left_out_where_amazon_does_not_say_what_a_discount_is_on():
    parts = [part("ITEM", "20.00"), part("SHIPPING", "5.00"), part("DISCOUNT", "2.00")]

    assert order("23.00", ("23.00", parts)).line_totals() == {}


@pytest.mark.parametrize(
    ("grand_total", "proceeds_total", "gap"),
    [
        ("20.90", "20.90", "0"),
        ("20.91", "20.90", "0.01"),
        ("20.90", "20.88", "0.02"),
        ("19.00", "19.00", "0"),  # read with the tax contained
    ],
)
def test_the_gap_between_amazons_own_figures(grand_total, proceeds_total, gap):
    one = order(grand_total, (proceeds_total, ON_TOP))

    assert one.largest_gap() == Decimal(gap)


def test_the_gap_between_an_order_and_its_items():
    breakdowns = [part("ITEM", "20.03"), part("DELIVERY_TIP", "1.00")]
    one = order("21.00", ("20.00", [part("ITEM", "20.00")]), breakdowns=breakdowns)

    assert one.largest_gap() == Decimal("0.03")


def test_an_order_without_figures():
    one = AmazonSide({"orderItems": [{"orderItemId": "1"}]})

    assert one.total is None
    assert one.currency == ""
    assert one.line_totals() == {}
    assert one.largest_gap() == 0
