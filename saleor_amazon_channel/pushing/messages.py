"""Send a message to the buyer, once.

Payload of the entry: ``{"action": MessageAction, "coverage_start"?, "coverage_end"?}``.
Personal: ``{"text": str, "files": [names], "digests"?: [SHA-256 of each]}``; the files
themselves are its attachments.

Amazon shows nobody what was sent, so a message is never sent again on its own once it
may have left: that is for a person, who can look in Seller Central. What goes before
(asking for the actions, uploading files) has no effect and is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .. import outbox, store
from ..amazon import errors, messaging, uploads
from ..amazon.client import Client
from ..amazon.messaging import Attachment, File, Message, MessageAction
from ..models import OutboxAttachment, OutboxEntry
from ..outbox import Outcome, State

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
NOT_OFFERED = "NOT_OFFERED"


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """Send one message, if the order still can get it.

    Raises what ``amazon.errors`` names when the call failed.
    """
    if entry.departed_at is not None:
        return _not_to_be_known(entry)
    order, message = entry.order, message_of(entry)
    where = (order.amazon_order_id, order.marketplace_id)
    offered = messaging.get_actions(client, *where, max_wait_seconds=max_wait_seconds)
    if message.action not in offered:
        return Outcome(
            State.FAILED, not_offered(message.action, offered), error_code=NOT_OFFERED
        )
    attachments = [
        Attachment(
            uploads.attach(
                client,
                messaging.resource_of(order.amazon_order_id, message.action),
                order.marketplace_id,
                file.content,
                file.content_type,
                max_wait_seconds=max_wait_seconds,
            ),
            file.name,
        )
        for file in files_of(entry)
    ]
    if not outbox.depart(entry):
        return Outcome(State.UNKNOWN, error_code="CLAIM_LOST")
    try:
        messaging.send(
            client, *where, message, attachments, max_wait_seconds=max_wait_seconds
        )
    except (errors.UnknownOutcome, errors.MalformedAnswer):
        return _not_to_be_known(entry)
    except errors.CallFailed:
        outbox.come_back(entry)
        raise
    return Outcome(
        State.SUCCEEDED, f"The message {message.action} was sent to the buyer."
    )


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """The files are with the buyer; nobody needs them here any more."""
    OutboxAttachment.objects.filter(entry__in=entries).update(content=b"")


def report(entry: OutboxEntry) -> None:
    """Tell staff on the shop's order what came of it, not what was written."""
    if entry.order.shop_order_id:
        action = entry.payload["action"]
        store.current().add_note(
            entry.order.shop_order_id,
            f"The message {action} was sent to the buyer on Amazon."
            if entry.state == State.SUCCEEDED
            else f"The message {action} to the buyer: {entry.error_message}",
        )


def message_of(entry: OutboxEntry) -> Message:
    start, end = (
        datetime.fromisoformat(entry.payload[name]) if name in entry.payload else None
        for name in ("coverage_start", "coverage_end")
    )
    return Message(
        MessageAction(entry.payload["action"]),
        entry.personal.get("text", ""),
        coverage_start=start,
        coverage_end=end,
    )


def files_of(entry: OutboxEntry) -> list[File]:
    contents = entry.attachments.order_by("position").values_list("content", flat=True)
    return [
        File(name, bytes(content))
        for name, content in zip(entry.personal.get("files", ()), contents, strict=True)
    ]


def not_offered(action: MessageAction, offered: frozenset[MessageAction]) -> str:
    """What can be sent instead, in words."""
    others = ", ".join(sorted(offered)) or "none at all"
    return (
        f"Amazon does not offer the message {action} for the order as it is now. It "
        f"offers: {others}."
    )


def _not_to_be_known(entry: OutboxEntry) -> Outcome:
    return Outcome(
        State.FAILED,
        f"Whether the message {entry.payload['action']} reached the buyer is not "
        "known: Amazon did not say, and cannot be asked. It is not sent again by "
        "itself. Look at the messages of the order in Seller Central; if it is not "
        "there, send it once more.",
        error_code=OUTCOME_UNKNOWN,
    )
