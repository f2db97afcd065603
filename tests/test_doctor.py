"""What the doctor finds, and that it finds nothing where all is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from graphql_api.rows import new_order, shipped_order
from saleor_amazon_channel import clock, doctor, lifecycle
from saleor_amazon_channel.models import (
    ChannelSettings,
    InvoiceReport,
    Marketplace,
    OrderInvoice,
    OutboxEntry,
    Reconciliation,
    SellerAccount,
    SyncCursor,
)
from wire_orders import GERMANY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def well(account: SellerAccount) -> Iterator[SellerAccount]:
    """A channel at work."""
    ChannelSettings.objects.create(id=1, active=True)
    SyncCursor.objects.create(stream=lifecycle.STREAM, last_run_at=NOW, watermark=NOW)
    SellerAccount.objects.update(secret_set_at=NOW)
    with clock.frozen(NOW):
        yield account


def found() -> list[tuple[str, str]]:
    return [(each.subject, each.message) for each in doctor.examine()]


def subjects() -> list[str]:
    return [subject for subject, _ in found()]


def test_where_all_is_well_it_says_so(well: SellerAccount) -> None:
    out = StringIO()
    call_command("amazon_channel", "doctor", stdout=out)
    assert out.getvalue() == "Nothing is wrong.\n"


def test_what_is_wrong_is_said_and_is_the_exit_code(well: SellerAccount) -> None:
    ChannelSettings.objects.update(active=False, read_only=True)
    out = StringIO()

    with pytest.raises(CommandError, match="2 to look at") as caught:
        call_command("amazon_channel", "doctor", "--json", stdout=out)

    assert caught.value.returncode == 1
    assert json.loads(out.getvalue()) == [
        {
            "subject": "plugin",
            "message": "The channel is switched off: nothing comes or goes.",
        },
        {
            "subject": "read-only mode",
            "message": "It is on: nothing is sent to Amazon.",
        },
    ]


def test_workers_that_do_not_run(well: SellerAccount) -> None:
    SyncCursor.objects.update(last_run_at=NOW - timedelta(minutes=11))
    [(subject, message)] = found()
    assert subject == "workers"
    assert "see that beat and a worker run" in message


def test_what_capture_missed_is_taken_up(
    well: SellerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "sweep", lambda: 3)
    [(subject, message)] = found()
    assert subject == "sweep"
    assert message.startswith("3 shipments of staff had not been noticed.")


def test_accounts_that_need_somebody(well: SellerAccount) -> None:
    cursor = SyncCursor.objects.create(
        account=well, stream="orders", last_error="searchOrders: 403"
    )
    assert found() == [("Mugs and more", "orders: searchOrders: 403")]
    cursor.delete()

    SellerAccount.objects.update(state="needs_reauthorization", state_reason="Do this.")
    assert found() == [("Mugs and more", "Do this.")]


def test_a_comparison_that_found_something(well: SellerAccount) -> None:
    row = Reconciliation.objects.create(
        account=well, since=NOW, until=NOW, finished_at=NOW, double=["111-1"]
    )
    assert subjects() == ["Mugs and more"]
    # What was missing has been read by then.
    row.double, row.missing = [], ["111-1"]
    row.save()
    assert found() == []


def test_a_report_that_credit_notes_wait_for_in_vain(well: SellerAccount) -> None:
    order = new_order(well)
    InvoiceReport.objects.create(account=well, problem="Amazon refuses it.")
    assert subjects() == []  # None waits.

    OrderInvoice.objects.create(
        order=order, shop_invoice_id="8", number="C-1", waits_until=NOW
    )
    assert found() == [
        (
            well.name,
            "Credit notes wait: Amazon refuses it. Each order says until when, and "
            "what to do then.",
        )
    ]


def test_what_failed_or_waits_too_long(well: SellerAccount) -> None:
    shipped_order(well)
    assert found() == [
        (
            "outbox",
            "1 confirm_shipment failed in the last 7 days with InvalidInput; each "
            "order says what to do.",
        )
    ]
    OutboxEntry.objects.update(
        state="pending", settled_at=None, next_attempt_at=NOW - timedelta(minutes=59)
    )
    assert found() == []
    OutboxEntry.objects.update(next_attempt_at=NOW - timedelta(minutes=61))
    [(_, message)] = found()
    assert message.startswith("1 entries have been due for more than an hour")
    # It is tried, again and again.
    OutboxEntry.objects.update(
        state="unknown", next_attempt_at=NOW, attempt_count=10, error_code="INTERNAL"
    )
    assert found() == [
        (
            "outbox",
            "1 confirm_shipment were tried 10 times or more and failed each time, the "
            "last time with INTERNAL; amazonOutbox has the messages.",
        )
    ]


def test_orders_that_are_blocked(well: SellerAccount) -> None:
    new_order(well, import_state="blocked")
    assert found() == [
        ("import", "1 orders are blocked, for 0 causes: see amazonBlockers.")
    ]


def test_orders_that_wait_for_a_channel(well: SellerAccount) -> None:
    Marketplace.objects.create(account=well, marketplace_id=GERMANY)
    new_order(well)
    new_order(well)
    assert found() == [
        (
            well.name,
            "2 orders to be shipped wait. The marketplace (Germany) has no channel, "
            "warehouse or shipping method. Choose them in its settings; the orders are "
            "then imported by themselves. If they are not to be, switch Import Amazon "
            "Orders off there.",
        )
    ]
