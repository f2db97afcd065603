"""The ledger: every order as Amazon last told it, and what became of it here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Coalesce

from .. import clock
from ..fields import EncryptedJSONField, EncryptedTextField
from .accounts import SellerAccount

#: Where a row comparison needs a time and there is none: NULL cannot be compared.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
SHIP_BY_OR_LATEST = Coalesce("ship_by", models.Value(LATEST))
#: How much time there was to ship it.
TIME_TO_SHIP = models.F("ship_by") - models.F("created_time")
TOTAL_OR_NOTHING = Coalesce("grand_total", models.Value(Decimal(0)))


class AmazonOrder(models.Model):
    """An order on Amazon."""

    class ImportState(models.TextChoices):
        #: Not importable yet, or not wanted; ``note`` says why.
        WAITING = "waiting"
        READY = "ready"
        IMPORTED = "imported"
        #: Something is in the way; ``blockers`` says what. Retried until it goes.
        BLOCKED = "blocked"
        #: Will never become an order of the shop.
        IGNORED = "ignored"

    account = models.ForeignKey(
        SellerAccount, related_name="orders", on_delete=models.PROTECT
    )
    amazon_order_id = models.CharField(max_length=32, unique=True)
    marketplace_id = models.CharField(max_length=20)
    fulfillment_status = models.CharField(max_length=32)
    fulfilled_by = models.CharField(max_length=16)
    #: Amazon's own times.
    created_time = models.DateTimeField()
    last_updated_time = models.DateTimeField()
    ship_by = models.DateTimeField(null=True)
    programs = ArrayField(models.CharField(max_length=64), default=list)
    currency = models.CharField(max_length=3, blank=True)
    grand_total = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    buyer_name = EncryptedTextField(blank=True)
    #: What the name is found by: see ``ledger.buyer_search``.
    buyer_search = ArrayField(models.BigIntegerField(), default=list)
    #: Amazon's last payload, in two halves: ``personal`` holds what Amazon lists as
    #: personal data, under the same paths. ``ledger.payloads`` splits and joins.
    payload = models.JSONField(default=dict)
    personal = EncryptedJSONField(blank=True)
    #: The delivery address that staff entered instead of Amazon's, in the fields of
    #: ``store.contract.AddressDraft``; empty where they did not. No payload changes it.
    staff_address = EncryptedJSONField(blank=True, default="")

    import_state = models.CharField(
        max_length=16, choices=ImportState.choices, default=ImportState.WAITING
    )
    #: Staff asked for this very order, so it may be older than ``import_from``.
    is_import_requested = models.BooleanField(default=False)
    #: The back-fill that last read it, if that was not imported before.
    backfill = models.ForeignKey(
        "Backfill",
        null=True,
        related_name="orders",
        on_delete=models.SET_NULL,
        db_index=False,
    )
    #: List of {code, message, subject} and, where amounts differ, {calculated, stated,
    #: currency}: see ``store.contract.Blocker``.
    blockers = models.JSONField(default=list)
    #: The latest thing that happened to the order here, in words.
    note = models.TextField(blank=True)
    #: The shop's order, once there is one.
    shop_order_id = models.CharField(max_length=36, null=True, unique=True)
    shop_order_number = models.CharField(max_length=64, blank=True)
    #: The number that documents about the order print, settled when it was imported;
    #: empty: the shop's.
    printed_number = models.CharField(max_length=64, blank=True)
    imported_at = models.DateTimeField(null=True)
    #: When the import was last tried: those that do not succeed take turns.
    checked_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(default=clock.now)
    #: When a cancellation on Amazon was carried into the shop, or found impossible
    #: there; ``note`` and the timeline say which.
    cancellation_settled_at = models.DateTimeField(null=True)

    #: When the buyer has it at the latest, by what Amazon last said: what is known of
    #: the buyer is kept for a time after that. Null: to be worked out.
    delivered_by = models.DateTimeField(null=True)
    #: When what was known of the buyer was deleted, or, where it came here too late to
    #: be kept, when it came; nothing of it is taken in again.
    redacted_at = models.DateTimeField(null=True)

    #: When the shop's order is to follow what Amazon last said; null: it has. Of one
    #: that is cancelled there, null is at once.
    follow_at = models.DateTimeField(null=True)
    #: How often that has failed since it last succeeded: it is tried ever less often.
    follow_failures = models.PositiveSmallIntegerField(default=0)
    #: Where it was to go before Amazon changed that, until the shop has followed.
    superseded_recipient = EncryptedJSONField(blank=True)
    #: The buyer asked Amazon to have it cancelled, and nobody did either yet.
    is_cancellation_requested = models.BooleanField(default=False)
    #: The Amazon order id of the order that this one replaces, or was exchanged for.
    replacement_of = models.CharField(max_length=32, blank=True)

    class Meta:
        indexes = [
            # Newest first, as the pages list them.
            models.Index(fields=["-created_time", "-id"], name="amz_order_created_idx"),
            # Sorted by status or ship-by time, and filtered down to few of many.
            models.Index(
                fields=["fulfillment_status", "created_time", "id"],
                name="amz_order_status_idx",
            ),
            models.Index(SHIP_BY_OR_LATEST, "id", name="amz_order_ship_by_idx"),
            models.Index(TIME_TO_SHIP, name="amz_order_time_to_ship_idx"),
            # With all that lists are filtered by, so that orders are passed over, and
            # counted, without reading them: totals are where they are whatever the
            # filter.
            models.Index(
                "currency",
                TOTAL_OR_NOTHING,
                "id",
                "grand_total",
                "account",
                "marketplace_id",
                "fulfilled_by",
                "fulfillment_status",
                "import_state",
                name="amz_order_by_total_idx",
            ),
            # As few entries as there are groups: ``ledger.groups``, and counts of
            # what several filters leave.
            models.Index(
                fields=[
                    "account",
                    "marketplace_id",
                    "fulfilled_by",
                    "fulfillment_status",
                    "import_state",
                    "currency",
                ],
                name="amz_order_group_idx",
            ),
            GinIndex(fields=["buyer_search"], name="amz_order_buyer_idx"),
            models.Index(
                fields=["import_state", "created_time", "id"],
                name="amz_order_state_idx",
            ),
            models.Index(
                fields=["marketplace_id", "created_time", "id"],
                name="amz_order_marketplace_idx",
            ),
            models.Index(
                fields=["fulfilled_by", "created_time", "id"],
                name="amz_order_fulfilled_by_idx",
            ),
            models.Index(
                fields=["shop_order_number"],
                name="amz_order_number_idx",
                condition=~models.Q(shop_order_number=""),
            ),
            # Few, and looked for by every round of work.
            models.Index(
                fields=["follow_at"],
                name="amz_order_follow_idx",
                condition=models.Q(follow_at__isnull=False),
            ),
            models.Index(
                fields=["delivered_by"],
                name="amz_order_redact_idx",
                condition=models.Q(redacted_at=None),
            ),
            models.Index(
                fields=["created_time", "id"],
                name="amz_order_asked_cancel_idx",
                condition=models.Q(is_cancellation_requested=True),
            ),
            models.Index(
                fields=["replacement_of"],
                name="amz_order_replacement_idx",
                condition=~models.Q(replacement_of=""),
            ),
            models.Index(
                fields=["backfill", "import_state"],
                name="amz_order_backfill_idx",
                condition=models.Q(backfill__isnull=False),
            ),
            # The importer looks only at these few of possibly millions.
            models.Index(
                fields=["import_state", "checked_at"],
                name="amz_order_open_idx",
                condition=models.Q(import_state__in=["ready", "blocked"]),
            ),
            # Imported, cancelled on Amazon since, and not yet here: a handful.
            models.Index(
                fields=["checked_at"],
                name="amz_order_cancelled_idx",
                condition=models.Q(
                    import_state="imported",
                    fulfillment_status="CANCELLED",
                    cancellation_settled_at=None,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.amazon_order_id


class AmazonOrderItem(models.Model):
    """An order item, and the line of the shop's order it became."""

    order = models.ForeignKey(
        AmazonOrder, related_name="items", on_delete=models.CASCADE
    )
    order_item_id = models.CharField(max_length=64)
    seller_sku = models.CharField(max_length=255, blank=True)
    asin = models.CharField(max_length=16, blank=True)
    title = models.TextField(blank=True)
    quantity_ordered = models.PositiveIntegerField()
    quantity_shipped = models.PositiveIntegerField(default=0)
    proceeds_total = models.DecimalField(max_digits=20, decimal_places=3, null=True)
    shop_line_id = models.CharField(max_length=36, blank=True)
    #: Units of the shop's line that one unit on Amazon became (a multipack), as it was
    #: when the order was imported.
    units_per_item = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "order_item_id"], name="amz_item_unique"
            )
        ]
        indexes = [models.Index(fields=["seller_sku"], name="amz_item_sku_idx")]

    def __str__(self) -> str:
        return self.order_item_id


