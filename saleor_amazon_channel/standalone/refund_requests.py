"""Refunds that staff of the stand-alone shop ask for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet

from ..store.contract import RefundDraft, RefundRequest, RefundRequestLine
from . import refunds
from .models import Refund, Transaction

Status = Refund.Status


def by_id(request_ids: Sequence[str]) -> list[RefundRequest]:
    return _requests(Refund.objects.filter(pk__in=request_ids))


def open_since(moment: datetime) -> list[RefundRequest]:
    return _requests(
        Refund.objects.filter(status=Status.REQUESTED, created_at__gte=moment)
    )


def _requests(rows: QuerySet[Refund]) -> list[RefundRequest]:
    return [
        RefundRequest(
            order_id=str(row.order_id),
            request_id=str(row.pk),
            reference=f"{row.order.external_reference}-refund-{row.pk}",
            amount=row.amount,
            currency=row.order.currency,
            requested_at=row.created_at,
            reasons=(row.reason,) if row.reason else (),
            lines=tuple(
                RefundRequestLine(str(line.line_id), line.quantity)
                for line in row.lines.all()
            ),
            is_shipping_included=row.is_shipping_included,
            actor=row.actor,
        )
        for row in rows.select_related("order").prefetch_related("lines").order_by("pk")
    ]


def take(request: RefundRequest) -> None:
    row = _locked(request.request_id)
    row.psp_reference, row.status = request.reference, Status.PENDING
    row.save()
    _transaction(row).update(charged=F("charged") - row.amount)


def refuse(request: RefundRequest, message: str) -> None:
    row = _locked(request.request_id)
    row.status, row.message = Status.FAILURE, message
    row.save()


def settle(draft: RefundDraft, request_id: str) -> str:
    row = _locked(request_id)
    if row.status == Status.PENDING:
        if not row.lines.exists() and not row.is_shipping_included:
            row.reason = draft.reason
            row.is_shipping_included = draft.is_shipping_included
            refunds.write_lines(row, draft)
        row.status = Status.SUCCESS
        row.save()
        _transaction(row).update(refunded=F("refunded") + row.amount)
    return ""


def fail(request_id: str, message: str) -> None:
    row = _locked(request_id)
    if row.status == Status.PENDING:
        row.status, row.message = Status.FAILURE, message
        row.save()
        _transaction(row).update(charged=F("charged") + row.amount)


def _locked(request_id: str) -> Refund:
    if not connection.in_atomic_block:
        raise RuntimeError("a refund must be changed inside a transaction")
    return Refund.objects.select_for_update(of=("self",)).get(pk=request_id)


def _transaction(row: Refund) -> QuerySet[Transaction]:
    return Transaction.objects.filter(
        order=row.order_id, psp_reference=F("order__external_reference")
    )
