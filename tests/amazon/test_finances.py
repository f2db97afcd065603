from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import MalformedAnswer
from saleor_amazon_channel.amazon.finances import (
    Breakdown,
    Component,
    Transaction,
    TransactionsPage,
    list_transactions,
    refunded,
)
from saleor_amazon_channel.amazon.orders import Money

from .conftest import Answer, Loopback

PATH = "/finances/2024-06-19/transactions"
SINCE = datetime(2026, 11, 17, 12, tzinfo=UTC)

#: As sellers have published refunds of theirs; the amounts as they are written.
REFUND = """{
  "sellingPartnerMetadata": {
    "sellingPartnerId": "A1SELLER", "accountType": "Standard Orders",
    "marketplaceId": "ATVPDKIKX0DER"},
  "transactionType": "Refund",
  "transactionId": "lo6cQ55-40s5sU4g_lSwkZV22qz-vCNVtjLLqAQyux4",
  "transactionStatus": "Released",
  "relatedIdentifiers": [
    {"relatedIdentifierName": "ORDER_ID",
     "relatedIdentifierValue": "111-0000001-0000001"},
    {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": "14178712390725"},
    {"relatedIdentifierName": "DEFERRED_TRANSACTION_ID",
     "relatedIdentifierValue": "b1qD0oAliFkLiqRyGbmeT0DoS2Z2kHzi7TZ92z-vARI"}],
  "totalAmount": {"currencyAmount": -17.07, "currencyCode": "USD"},
  "description": "Refund Order",
  "postedDate": "2026-11-18T12:45:47Z",
  "marketplaceDetails": {
    "marketplaceId": "ATVPDKIKX0DER", "marketplaceName": "Amazon.com"},
  "items": [{
    "description": "A mug",
    "totalAmount": {"currencyAmount": -17.07, "currencyCode": "USD"},
    "relatedIdentifiers": [
      {"itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
       "itemRelatedIdentifierValue": "6226957701205"}],
    "breakdowns": [
      {"breakdownType": "Tax",
       "breakdownAmount": {"currencyAmount": -1.65, "currencyCode": "USD"},
       "breakdowns": [
         {"breakdownType": "OurPriceTax",
          "breakdownAmount": {"currencyAmount": -1.25, "currencyCode": "USD"},
          "breakdowns": []},
         {"breakdownType": "ShippingTax",
          "breakdownAmount": {"currencyAmount": -0.40, "currencyCode": "USD"},
          "breakdowns": null}]},
      {"breakdownType": "ProductCharges",
       "breakdownAmount": {"currencyAmount": -16.0, "currencyCode": "USD"},
       "breakdowns": [
         {"breakdownType": "OurPricePrincipal",
          "breakdownAmount": {"currencyAmount": -20, "currencyCode": "USD"}},
         {"breakdownType": "RestockingDeductionPrincipal",
          "breakdownAmount": {"currencyAmount": 4.00, "currencyCode": "USD"}}]},
      {"breakdownType": "Shipping",
       "breakdownAmount": {"currencyAmount": -4.99, "currencyCode": "USD"},
       "breakdowns": [
         {"breakdownType": "ShippingPrincipal",
          "breakdownAmount": {"currencyAmount": -4.99, "currencyCode": "USD"}}]},
      {"breakdownType": "PromoRebates",
       "breakdownAmount": {"currencyAmount": 3.99, "currencyCode": "USD"},
       "breakdowns": [
         {"breakdownType": "OurPriceDiscount",
          "breakdownAmount": {"currencyAmount": 1.00, "currencyCode": "USD"}},
         {"breakdownType": "ShippingDiscount",
          "breakdownAmount": {"currencyAmount": 2.99, "currencyCode": "USD"}}]},
      {"breakdownType": "MarketplaceFacilitatorTax-Principal",
       "breakdownAmount": {"currencyAmount": 1.25, "currencyCode": "USD"}},
      {"breakdownType": "AmazonFees",
       "breakdownAmount": {"currencyAmount": 2.40, "currencyCode": "USD"},
       "breakdowns": [
         {"breakdownType": "Commission",
          "breakdownAmount": {"currencyAmount": 3.0, "currencyCode": "USD"},
          "breakdowns": [
            {"breakdownType": "Tax",
             "breakdownAmount": {"currencyAmount": 0.5, "currencyCode": "USD"}}]},
         {"breakdownType": "RefundCommission",
          "breakdownAmount": {"currencyAmount": -0.6, "currencyCode": "USD"}}]}],
    "contexts": [
      {"contextType": "AmazonPayContext", "channel": "MFN"},
      {"contextType": "ProductContext", "asin": "B085V6LQPB", "sku": "MUG-1",
       "quantityShipped": 2, "fulfillmentNetwork": "MFN"}]}],
  "contexts": null,
  "breakdowns": []
}"""


