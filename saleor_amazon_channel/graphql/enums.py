"""Enums; each value says what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import graphene

from ..accounts import AccountErrorCode
from ..amazon.marketplaces import REGIONS
from ..amazon.messaging import MessageAction
from ..amazon.order_feeds import AdjustmentReason, CancelReason
from ..models import (
    AmazonListing,
    AmazonOrder,
    AmazonRefund,
    Backfill,
    ChannelSettings,
    Marketplace,
    Notification,
    OutboxEntry,
    SellerAccount,
)
from ..store.contract import BlockerCode


def _describe(
    of_enum: str, of_values: Mapping[str, str]
) -> Callable[[Enum | None], str | None]:
    def description(value: Enum | None) -> str | None:
        return of_enum if value is None else of_values.get(value.name)

    return description


def _enum(name: str, values: Any, of_enum: str, of_values: Mapping[str, str]) -> Any:
    members = [(each.name, each.value) for each in values]
    return graphene.Enum(name, members, description=_describe(of_enum, of_values))


AmazonRegion = graphene.Enum(
    "AmazonRegion",
    [(code, code) for code in REGIONS],
    description=_describe(
        "A selling region of Amazon; one authorization covers one region.",
        {
            "NA": "North and South America.",
            "EU": "Europe, the Middle East, Africa and India.",
            "FE": "Japan, Australia and Singapore.",
        },
    ),
)

AmazonAccountState = _enum(
    "AmazonAccountState",
    SellerAccount.State,
    "Whether orders of a seller account are exchanged with Amazon.",
    {
        "ACTIVE": "Orders are pulled and shipments are confirmed.",
        "NEEDS_REAUTHORIZATION": (
            "Amazon no longer accepts the credentials; give the account new ones."
        ),
        "PAUSED": "The account was paused; nothing is exchanged.",
        "DISCONNECTED": (
            "The account was disconnected; its secrets are deleted. It can be "
            "connected again."
        ),
    },
)

AmazonNotificationState = _enum(
    "AmazonNotificationState",
    Notification.State,
    "What became of a notification of Amazon's.",
    {
        "TO_READ": "The order it names is to be read, once Amazon allows a call.",
        "SETTLED": "What it names was read, or was here already.",
        "LEFT_TO_SCAN": "The next scan brings what it names.",
        "MALFORMED": "It could not be read, and was removed.",
        "OTHER_TYPE": "Nobody here subscribed to its type; removed.",
        "OTHER_SELLER": "It is about another seller; removed.",
        "NOT_MAPPED": "It is about a marketplace without a channel; removed.",
    },
)

AmazonCustomerCreation = _enum(
    "AmazonCustomerCreation",
    Marketplace.CustomerCreation,
    "Whose the orders of a marketplace are in the shop.",
    {
        "GUEST": "Each order is a guest's.",
        "ACCOUNT": (
            "Each buyer gets a customer account, with an address that nothing can be "
            "delivered to. An order whose buyer Amazon does not tell is a guest's."
        ),
    },
)

AmazonOrderNumberSource = _enum(
    "AmazonOrderNumberSource",
    Marketplace.OrderNumberSource,
    "Whose number documents about an order print.",
    {"SHOP": "The shop's order number.", "AMAZON": "Amazon's order ID."},
)

AmazonInitialStatus = _enum(
    "AmazonInitialStatus",
    Marketplace.InitialStatus,
    "The status of imported orders of which nothing has been shipped.",
    {
        "UNFULFILLED": "The order can be fulfilled at once.",
        "UNCONFIRMED": "Staff confirm the order first.",
    },
)

AmazonCancellationMechanism = _enum(
    "AmazonCancellationMechanism",
    Marketplace.CancellationMechanism,
    "How Amazon is told that an order is to be cancelled.",
    {
        "FEED": "By feed, many orders at a time.",
        "CALL": (
            "By Amazon's call `cancelOrder`, which is not released for everybody; by "
            "feed where Amazon does not know it, or has no such reason."
        ),
    },
)

AmazonInvoiceMechanism = _enum(
    "AmazonInvoiceMechanism",
    Marketplace.InvoiceMechanism,
    "How invoices of a marketplace's orders reach the buyers.",
    {
        "AUTO": (
            "By Amazon's VAT invoice feed where there is one, else by message where "
            "Amazon offers it for the order."
        ),
        "FEED": "By Amazon's VAT invoice feed.",
        "MESSAGE": "By message, where Amazon offers it for the order.",
        "OFF": "They stay in the shop; for sellers whose invoices Amazon issues.",
    },
)

AmazonLogHistory = _enum(
    "AmazonLogHistory",
    ChannelSettings.LogHistory,
    "How long logs are kept.",
    {"DAILY": "A day.", "WEEKLY": "A week.", "MONTHLY": "Thirty days."},
)

AmazonImportState = _enum(
    "AmazonImportState",
    AmazonOrder.ImportState,
    "What has become of an Amazon order in the shop.",
    {
        "WAITING": "Not importable yet, or not wanted; the note says why.",
        "READY": "To be imported in the next seconds.",
        "IMPORTED": "It is an order of the shop.",
        "BLOCKED": "Something is in the way; the blockers say what. Tried again.",
        "IGNORED": "It will never become an order of the shop; the note says why.",
    },
)

AmazonBackfillState = _enum(
    "AmazonBackfillState",
    Backfill.State,
    "How far a back-fill is.",
    {
        "RUNNING": "The workers are at it, as Amazon's usage plan allows.",
        "FINISHED": "All of its orders have been read.",
        "CANCELLED": "Somebody ended it.",
    },
)

AmazonBlockerCode = _enum(
    "AmazonBlockerCode",
    BlockerCode,
    "What can keep an Amazon order out of the shop.",
    {
        "NOT_MAPPED": "The marketplace has no channel, warehouse or shipping method.",
        "UNKNOWN_SKU": "No product variant has the seller SKU.",
        "NOT_AVAILABLE_IN_CHANNEL": "The product is not published in the channel.",
        "OUT_OF_STOCK": "The warehouses cannot cover what is to be shipped.",
        "BAD_ADDRESS": "The shop cannot hold the address.",
        "AMOUNTS_DIFFER": "The parts do not add up to the total Amazon states.",
        "CHANNEL_MISMATCH": (
            "The channel, its currency, warehouse or shipping method does not fit."
        ),
        "UNREADABLE": "Amazon's data lacks something an order cannot do without.",
        "INTERNAL": "The import failed unexpectedly; the server's log says why.",
    },
)

AmazonOutboxKind = _enum(
    "AmazonOutboxKind",
    OutboxEntry.Kind,
    "What is to be told to Amazon.",
    {
        "CONFIRM_SHIPMENT": "A package was shipped, or what is known of it changed.",
        "CANCEL": "The order is to be cancelled.",
        "BUYER_MESSAGE": "The buyer is to be sent a message.",
        "REVIEW_REQUEST": "The buyer is to be asked for a review.",
        "INVOICE": "An invoice of the shop is to be sent.",
        "CREDIT_NOTE": "A credit note that corrects an invoice is to be sent.",
        "REFUND": "The buyer is to be given money back.",
        "STOCK": "How many of a listing there are.",
    },
)

AmazonListingState = _enum(
    "AmazonListingState",
    AmazonListing.State,
    "Whether Amazon is told how many there are of a listing.",
    {
        "NEW": "To be compared with the shop's stock.",
        "SENT": (
            "Amazon was told `quantity`, or is being told: then `sentQuantity` is "
            "another."
        ),
        "REFUSED": (
            "Amazon did not take it. It is tried again when the listing changes on "
            "Amazon, or by `amazonOutboxRetry`."
        ),
        "NOT_LISTED": "Amazon has no listing with this SKU in the marketplace.",
        "AMAZON_FULFILLED": "Amazon ships it; its quantity is never touched.",
        "NOT_FULFILLED": "Amazon does not say that the seller ships it.",
        "UNKNOWN_SKU": "The shop has no variant for the SKU.",
        "NOT_COUNTED": "The shop does not count the variant's stock.",
    },
)

AmazonOutboxState = _enum(
    "AmazonOutboxState",
    OutboxEntry.State,
    "How far a message to Amazon has come.",
    {
        "PENDING": "To be sent.",
        "SENDING": "Being sent right now.",
        "SUBMITTED": "Amazon has it in a feed, whose report is awaited.",
        "SUCCEEDED": "Amazon accepted it.",
        "FAILED": "Amazon refused it; the error says what to do.",
        "SUPERSEDED": "Not sent, since a newer message says it all.",
        "UNKNOWN": "It may have arrived; Amazon is asked before anything is resent.",
    },
)

AmazonAdjustmentReason = _enum(
    "AmazonAdjustmentReason",
    AdjustmentReason,
    "Why the buyer gets money back, as Amazon knows reasons.",
    {
        "NO_INVENTORY": "The seller does not have it.",
        "CUSTOMER_RETURN": "The buyer returned it.",
        "GENERAL_ADJUSTMENT": "None of the others.",
        "COULD_NOT_SHIP": "It could not be shipped.",
        "DIFFERENT_ITEM": "The buyer got something else.",
        "ABANDONED": "The delivery was abandoned.",
        "CUSTOMER_CANCEL": "The buyer cancelled.",
        "PRICE_ERROR": "The price was wrong.",
        "PRODUCT_OUT_OF_STOCK": "The product is out of stock.",
        "CUSTOMER_ADDRESS_INCORRECT": "The buyer's address was wrong.",
        "EXCHANGE": "It is exchanged for another.",
        "OTHER": "Another reason.",
        "UNDELIVERABLE": "It could not be delivered.",
        "REFUSED_DELIVERY": "The buyer refused the delivery.",
    },
)

AmazonCancelReason = _enum(
    "AmazonCancelReason",
    CancelReason,
    "Why an order is cancelled. All but the buyer's own wish count towards the "
    "seller's pre-fulfillment cancel rate on Amazon.",
    {
        "NO_INVENTORY": "There is no stock of it.",
        "SHIPPING_ADDRESS_UNDELIVERABLE": "The address cannot be delivered to.",
        "CUSTOMER_EXCHANGE": "The buyer exchanges it.",
        "BUYER_CANCELED": "The buyer asked Amazon to cancel it.",
        "GENERAL_ADJUSTMENT": "Another reason.",
        "PRICING_ERROR": "The price was wrong.",
    },
)

AmazonMessageAction = _enum(
    "AmazonMessageAction",
    MessageAction,
    "The kinds of message that Amazon carries to a buyer.",
    {
        "CONFIRM_ORDER_DETAILS": "A question about the order, before it is shipped.",
        "CONFIRM_DELIVERY_DETAILS": "To arrange the delivery.",
        "CONFIRM_CUSTOMIZATION_DETAILS": "About how a product is to be customized.",
        "CONFIRM_SERVICE_DETAILS": "About the appointment of a home service.",
        "UNEXPECTED_PROBLEM": "A problem that keeps the order from being completed.",
        "LEGAL_DISCLOSURE": "Documents that the law requires.",
        "WARRANTY": "The warranty of a product.",
        "DIGITAL_ACCESS_KEY": "A key to digital content.",
        "SEND_INVOICE": "An invoice.",
    },
)

AmazonRefundStatus = _enum(
    "AmazonRefundStatus",
    AmazonRefund.Status,
    "Whether Amazon has settled a refund with the seller.",
    {
        "DEFERRED": "The buyer has the money; Amazon settles it later.",
        "RELEASED": "It is settled.",
    },
)

AmazonRefundState = _enum(
    "AmazonRefundState",
    AmazonRefund.State,
    "What has become of a refund on Amazon in the shop.",
    {
        "WAITING": "Its order is not in the shop; once it is, the refund is, too.",
        "RECORDED": "It is on the shop's order.",
        "NOT_RECORDED": "It is not on the shop's order; the note says why.",
    },
)

AmazonOrderSortField = graphene.Enum(
    "AmazonOrderSortField",
    [
        ("CREATED_AT", "created_at"),
        ("NUMBER", "number"),
        ("SHIP_BY", "ship_by"),
        ("STATUS", "status"),
        ("TOTAL", "total"),
    ],
    description=_describe(
        "What Amazon orders can be sorted by.",
        {
            "CREATED_AT": "Sort by the time the buyer ordered on Amazon.",
            "NUMBER": "Sort by the Amazon order ID.",
            "SHIP_BY": "Sort by the ship-by time; orders without one come as latest.",
            "STATUS": "Sort by Amazon's fulfillment status, then by creation time.",
            "TOTAL": "Sort by the grand total, each currency by itself; orders without "
            "one come as nothing.",
        },
    ),
)


class ErrorCode(Enum):
    """The codes of ``accounts``, and those that GraphQL adds."""

    GRAPHQL_ERROR = "graphql_error"
    CHANNEL_INACTIVE = "channel_inactive"
    CANNOT_CANCEL_ORDER = "cannot_cancel_order"
    NOT_OFFERED = "not_offered"
    NOT_SHIPPED = "not_shipped"
    INVALID = AccountErrorCode.INVALID.value
    REQUIRED = AccountErrorCode.REQUIRED.value
    NOT_FOUND = AccountErrorCode.NOT_FOUND.value
    UNIQUE = AccountErrorCode.UNIQUE.value
    INVALID_CREDENTIALS = AccountErrorCode.INVALID_CREDENTIALS.value
    FORBIDDEN = AccountErrorCode.FORBIDDEN.value
    UNAVAILABLE = AccountErrorCode.UNAVAILABLE.value
    INACTIVE = AccountErrorCode.INACTIVE.value
    UNSENT = AccountErrorCode.UNSENT.value
    NOT_CONFIGURED = AccountErrorCode.NOT_CONFIGURED.value


AmazonChannelErrorCode = _enum(
    "AmazonChannelErrorCode",
    ErrorCode,
    "Why something was refused.",
    {
        "GRAPHQL_ERROR": "An ID cannot be read, or is of another type.",
        "CHANNEL_INACTIVE": "The Amazon sales channel is switched off.",
        "CANNOT_CANCEL_ORDER": "Amazon does not cancel the order as it is.",
        "NOT_OFFERED": "Amazon does not offer this for the order now.",
        "NOT_SHIPPED": "The order is still to be shipped.",
        "INVALID": "A value that cannot be, or does not fit the others.",
        "REQUIRED": "A value is missing.",
        "NOT_FOUND": "There is no such object, here or on Amazon.",
        "UNIQUE": "There is one already.",
        "INVALID_CREDENTIALS": "Amazon does not accept the credentials.",
        "FORBIDDEN": "Amazon knows the credentials and refuses.",
        "UNAVAILABLE": "Amazon did not answer in time; try again later.",
        "INACTIVE": (
            "The account is paused or disconnected, or must be authorized again."
        ),
        "UNSENT": "Something is still to be sent to Amazon.",
        "NOT_CONFIGURED": "The operator has to set something first.",
    },
)
