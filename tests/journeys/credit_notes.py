"""A refund of an order whose invoice Amazon has: a credit note, once, with its numbers.

Run in both shops: see ``world``.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from contract.driver import InvoiceView, StaffDriver
from journeys.invoicing import ISSUER, configure, text_of
from journeys.killing import run_worker
from journeys.refunds import with_parts
from journeys.world import World, running_world
from saleor_amazon_channel import clock
from saleor_amazon_channel.importing import finances
from saleor_amazon_channel.invoicing import credit_notes, record
from saleor_amazon_channel.models import (
    AmazonRefund,
    CommunicationLog,
    InvoiceReport,
    OrderInvoice,
    OutboxEntry,
)
from saleor_amazon_channel.pushing import by_hand, invoice_reports
from saleor_amazon_channel.sandbox import events, invoice_data
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.sandbox.report_store import ReportFate
from saleor_amazon_channel.store.contract import ShopInvoice, Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
FIRST, SECOND = "10000000000001", "10000000000002"
SELLER = "A1SANDBOXEU"
FEED = "UPLOAD_VAT_INVOICE"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        configure(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")
        yield world


def put(world: World, order_id: str = ORDER, **changes: Any) -> None:
    """Two mugs for 20.00, 3.19 of it VAT, with 4.99 for shipping, 0.80 of it VAT."""
    item = with_parts(wire_item(FIRST, quantity=2, price="20.00"), SHIPPING="4.99")
    item["proceeds"]["breakdowns"].append(
        {
            "type": "TAX",
            "subtotal": {"amount": "3.99", "currencyCode": "EUR"},
            "detailedBreakdowns": [
                {"subtype": "ITEM", "value": {"amount": "3.19", "currencyCode": "EUR"}},
                {
                    "subtype": "SHIPPING",
                    "value": {"amount": "0.80", "currencyCode": "EUR"},
                },
            ],
        }
    )
    order = {**wire_order(order_id, items=[item]), **changes}
    order["proceeds"]["breakdowns"] = [
        {"type": "ITEM", "subtotal": {"amount": "20.00", "currencyCode": "EUR"}},
        {"type": "SHIPPING", "subtotal": {"amount": "4.99", "currencyCode": "EUR"}},
    ]
    world.sandbox.state.put_orders([order])


def rounds(world: World, count: int, minutes: float = 5) -> None:
    for _ in range(count):
        world.work()
        world.move_clock(timedelta(minutes=minutes))


def shop_id(world: World, order_id: str = ORDER) -> str:
    return world.ledger_order(order_id).shop_order_id or ""


def invoiced(world: World, order_id: str = ORDER, **changes: Any) -> str:
    """An order that is shipped, and its invoice with Amazon; the invoice's number."""
    put(world, order_id, **changes)
    world.work_until_quiet(2)
    invoice = world.shop.request_invoice(shop_id(world, order_id))
    events.ship(world.sandbox.state, order_id)
    rounds(world, 4)
    assert [each.number for each in uploaded(world, "Invoice", order_id)] == [
        invoice.number
    ]
    return invoice.number


def refund(
    world: World, order_id: str = ORDER, item: str = FIRST, **components: str
) -> None:
    """In Seller Central."""
    on_amazon.refund(world.sandbox.state, order_id, items={item: components})


def hear(world: World) -> None:
    """The next scan of the refunds, and what comes of it."""
    rounds(world, 8)


def report_on(world: World) -> None:
    """The next report, and what is sent by it."""
    rounds(world, 14, minutes=30)


def uploaded(world: World, kind: str, order_id: str = ORDER) -> list[Any]:
    return [
        each
        for each in world.sandbox.state.invoices
        if each.document_type == kind and each.order_id == order_id
    ]


def notes(order_id: str = ORDER) -> list[OrderInvoice]:
    return list(
        OrderInvoice.objects.filter(
            order__amazon_order_id=order_id, corrects__isnull=False
        ).order_by("pk")
    )


def entries(order_id: str = ORDER) -> list[OutboxEntry]:
    return list(
        OutboxEntry.objects.filter(
            kind="credit_note", order__amazon_order_id=order_id
        ).order_by("pk")
    )


def view(world: World, note: OrderInvoice) -> InvoiceView:
    return world.shop.invoice(note.shop_invoice_id)


