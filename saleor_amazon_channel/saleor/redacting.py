"""Deletes what Saleor's orders hold of Amazon's buyers: see ``redaction``.

All of it by queries that send no signals: it is no action of staff, Saleor mails nobody
and calculates no order anew (its own edits of an address do: see ``amounts``). Invoices
that were made as files stay: keeping them is a duty of the merchant's.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from saleor.account.models import Address, User
from saleor.core.postgres import FlatConcatSearchVector
from saleor.order.models import Order
from saleor.order.search import prepare_order_search_vector_value

from .. import clock
from ..store.contract import (
    ORDER_ID_KEY,
    PERSONAL_KEY_PREFIX,
    REDACTED_AT_KEY,
    UNDELIVERABLE_DOMAIN,
)
from . import compat
from .order_plan import ADDRESS_FIELDS

#: What Amazon does not count as personal ("Access Orders PII").
_KEPT = ("city", "city_area", "country_area")

_SEARCHED = (
    "user",
    "billing_address",
    "shipping_address",
    "payments",
    "discounts",
    "lines",
    "payment_transactions__events",
    "invoices",
    "events",
)

#: In SQL, since staff may be writing other keys at this moment.
_REDACT = """
    UPDATE order_order SET
        customer_note = '',
        search_document = '',
        metadata = metadata || jsonb_build_object(%(key)s::text, %(now_text)s::text),
        private_metadata = private_metadata - ARRAY(
            SELECT name FROM jsonb_object_keys(private_metadata) AS name
            WHERE starts_with(name, %(prefix)s)
        ),
        updated_at = %(now)s
    WHERE id = ANY(%(ids)s)
"""


def redact_orders(order_ids: Sequence[str]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("redact_orders must be called inside a transaction")
    locked = list(
        Order.objects.select_for_update(of=("self",))
        .filter(pk__in=list(order_ids), metadata__has_key=ORDER_ID_KEY)
        .order_by("pk")
        .values_list(
            "pk", "user_id", "billing_address_id", "shipping_address_id", named=True
        )
    )
    if not locked:
        return
    addresses = {row.billing_address_id for row in locked}
    addresses |= {row.shipping_address_id for row in locked}
    Address.objects.filter(pk__in=addresses - {None}).update(
        **dict.fromkeys(set(ADDRESS_FIELDS) - set(_KEPT), ""), phone=""
    )
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _REDACT,
            {
                "key": REDACTED_AT_KEY,
                "prefix": PERSONAL_KEY_PREFIX,
                "now": now,
                "now_text": now.isoformat(timespec="seconds"),
                "ids": [row.pk for row in locked],
            },
        )
    nameless = _redact_customers({row.user_id for row in locked} - {None})
    # An order is found by its customer's name too, those redacted before among them.
    _index(Q(pk__in=[row.pk for row in locked]) | Q(user__in=nameless))


def _redact_customers(user_ids: set[int]) -> list[User]:
    """Those the import made, unless an order of theirs is not redacted; who it was."""
    others = Order.objects.filter(user=OuterRef("pk")).exclude(
        metadata__has_key=REDACTED_AT_KEY
    )
    users = list(
        User.objects.filter(
            ~Exists(others), pk__in=user_ids, email__endswith=f"@{UNDELIVERABLE_DOMAIN}"
        ).order_by("pk")
    )
    for user in users:
        user.first_name = user.last_name = ""
    column = compat.index_customers(users)
    if users:
        User.objects.bulk_update(users, ["first_name", "last_name", column])
    return users


def _index(which: Q) -> None:
    """As Saleor's own task does (``core/search_tasks.py``)."""
    orders = list(Order.objects.filter(which).prefetch_related(*_SEARCHED))
    for order in orders:
        order.search_vector = FlatConcatSearchVector(
            *prepare_order_search_vector_value(order, already_prefetched=True)
        )
    Order.objects.bulk_update(orders, ["search_vector"])