class AmazonPackage(models.Model):
    """A package: one fulfillment of the shop, one package reference id on Amazon.

    The reference id never changes once given, so that a repeated confirmation replaces
    the package instead of adding one (SP-API, confirmShipment).
    """

    order = models.ForeignKey(
        AmazonOrder, related_name="packages", on_delete=models.CASCADE
    )
    package_reference_id = models.PositiveIntegerField()
    fulfillment_id = models.CharField(max_length=36)
    carrier_code = models.CharField(max_length=50, blank=True)
    carrier_name = models.CharField(max_length=50, blank=True)
    tracking_number = models.CharField(max_length=255, blank=True)
    ship_date = models.DateTimeField()
    #: List of {order_item_id, quantity}.
    items = models.JSONField(default=list)
    #: Raised with every change of the content; part of the intent's idempotency key.
    revision = models.PositiveIntegerField(default=1)
    #: The last revision that Amazon accepted.
    confirmed_revision = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "package_reference_id"], name="amz_package_unique"
            ),
            models.UniqueConstraint(
                fields=["order", "fulfillment_id"],
                name="amz_package_fulfillment_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"package {self.package_reference_id}"


class ForeignPackage(models.Model):
    """A package that somebody else confirmed to Amazon, in Seller Central say, and the
    fulfillment it became in the shop."""

    order = models.ForeignKey(
        AmazonOrder, related_name="foreign_packages", on_delete=models.CASCADE
    )
    #: Empty for units that Amazon has as shipped without telling of a package.
    package_reference_id = models.CharField(max_length=64)
    fulfillment_id = models.CharField(max_length=36)
    carrier = models.CharField(max_length=255, blank=True)
    tracking_number = models.CharField(max_length=255, blank=True)
    #: List of {order_item_id, quantity}: Amazon's units, as carried into the shop.
    items = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "fulfillment_id"],
                name="amz_foreign_package_unique",
            )
        ]

    def __str__(self) -> str:
        return f"foreign package {self.package_reference_id}"


