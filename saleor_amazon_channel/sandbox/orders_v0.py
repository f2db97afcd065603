"""Orders API v0: confirmShipment, the write that v2026-01-01 did not replace.

Source: Amazon's model ``ordersV0.json``; documentation "Confirm the shipment status";
announcements on carrier codes and on package reference ids being text. Choices where
Amazon is silent: a field the model does not know is refused; a carrier code must be of
the feed schema's list; the same call again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..amazon.marketplaces import MARKETPLACES
from .calls import Answer, Call, Operation
from .carriers import CARRIER_CODES
from .errors import InvalidInput
from .orders import check_order_id
from .packages import find_package, package_units, put_package, unshipped_units
from .times import format_time, parse_time
from .usage_plans import UsagePlan

_BAD_REFERENCE = "PackageReferenceId: is invalid, must be a positive numeric value"

# Definition -> field -> type, ``*`` required: the model's ConfirmShipmentRequest.
_BODY: Mapping[str, Mapping[str, type]] = {
    "": {
        "marketplaceId*": str,
        "codCollectionMethod": str,
        "packageDetail*": dict,
    },
    "packageDetail": {
        "packageReferenceId*": str,
        "carrierCode*": str,
        "carrierName": str,
        "shippingMethod": str,
        "trackingNumber*": str,
        "shipDate*": str,
        "shipFromSupplySourceId": str,
        "orderItems*": list,
    },
    "packageDetail.orderItems": {
        "orderItemId*": str,
        "quantity*": int,
        "transparencyCodes": list,
    },
}


def confirm_shipment(call: Call) -> Answer:
    order_id = check_order_id(call.path["orderId"])
    body = call.json()
    _check_types(body)
    order = call.state.own_order(order_id, call.seller.seller_id).current.payload
    if body["marketplaceId"] != order["salesChannel"].get("marketplaceId"):
        raise InvalidInput("MarketplaceId is not the marketplace of the order.")
    _check_collection_method(body)
    _check_order(order)
    package = _package(body["packageDetail"], order, call.now)
    call.state.change_order(order_id, lambda copy: put_package(copy, package))
    return Answer(204)


def _check_types(body: Any) -> None:
    if not isinstance(body, dict):
        raise InvalidInput("Request body must be an object.")
    _check_fields(body, "")
    detail = body["packageDetail"]
    if isinstance(detail.get("orderItems"), dict):
        # The words Amazon is known to use for this mistake.
        raise InvalidInput("OrderItemId is invalid, must be provided.")
    _check_fields(detail, "packageDetail")
    for entry in detail["orderItems"]:
        if not isinstance(entry, dict):
            raise _wrong_type(["packageDetail.orderItems"])
        _check_fields(entry, "packageDetail.orderItems")
        if not all(
            isinstance(code, str) for code in entry.get("transparencyCodes", ())
        ):
            raise _wrong_type(["packageDetail.orderItems.transparencyCodes"])


def _check_fields(source: Mapping[str, Any], path: str) -> None:
    """Refuse missing, unknown and wrongly typed fields of one object."""
    fields = {name.rstrip("*"): kind for name, kind in _BODY[path].items()}
    prefix = f"{path}." if path else ""
    for name in _BODY[path]:
        if name.endswith("*") and source.get(name[:-1]) is None:
            if name == "packageReferenceId*":
                raise InvalidInput(_BAD_REFERENCE)
            raise InvalidInput(f"{_label(name[:-1])} is invalid, must be provided.")
    for name in source:
        if name not in fields:
            raise InvalidInput(f"Request has unknown fields [{prefix}{name[:100]}]")
    wrong = [
        prefix + name
        for name, value in source.items()
        # In Python a bool is an int; in JSON it is not.
        if isinstance(value, bool) or not isinstance(value, fields[name])
    ]
    if wrong:
        raise _wrong_type(wrong)


def _wrong_type(fields: list[str]) -> InvalidInput:
    return InvalidInput(f"Request has fields with invalid type [{', '.join(fields)}]")


def _label(name: str) -> str:
    """Amazon's messages name fields in v0's older spelling."""
    return name[0].upper() + name[1:]


def _check_collection_method(body: Mapping[str, Any]) -> None:
    method = body.get("codCollectionMethod")
    if method is None:
        return
    if method != "DirectPayment":
        raise InvalidInput("CodCollectionMethod is invalid, must be DirectPayment.")
    if MARKETPLACES[body["marketplaceId"]].country_code != "JP":
        raise InvalidInput("CodCollectionMethod is only supported in Japan.")


def _check_order(order: Mapping[str, Any]) -> None:
    fulfillment = order.get("fulfillment", {})
    if fulfillment.get("fulfilledBy") == "AMAZON":
        raise InvalidInput("The order is fulfilled by Amazon.")
    if "FBM_SHIP_PLUS" in order.get("programs", ()):
        raise InvalidInput("Shipments of Ship+ orders cannot be confirmed.")
    status = fulfillment.get("fulfillmentStatus")
    if status not in ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"):
        raise InvalidInput(f"An order in status {status} cannot be shipped.")


def _package(
    detail: Mapping[str, Any], order: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    reference = detail["packageReferenceId"]
    if not (reference.isascii() and reference.isdigit() and int(reference) > 0):
        raise InvalidInput(_BAD_REFERENCE)
    known = find_package(order, reference)
    remaining = unshipped_units(order) + package_units(known)
    if known is None and not remaining.total():
        raise InvalidInput("Unable to find package to update.")
    ship_time = _ship_time(detail["shipDate"], order, now)
    package: dict[str, Any] = {
        "packageReferenceId": reference,
        "createdTime": known["createdTime"] if known else format_time(now),
        "packageStatus": known["packageStatus"] if known else {"status": "SHIPPED"},
        "carrier": _carrier(detail),
        "shipTime": format_time(ship_time),
        "trackingNumber": _text(detail, "trackingNumber"),
        "packageItems": _package_items(detail["orderItems"], order, remaining),
    }
    if "shippingMethod" in detail:
        package["shippingService"] = _text(detail, "shippingMethod")
    return package


def _text(detail: Mapping[str, Any], name: str) -> str:
    value: str = detail[name]
    if not value.strip():
        raise InvalidInput(f"{_label(name)} is invalid, must be provided.")
    return value


def _carrier(detail: Mapping[str, Any]) -> str:
    code: str = detail["carrierCode"]
    if code == "Other":
        if not detail.get("carrierName", "").strip():
            raise InvalidInput("CarrierName is required when CarrierCode is Other.")
        return str(detail["carrierName"])
    if code not in CARRIER_CODES:
        raise InvalidInput(
            "CarrierCode is invalid.", "Use a code of the list, or Other and a name."
        )
    return code


def _ship_time(text: str, order: Mapping[str, Any], now: datetime) -> datetime:
    try:
        moment = parse_time(text)
    except ValueError:
        raise InvalidInput(
            "ShipDate is invalid, must be an ISO 8601 date-time."
        ) from None
    if moment > now:
        raise InvalidInput("ShipDate is invalid, must not be in the future.")
    if moment < parse_time(order["createdTime"]):
        raise InvalidInput("ShipDate is invalid, must not be before the order.")
    return moment


def _package_items(
    entries: list[dict[str, Any]],
    order: Mapping[str, Any],
    remaining: Counter[str],
) -> list[dict[str, Any]]:
    if not entries:
        raise InvalidInput("OrderItems is invalid, must not be empty.")
    items = {item["orderItemId"]: item for item in order["orderItems"]}
    units: Counter[str] = Counter()
    result = []
    for entry in entries:
        item = items.get(entry["orderItemId"])
        if item is None:
            raise InvalidInput("OrderItemId is invalid, is not of the order.")
        quantity = entry["quantity"]
        if quantity < 1:
            raise InvalidInput("Quantity is invalid, must be positive.")
        units[entry["orderItemId"]] += quantity
        codes = entry.get("transparencyCodes", [])
        if "TRANSPARENCY" in item.get("programs", ()) and len(codes) != quantity:
            raise InvalidInput("TransparencyCodes: one code per unit is required.")
        result.append(
            {"orderItemId": entry["orderItemId"], "quantity": quantity}
            | ({"transparencyCodes": codes} if codes else {})
        )
    for order_item_id, quantity in units.items():
        if quantity > remaining[order_item_id]:
            raise InvalidInput(
                "Quantity is invalid, is more than what is left to ship."
            )
    return result


OPERATIONS = (
    Operation(
        "confirmShipment",
        "POST",
        "/orders/v0/orders/{orderId}/shipmentConfirmation",
        UsagePlan(2, 10),
        confirm_shipment,
    ),
)
