"""One seller account's connection to SP-API: tokens, budget, tries, errors, logging.

Source of the request form: SP-API documentation, "Connect to the SP-API" and "Include a
User-Agent header" (requests are no longer signed with SigV4 since October 2023).
"""

from __future__ import annotations

import logging
import platform
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import metadata
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from saleor_amazon_channel import clock

from .auth import GET_ACCESS_TOKEN, Credentials, Token, TokenCache
from .errors import (
    CallFailed,
    ErrorDetail,
    Forbidden,
    InvalidRequest,
    MalformedAnswer,
    Throttled,
    Unavailable,
    UnknownOutcome,
    failure,
    read_errors,
)
from .throttle import USAGE_PLANS, Budget, Patience, acquire, back_off_seconds

logger = logging.getLogger(__name__.rpartition(".")[0])

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
TRIES = 5
BACK_OFF_SECONDS = 0.25

#: The first steps of a back-off after 429; Amazon advises six at most.
THROTTLED_STEPS = 6

#: When a call that failed in spite of its tries is worth another.
UNAVAILABLE_SECONDS = 30.0

MAX_USER_AGENT_LENGTH = 500

_NO_ANSWER = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


def user_agent(app_name: str = "saleor-amazon-channel") -> str:
    """In Amazon's form ``AppName/Version (Language=…; Platform=…)``."""
    try:
        version = metadata.version("saleor-amazon-channel")
    except metadata.PackageNotFoundError:
        version = "0"
    language = f"Python/{platform.python_version()}"
    system = f"{platform.system()}/{platform.release()}"
    text = f"{app_name}/{version} (Language={language}; Platform={system})"
    return text[:MAX_USER_AGENT_LENGTH]


