"""Notifications API v1: destinations and subscriptions.

Source: Amazon's model ``notifications.json``; documentation "Notifications API".
Choices where Amazon is silent: one destination per application and queue, one
subscription per application, seller, type and version, a further one is refused with
409; unknown fields are refused; filter expressions are not evaluated, so they are
refused too; a destination that a subscription uses cannot be deleted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..amazon.marketplaces import MARKETPLACES
from .calls import Answer, Call, Operation, Query
from .errors import Conflict, InvalidInput, NotFound
from .notification_messages import ORDER_CHANGE_TYPES, PAYLOAD_VERSIONS
from .notification_store import StoredDestination, StoredSubscription
from .usage_plans import UsagePlan

_SCOPE = "sellingpartnerapi::notifications"
_PLAN = UsagePlan(1, 5)
_ARN = re.compile(r"arn:aws:sqs:\S+:\S+:\S+")
_EXPRESSION = re.compile(r"(?s).{1,256}")


def create_destination(call: Call) -> Answer:
    body = _fields(call.json(), "Request", {"name": str, "resourceSpecification": dict})
    _require(body, "name", "resourceSpecification")
    if len(body["name"]) > 256:
        raise InvalidInput("name is longer than 256.")
    resource = _fields(
        body["resourceSpecification"], "resourceSpecification", {"sqs": dict}
    )
    _require(resource, "sqs")
    sqs = _fields(resource["sqs"], "sqs", {"arn": str})
    _require(sqs, "arn")
    arn = sqs["arn"]
    if len(arn) > 1000 or not _ARN.fullmatch(arn):
        raise InvalidInput("Invalid SQS ARN.")
    if arn.endswith(".fifo"):
        raise InvalidInput("FIFO queues are not supported.")
    if any(each.arn == arn for each in _own_destinations(call)):
        raise Conflict("A destination of this queue exists already.")
    destination = call.state.notifications.add_destination(
        call.client_id, body["name"], arn
    )
    return Answer(200, {"payload": _described_destination(destination)})


def get_destinations(call: Call) -> Answer:
    Query(call.pairs, ())
    found = [_described_destination(each) for each in _own_destinations(call)]
    return Answer(200, {"payload": found})


def get_destination(call: Call) -> Answer:
    Query(call.pairs, ())
    return Answer(200, {"payload": _described_destination(_destination(call))})


def delete_destination(call: Call) -> Answer:
    destination = _destination(call)
    store = call.state.notifications
    if any(
        each.destination_id == destination.id for each in store.subscriptions.values()
    ):
        raise Conflict("The destination has subscriptions.")
    del store.destinations[destination.id]
    return Answer(200, {})


def create_subscription(call: Call) -> Answer:
    type_ = _type(call)
    body = _fields(
        call.json(),
        "Request",
        {"payloadVersion": str, "destinationId": str, "processingDirective": dict},
    )
    _require(body, "payloadVersion", "destinationId")
    _check_version(type_, body["payloadVersion"])
    directive = body.get("processingDirective")
    if directive is not None:
        _check_directive(type_, directive)
    destination = call.state.notifications.destinations.get(body["destinationId"])
    if destination is None or destination.client_id != call.client_id:
        raise InvalidInput("Invalid destinationId.")
    key = (call.client_id, call.seller.seller_id, type_, body["payloadVersion"])
    if call.state.notifications.subscription(*key):
        raise Conflict("A subscription of this type exists already.")
    subscription = call.state.notifications.add_subscription(
        client_id=call.client_id,
        seller_id=call.seller.seller_id,
        type=type_,
        payload_version=body["payloadVersion"],
        destination_id=destination.id,
        directive=directive,
    )
    return Answer(200, {"payload": _described(subscription)})


def get_subscription(call: Call) -> Answer:
    type_ = _type(call)
    version = Query(call.pairs, ("payloadVersion",)).text("payloadVersion")
    if version is not None:
        _check_version(type_, version)
    found = call.state.notifications.subscription(
        call.client_id,
        call.seller.seller_id,
        type_,
        version or PAYLOAD_VERSIONS[type_],
    )
    if found is None:
        raise NotFound()
    return Answer(200, {"payload": _described(found)})


def get_subscription_by_id(call: Call) -> Answer:
    Query(call.pairs, ())
    return Answer(200, {"payload": _described(_subscription(call))})


def delete_subscription(call: Call) -> Answer:
    del call.state.notifications.subscriptions[_subscription(call).id]
    return Answer(200, {})


def _own_destinations(call: Call) -> list[StoredDestination]:
    return [
        each
        for each in call.state.notifications.destinations.values()
        if each.client_id == call.client_id
    ]


def _destination(call: Call) -> StoredDestination:
    found = call.state.notifications.destinations.get(call.path["destinationId"])
    if found is None or found.client_id != call.client_id:
        raise NotFound()
    return found


def _subscription(call: Call) -> StoredSubscription:
    type_ = _type(call)
    found = call.state.notifications.subscriptions.get(call.path["subscriptionId"])
    if found is None or (found.client_id, found.type) != (call.client_id, type_):
        raise NotFound()
    return found


def _type(call: Call) -> str:
    type_ = call.path["notificationType"]
    if type_ not in PAYLOAD_VERSIONS:
        raise InvalidInput("Invalid notificationType.")
    return type_


def _check_version(type_: str, version: str) -> None:
    if version != PAYLOAD_VERSIONS[type_]:
        raise InvalidInput(f"Invalid payloadVersion for {type_}.")


def _check_directive(type_: str, directive: Any) -> None:
    directive = _fields(
        directive, "processingDirective", {"eventFilter": dict, "filterExpression": str}
    )
    if "eventFilter" in directive and "filterExpression" in directive:
        raise InvalidInput("eventFilter and filterExpression exclude each other.")
    if "filterExpression" in directive:
        is_short = _EXPRESSION.fullmatch(directive["filterExpression"])
        raise InvalidInput(
            "The sandbox evaluates no filterExpression."
            if is_short
            else "filterExpression must have 1 to 256 characters."
        )
    if type_ != "ORDER_CHANGE":
        raise InvalidInput(f"{type_} supports no processingDirective.")
    if "eventFilter" in directive:
        _check_filter(directive["eventFilter"])


def _check_filter(given: Any) -> None:
    event_filter = _fields(
        given,
        "eventFilter",
        {"eventFilterType": str, "marketplaceIds": list, "orderChangeTypes": list},
    )
    # What others were told when they had left the type out (abuzuhri issue 621).
    if event_filter.get("eventFilterType") != "ORDER_CHANGE":
        raise InvalidInput("Cannot parse processingDirective.")
    for name, allowed in (
        ("marketplaceIds", MARKETPLACES),
        ("orderChangeTypes", ORDER_CHANGE_TYPES),
    ):
        for value in event_filter.get(name, ()):
            if not isinstance(value, str) or value not in allowed:
                raise InvalidInput(f"Invalid value in {name}.")


def _fields(given: Any, where: str, known: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InvalidInput(f"{where} must be an object.")
    for name, value in given.items():
        if name not in known:
            raise InvalidInput(f"{where} has unknown fields [{name[:100]}]")
        if not isinstance(value, known[name]):
            raise InvalidInput(f"{where} has fields with invalid type [{name}]")
    return given


def _require(given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise InvalidInput(f"{name} is required.")


def _described_destination(destination: StoredDestination) -> dict[str, Any]:
    return {
        "destinationId": destination.id,
        "name": destination.name,
        "resource": {"sqs": {"arn": destination.arn}},
    }


def _described(subscription: StoredSubscription) -> dict[str, Any]:
    described: dict[str, Any] = {
        "subscriptionId": subscription.id,
        "payloadVersion": subscription.payload_version,
        "destinationId": subscription.destination_id,
    }
    if subscription.directive is not None:
        described["processingDirective"] = subscription.directive
    return described


_DESTINATIONS = "/notifications/v1/destinations"
_SUBSCRIPTIONS = "/notifications/v1/subscriptions/{notificationType}"

OPERATIONS = (
    Operation(
        "createDestination", "POST", _DESTINATIONS, _PLAN, create_destination, _SCOPE
    ),
    Operation("getDestinations", "GET", _DESTINATIONS, _PLAN, get_destinations, _SCOPE),
    Operation(
        "getDestination",
        "GET",
        f"{_DESTINATIONS}/{{destinationId}}",
        _PLAN,
        get_destination,
        _SCOPE,
    ),
    Operation(
        "deleteDestination",
        "DELETE",
        f"{_DESTINATIONS}/{{destinationId}}",
        _PLAN,
        delete_destination,
        _SCOPE,
    ),
    Operation("createSubscription", "POST", _SUBSCRIPTIONS, _PLAN, create_subscription),
    Operation("getSubscription", "GET", _SUBSCRIPTIONS, _PLAN, get_subscription),
    Operation(
        "getSubscriptionById",
        "GET",
        f"{_SUBSCRIPTIONS}/{{subscriptionId}}",
        _PLAN,
        get_subscription_by_id,
        _SCOPE,
    ),
    Operation(
        "deleteSubscriptionById",
        "DELETE",
        f"{_SUBSCRIPTIONS}/{{subscriptionId}}",
        _PLAN,
        delete_subscription,
        _SCOPE,
    ),
)
