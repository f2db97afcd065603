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

The last change of a delivered order is when Amazon told of the delivery, or later. An
order that is overdue is treated like one that was delivered: Amazon cancels what is not
shipped in 30 days by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..amazon.errors import MalformedOrder
from ..amazon.orders import FulfillmentStatus, Order
from ..models import AmazonOrder
from ..models.ledger import LATEST

#: The longest that a parcel is taken to be under way.
TRANSIT = timedelta(days=30)

_GONE = (FulfillmentStatus.CANCELLED, FulfillmentStatus.UNFULFILLABLE)
_DELIVERED = "DELIVERED"


def delivered_by(order: Order) -> datetime:
    """When the buyer has the order at the latest: the table above."""
    if order.fulfillment_status in _GONE:
        return order.last_updated_time
    expected = _expected(order)
    packages = order.packages
    if (
        order.fulfillment_status == FulfillmentStatus.SHIPPED
        and packages
        and all(package.status == _DELIVERED for package in packages)
    ):
        return min(expected, order.last_updated_time)
    return expected


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
    window = fulfillment.deliver_by_window if fulfillment else None
    if window and window.latest_date_time:
        return window.latest_date_time
    ship_times = [each.ship_time for each in order.packages if each.ship_time]
    if ship_times:
        return _after(max(ship_times), TRANSIT)
    window = fulfillment.ship_by_window if fulfillment else None
    if window and window.latest_date_time:
        return _after(window.latest_date_time, TRANSIT)
    return _after(order.created_time, 2 * TRANSIT)
