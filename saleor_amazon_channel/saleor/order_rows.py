"""The rows of Saleor's tables that an imported order consists of.

Everything is written by ``bulk_insert``, which sends no signals: nothing of it comes
back to us as if staff had done it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import graphene
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Model
from django_countries import countries
from saleor.account.models import Address
from saleor.channel.models import Channel
from saleor.core.prices import quantize_price
from saleor.discount import DiscountType, DiscountValueType
from saleor.discount.models import OrderLineDiscount
from saleor.order import (
    FulfillmentStatus,
    OrderAuthorizeStatus,
    OrderChargeStatus,
    OrderEvents,
    OrderOrigin,
    OrderStatus,
)
from saleor.order.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderEvent,
    OrderLine,
)
from saleor.payment import TransactionAction, TransactionEventType
from saleor.payment.models import TransactionEvent, TransactionItem
from saleor.tax.models import TaxClass
from saleor.warehouse.models import Allocation

from .. import clock
from ..amazon.marketplaces import MARKETPLACES
from ..store.contract import (
    ORDER_ID_KEY,
    PRINTED_NUMBER_KEY,
    AddressDraft,
    LineDraft,
    OrderDraft,
    Price,
)
from . import bulk_insert
from .compat import searchable_text
from .order_plan import ADDRESS_FIELDS, Plan, Surroundings, Variant

#: Saleor's, which type checkers cannot know.
settings: Any = django_settings

#: Amazon's id of an item in the line's private metadata.
ORDER_ITEM_ID_KEY = "amazon.orderItemId"
#: Saleor has no field for a carrier: staff give it as public metadata of the
#: fulfillment, when shipping or later.
CARRIER_KEY = "amazon.carrier"
#: In a fulfillment's private metadata: Amazon told us of it and needs no news of it.
KNOWN_TO_AMAZON_KEY = "amazon.knownToAmazon"

_LANGUAGES = frozenset(code for code, _ in settings.LANGUAGES)
_TAX_RATE_PLACES = Decimal("0.0001")

#: In the order of their foreign keys.
_TABLES: tuple[type[Model], ...] = (
    Address,
    Order,
    OrderLine,
    OrderLineDiscount,
    Allocation,
    Fulfillment,
    FulfillmentLine,
    TransactionItem,
    TransactionEvent,
    OrderEvent,
)

Row = dict[str, Any]
Rows = defaultdict[type[Model], list[Row]]


def write(plans: Sequence[Plan], around: Surroundings) -> None:
    """Write the orders of ``plans``, which nothing blocks, and number them."""
    if not plans:
        return
    rows: Rows = defaultdict(list)
    for plan in plans:
        _add_order(plan, around, rows)
        _add_lines(plan, around, rows)
        _add_fulfillment(plan, rows)
        _add_transaction(plan, around, rows)
        _add_event(plan, around, rows)
    _number_and_index(plans, around, rows)
    _connect(rows)
    for model in _TABLES:
        bulk_insert.insert(model, rows[model])


def _connect(rows: Rows) -> None:
    """Put the database's keys into the rows that were referred to as Python objects."""
    for model, children, column in (
        (Address, Order, "billing_address_id"),
        (Address, Order, "shipping_address_id"),
        (Fulfillment, FulfillmentLine, "fulfillment_id"),
        (TransactionItem, TransactionEvent, "transaction_id"),
    ):
        parents = rows[model]
        if parents and "id" not in parents[0]:
            keys = bulk_insert.draw_keys(model, len(parents))
            for parent, key in zip(parents, keys, strict=True):
                parent["id"] = key
        for child in rows[children]:
            if child[column] is not None:
                child[column] = child[column]["id"]


