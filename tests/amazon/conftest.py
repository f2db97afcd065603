"""A scripted server on loopback that plays Amazon, and a client for it.

The answers are Amazon's as its models and documentation show them; the stateful
sandbox, which follows Amazon's rules by itself, is tested against the client elsewhere.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.auth import Credentials, InMemoryTokenCache
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.throttle import InMemoryBudget

TOKEN_PATH = "/auth/o2/token"
CREDENTIALS = Credentials("amzn1.client", "the-client-secret", "Atzr|the-refresh-token")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Answer:
    """``instead``: "drop" closes the connection after the request arrived, "hang"
    keeps the caller waiting until the server stops."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    instead: str = ""


@dataclass
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


class Loopback:
    """Gives the scripted answers in turn; the last one for a path stays."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.stopping = threading.Event()
        self._script: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self.tokens_given = 0
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, *answers: Answer) -> None:
        self._script[path] = list(answers)

    def calls(self, path: str) -> list[Received]:
        return [call for call in self.received if call.path == path]

    def _next(self, received: Received) -> Answer:
        with self._lock:
            self.received.append(received)
            script = self._script.get(received.path)
            if script:
                return script.pop(0) if len(script) > 1 else script[0]
            if received.path == TOKEN_PATH:
                self.tokens_given += 1
                return token_answer(f"Atza|token-{self.tokens_given}")
        return Answer(404, errors("NotFound", "nothing is scripted for this path"))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet per answer: two would wait for the delayed acknowledgement.
            wbufsize = -1

            def handle_one_exchange(self) -> None:
                url = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                answer = loopback._next(
                    Received(
                        self.command,
                        url.path,
                        {name: v[0] for name, v in parse_qs(url.query).items()},
                        {name.lower(): v for name, v in self.headers.items()},
                        self.rfile.read(length).decode(),
                    )
                )
                if answer.instead:
                    if answer.instead == "hang":
                        loopback.stopping.wait(20)
                    self.close_connection = True
                    return
                body = answer.body
                if not isinstance(body, bytes):
                    body = b"" if body is None else json.dumps(body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("content-type", answer.content_type)
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = handle_one_exchange

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def token_answer(value: str, expires_in: int = 3600) -> Answer:
    return Answer(
        body={
            "access_token": value,
            "token_type": "bearer",
            "expires_in": expires_in,
            "refresh_token": CREDENTIALS.refresh_token,
        }
    )


def errors(code: str, message: str, details: str = "") -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message, "details": details}]}


@pytest.fixture
def amazon() -> Iterator[Loopback]:
    loopback = Loopback()
    yield loopback
    loopback.stop()


@pytest.fixture
def new_client(amazon: Loopback) -> Iterator[Callable[..., Client]]:
    """A factory: clients with their own budget and tokens, unless given some."""
    clients = []

    def make(**options: Any) -> Client:
        client = Client(
            options.pop("endpoint", amazon.url),
            options.pop("lwa_endpoint", amazon.url + TOKEN_PATH),
            options.pop("credentials", CREDENTIALS),
            options.pop("budget", None) or InMemoryBudget(),
            options.pop("token_cache", None) or InMemoryTokenCache(),
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(new_client: Callable[..., Client]) -> Client:
    return new_client()


@dataclass
class StillClock:
    """Time that passes only by ``move`` and by the package's own sleeping."""

    move: Callable[[timedelta], None]
    sleeps: list[float]


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[StillClock]:
    with clock.frozen(NOON) as move:
        sleeps: list[float] = []

        def sleep(seconds: float) -> None:
            sleeps.append(seconds)
            move(timedelta(seconds=seconds))

        monkeypatch.setattr(clock, "sleep", sleep)
        yield StillClock(move, sleeps)
