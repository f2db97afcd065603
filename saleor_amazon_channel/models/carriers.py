"""What carriers are called on Amazon."""

from __future__ import annotations

from django.db import models

from .accounts import SellerAccount


class CarrierMapping(models.Model):
    """Which of Amazon's carriers is meant by what staff and apps call one."""

    account = models.ForeignKey(
        SellerAccount, related_name="carrier_mappings", on_delete=models.CASCADE
    )
    #: As it was given: for people.
    carrier = models.CharField(max_length=50)
    #: ``amazon.carriers.key`` of it: case, spaces and punctuation do not matter.
    key = models.CharField(max_length=50)
    carrier_code = models.CharField(max_length=50)
    #: Beside the code ``Other``, which says nothing by itself.
    carrier_name = models.CharField(max_length=50, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key"], name="amz_carrier_mapping_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.carrier}: {self.carrier_name or self.carrier_code}"
