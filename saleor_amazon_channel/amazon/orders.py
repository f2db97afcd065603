"""Orders API v2026-01-01: ``searchOrders`` and ``getOrder``, and what they return.

Source: Amazon's model ``orders_2026-01-01.json`` and the "Orders API Migration Guide".
Names are Amazon's in snake case. A wrapper that holds a single field in Amazon's JSON
is left out: ``payment.paymentExecutions`` is ``Order.payment_executions``,
``item.promotion.breakdowns[].promotionId`` is ``OrderItem.promotion_ids``.

What the model marks as required must be there and of the right type, or the order is
``MalformedOrder``. Everything else may be missing, and unknown fields and unknown
values of enumerations pass: Amazon adds to them without a new version. Absent, null and
empty text are one thing to Amazon (its examples have all three), so text is never
``None`` here but ``""``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import reading as read
from .errors import MalformedAnswer, MalformedOrder
from .reading import Wire

if TYPE_CHECKING:
    from .client import Client

SEARCH_ORDERS = "searchOrders"
GET_ORDER = "getOrder"
#: In drafts of Amazon's model (2026-01 to 2026-05) and its reference, not in its
#: release.
CANCEL_ORDER = "cancelOrder"

#: The data sets the connector asks for. Status, quantities shipped and ship-by dates
#: come with FULFILLMENT only; without PACKAGES a shipment cannot be read back.
INCLUDED_DATA = (
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
)

MAX_RESULTS_PER_PAGE = 100
MAX_MARKETPLACE_IDS = 50


class FulfillmentStatus:
    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"


class FulfilledBy:
    MERCHANT = "MERCHANT"
    AMAZON = "AMAZON"


class ChannelName:
    AMAZON = "AMAZON"
    NON_AMAZON = "NON_AMAZON"


class ProceedsType:
    """``type`` of a proceeds breakdown; ``DELIVERY_TIP`` only of an order's."""

    ITEM = "ITEM"
    SHIPPING = "SHIPPING"
    GIFT_WRAP = "GIFT_WRAP"
    COD_FEE = "COD_FEE"
    OTHER = "OTHER"
    TAX = "TAX"
    DISCOUNT = "DISCOUNT"
    DELIVERY_TIP = "DELIVERY_TIP"


class ProceedsStatus:
    PENDING = "PENDING"
    FINALIZED = "FINALIZED"


class Program:
    """Of an order, except the last two, which are an item's."""

    AMAZON_BAZAAR = "AMAZON_BAZAAR"
    AMAZON_BUSINESS = "AMAZON_BUSINESS"
    AMAZON_EASY_SHIP = "AMAZON_EASY_SHIP"
    AMAZON_HAUL = "AMAZON_HAUL"
    DELIVERY_BY_AMAZON = "DELIVERY_BY_AMAZON"
    FBM_SHIP_PLUS = "FBM_SHIP_PLUS"
    INVOICE_BY_AMAZON = "INVOICE_BY_AMAZON"
    IN_STORE_PICK_UP = "IN_STORE_PICK_UP"
    PREMIUM = "PREMIUM"
    PREORDER = "PREORDER"
    PRIME = "PRIME"
    TRANSPARENCY = "TRANSPARENCY"
    SUBSCRIBE_AND_SAVE = "SUBSCRIBE_AND_SAVE"


class AliasType:
    SELLER_ORDER_ID = "SELLER_ORDER_ID"


class AssociationType:
    """``VALUE_ADD_SERVICE`` is an item's; the others are an order's."""

    REPLACEMENT_ORIGINAL_ID = "REPLACEMENT_ORIGINAL_ID"
    EXCHANGE_ORIGINAL_ID = "EXCHANGE_ORIGINAL_ID"
    VALUE_ADD_SERVICE = "VALUE_ADD_SERVICE"


class AddressType:
    RESIDENTIAL = "RESIDENTIAL"
    COMMERCIAL = "COMMERCIAL"
    PICKUP_POINT = "PICKUP_POINT"


