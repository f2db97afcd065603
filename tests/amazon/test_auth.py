from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from saleor_amazon_channel.amazon.auth import (
    NOTIFICATIONS_SCOPE,
    Credentials,
    InMemoryTokenCache,
    Token,
)
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    AppCredentialsInvalid,
    CallFailed,
    Forbidden,
    InvalidRequest,
    MalformedAnswer,
    ReauthorizationRequired,
    Throttled,
    Unavailable,
)
from saleor_amazon_channel.amazon.orders import get_order
from saleor_amazon_channel.amazon.throttle import InMemoryBudget

from .conftest import (
    CREDENTIALS,
    NOON,
    TOKEN_PATH,
    Answer,
    Loopback,
    StillClock,
    errors,
    token_answer,
)
from .test_orders import ORDERS_PATH, minimal_order

ORDER_PATH = f"{ORDERS_PATH}/902-1"
EXPIRED = errors(
    "Unauthorized",
    "Access to requested resource is denied.",
    "The access token you provided has expired.",
)


@pytest.fixture(autouse=True)
def order(amazon: Loopback) -> None:
    amazon.answer(ORDER_PATH, Answer(body={"order": minimal_order()}))


def tokens_used(amazon: Loopback) -> list[str]:
    return [call.headers["x-amz-access-token"] for call in amazon.calls(ORDER_PATH)]


def test_a_seller_token_is_asked_for_with_the_refresh_token(
    amazon: Loopback, client: Client
) -> None:
    get_order(client, "902-1")

    (call,) = amazon.calls(TOKEN_PATH)
    assert call.method == "POST"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert {name: values[0] for name, values in parse_qs(call.body).items()} == {
        "grant_type": "refresh_token",
        "refresh_token": "Atzr|the-refresh-token",
        "client_id": "amzn1.client",
        "client_secret": "the-client-secret",
    }
    assert tokens_used(amazon) == ["Atza|token-1"]


def test_a_grantless_token_is_asked_for_with_its_scope() -> None:
    assert CREDENTIALS.form(NOTIFICATIONS_SCOPE) == {
        "grant_type": "client_credentials",
        "scope": "sellingpartnerapi::notifications",
        "client_id": "amzn1.client",
        "client_secret": "the-client-secret",
    }


def test_a_grantless_call_has_a_token_of_its_own(
    amazon: Loopback, client: Client
) -> None:
    get_order(client, "902-1")
    client.request(
        "getOrder", "GET", ORDER_PATH, idempotent=True, scope=NOTIFICATIONS_SCOPE
    )

    assert tokens_used(amazon) == ["Atza|token-1", "Atza|token-2"]


def test_a_token_is_kept_until_a_minute_before_its_end(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    get_order(client, "902-1")
    still_clock.move(timedelta(seconds=3539))
    get_order(client, "902-1")
    still_clock.move(timedelta(seconds=1))
    get_order(client, "902-1")

    assert tokens_used(amazon) == ["Atza|token-1", "Atza|token-1", "Atza|token-2"]


def test_clients_share_a_token(
    amazon: Loopback, new_client: Callable[..., Client]
) -> None:
    cache = InMemoryTokenCache()
    for _ in range(3):
        get_order(new_client(token_cache=cache), "902-1")

    assert amazon.tokens_given == 1


def test_changed_credentials_do_not_use_the_old_token(
    amazon: Loopback, new_client: Callable[..., Client]
) -> None:
    cache = InMemoryTokenCache()
    get_order(new_client(token_cache=cache), "902-1")
    changed = Credentials("amzn1.client", "the-client-secret", "Atzr|another")
    get_order(new_client(token_cache=cache, credentials=changed), "902-1")

    assert tokens_used(amazon) == ["Atza|token-1", "Atza|token-2"]


def test_of_many_threads_one_fetches_the_token(
    amazon: Loopback, new_client: Callable[..., Client]
) -> None:
    cache, budget = InMemoryTokenCache(), InMemoryBudget()
    clients = [new_client(token_cache=cache, budget=budget) for _ in range(8)]
    together = threading.Barrier(8)

    def read(client: Client) -> None:
        together.wait()
        get_order(client, "902-1")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read, clients))

    assert amazon.tokens_given == 1
    assert tokens_used(amazon) == ["Atza|token-1"] * 8


