"""Staff refund on Amazon, in real Saleor, by its API as the dashboard uses it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import graphene
import pytest
from saleor.app.models import App
from saleor.core.db.connection import allow_writer
from saleor.order.models import Order, OrderGrantedRefund
from saleor.page.models import Page
from saleor.payment.models import Payment, TransactionItem
from saleor.permission.enums import get_permissions
from saleor.plugins.models import PluginConfiguration
from saleor.site.models import SiteSettings
from saleor.webhook.event_types import WebhookEventSyncType
from saleor.webhook.models import Webhook, WebhookEvent

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.refunding import *  # noqa: F403
from journeys.refunding import calls, money, refunded_on_amazon
from journeys.refunds import put
from saleor_amazon_channel.models import OutboxEntry
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"


@pytest.fixture
def store():
    return SaleorStore()


@pytest.fixture
def shop(transactional_db, monkeypatch, settings):
    """With the plugins of a shop: Saleor's own for webhooks comes first."""
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        yield SaleorDriver(record_notifications(monkeypatch))


REFUND = """
mutation ($token: UUID!, $amount: PositiveDecimal) {
  result: transactionRequestAction(
    token: $token, actionType: REFUND, amount: $amount
  ) { transaction { id } errors { field code message } }
}
"""


def request(world, item, amount="5.00"):
    """Staff ask for a refund of any transaction; the errors."""
    answer = world.shop.query(REFUND, token=str(item.token), amount=amount)
    return answer["result"]["errors"]


def sold(world):
    """An ordinary order of the shop, whose transaction is ``owner``'s."""
    variant = world.shop.create_variant(
        "OWN-1", [world.channel.id], stock={world.warehouse_id: 5}
    )
    order = Order.objects.get(pk=world.shop.sell(world.channel.id, variant, 1))
    item = TransactionItem.objects.create(
        order=order, currency="EUR", charged_value=10, psp_reference="PSP-1"
    )
    item.events.create(
        type="charge_success",
        amount_value=10,
        currency="EUR",
        psp_reference="PSP-1",
        include_in_calculations=True,
    )
    return item


def events_of(item):
    return list(
        item.events.exclude(type="charge_success").values_list(
            "type", "message", "psp_reference", "include_in_calculations"
        )
    )


def test_other_transactions_are_answered_as_without_the_plugin(world, settings):
    settings.PLUGINS = [WEBHOOKS]
    without = sold(world)
    errors_without = request(world, without)
    events_without = events_of(without)
    assert errors_without[0]["code"] == "MISSING_TRANSACTION_ACTION_REQUEST_WEBHOOK"

    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    item = TransactionItem.objects.create(
        order=without.order, currency="EUR", charged_value=10, psp_reference="PSP-2"
    )
    assert request(world, item) == errors_without
    assert events_of(item) == events_without
    assert OutboxEntry.objects.count() == 0


def test_another_apps_transaction_is_left_to_it(world, monkeypatch):
    item = sold(world)
    app = App.objects.create(name="Payments", identifier="payments", is_active=True)
    app.permissions.set(get_permissions(["payment.handle_payments"]))
    hook = Webhook.objects.create(app=app, target_url="http://example.com", name="x")
    WebhookEvent.objects.create(
        webhook=hook, event_type=WebhookEventSyncType.TRANSACTION_REFUND_REQUESTED
    )
    TransactionItem.objects.filter(pk=item.pk).update(
        app=app, app_identifier=app.identifier
    )
    asked = []
    monkeypatch.setattr(
        "saleor.plugins.webhook.plugin.trigger_transaction_request",
        lambda data, *args: asked.append(data.event.pk),
    )

    assert request(world, item) == []
    assert len(asked) == 1
    assert [event[0] for event in events_of(item)] == ["refund_request"]
    assert OutboxEntry.objects.count() == 0


def amazons(world):
    shipped(world)  # noqa: F405
    return TransactionItem.objects.get()