class Client:
    """Calls SP-API for one seller account.

    Not to be shared by threads. ``budget`` and ``token_cache`` are what is shared.
    A caller somebody waits for gives a short ``read_timeout`` and fewer ``tries``.
    """

    def __init__(
        self,
        endpoint: str,
        lwa_endpoint: str,
        credentials: Credentials,
        budget: Budget,
        token_cache: TokenCache,
        *,
        agent: str | None = None,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
        tries: int = TRIES,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._lwa_endpoint = lwa_endpoint
        self._credentials = credentials
        self._budget = budget
        self._token_cache = token_cache
        self._timeout = (connect_timeout, read_timeout)
        self._tries = tries
        self._tokens: dict[str, Token] = {}
        self._learned: dict[str, float] = {}
        self._session = requests.Session()
        self._session.headers["user-agent"] = agent or user_agent()
        # The second is what Messaging and Solicitations answer with.
        self._session.headers["accept"] = "application/json, application/hal+json"

    def __repr__(self) -> str:
        return f"<Client {urlsplit(self._endpoint).netloc}>"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        max_wait_seconds: float = 0,
        idempotent: bool,
        scope: str = "",
        parse_float: Callable[[str], Any] = float,
    ) -> Any:
        """Send one call and give the JSON of its answer; None if it has no body.

        ``max_wait_seconds`` is for waiting on Amazon's usage plan, all in all; beyond
        it ``BudgetExhausted`` or ``Throttled`` say when. ``idempotent``: sending it
        twice does what sending it once does, so it is tried again when Amazon fails or
        does not answer; else that is ``UnknownOutcome``. ``scope`` makes the call
        grantless. ``parse_float`` reads numbers with a point in the answer. Raises
        ``CallFailed`` and ``MalformedAnswer``.
        """
        plan = USAGE_PLANS[operation]
        patience = Patience(max_wait_seconds)
        token, is_renewed = self._token(scope), False
        failed = throttled = 0
        while True:
            acquire(self._budget, operation, plan, patience)
            try:
                response = self._send(
                    operation,
                    method,
                    self._endpoint + path,
                    is_repeatable=idempotent,
                    params=params,
                    json=json,
                    headers={
                        "x-amz-access-token": token.value,
                        "x-amz-date": clock.now().strftime("%Y%m%dT%H%M%SZ"),
                    },
                )
            except Forbidden as error:
                if is_renewed or not _is_token_refused(error):
                    raise
                token, is_renewed = self._token(scope, stale=token), True
            except Throttled as error:
                pause = back_off_seconds(min(throttled, THROTTLED_STEPS), 1)
                wait = self._budget.penalize(operation, plan, pause)
                error.available_at = clock.now() + timedelta(seconds=wait)
                throttled += 1
                if not patience.allows(wait):
                    raise
            except Unavailable:
                failed += 1
                if not idempotent or failed >= self._tries:
                    raise
                clock.sleep(back_off_seconds(failed, BACK_OFF_SECONDS))
            else:
                self._learn(operation, response)
                return _body(operation, response, parse_float)

    def transfer(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send to, or read from, a link that Amazon gave: a feed's document, a file.

        The link is signed by itself and belongs to another host: the access token must
        not go there. It lives five minutes, so its refusal is ``Unavailable``: a fresh
        link may do. Raises ``CallFailed``.
        """
        failed = 0
        while True:
            try:
                response = self._send(
                    operation,
                    method,
                    url,
                    is_repeatable=True,
                    data=content,
                    headers=headers or {},
                )
            except Unavailable:
                failed += 1
                if failed >= self._tries:
                    raise
                clock.sleep(back_off_seconds(failed, BACK_OFF_SECONDS))
            except CallFailed as error:
                # The words of that host may quote the link: they are not kept.
                raise Unavailable(
                    operation,
                    clock.now() + timedelta(seconds=UNAVAILABLE_SECONDS),
                    status=error.status,
                    errors=(ErrorDetail("", "the link is not accepted any more"),),
                ) from None
            else:
                return response.content

    def _token(self, scope: str, stale: Token | None = None) -> Token:
        token = self._tokens.get(scope)
        if token is None or token == stale or not token.is_fresh:
            fingerprint = self._credentials.fingerprint
            token = None if stale else self._token_cache.get(scope, fingerprint)
            token = token or self._token_cache.renew(
                scope, fingerprint, stale, lambda: self._fetch_token(scope)
            )
            self._tokens[scope] = token
        return token

    def _fetch_token(self, scope: str) -> Token:
        form = self._credentials.form(scope)
        failed = 0
        while True:
            asked_at = clock.now()
            try:
                response = self._send(
                    GET_ACCESS_TOKEN,
                    "POST",
                    self._lwa_endpoint,
                    is_repeatable=True,
                    data=form,
                )
            except Unavailable:
                failed += 1
                if failed >= self._tries:
                    raise
                clock.sleep(back_off_seconds(failed, BACK_OFF_SECONDS))
            else:
                answer = _body(GET_ACCESS_TOKEN, response)
                try:
                    lifetime = timedelta(seconds=float(answer["expires_in"]))
                    return Token(str(answer["access_token"]), asked_at + lifetime)
                except (KeyError, TypeError, ValueError):
                    raise MalformedAnswer(
                        GET_ACCESS_TOKEN, "the answer has no token"
                    ) from None

    def _send(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        is_repeatable: bool,
        **request: Any,
    ) -> requests.Response:
        """One HTTP exchange: a successful answer, or the classified failure."""
        try:
            # Redirects would carry the token to another host; Amazon sends none.
            response = self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, **request
            )
        except _NO_ANSWER as error:
            raise _no_answer(operation, error, is_repeatable) from None
        except requests.RequestException as error:
            # An address or a header that cannot be sent. Its text may have the token.
            problem = ErrorDetail("", f"cannot be sent ({type(error).__name__})")
            raise InvalidRequest(operation, errors=(problem,)) from None
        request_id = response.headers.get("x-amzn-RequestId", "")
        logger.debug(
            "%s: %s in %d ms, request %s",
            operation,
            response.status_code,
            response.elapsed.total_seconds() * 1000,
            request_id or "without id",
        )
        if 200 <= response.status_code < 300:
            return response
        errors = read_errors(
            response.content, response.headers.get("content-type", "").lower()
        )
        if response.status_code in (400, 404) and operation in USAGE_PLANS:
            self._learn(operation, response)
        raise failure(
            operation,
            response.status_code,
            errors,
            request_id,
            is_repeatable=is_repeatable,
            available_at=clock.now() + timedelta(seconds=UNAVAILABLE_SECONDS),
        )

    def _learn(self, operation: str, response: requests.Response) -> None:
        """Keep the rate Amazon states; it is absent as often as not."""
        try:
            rate = float(response.headers.get("x-amzn-RateLimit-Limit", ""))
        except ValueError:
            return
        if rate > 0 and self._learned.get(operation) != rate:
            self._budget.learn(operation, USAGE_PLANS[operation], rate)
            self._learned[operation] = rate


def _is_token_refused(error: Forbidden) -> bool:
    """403 stands for much else; when it is about the token Amazon says so."""
    return error.status == 401 or any(
        "token" in str(detail).lower() for detail in error.errors
    )


def _no_answer(
    operation: str, error: Exception, is_repeatable: bool
) -> Unavailable | UnknownOutcome:
    # The text of these exceptions has the URL with all its parameters: not kept.
    name = type(error).__name__
    logger.debug("%s: no answer, %s", operation, name)
    errors = (ErrorDetail("", f"no answer ({name})"),)
    if is_repeatable or not _may_have_arrived(error):
        available_at = clock.now() + timedelta(seconds=UNAVAILABLE_SECONDS)
        return Unavailable(operation, available_at, errors=errors)
    return UnknownOutcome(operation, errors=errors)


def _may_have_arrived(error: Exception) -> bool:
    """False only where the connection was never made."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return False
    cause = error.args[0] if error.args else None
    return not isinstance(getattr(cause, "reason", None), NewConnectionError)


#: What JSON can escape and no database keeps as text: NUL, and halves of a character.
#: Whole characters may be escaped as two halves: this only says that a look is due.
_UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


def _body(
    operation: str,
    response: requests.Response,
    parse_float: Callable[[str], Any] = float,
) -> Any:
    if response.status_code == 204 or not response.content:
        return None
    try:
        body = response.json(parse_float=parse_float)
    except ValueError:
        raise MalformedAnswer(operation, "the answer is not JSON") from None
    return _storable(body) if _UNSTORABLE.search(response.content) else body


def _storable(value: Any) -> Any:
    """``value`` without what would make one odd name cost a page of orders."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {name: _storable(one) for name, one in value.items()}
    return value
