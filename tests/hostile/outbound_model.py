"""Random staff, Amazon and faults: in the end all agree, and nothing is lost.

A Hypothesis state machine over a few orders of one shop that trades on. Staff fulfil
parts, change tracking, cancel (by feed, or by call), refund, ask for invoices and
reviews, write, and change stock; on Amazon somebody cancels, ships and refunds as well;
calls are throttled, fail, take effect without an answer, feeds end badly or get lost,
and workers die between any two steps. What the shop refuses, staff do not do. At the
end all faults are over and time passes until nothing is open: then Amazon, the ledger
and the shop are compared.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import requests
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contract.driver import OrderView, StockFigures
from hostile.crash_matrix import (
    SELLER,
    Row,
    change_marketplace,
    read_from_amazon,
    wire_time,
)
from journeys.world import World
from saleor_amazon_channel import buyer_messages, clock, lifecycle, outbox, tasks
from saleor_amazon_channel.amazon.messaging import Message, MessageAction
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.models import AmazonRefund, Feed, OrderInvoice, OutboxEntry
from saleor_amazon_channel.pushing import stock
from saleor_amazon_channel.sandbox import events, listings
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.standalone import staff
from wire_orders import GERMANY, wire_item

FIRST, SECOND = "10000000000001", "10000000000002"
SKUS = ("MUG-1", "MUG-2")
#: Units that are held back of each.
SAFETY = 2
CHARGED = Decimal("32.76")
Kind = OutboxEntry.Kind
REFUSALS = (lifecycle.Refused, staff.Refused, buyer_messages.SentBeforeError)

OPERATIONS = (
    "confirmShipment",
    "createFeedDocument",
    "createFeed",
    "getFeed",
    "getFeedDocument",
    "getOrder",
    "listTransactions",
    "createUnexpectedProblem",
    "cancelOrder",
    "getSolicitationActionsForOrder",
    "createProductReviewAndSellerFeedbackSolicitation",
    "searchListingsItems",
    "getListingsItem",
    "patchListingsItem",
)
FAULTS = ("throttled", "internal_failure", "close_after_effect", "reset_before_effect")
FATES = ("fatal", "fatal_partly", "cancelled", "garbled", "processing", "stuck")

#: How the time goes on until all is settled.
STEPS = (
    *[timedelta(minutes=7)] * 6,
    *[timedelta(minutes=40)] * 6,
    *[timedelta(hours=6)] * 20,
)

_numbers = itertools.count(1)
_MANY = stock.MANY


class Killed(BaseException):
    """What no handler catches: the worker is gone, between two steps."""


class _Template(Row):
    """Two mugs for 20.00 with 4.99 for shipping, and another for 7.77."""

    def order(self, order_id: str) -> dict[str, Any]:
        order = super().order(order_id)
        order["orderItems"].append(wire_item(SECOND, "MUG-2", price="7.77"))
        order["proceeds"]["grandTotal"]["amount"] = str(CHARGED)
        order["proceeds"]["breakdowns"][0]["subtotal"]["amount"] = "27.77"
        # So that Amazon offers a review, once it is shipped.
        delivered = wire_time(clock.now() - timedelta(days=6))
        order["fulfillment"]["deliverByWindow"] = {
            "earliestDateTime": delivered,
            "latestDateTime": delivered,
        }
        return order


def list_goods(world: World) -> None:
    """The seller lists what the shop has, and has Amazon told of the stock."""
    for sku in SKUS:
        listings.put(
            world.sandbox.state, SELLER, sku, marketplace_ids=[GERMANY], quantity=1
        )
    change_marketplace(world, send_stock=True, stock_safety_quantity=SAFETY)


class Outbound(RuleBasedStateMachine):
    """``world`` is set by whoever runs it."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        #: Order id → kind → how many intents staff caused.
        self.asked: dict[str, Counter[str]] = {}
        self.fulfillments: list[tuple[str, str]] = []
        self.texts = itertools.count(1)
        #: SKU → units that are promised to orders that are none of these.
        self.promised: dict[str, int] = {}

    # --- staff -----------------------------------------------------------------------

    @initialize(
        count=st.integers(1, 3),
        cancels_by=st.sampled_from(["feed", "call"]),
        many_listings=st.sampled_from([1, 200]),
    )
    def receive_orders(
        self, count: int, cancels_by: str = "feed", many_listings: int = 200
    ) -> None:
        state = self.world.sandbox.state
        change_marketplace(self.world, cancellation_mechanism=cancels_by)
        stock.MANY = many_listings
        for sku in SKUS:
            # What was changed before may be too little for new orders.
            self.change_stock(sku, free=50)
            self.promised[sku] = self._stock(sku).allocated
        batch = next(_numbers)
        self.ids = [f"{batch:03}-2222222-{number:07}" for number in range(count)]
        state.put_orders([_Template().order(order_id) for order_id in self.ids])
        read_from_amazon(self.world)
        self.asked = {order_id: Counter() for order_id in self.ids}
        for order_id in self.ids:
            assert self._order(order_id).import_state == "imported"

    @rule(n=st.integers(0, 2), units=st.integers(1, 2), has_tracking=st.booleans())
    def ship_some(self, n: int, units: int, has_tracking: bool) -> None:
        order_id = self._id(n)
        left = self._left_in_shop(order_id)
        if line := next((line for line, count in left.items() if count), None):
            self._ship(order_id, {line: min(units, left[line])}, has_tracking)

    @rule(n=st.integers(0, 2))
    def ship_the_rest(self, n: int) -> None:
        order_id = self._id(n)
        left = {line: c for line, c in self._left_in_shop(order_id).items() if c}
        if left:
            self._ship(order_id, left, True)

    def _ship(self, order_id: str, lines: dict[str, int], has_tracking: bool) -> None:
        tracking = f"T-{next(_numbers)}" if has_tracking else ""
        with self._asking(order_id, Kind.CONFIRM_SHIPMENT):
            fulfillment_id = self.world.shop.fulfil(
                self._shop_id(order_id),
                lines,
                warehouse_id=self.world.warehouse_id,
                tracking_number=tracking,
            )
            self.fulfillments.append((order_id, fulfillment_id))

    @precondition(lambda self: self.fulfillments)
    @rule(n=st.integers(0, 9))
    def change_tracking(self, n: int) -> None:
        order_id, fulfillment_id = self.fulfillments[n % len(self.fulfillments)]
        with self._asking(order_id, Kind.CONFIRM_SHIPMENT):
            self.world.shop.update_tracking(fulfillment_id, f"T-{next(_numbers)}")

    @rule(n=st.integers(0, 2))
    def cancel(self, n: int) -> None:
        order_id = self._id(n)
        before = OutboxEntry.objects.filter(kind=Kind.CANCEL).count()
        with self._asking(order_id, Kind.CANCEL):
            lifecycle.request_cancellation(order_id, CancelReason.NO_INVENTORY)
            if OutboxEntry.objects.filter(kind=Kind.CANCEL).count() == before:
                raise lifecycle.Refused("It is under way already.")

    @rule(n=st.integers(0, 2), cents=st.sampled_from([1, 500, 777, 2000]))
    def refund(self, n: int, cents: int) -> None:
        order_id = self._id(n)
        with self._asking(order_id, Kind.REFUND):
            self.world.shop.request_refund(
                self._shop_id(order_id), str(Decimal(cents) / 100)
            )

    @rule(n=st.integers(0, 2))
    def invoice(self, n: int) -> None:
        order_id = self._id(n)
        if self.asked[order_id][Kind.INVOICE]:
            return  # A second one is staff's to send.
        with self._asking(order_id, Kind.INVOICE):
            self.world.shop.request_invoice(
                self._shop_id(order_id), f"R-{next(_numbers)}"
            )

    @rule(n=st.integers(0, 2))
    def write(self, n: int) -> None:
        order_id = self._id(n)
        message = Message(
            MessageAction.UNEXPECTED_PROBLEM, f"{order_id} {next(self.texts)}"
        )
        with self._asking(order_id, Kind.BUYER_MESSAGE):
            buyer_messages.request_message(order_id, message, ())

    @rule(n=st.integers(0, 2))
    def ask_for_a_review(self, n: int) -> None:
        order_id = self._id(n)
        before = OutboxEntry.objects.filter(kind=Kind.REVIEW_REQUEST).count()
        with self._asking(order_id, Kind.REVIEW_REQUEST):
            buyer_messages.request_review(order_id)
            if OutboxEntry.objects.filter(kind=Kind.REVIEW_REQUEST).count() == before:
                raise lifecycle.Refused("It is under way already.")

    @rule(sku=st.sampled_from(SKUS), free=st.integers(0, 90))
    def change_stock(self, sku: str, free: int) -> None:
        """So many more than are promised."""
        allocated = self._stock(sku).allocated
        self.world.shop.set_stock(
            self._variant(sku), self.world.warehouse_id, allocated + free
        )

    # --- somebody on Amazon ----------------------------------------------------------

    @rule(n=st.integers(0, 2))
    def amazon_cancels(self, n: int) -> None:
        if self._status(self._id(n)) == "UNSHIPPED":
            events.cancel(self.world.sandbox.state, self._id(n))

    @rule(n=st.integers(0, 2), is_part=st.booleans())
    def seller_central_ships(self, n: int, is_part: bool) -> None:
        order_id = self._id(n)
        if self._status(order_id) not in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
            return
        left = {
            item["orderItemId"]: item["fulfillment"]["quantityUnfulfilled"]
            for item in self.world.on_amazon(order_id)["orderItems"]
        }
        some = {item_id: 1 for item_id, count in left.items() if count}
        events.ship(
            self.world.sandbox.state,
            order_id,
            quantities=dict([min(some.items())]) if is_part else None,
            tracking_number=f"SC-{next(_numbers)}",
        )

    @rule(n=st.integers(0, 2), cents=st.sampled_from([1, 500]))
    def seller_central_refunds(self, n: int, cents: int) -> None:
        order_id, state = self._id(n), self.world.sandbox.state
        if self._status(order_id) not in ("SHIPPED", "PARTIALLY_SHIPPED"):
            return
        left = on_amazon.left_to_refund(state, self.world.on_amazon(order_id))
        amount = Decimal(cents) / 100
        for item_id, components in left.items():
            if components.get("Principal", Decimal(0)) >= amount:
                on_amazon.refund(
                    state, order_id, items={item_id: {"Principal": str(amount)}}
                )
                return

    # --- what goes wrong -------------------------------------------------------------

    @rule(operation=st.sampled_from(OPERATIONS), kind=st.sampled_from(FAULTS))
    def a_call_fails(self, operation: str, kind: str) -> None:
        self.world.sandbox.state.inject_fault(operation, kind)

    @rule(fate=st.sampled_from(FATES))
    def a_feed_ends_badly(self, fate: str) -> None:
        seconds = 8 * 3600 if fate == "stuck" else 0
        self.world.sandbox.state.feeds.determine(Fate(fate, seconds=seconds))

    @rule(moment=st.integers(1, 40))
    def a_worker_dies(self, moment: int) -> None:
        self.world.move_clock(timedelta(minutes=1))
        with dying_at(moment):
            try:
                self.world.work()
            except Killed:
                self.world.move_clock(outbox.CLAIM_LIFETIME)

    @rule(minutes=st.sampled_from([1, 5, 5, 25]))
    def work(self, minutes: int) -> None:
        self.world.move_clock(timedelta(minutes=minutes))
        self.world.work()

    # --- and in the end --------------------------------------------------------------

    def teardown(self) -> None:
        stock.MANY = _MANY
        state = self.world.sandbox.state
        state.clear_faults()
        state.feeds.clear_fates()
        if not self.ids:
            return
        # And again: what Amazon tells of refunds in the end has credit notes made.
        for _ in range(2):
            self._until_nothing_is_open()
            # Amazon's list of refunds once more, and what it may still tell.
            for _ in range(2):
                self.world.move_clock(timedelta(minutes=40))
                self.world.work()
        problems = [
            f"{order_id}: {problem}"
            for order_id in self.ids
            for problem in self._problems(order_id)
        ]
        problems += [f"{sku}: {each}" for sku in SKUS for each in self._shelf(sku)]
        assert not problems, "\n".join(problems)
        assert not any(tasks.sweep_all().values()), "capture missed something"
        assert not Feed.objects.exclude(state="settled").exists()
        assert self.world.shop.emails() == []

    def _until_nothing_is_open(self) -> None:
        entries = OutboxEntry.objects.filter(
            Q(order__amazon_order_id__in=self.ids) | Q(kind=Kind.STOCK)
        )
        open_refunds = AmazonRefund.objects.filter(
            amazon_order_id__in=self.ids, state=AmazonRefund.State.WAITING
        )
        for number, step in enumerate(STEPS):
            self.world.move_clock(step)
            self.world.work()
            is_open = entries.filter(reported_at=None).exclude(state="superseded")
            if number > 3 and not is_open.exists() and not open_refunds.exists():
                return
            for_shipment = Q(error_code=outbox.HELD) & ~Q(kind=Kind.CONFIRM_SHIPMENT)
            if number > 3 and not is_open.exclude(for_shipment).exists():
                self._ship_the_rest_in_seller_central()

    def _ship_the_rest_in_seller_central(self) -> None:
        for order_id in self.ids:
            if self._status(order_id) in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
                events.ship(
                    self.world.sandbox.state,
                    order_id,
                    tracking_number=f"SC-{next(_numbers)}",
                )

    def _problems(self, order_id: str) -> Iterator[str]:
        there, order = self.world.on_amazon(order_id), self._order(order_id)
        view = self.world.shop.order(order.shop_order_id or "")
        entries = list(order.outbox_entries.order_by("pk"))
        status = there["fulfillment"]["fulfillmentStatus"]
        if order.fulfillment_status != status:
            yield f"the ledger has it {order.fulfillment_status}, Amazon {status}"
        kinds = Counter(str(entry.kind) for entry in entries)
        # Nobody asks for a credit note: it follows a refund.
        kinds.pop(str(Kind.CREDIT_NOTE), None)
        if kinds != +self.asked[order_id]:
            yield f"staff asked for {self.asked[order_id]}, the intents are {kinds}"
        for entry in entries:
            yield from _problems_of(entry)
        yield from self._money(order_id, view)
        yield from self._goods(order_id, view, entries, status)
        sent = [each.text for each in self.world.sandbox.state.messages_of(order_id)]
        written = _by_state(entries, Kind.BUYER_MESSAGE)
        if len(sent) != len(set(sent)) or len(sent) < written["succeeded"]:
            yield f"the buyer got {sent}, and messages are {written}"
        invoices = [
            each.number
            for each in self.world.sandbox.state.invoices
            if each.order_id == order_id and each.document_type == "Invoice"
        ]
        billed = _by_state(entries, Kind.INVOICE)
        if len(invoices) != len(set(invoices)) or len(invoices) < billed["succeeded"]:
            yield f"Amazon has the invoices {invoices}, and they are {billed}"
        yield from self._credit_notes(order_id)
        yield from self._asked_for_a_review(order_id, entries)

    def _credit_notes(self, order_id: str) -> Iterator[str]:
        """One for each refund at most, and together no more than the invoice."""
        corrected = [
            each.transaction_id
            for each in self.world.sandbox.state.invoices
            if each.order_id == order_id and each.document_type == "CreditNote"
        ]
        if len(corrected) != len(set(corrected)):
            yield f"Amazon has credit notes for {corrected}"
        made = OrderInvoice.objects.filter(
            order__amazon_order_id=order_id, corrects__isnull=False
        ).select_related("corrects")
        total = sum((note.total or Decimal(0) for note in made), Decimal(0))
        if any(note.corrects and total > (note.corrects.total or 0) for note in made):
            yield f"credit notes give back {total}, more than the invoice says"

    def _asked_for_a_review(
        self, order_id: str, entries: list[OutboxEntry]
    ) -> Iterator[str]:
        state = self.world.sandbox.state
        asked = [
            call
            for call in state.calls("createProductReviewAndSellerFeedbackSolicitation")
            if call.order_id == order_id and call.status == 201
        ]
        reviews = _by_state(entries, Kind.REVIEW_REQUEST)
        if not len(asked) == (order_id in state.solicited) == reviews["succeeded"]:
            yield f"the buyer was asked {len(asked)} times, and requests are {reviews}"

    def _shelf(self, sku: str) -> Iterator[str]:
        """What the shop has of a SKU, and what Amazon offers."""
        here = self._stock(sku)
        offered = self.world.sandbox.state.listings[SELLER, sku].quantity
        if offered != max(here.quantity - here.allocated - SAFETY, 0):
            yield f"Amazon offers {offered}, and the shop has {here}"
        waiting = 0
        for order_id in self.ids:
            view = self.world.shop.order(self._shop_id(order_id))
            if view.status != "canceled":
                waiting += sum(
                    line.quantity - line.quantity_fulfilled
                    for line in view.lines
                    if line.sku == sku
                )
        if here.allocated != self.promised[sku] + waiting:
            yield f"{here.allocated} are promised, {waiting} of them to these orders"
        for entry in OutboxEntry.objects.filter(
            kind=Kind.STOCK, listing__seller_sku=sku
        ):
            yield from _problems_of(entry)

    def _money(self, order_id: str, view: OrderView) -> Iterator[str]:
        refunded = sum(
            (
                amount
                for (of, _), components in (
                    self.world.sandbox.state.transactions.refunded.items()
                )
                if of == order_id
                for amount in components.values()
            ),
            Decimal(0),
        )
        if refunded > CHARGED:
            yield f"{refunded} were refunded of {CHARGED}"
        [payment] = view.transactions
        if payment.refund_pending:
            yield f"{payment.refund_pending} are on their way back for ever"
        is_cancelled = view.status == "canceled"
        if not is_cancelled and payment.refunded != refunded:
            yield f"{refunded} were refunded on Amazon, {payment.refunded} in the shop"
        if payment.charged + payment.refunded != CHARGED:
            yield f"{payment.charged} charged and {payment.refunded} refunded"

    def _goods(
        self, order_id: str, view: OrderView, entries: list[OutboxEntry], status: str
    ) -> Iterator[str]:
        packages = self.world.on_amazon(order_id).get("packages", [])
        ours = [
            fulfillment
            for fulfillment in view.fulfillments
            if fulfillment.status == "fulfilled"
        ]
        # Who shipped what on Amazon is shipping here, and the other way round, is told.
        is_told = any(
            entry.state == "failed" and entry.kind == Kind.CONFIRM_SHIPMENT
            for entry in entries
        )
        is_told |= any("annot be followed" in note for note in view.notes)
        if status == "CANCELLED" and view.status != "canceled" and not is_told:
            yield f"it is cancelled on Amazon, and {view.status} in the shop"
        if status != "CANCELLED" and view.status == "canceled":
            yield f"it is {status} on Amazon, and cancelled in the shop"
        there = Counter(p.get("trackingNumber") or "" for p in packages)
        here = Counter(fulfillment.tracking_number for fulfillment in ours)
        if there != here and not is_told:
            yield f"packages on Amazon {there}, in the shop {here}"
        units_there = sum(
            each["quantity"] for p in packages for each in p["packageItems"]
        )
        units_here = sum(sum(f.lines.values()) for f in ours)
        if units_there != units_here and not is_told:
            yield f"{units_there} units shipped on Amazon, {units_here} in the shop"
        if units_there > 3:
            yield f"{units_there} units of 3 are shipped on Amazon"

    # --- helpers ---------------------------------------------------------------------

    @contextmanager
    def _asking(self, order_id: str, kind: Kind) -> Iterator[None]:
        try:
            yield
        except REFUSALS:
            return
        self.asked[order_id][str(kind)] += 1

    def _variant(self, sku: str) -> str:
        found = self.world.store.resolve_skus({self.world.channel.id: [sku]})
        return found[self.world.channel.id][sku].variant_id or ""

    def _stock(self, sku: str) -> StockFigures:
        return self.world.shop.stock(self._variant(sku), self.world.warehouse_id)

    def _id(self, n: int) -> str:
        return self.ids[n % len(self.ids)]

    def _order(self, order_id: str) -> Any:
        return self.world.ledger_order(order_id)

    def _shop_id(self, order_id: str) -> str:
        return self._order(order_id).shop_order_id or ""

    def _status(self, order_id: str) -> str:
        return str(self.world.on_amazon(order_id)["fulfillment"]["fulfillmentStatus"])

    def _left_in_shop(self, order_id: str) -> dict[str, int]:
        view = self.world.shop.order(self._shop_id(order_id))
        return {
            line.line_id: line.quantity - line.quantity_fulfilled for line in view.lines
        }


