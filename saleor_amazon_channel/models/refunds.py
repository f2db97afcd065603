"""Refunds on Amazon, and what became of them in the shop."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from .. import clock
from .accounts import SellerAccount
from .ledger import AmazonOrder
from .outbox import OutboxEntry


class ShopRefund(models.Model):
    """A refund that staff asked for in the shop, on its way to Amazon and there.

    How far it is says its outbox entry. What it gives is decided when it is sent.
    """

    order = models.ForeignKey(
        AmazonOrder, related_name="shop_refunds", on_delete=models.PROTECT
    )
    entry = models.OneToOneField(
        OutboxEntry, related_name="shop_refund", on_delete=models.PROTECT
    )
    #: The shop's, of the request.
    request_id = models.CharField(max_length=64)
    #: Ours, in the shop and in the feed.
    reference = models.CharField(max_length=64, unique=True)
    #: Of what the shop's order costs.
    amount = models.DecimalField(max_digits=20, decimal_places=3)
    currency = models.CharField(max_length=3)
    #: AdjustmentReason. What staff wrote stays in the shop: it may name the buyer.
    reason = models.CharField(max_length=64)
    #: List of {line_id, units, reason}: the shop's lines it is for, if staff said so.
    lines = models.JSONField(default=list)
    is_shipping_included = models.BooleanField(default=False)
    requested_at = models.DateTimeField(default=clock.now)

    #: Order item id → component → amount as text: as it went to Amazon, which may be
    #: more than ``amount`` where Amazon collects taxes that the shop's order lacks.
    amounts = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "request_id"], name="amz_shop_refund_unique"
            )
        ]

    def __str__(self) -> str:
        return self.reference


class AmazonRefund(models.Model):
    """Money that a buyer got back from Amazon: one refund, however many transactions
    tell of it (one that is deferred is told again when it is released).

    It refers to its order by Amazon's id: the order may come later than the refund.
    """

    class Status(models.TextChoices):
        #: The buyer has the money; Amazon settles it with the seller later.
        DEFERRED = "deferred"
        RELEASED = "released"

    class State(models.TextChoices):
        #: Its order is not in the shop.
        WAITING = "waiting"
        #: On the shop's order.
        RECORDED = "recorded"
        #: The shop's order does not have it, or not all of it; ``note`` says why.
        NOT_RECORDED = "not_recorded"

    account = models.ForeignKey(
        SellerAccount, related_name="refunds", on_delete=models.PROTECT
    )
    #: Empty where Amazon names none.
    amazon_order_id = models.CharField(max_length=32, blank=True)
    #: Of the transaction that told of it first: its identity, also in the shop.
    transaction_id = models.CharField(max_length=128)
    #: Of the other transaction that tells of it, once one does.
    linked_transaction_id = models.CharField(max_length=128, blank=True)
    refund_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    posted_at = models.DateTimeField()
    currency = models.CharField(max_length=3, blank=True)
    #: What the buyer got, all components together.
    amount = models.DecimalField(max_digits=20, decimal_places=3)
    #: What Amazon names in it that the channel does not know, and does not count.
    unknown = models.TextField(blank=True)
    #: The transaction as Amazon told it last, amounts as text. No personal data.
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    recorded_at = models.DateTimeField(default=clock.now)

    state = models.CharField(
        max_length=16, choices=State.choices, default=State.WAITING
    )
    #: When the shop's order is to have it; null: not before something changes.
    carry_at = models.DateTimeField(null=True)
    #: When to see whether an invoice is to be corrected by a credit note; null: not
    #: before something changes.
    credit_note_at = models.DateTimeField(null=True)
    #: What of the amount the shop's order has.
    amount_in_shop = models.DecimalField(max_digits=20, decimal_places=3, default=0)
    #: What a person should know of it, in words.
    note = models.TextField(blank=True)
    #: The shop asked for it: the shop's order has it from there.
    shop_refund = models.ForeignKey(
        ShopRefund, null=True, related_name="on_amazon", on_delete=models.PROTECT
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "transaction_id"], name="amz_refund_unique"
            )
        ]
        indexes = [
            models.Index(fields=["amazon_order_id"], name="amz_refund_order_idx"),
            # Few, and looked for by every round of work.
            models.Index(
                fields=["carry_at"],
                name="amz_refund_carry_idx",
                condition=models.Q(carry_at__isnull=False),
            ),
            models.Index(
                fields=["credit_note_at"],
                name="amz_refund_credit_note_idx",
                condition=models.Q(credit_note_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id


class AmazonRefundAmount(models.Model):
    """What a refund gives of one component of one order item."""

    refund = models.ForeignKey(
        AmazonRefund, related_name="amounts", on_delete=models.CASCADE
    )
    #: Empty where it cannot be told: no item is guessed.
    order_item_id = models.CharField(max_length=64, blank=True)
    #: As Amazon names it in the refund.
    seller_sku = models.CharField(max_length=255, blank=True)
    #: See ``amazon.finances.Component``.
    component = models.CharField(max_length=32)
    #: Positive: to the buyer. Fees that the seller keeps are negative.
    amount = models.DecimalField(max_digits=20, decimal_places=3)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["refund", "order_item_id", "seller_sku", "component"],
                name="amz_refund_amount_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.amount}"
