"""What runs when, what is left of Amazon's usage plans, and the daily comparisons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene

from .. import clock, models, status
from ..importing import reconcile
from . import channels, ids
from . import host as graphql_host
from .arguments import active_account, require_active_channel
from .enums import AmazonAccountState, AmazonBlockerCode, ErrorCode
from .errors import AmazonChannelError, refusal
from .ids import to_global
from .types import list_of, requires

host = graphql_host.current()

MAX_RECONCILIATIONS = 100


class AmazonStream(graphene.ObjectType):
    name = graphene.String(
        required=True,
        description=(
            "What is done: `orders`, `finances` (refunds), `marketplaces` and "
            "`notifications` are read, `import` brings orders into the shop, "
            "`reconciliation` compares, `backfill` brings in older orders, `outbox` "
            "sends to Amazon."
        ),
    )
    last_run_at = host.DateTime(
        description="The time it last ran, or began, as far as that is known."
    )
    next_run_at = host.DateTime(
        description="The time it is to run next. `null`: in the next seconds."
    )
    last_error = graphene.String(description="Why the last run did not end well.")
    waits_for = graphene.String(
        description="Why it does not run now. `null` when it is due."
    )

    class Meta:
        description = "Something that is done again and again, or until it is done."

    @staticmethod
    def resolve_last_error(root: status.Stream, _info: Any) -> str | None:
        return root.last_error or None

    @staticmethod
    def resolve_waits_for(root: status.Stream, _info: Any) -> str | None:
        return root.waits_for or None


class AmazonUsageBudget(graphene.ObjectType):
    operation = graphene.String(
        required=True, description="The operation, as Amazon's API names it."
    )
    calls_left = graphene.Float(
        required=True, description="How many calls can be made at once now."
    )
    rate = graphene.Float(required=True, description="Calls per second that come back.")
    burst = graphene.Int(
        required=True, description="How many calls are saved up at most."
    )
    blocked_until = host.DateTime(
        description="Amazon throttled us: no call is made before this time."
    )

    class Meta:
        description = "What is left of one of Amazon's usage plans."


class AmazonAccountSchedule(graphene.ObjectType):
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    name = graphene.String(required=True, description="The account's name.")
    state = AmazonAccountState(
        required=True, description="Whether orders are exchanged with Amazon."
    )
    state_reason = graphene.String(
        description="What must be done while the account is not active."
    )
    streams = list_of(AmazonStream, "What is done, and why it waits.")
    budgets = list_of(AmazonUsageBudget, "What is left of Amazon's usage plans.")

    class Meta:
        description = "What runs when for a seller account."

    @staticmethod
    def resolve_account_id(root: status.AccountStatus, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.id)

    @staticmethod
    def resolve_state_reason(root: status.AccountStatus, _info: Any) -> str | None:
        return root.state_reason or None


class AmazonStateCount(graphene.ObjectType):
    state = graphene.String(required=True, description="The state.")
    count = graphene.Int(required=True, description="How many are in it.")

    class Meta:
        description = "How many orders, or messages to Amazon, are in a state."


class AmazonScheduler(graphene.ObjectType):
    is_active = graphene.Boolean(
        required=True, description="Whether the Amazon sales channel is switched on."
    )
    is_read_only = graphene.Boolean(
        required=True, description="Whether nothing is sent to Amazon."
    )
    read_only_reason = graphene.String(
        description="Why read-only mode was switched on by itself."
    )
    pull_interval_minutes = graphene.Int(
        required=True, description="How often orders are read."
    )
    accounts = list_of(AmazonAccountSchedule, "The seller accounts.")
    orders = list_of(AmazonStateCount, "The orders by import state.")
    outbox = list_of(AmazonStateCount, "The messages to Amazon by state.")

    class Meta:
        description = "What runs when, and why something waits."

    @staticmethod
    def resolve_is_active(root: status.ChannelStatus, _info: Any) -> bool:
        return root.active

    @staticmethod
    def resolve_is_read_only(root: status.ChannelStatus, _info: Any) -> bool:
        return root.read_only

    @staticmethod
    def resolve_read_only_reason(root: status.ChannelStatus, _info: Any) -> str | None:
        return root.read_only_reason or None

    @staticmethod
    def resolve_orders(root: status.ChannelStatus, _info: Any) -> list[Any]:
        return [AmazonStateCount(*each) for each in sorted(root.orders.items())]

    @staticmethod
    def resolve_outbox(root: status.ChannelStatus, _info: Any) -> list[Any]:
        return [AmazonStateCount(*each) for each in sorted(root.outbox.items())]


class AmazonBlockedCount(graphene.ObjectType):
    code = AmazonBlockerCode(
        description=(
            "What kind of thing it is. `null` for orders that are blocked without a "
            "reason, which should not be."
        )
    )
    order_count = graphene.Int(required=True, description="How many orders it blocked.")

    class Meta:
        description = "How many orders were blocked by a kind of thing."


class AmazonReconciliation(graphene.ObjectType):
    id = graphene.GlobalID(required=True, description="The ID of the comparison.")
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    started_at = host.DateTime(required=True, description="The time it began.")
    finished_at = host.DateTime(
        description="The time it ended. `null` while it is under way."
    )
    there = graphene.Int(required=True, description="Orders that Amazon has.")
    here = graphene.Int(required=True, description="Of these were here.")
    unsettled = graphene.Int(
        required=True,
        description=(
            "Orders that changed after the last scan, and were not compared. Many of "
            "them mean that the scans are behind."
        ),
    )
    missing = list_of(graphene.String, "Amazon's IDs of orders that were not here.")
    outdated = list_of(
        graphene.String,
        "Amazon's IDs of orders that were here as they had been before.",
    )
    unread = list_of(
        graphene.String,
        "Of those that could not be read from Amazon, or not be understood.",
    )
    gone_from_shop = list_of(
        graphene.String, "Amazon's IDs of imported orders that the shop does not have."
    )
    wrong_total = list_of(
        graphene.String,
        "Amazon's IDs of imported orders with another total in the shop.",
    )
    double = list_of(
        graphene.String,
        "Amazon's IDs of orders that the shop has more than once, whoever made them.",
    )
    not_followed = list_of(
        graphene.String,
        "Amazon's IDs of imported orders that Amazon changed more than an hour before, "
        "without the shop following.",
    )
    blocked = graphene.Int(
        required=True, description="How many orders were blocked when it ended."
    )
    blocked_by = list_of(
        AmazonBlockedCount,
        "What blocked them, the most first. An order may be in several.",
    )
    is_clean = graphene.Boolean(
        required=True,
        description=(
            "Whether it has ended, and nothing was found that is not as it should be."
        ),
    )
    compared_since = host.DateTime(
        required=True, description="Compared is what Amazon changed from this time on."
    )
    calls_used = graphene.Int(
        required=True, description="How many times Amazon's list was asked for."
    )
    next_run_at = host.DateTime(
        description="The time it goes on. `null` when it has ended."
    )
    last_error = graphene.String(
        description="Why it does not go on, while it is under way."
    )
    summary = graphene.String(required=True, description="All of it in words.")

    class Meta:
        description = "A comparison of what Amazon has with what is here."
        interfaces = (graphene.relay.Node,)

    @staticmethod
    def resolve_blocked_by(root: models.Reconciliation, _info: Any) -> list[Any]:
        counts = [
            AmazonBlockedCount(code=code or None, order_count=orders)
            for code, orders in root.blocked_by.items()
        ]
        return sorted(counts, key=lambda each: (-each.order_count, each.code or ""))

    @staticmethod
    def resolve_is_clean(root: models.Reconciliation, _info: Any) -> bool:
        return reconcile.is_clean(root)

    @staticmethod
    def resolve_compared_since(root: models.Reconciliation, _info: Any) -> datetime:
        return root.since

    @staticmethod
    def resolve_calls_used(root: models.Reconciliation, _info: Any) -> int:
        return root.calls

    @staticmethod
    def resolve_next_run_at(root: models.Reconciliation, _info: Any) -> datetime | None:
        return None if root.finished_at else max(root.next_run_at, clock.now())

    @staticmethod
    def resolve_there(root: models.Reconciliation, _info: Any) -> int:
        return root.count("there")

    @staticmethod
    def resolve_here(root: models.Reconciliation, _info: Any) -> int:
        return root.count("here")

    @staticmethod
    def resolve_unsettled(root: models.Reconciliation, _info: Any) -> int:
        return root.count("unsettled")

    @staticmethod
    def resolve_account_id(root: models.Reconciliation, _info: Any) -> str | None:
        return to_global("AmazonAccount", root.account_id)

    @staticmethod
    def resolve_last_error(root: models.Reconciliation, _info: Any) -> str | None:
        return root.last_error or None

    @staticmethod
    def resolve_summary(root: models.Reconciliation, _info: Any) -> str:
        return reconcile.in_words(root)


class AmazonReconcile(host.BaseMutation):  # type: ignore[name-defined]
    reconciliation = graphene.Field(
        AmazonReconciliation, description="The comparison that began, or is under way."
    )

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )
        days = graphene.Int(
            description=(
                f"Compare what Amazon changed in so many days, up to "
                f"{reconcile.MOST_DAYS}. {reconcile.WINDOW.days} if not given, as "
                "every day. One that is under way keeps its own."
            )
        )

    class Meta:
        description = (
            "Compares what Amazon has with what is here, now and not at the next time "
            "of every day. The workers do it, with the calls that the scans leave over."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls, _root: Any, info: Any, /, *, account_id: str, days: int | None = None
    ) -> Any:
        require_active_channel()
        channels.require_all(info)
        account = active_account(account_id)
        if days is not None and not 1 <= days <= reconcile.MOST_DAYS:
            raise refusal(
                ErrorCode.INVALID, f"From 1 to {reconcile.MOST_DAYS} days.", "days"
            )
        return cls(reconciliation=reconcile.start_now(account, days))


class SchedulerMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_reconcile = AmazonReconcile.Field()


class SchedulerQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_scheduler = graphene.Field(
        AmazonScheduler,
        required=True,
        description=requires(
            "What runs when, and why something waits.", host.MANAGE_PLUGINS
        ),
    )
    amazon_reconciliations = list_of(
        AmazonReconciliation,
        requires(
            "The comparisons of what Amazon has with what is here, the last "
            f"{MAX_RECONCILIATIONS}, the newest first.",
            host.MANAGE_ORDERS,
        ),
        account_id=graphene.Argument(
            graphene.ID, description="Only of this seller account."
        ),
    )

    @staticmethod
    def resolve_amazon_scheduler(_root: Any, info: Any) -> status.ChannelStatus:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            return status.read(using)

    @staticmethod
    def resolve_amazon_reconciliations(
        _root: Any, info: Any, account_id: str | None = None
    ) -> list[models.Reconciliation]:
        host.require(info.context, host.MANAGE_ORDERS)
        with host.reading(info.context) as using:
            rows = models.Reconciliation.objects.using(using).order_by(
                "-started_at", "-pk"
            )
            if account_id is not None:
                pk = ids.asked_for(account_id, "AmazonAccount")
                rows = rows.filter(account_id=pk)
            if not channels.has_all(info):
                rows = rows.none()
            return list(rows[:MAX_RECONCILIATIONS])
