from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_amazon_channel.amazon.errors import MalformedOrder
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import buyer_search, payloads, recorder
from saleor_amazon_channel.models import (
    AmazonOrder,
    CommunicationLog,
    DailySales,
    SellerAccount,
)
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


def without_buyer(wire):
    return {k: v for k, v in wire.items() if k not in ("buyer", "recipient")}


def test_buyer_data_that_comes_later_completes_the_order(account):
    record(account, without_buyer(wire_order()))
    AmazonOrder.objects.update(import_state="blocked", blockers=[{"code": "x"}])

    assert record(account, wire_order()) == recorder.Recorded(changed=1)

    order = AmazonOrder.objects.get()
    assert (order.import_state, order.blockers) == ("ready", [])
    assert order.buyer_name == "Änne Müller"
    assert payloads.join(order.payload, order.personal) == wire_order()
    # Once: the next time it is known.
    assert record(account, wire_order()) == recorder.Recorded(unchanged=1)


def test_buyer_data_of_an_older_payload_completes_nothing(account):
    record(account, without_buyer(wire_order(updated=NOW)))

    assert record(account, wire_order()) == recorder.Recorded(unchanged=1)


def test_an_imported_order_is_not_completed_with_buyer_data(account):
    record(account, without_buyer(wire_order()))
    AmazonOrder.objects.update(import_state="imported", shop_order_id="1")

    assert record(account, wire_order()) == recorder.Recorded(unchanged=1)
    assert AmazonOrder.objects.get().buyer_name == ""


def unreadable_news(account, updated=NOW):
    wire = {**wire_order(status="CANCELLED", updated=updated), "orderItems": "x"}
    with pytest.raises(MalformedOrder) as error:
        Order.from_wire(wire)
    return recorder.record(account, [], [(wire, error.value)])


def stored(order):
    order.refresh_from_db()
    return {
        name: getattr(order, name)
        for name in (
            "fulfillment_status",
            "fulfilled_by",
            "ship_by",
            "currency",
            "grand_total",
            "buyer_name",
            "created_time",
        )
    }


def test_unreadable_news_blocks_an_order_and_blanks_nothing(account):
    record(account, wire_order())
    order = AmazonOrder.objects.get()
    before = stored(order)

    assert unreadable_news(account) == recorder.Recorded(changed=1)

    assert stored(order) == before
    assert order.import_state == "blocked"
    assert order.blockers[0]["subject"] == "orderItems"
    assert order.note == order.blockers[0]["message"]
    assert payloads.join(order.payload, order.personal)["orderItems"] == "x"


def test_unreadable_news_of_an_imported_order_are_only_told_once(account):
    record(account, wire_order())
    AmazonOrder.objects.update(import_state="imported", shop_order_id="1")
    order = AmazonOrder.objects.get()
    before = stored(order)

    assert unreadable_news(account) == recorder.Recorded(changed=1)
    assert unreadable_news(account) == recorder.Recorded(unchanged=1)

    assert stored(order) == before
    assert (order.import_state, order.blockers) == ("imported", [])
    assert "orderItems" in order.note
    assert order.payload["orderItems"] == wire_order()["orderItems"]
    assert order.events.filter(type="unreadable").count() == 1
    # What comes readably is taken, also of the same moment.
    record(account, wire_order(status="SHIPPED", updated=NOW))
    assert stored(order)["fulfillment_status"] == "SHIPPED"


def set_at(wire, path, value):
    *parents, last = path
    for key in parents:
        wire = wire[key]
    wire[last] = value


