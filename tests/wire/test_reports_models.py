"""Reports over the wire, with Amazon's model as the judge where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon import invoice_data, reports
from saleor_amazon_channel.amazon.auth import Credentials, InMemoryTokenCache
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.throttle import InMemoryBudget
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    events,
    refunds,
    running_sandbox,
)
from wire_orders import GERMANY, wire_order

from .models import FOLDER, load_model, violations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORDER = "111-0000001-0000001"
MODEL = "reports_2021-06-30"
PATH = "/reports/2021-06-30"

needs_model = pytest.mark.skipif(
    not (FOLDER / f"{MODEL}.json").is_file(),
    reason=f"Amazon's model {MODEL}.json is not at {FOLDER}",
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox([wire_order()]) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(
        sandbox.url,
        sandbox.lwa_url,
        Credentials(CLIENT_ID, CLIENT_SECRET, "Atzr|sandbox-EU"),
        InMemoryBudget(),
        InMemoryTokenCache(),
    ) as client:
        yield client


def test_our_client_and_the_sandbox_agree(sandbox: Sandbox, client: Client) -> None:
    with clock.frozen(NOW) as move:
        events.ship(sandbox.state, ORDER)
        refunds.refund(sandbox.state, ORDER)
        report_id = reports.create(client, invoice_data.REPORT_TYPE, [GERMANY])
        assert reports.get(client, report_id) == reports.Report("IN_QUEUE")
        move(timedelta(minutes=1))
        report = reports.get(client, report_id)
        assert report.processing_status == reports.ProcessingStatus.DONE
        document = reports.get_document(client, report.document_id)
        [found] = invoice_data.parse(reports.download(client, document))
    assert (found.order_id, str(found.total), found.skus) == (
        ORDER,
        "19.90",
        frozenset({"MUG-1"}),
    )


@needs_model
def test_what_we_send_and_the_sandbox_answers_is_as_in_the_model(
    sandbox: Sandbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, Any, Any]] = []
    send = requests.Session.send

    def recording(
        session: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        answer = send(session, request, **options)
        if PATH in str(request.url):
            sent = json.loads(request.body) if request.body else None
            seen.append((str(request.method), request.path_url, sent, answer.json()))
        return answer

    monkeypatch.setattr(requests.Session, "send", recording)
    with clock.frozen(NOW) as move:
        report_id = reports.create(client, invoice_data.REPORT_TYPE, [GERMANY])
        reports.get(client, report_id)
        move(timedelta(minutes=1))
        report = reports.get(client, report_id)
        reports.get_document(client, report.document_id)

    model = load_model(MODEL)
    names = ("CreateReportResponse", "Report", "Report", "ReportDocument")
    assert [method for method, *_ in seen] == ["POST", "GET", "GET", "GET"]
    for (_, path, sent, answer), name in zip(seen, names, strict=True):
        if sent is not None:
            schema = model["definitions"]["CreateReportSpecification"]
            assert list(violations(sent, schema, model)) == []
        assert list(violations(answer, model["definitions"][name], model)) == []
        template = path.replace(report_id, "{reportId}").replace(
            report.document_id, "{reportDocumentId}"
        )
        assert template in model["paths"]
