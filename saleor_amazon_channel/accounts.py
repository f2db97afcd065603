"""Seller accounts and their marketplaces, as a store admin sets them up.

Used by the GraphQL mutations, the management command and the demo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Model, Q

from . import budget, clock, fields, lock_objects, outbox, store
from .amazon import carriers, errors
from .amazon.marketplaces import REGIONS
from .amazon.sellers import GET_MARKETPLACE_PARTICIPATIONS, MarketplaceParticipation
from .importing import importer, leases, participations, pull
from .ledger import buyer_search, communication
from .models import AmazonListing, Marketplace, SellerAccount
from .models.accounts import MAX_BUYER_DATA_RETENTION_DAYS
from .stock import compare as stock
from .store.contract import Channel

#: A person waits for the answer: two exchanges (token, participations) of one try
#: each, so that the worst case is 10 s.
WHILE_SOMEBODY_WAITS = {"connect_timeout": 2.0, "read_timeout": 3.0, "tries": 1}


class AccountErrorCode(StrEnum):
    INVALID = "invalid"
    """A value that cannot be, or does not fit the others."""
    REQUIRED = "required"
    NOT_FOUND = "not_found"
    UNIQUE = "unique"
    INVALID_CREDENTIALS = "invalid_credentials"
    """Login with Amazon refuses the client id, the client secret or refresh token."""
    FORBIDDEN = "forbidden"
    """Amazon knows the credentials and refuses: a role is missing, or wrong region."""
    UNAVAILABLE = "unavailable"
    """Amazon fails, is not reached in time, or allows no more calls now."""
    INACTIVE = "inactive"
    """The account is paused or disconnected, or Amazon no longer accepts its
    credentials."""
    UNSENT = "unsent"
    """Something is still to be sent to Amazon."""
    NOT_CONFIGURED = "not_configured"
    """The operator has to set something in the environment first."""


class AccountError(Exception):
    """What is wrong, in words for the store admin, and with which field.

    ``field`` is the name of the parameter; empty when it is about none of them.
    """

    def __init__(self, code: AccountErrorCode, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True)
class Connection:
    """What connects a seller account; the three secrets are not in the repr."""

    name: str
    region: str
    seller_id: str
    lwa_client_id: str
    lwa_client_secret: str
    refresh_token: str
    #: Nothing older is imported by itself; the moment of connecting when not given.
    import_from: datetime | None = None
    #: Not Amazon's own addresses: the sandbox, or a proxy.
    endpoint: str = ""
    lwa_endpoint: str = ""

    def __repr__(self) -> str:
        return f"Connection({self.region!r}, {self.seller_id!r})"


def connect(connection: Connection) -> SellerAccount:
    """Save the account and its marketplaces, once Amazon accepted the credentials.

    An account that is connected already, or was (same region and seller id), keeps its
    settings and marketplaces and gets the new credentials: this is how it is
    re-authorized, and how one that was disconnected goes on where it was.
    ``import_from`` is changed only where it is given; an earlier one makes the next
    scan begin there, and what waited for it is looked at again. Raises AccountError,
    and then nothing was written.
    """
    values = _check_values(connection)
    candidate = SellerAccount(**values)
    asked_at = clock.now()
    _check_not_connected(candidate)
    found = ask(candidate)
    with transaction.atomic():
        lock_objects.begin_settings()
        account = lock_with_app(
            Q(region=candidate.region, seller_id=candidate.seller_id), candidate
        )
        is_earlier = was_disconnected = False
        if account is None:
            account = candidate
            account.secret_set_at = clock.now()
        else:
            if account.lwa_client_secret != candidate.lwa_client_secret:
                account.secret_set_at = clock.now()
            was_disconnected = account.state == SellerAccount.State.DISCONNECTED
            is_earlier = "import_from" in values and (
                candidate.import_from < account.import_from
            )
            for name, value in values.items():
                setattr(account, name, value)
            account.state, account.state_reason = SellerAccount.State.ACTIVE, ""
        try:
            with transaction.atomic():
                account.save()
        except IntegrityError as error:
            raise AccountError(
                AccountErrorCode.UNIQUE,
                "This seller account is being connected by someone else right now.",
                "seller_id",
            ) from error
        share_secret(account)
        participations.save(account, found, asked_at)
        if is_earlier:
            pull.start_over(account)
        if is_earlier or was_disconnected:
            importer.reconsider_waiting(account.pk)
        pull.pull_now(account)
    return account


def _check_not_connected(candidate: SellerAccount) -> None:
    """Refuse a seller that is connected under another id. Amazon does not say whose a
    refresh token is, but one is one seller's."""
    others = (
        SellerAccount.objects.filter(region=candidate.region)
        .exclude(state=SellerAccount.State.DISCONNECTED)
        .exclude(seller_id=candidate.seller_id)
    )
    for other in others:
        if (
            other.seller_id.casefold() == candidate.seller_id.casefold()
            # Encrypted, so it is not for the database to compare them.
            or other.refresh_token == candidate.refresh_token
        ):
            raise AccountError(
                AccountErrorCode.UNIQUE,
                f'This seller is connected already, as "{other.name}" with the seller '
                f"ID {other.seller_id}. Enter that ID to renew its credentials, or "
                "disconnect that account first.",
                "seller_id",
            )


