"""What can go wrong between us and Amazon, sorted by what to do about it.

    AmazonError
    ├── MalformedAnswer            Amazon's answer is not what its model says
    │   ├── MalformedOrder
    │   └── MalformedNotification
    └── CallFailed
        ├── TryLater               the same call again, at ``available_at``
        │   ├── BudgetExhausted    nothing was sent: our own budget says wait
        │   ├── Throttled          Amazon said 429
        │   └── Unavailable        Amazon fails or is not reached
        ├── UnknownOutcome         a write may have arrived: read before sending again
        ├── ReauthorizationRequired    the seller must authorize again: stop the account
        ├── AppCredentialsInvalid      client id or secret are refused: stop the app
        ├── Forbidden              a role is missing, or it is the wrong region
        │   └── NotOffered         the order cannot get this message (any more)
        ├── InvalidRequest         the data must be changed: never resend as it is
        │   └── PackageToUpdateNotFound    the order is shipped: read it and reconcile
        ├── NotFound
        └── UnexpectedStatus       a status that no table here knows

``failure`` is the one place that turns an answer into one of them. None carries a
token, a request body or more of the answer than Amazon's own codes and messages, which
are cut short because they may echo what was sent.

Sources: SP-API "Usage Plans and Rate Limits", the response lists of the models, the
error codes of Amazon's LWA client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

MAX_MESSAGE_LENGTH = 300
MAX_ERRORS = 5


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One entry of Amazon's list of errors."""

    code: str
    message: str
    details: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message, self.details)))


class AmazonError(Exception):
    """Base of all that this package raises; a caller's mistake is a ValueError."""


class MalformedAnswer(AmazonError):
    """Amazon's answer is not what its model says."""

    def __init__(self, operation: str, problem: str) -> None:
        super().__init__(operation, problem)
        self.operation = operation
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.operation}: {self.problem}"


class MalformedOrder(MalformedAnswer):
    """An order lacks what the model requires, or has it in the wrong type.

    ``path`` is where (``orderItems[0].product``), ``problem`` what; never a value.
    """

    def __init__(self, order_id: str, path: str, problem: str) -> None:
        AmazonError.__init__(self, order_id, path, problem)
        self.operation = f"order {order_id or 'without an id'}"
        self.order_id = order_id
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.operation}: {self.path} {self.problem}".replace("  ", " ")


class MalformedNotification(MalformedAnswer):
    """A notification lacks what its schema requires, or has it in the wrong type.

    ``problem`` says where and what; never a value.
    """

    def __init__(self, problem: str) -> None:
        super().__init__("notification", problem)
        self.args = (problem,)


class CallFailed(AmazonError):
    """A call did not do what was asked. ``action`` says what a person can do."""

    action: ClassVar[str]

    def __init__(
        self,
        operation: str,
        *,
        status: int | None = None,
        errors: tuple[ErrorDetail, ...] = (),
        request_id: str = "",
    ) -> None:
        super().__init__(operation)
        self.operation = operation
        self.status = status
        self.errors = errors
        self.request_id = request_id

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(error.code for error in self.errors)

    def __str__(self) -> str:
        said = "; ".join(map(str, self.errors))
        status = f"{self.status}" if self.status else ""
        request = f"(request {self.request_id})" if self.request_id else ""
        return " ".join(filter(None, (f"{self.operation}:", status, said, request)))


class TryLater(CallFailed):
    """The same call may be sent again at ``available_at``, by Amazon's rules."""

    action = "Nothing: it is tried again by itself."

    def __init__(self, operation: str, available_at: datetime, **answer: Any) -> None:
        super().__init__(operation, **answer)
        self.args = (operation, available_at)
        self.available_at = available_at

    def __str__(self) -> str:
        return f"{super().__str__()} not before {self.available_at.isoformat()}"


class BudgetExhausted(TryLater):
    """Our own count of Amazon's usage plan allows no call now; nothing was sent."""


class Throttled(TryLater):
    """Amazon answered 429: another user of the same usage plan was quicker."""


class Unavailable(TryLater):
    """Amazon fails or is not reached; sending the same call again does no harm."""


class UnknownOutcome(CallFailed):
    """A write may have arrived. Read what Amazon has before sending anything again."""

    action = "Nothing: the order is read from Amazon first, then it is decided."


class ReauthorizationRequired(CallFailed):
    """The seller's grant is revoked, expired or another app's."""

    action = (
        "Authorize the app again in Seller Central and enter the new refresh token."
    )


class AppCredentialsInvalid(CallFailed):
    """The app's LWA client id or secret is refused, for all of its accounts."""

    action = (
        "Check the LWA client id and secret; a secret must be rotated every 180 days."
    )


class Forbidden(CallFailed):
    """Amazon knows us and refuses."""

    action = (
        "Check in Seller Central that the app has the role for this operation, that "
        "the account is in good standing and that its region is right."
    )


class NotOffered(Forbidden):
    """The order's buyer cannot be sent this now: Amazon offers what an order can get
    by its status, its age, the seller and what was sent before."""

    action = "Ask Amazon which messages it offers for the order."


