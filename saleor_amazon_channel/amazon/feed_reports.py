"""Processing reports: what Amazon did with each message of a feed.

Sources: the ProcessingReport schema of XML feeds (release 4.1), the tab text that
flat-file feeds and ``UPLOAD_VAT_INVOICE`` answer with (SP-API "Feeds API FAQ",
"Invoicing Feed Type Values"), and the JSON of ``JSON_LISTINGS_FEED`` (its processing
report schema, version 2). A report names only the messages with something to say:
one without a result succeeded, if the report tells of all. The number 0 stands for
the whole document.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree

from .errors import MalformedAnswer

PROCESSING_REPORT = "processing report"

#: The message that is the whole document.
WHOLE_DOCUMENT: Final = 0

MAX_DESCRIPTION_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Result:
    """What Amazon says of one message; ``is_error`` false is a warning."""

    message_id: int
    is_error: bool
    code: str
    description: str

    def __str__(self) -> str:
        return f"{self.code}: {self.description}" if self.code else self.description


@dataclass(frozen=True, slots=True)
class Report:
    """``is_complete`` false: Amazon says that it is not through with the feed, or that
    it rejected it. ``processed`` and ``successful`` are Amazon's own counts."""

    is_complete: bool
    processed: int
    successful: int
    results: dict[int, tuple[Result, ...]] = field(default_factory=dict)

    def errors_of(self, message_id: int) -> tuple[Result, ...]:
        """Why the message failed, the document's errors included; empty: it did not."""
        return tuple(
            result
            for number in (WHOLE_DOCUMENT, message_id)
            for result in self.results.get(number, ())
            if result.is_error
        )

    def tells_all(self, message_count: int) -> bool:
        """Whether it tells what became of each of that many messages.

        It does when Amazon went through all of them and named those that it did not
        take, or took none and says why. Else silence about a message says nothing.
        Messages with a warning are among the successful ones, as published reports
        show. One that names a message which there was not may mean another.
        """
        if any(each.is_error for each in self.results.get(WHOLE_DOCUMENT, ())):
            return not self.successful
        refused = {
            number
            for number, results in self.results.items()
            if any(each.is_error for each in results)
        }
        return (
            self.is_complete
            and self.processed >= message_count
            and self.processed - self.successful <= len(refused)
            and refused <= set(range(1, message_count + 1))
        )

    def warnings_of(self, message_id: int) -> tuple[Result, ...]:
        return tuple(r for r in self.results.get(message_id, ()) if not r.is_error)


def parse(content: bytes) -> Report:
    """The report, in whichever of its three forms.

    Raises ``MalformedAnswer`` when it is none: then nothing is known of the feed.
    """
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return _from_json(start)
    if start.startswith(b"<"):
        return _from_xml(start)
    return _from_text(start)


def _from_xml(content: bytes) -> Report:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise MalformedAnswer(PROCESSING_REPORT, "the XML declares entities")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - no entities, see above
    except ElementTree.ParseError:
        raise MalformedAnswer(PROCESSING_REPORT, "the XML cannot be parsed") from None
    reports = root.findall("./Message/ProcessingReport")
    if not reports:
        raise MalformedAnswer(PROCESSING_REPORT, "there is no ProcessingReport in it")
    statuses = {_text(report, "StatusCode") for report in reports}
    return Report(
        is_complete=statuses == {"Complete"},
        processed=sum(
            _number(_text(report, "ProcessingSummary/MessagesProcessed"))
            for report in reports
        ),
        successful=sum(
            _number(_text(report, "ProcessingSummary/MessagesSuccessful"))
            for report in reports
        ),
        results=_by_message(
            Result(
                _number(_text(result, "MessageID")),
                # What is not said to be a warning is taken for an error.
                _text(result, "ResultCode") != "Warning",
                _text(result, "ResultMessageCode"),
                _text(result, "ResultDescription")[:MAX_DESCRIPTION_LENGTH],
            )
            for report in reports
            for result in report.findall("Result")
        ),
    )


def _from_json(content: bytes) -> Report:
    try:
        wire = json.loads(content)
        summary, issues = wire["summary"], wire.get("issues") or []
        processed = int(summary["messagesProcessed"])
        accepted = int(summary["messagesAccepted"])
        results = [
            Result(
                # What names no message concerns the whole document.
                _number(str(issue.get("messageId") or WHOLE_DOCUMENT)),
                issue.get("severity") not in ("WARNING", "INFO"),
                str(issue.get("code") or ""),
                str(issue.get("message") or "")[:MAX_DESCRIPTION_LENGTH],
            )
            for issue in issues
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise MalformedAnswer(PROCESSING_REPORT, "the JSON is no report") from None
    return Report(True, processed, accepted, _by_message(results))


_COUNT = re.compile(
    r"^\s*Number of records (processed|successful)\s+(\d+)\s*$", re.MULTILINE
)
_COLUMNS = ("original-record-number", "error-code", "error-type", "error-message")


def _from_text(content: bytes) -> Report:
    text = content.decode("utf-8", errors="replace")
    if not text.startswith("Feed Processing Summary"):
        raise MalformedAnswer(PROCESSING_REPORT, "it is neither XML nor a summary")
    counts = {name: int(number) for name, number in _COUNT.findall(text)}
    rows = iter(text.splitlines())
    header: list[str] = []
    for line in rows:
        header = [cell.strip() for cell in line.split("\t")]
        if "error-message" in header:
            break
    found = []
    for line in rows:
        cells = dict(zip(header, (c.strip() for c in line.split("\t")), strict=False))
        if not cells.get("error-message"):
            continue
        number, code, kind, message = (cells.get(name, "") for name in _COLUMNS)
        found.append(
            Result(
                _number(number),
                kind.lower() != "warning",
                code,
                message[:MAX_DESCRIPTION_LENGTH],
            )
        )
    return Report(
        is_complete=True,
        processed=counts.get("processed", 0),
        successful=counts.get("successful", 0),
        results=_by_message(found),
    )


def _by_message(results: Iterable[Result]) -> dict[int, tuple[Result, ...]]:
    found: dict[int, list[Result]] = defaultdict(list)
    for result in results:
        found[result.message_id].append(result)
    return {number: tuple(of_message) for number, of_message in found.items()}


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _number(text: str) -> int:
    """What is no number concerns the whole document: better all looked at than none."""
    return int(text) if text.isascii() and text.isdecimal() else WHOLE_DOCUMENT
