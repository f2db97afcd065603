"""Refunds that Saleor's staff ask for, by amount or for a granted refund.

Saleor writes a request event of the transaction, and then asks its plugins to do it.
Its own webhook plugin comes first; it finds no app to ask, since ours has no webhook,
and writes that the request has failed. Our hook takes that back for Amazon's orders,
writes the intent, and makes the request a pending refund under a reference of ours, all
in one transaction; or it lets the request fail with what is to be done instead.

Defining the hook makes Saleor take requests for every transaction of the shop. So where
nobody else serves one that is not Amazon's, it gets Saleor's own error here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from saleor.core.db.connection import allow_writer
from saleor.order import OrderEvents, OrderOrigin
from saleor.order.models import OrderEvent, OrderGrantedRefund
from saleor.order.utils import calculate_order_granted_refund_status
from saleor.payment import PaymentError, TransactionEventType
from saleor.payment.interface import TransactionActionData
from saleor.payment.models import TransactionEvent
from saleor.payment.utils import (
    create_failed_transaction_event,
    create_transaction_event_from_request_and_webhook_response,
    recalculate_refundable_for_checkout,
)
from saleor.plugins.manager import get_plugins_manager
from saleor.webhook.event_types import WebhookEventSyncType
from saleor.webhook.utils import get_webhooks_for_event

from .. import clock, failures
from ..models import AmazonOrder, ChannelSettings
from ..refunding import record
from ..store.contract import (
    RefundByHand,
    RefundDraft,
    RefundRequest,
    RefundRequestLine,
)
from . import actions, refunds
from .app import IDENTIFIER, ensure_app, get_app

logger = logging.getLogger(__name__)

#: Saleor's own words (``payment.gateway``).
NOBODY_SERVES = "No app or plugin is configured to handle payment action requests."
#: What Saleor's webhook plugin says of a request that no app is asked about.
_NO_APP = (
    "Transaction request skipped. Missing relation to PaymentApp.",
    "Cannot process the action as the given transaction is not attached to any app.",
    "Cannot find a webhook that can process the action.",
)
#: In the metadata of a page that staff refer to as a reason.
REASON_KEY = "amazon.adjustmentReason"

_REQUEST = TransactionEventType.REFUND_REQUEST
_FAILURE = TransactionEventType.REFUND_FAILURE


def on_request(plugin_id: str, data: TransactionActionData) -> None:
    """Take a request for a refund of an Amazon order, or refuse it.

    Raises what Saleor's mutations turn into an error of theirs.
    """
    with allow_writer():
        if not _is_amazons(data):
            _as_without_us(plugin_id, data)
            return
        try:
            with transaction.atomic():
                [request] = by_id([str(data.event.pk)])
                refused = not _taken(request, data)
        except Exception as error:  # noqa: BLE001  the sweep takes it
            failures.log(logger, f"refund request {data.event.pk}: capture", error)
            # It has not failed, and nobody shall do it by hand meanwhile.
            _failures_of(data.event).filter(message__in=_NO_APP).delete()
            return
        if refused:
            message = _failures_of(data.event).latest("pk").message
            raise ValidationError({"amount": ValidationError(message, code="invalid")})


def _taken(request: RefundRequest, data: TransactionActionData) -> bool:
    record.take_or_refuse(request)
    data.event.refresh_from_db()
    data.transaction.refresh_from_db()
    return data.event.include_in_calculations


def _is_amazons(data: TransactionActionData) -> bool:
    item = data.transaction
    return (
        # Of an order that was imported before the channel had an app it is nobody's.
        item.app_identifier in (IDENTIFIER, "", None)
        and item.order_id is not None
        and item.psp_reference == item.order.external_reference
        and item.order.origin == OrderOrigin.BULK_CREATE
        and ChannelSettings.load().active
        and AmazonOrder.objects.filter(shop_order_id=str(item.order_id)).exists()
    )


def _as_without_us(plugin_id: str, data: TransactionActionData) -> None:
    """Leave it to who serves it; where nobody does, what Saleor would have done."""
    owner = data.transaction_app_owner
    if owner and get_webhooks_for_event(
        event_type=WebhookEventSyncType.TRANSACTION_REFUND_REQUESTED,
        apps_ids=[owner.pk],
    ):
        return
    source = data.transaction.order or data.transaction.checkout
    manager = get_plugins_manager(allow_replica=False)
    if source is None or any(
        plugin_id != plugin.PLUGIN_ID
        and plugin.is_event_active("transaction_refund_requested")
        for plugin in manager.get_plugins(
            channel_slug=source.channel.slug, active_only=True
        )
    ):
        return
    with transaction.atomic():
        _failures_of(data.event).filter(message__in=_NO_APP).delete()
        create_failed_transaction_event(data.event, cause=NOBODY_SERVES)
    recalculate_refundable_for_checkout(data.transaction, data.event)
    raise PaymentError(NOBODY_SERVES)


def _failures_of(request: TransactionEvent) -> QuerySet[TransactionEvent]:
    """What was written of the request's failure, since it was made."""
    return TransactionEvent.objects.filter(
        transaction_id=request.transaction_id,
        type=_FAILURE,
        amount_value=request.amount_value,
        include_in_calculations=False,
        pk__gt=request.pk,
    )


