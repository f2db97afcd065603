"""Amazon's addresses, country by country."""
# ruff: noqa: RUF001  (full-width digits are the point)

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES
from saleor_amazon_channel.amazon.orders import Address, Order
from saleor_amazon_channel.importing.addresses import (
    BadAddress,
    MappedAddress,
    map_address,
)
from saleor_amazon_channel.importing.countries import COUNTRY_CODES
from saleor_amazon_channel.store.contract import AddressDraft
from wire_orders import wire_order

LIMITS = {
    "first_name": 256,
    "last_name": 256,
    "company_name": 256,
    "street_address_1": 256,
    "street_address_2": 256,
    "city": 256,
    "city_area": 128,
    "country_area": 128,
    "postal_code": 20,
    "country": 2,
    "phone": 16,
}


def address(**wire: Any) -> Address:
    order = wire_order()
    given = {"countryCode": "DE", "addressLine1": "Hauptstr. 5", "city": "Berlin"}
    order["recipient"]["deliveryAddress"] = given | wire
    recipient = Order.from_wire(order).recipient
    assert recipient is not None
    assert recipient.delivery_address is not None
    return recipient.delivery_address


def mapped(**wire: Any) -> AddressDraft:
    return map_address(address(**wire)).draft


def refused(is_to_be_shipped: bool = False, **wire: Any) -> list[tuple[str, str]]:
    with pytest.raises(BadAddress) as caught:
        map_address(address(**wire), is_to_be_shipped=is_to_be_shipped)
    assert {blocker.code for blocker in caught.value.blockers} == {"bad_address"}
    return [(blocker.subject, blocker.message) for blocker in caught.value.blockers]


def test_a_plain_address():
    assert mapped(
        name="Änne Müller",
        companyName="Tassen & mehr",
        addressLine2="Hinterhaus",
        addressLine3="3. Stock",
        districtOrCounty="Mitte",
        stateOrRegion="Berlin",
        postalCode="10115",
        phone="030 1234567",
    ) == AddressDraft(
        first_name="Änne",
        last_name="Müller",
        company_name="Tassen & mehr",
        street_address_1="Hauptstr. 5",
        street_address_2="Hinterhaus, 3. Stock",
        city="Berlin",
        city_area="Mitte",
        country_area="Berlin",
        postal_code="10115",
        country="DE",
        phone="+49301234567",
    )


# Names.


@pytest.mark.parametrize(
    ("name", "first_name", "last_name"),
    [
        ("Maria Silva Santos", "Maria Silva", "Santos"),
        ("Cher", "Cher", ""),
        ("山田　太郎", "山田", "太郎"),
        ("山田太郎", "山田太郎", ""),
        ("  Jean-Luc \t O'Neill  ", "Jean-Luc", "O'Neill"),
        ("Nul\x00in the name", "Nul in the", "name"),
    ],
)
def test_names_are_parted_before_the_last_word(name, first_name, last_name):
    found = mapped(name=name)

    assert (found.first_name, found.last_name) == (first_name, last_name)


def test_a_company_without_a_name_stands_alone():
    found = map_address(address(companyName="Tassen & mehr"), buyer_name="Änne Müller")

    assert (found.draft.first_name, found.draft.last_name) == ("", "")
    assert found.draft.company_name == "Tassen & mehr"


def test_without_name_and_company_the_buyers_name_is_used():
    found = map_address(address(), buyer_name="Änne Müller").draft

    assert (found.first_name, found.last_name) == ("Änne", "Müller")


def test_without_any_name_none_is_invented():
    assert (mapped().first_name, mapped().last_name) == ("", "")


def test_a_long_name_is_parted_where_it_fits():
    words = ["word" * 10] * 8

    found = mapped(name=" ".join(words))

    assert f"{found.first_name} {found.last_name}" == " ".join(words)


