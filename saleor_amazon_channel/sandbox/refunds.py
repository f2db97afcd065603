"""Refunds on Amazon's side: who gives one, and the transactions Amazon posts for it.

What may be refunded follows the documentation of the payment adjustment feed: only what
was charged, which happens when a unit is shipped, and of each component of an item no
more than that. Components carry the feed's names (``Principal``, ``ShippingTax``).

The form of the transactions is that of real ones as people have published them (Amazon
documents no refund): amounts are the seller's, so what the buyer gets is negative; the
leaves ``OurPricePrincipal``, ``OurPriceTax``, ``ShippingPrincipal`` and so on lie under
``ProductCharges``, ``Tax``, ``Shipping``; promotions come back as positive
``PromoRebates``; Amazon's own fees and withheld tax are beside them. A deferred
transaction keeps its id when it is released and names the releasing one, which is of
the same amounts and names the deferred one. In which group withheld tax, goodwill and
restocking fees lie is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from .. import clock
from ..amazon.marketplaces import MARKETPLACES
from .errors import EventError, UnknownName
from .proceeds import amount_of
from .times import format_time
from .transactions import Json, StoredTransaction, new_number, new_transaction_id

if TYPE_CHECKING:
    from .state import State

#: order item id → component → what the buyer gets of it.
Amounts = Mapping[str, Mapping[str, Decimal]]

#: Component → group and leaf it is posted under.
LEAVES: Mapping[str, tuple[str, str]] = {
    "Principal": ("ProductCharges", "OurPricePrincipal"),
    "Tax": ("Tax", "OurPriceTax"),
    "Shipping": ("Shipping", "ShippingPrincipal"),
    "ShippingTax": ("Tax", "ShippingTax"),
    "GiftWrap": ("Giftwrap", "GiftwrapPrincipal"),
    "GiftWrapTax": ("Tax", "GiftwrapTax"),
    "Goodwill": ("ProductCharges", "GoodwillPrincipal"),
    "RestockingFee": ("ProductCharges", "RestockingDeductionPrincipal"),
    "RestockingFeeTax": ("Tax", "RestockingDeductionTax"),
    "ReturnShipping": ("Shipping", "ReturnShippingDeductionPrincipal"),
}
#: What the buyer was never charged for.
_NOT_CHARGED = ("Goodwill", "RestockingFee", "RestockingFeeTax", "ReturnShipping")
_PRICES = {"ITEM": "Principal", "SHIPPING": "Shipping", "GIFT_WRAP": "GiftWrap"}
_TAXES = {"ITEM": "Tax", "SHIPPING": "ShippingTax", "GIFT_WRAP": "GiftWrapTax"}
_DISCOUNTS = {
    "Principal": "OurPriceDiscount",
    "Shipping": "ShippingDiscount",
    "GiftWrap": "GiftwrapDiscount",
}
_COMMISSION = Decimal("0.15")
_KEPT_OF_COMMISSION = Decimal("0.2")
_IDENTIFIED_BY = ("sku", "order_item_id", "nothing")


def refund(
    state: State,
    order_id: str,
    *,
    items: Mapping[str, Mapping[str, str]] | None = None,
    identified_by: str = "sku",
    is_deferred: bool = False,
    vat_rate: str | None = None,
) -> Json:
    """The seller refunds in Seller Central: the transaction that Amazon posts.

    ``items`` goes from order item ids to components and amounts; without it, all that
    is left of the order. ``identified_by`` says how the transaction tells the items.
    With ``vat_rate`` (``"0.19"``), tax that is inside the prices is posted apart from
    them, as Amazon does for sellers whose VAT it calculates.
    """
    stored = state.stored_order(order_id)
    order = stored.current.payload
    chosen: Amounts
    if items is None:
        chosen = left_to_refund(state, order)
    else:
        chosen = {
            item_id: {name: Decimal(amount) for name, amount in components.items()}
            for item_id, components in items.items()
        }
    return post_refund(
        state,
        stored.seller_id,
        order,
        chosen,
        identified_by=identified_by,
        is_deferred=is_deferred,
        vat_rate=vat_rate,
    ).payload


def post_refund(
    state: State,
    seller_id: str,
    order: Mapping[str, Any],
    amounts: Amounts,
    *,
    identified_by: str = "sku",
    is_deferred: bool = False,
    vat_rate: str | None = None,
) -> StoredTransaction:
    """Refund these amounts and post the transaction. EventError says why it cannot be;
    nothing happened then."""
    if identified_by not in _IDENTIFIED_BY:
        raise EventError(f"identified_by is one of {', '.join(_IDENTIFIED_BY)}")
    _check(state, order, amounts)
    now = clock.now()
    items = {item["orderItemId"]: item for item in order["orderItems"]}
    currency = _currency(order)
    for item_id, components in amounts.items():
        so_far = state.transactions.refunded.setdefault((order["orderId"], item_id), {})
        for name, amount in components.items():
            so_far[name] = so_far.get(name, Decimal(0)) + amount
    wire_items = [
        _item(order, items[item_id], components, currency, identified_by, vat_rate)
        for item_id, components in amounts.items()
    ]
    payload = {
        "sellingPartnerMetadata": {
            "sellingPartnerId": seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": order["salesChannel"]["marketplaceId"],
        },
        "transactionType": "Refund",
        "transactionId": new_transaction_id(),
        "transactionStatus": "DEFERRED" if is_deferred else "RELEASED",
        "relatedIdentifiers": _identifiers(
            {
                "ORDER_ID": order["orderId"],
                "REFUND_ID": new_number(),
                "FINANCIAL_EVENT_GROUP_ID": new_transaction_id(),
            }
        ),
        "totalAmount": _money(_total(wire_items), currency),
        "description": "Refund Order",
        "postedDate": format_time(now),
        "marketplaceDetails": _marketplace(order),
        "items": wire_items,
        "contexts": _deferral(now + timedelta(days=7)) if is_deferred else [],
        "breakdowns": _summary(wire_items, currency),
    }
    return state.transactions.post(seller_id, payload, now)


def release_refund(
    state: State, order_id: str, *, transaction_id: str | None = None
) -> Json:
    """Amazon releases a deferred refund, by default the oldest: the releasing one."""
    seller_id = state.stored_order(order_id).seller_id
    for deferred in state.transactions.all_of(seller_id):
        if (
            deferred.related("ORDER_ID") == order_id
            and deferred.payload["transactionStatus"] == "DEFERRED"
            and transaction_id in (None, deferred.id)
        ):
            break
    else:
        raise UnknownName(f"no deferred refund of order {order_id}")
    now = clock.now()
    release = {
        **deferred.payload,
        "transactionId": new_transaction_id(),
        "transactionStatus": "RELEASED",
        "postedDate": format_time(now),
        "relatedIdentifiers": [
            *deferred.payload["relatedIdentifiers"],
            *_identifiers({"DEFERRED_TRANSACTION_ID": deferred.id}),
        ],
        "contexts": [],
    }
    deferred.payload = {
        **deferred.payload,
        "transactionStatus": "DEFERRED_RELEASED",
        "relatedIdentifiers": [
            *deferred.payload["relatedIdentifiers"],
            *_identifiers({"RELEASE_TRANSACTION_ID": str(release["transactionId"])}),
        ],
    }
    return state.transactions.post(seller_id, release, now).payload


def charged(item: Mapping[str, Any]) -> dict[str, Decimal]:
    """What the buyer pays of an order item, by component, promotions taken off."""
    found: dict[str, Decimal] = {}

    def add(name: str, amount: Decimal) -> None:
        found[name] = found.get(name, Decimal(0)) + amount

    for breakdown in item.get("proceeds", {}).get("breakdowns", ()):
        kind, subtotal = breakdown["type"], amount_of(breakdown["subtotal"])
        details = {
            detail["subtype"]: amount_of(detail["value"])
            for detail in breakdown.get("detailedBreakdowns", ())
        } or {"ITEM": subtotal}
        if kind in _PRICES:
            add(_PRICES[kind], subtotal)
        elif kind == "TAX":
            for subtype, amount in details.items():
                add(_TAXES.get(subtype, "Tax"), amount)
        elif kind == "DISCOUNT":
            for subtype, amount in details.items():
                add(_PRICES.get(subtype, "Principal"), -abs(amount))
    return found


def left_to_refund(state: State, order: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """order item id → component → what was charged and not refunded yet."""
    left = {}
    for item in order["orderItems"]:
        key = (order["orderId"], item["orderItemId"])
        so_far = state.transactions.refunded.get(key, {})
        amounts = {
            name: amount - so_far.get(name, Decimal(0))
            for name, amount in charged(item).items()
        }
        amounts = {name: amount for name, amount in amounts.items() if amount}
        if amounts:
            left[item["orderItemId"]] = amounts
    return left


def _check(state: State, order: Mapping[str, Any], amounts: Amounts) -> None:
    order_id = order["orderId"]
    status = order["fulfillment"]["fulfillmentStatus"]
    if status not in ("SHIPPED", "PARTIALLY_SHIPPED"):
        raise EventError(f"{order_id} is {status}: nothing was charged yet")
    if not amounts:
        raise EventError(f"{order_id}: nothing is left to refund")
    left = left_to_refund(state, order)
    for item_id, components in amounts.items():
        if item_id not in {item["orderItemId"] for item in order["orderItems"]}:
            raise UnknownName(f"no order item {item_id!r} in {order_id}")
        for name, amount in components.items():
            if name not in LEAVES:
                raise EventError(f"unknown component {name!r}")
            most = left.get(item_id, {}).get(name, Decimal(0))
            if name not in _NOT_CHARGED and not 0 < amount <= most:
                raise EventError(
                    f"{order_id}: {amount} of {name} of {item_id} cannot be refunded, "
                    f"{most} are left"
                )
        if sum(components.values()) <= 0:
            raise EventError(f"{order_id}: the buyer gets nothing for {item_id}")


def _item(
    order: Mapping[str, Any],
    item: Mapping[str, Any],
    components: Mapping[str, Decimal],
    currency: str,
    identified_by: str,
    vat_rate: str | None,
) -> Json:
    leaves = _leaves(item, components, vat_rate)
    breakdowns = [
        _breakdown(
            group,
            sum(of_group.values(), Decimal(0)),
            currency,
            [_breakdown(leaf, value, currency) for leaf, value in of_group.items()],
        )
        for group, of_group in leaves.items()
    ]
    identifier = (
        item["orderItemId"] if identified_by == "order_item_id" else new_number()
    )
    network = order["fulfillment"].get("fulfilledBy", "MERCHANT")
    context = {
        "contextType": "ProductContext",
        "asin": item["product"].get("asin", ""),
        "sku": item["product"].get("sellerSku", ""),
        # Of the order, not of the refund: Amazon does not count what is refunded.
        "quantityShipped": item["quantityOrdered"],
        "fulfillmentNetwork": "AFN" if network == "AMAZON" else "MFN",
    }
    total = sum(
        (amount for group in leaves.values() for amount in group.values()), Decimal(0)
    )
    return {
        "description": item["product"].get("title", ""),
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": identifier,
            }
        ],
        "totalAmount": _money(total, currency),
        "breakdowns": breakdowns,
        "contexts": [context] if identified_by == "sku" else [],
    }


def _leaves(
    item: Mapping[str, Any], components: Mapping[str, Decimal], vat_rate: str | None
) -> dict[str, dict[str, Decimal]]:
    """Group → leaf → the seller's amount."""
    groups: dict[str, dict[str, Decimal]] = {}

    def add(group: str, leaf: str, amount: Decimal) -> None:
        if amount:
            of_group = groups.setdefault(group, {})
            of_group[leaf] = of_group.get(leaf, Decimal(0)) + amount

    whole, discounts = charged(item), _discounts(item)
    for name, amount in components.items():
        group, leaf = LEAVES[name]
        tax_leaf = LEAVES.get(f"{name}Tax", LEAVES["Tax"])[1]
        rounding = Decimal(1).scaleb(_exponent(amount))
        if name in discounts and amount == whole[name]:
            # All of it at once: its promotion goes back as well.
            add("PromoRebates", _DISCOUNTS[name], discounts[name])
            amount += discounts[name]
        if vat_rate and name in _DISCOUNTS and "TAX" not in _kinds(item):
            tax = amount - (amount / (1 + Decimal(vat_rate))).quantize(
                rounding, ROUND_HALF_UP
            )
            add("Tax", tax_leaf, -tax)
            amount -= tax
        add(group, leaf, -amount)
    principal = components.get("Principal", Decimal(0))
    rounding = Decimal(1).scaleb(_exponent(principal))
    commission = (principal * _COMMISSION).quantize(rounding, ROUND_HALF_UP)
    kept = (commission * _KEPT_OF_COMMISSION).quantize(rounding, ROUND_HALF_UP)
    add("AmazonFees", "Commission", commission)
    add("AmazonFees", "RefundCommission", -kept)
    if any(
        collection.get("model") == "MARKETPLACE_FACILITATOR"
        for collection in item.get("tax", {}).get("taxCollections", ())
    ):
        for name, kind in (("Tax", "Principal"), ("ShippingTax", "Shipping")):
            add(
                "MarketplaceWithheldTax",
                f"MarketplaceFacilitatorTax-{kind}",
                components.get(name, Decimal(0)),
            )
    return groups


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _kinds(item: Mapping[str, Any]) -> set[str]:
    return {each["type"] for each in item.get("proceeds", {}).get("breakdowns", ())}


