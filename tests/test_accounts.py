from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from contract.racing import wait_until_blocked
from saleor_amazon_channel import account_changes, accounts, clock
from saleor_amazon_channel.account_changes import AccountChanges
from saleor_amazon_channel.accounts import (
    AccountError,
    Connection,
    MarketplaceChanges,
)
from saleor_amazon_channel.amazon.sellers import MarketplaceParticipation
from saleor_amazon_channel.importing import importer, participations, pull
from saleor_amazon_channel.models import (
    AmazonOrder,
    Marketplace,
    SellerAccount,
    SyncCursor,
)
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.standalone import catalogue
from saleor_amazon_channel.standalone.store import StandaloneStore
from saleor_amazon_channel.store.contract import Channel
from wire_orders import FRANCE, GERMANY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def amazon() -> Iterator[Any]:
    with running_sandbox(usage_plans=False) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _amazon_is_well(amazon: Any) -> Iterator[None]:
    yield
    amazon.state.clear_faults()
    amazon.state.restore_grant("A1SANDBOXEU")


@pytest.fixture
def connection(amazon: Any) -> Connection:
    return Connection(
        name="Mugs and more",
        region="EU",
        seller_id="A1SANDBOXEU",
        lwa_client_id=CLIENT_ID,
        lwa_client_secret=CLIENT_SECRET,
        refresh_token="Atzr|sandbox-EU",
        endpoint=amazon.url,
        lwa_endpoint=amazon.lwa_url,
    )


def refused(connection: Connection) -> tuple[str, str]:
    with pytest.raises(AccountError) as caught:
        accounts.connect(connection)
    assert not SellerAccount.objects.exists()
    assert not Marketplace.objects.exists()
    return caught.value.code.value, caught.value.field


# --- connect -------------------------------------------------------------------------


def test_a_connected_account_has_its_marketplaces_and_is_pulled_next(
    connection: Connection,
) -> None:
    with clock.frozen(NOW):
        account = accounts.connect(connection)

        account.refresh_from_db()
        assert (account.state, account.import_from) == ("active", NOW)
        assert account.refresh_token == "Atzr|sandbox-EU"
        marketplaces = {row.marketplace_id: row for row in account.marketplaces.all()}
        assert GERMANY in marketplaces
        assert {row.info.region for row in marketplaces.values()} == {"EU"}
        assert not marketplaces[GERMANY].is_mapped
        assert [due.pk for due in pull.due_accounts()] == [account.pk]


def test_an_earlier_import_from_reaches_back(connection: Connection) -> None:
    with clock.frozen(NOW):
        account = accounts.connect(connection)
        pull.pull(account)
        waiting = AmazonOrder.objects.create(
            account=account,
            amazon_order_id="111-0000001-0000001",
            marketplace_id=GERMANY,
            created_time=NOW,
            last_updated_time=NOW,
        )

        accounts.connect(replace(connection, import_from=NOW - timedelta(days=60)))

        cursor = SyncCursor.objects.get(stream="orders")
        assert (cursor.watermark, cursor.next_run_at) == (None, None)
        waiting.refresh_from_db()
        assert waiting.import_state == "ready"


def test_a_later_import_from_leaves_the_scan_where_it_is(
    connection: Connection,
) -> None:
    with clock.frozen(NOW):
        pull.pull(accounts.connect(connection))

        accounts.connect(replace(connection, import_from=NOW + timedelta(days=1)))

        assert SyncCursor.objects.get(stream="orders").watermark == NOW - timedelta(
            minutes=2
        )


def test_the_secrets_are_encrypted_in_the_database(connection: Connection) -> None:
    accounts.connect(connection)

    with database.cursor() as cursor:
        cursor.execute("SELECT t::text FROM saleor_amazon_channel_selleraccount t")
        (row,) = cursor.fetchone()
    assert CLIENT_SECRET not in row
    assert "sandbox-EU" not in row
    assert "Atzr" not in repr(connection)
    assert CLIENT_SECRET not in repr(connection)


