"""A day of normal trade: how long until an order that can be shipped is in the shop,
and what it costs of Amazon's default usage plans.

Nothing goes wrong here. One worker does what the channel's tick hands out, every 15
seconds. The clock runs while somebody works, as fast as it really does, and jumps over
the time in which nothing is due; so the delays have the waiting in them, and the work.
"""

from __future__ import annotations

import random
import time as real_time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from unittest.mock import patch

from contract.driver import StaffDriver
from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.amazon import sqs as sqs_module
from saleor_amazon_channel.importing import backfill, pull, reconcile
from saleor_amazon_channel.models import (
    AmazonOrder,
    Backfill,
    ChannelSettings,
    NotificationQueue,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.notifications import subscribing
from saleor_amazon_channel.sandbox import running_sandbox
from saleor_amazon_channel.store.contract import Channel

from . import plan as plans
from .opening import open_shop

Json = dict[str, Any]

START = datetime(2026, 11, 23, tzinfo=UTC)
TICK = timedelta(seconds=tasks.TICK_SECONDS)
#: Of the day in which orders come; their updates have the rest, too.
ORDERS_COME_IN = 20 / 24
#: Most orders come then, the comparison, and somebody who wants older orders.
EVENING = 2 / 3
#: Those were placed before the accounts were connected.
OLDER_SHARE, OLDER_SINCE, OLDER_FOR = 0.15, timedelta(days=10), timedelta(days=8)
#: At least: staff see an order when it is in the shop.
SHIPPED_AFTER = timedelta(minutes=10)
#: Longer than the longest wait for a scan.
SETTLING = timedelta(minutes=12)


@dataclass(frozen=True)
class Size:
    orders: int = 2000
    hours: float = 24
    seed: int = 1
    with_notifications: bool = False

    @property
    def most_seconds(self) -> float:
        """How late an order may be."""
        return 20.0 if self.with_notifications else 8 * 60.0


@dataclass(frozen=True)
class Scan:
    """One that came to its end."""

    account_id: int
    moment: datetime
    pages: int
    orders: int


@dataclass
class Day:
    """What came of it. ``delays``: seconds from unshipped on Amazon to imported."""

    size: Size
    delays: list[float]
    missing: list[str]
    #: Imported by the back-fills.
    older: int
    backfills: list[Backfill]
    updates: int
    calls: dict[str, dict[str, int]]
    unsent: int
    reconciliations: list[Reconciliation]
    task_failures: list[str]
    scans: list[Scan]
    #: More than one in an interval, of the same account.
    too_soon: int
    real_minutes: float

    @property
    def wasteful(self) -> int:
        """Scans that took more calls than their orders fill pages."""
        return sum(scan.pages > max(1, ceil(scan.orders / 100)) for scan in self.scans)

    @property
    def throttled(self) -> int:
        return sum(each.get("429", 0) for each in self.calls.values())

    @property
    def is_right(self) -> bool:
        return not (
            self.missing
            or self.throttled
            or self.unsent
            or self.task_failures
            or self.older != int(self.size.orders * OLDER_SHARE)
            or any(row.state != Backfill.State.FINISHED for row in self.backfills)
            or self.wasteful
            or self.too_soon
            or not all(reconcile.is_clean(row) for row in self.reconciliations)
            or max(self.delays) > self.size.most_seconds
        )

    def as_json(self) -> Json:
        ordered = sorted(self.delays)

        def at(share: float) -> float:
            return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)

        return {
            "orders": self.size.orders,
            "hours": self.size.hours,
            "with_notifications": self.size.with_notifications,
            "updates": self.updates,
            "missing": len(self.missing),
            "delay_seconds": {
                "median": at(0.5),
                "p90": at(0.9),
                "p99": at(0.99),
                "max": round(ordered[-1], 1),
                "allowed": self.size.most_seconds,
            },
            "throttled": self.throttled,
            "shipments_not_confirmed": self.unsent,
            "calls_by_operation": self.calls,
            "scans": len(self.scans),
            "scans_with_more_calls_than_pages": self.wasteful,
            "scans_too_soon": self.too_soon,
            "older_orders_back_filled": self.older,
            "reconciliations": [
                reconcile.in_words(row) for row in self.reconciliations
            ],
            "task_failures": self.task_failures[:5],
            "real_minutes": round(self.real_minutes, 1),
        }


class _Clock:
    """Runs with real time, and can be moved on."""

    def __init__(self, start: datetime) -> None:
        self._base, self._since = start, real_time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=real_time.monotonic() - self._since)

    def move(self, step: timedelta) -> None:
        self._base += step

    def move_to(self, moment: datetime) -> None:
        self.move(max(moment - self.now(), timedelta(0)))


