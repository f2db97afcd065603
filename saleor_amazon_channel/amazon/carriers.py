"""Amazon's carrier codes, and the code for a carrier as people write it.

Source: the enumeration CarrierCode of the order fulfillment feed's schema. SP-API has
no operation that lists them, and letter case matters ("FedEx", "UPS").
"""

from __future__ import annotations

import difflib
import re

#: Any other carrier goes by this code, with its name beside it.
OTHER = "Other"

_CODES = """
4PX; A-1; AAA Cooper; ABF; AFL/Fedex; ALLJOY; AMAUK; Amazon Shipping; AMZL;
AMZL_UK; Andere; AO; AO Deutschland; APC; APC Overnight; APC-Overnight; Aramex;
Aras Kargo; Arco Spedizioni; Arkas; Arrow XL; Asendia; Asgard; Assett; AT POST;
ATS; AUSSIE_POST; Australia Post; Australia Post-ArticleId; Australia
Post-Consignment; B2C; B2C Europe; Balnak; Bartolini; Beijing Quanfeng Express;
Best Buy; Best Express; BJS; Blue Package; BlueDart; Bombax; BPOST; BRT; Canada
Post; CargoLine; Caribou; Cart2India; CBL; CDC; CELERITAS; Centex; CEVA; Ceva
Lojistik; China Post; Chrono Express; Chronopost; Chukou1; Cititrans; City Link;
Citypost; CNE; Coliposte; COLIS PRIVE; Colissimo; Consegna Mezzi Propri; Conway;
Correios; Correos; Correos Express; Couriers Please; CouriersPlease; CTT
EXPRESS; CTTExpress; Cubyn; DACHSER; DACSHER; DASCHER; DB Schenker; DEL
Deliveries; Delhivery; Delivengo; Delivery Group; Der Kurier; Deutsche Post;
DHL; DHL eCommerce; DHL Express; DHL Freight; DHL Global Mail; DHL Home
Delivery; DHL Kargo; DHL-Paket; DHLPL; Digital Delivery; DirectLog; Dotzot; DPB;
DPD; DPD Local; DSV; DTDC; DX; DX Express; DX Freight; DX Secure; DYNAMIC
EXPRESS; ECMS; Ecom Express; EINSA SOURCING; EKI Trans; Emirates Post; Emons;
Endopack; Energo; Envialia; Equick; Estafeta; Estes; EUB; Europaczka; Exapaq;
FAST EST; Fastway; FedEx; Fedex Freight; FedEx SmartPost; FEDEX_JP; FERCAM;
Fillo Kargo; First Flight; First Flight China; First Mile; FRACHTPOST; France
Express; Gati; GEL; GEL Express; geodis; Geodis Calberson; Geopost Kargo; GFS;
GLS; GO!; GRUPO LOGISTIC; Hellmann; Heppner; Hermes; Hermes (Corporate); Hermes
Einrichtungsservice; Hermes Logistik Gruppe; Hermes UK; Hlog; Home Logistics;
honesteye; Hongkong Post; Horoz Lojistik; Hotpoint Logistics; HRP; HubEurope;
Hunter Logistics; Huxloe; Huxloe Logistics; ICC Worldwide; IDS; IDS Netzwerk;
iMile; India Post; InPost; Interlink; Interno; Intersoft; iParcel; ITD Global;
Japan Post; JCEX; Jersey Post; JP_EXPRESS; JPL UPU; Kargokar; KEAVO; Kuehne
Nagel; Kuehne+Nagel; Kybotech; La Poste; Landmark; Landmark Global; Lasership;
Liccardi; Mail Alliance; Mainpost; MBE; Metro Kargo; Mezzi propri; MHI; Milkman;
MNG Kargo; Mondial Relay; MRW; MZZ Briefdienst; MZZ-Briefdienst; Nacex; Narpost
Kargo; Newgistics; Nexive; Ninjavan; NipponExpress; NITTSU; NOVEO; NTL; OCS
Worldwide; Old Dominion; OneWorldExpress; ONTIME; OnTrac; OSM; Other; Otro;
Overnite Express; Palletline; Palletways; Panther; Parcel Hub; Parcel Monkey;
Parcel Station; Parcel2go; PARCEL2GO.COM; ParcelDenOnline; Parcelforce;
Parcelhub; Parcelink Logistics; Parcelnet; ParcelOne; PDC Logistics; Pilot;
Pilot Freight; PIN; Polish Post; Post Modern; Post NL; Poste Italiane; PostNL;
PostNord; Professional; PTT Kargo; PUROLATOR; QExpress; Qxpress; R+L; Raben;
Raben Group; RBNA; REDUR; Rhenus; Rieck; Rivigo; RMLGB; Roadrunner; Royal Mail;
ROYAL_MAIL; RR Donnelley; Safexpress; SAGAWA; SagawaExpress; Saia; Sailpost;
Schweizer Post; SDA; Seino; SEINO TRANSPORTATION; Selem Kargo; Self Delivery;
Sendcloud; Sending; Sendle; Seur; Seven Senders; SF Express; SFC; Ship Delight;
Ship Global US; ShipEconomy; ShipGlobal; Shipmate; Shree Maruti Courier; Shree
Tirupati Courier; Shunfeng Express; Singapore Post; Smartmail; Sonstige; South
Eastern Freight Lines; Speedex; Spoton; SPRING; Spring GDS; Sprint; Stahlmann
and Sachs; Stampit; StarTrack-ArticleID; StarTrack-Consignment; STG; STO
Express; Streamlite; Sunyou; Susa; Swiss post; Szendex; Target; TDN; Tezel
Lojistik; The Delivery Group; The Professional Couriers; TIPSA; TNT; TNT Kargo;
TNTIT; Toll Global Express; Total Express; Tourline; Trackon; Trakpak;
Trans-o-Flex; Transaher; Transaragonés; TransFolha; Translink; Transoflex;
Truline; TSB; Tuffnells; TWS; TXT; TyD; UBI; UK MAIL; UKMail; UPakWeShip; UPS;
UPS Freight; UPS Mail Innovations; Upsilon; UPSMI; Urban Express; USPS; Verage
Shipping; Via Xpress; VIR; VNLIN; WanbExpress; Watkins and Shepard; Whistl;
Whizzard; WINIT; WPX; XDP; XPO; XPO Freight; Xpressbees; YAMATO;
YamatoTransport; Yanwen; YDH; Yellow Freight; Yodel; YTO Express; Yun Express;
Yunda Express; Zeleris; ZTO Express; Zust Ambrosetti
"""

