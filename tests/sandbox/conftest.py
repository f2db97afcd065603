"""A sandbox whose clock stands still, and a plain HTTP client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    State,
    running_sandbox,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
US, CA, DE, GB, JP = (
    "ATVPDKIKX0DER",
    "A2EUQ1WTGCTBG2",
    "A1PA6795UKMFR9",
    "A1F83G8C2ARO7P",
    "A1VC38T7YXB528",
)

Move = Callable[[timedelta], None]


class Caller:
    """Speaks HTTP to the sandbox as one seller's application."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self._tokens: dict[str, str] = {}

    def token_request(self, **fields: str) -> requests.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": "Atzr|sandbox-NA",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            **fields,
        }
        return self.session.post(
            self.sandbox.lwa_url, data={k: v for k, v in form.items() if v != "-"}
        )

    def token(self, region: str = "NA", *, is_new: bool = False) -> str:
        if is_new or region not in self._tokens:
            answer = self.token_request(refresh_token=f"Atzr|sandbox-{region}")
            self._tokens[region] = answer.json()["access_token"]
        return self._tokens[region]

    def call(
        self, method: str, path: str, *, region: str = "NA", **options: Any
    ) -> requests.Response:
        headers = {"x-amz-access-token": self.token(region)}
        headers |= options.pop("headers", {})
        return self.session.request(
            method, self.sandbox.url + path, headers=headers, **options
        )

    def search(self, *, region: str = "NA", **parameters: Any) -> requests.Response:
        """searchOrders; by default everything of the last two years."""
        if not any(name.endswith("After") for name in parameters):
            parameters["lastUpdatedAfter"] = "2024-11-23T00:00:00Z"
        return self.call(
            "GET", "/orders/2026-01-01/orders", region=region, params=parameters
        )

    def found(self, **parameters: Any) -> list[str]:
        """The ids on the one page that a search gives."""
        answer = self.search(**parameters)
        assert answer.status_code == 200, answer.text
        assert "pagination" not in answer.json()
        return [order["orderId"] for order in answer.json()["orders"]]

    def get(
        self, order_id: str, included_data: str = "", *, region: str = "NA"
    ) -> requests.Response:
        return self.call(
            "GET",
            f"/orders/2026-01-01/orders/{order_id}",
            region=region,
            params={"includedData": included_data} if included_data else {},
        )

    def confirm(
        self, order_id: str, body: Any, *, region: str = "NA", **options: Any
    ) -> requests.Response:
        return self.call(
            "POST",
            f"/orders/v0/orders/{order_id}/shipmentConfirmation",
            region=region,
            json=body,
            **options,
        )

    def control(self, method: str, path: str, data: Any = None) -> Any:
        answer = self.session.request(
            method, f"{self.sandbox.url}/_sandbox/{path}", json=data
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def errors(answer: requests.Response) -> list[tuple[str, str]]:
    """The code and message of each error in an answer."""
    return [(error["code"], error["message"]) for error in answer.json()["errors"]]


@pytest.fixture
def move() -> Iterator[Move]:
    """Stops the clock at NOW; the function moves it on."""
    with clock.frozen(NOW) as step:
        yield step


@pytest.fixture
def sandbox(move: Move) -> Iterator[Sandbox]:
    with running_sandbox(usage_plans=False) as sandbox:
        yield sandbox


@pytest.fixture
def state(sandbox: Sandbox) -> State:
    return sandbox.state


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    caller = Caller(sandbox)
    yield caller
    caller.session.close()
