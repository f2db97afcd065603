"""Stock: what the shop's warehouses have becomes the quantity of Amazon's listings.

Run in both shops: see ``world``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import accounts, clock
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import (
    AmazonListing,
    CommunicationLog,
    Feed,
    Marketplace,
    OutboxEntry,
    SkuMapping,
)
from saleor_amazon_channel.pushing import by_hand, runner, stock
from saleor_amazon_channel.sandbox import listings
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.store.contract import Store
from wire_orders import GERMANY, wire_item, wire_order

FRANCE = "A13V1IB3VIYZZH"
SELLER = "A1SANDBOXEU"
ORDER = "111-0000004-0000001"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store, stock=20) as world:
        yield world


def listed(world: World, sku: str, **how: object) -> listings.StoredListing:
    how.setdefault("marketplace_ids", [GERMANY])
    return listings.put(world.sandbox.state, SELLER, sku, **how)  # type: ignore[arg-type]


def send_stock(world: World, marketplace_id: str = GERMANY, **changes: object) -> None:
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(
                account=world.account, marketplace_id=marketplace_id
            ),
            accounts.MarketplaceChanges(send_stock=True, **changes),  # type: ignore[arg-type]
        )


def work(world: World, times: int = 2, step: timedelta = timedelta(minutes=3)) -> None:
    for _ in range(times):
        world.work()
        world.move_clock(step)


def on_amazon(world: World, sku: str) -> int | None:
    return world.sandbox.state.listings[SELLER, sku].quantity


def row(sku: str, marketplace_id: str = GERMANY) -> AmazonListing:
    return AmazonListing.objects.get(seller_sku=sku, marketplace_id=marketplace_id)


def set_stock(world: World, sku: str, quantity: int) -> None:
    variant_id = world.store.resolve_skus({world.channel.id: [sku]})[world.channel.id][
        sku
    ].variant_id
    world.shop.set_stock(variant_id or "", world.warehouse_id, quantity)


def buy(world: World, status: str = "UNSHIPPED", quantity: int = 1) -> None:
    """Somebody orders mugs on Amazon now."""
    now = clock.now()
    items = [wire_item(quantity=quantity)]
    order = wire_order(ORDER, status=status, items=items, created=now, updated=now)
    world.sandbox.state.put_orders([order])
    world.move_clock(timedelta(minutes=5))


def calls(world: World, operation: str) -> int:
    return len(world.sandbox.state.calls(operation))


def test_amazon_hears_nothing_of_stock_unless_it_is_switched_on(world: World) -> None:
    listed(world, "MUG-1", quantity=3)

    work(world)

    assert on_amazon(world, "MUG-1") == 3
    assert not calls(world, "searchListingsItems")
    assert not OutboxEntry.objects.exists()


def test_what_the_warehouses_have_is_what_amazon_offers(world: World) -> None:
    listed(world, "MUG-1", quantity=3)
    listed(world, "MUG-2", quantity=99)
    send_stock(world)

    work(world)

    assert (on_amazon(world, "MUG-1"), on_amazon(world, "MUG-2")) == (20, 20)
    listing = row("MUG-1")
    assert (listing.state, listing.quantity, listing.sent_quantity) == ("sent", 20, 20)
    assert listing.note == ""
    # What Amazon then shows is read with the next comparison.
    assert listing.amazon_quantity == 20
    entry = OutboxEntry.objects.get(listing=listing)
    assert (entry.kind, entry.state) == ("stock", "succeeded")
    assert entry.reported_at


def test_a_change_is_sent_once_and_then_nothing(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    world.sandbox.state.clear_calls()

    set_stock(world, "MUG-1", 7)
    work(world, 4)

    assert on_amazon(world, "MUG-1") == 7
    assert calls(world, "patchListingsItem") == 1
    assert not calls(world, "createFeed")


def test_of_several_changes_that_were_not_sent_the_last_is(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", "unavailable", count=20)
    work(world, 1)
    for quantity in (9, 8, 4):
        set_stock(world, "MUG-1", quantity)
        work(world, 1)
    world.sandbox.state.clear_faults()

    work(world, 8)

    assert on_amazon(world, "MUG-1") == 4
    changes = world.sandbox.state.listings[SELLER, "MUG-1"].changes
    assert [each["value"][0]["quantity"] for each in changes][-1] == 4
    states = OutboxEntry.objects.order_by("pk").values_list("state", flat=True)
    assert states.last() == "succeeded"
    assert set(states) <= {"superseded", "succeeded"}


def test_the_handling_time_of_a_listing_stays(world: World) -> None:
    listed(world, "MUG-1", quantity=3, lead_time_to_ship_max_days=4)
    send_stock(world)

    work(world)

    assert world.sandbox.state.listings[SELLER, "MUG-1"].availability == [
        {
            "fulfillment_channel_code": "DEFAULT",
            "quantity": 20,
            "lead_time_to_ship_max_days": 4,
        }
    ]


# --- how many ------------------------------------------------------------------------


def test_units_are_held_back_and_few_are_none(world: World) -> None:
    listed(world, "MUG-1")
    listed(world, "MUG-2")
    set_stock(world, "MUG-2", 7)
    send_stock(world, stock_safety_quantity=5, stock_floor=3)

    work(world)

    assert on_amazon(world, "MUG-1") == 15
    assert on_amazon(world, "MUG-2") == 0


def test_every_sku_of_a_variant_is_told_multipacks_in_packs(world: World) -> None:
    listed(world, "MUG-1")
    listed(world, "MUG-1 x6")
    variant_id = world.store.resolve_skus({world.channel.id: ["MUG-1"]})[
        world.channel.id
    ]["MUG-1"].variant_id
    with world.shop.writer():
        SkuMapping.objects.create(
            account=world.account,
            seller_sku="MUG-1 x6",
            variant_id=variant_id,
            units=6,
        )
    send_stock(world)

    work(world)

    assert (on_amazon(world, "MUG-1"), on_amazon(world, "MUG-1 x6")) == (20, 3)


def test_what_is_ordered_and_not_imported_yet_is_taken_off(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    pending = wire_order(ORDER, status="PENDING", items=[wire_item(quantity=3)])
    world.sandbox.state.put_orders([pending])

    work(world)

    assert on_amazon(world, "MUG-1") == 17


def test_an_order_lowers_it_by_its_units_once(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    buy(world, quantity=3)

    work(world, 4)

    assert world.ledger_order(ORDER).import_state == "imported"
    assert on_amazon(world, "MUG-1") == 17


@pytest.mark.parametrize(
    "reason", [CancelReason.NO_INVENTORY, CancelReason.PRICING_ERROR]
)
def test_a4_after_a_cancellation_the_true_quantity_is_sent_again(
    world: World, reason: CancelReason
) -> None:
    listed(world, "MUG-1")
    world.sandbox.state.put_orders([wire_order(ORDER, items=[wire_item(quantity=3)])])
    send_stock(world)
    work(world, 3)
    assert on_amazon(world, "MUG-1") == 17

    with world.shop.writer():
        request_cancellation(ORDER, reason)
    work(world, 6)

    assert world.shop.order(world.ledger_order(ORDER).shop_order_id).status == (
        "canceled"
    )
    assert on_amazon(world, "MUG-1") == 20
    assert row("MUG-1").sent_quantity == 20


def test_a_number_that_is_the_same_is_sent_again_when_amazons_is_another(
    world: World,
) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    listings.put_back(world.sandbox.state, SELLER, {"MUG-1": 3})
    # Cancelled before the shop had it: here nothing has changed.
    buy(world, status="CANCELLED", quantity=3)

    work(world, 3)

    assert on_amazon(world, "MUG-1") == 20


# --- which of them -------------------------------------------------------------------


def test_what_amazon_ships_is_never_touched(world: World) -> None:
    listed(world, "MUG-1", channel="AMAZON_EU")
    listed(world, "MUG-2", quantity=None)
    send_stock(world)

    work(world)

    assert not world.sandbox.state.listings[SELLER, "MUG-1"].changes
    assert not world.sandbox.state.listings[SELLER, "MUG-2"].changes
    assert row("MUG-1").state == "amazon_fulfilled"
    assert row("MUG-2").state == "not_fulfilled"
    assert "Seller Central" in row("MUG-2").note
    assert not OutboxEntry.objects.exists()


def test_what_becomes_amazons_to_ship_is_not_written_any_more(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    world.sandbox.state.listings[SELLER, "MUG-1"].changes.clear()
    listed(world, "MUG-1", channel="AMAZON_EU")
    set_stock(world, "MUG-1", 5)

    work(world, 3)

    assert not world.sandbox.state.listings[SELLER, "MUG-1"].changes
    assert row("MUG-1").state == "amazon_fulfilled"

    listed(world, "MUG-1", quantity=1)
    work(world, 3)
    assert on_amazon(world, "MUG-1") == 5


def test_a_sku_that_the_shop_does_not_know_is_shown(world: World) -> None:
    listed(world, "GHOST", quantity=4)
    send_stock(world)

    work(world)

    assert on_amazon(world, "GHOST") == 4
    assert row("GHOST").state == "unknown_sku"
    assert "GHOST" in row("GHOST").note


def test_a_listing_that_is_gone_is_shown_and_not_tried_for_ever(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    listings.delete(world.sandbox.state, SELLER, "MUG-1")
    world.sandbox.state.clear_calls()
    for quantity in (9, 8, 4):
        set_stock(world, "MUG-1", quantity)
        work(world, 2)

    assert row("MUG-1").state == "not_listed"
    assert calls(world, "patchListingsItem") == 1
    assert OutboxEntry.objects.filter(state="failed").count() == 1

    listed(world, "MUG-1", quantity=1)
    work(world, 3)
    assert on_amazon(world, "MUG-1") == 4
    assert row("MUG-1").state == "sent"


def test_a_refusal_is_shown_and_tried_again_by_hand(world: World) -> None:
    listed(world, "MUG-1")
    listings.refuse(world.sandbox.state, "MUG-1", "The brand is gated.")
    send_stock(world)
    work(world, 4)

    listing = row("MUG-1")
    assert listing.state == "refused"
    assert "The brand is gated." in listing.note
    assert calls(world, "patchListingsItem") == 1

    listings.refuse(world.sandbox.state, "MUG-1", "")
    set_stock(world, "MUG-1", 6)
    failed = OutboxEntry.objects.get(state="failed")
    with world.shop.writer():
        by_hand.retry([failed.pk], "staff")
    work(world, 3)

    assert on_amazon(world, "MUG-1") == 6
    assert row("MUG-1").state == "sent"
    assert not OutboxEntry.objects.filter(state="failed").exists()


def test_another_number_goes_to_a_listing_that_refused_one(world: World) -> None:
    listed(world, "MUG-1", quantity=3)
    listings.refuse(world.sandbox.state, "MUG-1", "The brand is gated.")
    send_stock(world)
    work(world, 4)
    assert calls(world, "patchListingsItem") == 1
    listings.refuse(world.sandbox.state, "MUG-1", "")

    # Nobody has looked at it: what is sold out must not be offered for that.
    set_stock(world, "MUG-1", 0)
    work(world, 4)

    assert on_amazon(world, "MUG-1") == 0
    listing = row("MUG-1")
    assert (listing.state, listing.note) == ("sent", "")
    assert calls(world, "patchListingsItem") == 2


@pytest.mark.parametrize(
    ("fault", "state", "listing_state"),
    # A role that is missing is waited for; what is wrong with the request is not.
    [("unauthorized", "pending", "sent"), ("html_400", "failed", "refused")],
)
def test_a_call_that_amazon_refuses_is_shown_and_holds_up_nothing(
    world: World, fault: str, state: str, listing_state: str
) -> None:
    for sku in ("MUG-1", "MUG-2"):
        listed(world, sku, quantity=3)
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", fault, count=1)

    world.work()

    entry = OutboxEntry.objects.get(listing__seller_sku="MUG-1")
    assert (entry.state, entry.claim_token) == (state, None)
    assert "patchListingsItem: 40" in entry.error_message
    assert row("MUG-1").state == listing_state
    assert CommunicationLog.objects.get().operation == "stock"
    assert on_amazon(world, "MUG-2") == 20

    work(world, 2)
    assert on_amazon(world, "MUG-1") == (20 if state == "pending" else 3)


def test_what_staff_discard_is_not_sent_until_the_stock_changes(world: World) -> None:
    listed(world, "MUG-1", quantity=3)
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", "unavailable", count=200)
    work(world, 1)
    world.sandbox.state.clear_faults()
    with world.shop.writer():
        by_hand.discard([OutboxEntry.objects.get().pk], "staff")
    work(world, 3)

    assert on_amazon(world, "MUG-1") == 3
    assert row("MUG-1").state == "sent"
    assert row("MUG-1").sent_quantity is None

    set_stock(world, "MUG-1", 5)
    work(world)
    assert on_amazon(world, "MUG-1") == 5


def test_one_number_for_the_marketplaces_that_share_it(world: World) -> None:
    listed(world, "MUG-1", marketplace_ids=[GERMANY, FRANCE])
    with world.shop.writer():
        channel = world.shop.create_channel("amazon-fr", "EUR", country="FR")
        accounts.update_marketplace(
            Marketplace.objects.get(account=world.account, marketplace_id=FRANCE),
            accounts.MarketplaceChanges(
                channel=channel.slug,
                warehouse_ids=[channel.warehouses[0].id],
                shipping_method_id=channel.shipping_methods[0].id,
            ),
        )
    variant_id = row_variant(world, "MUG-1")
    world.shop.set_stock(variant_id, channel.warehouses[0].id, 4)
    send_stock(world)
    send_stock(world, FRANCE)

    work(world, 3)

    # The lowest: neither can sell what it does not have.
    assert on_amazon(world, "MUG-1") == 4
    assert {row("MUG-1").quantity, row("MUG-1", FRANCE).quantity} == {4}


def row_variant(world: World, sku: str) -> str:
    found = world.store.resolve_skus({world.channel.id: [sku]})
    return found[world.channel.id][sku].variant_id or ""


# --- many, and what goes wrong -------------------------------------------------------


def many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "MANY", 2)
    for sku in ("MUG-1", "MUG-2"):
        listed(world, sku)
    send_stock(world)


def test_many_go_by_one_feed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many(world, monkeypatch)
    listed(world, "GHOST-2")
    listings.refuse(world.sandbox.state, "MUG-2", "The brand is gated.")

    work(world, 4)

    assert on_amazon(world, "MUG-1") == 20
    assert (calls(world, "createFeed"), calls(world, "patchListingsItem")) == (1, 0)
    assert row("MUG-1").sent_quantity == 20
    assert row("MUG-2").state == "refused"
    assert "The brand is gated." in row("MUG-2").note
    [feed] = Feed.objects.all()
    assert feed.marketplace_ids == [GERMANY]
    assert feed.note == "1 of 2 messages succeeded."


def test_what_a_lost_feed_did_is_read_and_the_rest_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(world, monkeypatch)
    world.sandbox.state.feeds.determine(Fate("fatal_partly"))

    work(world, 6)

    assert (on_amazon(world, "MUG-1"), on_amazon(world, "MUG-2")) == (20, 20)
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"succeeded"}
    # The half that was applied was not sent again.
    sent = [len(world.sandbox.state.listings[SELLER, s].changes) for s in SKUS]
    assert sent == [1, 1]


SKUS = ("MUG-1", "MUG-2")


def test_what_a_lost_feed_of_a_thousand_did_is_read_twenty_at_a_time(
    world: World,
) -> None:
    skus = [f"M-{number:04}" for number in range(1000)]
    variant_id = row_variant(world, "MUG-1")
    with world.shop.writer():
        SkuMapping.objects.bulk_create(
            SkuMapping(
                account=world.account, seller_sku=sku, variant_id=variant_id, units=1
            )
            for sku in skus
        )
    for sku in skus:
        listed(world, sku)
    send_stock(world)
    world.sandbox.state.feeds.determine(Fate("fatal_partly"))
    work(world, 1)
    assert Feed.objects.get().entries.count() == 1000
    world.sandbox.state.clear_calls()

    read = []
    for _ in range(4):
        with world.shop.writer():
            runner.push()
        read.append(calls(world, "searchListingsItems"))
        world.move_clock(timedelta(minutes=1))

    # In a run 25, which take five seconds, so that nobody else waits for long.
    assert read == [25, 50, 50, 50], f"{read}"
    assert {on_amazon(world, sku) for sku in skus} == {20}
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"succeeded"}
    # The half that was applied was not sent again.
    sent = [len(world.sandbox.state.listings[SELLER, sku].changes) for sku in skus]
    assert set(sent) == {1}
    assert calls(world, "createFeed") == 1
    assert not calls(world, "getListingsItem")
    assert not calls(world, "patchListingsItem")


def test_one_that_the_search_does_not_have_is_read_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be gone, or the search lags, or its SKU has a comma."""
    monkeypatch.setattr(stock, "MANY", 2)
    variant_id = row_variant(world, "MUG-1")
    with world.shop.writer():
        SkuMapping.objects.create(
            account=world.account, seller_sku="M,1", variant_id=variant_id, units=1
        )
    for sku in ("M,1", "MUG-1", "MUG-2"):
        listed(world, sku)
    send_stock(world)
    world.sandbox.state.feeds.determine(Fate("fatal"))
    work(world, 1)
    listings.delete(world.sandbox.state, SELLER, "MUG-2")
    work(world, 6)

    assert (on_amazon(world, "MUG-1"), on_amazon(world, "M,1")) == (20, 20)
    assert row("MUG-2").state == "not_listed"
    assert calls(world, "getListingsItem") == 2


