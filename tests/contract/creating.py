"""The contract of ``create_orders`` and ``figures``."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contract.drafts import ADDRESS, BILLING_ADDRESS, NO_MONEY, draft, line, price
from contract.fixtures import Goods, blocked, create, created
from saleor_amazon_channel.store.contract import (
    BlockedOrder,
    BlockerCode,
    CreatedOrder,
    ShopOrderFigures,
)

pytestmark = pytest.mark.django_db

ID = "302-1234567-0000001"
OTHER_ID = "302-1234567-0000002"


def test_the_order_is_amazons_to_the_cent(shop, store, goods: Goods):
    mug, cup = goods.add("MUG", 5, name="Mug"), goods.add("CUP", 5, name="Cup")
    order = draft(
        ID,
        [
            line("MUG", 3, price("35.69", "29.99"), item="item-1"),
            line(
                "CUP",
                2,
                price("17.80", "14.96"),
                item="item-2",
                undiscounted_total=price("19.80", "16.64"),
            ),
        ],
    )

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert answer.is_new
    assert answer.amazon_order_id == ID
    assert answer.number == seen.number
    assert seen.external_reference == ID
    assert seen.channel_id == goods.channel.id
    assert seen.currency == "EUR"
    assert seen.created_at == order.created_at
    assert seen.total == price("58.48", "49.14")
    assert seen.undiscounted_total == price("60.48", "50.82")
    assert seen.shipping == price("4.99", "4.19")
    assert seen.shipping_tax_rate == Decimal("0.19")
    assert seen.shipping_method_id == goods.channel.shipping_methods[0].id
    assert seen.shipping_method_name == f"Standard (Amazon standard, {ID})"
    assert seen.display_gross_prices
    assert seen.language_code == "de"
    assert seen.customer_note == "Please leave it with the neighbour."
    assert seen.status == "unfulfilled"
    assert seen.fulfillments == ()
    assert [
        (each.line_id, each.sku, each.name, each.variant_id, each.quantity)
        for each in seen.lines
    ] == [
        (answer.line_ids["item-1"], "MUG", "Mug", mug, 3),
        (answer.line_ids["item-2"], "CUP", "Cup", cup, 2),
    ]
    assert [
        (each.total, each.undiscounted_total, each.unit_price, each.tax_rate)
        for each in seen.lines
    ] == [
        (
            price("35.69", "29.99"),
            price("35.69", "29.99"),
            price("11.90", "10.00"),
            Decimal("0.19"),
        ),
        (
            price("17.80", "14.96"),
            price("19.80", "16.64"),
            price("8.90", "7.48"),
            Decimal("0.19"),
        ),
    ]


def test_an_order_has_both_addresses_and_its_metadata(shop, store, goods: Goods):
    goods.add("MUG", 5)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG")]))])

    seen = shop.order(created(answer).order_id)
    assert seen.shipping_address == ADDRESS
    assert seen.billing_address == BILLING_ADDRESS
    assert seen.metadata == {
        "amazon.orderId": ID,
        "amazon.printedNumber": seen.number,
        "amazon.programs": "PRIME",
    }
    assert seen.private_metadata["amazon.proceeds"] == "7.00"
    assert seen.lines[0].metadata == {"amazon.asin": "B000TEST00"}


def test_an_order_may_come_without_addresses(shop, store, goods: Goods):
    goods.add("MUG", 5)
    order = draft(ID, [line("MUG")], shipping_address=None, billing_address=None)

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.shipping_address is None
    assert seen.billing_address is None


def test_the_money_is_charged_with_amazons_order_id_as_reference(
    shop, store, goods: Goods
):
    goods.add("MUG", 5)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG")]))])

    (charge,) = shop.order(created(answer).order_id).transactions
    assert (charge.psp_reference, charge.currency, charge.charged) == (
        ID,
        "EUR",
        Decimal("16.89"),
    )


def test_a_currency_without_decimals(shop, store):
    goods = Goods(shop, shop.create_channel("amazon-jp", "JPY", country="JP"))
    goods.add("MUG", 5)
    order = draft(
        "250-1234567-0000001",
        [line("MUG", 3, price("1000", "909"), tax_rate=Decimal("0.1"))],
        marketplace_id="A1VC38T7YXB528",
        marketplace_name="Amazon.co.jp",
        currency="JPY",
        shipping=price("410", "373"),
        shipping_tax_rate=Decimal("0.1"),
        language_code="ja",
    )

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert (seen.currency, seen.total) == ("JPY", price("1410", "1282"))
    assert seen.lines[0].total == price("1000", "909")
    assert seen.lines[0].unit_price == price("333", "303")
    assert seen.transactions[0].charged == Decimal(1410)


def test_tax_on_top(shop, store):
    goods = Goods(shop, shop.create_channel("amazon-us", "USD", country="US"))
    goods.add("MUG", 5)
    order = draft(
        "111-1234567-0000001",
        [line("MUG", 1, price("21.65", "19.99"), tax_rate=Decimal("0.083"))],
        marketplace_id="ATVPDKIKX0DER",
        marketplace_name="Amazon.com",
        currency="USD",
        shipping=NO_MONEY,
        shipping_tax_rate=None,
        display_gross_prices=False,
        language_code="en",
    )

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.total == price("21.65", "19.99")
    assert not seen.display_gross_prices
    assert seen.lines[0].tax_rate == Decimal("0.083")


def test_a_free_order(shop, store, goods: Goods):
    goods.add("MUG", 5)
    order = draft(ID, [line("MUG", 1, NO_MONEY, tax_rate=None)], shipping=NO_MONEY)

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.total == NO_MONEY
    assert not seen.lines[0].tax_rate


def test_the_lines_keep_amazons_order(shop, store, goods: Goods):
    skus = [f"MUG-{number}" for number in range(9)]
    for sku in skus:
        goods.add(sku, 5)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line(sku) for sku in skus]))])

    assert [each.sku for each in shop.order(created(answer).order_id).lines] == skus


def test_two_items_of_one_sku_are_two_lines(shop, store, goods: Goods):
    goods.add("MUG", 5)
    order = draft(ID, [line("MUG", 2, item="item-1"), line("MUG", 3, item="item-2")])

    (answer,) = create(shop, store, [goods.new(order)])

    assert [
        (each.line_id, each.quantity)
        for each in shop.order(created(answer).order_id).lines
    ] == [(answer.line_ids["item-1"], 2), (answer.line_ids["item-2"], 3)]
    assert goods.stock("MUG") == (5, 5)


def test_figures_are_what_the_shop_has(shop, store, goods: Goods):
    goods.add("MUG", 5)
    goods.add("CUP", 5)
    order = draft(ID, [line("MUG", 3, shipped=1), line("CUP", 2)])
    (answer,) = create(shop, store, [goods.new(order)])

    assert store.figures([created(answer).order_id]) == {
        answer.order_id: ShopOrderFigures(
            order_id=answer.order_id,
            number=answer.number,
            status="partially fulfilled",
            currency="EUR",
            total=Decimal("64.49"),
            total_charged=Decimal("64.49"),
            lines=(
                ("MUG", 3, Decimal("35.70")),
                ("CUP", 2, Decimal("23.80")),
            ),
            shipping=Decimal("4.99"),
            allocated=4,
            fulfilled=1,
        )
    }


def test_figures_cost_the_same_for_one_order_and_for_many(shop, store, goods: Goods):
    goods.add("MUG", 20)
    ids = [
        created(answer).order_id
        for answer in create(
            shop,
            store,
            [goods.new(draft(f"{ID}{n}", [line("MUG")])) for n in range(5)],
        )
    ]

    with CaptureQueriesContext(connection) as one:
        store.figures(ids[:1])
    with CaptureQueriesContext(connection) as many:
        assert set(store.figures(ids)) == set(ids)

    assert len(many) == len(one)


def test_all_orders_of_the_shop_that_say_they_are_an_amazon_order(
    shop, store, goods: Goods
):
    goods.add("MUG", 20)
    first, second, third = (
        created(answer).order_id
        for answer in create(
            shop,
            store,
            [goods.new(draft(f"{ID}{n}", [line("MUG")])) for n in range(3)],
        )
    )
    again = shop.make_again(first)
    with shop.writer(), transaction.atomic():
        store.cancel_orders([third], "Cancelled on Amazon.")

    with CaptureQueriesContext(connection) as queries:
        found = store.orders_of([f"{ID}{n}" for n in range(4)])

    assert {id_: sorted(ids) for id_, ids in found.items()} == {
        f"{ID}0": sorted([first, again]),
        f"{ID}1": [second],
    }
    assert len(queries) == 1
    assert store.orders_of([]) == {}


# --- stock ---------------------------------------------------------------------------


def test_stock_is_allocated_and_stays_in_the_warehouse(shop, store, goods: Goods):
    goods.add("MUG", 5)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 2)]))])

    assert goods.stock("MUG") == (5, 2)
    (seen,) = shop.order(created(answer).order_id).lines
    assert seen.allocations == {goods.warehouse_id: 2}


def test_warehouses_are_used_in_the_order_of_the_mapping(shop, store, goods: Goods):
    goods.add("MUG", 2, 5)
    second, first = (warehouse.id for warehouse in goods.channel.warehouses)
    new = dataclasses.replace(
        goods.new(draft(ID, [line("MUG", 6)])), warehouse_ids=(first, second)
    )

    (answer,) = create(shop, store, [new])

    (seen,) = shop.order(created(answer).order_id).lines
    assert seen.allocations == {first: 5, second: 1}


def test_only_mapped_warehouses_are_used(shop, store, goods: Goods):
    goods.add("MUG", 5, 5)
    new = dataclasses.replace(
        goods.new(draft(ID, [line("MUG", 6)])),
        warehouse_ids=(goods.channel.warehouses[1].id,),
    )

    (answer,) = create(shop, store, [new])

    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.OUT_OF_STOCK
    ]


def test_stock_promised_to_others_is_not_there(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 5)
    assert shop.sell(goods.channel.id, variant_id, 4)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 2)]))])

    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.OUT_OF_STOCK
    ]
    assert goods.stock("MUG") == (5, 4)


def test_an_order_without_stock_writes_nothing_and_does_not_touch_its_neighbours(
    shop, store, goods: Goods
):
    goods.add("MUG", 3)
    goods.add("CUP", 1)
    before = shop.order_count()

    first, short, last = create(
        shop,
        store,
        [
            goods.new(draft(f"{ID}-a", [line("MUG", 1)])),
            goods.new(draft(f"{ID}-b", [line("MUG", 2), line("CUP", 2)])),
            goods.new(draft(f"{ID}-c", [line("MUG", 2), line("CUP", 1)])),
        ],
    )

    assert created(first).is_new
    assert created(last).is_new
    assert [(each.code, each.subject) for each in blocked(short).blockers] == [
        (BlockerCode.OUT_OF_STOCK, "CUP")
    ]
    assert shop.order_count() == before + 2
    assert goods.stock("MUG") == (3, 3)
    assert goods.stock("CUP") == (1, 1)


def test_every_sku_that_is_short_is_named(shop, store, goods: Goods):
    goods.add("MUG", 1)
    goods.add("CUP", 0)
    goods.add("POT", 9)
    order = draft(
        ID,
        [
            line("MUG", 1, item="1"),
            line("MUG", 1, item="2"),
            line("CUP"),
            line("POT"),
        ],
    )

    (answer,) = create(shop, store, [goods.new(order)])

    assert [(each.code, each.subject) for each in blocked(answer).blockers] == [
        (BlockerCode.OUT_OF_STOCK, "MUG"),
        (BlockerCode.OUT_OF_STOCK, "CUP"),
    ]


def test_a_blocked_order_is_created_once_there_is_stock(shop, store, goods: Goods):
    variant_id = goods.add("MUG", 1)
    new = goods.new(draft(ID, [line("MUG", 2)]))
    blocked(create(shop, store, [new])[0])
    shop.set_stock(variant_id, goods.warehouse_id, 2)

    (answer,) = create(shop, store, [new])

    assert created(answer).is_new
    assert goods.stock("MUG") == (2, 2)


def test_what_is_not_tracked_is_never_short(shop, store, goods: Goods):
    goods.add("GIFT-WRAP", 0, tracks_inventory=False)
    order = draft(ID, [line("GIFT-WRAP", 3, shipped=1)])

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.lines[0].allocations == {}
    assert seen.lines[0].quantity_fulfilled == 1
    assert goods.stock("GIFT-WRAP") == (0, 0)


# --- what has left already -----------------------------------------------------------


def test_units_already_shipped_are_taken_from_stock_and_the_rest_is_allocated(
    shop, store, goods: Goods
):
    goods.add("MUG", 5)
    goods.add("CUP", 5)
    order = draft(ID, [line("MUG", 3, shipped=2), line("CUP", 1)])

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.status == "partially fulfilled"
    assert [each.quantity_fulfilled for each in seen.lines] == [2, 0]
    (package,) = seen.fulfillments
    assert package.status == "fulfilled"
    assert package.lines == {answer.line_ids["item-MUG"]: 2}
    assert seen.lines[0].allocations == {goods.warehouse_id: 1}
    assert goods.stock("MUG") == (3, 1)
    assert goods.stock("CUP") == (5, 1)


def test_a_shipped_order_arrives_fulfilled(shop, store, goods: Goods):
    goods.add("MUG", 5)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 2, shipped=2)]))])

    seen = shop.order(created(answer).order_id)
    assert seen.status == "fulfilled"
    assert goods.stock("MUG") == (3, 0)


def test_units_already_shipped_are_taken_only_as_far_as_there_are_any(
    shop, store, goods: Goods
):
    goods.add("MUG", 1, 2)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 5, shipped=5)]))])

    assert shop.order(created(answer).order_id).status == "fulfilled"
    assert goods.stock("MUG", 0) == (0, 0)
    assert goods.stock("MUG", 1) == (0, 0)


@pytest.mark.parametrize("tracks_inventory", [True, False])
def test_units_of_history_are_not_taken_from_stock_and_the_rest_is_allocated(
    shop, store, goods: Goods, tracks_inventory: bool
):
    goods.add("MUG", 1, 1, tracks_inventory=tracks_inventory)
    goods.add("CUP", 5)
    order = draft(
        ID,
        [
            line("MUG", 4, shipped=2, item="item-1"),
            line("MUG", 3, shipped=3, item="item-2"),
            line("CUP", 2, shipped=2),
        ],
    )
    new = dataclasses.replace(goods.new(order), takes_shipped_units=False)

    (answer,) = create(shop, store, [new])

    seen = shop.order(created(answer).order_id)
    assert seen.status == "partially fulfilled"
    assert [each.quantity_fulfilled for each in seen.lines] == [2, 3, 2]
    (package,) = seen.fulfillments
    assert package.status == "fulfilled"
    assert package.lines == {
        answer.line_ids["item-1"]: 2,
        answer.line_ids["item-2"]: 3,
        answer.line_ids["item-CUP"]: 2,
    }
    allocated = 1 if tracks_inventory else 0
    assert goods.stock("MUG", 0) == (1, allocated)
    assert goods.stock("MUG", 1) == (1, allocated)
    assert goods.stock("CUP") == (5, 0)


def test_a_shipped_order_of_history_needs_no_stock_and_touches_none(
    shop, store, goods: Goods
):
    goods.add("MUG", 1)
    order = draft(ID, [line("MUG", 2, shipped=2)])
    new = dataclasses.replace(goods.new(order), takes_shipped_units=False)

    (answer,) = create(shop, store, [new])

    seen = shop.order(created(answer).order_id)
    assert (seen.status, seen.lines[0].quantity_fulfilled) == ("fulfilled", 2)
    assert goods.stock("MUG") == (1, 0)


def test_the_rest_of_a_shipped_order_needs_stock(shop, store, goods: Goods):
    goods.add("MUG", 2)

    (answer,) = create(shop, store, [goods.new(draft(ID, [line("MUG", 3, shipped=1)]))])

    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.OUT_OF_STOCK
    ]
    assert goods.stock("MUG") == (2, 0)


def test_what_amazon_fulfils_arrives_fulfilled_and_touches_no_stock(
    shop, store, goods: Goods
):
    goods.add("MUG", 1)
    order = draft(ID, [line("MUG", 2, shipped=2)], is_amazon_fulfilled=True)

    (answer,) = create(shop, store, [goods.new(order)])

    seen = shop.order(created(answer).order_id)
    assert seen.status == "fulfilled"
    assert seen.lines[0].quantity_fulfilled == 2
    assert seen.lines[0].allocations == {}
    assert [package.lines for package in seen.fulfillments] == [
        {answer.line_ids["item-MUG"]: 2}
    ]
    assert goods.stock("MUG") == (1, 0)


# --- what would block ----------------------------------------------------------------


def test_what_would_block_is_told_as_creating_would_and_nothing_is_written(
    shop, store, goods: Goods
):
    goods.add("MUG", 3)
    goods.add("CUP", 1)
    new_orders = [
        goods.new(draft(f"{ID}-a", [line("MUG", 1)])),
        goods.new(draft(f"{ID}-b", [line("MUG", 2), line("CUP", 2)])),
        goods.new(draft(f"{ID}-c", [line("MUG", 2), line("CUP", 1)])),
        goods.new(draft(f"{ID}-d", [line("MUG", 1)], currency="USD")),
        goods.new(draft(f"{ID}-e", [line("MUG", 9, shipped=9)])),
        goods.new(draft(f"{ID}-c", [line("MUG", 2), line("CUP", 1)])),
    ]
    before = shop.order_count()

    with shop.writer(), transaction.atomic():
        told = list(store.would_block(new_orders))

    assert shop.order_count() == before
    assert (goods.stock("MUG"), goods.stock("CUP")) == ((3, 0), (1, 0))
    answers = create(shop, store, new_orders)
    assert told == [getattr(answer, "blockers", ()) for answer in answers]
    assert [[blocker.code for blocker in each] for each in told] == [
        [],
        [BlockerCode.OUT_OF_STOCK],
        [],
        [BlockerCode.CHANNEL_MISMATCH],
        [],
        [],
    ]
    # An order that is there is not in its own way.
    with shop.writer(), transaction.atomic():
        assert store.would_block(new_orders[2:3]) == [()]


def test_asking_what_would_block_draws_no_order_number(shop, store, goods: Goods):
    goods.add("MUG", 3)
    (first,) = create(shop, store, [goods.new(draft(ID, [line("MUG")]))])
    with shop.writer(), transaction.atomic():
        store.would_block([goods.new(draft(f"{ID}-b", [line("MUG")]))])
    (second,) = create(shop, store, [goods.new(draft(OTHER_ID, [line("MUG")]))])

    assert int(created(second).number) == int(created(first).number) + 1


# --- once, and whole or not at all ---------------------------------------------------


def test_creating_again_answers_the_same_order_and_writes_nothing(
    shop, store, goods: Goods
):
    goods.add("MUG", 5)
    new = goods.new(
        draft(ID, [line("MUG", 2, item="item-1"), line("MUG", 1, item="item-2")])
    )
    (first,) = create(shop, store, [new])
    before = shop.order(created(first).order_id)

    (again,) = create(shop, store, [new])

    assert again == dataclasses.replace(created(first), is_new=False)
    assert shop.order(first.order_id) == before
    assert goods.stock("MUG") == (5, 3)


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_an_order_that_another_integration_made_is_not_taken_for_ours(
    shop, store, goods: Goods, is_cancelled: bool
):
    goods.add("MUG", 5)
    new = goods.new(draft(ID, [line("MUG", 2)]))
    (first,) = create(shop, store, [new])
    if is_cancelled:
        shop.cancel_order(created(first).order_id)
    shop.disown(created(first).order_id)
    before = shop.order(created(first).order_id)

    (again,) = create(shop, store, [new])

    assert isinstance(again, BlockedOrder)
    (blocker,) = again.blockers
    assert f"Order {created(first).number} ({before.status})" in blocker.message
    assert "external reference" in blocker.message
    with shop.writer(), transaction.atomic():
        assert store.would_block([new]) == [again.blockers]
    assert shop.order(created(first).order_id) == before


def test_an_order_given_twice_in_a_batch_is_created_once(shop, store, goods: Goods):
    goods.add("MUG", 5)
    new = goods.new(draft(ID, [line("MUG", 2)]))

    first, second = create(shop, store, [new, new])

    assert created(first).order_id == created(second).order_id
    assert [first.is_new, second.is_new] == [True, False]
    assert goods.stock("MUG") == (5, 2)


def test_answers_come_in_the_order_of_the_questions(shop, store, goods: Goods):
    goods.add("MUG", 5)
    goods.add("CUP", 0)
    (old,) = create(shop, store, [goods.new(draft(f"{ID}-3", [line("MUG")]))])

    answers = create(
        shop,
        store,
        [
            goods.new(draft(f"{ID}-{number}", [line(sku)]))
            for number, sku in ((4, "MUG"), (3, "MUG"), (2, "CUP"), (1, "MUG"))
        ],
    )

    assert [answer.amazon_order_id for answer in answers] == [
        f"{ID}-4",
        f"{ID}-3",
        f"{ID}-2",
        f"{ID}-1",
    ]
    assert [type(answer) is CreatedOrder and answer.is_new for answer in answers] == [
        True,
        False,
        False,
        True,
    ]
    assert answers[1] == dataclasses.replace(created(old), is_new=False)


def test_nothing_to_create_is_nothing_created(shop, store):
    assert create(shop, store, []) == []


def test_a_rollback_leaves_nothing(shop, store, goods: Goods):
    goods.add("MUG", 5)
    before = shop.order_count()
    new = goods.new(draft(ID, [line("MUG", 3, shipped=1)]))

    with shop.writer(), transaction.atomic():
        store.create_orders([new])
        transaction.set_rollback(True)

    assert shop.order_count() == before
    assert goods.stock("MUG") == (5, 0)
    assert created(create(shop, store, [new])[0]).is_new


@pytest.mark.django_db(transaction=True)
def test_creating_outside_a_transaction_is_refused(shop, store, goods: Goods):
    goods.add("MUG", 5)
    before = shop.order_count()

    with pytest.raises(RuntimeError, match="transaction"):
        store.create_orders([goods.new(draft(ID, [line("MUG")]))])

    assert shop.order_count() == before


def test_a_batch_costs_the_same_as_one_order(shop, store, goods: Goods):
    for number in range(12):
        goods.add(f"MUG-{number}", 9, 9)

    def statements(name: str, orders: int) -> list[str]:
        batch = [
            goods.new(
                draft(
                    f"{ID}-{name}-{number}",
                    [
                        line(f"MUG-{number}", 3, shipped=1),
                        line(
                            f"MUG-{number + 1}",
                            undiscounted_total=price("20.00", "16.81"),
                        ),
                    ],
                )
            )
            for number in range(orders)
        ]
        with CaptureQueriesContext(connection) as queries:
            assert {type(answer) for answer in create(shop, store, batch)} == {
                CreatedOrder
            }
        return [
            query["sql"][:60]
            for query in queries
            # Their names count up where the test itself is in a transaction.
            if "SAVEPOINT" not in query["sql"]
        ]

    assert statements("one", 1) == statements("many", 10)


def test_no_email_leaves_and_the_order_has_no_address_to_write_to(
    shop,
    store,
    goods: Goods,
    django_capture_on_commit_callbacks,
):
    goods.add("MUG", 9)

    with django_capture_on_commit_callbacks(execute=True):
        answers = create(
            shop,
            store,
            [
                goods.new(draft(f"{ID}-{shipped}", [line("MUG", 2, shipped=shipped)]))
                for shipped in range(3)
            ],
        )

    assert list(shop.emails()) == []
    assert [
        shop.order(created(answer).order_id).customer_email for answer in answers
    ] == ["", "", ""]


# --- what does not fit ---------------------------------------------------------------


def test_another_currency_than_the_channels_is_blocked(shop, store, goods: Goods):
    goods.add("MUG", 5)
    order = draft(ID, [line("MUG")], currency="GBP")

    (answer,) = create(shop, store, [goods.new(order)])

    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.CHANNEL_MISMATCH
    ]
    assert goods.stock("MUG") == (5, 0)


@pytest.mark.parametrize("what", ["channel_id", "shipping_method_id", "warehouse_ids"])
def test_what_the_mapping_names_must_be_the_channels(shop, store, goods: Goods, what):
    goods.add("MUG", 5)
    other = shop.create_channel("other", "EUR", country="DE")
    gone = {
        "channel_id": "999999",
        "shipping_method_id": other.shipping_methods[0].id,
        "warehouse_ids": (goods.warehouse_id, other.warehouses[0].id),
    }
    new = dataclasses.replace(goods.new(draft(ID, [line("MUG")])), **{what: gone[what]})

    (answer,) = create(shop, store, [new])

    assert [each.code for each in blocked(answer).blockers] == [
        BlockerCode.CHANNEL_MISMATCH
    ]
    assert goods.stock("MUG") == (5, 0)


def test_a_variant_that_is_gone_is_an_unknown_sku(shop, store, goods: Goods):
    goods.add("MUG", 5)
    new = dataclasses.replace(
        goods.new(draft(ID, [line("MUG")])), variant_ids={"MUG": "999999"}
    )

    (answer,) = create(shop, store, [new])

    assert [(each.code, each.subject) for each in blocked(answer).blockers] == [
        (BlockerCode.UNKNOWN_SKU, "MUG")
    ]


def test_an_address_that_is_too_long_is_blocked_without_quoting_it(
    shop, store, goods: Goods
):
    goods.add("MUG", 5)
    street = "Long Street " * 30
    order = draft(
        ID,
        [line("MUG")],
        shipping_address=dataclasses.replace(ADDRESS, street_address_1=street),
    )

    (answer,) = create(shop, store, [goods.new(order)])

    assert [(each.code, each.subject) for each in blocked(answer).blockers] == [
        (BlockerCode.BAD_ADDRESS, "street_address_1")
    ]
    assert "Long Street" not in blocked(answer).blockers[0].message
