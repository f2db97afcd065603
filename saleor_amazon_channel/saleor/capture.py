"""Notices what staff do with Amazon's orders, inside Saleor's own transaction.

Saleor writes an ``OrderEvent`` for each of these actions, through the ORM and in the
transaction of the action; a receiver on it therefore commits with the action or not at
all, where plugin hooks run after the commit and may be lost. What is missed all the
same (a crash where Saleor commits piecemeal, a failure of ours) the sweep finds.

A carrier has no field in Saleor. Staff give it as public metadata of the fulfillment,
under the key ``amazon.carrier``, at any time.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import starmap
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.signals import post_save
from saleor.core import JobStatus
from saleor.core.db.connection import allow_writer
from saleor.invoice.models import Invoice
from saleor.order import FulfillmentStatus, OrderEvents, OrderOrigin
from saleor.order.error_codes import OrderErrorCode
from saleor.order.models import Fulfillment, OrderEvent

from .. import failures, lifecycle
from ..conf import app_settings
from ..store import current as current_store
from ..store.contract import Shipment, ShippedLine
from . import actions
from .order_rows import CARRIER_KEY
from .store import position_of

logger = logging.getLogger(__name__)

#: Saleor has more in them than type checkers know of.
settings: Any = django_settings

WATCHED = frozenset(
    {
        OrderEvents.FULFILLMENT_FULFILLED_ITEMS,
        OrderEvents.TRACKING_UPDATED,
        OrderEvents.CANCELED,
    }
)

#: What Saleor answers for an action that is refused. A tracking number is not among
#: them: Saleor saved it before, there is nothing left to refuse.
_REFUSALS = {
    OrderEvents.FULFILLMENT_FULFILLED_ITEMS: OrderErrorCode.INVALID,
    OrderEvents.CANCELED: OrderErrorCode.CANNOT_CANCEL_ORDER,
}

#: In SQL, since staff wait for it, and composing it takes longer than running it.
_SHIPPED = f"""
    SELECT fulfillment.id, line.order_line_id, line.quantity,
        fulfillment.tracking_number, fulfillment.metadata ->> '{CARRIER_KEY}'
    FROM order_fulfillmentline AS line
    JOIN order_fulfillment AS fulfillment ON fulfillment.id = line.fulfillment_id
    WHERE line.id = ANY(%s) AND fulfillment.status = %s
    ORDER BY line.id
"""  # noqa: S608  nothing in it comes from outside


def connect() -> None:
    post_save.connect(
        on_order_event,
        sender=OrderEvent,
        dispatch_uid="saleor_amazon_channel.order_event",
    )
    post_save.connect(
        on_invoice, sender=Invoice, dispatch_uid="saleor_amazon_channel.invoice"
    )


def on_invoice(
    sender: Any, instance: Invoice, raw: bool = False, **kwargs: Any
) -> None:
    """An invoice was made or changed, by whomever: one that is ready goes to Amazon."""
    if not raw and instance.status == JobStatus.SUCCESS and instance.order_id:
        from . import invoices  # With what makes them, which few processes need.

        invoices.on_saved(instance)


def on_order_event(
    sender: Any, instance: OrderEvent, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    """Record what the event says about a package of an Amazon order, or refuse it.

    For an ordinary order of the shop this is a look at two attributes in memory: the
    events watched carry their order, and ours have the origin of a bulk import.

    Raises ValidationError, in Saleor's form, to refuse a fulfillment that Amazon cannot
    accept, or a cancellation that Amazon does not know of: Saleor rolls the action back
    and shows staff the reason.
    """
    if raw or not created or instance.type not in WATCHED:
        return
    if actions.is_under_way():
        return  # Amazon's doing, and no news to it.
    try:
        if instance.order.origin != OrderOrigin.BULK_CREATE:
            return
        if instance.type == OrderEvents.FULFILLMENT_FULFILLED_ITEMS:
            _record(partial(_shipped, instance))
        elif instance.type == OrderEvents.CANCELED:
            _check_cancellation(instance)
        else:
            _record(partial(_tracked, instance))
    except lifecycle.Refused as refusal:
        code = _REFUSALS.get(instance.type)
        if code is None:
            return
        raise ValidationError(
            {"order": ValidationError(str(refusal), code=code.value)}
        ) from refusal
    except Exception as error:  # noqa: BLE001  staff's action must not fail for it
        # The sweep finds it.
        failures.log(logger, f"order event {instance.pk}: capture", error)


def on_fulfillment_metadata(fulfillment: Fulfillment, requestor: Any) -> None:
    """Record a carrier that staff gave after shipping."""
    if CARRIER_KEY not in fulfillment.metadata:
        return
    try:
        _record(partial(_shipments, [fulfillment.pk], actor_of(requestor)))
    except lifecycle.Refused:
        return  # Amazon ships this order itself and needs no carrier from us.
    except Exception as error:  # noqa: BLE001  saved already, and others' hooks follow
        what = f"fulfillment {fulfillment.pk}: capture of its metadata"
        failures.log(logger, what, error)


def _record(shipments: Callable[[], Sequence[Shipment]]) -> None:
    # The savepoint keeps our failure from poisoning the transaction of staff.
    with allow_writer(), transaction.atomic():
        if lifecycle.record_shipments(shipments()):
            transaction.on_commit(_wake_push, robust=True)


def _check_cancellation(event: OrderEvent) -> None:
    with allow_writer(), transaction.atomic():
        lifecycle.check_cancellation(str(event.order_id))


def _shipped(event: OrderEvent) -> list[Shipment]:
    """The packages of a "fulfilled items" event, which names all of their lines.

    What the store's ``shipments`` would answer, without reading again what the event
    knows.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SHIPPED, [event.parameters["fulfilled_items"], FulfillmentStatus.FULFILLED]
        )
        rows = cursor.fetchall()
    units: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for fulfillment_id, line_id, quantity, *_ in rows:
        units[str(fulfillment_id)][str(line_id)] += quantity
    told = {str(row[0]): row[3:] for row in rows}
    return [
        Shipment(
            order_id=str(event.order_id),
            fulfillment_id=fulfillment_id,
            tracking_number=tracking_number,
            carrier=carrier or "",
            shipped_at=event.date,
            lines=tuple(starmap(ShippedLine, units[fulfillment_id].items())),
            actor=actor_of(event.user or event.app),
        )
        for fulfillment_id, (tracking_number, carrier) in told.items()
    ]


def _tracked(event: OrderEvent) -> list[Shipment]:
    return _shipments(
        Fulfillment.objects.filter(
            order_id=event.order_id,
            fulfillment_order=position_of(event.parameters["fulfillment"]),
        ).values_list("pk", flat=True),
        actor_of(event.user or event.app),
    )


def _shipments(fulfillment_ids: Iterable[int], actor: str) -> list[Shipment]:
    return [
        dataclasses.replace(shipment, actor=actor)
        for shipment in current_store().shipments([str(pk) for pk in fulfillment_ids])
    ]


def actor_of(requestor: Any) -> str:
    """Who did it, as the shop names them: a user's e-mail, an app's name."""
    return getattr(requestor, "email", "") or getattr(requestor, "name", "")


def _wake_push() -> None:
    """Send at once rather than at the next tick, where there is a worker to do it.

    Without a broker Celery would run the task here, in the request of staff.
    """
    if settings.CELERY_TASK_ALWAYS_EAGER or not settings.CELERY_BROKER_URL:
        return
    from .. import tasks

    tasks.push.apply_async(queue=app_settings.CELERY_QUEUE_NAME, retry=False)
