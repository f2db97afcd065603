"""Whatever leaves for Amazon, and whatever goes wrong on its way: one effect, and told.

Each cell of the matrix is an order (or two) of its own in one shop that trades on. A
worker that dies is a process, and dies by SIGKILL at the moment that the cell names;
the next one starts when the dead one's claims are over. Nothing in the product knows of
this. A cell is right when Amazon has exactly what staff asked for, once; when the entry
and the shop's order say so; and when nothing more happens afterwards.

Of what Amazon cannot be asked, a person is: then a cell is right when nothing happened
twice, and the order says what to look for. ``ASKS`` says where and why; anywhere else
that is wrong.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import requests

from contract.driver import StaffDriver
from journeys import refunding
from journeys.killing import forked
from journeys.refunds import with_parts
from journeys.world import World, running_world
from saleor_amazon_channel import accounts, buyer_messages, clock, outbox
from saleor_amazon_channel.amazon import feed_reports
from saleor_amazon_channel.amazon import sqs as sqs_module
from saleor_amazon_channel.amazon.messaging import Message, MessageAction
from saleor_amazon_channel.amazon.order_feeds import CancelReason
from saleor_amazon_channel.importing import finances, importer, news, pull
from saleor_amazon_channel.invoicing import credit_notes
from saleor_amazon_channel.lifecycle import request_cancellation
from saleor_amazon_channel.models import (
    Marketplace,
    OrderEvent,
    OrderInvoice,
    OutboxEntry,
)
from saleor_amazon_channel.notifications import subscribing
from saleor_amazon_channel.pushing import invoice_reports, runner, stock
from saleor_amazon_channel.sandbox import events, listings
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.sandbox.feed_store import Fate
from saleor_amazon_channel.stock import compare
from saleor_amazon_channel.store.contract import Store
from sqs import Sqs, running_sqs
from wire_orders import GERMANY, wire_item, wire_order

logger = logging.getLogger(__name__)

#: Method and path of the requests that a worker dies at.
REQUESTS = {
    "confirmShipment": r"POST .*/shipmentConfirmation$",
    "createFeedDocument": r"POST .*/feeds/2021-06-30/documents$",
    "upload": r"PUT ",
    "createFeed": r"POST .*/feeds/2021-06-30/feeds$",
    "getFeed": r"GET .*/feeds/2021-06-30/feeds/[^/]+$",
    "getFeedDocument": r"GET .*/feeds/2021-06-30/documents/[^/]+$",
    "getMessagingActionsForOrder": r"GET .*/messaging/v1/orders/[^/]+$",
    "createUnexpectedProblem": r"POST .*/messages/unexpectedProblem$",
    "createUploadDestinationForResource": r"POST /uploads/2020-11-01/",
    "sendInvoice": r"POST /messaging/v1/.*/messages/invoice$",
    "getSolicitationActionsForOrder": r"GET .*/solicitations/v1/orders/[^/]+$",
    "cancelOrder": r"PUT .*/orders/[^/]+/cancellation$",
    "patchListingsItem": r"PATCH .*/listings/2021-08-01/items/",
    "createProductReviewAndSellerFeedbackSolicitation": (
        r"POST .*/solicitations/v1/orders/[^/]+/solicitations/"
    ),
}
#: (before, after or in, what): a moment to die at.
Moment = tuple[str, str]

ISSUER = "Mugs and more GmbH\nHauptstr. 1\n10115 Berlin"
FIRST = "10000000000001"
SELLER = "A1SANDBOXEU"
EMIRATES = "A2VIGQ35RCS4UG"
#: A claim of a worker that died is over by then.
RESTARTED_AFTER = outbox.CLAIM_LIFETIME + timedelta(minutes=1)
#: How the time goes on until all is settled: minutes, hours, and the days that it may
#: take until Amazon tells of a refund.
STEPS = (
    *[timedelta(minutes=6)] * 8,
    *[timedelta(minutes=45)] * 14,
    *[timedelta(hours=6)] * 14,
)


# --- what staff do -------------------------------------------------------------------


class Row:
    """A kind of intent: what staff do, and what Amazon then has of it.

    What it is about (an order) is new for each cell.
    """

    name = ""
    kind = OutboxEntry.Kind.CONFIRM_SHIPMENT
    #: The call that has the effect, and those before it in which a worker may die.
    operation = "createFeed"
    steps: Sequence[Moment] = (
        ("after", "createFeedDocument"),
        ("after", "upload"),
        ("before", "getFeed"),
        ("after", "getFeed"),
        ("before", "getFeedDocument"),
    )
    is_by_feed = True

    def order(self, order_id: str) -> dict[str, Any]:
        item = with_parts(wire_item(FIRST, quantity=2, price="20.00"), SHIPPING="4.99")
        order = wire_order(
            order_id,
            items=[item],
            created=clock.now() - timedelta(hours=2),
            updated=clock.now(),
        )
        shipping = {"amount": "4.99", "currencyCode": "EUR"}
        order["proceeds"]["breakdowns"] = [
            {"type": "ITEM", "subtotal": {"amount": "20.00", "currencyCode": "EUR"}},
            {"type": "SHIPPING", "subtotal": shipping},
        ]
        return order

    def on_amazon(self, world: World, order_id: str) -> None:
        """What has happened there before it is imported."""

    def open(self, world: World, number: int, count: int) -> list[str]:
        """What the cell is about, so many."""
        ids = [f"{number:03}-1111111-{n:07}" for n in range(count)]
        world.sandbox.state.put_orders([self.order(order_id) for order_id in ids])
        for order_id in ids:
            self.on_amazon(world, order_id)
        read_from_amazon(world)
        return ids

    def close(self, world: World) -> None:
        """After the cell."""

    def prepare(self, world: World, order_id: str) -> None:
        """What has happened since."""

    def refresh(self, world: World) -> None:
        """What else workers do before they send it."""

    def subject(self, entry: OutboxEntry) -> str:
        return entry.order.amazon_order_id

    def act(self, world: World, order_id: str) -> None:
        raise NotImplementedError

    def effects(self, world: World, order_id: str) -> list[str]:
        """What Amazon has of it."""
        raise NotImplementedError

    def wanted(self, order_id: str) -> str:
        """What it is to have, once."""
        raise NotImplementedError

    def in_shop(self, world: World, order_id: str) -> str:
        """What is wrong on the shop's order, once Amazon has it."""
        return ""


