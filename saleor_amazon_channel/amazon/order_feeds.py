"""The XML of order feeds: cancelling with ``POST_ORDER_ACKNOWLEDGEMENT_DATA``,
confirming shipments with ``POST_ORDER_FULFILLMENT_DATA``, and refunding with
``POST_PAYMENT_ADJUSTMENT_DATA``.

Sources: the schemas OrderAcknowledgement, OrderFulfillment, OrderAdjustment and
amzn-envelope, release 4.1, and "Order Feed Type Values". The order of the elements is
the schema's. Amazon answers bytes after the closing tag, a byte order mark or another
content type with errors 5000 and 5001.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from xml.etree import ElementTree

from .carriers import CARRIER_CODES
from .marketplaces import minor_unit
from .orders_v0 import OTHER_CARRIER, Package

ORDER_ACKNOWLEDGEMENT = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ORDER_FULFILLMENT = "POST_ORDER_FULFILLMENT_DATA"
PAYMENT_ADJUSTMENT = "POST_PAYMENT_ADJUSTMENT_DATA"

#: Of one feed. Amazon states no limit for order feeds; this is well inside the 10 MiB.
MOST_MESSAGES = 1000

#: Of a tracking number, of a carrier's name.
MAX_TEXT_LENGTH = 50

_ITEM_CODE = re.compile(r"\d{14}", re.ASCII)

#: One such character makes Amazon refuse the whole document.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
ElementTree.register_namespace("xsi", _XSI)

_Body = TypeVar("_Body")


class CancelReason(StrEnum):
    """``CancelReason`` of the schema. All but the buyer's own wish count towards the
    seller's pre-fulfillment cancel rate."""

    NO_INVENTORY = "NoInventory"
    SHIPPING_ADDRESS_UNDELIVERABLE = "ShippingAddressUndeliverable"
    CUSTOMER_EXCHANGE = "CustomerExchange"
    BUYER_CANCELED = "BuyerCanceled"
    GENERAL_ADJUSTMENT = "GeneralAdjustment"
    PRICING_ERROR = "PricingError"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A whole order to cancel: every one of its order items has to be named, since
    Amazon passes over a Failure without items."""

    order_id: str
    order_item_ids: tuple[str, ...]
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """A package of an order. ``tracking_number`` may be empty, which the call that
    confirms shipments does not take; ``MerchantFulfillmentID`` is its package reference
    id."""

    order_id: str
    package: Package


class AdjustmentReason(StrEnum):
    """``AdjustmentReason`` of the schema."""

    NO_INVENTORY = "NoInventory"
    CUSTOMER_RETURN = "CustomerReturn"
    GENERAL_ADJUSTMENT = "GeneralAdjustment"
    COULD_NOT_SHIP = "CouldNotShip"
    DIFFERENT_ITEM = "DifferentItem"
    ABANDONED = "Abandoned"
    CUSTOMER_CANCEL = "CustomerCancel"
    PRICE_ERROR = "PriceError"
    PRODUCT_OUT_OF_STOCK = "ProductOutofStock"
    CUSTOMER_ADDRESS_INCORRECT = "CustomerAddressIncorrect"
    EXCHANGE = "Exchange"
    OTHER = "Other"
    UNDELIVERABLE = "Undeliverable"
    REFUSED_DELIVERY = "RefusedDelivery"


#: Currencies of the schema's copy of 2021.
ADJUSTMENT_CURRENCIES = frozenset(
    [
        "USD",
        "GBP",
        "EUR",
        "JPY",
        "CAD",
        "CNY",
        "INR",
        "MXN",
        "BRL",
        "AUD",
        "TRY",
        "SGD",
        "SEK",
        "PLN",
        "AED",
        "SAR",
        "EGP",
    ]
)


@dataclass(frozen=True, slots=True)
class AdjustedItem:
    """What the buyer gets back of an order item, by component (``Principal``); for all
    of its units together. ``reference`` is ours."""

    order_item_id: str
    reference: str
    reason: AdjustmentReason
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A refund of an order."""

    order_id: str
    currency: str
    items: tuple[AdjustedItem, ...]


def is_order_item_code(text: str) -> bool:
    """Whether an order item id has the form the schema demands: 14 digits."""
    return _ITEM_CODE.fullmatch(text) is not None


