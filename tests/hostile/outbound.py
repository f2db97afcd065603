"""Many intents due at once, within Amazon's default usage plans: what they cost.

Time is simulated: who waits for a usage plan moves the clock, and computing costs
nothing. A worker is woken as soon as staff act, as capture does it, and by every tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any
from unittest.mock import patch

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import buyer_messages, clock
from saleor_amazon_channel.amazon.messaging import Message, MessageAction
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS
from saleor_amazon_channel.importing import importer, pull
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import AmazonOrder, OutboxEntry, UsageBudget
from saleor_amazon_channel.outbox import COMPANY_WAIT
from saleor_amazon_channel.pushing import feeds, messages, runner, shipments
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from saleor_amazon_channel.tasks import TICK_SECONDS
from wire_orders import wire_order

TICK = timedelta(seconds=TICK_SECONDS)
#: An urgent shipment is confirmed within so many.
MOST_SECONDS = 10
#: Nothing takes longer; what is open by then was not sent.
LONGEST = timedelta(hours=2)
SHIPMENT, CANCEL, REFUND = "shipments", "cancels", "refunds"
MESSAGE = "messages"
#: Messages are written by people, so that a thousand are not due at once.
MOST_BY_HAND = 100
#: So often Amazon takes no feed, where none is taken: a try of each kind.
REFUSED_FEEDS = 3

#: A feed, however many messages it has: document, feed, one look at it (the sandbox
#: needs 45 s, the looks are after 30 and 90), report. Amazon's refunds are read before
#: a feed of them leaves: a page, where there are none yet.
FEWEST = {
    SHIPMENT: {
        "createFeedDocument": 1,
        "createFeed": 1,
        "getFeed": 2,
        "getFeedDocument": 1,
    },
}
FEWEST[CANCEL] = FEWEST[SHIPMENT]
FEWEST[REFUND] = {**FEWEST[SHIPMENT], "listTransactions": 1}


@dataclass
class Cost:
    """What it took until all of them were settled."""

    what: str
    count: int
    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    minutes: float = 0.0
    succeeded: int = 0

    def problems(self, fewest: Mapping[str, int] | None = None) -> list[str]:
        found = []
        # A bucket of 15, and one more every two minutes.
        plan = USAGE_PLANS["createFeed"]
        if self.calls["createFeed"] > plan.burst + self.minutes * 60 * plan.rate:
            found.append(f"{self.calls['createFeed']} feeds are more than Amazon takes")
        if self.succeeded != self.count:
            found.append(f"{self.succeeded} of {self.count} succeeded")
        if self.throttled:
            found.append(f"{self.throttled} calls were answered 429")
        if self.calls["createFeedDocument"] > self.calls["createFeed"]:
            found.append("there are documents for which there was no feed")
        if fewest is not None and self.calls != Counter(fewest):
            found.append(f"the fewest calls are {dict(fewest)}")
        return found

    def row(self) -> str:
        calls = ", ".join(f"{name} {n}" for name, n in sorted(self.calls.items()))
        total = sum(self.calls.values())
        return f"{self.what:24} {self.count:6} {total:6} {self.minutes:8.1f}  {calls}"


HEADER = f"{'':24} {'sent':>6} {'calls':>6} {'minutes':>8}"


@contextmanager
def shop_within_usage_plans(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store, stock=100_000, usage_plans=True) as world:
        yield world


class Load:
    """What staff do many times at once, and a worker."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._batch = 0

    def orders(
        self, count: int, *, is_shipped: bool = False, ship_by: timedelta | None = None
    ) -> list[str]:
        """So many new orders, imported; Amazon's usage plans are full again."""
        self._batch += 1
        state = self._world.sandbox.state
        ids = [f"{self._batch:03}-0000000-{number:07}" for number in range(count)]
        orders = [
            wire_order(
                order_id,
                created=clock.now() - timedelta(hours=2),
                updated=clock.now() - timedelta(minutes=10),
            )
            for order_id in ids
        ]
        if ship_by is not None:
            for order in orders:
                order["fulfillment"]["shipByWindow"]["latestDateTime"] = (
                    (clock.now() + ship_by).isoformat().replace("+00:00", "Z")
                )
        state.put_orders(orders)
        if is_shipped:
            for order_id in ids:
                events.ship(state, order_id)
        # Amazon hides the last two minutes.
        self._world.move_clock(timedelta(minutes=6))
        while AmazonOrder.objects.filter(amazon_order_id__in=ids).count() < count:
            state.plans.refill()
            UsageBudget.objects.all().delete()
            assert not pull.pull(self._world.account).is_forbidden
        importer.import_ready()
        state.plans.refill()
        self._world.move_clock(timedelta(hours=1))
        state.clear_calls()
        return ids

    def act(self, what: str, order_ids: Sequence[str]) -> None:
        act = {
            SHIPMENT: self.ship,
            CANCEL: self.cancel,
            REFUND: self.refund,
            MESSAGE: self.write,
        }[what]
        for order_id in order_ids:
            act(order_id)

    def ship(self, order_id: str) -> None:
        self._world.shop.fulfil(
            self._world.ledger_order(order_id).shop_order_id or "",
            dict.fromkeys(self._world.line_ids(order_id).values(), 1),
            warehouse_id=self._world.warehouse_id,
            tracking_number=f"T-{order_id}",
        )

    def cancel(self, order_id: str) -> None:
        request_cancellation(order_id, CancelReason.NO_INVENTORY)

    def refund(self, order_id: str) -> None:
        shop_order_id = self._world.ledger_order(order_id).shop_order_id or ""
        self._world.shop.request_refund(shop_order_id, "5.00")

    def write(self, order_id: str) -> None:
        problem = Message(MessageAction.UNEXPECTED_PROBLEM, "It is late.")
        buyer_messages.request_message(order_id, problem)

    def run(self, what: str, *actions: tuple[str, Sequence[str]]) -> Cost:
        """Staff do all of it at once; work until it is settled."""
        begun = clock.now()
        for action, order_ids in actions:
            self.act(action, order_ids)
        self._world.move_clock(COMPANY_WAIT)
        self.finish()
        return self.cost(what, begun)

    def run_steadily(self, what: str, order_ids: Sequence[str], rounds: int) -> Cost:
        """Staff cancel some all the time; work, until nobody does any more."""
        begun, size = clock.now(), len(order_ids) // rounds
        for number in range(rounds):
            self.act(CANCEL, order_ids[number * size : (number + 1) * size])
            runner.push()
            self._world.move_clock(TICK)
        cost = self.cost(what, begun)
        self.finish()
        cost.succeeded = self.cost(what, begun).succeeded
        return cost

    def cost(self, what: str, begun: datetime) -> Cost:
        calls = self._world.sandbox.state.calls()
        entries = OutboxEntry.objects.filter(created_at__gte=begun)
        return Cost(
            what,
            entries.count(),
            Counter(c.operation for c in calls if c.operation in USAGE_PLANS),
            sum(call.status == 429 for call in calls),
            (clock.now() - begun) / timedelta(minutes=1),
            entries.filter(state="succeeded").count(),
        )

    def finish(self) -> None:
        begun = clock.now()
        while is_open() and clock.now() < begun + LONGEST:
            runner.push()
            self._world.move_clock(TICK)

    # --- one that is urgent ---

    def seconds_until_confirmed(self, order_id: str, since: datetime) -> float:
        """From when staff shipped it until Amazon had it; push once more if need be."""
        for _ in range(int(LONGEST / TICK)):
            calls = self._world.sandbox.state.calls("confirmShipment")
            at = [c.time for c in calls if c.order_id == order_id and c.status == 204]
            if at:
                return (datetime.fromisoformat(at[0]) - since).total_seconds()
            self._world.move_clock(TICK)
            runner.push()
        return float("inf")

    def urgent_among(self, urgent: str, *actions: tuple[str, Sequence[str]]) -> float:
        """Due together with all the others."""
        for action, order_ids in actions:
            self.act(action, order_ids)
        self._world.move_clock(COMPANY_WAIT)
        begun = clock.now()
        self.ship(urgent)
        runner.push()
        return self.seconds_until_confirmed(urgent, begun)

    def urgent_after(self, urgent: str) -> float:
        """Its worker is woken while the others are on their way."""
        begun = clock.now()
        self.ship(urgent)
        runner.push()
        return self.seconds_until_confirmed(urgent, begun)

    def urgent_amid(self, urgent: str, module: ModuleType, after_calls: int) -> float:
        """The only worker is busy sending what is due of a kind, one call each."""
        begun: list[datetime] = []
        send, sent = module.send, []

        def and_staff_ship_another(*args: Any, **options: Any) -> Any:
            outcome = send(*args, **options)
            sent.append(args)
            if len(sent) == after_calls:
                begun.append(clock.now())
                self.ship(urgent)
            return outcome

        with patch.object(module, "send", and_staff_ship_another):
            runner.push()
        return self.seconds_until_confirmed(urgent, begun[0])


