"""What Amazon does with a feed once its turn has come, and the report of it.

Sources: the schemas amzn-envelope, OrderAcknowledgement, OrderFulfillment,
OrderAdjustment and ProcessingReport, release 4.1, and "Order Feed Type Values".
Amazon's error numbers other than 5000 and 5001 are not published: those here are the
sandbox's own, from 90001.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .. import clock
from . import adjustments, invoices, listings
from .adjustments import SCHEMA as ADJUSTMENT_SCHEMA
from .carriers import CARRIER_CODES
from .errors import NotFound
from .feed_store import StoredFeed
from .packages import find_package, package_units, put_package, unshipped_units
from .times import format_time

if TYPE_CHECKING:
    from .state import State, StoredOrder

XML_TYPE = "text/xml; charset=UTF-8"
NOT_PARSEABLE, NOT_VALID = "5000", "5001"
UNKNOWN_ORDER, WRONG_STATUS, WRONG_ITEMS = "90001", "90002", "90003"
WRONG_CARRIER = "90004"

_CANCEL_REASONS = (
    "NoInventory",
    "ShippingAddressUndeliverable",
    "CustomerExchange",
    "BuyerCanceled",
    "GeneralAdjustment",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "CustomerReturn",
    "MerchandiseNotReceived",
    "CannotVerifyInformation",
    "PricingError",
    "RejectOrder",
    "WeatherDelay",
)


class _Rejected(Exception):
    """The whole document: its number and why."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


@dataclass(frozen=True)
class _Problem:
    message_id: int
    code: str
    description: str
    order_id: str = ""


Message = tuple[int, ElementTree.Element]
#: Applies one message; why it could not, or nothing.
Processor = Callable[["State", str, ElementTree.Element], tuple[str, str] | None]


