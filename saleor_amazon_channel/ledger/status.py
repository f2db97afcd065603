"""How the channel is, in a few counting queries: for ``amazon_channel status``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count

from ..models import (
    AmazonOrder,
    ChannelSettings,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)


def read() -> dict[str, Any]:
    """Settings, accounts with their next pull, orders and outbox by state."""
    settings = ChannelSettings.load()
    cursors = {cursor.account_id: cursor for cursor in SyncCursor.objects.all()}
    accounts = []
    # Without the secrets: the operator may look before there is a key to decrypt them.
    columns = ("name", "region", "state", "state_reason")
    for account in SellerAccount.objects.only(*columns).order_by("pk"):
        cursor = cursors.get(account.pk)
        accounts.append(
            {
                "name": account.name,
                "region": account.region,
                "state": account.state,
                "state_reason": account.state_reason,
                "last_pull": cursor.last_run_at if cursor else None,
                "next_pull": cursor.next_run_at if cursor else None,
                "last_error": cursor.last_error if cursor else "",
            }
        )
    return {
        "active": settings.active,
        "read_only": settings.read_only,
        "pull_interval_minutes": settings.pull_interval_minutes,
        "accounts": accounts,
        "orders": _counts(AmazonOrder.objects.values_list("import_state")),
        "outbox": _counts(OutboxEntry.objects.values_list("state")),
    }


def _counts(states: Any) -> dict[str, int]:
    return dict(states.annotate(count=Count("id")).order_by())


def _next_pull(state: dict[str, Any], account: dict[str, Any]) -> Any:
    if not state["active"]:
        return "when the channel is switched on"
    if account["state"] != SellerAccount.State.ACTIVE:
        return "when the account is active"
    return account["next_pull"] or "now"


def as_lines(state: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield (
        f"Channel {'on' if state['active'] else 'off'}"
        f"{', read-only' if state['read_only'] else ''}, "
        f"pull every {state['pull_interval_minutes']} minutes"
    )
    for account in state["accounts"]:
        yield (
            f"{account['name']} ({account['region']}): {account['state']}, "
            f"last pull {account['last_pull'] or 'never'}, "
            f"next {_next_pull(state, account)}"
        )
        for text in (account["state_reason"], account["last_error"]):
            if text:
                yield f"  {text}"
    for name in ("orders", "outbox"):
        counts = ", ".join(f"{count} {key}" for key, count in state[name].items())
        yield f"{name}: {counts or 'none'}"
