"""What staff do through the channel's own API, done as they would do it in Saleor.

Saleor's mutations run in process, as whoever asks and with their permissions, so that
they are in Saleor's history as theirs, and are captured like everything staff do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import graphene
from django.db import transaction
from saleor.core.db.connection import allow_writer
from saleor.graphql.core.utils import from_global_id_or_error
from saleor.order.models import Fulfillment, Order, OrderGrantedRefund, OrderLine
from saleor.payment.models import TransactionEvent, TransactionItem

from .. import clock
from ..graphql.host import (
    SEVERAL_WAREHOUSES,
    ActionRefused,
    StaffRefund,
    StaffShipment,
)
from ..refunding import record
from ..store.contract import RefundRequest, RefundRequestLine
from . import actions, capture, following
from .order_rows import CARRIER_KEY

_SET_CARRIER = """
mutation AmazonSetCarrier($id: ID!, $input: [MetadataInput!]!) {
  result: updateMetadata(id: $id, input: $input) { errors { field message } }
}
"""
_GRANT = """
mutation AmazonGrantRefund($id: ID!, $input: OrderGrantRefundCreateInput!) {
  result: orderGrantRefundCreate(id: $id, input: $input) {
    grantedRefund { id }
    errors { field message }
  }
}
"""
_REQUEST_GRANTED = """
mutation AmazonRequestGranted($id: ID!) {
  result: transactionRequestRefundForGrantedRefund(grantedRefundId: $id) {
    errors { field message }
  }
}
"""
_REQUEST = """
mutation AmazonRequestRefund($id: ID!, $amount: PositiveDecimal, $reason: String) {
  result: transactionRequestAction(
    id: $id, actionType: REFUND, amount: $amount, refundReason: $reason
  ) { errors { field message } }
}
"""


def fulfil(context: Any, shipment: StaffShipment) -> str:
    """See ``graphql.host.Host.fulfil``. Where the shop has fulfillments approved first,
    Amazon hears of it then."""
    with allow_writer(), transaction.atomic():
        # As Saleor locks it: nobody ships the same units meanwhile.
        Order.objects.select_for_update(of=("self",)).get(pk=shipment.order_id)
        sources = _sources(shipment)
        if len({pk for of_line in sources.values() for pk in of_line}) > 1:
            raise ActionRefused(SEVERAL_WAREHOUSES)
        given: dict[str, Any] = {
            "notifyCustomer": False,
            "trackingNumber": shipment.tracking_number,
            "lines": [
                {
                    "orderLineId": _global("OrderLine", line_id),
                    "stocks": [
                        {"warehouse": _global("Warehouse", pk), "quantity": units}
                        for pk, units in of_line.items()
                    ],
                }
                for line_id, of_line in sources.items()
            ],
        }
        answer = _run(
            context,
            actions.FULFIL_ORDER,
            order=_global("Order", shipment.order_id),
            input=given,
        )
        [made] = answer["fulfillments"]
        if shipment.carrier:
            _run(
                context,
                _SET_CARRIER,
                id=made["id"],
                input=[{"key": CARRIER_KEY, "value": shipment.carrier}],
            )
        _, pk = from_global_id_or_error(made["id"], "Fulfillment")
        if shipment.carrier:
            # Before anything can leave without it: Saleor's hook comes after commit.
            requestor = context.app or context.user
            capture.on_fulfillment_metadata(Fulfillment.objects.get(pk=pk), requestor)
        return str(pk)


def _sources(shipment: StaffShipment) -> dict[str, dict[str, int]]:
    """Line id → warehouse id → units."""
    if shipment.warehouse_id:
        return {
            line_id: {shipment.warehouse_id: units}
            for line_id, units in shipment.lines.items()
        }
    rows = OrderLine.objects.filter(order=shipment.order_id, pk__in=shipment.lines)
    return {
        str(line.pk): following.sources(
            line, shipment.lines[str(line.pk)], shipment.warehouse_ids
        )
        for line in rows
    }


def request_refund(context: Any, refund: StaffRefund) -> str:
    """See ``graphql.host.Host.request_refund``."""
    with allow_writer():
        order = Order.objects.get(pk=refund.order_id)
        item = order.payment_transactions.filter(
            psp_reference=order.external_reference
        ).first()
        if item is None:
            raise ActionRefused("The order has no transaction of Amazon's.")
        last = item.events.order_by("-pk").values_list("pk", flat=True).first() or 0
        if refund.lines or refund.is_shipping_included:
            granted = _grant(context, order, item, refund)
            _run(context, _REQUEST_GRANTED, id=granted)
        else:
            amount = item.charged_value if refund.amount is None else refund.amount
            with transaction.atomic():
                _check(order, refund, amount)
            _run(
                context,
                _REQUEST,
                id=_global("TransactionItem", item.token),
                amount=str(amount),
                reason=refund.reason or None,
            )
        return str(
            TransactionEvent.objects.filter(
                transaction=item, type="refund_request", pk__gt=last
            )
            .values_list("pk", flat=True)
            .latest("pk")
        )


def _grant(
    context: Any, order: Order, item: TransactionItem, refund: StaffRefund
) -> str:
    """Grant it in the shop, unless Amazon would not do it: then nothing is granted."""
    given: dict[str, Any] = {
        "transactionId": _global("TransactionItem", item.token),
        "reason": refund.reason,
        "grantRefundForShipping": refund.is_shipping_included,
        "lines": [
            {"id": _global("OrderLine", line_id), "quantity": units}
            for line_id, units in refund.lines.items()
        ],
    }
    if refund.amount is not None:
        given["amount"] = str(refund.amount)
    with transaction.atomic():
        answer = _run(context, _GRANT, id=_global("Order", order.pk), input=given)
        granted = str(answer["grantedRefund"]["id"])
        _, pk = from_global_id_or_error(granted, "OrderGrantedRefund")
        amount = OrderGrantedRefund.objects.get(pk=pk).amount_value
        _check(order, refund, amount)
    return granted


def _check(order: Order, refund: StaffRefund, amount: Any) -> None:
    following.order_state(str(order.pk))
    lines = tuple(RefundRequestLine(pk, units) for pk, units in refund.lines.items())
    try:
        record.check(
            RefundRequest(
                order_id=str(order.pk),
                request_id="",
                reference="",
                amount=amount,
                currency=order.currency,
                requested_at=clock.now(),
                lines=lines,
                is_shipping_included=refund.is_shipping_included,
            )
        )
    except record.Refused as refused:
        raise ActionRefused(str(refused)) from refused


def _run(context: Any, text: str, **variables: Any) -> Mapping[str, Any]:
    """Execute one of Saleor's mutations as whoever asks; its result."""
    from saleor.graphql import api

    document = api.backend.document_from_string(api.schema, text)
    answer = document.execute(variable_values=variables, context_value=context)
    if answer.errors:
        # PermissionDenied, above all: Saleor's own rules hold here too.
        raise getattr(answer.errors[0], "original_error", None) or answer.errors[0]
    errors: dict[str, list[str]] = defaultdict(list)
    for error in answer.data["result"]["errors"]:
        errors[error["field"] or ""].append(error["message"])
    if errors:
        raise ActionRefused(" ".join(m for of in errors.values() for m in of))
    return dict(answer.data["result"])


def _global(type_name: str, pk: object) -> str:
    return str(graphene.Node.to_global_id(type_name, pk))
