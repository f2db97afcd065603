"""The port to the shop: what the channel asks of it, and in which shapes.

Two implementations pass one contract suite (``tests/contract``): Saleor's
(``saleor/store.py``) and the stand-alone shop's (``standalone/store.py``). All ids of
the shop are its primary keys as text. Nothing here imports Django.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class BlockerCode(StrEnum):
    """What can keep an Amazon order out of the shop."""

    NOT_MAPPED = "not_mapped"
    """The marketplace has no channel, warehouse or shipping method yet."""
    UNKNOWN_SKU = "unknown_sku"
    """D1: no variant of the shop has the item's seller SKU."""
    NOT_AVAILABLE_IN_CHANNEL = "not_available_in_channel"
    """D2: the product is unpublished, or not listed, in the channel."""
    OUT_OF_STOCK = "out_of_stock"
    """D3: the mapped warehouses cannot cover what is not shipped yet."""
    BAD_ADDRESS = "bad_address"
    """D4: an address that the shop cannot hold."""
    AMOUNTS_DIFFER = "amounts_differ"
    """D5: the parts do not add up to what Amazon says is the total."""
    CHANNEL_MISMATCH = "channel_mismatch"
    """The channel, its currency, warehouse or shipping method does not fit."""
    UNREADABLE = "unreadable"
    """Amazon's payload lacks something an order cannot do without."""
    INTERNAL = "internal"
    """The import failed unexpectedly; the log has the traceback."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two amounts that should be one: what the parts make, and what Amazon states."""

    calculated: Decimal
    stated: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why an order is not imported.

    ``subject`` is what it is about (a SKU, an address field, an amount) and ``message``
    says it to a person, with what to do. Neither holds personal data. Amounts that
    differ are in ``mismatch``.
    """

    code: BlockerCode
    message: str
    subject: str = ""
    mismatch: Mismatch | None = None
    #: Of stock, where that is what is missing.
    units_needed: int = 0


@dataclass(frozen=True, slots=True)
class Warehouse:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ShopAddress:
    """Where the shop is; each part is empty where this process does not know it."""

    #: As the process was told, by its environment.
    public_url: str
    #: As the shop's own settings say.
    domain: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the shop, with what orders in it can use."""

    id: str
    slug: str
    currency: str
    warehouses: tuple[Warehouse, ...]
    shipping_methods: tuple[ShippingMethod, ...]


@dataclass(frozen=True, slots=True)
class SkuResolution:
    """What a seller SKU is in a channel: a variant, or the blocker that says why not.

    ``variant_id`` is given whenever the variant exists, even if it cannot be sold.
    """

    sku: str
    variant_id: str | None
    blocker: Blocker | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """An amount with its tax; both in the order's currency."""

    gross: Decimal
    net: Decimal

    @property
    def tax(self) -> Decimal:
        return self.gross - self.net


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line of the shop's order: all units of one Amazon order item.

    ``total`` is what the buyer pays for all units, ``undiscounted_total`` the same
    before promotions. ``quantity_shipped`` of the ``quantity`` have left already.
    """

    order_item_id: str
    sku: str
    title: str
    quantity: int
    quantity_shipped: int
    total: Price
    undiscounted_total: Price
    #: Of the line as a fraction (0.19); None where it is unknown or nothing is taxed.
    tax_rate: Decimal | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressDraft:
    """An address in Saleor's fields. ``country`` is ISO 3166 alpha-2, ``phone`` E.164
    or empty. ``company_name`` and the names may be empty."""

    first_name: str
    last_name: str
    company_name: str
    street_address_1: str
    street_address_2: str
    city: str
    city_area: str
    country_area: str
    postal_code: str
    country: str
    phone: str

    def __repr__(self) -> str:  # personal data stays out of logs and tracebacks
        return f"AddressDraft(country={self.country!r}, …)"


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An Amazon order in the shop's terms; the numbers are Amazon's to the cent.

    ``total`` equals the sum of the lines and ``shipping``. ``metadata`` can be read by
    the customer; what is internal is in ``private_metadata``.
    """

    amazon_order_id: str
    marketplace_id: str
    #: Shown to people: "Amazon.de".
    marketplace_name: str
    currency: str
    created_at: datetime
    lines: tuple[LineDraft, ...]
    shipping: Price
    shipping_tax_rate: Decimal | None
    #: "Amazon standard", from the fulfillmentServiceLevel.
    shipping_name: str
    total: Price
    undiscounted_total: Price
    shipping_address: AddressDraft | None
    billing_address: AddressDraft | None
    #: AMAZON: the order arrives fulfilled and touches no stock.
    is_amazon_fulfilled: bool
    #: Whether prices are shown with tax (tax-inclusive marketplaces).
    display_gross_prices: bool
    language_code: str
    customer_note: str = ""
    #: Of the packages that have left already, which arrive as one: "SC-1, SC-2".
    tracking_numbers: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    private_metadata: Mapping[str, str] = field(default_factory=dict)