def _discounts(item: Mapping[str, Any]) -> dict[str, Decimal]:
    """Component → the promotion on it."""
    found: dict[str, Decimal] = {}
    for breakdown in item.get("proceeds", {}).get("breakdowns", ()):
        if breakdown["type"] == "DISCOUNT":
            details = breakdown.get("detailedBreakdowns") or [
                {"subtype": "ITEM", "value": breakdown["subtotal"]}
            ]
            for detail in details:
                name = _PRICES.get(detail["subtype"], "Principal")
                found[name] = found.get(name, Decimal(0)) + abs(
                    amount_of(detail["value"])
                )
    return found


def _summary(items: list[Json], currency: str) -> list[Json]:
    """The breakdowns of the transaction: its items', by group."""
    groups: dict[str, Decimal] = {}
    for item in items:
        for breakdown in item["breakdowns"]:
            amount = Decimal(str(breakdown["breakdownAmount"]["currencyAmount"]))
            name = breakdown["breakdownType"]
            groups[name] = groups.get(name, Decimal(0)) + amount
    fees = {name: amount for name, amount in groups.items() if name == "AmazonFees"}
    sales = {name: amount for name, amount in groups.items() if name not in fees}
    return [
        _breakdown(
            name,
            sum(part.values(), Decimal(0)),
            currency,
            [_breakdown(group, amount, currency) for group, amount in part.items()],
        )
        for name, part in (("Refunded Sales", sales), ("Refunded Expenses", fees))
    ]


