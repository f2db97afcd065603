"""Invoices in real Saleor, and the requests for them that are none of ours."""

from __future__ import annotations

import graphene
import pytest
from saleor.app.models import App
from saleor.core.db.connection import allow_writer
from saleor.invoice.models import Invoice, InvoiceEvent
from saleor.order.models import OrderEvent
from saleor.permission.enums import OrderPermissions, get_permissions
from saleor.plugins.base_plugin import BasePlugin
from saleor.plugins.models import PluginConfiguration
from saleor.webhook.event_types import WebhookEventAsyncType
from saleor.webhook.models import Webhook, WebhookEvent

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.invoicing import *  # noqa: F403
from journeys.invoicing import ORDER, imported, shop_id
from saleor_amazon_channel.models import OrderInvoice, OutboxEntry
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_plugin import PLUGIN

OTHER_PLUGIN = f"{__name__}.OtherInvoices"

REQUEST = """
mutation ($id: ID!) {
  invoiceRequest(orderId: $id) {
    invoice { id number status }
    errors { field message code }
  }
}
"""
CREATE = """
mutation ($id: ID!) {
  invoiceCreate(orderId: $id, input: {number: "APP-9", url: "https://example.com/9"}) {
    errors { field message code }
  }
}
"""


class OtherInvoices(BasePlugin):
    """Another plugin that serves invoices."""

    PLUGIN_ID = "other.invoices"
    PLUGIN_NAME = "Other invoices"
    DEFAULT_ACTIVE = True
    CONFIGURATION_PER_CHANNEL = False

    def invoice_request(self, order, invoice, number, previous_value):
        invoice.number = "OTHER-1"
        invoice.save()
        return invoice


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


def switch(active):
    PluginConfiguration.objects.update_or_create(
        identifier="amazon.sales.channel", defaults={"active": active}
    )


def ask(shop, order_id, query=REQUEST):
    (answer,) = shop.query(
        query, id=graphene.Node.to_global_id("Order", order_id)
    ).values()
    return answer


def left_by(order_id):
    """What a request left behind."""
    return (
        Invoice.objects.count(),
        InvoiceEvent.objects.count(),
        OrderEvent.objects.filter(order_id=order_id, type__contains="invoice").count(),
    )


def sold(world):
    variant = world.shop.create_variant(
        "OWN-1", [world.channel.id], stock={world.warehouse_id: 5}
    )
    return world.shop.sell(world.channel.id, variant, 1)


def test_a_request_for_another_order_is_answered_as_without_the_plugin(
    shop, world, settings
):
    order_id = sold(world)
    settings.PLUGINS = []
    without = ask(shop, order_id)
    before = left_by(order_id)
    assert without["errors"][0]["code"] == "NO_INVOICE_PLUGIN"

    settings.PLUGINS = [PLUGIN]
    assert ask(shop, order_id) == without
    assert left_by(order_id) == before == (0, 0, 0)


def test_another_plugin_serves_its_orders_and_amazons(shop, world, settings):
    imported(world)
    order_id = sold(world)
    for plugins in ([PLUGIN, OTHER_PLUGIN], [OTHER_PLUGIN, PLUGIN]):
        settings.PLUGINS = plugins
        for each in (order_id, shop_id(world)):
            answer = ask(shop, each)
            assert answer["errors"] == []
            assert answer["invoice"]["number"] == "OTHER-1"
    assert Invoice.objects.count() == 4
    assert OrderInvoice.objects.count() == 0


def test_an_app_that_serves_invoices_gets_them(shop, world, settings):
    imported(world)
    app = App.objects.create(name="Invoices", is_active=True)
    app.permissions.set(get_permissions([OrderPermissions.MANAGE_ORDERS.value]))
    hook = Webhook.objects.create(
        app=app, name="invoices", target_url="http://127.0.0.1:9/"
    )
    WebhookEvent.objects.create(
        webhook=hook, event_type=WebhookEventAsyncType.INVOICE_REQUESTED
    )
    settings.PLUGINS = ["saleor.plugins.webhook.plugin.WebhookPlugin", PLUGIN]
    for each in (sold(world), shop_id(world)):
        assert ask(shop, each)["errors"] == []
    # Both wait for the app: nothing was made here, and nothing was taken away.
    assert list(Invoice.objects.values_list("status", flat=True)) == ["pending"] * 2
    assert OrderInvoice.objects.count() == 0


def test_what_another_app_made_goes_to_amazon_as_well(shop, world):
    imported(world)

    assert ask(shop, shop_id(world), CREATE)["errors"] == []

    [kept] = OrderInvoice.objects.all()
    assert (kept.number, kept.is_issued_here, kept.total) == ("APP-9", False, None)
    [entry] = OutboxEntry.objects.all()
    assert entry.payload["number"] == "APP-9"


def test_the_tax_that_the_shop_knows_is_on_it_where_amazon_tells_none(shop, world):
    from saleor.tax.models import TaxClassCountryRate, TaxConfiguration

    from journeys.invoicing import text_of
    from wire_orders import wire_order

    TaxConfiguration.objects.update(charge_taxes=True)
    TaxClassCountryRate.objects.create(country="DE", rate=7)
    world.sandbox.state.put_orders([wire_order(ORDER)])
    world.work_until_quiet(2)

    invoice = shop.request_invoice(shop_id(world))

    assert "USt. 7 % (Netto 18,60 €) 1,30 €" in text_of(invoice.content)
    assert OrderInvoice.objects.get().tax is None