#: Of customers' e-mail addresses: nothing can be delivered there (RFC 2606).
UNDELIVERABLE_DOMAIN = "amazon.invalid"


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """The customer account of an order: ``email`` tells one from another, and nothing
    can be delivered there. The names are those of the first order."""

    email: str
    first_name: str
    last_name: str

    def __repr__(self) -> str:  # personal data stays out of logs and tracebacks
        return "CustomerDraft(…)"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to create: the draft, where it goes, and the variant of each SKU."""

    draft: OrderDraft
    channel_id: str
    warehouse_ids: tuple[str, ...]
    shipping_method_id: str
    #: seller SKU → variant id, for every line of the draft.
    variant_ids: Mapping[str, str]
    #: None: the order is a guest's.
    customer: CustomerDraft | None = None
    #: Staff have to confirm it first. Only where nothing of it has been shipped.
    is_unconfirmed: bool = False
    #: Documents print Amazon's order id, not the shop's number.
    is_amazon_number_printed: bool = False
    #: Units already shipped lay in the shop's stock until now. Of history they did not:
    #: what lies there is counted without them.
    takes_shipped_units: bool = True


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """The shop's order. ``line_ids`` goes from Amazon's order item id to the line;
    ``printed_number`` is what documents about the order print.

    ``is_new`` is False when the channel had made an order with this Amazon order id
    before: then that one is returned and nothing was written.
    """

    amazon_order_id: str
    order_id: str
    number: str
    line_ids: Mapping[str, str]
    printed_number: str
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class BlockedOrder:
    """The order was not created, nothing of it was written, and this is why."""

    amazon_order_id: str
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class ShippedLine:
    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A fulfillment of the shop that has become FULFILLED, as it is now.

    ``carrier`` is what staff gave for it, free text, empty when nothing was.
    """

    order_id: str
    fulfillment_id: str
    tracking_number: str
    carrier: str
    shipped_at: datetime
    lines: tuple[ShippedLine, ...]
    actor: str = ""


@dataclass(frozen=True, slots=True)
class CancelledShipment:
    """A fulfillment that staff cancelled after it was FULFILLED."""

    order_id: str
    fulfillment_id: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class LineState:
    """Units of a line, and how many of them are in fulfillments, those that wait for an
    approval among them."""

    quantity: int
    fulfilled: int


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order of the shop as it is now, locked until the transaction ends."""

    is_cancelled: bool
    total: Decimal
    #: By the ids of the lines.
    lines: Mapping[str, LineState]
    shipping_address: AddressDraft | None


@dataclass(frozen=True, slots=True)
class ForeignPackage:
    """A package that was confirmed to Amazon by somebody else, in Seller Central say.

    ``lines`` goes from the shop's line ids to units.
    """

    lines: Mapping[str, int]
    tracking_number: str
    carrier: str
    #: Stock leaves the first of them that has it, if it was promised to no line.
    warehouse_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """A line that a refund is for. ``units`` of it are paid back whole: 0 where only a
    part of the price of one is. ``reason`` says in words what was paid back."""

    line_id: str
    units: int
    reason: str


@dataclass(frozen=True, slots=True)
class RefundDraft:
    """Money that the buyer got back from Amazon.

    ``reference`` is Amazon's and tells one refund from another for good; ``amount`` is
    above zero. ``reason`` says for people what it was for.
    """

    reference: str
    amount: Decimal
    currency: str
    refunded_at: datetime
    reason: str
    lines: tuple[RefundedLine, ...] = ()
    #: All of what was left of the shipping costs is in it.
    is_shipping_included: bool = False


@dataclass(frozen=True, slots=True)
class RecordedRefund:
    """``amount`` is what of the refund the order has: less than its own where no more
    was charged. ``problem`` says why it has nothing of it."""

    amount: Decimal
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RefundRequestLine:
    """A line that a refund is asked for; ``reasons`` as staff gave them for it."""

    line_id: str
    units: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Staff want money given back on Amazon.

    ``reference`` is ours, for good. ``reasons`` are what staff gave as the reason, what
    says most first. Without lines and shipping it is for no part of the order.
    """

    order_id: str
    request_id: str
    reference: str
    amount: Decimal
    currency: str
    requested_at: datetime
    reasons: tuple[str, ...] = ()
    lines: tuple[RefundRequestLine, ...] = ()
    is_shipping_included: bool = False
    actor: str = ""


