"""An Amazon order in the shop's terms. Pure: no query, no clock, no settings.

Source: Amazon's Orders model v2026-01-01. ``amounts`` reads the money and ``addresses``
the address; what neither can settle for certain is a blocker, and all blockers of an
order are found at once.

What the draft says beyond its fields is metadata, keys beginning with ``amazon.``:

- ``metadata`` of the order and of its lines can be read by the customer: ids, dates,
  programs, and how Amazon splits the amounts. Never personal data.
- ``private_metadata`` is for staff: a business buyer's company, purchase order number
  and tax registrations, gift messages, delivery instructions. All of it is the buyer's,
  and all of it goes when the order's personal data are redacted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from ..amazon.marketplaces import MARKETPLACES, MarketplaceInfo
from ..amazon.orders import (
    Address,
    AddressType,
    AssociationType,
    FulfilledBy,
    FulfillmentStatus,
    Order,
    OrderItem,
    OrderTaxRegistration,
    TaxCollectionModel,
    TaxEntityType,
)
from ..store.blockers import CORRECT_IT_HERE
from ..store.contract import (
    AddressDraft,
    Blocker,
    BlockerCode,
    LineDraft,
    OrderDraft,
    Price,
)
from .addresses import BadAddress, MappedAddress, as_given, map_address
from .amounts import PRICES_EXCLUDE_TAX, Amounts, BadAmounts, Side, read_amounts
from .text import one_line, storable

#: By the marketplace's country, where its buyers read one language; English elsewhere.
_LANGUAGES = {
    "BR": "pt-br",
    "DE": "de",
    "EG": "ar",
    "ES": "es",
    "FR": "fr",
    "IT": "it",
    "JP": "ja",
    "MX": "es",
    "NL": "nl",
    "PL": "pl",
    "SA": "ar",
    "SE": "sv",
    "TR": "tr",
}

_ASSOCIATIONS = {
    AssociationType.REPLACEMENT_ORIGINAL_ID: "amazon.replacementOf",
    AssociationType.EXCHANGE_ORIGINAL_ID: "amazon.exchangeOf",
}

#: Brazil's number of a natural person; all other types are companies'.
_PERSONS_TAX_REGISTRATION = "CPF"

#: Saleor's field, of one fulfillment.
_LONGEST_TRACKING_NUMBER = 255

#: Saleor keeps tax rates in NUMERIC(5, 4).
_TAX_RATE_STEP = Decimal("0.0001")
_HIGHEST_TAX_RATE = Decimal("9.9999")


class CannotMap(Exception):
    """The order cannot become a shop order as it is; ``blockers`` says all of why."""

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(", ".join(blocker.code for blocker in blockers))
        self.blockers = blockers


@dataclass(frozen=True, slots=True)
class _Units:
    """``quantity`` units are or were to be sent, ``shipped`` of them have left."""

    quantity: int
    shipped: int


def map_order(
    order: Order,
    staff_address: AddressDraft | None = None,
    *,
    needs_address: bool = True,
) -> OrderDraft:
    """``order`` as a draft with Amazon's numbers, or ``CannotMap``.

    ``staff_address`` is where it goes instead of where Amazon says. Unless
    ``needs_address``, one that Amazon withholds or that the shop does not take is none.
    """
    blockers: list[Blocker] = []
    units = {item.order_item_id: _units(order, item) for item in order.order_items}
    blockers += [found for found in units.values() if isinstance(found, Blocker)]
    kept = {
        item_id: found
        for item_id, found in units.items()
        if isinstance(found, _Units) and found.quantity
    }
    cancelled = {
        item_id
        for item_id, found in units.items()
        if isinstance(found, _Units) and not found.quantity
    }
    if len(cancelled) == len(order.order_items):
        message = (
            "No unit of the order is left: it was cancelled item by item."
            if cancelled
            else "Amazon names no item of the order. It is imported once Amazon does; "
            "until then work it in Seller Central."
        )
        blockers.append(Blocker(BlockerCode.UNREADABLE, message, "orderItems"))
    blockers += [
        _no_sku(item)
        for item in order.order_items
        if item.order_item_id not in cancelled and not item.product.seller_sku.strip()
    ]
    amounts = None
    try:
        amounts = read_amounts(order, cancelled)
    except BadAmounts as error:
        blockers += error.blockers
    is_by_amazon = order.fulfilled_by == FulfilledBy.AMAZON
    is_to_be_shipped = not is_by_amazon and any(
        isinstance(found, Blocker) or found.shipped < found.quantity
        for found in units.values()
    )
    shipping_address = None
    if staff_address:
        shipping_address = MappedAddress(staff_address, phone_as_given="")
    else:
        try:
            shipping_address = _shipping_address(order, is_to_be_shipped)
        except BadAddress as error:
            if needs_address:
                blockers += error.blockers
    if blockers or amounts is None:
        raise CannotMap(tuple(blockers))
    return _draft(order, kept, amounts, shipping_address)


def units_and_amounts(order: Order) -> tuple[Mapping[str, int], Amounts]:
    """How many units of each item there are, and what they cost, as ``map_order`` has
    it. Raises ``CannotMap``."""
    units = {item.order_item_id: _units(order, item) for item in order.order_items}
    blockers = tuple(found for found in units.values() if isinstance(found, Blocker))
    if blockers:
        raise CannotMap(blockers)
    counted = {
        item_id: found.quantity
        for item_id, found in units.items()
        if isinstance(found, _Units)
    }
    cancelled = {item_id for item_id, quantity in counted.items() if not quantity}
    try:
        return counted, read_amounts(order, cancelled)
    except BadAmounts as error:
        raise CannotMap(error.blockers) from error


def in_shop_units(draft: OrderDraft, units: Mapping[str, int]) -> OrderDraft:
    """The draft with its lines in the shop's units: order item id → how many of them
    one unit on Amazon is. What a line costs stays the same."""
    return replace(
        draft,
        lines=tuple(
            replace(
                line,
                quantity=line.quantity * units.get(line.order_item_id, 1),
                quantity_shipped=line.quantity_shipped
                * units.get(line.order_item_id, 1),
            )
            for line in draft.lines
        ),
    )


def _draft(
    order: Order,
    units: Mapping[str, _Units],
    amounts: Amounts,
    address: MappedAddress | None,
) -> OrderDraft:
    lines = tuple(
        _line(item, units[item.order_item_id], amounts)
        for item in order.order_items
        if item.order_item_id in units
    )
    total = Side()
    for side in (*amounts.lines.values(), amounts.shipping):
        total.add(side)
    marketplace = MARKETPLACES.get(order.sales_channel.marketplace_id)
    country = marketplace.country_code if marketplace else ""
    shipping_address = address.draft if address else None
    return OrderDraft(
        amazon_order_id=order.order_id,
        marketplace_id=order.sales_channel.marketplace_id,
        marketplace_name=_marketplace_name(order, marketplace),
        currency=amounts.currency,
        created_at=order.created_time,
        lines=lines,
        shipping=_price(amounts, amounts.shipping),
        shipping_tax_rate=_tax_rate(amounts.shipping),
        shipping_name=_shipping_name(order),
        total=_price(amounts, total),
        undiscounted_total=_undiscounted_price(amounts, total),
        shipping_address=shipping_address,
        billing_address=_billing_address(order) or shipping_address,
        is_amazon_fulfilled=order.fulfilled_by == FulfilledBy.AMAZON,
        display_gross_prices=country not in PRICES_EXCLUDE_TAX,
        language_code=_LANGUAGES.get(country, "en"),
        tracking_numbers=_tracking_numbers(order),
        metadata=_metadata(order, amounts, total),
        private_metadata=_private_metadata(order, address),
    )


# Items.


def _units(order: Order, item: OrderItem) -> _Units | Blocker:
    """How many units of ``item`` there are, and how many of them have left.

    Amazon counts the units that were shipped and those that "remain to be processed and
    shipped". A unit in neither count was cancelled if Amazon says that some of the item
    were (``cancellationExecution``), that others remain, or that the order is shipped
    and with it these. Otherwise the counts are merely not given, and the order's status
    has to say it.
    """
    ordered, status = item.quantity_ordered, order.fulfillment_status
    fulfilled = item.fulfillment.quantity_fulfilled if item.fulfillment else 0
    unfulfilled = item.fulfillment.quantity_unfulfilled if item.fulfillment else 0
    if fulfilled + unfulfilled > ordered:
        return Blocker(
            BlockerCode.UNREADABLE,
            f"Item {item.order_item_id} has {ordered} units ordered, {fulfilled} "
            f"shipped and {unfulfilled} to ship. Compare the order with Seller "
            "Central; until it changes, work it there.",
            item.order_item_id,
        )
    is_shipped = status == FulfillmentStatus.SHIPPED
    is_by_amazon = order.fulfilled_by == FulfilledBy.AMAZON
    if item.cancellation_execution or (
        not is_by_amazon and (unfulfilled or (is_shipped and fulfilled))
    ):
        ordered = fulfilled + unfulfilled
    if is_shipped and (is_by_amazon or not fulfilled + unfulfilled):
        return _Units(ordered, ordered)
    is_counted = bool(fulfilled or unfulfilled or not ordered)
    if status == FulfillmentStatus.PARTIALLY_SHIPPED and not is_counted:
        return Blocker(
            BlockerCode.UNREADABLE,
            f"Amazon has not said how many units of item {item.order_item_id} have "
            "been shipped. The order is imported once Amazon does.",
            item.order_item_id,
        )
    return _Units(ordered, fulfilled)


def _no_sku(item: OrderItem) -> Blocker:
    return Blocker(
        BlockerCode.UNREADABLE,
        f"Item {item.order_item_id} (ASIN {one_line(item.product.asin) or 'unknown'}) "
        "has no seller SKU, by which the shop knows its products. Give the listing one "
        "in Seller Central, or work the order there.",
        item.order_item_id,
    )


def _line(item: OrderItem, units: _Units, amounts: Amounts) -> LineDraft:
    side = amounts.lines[item.order_item_id]
    sku = item.product.seller_sku
    metadata = {
        "amazon.orderItemId": item.order_item_id,
        "amazon.asin": one_line(item.product.asin),
        "amazon.programs": ",".join(item.programs),
        "amazon.taxReportingSchemes": ",".join(item.tax_reporting_schemes),
        **_split(amounts, side),
    }
    gift_option = item.fulfillment.gift_option if item.fulfillment else None
    if gift_option:
        metadata["amazon.giftWrapLevel"] = one_line(gift_option.gift_wrap_level)
    return LineDraft(
        order_item_id=item.order_item_id,
        sku=sku,
        title=one_line(item.product.title) or sku,
        quantity=units.quantity,
        quantity_shipped=units.shipped,
        total=_price(amounts, side),
        undiscounted_total=_undiscounted_price(amounts, side),
        tax_rate=_tax_rate(side),
        metadata=_given(metadata),
    )


# Money.


def _price(amounts: Amounts, side: Side) -> Price:
    return Price(gross=amounts.decimal(side.gross), net=amounts.decimal(side.net))


def _undiscounted_price(amounts: Amounts, side: Side) -> Price:
    return Price(
        gross=amounts.decimal(side.undiscounted_gross),
        net=amounts.decimal(side.undiscounted_net),
    )


def _tax_rate(side: Side) -> Decimal | None:
    if side.gross == side.net or not side.net:
        return None
    rate = (Decimal(side.gross - side.net) / side.net).quantize(
        _TAX_RATE_STEP, ROUND_HALF_UP
    )
    return rate if rate <= _HIGHEST_TAX_RATE else None


_SPLIT_KEYS = {
    "ITEM": "amazon.item",
    "GIFT_WRAP": "amazon.giftWrap",
    "SHIPPING": "amazon.shipping",
    "COD_FEE": "amazon.codFee",
    "DELIVERY_TIP": "amazon.deliveryTip",
    "OTHER": "amazon.other",
}


def _split(amounts: Amounts, side: Side, of: str = "") -> dict[str, str]:
    """Amazon's parts of ``side``, as far as there are any."""
    split = {_SPLIT_KEYS[part]: amount for part, amount in side.parts.items()}
    split[f"amazon.{of}Discount" if of else "amazon.discount"] = side.discount
    split[f"amazon.{of}Tax" if of else "amazon.tax"] = side.tax
    return {
        key: str(amounts.decimal(amount)) for key, amount in split.items() if amount
    }