class TaxEntityType:
    BUYER = "BUYER"
    MERCHANT = "MERCHANT"
    MARKETPLACE = "MARKETPLACE"


class TaxCollectionModel:
    MARKETPLACE_FACILITATOR = "MARKETPLACE_FACILITATOR"


class Actor:
    """Who asked for, or executed, a cancellation."""

    BUYER = "BUYER"
    MERCHANT = "MERCHANT"
    AMAZON = "AMAZON"


class PackageStatus:
    PENDING = "PENDING"
    IN_TRANSIT = "IN_TRANSIT"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    UNDELIVERABLE = "UNDELIVERABLE"


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True)
class DateTimeRange:
    earliest_date_time: datetime | None
    latest_date_time: datetime | None


@dataclass(frozen=True, slots=True)
class Alias:
    alias_id: str
    alias_type: str


@dataclass(frozen=True, slots=True)
class AssociatedOrder:
    """On a replacement or an exchange: ``order_id`` is the original order's."""

    order_id: str
    association_type: str


@dataclass(frozen=True, slots=True)
class SalesChannel:
    channel_name: str
    marketplace_id: str
    marketplace_name: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """``buyer_email`` is Amazon's relay address, merchant-fulfilled orders only."""

    buyer_name: str = field(repr=False)
    buyer_email: str = field(repr=False)
    buyer_company_name: str = field(repr=False)
    buyer_purchase_order_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddressExtendedFields:
    """Brazil only: the street address in its parts."""

    street_name: str = field(repr=False)
    street_number: str = field(repr=False)
    complement: str = field(repr=False)
    neighborhood: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """The model's ``CustomerAddress``, and its ``MerchantAddress``, which has less.

    City, region and country are not on Amazon's list of personal data.
    """

    name: str = field(repr=False)
    company_name: str = field(repr=False)
    address_line_1: str = field(repr=False)
    address_line_2: str = field(repr=False)
    address_line_3: str = field(repr=False)
    city: str
    district_or_county: str
    state_or_region: str
    municipality: str
    postal_code: str = field(repr=False)
    country_code: str
    phone: str = field(repr=False)
    extended_fields: AddressExtendedFields | None = field(repr=False)
    address_type: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """``delivery_preference`` is Amazon's JSON as it came, for people to read."""

    delivery_address: Address | None
    delivery_preference: Wire | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderProceedsBreakdown:
    """``status`` only on charges processed apart from the checkout (tips)."""

    type: str
    subtotal: Money
    status: str


@dataclass(frozen=True, slots=True)
class OrderProceeds:
    grand_total: Money | None
    breakdowns: tuple[OrderProceedsBreakdown, ...]


@dataclass(frozen=True, slots=True)
class ItemProceedsDetailedBreakdown:
    subtype: str
    value: Money | None


@dataclass(frozen=True, slots=True)
class ItemProceedsBreakdown:
    type: str
    subtotal: Money
    detailed_breakdowns: tuple[ItemProceedsDetailedBreakdown, ...]


@dataclass(frozen=True, slots=True)
class ItemProceeds:
    """Amounts are for all units of the line together."""

    proceeds_total: Money | None
    breakdowns: tuple[ItemProceedsBreakdown, ...]


@dataclass(frozen=True, slots=True)
class PaymentExecution:
    """``payment_method`` is free text; the last three fields are Brazil's only."""

    payment_method: str
    payment_amount: Money | None
    acquirer_id: str
    card_brand: str
    authorization_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TaxRegistrationAttribute:
    key: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderTaxRegistration:
    entity_type: str
    legal_name: str = field(repr=False)
    tax_registration_type: str
    tax_registration_number: str = field(repr=False)
    tax_registration_address: Address | None
    tax_registration_attributes: tuple[TaxRegistrationAttribute, ...]


