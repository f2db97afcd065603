"""News of an imported order of which a part cannot be followed in the shop.

Run in both shops: see ``news.world``, whose module is imported beside this one.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from journeys.news import FIRST, ORDER, SECOND, imported, told, view
from journeys.world import World
from saleor_amazon_channel.models import AmazonOrder
from saleor_amazon_channel.sandbox import events

FAILED = "could not be followed here; the log says why"


class _Broken:
    """A method of the store that always fails, and how often it was tried."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, *_: object) -> object:
        self.tries += 1
        raise RuntimeError("no")


def rounds(world: World, count: int) -> None:
    for _ in range(count):
        world.move_clock(timedelta(seconds=15))
        world.work()


def test_a_step_that_always_fails_keeps_no_other_back_and_is_said_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world)
    broken = _Broken()
    monkeypatch.setattr(type(world.store), "fulfil_order", broken)
    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])
    events.ship(world.sandbox.state, ORDER, quantities={FIRST: 2})
    events.change_address(
        world.sandbox.state, ORDER, fields={"addressLine1": "Neue Str. 7"}
    )
    world.move_clock(timedelta(minutes=5))
    world.work()

    after = view(world)
    assert (after.status, after.total.gross) == ("unfulfilled", Decimal("20.00"))
    assert "address_changed_too_late" in told()
    assert broken.tries == 1

    # It rests twice as long each time: 15 s, 30 s, 1, 2, 4 minutes.
    rounds(world, 40)
    assert broken.tries == 6
    assert told().count("cannot_follow_yet") == 1
    assert told().count("address_changed_too_late") == 1
    assert len([note for note in view(world).notes if FAILED in note]) == 1

    monkeypatch.undo()
    world.work_until_quiet(3)
    assert view(world).status == "fulfilled"
    order = world.ledger_order(ORDER)
    assert (order.follow_at, order.follow_failures) == (None, 0)


def test_a_cancellation_that_always_fails_is_said_and_tried_ever_less_often(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world)
    broken = _Broken()
    monkeypatch.setattr(type(world.store), "cancel_orders", broken)
    events.cancel(world.sandbox.state, ORDER)
    world.move_clock(timedelta(minutes=5))
    world.work()
    assert broken.tries == 1
    rounds(world, 40)

    assert broken.tries == 6
    assert told().count("cannot_follow_yet") == 1

    monkeypatch.undo()
    world.work_until_quiet(3)
    assert view(world).status == "canceled"


@pytest.mark.parametrize("withheld", ["recipient", "place"])
def test_without_an_address_all_else_is_followed(world: World, withheld: str) -> None:
    imported(world)
    before = view(world)

    def withhold(order: dict) -> None:
        if withheld == "recipient":
            del order["recipient"]
        else:
            order["recipient"]["deliveryAddress"] = {"countryCode": "DE"}

    world.sandbox.state.change_order(ORDER, withhold)
    events.cancel(world.sandbox.state, ORDER, order_item_ids=[SECOND])
    events.ship(world.sandbox.state, ORDER, quantities={FIRST: 1})
    world.work_until_quiet(2)

    after = view(world)
    assert (after.status, after.total.gross) == (
        "partially fulfilled",
        Decimal("20.00"),
    )
    assert after.shipping_address == before.shipping_address
    assert "cannot_follow" not in told()
    assert AmazonOrder.objects.get().follow_at is None


def test_an_address_that_the_shop_does_not_take_is_said(world: World) -> None:
    imported(world)
    before = view(world)
    events.change_address(world.sandbox.state, ORDER, fields={"postalCode": "1"})
    world.work_until_quiet(2)

    assert view(world).shipping_address == before.shipping_address
    assert "address_differs" in told()
    assert any("does not take" in note for note in view(world).notes)