class Shipment(Row):
    name = "shipment"
    operation = "confirmShipment"
    steps = ()
    is_by_feed = False

    def act(self, world: World, order_id: str) -> None:
        fulfil(world, order_id, f"T-{order_id}")

    def effects(self, world: World, order_id: str) -> list[str]:
        packages = world.on_amazon(order_id).get("packages", [])
        return [
            f"{p['packageReferenceId']} {p.get('trackingNumber')}" for p in packages
        ]

    def wanted(self, order_id: str) -> str:
        return f"1001 T-{order_id}"


class ShipmentByFeed(Shipment):
    """Without a tracking number, which only the feed does without."""

    name = "shipment by feed"
    operation = Row.operation
    steps = Row.steps
    is_by_feed = True

    def act(self, world: World, order_id: str) -> None:
        fulfil(world, order_id, "")

    def order(self, order_id: str) -> dict[str, Any]:
        order = super().order(order_id)
        soon = clock.now() + timedelta(hours=1)
        order["fulfillment"]["shipByWindow"]["latestDateTime"] = wire_time(soon)
        return order

    def wanted(self, order_id: str) -> str:
        return "1001 None"


class TrackingChange(Shipment):
    name = "tracking change"

    def prepare(self, world: World, order_id: str) -> None:
        fulfil(world, order_id, "T-old")
        push(world)
        assert self.effects(world, order_id) == ["1001 T-old"]

    def act(self, world: World, order_id: str) -> None:
        [package] = world.ledger_order(order_id).packages.all()
        world.shop.update_tracking(package.fulfillment_id, f"T-{order_id}")