@pytest.mark.parametrize(
    ("path", "value", "subject", "problem"),
    [
        (
            ("orderItems", 0, "product", "sellerSku"),
            "S" * 256,
            "orderItems[0].product.sellerSku",
            "is longer than 255 characters",
        ),
        (
            ("salesChannel", "marketplaceId"),
            "M" * 21,
            "salesChannel.marketplaceId",
            "is longer than 20 characters",
        ),
        (("programs",), ["P" * 65], "programs", "is longer than 64 characters"),
        (
            ("orderItems", 0, "quantityOrdered"),
            2**31,
            "orderItems[0].quantityOrdered",
            "is too large",
        ),
        (
            ("proceeds", "grandTotal", "amount"),
            "1" + "0" * 17,
            "proceeds.grandTotal.amount",
            "is too large",
        ),
    ],
)
def test_a_value_that_does_not_fit_blocks_its_order_alone(
    account, path, value, subject, problem
):
    wire = wire_order()
    set_at(wire, path, value)

    recorded = record(account, wire, wire_order("111-0000001-0000002"))

    assert recorded == recorder.Recorded(new=2)
    order, neighbour = AmazonOrder.objects.order_by("amazon_order_id")
    assert (order.import_state, neighbour.import_state) == ("blocked", "ready")
    (blocker,) = order.blockers
    assert (blocker["code"], blocker["subject"]) == ("unreadable", subject)
    assert problem in blocker["message"]
    assert payloads.join(order.payload, order.personal) == wire


def test_an_order_id_that_does_not_fit_is_logged(account):
    assert record(account, wire_order("1" * 33)) == recorder.Recorded()

    assert "orderId is longer than 32" in CommunicationLog.objects.get().message


def test_characters_that_cannot_be_stored_are_replaced(account):
    wire = wire_order(items=[wire_item(sku="A\0B")])
    wire["orderItems"][0]["product"]["title"] = "Mug \ud83d"

    record(account, wire)

    item = AmazonOrder.objects.get().items.get()
    assert (item.seller_sku, item.title) == ("A\ufffdB", "Mug \ufffd")


def test_an_order_of_another_account_is_left_alone(account):
    record(account, wire_order())
    other = SellerAccount.objects.create(name="Other", region="NA", seller_id="X")

    recorded = record(other, wire_order(status="SHIPPED", updated=NOW))

    assert recorded == recorder.Recorded(unchanged=1)
    assert AmazonOrder.objects.get().account == account


def test_an_order_of_another_account_is_told_of_once(account):
    record(account, wire_order(), wire_order("111-0000001-0000002"))
    other = SellerAccount.objects.create(name="Other", region="EU", seller_id="X")

    for _ in range(2):
        record(other, wire_order(), wire_order("111-0000001-0000002"))

    log = CommunicationLog.objects.get()
    assert (log.account, log.error_code) == (other, "OtherAccount")
    assert "Mugs and more" in log.message


@pytest.mark.parametrize("is_news", [True, False])
def test_the_orders_of_a_disconnected_account_go_to_who_reads_them(account, is_news):
    record(account, wire_order(), wire_order("111-0000001-0000002"))
    AmazonOrder.objects.filter(amazon_order_id__endswith="2").update(
        import_state="imported", shop_order_id="1"
    )
    AmazonOrder.objects.filter(amazon_order_id__endswith="1").update(
        import_state="waiting"
    )
    SellerAccount.objects.update(state="disconnected")
    again = SellerAccount.objects.create(name="Again", region="EU", seller_id="X")

    changes = {"status": "CANCELLED", "updated": NOW} if is_news else {}
    record(
        again,
        wire_order(**changes),
        wire_order("111-0000001-0000002", **changes),
    )

    waiting, imported = AmazonOrder.objects.order_by("amazon_order_id")
    assert waiting.account == imported.account == again
    assert (waiting.import_state, imported.import_state) == ("ready", "imported")
    expected = "CANCELLED" if is_news else "UNSHIPPED"
    assert waiting.fulfillment_status == imported.fulfillment_status == expected
    again.refresh_from_db()
    key = again.customer_key
    assert imported.buyer_search == buyer_search.hashes(key, "Änne Müller")
    sold = DailySales.objects.values_list("account", "order_count", "unit_count")
    left = {row for row in sold if row[1]}
    assert left == (set() if is_news else {(again.pk, 2, 2)})
    assert not CommunicationLog.objects.exists()
    assert record(again, wire_order(**changes)) == recorder.Recorded(unchanged=1)