def answer(*transactions: str, next_token: str | None = None) -> Answer:
    token = "" if next_token is None else f', "nextToken": {json.dumps(next_token)}'
    body = f'{{"payload": {{"transactions": [{",".join(transactions)}]{token}}}}}'
    return Answer(body=body.encode())


def page_of(amazon: Loopback, client: Client, *transactions: str) -> TransactionsPage:
    amazon.answer(PATH, answer(*transactions))
    return list_transactions(client, posted_after=SINCE)


def test_a_refund_is_read_to_the_cent(amazon: Loopback, client: Client) -> None:
    [found] = page_of(amazon, client, REFUND).transactions

    assert isinstance(found, Transaction)
    assert found.is_refund
    assert found.transaction_id == "lo6cQ55-40s5sU4g_lSwkZV22qz-vCNVtjLLqAQyux4"
    assert found.status == "RELEASED"
    assert found.posted_date == datetime(2026, 11, 18, 12, 45, 47, tzinfo=UTC)
    assert (found.order_id, found.refund_id) == (
        "111-0000001-0000001",
        "14178712390725",
    )
    assert found.deferred_transaction_id.startswith("b1qD0o")
    assert found.release_transaction_id == ""
    [item] = found.items
    assert (item.seller_sku, item.asin) == ("MUG-1", "B085V6LQPB")
    assert item.identifiers == ("6226957701205",)
    # What was written, not the nearest binary fraction.
    assert found.payload["totalAmount"]["currencyAmount"] == Decimal("-17.07")

    given = refunded(item.breakdowns)
    assert given.unknown == []
    assert given.amounts == {
        Component.PRINCIPAL: Money(Decimal("19.00"), "USD"),
        Component.TAX: Money(Decimal("1.25"), "USD"),
        Component.SHIPPING: Money(Decimal("2.00"), "USD"),
        Component.SHIPPING_TAX: Money(Decimal("0.40"), "USD"),
        Component.RESTOCKING_FEE: Money(Decimal("-4.00"), "USD"),
    }


def test_the_call_names_no_marketplace_and_repeats_its_times_with_the_token(
    amazon: Loopback, client: Client
) -> None:
    until = datetime(2026, 11, 19, 12, tzinfo=UTC)
    amazon.answer(PATH, answer(next_token="more"), answer(REFUND))

    # An empty page is no end.
    first = list_transactions(client, posted_after=SINCE, posted_before=until)
    second = list_transactions(
        client,
        posted_after=SINCE,
        posted_before=until,
        next_token=first.next_token,
    )

    assert (first.transactions, first.next_token) == ((), "more")
    assert (len(second.transactions), second.next_token) == (1, None)
    assert [call.query for call in amazon.calls(PATH)] == [
        {
            "postedAfter": "2026-11-17T12:00:00.000Z",
            "postedBefore": "2026-11-19T12:00:00.000Z",
        },
        {
            "postedAfter": "2026-11-17T12:00:00.000Z",
            "postedBefore": "2026-11-19T12:00:00.000Z",
            "nextToken": "more",
        },
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"transactionId": None}, "transactionId is missing"),
        ({"postedDate": "2026-11-18"}, "postedDate must be a date and time"),
        ({"items": [{"breakdowns": [{"breakdownAmount": {}}]}]}, "currencyAmount"),
        ({"relatedIdentifiers": "ORDER_ID"}, "relatedIdentifiers must be a list"),
    ],
)
def test_one_bad_transaction_does_not_cost_the_others(
    amazon: Loopback, client: Client, change: dict[str, Any], problem: str
) -> None:
    bad = json.dumps({**json.loads(REFUND), **change})

    page = page_of(amazon, client, bad, REFUND, '"no object"')

    assert len(page.transactions) == 1
    assert len(page.malformed) == 2
    assert problem in page.malformed[0]


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"payload": []}, {"payload": {"transactions": {}}}],
)
def test_another_answer_is_malformed(
    amazon: Loopback, client: Client, body: Any
) -> None:
    amazon.answer(PATH, Answer(body=body))

    with pytest.raises(MalformedAnswer):
        list_transactions(client, posted_after=SINCE)


