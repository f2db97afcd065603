"""Orders API v2026-01-01: searchOrders and getOrder.

Source: Amazon's model ``orders_2026-01-01.json``; documentation "Get orders with
filtering criteria", "Access Orders PII". Choices where Amazon is silent:

- Orders come oldest first by the time that was asked for, then by order id. A page
  token remembers the last place, not the result: an order that changes while pages are
  read moves behind the bound of the first page and shows up in the next scan.
- While payment is pending, buyer, address and money are absent (Amazon: "often").
- A parameter the model does not know is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..amazon.marketplaces import MARKETPLACES
from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput, Unauthorized
from .feed_processing import cancel
from .times import format_time, parse_time
from .usage_plans import UsagePlan
from .wire import FULFILLMENT_STATUSES

if TYPE_CHECKING:
    from .state import Account, OrderVersion

#: Amazon shows a change only after this time.
HIDDEN = timedelta(minutes=2)
TOKEN_LIFETIME = timedelta(hours=24)
MOST_PER_PAGE = 100
MOST_MARKETPLACES = 50

INCLUDED_DATA = (
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
)

_TIMES = ("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore")
_FILTERS = (*_TIMES, "marketplaceIds", "fulfillmentStatuses", "fulfilledBy")
_PAGING = ("maxResultsPerPage", "paginationToken", "includedData")

# Order data goes back two years, in these marketplaces to 2016.
_TWO_YEARS = timedelta(days=730)
_LONG_MEMORY = frozenset(
    info.id for info in MARKETPLACES.values() if info.country_code in ("JP", "AU", "SG")
)

# The field each dataset unlocks; fields not named here are always there.
_ORDER_FIELDS = {
    "buyer": "BUYER",
    "recipient": "RECIPIENT",
    "fulfillment": "FULFILLMENT",
    "proceeds": "PROCEEDS",
    "packages": "PACKAGES",
    "tax": "TAX",
    "payment": "PAYMENT",
    "fulfillmentOrders": "FULFILLMENT_ORDERS",
}
_ITEM_FIELDS = {
    "fulfillment": "FULFILLMENT",
    "proceeds": "PROCEEDS",
    "expense": "EXPENSE",
    "promotion": "PROMOTION",
    "cancellation": "CANCELLATION",
    "tax": "TAX",
}
_HIDDEN_WHILE_PENDING = {"BUYER", "RECIPIENT", "PROCEEDS", "TAX", "PAYMENT", "EXPENSE"}
_PENDING = ("PENDING", "PENDING_AVAILABILITY")


@dataclass(frozen=True, slots=True)
class _Position:
    """What a pagination token stands for."""

    seller_id: str
    filters: Mapping[str, str]
    bound: datetime
    after: tuple[datetime, str] | None
    issued: datetime


def search_orders(call: Call) -> Answer:
    query = Query(call.pairs, (*_FILTERS, *_PAGING))
    by_creation, start, bound = _time_range(query, call.now)
    marketplace_ids = marketplaces_of(query, "marketplaceIds", call.seller)
    statuses = query.words("fulfillmentStatuses", allowed=FULFILLMENT_STATUSES)
    fulfilled_by = query.words("fulfilledBy", allowed=("MERCHANT", "AMAZON"))
    size = query.integer("maxResultsPerPage", lowest=1, highest=MOST_PER_PAGE)
    included = _included(query, call.seller)
    after = None
    token = query.text("paginationToken")
    filters = {k: v for k, v in query.values.items() if k not in _PAGING}
    if token is not None:
        position = _position(call, token, filters)
        after, bound = position.after, position.bound
        if after is not None:
            start = max(start, after[0])

    found = find_orders(
        call,
        by_creation=by_creation,
        start=start,
        bound=bound,
        after=after,
        marketplace_ids=marketplace_ids,
        statuses=statuses,
        fulfilled_by=fulfilled_by,
    )
    page = found[: size or MOST_PER_PAGE]

    body: dict[str, Any] = {
        "orders": [visible_part(row[2].payload, included, call) for row in page]
    }
    is_repeated = call.is_struck_by("repeated_page")
    if len(found) > len(page) or is_repeated:
        next_token = secrets.token_urlsafe(32)
        call.state.pagination_tokens[next_token] = _Position(
            call.seller.seller_id,
            filters,
            bound,
            after if is_repeated else page[-1][:2],
            call.now,
        )
        body["pagination"] = {"nextToken": next_token}
    body["createdBefore" if by_creation else "lastUpdatedBefore"] = format_time(bound)
    return Answer(200, body)


def find_orders(
    call: Call,
    *,
    by_creation: bool,
    start: datetime,
    bound: datetime,
    after: tuple[datetime, str] | None,
    marketplace_ids: tuple[str, ...],
    statuses: tuple[str, ...],
    fulfilled_by: tuple[str, ...],
) -> list[tuple[datetime, str, OrderVersion]]:
    """The seller's orders from ``start`` to ``bound``, after a page's last place."""
    is_stale = call.is_struck_by("stale")
    found: list[tuple[datetime, str, OrderVersion]] = []
    for stored in call.state.orders_of(call.seller.seller_id):
        version = stored.version(is_stale=is_stale)
        moment = version.created if by_creation else version.updated
        if not start <= moment <= bound:
            continue
        if _matches(version, call.now, marketplace_ids, statuses, fulfilled_by):
            place = (moment, version.payload["orderId"])
            if after is None or place > after:
                found.append((*place, version))
    found.sort()  # order ids are unique: versions are never compared
    return found


def get_order(call: Call) -> Answer:
    query = Query(call.pairs, ("includedData",))
    included = _included(query, call.seller)
    order_id = check_order_id(call.path["orderId"])
    stored = call.state.own_order(order_id, call.seller.seller_id)
    version = stored.version(is_stale=call.is_struck_by("stale"))
    return Answer(200, {"order": visible_part(version.payload, included, call)})


def check_order_id(order_id: str) -> str:
    """InvalidInput unless the id has Amazon's form, 3-7-7 digits."""
    parts = order_id.split("-")
    if [len(part) for part in parts] != [3, 7, 7] or not (
        order_id.isascii() and all(part.isdigit() for part in parts)
    ):
        raise InvalidInput("Invalid value for parameter 'orderId'.")
    return order_id


