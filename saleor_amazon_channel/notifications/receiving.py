"""Take what Amazon says out of the queue, and read the orders it names.

    receive ten → write them down → delete them from the queue → … → read the orders

A notification is deleted only once it is written down, and what is written down is read
by whoever comes next, so a worker may die at any point. One order is read once, however
many notifications name it, and not at all if it is here already as it was then. Where
Amazon's usage plan has nothing left, orders wait here, or the next scan brings them.

A queue that fails rests for longer each time. Nothing here keeps a scan waiting.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from .. import budget, clock
from ..amazon import errors
from ..amazon.notification_messages import (
    FeedProcessingFinished,
    OrderChange,
    parse,
)
from ..amazon.orders import GET_ORDER, FulfillmentStatus
from ..amazon.sqs import Message, Queue, QueueError
from ..amazon.throttle import USAGE_PLANS
from ..importing import leases, pull
from ..models import (
    AmazonOrder,
    ChannelSettings,
    CommunicationLog,
    Notification,
    NotificationQueue,
    SellerAccount,
)
from ..pushing import feeds

logger = logging.getLogger(__name__)

State = Notification.State

RECEIVE = "receiveNotifications"

#: Receive calls of one run, of up to ten messages each.
MOST_BATCHES = 50
#: Short, so that a worker that died is soon replaced. Two at once do no harm.
LEASE_LIFETIME = timedelta(minutes=1)
#: How long a queue rests that failed once, and at most.
REST = timedelta(seconds=15)
LONGEST_REST = timedelta(minutes=15)

#: getOrder calls that are left to others: staff, the comparison, what is pushed.
CALLS_LEFT_TO_OTHERS = 10
#: Orders that are recorded together.
READ_TOGETHER = 10
#: Of a call; the next run tries again.
WHILE_OTHERS_WAIT = {"read_timeout": 10.0, "tries": 2}
#: An order that Amazon gives as it was before, or not at all, is read once more.
MOST_READS = 2
READ_AGAIN_AFTER = timedelta(seconds=30)
#: By then several scans have come by.
GIVE_UP_AFTER = timedelta(hours=1)

_PENDING = (FulfillmentStatus.PENDING, FulfillmentStatus.PENDING_AVAILABILITY)


def due_accounts() -> list[SellerAccount]:
    """Active accounts with a queue to be read now. None in read-only mode: a copy of
    the shop must not take the shop's messages."""
    with_queue = set(NotificationQueue.objects.values_list("account_id", flat=True))
    if not with_queue or ChannelSettings.load().read_only:
        return []
    due = leases.due_accounts(NotificationQueue.STREAM)
    return [account for account in due if account.pk in with_queue]


def receive(account: SellerAccount) -> int:
    """Empty the account's queue and read what it names; how many orders were read.

    Nothing if another worker is at it, or there is no queue.
    """
    queue = NotificationQueue.objects.filter(account=account).first()
    if queue is None:
        return 0
    lease = leases.take(account, NotificationQueue.STREAM, lifetime=LEASE_LIFETIME)
    if lease is None:
        return 0
    error = "It failed unexpectedly; the server's log says why."
    try:
        of_queue = _empty(account, queue)
        read = _read_orders(account)
        error = of_queue
    finally:
        _release(account, queue, lease, error)
    return read


def _release(
    account: SellerAccount, queue: NotificationQueue, lease: leases.Lease, error: str
) -> None:
    due, failures = clock.now(), queue.failure_count + 1 if error else 0
    if error:
        due += min(REST * 2 ** min(failures - 1, 10), LONGEST_REST)
    if failures == 1:
        CommunicationLog.objects.create(
            account=account, operation=RECEIVE, error_code="Queue", message=error
        )
    if failures != queue.failure_count:
        NotificationQueue.objects.filter(pk=queue.pk).update(failure_count=failures)
    leases.release(lease, error, due)


# --- out of the queue ----------------------------------------------------------------


def _empty(account: SellerAccount, queue: NotificationQueue) -> str:
    """Why it was not emptied, in words."""
    mapped: set[str] = set()
    try:
        with Queue(queue.arn, queue.endpoint_override) as sqs:
            for number in range(MOST_BATCHES):
                messages = sqs.receive(waits=number == 0)
                if not messages:
                    break
                if number == 0:
                    rows = account.marketplaces.all()
                    mapped = {row.marketplace_id for row in rows if row.is_mapped}
                _write_down(account, mapped, messages)
                sqs.delete(messages)
    except QueueError as failure:
        return str(failure)
    return ""


