"""The harness itself: Saleor's clients, fixtures, commits and versions work here."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest
import requests
from django.apps import apps
from django.db import connection
from pytest_socket import SocketConnectBlockedError


def test_staff_query_is_answered(
    staff_api_client, permission_group_manage_orders, order
):
    permission_group_manage_orders.user_set.add(staff_api_client.user)

    response = staff_api_client.post_graphql("{ orders(first: 1) { totalCount } }")

    assert response.json()["data"] == {"orders": {"totalCount": 1}}
