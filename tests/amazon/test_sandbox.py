"""The client against the stateful sandbox, which enforces Amazon's rules by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.amazon.auth import Credentials, InMemoryTokenCache
from saleor_amazon_channel.amazon.client import Client
from saleor_amazon_channel.amazon.errors import (
    CallFailed,
    Forbidden,
    InvalidRequest,
    NotFound,
    PackageToUpdateNotFound,
    ReauthorizationRequired,
    Throttled,
)
from saleor_amazon_channel.amazon.orders import Order, get_order, search_orders
from saleor_amazon_channel.amazon.orders_v0 import (
    Package,
    PackageItem,
    confirm_shipment,
)
from saleor_amazon_channel.amazon.sellers import marketplace_participations
from saleor_amazon_channel.amazon.throttle import InMemoryBudget
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    running_sandbox,
)
from saleor_amazon_channel.sandbox.seeds import generate, month

GERMANY = "A1PA6795UKMFR9"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client_of(sandbox: Sandbox) -> Iterator[Callable[..., Client]]:
    clients = []

    def make(region: str = "EU", **options: Any) -> Client:
        refresh_token = options.pop("refresh_token", f"Atzr|sandbox-{region}")
        client = Client(
            sandbox.url,
            sandbox.lwa_url,
            Credentials(CLIENT_ID, CLIENT_SECRET, refresh_token),
            options.pop("budget", None) or InMemoryBudget(),
            options.pop("token_cache", None) or InMemoryTokenCache(),
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def put_orders(sandbox: Sandbox, count: int = 1, **options: Any) -> list[str]:
    orders = generate(count, marketplaces=[GERMANY], **options)
    sandbox.state.put_orders(orders)
    return [order["orderId"] for order in orders]


def parcel(order: Order, reference: str, *units: int) -> Package:
    """A package of ``units`` of each item, a minute ago."""
    return Package(
        reference,
        "DHL",
        "00340434161094015902",
        clock.now() - timedelta(minutes=1),
        tuple(
            PackageItem(item.order_item_id, quantity)
            for item, quantity in zip(order.order_items, units, strict=False)
            if quantity
        ),
    )


def statuses(sandbox: Sandbox, operation: str) -> list[int]:
    return [call.status for call in sandbox.state.calls(operation)]


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_every_order_of_a_month_is_read_page_by_page(
    sandbox: Sandbox, client_of: Callable[..., Client], region: str
) -> None:
    sandbox.state.put_orders(month())
    client = client_of(region)
    found: list[tuple[Order, dict[str, Any]]] = []
    token, pages = None, 0
    while token or not pages:
        page = search_orders(
            client,
            last_updated_after=LONG_AGO,
            max_results_per_page=20,
            pagination_token=token,
        )
        assert page.malformed == []
        found += zip(page.orders, page.payloads, strict=True)
        token, pages = page.next_token, pages + 1

    ids = [order.order_id for order, _ in found]
    assert len(ids) == len(set(ids)) > 0
    assert pages == -(-len(ids) // 20)
    for order, payload in found:
        assert order.order_id == payload["orderId"]
        assert order.fulfillment_status == payload["fulfillment"]["fulfillmentStatus"]
        assert len(order.order_items) == len(payload["orderItems"])
        if "proceeds" in payload:
            amount = payload["proceeds"]["grandTotal"]["amount"]
            assert str(order.proceeds.grand_total.amount) == amount


def test_a_search_asks_once_for_a_hundred_orders(
    sandbox: Sandbox, client_of: Callable[..., Client]
) -> None:
    put_orders(sandbox, 100)

    page = search_orders(client_of(), last_updated_after=LONG_AGO)

    assert (len(page.orders), page.next_token) == (100, None)
    assert statuses(sandbox, "searchOrders") == [200]
    assert page.last_updated_before <= clock.now() - timedelta(minutes=2)


def test_participations_are_the_regions_marketplaces(
    client_of: Callable[..., Client],
) -> None:
    found = marketplace_participations(client_of("FE"))

    currencies = {each.default_currency_code for each in found}
    assert currencies == {"SGD", "AUD", "JPY"}


def test_two_packages_ship_an_order(
    sandbox: Sandbox, client_of: Callable[..., Client]
) -> None:
    client = client_of()
    (order_id,) = put_orders(sandbox, lines=2)
    order, _ = get_order(client, order_id)
    first, second = (item.quantity_ordered for item in order.order_items)

    confirm_shipment(client, order_id, GERMANY, parcel(order, "1", first))
    half, _ = get_order(client, order_id)
    confirm_shipment(client, order_id, GERMANY, parcel(order, "2", 0, second))
    whole, _ = get_order(client, order_id)

    assert half.fulfillment_status == "PARTIALLY_SHIPPED"
    assert whole.fulfillment_status == "SHIPPED"
    assert [
        (package.package_reference_id, package.tracking_number, package.carrier)
        for package in whole.packages
    ] == [("1", "00340434161094015902", "DHL"), ("2", "00340434161094015902", "DHL")]
    with pytest.raises(PackageToUpdateNotFound):
        confirm_shipment(client, order_id, GERMANY, parcel(order, "3", first))


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "hold_after_effect", "seconds": 1},
        {"kind": "close_after_effect"},
        {"kind": "failure_after_effect"},
        {"kind": "reset_before_effect"},
        {"kind": "unavailable"},
        {"kind": "internal_failure"},
    ],
    ids=lambda trouble: trouble["kind"],
)
def test_a_confirmation_takes_effect_once_whatever_happens(
    sandbox: Sandbox, client_of: Callable[..., Client], trouble: dict[str, Any]
) -> None:
    client = client_of(read_timeout=0.3)
    (order_id,) = put_orders(sandbox, lines=1)
    order, _ = get_order(client, order_id)
    sandbox.state.inject_fault("confirmShipment", **trouble)

    units = order.order_items[0].quantity_ordered
    confirm_shipment(client, order_id, GERMANY, parcel(order, "1", units))

    order, _ = get_order(client, order_id)
    assert len(order.packages) == 1
    assert order.order_items[0].fulfillment.quantity_fulfilled == units


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttled", Throttled),
        ("html_400", InvalidRequest),
        ("unauthorized", Forbidden),
    ],
)
def test_a_refusal_is_what_it_is(
    sandbox: Sandbox,
    client_of: Callable[..., Client],
    kind: str,
    error: type[CallFailed],
) -> None:
    (order_id,) = put_orders(sandbox)
    sandbox.state.inject_fault("getOrder", kind)

    with pytest.raises(error) as caught:
        get_order(client_of(), order_id)

    assert type(caught.value) is error
    assert caught.value.request_id == sandbox.state.calls("getOrder")[0].request_id


def test_an_order_of_nobody(client_of: Callable[..., Client]) -> None:
    with pytest.raises(NotFound):
        get_order(client_of(), "902-0000000-0000000")


def test_an_expired_pagination_token_is_an_invalid_request(
    sandbox: Sandbox, client_of: Callable[..., Client]
) -> None:
    client = client_of()
    put_orders(sandbox, 3)
    search = {"last_updated_after": LONG_AGO, "max_results_per_page": 2}
    page = search_orders(client, **search)
    sandbox.state.inject_fault("searchOrders", "expired_token")

    with pytest.raises(InvalidRequest):
        search_orders(client, pagination_token=page.next_token, **search)


def test_an_expired_access_token_is_renewed(
    sandbox: Sandbox, client_of: Callable[..., Client]
) -> None:
    client = client_of()
    (order_id,) = put_orders(sandbox)
    get_order(client, order_id)
    sandbox.state.expire_access_tokens()

    get_order(client, order_id)

    assert statuses(sandbox, "getOrder") == [200, 403, 200]
    assert statuses(sandbox, "lwaToken") == [200, 200]


def test_a_revoked_grant_wants_a_new_authorization(
    sandbox: Sandbox, client_of: Callable[..., Client]
) -> None:
    sandbox.state.revoke_grant("A1SANDBOXEU")

    with pytest.raises(ReauthorizationRequired) as caught:
        get_order(client_of(), "902-0000000-0000000")

    assert caught.value.codes == ("invalid_grant",)
    assert "Atz" not in str(caught.value)


def test_workers_with_one_budget_are_never_throttled(
    sandbox: Sandbox,
    client_of: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (order_id,) = put_orders(sandbox)
    description = clock.describe(clock.now(), factor=60)
    monkeypatch.setenv(clock.ENVIRONMENT_VARIABLE, description)
    shared = {"budget": InMemoryBudget(), "token_cache": InMemoryTokenCache()}
    clients = [client_of(**shared) for _ in range(4)]

    def read(client: Client) -> None:
        for _ in range(12):
            client.request(
                "getOrder",
                "GET",
                f"/orders/2026-01-01/orders/{order_id}",
                max_wait_seconds=600,
                idempotent=True,
            )

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(read, clients))

    # 30 at once, 18 more at one in two seconds of a clock 60 times as fast.
    assert statuses(sandbox, "getOrder") == [200] * 48
    assert statuses(sandbox, "lwaToken") == [200]
