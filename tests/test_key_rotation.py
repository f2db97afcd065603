from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from graphql_api.rows import new_order
from saleor_amazon_channel import fields, key_rotation
from saleor_amazon_channel.models import (
    AmazonOrder,
    OutboxAttachment,
    OutboxEntry,
    SellerAccount,
)

pytestmark = pytest.mark.django_db

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("amazon_channel", "rotate-keys", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def stored(settings: Any) -> AmazonOrder:
    """Secrets, buyer data and a file, all under the old key, which is not first now."""
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = OLD
    account = SellerAccount.objects.create(
        name="Mugs",
        region="EU",
        seller_id="A1",
        lwa_client_secret="secret",
        refresh_token="Atzr|token",
    )
    order = new_order(account, buyer_name="Änne", personal={"buyer": {"a": "Ä"}})
    entry = OutboxEntry.objects.create(
        account=account,
        order=order,
        kind="buyer_message",
        idempotency_key="k",
        payload={},
        personal={"text": "Hallo"},
    )
    OutboxAttachment.objects.create(entry=entry, position=0, content=b"\x00\xff")
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    return order


def test_all_that_an_old_key_encrypted_gets_the_first(
    stored: AmazonOrder, settings: Any
) -> None:
    assert run("--dry-run").endswith("6 values have an old key.\n")
    assert run("--dry-run").endswith("6 values have an old key.\n")

    assert run().endswith("6 values have been given the first key.\n")

    # The old key can go.
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = NEW
    account, order = SellerAccount.objects.get(), AmazonOrder.objects.get()
    assert (account.lwa_client_secret, account.refresh_token) == (
        "secret",
        "Atzr|token",
    )
    assert (order.buyer_name, order.personal) == ("Änne", {"buyer": {"a": "Ä"}})
    assert OutboxEntry.objects.get().personal == {"text": "Hallo"}
    assert OutboxAttachment.objects.get().content == b"\x00\xff"
    assert run() == "0 values have been given the first key.\n"


def test_one_that_was_interrupted_goes_on(
    stored: AmazonOrder, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = OLD
        new_order(stored.account, buyer_name=f"Buyer {number}")
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = f"{NEW},{OLD}"
    monkeypatch.setattr(key_rotation, "BATCH_SIZE", 2)
    rotated, done = fields.rotated, []

    def die(token: bytes) -> bytes | None:
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(token)
        return rotated(token)

    monkeypatch.setattr(fields, "rotated", die)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(fields, "rotated", rotated)

    left = sum(column.old for column in key_rotation.rotate(is_dry_run=True))
    assert 0 < left < 11
    assert run().endswith(f"{left} values have been given the first key.\n")
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = NEW
    assert {order.buyer_name for order in AmazonOrder.objects.all()} == {
        "Änne",
        *(f"Buyer {number}" for number in range(5)),
    }


def test_what_somebody_changes_meanwhile_is_theirs(
    stored: AmazonOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated = fields.rotated

    def be_overtaken(token: bytes) -> bytes | None:
        AmazonOrder.objects.update(buyer_name="")  # Redacted.
        return rotated(token)

    monkeypatch.setattr(fields, "rotated", be_overtaken)
    run()

    assert AmazonOrder.objects.get().buyer_name == ""


def test_a_key_that_is_missing_is_told(stored: AmazonOrder, settings: Any) -> None:
    settings.AMAZON_CHANNEL_ENCRYPTION_KEYS = NEW
    with connection.cursor() as cursor:
        cursor.execute("SELECT buyer_name FROM saleor_amazon_channel_amazonorder")
        before = cursor.fetchone()

    with pytest.raises(CommandError) as caught:
        run()

    assert str(caught.value) == (
        "6 values cannot be read with any of the keys in "
        "AMAZON_CHANNEL_ENCRYPTION_KEYS: one that was in use is missing."
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT buyer_name FROM saleor_amazon_channel_amazonorder")
        assert cursor.fetchone() == before
