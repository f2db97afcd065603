"""Reports API 2021-06-30: asked for, made by Amazon in its own time, and read.

    create → get … → get_document → download

Source: Amazon's model ``reports_2021-06-30.json``. A second report does no harm, so
asking for one may be repeated. Links live five minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from . import feeds
from .client import Client
from .errors import MalformedAnswer
from .feeds import Document

CREATE_REPORT = "createReport"
GET_REPORT = "getReport"
GET_REPORT_DOCUMENT = "getReportDocument"
DOWNLOAD_REPORT_DOCUMENT = "downloadReportDocument"

_PATH = "/reports/2021-06-30"


class ProcessingStatus(StrEnum):
    """``Report.processingStatus``. Amazon may add some: unknown ones are not final."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    #: By a caller, or by Amazon where there is nothing to report.
    CANCELLED = "CANCELLED"
    FATAL = "FATAL"


@dataclass(frozen=True, slots=True)
class Report:
    """``document_id`` is empty unless it is DONE; sometimes a FATAL one has one."""

    processing_status: str
    document_id: str = ""


def create(client: Client, report_type: str, marketplace_ids: Sequence[str]) -> str:
    """Ask for a report, without options; its id."""
    answer = client.request(
        CREATE_REPORT,
        "POST",
        f"{_PATH}/reports",
        json={"reportType": report_type, "marketplaceIds": list(marketplace_ids)},
        idempotent=True,
    )
    return _text(CREATE_REPORT, answer, "reportId")


def get(client: Client, report_id: str) -> Report:
    answer = client.request(
        GET_REPORT,
        "GET",
        f"{_PATH}/reports/{quote(report_id, safe='')}",
        idempotent=True,
    )
    document_id = answer.get("reportDocumentId") if answer else None
    return Report(
        _text(GET_REPORT, answer, "processingStatus"),
        document_id if isinstance(document_id, str) else "",
    )


def get_document(client: Client, document_id: str) -> Document:
    answer = client.request(
        GET_REPORT_DOCUMENT,
        "GET",
        f"{_PATH}/documents/{quote(document_id, safe='')}",
        idempotent=True,
    )
    compression = answer.get("compressionAlgorithm") if answer else None
    return Document(
        _text(GET_REPORT_DOCUMENT, answer, "reportDocumentId"),
        _text(GET_REPORT_DOCUMENT, answer, "url"),
        compression if isinstance(compression, str) else "",
    )


def download(client: Client, document: Document) -> bytes:
    """The document's content, unpacked.

    Raises ``MalformedAnswer`` when it cannot be unpacked or is too large.
    """
    return feeds.download(client, document, DOWNLOAD_REPORT_DOCUMENT)


def _text(operation: str, answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(operation, f"the answer has no {name}")
    return value
