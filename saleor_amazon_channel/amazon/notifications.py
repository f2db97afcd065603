"""Notifications API v1: have Amazon say what changed. What it says then is
``notification_messages``.

A destination is a queue that Amazon may write to; it belongs to the application, whose
grantless token is needed for it. A subscription sends one type of notification about
one seller to a destination.

Sources: Amazon's model ``notifications.json``, documentation "Notifications API";
abuzuhri issue 621 (an event filter without ``eventFilterType`` is refused).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote

from . import reading as read
from .auth import NOTIFICATIONS_SCOPE
from .client import Client
from .errors import MalformedAnswer, NotFound
from .reading import Problem, Wire

T = TypeVar("T")

CREATE_DESTINATION = "createDestination"
GET_DESTINATIONS = "getDestinations"
CREATE_SUBSCRIPTION = "createSubscription"
GET_SUBSCRIPTION = "getSubscription"
DELETE_SUBSCRIPTION = "deleteSubscriptionById"

_PATH = "/notifications/v1"


class NotificationType(StrEnum):
    """The types we subscribe to; there are many more."""

    ORDER_CHANGE = "ORDER_CHANGE"
    FEED_PROCESSING_FINISHED = "FEED_PROCESSING_FINISHED"


#: Of each type Amazon has one subscription per version.
PAYLOAD_VERSIONS: Mapping[NotificationType, str] = {
    NotificationType.ORDER_CHANGE: "1.0",
    NotificationType.FEED_PROCESSING_FINISHED: "2020-09-04",
}

#: Every marketplace and every kind of change: which of them matter is decided here, so
#: that no change of settings leaves a subscription behind. Only ORDER_CHANGE takes one.
_DIRECTIVES: Mapping[NotificationType, Wire] = {
    NotificationType.ORDER_CHANGE: {
        "eventFilter": {"eventFilterType": NotificationType.ORDER_CHANGE.value}
    },
}


@dataclass(frozen=True, slots=True)
class Destination:
    id: str
    #: Empty for one that is no SQS queue.
    queue_arn: str


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    destination_id: str


def destinations(client: Client, *, max_wait_seconds: float = 0) -> list[Destination]:
    """All of the application's."""
    answer = client.request(
        GET_DESTINATIONS,
        "GET",
        f"{_PATH}/destinations",
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
        scope=NOTIFICATIONS_SCOPE,
    )
    found = _parsed(
        GET_DESTINATIONS, answer, lambda wire: read.each(wire, "payload", _destination)
    )
    return list(found)


def create_destination(
    client: Client, name: str, queue_arn: str, *, max_wait_seconds: float = 0
) -> Destination:
    """Raises ``InvalidRequest`` where there is one for the queue already, or Amazon
    may not write to it."""
    answer = client.request(
        CREATE_DESTINATION,
        "POST",
        f"{_PATH}/destinations",
        json={"name": name, "resourceSpecification": {"sqs": {"arn": queue_arn}}},
        max_wait_seconds=max_wait_seconds,
        # A second one of the same queue is refused.
        idempotent=True,
        scope=NOTIFICATIONS_SCOPE,
    )
    return _payload(CREATE_DESTINATION, answer, _destination)


def subscription(
    client: Client, type_: NotificationType, *, max_wait_seconds: float = 0
) -> Subscription | None:
    """The seller's, of the version that is read here; None where there is none."""
    try:
        answer = client.request(
            GET_SUBSCRIPTION,
            "GET",
            f"{_PATH}/subscriptions/{type_}",
            params={"payloadVersion": PAYLOAD_VERSIONS[type_]},
            max_wait_seconds=max_wait_seconds,
            idempotent=True,
        )
    except NotFound:
        return None
    return _payload(GET_SUBSCRIPTION, answer, _subscription)


def create_subscription(
    client: Client,
    type_: NotificationType,
    destination_id: str,
    *,
    max_wait_seconds: float = 0,
) -> Subscription:
    """Raises ``InvalidRequest`` where there is one already."""
    body: Wire = {
        "payloadVersion": PAYLOAD_VERSIONS[type_],
        "destinationId": destination_id,
    }
    if type_ in _DIRECTIVES:
        body["processingDirective"] = _DIRECTIVES[type_]
    answer = client.request(
        CREATE_SUBSCRIPTION,
        "POST",
        f"{_PATH}/subscriptions/{type_}",
        json=body,
        max_wait_seconds=max_wait_seconds,
        # A second one is refused.
        idempotent=True,
    )
    return _payload(CREATE_SUBSCRIPTION, answer, _subscription)


def delete_subscription(
    client: Client,
    type_: NotificationType,
    subscription_id: str,
    *,
    max_wait_seconds: float = 0,
) -> None:
    """One that is not there any more is no error."""
    try:
        client.request(
            DELETE_SUBSCRIPTION,
            "DELETE",
            f"{_PATH}/subscriptions/{type_}/{quote(subscription_id, safe='')}",
            max_wait_seconds=max_wait_seconds,
            idempotent=True,
            scope=NOTIFICATIONS_SCOPE,
        )
    except NotFound:
        return


def _destination(wire: Wire) -> Destination:
    return Destination(
        read.required_text(wire, "destinationId"),
        read.text(read.inner(read.inner(wire, "resource"), "sqs"), "arn"),
    )


def _subscription(wire: Wire) -> Subscription:
    return Subscription(
        read.required_text(wire, "subscriptionId"),
        read.required_text(wire, "destinationId"),
    )


def _payload(operation: str, answer: object, parse: Callable[[Wire], T]) -> T:
    return _parsed(
        operation, answer, lambda wire: read.required_below(wire, "payload", parse)
    )


def _parsed(operation: str, wire: object, parse: Callable[[Wire], T]) -> T:
    try:
        return parse(read.obj(wire))
    except Problem as problem:
        raise MalformedAnswer(
            operation, f"{problem.path} {problem.text}".strip()
        ) from None
