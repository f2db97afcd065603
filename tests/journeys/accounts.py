"""The life of a seller account: marketplaces joined and left, grants revoked.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts
from saleor_amazon_channel.accounts import AccountError, MarketplaceChanges
from saleor_amazon_channel.models import (
    AmazonOrder,
    CommunicationLog,
    Marketplace,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.store.contract import Store
from wire_orders import FRANCE, GERMANY, NOW, wire_order

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