def test_a_page_costs_the_same_queries_however_long_it_is(account):
    def queries(first, count):
        wires = [wire_order(f"111-0000001-{n:07}") for n in range(first, first + count)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            record(account, *wires)
        return len(captured)

    record(account, wire_order())  # The account's first makes the key for names.
    assert queries(1, 2) == queries(100, 60)


def test_equal_news_that_tell_more_are_taken_until_the_order_is_imported(account):
    full = wire_order()
    lacking = {name: value for name, value in full.items() if name != "proceeds"}
    record(account, lacking)
    AmazonOrder.objects.update(import_state="blocked", blockers=[{"code": "x"}])

    assert record(account, full) == recorder.Recorded(changed=1)

    order = AmazonOrder.objects.get()
    assert (order.import_state, order.grand_total) == ("ready", Decimal("19.90"))
    # What tells less of the same moment comes from a list that is behind.
    assert record(account, lacking) == recorder.Recorded(unchanged=1)
    assert record(account, full) == recorder.Recorded(unchanged=1)
    other = wire_order(status="PARTIALLY_SHIPPED")
    assert record(account, other) == recorder.Recorded(changed=1)

    AmazonOrder.objects.update(import_state="imported", shop_order_id="1")
    assert record(account, full) == recorder.Recorded(unchanged=1)


def test_the_same_news_again_change_nothing_of_an_order_that_cannot_be_imported(
    account,
):
    """Blocked as unreadable, but not for what was read of it: an item without a SKU."""
    record(account, wire_order())
    AmazonOrder.objects.update(
        import_state="blocked", blockers=[{"code": "unreadable", "message": "No SKU."}]
    )

    assert record(account, wire_order()) == recorder.Recorded(unchanged=1)

    assert AmazonOrder.objects.get().import_state == "blocked"


def test_who_fulfils_a_waiting_order_may_be_said_later(account):
    full = wire_order()
    lacking = {**full, "fulfillment": dict(full["fulfillment"])}
    del lacking["fulfillment"]["fulfilledBy"]
    record(account, lacking)
    AmazonOrder.objects.update(import_state="waiting")

    assert record(account, full) == recorder.Recorded(changed=1)

    order = AmazonOrder.objects.get()
    assert (order.import_state, order.fulfilled_by) == ("ready", "MERCHANT")


def unread(account, wire):
    """A version before could not read it."""
    problem = MalformedOrder(wire["orderId"], "orderItems", "is of a new kind")
    return recorder.record(account, [], [(wire, problem)])


def test_an_unreadable_order_says_so_and_not_only_that_it_came(account):
    unread(account, wire_order())

    order = AmazonOrder.objects.get()
    assert order.note == (
        "Amazon's data of this order cannot be read: orderItems is of a new kind."
    )
    assert [event.type for event in order.events.order_by("id")] == [
        "received",
        "unreadable",
    ]
    # It is in the log once, however often the page is read again.
    unread(account, wire_order())
    assert CommunicationLog.objects.count() == 1


@pytest.mark.parametrize("by", ["the payload itself", "the same payload again"])
def test_what_becomes_readable_is_whole(account, by):
    wire = wire_order(items=[wire_item(quantity=3, price="59.70")])
    unread(account, wire)

    if by == "the payload itself":
        recorder.read_again(AmazonOrder.objects.all())
    else:
        assert record(account, wire) == recorder.Recorded(changed=1)

    order = AmazonOrder.objects.get()
    assert (order.fulfillment_status, order.fulfilled_by) == ("UNSHIPPED", "MERCHANT")
    assert (order.currency, order.grand_total) == ("EUR", Decimal("59.70"))
    assert order.ship_by == NOW + timedelta(hours=46)
    assert order.buyer_name == "Änne Müller"
    item = order.items.get()
    assert (item.seller_sku, item.quantity_ordered) == ("MUG-1", 3)
    assert DailySales.objects.get().unit_count == 3
    assert payloads.join(order.payload, order.personal) == wire
