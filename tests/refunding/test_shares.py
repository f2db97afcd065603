"""What is left of an order, and how an amount goes over it: by hand and at random."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing.wire_amounts import JP, US, breakdown, item_of, order_of
from saleor_amazon_channel.models import AmazonOrder, AmazonOrderItem
from saleor_amazon_channel.refunding.shares import Chosen, Left, TooMuchError, left_of

FIRST, SECOND = "1", "2"
Amounts = dict[str, dict[str, str]]


def left(
    order: dict[str, Any],
    given_back: Amounts | None = None,
    *,
    shipped: dict[str, int] | None = None,
    units_per_item: int = 1,
) -> Left:
    """``shipped`` counts what has left, where it is not everything."""
    items = [
        AmazonOrderItem(
            order_item_id=item["orderItemId"],
            quantity_ordered=item["quantityOrdered"],
            quantity_shipped=(shipped or {}).get(item["orderItemId"], 0),
            shop_line_id=f"line-{item['orderItemId']}",
            units_per_item=units_per_item,
        )
        for item in order["orderItems"]
    ]
    row = AmazonOrder(
        amazon_order_id=order["orderId"],
        marketplace_id=order["salesChannel"]["marketplaceId"],
        fulfillment_status="PARTIALLY_SHIPPED" if shipped else "SHIPPED",
        payload=order,
    )
    before = {
        item_id: {name: Decimal(amount) for name, amount in components.items()}
        for item_id, components in (given_back or {}).items()
    }
    return left_of(row, items, before)


def texts(amounts: dict[str, dict[str, Decimal]]) -> Amounts:
    return {
        item_id: {str(name): str(amount) for name, amount in components.items()}
        for item_id, components in amounts.items()
    }


def two_items() -> dict[str, Any]:
    """Two units for 20.00 and 4.99 of shipping; one for 10.00 and 2.00 of wrapping."""
    return order_of(
        "36.99",
        [
            item_of(
                "24.99",
                breakdown("ITEM", "20.00"),
                breakdown("SHIPPING", "4.99"),
                item_id=FIRST,
                quantity=2,
            ),
            item_of(
                "12.00",
                breakdown("ITEM", "10.00"),
                breakdown("GIFT_WRAP", "2.00"),
                item_id=SECOND,
            ),
        ],
    )


def american(*, is_facilitated: bool = False) -> dict[str, Any]:
    """10.00 and 1.00 of tax apart; shipping for 5.00 and 0.50. Of a facilitated order
    the tax is no part of what the seller gets."""
    return order_of(
        "15.00" if is_facilitated else "16.50",
        [
            item_of(
                "15.00" if is_facilitated else "16.50",
                breakdown("ITEM", "10.00", currency="USD"),
                breakdown("SHIPPING", "5.00", currency="USD"),
                breakdown(
                    "TAX", "1.50", {"ITEM": "1.00", "SHIPPING": "0.50"}, currency="USD"
                ),
                currency="USD",
                is_facilitated=is_facilitated,
            )
        ],
        currency="USD",
        marketplace_id=US,
    )


def test_an_amount_goes_over_the_prices_in_proportion() -> None:
    assert texts(left(two_items()).distribute(Decimal("3.00"))) == {
        FIRST: {"Principal": "1.88"},
        SECOND: {"Principal": "0.93", "GiftWrap": "0.19"},
    }


def test_shipping_comes_last() -> None:
    assert texts(left(two_items()).distribute(Decimal("33.00"))) == {
        FIRST: {"Principal": "20.00", "Shipping": "1.00"},
        SECOND: {"Principal": "10.00", "GiftWrap": "2.00"},
    }


def test_everything_is_everything() -> None:
    whole = left(two_items())

    assert whole.amount == Decimal("36.99")
    assert texts(whole.distribute(Decimal("36.99"))) == {
        FIRST: {"Principal": "20.00", "Shipping": "4.99"},
        SECOND: {"Principal": "10.00", "GiftWrap": "2.00"},
    }
    with pytest.raises(TooMuchError) as error:
        whole.distribute(Decimal("37.00"))
    assert error.value.left == Decimal("36.99")


def test_what_staff_chose_comes_first() -> None:
    chosen = [Chosen("line-2", 1)]

    assert texts(left(two_items()).distribute(Decimal("12.00"), chosen)) == {
        SECOND: {"Principal": "10.00", "GiftWrap": "2.00"}
    }
    # One of the two units, at half of their price.
    assert texts(
        left(two_items()).distribute(Decimal("10.00"), [Chosen("line-1", 1)])
    ) == {FIRST: {"Principal": "10.00"}}
    # Less than it cost, and more.
    assert texts(left(two_items()).distribute(Decimal("6.00"), chosen)) == {
        SECOND: {"Principal": "5.00", "GiftWrap": "1.00"}
    }
    assert texts(left(two_items()).distribute(Decimal("13.00"), chosen)) == {
        FIRST: {"Principal": "1.00"},
        SECOND: {"Principal": "10.00", "GiftWrap": "2.00"},
    }


def test_shipping_that_staff_chose() -> None:
    assert texts(
        left(two_items()).distribute(Decimal("4.99"), is_shipping_chosen=True)
    ) == {FIRST: {"Shipping": "4.99"}}
    assert texts(
        left(two_items()).distribute(
            Decimal("14.99"), [Chosen("line-1", 1)], is_shipping_chosen=True
        )
    ) == {FIRST: {"Principal": "10.00", "Shipping": "4.99"}}


def test_units_of_a_pack_are_a_part_of_it() -> None:
    pack = left(two_items(), units_per_item=3)

    # Two packs of three for 20.00: three of the shop's units are one.
    assert texts(pack.distribute(Decimal("10.00"), [Chosen("line-1", 3)])) == {
        FIRST: {"Principal": "10.00"}
    }


def test_what_was_given_back_is_not_there_any_more() -> None:
    before = {FIRST: {"Principal": "15.00"}, SECOND: {"GiftWrap": "2.00"}}
    rest = left(two_items(), before)

    assert rest.amount == Decimal("19.99")
    assert texts(rest.distribute(Decimal("19.99"))) == {
        FIRST: {"Principal": "5.00", "Shipping": "4.99"},
        SECOND: {"Principal": "10.00"},
    }


def test_what_was_given_back_of_no_item_is_of_those_with_most() -> None:
    rest = left(two_items(), {"": {"Principal": "25.00"}})

    assert texts(rest.distribute(rest.amount)) == {
        FIRST: {"Shipping": "4.99"},
        SECOND: {"Principal": "5.00", "GiftWrap": "2.00"},
    }


def test_vat_that_amazon_posted_apart_is_of_the_price() -> None:
    rest = left(two_items(), {FIRST: {"Principal": "8.40", "Tax": "1.60"}})

    assert rest.amount == Decimal("26.99")


def test_goodwill_and_fees_leave_what_was_charged() -> None:
    before = {FIRST: {"Goodwill": "5.00", "RestockingFee": "-3.00"}}

    assert left(two_items(), before).amount == Decimal("36.99")


def test_only_units_that_have_left_were_charged() -> None:
    rest = left(two_items(), shipped={FIRST: 1})

    assert rest.amount == Decimal("12.49")
    assert texts(rest.distribute(Decimal("12.49"))) == {
        FIRST: {"Principal": "10.00", "Shipping": "2.49"}
    }


def test_tax_that_was_charged_apart_goes_with_its_price() -> None:
    whole = left(american())

    assert whole.amount == Decimal("16.50")
    assert texts(whole.distribute(Decimal("16.50"))) == {
        FIRST: {
            "Principal": "10.00",
            "Tax": "1.00",
            "Shipping": "5.00",
            "ShippingTax": "0.50",
        }
    }
    assert texts(whole.distribute(Decimal("5.50"))) == {
        FIRST: {"Principal": "5.00", "Tax": "0.50"}
    }


def test_tax_that_amazon_remits_comes_on_top_of_what_the_shop_has() -> None:
    whole = left(american(is_facilitated=True))

    assert whole.amount == Decimal("15.00")
    assert texts(whole.distribute(Decimal("5.00"))) == {
        FIRST: {"Principal": "5.00", "Tax": "0.50"}
    }


def test_tax_inside_the_price_has_no_component() -> None:
    order = order_of(
        "11.90",
        [
            item_of(
                "11.90",
                breakdown("ITEM", "11.90"),
                breakdown("TAX", "1.90", {"ITEM": "1.90"}),
            )
        ],
    )

    assert texts(left(order).distribute(Decimal("11.90"))) == {
        FIRST: {"Principal": "11.90"}
    }


def test_promotions_are_off_what_they_were_on() -> None:
    order = order_of(
        "13.00",
        [
            item_of(
                "13.00",
                breakdown("ITEM", "10.00"),
                breakdown("SHIPPING", "5.00"),
                breakdown("DISCOUNT", "2.00", {"SHIPPING": "2.00"}),
            )
        ],
    )

    assert texts(left(order).distribute(Decimal("13.00"))) == {
        FIRST: {"Principal": "10.00", "Shipping": "3.00"}
    }


def test_yen_are_whole() -> None:
    items = [
        item_of(
            "1000",
            breakdown("ITEM", "1000", currency="JPY"),
            item_id=each,
            currency="JPY",
        )
        for each in (FIRST, SECOND)
    ]
    order = order_of("2000", items, currency="JPY", marketplace_id=JP)

    assert texts(left(order).distribute(Decimal("333.000"))) == {
        FIRST: {"Principal": "166"},
        SECOND: {"Principal": "167"},
    }
    with pytest.raises(TooMuchError):
        left(order).distribute(Decimal("333.50"))


PRICES = st.integers(0, 5000)


@st.composite
def orders(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    """An order and whether its tax is apart from its prices."""
    is_apart = draw(st.booleans())
    items, total = [], 0
    for number in range(draw(st.integers(1, 4))):
        price = draw(st.integers(1, 5000))
        shipping, wrap = draw(PRICES), draw(PRICES)
        taxes = [draw(st.integers(0, p // 4)) for p in (price, shipping, wrap)]
        parts = [("ITEM", price), ("SHIPPING", shipping), ("GIFT_WRAP", wrap)]
        of_item = price + shipping + wrap + (sum(taxes) if is_apart else 0)
        details = {
            kind: cents(tax) for (kind, _), tax in zip(parts, taxes, strict=True) if tax
        }
        breakdowns = [
            breakdown(kind, cents(p), currency="USD") for kind, p in parts if p
        ]
        if is_apart and details:
            breakdowns.append(
                breakdown("TAX", cents(sum(taxes)), details, currency="USD")
            )
        items.append(
            item_of(
                cents(of_item),
                *breakdowns,
                item_id=str(number),
                quantity=draw(st.integers(1, 5)),
                currency="USD",
            )
        )
        total += of_item
    order = order_of(cents(total), items, currency="USD", marketplace_id=US)
    return order, is_apart


def cents(amount: int) -> str:
    return str(Decimal(amount) / 100)


@settings(deadline=None)
@given(st.data())
def test_refund_after_refund_all_goes_back_and_no_more(data: st.DataObject) -> None:
    order, _ = data.draw(orders())
    before: dict[str, dict[str, str]] = {}
    total = left(order).amount
    assert total == Decimal(order["proceeds"]["grandTotal"]["amount"])
    rest = total
    for _ in range(8):
        if not rest:
            break
        now = left(order, before)
        assert now.amount == rest
        amount = Decimal(data.draw(st.integers(1, int(rest * 100)))) / 100
        chosen = data.draw(
            st.lists(
                st.builds(
                    Chosen,
                    st.sampled_from(
                        [f"line-{i['orderItemId']}" for i in order["orderItems"]]
                    ),
                    st.integers(1, 5),
                ),
                max_size=3,
            )
        )
        given_now = now.distribute(
            amount, chosen, is_shipping_chosen=data.draw(st.booleans())
        )
        parts = [x for of_item in given_now.values() for x in of_item.values()]
        assert sum(parts) == amount
        assert all(part > 0 for part in parts)
        for item_id, components in given_now.items():
            for name, part in components.items():
                of_item = before.setdefault(item_id, {})
                of_item[name] = str(Decimal(of_item.get(name, "0")) + part)
        rest -= amount
    charged = charged_by_component(order)
    for item_id, components in before.items():
        for name, amount in components.items():
            assert Decimal(amount) <= charged[item_id, name]


def charged_by_component(order: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    names = {
        "ITEM": ("Principal", "Tax"),
        "SHIPPING": ("Shipping", "ShippingTax"),
        "GIFT_WRAP": ("GiftWrap", "GiftWrapTax"),
    }
    found = {}
    for item in order["orderItems"]:
        for each in item["proceeds"]["breakdowns"]:
            key = item["orderItemId"]
            if each["type"] == "TAX":
                for detail in each["detailedBreakdowns"]:
                    name = names[detail["subtype"]][1]
                    found[key, name] = Decimal(detail["value"]["amount"])
            else:
                name = names[each["type"]][0]
                found[key, name] = Decimal(each["subtotal"]["amount"])
    return found
