"""``make bench``: the figures of ``benchmarks/README.md``, in one run.

    python3 scripts/ring2.py --version 3.23 --exec python benchmarks/run.py

Prints them, and writes them to ``benchmarks/latest.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
django.setup()

# Before anything that imports Saleor's API: the switch must see it composed.
from plugin_switch import PluginSwitch  # noqa: E402

LATEST = Path(__file__).with_name("latest.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=900)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()

    from django.test.utils import setup_test_environment

    # No mail leaves, the test client's host is allowed, and with DEBUG off no query is
    # kept in memory.
    setup_test_environment(debug=False)
    switch = PluginSwitch()

    import fulfill
    import import_orders
    import pull_orders
    from saleor.core.db.connection import allow_writer

    from in_saleor.drivers import SaleorDriver

    with allow_writer():
        shop = SaleorDriver(notifications=[])
    rates = import_orders.measure(shop, rounds=options.rounds)
    print(
        f"import: {rates.ours:.1f} orders/s, orderBulkCreate {rates.saleors:.1f}/s: "
        f"{rates.ratio:.1f} times",
        flush=True,
    )
    pull = pull_orders.measure(shop, options.orders)
    print(f"pull: {pull}", flush=True)
    assert pull.states == {"imported": pull.orders}, pull
    staff = fulfill.measure(switch, shop, options.pairs)
    for kind, summary in staff.items():
        print(f"orderFulfill, {kind}: {summary}", flush=True)
    figures: dict[str, Any] = {
        "import_ratio": round(rates.ratio, 2),
        "calls_per_1000_orders": pull.search_orders_calls * 1000 / pull.orders,
        "fulfill_ratio_ordinary": staff["ordinary"]["ratio"],
        "fulfill_ratio_amazon": staff["amazon"]["ratio"],
        "details": {
            "import": asdict(rates),
            "pull": asdict(pull),
            "fulfill": staff,
            "machine": _machine(),
        },
    }
    LATEST.write_text(json.dumps(figures, indent=2) + "\n")
    for name, figure in figures.items():
        if name != "details":
            print(f"{name}: {figure}")


def _machine() -> dict[str, Any]:
    from saleor import __version__ as saleor_version

    from saleor_amazon_channel import clock

    return {
        "finished_at": clock.now().isoformat(timespec="seconds"),
        "saleor": saleor_version,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        # Below 1 per core, nobody else was at work.
        "load_average": os.getloadavg(),
    }


if __name__ == "__main__":
    main()