class Cancel(Row):
    name = "cancel"
    kind = OutboxEntry.Kind.CANCEL

    def act(self, world: World, order_id: str) -> None:
        with world.shop.writer():
            request_cancellation(order_id, CancelReason.NO_INVENTORY)

    def effects(self, world: World, order_id: str) -> list[str]:
        status = world.on_amazon(order_id)["fulfillment"]["fulfillmentStatus"]
        return [status] if status != "UNSHIPPED" else []

    def wanted(self, order_id: str) -> str:
        return "CANCELLED"

    def in_shop(self, world: World, order_id: str) -> str:
        order = world.shop.order(world.ledger_order(order_id).shop_order_id or "")
        return "" if order.status == "canceled" else f"the order is {order.status}"


class CancelByCall(Cancel):
    name = "cancel by call"
    operation = "cancelOrder"
    steps = ()
    is_by_feed = False

    def open(self, world: World, number: int, count: int) -> list[str]:
        change_marketplace(world, cancellation_mechanism="call")
        return super().open(world, number, count)

    def close(self, world: World) -> None:
        change_marketplace(world, cancellation_mechanism="feed")


class Shipped(Row):
    def on_amazon(self, world: World, order_id: str) -> None:
        events.ship(world.sandbox.state, order_id)


class Refund(Shipped):
    name = "refund"
    kind = OutboxEntry.Kind.REFUND

    def act(self, world: World, order_id: str) -> None:
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_refund(shop_order_id, "5.00")

    def effects(self, world: World, order_id: str) -> list[str]:
        given = refunding.refunded_on_amazon(world, order_id)
        return [
            f"{name} {amount}"
            for components in given.values()
            for name, amount in components.items()
        ]

    def wanted(self, order_id: str) -> str:
        return "Principal 5.00"

    def in_shop(self, world: World, order_id: str) -> str:
        money = refunding.money(world, order_id)
        return "" if money == ("19.99", "0.00", "5.00") else f"the shop has {money}"


class Invoice(Shipped):
    name = "invoice"
    kind = OutboxEntry.Kind.INVOICE

    def act(self, world: World, order_id: str) -> None:
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_invoice(shop_order_id, f"R-{order_id}")

    def effects(self, world: World, order_id: str) -> list[str]:
        uploaded = world.sandbox.state.invoices
        return [each.number for each in uploaded if each.order_id == order_id]

    def wanted(self, order_id: str) -> str:
        return f"R-{order_id}"


class InvoiceByMessage(Shipped):
    """Where Amazon has no feed for it: in the Emirates."""

    name = "invoice by message"
    kind = OutboxEntry.Kind.INVOICE
    operation = "sendInvoice"
    steps = (
        ("after", "getMessagingActionsForOrder"),
        ("after", "createUploadDestinationForResource"),
        ("after", "upload"),
    )
    is_by_feed = False

    def order(self, order_id: str) -> dict[str, Any]:
        text = json.dumps(super().order(order_id))
        text = text.replace(GERMANY, EMIRATES).replace('"EUR"', '"AED"')
        order: dict[str, Any] = json.loads(text.replace('"MUG-1"', '"CUP-1"'))
        return order

    def open(self, world: World, number: int, count: int) -> list[str]:
        open_market(world)
        return super().open(world, number, count)

    def act(self, world: World, order_id: str) -> None:
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_invoice(shop_order_id, f"R-{order_id}")

    def effects(self, world: World, order_id: str) -> list[str]:
        return [
            name if content.startswith(b"%PDF") else f"{name} is no PDF"
            for message in world.sandbox.state.messages_of(order_id)
            for name, content in message.attachments
        ]

    def wanted(self, order_id: str) -> str:
        return f"R-{order_id}.pdf"


