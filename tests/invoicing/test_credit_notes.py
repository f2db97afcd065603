"""What is on a credit note: the invoice's own numbers, never more than they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.test_pdf import INVOICE, read
from saleor_amazon_channel.invoicing import document
from saleor_amazon_channel.invoicing.content import GivenBack, credit_note
from saleor_amazon_channel.invoicing.document import Amount, Invoice, Line, Party

CENT = Decimal("0.01")
TODAY = date(2026, 12, 1)


def amount(gross: Decimal, rate: str) -> Amount:
    net = (gross / (1 + Decimal(rate))).quantize(CENT, ROUND_HALF_UP)
    return Amount(net, gross - net, gross, Decimal(rate) or None)


def invoice(*lines: tuple[str, str]) -> Invoice:
    """Of items for so much at such a rate; the last is the shipping."""
    made = tuple(
        Line(
            f"Item {n}" if n + 1 < len(lines) else "",
            amount(Decimal(gross), rate),
            1 if n + 1 < len(lines) else None,
            f"SKU-{n}",
            order_item_id=str(n) if n + 1 < len(lines) else "",
        )
        for n, (gross, rate) in enumerate(lines)
    )
    net, tax, gross = (
        sum((getattr(line.amount, name) for line in made), Decimal(0))
        for name in ("net", "tax", "gross")
    )
    by_rate = tuple({line.amount.rate: line.amount for line in made}.values())
    return replace(
        INVOICE, lines=made, by_rate=by_rate, total=Amount(net, tax, gross), note=""
    )


def back(
    item: str, gross: str, before: str = "0", tax: str | None = None, units: int = 0
) -> GivenBack:
    return GivenBack(
        item,
        item == "",
        Decimal(gross),
        None if tax is None else Decimal(tax),
        Decimal(before),
        units,
    )


ORIGINAL = invoice(("20.00", "0.19"), ("10.70", "0.07"), ("4.99", "0.19"))


def test_a_part_has_its_share_of_the_tax() -> None:
    note = credit_note(ORIGINAL, "C-1", TODAY, [back("0", "10.00", units=1)], [])

    assert note is not None
    [line] = note.lines
    assert (line.title, line.quantity, line.sku) == ("Item 0", 1, "SKU-0")
    assert line.amount == Amount(
        Decimal("8.40"), Decimal("1.60"), Decimal("10.00"), Decimal("0.19")
    )
    assert note.total == Amount(Decimal("8.40"), Decimal("1.60"), Decimal("10.00"))
    assert note.corrects == document.Corrected("RE-7", date(2026, 11, 20))


def test_all_of_it_comes_to_exactly_the_invoice() -> None:
    note = credit_note(
        ORIGINAL,
        "C-1",
        TODAY,
        [back("0", "20.00"), back("1", "10.70"), back("", "4.99")],
        [],
    )

    assert note is not None
    assert replace(note.total, rate=None) == ORIGINAL.total
    assert [line.amount for line in note.lines] == [
        line.amount for line in ORIGINAL.lines
    ]


def test_tax_that_amazon_told_is_taken() -> None:
    note = credit_note(ORIGINAL, "C-1", TODAY, [back("0", "10.00", tax="1.59")], [])
    assert note is not None
    assert note.total.tax == Decimal("1.59")


def test_nothing_is_left() -> None:
    assert credit_note(ORIGINAL, "C-9", TODAY, [back("0", "1")], [ORIGINAL.total]) is (
        None
    )


def test_what_no_item_can_be_told_of_is_of_the_whole() -> None:
    given_back = GivenBack("", False, Decimal("5.00"), None, Decimal(0), 0)
    note = credit_note(
        invoice(("20.00", "0.19"), ("0", "0.19")), "C", TODAY, [given_back], []
    )
    assert note is not None
    [line] = note.lines
    assert (line.title, line.amount.tax) == (INVOICE.amazon_order_id, Decimal("0.80"))


_LINES = st.lists(
    st.tuples(
        st.decimals(Decimal("0.01"), Decimal("500"), places=2),
        st.sampled_from(["0.19", "0.07", "0", "0.255"]),
    ),
    min_size=1,
    max_size=4,
)


@given(
    _LINES,
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 4), st.decimals(Decimal("0.01"), Decimal(300), places=2)
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda part: part[0],
        ),
        max_size=6,
    ),
)
@settings(max_examples=300, deadline=None)
def test_together_never_more_than_the_invoice(
    lines: list[tuple[Decimal, str]], refunds: list[list[tuple[int, Decimal]]]
) -> None:
    original = invoice(*[(str(gross), rate) for gross, rate in lines])
    before: list[Amount] = []
    of_line: dict[str, Decimal] = {}
    for parts in refunds:
        given_back = []
        for number, gross in parts:
            key = str(number) if number + 1 < len(lines) else ""
            if any(each.order_item_id == key for each in given_back):
                continue
            given_back.append(
                back(key, str(gross), before=str(of_line.get(key, Decimal(0))))
            )
            of_line[key] = of_line.get(key, Decimal(0)) + gross
        note = credit_note(original, "C", TODAY, given_back, before)
        if note is None:
            assert sum(each.gross for each in before) == original.total.gross
            continue
        for line in note.lines:
            assert line.amount.net >= 0
            assert line.amount.tax >= 0
            assert line.amount.net + line.amount.tax == line.amount.gross
        assert sum(line.amount.gross for line in note.lines) == note.total.gross
        before.append(note.total)
    assert sum((each.gross for each in before), Decimal(0)) <= original.total.gross
    assert sum((each.tax for each in before), Decimal(0)) <= original.total.tax


def test_what_is_kept_of_an_invoice_gives_it_back_without_its_buyer() -> None:
    kept = document.to_json(INVOICE)
    for secret in ("Müller", "Lindenstr", "PO-77", "ACME"):
        assert secret not in str(kept)

    again = document.from_json(kept)
    assert again == replace(
        INVOICE,
        buyer=Party(()),
        delivery=None,
        purchase_order_number="",
        lines=tuple(replace(line, discount=Decimal(0)) for line in INVOICE.lines),
        note="",
    )


@pytest.mark.parametrize(
    ("language", "title", "names"),
    [
        ("de", "Rechnungskorrektur C-1", "Korrektur der Rechnung RE-7 vom"),
        ("en", "Credit note C-1", "Corrects invoice RE-7 of"),
        ("fr", "Facture d'avoir C-1", "Avoir sur la facture RE-7 du"),
        ("es", "Factura rectificativa C-1", "Rectifica la factura RE-7 del"),
        ("it", "Nota di credito C-1", "Rettifica la fattura RE-7 del"),
        ("nl", "Creditnota C-1", "Correctie op factuur RE-7 van"),
        ("pl", "Faktura korygująca C-1", "Koryguje fakturę RE-7 z dnia"),
        ("sv", "Kreditfaktura C-1", "Krediterar faktura RE-7 av den"),
        ("ja", "Credit note C-1", "Corrects invoice RE-7 of"),
    ],
)
def test_it_says_what_it_is_and_what_it_corrects(
    language: str, title: str, names: str
) -> None:
    original = replace(ORIGINAL, language=language)
    note = credit_note(original, "C-1", TODAY, [back("0", "10.00")], [])
    assert note is not None
    text = read(note)
    assert title in text
    assert names in text


def test_a_buyer_who_was_deleted_leaves_no_heading() -> None:
    original = replace(ORIGINAL, buyer=Party(()), delivery=None)
    note = credit_note(original, "C-1", TODAY, [back("0", "10.00")], [])
    assert note is not None
    assert "Rechnung an" not in read(note)