def run(shop: StaffDriver, size: Size, say: Callable[[str], None] = print) -> Day:
    begun = real_time.monotonic()
    ours = _Clock(START)
    with ExitStack() as stack:
        stack.enter_context(clock.driven(ours.now, ours.move))
        sandbox = stack.enter_context(running_sandbox())
        with shop.writer():
            channels = open_shop(
                shop, sandbox, import_from=START - timedelta(days=1)
            ).channels
            # The daily comparison is due in the evening.
            SellerAccount.objects.update(
                created_at=clock.now()
                + timedelta(hours=size.hours) * EVENING
                - reconcile.INTERVAL
            )
        if size.with_notifications:
            stack.enter_context(_queues(shop, sandbox))
        older = plans.ordinary_orders(
            int(size.orders * OLDER_SHARE),
            START - OLDER_SINCE,
            OLDER_FOR,
            size.seed + 1,
        )
        sandbox.state.put_orders(older)
        sandbox.state.clear_calls()
        day = _Trade(shop, size, ours, sandbox.state, channels, say).run()
    day.real_minutes = (real_time.monotonic() - begun) / 60
    return day


@contextmanager
def _queues(shop: StaffDriver, sandbox: Any) -> Iterator[None]:
    """A queue for each account, on a real server that speaks SQS."""
    from sqs import running_sqs

    # What lies there is found at once: no second is waited for more.
    before, sqs_module.WAIT_SECONDS = sqs_module.WAIT_SECONDS, 0
    try:
        with running_sqs() as sqs:
            sandbox.state.notifications.deliver(endpoint_url=sqs.url)
            with shop.writer():
                for account in SellerAccount.objects.order_by("pk"):
                    subscribing.subscribe(account, sqs.create_queue(), sqs.url)
            yield
    finally:
        sqs_module.WAIT_SECONDS = before


