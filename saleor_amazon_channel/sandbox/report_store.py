"""Reports as the sandbox remembers them. Their documents are with the feeds'."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .feed_store import FateError

IN_QUEUE_FOR = timedelta(seconds=15)
IN_PROGRESS_FOR = timedelta(seconds=30)

#: What may become of a report instead of being made as it should.
FATES = {
    "fatal": "FATAL, no document",
    "cancelled": "CANCELLED by Amazon, no document",
    "garbled": "DONE, the document is not what it should be",
    "not_packed": "DONE, the document cannot be unpacked",
    "stuck": "takes `seconds` longer than it should",
}


@dataclass(slots=True)
class ReportFate:
    """What becomes of the next report."""

    kind: str
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FATES:
            raise FateError(f"unknown fate {self.kind!r}; one of {', '.join(FATES)}")


@dataclass(slots=True)
class StoredReport:
    id: str
    seller_id: str
    type: str
    marketplace_ids: tuple[str, ...]
    created: datetime
    starts: datetime
    ends: datetime
    fate: ReportFate | None = None
    document_id: str = ""

    def status(self, now: datetime) -> str:
        if now < self.starts:
            return "IN_QUEUE"
        if now < self.ends:
            return "IN_PROGRESS"
        return {"fatal": "FATAL", "cancelled": "CANCELLED"}.get(
            self.fate.kind if self.fate else "", "DONE"
        )

    def has_fate(self, kind: str) -> bool:
        return self.fate is not None and self.fate.kind == kind


class ReportStore:
    """Not thread-safe: the caller holds the state's lock."""

    def __init__(self) -> None:
        #: How long after a refund the Invoice Data Report has it.
        self.refund_delay = timedelta(0)
        self._reports: dict[tuple[str, str], StoredReport] = {}
        self._numbers = itertools.count(60_001)
        self._fates: list[ReportFate] = []

    def determine(self, fate: ReportFate) -> None:
        """The next report meets it."""
        self._fates.append(fate)

    def fates(self) -> list[ReportFate]:
        return list(self._fates)

    def clear_fates(self) -> None:
        self._fates.clear()

    def add(
        self,
        seller_id: str,
        report_type: str,
        marketplace_ids: Iterable[str],
        now: datetime,
    ) -> StoredReport:
        fate = self._fates.pop(0) if self._fates else None
        starts = now + IN_QUEUE_FOR
        longer = fate.seconds if fate and fate.kind == "stuck" else 0.0
        report = StoredReport(
            id=str(next(self._numbers)),
            seller_id=seller_id,
            type=report_type,
            marketplace_ids=tuple(marketplace_ids),
            created=now,
            starts=starts,
            ends=starts + IN_PROGRESS_FOR + timedelta(seconds=longer),
            fate=fate,
        )
        self._reports[seller_id, report.id] = report
        return report

    def report(self, report_id: str, seller_id: str) -> StoredReport | None:
        return self._reports.get((seller_id, report_id))

    def all(self) -> Iterator[StoredReport]:
        """Oldest first."""
        return iter(self._reports.values())
