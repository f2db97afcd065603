"""What is known of a buyer is deleted in time, here and in the shop, and stays deleted.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import account_changes, lifecycle, redaction
from saleor_amazon_channel import store as shops
from saleor_amazon_channel.graphql.ids import to_global
from saleor_amazon_channel.importing import address_edit, importer
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Marketplace,
    OutboxEntry,
    SellerAccount,
)
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import AddressDraft, Store
from wire_orders import FRANCE, GERMANY, NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
#: What nobody may find any more. The postal code is of the test's own.
PERSON = ("Änne", "Müller", "Hauptstr", "10997", "Herzlichen", "marketplace.amazon")
DELIVERY = timedelta(days=5)


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def bought(order_id: str = ORDER, **changes: Any) -> dict[str, Any]:
    order = wire_order(order_id, **changes)
    order["recipient"]["deliveryAddress"]["postalCode"] = "10997"
    order["orderItems"][0]["fulfillment"]["packing"] = {
        "giftOption": {"giftMessage": "Herzlichen Glückwunsch"}
    }
    # What the channel has never heard of may be the buyer's too.
    order["unknownNewField"] = {"buyerNote": "Herzlichen Dank"}
    latest = (NOW + DELIVERY).isoformat().replace("+00:00", "Z")
    order["fulfillment"]["deliverByWindow"] = {"latestDateTime": latest}
    return order


def come_in(world: World, *orders: dict[str, Any]) -> None:
    world.sandbox.state.put_orders(orders)
    world.work()


def pass_days(world: World, days: int) -> None:
    """With a round of work every day, as the workers have it."""
    for _ in range(days):
        world.move_clock(timedelta(days=1))
        world.work()


def shop_order_id(world: World, order_id: str = ORDER) -> str:
    return world.ledger_order(order_id).shop_order_id or ""


def texts_of(world: World, order_id: str = ORDER) -> str:
    """All that we have of it, decrypted, and its view in the shop."""
    row = world.ledger_order(order_id)
    texts = [
        str(getattr(row, field.name)) for field in AmazonOrder._meta.concrete_fields
    ]
    texts += [str(each.__dict__) for each in row.events.all()]
    texts += [
        str(each.__dict__) + str(each.personal) for each in row.outbox_entries.all()
    ]
    if row.shop_order_id:
        texts.append(repr(world.shop.order(row.shop_order_id)))
        view = world.shop.order(row.shop_order_id)
        for address in (view.shipping_address, view.billing_address):
            if address:
                texts += [getattr(address, name) for name in address.__slots__]
    return "\n".join(texts)


def known(world: World, order_id: str = ORDER) -> list[str]:
    text = texts_of(world, order_id)
    return [each for each in PERSON if each in text]


def is_redacted(world: World, order_id: str = ORDER) -> bool:
    return world.ledger_order(order_id).redacted_at is not None


def test_buyers_are_deleted_thirty_days_after_the_delivery_and_not_before(
    world: World,
) -> None:
    come_in(world, bought())
    order_id = shop_order_id(world)
    world.shop.fulfil(
        order_id,
        {world.line_ids(ORDER)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    pass_days(world, 34)
    before = world.shop.order(order_id)
    assert not is_redacted(world)
    assert {"Änne", "Müller", "10997"} <= set(known(world))

    pass_days(world, 2)

    assert is_redacted(world)
    assert known(world) == []
    after = world.shop.order(order_id)
    assert (after.total, after.lines, after.transactions, after.notes) == (
        before.total,
        before.lines,
        before.transactions,
        before.notes,
    )
    assert after.shipping_address
    assert (after.shipping_address.city, after.shipping_address.country) == (
        "Berlin",
        "DE",
    )
    assert world.shop.search("Müller") == []
    assert world.shop.search(ORDER) == [order_id]
    assert world.ledger_order(ORDER).events.filter(type="redacted").count() == 1
    assert world.shop.emails() == []
    # It never comes back as something that staff did.
    assert OutboxEntry.objects.count() == 1
    with world.shop.writer():
        assert lifecycle.sweep() == 0


def test_a_redacted_order_that_changes_on_amazon_does_not_get_its_buyer_back(
    world: World,
) -> None:
    come_in(world, bought())
    with world.shop.writer():
        redaction.redact_named([ORDER], force=True)
    assert is_redacted(world)

    events.ship(world.sandbox.state, ORDER, tracking_number="SC-1")

    def move(order: dict[str, Any]) -> None:
        order["recipient"]["deliveryAddress"]["addressLine1"] = "Hauptstr. 99"

    world.sandbox.state.change_order(ORDER, move)
    pass_days(world, 2)

    assert known(world) == []
    # What it is about otherwise did arrive.
    assert world.ledger_order(ORDER).fulfillment_status == "SHIPPED"
    assert world.shop.order(shop_order_id(world)).status == "fulfilled"
    assert world.shop.order(shop_order_id(world)).total.gross == Decimal("19.90")


def test_orders_that_never_came_into_the_shop_are_redacted_too(world: World) -> None:
    blocked = bought(ORDER, status="SHIPPED", items=[wire_item(sku="CUP-9")])
    waiting = bought(OTHER, status="SHIPPED", marketplace_id=FRANCE)
    come_in(world, blocked, waiting)
    assert [world.ledger_order(each).import_state for each in (ORDER, OTHER)] == [
        "blocked",
        "waiting",
    ]

    pass_days(world, 36)

    for order_id in (ORDER, OTHER):
        assert is_redacted(world, order_id)
        assert known(world, order_id) == []
    # Once its cause has gone it is not imported without an address, and says why.
    world.shop.create_variant(
        "CUP-9", [world.channel.id], stock={world.warehouse_id: 9}
    )
    importer.retry([ORDER])
    world.work()
    order = world.ledger_order(ORDER)
    assert (order.import_state, order.note) == ("waiting", address_edit.REDACTED)
    address = AddressDraft("A", "B", "", "C 1", "", "Berlin", "", "", "10115", "DE", "")
    with pytest.raises(address_edit.AddressRefused):
        address_edit.replace_address(ORDER, address, "staff")
    assert world.ledger_order(ORDER).staff_address == {}


def test_cancelled_orders_are_redacted_thirty_days_after(world: World) -> None:
    come_in(world, bought())
    events.cancel(world.sandbox.state, ORDER)
    pass_days(world, 29)
    assert not is_redacted(world)

    pass_days(world, 2)

    assert is_redacted(world)
    assert known(world) == []


@pytest.mark.parametrize("latest", ["1970-01-01T00:00:00Z", "2026-11-19T12:00:00Z"])
def test_an_order_that_is_still_to_be_shipped_keeps_its_address(
    world: World, latest: str
) -> None:
    late = bought()
    late["fulfillment"]["deliverByWindow"] = {"latestDateTime": latest}
    late["fulfillment"]["shipByWindow"] = {"latestDateTime": latest}
    come_in(world, late)

    pass_days(world, 40)

    assert not is_redacted(world)
    address = world.shop.order(shop_order_id(world)).shipping_address
    assert address
    assert (address.last_name, address.postal_code) == ("Müller", "10997")
    # Amazon cancels it in the end, and it is kept no longer than others.
    events.cancel(world.sandbox.state, ORDER)
    pass_days(world, 32)
    assert is_redacted(world)


def test_an_order_that_nothing_is_heard_of_any_more_is_redacted_in_the_end(
    world: World,
) -> None:
    come_in(world, bought(), bought(OTHER))
    SellerAccount.objects.update(state="paused")
    with world.shop.writer():
        world.move_clock(DELIVERY + timedelta(days=269))
        assert redaction.redact_due() == 0
        world.move_clock(timedelta(days=2))
        assert redaction.redact_due() == 2


def test_nobody_ships_the_orders_of_a_disconnected_account(world: World) -> None:
    come_in(world, bought())
    with world.shop.writer():
        account_changes.disconnect(world.account)

    pass_days(world, 36)

    assert is_redacted(world)


def test_a_marketplace_may_keep_them_for_a_shorter_time(world: World) -> None:
    Marketplace.objects.filter(marketplace_id=GERMANY).update(
        buyer_data_retention_days=3
    )
    come_in(world, bought(status="SHIPPED"))
    come_in(world, bought(OTHER, status="SHIPPED", marketplace_id=FRANCE))
    pass_days(world, 7)
    assert not is_redacted(world)

    pass_days(world, 2)

    assert (is_redacted(world), is_redacted(world, OTHER)) == (True, False)


def test_neither_a_switched_off_channel_nor_a_stopped_account_keeps_them(
    world: World,
) -> None:
    come_in(world, bought(status="SHIPPED"))
    ChannelSettings.objects.update(active=False)
    SellerAccount.objects.update(state="paused")

    pass_days(world, 36)

    assert is_redacted(world)
    assert known(world) == []


def test_amazons_request_is_carried_out_at_once_and_once(world: World) -> None:
    come_in(world, bought(status="SHIPPED"), bought(OTHER))

    with world.shop.writer():
        assert redaction.redact_named([ORDER, "111-0000009-0000009"]) == 1
        assert redaction.redact_named([ORDER]) == 1

    assert known(world) == []
    assert world.ledger_order(ORDER).events.filter(type="redacted").count() == 1
    assert "Müller" in known(world, OTHER)
    with (
        world.shop.writer(),
        pytest.raises(redaction.StillToBeShippedError, match=OTHER),
    ):
        redaction.redact_named([OTHER])
    assert "Müller" in known(world, OTHER)
    with world.shop.writer():
        redaction.redact_named([OTHER], force=True)
    assert known(world, OTHER) == []


REDACT = """
mutation ($id: ID!, $force: Boolean) {
  amazonOrderRedact(id: $id, force: $force) {
    amazonOrder { isRedacted buyerName }
    errors { field code }
  }
}
"""


def test_staff_delete_a_buyer_by_the_api(world: World) -> None:
    come_in(world, bought(status="SHIPPED"), bought(OTHER))

    def redact(order_id: str, **options: bool) -> Any:
        row = world.ledger_order(order_id)
        variables = {"id": to_global("AmazonOrder", row.pk), **options}
        return world.shop.ask(REDACT, **variables)["amazonOrderRedact"]

    deleted = {"amazonOrder": {"isRedacted": True, "buyerName": None}, "errors": []}
    assert redact(ORDER) == deleted
    assert known(world) == []
    event = world.ledger_order(ORDER).events.get(type="redacted")
    assert event.actor

    assert redact(OTHER) == {
        "amazonOrder": None,
        "errors": [{"field": None, "code": "NOT_SHIPPED"}],
    }
    assert "Müller" in known(world, OTHER)
    ChannelSettings.objects.update(active=False)
    assert redact(OTHER, force=True) == deleted
    assert known(world, OTHER) == []


def test_one_that_fails_keeps_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_in(world, bought(status="SHIPPED"), bought(OTHER, status="SHIPPED"))
    broken, redact = shop_order_id(world), world.store.redact_orders

    def fail(order_ids: list[str]) -> None:
        if broken in order_ids:
            raise ValueError("Änne Müller")
        redact(order_ids)

    monkeypatch.setattr(shops.current(), "redact_orders", fail)
    world.move_clock(timedelta(days=40))
    with world.shop.writer():
        assert redaction.redact_due() == 1

    assert (is_redacted(world), is_redacted(world, OTHER)) == (False, True)


def test_what_staff_wrote_to_the_buyer_goes_with_it(world: World) -> None:
    come_in(world, bought(status="SHIPPED"))
    order = world.ledger_order(ORDER)
    OutboxEntry.objects.create(
        account_id=order.account_id,
        order=order,
        kind="buyer_message",
        idempotency_key="k",
        payload={"action": "CONFIRM_ORDER_DETAILS"},
        personal={"text": "Liebe Änne Müller", "files": []},
    )
    with world.shop.writer():
        redaction.redact_named([ORDER])

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code, entry.personal) == ("failed", "REDACTED", {})
    assert known(world) == []


def test_orders_of_before_there_was_redaction_are_found(world: World) -> None:
    come_in(world, bought(status="SHIPPED"))
    AmazonOrder.objects.update(delivered_by=None)
    world.move_clock(timedelta(days=36))

    with world.shop.writer():
        assert redaction.redact_due() == 1

    assert world.ledger_order(ORDER).delivered_by == NOW + DELIVERY
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT personal, buyer_name, staff_address, superseded_recipient "
            "FROM saleor_amazon_channel_amazonorder"
        )
        assert cursor.fetchall() == [("", "", "", "")]


def test_a_disconnected_account_is_redacted_too(world: World) -> None:
    come_in(world, bought(status="SHIPPED"))
    with world.shop.writer():
        account_changes.disconnect(world.account)

    pass_days(world, 36)

    assert is_redacted(world)
