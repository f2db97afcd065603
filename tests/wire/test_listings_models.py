"""Listings over the wire: Amazon's SDK, unmodified, and its model as the judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon import errors, listings
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.listings import Quantity
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    running_sandbox,
)
from saleor_amazon_channel.sandbox import listings as on_amazon
from saleor_amazon_channel.sandbox.routes import OPERATIONS
from wire_orders import GERMANY

from .models import load_model, needs_models, violations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SELLER = "A1SANDBOXEU"
SKU = "MUG 1/b"
MODEL = "listingsItems_2021-08-01"
ITEMS = "/listings/2021-08-01/items/{sellerId}"
CHANGE = Quantity(SKU, "KITCHEN", 7, {"lead_time_to_ship_max_days": 3})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with clock.frozen(NOW), running_sandbox() as it:
        for number, sku in enumerate((SKU, "CUP", "FBA", "NONE")):
            on_amazon.put(
                it.state,
                SELLER,
                sku,
                marketplace_ids=[GERMANY],
                quantity=None if sku == "NONE" else number,
                channel="AMAZON_EU" if sku == "FBA" else "DEFAULT",
            ).updated = NOW + timedelta(minutes=number)
        yield it


def test_our_client_reads_what_is_listed(sandbox: Sandbox, client: Client) -> None:
    page = listings.search(client, SELLER, GERMANY, None)

    assert [each.sku for each in page.listings] == [SKU, "CUP", "FBA", "NONE"]
    mug, cup, fba, none = page.listings
    assert (mug.is_seller_fulfilled, mug.quantity) == (True, 0)
    assert (cup.quantity, cup.product_type) == (1, "KITCHEN")
    assert (fba.is_amazon_fulfilled, fba.quantity) == (True, None)
    assert not none.is_seller_fulfilled
    assert not none.is_amazon_fulfilled
    assert page.last_updated_at == NOW + timedelta(minutes=3)
    later = listings.search(client, SELLER, GERMANY, NOW + timedelta(minutes=2))
    assert [each.sku for each in later.listings] == ["FBA", "NONE"]


def test_our_client_finds_listings_by_their_skus(
    sandbox: Sandbox, client: Client
) -> None:
    found = listings.find(client, SELLER, GERMANY, [SKU, "FBA", "GHOST", "A,B"])

    assert set(found) == {SKU, "FBA"}
    assert (found[SKU].quantity, found["FBA"].quantity) == (0, None)
    [call] = sandbox.state.calls("searchListingsItems")
    # Of nothing that can be searched for nobody is asked.
    assert listings.find(client, SELLER, GERMANY, ["A,B"]) == {}
    assert sandbox.state.calls("searchListingsItems") == [call]


def test_our_client_says_how_many_and_keeps_the_rest(
    sandbox: Sandbox, client: Client
) -> None:
    assert listings.patch_quantity(client, SELLER, GERMANY, CHANGE).is_accepted

    read = listings.get_listing(client, SELLER, GERMANY, SKU)
    assert read.quantity == 7
    assert read.availability == {
        "fulfillment_channel_code": "DEFAULT",
        "lead_time_to_ship_max_days": 3,
    }


def test_what_amazon_does_not_take_is_no_success(
    sandbox: Sandbox, client: Client
) -> None:
    on_amazon.refuse(sandbox.state, SKU, "The brand is gated.")

    submission = listings.patch_quantity(client, SELLER, GERMANY, CHANGE)

    assert not submission.is_accepted
    assert [each.message for each in submission.errors] == ["The brand is gated."]
    ghost = listings.patch_quantity(
        client, SELLER, GERMANY, Quantity("GHOST", "KITCHEN", 1)
    )
    assert [each.code for each in ghost.errors] == [listings.UNKNOWN_SKU_CODE]
    with pytest.raises(errors.NotFound):
        listings.get_listing(client, SELLER, GERMANY, "GHOST")


def test_amazons_sdk_reads_and_changes_listings(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is absent")
    from spapi.api.listings_items_v2021_08_01.listings_api import ListingsApi
    from spapi.models.listings_items_v2021_08_01 import (
        ListingsItemPatchRequest,
        PatchOperation,
    )

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    api = ListingsApi(
        spapi.SPAPIClient(
            spapi.SPAPIConfig(
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                refresh_token="Atzr|sandbox-EU",
                region="EU",
            ),
            oauth_endpoint=sandbox.lwa_url,
            endpoint=sandbox.url + "/eu",
        ).api_client
    )
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 4}]
    answer = api.patch_listings_item(
        SELLER,
        "CUP",
        [GERMANY],
        ListingsItemPatchRequest(
            product_type="PRODUCT",
            patches=[
                PatchOperation(
                    op="replace",
                    path="/attributes/fulfillment_availability",
                    value=value,
                )
            ],
        ),
    )
    assert answer.status == "ACCEPTED"
    read = api.get_listings_item(
        SELLER, "CUP", [GERMANY], included_data=["fulfillmentAvailability"]
    )
    assert read.fulfillment_availability[0].quantity == 4
    found = api.search_listings_items(SELLER, [GERMANY], page_size=2)
    assert (found.number_of_results, len(found.items)) == (4, 2)


# --- Amazon's model as the judge -----------------------------------------------------


class Recorder:
    """Sends what our client sends, and keeps it and what was answered."""

    def __init__(self, client: Client) -> None:
        self.exchanges: list[tuple[Any, requests.Response]] = []
        session = client._session
        send = session.send

        def keep(request: Any, **options: Any) -> requests.Response:
            response = send(request, **options)
            if "/listings/" in request.url:
                self.exchanges.append((request, response))
            return response

        session.send = keep  # type: ignore[method-assign]


@needs_models
def test_what_we_send_and_get_is_what_the_model_says(
    sandbox: Sandbox, client: Client
) -> None:
    recorder, model = Recorder(client), load_model(MODEL)
    listings.search(client, SELLER, GERMANY, NOW)
    listings.find(client, SELLER, GERMANY, [SKU, "CUP"])
    listings.get_listing(client, SELLER, GERMANY, SKU)
    listings.patch_quantity(client, SELLER, GERMANY, CHANGE)
    on_amazon.refuse(sandbox.state, SKU, "No.")
    listings.patch_quantity(client, SELLER, GERMANY, CHANGE)

    for request, response in recorder.exchanges:
        has_sku = request.url.count("/") > 6
        path = ITEMS + ("/{sku}" if has_sku else "")
        declared = model["paths"][path][request.method.lower()]
        schema = declared["responses"][str(response.status_code)]["schema"]
        assert list(violations(response.json(), schema, model)) == []
        asked = {
            each["name"]: each
            for each in declared["parameters"]
            if each["in"] == "query"
        }
        sent = dict(parse_qsl(request.url.partition("?")[2]))
        assert set(sent) <= set(asked)
        assert all(name in sent for name, each in asked.items() if each["required"])
        for name, value in sent.items():
            allowed = asked[name].get("items", asked[name]).get("enum")
            assert allowed is None or set(value.split(",")) <= set(allowed)
        if request.body:
            body = json.loads(request.body)
            wanted = model["definitions"]["ListingsItemPatchRequest"]
            assert list(violations(body, wanted, model)) == []
    assert len(recorder.exchanges) == 5


@needs_models
def test_the_patches_of_a_feed_are_those_of_the_model() -> None:
    model = load_model(MODEL)
    feed = json.loads(listings.quantities(SELLER, {1: CHANGE, 2: CHANGE}))

    assert feed["header"] == {
        "sellerId": SELLER,
        "version": "2.0",
        "issueLocale": "en_US",
    }
    assert [each["messageId"] for each in feed["messages"]] == [1, 2]
    for message in feed["messages"]:
        assert message["operationType"] == "PATCH"
        body = {name: message[name] for name in ("productType", "patches")}
        wanted = model["definitions"]["ListingsItemPatchRequest"]
        assert list(violations(body, wanted, model)) == []


@needs_models
def test_the_usage_plans_are_the_models() -> None:
    ours = {op.name: op for op in OPERATIONS if "/listings/" in op.template}
    assert set(ours) == {
        "searchListingsItems",
        "getListingsItem",
        "patchListingsItem",
    }
    for path, verbs in load_model(MODEL)["paths"].items():
        for verb, declared in verbs.items():
            if verb == "parameters" or declared["operationId"] not in ours:
                continue
            name = declared["operationId"]
            assert ours[name].template.replace("{+", "{") == path
            rate, burst = (USAGE_PLANS[name].rate, USAGE_PLANS[name].burst)
            assert f"| {rate} | {burst} |" in declared["description"]
            assert (ours[name].plan.rate, ours[name].plan.burst) == (rate, burst)