def test_an_expired_token_is_renewed_once(amazon: Loopback, client: Client) -> None:
    amazon.answer(
        ORDER_PATH, Answer(403, EXPIRED), Answer(body={"order": minimal_order()})
    )

    get_order(client, "902-1")

    assert tokens_used(amazon) == ["Atza|token-1", "Atza|token-2"]


def test_a_token_refused_again_is_forbidden(amazon: Loopback, client: Client) -> None:
    amazon.answer(ORDER_PATH, Answer(403, EXPIRED))

    with pytest.raises(Forbidden):
        get_order(client, "902-1")

    assert tokens_used(amazon) == ["Atza|token-1", "Atza|token-2"]


def test_another_403_renews_nothing(amazon: Loopback, client: Client) -> None:
    amazon.answer(
        ORDER_PATH,
        Answer(403, errors("Unauthorized", "Access to requested resource is denied.")),
    )

    with pytest.raises(Forbidden):
        get_order(client, "902-1")

    assert tokens_used(amazon) == ["Atza|token-1"]


def test_a_token_another_worker_renewed_is_taken(still_clock: StillClock) -> None:
    cache = InMemoryTokenCache()
    old = Token("old", NOON + timedelta(hours=1))
    new = Token("new", NOON + timedelta(hours=1))
    cache.renew("", "f", None, lambda: old)
    cache.renew("", "f", old, lambda: new)

    assert cache.renew("", "f", old, lambda: pytest.fail("fetched again")) == new


def lwa_error(code: str) -> dict[str, str]:
    return {"error": code, "error_description": "in Amazon's words"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, lwa_error("invalid_grant")), ReauthorizationRequired),
        (Answer(401, lwa_error("invalid_client")), AppCredentialsInvalid),
        (Answer(400, lwa_error("unauthorized_client")), AppCredentialsInvalid),
        (Answer(400, lwa_error("invalid_request")), InvalidRequest),
        (Answer(403, lwa_error("access_denied")), Forbidden),
        (Answer(429, lwa_error("slow_down")), Throttled),
        (Answer(401, b"<html>no</html>", content_type="text/html"), Forbidden),
        (Answer(200, {"token_type": "bearer"}), MalformedAnswer),
        (Answer(200, b"<html></html>", content_type="text/html"), MalformedAnswer),
    ],
)
def test_a_refused_token_is_classified_and_not_asked_for_again(
    amazon: Loopback, client: Client, answer: Answer, kind: type[Exception]
) -> None:
    amazon.answer(TOKEN_PATH, answer)

    with pytest.raises(kind) as caught:
        get_order(client, "902-1")

    assert type(caught.value) is kind
    assert caught.value.operation == "getAccessToken"
    assert len(amazon.calls(TOKEN_PATH)) == 1
    assert amazon.calls(ORDER_PATH) == []


def test_a_revoked_grant_shows_when_the_token_is_renewed(
    amazon: Loopback, client: Client
) -> None:
    amazon.answer(ORDER_PATH, Answer(403, EXPIRED))
    amazon.answer(
        TOKEN_PATH, token_answer("Atza|1"), Answer(400, lwa_error("invalid_grant"))
    )

    with pytest.raises(ReauthorizationRequired) as caught:
        get_order(client, "902-1")

    assert "Authorize the app again" in caught.value.action


def test_a_token_server_in_trouble_is_tried_again(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(
        TOKEN_PATH,
        Answer(503, lwa_error("temporarily_unavailable")),
        Answer(500, b"", content_type="text/html"),
        Answer(instead="drop"),
        token_answer("Atza|at last"),
    )

    get_order(client, "902-1")

    assert tokens_used(amazon) == ["Atza|at last"]
    assert len(still_clock.sleeps) == 3


def test_a_token_server_that_stays_in_trouble_is_unavailable(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(TOKEN_PATH, Answer(503, lwa_error("server_error")))

    with pytest.raises(Unavailable) as caught:
        get_order(client, "902-1")

    assert len(amazon.calls(TOKEN_PATH)) == 5
    assert isinstance(caught.value, CallFailed)


def test_nothing_secret_is_shown() -> None:
    token = Token("Atza|secret", NOON)

    shown = repr(CREDENTIALS) + repr(token)

    assert "secret" not in shown
    assert "Atz" not in shown
    assert "amzn1.client" in shown
