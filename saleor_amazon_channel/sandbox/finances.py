"""Finances API 2024-06-19: listTransactions.

Source: Amazon's model ``finances_2024-06-19.json``, documentation "Finances API
v2024-06-19 Use Case Guide". Choices where Amazon is silent:

- Transactions come oldest first by their posted date, then by id. A token remembers
  the last place, not the result.
- Parameters the model does not know are refused, and so is a token that comes with
  other parameters than those it was given for.
- The last page has no ``nextToken``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..amazon.marketplaces import MARKETPLACES
from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput, Unauthorized
from .transactions import StoredTransaction
from .usage_plans import UsagePlan

#: A call may not ask for what is younger.
HIDDEN = timedelta(minutes=2)
#: A longer range is answered with nothing.
LONGEST_RANGE = timedelta(days=180)
TOKEN_LIFETIME = timedelta(hours=24)

STATUSES = ("DEFERRED", "RELEASED", "DEFERRED_RELEASED")
_FILTERS = (
    "postedAfter",
    "postedBefore",
    "marketplaceId",
    "transactionStatus",
    "relatedIdentifierName",
    "relatedIdentifierValue",
)
_SEARCHABLE_IDENTIFIERS = ("FINANCIAL_EVENT_GROUP_ID", "ORDER_ID")


@dataclass(frozen=True, slots=True)
class _Position:
    """What a token stands for."""

    seller_id: str
    filters: Mapping[str, str]
    until: datetime
    after: tuple[datetime, str] | None
    issued: datetime


def list_transactions(call: Call) -> Answer:
    query = Query(call.pairs, (*_FILTERS, "nextToken"))
    if not call.seller.may_read_finances:
        raise Unauthorized()
    identifier = _identifier(query)
    start, until = _range(query, call.now, is_start_needed=identifier is None)
    status = query.text("transactionStatus")
    if status is not None and status not in STATUSES:
        raise InvalidInput("Invalid value for parameter 'transactionStatus'.")
    marketplace_id = _marketplace(query, call)
    filters = {k: v for k, v in query.values.items() if k != "nextToken"}
    after = None
    token = query.text("nextToken")
    if token is not None:
        position = _position(call, token, filters)
        after, until = position.after, position.until

    is_too_long = start is not None and until - start > LONGEST_RANGE
    found = sorted(
        (
            transaction
            for transaction in call.state.transactions.all_of(call.seller.seller_id)
            if not is_too_long
            and transaction.visible_from <= call.now
            and (start is None or transaction.posted >= start)
            and transaction.posted < until
            and (after is None or _place(transaction) > after)
            and status in (None, transaction.payload["transactionStatus"])
            and marketplace_id
            in (None, transaction.payload["marketplaceDetails"]["marketplaceId"])
            and (
                identifier is None
                or transaction.related(identifier[0]) == identifier[1]
            )
        ),
        key=_place,
    )
    page = found[: call.state.transactions.page_size]
    if call.is_struck_by("empty_page"):
        page = []
    payload: dict[str, Any] = {"transactions": [each.payload for each in page]}
    is_repeated = call.is_struck_by("repeated_page")
    if len(found) > len(page) or is_repeated or call.is_struck_by("empty_page"):
        next_token = secrets.token_urlsafe(32)
        call.state.pagination_tokens[next_token] = _Position(
            call.seller.seller_id,
            filters,
            until,
            after if is_repeated or not page else _place(page[-1]),
            call.now,
        )
        payload["nextToken"] = next_token
    return Answer(200, {"payload": payload})


def _place(transaction: StoredTransaction) -> tuple[datetime, str]:
    return transaction.posted, transaction.id


def _identifier(query: Query) -> tuple[str, str] | None:
    name = query.text("relatedIdentifierName")
    value = query.text("relatedIdentifierValue")
    if (name is None) != (value is None):
        raise InvalidInput(
            "'relatedIdentifierName' and 'relatedIdentifierValue' need each other."
        )
    if name is None or value is None:
        return None
    if name not in _SEARCHABLE_IDENTIFIERS:
        raise InvalidInput("Invalid value for parameter 'relatedIdentifierName'.")
    return name, value


def _range(
    query: Query, now: datetime, *, is_start_needed: bool
) -> tuple[datetime | None, datetime]:
    start, end = query.moment("postedAfter"), query.moment("postedBefore")
    latest = now - HIDDEN
    if start is None and is_start_needed:
        raise InvalidInput("Start date cannot be null", "Start date cannot be null")
    if start is not None and start > latest:
        raise InvalidInput(
            "'postedAfter' must be more than two minutes before the request."
        )
    if end is not None and end > latest:
        raise InvalidInput(
            "'postedBefore' must be more than two minutes before the request."
        )
    if end is not None and (start is None or end <= start):
        raise InvalidInput("'postedBefore' must be later than 'postedAfter'.")
    return start, latest if end is None else end


def _marketplace(query: Query, call: Call) -> str | None:
    marketplace_id = query.text("marketplaceId")
    if marketplace_id is None:
        return None
    if marketplace_id not in MARKETPLACES:
        raise InvalidInput("Invalid value for parameter 'marketplaceId'.")
    if marketplace_id not in call.seller.marketplace_ids:
        raise Unauthorized()
    return marketplace_id


def _position(call: Call, token: str, filters: Mapping[str, str]) -> _Position:
    position = call.state.pagination_tokens.get(token)
    if (
        call.is_struck_by("expired_token")
        or not isinstance(position, _Position)
        or position.seller_id != call.seller.seller_id
        or call.now >= position.issued + TOKEN_LIFETIME
    ):
        raise InvalidInput("Invalid nextToken.")
    if position.filters != filters:
        raise InvalidInput("'nextToken' comes with other parameters than it was for.")
    return position


OPERATIONS = (
    Operation(
        "listTransactions",
        "GET",
        "/finances/2024-06-19/transactions",
        UsagePlan(0.5, 10),
        list_transactions,
    ),
)
