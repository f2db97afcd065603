"""The demo's table: right only when the shop has Amazon's figures."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel import store
from saleor_amazon_channel.demo import report
from saleor_amazon_channel.demo.amazon import AmazonSide
from saleor_amazon_channel.models import AmazonOrder, AmazonOrderItem, SellerAccount
from saleor_amazon_channel.store.contract import BlockerCode, ShopOrderFigures
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

ID = "111-0000001-0000001"
FIGURES = ShopOrderFigures(
    order_id="shop-1",
    number="1",
    status="unfulfilled",
    currency="EUR",
    total=Decimal("25.90"),
    total_charged=Decimal("25.90"),
    lines=(("MUG-1", 2, Decimal("19.90")), ("MUG-2", 1, Decimal("6.00"))),
    shipping=Decimal(0),
    allocated=3,
    fulfilled=0,
)


def amazon() -> AmazonSide:
    items = [
        wire_item("1", "MUG-1", 2, "19.90"),
        wire_item("2", "MUG-2", 1, "6.00"),
    ]
    return AmazonSide(wire_order(ID, items=items))


@pytest.fixture
def record():
    """Put the order into the ledger, in the given state."""

    def put(state: str = "imported", **values: Any) -> AmazonOrder:
        account = SellerAccount.objects.create(name="A", region="EU", seller_id="S")
        order = AmazonOrder.objects.create(
            account=account,
            amazon_order_id=ID,
            created_time=NOW,
            last_updated_time=NOW,
            import_state=state,
            shop_order_id="shop-1" if state == "imported" else None,
            **values,
        )
        for number, quantity in (("1", 2), ("2", 1)):
            AmazonOrderItem.objects.create(
                order=order,
                order_item_id=number,
                quantity_ordered=quantity,
                shop_line_id=f"line-{number}",
            )
        return order

    return put


@pytest.fixture
def figures(monkeypatch):
    """What the shop says it has."""

    class Shop:
        def figures(self, order_ids: list[str]) -> dict[str, ShopOrderFigures]:
            return {known.order_id: known} if known.order_id in order_ids else {}

    known = FIGURES

    def say(**values: Any) -> None:
        nonlocal known
        known = replace(known, **values)

    monkeypatch.setattr(store, "current", Shop)
    return say


def test_an_order_that_is_as_it_must_be(record, figures):
    record()

    result = report.read([amazon()])

    assert result.problems == []
    assert result.totals == {"EUR": (Decimal("25.90"), Decimal("25.90"))}
    assert result.compared_lines == 2
    (row,) = result.rows
    assert row == report.Row(
        ID, "imported", "", "EUR", "0.00", "25.90", "25.90", 2, 3, 0
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"total": Decimal("25.91")}, "25.91 in the shop, 25.90 on Amazon."),
        ({"total_charged": Decimal(0)}, "0 charged of 25.90."),
        ({"currency": "USD"}, "the currency is USD."),
        ({"lines": FIGURES.lines[:1]}, "1 lines, 2 items."),
        ({"shipping": Decimal(1)}, "lines and shipping are not the total."),
        (
            {"lines": (("MUG-1", 3, Decimal("19.90")), FIGURES.lines[1])},
            "3 units in the shop.",
        ),
        (
            {"lines": (("MUG-9", 2, Decimal("19.90")), FIGURES.lines[1])},
            "MUG-9 in the shop.",
        ),
        (
            {
                "lines": (
                    ("MUG-1", 2, Decimal("19.80")),
                    ("MUG-2", 1, Decimal("6.10")),
                )
            },
            "19.80 in the shop, not 19.90.",
        ),
    ],
)
def test_what_the_shop_has_wrong(record, figures, wrong, problem):
    record()
    figures(**wrong)

    result = report.read([amazon()])

    assert any(problem in found for found in result.problems), result.problems


def test_an_order_that_the_shop_lacks(record, figures):
    record(), figures(order_id="another")

    assert report.read([amazon()]).problems == [
        f"{ID}: the shop does not have its order."
    ]


def test_an_order_that_was_not_pulled(figures):
    result = report.read([amazon()])

    assert result.problems == [f"{ID} is not in the ledger."]
    assert result.rows[0].reason == "Not in the ledger."


def test_an_order_that_is_not_amazons(record, figures):
    record()

    assert report.read([]).problems == [f"{ID} is not Amazon's."]


def test_an_order_that_is_still_to_be_imported(record, figures):
    record("ready")

    assert report.read([amazon()]).problems == [f"{ID} is ready and was not imported."]


@pytest.mark.parametrize("state", ["waiting", "blocked", "ignored"])
def test_an_order_is_kept_out_for_a_reason(record, figures, state):
    order = record(state, note="It is Sunday.")
    result = report.read([amazon()])

    assert result.problems == []
    assert result.rows[0] == report.Row(
        ID, state, "It is Sunday.", "EUR", None, "25.90", None, 0, 0, 0
    )

    order.note = ""
    order.save()
    assert report.read([amazon()]).problems == [f"{ID} is {state} and nobody says why."]


def test_an_order_blocked_by_its_amounts_shows_their_difference(record, figures):
    record(
        "blocked",
        note="They differ.",
        blockers=[{"code": BlockerCode.AMOUNTS_DIFFER, "message": "", "subject": ""}],
    )
    one = amazon()
    one.payload["proceeds"]["grandTotal"]["amount"] = "25.88"  # type: ignore[index]

    (row,) = report.read([one]).rows

    assert row.difference == "0.02"


def test_yen_have_no_decimals(record, figures):
    record()
    figures(currency="JPY", total=Decimal("1980.000"))
    item = wire_item(price="1980", currency="JPY")
    one = AmazonSide(wire_order(ID, items=[item], currency="JPY"))

    (row,) = report.read([one]).rows

    assert (row.amazon_total, row.shop_total, row.difference) == (
        "1980",
        "1980",
        "0.00",
    )


def test_the_file_has_these_keys_and_the_table_one_line_each(record, figures, tmp_path):
    record()
    result = report.read([amazon()])
    path = tmp_path / "table.json"

    report.write_json(result, path)

    assert json.loads(path.read_text()) == [
        {
            "order_id": ID,
            "state": "imported",
            "reason": "",
            "difference": "0.00",
            "amazon_total": "25.90",
            "shop_total": "25.90",
            "lines": 2,
            "allocated": 3,
            "fulfilled": 0,
        }
    ]
    title, line = report.as_table(result.rows)
    assert title.split() == [
        "Amazon",
        "order",
        "state",
        "Amazon",
        "shop",
        "difference",
        "lines",
        "allocated",
        "fulfilled",
        "reason",
    ]
    assert line.split() == [
        *(ID, "imported", "25.90", "25.90", "EUR"),
        *("0.00", "2", "3", "0", "-"),
    ]
