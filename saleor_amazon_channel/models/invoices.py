"""Invoices of Amazon orders: the shop's, as far as Amazon is concerned with them."""

from __future__ import annotations

from django.db import models

from .. import clock
from .ledger import AmazonOrder


class OrderInvoice(models.Model):
    """An invoice of the shop, of an Amazon order. No personal data: the file, which
    has some, is the shop's."""

    order = models.ForeignKey(
        AmazonOrder, related_name="invoices", on_delete=models.CASCADE
    )
    shop_invoice_id = models.CharField(max_length=36)
    number = models.CharField(max_length=255)
    #: Made here, out of what Amazon said of the order; else by another app.
    is_issued_here = models.BooleanField(default=False)
    #: The number is one of the marketplace's own series, in which none is missing.
    is_of_series = models.BooleanField(default=False)
    #: What it says, where it was made here: gross, and tax where Amazon told it.
    total = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    tax = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "shop_invoice_id"], name="amz_invoice_unique"
            ),
            models.UniqueConstraint(
                fields=["number"],
                name="amz_invoice_series_unique",
                condition=models.Q(is_of_series=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number