# The order.


def _marketplace_name(order: Order, marketplace: MarketplaceInfo | None) -> str:
    name = one_line(order.sales_channel.marketplace_name)
    if name or marketplace is None:
        return name or "Amazon"
    return marketplace.domain.capitalize()


def _shipping_name(order: Order) -> str:
    level = order.fulfillment.fulfillment_service_level if order.fulfillment else ""
    return f"Amazon {one_line(level).replace('_', ' ').lower()}".rstrip()[:255]


def _tracking_numbers(order: Order) -> str:
    """As many as Saleor's field for one holds."""
    numbers = [one_line(package.tracking_number) for package in order.packages]
    text = ", ".join(dict.fromkeys(filter(None, numbers)))
    if len(text) <= _LONGEST_TRACKING_NUMBER:
        return text
    return text[:_LONGEST_TRACKING_NUMBER].rpartition(", ")[0]


def _metadata(order: Order, amounts: Amounts, total: Side) -> dict[str, str]:
    fulfillment = order.fulfillment
    ship_by = fulfillment.ship_by_window if fulfillment else None
    deliver_by = fulfillment.deliver_by_window if fulfillment else None
    address = order.recipient.delivery_address if order.recipient else None
    methods = {one_line(paid.payment_method) for paid in order.payment_executions}
    metadata = {
        "amazon.orderId": order.order_id,
        "amazon.sellerOrderId": one_line(order.seller_order_id),
        "amazon.marketplaceId": order.sales_channel.marketplace_id,
        "amazon.salesChannel": one_line(order.sales_channel.marketplace_name),
        "amazon.fulfilledBy": order.fulfilled_by,
        "amazon.serviceLevel": (
            fulfillment.fulfillment_service_level if fulfillment else ""
        ),
        "amazon.shipBy": _time(ship_by.latest_date_time if ship_by else None),
        "amazon.deliverBy": _time(deliver_by.latest_date_time if deliver_by else None),
        "amazon.programs": ",".join(order.programs),
        "amazon.paymentMethods": ", ".join(sorted(methods - {""})),
        "amazon.grandTotal": str(amounts.decimal(total.gross)),
        **_split(amounts, amounts.shipping, of="shipping"),
    }
    collectors = {
        one_line(collection.responsible_party) or "Amazon"
        for item in order.order_items
        for collection in item.tax_collections
        if collection.model == TaxCollectionModel.MARKETPLACE_FACILITATOR
    }
    metadata["amazon.taxCollectedBy"] = ", ".join(sorted(collectors))
    if total.tax_remitted:
        # Amazon collects this tax and remits it: it is none of the merchant's.
        metadata["amazon.taxRemittedByAmazon"] = str(
            amounts.decimal(total.tax_remitted)
        )
    if amounts.pending_tip:
        metadata["amazon.pendingDeliveryTip"] = str(
            amounts.decimal(amounts.pending_tip)
        )
    if address and address.address_type == AddressType.PICKUP_POINT:
        metadata["amazon.addressType"] = address.address_type
    for associated in order.associated_orders:
        if associated.association_type in _ASSOCIATIONS:
            key = _ASSOCIATIONS[associated.association_type]
            metadata[key] = one_line(associated.order_id)
    return _given(metadata)


