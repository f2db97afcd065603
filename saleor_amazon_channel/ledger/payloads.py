"""Amazon's payload in two halves, so that personal data can be encrypted apart.

What Amazon calls personal data is in "Access Orders PII" (Orders API v2026-01-01):
buyer name and e-mail, the delivery address, gift messages and the URL of a
customization. We take whole blocks rather than single fields out, which also covers
company names, tax registrations and delivery instructions. Of the rest only what is
known to be harmless stays readable (``_PLAIN``): Amazon adds fields without a new
version, and nobody has looked at those.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

T = TypeVar("T")
Payload = dict[str, Any]

#: On an item: (block, sub-block, field) of what is personal.
_ITEM_PATHS = (
    ("fulfillment", "packing", "giftOption"),
    ("product", "customization", "customizedUrl"),
)


_MONEY = {"amount": ..., "currencyCode": ...}
_TIMES = {"earliestDateTime": ..., "latestDateTime": ...}
_PROCEEDS = {
    "type": ...,
    "subtotal": _MONEY,
    "status": ...,
    "detailedBreakdowns": {"subtype": ..., "value": _MONEY},
}
_ITEM = {
    "orderItemId": ...,
    "quantityOrdered": ...,
    "measurement": {"unit": ..., "value": ...},
    "programs": ...,
    "associatedOrderItems": {
        "orderId": ...,
        "orderItemId": ...,
        "associationType": ...,
    },
    "product": {
        "asin": ...,
        "title": ...,
        "sellerSku": ...,
        "condition": {"conditionType": ..., "conditionSubtype": ...},
        "price": {"unitPrice": _MONEY, "priceDesignation": ...},
        "serialNumbers": ...,
        "customization": {},
    },
    "proceeds": {"proceedsTotal": _MONEY, "breakdowns": _PROCEEDS},
    "expense": {
        "pointsCost": {
            "pointsGranted": {"pointsNumber": ..., "pointsMonetaryValue": _MONEY}
        }
    },
    "promotion": {"breakdowns": {"promotionId": ...}},
    "cancellation": {
        "cancellationRequest": {"requester": ...},
        "cancellationExecution": {"cancelledBy": ...},
    },
    "fulfillment": {
        "quantityFulfilled": ...,
        "quantityUnfulfilled": ...,
        "packing": {"serialNumberRequirement": {"requirementType": ...}},
        "shipping": {
            "scheduledDeliveryWindow": _TIMES,
            "shippingConstraints": {
                "palletDelivery": ...,
                "cashOnDelivery": ...,
                "signatureConfirmation": ...,
                "recipientIdentityVerification": ...,
                "recipientAgeVerification": ...,
            },
            "internationalShipping": {"iossNumber": ...},
        },
        "picking": {},
    },
    "tax": {
        "taxCollections": {"model": ..., "responsibleParty": ...},
        "taxCalculationBreakdowns": {"reportingScheme": ...},
    },
}
#: What stays readable: a value, or a list of values, where it says ``...``; of objects,
#: and of each in a list of them, what is named.
_PLAIN: Payload = {
    "orderId": ...,
    "orderAliases": {"aliasId": ..., "aliasType": ...},
    "createdTime": ...,
    "lastUpdatedTime": ...,
    "programs": ...,
    "associatedOrders": {"orderId": ..., "associationType": ...},
    "salesChannel": {"channelName": ..., "marketplaceId": ..., "marketplaceName": ...},
    "proceeds": {"grandTotal": _MONEY, "breakdowns": _PROCEEDS},
    "payment": {"paymentExecutions": {"paymentMethod": ..., "paymentAmount": _MONEY}},
    "tax": {"taxInvoicing": {"buyerInvoicePreference": ..., "invoiceStatus": ...}},
    "fulfillment": {
        "fulfillmentStatus": ...,
        "fulfilledBy": ...,
        "fulfillmentServiceLevel": ...,
        "shipByWindow": _TIMES,
        "deliverByWindow": _TIMES,
        "labelPrintingWindow": _TIMES,
    },
    "orderItems": _ITEM,
    "packages": {
        "packageReferenceId": ...,
        "createdTime": ...,
        "packageStatus": {"status": ..., "detailedStatus": ...},
        "carrier": ...,
        "shipTime": ...,
        "shippingService": ...,
        "trackingNumber": ...,
        "packageItems": {
            "orderItemId": ...,
            "quantity": ...,
            "transparencyCodes": ...,
        },
    },
}

#: As JSON: NUL, and half of a pair that stands for one character (UTF-16).
_NOT_STORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")


def storable(value: T) -> T:
    """``value`` itself, or a copy without the characters PostgreSQL cannot store."""
    if not _NOT_STORABLE.search(json.dumps(value, ensure_ascii=False)):
        return value
    return _replaced(value)


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    if isinstance(value, dict):
        return {_replaced(name): _replaced(each) for name, each in value.items()}
    return value


def split(payload: Payload) -> tuple[Payload, Payload]:
    """(what may be read, what is personal). ``join`` of both gives the payload."""
    public = dict(payload)
    personal: Payload = {
        name: public.pop(name) for name in ("buyer", "recipient") if name in public
    }
    tax = public.get("tax")
    if isinstance(tax, dict) and "taxRegistrations" in tax:
        public["tax"] = {
            name: value for name, value in tax.items() if name != "taxRegistrations"
        }
        personal["taxRegistrations"] = tax["taxRegistrations"]
    items = public.get("orderItems")
    if isinstance(items, list):
        public["orderItems"] = list(items)
        taken: dict[str, Payload] = {}
        for index, item in enumerate(items):
            for block, sub_block, field in _ITEM_PATHS:
                inner = _inner(item, block, sub_block)
                if inner is None or field not in inner:
                    continue
                taken.setdefault(str(index), {})[field] = inner[field]
                item = _without(item, block, sub_block, field)
            public["orderItems"][index] = item
        if taken:
            personal["items"] = taken
    rest: list[tuple[list[str | int], Any]] = []
    public = _plain(public, _PLAIN, [], rest)
    if rest:
        personal["rest"] = rest
    return public, personal


def _plain(
    value: Any, known: Any, path: list[str | int], rest: list[tuple[list[Any], Any]]
) -> Any:
    """What is ``known`` of ``value``; all else goes to ``rest``, with its path."""
    if isinstance(value, list):
        return [_plain(v, known, [*path, i], rest) for i, v in enumerate(value)]
    if isinstance(value, dict) and known is not ...:
        plain = {}
        for name, inner in value.items():
            if name in known:
                plain[name] = _plain(inner, known[name], [*path, name], rest)
            else:
                rest.append(([*path, name], inner))
        return plain
    if value is None or (known is ... and not isinstance(value, dict)):
        return value
    rest.append((path, value))
    return None


def _put(value: Any, path: list[str | int], inner: Any) -> Any:
    """A copy of ``value`` with ``inner`` at this path."""
    if not path:
        return inner
    first, *below = path
    changed = value.copy()
    changed[first] = _put(value[first] if below else None, below, inner)
    return changed


def join(public: Payload, personal: Payload) -> Payload:
    """The payload as Amazon sent it; after redaction, without what was personal."""
    payload = dict(public)
    for path, value in personal.get("rest", ()):
        payload = _put(payload, path, value)
    payload.update(
        {name: personal[name] for name in ("buyer", "recipient") if name in personal}
    )
    if "taxRegistrations" in personal:
        payload["tax"] = {
            **payload.get("tax", {}),
            "taxRegistrations": personal["taxRegistrations"],
        }
    if "items" in personal:
        payload["orderItems"] = list(payload["orderItems"])
        for index, fields in personal["items"].items():
            item = payload["orderItems"][int(index)]
            for block, sub_block, field in _ITEM_PATHS:
                if field in fields:
                    outer = item[block]
                    inner = {**outer[sub_block], field: fields[field]}
                    item = {**item, block: {**outer, sub_block: inner}}
            payload["orderItems"][int(index)] = item
    return payload


def _inner(item: Any, block: str, sub_block: str) -> Payload | None:
    outer = item.get(block) if isinstance(item, dict) else None
    inner = outer.get(sub_block) if isinstance(outer, dict) else None
    return inner if isinstance(inner, dict) else None


def _without(item: Payload, block: str, sub_block: str, field: str) -> Payload:
    inner = {k: v for k, v in item[block][sub_block].items() if k != field}
    return {**item, block: {**item[block], sub_block: inner}}
