"""Amazon's notifications: where they come from, and which came."""

from __future__ import annotations

from django.db import models

from .. import clock
from ..amazon.notifications import NotificationType
from .accounts import SellerAccount


class NotificationQueue(models.Model):
    """The SQS queue that Amazon sends an account's notifications to."""

    #: Of the account's ``SyncCursor``, which says when the queue is read.
    STREAM = "notifications"

    account = models.OneToOneField(
        SellerAccount, related_name="notification_queue", on_delete=models.CASCADE
    )
    #: Of one account only: whatever lies in it is taken out.
    arn = models.CharField(max_length=200, unique=True)
    #: Where SQS is, when not at AWS.
    endpoint_override = models.URLField(blank=True)
    #: Notification type → Amazon's id of the subscription.
    subscription_ids = models.JSONField(default=dict)
    #: When Amazon is asked next whether it has the subscriptions still.
    next_check_at = models.DateTimeField(default=clock.now)
    #: Why the last check did not end well, in words.
    check_error = models.TextField(blank=True)
    #: How often in a row the queue could not be read.
    failure_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.arn

    @property
    def is_subscribed(self) -> bool:
        return all(type_.value in self.subscription_ids for type_ in NotificationType)


class Notification(models.Model):
    """A notification that came, without what it says about the buyer. Kept for a day,
    to know one that comes again."""

    class State(models.TextChoices):
        #: The order it names is to be read from Amazon.
        TO_READ = "to_read"
        #: That was done, or was known already; or the feed it names is looked at.
        SETTLED = "settled"
        #: The order is left to the next scan.
        LEFT_TO_SCAN = "left_to_scan"
        # Removed from the queue, and nothing else done:
        MALFORMED = "malformed"
        OTHER_TYPE = "other_type"
        OTHER_SELLER = "other_seller"
        #: Its marketplace has no channel.
        NOT_MAPPED = "not_mapped"

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE)
    #: Amazon's; that of the queue's message where it could not be read.
    notification_id = models.CharField(max_length=100)
    state = models.CharField(max_length=16, choices=State.choices)
    amazon_order_id = models.CharField(max_length=32, blank=True)
    #: When the order changed, by Amazon's clock.
    changed_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=clock.now)
    next_read_at = models.DateTimeField(default=clock.now)
    #: How often the order was read without its being as new as the notification.
    read_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "notification_id"], name="amz_notification_unique"
            )
        ]
        indexes = [
            models.Index(
                fields=["account", "received_at"], name="amz_notification_recent_idx"
            ),
            # Few, and looked for by every round of work.
            models.Index(
                fields=["account", "next_read_at"],
                name="amz_notification_to_read_idx",
                condition=models.Q(state="to_read"),
            ),
        ]

    def __str__(self) -> str:
        return self.notification_id
