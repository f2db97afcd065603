from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    InvalidRequest,
    PackageToUpdateNotFound,
)
from saleor_amazon_channel.amazon.orders_v0 import (
    DIRECT_PAYMENT,
    Package,
    PackageItem,
    confirm_shipment,
)

from .conftest import Answer, Loopback, StillClock, errors

PATH = "/orders/v0/orders/902-1845936-5435065/shipmentConfirmation"
GERMANY = "A1PA6795UKMFR9"

PARCEL = Package(
    package_reference_id="1",
    carrier_code="DHL",
    tracking_number="00340434161094015902",
    ship_date=datetime(2026, 11, 20, 14, 5, tzinfo=UTC),
    items=(PackageItem("20212345678901", 1),),
    shipping_method="Paket",
)


def sent(amazon: Loopback) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in amazon.calls(PATH)]


def confirm(client: Client, package: Package, **options: Any) -> None:
    confirm_shipment(client, "902-1845936-5435065", GERMANY, package, **options)


@pytest.fixture(autouse=True)
def confirmed(amazon: Loopback) -> None:
    amazon.answer(PATH, Answer(204))


def test_a_package_is_told_in_the_models_words(
    amazon: Loopback, client: Client
) -> None:
    confirm(client, PARCEL)

    assert sent(amazon) == [
        {
            "marketplaceId": "A1PA6795UKMFR9",
            "packageDetail": {
                "packageReferenceId": "1",
                "carrierCode": "DHL",
                "shippingMethod": "Paket",
                "trackingNumber": "00340434161094015902",
                "shipDate": "2026-11-20T14:05:00.000Z",
                "orderItems": [{"orderItemId": "20212345678901", "quantity": 1}],
            },
        }
    ]


def test_all_that_a_package_can_have(amazon: Loopback, client: Client) -> None:
    package = replace(
        PARCEL,
        carrier_code="Other",
        carrier_name="Cycle Courier",
        ship_date=datetime(2026, 11, 20, 15, 5, tzinfo=timezone(timedelta(hours=1))),
        ship_from_supply_source_id="057d3fcc",
        items=(PackageItem("2021", 2, ("AZ1", "AZ2")), PackageItem("2022", 1)),
    )

    confirm(client, package, cod_collection_method=DIRECT_PAYMENT)

    (body,) = sent(amazon)
    assert body["codCollectionMethod"] == "DirectPayment"
    detail = body["packageDetail"]
    assert (detail["carrierCode"], detail["carrierName"]) == ("Other", "Cycle Courier")
    assert detail["shipDate"] == "2026-11-20T14:05:00.000Z"
    assert detail["shipFromSupplySourceId"] == "057d3fcc"
    assert detail["orderItems"] == [
        {"orderItemId": "2021", "quantity": 2, "transparencyCodes": ["AZ1", "AZ2"]},
        {"orderItemId": "2022", "quantity": 1},
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"package_reference_id": "0"},
            "packageReferenceId must be a number above 0, in digits",
        ),
        (
            {"package_reference_id": "PKG-1"},
            "packageReferenceId must be a number above 0, in digits",
        ),
        (
            {"package_reference_id": ""},
            "packageReferenceId must be a number above 0, in digits",
        ),
        (
            {"package_reference_id": "²"},
            "packageReferenceId must be a number above 0, in digits",
        ),
        ({"carrier_code": ""}, "carrierCode is missing"),
        (
            {"carrier_code": "Other"},
            "carrierName is missing, which the carrierCode Other needs",
        ),
        ({"tracking_number": " "}, "trackingNumber is missing"),
        (
            {"ship_date": datetime(2026, 11, 20)},  # noqa: DTZ001
            "shipDate needs a time zone",
        ),
        (
            {"ship_date": datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)},
            "shipDate is in the future",
        ),
        ({"items": ()}, "orderItems is empty"),
        ({"items": (PackageItem("", 1),)}, "orderItemId is missing"),
        (
            {"items": (PackageItem("2021", 0),)},
            "quantity of order item 2021 is below 1",
        ),
        (
            {"items": (PackageItem("2021", 1), PackageItem("2021", 1))},
            "order item 2021 is named twice",
        ),
    ],
)
def test_a_package_that_cannot_be_right_is_not_sent(
    amazon: Loopback,
    client: Client,
    still_clock: StillClock,
    change: dict[str, Any],
    problem: str,
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        confirm(client, replace(PARCEL, **change))

    assert [error.message for error in caught.value.errors] == [problem]
    assert amazon.received == []


def test_the_same_package_is_sent_again_when_amazon_does_not_answer(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(PATH, Answer(instead="drop"), Answer(204))

    confirm(client, PARCEL)

    first, second = sent(amazon)
    assert first == second


def test_an_order_shipped_in_full_is_to_be_reconciled(
    amazon: Loopback, client: Client
) -> None:
    message = "Unable to find package to update"
    amazon.answer(PATH, Answer(400, errors("InvalidInput", message)))

    with pytest.raises(PackageToUpdateNotFound):
        confirm(client, PARCEL)

    assert len(amazon.calls(PATH)) == 1


def test_a_package_does_not_show_its_tracking_number() -> None:
    assert PARCEL.tracking_number not in repr(PARCEL)
