"""Login with Amazon (LWA): access tokens for SP-API.

An access token lives an hour. It is cached, renewed a minute early, and fetched by one
worker at a time: the others wait for its result. Source: SP-API documentation,
"Connect to the SP-API" and "Grantless operations".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from saleor_amazon_channel import clock

GET_ACCESS_TOKEN = "getAccessToken"  # noqa: S105 - our name of the operation

#: The scope of grantless operations of the Notifications API.
NOTIFICATIONS_SCOPE = "sellingpartnerapi::notifications"

RENEW_EARLY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of one app, and one seller's grant to it."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells changed credentials from those a cached token was made with."""
        parts = (self.client_id, self.client_secret, self.refresh_token)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def form(self, scope: str) -> dict[str, str]:
        """The token request: for the seller, or grantless when there is a scope."""
        grant = (
            {"grant_type": "client_credentials", "scope": scope}
            if scope
            else {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        )
        return {
            **grant,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        return clock.now() < self.expires_at - RENEW_EARLY


class TokenCache(Protocol):
    """The access tokens of one account, shared by everybody who calls for it."""

    def get(self, scope: str, fingerprint: str) -> Token | None:
        """The fresh token made with these credentials, if there is one."""
        ...

    def renew(
        self,
        scope: str,
        fingerprint: str,
        stale: Token | None,
        fetch: Callable[[], Token],
    ) -> Token:
        """A token other than ``stale``: another worker's, or what ``fetch`` gives.

        Of several callers at the same time one fetches, the others wait and take its
        token. What ``fetch`` raises goes to its caller, and the next one tries.
        """
        ...


class InMemoryTokenCache:
    """The tokens of a single process: for tests, and for an account not yet saved."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}
        self._lock = threading.Lock()

    def get(self, scope: str, fingerprint: str) -> Token | None:
        token = self._tokens.get((scope, fingerprint))
        return token if token and token.is_fresh else None

    def renew(
        self,
        scope: str,
        fingerprint: str,
        stale: Token | None,
        fetch: Callable[[], Token],
    ) -> Token:
        with self._lock:
            token = self.get(scope, fingerprint)
            if token is None or token == stale:
                token = fetch()
                self._tokens[scope, fingerprint] = token
            return token
