"""``make demo-saleor``: the main job in a real Saleor, through its own ``/graphql/``.

Run by ``scripts/ring2.py --exec``, which brings Saleor's environment and a fresh
migrated database. Starts Saleor's web process, Amazon's sandbox and a worker, and stops
them again; ``saleor_amazon_channel/demo/command.py`` says what the exit codes mean.
With ``DASHBOARD``, the folder of a built Saleor Dashboard (``build/dashboard`` of its
checkout, with ``/dashboard/`` for ``APP_MOUNT_URI`` and ``STATIC_URL``), that is served
for this Saleor as well.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import (
    BaseHTTPRequestHandler,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests

from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES
from saleor_amazon_channel.demo import command
from saleor_amazon_channel.demo.input import Goods
from saleor_amazon_channel.demo.processes import Process, running, wait_until
from saleor_amazon_channel.demo.progress import Progress
from saleor_amazon_channel.store.contract import Channel

if TYPE_CHECKING:
    from saleor_amazon_channel.demo.job import Shop

#: Importing Saleor takes most of it.
START_SECONDS = 120
TIMEOUT_SECONDS = 60
STAFF = "staff@example.com"
#: By the names that the page which plays the Dashboard knows.
PEOPLE = {
    "staff": STAFF,
    "order_staff": "orders@example.com",
    "staff_without_permissions": "trainee@example.com",
}
TOKEN_SECONDS = 120


class SaleorShop:
    """Implements ``demo.job.Shop``."""

    pages_url = ""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def log_in(self, password: str, email: str = STAFF) -> None:
        answer = self._mutate(
            """mutation ($email: String!, $password: String!) {
                tokenCreate(email: $email, password: $password) {
                    token errors { field message } } }""",
            email=email,
            password=password,
        )
        self._session.headers["Authorization"] = f"Bearer {answer['token']}"

    def is_up(self) -> bool:
        try:
            return "data" in self._post("{ shop { name } }", {})
        except requests.ConnectionError:
            return False

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        from saleor_amazon_channel.demo.job import CannotContinue

        answer = self._post(query, variables)
        if "errors" in answer:
            messages = "; ".join(error["message"] for error in answer["errors"])
            raise CannotContinue(f"/graphql/ answers: {messages}")
        return dict(answer["data"])

    def create_channels(self, currencies: Collection[str]) -> dict[str, Channel]:
        for currency in currencies:
            self._create_channel(
                currency,
                next(
                    info.country_code
                    for info in MARKETPLACES.values()
                    if info.currency == currency
                ),
            )
        from saleor_amazon_channel import store

        with store.writer():
            channels = store.current().channels()
        return {
            channel.currency: channel
            for channel in channels
            if channel.slug.startswith("amazon-")
        }

    def _create_channel(self, currency: str, country: str) -> None:
        name = f"Amazon {currency}"
        warehouse = self._mutate(
            """mutation ($input: WarehouseCreateInput!) { createWarehouse(input: $input)
                { warehouse { id } errors { field message } } }""",
            input={
                "name": name,
                "address": {
                    "streetAddress1": "Hauptstraße 1",
                    "city": "Berlin",
                    "postalCode": "10115",
                    "country": "DE",
                },
            },
        )["warehouse"]["id"]
        channel = self._mutate(
            """mutation ($input: ChannelCreateInput!) { channelCreate(input: $input)
                { channel { id } errors { field message } } }""",
            input={
                "name": name,
                "slug": f"amazon-{currency.lower()}",
                "currencyCode": currency,
                "defaultCountry": country,
                "isActive": True,
                "addWarehouses": [warehouse],
            },
        )["channel"]["id"]
        zone = self._mutate(
            """mutation ($input: ShippingZoneCreateInput!) {
                shippingZoneCreate(input: $input)
                { shippingZone { id } errors { field message } } }""",
            input={
                "name": name,
                "countries": [country],
                "addChannels": [channel],
                "addWarehouses": [warehouse],
            },
        )["shippingZone"]["id"]
        method = self._mutate(
            """mutation ($input: ShippingPriceInput!) {
                shippingPriceCreate(input: $input)
                { shippingMethod { id } errors { field message } } }""",
            input={"name": "Standard", "shippingZone": zone, "type": "PRICE"},
        )["shippingMethod"]["id"]
        self._mutate(
            """mutation ($id: ID!, $input: ShippingMethodChannelListingInput!) {
                shippingMethodChannelListingUpdate(id: $id, input: $input)
                { errors { field message } } }""",
            id=method,
            input={"addChannels": [{"channelId": channel, "price": 5}]},
        )

    def create_goods(
        self, goods: Sequence[Goods], channels: Collection[Channel]
    ) -> int:
        kind = self._mutate(
            """mutation { productTypeCreate(input: {name: "Thing", slug: "thing",
                kind: NORMAL, isShippingRequired: true, hasVariants: false})
                { productType { id } errors { field message } } }"""
        )["productType"]["id"]
        category = self._mutate(
            """mutation { categoryCreate(input: {name: "Things", slug: "things"})
                { category { id } errors { field message } } }"""
        )["category"]["id"]
        ids = [_global_id("Channel", channel.id) for channel in channels]
        warehouses = [
            _global_id("Warehouse", warehouse.id)
            for channel in channels
            for warehouse in channel.warehouses
        ]
        count = 0
        for start in range(0, len(goods), 50):
            count += self._mutate(
                """mutation ($products: [ProductBulkCreateInput!]!) {
                    productBulkCreate(products: $products)
                    { count errors { path message } } }""",
                products=[
                    {
                        "name": each.name[:250],
                        "productType": kind,
                        "category": category,
                        "channelListings": [
                            {
                                "channelId": channel,
                                "isPublished": True,
                                "isAvailableForPurchase": True,
                            }
                            for channel in ids
                        ],
                        "variants": [
                            {
                                "sku": each.sku,
                                # Else it is called by its id.
                                "name": each.sku,
                                "attributes": [],
                                "channelListings": [
                                    {"channelId": channel, "price": int(each.price) + 1}
                                    for channel in ids
                                ],
                                "stocks": [
                                    {"warehouse": warehouse, "quantity": each.stock}
                                    for warehouse in warehouses
                                ],
                            }
                        ],
                    }
                    for each in goods[start : start + 50]
                ],
            )["count"]
        return count

    def switch_on(self) -> None:
        self._mutate(
            """mutation { pluginUpdate(id: "amazon.sales.channel",
                input: {active: true}) { errors { field message } } }"""
        )

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        tracking_number: str,
        carrier: str,
    ) -> None:
        node = self.graphql(
            """query ($id: ID!) { order(id: $id) { lines {
                id allocations { warehouse { id } } } } }""",
            id=_global_id("Order", order_id),
        )["order"]
        warehouses = {
            line["id"]: line["allocations"][0]["warehouse"]["id"]
            for line in node["lines"]
            if line["allocations"]
        }
        (fulfillment,) = self._mutate(
            """mutation ($order: ID!, $input: OrderFulfillInput!) {
                orderFulfill(order: $order, input: $input)
                { fulfillments { id } errors { field message } } }""",
            order=_global_id("Order", order_id),
            input={
                "notifyCustomer": False,
                "trackingNumber": tracking_number,
                "lines": [
                    {
                        "orderLineId": line,
                        "stocks": [{"quantity": units, "warehouse": warehouses[line]}],
                    }
                    for line, units in (
                        (_global_id("OrderLine", pk), units)
                        for pk, units in lines.items()
                    )
                ],
            },
        )["fulfillments"]
        # Saleor has no field for the carrier.
        self._mutate(
            """mutation ($id: ID!, $input: [MetadataInput!]!) {
                updateMetadata(id: $id, input: $input)
                { errors { field message } } }""",
            id=fulfillment["id"],
            input=[{"key": "amazon.carrier", "value": carrier}],
        )

    def _mutate(self, query: str, **variables: Any) -> dict[str, Any]:
        from saleor_amazon_channel.demo.job import CannotContinue

        (answer,) = self.graphql(query, **variables).values()
        if answer["errors"]:
            raise CannotContinue(
                "; ".join(
                    f"{error.get('field') or error.get('path')}: {error['message']}"
                    for error in answer["errors"]
                )
            )
        return dict(answer)

    def _post(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        return dict(
            self._session.post(
                self._url,
                json={"query": query, "variables": variables},
                timeout=TIMEOUT_SECONDS,
            ).json()
        )


def _global_id(type_name: str, pk: str) -> str:
    import graphene

    return str(graphene.Node.to_global_id(type_name, pk))


@contextmanager
def open_shop(folder: Path, progress: Progress) -> Iterator[Shop]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    saleor = f"http://127.0.0.1:{port}"
    # Where Saleor tells browsers that the channel's pages are.
    os.environ["PUBLIC_URL"] = saleor
    logging.disable(logging.WARNING)  # Saleor's, while it is imported here
    import django

    django.setup()
    from saleor import __version__

    password = secrets.token_urlsafe()
    _create_staff(password)
    progress.say(f"Starting Saleor {__version__}.")
    # Nobody reads its standard output: with the access log it would stand still.
    serve = ["uvicorn", "saleor.asgi:application", "--port", port, "--no-access-log"]
    with running("Saleor", serve, folder) as process:
        shop = SaleorShop(f"{saleor}/graphql/")
        _wait_until_up(shop, process)
        shop.log_in(password)
        progress.count(f"{saleor}/graphql/")
        with ExitStack() as stack:
            if built := os.environ.get("DASHBOARD"):
                url = stack.enter_context(dashboard(saleor, Path(built)))
                progress.say(f"Saleor Dashboard: {url} ({STAFF}, {password})")
            shop.pages_url = stack.enter_context(dashboard_host(saleor, password))
            yield shop


def _create_staff(password: str) -> None:
    """Somebody with all permissions, in all channels, and two with less."""
    from saleor.account.models import Group, User
    from saleor.permission.enums import get_permissions

    for email, permissions in (
        (STAFF, get_permissions()),
        (PEOPLE["order_staff"], get_permissions(["order.manage_orders"])),
        (PEOPLE["staff_without_permissions"], ()),
    ):
        staff = User(email=email, is_active=True, is_staff=True)
        staff.set_password(password)
        staff.save()
        group = Group.objects.create(name=email, restricted_access_to_channels=False)
        group.permissions.set(permissions)
        group.user_set.add(staff)


@contextmanager
def dashboard_host(saleor: str, password: str) -> Iterator[str]:
    """Serve the page that plays the Dashboard, before the pages in this Saleor; gives
    its address. ``as`` of its query says who looks at them."""
    from saleor import __version__ as saleor_version

    from saleor_amazon_channel.saleor import app

    tokens: dict[str, tuple[float, str]] = {}

    def token_of(person: str) -> str:
        """As the Dashboard asks Saleor for it; it lives for five minutes."""
        since, token = tokens.get(person, (0.0, ""))
        if time.monotonic() - since > TOKEN_SECONDS:
            shop = SaleorShop(f"{saleor}/graphql/")
            shop.log_in(password, PEOPLE[person])
            query = "query ($id: ID!) { app(id: $id) { accessToken } }"
            token = shop.graphql(query, id=app_id())["app"]["accessToken"]
            tokens[person] = (time.monotonic(), token)
        return token

    def app_id() -> str:
        row = app.get_app()
        return _global_id("App", str(row.pk)) if row else ""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            (person,) = query.get("as", ["staff"])
            config = {
                "shop": f"Saleor {saleor_version}",
                "appId": app_id(),
                "origin": saleor,
                "root": urlsplit(app.base_url()).path + app.PAGES,
                "api": f"{saleor}/graphql/",
                "tokens": {person: token_of(person)},
            }
            page = files("saleor_amazon_channel.standalone") / "host_page.html"
            content = page.read_text().replace("__CONFIG__", json.dumps(config))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            for policy in query.get("referrer", []):
                self.send_header("Referrer-Policy", policy)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Not on the demo's output."""

    with serving(Handler) as port:
        yield f"http://localhost:{port}/dashboard-host/"


@contextmanager
def dashboard(saleor: str, built: Path) -> Iterator[str]:
    """Serve a built Saleor Dashboard for this Saleor, as its own nginx does; gives its
    address. Ends the demo if there is none in the folder."""
    index = built / "index.html"
    if not index.is_file():
        raise SystemExit(f"demo: DASHBOARD: there is no {index}.")
    page = re.sub(
        r'(API_URL:\s*)"[^"]*"', rf'\1"{saleor}/graphql/"', index.read_text(), count=1
    ).encode()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.path = urlsplit(self.path).path.removeprefix("/dashboard")
            if Path(self.translate_path(self.path)).is_file():
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)
            return None

        def end_headers(self) -> None:
            self.send_header("Referrer-Policy", "origin-when-cross-origin")
            super().end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Not on the demo's output."""

    with serving(partial(Handler, directory=str(built))) as port:
        yield f"http://localhost:{port}/dashboard/"


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on loopback while it is open; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def _wait_until_up(shop: SaleorShop, process: Process) -> None:
    wait_until(
        shop.is_up,
        [process],
        START_SECONDS,
        f"Saleor does not answer within {START_SECONDS} s.",
    )


if __name__ == "__main__":
    sys.exit(command.main("real Saleor", open_shop, None))
