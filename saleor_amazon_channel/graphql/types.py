"""Object types. Their roots are our models, read from the alias of the host.

Rows of one page load what belongs to them together (``load_for_all``), so a list costs
one query per kind of thing selected and never one per row. Secrets have no field, and
the queries behind these types do not even read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import graphene
from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from .. import clock, models
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.orders import GiftOption, OrderItem
from ..importing import pull
from ..ledger import notifications
from ..pushing import by_hand
from . import audit, people, refunds
from . import host as graphql_host
from .enums import (
    AmazonAccountState,
    AmazonBlockerCode,
    AmazonCancellationMechanism,
    AmazonCustomerCreation,
    AmazonImportState,
    AmazonInitialStatus,
    AmazonInvoiceMechanism,
    AmazonListingState,
    AmazonMessageAction,
    AmazonNotificationState,
    AmazonOrderNumberSource,
    AmazonOutboxKind,
    AmazonOutboxState,
    AmazonRegion,
)
from .ids import to_global

host = graphql_host.current()


def requires(text: str, permission: Any) -> str:
    """A description that ends with the permission, in Saleor's words."""
    return f"{text}\n\nRequires one of the following permissions: {permission.name}."


def list_of(type_: Any, description: str, **options: Any) -> graphene.Field:
    """A list that is never null and holds no null."""
    return graphene.Field(
        graphene.List(graphene.NonNull(type_)),
        required=True,
        description=description,
        **options,
    )


# --- accounts ------------------------------------------------------------------------


def load_accounts(using: str, **filters: Any) -> list[models.SellerAccount]:
    """Accounts with what belongs to them; five queries, whatever their number, and two
    more where there are notifications.

    The secrets stay in the database.
    """
    accounts = list(
        models.SellerAccount.objects.using(using)
        .filter(**filters)
        .defer("lwa_client_id", "lwa_client_secret", "refresh_token")
        .prefetch_related(
            Prefetch(
                "marketplaces",
                models.Marketplace.objects.using(using).order_by("marketplace_id"),
            )
        )
        .order_by("pk")
    )
    cursors = {
        cursor.account_id: cursor
        for cursor in models.SyncCursor.objects.using(using).filter(
            stream=pull.STREAM, account__in=[account.pk for account in accounts]
        )
    }
    notified = notifications.read(using)
    is_active = models.ChannelSettings.load(using).active
    for account in accounts:
        account.pull_cursor = cursors.get(account.pk)  # type: ignore[attr-defined]
        account.notified = notified.get(account.pk)  # type: ignore[attr-defined]
        account.is_pulled = (  # type: ignore[attr-defined]
            is_active and account.state == models.SellerAccount.State.ACTIVE
        )
    return accounts


