"""Seller accounts and their marketplaces."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .. import clock
from ..amazon.marketplaces import LWA_ENDPOINT, MARKETPLACES, REGIONS, MarketplaceInfo
from ..fields import EncryptedTextField

#: Amazon's Data Protection Policy allows no more.
MAX_BUYER_DATA_RETENTION_DAYS = 30

#: Amazon accepts a client secret no longer ("Rotate your Application's LWA
#: Credentials").
SECRET_LIFETIME = timedelta(days=180)
WARN_BEFORE_EXPIRY = timedelta(days=30)


class SellerAccount(models.Model):
    """One authorization of one seller in one selling region."""

    class State(models.TextChoices):
        ACTIVE = "active"
        NEEDS_REAUTHORIZATION = "needs_reauthorization"
        PAUSED = "paused"
        #: Without secrets; what it was is kept for the day it is connected again.
        DISCONNECTED = "disconnected"

    name = models.CharField(max_length=100)
    region = models.CharField(max_length=2, choices=[(code, code) for code in REGIONS])
    seller_id = models.CharField(max_length=32)
    lwa_client_id = models.CharField(max_length=255)
    lwa_client_secret = EncryptedTextField()
    #: When the secret was last another than before; null: before this was kept.
    secret_set_at = models.DateTimeField(null=True)
    refresh_token = EncryptedTextField()
    #: What ``importing.customers`` tells buyers apart with; it never changes.
    customer_key = EncryptedTextField(blank=True)
    #: Where the API is, when not at Amazon's own addresses: the sandbox, a proxy.
    endpoint_override = models.URLField(blank=True)
    lwa_endpoint_override = models.URLField(blank=True)
    state = models.CharField(max_length=32, choices=State.choices, default=State.ACTIVE)
    #: What a person must do, in words, while the state is not active.
    state_reason = models.TextField(blank=True)
    #: Orders created on Amazon before this moment are never imported by themselves.
    import_from = models.DateTimeField(default=clock.now)
    #: Left out of a seller SKU that the shop does not know, once, to find its variant.
    sku_prefix = models.CharField(max_length=50, blank=True)
    sku_suffix = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "seller_id"], name="amz_account_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.region})"

    @property
    def secret_expires_at(self) -> datetime:
        """At the latest: it may be older than it has been here."""
        return (self.secret_set_at or self.created_at) + SECRET_LIFETIME

    @property
    def secret_warning(self) -> str:
        """What to do about the client secret, in words; empty while it has time."""
        if self.state == self.State.DISCONNECTED:
            return ""
        expires_at = self.secret_expires_at
        if clock.now() < expires_at - WARN_BEFORE_EXPIRY:
            return ""
        verb = "expires" if clock.now() < expires_at else "expired"
        return (
            f"The client secret of the app {verb} on {expires_at:%Y-%m-%d} at the "
            "latest: rotate it in Seller Central and enter the new one."
        )

    @property
    def endpoint(self) -> str:
        return self.endpoint_override or REGIONS[self.region].endpoint

    @property
    def lwa_endpoint(self) -> str:
        return self.lwa_endpoint_override or LWA_ENDPOINT


class Marketplace(models.Model):
    """A marketplace the seller sells in, mapped to a channel of the shop."""

    class CustomerCreation(models.TextChoices):
        GUEST = "guest"
        #: One customer account per buyer; see ``importing.customers``.
        ACCOUNT = "account"

    class OrderNumberSource(models.TextChoices):
        """Whose number documents about the order print."""

        SHOP = "shop"
        AMAZON = "amazon"

    class InitialStatus(models.TextChoices):
        """The status of created orders of which nothing has been shipped yet."""

        UNFULFILLED = "unfulfilled"
        #: Staff confirm each order before it is worked.
        UNCONFIRMED = "unconfirmed"

    class InvoiceMechanism(models.TextChoices):
        """How an invoice of the shop reaches the buyer."""

        #: By feed where Amazon has one, else by message where Amazon offers it.
        AUTO = "auto"
        FEED = "feed"
        MESSAGE = "message"
        #: It stays in the shop.
        OFF = "off"

    class CancellationMechanism(models.TextChoices):
        """How Amazon is told that an order is to be cancelled."""

        FEED = "feed"
        #: By the call cancelOrder, which Amazon has announced and not released: where
        #: Amazon does not know it, or the reason, by feed.
        CALL = "call"

    account = models.ForeignKey(
        SellerAccount, related_name="marketplaces", on_delete=models.CASCADE
    )
    marketplace_id = models.CharField(max_length=20)
    #: False once the seller no longer takes part in it.
    is_participating = models.BooleanField(default=True)

    # The mapping; empty until the store admin chose.
    channel_id = models.CharField(max_length=36, blank=True)
    channel_slug = models.CharField(max_length=255, blank=True)
    #: Stock is taken from these, in this order.
    warehouse_ids = ArrayField(models.CharField(max_length=36), default=list)
    shipping_method_id = models.CharField(max_length=36, blank=True)
    shipping_method_name = models.CharField(max_length=255, blank=True)

    # Order settings.
    import_orders = models.BooleanField(default=True)
    customer_creation = models.CharField(
        max_length=16,
        choices=CustomerCreation.choices,
        default=CustomerCreation.GUEST,
    )
    order_number_source = models.CharField(
        max_length=16,
        choices=OrderNumberSource.choices,
        default=OrderNumberSource.SHOP,
    )
    initial_status = models.CharField(
        max_length=16,
        choices=InitialStatus.choices,
        default=InitialStatus.UNFULFILLED,
    )
    cancellation_mechanism = models.CharField(
        max_length=16,
        choices=CancellationMechanism.choices,
        default=CancellationMechanism.FEED,
    )
    invoice_mechanism = models.CharField(
        max_length=16,
        choices=InvoiceMechanism.choices,
        default=InvoiceMechanism.AUTO,
    )
    #: Of the numbers of invoices made here; empty: see ``invoice_series``.
    invoice_number_prefix = models.CharField(max_length=20, blank=True)
    next_invoice_number = models.PositiveIntegerField(default=1)
    next_credit_note_number = models.PositiveIntegerField(default=1)
    #: Who issues them, in lines, and the tax number; empty: as Amazon or the shop say.
    invoice_issuer = models.TextField(blank=True)
    invoice_tax_number = models.CharField(max_length=50, blank=True)
    #: What is printed below each.
    invoice_note = models.TextField(blank=True)
    #: How long what is known of a buyer is kept after the delivery.
    buyer_data_retention_days = models.PositiveSmallIntegerField(
        default=MAX_BUYER_DATA_RETENTION_DAYS
    )
    #: Amazon is told how many of what the seller ships the warehouses have.
    send_stock = models.BooleanField(default=False)
    #: Units of a variant that Amazon is never told of.
    stock_safety_quantity = models.PositiveIntegerField(default=0)
    #: With fewer to be had on Amazon than this, none are.
    stock_floor = models.PositiveIntegerField(default=0)
    #: Amazon's carrier code for shipments whose carrier nothing else tells.
    default_carrier_code = models.CharField(max_length=50, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "marketplace_id"], name="amz_marketplace_unique"
            )
        ]

    def __str__(self) -> str:
        return self.info.name

    @property
    def info(self) -> MarketplaceInfo:
        return MARKETPLACES[self.marketplace_id]

    @property
    def invoice_series(self) -> str:
        """What the numbers of its invoices begin with: by default "DE-1-"."""
        default = f"{self.info.country_code}-{self.account_id}-"
        return self.invoice_number_prefix or default

    @property
    def credit_note_series(self) -> str:
        """What the numbers of its credit notes begin with: "DE-1-C-". A series of
        their own, which some countries want (Spain: RD 1619/2012, article 6)."""
        return f"{self.invoice_series}C-"

    @property
    def is_mapped(self) -> bool:
        return bool(self.channel_id and self.warehouse_ids and self.shipping_method_id)
