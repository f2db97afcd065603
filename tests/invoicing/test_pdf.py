"""The file: what a person reads on it, in which letters, and what is refused."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader

from saleor_amazon_channel.invoicing import pdf
from saleor_amazon_channel.invoicing.document import Amount, Invoice, Line, Party
from saleor_amazon_channel.invoicing.pdf import CannotPrint, render
from saleor_amazon_channel.invoicing.words import WORDS

MUG = Amount(Decimal("16.72"), Decimal("3.18"), Decimal("19.90"), Decimal("0.19"))
SHIPPING = Amount(Decimal("4.20"), Decimal("0.80"), Decimal("5.00"), Decimal("0.19"))
BOOK = Amount(Decimal("10.00"), Decimal("0.70"), Decimal("10.70"), Decimal("0.07"))
INVOICE = Invoice(
    number="RE-7",
    issued_on=date(2026, 11, 20),
    delivered_on=date(2026, 11, 19),
    language="de",
    currency="EUR",
    seller=Party(("Mugs & more GmbH", "Hauptstr. 1"), "DE", "DE123456789"),
    buyer=Party(("Änne Müller", "Lindenstr. 7", "50674 Köln"), "DE"),
    delivery=Party(("ACME", "Weg 3"), "AT"),
    order_number="1042",
    amazon_order_id="111-0000001-0000001",
    purchase_order_number="PO-77",
    lines=(
        Line("A mug", MUG, 2, "MUG-1", Decimal("1.00")),
        Line("A book", BOOK, 1),
        Line("", SHIPPING),
    ),
    by_rate=(
        Amount(Decimal("20.92"), Decimal("3.98"), Decimal("24.90"), Decimal("0.19")),
        BOOK,
    ),
    total=Amount(Decimal("30.92"), Decimal("4.68"), Decimal("35.60")),
    is_vat=True,
    note="Danke!",
)


def read(invoice: Invoice) -> str:
    pages = PdfReader(io.BytesIO(render(invoice))).pages
    return "\n".join(page.extract_text() for page in pages).replace("\xa0", " ")


def test_all_of_it_is_on_the_page() -> None:
    lines = read(INVOICE).splitlines()

    for printed in (
        "Mugs & more GmbH",
        "Deutschland",
        "Österreich",
        "USt-IdNr. / Steuernummer: DE123456789",
        "Rechnung RE-7",
        "Rechnungsdatum: 20. November 2026",
        "Lieferdatum: 19. November 2026",
        "Bestellung: 1042",
        "Amazon-Bestellung: 111-0000001-0000001",
        "Bestellnummer des Kunden: PO-77",
        "MUG-1",
        "darin ein Rabatt von 1,00 €",
        "2 16,72 € 19 % 19,90 €",
        "Versand 4,20 € 19 % 5,00 €",
        "USt. 19 % (Netto 20,92 €) 3,98 €",
        "USt. 7 % (Netto 10,00 €) 0,70 €",
        "Netto 30,92 €",
        "Gesamtbetrag 35,60 €",
        "Danke!",
        "RE-7 - Seite 1 von 1",
    ):
        assert printed in lines


@pytest.mark.parametrize(
    ("language", "currency", "title", "total"),
    [
        ("en", "GBP", "Invoice RE-7", "£35.60"),
        ("de", "EUR", "Rechnung RE-7", "35,60 €"),
        ("fr", "EUR", "Facture RE-7", "35,60 €"),
        ("es", "EUR", "Factura RE-7", "35,60 €"),
        ("it", "EUR", "Fattura RE-7", "35,60 €"),
        ("nl", "EUR", "Factuur RE-7", "€ 35,60"),
        ("pl", "PLN", "Faktura RE-7", "35,60 zł"),
        ("sv", "SEK", "Faktura RE-7", "35,60 kr"),
        ("en", "USD", "Invoice RE-7", "$35.60"),
        ("ja", "JPY", "Invoice RE-7", "¥36"),
    ],
)
def test_in_the_buyers_language_and_currency(
    language: str, currency: str, title: str, total: str
) -> None:
    text = read(replace(INVOICE, language=language, currency=currency))

    assert title in text
    assert total in text


def test_a_tax_that_the_marketplace_collects_is_named() -> None:
    text = read(
        replace(
            INVOICE,
            language="en",
            currency="USD",
            is_vat=False,
            tax_collector="Amazon.com Services LLC",
            tax_collected=Decimal("2.00"),
        )
    )

    assert "Tax of $2.00 was collected by Amazon.com Services LLC" in text
    assert "Tax 19% (Net $20.92) $3.98" in text


def test_a_long_order_goes_on_on_further_pages() -> None:
    content = render(replace(INVOICE, lines=INVOICE.lines * 40))

    assert len(PdfReader(io.BytesIO(content)).pages) > 2


def test_the_same_invoice_is_the_same_file() -> None:
    assert render(INVOICE) == render(INVOICE)


@pytest.mark.parametrize("name", ["Łukasz Żółć", "Ελένη", "Юлия"])
def test_names_in_all_letters_of_europe(name: str) -> None:
    assert name in read(replace(INVOICE, buyer=Party((name,))))


def test_a_letter_that_no_font_has_is_refused() -> None:
    with pytest.raises(CannotPrint) as caught:
        render(replace(INVOICE, buyer=Party(("山田",))))

    assert "U+5C71" in str(caught.value)
    assert "AMAZON_CHANNEL_INVOICE_FONTS" in str(caught.value)


def test_without_the_font_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_packaged", list)

    with pytest.raises(CannotPrint, match="install fontpkg-noto-sans"):
        render(replace(INVOICE, buyer=Party(("Łukasz",))))


def test_a_font_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("AMAZON_CHANNEL_INVOICE_FONTS", f"{tmp_path}/none.ttf")

    with pytest.raises(CannotPrint, match=r"none\.ttf .* cannot be read"):
        render(replace(INVOICE, buyer=Party(("山田",))))


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "NEEDED", {"not_there": "fpdf2", "babel": "babel"})

    with pytest.raises(CannotPrint, match=r"fpdf2, which is not installed: .*\[inv"):
        render(INVOICE)


def test_every_language_has_every_word_with_its_places() -> None:
    for words in WORDS.values():
        assert words.keys() == WORDS["en"].keys()
        for key, text in words.items():
            assert text.count("{") == WORDS["en"][key].count("{")


def test_nothing_personal_is_in_a_repr() -> None:
    shown = repr(INVOICE)
    for secret in ("Müller", "PO-77", "DE123456789"):
        assert secret not in shown
