from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_amazon_channel.amazon.errors import MalformedOrder
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import payloads, recorder
from saleor_amazon_channel.models import AmazonOrder, CommunicationLog, SellerAccount
from wire_orders import NOW, wire_item, wire_order


def record(account, *wires):
    return recorder.record(account, [(Order.from_wire(wire), wire) for wire in wires])


def test_a_new_order_is_kept_whole(account):
    wire = wire_order(items=[wire_item(quantity=3, price="59.70")])

    recorded = record(account, wire)

    assert recorded == recorder.Recorded(new=1)
    order = AmazonOrder.objects.get()
    assert (order.currency, order.grand_total) == ("EUR", Decimal("59.70"))
    assert (order.fulfillment_status, order.fulfilled_by) == ("UNSHIPPED", "MERCHANT")
    assert order.buyer_name == "Änne Müller"
    assert order.import_state == "ready"
    assert payloads.join(order.payload, order.personal) == wire
    item = order.items.get()
    assert (item.seller_sku, item.quantity_ordered) == ("MUG-1", 3)


def test_buyer_data_is_not_readable_in_the_database(account):
    record(account, wire_order())

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(o)::text FROM saleor_amazon_channel_amazonorder o"
        )
        row = cursor.fetchone()[0]
    for personal in (
        "Müller",
        "M\\u00fcller",
        "Hauptstr",
        "10115",
        "marketplace.amazon",
    ):
        assert personal not in row


def test_the_same_payload_again_changes_nothing(account):
    record(account, wire_order())

    assert record(account, wire_order()) == recorder.Recorded(unchanged=1)
    assert AmazonOrder.objects.get().events.count() == 1


def test_an_older_payload_never_overwrites_a_newer_one(account):
    record(account, wire_order(status="SHIPPED", updated=NOW))

    older = wire_order(status="UNSHIPPED", updated=NOW - timedelta(minutes=1))

    assert record(account, older) == recorder.Recorded(unchanged=1)
    assert AmazonOrder.objects.get().fulfillment_status == "SHIPPED"


def test_a_newer_payload_replaces_and_is_told_on_the_timeline(account):
    record(account, wire_order(status="PENDING"))

    newer = wire_order(
        status="UNSHIPPED", updated=NOW, items=[wire_item(quantity=2, price="39.80")]
    )

    assert record(account, newer) == recorder.Recorded(changed=1)
    order = AmazonOrder.objects.get()
    assert order.grand_total == Decimal("39.80")
    assert order.items.get().quantity_ordered == 2
    assert order.note == "On Amazon the order is now unshipped; it was pending."
    assert [event.type for event in order.events.order_by("id")] == [
        "received",
        "updated",
    ]


def test_an_imported_order_stays_imported(account):
    record(account, wire_order())
    AmazonOrder.objects.update(import_state="imported", shop_order_id="1")

    record(account, wire_order(status="SHIPPED", updated=NOW))

    order = AmazonOrder.objects.get()
    assert (order.import_state, order.fulfillment_status) == ("imported", "SHIPPED")


def test_an_order_that_cannot_be_read_is_kept_and_says_why(account):
    wire = wire_order()
    del wire["orderItems"]
    with pytest.raises(MalformedOrder) as error:
        Order.from_wire(wire)

    recorder.record(account, [], [(wire, error.value)])

    order = AmazonOrder.objects.get()
    assert order.import_state == "blocked"
    assert order.blockers[0]["code"] == "unreadable"
    assert "orderItems" in order.blockers[0]["message"]
    assert CommunicationLog.objects.get().error_code == "MalformedOrder"


def test_an_order_of_another_account_is_left_alone(account):
    record(account, wire_order())
    other = SellerAccount.objects.create(name="Other", region="NA", seller_id="X")

    recorded = record(other, wire_order(status="SHIPPED", updated=NOW))

    assert recorded == recorder.Recorded(unchanged=1)
    assert AmazonOrder.objects.get().account == account


def test_a_page_costs_the_same_queries_however_long_it_is(account):
    def queries(first, count):
        wires = [wire_order(f"111-0000001-{n:07}") for n in range(first, first + count)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            record(account, *wires)
        return len(captured)

    assert queries(0, 2) == queries(100, 60)