class AmazonMarketplace(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the marketplace.")
    marketplace_id = graphene.String(
        required=True, description="Amazon's ID of the marketplace."
    )
    name = graphene.String(
        required=True, description="The country of the marketplace, in English."
    )
    country_code = graphene.String(
        required=True, description="The country's code (ISO 3166-1 alpha-2)."
    )
    currency = graphene.String(
        required=True, description="The currency of the marketplace."
    )
    domain = graphene.String(
        required=True, description="Amazon's domain in this marketplace."
    )
    is_participating = graphene.Boolean(
        required=True, description="Whether the seller takes part in the marketplace."
    )
    is_mapped = graphene.Boolean(
        required=True,
        description=(
            "Whether a channel, a warehouse and a shipping method are chosen. Orders "
            "are imported only then."
        ),
    )
    import_orders = graphene.Boolean(
        required=True, description="Whether orders of the marketplace are imported."
    )
    customer_creation = AmazonCustomerCreation(
        required=True, description="Whose the imported orders are in the shop."
    )
    order_number_source = AmazonOrderNumberSource(
        required=True, description="Whose number documents about imported orders print."
    )
    initial_status = AmazonInitialStatus(
        required=True,
        description="The status of imported orders of which nothing has been shipped.",
    )
    channel_id = graphene.ID(
        description="The ID of the channel that orders are created in."
    )
    channel_slug = graphene.String(
        description="The slug of the channel that orders are created in."
    )
    warehouse_ids = list_of(
        graphene.ID,
        "The IDs of the warehouses that stock is taken from, in this order.",
    )
    shipping_method_id = graphene.ID(
        description="The ID of the shipping method of created orders."
    )
    shipping_method_name = graphene.String(
        description="The name of the shipping method of created orders."
    )
    buyer_data_retention_days = graphene.Int(
        required=True,
        description=(
            "How many days after the delivery what is known of a buyer is deleted."
        ),
    )
    default_carrier_code = graphene.String(
        description=(
            "Amazon's code of the carrier of shipments that name no carrier themselves."
        )
    )
    send_stock = graphene.Boolean(
        required=True,
        description=(
            "Whether Amazon is told how many the warehouses have of what the seller "
            "ships."
        ),
    )
    stock_safety_quantity = graphene.Int(
        required=True,
        description="How many units of a variant are held back from Amazon.",
    )
    stock_floor = graphene.Int(
        required=True,
        description="With fewer units on Amazon than this, Amazon is told of none.",
    )
    cancellation_mechanism = AmazonCancellationMechanism(
        required=True, description="How Amazon is told of cancellations."
    )
    invoice_mechanism = AmazonInvoiceMechanism(
        required=True, description="How invoices of its orders reach the buyers."
    )
    invoice_number_prefix = graphene.String(
        required=True,
        description="What the numbers of invoices that are made here begin with.",
    )
    next_invoice_number = graphene.Int(
        required=True, description="The number of the next invoice of the series."
    )
    invoice_issuer = graphene.String(
        description=(
            "Who issues the invoices: name and address, in lines. `null` where it is "
            "the shop's company, or what Amazon says."
        )
    )
    invoice_tax_number = graphene.String(
        description="The issuer's tax number. `null` where it is what Amazon says."
    )
    invoice_note = graphene.String(description="What is printed below each invoice.")

    class Meta:
        description = "A marketplace of a seller account, and its settings."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_name(root: models.Marketplace, _info: Any) -> str:
        return root.info.name

    @staticmethod
    def resolve_country_code(root: models.Marketplace, _info: Any) -> str:
        return root.info.country_code

    @staticmethod
    def resolve_currency(root: models.Marketplace, _info: Any) -> str:
        return root.info.currency

    @staticmethod
    def resolve_domain(root: models.Marketplace, _info: Any) -> str:
        return root.info.domain

    @staticmethod
    def resolve_channel_id(root: models.Marketplace, _info: Any) -> str | None:
        return to_global("Channel", root.channel_id)

    @staticmethod
    def resolve_channel_slug(root: models.Marketplace, _info: Any) -> str | None:
        return root.channel_slug or None

    @staticmethod
    def resolve_warehouse_ids(root: models.Marketplace, _info: Any) -> list[str | None]:
        return [to_global("Warehouse", each) for each in root.warehouse_ids]

    @staticmethod
    def resolve_shipping_method_id(root: models.Marketplace, _info: Any) -> str | None:
        return to_global("ShippingMethodType", root.shipping_method_id)

    @staticmethod
    def resolve_shipping_method_name(
        root: models.Marketplace, _info: Any
    ) -> str | None:
        return root.shipping_method_name or None

    @staticmethod
    def resolve_default_carrier_code(
        root: models.Marketplace, _info: Any
    ) -> str | None:
        return root.default_carrier_code or None

    @staticmethod
    def resolve_invoice_number_prefix(root: models.Marketplace, _info: Any) -> str:
        return root.invoice_series

    @staticmethod
    def resolve_invoice_issuer(root: models.Marketplace, _info: Any) -> str | None:
        return root.invoice_issuer or None

    @staticmethod
    def resolve_invoice_tax_number(root: models.Marketplace, _info: Any) -> str | None:
        return root.invoice_tax_number or None

    @staticmethod
    def resolve_invoice_note(root: models.Marketplace, _info: Any) -> str | None:
        return root.invoice_note or None


class AmazonNotificationCount(graphene.ObjectType):
    state = AmazonNotificationState(
        required=True, description="What became of the notifications."
    )
    count = graphene.Int(required=True, description="How many they are.")

    class Meta:
        description = "How many of Amazon's notifications something became of."


class AmazonNotifications(graphene.ObjectType):
    queue_arn = graphene.String(
        required=True, description="The ARN of the SQS queue that they go to."
    )
    queue_endpoint = graphene.String(
        description="The address of SQS, if it is not AWS's own."
    )
    is_subscribed = graphene.Boolean(
        required=True,
        description="Whether Amazon had the subscriptions when it was asked last.",
    )
    next_check_at = host.DateTime(
        required=True, description="The time Amazon is asked again."
    )
    last_message_at = host.DateTime(
        description="The time the last one came, if that was within a day."
    )
    messages_last_hour = graphene.Int(
        required=True, description="How many came in the last hour."
    )
    messages = list_of(
        AmazonNotificationCount, "Those of the last day by what became of them."
    )
    last_error = graphene.String(
        description=(
            "Why the queue could not be read, or the subscriptions are not there. "
            "Orders come by the scans meanwhile."
        )
    )

    class Meta:
        description = "What Amazon says of changes by itself, through an SQS queue."

    @staticmethod
    def resolve_queue_endpoint(
        root: notifications.NotificationStatus, _info: Any
    ) -> str | None:
        return root.queue_endpoint or None

    @staticmethod
    def resolve_messages(
        root: notifications.NotificationStatus, _info: Any
    ) -> list[Any]:
        return [
            AmazonNotificationCount(state=state, count=count)
            for state, count in root.messages.items()
        ]

    @staticmethod
    def resolve_last_error(
        root: notifications.NotificationStatus, _info: Any
    ) -> str | None:
        return root.last_error or None


class AmazonAccount(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the account.")
    name = graphene.String(
        required=True, description="The name given to the account in this shop."
    )
    region = AmazonRegion(
        required=True, description="The selling region of the account."
    )
    seller_id = graphene.String(
        required=True, description="Amazon's ID of the seller (merchant token)."
    )
    state = AmazonAccountState(
        required=True, description="Whether orders are exchanged with Amazon."
    )
    state_reason = graphene.String(
        description="What must be done while the account is not active."
    )
    endpoint = graphene.String(
        required=True, description="The address of Amazon's API for this account."
    )
    import_from = host.DateTime(
        required=True,
        description=(
            "Orders created on Amazon before this time are not imported by themselves."
        ),
    )
    sku_prefix = graphene.String(
        required=True,
        description=(
            "Left out of the beginning of a seller SKU that is neither mapped nor "
            "known to the shop. Empty: nothing."
        ),
    )
    sku_suffix = graphene.String(
        required=True,
        description="Left out of the end of such a seller SKU. Empty: nothing.",
    )
    created_at = host.DateTime(
        required=True, description="The time the account was connected."
    )
    secret_expires_at = host.DateTime(
        description=(
            "The time the app's client secret expires at the latest, 180 days after it "
            "was entered here. `null` for a disconnected account."
        )
    )
    secret_warning = graphene.String(
        description=(
            "What to do about the client secret, in the last 30 days and after them."
        )
    )
    last_pull_at = host.DateTime(
        description="The time orders were last read from Amazon."
    )
    last_pull_error = graphene.String(
        description="Why the last reading did not come to its end."
    )
    next_pull_at = host.DateTime(
        description=(
            "The time orders are to be read next. `null` while the account or the "
            "Amazon sales channel is not active."
        )
    )
    marketplaces = list_of(
        AmazonMarketplace, "The marketplaces of the account, with their settings."
    )
    notifications = graphene.Field(
        AmazonNotifications,
        description=(
            "Amazon's notifications. `null` where the account is not subscribed to "
            "them: then orders come by the scans alone."
        ),
    )

    class Meta:
        description = "A seller account on Amazon: one seller in one selling region."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_state_reason(root: models.SellerAccount, _info: Any) -> str | None:
        return root.state_reason or None

    @staticmethod
    def resolve_secret_expires_at(root: models.SellerAccount, _info: Any) -> Any:
        if root.state == models.SellerAccount.State.DISCONNECTED:
            return None
        return root.secret_expires_at

    @staticmethod
    def resolve_secret_warning(root: models.SellerAccount, _info: Any) -> str | None:
        return root.secret_warning or None

    @staticmethod
    def resolve_last_pull_at(root: Any, _info: Any) -> Any:
        return root.pull_cursor and root.pull_cursor.last_run_at

    @staticmethod
    def resolve_last_pull_error(root: Any, _info: Any) -> str | None:
        return (root.pull_cursor and root.pull_cursor.last_error) or None

    @staticmethod
    def resolve_next_pull_at(root: Any, _info: Any) -> Any:
        if not root.is_pulled:
            return None
        # Where nothing is planned, it is due at once.
        return (root.pull_cursor and root.pull_cursor.next_run_at) or clock.now()

    @staticmethod
    def resolve_notifications(root: Any, _info: Any) -> Any:
        return root.notified

    @staticmethod
    def resolve_marketplaces(root: models.SellerAccount, _info: Any) -> Iterable[Any]:
        return root.marketplaces.all()


# --- orders --------------------------------------------------------------------------

#: Large, or costly to decrypt: read only when selected.
_DEFERRED = ("payload", "personal", "buyer_name", "staff_address")

_RELATED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "items": (models.AmazonOrderItem, ("pk",)),
    "packages": (models.AmazonPackage, ("package_reference_id",)),
    "events": (models.OrderEvent, ("created_at", "pk")),
    "outbox_entries": (models.OutboxEntry, ("pk",)),
    "invoices": (models.OrderInvoice, ("pk",)),
}


def orders(using: str) -> QuerySet[models.AmazonOrder]:
    """Orders as the types below need them."""
    return models.AmazonOrder.objects.using(using).defer(*_DEFERRED)


def together(rows: Sequence[models.AmazonOrder]) -> Sequence[models.AmazonOrder]:
    """Make rows load what belongs to them for all at once."""
    for row in rows:
        row.peers = rows  # type: ignore[attr-defined]
    return rows


def _peers(row: models.AmazonOrder) -> Sequence[models.AmazonOrder]:
    return getattr(row, "peers", (row,))


def load_for_all(row: models.AmazonOrder, name: str, info: Any) -> Iterable[Any]:
    """A relation of ``row``, read for all rows of its page by the first that asks."""
    if name not in getattr(row, "_prefetched_objects_cache", {}):
        model, ordering = _RELATED[name]
        with host.reading(info.context) as using:
            related = model.objects.using(using).order_by(*ordering)
            prefetch_related_objects(list(_peers(row)), Prefetch(name, related))
    return getattr(row, name).all()


class AmazonBlocker(graphene.ObjectType):
    code = AmazonBlockerCode(required=True, description="The kind of the blocker.")
    message = graphene.String(
        required=True, description="What is in the way, and what to do about it."
    )
    subject = graphene.String(
        description="What it is about: a SKU, an address field or an amount."
    )

    calculated = graphene.Field(
        host.Money, description="What the parts of an amount that differs make."
    )
    stated = graphene.Field(
        host.Money, description="What Amazon states for an amount that differs."
    )
    difference = graphene.Field(
        host.Money, description="How far `stated` is above `calculated`."
    )

    class Meta:
        description = "A reason why an Amazon order is not imported."

    @staticmethod
    def resolve_code(root: dict[str, str], _info: Any) -> str:
        return root["code"]

    @staticmethod
    def resolve_message(root: dict[str, str], _info: Any) -> str:
        return root["message"]

    @staticmethod
    def resolve_subject(root: dict[str, str], _info: Any) -> str | None:
        return root.get("subject") or None

    @staticmethod
    def resolve_calculated(root: dict[str, str], _info: Any) -> Any:
        return _figure(root, "calculated")

    @staticmethod
    def resolve_stated(root: dict[str, str], _info: Any) -> Any:
        return _figure(root, "stated")

    @staticmethod
    def resolve_difference(root: dict[str, str], _info: Any) -> Any:
        if "stated" not in root:
            return None
        difference = Decimal(root["stated"]) - Decimal(root["calculated"])
        return host.money(difference, root["currency"])


def _figure(blocker: dict[str, str], name: str) -> Any:
    if name not in blocker:
        return None
    return host.money(Decimal(blocker[name]), blocker["currency"])


class AmazonOrderItem(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the item.")
    order_item_id = graphene.String(
        required=True, description="Amazon's ID of the order item."
    )
    seller_sku = graphene.String(description="The seller's SKU of the product.")
    asin = graphene.String(description="Amazon's number of the product.")
    title = graphene.String(description="The name of the product on Amazon.")
    quantity_ordered = graphene.Int(
        required=True, description="The number of units the buyer ordered."
    )
    quantity_shipped = graphene.Int(
        required=True, description="The number of units Amazon knows as shipped."
    )
    total = graphene.Field(
        host.Money, description="What the buyer pays for the item, as Amazon states it."
    )
    order_line_id = graphene.ID(
        description="The ID of the line of the shop's order, once there is one."
    )
    gift_message = graphene.String(description="What the buyer wrote on the gift.")
    gift_wrap_level = graphene.String(description="How the buyer wants it wrapped.")
    customized_url = graphene.String(
        description="The address of the buyer's customization of the product."
    )
    ioss_number = graphene.String(
        description="Amazon's import one-stop shop number, for the customs declaration."
    )
    tax_reporting_schemes = list_of(
        graphene.String, "Under which schemes Amazon reports tax: `IOSS`, `UOSS`."
    )

    class Meta:
        description = "An item of an Amazon order."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_seller_sku(root: models.AmazonOrderItem, _info: Any) -> str | None:
        return root.seller_sku or None

    @staticmethod
    def resolve_asin(root: models.AmazonOrderItem, _info: Any) -> str | None:
        return root.asin or None

    @staticmethod
    def resolve_title(root: models.AmazonOrderItem, _info: Any) -> str | None:
        return root.title or None

    @staticmethod
    def resolve_total(root: models.AmazonOrderItem, _info: Any) -> Any:
        return _money(root.proceeds_total, root.order.currency)

    @staticmethod
    def resolve_gift_message(root: models.AmazonOrderItem, info: Any) -> str | None:
        gift = _gift(root, info)
        message = (gift and gift.gift_message) or None
        return _shown(root.order, info, "giftMessage", message)

    @staticmethod
    def resolve_gift_wrap_level(root: models.AmazonOrderItem, info: Any) -> str | None:
        gift = _gift(root, info)
        return (gift and gift.gift_wrap_level) or None

    @staticmethod
    def resolve_customized_url(root: models.AmazonOrderItem, info: Any) -> str | None:
        item = _item_as_told(root, info)
        url = (item and item.product.customized_url) or None
        return _shown(root.order, info, "customizedUrl", url)

    @staticmethod
    def resolve_ioss_number(root: models.AmazonOrderItem, info: Any) -> str | None:
        item = _item_as_told(root, info)
        return (item and item.fulfillment and item.fulfillment.ioss_number) or None

    @staticmethod
    def resolve_tax_reporting_schemes(
        root: models.AmazonOrderItem, info: Any
    ) -> Sequence[str]:
        item = _item_as_told(root, info)
        return item.tax_reporting_schemes if item else ()

    @staticmethod
    def resolve_order_line_id(root: models.AmazonOrderItem, _info: Any) -> str | None:
        return to_global("OrderLine", root.shop_line_id)


def _item_as_told(root: models.AmazonOrderItem, info: Any) -> OrderItem | None:
    order = people.load(root.order, _peers(root.order), info)
    return people.item_of(order, root.order_item_id)


def _gift(root: models.AmazonOrderItem, info: Any) -> GiftOption | None:
    item = _item_as_told(root, info)
    return item.fulfillment.gift_option if item and item.fulfillment else None


class AmazonPackageItem(graphene.ObjectType):
    order_item_id = graphene.String(
        required=True, description="Amazon's ID of the order item."
    )
    quantity = graphene.Int(required=True, description="The number of units.")

    class Meta:
        description = "What a package holds of an order item."

    @staticmethod
    def resolve_order_item_id(root: dict[str, Any], _info: Any) -> str:
        return root["order_item_id"]

    @staticmethod
    def resolve_quantity(root: dict[str, Any], _info: Any) -> int:
        return root["quantity"]


class AmazonPackage(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the package.")
    package_reference_id = graphene.Int(
        required=True, description="The number of the package within the Amazon order."
    )
    fulfillment_id = graphene.ID(
        required=True, description="The ID of the shop's fulfillment."
    )
    carrier_name = graphene.String(
        description="The carrier, as given with the fulfillment."
    )
    tracking_number = graphene.String(description="The tracking number.")
    ship_date = host.DateTime(
        required=True, description="The time the package was shipped."
    )
    is_confirmed = graphene.Boolean(
        required=True,
        description="Whether Amazon has accepted the package as it is now.",
    )
    items = list_of(AmazonPackageItem, "What is in the package.")

    class Meta:
        description = "A package of an Amazon order: one fulfillment of the shop."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_fulfillment_id(root: models.AmazonPackage, _info: Any) -> str | None:
        return to_global("Fulfillment", root.fulfillment_id)

    @staticmethod
    def resolve_carrier_name(root: models.AmazonPackage, _info: Any) -> str | None:
        return root.carrier_name or None

    @staticmethod
    def resolve_tracking_number(root: models.AmazonPackage, _info: Any) -> str | None:
        return root.tracking_number or None

    @staticmethod
    def resolve_is_confirmed(root: models.AmazonPackage, _info: Any) -> bool:
        return root.confirmed_revision == root.revision


class AmazonOrderEvent(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the event.")
    date = host.DateTime(required=True, description="The time of the event.")
    type = graphene.String(required=True, description="The kind of the event.")
    message = graphene.String(required=True, description="What happened.")
    actor = graphene.String(
        description="Who caused it: a staff user's e-mail or an app's name."
    )

    class Meta:
        description = "An entry in the history of an Amazon order."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_date(root: models.OrderEvent, _info: Any) -> Any:
        return root.created_at

    @staticmethod
    def resolve_actor(root: models.OrderEvent, _info: Any) -> str | None:
        return root.actor or None


class AmazonBuyerMessage(graphene.ObjectType):
    action = AmazonMessageAction(required=True, description="The kind of message.")
    text = graphene.String(description="What was written.")
    file_names = list_of(graphene.String, "The names of the attached files.")

    class Meta:
        description = "What was written to the buyer. Nothing, once it was redacted."

    @staticmethod
    def resolve_action(root: models.OutboxEntry, _info: Any) -> str:
        return root.payload["action"]

    @staticmethod
    def resolve_text(root: models.OutboxEntry, info: Any) -> str | None:
        text = root.personal.get("text") or None
        return _shown(root.order, info, "buyerMessage.text", text)

    @staticmethod
    def resolve_file_names(root: models.OutboxEntry, info: Any) -> Sequence[str]:
        names = root.personal.get("files", ())
        return _shown(root.order, info, "buyerMessage.fileNames", names)


class AmazonListing(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the listing.")
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    marketplace_id = graphene.String(
        required=True, description="Amazon's ID of the marketplace."
    )
    seller_sku = graphene.String(required=True, description="The SKU on Amazon.")
    asin = graphene.String(description="Amazon's ID of the product.")
    title = graphene.String(description="What Amazon calls it.")
    variant_id = graphene.ID(
        description="The ID of the shop's product variant that the SKU is."
    )
    state = AmazonListingState(
        required=True, description="Whether Amazon is told how many there are."
    )
    note = graphene.String(
        description="Why Amazon is not told, and what to do about it."
    )
    quantity = graphene.Int(
        description="How many Amazon was told of last, or is being told of."
    )
    sent_quantity = graphene.Int(description="How many Amazon took last.")
    sent_at = host.DateTime(description="The time Amazon took it.")
    amazon_quantity = graphene.Int(
        description=(
            "How many Amazon said it had when the listing was last read. `null` where "
            "Amazon ships it, or does not tell."
        )
    )
    read_at = host.DateTime(description="The time the listing was last read.")

    class Meta:
        description = "A SKU that the seller lists in a marketplace, and its quantity."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_account_id(root: models.AmazonListing, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.account_id)

    @staticmethod
    def resolve_variant_id(root: models.AmazonListing, _info: Any) -> str | None:
        return to_global("ProductVariant", root.variant_id or None)

    @staticmethod
    def resolve_asin(root: models.AmazonListing, _info: Any) -> str | None:
        return root.asin or None

    @staticmethod
    def resolve_title(root: models.AmazonListing, _info: Any) -> str | None:
        return root.title or None

    @staticmethod
    def resolve_note(root: models.AmazonListing, _info: Any) -> str | None:
        return root.note or None


class AmazonOutboxEntry(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the entry.")
    kind = AmazonOutboxKind(required=True, description="What is told to Amazon.")
    state = AmazonOutboxState(required=True, description="How far it has come.")
    attempt_count = graphene.Int(
        required=True, description="How often it was tried to send it."
    )
    next_attempt_at = host.DateTime(
        description="The time of the next try. `null` when none is to come."
    )
    error_code = graphene.String(description="Amazon's code of the last failure.")
    error_message = graphene.String(
        description="What went wrong last, and what to do about it."
    )
    actor = graphene.String(
        description="Who caused it: a staff user's e-mail or an app's name."
    )
    created_at = host.DateTime(
        required=True, description="The time the entry was written."
    )
    settled_at = host.DateTime(description="The time the outcome became final.")
    description = graphene.String(
        required=True,
        description="What it tells Amazon, in words; of a package, as the package is "
        "now.",
    )
    amazon_order = graphene.Field(
        lambda: AmazonOrder,
        description="The order it is about. `null` of stock: that is about a listing.",
    )
    amazon_listing = graphene.Field(
        AmazonListing, description="The listing it is about, where it is about stock."
    )
    buyer_message = graphene.Field(
        AmazonBuyerMessage, description="The message, where it is one to the buyer."
    )

    class Meta:
        description = "Something that is to be told, or was told, to Amazon."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_description(root: Any, info: Any) -> str:
        if not hasattr(root, "described"):
            peers = getattr(root, "peers", None) or _entries_of_page(root, info)
            with host.reading(info.context) as using:
                told = by_hand.describe(peers, using)
            for entry in peers:
                entry.described = told[entry.pk]
        return str(root.described)

    @staticmethod
    def resolve_amazon_order(
        root: models.OutboxEntry, _info: Any
    ) -> models.AmazonOrder | None:
        return root.order

    @staticmethod
    def resolve_amazon_listing(
        root: models.OutboxEntry, _info: Any
    ) -> models.AmazonListing | None:
        return root.listing

    @staticmethod
    def resolve_buyer_message(root: models.OutboxEntry, _info: Any) -> Any:
        is_one = root.kind == models.OutboxEntry.Kind.BUYER_MESSAGE
        return root if is_one else None

    @staticmethod
    def resolve_next_attempt_at(root: models.OutboxEntry, _info: Any) -> Any:
        return None if root.settled_at else root.next_attempt_at

    @staticmethod
    def resolve_error_code(root: models.OutboxEntry, _info: Any) -> str | None:
        return root.error_code or None

    @staticmethod
    def resolve_error_message(root: models.OutboxEntry, _info: Any) -> str | None:
        return root.error_message or None

    @staticmethod
    def resolve_actor(root: models.OutboxEntry, _info: Any) -> str | None:
        return root.actor or None


def entries_together(
    rows: Sequence[models.OutboxEntry],
) -> Sequence[models.OutboxEntry]:
    """Make entries, which have their orders, load what belongs to them for all."""
    together([row.order for row in rows if row.order])
    for row in rows:
        row.peers = rows  # type: ignore[attr-defined]
    return rows


def _entries_of_page(root: models.OutboxEntry, info: Any) -> Sequence[Any]:
    """All entries of the orders of the page; just this one, where it came alone."""
    entries = [
        entry
        for order in _peers(root.order)
        for entry in load_for_all(order, "outbox_entries", info)
    ]
    return entries if any(entry is root for entry in entries) else [root]


_OF_INVOICES = (
    models.OutboxEntry.Kind.INVOICE,
    models.OutboxEntry.Kind.CREDIT_NOTE,
)


class AmazonInvoice(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the invoice here.")
    invoice_id = graphene.ID(
        required=True, description="The ID of the shop's invoice, which has the file."
    )
    number = graphene.String(required=True, description="The number of the invoice.")
    is_issued_here = graphene.Boolean(
        required=True,
        description="Whether it was made of Amazon's numbers, not by another app.",
    )
    total = graphene.Field(
        host.Money,
        description=(
            "What it comes to, where it was made here. Of a credit note: what it gives "
            "back."
        ),
    )
    corrects = graphene.Field(
        lambda: AmazonInvoice,
        description="The invoice that it corrects: then it is a credit note.",
    )
    created_at = host.DateTime(
        required=True, description="The time the invoice was first seen."
    )
    push = graphene.Field(
        AmazonOutboxEntry,
        description="How far it has come to Amazon. `null` when it stays in the shop.",
    )

    class Meta:
        description = (
            "An invoice of the shop, of an Amazon order, or a credit note for a refund "
            "of it."
        )
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_invoice_id(root: models.OrderInvoice, _info: Any) -> str | None:
        return to_global("Invoice", root.shop_invoice_id)

    @staticmethod
    def resolve_total(root: models.OrderInvoice, _info: Any) -> Any:
        return _money(root.total, root.order.currency)

    @staticmethod
    def resolve_corrects(root: models.OrderInvoice, info: Any) -> Any:
        invoices = load_for_all(root.order, "invoices", info)
        return next((each for each in invoices if each.pk == root.corrects_id), None)

    @staticmethod
    def resolve_push(root: models.OrderInvoice, info: Any) -> Any:
        entries = [
            entry
            for entry in load_for_all(root.order, "outbox_entries", info)
            if entry.kind in _OF_INVOICES
            and entry.payload["shop_invoice_id"] == root.shop_invoice_id
        ]
        return entries[-1] if entries else None


class AmazonOrder(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the Amazon order.")
    amazon_order_id = graphene.String(
        required=True, description="Amazon's ID of the order."
    )
    account_id = graphene.ID(
        required=True, description="The ID of the seller account of the order."
    )
    marketplace_id = graphene.String(
        required=True, description="Amazon's ID of the marketplace."
    )
    marketplace_name = graphene.String(
        description="The country of the marketplace, in English."
    )
    fulfillment_status = graphene.String(
        required=True,
        description="Amazon's status of the order, for example `UNSHIPPED`.",
    )
    fulfilled_by = graphene.String(
        required=True, description="Who ships the order: `MERCHANT` or `AMAZON`."
    )
    programs = list_of(
        graphene.String,
        "Amazon's programs the order belongs to, for example `PRIME`.",
    )
    created_at = host.DateTime(
        required=True, description="The time the buyer ordered on Amazon."
    )
    updated_at = host.DateTime(
        required=True, description="The time the order last changed on Amazon."
    )
    ship_by = host.DateTime(description="The time by which the order must be shipped.")
    total = graphene.Field(
        host.Money, description="The grand total, as Amazon states it."
    )
    buyer_name = graphene.String(description="The name of the buyer.")
    is_redacted = graphene.Boolean(
        required=True,
        description=(
            "Whether what was known of the buyer has been deleted, as it has to be "
            "some time after the delivery."
        ),
    )
    import_state = AmazonImportState(
        required=True, description="What has become of the order in the shop."
    )
    blockers = list_of(AmazonBlocker, "What keeps the order out of the shop.")
    note = graphene.String(
        description="The latest thing that happened to the order, in words."
    )
    is_cancellation_requested = graphene.Boolean(
        required=True,
        description=(
            "Whether the buyer asked Amazon to cancel the order, which is still the "
            "seller's to answer: by cancelling it, or by shipping it."
        ),
    )
    replacement_of = graphene.String(
        description=(
            "Amazon's ID of the order that this one replaces, or was exchanged for."
        )
    )
    imported_at = host.DateTime(description="The time the order was imported.")
    order_id = graphene.ID(description="The ID of the shop's order.")
    order_number = graphene.String(description="The number of the shop's order.")
    printed_number = graphene.String(
        description=(
            "The number that documents about the order print: the shop's or Amazon's, "
            "as the marketplace's settings said when it was imported."
        )
    )
    seller_central_url = graphene.String(
        description="The address of the order's page in Seller Central."
    )
    buyer = graphene.Field(
        people.AmazonBuyer, description="The buyer, with what a business buyer gave."
    )
    shipping_address = graphene.Field(
        people.AmazonAddress,
        description="Where the order goes: what staff entered, or what Amazon gave.",
    )
    is_shipping_address_edited = graphene.Boolean(
        required=True,
        description="Whether staff entered an address to use instead of Amazon's.",
    )
    delivery_instructions = graphene.String(
        description="What the buyer wrote for whoever delivers the order."
    )
    items = list_of(AmazonOrderItem, "The items of the order.")
    packages = list_of(AmazonPackage, "The packages shipped from this shop.")
    events = list_of(AmazonOrderEvent, "The history of the order, oldest first.")
    refunds = list_of(
        refunds.AmazonRefund,
        "What the buyer got back on Amazon, whoever gave it, oldest first.",
    )
    outbox_entries = list_of(
        AmazonOutboxEntry, "What was told to Amazon about the order, oldest first."
    )

    invoices = list_of(
        AmazonInvoice, "The shop's invoices of the order, and their credit notes."
    )

    class Meta:
        description = "An order on Amazon, and what became of it in the shop."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_account_id(root: models.AmazonOrder, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.account_id)

    @staticmethod
    def resolve_marketplace_name(root: models.AmazonOrder, _info: Any) -> str | None:
        info = MARKETPLACES.get(root.marketplace_id)
        return info.name if info else None

    @staticmethod
    def resolve_created_at(root: models.AmazonOrder, _info: Any) -> Any:
        return root.created_time

    @staticmethod
    def resolve_updated_at(root: models.AmazonOrder, _info: Any) -> Any:
        return root.last_updated_time

    @staticmethod
    def resolve_total(root: models.AmazonOrder, _info: Any) -> Any:
        return _money(root.grand_total, root.currency)

    @staticmethod
    def resolve_is_redacted(root: models.AmazonOrder, _info: Any) -> bool:
        return root.redacted_at is not None

    @staticmethod
    def resolve_buyer_name(root: models.AmazonOrder, info: Any) -> str | None:
        if "buyer_name" in root.get_deferred_fields():
            peers = _peers(root)
            with host.reading(info.context) as using:
                names = dict(
                    models.AmazonOrder.objects.using(using)
                    .filter(pk__in=[peer.pk for peer in peers])
                    .values_list("pk", "buyer_name")
                )
            for peer in peers:
                peer.buyer_name = names.get(peer.pk, "")
        return _shown(root, info, "buyerName", root.buyer_name or None)

    @staticmethod
    def resolve_buyer(root: models.AmazonOrder, info: Any) -> Any:
        order = people.load(root, _peers(root), info)
        if order and order.buyer:
            _shown(root, info, "buyer", order.buyer)
        return order

    @staticmethod
    def resolve_shipping_address(root: models.AmazonOrder, info: Any) -> Any:
        address = people.shipping_address(root, _peers(root), info)
        return _shown(root, info, "shippingAddress", address)

    @staticmethod
    def resolve_is_shipping_address_edited(root: Any, info: Any) -> bool:
        people.load(root, _peers(root), info)
        return root.address_of_staff is not None

    @staticmethod
    def resolve_delivery_instructions(
        root: models.AmazonOrder, info: Any
    ) -> str | None:
        order = people.load(root, _peers(root), info)
        text = people.delivery_instructions(order) if order else None
        return _shown(root, info, "deliveryInstructions", text)

    @staticmethod
    def resolve_note(root: models.AmazonOrder, _info: Any) -> str | None:
        return root.note or None

    @staticmethod
    def resolve_replacement_of(root: models.AmazonOrder, _info: Any) -> str | None:
        return root.replacement_of or None

    @staticmethod
    def resolve_order_id(root: models.AmazonOrder, _info: Any) -> str | None:
        return to_global("Order", root.shop_order_id)

    @staticmethod
    def resolve_order_number(root: models.AmazonOrder, _info: Any) -> str | None:
        return root.shop_order_number or None

    @staticmethod
    def resolve_printed_number(root: models.AmazonOrder, _info: Any) -> str | None:
        return root.printed_number or root.shop_order_number or None

    @staticmethod
    def resolve_seller_central_url(root: models.AmazonOrder, _info: Any) -> str | None:
        info = MARKETPLACES.get(root.marketplace_id)
        return info.order_url(root.amazon_order_id) if info else None

    @staticmethod
    def resolve_items(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return load_for_all(root, "items", info)

    @staticmethod
    def resolve_packages(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return load_for_all(root, "packages", info)

    @staticmethod
    def resolve_events(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return load_for_all(root, "events", info)

    @staticmethod
    def resolve_invoices(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return load_for_all(root, "invoices", info)

    @staticmethod
    def resolve_refunds(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return refunds.load(root, _peers(root), info)

    @staticmethod
    def resolve_outbox_entries(root: models.AmazonOrder, info: Any) -> Iterable[Any]:
        return load_for_all(root, "outbox_entries", info)


def _shown(order: models.AmazonOrder, info: Any, field: str, value: Any) -> Any:
    """The value, which tells of the buyer; that somebody was shown it is logged."""
    if value:
        who = host.requestor_key(info.context)
        audit.note(info.context, who, field, order.amazon_order_id)
    return value


def _money(amount: Any, currency: str) -> Any:
    return host.money(amount, currency) if amount is not None and currency else None


class AmazonOrderCountableEdge(graphene.ObjectType):
    node = graphene.Field(
        AmazonOrder, required=True, description="The item at the end of the edge."
    )
    cursor = graphene.String(
        required=True, description="A cursor for use in pagination."
    )

    class Meta:
        description = "An Amazon order in a list."


class AmazonOrderCountableConnection(graphene.ObjectType):
    page_info = graphene.Field(
        graphene.relay.PageInfo,
        required=True,
        description="Pagination data for this connection.",
    )
    edges = list_of(AmazonOrderCountableEdge, "The orders of this page.")
    total_count = graphene.Int(
        description=(
            "A total count of items in the collection, up to 10,000. `null` when "
            "there are more."
        )
    )

    class Meta:
        description = "A list of Amazon orders."

    @staticmethod
    def resolve_total_count(root: Any, _info: Any) -> int | None:
        return root.total_count()
