"""``make trading-day``: a day of normal trade within Amazon's default usage plans.

    .venv/bin/python benchmarks/trading_day.py [--orders 2000] [--hours 24]

Polling alone, and again with notifications through a real server that speaks SQS, each
in a new stand-alone shop. Prints the figures and writes them to ``trading-day.json``;
the exit code is 1 when a target is missed. ``tests/hostile/trading_day.py`` has what
happens.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from saleor_amazon_channel.standalone import postgres

DEFAULT_OUTPUT = Path(__file__).with_name("trading-day.json")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()
    size = {"orders": options.orders, "hours": options.hours, "seed": options.seed}
    days = {
        "polling": run({**size, "with_notifications": False}),
        "notifications": run({**size, "with_notifications": True}),
    }
    figures = {**days, "python": platform.python_version()}
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(day["is_right"] for day in days.values()) else 1


def run(size: dict[str, Any]) -> dict[str, Any]:
    """In a process of its own, with a database of its own."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(size, theirs)
    )
    process.start()
    theirs.close()
    figures: dict[str, Any] = ours.recv()
    process.join()
    print(json.dumps(figures, indent=2), flush=True)
    return figures


def _run(size: dict[str, Any], answer: Connection) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "saleor_amazon_channel.standalone.settings"
    os.environ.pop(postgres.DATABASE_URL, None)
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        from hostile import trading_day
        from standalone.driver import StandaloneDriver

        try:
            day = trading_day.run(StandaloneDriver(), trading_day.Size(**size))
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    answer.send({"is_right": day.is_right, **day.as_json()})


if __name__ == "__main__":
    sys.exit(main())
