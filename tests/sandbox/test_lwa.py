from __future__ import annotations

from datetime import timedelta

import pytest

from saleor_amazon_channel.sandbox import State

from .conftest import Caller, Move, errors


def test_a_refresh_token_gives_an_access_token_for_an_hour(
    caller: Caller, move: Move
) -> None:
    answer = caller.token_request()

    assert answer.status_code == 200
    data = answer.json()
    assert data["access_token"].startswith("Atza|")
    assert data["refresh_token"] == "Atzr|sandbox-NA"
    assert (data["token_type"], data["expires_in"]) == ("bearer", 3600)

    headers = {"x-amz-access-token": data["access_token"]}
    path = "/sellers/v1/marketplaceParticipations"
    move(timedelta(seconds=3599))
    assert caller.call("GET", path, headers=headers).status_code == 200
    move(timedelta(seconds=1))
    expired = caller.call("GET", path, headers=headers)
    assert expired.status_code == 403
    assert expired.json()["errors"] == [
        {
            "code": "Unauthorized",
            "message": "Access to requested resource is denied.",
            "details": "The access token you provided has expired.",
        }
    ]


def test_a_grantless_token_opens_no_sellers_orders(caller: Caller) -> None:
    answer = caller.token_request(
        grant_type="client_credentials",
        scope="sellingpartnerapi::notifications",
        refresh_token="-",
    )

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    refused = caller.search()
    assert refused.status_code == 200
    refused = caller.call(
        "GET",
        "/orders/2026-01-01/orders",
        headers={"x-amz-access-token": answer.json()["access_token"]},
    )
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "-"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "-"}, 400, "invalid_request"),
        ({"client_id": "amzn1.other"}, 401, "invalid_client"),
        ({"client_secret": "rotated"}, 401, "invalid_client"),
        ({"refresh_token": "-"}, 400, "invalid_request"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"refresh_token": "Atzr|nobody"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "scope": "profile"},
            400,
            "invalid_scope",
        ),
    ],
)
def test_refusals(
    caller: Caller, fields: dict[str, str], status: int, error: str
) -> None:
    answer = caller.token_request(**fields)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_an_application_may_lack_grantless_operations(
    caller: Caller, state: State
) -> None:
    state.add_application("amzn1.other", "its-secret", may_use_grantless=False)

    answer = caller.token_request(
        grant_type="client_credentials",
        scope="sellingpartnerapi::notifications",
        client_id="amzn1.other",
        client_secret="its-secret",
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_refresh_token_is_worth_nothing_to_another_application(
    caller: Caller, state: State
) -> None:
    state.add_application("amzn1.other", "its-secret")

    answer = caller.token_request(client_id="amzn1.other", client_secret="its-secret")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_revoked_grant_ends_refreshing_and_the_tokens_given_out(
    caller: Caller, state: State
) -> None:
    assert caller.search().status_code == 200

    state.revoke_grant("A1SANDBOXNA")

    assert caller.token_request().json()["error"] == "invalid_grant"
    refused = caller.search()
    assert refused.status_code == 403
    assert errors(refused) == [
        ("Unauthorized", "Access to requested resource is denied.")
    ]
    assert caller.search(region="EU").status_code == 200

    state.restore_grant("A1SANDBOXNA", refresh_token="Atzr|again")
    assert caller.token_request().json()["error"] == "invalid_grant"
    assert caller.token_request(refresh_token="Atzr|again").status_code == 200


def test_json_is_accepted_as_amazons_java_client_sends_it(caller: Caller) -> None:
    answer = caller.session.post(
        caller.sandbox.lwa_url,
        json={
            "grant_type": "refresh_token",
            "refresh_token": "Atzr|sandbox-FE",
            "client_id": "amzn1.application-oa2-client.sandbox",
            "client_secret": "sandbox-secret",
        },
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"grant_type=refresh_token&grant_type=x", "application/x-www-form-urlencoded"),
        (b"grant_type", "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"grant_type=refresh_token", "text/plain"),
    ],
)
def test_a_body_that_is_no_form_is_an_invalid_request(
    caller: Caller, body: bytes, content_type: str
) -> None:
    answer = caller.session.post(
        caller.sandbox.lwa_url, data=body, headers={"Content-Type": content_type}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("access_denied", 403),
        ("invalid_client", 401),
        ("server_error", 500),
        ("temporarily_unavailable", 503),
    ],
)
def test_any_error_can_be_had_on_demand(
    caller: Caller, state: State, error: str, status: int
) -> None:
    state.inject_fault("lwaToken", "lwa_error", error=error)

    answer = caller.token_request()

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert caller.token_request().status_code == 200


def test_expired_tokens_are_refused_and_new_ones_are_not(
    caller: Caller, state: State
) -> None:
    assert caller.search().status_code == 200

    state.expire_access_tokens()

    assert caller.search().status_code == 403
    caller.token(is_new=True)
    assert caller.search().status_code == 200
