"""Sellers API v1: in which marketplaces the seller takes part.

Source: Amazon's model ``sellers.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .client import Client
from .errors import MalformedAnswer
from .marketplaces import MARKETPLACES

GET_MARKETPLACE_PARTICIPATIONS = "getMarketplaceParticipations"


@dataclass(frozen=True, slots=True)
class MarketplaceParticipation:
    marketplace_id: str
    store_name: str
    default_currency_code: str
    is_participating: bool
    has_suspended_listings: bool


def marketplace_participations(
    client: Client, *, max_wait_seconds: float = 0
) -> list[MarketplaceParticipation]:
    """The seller's retail marketplaces.

    Amazon also lists marketplaces nobody can buy in ("Non-Amazon"); those are left out.
    """
    answer = client.request(
        GET_MARKETPLACE_PARTICIPATIONS,
        "GET",
        "/sellers/v1/marketplaceParticipations",
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    try:
        found = [_participation(wire) for wire in answer["payload"]]
    except (KeyError, TypeError):
        raise MalformedAnswer(
            GET_MARKETPLACE_PARTICIPATIONS, "the answer is not a list of participations"
        ) from None
    return [each for each in found if each.marketplace_id in MARKETPLACES]


def _participation(wire: Any) -> MarketplaceParticipation:
    return MarketplaceParticipation(
        wire["marketplace"]["id"],
        wire.get("storeName") or "",
        wire["marketplace"]["defaultCurrencyCode"],
        bool(wire["participation"]["isParticipating"]),
        bool(wire["participation"]["hasSuspendedListings"]),
    )
