"""Solicitations API v1: asking the buyer for a review, in Amazon's own words.

Amazon takes one request an order, from 5 days after the earliest to 30 days after the
latest delivery date. Source: Amazon's model ``solicitations.json``, documentation
"Solicitations API v1 Use Case Guide".
"""

from __future__ import annotations

from urllib.parse import quote

from .client import Client
from .messaging import action_names, check

GET_ACTIONS = "getSolicitationActionsForOrder"
CREATE = "createProductReviewAndSellerFeedbackSolicitation"

REVIEW = "productReviewAndSellerFeedback"


def is_review_offered(
    client: Client, order_id: str, marketplace_id: str, *, max_wait_seconds: float = 0
) -> bool:
    """Whether the buyer can be asked for a review now."""
    answer = client.request(
        GET_ACTIONS,
        "GET",
        _path(order_id),
        params={"marketplaceIds": marketplace_id},
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return REVIEW in action_names(GET_ACTIONS, answer)


def request_review(
    client: Client, order_id: str, marketplace_id: str, *, max_wait_seconds: float = 0
) -> None:
    """Have Amazon ask the buyer for a review.

    Raises ``UnknownOutcome`` where it may have arrived without our hearing of it, and
    ``NotOffered`` outside the time for it, or where it was asked before.
    """
    answer = client.request(
        CREATE,
        "POST",
        f"{_path(order_id)}/solicitations/{REVIEW}",
        params={"marketplaceIds": marketplace_id},
        max_wait_seconds=max_wait_seconds,
        idempotent=False,
    )
    check(CREATE, answer)


def _path(order_id: str) -> str:
    return f"/solicitations/v1/orders/{quote(order_id, safe='')}"
