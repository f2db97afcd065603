"""Financial transactions as the sandbox remembers them, and when Amazon shows them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

#: As many as Amazon gives at once (documentation, "Finances API v2024-06-19 Use Case
#: Guide").
MOST_PER_PAGE = 500


@dataclass(slots=True)
class StoredTransaction:
    """``payload`` in wire format; nobody sees it before ``visible_from``."""

    payload: Json = field(repr=False)
    posted: datetime
    visible_from: datetime

    @property
    def id(self) -> str:
        return str(self.payload["transactionId"])

    def related(self, name: str) -> str | None:
        for identifier in self.payload["relatedIdentifiers"]:
            if identifier["relatedIdentifierName"] == name:
                return str(identifier["relatedIdentifierValue"])
        return None


class TransactionStore:
    """Not thread-safe: the caller holds the state's lock."""

    def __init__(self) -> None:
        #: How long after it was posted a transaction can be read: hours, at Amazon.
        self.posting_delay = timedelta(0)
        self.page_size = MOST_PER_PAGE
        #: Whether refunds by feed are settled with the seller later.
        self.are_refunds_deferred = False
        #: (order id, order item id) → component → what the buyer got back so far.
        self.refunded: dict[tuple[str, str], dict[str, Decimal]] = {}
        self._of_seller: dict[str, list[StoredTransaction]] = {}

    def post(self, seller_id: str, payload: Json, now: datetime) -> StoredTransaction:
        """Keep a transaction that Amazon posts now; it can be read after the delay."""
        stored = StoredTransaction(payload, now, now + self.posting_delay)
        self._of_seller.setdefault(seller_id, []).append(stored)
        return stored

    def all_of(self, seller_id: str) -> Iterator[StoredTransaction]:
        """The seller's transactions, those that nobody sees yet among them."""
        return iter(self._of_seller.get(seller_id, ()))


def new_transaction_id() -> str:
    """In Amazon's form, 43 characters."""
    return secrets.token_urlsafe(32)


def new_number(digits: int = 14) -> str:
    """An identifier of digits that Amazon gives."""
    return str(secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1))
