"""Learn from Amazon's Invoice Data Report what refunds are called there.

One report at a time and account serves all credit notes that wait for it; none is asked
for while none waits. Asking, following and reading are steps of their own, each due at
``InvoiceReport.next_step_at``; a worker that dies in one leaves it to be done again,
which does no harm. A report that gives nothing is said to whatever waits, and asked for
again, more and more seldom; the credit notes themselves say how long they wait.

A refund is told by its order, its amount and its SKUs. What is not exactly one's own is
not taken for it.

Source: SP-API "Invoice Data Reports" ("at least twice a day"); Amazon's model
``reports_2021-06-30.json``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from .. import budget, clock, failures, lock_objects, outbox
from ..amazon import errors, invoice_data, reports
from ..amazon.client import Client
from ..amazon.finances import Component
from ..amazon.reports import ProcessingStatus
from ..importing.refund_content import RefundContent
from ..ledger import communication, shop_refunds
from ..ledger.refunds import items_of
from ..models import InvoiceReport, OrderInvoice, OutboxEntry, SellerAccount
from . import credit_notes
from .credit_notes import KIND

logger = logging.getLogger(__name__)

INTERVAL = timedelta(hours=4)
#: How long after each look one is looked at again; the last one goes on.
POLL_AFTER = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900))
#: One that is not made by then is not waited for any more.
GIVE_UP_AFTER = timedelta(days=1)
#: A step that takes longer was its worker's last.
STEP_LIFETIME = timedelta(minutes=5)
RETRY_AFTER = timedelta(hours=1)
LONGEST_REST = timedelta(hours=12)

_WHO = (
    "It exists only for sellers who are enrolled in Amazon's VAT Calculation Service "
    "and upload their own invoices."
)
REFUSED = (
    "Amazon refuses the Invoice Data Report: the app lacks the role Tax Invoicing "
    f"(Restricted), or the seller has no such report. {_WHO}"
)
FATAL = f"Amazon could not make the Invoice Data Report (FATAL). {_WHO}"
#: What the report has no columns for.
_NOT_REPORTED = (
    Component.GOODWILL,
    Component.RESTOCKING_FEE,
    Component.RESTOCKING_FEE_TAX,
    Component.RETURN_SHIPPING,
)


def due_accounts() -> QuerySet[SellerAccount]:
    """Active accounts of which the next step is due, and credit notes wait for it."""
    return _with_waiting().filter(invoice_report__next_step_at__lte=clock.now())


def failing_accounts() -> QuerySet[SellerAccount]:
    """Active accounts whose credit notes wait for a report that gives nothing."""
    return (
        _with_waiting()
        .exclude(invoice_report__problem="")
        .select_related("invoice_report")
    )


def _with_waiting() -> QuerySet[SellerAccount]:
    return SellerAccount.objects.filter(
        Exists(_waiting().filter(order__account=OuterRef("pk"))),
        state=SellerAccount.State.ACTIVE,
        invoice_report__isnull=False,
    )


def _waiting() -> QuerySet[OrderInvoice]:
    return OrderInvoice.objects.filter(waits_until__isnull=False)


def go_on(account: SellerAccount) -> int:
    """Take the account's next step, if it is due; how many refunds were found."""
    row = InvoiceReport.objects.filter(
        account=account, next_step_at__lte=clock.now()
    ).first()
    if row is None or not _waiting().filter(order__account=account).exists():
        return 0
    taken = InvoiceReport.objects.filter(
        pk=row.pk, next_step_at=row.next_step_at
    ).update(next_step_at=clock.now() + STEP_LIFETIME)
    if not taken:
        return 0  # Another worker is at it.
    try:
        with budget.client_for(account) as client:
            if row.report_id:
                return _look(client, account, row)
            _ask(client, account, row)
    except errors.TryLater as error:
        _change(row, next_step_at=error.available_at)
    except errors.Forbidden as error:
        _fail(account, row, REFUSED, error)
    except errors.AmazonError as error:
        _fail(account, row, f"Amazon's Invoice Data Report: {error}.", error)
    except Exception as error:  # noqa: BLE001
        failures.log(logger, f"account {account.pk}: its invoice report", error)
        _fail(
            account,
            row,
            "Reading Amazon's Invoice Data Report failed unexpectedly; the server's "
            "log says why.",
        )
    return 0


def _change(row: InvoiceReport, **changes: object) -> None:
    InvoiceReport.objects.filter(pk=row.pk).update(**changes)


def _ask(client: Client, account: SellerAccount, row: InvoiceReport) -> None:
    marketplace_ids = sorted(
        set(
            _waiting()
            .filter(order__account=account)
            .values_list("order__marketplace_id", flat=True)
        )
    )
    now = clock.now()
    report_id = reports.create(client, invoice_data.REPORT_TYPE, marketplace_ids)
    _change(
        row,
        report_id=report_id,
        marketplace_ids=marketplace_ids,
        requested_at=now,
        poll_count=0,
        next_step_at=now + POLL_AFTER[0],
    )


def _look(client: Client, account: SellerAccount, row: InvoiceReport) -> int:
    report = reports.get(client, row.report_id)
    status = report.processing_status
    if status == ProcessingStatus.FATAL:
        _fail(account, row, FATAL)
        return 0
    if status == ProcessingStatus.CANCELLED:
        return _end(account, row, None)  # There is nothing to report.
    if status != ProcessingStatus.DONE:
        asked_at = row.requested_at or clock.now()
        if clock.now() >= asked_at + GIVE_UP_AFTER:
            _fail(
                account,
                row,
                "Amazon did not make the Invoice Data Report within a day.",
            )
            return 0
        wait = POLL_AFTER[min(row.poll_count + 1, len(POLL_AFTER) - 1)]
        _change(row, poll_count=row.poll_count + 1, next_step_at=clock.now() + wait)
        return 0
    document = reports.get_document(client, report.document_id)
    return _end(account, row, invoice_data.parse(reports.download(client, document)))


