"""Feeds over the wire: Amazon's SDK, unmodified, and its model as the judge."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon import feeds
from saleor_amazon_channel.amazon.auth import Credentials, InMemoryTokenCache
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.feed_reports import parse
from saleor_amazon_channel.amazon.order_feeds import (
    ORDER_ACKNOWLEDGEMENT,
    Cancellation,
    CancelReason,
    cancellations,
)
from saleor_amazon_channel.amazon.throttle import InMemoryBudget
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    running_sandbox,
)
from wire_orders import GERMANY, wire_order

from .models import load_model, needs_models, violations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDER = "111-0000001-0000001"
CONTENT = cancellations(
    "A1SANDBOXEU",
    {1: Cancellation(ORDER, ("10000000000001",), CancelReason.NO_INVENTORY)},
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox([wire_order()]) as sandbox:
        yield sandbox


def test_our_client_and_the_sandbox_agree(sandbox: Sandbox) -> None:
    with clock.frozen(NOW) as move:
        client = Client(
            sandbox.url,
            sandbox.lwa_url,
            Credentials(CLIENT_ID, CLIENT_SECRET, "Atzr|sandbox-EU"),
            InMemoryBudget(),
            InMemoryTokenCache(),
        )
        with client:
            document = feeds.create_document(client, feeds.XML)
            feeds.upload(client, document, CONTENT, feeds.XML)
            feed_id = feeds.create_feed(
                client, ORDER_ACKNOWLEDGEMENT, [GERMANY], document.id
            )
            assert not feeds.get_feed(client, feed_id).is_final
            move(timedelta(minutes=1))
            feed = feeds.get_feed(client, feed_id)
            assert feed.is_final
            assert list(feeds.find_feeds(client, ORDER_ACKNOWLEDGEMENT, NOW)) == [feed]
            result = feeds.get_document(client, feed.result_document_id)
            report = parse(feeds.download(client, result))
    assert (report.is_complete, report.processed, report.successful) == (True, 1, 1)
    assert report.errors_of(1) == ()


def test_amazons_sdk_submits_a_feed_and_reads_its_report(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is absent")
    from spapi.api.feeds_v2021_06_30.feeds_api import FeedsApi
    from spapi.models.feeds_v2021_06_30 import (
        CreateFeedDocumentSpecification,
        CreateFeedSpecification,
    )

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    api_client = spapi.SPAPIClient(
        spapi.SPAPIConfig(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            refresh_token="Atzr|sandbox-EU",
            region="EU",
        ),
        oauth_endpoint=sandbox.lwa_url,
        endpoint=sandbox.url + "/eu",
    ).api_client
    api = FeedsApi(api_client)
    document = api.create_feed_document(
        CreateFeedDocumentSpecification(content_type=feeds.XML)
    )
    session = requests.Session()
    session.trust_env = False
    session.put(document.url, data=CONTENT, headers={"content-type": feeds.XML})
    created = api.create_feed(
        CreateFeedSpecification(
            feed_type=ORDER_ACKNOWLEDGEMENT,
            marketplace_ids=[GERMANY],
            input_feed_document_id=document.feed_document_id,
        )
    )
    assert api.get_feed(created.feed_id).processing_status == "IN_QUEUE"
    with sandbox.state.lock:
        for feed in sandbox.state.feeds.feeds_of("A1SANDBOXEU"):
            feed.starts = feed.ends = feed.created
    feed = api.get_feed(created.feed_id)
    assert feed.processing_status == "DONE"
    result = api.get_feed_document(feed.result_feed_document_id)
    content = gzip.decompress(session.get(result.url).content)
    session.close()
    api_client.rest_client.pool_manager.clear()
    assert parse(content).successful == 1


@needs_models
def test_what_the_sandbox_says_of_feeds_is_the_models(sandbox: Sandbox) -> None:
    model = load_model("feeds_2021-06-30")
    session = requests.Session()
    session.trust_env = False
    token = session.post(
        sandbox.lwa_url,
        data={
            "grant_type": "refresh_token",
            "refresh_token": "Atzr|sandbox-EU",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        },
    ).json()["access_token"]

    def judged(method: str, template: str, id_: str = "", **options: Any) -> Any:
        path = template.replace("{feedId}", id_).replace("{feedDocumentId}", id_)
        answer = session.request(
            method,
            sandbox.url + path,
            headers={"x-amz-access-token": token},
            **options,
        )
        rule = model["paths"][template][method.lower()]["responses"]
        schema = rule[str(answer.status_code)].get("schema")
        if schema:
            assert list(violations(answer.json(), schema, model)) == []
        return answer.json() if answer.content else None

    documents, listed = "/feeds/2021-06-30/documents", "/feeds/2021-06-30/feeds"
    one, one_document = f"{listed}/{{feedId}}", f"{documents}/{{feedDocumentId}}"
    with clock.frozen(NOW) as move:
        document = judged("POST", documents, json={"contentType": feeds.XML})
        judged("POST", documents, json={})
        session.put(document["url"], data=CONTENT, headers={"content-type": feeds.XML})
        body = {
            "feedType": ORDER_ACKNOWLEDGEMENT,
            "marketplaceIds": [GERMANY],
            "inputFeedDocumentId": document["feedDocumentId"],
        }
        schema = {"$ref": "#/definitions/CreateFeedSpecification"}
        assert list(violations(body, schema, model)) == []
        feed_id = judged("POST", listed, json=body)["feedId"]
        judged("POST", listed, json={})
        judged("GET", one, feed_id)
        judged("GET", one, "1")
        move(timedelta(minutes=1))
        done = judged("GET", one, feed_id)
        judged("GET", listed, params={"feedTypes": ORDER_ACKNOWLEDGEMENT})
        judged("DELETE", one, feed_id)
        judged("GET", one_document, done["resultFeedDocumentId"])
        judged("GET", one_document, "amzn1.x")
    session.close()
