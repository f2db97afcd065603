"""What the sandbox sends is what Amazon's models say, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    Sandbox,
    refunds,
    running_sandbox,
)
from saleor_amazon_channel.sandbox.orders import INCLUDED_DATA
from saleor_amazon_channel.sandbox.seeds import generate, month
from saleor_amazon_channel.sandbox.wire import DEFINITIONS

from .models import example_orders, load_model, needs_models, violations

pytestmark = needs_models

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEARCH = "/orders/2026-01-01/orders"
GET = "/orders/2026-01-01/orders/{orderId}"
CONFIRM = "/orders/v0/orders/{orderId}/shipmentConfirmation"
ORDERS_V0 = "/orders/v0/orders"
ITEMS_V0 = "/orders/v0/orders/{orderId}/orderItems"
ADDRESS_V0 = "/orders/v0/orders/{orderId}/address"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
TRANSACTIONS = "/finances/2024-06-19/transactions"
MODELS = {
    SEARCH: "orders_2026-01-01",
    GET: "orders_2026-01-01",
    CONFIRM: "ordersV0",
    ORDERS_V0: "ordersV0",
    ITEMS_V0: "ordersV0",
    ADDRESS_V0: "ordersV0",
    PARTICIPATIONS: "sellers",
    TRANSACTIONS: "finances_2024-06-19",
}
EVERYTHING = ",".join(INCLUDED_DATA)


class JudgedClient:
    """Calls operations and checks each answer against its model."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = sandbox.url
        self._lwa_url = sandbox.lwa_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._tokens: dict[str, str] = {}

    def token(self, region: str) -> str:
        if region not in self._tokens:
            answer = self._session.post(
                self._lwa_url,
                data={
                    "grant_type": "refresh_token",
                    "refresh_token": f"Atzr|sandbox-{region}",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                },
            )
            self._tokens[region] = answer.json()["access_token"]
        return self._tokens[region]

    def call(
        self,
        region: str,
        template: str,
        *,
        order_id: str = "",
        token: str | None = None,
        **options: Any,
    ) -> requests.Response:
        method = "POST" if template == CONFIRM else "GET"
        response = self._session.request(
            method,
            self._url + template.replace("{orderId}", order_id),
            headers={"x-amz-access-token": token or self.token(region)},
            **options,
        )
        self.judge(template, method.lower(), response)
        return response

    def judge(self, template: str, method: str, response: requests.Response) -> None:
        model = load_model(MODELS[template])
        declared = model["paths"][template][method]["responses"]
        rule = declared[str(response.status_code)]
        assert "x-amzn-RequestId" in response.headers
        # The sellers model names the rate for 429, too, and adds that it is not sent.
        assert ("x-amzn-RateLimit-Limit" in response.headers) == (
            response.status_code in (200, 204, 400, 404)
        )
        if "schema" in rule:
            # Where the model forgets to wrap the list, the wire has it wrapped.
            schema = rule["schema"]
            if response.status_code >= 400 and schema["$ref"].endswith("/ErrorList"):
                schema = load_model("orders_2026-01-01")["definitions"]["ErrorList"]
                model = load_model("orders_2026-01-01")
            assert list(violations(response.json(), schema, model)) == []
        else:
            assert response.content == b""

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with clock.frozen(NOW), running_sandbox(usage_plans=True) as sandbox:
        for operation in (
            "searchOrders",
            "getOrder",
            "confirmShipment",
            "listTransactions",
        ):
            sandbox.state.set_usage_plan(operation, 1.0, 100_000)
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[JudgedClient]:
    client = JudgedClient(sandbox)
    yield client
    client.close()


