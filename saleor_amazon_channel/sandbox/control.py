"""The control API, ``/_sandbox/...``: play Amazon, break things, see what was called.

JSON in and out; loopback only, like the whole server, and without a password.

    GET    health                       {"status", "now"}
    GET    accounts                     the accounts, without their refresh tokens
    POST   accounts                     {"region", "seller_id"?, "refresh_token"?, ...}
    POST   accounts/<seller id>/revoke  the seller withdraws the grant
    POST   accounts/<seller id>/restore {"refresh_token"?}
    POST   applications                 {"client_id", "client_secret", ...}
    POST   tokens/expire                all access tokens are expired
    GET    orders                       [{"order_id", "seller_id", "status", ...}]
    POST   orders                       {"orders": [...], "seller_id"?}, or a list, or a
                                        searchOrders response: add or replace
    POST   orders/generate              {"count", "seed"?, "marketplaces"?, ...}
    GET    orders/<order id>            the whole order, packages included
    POST   orders/<order id>/events     {"event": "cancel", ...}, see ``events.py``
                                        and ``refunds.py``
    GET    orders/<order id>/messages   what its buyer was sent: texts and file names
    GET    listings                     what sellers list, and how many
    POST   listings                     {"sku", "seller_id", "marketplace_ids",
                                        "quantity"?, "channel"?, ...}: add or replace
    GET    faults                       those still waiting
    POST   faults                       {"operation", "kind", "count"?, ...}
    DELETE faults
    GET    feeds                        all feeds, as getFeed describes them
    GET    feeds/fates                  what waits for the next feeds
    POST   feeds/fates                  {"kind", "feed_type"?, "seconds"?}: what becomes
                                        of the next feed, see ``feed_store.FATES``
    DELETE feeds/fates
    GET    reports                      all reports, as getReport describes them
    GET    reports/fates                what waits for the next reports
    POST   reports/fates                {"kind", "seconds"?}: what becomes of the next
                                        report, see ``report_store.FATES``
    DELETE reports/fates
    PUT    reports/invoice-data         {"refund_delay_seconds"}: how long after a
                                        refund the Invoice Data Report has it
    PUT    transactions                 {"posting_delay_seconds"?, "page_size"?}
    GET    notifications                destinations, subscriptions, and how many
                                        messages were lost
    PUT    notifications/delivery       {"endpoint_url"?, "copies"?, "held"?}: where
                                        SQS is, see ``notification_store.deliver``
    DELETE notifications/subscriptions  Amazon loses them
    PUT    usage-plans                  {"operation", "rate", "burst"} or {"enforced"}
    POST   usage-plans/refill
    GET    calls[?operation=...]        the call log: no personal data
    DELETE calls                        and the counters
    GET    counters                     {operation: {status: number}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from .. import clock
from . import listings
from .events import EVENTS
from .feed_store import Fate, described
from .feeds import advance, describe_feed
from .orders_file import orders_of
from .refunds import REFUND_EVENTS
from .report_store import ReportFate
from .reports import describe_report
from .seeds import generate
from .state import State, UnknownName, describe_account
from .times import format_time

Json = dict[str, Any]
Query = Mapping[str, str]

_EVENTS = {**EVENTS, **REFUND_EVENTS}


class ControlError(ValueError):
    """The request to the control API makes no sense; the message says why."""


def answer(
    state: State, method: str, path: str, query: str, body: bytes
) -> tuple[int, Any]:
    """Status and JSON data for a request to the control API."""
    parts = path.removeprefix("/_sandbox/").strip("/").split("/")
    try:
        data = json.loads(body) if body else {}
        for verb, template, handler in _ROUTES:
            values = _match(template, parts) if verb == method else None
            if values is not None:
                with state.lock:
                    return 200, handler(state, values, data, dict(parse_qsl(query)))
    except UnknownName as error:
        return 404, {"error": str(error)}
    except TypeError as error:
        # A field that the called function does not take, or one that it needs.
        return 400, {"error": str(error)}
    except ValueError as error:  # ours all say what is wrong
        return 400, {"error": str(error)}
    return 404, {"error": f"there is no {method} {path}"}


def _match(template: str, parts: list[str]) -> list[str] | None:
    expected = template.split("/")
    if len(expected) != len(parts):
        return None
    values = []
    for want, got in zip(expected, parts, strict=True):
        if want == "*":
            values.append(got)
        elif want != got:
            return None
    return values


def _fields(data: Any) -> Json:
    if not isinstance(data, dict):
        raise ControlError("the body must be a JSON object")
    return dict(data)


def _health(state: State, values: list[str], data: Any, query: Query) -> Any:
    return {"status": "ok", "now": format_time(clock.now())}


def _accounts(state: State, values: list[str], data: Any, query: Query) -> Any:
    return [describe_account(account) for account in state.accounts.values()]


def _add_account(state: State, values: list[str], data: Any, query: Query) -> Any:
    return describe_account(state.add_account(**_fields(data)))


def _revoke(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.revoke_grant(values[0])
    return describe_account(state.account(values[0]))


def _restore(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.restore_grant(values[0], **_fields(data))
    return describe_account(state.account(values[0]))


def _add_application(state: State, values: list[str], data: Any, query: Query) -> Any:
    return {"client_id": state.add_application(**_fields(data)).client_id}


def _expire_tokens(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.expire_access_tokens()
    return {}


def _orders(state: State, values: list[str], data: Any, query: Query) -> Any:
    listed = []
    for order_id in state.order_ids():
        stored = state.stored_order(order_id)
        payload = stored.current.payload
        fulfillment = payload.get("fulfillment", {})
        listed.append(
            {
                "order_id": order_id,
                "seller_id": stored.seller_id,
                "marketplace_id": payload["salesChannel"].get("marketplaceId"),
                "status": fulfillment.get("fulfillmentStatus"),
                "fulfilled_by": fulfillment.get("fulfilledBy"),
                "last_updated": payload["lastUpdatedTime"],
            }
        )
    return listed


def _put_orders(state: State, values: list[str], data: Any, query: Query) -> Any:
    seller_id = data.get("seller_id") if isinstance(data, dict) else None
    return {"orders": state.put_orders(orders_of(data), seller_id=seller_id)}


def _generate(state: State, values: list[str], data: Any, query: Query) -> Any:
    fields = _fields(data)
    seller_id = fields.pop("seller_id", None)
    if "created_over_days" in fields:
        fields["created_over"] = timedelta(days=fields.pop("created_over_days"))
    return {"orders": state.put_orders(generate(**fields), seller_id=seller_id)}


def _order(state: State, values: list[str], data: Any, query: Query) -> Any:
    return state.order(values[0])


def _messages(state: State, values: list[str], data: Any, query: Query) -> Any:
    sent: list[Json] = [
        {
            "action": message.action,
            "sent": format_time(message.sent),
            "text": message.text,
            "attachments": [name for name, _ in message.attachments],
        }
        for message in state.messages_of(state.order(values[0])["orderId"])
    ]
    if asked := state.solicited.get(values[0]):
        sent.append({"action": "reviewRequest", "sent": format_time(asked)})
    return sent


def _event(state: State, values: list[str], data: Any, query: Query) -> Any:
    fields = _fields(data)
    event = fields.pop("event", None)
    if event not in _EVENTS:
        raise ControlError(f"unknown event {event!r}; one of {', '.join(_EVENTS)}")
    return _EVENTS[event](state, values[0], **fields)


def _listings(state: State, values: list[str], data: Any, query: Query) -> Any:
    return [
        {"seller_id": seller_id, **listings.describe_listing(listing)}
        for (seller_id, _), listing in state.listings.items()
    ]


def _put_listing(state: State, values: list[str], data: Any, query: Query) -> Any:
    fields = _fields(data)
    account = state.account(str(fields.pop("seller_id", "")))
    return listings.describe_listing(listings.put(state, account.seller_id, **fields))


def _faults(state: State, values: list[str], data: Any, query: Query) -> Any:
    return state.faults.waiting()


def _inject(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.inject_fault(**_fields(data))
    return state.faults.waiting()


def _clear_faults(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.clear_faults()
    return []


def _feeds(state: State, values: list[str], data: Any, query: Query) -> Any:
    now = clock.now()
    advance(state, now)
    return [
        {"seller_id": seller_id, **describe_feed(feed, now)}
        for seller_id in state.accounts
        for feed in state.feeds.feeds_of(seller_id)
    ]


def _fates(state: State, values: list[str], data: Any, query: Query) -> Any:
    return [described(fate) for fate in state.feeds.fates()]


def _determine(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.feeds.determine(Fate(**_fields(data)))
    return _fates(state, values, data, query)


def _clear_fates(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.feeds.clear_fates()
    return []


def _reports(state: State, values: list[str], data: Any, query: Query) -> Any:
    now = clock.now()
    return [
        {"seller_id": report.seller_id, **describe_report(state, report, now)}
        for report in state.reports.all()
    ]


def _report_fates(state: State, values: list[str], data: Any, query: Query) -> Any:
    return [asdict(fate) for fate in state.reports.fates()]


def _determine_report(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.reports.determine(ReportFate(**_fields(data)))
    return _report_fates(state, values, data, query)


def _clear_report_fates(
    state: State, values: list[str], data: Any, query: Query
) -> Any:
    state.reports.clear_fates()
    return []


def _set_invoice_data(state: State, values: list[str], data: Any, query: Query) -> Any:
    seconds = _fields(data).get("refund_delay_seconds", 0)
    state.reports.refund_delay = timedelta(seconds=seconds)
    return {"refund_delay_seconds": seconds}


def _notifications(state: State, values: list[str], data: Any, query: Query) -> Any:
    return {
        "lost": state.notifications.lost,
        "destinations": [
            asdict(each) for each in state.notifications.destinations.values()
        ],
        "subscriptions": [
            asdict(each) for each in state.notifications.subscriptions.values()
        ],
    }


def _deliver(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.notifications.deliver(**_fields(data))
    return {}


def _lose_subscriptions(
    state: State, values: list[str], data: Any, query: Query
) -> Any:
    state.notifications.subscriptions.clear()
    return {}


def _set_plan(state: State, values: list[str], data: Any, query: Query) -> Any:
    fields = _fields(data)
    if "enforced" in fields:
        state.plans.is_enforced = bool(fields.pop("enforced"))
    if fields:
        state.set_usage_plan(**fields)
    return {"enforced": state.plans.is_enforced}


def _refill(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.plans.refill()
    return {}


def _calls(state: State, values: list[str], data: Any, query: Query) -> Any:
    return [asdict(call) for call in state.calls(query.get("operation"))]


def _clear_calls(state: State, values: list[str], data: Any, query: Query) -> Any:
    state.clear_calls()
    return {}


def _counters(state: State, values: list[str], data: Any, query: Query) -> Any:
    return state.counters()


def _set_transactions(state: State, values: list[str], data: Any, query: Query) -> Any:
    fields = _fields(data)
    store = state.transactions
    if "posting_delay_seconds" in fields:
        store.posting_delay = timedelta(seconds=fields.pop("posting_delay_seconds"))
    store.page_size = int(fields.pop("page_size", store.page_size))
    if fields:
        raise ControlError(f"unknown fields {', '.join(fields)}")
    return {
        "posting_delay_seconds": store.posting_delay.total_seconds(),
        "page_size": store.page_size,
    }


_Handler = Callable[[State, list[str], Any, Query], Any]

_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "health", _health),
    ("GET", "accounts", _accounts),
    ("POST", "accounts", _add_account),
    ("POST", "accounts/*/revoke", _revoke),
    ("POST", "accounts/*/restore", _restore),
    ("POST", "applications", _add_application),
    ("POST", "tokens/expire", _expire_tokens),
    ("GET", "orders", _orders),
    ("POST", "orders", _put_orders),
    ("POST", "orders/generate", _generate),
    ("GET", "orders/*", _order),
    ("POST", "orders/*/events", _event),
    ("GET", "orders/*/messages", _messages),
    ("GET", "listings", _listings),
    ("POST", "listings", _put_listing),
    ("GET", "faults", _faults),
    ("POST", "faults", _inject),
    ("DELETE", "faults", _clear_faults),
    ("GET", "feeds", _feeds),
    ("GET", "feeds/fates", _fates),
    ("POST", "feeds/fates", _determine),
    ("DELETE", "feeds/fates", _clear_fates),
    ("GET", "reports", _reports),
    ("GET", "reports/fates", _report_fates),
    ("POST", "reports/fates", _determine_report),
    ("DELETE", "reports/fates", _clear_report_fates),
    ("PUT", "reports/invoice-data", _set_invoice_data),
    ("PUT", "transactions", _set_transactions),
    ("GET", "notifications", _notifications),
    ("PUT", "notifications/delivery", _deliver),
    ("DELETE", "notifications/subscriptions", _lose_subscriptions),
    ("PUT", "usage-plans", _set_plan),
    ("POST", "usage-plans/refill", _refill),
    ("GET", "calls", _calls),
    ("DELETE", "calls", _clear_calls),
    ("GET", "counters", _counters),
)