def _check_values(connection: Connection) -> dict[str, object]:
    texts = {
        name: getattr(connection, name).strip()
        for name in (
            "name",
            "region",
            "seller_id",
            "lwa_client_id",
            "lwa_client_secret",
            "refresh_token",
        )
    }
    check_texts(texts)
    values: dict[str, object] = dict(texts)
    values["endpoint_override"] = check_address(connection.endpoint, "endpoint")
    values["lwa_endpoint_override"] = check_address(
        connection.lwa_endpoint, "lwa_endpoint"
    )
    if connection.import_from is not None:
        values["import_from"] = connection.import_from
    return values


def lock_with_app(which: Q, app: SellerAccount) -> SellerAccount | None:
    """Lock the account that is ``which``, if there is one, together with those of the
    same app as ``app``: in one go, since by key is how others lock them."""
    of_app = Q(
        lwa_client_id=app.lwa_client_id, lwa_endpoint_override=app.lwa_endpoint_override
    )
    # No key: a scan that holds the cursor may be inserting orders of it.
    rows = SellerAccount.objects.select_for_update(no_key=True).filter(which | of_app)
    held = [row.pk for row in rows.order_by("pk")]
    return SellerAccount.objects.filter(which, pk__in=held).first()


def share_secret(account: SellerAccount) -> None:
    """Give what Amazon accepted as the app's secret to its other accounts, in the
    caller's transaction, which holds them (``lock_with_app``): an app has one. Those
    that were stopped are tried again."""
    others = SellerAccount.objects.filter(
        lwa_client_id=account.lwa_client_id,
        lwa_endpoint_override=account.lwa_endpoint_override,
    )
    for other in (
        others.exclude(pk=account.pk)
        .exclude(state=SellerAccount.State.DISCONNECTED)
        .order_by("pk")
    ):
        # Encrypted, so it is not for the database to compare them.
        if other.lwa_client_secret == account.lwa_client_secret:
            continue
        other.lwa_client_secret = account.lwa_client_secret
        other.secret_set_at = account.secret_set_at
        if other.state == SellerAccount.State.NEEDS_REAUTHORIZATION:
            other.state, other.state_reason = SellerAccount.State.ACTIVE, ""
        other.save()


def check_texts(texts: Mapping[str, str]) -> None:
    """Whether these can be an account's, by the names of its columns. Raises
    AccountError."""
    for name, text in texts.items():
        if not text:
            raise AccountError(
                AccountErrorCode.REQUIRED, "This field cannot be blank.", name
            )
        if name in ("name", "seller_id", "lwa_client_id"):
            _check_length(SellerAccount, name, text)
        if name == "region" and text not in REGIONS:
            raise AccountError(
                AccountErrorCode.INVALID, f"One of {', '.join(REGIONS)}.", name
            )
        # They travel in HTTP headers and forms; a pasted line break never belongs.
        if name in ("lwa_client_secret", "refresh_token") and not (
            text.isprintable() and text.isascii()
        ):
            raise AccountError(
                AccountErrorCode.INVALID,
                "This holds characters that cannot be part of it; paste it again.",
                name,
            )
    try:
        fields.encrypt("check")
    except ImproperlyConfigured as error:
        raise AccountError(AccountErrorCode.NOT_CONFIGURED, str(error)) from error


