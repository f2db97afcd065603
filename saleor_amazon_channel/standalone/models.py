"""Tables of the stand-alone shop, which plays Saleor where Saleor is not installed.

Only what the port (``store/contract.py``) and the staff's work on an order need, in
Saleor's words. Personal data is encrypted, as in the channel's own tables.
"""

from __future__ import annotations

import uuid

from django.db import models

from .. import clock
from ..fields import EncryptedBinaryField, EncryptedJSONField, EncryptedTextField


class AmountField(models.DecimalField):
    """An amount of money in the currency of its order."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"max_digits": 20, "decimal_places": 3, **kwargs})  # type: ignore[arg-type]


class Channel(models.Model):
    slug = models.SlugField(max_length=255, unique=True)
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return self.slug


class Warehouse(models.Model):
    name = models.CharField(max_length=255)
    channels = models.ManyToManyField(Channel, related_name="warehouses")

    def __str__(self) -> str:
        return self.name


class ShippingMethod(models.Model):
    name = models.CharField(max_length=255)
    channel = models.ForeignKey(
        Channel, related_name="shipping_methods", on_delete=models.CASCADE
    )

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """What can be sold: a product of one variant."""

    sku = models.CharField(max_length=255, unique=True)
    external_reference = models.CharField(max_length=250, null=True, unique=True)
    name = models.CharField(max_length=255)
    tracks_inventory = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.sku


class Listing(models.Model):
    """A variant in a channel."""

    variant = models.ForeignKey(
        Variant, related_name="listings", on_delete=models.CASCADE
    )
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE)
    #: The product is published in the channel.
    is_published = models.BooleanField(default=True)
    #: The variant has a price in the channel.
    has_price = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "channel"], name="shop_listing_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} in {self.channel_id}"


class Stock(models.Model):
    """Units of a variant in a warehouse, and how many of them are promised."""

    variant = models.ForeignKey(
        Variant, related_name="stocks", on_delete=models.CASCADE
    )
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField(default=0)
    quantity_allocated = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "warehouse"], name="shop_stock_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant_id} in {self.warehouse_id}"

    @property
    def available(self) -> int:
        return max(self.quantity - self.quantity_allocated, 0)


class Customer(models.Model):
    email = models.EmailField(unique=True)
    first_name = EncryptedTextField(blank=True)
    last_name = EncryptedTextField(blank=True)

    def __str__(self) -> str:
        return f"customer {self.pk}"


class Order(models.Model):
    class Status(models.TextChoices):
        UNCONFIRMED = "unconfirmed"
        UNFULFILLED = "unfulfilled"
        PARTIALLY_FULFILLED = "partially fulfilled"
        FULFILLED = "fulfilled"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = models.BigIntegerField(unique=True)
    #: The Amazon order id; null for the shop's own sales.
    external_reference = models.CharField(max_length=250, null=True, unique=True)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT)
    status = models.CharField(max_length=32, choices=Status.choices)
    #: None: a guest's order.
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=clock.now)
    currency = models.CharField(max_length=3)
    total_gross = AmountField()
    total_net = AmountField()
    undiscounted_total_gross = AmountField()
    undiscounted_total_net = AmountField()
    shipping_method = models.ForeignKey(
        ShippingMethod, null=True, on_delete=models.SET_NULL
    )
    shipping_method_name = models.CharField(max_length=255, blank=True)
    shipping_gross = AmountField(default=0)
    shipping_net = AmountField(default=0)
    shipping_tax_rate = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    shipping_address = EncryptedJSONField(blank=True)
    billing_address = EncryptedJSONField(blank=True)
    customer_note = EncryptedTextField(blank=True)
    language_code = models.CharField(max_length=35, default="en")
    display_gross_prices = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict)
    private_metadata = EncryptedJSONField(blank=True)

    def __str__(self) -> str:
        return str(self.number)


class OrderLine(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    order = models.ForeignKey(Order, related_name="lines", on_delete=models.CASCADE)
    position = models.PositiveSmallIntegerField()
    #: Amazon's order item id; empty on the shop's own sales.
    external_reference = models.CharField(max_length=64, blank=True)
    variant = models.ForeignKey(Variant, null=True, on_delete=models.SET_NULL)
    sku = models.CharField(max_length=255)
    name = models.TextField()
    quantity = models.PositiveIntegerField()
    quantity_fulfilled = models.PositiveIntegerField(default=0)
    total_gross = AmountField()
    total_net = AmountField()
    undiscounted_total_gross = AmountField()
    undiscounted_total_net = AmountField()
    tax_rate = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="shop_line_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_fulfilled__lte=models.F("quantity")),
                name="shop_line_fulfilled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku}"

    @property
    def quantity_unfulfilled(self) -> int:
        return self.quantity - self.quantity_fulfilled


class Allocation(models.Model):
    """Units of a stock that are promised to a line."""

    line = models.ForeignKey(
        OrderLine, related_name="allocations", on_delete=models.CASCADE
    )
    stock = models.ForeignKey(Stock, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "stock"], name="shop_allocation_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.line_id}"


class Fulfillment(models.Model):
    """A package. Those the import makes for what had left before are not staff's."""

    class Status(models.TextChoices):
        FULFILLED = "fulfilled"
        WAITING_FOR_APPROVAL = "waiting_for_approval"
        CANCELED = "canceled"

    order = models.ForeignKey(
        Order, related_name="fulfillments", on_delete=models.CASCADE
    )
    status = models.CharField(max_length=32, choices=Status.choices)
    #: Where staff took it from; null where the import made it.
    warehouse = models.ForeignKey(Warehouse, null=True, on_delete=models.SET_NULL)
    tracking_number = models.CharField(max_length=255, blank=True)
    #: Null until it is FULFILLED.
    shipped_at = models.DateTimeField(null=True)
    #: When staff last fulfilled it or changed its tracking; null where staff did not.
    changed_by_staff_at = models.DateTimeField(null=True, db_index=True)
    #: Who that was.
    actor = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"fulfillment {self.pk}"


