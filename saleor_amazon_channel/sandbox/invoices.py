"""What Amazon does with an invoice of a seller: the feed ``UPLOAD_VAT_INVOICE``.

Source: "Invoicing Feed Type Values" and the VAT Calculation Service's "Error Handling":
the options and the numbers of refusals. A total that is not Amazon's is refused, and so
is a credit note for a refund that the Invoice Data Report does not have; their numbers
are not published: 90005 and 90006 are the sandbox's own. A second credit note for the
same refund is kept like the first, so that it is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from . import invoice_data
from .errors import NotFound
from .feed_store import StoredFeed
from .sellers import country_of

if TYPE_CHECKING:
    from .state import State

FEED_TYPE = "UPLOAD_VAT_INVOICE"
FEED_COUNTRIES = frozenset(["DE", "FR", "IT", "ES", "GB", "NL", "PL", "SE", "IE", "BE"])

NOT_A_PDF, NOT_AVAILABLE, MISSING_KEY = "79503", "79509", "79513"
UNKNOWN_ORDER, WRONG_MARKETPLACE, BY_AMAZON = "79517", "79523", "79525"
WRONG_TYPE, WRONG_TOTAL, UNKNOWN_TRANSACTION = "79531", "90005", "90006"


@dataclass(frozen=True, slots=True)
class UploadedInvoice:
    order_id: str
    number: str
    document_type: str
    content: bytes = field(repr=False)
    #: Of a credit note: the refund that it is for.
    transaction_id: str = ""


def take(state: State, feed: StoredFeed) -> tuple[str, str] | None:
    """Keep the invoice; why it is not taken, or nothing. The caller holds the lock."""
    content = feed.document.content or b""
    if feed.document.content_type != "application/pdf" or content[:4] != b"%PDF":
        return NOT_A_PDF, "The file is not a PDF."
    given = {
        name.lower().removeprefix("metadata:"): value
        for name, value in feed.options.items()
        if name.lower().startswith("metadata:")
    }
    if "invoicenumber" not in given or not {"orderid", "shippingid"} & set(given):
        return MISSING_KEY, "The following metadata keys are missing."
    if given.get("documenttype", "Invoice") not in ("Invoice", "CreditNote"):
        return WRONG_TYPE, "The document type is not Invoice or CreditNote."
    if len(feed.marketplace_ids) != 1:
        return WRONG_MARKETPLACE, "Exactly one marketplace is needed."
    [marketplace_id] = feed.marketplace_ids
    if country_of(marketplace_id) not in FEED_COUNTRIES:
        return NOT_AVAILABLE, "The feature is not available to this seller."
    order_id = given.get("orderid", "")
    try:
        order = state.own_order(order_id, feed.seller_id).current.payload
    except NotFound:
        return UNKNOWN_ORDER, "The order is not known."
    if order["fulfillment"]["fulfillmentStatus"] not in (
        "SHIPPED",
        "PARTIALLY_SHIPPED",
    ):
        return UNKNOWN_ORDER, "The order is not dispatched yet."
    if order["salesChannel"].get("marketplaceId") != marketplace_id:
        return WRONG_MARKETPLACE, "The order is of another marketplace."
    is_by_amazon = "INVOICE_BY_AMAZON" in order.get("programs", ())
    if is_by_amazon or feed.seller_id in state.invoiced_by_amazon:
        return BY_AMAZON, "Amazon issues the invoice for this order."
    document_type = given.get("documenttype", "Invoice")
    total = Decimal(order["proceeds"]["grandTotal"]["amount"])
    transaction_id = ""
    if document_type == "CreditNote":
        transaction_id = given.get("transactionid", "")
        if not transaction_id:
            return MISSING_KEY, "The following metadata keys are missing."
        until = feed.created
        for refund in invoice_data.refunds(state, feed.seller_id, until):
            if (refund.order_id, refund.transaction_id) == (order_id, transaction_id):
                total = refund.total
                break
        else:
            return UNKNOWN_TRANSACTION, "The transaction is not known."
    if not _is_total(given.get("totalamount"), total):
        return WRONG_TOTAL, "The total amount is not Amazon's."
    state.invoices.append(
        UploadedInvoice(
            order_id, given["invoicenumber"], document_type, content, transaction_id
        )
    )
    return None


def _is_total(text: str | None, total: Decimal) -> bool:
    try:
        return text is None or Decimal(text) == total
    except InvalidOperation:
        return False
