"""Mutations of seller accounts and their marketplaces."""

from __future__ import annotations

from typing import Any

import graphene

from .. import account_changes, accounts, models
from . import host as graphql_host
from . import ids
from .arguments import find, find_account
from .enums import (
    AmazonCancellationMechanism,
    AmazonCustomerCreation,
    AmazonInitialStatus,
    AmazonInvoiceMechanism,
    AmazonOrderNumberSource,
    AmazonRegion,
)
from .errors import AmazonChannelError, of_account
from .types import AmazonAccount, AmazonMarketplace, load_accounts

host = graphql_host.current()


class AmazonAccountConnectInput(graphene.InputObjectType):
    name = graphene.String(
        required=True, description="A name for the account in this shop."
    )
    region = AmazonRegion(
        required=True, description="The selling region of the account."
    )
    seller_id = graphene.String(
        required=True, description="Amazon's ID of the seller (merchant token)."
    )
    lwa_client_id = graphene.String(
        required=True, description="The app's client ID for Login with Amazon."
    )
    lwa_client_secret = graphene.String(
        required=True, description="The app's client secret for Login with Amazon."
    )
    refresh_token = graphene.String(
        required=True, description="What the seller's authorization of the app gave."
    )
    import_from = host.DateTime(
        description=(
            "Orders created on Amazon before this time are not imported by "
            "themselves. The moment of connecting if not given."
        )
    )
    endpoint = graphene.String(
        description="The address of the API, if it is not Amazon's own: a sandbox."
    )
    lwa_endpoint = graphene.String(
        description=(
            "The address for access tokens, if it is not Amazon's own: a sandbox."
        )
    )

    class Meta:
        description = "What connects a seller account."


class AmazonAccountConnect(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(AmazonAccount, description="The connected account.")

    class Arguments:
        input = AmazonAccountConnectInput(
            required=True, description="Fields required to connect a seller account."
        )

    class Meta:
        description = (
            "Connects a seller account, or gives a connected one (same region and "
            "seller ID) new credentials. Amazon is asked whether it accepts them, for "
            "at most 10 seconds. The answer never holds the secrets."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, input: Any) -> Any:
        given = {name: value for name, value in input.items() if value is not None}
        try:
            account = accounts.connect(accounts.Connection(**given))
        except accounts.AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])


class AmazonAccountUpdateInput(graphene.InputObjectType):
    name = graphene.String(description="A name for the account in this shop.")
    lwa_client_id = graphene.String(
        description="The app's client ID for Login with Amazon."
    )
    lwa_client_secret = graphene.String(
        description="The app's client secret for Login with Amazon."
    )
    refresh_token = graphene.String(
        description="What the seller's authorization of the app gave."
    )
    import_from = host.DateTime(
        description=(
            "Orders created on Amazon before this time are not imported by "
            "themselves. An earlier one than before makes the next reading begin there."
        )
    )
    is_paused = graphene.Boolean(
        description=(
            "Whether nothing is exchanged with Amazon. What staff do meanwhile is sent "
            "once the account is resumed."
        )
    )

    class Meta:
        description = "What to change; what is not given stays as it is."


class AmazonAccountUpdate(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(AmazonAccount, description="The changed account.")

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the account.")
        input = AmazonAccountUpdateInput(required=True, description="Fields to change.")

    class Meta:
        description = (
            "Changes a seller account, pauses or resumes it. New credentials are saved "
            "only if Amazon accepts them, which it is asked for at most 10 seconds. "
            "The answer never holds the secrets."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str, input: Any) -> Any:
        account = find_account(id, "id")
        try:
            account_changes.update(account, account_changes.AccountChanges(**input))
        except accounts.AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])


class AmazonAccountDisconnect(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(AmazonAccount, description="The disconnected account.")

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the account.")
        force = graphene.Boolean(
            description=(
                "Also if something is still to be sent to Amazon. It fails, with a "
                "note on its order, and has to be done in Seller Central."
            )
        )

    class Meta:
        description = (
            "Stops a seller account and deletes its secrets. The orders stay, here and "
            "in the shop. Connecting the same seller again goes on where it was."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, id: str, force: bool | None = None
    ) -> Any:
        account = find_account(id, "id")
        try:
            account_changes.disconnect(account, force=bool(force))
        except accounts.AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])