def test_connecting_again_renews_the_credentials_and_keeps_the_rest(
    connection: Connection,
) -> None:
    long_ago = NOW - timedelta(days=90)
    first = accounts.connect(replace(connection, import_from=long_ago))
    first.marketplaces.filter(marketplace_id=GERMANY).update(channel_slug="amazon-de")
    SellerAccount.objects.update(
        state=SellerAccount.State.NEEDS_REAUTHORIZATION,
        state_reason="Authorize again.",
        refresh_token="Atzr|revoked",
    )
    SyncCursor.objects.update(next_run_at=NOW, watermark=NOW)

    again = accounts.connect(replace(connection, name="More mugs"))

    again.refresh_from_db()
    assert again.pk == first.pk
    assert (again.name, again.state, again.state_reason) == ("More mugs", "active", "")
    assert again.refresh_token == "Atzr|sandbox-EU"
    assert again.import_from == long_ago
    assert again.marketplaces.get(marketplace_id=GERMANY).channel_slug == "amazon-de"
    cursor = SyncCursor.objects.get(stream="orders")
    assert (cursor.next_run_at, cursor.watermark) == (None, NOW)


def test_a_marketplace_the_seller_left_is_kept_as_such(
    connection: Connection,
) -> None:
    account = accounts.connect(connection)
    gone = Marketplace.objects.create(account=account, marketplace_id="A-CLOSED-ONE")

    accounts.connect(connection)

    gone.refresh_from_db()
    assert not gone.is_participating
    assert account.marketplaces.get(marketplace_id=GERMANY).is_participating


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lwa_client_secret": "wrong"}, ("invalid_credentials", "lwa_client_secret")),
        ({"lwa_client_id": "wrong"}, ("invalid_credentials", "lwa_client_secret")),
        ({"refresh_token": "Atzr|wrong"}, ("invalid_credentials", "refresh_token")),
        ({"name": " "}, ("required", "name")),
        ({"refresh_token": ""}, ("required", "refresh_token")),
        ({"refresh_token": "Atzr|a\nb"}, ("invalid", "refresh_token")),
        ({"name": "x" * 101}, ("invalid", "name")),
        ({"region": "US"}, ("invalid", "region")),
        ({"endpoint": "http://amazon.example.com"}, ("invalid", "endpoint")),
        ({"endpoint": "http://[2001:db8::1]"}, ("invalid", "endpoint")),
        ({"endpoint": "http://134744072"}, ("invalid", "endpoint")),
        ({"endpoint": "https://user:pw@example.com"}, ("invalid", "endpoint")),
        ({"endpoint": "ftp://localhost"}, ("invalid", "endpoint")),
        ({"lwa_endpoint": "http://[::1"}, ("invalid", "lwa_endpoint")),
    ],
)
def test_what_cannot_connect_is_refused_and_nothing_is_written(
    connection: Connection, change: dict[str, str], expected: tuple[str, str]
) -> None:
    assert refused(replace(connection, **change)) == expected


def test_a_region_the_seller_does_not_sell_in_is_refused(
    connection: Connection,
) -> None:
    assert refused(replace(connection, region="FE")) == ("invalid", "region")


def test_a_revoked_grant_is_refused(amazon: Any, connection: Connection) -> None:
    amazon.state.revoke_grant("A1SANDBOXEU")
    assert refused(connection) == ("invalid_credentials", "refresh_token")


@pytest.mark.parametrize("fault", ["throttled", "unavailable", "internal_failure"])
def test_amazon_in_trouble_is_said_so(
    amazon: Any, connection: Connection, fault: str
) -> None:
    amazon.state.inject_fault("getMarketplaceParticipations", fault, count=5)
    assert refused(connection) == ("unavailable", "")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unauthorized", ("forbidden", "")), ("html_400", ("invalid", ""))],
)
def test_amazons_refusal_is_said_so(
    amazon: Any, connection: Connection, fault: str, expected: tuple[str, str]
) -> None:
    amazon.state.inject_fault("getMarketplaceParticipations", fault, count=5)
    assert refused(connection) == expected