def _add_order(plan: Plan, around: Surroundings, rows: Rows) -> None:
    draft = plan.draft
    channel = around.channels[plan.channel_id]
    method = around.shipping_methods[plan.channel_id, plan.shipping_method_id]
    rows[Order].append(
        {
            "id": plan.order_id,
            "external_reference": plan.amazon_order_id,
            "created_at": draft.created_at,
            "status": _status(plan),
            "origin": OrderOrigin.BULK_CREATE,
            "channel_id": channel.pk,
            "currency": draft.currency,
            # No e-mail address: Saleor would write there, and Amazon does. To that of
            # the user it does not: see ``compat.never_mail_amazons_buyers``.
            "user_id": plan.user_id,
            "user_email": "",
            "billing_address_id": _add_address(draft.billing_address, rows),
            "shipping_address_id": _add_address(draft.shipping_address, rows),
            "language_code": _language(draft.language_code),
            "display_gross_prices": draft.display_gross_prices,
            "customer_note": draft.customer_note,
            "metadata": {ORDER_ID_KEY: plan.amazon_order_id, **draft.metadata},
            "private_metadata": dict(draft.private_metadata),
            "weight": math.fsum(
                around.variants[plan.variant_id(line)].grams * line.quantity
                for line in draft.lines
            ),
            "shipping_method_id": method.pk,
            "shipping_method_name": (
                f"{method.name} ({draft.shipping_name}, {plan.amazon_order_id})"
            ),
            "shipping_method_metadata": method.metadata,
            "shipping_method_private_metadata": method.private_metadata,
            "shipping_tax_rate": _tax_rate(draft.shipping_tax_rate),
            **_tax_class(around.tax_class(method.tax_class_id), "shipping_"),
            **order_amounts(draft, channel),
            # The buyer has paid Amazon.
            "total_charged_amount": draft.total.gross,
            "charge_status": OrderChargeStatus.FULL,
            "authorize_status": OrderAuthorizeStatus.FULL,
            "should_refresh_prices": False,
        }
    )


def order_amounts(draft: OrderDraft, channel: Channel) -> Row:
    """The columns of an order that follow from its lines and what they cost."""
    subtotal = _sum(line.total for line in draft.lines)
    undiscounted_lines = _sum(line.undiscounted_total for line in draft.lines)
    undiscounted_shipping = Price(
        draft.undiscounted_total.gross - undiscounted_lines.gross,
        draft.undiscounted_total.net - undiscounted_lines.net,
    )
    return {
        "lines_count": len(draft.lines),
        "shipping_price_net_amount": draft.shipping.net,
        "shipping_price_gross_amount": draft.shipping.gross,
        "base_shipping_price_amount": _as_entered(draft.shipping, channel),
        "undiscounted_base_shipping_price_amount": _as_entered(
            undiscounted_shipping, channel
        ),
        "subtotal_net_amount": subtotal.net,
        "subtotal_gross_amount": subtotal.gross,
        "total_net_amount": draft.total.net,
        "total_gross_amount": draft.total.gross,
        "undiscounted_total_net_amount": draft.undiscounted_total.net,
        "undiscounted_total_gross_amount": draft.undiscounted_total.gross,
    }


def _add_address(draft: AddressDraft | None, rows: Rows) -> Row | None:
    if draft is None:
        return None
    row = address_columns(draft)
    rows[Address].append(row)
    return row


def address_columns(draft: AddressDraft) -> Row:
    return {
        **{column: getattr(draft, column) for column in ADDRESS_FIELDS},
        "country": draft.country,
        "phone": draft.phone,
        # It is the address Amazon gave; Saleor's rules per country were not applied.
        "validation_skipped": True,
    }


def _add_lines(plan: Plan, around: Surroundings, rows: Rows) -> None:
    channel = around.channels[plan.channel_id]
    now = clock.now()
    for position, (line_id, draft, supply) in enumerate(
        zip(plan.line_ids, plan.draft.lines, plan.supplies, strict=True)
    ):
        variant = around.variants[plan.variant_id(draft)]
        amounts = line_amounts(plan.draft, draft, channel)
        rows[OrderLine].append(
            {
                "id": line_id,
                "order_id": plan.order_id,
                # Saleor shows lines in this order, and equal ones in any.
                "created_at": now + timedelta(microseconds=position),
                **_variant(variant),
                **_tax_class(around.tax_class(variant.tax_class_id)),
                "quantity_fulfilled": plan.shipped(draft),
                "currency": plan.draft.currency,
                **amounts,
                "metadata": dict(draft.metadata),
                "private_metadata": {ORDER_ITEM_ID_KEY: draft.order_item_id},
            }
        )
        rows[OrderLineDiscount] += line_discounts(
            plan.draft, draft, channel, line_id, amounts["unit_discount_amount"]
        )
        rows[Allocation] += [
            {
                "order_line_id": line_id,
                "stock_id": stock_id,
                "quantity_allocated": units,
            }
            for stock_id, units in supply.allocated
        ]


