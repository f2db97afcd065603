"""``make hostile-month``: a month of trade with all that goes wrong, in real Saleor.

    python3 scripts/ring2.py --version 3.23 --exec python benchmarks/hostile_month.py

Prints the score and writes it to ``benchmarks/hostile-month.json``; the exit code is 1
when anything in it is wrong. ``tests/hostile`` has what happens, and the judge.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
django.setup()

DEFAULT_OUTPUT = Path(__file__).with_name("hostile-month.json")


def main() -> int:
    from hostile.month import Shop, Size, report, run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=Size.orders)
    parser.add_argument("--days", type=float, default=Size.days)
    parser.add_argument("--seed", type=int, default=Size.seed)
    parser.add_argument("--json", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args()

    # Seconds of import for each process that is killed, had its fork not brought it.
    import saleor.graphql.api  # noqa: F401
    from django.conf import settings
    from django.test.utils import setup_test_environment
    from saleor import __version__ as saleor_version
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import PluginsManager

    from hostile import mails
    from in_saleor.books import SaleorBooks
    from in_saleor.drivers import SaleorDriver
    from saleor_amazon_channel.saleor.app import ensure_app

    setup_test_environment(debug=False)
    settings.JWT_TTL_ACCESS = timedelta(days=1)
    with mails.counted((PluginsManager, "notify")) as sent:
        with allow_writer():
            ensure_app()
            shop = Shop(SaleorDriver(notifications=[]), SaleorBooks(), sent)
        size = Size(options.orders, options.days, options.seed)
        score = run(shop, size, say=lambda text: print(text, flush=True))
    report(score)
    figures = {**score.as_json(), "saleor": saleor_version}
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if score.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