class FulfillmentLine(models.Model):
    fulfillment = models.ForeignKey(
        Fulfillment, related_name="lines", on_delete=models.CASCADE
    )
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.quantity} of {self.line_id}"


class Transaction(models.Model):
    """Money taken for an order."""

    order = models.ForeignKey(
        Order, related_name="transactions", on_delete=models.CASCADE
    )
    psp_reference = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    charged = AmountField()
    refunded = AmountField(default=0)

    def __str__(self) -> str:
        return self.psp_reference


class Invoice(models.Model):
    """An invoice that staff asked for."""

    order = models.ForeignKey(Order, related_name="invoices", on_delete=models.CASCADE)
    #: Empty until it is ready, as is the file.
    number = models.CharField(max_length=255, blank=True)
    file = EncryptedBinaryField(blank=True, default=b"")
    changed_at = models.DateTimeField(default=clock.now, db_index=True)
    metadata = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.number


class Refund(models.Model):
    """Money given back for an order, or about to be, and what it was for."""

    class Status(models.TextChoices):
        #: Staff asked for it.
        REQUESTED = "requested"
        #: Somebody is at it: its amount is charged no more.
        PENDING = "pending"
        SUCCESS = "success"
        FAILURE = "failure"

    order = models.ForeignKey(Order, related_name="refunds", on_delete=models.CASCADE)
    #: The payment provider's.
    psp_reference = models.CharField(max_length=255)
    amount = AmountField()
    reason = models.TextField(blank=True)
    is_shipping_included = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    status = models.CharField(
        max_length=16, choices=Status.choices, default=Status.SUCCESS
    )
    #: Why it failed.
    message = models.TextField(blank=True)
    #: Who asked for it.
    actor = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "psp_reference"],
                name="shop_refund_unique",
                condition=~models.Q(psp_reference=""),
            )
        ]

    def __str__(self) -> str:
        return self.psp_reference


class RefundLine(models.Model):
    refund = models.ForeignKey(Refund, related_name="lines", on_delete=models.CASCADE)
    line = models.ForeignKey(
        OrderLine, related_name="refund_lines", on_delete=models.CASCADE
    )
    #: Units paid back whole.
    quantity = models.PositiveIntegerField()
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.line_id}"


class Note(models.Model):
    """A note on an order's timeline."""

    order = models.ForeignKey(Order, related_name="notes", on_delete=models.CASCADE)
    message = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"note {self.pk}"