@dataclass(frozen=True, slots=True)
class RefundByHand:
    """Money that staff say was given back for an Amazon order by other means than
    Amazon. ``reference`` tells one from another."""

    order_id: str
    reference: str
    amount: Decimal
    currency: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class ShopOrderFigures:
    """What the shop has of an order, for comparison with Amazon's figures."""

    order_id: str
    number: str
    status: str
    currency: str
    total: Decimal
    total_charged: Decimal
    #: (SKU, quantity, gross total), in the order's line order.
    lines: tuple[tuple[str, int, Decimal], ...]
    shipping: Decimal
    allocated: int
    fulfilled: int


@dataclass(frozen=True, slots=True)
class ShopInvoice:
    """An invoice of the shop that is ready: it has a number and a file."""

    invoice_id: str
    order_id: str
    number: str
    actor: str = ""


#: In an order's public metadata: Amazon's order id, which marks an order as Amazon's.
ORDER_ID_KEY = "amazon.orderId"
#: In an order's public metadata: when the buyer's data were deleted.
REDACTED_AT_KEY = "amazon.redactedAt"
#: Of the private metadata of orders: everything of the channel's is the buyer's.
PERSONAL_KEY_PREFIX = "amazon."
#: In an order's public metadata: the number that invoices and the like print.
PRINTED_NUMBER_KEY = "amazon.printedNumber"