def test_two_who_connect_the_same_account_at_once_make_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = SellerAccount.save

    def be_overtaken(self: SellerAccount) -> None:
        SellerAccount.objects.bulk_create(
            [SellerAccount(name="first", region="EU", seller_id="A1SANDBOXEU")]
        )
        save(self)

    monkeypatch.setattr(SellerAccount, "save", be_overtaken)
    assert refused(connection) == ("unique", "seller_id")


@pytest.mark.parametrize(
    "changes",
    [{"seller_id": "A1MISTYPED"}, {"seller_id": "a1sandboxeu", "refresh_token": "x"}],
)
def test_a_seller_is_not_connected_twice(
    connection: Connection, changes: dict[str, str]
) -> None:
    account = accounts.connect(connection)

    with pytest.raises(AccountError, match="A1SANDBOXEU") as caught:
        accounts.connect(replace(connection, **changes))

    assert (caught.value.code.value, caught.value.field) == ("unique", "seller_id")
    assert SellerAccount.objects.get() == account


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", ["connecting", "changing"])
def test_the_accounts_of_an_app_are_locked_in_one_order(
    connection: Connection, by: str
) -> None:
    """As they are when Amazon refuses the app's secret: the first account first."""
    first = SellerAccount.objects.create(
        name="First",
        region="EU",
        seller_id="A2",
        lwa_client_id=CLIENT_ID,
        lwa_client_secret="an older one",
        lwa_endpoint_override=connection.lwa_endpoint,
    )
    second = accounts.connect(replace(connection, lwa_client_secret=CLIENT_SECRET))
    SellerAccount.objects.filter(pk=first.pk).update(lwa_client_secret="outdated")

    def renew() -> str:
        try:
            if by == "connecting":
                return accounts.connect(connection).name
            changes = AccountChanges(lwa_client_secret=CLIENT_SECRET)
            return account_changes.update(second, changes).name
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = SellerAccount.objects.select_for_update(no_key=True)
            held.get(pk=first.pk)
            renewing = pool.submit(renew)
            wait_until_blocked(renewing)
            # Who waits for the first has not taken the second.
            SellerAccount.objects.select_for_update(no_key=True, nowait=True).get(
                pk=second.pk
            )
        assert renewing.result(60) == "Mugs and more"
    first.refresh_from_db()
    assert first.lwa_client_secret == CLIENT_SECRET


def test_an_address_where_nobody_answers_is_said_so(connection: Connection) -> None:
    # Port 9 (discard) is closed on any machine that runs tests.
    closed = replace(connection, lwa_endpoint="http://127.0.0.1:9/auth/o2/token")
    assert refused(closed) == ("unavailable", "")


def test_without_encryption_keys_nothing_is_sent_or_written(
    amazon: Any, connection: Connection, settings: Any
) -> None:
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = ""
    before = len(amazon.state.calls())

    with pytest.raises(AccountError, match="AMAZON_CHANNEL_ENCRYPTION_KEYS") as caught:
        accounts.connect(connection)

    assert caught.value.code == "not_configured"
    assert len(amazon.state.calls()) == before


def test_no_message_repeats_a_secret(amazon: Any, connection: Connection) -> None:
    for change in ({"refresh_token": "Atzr|seekrit"}, {"lwa_client_secret": "seekrit"}):
        with pytest.raises(AccountError) as caught:
            accounts.connect(replace(connection, **change))
        assert "seekrit" not in f"{caught.value} {caught.value!r}"


# --- update_marketplace --------------------------------------------------------------


@pytest.fixture
def germany(account: SellerAccount) -> Marketplace:
    return Marketplace.objects.create(account=account, marketplace_id=GERMANY)


