"""Which customer account an order belongs to, where the setting asks for accounts.

Amazon forbids writing to buyers other than through its own messaging (Acceptable Use
Policy), while shops write to their customers. So the account's address is a keyed hash
at a domain that nothing can be delivered to (``.invalid``, RFC 2606), and never the
relay address that Amazon gives. The hash is of that relay address, which is the same
for all orders of a buyer with a seller; where there is none (Amazon withholds it for
orders that it fulfils), of name and address. The key is the seller account's own: the
same buyer is another customer with another account, and without the key nobody can
find out whose hash it is.
"""

from __future__ import annotations

import hashlib
import hmac

from ..amazon.orders import Order
from ..models import SellerAccount
from ..store.contract import UNDELIVERABLE_DOMAIN, CustomerDraft, OrderDraft

#: Hexadecimal digits: 128 bits tell all buyers apart.
_HASH_LENGTH = 32


def draft_of(
    order: Order, draft: OrderDraft, account: SellerAccount
) -> CustomerDraft | None:
    """The customer of ``order``; None where Amazon does not say who bought it."""
    identity = _identity(order, draft)
    if identity is None:
        return None
    if not account.customer_key:
        raise RuntimeError("ensure_key has not been called for this account")
    digest = hmac.new(
        account.customer_key.encode(), identity.encode(), hashlib.sha256
    ).hexdigest()
    address = draft.shipping_address or draft.billing_address
    return CustomerDraft(
        email=f"{digest[:_HASH_LENGTH]}@{UNDELIVERABLE_DOMAIN}",
        first_name=address.first_name if address else "",
        last_name=address.last_name if address else "",
    )


def _identity(order: Order, draft: OrderDraft) -> str | None:
    relay_address = order.buyer.buyer_email.strip() if order.buyer else ""
    if relay_address:
        return f"relay\0{relay_address.casefold()}"
    address = draft.shipping_address
    if address is None:
        return None
    name = f"{address.first_name} {address.last_name} {address.company_name}"
    street = f"{address.street_address_1} {address.street_address_2}"
    # Without either it could be anybody: many orders of many buyers look alike then.
    if not name.strip() or not street.strip():
        return None
    place = f"{address.postal_code} {address.city} {address.country}"
    return "\0".join(
        [
            "address",
            *(" ".join(text.casefold().split()) for text in (name, street, place)),
        ]
    )
