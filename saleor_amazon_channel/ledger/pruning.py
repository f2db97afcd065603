"""Logs are cleared as the store admin set it, daily, weekly or monthly: what is older
than that goes, once a day.

- what failed between Amazon and us;
- the attempts to send what has been settled since; the entries themselves stay;
- what Amazon was told of stock, unless it was refused;
- the timeline of orders whose buyer was deleted as long ago, except what is told only
  once and would else be told again;
- access tokens that have expired.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .. import clock
from ..models import (
    AccessToken,
    ChannelSettings,
    CommunicationLog,
    OrderEvent,
    OutboxAttempt,
    OutboxEntry,
)
from . import timeline

BATCH_SIZE = 1000


def prune() -> int:
    """Delete what is older than the setting wants, in batches; how many rows."""
    cutoff = clock.now() - ChannelSettings.load().log_lifetime
    return sum(
        map(
            _delete,
            (
                CommunicationLog.objects.filter(created_at__lt=cutoff),
                OutboxAttempt.objects.filter(
                    started_at__lt=cutoff, entry__settled_at__lt=cutoff
                ),
                OutboxEntry.objects.filter(
                    kind=OutboxEntry.Kind.STOCK,
                    state__in=(
                        OutboxEntry.State.SUCCEEDED,
                        OutboxEntry.State.SUPERSEDED,
                    ),
                    settled_at__lt=cutoff,
                ),
                OrderEvent.objects.filter(
                    created_at__lt=cutoff, order__redacted_at__lt=cutoff
                ).exclude(type__in=timeline.TOLD_ONCE),
                AccessToken.objects.filter(expires_at__lt=clock.now()),
            ),
        )
    )


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    # The oldest have the lowest keys. Each batch commits by itself.
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        count, _ = rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += count
    return deleted