@dataclass(frozen=True, slots=True)
class OrderTaxInvoicing:
    """``invoice_status`` for Easy Ship and Brazil, the preference for Turkey."""

    buyer_invoice_preference: str
    invoice_status: str


@dataclass(frozen=True, slots=True)
class OrderFulfillment:
    fulfillment_status: str
    fulfilled_by: str
    fulfillment_service_level: str
    ship_by_window: DateTimeRange | None
    deliver_by_window: DateTimeRange | None
    label_printing_window: DateTimeRange | None


@dataclass(frozen=True, slots=True)
class PackageItem:
    order_item_id: str
    quantity: int
    transparency_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderPackage:
    """A package of a merchant-fulfilled order, as Amazon stored it.

    ``status`` and ``detailed_status`` are the model's ``packageStatus``.
    """

    package_reference_id: str
    created_time: datetime | None
    status: str
    detailed_status: str
    carrier: str
    ship_time: datetime | None
    shipping_service: str
    tracking_number: str = field(repr=False)
    ship_from_address: Address | None
    package_items: tuple[PackageItem, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """For what is sold by weight, length or volume."""

    unit: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class ItemCondition:
    condition_type: str
    condition_subtype: str
    condition_note: str


@dataclass(frozen=True, slots=True)
class ItemProduct:
    """``unit_price`` is the only amount of an order that is per unit."""

    asin: str
    title: str
    seller_sku: str
    condition: ItemCondition | None
    unit_price: Money | None
    price_designation: str
    serial_numbers: tuple[str, ...]
    customized_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssociatedOrderItem:
    order_id: str
    order_item_id: str
    association_type: str


@dataclass(frozen=True, slots=True)
class ItemCancellationRequest:
    """The buyer asked; the merchant must act."""

    requester: str
    cancel_reason: str


@dataclass(frozen=True, slots=True)
class ItemCancellationExecution:
    """The item is cancelled."""

    cancelled_by: str
    cancel_reason: str


@dataclass(frozen=True, slots=True)
class GiftOption:
    gift_message: str = field(repr=False)
    gift_wrap_level: str


@dataclass(frozen=True, slots=True)
class ItemFulfillment:
    """``shipping_constraints`` names the mandatory ones: ``signatureConfirmation``…

    ``substitution_preference`` is Amazon's JSON as it came.
    """

    quantity_fulfilled: int
    quantity_unfulfilled: int
    gift_option: GiftOption | None
    is_serial_number_required: bool
    scheduled_delivery_window: DateTimeRange | None
    shipping_constraints: tuple[str, ...]
    ioss_number: str
    substitution_preference: Wire | None


@dataclass(frozen=True, slots=True)
class ItemTaxCollection:
    model: str
    responsible_party: str


@dataclass(frozen=True, slots=True)
class PointsGranted:
    """Amazon Points that the buyer gets and the seller pays (Japan).

    ``expense.pointsCost.pointsGranted``; no part of the order's proceeds.
    """

    points_number: int
    monetary_value: Money | None


@dataclass(frozen=True, slots=True)
class OrderItem:
    """``tax_reporting_schemes`` is ``tax.taxCalculationBreakdowns[].reportingScheme``
    (UOSS, IOSS)."""

    order_item_id: str
    quantity_ordered: int
    product: ItemProduct
    measurement: Measurement | None
    programs: tuple[str, ...]
    associated_order_items: tuple[AssociatedOrderItem, ...]
    proceeds: ItemProceeds | None
    promotion_ids: tuple[str, ...]
    cancellation_request: ItemCancellationRequest | None
    cancellation_execution: ItemCancellationExecution | None
    fulfillment: ItemFulfillment | None
    tax_collections: tuple[ItemTaxCollection, ...]
    tax_reporting_schemes: tuple[str, ...]
    points_granted: PointsGranted | None


@dataclass(frozen=True, slots=True)
class Order:
    """One customer order. Times are aware and in UTC.

    ``proceeds``, ``buyer`` and ``recipient`` are often missing while the status is
    PENDING, and where the app lacks the role that unlocks them.
    """

    order_id: str
    order_aliases: tuple[Alias, ...]
    created_time: datetime
    last_updated_time: datetime
    programs: tuple[str, ...]
    associated_orders: tuple[AssociatedOrder, ...]
    sales_channel: SalesChannel
    buyer: Buyer | None
    recipient: Recipient | None
    proceeds: OrderProceeds | None
    payment_executions: tuple[PaymentExecution, ...]
    tax_registrations: tuple[OrderTaxRegistration, ...]
    tax_invoicing: OrderTaxInvoicing | None
    fulfillment: OrderFulfillment | None
    order_items: tuple[OrderItem, ...]
    packages: tuple[OrderPackage, ...]

    @property
    def fulfillment_status(self) -> str:
        return self.fulfillment.fulfillment_status if self.fulfillment else ""

    @property
    def fulfilled_by(self) -> str:
        return self.fulfillment.fulfilled_by if self.fulfillment else ""

    @property
    def seller_order_id(self) -> str:
        for alias in self.order_aliases:
            if alias.alias_type == AliasType.SELLER_ORDER_ID:
                return alias.alias_id
        return ""

    @classmethod
    def from_wire(cls, wire: object) -> Order:
        """Amazon's JSON object of one order, typed. Raises ``MalformedOrder``."""
        try:
            return _order(read.obj(wire))
        except read.Problem as problem:
            order_id = wire.get("orderId") if isinstance(wire, dict) else None
            raise MalformedOrder(
                order_id if isinstance(order_id, str) else "",
                problem.path,
                problem.text,
            ) from None


@dataclass(frozen=True, slots=True)
class SearchOrdersPage:
    """One page of ``searchOrders``.

    ``payloads[i]`` is the JSON that ``orders[i]`` was made of. An order that cannot be
    typed is in ``malformed`` instead, with its JSON, and does not cost the others.
    ``last_updated_before`` (or ``created_before``, by the question asked) is the upper
    bound Amazon really used: the next watermark, taken from the **first** page.
    """

    orders: list[Order]
    payloads: list[dict[str, Any]] = field(repr=False)
    malformed: list[tuple[dict[str, Any], MalformedOrder]] = field(repr=False)
    next_token: str | None = field(repr=False)
    last_updated_before: datetime | None
    created_before: datetime | None


def search_orders(
    client: Client,
    *,
    last_updated_after: datetime | None = None,
    last_updated_before: datetime | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    marketplace_ids: Sequence[str] = (),
    fulfillment_statuses: Sequence[str] = (),
    fulfilled_by: Sequence[str] = (),
    included_data: Sequence[str] = INCLUDED_DATA,
    max_results_per_page: int = MAX_RESULTS_PER_PAGE,
    pagination_token: str | None = None,
    max_wait_seconds: float = 0,
) -> SearchOrdersPage:
    """One page of orders created, or updated, at or after a moment.

    Exactly one of ``created_after`` and ``last_updated_after``. A ``…_before`` must lie
    two minutes in the past by Amazon's clock, so it is best left out. The next page
    wants all filters again along with its token, which lives for 24 hours.
    """
    if (last_updated_after is None) == (created_after is None):
        raise ValueError("give exactly one of last_updated_after and created_after")
    if len(marketplace_ids) > MAX_MARKETPLACE_IDS:
        raise ValueError(f"at most {MAX_MARKETPLACE_IDS} marketplaces in one search")
    times = {
        "lastUpdatedAfter": last_updated_after,
        "lastUpdatedBefore": last_updated_before,
        "createdAfter": created_after,
        "createdBefore": created_before,
    }
    lists = {
        "marketplaceIds": marketplace_ids,
        "fulfillmentStatuses": fulfillment_statuses,
        "fulfilledBy": fulfilled_by,
        "includedData": included_data,
    }
    params = {name: wire_time(time) for name, time in times.items() if time}
    params |= {name: ",".join(values) for name, values in lists.items() if values}
    params["maxResultsPerPage"] = str(max_results_per_page)
    if pagination_token:
        params["paginationToken"] = pagination_token
    answer = client.request(
        SEARCH_ORDERS,
        "GET",
        "/orders/2026-01-01/orders",
        params=params,
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    return _page(answer)


def get_order(
    client: Client,
    order_id: str,
    included_data: Sequence[str] = INCLUDED_DATA,
    *,
    max_wait_seconds: float = 0,
) -> tuple[Order, dict[str, Any]]:
    """One order and its JSON. Raises ``NotFound``, ``MalformedOrder``."""
    answer = client.request(
        GET_ORDER,
        "GET",
        f"/orders/2026-01-01/orders/{quote(order_id, safe='')}",
        params={"includedData": ",".join(included_data)} if included_data else None,
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )
    payload = answer.get("order") if isinstance(answer, dict) else None
    if not isinstance(payload, dict):
        raise MalformedAnswer(GET_ORDER, "the answer has no order")
    return Order.from_wire(payload), payload


def cancel_order(
    client: Client,
    order_id: str,
    reason_code: str,
    *,
    max_wait_seconds: float = 0,
) -> None:
    """Ask Amazon to cancel a whole, unshipped order; it does so within minutes.

    ``reason_code`` is one of NO_INVENTORY, BUYER_CANCELLED, CUSTOMER_EXCHANGE,
    SHIPPING_ADDRESS_UNDELIVERABLE and PRICING_ERROR. Raises ``UnknownOutcome`` where it
    may have arrived without our hearing of it, and ``NotFound`` or ``Forbidden`` where
    Amazon does not offer the call.
    """
    client.request(
        CANCEL_ORDER,
        "PUT",
        f"/orders/2026-01-01/orders/{quote(order_id, safe='')}/cancellation",
        json={"cancelReasonCode": reason_code},
        max_wait_seconds=max_wait_seconds,
        idempotent=False,
    )


def wire_time(moment: datetime) -> str:
    """``moment`` in the form Amazon's parameters take: ISO 8601, UTC, milliseconds."""
    if moment.tzinfo is None:
        raise ValueError("a time for Amazon needs a time zone")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _page(answer: object) -> SearchOrdersPage:
    wires = answer.get("orders") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(wires, list):
        raise MalformedAnswer(SEARCH_ORDERS, "the answer has no list of orders")
    orders: list[Order] = []
    payloads: list[dict[str, Any]] = []
    malformed: list[tuple[dict[str, Any], MalformedOrder]] = []
    for wire in wires:
        try:
            orders.append(Order.from_wire(wire))
        except MalformedOrder as error:
            malformed.append((wire, error))
        else:
            payloads.append(wire)
    pagination = answer.get("pagination") or {}
    try:
        return SearchOrdersPage(
            orders,
            payloads,
            malformed,
            read.text(read.obj(pagination), "nextToken") or None,
            read.optional_time(answer, "lastUpdatedBefore"),
            read.optional_time(answer, "createdBefore"),
        )
    except read.Problem as problem:
        raise MalformedAnswer(
            SEARCH_ORDERS, f"{problem.path}: {problem.text}"
        ) from None


# One function per object of the model, in the order of the classes above.


def _money(wire: Wire) -> Money:
    amount = wire.get("amount")
    if amount is None:
        raise read.Problem("amount", "is missing")
    # The model says string. A JSON number with decimals has lost what was written.
    if type(amount) is not str and type(amount) is not int:
        raise read.Problem("amount", "must be a decimal number in a string")
    try:
        number = Decimal(amount)
    except InvalidOperation:
        raise read.Problem("amount", "must be a decimal number in a string") from None
    if not number.is_finite():
        raise read.Problem("amount", "must be a decimal number in a string")
    return Money(number, read.required_text(wire, "currencyCode"))


def _date_time_range(wire: Wire) -> DateTimeRange:
    return DateTimeRange(
        read.optional_time(wire, "earliestDateTime"),
        read.optional_time(wire, "latestDateTime"),
    )


def _alias(wire: Wire) -> Alias:
    return Alias(
        read.required_text(wire, "aliasId"), read.required_text(wire, "aliasType")
    )


def _associated_order(wire: Wire) -> AssociatedOrder:
    return AssociatedOrder(
        read.text(wire, "orderId"), read.text(wire, "associationType")
    )


def _sales_channel(wire: Wire) -> SalesChannel:
    return SalesChannel(
        read.required_text(wire, "channelName"),
        read.text(wire, "marketplaceId"),
        read.text(wire, "marketplaceName"),
    )


def _buyer(wire: Wire) -> Buyer:
    return Buyer(
        read.text(wire, "buyerName"),
        read.text(wire, "buyerEmail"),
        read.text(wire, "buyerCompanyName"),
        read.text(wire, "buyerPurchaseOrderNumber"),
    )


def _extended_fields(wire: Wire) -> AddressExtendedFields:
    return AddressExtendedFields(
        read.text(wire, "streetName"),
        read.text(wire, "streetNumber"),
        read.text(wire, "complement"),
        read.text(wire, "neighborhood"),
    )


def _address(wire: Wire) -> Address:
    return Address(
        read.text(wire, "name"),
        read.text(wire, "companyName"),
        read.text(wire, "addressLine1"),
        read.text(wire, "addressLine2"),
        read.text(wire, "addressLine3"),
        read.text(wire, "city"),
        read.text(wire, "districtOrCounty"),
        read.text(wire, "stateOrRegion"),
        read.text(wire, "municipality"),
        read.text(wire, "postalCode"),
        read.text(wire, "countryCode"),
        read.text(wire, "phone"),
        read.below(wire, "extendedFields", _extended_fields),
        read.text(wire, "addressType"),
    )


def _recipient(wire: Wire) -> Recipient:
    return Recipient(
        read.below(wire, "deliveryAddress", _address),
        read.below(wire, "deliveryPreference", _as_it_came),
    )


def _as_it_came(wire: Wire) -> Wire:
    return wire


def _order_proceeds_breakdown(wire: Wire) -> OrderProceedsBreakdown:
    return OrderProceedsBreakdown(
        read.required_text(wire, "type"),
        read.required_below(wire, "subtotal", _money),
        read.text(wire, "status"),
    )


def _order_proceeds(wire: Wire) -> OrderProceeds:
    return OrderProceeds(
        read.below(wire, "grandTotal", _money),
        read.each(wire, "breakdowns", _order_proceeds_breakdown),
    )


def _item_proceeds_detailed_breakdown(wire: Wire) -> ItemProceedsDetailedBreakdown:
    return ItemProceedsDetailedBreakdown(
        read.text(wire, "subtype"), read.below(wire, "value", _money)
    )


def _item_proceeds_breakdown(wire: Wire) -> ItemProceedsBreakdown:
    return ItemProceedsBreakdown(
        read.required_text(wire, "type"),
        read.required_below(wire, "subtotal", _money),
        read.each(wire, "detailedBreakdowns", _item_proceeds_detailed_breakdown),
    )


def _item_proceeds(wire: Wire) -> ItemProceeds:
    return ItemProceeds(
        read.below(wire, "proceedsTotal", _money),
        read.each(wire, "breakdowns", _item_proceeds_breakdown),
    )


def _payment_execution(wire: Wire) -> PaymentExecution:
    return PaymentExecution(
        read.text(wire, "paymentMethod"),
        read.below(wire, "paymentAmount", _money),
        read.text(wire, "acquirerId"),
        read.text(wire, "cardBrand"),
        read.text(wire, "authorizationCode"),
    )


def _tax_registration_attribute(wire: Wire) -> TaxRegistrationAttribute:
    return TaxRegistrationAttribute(read.text(wire, "key"), read.text(wire, "value"))


def _tax_registration(wire: Wire) -> OrderTaxRegistration:
    return OrderTaxRegistration(
        read.text(wire, "entityType"),
        read.text(wire, "legalName"),
        read.text(wire, "taxRegistrationType"),
        read.text(wire, "taxRegistrationNumber"),
        read.below(wire, "taxRegistrationAddress", _address),
        read.each(wire, "taxRegistrationAttributes", _tax_registration_attribute),
    )


def _tax_invoicing(wire: Wire) -> OrderTaxInvoicing:
    return OrderTaxInvoicing(
        read.text(wire, "buyerInvoicePreference"), read.text(wire, "invoiceStatus")
    )


def _order_fulfillment(wire: Wire) -> OrderFulfillment:
    return OrderFulfillment(
        read.required_text(wire, "fulfillmentStatus"),
        read.text(wire, "fulfilledBy"),
        read.text(wire, "fulfillmentServiceLevel"),
        read.below(wire, "shipByWindow", _date_time_range),
        read.below(wire, "deliverByWindow", _date_time_range),
        read.below(wire, "labelPrintingWindow", _date_time_range),
    )


def _package_item(wire: Wire) -> PackageItem:
    return PackageItem(
        read.required_text(wire, "orderItemId"),
        read.required_quantity(wire, "quantity"),
        read.texts(wire, "transparencyCodes"),
    )


def _package(wire: Wire) -> OrderPackage:
    status = read.inner(wire, "packageStatus")
    return OrderPackage(
        read.required_text(wire, "packageReferenceId"),
        read.optional_time(wire, "createdTime"),
        read.text(status, "status"),
        read.text(status, "detailedStatus"),
        read.text(wire, "carrier"),
        read.optional_time(wire, "shipTime"),
        read.text(wire, "shippingService"),
        read.text(wire, "trackingNumber"),
        read.below(wire, "shipFromAddress", _address),
        read.each(wire, "packageItems", _package_item),
    )


def _measurement(wire: Wire) -> Measurement:
    try:
        # By way of the text: the decimal nearest to 0.1 is not what Amazon wrote.
        value = Decimal(str(wire.get("value")))
    except InvalidOperation:
        raise read.Problem("value", "must be a number") from None
    return Measurement(read.required_text(wire, "unit"), value)


def _condition(wire: Wire) -> ItemCondition:
    return ItemCondition(
        read.text(wire, "conditionType"),
        read.text(wire, "conditionSubtype"),
        read.text(wire, "conditionNote"),
    )


def _product(wire: Wire) -> ItemProduct:
    price = read.inner(wire, "price")
    try:
        unit_price = read.below(price, "unitPrice", _money)
    except read.Problem as problem:
        raise problem.below("price") from None
    return ItemProduct(
        read.text(wire, "asin"),
        read.text(wire, "title"),
        read.text(wire, "sellerSku"),
        read.below(wire, "condition", _condition),
        unit_price,
        read.text(price, "priceDesignation"),
        read.texts(wire, "serialNumbers"),
        read.text(read.inner(wire, "customization"), "customizedUrl"),
    )


def _associated_order_item(wire: Wire) -> AssociatedOrderItem:
    return AssociatedOrderItem(
        read.text(wire, "orderId"),
        read.text(wire, "orderItemId"),
        read.text(wire, "associationType"),
    )


def _cancellation_request(wire: Wire) -> ItemCancellationRequest:
    return ItemCancellationRequest(
        read.text(wire, "requester"), read.text(wire, "cancelReason")
    )


def _cancellation_execution(wire: Wire) -> ItemCancellationExecution:
    return ItemCancellationExecution(
        read.text(wire, "cancelledBy"), read.text(wire, "cancelReason")
    )


def _gift_option(wire: Wire) -> GiftOption:
    return GiftOption(read.text(wire, "giftMessage"), read.text(wire, "giftWrapLevel"))


def _item_fulfillment(wire: Wire) -> ItemFulfillment:
    packing = read.inner(wire, "packing")
    shipping = read.inner(wire, "shipping")
    requirement = read.inner(packing, "serialNumberRequirement")
    constraints = read.inner(shipping, "shippingConstraints")
    return ItemFulfillment(
        read.quantity(wire, "quantityFulfilled"),
        read.quantity(wire, "quantityUnfulfilled"),
        read.below(packing, "giftOption", _gift_option),
        read.text(requirement, "requirementType") == "REQUIRED",
        read.below(shipping, "scheduledDeliveryWindow", _date_time_range),
        tuple(name for name, value in constraints.items() if value == "MANDATORY"),
        read.text(read.inner(shipping, "internationalShipping"), "iossNumber"),
        read.below(read.inner(wire, "picking"), "substitutionPreference", _as_it_came),
    )


def _tax_collection(wire: Wire) -> ItemTaxCollection:
    return ItemTaxCollection(
        read.text(wire, "model"), read.text(wire, "responsibleParty")
    )


def _reporting_scheme(wire: Wire) -> str:
    return read.text(wire, "reportingScheme")


def _promotion_id(wire: Wire) -> str:
    return read.text(wire, "promotionId")


def _item(wire: Wire) -> OrderItem:
    cancellation = read.inner(wire, "cancellation")
    tax = read.inner(wire, "tax")
    schemes = read.each(tax, "taxCalculationBreakdowns", _reporting_scheme)
    promotion_ids = read.each(
        read.inner(wire, "promotion"), "breakdowns", _promotion_id
    )
    return OrderItem(
        read.required_text(wire, "orderItemId"),
        read.required_quantity(wire, "quantityOrdered"),
        read.required_below(wire, "product", _product),
        read.below(wire, "measurement", _measurement),
        read.texts(wire, "programs"),
        read.each(wire, "associatedOrderItems", _associated_order_item),
        read.below(wire, "proceeds", _item_proceeds),
        tuple(filter(None, promotion_ids)),
        read.below(cancellation, "cancellationRequest", _cancellation_request),
        read.below(cancellation, "cancellationExecution", _cancellation_execution),
        read.below(wire, "fulfillment", _item_fulfillment),
        read.each(tax, "taxCollections", _tax_collection),
        tuple(filter(None, schemes)),
        read.below(
            read.inner(read.inner(wire, "expense"), "pointsCost"),
            "pointsGranted",
            _points_granted,
        ),
    )


def _points_granted(wire: Wire) -> PointsGranted:
    return PointsGranted(
        read.quantity(wire, "pointsNumber"),
        read.below(wire, "pointsMonetaryValue", _money),
    )


def _order(wire: Wire) -> Order:
    if wire.get("orderItems") is None:
        raise read.Problem("orderItems", "is missing")
    tax = read.inner(wire, "tax")
    order = Order(
        read.required_text(wire, "orderId"),
        read.each(wire, "orderAliases", _alias),
        read.time(wire, "createdTime"),
        read.time(wire, "lastUpdatedTime"),
        read.texts(wire, "programs"),
        read.each(wire, "associatedOrders", _associated_order),
        read.required_below(wire, "salesChannel", _sales_channel),
        read.below(wire, "buyer", _buyer),
        read.below(wire, "recipient", _recipient),
        read.below(wire, "proceeds", _order_proceeds),
        read.each(read.inner(wire, "payment"), "paymentExecutions", _payment_execution),
        read.each(tax, "taxRegistrations", _tax_registration),
        read.below(tax, "taxInvoicing", _tax_invoicing),
        read.below(wire, "fulfillment", _order_fulfillment),
        read.each(wire, "orderItems", _item),
        read.each(wire, "packages", _package),
    )
    _check_unique(item.order_item_id for item in order.order_items)
    return order


def _check_unique(order_item_ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, order_item_id in enumerate(order_item_ids):
        if order_item_id in seen:
            raise read.Problem(f"orderItems[{index}].orderItemId", "is there twice")
        seen.add(order_item_id)
