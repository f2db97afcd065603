"""What the demo is told to work on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from saleor_amazon_channel import clock
from saleor_amazon_channel.demo.input import BadInput, parse
from saleor_amazon_channel.sandbox.seeds import UNKNOWN_SKUS, seed_catalogue
from wire_orders import wire_item, wire_order


@pytest.fixture
def file(tmp_path):
    def write(data: object):
        path = tmp_path / "orders.json"
        path.write_text(json.dumps(data))
        return str(path)

    return write


def test_without_a_file_the_seeds_and_their_goods():
    given = parse([])

    assert given.sandbox_arguments == ["--seed-orders", "120"]
    assert given.clock == ""
    assert {g.sku for g in given.goods} == {item.sku for item in seed_catalogue()}
    assert not {g.sku for g in given.goods} & set(UNKNOWN_SKUS)


def test_the_clock_starts_after_the_files_newest_order(file, monkeypatch):
    newest = datetime(2024, 2, 3, 4, 5, tzinfo=UTC)
    path = file([wire_order(created=newest, updated=newest)])

    given = parse(["--orders", path])

    monkeypatch.setenv(clock.ENVIRONMENT_VARIABLE, given.clock)
    assert abs(clock.now() - datetime(2024, 2, 3, 4, 8, tzinfo=UTC)).seconds < 10


def test_goods_for_the_files_skus_but_the_unknown_ones(file):
    items = [
        wire_item("1", "MUG-1", 300),
        wire_item("2", "MUG-2"),
        wire_item("3", "GHOST"),
    ]
    path = file({"orders": [wire_order(items=items)]})

    given = parse(["--orders", path, "--unknown-skus", "GHOST, OTHER"])

    assert [(g.sku, g.stock) for g in given.goods] == [("MUG-1", 3000), ("MUG-2", 1000)]


def test_a_marketplace_that_is_not_amazons(file):
    order = wire_order()
    order["salesChannel"]["marketplaceId"] = "NOWHERE"

    with pytest.raises(BadInput, match="'NOWHERE' is none of Amazon's retail"):
        parse(["--orders", file([order])])


def test_each_order_without_a_marketplace_is_named(file):
    first, second = wire_order(), wire_order("111-0000002-0000002")
    for order in (first, second):
        del order["salesChannel"]["marketplaceId"]

    with pytest.raises(BadInput) as error:
        parse(["--orders", file([first, second])])

    told = str(error.value).splitlines()
    assert len(told) == 2
    assert all("salesChannel.marketplaceId is missing" in line for line in told)


@pytest.mark.parametrize("content", ["{", "[]", '[{"orderId": "1"}]', '"orders"'])
def test_a_file_that_holds_no_orders(tmp_path, content):
    path = tmp_path / "orders.json"
    path.write_text(content)

    with pytest.raises(BadInput, match=str(path)):
        parse(["--orders", str(path)])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        parse(["--orders", str(tmp_path / "none.json")])


def test_a_table_that_has_nowhere_to_go(tmp_path):
    with pytest.raises(BadInput, match="the folder does not exist"):
        parse(["--json", str(tmp_path / "none" / "table.json")])
