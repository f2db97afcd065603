"""Where no credit note goes to Amazon, whatever a merchant set."""

from __future__ import annotations

import pytest

from graphql_api.rows import new_order
from saleor_amazon_channel.models import Marketplace, SellerAccount
from saleor_amazon_channel.pushing import credit_notes
from wire_orders import GERMANY

pytestmark = pytest.mark.django_db

SOUTH_AFRICA = "AE08WJ6YKNBMC"


@pytest.mark.parametrize(
    ("marketplace_id", "mechanism", "programs", "words"),
    [
        (GERMANY, "auto", [], ""),
        (GERMANY, "feed", [], ""),
        (GERMANY, "message", [], "not the feed any more"),
        (GERMANY, "off", [], "not the feed any more"),
        (GERMANY, "auto", ["INVOICE_BY_AMAZON"], "Amazon invoices this order itself"),
        (SOUTH_AFRICA, "feed", [], "no Invoice Data Report for the marketplace"),
    ],
)
def test_why_it_stays(
    account: SellerAccount,
    marketplace_id: str,
    mechanism: str,
    programs: list[str],
    words: str,
) -> None:
    Marketplace.objects.create(
        account=account, marketplace_id=marketplace_id, invoice_mechanism=mechanism
    )
    order = new_order(account)
    order.marketplace_id, order.programs = marketplace_id, programs

    reason = credit_notes.reason_to_keep(order)

    assert words in reason
    assert bool(words) == bool(reason)