def test_a_name_that_fits_nowhere_is_refused():
    ((subject, message),) = refused(name="x" * 600)

    assert subject == "name"
    assert "600 characters, the shop holds 512" in message
    assert "xxx" not in message


# Street.


def test_empty_lines_leave_no_gap():
    found = mapped(addressLine1=" ", addressLine2="Hauptstr. 5", addressLine3="Hof")

    assert (found.street_address_1, found.street_address_2) == ("Hauptstr. 5", "Hof")


def test_long_lines_are_parted_between_words():
    lines = [" ".join(["street"] * 30), " ".join(["house"] * 10), ("far " * 20).strip()]

    found = mapped(addressLine1=lines[0] + "!" * 60, addressLine2=lines[1])

    both = f"{found.street_address_1} {found.street_address_2}"
    assert both == f"{lines[0]}{'!' * 60}, {lines[1]}"
    assert len(found.street_address_1) <= 256


def test_streets_that_fit_nowhere_are_refused():
    ((subject, _),) = refused(addressLine1="x" * 300, addressLine2="y" * 300)

    assert subject == "addressLine1"


def test_a_missing_street_matters_only_if_something_is_to_be_sent():
    ((subject, message),) = refused(
        addressLine1=None, postalCode="10115", is_to_be_shipped=True
    )

    assert subject == "addressLine1"
    assert "Direct-to-Consumer Delivery (Restricted)" in message
    assert mapped(addressLine1=None).street_address_1 == ""


# Countries and their states.


@pytest.mark.parametrize(
    ("given", "country"),
    [("UK", "GB"), ("GB", "GB"), ("EL", "GR"), (" de ", "DE"), ("PR", "PR")],
)
def test_country_codes_are_iso(given, country):
    assert mapped(countryCode=given).country == country


@pytest.mark.parametrize("given", ["XX", "EU", "Germany", "D"])
def test_an_unknown_country_is_refused(given):
    ((subject, message),) = refused(countryCode=given)

    assert subject == "countryCode"
    assert message.startswith(f"{given.upper()} is not a country code")


def test_a_missing_country_is_refused():
    assert [subject for subject, _ in refused(countryCode="")] == ["countryCode"]


@pytest.mark.parametrize(
    ("country", "state", "country_area"),
    [
        ("US", "Washington", "WA"),
        ("US", "WASHINGTON", "WA"),
        ("US", "wa", "WA"),
        ("US", "D.C.", "DC"),
        ("US", "Washington, D.C.", "DC"),
        ("US", "Armed Forces Europe", "AE"),
        ("US", "PR", "PR"),
        ("PR", "PR", ""),
        ("PR", "Puerto Rico", ""),
        ("PR", "", ""),
        ("GU", "Guam", ""),
        ("CA", "Québec", "QC"),
        ("CA", "QUEBEC", "QC"),
        ("CA", "Ontario", "ON"),
        ("AU", "New South Wales", "NSW"),
        ("AU", "nsw", "NSW"),
        ("BR", "São Paulo", "SP"),
        ("BR", "SAO PAULO", "SP"),
        ("GB", "England", "England"),
        ("IN", "Maharashtra", "Maharashtra"),
        ("JP", "東京都", "東京都"),
        ("IN", "MAHARASHTRA", "MAHARASHTRA"),
        ("IT", "Milano", "MI"),
        ("TR", "ISTANBUL", "İstanbul"),
        ("EG", "Cairo", "Cairo Governorate"),
        ("IE", "dublin", "Co. Dublin"),
        ("AE", "Dubai", "Dubai"),
        # Misspelt.
        ("US", "Washingtn", "WA"),
        ("US", "Califronia", "CA"),
        ("IT", "Milanno", "MI"),
        # Two states are as near, or none is.
        ("US", "North Carlota", "North Carlota"),
        ("US", "Lalaland", "Lalaland"),
    ],
)
def test_states_are_brought_into_codes_where_these_are_usual(
    country, state, country_area
):
    assert mapped(countryCode=country, stateOrRegion=state).country_area == country_area


