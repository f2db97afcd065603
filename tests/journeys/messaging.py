"""Staff write to the buyer through Amazon: what Amazon offers, and once.

Run in both shops: see ``world``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from contract.driver import StaffDriver
from journeys.world import World, running_world
from saleor_amazon_channel import buyer_messages
from saleor_amazon_channel.amazon.messaging import File, Message, MessageAction
from saleor_amazon_channel.buyer_messages import SentBeforeError
from saleor_amazon_channel.models import (
    ChannelSettings,
    CommunicationLog,
    OutboxAttachment,
    OutboxEntry,
)
from saleor_amazon_channel.pushing import by_hand, messages, runner
from saleor_amazon_channel.sandbox import events
from saleor_amazon_channel.store.contract import Store
from wire_orders import wire_item, wire_order

ORDER = "111-0000001-0000001"
QUESTION = MessageAction.CONFIRM_ORDER_DETAILS
PROBLEM = MessageAction.UNEXPECTED_PROBLEM
TEXT = "Ist die Hausnummer 5 richtig, Frau Müller?"


@pytest.fixture
def world(shop: StaffDriver, store: Store) -> Iterator[World]:
    with running_world(shop, store) as world:
        yield world


def imported(world: World, sku: str = "MUG-1") -> None:
    world.sandbox.state.put_orders([wire_order(ORDER, items=[wire_item(sku=sku)])])
    world.work_until_quiet(2)


def write(
    world: World,
    action: MessageAction = QUESTION,
    text: str = TEXT,
    files: tuple[File, ...] = (),
) -> OutboxEntry:
    with world.shop.writer():
        return buyer_messages.request_message(
            ORDER, Message(action, text), files, actor="staff@example.com"
        )


def sent(world: World) -> list[tuple[str, str]]:
    return [(each.action, each.text) for each in world.sandbox.state.messages_of(ORDER)]


def calls(world: World, operation: str) -> list[int]:
    return [call.status for call in world.sandbox.state.calls(operation)]


def entry() -> OutboxEntry:
    return OutboxEntry.objects.latest("pk")


def notes(world: World) -> tuple[str, ...]:
    return world.shop.order(world.ledger_order(ORDER).shop_order_id or "").notes


def test_a8_the_buyer_gets_what_staff_wrote_once(world: World) -> None:
    imported(world)
    write(world)

    world.work_until_quiet(3)

    assert sent(world) == [("confirmOrderDetails", TEXT)]
    assert (entry().state, entry().actor) == ("succeeded", "staff@example.com")
    told = world.ledger_order(ORDER).events.order_by("id").values_list("type", "actor")
    assert list(told)[-2:] == [
        ("message_requested", "staff@example.com"),
        ("buyer_message_succeeded", "staff@example.com"),
    ]
    assert notes(world)[-1] == (
        "The message confirmOrderDetails was sent to the buyer on Amazon."
    )
    assert world.shop.emails() == []


def test_a8_an_order_that_is_not_imported_can_be_written_about(world: World) -> None:
    imported(world, sku="UNKNOWN-1")
    assert world.ledger_order(ORDER).shop_order_id is None
    write(world)

    world.work_until_quiet(3)

    assert sent(world) == [("confirmOrderDetails", TEXT)]
    assert entry().reported_at is not None


def test_files_go_along_and_are_not_kept_afterwards(world: World) -> None:
    imported(world)
    files = (File("Maß.pdf", b"%PDF-1.7 one"), File("two.txt", b"two"))
    write(world, MessageAction.LEGAL_DISCLOSURE, "", files)

    world.work_until_quiet(3)

    [message] = world.sandbox.state.messages_of(ORDER)
    assert message.attachments == (("Maß.pdf", b"%PDF-1.7 one"), ("two.txt", b"two"))
    assert [each.content for each in OutboxAttachment.objects.all()] == [b"", b""]


def test_what_was_written_is_encrypted_and_nowhere_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ChannelSettings.objects.update(debug_logging=True)
    imported(world)
    write(world, MessageAction.LEGAL_DISCLOSURE, "", (File("Müller.txt", b"for her"),))
    write(world)
    with connection.cursor() as cursor:
        for table in ("outboxentry", "outboxattachment", "orderevent"):
            cursor.execute(
                f"SELECT x::text FROM saleor_amazon_channel_{table} AS x"  # noqa: S608
            )
            kept = str(cursor.fetchall())
            assert "Hausnummer" not in kept
            assert "Müller" not in kept
    world.work_until_quiet(3)

    assert len(sent(world)) == 2
    assert "Hausnummer" not in caplog.text
    assert not any("Hausnummer" in note for note in notes(world))
    assert entry().personal["text"] == TEXT


def test_a_refusal_that_quotes_the_message_is_kept_without_the_quotation(
    world: World,
) -> None:
    imported(world)
    write(world)
    world.sandbox.state.refuse_message("confirmOrderDetails", f"Not this: {TEXT}")
    world.work_until_quiet(3)

    assert sent(world) == []
    log = CommunicationLog.objects.get()
    for kept in (entry().error_message, log.message, notes(world)[-1]):
        assert "Hausnummer" not in kept
        assert "Amazon's reason quotes the message" in kept


def test_what_amazon_does_not_offer_is_not_sent_and_says_so(world: World) -> None:
    imported(world)
    write(world)
    events.ship(world.sandbox.state, ORDER)

    world.work_until_quiet(3)

    assert sent(world) == []
    assert calls(world, "createConfirmOrderDetails") == []
    assert (entry().state, entry().error_code) == ("failed", messages.NOT_OFFERED)
    assert entry().error_message == (
        "Amazon does not offer the message confirmOrderDetails for the order as it is "
        "now. It offers: confirmDeliveryDetails, digitalAccessKey, legalDisclosure, "
        "unexpectedProblem, warranty."
    )


def test_a_buyer_of_an_order_that_amazon_fulfils_gets_what_amazon_offers(
    world: World,
) -> None:
    world.sandbox.state.put_orders(
        [
            wire_order(
                ORDER, status="SHIPPED", fulfilled_by="AMAZON", items=[wire_item()]
            )
        ]
    )
    world.work_until_quiet(2)
    write(world, PROBLEM, "A problem")
    write(world, MessageAction.LEGAL_DISCLOSURE, "", (File("law.pdf", b"%PDF"),))

    world.work_until_quiet(3)

    assert sent(world) == [("legalDisclosure", "")]
    states = OutboxEntry.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["failed", "succeeded"]


@pytest.mark.parametrize(
    "fault", ["close_after_effect", "failure_after_effect", "reset_before_effect"]
)
def test_an_outcome_that_cannot_be_known_is_left_to_a_person(
    world: World, fault: str
) -> None:
    imported(world)
    write(world, PROBLEM)
    world.sandbox.state.inject_fault("createUnexpectedProblem", fault)

    world.work_until_quiet(5)

    assert len(calls(world, "createUnexpectedProblem")) == 1
    assert len(sent(world)) == (0 if fault == "reset_before_effect" else 1)
    assert (entry().state, entry().error_code) == ("failed", "OUTCOME_UNKNOWN")
    assert "Look at the messages of the order in Seller Central" in notes(world)[-1]

    # Staff looked, and it was not there.
    write(world, PROBLEM)
    world.work_until_quiet(3)
    assert entry().state == "succeeded"
    assert len(calls(world, "createUnexpectedProblem")) == 2


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("getMessagingActionsForOrder", "throttled"),
        ("getMessagingActionsForOrder", "close_after_effect"),
        ("createUploadDestinationForResource", "close_after_effect"),
        ("createUploadDestinationForResource", "unavailable"),
        ("createLegalDisclosure", "throttled"),
    ],
)
def test_what_has_no_effect_yet_is_tried_again(
    world: World, operation: str, fault: str
) -> None:
    imported(world)
    write(world, MessageAction.LEGAL_DISCLOSURE, "", (File("law.pdf", b"%PDF"),))
    world.sandbox.state.inject_fault(operation, fault, count=5)

    world.work_until_quiet(8)

    assert sent(world) == [("legalDisclosure", "")]
    assert entry().state == "succeeded"


@pytest.mark.parametrize(
    ("fault", "state"),
    # A role that is missing is waited for; what is wrong with it is for staff.
    [("unauthorized", "pending"), ("html_400", "failed")],
)
def test_what_amazon_refused_can_still_be_sent(
    world: World, fault: str, state: str
) -> None:
    imported(world)
    write(world, PROBLEM)
    world.sandbox.state.inject_fault("createUnexpectedProblem", fault)
    world.work()
    assert (entry().state, sent(world)) == (state, [])

    with world.shop.writer():
        by_hand.retry([entry().pk], "staff")
    world.work_until_quiet(3)

    assert sent(world) == [("unexpectedProblem", TEXT)]
    assert entry().state == "succeeded"


class _Killed(BaseException):
    """What no handler catches: the process is gone."""


def _die(*args: object, **kwargs: object) -> None:
    raise _Killed


@pytest.mark.parametrize(
    ("moment", "is_sent", "state"),
    [
        # Before it can have left, it is simply sent.
        ("saleor_amazon_channel.outbox.depart", True, "succeeded"),
        # After: nobody can know.
        ("saleor_amazon_channel.amazon.messaging.send", False, "failed"),
        ("saleor_amazon_channel.pushing.settling.settle", True, "failed"),
    ],
)
def test_a_worker_that_died_never_makes_it_two(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    is_sent: bool,
    state: str,
) -> None:
    imported(world)
    write(world, PROBLEM)
    monkeypatch.setattr(moment, _die)
    with world.shop.writer(), pytest.raises(_Killed):
        runner.push()
    monkeypatch.undo()

    world.work_until_quiet(5)

    assert len(sent(world)) == is_sent
    assert entry().state == state


def test_a_worker_whose_claim_was_taken_over_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(world)
    write(world, PROBLEM)
    read = messages.messaging.get_actions

    def slowly(*args: object, **options: object) -> object:
        found = read(*args, **options)
        monkeypatch.undo()  # The other worker is quick.
        world.move_clock(timedelta(minutes=6))
        runner.push()
        return found

    monkeypatch.setattr(messages.messaging, "get_actions", slowly)
    with world.shop.writer():
        runner.push()

    assert len(sent(world)) == 1
    assert entry().state == "succeeded"


def test_the_same_message_is_not_sent_to_the_same_buyer_twice(world: World) -> None:
    imported(world)
    first = write(world, PROBLEM)
    assert write(world, PROBLEM) == first
    write(world, PROBLEM, "Something else")
    world.work_until_quiet(3)

    assert sent(world) == [
        ("unexpectedProblem", TEXT),
        ("unexpectedProblem", "Something else"),
    ]
    with pytest.raises(SentBeforeError, match="was sent to the buyer on 2026-11-20"):
        write(world, PROBLEM)


def test_another_file_of_the_same_name_is_another_message(world: World) -> None:
    imported(world)
    disclose = MessageAction.LEGAL_DISCLOSURE
    wrong, right = File("law.pdf", b"%PDF wrong"), File("law.pdf", b"%PDF right")
    first = write(world, disclose, "", (wrong,))
    assert write(world, disclose, "", (wrong,)) == first

    second = write(world, disclose, "", (right,))

    assert second != first
    assert [file.content for file in messages.files_of(second)] == [b"%PDF right"]
    world.work_until_quiet(3)
    with pytest.raises(SentBeforeError):
        write(world, disclose, "", (wrong,))


def test_a_message_holds_up_no_shipment(world: World) -> None:
    imported(world)
    world.sandbox.state.inject_fault(
        "getMessagingActionsForOrder", "throttled", count=99
    )
    write(world)
    world.work()
    world.shop.fulfil(
        world.ledger_order(ORDER).shop_order_id or "",
        dict.fromkeys(world.line_ids(ORDER).values(), 1),
        warehouse_id=world.warehouse_id,
        tracking_number="T-1",
    )
    world.work()

    assert world.on_amazon(ORDER)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    states = OutboxEntry.objects.order_by("pk").values_list("kind", "state")
    assert list(states) == [
        ("buyer_message", "pending"),
        ("confirm_shipment", "succeeded"),
    ]


def test_e4_a_message_waits_in_read_only_mode(world: World) -> None:
    imported(world)
    ChannelSettings.objects.update(read_only=True)
    write(world)
    world.move_clock(timedelta(minutes=5))
    world.work()
    assert (sent(world), entry().state) == ([], "pending")

    ChannelSettings.objects.update(read_only=False)
    world.work_until_quiet(3)
    assert len(sent(world)) == 1


# --- reviews -------------------------------------------------------------------------


def ask(world: World) -> OutboxEntry:
    with world.shop.writer():
        return buyer_messages.request_review(ORDER, actor="staff@example.com")


def delivered(world: World, days_ago: int) -> None:
    imported(world)
    events.ship(world.sandbox.state, ORDER)
    world.move_clock(timedelta(days=days_ago))
    world.work_until_quiet(2)


def test_a8_the_buyer_is_asked_for_a_review_once(world: World) -> None:
    delivered(world, 6)
    assert ask(world) == ask(world)

    world.work_until_quiet(3)

    assert list(world.sandbox.state.solicited) == [ORDER]
    assert entry().state == "succeeded"
    assert notes(world)[-1] == "Amazon has asked the buyer for a review."
    with pytest.raises(SentBeforeError, match="The request for a review was sent"):
        ask(world)


@pytest.mark.parametrize("days_ago", [1, 40])
def test_outside_amazons_window_it_is_said(world: World, days_ago: int) -> None:
    delivered(world, days_ago)
    ask(world)
    world.work_until_quiet(3)

    assert world.sandbox.state.solicited == {}
    assert (entry().state, entry().error_code) == ("failed", messages.NOT_OFFERED)
    assert "from 5 days after the earliest to 30 days" in notes(world)[-1]


@pytest.mark.parametrize("fault", ["close_after_effect", "reset_before_effect"])
def test_a_request_without_answer_is_found_out_by_reading(
    world: World, fault: str
) -> None:
    delivered(world, 6)
    ask(world)
    operation = "createProductReviewAndSellerFeedbackSolicitation"
    world.sandbox.state.inject_fault(operation, fault)

    world.work_until_quiet(5)

    assert list(world.sandbox.state.solicited) == [ORDER]
    assert entry().state == "succeeded"
    assert [status for status in calls(world, operation) if status == 201] == [201]
