"""Feeds API 2021-06-30: documents up, feeds on their way, reports down.

    create_document → upload → create_feed → get_feed … → get_document → download

Source: Amazon's model ``feeds_2021-06-30.json`` and the documentation "Feeds API FAQ".
Links live five minutes. ``createFeed`` is the only step with an effect, and Amazon has
no idempotency key for it: a caller notes the document id before that call, and where
its outcome is unknown looks through ``find_feeds`` before sending anything again.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from .client import Client
from .errors import MalformedAnswer

CREATE_FEED_DOCUMENT = "createFeedDocument"
CREATE_FEED = "createFeed"
GET_FEED = "getFeed"
GET_FEEDS = "getFeeds"
GET_FEED_DOCUMENT = "getFeedDocument"
UPLOAD_FEED_DOCUMENT = "uploadFeedDocument"
DOWNLOAD_FEED_DOCUMENT = "downloadFeedDocument"

_PATH = "/feeds/2021-06-30"

#: The content type is part of the link's signature: the upload must repeat it exactly.
XML = "text/xml; charset=UTF-8"

#: No report of ours comes near it; what is larger is not read.
MOST_REPORT_BYTES = 50 * 1024 * 1024


class ProcessingStatus(StrEnum):
    """``Feed.processingStatus``. Amazon may add some: unknown ones are not final."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    #: Says nothing about success: the result document does, message by message.
    DONE = "DONE"
    #: By the caller, or by Amazon when the account lost a permission.
    CANCELLED = "CANCELLED"
    #: Aborted; some of its messages may have been applied.
    FATAL = "FATAL"


FINAL = frozenset(
    {ProcessingStatus.DONE, ProcessingStatus.CANCELLED, ProcessingStatus.FATAL}
)


@dataclass(frozen=True, slots=True)
class Document:
    """A feed document; whoever has the ``url`` may read or write it."""

    id: str
    url: str = field(repr=False)
    compression: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """``id`` is unique only together with the seller."""

    id: str
    type: str
    processing_status: str
    marketplace_ids: tuple[str, ...]
    created_time: datetime
    result_document_id: str = ""

    @property
    def is_final(self) -> bool:
        return self.processing_status in FINAL


def create_document(
    client: Client, content_type: str, *, max_wait_seconds: float = 0
) -> Document:
    answer = client.request(
        CREATE_FEED_DOCUMENT,
        "POST",
        f"{_PATH}/documents",
        json={"contentType": content_type},
        max_wait_seconds=max_wait_seconds,
        # A second document does no harm: only a feed has an effect.
        idempotent=True,
    )
    return _document(CREATE_FEED_DOCUMENT, answer)


def upload(
    client: Client, document: Document, content: bytes, content_type: str
) -> None:
    client.transfer(
        UPLOAD_FEED_DOCUMENT,
        "PUT",
        document.url,
        content=content,
        headers={"content-type": content_type},
    )


def create_feed(
    client: Client,
    feed_type: str,
    marketplace_ids: Sequence[str],
    document_id: str,
    *,
    options: Mapping[str, str] | None = None,
    max_wait_seconds: float = 0,
) -> str:
    """Submit an uploaded document; the feed's id.

    Raises ``UnknownOutcome`` where it may have arrived without our hearing of it.
    """
    body: dict[str, Any] = {
        "feedType": feed_type,
        "marketplaceIds": list(marketplace_ids),
        "inputFeedDocumentId": document_id,
    }
    if options:
        body["feedOptions"] = dict(options)
    answer = client.request(
        CREATE_FEED,
        "POST",
        f"{_PATH}/feeds",
        json=body,
        max_wait_seconds=max_wait_seconds,
        idempotent=False,
    )
    return _text(CREATE_FEED, answer, "feedId")


def get_feed(client: Client, feed_id: str, *, max_wait_seconds: float = 0) -> Feed:
    answer = client.request(
        GET_FEED,
        "GET",
        f"{_PATH}/feeds/{quote(feed_id, safe='')}",
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return _feed(GET_FEED, answer)


def find_feeds(
    client: Client,
    feed_type: str,
    created_since: datetime,
    *,
    max_wait_seconds: float = 0,
) -> Iterator[Feed]:
    """Every feed of a type created since then, one call a hundred."""
    params: dict[str, str] = {
        "feedTypes": feed_type,
        "createdSince": created_since.astimezone(UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "pageSize": "100",
    }
    while True:
        answer = client.request(
            GET_FEEDS,
            "GET",
            f"{_PATH}/feeds",
            params=params,
            max_wait_seconds=max_wait_seconds,
            idempotent=True,
        )
        found = answer.get("feeds") if isinstance(answer, Mapping) else None
        if not isinstance(found, list):
            raise MalformedAnswer(GET_FEEDS, "the answer has no feeds")
        for wire in found:
            yield _feed(GET_FEEDS, wire)
        token = answer.get("nextToken")
        if not isinstance(token, str) or not token:
            return
        # The model: the token is then the only parameter.
        params = {"nextToken": token}


def get_document(
    client: Client, document_id: str, *, max_wait_seconds: float = 0
) -> Document:
    answer = client.request(
        GET_FEED_DOCUMENT,
        "GET",
        f"{_PATH}/documents/{quote(document_id, safe='')}",
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return _document(GET_FEED_DOCUMENT, answer)


def download(
    client: Client, document: Document, operation: str = DOWNLOAD_FEED_DOCUMENT
) -> bytes:
    """The document's content, unpacked.

    Raises ``MalformedAnswer`` when it cannot be unpacked or is too large.
    """
    content = client.transfer(operation, "GET", document.url)
    if document.compression:
        if document.compression != "GZIP":
            raise MalformedAnswer(operation, "the compression is not known")
        content = _unpacked(operation, content)
    if len(content) > MOST_REPORT_BYTES:
        raise MalformedAnswer(operation, "the document is too large")
    return content


def _unpacked(operation: str, content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(content, MOST_REPORT_BYTES + 1)
    except (zlib.error, gzip.BadGzipFile):
        unpacked = b""
    if not unpacker.eof and len(unpacked) <= MOST_REPORT_BYTES:
        raise MalformedAnswer(operation, "the document cannot be unpacked")
    return unpacked


def _document(operation: str, answer: Any) -> Document:
    compression = answer.get("compressionAlgorithm") if answer else None
    return Document(
        _text(operation, answer, "feedDocumentId"),
        _text(operation, answer, "url"),
        compression if isinstance(compression, str) else "",
    )


def _feed(operation: str, wire: Any) -> Feed:
    created = _text(operation, wire, "createdTime")
    try:
        created_time = datetime.fromisoformat(created)
    except ValueError:
        raise MalformedAnswer(operation, "createdTime is not a time") from None
    if created_time.tzinfo is None:
        raise MalformedAnswer(operation, "createdTime has no time zone")
    result = wire.get("resultFeedDocumentId")
    marketplace_ids = wire.get("marketplaceIds")
    return Feed(
        id=_text(operation, wire, "feedId"),
        type=_text(operation, wire, "feedType"),
        processing_status=_text(operation, wire, "processingStatus"),
        marketplace_ids=tuple(
            each
            for each in (marketplace_ids if isinstance(marketplace_ids, list) else ())
            if isinstance(each, str)
        ),
        created_time=created_time,
        result_document_id=result if isinstance(result, str) else "",
    )


def _text(operation: str, answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(operation, f"the answer has no {name}")
    return value
