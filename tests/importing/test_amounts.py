"""Each trap in Amazon's amounts, by example."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.mapping import CannotMap, map_order
from saleor_amazon_channel.store.contract import (
    Blocker,
    BlockerCode,
    Mismatch,
    OrderDraft,
    Price,
)

from .wire_amounts import JP, UK, US, breakdown, item_of, order_of


def draft(wire: dict[str, Any]) -> OrderDraft:
    return map_order(Order.from_wire(wire))


def blockers(wire: dict[str, Any]) -> tuple[Blocker, ...]:
    with pytest.raises(CannotMap) as caught:
        draft(wire)
    return caught.value.blockers


def differ(wire: dict[str, Any]) -> list[str]:
    found = blockers(wire)
    assert {blocker.code for blocker in found} == {BlockerCode.AMOUNTS_DIFFER}
    return [blocker.subject for blocker in found]


def price(gross: str, net: str | None = None) -> Price:
    return Price(gross=Decimal(gross), net=Decimal(net or gross))


# Tax.


def test_without_tax_amounts_net_is_gross_and_no_rate_is_invented():
    mapped = draft(order_of("19.90", [item_of("19.90", breakdown("ITEM", "19.90"))]))

    assert mapped.lines[0].total == price("19.90")
    assert mapped.lines[0].tax_rate is None
    assert mapped.shipping == price("0.00")
    assert mapped.shipping_tax_rate is None
    assert mapped.total == mapped.undiscounted_total == price("19.90")


def test_tax_on_top_is_added_to_the_part_that_details_name():
    item = item_of(
        "27.50",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("TAX", "2.50", {"ITEM": "2.00", "SHIPPING": "0.50"}),
    )

    mapped = draft(order_of("27.50", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("22.00", "20.00")
    assert mapped.lines[0].tax_rate == Decimal("0.1000")
    assert mapped.shipping == price("5.50", "5.00")
    assert mapped.shipping_tax_rate == Decimal("0.1000")
    assert mapped.total == price("27.50", "25.00")


def test_tax_contained_is_taken_out_of_net():
    item = item_of(
        "29.75",
        breakdown("ITEM", "23.80"),
        breakdown("SHIPPING", "5.95"),
        breakdown("TAX", "4.75", {"ITEM": "3.80", "SHIPPING": "0.95"}),
    )

    mapped = draft(order_of("29.75", [item]))

    assert mapped.lines[0].total == price("23.80", "20.00")
    assert mapped.lines[0].tax_rate == Decimal("0.1900")
    assert mapped.shipping == price("5.95", "5.00")
    assert mapped.total == price("29.75", "25.00")


def test_tax_without_details_belongs_to_the_item():
    item = item_of(
        "27.50",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("TAX", "2.50"),
    )

    mapped = draft(order_of("27.50", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("22.50", "20.00")
    assert mapped.shipping == price("5.00")


def test_tax_without_details_belongs_to_shipping_where_the_item_is_free():
    item = item_of(
        "5.50",
        breakdown("ITEM", "0.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("TAX", "0.50"),
    )

    mapped = draft(order_of("5.50", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("0.00")
    assert mapped.shipping == price("5.50", "5.00")


def test_contained_tax_goes_no_further_than_what_contains_it():
    item = item_of(
        "12.00",
        breakdown("ITEM", "2.00"),
        breakdown("SHIPPING", "10.00"),
        breakdown("TAX", "3.00"),
    )

    mapped = draft(order_of("12.00", [item]))

    assert mapped.lines[0].total == price("2.00", "0.00")
    assert mapped.shipping == price("10.00", "9.00")


@pytest.mark.parametrize("tax_on_discount", ["-0.40", "0.40"])
def test_tax_on_the_discount_reduces_the_tax_in_either_sign(tax_on_discount):
    item = item_of(
        "17.60",
        breakdown("ITEM", "20.00"),
        breakdown("DISCOUNT", "4.00", {"ITEM": "4.00"}),
        breakdown("TAX", "1.60", {"ITEM": "2.00", "DISCOUNT": tax_on_discount}),
    )

    mapped = draft(order_of("17.60", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("17.60", "16.00")
    assert mapped.lines[0].undiscounted_total == price("22.00", "20.00")


def test_tax_on_the_discount_follows_the_discount():
    item = item_of(
        "22.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "-5.00", {"SHIPPING": "-5.00"}),
        breakdown(
            "TAX", "2.00", {"ITEM": "2.00", "SHIPPING": "0.50", "DISCOUNT": "-0.50"}
        ),
    )

    mapped = draft(order_of("22.00", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("22.00", "20.00")
    assert mapped.shipping == price("0.00")


def test_tax_on_a_shared_discount_is_shared_in_proportion():
    item = item_of(
        "20.90",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "6.00", {"ITEM": "4.00", "SHIPPING": "2.00"}),
        breakdown(
            "TAX", "1.90", {"ITEM": "2.00", "SHIPPING": "0.50", "DISCOUNT": "-0.60"}
        ),
    )

    mapped = draft(order_of("20.90", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("17.60", "16.00")
    assert mapped.shipping == price("3.30", "3.00")


@pytest.mark.parametrize(
    ("taxed", "line", "shipping"),
    [
        ("SHIPPING", ("15.00", "15.00"), ("3.20", "3.00")),
        ("ITEM", ("15.20", "15.00"), ("3.00", "3.00")),
    ],
)
def test_tax_on_a_shared_discount_reduces_only_tax_that_is_there(taxed, line, shipping):
    item = item_of(
        "18.20",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "7.00", {"ITEM": "5.00", "SHIPPING": "2.00"}),
        breakdown("TAX", "0.20", {taxed: "0.50", "DISCOUNT": "-0.30"}),
    )

    mapped = draft(order_of("18.20", [item], marketplace_id=US))

    assert mapped.lines[0].total == price(*line)
    assert mapped.shipping == price(*shipping)


def test_nothing_is_undiscounted_below_what_is_paid():
    item = item_of(
        "19.00",
        breakdown("ITEM", "20.00"),
        breakdown("DISCOUNT", "1.00", {"ITEM": "1.00"}),
        breakdown("TAX", "0.10", {"ITEM": "3.10", "DISCOUNT": "-3.00"}),
    )

    mapped = draft(order_of("19.00", [item]))

    assert mapped.lines[0].total == price("19.00", "18.90")
    assert mapped.lines[0].undiscounted_total == price("20.00", "18.90")


def test_tax_that_amazon_remits_is_the_buyers_and_is_marked():
    item = item_of(
        "22.00",
        breakdown("ITEM", "20.00"),
        breakdown("TAX", "2.00", {"ITEM": "2.00"}),
        is_facilitated=True,
    )

    mapped = draft(order_of("22.00", [item], marketplace_id=US))

    assert mapped.total == price("22.00", "20.00")
    assert mapped.metadata["amazon.taxRemittedByAmazon"] == "2.00"
    assert mapped.metadata["amazon.taxCollectedBy"] == "Amazon Services, Inc."


def test_tax_that_amazon_keeps_out_of_the_proceeds_stays_out_of_the_order():
    item = item_of(
        "20.00",
        breakdown("ITEM", "20.00"),
        breakdown("TAX", "2.00", {"ITEM": "2.00"}),
        is_facilitated=True,
    )

    mapped = draft(order_of("20.00", [item], marketplace_id=US))

    assert mapped.total == price("20.00")
    assert mapped.lines[0].tax_rate is None
    assert mapped.metadata["amazon.taxRemittedByAmazon"] == "2.00"


def test_tax_outside_the_total_is_amazons_where_prices_exclude_it():
    """Amazon collects it for most states, whether it says so or not."""
    item = item_of(
        "20.00", breakdown("ITEM", "20.00"), breakdown("TAX", "2.00", {"ITEM": "2.00"})
    )

    mapped = draft(order_of("20.00", [item], marketplace_id=US))

    assert mapped.total == price("20.00")
    assert mapped.metadata["amazon.taxRemittedByAmazon"] == "2.00"


def taxed(
    item_id: str, total: str | None, price: str, tax: str, **more: Any
) -> dict[str, Any]:
    parts = breakdown("ITEM", price), breakdown("TAX", tax, {"ITEM": tax})
    return item_of(total, *parts, item_id=item_id, **more)


def test_tax_of_one_item_is_amazons_and_that_of_another_the_sellers():
    items = [
        taxed("1", "20.00", "20.00", "2.00", is_facilitated=True),
        taxed("2", "32.10", "30.00", "2.10"),
    ]

    mapped = draft(order_of("52.10", items, marketplace_id=US))

    assert [line.total for line in mapped.lines] == [
        price("20.00"),
        price("32.10", "30.00"),
    ]
    assert mapped.total == price("52.10", "50.00")
    assert mapped.metadata["amazon.taxRemittedByAmazon"] == "2.00"


def test_the_orders_total_says_which_item_has_its_tax_on_top():
    items = [taxed("1", None, "20.00", "2.00"), taxed("2", None, "30.00", "2.10")]

    mapped = draft(order_of("52.10", items, marketplace_id=US))

    assert [line.total.gross for line in mapped.lines] == [
        Decimal("20.00"),
        Decimal("32.10"),
    ]


def test_items_of_the_same_tax_are_not_chosen_from():
    items = [taxed("1", None, "20.00", "2.00"), taxed("2", None, "30.00", "2.00")]

    (found,) = blockers(order_of("52.00", items, marketplace_id=US))

    assert "more than one way" in found.message


def test_tax_of_different_ways_must_add_up_to_the_cent():
    items = [
        taxed("1", "20.00", "20.00", "2.00", is_facilitated=True),
        taxed("2", "32.11", "30.00", "2.10"),
    ]

    # The item that fits in its own way is not among what differs.
    assert differ(order_of("52.11", items, marketplace_id=US)) == ["2", "grandTotal"]


def test_a_discount_that_equals_the_tax_of_an_item_is_not_guessed():
    # Either the discounts are taken off already, and all tax is outside the totals; or
    # the second item's tax is on top of what its discount leaves.
    second = item_of(
        "30.00",
        breakdown("ITEM", "30.00"),
        breakdown("TAX", "2.00", {"ITEM": "2.00"}),
        breakdown("DISCOUNT", "2.00", {"ITEM": "2.00"}),
        item_id="2",
    )
    items = [taxed("1", "20.00", "20.00", "1.00"), second]

    (found,) = blockers(order_of("50.00", items, marketplace_id=US))

    assert "more than one way" in found.message


@pytest.mark.parametrize("count", [10, 11, 200])
def test_many_items_without_totals_are_read_in_no_time(count):
    items = [taxed(str(n), None, "20.00", "2.00") for n in range(count)]

    added = draft(order_of(str(count * 22), items, marketplace_id=US))
    outside = draft(order_of(str(count * 20), items, marketplace_id=US))

    assert added.total.gross == count * 22
    assert outside.total.gross == count * 20


def test_vat_that_amazon_remits_is_still_contained_in_the_price():
    item = item_of(
        "23.80",
        breakdown("ITEM", "23.80"),
        breakdown("TAX", "3.80"),
        is_facilitated=True,
    )

    mapped = draft(order_of("23.80", [item]))

    assert mapped.total == price("23.80", "20.00")
    assert mapped.metadata["amazon.taxRemittedByAmazon"] == "3.80"


def test_a_tax_rate_beyond_the_shops_column_is_left_out():
    item = item_of("5.01", breakdown("ITEM", "0.01"), breakdown("TAX", "5.00"))

    mapped = draft(order_of("5.01", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("5.01", "0.01")
    assert mapped.lines[0].tax_rate is None


# Discounts.


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_discount_is_a_magnitude(sign):
    item = item_of(
        "21.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown(
            "DISCOUNT",
            f"{sign}4.00",
            {"ITEM": f"{sign}3.00", "SHIPPING": f"{sign}1.00"},
        ),
    )

    mapped = draft(order_of("21.00", [item]))

    assert mapped.lines[0].total == price("17.00")
    assert mapped.lines[0].undiscounted_total == price("20.00")
    assert mapped.shipping == price("4.00")
    assert mapped.total == price("21.00")
    assert mapped.undiscounted_total == price("25.00")
    assert mapped.lines[0].metadata["amazon.discount"] == "3.00"
    assert mapped.metadata["amazon.shippingDiscount"] == "1.00"


def test_signs_of_a_discount_may_differ_between_levels():
    item = item_of(
        "16.00",
        breakdown("ITEM", "20.00"),
        breakdown("DISCOUNT", "4.00", {"ITEM": "-4.00"}),
    )
    order = order_of(
        "16.00", [item], breakdown("ITEM", "20.00"), breakdown("DISCOUNT", "-4.00")
    )

    assert draft(order).total == price("16.00")


def test_a_discount_without_details_belongs_to_the_item():
    item = item_of(
        "21.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "4.00"),
    )

    mapped = draft(order_of("21.00", [item]))

    assert mapped.lines[0].total == price("16.00")
    assert mapped.shipping == price("5.00")


def test_a_discount_without_details_of_the_shipping_charge_is_free_shipping():
    item = item_of(
        "20.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "5.00"),
    )

    mapped = draft(order_of("20.00", [item]))

    assert mapped.lines[0].total == price("20.00")
    assert mapped.shipping == price("0.00")


def test_a_discount_without_details_goes_on_where_the_item_ends():
    item = item_of(
        "2.00",
        breakdown("ITEM", "4.00"),
        breakdown("GIFT_WRAP", "1.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "8.00"),
    )

    mapped = draft(order_of("2.00", [item]))

    assert mapped.lines[0].total == price("0.00")
    assert mapped.lines[0].undiscounted_total == price("5.00")
    assert mapped.shipping == price("2.00")


def test_a_discount_already_taken_off_is_found_where_nothing_else_fits():
    item = item_of("16.00", breakdown("ITEM", "16.00"), breakdown("DISCOUNT", "4.00"))

    mapped = draft(order_of("16.00", [item]))

    assert mapped.lines[0].total == price("16.00")
    assert mapped.lines[0].undiscounted_total == price("20.00")


def test_a_discount_that_equals_the_tax_is_subtracted():
    # 20 + 2 - 2 and 20 alone: the same total, but only one is what DISCOUNT means.
    item = item_of(
        "25.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("TAX", "2.00", {"ITEM": "2.00"}),
        breakdown("DISCOUNT", "2.00", {"SHIPPING": "2.00"}),
    )

    mapped = draft(order_of("25.00", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("22.00", "20.00")
    assert mapped.shipping == price("3.00")


def test_a_discount_without_details_leaves_the_tax_that_a_part_contains():
    item = item_of(
        "5.00",
        breakdown("ITEM", "4.00"),
        breakdown("SHIPPING", "6.00"),
        breakdown("DISCOUNT", "5.00"),
        breakdown("TAX", "1.00", {"ITEM": "1.00"}),
    )

    mapped = draft(order_of("5.00", [item]))

    assert mapped.lines[0].total == price("1.00", "0.00")
    assert mapped.shipping == price("4.00")


def test_a_discount_on_the_discount_belongs_to_the_item():
    item = item_of(
        "17.00",
        breakdown("ITEM", "20.00"),
        breakdown("DISCOUNT", "-3.00", {"ITEM": "-2.00", "DISCOUNT": "-1.00"}),
    )

    assert draft(order_of("17.00", [item])).lines[0].total == price("17.00")


def test_a_part_that_a_discount_raises_is_not_undiscounted_below_its_price():
    item = item_of(
        "22.00",
        breakdown("ITEM", "20.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("DISCOUNT", "3.00", {"ITEM": "5.00", "SHIPPING": "-2.00"}),
    )

    mapped = draft(order_of("22.00", [item]))

    assert mapped.lines[0].total == price("15.00")
    assert mapped.shipping == price("7.00")
    assert mapped.undiscounted_total == price("27.00")


# Lines and shipping.


def test_gift_wrap_belongs_to_the_line_and_fees_to_shipping():
    item = item_of(
        "33.50",
        breakdown("ITEM", "20.00"),
        breakdown("GIFT_WRAP", "3.00"),
        breakdown("SHIPPING", "5.00"),
        breakdown("COD_FEE", "4.00"),
        breakdown("OTHER", "1.50"),
    )

    mapped = draft(order_of("33.50", [item]))

    assert mapped.lines[0].total == price("23.00")
    assert mapped.lines[0].metadata["amazon.item"] == "20.00"
    assert mapped.lines[0].metadata["amazon.giftWrap"] == "3.00"
    assert mapped.shipping == price("10.50")
    assert mapped.metadata["amazon.shipping"] == "5.00"
    assert mapped.metadata["amazon.codFee"] == "4.00"
    assert mapped.metadata["amazon.other"] == "1.50"


def test_shipping_of_all_items_is_one_sum():
    items = [
        item_of("12.00", breakdown("ITEM", "10.00"), breakdown("SHIPPING", "2.00")),
        item_of(
            "23.00",
            breakdown("ITEM", "20.00"),
            breakdown("SHIPPING", "3.00"),
            item_id="2",
        ),
    ]

    mapped = draft(order_of("35.00", items))

    assert [line.total for line in mapped.lines] == [price("10.00"), price("20.00")]
    assert mapped.shipping == price("5.00")
    assert mapped.total == price("35.00")


def test_a_delivery_tip_of_the_order_belongs_to_shipping():
    tip = breakdown("DELIVERY_TIP", "5.00") | {"status": "FINALIZED"}
    item = item_of("20.00", breakdown("ITEM", "20.00"))

    mapped = draft(order_of("25.00", [item], breakdown("ITEM", "20.00"), tip))

    assert mapped.shipping == price("5.00")
    assert mapped.metadata["amazon.deliveryTip"] == "5.00"


@pytest.mark.parametrize(
    ("grand_total", "shipping", "key"),
    [
        ("25.00", "5.00", "amazon.deliveryTip"),
        ("20.00", "0.00", "amazon.pendingDeliveryTip"),
    ],
)
def test_a_pending_tip_counts_if_the_grand_total_has_it(grand_total, shipping, key):
    tip = breakdown("DELIVERY_TIP", "5.00") | {"status": "PENDING"}
    item = item_of("20.00", breakdown("ITEM", "20.00"))

    mapped = draft(order_of(grand_total, [item], tip))

    assert mapped.shipping == price(shipping)
    assert mapped.total == price(grand_total)
    assert mapped.metadata[key] == "5.00"


def test_a_finalized_tip_must_be_in_the_grand_total():
    tip = breakdown("DELIVERY_TIP", "5.00") | {"status": "FINALIZED"}
    item = item_of("20.00", breakdown("ITEM", "20.00"))

    assert differ(order_of("20.00", [item], tip)) == ["grandTotal"]


def test_a_fee_that_only_the_order_has_belongs_to_shipping():
    item = item_of("20.00", breakdown("ITEM", "20.00"))

    mapped = draft(
        order_of(
            "23.00", [item], breakdown("ITEM", "20.00"), breakdown("COD_FEE", "3.00")
        )
    )

    assert mapped.shipping == price("3.00")
    assert mapped.metadata["amazon.codFee"] == "3.00"


def test_a_discount_that_only_the_order_has_cannot_be_placed():
    item = item_of("20.00", breakdown("ITEM", "20.00"))

    assert differ(order_of("17.00", [item], breakdown("DISCOUNT", "3.00"))) == [
        "DISCOUNT"
    ]


def test_an_unknown_part_counts_as_other_if_the_sums_prove_it():
    item = item_of("21.00", breakdown("ITEM", "20.00"), breakdown("ECO_FEE", "1.00"))

    mapped = draft(
        order_of(
            "21.00", [item], breakdown("ITEM", "20.00"), breakdown("ECO_FEE", "1.00")
        )
    )

    assert mapped.lines[0].total == price("20.00")
    assert mapped.shipping == price("1.00")


# Units and currencies.


def test_indivisible_unit_prices_do_not_matter():
    item = item_of("10.00", breakdown("ITEM", "10.00"), quantity=3)

    mapped = draft(order_of("10.00", [item]))

    assert mapped.lines[0].quantity == 3
    assert mapped.lines[0].total == price("10.00")


def test_yen_have_no_decimals():
    item = item_of("1980.00", breakdown("ITEM", "1980", currency="JPY"), currency="JPY")

    mapped = draft(order_of("1980", [item], currency="JPY", marketplace_id=JP))

    assert mapped.currency == "JPY"
    assert mapped.lines[0].total == price("1980")
    assert str(mapped.total.gross) == "1980"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("19.905", "EUR"),
        ("1980.5", "JPY"),
        ("1.0000000000000000000000000000000000001", "EUR"),
        ("1E-40", "EUR"),
    ],
)
def test_a_fraction_of_the_smallest_unit_is_never_rounded(amount, currency):
    item = item_of(
        amount, breakdown("ITEM", amount, currency=currency), currency=currency
    )

    found = differ(order_of(amount, [item], currency=currency))

    assert set(found) == {"1", "grandTotal"}


def test_an_absurd_amount_is_refused_at_once():
    item = item_of("1E+999999", breakdown("ITEM", "1E+999999"))

    assert "grandTotal" in differ(order_of("1E+999999", [item]))


def test_two_currencies_in_one_order_are_refused():
    item = item_of("20.00", breakdown("ITEM", "20.00", currency="USD"))

    assert differ(order_of("20.00", [item])) == ["currencyCode"]


# What does not add up.


def test_a_cent_too_much_in_an_item_is_shown():
    item = item_of("19.91", breakdown("ITEM", "19.90"))

    assert blockers(order_of("19.91", [item]))[0] == Blocker(
        BlockerCode.AMOUNTS_DIFFER,
        "The amounts of item 1 make 19.90 EUR, Amazon's proceedsTotal is 19.91 EUR, a "
        "difference of 0.01 EUR. Compare the order with Seller Central; until it "
        "changes, work it there.",
        "1",
        Mismatch(Decimal("19.90"), Decimal("19.91"), "EUR"),
    )


def test_a_cent_too_much_in_the_order_is_shown():
    item = item_of("19.90", breakdown("ITEM", "19.90"))

    (found,) = blockers(order_of("19.91", [item]))

    assert found.subject == "grandTotal"
    assert "make 19.90 EUR, Amazon's grandTotal is 19.91 EUR" in found.message
    assert "a difference of 0.01 EUR" in found.message
    assert found.mismatch == Mismatch(Decimal("19.90"), Decimal("19.91"), "EUR")


def test_the_orders_own_breakdown_must_agree_with_its_items():
    item = item_of("19.90", breakdown("ITEM", "19.90"))

    (found,) = blockers(order_of("19.90", [item], breakdown("ITEM", "19.89")))

    assert found.subject == "ITEM"
    assert "19.89 EUR for the order and 19.90 EUR over its items" in found.message


@pytest.mark.parametrize("kind", ["TAX", "DISCOUNT"])
def test_details_must_add_up(kind):
    total = {"TAX": "22.00", "DISCOUNT": "18.00"}[kind]
    item = item_of(
        total,
        breakdown("ITEM", "20.00"),
        breakdown(kind, "2.00", {"ITEM": "1.99"}),
    )

    assert differ(order_of(total, [item], marketplace_id=US)) == ["1"]


def test_amounts_that_can_be_read_in_two_ways_are_not_chosen_from():
    # The items' tax cancels out, so it fits both on top and contained, but a
    # contained tax leaves the lines' gross amounts as they are.
    items = [
        item_of(
            None, breakdown("ITEM", "20.00"), breakdown("TAX", "1.00"), item_id="1"
        ),
        item_of(
            None, breakdown("ITEM", "20.00"), breakdown("TAX", "-1.00"), item_id="2"
        ),
    ]

    (found,) = blockers(order_of("40.00", items))

    assert found.code == BlockerCode.AMOUNTS_DIFFER
    assert "more than one way" in found.message


def test_a_price_below_zero_is_refused():
    item = item_of(
        "10.00",
        breakdown("ITEM", "5.00"),
        breakdown("SHIPPING", "12.00"),
        breakdown("DISCOUNT", "7.00", {"ITEM": "7.00"}),
    )

    assert differ(order_of("10.00", [item])) == ["1"]


# What is missing.


def test_without_a_grand_total_nothing_is_proven():
    item = item_of("19.90", breakdown("ITEM", "19.90"))

    (found,) = blockers(order_of(None, [item]))

    assert (found.code, found.subject) == (BlockerCode.UNREADABLE, "grandTotal")


def test_a_zero_order_without_a_grand_total_is_no_replacement():
    item = item_of("0.00", breakdown("ITEM", "0.00"))

    (found,) = blockers(order_of(None, [item]))

    assert (found.code, found.subject) == (BlockerCode.UNREADABLE, "grandTotal")


def test_an_item_without_amounts_is_named():
    items = [
        item_of("19.90", breakdown("ITEM", "19.90")),
        item_of(None, item_id="2"),
    ]
    del items[1]["proceeds"]

    found = blockers(order_of("24.90", items))

    assert [(blocker.code, blocker.subject) for blocker in found] == [
        (BlockerCode.AMOUNTS_DIFFER, "grandTotal"),
        (BlockerCode.UNREADABLE, "2"),
    ]


def test_an_item_without_amounts_is_free_if_the_grand_total_proves_it():
    items = [
        item_of("19.90", breakdown("ITEM", "19.90")),
        item_of(None, item_id="2"),
    ]
    del items[1]["proceeds"]

    mapped = draft(order_of("19.90", items))

    assert [line.total for line in mapped.lines] == [price("19.90"), price("0.00")]


def test_a_total_without_its_parts_does_not_add_up():
    assert "1" in [b.subject for b in blockers(order_of("19.90", [item_of("19.90")]))]


def test_the_grand_total_alone_can_prove_the_parts():
    item = item_of(
        None,
        breakdown("ITEM", "20.00"),
        breakdown("TAX", "4.00", {"ITEM": "4.00"}),
    )

    assert draft(order_of("24.00", [item], marketplace_id=UK)).total == price(
        "24.00", "20.00"
    )


def test_a_free_replacement_maps():
    order = order_of("0.00", [item_of("0.00", breakdown("ITEM", "0.00"))])
    order["associatedOrders"] = [
        {
            "orderId": "111-0000001-0000009",
            "associationType": "REPLACEMENT_ORIGINAL_ID",
        }
    ]

    mapped = draft(order)

    assert mapped.total == price("0.00")
    assert mapped.lines[0].tax_rate is None
    assert mapped.metadata["amazon.replacementOf"] == "111-0000001-0000009"


def test_a_replacement_without_any_amounts_is_free():
    item = item_of(None)
    del item["proceeds"]
    order = order_of(None, [item])
    del order["proceeds"]
    order["associatedOrders"] = [
        {
            "orderId": "111-0000001-0000009",
            "associationType": "REPLACEMENT_ORIGINAL_ID",
        }
    ]

    mapped = draft(order)

    assert mapped.currency == "EUR"
    assert mapped.total == price("0.00")


def test_amounts_of_cancelled_units_must_be_zero():
    items = [
        item_of("19.90", breakdown("ITEM", "19.90")),
        item_of("5.00", breakdown("ITEM", "5.00"), item_id="2", quantity=0),
    ]

    assert differ(order_of("24.90", items)) == ["2"]


def test_cancelled_items_make_no_line():
    items = [
        item_of("19.90", breakdown("ITEM", "19.90")),
        item_of("0.00", breakdown("ITEM", "0.00"), item_id="2", quantity=0),
    ]

    mapped = draft(order_of("19.90", items))

    assert [line.order_item_id for line in mapped.lines] == ["1"]


def test_details_without_a_value_say_nothing():
    item = item_of("22.00", breakdown("ITEM", "20.00"), breakdown("TAX", "2.00"))
    item["proceeds"]["breakdowns"][1]["detailedBreakdowns"] = [{"subtype": "ITEM"}]

    mapped = draft(order_of("22.00", [item], marketplace_id=US))

    assert mapped.lines[0].total == price("22.00", "20.00")
