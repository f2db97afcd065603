"""Processes that the demo starts, and stops again whatever happens."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import clock

READY_SECONDS = 30
_STOP_SECONDS = 5


class ProcessFailed(Exception):
    """A process of the demo ended by itself, or never got ready."""

    def __init__(self, name: str, code: int | None, log: str) -> None:
        self.code = code
        self.log = log.strip()
        what = "did not get ready in time" if code is None else f"ended with {code}"
        super().__init__(f"The {name} {what}.\n{self.log}".rstrip())


class Process:
    """A running Python module, with what it says on stderr kept in a file."""

    def __init__(self, name: str, popen: subprocess.Popen[str], log: Path) -> None:
        self.name = name
        self._popen = popen
        self._log = log

    def check(self) -> None:
        """Raise ProcessFailed if it has ended."""
        code = self._popen.poll()
        if code is not None:
            raise ProcessFailed(self.name, code, self._tail())

    def ready_line(self) -> dict[str, Any]:
        """The JSON line it prints once it serves."""
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._popen.stdout, selectors.EVENT_READ)
            if not selector.select(READY_SECONDS):
                raise ProcessFailed(self.name, None, self._tail())
        line = self._popen.stdout.readline()
        if not line:
            raise ProcessFailed(self.name, self._popen.wait(), self._tail())
        return dict(json.loads(line))

    def stop(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])


@contextmanager
def running(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """``python -m <arguments>`` for the block, its log in ``folder``."""
    log = folder / f"{name.replace(' ', '-')}.log"
    with log.open("w") as stderr:
        popen = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", *arguments],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    process = Process(name, popen, log)
    try:
        yield process
    finally:
        process.stop()


def wait_until(
    reached: Callable[[], bool],
    processes: Sequence[Process],
    seconds: float,
    otherwise: str,
) -> None:
    """Return as soon as ``reached()`` is true.

    Raises ProcessFailed when one of ``processes`` ends, and TimeoutError, saying
    ``otherwise``, after ``seconds``.
    """
    deadline = clock.now().timestamp() + seconds * clock.factor()
    while not reached():
        for process in processes:
            process.check()
        if clock.now().timestamp() > deadline:
            raise TimeoutError(otherwise)
        clock.sleep(0.1 * clock.factor())
