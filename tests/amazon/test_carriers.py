"""Which of Amazon's carriers a name means."""

from __future__ import annotations

import pytest

from saleor_amazon_channel.amazon import carriers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DHL", "DHL"),
        ("dhl-paket", "DHL-Paket"),
        ("hermes uk", "Hermes UK"),
        ("DHL Paket", "DHL-Paket"),
        ("DHL Paket Deutschland", None),
        ("Bob's van", None),
        ("", None),
    ],
)
def test_a_code_by_its_name(text: str, code: str | None) -> None:
    assert carriers.carrier_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dhl", "DHL"),
        # The longest that is part of it.
        ("DHL Paket Deutschland", "DHL-Paket"),
        ("Deutsche Post AG", "Deutsche Post"),
        # Word by word, not letter by letter: "Pin" is a carrier, too.
        ("Pinguin Kurier", None),
        # A slip.
        ("Deutche Post", "Deutsche Post"),
        ("Bob's van", None),
        ("", None),
    ],
)
def test_what_is_probably_meant(text: str, code: str | None) -> None:
    assert carriers.suggestion(text) == code