def read_all(client: JudgedClient, region: str) -> dict[str, Any]:
    """Every order of the region by id, through small pages."""
    found: dict[str, Any] = {}
    parameters = {
        "createdAfter": "2024-11-23T00:00:00Z",
        "includedData": EVERYTHING,
        "maxResultsPerPage": 7,
    }
    while True:
        page = client.call(region, SEARCH, params=parameters).json()
        found |= {order["orderId"]: order for order in page["orders"]}
        if "pagination" not in page:
            return found
        parameters["paginationToken"] = page["pagination"]["nextToken"]


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_seeds_come_over_the_wire_as_the_model_says(
    sandbox: Sandbox, client: JudgedClient, region: str
) -> None:
    sandbox.state.put_orders(month())

    found = read_all(client, region)

    own = f"A1SANDBOX{region}"
    assert sorted(found) == sorted(
        order_id
        for order_id in sandbox.state.order_ids()
        if sandbox.state.stored_order(order_id).seller_id == own
    )
    for order_id, order in found.items():
        one = client.call(
            region, GET, order_id=order_id, params={"includedData": EVERYTHING}
        )
        assert one.json() == {"order": order}


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_v0_reads_look_as_the_model_says(
    sandbox: Sandbox, client: JudgedClient, region: str
) -> None:
    sandbox.state.put_orders(month())
    account = sandbox.state.account(f"A1SANDBOX{region}")
    answer = client.call(
        region,
        ORDERS_V0,
        params={
            "CreatedAfter": "2024-11-23T00:00:00Z",
            "MarketplaceIds": ",".join(account.marketplace_ids),
        },
    )
    orders = answer.json()["payload"]["Orders"]
    assert len(orders) > 5
    for order in orders[:25]:
        for template in (ITEMS_V0, ADDRESS_V0):
            answer = client.call(region, template, order_id=order["AmazonOrderId"])
            assert answer.status_code == 200
    assert client.call(region, ORDERS_V0).status_code == 400
    assert client.call(region, ITEMS_V0, order_id="x").status_code == 400


def region_of(order: Mapping[str, Any]) -> str:
    currency = order["proceeds"]["grandTotal"]["currencyCode"]
    return {"USD": "NA", "BRL": "NA", "JPY": "FE"}.get(currency, "EU")


@pytest.mark.parametrize(
    "order", example_orders(), ids=lambda order: str(order["orderId"])
)
def test_amazons_example_orders_are_loaded_and_given_back(
    sandbox: Sandbox, client: JudgedClient, order: dict[str, Any]
) -> None:
    sandbox.state.put_orders([order])

    response = client.call(
        region_of(order),
        GET,
        order_id=order["orderId"],
        params={"includedData": EVERYTHING},
    )

    got = response.json()["order"]
    hidden = hidden_from_the_seller(order)
    assert hidden_paths(order, got) == hidden
    assert read_all(client, region_of(order)) == {order["orderId"]: got}


def hidden_from_the_seller(order: Mapping[str, Any]) -> set[str]:
    """What Amazon does not show of this example today, all delivered long ago."""
    hidden = set()
    if order["fulfillment"]["fulfilledBy"] == "AMAZON":
        hidden.add("$.buyer.buyerEmail")
    elif order["fulfillment"]["fulfillmentStatus"] == "SHIPPED":
        hidden.add("$.recipient.deliveryAddress.phone")
    return {path for path in hidden if has(order, path)}


def has(order: Any, path: str) -> bool:
    for name in path.split(".")[1:]:
        if name not in order:
            return False
        order = order[name]
    return True


def hidden_paths(before: Any, after: Any, path: str = "$") -> set[str]:
    """Paths in ``before`` that are not in ``after``; all else must be equal."""
    if isinstance(before, dict) and isinstance(after, dict):
        paths = set()
        for name, value in before.items():
            if name in after:
                paths |= hidden_paths(value, after[name], f"{path}.{name}")
            else:
                paths.add(f"{path}.{name}")
        assert set(after) <= set(before)
        return paths
    assert before == after
    return set()


def test_the_examples_of_the_model_were_found() -> None:
    assert sorted(order["orderId"] for order in example_orders()) == [
        "028-1234567-8901234",
        "114-9876543-1234567",
        "123-4567890-1234567",
        "171-2345678-9012345",
        "171-9876543-2109876",
        "202-1234567-8901234",
        "202-7654321-1098765",
        "250-1234567-8901234",
    ]


def test_refusals_look_as_the_models_say(
    sandbox: Sandbox, client: JudgedClient
) -> None:
    [order] = generate(1, lines=1)
    sandbox.state.put_orders([order])
    order_id = order["orderId"]

    assert client.call("NA", SEARCH).status_code == 400
    assert client.call("NA", GET, order_id="TEST_CASE_400").status_code == 400
    assert client.call("NA", GET, order_id="111-0000000-0000000").status_code == 404
    assert client.call("NA", CONFIRM, order_id=order_id, json={}).status_code == 400
    assert client.call("NA", PARTICIPATIONS, token="Atza|no").status_code == 403
    for operation, template in (
        ("searchOrders", SEARCH),
        ("getOrder", GET),
        ("confirmShipment", CONFIRM),
        ("getMarketplaceParticipations", PARTICIPATIONS),
        ("listTransactions", TRANSACTIONS),
    ):
        for kind, status in (
            ("throttled", 429),
            ("internal_failure", 500),
            ("unavailable", 503),
            ("unauthorized", 403),
        ):
            sandbox.state.inject_fault(operation, kind)
            answer = client.call("NA", template, order_id=order_id)
            assert answer.status_code == status