def told(world: World, type_: str, order_id: str = ORDER) -> list[str]:
    found = world.ledger_order(order_id).events.filter(type=type_).order_by("pk")
    return [each.message for each in found]


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def check_quiet(world: World) -> None:
    """Hearing of it again changes nothing, and nothing more is asked or sent."""
    made = OrderInvoice.objects.count()
    asked, sent = calls(world, "createReport"), calls(world, "createFeed")
    AmazonRefund.objects.update(credit_note_at=world.ledger_order(ORDER).created_time)
    rounds(world, 12, minutes=60)
    with world.shop.writer():
        record.sweep()
        credit_notes.settle()
    assert OrderInvoice.objects.count() == made
    assert (calls(world, "createReport"), calls(world, "createFeed")) == (asked, sent)
    assert world.shop.emails() == []


def test_a_refund_in_seller_central_gets_its_credit_note(world: World) -> None:
    number = invoiced(world)
    world.sandbox.state.reports.refund_delay = timedelta(hours=9)
    refund(world, Principal="10.00")
    hear(world)

    # The document is there at once, and waits for what Amazon calls the refund.
    [note] = notes()
    assert note.number == f"{number.removesuffix('1')}C-1"
    assert (note.total, note.tax) == (Decimal("10.00"), Decimal("1.60"))
    [entry] = entries()
    assert entry.state == "pending"
    assert f"Credit note {note.number} waits until" in entry.error_message
    text = text_of(view(world, note).content)
    for printed in (
        f"Rechnungskorrektur {note.number}",
        f"Korrektur der Rechnung {number} vom 20. November 2026",
        "DE123456789",
        "Änne Müller",
        "A mug",
        "1 8,40 € 19 % 10,00 €",
        "USt. 19 % (Netto 8,40 €) 1,60 €",
        "Gutgeschriebener Betrag 10,00 €",
        "Erstattet über Amazon.",
    ):
        assert printed in text, text
    assert uploaded(world, "CreditNote") == []
    # Whoever saves it, it is none of the invoices that go as such.
    with world.shop.writer(), transaction.atomic():
        ready = world.store.invoices([note.shop_invoice_id])
        assert [each.number for each in ready] == [note.number]
        assert record.record_invoices(ready) == 0

    report_on(world)
    assert uploaded(world, "CreditNote") == []
    report_on(world)
    [there] = uploaded(world, "CreditNote")
    assert there.number == note.number
    assert there.content == view(world, note).content
    [feed] = [
        each
        for each in world.sandbox.state.feeds.feeds_of(SELLER)
        if each.options["metadata:documenttype"] == "CreditNote"
    ]
    assert feed.options == {
        "metadata:orderid": ORDER,
        "metadata:invoicenumber": note.number,
        "metadata:documenttype": "CreditNote",
        "metadata:transactionid": there.transaction_id,
        "metadata:totalamount": "10.00",
        "metadata:totalvatamount": "1.60",
    }
    [entry] = entries()
    assert entry.state == "succeeded"
    assert view(world, note).metadata["amazon.upload"] == "succeeded"
    said = world.shop.order(shop_id(world)).notes
    assert f"Amazon has the credit note {note.number}." in said
    check_quiet(world)


def test_a_refund_of_the_shop_gets_one_like_any_other(world: World) -> None:
    invoiced(world)
    world.shop.request_refund(shop_id(world), "10.00")
    rounds(world, 4)
    assert notes() == []  # Amazon says what it gave back.
    hear(world)
    report_on(world)

    [note] = notes()
    [there] = uploaded(world, "CreditNote")
    assert (there.number, note.total) == (note.number, Decimal("10.00"))
    assert [entry.state for entry in entries()] == ["succeeded"]
    check_quiet(world)


def test_several_refunds_get_theirs_and_never_more_than_the_invoice(
    world: World,
) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    refund(world, Principal="10.00", Shipping="4.99", Goodwill="3.00")
    hear(world)
    refund(world, Goodwill="2.00")
    hear(world)
    report_on(world)

    first, second = notes()
    # With goodwill, only what was left of the invoice is taken off it.
    assert (first.total, first.tax) == (Decimal("10.00"), Decimal("1.60"))
    assert (second.total, second.tax) == (Decimal("14.99"), Decimal("2.39"))
    invoice = first.corrects
    assert invoice is not None
    assert (invoice.total, invoice.tax) == (Decimal("24.99"), Decimal("3.99"))
    [kept] = told(world, "credit_note_kept")
    assert "more than invoice" in kept
    text = text_of(view(world, second).content)
    assert "1 8,41 € 19 % 10,00 €" in text or "13,00" in text
    numbers = [each.number for each in uploaded(world, "CreditNote")]
    assert numbers == [first.number, second.number]
    assert first.transaction_id != second.transaction_id
    check_quiet(world)