def _private_metadata(order: Order, address: MappedAddress | None) -> dict[str, str]:
    metadata: dict[str, str] = {}
    if order.buyer:
        metadata["amazon.buyerCompanyName"] = one_line(order.buyer.buyer_company_name)
        metadata["amazon.buyerPurchaseOrderNumber"] = one_line(
            order.buyer.buyer_purchase_order_number
        )
    metadata["amazon.taxRegistrations"] = _tax_registrations(order)
    if order.tax_invoicing:
        metadata["amazon.buyerInvoicePreference"] = one_line(
            order.tax_invoicing.buyer_invoice_preference
        )
    if address:
        metadata["amazon.phone"] = address.phone_as_given
    preference = order.recipient.delivery_preference if order.recipient else None
    if preference:
        metadata |= _delivery_preference(preference)
    for item in order.order_items:
        gift_option = item.fulfillment.gift_option if item.fulfillment else None
        metadata |= {
            f"amazon.giftMessage.{item.order_item_id}": (
                gift_option.gift_message if gift_option else ""
            ),
            f"amazon.customizedUrl.{item.order_item_id}": one_line(
                item.product.customized_url
            ),
            f"amazon.iossNumber.{item.order_item_id}": (
                one_line(item.fulfillment.ioss_number) if item.fulfillment else ""
            ),
            # What the merchant pays for the buyer's points: bookkeeping's.
            f"amazon.pointsCost.{item.order_item_id}": (
                str(item.points_granted.monetary_value)
                if item.points_granted and item.points_granted.monetary_value
                else ""
            ),
        }
    return _given(metadata)