def is_open() -> bool:
    return OutboxEntry.objects.filter(settled_at=None).exists()


@dataclass
class Figures:
    tell: Callable[[str], object]
    costs: list[Cost] = field(default_factory=list)
    #: Seconds until an urgent shipment was confirmed, by what else was under way.
    urgent: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, cost: Cost, fewest: Mapping[str, int] | None = None) -> None:
        self.costs.append(cost)
        self.tell(cost.row())
        self.problems += [f"{cost.what}: {each}" for each in cost.problems(fewest)]

    def add_urgent(self, among: str, seconds: float) -> None:
        self.urgent[among] = seconds
        self.tell(f"urgent, {among}: {seconds:.1f} s")
        if not 0 <= seconds <= MOST_SECONDS:
            self.problems.append(f"urgent, {among}: {seconds:.1f} s")

    def as_json(self) -> dict[str, Any]:
        return {
            "costs": [
                {
                    "what": cost.what,
                    "sent": cost.count,
                    "succeeded": cost.succeeded,
                    "calls": sum(cost.calls.values()),
                    "by_operation": dict(cost.calls),
                    "throttled": cost.throttled,
                    "minutes": round(cost.minutes, 1),
                }
                for cost in self.costs
            ],
            "urgent_seconds": self.urgent,
            "problems": self.problems,
        }


