"""Staff never wait for Amazon: no mutation of Saleor's about orders, and none of ours,
opens a socket, be Amazon up, slow or down. Ours that are there to ask Amazon are named,
with the reason.

PostgreSQL's driver connects by its own library, which Python is not told of; there is
no Redis in the tests. So not one connection is to be seen.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.graphql import api
from saleor.invoice.models import Invoice
from saleor.order.models import Fulfillment, Order, OrderEvent
from saleor.payment.models import TransactionItem
from saleor.plugins.models import PluginConfiguration
from saleor.site.models import SiteSettings

from hostile.crash_matrix import change_marketplace, read_from_amazon
from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.invoicing import ISSUER, configure
from journeys.world import World, running_world
from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.models import (
    Backfill,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    SkuMapping,
)
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET
from sqs import running_sqs
from wire_orders import GERMANY, wire_item, wire_order

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"
CHANNEL = "amazon.sales.channel"

#: Mutations about orders that are not what staff do with an order of Amazon's.
NOT_OF_STAFF = {
    "orderBulkCreate": "makes orders, which are not Amazon's",
    "orderCreateFromCheckout": "makes orders, which are not Amazon's",
    "transactionInitialize": "a storefront's, which asks a payment app",
    "transactionProcess": "a storefront's, which asks a payment app",
}

#: Ours that ask Amazon while somebody waits, for at most 10 seconds.
ASKS_AMAZON = {
    "amazonAccountConnect": "whether the credentials are good",
    "amazonBuyerMessageSend": "whether it offers the message now",
    "amazonMarketplacesRefresh": "where the seller takes part, which is its purpose",
    "amazonMessagingOfferFetch": "what it offers now, which is its purpose",
    "amazonNotificationsSubscribe": "to send notifications, which is its purpose",
    "amazonNotificationsUnsubscribe": "to end them, which is its purpose",
    "amazonReviewRequest": "whether it offers the request now",
}

#: Ours that do so for some of what they can do; the rest is seen with the others.
ASKS_AMAZON_SOMETIMES = {
    "amazonAccountDisconnect": "to end notifications that it sends",
    "amazonAccountUpdate": "whether new credentials are good",
    "amazonOrdersImport": "for orders that are named",
}

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
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier=CHANNEL, active=True, channel=None
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


@pytest.fixture
def world(shop, woken):
    with running_world(shop, SaleorStore(), stock=10_000) as world:
        configure(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")
        yield world


class Enum(str):
    """Written without quotes."""


def literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, datetime):
        value = value.isoformat()
    return str(value) if isinstance(value, Enum) else json.dumps(value)


def gid(kind: str, pk: object) -> str:
    return graphene.Node.to_global_id(kind, pk)


def of(row: Any) -> str:
    """The id of a row of Saleor's or of ours."""
    names = {
        OutboxEntry: "AmazonOutboxEntry",
        OrderInvoice: "AmazonInvoice",
        SkuMapping: "AmazonSkuMapping",
        Marketplace: "AmazonMarketplace",
        Backfill: "AmazonBackfill",
    }
    kind = type(row)
    pk = row.token if kind is TransactionItem else row.pk
    return gid(names.get(kind, kind.__name__), pk)


class Staff:
    """Sends mutations, and knows which."""

    def __init__(self, shop: SaleorDriver) -> None:
        self._shop = shop
        self.did: set[str] = set()

    def do(
        self, name: str, *, fields: str = "", refused: str = "", **arguments: Any
    ) -> Any:
        """``refused``: the code of the answer's error."""
        given = ", ".join(f"{key}: {literal(arguments[key])}" for key in arguments)
        call = f"{name}({given})" if given else name
        answer = self._shop.query(
            f"mutation {{ {call} {{ {fields} errors {{ code message }} }} }}"
        )[name]
        codes = {error["code"] for error in answer["errors"]}
        assert codes == ({refused} if refused else set()), (name, answer["errors"])
        self.did.add(name)
        return answer


