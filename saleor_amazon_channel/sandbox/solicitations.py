"""Solicitations API v1: asking the buyer for a review, once an order.

Source: Amazon's model ``solicitations.json``; "Solicitations API v1 Use Case Guide" for
the window; the refusals are Amazon's (threads: selling-partner-api-models issue 19,
selling-partner-api-docs issue 121).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .calls import Answer, Call, Operation
from .delivery import delivery_dates
from .errors import Unauthorized
from .messaging import HAL, PLAN, order_of

REVIEW = "productReviewAndSellerFeedback"
FROM = timedelta(days=5)
UNTIL = timedelta(days=30)


def get_actions(call: Call) -> Answer:
    order = order_of(call)
    base = f"/solicitations/v1/orders/{order['orderId']}"
    query = f"?marketplaceIds={order['salesChannel']['marketplaceId']}"
    link = {"href": f"{base}/solicitations/{REVIEW}{query}", "name": REVIEW}
    actions = [link] if _refusal(call, order) is None else []
    return Answer(
        200, {"_links": {"actions": actions, "self": {"href": base + query}}}, HAL
    )


def create(call: Call) -> Answer:
    order = order_of(call)
    refusal = _refusal(call, order)
    if refusal:
        raise Unauthorized(refusal)
    call.state.solicited[order["orderId"]] = call.now
    return Answer(201, {}, HAL)


def _refusal(call: Call, order: Mapping[str, Any]) -> str | None:
    is_shipped = order.get("fulfillment", {}).get("fulfillmentStatus") == "SHIPPED"
    if not is_shipped or order["orderId"] in call.state.solicited:
        return "The requested solicitation is not available for this amazonOrderId."
    earliest, latest = delivery_dates(order)
    if not earliest + FROM <= call.now <= latest + UNTIL:
        return (
            "You can't use this feature to request a review outside the 5-30 day "
            "range after the order delivery date."
        )
    return None


OPERATIONS = (
    Operation(
        "getSolicitationActionsForOrder",
        "GET",
        "/solicitations/v1/orders/{amazonOrderId}",
        PLAN,
        get_actions,
    ),
    Operation(
        "createProductReviewAndSellerFeedbackSolicitation",
        "POST",
        f"/solicitations/v1/orders/{{amazonOrderId}}/solicitations/{REVIEW}",
        PLAN,
        create,
    ),
)
