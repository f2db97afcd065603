"""What keeps orders out of the shop, as rows that can be counted, and SKU mappings."""

from __future__ import annotations

from django.db import models

from .accounts import SellerAccount
from .ledger import AmazonOrder


class OrderBlocker(models.Model):
    """One reason why an order is not imported; written with ``AmazonOrder.blockers``.

    Causes are looked at, not orders: (account, marketplace, code, subject) is one.
    """

    order = models.ForeignKey(
        AmazonOrder, related_name="blocker_rows", on_delete=models.CASCADE
    )
    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE)
    marketplace_id = models.CharField(max_length=20)
    #: See ``store.contract.BlockerCode``.
    code = models.CharField(max_length=32)
    subject = models.CharField(max_length=255, blank=True)
    message = models.TextField()
    #: Of stock, where that is what is missing.
    units_needed = models.PositiveIntegerField(default=0)
    #: The version of the channel that judged so: another may judge differently.
    judged_by = models.CharField(max_length=32)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "marketplace_id", "code", "subject"],
                name="amz_blocker_cause_idx",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.subject}".strip()


class SkuMapping(models.Model):
    """What a seller SKU of Amazon's is in the shop, where the SKUs differ."""

    account = models.ForeignKey(
        SellerAccount, related_name="sku_mappings", on_delete=models.CASCADE
    )
    seller_sku = models.CharField(max_length=255)
    variant_id = models.CharField(max_length=36)
    #: As it was when it was mapped: for people.
    variant_sku = models.CharField(max_length=255, blank=True)
    #: How many units of the variant one unit on Amazon is.
    units = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "seller_sku"], name="amz_sku_mapping_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(units__gte=1), name="amz_sku_mapping_units"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seller_sku}: {self.units} of {self.variant_sku}"
