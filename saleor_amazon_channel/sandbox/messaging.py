"""Messaging API v1: what an order offers, and the messages that were sent.

Source: Amazon's model ``messaging.json``; the refusal of what is not offered is the one
Amazon gives (threads: selling-partner-api-docs issue 193). Amazon does not publish what
it offers when; the choices here:

- Before the payment is settled and after a cancellation nothing is offered, nor later
  than 30 days after the latest delivery date.
- A merchant's order offers questions about it until it is shipped, about its delivery
  and problems also after that; Amazon's own orders offer neither.
- Customization only where an item has one, home services never.
- An invoice only where there is no feed for it, from the shipment on.
- Documents, keys and the question about the order go once an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .calls import Answer, Call, Operation, Query
from .delivery import delivery_dates
from .errors import InvalidInput, Unauthorized
from .invoices import FEED_COUNTRIES
from .sellers import LANGUAGES, country_of
from .usage_plans import UsagePlan

HAL = "application/hal+json"
OFFERED_FOR = timedelta(days=30)
PLAN = UsagePlan(1, 5)

_ONCE = frozenset(
    {
        "confirmOrderDetails",
        "legalDisclosure",
        "warranty",
        "digitalAccessKey",
        "sendInvoice",
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """``action`` is its name in the list, ``resource`` the end of its path."""

    operation: str
    action: str
    most_characters: int = 0
    takes_attachments: bool = False
    resource: str = ""

    @property
    def template(self) -> str:
        end = self.resource or self.action
        return f"/messaging/v1/orders/{{amazonOrderId}}/messages/{end}"


KINDS = (
    Kind("createConfirmOrderDetails", "confirmOrderDetails", 2000),
    Kind("createConfirmDeliveryDetails", "confirmDeliveryDetails", 2000),
    Kind("confirmCustomizationDetails", "confirmCustomizationDetails", 800, True),
    Kind("createConfirmServiceDetails", "confirmServiceDetails", 2000),
    Kind("createUnexpectedProblem", "unexpectedProblem", 2000),
    Kind("createLegalDisclosure", "legalDisclosure", 0, True),
    Kind("CreateWarranty", "warranty", 0, True),
    Kind("createDigitalAccessKey", "digitalAccessKey", 400, True),
    Kind("sendInvoice", "sendInvoice", 0, True, "invoice"),
)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message the buyer has; ``attachments`` are (file name, content)."""

    order_id: str
    action: str
    sent: datetime
    text: str = field(default="", repr=False)
    attachments: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


def get_actions(call: Call) -> Answer:
    order = order_of(call)
    order_id, marketplace_id = order["orderId"], order["salesChannel"]["marketplaceId"]
    base = f"/messaging/v1/orders/{order_id}"
    query = f"?marketplaceIds={marketplace_id}"
    names = list(offered(call, order))
    actions = [
        {"href": f"{base}/messages/{name}{query}", "name": name} for name in names
    ]
    schemas = [
        {
            "_links": {
                "schema": {
                    "href": f"{base}/messages/{name}/schema",
                    "name": name,
                },
                "self": {"href": f"{base}/messages/{name}{query}", "name": name},
            },
            "payload": {"name": name},
        }
        for name in names
    ]
    # Amazon's list names the attributes among the actions.
    actions.append({"href": f"{base}/attributes{query}", "name": "attributes"})
    return Answer(
        200,
        {
            "_links": {"actions": actions, "self": {"href": base + query}},
            "_embedded": {"actions": schemas},
        },
        HAL,
    )


def get_attributes(call: Call) -> Answer:
    country = country_of(order_of(call)["salesChannel"]["marketplaceId"])
    locale = LANGUAGES[country].replace("_", "-")
    return Answer(200, {"buyer": {"locale": locale}}, HAL)


