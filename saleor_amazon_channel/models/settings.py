"""The global settings: one row."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import models


class ChannelSettings(models.Model):
    """What a store admin sets for the whole channel; Saleor's plugin page writes it."""

    class LogHistory(models.TextChoices):
        """How long logs are kept: see ``ledger.pruning``."""

        DAILY = "daily"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    #: Nothing is pulled, imported or sent while it is off.
    active = models.BooleanField(default=False)
    #: Amazon refills one searchOrders call in 179 s: less than 3 is a waste.
    pull_interval_minutes = models.PositiveIntegerField(
        default=4, validators=[MinValueValidator(3)]
    )
    #: For copies of production: intents are kept, not sent.
    read_only = models.BooleanField(default=False)
    #: Why it was switched on by itself; empty where staff did.
    read_only_reason = models.TextField(blank=True, default="")
    #: Where the shop was when the channel was last at work: see ``read_only``.
    public_url = models.CharField(max_length=255, blank=True, default="")
    domain = models.CharField(max_length=255, blank=True, default="")
    debug_logging = models.BooleanField(default=False)
    clear_log_history = models.CharField(
        max_length=16, choices=LogHistory.choices, default=LogHistory.MONTHLY
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="amz_settings_one")
        ]

    def __str__(self) -> str:
        return "settings"

    @property
    def pull_interval(self) -> timedelta:
        return timedelta(minutes=self.pull_interval_minutes)

    @property
    def log_lifetime(self) -> timedelta:
        days = {self.LogHistory.DAILY: 1, self.LogHistory.WEEKLY: 7}
        return timedelta(days=days.get(self.LogHistory(self.clear_log_history), 30))

    @classmethod
    def load(cls, using: str | None = None) -> ChannelSettings:
        """The row, or the defaults where nothing was saved yet."""
        queryset = cls.objects.using(using) if using else cls.objects
        return queryset.filter(id=1).first() or cls(id=1)
