"""Messages over the wire: Amazon's SDK, unmodified, and its models as the judges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon import messaging, solicitations, uploads
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.messaging import (
    FORMS,
    Attachment,
    Message,
    MessageAction,
)
from saleor_amazon_channel.amazon.throttle import USAGE_PLANS
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    events,
    running_sandbox,
)
from saleor_amazon_channel.sandbox.routes import OPERATIONS
from wire_orders import GERMANY, wire_order

from .models import load_model, needs_models, violations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDER = "111-0000001-0000001"
MODELS = ("messaging", "solicitations", "uploads_2020-11-01")
MESSAGES = {
    MessageAction.UNEXPECTED_PROBLEM: Message(MessageAction.UNEXPECTED_PROBLEM, "Hm."),
    MessageAction.WARRANTY: Message(
        MessageAction.WARRANTY, coverage_start=NOW, coverage_end=NOW + timedelta(days=9)
    ),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    order = wire_order(ORDER, created=NOW - timedelta(days=8))
    with clock.frozen(NOW - timedelta(days=7)) as move, running_sandbox([order]) as it:
        events.ship(it.state, ORDER)
        move(timedelta(days=7))
        yield it


def test_our_client_and_the_sandbox_agree(sandbox: Sandbox, client: Client) -> None:
    assert messaging.get_locale(client, ORDER, GERMANY) == "de-DE"
    assert MessageAction.WARRANTY in messaging.get_actions(client, ORDER, GERMANY)
    upload = uploads.attach(
        client,
        messaging.resource_of(ORDER, MessageAction.WARRANTY),
        GERMANY,
        b"%PDF",
        "application/pdf",
    )
    warranty = MESSAGES[MessageAction.WARRANTY]
    messaging.send(client, ORDER, GERMANY, warranty, [Attachment(upload, "w.pdf")])
    messaging.send(client, ORDER, GERMANY, MESSAGES[MessageAction.UNEXPECTED_PROBLEM])
    assert solicitations.is_review_offered(client, ORDER, GERMANY)
    solicitations.request_review(client, ORDER, GERMANY)

    first, second = sandbox.state.messages_of(ORDER)
    assert (first.action, first.attachments) == ("warranty", (("w.pdf", b"%PDF"),))
    assert (second.action, second.text) == ("unexpectedProblem", "Hm.")
    assert list(sandbox.state.solicited) == [ORDER]


def test_amazons_sdk_writes_to_the_buyer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is absent")
    from spapi.api.messaging_v1.messaging_api import MessagingApi
    from spapi.api.solicitations_v1.solicitations_api import SolicitationsApi
    from spapi.api.uploads_v2020_11_01.uploads_api import UploadsApi
    from spapi.models.messaging_v1 import CreateUnexpectedProblemRequest

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
    api = MessagingApi(api_client)
    listed = api.get_messaging_actions_for_order(ORDER, [GERMANY])
    names = [action.name for action in listed.links.actions]
    assert "unexpectedProblem" in names
    api.create_unexpected_problem(
        ORDER, [GERMANY], CreateUnexpectedProblemRequest(text="Hm.")
    )
    destination = UploadsApi(api_client).create_upload_destination_for_resource(
        marketplace_ids=[GERMANY],
        content_md5="CY9rzUYh03PK3k6DJie09g==",
        resource=f"messaging/v1/orders/{ORDER}/messages/warranty",
    )
    assert destination.payload.upload_destination_id
    review = SolicitationsApi(api_client)
    review.create_product_review_and_seller_feedback_solicitation(ORDER, [GERMANY])
    api_client.rest_client.pool_manager.clear()

    assert [each.text for each in sandbox.state.messages_of(ORDER)] == ["Hm."]
    assert list(sandbox.state.solicited) == [ORDER]


@needs_models
def test_operations_are_those_of_the_models() -> None:
    ours = {each.name: each for each in OPERATIONS}
    for name in MODELS:
        for template, methods in load_model(name)["paths"].items():
            for method, rule in methods.items():
                if method == "parameters":
                    continue
                operation = ours[rule["operationId"]]
                assert operation.method == method.upper()
                assert operation.template.replace("{+", "{") == template
                assert rule["operationId"] in USAGE_PLANS


@needs_models
def test_what_we_write_is_what_the_model_takes() -> None:
    model = load_model("messaging")
    attachment = Attachment("id", "a.pdf")
    for action, form in FORMS.items():
        message = MESSAGES.get(action) or Message(
            action, "x" * form.most_characters if form.most_characters else ""
        )
        body = messaging._body(message, [attachment] if form.takes_attachments else ())
        template = f"/messaging/v1/orders/{{amazonOrderId}}/messages/{form.resource}"
        rule = model["paths"][template]["post"]
        assert rule["operationId"] == form.operation
        [schema] = [p["schema"] for p in rule["parameters"] if p["in"] == "body"]
        assert list(violations(body, schema, model)) == []
        of_model = model["definitions"][schema["$ref"].removeprefix("#/definitions/")]
        most = of_model["properties"].get("text", {}).get("maxLength", 0)
        assert most == form.most_characters
        assert ("attachments" in of_model["properties"]) is form.takes_attachments


@needs_models
def test_what_the_sandbox_says_is_the_models(sandbox: Sandbox) -> None:
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

    def judged(name: str, method: str, template: str, **options: Any) -> int:
        model = load_model(name)
        answer = session.request(
            method,
            sandbox.url + template.replace("{amazonOrderId}", ORDER),
            headers={"x-amz-access-token": token},
            **options,
        )
        rule = model["paths"][template][method.lower()]["responses"]
        schema = rule[str(answer.status_code)]["schema"]
        assert list(violations(answer.json(), schema, model)) == []
        return answer.status_code

    root = "/messaging/v1/orders/{amazonOrderId}"
    asking = "/solicitations/v1/orders/{amazonOrderId}"
    here = {"marketplaceIds": GERMANY}
    assert judged("messaging", "GET", root, params=here) == 200
    assert judged("messaging", "GET", root) == 400
    assert judged("messaging", "GET", f"{root}/attributes", params=here) == 200
    problem = f"{root}/messages/unexpectedProblem"
    for body, status in (({"text": "Hm."}, 201), ({}, 400)):
        answered = judged("messaging", "POST", problem, params=here, json=body)
        assert answered == status
    question = f"{root}/messages/confirmOrderDetails"
    body = {"text": "Hm."}
    assert judged("messaging", "POST", question, params=here, json=body) == 403
    assert judged("solicitations", "GET", asking, params=here) == 200
    review = f"{asking}/solicitations/productReviewAndSellerFeedback"
    assert judged("solicitations", "POST", review, params=here) == 201
    assert judged("solicitations", "POST", review, params=here) == 403
    # Its path has another path in it.
    answer = session.post(
        f"{sandbox.url}/uploads/2020-11-01/uploadDestinations/messaging/v1/x",
        headers={"x-amz-access-token": token},
        params={**here, "contentMD5": "CY9rzUYh03PK3k6DJie09g=="},
    )
    model = load_model("uploads_2020-11-01")
    schema = {"$ref": "#/definitions/CreateUploadDestinationResponse"}
    assert answer.status_code == 201
    assert list(violations(answer.json(), schema, model)) == []
    session.close()
