"""What is due, and how a task runs; what tasks then do is in ``journeys``."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from saleor_amazon_channel import clock, tasks
from saleor_amazon_channel.importing import healing
from saleor_amazon_channel.models import (
    AmazonOrder,
    ChannelSettings,
    Feed,
    NotificationQueue,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.notifications import receiving
from wire_orders import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    with clock.frozen(NOW) as move:
        yield move


def due() -> list[str]:
    return [task.name.rpartition(".")[2] for task, _ in tasks.due()]


@pytest.fixture
def channel(account: SellerAccount, now: object) -> SellerAccount:
    """Switched on, and all that is regular has just been done."""
    ChannelSettings.objects.create(id=1, active=True)
    SyncCursor.objects.create(
        account=account, stream="orders", next_run_at=NOW + timedelta(minutes=4)
    )
    SyncCursor.objects.create(
        account=account, stream="marketplaces", next_run_at=NOW + timedelta(days=1)
    )
    SyncCursor.objects.create(
        account=account, stream="finances", next_run_at=NOW + timedelta(minutes=30)
    )
    SyncCursor.objects.create(stream="staff_actions", watermark=NOW)
    SyncCursor.objects.create(
        stream="housekeeping", next_run_at=NOW + timedelta(days=2)
    )
    return account


def order(account: SellerAccount, state: str) -> AmazonOrder:
    return AmazonOrder.objects.create(
        account=account,
        amazon_order_id="111-0000001-0000001",
        created_time=NOW,
        last_updated_time=NOW,
        import_state=state,
    )


def test_in_read_only_mode_no_push_is_handed_out_for_what_waits(
    channel: SellerAccount,
) -> None:
    OutboxEntry.objects.create(
        account=channel,
        order=order(channel, "imported"),
        kind="cancel",
        idempotency_key="cancel:1",
        payload={},
    )
    Feed.objects.create(
        account=channel, feed_type="x", feed_id="1", state="submitted", next_poll_at=NOW
    )
    assert due() == ["push"]

    ChannelSettings.objects.update(read_only=True)
    assert due() == []

    # What is settled is told in the shop all the same.
    OutboxEntry.objects.update(state="succeeded")
    assert due() == ["push"]


def test_only_housekeeping_is_due_while_the_channel_is_off(
    account: SellerAccount, now
) -> None:
    assert due() == ["keep_house"]
    tasks.keep_house()
    assert due() == []
    now(timedelta(days=1))
    assert due() == ["keep_house"]


def test_nothing_is_due_when_all_is_done(channel: SellerAccount) -> None:
    order(channel, "imported")
    assert due() == []


def test_housekeeping_that_failed_is_due_again_in_an_hour(
    channel, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise ValueError("no such table")

    now(timedelta(days=2))
    monkeypatch.setattr(tasks.pruning, "prune", fail)
    with pytest.raises(tasks.TaskFailed, match="ValueError"):
        tasks.keep_house()
    assert "keep_house" not in due()
    now(timedelta(hours=1))
    assert "keep_house" in due()


def test_celery_does_not_log_what_a_failure_quotes(
    channel: SellerAccount,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    buyer = "Änne Müller"

    def fail(_: SellerAccount) -> None:
        raise ValueError(buyer)

    monkeypatch.setattr(tasks.pull, "pull_if_due", fail)

    assert tasks.pull_orders.apply(args=[channel.pk]).state == "FAILURE"

    assert [record.name for record in caplog.records] == [
        "saleor_amazon_channel.tasks",
        "celery.app.trace",
    ]
    assert "saleor_amazon_channel.pull_orders failed with ValueError" in caplog.text
    assert buyer not in caplog.text


def test_a_pull_is_due_when_its_time_has_come(channel, now) -> None:
    now(timedelta(minutes=4))
    assert due() == ["pull_orders", "sweep"]


def test_marketplaces_are_due_once_a_day(channel, now) -> None:
    SyncCursor.objects.filter(stream__in=("orders", "finances")).update(
        next_run_at=NOW + timedelta(2)
    )
    now(timedelta(days=1))
    assert due() == ["refresh_marketplaces", "sweep"]
    SyncCursor.objects.filter(stream="marketplaces").delete()  # Before there was one.
    assert due() == ["refresh_marketplaces", "sweep"]
    SellerAccount.objects.update(state="paused")
    assert due() == ["sweep"]


def test_refunds_are_read_every_half_hour(channel, now) -> None:
    SyncCursor.objects.filter(stream="orders").update(
        next_run_at=NOW + timedelta(hours=1)
    )
    now(timedelta(minutes=30))
    assert due() == ["pull_refunds", "sweep"]


def test_a_stopped_account_is_not_pulled(channel, now) -> None:
    SellerAccount.objects.update(state="needs_reauthorization")
    now(timedelta(minutes=4))
    assert due() == ["sweep"]


def test_a_queue_is_read_at_every_tick(channel: SellerAccount, now) -> None:
    queue = NotificationQueue.objects.create(
        account=channel, arn="arn:1", next_check_at=NOW + timedelta(days=1)
    )
    assert due() == ["receive_notifications"]
    SyncCursor.objects.create(
        account=channel, stream="notifications", next_run_at=NOW + timedelta(seconds=1)
    )
    assert due() == []
    now(timedelta(seconds=1))
    assert due() == ["receive_notifications"]
    NotificationQueue.objects.filter(pk=queue.pk).update(next_check_at=NOW)
    assert due() == ["receive_notifications", "check_subscriptions"]

    for settings, account in (
        ({"read_only": True}, {}),
        ({"read_only": False}, {"state": "paused"}),
    ):
        ChannelSettings.objects.update(**settings)
        SellerAccount.objects.update(**account)
        assert due() == []


def test_orders_that_amazon_tells_of_are_imported_without_asking_what_blocks_others(
    channel: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The causes of all that is blocked are for ``import_orders``, at every tick."""
    order(channel, "ready")

    def receive(account: SellerAccount) -> int:
        return 1

    def heal() -> int:
        raise AssertionError("asked what blocks others")

    monkeypatch.setattr(receiving, "receive", receive)
    monkeypatch.setattr(healing, "heal", heal)
    tasks.receive_notifications(channel.pk)

    # It was looked at: there is nothing to read in it.
    assert AmazonOrder.objects.get().import_state == "blocked"