@pytest.mark.parametrize(
    "fault", ["html_400", "throttled", "unavailable", "unauthorized"]
)
def test_a_search_that_fails_leaves_nothing_open(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    many(world, monkeypatch)
    world.sandbox.state.feeds.determine(Fate("fatal_partly"))
    work(world, 1)
    world.sandbox.state.inject_fault("searchListingsItems", fault, count=3)

    work(world, 14)

    assert (on_amazon(world, "MUG-1"), on_amazon(world, "MUG-2")) == (20, 20)
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"succeeded"}
    assert not OutboxEntry.objects.exclude(claim_token=None).exists()


def test_a_number_waits_for_the_feed_that_has_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(world, monkeypatch)
    world.sandbox.state.feeds.determine(Fate("stuck", seconds=1800))
    work(world, 1)
    assert Feed.objects.get().state == "submitted"
    set_stock(world, "MUG-1", 5)

    work(world, 3)
    assert not calls(world, "patchListingsItem")
    work(world, 12)

    assert on_amazon(world, "MUG-1") == 5
    changes = world.sandbox.state.listings[SELLER, "MUG-1"].changes
    assert [each["value"][0]["quantity"] for each in changes] == [20, 5]


def test_numbers_are_not_sent_once_they_are_old(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", "unavailable", count=200)
    work(world, 1)
    world.sandbox.state.clear_faults()
    world.sandbox.state.inject_fault("searchListingsItems", "unavailable", count=200)
    set_stock(world, "MUG-1", 1)
    world.move_clock(timedelta(hours=1))

    work(world, 3)

    assert on_amazon(world, "MUG-1") == 0
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.error_code) == ("pending", "NOT_COMPARED")

    world.sandbox.state.clear_faults()
    world.move_clock(timedelta(hours=1))
    work(world, 3)
    assert on_amazon(world, "MUG-1") == 1


