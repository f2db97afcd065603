"""Where the seeds' orders come from: marketplaces as a seller meets them, and people.

Names and addresses are invented; postal codes fit their towns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..amazon.marketplaces import MARKETPLACES, MarketplaceInfo

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """How a marketplace shows in orders.

    ``tax_rate`` is added on top of prices and shown; None means tax is inside them.
    """

    country: str
    order_id_prefix: str
    carrier: str
    payment_method: str
    tax_rate: Decimal | None
    addresses: tuple[Json, ...]

    @property
    def info(self) -> MarketplaceInfo:
        return _BY_COUNTRY[self.country]

    @property
    def channel_name(self) -> str:
        """``Amazon.de``: the sales channel's marketplaceName."""
        return "A" + self.info.domain[1:]


_BY_COUNTRY = {info.country_code: info for info in MARKETPLACES.values()}


def _address(country: str, name: str, line: str, city: str, **more: str) -> Json:
    return {
        "name": name,
        "addressLine1": line,
        "city": city,
        "countryCode": country,
        "addressType": "RESIDENTIAL",
        **{
            {
                "line2": "addressLine2",
                "line3": "addressLine3",
                "state": "stateOrRegion",
                "postcode": "postalCode",
                "county": "districtOrCounty",
            }.get(field, field): value
            for field, value in more.items()
        },
    }


PLACES = {
    place.info.id: place
    for place in (
        Place(
            "US", "113", "UPS", "CreditCard", Decimal("0.0825"),
            (
                _address("US", "Maria Gonzalez", "1420 Maple Ave", "Seattle",
                         state="WA", postcode="98101", phone="+1 206-555-0134"),
                _address("US", "Tyrone Jackson", "77 Congress St", "Austin",
                         line2="Apt 5B", state="TX", postcode="78701-4321",
                         phone="+1 512-555-0187 ext. 40211"),
                _address("US", "Emily Chen", "900 Lombard St", "San Francisco",
                         state="CA", postcode="94133", phone="415-555-0112"),
            ),
        ),
        Place(
            "CA", "701", "Canada Post", "CreditCard", Decimal("0.13"),
            (
                _address("CA", "Liam Tremblay", "310 Rue Saint-Paul", "Montréal",
                         state="QC", postcode="H2Y 1H2", phone="+1 514-555-0147"),
                _address("CA", "Ava MacDonald", "55 Front St W", "Toronto",
                         state="ON", postcode="M5J 1E6", phone="+1 416-555-0199"),
            ),
        ),
        Place(
            "BR", "702", "Correios", "Pix", None,
            (
                {
                    **_address("BR", "Maria Silva Santos", "Rua das Flores, 123",
                               "São Paulo", line2="Apartamento 45", state="SP",
                               postcode="01234-567", phone="+55 11 98765-4321"),
                    "extendedFields": {
                        "streetName": "Rua das Flores",
                        "streetNumber": "123",
                        "complement": "Apartamento 45",
                        "neighborhood": "Vila Madalena",
                    },
                },
            ),
        ),
        Place(
            "GB", "203", "Royal Mail", "CreditCard", None,
            (
                _address("GB", "Oliver Shaw", "12 Station Road", "Leeds",
                         state="West Yorkshire", postcode="LS1 4DY",
                         phone="+44 113 496 0123"),
                _address("GB", "Priya Patel", "Flat 9, Regent Court", "Manchester",
                         line2="45 Oxford Road", postcode="M1 5QA",
                         phone="07700 900123"),
            ),
        ),
        Place(
            "DE", "303", "DHL", "CreditCard", None,
            (
                _address("DE", "Anna Becker", "Lindenstraße 7", "Köln",
                         postcode="50674", phone="+49 221 1234567"),
                _address("DE", "Jürgen Groß", "Am Bühl 3a", "Tübingen",
                         line2="c/o Weiß", postcode="72070",
                         phone="07071 123456"),
            ),
        ),
        Place(
            "FR", "405", "Colissimo", "CreditCard", None,
            (
                _address("FR", "Élodie Lefèvre", "18 rue de l'Église", "Lyon",
                         postcode="69005", phone="+33 4 72 00 00 00"),
                _address("FR", "Benoît Dufour", "3 bis avenue Foch", "Nantes",
                         line2="Bâtiment C, 2e étage", postcode="44000",
                         phone="0612345678"),
            ),
        ),
        Place(
            "PL", "505", "InPost", "CreditCard", None,
            (
                _address("PL", "Łukasz Wiśniewski", "ul. Długa 12/4", "Gdańsk",
                         postcode="80-831", phone="+48 58 123 45 67"),
            ),
        ),
        Place(
            "JP", "250", "YAMATO", "ConvenienceStore", None,
            (
                _address("JP", "山田 太郎", "渋谷2-24-12", "渋谷区",
                         line2="スクランブルスクエア 1203", state="東京都",
                         postcode="150-0002", phone="03-1234-5678"),
                _address("JP", "佐藤 花子", "梅田3-1-3", "大阪市北区",
                         state="大阪府", postcode="530-0001", phone="06-1234-5678"),
            ),
        ),
        Place(
            "AU", "249", "Australia Post", "CreditCard", None,
            (
                _address("AU", "Chloe Nguyen", "8 Macquarie Street", "Sydney",
                         state="NSW", postcode="2000", phone="+61 2 5550 1234"),
            ),
        ),
    )
}  # fmt: skip


def place(country: str) -> Place:
    return PLACES[_BY_COUNTRY[country].id]
