"""``make crash-matrix``: all that leaves for Amazon, and all that may go wrong with it.

    .venv/bin/python benchmarks/crash_matrix.py [--rows cancel] [--columns 429,500]

In the stand-alone shop, against the sandbox and a real server that speaks SQS. Prints
each cell and then the matrix; the exit code is 1 when a cell is wrong.
``tests/hostile/crash_matrix.py`` has what happens, and what is right.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from saleor_amazon_channel.standalone import postgres


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="", help="names, with commas between them")
    parser.add_argument("--columns", default="")
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
            wrong = run(options.rows, options.columns)
        finally:
            # PostgreSQL waits for whoever is connected.
            connection.close()
    for each in wrong:
        print(f"WRONG: {each}")
    return 1 if wrong else 0


def run(rows: str, columns: str) -> list[str]:
    from hostile import crash_matrix
    from saleor_amazon_channel.standalone.store import StandaloneStore
    from standalone.driver import StandaloneDriver

    def tell(line: str) -> None:
        print(line, flush=True)

    with crash_matrix.shop_with_queue(StandaloneDriver(), StandaloneStore()) as (
        world,
        sqs,
    ):
        matrix = crash_matrix.Matrix(world, tell)
        matrix.run(*crash_matrix.chosen(sqs, rows, columns))
    return matrix.wrong


if __name__ == "__main__":
    sys.exit(main())