class _Trade:
    def __init__(
        self,
        shop: StaffDriver,
        size: Size,
        ours: _Clock,
        state: Any,
        channels: dict[str, Channel],
        say: Callable[[str], None],
    ) -> None:
        self._shop, self._size, self._clock = shop, size, ours
        self._state, self._channels, self._say = state, channels, say
        #: Begins when everything is set up.
        self._begin = clock.now()
        self._end = self._begin + timedelta(hours=size.hours)
        self._released: dict[str, datetime] = {}
        self._happened: Counter[str] = Counter()
        self._failures: list[str] = []
        self._scans: list[Scan] = []
        self._happenings = sorted(self._drawn(), key=lambda each: each[:2])
        self._happenings.reverse()

    def _drawn(self) -> Iterator[tuple[datetime, str, Callable[[], None]]]:
        """(moment, order id, what happens): each order and its three updates."""
        size = self._size
        rng = random.Random(f"day {size.seed}")
        length = timedelta(hours=size.hours)
        spread = (
            max(length * (1 - ORDERS_COME_IN), 4 * SHIPPED_AFTER) - 3 * SHIPPED_AFTER
        )
        yield self._begin + length * EVENING, "", self._backfill
        orders = plans.ordinary_orders(size.orders, self._begin, length, size.seed)
        for order in orders:
            order_id = order["orderId"]
            # Twice as many in the last third: the evening.
            share = rng.choice((0, 1, 2, 2)) / 3 + rng.random() / 3
            placed = self._begin + length * ORDERS_COME_IN * share
            paid = placed + timedelta(minutes=rng.choice((1, 1, 2, 30)))
            order["fulfillment"]["fulfillmentStatus"] = "PENDING"
            yield placed, order_id, lambda order=order: self._put(order)
            yield paid, order_id, lambda id_=order_id: self._release(id_)
            moments = sorted(SHIPPED_AFTER + spread * rng.random() for _ in range(2))
            yield (
                paid + moments[0],
                order_id,
                lambda id_=order_id: self._event("touch", id_),
            )
            by_staff = rng.random() < 0.5
            yield (
                paid + moments[1],
                order_id,
                lambda id_=order_id, by_staff=by_staff: self._ship(id_, by_staff),
            )

    def _backfill(self) -> None:
        with self._shop.writer():
            for account in SellerAccount.objects.order_by("pk"):
                backfill.start(
                    account, START - OLDER_SINCE, START - OLDER_SINCE + OLDER_FOR
                )

    def _put(self, order: Json) -> None:
        now = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._state.put_orders([{**order, "createdTime": now, "lastUpdatedTime": now}])
        self._happened["placed"] += 1

    def _release(self, order_id: str) -> None:
        self._released[order_id] = clock.now()
        self._event("release", order_id)

    def _event(self, name: str, order_id: str, **given: Any) -> None:
        assert plans.possible(name, order_id, **given)(self._state), (name, order_id)
        self._happened[name] += 1

    def _ship(self, order_id: str, by_staff: bool) -> None:
        if not by_staff:
            self._event("ship", order_id, tracking_number=f"SC-{order_id}")
            return
        with self._shop.writer():
            order = AmazonOrder.objects.get(amazon_order_id=order_id)
            if order.import_state != "imported":
                return  # Counted as missing at the end.
            channel = self._channels[order.marketplace_id]
            self._shop.fulfil(
                str(order.shop_order_id),
                {
                    item.shop_line_id: item.quantity_ordered * item.units_per_item
                    for item in order.items.all()
                },
                warehouse_id=channel.warehouses[0].id,
                tracking_number=f"T-{order_id}",
            )
        self._happened["shipped by staff"] += 1

    def run(self) -> Day:
        hour = 0
        end = max(self._end, self._happenings[0][0]) + SETTLING
        with patch.object(pull, "pull_if_due", self._counted(pull.pull_if_due)):
            while (now := clock.now()) < end:
                self._pass_until(self._next_tick(now))
                self._work()
                if now > self._begin + timedelta(hours=hour):
                    self._say(f"{hour} hours")
                    hour += 3
        return self._judge()

    def _counted(self, scan: Callable[..., pull.PullResult]) -> Callable[..., Any]:
        def counted(account: SellerAccount) -> pull.PullResult:
            moment = clock.now()
            result = scan(account)
            if result.pages:
                recorded = result.recorded
                orders = recorded.new + recorded.changed + recorded.unchanged
                found = Scan(account.pk, moment, result.pages, orders)
                self._scans.append(found)
            return result

        return counted

    def _too_soon(self) -> int:
        interval = ChannelSettings.load().pull_interval
        last: dict[int, datetime] = {}
        found = 0
        for scan in self._scans:
            before = last.get(scan.account_id)
            found += before is not None and scan.moment < before + interval
            last[scan.account_id] = scan.moment
        return found

    def _next_tick(self, now: datetime) -> datetime:
        """The first tick after something is due; a minute has one in any case."""
        dues = list(
            SyncCursor.objects.exclude(stream=NotificationQueue.STREAM)
            .exclude(next_run_at=None)
            .values_list("next_run_at", flat=True)
        )
        dues += OutboxEntry.objects.filter(state="pending").values_list(
            "next_attempt_at", flat=True
        )
        if self._size.with_notifications and self._happenings:
            dues.append(self._happenings[-1][0])
        wanted = max(min([*dues, now + timedelta(minutes=1)]), now)
        return self._begin + ((wanted - self._begin) // TICK + 1) * TICK

    def _pass_until(self, moment: datetime) -> None:
        """Through all that happens until then, each in its time."""
        while self._happenings and self._happenings[-1][0] <= moment:
            self._clock.move_to(self._happenings[-1][0])
            self._happenings.pop()[2]()
        self._clock.move_to(moment)

    def _work(self) -> None:
        with self._shop.writer():
            due = tasks.due()
        for task, arguments in due:
            try:
                task(*arguments)
            except Exception as error:  # noqa: BLE001 - each is in the score
                self._failures.append(f"{task.name}: {error!r}")

    def _judge(self) -> Day:
        with self._shop.writer():
            imported = dict(
                AmazonOrder.objects.filter(import_state="imported").values_list(
                    "amazon_order_id", "imported_at"
                )
            )
            delays = [
                (imported[order_id] - released).total_seconds()
                for order_id, released in self._released.items()
                if order_id in imported
            ]
            rows = Reconciliation.objects.order_by("pk")
            return Day(
                size=self._size,
                delays=delays,
                missing=sorted(self._released.keys() - imported.keys()),
                older=len(imported.keys() - self._released.keys()),
                backfills=list(Backfill.objects.order_by("pk")),
                updates=self._happened.total() - self._happened["placed"],
                calls=self._state.counters(),
                unsent=OutboxEntry.objects.exclude(state="succeeded").count(),
                reconciliations=list(rows),
                task_failures=self._failures,
                scans=self._scans,
                too_soon=self._too_soon(),
                real_minutes=0,
            )
