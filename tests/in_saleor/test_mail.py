"""No mail leaves for a buyer on Amazon, whatever staff do with the order.

Saleor's own mail plugin is on, and sends into ``mail.outbox``. The same deeds with an
ordinary order do send mail, so that the test can fail.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import graphene
import pytest
from django.core import mail
from django.db import transaction
from saleor.account.models import User
from saleor.core.db.connection import allow_writer
from saleor.order.models import Order
from saleor.plugins import email_common
from saleor.plugins.models import PluginConfiguration

from contract.drafts import draft, line
from contract.fixtures import Goods
from in_saleor.drivers import SaleorDriver
from saleor_amazon_channel.saleor.store import SaleorStore
from saleor_amazon_channel.store.contract import CustomerDraft

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = "saleor.plugins.user_email.plugin.UserEmailPlugin"
CUSTOMER = CustomerDraft("0123abcd@amazon.invalid", "Jürgen", "Müller")


@pytest.fixture
def shop(transactional_db, settings, monkeypatch):
    settings.PLUGINS = [MAILS]
    settings.CELERY_TASK_ALWAYS_EAGER = True

    def into_the_outbox(config: Any, recipient_list: Any, context: Any, **_: Any):
        mail.EmailMessage("mail", "", "shop@example.com", recipient_list).send()

    from saleor.plugins.user_email import tasks

    assert tasks.send_email is email_common.send_email
    monkeypatch.setattr(tasks, "send_email", into_the_outbox)
    with allow_writer():
        yield SaleorDriver([])


@pytest.fixture
def goods(shop: SaleorDriver) -> Goods:
    goods = Goods(shop, shop.create_channel("amazon-de", "EUR", country="DE"))
    goods.add("MUG", 50)
    values = {
        **dict.fromkeys(("host", "username", "password", "sender_name"), ""),
        "port": "25",
        "sender_address": "shop@example.com",
        "use_tls": False,
        "use_ssl": False,
    }
    PluginConfiguration.objects.create(
        identifier="mirumee.notifications.user_email",
        active=True,
        channel_id=goods.channel.id,
        configuration=[{"name": name, "value": v} for name, v in values.items()],
    )
    return goods


def imported(goods: Goods, amazon_order_id: str, **changes: Any) -> Order:
    new = goods.new(draft(amazon_order_id, [line("MUG", 3)]))
    with allow_writer(), transaction.atomic():
        (answer,) = SaleorStore().create_orders([dataclasses.replace(new, **changes)])
    return Order.objects.get(pk=answer.order_id)


def do_everything(shop: SaleorDriver, goods: Goods, order: Order) -> list[str]:
    """Everything that makes Saleor write to a customer; the recipients of its mails."""
    mail.outbox.clear()
    order_id = graphene.Node.to_global_id("Order", order.pk)
    line_id = graphene.Node.to_global_id("OrderLine", order.lines.get().pk)
    warehouse_id = graphene.Node.to_global_id("Warehouse", goods.warehouse_id)

    def do(text: str, **variables: Any) -> Any:
        return shop._mutate(text, **variables)

    do(
        "mutation ($id: ID!) { result: orderConfirm(id: $id) { errors { code } } }",
        id=order_id,
    )
    (fulfillment,) = do(
        """mutation ($id: ID!, $input: OrderFulfillInput!) {
            result: orderFulfill(order: $id, input: $input) {
                fulfillments { id } errors { code message } } }""",
        id=order_id,
        input={
            "notifyCustomer": True,
            "lines": [
                {
                    "orderLineId": line_id,
                    "stocks": [{"quantity": 1, "warehouse": warehouse_id}],
                }
            ],
        },
    )["fulfillments"]
    do(
        """mutation ($id: ID!) { result: orderFulfillmentUpdateTracking(
            id: $id, input: {trackingNumber: "T-1", notifyCustomer: true}
        ) { errors { code } } }""",
        id=fulfillment["id"],
    )
    do(
        """mutation ($id: ID!) { result: orderNoteAdd(
            order: $id, input: {message: "Called the buyer."}
        ) { errors { code } } }""",
        id=order_id,
    )
    transaction_id = graphene.Node.to_global_id(
        "TransactionItem", order.payment_transactions.get().token
    )
    do(
        """mutation ($id: ID!) { result: transactionUpdate(
            id: $id, transaction: {amountRefunded: {amount: 1, currency: "EUR"}}
        ) { errors { code } } }""",
        id=transaction_id,
    )
    do(
        """mutation ($id: ID!, $input: FulfillmentCancelInput!) {
            result: orderFulfillmentCancel(id: $id, input: $input) {
                errors { code } } }""",
        id=fulfillment["id"],
        input={"warehouseId": warehouse_id},
    )
    do(
        """mutation ($id: ID!) { result: invoiceCreate(orderId: $id, input: {
            number: "1", url: "https://example.com/1.pdf"
        }) { invoice { id } errors { code } } }""",
        id=order_id,
    )
    # Where the order has no address at all Saleor says so instead of sending.
    shop._send(
        shop._staff,
        """mutation ($id: ID!) { result: invoiceSendNotification(id: $id) {
            errors { code } } }""",
        id=graphene.Node.to_global_id("Invoice", order.invoices.get().pk),
    )
    do(
        "mutation ($id: ID!) { result: orderCancel(id: $id) { errors { code } } }",
        id=order_id,
    )
    return [recipient for each in mail.outbox for recipient in each.recipients()]


def test_an_ordinary_customer_is_written_to(shop, goods):
    order = imported(goods, "302-0000000-0000001", is_unconfirmed=True)
    user = User.objects.create(email="customer@example.com")
    del order.metadata["amazon.orderId"]
    order.user = user
    order.save()

    recipients = do_everything(shop, goods, order)

    assert set(recipients) == {"customer@example.com"}
    assert len(recipients) >= 5


@pytest.mark.parametrize("customer", [None, CUSTOMER])
def test_nothing_reaches_a_buyer_on_amazon(shop, goods, customer):
    order = imported(
        goods, "302-0000000-0000001", is_unconfirmed=True, customer=customer
    )
    assert order.user_email == ""
    assert (order.user.email if order.user else None) == (
        customer.email if customer else None
    )

    assert do_everything(shop, goods, order) == []


def test_an_address_that_staff_gave_the_order_gets_only_what_they_send(shop, goods):
    order = imported(goods, "302-0000000-0000001", is_unconfirmed=True)
    Order.objects.update(user_email="x1@marketplace.amazon.de")
    order.refresh_from_db()

    # The invoice, which staff send by hand.
    assert do_everything(shop, goods, order) == ["x1@marketplace.amazon.de"]
