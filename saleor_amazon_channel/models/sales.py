"""What was sold on Amazon, added up: lists of a million orders cannot be, on a page."""

from __future__ import annotations

from django.db import models

from .accounts import SellerAccount


class DailySales(models.Model):
    """What was ordered in a marketplace on a day: kept by ``ledger.sales``."""

    account = models.ForeignKey(
        SellerAccount, related_name="daily_sales", on_delete=models.CASCADE
    )
    marketplace_id = models.CharField(max_length=20)
    #: In the marketplace's time zone.
    day = models.DateField()
    currency = models.CharField(max_length=3)
    # Sums, so without limits that could stop an order from being recorded.
    order_count = models.BigIntegerField()
    unit_count = models.BigIntegerField()
    total = models.DecimalField(max_digits=26, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "marketplace_id", "currency", "day"],
                name="amz_daily_sales_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.total} {self.currency}"
