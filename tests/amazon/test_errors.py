from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from saleor_amazon_channel.amazon.errors import (
    AppCredentialsInvalid,
    BudgetExhausted,
    CallFailed,
    ErrorDetail,
    Forbidden,
    InvalidRequest,
    MalformedOrder,
    NotFound,
    PackageToUpdateNotFound,
    ReauthorizationRequired,
    Throttled,
    TryLater,
    Unavailable,
    UnexpectedStatus,
    UnknownOutcome,
    failure,
    read_errors,
)

LATER = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def classified(
    status: int,
    *,
    code: str = "",
    message: str = "",
    operation: str = "getOrder",
    is_repeatable: bool = True,
) -> CallFailed:
    return failure(
        operation,
        status,
        (ErrorDetail(code, message),),
        "request-1",
        is_repeatable=is_repeatable,
        available_at=LATER,
    )


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 400, "code": "InvalidInput"}, InvalidRequest),
        ({"status": 401, "code": "Unauthorized"}, Forbidden),
        ({"status": 403, "code": "Unauthorized"}, Forbidden),
        ({"status": 404, "code": "NotFound"}, NotFound),
        ({"status": 413, "code": "RequestEntityTooLarge"}, InvalidRequest),
        ({"status": 415, "code": "UnsupportedMediaType"}, InvalidRequest),
        ({"status": 418}, UnexpectedStatus),
        ({"status": 302}, UnexpectedStatus),
        ({"status": 429, "code": "QuotaExceeded"}, Throttled),
        ({"status": 429, "is_repeatable": False}, Throttled),
        ({"status": 500, "code": "InternalFailure"}, Unavailable),
        ({"status": 503, "code": "ServiceUnavailable"}, Unavailable),
        ({"status": 504}, Unavailable),
        ({"status": 500, "is_repeatable": False}, UnknownOutcome),
        ({"status": 503, "is_repeatable": False}, UnknownOutcome),
        ({"status": 400, "code": "invalid_grant"}, ReauthorizationRequired),
        ({"status": 401, "code": "invalid_client"}, AppCredentialsInvalid),
        ({"status": 400, "code": "unauthorized_client"}, AppCredentialsInvalid),
        ({"status": 400, "code": "invalid_scope"}, InvalidRequest),
        ({"status": 400, "code": "access_denied"}, Forbidden),
        ({"status": 400, "code": "server_error"}, Unavailable),
        ({"status": 400, "code": "temporarily_unavailable"}, Unavailable),
        (
            {
                "status": 400,
                "operation": "confirmShipment",
                "code": "InvalidInput",
                "message": "Unable to find package to update",
            },
            PackageToUpdateNotFound,
        ),
        (
            {"status": 400, "code": "PackageToUpdateNotFound"},
            InvalidRequest,
        ),
    ],
)
def test_an_answer_says_what_to_do(
    answer: dict[str, Any], kind: type[CallFailed]
) -> None:
    error = classified(**answer)

    assert type(error) is kind
    assert error.status == answer["status"]
    assert error.request_id == "request-1"
    assert error.action
    if isinstance(error, TryLater):
        assert error.available_at == LATER


def test_an_error_reads_as_a_sentence() -> None:
    error = classified(403, code="Unauthorized", message="Access is denied.")

    assert str(error) == (
        "getOrder: 403 Unauthorized: Access is denied. (request request-1)"
    )
    assert error.codes == ("Unauthorized",)


def test_an_error_to_wait_for_says_until_when() -> None:
    assert str(BudgetExhausted("searchOrders", LATER)) == (
        "searchOrders: not before 2026-11-22T12:30:00+00:00"
    )


@pytest.mark.parametrize(
    "error",
    [
        classified(403, code="Unauthorized"),
        classified(429, code="QuotaExceeded"),
        MalformedOrder("902-1", "orderItems", "is missing"),
    ],
)
def test_errors_survive_the_way_between_processes(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (
            b'{"errors":[{"code":"InvalidInput","message":"Bad date","details":"x"}]}',
            "application/json",
            (ErrorDetail("InvalidInput", "Bad date", "x"),),
        ),
        (
            b'{"error":"invalid_grant","error_description":"The request is revoked"}',
            "application/json",
            (ErrorDetail("invalid_grant", "The request is revoked"),),
        ),
        (
            b"<html><head><title>400</title></head><body><h1>Bad\n Request</h1></body>",
            "text/html",
            (ErrorDetail("", "Bad Request"),),
        ),
        (b"upstream timed out", "text/plain", (ErrorDetail("", "upstream timed out"),)),
        (b"", "", ()),
        (b"[]", "application/json", ()),
        (b"{}", "application/json", ()),
        (b'{"errors":"odd"}', "application/json", ()),
        (b'{"errors":[7,{"code":7}]}', "application/json", (ErrorDetail("", ""),)),
        (b"\xff\xfe", "application/octet-stream", (ErrorDetail("", "��"),)),
    ],
)
def test_any_body_is_read(
    body: bytes, content_type: str, expected: tuple[ErrorDetail, ...]
) -> None:
    assert read_errors(body, content_type) == expected


def test_what_amazon_echoes_is_cut_short() -> None:
    wire = b'{"errors":[' + b",".join(
        [b'{"code":"E","message":"%s"}' % (b"m" * 999)] * 9
    )

    found = read_errors(wire + b"]}", "application/json")

    assert len(found) == 5
    assert found[0].message == "m" * 299 + "…"
