"""``amazonBlockers``: what keeps orders out of the shop, by cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from graphql_api.conftest import Answer
from graphql_api.rows import new_order
from saleor_amazon_channel.models import (
    AmazonOrder,
    Marketplace,
    OrderBlocker,
    SellerAccount,
)
from wire_orders import FRANCE, GERMANY

Ask = Callable[..., Answer]


def causes(ask: Ask) -> Any:
    answer = ask("{ amazonBlockers { code subject orderCount marketplaceId message } }")
    return answer["amazonBlockers"]


@pytest.fixture
def germany(account: SellerAccount) -> Marketplace:
    """Without a channel."""
    return Marketplace.objects.create(account=account, marketplace_id=GERMANY)


def test_orders_to_be_shipped_that_wait_for_a_channel_are_a_cause(
    ask: Ask, account: SellerAccount, germany: Marketplace
) -> None:
    new_order(account)
    new_order(account, fulfillment_status="PARTIALLY_SHIPPED")
    blocked = new_order(account, import_state="blocked")
    OrderBlocker.objects.create(
        account=account,
        marketplace_id=GERMANY,
        order=blocked,
        code="unknown_sku",
        subject="CUP-9",
        message="No variant.",
    )

    not_mapped, unknown_sku = causes(ask)

    assert unknown_sku["subject"] == "CUP-9"
    assert not_mapped.pop("message").startswith("The marketplace (Germany) has no")
    assert not_mapped == {
        "code": "NOT_MAPPED",
        "subject": "",
        "orderCount": 2,
        "marketplaceId": GERMANY,
    }


@pytest.mark.parametrize(
    "otherwise",
    [
        {"fulfilled_by": "AMAZON"},
        {"fulfillment_status": "SHIPPED"},
        {"import_state": "ready"},
        {"marketplace_id": FRANCE},
    ],
)
def test_what_nobody_has_to_ship_now_is_none(
    ask: Ask, account: SellerAccount, germany: Marketplace, otherwise: dict[str, str]
) -> None:
    new_order(account, **otherwise)
    assert causes(ask) == []


def test_what_is_not_imported_by_itself_is_none_unless_asked_for(
    ask: Ask, account: SellerAccount, germany: Marketplace
) -> None:
    old = new_order(account, created_time=account.import_from - timedelta(days=1))
    assert causes(ask) == []
    AmazonOrder.objects.filter(pk=old.pk).update(is_import_requested=True)
    assert len(causes(ask)) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"import_orders": False},
        {"channel_id": "1", "warehouse_ids": ["2"], "shipping_method_id": "3"},
    ],
)
def test_a_marketplace_that_is_mapped_or_not_wanted_is_none(
    ask: Ask, account: SellerAccount, germany: Marketplace, settings: dict[str, Any]
) -> None:
    new_order(account)
    assert len(causes(ask)) == 1
    Marketplace.objects.filter(pk=germany.pk).update(**settings)
    assert causes(ask) == []
