"""``python -m saleor_amazon_channel.sandbox``: serve until interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from .orders_file import OrdersFileError, load_orders, summarize
from .seeds import month
from .server import Sandbox
from .state import CLIENT_ID, State, UnknownName
from .times import format_time


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m saleor_amazon_channel.sandbox",
        description="A stateful Amazon Selling Partner API on loopback. Prints one "
        "JSON line when ready. The clock is that of AMAZON_CHANNEL_CLOCK.",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument(
        "--orders",
        type=Path,
        metavar="FILE",
        help="orders in Amazon's wire format: a list of Order objects (Orders API "
        "v2026-01-01) or a searchOrders response",
    )
    parser.add_argument(
        "--seed-orders",
        type=int,
        metavar="N",
        help="invent a month of N orders (default 120, none with --orders)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="another number, another month"
    )
    parser.add_argument(
        "--accounts",
        type=Path,
        metavar="FILE",
        help="JSON list of accounts ({region, seller_id, refresh_token, ...}) in place "
        "of one per region",
    )
    parser.add_argument(
        "--no-usage-plans", action="store_true", help="never answer 429 by itself"
    )
    parser.add_argument(
        "--sqs",
        default="",
        metavar="URL",
        help="where notifications go: a server on this machine that speaks SQS",
    )
    options = parser.parse_args(arguments)

    try:
        state = State(
            usage_plans=not options.no_usage_plans, accounts=options.accounts is None
        )
        if options.accounts:
            for account in json.loads(options.accounts.read_text("utf-8")):
                state.add_account(**account)
        state.notifications.deliver(endpoint_url=options.sqs)
        ready: dict[str, object] = {}
        if options.orders:
            orders = load_orders(options.orders)
            summary = summarize(orders)
            state.put_orders(orders)
            ready["first_created"] = format_time(summary.first_created)
            ready["last_updated"] = format_time(summary.last_updated)
        count = options.seed_orders
        if count is None:
            count = 0 if options.orders else 120
        state.put_orders(month(count, options.seed))
        sandbox = Sandbox(state, options.port)
    except (OrdersFileError, UnknownName, OSError, ValueError, TypeError) as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return 2

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    sandbox.start()
    ready = {
        "url": sandbox.url,
        "lwa_url": sandbox.lwa_url,
        "client_id": CLIENT_ID,
        "accounts": [
            {"region": account.region, "seller_id": account.seller_id}
            for account in state.accounts.values()
        ],
        "orders": len(state.order_ids()),
        **ready,
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 - the command's output
    try:
        sandbox.wait()
    except (KeyboardInterrupt, SystemExit):
        sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
