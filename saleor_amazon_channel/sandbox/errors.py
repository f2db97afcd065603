"""What the sandbox answers when it refuses, in Amazon's words.

Source: SP-API documentation "Usage Plans and Rate Limits", "Error responses", the
``ErrorList`` of the models, and for the token server the OAuth 2 codes in Amazon's own
``LwaExceptionErrorCode``.

    Refusal
    ├── InvalidInput          400
    ├── Unauthorized          403
    ├── NotFound              404
    ├── Conflict              409
    ├── TooLarge              413
    ├── UnsupportedMediaType  415
    └── QuotaExceeded         429
    LwaRefusal                the token server's own form of error
"""

from __future__ import annotations

import json


class Refusal(Exception):
    """An error answer: ``{"errors": [{"code", "message", "details"}]}``."""

    status = 400
    code = "InvalidInput"
    message = "Invalid Input"

    def __init__(self, message: str | None = None, details: str = "") -> None:
        self.message = message or self.message
        self.details = details
        super().__init__(f"{self.status} {self.code}: {self.message}")

    def body(self) -> bytes:
        return error_body(self.code, self.message, self.details)


class InvalidInput(Refusal):
    pass


class Unauthorized(Refusal):
    status = 403
    code = "Unauthorized"
    message = "Access to requested resource is denied."


class NotFound(Refusal):
    status = 404
    code = "NotFound"
    message = "The resource specified does not exist."


class Conflict(Refusal):
    status = 409
    code = "Conflict"
    message = "The resource specified conflicts with the current state."


class TooLarge(Refusal):
    status = 413
    code = "RequestTooLarge"
    message = "The request size exceeded the maximum accepted size."


class UnsupportedMediaType(Refusal):
    status = 415
    code = "UnsupportedMediaType"
    message = "The request payload is in an unsupported format."


class QuotaExceeded(Refusal):
    status = 429
    code = "QuotaExceeded"
    message = "You exceeded your quota for the requested resource."


class LwaRefusal(Exception):
    """An error of Login with Amazon: ``{"error", "error_description"}``."""

    def __init__(self, status: int, error: str, description: str) -> None:
        self.status = status
        self.error = error
        self.description = description
        super().__init__(f"{status} {error}: {description}")

    def body(self) -> bytes:
        return json.dumps(
            {"error_description": self.description, "error": self.error}
        ).encode()


def error_body(code: str, message: str, details: str = "") -> bytes:
    return json.dumps(
        {"errors": [{"code": code, "message": message, "details": details}]}
    ).encode()


#: What Amazon's front end says to a request that breaks HTTP itself (changelog
#: 2023-06): not JSON.
HTML_BAD_REQUEST = (
    b"<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n"
    b"<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"
)


class EventError(ValueError):
    """The event cannot happen to the order as it is; the message says why."""


class UnknownName(KeyError):
    """The control API or a test named something that is not there."""

    def __str__(self) -> str:
        return str(self.args[0])