def channel(slug: str = "amazon-de", currency: str = "EUR") -> Channel:
    row = catalogue.create_channel(
        slug,
        currency,
        warehouses=("first", "second"),
        shipping_methods=("Standard", "Express"),
    )
    return next(c for c in StandaloneStore().channels() if c.id == str(row.pk))


def whole_mapping(channel: Channel) -> MarketplaceChanges:
    return MarketplaceChanges(
        channel=channel.slug,
        warehouse_ids=[warehouse.id for warehouse in channel.warehouses],
        shipping_method_id=channel.shipping_methods[0].id,
    )


def not_updated(marketplace: Marketplace, changes: MarketplaceChanges) -> Any:
    before = Marketplace.objects.filter(pk=marketplace.pk).values().get()
    with pytest.raises(AccountError) as caught:
        accounts.update_marketplace(marketplace, changes)
    assert Marketplace.objects.filter(pk=marketplace.pk).values().get() == before
    return caught.value.code.value, caught.value.field


def test_a_mapping_keeps_ids_and_names(germany: Marketplace) -> None:
    shop = channel()

    row = accounts.update_marketplace(germany, whole_mapping(shop))

    row.refresh_from_db()
    assert row.is_mapped
    assert (row.channel_id, row.channel_slug) == (shop.id, "amazon-de")
    assert row.warehouse_ids == [warehouse.id for warehouse in shop.warehouses]
    assert row.shipping_method_name == "Standard"


def test_a_default_carrier_is_amazons_code_as_it_spells_it(
    germany: Marketplace,
) -> None:
    row = accounts.update_marketplace(
        germany, MarketplaceChanges(default_carrier_code="dhl")
    )
    assert row.default_carrier_code == "DHL"

    # Each package would be refused: it has no name.
    with pytest.raises(AccountError, match="name the carrier on each") as caught:
        accounts.update_marketplace(
            germany, MarketplaceChanges(default_carrier_code="other")
        )
    assert caught.value.field == "default_carrier_code"
    germany.refresh_from_db()
    assert germany.default_carrier_code == "DHL"


def test_what_is_not_given_stays(germany: Marketplace) -> None:
    shop = channel()
    accounts.update_marketplace(germany, whole_mapping(shop))

    row = accounts.update_marketplace(
        germany,
        MarketplaceChanges(import_orders=False, default_carrier_code=" DHL "),
    )

    assert row.is_mapped
    assert (row.import_orders, row.default_carrier_code) == (False, "DHL")
    other = accounts.update_marketplace(
        germany, MarketplaceChanges(shipping_method_id=shop.shipping_methods[1].id)
    )
    assert (other.import_orders, other.shipping_method_name) == (False, "Express")


def test_the_channel_may_be_given_by_id(germany: Marketplace) -> None:
    shop = channel()
    row = accounts.update_marketplace(germany, MarketplaceChanges(channel=shop.id))
    assert (row.channel_slug, row.is_mapped) == ("amazon-de", False)


def test_an_empty_channel_ends_the_mapping(germany: Marketplace) -> None:
    accounts.update_marketplace(germany, whole_mapping(channel()))

    row = accounts.update_marketplace(germany, MarketplaceChanges(channel=""))

    assert (row.channel_id, row.channel_slug, row.warehouse_ids) == ("", "", [])
    assert (row.shipping_method_id, row.shipping_method_name) == ("", "")


def test_another_currency_is_refused(germany: Marketplace) -> None:
    pounds = channel("amazon-uk", "GBP")
    assert not_updated(germany, whole_mapping(pounds)) == ("invalid", "channel")


def test_an_unknown_channel_is_refused(germany: Marketplace) -> None:
    changes = MarketplaceChanges(channel="nowhere")
    assert not_updated(germany, changes) == ("not_found", "channel")