def mutations(*beginnings: str) -> set[str]:
    fields = api.schema.get_mutation_type().fields
    return {
        name for name in fields if re.match(rf"({'|'.join(beginnings)})[A-Z]", name)
    }


def imported(world: World, number: int, **changes: Any) -> str:
    """A new order of three mugs; unless ``changes`` say otherwise."""
    order_id = f"111-{number:07}-0000001"
    item = {"quantity": 9, "price": "90.00"} | changes
    world.sandbox.state.put_orders(
        [wire_order(order_id, items=[wire_item(**item)], updated=clock.now())]
    )
    read_from_amazon(world)
    return order_id


def shop_order(world: World, order_id: str) -> Order:
    return Order.objects.get(pk=world.ledger_order(order_id).shop_order_id)


def begin(world: World, state: str) -> None:
    """Amazon is in that state from now on."""
    if state == "slow":
        for each in ("confirmShipment", "createFeedDocument", "createFeed"):
            world.sandbox.state.inject_fault(each, "slow", count=99)
    elif state == "down":
        world.sandbox.stop()


STATES = ("up", "slow", "down")


# --- Saleor's own --------------------------------------------------------------------


def everything_staff_do(
    world: World, staff: Staff, worked: Order, untouched: Order, unconfirmed: Order
) -> None:
    """Each mutation about orders, with orders of Amazon's."""
    do = staff.do
    [line] = worked.lines.all()
    item = TransactionItem.objects.get(order=worked)
    warehouse = gid("Warehouse", world.warehouse_id)
    order, line_id, variant = of(worked), of(line), of(line.variant)

    def fulfil(quantity: int = 1) -> Fulfillment:
        do(
            "orderFulfill",
            order=order,
            input={
                "notifyCustomer": True,
                "trackingNumber": "T-1",
                "lines": [
                    {
                        "orderLineId": line_id,
                        "stocks": [{"quantity": quantity, "warehouse": warehouse}],
                    }
                ],
            },
        )
        return Fulfillment.objects.filter(order=worked).latest("pk")

    # What is in the order, and what it costs, is Amazon's.
    [change] = unconfirmed.lines.all()
    off = {"valueType": Enum("FIXED"), "value": 1}
    cannot = {"refused": "NOT_EDITABLE"}
    more = [{"quantity": 1, "variantId": variant}]
    do("orderLinesCreate", id=of(unconfirmed), input=more, **cannot)
    do("orderLineUpdate", id=of(change), input={"quantity": 5}, **cannot)
    do("orderLineDelete", id=of(change), **cannot)
    do("orderDiscountAdd", orderId=of(unconfirmed), input=off, **cannot)
    do("orderLineDiscountUpdate", orderLineId=of(change), input=off, **cannot)
    do("orderLineDiscountRemove", orderLineId=of(change), **cannot)
    [method] = world.channel.shipping_methods
    shipping = {"shippingMethod": gid("ShippingMethod", method.id)}
    do("orderUpdateShipping", order=of(unconfirmed), input=shipping, **cannot)
    nothing = gid("OrderDiscount", "00000000-0000-0000-0000-000000000000")
    do("orderDiscountUpdate", discountId=nothing, input=off, refused="NOT_FOUND")
    do("orderDiscountDelete", discountId=nothing, refused="NOT_FOUND")

    do("orderConfirm", id=of(unconfirmed))
    do("orderCancel", id=of(untouched), refused="CANNOT_CANCEL_ORDER")
    do("orderBulkCancel", ids=[of(untouched)], refused="INVALID")
    note = {"message": "Ring the buyer first."}
    do("orderNoteAdd", order=order, input=note)
    do("orderAddNote", order=order, input=note)
    do("orderNoteUpdate", note=of(OrderEvent.objects.latest("pk")), input=note)
    do("updateMetadata", id=order, input=[{"key": "shelf", "value": "7"}])
    do("orderUpdate", id=order, input={"externalReference": worked.external_reference})

    first = fulfil(4)
    tracking = {"trackingNumber": "T-2", "notifyCustomer": True}
    do("orderFulfillmentUpdateTracking", id=of(first), input=tracking)
    carrier = [{"key": "amazon.carrier", "value": "UPS"}]
    do("updateMetadata", id=of(first), input=carrier)
    SiteSettings.objects.update(fulfillment_auto_approve=False)
    second = fulfil()
    do("orderFulfillmentApprove", id=of(second), notifyCustomer=True)
    do("orderFulfillmentCancel", id=of(second), input={"warehouseId": warehouse})
    SiteSettings.objects.update(fulfillment_auto_approve=True)

    transaction = of(item)
    do(
        "transactionRequestAction",
        id=transaction,
        actionType=Enum("REFUND"),
        amount=1,
    )
    granted = do(
        "orderGrantRefundCreate",
        id=order,
        input={
            "amount": 2,
            "transactionId": transaction,
            "lines": [{"id": line_id, "quantity": 1}],
        },
        fields="grantedRefund { id }",
    )["grantedRefund"]["id"]
    do("orderGrantRefundUpdate", id=granted, input={"reason": "Broken."})
    do("transactionRequestRefundForGrantedRefund", grantedRefundId=granted)
    # Money that staff gave back otherwise, and write down here.
    money = {"amount": 3, "currency": "EUR"}
    made = do(
        "transactionCreate",
        id=order,
        transaction={"name": "By hand", "amountCharged": money},
        fields="transaction { id }",
    )["transaction"]["id"]
    given = {"amountRefunded": {"amount": 1, "currency": "EUR"}}
    do("transactionUpdate", id=made, transaction=given)
    do(
        "transactionEventReport",
        id=made,
        type=Enum("REFUND_SUCCESS"),
        amount=1,
        pspReference="hand-2",
    )
    [sent] = first.lines.all()
    back = [{"fulfillmentLineId": of(sent), "quantity": 1}]
    do("orderFulfillmentReturnProducts", order=order, input={"fulfillmentLines": back})
    replaced = [{**back[0], "replace": True}]
    do(
        "orderFulfillmentReturnProducts",
        order=order,
        input={"fulfillmentLines": replaced},
    )
    # Of orders without a payment of the old kind Saleor itself refuses these.
    returned = {"fulfillmentLines": back, "refund": True}
    cannot_refund = {"refused": "CANNOT_REFUND"}
    do("orderFulfillmentReturnProducts", order=order, input=returned, **cannot_refund)
    del returned["refund"]
    do("orderFulfillmentRefundProducts", order=order, input=returned, **cannot_refund)
    do("orderMarkAsPaid", id=order, refused="PAYMENT_ERROR")
    do("orderCapture", id=order, amount=1, refused="PAYMENT_MISSING")
    do("orderRefund", id=order, amount=1, refused="PAYMENT_MISSING")
    do("orderVoid", id=order, refused="PAYMENT_MISSING")

    do("invoiceRequest", orderId=order)
    invoice = Invoice.objects.latest("pk")
    # The buyers have no address that Saleor could mail to.
    do("invoiceSendNotification", id=of(invoice), refused="EMAIL_NOT_SET")
    do("invoiceCreate", orderId=order, input={"number": "9", "url": "https://x.com/9"})
    own = of(Invoice.objects.latest("pk"))
    do("invoiceUpdate", id=own, input={"number": "10"})
    do("invoiceRequestDelete", id=own)
    do("invoiceDelete", id=own)

    units = [{"warehouse": warehouse, "quantity": 9000}]
    do("productVariantStocksUpdate", variantId=variant, stocks=units)
    do("orderSettingsUpdate", input={"automaticallyConfirmAllNewOrders": True})
    do("pluginUpdate", id=CHANNEL, input={"active": True})