class InvalidRequest(CallFailed):
    """Amazon, or our own check before sending, refuses the data."""

    action = "Correct the data; sent as it is, it would be refused again."


class PackageToUpdateNotFound(InvalidRequest):
    """Every unit is in another package already: read the packages and reconcile."""

    action = "Look at the packages Amazon has for this order."


class NotFound(CallFailed):
    """Amazon has no such thing for this seller."""

    action = "Check the id, and that it belongs to this seller account and region."


class UnexpectedStatus(CallFailed):
    """An HTTP status that Amazon's models do not name."""

    action = "Report it, with the request id."


# --- the closed tables ---------------------------------------------------------------

#: What an HTTP status of SP-API means. 429 and 5xx are in ``failure``: they need a
#: moment, or depend on whether the call may be repeated.
STATUSES: Mapping[int, type[CallFailed]] = {
    400: InvalidRequest,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: InvalidRequest,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
}

#: Refusals that a message tells apart from others of the same status: pattern of the
#: operation, status, pattern of the message (threads: selling-partner-api-models issues
#: 5037 and 19, selling-partner-api-docs issues 193 and 121).
MESSAGES: tuple[tuple[str, int, re.Pattern[str], type[CallFailed]], ...] = (
    (
        "confirmShipment",
        400,
        re.compile(r"PackageToUpdateNotFound|Unable to find package to update", re.I),
        PackageToUpdateNotFound,
    ),
    (
        r"\w+(Details|Problem|Disclosure|Warranty|AccessKey)|sendInvoice",
        403,
        re.compile(r"Invalid amazonOrderId and template combination", re.I),
        NotOffered,
    ),
    (
        r"\w+Solicitation",
        403,
        re.compile(r"solicitation is not available|outside the 5-30 day range", re.I),
        NotOffered,
    ),
)

#: What the ``error`` of a token answer (Login with Amazon) means.
LWA_CODES: Mapping[str, type[CallFailed]] = {
    "invalid_grant": ReauthorizationRequired,
    "invalid_client": AppCredentialsInvalid,
    "unauthorized_client": AppCredentialsInvalid,
    "access_denied": Forbidden,
    "invalid_request": InvalidRequest,
    "invalid_scope": InvalidRequest,
    "unsupported_grant_type": InvalidRequest,
    "server_error": Unavailable,
    "temporarily_unavailable": Unavailable,
}


def failure(
    operation: str,
    status: int,
    errors: tuple[ErrorDetail, ...],
    request_id: str,
    *,
    is_repeatable: bool,
    available_at: datetime,
) -> CallFailed:
    """The error for an answer that is not a success.

    ``is_repeatable``: sending the call twice does what sending it once does.
    ``available_at``: when to try again, should that be the thing to do.
    """
    answer: dict[str, Any] = {
        "status": status,
        "errors": errors,
        "request_id": request_id,
    }
    if status == 429:
        return Throttled(operation, available_at, **answer)
    for error in errors:
        kind = LWA_CODES.get(error.code)
        if kind is Unavailable:
            return Unavailable(operation, available_at, **answer)
        if kind is not None:
            return kind(operation, **answer)
    if status >= 500:
        if is_repeatable:
            return Unavailable(operation, available_at, **answer)
        return UnknownOutcome(operation, **answer)
    said = " ".join(map(str, errors))
    for of_operation, of_status, pattern, kind in MESSAGES:
        is_meant = status == of_status and re.fullmatch(of_operation, operation)
        if is_meant and pattern.search(said):
            return kind(operation, **answer)
    return STATUSES.get(status, UnexpectedStatus)(operation, **answer)


def read_errors(body: bytes, content_type: str) -> tuple[ErrorDetail, ...]:
    """Amazon's errors out of an answer's body, whatever its form; never raises.

    SP-API sends a list ``errors``; LWA ``error`` and ``error_description``. A request
    that breaks HTTP itself gets HTML (SP-API changelog, June 2023), and so does what a
    proxy answers: of those the visible text is kept.
    """
    text = body[:65536].decode("utf-8", errors="replace")
    try:
        wire = json.loads(text)
    except ValueError:
        if "html" in content_type or text.lstrip().startswith("<"):
            text = re.sub(r"(?s)<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text)
        text = _short(" ".join(text.split()))
        return (ErrorDetail("", text),) if text else ()
    if not isinstance(wire, dict):
        return ()
    entries = wire.get("errors")
    if isinstance(entries, list):
        return tuple(
            ErrorDetail(
                _short(entry.get("code")),
                _short(entry.get("message")),
                _short(entry.get("details")),
            )
            for entry in entries[:MAX_ERRORS]
            if isinstance(entry, dict)
        )
    if isinstance(wire.get("error"), str):
        return (
            ErrorDetail(_short(wire["error"]), _short(wire.get("error_description"))),
        )
    return ()


def _short(value: object) -> str:
    text = value if isinstance(value, str) else ""
    if len(text) <= MAX_MESSAGE_LENGTH:
        return text
    return text[: MAX_MESSAGE_LENGTH - 1] + "…"
