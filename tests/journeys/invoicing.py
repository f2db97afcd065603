"""Staff ask for an invoice: a PDF with Amazon's numbers, and Amazon gets it once.

Run in both shops: see ``world``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from pypdf import PdfReader

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts
from saleor_amazon_channel.invoicing import record
from saleor_amazon_channel.models import (
    CommunicationLog,
    Feed,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
)
from saleor_amazon_channel.sandbox import events, messaging
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.store.contract import Store
from wire_orders import GERMANY, wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
ISSUER = "Mugs and more GmbH\nHauptstr. 1\n10115 Berlin"
FEED = "UPLOAD_VAT_INVOICE"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        configure(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")
        yield world


def configure(world: World, **changes: str) -> None:
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(marketplace_id=GERMANY),
            accounts.MarketplaceChanges(**changes),
        )


def taxed_item() -> dict[str, object]:
    """19.90 of which 3.18 are VAT, as Amazon tells it."""
    item = wire_item(quantity=2)
    item["proceeds"]["breakdowns"].append(
        {"type": "TAX", "subtotal": {"amount": "3.18", "currencyCode": "EUR"}}
    )
    return item


def imported(world: World, *order_ids: str, **changes: object) -> None:
    world.sandbox.state.put_orders(
        [
            {**wire_order(each, items=[taxed_item()]), **changes}
            for each in order_ids or (ORDER,)
        ]
    )
    world.work_until_quiet(2)


def rounds(world: World, count: int) -> None:
    """As many rounds of work; what waits for the shipment is looked at in each."""
    for _ in range(count):
        world.work()
        world.move_clock(timedelta(minutes=5))


def shop_id(world: World, order_id: str = ORDER) -> str:
    return world.ledger_order(order_id).shop_order_id or ""


def ship(world: World, order_id: str = ORDER) -> None:
    events.ship(world.sandbox.state, order_id)
    rounds(world, 2)


def text_of(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\xa0", " ")


def entry() -> OutboxEntry:
    return OutboxEntry.objects.latest("pk")


def uploads(world: World) -> list[tuple[str, str]]:
    return [(each.order_id, each.number) for each in world.sandbox.state.invoices]


def test_a12_the_invoice_that_staff_asked_for_reaches_amazon(world: World) -> None:
    imported(world)
    invoice = world.shop.request_invoice(shop_id(world))
    number = invoice.number
    assert number.startswith("DE-")
    assert number.endswith("-1")

    # Not before the goods have left.
    rounds(world, 3)
    assert uploads(world) == []
    assert (
        entry().error_message == f"Invoice {number} waits until the order is shipped."
    )
    ship(world)
    rounds(world, 4)

    [uploaded] = world.sandbox.state.invoices
    assert (uploaded.order_id, uploaded.number) == (ORDER, number)
    assert uploaded.content == invoice.content
    text = text_of(uploaded.content)
    for printed in (
        f"Rechnung {number}",
        "Mugs and more GmbH",
        "DE123456789",
        "Änne Müller",
        "10115 Berlin",
        "A mug",
        "16,72 €",
        "USt. 19 % (Netto 16,72 €) 3,18 €",
        "Gesamtbetrag 19,90 €",
        f"Amazon-Bestellung: {ORDER}",
    ):
        assert printed in text
    [feed] = world.sandbox.state.feeds.feeds_of("A1SANDBOXEU")
    assert feed.marketplace_ids == (GERMANY,)
    assert feed.options == {
        "metadata:orderid": ORDER,
        "metadata:invoicenumber": number,
        "metadata:documenttype": "Invoice",
        "metadata:totalamount": "19.90",
        "metadata:totalvatamount": "3.18",
    }
    assert entry().state == "succeeded"
    kept = OrderInvoice.objects.get()
    assert (kept.total, kept.tax) == (Decimal("19.90"), Decimal("3.18"))
    after = world.shop.invoice(invoice.invoice_id)
    assert after.metadata["amazon.upload"] == "succeeded"
    notes = world.shop.order(shop_id(world)).notes
    assert f"Amazon has the invoice {number}." in notes
    # Nothing of it comes back, and nobody was mailed.
    with world.shop.writer():
        assert record.sweep() == 0
    assert world.shop.emails() == []


def test_numbers_are_a_series_without_gaps(world: World) -> None:
    imported(world, ORDER, OTHER)
    configure(world, invoice_number_prefix="RE-")
    first = world.shop.request_invoice(shop_id(world))
    again = world.shop.request_invoice(shop_id(world))
    other = world.shop.request_invoice(shop_id(world, OTHER))

    assert [first.number, again.number, other.number] == ["RE-1", "RE-1", "RE-2"]
    assert again.invoice_id == first.invoice_id
    assert OutboxEntry.objects.count() == 2


def test_one_that_cannot_be_made_takes_no_number(world: World) -> None:
    imported(world)
    order = world.ledger_order(ORDER)
    personal = order.personal
    order.personal = {}
    order.save()

    with pytest.raises(Exception, match="no delivery address"):
        world.shop.request_invoice(shop_id(world))

    assert OrderInvoice.objects.count() == 0
    order.personal = personal
    order.save()
    assert world.shop.request_invoice(shop_id(world)).number.endswith("-1")


def test_a_number_of_staff_is_taken_as_it_is(world: World) -> None:
    imported(world, ORDER, OTHER)

    assert world.shop.request_invoice(shop_id(world), "2026/77").number == "2026/77"
    other = world.shop.request_invoice(shop_id(world, OTHER))
    assert other.number.endswith("-1")


@pytest.mark.parametrize("operation", ["createFeedDocument", "createFeed", "getFeed"])
def test_a_failing_step_delays_and_never_doubles(world: World, operation: str) -> None:
    imported(world)
    invoice = world.shop.request_invoice(shop_id(world))
    world.sandbox.state.inject_fault(operation, "throttled")
    ship(world)

    rounds(world, 8)

    assert uploads(world) == [(ORDER, invoice.number)]
    assert entry().state == "succeeded"


def test_a_lost_answer_is_left_to_a_person(world: World) -> None:
    imported(world)
    invoice = world.shop.request_invoice(shop_id(world))
    world.sandbox.state.inject_fault("createFeed", "close_after_effect")
    ship(world)

    rounds(world, 10)

    assert uploads(world) == [(ORDER, invoice.number)]
    assert (entry().state, entry().error_code) == ("failed", "OUTCOME_UNKNOWN")
    assert "Look at the order in Seller Central" in entry().error_message


def test_a_feed_that_is_fatal_is_not_repeated_by_itself(world: World) -> None:
    imported(world)
    world.shop.request_invoice(shop_id(world))
    world.sandbox.state.feeds.determine(Fate("fatal", FEED))
    ship(world)
    rounds(world, 8)
    assert entry().error_code == "OUTCOME_UNKNOWN"
    assert uploads(world) == []

    # Staff looked, and it is not there.
    with world.shop.writer():
        record.push_again(OrderInvoice.objects.get(), "staff@example.com")
    rounds(world, 6)
    assert len(uploads(world)) == 1
    assert Feed.objects.count() == 2
    with world.shop.writer(), pytest.raises(record.PushRefused, match="has the"):
        record.push_again(OrderInvoice.objects.get())


def test_amazon_that_invoices_itself_is_explained(world: World) -> None:
    imported(world)
    world.shop.request_invoice(shop_id(world))
    world.sandbox.state.invoiced_by_amazon.add("A1SANDBOXEU")
    ship(world)
    rounds(world, 6)

    assert (entry().state, entry().error_code) == ("failed", "79525")
    assert "(VAT Calculation Service)" in entry().error_message
    assert "invoiceMechanism to OFF" in entry().error_message


@pytest.mark.parametrize(
    ("programs", "mechanism", "words"),
    [
        (["INVOICE_BY_AMAZON"], "auto", "Amazon invoices this order itself"),
        ([], "off", "it stays in the shop"),
    ],
)
def test_an_invoice_that_stays_in_the_shop(
    world: World, programs: list[str], mechanism: str, words: str
) -> None:
    configure(world, invoice_mechanism=mechanism)
    imported(world, programs=programs)
    world.shop.request_invoice(shop_id(world))
    ship(world)
    rounds(world, 3)

    assert uploads(world) == []
    assert OutboxEntry.objects.count() == 0
    assert words in world.ledger_order(ORDER).events.get(type="invoice_kept").message


def test_where_amazon_offers_nothing_it_says_what_to_do(world: World) -> None:
    configure(world, invoice_mechanism="message")
    imported(world)
    world.shop.request_invoice(shop_id(world))
    ship(world)
    rounds(world, 4)

    assert (entry().state, entry().error_code) == ("failed", "NOT_POSSIBLE")
    assert "Give it to the buyer in Seller Central: https://" in entry().error_message
    assert CommunicationLog.objects.count() == 0


def test_a_message_that_amazon_refused_can_still_be_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messaging, "FEED_COUNTRIES", ())
    configure(world, invoice_mechanism="message")
    imported(world)
    world.shop.request_invoice(shop_id(world))
    world.sandbox.state.inject_fault("sendInvoice", "unauthorized", count=1)
    ship(world)
    rounds(world, 6)

    assert entry().state == "succeeded"
    assert len(world.sandbox.state.calls("sendInvoice")) == 2
    assert [each.action for each in world.sandbox.state.messages_of(ORDER)] == [
        "sendInvoice"
    ]


def test_an_order_that_is_cancelled_gets_no_invoice(world: World) -> None:
    imported(world)
    world.shop.request_invoice(shop_id(world))
    events.cancel(world.sandbox.state, ORDER)
    world.move_clock(timedelta(minutes=10))
    rounds(world, 4)

    assert (entry().state, entry().error_code) == ("failed", "ORDER_CANCELLED")
    assert uploads(world) == []