@pytest.mark.parametrize("where", ["before us", "in us"])
def test_a_request_that_capture_missed_is_found_by_the_sweep(world, monkeypatch, where):
    """The process dies after Saleor's plugin has said that nobody serves it; or ours
    fails."""
    item = amazons(world)
    with monkeypatch.context() as broken:
        if where == "before us":
            broken.setattr(
                "saleor_amazon_channel.saleor.refund_requests.on_request",
                lambda *args: None,
            )
        else:
            broken.setattr("saleor_amazon_channel.refunding.record.take", raising)
        assert request(world, item) == []
        assert OutboxEntry.objects.count() == 0
    world.move_clock(timedelta(minutes=2))

    rounds(world, 6)  # noqa: F405

    assert money(world) == ("27.76", "0.00", "5.00")
    assert calls(world, "createFeed") == 1
    assert failures(world) == []  # noqa: F405
    check_quiet(world)  # noqa: F405


def raising(*args):
    raise RuntimeError("a fault of ours")


def test_what_saleor_said_has_failed_is_not_sent_when_the_plugin_is_on_again(
    world, settings
):
    item = amazons(world)
    settings.PLUGINS = [WEBHOOKS]
    [error] = request(world, item)
    assert error["code"] == "MISSING_TRANSACTION_ACTION_REQUEST_WEBHOOK"
    settings.PLUGINS = [WEBHOOKS, PLUGIN]

    rounds(world, 4)  # noqa: F405

    assert OutboxEntry.objects.count() == 0
    assert money(world) == ("32.76", "0.00", "0.00")


def test_a_request_that_was_refused_is_not_found_again(world):
    put(world)
    world.work_until_quiet(2)
    [error] = request(world, TransactionItem.objects.get())
    assert (error["field"], error["code"]) == ("amount", "INVALID")
    assert "Cancel it there instead" in error["message"]
    assert failures(world) == [error["message"]]  # noqa: F405
    fulfil(world)  # noqa: F405

    rounds(world, 6)  # noqa: F405

    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"  # noqa: F405
    assert refunded_on_amazon(world) == {}
    assert OutboxEntry.objects.filter(kind="refund").count() == 0


def test_a_granted_refund_follows_what_became_of_it(world):
    shipped(world)  # noqa: F405
    lines = world.line_ids(ORDER)  # noqa: F405
    ask(world, lines={lines[SECOND]: 1})  # noqa: F405
    granted = OrderGrantedRefund.objects.get()
    assert (granted.status, granted.amount_value) == ("pending", Decimal("7.77"))

    rounds(world, 3)  # noqa: F405

    granted.refresh_from_db()
    assert granted.status == "success"
    assert OrderGrantedRefund.objects.count() == 1
    # The buyer owes nothing, and is owed nothing.
    assert Order.objects.get().charge_status == "full"

    ask(world, lines={lines[FIRST]: 1})  # noqa: F405
    in_seller_central(world, Principal="20.00")  # noqa: F405
    world.move_clock(timedelta(minutes=3))
    rounds(world, 4)  # noqa: F405
    assert OrderGrantedRefund.objects.filter(status="failure").count() == 1


def test_a_page_that_staff_refer_to_is_the_reason(world, page_type, page):
    item = amazons(world)
    SiteSettings.objects.update(refund_reason_reference_type=page_type)
    Page.objects.filter(pk=page.pk).update(
        page_type=page_type,
        title="Falscher Artikel",
        metadata={"amazon.adjustmentReason": "DifferentItem"},
    )
    answer = world.shop.query(
        """mutation ($token: UUID!, $page: ID!) {
            result: transactionRequestAction(
                token: $token, actionType: REFUND, amount: 5,
                refundReason: "see the photos", refundReasonReference: $page
            ) { errors { field code message } } }""",
        token=str(item.token),
        page=graphene.Node.to_global_id("Page", page.pk),
    )
    assert answer["result"]["errors"] == []
    assert refund_of().reason == "DifferentItem"  # noqa: F405