def offered(call: Call, order: Mapping[str, Any]) -> Iterator[str]:
    """The names of the messages that the order can get now."""
    fulfillment = order.get("fulfillment", {})
    status = fulfillment.get("fulfillmentStatus")
    if status not in ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"):
        return
    if call.now > delivery_dates(order)[1] + OFFERED_FOR:
        return
    is_merchants = fulfillment.get("fulfilledBy") == "MERCHANT"
    is_shipped = status == "SHIPPED"
    is_customized = any(
        item.get("product", {}).get("customization") for item in order["orderItems"]
    )
    country = country_of(order["salesChannel"]["marketplaceId"])
    rules = {
        "confirmOrderDetails": is_merchants and not is_shipped,
        "confirmDeliveryDetails": is_merchants,
        "confirmCustomizationDetails": is_merchants and is_customized,
        "unexpectedProblem": is_merchants,
        "legalDisclosure": True,
        "warranty": is_shipped,
        "digitalAccessKey": is_shipped,
        "sendInvoice": is_shipped and country not in FEED_COUNTRIES,
    }
    sent = {message.action for message in call.state.messages_of(order["orderId"])}
    for action, is_offered in rules.items():
        if is_offered and not (action in _ONCE and action in sent):
            yield action


def order_of(call: Call) -> Mapping[str, Any]:
    """The seller's order that the call is about, in the one marketplace it names."""
    query = Query(call.pairs, ("marketplaceIds",))
    marketplace_ids = query.words("marketplaceIds", most=1)
    if not marketplace_ids:
        raise InvalidInput("marketplaceIds is required.")
    order = call.state.own_order(
        call.path["amazonOrderId"], call.seller.seller_id
    ).current.payload
    if marketplace_ids[0] != order["salesChannel"].get("marketplaceId"):
        raise InvalidInput("The order is not of this marketplace.")
    return order


def _sender(kind: Kind) -> Any:
    def send(call: Call) -> Answer:
        order = order_of(call)
        if kind.action not in offered(call, order):
            raise Unauthorized("Invalid amazonOrderId and template combination.")
        if refusal := call.state.message_refusals.pop(kind.action, None):
            raise InvalidInput(refusal)
        text, attachments = _content(call, kind)
        call.state.messages.append(
            SentMessage(order["orderId"], kind.action, call.now, text, attachments)
        )
        return Answer(201, {}, HAL)

    return send


def _content(call: Call, kind: Kind) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    body = call.json()
    if not isinstance(body, dict):
        raise InvalidInput("Request body must be an object.")
    known = {"text"} if kind.most_characters else set()
    known |= {"attachments"} if kind.takes_attachments else set()
    if kind.action == "warranty":
        known |= {"coverageStartDate", "coverageEndDate"}
    for name in body:
        if name not in known:
            raise InvalidInput(f"Request has unknown fields [{name[:100]}]")
    text = body.get("text", "")
    if kind.most_characters and not (
        isinstance(text, str) and 1 <= len(text) <= kind.most_characters
    ):
        raise InvalidInput("text is not within its length.")
    if re.search(r"<[a-zA-Z/!]", text) or re.search(r"\S@\S+\.\S", text):
        raise InvalidInput("text must not hold HTML or e-mail addresses.")
    given = body.get("attachments", [])
    if not isinstance(given, list) or len(given) > 5:
        raise InvalidInput("attachments must be a list of at most 5.")
    if kind.takes_attachments and not kind.most_characters and not given:
        raise InvalidInput("attachments is required.")
    return text, tuple(_attachment(call, kind, each) for each in given)


def _attachment(call: Call, kind: Kind, given: Any) -> tuple[str, bytes]:
    if not isinstance(given, dict) or set(given) != {"uploadDestinationId", "fileName"}:
        raise InvalidInput("An attachment has an uploadDestinationId and a fileName.")
    resource = kind.template.lstrip("/").replace(
        "{amazonOrderId}", call.path["amazonOrderId"]
    )
    upload = call.state.uploads.get(str(given["uploadDestinationId"]))
    if (
        upload is None
        or upload.seller_id != call.seller.seller_id
        or upload.resource != resource
        or upload.content is None
    ):
        raise InvalidInput("uploadDestinationId has no file for this operation.")
    return str(given["fileName"]), upload.content


OPERATIONS = (
    Operation(
        "getMessagingActionsForOrder",
        "GET",
        "/messaging/v1/orders/{amazonOrderId}",
        PLAN,
        get_actions,
    ),
    Operation(
        "GetAttributes",
        "GET",
        "/messaging/v1/orders/{amazonOrderId}/attributes",
        PLAN,
        get_attributes,
    ),
    *(
        Operation(kind.operation, "POST", kind.template, PLAN, _sender(kind))
        for kind in KINDS
    ),
)