def line_amounts(order: OrderDraft, draft: LineDraft, channel: Channel) -> Row:
    """The columns of a line that follow from its units and what they cost."""
    unit = _unit(draft.total, draft.quantity, order.currency)
    undiscounted_unit = _unit(draft.undiscounted_total, draft.quantity, order.currency)
    base_unit = _as_entered(unit, channel)
    undiscounted_base_unit = _as_entered(undiscounted_unit, channel)
    unit_discount = undiscounted_base_unit - base_unit
    row = {
        "quantity": draft.quantity,
        "unit_price_net_amount": unit.net,
        "unit_price_gross_amount": unit.gross,
        "total_price_net_amount": draft.total.net,
        "total_price_gross_amount": draft.total.gross,
        "undiscounted_unit_price_net_amount": undiscounted_unit.net,
        "undiscounted_unit_price_gross_amount": undiscounted_unit.gross,
        "undiscounted_total_price_net_amount": draft.undiscounted_total.net,
        "undiscounted_total_price_gross_amount": draft.undiscounted_total.gross,
        "base_unit_price_amount": base_unit,
        "undiscounted_base_unit_price_amount": undiscounted_base_unit,
        "unit_discount_amount": unit_discount,
        "unit_discount_value": unit_discount,
        "tax_rate": _tax_rate(draft.tax_rate),
    }
    if unit_discount > 0:
        row["unit_discount_type"] = DiscountValueType.FIXED
        row["unit_discount_reason"] = _promotion(order)
    return row


def line_discounts(
    order: OrderDraft,
    draft: LineDraft,
    channel: Channel,
    line_id: UUID,
    unit_discount: Decimal,
) -> list[Row]:
    """The promotion of a line, as Saleor keeps discounts; none, or one."""
    if unit_discount <= 0:
        return []
    return [
        {
            "id": uuid4(),
            "line_id": line_id,
            "type": DiscountType.MANUAL,
            "unique_type": DiscountType.MANUAL,
            "value_type": DiscountValueType.FIXED,
            "value": unit_discount,
            "amount_value": _as_entered(draft.undiscounted_total, channel)
            - _as_entered(draft.total, channel),
            "currency": order.currency,
            "reason": _promotion(order),
        }
    ]


def _promotion(order: OrderDraft) -> str:
    return f"{order.marketplace_name} promotion"


def _variant(variant: Variant) -> Row:
    return {
        "variant_id": variant.id,
        "product_variant_id": _global_id("ProductVariant", variant.id),
        "product_type_id": variant.product_type_id,
        "product_name": variant.product_name,
        "variant_name": variant.name,
        "product_sku": variant.sku,
        "is_shipping_required": variant.is_shipping_required,
        "is_gift_card": variant.is_gift_card,
    }


def _tax_class(tax_class: TaxClass | None, prefix: str = "") -> Row:
    return {
        f"{prefix}tax_class_id": tax_class.pk if tax_class else None,
        f"{prefix}tax_class_name": tax_class.name if tax_class else None,
        f"{prefix}tax_class_metadata": tax_class.metadata if tax_class else {},
        f"{prefix}tax_class_private_metadata": (
            tax_class.private_metadata if tax_class else {}
        ),
    }


def _add_fulfillment(plan: Plan, rows: Rows) -> None:
    """What has left already is one package that nobody needs to hear of."""
    taken = [
        (line_id, stock_id, units)
        for line_id, supply in zip(plan.line_ids, plan.supplies, strict=True)
        for stock_id, units in supply.taken
        if units
    ]
    if not taken:
        return
    fulfillment = {
        "order_id": plan.order_id,
        "fulfillment_order": 1,  # Saleor counts them in save(), which is not called.
        "status": FulfillmentStatus.FULFILLED,
        "tracking_number": plan.draft.tracking_numbers,
        "private_metadata": {KNOWN_TO_AMAZON_KEY: "true"},
    }
    rows[Fulfillment].append(fulfillment)
    rows[FulfillmentLine] += [
        {
            "fulfillment_id": fulfillment,
            "order_line_id": line_id,
            "stock_id": stock_id,
            "quantity": units,
        }
        for line_id, stock_id, units in taken
    ]


def _add_transaction(plan: Plan, around: Surroundings, rows: Rows) -> None:
    marketplace = MARKETPLACES.get(plan.draft.marketplace_id)
    common = {
        "psp_reference": plan.amazon_order_id,
        "message": f"Paid to {plan.draft.marketplace_name}",
        "currency": plan.draft.currency,
        "app_id": around.app.pk if around.app else None,
        "app_identifier": around.app.identifier if around.app else None,
    }
    item = {
        **common,
        "order_id": plan.order_id,
        "token": uuid4(),
        "name": plan.draft.marketplace_name,
        "available_actions": [TransactionAction.REFUND],
        "charged_value": plan.draft.total.gross,
        "external_url": (
            marketplace.order_url(plan.amazon_order_id) if marketplace else None
        ),
    }
    rows[TransactionItem].append(item)
    rows[TransactionEvent].append(
        {
            **common,
            "transaction_id": item,
            "type": TransactionEventType.CHARGE_SUCCESS,
            "created_at": plan.draft.created_at,
            "amount_value": plan.draft.total.gross,
            "include_in_calculations": True,
        }
    )


