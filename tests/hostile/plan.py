"""What happens in the month, and when: on Amazon's side, in the shop, in between.

Drawn from a seed number alone, before anything runs. Shares are those of issue 3; an
order can have several troubles at once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from saleor_amazon_channel.sandbox import State, events
from saleor_amazon_channel.sandbox.catalogue import NO_STOCK_SKU, SKUS
from saleor_amazon_channel.sandbox.order_builder import (
    YOUNGEST,
    Line,
    OrderBuilder,
    SeedOrder,
)

from . import refunds
from .refunds import Refund

Json = dict[str, Any]

#: Of three accounts; a country twice sells twice as much.
COUNTRIES = (
    "US", "US", "US", "CA", "BR", "GB", "GB", "DE", "DE", "FR", "PL", "JP", "AU",
)  # fmt: skip
UNKNOWN_SKUS = tuple(f"GHOST-{number:02}" for number in range(40))
#: Sold on Amazon in packs: seller SKU → the shop's SKU, and its units of one pack.
PACKS = {
    f"PACK-{units}-{sku}": (sku, units)
    for units, sku in ((2, SKUS[0]), (3, SKUS[5]), (6, SKUS[9]), (12, SKUS[18]))
}
#: Nothing new at the end, so that all can come to its own: of a day, or of a third.
LONGEST_TAIL = timedelta(days=1)
_FIRST_NUMBER = 7_000_000

#: Some orders come all at once, more than a page of Amazon's holds.
RUSHES, RUSH_SHARE, RUSH_LENGTH = 3, 0.20, timedelta(minutes=10)

#: Share of the orders that this happens to.
SHARES = {
    "quantity above one": 0.10,
    "unknown SKU": 0.05,
    "out of stock": 0.005,
    "sold in packs": 0.05,
    "pending first": 0.12,
    "changed while pending": 0.03,
    "cancelled on Amazon": 0.02,
    "line cancelled on Amazon": 0.01,
    "buyer asks to cancel": 0.01,
    "shipped in Seller Central": 0.04,
    "refunded on Amazon": 0.02,
    "odd address": 0.01,
    "several lines": 0.25,
    "fulfilled by Amazon": 0.15,
    "touched": 0.05,
    "shipped by staff": 0.30,
}

#: One in two blocks: Amazon gave no street, or a country that is none.
_ODD_ADDRESSES: tuple[Mapping[str, Any], ...] = (
    {"addressLine1": None, "addressLine2": None},
    {"name": "Madonna", "companyName": "O'Brien & Sons <Ltd>"},
    {"countryCode": "ZZ"},
    {"name": None, "phone": "call me", "postalCode": " ll61  5uj "},
)


@dataclass(frozen=True)
class Happening:
    """Something on Amazon's side; ``cause`` answers whether it could happen."""

    moment: datetime
    order_id: str
    name: str
    cause: Callable[[State], bool] = field(compare=False)


@dataclass(frozen=True)
class Shipment:
    """Staff ship the order, wholly, or unit by unit in ``packages`` packages."""

    moment: datetime
    order_id: str
    packages: int


@dataclass(frozen=True)
class Trouble:
    """A fault of Amazon's or of the network: see ``sandbox/faults.py``."""

    moment: datetime
    fault: Mapping[str, Any]


@dataclass
class Plan:
    start: datetime
    end: datetime
    orders: int
    happenings: list[Happening]
    shipments: list[Shipment]
    troubles: list[Trouble]
    #: How often each trouble was drawn.
    shares: Counter[str]
    #: What was refunded on Amazon, as it happens.
    refunds: list[Refund] = field(default_factory=list)

    @property
    def tail(self) -> timedelta:
        return min(LONGEST_TAIL, (self.end - self.start) / 3)