class CreditNote(Shipped):
    """For a refund in Seller Central, of which Amazon's report has told the name."""

    name = "credit note"
    kind = OutboxEntry.Kind.CREDIT_NOTE

    def prepare(self, world: World, order_id: str) -> None:
        shop_order_id = world.ledger_order(order_id).shop_order_id or ""
        world.shop.request_invoice(shop_order_id, f"R-{order_id}")
        for _ in range(4):
            push(world)
            world.move_clock(timedelta(minutes=5))
        [invoice] = world.sandbox.state.invoices[-1:]
        assert invoice.number == f"R-{order_id}"

    def act(self, world: World, order_id: str) -> None:
        on_amazon.refund(
            world.sandbox.state, order_id, items={FIRST: {"Principal": "5.00"}}
        )
        with world.shop.writer():
            # Up to where it is ready to leave, and no step further.
            world.move_clock(timedelta(minutes=5))
            finances.scan(world.account)
            news.settle()
            credit_notes.settle()
            for _ in range(3):
                world.move_clock(timedelta(minutes=75))
                if invoice_reports.go_on(world.account):
                    return
        raise AssertionError("the report has no such refund")

    def effects(self, world: World, order_id: str) -> list[str]:
        return [
            each.transaction_id and f"credit note for {each.order_id}"
            for each in world.sandbox.state.invoices
            if each.order_id == order_id and each.document_type == "CreditNote"
        ]

    def wanted(self, order_id: str) -> str:
        return f"credit note for {order_id}"

    def in_shop(self, world: World, order_id: str) -> str:
        made = OrderInvoice.objects.filter(
            order__amazon_order_id=order_id, corrects__isnull=False
        )
        return "" if made.count() == 1 else f"there are {made.count()} credit notes"


class BuyerMessage(Row):
    name = "message"
    kind = OutboxEntry.Kind.BUYER_MESSAGE
    operation = "createUnexpectedProblem"
    steps = (("after", "getMessagingActionsForOrder"),)
    is_by_feed = False

    def act(self, world: World, order_id: str) -> None:
        text = f"About {order_id}"
        with world.shop.writer():
            buyer_messages.request_message(
                order_id, Message(MessageAction.UNEXPECTED_PROBLEM, text), ()
            )

    def effects(self, world: World, order_id: str) -> list[str]:
        return [each.text for each in world.sandbox.state.messages_of(order_id)]

    def wanted(self, order_id: str) -> str:
        return f"About {order_id}"


class ReviewRequest(Shipped):
    name = "review request"
    kind = OutboxEntry.Kind.REVIEW_REQUEST
    operation = "createProductReviewAndSellerFeedbackSolicitation"
    steps = (("after", "getSolicitationActionsForOrder"),)
    is_by_feed = False

    def order(self, order_id: str) -> dict[str, Any]:
        order = super().order(order_id)
        delivered = wire_time(clock.now() - timedelta(days=6))
        order["fulfillment"]["deliverByWindow"] = {
            "earliestDateTime": delivered,
            "latestDateTime": delivered,
        }
        return order

    def act(self, world: World, order_id: str) -> None:
        with world.shop.writer():
            buyer_messages.request_review(order_id)

    def effects(self, world: World, order_id: str) -> list[str]:
        # Amazon takes no second one.
        return ["asked"] if order_id in world.sandbox.state.solicited else []

    def wanted(self, order_id: str) -> str:
        return "asked"


