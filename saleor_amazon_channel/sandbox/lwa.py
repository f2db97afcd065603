"""Login with Amazon: access tokens.

Source: SP-API documentation "Connect to the Selling Partner API" and "Grantless
operations", OAuth 2 (RFC 6749 section 5), Amazon's ``LwaExceptionErrorCode``. Amazon's
own Java client sends JSON, its Python client a form: both are accepted.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from .calls import Answer
from .errors import LwaRefusal
from .faults import Fault
from .state import TOKEN_LIFETIME, State

PATH = "/auth/o2/token"

GRANTLESS_SCOPES = (
    "sellingpartnerapi::notifications",
    "sellingpartnerapi::client_credential:rotation",
)

_STATUS = {
    "invalid_client": 401,
    "access_denied": 403,
    "server_error": 500,
    "temporarily_unavailable": 503,
}


def parse_form(body: bytes, content_type: str) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=bool(body)
            )
            if len(dict(pairs)) != len(pairs):
                raise ValueError("a parameter is repeated")
            return dict(pairs)
        if kind == "application/json":
            data = json.loads(body)
            if isinstance(data, dict):
                return {str(name): str(value) for name, value in data.items()}
    except ValueError:
        pass
    raise LwaRefusal(
        400, "invalid_request", "The request is not a form, or a parameter is repeated."
    )


def answer_fault(fault: Fault | None) -> None:
    """Raise what an ``lwa_error`` fault asks for."""
    if fault is not None and fault.error is not None:
        raise LwaRefusal(
            _STATUS.get(fault.error, 400), fault.error, "Injected by the sandbox."
        )


def issue_token(state: State, form: dict[str, str]) -> tuple[Answer, str | None]:
    """The answer to a token request, and the seller it was for."""

    def required(name: str) -> str:
        value = form.get(name)
        if not value:
            raise LwaRefusal(
                400,
                "invalid_request",
                f"The request is missing a required parameter : {name}",
            )
        return value

    grant_type = required("grant_type")
    if grant_type not in ("refresh_token", "client_credentials"):
        raise LwaRefusal(
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported by the authorization server",
        )
    application = state.authenticate(required("client_id"), required("client_secret"))
    answer: dict[str, object] = {
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
    }
    if grant_type == "refresh_token":
        refresh_token = required("refresh_token")
        account = state.account_of_refresh_token(refresh_token, application)
        if account is None:
            raise LwaRefusal(
                400,
                "invalid_grant",
                "The request has an invalid grant parameter : refresh_token. User may "
                "have revoked or didn't grant the permission.",
            )
        answer["access_token"] = state.issue_access_token(
            application.client_id, seller_id=account.seller_id
        )
        answer["refresh_token"] = refresh_token
        return Answer(200, answer), account.seller_id
    scope = required("scope")
    if scope not in GRANTLESS_SCOPES:
        raise LwaRefusal(
            400,
            "invalid_scope",
            "The request has an invalid scope parameter : scope",
        )
    if not application.may_use_grantless:
        raise LwaRefusal(
            400,
            "unauthorized_client",
            "The client is not authorized to request an authorization code using this "
            "method",
        )
    answer["access_token"] = state.issue_access_token(
        application.client_id, scope=scope
    )
    answer["scope"] = scope
    return Answer(200, answer), None
