"""What staff do with an Amazon order becomes an intent in the same transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import graphene
import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from saleor.order import OrderEvents, OrderOrigin, OrderStatus
from saleor.order.models import Fulfillment, Order, OrderEvent
from saleor.plugins.manager import get_plugins_manager
from saleor.warehouse.models import Allocation

from saleor_amazon_channel import lifecycle, store
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonPackage,
    ChannelSettings,
    OutboxEntry,
    SellerAccount,
)

from .test_plugin import PLUGIN

FULFILL = """
mutation Fulfill($order: ID!, $input: OrderFulfillInput!) {
  orderFulfill(order: $order, input: $input) {
    fulfillments { id status }
    errors { field code message }
  }
}
"""
APPROVE = """
mutation Approve($id: ID!) {
  orderFulfillmentApprove(id: $id, notifyCustomer: false) {
    errors { field code message }
  }
}
"""
TRACK = """
mutation Track($id: ID!, $number: String!) {
  orderFulfillmentUpdateTracking(id: $id, input: {trackingNumber: $number}) {
    errors { field code message }
  }
}
"""
METADATA = """
mutation Metadata($id: ID!, $input: [MetadataInput!]!) {
  updateMetadata(id: $id, input: $input) { errors { field code message } }
}
"""


@pytest.fixture(autouse=True)
def channel_on(settings, db):
    settings.PLUGINS = [PLUGIN]
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = Fernet.generate_key().decode()
    manager = get_plugins_manager(allow_replica=False)
    manager.save_plugin_configuration("amazon.sales.channel", None, {"active": True})


@pytest.fixture
def staff(staff_api_client, permission_group_manage_orders, warehouse):
    """Staff of the shop, working through the API as the dashboard does."""
    permission_group_manage_orders.user_set.add(staff_api_client.user)

    def send(query, **variables):
        answer = staff_api_client.post_graphql(query, variables).json()
        assert "errors" not in answer, answer
        (result,) = answer["data"].values()
        return result

    def fulfill(order, quantities, tracking="", warehouses=(warehouse,)):
        result = send(
            FULFILL,
            order=graphene.Node.to_global_id("Order", order.pk),
            input={
                "notifyCustomer": False,
                "allowStockToBeExceeded": True,
                "trackingNumber": tracking,
                "lines": [
                    {
                        "orderLineId": graphene.Node.to_global_id("OrderLine", line),
                        "stocks": [
                            {
                                "quantity": quantity,
                                "warehouse": graphene.Node.to_global_id(
                                    "Warehouse", place.pk
                                ),
                            }
                            for place in warehouses
                        ],
                    }
                    for line, quantity in quantities.items()
                ],
            },
        )
        return result["errors"]

    return SimpleNamespace(
        send=send,
        fulfill=fulfill,
        track=lambda fulfillment, number: send(
            TRACK,
            id=graphene.Node.to_global_id("Fulfillment", fulfillment.pk),
            number=number,
        )["errors"],
        approve=lambda fulfillment: send(
            APPROVE, id=graphene.Node.to_global_id("Fulfillment", fulfillment.pk)
        )["errors"],
        cancel=lambda order: send(
            CANCEL, id=graphene.Node.to_global_id("Order", order.pk)
        )["errors"],
        tell_carrier=lambda fulfillment, carrier: send(
            METADATA,
            id=graphene.Node.to_global_id("Fulfillment", fulfillment.pk),
            input=[{"key": "amazon.carrier", "value": carrier}],
        )["errors"],
    )


CANCEL = """
mutation Cancel($id: ID!) {
  orderCancel(id: $id) { errors { field message code } }
}
"""

BULK_CANCEL = """
mutation Cancel($ids: [ID!]!) {
  orderBulkCancel(ids: $ids) { count errors { field message code } }
}
"""


@pytest.fixture
def make_amazon_order(order_with_lines, site_settings):
    """Make an order of the shop one that we imported from Amazon."""
    site_settings.fulfillment_allow_unpaid = True
    site_settings.save(update_fields=["fulfillment_allow_unpaid"])

    def make(fulfilled_by="MERCHANT"):
        Order.objects.filter(pk=order_with_lines.pk).update(
            origin=OrderOrigin.BULK_CREATE,
            external_reference="302-0000001-0000001",
            metadata={"amazon.orderId": "302-0000001-0000001"},
        )
        account = SellerAccount.objects.create(
            name="Seller", region="EU", seller_id="A1SELLER"
        )
        ledger = AmazonOrder.objects.create(
            account=account,
            amazon_order_id="302-0000001-0000001",
            marketplace_id="A1PA6795UKMFR9",
            fulfillment_status="UNSHIPPED",
            fulfilled_by=fulfilled_by,
            created_time=datetime(2026, 1, 1, tzinfo=UTC),
            last_updated_time=datetime(2026, 1, 1, tzinfo=UTC),
            import_state=AmazonOrder.ImportState.IMPORTED,
            imported_at=datetime(2026, 1, 1, tzinfo=UTC),
            shop_order_id=str(order_with_lines.pk),
        )
        for number, line in enumerate(order_with_lines.lines.all(), 1):
            AmazonOrderItem.objects.create(
                order=ledger,
                order_item_id=f"item-{number}",
                quantity_ordered=line.quantity,
                shop_line_id=str(line.pk),
            )
        return ledger

    return make


@pytest.fixture
def lines(order_with_lines):
    """The primary keys of the order's two lines, of 3 and of 2 units."""
    first, second = order_with_lines.lines.all()
    assert (first.quantity, second.quantity) == (3, 2)
    return first.pk, second.pk