def draw(seed: int, orders: int, start: datetime, length: timedelta) -> Plan:
    rng = random.Random(f"hostile {seed}")
    plan = Plan(start, start + length, orders, [], [], [], Counter())
    length -= plan.tail
    rushes = [start + length * rng.random() for _ in range(RUSHES)]
    for number in range(orders):
        moment = start + length * rng.random()
        if rng.random() < RUSH_SHARE:
            moment = rng.choice(rushes) + RUSH_LENGTH * rng.random()
        _Drawing(plan, rng, seed, _FIRST_NUMBER + number, _whole(moment)).draw()
    plan.troubles = sorted(
        _troubles(rng, start, length, orders), key=lambda each: each.moment
    )
    plan.happenings += _news_troubles(rng, start, length, orders)
    plan.happenings.sort(key=lambda each: (each.moment, each.order_id))
    plan.shipments.sort(key=lambda each: (each.moment, each.order_id))
    return plan


#: Of orders that nothing happens to.
_ORDINARY = ("quantity above one", "several lines")


def ordinary_orders(
    count: int, start: datetime, length: timedelta, seed: int
) -> list[Json]:
    """Merchant-fulfilled orders to be shipped, evenly over ``length``, oldest first."""
    rng = random.Random(f"ordinary {seed}")
    shares = {name: SHARES[name] for name in _ORDINARY}
    plan = Plan(start, start + length, count, [], [], [], Counter())
    return [
        _Drawing(
            plan,
            rng,
            seed,
            _FIRST_NUMBER + number,
            _whole(start + length * (number / count)),
            shares,
        ).order(by_amazon=False, is_pending=False)
        for number in range(count)
    ]


