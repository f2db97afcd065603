"""Addresses by the rules that Saleor's forms apply, which are Google's."""

from __future__ import annotations

from ..importing import address_rules
from ..importing.addresses import e164
from ..importing.countries import COUNTRY_CODES
from ..store.contract import AddressDraft

#: What Saleor's addresses hold, so that what is learned here holds there.
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
}

#: Saleor's words.
_WORDS = {
    "required": "This field is required.",
    "invalid": "This value is not valid for the address.",
}


def problems(address: AddressDraft) -> dict[str, str]:
    """See ``store.contract.Store.address_problems``."""
    if address.country not in COUNTRY_CODES:
        return {"country": f"There is no country {address.country[:10]!r}."}
    found = {
        field: _WORDS[problem]
        for field, problem in address_rules.problems(address).items()
    }
    for field, limit in LIMITS.items():
        if len(getattr(address, field)) > limit:
            found[field] = f"Ensure this value has at most {limit} characters."
    if address.phone and not e164(address.phone, address.country):
        found["phone"] = "This is not a valid phone number."
    return found