# What the channel asks of them: see ``store.contract.Store``.


def by_id(request_ids: Sequence[str]) -> list[RefundRequest]:
    return _requests(TransactionEvent.objects.filter(pk__in=request_ids, type=_REQUEST))


def open_since(moment: datetime) -> list[RefundRequest]:
    failed_otherwise = (
        TransactionEvent.objects.filter(
            transaction=OuterRef("transaction"),
            type=_FAILURE,
            amount_value=OuterRef("amount_value"),
            pk__gt=OuterRef("pk"),
        )
        # The plugin's own comes before our hook, which a crash may have kept away.
        .exclude(message__in=_NO_APP)
    )
    return _requests(
        TransactionEvent.objects.filter(
            Q(psp_reference=None) | Q(psp_reference=""),
            Q(transaction__app_identifier=None)
            | Q(transaction__app_identifier__in=(IDENTIFIER, "")),
            ~Exists(failed_otherwise),
            type=_REQUEST,
            created_at__gte=moment,
            transaction__psp_reference=F("transaction__order__external_reference"),
            transaction__order__origin=OrderOrigin.BULK_CREATE,
        )
    )


def by_hand_since(moment: datetime) -> list[RefundByHand]:
    """Events of other transactions of an order, and of payments of old."""
    found = [
        RefundByHand(
            str(event.transaction.order_id),
            event.psp_reference
            or f"{event.transaction.name or 'transaction'} {event.pk}",
            event.amount_value,
            event.currency,
            _actor(event),
        )
        for event in TransactionEvent.objects.filter(
            type=TransactionEventType.REFUND_SUCCESS,
            created_at__gte=moment,
            transaction__order__origin=OrderOrigin.BULK_CREATE,
        )
        .exclude(transaction__psp_reference=F("transaction__order__external_reference"))
        .select_related("transaction", "user", "app")
        .order_by("pk")
    ]
    for event in (
        OrderEvent.objects.filter(
            # Beside it Saleor writes of products refunded, with the same amount.
            type=OrderEvents.PAYMENT_REFUNDED,
            date__gte=moment,
            order__origin=OrderOrigin.BULK_CREATE,
        )
        .select_related("order", "user", "app")
        .order_by("pk")
    ):
        amount = Decimal(str(event.parameters.get("amount") or 0))
        found.append(
            RefundByHand(
                str(event.order_id),
                f"payment {event.pk}",
                amount,
                event.order.currency,
                _actor(event),
            )
        )
    return found


def _requests(events: QuerySet[TransactionEvent]) -> list[RefundRequest]:
    found = events.select_related(
        "transaction__order",
        "user",
        "app",
        "reason_reference",
        "related_granted_refund__user",
        "related_granted_refund__app",
        "related_granted_refund__reason_reference",
    ).prefetch_related("related_granted_refund__lines")
    return [_request(event) for event in found.order_by("pk")]


