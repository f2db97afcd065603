"""The pages have Amazon's marketplaces from the one table, ``amazon.marketplaces``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from saleor_amazon_channel.amazon.marketplaces import MARKETPLACES

FILE = Path(__file__).parents[2] / "extension" / "src" / "marketplaces.json"


def test_the_pages_know_the_same_marketplaces() -> None:
    rows = [
        json.dumps([info.id, info.country_code, info.currency])
        for info in MARKETPLACES.values()
    ]
    text = "[\n  " + ",\n  ".join(rows) + "\n]\n"
    if os.environ.get("UPDATE_SNAPSHOT"):
        FILE.write_text(text)

    assert FILE.read_text() == text, "run again with UPDATE_SNAPSHOT=1 if meant"
