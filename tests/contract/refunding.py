"""The contract of ``record_refund``: what Amazon refunded is on the shop's order."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction

from contract.drafts import draft, line, price
from contract.driver import OrderView, StaffDriver
from contract.fixtures import Goods, create, created
from saleor_amazon_channel import clock
from saleor_amazon_channel.store.contract import (
    CreatedOrder,
    RecordedRefund,
    RefundDraft,
    RefundedLine,
    Store,
)

pytestmark = pytest.mark.django_db

ID = "302-7654321-0000001"
#: Three times 11.90, and 11.90, and 4.99 for shipping.
TOTAL = Decimal("52.59")


@pytest.fixture
def refundable(shop: StaffDriver, store: Store, goods: Goods) -> CreatedOrder:
    """Three mugs and a cup, all shipped."""
    goods.add("MUG", 9)
    goods.add("CUP", 9)
    lines = [line("MUG", 3, shipped=3), line("CUP", shipped=1)]
    [answer] = create(shop, store, [goods.new(draft(ID, lines))])
    return created(answer)


def refund(
    amount: str, reference: str = "T-1", *lines: RefundedLine, **changes: object
) -> RefundDraft:
    return dataclasses.replace(
        RefundDraft(
            reference=reference,
            amount=Decimal(amount),
            currency="EUR",
            refunded_at=clock.now() - timedelta(hours=1),
            reason="Refunded on Amazon: a mug.",
            lines=lines,
        ),
        **changes,
    )


def record(
    shop: StaffDriver, store: Store, order_id: str, *refunds: RefundDraft
) -> list[RecordedRefund]:
    answers = []
    for each in refunds:
        with shop.writer(), transaction.atomic():
            store.order_state(order_id)
            answers.append(store.record_refund(order_id, each))
    return answers


def money(view: OrderView) -> tuple[Decimal, Decimal]:
    """Charged and refunded."""
    [item] = view.transactions
    return item.charged, item.refunded


def test_a_refund_moves_money_and_shows_its_lines(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    before = shop.order(refundable.order_id)
    mug = refundable.line_ids["item-MUG"]

    answers = record(
        shop,
        store,
        refundable.order_id,
        refund("11.90", "T-1", RefundedLine(mug, 1, "11.90 of its price")),
    )

    assert answers == [RecordedRefund(Decimal("11.90"))]
    view = shop.order(refundable.order_id)
    assert money(view) == (Decimal("40.69"), Decimal("11.90"))
    [shown] = view.refunds
    assert (shown.psp_reference, shown.amount) == ("T-1", Decimal("11.90"))
    assert shown.reason == "Refunded on Amazon: a mug."
    assert shown.lines == {mug: 1}
    assert shown.line_reasons == {mug: "11.90 of its price"}
    assert not shown.is_shipping_included
    # Nothing else is another than it was.
    unmoved = {"transactions": before.transactions, "refunds": ()}
    assert dataclasses.replace(view, **unmoved) == before
    assert goods.stock("MUG") == (6, 0)
    figures = store.figures([refundable.order_id])[refundable.order_id]
    assert (figures.total, figures.total_charged) == (TOTAL, Decimal("40.69"))
    assert shop.emails() == []


def test_recorded_again_it_is_there_once(shop, store, refundable: CreatedOrder):
    mug = refundable.line_ids["item-MUG"]
    given = refund("11.90", "T-1", RefundedLine(mug, 1, "its price"))
    record(shop, store, refundable.order_id, given)
    before = shop.order(refundable.order_id)

    answers = record(shop, store, refundable.order_id, given, given)

    assert answers == [RecordedRefund(Decimal("11.90"))] * 2
    assert shop.order(refundable.order_id) == before


def test_two_of_the_same_amount_are_two(shop, store, refundable: CreatedOrder):
    mug = refundable.line_ids["item-MUG"]
    lines = RefundedLine(mug, 1, "its price")
    record(
        shop,
        store,
        refundable.order_id,
        refund("11.90", "T-1", lines),
        refund("11.90", "T-2", lines),
    )

    view = shop.order(refundable.order_id)
    assert money(view) == (Decimal("28.79"), Decimal("23.80"))
    assert [each.psp_reference for each in view.refunds] == ["T-1", "T-2"]
    assert [each.lines for each in view.refunds] == [{mug: 1}] * 2


def test_a_refund_of_no_line_shows_none(shop, store, refundable: CreatedOrder):
    record(shop, store, refundable.order_id, refund("4.99", is_shipping_included=True))

    [shown] = shop.order(refundable.order_id).refunds
    assert (shown.lines, shown.is_shipping_included) == ({}, True)


def test_a_part_of_a_price_is_on_its_line_and_takes_no_unit(
    shop, store, refundable: CreatedOrder
):
    cup = refundable.line_ids["item-CUP"]
    record(
        shop,
        store,
        refundable.order_id,
        refund("2.00", "T-1", RefundedLine(cup, 0, "2.00 of its price")),
        refund("9.90", "T-2", RefundedLine(cup, 1, "9.90 of its price")),
    )

    shown = shop.order(refundable.order_id).refunds
    assert [each.lines for each in shown] == [{cup: 0}, {cup: 1}]


def test_a_line_never_has_more_units_refunded_than_it_has(
    shop, store, refundable: CreatedOrder
):
    cup = refundable.line_ids["item-CUP"]
    lines = RefundedLine(cup, 1, "its price")
    gone = RefundedLine(str(uuid4()), 1, "a line that the shop does not have")
    record(
        shop,
        store,
        refundable.order_id,
        refund("5.00", "T-1", lines, gone),
        refund("5.00", "T-2", lines),
    )

    shown = shop.order(refundable.order_id).refunds
    assert [each.lines for each in shown] == [{cup: 1}, {cup: 0}]


def test_of_what_is_charged_nothing_more_than_all_is_refunded(
    shop, store, refundable: CreatedOrder
):
    answers = record(
        shop,
        store,
        refundable.order_id,
        refund("50.00", "T-1"),
        refund("5.00", "T-2"),
        refund("5.00", "T-3"),
    )

    assert [each.amount for each in answers] == [
        Decimal("50.00"),
        Decimal("2.59"),
        Decimal(0),
    ]
    assert answers[2].problem == "Nothing is charged for the order any more."
    view = shop.order(refundable.order_id)
    assert money(view) == (Decimal(0), TOTAL)
    assert [each.amount for each in view.refunds] == [Decimal("50.00"), Decimal("2.59")]
    # And again.
    assert record(shop, store, refundable.order_id, refund("5.00", "T-2")) == [
        answers[1]
    ]
    assert money(shop.order(refundable.order_id)) == (Decimal(0), TOTAL)


@pytest.mark.parametrize(("first", "then"), [("10.00", "11.90"), ("11.90", "10.00")])
def test_amazon_may_correct_the_amount(
    shop, store, refundable: CreatedOrder, first: str, then: str
):
    mug = refundable.line_ids["item-MUG"]
    record(
        shop,
        store,
        refundable.order_id,
        refund(first, "T-1", RefundedLine(mug, 1, "as it was")),
        refund("1.00", "T-2"),
        refund(then, "T-1", RefundedLine(mug, 0, "as it is"), reason="Corrected."),
        refund(then, "T-1", RefundedLine(mug, 0, "as it is"), reason="Corrected."),
    )

    view = shop.order(refundable.order_id)
    refunded = Decimal(then) + 1
    assert money(view) == (TOTAL - refunded, refunded)
    corrected, other = view.refunds
    assert (corrected.psp_reference, other.psp_reference) == ("T-1", "T-2")
    assert (corrected.amount, corrected.reason) == (Decimal(then), "Corrected.")
    assert corrected.line_reasons == {mug: "as it is"}
    assert other.amount == Decimal("1.00")


def test_what_was_cancelled_is_not_refunded_twice(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    [answer] = create(shop, store, [goods.new(draft("302-1", [line("MUG")]))])
    other = created(answer)
    with shop.writer(), transaction.atomic():
        store.cancel_orders([other.order_id], "Cancelled on Amazon.")
    before = shop.order(other.order_id)

    [answer] = record(shop, store, other.order_id, refund("11.90"))

    assert answer == RecordedRefund(
        Decimal(0), "Nothing is charged for the order any more."
    )
    assert shop.order(other.order_id) == before


def test_what_was_refunded_before_a_cancellation_is_not_refunded_twice(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    [answer] = create(shop, store, [goods.new(draft("302-1", [line("MUG")]))])
    other = created(answer)
    record(shop, store, other.order_id, refund("10.00"))
    with shop.writer(), transaction.atomic():
        store.cancel_orders([other.order_id], "Cancelled on Amazon.")

    view = shop.order(other.order_id)
    assert view.status == "canceled"
    assert money(view) == (Decimal(0), Decimal("16.89"))


def test_an_order_that_waits_for_confirmation_goes_on_waiting(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    waiting = dataclasses.replace(
        goods.new(draft("302-1", [line("MUG")])), is_unconfirmed=True
    )
    [answer] = create(shop, store, [waiting])
    other = created(answer)

    record(shop, store, other.order_id, refund("1.00"))

    view = shop.order(other.order_id)
    assert view.status == "unconfirmed"
    assert money(view) == (Decimal("15.89"), Decimal("1.00"))


def test_what_is_left_to_ship_can_be_shipped_after_a_refund(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    shop.require_payment()
    lines = [line("MUG", 3, shipped=1)]
    [answer] = create(shop, store, [goods.new(draft("302-1", lines))])
    other = created(answer)
    record(shop, store, other.order_id, refund("11.90"))

    shop.fulfil(
        other.order_id,
        {other.line_ids["item-MUG"]: 2},
        warehouse_id=goods.warehouse_id,
    )

    assert shop.order(other.order_id).status == "fulfilled"


def test_an_order_that_amazon_fulfils_is_refunded_like_others(
    shop, store, goods: Goods, refundable: CreatedOrder
):
    order_draft = draft("302-1", [line("MUG", shipped=1)], is_amazon_fulfilled=True)
    [answer] = create(shop, store, [goods.new(order_draft)])
    other = created(answer)

    record(shop, store, other.order_id, refund("16.89"))

    view = shop.order(other.order_id)
    assert (view.status, money(view)) == ("fulfilled", (Decimal(0), Decimal("16.89")))


def test_amounts_in_yen_have_no_cents(shop: StaffDriver, store: Store):
    channel = shop.create_channel("amazon-jp", "JPY", country="JP")
    goods = Goods(shop, channel)
    goods.add("MUG", 9)
    order_draft = draft(
        "302-1",
        [line("MUG", total=price("1190"), shipped=1)],
        currency="JPY",
        shipping=price("0"),
    )
    [answer] = create(shop, store, [goods.new(order_draft)])
    other = created(answer)

    record(shop, store, other.order_id, refund("190", currency="JPY"))

    assert money(shop.order(other.order_id)) == (Decimal(1000), Decimal(190))


def test_another_currency_is_no_refund_of_the_order(
    shop, store, refundable: CreatedOrder
):
    before = shop.order(refundable.order_id)

    [answer] = record(shop, store, refundable.order_id, refund("1.00", currency="USD"))

    assert answer == RecordedRefund(Decimal(0), "It was refunded in USD, not in EUR.")
    assert shop.order(refundable.order_id) == before


def test_an_order_that_is_gone_has_nothing(shop, store):
    [answer] = record(shop, store, str(uuid4()), refund("1.00"))
    assert answer.amount == 0
    assert "no transaction" in answer.problem


def test_a_rolled_back_refund_leaves_nothing(shop, store, refundable: CreatedOrder):
    before = shop.order(refundable.order_id)

    with shop.writer(), transaction.atomic():
        store.order_state(refundable.order_id)
        store.record_refund(refundable.order_id, refund("11.90"))
        transaction.set_rollback(True)

    assert shop.order(refundable.order_id) == before


@pytest.mark.django_db(transaction=True)
def test_refunding_outside_a_transaction_is_refused(shop, store):
    with shop.writer(), pytest.raises(RuntimeError, match="inside a transaction"):
        store.record_refund(str(uuid4()), refund("1.00"))


def test_a_refund_is_no_shipment(shop, store, refundable: CreatedOrder):
    record(shop, store, refundable.order_id, refund("1.00"))

    day_ago = clock.now() - timedelta(days=1)
    assert list(store.shipments_changed_since(day_ago)) == []