def test_all_marketplaces_have_a_country():
    countries = {info.country_code for info in MARKETPLACES.values()}

    assert len(countries) == 23
    assert countries <= COUNTRY_CODES


def test_singapore_is_its_own_city():
    assert mapped(countryCode="SG", city="").city == "Singapore"
    assert mapped(countryCode="SG", city="Jurong").city == "Jurong"


@pytest.mark.parametrize(
    ("country", "given", "postal_code", "country_area"),
    [
        ("US", "", "98101", "WA"),
        ("ES", "Cataluña", "08001", "Barcelona"),
        ("IT", "Lombardia", "20121", "MI"),
        ("JP", "", "150-0002", "Tokyo"),
        ("IN", "Orissa", "751001", "Odisha"),
        # The postal code is of another state than the nearly right name.
        ("US", "Washingtn", "90210", "CA"),
    ],
)
def test_the_postal_code_says_the_state_where_its_name_does_not(
    country, given, postal_code, country_area
):
    found = mapped(countryCode=country, stateOrRegion=given, postalCode=postal_code)

    assert found.country_area == country_area


def test_a_right_state_is_kept_whatever_the_postal_code():
    found = mapped(countryCode="US", stateOrRegion="Oregon", postalCode="98101")

    assert found.country_area == "OR"


def test_turkeys_city_is_the_district():
    found = mapped(
        countryCode="TR",
        city="Istanbul",
        districtOrCounty="Beyoglu",
        stateOrRegion="Istanbul",
    )
    without_state = mapped(countryCode="TR", city="Izmir", districtOrCounty="Konak")
    other = mapped(countryCode="TR", city="Konak", stateOrRegion="İzmir")

    assert (found.city, found.city_area, found.country_area) == (
        "Beyoglu",
        "",
        "İstanbul",
    )
    assert (without_state.city, without_state.country_area) == ("Konak", "İzmir")
    assert (other.city, other.country_area) == ("Konak", "İzmir")


def test_a_city_that_the_countrys_addresses_lack_is_in_the_street_too():
    found = mapped(countryCode="AE", city="Al Ain", stateOrRegion="Abu Dhabi")
    said = mapped(countryCode="AE", city="Dubai", stateOrRegion="")

    assert (found.street_address_2, found.city) == ("Al Ain", "Al Ain")
    assert (said.street_address_2, said.city) == ("", "Dubai")


def test_a_city_is_spelt_as_its_state_lists_it():
    found = mapped(countryCode="BR", city="SAO PAULO", stateOrRegion="SP")

    assert found.city == "São Paulo"


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        ({"countryCode": "DE"}, ["postalCode"]),
        ({"countryCode": "DE", "city": "", "postalCode": "10115"}, ["city"]),
        ({"countryCode": "DE", "postalCode": "1011"}, ["postalCode"]),
        ({"countryCode": "US"}, ["stateOrRegion", "postalCode"]),
        (
            {"countryCode": "US", "stateOrRegion": "Oregon", "postalCode": "98101"},
            ["postalCode"],
        ),
        (
            {"countryCode": "IN", "stateOrRegion": "Lalaland", "postalCode": "000000"},
            ["stateOrRegion"],
        ),
        ({"countryCode": "AE", "city": "Jumeirah"}, ["stateOrRegion"]),
        ({"countryCode": "SA"}, []),
        ({"countryCode": "EG"}, []),
    ],
)
def test_what_a_parcel_needs_is_refused_by_name_and_only_then(wire, fields):
    assert mapped(**wire)
    if not fields:
        assert map_address(address(**wire), is_to_be_shipped=True)
        return
    found = refused(is_to_be_shipped=True, **wire)

    assert sorted(subject for subject, _ in found) == sorted(fields)
    for _, message in found:
        assert "correct the address of the Amazon order here" in message
        for secret in ("Lalaland", "000000", "98101", "Jumeirah"):
            assert secret not in message


