"""Bring a credit note to Amazon, by the VAT invoice feed.

Payload of the entry: ``{"shop_invoice_id": str, "number": str}``, as of an invoice; all
else is in its ``OrderInvoice``. It waits until Amazon's Invoice Data Report says what
the refund is called there (``invoice_reports``): without that Amazon takes none. Such a
report exists only for sellers who are enrolled in the VAT Calculation Service and
upload their invoices themselves. So nothing is waited for without end.

Source: SP-API "Invoicing Feed Type Values", and the VAT Calculation Service's pages
"Option 2", "Option 3" and "Error Handling". What Amazon answers to a credit note in
production was not seen yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Sum

from .. import clock, outbox, store
from ..amazon.client import Client
from ..amazon.feed_reports import Result
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.orders import Program
from ..models import (
    AmazonOrder,
    InvoiceReport,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    SellerAccount,
)
from ..outbox import BY_FEED, HELD, Outcome, State
from . import invoices
from .invoices import Upload
from .messages import OUTCOME_UNKNOWN

FEED_TYPE = invoices.FEED_TYPE
KIND = OutboxEntry.Kind.CREDIT_NOTE
#: Two of one refund would be one too many.
IS_REPEATABLE = False

#: Amazon lists a refund within days. What is not listed by then never may be.
WAIT = timedelta(days=14)
#: What may have arrived is looked for in a report that was asked for that long after,
#: and until then.
CHECK_AFTER = timedelta(hours=6)
CHECK_UNTIL = timedelta(days=3)
#: The report is of orders of the last 90 days; of older ones its silence says nothing.
LISTED_FOR = timedelta(days=85)
#: A report is not asked for before, and again, within that time of the last.
FIRST_REPORT_AFTER = timedelta(minutes=10)
REPORTS_APART = timedelta(hours=1)

_BY_HAND = "Download it from the shop's order, and upload it in Seller Central."

#: What Amazon's number of a refusal means for the merchant.
REFUSALS: Mapping[str, str] = {
    **invoices.REFUSALS,
    "79503": "Amazon does not take the file for a PDF; report this as a fault.",
    "79517": (
        "Amazon does not know the order, or has it as not dispatched. Try it again in "
        "an hour, with amazonInvoicePush."
    ),
    "79531": f"Amazon takes no credit note by this way here. {_BY_HAND}",
    "79540": f"Amazon lost the file. {_BY_HAND}",
    "79544": f"Amazon lost the file. {_BY_HAND}",
}


def reason_to_keep(order: AmazonOrder) -> str:
    """Why nothing is sent, in words; empty: it is."""
    if Program.INVOICE_BY_AMAZON in order.programs:
        return "Amazon invoices this order itself (INVOICE_BY_AMAZON)."
    info = MARKETPLACES.get(order.marketplace_id)
    if info is None or info.country_code not in invoices.FEED_COUNTRIES:
        return "Amazon has no Invoice Data Report for the marketplace, which it needs."
    mechanism = (
        Marketplace.objects.filter(
            account_id=order.account_id, marketplace_id=order.marketplace_id
        )
        .values_list("invoice_mechanism", flat=True)
        .first()
    )
    if mechanism in (
        Marketplace.InvoiceMechanism.OFF,
        Marketplace.InvoiceMechanism.MESSAGE,
    ):
        return "the marketplace's invoiceMechanism is not the feed any more."
    return ""


def enqueue(
    order: AmazonOrder, note: OrderInvoice, revision: int = 1, actor: str = ""
) -> None:
    """Write the intent, in the caller's transaction, which holds the order."""
    outbox.enqueue(
        order,
        KIND,
        subject=note.shop_invoice_id,
        revision=revision,
        payload={"shop_invoice_id": note.shop_invoice_id, "number": note.number},
        actor=actor,
    )
    if not note.transaction_id:
        _wait([note], clock.now() + WAIT, FIRST_REPORT_AFTER)