def test_no_mutation_of_staff_waits_for_amazon(world, woken):
    number = iter(range(99))
    change_marketplace(world, initial_status="unconfirmed")
    unconfirmed = [imported(world, next(number), quantity=1) for _ in STATES]
    change_marketplace(world, initial_status="unfulfilled")
    others = [
        (imported(world, next(number)), imported(world, next(number))) for _ in STATES
    ]
    for state, waiting, (worked, untouched) in zip(
        STATES, unconfirmed, others, strict=True
    ):
        begin(world, state)
        orders = [shop_order(world, each) for each in (worked, untouched, waiting)]
        assert [each.status for each in orders] == [
            "unfulfilled",
            "unfulfilled",
            "unconfirmed",
        ]
        before = set(OutboxEntry.objects.values_list("pk", flat=True))
        staff = Staff(world.shop)

        with sockets() as seen:
            everything_staff_do(world, staff, *orders)

        assert seen == [], state
        about_orders = mutations("order", "transaction", "invoice")
        assert about_orders - staff.did == set(NOT_OF_STAFF)
        new = OutboxEntry.objects.exclude(pk__in=before)
        assert {entry.kind for entry in new} == {
            "confirm_shipment",
            "invoice",
            "refund",
        }
    assert len(woken) >= 3 * 2

    # A connection would have been seen.
    world.move_clock(timedelta(hours=1))
    with sockets() as seen:
        tasks.push()
    assert ("socket.connect", ("127.0.0.1", world.sandbox.port)) in seen


