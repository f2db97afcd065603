"""Where the supported Saleor versions differ, or fail, and what we do about it."""

from __future__ import annotations

from collections import defaultdict
from functools import wraps
from types import GeneratorType
from typing import Any

from django.db.models import Sum
from saleor.core import postgres
from saleor.warehouse import management
from saleor.warehouse.models import Allocation


def searchable_text(text: str) -> str:
    """What Saleor does to a text before it puts it into a search vector: 3.23 strips
    accents, and from search terms as well; 3.22 leaves both alone."""
    strip_accents = getattr(postgres, "strip_accents", None)
    return strip_accents(text) if strip_accents and not text.isascii() else text


def make_checkouts_see_allocations() -> None:
    """Keep a checkout from selling what another order was allocated a moment before.

    A checkout looks at what is free before it locks the stocks, and again after, in
    ``allocate_stocks``. There (3.22.67, 3.23.28) the stocks' ids are a generator that
    looking up reservations uses up, so that looking up allocations finds none: of two
    orders that race for the last unit both get it, as soon as one is a checkout. Here
    the first look-up answers for both. It costs a checkout the query that Saleor meant
    to make. Where Saleor hands over a list, its own code is right and nothing changes.
    """
    original = management._prepare_stock_to_reserved_quantity_map
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def reserved_and_allocated(
        checkout_lines: Any, check_reservations: bool, stocks_id: Any
    ) -> dict[int, int]:
        if not check_reservations or not isinstance(stocks_id, GeneratorType):
            return original(checkout_lines, check_reservations, stocks_id)
        ids = list(stocks_id)
        unavailable = defaultdict(int, original(checkout_lines, True, ids))
        for stock_id, quantity in (
            Allocation.objects.filter(stock_id__in=ids)
            .order_by()
            .values_list("stock_id")
            .annotate(Sum("quantity_allocated"))
        ):
            unavailable[stock_id] += quantity
        return unavailable

    management._prepare_stock_to_reserved_quantity_map = reserved_and_allocated
