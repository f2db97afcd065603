"""``amazonOrdersImport``: the next scan at once, or named orders during the request.

Of Saleor's requests only few may call Amazon at all, and none for longer than 10 s:
named orders, up to 20 of them. A scan takes as long as it takes, so that is left to
the workers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import graphene

from .. import budget, clock, models
from ..accounts import WHILE_SOMEBODY_WAITS
from ..importing import importer, pull
from . import channels, ids
from . import host as graphql_host
from .arguments import active_account, require_active_channel
from .enums import AmazonImportState, ErrorCode
from .errors import AmazonChannelError, refusal, said_by_amazon
from .types import AmazonBlocker, AmazonOrder, list_of, orders, together

host = graphql_host.current()

MAX_NAMED_ORDERS = 20

#: No call starts later than this, and one takes at most 5 s.
LAST_CALL_SECONDS = 5

_ORDER_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}")

Account = models.SellerAccount


@dataclass
class _Result:
    amazon_order_id: str
    order: models.AmazonOrder | None = None
    errors: Sequence[Any] = ()


class AmazonOrderImportResult(graphene.ObjectType):
    amazon_order_id = graphene.String(
        required=True, description="Amazon's ID of the order, as it was given."
    )
    state = AmazonImportState(
        description=(
            "What has become of the order in the shop. `null` when it is not known."
        )
    )
    note = graphene.String(
        description="The latest thing that happened to the order, in words."
    )
    blockers = list_of(AmazonBlocker, "What keeps the order out of the shop.")
    order_id = graphene.ID(description="The ID of the shop's order.")
    order = graphene.Field(AmazonOrder, description="The Amazon order.")
    errors = list_of(
        AmazonChannelError, "Why the order could not be read from Amazon now."
    )

    class Meta:
        description = "What came of one named order."

    @staticmethod
    def resolve_state(root: _Result, _info: Any) -> str | None:
        return root.order.import_state if root.order else None

    @staticmethod
    def resolve_note(root: _Result, _info: Any) -> str | None:
        return (root.order and root.order.note) or None

    @staticmethod
    def resolve_blockers(root: _Result, _info: Any) -> list[dict[str, str]]:
        return root.order.blockers if root.order else []

    @staticmethod
    def resolve_order_id(root: _Result, _info: Any) -> str | None:
        return ids.to_global("Order", root.order and root.order.shop_order_id)


class AmazonOrdersImport(host.BaseMutation):  # type: ignore[name-defined]
    queued = graphene.Boolean(
        description=(
            "Whether the import is left to the workers, which start within seconds. "
            "`false` when the results are all there is."
        )
    )
    results = list_of(
        AmazonOrderImportResult,
        "What came of each named order, in the given order.",
        default_value=(),
    )

    class Arguments:
        account_id = graphene.ID(
            description=(
                "ID of the seller account. All active accounts if not given, or for "
                "named orders the account they are known to belong to."
            )
        )
        amazon_order_ids = graphene.List(
            graphene.NonNull(graphene.String),
            description=(
                f"Up to {MAX_NAMED_ORDERS} Amazon order IDs to import now, also if "
                "they are older than the account imports by itself."
            ),
        )

    class Meta:
        description = (
            "Imports orders from Amazon: everything new, by the workers, or named "
            "orders right away within at most 10 seconds."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls,
        _root: Any,
        info: Any,
        /,
        *,
        account_id: str | None = None,
        amazon_order_ids: Sequence[str] | None = None,
    ) -> Any:
        require_active_channel()
        account = active_account(account_id) if account_id is not None else None
        if not amazon_order_ids:
            _pull_soon(account)
            return cls(queued=True)
        named = _check_named(amazon_order_ids)
        known_rows = models.AmazonOrder.objects.filter(amazon_order_id__in=named)
        channels.require(info, known_rows)
        failed = _read(_accounts_of(named, account), named)
        channels.require(info, known_rows)
        importer.import_named([each for each in named if each not in failed])
        with host.reading(info.context) as using:
            rows = together(list(orders(using).filter(amazon_order_id__in=named)))
        known = {row.amazon_order_id: row for row in rows}
        return cls(
            queued=False,
            results=[
                _Result(
                    each,
                    known.get(each),
                    [failed[each]] if each in failed else [],
                )
                for each in named
            ],
        )


def _pull_soon(account: Account | None) -> None:
    active = Account.objects.filter(state=Account.State.ACTIVE)
    accounts = [account] if account else list(active.order_by("pk"))
    if not accounts:
        raise refusal(ErrorCode.NOT_FOUND, "No seller account is connected and active.")
    for each in accounts:
        pull.pull_now(each)


def _check_named(amazon_order_ids: Sequence[str]) -> list[str]:
    named = list(dict.fromkeys(each.strip() for each in amazon_order_ids))
    if len(named) > MAX_NAMED_ORDERS:
        raise refusal(
            ErrorCode.INVALID,
            f"At most {MAX_NAMED_ORDERS} orders at a time, not {len(named)}.",
            "amazon_order_ids",
        )
    for each in named:
        if not _ORDER_ID.fullmatch(each):
            raise refusal(
                ErrorCode.INVALID,
                f"{each[:50]!r} is not an Amazon order ID, like 123-1234567-1234567.",
                "amazon_order_ids",
            )
    return named


def _accounts_of(named: Sequence[str], account: Account | None) -> dict[str, Account]:
    """The account to ask for each order."""
    if account is not None:
        return dict.fromkeys(named, account)
    known = models.AmazonOrder.objects.filter(amazon_order_id__in=named)
    owners = {
        order.amazon_order_id: order.account
        for order in known.select_related("account").only("amazon_order_id", "account")
    }
    unknown = [each for each in named if each not in owners]
    if unknown:
        active = list(Account.objects.filter(state=Account.State.ACTIVE)[:2])
        if not active:
            raise refusal(
                ErrorCode.NOT_FOUND, "No seller account is connected and active."
            )
        if len(active) > 1:
            raise refusal(
                ErrorCode.REQUIRED,
                f"Several accounts are connected: say to which {unknown[0]} belongs.",
                "account_id",
            )
        owners.update(dict.fromkeys(unknown, active[0]))
    return owners


def _read(owners: dict[str, Account], named: Sequence[str]) -> dict[str, Any]:
    """Read the orders from Amazon into the ledger; answers those it failed for."""
    last_call = clock.now() + timedelta(seconds=LAST_CALL_SECONDS * clock.factor())
    failed: dict[str, Any] = {}
    by_account: dict[Account, list[str]] = defaultdict(list)
    for each in named:
        by_account[owners[each]].append(each)
    for account, order_ids in by_account.items():
        with budget.client_for(account, **WHILE_SOMEBODY_WAITS) as client:
            for order_id in order_ids:
                if account.state != Account.State.ACTIVE:
                    failed[order_id] = _failure(
                        ErrorCode.INVALID,
                        f"The account {account.name} is not active. "
                        f"{account.state_reason}".strip(),
                    )
                elif clock.now() > last_call:
                    failed[order_id] = _failure(
                        ErrorCode.UNAVAILABLE,
                        "There was no time left to read this order; ask for it again.",
                    )
                else:
                    failures = pull.pull_named(
                        account, [order_id], client, max_wait_seconds=0
                    )
                    if order_id in failures:
                        failed[order_id] = _failure(*said_by_amazon(failures[order_id]))
    return failed


def _failure(code: ErrorCode, message: str) -> Any:
    return AmazonChannelError(field="amazonOrderIds", message=message, code=code.value)
