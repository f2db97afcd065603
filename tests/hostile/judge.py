"""The audit: what Amazon has against what the shop's own tables have.

Nothing here asks the channel's ledger, except for the reason of an order that is not in
the shop. Expectations are computed from Amazon's payloads by the rules of the design
(an order item's line is ITEM and GIFT_WRAP with their discounts and tax, the rest is
shipping), apart from the product's own arithmetic.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from saleor_amazon_channel.models import AmazonOrder
from saleor_amazon_channel.sandbox.packages import package_units
from saleor_amazon_channel.sandbox.state import State

from . import refunds
from .books import BookedOrder, BookedStock, Books
from .refunds import Refund

Json = Mapping[str, Any]

_NEVER = ("PENDING", "PENDING_AVAILABILITY", "UNFULFILLABLE")
_STATUS = {
    "UNSHIPPED": "unfulfilled",
    "PARTIALLY_SHIPPED": "partially fulfilled",
    "SHIPPED": "fulfilled",
    "CANCELLED": "canceled",
}
#: A note on the order that tells staff of it.
_TOLD = ("not confirmed", "cancelled on Amazon")
_OF_THE_LINE = ("ITEM", "GIFT_WRAP")


@dataclass
class Verdict:
    """Amazon order ids, or what else is wrong, each with why."""

    on_amazon: int = 0
    in_shop: int = 0
    #: Of orders that are in the shop.
    refunds: int = 0
    missing: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    uncalled_for: list[str] = field(default_factory=list)
    wrong_total: list[str] = field(default_factory=list)
    wrong_refund: list[str] = field(default_factory=list)
    wrong_status: list[str] = field(default_factory=list)
    wrong_stock: list[str] = field(default_factory=list)
    shipped_twice: list[str] = field(default_factory=list)
    not_told: list[str] = field(default_factory=list)
    #: What staff did and Amazon overtook: told to staff by a note on the order.
    overtaken: list[str] = field(default_factory=list)
    #: Amazon order id → why it is not in the shop.
    blocked: dict[str, str] = field(default_factory=dict)
    blocked_without_reason: list[str] = field(default_factory=list)

    WRONG = (
        "missing",
        "double",
        "uncalled_for",
        "wrong_total",
        "wrong_refund",
        "wrong_status",
        "wrong_stock",
        "shipped_twice",
        "not_told",
        "blocked_without_reason",
    )

    @property
    def is_right(self) -> bool:
        return not any(getattr(self, name) for name in self.WRONG)

    def score(self) -> dict[str, Any]:
        reasons = Counter(reason.split(":")[0] for reason in self.blocked.values())
        return {
            "on_amazon": self.on_amazon,
            "in_shop": self.in_shop,
            "refunds": self.refunds,
            **{name: len(getattr(self, name)) for name in self.WRONG},
            "overtaken": len(self.overtaken),
            "blocked": dict(sorted(reasons.items())),
        }

    def complaints(self) -> list[str]:
        return [
            f"{name}: {each}" for name in self.WRONG for each in getattr(self, name)
        ]


def judge(
    state: State,
    books: Books,
    start: Mapping[tuple[str, str], int],
    slugs: Json,
    packs: Mapping[str, tuple[str, int]],
    refunded: Sequence[Refund],
) -> Verdict:
    """``start`` is the stock before the month, by (channel slug, SKU); ``slugs`` the
    channel of each marketplace; ``packs`` the SKU in the shop, and its units of one, by
    the seller SKU of what Amazon sells in packs; ``refunded`` what was refunded on
    Amazon."""
    verdict = Verdict()
    refunds_of: dict[str, list[Refund]] = defaultdict(list)
    for refund in refunded:
        refunds_of[refund.order_id].append(refund)
    booked: dict[str, list[BookedOrder]] = defaultdict(list)
    for order in books.orders():
        verdict.in_shop += 1
        if len(order.amazon_order_ids) != 1:
            verdict.uncalled_for.append(f"an order names {order.amazon_order_ids}")
        for amazon_order_id in order.amazon_order_ids:
            booked[amazon_order_id].append(order)
    blocked = _blocked()
    gone: Counter[tuple[str, str]] = Counter()
    promised: Counter[tuple[str, str]] = Counter()
    for order_id in state.order_ids():
        sold = state.order(order_id)
        payload = _unpacked(copy.deepcopy(sold), packs)
        verdict.on_amazon += 1
        orders = booked.pop(order_id, [])
        if len(orders) > 1:
            verdict.double.append(f"{order_id}: {len(orders)} orders")
        if not orders:
            if _is_wanted(payload):
                _excuse(verdict, order_id, blocked)
            continue
        if not _is_wanted(payload) and _status(payload) != "CANCELLED":
            verdict.uncalled_for.append(f"{order_id} is {_status(payload)}")
        slug = slugs[payload["salesChannel"]["marketplaceId"]]
        for order in orders:
            made = refunds_of[order_id]
            _check_order(verdict, payload, order, slug, made)
            _check_refunds(verdict, sold, order, made, packs)
            if payload["fulfillment"]["fulfilledBy"] == "MERCHANT":
                _count_units(payload, order, slug, gone, promised)
    verdict.uncalled_for += [f"{order_id} is not on Amazon" for order_id in booked]
    _check_stock(verdict, books.stock(), start, gone, promised)
    return verdict


def _unpacked(payload: Any, packs: Mapping[str, tuple[str, int]]) -> Any:
    """The order with the shop's SKUs, counted in the shop's units."""
    units_of: dict[str, int] = {}
    for item in payload["orderItems"]:
        seller_sku = item["product"].get("sellerSku")
        sku, units = packs.get(seller_sku, (seller_sku, 1))
        units_of[item["orderItemId"]] = units
        item["product"]["sellerSku"] = sku
        item["quantityOrdered"] *= units
        for name in ("quantityFulfilled", "quantityUnfulfilled"):
            item["fulfillment"][name] *= units
    for package in payload.get("packages", ()):
        for entry in package["packageItems"]:
            entry["quantity"] *= units_of[entry["orderItemId"]]
    return payload


def _blocked() -> dict[str, AmazonOrder]:
    rows = AmazonOrder.objects.filter(import_state="blocked").only(
        "amazon_order_id", "blockers", "note"
    )
    return {row.amazon_order_id: row for row in rows}


def _excuse(
    verdict: Verdict, order_id: str, blocked: Mapping[str, AmazonOrder]
) -> None:
    row = blocked.get(order_id)
    if row is None:
        here = AmazonOrder.objects.filter(amazon_order_id=order_id).first()
        said = f"{here.import_state}, {here.note}" if here else "not in the ledger"
        verdict.missing.append(f"{order_id}: {said}")
    elif not row.blockers or not all(each["message"] for each in row.blockers):
        verdict.blocked_without_reason.append(order_id)
    else:
        first = row.blockers[0]
        verdict.blocked[order_id] = f"{first['code']}: {first['subject']}"


def _status(payload: Json) -> str:
    return str(payload["fulfillment"]["fulfillmentStatus"])


def _is_wanted(payload: Json) -> bool:
    """Whether there has to be an order in the shop now."""
    status = _status(payload)
    if payload["salesChannel"]["channelName"] != "AMAZON" or status in _NEVER:
        return False
    if status == "CANCELLED":
        return False  # It may have been cancelled before anybody saw it.
    by_amazon = payload["fulfillment"]["fulfilledBy"] == "AMAZON"
    return not by_amazon or status == "SHIPPED"


def _check_refunds(
    verdict: Verdict,
    sold: Json,
    order: BookedOrder,
    made: Sequence[Refund],
    packs: Mapping[str, tuple[str, int]],
) -> None:
    verdict.refunds += len(order.refunds)
    units_of_one = {
        item["orderItemId"]: packs.get(item["product"].get("sellerSku"), ("", 1))[1]
        for item in sold["orderItems"]
    }
    for complaint in refunds.wrong(sold, order, made, units_of_one):
        verdict.wrong_refund.append(f"{sold['orderId']}: {complaint}")


def _check_order(
    verdict: Verdict,
    payload: Json,
    order: BookedOrder,
    slug: str,
    made: Sequence[Refund],
) -> None:
    order_id, status = payload["orderId"], _status(payload)
    wrong = _wrong_amounts(payload, order, made)
    if order.channel_slug != slug:
        wrong.append(f"in channel {order.channel_slug} instead of {slug}")
    if wrong:
        verdict.wrong_total.append(f"{order_id}: {'; '.join(wrong)}")
    trackings = Counter(
        package.get("trackingNumber", "") for package in payload.get("packages", ())
    )
    for tracking, count in trackings.items():
        if count > 1:
            verdict.shipped_twice.append(f"{order_id}: {tracking} {count} times")
    for line in order.lines:
        if line.quantity_fulfilled > line.quantity:
            verdict.shipped_twice.append(
                f"{order_id}: {line.quantity_fulfilled} of {line.quantity} {line.sku}"
            )
    if payload["fulfillment"]["fulfilledBy"] == "MERCHANT":
        there = {
            package.get("trackingNumber", ""): dict(package_units(package))
            for package in payload.get("packages", ())
        }
        here = {
            package.tracking_number: dict(package.units) for package in order.packages
        }
        # What was shipped before the import arrives as one package, under all numbers.
        for numbers in [each for each in here if ", " in each]:
            parts = [there.pop(each, {}) for each in numbers.split(", ")]
            there[numbers] = dict(sum(map(Counter, parts), Counter()))
        overtaken = [
            tracking for tracking in here if here[tracking] != there.get(tracking)
        ]
        if overtaken:
            # Staff were faster than the news: cancelled, or sent from Seller Central,
            # on Amazon. They have to be told.
            is_overtaken = status == "CANCELLED" or there.keys() - here.keys()
            if is_overtaken and any(
                "not confirmed" in note or "cancelled on Amazon" in note
                for note in order.notes
            ):
                verdict.overtaken.append(f"{order_id}: {overtaken}")
                return
            verdict.not_told.append(f"{order_id}: here {here}, on Amazon {there}")
        elif there.keys() - here.keys():
            verdict.not_told.append(f"{order_id}: here {here}, on Amazon {there}")
    if order.status != _STATUS[status]:
        verdict.wrong_status.append(f"{order_id}: {order.status}, on Amazon {status}")


def _wrong_amounts(
    payload: Json, order: BookedOrder, made: Sequence[Refund]
) -> list[str]:
    grand_total = payload["proceeds"]["grandTotal"]
    wanted = Decimal(grand_total["amount"])
    wrong = []
    if (order.total, order.currency) != (wanted, grand_total["currencyCode"]):
        wrong.append(f"total {order.total} {order.currency}, on Amazon {wanted}")
    charged = Decimal(0) if _status(payload) == "CANCELLED" else wanted
    if order.status != "canceled" and _status(payload) == "CANCELLED":
        charged = wanted  # Left the warehouse before the news: staff settle it.
    charged -= sum((refund.amount for refund in made), Decimal(0))
    if order.charged != charged:
        wrong.append(f"charged {order.charged}, on Amazon {charged}")
    lines = {line.order_item_id: line for line in order.lines}
    parts = order.shipping
    for item in payload["orderItems"]:
        item_id, units = item["orderItemId"], _units(item)
        line = lines.pop(item_id, None)
        total = _line_total(item)
        if _status(payload) == "CANCELLED":
            units = item["quantityOrdered"]
        if line is None:
            if units:
                wrong.append(f"no line for item {item_id}")
            continue
        parts += line.total
        if line.quantity != units:
            wrong.append(f"{line.quantity} units of {line.sku}, on Amazon {units}")
        if line.total != total:
            wrong.append(f"{line.sku} for {line.total}, on Amazon {total}")
        if line.sku != item["product"].get("sellerSku"):
            wrong.append(f"{line.sku} is {item['product'].get('sellerSku')} on Amazon")
    if lines:
        wrong.append(f"lines that Amazon does not have: {sorted(lines)}")
    if parts != order.total:
        wrong.append(f"lines and shipping are {parts}, the total {order.total}")
    return wrong


def _units(item: Json) -> int:
    """Shipped and to be shipped, without what was cancelled."""
    fulfillment = item["fulfillment"]
    return int(fulfillment["quantityFulfilled"] + fulfillment["quantityUnfulfilled"])


def _line_total(item: Json) -> Decimal:
    total = Decimal(0)
    for breakdown in item["proceeds"]["breakdowns"]:
        subtotal = Decimal(breakdown["subtotal"]["amount"])
        details = {
            each["subtype"]: Decimal(each["value"]["amount"])
            for each in breakdown.get("detailedBreakdowns", ())
        }
        of_line = sum(
            (details.get(kind, Decimal(0)) for kind in _OF_THE_LINE), Decimal(0)
        )
        if breakdown["type"] in _OF_THE_LINE:
            total += subtotal
        elif breakdown["type"] == "DISCOUNT":
            total -= abs(of_line)
        elif breakdown["type"] == "TAX":
            total += of_line
    return total


def _count_units(
    payload: Json,
    order: BookedOrder,
    slug: str,
    gone: Counter[tuple[str, str]],
    promised: Counter[tuple[str, str]],
) -> None:
    """By Amazon, except for parcels that staff sent before they knew better."""
    for item in payload["orderItems"]:
        key = (slug, item["product"]["sellerSku"])
        left = item["fulfillment"]["quantityFulfilled"]
        sent = sum(
            package.units.get(item["orderItemId"], 0) for package in order.packages
        )
        gone[key] += max(left, sent)
        if _status(payload) != "CANCELLED":
            promised[key] += _units(item) - max(left, sent)


def _check_stock(
    verdict: Verdict,
    stock: Mapping[tuple[str, str], BookedStock],
    start: Mapping[tuple[str, str], int],
    gone: Mapping[tuple[str, str], int],
    promised: Mapping[tuple[str, str], int],
) -> None:
    for key, before in start.items():
        there = stock[key]
        wanted = (before - gone.get(key, 0), promised.get(key, 0))
        if (there.quantity, there.allocated) != wanted:
            verdict.wrong_stock.append(
                f"{key}: {there.quantity} with {there.allocated} promised, instead of "
                f"{wanted[0]} with {wanted[1]}"
            )


def summarize(verdicts: Sequence[tuple[str, Verdict]]) -> str:
    return "\n".join(
        f"{name}: "
        + ", ".join(f"{key} {value}" for key, value in verdict.score().items())
        for name, verdict in verdicts
    )
