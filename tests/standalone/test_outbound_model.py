"""Random actions of staff and of Amazon, and faults, a few; ``MODEL_EXAMPLES`` and
``MODEL_STEPS`` make them more (``make model-test``), and others each time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from hostile.crash_matrix import configure
from hostile.outbound_model import Outbound, list_goods
from journeys.world import running_world
from saleor_amazon_channel import outbox
from saleor_amazon_channel.ledger import shop_refunds
from saleor_amazon_channel.standalone.store import StandaloneStore

from .driver import StandaloneDriver

EXAMPLES = os.environ.get("MODEL_EXAMPLES")
STEPS = int(os.environ.get("MODEL_STEPS", "14"))


@pytest.mark.django_db(transaction=True)
def test_in_the_end_saleor_the_ledger_and_amazon_agree() -> None:
    with running_world(StandaloneDriver(), StandaloneStore(), stock=100_000) as world:
        configure(world)
        list_goods(world)
        Outbound.world = world
        run_state_machine_as_test(
            Outbound,
            settings=settings(
                max_examples=int(EXAMPLES or 10),
                stateful_step_count=STEPS,
                derandomize=EXAMPLES is None,
                deadline=None,
                database=None,
                # Minutes, and the steps are few.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )


# --- it can fail ---------------------------------------------------------------------


@pytest.fixture
def machine() -> Iterator[Outbound]:
    with running_world(StandaloneDriver(), StandaloneStore(), stock=100_000) as world:
        configure(world)
        list_goods(world)
        Outbound.world = world
        machine = Outbound()
        machine.receive_orders(1)
        yield machine


@pytest.mark.django_db(transaction=True)
def test_a_refund_that_is_booked_twice_is_seen(
    machine: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Amazon tells of the shop's own is taken for somebody else's.
    monkeypatch.setattr(shop_refunds, "link", lambda orders: None)
    machine.seller_central_ships(0, is_part=False)
    machine.work(25)
    machine.refund(0, cents=500)
    with pytest.raises(AssertionError, match=r"5.00 were refunded on Amazon, 10.00"):
        machine.teardown()


@pytest.mark.django_db(transaction=True)
def test_an_intent_that_is_lost_is_seen(
    machine: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "enqueue", lambda *args, **options: None)
        machine.ship_the_rest(0)
    with pytest.raises(AssertionError, match=r"the intents are Counter\(\)"):
        machine.teardown()


@pytest.mark.django_db(transaction=True)
def test_stock_that_amazon_is_not_told_is_seen(
    machine: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.work(5)
    monkeypatch.setattr(outbox, "enqueue_stock", lambda listings: None)
    machine.change_stock("MUG-1", free=7)
    with pytest.raises(AssertionError, match="MUG-1: Amazon offers 46, and the"):
        machine.teardown()


@pytest.mark.django_db(transaction=True)
def test_a_review_that_is_asked_for_unnoted_is_seen(
    machine: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.seller_central_ships(0, is_part=False)
    machine.work(25)
    machine.ask_for_a_review(0)
    machine.world.sandbox.state.inject_fault(
        "createProductReviewAndSellerFeedbackSolicitation", "close_after_effect"
    )
    monkeypatch.setattr(outbox, "depart", lambda entry: True)
    machine.work(5)
    with pytest.raises(AssertionError, match="the buyer was asked 1 times"):
        machine.teardown()
