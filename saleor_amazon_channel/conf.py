"""The operator's settings, read late so that tests and reloads can change them.

Each is looked up in Django's settings first, then in the environment, under the same
name. What a store admin changes at run time is in ``models.ChannelSettings`` instead.
"""

from __future__ import annotations

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: What a store admin may choose. Amazon gives one call back in 179 s; more often than
#: that only meets its throttle.
MIN_PULL_MINUTES = 3
MAX_PULL_MINUTES = 24 * 60


YES = ("1", "true", "yes", "on")
NO = ("0", "false", "no", "off")


class AppSettings:
    """Typed access to the ``AMAZON_CHANNEL_*`` settings; defaults are here."""

    prefix = "AMAZON_CHANNEL_"

    def raw(self, name: str) -> object | None:
        value = getattr(settings, self.prefix + name, None)
        return os.environ.get(self.prefix + name) if value is None else value

    @property
    def ENCRYPTION_KEYS(self) -> list[str]:
        """Fernet keys: the first encrypts, all decrypt. A list, or comma-separated.

        Raises ImproperlyConfigured when there is none.
        """
        value = self.raw("ENCRYPTION_KEYS")
        keys = value.split(",") if isinstance(value, str) else list(value or [])  # type: ignore[call-overload]
        keys = [key.strip() for key in keys if key.strip()]
        if not keys:
            raise ImproperlyConfigured(
                "AMAZON_CHANNEL_ENCRYPTION_KEYS is not set. Make a key with "
                "'python -c \"from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())\"' and set it in the "
                "environment of every Saleor process (web, worker, beat)."
            )
        return keys

    @property
    def CELERY_QUEUE_NAME(self) -> str | None:
        """The Celery queue of our tasks; Celery's default queue when not set."""
        value = self.raw("CELERY_QUEUE_NAME")
        return str(value) if value else None

    @property
    def GUARD_CHECKOUTS(self) -> bool:
        """Whether Saleor's checkout is made to see allocations it waited for.

        Anything but a clear no is a yes, which is the safe side; ``checks`` warns of
        what is neither.
        """
        value = self.raw("GUARD_CHECKOUTS")
        return str(value).strip().lower() not in NO

    @property
    def INVOICE_FONTS(self) -> list[str]:
        """TrueType files for letters that invoices lack else, in order of preference.

        A list, or paths separated as in PATH.
        """
        value = self.raw("INVOICE_FONTS")
        paths = value.split(os.pathsep) if isinstance(value, str) else value or []
        return [str(path) for path in paths if str(path).strip()]  # type: ignore[attr-defined]

    @property
    def DASHBOARD_ORIGINS(self) -> list[str]:
        """The origins of the Dashboards that may show our pages in a frame.

        A list, or comma-separated. Empty: those that may use Saleor's API
        (``ALLOWED_GRAPHQL_ORIGINS``).
        """
        value = self.raw("DASHBOARD_ORIGINS")
        origins = value.split(",") if isinstance(value, str) else list(value or [])  # type: ignore[call-overload]
        return [origin.strip() for origin in origins if origin.strip()]


app_settings = AppSettings()