def retry(entries: Sequence[OutboxEntry]) -> None:
    """These are tried again: wait for the report once more, where it lacks."""
    _wait(
        [note for note in notes_of(entries).values() if not note.transaction_id],
        clock.now() + WAIT,
        FIRST_REPORT_AFTER,
    )


def _wait(
    notes: Sequence[OrderInvoice], until: datetime, first_after: timedelta
) -> None:
    for note in notes:
        note.waits_until = until
        note.save(update_fields=["waits_until"])
        soon = clock.now() + first_after
        row, _ = InvoiceReport.objects.get_or_create(
            account_id=note.order.account_id, defaults={"next_step_at": soon}
        )
        if row.report_id:
            continue  # One is being made; the next follows.
        if row.requested_at:
            soon = max(soon, row.requested_at + REPORTS_APART)
        InvoiceReport.objects.filter(pk=row.pk, next_step_at__gt=soon).update(
            next_step_at=soon
        )


def takes_the_rest(note: OrderInvoice) -> bool:
    """Whether it took off the invoice all that was left, which may be less than what
    was refunded."""
    if note.corrects is None or note.corrects.total is None:
        return False
    given = note.corrects.credit_notes.aggregate(total=Sum("total"))["total"]
    return bool(given >= note.corrects.total)


def notes_of(entries: Sequence[OutboxEntry]) -> dict[int, OrderInvoice]:
    """By entry."""
    ids = {entry.payload["shop_invoice_id"]: entry.pk for entry in entries}
    rows = OrderInvoice.objects.filter(
        order__in=[entry.order_id for entry in entries], shop_invoice_id__in=ids
    ).select_related("order", "corrects", "refund")
    return {ids[row.shop_invoice_id]: row for row in rows}


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """Leave it to the feed, or say what it waits for."""
    if reconcile and (read := _read(entry)):
        return read
    found = _look(entry)
    if isinstance(found, Outcome):
        return found
    return Outcome(
        State.PENDING,
        error_code=BY_FEED,
        next_attempt_at=clock.now(),
        is_postponed=True,
    )


def _look(entry: OutboxEntry) -> Upload | Outcome:
    """What goes, or what it waits for, or why it does not go."""
    number = entry.payload["number"]
    note = notes_of([entry]).get(entry.pk)
    if note is None:
        return _failed(f"Credit note {number} is not known any more.", "NO_FILE")
    if reason := reason_to_keep(entry.order):
        return _failed(
            f"Credit note {number} is not sent: {reason} {_BY_HAND}", "NOT_POSSIBLE"
        )
    if not note.transaction_id:
        return _awaited(note)
    file = store.current().invoice_file(note.shop_invoice_id)
    if file is None:
        return _failed(
            f"Credit note {number} is not sent: the shop has no file of it any more, "
            "or it cannot be read. Make one by hand, and upload it in Seller Central.",
            "NO_FILE",
        )
    return Upload(file, _options(note))


def _awaited(note: OrderInvoice) -> Outcome:
    report = InvoiceReport.objects.filter(account_id=note.order.account_id).first()
    problem = report.problem if report else ""
    if note.waits_until is None or clock.now() >= note.waits_until:
        why = problem or (
            "Amazon's Invoice Data Report did not list the refund with this amount "
            f"within {WAIT.days} days. Amazon has such a report only of sellers who "
            "are enrolled in its VAT Calculation Service and upload their own "
            "invoices, and only of orders of the last 90 days."
        )
        return _failed(
            f"Credit note {note.number} cannot be sent by a program here: {why} "
            f"{_BY_HAND}",
            "NOT_POSSIBLE",
        )
    return Outcome(
        State.PENDING,
        f"Credit note {note.number} waits until Amazon's Invoice Data Report has the "
        f"refund, until {note.waits_until:%Y-%m-%d} at the latest. {problem}".strip(),
        error_code=HELD,
        next_attempt_at=note.waits_until,
        is_postponed=True,
    )


def _failed(message: str, error_code: str) -> Outcome:
    return Outcome(State.FAILED, message, error_code=error_code)