def _time_range(query: Query, now: datetime) -> tuple[bool, datetime, datetime]:
    """Whether created or updated times are meant, from when, to when."""
    created_after = query.moment("createdAfter")
    created_before = query.moment("createdBefore")
    updated_after = query.moment("lastUpdatedAfter")
    updated_before = query.moment("lastUpdatedBefore")
    if (created_after is None) == (updated_after is None):
        raise InvalidInput(
            "Exactly one of 'createdAfter' and 'lastUpdatedAfter' must be provided."
        )
    if created_after is not None:
        if updated_before is not None:
            raise InvalidInput(
                "'lastUpdatedBefore' must not be provided with 'createdAfter'."
            )
        name, start, end = "createdBefore", created_after, created_before
    else:
        if created_before is not None:
            raise InvalidInput(
                "'createdBefore' must not be provided with 'lastUpdatedAfter'."
            )
        assert updated_after is not None  # noqa: S101 - exactly one is given
        name, start, end = "lastUpdatedBefore", updated_after, updated_before
    latest = now - HIDDEN
    if end is not None and end > latest:
        raise InvalidInput(
            f"'{name}' must be at least two minutes before the time of the request."
        )
    if end is not None and end < start:
        raise InvalidInput(f"'{name}' must be equal to or after its start.")
    return created_after is not None, start, latest if end is None else end


def marketplaces_of(query: Query, name: str, account: Account) -> tuple[str, ...]:
    """The marketplaces of parameter ``name``: of one region, and the account's."""
    ids = query.words(name, most=MOST_MARKETPLACES)
    regions = set()
    for marketplace_id in ids:
        info = MARKETPLACES.get(marketplace_id)
        if info is None:
            raise InvalidInput(f"Invalid value for parameter '{name}'.")
        regions.add(info.region)
    if len(regions) > 1:
        raise InvalidInput(f"'{name}' are of more than one region.")
    if not set(ids) <= set(account.marketplace_ids):
        raise Unauthorized()
    return ids


def _included(query: Query, account: Account) -> frozenset[str]:
    included = frozenset(query.words("includedData", allowed=INCLUDED_DATA))
    if account.restricted_data == "denied" and included & {"BUYER", "RECIPIENT"}:
        raise Unauthorized()
    return included


def _position(call: Call, token: str, filters: Mapping[str, str]) -> _Position:
    if call.is_struck_by("expired_token"):
        raise InvalidInput("The pagination token has expired.")
    position = call.state.pagination_tokens.get(token)
    if not isinstance(position, _Position) or (
        position.seller_id != call.seller.seller_id
    ):
        raise InvalidInput("Invalid value for parameter 'paginationToken'.")
    if call.now - position.issued > TOKEN_LIFETIME:
        del call.state.pagination_tokens[token]
        raise InvalidInput("The pagination token has expired.")
    if dict(position.filters) != dict(filters):
        raise InvalidInput(
            "The filters must be those of the request that gave the pagination token."
        )
    return position


