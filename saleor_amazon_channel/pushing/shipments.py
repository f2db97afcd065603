"""Confirm a package to Amazon, or find out that it is confirmed.

By the call ``confirmShipment``, one a package; by feed when many are due, and where
there is no tracking number, which only the feed does without.

Payload of the entry: ``{"package_reference_id": int, "revision": int}``; the content is
the package's at the moment of sending. The package reference id makes a repeated
confirmation replace the package instead of adding one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import clock, store
from ..amazon import carriers, errors, order_feeds, orders
from ..amazon.client import Client
from ..amazon.order_feeds import Fulfillment
from ..amazon.orders_v0 import Package, PackageItem, confirm_shipment
from ..models import (
    AmazonOrder,
    AmazonPackage,
    CarrierMapping,
    ForeignPackage,
    Marketplace,
    OutboxEntry,
    SellerAccount,
)
from ..outbox import BY_FEED, HELD, Outcome, State

FEED_TYPE = order_feeds.ORDER_FULFILLMENT
#: The package reference id makes a repetition replace what was there.
IS_REPEATABLE = True

#: Packages that a feed does not bring to Amazon in that time go by calls: their ship-by
#: dates do not wait.
GIVE_UP_AFTER = timedelta(hours=2)

#: Programs of Amazon's, of an order and of an order item.
SHIP_PLUS = "FBM_SHIP_PLUS"
TRANSPARENCY = "TRANSPARENCY"

#: Without a tracking number a shipment waits until this long before its ship-by date.
TRACKING_DEADLINE = timedelta(hours=2)
#: What lacks something that staff can still add is looked at again this often.
HELD_RETRY = timedelta(minutes=1)
#: Amazon refuses a ship date in the future, and our clock may be fast by minutes.
SHIP_DATE_MARGIN = timedelta(minutes=10)


def send(
    client: Client, entry: OutboxEntry, max_wait_seconds: float, *, reconcile: bool
) -> Outcome:
    """Send one confirmation by call. ``reconcile``: it may have been sent before.

    Raises what ``amazon.errors`` names when the call failed.
    """
    outcome = _read_back(client, entry) if reconcile else None
    if outcome:
        return outcome
    found = _look([entry])[entry.pk]
    if isinstance(found, Outcome):
        return found
    if not found.tracking_number:
        return _by_feed(entry)
    order = entry.order
    try:
        confirm_shipment(
            client,
            order.amazon_order_id,
            order.marketplace_id,
            found,
            max_wait_seconds=max_wait_seconds,
        )
    except errors.PackageToUpdateNotFound:
        # Every unit is in a package already: ours under this id, or one of
        # somebody who confirmed it in Seller Central.
        if not _amazon_has(client, entry, found, by_carrier=False):
            return _shipped_already(found, "every unit")
    except errors.InvalidRequest:
        # In what words Amazon refuses a part of them is not documented.
        if not _has_units_left(client, entry, found):
            return _shipped_already(found, "units of it")
        raise
    return Outcome(State.SUCCEEDED, succeeded([entry])[entry.pk])


def _shipped_already(package: Package, units: str) -> Outcome:
    return Outcome(
        State.FAILED,
        f"Package {package.package_reference_id} is not confirmed: Amazon has {units} "
        "in another package already. Compare the packages with Seller Central: the "
        "units may have been sent twice.",
        error_code="SHIPPED_ALREADY",
    )


def _has_units_left(client: Client, entry: OutboxEntry, wanted: Package) -> bool:
    """Whether Amazon can take the package, its own version of it aside."""
    order, _ = orders.get_order(client, entry.order.amazon_order_id)
    left = Counter(
        {
            item.order_item_id: item.fulfillment.quantity_unfulfilled
            if item.fulfillment
            else item.quantity_ordered
            for item in order.order_items
        }
    )
    for package in order.packages:
        if package.package_reference_id == wanted.package_reference_id:
            left += _content(
                (i.order_item_id, i.quantity) for i in package.package_items
            )
    return _content((i.order_item_id, i.quantity) for i in wanted.items) <= left


# --- by feed -------------------------------------------------------------------------


def prepare(entries: Sequence[OutboxEntry]) -> Mapping[int, Fulfillment | Outcome]:
    """By entry the message it is in a feed, or what came of it already, or what it
    waits for."""
    found = _look(entries)
    return {entry.pk: _for_feed(entry, found[entry.pk]) for entry in entries}


def _for_feed(entry: OutboxEntry, found: Package | Outcome) -> Fulfillment | Outcome:
    if isinstance(found, Outcome):
        return found
    if order_feeds.takes(found):
        return Fulfillment(entry.order.amazon_order_id, found)
    if found.tracking_number:
        return Outcome(State.PENDING, next_attempt_at=clock.now(), is_postponed=True)
    return Outcome(
        State.FAILED,
        f"Package {found.package_reference_id} is not confirmed: it has no tracking "
        "number and cannot wait for one any longer, and Amazon's feed does not take "
        "its order item ids. Confirm it in Seller Central.",
        error_code="MISSING_TRACKING_NUMBER",
    )


def document(account: SellerAccount, messages: Mapping[int, Fulfillment]) -> bytes:
    return order_feeds.fulfillments(account.seller_id, messages)


def reconcile(client: Client, entry: OutboxEntry) -> Outcome | None:
    """What Amazon has of it; None: it has another package, or none."""
    return _read_back(client, entry)


def succeeded(entries: Sequence[OutboxEntry]) -> Mapping[int, str]:
    return {pk: _confirmed(package) for pk, package in _packages(entries).items()}


def _confirmed(package: AmazonPackage) -> str:
    tracking = package.tracking_number
    return f"Package {package.package_reference_id} is confirmed to Amazon" + (
        f", tracking {tracking}." if tracking else ", without a tracking number."
    )


def settled(
    client: Client, account: SellerAccount, entries: Sequence[OutboxEntry]
) -> None:
    """Nothing to be read again: the shop was first."""


def record_success(entries: Sequence[OutboxEntry]) -> None:
    """Remember, with the outcomes, which version of each package Amazon has."""
    packages = _packages(entries)
    for entry in entries:
        packages[entry.pk].confirmed_revision = entry.payload["revision"]
    AmazonPackage.objects.bulk_update(packages.values(), ["confirmed_revision"])


def report(entry: OutboxEntry) -> None:
    """Put the outcome onto the shop's fulfillment and order."""
    reference = entry.payload["package_reference_id"]
    package = _package(entry)
    settled_at = entry.settled_at or clock.now()
    shop = store.current()
    shop.note_shipment(
        package.fulfillment_id,
        {
            "amazon.packageReferenceId": str(reference),
            "amazon.confirmation": entry.state,
            "amazon.confirmationAt": settled_at.isoformat(timespec="seconds"),
        },
    )
    shop.add_note(
        entry.order.shop_order_id or "",
        entry.error_message
        or f"Package {reference} is confirmed to Amazon"
        + ("." if package.tracking_number else ", without a tracking number."),
    )