def test_a11_a_refund_that_staff_record_by_hand_is_noticed_and_not_made(world):
    order_id = shipped(world)  # noqa: F405
    world.shop._mutate(
        """mutation ($id: ID!) {
            result: transactionCreate(id: $id, transaction: {
                name: "Manual refund", pspReference: "BANK-1",
                amountRefunded: {amount: 5, currency: "EUR"}
            }) { transaction { id } errors { field message } } }""",
        id=graphene.Node.to_global_id("Order", order_id),
    )
    world.move_clock(timedelta(minutes=2))
    rounds(world, 4)  # noqa: F405

    said = [n for n in view(world).notes if "by hand" in n]  # noqa: F405
    assert len(said) == 1
    assert said[0].startswith("5.00 EUR were recorded as refunded by hand (")
    assert "Amazon is not told of that" in said[0]
    events = world.ledger_order(ORDER).events.filter(type="refunded_by_hand")  # noqa: F405
    assert [event.actor for event in events] == ["staff@example.com"]
    assert OutboxEntry.objects.count() == 0
    assert refunded_on_amazon(world) == {}


def test_staff_cannot_report_a_refund_of_amazons_transaction(world):
    item = amazons(world)
    answer = world.shop._staff.post_graphql(
        """mutation ($token: UUID!) {
            transactionEventReport(token: $token, type: REFUND_SUCCESS, amount: 5,
                pspReference: "BY-HAND") { errors { code } } }""",
        {"token": str(item.token)},
    ).json()

    assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    assert money(world) == ("32.76", "0.00", "0.00")


LEGACY_REFUND = """
mutation ($order: ID!) {
  orderRefund(id: $order, amount: 5) { errors { code } }
}
"""
LEGACY_PRODUCTS = """
mutation ($order: ID!, $lines: [OrderRefundFulfillmentLineInput!]!) {
  orderFulfillmentRefundProducts(
    order: $order, input: {fulfillmentLines: $lines, amountToRefund: 4}
  ) { errors { code } }
}
"""


def test_a11_a_refund_of_a_payment_of_old_is_noticed_once_and_not_made(world):
    order_id = shipped(world)  # noqa: F405
    order = Order.objects.get(pk=order_id)
    line = order.fulfillments.get().lines.first()
    of_order = {"order": graphene.Node.to_global_id("Order", order_id)}
    lines = [
        {
            "fulfillmentLineId": graphene.Node.to_global_id("FulfillmentLine", line.pk),
            "quantity": 1,
        }
    ]

    def refund(query, **variables):
        [answer] = world.shop.query(query, **of_order, **variables).values()
        return [error["code"] for error in answer["errors"]]

    # An order of ours has a transaction and no payment: there is nothing to refund.
    assert refund(LEGACY_REFUND) == ["PAYMENT_MISSING"]
    assert refund(LEGACY_PRODUCTS, lines=lines) == ["CANNOT_REFUND"]

    # One that somebody gave it all the same, as an older integration might.
    Payment.objects.create(
        order=order,
        gateway="manual",
        is_active=True,
        currency="EUR",
        total=order.total_gross_amount,
        captured_amount=order.total_gross_amount,
        charge_status="fully-charged",
    ).transactions.create(
        kind="external", is_success=True, amount=9, currency="EUR", gateway_response={}
    )
    assert refund(LEGACY_REFUND) == []
    assert refund(LEGACY_PRODUCTS, lines=lines) == []
    world.move_clock(timedelta(minutes=2))
    rounds(world, 3)  # noqa: F405

    said = [n.split(" (")[0] for n in view(world).notes if "by hand" in n]  # noqa: F405
    assert said == [
        "5.00 EUR were recorded as refunded by hand",
        "4.00 EUR were recorded as refunded by hand",
    ]
    assert OutboxEntry.objects.count() == 0
    assert refunded_on_amazon(world) == {}