def _by_state(entries: list[OutboxEntry], kind: Kind) -> Counter[str]:
    return Counter(entry.state for entry in entries if entry.kind == kind)


def _problems_of(entry: OutboxEntry) -> Iterator[str]:
    if entry.state not in ("succeeded", "failed", "superseded"):
        yield f"{entry} is {entry.state}: {entry.error_message}"
    elif entry.state != "superseded" and entry.reported_at is None:
        yield f"{entry} is not told"
    if entry.state == "failed" and not entry.error_message:
        yield f"{entry} failed, and does not say why"


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """Whoever works within dies before or after one of its commits and requests."""
    moments = itertools.count(1)
    send, commit = requests.Session.send, BaseDatabaseWrapper.commit

    def dying_send(session: requests.Session, *args: Any, **options: Any) -> Any:
        if next(moments) == number:
            raise Killed
        answer = send(session, *args, **options)
        if next(moments) == number:
            raise Killed
        return answer

    def dying_commit(connection: BaseDatabaseWrapper) -> None:
        if next(moments) == number:
            connection.rollback()
            raise Killed
        commit(connection)
        if next(moments) == number:
            raise Killed

    with (
        patch.object(requests.Session, "send", dying_send),
        patch.object(BaseDatabaseWrapper, "commit", dying_commit),
    ):
        yield