def test_participations_look_as_the_model_says(client: JudgedClient) -> None:
    for region in ("NA", "EU", "FE"):
        assert client.call(region, PARTICIPATIONS).status_code == 200


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_refunds_look_as_the_model_says(
    sandbox: Sandbox, client: JudgedClient, region: str
) -> None:
    sandbox.state.put_orders(month())
    sandbox.state.transactions.page_size = 5
    seller_id = f"A1SANDBOX{region}"
    refunded = []
    for stored in list(sandbox.state.orders_of(seller_id)):
        if stored.current.status in ("SHIPPED", "PARTIALLY_SHIPPED"):
            order_id = stored.current.payload["orderId"]
            is_deferred = len(refunded) % 2 == 0
            refunds.refund(sandbox.state, order_id, is_deferred=is_deferred)
            if is_deferred and len(refunded) % 4 == 0:
                refunds.release_refund(sandbox.state, order_id)
            refunded.append(order_id)
    assert len(refunded) > 3

    # The same moment, seen when it is old enough.
    with clock.frozen(NOW + timedelta(minutes=3)):
        parameters = {"postedAfter": (NOW - timedelta(hours=1)).isoformat()}
        found = []
        while True:
            answer = client.call(region, TRANSACTIONS, params=parameters)
            assert answer.status_code == 200
            payload = answer.json()["payload"]
            found += payload["transactions"]
            if "nextToken" not in payload:
                break
            parameters["nextToken"] = payload["nextToken"]

    orders = {
        identifier["relatedIdentifierValue"]
        for each in found
        for identifier in each["relatedIdentifiers"]
        if identifier["relatedIdentifierName"] == "ORDER_ID"
    }
    assert orders == set(refunded)
    assert client.call(region, TRANSACTIONS).status_code == 400


def test_a_confirmed_package_looks_as_the_model_says(
    sandbox: Sandbox, client: JudgedClient
) -> None:
    [order] = generate(1, lines=1)
    sandbox.state.put_orders([order])
    item = order["orderItems"][0]
    confirmation = {
        "marketplaceId": "ATVPDKIKX0DER",
        "packageDetail": {
            "packageReferenceId": "1",
            "carrierCode": "Other",
            "carrierName": "Bike courier",
            "shippingMethod": "Same day",
            "trackingNumber": "BIKE 7",
            "shipDate": (NOW - timedelta(minutes=1)).isoformat(),
            "orderItems": [{"orderItemId": item["orderItemId"], "quantity": 1}],
        },
    }
    model = load_model("ordersV0")
    schema = {"$ref": "#/definitions/ConfirmShipmentRequest"}
    assert list(violations(confirmation, schema, model)) == []

    answer = client.call("NA", CONFIRM, order_id=order["orderId"], json=confirmation)

    assert answer.status_code == 204
    found = client.call(
        "NA", GET, order_id=order["orderId"], params={"includedData": "PACKAGES"}
    )
    [package] = found.json()["order"]["packages"]
    assert package["carrier"] == "Bike courier"
    assert package["shippingService"] == "Same day"


def test_the_wire_format_is_that_of_the_model() -> None:
    """The table that judges loaded orders says what Amazon's model says."""
    definitions = load_model("orders_2026-01-01")["definitions"]
    scalars = {
        ("string", None): "str",
        ("string", "date-time"): "time",
        ("string", "date"): "date",
        ("integer", None): "int",
        ("number", None): "number",
    }

    def kind_of(schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/definitions/")
            below = definitions[name]
            return name if "properties" in below else kind_of(below)
        if schema["type"] == "array":
            return [kind_of(schema["items"])]
        if "enum" in schema:
            return tuple(schema["enum"])
        return scalars[schema["type"], schema.get("format")]

    needed: set[str] = set()

    def need(name: str) -> None:
        if name in needed:
            return
        needed.add(name)
        for schema in definitions[name]["properties"].values():
            kind = kind_of(schema)
            kind = kind[0] if isinstance(kind, list) else kind
            if isinstance(kind, str) and kind in definitions:
                need(kind)

    need("Order")
    of_the_model = {
        name: {
            field + ("*" if field in definitions[name].get("required", ()) else ""): (
                kind_of(schema)
            )
            for field, schema in definitions[name]["properties"].items()
        }
        for name in needed
    }
    # The one place where the table knows more: money is a decimal number.
    of_the_model["Money"]["amount*"] = "decimal"
    assert {name: dict(fields) for name, fields in DEFINITIONS.items()} == of_the_model
