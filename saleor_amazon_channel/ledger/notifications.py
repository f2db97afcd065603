"""How Amazon's notifications are doing, per account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from .. import clock
from ..models import Notification, NotificationQueue, SyncCursor

LAST_HOUR = timedelta(hours=1)
LAST_DAY = timedelta(days=1)


@dataclass
class NotificationStatus:
    """Of an account whose notifications go to a queue."""

    queue_arn: str
    #: Where SQS is; empty: at AWS.
    queue_endpoint: str
    #: Whether Amazon had all subscriptions when it was asked last.
    is_subscribed: bool
    next_check_at: datetime
    #: Why the queue was not read, or the subscriptions were not found, in words.
    last_error: str
    last_message_at: datetime | None = None
    messages_last_hour: int = 0
    #: Of the last day, by what became of them: ``Notification.State``.
    messages: dict[str, int] = field(default_factory=dict)


def read(using: str = "default") -> dict[int, NotificationStatus]:
    """By account; one query where there is no queue, else three."""
    queues = list(NotificationQueue.objects.using(using).order_by("account_id"))
    if not queues:
        return {}
    reading = dict(
        SyncCursor.objects.using(using)
        .filter(stream=NotificationQueue.STREAM)
        .values_list("account_id", "last_error")
    )
    found = {
        queue.account_id: NotificationStatus(
            queue.arn,
            queue.endpoint_override,
            queue.is_subscribed,
            queue.next_check_at,
            queue.check_error or reading.get(queue.account_id, ""),
        )
        for queue in queues
    }
    now = clock.now()
    counts = (
        Notification.objects.using(using)
        .filter(received_at__gt=now - LAST_DAY, account__in=found)
        .values("account_id", "state")
        .annotate(
            count=Count("id"),
            recent=Count("id", filter=Q(received_at__gt=now - LAST_HOUR)),
            last=Max("received_at"),
        )
        .order_by("state")
    )
    for row in counts:
        status = found[row["account_id"]]
        status.messages[row["state"]] = row["count"]
        status.messages_last_hour += row["recent"]
        status.last_message_at = max(
            filter(None, (status.last_message_at, row["last"]))
        )
    return found
