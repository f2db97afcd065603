"""What staff say to the buyer of an Amazon order, turned into intents.

Amazon alone carries it (Amazon forbids direct mail), in the kinds of message that it
offers for the order at the moment. Orders that are not imported can be written to, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.db import transaction

from . import lock_objects, outbox
from .amazon import messaging
from .amazon.messaging import File, Message
from .ledger import timeline
from .models import AmazonOrder, OutboxAttachment, OutboxEntry

Kind = OutboxEntry.Kind
State = OutboxEntry.State


class InvalidMessageError(Exception):
    """Amazon would refuse it: ``problems`` are (field, why), all of them."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(*(why for _, why in problems))
        self.problems = problems


class SentBeforeError(Exception):
    """The buyer has it already; the message says since when."""


def request_message(
    amazon_order_id: str, message: Message, files: Sequence[File] = (), actor: str = ""
) -> OutboxEntry:
    """Write the intent to send a message; the same one still open is answered as it is.

    Raises InvalidMessageError, and SentBeforeError for a message the buyer has had: a
    request that came twice must not reach the buyer twice.
    """
    problems = messaging.problems(message, files)
    if problems:
        raise InvalidMessageError(problems)
    payload = {"action": message.action.value}
    for name in ("coverage_start", "coverage_end"):
        if moment := getattr(message, name):
            payload[name] = moment.isoformat()
    personal: dict[str, Any] = {
        "text": message.text.strip(),
        "files": [file.name for file in files],
    }
    if files:
        # By which the same file is known once its content is gone.
        personal["digests"] = [sha256(file.content).hexdigest() for file in files]
    with transaction.atomic():
        order = lock_objects.orders_by_id([amazon_order_id])[0]
        before = _of(order, Kind.BUYER_MESSAGE)
        for entry in before:
            if (entry.payload, entry.personal) == (payload, personal):
                if not entry.settled_at:
                    return entry
                _check_not_sent(entry, f"The message {message.action} with this text")
        entry = _write(order, Kind.BUYER_MESSAGE, before, payload, personal, actor)
        OutboxAttachment.objects.bulk_create(
            [
                OutboxAttachment(entry=entry, position=position, content=file.content)
                for position, file in enumerate(files)
            ]
        )
        timeline.add(
            order,
            "message_requested",
            f"The message {message.action} is to be sent to the buyer.",
            actor=actor,
        )
    return entry


def request_review(amazon_order_id: str, actor: str = "") -> OutboxEntry:
    """Write the intent to have Amazon ask the buyer for a review; an open one is
    answered as it is. Raises SentBeforeError."""
    with transaction.atomic():
        order = lock_objects.orders_by_id([amazon_order_id])[0]
        before = _of(order, Kind.REVIEW_REQUEST)
        for entry in before:
            if not entry.settled_at:
                return entry
            _check_not_sent(entry, "The request for a review")
        entry = _write(order, Kind.REVIEW_REQUEST, before, {}, {}, actor)
        timeline.add(
            order, "review_requested", "The buyer is to be asked for a review.", actor
        )
    return entry


def _of(order: AmazonOrder, kind: OutboxEntry.Kind) -> list[OutboxEntry]:
    return list(order.outbox_entries.filter(kind=kind).order_by("pk"))


def _check_not_sent(entry: OutboxEntry, what: str) -> None:
    if entry.state == State.SUCCEEDED and entry.settled_at:
        raise SentBeforeError(
            f"{what} was sent to the buyer on {entry.settled_at:%Y-%m-%d}."
        )


def _write(
    order: AmazonOrder,
    kind: OutboxEntry.Kind,
    before: Sequence[OutboxEntry],
    payload: dict[str, Any],
    personal: dict[str, Any],
    actor: str,
) -> OutboxEntry:
    """Each is one of its own: none takes the place of another."""
    outbox.enqueue(
        order,
        kind,
        subject=str(len(before) + 1),
        revision=1,
        payload=payload,
        personal=personal,
        actor=actor,
    )
    return order.outbox_entries.filter(kind=kind).latest("pk")