def _add_event(plan: Plan, around: Surroundings, rows: Rows) -> None:
    rows[OrderEvent].append(
        {
            "order_id": plan.order_id,
            "type": OrderEvents.PLACED,
            "date": plan.draft.created_at,
            "app_id": around.app.pk if around.app else None,
        }
    )


def _number_and_index(plans: Sequence[Plan], around: Surroundings, rows: Rows) -> None:
    """Draw the orders' numbers and make their search vectors, in one statement.

    The texts and their weights are those of ``saleor/order/search.py``, which would
    cost two queries per order.
    """
    texts = [
        _search_texts(plan, item["token"], around)
        for plan, item in zip(plans, rows[TransactionItem], strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number, (
                setweight(to_tsvector('simple', number || ' ' || a), 'A')
                || setweight(to_tsvector('simple', b), 'B')
                || setweight(to_tsvector('simple', c), 'C')
                || setweight(to_tsvector('simple', d), 'D')
            )::text
            FROM (
                SELECT nextval('order_order_number_seq') AS number, a, b, c, d, position
                FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                    WITH ORDINALITY AS texts (a, b, c, d, position)
            ) AS numbered
            ORDER BY position
            """,
            [list(column) for column in zip(*texts, strict=True)],
        )
        answers = cursor.fetchall()
    for plan, row, (number, vector) in zip(plans, rows[Order], answers, strict=True):
        plan.number = number
        row |= {"number": number, "search_vector": vector}
        row["metadata"][PRINTED_NUMBER_KEY] = plan.printed_number


def _search_texts(
    plan: Plan, token: UUID, around: Surroundings
) -> tuple[str, str, str, str]:
    draft = plan.draft
    variants = [
        around.variants[plan.variant_id(line)]
        for line in draft.lines[: settings.SEARCH_ORDERS_MAX_INDEXED_LINES]
    ]
    weighted = (
        [_global_id("Order", plan.order_id)],
        [
            draft.customer_note,
            *_address_texts(draft.billing_address),
            *_address_texts(draft.shipping_address),
            plan.amazon_order_id,
        ],
        [
            text
            for variant in variants
            for text in (variant.sku or "", variant.product_name, variant.name)
        ],
        [_global_id("TransactionItem", token), plan.amazon_order_id],
    )
    a, b, c, d = (searchable_text("\n".join(texts)) for texts in weighted)
    return a, b, c, d


def _address_texts(address: AddressDraft | None) -> list[str]:
    if address is None:
        return []
    return [
        *(getattr(address, column) for column in ADDRESS_FIELDS),
        _country_name(address.country),
        address.country,
        address.phone,
    ]


@cache
def _country_name(code: str) -> str:
    return str(countries.name(code))


def _global_id(type_name: str, primary_key: object) -> str:
    return graphene.Node.to_global_id(type_name, primary_key)


def _status(plan: Plan) -> str:
    shipped = sum(plan.shipped(line) for line in plan.draft.lines)
    if not shipped:
        if plan.new.is_unconfirmed:
            return OrderStatus.UNCONFIRMED
        return OrderStatus.UNFULFILLED
    if shipped < sum(line.quantity for line in plan.draft.lines):
        return OrderStatus.PARTIALLY_FULFILLED
    return OrderStatus.FULFILLED


def _sum(prices: Iterable[Price]) -> Price:
    gross = net = Decimal(0)
    for price in prices:
        gross, net = gross + price.gross, net + price.net
    return Price(gross, net)


def _unit(total: Price, quantity: int, currency: str) -> Price:
    """The price of one unit, rounded: what counts, and is exact, is the total."""
    return Price(
        quantize_price(total.gross / quantity, currency),
        quantize_price(total.net / quantity, currency),
    )


def _as_entered(price: Price, channel: Channel) -> Decimal:
    """A base price as the channel's own prices are given: with tax or without."""
    if channel.tax_configuration.prices_entered_with_tax:
        return price.gross
    return price.net


def _tax_rate(rate: Decimal | None) -> Decimal | None:
    return rate if rate is None else rate.quantize(_TAX_RATE_PLACES)


def _language(code: str) -> str:
    """Saleor's code for a language; its default where it has none like it."""
    code = code.lower().replace("_", "-")
    for candidate in (code, code.partition("-")[0]):
        if candidate in _LANGUAGES:
            return candidate
    return settings.LANGUAGE_CODE