def cancellations(seller_id: str, orders: Mapping[int, Cancellation]) -> bytes:
    """A feed that cancels the orders, by the ids of its messages."""

    def write(message: ElementTree.Element, order: Cancellation) -> None:
        body = ElementTree.SubElement(message, "OrderAcknowledgement")
        _add(body, "AmazonOrderID", order.order_id)
        _add(body, "StatusCode", "Failure")
        for order_item_id in order.order_item_ids:
            item = ElementTree.SubElement(body, "Item")
            _add(item, "AmazonOrderItemCode", order_item_id)
            _add(item, "CancelReason", order.reason.value)

    return _envelope(seller_id, "OrderAcknowledgement", orders, write)


def takes(package: Package) -> bool:
    """Whether a feed can hold the package: the schema is narrower than the call."""
    texts = (package.tracking_number, package.carrier_name)
    return all(
        len(text) <= MAX_TEXT_LENGTH and not _NOT_XML.search(text) for text in texts
    ) and all(is_order_item_code(item.order_item_id) for item in package.items)


def fulfillments(seller_id: str, packages: Mapping[int, Fulfillment]) -> bytes:
    """A feed that confirms the packages, by the ids of its messages."""

    def write(message: ElementTree.Element, fulfillment: Fulfillment) -> None:
        package = fulfillment.package
        body = ElementTree.SubElement(message, "OrderFulfillment")
        _add(body, "AmazonOrderID", fulfillment.order_id)
        _add(body, "MerchantFulfillmentID", package.package_reference_id)
        _add(body, "FulfillmentDate", _time(package.ship_date))
        data = ElementTree.SubElement(body, "FulfillmentData")
        code, name = package.carrier_code, package.carrier_name
        if code not in CARRIER_CODES:
            # It may be newer than the schema, which would refuse the whole feed.
            code, name = OTHER_CARRIER, name or code
        _add(data, "CarrierCode", code)
        if name:
            _add(data, "CarrierName", name)
        if package.tracking_number:
            _add(data, "ShipperTrackingNumber", package.tracking_number)
        for each in package.items:
            item = ElementTree.SubElement(body, "Item")
            _add(item, "AmazonOrderItemCode", each.order_item_id)
            _add(item, "Quantity", str(each.quantity))

    return _envelope(seller_id, "OrderFulfillment", packages, write)


def adjustments(seller_id: str, orders: Mapping[int, Adjustment]) -> bytes:
    """A feed that refunds the amounts, by the ids of its messages.

    Without ``Quantity``, with which Amazon was seen to refund something else.
    """

    def write(message: ElementTree.Element, adjustment: Adjustment) -> None:
        places = -int(minor_unit(adjustment.currency).as_tuple().exponent)
        body = ElementTree.SubElement(message, "OrderAdjustment")
        _add(body, "AmazonOrderID", adjustment.order_id)
        _add(body, "ActionType", "Refund")
        for each in adjustment.items:
            item = ElementTree.SubElement(body, "AdjustedItem")
            _add(item, "AmazonOrderItemCode", each.order_item_id)
            _add(item, "MerchantAdjustmentItemID", each.reference)
            _add(item, "AdjustmentReason", each.reason.value)
            prices = ElementTree.SubElement(item, "ItemPriceAdjustments")
            for name, amount in each.amounts.items():
                component = ElementTree.SubElement(prices, "Component")
                _add(component, "Type", name)
                _add(component, "Amount", f"{amount:.{places}f}")
                component[-1].set("currency", adjustment.currency)

    return _envelope(seller_id, "OrderAdjustment", orders, write)


def _time(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def _envelope(
    seller_id: str,
    message_type: str,
    bodies: Mapping[int, _Body],
    write: Callable[[ElementTree.Element, _Body], None],
) -> bytes:
    root = ElementTree.Element(
        "AmazonEnvelope", {f"{{{_XSI}}}noNamespaceSchemaLocation": "amzn-envelope.xsd"}
    )
    header = ElementTree.SubElement(root, "Header")
    _add(header, "DocumentVersion", "1.01")
    _add(header, "MerchantIdentifier", seller_id)
    _add(root, "MessageType", message_type)
    for number, body in bodies.items():
        message = ElementTree.SubElement(root, "Message")
        _add(message, "MessageID", str(number))
        write(message, body)
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
