"""How an unexpected failure is logged: what and where, never the exception's own text.

An exception's message may quote a row of the database, and with it the buyer's data.
"""

from __future__ import annotations

import logging
import traceback


def log(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log that ``what`` failed, with the error's type and its traceback."""
    logger.error(
        "%s failed with %s\n%s",
        what,
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )
