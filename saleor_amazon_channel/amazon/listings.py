"""Listings Items API 2021-08-01 and ``JSON_LISTINGS_FEED``: what the seller lists, and
how many of it there are.

Source: Amazon's model ``listingsItems_2021-08-01.json``, documentation "Listings Items
API", "Listings Feed Type Values". A quantity is absolute, so that sending it twice does
what sending it once does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from .client import Client
from .errors import MalformedAnswer
from .reading import Problem, Wire, obj, quantity, required_text, text

SEARCH_LISTINGS_ITEMS = "searchListingsItems"
GET_LISTINGS_ITEM = "getListingsItem"
PATCH_LISTINGS_ITEM = "patchListingsItem"

LISTINGS_FEED = "JSON_LISTINGS_FEED"
JSON = "application/json; charset=UTF-8"

#: ``fulfillmentChannelCode`` of what the seller ships. All others are Amazon's.
SELLER_FULFILLED = "DEFAULT"
#: Amazon's code for a SKU that it does not list.
UNKNOWN_SKU_CODE: Final = "13013"
#: A page of ``searchListingsItems``, at most.
PAGE_SIZE = 20

_ATTRIBUTE = "fulfillment_availability"
_QUANTITY = "quantity"
_INCLUDED = "summaries,attributes,fulfillmentAvailability"


@dataclass(frozen=True, slots=True)
class Listing:
    """What the seller lists under a SKU in one marketplace.

    ``channels`` goes from the fulfilment channels to the units that Amazon has there,
    None where it does not tell. ``availability`` is what the seller said of the units
    that they ship themselves, without their number: the handling time, for example. It
    has to be said again with every number.
    """

    sku: str
    product_type: str
    asin: str
    title: str
    updated_at: datetime
    channels: Mapping[str, int | None]
    availability: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_amazon_fulfilled(self) -> bool:
        return any(code != SELLER_FULFILLED for code in self.channels)

    @property
    def is_seller_fulfilled(self) -> bool:
        return SELLER_FULFILLED in self.channels and not self.is_amazon_fulfilled

    @property
    def quantity(self) -> int | None:
        return self.channels.get(SELLER_FULFILLED)


@dataclass(frozen=True, slots=True)
class Page:
    """Listings, in the order in which they were last changed; ``unreadable`` says what
    of the page could not be read."""

    listings: tuple[Listing, ...]
    next_token: str = ""
    unreadable: tuple[str, ...] = ()
    #: When the last of all that are on the page was changed.
    last_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """``units`` of a SKU that can be sold; the rest as the listing has it."""

    sku: str
    product_type: str
    units: int
    availability: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issue:
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


@dataclass(frozen=True, slots=True)
class Submission:
    """What Amazon made of a change: taken for processing, or not and why."""

    is_accepted: bool
    errors: tuple[Issue, ...] = ()


def search(
    client: Client,
    seller_id: str,
    marketplace_id: str,
    updated_since: datetime | None,
    *,
    page_token: str = "",
    max_wait_seconds: float = 0,
) -> Page:
    """Up to ``PAGE_SIZE`` listings that changed since then, the earliest first.

    Amazon gives a thousand of a search at most: whoever wants all of them goes on from
    the time of the last.
    """
    params = {
        "marketplaceIds": marketplace_id,
        "includedData": _INCLUDED,
        "sortBy": "lastUpdatedDate",
        "sortOrder": "ASC",
        "pageSize": str(PAGE_SIZE),
    }
    if updated_since:
        moment = updated_since.astimezone(UTC).isoformat(timespec="milliseconds")
        params["lastUpdatedAfter"] = moment.replace("+00:00", "Z")
    if page_token:
        params["pageToken"] = page_token
    answer = client.request(
        SEARCH_LISTINGS_ITEMS,
        "GET",
        _path(seller_id),
        params=params,
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return _page(answer, marketplace_id)


def find(
    client: Client,
    seller_id: str,
    marketplace_id: str,
    skus: Sequence[str],
    *,
    max_wait_seconds: float = 0,
) -> Mapping[str, Listing]:
    """By SKU those of up to ``PAGE_SIZE`` that the answer has. One that it has not may
    be listed all the same: Amazon's search may lag behind its listings, and a SKU with
    a comma cannot be searched for. ``get_listing`` knows.
    """
    wanted = [sku for sku in skus if "," not in sku]
    if not wanted:
        return {}
    answer = client.request(
        SEARCH_LISTINGS_ITEMS,
        "GET",
        _path(seller_id),
        params={
            "marketplaceIds": marketplace_id,
            "includedData": _INCLUDED,
            "identifiers": ",".join(wanted),
            "identifiersType": "SKU",
            "pageSize": str(PAGE_SIZE),
        },
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return {each.sku: each for each in _page(answer, marketplace_id).listings}


def get_listing(
    client: Client,
    seller_id: str,
    marketplace_id: str,
    sku: str,
    *,
    max_wait_seconds: float = 0,
) -> Listing:
    """Raises ``NotFound`` where the seller does not list it."""
    answer = client.request(
        GET_LISTINGS_ITEM,
        "GET",
        _path(seller_id, sku),
        params={"marketplaceIds": marketplace_id, "includedData": _INCLUDED},
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    try:
        return _listing(answer, marketplace_id)
    except Problem as problem:
        raise MalformedAnswer(
            GET_LISTINGS_ITEM, f"{problem.path} {problem.text}"
        ) from None


def patch_quantity(
    client: Client,
    seller_id: str,
    marketplace_id: str,
    change: Quantity,
    *,
    max_wait_seconds: float = 0,
) -> Submission:
    """Say how many there are. Raises ``NotFound`` where the seller does not list it."""
    answer = client.request(
        PATCH_LISTINGS_ITEM,
        "PATCH",
        _path(seller_id, change.sku),
        params={"marketplaceIds": marketplace_id},
        json={"productType": change.product_type, "patches": _patches(change)},
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    try:
        status = required_text(obj(answer), "status")
        issues = [obj(each) for each in answer.get("issues") or ()]
        return Submission(
            status == "ACCEPTED",
            tuple(
                Issue(text(each, "code"), text(each, "message"))
                for each in issues
                if each.get("severity") == "ERROR"
            ),
        )
    except Problem as problem:
        raise MalformedAnswer(
            PATCH_LISTINGS_ITEM, f"{problem.path} {problem.text}"
        ) from None


def quantities(seller_id: str, messages: Mapping[int, Quantity]) -> bytes:
    """The content of a feed that says how many there are, by message ids."""
    return json.dumps(
        {
            "header": {"sellerId": seller_id, "version": "2.0", "issueLocale": "en_US"},
            "messages": [
                {
                    "messageId": message_id,
                    "sku": change.sku,
                    "operationType": "PATCH",
                    "productType": change.product_type,
                    "patches": _patches(change),
                }
                for message_id, change in messages.items()
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def _patches(change: Quantity) -> list[Wire]:
    # The whole attribute is replaced: what else the seller said of it goes along.
    value = {
        **change.availability,
        "fulfillment_channel_code": SELLER_FULFILLED,
        _QUANTITY: change.units,
    }
    return [{"op": "replace", "path": f"/attributes/{_ATTRIBUTE}", "value": [value]}]


def _page(answer: object, marketplace_id: str) -> Page:
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(items, list):
        raise MalformedAnswer(SEARCH_LISTINGS_ITEMS, "the answer has no items")
    found, unreadable = [], []
    for wire in items:
        try:
            found.append(_listing(wire, marketplace_id))
        except Problem as problem:
            unreadable.append(f"{problem.path} {problem.text}")
    pagination = answer.get("pagination")
    token = pagination.get("nextToken") if isinstance(pagination, dict) else None
    return Page(
        tuple(found),
        token if isinstance(token, str) else "",
        tuple(unreadable),
        max((each.updated_at for each in found), default=None),
    )


def _path(seller_id: str, sku: str | None = None) -> str:
    path = f"/listings/2021-08-01/items/{quote(seller_id, safe='')}"
    return path if sku is None else f"{path}/{quote(sku, safe='')}"


def _listing(wire: object, marketplace_id: str) -> Listing:
    item = obj(wire)
    sku = required_text(item, "sku")
    try:
        summary = next(
            each
            for each in _objects(item, "summaries")
            if each.get("marketplaceId") == marketplace_id
        )
    except StopIteration:
        raise Problem(f"{sku}: summaries", "have none of the marketplace") from None
    try:
        updated_at = datetime.fromisoformat(required_text(summary, "lastUpdatedDate"))
    except ValueError:
        raise Problem(f"{sku}: lastUpdatedDate", "is not a time") from None
    if updated_at.tzinfo is None:
        raise Problem(f"{sku}: lastUpdatedDate", "has no time zone")
    return Listing(
        sku=sku,
        product_type=required_text(summary, "productType"),
        asin=text(summary, "asin"),
        title=text(summary, "itemName"),
        updated_at=updated_at,
        channels={
            required_text(each, "fulfillmentChannelCode"): (
                None if each.get(_QUANTITY) is None else quantity(each, _QUANTITY)
            )
            for each in _objects(item, "fulfillmentAvailability")
        },
        availability=_availability(item),
    )


def _availability(item: Wire) -> Wire:
    attributes = obj(item.get("attributes") or {})
    for each in _objects(attributes, _ATTRIBUTE):
        if each.get("fulfillment_channel_code") == SELLER_FULFILLED:
            return {name: each[name] for name in each if name != _QUANTITY}
    return {}


def _objects(wire: Wire, key: str) -> Sequence[Wire]:
    found = wire.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise Problem(key, "must be a list")
    return [obj(each) for each in found]
