"""Bring an invoice to the buyer: by Amazon's VAT invoice feed, or by message.

Payload of the entry: ``{"shop_invoice_id": str, "number": str}``; the file is the
shop's at the moment of sending. Nothing goes before the order is shipped. Amazon cannot
be asked for an invoice that it was given, so one that may have left is not sent again
by itself; only where Amazon's list of feeds shows for an hour that it never got the
feed that it was in, it is.

Source: SP-API "Invoicing Feed Type Values" and the VAT Calculation Service's "Error
Handling" (the numbers of refusals), "Messaging API" (sendInvoice).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from .. import clock, outbox, store
from ..amazon import errors, messaging, uploads
from ..amazon.client import Client
from ..amazon.feed_reports import Result
from ..amazon.marketplaces import MARKETPLACES
from ..amazon.messaging import Attachment, Message, MessageAction
from ..amazon.orders import FulfillmentStatus
from ..models import (
    AmazonRefund,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    SellerAccount,
)
from ..outbox import BY_FEED, HELD, Outcome, State
from .messages import OUTCOME_UNKNOWN

FEED_TYPE = "UPLOAD_VAT_INVOICE"
#: Two invoices of one order would be one too many, and Amazon cannot be asked.
IS_REPEATABLE = False
CONTENT_TYPE = "application/pdf"
Mechanism = Marketplace.InvoiceMechanism

#: Where there is the feed: the documented list, and the two that a newer one names.
FEED_COUNTRIES: Final = frozenset(
    {"DE", "FR", "IT", "ES", "GB", "NL", "PL", "SE", "IE", "BE"}
)
#: Amazon's list of feeds is believed after that long, and not before.
NOT_ARRIVED_AFTER = timedelta(hours=1)
#: How often it is looked whether the order is shipped; the ledger knows.
LOOK_AFTER = timedelta(minutes=5)
MOST_BYTES: Final = 10 * 1000 * 1000

_INVOICE = Message(MessageAction.SEND_INVOICE)

#: What Amazon's number of a refusal means for the merchant.
REFUSALS: Mapping[str, str] = {
    "79503": "Amazon does not take the file for a PDF. Make the invoice anew.",
    "79509": (
        "Amazon has not switched invoice upload on for this seller account: switch it "
        "on in Seller Central (Settings, VAT), or set the marketplace's "
        "invoiceMechanism to OFF."
    ),
    "79513": "Amazon misses a key of the upload; report this as a fault.",
    "79517": (
        "Amazon does not know the order as dispatched yet. Send the invoice again in "
        "an hour, with amazonInvoicePush."
    ),
    "79523": "Amazon has the order in another marketplace; report this as a fault.",
    "79525": (
        "Amazon issues the invoices of this seller itself (VAT Calculation Service), "
        "so it takes none: set the marketplace's invoiceMechanism to OFF, or leave the "
        "service in Seller Central."
    ),
}


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """Send by message, or leave it to the feed.

    Raises what ``amazon.errors`` names when the call failed.
    """
    if entry.departed_at is not None or (reconcile and was_fed(entry)):
        return _not_to_be_known(entry)
    found = _look(entry)
    if isinstance(found, Outcome):
        return found
    country = _country(entry)
    if country == "BR":
        return Outcome(
            State.FAILED,
            f"Invoice {entry.payload['number']} is not sent: Brazil wants an "
            "electronic invoice (NF-e). Upload its XML in Seller Central.",
            error_code="NOT_POSSIBLE",
        )
    mechanism = _mechanism(entry)
    if mechanism == Mechanism.FEED or (
        mechanism == Mechanism.AUTO and country in FEED_COUNTRIES
    ):
        return Outcome(
            State.PENDING,
            error_code=BY_FEED,
            next_attempt_at=clock.now(),
            is_postponed=True,
        )
    return _by_message(client, entry, found, max_wait_seconds)


def _look(entry: OutboxEntry) -> bytes | Outcome:
    """The file, or what it waits for, or why it does not go."""
    number, status = entry.payload["number"], entry.order.fulfillment_status
    if status == FulfillmentStatus.CANCELLED:
        return Outcome(
            State.FAILED,
            f"Invoice {number} is not sent: the order was cancelled on Amazon.",
            error_code="ORDER_CANCELLED",
        )
    if status != FulfillmentStatus.SHIPPED:
        return Outcome(
            State.PENDING,
            f"Invoice {number} waits until the order is shipped.",
            error_code=HELD,
            next_attempt_at=clock.now() + LOOK_AFTER,
            is_postponed=True,
        )
    file = store.current().invoice_file(entry.payload["shop_invoice_id"])
    if file is None:
        return Outcome(
            State.FAILED,
            f"Invoice {number} is not sent: the shop has no file of it any more, or it "
            "cannot be read.",
            error_code="NO_FILE",
        )
    if not file.startswith(b"%PDF") or len(file) > MOST_BYTES:
        return Outcome(
            State.FAILED,
            f"Invoice {number} is not sent: Amazon takes a PDF of up to 10 MB, and the "
            "shop's file is none.",
            error_code="NO_PDF",
        )
    return file


def _by_message(
    client: Client, entry: OutboxEntry, file: bytes, max_wait_seconds: float
) -> Outcome:
    order, number = entry.order, entry.payload["number"]
    where = (order.amazon_order_id, order.marketplace_id)
    offered = messaging.get_actions(client, *where, max_wait_seconds=max_wait_seconds)
    if MessageAction.SEND_INVOICE not in offered:
        info = MARKETPLACES.get(order.marketplace_id)
        address = f": {info.order_url(order.amazon_order_id)}" if info else "."
        return Outcome(
            State.FAILED,
            f"Invoice {number} cannot be sent by a program here: Amazon has no feed "
            "for this marketplace, or it is not used, and offers no invoice message "
            f"for the order. Give it to the buyer in Seller Central{address}",
            error_code="NOT_POSSIBLE",
        )
    upload_id = uploads.attach(
        client,
        messaging.resource_of(order.amazon_order_id, _INVOICE.action),
        order.marketplace_id,
        file,
        CONTENT_TYPE,
        max_wait_seconds=max_wait_seconds,
    )
    attachment = Attachment(upload_id, f"{_file_name(number)}.pdf")
    if not outbox.depart(entry):
        return Outcome(State.UNKNOWN, error_code="CLAIM_LOST")
    try:
        messaging.send(
            client, *where, _INVOICE, [attachment], max_wait_seconds=max_wait_seconds
        )
    except (errors.UnknownOutcome, errors.MalformedAnswer):
        return _not_to_be_known(entry)
    except errors.CallFailed:
        outbox.come_back(entry)
        raise
    return Outcome(
        State.SUCCEEDED, f"Invoice {number} was sent to the buyer by message."
    )


# By feed: one invoice each.


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for the feed, and the feed's options for it."""

    file: bytes = field(repr=False)
    options: Mapping[str, str]


