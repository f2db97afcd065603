from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.sandbox import State, events, refunds
from saleor_amazon_channel.sandbox.events import EventError
from saleor_amazon_channel.sandbox.seeds import generate
from saleor_amazon_channel.sandbox.state import UnknownName

from .conftest import DE, NOW, Caller, Move, errors

PATH = "/finances/2024-06-19/transactions"
SINCE = "2026-11-19T12:00:00Z"


@pytest.fixture
def order(state: State) -> dict[str, Any]:
    """Shipped, in the United States: two items, tax on top."""
    [order] = generate(1, created_over=timedelta(hours=3))
    state.put_orders([order])
    return events.ship(state, order["orderId"])


def listed(caller: Caller, **parameters: str) -> list[dict[str, Any]]:
    """Every transaction there is, through all pages."""
    found: list[dict[str, Any]] = []
    parameters = {"postedAfter": SINCE, **parameters}
    while True:
        answer = caller.call("GET", PATH, params=parameters)
        assert answer.status_code == 200, answer.text
        payload = answer.json()["payload"]
        found += payload["transactions"]
        if "nextToken" not in payload:
            return found
        parameters["nextToken"] = payload["nextToken"]


def ids(transactions: list[dict[str, Any]]) -> list[str]:
    return [each["transactionId"] for each in transactions]


def refund(state: State, order: dict[str, Any], **options: Any) -> dict[str, Any]:
    return refunds.refund(state, order["orderId"], **options)


def part(order: dict[str, Any], **components: str) -> dict[str, dict[str, str]]:
    return {order["orderItems"][0]["orderItemId"]: components}


