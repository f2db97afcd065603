"""Carrying what Amazon told into the shop, one row at a time.

Each is a transaction of its own. What fails unexpectedly is put off and tried again
until it succeeds, and holds up no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from .. import failures

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

BATCH_SIZE = 50
#: How long what failed unexpectedly rests.
RETRY_AFTER = timedelta(seconds=15)


def one_by_one(
    due: Callable[[], QuerySet[Row]],
    act: Callable[[Row], None],
    what: str,
    put_off: Callable[[QuerySet[Row]], object],
) -> None:
    """``act`` on each row that is due, until none is. Acting on a row, or putting it
    off after a failure, must make it due no more."""
    while True:
        ids = list(due().values_list("pk", flat=True)[:BATCH_SIZE])
        if not ids:
            return
        for pk in ids:
            rows = due().model._default_manager.filter(pk=pk)
            row = rows.get()
            try:
                with transaction.atomic():
                    act(row)
            except Exception as error:  # noqa: BLE001
                # Whatever it is, it must not hold up the neighbours.
                failures.log(logger, f"{row}: {what}", error)
                put_off(rows)
