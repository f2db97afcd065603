"""Have Amazon send an account's notifications to the operator's queue.

Each step looks at what there is before it makes anything, so all of it may be done
again at any time: once a day it is, and brings back what Amazon lost.

The queue is the operator's, and so are its policy and the AWS identity that reads it.
Destinations stay at Amazon when an account unsubscribes: they are the application's,
and other accounts may use them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from .. import budget, clock, failures
from ..accounts import (
    WHILE_SOMEBODY_WAITS,
    AccountError,
    AccountErrorCode,
    check_address,
)
from ..amazon import errors, notifications
from ..amazon.client import Client
from ..amazon.notifications import Destination, NotificationType
from ..amazon.sqs import NoAwsCredentials, Queue, QueueError, is_queue_arn
from ..importing import leases
from ..ledger import communication
from ..models import (
    ChannelSettings,
    Notification,
    NotificationQueue,
    SellerAccount,
    SyncCursor,
)

logger = logging.getLogger(__name__)

CHECK_INTERVAL = timedelta(days=1)
CHECK_AGAIN_AFTER = timedelta(hours=1)
#: Notifications are remembered for so long.
MEMORY = timedelta(days=1)
#: While a person waits no call starts later than this, and one takes at most 5 s.
LAST_CALL_SECONDS = 5
#: A check may wait this long for Amazon's usage plan.
MAX_WAIT_SECONDS = 2.0


class OtherQueueError(Exception):
    """Amazon sends the notifications elsewhere, and not because we asked it to."""


class _NoTimeLeft(Exception):
    pass


def subscribe(
    account: SellerAccount, arn: str, endpoint: str = "", *, replace: bool = False
) -> NotificationQueue:
    """Have the account's notifications sent to a standard SQS queue, and read from it.

    ``endpoint``: where SQS is, if not at AWS. ``replace``: also if Amazon sends them to
    a queue now that we do not know of, where somebody else may read them. Takes at most
    about 10 s. Raises AccountError, and then nothing was written here; what was done on
    Amazon's side does no harm, and is found when it is tried again.
    """
    _check_may(account)
    row = _checked_row(account, arn.strip(), endpoint)
    try:
        with Queue(row.arn, row.endpoint_override) as queue:
            queue.check()
    except NoAwsCredentials as failure:
        raise AccountError(AccountErrorCode.NOT_CONFIGURED, str(failure)) from failure
    except QueueError as failure:
        raise AccountError(
            AccountErrorCode.INVALID, str(failure), "queue_arn"
        ) from failure
    _while_somebody_waits(
        account, lambda client, in_time: _ensure(client, row, in_time, replace=replace)
    )
    row.next_check_at, row.check_error = clock.now() + CHECK_INTERVAL, ""
    row.failure_count = 0
    try:
        with transaction.atomic():
            row.save()
            leases.make_due(account, NotificationQueue.STREAM)
    except IntegrityError as error:
        raise _used_by_another() from error
    return row


def unsubscribe(account: SellerAccount) -> bool:
    """End it, here and at Amazon; whether there was anything to end.

    Messages that are in the queue stay there. Raises AccountError, and then nothing was
    written.
    """
    _check_may(account)
    row = NotificationQueue.objects.filter(account=account).first()
    if row is None:
        return False
    _while_somebody_waits(
        account, lambda client, in_time: _delete_all(client, row, in_time)
    )
    forget(account)
    return True


def end_at_amazon(account: SellerAccount) -> str:
    """End it at Amazon, if that is possible, before the account is disconnected; what
    staff have to know where it is not, in words. Takes at most about 10 s."""
    row = NotificationQueue.objects.filter(account=account).first()
    if row is None:
        return ""
    try:
        _check_may(account)
        _while_somebody_waits(
            account, lambda client, in_time: _delete_all(client, row, in_time)
        )
    except AccountError as failure:
        problem = failure.message
    except Exception as failure:  # noqa: BLE001
        # Whatever it is, it must not keep anybody from disconnecting.
        failures.log(logger, f"account {account.pk}: unsubscribing", failure)
        problem = "It failed unexpectedly; the server's log says why."
    else:
        return ""
    return (
        f"Amazon was not told to end the notifications, and may go on writing to "
        f"{row.arn}: {problem}"
    )


def forget(account: SellerAccount) -> None:
    """Delete the queue, and all that came from it, here."""
    with transaction.atomic():
        NotificationQueue.objects.filter(account=account).delete()
        SyncCursor.objects.filter(
            account=account, stream=NotificationQueue.STREAM
        ).delete()
        Notification.objects.filter(account=account).delete()


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose subscriptions are to be looked at; none in read-only
    mode."""
    due = list(
        SellerAccount.objects.filter(
            state=SellerAccount.State.ACTIVE,
            notification_queue__next_check_at__lte=clock.now(),
        ).order_by("pk")
    )
    return [] if due and ChannelSettings.load().read_only else due


