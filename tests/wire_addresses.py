"""Amazon's delivery addresses as they come, good and odd, of all 23 marketplaces."""
# ruff: noqa: RUF001  (letters of other scripts are the point)

from __future__ import annotations

from typing import Any

from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES


def _of(country: str, line: str, city: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "Maria Silva Santos",
        "addressLine1": line,
        "city": city,
        "countryCode": country,
        **more,
    }


#: What each marketplace's buyers give, in the form Amazon passes it on.
BY_MARKETPLACE: dict[str, dict[str, Any]] = {
    "US": _of(
        "US",
        "1420 Maple Ave",
        "Seattle",
        stateOrRegion="Washington",
        postalCode="981011234",
        phone="+1 206-555-0134 ext. 40211",
    ),
    "CA": _of(
        "CA",
        "310 Rue Saint-Paul",
        "Montréal",
        stateOrRegion="Quebec",
        postalCode="h2y1h2",
    ),
    "MX": _of(
        "MX",
        "Av. Álvaro Obregón 12",
        "CDMX",
        districtOrCounty="Roma Norte",
        stateOrRegion="Ciudad de Mexico",
        postalCode="06700",
    ),
    "BR": _of(
        "BR",
        "Avenida Paulista, 1000",
        "SAO PAULO",
        stateOrRegion="Sao Paulo",
        postalCode="01310100",
        phone="+55 11 91234-5678",
        extendedFields={
            "streetName": "Avenida Paulista",
            "streetNumber": "1000",
            "complement": "Sala 301",
            "neighborhood": "Bela Vista",
        },
    ),
    "ES": _of(
        "ES", "Calle Mayor 3", "Barcelona", stateOrRegion="Cataluña", postalCode="08001"
    ),
    "GB": _of(
        "UK",
        "45 Oxford Road",
        "Manchester",
        stateOrRegion="England",
        postalCode="m15qa",
    ),
    "FR": _of("FR", "18 rue de l'Église", "Lyon", postalCode="69 005"),
    "BE": _of("BE", "Rue Neuve 1", "Bruxelles", postalCode="B-1000"),
    "NL": _of("NL", "Damrak 1", "Amsterdam", postalCode="1012lg"),
    "DE": _of("DE", "Lindenstraße 7", "Köln", postalCode="D-50674"),
    "IT": _of(
        "IT", "Via Torino 5", "Milano", stateOrRegion="Lombardia", postalCode="20123"
    ),
    "SE": _of("SE", "Drottninggatan 1", "Stockholm", postalCode="SE-11151"),
    "ZA": _of(
        "ZA",
        "1 Long Street",
        "Cape Town",
        stateOrRegion="Western Cape",
        postalCode="8001",
    ),
    "PL": _of(
        "PL", "ul. Długa 12/4", "Gdańsk", stateOrRegion="pomorskie", postalCode="80831"
    ),
    "EG": _of("EG", "12 شارع التحرير", "القاهرة", stateOrRegion="Cairo"),
    "TR": _of(
        "TR",
        "Istiklal Caddesi No:42",
        "Istanbul",
        districtOrCounty="Beyoglu",
        stateOrRegion="ISTANBUL",
        postalCode="34430",
    ),
    "SA": _of("SA", "King Fahd Road 7", "Riyadh", phone="٠٥٠ ١٢٣ ٤٥٦٧"),
    "AE": _of("AE", "Villa 12, Street 3", "Al Ain", stateOrRegion="Abu Dhabi"),
    "IN": _of(
        "IN",
        "12 MG Road",
        "Bhubaneswar",
        stateOrRegion="ORISSA",
        postalCode="751 001",
    ),
    "SG": _of("SG", "238 Orchard Road #12-03", "", postalCode="238851"),
    "AU": _of(
        "AU",
        "8 Macquarie St",
        "Sydney",
        stateOrRegion="New South Wales",
        postalCode="2000",
    ),
    "JP": _of(
        "JP",
        "渋谷2-24-12",
        "渋谷区",
        addressLine2="スクランブルスクエア 1203",
        stateOrRegion="東京都",
        postalCode="１５００００２",
        name="山田　太郎",
        phone="03-1234-5678",
    ),
    "IE": _of(
        "IE",
        "5 O'Connell Street",
        "Dublin",
        stateOrRegion="Dublin",
        postalCode="D01F5P2",
    ),
}
assert BY_MARKETPLACE.keys() == {info.country_code for info in MARKETPLACES.values()}

#: Odd, and brought into order.
MENDED: dict[str, dict[str, Any]] = {
    "misspelt": _of(
        "US", "1 Main St", "Los Angeles", stateOrRegion="Califronia", postalCode="90012"
    ),
    "puerto rico": _of(
        "PR", "Calle Loíza 9", "San Juan", stateOrRegion="PR", postalCode="00911"
    ),
    "puerto rico as a state": _of(
        "US",
        "Calle Loíza 9",
        "San Juan",
        stateOrRegion="Puerto Rico",
        postalCode="00911",
    ),
    "guam": _of(
        "GU", "12 Marine Corps Dr", "Hagåtña", stateOrRegion="Guam", postalCode="96910"
    ),
    "army post office": _of(
        "US",
        "PSC 4, Box 12",
        "APO",
        stateOrRegion="Armed Forces Europe",
        postalCode="09096",
    ),
    "no state": _of("US", "1 Main St", "Austin", postalCode="78701"),
    "emirate by its city": _of("AE", "Villa 1", "Dubai"),
    "pick-up point": _of(
        "DE",
        "Packstation 145",
        "Berlin",
        postalCode="10115",
        companyName="DHL Packstation",
        addressType="PICKUP_POINT",
    ),
    "no name, no phone": _of(
        "DE", "Hauptstr. 5", "Berlin", postalCode="10115", name=""
    ),
    "a phone that is none": _of(
        "DE", "Hauptstr. 5", "Berlin", postalCode="10115", phone="ring twice"
    ),
    "tokyo in latin letters": _of(
        "JP", "1-1 Marunouchi", "Tokyo", postalCode="1000005"
    ),
    "china": _of(
        "CN",
        "科技园路 1号",
        "深圳市",
        districtOrCounty="南山区",
        stateOrRegion="广东省",
        postalCode="518000",
        name="王小明",
    ),
    "austria": _of("AT", "Ring 1", "Wien", postalCode="A-1010"),
}

#: Not to be mended for certain: the field in which each is wrong.
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no postal code": ("postalCode", _of("DE", "Hauptstr. 5", "Berlin")),
    "half a postal code": (
        "postalCode",
        _of("DE", "Hauptstr. 5", "Berlin", postalCode="101"),
    ),
    "no city": ("city", _of("GB", "1 High St", "", postalCode="M1 5QA")),
    "another state": (
        "postalCode",
        _of("US", "1 Main St", "Seattle", stateOrRegion="Oregon", postalCode="98101"),
    ),
    "no such state": (
        "stateOrRegion",
        _of("IN", "12 MG Road", "Pune", stateOrRegion="Lalaland", postalCode="999999"),
    ),
    "no emirate": ("stateOrRegion", _of("AE", "Villa 1", "Jumeirah")),
}
