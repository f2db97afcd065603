"""In which marketplaces a seller takes part: read once a day, and whenever staff ask.

A marketplace that the seller joined is here without a mapping, until the store admin
gives it one; one that the seller left is marked, and keeps its settings. The scan of
orders covers all marketplaces the seller takes part in with one call, so when one is
joined it goes back to the moment Amazon was last asked for them: the first orders of
the new marketplace are younger.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from .. import budget, clock
from ..amazon import errors
from ..amazon.client import Client
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.sellers import (
    GET_MARKETPLACE_PARTICIPATIONS,
    MarketplaceParticipation,
    marketplace_participations,
)
from ..ledger import communication
from ..models import Marketplace, SellerAccount, SyncCursor
from . import leases, pull

logger = logging.getLogger(__name__)

#: Of a cursor whose watermark is when Amazon was last asked.
STREAM = "marketplaces"
INTERVAL = timedelta(days=1)
#: After a failure, and at least between two that were not planned.
RETRY_AFTER = timedelta(hours=1)
MAX_WAIT_SECONDS = 2.0


class NoMarketplaceError(Exception):
    """Amazon lists no marketplace of the account's region."""


def due_accounts() -> list[SellerAccount]:
    """Active accounts whose marketplaces are to be read now."""
    return leases.due_accounts(STREAM)


def look_soon(account: SellerAccount) -> None:
    """Let them be read at once, unless they have been a short while ago."""
    SyncCursor.objects.filter(
        account=account,
        stream=STREAM,
        last_run_at__lte=clock.now() - RETRY_AFTER,
    ).update(next_run_at=None)


def run(account: SellerAccount) -> None:
    """Read the marketplaces, as a worker does; nothing if another one is at it.

    What fails is in the log of communication and in the cursor, and is tried again.
    """
    lease = leases.take(account, STREAM)
    if lease is None:
        return
    error, due = "", clock.now() + RETRY_AFTER
    try:
        with budget.client_for(account) as client:
            refresh(account, client, max_wait_seconds=MAX_WAIT_SECONDS)
        due = clock.now() + INTERVAL
    except errors.TryLater as failure:
        error, due = str(failure), failure.available_at
    except errors.AmazonError as failure:
        error = str(failure)
        communication.note_failure(account, GET_MARKETPLACE_PARTICIPATIONS, failure)
    except NoMarketplaceError as failure:
        error = str(failure)
    finally:
        leases.release(lease, error, due)


def refresh(
    account: SellerAccount, client: Client, *, max_wait_seconds: float = 0
) -> None:
    """Read the marketplaces and save what changed. Raises AmazonError and
    NoMarketplaceError, and then nothing was written."""
    asked_at = clock.now()
    found = read(account, client, max_wait_seconds=max_wait_seconds)
    with transaction.atomic():
        # No key: a scan that holds the cursor may be inserting orders of it.
        locked = SellerAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        save(locked, found, asked_at)


def read(
    account: SellerAccount, client: Client, *, max_wait_seconds: float = 0
) -> list[MarketplaceParticipation]:
    """Where the seller takes part, in the account's region. Raises AmazonError and
    NoMarketplaceError."""
    found = [
        each
        for each in marketplace_participations(
            client, max_wait_seconds=max_wait_seconds
        )
        if MARKETPLACES[each.marketplace_id].region == account.region
    ]
    if not found:
        raise NoMarketplaceError(
            "The seller takes part in no marketplace of the region."
        )
    return found


def save(
    account: SellerAccount,
    found: Sequence[MarketplaceParticipation],
    asked_at: datetime,
) -> None:
    """One row each; the settings of those that exist stay. ``account`` is locked, in
    the caller's transaction."""
    cursor, _ = SyncCursor.objects.get_or_create(account=account, stream=STREAM)
    before = _taken_part_in(account)
    listed = {each.marketplace_id: each.is_participating for each in found}
    account.marketplaces.exclude(marketplace_id__in=listed).update(
        is_participating=False
    )
    Marketplace.objects.bulk_create(
        [
            Marketplace(
                account=account, marketplace_id=marketplace_id, is_participating=takes
            )
            for marketplace_id, takes in listed.items()
        ],
        update_conflicts=True,
        unique_fields=["account", "marketplace_id"],
        update_fields=["is_participating"],
    )
    now = _taken_part_in(account)
    if now != before:
        joined, left = sorted(now - before), sorted(before - now)
        logger.info(
            "account %s: marketplaces joined %s, left %s", account.pk, joined, left
        )
        # Accounts of before there was this cursor were asked on connecting.
        last_asked = cursor.watermark or account.created_at
        pull.rewind(account, to=last_asked if joined else None)
    SyncCursor.objects.filter(pk=cursor.pk).update(
        watermark=asked_at,
        last_run_at=asked_at,
        next_run_at=asked_at + INTERVAL,
        last_error="",
    )


def _taken_part_in(account: SellerAccount) -> set[str]:
    return set(
        account.marketplaces.filter(is_participating=True).values_list(
            "marketplace_id", flat=True
        )
    )
