"""Staff with access to some of the shop's channels see and change what is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from graphene.relay import Node

from graphql_api.conftest import Answer
from graphql_api.root_fields import REQUESTS
from graphql_api.rows import new_order, shipped_order
from saleor_amazon_channel import clock, models
from saleor_amazon_channel.standalone.host import Identity
from wire_orders import FRANCE, GERMANY, NOW

ORDERS = frozenset({"MANAGE_ORDERS"})
EVERYWHERE = Identity("orders@example.com", ORDERS)
GERMANS = Identity("german@example.com", ORDERS, channels=frozenset({"1"}))
NOWHERE = Identity("new@example.com", ORDERS, channels=frozenset())
POLAND = "A1C3SOZRARQ6R3"
#: The last has no channel.
MARKETPLACES = {GERMANY: "1", FRANCE: "2", POLAND: ""}

DENIED = "You don't have access to some objects' channel."

Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def ledger(account: models.SellerAccount) -> Iterator[None]:
    """An order of each marketplace with all that can belong to one."""
    models.ChannelSettings.objects.create(id=1, active=True)
    with clock.frozen(NOW):
        for marketplace_id, channel_id in MARKETPLACES.items():
            models.Marketplace.objects.create(
                account=account, marketplace_id=marketplace_id, channel_id=channel_id
            )
            place: dict[str, Any] = {
                "account": account,
                "marketplace_id": marketplace_id,
            }
            order = shipped_order(**place)
            models.OrderInvoice.objects.create(
                order=order, shop_invoice_id=marketplace_id, number=marketplace_id
            )
            blocked = new_order(**place, import_state="blocked")
            models.OrderBlocker.objects.create(
                **place, order=blocked, code="UNKNOWN_SKU", subject=marketplace_id
            )
            models.DailySales.objects.create(
                **place,
                day=NOW.date(),
                currency="EUR",
                order_count=1,
                unit_count=1,
                total=1,
            )
            listing = models.AmazonListing.objects.create(
                **place, seller_sku=marketplace_id
            )
            models.OutboxEntry.objects.create(
                account=account,
                listing=listing,
                kind="stock",
                idempotency_key=f"stock:{listing.pk}",
                payload={"quantity": 1},
                state="failed",
                next_attempt_at=NOW,
                created_at=NOW,
                settled_at=NOW,
            )
        models.Backfill.objects.create(
            account=account,
            since=NOW - timedelta(days=9),
            until=NOW,
            window_from=NOW,
            marketplace_ids=[GERMANY],
            started_at=NOW,
        )
        models.Reconciliation.objects.create(account=account, since=NOW)
        yield


def key(type_name: str, row: Any) -> str:
    return Node.to_global_id(type_name, row.pk)


def order_of(marketplace_id: str) -> models.AmazonOrder:
    return models.AmazonOrder.objects.get(
        marketplace_id=marketplace_id, import_state="imported"
    )


def entry_about_stock(marketplace_id: str) -> models.OutboxEntry:
    return models.OutboxEntry.objects.get(listing__marketplace_id=marketplace_id)


#: How many of each list there are for the whole shop, and for the Germans.
LISTS = {
    "amazonOrders": ("{ amazonOrders(first: 9) { n: edges { node { id } } } }", 6, 2),
    "amazonListings": (
        "{ amazonListings(first: 9) { n: edges { node { id } } } }",
        3,
        1,
    ),
    "amazonOutbox": ("{ amazonOutbox(first: 9) { n: edges { node { id } } } }", 6, 2),
    "amazonBlockers": ("{ n: amazonBlockers { subject } }", 3, 1),
    # Of whole accounts.
    "amazonBackfills": ("{ n: amazonBackfills { id } }", 1, 0),
    "amazonReconciliations": ("{ n: amazonReconciliations { id } }", 1, 0),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_have_what_is_of_their_channels(ask: Ask, name: str) -> None:
    query, all_of_them, of_germany = LISTS[name]

    def found(who: Identity) -> int:
        answer = ask(query, identity=who)
        return len(answer.data["n"] if "n" in answer.data else answer[name]["n"])

    assert [found(who) for who in (EVERYWHERE, GERMANS, NOWHERE)] == [
        all_of_them,
        of_germany,
        0,
    ]


def test_totals_count_what_is_of_their_channels(ask: Ask) -> None:
    def counted(who: Identity) -> Any:
        answer = ask(
            """{ amazonOrders(filter: {importState: [IMPORTED]}) { totalCount }
            amazonOutbox { totalCount } amazonListings { totalCount }
            amazonSalesSummary { currencies { lifetime { orderCount } } } }""",
            identity=who,
        )
        return (
            *(
                answer[name]["totalCount"]
                for name in ("amazonOrders", "amazonOutbox", "amazonListings")
            ),
            sum(
                each["lifetime"]["orderCount"]
                for each in answer["amazonSalesSummary"]["currencies"]
            ),
        )

    assert counted(EVERYWHERE) == (3, 6, 3, 3)
    assert counted(GERMANS) == (1, 2, 1, 1)
    assert counted(NOWHERE) == (0, 0, 0, 0)


@pytest.mark.parametrize("marketplace_id", MARKETPLACES)
def test_an_order_of_another_channel_is_not_found(
    ask: Ask, marketplace_id: str
) -> None:
    given = {"id": key("AmazonOrder", order_of(marketplace_id))}
    query = "query ($id: ID!) { amazonOrder(id: $id) { buyerName } }"

    answer = ask(query, given, identity=GERMANS)["amazonOrder"]

    assert (answer is None) == (marketplace_id != GERMANY)
    assert ask(query, given, identity=EVERYWHERE)["amazonOrder"]


def _of_order(arguments: str = "") -> Callable[[str], str]:
    return lambda marketplace_id: (
        f'id: "{key("AmazonOrder", order_of(marketplace_id))}" {arguments}'
    )


def _of_entries(marketplace_id: str) -> str:
    entries = [entry_about_stock(GERMANY), entry_about_stock(marketplace_id)]
    return f"ids: {[key('AmazonOutboxEntry', each) for each in entries]}".replace(
        "'", '"'
    )


def _of_account(_: str) -> str:
    return f'accountId: "{key("AmazonAccount", models.SellerAccount.objects.get())}"'


MUTATIONS: dict[str, Callable[[str], str]] = {
    "amazonOrderCancel": _of_order("reason: NO_INVENTORY"),
    "amazonMessagingOfferFetch": _of_order(),
    "amazonBuyerMessageSend": _of_order("input: {action: CONFIRM_ORDER_DETAILS}"),
    "amazonReviewRequest": _of_order(),
    "amazonOrderAddressUpdate": _of_order(),
    "amazonOrderRedact": _of_order("force: true"),
    "amazonShipmentConfirm": _of_order("input: {}"),
    "amazonRefundCreate": _of_order("input: {amount: 1}"),
    "amazonOrderRetryImport": lambda marketplace_id: (
        f'ids: ["{key("AmazonOrder", order_of(marketplace_id))}"]'
    ),
    "amazonInvoicePush": lambda marketplace_id: (
        f'id: "{key("AmazonInvoice", order_of(marketplace_id).invoices.get())}"'
    ),
    "amazonOrdersImport": lambda marketplace_id: (
        f'amazonOrderIds: ["{order_of(marketplace_id).amazon_order_id}"]'
    ),
    "amazonOutboxRetry": _of_entries,
    "amazonOutboxDiscard": _of_entries,
    # Of whole accounts.
    "amazonReconcile": _of_account,
    "amazonBackfillStart": lambda _: (
        "input: {"
        + _of_account(_)
        + ' createdAfter: "2026-11-01T00:00:00Z" createdBefore: "2026-11-02T00:00:00Z"}'
    ),
    "amazonBackfillCancel": lambda _: (
        f'id: "{key("AmazonBackfill", models.Backfill.objects.get())}"'
    ),
}


@pytest.mark.parametrize("marketplace_id", [FRANCE, POLAND])
@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_of_another_channel_is_not_changed(
    ask: Ask, name: str, marketplace_id: str
) -> None:
    arguments = MUTATIONS[name](marketplace_id)
    before = list(models.OutboxEntry.objects.order_by("pk").values())

    answer = ask(
        f"mutation {{ {name}({arguments}) {{ errors {{ message }} }} }}",
        identity=GERMANS,
    )

    assert answer.errors == [DENIED]
    assert list(models.OutboxEntry.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", ["amazonOrderRetryImport", "amazonOutboxRetry"])
def test_what_is_of_their_channel_is(ask: Ask, name: str) -> None:
    arguments = MUTATIONS[name](GERMANY)

    answer = ask(
        f"mutation {{ {name}({arguments}) {{ errors {{ message }} }} }}",
        identity=GERMANS,
    )

    assert answer.errors == []


def test_no_field_about_orders_is_forgotten() -> None:
    about_orders = {
        name for name, (_, needed) in REQUESTS.items() if needed == "MANAGE_ORDERS"
    }
    others = {"amazonOrder", "amazonSalesSummary"}
    assert about_orders == {*LISTS, *MUTATIONS, *others}
