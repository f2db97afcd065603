"""What is read from Amazon slowly, beside the regular scans."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .. import clock
from .accounts import SellerAccount


class SlowScan(models.Model):
    """A range of time that is read with the calls to Amazon that others leave over.

    It is read window by window, and a window page by page; it goes on where it stopped,
    also after a crash. Amazon's token for the next page lives for 24 hours, so windows
    are kept to some ten pages, and one whose token has expired starts over, half as
    long. ``importing.slow_scan`` does it.
    """

    account = models.ForeignKey(
        SellerAccount, related_name="%(class)ss", on_delete=models.CASCADE
    )
    #: The range; which of Amazon's times is meant is the subclass's.
    since = models.DateTimeField()
    until = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    #: When it goes on, while it is not finished.
    next_run_at = models.DateTimeField(default=clock.now)
    #: Who is at it; a worker that died is replaced when its lease is over.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    #: The window that is being read; all before it has been.
    window_from = models.DateTimeField(default=clock.now)
    window_until = models.DateTimeField(default=clock.now)
    #: How long the next windows are.
    window_length = models.DurationField(default=timedelta(days=1))
    page_token = models.TextField(blank=True)
    #: Orders by what was found of them: of the windows before, and of this one, which
    #: may have to start over. "there" has those that Amazon listed.
    counts = models.JSONField(default=dict)
    window_counts = models.JSONField(default=dict)
    #: Answers of searchOrders.
    calls = models.PositiveIntegerField(default=0)
    #: Why it did not go on, in words; empty when it did.
    last_error = models.TextField(blank=True)

    class Meta:
        abstract = True

    def count(self, name: str) -> int:
        return int(self.counts.get(name, 0)) + int(self.window_counts.get(name, 0))

    @property
    def is_read(self) -> bool:
        """All of the range has been listed by Amazon."""
        return self.window_from >= self.until


class Reconciliation(SlowScan):
    """A comparison of what Amazon has with what is here, and what came of it.

    The range is of Amazon's times of change. Counted are "there", "here" and
    "unsettled": changed after the last scan, which the next one brings, and so not
    compared.
    """

    #: Amazon order ids: not here; here as they had been before; those that could not be
    #: read from Amazon.
    missing = models.JSONField(default=list)
    outdated = models.JSONField(default=list)
    unread = models.JSONField(default=list)
    #: Imported, but gone from the shop, there with another total, or there more than
    #: once.
    gone_from_shop = models.JSONField(default=list)
    wrong_total = models.JSONField(default=list)
    double = models.JSONField(default=list)
    #: Imported, and long behind what Amazon said of them.
    not_followed = models.JSONField(default=list)
    #: How many orders were blocked when it ended, and by what: code of the blocker →
    #: orders, "" for those without a reason.
    blocked = models.PositiveIntegerField(default=0)
    blocked_by = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-started_at"], name="amz_reconcile_idx")
        ]

    def __str__(self) -> str:
        return f"reconciliation of {self.started_at:%Y-%m-%d}"


class Backfill(SlowScan):
    """An explicit import of the orders that were placed in a range of time, however
    old; or only a look at what it would do.

    The range is of Amazon's times of creation. Counted are "there", "here": which were
    in the ledger before it began, and "imported": which were orders of the shop before.
    What became of the others is with the orders (``AmazonOrder.backfill``). A dry run,
    which writes none, counts it: "would <import state>", and "because <blocker's code>
    <subject>".
    """

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        CANCELLED = "cancelled"

    marketplace_ids = ArrayField(models.CharField(max_length=20))
    is_dry_run = models.BooleanField(default=False)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.RUNNING
    )
    #: Who began it.
    actor = models.CharField(max_length=255, blank=True)
    #: Amazon order ids of the last page that are still to be read one by one, since
    #: the buyer's data is needed, and Amazon's token for the page after it.
    to_read = models.JSONField(default=list)
    next_page_token = models.TextField(blank=True)
    #: Of those that could not be read.
    unread = models.JSONField(default=list)
    #: Answers of getOrder.
    reads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # One at a time: they would take each other's calls.
            models.UniqueConstraint(
                fields=["account"],
                name="amz_backfill_single",
                condition=models.Q(state="running"),
            )
        ]

    def __str__(self) -> str:
        return f"back-fill of {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"
