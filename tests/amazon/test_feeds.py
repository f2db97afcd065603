from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saleor_amazon_channel.amazon import feeds
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    MalformedAnswer,
    Unavailable,
    UnknownOutcome,
)
from saleor_amazon_channel.amazon.feeds import Document, Feed

from .conftest import NOON, Answer, Loopback, StillClock

FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
LINK = "/the-link"


def wire_feed(**changes: Any) -> dict[str, Any]:
    return {
        "feedId": "50001",
        "feedType": "POST_ORDER_ACKNOWLEDGEMENT_DATA",
        "marketplaceIds": ["A1PA6795UKMFR9"],
        "createdTime": "2026-11-22T11:00:00.000Z",
        "processingStatus": "DONE",
        "resultFeedDocumentId": "amzn1.tortuga.2",
        **changes,
    }


def test_a_document_goes_up_without_our_token(amazon: Loopback, client: Client) -> None:
    link = amazon.url + LINK
    amazon.answer(DOCUMENTS, Answer(201, {"feedDocumentId": "amzn1.1", "url": link}))
    amazon.answer(LINK, Answer(200))

    document = feeds.create_document(client, feeds.XML)
    feeds.upload(client, document, b"<a/>", feeds.XML)

    assert document == Document("amzn1.1", link)
    [asked] = amazon.calls(DOCUMENTS)
    assert json.loads(asked.body) == {"contentType": "text/xml; charset=UTF-8"}
    [put] = amazon.calls(LINK)
    assert (put.method, put.body) == ("PUT", "<a/>")
    assert put.headers["content-type"] == "text/xml; charset=UTF-8"
    assert "x-amz-access-token" not in put.headers
    assert link not in repr(document)


def test_a_link_that_is_not_accepted_any_more_may_be_asked_for_again(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(
        LINK,
        Answer(403, b"<Error>the link and its signature</Error>", content_type="xml"),
    )

    with pytest.raises(Unavailable) as caught:
        feeds.download(client, Document("d", amazon.url + LINK))

    assert caught.value.status == 403
    assert "signature" not in str(caught.value)
    assert len(amazon.calls(LINK)) == 1


def test_a_link_that_fails_is_tried_again(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(LINK, Answer(503), Answer(200, b"report"))

    assert feeds.download(client, Document("d", amazon.url + LINK)) == b"report"


def test_a_feed_is_submitted_once_only(
    amazon: Loopback, client: Client, still_clock: StillClock
) -> None:
    amazon.answer(FEEDS, Answer(202, {"feedId": "50001"}))
    feed_id = feeds.create_feed(
        client, "A_TYPE", ["A1PA6795UKMFR9"], "amzn1.1", options={"metadata:x": "1"}
    )

    assert feed_id == "50001"
    [sent] = amazon.calls(FEEDS)
    assert json.loads(sent.body) == {
        "feedType": "A_TYPE",
        "marketplaceIds": ["A1PA6795UKMFR9"],
        "inputFeedDocumentId": "amzn1.1",
        "feedOptions": {"metadata:x": "1"},
    }

    for answer in (Answer(500), Answer(instead="drop")):
        amazon.answer(FEEDS, answer)
        before = len(amazon.calls(FEEDS))
        with pytest.raises(UnknownOutcome):
            feeds.create_feed(client, "A_TYPE", ["A1PA6795UKMFR9"], "amzn1.1")
        assert len(amazon.calls(FEEDS)) == before + 1


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        ("IN_QUEUE", False),
        ("IN_PROGRESS", False),
        ("DONE", True),
        ("CANCELLED", True),
        ("FATAL", True),
        ("SOMETHING_NEW", False),
    ],
)
def test_a_feed_is_read(
    amazon: Loopback, client: Client, status: str, is_final: bool
) -> None:
    amazon.answer(FEEDS + "/50001", Answer(body=wire_feed(processingStatus=status)))

    feed = feeds.get_feed(client, "50001")

    assert feed == Feed(
        "50001",
        "POST_ORDER_ACKNOWLEDGEMENT_DATA",
        status,
        ("A1PA6795UKMFR9",),
        datetime(2026, 11, 22, 11, tzinfo=UTC),
        "amzn1.tortuga.2",
    )
    assert feed.is_final is is_final


def test_feeds_are_found_page_by_page(amazon: Loopback, client: Client) -> None:
    amazon.answer(
        FEEDS,
        Answer(body={"feeds": [wire_feed()], "nextToken": "more"}),
        Answer(body={"feeds": [wire_feed(feedId="50002")]}),
    )

    found = list(feeds.find_feeds(client, "A_TYPE", NOON - timedelta(hours=1)))

    assert [feed.id for feed in found] == ["50001", "50002"]
    first, second = amazon.calls(FEEDS)
    assert first.query == {
        "feedTypes": "A_TYPE",
        "createdSince": "2026-11-22T11:00:00.000Z",
        "pageSize": "100",
    }
    assert second.query == {"nextToken": "more"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"feeds": None},
        {"feeds": [wire_feed(createdTime="yesterday")]},
        {"feeds": [wire_feed(createdTime="2026-11-22T11:00:00")]},
        {"feeds": [wire_feed(feedId="")]},
    ],
)
def test_an_answer_that_is_not_the_models_is_said(
    amazon: Loopback, client: Client, answer: dict[str, Any]
) -> None:
    amazon.answer(FEEDS, Answer(body=answer))

    with pytest.raises(MalformedAnswer):
        list(feeds.find_feeds(client, "A_TYPE", NOON))


def test_a_report_is_unpacked(amazon: Loopback, client: Client) -> None:
    amazon.answer(
        DOCUMENTS + "/amzn1.2",
        Answer(
            body={
                "feedDocumentId": "amzn1.2",
                "url": amazon.url + LINK,
                "compressionAlgorithm": "GZIP",
            }
        ),
    )
    amazon.answer(LINK, Answer(200, gzip.compress(b"report")))

    document = feeds.get_document(client, "amzn1.2")

    assert feeds.download(client, document) == b"report"


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"report", mtime=0)[:-9], b""]
)
def test_a_report_that_cannot_be_unpacked_is_said(
    amazon: Loopback, client: Client, content: bytes
) -> None:
    amazon.answer(LINK, Answer(200, content))

    with pytest.raises(MalformedAnswer, match="cannot be unpacked"):
        feeds.download(client, Document("d", amazon.url + LINK, "GZIP"))


def test_a_report_that_swells_is_not_read(
    amazon: Loopback, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MOST_REPORT_BYTES", 1000)
    amazon.answer(LINK, Answer(200, gzip.compress(b" " * 1001)))

    with pytest.raises(MalformedAnswer, match="too large"):
        feeds.download(client, Document("d", amazon.url + LINK, "GZIP"))


def test_a_compression_that_is_not_known_is_said(
    amazon: Loopback, client: Client
) -> None:
    amazon.answer(LINK, Answer(200, b"x"))

    with pytest.raises(MalformedAnswer, match="compression"):
        feeds.download(client, Document("d", amazon.url + LINK, "BROTLI"))
