"""HTTP itself, the front end's refusals, and the server's own life."""

from __future__ import annotations

import socket

import pytest

from saleor_amazon_channel.sandbox import Sandbox, State, running_sandbox

from .conftest import Caller, errors

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"


def exchange(sandbox: Sandbox, request: bytes) -> bytes:
    """What comes back for raw bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as raw:
        raw.sendall(request)
        answer = b""
        while received := raw.recv(65536):
            answer += received
        return answer


def test_a_missing_or_wrong_token_is_denied_in_amazons_words(caller: Caller) -> None:
    url = caller.sandbox.url + PARTICIPATIONS

    missing = caller.session.get(url)
    wrong = caller.session.get(url, headers={"x-amz-access-token": "Atza|made-up"})

    for answer, details in (
        (missing, "Access token is missing in the request header."),
        (wrong, "The access token you provided is revoked, malformed or invalid."),
    ):
        assert answer.status_code == 403
        assert answer.json()["errors"] == [
            {
                "code": "Unauthorized",
                "message": "Access to requested resource is denied.",
                "details": details,
            }
        ]
        assert answer.headers["x-amzn-RequestId"]
        assert "x-amzn-RateLimit-Limit" not in answer.headers


def test_paths_that_lead_nowhere_are_denied(caller: Caller) -> None:
    for method, path in (
        ("DELETE", "/orders/v0/orders"),
        ("POST", "/orders/2026-01-01/orders"),
        ("GET", "/orders/2026-01-01/orders/"),
        ("GET", "/"),
    ):
        answer = caller.call(method, path)
        assert answer.status_code == 403
        assert errors(answer)[0][0] == "Unauthorized"


def test_a_regions_endpoint_denies_sellers_of_other_regions(caller: Caller) -> None:
    for region, prefix in (("NA", "/na"), ("EU", "/eu"), ("FE", "/fe")):
        for other in ("NA", "EU", "FE"):
            answer = caller.call("GET", prefix + PARTICIPATIONS, region=other)
            assert answer.status_code == (200 if other == region else 403)


def test_a_body_on_get_is_refused_in_html(caller: Caller, state: State) -> None:
    answer = caller.call("GET", PARTICIPATIONS, data=b"{}")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")
    assert state.calls("getMarketplaceParticipations") == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_broken_http_is_refused_in_html(sandbox: Sandbox, request_bytes: bytes) -> None:
    answer = exchange(sandbox, request_bytes)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"400" in head.splitlines()[0]
    assert b"Content-Type: text/html" in head
    assert b"Connection: close" in head
    assert body.startswith(b"<html>")


def test_too_large_a_body_is_refused_unread(sandbox: Sandbox) -> None:
    answer = exchange(
        sandbox,
        b"POST /orders/v0/orders/1/shipmentConfirmation HTTP/1.1\r\nHost: x\r\n"
        b"Content-Length: 10485761\r\n\r\n",
    )

    assert b"413" in answer.splitlines()[0]
    assert b"RequestTooLarge" in answer


def test_too_long_a_user_agent_is_refused(caller: Caller) -> None:
    for length, status in ((500, 200), (501, 400)):
        answer = caller.call(
            "GET", PARTICIPATIONS, headers={"User-Agent": "x" * length}
        )
        assert answer.status_code == status


def test_connections_are_kept_alive(caller: Caller, sandbox: Sandbox) -> None:
    request = b"GET /_sandbox/health HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as raw:
        for _ in range(3):
            raw.sendall(request)
            answer = raw.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"}")


def test_participations_name_every_marketplace_and_one_that_is_no_shop(
    caller: Caller,
) -> None:
    payload = caller.call("GET", PARTICIPATIONS, region="FE").json()["payload"]

    assert [
        (entry["marketplace"]["countryCode"], entry["marketplace"]["name"])
        for entry in payload
    ] == [
        ("SG", "Amazon.sg"),
        ("AU", "Amazon.com.au"),
        ("JP", "Amazon.co.jp"),
        ("JP", "Non-Amazon"),
    ]
    japan = payload[2]
    assert japan["storeName"] == "Sandbox Store FE"
    assert japan["marketplace"]["defaultCurrencyCode"] == "JPY"
    assert japan["participation"] == {
        "isParticipating": True,
        "hasSuspendedListings": False,
    }


def test_stopping_ends_open_connections_and_frees_the_port() -> None:
    with running_sandbox() as sandbox:
        raw = socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
        raw.sendall(b"GET /_sandbox/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(65536)

    with raw:
        assert raw.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
