"""Our tables: all that Amazon told us, all that goes to Amazon, and the settings.

The shop's rows are referred to softly, by primary key as text and without foreign
keys: Saleor deletes emptied fulfillments, and the same migrations must serve every
Saleor version and the stand-alone shop.
"""

from .accounts import Marketplace, SellerAccount
from .blocking import OrderBlocker, SkuMapping
from .budgets import AccessToken, UsageBudget
from .carriers import CarrierMapping
from .invoices import InvoiceReport, OrderInvoice
from .ledger import (
    AmazonOrder,
    AmazonOrderItem,
    AmazonPackage,
    CommunicationLog,
    ForeignPackage,
    OrderEvent,
    SyncCursor,
)
from .listings import AmazonListing
from .notifications import Notification, NotificationQueue
from .outbox import Feed, OutboxAttachment, OutboxAttempt, OutboxEntry
from .refunds import AmazonRefund, AmazonRefundAmount, ShopRefund
from .sales import DailySales
from .scans import Backfill, Reconciliation
from .settings import ChannelSettings

__all__ = [
    "AccessToken",
    "AmazonListing",
    "AmazonOrder",
    "AmazonOrderItem",
    "AmazonPackage",
    "AmazonRefund",
    "AmazonRefundAmount",
    "Backfill",
    "CarrierMapping",
    "ChannelSettings",
    "CommunicationLog",
    "DailySales",
    "Feed",
    "ForeignPackage",
    "InvoiceReport",
    "Marketplace",
    "Notification",
    "NotificationQueue",
    "OrderBlocker",
    "OrderEvent",
    "OrderInvoice",
    "OutboxAttachment",
    "OutboxAttempt",
    "OutboxEntry",
    "Reconciliation",
    "SellerAccount",
    "ShopRefund",
    "SkuMapping",
    "SyncCursor",
    "UsageBudget",
]
