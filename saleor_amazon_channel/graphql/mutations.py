"""The root mutations."""

from __future__ import annotations

import graphene

from .account_mutations import (
    AmazonAccountConnect,
    AmazonAccountDisconnect,
    AmazonAccountUpdate,
    AmazonMarketplacesRefresh,
    AmazonMarketplaceUpdate,
)
from .address_mutation import AmazonOrderAddressUpdate
from .backfills import BackfillMutations
from .blocked import BlockedMutations
from .carriers import CarrierMutations
from .import_mutation import AmazonOrdersImport
from .invoice_mutation import AmazonInvoicePush
from .message_mutations import (
    AmazonBuyerMessageSend,
    AmazonMessagingOfferFetch,
    AmazonReviewRequest,
)
from .notification_mutations import (
    AmazonNotificationsSubscribe,
    AmazonNotificationsUnsubscribe,
)
from .order_mutations import AmazonOrderCancel
from .outbox import OutboxMutations
from .redact_mutation import AmazonOrderRedact
from .scheduler import SchedulerMutations
from .settings import SettingsMutations
from .shop_mutations import AmazonRefundCreate, AmazonShipmentConfirm


class AmazonMutations(
    BackfillMutations,
    BlockedMutations,
    CarrierMutations,
    OutboxMutations,
    SchedulerMutations,
    SettingsMutations,
    graphene.ObjectType,
):
    """Mixed into the host's Mutation."""

    amazon_account_connect = AmazonAccountConnect.Field()
    amazon_account_disconnect = AmazonAccountDisconnect.Field()
    amazon_account_update = AmazonAccountUpdate.Field()
    amazon_marketplaces_refresh = AmazonMarketplacesRefresh.Field()
    amazon_buyer_message_send = AmazonBuyerMessageSend.Field()
    amazon_marketplace_update = AmazonMarketplaceUpdate.Field()
    amazon_invoice_push = AmazonInvoicePush.Field()
    amazon_messaging_offer_fetch = AmazonMessagingOfferFetch.Field()
    amazon_notifications_subscribe = AmazonNotificationsSubscribe.Field()
    amazon_notifications_unsubscribe = AmazonNotificationsUnsubscribe.Field()
    amazon_order_cancel = AmazonOrderCancel.Field()
    amazon_order_redact = AmazonOrderRedact.Field()
    amazon_order_address_update = AmazonOrderAddressUpdate.Field()
    amazon_orders_import = AmazonOrdersImport.Field()
    amazon_refund_create = AmazonRefundCreate.Field()
    amazon_review_request = AmazonReviewRequest.Field()
    amazon_shipment_confirm = AmazonShipmentConfirm.Field()
