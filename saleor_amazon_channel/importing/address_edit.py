"""Staff's delivery address for an order that is not imported yet.

Amazon has no call to change an address, and the shop needs one that it can hold and
that a parcel can be sent to. What staff enter is checked by the shop's own rules, kept
apart from Amazon's payload, and stays whatever Amazon sends later, until staff take it
back. An imported order is edited in the shop itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from django.db import transaction

from .. import lock_objects, store
from ..ledger import timeline
from ..models import AmazonOrder
from ..store.contract import AddressDraft
from .addresses import e164

State = AmazonOrder.ImportState

REDACTED = (
    "The buyer's data were deleted, as they have to be some time after the delivery "
    "date. Work the order in Seller Central."
)


class AddressRefused(Exception):
    """``problems`` goes from the field, "" for all of it, to what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


class OrderImported(Exception):
    """The order is an order of the shop by now; ``number`` is its."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


def staff_address(order: AmazonOrder) -> AddressDraft | None:
    return AddressDraft(**order.staff_address) if order.staff_address else None


def replace_address(
    amazon_order_id: str, address: AddressDraft | None, actor: str
) -> None:
    """Use ``address`` instead of Amazon's, or Amazon's again where it is None.

    The importer looks at the order again at once. Raises AddressRefused, OrderImported.
    """
    if address is not None:
        phone = e164(address.phone, address.country)
        address = replace(address, phone=phone or address.phone)
        problems = store.current().address_problems(address)
        if problems:
            raise AddressRefused(problems)
    with transaction.atomic():
        (order,) = lock_objects.orders_by_id([amazon_order_id])
        if order.import_state == State.IMPORTED:
            raise OrderImported(order.shop_order_number)
        if order.redacted_at:
            raise AddressRefused({"": REDACTED})
        order.staff_address = asdict(address) if address else ""
        order.import_state = State.READY
        order.save(update_fields=["staff_address", "import_state"])
        timeline.add(
            order,
            "address",
            "The delivery address was entered here; it is used instead of Amazon's."
            if address
            else "Amazon's delivery address is used again.",
            actor,
        )
