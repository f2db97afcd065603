"""Buyers' and sellers' text made fit for PostgreSQL.

A text column takes neither NUL nor half of a surrogate pair, and JSON on the wire can
carry both; other control characters are of no use to anybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_KEPT = frozenset("\n\t")


def storable(text: str) -> str:
    """``text`` without control characters; line breaks and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        character
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
        if character in _KEPT or unicodedata.category(character) not in ("Cc", "Cs")
    )


def one_line(text: str) -> str:
    """``text`` on one line, with single spaces and nothing at its ends."""
    if not text.isprintable():
        # A control character may be all that keeps two words apart.
        text = "".join(
            " " if unicodedata.category(character) in ("Cc", "Cs") else character
            for character in text
        )
    return " ".join(text.split())


#: Between a sentence and the next.
_SENTENCE_ENDS = re.compile(r"(?<=\.) (?=[A-Z])")


def told_once(messages: Iterable[str]) -> str:
    """Messages as one text, in which a sentence of several of them, such as what to do
    about it, is said by the last."""
    sentences = [each for message in messages for each in _SENTENCE_ENDS.split(message)]
    last = {sentence: position for position, sentence in enumerate(sentences)}
    return " ".join(
        sentence
        for position, sentence in enumerate(sentences)
        if last[sentence] == position
    )
