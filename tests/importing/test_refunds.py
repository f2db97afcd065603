"""What a refund is in the shop's terms; how it gets there is in ``journeys``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.finances import transaction_from_wire
from saleor_amazon_channel.amazon.orders import Order
from saleor_amazon_channel.importing.refunds import content_of, draft_of
from saleor_amazon_channel.ledger import recorder, refunds
from saleor_amazon_channel.models import AmazonOrder, AmazonRefund, SellerAccount
from saleor_amazon_channel.sandbox import State
from saleor_amazon_channel.sandbox import refunds as on_amazon
from saleor_amazon_channel.store.contract import RefundDraft
from wire_orders import GERMANY, NOW, wire_item, wire_order

pytestmark = pytest.mark.django_db

UNITED_STATES = "ATVPDKIKX0DER"
ORDER = "111-0000001-0000001"
ITEM = "10000000000001"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def item(*parts: tuple[str, str, dict[str, str]], **options: Any) -> dict[str, Any]:
    """Two shipped units of 20.00 in all, with more ``parts``: kind, amount, details."""
    wire = wire_item(ITEM, quantity=2, price="20.00", shipped=2, **options)
    currency = options.get("currency", "EUR")
    for kind, amount, details in parts:
        breakdown: dict[str, Any] = {
            "type": kind,
            "subtotal": {"amount": amount, "currencyCode": currency},
        }
        if details:
            breakdown["detailedBreakdowns"] = [
                {"subtype": name, "value": {"amount": each, "currencyCode": currency}}
                for name, each in details.items()
            ]
        wire["proceeds"]["breakdowns"].append(breakdown)
    return wire


def refunded(
    account: SellerAccount,
    wire: dict[str, Any],
    components: dict[str, str],
    *,
    total: str,
    marketplace_id: str = GERMANY,
    currency: str = "EUR",
    earlier: dict[str, str] | None = None,
    **options: Any,
) -> RefundDraft:
    """What the shop is told of a refund of ``components`` of the only item."""
    for money in (wire["proceeds"]["proceedsTotal"],):
        wire["proceeds"]["proceedsTotal"] = {**money, "amount": total}
    order = wire_order(
        ORDER,
        status="SHIPPED",
        items=[wire],
        marketplace_id=marketplace_id,
        currency=currency,
    )
    del order["proceeds"]["breakdowns"]
    recorder.record(account, [(Order.from_wire(order), order)])
    AmazonOrder.objects.get().items.update(shop_line_id="LINE")
    state = State()
    state.put_orders([order])
    for each in filter(None, (earlier, components)):
        posted = on_amazon.refund(state, ORDER, items={ITEM: each}, **options)
        refunds.record(account, [transaction_from_wire(_exact(posted))])
        if each is earlier:
            AmazonRefund.objects.update(state="recorded")
    stored = AmazonOrder.objects.get()
    items = refunds.items_of([stored])[ORDER]
    refund = AmazonRefund.objects.latest("pk")
    content = content_of(stored, items, refund)
    return draft_of(refund.transaction_id, content, refund)


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return Decimal(str(value)) if isinstance(value, float) else value


def units(draft: RefundDraft) -> list[int]:
    return [line.units for line in draft.lines]


def test_tax_on_top_is_refunded_too_and_counts_no_unit(account: SellerAccount) -> None:
    draft = refunded(
        account,
        item(("TAX", "1.60", {"ITEM": "1.60"}), currency="USD"),
        {"Principal": "10.00", "Tax": "0.80"},
        total="21.60",
        marketplace_id=UNITED_STATES,
        currency="USD",
    )

    assert (draft.amount, draft.currency) == (Decimal("10.80"), "USD")
    assert units(draft) == [1]


def test_tax_that_is_no_part_of_the_order_is_not_refunded_on_it(
    account: SellerAccount,
) -> None:
    wire = item(("TAX", "1.60", {"ITEM": "1.60"}), currency="USD")
    wire["tax"] = {
        "taxCollections": [
            {
                "model": "MARKETPLACE_FACILITATOR",
                "responsibleParty": "Amazon Services, Inc.",
            }
        ]
    }
    draft = refunded(
        account,
        wire,
        {"Principal": "20.00", "Tax": "1.60"},
        total="20.00",  # Amazon keeps the tax and pays it to the state.
        marketplace_id=UNITED_STATES,
        currency="USD",
    )

    assert (draft.amount, units(draft)) == (Decimal("20.00"), [2])
    # What the buyer got is in the ledger all the same.
    assert AmazonRefund.objects.get().amount == Decimal("21.60")


@pytest.mark.parametrize("vat_rate", [None, "0.19"])
def test_tax_inside_the_price_counts_with_it(
    account: SellerAccount, vat_rate: str | None
) -> None:
    draft = refunded(
        account, item(), {"Principal": "10.00"}, total="20.00", vat_rate=vat_rate
    )

    assert (draft.amount, units(draft)) == (Decimal("10.00"), [1])


def test_a_promotion_is_taken_off(account: SellerAccount) -> None:
    draft = refunded(
        account,
        item(("DISCOUNT", "4.00", {})),
        {"Principal": "16.00"},
        total="16.00",
    )

    assert (draft.amount, units(draft)) == (Decimal("16.00"), [2])
    assert draft.reason == "Refunded on Amazon. A mug (MUG-1): price 16.00."


def test_gift_wrap_and_shipping_count_no_unit(account: SellerAccount) -> None:
    wire = item(("GIFT_WRAP", "3.00", {}), ("SHIPPING", "4.99", {}))
    draft = refunded(
        account,
        wire,
        {"Principal": "9.99", "GiftWrap": "3.00", "Shipping": "4.99"},
        total="27.99",
    )

    assert (draft.amount, units(draft)) == (Decimal("17.98"), [0])
    assert draft.is_shipping_included
    assert draft.lines[0].reason == (
        "Refunded on Amazon: price 9.99, gift wrap 3.00, shipping 4.99"
    )


def test_what_was_refunded_before_makes_a_unit_whole(account: SellerAccount) -> None:
    draft = refunded(
        account,
        item(("SHIPPING", "4.99", {})),
        {"Principal": "0.01", "Shipping": "4.00"},
        total="24.99",
        earlier={"Principal": "9.99", "Shipping": "0.99"},
    )

    assert (units(draft), draft.is_shipping_included) == ([1], True)


def test_a_restocking_fee_stays_with_the_seller(account: SellerAccount) -> None:
    draft = refunded(
        account,
        item(),
        {"Principal": "20.00", "RestockingFee": "-4.00"},
        total="20.00",
    )

    assert (draft.amount, units(draft)) == (Decimal("16.00"), [2])
    assert "price 20.00, restocking fee -4.00" in draft.reason


def test_figures_that_do_not_add_up_count_no_unit(account: SellerAccount) -> None:
    draft = refunded(account, item(), {"Principal": "20.00"}, total="3.00")

    assert (draft.amount, units(draft)) == (Decimal("20.00"), [0])
