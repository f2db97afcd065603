"""What the contract suite asks of a shop besides the port: its goods and its staff.

``StaffDriver`` does what people do in the shop (set up channels and stock, sell,
fulfil, track, cancel) by the shop's own means, and reads back what the shop then holds.
Each shop implements it: ``in_saleor/drivers.py`` with Saleor's GraphQL mutations,
``standalone/driver.py`` with the stand-alone shop's staff side. All ids are those of
the port: the shop's primary keys as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from saleor_amazon_channel.store.contract import AddressDraft, Channel, Price


@dataclass(frozen=True, slots=True)
class StockFigures:
    """A variant's stock in one warehouse: what is there, what of it is promised."""

    quantity: int
    allocated: int


@dataclass(frozen=True, slots=True)
class LineView:
    line_id: str
    sku: str
    name: str
    variant_id: str
    quantity: int
    quantity_fulfilled: int
    #: warehouse id → units of this line allocated there; none where nothing is.
    allocations: Mapping[str, int]
    total: Price
    undiscounted_total: Price
    unit_price: Price
    tax_rate: Decimal | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FulfillmentView:
    """A fulfillment of the shop; ``status`` in Saleor's words (``fulfilled``,
    ``canceled``, ``waiting_for_approval``)."""

    fulfillment_id: str
    status: str
    tracking_number: str
    #: line id → units.
    lines: Mapping[str, int]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TransactionView:
    """Money of an order; ``psp_reference`` is the payment provider's (Amazon's) id."""

    psp_reference: str
    currency: str
    charged: Decimal
    refunded: Decimal
    #: Asked for and on its way: neither charged nor refunded.
    refund_pending: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money that was given back, as staff see what it was for."""

    #: The payment provider's, of the first event that moved the money.
    psp_reference: str
    amount: Decimal
    reason: str
    is_shipping_included: bool
    #: line id → units, and the words for each.
    lines: Mapping[str, int]
    line_reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer account of the shop."""

    customer_id: str
    email: str
    first_name: str
    last_name: str
    order_count: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as the shop holds it; ``status`` in Saleor's words (``unconfirmed``,
    ``unfulfilled``, ``partially fulfilled``, ``fulfilled``, ``canceled``)."""

    order_id: str
    number: str
    external_reference: str
    status: str
    channel_id: str
    currency: str
    created_at: datetime
    #: Of the order itself.
    customer_email: str
    #: None for a guest.
    customer: CustomerView | None
    customer_note: str
    language_code: str
    display_gross_prices: bool
    shipping_method_id: str
    shipping_method_name: str
    shipping: Price
    shipping_tax_rate: Decimal | None
    total: Price
    undiscounted_total: Price
    shipping_address: AddressDraft | None
    billing_address: AddressDraft | None
    metadata: Mapping[str, str]
    private_metadata: Mapping[str, str]
    #: In the order's line order.
    lines: tuple[LineView, ...]
    #: In the order they were made.
    fulfillments: tuple[FulfillmentView, ...]
    transactions: tuple[TransactionView, ...]
    #: In the order they were granted; their money has moved.
    refunds: tuple[RefundView, ...]
    #: Texts of the notes on its timeline, oldest first.
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice of the shop that is ready, and its file."""

    invoice_id: str
    number: str
    content: bytes
    metadata: Mapping[str, str]