def _whole(moment: datetime) -> datetime:
    """Amazon writes milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class _Drawing:
    """One order's life."""

    def __init__(
        self,
        plan: Plan,
        rng: random.Random,
        seed: int,
        number: int,
        moment: datetime,
        shares: Mapping[str, float] = SHARES,
    ) -> None:
        self._plan, self._rng = plan, rng
        self._seed, self._number, self._moment = seed, number, moment
        self._shares = shares

    def draw(self) -> None:
        by_amazon = self._is("fulfilled by Amazon")
        is_changed = self._is("changed while pending")
        is_pending = is_changed or self._is("pending first")
        order = self.order(by_amazon=by_amazon, is_pending=is_pending)
        order_id = order["orderId"]
        self._happen(order_id, "put", 0, lambda state: bool(state.put_orders([order])))
        if is_changed:
            self._happen(order_id, "change while pending", 0.3, _more_units(order_id))
        ready = 0.0
        if is_pending:
            ready = self._rng.uniform(0.5, 30)
            self._event(order_id, "release", ready)
        item_ids = [item["orderItemId"] for item in order["orderItems"]]
        skus = [item["product"].get("sellerSku") for item in order["orderItems"]]
        self._live(order_id, ready, by_amazon, item_ids, NO_STOCK_SKU in skus)

    def _live(
        self,
        order_id: str,
        ready: float,
        by_amazon: bool,
        item_ids: list[str],
        is_out_of_stock: bool,
    ) -> None:
        """What becomes of an order that is ready to be shipped, in hours."""
        if self._is("touched"):
            self._event(order_id, "touch", ready + self._rng.uniform(0.1, 20))
        if self._is("cancelled on Amazon"):
            # Some before anybody has seen them, some after the import.
            self._event(order_id, "cancel", ready + self._rng.uniform(0.01, 12))
        is_refunded = self._is("refunded on Amazon")
        if by_amazon:
            hours = ready + self._rng.uniform(1, 20)
            self._event(order_id, "ship", hours)
            if is_refunded:
                self._refund(order_id, hours + self._rng.uniform(0.2, 60))
            return
        if self._is("buyer asks to cancel"):
            hours = ready + self._rng.uniform(0.1, 12)
            self._event(order_id, "request_cancellation", hours)
        if len(item_ids) > 1 and self._is("line cancelled on Amazon"):
            hours = ready + self._rng.uniform(0.01, 12)
            self._event(order_id, "cancel", hours, order_item_ids=item_ids[-1:])
        by_staff = self._is("shipped by staff")
        in_seller_central = self._is("shipped in Seller Central") or (
            is_refunded and not by_staff
        )
        hours = ready + self._rng.uniform(0.2, 20)
        if by_staff:
            packages = self._rng.choice((1, 1, 1, 2))
            shipment = Shipment(self._after(hours), order_id, packages)
            self._plan.shipments.append(shipment)
        # What the shop never had cannot be counted out of its stock.
        if in_seller_central and not is_out_of_stock:
            hours = ready + self._rng.uniform(0.2, 20)
            if self._rng.random() < 0.5:
                self._event(
                    order_id,
                    "ship",
                    hours,
                    quantities={item_ids[0]: 1},
                    tracking_number=f"SC1-{order_id}",
                )
            self._event(order_id, "ship", hours + 2, tracking_number=f"SC2-{order_id}")
        if is_refunded:
            self._refund(order_id, hours + self._rng.uniform(3, 60))

    def _refund(self, order_id: str, hours: float) -> None:
        """In part or whole; what is left perhaps later."""
        kind = self._rng.choice(refunds.KINDS)
        self._refund_once(order_id, hours, kind)
        if kind != "all" and self._rng.random() < 0.5:
            self._refund_once(order_id, hours + self._rng.uniform(0, 40), "all")

    def _refund_once(self, order_id: str, hours: float, kind: str) -> None:
        # By then Amazon shows it.
        latest = self._plan.end - self._plan.tail / 2 - self._after(hours)
        is_deferred, cause = refunds.draw(
            self._rng,
            order_id,
            kind,
            min(refunds.SHOWN_WITHIN, latest),
            self._plan.refunds,
        )
        self._happen(order_id, f"refund {kind}", hours, cause)
        if is_deferred:
            self._happen(
                order_id,
                "release a refund",
                hours + self._rng.uniform(0, 168),
                lambda state: refunds.release(state, order_id),
            )

    def order(self, *, by_amazon: bool, is_pending: bool) -> Json:
        rng = self._rng
        address: Mapping[str, Any] = {}
        if self._is("odd address"):
            address = rng.choice(_ODD_ADDRESSES)
        seed_order = SeedOrder(
            rng.choice(COUNTRIES),
            YOUNGEST,
            list(self._lines()),
            status="PENDING" if is_pending else "UNSHIPPED",
            by_amazon=by_amazon,
            address=address,
        )
        builder = OrderBuilder(self._seed, self._number, self._moment + YOUNGEST)
        return builder.build(seed_order)

    def _lines(self) -> Iterator[Line]:
        rng = self._rng
        count = rng.choice((2, 2, 3)) if self._is("several lines") else 1
        skus = rng.sample(SKUS, count)
        if self._is("sold in packs"):
            skus[0] = rng.choice(list(PACKS))
        if self._is("unknown SKU"):
            skus[-1] = rng.choice(UNKNOWN_SKUS)
        elif self._is("out of stock"):
            skus[-1] = NO_STOCK_SKU
        quantity = rng.randint(2, 5) if self._is("quantity above one") else 1
        for position, sku in enumerate(skus):
            money = rng.random()
            yield Line(
                sku,
                quantity if position == 0 else 1,
                # Prices that the units do not divide.
                item=str(rng.randint(10, 99) * quantity + 1) if money < 0.2 else None,
                shipping=str(rng.randint(1, 9)) if money < 0.4 else None,
                item_discount=str(rng.randint(1, 2)) if 0.1 < money < 0.3 else None,
                gift_wrap="3" if money > 0.95 else None,
                promotion="HOSTILE" if 0.1 < money < 0.3 else None,
            )

    def _is(self, share: str) -> bool:
        drawn = self._rng.random() < self._shares.get(share, 0)
        self._plan.shares[share] += drawn
        return drawn

    def _after(self, hours: float) -> datetime:
        latest = self._plan.end - self._plan.tail / 2
        return _whole(min(self._moment + timedelta(hours=hours), latest))

    def _event(self, order_id: str, name: str, hours: float, **given: Any) -> None:
        self._happen(order_id, name, hours, possible(name, order_id, **given))

    def _happen(
        self,
        order_id: str,
        name: str,
        hours: float,
        cause: Callable[[State], bool],
    ) -> None:
        self._plan.happenings.append(
            Happening(self._after(hours), order_id, name, cause)
        )


