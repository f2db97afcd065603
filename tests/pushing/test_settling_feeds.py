"""The entries of a feed that has ended are settled together: all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_amazon_channel import clock, outbox
from saleor_amazon_channel.amazon.feed_reports import Report, Result
from saleor_amazon_channel.ledger import shop_refunds
from saleor_amazon_channel.models import (
    AmazonOrder,
    AmazonPackage,
    AmazonRefund,
    AmazonRefundAmount,
    Feed,
    OrderEvent,
    OutboxAttempt,
    OutboxEntry,
    SellerAccount,
    ShopRefund,
)
from saleor_amazon_channel.outbox import State
from saleor_amazon_channel.pushing import (
    cancellations,
    feeds,
    invoices,
    refunds,
    shipments,
)
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db

Kind = OutboxEntry.Kind


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[timedelta], None]]:
    # What is read again of Amazon afterwards is told of in the journeys.
    monkeypatch.setattr(cancellations, "settled", lambda *_: None)
    with clock.frozen(NOW) as move:
        yield move


def submitted(account: SellerAccount, kind: Kind, count: int) -> Feed:
    """A feed that Amazon has, with ``count`` messages about as many orders."""
    module = feeds.KINDS[kind]
    feed = Feed.objects.create(
        account=account,
        feed_type=module.FEED_TYPE,
        document_id="document",
        feed_id=f"feed-{kind}-{count}",
        state=Feed.State.SUBMITTED,
        sent_at=NOW,
    )
    orders = AmazonOrder.objects.bulk_create(
        AmazonOrder(
            account=account,
            amazon_order_id=f"{count:03}-{len(kind):07}-{number:07}",
            marketplace_id=GERMANY,
            created_time=NOW,
            last_updated_time=NOW,
        )
        for number in range(count)
    )
    payloads: dict[str, dict[str, Any]] = {
        Kind.CONFIRM_SHIPMENT: {"package_reference_id": 1, "revision": 2},
        Kind.INVOICE: {"number": "A-1", "shop_invoice_id": "1"},
    }
    entries = OutboxEntry.objects.bulk_create(
        OutboxEntry(
            account=account,
            order=order,
            kind=kind,
            idempotency_key=f"{kind}:{order.amazon_order_id}",
            payload=payloads.get(kind, {}),
            state=State.SUBMITTED,
            attempt_count=1,
            actor="staff@example.com",
            feed=feed,
            message_id=number,
        )
        for number, order in enumerate(orders, 1)
    )
    if kind == Kind.CONFIRM_SHIPMENT:
        AmazonPackage.objects.bulk_create(
            AmazonPackage(
                order=order,
                package_reference_id=1,
                fulfillment_id=str(order.pk),
                tracking_number=f"T-{order.pk}",
                ship_date=NOW,
                revision=2,
                confirmed_revision=1,
            )
            for order in orders
        )
    if kind == Kind.REFUND:
        for entry in entries:
            refund_on_both_sides(entry)
    return feed


def refund_on_both_sides(entry: OutboxEntry) -> None:
    """Amazon tells of the refund before its feed's report is there."""
    ShopRefund.objects.create(
        order=entry.order,
        entry=entry,
        request_id=str(entry.pk),
        reference=f"reference-{entry.pk}",
        amount=Decimal(5),
        currency="EUR",
        reason="CustomerReturn",
        amounts={"1": {"Principal": "5.00"}},
        sent_at=NOW,
    )
    row = AmazonRefund.objects.create(
        account=entry.account,
        amazon_order_id=entry.order.amazon_order_id,
        transaction_id=f"transaction-{entry.pk}",
        status="released",
        posted_at=NOW,
        currency="EUR",
        amount=Decimal(5),
        payload={},
    )
    AmazonRefundAmount.objects.create(
        refund=row, order_item_id="1", component="Principal", amount=Decimal(5)
    )


def report(
    feed: Feed, *, refused: Collection[int] = (), warned: Collection[int] = ()
) -> Report:
    count = feed.entries.count()
    return Report(
        is_complete=True,
        processed=count,
        successful=count - len(refused),
        results={
            number: (Result(number, number in refused, "90002", "No."),)
            for number in (*refused, *warned)
        },
    )


def settle(feed: Feed, **options: Any) -> list[str]:
    outcomes = feeds._settle_by_report(
        None,  # type: ignore[arg-type]  # nothing is read
        feed.account,
        feed,
        report(feed, **options),
    )
    return [str(outcome.state) for outcome in outcomes]


def states(feed: Feed) -> list[str]:
    return list(feed.entries.order_by("message_id").values_list("state", flat=True))


