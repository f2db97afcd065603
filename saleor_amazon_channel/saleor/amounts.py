"""Amazon's amounts stay as they were imported, whatever Saleor would make of them.

The buyer has paid Amazon, to the cent. Saleor calculates an order anew while it is
unconfirmed (``ORDER_EDITABLE_STATUS``) and ``should_refresh_prices`` is set: by its own
tax rates, from rounded unit prices. It sets the flag when an address, a line, a
discount, the shipping method or the tax exemption changes
(``invalidate_order_prices``), and in bulk when products are deleted
(``order/tasks.py``) or a shipping method leaves a channel (``shipping/tasks.py``). An
order with another status it never calculates.

So an order of Amazon's never carries the flag: it is taken off when an order is loaded,
which covers Saleor's bulk updates, and before one is saved. And what would change the
sum itself (units, discounts, the shipping price) is refused, with Saleor's own code for
an order that cannot be edited.

For all other orders of the shop this is a look at attributes in memory.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.signals import post_init, post_save, pre_save
from saleor.order import OrderEvents, OrderOrigin
from saleor.order.error_codes import OrderErrorCode
from saleor.order.models import Order, OrderEvent

from .order_rows import ORDER_ID_KEY

#: What Saleor writes in the transaction of a change of lines or discounts.
_CHANGES_OF_PRICE = frozenset(
    {
        OrderEvents.ADDED_PRODUCTS,
        OrderEvents.REMOVED_PRODUCTS,
        OrderEvents.ORDER_DISCOUNT_ADDED,
        OrderEvents.ORDER_DISCOUNT_UPDATED,
        OrderEvents.ORDER_LINE_DISCOUNT_UPDATED,
        OrderEvents.ORDER_LINE_DISCOUNT_REMOVED,
    }
)
#: What it saves with another shipping method, and with nothing else.
_SHIPPING_PRICE = "base_shipping_price_amount"

REFUSAL = (
    "This is an order of Amazon's: the buyer has paid Amazon exactly these amounts. "
    "Refund what is too much, and cancel what cannot be sent, as an Amazon order."
)


def connect() -> None:
    """Only what comes from Amazon is guarded: see ``is_amazons``."""
    for signal, receiver, sender in (
        (post_init, _on_order_loaded, Order),
        (pre_save, _on_order_saved, Order),
        (post_save, _on_event, OrderEvent),
    ):
        signal.connect(
            receiver,
            sender=sender,
            dispatch_uid=f"saleor_amazon_channel.amounts.{receiver.__name__}",
        )


def is_amazons(order: Order) -> bool:
    """By what of the order is in memory: no query, also of a deferred field."""
    known = order.__dict__
    return known.get("origin") == OrderOrigin.BULK_CREATE and ORDER_ID_KEY in (
        known.get("metadata") or ()
    )


def _on_order_loaded(instance: Order, **kwargs: Any) -> None:
    if instance.__dict__.get("should_refresh_prices") and is_amazons(instance):
        instance.should_refresh_prices = False


def _on_order_saved(
    instance: Order, update_fields: Any = None, raw: bool = False, **kwargs: Any
) -> None:
    if raw or not is_amazons(instance):
        return
    # Saleor itself refuses both unless the order is unconfirmed.
    if update_fields and _SHIPPING_PRICE in update_fields:
        raise _refusal()
    instance.should_refresh_prices = False


def _on_event(
    instance: OrderEvent, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if raw or not created or instance.type not in _CHANGES_OF_PRICE:
        return
    if is_amazons(instance.order):
        raise _refusal()


def _refusal() -> ValidationError:
    return ValidationError(
        {"order": ValidationError(REFUSAL, code=OrderErrorCode.NOT_EDITABLE.value)}
    )
