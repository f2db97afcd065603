"""Comparing many listings, and reading them: what it costs, and what it goes on at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_amazon_channel import clock
from saleor_amazon_channel.models import (
    AmazonListing,
    Marketplace,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    listings,
    running_sandbox,
)
from saleor_amazon_channel.standalone.models import Stock, Variant
from saleor_amazon_channel.stock import compare
from saleor_amazon_channel.stock import listings as reading
from standalone.driver import StandaloneDriver
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Iterator[Any]:
    with clock.frozen(NOW) as move:
        yield move


@pytest.fixture
def marketplace(now: Any, account: SellerAccount) -> Marketplace:
    channel = StandaloneDriver().create_channel("amazon-de", "EUR", country="DE")
    return Marketplace.objects.create(
        account=account,
        marketplace_id=GERMANY,
        channel_id=channel.id,
        channel_slug=channel.slug,
        warehouse_ids=[channel.warehouses[0].id],
        shipping_method_id=channel.shipping_methods[0].id,
        send_stock=True,
    )


def list_many(marketplace: Marketplace, count: int) -> None:
    variants = Variant.objects.bulk_create(
        Variant(sku=f"SKU-{number:06}", name="Mug") for number in range(count)
    )
    Stock.objects.bulk_create(
        Stock(variant=each, warehouse_id=marketplace.warehouse_ids[0], quantity=5)
        for each in variants
    )
    AmazonListing.objects.bulk_create(
        AmazonListing(
            account_id=marketplace.account_id,
            marketplace_id=GERMANY,
            seller_sku=each.sku,
            product_type="KITCHEN",
        )
        for each in variants
    )


def queries_of(marketplace: Marketplace) -> int:
    with CaptureQueriesContext(connection) as queries:
        compare.compare(marketplace.account, [marketplace])
    return len(queries)


def test_ten_thousand_skus_cost_a_few_queries_a_thousand(
    marketplace: Marketplace,
) -> None:
    list_many(marketplace, 10_000)

    first = queries_of(marketplace)
    assert OutboxEntry.objects.count() == 10_000
    assert set(AmazonListing.objects.values_list("quantity", flat=True)) == {5}
    again = queries_of(marketplace)

    assert OutboxEntry.objects.count() == 10_000
    # Ten batches, and the look for an eleventh.
    assert first <= 10 * 18 + 1
    assert again <= 10 * 16 + 1


def test_a_thousand_skus_cost_no_more_queries_than_one(
    marketplace: Marketplace,
) -> None:
    list_many(marketplace, 1)
    one = queries_of(marketplace)
    AmazonListing.objects.all().delete()
    Variant.objects.all().delete()
    list_many(marketplace, 1000)

    assert queries_of(marketplace) == one


@pytest.fixture
def sandbox(now: Any, account: SellerAccount) -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        del sandbox.state.accounts["A1SANDBOXEU"]
        sandbox.state.add_account("EU", seller_id=account.seller_id)
        account.endpoint_override = sandbox.url
        account.lwa_endpoint_override = sandbox.lwa_url
        account.lwa_client_id = CLIENT_ID
        account.lwa_client_secret = CLIENT_SECRET
        account.refresh_token = "Atzr|sandbox-EU"
        account.save()
        yield sandbox


def put(sandbox: Any, account: SellerAccount, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        listings.put(
            sandbox.state,
            account.seller_id,
            f"SKU-{number:06}",
            marketplace_ids=[GERMANY],
        ).updated = clock.now() + timedelta(seconds=10 * number)


def read_skus() -> int:
    return AmazonListing.objects.count()


def test_more_listings_than_amazon_gives_of_a_search_are_all_read(
    sandbox: Any, account: SellerAccount, marketplace: Marketplace
) -> None:
    put(sandbox, account, 1300)

    compare.run(account)

    assert read_skus() == 1300
    # A page begins with the last of the one before.
    assert len(sandbox.state.calls("searchListingsItems")) == 69


def test_what_changed_at_one_moment_is_paged(
    sandbox: Any, account: SellerAccount, marketplace: Marketplace
) -> None:
    put(sandbox, account, 60)
    for listing in sandbox.state.listings.values():
        listing.updated = NOW

    compare.run(account)

    assert read_skus() == 60


def test_a_reading_goes_on_where_it_was_and_then_reads_only_what_changed(
    sandbox: Any,
    account: SellerAccount,
    marketplace: Marketplace,
    now: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(sandbox, account, 100)
    monkeypatch.setattr(reading, "MOST_CALLS", 3)

    compare.run(account)
    assert read_skus() == 58
    # It is due again at once.
    assert [each.pk for each in compare.due_accounts()] == [account.pk]
    compare.run(account)
    assert read_skus() == 100
    now(timedelta(minutes=30))
    sandbox.state.clear_calls()
    put(sandbox, account, 1, start=7)
    compare.run(account)

    assert len(sandbox.state.calls("searchListingsItems")) == 1
    row = AmazonListing.objects.get(seller_sku="SKU-000007")
    assert row.read_at == clock.now()


def test_budget_that_runs_out_loses_no_page(
    sandbox: Any, account: SellerAccount, marketplace: Marketplace, now: Any
) -> None:
    put(sandbox, account, 60)
    sandbox.state.inject_fault("searchListingsItems", "throttled", skip=2, count=99)

    compare.run(account)

    assert read_skus() == 39
    cursor = SyncCursor.objects.get(stream=compare.STREAM)
    assert "429" in cursor.last_error
    sandbox.state.clear_faults()
    now(timedelta(minutes=2))
    compare.run(account)
    assert read_skus() == 60
    assert SyncCursor.objects.get(stream=compare.STREAM).last_error == ""


def test_one_worker_at_a_time(
    sandbox: Any, account: SellerAccount, marketplace: Marketplace
) -> None:
    put(sandbox, account, 1)
    cursor = SyncCursor.objects.create(
        account=account,
        stream=compare.STREAM,
        lease_until=clock.now() + timedelta(minutes=1),
    )

    assert compare.run(account) == 0
    assert read_skus() == 0
    SyncCursor.objects.filter(pk=cursor.pk).update(lease_until=None)
    compare.run(account)
    assert read_skus() == 1
