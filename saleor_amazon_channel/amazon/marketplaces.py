"""Amazon's regions and marketplaces.

Source: SP-API documentation, "SP-API Endpoints" and "Marketplace IDs" (23 retail
marketplaces). Participation lists also name non-retail marketplaces; ids that are not
here are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

LWA_ENDPOINT = "https://api.amazon.com/auth/o2/token"


@dataclass(frozen=True)
class Region:
    """A selling region: one authorization covers one region of a seller."""

    code: str
    endpoint: str
    aws_region: str


REGIONS = {
    region.code: region
    for region in (
        Region("NA", "https://sellingpartnerapi-na.amazon.com", "us-east-1"),
        Region("EU", "https://sellingpartnerapi-eu.amazon.com", "eu-west-1"),
        Region("FE", "https://sellingpartnerapi-fe.amazon.com", "us-west-2"),
    )
}


#: Whose days are counted in which time zone: the country's, but for North America,
#: where Amazon itself counts them in Pacific time.
_TIME_ZONES = {
    "US": "America/Los_Angeles",
    "CA": "America/Los_Angeles",
    "MX": "America/Los_Angeles",
    "BR": "America/Sao_Paulo",
    "IE": "Europe/Dublin",
    "ES": "Europe/Madrid",
    "GB": "Europe/London",
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "NL": "Europe/Amsterdam",
    "DE": "Europe/Berlin",
    "IT": "Europe/Rome",
    "SE": "Europe/Stockholm",
    "ZA": "Africa/Johannesburg",
    "PL": "Europe/Warsaw",
    "EG": "Africa/Cairo",
    "TR": "Europe/Istanbul",
    "SA": "Asia/Riyadh",
    "AE": "Asia/Dubai",
    "IN": "Asia/Kolkata",
    "SG": "Asia/Singapore",
    "AU": "Australia/Sydney",
    "JP": "Asia/Tokyo",
}


@dataclass(frozen=True)
class MarketplaceInfo:
    """A retail marketplace; ``country_code`` is ISO 3166 (GB, where Amazon says UK)."""

    id: str
    name: str
    country_code: str
    currency: str
    region: str
    domain: str

    @property
    def time_zone(self) -> str:
        """By its name in the IANA database."""
        return _TIME_ZONES[self.country_code]

    @property
    def seller_central_url(self) -> str:
        return f"https://sellercentral.{self.domain}"

    def order_url(self, amazon_order_id: str) -> str:
        """The order's page in Seller Central."""
        return f"{self.seller_central_url}/orders-v3/order/{amazon_order_id}"


MARKETPLACES = {
    info.id: info
    for info in (
        MarketplaceInfo(*row)
        for row in (
            ("ATVPDKIKX0DER", "United States", "US", "USD", "NA", "amazon.com"),
            ("A2EUQ1WTGCTBG2", "Canada", "CA", "CAD", "NA", "amazon.ca"),
            ("A1AM78C64UM0Y8", "Mexico", "MX", "MXN", "NA", "amazon.com.mx"),
            ("A2Q3Y263D00KWC", "Brazil", "BR", "BRL", "NA", "amazon.com.br"),
            ("A28R8C7NBKEWEA", "Ireland", "IE", "EUR", "EU", "amazon.ie"),
            ("A1RKKUPIHCS9HS", "Spain", "ES", "EUR", "EU", "amazon.es"),
            ("A1F83G8C2ARO7P", "United Kingdom", "GB", "GBP", "EU", "amazon.co.uk"),
            ("A13V1IB3VIYZZH", "France", "FR", "EUR", "EU", "amazon.fr"),
            ("AMEN7PMS3EDWL", "Belgium", "BE", "EUR", "EU", "amazon.com.be"),
            ("A1805IZSGTT6HS", "Netherlands", "NL", "EUR", "EU", "amazon.nl"),
            ("A1PA6795UKMFR9", "Germany", "DE", "EUR", "EU", "amazon.de"),
            ("APJ6JRA9NG5V4", "Italy", "IT", "EUR", "EU", "amazon.it"),
            ("A2NODRKZP88ZB9", "Sweden", "SE", "SEK", "EU", "amazon.se"),
            ("AE08WJ6YKNBMC", "South Africa", "ZA", "ZAR", "EU", "amazon.co.za"),
            ("A1C3SOZRARQ6R3", "Poland", "PL", "PLN", "EU", "amazon.pl"),
            ("ARBP9OOSHTCHU", "Egypt", "EG", "EGP", "EU", "amazon.eg"),
            ("A33AVAJ2PDY3EV", "Turkey", "TR", "TRY", "EU", "amazon.com.tr"),
            ("A17E79C6D8DWNP", "Saudi Arabia", "SA", "SAR", "EU", "amazon.sa"),
            ("A2VIGQ35RCS4UG", "United Arab Emirates", "AE", "AED", "EU", "amazon.ae"),
            ("A21TJRUUN4KGV", "India", "IN", "INR", "EU", "amazon.in"),
            ("A19VAU5U5O7RUS", "Singapore", "SG", "SGD", "FE", "amazon.sg"),
            ("A39IBJ37TRP1C6", "Australia", "AU", "AUD", "FE", "amazon.com.au"),
            ("A1VC38T7YXB528", "Japan", "JP", "JPY", "FE", "amazon.co.jp"),
        )
    )
}

#: Of the currencies above, those that have no minor unit (ISO 4217).
ZERO_DECIMAL_CURRENCIES = frozenset({"JPY"})


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of ``currency``: 0.01, or 1 where there are no decimals."""
    return Decimal(1) if currency in ZERO_DECIMAL_CURRENCIES else Decimal("0.01")
