"""The outbox: every intent that leaves for Amazon, and each attempt to send it."""

from __future__ import annotations

from django.db import models

from .. import clock
from ..fields import EncryptedBinaryField, EncryptedJSONField
from .accounts import SellerAccount
from .ledger import AmazonOrder
from .listings import AmazonListing


class Feed(models.Model):
    """A feed on its way to Amazon and back, with the entries that are its messages."""

    class State(models.TextChoices):
        #: The document is at Amazon; whether the feed is must be found out.
        SENDING = "sending"
        SUBMITTED = "submitted"
        #: Its entries are settled, or go on without it.
        SETTLED = "settled"

    account = models.ForeignKey(SellerAccount, on_delete=models.PROTECT)
    feed_type = models.CharField(max_length=64)
    document_id = models.CharField(max_length=255)
    #: Amazon's, unique within the seller; empty until Amazon said it.
    feed_id = models.CharField(max_length=64, blank=True)
    marketplace_ids = models.JSONField(default=list)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.SENDING
    )
    #: As Amazon last said it.
    processing_status = models.CharField(max_length=32, blank=True)
    result_document_id = models.CharField(max_length=255, blank=True)
    sent_at = models.DateTimeField(default=clock.now)
    next_poll_at = models.DateTimeField(default=clock.now)
    poll_count = models.PositiveIntegerField(default=0)
    #: What became of it, in words.
    note = models.TextField(blank=True)
    #: Amazon does not have it: its list of feeds said so long after it was sent.
    is_missing = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "feed_id"],
                name="amz_feed_unique",
                condition=~models.Q(feed_id=""),
            )
        ]
        indexes = [
            models.Index(
                fields=["next_poll_at"],
                name="amz_feed_due_idx",
                condition=models.Q(state__in=["sending", "submitted"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.feed_type} {self.feed_id or 'without id'}"


class OutboxEntry(models.Model):
    """One intent. Only ``outbox.py`` writes its state."""

    class Kind(models.TextChoices):
        CONFIRM_SHIPMENT = "confirm_shipment"
        CANCEL = "cancel"
        BUYER_MESSAGE = "buyer_message"
        REVIEW_REQUEST = "review_request"
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note"
        REFUND = "refund"
        STOCK = "stock"

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        #: In a feed that Amazon has, or may have; the feed's report settles it.
        SUBMITTED = "submitted"
        SUCCEEDED = "succeeded"
        #: Needs a human; ``error_message`` says what to do.
        FAILED = "failed"
        #: A newer intent says it all.
        SUPERSEDED = "superseded"
        #: The request may have arrived; settled by reading Amazon, never by resending.
        UNKNOWN = "unknown"

    account = models.ForeignKey(SellerAccount, on_delete=models.PROTECT)
    #: What it is about: an order or, where it is about stock, a listing. Typed as the
    #: kinds about orders have it.
    order: models.ForeignKey[AmazonOrder, AmazonOrder] = models.ForeignKey(  # type: ignore[misc]
        AmazonOrder, null=True, related_name="outbox_entries", on_delete=models.PROTECT
    )
    listing = models.ForeignKey(
        AmazonListing, null=True, related_name="entries", on_delete=models.CASCADE
    )
    kind = models.CharField(max_length=32, choices=Kind.choices)
    idempotency_key = models.CharField(max_length=128, unique=True)
    #: Shape by kind: see the module of that kind in ``pushing``. No personal data.
    payload = models.JSONField()
    #: The personal part of the payload: what somebody wrote to the buyer. Redacted
    #: with the order, as ``OutboxAttachment`` is.
    personal = EncryptedJSONField(blank=True, default="")
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.PENDING
    )
    next_attempt_at = models.DateTimeField(default=clock.now)
    #: A claim that outlives this was lost with its worker.
    claimed_until = models.DateTimeField(null=True)
    claim_token = models.UUIDField(null=True)
    #: When what cannot be sent twice was about to leave; see ``outbox.depart``.
    departed_at = models.DateTimeField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)
    #: The feed it went with last, and which of its messages it is.
    feed = models.ForeignKey(
        Feed, null=True, related_name="entries", on_delete=models.SET_NULL
    )
    message_id = models.PositiveIntegerField(null=True)
    error_code = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    #: Who caused it, as the shop names them.
    actor = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)
    #: When the outcome was put onto the shop's order.
    reported_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                name="amz_outbox_due_idx",
                condition=models.Q(state__in=["pending", "sending", "unknown"]),
            ),
            models.Index(
                fields=["settled_at"],
                name="amz_outbox_unreported",
                condition=models.Q(state__in=["succeeded", "failed"], reported_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(order=None) ^ models.Q(listing=None),
                name="amz_outbox_subject",
            )
        ]

    def __str__(self) -> str:
        return self.idempotency_key

    @property
    def marketplace_id(self) -> str:
        """Of the order, or the listing, that it is about."""
        about = self.order or self.listing
        return about.marketplace_id if about else ""

    @property
    def amazon_order_id(self) -> str:
        """Of the order that it is about; empty where it is about a listing."""
        return self.order.amazon_order_id if self.order else ""


class OutboxAttachment(models.Model):
    """A file that goes with an entry, which has its name. Personal data."""

    entry = models.ForeignKey(
        OutboxEntry, related_name="attachments", on_delete=models.CASCADE
    )
    position = models.PositiveSmallIntegerField()
    #: Empty once the entry has succeeded.
    content = EncryptedBinaryField(blank=True, default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "position"], name="amz_attachment_unique"
            )
        ]

    def __str__(self) -> str:
        return f"attachment {self.position}"


class OutboxAttempt(models.Model):
    """One try to send an entry, and what came of it."""

    entry = models.ForeignKey(
        OutboxEntry, related_name="attempts", on_delete=models.CASCADE
    )
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    #: The state it left the entry in.
    outcome = models.CharField(max_length=16, choices=OutboxEntry.State.choices)
    status_code = models.PositiveSmallIntegerField(null=True)
    request_id = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.outcome
