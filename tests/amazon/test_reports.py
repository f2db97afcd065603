"""Reports: what is read of Amazon's Invoice Data, whatever comes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_amazon_channel.amazon.errors import MalformedAnswer
from saleor_amazon_channel.amazon.invoice_data import Transaction, parse

COLUMNS = (
    "marketplace-id",
    "order-id",
    "transaction-id",
    "transaction-type",
    "sku",
    "currency",
    "item-vat-incl-amount",
    "item-promo-vat-incl-amount",
    "shipping-vat-incl-amount",
    "buyer-name",
    "ship-address-1",
)
ORDER = "111-0000001-0000001"


def report(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    lines = ["\t".join(columns)]
    for row in rows:
        full = {"order-id": ORDER, "transaction-type": "REFUND", **row}
        lines.append("\t".join(full.get(name, "") for name in columns))
    return "\r\n".join(lines).encode()


def one(*rows: dict[str, str]) -> Transaction:
    [found] = parse(report(*rows))
    return found


def test_the_rows_of_a_transaction_are_one_refund() -> None:
    found = one(
        {
            "transaction-id": "amzn:crow:1",
            "sku": "MUG-1",
            "currency": "EUR",
            "item-vat-incl-amount": "-20.00",
            "item-promo-vat-incl-amount": "2.00",
            "shipping-vat-incl-amount": "-4.99",
        },
        {
            "transaction-id": "amzn:crow:1",
            "sku": "MUG-2",
            "currency": "EUR",
            "item-vat-incl-amount": "-7.77",
        },
    )

    assert found == Transaction(
        ORDER, "amzn:crow:1", "EUR", Decimal("30.76"), frozenset({"MUG-1", "MUG-2"})
    )


def test_a_row_that_comes_twice_counts_once() -> None:
    row = {"transaction-id": "1", "sku": "A", "item-vat-incl-amount": "5.00"}
    assert one(row, row).total == Decimal("5.00")
    other = {**row, "sku": "B"}
    assert one(row, other, row).total == Decimal("10.00")


def test_amounts_are_taken_without_their_sign() -> None:
    row = {"transaction-id": "1", "item-vat-incl-amount": "5.00"}
    refunded = {"transaction-id": "1", "item-vat-incl-amount": "-5.00"}
    assert one(row).total == one(refunded).total == Decimal("5.00")


def test_shipments_are_passed_over_and_returns_are_refunds() -> None:
    kinds = ("SHIPMENT", "REFUND", "return", "")
    found = parse(
        report(
            *(
                {"transaction-id": str(number), "transaction-type": kind}
                for number, kind in enumerate(kinds)
            )
        )
    )
    assert [each.transaction_id for each in found] == ["1", "2"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", report()])
def test_an_empty_report_has_no_refunds(content: bytes) -> None:
    assert parse(content) == []


def test_quotes_a_byte_order_mark_and_another_encoding_do_no_harm() -> None:
    content = report({"transaction-id": '"1"', "buyer-name": "Änne", "sku": '"A"'})
    content = content.decode().encode("cp1252")
    [found] = parse(b"\xef\xbb\xbf" + content.replace(b"order-id", b'"order-id"', 1))
    assert (found.transaction_id, found.skus) == ("1", frozenset({"A"}))


@pytest.mark.parametrize("amount", ["5,00", "abc", "NaN", "Infinity"])
def test_an_amount_that_cannot_be_read_makes_no_total(amount: str) -> None:
    rows = (
        {"transaction-id": "1", "item-vat-incl-amount": amount},
        {"transaction-id": "1", "item-vat-incl-amount": "1.00"},
    )
    assert one(*rows).total is None


def test_a_report_without_its_columns_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="no column transaction-id"):
        parse(report(columns=("order-id", "transaction-type")))


def test_a_refund_without_a_name_is_refused_and_no_value_is_told() -> None:
    with pytest.raises(MalformedAnswer, match="line 2 names no refund") as caught:
        parse(report({"transaction-id": "", "buyer-name": "Müller"}))
    assert "Müller" not in str(caught.value)
    assert ORDER not in str(caught.value)


def test_nothing_of_the_buyer_is_read() -> None:
    found = one(
        {
            "transaction-id": "1",
            "buyer-name": "Änne Müller",
            "ship-address-1": "Hauptstr. 5",
        }
    )
    assert "Müller" not in repr(found)
    assert "Hauptstr" not in repr(found)


@given(st.binary(max_size=400))
def test_whatever_comes_it_is_read_or_refused(content: bytes) -> None:
    try:
        found = parse(content)
    except MalformedAnswer:
        return
    assert all(each.transaction_id and each.order_id for each in found)
