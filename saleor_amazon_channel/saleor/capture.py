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
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.signals import post_save
from saleor.core.db.connection import allow_writer
from saleor.order import OrderEvents, OrderOrigin
from saleor.order.error_codes import OrderErrorCode
from saleor.order.models import Fulfillment, FulfillmentLine, OrderEvent

from .. import lifecycle
from ..conf import app_settings
from ..models import ChannelSettings
from ..store import current as current_store
from .store import CARRIER_KEY, position_of

logger = logging.getLogger(__name__)

WATCHED = frozenset(
    {OrderEvents.FULFILLMENT_FULFILLED_ITEMS, OrderEvents.TRACKING_UPDATED}
)


def connect() -> None:
    post_save.connect(
        on_order_event,
        sender=OrderEvent,
        dispatch_uid="saleor_amazon_channel.order_event",
    )


def on_order_event(
    sender: Any, instance: OrderEvent, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    """Record what the event says about a package of an Amazon order.

    For an ordinary order of the shop this is a look at two attributes in memory: the
    events watched carry their order, and ours have the origin of a bulk import.

    Raises ValidationError, in Saleor's form, to refuse a fulfillment that Amazon cannot
    accept: Saleor rolls the action back and shows staff the reason.
    """
    if raw or not created or instance.type not in WATCHED:
        return
    try:
        if instance.order.origin != OrderOrigin.BULK_CREATE:
            return
        actor = _actor(instance.user or instance.app)
        _record(partial(_fulfillment_ids, instance), actor)
    except lifecycle.Refused as refusal:
        if instance.type != OrderEvents.FULFILLMENT_FULFILLED_ITEMS:
            # Saleor saved the tracking number before; there is nothing left to refuse.
            return
        raise ValidationError(
            {"order": ValidationError(str(refusal), code=OrderErrorCode.INVALID.value)}
        ) from refusal
    except Exception as error:  # noqa: BLE001  staff's action must not fail for it
        _log_failure(f"Order event {instance.pk}", error)


def on_fulfillment_metadata(fulfillment: Fulfillment, requestor: Any) -> None:
    """Record a carrier that staff gave after shipping."""
    if CARRIER_KEY not in fulfillment.metadata:
        return
    try:
        _record(lambda: [fulfillment.pk], _actor(requestor))
    except lifecycle.Refused:
        return  # Amazon ships this order itself and needs no carrier from us.
    except Exception as error:  # noqa: BLE001  saved already, and others' hooks follow
        _log_failure(f"Metadata of fulfillment {fulfillment.pk}", error)


def _log_failure(subject: str, error: Exception) -> None:
    # Without the error's message, which may quote a row of the database.
    logger.error(
        "%s not captured (%s); the sweep will.\n%s",
        subject,
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )


def _record(fulfillment_ids: Callable[[], Iterable[int]], actor: str) -> None:
    # The savepoint keeps our failure from poisoning the transaction of staff.
    with allow_writer(), transaction.atomic():
        if not ChannelSettings.load().active:
            return
        shipments = current_store().shipments([str(pk) for pk in fulfillment_ids()])
        if lifecycle.record_shipments(
            [dataclasses.replace(shipment, actor=actor) for shipment in shipments]
        ):
            transaction.on_commit(_wake_push, robust=True)


def _fulfillment_ids(event: OrderEvent) -> Iterable[int]:
    if event.type == OrderEvents.FULFILLMENT_FULFILLED_ITEMS:
        return (
            FulfillmentLine.objects.filter(pk__in=event.parameters["fulfilled_items"])
            .values_list("fulfillment_id", flat=True)
            .distinct()
        )
    return Fulfillment.objects.filter(
        order_id=event.order_id,
        fulfillment_order=position_of(event.parameters["fulfillment"]),
    ).values_list("pk", flat=True)


def _actor(requestor: Any) -> str:
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