def _write_down(
    account: SellerAccount, mapped: set[str], messages: Sequence[Message]
) -> None:
    rows, logs, feed_ids = [], [], []
    for message in messages:
        row = Notification(account=account, notification_id=message.id)
        rows.append(row)
        try:
            notification = parse(message.body)
        except errors.MalformedNotification as malformed:
            row.state = State.MALFORMED
            logs.append(
                CommunicationLog(
                    account=account,
                    operation=RECEIVE,
                    error_code=type(malformed).__name__,
                    message=str(malformed),
                    request_id=message.id[:100],
                )
            )
            continue
        row.notification_id = notification.notification_id
        if isinstance(notification, OrderChange):
            row.state = _judge(account, mapped, notification)
            row.amazon_order_id = notification.amazon_order_id
            row.changed_at = notification.changed_at
        elif isinstance(notification, FeedProcessingFinished):
            row.state = State.OTHER_SELLER
            if notification.seller_id in ("", account.seller_id):
                row.state = State.SETTLED
                feed_ids.append(notification.feed_id)
        else:
            row.state = State.OTHER_TYPE
    with transaction.atomic():
        # One that came before changes nothing.
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        CommunicationLog.objects.bulk_create(logs)
        if feed_ids:
            feeds.look_at(account, feed_ids)


def _judge(account: SellerAccount, mapped: set[str], change: OrderChange) -> str:
    if change.seller_id != account.seller_id:
        return State.OTHER_SELLER
    if change.marketplace_id not in mapped:
        return State.NOT_MAPPED
    if change.status in _PENDING:
        # Nothing can be done with it yet.
        return State.LEFT_TO_SCAN
    return State.TO_READ


# --- and the orders ------------------------------------------------------------------


def _read_orders(account: SellerAccount) -> int:
    now = clock.now()
    waiting: dict[str, list[Notification]] = defaultdict(list)
    too_old = []
    for row in Notification.objects.filter(
        account=account, state=State.TO_READ, next_read_at__lte=now
    ).order_by("received_at", "pk"):
        if row.received_at > now - GIVE_UP_AFTER:
            waiting[row.amazon_order_id].append(row)
        else:
            too_old.append(row)
    _finish(too_old, State.LEFT_TO_SCAN)
    if not waiting:
        return 0
    _settle_known(waiting)
    return _read(account, waiting) if waiting else 0


def _settle_known(waiting: dict[str, list[Notification]]) -> None:
    """Settle, and take out, what the ledger has as it was then, or newer."""
    updated = _updated(waiting)
    known = [
        order_id
        for order_id, rows in waiting.items()
        if all(_is_known(row, updated.get(order_id)) for row in rows)
    ]
    _finish([row for order_id in known for row in waiting.pop(order_id)], State.SETTLED)


def _updated(order_ids: Iterable[str]) -> dict[str, datetime]:
    return dict(
        AmazonOrder.objects.filter(amazon_order_id__in=order_ids).values_list(
            "amazon_order_id", "last_updated_time"
        )
    )


def _is_known(row: Notification, updated: datetime | None) -> bool:
    return bool(updated and row.changed_at and updated >= row.changed_at)


def _read(account: SellerAccount, waiting: dict[str, list[Notification]]) -> int:
    order_ids, read = list(waiting), 0
    with budget.client_for(account, **WHILE_OTHERS_WAIT) as client:
        while order_ids and (calls := _calls_left(account)) > 0:
            some = order_ids[: min(calls, READ_TOGETHER)]
            order_ids = order_ids[len(some) :]
            failed = pull.pull_named(account, some, client, 0, stops_at_failure=True)
            read += len(some) - len(failed)
            _settle({order_id: waiting[order_id] for order_id in some}, failed)
            if any(isinstance(each, errors.TryLater) for each in failed.values()):
                break
    return read


def _calls_left(account: SellerAccount) -> int:
    left = budget.SharedBudget(account.pk).left(GET_ORDER, USAGE_PLANS[GET_ORDER])
    return int(left) - CALLS_LEFT_TO_OTHERS


def _settle(
    looked_at: dict[str, list[Notification]],
    failed: dict[str, errors.AmazonError],
) -> None:
    updated = _updated(looked_at)
    done, again, given_up = [], [], []
    for order_id, rows in looked_at.items():
        failure = failed.get(order_id)
        for row in rows:
            if failure is None and (
                row.changed_at is None or _is_known(row, updated.get(order_id))
            ):
                done.append(row)
            elif isinstance(failure, errors.TryLater):
                row.next_read_at = failure.available_at
                again.append(row)
            elif row.read_count + 1 < MOST_READS:
                row.read_count += 1
                row.next_read_at = clock.now() + READ_AGAIN_AFTER
                again.append(row)
            else:
                given_up.append(row)
    _finish(done, State.SETTLED)
    _finish(given_up, State.LEFT_TO_SCAN)
    Notification.objects.bulk_update(again, ["read_count", "next_read_at"])


def _finish(rows: Sequence[Notification], state: str) -> None:
    if rows:
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(state=state)
