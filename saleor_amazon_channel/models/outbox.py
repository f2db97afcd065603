"""The outbox: every intent that leaves for Amazon, and each attempt to send it."""

from __future__ import annotations

from django.db import models

from .. import clock
from .accounts import SellerAccount
from .ledger import AmazonOrder


class OutboxEntry(models.Model):
    """One intent. Only ``outbox.py`` writes its state."""

    class Kind(models.TextChoices):
        CONFIRM_SHIPMENT = "confirm_shipment"

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SUCCEEDED = "succeeded"
        #: Needs a human; ``error_message`` says what to do.
        FAILED = "failed"
        #: A newer intent says it all.
        SUPERSEDED = "superseded"
        #: The request may have arrived; settled by reading Amazon, never by resending.
        UNKNOWN = "unknown"

    account = models.ForeignKey(SellerAccount, on_delete=models.PROTECT)
    order = models.ForeignKey(
        AmazonOrder, related_name="outbox_entries", on_delete=models.PROTECT
    )
    kind = models.CharField(max_length=32, choices=Kind.choices)
    idempotency_key = models.CharField(max_length=128, unique=True)
    #: Shape by kind: see the module of that kind in ``pushing``. No personal data.
    payload = models.JSONField()
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.PENDING
    )
    next_attempt_at = models.DateTimeField(default=clock.now)
    #: A claim that outlives this was lost with its worker.
    claimed_until = models.DateTimeField(null=True)
    claim_token = models.UUIDField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)
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

    def __str__(self) -> str:
        return self.idempotency_key


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
