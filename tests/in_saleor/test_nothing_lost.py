"""What staff did is not lost and not doubled, whatever goes wrong while it is noticed.

Another plugin raises before or after ours, our own code raises, the channel is off, or
the process is killed between two of Saleor's commits: after the sweep Amazon has it,
once.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import graphene
import pytest
from saleor.core.db.connection import allow_writer
from saleor.invoice.models import Invoice
from saleor.order.models import Fulfillment, Order
from saleor.payment.models import TransactionItem
from saleor.plugins.base_plugin import BasePlugin
from saleor.plugins.models import PluginConfiguration

from in_saleor.drivers import SaleorDriver, record_notifications
from journeys.invoicing import ISSUER, configure
from journeys.killing import run_worker
from journeys.refunding import money, refunded_on_amazon
from journeys.refunds import put
from journeys.world import running_world
from saleor_amazon_channel import store, tasks
from saleor_amazon_channel.models import ChannelSettings, OutboxEntry
from saleor_amazon_channel.saleor.app import ensure_app
from saleor_amazon_channel.saleor.store import SaleorStore
from saleor_amazon_channel.sandbox import events

from .test_plugin import PLUGIN

WEBHOOKS = "saleor.plugins.webhook.plugin.WebhookPlugin"
RAISING = f"{__name__}.Raising"


def _raise(self, *args, previous_value=None, **kwargs):
    raise RuntimeError("a fault of another plugin")


class Raising(BasePlugin):
    """Another plugin, every hook of which fails that an action of staff calls."""

    PLUGIN_ID = "raising"
    PLUGIN_NAME = "Raising"
    DEFAULT_ACTIVE = True
    CONFIGURATION_PER_CHANNEL = False

    fulfillment_created = _raise
    fulfillment_approved = _raise
    fulfillment_canceled = _raise
    fulfillment_metadata_updated = _raise
    tracking_number_updated = _raise
    order_updated = _raise
    order_fulfilled = _raise
    transaction_refund_requested = _raise


@pytest.fixture
def shop(transactional_db, monkeypatch, settings, tmp_path, site_settings):
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    settings.MEDIA_ROOT = str(tmp_path)
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    with allow_writer():
        PluginConfiguration.objects.create(
            identifier="amazon.sales.channel", active=True, channel=None
        )
        ensure_app()
        yield SaleorDriver(record_notifications(monkeypatch))


@pytest.fixture
def world(shop):
    with running_world(shop, SaleorStore()) as world:
        configure(world, invoice_issuer=ISSUER, invoice_tax_number="DE123456789")
        yield world


class Fleet(NamedTuple):
    """Amazon order ids, by what staff are to do with each."""

    ship: str
    track: str
    call_off: str
    tell_carrier: str
    refund: str
    invoice: str


#: Of which a package is to be confirmed before staff do it.
CONFIRMED = ("track", "call_off", "tell_carrier")


ONE_EACH = Fleet(*(f"111-0000001-{kind:07}" for kind in range(6)))


def prepare(world, orders) -> None:
    """``orders``: by what staff are to do, the ids of those with which they will."""
    for kind, of_kind in orders.items():
        for order_id in of_kind:
            put(world, order_id)
            if kind in ("refund", "invoice"):
                events.ship(world.sandbox.state, order_id)
    world.work_until_quiet(2)
    for kind in CONFIRMED:
        for order_id in orders[kind]:
            world.shop.fulfil(
                saleor_id(world, order_id),
                dict.fromkeys(world.line_ids(order_id).values(), 1),
                warehouse_id=world.warehouse_id,
                tracking_number="T-1",
            )
    world.work_until_quiet(2)


def saleor_id(world, order_id):
    return world.ledger_order(order_id).shop_order_id


def gid(kind, pk):
    return graphene.Node.to_global_id(kind, pk)


def request_of(world, kind, order_id):
    """The mutation and its variables by which staff do it."""
    order = Order.objects.get(pk=saleor_id(world, order_id))
    package = Fulfillment.objects.filter(order=order).last()
    ids = {"id": gid("Fulfillment", package.pk) if package else ""}
    warehouse = gid("Warehouse", world.warehouse_id)
    if kind == "ship":
        lines = [
            {
                "orderLineId": gid("OrderLine", line.pk),
                "stocks": [{"quantity": 1, "warehouse": warehouse}],
            }
            for line in order.lines.all()
        ]
        given = {"notifyCustomer": True, "trackingNumber": "T-2", "lines": lines}
        return (
            "mutation ($id: ID!, $input: OrderFulfillInput!) "
            "{ orderFulfill(order: $id, input: $input) { errors { code } } }",
            {"id": gid("Order", order.pk), "input": given},
        )
    if kind == "track":
        return (
            "mutation ($id: ID!) { orderFulfillmentUpdateTracking(id: $id, input: "
            '{trackingNumber: "T-2"}) { errors { code } } }',
            ids,
        )
    if kind == "call_off":
        return (
            "mutation ($id: ID!, $w: ID!) { orderFulfillmentCancel(id: $id, input: "
            "{warehouseId: $w}) { errors { code } } }",
            {**ids, "w": warehouse},
        )
    if kind == "tell_carrier":
        return (
            "mutation ($id: ID!) { updateMetadata(id: $id, input: "
            '[{key: "amazon.carrier", value: "UPS"}]) { errors { code } } }',
            ids,
        )
    if kind == "refund":
        token = TransactionItem.objects.get(order=order).token
        return (
            "mutation ($id: ID!) { transactionRequestAction(id: $id, actionType: "
            "REFUND, amount: 5) { errors { code } } }",
            {"id": gid("TransactionItem", token)},
        )
    return (
        "mutation ($id: ID!) { invoiceRequest(orderId: $id) { errors { code } } }",
        {"id": gid("Order", order.pk)},
    )


def do(world, kind, order_id):
    """What staff are answered: the codes of errors, or that something went wrong."""
    text, variables = request_of(world, kind, order_id)
    answer = world.shop._staff.post_graphql(text, variables).json()
    if "errors" in answer:
        return "internal"
    [result] = answer["data"].values()
    return [error["code"] for error in result["errors"]]


def sweep():
    with store.writer():
        return tasks.sweep_all()


def settle(world):
    for _ in range(6):
        world.work()
        world.move_clock(timedelta(minutes=11))


def state_of(world, kind, order_id):
    """What Amazon has of it, or staff are told."""
    amazon = world.on_amazon(order_id)
    if kind == "refund":
        assert money(world, order_id)[1] == "0.00"
        return money(world, order_id)[2], len(refunded_on_amazon(world, order_id))
    if kind == "invoice":
        return [
            each.number
            for each in world.sandbox.state.invoices
            if each.order_id == order_id
        ]
    if kind == "call_off":
        notes = world.shop.order(saleor_id(world, order_id)).notes
        return len([note for note in notes if "was cancelled here, but" in note])
    packages = amazon.get("packages", ())
    of = "carrier" if kind == "tell_carrier" else "trackingNumber"
    return [(package["packageReferenceId"], package[of]) for package in packages]


#: Before staff did it, and when Amazon has it.
OUTCOMES = {
    "ship": ([], [("1001", "T-2")]),
    "track": ([("1001", "T-1")], [("1001", "T-2")]),
    "call_off": (0, 1),
    "tell_carrier": ([("1001", "DHL")], [("1001", "UPS")]),
    "refund": (("0.00", 0), ("5.00", 2)),
}
ENTRIES = {"ship": 1, "track": 2, "call_off": 1, "tell_carrier": 2, "refund": 1}


def check(world, fleet, lost=()):
    for kind, order_id in fleet._asdict().items():
        entries = OutboxEntry.objects.filter(order__amazon_order_id=order_id)
        assert set(entries.values_list("state", flat=True)) <= {"succeeded"}, kind
        before, after = OUTCOMES.get(kind, ([], None))
        if kind == "invoice" and kind not in lost:
            [invoice] = Invoice.objects.filter(order_id=saleor_id(world, order_id))
            assert invoice.status == "success"
            after = [invoice.number]
        expected = before if kind in lost else after
        assert state_of(world, kind, order_id) == expected, kind
        if kind not in lost:
            assert entries.count() == ENTRIES.get(kind, 1), kind


def raising(*args, **kwargs):
    raise RuntimeError("a fault of ours")


@pytest.mark.parametrize("fault", ["before us", "after us", "in us", "off"])
def test_nothing_is_lost_and_nothing_doubled(world, settings, monkeypatch, fault):
    orders = ONE_EACH
    prepare(world, {kind: [each] for kind, each in orders._asdict().items()})
    sweep()
    with monkeypatch.context() as broken:
        if fault == "before us":
            settings.PLUGINS = [WEBHOOKS, RAISING, PLUGIN]
        elif fault == "after us":
            settings.PLUGINS = [WEBHOOKS, PLUGIN, RAISING]
        elif fault == "off":
            PluginConfiguration.objects.update(active=False)
            ChannelSettings.objects.update(active=False)
        else:
            for name in (
                "lifecycle.record_shipments",
                "refunding.record.take",
                "invoicing.record.record_invoices",
                "saleor.invoices.issue",
            ):
                broken.setattr(f"saleor_amazon_channel.{name}", raising)
        answers = {
            kind: do(world, kind, order_id)
            for kind, order_id in orders._asdict().items()
        }
    settings.PLUGINS = [WEBHOOKS, PLUGIN]
    PluginConfiguration.objects.update(active=True)
    ChannelSettings.objects.update(active=True)

    lost = ()
    if fault == "off":
        # Saleor has told staff so itself: nothing has happened that could be lost.
        lost = ("refund", "invoice")
        assert answers.pop("refund") == ["MISSING_TRANSACTION_ACTION_REQUEST_WEBHOOK"]
        assert answers.pop("invoice") == ["NO_INVOICE_PLUGIN"]
    elif fault.endswith("us") and fault != "in us":
        assert answers.pop("invoice") == []
        assert set(answers.values()) == {"internal"}
        answers = {}
    assert all(answer == [] for answer in answers.values()), answers
    if fault in ("in us", "off"):
        assert not OutboxEntry.objects.exclude(state="succeeded").exists()

    world.move_clock(timedelta(minutes=61))
    found = Counter(sweep())
    again = Counter(sweep())

    assert again == Counter(shipments=0, invoices=0, refunds=0)
    assert (
        found
        == {
            "before us": Counter(shipments=1, invoices=0, refunds=1),
            "after us": Counter(shipments=0, invoices=0, refunds=0),
            "in us": Counter(shipments=3, invoices=1, refunds=1),
            "off": Counter(shipments=3, invoices=0, refunds=0),
        }[fault]
    )
    settle(world)
    check(world, orders, lost)
    assert Counter(sweep()) == again
    assert world.shop.emails() == []


def is_in_saleor(world, kind, order_id):
    """Whether the shop has what staff did."""
    with allow_writer():
        order = Order.objects.get(pk=saleor_id(world, order_id))
        package = order.fulfillments.last()
        return {
            "ship": lambda: bool(package),
            "track": lambda: package.tracking_number == "T-2",
            "call_off": lambda: package.status == "canceled",
            "tell_carrier": lambda: "amazon.carrier" in package.metadata,
            "refund": lambda: (
                order.payment_transactions.get()
                .events.filter(type="refund_request")
                .exists()
            ),
            "invoice": lambda: order.invoices.exists(),
        }[kind]()


#: One for each moment to die at, and the one that lives.
ORDERS = Fleet(
    ship=4, track=14, call_off=4, tell_carrier=10, refund=26, invoice=26
)._asdict()


# One version is enough for what takes long; nothing here is bound to a version.
@pytest.mark.saleor_version(">=3.23")
def test_killed_between_any_two_commits_of_saleor(world):
    """Each order is judged by what Saleor has of it: Amazon has the same, once."""
    orders = {
        kind: [f"112-{place:07}-{n:07}" for n in range(ORDERS[kind])]
        for place, kind in enumerate(Fleet._fields)
    }
    prepare(world, orders)
    sweep()
    for kind, of_kind in orders.items():
        for died, order_id in enumerate(of_kind):
            if run_worker(partial(do, world, kind, order_id), die_at=died + 1):
                break
        else:
            pytest.fail(f"{kind} never finishes")
        del of_kind[died + 1 :]
        assert died >= 2, f"{kind}: its commits are not seen"

    world.move_clock(timedelta(minutes=61))
    found = sweep()
    assert sweep() == dict.fromkeys(found, 0)
    # Of each kind some were killed between what they are and our notice of it.
    assert all(found.values()), found
    settle(world)

    for kind, of_kind in orders.items():
        done = [is_in_saleor(world, kind, order_id) for order_id in of_kind]
        # Nothing was done by who was killed at once, and by the last it was.
        assert (done[0], done[-1]) == (False, True), kind
        for is_done, order_id in zip(done, of_kind, strict=True):
            entries = OutboxEntry.objects.filter(order__amazon_order_id=order_id)
            sent = ENTRIES.get(kind, 1) if is_done else kind in CONFIRMED
            assert entries.count() == sent, order_id
            if kind == "invoice":
                # They go one by one: not all have left.
                assert len(state_of(world, kind, order_id)) <= is_done
                of_shop = Invoice.objects.filter(order_id=saleor_id(world, order_id))
                states = list(of_shop.values_list("status", flat=True))
                assert states == ["success"] * is_done
            else:
                outcome = OUTCOMES[kind][is_done]
                assert state_of(world, kind, order_id) == outcome, order_id