def test_two_alike_are_two(world: World) -> None:
    invoiced(world)
    for _ in range(2):
        refund(world, Principal="3.00")
    hear(world)
    report_on(world)

    first, second = notes()
    there = uploaded(world, "CreditNote")
    assert {each.number for each in there} == {first.number, second.number}
    assert len({each.transaction_id for each in there}) == 2
    check_quiet(world)


def test_a_deferred_refund_gets_one_and_no_other_when_it_is_released(
    world: World,
) -> None:
    invoiced(world)
    on_amazon.refund(
        world.sandbox.state,
        ORDER,
        items={FIRST: {"Principal": "5.00"}},
        is_deferred=True,
    )
    hear(world)
    assert len(notes()) == 1
    on_amazon.release_refund(world.sandbox.state, ORDER)
    hear(world)
    report_on(world)

    assert len(notes()) == 1
    assert len(uploaded(world, "CreditNote")) == 1
    check_quiet(world)


def test_one_report_serves_all_that_wait(world: World) -> None:
    ids = [f"111-0000001-{n:07}" for n in range(1, 6)]
    for each in ids:
        put(world, each)
    world.work_until_quiet(2)
    for each in ids:
        world.shop.request_invoice(shop_id(world, each))
        events.ship(world.sandbox.state, each)
    rounds(world, 14)
    for each in ids:
        assert len(uploaded(world, "Invoice", each)) == 1
        refund(world, each, Principal="5.00")
    hear(world)
    asked = calls(world, "createReport")
    report_on(world)

    assert calls(world, "createReport") - asked <= 1
    for each in ids:
        assert len(uploaded(world, "CreditNote", each)) == 1
    check_quiet(world)


def test_refunded_before_the_invoice_was_there(world: World) -> None:
    put(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    refund(world, Principal="10.00")
    hear(world)
    assert notes() == []

    world.shop.request_invoice(shop_id(world))
    rounds(world, 5)
    report_on(world)

    [note] = notes()
    assert [each.number for each in uploaded(world, "CreditNote")] == [note.number]
    check_quiet(world)


def test_no_invoice_no_credit_note(world: World) -> None:
    put(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    assert OrderInvoice.objects.count() == 0
    assert calls(world, "createReport") == 0
    assert not credit_notes.has_work()


@pytest.mark.parametrize("mechanism", ["off", "message"])
def test_an_invoice_that_goes_no_more_by_feed(world: World, mechanism: str) -> None:
    number = invoiced(world)
    configure(world, invoice_mechanism=mechanism)
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    assert notes() == []
    [message] = told(world, "credit_note_kept")
    assert f"10.00 EUR of invoice {number} were refunded" in message
    assert "not the feed any more" in message
    assert calls(world, "createReport") == 0


def test_what_amazon_never_lists_ends_with_what_to_do(world: World) -> None:
    invoiced(world)
    world.sandbox.state.reports.refund_delay = timedelta(days=90)
    refund(world, Principal="10.00")
    hear(world)
    rounds(world, 60, minutes=6 * 60)

    [entry] = entries()
    assert (entry.state, entry.error_code) == ("failed", "NOT_POSSIBLE")
    assert "within 14 days" in entry.error_message
    assert "upload it in Seller Central" in entry.error_message
    said = world.shop.order(shop_id(world)).notes
    assert entry.error_message in said
    asked = calls(world, "createReport")
    assert 20 < asked < 40  # Here a report takes two rounds.
    rounds(world, 8, minutes=6 * 60)
    assert calls(world, "createReport") == asked

    # Amazon has it now, and staff try again.
    world.sandbox.state.reports.refund_delay = timedelta(0)
    with world.shop.writer():
        by_hand.retry([entry.pk], "staff@example.com")
    report_on(world)
    assert len(uploaded(world, "CreditNote")) == 1
    assert [each.state for each in entries()] == ["succeeded"]
    check_quiet(world)


def test_push_again_waits_for_the_report_once_more(world: World) -> None:
    invoiced(world)
    world.sandbox.state.reports.refund_delay = timedelta(days=90)
    refund(world, Principal="10.00")
    hear(world)
    rounds(world, 60, minutes=6 * 60)
    world.sandbox.state.reports.refund_delay = timedelta(0)
    with world.shop.writer():
        record.push_again(notes()[0], "staff@example.com")
    report_on(world)

    assert [each.state for each in entries()] == ["failed", "succeeded"]
    assert len(uploaded(world, "CreditNote")) == 1
    with world.shop.writer(), pytest.raises(record.PushRefused, match="credit note"):
        record.push_again(notes()[0])


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("fatal", "could not make the Invoice Data Report (FATAL)"),
        ("garbled", "it has no column transaction-id"),
        ("not_packed", "cannot be unpacked"),
    ],
)
def test_a_report_that_gives_nothing_is_told_and_asked_for_again(
    world: World, fate: str, words: str
) -> None:
    invoiced(world)
    world.sandbox.state.reports.determine(ReportFate(fate))
    world.sandbox.state.reports.determine(ReportFate(fate))
    refund(world, Principal="10.00")
    hear(world)
    rounds(world, 8)

    row = InvoiceReport.objects.get()
    assert words in row.problem
    [entry] = entries()
    assert entry.state == "pending"
    assert words in entry.error_message
    report_on(world)
    assert len(uploaded(world, "CreditNote")) == 1
    row.refresh_from_db()
    assert (row.problem, row.failure_count) == ("", 0)
    # The same problem is logged once.
    assert CommunicationLog.objects.count() == 1
    check_quiet(world)


