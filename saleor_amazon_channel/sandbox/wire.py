"""The wire format of an order: Orders API v2026-01-01, definition ``Order``.

Source: Amazon's model ``orders_2026-01-01.json``; a test compares this table with it.
Where the model lists an ``enum`` the value must be in it; where it only names possible
values in prose (programs, package detail, association types, ...) any text is fine.
Fields the model does not know are allowed and kept: Amazon adds fields.

Each definition maps a field to its type; ``*`` marks a required field. A type is
``str``, ``int``, ``number``, ``time``, ``date``, the name of a definition, a tuple of
allowed texts, or a list holding one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .times import parse_time

FULFILLMENT_STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
)
_UNITS = (
    "OUNCES", "POUNDS", "KILOGRAMS", "GRAMS", "MILLIGRAMS", "INCHES", "FEET", "METERS",
    "CENTIMETERS", "MILLIMETERS", "SQUARE_METERS", "SQUARE_CENTIMETERS", "SQUARE_FEET",
    "SQUARE_INCHES", "GALLONS", "PINTS", "QUARTS", "FLUID_OUNCES", "LITERS",
    "CUBIC_METERS", "CUBIC_FEET", "CUBIC_INCHES", "CUBIC_CENTIMETERS", "COUNT",
)  # fmt: skip
_PACKAGE_STATUSES = (
    "PENDING", "IN_TRANSIT", "SHIPPED", "DELIVERED", "CANCELLED", "UNDELIVERABLE",
)  # fmt: skip
_MANDATORY = ("MANDATORY",)

_ADDRESS = {
    "name": "str",
    "addressLine1": "str",
    "addressLine2": "str",
    "addressLine3": "str",
    "city": "str",
    "districtOrCounty": "str",
    "stateOrRegion": "str",
    "municipality": "str",
    "postalCode": "str",
    "countryCode": "str",
}

DEFINITIONS: Mapping[str, Mapping[str, Any]] = {
    "Order": {
        "orderId*": "str",
        "orderAliases": ["Alias"],
        "createdTime*": "time",
        "lastUpdatedTime*": "time",
        "programs": ["str"],
        "associatedOrders": ["AssociatedOrder"],
        "salesChannel*": "SalesChannel",
        "buyer": "Buyer",
        "recipient": "Recipient",
        "proceeds": "OrderProceeds",
        "payment": "OrderPayment",
        "tax": "OrderTax",
        "fulfillment": "OrderFulfillment",
        "orderItems*": ["OrderItem"],
        "packages": ["OrderPackage"],
        "fulfillmentOrders": ["FulfillmentOrder"],
    },
    "Alias": {"aliasId*": "str", "aliasType*": "str"},
    "AssociatedOrder": {"orderId": "str", "associationType": "str"},
    "SalesChannel": {
        "channelName*": "str",
        "marketplaceId": "str",
        "marketplaceName": "str",
    },
    "Buyer": {
        "buyerName": "str",
        "buyerEmail": "str",
        "buyerCompanyName": "str",
        "buyerPurchaseOrderNumber": "str",
    },
    "Recipient": {
        "deliveryAddress": "CustomerAddress",
        "deliveryPreference": "DeliveryPreference",
    },
    "OrderProceeds": {"grandTotal": "Money", "breakdowns": ["OrderProceedsBreakdown"]},
    "OrderProceedsBreakdown": {"type*": "str", "status": "str", "subtotal*": "Money"},
    "OrderFulfillment": {
        "fulfillmentStatus*": FULFILLMENT_STATUSES,
        "fulfilledBy": "str",
        "fulfillmentServiceLevel": "str",
        "shipByWindow": "DateTimeRange",
        "deliverByWindow": "DateTimeRange",
        "labelPrintingWindow": "DateTimeRange",
    },
    "OrderItem": {
        "orderItemId*": "str",
        "quantityOrdered*": "int",
        "measurement": "Measurement",
        "associatedOrderItems": ["AssociatedOrderItem"],
        "programs": ["str"],
        "product*": "ItemProduct",
        "proceeds": "ItemProceeds",
        "expense": "ItemExpense",
        "promotion": "ItemPromotion",
        "cancellation": "ItemCancellation",
        "fulfillment": "ItemFulfillment",
        "tax": "ItemTax",
    },
    "OrderPackage": {
        "packageReferenceId*": "str",
        "createdTime": "time",
        "packageStatus": "PackageStatus",
        "carrier": "str",
        "shipTime": "time",
        "shippingService": "str",
        "trackingNumber": "str",
        "shipFromAddress": "MerchantAddress",
        "packageItems": ["PackageItem"],
    },
    "DeliveryPreference": {
        "dropOffLocation": "str",
        "addressInstruction": "str",
        "deliveryTime": "PreferredDeliveryTime",
        "deliveryCapabilities": ["str"],
    },
    "CustomerAddress": {
        **_ADDRESS,
        "companyName": "str",
        "phone": "str",
        "extendedFields": "AddressExtendedFields",
        "addressType": "str",
    },
    "AddressExtendedFields": {
        "streetName": "str",
        "streetNumber": "str",
        "complement": "str",
        "neighborhood": "str",
    },
    "MerchantAddress": _ADDRESS,
    "Measurement": {"unit*": _UNITS, "value*": "number"},
    "ItemProduct": {
        "asin": "str",
        "title": "str",
        "sellerSku": "str",
        "condition": "ItemCondition",
        "price": "ItemPrice",
        "serialNumbers": ["str"],
        "customization": "ItemCustomization",
    },
    "ItemProceeds": {"proceedsTotal": "Money", "breakdowns": ["ItemProceedsBreakdown"]},
    "ItemExpense": {"pointsCost": "ItemPointsCost"},
    "ItemPromotion": {"breakdowns": ["ItemPromotionBreakdown"]},
    "ItemCancellation": {
        "cancellationRequest": "ItemCancellationRequest",
        "cancellationExecution": "ItemCancellationExecution",
    },
    "ItemFulfillment": {
        "quantityFulfilled": "int",
        "quantityUnfulfilled": "int",
        "picking": "ItemPicking",
        "packing": "ItemPacking",
        "shipping": "ItemShipping",
    },
    "PreferredDeliveryTime": {
        "businessHours": ["BusinessHour"],
        "exceptionDates": ["ExceptionDate"],
    },
    "BusinessHour": {
        "dayOfWeek": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
        "timeWindows": ["TimeWindow"],
    },
    "ExceptionDate": {
        "exceptionDate": "date",
        "exceptionDateType": ("CLOSED", "OPEN"),
        "timeWindows": ["TimeWindow"],
    },
    "TimeWindow": {"startTime": "HourMinute", "endTime": "HourMinute"},
    "HourMinute": {"hour": "int", "minute": "int"},
    "ItemCondition": {
        "conditionType": "str",
        "conditionSubtype": "str",
        "conditionNote": "str",
    },
    "ItemPrice": {"unitPrice": "Money", "priceDesignation": "str"},
    "ItemCustomization": {"customizedUrl": "str"},
    "ItemProceedsBreakdown": {
        "type*": "str",
        "subtotal*": "Money",
        "detailedBreakdowns": ["ItemProceedsDetailedBreakdown"],
    },
    "ItemProceedsDetailedBreakdown": {"subtype": "str", "value": "Money"},
    "ItemPointsCost": {"pointsGranted": "PointsGranted"},
    "PointsGranted": {"pointsNumber": "int", "pointsMonetaryValue": "Money"},
    "ItemPromotionBreakdown": {"promotionId": "str"},
    "ItemCancellationRequest": {"requester": "str", "cancelReason": "str"},
    "ItemCancellationExecution": {"cancelledBy": "str", "cancelReason": "str"},
    "ItemPicking": {"substitutionPreference": "ItemSubstitutionPreference"},
    "ItemPacking": {
        "giftOption": "GiftOption",
        "serialNumberRequirement": "SerialNumberRequirement",
    },
    "ItemShipping": {
        "scheduledDeliveryWindow": "DateTimeRange",
        "shippingConstraints": "ItemShippingConstraints",
        "internationalShipping": "ItemInternationalShipping",
    },
    "GiftOption": {"giftMessage": "str", "giftWrapLevel": "str"},
    "SerialNumberRequirement": {"requirementType": "str"},
    "ItemSubstitutionPreference": {
        "substitutionType*": (
            "CUSTOMER_PREFERENCE",
            "AMAZON_RECOMMENDED",
            "DO_NOT_SUBSTITUTE",
        ),
        "substitutionOptions": ["ItemSubstitutionOption"],
    },
    "ItemSubstitutionOption": {
        "asin": "str",
        "quantityOrdered": "int",
        "sellerSku": "str",
        "title": "str",
        "measurement": "Measurement",
    },
    "ItemShippingConstraints": {
        "palletDelivery": _MANDATORY,
        "cashOnDelivery": _MANDATORY,
        "signatureConfirmation": _MANDATORY,
        "recipientIdentityVerification": _MANDATORY,
        "recipientAgeVerification": _MANDATORY,
    },
    "ItemInternationalShipping": {"iossNumber": "str"},
    "PackageStatus": {"status*": _PACKAGE_STATUSES, "detailedStatus": "str"},
    "PackageItem": {
        "orderItemId*": "str",
        "quantity*": "int",
        "transparencyCodes": ["str"],
    },
    "OrderPayment": {"paymentExecutions": ["PaymentExecution"]},
    "PaymentExecution": {
        "paymentMethod": "str",
        "paymentAmount": "Money",
        "acquirerId": "str",
        "cardBrand": "str",
        "authorizationCode": "str",
    },
    "OrderTax": {
        "taxRegistrations": ["OrderTaxRegistration"],
        "taxInvoicing": "OrderTaxInvoicing",
    },
    "OrderTaxRegistration": {
        "entityType": "str",
        "legalName": "str",
        "taxRegistrationType": "str",
        "taxRegistrationNumber": "str",
        "taxRegistrationAddress": "CustomerAddress",
        "taxRegistrationAttributes": ["TaxRegistrationAttribute"],
    },
    "TaxRegistrationAttribute": {"key": "str", "value": "str"},
    "OrderTaxInvoicing": {"buyerInvoicePreference": "str", "invoiceStatus": "str"},
    "AssociatedOrderItem": {
        "orderId": "str",
        "orderItemId": "str",
        "associationType": "str",
    },
    "ItemTax": {
        "taxCalculationBreakdowns": ["ItemTaxCalculationBreakdown"],
        "taxCollections": ["ItemTaxCollection"],
    },
    "ItemTaxCalculationBreakdown": {"reportingScheme": "str"},
    "ItemTaxCollection": {"model": "str", "responsibleParty": "str"},
    "Money": {"amount*": "decimal", "currencyCode*": "str"},
    "DateTimeRange": {"earliestDateTime": "time", "latestDateTime": "time"},
    "FulfillmentOrder": {"fulfillmentOrderId*": "str"},
}


class WireError(ValueError):
    """An order is not in Amazon's wire format; says which order and which field.

    The offending value is not in the message: it may be about a person.
    """

    def __init__(self, order: str, path: str, problem: str) -> None:
        self.order = order
        self.path = path
        self.problem = problem
        super().__init__(
            f"{order}: {path}: {problem}" if path else f"{order}: {problem}"
        )


class _Problem(Exception):
    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem


_FIELDS = {
    name: tuple(
        (field.rstrip("*"), field.endswith("*"), kind) for field, kind in fields.items()
    )
    for name, fields in DEFINITIONS.items()
}


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _check_scalar(value: Any, kind: str, path: str) -> None:
    if kind in ("int", "number"):
        is_right = isinstance(value, int if kind == "int" else (int, float))
        if not is_right or isinstance(value, bool):
            raise _Problem(path, f"must be {'an integer' if kind == 'int' else kind}")
        return
    if not isinstance(value, str):
        raise _Problem(path, f"must be text, not {type(value).__name__}")
    if kind == "decimal" and not _is_decimal(value):
        raise _Problem(path, "must be a decimal number written as text")
    if kind in ("time", "date"):
        try:
            parse_time(value) if kind == "time" else date.fromisoformat(value)
        except ValueError:
            expected = "date-time with a time zone" if kind == "time" else "date"
            raise _Problem(path, f"must be an ISO 8601 {expected}") from None


def _check(value: Any, kind: Any, path: str) -> None:
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise _Problem(path, f"must be a list, not {type(value).__name__}")
        for position, entry in enumerate(value):
            _check(entry, kind[0], f"{path}[{position}]")
    elif isinstance(kind, tuple):
        if value not in kind:
            raise _Problem(path, f"must be one of {', '.join(kind)}")
    elif kind in _FIELDS:
        if not isinstance(value, dict):
            raise _Problem(path, f"must be an object, not {type(value).__name__}")
        for field, is_required, field_kind in _FIELDS[kind]:
            below = f"{path}.{field}" if path else field
            if field in value:
                _check(value[field], field_kind, below)
            elif is_required:
                raise _Problem(below, "is required")
    else:
        _check_scalar(value, kind, path)


def check_order(payload: Any, position: int = 0) -> None:
    """Raise WireError unless ``payload`` is an Order; ``position`` is for the message.

    Beyond the model: there are items, their ids are unique, their quantities are not
    negative, and package items name
    items of the order.
    """
    order = f"order {position + 1}"
    if isinstance(payload, dict) and isinstance(payload.get("orderId"), str):
        order += f" ({payload['orderId']})"
    try:
        _check(payload, "Order", "")
        _check_consistency(payload)
    except _Problem as problem:
        raise WireError(order, problem.path, problem.problem) from None


def _check_consistency(payload: Mapping[str, Any]) -> None:
    if not payload["orderItems"]:
        raise _Problem("orderItems", "must not be empty")
    seen = set()
    for position, item in enumerate(payload["orderItems"]):
        path = f"orderItems[{position}]"
        if item["orderItemId"] in seen:
            raise _Problem(f"{path}.orderItemId", "is not unique in the order")
        seen.add(item["orderItemId"])
        if item["quantityOrdered"] < 0:
            raise _Problem(f"{path}.quantityOrdered", "must not be negative")
    for position, package in enumerate(payload.get("packages", ())):
        for row, entry in enumerate(package.get("packageItems", ())):
            if entry["orderItemId"] not in seen:
                raise _Problem(
                    f"packages[{position}].packageItems[{row}].orderItemId",
                    "is no item of the order",
                )
