"""``make bench-calls``: what it takes to tell Amazon a thousand things at once.

    .venv/bin/python benchmarks/outbound_calls.py [--count 1000]

In the stand-alone shop, within Amazon's default usage plans, in simulated time. Prints
the table and writes it to ``outbound-calls.json``; the exit code is 1 when anything
costs more calls than it must, is answered 429, is not settled, or when a shipment that
is urgent waits longer than 10 seconds. ``tests/hostile/outbound.py`` has what happens.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from saleor_amazon_channel.standalone import postgres

DEFAULT_OUTPUT = Path(__file__).with_name("outbound-calls.json")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "saleor_amazon_channel.standalone.settings"
    os.environ.pop(postgres.DATABASE_URL, None)
    with postgres.embedded() as url:
        os.environ[postgres.DATABASE_URL] = url
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            figures = measure(options.count)
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    for problem in figures["problems"]:
        print(f"PROBLEM: {problem}")
    return 1 if figures["problems"] else 0


def measure(count: int) -> dict[str, Any]:
    from hostile import outbound
    from saleor_amazon_channel.standalone.store import StandaloneStore
    from standalone.driver import StandaloneDriver

    def tell(line: str) -> None:
        print(line, flush=True)

    shop, store = StandaloneDriver(), StandaloneStore()
    with outbound.shop_within_usage_plans(shop, store) as world:
        return outbound.measure(world, count, tell).as_json()


if __name__ == "__main__":
    sys.exit(main())
