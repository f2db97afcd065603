"""What the demo says while it works."""

from __future__ import annotations

import sys

from .. import clock


class Progress:
    """Lines with the time; a count is written over where there is a terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._started = clock.now()
        self._count = ""

    def say(self, text: str) -> None:
        seconds = (clock.now() - self._started).total_seconds() / clock.factor()
        end_of_count = "\n" if self._count and self._is_terminal else ""
        self._count = ""
        self._write(f"{end_of_count}{seconds:6.1f} s  {text}\n")

    def count(self, text: str) -> None:
        """How far it is."""
        if text != self._count:
            self._count = text
            indented = f"{'':10}{text}"
            self._write(f"\r\x1b[K{indented}" if self._is_terminal else indented + "\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
