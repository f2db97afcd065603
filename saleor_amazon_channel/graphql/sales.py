"""What was sold: by day, for a chart, and in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import graphene
from django.db.models import Q, Sum
from graphql import GraphQLError

from .. import clock, models
from ..ledger import sales
from . import channels, ids
from . import host as graphql_host
from .types import list_of, requires

host = graphql_host.current()

DEFAULT_DAYS = 30
MAX_DAYS = 366


@dataclass(frozen=True)
class _Sums:
    currency: str
    amount: Decimal = Decimal(0)
    order_count: int = 0
    unit_count: int = 0
    date: date | None = None

    @property
    def total(self) -> Any:
        return host.money(self.amount, self.currency)


class AmazonSales(graphene.ObjectType):
    total = graphene.Field(
        host.Money,
        required=True,
        description="The orders' grand totals. What was refunded is not taken off.",
    )
    order_count = graphene.Int(required=True, description="How many orders.")
    unit_count = graphene.Int(
        required=True, description="How many units were ordered in them."
    )

    class Meta:
        description = "What was sold in a currency."


class AmazonDailySales(graphene.ObjectType):
    date = host.Date(required=True, description="The day.")
    total = graphene.Field(
        host.Money,
        required=True,
        description="The orders' grand totals. What was refunded is not taken off.",
    )
    order_count = graphene.Int(required=True, description="How many orders.")
    unit_count = graphene.Int(
        required=True, description="How many units were ordered in them."
    )

    class Meta:
        description = "What was sold in a currency on a day."


class AmazonCurrencySales(graphene.ObjectType):
    currency = graphene.String(required=True, description="The currency.")
    days = list_of(
        AmazonDailySales,
        "Each day of the period, the earliest first, also without sales.",
    )
    period = graphene.Field(
        AmazonSales, required=True, description="All days of the period together."
    )
    lifetime = graphene.Field(
        AmazonSales,
        required=True,
        description="All orders that were ever read from Amazon.",
    )

    class Meta:
        description = "What was sold in one currency; amounts are never converted."


class AmazonSalesSummary(graphene.ObjectType):
    start_date = host.Date(required=True, description="The first day of the period.")
    end_date = host.Date(
        required=True,
        description="The last day of it: today, where it is the latest of the "
        "marketplaces.",
    )
    currencies = list_of(
        AmazonCurrencySales, "Each currency that anything was sold in, by its code."
    )

    class Meta:
        description = (
            "What was ordered on Amazon. A day is one of the marketplace where it was "
            "ordered. Orders that were cancelled or cannot be fulfilled do not count, "
            "and pending ones not before Amazon tells their total."
        )


class SalesQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_sales_summary = graphene.Field(
        AmazonSalesSummary,
        required=True,
        description=requires(
            "What was ordered on Amazon, by day and in all.", host.MANAGE_ORDERS
        ),
        accounts=graphene.Argument(
            graphene.List(graphene.NonNull(graphene.ID)),
            description="Only of these seller accounts.",
        ),
        marketplace_ids=graphene.Argument(
            graphene.List(graphene.NonNull(graphene.String)),
            description="Only in the marketplaces with these IDs of Amazon's.",
        ),
        days=graphene.Argument(
            graphene.Int,
            description=f"How many days the period has, up to {MAX_DAYS}. "
            f"{DEFAULT_DAYS} if not given.",
        ),
    )

    @staticmethod
    def resolve_amazon_sales_summary(
        _root: Any,
        info: Any,
        days: int | None = None,
        accounts: Sequence[str] | None = None,
        marketplace_ids: Sequence[str] | None = None,
    ) -> AmazonSalesSummary:
        host.require(info.context, host.MANAGE_ORDERS)
        days = DEFAULT_DAYS if days is None else days
        if not 1 <= days <= MAX_DAYS:
            raise GraphQLError(f"Argument `days` must be from 1 to {MAX_DAYS}.")
        chosen = Q()
        if accounts is not None:
            keys = [ids.asked_for(each, "AmazonAccount") for each in accounts]
            chosen &= Q(account__in=keys)
        if marketplace_ids is not None:
            chosen &= Q(marketplace_id__in=marketplace_ids)
        with host.reading(info.context) as using:
            chosen &= channels.visible(info, using)
            return _summary(using, chosen, days)


def _summary(using: str, chosen: Q, days: int) -> AmazonSalesSummary:
    marketplaces = models.Marketplace.objects.using(using).filter(chosen)
    now = clock.now()
    today = max(
        (
            sales.day_of(now, each)
            for each in marketplaces.values_list("marketplace_id", flat=True)
        ),
        default=now.date(),
    )
    period = [today - timedelta(days=back) for back in reversed(range(days))]
    rows = models.DailySales.objects.using(using).filter(chosen)
    lifetime = {sums.currency: sums for sums in _sums(rows.values("currency"))}
    by_day: Mapping[str, dict[date, _Sums]] = defaultdict(dict)
    in_period = rows.filter(day__range=(period[0], today))
    for sums in _sums(in_period.values("currency", "day")):
        if sums.date is not None:
            by_day[sums.currency][sums.date] = sums
    return AmazonSalesSummary(
        start_date=period[0],
        end_date=today,
        currencies=[
            AmazonCurrencySales(
                currency=currency,
                days=[
                    by_day[currency].get(day) or _Sums(currency, date=day)
                    for day in period
                ],
                period=_together(currency, by_day[currency].values()),
                lifetime=lifetime[currency],
            )
            for currency in sorted(lifetime)
        ],
    )


def _sums(rows: Any) -> Iterable[_Sums]:
    """Of rows that are grouped by currency, and maybe by day."""
    for row in rows.annotate(Sum("total"), Sum("order_count"), Sum("unit_count")):
        yield _Sums(
            row["currency"],
            row["total__sum"],
            row["order_count__sum"],
            row["unit_count__sum"],
            row.get("day"),
        )


def _together(currency: str, days: Iterable[_Sums]) -> _Sums:
    days = list(days)
    return _Sums(
        currency,
        sum((each.amount for each in days), Decimal(0)),
        sum(each.order_count for each in days),
        sum(each.unit_count for each in days),
    )
