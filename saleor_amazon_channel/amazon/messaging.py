"""Messaging API v1: messages to the buyer of an order.

Amazon says which kinds of message an order can get at the moment; it starts
conversations only, and nothing that was sent or answered can be read back.

Source: Amazon's model ``messaging.json``, documentation "Messaging API" and "Send a
message", Communication Guidelines. In the list of actions the name of an invoice is
``sendInvoice``; its operation is at ``/messages/invoice``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from .client import Client
from .errors import CallFailed, ErrorDetail, InvalidRequest, MalformedAnswer

GET_ACTIONS = "getMessagingActionsForOrder"
GET_ATTRIBUTES = "GetAttributes"

#: So many characters of a message in an error are a quotation.
QUOTE: Final = 12

MOST_ATTACHMENTS: Final = 5
#: Of all attachments of a message together.
MOST_ATTACHED_BYTES: Final = 10 * 1000 * 1000

#: What may be attached, by the ending of the file's name.
CONTENT_TYPES: Mapping[str, str] = {
    ".txt": "text/plain",
    ".pdf": "application/pdf",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".png": "image/png",
}


class MessageAction(StrEnum):
    """The kinds of message, as Amazon's list of actions names them."""

    CONFIRM_ORDER_DETAILS = "confirmOrderDetails"
    CONFIRM_DELIVERY_DETAILS = "confirmDeliveryDetails"
    CONFIRM_CUSTOMIZATION_DETAILS = "confirmCustomizationDetails"
    CONFIRM_SERVICE_DETAILS = "confirmServiceDetails"
    UNEXPECTED_PROBLEM = "unexpectedProblem"
    LEGAL_DISCLOSURE = "legalDisclosure"
    WARRANTY = "warranty"
    DIGITAL_ACCESS_KEY = "digitalAccessKey"
    SEND_INVOICE = "sendInvoice"


_NAMES = frozenset(action.value for action in MessageAction)


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of message is made of.

    ``operation`` is the model's operation id and ``resource`` the end of its path.
    ``most_characters`` is 0 where there is no text; where there is, it is needed.
    """

    operation: str
    resource: str
    most_characters: int = 0
    takes_attachments: bool = False
    has_coverage: bool = False

    @property
    def needs_attachment(self) -> bool:
        return self.takes_attachments and not self.most_characters


FORMS: Mapping[MessageAction, Form] = {
    MessageAction.CONFIRM_ORDER_DETAILS: Form(
        "createConfirmOrderDetails", "confirmOrderDetails", 2000
    ),
    MessageAction.CONFIRM_DELIVERY_DETAILS: Form(
        "createConfirmDeliveryDetails", "confirmDeliveryDetails", 2000
    ),
    MessageAction.CONFIRM_CUSTOMIZATION_DETAILS: Form(
        "confirmCustomizationDetails",
        "confirmCustomizationDetails",
        800,
        takes_attachments=True,
    ),
    MessageAction.CONFIRM_SERVICE_DETAILS: Form(
        "createConfirmServiceDetails", "confirmServiceDetails", 2000
    ),
    MessageAction.UNEXPECTED_PROBLEM: Form(
        "createUnexpectedProblem", "unexpectedProblem", 2000
    ),
    MessageAction.LEGAL_DISCLOSURE: Form(
        "createLegalDisclosure", "legalDisclosure", takes_attachments=True
    ),
    MessageAction.WARRANTY: Form(
        "CreateWarranty", "warranty", takes_attachments=True, has_coverage=True
    ),
    MessageAction.DIGITAL_ACCESS_KEY: Form(
        "createDigitalAccessKey", "digitalAccessKey", 400, takes_attachments=True
    ),
    MessageAction.SEND_INVOICE: Form("sendInvoice", "invoice", takes_attachments=True),
}


@dataclass(frozen=True, slots=True)
class Message:
    """``text`` is in the buyer's language. The coverage is a warranty's."""

    action: MessageAction
    text: str = field(default="", repr=False)
    coverage_start: datetime | None = None
    coverage_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file to attach; its name is what the buyer sees."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """Empty where Amazon takes no such file."""
        return CONTENT_TYPES.get(PurePath(self.name).suffix.lower(), "")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was uploaded for this message (``amazon.uploads``)."""

    upload_destination_id: str
    file_name: str = field(repr=False)


_HTML = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]{2,}")


def problems(message: Message, files: Sequence[File]) -> list[tuple[str, str]]:
    """What Amazon would refuse: (field, why), nothing of what was written.

    That a link belongs to the purpose of the message, which is all that Amazon allows,
    cannot be told here.
    """
    form = FORMS[message.action]
    found = []
    text = message.text.strip()
    if text and not form.most_characters:
        found.append(("text", "This kind of message has no text of its own."))
    elif form.most_characters and not text:
        found.append(("text", "This kind of message needs a text."))
    elif len(text) > form.most_characters:
        found.append(
            (
                "text",
                f"At most {form.most_characters} characters in this kind of message, "
                f"not {len(text)}.",
            )
        )
    if _HTML.search(text):
        found.append(("text", "Amazon allows no HTML in messages."))
    if _EMAIL.search(text):
        found.append(("text", "Amazon allows no e-mail address in messages."))
    return found + _problems_of_files(form, files) + _problems_of_coverage(message)


