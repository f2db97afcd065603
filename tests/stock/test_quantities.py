"""How many Amazon is told of."""

from __future__ import annotations

import pytest

from saleor_amazon_channel.stock.quantities import pending_for, shared, to_offer


@pytest.mark.parametrize(
    ("available", "pending", "safety", "units", "floor", "told"),
    [
        (20, 0, 0, 1, 0, 20),
        (20, 3, 5, 1, 0, 12),
        # A pack is offered only whole, of what is left after the rest.
        (20, 0, 0, 6, 0, 3),
        (20, 3, 0, 6, 0, 2),
        (5, 0, 0, 6, 0, 0),
        # Never below nothing.
        (2, 3, 0, 1, 0, 0),
        (2, 0, 9, 1, 0, 0),
        # Fewer than the floor are none; the floor itself is offered.
        (3, 0, 0, 1, 3, 3),
        (2, 0, 0, 1, 3, 0),
        (17, 0, 0, 6, 3, 0),
        (5 * 10**9, 0, 0, 1, 0, 2**31 - 1),
    ],
)
def test_what_is_offered(
    available: int, pending: int, safety: int, units: int, floor: int, told: int
) -> None:
    assert to_offer(available, pending, safety, units, floor) == told


def test_marketplaces_that_share_a_number_get_the_lowest() -> None:
    told = shared({("A", "DE"): 7, ("A", "FR"): 4, ("B", "DE"): 9})

    assert told == {("A", "DE"): 4, ("A", "FR"): 4, ("B", "DE"): 9}


def test_orders_count_where_they_can_be_taken_from() -> None:
    orders = [
        (frozenset({"a", "b"}), "mug", 2),
        (frozenset({"c"}), "mug", 4),
        (frozenset({"b"}), "cup", 1),
        (frozenset({"a"}), "mug", 8),
    ]

    assert pending_for(["a"], orders) == {"mug": 10}
    assert pending_for(["b", "c"], orders) == {"mug": 6, "cup": 1}
    assert pending_for([], orders) == {}
