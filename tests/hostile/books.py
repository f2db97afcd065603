"""What the judge wants to know of a shop, read from the shop's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class BookedLine:
    order_item_id: str
    sku: str
    quantity: int
    quantity_fulfilled: int
    quantity_allocated: int
    total: Decimal


@dataclass(frozen=True)
class BookedPackage:
    """A fulfillment that was not cancelled."""

    tracking_number: str
    #: Amazon's order item id → units.
    units: Mapping[str, int]


@dataclass(frozen=True)
class BookedRefund:
    """``reference`` is the payment provider's."""

    reference: str
    amount: Decimal
    #: Amazon's order item id → units that were paid back whole.
    units: Mapping[str, int]
    is_shipping_included: bool


@dataclass(frozen=True)
class BookedOrder:
    """``status`` in Saleor's words; ``amazon_order_ids`` are all it says it is."""

    amazon_order_ids: frozenset[str]
    channel_slug: str
    status: str
    currency: str
    total: Decimal
    shipping: Decimal
    #: Charged and not refunded.
    charged: Decimal
    lines: tuple[BookedLine, ...]
    packages: tuple[BookedPackage, ...]
    refunds: tuple[BookedRefund, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BookedStock:
    quantity: int
    allocated: int


class Books(Protocol):
    def orders(self) -> Sequence[BookedOrder]:
        """All orders of the shop, whatever their kind."""
        ...

    def stock(self) -> Mapping[tuple[str, str], BookedStock]:
        """(channel slug, SKU) → what is there; each channel has a warehouse."""
        ...