def test_a_report_that_is_cancelled_has_nothing_and_is_no_fault(world: World) -> None:
    invoiced(world)
    world.sandbox.state.reports.determine(ReportFate("cancelled"))
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    assert len(uploaded(world, "CreditNote")) == 1
    assert CommunicationLog.objects.count() == 0


def test_without_the_role_it_is_told_and_amazon_is_left_in_peace(
    world: World,
) -> None:
    invoiced(world)
    world.sandbox.state.accounts[SELLER].may_invoice = False
    refund(world, Principal="10.00")
    hear(world)
    rounds(world, 24, minutes=60)

    [entry] = entries()
    assert entry.state == "pending"
    assert "the app lacks the role Tax Invoicing (Restricted)" in entry.error_message
    # 1, 2, 4, 8 and 12 hours apart.
    assert calls(world, "createReport") <= 5
    assert CommunicationLog.objects.count() == 1
    account = type(world.account).objects.get(pk=world.account.pk)
    assert account.state == "active"

    world.sandbox.state.accounts[SELLER].may_invoice = True
    rounds(world, 30, minutes=60)
    assert len(uploaded(world, "CreditNote")) == 1


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("createReport", "throttled"),
        ("getReport", "internal_failure"),
        ("getReportDocument", "throttled"),
        ("createFeed", "internal_failure"),
    ],
)
def test_a_failing_step_delays_and_never_doubles(
    world: World, operation: str, kind: str
) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    for _ in range(2):
        world.sandbox.state.inject_fault(operation, kind)
    report_on(world)
    report_on(world)

    assert len(uploaded(world, "CreditNote")) == 1
    check_quiet(world)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("79525", "invoiceMechanism to OFF"),
        ("90006", "upload it in Seller Central"),
    ],
)
def test_a_refusal_is_told_and_nothing_loops(
    world: World, code: str, words: str
) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    state = world.sandbox.state
    if code == "79525":
        state.invoiced_by_amazon.add(SELLER)
    else:
        rounds(world, 2, minutes=0.1)
        OrderInvoice.objects.filter(corrects__isnull=False).update(
            transaction_id="amzn:crow:0", transaction_total="10.00", waits_until=None
        )
        OutboxEntry.objects.filter(kind="credit_note").update(
            next_attempt_at=world.ledger_order(ORDER).created_time
        )
    report_on(world)

    [entry] = entries()
    assert (entry.state, entry.error_code) == ("failed", code)
    assert words in entry.error_message
    assert uploaded(world, "CreditNote") == []
    sent = calls(world, "createFeed")
    rounds(world, 12, minutes=60)
    assert calls(world, "createFeed") == sent


@pytest.mark.parametrize("fate", ["fatal", "fatal_partly"])
def test_what_may_have_arrived_is_looked_for_in_the_report(
    world: World, fate: str
) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    world.sandbox.state.feeds.determine(Fate(fate, FEED))
    rounds(world, 8, minutes=20)
    [entry] = entries()
    assert (entry.state, entry.error_code) == ("unknown", "AWAITING_REPORT")
    assert "until then nothing is sent again" in entry.error_message
    report_on(world)

    [entry] = entries()
    if fate == "fatal_partly":  # It was taken.
        assert entry.state == "succeeded"
        assert len(uploaded(world, "CreditNote")) == 1
    else:
        assert (entry.state, entry.error_code) == ("failed", "NOT_ARRIVED")
        assert "its report lists the refund as one without" in entry.error_message
        check_quiet(world)
        with world.shop.writer():
            record.push_again(notes()[0], "staff@example.com")
        rounds(world, 4)
        assert len(uploaded(world, "CreditNote")) == 1
    check_quiet(world)


