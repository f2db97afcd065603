"""State that all workers share: usage budgets and access tokens."""

from __future__ import annotations

from django.db import models

from .. import clock
from ..fields import EncryptedTextField
from .accounts import SellerAccount


class UsageBudget(models.Model):
    """Token bucket of one SP-API operation of one account ("usage plan")."""

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE)
    operation = models.CharField(max_length=64)
    #: Calls per second at which the bucket refills, and how many it holds.
    rate = models.FloatField()
    burst = models.FloatField()
    #: Calls left at ``refilled_at``.
    tokens = models.FloatField()
    refilled_at = models.DateTimeField(default=clock.now)
    #: Amazon answered 429: nothing before this moment.
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "operation"], name="amz_budget_unique"
            )
        ]

    def __str__(self) -> str:
        return self.operation


class AccessToken(models.Model):
    """A Login-with-Amazon access token, shared by all workers."""

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE)
    #: Empty for seller calls, else the scope of a grantless token.
    scope = models.CharField(max_length=100, blank=True)
    #: Of the credentials it was made with: changed credentials make it worthless.
    credentials_fingerprint = models.CharField(max_length=64)
    token = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "scope"], name="amz_token_unique"
            )
        ]

    def __str__(self) -> str:
        return f"token of account {self.account_id}"
