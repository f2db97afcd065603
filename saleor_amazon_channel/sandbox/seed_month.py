"""The month's orders: each special one is there for what its comment says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from .catalogue import NO_STOCK_SKU, SKUS, UNKNOWN_SKUS
from .order_builder import Line, SeedOrder

# How often ordinary orders come from where.
_COUNTRIES = (
    "US", "US", "US", "CA", "GB", "GB", "DE", "DE", "DE", "FR", "PL", "JP", "AU",
)  # fmt: skip


def _ago(*, days: float = 0, hours: float = 0) -> timedelta:
    return timedelta(days=days, hours=hours)


def special_orders() -> list[SeedOrder]:
    """Ready to be shipped first, then the awkward, then what is not to be shipped."""
    return [*_everyday(), *_money(), *_people(), *_blocked(), *_other_states()]


def _everyday() -> list[SeedOrder]:
    return [
        # Several lines and units: to be shipped in two packages.
        SeedOrder(
            "DE",
            _ago(hours=3),
            [Line("MUG-SAND-350", 3), Line("BOARD-OAK-L", 2), Line("CANDLE-CEDAR")],
        ),
        # One unit, tax on top.
        SeedOrder("US", _ago(hours=4), [Line("MUG-BLUE-350")], programs=("PRIME",)),
        # Amounts without decimals.
        SeedOrder(
            "JP", _ago(hours=5), [Line("KETTLE-GOOSE-1L"), Line("PEN-GEL-10", 2)]
        ),
        SeedOrder("GB", _ago(hours=6), [Line("TEA-TOWEL-3PK", 2, shipping="3.99")]),
        SeedOrder("FR", _ago(hours=7), [Line("CLOCK-WALL-30")]),
        SeedOrder("CA", _ago(hours=8), [Line("PAN-IRON-26", shipping="9.99")]),
        SeedOrder("PL", _ago(hours=9), [Line("PLANTER-TERRA-18", 4)]),
        SeedOrder("AU", _ago(hours=10), [Line("PUZZLE-1000-ALPS")]),
        # To be signed for, by the next day.
        SeedOrder(
            "US",
            _ago(hours=11),
            [
                Line(
                    "KNIFE-CHEF-20",
                    more={
                        "fulfillment": {
                            "shipping": {
                                "shippingConstraints": {
                                    "signatureConfirmation": "MANDATORY",
                                    "recipientAgeVerification": "MANDATORY",
                                }
                            }
                        }
                    },
                )
            ],
            programs=("PREMIUM",),
            service_level="NEXT_DAY",
        ),
    ]


def _money() -> list[SeedOrder]:
    return [
        # Three units that do not divide the price: tax on top, inside, no decimals.
        SeedOrder("US", _ago(days=1), [Line("STICKER-SHEET", 3, item="10.00")]),
        SeedOrder("FR", _ago(days=1.1), [Line("NOTEBOOK-A5-DOT", 3, item="25.00")]),
        SeedOrder("JP", _ago(days=1.2), [Line("STICKER-SHEET", 3, item="1000")]),
        # A promotion: negative, with details; tax is on what is left.
        SeedOrder(
            "US",
            _ago(days=1.3),
            [Line("BLANKET-ALPACA", item_discount="12.90", promotion="FALL-10")],
        ),
        # A promotion: positive, without details, indivisible.
        SeedOrder(
            "GB",
            _ago(days=1.4),
            [
                Line(
                    "SOCKS-WOOL-4346",
                    3,
                    item_discount="5.00",
                    discount_sign=1,
                    has_discount_details=False,
                    promotion="3 for less",
                )
            ],
        ),
        # Shipping given away: the discount is on shipping alone.
        SeedOrder(
            "DE",
            _ago(days=1.5),
            [
                Line(
                    "BEANS-ESPRESSO-1KG",
                    2,
                    shipping="4.99",
                    shipping_discount="4.99",
                    promotion="Free Shipping",
                )
            ],
        ),
        # The tax saved by discounts is shown apart, below TAX.
        SeedOrder(
            "US",
            _ago(days=1.6),
            [
                Line(
                    "KETTLE-GOOSE-1L",
                    2,
                    shipping="7.49",
                    item_discount="10.80",
                    shipping_discount="7.49",
                    shows_tax_on_discount=True,
                    promotion="KETTLE-10",
                )
            ],
        ),
        # One line given away altogether, in a positive discount with details.
        SeedOrder(
            "CA",
            _ago(days=1.7),
            [
                Line("MUG-BLUE-350"),
                Line(
                    "PEN-GEL-10",
                    item="15.63",
                    item_discount="15.63",
                    discount_sign=1,
                    promotion="GIFT-WITH-PURCHASE",
                ),
            ],
        ),
        # Gift wrap with a message, tax on top and inside.
        SeedOrder(
            "US",
            _ago(days=1.8),
            [
                Line(
                    "CANDLE-CEDAR",
                    2,
                    gift_wrap="6.98",
                    gift_message='Happy birthday!\n\n"All the best" <3 Zoë & José 🎉',
                )
            ],
        ),
        SeedOrder(
            "DE",
            _ago(days=1.9),
            [
                Line("TEA-TOWEL-3PK", gift_wrap="3.49", gift_message="Alles Gute"),
                Line("STICKER-SHEET"),
            ],
        ),
        # Cash on delivery: a fee, and Amazon points.
        SeedOrder(
            "JP",
            _ago(days=2),
            [
                Line(
                    "CLOCK-WALL-30",
                    shipping="440",
                    cod_fee="330",
                    more={
                        "expense": {
                            "pointsCost": {
                                "pointsGranted": {
                                    "pointsNumber": 60,
                                    "pointsMonetaryValue": {
                                        "amount": "60",
                                        "currencyCode": "JPY",
                                    },
                                }
                            }
                        }
                    },
                )
            ],
            payment_method="CashOnDelivery",
        ),
        # A tip, which belongs to the order and to no item.
        SeedOrder(
            "US",
            _ago(days=2.1),
            [Line("FILTER-PAPER-100", 2), Line("BEANS-ESPRESSO-1KG")],
            tip="5.00",
        ),
        # The same SKU on two lines at different prices.
        SeedOrder(
            "GB",
            _ago(days=2.2),
            [Line("MUG-BLUE-350", 2), Line("MUG-BLUE-350", item="9.99")],
        ),
        # Everything at once.
        SeedOrder(
            "US",
            _ago(days=2.3),
            [
                Line(
                    "BAG-CANVAS-NAT",
                    7,
                    item="129.01",
                    shipping="11.11",
                    gift_wrap="4.99",
                    item_discount="13.33",
                    shipping_discount="1.11",
                    promotion="BULK",
                    programs=("SUBSCRIBE_AND_SAVE",),
                ),
                Line("CABLE-USBC-2M", 3, shipping="2.22"),
            ],
            tip="2.50",
        ),
        # A replacement: nothing is charged.
        SeedOrder(
            "US",
            _ago(days=2.4),
            [Line("PLANTER-TERRA-18", item="0.00")],
            more={
                "associatedOrders": [
                    {
                        "orderId": "113-0000001-0000001",
                        "associationType": "REPLACEMENT_ORIGINAL_ID",
                    }
                ],
                "payment": {"paymentExecutions": []},
            },
        ),
    ]


def _people() -> list[SeedOrder]:
    return [
        # Umlauts, a long double name, a doctor.
        SeedOrder(
            "DE",
            _ago(days=2.5),
            [Line("MUG-BLUE-350", 2)],
            address={
                "name": "Dr. Jörg-Günther Müßiggänger-Süßmilch",
                "addressLine1": "Straße des 17. Juni 135",
                "city": "Berlin",
                "postalCode": "10623",
            },
        ),
        # Very long lines: two of them do not fit into one field of 256 together.
        SeedOrder(
            "GB",
            _ago(days=2.6),
            [Line("NOTEBOOK-A5-DOT")],
            address={
                "name": "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr. " * 2,
                "addressLine1": "The Old Converted Malthouse behind the Corn Exchange, "
                "second door to the left after the blue gate opposite the post box",
                "addressLine2": "Leave with the neighbour at number 14 if there is no "
                "answer, the dog is friendly, please mind the step in the hall, thanks",
                "addressLine3": "Parish of Llanfairpwllgwyngyllgogerychwyrndrobwllllan"
                "tysiliogogogoch, formerly known by its shorter name, Isle of Anglesey",
                "city": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
                "postalCode": "ll61 5uj",
            },
        ),
        # No phone.
        SeedOrder("US", _ago(days=2.7), [Line("PEN-GEL-10")], address={"phone": None}),
        # No name, and lines that are empty rather than absent.
        SeedOrder(
            "FR",
            _ago(days=2.8),
            [Line("CANDLE-CEDAR")],
            address={
                "name": None,
                "addressLine2": "",
                "addressLine3": "",
                "municipality": "",
                "phone": "",
            },
        ),
        # One word for a name; markup in the company.
        SeedOrder(
            "US",
            _ago(days=2.9),
            [Line("CABLE-USBC-2M")],
            address={"name": "Madonna", "companyName": "O'Brien & Sons <Ltd>"},
        ),
        # The state written in full, a postal code with four more digits.
        SeedOrder(
            "US",
            _ago(days=3),
            [Line("SOCKS-WOOL-4346")],
            address={
                "addressLine1": "1 Infinite Loop",
                "city": "Cupertino",
                "stateOrRegion": "California",
                "postalCode": "95014-2083",
            },
        ),
        # Puerto Rico as a state, and as a country of its own.
        SeedOrder(
            "US",
            _ago(days=3.1),
            [Line("BAG-CANVAS-NAT")],
            address={
                "name": "José Rodríguez Peña",
                "addressLine1": "Calle San Sebastián 100",
                "addressLine2": "Urb. Viejo San Juan",
                "city": "San Juan",
                "stateOrRegion": "PR",
                "postalCode": "00901",
                "phone": "787-555-0143",
            },
        ),
        SeedOrder(
            "US",
            _ago(days=3.2),
            [Line("BAG-CANVAS-NAT")],
            address={
                "addressLine1": "PO Box 9023",
                "city": "Ponce",
                "stateOrRegion": None,
                "countryCode": "PR",
                "postalCode": "00731",
            },
        ),
        # A soldier.
        SeedOrder(
            "US",
            _ago(days=3.3),
            [Line("PUZZLE-1000-ALPS")],
            address={
                "name": "SGT Kim Okafor",
                "addressLine1": "CMR 402 Box 1234",
                "city": "APO",
                "stateOrRegion": "AE",
                "postalCode": "09180",
                "phone": None,
            },
        ),
        # A pick-up point.
        SeedOrder(
            "DE",
            _ago(days=3.4),
            [Line("KETTLE-GOOSE-1L")],
            address={
                "name": "Sabine Öztürk",
                "companyName": "Amazon Locker - Käfer",
                "addressLine1": "Packstation 145",
                "addressLine2": "Postnummer 1234567890",
                "city": "München",
                "postalCode": "80331",
                "addressType": "PICKUP_POINT",
            },
        ),
        # Brazil: the address twice, in lines and in fields; a tax number.
        SeedOrder(
            "BR",
            _ago(days=3.5),
            [Line("FILTER-PAPER-100", 3)],
            more={
                "tax": {
                    "taxRegistrations": [
                        {
                            "entityType": "BUYER",
                            "legalName": "Maria Silva Santos",
                            "taxRegistrationType": "CPF",
                            "taxRegistrationNumber": "111.444.777-35",
                        }
                    ]
                }
            },
        ),
        # A business: purchase order number, VAT number, registered somewhere else.
        SeedOrder(
            "DE",
            _ago(days=3.6),
            [
                Line(
                    "NOTEBOOK-A5-DOT",
                    50,
                    item="415.00",
                    more={"product": {"price": {"priceDesignation": "BUSINESS_PRICE"}}},
                )
            ],
            programs=("AMAZON_BUSINESS",),
            payment_method="Invoice",
            address={
                "name": "Wareneingang, Frau Schäfer",
                "companyName": "Müller & Söhne GmbH & Co. KG",
                "addressLine1": "Industriestraße 12, Tor 3",
                "city": "Stuttgart",
                "postalCode": "70565",
                "addressType": "COMMERCIAL",
            },
            buyer={
                "buyerName": "Katrin Schäfer",
                "buyerCompanyName": "Müller & Söhne GmbH & Co. KG",
                "buyerPurchaseOrderNumber": "BE-2026/11-0815",
            },
            more={
                "tax": {
                    "taxRegistrations": [
                        {
                            "entityType": "BUYER",
                            "legalName": "Müller & Söhne GmbH & Co. KG",
                            "taxRegistrationType": "VAT",
                            "taxRegistrationNumber": "DE123456789",
                            "taxRegistrationAddress": {
                                "name": "Müller & Söhne GmbH & Co. KG",
                                "addressLine1": "Königstraße 1",
                                "city": "Stuttgart",
                                "postalCode": "70173",
                                "countryCode": "DE",
                            },
                        }
                    ]
                }
            },
        ),
    ]


def _blocked() -> list[SeedOrder]:
    return [
        # SKUs that the shop does not have, alone and beside one that it has.
        SeedOrder("GB", _ago(days=3.7), [Line("MUG-BLUE-350"), Line(UNKNOWN_SKUS[0])]),
        SeedOrder("US", _ago(days=3.8), [Line(UNKNOWN_SKUS[1], 2)]),
        # No SKU at all: the model allows it.
        SeedOrder("DE", _ago(days=3.9), [Line(None)]),
        # A product without stock, alone and beside one that has some.
        SeedOrder("DE", _ago(days=4), [Line(NO_STOCK_SKU)]),
        SeedOrder("US", _ago(days=4.1), [Line("MUG-SAND-350"), Line(NO_STOCK_SKU, 2)]),
    ]


def _other_states() -> list[SeedOrder]:
    return [
        # Not paid yet, by the buyer or at the convenience store.
        SeedOrder("US", _ago(hours=1), [Line("MUG-BLUE-350")], status="PENDING"),
        SeedOrder("JP", _ago(days=2), [Line("PEN-GEL-10", 5)], status="PENDING"),
        # Ordered before it is sold.
        SeedOrder(
            "DE",
            _ago(days=6),
            [Line("PUZZLE-1000-ALPS")],
            status="PENDING_AVAILABILITY",
            programs=("PREORDER",),
        ),
        # The buyer wants to cancel: the seller has to answer.
        SeedOrder(
            "FR",
            _ago(hours=12),
            [
                Line(
                    "PAN-IRON-26",
                    more={
                        "cancellation": {
                            "cancellationRequest": {
                                "requester": "BUYER",
                                "cancelReason": "Changed mind about purchase",
                            }
                        }
                    },
                )
            ],
        ),
        # Shipped in part: 1 of 3 units, and 1 of 2 lines.
        SeedOrder(
            "DE",
            _ago(days=4.2),
            [Line("CANDLE-CEDAR", 3)],
            status="PARTIALLY_SHIPPED",
            shipped=[{0: 1}],
        ),
        SeedOrder(
            "US",
            _ago(days=4.3),
            [Line("BOARD-OAK-L"), Line("KNIFE-CHEF-20")],
            status="PARTIALLY_SHIPPED",
            shipped=[{1: 1}],
        ),
        # Shipped in two packages.
        SeedOrder(
            "GB",
            _ago(days=9),
            [Line("TEA-TOWEL-3PK", 2), Line("CANDLE-CEDAR", 2)],
            status="SHIPPED",
            shipped=[{0: 2, 1: 1}, {1: 1}],
        ),
        # Cancelled by the buyer, and by the seller.
        SeedOrder("US", _ago(days=5), [Line("CLOCK-WALL-30")], status="CANCELLED"),
        SeedOrder("DE", _ago(days=8), [Line("CABLE-USBC-2M", 2)], status="CANCELLED"),
        # Amazon ships: on its way, not yet, and for the seller's own shop.
        SeedOrder(
            "US",
            _ago(days=7),
            [Line("BLANKET-ALPACA"), Line("SOCKS-WOOL-4346", 2)],
            status="SHIPPED",
            by_amazon=True,
            programs=("PRIME",),
        ),
        SeedOrder(
            "JP",
            _ago(days=6),
            [Line("BEANS-ESPRESSO-1KG", 2)],
            status="SHIPPED",
            by_amazon=True,
        ),
        SeedOrder("DE", _ago(hours=2), [Line("MUG-SAND-350")], by_amazon=True),
        SeedOrder(
            "US",
            _ago(days=10),
            [Line("MUG-SAND-350")],
            status="UNFULFILLABLE",
            by_amazon=True,
            more={"salesChannel": {"channelName": "NON_AMAZON"}},
        ),
        # Amazon buys the label: the seller's confirmation is refused.
        SeedOrder(
            "US", _ago(days=1), [Line("PEN-GEL-10", 2)], programs=("FBM_SHIP_PLUS",)
        ),
        # A code per unit is needed to ship it.
        SeedOrder(
            "US", _ago(days=1), [Line("CABLE-USBC-2M", programs=("TRANSPARENCY",))]
        ),
    ]


def ordinary_orders(rng: random.Random) -> Iterator[SeedOrder]:
    """Without end: one to three lines, the status by age."""
    while True:
        age = timedelta(days=rng.uniform(0.05, 29.9))
        country = rng.choice(_COUNTRIES)
        chosen = rng.sample(SKUS, rng.choice((1, 1, 1, 2, 2, 3)))
        lines = [Line(sku, rng.choice((1, 1, 1, 2, 3))) for sku in chosen]
        by_amazon = rng.random() < 0.25
        if age < timedelta(days=3):
            status = rng.choice(("UNSHIPPED",) * 5 + ("PENDING", "SHIPPED"))
        else:
            status = rng.choice(("SHIPPED",) * 9 + ("CANCELLED",))
        shipped = []
        if status == "SHIPPED" and not by_amazon:
            shipped = [{n: line.quantity for n, line in enumerate(lines)}]
        yield SeedOrder(
            country, age, lines, status=status, by_amazon=by_amazon, shipped=shipped
        )