def test_a_municipality_stands_in_for_a_missing_city():
    found = mapped(city="", municipality="Polanco", districtOrCounty="Centro")

    assert (found.city, found.city_area) == ("Polanco", "Centro")


def test_districts_are_joined_once():
    found = mapped(districtOrCounty="Mitte", municipality="MITTE")
    other = mapped(districtOrCounty="Mitte", municipality="Wedding")

    assert found.city_area == "Mitte"
    assert other.city_area == "Mitte, Wedding"


# Postal codes.


@pytest.mark.parametrize(
    ("country", "given", "postal_code"),
    [
        ("JP", "１５０－０００２", "150-0002"),
        ("JP", "1500002", "150-0002"),
        ("EG", "١١٥١١", "11511"),
        ("BR", "01310100", "01310-100"),
        ("BR", "01310-100", "01310-100"),
        ("PL", "00950", "00-950"),
        ("GB", "m12ab", "M1 2AB"),
        ("GB", "SW1A1AA", "SW1A 1AA"),
        ("GB", "BFPO 57", "BFPO 57"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("NL", "1012ab", "1012 AB"),
        ("SE", "11122", "111 22"),
        ("IE", "D02X285", "D02 X285"),
        ("US", "981011234", "98101-1234"),
        ("US", "98101", "98101"),
        ("DE", "D-10115", "10115"),
        ("AT", "A 1010", "1010"),
        ("BE", "B-1000", "1000"),
        ("SE", "SE-111 22", "111 22"),
        ("IN", "400 001", "400001"),
        ("PT", "1000001", "1000-001"),
        ("US", "9810", "9810"),
        ("DE", " 10115 ", "10115"),
        ("AE", "", ""),
    ],
)
def test_postal_codes_are_grouped_as_their_country_writes_them(
    country, given, postal_code
):
    assert mapped(countryCode=country, postalCode=given).postal_code == postal_code


def test_too_long_a_postal_code_is_refused_without_repeating_it():
    ((subject, message),) = refused(postalCode="1" * 21)

    assert subject == "postalCode"
    assert "21 characters, the shop holds 20" in message
    assert "111" not in message


# Brazil.


EXTENDED = {
    "streetName": "Avenida Paulista",
    "streetNumber": "1000",
    "complement": "Sala 301",
    "neighborhood": "Bela Vista",
}


def test_brazil_has_its_street_in_parts():
    found = mapped(
        countryCode="BR",
        addressLine1="Avenida Paulista, 1000",
        addressLine2="Sala 301",
        addressLine3="Bela Vista",
        extendedFields=EXTENDED,
    )

    assert found.street_address_1 == "Avenida Paulista, 1000"
    assert found.street_address_2 == "Sala 301"
    assert found.city_area == "Bela Vista"


def test_brazilian_lines_that_say_more_are_kept():
    found = mapped(
        countryCode="BR",
        addressLine1="Avenida Paulista, 1000",
        addressLine2="Portão azul",
        extendedFields=EXTENDED,
    )

    assert found.street_address_1 == "Avenida Paulista, 1000"
    assert found.street_address_2 == "Sala 301, Portão azul"


def test_brazil_without_parts_uses_the_lines():
    found = mapped(
        countryCode="BR",
        addressLine1="Rua das Flores, 123",
        extendedFields={"neighborhood": "Vila Madalena"},
    )

    assert found.street_address_1 == "Rua das Flores, 123"
    assert found.city_area == "Vila Madalena"


# Phones.


@pytest.mark.parametrize(
    ("country", "given", "phone", "phone_as_given"),
    [
        ("US", "206-555-0100", "+12065550100", ""),
        ("US", "1 (206) 555 0100", "+12065550100", ""),
        # No such area: Saleor would refuse it when staff edit the address.
        ("US", "555-123-4567", "", None),
        ("US", "+1 415-851-9136 ext. 66539", "+14158519136", None),
        ("US", "+1 415-851-9136 x66539", "+14158519136", None),
        ("GB", "+44 20 7946 0958", "+442079460958", ""),
        ("GB", "+44 (0)20 7946 0958", "+442079460958", ""),
        ("GB", "020 7946 0958", "+442079460958", ""),
        ("DE", "0151/12345678", "+4915112345678", ""),
        ("DE", "0049 151 12345678", "+4915112345678", ""),
        ("DE", "49 151 12345678", "+4915112345678", ""),
        ("IT", "02 1234567", "+39021234567", ""),
        ("ES", "912 345 678", "+34912345678", ""),
        ("JP", "０９０－１２３４－５６７８", "+819012345678", ""),
        ("SA", "٠٥٠ ١٢٣ ٤٥٦٧", "+966501234567", ""),
        ("BR", "+55 11 91234-5678", "+5511912345678", ""),
        ("IN", "9198765432", "+919198765432", ""),
        ("FJ", "+679 321 1234", "+6793211234", ""),
        ("FJ", "321 1234", "+6793211234", ""),
        ("DE", "12", "", None),
        ("DE", "call me maybe", "", None),
        ("DE", "0151 12345678 / 030 1234567", "", None),
        ("DE", "+0123456789", "", None),
        ("DE", "+1234567890123456", "", None),
        ("DE", "+", "", None),
        ("DE", "", "", ""),
    ],
)
def test_phones_are_e164_or_left_to_staff(country, given, phone, phone_as_given):
    found = map_address(address(countryCode=country, phone=given))

    assert found.draft.phone == phone
    assert found.phone_as_given == (given if phone_as_given is None else phone_as_given)


# All of them.


def test_everything_wrong_is_said_at_once():
    subjects = [
        subject
        for subject, _ in refused(
            countryCode="XX",
            name="x" * 600,
            companyName="x" * 257,
            addressLine1="x" * 600,
            city="x" * 257,
            districtOrCounty="x" * 129,
            stateOrRegion="x" * 129,
            postalCode="x" * 21,
        )
    ]

    assert subjects == [
        "countryCode",
        "name",
        "addressLine1",
        "companyName",
        "city",
        "districtOrCounty",
        "stateOrRegion",
        "postalCode",
    ]


def test_no_personal_data_in_reprs():
    found = map_address(
        address(name="Änne Müller", phone="call Änne Müller", postalCode="10115")
    )

    for secret in ("Müller", "Hauptstr", "10115"):
        assert secret not in repr(found)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.text(max_size=300)
            for key in (
                "name",
                "companyName",
                "addressLine1",
                "addressLine2",
                "addressLine3",
                "city",
                "districtOrCounty",
                "stateOrRegion",
                "municipality",
                "postalCode",
                "phone",
            )
        }
        | {"countryCode": st.sampled_from(["DE", "US", "BR", "JP", "GB", "SG", "PR"])},
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_text_is_stored_whole_or_refused(wire, is_to_be_shipped):
    source = address(**wire)
    try:
        found: MappedAddress = map_address(source, is_to_be_shipped=is_to_be_shipped)
    except BadAddress:
        return

    draft = found.draft
    for field in fields(draft):
        value = getattr(draft, field.name)
        assert len(value) <= LIMITS[field.name]
        value.encode()
        assert "\x00" not in value
    assert draft.phone == "" or re.fullmatch(r"\+[1-9]\d{6,14}", draft.phone)
    assert kept(draft.first_name + draft.last_name) == kept(source.name)
    street = kept(draft.street_address_1 + draft.street_address_2)
    for line in (source.address_line_1, source.address_line_2, source.address_line_3):
        assert kept(line) in street


def kept(text: str) -> str:
    """``text`` without what is not stored, nor spaces, nor the commas we add."""
    printable = (
        character
        for character in text
        if not re.match(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff,]", character)
    )
    return "".join("".join(printable).split())