def leaves(breakdowns: list[dict[str, Any]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for breakdown in breakdowns:
        if breakdown["breakdowns"]:
            found |= leaves(breakdown["breakdowns"])
        else:
            amount = breakdown["breakdownAmount"]["currencyAmount"]
            found[breakdown["breakdownType"]] = Decimal(str(amount))
    return found


def test_a_whole_refund_gives_back_what_was_charged(
    state: State, caller: Caller, order: dict[str, Any], move: Move
) -> None:
    posted = refund(state, order)
    move(timedelta(minutes=3))

    [found] = listed(caller)

    assert found == posted
    assert found["transactionType"] == "Refund"
    assert found["transactionStatus"] == "RELEASED"
    assert found["postedDate"] == "2026-11-22T12:00:00.000Z"
    assert {
        each["relatedIdentifierName"]: each["relatedIdentifierValue"]
        for each in found["relatedIdentifiers"]
    }["ORDER_ID"] == order["orderId"]
    for item, refunded in zip(order["orderItems"], found["items"], strict=True):
        charged = refunds.charged(item)
        amounts = leaves(refunded["breakdowns"])
        assert -amounts["OurPricePrincipal"] == charged["Principal"]
        assert -amounts["OurPriceTax"] == charged["Tax"]
        assert refunded["contexts"][0]["sku"] == item["product"]["sellerSku"]
    with pytest.raises(EventError, match="nothing is left to refund"):
        refund(state, order)


def test_of_a_component_no_more_than_was_charged(
    state: State, order: dict[str, Any]
) -> None:
    price = refunds.charged(order["orderItems"][0])["Principal"]
    first = refund(state, order, items=part(order, Principal="1.00"))

    left = price - 1
    with pytest.raises(EventError, match=rf"of Principal of \d+ cannot be .* {left} "):
        refund(state, order, items=part(order, Principal=str(price)))
    second = refund(state, order, items=part(order, Principal=str(left)))

    assert first["totalAmount"]["currencyAmount"] < 0
    assert first["transactionId"] != second["transactionId"]
    with pytest.raises(EventError, match="unknown component 'Tip'"):
        refund(state, order, items=part(order, Tip="1.00"))
    with pytest.raises(UnknownName, match="no order item 'X'"):
        refund(state, order, items={"X": {"Principal": "1.00"}})
    with pytest.raises(EventError, match="the buyer gets nothing"):
        refund(state, order, items=part(order, RestockingFee="-1.00"))


def test_goodwill_was_never_charged(state: State, order: dict[str, Any]) -> None:
    posted = refund(state, order, items=part(order, Goodwill="5.00"))

    amounts = leaves(posted["items"][0]["breakdowns"])
    assert amounts == {"GoodwillPrincipal": Decimal("-5")}


def test_what_is_not_shipped_was_not_charged(state: State) -> None:
    [order] = generate(1)
    state.put_orders([order])

    with pytest.raises(EventError, match="is UNSHIPPED: nothing was charged yet"):
        refund(state, order)


def test_a_promotion_goes_back_with_the_whole_price(state: State) -> None:
    [order] = generate(1, lines=1)
    item = order["orderItems"][0]
    total = Decimal(item["proceeds"]["proceedsTotal"]["amount"])
    off = {"amount": "-1.00", "currencyCode": "USD"}
    item["proceeds"]["breakdowns"].append({"type": "DISCOUNT", "subtotal": off})
    item["proceeds"]["proceedsTotal"]["amount"] = str(total - 1)
    state.put_orders([order])
    events.ship(state, order["orderId"])

    amounts = leaves(refund(state, order)["items"][0]["breakdowns"])

    assert amounts["OurPriceDiscount"] == 1
    assert -amounts["OurPricePrincipal"] - 1 == refunds.charged(item)["Principal"]


def test_tax_inside_the_price_is_posted_apart_where_amazon_calculates_it(
    state: State,
) -> None:
    [order] = generate(1, lines=1, marketplaces=[DE])
    state.put_orders([order])
    events.ship(state, order["orderId"])
    price = refunds.charged(order["orderItems"][0])["Principal"]

    posted = refund(state, order, vat_rate="0.19")

    amounts = leaves(posted["items"][0]["breakdowns"])
    net = -amounts["OurPricePrincipal"]
    assert net - amounts["OurPriceTax"] == price
    assert abs(net - price / Decimal("1.19")) < Decimal("0.01")


@pytest.mark.parametrize(
    ("identified_by", "skus", "is_item_id"),
    [("sku", 2, False), ("order_item_id", 0, True), ("nothing", 0, False)],
)
def test_how_items_are_told(
    state: State,
    order: dict[str, Any],
    identified_by: str,
    skus: int,
    is_item_id: bool,
) -> None:
    items = refund(state, order, identified_by=identified_by)["items"]

    assert sum(len(item["contexts"]) for item in items) == skus
    told = {
        identifier["itemRelatedIdentifierValue"]
        for item in items
        for identifier in item["relatedIdentifiers"]
    }
    known = {item["orderItemId"] for item in order["orderItems"]}
    assert (told == known) == is_item_id
    with pytest.raises(EventError, match="identified_by is one of"):
        refund(state, order, identified_by="colour")


def test_a_deferred_refund_and_its_release_name_each_other(
    state: State, caller: Caller, order: dict[str, Any], move: Move
) -> None:
    posted = refund(state, order, is_deferred=True)
    move(timedelta(days=5))
    assert [each["transactionStatus"] for each in listed(caller)] == ["DEFERRED"]
    assert posted["contexts"][0]["deferralReason"] == "DD7"

    released = refunds.release_refund(state, order["orderId"])
    move(timedelta(minutes=3))

    deferred, release = listed(caller, postedAfter="2026-11-20T00:00:00Z")
    assert (deferred["transactionId"], deferred["transactionStatus"]) == (
        posted["transactionId"],
        "DEFERRED_RELEASED",
    )
    assert release == released
    assert release["items"] == deferred["items"]
    assert deferred["relatedIdentifiers"][-1] == {
        "relatedIdentifierName": "RELEASE_TRANSACTION_ID",
        "relatedIdentifierValue": release["transactionId"],
    }
    assert release["relatedIdentifiers"][-1] == {
        "relatedIdentifierName": "DEFERRED_TRANSACTION_ID",
        "relatedIdentifierValue": deferred["transactionId"],
    }
    assert listed(caller, transactionStatus="RELEASED") == [release]
    # Only the release is new.
    assert ids(listed(caller, postedAfter="2026-11-27T00:00:00Z")) == ids([release])
    with pytest.raises(UnknownName, match="no deferred refund"):
        refunds.release_refund(state, order["orderId"])


def test_transactions_are_seen_late(
    state: State, caller: Caller, order: dict[str, Any], move: Move
) -> None:
    caller.control("PUT", "transactions", {"posting_delay_seconds": 3600})
    refund(state, order)
    move(timedelta(minutes=59))
    assert listed(caller) == []

    move(timedelta(minutes=1))
    [found] = listed(caller)
    assert found["postedDate"] == "2026-11-22T12:00:00.000Z"


def test_pages(state: State, caller: Caller, order: dict[str, Any], move: Move) -> None:
    caller.control("PUT", "transactions", {"page_size": 2})
    posted = []
    for _ in range(5):
        posted.append(refund(state, order, items=part(order, Principal="1.00")))
        move(timedelta(minutes=1))
    move(timedelta(minutes=3))

    state.inject_fault("listTransactions", "empty_page", skip=1)
    assert ids(listed(caller)) == ids(posted)
    assert len(state.calls("listTransactions")) == 4

    state.inject_fault("listTransactions", "repeated_page")
    assert ids(listed(caller)) == ids([*posted[:2], *posted])

    parameters = {"postedAfter": SINCE}
    first = caller.call("GET", PATH, params=parameters).json()["payload"]
    token = first["nextToken"]
    for change in (
        {"postedAfter": "2026-11-18T12:00:00Z", "nextToken": token},
        {"postedAfter": SINCE, "nextToken": "x"},
    ):
        assert caller.call("GET", PATH, params=change).status_code == 400
    state.inject_fault("listTransactions", "expired_token")
    again = parameters | {"nextToken": token}
    assert caller.call("GET", PATH, params=again).status_code == 400
    assert caller.call("GET", PATH, params=again).status_code == 200
    move(timedelta(days=1))
    caller.token(is_new=True)
    assert caller.call("GET", PATH, params=again).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Start date cannot be null"),
        ({"postedAfter": "2026-11-19"}, "Invalid value for parameter 'postedAfter'."),
        (
            {"postedAfter": "2026-11-22T11:58:01Z"},
            "'postedAfter' must be more than two minutes before the request.",
        ),
        (
            {"postedAfter": SINCE, "postedBefore": "2026-11-22T11:59:00Z"},
            "'postedBefore' must be more than two minutes before the request.",
        ),
        (
            {"postedAfter": SINCE, "postedBefore": SINCE},
            "'postedBefore' must be later than 'postedAfter'.",
        ),
        (
            {"postedAfter": SINCE, "transactionStatus": "Released"},
            "Invalid value for parameter 'transactionStatus'.",
        ),
        (
            {"relatedIdentifierName": "ORDER_ID"},
            "'relatedIdentifierName' and 'relatedIdentifierValue' need each other.",
        ),
        (
            {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": "1"},
            "Invalid value for parameter 'relatedIdentifierName'.",
        ),
        (
            {"postedAfter": SINCE, "pageSize": "1"},
            "Unknown query parameter 'pageSize'.",
        ),
        (
            {"postedAfter": SINCE, "marketplaceId": "X"},
            "Invalid value for parameter 'marketplaceId'.",
        ),
    ],
)
def test_what_amazon_refuses(
    caller: Caller, parameters: dict[str, str], message: str
) -> None:
    answer = caller.call("GET", PATH, params=parameters)

    assert (answer.status_code, errors(answer)) == (400, [("InvalidInput", message)])


def test_filters(
    state: State, caller: Caller, order: dict[str, Any], move: Move
) -> None:
    refund(state, order)
    move(timedelta(minutes=3))
    by_order = {"relatedIdentifierName": "ORDER_ID"}

    def count(**parameters: str) -> int:
        answer = caller.call("GET", PATH, params=parameters)
        return len(answer.json()["payload"]["transactions"])

    assert count(postedAfter=SINCE, marketplaceId="ATVPDKIKX0DER") == 1
    assert count(postedAfter=SINCE, marketplaceId="A2EUQ1WTGCTBG2") == 0
    assert count(**by_order, relatedIdentifierValue=order["orderId"]) == 1
    assert count(**by_order, relatedIdentifierValue="111-0000000-0000000") == 0
    assert count(postedAfter=NOW.isoformat()) == 1
    # Posted before, but not at, this time.
    assert count(postedAfter=SINCE, postedBefore=NOW.isoformat()) == 0
    assert count(postedAfter="2026-05-26T12:01:00Z") == 1
    # More than 180 days: nothing, and no word of it.
    assert count(postedAfter="2026-05-26T11:00:00Z") == 0


def test_the_role_is_needed(state: State, caller: Caller) -> None:
    state.account("A1SANDBOXNA").may_read_finances = False

    answer = caller.call("GET", PATH, params={"postedAfter": SINCE})

    assert answer.status_code == 403
    assert caller.search().status_code == 200


def test_the_control_api_causes_refunds(
    caller: Caller, order: dict[str, Any], move: Move
) -> None:
    path = f"orders/{order['orderId']}/events"
    posted = caller.control("POST", path, {"event": "refund", "is_deferred": True})
    released = caller.control("POST", path, {"event": "release_refund"})
    move(timedelta(minutes=3))

    assert sorted(ids(listed(caller))) == sorted(ids([posted, released]))
