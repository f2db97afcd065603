"""The life of a seller account: marketplaces joined and left, paused, disconnected.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from contract.driver import StaffDriver
from contract.racing import DEADLINE_SECONDS, in_own_connection, wait_until_blocked
from journeys.world import World, running_world
from saleor_amazon_channel import (
    account_changes,
    accounts,
    budget,
    lifecycle,
    status,
    tasks,
)
from saleor_amazon_channel.account_changes import AccountChanges
from saleor_amazon_channel.accounts import AccountError, MarketplaceChanges
from saleor_amazon_channel.amazon.errors import BudgetExhausted
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.importing import importer, pull
from saleor_amazon_channel.ledger import recorder
from saleor_amazon_channel.models import (
    AccessToken,
    AmazonOrder,
    CommunicationLog,
    Marketplace,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET
from saleor_amazon_channel.store.contract import Store
from wire_orders import FRANCE, GERMANY, NOW, wire_item, wire_order

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"
PARTICIPATIONS = "getMarketplaceParticipations"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    """The seller sells in Germany only."""
    with running_world(shop, store, marketplace_ids=[GERMANY]) as world:
        yield world


def sells_in(world: World, *marketplace_ids: str) -> None:
    world.sandbox.state.add_account("EU", marketplace_ids=marketplace_ids)


def work_for(world: World, time: timedelta, step: timedelta) -> None:
    end = NOW + time
    moved = timedelta(0)
    while NOW + moved < end:
        world.work()
        world.move_clock(step)
        moved += step


def marketplaces(world: World) -> dict[str, bool]:
    rows = Marketplace.objects.filter(account=world.account)
    return dict(rows.values_list("marketplace_id", "is_participating"))


# --- marketplaces --------------------------------------------------------------------


def test_a_marketplace_joined_later_appears_and_its_first_orders_are_here(
    world: World,
) -> None:
    work_for(world, timedelta(hours=12), step=timedelta(hours=4))
    sells_in(world, GERMANY, FRANCE)
    # Long before anybody looks, and before the watermark of the scans that follow.
    created = NOW + timedelta(hours=12)
    world.sandbox.state.put_orders(
        [
            wire_order(
                OTHER,
                marketplace_id=FRANCE,
                created=created,
                updated=created,
            )
        ]
    )
    work_for(world, timedelta(hours=8), step=timedelta(hours=4))
    assert marketplaces(world) == {GERMANY: True}
    assert not AmazonOrder.objects.exists()

    work_for(world, timedelta(hours=8), step=timedelta(hours=4))

    assert marketplaces(world) == {GERMANY: True, FRANCE: True}
    order = world.ledger_order(OTHER)
    assert (order.import_state, order.note) == (
        "waiting",
        "The marketplace has no channel, warehouse or shipping method yet: choose them "
        "in its settings.",
    )
    accounts.update_marketplace(
        Marketplace.objects.get(marketplace_id=FRANCE),
        MarketplaceChanges(
            channel=world.channel.slug,
            warehouse_ids=[world.warehouse_id],
            shipping_method_id=world.channel.shipping_methods[0].id,
        ),
    )
    world.work()
    assert world.ledger_order(OTHER).import_state == "imported"
    # On connecting, and once a day.
    assert len(world.sandbox.state.calls(PARTICIPATIONS)) == 2


def test_a_marketplace_that_was_left_is_marked_and_keeps_its_settings(
    world: World,
) -> None:
    sells_in(world, FRANCE)

    # Amazon refuses a search in a marketplace that is not the seller's any more, which
    # is a reason to look at once.
    world.move_clock(timedelta(hours=2))
    world.work()
    world.work()

    assert marketplaces(world) == {GERMANY: False, FRANCE: True}
    assert Marketplace.objects.get(marketplace_id=GERMANY).is_mapped
    world.move_clock(timedelta(minutes=5))
    world.work()
    cursor = SyncCursor.objects.get(account=world.account, stream="orders")
    assert cursor.last_error == ""
    # Back again, it goes on with its settings.
    sells_in(world, FRANCE, GERMANY)
    world.sandbox.state.put_orders(
        [
            wire_order(
                created=NOW + timedelta(hours=2, minutes=5),
                updated=NOW + timedelta(hours=2, minutes=5),
            )
        ]
    )
    world.move_clock(timedelta(days=1))
    world.work()
    world.work()
    assert world.ledger_order(ORDER).import_state == "imported"


def test_a_refusal_that_is_not_about_marketplaces_is_not_asked_about_for_ever(
    world: World,
) -> None:
    before = len(world.sandbox.state.calls(PARTICIPATIONS))
    world.sandbox.state.inject_fault("searchOrders", "unauthorized", count=100)

    for _ in range(12):
        world.move_clock(timedelta(minutes=20))
        world.work()

    # In four hours, at most one an hour.
    assert len(world.sandbox.state.calls(PARTICIPATIONS)) - before == 3


def test_staff_need_not_wait_a_day(world: World) -> None:
    sells_in(world, GERMANY, FRANCE)

    with world.shop.writer():
        accounts.refresh_marketplaces(world.account)

    assert marketplaces(world) == {GERMANY: True, FRANCE: True}


def test_amazon_in_trouble_is_asked_again_and_changes_nothing(world: World) -> None:
    sells_in(world, GERMANY, FRANCE)
    world.sandbox.state.inject_fault(PARTICIPATIONS, "throttled", count=1)
    world.move_clock(timedelta(days=1))
    world.work()
    assert marketplaces(world) == {GERMANY: True}
    assert not CommunicationLog.objects.exists()
    cursor = SyncCursor.objects.get(stream="marketplaces")
    assert cursor.last_error.startswith("getMarketplaceParticipations: 429")

    # One call comes back in 63 seconds.
    world.move_clock(timedelta(minutes=5))
    world.work()
    assert marketplaces(world) == {GERMANY: True, FRANCE: True}


# --- pausing -------------------------------------------------------------------------


def change(world: World, **changes: object) -> SellerAccount:
    with world.shop.writer():
        return account_changes.update(
            SellerAccount.objects.get(pk=world.account.pk), AccountChanges(**changes)
        )


def calls(world: World) -> int:
    return len(world.sandbox.state.calls())


def import_one(world: World, **changes: object) -> str:
    world.sandbox.state.put_orders([wire_order(**changes)])
    world.work()
    return world.ledger_order(ORDER).shop_order_id or ""


def ship(world: World, shop_order_id: str) -> None:
    world.shop.fulfil(
        shop_order_id,
        {world.line_ids(ORDER)["10000000000001"]: 1},
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )


def test_a_paused_account_calls_nobody_and_says_so_and_goes_on_when_resumed(
    world: World,
) -> None:
    shop_order_id = import_one(world)
    change(world, is_paused=True)
    ship(world, shop_order_id)
    before = calls(world)

    for _ in range(30):
        world.move_clock(timedelta(hours=1))
        world.work()

    assert calls(world) == before
    assert OutboxEntry.objects.get().state == "pending"
    [told] = status.read().accounts
    # What has been read is imported.
    assert {each.waits_for for each in told.streams if each.name != "import"} == {
        "Paused: nothing is exchanged with Amazon until the account is resumed."
    }
    with pytest.raises(AccountError) as caught:
        accounts.refresh_marketplaces(SellerAccount.objects.get())
    assert caught.value.code == "inactive"
    assert tasks.due() == []

    world.sandbox.state.put_orders(
        [wire_order(OTHER, updated=NOW + timedelta(hours=20))]
    )
    account = change(world, is_paused=False)
    assert (account.state, account.state_reason) == ("active", "")
    world.work()
    world.work()
    assert OutboxEntry.objects.get().state == "succeeded"
    assert world.ledger_order(OTHER).import_state == "imported"


def test_pausing_ends_a_scan_that_is_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sandbox.state.put_orders(
        [wire_order(f"111-0000002-{n:07}") for n in range(250)]
    )
    record = recorder.record

    def record_and_pause(*arguments: object) -> object:
        SellerAccount.objects.update(state="paused")
        return record(*arguments)

    monkeypatch.setattr(recorder, "record", record_and_pause)

    world.work()

    assert AmazonOrder.objects.count() == 100
    assert len(world.sandbox.state.calls("searchOrders")) == 1
    assert not CommunicationLog.objects.exists()


def test_without_a_token_a_paused_account_does_not_ask_for_one(world: World) -> None:
    AccessToken.objects.all().delete()
    SellerAccount.objects.update(state="paused")
    before = calls(world)

    with pytest.raises(BudgetExhausted):
        pull.search_orders(
            budget.client_for(world.account), last_updated_after=NOW, max_wait_seconds=0
        )

    assert calls(world) == before


# --- credentials ---------------------------------------------------------------------


def test_new_credentials_are_tried_before_they_are_saved(world: World) -> None:
    world.sandbox.state.restore_grant("A1SANDBOXEU", "Atzr|new")

    with pytest.raises(AccountError) as caught:
        change(world, name="Other mugs", refresh_token="Atzr|mistyped")

    assert (caught.value.code, caught.value.field) == (
        "invalid_credentials",
        "refresh_token",
    )
    account = SellerAccount.objects.get()
    assert (account.name, account.refresh_token) == ("Mugs and more", "Atzr|sandbox-EU")

    SellerAccount.objects.update(state="needs_reauthorization", state_reason="So so.")
    change(world, name="Other mugs", refresh_token="Atzr|new")
    account = SellerAccount.objects.get()
    assert (account.name, account.refresh_token) == ("Other mugs", "Atzr|new")
    assert (account.state, account.state_reason) == ("active", "")
    import_one(world)
    assert world.ledger_order(ORDER).import_state == "imported"


def test_a_name_alone_asks_nobody_and_keeps_the_state(world: World) -> None:
    SellerAccount.objects.update(state="needs_reauthorization", state_reason="So so.")
    before = calls(world)

    change(world, name=" Other mugs ")

    account = SellerAccount.objects.get()
    assert (account.name, account.state) == ("Other mugs", "needs_reauthorization")
    assert calls(world) == before


def test_an_earlier_import_from_reads_from_there(world: World) -> None:
    long_ago = NOW - timedelta(days=60)
    world.sandbox.state.put_orders([wire_order(created=long_ago, updated=long_ago)])
    world.work()
    assert not AmazonOrder.objects.exists()

    change(world, import_from=NOW - timedelta(days=90))
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"


def map_again(world: World) -> None:
    accounts.update_marketplace(
        Marketplace.objects.get(marketplace_id=GERMANY),
        MarketplaceChanges(
            channel=world.channel.slug,
            warehouse_ids=[world.warehouse_id],
            shipping_method_id=world.channel.shipping_methods[0].id,
        ),
    )


def unmap(world: World) -> None:
    accounts.update_marketplace(
        Marketplace.objects.get(marketplace_id=GERMANY), MarketplaceChanges(channel="")
    )


@pytest.mark.parametrize(
    ("keep_out", "let_in"),
    [
        (unmap, map_again),
        (
            lambda world: change(world, import_from=NOW - timedelta(hours=2)),
            lambda world: change(world, import_from=NOW - timedelta(days=30)),
        ),
    ],
    ids=["mapping", "import from"],
)
def test_settings_that_change_while_orders_are_judged_are_not_missed(
    world: World, keep_out: Callable[[World], None], let_in: Callable[[World], None]
) -> None:
    keep_out(world)
    created, updated = NOW - timedelta(days=1), NOW - timedelta(hours=1)
    world.sandbox.state.put_orders([wire_order(created=created, updated=updated)])
    world.work()
    AmazonOrder.objects.filter(import_state="waiting").update(import_state="ready")

    def save() -> None:
        with world.shop.writer():
            let_in(world)

    with ThreadPoolExecutor(1) as pool:
        with world.shop.writer(), transaction.atomic():
            assert importer.import_ready().other == 1
            saving = pool.submit(in_own_connection, save)
            wait_until_blocked(saving)
        saving.result(DEADLINE_SECONDS)
    world.work()

    assert world.ledger_order(ORDER).import_state == "imported"


# --- the client secret ---------------------------------------------------------------


def connect_another(world: World) -> SellerAccount:
    """Another seller who authorized the same app."""
    world.sandbox.state.add_account(
        "FE", seller_id="A1OTHER", refresh_token="Atzr|other"
    )
    with world.shop.writer():
        return accounts.connect(
            accounts.Connection(
                name="Cups and more",
                region="FE",
                seller_id="A1OTHER",
                lwa_client_id=CLIENT_ID,
                lwa_client_secret=CLIENT_SECRET,
                refresh_token="Atzr|other",
                endpoint=world.sandbox.url,
                lwa_endpoint=world.sandbox.lwa_url,
            )
        )


def test_a_refused_secret_stops_all_accounts_of_the_app_and_one_new_one_mends_all(
    world: World,
) -> None:
    connect_another(world)
    world.work()
    world.sandbox.state.add_application(CLIENT_ID, "another")
    AccessToken.objects.all().delete()
    world.move_clock(timedelta(minutes=5))

    world.work()

    assert set(SellerAccount.objects.values_list("state", "state_reason")) == {
        (
            "needs_reauthorization",
            "Check the LWA client id and secret; a secret must be rotated every 180 "
            "days. Enter the new secret for one account of the app: the others get it "
            "too.",
        )
    }
    # Amazon was asked once for both.
    before = calls(world)
    world.move_clock(timedelta(hours=1))
    world.work()
    assert calls(world) == before
    assert CommunicationLog.objects.count() == 1

    change(world, lwa_client_secret="another")
    for account in SellerAccount.objects.all():
        assert (account.state, account.lwa_client_secret) == ("active", "another")
    world.work()
    assert {
        cursor.last_error for cursor in SyncCursor.objects.filter(stream="orders")
    } == {""}


def test_a_secret_is_warned_of_from_thirty_days_before_it_expires(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    other = connect_another(world)

    def warnings() -> list[str]:
        return [account.secret_warning for account in status.read().accounts]

    world.move_clock(timedelta(days=149))
    world.work()
    assert warnings() == ["", ""]
    # The same secret once more is no newer.
    change(world, refresh_token="Atzr|sandbox-EU")

    world.move_clock(timedelta(days=1))
    world.work()
    warning = (
        "The client secret of the app expires on 2027-05-19 at the latest: rotate it "
        "in Seller Central and enter the new one."
    )
    assert warnings() == [warning, warning]
    assert f"account {other.pk}: {warning}" in caplog.messages
    world.move_clock(timedelta(days=31))
    assert "expired on 2027-05-19" in warnings()[0]

    world.sandbox.state.add_application(CLIENT_ID, "another")
    change(world, lwa_client_secret="another")
    assert warnings() == ["", ""]


# --- disconnecting -------------------------------------------------------------------


def disconnect(world: World, *, force: bool = False) -> SellerAccount:
    with world.shop.writer():
        return account_changes.disconnect(world.account, force=force)


def connect_again(world: World) -> None:
    with world.shop.writer():
        accounts.connect(
            accounts.Connection(
                name="Mugs and more",
                region="EU",
                seller_id="A1SANDBOXEU",
                lwa_client_id=CLIENT_ID,
                lwa_client_secret=CLIENT_SECRET,
                refresh_token="Atzr|sandbox-EU",
                endpoint=world.sandbox.url,
                lwa_endpoint=world.sandbox.lwa_url,
            )
        )


def test_a_disconnected_account_has_no_secrets_and_goes_on_when_connected_again(
    world: World,
) -> None:
    import_one(world)
    unknown = wire_order(OTHER, items=[wire_item(sku="CUP-9")], updated=NOW)
    world.sandbox.state.put_orders([unknown])
    world.move_clock(timedelta(minutes=5))
    world.work()
    assert world.ledger_order(OTHER).import_state == "blocked"

    disconnect(world)
    before = calls(world)
    for _ in range(30):
        world.move_clock(timedelta(hours=1))
        world.work()

    account = SellerAccount.objects.get()
    assert (account.state, account.state_reason) == (
        "disconnected",
        "Disconnected: connect the account again to go on where it was.",
    )
    assert (account.lwa_client_secret, account.refresh_token) == ("", "")
    assert not AccessToken.objects.exists()
    assert calls(world) == before
    # What was here is here; the shop's order is the shop's alone.
    blocked = world.ledger_order(OTHER)
    assert (blocked.import_state, blocked.blockers, blocked.note) == (
        "waiting",
        [],
        "The seller account is disconnected; the order is imported once it is "
        "connected again.",
    )
    shop_order_id = world.ledger_order(ORDER).shop_order_id or ""
    with pytest.raises(lifecycle.Refused, match="which is disconnected"):
        lifecycle.request_cancellation(ORDER, CancelReason.NO_INVENTORY)
    lifecycle.check_cancellation(shop_order_id)
    with pytest.raises(AccountError) as caught:
        change(world, is_paused=False)
    assert caught.value.message == (
        "The account Mugs and more is disconnected; connect it again."
    )

    # Meanwhile an order came in, and the SKU is known.
    third = "111-0000001-0000003"
    world.sandbox.state.put_orders(
        [wire_order(third, updated=NOW + timedelta(hours=20))]
    )
    world.shop.create_variant(
        "CUP-9", [world.channel.id], stock={world.warehouse_id: 9}
    )
    connect_again(world)
    world.work()
    world.work()
    assert dict(AmazonOrder.objects.values_list("amazon_order_id", "import_state")) == {
        ORDER: "imported",
        OTHER: "imported",
        third: "imported",
    }
    assert world.shop.order_count() == 3
    assert SellerAccount.objects.count() == 1


def test_what_is_not_sent_yet_is_not_given_up_silently(world: World) -> None:
    shop_order_id = import_one(world)
    ship(world, shop_order_id)

    with pytest.raises(AccountError) as caught:
        disconnect(world)

    assert (caught.value.code, caught.value.message) == (
        "unsent",
        "Something is still to be sent to Amazon: 1 confirm shipment. Wait until it "
        "has been, or disconnect by force: then it fails, and has to be done in Seller "
        "Central.",
    )
    assert SellerAccount.objects.get().state == "active"

    disconnect(world, force=True)
    world.work()

    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code, entry.error_message) == (
        "failed",
        "DISCONNECTED",
        "It was not sent to Amazon, since the seller account was disconnected. Do it "
        "in Seller Central.",
    )
    assert world.shop.order(shop_order_id).notes[-1] == entry.error_message
    assert world.ledger_order(ORDER).note == entry.error_message
    assert world.sandbox.state.calls("confirmShipment") == []


def test_what_may_have_reached_amazon_says_so(world: World) -> None:
    shop_order_id = import_one(world)
    ship(world, shop_order_id)
    OutboxEntry.objects.update(state="unknown")

    disconnect(world, force=True)

    assert OutboxEntry.objects.get().error_message == (
        "The seller account was disconnected before Amazon answered. Look in Seller "
        "Central whether it was done."
    )


def test_a_package_of_meanwhile_is_confirmed_once_connected_again(
    world: World,
) -> None:
    shop_order_id = import_one(world)
    disconnect(world)
    ship(world, shop_order_id)
    world.work()
    assert OutboxEntry.objects.get().state == "pending"

    connect_again(world)
    world.work_until_quiet(2)

    assert OutboxEntry.objects.get().state == "succeeded"


# --- grants --------------------------------------------------------------------------


def test_a_revoked_grant_stops_that_account_only_and_says_how_to_authorize_again(
    world: World,
) -> None:
    world.sandbox.state.add_account(
        "EU",
        seller_id="A1OTHER",
        refresh_token="Atzr|other",
        marketplace_ids=[GERMANY],
    )
    with world.shop.writer():
        other = accounts.connect(
            accounts.Connection(
                name="Cups and more",
                region="EU",
                seller_id="A1OTHER",
                lwa_client_id=world.account.lwa_client_id,
                lwa_client_secret=world.account.lwa_client_secret,
                refresh_token="Atzr|other",
                import_from=NOW - timedelta(days=30),
                endpoint=world.sandbox.url,
                lwa_endpoint=world.sandbox.lwa_url,
            )
        )
        mapped = Marketplace.objects.get(account=world.account, marketplace_id=GERMANY)
        accounts.update_marketplace(
            other.marketplaces.get(marketplace_id=GERMANY),
            MarketplaceChanges(
                channel=mapped.channel_id,
                warehouse_ids=mapped.warehouse_ids,
                shipping_method_id=mapped.shipping_method_id,
            ),
        )
    world.work()
    world.sandbox.state.revoke_grant("A1SANDBOXEU")
    later = NOW + timedelta(hours=1)
    for order_id, seller_id in ((ORDER, "A1SANDBOXEU"), (OTHER, "A1OTHER")):
        world.sandbox.state.put_orders(
            [wire_order(order_id, updated=later)], seller_id=seller_id
        )
    # Its access token has an hour at most.
    for _ in range(2):
        world.move_clock(timedelta(hours=2))
        world.work()

    assert dict(SellerAccount.objects.values_list("seller_id", "state")) == {
        "A1SANDBOXEU": "needs_reauthorization",
        "A1OTHER": "active",
    }
    assert SellerAccount.objects.get(seller_id="A1SANDBOXEU").state_reason == (
        "Authorize the app again in Seller Central and enter the new refresh token."
    )
    assert world.ledger_order(OTHER).import_state == "imported"
    assert not AmazonOrder.objects.filter(amazon_order_id=ORDER).exists()
    with pytest.raises(AccountError) as caught:
        accounts.refresh_marketplaces(
            SellerAccount.objects.get(seller_id="A1SANDBOXEU")
        )
    assert (caught.value.code, caught.value.message) == (
        "inactive",
        "The account Mugs and more is not active. Authorize the app again in Seller "
        "Central and enter the new refresh token.",
    )

    # Authorized again, it goes on where it was.
    world.sandbox.state.restore_grant("A1SANDBOXEU", "Atzr|new")
    with world.shop.writer():
        accounts.connect(
            accounts.Connection(
                name="Mugs and more",
                region="EU",
                seller_id="A1SANDBOXEU",
                lwa_client_id=world.account.lwa_client_id,
                lwa_client_secret=world.account.lwa_client_secret,
                refresh_token="Atzr|new",
                endpoint=world.sandbox.url,
                lwa_endpoint=world.sandbox.lwa_url,
            )
        )
    world.work()
    assert world.ledger_order(ORDER).import_state == "imported"
