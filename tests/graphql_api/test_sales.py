"""What was sold, by day and in all, and that the sums follow the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from graphene.relay import Node

from graphql_api.conftest import Answer
from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger import recorder, sales
from saleor_amazon_channel.models import (
    AmazonOrder,
    DailySales,
    Marketplace,
    SellerAccount,
)
from wire_orders import GERMANY, NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

Ask = Callable[..., Answer]

JAPAN = "A1VC38T7YXB528"
USA = "ATVPDKIKX0DER"

SUMMARY = """
query ($days: Int, $accounts: [ID!], $marketplaceIds: [String!]) {
  amazonSalesSummary(
    days: $days, accounts: $accounts, marketplaceIds: $marketplaceIds
  ) {
    startDate endDate
    currencies {
      currency
      days { date total { amount currency } orderCount unitCount }
      period { total { amount currency } orderCount unitCount }
      lifetime { total { amount currency } orderCount unitCount }
    }
  }
}
"""


def number(each: int) -> str:
    return f"111-0000001-{each:07}"


def told(account: SellerAccount, *orders: dict[str, Any]) -> None:
    recorder.record(account, [(Order.from_wire(wire), wire) for wire in orders])


def summary(ask: Ask, **variables: Any) -> Any:
    with clock.frozen(NOW):
        return ask(SUMMARY, variables)["amazonSalesSummary"]


def sums(found: Any) -> tuple[float, int, int]:
    return (found["total"]["amount"], found["orderCount"], found["unitCount"])


def by_day(currency: Any) -> dict[str, tuple[float, int, int]]:
    return {
        day["date"]: sums(day) for day in currency["days"] if day["orderCount"] != 0
    }


def test_each_day_and_all_of_them_in_each_currency(
    ask: Ask, account: SellerAccount
) -> None:
    Marketplace.objects.create(account=account, marketplace_id=GERMANY)
    total = Order.from_wire(wire_order()).proceeds.grand_total.amount
    told(
        account,
        wire_order(number(1), created=NOW),
        wire_order(number(2), created=NOW - timedelta(days=6)),
        wire_order(number(3), created=NOW - timedelta(days=7)),
        wire_order(number(4), created=NOW, status="CANCELLED"),
        wire_order(number(5), created=NOW, status="UNFULFILLABLE"),
    )
    yen = wire_item(currency="JPY", price="1990")
    told(
        account,
        wire_order(number(6), items=[yen], marketplace_id=JAPAN, currency="JPY"),
    )

    found = summary(ask, days=7)

    assert (found["startDate"], found["endDate"]) == ("2026-11-14", "2026-11-20")
    euros, yens = found["currencies"]
    assert (euros["currency"], yens["currency"]) == ("EUR", "JPY")
    assert [day["date"] for day in euros["days"]] == [
        f"2026-11-{day}" for day in range(14, 21)
    ]
    units = sum(item["quantityOrdered"] for item in wire_order()["orderItems"])
    one = (float(total), 1, units)
    assert by_day(euros) == {"2026-11-14": one, "2026-11-20": one}
    assert sums(euros["period"]) == (float(2 * total), 2, 2 * units)
    assert sums(euros["lifetime"]) == (float(3 * total), 3, 3 * units)
    assert euros["lifetime"]["total"]["currency"] == "EUR"
    assert sums(yens["lifetime"]) == (1990, 1, 1)


@pytest.mark.parametrize(
    ("marketplace_id", "moment", "day"),
    [
        # Summer time until 25 October 2026, 01:00 UTC.
        (GERMANY, datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "2026-10-25"),
        (GERMANY, datetime(2026, 10, 24, 21, 59, tzinfo=UTC), "2026-10-24"),
        (GERMANY, datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "2026-10-25"),
        (GERMANY, datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "2026-10-26"),
        (JAPAN, datetime(2026, 11, 18, 15, 0, tzinfo=UTC), "2026-11-19"),
        (USA, datetime(2026, 11, 19, 7, 59, tzinfo=UTC), "2026-11-18"),
        ("UNKNOWN", datetime(2026, 11, 19, 0, 0, tzinfo=UTC), "2026-11-19"),
    ],
)
def test_a_day_is_the_marketplaces(
    ask: Ask,
    account: SellerAccount,
    marketplace_id: str,
    moment: datetime,
    day: str,
) -> None:
    told(account, wire_order(created=moment, marketplace_id=marketplace_id))
    (currency,) = summary(ask, days=60)["currencies"]
    assert list(by_day(currency)) == [day]

    # PostgreSQL counts the same days as we do.
    with clock.frozen(NOW):
        sales.recount()
    assert summary(ask, days=60)["currencies"] == [currency]


def test_it_is_tomorrow_in_japan_already(ask: Ask, account: SellerAccount) -> None:
    for marketplace_id in (GERMANY, JAPAN):
        Marketplace.objects.create(account=account, marketplace_id=marketplace_id)
    evening = NOW.replace(hour=16)
    with clock.frozen(evening):
        found = ask(SUMMARY, {"days": 1})["amazonSalesSummary"]
        assert found["endDate"] == "2026-11-21"
        found = ask(SUMMARY, {"days": 1, "marketplaceIds": [GERMANY]})
    assert found["amazonSalesSummary"]["endDate"] == "2026-11-20"


def test_the_sums_follow_what_amazon_tells(ask: Ask, account: SellerAccount) -> None:
    def now() -> list[tuple[float, int, int]]:
        currencies = summary(ask, days=7)["currencies"]
        return [sums(each["lifetime"]) for each in currencies]

    pending = wire_order(status="PENDING", created=NOW, updated=NOW)
    pending.pop("proceeds", None)
    told(account, pending)
    assert now() == []

    def paid(minutes: int, quantity: int = 1, **more: Any) -> None:
        items = [wire_item(quantity=quantity)]
        updated = NOW + timedelta(minutes=minutes)
        told(account, wire_order(created=NOW, updated=updated, items=items, **more))

    paid(1)
    before = now()
    assert before[0][1:] == (1, 1)
    paid(1)
    paid(0, quantity=7)
    assert now() == before, "told twice, or late"

    paid(2, quantity=3)
    assert now()[0][1:] == (1, 3)
    assert now()[0][0] == float(AmazonOrder.objects.get().grand_total)

    paid(3, quantity=3, status="CANCELLED")
    assert [each[1:] for each in now()] == [(0, 0)]
    assert now()[0][0] == 0


def test_only_what_is_asked_for(ask: Ask, account: SellerAccount) -> None:
    other = SellerAccount.objects.create(name="Other", region="FE", seller_id="A2")
    told(account, wire_order(number(1)))
    told(other, wire_order(number(2), marketplace_id=JAPAN))
    own = Node.to_global_id("AmazonAccount", other.pk)

    def count(**variables: Any) -> int:
        found = summary(ask, days=30, **variables)["currencies"]
        return sum(each["lifetime"]["orderCount"] for each in found)

    assert count() == 2
    assert count(accounts=[own]) == count(marketplaceIds=[JAPAN]) == 1
    assert count(accounts=[own], marketplaceIds=[GERMANY]) == 0
    assert count(accounts=[]) == count(marketplaceIds=[]) == 0


@pytest.mark.parametrize("days", [0, -1, 367])
def test_periods_that_cannot_be(ask: Ask, days: int) -> None:
    assert ask(SUMMARY, {"days": days}).errors == [
        "Argument `days` must be from 1 to 366."
    ]


def test_counting_anew_finds_the_same_and_mends_what_is_not(
    account: SellerAccount,
) -> None:
    told(
        account,
        wire_order(number(1), created=NOW - timedelta(days=40)),
        wire_order(number(2), created=NOW - timedelta(days=2)),
        wire_order(number(3), created=NOW, marketplace_id=USA),
        wire_order(number(4), created=NOW, status="CANCELLED"),
    )

    def rows() -> list[Any]:
        of_rows = DailySales.objects.order_by("day").exclude(order_count=0)
        return list(
            of_rows.values_list(
                "account",
                "marketplace_id",
                "currency",
                "day",
                "order_count",
                "unit_count",
                "total",
            )
        )

    before = rows()
    assert len(before) == 3
    with clock.frozen(NOW):
        sales.recount()
        assert rows() == before
        DailySales.objects.filter(day__gte=NOW - timedelta(days=3)).update(
            total=Decimal(-1)
        )
        sales.recount()
        assert rows() == before
    # What the migration counts of a ledger that was there before.
    migration = MigrationLoader(connection).get_migration(
        "saleor_amazon_channel", "0029_count_daily_sales"
    )
    migration.operations[0].code(None, type("Editor", (), {"connection": connection}))
    assert rows() == before


@pytest.mark.parametrize(
    ("marketplace_id", "moment"),
    [
        (GERMANY, datetime(9999, 12, 31, 23, 59, tzinfo=UTC)),
        (USA, datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_at_the_calendars_ends_a_day_is_that_of_utc(
    marketplace_id: str, moment: datetime
) -> None:
    assert sales.day_of(moment, marketplace_id) == moment.date()
