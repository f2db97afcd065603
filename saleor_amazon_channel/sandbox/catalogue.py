"""What the seeded seller sells: the products the seeds' orders are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ..amazon.marketplaces import MARKETPLACES, minor_unit

#: A SKU in the seeds' orders that the shop does not have (and must not be given).
UNKNOWN_SKUS = ("GHOST-SKU-404", "OLD LISTING 7/b")
#: A product the shop has, with nothing in stock.
NO_STOCK_SKU = "LAMP-DESK-BRASS"

_STOCK = 100_000

# What one US dollar buys: rough and fixed, prices only have to be plausible.
_RATES = {
    "USD": "1", "CAD": "1.36", "MXN": "18.5", "BRL": "5.4", "EUR": "0.92",
    "GBP": "0.79", "SEK": "10.4", "ZAR": "18.2", "PLN": "3.95", "EGP": "48",
    "TRY": "34", "SAR": "3.75", "AED": "3.67", "INR": "84", "SGD": "1.34",
    "AUD": "1.52", "JPY": "150",
}  # fmt: skip

_PRODUCTS = (
    # sku, asin, name, US price
    ("MUG-BLUE-350", "B0SANDBOX1", "Stoneware Mug, 350 ml, Blue", "14.99"),
    ("MUG-SAND-350", "B0SANDBOX2", "Stoneware Mug, 350 ml, Sand", "14.99"),
    ("TEA-TOWEL-3PK", "B0SANDBOX3", "Linen Tea Towels, Pack of 3", "24.50"),
    ("KNIFE-CHEF-20", "B0SANDBOX4", "Chef's Knife, 20 cm", "89.00"),
    ("BOARD-OAK-L", "B0SANDBOX5", "Oak Chopping Board, Large", "49.95"),
    ("PAN-IRON-26", "B0SANDBOX6", "Cast Iron Pan, 26 cm", "64.00"),
    ("NOTEBOOK-A5-DOT", "B0SANDBOX7", "Notebook A5, Dotted, 192 Pages", "9.99"),
    ("PEN-GEL-10", "B0SANDBOX8", "Gel Pens, 0.5 mm, Box of 10", "11.49"),
    ("BAG-CANVAS-NAT", "B0SANDBOX9", "Canvas Tote Bag, Natural", "19.00"),
    ("SOCKS-WOOL-4346", "B0SANDBOXA", "Merino Socks, Size 43-46", "16.90"),
    ("BLANKET-ALPACA", "B0SANDBOXB", "Alpaca Blanket, 130 x 190 cm", "129.00"),
    ("CANDLE-CEDAR", "B0SANDBOXC", "Scented Candle, Cedar", "22.00"),
    ("CLOCK-WALL-30", "B0SANDBOXD", "Wall Clock, 30 cm, Silent", "39.90"),
    ("PLANTER-TERRA-18", "B0SANDBOXE", "Terracotta Planter, 18 cm", "12.75"),
    ("PUZZLE-1000-ALPS", "B0SANDBOXF", "Puzzle, 1000 Pieces, The Alps", "18.49"),
    ("KETTLE-GOOSE-1L", "B0SANDBOXG", "Gooseneck Kettle, 1 l", "54.00"),
    ("FILTER-PAPER-100", "B0SANDBOXH", "Coffee Filters, 100 Pieces", "6.49"),
    ("BEANS-ESPRESSO-1KG", "B0SANDBOXI", "Espresso Beans, 1 kg", "27.90"),
    ("STICKER-SHEET", "B0SANDBOXJ", "Sticker Sheet, Botanical", "3.33"),
    ("CABLE-USBC-2M", "B0SANDBOXK", "USB-C Cable, 2 m, Braided", "13.37"),
    (NO_STOCK_SKU, "B0SANDBOXL", "Desk Lamp, Brass", "99.00"),
)


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """A product for the demo to create in the shop; ``prices`` by currency."""

    sku: str
    name: str
    prices: Mapping[str, Decimal]
    stock: int


def unit_price(sku: str, currency: str) -> Decimal:
    """The price of a product, or of an unknown SKU, in ``currency``."""
    dollars = _DOLLARS.get(sku, Decimal("21.00"))
    return (dollars * Decimal(_RATES[currency])).quantize(
        minor_unit(currency), ROUND_HALF_UP
    )


def title(sku: str) -> str:
    return _NAMES.get(sku, "Discontinued Article")


def asin(sku: str) -> str:
    return _ASINS.get(sku, "B0SANDBOXZ")


_DOLLARS = {sku: Decimal(price) for sku, _, _, price in _PRODUCTS}
_NAMES = {sku: name for sku, _, name, _ in _PRODUCTS}
_ASINS = {sku: asin for sku, asin, _, _ in _PRODUCTS}

#: The SKUs that are in stock.
SKUS = tuple(sku for sku in _DOLLARS if sku != NO_STOCK_SKU)


def seed_catalogue() -> list[CatalogueItem]:
    """The products of the seeds' orders, with prices in every marketplace's currency.

    The unknown SKUs are not among them, and one product has no stock. The others have
    more than any number of seeded orders needs.
    """
    currencies = sorted({info.currency for info in MARKETPLACES.values()})
    return [
        CatalogueItem(
            sku=sku,
            name=_NAMES[sku],
            prices={currency: unit_price(sku, currency) for currency in currencies},
            stock=0 if sku == NO_STOCK_SKU else _STOCK,
        )
        for sku in _DOLLARS
    ]
