"""Who asks: access tokens of the stand-alone shop, with Saleor's claim names.

Made for one run of the shop, with a secret of its own: JSON Web Tokens signed with
HS256, in the header ``Authorization: Bearer`` (or Saleor's ``Authorization-Bearer``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import jwt

from .. import clock
from .host import Identity, Permission

ALGORITHM = "HS256"
ISSUER = "stand-alone shop"
LIFETIME = timedelta(days=1)


class InvalidToken(Exception):
    """The token is none of this run's, or has expired."""


@dataclass(frozen=True)
class Person:
    """A user or an app of the shop, by the name of its token."""

    name: str
    is_app: bool = False
    is_staff: bool = False
    permissions: tuple[str, ...] = ()


_ALL = tuple(permission.name for permission in Permission)

#: Everybody the shop knows; who sends no token is anonymous.
PEOPLE = {
    "customer": Person("customer@stand-alone-shop.invalid"),
    "staff_without_permissions": Person(
        "trainee@stand-alone-shop.invalid", is_staff=True
    ),
    "staff": Person("staff@stand-alone-shop.invalid", is_staff=True, permissions=_ALL),
    # For the pages, which show each of them only what is theirs.
    "order_staff": Person(
        "orders@stand-alone-shop.invalid",
        is_staff=True,
        permissions=(Permission.MANAGE_ORDERS.name,),
    ),
    "app_without_permissions": Person("An app", is_app=True),
    "app": Person("Amazon helper", is_app=True, permissions=_ALL),
}


class Tokens:
    """The tokens of one run."""

    def __init__(self, secret: str = "") -> None:
        self._secret = secret or secrets.token_urlsafe(32)

    def mint(self, person: Person, lifetime: timedelta = LIFETIME) -> str:
        now = clock.now()
        claims: dict[str, object] = {
            "iat": now,
            "exp": now + lifetime,
            "iss": ISSUER,
            "owner": "standalone",
            "type": "thirdparty" if person.is_app else "access",
            "is_staff": person.is_staff,
            "permissions": list(person.permissions),
            "user_permissions": list(person.permissions),
        }
        claims["app" if person.is_app else "email"] = person.name
        return jwt.encode(claims, self._secret, ALGORITHM)

    def mint_all(self) -> dict[str, str]:
        return {name: self.mint(person) for name, person in PEOPLE.items()}

    def identity(self, headers: Mapping[str, str]) -> Identity | None:
        """Who sent these headers; None is anonymous. Raises InvalidToken."""
        given = headers.get("Authorization-Bearer", "")
        if not given:
            scheme, _, given = headers.get("Authorization", "").partition(" ")
            if scheme.lower() not in ("bearer", "jwt"):
                return None
        try:
            claims = jwt.decode(
                given,
                self._secret,
                [ALGORITHM],
                issuer=ISSUER,
                # Against our clock, below, and not the system's.
                options={
                    "require": ["exp", "type"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken("Invalid token.") from error
        if claims["exp"] <= clock.now().timestamp():
            raise InvalidToken("Signature has expired.")
        return Identity(
            name=claims.get("app") or claims.get("email", ""),
            permissions=frozenset(claims["permissions"]),
        )


#: Of this process.
TOKENS = Tokens()
