"""The harness itself: Saleor's clients, fixtures and commits work here; so do we."""

from __future__ import annotations

import http.server
import socket
import threading

import graphene
import pytest
import requests
from django.apps import apps
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from pytest_socket import SocketConnectBlockedError
from saleor.account.models import User
from saleor.order import FulfillmentStatus
from saleor.order.models import Order

PLUGIN = "saleor_amazon_channel.saleor.plugin.AmazonChannelPlugin"

ORDER_FULFILL = """
mutation ($order: ID!, $line: ID!, $warehouse: ID!) {
  orderFulfill(
    order: $order
    input: {
      notifyCustomer: false
      lines: [
        { orderLineId: $line, stocks: [{ quantity: 3, warehouse: $warehouse }] }
      ]
    }
  ) {
    errors { field code message }
    order { status }
  }
}
"""


def test_query_by_staff_is_answered(
    staff_api_client, permission_group_manage_orders, order
):
    permission_group_manage_orders.user_set.add(staff_api_client.user)

    response = staff_api_client.post_graphql("{ orders(first: 1) { totalCount } }")

    assert response.json()["data"] == {"orders": {"totalCount": 1}}


def test_order_is_fulfilled_by_saleors_own_mutation(
    staff_api_client, permission_group_manage_orders, order_with_lines, warehouse
):
    permission_group_manage_orders.user_set.add(staff_api_client.user)
    line = order_with_lines.lines.get(quantity=3)
    variables = {
        "order": graphene.Node.to_global_id("Order", order_with_lines.pk),
        "line": graphene.Node.to_global_id("OrderLine", line.pk),
        "warehouse": graphene.Node.to_global_id("Warehouse", warehouse.pk),
    }

    response = staff_api_client.post_graphql(ORDER_FULFILL, variables)

    assert response.json()["data"]["orderFulfill"] == {
        "errors": [],
        "order": {"status": "PARTIALLY_FULFILLED"},
    }
    fulfillment = order_with_lines.fulfillments.get()
    assert fulfillment.status == FulfillmentStatus.FULFILLED
    assert [(row.order_line_id, row.quantity) for row in fulfillment.lines.all()] == [
        (line.pk, 3)
    ]


def test_app_is_installed_by_its_entry_point():
    assert apps.is_installed("saleor_amazon_channel")


@pytest.mark.django_db
def test_own_migrations_are_applied():
    executor = MigrationExecutor(connection)
    own = executor.loader.graph.leaf_nodes("saleor_amazon_channel")

    assert own
    assert executor.migration_plan(own) == []


def test_plugin_is_listed_to_staff(
    staff_api_client, permission_manage_plugins, settings, channel_USD
):
    settings.PLUGINS = [PLUGIN]

    response = staff_api_client.post_graphql(
        """
        {
          plugins(first: 10) {
            edges { node { id name globalConfiguration { active } } }
          }
        }
        """,
        permissions=[permission_manage_plugins],
    )

    assert response.json()["data"]["plugins"]["edges"] == [
        {
            "node": {
                "id": "amazon.sales.channel",
                "name": "Amazon sales channel",
                "globalConfiguration": {"active": False},
            }
        }
    ]


@pytest.mark.django_db(transaction=True)
def test_committed_row_is_seen_by_another_connection():
    User.objects.create(email="committed@example.com")
    seen = []

    def look() -> None:
        seen.append(User.objects.filter(email="committed@example.com").count())
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [1]


def test_fixtures_work_after_a_test_that_committed(order_with_lines):
    assert Order.objects.get() == order_with_lines


def test_loopback_server_can_be_called():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Keep the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        response = requests.get(f"http://127.0.0.1:{server.server_port}", timeout=5)
        server.shutdown()
        thread.join()

    assert response.status_code == 204


def test_network_beyond_loopback_is_closed():
    # An address reserved for documentation (RFC 5737).
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 443))


@pytest.mark.saleor_version(">=99")
def test_of_another_saleor_version_is_deselected():
    pytest.fail("this test is bound to a Saleor that does not exist")