def _matches(
    version: OrderVersion,
    now: datetime,
    marketplace_ids: tuple[str, ...],
    statuses: tuple[str, ...],
    fulfilled_by: tuple[str, ...],
) -> bool:
    if marketplace_ids and version.marketplace_id not in marketplace_ids:
        return False
    if statuses and version.status not in statuses:
        return False
    if fulfilled_by and version.fulfilled_by not in fulfilled_by:
        return False
    return version.marketplace_id in _LONG_MEMORY or version.created > now - _TWO_YEARS


def visible_part(
    payload: Mapping[str, Any], included: frozenset[str], call: Call
) -> dict[str, Any]:
    """The order with what ``includedData`` asks for and the caller may see."""
    fulfillment = payload.get("fulfillment", {})
    status = fulfillment.get("fulfillmentStatus")
    by_amazon = fulfillment.get("fulfilledBy") == "AMAZON"
    is_pending = status in _PENDING
    if is_pending:
        included = included - _HIDDEN_WHILE_PENDING
    if by_amazon:
        # Packages are of seller-fulfilled orders only.
        included = included - {"PACKAGES"}
    seen = {
        name: value
        for name, value in payload.items()
        if name not in _ORDER_FIELDS or _ORDER_FIELDS[name] in included
    }
    seen["orderItems"] = [
        _visible_item(item, included, is_pending) for item in payload["orderItems"]
    ]
    is_omitting = call.seller.restricted_data == "omitted"
    if "buyer" in seen and (by_amazon or is_omitting):
        # The relay address exists for seller-fulfilled orders only.
        seen["buyer"] = _without(
            seen["buyer"],
            ("buyerEmail", "buyerName") if is_omitting else ("buyerEmail",),
        )
    address = seen.get("recipient", {}).get("deliveryAddress")
    if address is not None:
        hidden: tuple[str, ...] = ()
        if is_omitting:
            hidden = _RESTRICTED_ADDRESS
        elif by_amazon or _is_past_delivery(status, fulfillment, call.now):
            hidden = ("phone",)
        if hidden:
            seen["recipient"] = {
                **seen["recipient"],
                "deliveryAddress": _without(address, hidden),
            }
    return seen


_CANCEL_REASONS = (
    "NO_INVENTORY",
    "BUYER_CANCELLED",
    "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CUSTOMER_EXCHANGE",
    "PRICING_ERROR",
)


def cancel_order(call: Call) -> Answer:
    """In Amazon's drafts only: whole orders, of which nothing is shipped."""
    Query(call.pairs, ())
    body = call.json()
    if not isinstance(body, dict) or set(body) != {"cancelReasonCode"}:
        raise InvalidInput("The body has a cancelReasonCode and nothing else.")
    reason = body["cancelReasonCode"]
    if reason not in _CANCEL_REASONS:
        raise InvalidInput("Invalid value for 'cancelReasonCode'.")
    order_id = call.path["orderId"]
    stored = call.state.own_order(order_id, call.seller.seller_id)
    if stored.current.fulfilled_by != "MERCHANT":
        raise InvalidInput("Amazon fulfils the order.")
    if stored.current.status != "UNSHIPPED":
        raise InvalidInput(f"The order is {stored.current.status}.")
    cancel(call.state, call.seller.seller_id, order_id, reason)
    return Answer(202)


_RESTRICTED_ADDRESS = (
    "name",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "postalCode",
    "phone",
    "extendedFields",
)


def _visible_item(
    item: Mapping[str, Any], included: frozenset[str], is_pending: bool
) -> dict[str, Any]:
    seen = {
        name: value
        for name, value in item.items()
        if name not in _ITEM_FIELDS or _ITEM_FIELDS[name] in included
    }
    if is_pending and "price" in seen["product"]:
        seen["product"] = _without(seen["product"], ("price",))
    return seen


def _is_past_delivery(
    status: str | None, fulfillment: Mapping[str, Any], now: datetime
) -> bool:
    """Amazon withholds the phone after the latest delivery date of shipped orders."""
    latest = fulfillment.get("deliverByWindow", {}).get("latestDateTime")
    return status == "SHIPPED" and latest is not None and parse_time(latest) < now


def _without(source: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in names}


OPERATIONS = (
    Operation(
        "searchOrders",
        "GET",
        "/orders/2026-01-01/orders",
        UsagePlan(0.0056, 20),
        search_orders,
    ),
    Operation(
        "getOrder",
        "GET",
        "/orders/2026-01-01/orders/{orderId}",
        UsagePlan(0.5, 30),
        get_order,
    ),
    Operation(
        "cancelOrder",
        "PUT",
        "/orders/2026-01-01/orders/{orderId}/cancellation",
        UsagePlan(1, 5),
        cancel_order,
    ),
)
