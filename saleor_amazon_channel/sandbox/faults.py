"""Faults on demand: what shall go wrong with the next calls of an operation.

A fault strikes ``count`` matching calls after letting ``skip`` of them pass. It matches
by operation, and by seller and order where given. Faults are taken in the order in
which they were injected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: The name of the token request in faults, the call log and the counters.
LWA_OPERATION = "lwaToken"

#: kind -> what happens
KINDS = {
    "throttled": "429 QuotaExceeded, nothing happens",
    "internal_failure": "500 InternalFailure, nothing happens",
    "unavailable": "503 ServiceUnavailable, nothing happens",
    "failure_after_effect": "500 InternalFailure although the effect happened",
    "unauthorized": "403 Unauthorized, nothing happens",
    "html_400": "400 with an HTML body, nothing happens",
    "reset_before_effect": "the connection is reset, nothing happens",
    "close_after_effect": "the effect happens, the connection closes unanswered",
    "hold_after_effect": "the effect happens, no answer comes for `seconds`",
    "slow": "the answer comes after `seconds`",
    "repeated_page": "the next token leads to the same page once more",
    "empty_page": "the page is empty, the next token leads to what it should have",
    "stale": "orders are answered as they were before their last change, unless that "
    "was more than half an hour ago",
    "expired_token": "a pagination token is refused as expired",
    "lwa_error": "the token server answers with the code in `error`",
}


#: Faults that make sense for some operations only.
_ONLY_FOR = {
    "repeated_page": ("searchOrders", "listTransactions"),
    "empty_page": ("listTransactions",),
    "expired_token": ("searchOrders", "listTransactions"),
    "stale": ("searchOrders", "getOrder"),
    "lwa_error": (LWA_OPERATION,),
}
#: What may strike the token server, which has errors of its own: see ``lwa_error``.
_FOR_LWA = (
    "lwa_error",
    "html_400",
    "reset_before_effect",
    "close_after_effect",
    "hold_after_effect",
    "slow",
)


class FaultError(ValueError):
    """The description of a fault makes no sense; the message says why."""


@dataclass(slots=True)
class Fault:
    operation: str
    kind: str
    count: int = 1
    skip: int = 0
    seller_id: str | None = None
    order_id: str | None = None
    seconds: float = 30.0
    error: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"unknown fault {self.kind!r}; one of {', '.join(KINDS)}")
        if self.operation == LWA_OPERATION:
            is_fitting = self.kind in _FOR_LWA
        else:
            is_fitting = self.operation in _ONLY_FOR.get(self.kind, (self.operation,))
        if not is_fitting:
            raise FaultError(f"{self.kind} cannot strike {self.operation}")
        if self.count < 1 or self.skip < 0 or self.seconds < 0:
            raise FaultError("count must be >= 1, skip and seconds >= 0")
        if (self.kind == "lwa_error") != (self.error is not None):
            raise FaultError("`error` belongs to lwa_error and to nothing else")

    def matches(
        self,
        operation: str,
        seller_id: str | None,
        order_id: str | None,
        *,
        is_next_page: bool,
    ) -> bool:
        return (
            self.operation == operation
            and self.seller_id in (None, seller_id)
            and self.order_id in (None, order_id)
            and (self.kind != "expired_token" or is_next_page)
        )


class Faults:
    """The waiting faults. Not thread-safe: the caller holds the state's lock."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def inject(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[Mapping[str, Any]]:
        return [asdict(fault) for fault in self._waiting]

    def take(
        self,
        operation: str,
        seller_id: str | None = None,
        order_id: str | None = None,
        *,
        is_next_page: bool = False,
    ) -> Fault | None:
        """The fault that strikes this call, if any; its count goes down."""
        for fault in self._waiting:
            if not fault.matches(
                operation, seller_id, order_id, is_next_page=is_next_page
            ):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.count -= 1
            if not fault.count:
                self._waiting.remove(fault)
            return fault
        return None
