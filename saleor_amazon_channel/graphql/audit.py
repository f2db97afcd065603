"""Who was shown buyers' data: one line of the log for each request that shows some.

The line names who asked, the fields and the orders, and nothing of a buyer. It is
written when all of the request has been resolved, and nothing goes to the database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger("saleor_amazon_channel.audit")

_ATTRIBUTE = "amazon_buyer_data_shown"


class _Shown:
    def __init__(self) -> None:
        self.who = ""
        self.fields: set[str] = set()
        # In order, each once.
        self.order_ids: dict[str, None] = {}

    def write(self) -> None:
        logger.info(
            "buyer data shown to %s: %s of %s Amazon orders: %s",
            self.who,
            ", ".join(sorted(self.fields)),
            len(self.order_ids),
            ", ".join(self.order_ids),
        )


@contextmanager
def request(context: Any) -> Iterator[None]:
    """Around the execution of a GraphQL request."""
    shown = _Shown()
    setattr(context, _ATTRIBUTE, shown)
    try:
        yield
    finally:
        delattr(context, _ATTRIBUTE)
        if shown.fields:
            shown.write()


def note(context: Any, who: str, field: str, amazon_order_id: str) -> None:
    """A field with buyer's data goes into the answer."""
    # Where nobody writes the line at the end, better too many lines than none.
    is_written_later = hasattr(context, _ATTRIBUTE)
    shown: _Shown = getattr(context, _ATTRIBUTE) if is_written_later else _Shown()
    shown.who = who
    shown.fields.add(field)
    shown.order_ids[amazon_order_id] = None
    if not is_written_later:
        shown.write()
