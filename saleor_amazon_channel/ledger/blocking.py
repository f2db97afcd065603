"""The rows of what blocks orders, always in step with ``AmazonOrder.blockers``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .. import __version__
from ..models import AmazonOrder, OrderBlocker
from ..store.contract import Blocker


def replace(
    blocked: Iterable[tuple[AmazonOrder, Sequence[Blocker]]],
    freed: Iterable[AmazonOrder] = (),
) -> None:
    """Write why these orders are blocked, and forget it of those that are not any more;
    in two queries."""
    blocked = list(blocked)
    orders = [*(order.pk for order, _ in blocked), *(order.pk for order in freed)]
    if orders:
        OrderBlocker.objects.filter(order__in=orders).delete()
    OrderBlocker.objects.bulk_create(
        OrderBlocker(
            order=order,
            account_id=order.account_id,
            marketplace_id=order.marketplace_id,
            code=blocker.code.value,
            subject=blocker.subject[:255],
            message=blocker.message,
            units_needed=blocker.units_needed,
            judged_by=__version__,
        )
        for order, blockers in blocked
        for blocker in blockers
    )