def finish(state: State, feed: StoredFeed, now: datetime) -> None:
    """Process the feed's content and leave its report, or meet its fate."""
    if feed.has_fate("fatal"):
        feed.final_status = "FATAL"
        return
    if feed.has_fate("cancelled"):
        feed.final_status = "CANCELLED"
        return
    if feed.type == invoices.FEED_TYPE:
        _finish_invoice(state, feed, now)
        return
    if feed.type == listings.FEED_TYPE:
        listings.finish_feed(state, feed, now)
        return
    message_type, processor = PROCESSORS[feed.type]
    problems: list[_Problem] = []
    processed, failed, status = 0, 0, "Complete"
    try:
        messages = _messages(feed, message_type)
        if feed.has_fate("fatal_partly"):
            messages = messages[: len(messages) // 2]
        if feed.has_fate("rejected"):
            raise _Rejected(NOT_PARSEABLE, "XML Parsing Fatal Error.")
        if feed.has_fate("unnamed"):
            processed = failed = len(messages)
        if feed.has_fate("processing"):
            status = "Processing"
        if feed.has_fate("unnamed", "processing", "unprocessed"):
            messages = []
        for message_id, body in messages:
            if feed.has_fate("renumbered"):
                for element in body.findall("MerchantFulfillmentID"):
                    body.remove(element)
            problem = processor(state, feed.seller_id, body)
            processed += 1
            if problem:
                order_id = body.findtext("AmazonOrderID") or ""
                problems.append(_Problem(message_id, *problem, order_id))
    except _Rejected as rejection:
        status = "Rejected"
        problems = [_Problem(0, rejection.code, rejection.description)]
    if feed.has_fate("fatal_partly"):
        feed.final_status = "FATAL"
        return
    feed.final_status = "DONE"
    failed += len(problems)
    report = _report(feed, status, processed, failed, problems)
    if feed.has_fate("garbled", "renumbered"):
        report = report[: len(report) // 2]
    if feed.has_fate("text_report"):
        report = _text_report(processed, failed, problems)
    feed.result_document_id = state.feeds.add_document(
        feed.seller_id, XML_TYPE, now, gzip.compress(report), is_compressed=True
    ).id


def _finish_invoice(state: State, feed: StoredFeed, now: datetime) -> None:
    """A file is no message, and its report is tab text."""
    problem = invoices.take(state, feed)
    if feed.has_fate("fatal_partly"):
        feed.final_status = "FATAL"  # There is no half of a file.
        return
    problems = [_Problem(1, *problem)] if problem else []
    report = _text_report(1, len(problems), problems)
    feed.final_status = "DONE"
    feed.result_document_id = state.feeds.add_document(
        feed.seller_id,
        "text/tab-separated-values; charset=UTF-8",
        now,
        gzip.compress(report),
        is_compressed=True,
    ).id


def _messages(feed: StoredFeed, message_type: str) -> Sequence[Message]:
    content = feed.document.content or b""
    if feed.document.content_type.replace(" ", "").lower() != "text/xml;charset=utf-8":
        raise _Rejected(NOT_PARSEABLE, "The content type is not XML.")
    if not content.startswith(b"<") or not content.rstrip(b"\r\n ").endswith(b">"):
        raise _Rejected(NOT_PARSEABLE, "Content is not allowed in prolog or trailer.")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - loopback only
    except ElementTree.ParseError:
        raise _Rejected(NOT_PARSEABLE, "XML Parsing Fatal Error.") from None
    if root.tag != "AmazonEnvelope":
        raise _Rejected(NOT_VALID, f"Cannot find the declaration of {root.tag}.")
    header = {child.tag: child.text for child in root.findall("Header/*")}
    if list(header) != ["DocumentVersion", "MerchantIdentifier"]:
        raise _Rejected(NOT_VALID, "The Header is not complete.")
    if header["MerchantIdentifier"] != feed.seller_id:
        raise _Rejected(NOT_VALID, "MerchantIdentifier is not the seller's.")
    if root.findtext("MessageType") != message_type:
        raise _Rejected(NOT_VALID, "The MessageType is not the feed type's.")
    tags = [child.tag for child in root]
    if tags[:2] != ["Header", "MessageType"] or set(tags[2:]) != {"Message"}:
        raise _Rejected(NOT_VALID, "The envelope's elements are not as declared.")
    return list(_checked(root.findall("Message"), message_type))


def _checked(
    messages: Sequence[ElementTree.Element], message_type: str
) -> Iterator[Message]:
    seen: set[int] = set()
    for message in messages:
        if [child.tag for child in message] != ["MessageID", message_type]:
            raise _Rejected(NOT_VALID, "A Message's elements are not as declared.")
        text = message[0].text or ""
        if not re.fullmatch(r"[1-9][0-9]{0,19}", text) or int(text) in seen:
            raise _Rejected(NOT_VALID, "MessageID is not a number of its own.")
        seen.add(int(text))
        _check_against(_SCHEMAS[message_type], message[1])
        yield int(text), message[1]


#: element → (child, how often, its pattern) in order; nested ones by their own name.
_SCHEMAS: Mapping[str, Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "OrderAcknowledgement": {
        "OrderAcknowledgement": (
            ("AmazonOrderID", "1", r"\w{3}-\w{7}-\w{7}"),
            ("MerchantOrderID", "?", r".{0,50}"),
            ("StatusCode", "1", r"Success|Failure"),
            ("Item", "*", ""),
        ),
        "Item": (
            ("AmazonOrderItemCode", "1", r"[0-9]{14}"),
            ("MerchantOrderItemID", "?", r".{0,50}"),
            ("CancelReason", "?", "|".join(_CANCEL_REASONS)),
            ("Quantity", "?", r"[1-9][0-9]*"),
        ),
    },
    "OrderFulfillment": {
        "OrderFulfillment": (
            ("AmazonOrderID", "1", r"\w{3}-\w{7}-\w{7}"),
            ("MerchantFulfillmentID", "?", r"[0-9]{1,20}"),
            ("FulfillmentDate", "1", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
            ("FulfillmentData", "1", ""),
            ("Item", "*", ""),
        ),
        "FulfillmentData": (
            ("CarrierCode", "1", ".+"),
            ("CarrierName", "?", ".{1,50}"),
            ("ShippingMethod", "?", ".{1,50}"),
            ("ShipperTrackingNumber", "?", ".{1,50}"),
        ),
        "Item": (
            ("AmazonOrderItemCode", "1", r"[0-9]{14}"),
            ("MerchantFulfillmentItemID", "?", r"[0-9]{1,20}"),
            ("Quantity", "?", r"[1-9][0-9]*"),
            ("TransparencyCode", "*", ".+"),
        ),
    },
    "OrderAdjustment": ADJUSTMENT_SCHEMA,
}


def _check_against(
    schema: Mapping[str, Sequence[tuple[str, str, str]]],
    element: ElementTree.Element,
) -> None:
    children = list(element)
    for name, times, pattern in schema[element.tag]:
        found = 0
        while children and children[0].tag == name:
            child = children.pop(0)
            found += 1
            if name in schema:
                _check_against(schema, child)
            elif not re.fullmatch(pattern, child.text or ""):
                raise _Rejected(NOT_VALID, f"The value of {name} is not valid.")
            attributes = adjustments.ATTRIBUTES.get(name, {})
            if child.attrib.keys() != attributes.keys() or not all(
                re.fullmatch(attributes[key], value)
                for key, value in child.attrib.items()
            ):
                raise _Rejected(NOT_VALID, f"The attributes of {name} are not valid.")
        too_few = times in ("1", "+") and not found
        if too_few or (times in ("1", "?") and found > 1):
            raise _Rejected(NOT_VALID, f"{name} occurs {found} times.")
    if children:
        raise _Rejected(NOT_VALID, f"{children[0].tag} is not expected here.")


def _fulfil(
    state: State, seller_id: str, body: ElementTree.Element
) -> tuple[str, str] | None:
    order_id = body.findtext("AmazonOrderID") or ""
    stored = _own_order(state, seller_id, order_id)
    if stored is None:
        return UNKNOWN_ORDER, "The order is not one of the seller's."
    order = stored.current.payload
    if stored.current.fulfilled_by != "MERCHANT" or stored.current.status not in (
        "UNSHIPPED",
        "PARTIALLY_SHIPPED",
        "SHIPPED",
    ):
        return WRONG_STATUS, f"The order is {stored.current.status}."
    carrier = body.findtext("FulfillmentData/CarrierCode") or ""
    name = body.findtext("FulfillmentData/CarrierName")
    if carrier not in CARRIER_CODES and not (carrier == "Other" and name):
        return WRONG_CARRIER, "The carrier code is not known, or is Other without name."
    reference = body.findtext("MerchantFulfillmentID") or str(
        7_000_000_000_001 + len(order.get("packages", ()))
    )
    left = unshipped_units(order) + package_units(find_package(order, reference))
    units = Counter(
        {
            item.findtext("AmazonOrderItemCode") or "": int(
                item.findtext("Quantity") or 1
            )
            for item in body.findall("Item")
        }
    ) or Counter(left)
    # Counter subtraction keeps what is too many.
    if not units or units - left:
        return WRONG_ITEMS, "The items are not those that are left to be shipped."
    package = {
        "packageReferenceId": reference,
        "createdTime": format_time(clock.now()),
        "packageStatus": {"status": "SHIPPED"},
        "carrier": name or carrier,
        "shipTime": body.findtext("FulfillmentDate"),
        "packageItems": [
            {"orderItemId": item_id, "quantity": quantity}
            for item_id, quantity in units.items()
            if quantity
        ],
    }
    tracking = body.findtext("FulfillmentData/ShipperTrackingNumber")
    if tracking:
        package["trackingNumber"] = tracking
    state.change_order(order_id, lambda copy: put_package(copy, package))
    return None


def _own_order(state: State, seller_id: str, order_id: str) -> StoredOrder | None:
    try:
        return state.own_order(order_id, seller_id)
    except NotFound:
        return None


def _acknowledge(
    state: State, seller_id: str, body: ElementTree.Element
) -> tuple[str, str] | None:
    order_id = body.findtext("AmazonOrderID") or ""
    stored = _own_order(state, seller_id, order_id)
    if stored is None:
        return UNKNOWN_ORDER, "The order is not one of the seller's."
    order = stored.current.payload
    items = body.findall("Item")
    if body.findtext("StatusCode") == "Success":
        merchant_order_id = body.findtext("MerchantOrderID")
        if merchant_order_id:
            state.change_order(order_id, _alias(merchant_order_id))
        return None
    # Amazon passes over a Failure without items.
    if not items or stored.current.status == "CANCELLED":
        return None
    if stored.current.fulfilled_by != "MERCHANT":
        return WRONG_STATUS, "Amazon fulfils the order."
    if stored.current.status != "UNSHIPPED":
        return WRONG_STATUS, f"The order is {stored.current.status}."
    named = {item.findtext("AmazonOrderItemCode") for item in items}
    if named != {item_id for item_id, left in unshipped_units(order).items() if left}:
        return WRONG_ITEMS, "The items are not those of the order."
    reason = items[0].findtext("CancelReason") or "GeneralAdjustment"
    cancel(state, seller_id, order_id, reason)
    return None


def cancel(state: State, seller_id: str, order_id: str, reason: str) -> None:
    """Cancel an unshipped order. Amazon offers its units again, unless the seller says
    that there are none ("Order Feed Type Values")."""
    order = state.stored_order(order_id).current.payload
    if reason not in ("NoInventory", "NO_INVENTORY"):
        units: Counter[str] = Counter()
        for item in order["orderItems"]:
            sku = item.get("product", {}).get("sellerSku", "")
            units[sku] += item["quantityOrdered"]
        listings.put_back(state, seller_id, units)
    state.change_order(order_id, _cancelled(reason))


def _alias(merchant_order_id: str) -> Callable[[dict[str, Any]], None]:
    def change(order: dict[str, Any]) -> None:
        others = [
            alias
            for alias in order.get("orderAliases", ())
            if alias["aliasType"] != "SELLER_ORDER_ID"
        ]
        order["orderAliases"] = [
            *others,
            {"aliasId": merchant_order_id, "aliasType": "SELLER_ORDER_ID"},
        ]

    return change


def _cancelled(reason: str) -> Callable[[dict[str, Any]], None]:
    def change(order: dict[str, Any]) -> None:
        for item in order["orderItems"]:
            item.setdefault("cancellation", {})["cancellationExecution"] = {
                "cancelledBy": "MERCHANT",
                "cancelReason": reason,
            }
            fulfillment = item.setdefault("fulfillment", {})
            fulfillment["quantityUnfulfilled"] = 0
            fulfillment.setdefault("quantityFulfilled", 0)
        order["fulfillment"]["fulfillmentStatus"] = "CANCELLED"

    return change


#: feed type → the type of its messages and what applies one. The caller holds the lock.
PROCESSORS: Mapping[str, tuple[str, Processor]] = {
    "POST_ORDER_ACKNOWLEDGEMENT_DATA": ("OrderAcknowledgement", _acknowledge),
    "POST_ORDER_FULFILLMENT_DATA": ("OrderFulfillment", _fulfil),
    "POST_PAYMENT_ADJUSTMENT_DATA": ("OrderAdjustment", adjustments.adjust),
}


def _report(
    feed: StoredFeed,
    status: str,
    processed: int,
    failed: int,
    problems: Sequence[_Problem],
) -> bytes:
    root = ElementTree.Element("AmazonEnvelope")
    header = _add(root, "Header")
    _add(header, "DocumentVersion", "1.02")
    _add(header, "MerchantIdentifier", feed.seller_id)
    _add(root, "MessageType", "ProcessingReport")
    message = _add(root, "Message")
    _add(message, "MessageID", "1")
    report = _add(message, "ProcessingReport")
    _add(report, "DocumentTransactionID", feed.id)
    _add(report, "StatusCode", status)
    summary = _add(report, "ProcessingSummary")
    _add(summary, "MessagesProcessed", str(processed))
    _add(summary, "MessagesSuccessful", str(max(0, processed - failed)))
    _add(summary, "MessagesWithError", str(failed))
    _add(summary, "MessagesWithWarning", "0")
    for problem in problems:
        result = _add(report, "Result")
        _add(result, "MessageID", str(problem.message_id))
        _add(result, "ResultCode", "Error")
        _add(result, "ResultMessageCode", problem.code)
        _add(result, "ResultDescription", problem.description)
        if problem.order_id:
            info = _add(result, "AdditionalInfo")
            _add(info, "AmazonOrderID", problem.order_id)
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _text_report(processed: int, failed: int, problems: Sequence[_Problem]) -> bytes:
    """The form in which flat-file feeds are answered."""
    lines = [
        "Feed Processing Summary:",
        f"\tNumber of records processed\t\t{processed}",
        f"\tNumber of records successful\t\t{processed - failed}",
        "",
        "original-record-number\torder-id\terror-code\terror-type\terror-message",
        *(
            f"{each.message_id}\t{each.order_id}\t{each.code}\tError\t"
            f"{each.description}"
            for each in problems
        ),
    ]
    return "\n".join(lines).encode()


def _add(
    parent: ElementTree.Element, name: str, text: str | None = None
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = text
    return element