class SyncCursor(models.Model):
    """How far a stream was read, and who is reading it now.

    ``account`` is null for the stream of staff actions, which is the shop's.
    """

    account = models.ForeignKey(SellerAccount, null=True, on_delete=models.CASCADE)
    stream = models.CharField(max_length=32)
    watermark = models.DateTimeField(null=True)
    #: Of the last scan of orders but one.
    previous_watermark = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_run_at = models.DateTimeField(null=True)
    #: When the next run is due; null means at once. While a run holds the lease this
    #: is when the lease ends, so that a null written meanwhile is seen as a wish.
    next_run_at = models.DateTimeField(null=True)
    #: A scan that ran out of budget goes on from here instead of starting over, which
    #: a long one would otherwise do for ever: Amazon's token for the next page, the
    #: filter it belongs to, and the watermark the scan ends with.
    page_token = models.TextField(blank=True)
    page_filter = models.JSONField(default=dict)
    page_watermark = models.DateTimeField(null=True)
    #: From here on Amazon refused buyer data, so what it gave is to be read again once
    #: it does not; null when there is nothing to read again.
    without_buyer_since = models.DateTimeField(null=True)
    #: Why the last run did not end well, in words; empty when it did.
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "stream"], name="amz_cursor_unique"
            ),
            models.UniqueConstraint(
                fields=["stream"],
                name="amz_cursor_shop_unique",
                condition=models.Q(account=None),
            ),
        ]

    def __str__(self) -> str:
        return self.stream


class OrderEvent(models.Model):
    """One entry of an order's timeline. Holds no personal data."""

    order = models.ForeignKey(
        AmazonOrder, related_name="events", on_delete=models.CASCADE
    )
    type = models.CharField(max_length=32)
    message = models.TextField()
    actor = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["order", "created_at"], name="amz_event_order_idx")
        ]

    def __str__(self) -> str:
        return self.type


class CommunicationLog(models.Model):
    """What failed between Amazon and us. Holds no personal data and no secrets."""

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE)
    operation = models.CharField(max_length=64)
    error_code = models.CharField(max_length=100)
    message = models.TextField()
    request_id = models.CharField(max_length=100, blank=True)
    #: Where it was about one order.
    amazon_order_id = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="amz_log_created_idx")]

    def __str__(self) -> str:
        return self.error_code