def describe(entries: Sequence[OutboxEntry], using: str) -> Mapping[int, str]:
    """By entry what Amazon is told of its package, as it is now."""
    packages = _packages(entries, using)
    rules = CarrierRules.of({entry.account_id for entry in entries}, using)
    return {
        entry.pk: _in_words(_wanted(packages[entry.pk], entry.order, rules))
        for entry in entries
    }


def _in_words(package: Package) -> str:
    units = sum(item.quantity for item in package.items)
    carrier = package.carrier_name or package.carrier_code or "no carrier yet"
    tracking = package.tracking_number or "no tracking number yet"
    return (
        f"Package {package.package_reference_id}: {units} unit"
        f"{'' if units == 1 else 's'}, {carrier}, {tracking}, "
        f"shipped {package.ship_date:%Y-%m-%d}."
    )


def _package(entry: OutboxEntry) -> AmazonPackage:
    return _packages([entry])[entry.pk]


def _packages(
    entries: Sequence[OutboxEntry], using: str | None = None
) -> dict[int, AmazonPackage]:
    """By entry the package it is about."""
    packages = {
        (package.order_id, package.package_reference_id): package
        for package in AmazonPackage.objects.using(using).filter(
            order__in={entry.order_id for entry in entries}
        )
    }
    return {
        entry.pk: packages[entry.order.pk, entry.payload["package_reference_id"]]
        for entry in entries
    }


def _look(entries: Sequence[OutboxEntry]) -> dict[int, Package | Outcome]:
    """By entry the package to confirm, or why it is not to be confirmed, or not now.

    Looked at once: what staff change afterwards is the next entry's.
    """
    packages = _packages(entries)
    cancelled = store.current().cancelled_fulfillments(
        [package.fulfillment_id for package in packages.values()]
    )
    rules = CarrierRules.of({entry.account_id for entry in entries})
    found: dict[int, Package | Outcome] = {}
    for entry in entries:
        package = packages[entry.pk]
        is_shipped = package.fulfillment_id not in cancelled
        found[entry.pk] = _verdict(entry, package, rules, is_shipped=is_shipped)
    return found