CARRIER_CODES = frozenset(
    " ".join(code.split()) for code in _CODES.split(";") if code.strip()
)


def key(text: str) -> str:
    """What is left of a carrier's name without case, spaces and punctuation."""
    return "".join(character for character in text.lower() if character.isalnum())


# Where two codes differ only in case or punctuation ("DHL-Paket"), the first by
# alphabet that has a lower-case letter wins: those are the spellings sellers see.
_BY_KEY: dict[str, str] = {}
for _code in sorted(CARRIER_CODES, key=lambda code: (code.upper() == code, code)):
    _BY_KEY.setdefault(key(_code), _code)


def carrier_code(text: str) -> str | None:
    """Amazon's code for a carrier's name, or None where it has none.

    An exact code stays as it is; else case, spaces and punctuation do not matter.
    """
    if text in CARRIER_CODES:
        return text
    return _BY_KEY.get(key(text))


#: How alike two names must be for one to be a slip of the other.
_ALIKE = 0.85


def suggestion(text: str) -> str | None:
    """The code that a carrier's name probably means, for a person to decide.

    The code itself, else the longest that is part of the name word by word ("DHL Paket
    Deutschland": DHL-Paket), else one that is spelt nearly so.
    """
    if code := carrier_code(text):
        return code
    words = _words(text)
    parts = [code for code in _BY_KEY.values() if _is_part(_words(code), words)]
    if parts:
        return max(parts, key=lambda code: (len(key(code)), code))
    alike = difflib.get_close_matches(key(text), _BY_KEY, n=1, cutoff=_ALIKE)
    return _BY_KEY[alike[0]] if alike else None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _is_part(part: list[str], whole: list[str]) -> bool:
    count = len(part)
    return bool(count) and any(
        whole[start : start + count] == part for start in range(len(whole) - count + 1)
    )