def check_address(address: str, field: str) -> str:
    """An address that credentials may be sent to: HTTPS, or HTTP within the machine."""
    address = address.strip()
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = None, ""
    # "sandbox" or "localhost": names that only a local network resolves.
    is_local = host in ("127.0.0.1", "::1") or bool(
        re.fullmatch("[a-z][a-z0-9-]*", host)
    )
    if (
        parts is None
        or not host
        or parts.scheme not in ("https", "http")
        or (parts.scheme == "http" and not is_local)
        or parts.username is not None
        or len(address) > 200
    ):
        raise AccountError(
            AccountErrorCode.INVALID,
            "An https:// address; http:// only on this machine or its local network.",
            field,
        )
    return address


def refresh_marketplaces(account: SellerAccount) -> None:
    """Read now in which marketplaces the seller takes part, not only once a day.

    Raises AccountError. Credentials that Amazon no longer accepts stop the account, as
    they do everywhere.
    """
    if account.state != SellerAccount.State.ACTIVE:
        raise AccountError(
            AccountErrorCode.INACTIVE,
            f"The account {account.name} is not active. {account.state_reason}".strip(),
        )
    try:
        with budget.client_for(account, **WHILE_SOMEBODY_WAITS) as client:
            participations.refresh(account, client)
    except errors.AmazonError as error:
        if not isinstance(error, errors.TryLater):
            communication.note_failure(account, GET_MARKETPLACE_PARTICIPATIONS, error)
        raise _refusal(error) from error
    except participations.NoMarketplaceError as error:
        raise AccountError(AccountErrorCode.INVALID, str(error)) from error


def ask(account: SellerAccount) -> list[MarketplaceParticipation]:
    """Where the seller takes part, in the account's region; proves the credentials."""
    try:
        with budget.client_for(account, **WHILE_SOMEBODY_WAITS) as client:
            return participations.read(account, client)
    except errors.AmazonError as error:
        raise _refusal(error) from error
    except participations.NoMarketplaceError as error:
        raise AccountError(AccountErrorCode.INVALID, str(error), "region") from error


def _refusal(error: errors.AmazonError) -> AccountError:
    """What Amazon answered, in words for the store admin."""
    if isinstance(error, errors.AppCredentialsInvalid):
        return AccountError(
            AccountErrorCode.INVALID_CREDENTIALS,
            f"Amazon does not accept the app. {error.action}",
            "lwa_client_secret",
        )
    if isinstance(error, errors.ReauthorizationRequired):
        return AccountError(
            AccountErrorCode.INVALID_CREDENTIALS,
            f"Amazon does not accept the refresh token. {error.action}",
            "refresh_token",
        )
    if isinstance(error, errors.Forbidden):
        return AccountError(
            AccountErrorCode.FORBIDDEN, f"Amazon refuses. {error.action}"
        )
    if isinstance(error, errors.TryLater):
        return AccountError(
            AccountErrorCode.UNAVAILABLE,
            "Amazon did not answer in time; try again in a minute.",
        )
    return AccountError(
        AccountErrorCode.INVALID,
        "The answer is not one of Amazon's; check the addresses and the region.",
    )


@dataclass(frozen=True)
class MarketplaceChanges:
    """What to change; None leaves a setting as it is, empty clears it.

    ``channel`` is a channel's slug or id. Ids are the shop's primary keys as text.
    """

    channel: str | None = None
    warehouse_ids: Sequence[str] | None = None
    shipping_method_id: str | None = None
    import_orders: bool | None = None
    customer_creation: str | None = None
    order_number_source: str | None = None
    initial_status: str | None = None
    default_carrier_code: str | None = None
    invoice_mechanism: str | None = None
    cancellation_mechanism: str | None = None
    invoice_number_prefix: str | None = None
    invoice_issuer: str | None = None
    invoice_tax_number: str | None = None
    invoice_note: str | None = None
    buyer_data_retention_days: int | None = None
    send_stock: bool | None = None
    stock_safety_quantity: int | None = None
    stock_floor: int | None = None