def check(account: SellerAccount) -> None:
    """See that Amazon has the account's subscriptions still, and bring back those that
    it lost. Forget old notifications."""
    row = NotificationQueue.objects.filter(account=account).first()
    now = clock.now()
    taken = row is not None and NotificationQueue.objects.filter(
        pk=row.pk, next_check_at=row.next_check_at
    ).update(next_check_at=now + CHECK_INTERVAL)
    if row is None or not taken:
        return
    Notification.objects.filter(account=account, received_at__lt=now - MEMORY).delete()
    before, error, again_at = dict(row.subscription_ids), "", now + CHECK_INTERVAL
    try:
        with budget.client_for(account) as client:
            _ensure(client, row, _always, MAX_WAIT_SECONDS)
    except errors.TryLater as failure:
        error = str(failure)
        again_at = max(failure.available_at, now + timedelta(minutes=1))
    except errors.AmazonError as failure:
        error, again_at = str(failure), now + CHECK_AGAIN_AFTER
        communication.note_failure(account, notifications.GET_SUBSCRIPTION, failure)
    except OtherQueueError as failure:
        error, again_at = str(failure), now + CHECK_AGAIN_AFTER
    if not error and row.subscription_ids != before:
        logger.warning("account %s: Amazon had lost its subscriptions", account.pk)
    # Not if somebody has chosen another queue meanwhile.
    NotificationQueue.objects.filter(pk=row.pk, arn=row.arn).update(
        subscription_ids=row.subscription_ids,
        next_check_at=again_at,
        check_error=error,
    )


# --- what a store admin gives --------------------------------------------------------


def _check_may(account: SellerAccount) -> None:
    if ChannelSettings.load().read_only:
        raise AccountError(
            AccountErrorCode.INVALID,
            "The channel is in read-only mode, in which nothing is changed on Amazon.",
        )
    if account.state != SellerAccount.State.ACTIVE:
        raise AccountError(
            AccountErrorCode.INACTIVE,
            f"The account {account.name} is not active. {account.state_reason}".strip(),
            "account_id",
        )


def _checked_row(account: SellerAccount, arn: str, endpoint: str) -> NotificationQueue:
    if not is_queue_arn(arn):
        raise AccountError(
            AccountErrorCode.INVALID,
            "The ARN of a standard SQS queue, like "
            "arn:aws:sqs:eu-west-1:111122223333:amazon-orders. Amazon does not write "
            "to FIFO queues.",
            "queue_arn",
        )
    address = check_address(endpoint, "queue_endpoint")
    if NotificationQueue.objects.filter(arn=arn).exclude(account=account).exists():
        raise _used_by_another()
    row = NotificationQueue.objects.filter(account=account).first()
    row = row or NotificationQueue(account=account)
    row.arn, row.endpoint_override = arn, address
    return row


def _used_by_another() -> AccountError:
    return AccountError(
        AccountErrorCode.UNIQUE,
        "Another seller account uses this queue; each needs one of its own.",
        "queue_arn",
    )


