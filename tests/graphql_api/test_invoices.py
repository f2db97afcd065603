"""Invoices in GraphQL: how far they are, and sending one again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel.invoicing import record
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    SellerAccount,
)
from saleor_amazon_channel.store.contract import ShopInvoice
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

PUSH = """
mutation ($id: ID!) {
  amazonInvoicePush(id: $id) {
    amazonOrder { invoices { invoiceId number isIssuedHere push { state } } }
    outboxEntry { kind state actor }
    errors { field code message }
  }
}
"""
UPDATE = """
mutation ($id: ID!, $input: AmazonMarketplaceUpdateInput!) {
  amazonMarketplaceUpdate(id: $id, input: $input) {
    marketplace { invoiceNumberPrefix invoiceIssuer invoiceMechanism }
    errors { field code message }
  }
}
"""


@pytest.fixture
def invoice(account: SellerAccount) -> OrderInvoice:
    ChannelSettings.objects.create(id=1, active=True)
    Marketplace.objects.create(account=account, marketplace_id=GERMANY)
    order = new_order(account)
    AmazonOrder.objects.filter(pk=order.pk).update(shop_order_id="the-order")
    record.record_invoices([ShopInvoice("7", "the-order", "RE-1", "app")])
    return OrderInvoice.objects.get()


def push(ask: Ask, invoice: OrderInvoice) -> Any:
    given = {"id": Node.to_global_id("AmazonInvoice", invoice.pk)}
    return ask(PUSH, given)["amazonInvoicePush"]


def test_an_invoice_on_its_way_is_answered_as_it_is(
    ask: Ask, invoice: OrderInvoice
) -> None:
    answer = push(ask, invoice)

    assert answer == {
        "amazonOrder": {
            "invoices": [
                {
                    "invoiceId": Node.to_global_id("Invoice", 7),
                    "number": "RE-1",
                    "isIssuedHere": False,
                    "push": {"state": "PENDING"},
                }
            ]
        },
        "outboxEntry": {"kind": "INVOICE", "state": "PENDING", "actor": "app"},
        "errors": [],
    }
    assert OutboxEntry.objects.count() == 1


def test_a_credit_note_names_its_invoice_and_goes_like_one(
    ask: Ask, invoice: OrderInvoice
) -> None:
    note = OrderInvoice.objects.create(
        order=invoice.order,
        shop_invoice_id="8",
        number="RE-C-1",
        is_issued_here=True,
        corrects=invoice,
    )
    answer = ask(
        """mutation ($id: ID!) {
          amazonInvoicePush(id: $id) {
            amazonOrder { invoices { number corrects { number } push { kind } } }
            outboxEntry { kind state description }
            errors { message }
          }
        }""",
        {"id": Node.to_global_id("AmazonInvoice", note.pk)},
    )["amazonInvoicePush"]

    assert answer == {
        "amazonOrder": {
            "invoices": [
                {"number": "RE-1", "corrects": None, "push": {"kind": "INVOICE"}},
                {
                    "number": "RE-C-1",
                    "corrects": {"number": "RE-1"},
                    "push": {"kind": "CREDIT_NOTE"},
                },
            ]
        },
        "outboxEntry": {
            "kind": "CREDIT_NOTE",
            "state": "PENDING",
            "description": "Credit note RE-C-1.",
        },
        "errors": [],
    }
    note.refresh_from_db()
    assert note.waits_until is not None


def test_one_that_failed_goes_again(ask: Ask, invoice: OrderInvoice) -> None:
    OutboxEntry.objects.update(state="failed", settled_at=NOW)

    entry = push(ask, invoice)["outboxEntry"]

    assert (entry["state"], entry["actor"]) == ("PENDING", "admin@example.com")
    assert OutboxEntry.objects.count() == 2


def test_one_that_amazon_has_is_refused(ask: Ask, invoice: OrderInvoice) -> None:
    OutboxEntry.objects.update(state="succeeded", settled_at=NOW)

    [error] = push(ask, invoice)["errors"]

    assert error["message"] == "Amazon has the invoice RE-1 already."
    assert OutboxEntry.objects.count() == 1


def test_the_same_invoice_is_recorded_once(invoice: OrderInvoice) -> None:
    again = ShopInvoice("7", "the-order", "RE-1")
    assert record.record_invoices([again, again]) == 0
    assert OutboxEntry.objects.count() == 1


def test_a_prefix_belongs_to_one_marketplace(ask: Ask, invoice: OrderInvoice) -> None:
    first = Marketplace.objects.get()
    other = Marketplace.objects.create(
        account=first.account, marketplace_id="A13V1IB3VIYZZH"
    )
    answers = [
        ask(
            UPDATE,
            {
                "id": Node.to_global_id("AmazonMarketplace", each.pk),
                "input": {"invoiceNumberPrefix": "RE-"},
            },
        )["amazonMarketplaceUpdate"]
        for each in (first, first, other)
    ]

    assert [answer["errors"] for answer in answers[:2]] == [[], []]
    [error] = answers[2]["errors"]
    assert (error["field"], error["code"]) == ("invoiceNumberPrefix", "UNIQUE")
    other.refresh_from_db()
    assert other.invoice_series == f"FR-{other.account_id}-"


@pytest.mark.parametrize(
    ("prefix", "is_taken"), [("R/E #1_", True), ("R€-", False), ("RE(1)", False)]
)
def test_a_prefix_is_of_what_amazon_takes_in_a_number(
    ask: Ask, invoice: OrderInvoice, prefix: str, is_taken: bool
) -> None:
    pk = Marketplace.objects.get().pk
    answer = ask(
        UPDATE,
        {
            "id": Node.to_global_id("AmazonMarketplace", pk),
            "input": {"invoiceNumberPrefix": prefix},
        },
    )["amazonMarketplaceUpdate"]
    codes = [error["code"] for error in answer["errors"]]
    assert codes == ([] if is_taken else ["INVALID"])