def _problems_of_files(form: Form, files: Sequence[File]) -> list[tuple[str, str]]:
    found = []
    if files and not form.takes_attachments:
        found.append("This kind of message takes no attachment.")
    if form.needs_attachment and not files:
        found.append("This kind of message needs an attachment.")
    if len(files) > MOST_ATTACHMENTS:
        found.append(f"At most {MOST_ATTACHMENTS} attachments.")
    if sum(len(file.content) for file in files) > MOST_ATTACHED_BYTES:
        found.append("The attachments are larger than 10 MB together.")
    if not all(file.content for file in files):
        found.append("An attachment is empty.")
    if not all(file.content_type for file in files):
        found.append(
            "Amazon takes no attachment with this ending of the name; it must be one "
            f"of {', '.join(CONTENT_TYPES)}."
        )
    return [("attachments", why) for why in found]


def _problems_of_coverage(message: Message) -> list[tuple[str, str]]:
    start, end = message.coverage_start, message.coverage_end
    if not start and not end:
        return []
    if not FORMS[message.action].has_coverage:
        return [("coverage_start", "Only a warranty has a time that it covers.")]
    if start and end and end <= start:
        return [("coverage_end", "The warranty ends before it begins.")]
    return []


def get_actions(
    client: Client, order_id: str, marketplace_id: str, *, max_wait_seconds: float = 0
) -> frozenset[MessageAction]:
    """The kinds of message that the order can get now, as far as they are known."""
    answer = client.request(
        GET_ACTIONS,
        "GET",
        path_of(order_id),
        params={"marketplaceIds": marketplace_id},
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return frozenset(
        MessageAction(name)
        for name in action_names(GET_ACTIONS, answer)
        if name in _NAMES
    )


def get_locale(
    client: Client, order_id: str, marketplace_id: str, *, max_wait_seconds: float = 0
) -> str:
    """The language that messages are to be written in, "en-GB" say; empty: unknown."""
    answer = client.request(
        GET_ATTRIBUTES,
        "GET",
        f"{path_of(order_id)}/attributes",
        params={"marketplaceIds": marketplace_id},
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    buyer = answer.get("buyer") if isinstance(answer, Mapping) else None
    locale = buyer.get("locale") if isinstance(buyer, Mapping) else None
    return locale if isinstance(locale, str) else ""


def send(
    client: Client,
    order_id: str,
    marketplace_id: str,
    message: Message,
    attachments: Sequence[Attachment] = (),
    *,
    max_wait_seconds: float = 0,
) -> None:
    """Send the message: the buyer gets it as often as this succeeds.

    Raises ``UnknownOutcome`` where it may have been sent without our hearing of it,
    ``NotOffered`` where the order cannot get this kind of message (any more).
    """
    form = FORMS[message.action]
    try:
        answer = client.request(
            form.operation,
            "POST",
            resource_of(order_id, message.action),
            params={"marketplaceIds": marketplace_id},
            json=_body(message, attachments),
            max_wait_seconds=max_wait_seconds,
            idempotent=False,
        )
        check(form.operation, answer)
    except CallFailed as error:
        error.errors = tuple(
            _without_quotes(each, message.text) for each in error.errors
        )
        raise


def resource_of(order_id: str, action: MessageAction) -> str:
    """The path of the operation that sends such a message."""
    return f"{path_of(order_id)}/messages/{FORMS[action].resource}"


def _without_quotes(error: ErrorDetail, text: str) -> ErrorDetail:
    """Errors are kept and logged; what somebody wrote to a buyer is not."""
    said = f"{error.message} {error.details}"
    runs = (text[i : i + QUOTE] for i in range(max(1, len(text) - QUOTE + 1)))
    if not any(run and run in said for run in runs):
        return error
    return ErrorDetail(error.code, "Amazon's reason quotes the message; it is not kept")


def path_of(order_id: str) -> str:
    return f"/messaging/v1/orders/{quote(order_id, safe='')}"


def action_names(operation: str, answer: Any) -> list[str]:
    """The names under ``_links.actions`` of a HAL answer."""
    links = answer.get("_links") if isinstance(answer, Mapping) else None
    found = links.get("actions") if isinstance(links, Mapping) else None
    if not isinstance(found, list):
        raise MalformedAnswer(operation, "the answer has no actions")
    return [
        str(action["name"])
        for action in found
        if isinstance(action, Mapping) and "name" in action
    ]


def check(operation: str, answer: Any) -> None:
    """Raise ``InvalidRequest`` for errors in an answer that calls itself a success,
    which the models of these APIs allow for."""
    errors = answer.get("errors") if isinstance(answer, Mapping) else None
    if errors:
        raise InvalidRequest(
            operation,
            status=201,
            errors=tuple(
                ErrorDetail(str(error.get("code", "")), str(error.get("message", "")))
                for error in errors
                if isinstance(error, Mapping)
            ),
        )


def _body(message: Message, attachments: Sequence[Attachment]) -> dict[str, Any]:
    form = FORMS[message.action]
    body: dict[str, Any] = {}
    if form.most_characters:
        body["text"] = message.text.strip()
    if attachments:
        body["attachments"] = [
            {
                "uploadDestinationId": attachment.upload_destination_id,
                "fileName": attachment.file_name,
            }
            for attachment in attachments
        ]
    if message.coverage_start:
        body["coverageStartDate"] = _time(message.coverage_start)
    if message.coverage_end:
        body["coverageEndDate"] = _time(message.coverage_end)
    return body


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
