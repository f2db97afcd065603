from __future__ import annotations

from saleor_amazon_channel.amazon import errors
from saleor_amazon_channel.ledger import communication
from saleor_amazon_channel.models import CommunicationLog, SellerAccount


def note_refused_token(account: SellerAccount) -> None:
    communication.note_failure(
        account, "searchOrders", errors.ReauthorizationRequired("searchOrders")
    )


def test_a_refused_refresh_token_stops_the_account(account: SellerAccount) -> None:
    note_refused_token(account)

    assert account.state == "needs_reauthorization"
    account.refresh_from_db()
    assert account.state == "needs_reauthorization"
    assert account.state_reason


def test_an_account_reauthorized_meanwhile_goes_on(account: SellerAccount) -> None:
    used = SellerAccount.objects.get()
    account.refresh_token = "Atzr|new"
    account.save()

    note_refused_token(used)

    account.refresh_from_db()
    assert (account.state, account.refresh_token) == ("active", "Atzr|new")
    assert CommunicationLog.objects.count() == 1
