"""Processes of the shop: workers that die, and staff that do not.

Each is a fork that waits for a word from the director, does it with the shop's clock,
and answers. A worker counts its commits and HTTP requests and kills itself (SIGKILL) at
a number drawn before; the director then forks another in its place.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

from journeys.moments import die_at_moment
from saleor_amazon_channel import tasks

from .times import SharedTime

Json = dict[str, Any]
#: Tasks of the channel with their arguments, as ``tasks.due`` gives them.
Work = Sequence[tuple[Any, tuple[Any, ...]]]


class Process:
    """A fork that does ``work`` for each message sent to it."""

    _ours: set[socket.socket] = set()

    def __init__(
        self, work: Callable[[Json], Json], time: SharedTime, die_at: int | None
    ) -> None:
        connections.close_all()
        ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                for other in (*Process._ours, ours):
                    other.close()
                if die_at:
                    die_at_moment(die_at)
                with time.in_the_shop():
                    _serve(theirs, work)
                status = 0
            except BaseException:  # noqa: BLE001 - the director sees the exit status
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        theirs.close()
        self._lines = ours.makefile("rwb")
        self._socket = ours
        Process._ours.add(ours)

    def send(self, message: Json) -> None:
        # One that is dead already says so by its missing answer.
        try:
            self._lines.write(json.dumps(message).encode() + b"\n")
            self._lines.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> Json | None:
        """What it says when done; None when it was killed meanwhile."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            line = b""
        if line.endswith(b"\n"):
            return dict(json.loads(line))
        self._leave()
        _, status = os.waitpid(self._pid, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            raise AssertionError(f"a process of the shop ended by itself: {status}")
        return None

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._leave()
        os.waitpid(self._pid, 0)

    def _leave(self) -> None:
        Process._ours.discard(self._socket)
        self._lines.close()
        self._socket.close()


def ready_to_fork() -> None:
    """What exists by now is never collected, nor written to, in any fork."""
    gc.collect()
    gc.freeze()


def _serve(theirs: socket.socket, work: Callable[[Json], Json]) -> None:
    with theirs.makefile("rwb") as lines:
        for line in lines:
            lines.write(json.dumps(work(json.loads(line))).encode() + b"\n")
            lines.flush()


class Worker:
    """A worker of the channel, replaced each time it is killed."""

    def __init__(
        self,
        time: SharedTime,
        rng: random.Random,
        longest_life: int,
    ) -> None:
        self._time, self._rng, self._longest_life = time, rng, longest_life
        self.deaths = 0
        self.failures: list[str] = []
        self._is_busy = False
        self._process = self._start()

    def _start(self) -> Process:
        return Process(_do, self._time, self._rng.randint(1, self._longest_life))

    def begin(self, work: Work) -> None:
        """What it is handed and does not get to is due again, as with Celery."""
        self._is_busy = bool(work)
        if work:
            named = [(task.name.rpartition(".")[2], args) for task, args in work]
            self._process.send({"work": named})

    def finish(self) -> None:
        if not self._is_busy:
            return
        answer = self._process.answer()
        if answer is None:
            self.deaths += 1
            self._process = self._start()
        else:
            self.failures += answer["failures"]

    def stop(self) -> None:
        self._process.stop()


def _do(message: Json) -> Json:
    """As Celery does it: a task that fails stops no other."""
    failures = []
    for name, arguments in message["work"]:
        try:
            getattr(tasks, name)(*arguments)
        except Exception:  # noqa: BLE001 - each is in the score
            failures.append(f"{name}: {traceback.format_exc()}")
    return {"failures": failures}
