"""Reports API 2021-06-30, for the one report that the connector asks for.

Source: Amazon's model ``reports_2021-06-30.json``. Choices where Amazon is silent: a
report is of the moment at which it is finished; unknown fields are refused. Who may
have the Invoice Data Report: sellers of the VAT Calculation Service that upload their
invoices themselves; what Amazon does for others is not documented, here it is FATAL.
"""

from __future__ import annotations

import gzip
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import invoice_data
from .calls import Answer, Call, Operation, Query
from .errors import InvalidInput, NotFound, Unauthorized
from .invoices import FEED_COUNTRIES
from .report_store import StoredReport
from .sellers import country_of
from .times import format_time
from .usage_plans import UsagePlan

if TYPE_CHECKING:
    from .state import State

_TEXT = "text/plain; charset=UTF-8"
_FIELDS = {
    "reportType": str,
    "marketplaceIds": list,
    "reportOptions": dict,
    "dataStartTime": str,
    "dataEndTime": str,
}


def create_report(call: Call) -> Answer:
    body = call.json()
    if not isinstance(body, dict):
        raise InvalidInput("Request body must be an object.")
    for name, value in body.items():
        if name not in _FIELDS or not isinstance(value, _FIELDS[name]):
            raise InvalidInput(
                f"Request has an unknown or invalid field [{name[:100]}]"
            )
    if body.get("reportType") != invoice_data.REPORT_TYPE:
        raise InvalidInput("Invalid report type.")
    if not call.seller.may_invoice:
        raise Unauthorized()
    marketplace_ids = body.get("marketplaceIds") or []
    if not 1 <= len(marketplace_ids) <= 25:
        raise InvalidInput("marketplaceIds must have 1 to 25 values.")
    if not set(marketplace_ids) <= set(call.seller.marketplace_ids) or any(
        country_of(each) not in FEED_COUNTRIES for each in marketplace_ids
    ):
        raise InvalidInput("Provided MarketplaceIdList is invalid.")
    report = call.state.reports.add(
        call.seller.seller_id, body["reportType"], marketplace_ids, call.now
    )
    return Answer(202, {"reportId": report.id})


def get_report(call: Call) -> Answer:
    Query(call.pairs, ())
    report = call.state.reports.report(call.path["reportId"], call.seller.seller_id)
    if report is None:
        raise NotFound()
    return Answer(200, describe_report(call.state, report, call.now))


def describe_report(
    state: State, report: StoredReport, now: datetime
) -> dict[str, Any]:
    """The report as the model describes it, and its document where it is done."""
    status = report.status(now)
    if status == "DONE" and report.seller_id in state.without_invoice_report:
        status = "FATAL"
    described: dict[str, Any] = {
        "reportId": report.id,
        "reportType": report.type,
        "marketplaceIds": list(report.marketplace_ids),
        "createdTime": format_time(report.created),
        "processingStatus": status,
    }
    if status != "IN_QUEUE":
        described["processingStartTime"] = format_time(report.starts)
    if status in ("DONE", "FATAL", "CANCELLED"):
        described["processingEndTime"] = format_time(report.ends)
    if status == "DONE":
        if not report.document_id:
            report.document_id = _finish(state, report)
        described["reportDocumentId"] = report.document_id
    return described


def _finish(state: State, report: StoredReport) -> str:
    content = invoice_data.content(
        state, report.seller_id, report.marketplace_ids, report.ends
    )
    if report.has_fate("garbled"):
        content = content.replace(b"transaction-id", b"something-else")
    packed = gzip.compress(content)
    if report.has_fate("not_packed"):
        packed = packed[: len(packed) // 2]
    return state.feeds.add_document(
        report.seller_id, _TEXT, report.ends, packed, is_compressed=True
    ).id


def get_report_document(call: Call) -> Answer:
    Query(call.pairs, ("enableContentEncodingUrlHeader",))
    document = call.state.feeds.document(
        call.path["reportDocumentId"], call.seller.seller_id
    )
    if document is None or document.content is None:
        raise NotFound()
    secret = call.state.feeds.link(document, "GET", call.now)
    answer = {"reportDocumentId": document.id, "url": call.state.link_url(secret)}
    if document.is_compressed:
        answer["compressionAlgorithm"] = "GZIP"
    return Answer(200, answer)


OPERATIONS = (
    Operation(
        "createReport",
        "POST",
        "/reports/2021-06-30/reports",
        UsagePlan(0.0167, 15),
        create_report,
    ),
    Operation(
        "getReport",
        "GET",
        "/reports/2021-06-30/reports/{reportId}",
        UsagePlan(2, 15),
        get_report,
    ),
    Operation(
        "getReportDocument",
        "GET",
        "/reports/2021-06-30/documents/{reportDocumentId}",
        UsagePlan(0.0167, 15),
        get_report_document,
    ),
)