def test_the_models_own_example_is_read(amazon: Loopback, client: Client) -> None:
    example = json.loads(REFUND)
    example["breakdowns"] = {
        "breakdowns": [
            {
                "breakdownType": "Sales",
                "breakdownAmount": {"currencyAmount": 10, "currencyCode": "USD"},
                "breakdowns": [],
            }
        ]
    }

    [found] = page_of(amazon, client, json.dumps(example)).transactions

    assert [each.type for each in found.breakdowns] == ["Sales"]


# --- what the buyer gets --------------------------------------------------------------


def leaf(kind: str, amount: str, *below: Breakdown, currency: str = "EUR") -> Breakdown:
    return Breakdown(kind, Money(Decimal(amount), currency), below)


def amounts(*breakdowns: Breakdown) -> dict[str, str]:
    found = refunded(breakdowns).amounts
    return {str(component): str(money.amount) for component, money in found.items()}


def test_groups_that_amazon_does_not_split_are_taken_whole() -> None:
    assert amounts(
        leaf(
            "Refunded Sales",
            "-27.50",
            leaf("ProductCharges", "-20.00"),
            leaf("Tax", "-3.80"),
            leaf("Shipping", "-4.70"),
            leaf("PromoRebates", "1.00"),
        ),
        leaf("Refunded Expenses", "3.00", leaf("AmazonFees", "3.00")),
    ) == {"Principal": "19.00", "Tax": "3.80", "Shipping": "4.70"}


def test_gift_wrap_goodwill_and_what_the_seller_keeps() -> None:
    assert amounts(
        leaf("Giftwrap", "-3.99", leaf("GiftwrapPrincipal", "-3.99")),
        leaf("Tax", "-0.32", leaf("GiftwrapTax", "-0.32")),
        leaf("Goodwill", "-5.00", leaf("GoodwillPrincipal", "-5.00")),
        leaf("RestockingDeductionTax", "0.28"),
        leaf("ReturnShippingDeductionPrincipal", "6.00"),
    ) == {
        "GiftWrap": "3.99",
        "GiftWrapTax": "0.32",
        "Goodwill": "5.00",
        "RestockingFeeTax": "-0.28",
        "ReturnShipping": "-6.00",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "AmazonFees",
        "FBAPerUnitFulfillmentFee",
        "RefundCommission",
        "ShippingChargeback",
        "MarketplaceFacilitatorVAT-Shipping",
        "LowValueGoodsTax-Principal",
        "PointsReclaimed",
    ],
)
def test_what_is_between_amazon_and_the_seller_is_not_the_buyers(kind: str) -> None:
    found = refunded([leaf(kind, "3.00", leaf("Tax", "3.00"))])

    assert (found.amounts, found.unknown) == ({}, [])


def test_what_nobody_knows_is_named_and_never_guessed() -> None:
    found = refunded(
        [
            leaf("OurPricePrincipal", "-1.00"),
            leaf("BottleDeposit", "-0.25"),
            leaf("Something", "0"),
            # A tax of what?
            leaf("Insurance", "-0.10", leaf("Tax", "-0.10")),
            leaf("OurPriceTax", "-1.00"),
            leaf("OurPriceTax", "-1.00", currency="USD"),
        ]
    )

    assert found.unknown == [
        "BottleDeposit -0.25 EUR",
        "Tax -0.10 EUR",
        "Tax -1.00 USD",
    ]
    assert list(found.amounts) == [Component.PRINCIPAL, Component.TAX]