def _delivery_preference(preference: Mapping[str, object]) -> dict[str, str]:
    """What the buyer wrote, as text; opening hours and the like as Amazon's JSON."""
    texts = [preference.get("dropOffLocation"), preference.get("addressInstruction")]
    rest = {
        key: value
        for key, value in preference.items()
        if value and not isinstance(value, str)
    }
    return {
        "amazon.deliveryInstructions": "\n".join(
            text for text in texts if isinstance(text, str) and text.strip()
        ),
        "amazon.deliveryPreference": _json(rest) if rest else "",
    }


def _tax_registrations(order: Order) -> str:
    """The buyer's, as JSON; the merchant and Amazon are no secret to the merchant."""
    registrations = [
        {
            "type": registration.tax_registration_type,
            "number": registration.tax_registration_number,
            "legalName": registration.legal_name,
            **{
                attribute.key: attribute.value
                for attribute in registration.tax_registration_attributes
            },
            **_registered_at(registration.tax_registration_address),
        }
        for registration in order.tax_registrations
        if registration.entity_type == TaxEntityType.BUYER
    ]
    return _json(registrations) if registrations else ""


def _registered_at(address: Address | None) -> dict[str, str]:
    if address is None:
        return {}
    draft = as_given(address)
    parts = (
        draft.street_address_1,
        draft.street_address_2,
        f"{draft.postal_code} {draft.city}".strip(),
        draft.country_area,
        draft.country,
    )
    return {"address": ", ".join(part for part in parts if part)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _given(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: storable(value) for key, value in metadata.items() if value}


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


# Addresses.


def _shipping_address(order: Order, is_to_be_shipped: bool) -> MappedAddress | None:
    """Where the order goes; None where Amazon does not say and need not.

    Amazon withholds addresses of orders that it fulfils itself, in whole or but for the
    place, and of orders shipped long ago.
    """
    address = order.recipient.delivery_address if order.recipient else None
    if address is None:
        if not is_to_be_shipped:
            return None
        raise BadAddress(
            (
                Blocker(
                    BlockerCode.BAD_ADDRESS,
                    "Amazon gave no delivery address. If all orders lack it, the app "
                    "needs the role Direct-to-Consumer Delivery (Restricted) in Seller "
                    f"Central; otherwise ask the buyer for it and {CORRECT_IT_HERE}",
                    "deliveryAddress",
                ),
            )
        )
    buyer_name = order.buyer.buyer_name if order.buyer else ""
    try:
        return map_address(
            address, buyer_name=buyer_name, is_to_be_shipped=is_to_be_shipped
        )
    except BadAddress:
        if is_to_be_shipped:
            raise
        # Nothing will be sent there: no reason to keep the order out.
        return None


def _billing_address(order: Order) -> AddressDraft | None:
    """The address of the buyer's tax registration, if there is a usable one."""
    for registration in order.tax_registrations:
        address = registration.tax_registration_address
        if registration.entity_type == TaxEntityType.BUYER and address:
            try:
                return map_address(_registered(address, registration)).draft
            except BadAddress:
                continue
    return None


def _registered(address: Address, registration: OrderTaxRegistration) -> Address:
    """``address`` with the legal name where it belongs: a company's, or a person's."""
    legal_name = registration.legal_name
    if address.company_name or address.name not in ("", legal_name):
        return address
    if registration.tax_registration_type == _PERSONS_TAX_REGISTRATION:
        return replace(address, name=legal_name)
    return replace(address, name="", company_name=legal_name)
