"""Reports in the sandbox: asked for, made in time, and what may go wrong."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel.sandbox import State, events, refunds
from saleor_amazon_channel.sandbox.report_store import ReportFate
from wire_orders import wire_order

from .conftest import DE, GB, US, Caller, Move, errors

REPORTS = "/reports/2021-06-30/reports"
TYPE = "GET_FLAT_FILE_VAT_INVOICE_DATA_REPORT"
ORDER = "111-0000001-0000001"
ITEM = "10000000000001"
SELLER = "A1SANDBOXEU"


def call(caller: Caller, method: str, path: str, **options: Any) -> requests.Response:
    return caller.call(method, path, region="EU", **options)


def asked(caller: Caller, *marketplace_ids: str) -> str:
    answer = call(
        caller,
        "POST",
        REPORTS,
        json={"reportType": TYPE, "marketplaceIds": list(marketplace_ids or (DE,))},
    )
    assert answer.status_code == 202
    return str(answer.json()["reportId"])


def look(caller: Caller, report_id: str) -> dict[str, Any]:
    answer = call(caller, "GET", f"{REPORTS}/{report_id}")
    assert answer.status_code == 200
    return dict(answer.json())


def link(caller: Caller, document_id: str) -> dict[str, Any]:
    answer = call(caller, "GET", f"/reports/2021-06-30/documents/{document_id}")
    assert answer.status_code == 200
    return dict(answer.json())


def rows(caller: Caller, move: Move, *marketplace_ids: str) -> list[dict[str, str]]:
    report_id = asked(caller, *marketplace_ids)
    move(timedelta(minutes=1))
    document = link(caller, look(caller, report_id)["reportDocumentId"])
    content = gzip.decompress(caller.session.get(document["url"]).content).decode()
    header, *lines = (line.split("\t") for line in content.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


@pytest.fixture
def refunded(state: State) -> None:
    state.put_orders([wire_order()])
    events.ship(state, ORDER)
    refunds.refund(state, ORDER, items={ITEM: {"Principal": "5.00"}})


def test_a_report_is_made_in_its_time(caller: Caller, move: Move) -> None:
    report_id = asked(caller)
    assert look(caller, report_id)["processingStatus"] == "IN_QUEUE"
    move(timedelta(seconds=20))
    assert look(caller, report_id)["processingStatus"] == "IN_PROGRESS"
    move(timedelta(seconds=30))
    done = look(caller, report_id)
    assert done["processingStatus"] == "DONE"
    assert look(caller, report_id)["reportDocumentId"] == done["reportDocumentId"]
    document = link(caller, done["reportDocumentId"])
    assert document["compressionAlgorithm"] == "GZIP"


def test_its_link_lives_five_minutes_and_takes_no_token(
    caller: Caller, move: Move
) -> None:
    report_id = asked(caller)
    move(timedelta(minutes=1))
    url = link(caller, look(caller, report_id)["reportDocumentId"])["url"]
    token = {"x-amz-access-token": caller.token("EU")}
    assert caller.session.get(url, headers=token).status_code == 403
    assert caller.session.get(url).status_code == 200
    move(timedelta(minutes=5))
    assert caller.session.get(url).status_code == 403


def test_it_lists_what_lacks_a_document(
    caller: Caller, state: State, move: Move, refunded: None
) -> None:
    shipment, refund = rows(caller, move)
    assert (shipment["transaction-type"], refund["transaction-type"]) == (
        "SHIPMENT",
        "REFUND",
    )
    assert refund["order-id"] == ORDER
    assert refund["item-vat-incl-amount"] == "-5.00"
    # With what nobody must keep.
    assert refund["buyer-name"] == "Änne Müller"
    assert rows(caller, move, GB) == []


def test_a_refund_is_in_it_some_time_later(
    caller: Caller, state: State, move: Move, refunded: None
) -> None:
    state.reports.refund_delay = timedelta(minutes=30)
    assert [row["transaction-type"] for row in rows(caller, move)] == ["SHIPMENT"]
    move(timedelta(minutes=30))
    assert [row["transaction-type"] for row in rows(caller, move)] == [
        "SHIPMENT",
        "REFUND",
    ]


@pytest.mark.parametrize(
    ("kind", "status"), [("fatal", "FATAL"), ("cancelled", "CANCELLED")]
)
def test_fates(
    caller: Caller, state: State, move: Move, kind: str, status: str
) -> None:
    state.reports.determine(ReportFate(kind))
    report_id, other = asked(caller), asked(caller)
    move(timedelta(minutes=1))
    report = look(caller, report_id)
    assert report["processingStatus"] == status
    assert "reportDocumentId" not in report
    assert look(caller, other)["processingStatus"] == "DONE"


def test_who_is_not_in_the_service_has_no_report(
    caller: Caller, state: State, move: Move
) -> None:
    state.without_invoice_report.add(SELLER)
    report_id = asked(caller)
    move(timedelta(minutes=1))
    assert look(caller, report_id)["processingStatus"] == "FATAL"


def test_what_is_refused(caller: Caller, state: State) -> None:
    bodies = (
        {"reportType": "GET_OTHER", "marketplaceIds": [DE]},
        {"reportType": TYPE, "marketplaceIds": []},
        {"reportType": TYPE, "marketplaceIds": [US]},
        {"reportType": TYPE, "marketplaceIds": [DE], "unknown": "x"},
    )
    for body in bodies:
        answer = call(caller, "POST", REPORTS, json=body)
        assert (answer.status_code, errors(answer)[0][0]) == (400, "InvalidInput")
    assert call(caller, "GET", f"{REPORTS}/1").status_code == 404
    state.account(SELLER).may_invoice = False
    answer = call(
        caller, "POST", REPORTS, json={"reportType": TYPE, "marketplaceIds": [DE]}
    )
    assert answer.status_code == 403


def test_the_control_api(caller: Caller, move: Move) -> None:
    caller.control("POST", "reports/fates", {"kind": "stuck", "seconds": 600})
    assert caller.control("GET", "reports/fates") == [{"kind": "stuck", "seconds": 600}]
    report_id = asked(caller)
    assert caller.control("GET", "reports/fates") == []
    move(timedelta(minutes=5))
    [report] = caller.control("GET", "reports")
    assert (report["reportId"], report["processingStatus"], report["seller_id"]) == (
        report_id,
        "IN_PROGRESS",
        SELLER,
    )
    caller.control("POST", "reports/fates", {"kind": "fatal"})
    assert caller.control("DELETE", "reports/fates") == []
    assert caller.control(
        "PUT", "reports/invoice-data", {"refund_delay_seconds": 60}
    ) == {"refund_delay_seconds": 60}
