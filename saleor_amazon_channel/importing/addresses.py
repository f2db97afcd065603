"""Amazon's delivery address in Saleor's address fields.

Both sides' rules: ``CustomerAddress`` in Amazon's Orders model v2026-01-01, and
``Address`` in Saleor's account models (its column lengths are the limits here) with the
rules of its forms (``address_rules``). Values are brought into the form that those
rules expect where this is safe. What cannot be stored blocks the order, and so does,
where a parcel is to be sent, what Saleor's form would refuse: somebody has to correct
it first (``amazonOrderAddressUpdate``). No text that Amazon gave is dropped.

- Names: Amazon gives one, Saleor wants two. All words but the last are the first name,
  so that "first last" reads as Amazon wrote it, in every language. Where the recipient
  has no name, the company stands alone; without a company the buyer's name is used.
  Without any, the names stay empty: an invented one would end up on a parcel.
- Street: three lines become two, the second and third joined by a comma.
- State: what is plainly one of the country's states is written as it is listed;
  otherwise it is the state that the postal code belongs to, if that is one alone, or
  the one that it nearly is and that the postal code does not contradict.
- City: a country whose addresses have no city (the Emirates) gets it in the street too,
  since Saleor drops it when staff edit the address. Turkey's city is the district; the
  province is the state.
- Brazil: street, number and complement come apart in ``extendedFields``, and the
  neighbourhood is Saleor's ``city_area``; lines that say more are kept beside them.
- A phone number that is none (``phonenumbers``, which Saleor checks with) is left out
  rather than blocking the order; ``MappedAddress.phone_as_given`` keeps it, and any
  extension, for staff.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace

import phonenumbers

from ..amazon.orders import Address
from ..store.blockers import CORRECT_IT_HERE
from ..store.contract import AddressDraft, Blocker, BlockerCode
from . import address_rules
from .address_rules import Country, Place
from .countries import (
    COUNTRY_ALIASES,
    COUNTRY_CODES,
    POSTAL_CODE_GROUPS,
    STATE_ALIASES,
    STATES_BY_CODE,
    US_TERRITORIES,
)
from .text import one_line

#: Saleor's columns.
NAME_LENGTH = COMPANY_LENGTH = STREET_LENGTH = CITY_LENGTH = 256
AREA_LENGTH = 128
POSTAL_CODE_LENGTH = 20


class BadAddress(Exception):
    """The address cannot be stored, or cannot be delivered to."""

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(", ".join(blocker.subject for blocker in blockers))
        self.blockers = blockers


@dataclass(frozen=True, slots=True)
class MappedAddress:
    """``phone_as_given`` is empty when ``draft.phone`` says all of it."""

    draft: AddressDraft
    phone_as_given: str = field(repr=False)


def map_address(
    address: Address, *, buyer_name: str = "", is_to_be_shipped: bool = False
) -> MappedAddress:
    """``address`` in Saleor's fields, or ``BadAddress`` with everything wrong in it.

    With ``is_to_be_shipped`` an address that lacks something, or has something that
    its country's addresses cannot have, is refused: a parcel has to be sent there.
    """
    blockers: list[Blocker] = []
    draft, phone_as_given = _draft(address, buyer_name, blockers)
    if not blockers:
        draft = _settled(draft)
        if is_to_be_shipped:
            blockers += _refused(draft)
    if blockers:
        raise BadAddress(tuple(blockers))
    return MappedAddress(draft, phone_as_given)


def as_given(address: Address, *, buyer_name: str = "") -> AddressDraft:
    """``address`` as far as it can be told, for somebody who is to correct it."""
    return _settled(_draft(address, buyer_name, [])[0])


def _draft(
    address: Address, buyer_name: str, blockers: list[Blocker]
) -> tuple[AddressDraft, str]:
    country = _country(address, blockers)
    name, company = one_line(address.name), one_line(address.company_name)
    if not name and not company:
        name = one_line(buyer_name)
    first_name, last_name = _names(name, blockers)
    city, city_area, area = _place(address, country)
    street_1, street_2 = _street(address, country, city_area, blockers)
    postal_code = _postal_code(address.postal_code, country)
    phone, phone_as_given = _phone(address.phone, country)
    draft = AddressDraft(
        first_name=first_name,
        last_name=last_name,
        company_name=_within("companyName", company, COMPANY_LENGTH, blockers),
        street_address_1=street_1,
        street_address_2=street_2,
        city=_within("city", city, CITY_LENGTH, blockers),
        city_area=_within("districtOrCounty", city_area, AREA_LENGTH, blockers),
        country_area=_within("stateOrRegion", area, AREA_LENGTH, blockers),
        postal_code=_within("postalCode", postal_code, POSTAL_CODE_LENGTH, blockers),
        country=country,
        phone=phone,
    )
    return draft, phone_as_given


#: Saleor's field → Amazon's, by which blockers name it, and words for it.
_FIELDS = {
    "street_address_1": ("addressLine1", "street"),
    "city": ("city", "city"),
    "country_area": ("stateOrRegion", "state or province"),
    "postal_code": ("postalCode", "postal code"),
}


def _refused(draft: AddressDraft) -> list[Blocker]:
    """What Saleor's form would refuse."""
    blockers = []
    for name, problem in address_rules.problems(draft).items():
        subject, words = _FIELDS[name]
        if subject == "addressLine1":
            message = (
                "Amazon gave no street. If all orders lack it, the app needs the role "
                "Direct-to-Consumer Delivery (Restricted) in Seller Central; otherwise "
                f"ask the buyer for it and {CORRECT_IT_HERE}"
            )
        elif problem == "required":
            message = (
                f"Amazon gave no {words}, which addresses in {draft.country} need: "
                f"{CORRECT_IT_HERE}"
            )
        else:
            message = (
                f"The {words} is none of {draft.country}, or does not go with the rest "
                f"of the address: {CORRECT_IT_HERE}"
            )
        blockers.append(_blocker(subject, message))
    return blockers