def test_a_warehouse_of_another_channel_is_refused(germany: Marketplace) -> None:
    shop, other = channel(), channel("amazon-fr")
    changes = replace(whole_mapping(shop), warehouse_ids=[other.warehouses[0].id])
    assert not_updated(germany, changes) == ("invalid", "warehouse_ids")


def test_a_shipping_method_of_another_channel_is_refused(germany: Marketplace) -> None:
    shop, other = channel(), channel("amazon-fr")
    changes = replace(
        whole_mapping(shop), shipping_method_id=other.shipping_methods[0].id
    )
    assert not_updated(germany, changes) == ("invalid", "shipping_method_id")


def test_a_new_channel_needs_warehouses_of_its_own(germany: Marketplace) -> None:
    accounts.update_marketplace(germany, whole_mapping(channel()))
    changes = MarketplaceChanges(channel=channel("amazon-fr").slug)
    assert not_updated(germany, changes) == ("invalid", "warehouse_ids")


def test_warehouses_without_a_channel_are_refused(germany: Marketplace) -> None:
    changes = MarketplaceChanges(warehouse_ids=["1"])
    assert not_updated(germany, changes) == ("required", "channel")


def test_orders_that_waited_are_looked_at_again(germany: Marketplace) -> None:
    def order(number: int, marketplace_id: str, state: str) -> AmazonOrder:
        return AmazonOrder.objects.create(
            account=germany.account,
            amazon_order_id=f"111-0000001-000000{number}",
            marketplace_id=marketplace_id,
            fulfillment_status="UNSHIPPED",
            fulfilled_by="MERCHANT",
            created_time=NOW,
            last_updated_time=NOW,
            import_state=state,
        )

    order(1, GERMANY, "waiting")
    order(2, FRANCE, "waiting")
    order(3, GERMANY, "imported")

    accounts.update_marketplace(germany, whole_mapping(channel()))

    states = AmazonOrder.objects.order_by("amazon_order_id").values_list("import_state")
    assert [state for (state,) in states] == ["ready", "waiting", "imported"]


@pytest.mark.django_db(transaction=True)
def test_orders_that_are_looked_at_again_are_locked_by_key(
    germany: Marketplace,
) -> None:
    """As all others lock them: who waits for the first has taken none after it."""
    # However an update without an order finds them, the later key comes first.
    later, earlier = [
        AmazonOrder.objects.create(
            pk=10_000_000 - number,
            account=germany.account,
            amazon_order_id=f"111-0000001-000000{number}",
            marketplace_id=GERMANY,
            fulfillment_status="UNSHIPPED",
            fulfilled_by="MERCHANT",
            created_time=NOW,
            last_updated_time=NOW,
            import_state="blocked",
        ).pk
        for number in (1, 2)
    ]

    def look_again() -> int:
        try:
            with transaction.atomic():
                return importer.reconsider_waiting(germany.account_id)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            AmazonOrder.objects.select_for_update().get(pk=earlier)
            looking = pool.submit(look_again)
            wait_until_blocked(looking)
            AmazonOrder.objects.select_for_update(nowait=True).get(pk=later)
        assert looking.result(60) == 2


@pytest.mark.django_db(transaction=True)
def test_settings_are_saved_while_the_marketplaces_are_read(
    germany: Marketplace,
) -> None:
    """Both change a marketplace and its account: in the same order."""
    account = germany.account

    def save_settings() -> str:
        try:
            changes = MarketplaceChanges(customer_creation="account")
            return accounts.update_marketplace(germany, changes).customer_creation
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked = SellerAccount.objects.select_for_update(no_key=True).get()
            saving = pool.submit(save_settings)
            wait_until_blocked(saving)
            participations.save(
                locked,
                [MarketplaceParticipation(GERMANY, "Amazon.de", "EUR", False, False)],
                NOW,
            )
        assert saving.result(60) == "account"
    germany.refresh_from_db()
    account.refresh_from_db()
    assert (germany.is_participating, germany.customer_creation) == (False, "account")
    assert account.customer_key
