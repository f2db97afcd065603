"""The demo from beginning to end, in the shop that the caller opens.

Exit code 0: every order is imported with Amazon's total, or says why it is not.
1: something is not as it must be. 2: the input cannot be used.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from .. import clock
from .amazon import Sandbox
from .input import BadInput, Input, parse
from .processes import Process, ProcessFailed, running
from .progress import Progress

if TYPE_CHECKING:
    from .job import Shop
    from .report import Report

SUCCESS, FAILURE, BAD_INPUT = 0, 1, 2

#: Gets a folder for logs; leaves Django set up with the shop's settings.
OpenShop = Callable[[Path, Progress], AbstractContextManager["Shop"]]


def main(title: str, open_shop: OpenShop, arguments: Sequence[str] | None) -> int:
    """Do what the module says; ``title`` says which shop it is."""
    try:
        given = parse(arguments)
    except BadInput as error:
        sys.stderr.write(f"demo: {error}\n")
        return BAD_INPUT
    # For this process and all that it starts, before Django reads its settings.
    os.environ.setdefault(
        "AMAZON_CHANNEL_ENCRYPTION_KEYS", Fernet.generate_key().decode()
    )
    if given.clock:
        os.environ[clock.ENVIRONMENT_VARIABLE] = given.clock
    signal.signal(signal.SIGTERM, _stop)
    try:
        with ExitStack() as stack:
            return _run(title, open_shop, given, stack)
    except ProcessFailed as error:
        sys.stderr.write(f"demo: {error}\n")
        return FAILURE
    except KeyboardInterrupt:
        return FAILURE


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(FAILURE)


def _run(title: str, open_shop: OpenShop, given: Input, stack: ExitStack) -> int:
    progress = Progress()
    progress.say(f"The demo of saleor_amazon_channel, in {title}.")
    folder = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="amazon-channel-demo-"))
    )
    progress.say("Starting Amazon's side: the sandbox.")
    arguments = ["saleor_amazon_channel.sandbox", "--port", "0"]
    process = stack.enter_context(
        running("sandbox", [*arguments, *given.sandbox_arguments], folder)
    )
    ready = process.ready_line()
    sandbox = Sandbox(ready["url"], ready["lwa_url"])
    source = f" of {given.orders_file.name}" if given.orders_file else ", invented"
    progress.count(f"{ready['orders']} orders{source}")
    shop = stack.enter_context(open_shop(folder, progress))

    # They need Django to be set up.
    from . import job, report

    def start_worker() -> Process:
        work = ["django", "amazon_channel", "work"]
        return stack.enter_context(running("worker", work, folder))

    if given.is_empty:
        job.prepare(shop, sandbox, given.goods, start_worker, progress)
        _serve(shop, sandbox)
        return SUCCESS
    failure = ""
    try:
        job.run(shop, sandbox, given.goods, start_worker, progress)
    except (job.CannotContinue, ProcessFailed, TimeoutError) as error:
        failure = str(error)
    result = report.read(sandbox.orders())
    if given.json_file:
        report.write_json(result, given.json_file)
    progress.say("What became of each order:")
    _print(report.as_table(result.rows))
    _print([""], _summary(result))
    problems = [failure] if failure else []
    problems += result.problems
    if problems:
        _print(["", "NOT AS IT MUST BE:"], problems)
    else:
        progress.say("All is well.")
    if given.serves and shop.pages_url:
        _serve(shop, sandbox)
    return FAILURE if problems else SUCCESS


def _serve(shop: Shop, sandbox: Sandbox) -> None:
    """Say where everything is, and wait until somebody interrupts it."""
    _print(["", f"The pages: {shop.pages_url}", f"The sandbox: {sandbox.url}"])
    _print(["Press Ctrl-C to end."])
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _summary(result: Report) -> list[str]:
    states: dict[str, int] = {}
    for row in result.rows:
        states[row.state] = states.get(row.state, 0) + 1
    return [
        f"{len(result.rows)} orders: "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items())),
        *(
            f"{currency}: {theirs:.2f} on Amazon, {ours:.2f} in the shop"
            for currency, (theirs, ours) in sorted(result.totals.items())
        ),
        f"{result.compared_lines} lines equal Amazon's items one by one",
    ]


def _print(*parts: Sequence[str]) -> None:
    for lines in parts:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
