"""Orders API v0: the writes that v2026-01-01 has no replacement for.

Source: Amazon's model ``ordersV0.json``, and the documentation "Confirm the shipment
status". One call confirms one package. The same package reference id again replaces the
package's details, so a repeated call does no harm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from saleor_amazon_channel import clock

from .client import Client
from .errors import ErrorDetail, InvalidRequest

CONFIRM_SHIPMENT = "confirmShipment"

#: The carrier code that wants the carrier's name beside it.
OTHER_CARRIER = "Other"

#: The only value there is, and only in Japan.
DIRECT_PAYMENT = "DirectPayment"


@dataclass(frozen=True, slots=True)
class PackageItem:
    """``transparency_codes``: one a unit, for items in the program TRANSPARENCY."""

    order_item_id: str
    quantity: int
    transparency_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A package to confirm.

    ``package_reference_id`` is ours, digits, and stays the same for the same package
    for good. ``ship_date`` may not lie in the future. ``carrier_name`` is needed with
    the carrier code ``Other``.
    """

    package_reference_id: str
    carrier_code: str
    tracking_number: str = field(repr=False)
    ship_date: datetime
    items: tuple[PackageItem, ...]
    carrier_name: str = ""
    shipping_method: str = ""
    ship_from_supply_source_id: str = ""


def confirm_shipment(
    client: Client,
    order_id: str,
    marketplace_id: str,
    package: Package,
    *,
    cod_collection_method: str = "",
    max_wait_seconds: float = 0,
) -> None:
    """Tell Amazon that a package left; Amazon charges the buyer and mails them.

    Raises ``InvalidRequest`` before anything is sent when the package cannot be right,
    and ``PackageToUpdateNotFound`` when Amazon has every unit in another package.
    """
    body: dict[str, Any] = {
        "marketplaceId": marketplace_id,
        "packageDetail": _package_detail(package),
    }
    if cod_collection_method:
        body["codCollectionMethod"] = cod_collection_method
    client.request(
        CONFIRM_SHIPMENT,
        "POST",
        f"/orders/v0/orders/{quote(order_id, safe='')}/shipmentConfirmation",
        json=body,
        max_wait_seconds=max_wait_seconds,
        idempotent=True,
    )


def _package_detail(package: Package) -> dict[str, Any]:
    problems = _problems(package)
    if problems:
        raise InvalidRequest(
            CONFIRM_SHIPMENT,
            errors=tuple(ErrorDetail("InvalidInput", text) for text in problems),
        )
    ship_date = package.ship_date.astimezone(UTC).isoformat(timespec="milliseconds")
    detail: dict[str, Any] = {
        # A string: a JSON number is refused since January 2026 (models issue 5094).
        "packageReferenceId": package.package_reference_id,
        "carrierCode": package.carrier_code,
        "trackingNumber": package.tracking_number,
        "shipDate": ship_date.replace("+00:00", "Z"),
        "orderItems": [_order_item(item) for item in package.items],
    }
    optional = {
        "carrierName": package.carrier_name,
        "shippingMethod": package.shipping_method,
        "shipFromSupplySourceId": package.ship_from_supply_source_id,
    }
    return detail | {name: text for name, text in optional.items() if text}


def _order_item(item: PackageItem) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "orderItemId": item.order_item_id,
        "quantity": item.quantity,
    }
    if item.transparency_codes:
        wire["transparencyCodes"] = list(item.transparency_codes)
    return wire


def _problems(package: Package) -> list[str]:
    """What Amazon would refuse, in its own names of the fields."""
    found = []
    reference = package.package_reference_id
    if not (reference.isascii() and reference.isdigit() and int(reference) > 0):
        found.append("packageReferenceId must be a number above 0, in digits")
    if not package.carrier_code:
        found.append("carrierCode is missing")
    if package.carrier_code == OTHER_CARRIER and not package.carrier_name:
        found.append("carrierName is missing, which the carrierCode Other needs")
    if not package.tracking_number.strip():
        found.append("trackingNumber is missing")
    if package.ship_date.tzinfo is None:
        found.append("shipDate needs a time zone")
    elif package.ship_date > clock.now():
        found.append("shipDate is in the future")
    if not package.items:
        found.append("orderItems is empty")
    times_named = Counter(item.order_item_id for item in package.items)
    for item in package.items:
        if not item.order_item_id:
            found.append("orderItemId is missing")
        elif times_named[item.order_item_id] > 1:
            found.append(f"order item {item.order_item_id} is named twice")
        if item.quantity < 1:
            found.append(f"quantity of order item {item.order_item_id} is below 1")
    return list(dict.fromkeys(found))
