"""An invoice as a PDF file, made with fpdf2 and worded with Babel (extra ``invoices``).

The standard fonts of every PDF reader have the letters of western Europe. Where a text
needs others, the whole file is set in Noto Sans (Latin of all Europe, Greek, Cyrillic),
with the operator's own fonts (``AMAZON_CHANNEL_INVOICE_FONTS``) for what that lacks. A
letter that no font has is refused: a wrong name on an invoice would be worse.

Nothing is fetched, and the same invoice gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conf import app_settings
from .document import Amount, Invoice, Party
from .words import WORDS, words_in

if TYPE_CHECKING:
    from fpdf import FPDF

NEEDED = {"fpdf": "fpdf2", "babel": "babel"}

#: Of the standard fonts: Latin 1 and what Windows adds to it, the euro among them.
_STANDARD = "cp1252"
_MARGIN_MM = 20
_COLUMNS_MM = (74, 14, 26, 18, 26)


class CannotPrint(Exception):
    """The file cannot be made here; the message says what the operator has to do."""


def missing_library() -> str:
    """What must be installed first, in words; empty when nothing is missing."""
    missing = [name for module, name in NEEDED.items() if not find_spec(module)]
    if not missing:
        return ""
    return (
        f"Invoices need {' and '.join(missing)}, which is not installed: install the "
        "extra saleor-amazon-channel[invoices], or the package itself, in every "
        "process."
    )


def render(invoice: Invoice) -> bytes:
    """The file. Raises CannotPrint."""
    if problem := missing_library():
        raise CannotPrint(problem)
    from fpdf import FPDF

    page = FPDF(format="A4")
    page.set_creation_date(datetime.combine(invoice.issued_on, time(), UTC))
    title = "credit_note" if invoice.corrects else "invoice"
    page.set_title(f"{words_in(invoice.language)[title]} {invoice.number}")
    page.core_fonts_encoding = _STANDARD
    page.set_lang(invoice.language)
    page.set_margin(_MARGIN_MM)
    page.set_auto_page_break(True, _MARGIN_MM + 5)
    page.alias_nb_pages("{pages}")
    try:
        _Sheet(page, invoice, _Format(invoice)).draw()
        return bytes(page.output())
    finally:
        _close_fonts(page)


def _close_fonts(page: FPDF) -> None:
    """fpdf2 leaves the files of fonts open."""
    for font in page.fonts.values():
        file = getattr(font, "ttfont", None)
        if file is not None:
            file.close()


class _Format:
    """Amounts, dates and countries as the buyer reads them."""

    def __init__(self, invoice: Invoice) -> None:
        from babel import Locale

        # Where the words are English, so is the rest.
        language = invoice.language.partition("-")[0]
        self._locale = Locale(language if language in WORDS else "en")
        self._currency = invoice.currency

    def money(self, amount: Decimal) -> str:
        from babel.numbers import format_currency

        return self._plain(format_currency(amount, self._currency, locale=self._locale))

    def rate(self, rate: Decimal | None) -> str:
        from babel.numbers import format_percent

        if rate is None:
            return ""
        return self._plain(
            format_percent(rate, locale=self._locale, decimal_quantization=False)
        )

    def date(self, day: Any) -> str:
        from babel.dates import format_date

        return self._plain(format_date(day, "long", locale=self._locale))

    def country(self, code: str) -> str:
        return str(self._locale.territories.get(code, code))

    @staticmethod
    def _plain(text: str) -> str:
        """With a no-break space for the narrow one, which few fonts have."""
        return text.replace("\u202f", "\u00a0").replace("\u200f", "")


class _Sheet:
    def __init__(self, page: FPDF, invoice: Invoice, shown: _Format) -> None:
        self.page = page
        self.invoice = invoice
        self.shown = shown
        words = dict(words_in(invoice.language))
        words["tax"] = words["vat"] if invoice.is_vat else words["sales_tax"]
        if invoice.corrects:
            words["invoice"] = words["credit_note"]
            words["date"] = words["credit_note_date"]
            words["total"], words["paid"] = words["credited"], words["refunded"]
        self.words = words

    def draw(self) -> None:
        self.family, self.bold = _fonts(self.page, "".join(self._texts()))
        self.page.footer = self._footer  # type: ignore[method-assign]
        self.page.add_page()
        self._parties()
        self._facts()
        self._table()
        self._totals()
        self._notes()

    def _texts(self) -> Iterator[str]:
        """All that is printed, for the choice of fonts."""
        invoice = self.invoice
        yield from self.words.values()
        yield from (invoice.number, invoice.order_number, invoice.note)
        yield from (invoice.purchase_order_number, invoice.tax_collector)
        if invoice.corrects:
            yield invoice.corrects.number
            yield self.shown.date(invoice.corrects.issued_on)
        for party in (invoice.seller, invoice.buyer, invoice.delivery):
            if party:
                yield from party.lines
                yield from (party.tax_number, self.shown.country(party.country))
        for line in invoice.lines:
            yield from (line.title, line.sku)
        yield self.shown.money(invoice.total.gross)
        yield self.shown.date(invoice.issued_on)

    # Parts, from top to bottom.

    def _parties(self) -> None:
        self._font(8)
        seller = self.invoice.seller
        self._lines(self._party_lines(seller), 4)
        if seller.tax_number:
            self._line(f"{self.words['tax_number']}: {seller.tax_number}", 4)
        self.page.ln(8)
        top = self.page.get_y()
        self._party("bill_to", self.invoice.buyer)
        bottom = self.page.get_y()
        if self.invoice.delivery and self.invoice.buyer.lines:
            self.page.set_xy(110, top)
            self.page.set_left_margin(110)
            self._party("deliver_to", self.invoice.delivery)
            self.page.set_left_margin(_MARGIN_MM)
        self.page.set_xy(_MARGIN_MM, max(bottom, self.page.get_y()) + 6)

    def _party(self, title: str, party: Party) -> None:
        if not party.lines:
            return  # A credit note, of which the buyer's data were deleted.
        self._font(8, bold=True)
        self._line(self.words[title], 4)
        self._font(10)
        self._lines(self._party_lines(party), 5)
        if party.tax_number:
            self._line(f"{self.words['tax_number']}: {party.tax_number}", 5)

    def _party_lines(self, party: Party) -> list[str]:
        country = self.shown.country(party.country) if party.country else ""
        return [*party.lines, *([country] if country else [])]

    def _facts(self) -> None:
        invoice, words = self.invoice, self.words
        self._font(16, bold=True)
        self._line(f"{words['invoice']} {invoice.number}", 9)
        self._font(9)
        if corrected := invoice.corrects:
            day = self.shown.date(corrected.issued_on)
            self._line(words["corrects"].format(number=corrected.number, date=day), 5)
        facts = (
            ("number", "" if invoice.corrects else invoice.number),
            ("date", self.shown.date(invoice.issued_on)),
            (
                "delivery_date",
                self.shown.date(invoice.delivered_on) if invoice.delivered_on else "",
            ),
            ("order", invoice.order_number),
            ("amazon_order", invoice.amazon_order_id),
            ("purchase_order", invoice.purchase_order_number),
        )
        seen = set()
        for name, value in facts:
            # Amazon's number may be the order's.
            if value and value not in seen:
                self._line(f"{words[name]}: {value}", 5)
            if name != "number":
                seen.add(value)
        self.page.ln(4)

    def _table(self) -> None:
        words = self.words
        head = ("item", "quantity", "net", "tax", "gross")
        self._font(9)
        with self.page.table(
            col_widths=_COLUMNS_MM,
            text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
            borders_layout="HORIZONTAL_LINES",
            line_height=5,
            headings_style=self._heading(),
        ) as table:
            table.row([words[name] for name in head])
            for line in self.invoice.lines:
                title = line.title or words["shipping"]
                if line.sku:
                    title += f"\n{line.sku}"
                if line.discount:
                    amount = self.shown.money(line.discount)
                    title += "\n" + words["discount"].format(amount=amount)
                table.row(
                    [
                        title,
                        "" if line.quantity is None else str(line.quantity),
                        self.shown.money(line.amount.net),
                        self.shown.rate(line.amount.rate),
                        self.shown.money(line.amount.gross),
                    ]
                )
        self.page.ln(4)

    def _totals(self) -> None:
        self._font(9)
        total = self.invoice.total
        for amount in self.invoice.by_rate:
            if amount.tax:
                self._sum(self._of_rate(amount), amount.tax)
        self._sum(self.words["net"], total.net)
        self._font(11, bold=True)
        self._sum(self.words["total"], total.gross)
        self.page.ln(4)

    def _of_rate(self, amount: Amount) -> str:
        rate = self.shown.rate(amount.rate)
        name = f"{self.words['tax']} {rate}".rstrip()
        return f"{name} ({self.words['net']} {self.shown.money(amount.net)})"

    def _sum(self, name: str, amount: Decimal) -> None:
        width = self.page.epw
        self.page.cell(width - 40, 6, name, align="R")
        self.page.cell(
            40, 6, self.shown.money(amount), align="R", new_x="LMARGIN", new_y="NEXT"
        )

    def _notes(self) -> None:
        invoice, words = self.invoice, self.words
        self._font(9)
        self._line(words["paid"], 5)
        if invoice.tax_collected:
            self._line(
                words["collected"].format(
                    tax=words["tax"],
                    amount=self.shown.money(invoice.tax_collected),
                    collector=invoice.tax_collector or "Amazon",
                ),
                5,
            )
        if invoice.note:
            self.page.ln(3)
            self._line(invoice.note, 5)

    def _footer(self) -> None:
        self.page.set_y(-15)
        self._font(8)
        text = self.words["page"].format(page=self.page.page_no(), pages="{pages}")
        self.page.cell(0, 5, f"{self.invoice.number} - {text}", align="C")

    # How it is set.

    def _font(self, size: float, *, bold: bool = False) -> None:
        self.page.set_font(self.family, "B" if bold and self.bold else "", size)

    def _heading(self) -> Any:
        from fpdf.fonts import FontFace

        return FontFace(emphasis="BOLD" if self.bold else None)

    def _line(self, text: str, height: float) -> None:
        self.page.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _lines(self, lines: list[str], height: float) -> None:
        for line in lines:
            self._line(line, height)


def _fonts(page: FPDF, text: str) -> tuple[str, bool]:
    """The family to set everything in, and whether it has a bold face."""
    try:
        text.encode(_STANDARD)
    except UnicodeEncodeError:
        return _wide_fonts(page, text), False
    return "Helvetica", True


def _wide_fonts(page: FPDF, text: str) -> str:
    files = [*_packaged(), *map(Path, app_settings.INVOICE_FONTS)]
    if not files:
        raise CannotPrint(
            "The invoice has letters that the standard fonts lack: install "
            "fontpkg-noto-sans (it is in the extra saleor-amazon-channel[invoices]), "
            "or name fonts in AMAZON_CHANNEL_INVOICE_FONTS."
        )
    families = []
    known: set[int] = set()
    for number, file in enumerate(files):
        family = f"wide{number}"
        try:
            page.add_font(family, fname=file)
        except (OSError, ValueError, RuntimeError) as error:
            raise CannotPrint(
                f"The font {file.name} of AMAZON_CHANNEL_INVOICE_FONTS cannot be read."
            ) from error
        families.append(family)
        known |= set(getattr(page.fonts[family], "cmap", ()))
    lacking = sorted({letter for letter in text if _needs_font(letter, known)})
    if lacking:
        raise CannotPrint(
            f"No font has the letter {lacking[0]!r} (U+{ord(lacking[0]):04X}) of the "
            "invoice: add a font with it to AMAZON_CHANNEL_INVOICE_FONTS."
        )
    page.set_fallback_fonts(families[1:])
    page.set_text_shaping(find_spec("uharfbuzz") is not None)
    return families[0]


def _needs_font(letter: str, known: set[int]) -> bool:
    return ord(letter) not in known and not letter.isspace()


def _packaged() -> list[Path]:
    if not find_spec("fontpkg_noto_sans"):
        return []
    import fontpkg_noto_sans

    return sorted((fontpkg_noto_sans.ROOT / "files").glob("NotoSans[[]*.ttf"))
