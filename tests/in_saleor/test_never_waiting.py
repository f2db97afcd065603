"""Staff never wait for Amazon: no mutation of Saleor's opens a socket, be Amazon up,
slow or down.

PostgreSQL's driver connects by its own library, which Python is not told of; there is
no Redis in the tests. So not one connection is to be seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.invoice.models import Invoice
from saleor.order.models import Fulfillment, Order
from saleor.payment.models import TransactionItem
from saleor.plugins.models import PluginConfiguration
from saleor.site.models import SiteSettings

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.invoicing import ISSUER, configure
from journeys.world import running_world
from saleor_amazon_channel import tasks
from saleor_amazon_channel.models import OutboxEntry
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore
from wire_orders import wire_item, wire_order

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"

#: Where Python looked up a host or connected to while it was recorded.
_seen: list[object] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is not None and event in ("socket.connect", "socket.getaddrinfo"):
        _seen.append((event, arguments[-1]))


@pytest.fixture(scope="module", autouse=True)
def _hook():
    # Python has no way to take one away again; it does nothing when it is not asked.
    sys.addaudithook(_audit)


@contextmanager
def sockets() -> Iterator[list[object]]:
    """What is connected to within, by any thread."""
    global _seen
    _seen = []
    try:
        yield _seen
    finally:
        _seen = None


@pytest.fixture
def shop(transactional_db, monkeypatch, settings, tmp_path, site_settings):
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    settings.MEDIA_ROOT = str(tmp_path)
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        yield SaleorDriver(record_notifications(monkeypatch))


@pytest.fixture
def woken(settings, monkeypatch):
    """How often a worker was woken, as in a shop with a broker."""
    calls = []
    monkeypatch.setattr(tasks.push, "apply_async", lambda **options: calls.append(1))
    settings.CELERY_TASK_ALWAYS_EAGER, settings.CELERY_BROKER_URL = False, "redis://"
    return calls


def gid(kind, pk):
    return graphene.Node.to_global_id(kind, pk)


def everything_staff_do(world, shop, worked, untouched):
    """Each mutation on Amazon's orders: its name, and its answer's errors."""
    order = Order.objects.get(pk=world.ledger_order(worked).shop_order_id)
    other = Order.objects.get(pk=world.ledger_order(untouched).shop_order_id)
    [line] = order.lines.all()
    item = TransactionItem.objects.get(order=order)
    did = {}

    def do(name, arguments, variables=None, *, fields=""):
        text = f"mutation ($id: ID!) {{ {name}({arguments}) {{ {fields} errors {{ field code message }} }} }}"  # noqa: E501
        answer = shop.query(text, **(variables or {"id": gid("Order", order.pk)}))
        did[name] = [*did.get(name, ()), *answer[name]["errors"]]
        return answer[name]

    def fulfil():
        warehouse = gid("Warehouse", world.warehouse_id)
        stock = f'{{quantity: 1, warehouse: "{warehouse}"}}'
        do(
            "orderFulfill",
            'order: $id, input: {notifyCustomer: true, trackingNumber: "T-1", '
            f'lines: [{{orderLineId: "{gid("OrderLine", line.pk)}", '
            f"stocks: [{stock}]}}]}}",
        )
        return Fulfillment.objects.filter(order=order).latest("pk")

    def of(row, kind="Fulfillment"):
        return {"id": gid(kind, row.pk)}

    do("orderNoteAdd", 'order: $id, input: {message: "Ring the buyer first."}')
    do("updateMetadata", 'id: $id, input: [{key: "shelf", value: "7"}]')
    do("orderUpdate", 'id: $id, input: {externalReference: "' + worked + '"}')
    do("orderCancel", "id: $id", of(other, "Order"))
    bulk = shop.query(
        "mutation ($ids: [ID!]!) { orderBulkCancel(ids: $ids) { errors { message } } }",
        ids=[gid("Order", other.pk)],
    )
    did["orderBulkCancel"] = bulk["orderBulkCancel"]["errors"]
    first = fulfil()
    tracking = 'id: $id, input: {trackingNumber: "T-2", notifyCustomer: true}'
    do("orderFulfillmentUpdateTracking", tracking, of(first))
    carrier = 'id: $id, input: [{key: "amazon.carrier", value: "UPS"}]'
    do("updateMetadata", carrier, of(first))
    SiteSettings.objects.update(fulfillment_auto_approve=False)
    second = fulfil()
    do("orderFulfillmentApprove", "id: $id, notifyCustomer: true", of(second))
    warehouse = gid("Warehouse", world.warehouse_id)
    back = f'id: $id, input: {{warehouseId: "{warehouse}"}}'
    do("orderFulfillmentCancel", back, of(second))
    SiteSettings.objects.update(fulfillment_auto_approve=True)
    do(
        "transactionRequestAction",
        "id: $id, actionType: REFUND, amount: 1",
        {"id": gid("TransactionItem", item.token)},
    )
    granted = do(
        "orderGrantRefundCreate",
        f'id: $id, input: {{amount: 2, transactionId: "'
        f'{gid("TransactionItem", item.token)}", lines: [{{id: "'
        f'{gid("OrderLine", line.pk)}", quantity: 1}}]}}',
        fields="grantedRefund { id }",
    )["grantedRefund"]
    do(
        "transactionRequestRefundForGrantedRefund",
        "grantedRefundId: $id",
        {"id": granted["id"]},
    )
    do("invoiceRequest", "orderId: $id")
    do("invoiceCreate", 'orderId: $id, input: {number: "9", url: "https://x.com/9"}')
    do("invoiceSendNotification", "id: $id", of(Invoice.objects.first(), "Invoice"))
    do(
        "productVariantStocksUpdate",
        f'variantId: $id, stocks: [{{warehouse: "{warehouse}", quantity: 90}}]',
        of(line.variant, "ProductVariant"),
    )
    return SimpleNamespace(errors={k: v for k, v in did.items() if v}, did=did)


def test_no_mutation_of_staff_waits_for_amazon(shop, woken):
    orders = [f"111-0000001-{number:07}" for number in range(6)]
    item = wire_item(quantity=3, price="30.00")
    with running_world(shop, SaleorStore()) as world:
        configure(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")
        world.sandbox.state.put_orders([wire_order(o, items=[item]) for o in orders])
        world.work_until_quiet(2)
        assert {world.ledger_order(each).import_state for each in orders} == {
            "imported"
        }
        for state in ("up", "slow", "down"):
            if state == "slow":
                for each in ("confirmShipment", "createFeedDocument", "createFeed"):
                    world.sandbox.state.inject_fault(each, "slow", count=99)
            elif state == "down":
                world.sandbox.stop()
            worked, untouched = orders.pop(), orders.pop()
            already = OutboxEntry.objects.count()

            with sockets() as seen:
                answers = everything_staff_do(world, shop, worked, untouched)

            assert seen == [], state
            # All did what they are to do; Amazon's orders are cancelled there first,
            # and their buyers have no address that Saleor could mail to.
            assert list(answers.errors) == [
                "orderCancel",
                "orderBulkCancel",
                "invoiceSendNotification",
            ]
            assert len(answers.did) == 16
            new = OutboxEntry.objects.order_by("pk")[already:]
            assert sorted({entry.kind for entry in new}) == [
                "confirm_shipment",
                "invoice",
                "refund",
            ]
        assert len(woken) >= 3 * 2

        # A connection would have been seen.
        world.move_clock(timedelta(hours=1))
        with sockets() as seen:
            tasks.push()
        assert ("socket.connect", ("127.0.0.1", world.sandbox.port)) in seen
