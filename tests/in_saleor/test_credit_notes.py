"""Credit notes in real Saleor."""

from __future__ import annotations

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.invoice.models import InvoiceEvent

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.credit_notes import *  # noqa: F403
from journeys.credit_notes import (
    entries,
    hear,
    invoiced,
    notes,
    refund,
    report_on,
    shop_id,
    uploaded,
)
from saleor_amazon_channel.invoicing import record
from saleor_amazon_channel.models import OutboxEntry
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_invoicing import switch
from .test_plugin import PLUGIN


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings, tmp_path, site_settings):
    settings.PLUGINS = [PLUGIN]
    settings.MEDIA_ROOT = str(tmp_path)
    with allow_writer():
        switch(True)
        yield SaleorDriver(record_notifications(monkeypatch))


UPDATE = """
mutation ($id: ID!) {
  invoiceUpdate(id: $id, input: {number: "C-77", url: "https://example.com/77"}) {
    invoice { number status url } errors { field message code }
  }
}
"""
DELETE = """
mutation ($id: ID!) {
  invoiceDelete(id: $id) { errors { field message code } }
}
"""
INVOICES = """
query ($id: ID!) { order(id: $id) { invoices { number status url } } }
"""


def global_id(note):
    return graphene.Node.to_global_id("Invoice", note.shop_invoice_id)


def of_kind(kind):
    return OutboxEntry.objects.filter(kind=kind).count()


def test_staff_have_it_among_the_orders_invoices_and_it_goes_as_none(shop, world):
    number = invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    [note] = notes()

    order_id = graphene.Node.to_global_id("Order", shop_id(world))
    shown = shop.query(INVOICES, id=order_id)["order"]["invoices"]
    assert [each["number"] for each in shown] == [number, note.number]
    assert {each["status"] for each in shown} == {"SUCCESS"}
    assert shown[1]["url"].endswith(".pdf")

    # Changed by staff, it is a credit note still, and the button gives the invoice.
    [answer] = shop.query(UPDATE, id=global_id(note)).values()
    assert answer["errors"] == []
    assert shop.request_invoice(shop_id(world)).number == number
    with world.shop.writer():
        assert record.sweep() == 0
    report_on(world)
    assert (of_kind("invoice"), of_kind("credit_note")) == (1, 1)
    assert [each.number for each in uploaded(world, "Invoice")] == [number]
    [there] = uploaded(world, "CreditNote")
    # What Amazon is told is what is printed.
    assert there.number == note.number


def test_one_that_staff_deleted_before_it_left_is_told(shop, world):
    invoiced(world)
    refund(world, Principal="10.00")
    hear(world)
    [note] = notes()
    [answer] = shop.query(DELETE, id=global_id(note)).values()
    assert answer["errors"] == []
    report_on(world)

    [entry] = entries()
    assert (entry.state, entry.error_code) == ("failed", "NO_FILE")
    assert "Make one by hand, and upload it in Seller Central" in entry.error_message
    assert uploaded(world, "CreditNote") == []


def test_nothing_of_it_is_mailed_or_told_to_apps_as_an_action(shop, world):
    invoiced(world)
    before = InvoiceEvent.objects.count()
    refund(world, Principal="10.00")
    hear(world)
    report_on(world)

    assert len(uploaded(world, "CreditNote")) == 1
    assert InvoiceEvent.objects.count() == before
    assert shop.emails() == []