class Stock(Row):
    """The quantity of a listing: it is absolute, so that sending it twice is once."""

    name = "stock"
    kind = OutboxEntry.Kind.STOCK
    operation = "patchListingsItem"
    steps = ()
    is_by_feed = False
    most_by_call = 1000

    def open(self, world: World, number: int, count: int) -> list[str]:
        skus = ["MUG-1", "MUG-2"][:count]
        self._quantity = 200 + number
        self._many, stock.MANY = stock.MANY, self.most_by_call
        state = world.sandbox.state
        for sku in skus:
            listings.put(state, SELLER, sku, marketplace_ids=[GERMANY], quantity=1)
        change_marketplace(world, send_stock=True)
        for _ in range(9):
            world.move_clock(timedelta(minutes=4))
            world.work()
            if not OutboxEntry.objects.filter(settled_at=None).exists():
                break
        return skus

    def close(self, world: World) -> None:
        stock.MANY = self._many
        change_marketplace(world, send_stock=False)
        world.sandbox.state.listings.clear()

    def act(self, world: World, sku: str) -> None:
        resolution = world.store.resolve_skus({world.channel.id: [sku]})
        variant_id = resolution[world.channel.id][sku].variant_id or ""
        now = world.shop.stock(variant_id, world.warehouse_id)
        world.shop.set_stock(
            variant_id, world.warehouse_id, self._quantity + now.allocated
        )
        self.refresh(world)

    def refresh(self, world: World) -> None:
        with world.shop.writer():
            compare.run(world.account)

    def subject(self, entry: OutboxEntry) -> str:
        return entry.listing.seller_sku if entry.listing else ""

    def effects(self, world: World, sku: str) -> list[str]:
        return [str(world.sandbox.state.listings[SELLER, sku].quantity)]

    def wanted(self, sku: str) -> str:
        return str(self._quantity)


class StockByFeed(Stock):
    name = "stock by feed"
    operation = Row.operation
    steps = Row.steps
    is_by_feed = True
    most_by_call = 1


ROWS: Sequence[Row] = (
    Shipment(),
    ShipmentByFeed(),
    TrackingChange(),
    Cancel(),
    CancelByCall(),
    Refund(),
    Invoice(),
    InvoiceByMessage(),
    CreditNote(),
    BuyerMessage(),
    ReviewRequest(),
    Stock(),
    StockByFeed(),
)


# --- what goes wrong -----------------------------------------------------------------


class Column:
    name = ""
    count = 1

    def not_for(self, row: Row) -> str:
        """Why it cannot happen to a kind; empty where it can."""
        return ""

    def open(self, world: World) -> None:
        """Before its first cell."""

    def strike(self, world: World, row: Row) -> None:
        """After staff acted: everything until workers go on undisturbed."""
        world.move_clock(outbox.COMPANY_WAIT)
        push(world)


class Killed(Column):
    def __init__(self, name: str, *moments: Moment) -> None:
        self.name, self._moments = name, moments

    def moments(self, row: Row) -> Sequence[Moment]:
        return [(when, what or row.operation) for when, what in self._moments]

    def strike(self, world: World, row: Row) -> None:
        world.move_clock(outbox.COMPANY_WAIT)
        for moment in self.moments(row):
            die_at(world, row, moment)
            world.move_clock(RESTARTED_AFTER)


class KilledBetweenSteps(Killed):
    def not_for(self, row: Row) -> str:
        return "" if row.steps else "it is one call"

    def moments(self, row: Row) -> Sequence[Moment]:
        return row.steps


class KilledWhileParsing(Killed):
    def not_for(self, row: Row) -> str:
        return "" if row.is_by_feed else "there is no report"


class Faulty(Column):
    def __init__(self, name: str, kind: str, count: int = 1) -> None:
        self.name, self._kind, self._count = name, kind, count

    def strike(self, world: World, row: Row) -> None:
        state = world.sandbox.state
        state.inject_fault(row.operation, self._kind, count=self._count)
        super().strike(world, row)
        for _ in range(self._count):
            world.move_clock(timedelta(minutes=2))
            push(world)
        state.clear_faults()


class FateOfFeed(Column):
    def __init__(self, name: str, kind: str, hours: float = 0, orders: int = 1) -> None:
        self.name, self._kind, self._hours = name, kind, hours
        self.count = orders

    def not_for(self, row: Row) -> str:
        return "" if row.is_by_feed else "it goes by a call"

    def strike(self, world: World, row: Row) -> None:
        seconds = self._hours * 3600
        world.sandbox.state.feeds.determine(Fate(self._kind, seconds=seconds))
        super().strike(world, row)