class Store(Protocol):
    """The shop. Every method takes and answers many where Amazon speaks in many."""

    def channels(self) -> Sequence[Channel]:
        """All channels of the shop, active or not."""
        ...

    def resolve_skus(
        self, skus: Mapping[str, Collection[str]]
    ) -> Mapping[str, Mapping[str, SkuResolution]]:
        """Channel id → SKUs that are looked for there; answers a resolution for each:
        by a variant's SKU, else by its external reference. A constant number of
        queries, however many channels."""
        ...

    def resolve_variants(
        self, variant_ids: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, Mapping[str, SkuResolution]]:
        """The same for SKUs whose variants are known: channel id → SKU → variant id."""
        ...

    def variant_skus(self, variant_ids: Sequence[str]) -> Mapping[str, str]:
        """Variant id → its SKU, "" where it has none, for those that exist."""
        ...

    def available_stock(
        self, variant_ids: Sequence[str], warehouse_ids: Sequence[str]
    ) -> Mapping[str, int]:
        """Variant id → units that are free in these warehouses together; variants that
        are not counted are not in it. A constant number of queries."""
        ...

    def address_problems(self, address: AddressDraft) -> Mapping[str, str]:
        """What the shop's own forms would refuse in ``address``: from the field, "" for
        all of it, to words for a person. Empty if they accept it."""
        ...

    def create_orders(
        self, orders: Sequence[NewOrder]
    ) -> Sequence[CreatedOrder | BlockedOrder]:
        """Create what can be created, one answer per order, in the given order.

        Must be called inside a transaction, with which everything it wrote stands or
        falls. Stock of merchant-fulfilled units that are not shipped is allocated
        under lock; units already shipped are taken from stock, unless the order says
        that they were not in it any more; an order that lacks stock is blocked and
        does not touch its neighbours. Shipped units arrive as a fulfillment. A charged
        transaction with the Amazon order id as reference is recorded. Orders with the
        same customer e-mail become one customer's, also when created at the same time;
        the orders themselves hold no e-mail address. The public metadata
        ``amazon.printedNumber`` is the number that documents print. No e-mail leaves,
        now or through whatever staff do with the order. An order that has the Amazon
        order id as its reference and was not made by the channel blocks it, however
        alike it is: what staff do with that one is not captured.
        """
        ...

    def would_block(self, orders: Sequence[NewOrder]) -> Sequence[tuple[Blocker, ...]]:
        """What ``create_orders`` would answer as blockers; none for an order that would
        be created, or is there. Must be called inside a transaction; writes nothing.
        """
        ...

    def shipments(self, fulfillment_ids: Sequence[str]) -> Sequence[Shipment]:
        """The given fulfillments, as far as they are FULFILLED."""
        ...

    def shipments_changed_since(self, moment: datetime) -> Sequence[Shipment]:
        """Shipments of Amazon orders that staff made or whose tracking they changed
        at or after ``moment``: the sweep that finds what capture missed."""
        ...

    def cancelled_fulfillments(self, fulfillment_ids: Sequence[str]) -> Collection[str]:
        """Those of the given shipments that staff cancelled since: they did not leave.
        One that is gone did: what is returned is no fulfillment any more."""
        ...

    def shipments_cancelled_since(
        self, moment: datetime
    ) -> Sequence[CancelledShipment]:
        """Fulfillments of Amazon orders that staff cancelled at or after ``moment``."""
        ...

    def note_shipment(self, fulfillment_id: str, metadata: Mapping[str, str]) -> None:
        """Merge ``metadata`` into the fulfillment's public metadata; a fulfillment
        that is gone is passed over. Never comes back as a staff action."""
        ...

    def cancel_orders(self, order_ids: Sequence[str], note: str) -> Mapping[str, str]:
        """Cancel orders that were cancelled on Amazon, and say so with ``note``.

        Order id → "" when it is cancelled now or was before, else a sentence that says
        why it cannot be: nothing of that order was changed then. Must be called inside
        a transaction. What was allocated is free again, the charged transaction of the
        import is refunded in full, no e-mail leaves, and nothing of it ever comes back
        as a staff action. May be repeated.
        """
        ...

    def order_state(self, order_id: str) -> OrderState | None:
        """Lock the order and say how it is; None when the shop has none such."""
        ...

    def revise_order(
        self, order_id: str, draft: OrderDraft, line_ids: Mapping[str, str]
    ) -> str:
        """Lower the order to what is left of it on Amazon; amounts are the draft's.

        ``line_ids`` goes from order item ids to the shop's lines; one whose item is not
        in the draft goes. Stock that was promised is free again, the transaction of the
        import follows the total, no e-mail leaves and nothing of it comes back as a
        staff action. Must be called inside a transaction. Answers "" or, with nothing
        changed, why it cannot be: units of it have left the shop.
        """
        ...

    def fulfil_order(self, order_id: str, package: ForeignPackage) -> Sequence[str]:
        """Fulfil what Amazon was told of by others; the ids of the fulfillments, of
        which a shop may make one a warehouse.

        Stock leaves, also where the shop thought that it had none. No e-mail leaves,
        and nothing of it ever comes back as a staff action. Must be called inside a
        transaction.
        """
        ...

    def change_tracking(
        self, fulfillment_id: str, tracking_number: str, carrier: str
    ) -> None:
        """The tracking of a package of ``fulfil_order`` changed on Amazon; never comes
        back as a staff action."""
        ...

    def change_shipping_address(self, order_id: str, address: AddressDraft) -> None:
        """The buyer corrected where an unshipped order goes; no e-mail leaves."""
        ...

    def record_refund(self, order_id: str, refund: RefundDraft) -> RecordedRefund:
        """Put a refund that Amazon made onto the order, on the lines it is for.

        The transaction of the import has less charged and more refunded, by no more
        than is charged: what was refunded here already is not refunded twice. The
        order's total, its status and its stock stay, no e-mail leaves, and nothing of
        it ever comes back as a staff action. May be repeated: the order then has what
        ``refund`` says, once, also where another amount was recorded before. Must be
        called inside a transaction, with the order locked by ``order_state``.
        """
        ...

    def address(self) -> ShopAddress:
        """Where the shop is, without a query once this process knows it."""
        ...

    def show_settings(self, values: Mapping[str, object]) -> None:
        """Fields of ``models.ChannelSettings`` were changed, not where the shop's staff
        see and change them: show them there too.

        Must be called inside a transaction.
        """
        ...

    def refund_requests(self, request_ids: Sequence[str]) -> Sequence[RefundRequest]:
        """The given requests."""
        ...

    def refund_requests_since(self, moment: datetime) -> Sequence[RefundRequest]:
        """Requests for refunds of Amazon orders that staff made at or after ``moment``
        and that were neither taken nor refused: the sweep that finds what capture
        missed."""
        ...

    def refunds_by_hand_since(self, moment: datetime) -> Sequence[RefundByHand]:
        """Refunds of Amazon orders that were recorded at or after ``moment`` beside the
        transaction of the import."""
        ...

    def take_refund(self, request: RefundRequest) -> None:
        """The request is on its way: its amount is charged no more, and is not refunded
        yet. Must be called inside a transaction."""
        ...

    def refuse_refund(self, request: RefundRequest, message: str) -> None:
        """The request fails, and says why; nothing of it was taken before."""
        ...

    def settle_refund(self, refund: RefundDraft, request_id: str) -> str:
        """Amazon made a refund that was taken: the money has moved. What it was for is
        on the order, as staff said it or else as ``refund`` does; its ``reference`` is
        the request's. Never comes back as a staff action, and no e-mail leaves. May be
        repeated. Must be called inside a transaction, with the order locked by
        ``order_state``. Answers "", or why the order cannot have it."""
        ...

    def fail_refund(self, request_id: str, reference: str, message: str) -> None:
        """A refund that was taken is not made: its amount is charged as before. As
        ``settle_refund``."""
        ...

    def redact_orders(self, order_ids: Sequence[str]) -> None:
        """Delete what the orders hold of their buyers, for good.

        Of both addresses names, company, streets, postal code and phone; the customer's
        note; the channel's private metadata. City, region and country stay. An account
        that the import made for a buyer loses its name with the last of its orders,
        unless it has orders of the shop's own; then no search finds the orders by any
        of it any more. Their public metadata ``amazon.redactedAt`` says when.

        No amount changes, no e-mail leaves, and nothing of it comes back as a staff
        action. Must be called inside a transaction. May be repeated; orders that the
        shop does not have are passed over.
        """
        ...

    def add_note(self, order_id: str, message: str) -> None:
        """Put a note on the order's timeline in the shop, in the channel's name."""
        ...

    def contained_tax_rates(self, order_id: str) -> Mapping[str, Decimal]:
        """Line id → the rate of the tax (0.19) that the shop's own settings say the
        line's price contains, where the order goes; lines that are not taxed are not in
        it."""
        ...

    def issuer(self) -> Sequence[str]:
        """Name and address of the shop's company, in lines; empty: not set."""
        ...

    def invoices(self, invoice_ids: Sequence[str]) -> Sequence[ShopInvoice]:
        """The given invoices, as far as they are ready."""
        ...

    def invoices_changed_since(self, moment: datetime) -> Sequence[ShopInvoice]:
        """Ready invoices of Amazon orders that changed at or after ``moment``: the
        sweep that finds what capture missed."""
        ...

    def make_missed_invoices(self, moment: datetime) -> int:
        """Make the invoices of Amazon orders that staff asked for at or after
        ``moment`` and nobody made, as a crash leaves them; how many were made. One
        that cannot be made is marked in the shop, with the reason."""
        ...

    def add_invoice(self, order_id: str, number: str, file: bytes) -> str:
        """Keep a PDF as an invoice of the order, ready for staff; its id. Never comes
        back as a staff action, and no e-mail leaves. Must be called inside a
        transaction."""
        ...

    def invoice_file(self, invoice_id: str) -> bytes | None:
        """The invoice's file, also one that is only linked; None: it has none now."""
        ...

    def note_invoice(self, invoice_id: str, metadata: Mapping[str, str]) -> None:
        """Merge ``metadata`` into the invoice's public metadata; one that is gone is
        passed over. Never comes back as a staff action."""
        ...

    def orders_of(self, amazon_order_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Amazon order id → the ids of all the shop's orders that say they are it, by
        their external reference or ``amazon.orderId`` in their metadata, whoever made
        them; for those that have any. Drafts, cancelled orders and reissues of the shop
        do not count. A constant number of queries.
        """
        ...

    def figures(self, order_ids: Sequence[str]) -> Mapping[str, ShopOrderFigures]:
        """Order id → its figures, for those that exist."""
        ...