def test_whole_order_in_one_package(staff, make_amazon_order, order_with_lines, lines):
    ledger = make_amazon_order()

    assert staff.fulfill(order_with_lines, {lines[0]: 3, lines[1]: 2}, "1Z") == []

    fulfillment = Fulfillment.objects.get()
    package = AmazonPackage.objects.get()
    assert package.order == ledger
    assert package.package_reference_id == 1001
    assert package.fulfillment_id == str(fulfillment.pk)
    assert package.tracking_number == "1Z"
    assert package.ship_date - fulfillment.created_at < timedelta(seconds=5)
    assert package.items == [
        {"order_item_id": "item-1", "quantity": 3},
        {"order_item_id": "item-2", "quantity": 2},
    ]
    entry = OutboxEntry.objects.get()
    assert entry.kind == "confirm_shipment"
    assert entry.state == "pending"
    assert entry.payload == {"package_reference_id": 1001, "revision": 1}
    assert entry.actor == "staff_test@example.com"


def test_parts_become_packages_in_their_order(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()

    staff.fulfill(order_with_lines, {lines[0]: 1}, "FIRST")
    staff.fulfill(order_with_lines, {lines[0]: 2, lines[1]: 2}, "SECOND")

    packages = AmazonPackage.objects.order_by("package_reference_id")
    assert [
        (package.package_reference_id, package.tracking_number, package.items)
        for package in packages
    ] == [
        (1001, "FIRST", [{"order_item_id": "item-1", "quantity": 1}]),
        (
            1002,
            "SECOND",
            [
                {"order_item_id": "item-1", "quantity": 2},
                {"order_item_id": "item-2", "quantity": 2},
            ],
        ),
    ]
    assert OutboxEntry.objects.count() == 2


def test_two_warehouses_in_one_action_are_two_packages(
    staff, make_amazon_order, order_with_lines, lines, warehouse, warehouses
):
    make_amazon_order()

    staff.fulfill(
        order_with_lines, {lines[0]: 1}, "1Z", warehouses=(warehouse, warehouses[0])
    )

    assert Fulfillment.objects.count() == 2
    assert sorted(
        AmazonPackage.objects.values_list("package_reference_id", flat=True)
    ) == [1001, 1002]
    assert OutboxEntry.objects.count() == 2


def test_tracking_given_later_is_a_new_revision(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()
    staff.fulfill(order_with_lines, {lines[0]: 1})

    assert staff.track(Fulfillment.objects.get(), "LATER") == []

    package = AmazonPackage.objects.get()
    assert (package.tracking_number, package.revision) == ("LATER", 2)
    assert list(
        OutboxEntry.objects.order_by("id").values_list("state", "payload__revision")
    ) == [("superseded", 1), ("pending", 2)]


def test_tracking_repeated_unchanged_writes_nothing(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()
    staff.fulfill(order_with_lines, {lines[0]: 1}, "SAME")

    staff.track(Fulfillment.objects.get(), "SAME")

    assert AmazonPackage.objects.get().revision == 1
    assert OutboxEntry.objects.count() == 1


def test_carrier_told_later_is_a_new_revision(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()
    staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")

    assert staff.tell_carrier(Fulfillment.objects.get(), "DHL") == []

    package = AmazonPackage.objects.get()
    assert (package.carrier_name, package.revision) == ("DHL", 2)
    assert OutboxEntry.objects.filter(state="pending").count() == 1


def test_carrier_of_an_ordinary_fulfillment_is_none_of_our_business(
    staff, order_with_lines, lines, site_settings
):
    site_settings.fulfillment_allow_unpaid = True
    site_settings.save(update_fields=["fulfillment_allow_unpaid"])
    staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")

    assert staff.tell_carrier(Fulfillment.objects.get(), "DHL") == []

    assert not OutboxEntry.objects.exists()


def test_waiting_for_approval_is_captured_when_approved(
    staff, make_amazon_order, order_with_lines, lines, site_settings
):
    make_amazon_order()
    site_settings.fulfillment_auto_approve = False
    site_settings.save(update_fields=["fulfillment_auto_approve"])

    staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")
    assert not OutboxEntry.objects.exists()
    fulfillment = Fulfillment.objects.get()
    # A tracking number given while waiting is not a shipment either.
    staff.track(fulfillment, "2Z")
    assert not OutboxEntry.objects.exists()

    assert staff.approve(fulfillment) == []

    assert AmazonPackage.objects.get().tracking_number == "2Z"
    assert OutboxEntry.objects.count() == 1


def test_rolled_back_with_the_action_of_staff(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()

    with transaction.atomic():
        staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")
        assert OutboxEntry.objects.count() == 1
        transaction.set_rollback(True)

    assert not OutboxEntry.objects.exists()
    assert not AmazonPackage.objects.exists()
    assert not Fulfillment.objects.exists()


@pytest.mark.parametrize("failure", ["python", "database"])
def test_our_failure_does_not_touch_the_action_and_the_sweep_makes_up_for_it(
    staff, make_amazon_order, order_with_lines, lines, monkeypatch, caplog, failure
):
    make_amazon_order()

    def fail(shipments):
        AmazonPackage.objects.all().delete()
        if failure == "database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column")
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "record_shipments", fail)
        assert staff.fulfill(order_with_lines, {lines[0]: 1}, "SECRET-1Z") == []

    assert Fulfillment.objects.get().tracking_number == "SECRET-1Z"
    assert not OutboxEntry.objects.exists()
    told = ": capture failed with "
    (record,) = [each for each in caplog.records if told in each.getMessage()]
    assert "SECRET-1Z" not in caplog.text
    assert record.levelname == "ERROR"

    with store.writer():
        assert lifecycle.sweep() == 1
        assert lifecycle.sweep() == 0
    assert AmazonPackage.objects.get().tracking_number == "SECRET-1Z"
    assert OutboxEntry.objects.count() == 1


def test_amazon_fulfilled_order_cannot_be_shipped_here(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order(fulfilled_by="AMAZON")

    errors = staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")

    assert errors == [
        {
            "field": "order",
            "code": "INVALID",
            "message": (
                "Amazon fulfils order 302-0000001-0000001 itself; "
                "it cannot be shipped from here."
            ),
        }
    ]
    assert not Fulfillment.objects.exists()
    assert not OrderEvent.objects.filter(
        type=OrderEvents.FULFILLMENT_FULFILLED_ITEMS
    ).exists()
    assert not OutboxEntry.objects.exists()


def test_tracking_of_an_amazon_fulfilled_order_may_change(
    staff, make_amazon_order, order_with_lines, lines
):
    ledger = make_amazon_order()
    staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")
    AmazonOrder.objects.filter(pk=ledger.pk).update(fulfilled_by="AMAZON")

    assert staff.track(Fulfillment.objects.get(), "2Z") == []

    assert OutboxEntry.objects.count() == 1


def test_channel_off_captures_nothing_and_the_sweep_finds_it_once_on_again(
    staff, make_amazon_order, order_with_lines, lines
):
    make_amazon_order()
    ChannelSettings.objects.update(active=False)

    assert staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z") == []
    assert not OutboxEntry.objects.exists()

    ChannelSettings.objects.update(active=True)
    with store.writer():
        assert lifecycle.sweep() == 1
    assert OutboxEntry.objects.count() == 1


def test_order_of_another_bulk_import_is_passed_over(
    staff, make_amazon_order, order_with_lines, lines
):
    ledger = make_amazon_order()
    ledger.items.all().delete()
    ledger.delete()

    assert staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z") == []

    assert not AmazonPackage.objects.exists()
    assert not OutboxEntry.objects.exists()


def _queries(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured]


def test_ordinary_order_costs_no_query(
    staff, order_with_lines, lines, settings, site_settings
):
    site_settings.fulfillment_allow_unpaid = True
    site_settings.save(update_fields=["fulfillment_allow_unpaid"])

    def fulfill_and_undo():
        with transaction.atomic():
            assert staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z") == []
            assert staff.track(Fulfillment.objects.get(), "2Z") == []
            transaction.set_rollback(True)

    fulfill_and_undo()  # whatever Saleor does only once
    settings.PLUGINS = []
    without = _queries(fulfill_and_undo)
    settings.PLUGINS = [PLUGIN]
    with_plugin = _queries(fulfill_and_undo)

    assert len(with_plugin) == len(without)
    assert not [sql for sql in with_plugin if "saleor_amazon_channel" in sql]


@pytest.mark.parametrize(
    ("eager", "broker", "sent"),
    [(True, "", 0), (True, "redis://", 0), (False, "", 0), (False, "redis://", 1)],
)
def test_worker_is_woken_only_where_there_is_a_broker(
    staff,
    make_amazon_order,
    order_with_lines,
    lines,
    settings,
    monkeypatch,
    eager,
    broker,
    sent,
):
    from saleor_amazon_channel import tasks

    make_amazon_order()
    calls = []
    monkeypatch.setattr(
        tasks.push, "apply_async", lambda **options: calls.append(options)
    )
    settings.CELERY_TASK_ALWAYS_EAGER, settings.CELERY_BROKER_URL = eager, broker

    staff.fulfill(order_with_lines, {lines[0]: 1}, "1Z")

    assert calls == [{"queue": None, "retry": False}] * sent


def test_an_amazon_order_is_not_cancelled_in_saleor_first(
    staff, make_amazon_order, order_with_lines
):
    make_amazon_order()
    allocated = Allocation.objects.filter(
        order_line__order=order_with_lines, quantity_allocated__gt=0
    ).count()

    [error] = staff.cancel(order_with_lines)

    assert (error["field"], error["code"]) == ("order", "CANNOT_CANCEL_ORDER")
    assert (
        "Cancel it with amazonOrderCancel, or in Seller Central: "
        "https://sellercentral.amazon.de/" in error["message"]
    )
    order_with_lines.refresh_from_db()
    assert order_with_lines.status == OrderStatus.UNFULFILLED
    assert allocated > 0
    assert (
        Allocation.objects.filter(
            order_line__order=order_with_lines, quantity_allocated__gt=0
        ).count()
        == allocated
    )


def test_cancelling_many_explains_amazons_and_cancels_the_others(
    staff, make_amazon_order, order_with_lines, order_generator
):
    make_amazon_order()
    others = [order_generator(status=OrderStatus.UNFULFILLED) for _ in range(2)]
    orders = [others[0], order_with_lines, others[1]]
    ids = [graphene.Node.to_global_id("Order", order.pk) for order in orders]

    answer = staff.send(BULK_CANCEL, ids=ids)

    assert answer["count"] == 2
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == (ids[1], "INVALID")
    assert error["message"].startswith(
        "Order 302-0000001-0000001 must be cancelled on Amazon first"
    )
    for order in orders:
        order.refresh_from_db()
    assert [order.status for order in orders] == [
        OrderStatus.CANCELED,
        OrderStatus.UNFULFILLED,
        OrderStatus.CANCELED,
    ]

    AmazonOrder.objects.update(fulfillment_status="CANCELLED")

    assert staff.send(BULK_CANCEL, ids=[ids[1]]) == {"count": 1, "errors": []}


def test_it_is_cancelled_once_amazon_has_cancelled_it(
    staff, make_amazon_order, order_with_lines
):
    make_amazon_order()
    AmazonOrder.objects.update(fulfillment_status="CANCELLED")

    assert staff.cancel(order_with_lines) == []

    order_with_lines.refresh_from_db()
    assert order_with_lines.status == OrderStatus.CANCELED


def test_nothing_is_refused_while_the_channel_is_off(
    staff, make_amazon_order, order_with_lines
):
    make_amazon_order()
    ChannelSettings.objects.update(active=False)

    assert staff.cancel(order_with_lines) == []


def test_ordinary_orders_are_cancelled_as_ever(staff, order_with_lines):
    assert staff.cancel(order_with_lines) == []
