"""Lets the month happen, and judges it.

The director is Amazon: it keeps the true time, moves it to the next moment at which
something is due, lets happen in the sandbox what the plan says, and has two workers and
the staff at work at once, in processes of their own, whose clock is wrong. Time passes
only between rounds and where somebody waits, so a month is over in minutes.
"""

from __future__ import annotations

import json
import platform
import random
import time as real_time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db.models import Min, Q

from contract.driver import StaffDriver
from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.amazon import sqs as sqs_module
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing import (
    address_edit,
    finances,
    pull,
    reconcile,
    slow_scan,
)
from saleor_amazon_channel.importing.mapping import map_order
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonRefund,
    Notification,
    NotificationQueue,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.notifications import subscribing
from saleor_amazon_channel.sandbox import events, running_sandbox
from saleor_amazon_channel.sandbox.catalogue import NO_STOCK_SKU, SKUS
from saleor_amazon_channel.sandbox.places import PLACES
from sqs import Sqs, running_sqs

from . import plan as plans
from .books import Books
from .judge import Verdict, judge
from .opening import STOCK, create_variant, open_shop
from .plan import Plan, Shipment
from .times import SharedTime
from .workers import Process, Work, Worker, ready_to_fork

Json = dict[str, Any]

START = datetime(2026, 10, 1, tzinfo=UTC)
SKEW = timedelta(minutes=5)
#: How far apart rounds are at least, to make a month fit into minutes.
GRAIN = timedelta(minutes=15)
#: Staff whose order is not there yet look again after this time.
STAFF_PATIENCE = timedelta(hours=2)
#: Moments (see ``journeys/moments.py``) that a worker lives at most.
LONGEST_LIFE = 1000
#: Share of the tasks that both workers get at once, as when a tick comes while the
#: work of the last one is still waiting.
DOUBLED = 0.3


@dataclass(frozen=True)
class Size:
    orders: int = 5000
    days: float = 30
    seed: int = 1
    pull_interval_minutes: int = 30


@dataclass(frozen=True)
class Shop:
    """One of the two shops: its staff, its tables, and its mails so far, whichever
    process sent them."""

    staff: StaffDriver
    books: Books
    mails: Callable[[], int]

    def writer(self) -> AbstractContextManager[object]:
        return self.staff.writer()


@dataclass
class Score:
    """What the month came to."""

    size: Size
    plan: Plan
    #: The channel's own, one of each account, over the whole month.
    reconciliations: list[Reconciliation]
    before: Verdict
    after: Verdict
    mails: int
    calls: dict[str, dict[str, int]]
    deaths: int
    task_failures: list[str]
    rounds: int
    happened: Counter[str]
    #: Of Amazon's notifications: how many were sent, and how many were lost.
    notifications: dict[str, int]
    staff: Counter[str]
    simulated: timedelta
    seconds: float

    @property
    def is_right(self) -> bool:
        return (
            all(reconcile.is_clean(each) for each in self.reconciliations)
            and sum(each.count("there") for each in self.reconciliations)
            == self.size.orders
            and self.before.is_right
            and self.after.is_right
            and not self.after.blocked
            and self.after.refunds == len(self.plan.refunds)
            and not self.mails
            and not self.task_failures
        )

    def as_json(self) -> Json:
        verdicts = (self.before, self.after)
        worst = {
            name: max(len(getattr(verdict, name)) for verdict in verdicts)
            for name in Verdict.WRONG
        }
        return {
            **worst,
            "blocked_left": len(self.after.blocked),
            "calls": sum(sum(each.values()) for each in self.calls.values()),
            "mails": self.mails,
            "orders": self.size.orders,
            "seed": self.size.seed,
            "pull_interval_minutes": self.size.pull_interval_minutes,
            "reconciliations": [
                reconcile.in_words(each) for each in self.reconciliations
            ],
            "before_the_causes_are_fixed": self.before.score(),
            "after": self.after.score(),
            "calls_by_operation": self.calls,
            "workers_killed": self.deaths,
            "task_failures": len(self.task_failures),
            "troubles": dict(sorted(self.plan.shares.items())),
            "faults": len(self.plan.troubles),
            "happened": dict(sorted(self.happened.items())),
            "refunds": len(self.plan.refunds),
            "notifications": self.notifications,
            "staff": dict(sorted(self.staff.items())),
            "rounds": self.rounds,
            "simulated_minutes": round(self.simulated / timedelta(minutes=1)),
            "real_minutes": round(self.seconds / 60, 1),
            "python": platform.python_version(),
        }


