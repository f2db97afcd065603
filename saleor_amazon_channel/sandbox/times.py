"""Amazon's date-times: ISO 8601 with a time zone, UTC with milliseconds in answers.

Source: SP-API documentation "ISO 8601"; the models' ``format: date-time``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.ASCII
)


def format_time(moment: datetime) -> str:
    """``2026-11-22T10:15:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(text: str) -> datetime:
    """An aware datetime in UTC; ValueError for anything but a full date-time.

    A date without a time, or a time without a zone, is not a ``date-time``.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not an ISO 8601 date-time with a time zone")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is in no year that there is") from None
