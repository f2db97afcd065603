"""What ``addresses`` needs to know about countries. Data only.

Country codes are those of Saleor's ``CountryCode`` (ISO 3166-1 alpha-2 and XK; its EU
is no country to send to). Their states and postal codes are in ``address_rules``.
"""

from __future__ import annotations

import re

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL "
    "BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV "
    "CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB "
    "GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL "
    "IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI "
    "LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN "
    "PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR "
    "SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US "
    "UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
COUNTRY_CODES = frozenset(_CODES.split())

#: Other ways in which Amazon's documents and old addresses write a code.
COUNTRY_ALIASES = {"UK": "GB", "EL": "GR"}

#: Country codes of their own whose addresses Amazon also gives a "state": themselves.
US_TERRITORIES = {
    "AS": frozenset({"as", "american samoa"}),
    "GU": frozenset({"gu", "guam"}),
    "MP": frozenset({"mp", "northern mariana islands"}),
    "PR": frozenset({"pr", "puerto rico"}),
    "VI": frozenset({"vi", "virgin islands", "us virgin islands"}),
}

#: Where a state is written as its code, as people there do.
STATES_BY_CODE = frozenset({"AU", "BR", "CA", "IT", "US"})

#: (country, a name of a state as ``address_rules.plain`` makes it) → its code, where
#: Google's data does not have the name and the postal code says nothing.
STATE_ALIASES = {
    ("US", "armed forces americas"): "AA",
    ("US", "armed forces europe"): "AE",
    ("US", "armed forces pacific"): "AP",
    ("US", "washington dc"): "DC",
}

#: How a postal code's characters are grouped, and what stands between the groups, where
#: a country's form allows nothing else.
POSTAL_CODE_GROUPS = {
    "BR": (re.compile(r"(\d{5})(\d{3})"), "-"),
    "CA": (re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)"), " "),
    "GB": (re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})"), " "),
    "IE": (re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})"), " "),
    "JP": (re.compile(r"(\d{3})(\d{4})"), "-"),
    "NL": (re.compile(r"(\d{4})([A-Z]{2})"), " "),
    "PL": (re.compile(r"(\d{2})(\d{3})"), "-"),
    "PT": (re.compile(r"(\d{4})(\d{3})"), "-"),
    "SE": (re.compile(r"(?:SE)?(\d{3})(\d{2})"), " "),
    "US": (re.compile(r"(\d{5})(\d{4})"), "-"),
}