def test_where_no_report_says_what_arrived_a_person_is_asked(world: World) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    world.sandbox.state.feeds.determine(Fate("fatal", FEED))
    rounds(world, 8, minutes=20)
    world.sandbox.state.without_invoice_report.add(SELLER)
    rounds(world, 16, minutes=6 * 60)

    [entry] = entries()
    assert (entry.state, entry.error_code) == ("failed", "OUTCOME_UNKNOWN")
    assert "Look at the order in Seller Central" in entry.error_message
    check_quiet(world)


def test_nothing_of_the_buyer_is_kept_of_the_report_or_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    invoiced(world)
    world.sandbox.state.reports.determine(ReportFate("garbled"))
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    assert len(uploaded(world, "CreditNote")) == 1
    kept = [
        str(row)
        for model in (InvoiceReport, OrderInvoice, OutboxEntry, CommunicationLog)
        for row in model.objects.values()
    ]
    for text in [*kept, caplog.text]:
        for word in ("Müller", "Hauptstr. 5"):
            assert word not in text


def test_of_a_buyer_whose_data_were_deleted_it_names_the_invoice(
    world: World,
) -> None:
    number = invoiced(world)
    order = world.ledger_order(ORDER)
    order.personal = {}
    order.save()
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    [note] = notes()
    text = text_of(view(world, note).content)
    assert f"Korrektur der Rechnung {number}" in text
    assert "Müller" not in text
    assert "10,00 €" in text
    assert len(uploaded(world, "CreditNote")) == 1


def test_one_that_cannot_be_made_is_told_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoiced(world)
    with monkeypatch.context() as patch:
        patch.setattr(
            "saleor_amazon_channel.invoicing.pdf.missing_library",
            lambda: "Invoices need fpdf2.",
        )
        refund(world, Principal="10.00")
        hear(world)
        rounds(world, 3, minutes=60)
        assert notes() == []
        [message] = told(world, "credit_note_impossible")
        assert "Invoices need fpdf2. It is tried again by itself." in message
    rounds(world, 3, minutes=60)
    [note] = notes()
    assert note.number.endswith("C-1")
    report_on(world)
    assert len(uploaded(world, "CreditNote")) == 1


def test_units_and_shipping_that_staff_granted(world: World) -> None:
    invoiced(world)
    line = world.line_ids(ORDER)[FIRST]
    world.shop.request_refund(shop_id(world), lines={line: 1}, with_shipping=True)
    rounds(world, 4)
    hear(world)
    report_on(world)

    [note] = notes()
    assert (note.total, note.tax) == (Decimal("14.99"), Decimal("2.40"))
    text = text_of(view(world, note).content)
    assert "1 8,40 € 19 % 10,00 €" in text
    assert "Versand 4,19 € 19 % 4,99 €" in text
    [there] = uploaded(world, "CreditNote")
    assert there.content == view(world, note).content
    check_quiet(world)


def test_of_two_alike_each_is_the_one_of_its_item(world: World) -> None:
    items = [wire_item(FIRST, price="20.00"), wire_item(SECOND, "MUG-2", price="7.77")]
    world.sandbox.state.put_orders([wire_order(ORDER, items=items)])
    world.work_until_quiet(2)
    world.shop.request_invoice(shop_id(world))
    events.ship(world.sandbox.state, ORDER)
    rounds(world, 4)
    world.sandbox.state.reports.refund_delay = timedelta(hours=1)
    refund(world, item=SECOND, Principal="5.00")
    world.move_clock(timedelta(minutes=1))
    refund(world, item=FIRST, Principal="5.00")
    hear(world)
    # The report has them in another order.
    world.sandbox.state.transactions._of_seller[SELLER].reverse()
    report_on(world)

    skus = {
        each.transaction_id: set(each.rows)
        for each in invoice_data.refunds(world.sandbox.state, SELLER, clock.now())
    }
    made = {
        next(iter(note.refund.amounts.all())).order_item_id: skus[note.transaction_id]
        for note in notes()
        if note.refund
    }
    assert made == {FIRST: {"MUG-1"}, SECOND: {"MUG-2"}}


