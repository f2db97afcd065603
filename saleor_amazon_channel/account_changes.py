"""What becomes of a connected account: changed, paused, resumed, disconnected.

Used by the GraphQL mutations. See ``accounts`` for how it is connected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from . import accounts, clock, lock_objects, outbox
from .accounts import AccountError, AccountErrorCode
from .amazon.sellers import MarketplaceParticipation
from .importing import importer, participations, pull
from .ledger import timeline
from .models import AccessToken, AmazonOrder, Feed, OutboxEntry, SellerAccount
from .notifications import subscribing

State = SellerAccount.State

PAUSED = "Paused: nothing is exchanged with Amazon until the account is resumed."
DISCONNECTED = "Disconnected: connect the account again to go on where it was."

_CREDENTIALS = ("lwa_client_id", "lwa_client_secret", "refresh_token")

_NOT_SENT = (
    "It was not sent to Amazon, since the seller account was disconnected. Do it in "
    "Seller Central."
)
_PERHAPS_SENT = (
    "The seller account was disconnected before Amazon answered. Look in Seller "
    "Central whether it was done."
)


@dataclass(frozen=True)
class AccountChanges:
    """What to change; None leaves it as it is. The secrets are not in the repr.

    ``import_from``: see ``accounts.connect``.
    """

    name: str | None = None
    lwa_client_id: str | None = None
    lwa_client_secret: str | None = None
    refresh_token: str | None = None
    import_from: datetime | None = None
    is_paused: bool | None = None

    def __repr__(self) -> str:
        return f"AccountChanges(name={self.name!r}, is_paused={self.is_paused!r})"


def update(account: SellerAccount, changes: AccountChanges) -> SellerAccount:
    """Save the changes; new credentials only once Amazon accepted them.

    They end that an account needs re-authorization. While it is paused no worker calls
    Amazon for it; staff actions are kept, and sent once it is resumed. Raises
    AccountError, and then nothing was written.
    """
    texts = {
        name: text.strip()
        for name in ("name", *_CREDENTIALS)
        if (text := getattr(changes, name)) is not None
    }
    accounts.check_texts(texts)
    _check_connected(account)
    has_new_credentials = any(name in texts for name in _CREDENTIALS)
    credentials = {
        name: texts.get(name, getattr(account, name)) for name in _CREDENTIALS
    }
    asked_at = clock.now()
    found: list[MarketplaceParticipation] = []
    candidate = SellerAccount(
        region=account.region,
        endpoint_override=account.endpoint_override,
        lwa_endpoint_override=account.lwa_endpoint_override,
        **credentials,
    )
    if has_new_credentials:
        found = accounts.ask(candidate)
    with transaction.atomic():
        lock_objects.begin_settings()
        row = (
            accounts.lock_with_app(Q(pk=account.pk), candidate)
            if has_new_credentials
            else _locked(account)
        )
        if row is None:
            raise SellerAccount.DoesNotExist(f"account {account.pk}")
        _check_connected(row)
        was_active = row.state == State.ACTIVE
        row.name = texts.get("name", row.name)
        if has_new_credentials:
            if row.lwa_client_secret != credentials["lwa_client_secret"]:
                row.secret_set_at = clock.now()
            # Those that were tried, whatever somebody else saved meanwhile.
            for name, text in credentials.items():
                setattr(row, name, text)
        _set_state(row, changes.is_paused, has_new_credentials)
        is_earlier = bool(changes.import_from and changes.import_from < row.import_from)
        row.import_from = changes.import_from or row.import_from
        row.save()
        if found:
            accounts.share_secret(row)
            participations.save(row, found, asked_at)
        if is_earlier:
            pull.start_over(row)
        if changes.import_from:
            importer.reconsider_waiting(row.pk)
        if row.state == State.ACTIVE and not was_active:
            pull.pull_now(row)
    return row


def _set_state(
    row: SellerAccount, is_paused: bool | None, has_new_credentials: bool
) -> None:
    if is_paused:
        row.state, row.state_reason = State.PAUSED, PAUSED
    elif (row.state == State.PAUSED and is_paused is False) or (
        row.state == State.NEEDS_REAUTHORIZATION and has_new_credentials
    ):
        row.state, row.state_reason = State.ACTIVE, ""


def disconnect(account: SellerAccount, *, force: bool = False) -> SellerAccount:
    """Stop everything and delete the secrets; the ledger and the shop's orders stay.

    Connecting the same seller again goes on where it was, but for the notifications,
    which end. While something is still to
    be sent to Amazon it is refused (AccountError), unless ``force``: then that fails
    with a note on its order, for staff to do it in Seller Central.
    """
    if not force:
        _check_all_sent(account)
    # While there are credentials. Should it be refused below all the same, they are
    # subscribed to again the next day.
    left = subscribing.end_at_amazon(account)
    with transaction.atomic():
        lock_objects.begin_settings()
        row = _locked(account)
        if force:
            _abandon(row)
        else:
            _check_all_sent(row)
        Feed.objects.filter(account=row).exclude(state=Feed.State.SETTLED).update(
            state=Feed.State.SETTLED,
            settled_at=clock.now(),
            note="The seller account was disconnected.",
        )
        AccessToken.objects.filter(account=row).delete()
        row.lwa_client_secret = row.refresh_token = ""
        row.state, row.state_reason = (
            State.DISCONNECTED,
            f"{DISCONNECTED} {left}".strip(),
        )
        row.save()
        subscribing.forget(row)
        # So that they say why they go no further.
        importer.reconsider_waiting(row.pk)
    return row


def _abandon(account: SellerAccount) -> None:
    open_entries = OutboxEntry.objects.filter(account=account, settled_at=None)
    # The orders before their entries, as capture locks them.
    lock_objects.orders_by_id(
        open_entries.exclude(order=None)
        .values_list("order__amazon_order_id", flat=True)
        .distinct()
    )
    failed = outbox.abandon(
        Q(account=account), "DISCONNECTED", _NOT_SENT, _PERHAPS_SENT
    )
    timeline.add_many(
        (entry.order, f"{entry.kind}_failed", message)
        for entry, message in failed
        if entry.order
    )
    for message in (_NOT_SENT, _PERHAPS_SENT):
        AmazonOrder.objects.filter(
            pk__in=[entry.order_id for entry, told in failed if told == message]
        ).update(note=message)


def _check_all_sent(account: SellerAccount) -> None:
    unsent = outbox.unsent(account)
    if not unsent:
        return
    kinds = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in unsent.items()
    )
    raise AccountError(
        AccountErrorCode.UNSENT,
        f"Something is still to be sent to Amazon: {kinds}. Wait until it has been, or "
        "disconnect by force: then it fails, and has to be done in Seller Central.",
    )


def _locked(account: SellerAccount) -> SellerAccount:
    # No key: a scan that holds the cursor may be inserting orders of it.
    return SellerAccount.objects.select_for_update(no_key=True).get(pk=account.pk)


def _check_connected(account: SellerAccount) -> None:
    if account.state == State.DISCONNECTED:
        raise AccountError(
            AccountErrorCode.INACTIVE,
            f"The account {account.name} is disconnected; connect it again.",
        )