class StaffDriver(Protocol):
    """A shop with its staff. Every method is one action, finished when it returns."""

    def writer(self) -> AbstractContextManager[object]:
        """What surrounds calls of the store that write (Saleor's ``allow_writer``)."""
        ...

    # --- what the shop has -----------------------------------------------------------

    def create_channel(
        self,
        slug: str,
        currency: str,
        *,
        country: str,
        warehouses: Sequence[str] = ("main",),
        shipping_methods: Sequence[str] = ("Standard",),
    ) -> Channel:
        """A channel with warehouses and shipping methods of these names, in this
        order, that sell and deliver to ``country``."""
        ...

    def create_variant(
        self,
        sku: str,
        channel_ids: Sequence[str],
        *,
        stock: Mapping[str, int],
        name: str = "Mug",
        is_listed: bool = True,
        is_published: bool = True,
        tracks_inventory: bool = True,
    ) -> str:
        """A product called ``name`` with one variant, published and listed at a price
        in each of the channels; ``stock`` goes from warehouse id to units. Answers the
        variant's id. With ``is_listed`` false the variant has no price in the channels
        (its product is published); with ``is_published`` false it is the reverse."""
        ...

    def publish(self, sku: str, channel_ids: Sequence[str]) -> None:
        """Staff publish the product of the variant in the channels."""
        ...

    def stock(self, variant_id: str, warehouse_id: str) -> StockFigures: ...

    def set_stock(self, variant_id: str, warehouse_id: str, quantity: int) -> None:
        """Staff correct what lies in the warehouse."""
        ...

    def require_approval(self) -> None:
        """From now on fulfillments wait for an approval."""
        ...

    def require_payment(self) -> None:
        """From now on only what is paid in full is fulfilled."""
        ...

    # --- what people do --------------------------------------------------------------

    def sell(self, channel_id: str, variant_id: str, quantity: int) -> str | None:
        """An ordinary sale of the shop, as its own checkout makes it, paid, in a
        transaction of its own. Answers the order's id, or None when the stock did not
        suffice. Must be callable from several threads at once."""
        ...

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        *,
        warehouse_id: str,
        tracking_number: str = "",
        carrier: str = "",
    ) -> str:
        """Staff ship ``lines`` (line id → units) from the warehouse in one package.
        Answers the fulfillment's id."""
        ...

    def approve(self, fulfillment_id: str) -> None: ...

    def update_tracking(self, fulfillment_id: str, tracking_number: str) -> None: ...

    def cancel_fulfillment(self, fulfillment_id: str, *, warehouse_id: str) -> None:
        """The package comes back into this warehouse."""
        ...

    def confirm(self, order_id: str) -> None: ...

    def cancel_order(self, order_id: str) -> None: ...

    def request_invoice(self, order_id: str, number: str = "") -> InvoiceView:
        """Staff press the invoice button. Only where the plugin is switched on."""
        ...

    def disown(self, order_id: str) -> None:
        """Make an imported order one that another integration might have made: with
        the external reference, and without anything of the channel's."""
        ...

    def make_again(self, order_id: str) -> str:
        """Another integration makes the same Amazon order once more: an order of its
        own, with Amazon's order id in its metadata. Answers its id."""
        ...

    def request_refund(
        self,
        order_id: str,
        amount: str | None = None,
        lines: Mapping[str, int] | None = None,
        *,
        with_shipping: bool = False,
        reason: str = "",
    ) -> None:
        """Staff refund an amount of what was charged; or grant a refund of lines (line
        id → units) and of the shipping costs, by default of all they cost, and ask for
        it. Only where the plugin is switched on. Fails with why it is refused."""
        ...

    def ask(self, document: str, /, **variables: object) -> Mapping[str, object]:
        """Staff send a request to the channel's own API; its data. Any top-level error
        fails the test."""
        ...

    # --- what the shop then holds ----------------------------------------------------

    def refund_failures(self, order_id: str) -> Sequence[str]:
        """Why refunds that staff asked for failed, oldest first."""
        ...

    def order(self, order_id: str) -> OrderView: ...

    def invoice(self, invoice_id: str) -> InvoiceView: ...

    def search(self, text: str) -> Sequence[str]:
        """The ids of the orders that staff find by ``text``."""
        ...

    def customer_count(self) -> int:
        """All customer accounts of the shop, without its staff."""
        ...

    def order_count(self) -> int:
        """All orders of the shop."""
        ...

    def emails(self) -> Sequence[str]:
        """Subjects of all e-mails the shop has sent, or asked somebody to send."""
        ...