def _end(
    account: SellerAccount,
    row: InvoiceReport,
    transactions: Sequence[invoice_data.Transaction] | None,
) -> int:
    """Take over what the report says, and close it, all or nothing."""
    found = 0
    with transaction.atomic():
        if transactions is not None:
            found = _take_over(account, transactions)
            _note_checked(account, row, transactions)
        if row.problem:
            outbox.look_again(_entries(account))
        _change(
            row,
            report_id="",
            failure_count=0,
            problem="",
            next_step_at=clock.now() + INTERVAL,
        )
    return found


def _fail(
    account: SellerAccount,
    row: InvoiceReport,
    problem: str,
    error: errors.AmazonError | None = None,
) -> None:
    """It gave nothing: say so to what waits, once, and ask again later."""
    rest = min(RETRY_AFTER * 2 ** min(row.failure_count, 10), LONGEST_REST)
    with transaction.atomic():
        if problem != row.problem:
            communication.note_failure(
                account,
                reports.GET_REPORT,
                error or errors.MalformedAnswer(invoice_data.REPORT_TYPE, problem),
            )
            outbox.look_again(_entries(account))
        _change(
            row,
            report_id="",
            failure_count=row.failure_count + 1,
            problem=problem,
            next_step_at=clock.now() + rest,
        )


def _entries(account: SellerAccount) -> QuerySet[OutboxEntry]:
    """Of all that wait."""
    return OutboxEntry.objects.filter(account=account, kind=KIND, settled_at=None)


def _note_checked(
    account: SellerAccount,
    row: InvoiceReport,
    transactions: Iterable[invoice_data.Transaction],
) -> None:
    """Of credit notes that may have arrived: whether their refunds still lack one."""
    lacking = {each.transaction_id for each in transactions}
    notes = list(
        _waiting()
        .filter(order__account=account, order__marketplace_id__in=row.marketplace_ids)
        .exclude(transaction_id="")
    )
    for note in notes:
        note.checked_at = row.requested_at
        note.is_lacking = note.transaction_id in lacking
    OrderInvoice.objects.bulk_update(notes, ["checked_at", "is_lacking"])
    for entry in _entries(account).filter(order__in=[note.order_id for note in notes]):
        outbox.look_soon(entry)


# --- which refund is which -----------------------------------------------------------


def _take_over(
    account: SellerAccount, transactions: Sequence[invoice_data.Transaction]
) -> int:
    by_order: dict[str, list[invoice_data.Transaction]] = defaultdict(list)
    for each in transactions:
        by_order[each.order_id].append(each)
    wanted = Q(order__account=account, order__amazon_order_id__in=by_order)
    # Nobody locks what belongs to an order before the order.
    lock_objects.hold_orders(Q(invoices__in=_waiting().filter(wanted).values("pk")))
    notes = list(
        _waiting()
        .filter(wanted, transaction_id="", refund__isnull=False)
        .select_related("order", "refund", "corrects")
        .prefetch_related("refund__amounts")
        .order_by("refund__posted_at", "pk")
    )
    if not notes:
        return 0
    items = items_of({note.order.pk: note.order for note in notes}.values())
    taken = set(
        OrderInvoice.objects.filter(
            order__account=account,
            transaction_id__in=[each.transaction_id for each in transactions],
        ).values_list("transaction_id", flat=True)
    )
    found = []
    for note in notes:
        order_id = note.order.amazon_order_id
        free = [e for e in by_order[order_id] if e.transaction_id not in taken]
        refund = note.refund
        if refund is None:
            continue
        content = RefundContent(
            note.order,
            items[order_id],
            refund.currency,
            shop_refunds.by_item(refund),
            {},
        )
        if content.amount != note.total and not credit_notes.takes_the_rest(note):
            continue  # Amazon has corrected the refund since: the order says so.
        skus = {item.order_item_id: item.seller_sku for item in items[order_id]}
        match = _match(content, skus, free)
        if match is not None:
            taken.add(match.transaction_id)
            note.transaction_id = match.transaction_id
            note.transaction_total = match.total
            note.waits_until = None
            found.append(note)
    OrderInvoice.objects.bulk_update(
        found, ["transaction_id", "transaction_total", "waits_until"]
    )
    outbox.look_again(
        entry
        for entry in _entries(account).filter(
            order__in=[note.order_id for note in found]
        )
    )
    return len(found)


def _match(
    content: RefundContent,
    skus: Mapping[str, str],
    transactions: Sequence[invoice_data.Transaction],
) -> invoice_data.Transaction | None:
    """The one that gives the same, of the same items."""
    totals = _totals(content)
    told = set(content.amounts)
    mine = {skus.get(item_id, "") for item_id in told} if "" not in told else set()
    for total in totals:
        for each in transactions:
            is_same = each.total == total and each.currency in ("", content.currency)
            if is_same and (not each.skus or not mine or each.skus == mine):
                return each
    return None


def _totals(content: RefundContent) -> list[Decimal]:
    """What the refund comes to, as it is, and without what the report leaves out."""
    reported = sum(
        (
            amount
            for components in content.amounts.values()
            for name, amount in components.items()
            if content.counts(name) and name not in _NOT_REPORTED
        ),
        Decimal(0),
    )
    return list(dict.fromkeys((content.amount, reported)))