def _blocker(subject: str, message: str) -> Blocker:
    return Blocker(BlockerCode.BAD_ADDRESS, message, subject)


def _within(subject: str, text: str, length: int, blockers: list[Blocker]) -> str:
    if len(text) > length:
        blockers.append(
            _blocker(
                subject,
                f"The address field {subject} has {len(text)} characters, the shop "
                f"holds {length}: {CORRECT_IT_HERE}",
            )
        )
    return text


def _country(address: Address, blockers: list[Blocker]) -> str:
    code = one_line(address.country_code).upper()
    code = COUNTRY_ALIASES.get(code, code)
    if not code:
        blockers.append(
            _blocker("countryCode", f"Amazon gave no country: {CORRECT_IT_HERE}")
        )
    elif code not in COUNTRY_CODES:
        blockers.append(
            _blocker(
                "countryCode",
                f"{code[:20]} is not a country code that the shop knows: "
                f"{CORRECT_IT_HERE}",
            )
        )
    return code


def _names(name: str, blockers: list[Blocker]) -> tuple[str, str]:
    first, _, last = name.rpartition(" ")
    if not first:
        first, last = last, ""
    if max(len(first), len(last)) > NAME_LENGTH:
        return _halves("name", name, NAME_LENGTH, blockers)
    return first, last


def _halves(
    subject: str, text: str, length: int, blockers: list[Blocker]
) -> tuple[str, str]:
    """``text`` in two fields of ``length``, parted between words where possible."""
    if len(text) <= length:
        return text, ""
    cut = text.rfind(" ", 0, length + 1)
    if cut < 1 or len(text) - cut - 1 > length:
        cut = length
    first, rest = text[:cut].rstrip(), text[cut:].lstrip()
    if len(rest) > length:
        _within(subject, text, 2 * length, blockers)
    return first, rest


def _street(
    address: Address, country: str, city_area: str, blockers: list[Blocker]
) -> tuple[str, str]:
    given = (address.address_line_1, address.address_line_2, address.address_line_3)
    lines = [line for line in map(one_line, given) if line]
    if country == "BR" and address.extended_fields:
        lines = _brazilian_street(address, lines, city_area)
    if not lines:
        return "", ""
    first, rest = lines[0], ", ".join(lines[1:])
    if len(first) <= STREET_LENGTH and len(rest) <= STREET_LENGTH:
        return first, rest
    return _halves("addressLine1", ", ".join(lines), STREET_LENGTH, blockers)


def _brazilian_street(address: Address, lines: list[str], city_area: str) -> list[str]:
    fields = address.extended_fields
    assert fields is not None  # noqa: S101  (for mypy: the caller asked)
    street, number = one_line(fields.street_name), one_line(fields.street_number)
    composed = [
        line
        for line in (
            ", ".join(filter(None, (street, number))),
            one_line(fields.complement),
        )
        if line
    ]
    if not street:
        return lines or composed
    said = _words(" ".join((*composed, city_area)))
    return composed + [line for line in lines if not _words(line) <= said]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _place(address: Address, country: str) -> tuple[str, str, str]:
    """(city, city area, country area), as Amazon gave them."""
    city = one_line(address.city) or one_line(address.municipality)
    # A city state: Amazon often leaves the city out.
    if country == "SG" and not city:
        city = "Singapore"
    area = one_line(address.state_or_region)
    # Amazon repeats a territory of the United States as its own state.
    if area.casefold() in US_TERRITORIES.get(country, ()):
        area = ""
    districts = _districts(address)
    if country == "TR" and len(districts) == 1:
        provinces = address_rules.country("TR").areas
        province = address_rules.plainly(city, provinces)
        if province and (
            not area or address_rules.plainly(area, provinces) == province
        ):
            return districts[0], "", area or city
    return city, ", ".join(districts), area