# --- ours ----------------------------------------------------------------------------


def all_of_ours(
    world: World, staff: Staff, shipped: str, untouched: str, blocked: str
) -> None:
    """Each mutation of ours that leaves Amazon to the workers, with effect."""
    do, entries = staff.do, OutboxEntry.objects
    account = gid("AmazonAccount", world.account.pk)

    def amazon_order(order_id: str) -> str:
        return gid("AmazonOrder", world.ledger_order(order_id).pk)

    package = {"trackingNumber": "T-1", "carrier": "UPS"}
    do("amazonShipmentConfirm", id=amazon_order(shipped), input=package)
    do("amazonRefundCreate", id=amazon_order(shipped), input={"amount": 1})
    do("amazonOrderCancel", id=amazon_order(untouched), reason=Enum("NO_INVENTORY"))
    shop_order_id = world.ledger_order(shipped).shop_order_id or ""
    world.shop.request_invoice(shop_order_id, f"R-{shipped}")
    entries.filter(kind="invoice", settled_at=None).update(
        state="failed", settled_at=clock.now(), reported_at=clock.now()
    )
    invoice = OrderInvoice.objects.latest("pk")
    do("amazonInvoicePush", id=of(invoice))
    last = entries.latest("pk")
    assert (last.kind, last.state) == ("invoice", "pending")
    do("amazonOutboxRetry", ids=[of(last)])
    do("amazonOutboxDiscard", ids=[of(last)])

    address = {
        "firstName": "Änne",
        "lastName": "Müller",
        "streetAddress1": "Hauptstr. 6",
        "city": "Berlin",
        "postalCode": "10115",
        "country": "DE",
    }
    do("amazonOrderAddressUpdate", id=amazon_order(blocked), address=address)
    do("amazonOrderRetryImport", ids=[amazon_order(blocked)])
    variant = world.store.resolve_skus({world.channel.id: ["MUG-1"]})
    variant_id = variant[world.channel.id]["MUG-1"].variant_id
    mug = {"sellerSku": "CUP", "variantId": gid("ProductVariant", variant_id)}
    do("amazonSkuMappingSet", accountId=account, input=[mug])
    do("amazonSkuMappingDelete", ids=[of(SkuMapping.objects.latest("pk"))])
    do("amazonSkuRuleSet", accountId=account, prefix="DE-")
    van = {"carrier": "Our van", "carrierCode": "Other"}
    do("amazonCarrierMappingSet", accountId=account, input=[van])

    do("amazonOrderRedact", id=amazon_order(blocked), force=True)
    do("amazonOrdersImport")
    do("amazonReconcile", accountId=account)
    days = {
        "accountId": account,
        "createdAfter": clock.now() - timedelta(days=9),
        "createdBefore": clock.now() - timedelta(days=8),
    }
    do("amazonBackfillStart", input=days)
    do("amazonBackfillCancel", id=of(Backfill.objects.latest("pk")))

    germany = Marketplace.objects.get(marketplace_id=GERMANY)
    do("amazonMarketplaceUpdate", id=of(germany), input={"stockFloor": 1})
    do("amazonSettingsUpdate", input={"pullIntervalMinutes": 5})
    do("amazonAccountUpdate", id=account, input={"name": "Mugs", "isPaused": True})
    do("amazonAccountUpdate", id=account, input={"isPaused": False})
    do("amazonAccountDisconnect", id=account, force=True)