def _options(note: OrderInvoice) -> dict[str, str]:
    given = {
        "metadata:orderid": note.order.amazon_order_id,
        "metadata:invoicenumber": note.number,
        "metadata:documenttype": "CreditNote",
        "metadata:transactionid": note.transaction_id,
    }
    # Only advised, and refused where they are not Amazon's: fees that the seller keeps
    # are not in its figures.
    if note.total is not None and note.total == note.transaction_total:
        given["metadata:totalamount"] = f"{note.total:.2f}"
        if note.tax is not None:
            given["metadata:totalvatamount"] = f"{note.tax:.2f}"
    return given


# By feed: one each.


def prepare(entries: Sequence[OutboxEntry]) -> Mapping[int, Upload | Outcome]:
    """By entry what is to be uploaded, or what it waits for, or why it does not go."""
    return {entry.pk: _look(entry) for entry in entries}


def document(account: SellerAccount, messages: Mapping[int, Upload]) -> bytes:
    return invoices.document(account, messages)


def refused(entry: OutboxEntry, refusals: Sequence[Result]) -> Outcome:
    """A refusal in the report, with what it means."""
    said = "; ".join(map(str, refusals))
    advice = next(
        (REFUSALS[each.code] for each in refusals if each.code in REFUSALS), _BY_HAND
    )
    return _failed(
        f"Amazon refused the credit note {entry.payload['number']}: {said} {advice}",
        refusals[0].code[:100] or "REFUSED",
    )


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """What came of it, by what Amazon's report lists; None: it never left."""
    return _read(entry)


def _read(entry: OutboxEntry) -> Outcome | None:
    feed, number = entry.feed, entry.payload["number"]
    note = notes_of([entry]).get(entry.pk)
    if feed is None or feed.is_missing or note is None:
        return None
    ended_at = feed.settled_at or feed.sent_at
    if note.checked_at and note.checked_at >= ended_at + CHECK_AFTER:
        if note.is_lacking:
            return _failed(
                f"Amazon did not take the credit note {number}: its report lists the "
                "refund as one without. Send it again with amazonInvoicePush, or "
                "upload it in Seller Central.",
                "NOT_ARRIVED",
            )
        if note.order.created_time > note.checked_at - LISTED_FOR:
            return Outcome(State.SUCCEEDED, _arrived(entry))
    until = ended_at + CHECK_UNTIL
    if clock.now() >= until:
        return _not_to_be_known(entry)
    _wait([note], until, max(timedelta(0), ended_at + CHECK_AFTER - clock.now()))
    return Outcome(
        State.UNKNOWN,
        f"Amazon did not say whether it has the credit note {number}. Its Invoice Data "
        "Report will; until then nothing is sent again.",
        error_code="AWAITING_REPORT",
        next_attempt_at=until,
        is_postponed=True,
    )


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    return {e.pk: _arrived(e) for e in entries}


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Nothing to be read again."""


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """Nothing: the entry says it."""


def report(entry: OutboxEntry) -> None:
    """Tell it on the shop's document and order; the report is waited for no more."""
    OrderInvoice.objects.filter(
        order=entry.order, shop_invoice_id=entry.payload["shop_invoice_id"]
    ).update(waits_until=None)
    shop = store.current()
    settled_at = entry.settled_at or clock.now()
    shop.note_invoice(
        entry.payload["shop_invoice_id"],
        {
            "amazon.upload": entry.state,
            "amazon.uploadAt": settled_at.isoformat(timespec="seconds"),
        },
    )
    if entry.order.shop_order_id:
        shop.add_note(entry.order.shop_order_id, entry.error_message or _arrived(entry))


def _arrived(entry: OutboxEntry) -> str:
    return f"Amazon has the credit note {entry.payload['number']}."


def _not_to_be_known(entry: OutboxEntry) -> Outcome:
    return _failed(
        f"Whether Amazon has the credit note {entry.payload['number']} is not known: "
        "it did not say, and its report did not tell. Look at the order in Seller "
        "Central; if it is not there, send it again with amazonInvoicePush.",
        OUTCOME_UNKNOWN,
    )