def _districts(address: Address) -> list[str]:
    fields = address.extended_fields
    parts = [
        fields.neighborhood if fields else "",
        address.district_or_county,
        # Without a city the municipality stands in for it: see ``_place``.
        address.municipality if one_line(address.city) else "",
    ]
    districts: list[str] = []
    for part in map(one_line, parts):
        if part and part.casefold() not in map(str.casefold, districts):
            districts.append(part)
    return districts


def _settled(draft: AddressDraft) -> AddressDraft:
    """``draft`` with its state and city as the country's addresses write them."""
    rules = address_rules.country(draft.country)
    if rules.areas and "country_area" in rules.allowed:
        area = _area(draft, rules)
        if area:
            draft = replace(
                draft, country_area=_written(area, draft.country_area, draft)
            )
            cities = rules.cities(area)
            if cities and not address_rules.exactly(draft.city, cities):
                city = address_rules.plainly(
                    draft.city, cities
                ) or address_rules.misspelt(draft.city, cities)
                if city:
                    draft = replace(draft, city=city.name(is_latin=_is_latin(draft)))
    if "city" in rules.allowed or draft.city == "Singapore":
        return draft
    said = _words(f"{draft.street_address_1} {draft.street_address_2}")
    if address_rules.plain(draft.city) == address_rules.plain(draft.country_area):
        return draft
    if not _words(draft.city) <= said:
        street_2 = ", ".join(filter(None, (draft.street_address_2, draft.city)))
        if len(street_2) <= STREET_LENGTH:
            draft = replace(draft, street_address_2=street_2)
    return draft


def _area(draft: AddressDraft, rules: Country) -> Place | None:
    """The state: see the module's description."""
    text, areas, code = draft.country_area, rules.areas, draft.postal_code
    text = STATE_ALIASES.get((rules.code, address_rules.plain(text)), text)
    if text:
        area = address_rules.exactly(text, areas) or address_rules.plainly(text, areas)
        if area:
            return area
    belongs = address_rules.by_postal_code(code, areas)
    if belongs:
        return belongs
    if not text:
        # The Emirates have no postal codes, and cities with their emirate's name.
        return (
            address_rules.plainly(draft.city, areas)
            if "country_area" in rules.required
            else None
        )
    near = address_rules.misspelt(text, areas)
    return None if near and near.refuses(code) else near


def _written(area: Place, text: str, draft: AddressDraft) -> str:
    if draft.country in STATES_BY_CODE:
        return area.key
    if address_rules.exactly(text, (area,)):
        return text
    return area.name(is_latin=_is_latin(draft))


def _is_latin(draft: AddressDraft) -> bool:
    return address_rules.in_latin_letters(draft.street_address_1 + draft.city)


def _with_ascii_digits(text: str) -> str:
    """Buyers also type full-width (Japan) and Arabic digits."""
    if text.isascii():
        return text
    return "".join(
        character
        if character.isascii()
        else str(unicodedata.decimal(character, character))
        for character in unicodedata.normalize("NFKC", text)
    )


#: Hyphen to horizontal bar, and the minus sign.
_DASHES = r"\-\u2010-\u2015\u2212"
_DASHES_AND_SPACES = re.compile(f"[ {_DASHES}]")


def _postal_code(text: str, country: str) -> str:
    code = one_line(_with_ascii_digits(text)).upper()
    grouping = POSTAL_CODE_GROUPS.get(country)
    if grouping:
        pattern, separator = grouping
        match = pattern.fullmatch(_DASHES_AND_SPACES.sub("", code))
        return separator.join(match.groups()) if match else code
    rules = address_rules.country(country)
    if code and not rules.accepts_postal_code(code):
        # "D-10115", "101 15"
        bare = _DASHES_AND_SPACES.sub("", code)
        for shorter in (bare, bare.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")):
            if rules.accepts_postal_code(shorter):
                return shorter
    return code


_EXTENSION = re.compile(r"[\s,;]*(?:ext(?:ension)?\b|x|#)[.:\s]*\d+\s*$", re.IGNORECASE)
_NUMBER = re.compile(rf"\+?[\d\s()./{_DASHES}]+")


def _phone(text: str, country: str) -> tuple[str, str]:
    """The number in E.164, or "", and the text where that does not say all of it."""
    given = one_line(text)
    written = _with_ascii_digits(given)
    number = _EXTENSION.sub("", written)
    phone = e164(number, country) if _NUMBER.fullmatch(number) else ""
    return phone, "" if phone and number == written else given


def e164(number: str, country: str) -> str:
    """``number`` as Saleor stores it, or "" if it is none."""
    # Some write the country's code without its plus.
    calling_code = phonenumbers.country_code_for_region(country)
    texts = [number]
    if calling_code and number.startswith(str(calling_code)):
        texts.insert(0, f"+{number}")
    for text in texts:
        try:
            parsed = phonenumbers.parse(text, country or None)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(
                parsed, phonenumbers.PhoneNumberFormat.E164
            )
    return ""