def measure(
    world: World, count: int, tell: Callable[[str], object], *, minutes: int = 60
) -> Figures:
    """The table, for ``count`` of each kind at once; and staff who cancel two orders
    every tick, for so many minutes."""
    load, figures = Load(world), Figures(tell)
    tell(HEADER)
    for what in (SHIPMENT, CANCEL, REFUND):
        orders = load.orders(count, is_shipped=what == REFUND)
        cost = load.run(f"{count} {what}", (what, orders))
        figures.add(cost, FEWEST[what])
    few = feeds.MANY_SHIPMENTS - 1
    cost = load.run(f"{few} {SHIPMENT}", (SHIPMENT, load.orders(few)))
    figures.add(cost, {"confirmShipment": few})

    shipped, cancelled = load.orders(count), load.orders(count)
    refunded = load.orders(count, is_shipped=True)
    at_once = ((SHIPMENT, shipped), (CANCEL, cancelled), (REFUND, refunded))
    figures.add(load.run(f"{count} of each", *at_once))
    rounds = minutes * 60 // TICK_SECONDS
    cancelled = load.orders(2 * rounds)
    figures.add(load.run_steadily("cancels all the time", cancelled, rounds))

    urgent = load.orders(5, ship_by=timedelta(hours=1))
    backlog = load.orders(count)
    figures.add_urgent(
        f"due with {count} others", load.urgent_among(urgent[0], (SHIPMENT, backlog))
    )
    figures.add_urgent("while their feed is under way", load.urgent_after(urgent[1]))
    load.finish()
    load.act(SHIPMENT, load.orders(few))
    figures.add_urgent(
        f"while {few} go by calls",
        load.urgent_amid(urgent[2], shipments, after_calls=few // 2),
    )
    load.finish()
    many = min(count, MOST_BY_HAND)
    load.act(MESSAGE, load.orders(many))
    figures.add_urgent(
        f"while {many} {MESSAGE} go by calls",
        load.urgent_amid(urgent[3], messages, after_calls=many // 2),
    )
    load.finish()
    shipped, cancelled = load.orders(count), load.orders(count)
    refunded = load.orders(count, is_shipped=True)
    at_once = ((SHIPMENT, shipped), (CANCEL, cancelled), (REFUND, refunded))
    world.sandbox.state.inject_fault("createFeed", "throttled", count=REFUSED_FEEDS)
    begun = clock.now()
    figures.add_urgent(
        f"due with {count} of each, and no feed taken",
        load.urgent_among(urgent[4], *at_once),
    )
    load.finish()
    cost = load.cost(f"{count} of each, feeds refused", begun)
    # That they were is the scenario; no other call may be.
    cost.throttled -= REFUSED_FEEDS
    figures.add(cost)
    return figures