#: Any combination of them is one; they may be set while the import is off.
_ORDER_SETTINGS = (
    "import_orders",
    "customer_creation",
    "order_number_source",
    "initial_status",
    "invoice_mechanism",
    "cancellation_mechanism",
)
#: Texts that are printed on invoices.
_INVOICE_TEXTS = ("invoice_issuer", "invoice_tax_number", "invoice_note")
_LONGEST_INVOICE_TEXT = 2000
#: What Amazon takes in the options of its VAT invoice feed, the number among them.
#: Source: SP-API, VAT Calculation Service, on uploading invoices.
_INVOICE_NUMBER = re.compile(r"[0-9A-Za-z,/\\ _:;#-]*", re.ASCII)
_MOST_UNITS = 1_000_000


def update_marketplace(
    marketplace: Marketplace, changes: MarketplaceChanges
) -> Marketplace:
    """Save the settings of a marketplace, checked against the shop's channels.

    They hold for what is imported from now on. Orders that waited for the settings, or
    are blocked, are looked at again. Raises AccountError, and then nothing was written.
    """
    with transaction.atomic():
        lock_objects.begin_settings()
        # The account before its marketplaces, as reading them from Amazon locks them.
        SellerAccount.objects.select_for_update(no_key=True).get(
            pk=marketplace.account_id
        )
        row = Marketplace.objects.select_for_update().get(pk=marketplace.pk)
        _change_mapping(row, changes)
        for name in _ORDER_SETTINGS:
            if (value := getattr(changes, name)) is not None:
                setattr(row, name, value)
        if row.customer_creation == Marketplace.CustomerCreation.ACCOUNT:
            buyer_search.ensure_key(row.account_id)
        if changes.default_carrier_code is not None:
            row.default_carrier_code = _check_carrier(changes.default_carrier_code)
        _change_invoices(row, changes)
        if (days := changes.buyer_data_retention_days) is not None:
            if not 0 <= days <= MAX_BUYER_DATA_RETENTION_DAYS:
                raise AccountError(
                    AccountErrorCode.INVALID,
                    f"From 0 to {MAX_BUYER_DATA_RETENTION_DAYS} days: Amazon allows no "
                    "more.",
                    "buyer_data_retention_days",
                )
            row.buyer_data_retention_days = days
        _change_stock(row, changes)
        row.save()
        importer.reconsider_waiting(row.account_id, row.marketplace_id)
    return row


def _change_stock(row: Marketplace, changes: MarketplaceChanges) -> None:
    for name in ("stock_safety_quantity", "stock_floor"):
        if (value := getattr(changes, name)) is not None:
            if not 0 <= value <= _MOST_UNITS:
                raise AccountError(
                    AccountErrorCode.INVALID, f"From 0 to {_MOST_UNITS}.", name
                )
            setattr(row, name, value)
    if changes.send_stock is not None and changes.send_stock != row.send_stock:
        row.send_stock = changes.send_stock
        if not row.send_stock:
            outbox.supersede_stock(row)
        # Amazon's numbers are anybody's meanwhile.
        AmazonListing.objects.filter(
            account=row.account_id, marketplace_id=row.marketplace_id
        ).update(is_stale=True)
    if changes.send_stock and not row.is_mapped:
        raise AccountError(
            AccountErrorCode.INVALID,
            "Choose the channel, the warehouses and the shipping method first: the "
            "stock of these warehouses is sent.",
            "send_stock",
        )
    if row.send_stock:
        leases.make_due(row.account, stock.STREAM)


