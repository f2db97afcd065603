"""Celery: our tasks in Saleor's app, and a real worker killed on a real Redis."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django_celery_beat.models import PeriodicTask
from saleor.celeryconf import app
from saleor.core.db.connection import allow_writer
from saleor.core.tasks import RestrictWriterDBTask
from saleor.order.models import Order
from saleor.order.models import OrderEvent as SaleorOrderEvent
from saleor.plugins.manager import get_plugins_manager

from in_saleor.drivers import SaleorDriver
from saleor_amazon_channel import accounts, clock, tasks
from saleor_amazon_channel.models import AmazonOrder, Marketplace, OutboxEntry
from saleor_amazon_channel.sandbox import CLIENT_ID, CLIENT_SECRET, running_sandbox
from saleor_amazon_channel.sandbox.seeds import generate

from .test_plugin import PLUGIN

GERMANY = "A1PA6795UKMFR9"
ORDERS = 200
SHIPPED = 40
#: Simulated seconds per second: leases and claims of the killed last minutes.
FACTOR = 20


def test_tasks_are_found_and_guarded_like_saleors_own():
    ours = {name: task for name, task in app.tasks.items() if "amazon" in name}
    written = {task.name for task in vars(tasks).values() if hasattr(task, "delay")}

    assert "saleor_amazon_channel.tick" in written
    assert set(ours) == written
    assert all(isinstance(task, RestrictWriterDBTask) for task in ours.values())


class Processes:
    """Redis, beat and a worker, each in a process group of its own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        self.groups = {}

    def start(self, name, *command):
        with (self.folder / f"{name}.log").open("ab") as log:
            self.groups[name] = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_worker(self):
        celery = (sys.executable, "-m", "celery", "--app", "saleor.celeryconf:app")
        self.start("worker", *celery, "worker", "--concurrency", "2")

    def kill(self, name):
        group = self.groups.pop(name)
        os.killpg(group.pid, signal.SIGKILL)
        group.wait()

    def logs(self):
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-60000:]}"
            for log in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def running_celery():
    redis = shutil.which("redis-server", path=str(Path(sys.executable).parent))
    redis = redis or shutil.which("redis-server")
    assert redis, "redis-server is neither beside Python nor on the PATH"
    # A path of a socket must be short: pytest's folders can be too deep for it.
    folder = Path(tempfile.mkdtemp(prefix="celery-"))
    base, question, options = os.environ["DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "saleor.settings",
        "DATABASE_URL": f"{base.rpartition('/')[0]}/{name}{question}{options}",
        "CELERY_BROKER_URL": f"redis+socket://{folder}/redis.sock",
        "SECRET_KEY": "test",
        "PYTHONWARNINGS": "ignore",
    }
    processes = Processes(folder, environment)
    processes.start(
        "redis",
        *(redis, "--port", "0", "--unixsocket", f"{folder}/redis.sock", "--save", ""),
    )
    try:
        celery = (sys.executable, "-m", "celery", "--app", "saleor.celeryconf:app")
        scheduler = "saleor.schedulers.schedulers.DatabaseScheduler"
        processes.start("beat", *celery, "beat", "--scheduler", scheduler)
        processes.start_worker()
        yield processes
    finally:
        for each in list(processes.groups):
            processes.kill(each)
        shutil.rmtree(folder)


def wait_until(reached, processes, seconds=120, pause=0.25):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, processes.logs()
        time.sleep(pause)


def imported():
    return AmazonOrder.objects.filter(import_state="imported").count()


@pytest.fixture
def shop(transactional_db, settings, monkeypatch):
    keys = Fernet.generate_key().decode()
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = keys
    monkeypatch.setenv("AMAZON_CHANNEL_ENCRYPTION_KEYS", keys)
    monkeypatch.setenv(
        clock.ENVIRONMENT_VARIABLE, clock.describe(clock.now(), factor=FACTOR)
    )
    settings.PLUGINS = [PLUGIN]
    with allow_writer():
        yield SaleorDriver([])


