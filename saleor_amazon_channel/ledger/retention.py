"""From when on a buyer's data count as no longer needed.

Amazon's Data Protection Policy allows them for 30 days after the delivery. Amazon
seldom says when that was:

    the order                                   delivered, at the latest
    ------------------------------------------  -------------------------------------
    cancelled, unfulfillable                    at its last change
    all packages DELIVERED                      at its last change, but no later than
                                                the rows below say
    with a latest delivery date                 then
    without one, shipped                        30 days after the last ``shipTime``
    without that, with a latest ship date       30 days after that
    else                                        60 days after it was ordered

The last change of a delivered order is when Amazon told of the delivery, or later.
Dates before the order was made are no dates of it, and do not count.

An order that the seller is still to ship keeps its buyer, however late it is: without
the address it could never be shipped. That ends by itself, since Amazon cancels what is
not shipped in 30 days, and then the first row holds. Should that never be heard here,
it ends after ``LONGEST_LATE``, and when the account is disconnected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from .. import clock
from ..amazon.errors import MalformedOrder
from ..amazon.orders import FulfilledBy, FulfillmentStatus, Order
from ..models import AmazonOrder
from ..models.ledger import LATEST

#: The longest that a parcel is taken to be under way.
TRANSIT = timedelta(days=30)
#: An order that is still to be shipped so long after it was to be there never will be.
LONGEST_LATE = timedelta(days=270)

TO_BE_SHIPPED = (
    FulfillmentStatus.PENDING,
    FulfillmentStatus.PENDING_AVAILABILITY,
    FulfillmentStatus.UNSHIPPED,
    FulfillmentStatus.PARTIALLY_SHIPPED,
)

_GONE = (FulfillmentStatus.CANCELLED, FulfillmentStatus.UNFULFILLABLE)
_DELIVERED = "DELIVERED"


def delivered_by(order: Order) -> datetime:
    """When the buyer has the order at the latest: the table above."""
    if order.fulfillment_status in _GONE:
        return max(order.last_updated_time, order.created_time)
    expected = _expected(order)
    packages = order.packages
    if (
        order.fulfillment_status == FulfillmentStatus.SHIPPED
        and packages
        and all(package.status == _DELIVERED for package in packages)
    ):
        return min(expected, max(order.last_updated_time, order.created_time))
    return expected


def is_over(order: Order, kept_for: timedelta) -> bool:
    """Whether the buyer's data, kept so long after the delivery, are to be gone now."""
    if (
        order.fulfillment_status in TO_BE_SHIPPED
        and order.fulfilled_by != FulfilledBy.AMAZON
    ):
        kept_for = LONGEST_LATE
    return delivered_by(order) <= clock.now() - kept_for


def delivered_by_of_row(row: AmazonOrder) -> datetime:
    """The same of an order of the ledger, also where its payload cannot be read."""
    try:
        return delivered_by(Order.from_wire(row.payload))
    except MalformedOrder:
        return _after(row.created_time, 2 * TRANSIT)


def _after(moment: datetime, time: timedelta) -> datetime:
    """Amazon writes year 9999 for what never ends."""
    return LATEST if LATEST - moment < time else moment + time


def _expected(order: Order) -> datetime:
    fulfillment = order.fulfillment

    def known(moments: Iterable[datetime | None]) -> datetime | None:
        return max(
            (each for each in moments if each and each >= order.created_time),
            default=None,
        )

    window = fulfillment.deliver_by_window if fulfillment else None
    if window and (deliver_by := known([window.latest_date_time])):
        return deliver_by
    if shipped := known(package.ship_time for package in order.packages):
        return _after(shipped, TRANSIT)
    window = fulfillment.ship_by_window if fulfillment else None
    if window and (ship_by := known([window.latest_date_time])):
        return _after(ship_by, TRANSIT)
    return _after(order.created_time, 2 * TRANSIT)