def _request(event: TransactionEvent) -> RefundRequest:
    order, granted = event.transaction.order, event.related_granted_refund
    return RefundRequest(
        order_id=str(order.pk),
        request_id=str(event.pk),
        reference=f"{order.external_reference}-refund-{event.pk}",
        amount=event.amount_value,
        currency=event.currency,
        requested_at=event.created_at,
        reasons=_reasons(event.reason_reference, event.message)
        + (_reasons(granted.reason_reference, granted.reason) if granted else ()),
        lines=tuple(
            RefundRequestLine(
                str(line.order_line_id),
                line.quantity,
                # Lines refer to reasons since 3.23.
                _reasons(getattr(line, "reason_reference", None), line.reason),
            )
            for line in (granted.lines.all() if granted else ())
        ),
        is_shipping_included=bool(granted and granted.shipping_costs_included),
        actor=_actor(event) or (_actor(granted) if granted else ""),
    )


def _reasons(page: Any, text: str | None) -> tuple[str, ...]:
    of_page = (page.metadata.get(REASON_KEY, ""), page.title, page.slug) if page else ()
    return tuple(filter(None, (*of_page, text)))


def _actor(row: TransactionEvent | OrderGrantedRefund | OrderEvent) -> str:
    if row.user:
        return str(row.user.email)
    return str(row.app.name or "") if row.app else ""


def take(request: RefundRequest) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("take_refund must be called inside a transaction")
    event = _event(request.request_id)
    _failures_of(event).filter(message__in=_NO_APP).delete()
    create_transaction_event_from_request_and_webhook_response(
        event, get_app() or ensure_app(), {"pspReference": request.reference}
    )


def refuse(request: RefundRequest, message: str) -> None:
    event = _event(request.request_id)
    _failures_of(event).filter(message__in=_NO_APP).delete()
    # By which it is told that somebody has looked at it.
    event.psp_reference = request.reference
    event.save(update_fields=["psp_reference"])
    create_failed_transaction_event(event, cause=message[:512])
    if event.related_granted_refund:
        calculate_order_granted_refund_status(event.related_granted_refund)


def settle(draft: RefundDraft, request_id: str) -> str:
    if not connection.in_atomic_block:
        raise RuntimeError("settle_refund must be called inside a transaction")
    event = _event(request_id)
    if _is_settled(event, draft.reference):
        return ""
    granted_id = event.related_granted_refund_id
    if granted_id is None:
        # What it was for: else the order counts as partly paid.
        granted_id = refunds.grant(event.transaction, draft, draft.amount)
        TransactionEvent.objects.filter(pk=event.pk).update(
            related_granted_refund=granted_id
        )
    _report(event, draft.reference, success=True, message=draft.reason)
    return ""


def fail(request_id: str, reference: str, message: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("fail_refund must be called inside a transaction")
    event = _event(request_id)
    if not _is_settled(event, reference):
        _report(event, reference, success=False, message=message)


def _event(request_id: str) -> TransactionEvent:
    return TransactionEvent.objects.select_related(
        "transaction", "related_granted_refund"
    ).get(pk=request_id)


def _is_settled(event: TransactionEvent, reference: str) -> bool:
    return TransactionEvent.objects.filter(
        transaction=event.transaction_id,
        psp_reference=reference,
        type__in=(TransactionEventType.REFUND_SUCCESS, _FAILURE),
        include_in_calculations=True,
    ).exists()


def _report(
    event: TransactionEvent, reference: str, *, success: bool, message: str
) -> None:
    item = event.transaction
    back = Decimal(0) if success else event.amount_value
    actions.report_event(
        item,
        reference,
        TransactionEventType.REFUND_SUCCESS if success else _FAILURE,
        event.amount_value,
        # Saleor goes by the time for what became of a granted refund, and the clocks
        # of two processes differ.
        max(clock.now(), event.created_at + timedelta(milliseconds=1)),
        message,
        is_refundable=item.charged_value + back > 0,
    )
