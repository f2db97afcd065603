"""What the seller lists on Amazon, and how many of it Amazon was told of."""

from __future__ import annotations

from django.db import models

from .accounts import SellerAccount


class AmazonListing(models.Model):
    """A seller SKU in one marketplace, as Amazon lists it, and its quantity."""

    class State(models.TextChoices):
        #: To be compared with the shop's stock.
        NEW = "new"
        #: Amazon has ``quantity``, or is being told of it.
        SENT = "sent"
        #: Amazon did not take it; ``note`` says why. Not sent again by itself.
        REFUSED = "refused"
        #: Amazon has no such listing (any more).
        NOT_LISTED = "not_listed"
        #: Amazon ships it, and counts it: its quantity is never touched.
        AMAZON_FULFILLED = "amazon_fulfilled"
        #: Amazon does not say that the seller ships it.
        NOT_FULFILLED = "not_fulfilled"
        #: The shop has no variant for the SKU.
        UNKNOWN_SKU = "unknown_sku"
        #: The shop does not count the variant's stock.
        NOT_COUNTED = "not_counted"

    account = models.ForeignKey(
        SellerAccount, related_name="listings", on_delete=models.CASCADE
    )
    marketplace_id = models.CharField(max_length=20)
    seller_sku = models.CharField(max_length=255)
    # As Amazon last told.
    product_type = models.CharField(max_length=255, blank=True)
    asin = models.CharField(max_length=16, blank=True)
    title = models.TextField(blank=True)
    #: What else the seller said of the units they ship: sent along with every number.
    availability = models.JSONField(default=dict)
    amazon_quantity = models.PositiveIntegerField(null=True)
    updated_on_amazon_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    #: What a person should know of the state.
    note = models.TextField(blank=True)
    #: As it was when it was last compared.
    variant_id = models.CharField(max_length=36, blank=True)
    compared_at = models.DateTimeField(null=True)
    #: What Amazon should have, and the number of the intent that says so.
    quantity = models.PositiveIntegerField(null=True)
    revision = models.PositiveIntegerField(default=0)
    #: Orders may have changed what Amazon has, so that it is to be told again.
    is_stale = models.BooleanField(default=False)
    #: What Amazon last took, and when.
    sent_quantity = models.PositiveIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "seller_sku", "marketplace_id"],
                name="amz_listing_unique",
            )
        ]
        indexes = [
            models.Index(fields=["seller_sku", "id"], name="amz_listing_sku_idx"),
            models.Index(
                fields=["state", "seller_sku", "id"], name="amz_listing_state_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seller_sku} in {self.marketplace_id}"
