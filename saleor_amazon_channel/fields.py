"""Model fields whose content is encrypted at rest (Fernet: AES-128-CBC + HMAC).

Amazon's Data Protection Policy asks for AES-128 or better for buyer data at rest, with
the keys kept apart from the data: they come from the environment (``conf``).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from .conf import app_settings


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "AMAZON_CHANNEL_ENCRYPTION_KEYS holds something that is not a Fernet key "
            "(32 bytes, URL-safe base64)."
        ) from error


def encrypt(text: str) -> str:
    """Encrypt with the first key. Raises ImproperlyConfigured without keys."""
    return encrypt_bytes(text.encode()).decode()


def encrypt_bytes(content: bytes) -> bytes:
    """The same for bytes."""
    return _cipher(tuple(app_settings.ENCRYPTION_KEYS)).encrypt(content)


def decrypt(token: str) -> str:
    """Decrypt with whichever key fits. Raises ImproperlyConfigured if none does."""
    return decrypt_bytes(token.encode()).decode()


def decrypt_bytes(token: bytes) -> bytes:
    """The same for bytes."""
    try:
        return _cipher(tuple(app_settings.ENCRYPTION_KEYS)).decrypt(token)
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored value cannot be decrypted: the key it was encrypted with is "
            "missing from AMAZON_CHANNEL_ENCRYPTION_KEYS."
        ) from error


def is_current(token: bytes) -> bool:
    """Whether it was encrypted with the first key, which encrypts what is new."""
    try:
        _cipher((app_settings.ENCRYPTION_KEYS[0],)).decrypt(token)
    except InvalidToken:
        return False
    return True


def rotated(token: bytes) -> bytes | None:
    """The same content, encrypted with the first key; None if no key fits."""
    try:
        return _cipher(tuple(app_settings.ENCRYPTION_KEYS)).rotate(token)
    except InvalidToken:
        return None


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database; an empty string stays empty."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(str(value)) if value else value


if TYPE_CHECKING:
    _TextOfAnything = models.TextField[Any, Any]
else:
    _TextOfAnything = models.TextField


class EncryptedJSONField(_TextOfAnything):
    """JSON that is encrypted in the database as one text; empty is ``{}``."""

    if TYPE_CHECKING:
        # What django-stubs take for the type that a row is made with.
        _pyi_private_set_type: Any

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        return json.loads(decrypt(value)) if value else {}

    def get_prep_value(self, value: Any) -> str:
        return encrypt(json.dumps(value, separators=(",", ":"))) if value else ""


class EncryptedBinaryField(models.BinaryField):
    """Bytes that are encrypted in the database; none stay none."""

    def from_db_value(self, value: Any, *_: Any) -> bytes:
        return decrypt_bytes(bytes(value)) if value else b""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt_bytes(bytes(value)) if value else b""


ENCRYPTED = (EncryptedTextField, EncryptedJSONField, EncryptedBinaryField)