def test_an_amount_that_differs_is_never_taken_for_it(world: World) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    # Amazon's report says another amount than its list of refunds.
    [posted] = world.sandbox.state.transactions.all_of(SELLER)
    [item] = posted.payload["items"]
    item["breakdowns"][0]["breakdowns"][0]["breakdownAmount"]["currencyAmount"] = -9.99
    report_on(world)

    assert [note.transaction_id for note in notes()] == [""]
    assert [each.state for each in entries()] == ["pending"]
    assert uploaded(world, "CreditNote") == []


def test_fees_that_the_seller_keeps_are_not_in_amazons_figures(world: World) -> None:
    invoiced(world)
    refund(world, Principal="10.00", RestockingFee="-2.00")
    hear(world)
    report_on(world)

    [note] = notes()
    assert (note.total, note.transaction_total) == (Decimal("8.00"), Decimal("10.00"))
    [there] = uploaded(world, "CreditNote")
    assert there.number == note.number


def test_what_amazon_corrects_later_is_told(world: World) -> None:
    invoiced(world)
    on_amazon.refund(
        world.sandbox.state,
        ORDER,
        items={FIRST: {"Principal": "5.00"}},
        is_deferred=True,
    )
    hear(world)
    released = on_amazon.release_refund(world.sandbox.state, ORDER)
    released["items"] = copy.deepcopy(released["items"])
    leaf = released["items"][0]["breakdowns"][0]["breakdowns"][0]
    leaf["breakdownAmount"]["currencyAmount"] = -4.0
    hear(world)

    [note] = notes()
    assert note.total == Decimal("5.00")
    [message] = told(world, "credit_note_differs")
    assert "is over 5.00 EUR, and Amazon now says that 4.00 EUR" in message
    assert message in world.shop.order(shop_id(world)).notes


def test_an_invoice_of_another_app_is_its_to_correct(world: World) -> None:
    put(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    with world.shop.writer(), transaction.atomic():
        invoice_id = world.store.add_invoice(shop_id(world), "APP-1", b"%PDF-1.4 app")
        record.record_invoices([ShopInvoice(invoice_id, shop_id(world), "APP-1")])
    rounds(world, 4)
    assert [each.number for each in uploaded(world, "Invoice")] == ["APP-1"]
    refund(world, Principal="10.00")
    hear(world)

    assert notes() == []
    [message] = told(world, "credit_note_kept")
    assert "another app made the invoice, and is to correct it" in message
    assert calls(world, "createReport") == 0


def test_an_invoice_that_went_by_message_is_told(world: World) -> None:
    put(world)
    events.ship(world.sandbox.state, ORDER)
    world.work_until_quiet(2)
    invoice = world.shop.request_invoice(shop_id(world))
    OutboxEntry.objects.update(state="succeeded", settled_at=clock.now())
    refund(world, Principal="10.00")
    hear(world)

    assert notes() == []
    [message] = told(world, "credit_note_kept")
    assert f"10.00 EUR of invoice {invoice.number}" in message
    assert "went to the buyer by message" in message


def test_a_worker_that_dies_at_any_moment_of_it(world: World) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    due = InvoiceReport.objects.get().next_step_at
    world.move_clock(max(due - clock.now(), timedelta(0)))

    def step() -> None:
        with world.shop.writer():
            invoice_reports.go_on(world.account)

    deaths = 0
    for moment in range(1, 40):
        if not run_worker(step, die_at=moment):
            deaths += 1
        # Past the time that a step may take.
        world.move_clock(timedelta(minutes=16))
        if notes()[0].transaction_id:
            break
    assert deaths > 5, "too few moments"
    rounds(world, 6)
    assert len(uploaded(world, "CreditNote")) == 1
    check_quiet(world)


def test_a_worker_that_dies_while_it_makes_one(world: World) -> None:
    invoiced(world)
    refund(world, Principal="10.00")
    with world.shop.writer():
        world.move_clock(timedelta(minutes=40))
        finances.scan(world.account)

    def make() -> None:
        with world.shop.writer():
            credit_notes.settle()

    for moment in range(1, 20):
        if run_worker(make, die_at=moment):
            break
    [note] = notes()
    assert note.number.endswith("C-1")
    assert len(entries()) == 1
    report_on(world)
    assert len(uploaded(world, "CreditNote")) == 1
