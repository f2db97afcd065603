"""Amazon's official Python SDK, unmodified, against the sandbox.

The SDK's endpoint and token endpoint are constructor arguments of its client; nothing
of it is patched.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    events,
    refunds,
    running_sandbox,
)
from saleor_amazon_channel.sandbox.seeds import generate, month

spapi = pytest.importorskip("spapi", reason="Amazon's SDK (amzn-sp-api) is absent")

from spapi.api.finances_v2024_06_19.finances_v2024_api import (  # noqa: E402
    FinancesV2024Api,
)
from spapi.api.orders_v0.orders_v0_api import OrdersV0Api  # noqa: E402
from spapi.api.orders_v2026_01_01.get_order_api import GetOrderApi  # noqa: E402
from spapi.api.orders_v2026_01_01.search_orders_api import SearchOrdersApi  # noqa: E402
from spapi.models.orders_v0 import (  # noqa: E402
    ConfirmShipmentOrderItem,
    ConfirmShipmentRequest,
    PackageDetail,
)

ALL = ["BUYER", "RECIPIENT", "PROCEEDS", "PROMOTION", "FULFILLMENT", "PACKAGES"]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    # The SDK's token request honours a proxy set for the machine.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def api_client(sandbox: Sandbox) -> Iterator[spapi.ApiClient]:
    client = spapi.SPAPIClient(
        spapi.SPAPIConfig(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            refresh_token="Atzr|sandbox-NA",
            region="NA",
        ),
        oauth_endpoint=sandbox.lwa_url,
        endpoint=sandbox.url + "/na",
    ).api_client
    yield client
    client.rest_client.pool_manager.clear()


def test_reads_a_month_of_orders_in_pages(
    sandbox: Sandbox, api_client: spapi.ApiClient
) -> None:
    orders = [
        order
        for order in month()
        if order["proceeds"]["grandTotal"]["currencyCode"] in ("USD", "CAD", "BRL")
    ]
    sandbox.state.put_orders(orders)
    api = SearchOrdersApi(api_client)

    read, arguments = [], {}
    while True:
        page = api.search_orders(
            last_updated_after=datetime(2026, 1, 1, tzinfo=UTC),
            marketplace_ids=["ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A2Q3Y263D00KWC"],
            max_results_per_page=25,
            included_data=ALL,
            **arguments,
        )
        read += page.orders
        if page.pagination is None:
            break
        arguments = {"pagination_token": page.pagination.next_token}

    assert sorted(order.order_id for order in read) == sorted(
        order["orderId"] for order in orders
    )
    totals = {
        order.order_id: order.proceeds.grand_total.amount
        for order in read
        if order.proceeds
    }
    for order in orders:
        if order["fulfillment"]["fulfillmentStatus"] != "PENDING":
            assert totals[order["orderId"]] == order["proceeds"]["grandTotal"]["amount"]


def test_confirms_a_shipment_and_sees_it_on_the_order(
    sandbox: Sandbox, api_client: spapi.ApiClient
) -> None:
    [seeded] = generate(1, lines=1)
    sandbox.state.put_orders([seeded])
    get_order = GetOrderApi(api_client)

    before = get_order.get_order(
        seeded["orderId"], included_data=["FULFILLMENT", "PACKAGES"]
    ).order
    assert before.fulfillment.fulfillment_status == "UNSHIPPED"
    assert before.packages is None

    _, status, headers = OrdersV0Api(api_client).confirm_shipment_with_http_info(
        before.order_id,
        ConfirmShipmentRequest(
            marketplace_id="ATVPDKIKX0DER",
            package_detail=PackageDetail(
                package_reference_id="1",
                carrier_code="UPS",
                tracking_number="1Z999AA10123456784",
                ship_date=before.created_time,
                order_items=[
                    ConfirmShipmentOrderItem(
                        order_item_id=item.order_item_id,
                        quantity=item.quantity_ordered,
                    )
                    for item in before.order_items
                ],
            ),
        ),
    )
    assert status == 204
    assert headers["x-amzn-RateLimit-Limit"] == "2.0"

    after = get_order.get_order(
        seeded["orderId"], included_data=["FULFILLMENT", "PACKAGES"]
    ).order
    assert after.fulfillment.fulfillment_status == "SHIPPED"
    [package] = after.packages
    assert package.package_reference_id == "1"
    assert package.carrier == "UPS"
    assert package.tracking_number == "1Z999AA10123456784"
    assert [entry.quantity for entry in package.package_items] == [
        item.quantity_ordered for item in before.order_items
    ]


def test_sees_a_refusal_as_its_own_exception(
    sandbox: Sandbox, api_client: spapi.ApiClient
) -> None:
    with pytest.raises(spapi.ApiException) as refusal:
        SearchOrdersApi(api_client).search_orders()

    assert refusal.value.status == 400
    assert '"code": "InvalidInput"' in str(refusal.value.body)


def test_reads_a_refund(sandbox: Sandbox, api_client: spapi.ApiClient) -> None:
    [seeded] = generate(1, lines=1)
    sandbox.state.put_orders([seeded])
    events.ship(sandbox.state, seeded["orderId"])
    with clock.frozen(clock.now() - timedelta(minutes=5)):
        posted = refunds.refund(sandbox.state, seeded["orderId"], is_deferred=True)

    [found] = (
        FinancesV2024Api(api_client)
        .list_transactions(posted_after=clock.now() - timedelta(days=3))
        .payload.transactions
    )

    assert found.transaction_id == posted["transactionId"]
    assert found.transaction_status == "DEFERRED"
    identifiers = {
        each.related_identifier_name: each.related_identifier_value
        for each in found.related_identifiers
    }
    assert identifiers["ORDER_ID"] == seeded["orderId"]
    assert (
        float(found.total_amount.currency_amount)
        == (posted["totalAmount"]["currencyAmount"])
    )