def _while_somebody_waits(
    account: SellerAccount, work: Callable[[Client, Callable[[], None]], None]
) -> None:
    last_call = clock.now() + timedelta(seconds=LAST_CALL_SECONDS * clock.factor())
    try:
        with budget.client_for(account, **WHILE_SOMEBODY_WAITS) as client:
            work(client, lambda: _check_in_time(last_call))
    except (_NoTimeLeft, errors.TryLater) as error:
        raise AccountError(
            AccountErrorCode.UNAVAILABLE,
            "Amazon did not answer in time; try again in a minute.",
        ) from error
    except (errors.ReauthorizationRequired, errors.AppCredentialsInvalid) as error:
        raise AccountError(
            AccountErrorCode.INVALID_CREDENTIALS,
            f"Amazon does not accept the credentials. {error.action}",
        ) from error
    except errors.Forbidden as error:
        raise AccountError(
            AccountErrorCode.FORBIDDEN, f"Amazon refuses. {error.action}"
        ) from error
    except OtherQueueError as error:
        raise AccountError(
            AccountErrorCode.UNIQUE,
            f"{error} Say replace to take them over.",
            "replace",
        ) from error
    except errors.AmazonError as error:
        raise AccountError(
            AccountErrorCode.INVALID,
            f"Amazon refuses the queue: {error}. See whether the queue's policy lets "
            "Amazon write to it.",
            "queue_arn",
        ) from error


def _check_in_time(last_call: datetime) -> None:
    if clock.now() > last_call:
        raise _NoTimeLeft


def _always() -> None:
    pass


# --- at Amazon -----------------------------------------------------------------------


def _ensure(
    client: Client,
    row: NotificationQueue,
    in_time: Callable[[], None],
    wait: float = 0,
    *,
    replace: bool = False,
) -> None:
    """Make what is not there; ``row.subscription_ids`` is what there is then."""
    in_time()
    destination = _destination(client, row, in_time, wait)
    for type_ in NotificationType:
        in_time()
        there = notifications.subscription(client, type_, max_wait_seconds=wait)
        if there and there.destination_id != destination.id:
            is_ours = there.id == row.subscription_ids.get(type_)
            if not is_ours and not replace:
                raise OtherQueueError(
                    f"Amazon sends {type_} to another queue, which was not chosen here."
                )
            in_time()
            notifications.delete_subscription(
                client, type_, there.id, max_wait_seconds=wait
            )
            there = None
        if there is None:
            row.subscription_ids.pop(type_.value, None)
            in_time()
            there = _subscription(client, type_, destination, wait)
        row.subscription_ids[type_.value] = there.id


def _destination(
    client: Client, row: NotificationQueue, in_time: Callable[[], None], wait: float
) -> Destination:
    def find() -> Destination | None:
        listed = notifications.destinations(client, max_wait_seconds=wait)
        return next((each for each in listed if each.queue_arn == row.arn), None)

    found = find()
    if found:
        return found
    in_time()
    name = f"saleor-{row.arn.rpartition(':')[2]}"
    try:
        return notifications.create_destination(
            client, name, row.arn, max_wait_seconds=wait
        )
    except errors.InvalidRequest:
        # Somebody was faster, or our own call arrived twice.
        in_time()
        if found := find():
            return found
        raise


def _subscription(
    client: Client, type_: NotificationType, destination: Destination, wait: float
) -> notifications.Subscription:
    try:
        return notifications.create_subscription(
            client, type_, destination.id, max_wait_seconds=wait
        )
    except errors.InvalidRequest:
        there = notifications.subscription(client, type_, max_wait_seconds=wait)
        if there and there.destination_id == destination.id:
            return there
        raise


def _delete_all(
    client: Client, row: NotificationQueue, in_time: Callable[[], None]
) -> None:
    for type_, subscription_id in row.subscription_ids.items():
        in_time()
        notifications.delete_subscription(
            client, NotificationType(type_), subscription_id
        )
