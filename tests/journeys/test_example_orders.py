"""Every example order inside Amazon's own model, through rules and mapping.

The table says what becomes of each. All of them map: their amounts add up, though they
do not agree on what tax is (see ``test_examples_differ_in_how_they_treat_tax``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import map_order
from saleor_amazon_channel.importing.rules import READY, decide
from wire.models import examples_as_read

#: order id → marketplace, currency, lines (SKU, quantity, shipped, gross, net),
#: shipping gross and net, total.
EXPECTED = {
    "123-4567890-1234567": (
        "Amazon.com",
        "USD",
        [
            ("ECHO-DOT-4-CHARCOAL", 2, 2, "100.00", "99.98"),
            ("FIRE-TV-4K-2021", 1, 1, "49.99", "49.99"),
        ],
        ("5.00", "5.00"),
        "154.99",
    ),
    "250-1234567-8901234": (
        "Amazon.co.jp",
        "JPY",
        [
            ("ECHO-DOT-4-JP-CHARCOAL", 1, 1, "5980", "5980"),
            ("FIRE-TV-4K-MAX-JP", 2, 2, "13960", "13960"),
        ],
        ("0", "0"),
        "19940",
    ),
    "202-7654321-1098765": (
        "Amazon.co.uk",
        "GBP",
        [("ECHO-DOT-4-UK-CHARCOAL-SINGLE", 1, 1, "34.99", "34.99")],
        ("0.00", "0.00"),
        "34.99",
    ),
    "171-2345678-9012345": (
        "Amazon.com.br",
        "BRL",
        [("DELL-I15-BR-001", 1, 0, "1599.90", "1599.90")],
        ("0.00", "0.00"),
        "1599.90",
    ),
    "202-1234567-8901234": (
        "Amazon.co.uk",
        "GBP",
        [("ECHO-DOT-4-UK-CHARCOAL-3PACK", 3, 3, "92.97", "89.97")],
        ("11.00", "10.00"),
        "103.97",
    ),
    "171-9876543-2109876": (
        "Amazon.com.br",
        "BRL",
        [("ECHO-DOT-4-BR-PRETO", 1, 0, "299.90", "299.90")],
        ("0.00", "0.00"),
        "299.90",
    ),
    "028-1234567-8901234": (
        "Amazon.com.tr",
        "TRY",
        [("FIRE-HD10-TR-BLK", 2, 2, "125.00", "125.00")],
        ("0.00", "0.00"),
        "125.00",
    ),
    "114-9876543-1234567": (
        "Amazon.com",
        "USD",
        [("ECHO-POP-US-BLK", 1, 0, "49.99", "39.99")],
        ("0.00", "0.00"),
        "49.99",
    ),
}


@pytest.fixture(scope="module")
def examples() -> dict[str, Order]:
    return examples_as_read()


def test_the_table_names_every_example(examples):
    assert examples.keys() == EXPECTED.keys()


@pytest.mark.parametrize("order_id", EXPECTED)
def test_every_example_becomes_a_draft_with_amazons_numbers(examples, order_id):
    order = examples[order_id]
    decision = decide(
        order,
        import_orders=True,
        import_from=datetime(2024, 12, 1, tzinfo=UTC),
        is_mapped=True,
    )
    draft = map_order(order)

    assert decision.state == READY
    found = (
        draft.marketplace_name,
        draft.currency,
        [
            (
                line.sku,
                line.quantity,
                line.quantity_shipped,
                str(line.total.gross),
                str(line.total.net),
            )
            for line in draft.lines
        ],
        (str(draft.shipping.gross), str(draft.shipping.net)),
        str(draft.total.gross),
    )
    assert found == EXPECTED[order_id]
    assert order.proceeds is not None
    assert order.proceeds.grand_total is not None
    assert draft.total.gross == order.proceeds.grand_total.amount


def test_examples_differ_in_how_they_treat_tax(examples):
    """Two orders of one VAT marketplace: one has tax on top, the other names none."""
    on_top = map_order(examples["202-1234567-8901234"])
    unnamed = map_order(examples["202-7654321-1098765"])

    assert on_top.lines[0].tax_rate == Decimal("0.0333")
    assert on_top.shipping_tax_rate == Decimal("0.1000")
    assert unnamed.lines[0].tax_rate is None


def test_examples_addresses_are_brought_into_saleors_form(examples):
    addresses = {
        order_id: map_order(order).shipping_address
        for order_id, order in examples.items()
    }
    found = {
        order_id: (
            address.first_name,
            address.last_name,
            address.street_address_1,
            address.street_address_2,
            address.city,
            address.city_area,
            address.country_area,
            address.postal_code,
            address.country,
            address.phone,
        )
        for order_id, address in addresses.items()
        if address
    }

    assert found.keys() == EXPECTED.keys()
    assert found["123-4567890-1234567"] == (
        "John",
        "Smith",
        "123 Main Street",
        "Suite 456",
        "Seattle",
        "King County",
        "WA",
        "98101",
        "US",
        "",  # No such number: staff read it as Amazon gave it.
    )
    assert found["171-2345678-9012345"] == (
        "Carlos",
        "Oliveira",
        "Avenida Paulista, 1000",
        "Sala 301",
        "São Paulo",
        "Bela Vista",
        "SP",
        "01310-100",
        "BR",
        "+5511912345678",
    )
    assert found["028-1234567-8901234"] == (
        "Mehmet",
        "Yilmaz",
        "Istiklal Caddesi No:42",
        "Kat 3",
        # The district is Turkey's city: Saleor drops any other district.
        "Beyoglu",
        "",
        "İstanbul",
        "34430",
        "TR",
        "",
    )