def run(shop: Shop, size: Size, say: Callable[[str], None] = print) -> Score:
    begun = real_time.monotonic()
    length = timedelta(days=size.days)
    plan = plans.draw(size.seed, size.orders, START, length)
    time = SharedTime(START, length, SKEW)
    with time.on_amazon(), running_sandbox() as sandbox, _sqs() as sqs:
        # Enough for lists of more than one page.
        sandbox.state.transactions.page_size = 5
        sandbox.state.notifications.deliver(endpoint_url=sqs.url)
        month = _Month(shop, size, plan, time, sandbox, sqs, say)
        try:
            score = month.run()
        finally:
            month.stop()
            time.close()
    score.seconds = real_time.monotonic() - begun
    return score


@contextmanager
def _sqs() -> Iterator[Sqs]:
    """What lies there is found at once: no second is waited for more."""
    # What is slow about a client, before any worker is forked.
    sqs_module._session()
    with running_sqs() as sqs, patch.object(sqs_module, "WAIT_SECONDS", 0):
        yield sqs


class _Month:
    def __init__(
        self,
        shop: Shop,
        size: Size,
        plan: Plan,
        time: SharedTime,
        sandbox: Any,
        sqs: Sqs,
        say: Callable[[str], None],
    ) -> None:
        self._shop, self._size, self._plan, self._time = shop, size, plan, time
        self._sandbox, self._say = sandbox, say
        self._state = sandbox.state
        self._happened: Counter[str] = Counter()
        self._staff_did: Counter[str] = Counter()
        self._rounds = 0
        self._happenings = list(reversed(plan.happenings))
        self._shipments = list(reversed(plan.shipments))
        self._troubles = list(reversed(plan.troubles))
        with time.in_the_shop(), shop.writer():
            opened = open_shop(
                shop.staff,
                sandbox,
                import_from=START - timedelta(days=1),
                pull_interval_minutes=size.pull_interval_minutes,
            )
            self._channels, self._variants = opened
            for account in SellerAccount.objects.order_by("pk"):
                subscribing.subscribe(account, sqs.create_queue(), sqs.url)
        rng = random.Random(f"workers {size.seed}")
        self._hands = random.Random(rng.random())
        ready_to_fork()
        self._workers = [
            Worker(time, random.Random(rng.random()), LONGEST_LIFE) for _ in range(2)
        ]
        self._staff = Process(self._staff_work, time, None)

    def stop(self) -> None:
        for process in (*self._workers, self._staff):
            process.stop()

    # --- the month --------------------------------------------------------------------

    def run(self) -> Score:
        while self._happenings or self._shipments:
            self._round()
        self._state.clear_faults()
        with self._state.lock:
            self._state.notifications.deliver(held=False)
        self._until_quiet()
        self._say("reconciling")
        reconciliations = self._reconcile()
        self._say("judging")
        before = self._judge()
        self._fix_causes()
        self._until_quiet()
        after = self._judge()
        return Score(
            size=self._size,
            plan=self._plan,
            reconciliations=reconciliations,
            before=before,
            after=after,
            mails=self._shop.mails(),
            calls=self._state.counters(),
            deaths=sum(worker.deaths for worker in self._workers),
            task_failures=[each for w in self._workers for each in w.failures],
            rounds=self._rounds,
            happened=self._happened,
            notifications={
                "sent": self._state.notifications.sent,
                "lost": self._state.notifications.lost,
            },
            staff=self._staff_did,
            simulated=self._time.true() - self._plan.start,
            seconds=0,
        )

    def _round(self) -> None:
        self._move_to(self._next_moment())
        self._rounds += 1
        due = []
        while self._shipments and self._shipments[-1].moment <= self._time.true():
            due.append(self._shipments.pop())
        hands = self._dealt()
        if due:
            self._staff.send({"ship": [(s.order_id, s.packages) for s in due]})
        for worker, work in zip(self._workers, hands, strict=True):
            worker.begin(work)
        for worker in self._workers:
            worker.finish()
        if due:
            self._hear_of(due)
        if self._rounds % 200 == 0:
            passed = self._time.true() - self._plan.start
            self._say(f"{passed} simulated, {self._rounds} rounds")

    def _dealt(self) -> tuple[Work, Work]:
        """What is due, as a tick of the shop sees it, for each of the workers."""
        # Nobody asks Amazon anything at this moment: its clock may be the shop's.
        with self._time.in_the_shop(), self._shop.writer():
            due = tasks.due()
        hands: tuple[list[Any], list[Any]] = ([], [])
        for each in due:
            first = self._hands.randrange(2)
            hands[first].append(each)
            if self._hands.random() < DOUBLED:
                hands[1 - first].append(each)
        return hands

    def _hear_of(self, shipments: list[Shipment]) -> None:
        answer = self._staff.answer()
        assert answer is not None, "staff are not killed"
        for shipment in shipments:
            outcome = answer[shipment.order_id]
            self._staff_did[outcome] += 1
            again = self._time.true() + STAFF_PATIENCE
            if outcome == "not there yet" and again < self._plan.end:
                self._shipments.append(
                    Shipment(again, shipment.order_id, shipment.packages)
                )
        self._shipments.sort(key=lambda each: each.moment, reverse=True)

    def _move_to(self, moment: datetime) -> None:
        """Through all that happens on Amazon's side until then, each in its time."""
        while self._troubles and self._troubles[-1].moment <= moment:
            self._state.inject_fault(**self._troubles.pop().fault)
        while self._happenings and self._happenings[-1].moment <= moment:
            happening = self._happenings.pop()
            self._time.move_to(happening.moment)
            done = happening.cause(self._state)
            self._happened[happening.name if done else f"{happening.name} refused"] += 1
        self._time.move_to(moment)

    def _next_moment(self) -> datetime:
        """When the next scan or intent is due, and what comes soon after it.

        Staff ship when a round comes along: at the same time as the workers work.
        """
        now = self._time.true()
        latest = now + timedelta(minutes=self._size.pull_interval_minutes)
        # Queues are looked into whenever there is a round.
        cursors = SyncCursor.objects.exclude(
            stream=NotificationQueue.STREAM
        ).values_list("next_run_at", "lease_until")
        is_waiting = Q(state__in=("pending", "unknown"))
        intents = OutboxEntry.objects.filter(settled_at=None).aggregate(
            due=Min("next_attempt_at", filter=is_waiting),
            lost=Min("claimed_until", filter=Q(state="sending")),
        )
        dues = [*(each for row in cursors for each in row), *intents.values()]
        moments = [self._time.true_of(due) for due in dues if due] + [latest]
        first = max(min(moments), now + GRAIN)
        return max([first, *(each for each in moments if each <= first + GRAIN)])

    def _until_quiet(self) -> None:
        """Rounds until every scan went through and nothing is left to be sent."""
        begun = self._time.at_the_shop()
        for _ in range(400):
            self._round()
            scanned = SyncCursor.objects.filter(
                stream__in=(pull.STREAM, finances.STREAM),
                last_run_at__gt=begun + timedelta(minutes=30),
                last_error="",
                page_token="",
            )
            is_open = (
                OutboxEntry.objects.filter(reported_at=None)
                .exclude(state="superseded")
                .exists()
                or AmazonOrder.objects.filter(import_state="ready").exists()
                or AmazonRefund.objects.exclude(carry_at=None).exists()
                or Notification.objects.filter(state="to_read").exists()
            )
            if scanned.count() == 2 * SellerAccount.objects.count() and not is_open:
                return
        raise AssertionError("it does not come to rest")

    def _reconcile(self) -> list[Reconciliation]:
        """What the channel itself says of the month, account by account."""
        with self._time.in_the_shop():
            begun = [
                slow_scan.new(
                    Reconciliation,
                    account,
                    START - timedelta(days=1),
                    clock.now() - slow_scan.MARGIN,
                )
                for account in SellerAccount.objects.order_by("pk")
            ]
            for row in begun:
                row.save()
        for _ in range(400):
            self._round()
            rows = Reconciliation.objects.filter(pk__in=[row.pk for row in begun])
            if not rows.filter(finished_at=None).exists():
                return list(rows.order_by("pk"))
        raise AssertionError("the reconciliation comes to no end")

    # --- staff ------------------------------------------------------------------------

    def _staff_work(self, message: Json) -> Json:
        """In the process of the staff."""
        with self._shop.writer():
            return {
                order_id: self._ship(order_id, packages)
                for order_id, packages in message["ship"]
            }

    def _ship(self, order_id: str, packages: int) -> str:
        order = AmazonOrder.objects.filter(
            amazon_order_id=order_id, import_state="imported"
        ).first()
        if order is None or not order.shop_order_id:
            return "not there yet"
        view = self._shop.staff.order(order.shop_order_id)
        left = {
            line.line_id: line.quantity - line.quantity_fulfilled for line in view.lines
        }
        left = {line_id: units for line_id, units in left.items() if units > 0}
        if view.status not in ("unfulfilled", "partially fulfilled") or not left:
            return f"found it {view.status}"
        parcels = [left]
        if packages == 2 and sum(left.values()) > 1:
            # One unit on Amazon: a pack leaves whole.
            first = next(iter(left))
            one = order.items.get(shop_line_id=first).units_per_item
            rest = {**left, first: left[first] - one}
            rest = {line_id: units for line_id, units in rest.items() if units}
            parcels = [{first: one}, rest] if rest else [left]
        warehouse = self._channels[order.marketplace_id].warehouses[0].id
        for number, parcel in enumerate(parcels, 1):
            try:
                self._shop.staff.fulfil(
                    order.shop_order_id,
                    parcel,
                    warehouse_id=warehouse,
                    tracking_number=f"T{number}-{order_id}",
                )
            except Exception:
                status = self._shop.staff.order(order.shop_order_id).status
                if status == "canceled":
                    return "was overtaken by a cancellation"
                raise
        return f"shipped in {len(parcels)}"

    # --- the end ----------------------------------------------------------------------

    def _judge(self) -> Verdict:
        slugs = {key: channel.slug for key, channel in self._channels.items()}
        start = {
            (slug, sku): self._stocks.get(sku, STOCK)
            for slug in slugs.values()
            for sku in (*SKUS, *self._stocks)
        }
        with self._shop.writer():
            return judge(
                self._state,
                self._shop.books,
                start,
                slugs,
                plans.PACKS,
                self._plan.refunds,
            )

    @property
    def _stocks(self) -> dict[str, int]:
        return self.__dict__.setdefault("_stock_of", {NO_STOCK_SKU: 0})

    def _fix_causes(self) -> None:
        """As staff and buyers would: make the products, fill the shelf, correct the
        addresses."""
        with self._time.in_the_shop(), self._shop.writer():
            for sku in plans.UNKNOWN_SKUS:
                create_variant(self._shop.staff, sku, self._channels, STOCK)
                self._stocks[sku] = STOCK
            for channel in self._channels.values():
                self._shop.staff.set_stock(
                    self._variants[NO_STOCK_SKU], channel.warehouses[0].id, STOCK
                )
            self._stocks[NO_STOCK_SKU] = STOCK
        blocked = AmazonOrder.objects.filter(
            import_state="blocked", blocker_rows__code="bad_address"
        ).distinct()
        for number, order in enumerate(blocked.order_by("pk")):
            address = PLACES[order.marketplace_id].addresses[0]
            if number % 2:
                events.change_address(
                    self._state, order.amazon_order_id, fields=address
                )
                continue
            payload = self._state.order(order.amazon_order_id)
            payload["recipient"] = {"deliveryAddress": address}
            draft = map_order(Order.from_wire(payload)).shipping_address
            with self._time.in_the_shop(), self._shop.writer():
                address_edit.replace_address(order.amazon_order_id, draft, "staff")


def report(score: Score, say: Callable[[str], None] = print) -> None:
    """The score for people; the complaints first."""
    for name, verdict in (("before", score.before), ("after", score.after)):
        for complaint in verdict.complaints()[:40]:
            say(f"{name}: {complaint}")
    for failure in Counter(score.task_failures).most_common(5):
        say(f"failed: {failure[1]} times {failure[0]}")
    say(json.dumps(score.as_json(), indent=2))