def _change_invoices(row: Marketplace, changes: MarketplaceChanges) -> None:
    for name in _INVOICE_TEXTS:
        if (text := getattr(changes, name)) is not None:
            _check_length(Marketplace, name, text.strip())
            if len(text) > _LONGEST_INVOICE_TEXT:
                raise AccountError(
                    AccountErrorCode.INVALID,
                    f"At most {_LONGEST_INVOICE_TEXT} characters.",
                    name,
                )
            setattr(row, name, text.strip())
    if (prefix := changes.invoice_number_prefix) is None:
        return
    prefix = prefix.strip()
    _check_length(Marketplace, "invoice_number_prefix", prefix)
    if not _INVOICE_NUMBER.fullmatch(prefix):
        raise AccountError(
            AccountErrorCode.INVALID,
            "Only A-Z, a-z, 0-9, spaces and , / \\ - _ ; : #: Amazon takes no other "
            "signs in the number of an invoice.",
            "invoice_number_prefix",
        )
    # Else two series could come to the same number.
    row.invoice_number_prefix = prefix
    wanted = {row.invoice_series, row.credit_note_series}
    if prefix and any(
        wanted & {other.invoice_series, other.credit_note_series}
        for other in Marketplace.objects.exclude(pk=row.pk)
    ):
        raise AccountError(
            AccountErrorCode.UNIQUE,
            "Another marketplace has this prefix; each needs a series of its own.",
            "invoice_number_prefix",
        )


def _check_carrier(code: str) -> str:
    code = code.strip()
    _check_length(Marketplace, "default_carrier_code", code)
    # Letter case matters to Amazon: its own spelling where there is one.
    code = carriers.carrier_code(code) or code
    if code == carriers.OTHER:
        raise AccountError(
            AccountErrorCode.INVALID,
            f"Amazon wants a name with the code {carriers.OTHER}: name the carrier on "
            "each fulfillment instead.",
            "default_carrier_code",
        )
    return code


def _check_length(model: type[Model], field: str, text: str) -> None:
    limit = getattr(model._meta.get_field(field), "max_length", None)
    if limit is not None and len(text) > limit:
        raise AccountError(
            AccountErrorCode.INVALID, f"At most {limit} characters.", field
        )


def _change_mapping(row: Marketplace, changes: MarketplaceChanges) -> None:
    given = (changes.channel, changes.warehouse_ids, changes.shipping_method_id)
    if all(value is None for value in given):
        return
    wanted = row.channel_id if changes.channel is None else changes.channel.strip()
    if not wanted:
        if changes.warehouse_ids or changes.shipping_method_id:
            raise AccountError(
                AccountErrorCode.REQUIRED,
                "Warehouses and a shipping method need a channel.",
                "channel",
            )
        row.channel_id = row.channel_slug = ""
        row.warehouse_ids = []
        row.shipping_method_id = row.shipping_method_name = ""
        return
    channel = _channel(row, wanted)
    row.channel_id, row.channel_slug = channel.id, channel.slug
    if changes.warehouse_ids is not None:
        # In the given order, each once.
        row.warehouse_ids = list(dict.fromkeys(changes.warehouse_ids))
    if changes.shipping_method_id is not None:
        row.shipping_method_id = changes.shipping_method_id
    _check_fits(row, channel)


def _channel(row: Marketplace, wanted: str) -> Channel:
    with store.writer():
        channels = store.current().channels()
    channel = next((each for each in channels if wanted in (each.id, each.slug)), None)
    if channel is None:
        raise AccountError(
            AccountErrorCode.NOT_FOUND, "The shop has no such channel.", "channel"
        )
    if channel.currency != row.info.currency:
        raise AccountError(
            AccountErrorCode.INVALID,
            f"The channel sells in {channel.currency}, "
            f"but {row.info.domain} sells in {row.info.currency}.",
            "channel",
        )
    return channel


def _check_fits(row: Marketplace, channel: Channel) -> None:
    """The warehouses and the shipping method must be the channel's."""
    warehouse_ids = {warehouse.id for warehouse in channel.warehouses}
    if any(each not in warehouse_ids for each in row.warehouse_ids):
        raise AccountError(
            AccountErrorCode.INVALID,
            f"A warehouse does not serve the channel {channel.slug}; it must be "
            "assigned to the channel in the shop.",
            "warehouse_ids",
        )
    if not row.shipping_method_id:
        row.shipping_method_name = ""
        return
    names = {method.id: method.name for method in channel.shipping_methods}
    if row.shipping_method_id not in names:
        raise AccountError(
            AccountErrorCode.INVALID,
            f"The shipping method is not available in the channel {channel.slug}.",
            "shipping_method_id",
        )
    row.shipping_method_name = names[row.shipping_method_id]