class ToldTwice(Column):
    """Amazon's notifications come twice, and in another order the second time."""

    name = "notified twice"

    def __init__(self, sqs: Sqs) -> None:
        self._sqs, self._queue = sqs, ""

    def open(self, world: World) -> None:
        self._queue = self._sqs.create_queue()
        world.sandbox.state.notifications.deliver(endpoint_url=self._sqs.url)
        with world.shop.writer():
            subscribing.subscribe(world.account, self._queue, self._sqs.url)

    def strike(self, world: World, row: Row) -> None:
        super().strike(world, row)
        for _ in range(3):
            world.move_clock(timedelta(seconds=40))
            told = self._sqs.take(self._queue)
            if told:
                self._sqs.send(self._queue, *told, *reversed(told))
            world.work()


#: And ``ToldTwice``, which needs a queue.
COLUMNS: Sequence[Column] = (
    Killed("killed before sending", ("before", "")),
    Killed("killed after sending", ("after", "")),
    KilledBetweenSteps("killed between steps"),
    KilledWhileParsing("killed while parsing", ("in", "parse"), ("in", "settle_all")),
    Faulty("time-out after effect", "close_after_effect"),
    Faulty("429", "throttled", 2),
    Faulty("500", "internal_failure"),
    Faulty("500 after effect", "failure_after_effect"),
    FateOfFeed("FATAL after a part", "fatal_partly", orders=2),
    FateOfFeed("feed silent for 8 h", "stuck", hours=8),
    FateOfFeed("feed unknown for 8 h", "not_listed", hours=8),
)

#: Where a person may be asked, and why nobody else can be.
ASKS: Mapping[tuple[str, str], str] = {
    # It offers fewer messages the more were sent, and does not say which: neither that
    # one is offered nor that it is not tells of what became of this one (SP-API,
    # "Messaging API v1 Use Case Guide", Message availability).
    **dict.fromkeys(
        [
            (row, column)
            for row in ("message", "invoice by message")
            for column in (
                "killed before sending",
                "killed after sending",
                "time-out after effect",
                "500",
                "500 after effect",
            )
        ],
        "Amazon does not show what was sent to buyers",
    ),
    **dict.fromkeys(
        [
            ("invoice", column)
            for column in (
                "killed after sending",
                "time-out after effect",
                "500 after effect",
                "FATAL after a part",
            )
        ],
        # Its report of invoices is of sellers in its VAT Calculation Service only.
        "Amazon does not show which invoices it has",
    ),
    ("refund", "FATAL after a part"): (
        "a refund that Amazon does not tell of within three days may still come"
    ),
}


# --- dying ---------------------------------------------------------------------------


def die_at(world: World, row: Row, moment: Moment) -> None:
    """Workers until one has died at that moment; it must come."""
    for _ in range(30):
        row.refresh(world)
        if not forked(lambda: push(world), lambda: arm(moment)):
            return
        world.move_clock(timedelta(seconds=40))
    raise AssertionError(f"no worker came to the moment {' '.join(moment)}")


def arm(moment: Moment) -> None:
    """In a process that is to die: at that moment, by SIGKILL."""
    when, what = moment
    if when == "in":
        module = {"parse": feed_reports, "settle_all": outbox}[what]
        setattr(module, what, die)
        return
    send, pattern = requests.Session.send, re.compile(REQUESTS[what])

    def dying(session: Any, request: Any, **options: Any) -> Any:
        path = request.path_url.partition("?")[0]
        if not pattern.match(f"{request.method} {path}"):
            return send(session, request, **options)
        if when == "after":
            send(session, request, **options)
        return die()

    requests.Session.send = dying  # type: ignore[method-assign]


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


# --- the matrix ----------------------------------------------------------------------


@dataclass
class Cell:
    row: Row
    column: Column
    #: ``ok``, ``asks`` or ``-``; else it is wrong.
    verdict: str = ""
    #: Why, unless it is ok.
    why: str = ""

    @property
    def is_wrong(self) -> bool:
        return self.verdict == "WRONG"