@dataclass(frozen=True)
class CarrierRules:
    """What carriers are called on Amazon, for some accounts."""

    #: By account and marketplace id the code where staff name no carrier.
    defaults: Mapping[tuple[int, str], str]
    #: By account and ``carriers.key`` the code and the name beside ``Other``.
    mapped: Mapping[tuple[int, str], tuple[str, str]]

    @classmethod
    def of(cls, account_ids: Iterable[int], using: str | None = None) -> CarrierRules:
        accounts = list(account_ids)
        return cls(
            {
                (account_id, marketplace_id): code
                for account_id, marketplace_id, code in Marketplace.objects.using(using)
                .filter(account__in=accounts)
                .values_list("account_id", "marketplace_id", "default_carrier_code")
            },
            {
                (row.account_id, row.key): (row.carrier_code, row.carrier_name)
                for row in CarrierMapping.objects.using(using).filter(
                    account__in=accounts
                )
            },
        )

    def named(self, account_id: int, carrier: str) -> tuple[str, str]:
        """(code, name) of what staff call the carrier: as it is mapped, else Amazon's
        code for it, else ``Other`` and its name."""
        mapped = self.mapped.get((account_id, carriers.key(carrier)))
        if mapped:
            return mapped
        code = carriers.carrier_code(carrier)
        return (code, "") if code else (carriers.OTHER, carrier)

    def choose(self, package: AmazonPackage, order: AmazonOrder) -> tuple[str, str]:
        """(code, name): what staff gave, else the marketplace's default, else
        nothing."""
        if package.carrier_name:
            return self.named(order.account_id, package.carrier_name)
        return self.defaults.get((order.account_id, order.marketplace_id), ""), ""


def _verdict(
    entry: OutboxEntry,
    package: AmazonPackage,
    rules: CarrierRules,
    *,
    is_shipped: bool,
) -> Package | Outcome:
    order = entry.order
    if package.revision != entry.payload["revision"]:
        return Outcome(State.SUPERSEDED, "A newer version of the package is sent.")
    reference = package.package_reference_id
    if package.confirmed_revision == package.revision:
        return Outcome(State.SUCCEEDED, f"Package {reference} is confirmed to Amazon.")
    if order.fulfillment_status == orders.FulfillmentStatus.CANCELLED:
        return Outcome(
            State.FAILED,
            f"Package {reference} is not confirmed: the order was cancelled on Amazon.",
            error_code="ORDER_CANCELLED",
        )
    if not is_shipped:
        return Outcome(
            State.SUPERSEDED,
            f"Package {reference} is not confirmed: its fulfillment was cancelled.",
        )
    if refusal := _not_taken(package, order):
        return refusal
    wanted = _wanted(package, order, rules)
    return _held(entry, package, wanted.carrier_code) or wanted


def _not_taken(package: AmazonPackage, order: AmazonOrder) -> Outcome | None:
    """Refuse what Amazon never takes from a seller's own system.

    Source: SP-API, confirmShipment: orders of Ship+ are refused; items of Transparency
    need a code for each unit, which the shop has no place for.
    """
    reference = package.package_reference_id
    if SHIP_PLUS in order.programs:
        return Outcome(
            State.FAILED,
            f"Package {reference} is not confirmed from here: the order is in Ship+, "
            "where Amazon learns of a package from the label bought there. Buy the "
            "label in Seller Central; if you have, there is nothing left to do.",
            error_code="SHIP_PLUS",
        )
    marked = {
        item.get("orderItemId")
        for item in order.payload.get("orderItems", ())
        if TRANSPARENCY in item.get("programs", ())
    }
    if any(
        each["quantity"] and each["order_item_id"] in marked for each in package.items
    ):
        return Outcome(
            State.FAILED,
            f"Package {reference} is not confirmed: it has an item of Amazon's "
            "Transparency program, for which Amazon wants the code on each unit. "
            "Confirm it in Seller Central, with the codes.",
            error_code="TRANSPARENCY",
        )
    return None


def _wanted(package: AmazonPackage, order: AmazonOrder, rules: CarrierRules) -> Package:
    """The package as Amazon is to have it."""
    code, name = rules.choose(package, order)
    return Package(
        package_reference_id=str(package.package_reference_id),
        carrier_code=code,
        carrier_name=name,
        tracking_number=package.tracking_number,
        ship_date=_ship_date(package, order),
        items=tuple(
            PackageItem(item["order_item_id"], item["quantity"])
            for item in package.items
            # A part of a pack counts with the package that completes it.
            if item["quantity"]
        ),
    )


