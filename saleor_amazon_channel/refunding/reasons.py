"""What staff give as a reason for a refund, in Amazon's terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..amazon.order_feeds import AdjustmentReason

#: Where nothing that staff wrote says more.
DEFAULT = AdjustmentReason.GENERAL_ADJUSTMENT


def _key(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


#: Amazon's own names, however they are written, and what else staff may call them.
_BY_NAME: Mapping[str, AdjustmentReason] = {
    **{_key(reason.value): reason for reason in AdjustmentReason},
    **{
        _key(name): reason
        for reason, names in {
            AdjustmentReason.CUSTOMER_RETURN: (
                "return",
                "returned",
                "customer returned",
                "returned by customer",
                "returned by buyer",
            ),
            AdjustmentReason.DIFFERENT_ITEM: ("wrong item", "wrong product"),
            AdjustmentReason.CUSTOMER_CANCEL: (
                "customer cancelled",
                "customer canceled",
                "buyer cancelled",
                "buyer canceled",
            ),
            AdjustmentReason.PRICE_ERROR: ("pricing error", "wrong price"),
            AdjustmentReason.PRODUCT_OUT_OF_STOCK: ("out of stock",),
            AdjustmentReason.CUSTOMER_ADDRESS_INCORRECT: (
                "wrong address",
                "address incorrect",
            ),
            AdjustmentReason.UNDELIVERABLE: (
                "undelivered",
                "not delivered",
                "lost",
                "lost in transit",
                "not received",
            ),
            AdjustmentReason.REFUSED_DELIVERY: ("refused", "delivery refused"),
            AdjustmentReason.COULD_NOT_SHIP: ("not shipped",),
            AdjustmentReason.EXCHANGE: ("exchanged",),
        }.items()
        for name in names
    },
}


def adjustment_reason(given: Iterable[str]) -> AdjustmentReason:
    """The first of ``given`` that is a reason of Amazon's, by whatever name."""
    for text in given:
        reason = _BY_NAME.get(_key(text))
        if reason:
            return reason
    return DEFAULT
