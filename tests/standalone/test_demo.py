"""``make demo`` on a file, as a whole: its own database, sandbox, shop and worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from saleor_amazon_channel.sandbox.seeds import generate

MARKETPLACES = ["ATVPDKIKX0DER", "A1PA6795UKMFR9", "A1VC38T7YXB528"]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "saleor_amazon_channel.standalone.demo", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture
def orders() -> list[dict[str, Any]]:
    """Six orders that can be imported, the first two of the United States."""
    return generate(6, marketplaces=MARKETPLACES)


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in json.loads(path.read_text())}


def test_a_file_of_orders(tmp_path, orders):
    unknown, differs, no_sku, cancelled, *fine = orders
    unknown["orderItems"][0]["product"]["sellerSku"] = "GHOST"
    total = differs["proceeds"]["grandTotal"]
    total["amount"] = f"{float(total['amount']) + 0.01:.2f}"
    del no_sku["orderItems"][0]["product"]["sellerSku"]
    cancelled["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
    file, table = tmp_path / "orders.json", tmp_path / "table.json"
    file.write_text(json.dumps({"orders": orders}))

    result = demo(
        "--orders", str(file), "--unknown-skus", "GHOST", "--json", str(table)
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "in the stand-alone shop (this is not Saleor)" in result.stdout
    assert "Amazon's status is PARTIALLY_SHIPPED" in result.stdout
    assert "Amazon's status is SHIPPED" in result.stdout
    rows = rows_of(table)
    assert rows.keys() == {order["orderId"] for order in orders}
    assert all(
        list(row)
        == [
            "order_id",
            "state",
            "reason",
            "difference",
            "amazon_total",
            "shop_total",
            "lines",
            "allocated",
            "fulfilled",
        ]
        for row in rows.values()
    )
    row = rows[unknown["orderId"]]
    assert (row["state"], row["difference"]) == ("blocked", None)
    assert "GHOST" in row["reason"]
    row = rows[differs["orderId"]]
    assert (row["state"], row["difference"]) == ("blocked", "0.01")
    row = rows[no_sku["orderId"]]
    assert (row["state"], row["shop_total"], row["lines"]) == ("blocked", None, 0)
    assert "has no seller SKU" in row["reason"]
    assert rows[cancelled["orderId"]]["state"] == "ignored"
    for order in fine:
        row = rows[order["orderId"]]
        amount = order["proceeds"]["grandTotal"]["amount"]
        assert (row["state"], row["reason"]) == ("imported", "")
        assert (row["amazon_total"], row["shop_total"]) == (amount, amount)
        assert (row["difference"], row["lines"]) == ("0.00", 2)
        units = sum(item["quantityOrdered"] for item in order["orderItems"])
        assert row["allocated"] + row["fulfilled"] == units
    assert sum(rows[order["orderId"]]["fulfilled"] > 0 for order in fine) == 1


def test_input_that_cannot_be_used(tmp_path):
    file = tmp_path / "orders.json"
    file.write_text("{}")

    result = demo("--orders", str(file))

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"demo: {file}: expected a list of orders")
