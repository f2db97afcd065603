"""What the channel does to orders through Saleor's own mutations, run in this process.

Saleor's services change their signatures from version to version; its API does not, and
brings along everything Saleor does on such an occasion: stock, events, webhooks. The
mutations run as our App, in the caller's transaction, and wait for nobody: what they
announce to plugins and webhooks goes out when that transaction commits.

Nothing of it comes back as an action of staff: while one of them is under way
``capture`` looks away.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from typing import Any

import graphene
from django.db import connection
from django.db.models import Sum
from saleor.order import FulfillmentStatus, OrderStatus
from saleor.order.models import FulfillmentLine, Order
from saleor.payment import TransactionAction, TransactionEventType
from saleor.payment.models import TransactionItem

from .. import clock
from .app import ensure_app, get_app

CANCEL_ORDER = """
mutation AmazonCancelOrder($id: ID!) {
  result: orderCancel(id: $id) { errors { field code } }
}
"""
REPORT_EVENT = """
mutation AmazonReportEvent(
  $token: UUID!
  $pspReference: String!
  $type: TransactionEventTypeEnum!
  $amount: PositiveDecimal!
  $time: DateTime!
  $message: String!
  $availableActions: [TransactionActionEnum!]!
) {
  result: transactionEventReport(
    token: $token
    pspReference: $pspReference
    type: $type
    amount: $amount
    time: $time
    message: $message
    availableActions: $availableActions
  ) { errors { field code } }
}
"""

FULFIL_ORDER = """
mutation AmazonFulfillOrder($order: ID!, $input: OrderFulfillInput!) {
  result: orderFulfill(order: $order, input: $input) {
    fulfillments { id status }
    errors { field code message }
  }
}
"""
APPROVE_FULFILLMENT = """
mutation AmazonApproveFulfillment($id: ID!) {
  result: orderFulfillmentApprove(
    id: $id, notifyCustomer: false, allowStockToBeExceeded: true
  ) { errors { field code } }
}
"""

_under_way: ContextVar[bool] = ContextVar("amazon_channel_action", default=False)

#: Goods of a fulfillment in one of these have left, or are about to.
_ON_ITS_WAY = (FulfillmentStatus.FULFILLED, FulfillmentStatus.WAITING_FOR_APPROVAL)


class ActionFailedError(Exception):
    """Saleor did not do what its own rules allow; trying again later may help."""


def cancel_order(order_id: str) -> tuple[str, bool]:
    """Cancel an order that was cancelled on Amazon, and zero its transaction.

    Answers why it cannot be cancelled ("" when it is), and whether anything changed.
    Must be called inside a transaction. Raises ActionFailedError.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("cancel_orders must be called inside a transaction")
    # Staff who fulfil it hold this lock until their fulfillment can be seen.
    order = Order.objects.select_for_update(of=("self",)).filter(pk=order_id).first()
    if order is None:
        return "The shop has no such order.", False
    is_news = order.status != OrderStatus.CANCELED
    if is_news:
        if not order.can_cancel():
            return _why_not(order), False
        _run(CANCEL_ORDER, {"id": graphene.Node.to_global_id("Order", order.pk)})
    return "", _refund(order) or is_news


def is_under_way() -> bool:
    """Whether it is one of ours that Saleor is doing right now."""
    return _under_way.get()


def fulfil(
    order: Order, sources: Mapping[str, Mapping[str, int]], tracking_number: str
) -> list[int]:
    """Fulfil units that have left: line id → warehouse id → units.

    Answers the fulfillments' keys: Saleor makes one a warehouse. Must be called inside
    a transaction, with the order locked. Raises ActionFailedError.
    """
    lines = [
        {
            "orderLineId": graphene.Node.to_global_id("OrderLine", line_id),
            "stocks": [
                {
                    "warehouse": graphene.Node.to_global_id("Warehouse", warehouse_id),
                    "quantity": units,
                }
                for warehouse_id, units in of_line.items()
            ],
        }
        for line_id, of_line in sources.items()
    ]
    # They have left, whatever the shop thinks that it has.
    given = {"lines": lines, "notifyCustomer": False, "allowStockToBeExceeded": True}
    if tracking_number:
        given["trackingNumber"] = tracking_number
    before = set(order.fulfillments.values_list("pk", flat=True))
    answer = _run(
        FULFIL_ORDER,
        {
            "order": graphene.Node.to_global_id("Order", order.pk),
            "input": given,
        },
    )
    for fulfillment in answer["fulfillments"]:
        if fulfillment["status"] == FulfillmentStatus.WAITING_FOR_APPROVAL.upper():
            _run(APPROVE_FULFILLMENT, {"id": fulfillment["id"]})
    made = order.fulfillments.exclude(pk__in=before).order_by("pk")
    return list(made.values_list("pk", flat=True))


