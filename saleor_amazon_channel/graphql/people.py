"""Who bought, and where it goes: personal data of an Amazon order.

It is encrypted with the payload it came in, so it is read only when selected, and then
for all orders of a page at once. Whoever may read the order may read it
(MANAGE_ORDERS); what was redacted is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene

from .. import models
from ..amazon.errors import MalformedOrder
from ..amazon.orders import (
    Order,
    OrderItem,
    OrderTaxRegistration,
    TaxEntityType,
)
from ..importing.address_edit import staff_address
from ..importing.addresses import as_given
from ..ledger import payloads
from ..store.contract import AddressDraft
from . import host as graphql_host

host = graphql_host.current()


def load(row: Any, peers: Sequence[Any], info: Any) -> Order | None:
    """The order as Amazon told it; None where that cannot be read."""
    if not hasattr(row, "as_told"):
        with host.reading(info.context) as using:
            found = (
                models.AmazonOrder.objects.using(using)
                .only("payload", "personal", "staff_address")
                .in_bulk([peer.pk for peer in peers])
            )
        for peer in peers:
            stored = found.get(peer.pk)
            peer.as_told = _read(stored) if stored else None
            peer.address_of_staff = staff_address(stored) if stored else None
    told: Order | None = row.as_told
    return told


def _read(row: models.AmazonOrder) -> Order | None:
    try:
        return Order.from_wire(payloads.join(row.payload, row.personal))
    except MalformedOrder:
        return None


def shipping_address(row: Any, peers: Sequence[Any], info: Any) -> AddressDraft | None:
    """Staff's, or Amazon's as far as it can be told."""
    order = load(row, peers, info)
    if row.address_of_staff:
        address: AddressDraft = row.address_of_staff
        return address
    recipient = order.recipient if order else None
    if order is None or recipient is None or recipient.delivery_address is None:
        return None
    return as_given(
        recipient.delivery_address,
        buyer_name=order.buyer.buyer_name if order.buyer else "",
    )


def delivery_instructions(order: Order) -> str | None:
    preference = order.recipient.delivery_preference if order.recipient else None
    texts = [
        (preference or {}).get(name)
        for name in ("dropOffLocation", "addressInstruction")
    ]
    return "\n".join(text for text in texts if isinstance(text, str)) or None


def item_of(order: Order | None, order_item_id: str) -> OrderItem | None:
    for item in order.order_items if order else ():
        if item.order_item_id == order_item_id:
            return item
    return None


class AmazonAddress(graphene.ObjectType):
    first_name = graphene.String(required=True, description="The given name.")
    last_name = graphene.String(required=True, description="The family name.")
    company_name = graphene.String(required=True, description="The company.")
    street_address_1 = graphene.String(
        required=True, description="The first line of the street."
    )
    street_address_2 = graphene.String(
        required=True, description="The second line of the street."
    )
    city = graphene.String(required=True, description="The city.")
    city_area = graphene.String(required=True, description="The district of the city.")
    country_area = graphene.String(required=True, description="The state or province.")
    postal_code = graphene.String(required=True, description="The postal code.")
    country = graphene.String(
        required=True, description="The country's code (ISO 3166-1 alpha-2)."
    )
    phone = graphene.String(
        required=True, description="The phone number in E.164 format."
    )

    class Meta:
        description = "An address in the shop's fields; empty where it has no value."


class AmazonTaxRegistration(graphene.ObjectType):
    type = graphene.String(
        required=True, description="The kind of the number, for example `VAT`."
    )
    number = graphene.String(required=True, description="The tax number.")
    legal_name = graphene.String(description="The name it is registered under.")
    tax_office = graphene.String(description="The tax office, in Turkey.")
    address = graphene.Field(
        AmazonAddress, description="The address it is registered at."
    )

    class Meta:
        description = "A tax registration of a business buyer."

    @staticmethod
    def resolve_type(root: OrderTaxRegistration, _info: Any) -> str:
        return root.tax_registration_type

    @staticmethod
    def resolve_number(root: OrderTaxRegistration, _info: Any) -> str:
        return root.tax_registration_number

    @staticmethod
    def resolve_legal_name(root: OrderTaxRegistration, _info: Any) -> str | None:
        return root.legal_name or None

    @staticmethod
    def resolve_tax_office(root: OrderTaxRegistration, _info: Any) -> str | None:
        for attribute in root.tax_registration_attributes:
            if attribute.key == "TAX_OFFICE":
                return attribute.value
        return None

    @staticmethod
    def resolve_address(root: OrderTaxRegistration, _info: Any) -> AddressDraft | None:
        address = root.tax_registration_address
        return as_given(address) if address else None


class AmazonBuyer(graphene.ObjectType):
    name = graphene.String(description="The name of the buyer.")
    company_name = graphene.String(description="The company of a business buyer.")
    purchase_order_number = graphene.String(
        description="The purchase order number of a business buyer."
    )
    invoice_preference = graphene.String(
        description="Whether the buyer wants an invoice as a business or a person."
    )
    tax_registrations = graphene.Field(
        graphene.List(graphene.NonNull(AmazonTaxRegistration)),
        required=True,
        description="The tax registrations of the buyer.",
    )

    class Meta:
        description = "The buyer of an Amazon order."

    @staticmethod
    def resolve_name(root: Order, _info: Any) -> str | None:
        return (root.buyer and root.buyer.buyer_name) or None

    @staticmethod
    def resolve_company_name(root: Order, _info: Any) -> str | None:
        return (root.buyer and root.buyer.buyer_company_name) or None

    @staticmethod
    def resolve_purchase_order_number(root: Order, _info: Any) -> str | None:
        return (root.buyer and root.buyer.buyer_purchase_order_number) or None

    @staticmethod
    def resolve_invoice_preference(root: Order, _info: Any) -> str | None:
        invoicing = root.tax_invoicing
        return (invoicing and invoicing.buyer_invoice_preference) or None

    @staticmethod
    def resolve_tax_registrations(
        root: Order, _info: Any
    ) -> list[OrderTaxRegistration]:
        return [
            registration
            for registration in root.tax_registrations
            if registration.entity_type == TaxEntityType.BUYER
        ]
