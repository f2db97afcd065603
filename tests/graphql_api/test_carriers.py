"""What carriers are called on Amazon: seen, suggested, tried and set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel.models import AmazonPackage, CarrierMapping, SellerAccount
from wire_orders import NOW

CARRIERS = """
query ($accountId: ID) { amazonCarriers(accountId: $accountId) {
  carrier carrierCode carrierName isMapped isKnownCode suggestedCode packageCount
} }
"""

SET = """
mutation ($accountId: ID!, $input: [AmazonCarrierMappingInput!]!, $dryRun: Boolean) {
  amazonCarrierMappingSet(accountId: $accountId, input: $input, dryRun: $dryRun) {
    carriers { carrier carrierCode carrierName isMapped packageCount }
    errors { field code message }
  }
}
"""

Ask = Callable[..., Answer]


def packages(account: SellerAccount, *carriers: str) -> None:
    order = new_order(account)
    AmazonPackage.objects.bulk_create(
        AmazonPackage(
            order=order,
            package_reference_id=1001 + number,
            fulfillment_id=str(number),
            carrier_name=carrier,
            ship_date=NOW,
        )
        for number, carrier in enumerate(carriers)
    )


def account_id(account: SellerAccount) -> str:
    return Node.to_global_id("AmazonAccount", account.pk)


def change(
    ask: Ask, account: SellerAccount, *given: dict[str, Any], **more: Any
) -> Any:
    return ask(SET, {"accountId": account_id(account), "input": list(given), **more})[
        "amazonCarrierMappingSet"
    ]


def test_carriers_of_late_and_what_they_are_called(
    ask: Ask, account: SellerAccount
) -> None:
    packages(account, "UPS", "DHL Paket Deutschland", "ups", "", "Bob's van")

    assert ask(CARRIERS)["amazonCarriers"] == [
        {
            "carrier": "Bob's van",
            "carrierCode": "Other",
            "carrierName": "Bob's van",
            "isMapped": False,
            "isKnownCode": True,
            "suggestedCode": None,
            "packageCount": 1,
        },
        {
            "carrier": "DHL Paket Deutschland",
            "carrierCode": "Other",
            "carrierName": "DHL Paket Deutschland",
            "isMapped": False,
            "isKnownCode": True,
            "suggestedCode": "DHL-Paket",
            "packageCount": 1,
        },
        {
            "carrier": "ups",
            "carrierCode": "UPS",
            "carrierName": None,
            "isMapped": False,
            "isKnownCode": True,
            "suggestedCode": None,
            "packageCount": 2,
        },
    ]


def test_a_dry_run_shows_and_saves_nothing(ask: Ask, account: SellerAccount) -> None:
    packages(account, "DHL Paket Deutschland")
    given = {"carrier": "dhl-paket deutschland", "carrierCode": "dhl paket"}

    told = change(ask, account, given, dryRun=True)

    assert told == {
        "carriers": [
            {
                "carrier": "dhl-paket deutschland",
                "carrierCode": "DHL-Paket",
                "carrierName": None,
                "isMapped": True,
                "packageCount": 1,
            }
        ],
        "errors": [],
    }
    assert not CarrierMapping.objects.exists()
    assert change(ask, account, given) == told
    assert CarrierMapping.objects.get().carrier_code == "DHL-Paket"


def test_it_is_replaced_and_taken_away(ask: Ask, account: SellerAccount) -> None:
    change(ask, account, {"carrier": "Bob", "carrierCode": "Other"})
    change(
        ask,
        account,
        {"carrier": "BOB", "carrierCode": "Other", "carrierName": "Bob & Sons"},
    )

    [row] = CarrierMapping.objects.all()
    assert (row.carrier, row.carrier_code, row.carrier_name) == (
        "BOB",
        "Other",
        "Bob & Sons",
    )

    told = change(ask, account, {"carrier": "bob", "carrierCode": ""})

    assert told == {"carriers": [], "errors": []}
    assert not CarrierMapping.objects.exists()


def test_what_is_refused_says_why(ask: Ask, account: SellerAccount) -> None:
    def errors(**given: str) -> Any:
        [error] = change(ask, account, {"carrierCode": "UPS", **given})["errors"]
        return error["field"], error["code"], error["message"]

    assert errors(carrier="--") == (
        "carrier",
        "INVALID",
        "A carrier's name has a letter or a digit.",
    )
    assert errors(carrier="x" * 51) == (
        "carrier",
        "INVALID",
        f"At most 50 characters: {'x' * 51}.",
    )
    assert errors(carrier="Bob", carrierName="Bob & Sons") == (
        "carrierName",
        "INVALID",
        "Bob: a name goes with the code Other only.",
    )
    assert not CarrierMapping.objects.exists()


def test_it_costs_the_same_however_many_there_are(
    ask: Ask, account: SellerAccount, django_assert_num_queries: Any
) -> None:
    packages(account, *(f"Carrier {number}" for number in range(50)))

    with django_assert_num_queries(3):
        assert len(ask(CARRIERS)["amazonCarriers"]) == 50
    given = [
        {"carrier": f"Carrier {number}", "carrierCode": "UPS"} for number in range(50)
    ]
    with django_assert_num_queries(6):  # two of them open and close the transaction
        assert len(change(ask, account, *given)["carriers"]) == 50
