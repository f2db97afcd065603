"""Where the supported Saleor versions differ, and nothing else."""

from __future__ import annotations

from saleor.core import postgres


def _as_it_is(text: str) -> str:
    return text


#: What Saleor does to texts before it puts them into a search vector: 3.23 strips
#: accents, and from search terms as well; 3.22 leaves both alone.
searchable_text = getattr(postgres, "strip_accents", _as_it_is)