def _by_feed(entry: OutboxEntry) -> Outcome:
    return Outcome(
        State.PENDING,
        f"Package {entry.payload['package_reference_id']} goes to Amazon without a "
        "tracking number, by feed: it cannot wait for one any longer.",
        error_code=BY_FEED,
        next_attempt_at=clock.now(),
        is_postponed=True,
    )


def _read_back(client: Client, entry: OutboxEntry) -> Outcome | None:
    """Success where Amazon has the package, whatever has happened to it here since."""
    package, order = _package(entry), entry.order
    if package.revision != entry.payload["revision"] or (
        package.confirmed_revision == package.revision
    ):
        return None  # Nothing to be found out: a newer version replaces it, say.
    wanted = _wanted(package, order, CarrierRules.of([entry.account_id]))
    if not _amazon_has(client, entry, wanted, by_carrier=True):
        return None
    return Outcome(
        State.SUCCEEDED,
        f"Package {wanted.package_reference_id} was found confirmed on Amazon.",
    )


def _held(
    entry: OutboxEntry, package: AmazonPackage, carrier_code: str
) -> Outcome | None:
    """Wait for what staff can still add, until the ship-by date comes near; not where
    Amazon names none.

    Then a package without tracking number goes without, by feed; one without carrier
    cannot, since Amazon wants its code everywhere.
    """
    if package.tracking_number and carrier_code:
        return None
    missing, remedy = (
        (
            "a carrier",
            "Add it to the fulfillment's metadata as amazon.carrier, or give the "
            "marketplace a default carrier",
        )
        if not carrier_code
        else ("a tracking number", "Add it to the fulfillment")
    )
    now = clock.now()
    ship_by = entry.order.ship_by
    deadline = ship_by - TRACKING_DEADLINE if ship_by else now
    reference = package.package_reference_id
    if now >= deadline:
        if carrier_code:
            return None
        return Outcome(
            State.FAILED,
            f"Package {reference} is not confirmed: Amazon wants {missing} and it is "
            f"to be confirmed now. {remedy}, or confirm it in Seller Central.",
            error_code="MISSING_CARRIER",
        )
    return Outcome(
        State.PENDING,
        f"Package {reference} waits for {missing}. {remedy}.",
        error_code=HELD,
        next_attempt_at=min(now + HELD_RETRY, deadline),
        is_postponed=True,
    )


def _ship_date(package: AmazonPackage, order: AmazonOrder) -> datetime:
    """Not in the future and not before the order: Amazon refuses both."""
    latest = clock.now() - SHIP_DATE_MARGIN
    return max(min(package.ship_date, latest), order.created_time)


def _amazon_has(
    client: Client, entry: OutboxEntry, wanted: Package, *, by_carrier: bool
) -> bool:
    """Whether Amazon stored the package as we want it.

    ``by_carrier``: with the same carrier, too, by its code or its name.

    That a feed's MerchantFulfillmentID becomes the package reference id is an
    assumption. Where Amazon has none of that id, one that is otherwise the same is
    taken for ours, unless it is accounted for: another of ours just like it, or one of
    somebody else that the shop knows of.
    """
    order, _ = orders.get_order(client, entry.order.amazon_order_id)
    names = (wanted.carrier_code, wanted.carrier_name)
    there = {package.package_reference_id for package in order.packages}
    alike = {
        package.package_reference_id
        for package in order.packages
        if package.tracking_number == wanted.tracking_number
        and (not by_carrier or package.carrier in names)
        and _content(
            (each.order_item_id, each.quantity) for each in package.package_items
        )
        == _content((each.order_item_id, each.quantity) for each in wanted.items)
    }
    if wanted.package_reference_id in there:
        return wanted.package_reference_id in alike
    if not alike:
        return False
    others = AmazonPackage.objects.filter(order=entry.order).exclude(
        package_reference_id=int(wanted.package_reference_id)
    )
    known = {str(other.package_reference_id) for other in others} | set(
        ForeignPackage.objects.filter(order=entry.order).values_list(
            "package_reference_id", flat=True
        )
    )
    twins = [
        other
        for other in others
        if other.confirmed_revision
        and str(other.package_reference_id) not in there
        and other.tracking_number == wanted.tracking_number
        and _content((each["order_item_id"], each["quantity"]) for each in other.items)
        == _content((each.order_item_id, each.quantity) for each in wanted.items)
    ]
    return len(alike - known) > len(twins)


def _content(items: Iterable[tuple[str, int]]) -> Counter[str]:
    """Order item id → units."""
    content: Counter[str] = Counter()
    for order_item_id, quantity in items:
        content[order_item_id] += quantity
    return +content
