"""Feeds API 2021-06-30: documents, feeds, and the links the documents are behind.

Source: Amazon's model ``feeds_2021-06-30.json``, documentation "Feeds API FAQ". What
becomes of a feed's content is ``feed_processing.py``'s. Choices where Amazon is silent:
unknown fields are refused; a document serves one feed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput, NotFound
from .feed_processing import PROCESSORS, finish
from .feed_store import DOCUMENT_LIFETIME, StoredFeed
from .invoices import FEED_TYPE as INVOICE_FEED
from .listings import FEED_TYPE as LISTINGS_FEED
from .times import format_time
from .usage_plans import UsagePlan

if TYPE_CHECKING:
    from .state import State

LINK_PREFIX = "/_documents/"

_STATUSES = ("CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE")
_LISTED_FOR = timedelta(days=90)
_FILTERS = (
    "feedTypes",
    "marketplaceIds",
    "pageSize",
    "processingStatuses",
    "createdSince",
    "createdUntil",
)


def advance(state: State, now: datetime) -> None:
    """Let the time that has passed do to the feeds what it does."""
    for feed in state.feeds.due(now):
        finish(state, feed, now)
        state.notifications.feed_finished(feed)


def create_feed_document(call: Call) -> Answer:
    body = _body(call, {"contentType": str}, required=("contentType",))
    document = call.state.feeds.add_document(
        call.seller.seller_id, body["contentType"], call.now
    )
    secret = call.state.feeds.link(document, "PUT", call.now)
    return Answer(
        201, {"feedDocumentId": document.id, "url": call.state.link_url(secret)}
    )


def create_feed(call: Call) -> Answer:
    body = _body(
        call,
        {
            "feedType": str,
            "marketplaceIds": list,
            "inputFeedDocumentId": str,
            "feedOptions": dict,
        },
        required=("feedType", "marketplaceIds", "inputFeedDocumentId"),
    )
    if body["feedType"] not in (*PROCESSORS, INVOICE_FEED, LISTINGS_FEED):
        raise InvalidInput("Invalid feed type.", f"'{body['feedType'][:100]}'")
    marketplace_ids = body["marketplaceIds"]
    if not 1 <= len(marketplace_ids) <= 25:
        raise InvalidInput("marketplaceIds must have 1 to 25 values.")
    if not set(marketplace_ids) <= set(call.seller.marketplace_ids):
        raise InvalidInput("A marketplace is not one of the seller's.")
    options = body.get("feedOptions", {})
    if not all(isinstance(value, str) for value in options.values()):
        raise InvalidInput("feedOptions must be text.")
    document = call.state.feeds.document(
        body["inputFeedDocumentId"], call.seller.seller_id
    )
    if document is None or call.now >= document.created + DOCUMENT_LIFETIME:
        raise InvalidInput("Invalid inputFeedDocumentId.")
    if document.content is None:
        raise InvalidInput("The feed document has no content: upload it first.")
    if any(
        feed.document is document
        for feed in call.state.feeds.feeds_of(call.seller.seller_id)
    ):
        raise InvalidInput("The feed document was used before.")
    feed = call.state.feeds.add_feed(
        call.seller.seller_id,
        body["feedType"],
        marketplace_ids,
        document,
        options,
        call.now,
    )
    return Answer(202, {"feedId": feed.id})


def get_feed(call: Call) -> Answer:
    Query(call.pairs, ())
    return Answer(200, describe_feed(_own_feed(call), call.now))


def get_feeds(call: Call) -> Answer:
    query = Query(call.pairs, (*_FILTERS, "nextToken"))
    token = query.text("nextToken")
    if token is not None:
        if len(query.values) > 1:
            raise InvalidInput("nextToken must be the only parameter.")
        try:
            offset, *given = base64.urlsafe_b64decode(token).decode().split("\n")
            query = Query((_pair(each) for each in given), _FILTERS)
            start = int(offset)
        except (ValueError, UnicodeDecodeError):
            raise InvalidInput("Invalid nextToken.") from None
    else:
        start = 0
    types = query.words("feedTypes", most=10)
    if not types:
        raise InvalidInput("feedTypes or nextToken is required.")
    marketplace_ids = query.words("marketplaceIds", most=10)
    statuses = query.words("processingStatuses", allowed=_STATUSES)
    since = query.moment("createdSince") or call.now - _LISTED_FOR
    until = query.moment("createdUntil") or call.now
    size = query.integer("pageSize", lowest=1, highest=100) or 10
    found = [
        feed
        for feed in call.state.feeds.feeds_of(call.seller.seller_id)
        if feed.type in types
        and since <= feed.created <= until
        and feed.is_listed(call.now)
        and (not marketplace_ids or set(feed.marketplace_ids) & set(marketplace_ids))
        and (not statuses or feed.status(call.now) in statuses)
    ]
    answer: dict[str, Any] = {
        "feeds": [describe_feed(feed, call.now) for feed in found[start : start + size]]
    }
    if len(found) > start + size:
        given = [f"{name}={value}" for name, value in query.values.items()]
        answer["nextToken"] = base64.urlsafe_b64encode(
            "\n".join([str(start + size), *given]).encode()
        ).decode()
    return Answer(200, answer)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def cancel_feed(call: Call) -> Answer:
    feed = _own_feed(call)
    if feed.status(call.now) != "IN_QUEUE":
        raise InvalidInput("Only a feed that is IN_QUEUE can be cancelled.")
    call.state.feeds.withdraw(feed)
    return Answer(200)


def get_feed_document(call: Call) -> Answer:
    Query(call.pairs, ("enableContentEncodingUrlHeader",))
    document = call.state.feeds.document(
        call.path["feedDocumentId"], call.seller.seller_id
    )
    if document is None or document.content is None:
        raise NotFound()
    secret = call.state.feeds.link(document, "GET", call.now)
    answer = {"feedDocumentId": document.id, "url": call.state.link_url(secret)}
    if document.is_compressed:
        answer["compressionAlgorithm"] = "GZIP"
    return Answer(200, answer)


def open_link(
    state: State,
    method: str,
    secret: str,
    content_type: str,
    body: bytes,
    now: datetime,
    *,
    has_token: bool,
) -> Answer:
    """What the store behind the links answers: it is not SP-API, and says so."""
    document = state.feeds.opened(secret, method, now)
    # The link is signed with the content type, and is all the authorization there is.
    if (
        document is None
        or has_token
        or (method == "PUT" and content_type != document.content_type)
    ):
        return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
    if method == "PUT":
        document.content = body
        return Answer(200)
    return Answer(200, document.content)


def _own_feed(call: Call) -> StoredFeed:
    feed = call.state.feeds.feed(call.path["feedId"], call.seller.seller_id)
    if feed is None or not feed.is_listed(call.now):
        raise NotFound()
    return feed


def describe_feed(feed: StoredFeed, now: datetime) -> dict[str, Any]:
    """The feed as the model describes it."""
    status = feed.status(now)
    described: dict[str, Any] = {
        "feedId": feed.id,
        "feedType": feed.type,
        "marketplaceIds": list(feed.marketplace_ids),
        "createdTime": format_time(feed.created),
        "processingStatus": status,
    }
    if status != "IN_QUEUE" and not (status == "CANCELLED" and now < feed.starts):
        described["processingStartTime"] = format_time(feed.starts)
    if feed.final_status and status != "CANCELLED":
        described["processingEndTime"] = format_time(feed.ends)
    if feed.result_document_id:
        described["resultFeedDocumentId"] = feed.result_document_id
    return described


def _body(
    call: Call, fields: Mapping[str, type], required: tuple[str, ...]
) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise InvalidInput("Request body must be an object.")
    for name in required:
        if not body.get(name):
            raise InvalidInput(f"{name} is required.")
    for name, value in body.items():
        if name not in fields:
            raise InvalidInput(f"Request has unknown fields [{name[:100]}]")
        if not isinstance(value, fields[name]):
            raise InvalidInput(f"Request has fields with invalid type [{name}]")
    return body


OPERATIONS = (
    Operation(
        "getFeeds",
        "GET",
        "/feeds/2021-06-30/feeds",
        UsagePlan(0.0222, 10),
        get_feeds,
    ),
    Operation(
        "createFeed",
        "POST",
        "/feeds/2021-06-30/feeds",
        UsagePlan(0.0083, 15),
        create_feed,
    ),
    Operation(
        "getFeed",
        "GET",
        "/feeds/2021-06-30/feeds/{feedId}",
        UsagePlan(2, 15),
        get_feed,
    ),
    Operation(
        "cancelFeed",
        "DELETE",
        "/feeds/2021-06-30/feeds/{feedId}",
        UsagePlan(2, 15),
        cancel_feed,
    ),
    Operation(
        "createFeedDocument",
        "POST",
        "/feeds/2021-06-30/documents",
        UsagePlan(0.5, 15),
        create_feed_document,
    ),
    Operation(
        "getFeedDocument",
        "GET",
        "/feeds/2021-06-30/documents/{feedDocumentId}",
        UsagePlan(0.0222, 10),
        get_feed_document,
    ),
)