def test_no_mutation_of_ours_waits_for_amazon(world):
    number = iter(range(99))
    credentials = world.account.lwa_client_secret, world.account.refresh_token
    orders = [
        (
            imported(world, next(number)),
            imported(world, next(number)),
            imported(world, next(number), sku="UNKNOWN"),
        )
        for _ in STATES
    ]
    assert {world.ledger_order(blocked).import_state for *_, blocked in orders} == {
        "blocked"
    }
    for state, of_state in zip(STATES, orders, strict=True):
        begin(world, state)
        staff = Staff(world.shop)

        with sockets() as seen:
            all_of_ours(world, staff, *of_state)

        assert seen == [], state
        assert staff.did == mutations("amazon") - set(ASKS_AMAZON)
        connect_again(world, *credentials)


def connect_again(world: World, secret: str, token: str) -> None:
    row = world.account
    row.refresh_from_db()
    assert row.state == "disconnected"
    row.state, row.lwa_client_secret, row.refresh_token = "active", secret, token
    row.save()


def test_those_that_ask_amazon_do(world):
    """And so have a reason to be left out above."""
    order_id = imported(world, 1)
    account = gid("AmazonAccount", world.account.pk)
    order = gid("AmazonOrder", world.ledger_order(order_id).pk)
    connection = {
        "name": "Mugs",
        "region": Enum("EU"),
        "sellerId": world.account.seller_id,
        "lwaClientId": CLIENT_ID,
        "lwaClientSecret": CLIENT_SECRET,
        "refreshToken": "Atzr|sandbox-EU",
        "endpoint": world.sandbox.url,
        "lwaEndpoint": world.sandbox.lwa_url,
    }
    message = {"action": Enum("UNEXPECTED_PROBLEM"), "text": "It is late."}
    amazon = ("socket.connect", ("127.0.0.1", world.sandbox.port))
    staff = Staff(world.shop)

    def ask(name: str, *, refused: str = "", **arguments: Any) -> None:
        with sockets() as seen:
            staff.do(name, refused=refused, **arguments)
        assert amazon in seen, name

    with running_sqs() as sqs:
        world.sandbox.state.notifications.deliver(endpoint_url=sqs.url)
        queue = {"queueArn": sqs.create_queue(), "queueEndpoint": sqs.url}
        ask("amazonAccountConnect", input=connection)
        ask("amazonBuyerMessageSend", id=order, input=message)
        ask("amazonMarketplacesRefresh", accountId=account)
        ask("amazonMessagingOfferFetch", id=order)
        ask("amazonReviewRequest", id=order, refused="NOT_OFFERED")
        ask("amazonNotificationsSubscribe", accountId=account, **queue)
        ask("amazonNotificationsUnsubscribe", accountId=account)
        ask("amazonOrdersImport", amazonOrderIds=[order_id])
        token = {"refreshToken": "Atzr|sandbox-EU"}
        ask("amazonAccountUpdate", id=account, input=token)
        ask("amazonNotificationsSubscribe", accountId=account, **queue)
        ask("amazonAccountDisconnect", id=account, force=True)
    assert staff.did == {*ASKS_AMAZON, *ASKS_AMAZON_SOMETIMES}