def prepare(entries: Sequence[OutboxEntry]) -> Mapping[int, Upload | Outcome]:
    """By entry what is to be uploaded, or what it waits for, or why it does not go."""
    prepared: dict[int, Upload | Outcome] = {}
    for entry in entries:
        found = _look(entry)
        prepared[entry.pk] = (
            found if isinstance(found, Outcome) else Upload(found, _options(entry))
        )
    return prepared


def document(account: SellerAccount, messages: Mapping[int, Upload]) -> bytes:
    [upload] = messages.values()
    return upload.file


def options(messages: Sequence[Upload]) -> Mapping[str, str]:
    [upload] = messages
    return upload.options


def _options(entry: OutboxEntry) -> dict[str, str]:
    """With the prefix that the report misses them without."""
    given = {
        "metadata:orderid": entry.order.amazon_order_id,
        "metadata:invoicenumber": entry.payload["number"],
        "metadata:documenttype": "Invoice",
    }
    invoice = OrderInvoice.objects.filter(
        order=entry.order, shop_invoice_id=entry.payload["shop_invoice_id"]
    ).first()
    if invoice and invoice.total is not None:
        given["metadata:totalamount"] = f"{invoice.total:.2f}"
        if invoice.tax is not None:
            given["metadata:totalvatamount"] = f"{invoice.tax:.2f}"
    return given


def refused(entry: OutboxEntry, refusals: Sequence[Result]) -> Outcome:
    """A refusal in the report, with what it means."""
    said = "; ".join(map(str, refusals))
    advice = next(
        (REFUSALS[each.code] for each in refusals if each.code in REFUSALS), ""
    )
    what = f"Amazon refused the invoice {entry.payload['number']}: {said}"
    return Outcome(
        State.FAILED,
        f"{what} {advice}".strip(),
        error_code=refusals[0].code[:100] or "REFUSED",
    )


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """Of one that was in no feed that Amazon has it is known: it did not leave."""
    return _not_to_be_known(entry) if was_fed(entry) else None


def was_fed(entry: OutboxEntry) -> bool:
    return entry.feed is not None and not entry.feed.is_missing


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    return {e.pk: f"Amazon has the invoice {e.payload['number']}." for e in entries}


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Nothing to be read again."""


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """What was refunded before can be corrected now."""
    AmazonRefund.objects.filter(
        account__in={entry.account_id for entry in entries},
        amazon_order_id__in=[entry.order.amazon_order_id for entry in entries],
        credit_note=None,
    ).update(credit_note_at=clock.now())


def report(entry: OutboxEntry) -> None:
    """Tell it on the shop's invoice and order."""
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
        shop.add_note(
            entry.order.shop_order_id,
            entry.error_message or f"Amazon has the invoice {entry.payload['number']}.",
        )


def _not_to_be_known(entry: OutboxEntry) -> Outcome:
    return Outcome(
        State.FAILED,
        f"Whether Amazon has the invoice {entry.payload['number']} is not known: it "
        "did not say, and cannot be asked. Look at the order in Seller Central; if it "
        "is not there, send it again with amazonInvoicePush.",
        error_code=OUTCOME_UNKNOWN,
    )


def _mechanism(entry: OutboxEntry) -> str:
    return (
        Marketplace.objects.filter(
            account_id=entry.order.account_id,
            marketplace_id=entry.order.marketplace_id,
        )
        .values_list("invoice_mechanism", flat=True)
        .first()
        or Mechanism.AUTO
    )


def _country(entry: OutboxEntry) -> str:
    info = MARKETPLACES.get(entry.order.marketplace_id)
    return info.country_code if info else ""


def _file_name(number: str) -> str:
    """The number as far as it can be a file's name."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in number)