@pytest.mark.parametrize("state", ["ready", "blocked"])
def test_orders_to_import_are_due(channel: SellerAccount, state: str) -> None:
    order(channel, state)
    assert due() == ["import_orders"]


@pytest.mark.parametrize(
    ("state", "next_attempt", "settled", "expected"),
    [
        ("pending", 0, None, ["push"]),
        ("pending", 60, None, []),
        ("unknown", 0, None, ["push"]),
        ("succeeded", 0, NOW, ["push"]),  # not reported to the shop yet
        ("superseded", 0, NOW, []),
    ],
)
def test_what_makes_a_push_due(channel, state, next_attempt, settled, expected) -> None:
    OutboxEntry.objects.create(
        account=channel,
        order=order(channel, "imported"),
        kind="confirm_shipment",
        idempotency_key="k",
        payload={},
        state=state,
        next_attempt_at=NOW + timedelta(seconds=next_attempt),
        settled_at=settled,
    )
    assert due() == expected


def test_debug_logging_is_switched_at_run_time(channel: SellerAccount) -> None:
    client_logger = logging.getLogger("saleor_amazon_channel.amazon")
    ChannelSettings.objects.update(debug_logging=True)
    tasks.push()
    assert client_logger.isEnabledFor(logging.DEBUG)

    ChannelSettings.objects.update(debug_logging=False)
    tasks.push()
    assert not client_logger.isEnabledFor(logging.DEBUG)
