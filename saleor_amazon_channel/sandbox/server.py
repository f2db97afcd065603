"""The sandbox as an HTTP server: what happens around an operation's handler.

In the order of Amazon's front end: HTTP itself, the access token, the route, the usage
plan, then the operation. ``/auth/o2/token`` is the token server, ``/_sandbox/`` the
control API. A first path segment ``/na``, ``/eu`` or ``/fe`` makes the server behave
as that region's endpoint, which refuses sellers of other regions; without it the server
is every region's endpoint at once.

One thread per connection, HTTP/1.1 with keep-alive, loopback only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .. import clock
from . import control, feeds, lwa, uploads
from .calls import Answer, Call
from .errors import (
    HTML_BAD_REQUEST,
    InvalidInput,
    LwaRefusal,
    QuotaExceeded,
    Refusal,
    TooLarge,
    Unauthorized,
    error_body,
)
from .faults import LWA_OPERATION, Fault
from .routes import find_operation
from .state import Account, State

MOST_BODY_BYTES = 10 * 1024 * 1024
MOST_USER_AGENT_CHARACTERS = 500
#: The parameters that carry on with a list.
_PAGE_TOKENS = ("paginationToken", "nextToken")
_REGION_PREFIXES = {"na": "NA", "eu": "EU", "fe": "FE"}

_BEFORE_EFFECT = {
    "throttled": (429, "QuotaExceeded", QuotaExceeded.message),
    "internal_failure": (
        500,
        "InternalFailure",
        "We encountered an internal error. Please try again.",
    ),
    "unavailable": (503, "ServiceUnavailable", "Service is temporarily unavailable."),
    "unauthorized": (403, "Unauthorized", Unauthorized.message),
}


@dataclass(slots=True)
class _Reply:
    """What goes over the wire, and how: ``fault`` may swallow it."""

    status: int
    body: bytes
    request_id: str
    content_type: str = "application/json"
    rate: float | None = None
    fault: Fault | None = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0 or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(_html_bad_request())
            return
        if length > MOST_BODY_BYTES:
            self.close_connection = True
            self._send(_refused(TooLarge(), _new_request_id()))
            return
        body = self.rfile.read(length) if length else b""
        reply = self._reply(body)
        fault = reply.fault.kind if reply.fault else None
        if fault in ("reset_before_effect", "close_after_effect"):
            self._drop(is_reset=fault == "reset_before_effect")
            return
        if reply.fault and fault in ("slow", "hold_after_effect"):
            self._wait_for_client_to_leave(reply.fault.seconds)
            if fault == "hold_after_effect":
                self._drop(is_reset=False)
                return
        self._send(reply)

    def _reply(self, body: bytes) -> _Reply:
        state = self.server.state
        url = urlsplit(self.path)
        path = unquote(url.path)
        if path.startswith("/_sandbox/"):
            if "Origin" in self.headers:
                # A page in a browser has no business here.
                return _refused(Unauthorized(), _new_request_id())
            status, data = control.answer(state, self.command, path, url.query, body)
            return _Reply(status, Answer(body=data).encoded(), _new_request_id())
        if path == lwa.PATH and self.command == "POST":
            return _token_reply(state, body, self.headers.get("Content-Type", ""))
        if body and self.command == "GET":
            return _html_bad_request()
        if path.startswith((feeds.LINK_PREFIX, uploads.LINK_PREFIX)):
            return _link_reply(state, self.command, path, body, self.headers)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        return _operation_reply(
            state,
            self.command,
            path,
            pairs,
            body,
            token=self.headers.get("x-amz-access-token"),
            user_agent=self.headers.get("User-Agent", ""),
            content_type=self.headers.get("Content-Type", ""),
        )

    def _send(self, reply: _Reply) -> None:
        self.send_response_only(reply.status)
        self.send_header("x-amzn-RequestId", reply.request_id)
        # Best effort at Amazon: only where a request got through to the operation.
        if reply.rate is not None and reply.status in (200, 201, 202, 204, 400, 404):
            self.send_header("x-amzn-RateLimit-Limit", str(float(reply.rate)))
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def _wait_for_client_to_leave(self, seconds: float) -> None:
        """Up to real ``seconds``: socket time-outs are never simulated."""
        self.connection.settimeout(seconds or 0.001)
        with contextlib.suppress(OSError):
            self.connection.recv(1, socket.MSG_PEEK)
        self.connection.settimeout(None)

    def _drop(self, *, is_reset: bool) -> None:
        self.close_connection = True
        if is_reset:
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def send_error(self, *args: Any, **kwargs: Any) -> None:
        """Requests that break HTTP: Amazon's front end answers in HTML."""
        self.close_connection = True
        self.request_version = self.protocol_version  # else the headers are left out
        with contextlib.suppress(OSError):
            self._send(_html_bad_request())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: request lines hold order ids; the call log is in the state."""


def _new_request_id() -> str:
    return str(uuid.uuid4())


def _html_bad_request() -> _Reply:
    return _Reply(400, HTML_BAD_REQUEST, _new_request_id(), content_type="text/html")


def _refused(refusal: Refusal, request_id: str) -> _Reply:
    return _Reply(refusal.status, refusal.body(), request_id)


def _token_reply(state: State, body: bytes, content_type: str) -> _Reply:
    request_id = _new_request_id()
    seller_id = None
    with state.lock:
        fault = state.faults.take(LWA_OPERATION)
        kind = fault.kind if fault else None
        if kind == "reset_before_effect":
            reply = _Reply(0, b"", request_id)
        elif kind == "html_400":
            reply = _html_bad_request()
        else:
            try:
                lwa.answer_fault(fault)
                form = lwa.parse_form(body, content_type)
                answer, seller_id = lwa.issue_token(state, form)
                reply = _Reply(answer.status, answer.encoded(), request_id)
            except LwaRefusal as refusal:
                reply = _Reply(refusal.status, refusal.body(), request_id)
        reply.fault = fault
        state.log_call(
            LWA_OPERATION,
            reply.status,
            reply.request_id,
            seller_id=seller_id,
            fault=kind,
        )
    return reply


def _link_reply(
    state: State, method: str, path: str, body: bytes, headers: Message
) -> _Reply:
    """The stores that documents and files lie in: no SP-API, and no token."""
    with state.lock:
        if path.startswith(uploads.LINK_PREFIX):
            secret = path.removeprefix(uploads.LINK_PREFIX)
            answer = uploads.open_link(
                state, method, secret, headers, body, clock.now()
            )
        else:
            answer = feeds.open_link(
                state,
                method,
                path.removeprefix(feeds.LINK_PREFIX),
                headers.get("Content-Type", ""),
                body,
                clock.now(),
                has_token="x-amz-access-token" in headers,
            )
    return _Reply(
        answer.status,
        answer.encoded(),
        _new_request_id(),
        content_type="application/octet-stream",
    )


def _operation_reply(
    state: State,
    method: str,
    path: str,
    pairs: list[tuple[str, str]],
    body: bytes,
    *,
    token: str | None,
    user_agent: str,
    content_type: str,
) -> _Reply:
    request_id = _new_request_id()
    region, path = _split_region(path)
    found = find_operation(method, path)
    operation, values = found or (None, {})
    name = operation.name if operation else "unknown"
    order_id = values.get("orderId") or values.get("amazonOrderId")
    account: Account | None = None
    fault: Fault | None = None
    answer: Answer | None = None
    reply: _Reply
    with state.lock:
        try:
            if len(user_agent) > MOST_USER_AGENT_CHARACTERS:
                raise InvalidInput("The user-agent header is longer than 500.")
            access = state.access(token)
            account = state.account(access.seller_id) if access.seller_id else None
            if operation is None:
                # What Amazon's front end says to a path that leads nowhere.
                raise Unauthorized(details=f"There is no operation {method} {path}.")
            if access.scope != operation.grantless_scope:
                raise Unauthorized()
            if account and region and account.region != region:
                raise Unauthorized()
            fault = state.faults.take(
                name,
                access.seller_id,
                order_id,
                is_next_page=any(key in _PAGE_TOKENS for key, _ in pairs),
            )
            if fault and fault.kind == "reset_before_effect":
                reply = _Reply(0, b"", request_id, fault=fault)
            elif fault and fault.kind == "html_400":
                reply = _html_bad_request()
            elif fault and fault.kind in _BEFORE_EFFECT:
                status, code, message = _BEFORE_EFFECT[fault.kind]
                reply = _Reply(status, error_body(code, message), request_id)
            else:
                now = clock.now()
                if not state.plans.take(
                    access.client_id,
                    access.seller_id or "",
                    name,
                    operation.plan,
                    now,
                ):
                    raise QuotaExceeded()
                feeds.advance(state, now)
                call = Call(
                    state,
                    now,
                    values,
                    pairs,
                    content_type,
                    body,
                    account,
                    fault,
                    access.client_id,
                )
                answer = operation.handler(call)
                if fault and fault.kind == "failure_after_effect":
                    status, code, message = _BEFORE_EFFECT["internal_failure"]
                    reply = _Reply(status, error_body(code, message), request_id)
                else:
                    reply = _Reply(answer.status, b"", request_id, answer.content_type)
        except Refusal as refusal:
            reply = _refused(refusal, request_id)
        if operation and state.plans.is_enforced:
            reply.rate = state.plans.plan(name, operation.plan).rate
        reply.fault = fault
        state.log_call(
            name,
            reply.status,
            reply.request_id,
            seller_id=account.seller_id if account else None,
            order_id=order_id,
            fault=fault.kind if fault else None,
        )
    if answer is not None and answer.status == reply.status:
        # Outside the lock: versions of orders never change, and this takes longest.
        reply.body = answer.encoded()
    return reply


def _split_region(path: str) -> tuple[str | None, str]:
    first, _, rest = path[1:].partition("/")
    region = _REGION_PREFIXES.get(first)
    return (region, "/" + rest) if region else (None, path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; anything else is a bug: show it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Sandbox:
    """A running sandbox: ``url`` is SP-API endpoint, ``lwa_url`` the token endpoint."""

    def __init__(self, state: State, port: int = 0) -> None:
        self.state = state
        self._server = _Server(state, port)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        state.base_url = self.url
        self.lwa_url = self.url + lwa.PATH
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
        self.state.notifications.close()

    def wait(self) -> None:
        """Until the server stops."""
        self._thread.join()


@contextmanager
def running_sandbox(
    orders: Iterable[dict[str, Any]] = (),
    *,
    usage_plans: bool = True,
    port: int = 0,
) -> Iterator[Sandbox]:
    """A sandbox in a thread of this process, with one account per region.

    ``sandbox.state`` may be used directly, also while requests are running.
    """
    state = State(usage_plans=usage_plans)
    state.put_orders(orders)
    sandbox = Sandbox(state, port)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
