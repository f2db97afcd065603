from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from saleor_amazon_channel import clock
from saleor_amazon_channel.sandbox.seeds import generate

COMMAND = [sys.executable, "-m", "saleor_amazon_channel.sandbox"]


@contextmanager
def started(*options: str) -> Iterator[dict[str, Any]]:
    """What a started sandbox says when it is ready; it is interrupted at the end."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    environment = os.environ | {
        clock.ENVIRONMENT_VARIABLE: clock.describe(start, 60),
        "NO_PROXY": "127.0.0.1",
    }
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


def get(url: str) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=20).json()


def test_it_tells_where_it_is_and_follows_the_clock() -> None:
    with started("--seed-orders", "60") as ready:
        assert ready["accounts"] == [
            {"region": region, "seller_id": f"A1SANDBOX{region}"}
            for region in ("NA", "EU", "FE")
        ]
        assert ready["orders"] == 60
        assert ready["lwa_url"] == ready["url"] + "/auth/o2/token"
        health = get(ready["url"] + "/_sandbox/health")
        assert health["now"].startswith("2026-11-01T")
        assert len(get(ready["url"] + "/_sandbox/orders")) == 60


def test_it_loads_orders_and_accounts_from_files(tmp_path: Path) -> None:
    orders, accounts = tmp_path / "orders.json", tmp_path / "accounts.json"
    orders.write_text(json.dumps(generate(3)))
    accounts.write_text(
        json.dumps(
            [{"region": "NA", "seller_id": "A1MINE", "refresh_token": "Atzr|mine"}]
        )
    )

    with started(
        "--orders", str(orders), "--accounts", str(accounts), "--no-usage-plans"
    ) as ready:
        assert ready["accounts"] == [{"region": "NA", "seller_id": "A1MINE"}]
        assert ready["orders"] == 3
        assert ready["first_created"] < ready["last_updated"]
        sellers = {
            order["seller_id"] for order in get(ready["url"] + "/_sandbox/orders")
        }
        assert sellers == {"A1MINE"}


def test_a_file_that_is_wrong_stops_it_with_a_reason(tmp_path: Path) -> None:
    orders = tmp_path / "orders.json"
    orders.write_text('[{"orderId": "1-2-3"}]')

    result = subprocess.run(
        [*COMMAND, "--port", "0", "--orders", str(orders)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"sandbox: {orders}: order 1 (1-2-3): createdTime: is required\n"
    )