def _breakdown(
    kind: str, amount: Decimal, currency: str, below: list[Json] | None = None
) -> Json:
    return {
        "breakdownType": kind,
        "breakdownAmount": _money(amount, currency),
        "breakdowns": below or [],
    }


def _money(amount: Decimal, currency: str) -> Json:
    """Amazon's amounts here are JSON numbers."""
    number = int(amount) if amount == amount.to_integral_value() else float(amount)
    return {"currencyCode": currency, "currencyAmount": number}


def _total(items: list[Json]) -> Decimal:
    return sum(
        (Decimal(str(item["totalAmount"]["currencyAmount"])) for item in items),
        Decimal(0),
    )


def _currency(order: Mapping[str, Any]) -> str:
    return str(order["proceeds"]["grandTotal"]["currencyCode"])


def _marketplace(order: Mapping[str, Any]) -> Json:
    marketplace_id = order["salesChannel"]["marketplaceId"]
    domain = MARKETPLACES[marketplace_id].domain
    return {
        "marketplaceId": marketplace_id,
        "marketplaceName": "A" + domain[1:],
    }


def _identifiers(values: Mapping[str, str]) -> list[Json]:
    return [
        {"relatedIdentifierName": name, "relatedIdentifierValue": value}
        for name, value in values.items()
    ]


def _deferral(until: Any) -> list[Json]:
    return [
        {
            "contextType": "DeferredContext",
            "deferralReason": "DD7",
            "maturityDate": format_time(until),
        }
    ]


REFUND_EVENTS: Mapping[str, Callable[..., Json]] = {
    "refund": refund,
    "release_refund": release_refund,
}
