"""Back-fills: begin one, end it, see how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import graphene

from .. import clock, models
from ..importing import backfill, backfill_progress
from ..importing.backfill_progress import Progress, Reason
from . import channels, ids
from . import host as graphql_host
from .arguments import active_account, find, require_active_channel
from .enums import AmazonBackfillState, AmazonBlockerCode, ErrorCode
from .errors import AmazonChannelError, refusal
from .ids import to_global
from .types import list_of, requires

host = graphql_host.current()

MAX_BACKFILLS = 100

State = models.AmazonOrder.ImportState


@dataclass(frozen=True)
class Told:
    """A back-fill and how far it is."""

    row: models.Backfill
    progress: Progress

    @property
    def id(self) -> int:
        return self.row.pk


def told(rows: Sequence[models.Backfill], using: str) -> list[Told]:
    found = backfill_progress.progress(rows, using)
    return [Told(row, found[row.pk]) for row in rows]


class AmazonBackfillBlocker(graphene.ObjectType):
    code = AmazonBlockerCode(
        description="What kind of thing it is. `null` for all that are not listed."
    )
    subject = graphene.String(
        required=True,
        description="What it is about: a seller SKU, a field of an address, an amount.",
    )
    order_count = graphene.Int(
        required=True, description="How many orders of the back-fill it blocks."
    )

    class Meta:
        description = "What blocks orders of a back-fill, or would block them."

    @staticmethod
    def resolve_code(root: Reason, _info: Any) -> str | None:
        return None if root.code == backfill.OTHERS else root.code

    @staticmethod
    def resolve_order_count(root: Reason, _info: Any) -> int:
        return root.orders


class AmazonBackfill(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the back-fill.")
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    state = AmazonBackfillState(required=True, description="How far it is.")
    is_dry_run = graphene.Boolean(
        required=True, description="Whether it only counts, and writes nothing."
    )
    created_after = host.DateTime(
        required=True, description="Orders are read that were placed from this time on."
    )
    created_before = host.DateTime(
        required=True, description="Orders are read that were placed until this time."
    )
    marketplaces = list_of(graphene.String, "Amazon's IDs of the marketplaces.")
    started_at = host.DateTime(required=True, description="The time it began.")
    started_by = graphene.String(description="Who began it.")
    finished_at = host.DateTime(
        description="The time it ended. `null` while it is under way."
    )
    read_until = host.DateTime(
        required=True,
        description="All orders have been read that were placed until this time.",
    )
    seen = graphene.Int(
        required=True, description="How many orders Amazon has listed so far."
    )
    already_here = graphene.Int(
        required=True, description="How many of them were known before it began."
    )
    new = graphene.Int(
        required=True, description="How many of them were not known before."
    )
    already_imported = graphene.Int(
        required=True,
        description=(
            "How many were orders of the shop before it began. They are left alone."
        ),
    )
    imported = graphene.Int(
        required=True,
        description="How many others are orders of the shop now, or would be.",
    )
    ready = graphene.Int(
        required=True, description="How many are imported in the next seconds."
    )
    blocked = graphene.Int(
        required=True, description="How many are blocked now, or would be."
    )
    waiting = graphene.Int(
        required=True,
        description=(
            "How many are not importable yet, or would not be: a payment is pending, "
            "say, or the marketplace has no channel."
        ),
    )
    ignored = graphene.Int(
        required=True,
        description=(
            "How many never become orders of the shop: they were cancelled, say."
        ),
    )
    unread = list_of(
        graphene.String,
        "Amazon's IDs of orders that could not be read; import them by name.",
    )
    blockers = list_of(AmazonBackfillBlocker, "What blocks orders, the most first.")
    calls_used = graphene.Int(
        required=True, description="How many calls to Amazon it has taken."
    )
    expected_at = host.DateTime(
        description=(
            "The time it will be done, as far as that can be told. `null` when it "
            "cannot: at the beginning, or while the scans leave it no calls."
        )
    )
    next_run_at = host.DateTime(
        description="The time it goes on. `null` when it has ended."
    )
    last_error = graphene.String(
        description="Why it did not go on, if something was wrong."
    )
    summary = graphene.String(required=True, description="All of it in words.")

    class Meta:
        description = (
            "An import of all orders that were placed on Amazon in a range of time, "
            "however old."
        )
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_account_id(root: Told, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.row.account_id)

    @staticmethod
    def resolve_state(root: Told, _info: Any) -> str:
        return root.row.state

    @staticmethod
    def resolve_is_dry_run(root: Told, _info: Any) -> bool:
        return root.row.is_dry_run

    @staticmethod
    def resolve_created_after(root: Told, _info: Any) -> datetime:
        return root.row.since

    @staticmethod
    def resolve_created_before(root: Told, _info: Any) -> datetime:
        return root.row.until

    @staticmethod
    def resolve_marketplaces(root: Told, _info: Any) -> list[str]:
        return root.row.marketplace_ids

    @staticmethod
    def resolve_started_at(root: Told, _info: Any) -> datetime:
        return root.row.started_at

    @staticmethod
    def resolve_started_by(root: Told, _info: Any) -> str | None:
        return root.row.actor or None

    @staticmethod
    def resolve_finished_at(root: Told, _info: Any) -> datetime | None:
        return root.row.finished_at

    @staticmethod
    def resolve_read_until(root: Told, _info: Any) -> datetime:
        return root.row.window_from

    @staticmethod
    def resolve_seen(root: Told, _info: Any) -> int:
        return root.progress.there

    @staticmethod
    def resolve_already_here(root: Told, _info: Any) -> int:
        return root.progress.here

    @staticmethod
    def resolve_new(root: Told, _info: Any) -> int:
        return root.progress.new

    @staticmethod
    def resolve_already_imported(root: Told, _info: Any) -> int:
        return root.progress.imported_before

    @staticmethod
    def resolve_imported(root: Told, _info: Any) -> int:
        return root.progress.states.get(State.IMPORTED, 0)

    @staticmethod
    def resolve_ready(root: Told, _info: Any) -> int:
        return root.progress.states.get(State.READY, 0)

    @staticmethod
    def resolve_blocked(root: Told, _info: Any) -> int:
        return root.progress.states.get(State.BLOCKED, 0)

    @staticmethod
    def resolve_waiting(root: Told, _info: Any) -> int:
        return root.progress.states.get(State.WAITING, 0)

    @staticmethod
    def resolve_ignored(root: Told, _info: Any) -> int:
        return root.progress.states.get(State.IGNORED, 0)

    @staticmethod
    def resolve_unread(root: Told, _info: Any) -> list[str]:
        return root.row.unread

    @staticmethod
    def resolve_blockers(root: Told, _info: Any) -> Sequence[Reason]:
        return root.progress.reasons

    @staticmethod
    def resolve_calls_used(root: Told, _info: Any) -> int:
        return root.progress.calls

    @staticmethod
    def resolve_expected_at(root: Told, _info: Any) -> datetime | None:
        return root.progress.expected_at

    @staticmethod
    def resolve_next_run_at(root: Told, _info: Any) -> datetime | None:
        if root.row.finished_at:
            return None
        return max(root.row.next_run_at, clock.now())

    @staticmethod
    def resolve_last_error(root: Told, _info: Any) -> str | None:
        return root.row.last_error or None

    @staticmethod
    def resolve_summary(root: Told, _info: Any) -> str:
        return backfill_progress.in_words(root.row, root.progress)


class AmazonBackfillStartInput(graphene.InputObjectType):
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    created_after = host.DateTime(
        required=True,
        description=(
            "Orders are read that were placed from this time on, at most two years "
            "ago. In Japan, Australia and Singapore since 2016."
        ),
    )
    created_before = host.DateTime(
        required=True,
        description="And until this time, which is at least two minutes ago.",
    )
    marketplaces = graphene.List(
        graphene.NonNull(graphene.String),
        description=(
            "Amazon's IDs of the marketplaces. All that the seller takes part in if "
            "not given."
        ),
    )
    dry_run = graphene.Boolean(
        description="Only count what would become of the orders, and write nothing.",
        default_value=False,
    )

    class Meta:
        description = "Which orders to bring in."


class AmazonBackfillStart(host.BaseMutation):  # type: ignore[name-defined]
    backfill = graphene.Field(AmazonBackfill, description="The back-fill that began.")

    class Arguments:
        input = AmazonBackfillStartInput(
            required=True, description="Which orders to bring in."
        )

    class Meta:
        description = (
            "Imports all orders that were placed on Amazon in a range of time, also "
            "those that are older than what is imported by itself, as they are on "
            "Amazon now. The workers do it with the calls that other work leaves over; "
            "nobody is e-mailed, and what has been shipped touches no stock. One at a "
            "time for an account."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, input: Any) -> Any:
        require_active_channel()
        channels.require_all(info)
        account = active_account(input["account_id"])
        try:
            row = backfill.start(
                account,
                input["created_after"],
                input["created_before"],
                marketplace_ids=input.get("marketplaces") or (),
                is_dry_run=bool(input.get("dry_run")),
                actor=host.requestor_name(info.context),
            )
        except backfill.BackfillRefused as refused:
            code = ErrorCode.UNIQUE if refused.is_taken else ErrorCode.INVALID
            raise refusal(code, refused.message, refused.field) from refused
        with host.reading(info.context) as using:
            return cls(backfill=told([row], using)[0])


class AmazonBackfillCancel(host.BaseMutation):  # type: ignore[name-defined]
    backfill = graphene.Field(AmazonBackfill, description="The back-fill.")

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the back-fill.")

    class Meta:
        description = (
            "Ends a back-fill that is under way. What it has read stays, and is "
            "imported. One that has ended stays as it is."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, id: str) -> Any:
        channels.require_all(info)
        row = find(models.Backfill.objects.all(), id, "AmazonBackfill")
        row = backfill.cancel(row)
        with host.reading(info.context) as using:
            return cls(backfill=told([row], using)[0])


class BackfillQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_backfills = list_of(
        AmazonBackfill,
        requires(
            f"The last {MAX_BACKFILLS} back-fills, the newest first.",
            host.MANAGE_ORDERS,
        ),
        account_id=graphene.Argument(
            graphene.ID, description="Only of this seller account."
        ),
    )

    @staticmethod
    def resolve_amazon_backfills(
        _root: Any, info: Any, account_id: str | None = None
    ) -> list[Told]:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            rows = models.Backfill.objects.using(using).order_by("-started_at", "-pk")
            if account_id is not None:
                pk = ids.asked_for(account_id, "AmazonAccount")
                rows = rows.filter(account_id=pk)
            if not channels.has_all(info):
                rows = rows.none()
            return told(list(rows[:MAX_BACKFILLS]), using)


class BackfillMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_backfill_start = AmazonBackfillStart.Field()
    amazon_backfill_cancel = AmazonBackfillCancel.Field()
