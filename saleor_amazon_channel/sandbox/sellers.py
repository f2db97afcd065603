"""Sellers API v1: the marketplaces an account takes part in.

Source: Amazon's model ``sellers.json``.
"""

from __future__ import annotations

from ..amazon.marketplaces import MARKETPLACES
from .calls import Answer, Call, Operation, Query
from .usage_plans import UsagePlan

LANGUAGES = {
    "US": "en_US", "CA": "en_CA", "MX": "es_MX", "BR": "pt_BR", "IE": "en_IE",
    "ES": "es_ES", "GB": "en_GB", "FR": "fr_FR", "BE": "fr_BE", "NL": "nl_NL",
    "DE": "de_DE", "IT": "it_IT", "SE": "sv_SE", "ZA": "en_ZA", "PL": "pl_PL",
    "EG": "ar_EG", "TR": "tr_TR", "SA": "ar_SA", "AE": "ar_AE", "IN": "en_IN",
    "SG": "en_SG", "AU": "en_AU", "JP": "ja_JP",
}  # fmt: skip

#: Accounts also list marketplaces that are no shop ("Non-Amazon"). Invented ids.
_NON_RETAIL = {
    "NA": ("A1NONAMAZONNA0", "US", "USD"),
    "EU": ("A1NONAMAZONEU0", "DE", "EUR"),
    "FE": ("A1NONAMAZONFE0", "JP", "JPY"),
}


def country_of(marketplace_id: str) -> str:
    return MARKETPLACES[marketplace_id].country_code


def get_marketplace_participations(call: Call) -> Answer:
    Query(call.pairs, ())
    account = call.seller
    payload = []
    for marketplace_id in account.marketplace_ids:
        info = MARKETPLACES[marketplace_id]
        payload.append(
            _participation(
                account.store_name,
                marketplace_id,
                "A" + info.domain[1:],
                info.country_code,
                info.currency,
                f"www.{info.domain}",
            )
        )
    marketplace_id, country, currency = _NON_RETAIL[account.region]
    payload.append(
        _participation(
            account.store_name,
            marketplace_id,
            "Non-Amazon",
            country,
            currency,
            f"siprod.stores.amazon.{country.lower()}",
        )
    )
    return Answer(200, {"payload": payload})


def _participation(
    store_name: str,
    marketplace_id: str,
    name: str,
    country: str,
    currency: str,
    domain: str,
) -> dict[str, object]:
    return {
        "marketplace": {
            "id": marketplace_id,
            "name": name,
            "countryCode": country,
            "defaultCurrencyCode": currency,
            "defaultLanguageCode": LANGUAGES[country],
            "domainName": domain,
        },
        "storeName": store_name,
        "participation": {"isParticipating": True, "hasSuspendedListings": False},
    }


OPERATIONS = (
    Operation(
        "getMarketplaceParticipations",
        "GET",
        "/sellers/v1/marketplaceParticipations",
        UsagePlan(0.016, 15),
        get_marketplace_participations,
    ),
)