def possible(name: str, order_id: str, **given: Any) -> Callable[[State], bool]:
    """Let the sandbox's event happen, unless the order's state forbids it by now."""

    def cause(state: State) -> bool:
        try:
            events.EVENTS[name](state, order_id, **given)
        except events.EventError:
            return False
        return True

    return cause


def _more_units(order_id: str) -> Callable[[State], bool]:
    """The buyer still edits the order: a unit more, and the money of one."""

    def change(order: Json) -> None:
        (item, *_) = order["orderItems"]
        item["quantityOrdered"] += 1
        item["fulfillment"]["quantityUnfulfilled"] += 1

    def cause(state: State) -> bool:
        state.change_order(order_id, change)
        return True

    return cause


def _news_troubles(
    rng: random.Random, start: datetime, length: timedelta, orders: int
) -> Iterator[Happening]:
    """What becomes of Amazon's notifications: for hours they are kept, and the newest
    goes first then; or are sent twice; or are lost."""
    for _ in range(max(2, orders // 250)):
        for name, trouble in NEWS_TROUBLES.items():
            begin = start + length * rng.random()
            end = min(begin + timedelta(hours=rng.uniform(0.5, 6)), start + length)
            for moment, is_on in ((begin, True), (end, False)):
                yield Happening(
                    _whole(moment),
                    "",
                    f"notifications {name}{'' if is_on else ' no more'}",
                    partial(trouble, is_on),
                )


def _kept(is_on: bool, state: State) -> bool:
    with state.lock:
        state.notifications.deliver(held=is_on)
    return True


def _sent_twice(is_on: bool, state: State) -> bool:
    with state.lock:
        state.notifications.deliver(copies=2 if is_on else 1)
    return True


def _lost(is_on: bool, state: State) -> bool:
    with state.lock:
        state.notifications.is_losing = is_on
    return True


#: Each at the same time as others, and as itself, by chance: the first end counts.
NEWS_TROUBLES: Mapping[str, Callable[[bool, State], bool]] = {
    "kept": _kept,
    "sent twice": _sent_twice,
    "lost": _lost,
}


def _troubles(
    rng: random.Random, start: datetime, length: timedelta, orders: int
) -> Iterator[Trouble]:
    def trouble(operation: str, kind: str, **options: Any) -> Trouble:
        moment = start + length * rng.random()
        return Trouble(moment, {"operation": operation, "kind": kind, **options})

    for _ in range(3):  # storms
        storm = start + length * rng.random()
        for operation in (
            "searchOrders",
            "getOrder",
            "confirmShipment",
            "listTransactions",
        ):
            count = max(10, min(40, orders // 20))
            fault = {"operation": operation, "kind": "throttled", "count": count}
            yield Trouble(storm, fault)
    rounds = max(2, orders // 250)
    for number in range(rounds):
        # Apart: what two scans in turn show as it was before, only the comparison by
        # night finds.
        moment = start + length * (number + rng.random() / 2) / rounds
        yield Trouble(moment, {"operation": "searchOrders", "kind": "stale"})
        yield trouble("searchOrders", "internal_failure", count=rng.randint(1, 8))
        yield trouble("searchOrders", "unavailable", count=rng.randint(1, 8))
        yield trouble("searchOrders", "repeated_page")
        yield trouble("searchOrders", "expired_token")
        yield trouble("searchOrders", "close_after_effect")
        yield trouble("searchOrders", "unauthorized")
        yield trouble("searchOrders", "html_400")
        yield trouble("confirmShipment", "close_after_effect", count=2)
        yield trouble("confirmShipment", "failure_after_effect", count=2)
        yield trouble("confirmShipment", "reset_before_effect")
        yield trouble("confirmShipment", "unavailable", count=3)
        yield trouble("listTransactions", "repeated_page")
        yield trouble("listTransactions", "empty_page")
        yield trouble("listTransactions", "expired_token")
        yield trouble("listTransactions", "unavailable", count=rng.randint(1, 8))
        yield trouble("listTransactions", "close_after_effect")
        yield trouble("getOrder", "stale", count=2)
        yield trouble("getOrder", "unavailable", count=3)
        yield trouble("lwaToken", "close_after_effect")
        yield trouble("lwaToken", "lwa_error", error="temporarily_unavailable")