class AmazonMarketplacesRefresh(host.BaseMutation):  # type: ignore[name-defined]
    account = graphene.Field(
        AmazonAccount, description="The account with its marketplaces."
    )

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )

    class Meta:
        description = (
            "Asks Amazon now, for at most 10 seconds, in which marketplaces the seller "
            "takes part; this is otherwise done once a day. One that was joined is "
            "listed without a mapping."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, account_id: str) -> Any:
        account = find_account(account_id, "account_id")
        try:
            accounts.refresh_marketplaces(account)
        except accounts.AccountError as error:
            raise of_account(error) from error
        with host.reading(info.context) as using:
            return cls(account=load_accounts(using, pk=account.pk)[0])


class AmazonMarketplaceUpdateInput(graphene.InputObjectType):
    channel = graphene.String(
        description=(
            "The slug or ID of the channel that orders are created in; its currency "
            "must be the marketplace's. Empty: no channel, and no mapping."
        )
    )
    warehouse_ids = graphene.List(
        graphene.NonNull(graphene.ID),
        description=(
            "The IDs of the warehouses that stock is taken from, in this order. They "
            "must be assigned to the channel."
        ),
    )
    shipping_method_id = graphene.ID(
        description=(
            "The ID of the shipping method of created orders, one of the channel's."
        )
    )
    import_orders = graphene.Boolean(
        description="Whether orders of the marketplace are imported."
    )
    customer_creation = AmazonCustomerCreation(
        description="Whose the imported orders are in the shop."
    )
    order_number_source = AmazonOrderNumberSource(
        description="Whose number documents about imported orders print."
    )
    initial_status = AmazonInitialStatus(
        description="The status of imported orders of which nothing has been shipped."
    )
    buyer_data_retention_days = graphene.Int(
        description=(
            "How many days after the delivery what is known of a buyer is deleted; "
            "Amazon allows 30 at most."
        )
    )
    default_carrier_code = graphene.String(
        description=(
            "Amazon's code of the carrier of shipments that name no carrier themselves."
        )
    )
    send_stock = graphene.Boolean(
        description=(
            "Whether Amazon is told how many the warehouses have of what the seller "
            "ships. Off unless switched on."
        )
    )
    stock_safety_quantity = graphene.Int(
        description=(
            "How many units of a variant are held back: Amazon is told of that many "
            "fewer."
        )
    )
    stock_floor = graphene.Int(
        description="With fewer units on Amazon than this, Amazon is told of none."
    )
    cancellation_mechanism = AmazonCancellationMechanism(
        description="How Amazon is told of cancellations."
    )
    invoice_mechanism = AmazonInvoiceMechanism(
        description="How invoices of its orders reach the buyers."
    )
    invoice_number_prefix = graphene.String(
        description=(
            "What the numbers of invoices that are made here begin with, up to 20 "
            "characters that no other marketplace has. Empty: the country and the "
            "account."
        )
    )
    invoice_issuer = graphene.String(
        description=(
            "Who issues the invoices: name and address, in lines. Empty: the shop's "
            "company, or what Amazon says."
        )
    )
    invoice_tax_number = graphene.String(
        description="The issuer's tax number. Empty: what Amazon says."
    )
    invoice_note = graphene.String(
        description="What is printed below each invoice. No bank details: Amazon."
    )

    class Meta:
        description = "What to change; what is not given stays as it is."


class AmazonMarketplaceUpdate(host.BaseMutation):  # type: ignore[name-defined]
    marketplace = graphene.Field(
        AmazonMarketplace, description="The changed marketplace."
    )

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the marketplace.")
        input = AmazonMarketplaceUpdateInput(
            required=True, description="Fields to change."
        )

    class Meta:
        description = (
            "Changes the settings of a marketplace of a seller account. They hold for "
            "orders that are imported from now on; those that waited for them, or are "
            "blocked, are looked at next."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, _info: Any, /, *, id: str, input: Any) -> Any:
        marketplace = find(models.Marketplace.objects.all(), id, "AmazonMarketplace")
        try:
            marketplace = accounts.update_marketplace(marketplace, _changes(input))
        except accounts.AccountError as error:
            raise of_account(error) from error
        return cls(marketplace=marketplace)


def _changes(given: dict[str, Any]) -> accounts.MarketplaceChanges:
    """Ids of the shop may come as its global ids or as primary keys."""
    changes = dict(given)
    if changes.get("channel"):
        changes["channel"] = ids.of_shop(changes["channel"], "Channel")
    if changes.get("warehouse_ids"):
        changes["warehouse_ids"] = [
            ids.of_shop(each, "Warehouse") for each in changes["warehouse_ids"]
        ]
    if changes.get("shipping_method_id"):
        changes["shipping_method_id"] = ids.of_shop(
            changes["shipping_method_id"], "ShippingMethodType", "ShippingMethod"
        )
    return accounts.MarketplaceChanges(**changes)
