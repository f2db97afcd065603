"""Errors of mutations, in Saleor's shape: ``errors { field message code }``."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from ..accounts import AccountError
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