def report_change_of_charge(order: Order, difference: Decimal) -> None:
    """The order comes to more, or less, than it did: so does what Amazon charges."""
    item = TransactionItem.objects.filter(
        order=order, psp_reference=order.external_reference
    ).first()
    if item is None:
        return
    kind = (
        TransactionEventType.CHARGE_SUCCESS
        if difference > 0
        else TransactionEventType.REFUND_SUCCESS
    )
    report_event(
        item,
        f"{item.psp_reference}-revised-{item.events.count()}",
        kind,
        abs(difference),
        clock.now(),
        "The order changed on Amazon",
        is_refundable=True,
    )


def report_event(
    item: TransactionItem,
    psp_reference: str,
    kind: str,
    amount: Decimal,
    time: datetime,
    message: str,
    *,
    is_refundable: bool,
) -> None:
    """Money moved on Amazon: an event of the transaction, and what follows from it.

    ``is_refundable``: staff can still refund some of it. Must be called inside a
    transaction, with the order locked. Raises ActionFailedError.
    """
    order = Order.objects.filter(pk=item.order_id)
    status = order.values_list("status", flat=True).get()
    _run(
        REPORT_EVENT,
        {
            "token": str(item.token),
            "pspReference": psp_reference,
            "type": kind.upper(),
            "amount": amount,
            "time": time.isoformat(),
            "message": message,
            "availableActions": (
                [TransactionAction.REFUND.upper()] if is_refundable else []
            ),
        },
    )
    # Saleor confirms an unconfirmed order on the occasion, where a channel confirms
    # its new orders by itself; here it is for staff to do.
    order.exclude(status=status).update(status=status)


def _why_not(order: Order) -> str:
    units = FulfillmentLine.objects.filter(
        fulfillment__order=order, fulfillment__status__in=_ON_ITS_WAY
    ).aggregate(units=Sum("quantity"))["units"]
    if units:
        return f"{units} of its units are fulfilled, or wait for an approval."
    return f"Its status is {order.status}."


def _refund(order: Order) -> bool:
    """Amazon gave the buyer the money back, or never took it: nothing is charged."""
    transactions = TransactionItem.objects.filter(
        order=order, psp_reference=order.external_reference, charged_value__gt=0
    )
    for transaction in transactions:
        report_event(
            transaction,
            f"{transaction.psp_reference}-cancelled",
            TransactionEventType.REFUND_SUCCESS,
            transaction.charged_value,
            clock.now(),
            "Cancelled on Amazon",
            is_refundable=False,
        )
    return bool(transactions)


def _run(text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a mutation as our App; its result. Raises ActionFailedError."""
    # Importing Saleor's schema takes seconds; only a process that needs it shall pay.
    from saleor.graphql import api
    from saleor.graphql.context import clear_context, get_context_value
    from saleor.graphql.plugins.dataloaders import get_plugin_manager_promise
    from saleor.graphql.webhook.subscription_payload import initialize_request

    app = get_app() or ensure_app()
    # The signature differs between versions, the attributes do not.
    request = initialize_request(requestor=app, app=app, request_time=clock.now())
    context = get_context_value(request)
    token = _under_way.set(True)
    try:
        # Saleor mails the customer of a cancelled or refunded order, if staff gave it
        # an address; Amazon has told the buyer.
        get_plugin_manager_promise(context).get().notify = _nobody
        document = api.backend.document_from_string(api.schema, text)
        answer = document.execute(variable_values=variables, context_value=context)
    finally:
        _under_way.reset(token)
        clear_context(context)
    if answer.errors:
        # The type alone: a message may quote a row of the database.
        kinds = [
            type(getattr(error, "original_error", None) or error).__name__
            for error in answer.errors
        ]
        raise ActionFailedError(", ".join(kinds))
    errors = answer.data["result"]["errors"]
    if errors:
        raise ActionFailedError(", ".join(error["code"] for error in errors))
    return dict(answer.data["result"])


def _nobody(*args: Any, **kwargs: Any) -> None:
    return None
