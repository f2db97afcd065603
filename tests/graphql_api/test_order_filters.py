"""What Amazon orders are found by in a list: deadlines, totals, buyers' names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from graphql_api.conftest import Answer
from graphql_api.rows import hours_ago, new_order
from graphql_api.test_orders import PAGE, found_by
from saleor_amazon_channel import clock, redaction
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.ledger.recorder import record
from saleor_amazon_channel.models import AmazonOrder, SellerAccount
from wire_orders import NOW, wire_order

pytestmark = pytest.mark.django_db

ORDER = "111-0000001-0000001"
OTHER = "111-0000001-0000002"

Ask = Callable[..., Answer]


def ids_of(page: Any) -> list[str]:
    return [edge["node"]["amazonOrderId"] for edge in page["edges"]]


def test_what_is_to_be_shipped_soon_is_found(ask: Ask, account: SellerAccount) -> None:
    def due(hours: float | None, **values: Any) -> str:
        ship_by = None if hours is None else hours_ago(-hours)
        return new_order(account, ship_by=ship_by, **values).amazon_order_id

    late, soon, later, never = due(-1), due(23), due(25), due(None)
    partly = due(2, fulfillment_status="PARTIALLY_SHIPPED")
    shipped = due(2, fulfillment_status="SHIPPED")
    amazons = due(2, fulfilled_by="AMAZON")

    with clock.frozen(NOW):
        assert found_by(ask, isAtRisk=True) == {late, soon, partly}
        assert found_by(ask, isAtRisk=False) == {later, never, shipped, amazons}
    within = {"gte": hours_ago(1).isoformat(), "lte": hours_ago(-23).isoformat()}
    assert found_by(ask, shipBy=within) == {late, soon, partly, shipped, amazons}


def test_totals_are_found_and_sorted_within_a_currency(
    ask: Ask, account: SellerAccount
) -> None:
    def worth(total: str | None, currency: str = "EUR") -> str:
        amount = None if total is None else Decimal(total)
        return new_order(account, grand_total=amount, currency=currency).amazon_order_id

    ten, nine, nothing = worth("10.00"), worth("9.99"), worth(None)
    yen = worth("10", "JPY")

    assert found_by(ask, total={"currency": "eur", "gte": 9.99}) == {ten, nine}
    assert found_by(ask, total={"currency": "EUR", "gte": 9.991}) == {ten}
    assert found_by(ask, total={"currency": "EUR", "lte": 9.99}) == {nine}
    assert found_by(ask, total={"currency": "JPY"}) == {yen}

    def page(direction: str, **more: Any) -> Any:
        sort = {"field": "TOTAL", "direction": direction}
        return ask(PAGE, {"sortBy": sort, **more})["amazonOrders"]

    assert ids_of(page("ASC", first=9)) == [nothing, nine, ten, yen]
    assert ids_of(page("DESC", first=9)) == [yen, ten, nine, nothing]
    start = page("ASC", first=2)
    rest = page("ASC", first=2, after=start["pageInfo"]["endCursor"])
    assert ids_of(start) + ids_of(rest) == [nothing, nine, ten, yen]


def test_buyers_are_found_by_the_beginnings_of_their_names(
    ask: Ask, account: SellerAccount
) -> None:
    record(account, [_told(ORDER, "Änne-Marie  MÜLLER"), _told(OTHER, "Li Müllerová")])

    def found(text: str) -> list[str]:
        return sorted(found_by(ask, buyer=text))

    assert found("mul") == found("MÜLLER") == found("Mu\u0308ller") == [ORDER, OTHER]
    assert found("müllero") == found("li") == found("mül li") == [OTHER]
    assert found("marie ann") == [ORDER]
    assert found("mu") == found("üller") == found("marie li") == found("--") == []
    # Another account has other hashes of the same name.
    other = SellerAccount.objects.create(name="Other", region="NA", seller_id="A2")
    third = "111-0000001-0000003"
    record(other, [_told(third, "Anne Muller")])
    assert found("muller") == [ORDER, OTHER, third]
    hashed = AmazonOrder.objects.values_list("buyer_search", flat=True)
    first, _, last = hashed.order_by("amazon_order_id")
    assert not set(first) & set(last)
    # What Amazon corrects is found by the new name alone.
    record(account, [_told(ORDER, "Bob", updated=NOW)])
    assert (found("bob"), found("marie")) == ([ORDER], [])


def test_a_name_in_few_signs_is_found_by_the_first(
    ask: Ask, account: SellerAccount
) -> None:
    record(account, [_told(ORDER, "山田太郎")])

    assert found_by(ask, buyer="山田") == {ORDER}
    assert found_by(ask, buyer="太郎") == set()


def _told(
    order_id: str, buyer_name: str, **changes: Any
) -> tuple[Order, dict[str, Any]]:
    wire = wire_order(order_id, **changes)
    wire["buyer"]["buyerName"] = buyer_name
    return Order.from_wire(wire), wire


def test_whoever_is_deleted_is_found_no_more(ask: Ask, account: SellerAccount) -> None:
    record(account, [_told(ORDER, "Änne Müller")])
    assert found_by(ask, buyer="änne") == {ORDER}

    redaction.redact_named([ORDER], force=True)
    record(account, [_told(ORDER, "Änne Müller", updated=NOW)])

    assert found_by(ask, buyer="änne") == set()
    assert AmazonOrder.objects.get().buyer_search == []


def test_numbers_are_found_as_people_paste_them(
    ask: Ask, account: SellerAccount
) -> None:
    number = new_order(account).amazon_order_id
    assert found_by(ask, amazonOrderIds=[f" {number}\n"]) == {number}


@pytest.mark.parametrize(
    "given", [{"amazonOrderIds": ["a\0b"]}, {"blockerSubject": ["\0"]}]
)
def test_what_no_text_has_is_an_error_of_the_request(
    ask: Ask, given: dict[str, Any]
) -> None:
    (name,) = given
    answer = ask(PAGE, {"first": 1, "filter": given})
    assert answer.errors == [f"Filter `{name}` has a NUL character."]
