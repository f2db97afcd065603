"""Django settings of the stand-alone shop: for trying and for fast tests only."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.fernet import Fernet


def database(url: str) -> dict[str, object]:
    """A DATABASE_URL in Django's form."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A socket directory comes as ?host=/path.
        "HOST": parts.hostname or query.get("host", [""])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgresql:///"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.postgres",
    "saleor_amazon_channel",
    "saleor_amazon_channel.standalone",
]
ROOT_URLCONF = "saleor_amazon_channel.standalone.urls"
USE_TZ = True
TIME_ZONE = "UTC"
SECRET_KEY = os.environ.get("SECRET_KEY", "the stand-alone shop guards nothing")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

# A key that lives as long as the process, where the operator gave none.
AMAZON_CHANNEL_ENCRYPTION_KEYS = os.environ.get(
    "AMAZON_CHANNEL_ENCRYPTION_KEYS", Fernet.generate_key().decode()
)