def test_switched_off_nothing_more_is_sent_and_on_again_all(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    work(world)
    set_stock(world, "MUG-1", 6)
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(account=world.account, marketplace_id=GERMANY),
            accounts.MarketplaceChanges(send_stock=False),
        )
    work(world, 3)
    assert on_amazon(world, "MUG-1") == 20

    # Somebody wrote the number in Seller Central meanwhile.
    set_stock(world, "MUG-1", 20)
    listed(world, "MUG-1", quantity=1)
    send_stock(world)
    work(world)
    assert on_amazon(world, "MUG-1") == 20


def test_an_app_without_the_role_says_so(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    world.sandbox.state.inject_fault("searchListingsItems", "unauthorized", count=5)

    work(world)

    assert not OutboxEntry.objects.exists()
    assert CommunicationLog.objects.first().operation == "searchListingsItems"
    # It is tried again by itself.
    world.sandbox.state.clear_faults()
    world.move_clock(timedelta(hours=1))
    work(world)
    assert on_amazon(world, "MUG-1") == 20


def test_a_call_that_amazon_refuses_is_shown_and_ends(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", "html_400")

    work(world, 3)

    entry = OutboxEntry.objects.get()
    assert entry.state == "failed"
    assert row("MUG-1").state == "refused"
    assert row("MUG-1").note == entry.error_message
    assert CommunicationLog.objects.get().operation == "stock"


def test_a_role_that_the_app_gets_is_waited_for(world: World) -> None:
    listed(world, "MUG-1")
    send_stock(world)
    world.sandbox.state.inject_fault("patchListingsItem", "unauthorized")

    work(world, 1)
    assert OutboxEntry.objects.get().state == "pending"
    assert CommunicationLog.objects.get().operation == "stock"
    work(world, 2)

    assert OutboxEntry.objects.get().state == "succeeded"
    assert on_amazon(world, "MUG-1") == 20
