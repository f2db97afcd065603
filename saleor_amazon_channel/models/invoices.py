"""Invoices of Amazon orders and their credit notes: the shop's, as far as Amazon is
concerned with them."""

from __future__ import annotations

from django.db import models

from .. import clock
from .accounts import SellerAccount
from .ledger import AmazonOrder
from .refunds import AmazonRefund


class OrderInvoice(models.Model):
    """An invoice of the shop, of an Amazon order, or a credit note that corrects one.
    No personal data: the file, which has some, is the shop's."""

    order = models.ForeignKey(
        AmazonOrder, related_name="invoices", on_delete=models.CASCADE
    )
    shop_invoice_id = models.CharField(max_length=36)
    number = models.CharField(max_length=255)
    #: Made here, out of what Amazon said of the order; else by another app.
    is_issued_here = models.BooleanField(default=False)
    #: The number is one of the marketplace's own series, in which none is missing.
    is_of_series = models.BooleanField(default=False)
    #: What it says, where it was made here: gross, and tax where Amazon told it. Of a
    #: credit note what it gives back, positive.
    total = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    tax = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    #: All that an invoice made here says, without the buyer: see
    #: ``invoicing.document.to_json``. Empty where that was not kept.
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)

    #: The invoice that a credit note corrects; null: it is an invoice.
    corrects = models.ForeignKey(
        "self", null=True, related_name="credit_notes", on_delete=models.CASCADE
    )
    #: The refund that it is for. One of which there is a credit note gets no other.
    refund = models.OneToOneField(
        AmazonRefund, null=True, related_name="credit_note", on_delete=models.PROTECT
    )
    #: What Amazon calls the refund in its Invoice Data Report, and what it comes to
    #: there; a credit note goes to Amazon with it.
    transaction_id = models.CharField(max_length=128, blank=True)
    transaction_total = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    #: How long the report is waited for; null: it is not.
    waits_until = models.DateTimeField(null=True)
    #: Of a credit note that may have arrived: when the report was asked for that has
    #: told last whether the refund still lacks one, and what it told.
    checked_at = models.DateTimeField(null=True)
    is_lacking = models.BooleanField(default=False)

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
        indexes = [
            # Few, and looked for by every tick.
            models.Index(
                fields=["waits_until"],
                name="amz_invoice_waiting_idx",
                condition=models.Q(waits_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceReport(models.Model):
    """Where an account is with Amazon's Invoice Data Report, which says what refunds
    are called there. One report at a time serves all credit notes that wait for it."""

    account = models.OneToOneField(
        SellerAccount, related_name="invoice_report", on_delete=models.CASCADE
    )
    #: Amazon's, of the one that is being made; empty between two of them.
    report_id = models.CharField(max_length=64, blank=True)
    marketplace_ids = models.JSONField(default=list)
    requested_at = models.DateTimeField(null=True)
    #: When the next step is due: to ask for it, or to see how far it is.
    next_step_at = models.DateTimeField(default=clock.now)
    poll_count = models.PositiveIntegerField(default=0)
    #: How often in a row it gave nothing that can be read, and why, in words.
    failure_count = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"invoice report of account {self.account_id}"
