"""Errors of mutations, in Saleor's shape: ``errors { field message code }``."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from ..accounts import AccountError
from ..amazon import errors as amazon_errors
from . import host as graphql_host
from .enums import AmazonChannelErrorCode, ErrorCode

host = graphql_host.current()


class AmazonChannelError(host.Error):  # type: ignore[name-defined]
    code = AmazonChannelErrorCode(required=True, description="The error code.")

    class Meta:
        description = "An error in the input of a mutation, or what Amazon refused."


def refusal(code: ErrorCode, message: str, field: str = "") -> ValidationError:
    """What the host's ``BaseMutation`` turns into ``errors``."""
    error = ValidationError(message, code=code.value)
    return ValidationError({field: error}) if field else error


def of_account(error: AccountError) -> ValidationError:
    return refusal(ErrorCode(error.code.value), error.message, error.field)


def said_by_amazon(error: amazon_errors.AmazonError) -> tuple[ErrorCode, str]:
    """Code and words for the failure of a call that somebody waits for."""
    if isinstance(error, amazon_errors.NotFound):
        return (
            ErrorCode.NOT_FOUND,
            "Amazon has no such order for this seller account.",
        )
    if isinstance(error, amazon_errors.TryLater):
        return (
            ErrorCode.UNAVAILABLE,
            "Amazon did not answer, or allows no more calls now; try again in a "
            "minute.",
        )
    if isinstance(
        error,
        amazon_errors.ReauthorizationRequired | amazon_errors.AppCredentialsInvalid,
    ):
        return ErrorCode.INVALID_CREDENTIALS, error.action
    if isinstance(error, amazon_errors.Forbidden):
        return ErrorCode.FORBIDDEN, f"Amazon refuses. {error.action}"
    return ErrorCode.INVALID, str(error)


def of_amazon(error: amazon_errors.AmazonError, field: str = "") -> ValidationError:
    code, message = said_by_amazon(error)
    return refusal(code, message, field)
