"""The channel's app and its pages in the Dashboard, as Saleor shows and serves them."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client
from saleor import schema_version
from saleor.app.manifest_validations import clean_manifest_data
from saleor.app.models import App, AppExtension
from saleor.core.db.connection import allow_writer

from saleor_amazon_channel.dashboard import pages
from saleor_amazon_channel.models import ChannelSettings
from saleor_amazon_channel.saleor import app as our_app
from saleor_amazon_channel.saleor.plugin import AmazonChannelPlugin

ROOT = "/plugins/global/amazon.sales.channel"
PAGES = f"{ROOT}/dashboard"
HAS_IDENTIFIERS = schema_version != "3.22"

UPDATE = """
mutation ($active: Boolean!) {
  pluginUpdate(id: "amazon.sales.channel", input: {active: $active}) {
    errors { field message }
  }
}
"""
APPS = """
{ apps(first: 10) { edges { node {
  id identifier name type isActive appUrl manifestUrl accessToken
  permissions { code }
  extensions {
    label url mountName targetName settings permissions { code } accessToken
  }
} } } }
"""


@pytest.fixture(autouse=True)
def plugin(settings, site_settings):
    settings.PLUGINS = [
        f"{AmazonChannelPlugin.__module__}.{AmazonChannelPlugin.__name__}"
    ]
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = Fernet.generate_key().decode()
    settings.PUBLIC_URL = "https://api.shop.example"


@pytest.fixture
def switch(superuser_api_client):
    def switch(active):
        answer = superuser_api_client.post_graphql(UPDATE, {"active": active}).json()
        assert answer["data"]["pluginUpdate"]["errors"] == []

    return switch


@pytest.fixture
def apps(superuser_api_client):
    def apps():
        answer = superuser_api_client.post_graphql(APPS).json()
        assert "errors" not in answer
        return [edge["node"] for edge in answer["data"]["apps"]["edges"]]

    return apps


def test_switched_on_saleor_shows_the_app_and_its_extensions(switch, apps):
    assert apps() == []
    switch(True)

    (app,) = apps()
    assert app["identifier"] == "saleor-amazon-channel"
    assert (app["type"], app["isActive"]) == ("THIRDPARTY", True)
    assert app["appUrl"] == f"https://api.shop.example{PAGES}"
    assert app["manifestUrl"] == f"https://api.shop.example{ROOT}/manifest"
    assert {each["code"] for each in app["permissions"]} == {
        "MANAGE_ORDERS",
        "HANDLE_PAYMENTS",
        "MANAGE_PLUGINS",
    }
    # Without one the Dashboard shows an empty page.
    assert app["accessToken"]
    assert all(each["accessToken"] for each in app["extensions"])
    found = [
        (
            each["mountName"],
            each["targetName"],
            each["label"],
            each["url"],
            each["settings"],
            [permission["code"] for permission in each["permissions"]],
        )
        for each in app["extensions"]
    ]
    widget = {"widgetTarget": {"method": "GET"}}
    orders = ["MANAGE_ORDERS"]
    expected = [
        ("NAVIGATION_ORDERS", "APP_PAGE", "Amazon orders", "/orders", {}, orders),
        (
            "ORDER_DETAILS_MORE_ACTIONS",
            "APP_PAGE",
            "View or cancel Amazon order",
            "/order",
            {},
            orders,
        ),
        (
            "ORDER_OVERVIEW_MORE_ACTIONS",
            "APP_PAGE",
            "All Amazon orders",
            "/orders",
            {},
            orders,
        ),
        (
            "ORDER_DETAILS_WIDGETS",
            "WIDGET",
            "Amazon order",
            f"https://api.shop.example{PAGES}/widget",
            widget,
            orders,
        ),
    ]
    if HAS_IDENTIFIERS:
        search = ("SEARCH_ACTION", "APP_PAGE", "Amazon orders", "/orders")
        expected.append((*search, {"aliases": ["amazon"]}, orders))
    assert sorted(found, key=lambda row: row[0]) == sorted(
        expected, key=lambda row: row[0]
    )


def rows():
    return (
        list(App.objects.order_by("pk").values()),
        list(AppExtension.objects.order_by("pk").values()),
        list(App.permissions.through.objects.order_by("pk").values()),
        list(AppExtension.permissions.through.objects.order_by("pk").values()),
    )


def test_registering_again_changes_nothing(switch):
    switch(True)
    before = rows()
    out = StringIO()

    switch(True)
    call_command("amazon_channel", "register", stdout=out)

    assert rows() == before
    assert out.getvalue() == (
        f"The channel's pages are at https://api.shop.example{PAGES}\n"
    )


def test_registering_puts_right_what_an_older_version_left(switch, settings):
    switch(True)
    with allow_writer():
        app = our_app.get_app()
        kept = app.extensions.get(mount="navigation_orders")
        AppExtension.objects.filter(pk=kept.pk).update(label="Amazon")
        gone = app.extensions.get(mount="order_details_more_actions")
        gone.delete()
        foreign = AppExtension.objects.create(
            app=app, label="Old", url="/old", mount="navigation_catalog"
        )
        AppExtension.objects.create(
            app=app, label="Twice", url="/old", mount="navigation_orders"
        )
        settings.PUBLIC_URL = "https://elsewhere.example"

        our_app.ensure_app()

        kept.refresh_from_db()
        assert kept.label == "Amazon orders"
        assert app.extensions.filter(mount="navigation_orders").count() == 1
        assert app.extensions.filter(mount="order_details_more_actions").count() == 1
        assert not AppExtension.objects.filter(pk=foreign.pk).exists()
        widget = app.extensions.get(mount="order_details_widgets")
        assert widget.url == f"https://elsewhere.example{PAGES}/widget"


def test_an_upgrade_brings_the_app_up_to_date(switch):
    switch(True)
    with allow_writer():
        AppExtension.objects.all().delete()
        call_command("migrate", verbosity=0)
        assert AppExtension.objects.count() == (5 if HAS_IDENTIFIERS else 4)

        ChannelSettings.objects.update(active=False)
        AppExtension.objects.all().delete()
        call_command("migrate", verbosity=0)
        assert AppExtension.objects.count() == 0


def test_the_app_is_switched_with_the_plugin(switch, apps):
    switch(True)
    switch(False)
    assert [app["isActive"] for app in apps()] == [False]
    switch(True)
    assert [app["isActive"] for app in apps()] == [True]


def test_an_app_that_an_operator_switched_off_stays_off(switch, apps):
    switch(True)
    with allow_writer():
        App.objects.update(is_active=False)

    switch(True)

    assert [app["isActive"] for app in apps()] == [False]


@pytest.mark.parametrize("path", [f"{PAGES}/orders", f"{ROOT}/manifest"])
@pytest.mark.parametrize("address", ["global/", ""])
def test_nothing_is_served_while_the_plugin_is_off(db, switch, path, address):
    path = path.replace("global/", address)
    assert Client().get(path).status_code == 404
    switch(True)
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("", "dashboard/"),
        ("/", "./"),
        ("/orders", "./"),
        ("/orders/302-1234567-1234567", "../"),
        # What the Dashboard asks for when an id in its address is not encoded.
        ("/extensions/app/QXBwOjE=/orders", "../../../"),
    ],
)
def test_the_page_finds_its_files_and_the_api_below_any_address(switch, path, base):
    switch(True)

    answer = Client().get(f"{PAGES}{path}?id=x&saleorApiUrl=y")

    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.index("<base") < html.index("<script")
    assert re.search('<base href="(.*?)">', html).group(1) == base
    assert (
        re.search('<meta name="graphql" content="(.*?)">', html).group(1)
        == "../../../../graphql/"
    )
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "X-Frame-Options" not in answer


@pytest.mark.parametrize(
    ("ours", "saleors", "expected"),
    [
        ("", ["*"], "'self' *"),
        (
            "",
            ["https://dashboard.shop.example"],
            "'self' https://dashboard.shop.example",
        ),
        (
            "https://a.example/, https://b.example:9000",
            ["*"],
            "'self' https://a.example https://b.example:9000",
        ),
        ("https://a.example; script-src *", ["*"], "'self'"),
    ],
)
def test_who_may_show_the_pages_in_a_frame(switch, settings, ours, saleors, expected):
    settings.AMAZON_CHANNEL_DASHBOARD_ORIGINS = ours
    settings.ALLOWED_GRAPHQL_ORIGINS = saleors
    switch(True)

    policy = Client().get(f"{PAGES}/orders")["Content-Security-Policy"]

    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["frame-ancestors"] == expected
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"


def test_files_are_kept_for_ever_and_pages_are_not(switch):
    switch(True)
    html = Client().get(f"{PAGES}/orders").content.decode()
    (script,) = re.findall(r'<script[^>]* src="\./(assets/[^"]+\.js)"', html)

    plain = Client().get(f"{PAGES}/{script}")
    packed = Client().get(f"{PAGES}/{script}", headers={"Accept-Encoding": "gzip"})
    known = Client().get(f"{PAGES}/{script}", headers={"If-None-Match": plain["ETag"]})

    assert plain.content == pages.built_files()[script].content
    assert plain["Content-Type"] == "text/javascript; charset=utf-8"
    for answer in (plain, packed, known):
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["ETag"] == plain["ETag"]
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/../../pages.py",
        "/assets/%2e%2e/%2e%2e/pages.py",
    ],
)
def test_what_is_not_a_file_of_the_build_is_not_there(switch, path):
    switch(True)

    answer = Client().get(PAGES + path)

    assert answer.status_code in (200, 404)
    assert b"Traversable" not in answer.content
    if "none" in path:
        assert answer.status_code == 404


def test_pages_are_only_read(switch):
    switch(True)

    answer = Client().post(f"{PAGES}/orders")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert Client().head(f"{PAGES}/orders").status_code == 200


def test_saleor_accepts_the_manifest(switch):
    switch(True)
    answer = Client().get(f"{ROOT}/manifest")
    manifest = answer.json()
    registered = set(AppExtension.objects.values_list("mount", "label", "url"))
    # As when an app is installed by its manifest: no app has the identifier yet.
    with allow_writer():
        App.objects.all().delete()
    clean_manifest_data(manifest, raise_for_saleor_version=True)

    assert {
        (each["mount"].lower(), each["label"], each["url"])
        for each in manifest["extensions"]
    } == registered
    assert ("tokenTargetUrl" in manifest) is not HAS_IDENTIFIERS
    logo = Client().get(manifest["brand"]["logo"]["default"].partition(".example")[2])
    assert logo["Content-Type"] == "image/png"
    assert logo.content.startswith(b"\x89PNG")


def test_a_token_that_saleor_gives_is_not_kept(switch):
    switch(True)

    answer = Client().post(
        f"{ROOT}/register", '{"auth_token": "x"}', "application/json"
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert Client().get(f"{ROOT}/register").status_code == 404
    assert Client().get(f"{ROOT}/elsewhere").status_code == 404
