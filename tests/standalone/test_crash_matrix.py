"""A part of the crash matrix, and that it can fail; ``benchmarks/crash_matrix.py`` has
the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from hostile import crash_matrix
from journeys.world import World
from saleor_amazon_channel import outbox
from saleor_amazon_channel.models import OutboxEntry
from saleor_amazon_channel.pushing import refunds, runner
from saleor_amazon_channel.standalone.store import StandaloneStore
from sqs import Sqs

from .driver import StandaloneDriver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop_with_queue() -> Iterator[tuple[World, Sqs]]:
    with crash_matrix.shop_with_queue(StandaloneDriver(), StandaloneStore()) as found:
        yield found


def run(
    shop_with_queue: tuple[World, Sqs], rows: str, columns: str
) -> tuple[Mapping[tuple[str, str], str], list[str]]:
    """The verdicts, and what is wrong."""
    world, sqs = shop_with_queue
    matrix = crash_matrix.Matrix(world, print)
    matrix.run(*crash_matrix.chosen(sqs, rows, columns))
    cells = {(cell.row.name, cell.column.name): cell.verdict for cell in matrix.cells}
    return cells, matrix.wrong


def test_a_part_of_the_matrix(shop_with_queue: tuple[World, Sqs]) -> None:
    columns = "killed after sending, killed while parsing, time-out after effect"
    cells, wrong = run(shop_with_queue, "", columns)

    assert wrong == []
    assert len(cells) == 3 * len(crash_matrix.ROWS)
    asks = [row for (row, column), verdict in cells.items() if verdict == "asks"]
    assert sorted(asks) == sorted(["invoice", "invoice by message", "message"] * 2)


def test_every_kind_of_intent_is_in_it() -> None:
    assert {str(row.kind) for row in crash_matrix.ROWS} == set(OutboxEntry.Kind.values)


# --- it can fail ---------------------------------------------------------------------


def test_a_message_that_departs_unnoted_is_seen(
    shop_with_queue: tuple[World, Sqs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "depart", lambda entry: True)
    _, wrong = run(shop_with_queue, "message", "killed after sending")
    assert len(wrong) == 1
    assert "instead of About" in wrong[0]


def test_a_refund_that_is_sent_again_is_seen(
    shop_with_queue: tuple[World, Sqs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "reconcile", lambda client, entry: None)
    _, wrong = run(shop_with_queue, "refund", "time-out after effect")
    assert len(wrong) == 1
    assert "Principal 10.00" in wrong[0]


def test_a_shop_that_is_not_told_is_seen(
    shop_with_queue: tuple[World, Sqs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "report", lambda: 0)
    _, wrong = run(shop_with_queue, "shipment", "429")
    assert len(wrong) == 1