def queries(feed: Feed, **options: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        settle(feed, **options)
    return len(captured)


MANY_KINDS = [Kind.CONFIRM_SHIPMENT, Kind.CANCEL, Kind.REFUND]


@pytest.mark.parametrize("kind", MANY_KINDS)
def test_a_feed_costs_as_many_queries_however_many_messages_it_has(
    account: SellerAccount, kind: Kind
) -> None:
    few, many = submitted(account, kind, 4), submitted(account, kind, 60)
    assert queries(few, refused=[1, 3]) == queries(many, refused=range(1, 31))
    for feed, failed in ((few, 2), (many, 30)):
        feed.refresh_from_db()
        assert feed.state == Feed.State.SETTLED
        assert states(feed).count("failed") == failed
        assert states(feed).count("succeeded") == feed.entries.count() - failed


@pytest.mark.parametrize("kind", MANY_KINDS)
def test_what_came_of_each_is_told_on_its_order(
    account: SellerAccount, kind: Kind
) -> None:
    feed = submitted(account, kind, 3)
    assert settle(feed, refused=[2]) == ["succeeded", "failed", "succeeded"]

    for entry in feed.entries.select_related("order").order_by("message_id"):
        [event] = OrderEvent.objects.filter(order=entry.order)
        [attempt] = OutboxAttempt.objects.filter(entry=entry)
        assert (event.type, event.actor) == (
            f"{kind}_{entry.state}",
            "staff@example.com",
        )
        assert event.message == entry.order.note == attempt.message != ""
        assert attempt.outcome == entry.state
        assert (entry.settled_at, entry.claim_token) == (NOW, None)
        is_refused = entry.message_id == 2
        assert entry.error_code == ("90002" if is_refused else "")
        assert entry.error_message == (event.message if is_refused else "")


def test_a_warning_is_told_beside_the_success(account: SellerAccount) -> None:
    feed = submitted(account, Kind.CONFIRM_SHIPMENT, 2)
    assert settle(feed, warned=[2]) == ["succeeded", "succeeded"]

    plain, warned = OrderEvent.objects.order_by("pk").values_list("message", flat=True)
    assert "warns" not in plain
    assert warned.endswith(". Amazon warns: 90002: No.")


def test_a_package_is_confirmed_in_the_version_that_was_sent(
    account: SellerAccount,
) -> None:
    feed = submitted(account, Kind.CONFIRM_SHIPMENT, 3)
    settle(feed, refused=[2])
    confirmed = AmazonPackage.objects.order_by("pk").values_list("confirmed_revision")
    assert list(confirmed) == [(2,), (1,), (2,)]


def test_what_amazon_tells_of_refunds_is_the_shops_own(account: SellerAccount) -> None:
    feed = submitted(account, Kind.REFUND, 3)
    settle(feed, refused=[2])
    linked = AmazonRefund.objects.order_by("pk").values_list("shop_refund__entry")
    first, _, third = feed.entries.order_by("message_id").values_list("pk", flat=True)
    assert list(linked) == [(first,), (None,), (third,)]


# --- what goes wrong -----------------------------------------------------------------


class Killed(BaseException):
    """What no handler catches: the process is gone."""


@pytest.mark.parametrize("kind", MANY_KINDS)
def test_a_worker_that_dies_while_settling_has_settled_nothing(
    account: SellerAccount, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = submitted(account, kind, 3)

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(feeds, "_close", dies)
        with pytest.raises(Killed):
            settle(feed)
    feed.refresh_from_db()
    assert feed.state == Feed.State.SUBMITTED
    assert set(states(feed)) == {"submitted"}
    assert not OrderEvent.objects.exists()
    assert not OutboxAttempt.objects.exists()

    # The next look finds it as it was, at once.
    assert settle(feed) == ["succeeded"] * 3
    assert OrderEvent.objects.count() == OutboxAttempt.objects.count() == 3


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        (Kind.CONFIRM_SHIPMENT, shipments),
        (Kind.CANCEL, cancellations),
        (Kind.REFUND, refunds),
        (Kind.INVOICE, invoices),
    ],
)
def test_one_that_cannot_be_settled_keeps_the_feed_open_and_no_other_back(
    account: SellerAccount,
    kind: Kind,
    module: Any,
    monkeypatch: pytest.MonkeyPatch,
    now: Callable[[timedelta], None],
) -> None:
    feed = submitted(account, kind, 3)
    record = module.record_success

    def but_not_the_second(entries: Sequence[OutboxEntry]) -> None:
        if any(entry.message_id == 2 for entry in entries):
            raise RuntimeError("unexpected")
        record(entries)

    with monkeypatch.context() as broken:
        broken.setattr(module, "record_success", but_not_the_second)
        settle(feed)
    feed.refresh_from_db()
    assert states(feed) == ["succeeded", "submitted", "succeeded"]
    assert feed.state == Feed.State.SUBMITTED

    # Nor is it read from Amazon, or sent, like one whose worker died while sending.
    now(timedelta(minutes=11))
    assert list(outbox.claim(account, 9, [kind])) == []

    assert settle(feed) == ["succeeded"]
    feed.refresh_from_db()
    assert feed.state == Feed.State.SETTLED
    assert states(feed) == ["succeeded"] * 3
    assert OutboxAttempt.objects.count() == 3


def test_one_that_can_never_be_settled_is_given_up_with_its_feed(
    account: SellerAccount,
    monkeypatch: pytest.MonkeyPatch,
    now: Callable[[timedelta], None],
) -> None:
    feed = submitted(account, Kind.INVOICE, 1)

    def never(_: Sequence[OutboxEntry]) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(invoices, "record_success", never)
    settle(feed)
    assert states(feed) == ["submitted"]
    now(timedelta(days=1))

    def reads_the_report(*_: Any) -> list[Any]:
        settle(feed)
        return []

    monkeypatch.setattr(feeds, "_poll", reads_the_report)
    list(feeds._follow(None, account, feed))  # type: ignore[arg-type]

    feed.refresh_from_db()
    assert (states(feed), feed.state) == (["failed"], Feed.State.SETTLED)
    assert "look in Seller Central" in feed.entries.get().error_message


def test_what_is_linked_in_many_orders_is_linked_in_each_alone(
    account: SellerAccount,
) -> None:
    """Two refunds of one order that are the same, and one of another's."""
    feed = submitted(account, Kind.REFUND, 2)
    first, second = feed.entries.order_by("message_id")
    AmazonRefund.objects.filter(amazon_order_id=second.order.amazon_order_id).update(
        amazon_order_id=first.order.amazon_order_id
    )
    settle(feed)
    assert AmazonRefund.objects.filter(shop_refund__entry=first).count() == 1
    assert AmazonRefund.objects.filter(shop_refund=None).count() == 1
    shop_refunds.link([first.order, second.order])
    assert AmazonRefund.objects.filter(shop_refund=None).count() == 1
