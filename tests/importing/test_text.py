from __future__ import annotations

import pytest

from saleor_amazon_channel.importing.text import one_line, storable, told_once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("windows\r\nand mac\r", "windows\nand mac\n"),
        ("nul\x00 bell\x07 half\ud800 soft\u00ad", "nul bell half soft\u00ad"),
        ("山田　太郎 🎁", "山田　太郎 🎁"),
    ],
)
def test_storable_keeps_everything_but_controls(text, expected):
    assert storable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a   b ", "a b"),
        ("a\r\nb\tc\x00d", "a b c d"),
        ("half\udfff", "half"),
        ("山田　太郎", "山田 太郎"),
        ("", ""),
    ],
)
def test_one_line_has_single_spaces(text, expected):
    assert one_line(text) == expected


@pytest.mark.parametrize("make", [storable, one_line])
def test_the_result_can_be_encoded(make):
    text = "".join(map(chr, range(0x3000))) + "\ud800\udfff\U0001f381"

    assert "\x00" not in make(text).encode().decode()


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], ""),
        (["One. Two."], "One. Two."),
        (
            ["A is 1.00 EUR. Do it.", "B is wrong. Do it."],
            "A is 1.00 EUR. B is wrong. Do it.",
        ),
        (["Same.", "Same."], "Same."),
        (
            ["orderItems[0].asin is long.", "x.y is long."],
            "orderItems[0].asin is long. x.y is long.",
        ),
    ],
)
def test_a_sentence_of_several_messages_is_told_once(messages, expected):
    assert told_once(messages) == expected
