"""Destinations, subscriptions, and the notifications on their way to an SQS queue.

SQS is AWS's, so it is no part of the sandbox: ``endpoint_url`` says where a server that
speaks SQS is on this machine (moto, say). What cannot be delivered is lost.

Not thread-safe by itself: the caller holds the state's lock.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import clock
from .feed_store import StoredFeed
from .notification_messages import (
    change_of,
    feed_processing_finished,
    order_change,
)

Json = dict[str, Any]


class DeliveryError(ValueError):
    """How notifications are to be delivered makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class StoredDestination:
    id: str
    client_id: str
    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    id: str
    client_id: str
    seller_id: str
    type: str
    payload_version: str
    destination_id: str
    directive: Json | None = field(default=None)

    @property
    def _filter(self) -> Json:
        return (self.directive or {}).get("eventFilter", {})

    def wants_order_change(self, type_: str, marketplace_id: str | None) -> bool:
        types = self._filter.get("orderChangeTypes")
        marketplace_ids = self._filter.get("marketplaceIds")
        return (not types or type_ in types) and (
            not marketplace_ids or marketplace_id in marketplace_ids
        )


class NotificationStore:
    def __init__(self) -> None:
        self.destinations: dict[str, StoredDestination] = {}
        self.subscriptions: dict[str, StoredSubscription] = {}
        self.endpoint_url = ""
        #: Every notification is sent so many times: at least once is all that Amazon
        #: promises.
        self.copies = 1
        #: While True they are kept; then the newest goes first.
        self.is_held = False
        #: While True they are lost.
        self.is_losing = False
        #: How many were delivered, and how many were not.
        self.sent = self.lost = 0
        self._kept: list[tuple[str, Json]] = []
        self._clients: dict[str, Any] = {}

    # --- what is subscribed to ---

    def add_destination(self, client_id: str, name: str, arn: str) -> StoredDestination:
        destination = StoredDestination(str(uuid.uuid4()), client_id, name, arn)
        self.destinations[destination.id] = destination
        return destination

    def add_subscription(self, **values: Any) -> StoredSubscription:
        subscription = StoredSubscription(str(uuid.uuid4()), **values)
        self.subscriptions[subscription.id] = subscription
        return subscription

    def subscription(
        self, client_id: str, seller_id: str, type_: str, payload_version: str
    ) -> StoredSubscription | None:
        """There is one at most."""
        wanted = (client_id, seller_id, type_, payload_version)
        return next(
            (
                each
                for each in self.subscriptions.values()
                if (each.client_id, each.seller_id, each.type, each.payload_version)
                == wanted
            ),
            None,
        )

    def _of(self, seller_id: str, type_: str) -> Iterator[StoredSubscription]:
        for each in self.subscriptions.values():
            if (each.seller_id, each.type) == (seller_id, type_):
                yield each

    # --- what is said ---

    def order_changed(self, seller_id: str, before: Json, after: Json) -> None:
        """Say so, if it is a change that Amazon tells of."""
        change = change_of(before, after)
        if change:
            self.tell_of_order(seller_id, after, change)

    def tell_of_order(
        self,
        seller_id: str,
        order: Json,
        change: tuple[str, str] = ("OrderStatusChange", "Order Status Change"),
    ) -> None:
        marketplace_id = order["salesChannel"].get("marketplaceId")
        for each in self._of(seller_id, "ORDER_CHANGE"):
            if each.wants_order_change(change[0], marketplace_id):
                told = order_change(seller_id, order, change, each.id, clock.now())
                self._send(each, told)

    def feed_finished(self, feed: StoredFeed) -> None:
        for each in self._of(feed.seller_id, "FEED_PROCESSING_FINISHED"):
            self._send(each, feed_processing_finished(feed, each.id, clock.now()))

    # --- delivery ---

    def deliver(
        self,
        *,
        endpoint_url: str | None = None,
        copies: int | None = None,
        held: bool | None = None,
    ) -> None:
        """Change how notifications are delivered; what is not given stays."""
        if endpoint_url is not None:
            host = urlsplit(endpoint_url).hostname
            if endpoint_url and host not in ("127.0.0.1", "::1", "localhost"):
                raise DeliveryError("endpoint_url must be on this machine")
            self.close()
            self.endpoint_url = endpoint_url
        if copies is not None:
            if copies < 1:
                raise DeliveryError("copies must be >= 1")
            self.copies = copies
        if held is not None:
            self.is_held = held
            if not held:
                kept, self._kept = self._kept[::-1], []
                for arn, message in kept:
                    self._put(arn, message)

    def _send(self, subscription: StoredSubscription, message: Json) -> None:
        destination = self.destinations.get(subscription.destination_id)
        if destination is None or not self.endpoint_url:
            return
        for _ in range(self.copies):
            if self.is_held:
                self._kept.append((destination.arn, message))
            else:
                self._put(destination.arn, message)

    def _put(self, arn: str, message: Json) -> None:
        if self.is_losing:
            self.lost += 1
            return
        _, _, _, region, owner, name = arn.split(":")
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client(region).send_message(
                QueueUrl=f"{self.endpoint_url}/{owner}/{name}",
                MessageBody=json.dumps(message),
            )
            self.sent += 1
        except (BotoCoreError, ClientError):
            self.lost += 1

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            # Only where there is a queue: it takes half a second.
            import boto3
            from botocore.config import Config

            self._clients[region] = boto3.session.Session().client(
                "sqs",
                region_name=region,
                endpoint_url=self.endpoint_url,
                config=Config(connect_timeout=2, retries={"total_max_attempts": 1}),
                aws_access_key_id="amazon",
                aws_secret_access_key="amazon",
            )
        return self._clients[region]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
