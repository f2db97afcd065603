from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from saleor_amazon_channel.sandbox import Sandbox, State, running_sandbox
from saleor_amazon_channel.sandbox.routes import OPERATIONS

from .conftest import Caller, Move, errors


@pytest.fixture
def sandbox(move: Move) -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


def statuses(caller: Caller, times: int, **options: str) -> list[int]:
    return [caller.search(**options).status_code for _ in range(times)]


def test_the_plans_are_amazons() -> None:
    assert {
        operation.name: (operation.plan.rate, operation.plan.burst)
        for operation in OPERATIONS
    } == {
        "getMarketplaceParticipations": (0.016, 15),
        "searchOrders": (0.0056, 20),
        "getOrder": (0.5, 30),
        "cancelOrder": (1, 5),
        "confirmShipment": (2, 10),
        "getOrders": (0.0167, 20),
        "getOrderItems": (0.5, 30),
        "getOrderAddress": (0.5, 30),
        "createFeedDocument": (0.5, 15),
        "createFeed": (0.0083, 15),
        "getFeed": (2, 15),
        "cancelFeed": (2, 15),
        "getFeeds": (0.0222, 10),
        "getFeedDocument": (0.0222, 10),
        "createReport": (0.0167, 15),
        "getReport": (2, 15),
        "getReportDocument": (0.0167, 15),
        "listTransactions": (0.5, 10),
        "createUploadDestinationForResource": (10, 10),
        "getMessagingActionsForOrder": (1, 5),
        "GetAttributes": (1, 5),
        "createConfirmOrderDetails": (1, 5),
        "createConfirmDeliveryDetails": (1, 5),
        "confirmCustomizationDetails": (1, 5),
        "createConfirmServiceDetails": (1, 5),
        "createUnexpectedProblem": (1, 5),
        "createLegalDisclosure": (1, 5),
        "CreateWarranty": (1, 5),
        "createDigitalAccessKey": (1, 5),
        "sendInvoice": (1, 5),
        "getSolicitationActionsForOrder": (1, 5),
        "createProductReviewAndSellerFeedbackSolicitation": (1, 5),
        "createDestination": (1, 5),
        "getDestinations": (1, 5),
        "getDestination": (1, 5),
        "deleteDestination": (1, 5),
        "searchListingsItems": (5, 5),
        "getListingsItem": (5, 10),
        "patchListingsItem": (5, 5),
        "createSubscription": (1, 5),
        "getSubscription": (1, 5),
        "getSubscriptionById": (1, 5),
        "deleteSubscriptionById": (1, 5),
    }


def test_after_the_burst_one_call_per_refill(caller: Caller, move: Move) -> None:
    assert statuses(caller, 21) == [200] * 20 + [429]

    move(timedelta(seconds=178))
    assert statuses(caller, 1) == [429]
    move(timedelta(seconds=1))
    assert statuses(caller, 2) == [200, 429]


def test_a_bucket_never_holds_more_than_its_burst(caller: Caller, move: Move) -> None:
    assert statuses(caller, 1) == [200]
    move(timedelta(days=30))
    caller.token(is_new=True)

    assert statuses(caller, 21) == [200] * 20 + [429]


def test_the_answer_of_a_throttled_call(caller: Caller) -> None:
    answers = [caller.search() for _ in range(21)]

    assert answers[0].headers["x-amzn-RateLimit-Limit"] == "0.0056"
    assert answers[20].json() == {
        "errors": [
            {
                "code": "QuotaExceeded",
                "message": "You exceeded your quota for the requested resource.",
                "details": "",
            }
        ]
    }
    assert "x-amzn-RateLimit-Limit" not in answers[20].headers
    assert answers[20].headers["x-amzn-RequestId"]


def test_sellers_and_operations_have_buckets_of_their_own(caller: Caller) -> None:
    assert statuses(caller, 21)[-1] == 429

    assert statuses(caller, 1, region="EU") == [200]
    assert caller.get("113-0000000-0000000").status_code == 404


def test_invalid_calls_count_and_denied_ones_do_not(caller: Caller) -> None:
    for _ in range(10):
        assert caller.search(maxResultsPerPage="0").status_code == 400
    for _ in range(10):
        path = "/orders/2026-01-01/orders"
        denied = caller.call("GET", path, headers={"x-amz-access-token": "no"})
        assert denied.status_code == 403

    assert statuses(caller, 11) == [200] * 10 + [429]


def test_a_plan_can_be_changed_and_the_plans_switched_off(
    caller: Caller, state: State
) -> None:
    state.set_usage_plan("searchOrders", rate=0.1, burst=2)

    assert statuses(caller, 3) == [200, 200, 429]
    assert caller.search(maxResultsPerPage="0").status_code == 429
    state.plans.refill()
    answer = caller.search()
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.1"

    caller.control("PUT", "usage-plans", {"enforced": False})
    assert statuses(caller, 30) == [200] * 30
    assert "x-amzn-RateLimit-Limit" not in caller.search().headers


def test_throttled_calls_are_in_the_call_log(caller: Caller, state: State) -> None:
    statuses(caller, 22)

    assert state.counters()["searchOrders"] == {"200": 20, "429": 2}
    assert errors(caller.search())[0][0] == "QuotaExceeded"
