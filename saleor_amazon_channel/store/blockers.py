"""What a shop says that it cannot hold an order for, in the words of every shop.

Each message says what a person can do. An order is looked at again by itself, so doing
it is enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from .contract import Blocker, BlockerCode

#: For what only Amazon and the buyer can change.
WORK_IT_THERE = "work the order in Seller Central."

#: For an address, which staff can replace while the order is not imported.
CORRECT_IT_HERE = (
    "correct the address of the Amazon order here; it is then imported by itself."
)


def unknown_sku(sku: str) -> Blocker:
    return Blocker(
        BlockerCode.UNKNOWN_SKU,
        f"No product variant has the SKU {sku}. Create a variant with this SKU, or "
        "map the SKU to one; the order is then imported by itself.",
        sku,
    )


def variant_gone(sku: str) -> Blocker:
    return Blocker(
        BlockerCode.UNKNOWN_SKU,
        f"The product variant that the SKU {sku} is mapped to is gone. Map it to "
        "another one; the order is then imported by itself.",
        sku,
    )


def not_published(sku: str, channel: str) -> Blocker:
    return _not_available(sku, f"The product with SKU {sku} is not published", channel)


def no_price(sku: str, channel: str) -> Blocker:
    return _not_available(sku, f"The variant with SKU {sku} has no price", channel)


def _not_available(sku: str, problem: str, channel: str) -> Blocker:
    return Blocker(
        BlockerCode.NOT_AVAILABLE_IN_CHANNEL,
        f"{problem} in {channel}. Publish and list it there; the order is then "
        "imported by itself.",
        sku,
    )


def out_of_stock(
    sku: str, needed: int, free: int, warehouses: Sequence[str]
) -> Blocker:
    return Blocker(
        BlockerCode.OUT_OF_STOCK,
        f"{needed} of {sku} are needed and {free} are free in the mapped warehouses "
        f"({', '.join(warehouses)}). The order is imported as soon as there is stock.",
        sku,
        units_needed=needed,
    )


def channel_gone(channel_id: str) -> Blocker:
    return _mismatch(
        "The marketplace is mapped to a channel that is gone. Choose another one.",
        channel_id,
    )


def other_currency(channel: str, currency: str, wanted: str) -> Blocker:
    return _mismatch(
        f"The order is in {wanted}, but channel {channel} sells in {currency}. Map the "
        f"marketplace to a channel in {wanted}.",
        channel,
    )


def shipping_method_gone(channel: str, shipping_method_id: str) -> Blocker:
    return _mismatch(
        f"The mapped shipping method is not available in channel {channel}. Add it "
        "there, or choose another one.",
        shipping_method_id,
    )


def warehouse_gone(channel: str, warehouse_id: str) -> Blocker:
    return _mismatch(
        f"A mapped warehouse does not belong to channel {channel}. Add it there, or "
        "choose another one.",
        warehouse_id,
    )


def reference_taken(number: str, status: str) -> Blocker:
    """Retried like what failed unexpectedly, a minute later."""
    return Blocker(
        BlockerCode.INTERNAL,
        f"Order {number} ({status}) of the shop has this Amazon order id as its "
        "external reference, and was not made by this channel, which cannot work it: "
        "nothing done there would reach Amazon. Take the external reference off that "
        "order, or delete it, if the order is to be worked here; it is then imported "
        "by itself.",
        number,
    )


def _mismatch(message: str, subject: str) -> Blocker:
    return Blocker(BlockerCode.CHANNEL_MISMATCH, message, subject)


def too_long(address: str, column: str, limit: int) -> Blocker:
    return Blocker(
        BlockerCode.BAD_ADDRESS,
        f"The {address}'s {column.replace('_', ' ')} is longer than the {limit} "
        f"characters that the shop holds: {CORRECT_IT_HERE}",
        column,
    )


def unknown_country(address: str, country: str) -> Blocker:
    return Blocker(
        BlockerCode.BAD_ADDRESS,
        f"The {address} is in a country that the shop does not know, {country!r}: "
        f"{CORRECT_IT_HERE}",
        "country",
    )
