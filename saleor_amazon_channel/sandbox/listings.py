"""Listings Items API 2021-08-01, and the feed that changes many listings at once.

Source: Amazon's model ``listingsItems_2021-08-01.json``, documentation "Listings Items
API", "Listings Feed Type Values". What Amazon shares between the marketplaces of an
account is not all published: here a SKU is one listing with one quantity in all the
marketplaces it is listed in. Amazon takes changes for processing and applies them
later; here they are there at once.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import clock
from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput, NotFound
from .feed_store import StoredFeed
from .times import format_time, parse_time
from .usage_plans import UsagePlan

if TYPE_CHECKING:
    from .state import State

Json = dict[str, Any]

FEED_TYPE = "JSON_LISTINGS_FEED"
JSON_TYPE = "application/json; charset=UTF-8"
SELLER_FULFILLED = "DEFAULT"
#: What Amazon gives of one search, however it is paged.
MOST_RESULTS = 1000

#: Amazon's code for a SKU that it does not list; the others are the sandbox's own.
UNKNOWN_SKU, INVALID_ATTRIBUTE, INVALID_MESSAGE = "13013", "90220", "4000001"

_DATA_SETS = (
    "summaries",
    "attributes",
    "issues",
    "offers",
    "fulfillmentAvailability",
    "procurement",
    "relationships",
    "productTypes",
)
_OPERATIONS = ("add", "replace", "merge", "delete")


@dataclass(slots=True)
class StoredListing:
    """``availability`` is the attribute ``fulfillment_availability``: who ships how
    many of it."""

    sku: str
    product_type: str
    marketplace_ids: tuple[str, ...]
    asin: str
    title: str
    created: datetime
    updated: datetime
    availability: list[Json] = field(default_factory=list)
    #: Changes that were taken, oldest first.
    changes: list[Json] = field(default_factory=list)

    @property
    def quantity(self) -> int | None:
        """Of what the seller ships."""
        for each in self.availability:
            if each["fulfillment_channel_code"] == SELLER_FULFILLED:
                return each.get("quantity")
        return None


def put(
    state: State,
    seller_id: str,
    sku: str,
    *,
    marketplace_ids: Iterable[str],
    quantity: int | None = 0,
    channel: str = SELLER_FULFILLED,
    product_type: str = "KITCHEN",
    asin: str = "B0SANDBOX1",
    title: str = "Mug",
    **availability: Any,
) -> StoredListing:
    """The seller lists something, or lists it otherwise than before. ``quantity`` None:
    nobody has said yet who ships it."""
    with state.lock:
        now = clock.now()
        before = state.listings.get((seller_id, sku))
        listing = StoredListing(
            sku=sku,
            product_type=product_type,
            marketplace_ids=tuple(marketplace_ids),
            asin=asin,
            title=title,
            created=before.created if before else now,
            updated=now,
        )
        if quantity is not None:
            entry = {"fulfillment_channel_code": channel, **availability}
            if channel == SELLER_FULFILLED:
                entry["quantity"] = quantity
            listing.availability.append(entry)
        state.listings[seller_id, sku] = listing
        return listing


def delete(state: State, seller_id: str, sku: str) -> None:
    with state.lock:
        state.listings.pop((seller_id, sku), None)


def refuse(state: State, sku: str, message: str) -> None:
    """Find fault with every change of the SKU, in these words; empty: no more."""
    with state.lock:
        state.listing_refusals[sku] = message


def put_back(state: State, seller_id: str, units: Mapping[str, int]) -> None:
    """An order was cancelled: its units, by SKU, can be sold again."""
    for sku, number in units.items():
        listing = state.listings.get((seller_id, sku))
        if listing is None:
            continue
        for each in listing.availability:
            if each["fulfillment_channel_code"] == SELLER_FULFILLED:
                each["quantity"] = each.get("quantity", 0) + number
                listing.updated = _later(listing)


def search(call: Call) -> Answer:
    query = Query(
        call.pairs,
        (
            "marketplaceIds",
            "issueLocale",
            "includedData",
            "identifiers",
            "identifiersType",
            "createdAfter",
            "createdBefore",
            "lastUpdatedAfter",
            "lastUpdatedBefore",
            "sortBy",
            "sortOrder",
            "pageSize",
            "pageToken",
        ),
    )
    _own_path(call)
    [marketplace_id] = _marketplaces(call, query, most=1)
    data = query.words("includedData", allowed=_DATA_SETS) or ("summaries",)
    sort_by = query.text("sortBy") or "lastUpdatedDate"
    if sort_by not in _KEYS:
        raise InvalidInput("Invalid value for parameter 'sortBy'.")
    order = query.text("sortOrder") or "DESC"
    if order not in ("ASC", "DESC"):
        raise InvalidInput("Invalid value for parameter 'sortOrder'.")
    size = query.integer("pageSize", lowest=1, highest=20) or 10
    skus = query.words("identifiers", most=20)
    if bool(skus) != bool(query.text("identifiersType")):
        raise InvalidInput("'identifiers' and 'identifiersType' go together.")
    since, until = query.moment("lastUpdatedAfter"), query.moment("lastUpdatedBefore")
    after, before = query.moment("createdAfter"), query.moment("createdBefore")
    found = sorted(
        (
            each
            for (seller_id, _), each in call.state.listings.items()
            if seller_id == call.seller.seller_id
            and marketplace_id in each.marketplace_ids
            and (not skus or each.sku in skus)
            # Times are written in milliseconds, and inclusive.
            and (since is None or _moment(each.updated) >= since)
            and (until is None or _moment(each.updated) <= until)
            and (after is None or _moment(each.created) >= after)
            and (before is None or _moment(each.created) <= before)
        ),
        key=lambda each: (_KEYS[sort_by](each), each.sku),
        reverse=order == "DESC",
    )
    start = _position(query.text("pageToken"))
    page = found[:MOST_RESULTS][start : start + size]
    pagination = {}
    if start + size < min(len(found), MOST_RESULTS):
        pagination["nextToken"] = f"page-{start + size}"
    if start:
        pagination["previousToken"] = f"page-{max(start - size, 0)}"
    return Answer(
        200,
        {
            "numberOfResults": len(found),
            "pagination": pagination,
            "items": [_described(each, [marketplace_id], data) for each in page],
        },
    )


_KEYS = {
    "sku": lambda listing: listing.sku,
    "createdDate": lambda listing: listing.created,
    "lastUpdatedDate": lambda listing: listing.updated,
}


def get(call: Call) -> Answer:
    query = Query(call.pairs, ("marketplaceIds", "issueLocale", "includedData"))
    _own_path(call)
    marketplace_ids = _marketplaces(call, query)
    data = query.words("includedData", allowed=_DATA_SETS) or ("summaries",)
    listing = _listed(call.state, call.seller.seller_id, call.path["sku"])
    if listing is None or not set(marketplace_ids) & set(listing.marketplace_ids):
        raise NotFound(
            f"SKU '{call.path['sku']}' not found in marketplace {marketplace_ids[0]}"
        )
    return Answer(200, _described(listing, marketplace_ids, data))


def patch(call: Call) -> Answer:
    query = Query(call.pairs, ("marketplaceIds", "includedData", "mode", "issueLocale"))
    _own_path(call)
    marketplace_ids = _marketplaces(call, query)
    mode = query.text("mode")
    if mode not in (None, "VALIDATION_PREVIEW"):
        raise InvalidInput("Invalid value for parameter 'mode'.")
    body = call.json()
    problem = _malformed(body, ("productType", "patches"))
    if problem:
        raise InvalidInput(problem)
    sku, seller_id = call.path["sku"], call.seller.seller_id
    issues = _issues(call.state, seller_id, sku, marketplace_ids, body)
    if not issues and mode is None:
        _apply(call.state, seller_id, sku, body)
    status = "INVALID" if issues else "VALID" if mode else "ACCEPTED"
    return Answer(
        200,
        {
            "sku": sku,
            "status": status,
            "submissionId": f"f1dc2914{len(call.state.calls()):024x}",
            "issues": issues,
        },
    )


def finish_feed(state: State, feed: StoredFeed, now: datetime) -> None:
    """Process the messages of a listings feed and leave the report of it."""
    issues: list[Json] = []
    processed = accepted = 0
    messages = _messages(feed)
    if isinstance(messages, str):
        issues.append(_issue(INVALID_MESSAGE, messages))
        messages = []
    if feed.has_fate("fatal_partly"):
        messages = messages[: len(messages) // 2]
    seen: set[int] = set()
    for message in messages:
        processed += 1
        problems = _problems_of_message(state, feed, message, seen)
        issues += problems
        if not problems:
            accepted += 1
            _apply(state, feed.seller_id, message["sku"], message)
    if feed.has_fate("fatal_partly"):
        feed.final_status = "FATAL"
        return
    report = json.dumps(
        {
            "header": {
                "sellerId": feed.seller_id,
                "version": "2.0",
                "feedId": feed.id,
            },
            "issues": issues,
            "summary": {
                "errors": len(issues),
                "warnings": 0,
                "messagesProcessed": processed,
                "messagesAccepted": accepted,
                "messagesInvalid": processed - accepted,
            },
        }
    ).encode()
    if feed.has_fate("garbled"):
        report = report[: len(report) // 2]
    feed.final_status = "DONE"
    feed.result_document_id = state.feeds.add_document(
        feed.seller_id, JSON_TYPE, now, gzip.compress(report), is_compressed=True
    ).id


def _messages(feed: StoredFeed) -> list[Any] | str:
    """The messages, or what is wrong with the document."""
    if feed.document.content_type.replace(" ", "").lower() != (
        "application/json;charset=utf-8"
    ):
        return "The content type is not JSON."
    try:
        document = json.loads(feed.document.content or b"")
    except ValueError:
        return "The feed is not JSON."
    if not isinstance(document, dict) or set(document) != {"header", "messages"}:
        return "The feed needs a header and messages, and nothing else."
    header, messages = document["header"], document["messages"]
    if not isinstance(header, dict) or header.get("version") != "2.0":
        return "The version of the header must be 2.0."
    if header.get("sellerId") != feed.seller_id:
        return "The sellerId of the header is not the seller's."
    if set(header) - {"sellerId", "version", "issueLocale"}:
        return "The header has unknown fields."
    if not isinstance(messages, list) or not 1 <= len(messages) <= 25_000:
        return "A feed has 1 to 25,000 messages."
    return messages


def _problems_of_message(
    state: State, feed: StoredFeed, message: Any, seen: set[int]
) -> list[Json]:
    names = ("messageId", "sku", "operationType", "productType", "patches")
    problem = _malformed(message, names)
    number = message.get("messageId") if isinstance(message, dict) else None
    sku = message.get("sku") if isinstance(message, dict) else None
    if not problem and (type(number) is not int or number < 1 or number in seen):
        problem = "messageId must be a number of its own."
    if not problem and message["operationType"] != "PATCH":
        problem = "The sandbox knows the operationType PATCH only."
    if not problem and not (isinstance(sku, str) and 1 <= len(sku) <= 40):
        problem = "sku must be text of 1 to 40 characters."
    if problem or type(number) is not int or not isinstance(sku, str):
        return [_issue(INVALID_MESSAGE, problem) | _of(number, sku)]
    seen.add(number)
    found = _issues(state, feed.seller_id, sku, feed.marketplace_ids, message)
    return [{**each, **_of(number, sku)} for each in found]


def _of(number: Any, sku: Any) -> Json:
    found: Json = {}
    if type(number) is int:
        found["messageId"] = number
    if isinstance(sku, str):
        found["sku"] = sku
    return found


def _malformed(body: Any, names: tuple[str, ...]) -> str:
    """What of the request is not as the model has it; empty if nothing."""
    if not isinstance(body, dict):
        return "Request body must be an object."
    if unknown := set(body) - set(names):
        return f"Unknown fields: {', '.join(sorted(unknown))}."
    if missing := [name for name in names if not body.get(name)]:
        return f"{missing[0]} is required."
    if not isinstance(body["productType"], str):
        return "productType must be text."
    if not isinstance(body["patches"], list):
        return "patches must be a list."
    for each in body["patches"]:
        if not isinstance(each, dict) or set(each) - {"op", "path", "value"}:
            return "A patch has op, path and value."
        if each.get("op") not in _OPERATIONS:
            return f"op must be one of {', '.join(_OPERATIONS)}."
        path = each.get("path")
        if not isinstance(path, str) or not path.startswith("/attributes/"):
            return "path must be that of an attribute."
        if path.count("/") != 2:
            return "Only top-level attributes can be patched."
        value = each.get("value", [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            return "value must be a list of objects."
    return ""


def _issues(
    state: State,
    seller_id: str,
    sku: str,
    marketplace_ids: Iterable[str],
    body: Mapping[str, Any],
) -> list[Json]:
    """What Amazon finds wrong with a change of a listing."""
    listing = _listed(state, seller_id, sku)
    if listing is None or not set(marketplace_ids) & set(listing.marketplace_ids):
        return [
            _issue(
                UNKNOWN_SKU,
                "This SKU does not exist in the Amazon catalog. Your data was not "
                "processed.",
            )
        ]
    if refusal := state.listing_refusals.get(sku):
        return [_issue("99022", refusal)]
    if body["productType"] not in (listing.product_type, "PRODUCT"):
        return [_issue("4000003", "The productType is not the listing's.")]
    problems = [
        problem
        for each in body["patches"]
        if each["path"] == "/attributes/fulfillment_availability"
        for value in each.get("value", [])
        if (problem := _of_availability(value))
    ]
    return [
        _issue(INVALID_ATTRIBUTE, problem, "fulfillment_availability")
        for problem in problems
    ]


def _of_availability(value: Mapping[str, Any]) -> str:
    if not isinstance(value.get("fulfillment_channel_code"), str):
        return "'fulfillment_channel_code' is required but not supplied."
    quantity = value.get("quantity")
    if value["fulfillment_channel_code"] != SELLER_FULFILLED:
        return "" if quantity is None else "Amazon counts what it ships itself."
    if type(quantity) is not int or quantity < 0:
        return "'quantity' must be a whole number, 0 or more."
    return ""


def _apply(state: State, seller_id: str, sku: str, body: Mapping[str, Any]) -> None:
    listing = state.listings[seller_id, sku]
    for each in body["patches"]:
        listing.changes.append(dict(each))
        if each["path"] != "/attributes/fulfillment_availability":
            continue
        if each["op"] == "delete":
            listing.availability = []
        else:
            # DEFAULT on a listing that Amazon ships makes it the seller's.
            listing.availability = [dict(value) for value in each["value"]]
    listing.updated = _later(listing)


def _later(listing: StoredListing) -> datetime:
    """No two changes at one time."""
    return max(clock.now(), listing.updated + timedelta(milliseconds=1))


def _issue(code: str, message: str, attribute: str = "") -> Json:
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "categories": ["INVALID_ATTRIBUTE"],
        **({"attributeNames": [attribute]} if attribute else {}),
    }


def _listed(state: State, seller_id: str, sku: str) -> StoredListing | None:
    return state.listings.get((seller_id, sku))


def _own_path(call: Call) -> None:
    if call.path["sellerId"] != call.seller.seller_id:
        raise InvalidInput("sellerId is not that of the access token.")


def _marketplaces(call: Call, query: Query, most: int = 20) -> tuple[str, ...]:
    found = query.words("marketplaceIds", most=most)
    if not found:
        raise InvalidInput("marketplaceIds is required.")
    if not set(found) <= set(call.seller.marketplace_ids):
        raise InvalidInput("A marketplace is not one of the seller's.")
    return found


def _position(token: str | None) -> int:
    if token is None:
        return 0
    number = token.removeprefix("page-")
    if number == token or not number.isdecimal():
        raise InvalidInput("Invalid pageToken.")
    return int(number)


def _moment(moment: datetime) -> datetime:
    return parse_time(format_time(moment))


def _described(
    listing: StoredListing, marketplace_ids: Iterable[str], data: Iterable[str]
) -> Json:
    described: Json = {"sku": listing.sku}
    if "summaries" in data:
        described["summaries"] = [
            {
                "marketplaceId": marketplace_id,
                "asin": listing.asin,
                "productType": listing.product_type,
                "conditionType": "new_new",
                "status": ["BUYABLE", "DISCOVERABLE"],
                "itemName": listing.title,
                "createdDate": format_time(listing.created),
                "lastUpdatedDate": format_time(listing.updated),
            }
            for marketplace_id in marketplace_ids
            if marketplace_id in listing.marketplace_ids
        ]
    if "attributes" in data:
        described["attributes"] = {"fulfillment_availability": listing.availability}
    if "fulfillmentAvailability" in data:
        described["fulfillmentAvailability"] = [
            {
                "fulfillmentChannelCode": each["fulfillment_channel_code"],
                **({"quantity": each["quantity"]} if "quantity" in each else {}),
            }
            for each in listing.availability
        ]
    if "issues" in data:
        described["issues"] = []
    return described


def describe_listing(listing: StoredListing) -> Json:
    """For the control API."""
    return {
        "sku": listing.sku,
        "marketplace_ids": list(listing.marketplace_ids),
        "product_type": listing.product_type,
        "availability": listing.availability,
        "updated": format_time(listing.updated),
    }


_ITEMS = "/listings/2021-08-01/items/{sellerId}"

OPERATIONS = (
    Operation("searchListingsItems", "GET", _ITEMS, UsagePlan(5, 5), search),
    # A SKU may hold slashes.
    Operation("getListingsItem", "GET", _ITEMS + "/{+sku}", UsagePlan(5, 10), get),
    Operation("patchListingsItem", "PATCH", _ITEMS + "/{+sku}", UsagePlan(5, 5), patch),
)