class Matrix:
    def __init__(self, world: World, tell: Callable[[str], object]) -> None:
        self._world, self._tell = world, tell
        self._number = 0
        self.cells: list[Cell] = []

    @property
    def wrong(self) -> list[str]:
        return [
            f"{cell.row.name}, {cell.column.name}: {cell.why}"
            for cell in self.cells
            if cell.is_wrong
        ]

    def run(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        configure(self._world)
        for column in columns:
            column.open(self._world)
            for row in rows:
                cell = self._cell(row, column)
                self.cells.append(cell)
                self._tell(
                    f"{row.name:20}{column.name:24}{cell.verdict:6}{cell.why}".rstrip()
                )
        self._print(rows, columns)

    def _print(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        found = {(cell.row.name, cell.column.name): cell for cell in self.cells}
        self._tell("")
        self._tell(" " * 24 + "".join(f"{row.name:20}" for row in rows))
        for column in columns:
            cells = [found[row.name, column.name] for row in rows]
            verdicts = "".join(f"{cell.verdict:20}" for cell in cells)
            self._tell(f"{column.name:24}{verdicts}".rstrip())
        self._tell("")
        self._tell("ok    exactly one effect on Amazon, and the order says so")
        self._tell("asks  at most one effect, and the order says what to look for")
        self._tell("-     cannot happen")

    def _cell(self, row: Row, column: Column) -> Cell:
        if why := column.not_for(row):
            return Cell(row, column, "-", why)
        try:
            return self._lived_through(row, column)
        except Exception as error:  # the other cells are to be seen as well
            logger.exception("%s, %s", row.name, column.name)
            return Cell(row, column, "WRONG", f"{type(error).__name__}: {error}")

    def _lived_through(self, row: Row, column: Column) -> Cell:
        world = self._world
        self._number += 1
        try:
            return self._judged(
                row, column, row.open(world, self._number, column.count)
            )
        finally:
            row.close(world)

    def _judged(self, row: Row, column: Column, ids: Sequence[str]) -> Cell:
        world = self._world
        for each in ids:
            row.prepare(world, each)
        before = set(OutboxEntry.objects.values_list("pk", flat=True))
        for each in ids:
            row.act(world, each)
        column.strike(world, row)
        entries = OutboxEntry.objects.exclude(pk__in=before)
        for step in STEPS:
            world.move_clock(step)
            world.work()
            if not entries.filter(reported_at=None).exists():
                break
        quiet(world)
        return self._judge(row, column, ids, list(entries))

    def _judge(
        self, row: Row, column: Column, ids: Sequence[str], entries: list[OutboxEntry]
    ) -> Cell:
        by_subject = {row.subject(entry): entry for entry in entries}
        if len(entries) != len(ids) or set(by_subject) != set(ids):
            kinds = [entry.kind for entry in entries]
            return Cell(row, column, "WRONG", f"its intents are {kinds}")
        verdicts = set()
        for subject, entry in by_subject.items():
            problem = problem_of(self._world, row, entry)
            if problem:
                return Cell(row, column, "WRONG", f"{subject}: {problem}")
            verdicts.add("ok" if entry.state == "succeeded" else "asks")
        if verdicts == {"ok"}:
            return Cell(row, column, "ok")
        why = ASKS.get((row.name, column.name))
        if why is None:
            messages = {e.error_message for e in entries if e.error_message}
            return Cell(row, column, "WRONG", f"asks a person: {messages}")
        return Cell(row, column, "asks", why)


def problem_of(world: World, row: Row, entry: OutboxEntry) -> str:
    subject = row.subject(entry)
    effects, wanted = row.effects(world, subject), row.wanted(subject)
    if entry.reported_at is None:
        return f"it is {entry.state}: {entry.error_message}"
    if entry.state not in ("succeeded", "failed"):
        return f"it ended {entry.state}"
    if entry.state == "succeeded" and effects != [wanted]:
        return f"it succeeded, and Amazon has {effects} instead of {wanted}"
    if entry.state == "failed" and effects not in ([], [wanted]):
        return f"Amazon has {effects}"
    if entry.state == "failed" and "Seller Central" not in entry.error_message:
        return f"it failed, and does not say where to look: {entry.error_message}"
    if world.shop.emails():
        return f"mails left: {world.shop.emails()}"
    if entry.order is None:
        return ""
    view = world.shop.order(entry.order.shop_order_id or "")
    if entry.state == "failed" and not any(
        entry.error_message in note for note in view.notes
    ):
        return "the shop's order does not say what to look for"
    told = OrderEvent.objects.filter(
        order=entry.order, type=f"{entry.kind}_{entry.state}"
    )
    if told.count() != 1 + told.filter(message__contains="T-old").count():
        return f"the timeline tells it {told.count()} times"
    return row.in_shop(world, subject) if effects else ""


def quiet(world: World) -> None:
    """Nothing more happens, also when Amazon has told all that it tells."""
    made = OutboxEntry.objects.count()
    sent = len(effective_calls(world))
    for minutes in (6, 40):
        world.move_clock(timedelta(minutes=minutes))
        world.work()
    assert OutboxEntry.objects.count() == made, "an echo"
    assert len(effective_calls(world)) == sent, "something was sent again"


def effective_calls(world: World) -> list[Any]:
    operations = {row.operation for row in ROWS}
    return [
        call for call in world.sandbox.state.calls() if call.operation in operations
    ]


def push(world: World) -> None:
    with world.shop.writer():
        runner.push()


def configure(world: World) -> None:
    change_marketplace(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")


def change_marketplace(
    world: World, marketplace_id: str = GERMANY, **changes: Any
) -> None:
    with world.shop.writer():
        accounts.update_marketplace(
            Marketplace.objects.get(marketplace_id=marketplace_id),
            accounts.MarketplaceChanges(**changes),
        )


def open_market(world: World) -> None:
    """The shop sells in the Emirates too, if it does not yet."""
    if Marketplace.objects.get(marketplace_id=EMIRATES).is_mapped:
        return
    with world.shop.writer():
        channel = world.shop.create_channel("amazon-ae", "AED", country="AE")
        [warehouse], [method] = channel.warehouses, channel.shipping_methods
        world.shop.create_variant("CUP-1", [channel.id], stock={warehouse.id: 10_000})
    change_marketplace(
        world,
        EMIRATES,
        channel=channel.slug,
        warehouse_ids=[warehouse.id],
        shipping_method_id=method.id,
        invoice_issuer=ISSUER,
        invoice_tax_number="100000000000003",
    )


def read_from_amazon(world: World) -> None:
    """What Amazon has now is here, without waiting for the next scan."""
    # It hides the last two minutes.
    world.move_clock(timedelta(minutes=3))
    with world.shop.writer():
        result = pull.pull(world.account)
        assert not result.error, result.error
        importer.import_ready()


def fulfil(world: World, order_id: str, tracking_number: str) -> str:
    return world.shop.fulfil(
        world.ledger_order(order_id).shop_order_id or "",
        dict.fromkeys(world.line_ids(order_id).values(), 2),
        warehouse_id=world.warehouse_id,
        tracking_number=tracking_number,
    )


def wire_time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@contextmanager
def shop_with_queue(shop: StaffDriver, store: Store) -> Iterator[tuple[World, Sqs]]:
    # What lies in the queue is found at once: no second is waited for more.
    with (
        patch.object(sqs_module, "WAIT_SECONDS", 0),
        running_sqs() as sqs,
        running_world(shop, store, stock=100_000) as world,
    ):
        yield world, sqs


def chosen(
    sqs: Sqs, rows: str = "", columns: str = ""
) -> tuple[Sequence[Row], Sequence[Column]]:
    """Those of these names, with commas between them; all of them by default."""
    all_columns = (*COLUMNS, ToldTwice(sqs))
    return _named(ROWS, rows), _named(all_columns, columns)


def _named(all_of_them: Sequence[Any], names: str) -> Sequence[Any]:
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = [each.name for each in all_of_them]
    if unknown := set(wanted) - set(known):
        raise SystemExit(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    return [each for each in all_of_them if not wanted or each.name in wanted]
