"""What Amazon does with a message of a payment adjustment feed: it refunds, or says why
it does not.

Sources: the schema OrderAdjustment, release 4.1, "Order Feed Type Values", threads
M/4405 (Quantity), M/767 and M/1372 (tax that was not charged apart). The error numbers
are the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .errors import EventError, NotFound, UnknownName
from .refunds import charged, post_refund

if TYPE_CHECKING:
    from .state import State

UNKNOWN_ORDER, NOT_ELIGIBLE, WRONG_ITEM = "90011", "90012", "90013"
WRONG_CURRENCY, TAX_NOT_ELIGIBLE = "90014", "90015"

_REASONS = (
    "NoInventory",
    "CustomerReturn",
    "GeneralAdjustment",
    "CouldNotShip",
    "DifferentItem",
    "Abandoned",
    "CustomerCancel",
    "PriceError",
    "ProductOutofStock",
    "CustomerAddressIncorrect",
    "Exchange",
    "Other",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "TransactionRecord",
    "Undeliverable",
    "RefusedDelivery",
)
_COMPONENTS = (
    "Principal",
    "Shipping",
    "Tax",
    "ShippingTax",
    "RestockingFee",
    "RestockingFeeTax",
    "GiftWrap",
    "GiftWrapTax",
    "Surcharge",
    "ReturnShipping",
    "Goodwill",
    "ExportCharge",
    "COD",
    "CODTax",
    "Other",
    "FreeReplacementReturnShipping",
)
_CURRENCIES = "USD|GBP|EUR|JPY|CAD|CNY|INR|MXN|BRL|AUD|TRY|SGD|SEK|PLN|AED|SAR|EGP"

#: As ``feed_processing`` reads it.
SCHEMA: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "OrderAdjustment": (
        ("AmazonOrderID", "1", r"\w{3}-\w{7}-\w{7}"),
        ("ActionType", "?", "Refund|Cancel"),
        ("CODCollectionMethod", "?", "DirectPayment"),
        ("AdjustedItem", "+", ""),
    ),
    "AdjustedItem": (
        ("AmazonOrderItemCode", "1", r"[0-9]{14}"),
        ("MerchantAdjustmentItemID", "?", r".{1,50}"),
        ("AdjustmentReason", "1", "|".join(_REASONS)),
        ("ItemPriceAdjustments", "?", ""),
        ("QuantityCancelled", "?", r"[1-9][0-9]*"),
        ("Quantity", "?", r"[1-9][0-9]*"),
    ),
    "ItemPriceAdjustments": (("Component", "+", ""),),
    "Component": (
        ("Type", "1", "|".join(_COMPONENTS)),
        ("Amount", "1", r"-?[0-9]{1,18}(\.[0-9]{1,2})?"),
    ),
}
#: Element → its attributes, all of them needed, and their patterns.
ATTRIBUTES: Mapping[str, Mapping[str, str]] = {"Amount": {"currency": _CURRENCIES}}


def adjust(
    state: State, seller_id: str, body: ElementTree.Element
) -> tuple[str, str] | None:
    order_id = body.findtext("AmazonOrderID") or ""
    try:
        order = state.own_order(order_id, seller_id).current.payload
    except NotFound:
        return UNKNOWN_ORDER, "The order is not one of the seller's."
    if order["fulfillment"].get("fulfilledBy", "MERCHANT") != "MERCHANT":
        return NOT_ELIGIBLE, "Amazon fulfils the order."
    if (body.findtext("ActionType") or "Refund") != "Refund":
        return NOT_ELIGIBLE, "Only refunds are processed here."
    amounts: dict[str, dict[str, Decimal]] = {}
    items = {item["orderItemId"]: item for item in order["orderItems"]}
    for adjusted in body.findall("AdjustedItem"):
        item_id = adjusted.findtext("AmazonOrderItemCode") or ""
        if item_id not in items or item_id in amounts:
            return WRONG_ITEM, f"Item {item_id} is not of the order, or occurs twice."
        problem = _read(order, items[item_id], adjusted, amounts)
        if problem:
            return problem
    try:
        post_refund(
            state,
            seller_id,
            order,
            amounts,
            is_deferred=state.transactions.are_refunds_deferred,
        )
    except (EventError, UnknownName) as error:
        return NOT_ELIGIBLE, str(error)
    return None


def _read(
    order: Mapping[str, Any],
    item: Mapping[str, Any],
    adjusted: ElementTree.Element,
    amounts: dict[str, dict[str, Decimal]],
) -> tuple[str, str] | None:
    currency = order["proceeds"]["grandTotal"]["currencyCode"]
    of_item = amounts.setdefault(item["orderItemId"], {})
    for component in adjusted.findall("ItemPriceAdjustments/Component"):
        name = component.findtext("Type") or ""
        amount = component.find("Amount")
        if amount is None or amount.get("currency") != currency:
            return WRONG_CURRENCY, f"The order is in {currency}."
        if name in ("Tax", "ShippingTax", "GiftWrapTax") and name not in charged(item):
            return (
                TAX_NOT_ELIGIBLE,
                "The requested refund amount for the tax or shipping tax is not "
                "eligible.",
            )
        value = Decimal(amount.text or "0")
        if currency == "JPY" and value != value.to_integral_value():
            return NOT_ELIGIBLE, "Yen have no fractions."
        of_item[name] = of_item.get(name, Decimal(0)) + value
    return None
