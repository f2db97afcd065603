from __future__ import annotations

from typing import Any

import pytest

from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import MalformedAnswer
from saleor_amazon_channel.amazon.sellers import (
    MarketplaceParticipation,
    marketplace_participations,
)

from .conftest import Answer, Loopback

PATH = "/sellers/v1/marketplaceParticipations"


def participation(marketplace_id: str, *, is_participating: bool) -> dict[str, Any]:
    return {
        "marketplace": {
            "id": marketplace_id,
            "name": "Amazon.de",
            "countryCode": "DE",
            "defaultCurrencyCode": "EUR",
            "defaultLanguageCode": "de_DE",
            "domainName": "www.amazon.de",
        },
        "storeName": "Beste Ware",
        "participation": {
            "isParticipating": is_participating,
            "hasSuspendedListings": False,
        },
    }


def test_retail_marketplaces_are_listed(amazon: Loopback, client: Client) -> None:
    payload = [
        participation("A1PA6795UKMFR9", is_participating=True),
        participation("A13V1IB3VIYZZH", is_participating=False),
        participation("A2NODRKZP88ZZZ", is_participating=True),
    ]
    amazon.answer(PATH, Answer(body={"payload": payload}))

    assert marketplace_participations(client) == [
        MarketplaceParticipation("A1PA6795UKMFR9", "Beste Ware", "EUR", True, False),
        MarketplaceParticipation("A13V1IB3VIYZZH", "Beste Ware", "EUR", False, False),
    ]


@pytest.mark.parametrize("body", [None, [], {}, {"payload": [{"marketplace": {}}]}])
def test_another_answer_is_malformed(
    amazon: Loopback, client: Client, body: Any
) -> None:
    amazon.answer(PATH, Answer(body=body))

    with pytest.raises(MalformedAnswer):
        marketplace_participations(client)