def test_a_killed_worker_loses_nothing_and_doubles_nothing(shop):
    wires = generate(ORDERS, seed=3, marketplaces=[GERMANY])
    order_ids = sorted(wire["orderId"] for wire in wires)
    channel = shop.create_channel("amazon-de", "EUR", country="DE")
    warehouse = channel.warehouses[0]
    skus = {
        item["product"]["sellerSku"] for wire in wires for item in wire["orderItems"]
    }
    for sku in sorted(skus):
        shop.create_variant(sku, [channel.id], stock={warehouse.id: 10_000})

    with running_sandbox(wires) as sandbox:
        account = accounts.connect(
            accounts.Connection(
                name="Mugs and more",
                region="EU",
                seller_id="A1SANDBOXEU",
                lwa_client_id=CLIENT_ID,
                lwa_client_secret=CLIENT_SECRET,
                refresh_token="Atzr|sandbox-EU",
                import_from=clock.now() - timedelta(days=60),
                endpoint=sandbox.url,
                lwa_endpoint=sandbox.lwa_url,
            )
        )
        accounts.update_marketplace(
            Marketplace.objects.get(account=account, marketplace_id=GERMANY),
            accounts.MarketplaceChanges(
                channel=channel.slug,
                warehouse_ids=[warehouse.id],
                shipping_method_id=channel.shipping_methods[0].id,
                default_carrier_code="DHL",
            ),
        )
        manager = get_plugins_manager(allow_replica=False)
        manager.save_plugin_configuration(
            "amazon.sales.channel", None, {"active": True}
        )

        with running_celery() as processes:
            # Beat took our tick into its table, and the worker hears it.
            wait_until(lambda: imported() > 0, processes, pause=0.01)
            processes.kill("worker")
            left_after_kill = ORDERS - imported()
            assert PeriodicTask.objects.filter(name="amazon-channel-tick").exists()
            processes.start_worker()
            wait_until(lambda: imported() == ORDERS, processes)

            # Staff ship, and the worker dies while it tells Amazon.
            for order in AmazonOrder.objects.order_by("pk")[:SHIPPED]:
                shop.fulfil(
                    order.shop_order_id,
                    {
                        item.shop_line_id: item.quantity_ordered
                        for item in order.items.all()
                    },
                    warehouse_id=warehouse.id,
                    tracking_number=f"T-{order.amazon_order_id}",
                )
            confirmed = lambda: len(sandbox.state.calls("confirmShipment"))  # noqa: E731
            wait_until(lambda: confirmed() >= 5, processes, pause=0.01)
            processes.kill("worker")
            unsettled_after_kill = OutboxEntry.objects.filter(settled_at=None).count()
            processes.start_worker()
            wait_until(
                lambda: not OutboxEntry.objects.filter(reported_at=None).exists(),
                processes,
            )
            logs = processes.logs()

        assert "ERROR saleor_amazon_channel" not in logs, logs
        assert left_after_kill > 0
        assert unsettled_after_kill > 0
        # Nothing lost, nothing doubled, in the shop …
        rows = AmazonOrder.objects.order_by("amazon_order_id")
        assert [row.amazon_order_id for row in rows] == order_ids
        references = Order.objects.values_list("external_reference", flat=True)
        assert sorted(references) == order_ids
        # … or on Amazon.
        shipped = [
            wire
            for wire in (sandbox.state.order(order_id) for order_id in order_ids)
            if wire["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
        ]
        assert len(shipped) == SHIPPED
        for wire in shipped:
            (package,) = wire["packages"]
            assert package["trackingNumber"] == f"T-{wire['orderId']}"
        assert Counter(OutboxEntry.objects.values_list("state", flat=True)) == {
            "succeeded": SHIPPED
        }
        notes = SaleorOrderEvent.objects.filter(type="note_added")
        assert notes.count() == SHIPPED
