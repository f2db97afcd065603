"""Feeds and their documents as the sandbox remembers them.

Feeds of one seller and type run one after the other, as at Amazon. Time moves them:
``FeedStore.due`` says which have come to their end by a moment.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

LINK_LIFETIME = timedelta(minutes=5)
DOCUMENT_LIFETIME = timedelta(days=2)
IN_QUEUE_FOR = timedelta(seconds=15)
IN_PROGRESS_FOR = timedelta(seconds=30)

#: What may become of a feed instead of being processed as it should.
FATES = {
    "fatal": "FATAL, nothing applied, no report",
    "fatal_partly": "FATAL, the first half of the messages applied, no report",
    "cancelled": "CANCELLED by Amazon, nothing applied",
    "processing": "DONE, nothing applied, the report says Processing",
    "unprocessed": "DONE, nothing applied, the report counts 0 messages",
    "unnamed": "DONE, nothing applied, the report counts failures and names none",
    "rejected": "DONE, nothing applied, the report has error 5000 of the document",
    "garbled": "DONE and applied, the report cannot be read",
    "renumbered": "as garbled, and packages get ids of Amazon's own",
    "text_report": "DONE and applied, the report is tab text instead of XML",
    "stuck": "takes `seconds` longer than it should",
    "not_listed": "getFeed and getFeeds do not know it for `seconds`",
}


class FateError(ValueError):
    """The description of a fate makes no sense; the message says why."""


@dataclass(slots=True)
class Fate:
    """What becomes of a coming feed, of one type or of any."""

    kind: str
    feed_type: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FATES:
            raise FateError(f"unknown fate {self.kind!r}; one of {', '.join(FATES)}")


@dataclass(slots=True)
class StoredDocument:
    id: str
    seller_id: str
    content_type: str
    created: datetime
    content: bytes | None = field(default=None, repr=False)
    is_compressed: bool = False


@dataclass(slots=True)
class Link:
    document: StoredDocument
    method: str
    expires_at: datetime


@dataclass(slots=True)
class StoredFeed:
    id: str
    seller_id: str
    type: str
    marketplace_ids: tuple[str, ...]
    document: StoredDocument
    options: dict[str, str]
    created: datetime
    starts: datetime
    ends: datetime
    fate: Fate | None = None
    #: Final; until then it follows from the time.
    final_status: str = ""
    result_document_id: str = ""

    def status(self, now: datetime) -> str:
        if self.final_status:
            return self.final_status
        return "IN_PROGRESS" if now >= self.starts else "IN_QUEUE"

    def has_fate(self, *kinds: str) -> bool:
        return self.fate is not None and self.fate.kind in kinds

    def is_listed(self, now: datetime) -> bool:
        return (
            self.fate is None
            or self.fate.kind != "not_listed"
            or now >= self.created + timedelta(seconds=self.fate.seconds)
        )


class FeedStore:
    """Not thread-safe: the caller holds the state's lock."""

    def __init__(self) -> None:
        self._documents: dict[str, StoredDocument] = {}
        self._links: dict[str, Link] = {}
        self._feeds: dict[tuple[str, str], StoredFeed] = {}
        self._open: list[StoredFeed] = []
        self._numbers = itertools.count(50_001)
        self._fates: list[Fate] = []

    # --- documents ---

    def add_document(
        self,
        seller_id: str,
        content_type: str,
        now: datetime,
        content: bytes | None = None,
        *,
        is_compressed: bool = False,
    ) -> StoredDocument:
        document = StoredDocument(
            f"amzn1.tortuga.4.{secrets.token_hex(12)}",
            seller_id,
            content_type,
            now,
            content,
            is_compressed,
        )
        self._documents[document.id] = document
        return document

    def document(self, document_id: str, seller_id: str) -> StoredDocument | None:
        document = self._documents.get(document_id)
        return document if document and document.seller_id == seller_id else None

    def link(self, document: StoredDocument, method: str, now: datetime) -> str:
        """A secret that opens the document for five minutes."""
        secret = secrets.token_urlsafe(24)
        self._links[secret] = Link(document, method, now + LINK_LIFETIME)
        return secret

    def opened(self, secret: str, method: str, now: datetime) -> StoredDocument | None:
        link = self._links.get(secret)
        if link is None or link.method != method or now >= link.expires_at:
            return None
        return link.document

    # --- feeds ---

    def determine(self, fate: Fate) -> None:
        """The next feed of the fate's type, or of any, meets it."""
        self._fates.append(fate)

    def fates(self) -> list[Fate]:
        return list(self._fates)

    def clear_fates(self) -> None:
        self._fates.clear()

    def add_feed(
        self,
        seller_id: str,
        feed_type: str,
        marketplace_ids: Iterable[str],
        document: StoredDocument,
        options: dict[str, str],
        now: datetime,
    ) -> StoredFeed:
        fate = next((f for f in self._fates if f.feed_type in (None, feed_type)), None)
        if fate:
            self._fates.remove(fate)
        ahead = [
            feed.ends
            for feed in self._open
            if (feed.seller_id, feed.type) == (seller_id, feed_type)
        ]
        starts = max([now + IN_QUEUE_FOR, *ahead])
        longer = fate.seconds if fate and fate.kind == "stuck" else 0.0
        feed = StoredFeed(
            id=str(next(self._numbers)),
            seller_id=seller_id,
            type=feed_type,
            marketplace_ids=tuple(marketplace_ids),
            document=document,
            options=options,
            created=now,
            starts=starts,
            ends=starts + IN_PROGRESS_FOR + timedelta(seconds=longer),
            fate=fate,
        )
        self._feeds[seller_id, feed.id] = feed
        self._open.append(feed)
        return feed

    def feed(self, feed_id: str, seller_id: str) -> StoredFeed | None:
        return self._feeds.get((seller_id, feed_id))

    def feeds_of(self, seller_id: str) -> Iterator[StoredFeed]:
        """Newest first."""
        return (
            feed
            for feed in reversed(self._feeds.values())
            if feed.seller_id == seller_id
        )

    def due(self, now: datetime) -> list[StoredFeed]:
        """The feeds that have come to their end by now, taken out of the queue."""
        due = [feed for feed in self._open if now >= feed.ends]
        if due:
            self._open = [feed for feed in self._open if now < feed.ends]
        return sorted(due, key=lambda feed: feed.ends)

    def withdraw(self, feed: StoredFeed) -> None:
        """The caller cancels a feed that is still in the queue."""
        feed.final_status = "CANCELLED"
        self._open.remove(feed)


def described(fate: Fate) -> dict[str, Any]:
    return {"kind": fate.kind, "feed_type": fate.feed_type, "seconds": fate.seconds}
