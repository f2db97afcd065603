"""How many of a listing Amazon is told of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Marketplaces of one account in Europe share what the seller ships (Amazon's "unified
#: account"; whether this holds for all of them is not published).
SHARED_IN = "EU"

#: What our column and Amazon's integers hold.
MOST = 2**31 - 1


def to_offer(available: int, pending: int, safety: int, units: int, floor: int) -> int:
    """Units on Amazon, each of which is ``units`` of the variant.

    Of what is ``available`` in the shop, what buyers on Amazon have ordered and the
    shop does not know yet (``pending``) and what is held back (``safety``) are taken
    off. Fewer than ``floor`` are none.
    """
    left = max(available - pending - safety, 0) // units
    return min(left, MOST) if left >= floor else 0


def shared(quantities: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """By (SKU, marketplace) what each is told where they share one number: the lowest.
    Whichever is told last, nobody can buy what one of them does not have."""
    lowest: dict[str, int] = {}
    for (sku, _), quantity in quantities.items():
        lowest[sku] = min(quantity, lowest.get(sku, quantity))
    return {key: lowest[key[0]] for key in quantities}


def pending_for(
    warehouse_ids: Iterable[str],
    pending: Iterable[tuple[frozenset[str], str, int]],
) -> dict[str, int]:
    """Variant → units that orders will take from these warehouses, of orders as (the
    warehouses they can take it from, variant, units)."""
    wanted = frozenset(warehouse_ids)
    found: dict[str, int] = {}
    for of_order, variant_id, units in pending:
        if wanted & of_order:
            found[variant_id] = found.get(variant_id, 0) + units
    return found
