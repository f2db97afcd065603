"""Each refund is recorded once, however Amazon tells of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.finances import Transaction, transaction_from_wire
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import recorder, refunds
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonRefund,
    CommunicationLog,
    SellerAccount,
)
from wire_orders import NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

ORDER = "111-0000001-0000001"
FIRST, SECOND = "10000000000001", "10000000000002"


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


def record_order(account: SellerAccount, *items: dict[str, Any]) -> AmazonOrder:
    wire = wire_order(ORDER, status="SHIPPED", items=list(items) or None)
    recorder.record(account, [(Order.from_wire(wire), wire)])
    return AmazonOrder.objects.get()


def leaf(kind: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {
        "breakdownType": kind,
        "breakdownAmount": {
            "currencyAmount": Decimal(amount),
            "currencyCode": currency,
        },
        "breakdowns": [],
    }


def wire_part(
    *leaves: dict[str, Any], sku: str = "MUG-1", asin: str = "", item_id: str = ""
) -> dict[str, Any]:
    context = {"contextType": "ProductContext", "sku": sku, "asin": asin}
    return {
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": item_id or "81297625121275",
            }
        ],
        "breakdowns": list(leaves),
        "contexts": [context] if sku or asin else [],
    }


def wire_refund(
    transaction_id: str = "T-1",
    *parts: dict[str, Any],
    status: str = "RELEASED",
    order_id: str = ORDER,
    posted: str = "2026-11-20T11:00:00Z",
    refund_id: str = "",
    **links: str,
) -> dict[str, Any]:
    identifiers = {"ORDER_ID": order_id, "REFUND_ID": refund_id, **links}
    return {
        "transactionId": transaction_id,
        "transactionType": "Refund",
        "transactionStatus": status,
        "postedDate": posted,
        "relatedIdentifiers": [
            {"relatedIdentifierName": name, "relatedIdentifierValue": value}
            for name, value in identifiers.items()
            if value
        ],
        "items": list(parts) or [wire_part(leaf("OurPricePrincipal", "-10.00"))],
        "breakdowns": [],
    }


def told(*wires: dict[str, Any]) -> list[Transaction]:
    return [transaction_from_wire(copy.deepcopy(wire)) for wire in wires]


def record(account: SellerAccount, *wires: dict[str, Any]) -> int:
    return refunds.record(account, told(*wires))


def amounts(row: AmazonRefund | None = None) -> dict[tuple[str, str], str]:
    row = row or AmazonRefund.objects.get()
    return {
        (each.order_item_id, each.component): f"{each.amount:.2f}"
        for each in row.amounts.all()
    }


DEFERRED = wire_refund("D", status="DEFERRED", posted="2026-11-18T11:00:00Z")
DEFERRED_RELEASED = wire_refund(
    "D",
    status="DEFERRED_RELEASED",
    posted="2026-11-18T11:00:00Z",
    RELEASE_TRANSACTION_ID="R",
)
RELEASE = wire_refund("R", DEFERRED_TRANSACTION_ID="D")


def test_a_refund_and_what_it_gives_of_each_item(account: SellerAccount) -> None:
    record_order(account, wire_item(FIRST), wire_item(SECOND, "MUG-2"))

    news = record(
        account,
        wire_refund(
            "T-1",
            wire_part(leaf("OurPricePrincipal", "-10.00"), leaf("OurPriceTax", "-1")),
            wire_part(leaf("ShippingPrincipal", "-4.99"), sku="MUG-2"),
            refund_id="7",
        ),
    )

    assert news == 1
    row = AmazonRefund.objects.get()
    assert (row.account, row.amazon_order_id) == (account, ORDER)
    assert (row.transaction_id, row.refund_id) == ("T-1", "7")
    assert (row.currency, row.amount) == ("EUR", Decimal("15.99"))
    assert (row.status, row.state, row.carry_at) == ("released", "waiting", None)
    assert row.posted_at == NOW - timedelta(hours=1)
    assert amounts() == {
        (FIRST, "Principal"): "10.00",
        (FIRST, "Tax"): "1.00",
        (SECOND, "Shipping"): "4.99",
    }
    # As Amazon wrote it.
    assert row.payload["items"][0]["breakdowns"][0]["breakdownAmount"] == {
        "currencyAmount": "-10.00",
        "currencyCode": "EUR",
    }


def test_told_twice_it_is_one_and_no_news(account: SellerAccount) -> None:
    assert record(account, wire_refund(), wire_refund()) == 1
    assert record(account, wire_refund()) == 0
    assert AmazonRefund.objects.count() == 1
    assert amounts() == {("", "Principal"): "10.00"}


def test_two_alike_are_two(account: SellerAccount) -> None:
    record(
        account, wire_refund("T-1", refund_id="1"), wire_refund("T-2", refund_id="2")
    )
    record(account, wire_refund("T-3"), wire_refund("T-4"))

    assert AmazonRefund.objects.count() == 4


@pytest.mark.parametrize(
    "wires",
    [
        (DEFERRED, DEFERRED_RELEASED, RELEASE),
        (DEFERRED, RELEASE),
        (RELEASE, DEFERRED),
        (RELEASE, DEFERRED_RELEASED),
        (RELEASE, DEFERRED, DEFERRED_RELEASED),
        (DEFERRED_RELEASED, RELEASE, DEFERRED),
    ],
)
@pytest.mark.parametrize("is_at_once", [True, False])
def test_deferred_and_released_is_one_refund_in_any_order(
    account: SellerAccount, wires: tuple[dict[str, Any], ...], is_at_once: bool
) -> None:
    if is_at_once:
        record(account, *wires)
    else:
        for wire in wires:
            record(account, wire)

    row = AmazonRefund.objects.get()
    assert (row.transaction_id, row.linked_transaction_id) == ("D", "R")
    assert row.status == "released"
    assert row.posted_at == NOW - timedelta(days=2, hours=1)
    assert amounts() == {("", "Principal"): "10.00"}
    assert record(account, *wires) == 0


def test_a_link_on_one_side_only(account: SellerAccount) -> None:
    bare = wire_refund("R")
    record(account, bare)
    record(account, DEFERRED_RELEASED)

    row = AmazonRefund.objects.get()
    # What the shop may know it by stays.
    assert (row.transaction_id, row.linked_transaction_id) == ("R", "D")
    assert record(account, bare, DEFERRED_RELEASED) == 0


def test_a_pair_without_links_shares_amazons_refund_id(account: SellerAccount) -> None:
    deferred = wire_refund("D", status="DEFERRED", refund_id="7")
    release = wire_refund("R", refund_id="7")
    record(account, deferred)
    record(account, release)

    row = AmazonRefund.objects.get()
    assert (row.transaction_id, row.linked_transaction_id) == ("D", "R")
    assert row.status == "released"
    # Another amount, or another of the same kind: another refund.
    other = wire_part(leaf("OurPricePrincipal", "-1.00"))
    record(account, wire_refund("D-2", other, status="DEFERRED", refund_id="8"))
    record(account, wire_refund("R-2", refund_id="8"))
    record(account, wire_refund("R-3", refund_id="7"))
    assert AmazonRefund.objects.count() == 4


def test_the_release_says_the_amounts(account: SellerAccount) -> None:
    corrected = wire_refund(
        "R",
        wire_part(leaf("OurPricePrincipal", "-10.05")),
        DEFERRED_TRANSACTION_ID="D",
    )
    record(account, DEFERRED)
    assert record(account, corrected) == 1
    assert amounts() == {("", "Principal"): "10.05"}
    # The deferred one comes late.
    record(account, DEFERRED_RELEASED)
    assert amounts() == {("", "Principal"): "10.05"}
    assert AmazonRefund.objects.get().amount == Decimal("10.05")


def test_an_imported_order_is_to_have_it_and_again_when_it_changes(
    account: SellerAccount, now: Any
) -> None:
    record_order(account)
    AmazonOrder.objects.update(import_state="imported")
    record(account, DEFERRED)
    row = AmazonRefund.objects.get()
    assert row.carry_at == NOW

    AmazonRefund.objects.update(carry_at=None, state="recorded")
    record(account, DEFERRED_RELEASED, RELEASE)
    row.refresh_from_db()
    # Released, but of the same amounts: nothing to do in the shop.
    assert (row.status, row.carry_at) == ("released", None)

    changed = copy.deepcopy(RELEASE)
    amount = changed["items"][0]["breakdowns"][0]["breakdownAmount"]
    amount["currencyAmount"] = Decimal("-9.00")
    record(account, changed)
    row.refresh_from_db()
    assert (row.amount, row.carry_at) == (Decimal("9.00"), NOW)


def test_another_accounts_order_is_not_touched(account: SellerAccount) -> None:
    record_order(account)
    AmazonOrder.objects.update(import_state="imported")
    other = SellerAccount.objects.create(
        name="Other", region="NA", seller_id="A2", import_from=NOW
    )

    record(other, wire_refund())

    assert AmazonRefund.objects.get().carry_at is None
    assert amounts() == {("", "Principal"): "10.00"}


# --- of which item --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "item_id"),
    [
        ({"sku": "MUG-2"}, SECOND),
        ({"sku": "", "asin": "B000000001"}, ""),  # all have this one
        ({"sku": "", "item_id": FIRST}, FIRST),
        # The id says it even where the SKU does not.
        ({"sku": "MUG-1", "item_id": SECOND}, SECOND),
        ({"sku": "MUG-9"}, ""),
        ({"sku": ""}, ""),
    ],
)
def test_an_item_is_told_by_what_only_one_has(
    account: SellerAccount, part: dict[str, str], item_id: str
) -> None:
    record_order(account, wire_item(FIRST), wire_item(SECOND, "MUG-2"))

    record(
        account, wire_refund("T", wire_part(leaf("OurPricePrincipal", "-1.00"), **part))
    )

    assert amounts() == {(item_id, "Principal"): "1.00"}


def test_a_sku_that_two_items_have_tells_none(account: SellerAccount) -> None:
    record_order(account, wire_item(FIRST), wire_item(SECOND))
    record(account, wire_refund())
    assert amounts() == {("", "Principal"): "10.00"}


def test_what_no_item_is_named_for_is_the_only_items(account: SellerAccount) -> None:
    record_order(account, wire_item(FIRST))
    summary = wire_refund("T", {"breakdowns": None})
    summary["breakdowns"] = [
        {
            **leaf("Refunded Sales", "-3.00"),
            "breakdowns": [leaf("ProductCharges", "-3.00")],
        },
        {
            **leaf("Refunded Expenses", "0.45"),
            "breakdowns": [leaf("AmazonFees", "0.45")],
        },
    ]
    record(account, summary)
    assert amounts() == {(FIRST, "Principal"): "3.00"}


def test_a_refund_that_comes_before_its_order_is_matched_later(
    account: SellerAccount,
) -> None:
    record(account, wire_refund())
    assert amounts() == {("", "Principal"): "10.00"}

    order = record_order(account, wire_item(FIRST), wire_item(SECOND, "MUG-2"))
    row = AmazonRefund.objects.get()
    refunds.match_again(row, refunds.items_of([order])[ORDER])

    assert amounts() == {(FIRST, "Principal"): "10.00"}
    assert record(account, wire_refund()) == 0


def test_what_was_refunded_of_each_item_and_component(account: SellerAccount) -> None:
    record_order(account, wire_item(FIRST), wire_item(SECOND, "MUG-2"))
    record(
        account,
        wire_refund("T-1"),
        wire_refund(
            "T-2",
            wire_part(leaf("OurPricePrincipal", "-2.50"), leaf("ShippingTax", "-0.19")),
            wire_part(leaf("GoodwillPrincipal", "-5.00"), sku="MUG-2"),
            status="DEFERRED",
        ),
        wire_refund("T-3", wire_part(leaf("OurPricePrincipal", "-1.00"), sku="")),
        wire_refund("T-4", order_id="111-0000001-0000002"),
    )

    assert refunds.refunded_by_item([ORDER])[ORDER] == {
        FIRST: {"Principal": Decimal("12.50"), "ShippingTax": Decimal("0.19")},
        SECOND: {"Goodwill": Decimal("5.00")},
        "": {"Principal": Decimal("1.00")},
    }


# --- odd ones -------------------------------------------------------------------------


def test_what_is_no_refund_is_passed_over(account: SellerAccount) -> None:
    shipment = {**wire_refund(), "transactionType": "Shipment"}
    assert record(account, shipment) == 0
    assert AmazonRefund.objects.count() == 0


def test_what_is_unknown_in_it_is_named_and_not_counted(account: SellerAccount) -> None:
    record(
        account,
        wire_refund(
            "T",
            wire_part(leaf("OurPricePrincipal", "-1.00"), leaf("BottleDeposit", "-2")),
            wire_part(leaf("OurPricePrincipal", "-3.00", currency="USD")),
        ),
    )

    row = AmazonRefund.objects.get()
    assert (row.amount, row.currency) == (Decimal("1.00"), "EUR")
    assert row.unknown == "BottleDeposit -2 EUR, Principal 3.00 USD"


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        (wire_refund("T" * 129), "transaction_id is longer than 128 characters"),
        (wire_refund(order_id="1" * 33), "order_id is longer than 32 characters"),
        (
            wire_refund("T", wire_part(leaf("OurPricePrincipal", "-1E+16"))),
            "cannot be an amount of an order",
        ),
    ],
)
def test_what_cannot_be_kept_is_logged_once_and_costs_no_other(
    account: SellerAccount, wire: dict[str, Any], problem: str
) -> None:
    for _ in range(2):
        record(account, wire, wire_refund("T-2"))

    assert [row.transaction_id for row in AmazonRefund.objects.all()] == ["T-2"]
    [logged] = CommunicationLog.objects.all()
    assert (logged.error_code, problem in logged.message) == (
        "MalformedTransaction",
        True,
    )
