"""Where the supported Saleor versions differ, or fail, and what we do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import GeneratorType
from typing import Any

from django.db.models import Sum
from saleor.account import search as account_search
from saleor.account import utils as account_utils
from saleor.account.models import User
from saleor.core import postgres
from saleor.order import OrderChargeStatus
from saleor.order.models import Order
from saleor.plugins.manager import PluginsManager
from saleor.warehouse import management
from saleor.warehouse.models import Allocation

from ..store.contract import ORDER_ID_KEY, UNDELIVERABLE_DOMAIN
from .amounts import is_amazons

_PAID = (OrderChargeStatus.FULL, OrderChargeStatus.OVERCHARGED)


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


def prepare_customers(users: Sequence[User]) -> None:
    """What Saleor fills in when a customer is made: what it is searched by and, since
    3.23, the default type."""
    index_customers(users)
    default_type = getattr(account_utils, "get_default_customer_type", None)
    customer_type = default_type() if default_type else None
    if customer_type:
        for user in users:
            user.customer_type = customer_type


def index_customers(users: Sequence[User]) -> str:
    """Fill in what customers are searched by, without saving it: the name of the
    column, a vector in 3.23 and a text in 3.22."""
    update_vector = getattr(account_search, "update_user_search_vector", None)
    for user in users:
        if update_vector:
            update_vector(user, attach_addresses_data=False, save=False)
        else:
            user.search_document = account_search.prepare_user_search_document_value(
                user, attach_addresses_data=False
            )
    return "search_vector" if update_vector else "search_document"


def let_refunded_orders_be_fulfilled() -> None:
    """Keep a refund on Amazon from stopping what is still to be shipped.

    Saleor fulfils only what is fully paid where the shop says so, and takes the order's
    whole total for what is to be paid, also after a refund. The buyer has paid Amazon;
    what came back is granted, and Saleor's own ``charge_status`` knows of that.
    """
    original = Order.is_fully_paid
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def is_fully_paid(self: Order) -> bool:
        return bool(original(self)) or (
            is_amazons(self) and self.charge_status in _PAID
        )

    Order.is_fully_paid = is_fully_paid


_MARK = "never_mails_amazons_buyers"


class _NotToBeMailedError(Exception):
    """The message is for a buyer on Amazon."""


def never_mail_amazons_buyers() -> None:
    """Keep Saleor from writing to the buyers of Amazon's orders.

    Saleor mails whoever an order belongs to when staff confirm, cancel or refund it;
    there is no switch for it. All its mails go through ``PluginsManager.notify``, which
    asks one plugin after the other to send what ``payload_func`` tells. Here that
    function tells nothing of a message to the customer of an Amazon order, or to a
    customer account of such a buyer. Only a plugin that would send the message calls
    it, so messages cost nothing more than before.
    """
    if not are_buyers_never_mailed():
        PluginsManager.notify = without_amazons_buyers(PluginsManager.notify)


def are_buyers_never_mailed() -> bool:
    return hasattr(PluginsManager.notify, _MARK)


def without_amazons_buyers(notify: Callable[..., None]) -> Callable[..., None]:
    @wraps(notify)
    def notify_others(
        self: PluginsManager,
        event: Any,
        payload_func: Callable[[], dict[str, Any]],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        def checked_payload() -> dict[str, Any]:
            payload = payload_func()
            if _is_to_amazons_buyer(payload):
                raise _NotToBeMailedError
            return payload

        try:
            notify(self, event, checked_payload, *args, **kwargs)
        except _NotToBeMailedError:
            return

    setattr(notify_others, _MARK, True)
    return notify_others


def _is_to_amazons_buyer(payload: Mapping[str, Any]) -> bool:
    """What goes to the shop's own staff has a ``recipient_list`` instead."""
    if "recipient_email" not in payload:
        return False
    order = payload.get("order") or {}
    return ORDER_ID_KEY in (order.get("metadata") or {}) or str(
        payload["recipient_email"]
    ).endswith(f"@{UNDELIVERABLE_DOMAIN}")
