"""Refunds by feed in the sandbox: what Amazon makes of a payment adjustment, and what
it refuses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from saleor_amazon_channel.sandbox import State, events
from wire_orders import wire_item, wire_order

from .conftest import Caller, Move
from .test_feeds import FEEDS, body, call, described, report_of, results, uploaded

TYPE = "POST_PAYMENT_ADJUSTMENT_DATA"
SELLER = "A1SANDBOXEU"
ORDER, OTHER = "111-0000001-0000001", "111-0000001-0000002"
ITEM = "10000000000001"


def message(number: int = 1, order_id: str = ORDER, item: str | None = None) -> str:
    return (
        f"<Message><MessageID>{number}</MessageID><OrderAdjustment>"
        f"<AmazonOrderID>{order_id}</AmazonOrderID><ActionType>Refund</ActionType>"
        f"{item or adjusted()}</OrderAdjustment></Message>"
    )


def adjusted(
    *components: str, code: str = ITEM, reason: str = "CustomerReturn", after: str = ""
) -> str:
    given = "".join(components) or component()
    return (
        f"<AdjustedItem><AmazonOrderItemCode>{code}</AmazonOrderItemCode>"
        f"<AdjustmentReason>{reason}</AdjustmentReason>"
        f"<ItemPriceAdjustments>{given}</ItemPriceAdjustments>{after}</AdjustedItem>"
    )


def component(
    name: str = "Principal", amount: str = "5.00", currency: str = "EUR"
) -> str:
    return (
        f"<Component><Type>{name}</Type>"
        f'<Amount currency="{currency}">{amount}</Amount></Component>'
    )


def envelope(*messages: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header>'
        "<DocumentVersion>1.01</DocumentVersion>"
        f"<MerchantIdentifier>{SELLER}</MerchantIdentifier></Header>"
        f"<MessageType>OrderAdjustment</MessageType>{''.join(messages)}"
        "</AmazonEnvelope>"
    ).encode()


@pytest.fixture
def orders(state: State) -> State:
    """Two shipped orders of one mug for 19.90."""
    state.put_orders(
        [wire_order(each, items=[wire_item(ITEM)]) for each in (ORDER, OTHER)]
    )
    for order_id in (ORDER, OTHER):
        events.ship(state, order_id)
    return state


def processed(caller: Caller, move: Move, *messages: str) -> list[object]:
    """The results in the report of a feed of these messages."""
    document_id = uploaded(caller, envelope(*messages))
    answer = call(caller, "POST", FEEDS, json=body(document_id, feedType=TYPE))
    feed_id = str(answer.json()["feedId"])
    move(timedelta(minutes=2))
    assert described(caller, feed_id)["processingStatus"] == "DONE"
    return list(results(report_of(caller, feed_id)))


def refunded(state: State, order_id: str = ORDER) -> dict[str, Decimal]:
    return state.transactions.refunded.get((order_id, ITEM), {})


def test_a_refund_is_made_and_told_of(
    caller: Caller, orders: State, move: Move
) -> None:
    assert processed(caller, move, message()) == []

    assert refunded(orders) == {"Principal": Decimal("5.00")}
    [posted] = orders.transactions.all_of(SELLER)
    assert posted.payload["transactionType"] == "Refund"
    assert posted.payload["totalAmount"]["currencyAmount"] == -4.4
    assert posted.related("ORDER_ID") == ORDER


def test_above_what_is_left_it_is_refused_and_touches_no_other(
    caller: Caller, orders: State, move: Move
) -> None:
    whole = adjusted(component(amount="19.90"))
    assert processed(caller, move, message(item=whole)) == []

    assert processed(caller, move, message(1), message(2, OTHER)) == [("1", "90012")]
    assert refunded(orders) == {"Principal": Decimal("19.90")}
    assert refunded(orders, OTHER) == {"Principal": Decimal("5.00")}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (adjusted(component("Tax", "1.00")), "90015"),
        (adjusted(component(currency="GBP")), "90014"),
        (adjusted(code="99999999999999"), "90013"),
        (adjusted() + adjusted(), "90013"),
        (adjusted(component("RestockingFee", "-5.00"), component()), "90012"),
    ],
)
def test_what_cannot_be_refunded(
    caller: Caller, orders: State, move: Move, item: str, code: str
) -> None:
    assert processed(caller, move, message(item=item)) == [("1", code)]
    assert refunded(orders) == {}


def test_nothing_was_charged_for_what_is_not_shipped(
    caller: Caller, state: State, move: Move
) -> None:
    state.put_orders([wire_order(ORDER, items=[wire_item(ITEM)])])

    assert processed(caller, move, message()) == [("1", "90012")]


@pytest.mark.parametrize(
    "item",
    [
        adjusted(reason="Whim"),
        adjusted(component("Gift")),
        adjusted(component(amount="5.001")),
        adjusted(component(currency="CHF")),
        adjusted(component().replace(' currency="EUR"', "")),
        adjusted(code="123"),
        adjusted(after="<MerchantAdjustmentItemID>1</MerchantAdjustmentItemID>"),
        adjusted().replace(component(), ""),
        "",
    ],
)
def test_what_does_not_follow_the_schema_costs_the_whole_feed(
    caller: Caller, orders: State, move: Move, item: str
) -> None:
    wrong = message(1).replace(adjusted(), item)

    assert processed(caller, move, wrong, message(2, OTHER)) == [("0", "5001")]
    assert refunded(orders, OTHER) == {}
